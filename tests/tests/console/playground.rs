//! The playground in a browser: an answer is there while it comes, pictures and long texts reach the provider, what a
//! model says runs nothing, and the receipt has the price.

use crate::browser::Browser;
use crate::house::{House, MODEL};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_tests::http1::encode_chunk;
use burncloud_tests::upstream::{Act, Behaviour};
use serde_json::{Value, json};

const OTHER: &str = "gpt-4o";
/// What one answer is charged at [`house`]'s prices: 8 tokens of input, 4 read from a cache, 4 of output and 3 of
/// reasoning, at a thousand, five hundred, two thousand and three thousand nano-dollars.
const CHARGE: &str = "$0.000027";

/// A picture of one dot, with so much behind its end that it would not fit a frame of the socket.
fn picture() -> Vec<u8> {
    let dot =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";
    let mut bytes = STANDARD.decode(dot).unwrap();
    bytes.resize(300 << 10, 7);
    bytes
}

async fn house() -> House {
    let mut house = House::start().await;
    house.add_channel("harbour-openai", &[MODEL, OTHER]).await;
    for model in [MODEL, OTHER] {
        let rates = json!({"input": "1", "cached_read": "0.5", "output": "2", "reasoning": "3"});
        house.owner.write("POST", "/prices/rules", json!({"model": model, "rates": rates})).await;
    }
    house.unbind_owner().await;
    let key = house.owner.write("POST", "/keys", json!({"name": "mine"})).await;
    house.serves(key["secret"].as_str().unwrap()).await;
    house
}

/// A streamed answer: each of these, with a gate before all but the first.
fn streamed(deltas: &[Value]) -> Behaviour {
    let frame = |choices: Value, usage: Value| {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000,
            "model": MODEL, "choices": choices, "usage": usage});
        Act::Write(encode_chunk(format!("data: {chunk}\n\n").as_bytes()))
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut acts = vec![Act::Write(head.into())];
    for (at, delta) in deltas.iter().enumerate() {
        acts.extend((at > 0).then_some(Act::Gate));
        acts.push(frame(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null));
    }
    acts.push(frame(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), Value::Null));
    let usage = json!({"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19,
        "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 3}});
    acts.push(frame(json!([]), usage));
    acts.push(Act::Write(encode_chunk(b"data: [DONE]\n\n")));
    acts.push(Act::Write(b"0\r\n\r\n".to_vec()));
    Behaviour::Acts(acts)
}

/// Expressions on the page.
const LOG: &str = "document.querySelector('[role=log]')";
const TRAY: &str = "[...document.querySelectorAll('x-upload ul img')]";

/// Lets a file of these bytes be pasted, or dropped on the page.
async fn give(browser: &Browser, how: &str, name: &str, kind: &str, bytes: &[u8]) {
    let event = match how {
        "paste" => {
            "document.getElementById('play-prompt').dispatchEvent(new ClipboardEvent('paste', {clipboardData: d, bubbles: true, cancelable: true}))"
        }
        _ => {
            "document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: d, bubbles: true, cancelable: true}))"
        }
    };
    let script = format!(
        "(() => {{ const b = Uint8Array.from(atob({}), (c) => c.charCodeAt(0)), d = new DataTransfer(); \
         d.items.add(new File([b], {}, {{type: {}}})); {event}; return true; }})()",
        json!(STANDARD.encode(bytes)),
        json!(name),
        json!(kind),
    );
    assert_eq!(browser.js(&script).await, true);
}

/// Attaches and takes away; two pictures are left.
async fn attach(browser: &Browser) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dot.png");
    std::fs::write(&file, picture()).unwrap();
    browser.write_into("#play-file", file.to_str().unwrap()).await;
    browser.until(&format!("{TRAY}.length === 1 && {TRAY}[0].naturalWidth === 1")).await;
    browser.click("x-upload ul button").await;
    browser.until(&format!("{TRAY}.length === 0")).await;

    give(browser, "paste", "pasted.png", "image/png", &picture()).await;
    browser.until(&format!("{TRAY}.length === 1")).await;
    // What it is called is nothing: a page that says it is a picture is none.
    give(browser, "drop", "evil.png", "image/png", b"<svg onload='window.__hacked=1'></svg>").await;
    browser
        .until("document.querySelector('#play-wrong')?.innerText.includes('“evil.png”: it is no PNG')")
        .await;
    give(browser, "drop", "huge.png", "image/png", &vec![0; (8 << 20) + 1]).await;
    browser
        .until(
            "document.querySelector('#play-wrong')?.innerText.includes('“huge.png”: it has more than 8 MiB')",
        )
        .await;
    give(browser, "drop", "dropped.png", "image/png", &picture()).await;
    browser.until(&format!("{TRAY}.length === 2 && {TRAY}.every((i) => i.naturalWidth === 1)")).await;
    browser.until("!document.querySelector('#play-wrong')").await;
    browser.forget().await; // the answer to the page that was none
    browser.shot("playground-attached").await;
}

/// The owner before that page.
async fn open(path: &str) -> Option<(House, Browser)> {
    let house = house().await;
    let browser = Browser::open(&house.gateway.url()).await?;
    browser.become_(&house.owner).await;
    browser.visit(path).await;
    Some((house, browser))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_there_while_it_comes_and_pictures_go_with_the_question() {
    let Some((house, browser)) = open(&format!("/playground?m={MODEL}")).await else { return };
    browser.js("window.same = 1").await;
    attach(&browser).await;

    let drawn = format!("data:image/png;base64,{}", STANDARD.encode(picture()));
    house.upstream.next(streamed(&[
        json!({"role": "assistant", "content": "# The first part\n\n"}),
        json!({"content": "<script>window.__hacked=1</script><img src=x onerror=\"window.__hacked=1\">\n\n$E = mc^2$\n\n```rust\nlet two = 2;\n```\n\n![pixel](https://tracker.example/p.png)\n\nThe last part"}),
        json!({"images": [{"type": "image_url", "image_url": {"url": drawn}},
            {"type": "image_url", "image_url": {"url": "https://elsewhere.example/p.png"}}]}),
    ]));
    browser.write_into("#play-prompt", "What are these?").await;
    browser.press(thirtyfour::Key::Enter + "").await;
    // The provider waits: what is seen came while the answer was not over.
    browser.until(&format!("{LOG}.querySelector('h1')?.innerText === 'The first part'")).await;
    assert_eq!(house.upstream.answered(), 0);
    assert_eq!(browser.js(&format!("{LOG}.innerText.includes('The last part')")).await, false);
    let content = house.upstream.last().json()["messages"][0]["content"].clone();
    let sent = content[0]["image_url"]["url"].as_str().unwrap();
    let sent = STANDARD.decode(sent.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
    assert!(sent == picture(), "{} bytes", sent.len());
    assert_eq!((content.as_array().unwrap().len(), &content[2]["text"]), (3, &json!("What are these?")));

    house.upstream.open_gate(2);
    browser
        .until(&format!("{LOG}.innerText.includes('The last part') && {LOG}.innerText.includes('Receipt')"))
        .await;
    // Of what a model says only its pictures are drawn, from here; the rest is text, formulas and coloured code.
    browser.until(&format!("[...{LOG}.querySelectorAll('img[alt=\"Picture 1\"]')].filter((i) => i.naturalWidth === 1).length === 2")).await;
    assert_eq!(
        browser.js(&format!("{LOG}.querySelectorAll('img').length")).await,
        3,
        "two of mine and one of the model's"
    );
    let away = "[...document.querySelectorAll('[role=log] a[target=_blank]')].map((a) => a.href)";
    assert_eq!(
        browser.js(away).await,
        json!(["https://tracker.example/p.png", "https://elsewhere.example/p.png"])
    );
    let harmless = format!("[typeof window.__hacked, {LOG}.querySelectorAll('script, [onerror]').length]");
    assert_eq!(browser.js(&harmless).await, json!(["undefined", 0]));
    browser.until(&format!("{LOG}.innerText.includes('<script>window.__hacked=1</script>')")).await;
    browser.until(&format!("{LOG}.querySelector('math') && {LOG}.querySelector('pre code span')")).await;
    browser.shot("playground-answer").await;

    browser.click("#play-tab-raw").await;
    let raw = "[...document.querySelectorAll('aside pre')].map((p) => p.innerText)";
    browser.until(&format!("{raw}.length === 2")).await;
    let raw = browser.js(raw).await;
    let (sent, came) = (raw[0].as_str().unwrap(), raw[1].as_str().unwrap());
    assert!(sent.starts_with("POST /v1/chat/completions") && sent.len() < 2_000, "{} characters", sent.len());
    assert!(sent.contains("data:image/png;base64,iVBOR") && sent.contains("… (+"), "{sent}");
    assert!(came.contains("The first part") && came.len() < 70_000, "{} characters", came.len());
    browser.click("#play-tab-receipt").await;
    browser.until(&format!("document.querySelector('.receipt')?.innerText.includes('{CHARGE}')")).await;
    browser.shot("playground-receipt").await;
    assert_eq!(browser.js("window.same").await, 1, "one page all the way");
    browser.calm("the playground").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_longer_than_any_frame_is_sent_whole() {
    let Some((house, browser)) = open(&format!("/playground?m={MODEL}")).await else { return };
    browser.js("window.same = 1").await;
    // 300 KB of it. Typing in it and clicking on it tell the server nothing.
    let long = "(() => { const t = document.getElementById('play-prompt'); t.value = '长'.repeat(100000) + 'end'; return t.value.length; })()";
    assert_eq!(browser.js(long).await, 100_003);
    browser.click("#play-prompt").await;
    browser.write_into("#play-prompt", "!").await;
    browser.click("#play-send").await;
    browser
        .until(&format!(
            "{LOG}.innerText.includes('more characters, sent whole') && {LOG}.innerText.includes('Receipt')"
        ))
        .await;
    let text = house.upstream.last().json()["messages"][0]["content"].as_str().unwrap().to_owned();
    assert_eq!((text.chars().count(), text.matches('!').count(), text.ends_with("end")), (100_004, 1, true));
    browser.until("document.getElementById('play-prompt').value === ''").await;

    // It stays part of the conversation, and comes back whole to be mended.
    browser.write_into("#play-prompt", "And?").await;
    browser.press(thirtyfour::Key::Enter + "").await;
    browser
        .until(&format!(
            "[...{LOG}.querySelectorAll('a')].filter((a) => a.innerText === 'Receipt').length === 2"
        ))
        .await;
    let talk = house.upstream.last().json()["messages"].clone();
    assert_eq!(
        (talk.as_array().unwrap().len(), &talk[0]["content"], &talk[2]["content"]),
        (3, &json!(text), &json!("And?"))
    );
    browser.click("button[aria-label='Edit and ask again']").await;
    browser.until("document.getElementById('play-prompt').value.length === 100004").await;

    // Beyond what is taken it says so, and what was written stays.
    browser.js("(() => { document.getElementById('play-prompt').value = 'a'.repeat(2 * 1024 * 1024 + 1); return 1; })()").await;
    browser.click("#play-send").await;
    browser
        .until("document.querySelector('#play-wrong')?.innerText.includes('Message: it has more than 2 MiB')")
        .await;
    assert_eq!(
        browser.js("[window.same, document.getElementById('play-prompt').value.length]").await,
        json!([1, 2_097_153])
    );
    browser.calm("the playground").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_answer_the_same_question() {
    let Some((house, browser)) = open(&format!("/playground/arena?m={MODEL}&n={OTHER}")).await else {
        return;
    };
    for text in ["Left speaks", "Right speaks"] {
        house.upstream.next(streamed(&[json!({"content": text})]));
    }
    give(&browser, "paste", "dot.png", "image/png", &picture()).await;
    browser.until(&format!("{TRAY}.length === 1")).await;
    browser.write_into("#play-prompt", "Who are you?").await;
    browser.press(thirtyfour::Key::Enter + "").await;
    let half = |side: &str| format!("document.querySelector('section[aria-label^=\"{side}\"]')");
    for side in ["Left", "Right"] {
        let half = half(side);
        browser.until(&format!("{half}.innerText.includes('speaks')")).await;
        // The first word, the speed and the cost.
        let metrics = format!("[...{half}.querySelectorAll('.grid-cols-3 .num')].map((p) => p.innerText)");
        browser
            .until(&format!("{metrics}.length === 3 && {metrics}.every((text) => !text.includes('—'))"))
            .await;
        let metrics = browser.js(&metrics).await;
        assert!(
            metrics[0].as_str().unwrap().contains('s') && metrics[2].as_str().unwrap().starts_with(CHARGE),
            "{metrics}"
        );
    }
    let mut asked: Vec<String> = house.upstream.requests().iter().map(|request| request.model()).collect();
    asked.sort();
    assert_eq!(asked, [OTHER, MODEL]);
    let pictured = |request: &burncloud_tests::upstream::Recorded| {
        request.json()["messages"][0]["content"][0]["type"] == "image_url"
    };
    assert!(house.upstream.requests().iter().all(pictured), "both see the picture");
    browser.shot("arena").await;
    browser.calm("the arena").await;
}

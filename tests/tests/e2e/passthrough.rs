//! The gateway looks and does not touch: what arrives at the provider, and what comes back, byte for byte.

use crate::common::*;
use burncloud_tests::config::{Channel, Config, Key, secret_of};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::http1::{Ended, sse_frames};
use burncloud_tests::raw::{Connection, Request};
use burncloud_tests::upstream::{Behaviour, Upstream};
use serde_json::{Value, json};
use std::time::Duration;

/// Odd but valid: spaces everywhere, escapes, numbers no float holds, fields nobody knows, keys that repeat below.
fn odd(model: &str, tail: &str) -> String {
    format!(
        "\r\n {{ \"new_field\" :[1e400, 12345678901234567890123, -0.0,{{\"a\":1,\"a\":2}}],\t\"model\" :  \"{model}\" ,\
         \"text\":\"\\u00e9\\ud83d\\ude00 wörld \\/ \\\\\\\" \\\"model\\\":\\\"x\\\"\", \"max_tokens\": 20{tail} }}\n"
    )
}

#[tokio::test]
async fn a_body_passes_untouched_in_every_dialect() {
    let (upstream, gateway) = pair().await;
    let messages = ", \"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
    let contents = ", \"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]";
    let cases = [
        ("/v1/chat/completions", odd(MODEL, messages)),
        ("/v1/responses", odd(MODEL, ", \"input\": \"hi\"")),
        ("/v1/completions", odd("gpt-3.5-turbo-instruct", ", \"prompt\": \"hi\"")),
        ("/v1/embeddings", odd("text-embedding-3-small", ", \"input\": [\"hi\"]")),
        ("/v1/messages", odd(CLAUDE, messages)),
        ("/v1/messages?beta=true", odd(CLAUDE, messages)),
        ("/v1/messages/count_tokens", odd(CLAUDE, messages)),
        ("/v1beta/models/gemini-2.5-flash:generateContent", odd("ignored", contents)),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", odd("ignored", contents)),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", odd("ignored", contents)),
    ];
    for (path, body) in cases {
        let direct = Request::post(path, body.as_str()).send(upstream.addr()).await;
        let through = gateway.ask("dev", Request::post(path, body.as_str())).await;
        let seen = upstream.last();
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{path}: what the provider got");
        assert_eq!(seen.target, path);
        assert_eq!((through.status, through.text()), (200, direct.text()), "{path}: what the caller got");
        assert_eq!(through.headers.get("content-type"), direct.headers.get("content-type"), "{path}");
    }
    gateway.idle().await;
}

#[tokio::test]
async fn headers_pass_by_policy() {
    let (upstream, gateway) = pair().await;
    let ask = message(false)
        .header("anthropic-beta", "made-up-2026-01-01")
        .header("idempotency-key", "once")
        .header("cookie", "session=private")
        .header("te", "trailers")
        .header("keep-alive", "timeout=5")
        .header("proxy-authorization", "Basic cHJpdmF0ZQ==")
        .header("x-api-key", &secret_of("dev"));
    let answer = ask.send(gateway.addr()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers.get("x-made-up"), Some("kept"), "a provider's header");
    assert_eq!(answer.headers.get("x-request-id"), Some("req_made_up"), "a provider's request id");
    assert!(!answer.trace_id().is_empty());

    let seen = upstream.last();
    assert_eq!(seen.headers.get("anthropic-version"), Some("2023-06-01"));
    assert_eq!(seen.headers.get("anthropic-beta"), Some("made-up-2026-01-01"));
    assert_eq!(seen.headers.get("content-type"), Some("application/json"));
    for name in ["cookie", "te", "keep-alive", "proxy-authorization"] {
        assert_eq!(seen.headers.get(name), None, "{name} stays here");
    }
    assert_eq!(seen.headers.get("host"), Some(upstream.addr().to_string().as_str()));
    let all = format!("{:?}", seen.headers);
    assert!(!all.contains(&secret_of("dev")), "the caller's key stays here: {all}");
    assert_eq!(seen.headers.all("x-api-key"), ["sk-upstream-credential-of-claude-main"]);
}

#[tokio::test]
async fn a_key_is_taken_from_every_place_an_sdk_puts_it() {
    let (upstream, gateway) = pair().await;
    let key = secret_of("dev");
    let contents = json!({"contents": [{"parts": [{"text": "hi"}]}]});
    let by_query = format!("/v1beta/models/{GEMINI}:generateContent?key={key}");
    let cases = [
        chat(MODEL).bearer(&key),
        chat(MODEL).header("api-key", &key),
        message(false).bearer(&key),
        message(false).header("x-api-key", &key),
        generate(false).header("x-goog-api-key", &key),
        generate(false).bearer(&key),
        Request::json(&by_query, &contents),
        Request::json(&by_query.replace("?", "?alt=json&"), &contents),
    ];
    for ask in cases {
        let answer = ask.send(gateway.addr()).await;
        assert_eq!(answer.status, 200, "{ask:?}: {}", answer.text());
        let seen = upstream.last();
        assert!(
            !format!("{} {:?}", seen.target, seen.headers).contains(&key),
            "the key stays here: {seen:?}"
        );
    }
    assert_eq!(upstream.last().target, format!("/v1beta/models/{GEMINI}:generateContent?alt=json"));
}

#[tokio::test]
async fn a_mapped_model_changes_only_its_own_bytes() {
    let upstream = Upstream::start().await;
    let map = |to: &str| format!("model_mapping = {{ fast = \"{to}\", \"a \\\"b\\\" ü\" = \"{to}\" }}");
    let gateway = Gateway::start(
        Config::new()
            .channel(Channel::new("o", "openai", &upstream.url()).line(&map("gpt-4o-mini-2024-07-18")))
            .channel(
                Channel::new("g", "gemini", &upstream.url()).line("model_mapping = { quick = \"g-1 ü\" }"),
            )
            .key(Key::new("dev")),
    )
    .await;
    let tail = ", \"messages\":[{\"role\":\"user\",\"content\":\"fast \\\"model\\\": \\\"fast\\\"\"}]";
    for asked in ["fast", "f\\u0061st", "a \\\"b\\\" ü"] {
        let body = odd(asked, tail);
        let answer = gateway.ask("dev", Request::post("/v1/chat/completions", body.as_str())).await;
        assert_eq!(answer.status, 200, "{asked}: {}", answer.text());
        let want = body.replacen(&format!("  \"{asked}\""), "  \"gpt-4o-mini-2024-07-18\"", 1);
        assert_eq!(String::from_utf8_lossy(&upstream.last().body), want, "{asked}");
    }
    let receipt = gateway.receipts_when(3).await.remove(0);
    assert_eq!(receipt["model"], "fast");
    assert_eq!(receipt["upstream_model"], "gpt-4o-mini-2024-07-18");

    let body = " {\"contents\" : [{\"parts\":[{\"text\":\"quick\"}]}], \"quick\":\"quick\"}";
    let ask = Request::post("/v1/models/quick:generateContent?x=quick", body);
    assert_eq!(gateway.ask("dev", ask).await.status, 200);
    let seen = upstream.last();
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        body,
        "the path names the model; the body is not touched"
    );
    assert!(seen.target.ends_with("/models/g-1%20%C3%BC:generateContent?x=quick"), "{}", seen.target);
}

#[tokio::test]
async fn a_mapped_model_in_a_multipart_field_changes_only_there() {
    let upstream = Upstream::start().await;
    let channel =
        Channel::new("o", "openai", &upstream.url()).line("model_mapping = { ears = \"gpt-4o-transcribe\" }");
    let gateway = Gateway::start(Config::new().channel(channel).key(Key::new("dev"))).await;
    let part = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body = part("prompt", "model ears").into_bytes();
    body.extend_from_slice(
        b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\n\
          Content-Type: audio/wav\r\n\r\nRIFF\x00\xff\r\n--edg\r\nears\r\n",
    );
    body.extend_from_slice(part("model", "ears").as_bytes());
    body.extend_from_slice(b"--edge--\r\n");
    let mut ask = Request::post("/v1/audio/transcriptions", body.clone());
    ask.headers = vec![("content-type".into(), "multipart/form-data; boundary=edge".into())];
    let answer = gateway.ask("dev", ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut want = body;
    let at = want.len() - "ears\r\n--edge--\r\n".len();
    want.splice(at..at + 4, *b"gpt-4o-transcribe");
    let seen = upstream.last();
    assert_eq!(String::from_utf8_lossy(&seen.body), String::from_utf8_lossy(&want));
    assert_eq!(seen.body, want);
    assert_eq!(seen.headers.get("content-type"), Some("multipart/form-data; boundary=edge"));
    let receipt = gateway.receipts_when(1).await.remove(0);
    assert_eq!(receipt["usage"]["audio_in"], 18);
    assert_eq!(tokens(&receipt), [2, 0, 0, 0, 5, 0]);
}

#[tokio::test]
async fn a_body_of_20_mb_passes_with_memory_bounded() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(config(&upstream).server("max_body_bytes = 33554432")).await;
    assert_eq!(gateway.ask("dev", chat(MODEL)).await.status, 200);
    let before = gateway.peak_memory();
    // The model comes last: whoever looks for it must look through everything.
    let body = format!(
        "{{\"max_tokens\":5,\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}],\"model\":\"fast\"}}",
        "wörld ✓ ".repeat(20 * 1024 * 1024 / 11)
    );
    for chunked in [false, true] {
        let ask = Request::post("/v1/chat/completions", body.as_str()).bearer(&secret_of("dev"));
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        let wire = if chunked { ask.encode_chunked(100_000) } else { ask.encode() };
        connection.write(&wire).await.unwrap();
        let answer = connection.response().await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let want = body.replace("\"model\":\"fast\"", &format!("\"model\":\"{MODEL}\""));
        assert!(upstream.last().body == want.as_bytes(), "20 MB differ (chunked: {chunked})");
    }
    if let (Some(before), Some(after)) = (before, gateway.peak_memory()) {
        // A buffer that grows is twice as large as before and beside it for a moment; nothing more is held.
        let grown = after - before;
        assert!(grown < 4 * 20 * 1024 * 1024, "a 20 MB body cost {grown} bytes");
    }
    gateway.idle().await;
}

#[tokio::test]
async fn a_body_in_chunks_of_one_byte_arrives_whole() {
    let (upstream, gateway) = pair().await;
    let body = odd("fast", ", \"messages\":[{\"role\":\"user\",\"content\":\"✓\"}]");
    let ask = Request::post("/v1/chat/completions", body.as_str()).bearer(&secret_of("dev"));
    for wire in [ask.encode_chunked(1), ask.encode()] {
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write_slowly(&wire, 1, Duration::ZERO).await.unwrap();
        let answer = connection.response().await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let want = body.replace("\"fast\"", &format!("\"{MODEL}\""));
        assert_eq!(String::from_utf8_lossy(&upstream.last().body), want);
    }
}

#[tokio::test]
async fn chunk_borders_anywhere_in_an_answer_do_no_harm() {
    let (upstream, gateway) = pair().await;
    let responses = json!({"model": MODEL, "input": "hi", "stream": true});
    let cases = [
        (chat_stream(MODEL), CHAT_TOKENS),
        (chat(MODEL), CHAT_TOKENS),
        (Request::json("/v1/responses", &responses), CHAT_TOKENS),
        (message(true), CLAUDE_TOKENS),
        (message(false), CLAUDE_TOKENS),
        (generate(true), CHAT_TOKENS),
        (generate(false), CHAT_TOKENS),
    ];
    for (ask, want) in cases {
        let direct = ask.send(upstream.addr()).await;
        for size in [1, 2, 3, 7, 64] {
            upstream.next(Behaviour::Shredded(size));
            let through = gateway.ask("dev", ask.clone()).await;
            assert_eq!(through.text(), direct.text(), "{} in pieces of {size}", ask.target);
            assert_eq!(through.body.ended, Ended::Complete);
            let receipt = gateway.receipt_of(&through.trace_id()).await;
            assert_eq!(tokens(&receipt), want, "{} in pieces of {size}", ask.target);
            assert_eq!(receipt["usage_source"], "reported");
        }
    }
}

#[tokio::test]
async fn usage_is_asked_for_and_kept_from_a_caller_who_did_not_ask() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(config(&upstream).channel(
        Channel::new("as-is", "openai", &upstream.url()).models(["gpt-4o"]).line("include_usage = false"),
    ))
    .await;
    let mut asked = chat_body(MODEL);
    asked["stream"] = json!(true);
    for options in [None, Some(json!({})), Some(json!({"include_usage": false})), Some(json!({"other": [1]}))]
    {
        let mut body = asked.clone();
        if let Some(options) = &options {
            body["stream_options"] = options.clone();
        }
        for shredded in [None, Some(1), Some(5)] {
            if let Some(size) = shredded {
                upstream.next(Behaviour::Shredded(size));
            }
            let through = gateway.ask("dev", Request::json("/v1/chat/completions", &body)).await;
            let sent = upstream.last();
            assert_eq!(sent.json()["stream_options"]["include_usage"], true, "{options:?}");
            let mut without = sent.json();
            without["stream_options"] = body["stream_options"].clone();
            let mut want = body.clone();
            want["stream_options"] = body["stream_options"].clone();
            assert_eq!(without, want, "nothing else is touched");
            if options == Some(json!({"other": [1]})) {
                assert_eq!(sent.json()["stream_options"]["other"], json!([1]));
            }
            let direct = Request::post("/v1/chat/completions", sent.body).send(upstream.addr()).await;
            let mut frames = sse_frames(&direct.bytes());
            frames.retain(|frame| !String::from_utf8_lossy(frame).contains("\"choices\":[]"));
            assert_eq!(
                through.text(),
                String::from_utf8_lossy(&frames.concat()),
                "the extra chunk is withheld"
            );
            let receipt = gateway.receipt_of(&through.trace_id()).await;
            assert_eq!(tokens(&receipt), CHAT_TOKENS, "{options:?} {shredded:?}");
            assert_eq!(receipt["usage_source"], "reported");
        }
    }
    asked["model"] = json!("gpt-4o");
    let off = gateway.ask("dev", Request::json("/v1/chat/completions", &asked)).await;
    assert_eq!(upstream.last().json(), asked, "the channel turned it off");
    assert_eq!(gateway.receipt_of(&off.trace_id()).await["usage_source"], "estimated");
}

#[tokio::test]
async fn each_frame_of_a_stream_arrives_before_the_next_is_sent() {
    let (upstream, gateway) = pair().await;
    for ask in [chat_stream(MODEL), message(true), generate(true)] {
        let frames = sse_frames(&ask.send(upstream.addr()).await.bytes());
        upstream.next(Behaviour::Gated);
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write(&ask.clone().bearer(&secret_of("dev")).encode()).await.unwrap();
        let (status, headers) = connection.head().await.unwrap();
        assert_eq!(status, 200);
        for (index, frame) in frames.iter().enumerate() {
            let mut got = Vec::new();
            while got.len() < frame.len() {
                let chunk = connection.chunk().await.unwrap().expect("the stream goes on");
                assert!(!chunk.is_empty(), "the stream ended early");
                got.extend_from_slice(&chunk);
            }
            assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(frame), "frame {index}");
            upstream.open_gate(usize::from(index + 1 < frames.len()));
        }
        assert_eq!(connection.rest(&headers).await.unwrap().bytes(), b"");
    }
}

#[tokio::test]
async fn what_cannot_be_routed_is_refused_naming_the_field() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(config(&upstream).server("max_body_bytes = 100000")).await;
    let bodies = [
        ("{\"model\":\"gpt-4o-mini\",\"model\":\"gpt-4o-mini\"}", "model"),
        ("{\"model\":\"gpt-4o-mini\",\"mod\\u0065l\":\"other\"}", "model"),
        ("{\"stream\":true,\"model\":\"gpt-4o-mini\",\"stream\":false}", "stream"),
        ("{\"messages\":[]}", "model"),
        ("{\"model\":7,\"messages\":[]}", "model"),
        ("{\"model\":\"\",\"messages\":[]}", "model"),
        ("{\"model\":\"gpt-4o-mini\"", ""),
        ("[]", ""),
        ("", ""),
        ("not json", ""),
    ];
    for (body, field) in bodies {
        let answer = gateway.ask("dev", Request::post("/v1/chat/completions", body)).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        let error = openai_error(&answer);
        assert!(error["message"].as_str().unwrap().contains(field), "{body}: {error}");
    }
    let bom = "\u{feff}{\"model\":\"gpt-4o-mini\",\"messages\":[]}";
    let answer = gateway.ask("dev", Request::post("/v1/chat/completions", bom)).await;
    assert!(answer.status == 400 || upstream.last().body == bom.as_bytes(), "refused, or passed as it is");

    let large = Request::post(
        "/v1/chat/completions",
        format!("{{\"model\":\"{MODEL}\",\"x\":\"{}\"}}", "x".repeat(100_000)),
    );
    assert_eq!(gateway.ask("dev", large.clone()).await.status, 413);
    let mut connection = Connection::open(gateway.addr()).await.unwrap();
    // The gateway may close before everything is written: what it said counts.
    let _ = connection.write(&large.bearer(&secret_of("dev")).encode_chunked(1000)).await;
    assert_eq!(connection.response().await.unwrap().status, 413);
    assert!(upstream.served() <= 1, "nothing of this reached the provider");
    gateway.idle().await;
}

#[tokio::test]
async fn refusals_speak_the_callers_dialect() {
    let (upstream, gateway) = pair().await;
    for (ask, status) in [
        (chat("gpt-none"), 404),
        (Request::json("/v1/nothing/here", &json!({})), 404),
        (Request::json("/v1/files", &json!({"purpose": "x"})), 404),
        (Request::get("/v1/chat/completions"), 405),
    ] {
        let answer = gateway.ask("dev", ask).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        openai_error(&answer);
    }
    for wrong in [chat(MODEL), chat(MODEL).bearer("sk-burn-nobody-knows-this")] {
        let answer = wrong.send(gateway.addr()).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert!(openai_error(&answer)["code"] == "invalid_api_key", "{}", answer.text());
    }
    let claude = message(false).bearer("sk-burn-nobody").send(gateway.addr()).await;
    assert_eq!(claude.status, 401);
    assert_eq!(claude.json()["type"], "error");
    assert_eq!(claude.json()["error"]["type"], "authentication_error");
    let gemini = generate(false).header("x-goog-api-key", "nobody").send(gateway.addr()).await;
    assert!([400, 401].contains(&gemini.status), "Google answers 400 to an unknown key: {}", gemini.status);
    assert!(gemini.json()["error"]["status"].is_string(), "{}", gemini.text());

    let later = [
        ("/model/anthropic.claude-3-haiku-20240307-v1:0/converse", json!({"messages": []})),
        ("/v2/chat", json!({"model": "command-r", "messages": []})),
        (
            "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-x:rawPredict",
            json!({"anthropic_version": "vertex-2023-10-16", "messages": []}),
        ),
    ];
    for (path, body) in later {
        let answer = gateway.ask("dev", Request::json(path, &body)).await;
        assert!([404, 501].contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        assert!(answer.json().is_object(), "{path}: {}", answer.text());
    }
    assert_eq!(upstream.served(), 0);
    gateway.idle().await;
}

#[tokio::test]
async fn models_are_listed_in_the_dialects_shape() {
    let upstream = Upstream::start().await;
    let config = config(&upstream).key(Key::new("narrow").line("models = [\"fast\"]"));
    let gateway = Gateway::start(config).await;
    let list = |key: &'static str| Request::get("/v1/models").bearer(&secret_of(key));
    let names = |list: &Value, field: &str| -> Vec<String> {
        let entries = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
        let mut names: Vec<String> =
            entries.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let openai = list("dev").send(gateway.addr()).await.json();
    assert_eq!(openai["object"], "list");
    assert!(names(&openai["data"], "id").contains(&"fast".to_owned()), "{openai}");
    let narrow = list("narrow").send(gateway.addr()).await.json();
    assert_eq!(names(&narrow["data"], "id"), ["fast"]);

    let claude = list("dev").header("anthropic-version", "2023-06-01").send(gateway.addr()).await.json();
    assert_eq!(claude["has_more"], false, "{claude}");
    assert_eq!(claude["data"][0]["type"], "model");
    let google = Request::get("/v1beta/models").header("x-goog-api-key", &secret_of("dev"));
    let google = google.send(gateway.addr()).await.json();
    assert!(names(&google["models"], "name").contains(&format!("models/{GEMINI}")), "{google}");
    assert_eq!(upstream.served(), 0, "the gateway answers from its own table");
}

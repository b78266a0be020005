//! Requests through a real gateway with a provider on the loopback, and what the page shows of them.

use super::run::{self, News, Order, State, Take};
use super::speech::{Ask, Dials, Picture, Speech, Words};
use super::talk::use_talk;
use super::words::upload;
use super::{Inside, Playground};
use crate::Console;
use crate::held::tests::DOT;
use crate::kit::Toasts;
use crate::lang::{Lang, Look};
use crate::live::{Changes, Conn, Cx, Viewer, use_live_history};
use axum::routing::post;
use burncloud_billing::desk::{KeyDraft, KeyView, UserDraft};
use burncloud_billing::people::Actor;
use burncloud_billing::{Biller, BillerOptions, Desk, PriceBook};
use burncloud_core::store::{MemoryStore, PriceOverride, PriceStore, ReceiptFilter, ReceiptStore, UserStore};
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, End, Gateway, KeyId, Role, Status};
use dioxus::prelude::*;
use futures_util::StreamExt;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

struct Shop {
    console: Console,
    store: Arc<MemoryStore>,
    keys: Vec<KeyView>,
    _journal: tempfile::TempDir,
}

fn event(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

/// Answers `Hello <b>you</b>`, after the picture that it was shown, one elsewhere, and one that is none; asked for the model
/// `endless`, never stops.
async fn provider(axum::Json(ask): axum::Json<serde_json::Value>) -> axum::response::Response {
    let seen = &ask["messages"][0]["content"][0]["image_url"]["url"];
    let urls = [
        seen.as_str().unwrap_or_default(),
        "https://elsewhere.example/<a>.png",
        "data:image/svg+xml;base64,PHN2Zz4=",
    ];
    let images = urls.map(|url| serde_json::json!({ "type": "image_url", "image_url": { "url": url } }));
    let drawn = serde_json::json!({ "choices": [{ "index": 0, "delta": { "images": images } }] });
    let drawn = if seen.is_null() { String::new() } else { format!("data: {drawn}\n\n") };
    let start = [drawn, event("Hello "), event("<b>you</b>")].concat();
    let stream = if ask["model"] == "endless" {
        let start = futures_util::stream::iter([start]);
        start.chain(futures_util::stream::pending()).map(Ok::<_, std::io::Error>).boxed()
    } else {
        let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
            data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13}}\n\n\
            data: [DONE]\n\n";
        futures_util::stream::iter([Ok(start), Ok(end.to_owned())]).boxed()
    };
    let kind = [("content-type", "text/event-stream")];
    axum::response::IntoResponse::into_response((kind, axum::body::Body::from_stream(stream)))
}

impl Shop {
    async fn open() -> Shop {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let app = axum::Router::new().route("/v1/chat/completions", post(provider));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let channel = ChannelConfig {
            id: ChannelId(1),
            name: "secret-account".into(),
            provider: "openai".into(),
            base_url: Some(format!("http://{addr}")),
            credential: "sk-x".into(),
            models: vec!["gpt-4o-mini".into(), "endless".into()],
            model_mapping: Default::default(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        let store = Arc::new(MemoryStore::default());
        let journal = tempfile::tempdir().unwrap();
        let book = Arc::new(PriceBook::new());
        let options = BillerOptions::new(journal.path());
        let (biller, shipper) = Biller::open(options, store.clone(), book.clone()).unwrap();
        let rates = serde_json::json!({ "input": "1", "output": "1" });
        let (model, effective_at) = ("endless".to_owned(), burncloud_core::UnixMicros(0));
        let price = PriceOverride { version: 0, book: None, channel: None, model, effective_at, rates };
        store.add_price(price).await.unwrap();
        burncloud_billing::reload_prices(&*store, &book).await.unwrap();
        tokio::spawn(shipper.run());
        let registry = burncloud_adapters::registry();
        let gateway = Gateway::builder(store.clone(), registry.clone()).billing(biller.clone());
        let gateway = gateway.build(&[channel]).unwrap();
        let desk = Desk::new(store.clone(), registry).with_book(book);
        let console = Console::builder(desk).gateway(gateway).biller(biller);
        let console = console.build(tokio::runtime::Handle::current());
        let mut shop = Shop { console, store, keys: Vec::new(), _journal: journal };
        for name in ["mia", "ned"] {
            shop.person(name).await;
        }
        shop
    }

    async fn person(&mut self, name: &str) {
        let boss = Actor::operator("boss");
        let house = self.store.tenant_by_name("default").await.unwrap().unwrap();
        let draft = UserDraft {
            name: name.into(),
            tenant: Some(house.id),
            role: Role::EndUser,
            ..UserDraft::default()
        };
        let desk = self.console.desk();
        let user = desk.create_user(&boss, draft).await.unwrap().user;
        let wallet = burncloud_billing::people::Wallet::User(user.clone());
        let amount = burncloud_core::Nano(5_000_000_000);
        burncloud_billing::people::top_up(&*self.store, &boss, &wallet, amount, None, "paid").await.unwrap();
        let draft =
            KeyDraft { name: format!("{name}'s <b>key</b>"), user: Some(user.id), ..KeyDraft::default() };
        let key = desk.create_key(&boss, draft).await.unwrap().key;
        self.keys.push(key);
    }

    async fn who(&self, name: &str) -> Actor {
        Actor::of(&self.store.user_by_name(name).await.unwrap().unwrap())
    }

    async fn cx(&self, name: &str, lang: Lang) -> Cx {
        let viewer = Viewer::signed_in(self.who(name).await.from("127.0.0.1"), lang);
        Cx { console: self.console.clone(), viewer: Arc::new(viewer) }
    }

    async fn receipts(&self) -> Vec<burncloud_core::Receipt> {
        self.store.receipts(&ReceiptFilter { limit: 10, ..ReceiptFilter::default() }).await.unwrap()
    }

    /// What a component draws for somebody at a path.
    async fn draw(&self, name: &str, lang: Lang, path: &str, what: Drawn) -> String {
        let cx = self.cx(name, lang).await;
        let look = Look { lang, ..Look::default() };
        let conn = Conn::page(cx.console, cx.viewer, look.clone(), format!("/console{path}"));
        let dom = VirtualDom::new_with_props(Root, RootProps { what });
        let mut dom = dom.with_root_context(look).with_root_context(conn);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }
}

#[derive(Clone, PartialEq)]
enum Drawn {
    All,
    Inside(Vec<KeyView>),
    Said(Box<Take>),
}

#[component]
fn Root(what: Drawn) -> Element {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
    match what {
        Drawn::All => rsx! { Playground {} },
        Drawn::Inside(keys) => rsx! { Inside { keys: Rc::new(keys) } },
        Drawn::Said(take) => {
            rsx! { super::chat::Answer { take: (*take).clone() } super::slip::Slip { take: *take } }
        }
    }
}

fn order(key: KeyId, model: &str) -> Order {
    let ask = Ask::Text("Hi".into());
    let model = model.to_owned();
    Order { key, speech: Speech::Chat, model, dials: Dials::default(), before: Vec::new(), now: ask }
}

/// Asks, and stops once `enough`.
async fn asked(cx: Cx, order: Order, enough: impl Fn(&Take) -> bool) -> Take {
    let (tx, mut rx) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let asking = tokio::spawn(run::ask(cx.clone(), order, stop.clone(), tx));
    let mut take = Take::default();
    while let Some(news) = rx.recv().await {
        take.hear(news);
        if enough(&take) {
            stop.cancel();
        }
    }
    asking.await.unwrap();
    if let Some(id) = take.receipt_id {
        take.receipt = run::receipt(cx, id).await.map(Rc::new);
    }
    take
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_streams_in_and_leaves_a_receipt() {
    let shop = Shop::open().await;
    let take =
        asked(shop.cx("mia", Lang::En).await, order(shop.keys[0].key.id, "gpt-4o-mini"), |_| false).await;
    assert_eq!((take.state, take.fault.clone(), take.status), (State::Done, None, Some(200)));
    assert_eq!(take.said.text, "Hello <b>you</b>");
    assert!(take.raw.contains("[DONE]") && take.first_ms.is_some());
    let view = take.receipt.clone().unwrap();
    assert_eq!((view.row.tokens_in, view.row.tokens_out, view.row.key), (9, 4, shop.keys[0].key.id));
    for (lang, words) in [(Lang::En, "Charged"), (Lang::Zh, "收取")] {
        let html = shop.draw("mia", lang, "/playground", Drawn::Said(Box::new(take.clone()))).await;
        assert!(html.contains(words) && html.contains(&view.row.id.to_string()), "{html}");
        assert!(!html.contains("<b>you</b>"), "a model's words are text");
        assert!(!html.contains("secret-account"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_there_and_pictures_come_back() {
    let shop = Shop::open().await;
    let cx = shop.cx("mia", Lang::En).await;
    let held = cx.console.held();
    let dot = held.picture(&cx.viewer, DOT.into()).unwrap();
    let words = Words { pictures: vec![dot.id.clone()], .."What?".into() };
    let asking = || Order { now: Ask::Text(words.clone()), ..order(shop.keys[0].key.id, "gpt-4o-mini") };
    let take = asked(cx.clone(), asking(), |_| false).await;
    assert_eq!((take.state, take.fault.clone()), (State::Done, None));
    let [Picture::Held(id, None), Picture::Away(_), Picture::Odd] = &take.said.pictures[..] else {
        panic!("{:?}", take.said.pictures)
    };
    assert_eq!(held.find("token", id).unwrap().bytes, DOT);
    assert!(take.sent.contains("data:image/png;base64,iVBOR") && take.sent.contains("… (+"), "{}", take.sent);
    let html = shop.draw("mia", Lang::En, "/playground", Drawn::Said(Box::new(take.clone()))).await;
    assert_eq!((html.matches("<img").count(), html.contains(&format!("/console/uploads/{id}"))), (1, true));
    assert!(html.contains("elsewhere.example") && !html.contains("<a>.png"), "{html}");

    // Another session cannot send it, and nobody can once it is gone: nothing is asked then.
    let before = shop.receipts().await.len();
    held.forget("token");
    for lang in [Lang::En, Lang::Zh] {
        let take = asked(shop.cx("mia", lang).await, asking(), |_| false).await;
        let fault = take.fault.as_deref();
        assert_eq!((take.state, fault), (State::Failed, Some(super::words::gone(lang))));
    }
    assert_eq!(shop.receipts().await.len(), before);
}

#[test]
fn what_is_wrong_names_the_field_and_the_way_out() {
    let codes = ["too_large", "not_a_picture", "too_many", "expired", "full", "crowded", "refused", "lost"];
    for code in codes {
        let (en, zh) = (upload(Lang::En, code, "a.png"), upload(Lang::Zh, code, "a.png"));
        assert!(en.starts_with("Picture “a.png”: ") && en.ends_with('.'), "{en}");
        assert!(zh.starts_with("图片「a.png」：") && zh.ends_with('。'), "{zh}");
    }
    for code in ["text_too_large", "text_odd", "long_expired"] {
        assert!(upload(Lang::En, code, "").starts_with("Message: "), "{code}");
        assert!(upload(Lang::Zh, code, "").starts_with("消息："), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_and_leaving_end_the_request_with_one_receipt() {
    let shop = Shop::open().await;
    let cx = shop.cx("mia", Lang::En).await;
    let key = shop.keys[0].key.id;
    let take = asked(cx.clone(), order(key, "endless"), |take| take.said.text.contains("you")).await;
    assert_eq!((take.state, take.fault.clone()), (State::Stopped, None), "{}", take.raw);
    assert_eq!(take.receipt.unwrap().row.end, End::CallerGone);
    // A page that goes away drops the task.
    let (tx, mut rx) = mpsc::channel(64);
    let asking = tokio::spawn(run::ask(cx.clone(), order(key, "endless"), CancellationToken::new(), tx));
    let id = loop {
        match rx.recv().await.unwrap() {
            News::Head(_, id) => break id.unwrap(),
            _ => continue,
        }
    };
    asking.abort();
    assert_eq!(run::receipt(cx, id).await.unwrap().row.end, End::CallerGone);
    assert_eq!(shop.receipts().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_says_why() {
    let shop = Shop::open().await;
    let cx = shop.cx("mia", Lang::En).await;
    let take = asked(cx.clone(), order(shop.keys[0].key.id, "no-such-model"), |_| false).await;
    assert_eq!((take.state, take.status), (State::Failed, Some(404)));
    assert!(take.fault.as_ref().unwrap().contains("no-such-model"), "{:?}", take.fault);
    let html = shop.draw("mia", Lang::Zh, "/playground", Drawn::Said(Box::new(take))).await;
    assert!(html.contains("没有账号提供它") && html.contains("返回的原文"), "{html}");
    let foreign = asked(cx, order(shop.keys[1].key.id, "gpt-4o-mini"), |_| false).await;
    assert_eq!(
        (foreign.state, foreign.status, foreign.receipt_id),
        (State::Failed, None, None),
        "not with another's key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_one_may_use() {
    let shop = Shop::open().await;
    let keys = shop.console.desk().trial_keys(&shop.who("mia").await).await.unwrap();
    for (lang, hello, send) in [(Lang::En, "Say hello to", "Send"), (Lang::Zh, "打个招呼", "发送")] {
        let html = shop.draw("mia", lang, "/playground", Drawn::Inside(keys.clone())).await;
        assert!(html.contains(hello) && html.contains(&format!("aria-label=\"{send}\"")), "{html}");
        assert!(
            html.contains("gpt-4o-mini")
                && html.contains("mia&#39;s &#60;b&#62;key")
                    | html.contains("mia&#x27;s")
                    | html.contains("mia's &lt;b&gt;"),
            "{html}"
        );
        assert!(!html.contains("ned"), "another's key");
        let loading = shop.draw("mia", lang, "/playground", Drawn::All).await;
        assert!(loading.contains("aria-busy"), "{loading}");
    }
    let arena =
        shop.draw("mia", Lang::En, "/playground/arena?m=endless&n=gpt-4o-mini", Drawn::Inside(keys)).await;
    assert!(arena.contains("Left: endless") && arena.contains("Right: gpt-4o-mini"), "{arena}");
    assert!(!arena.contains("This one"), "no tally");
}

#[test]
fn a_conversation_is_kept_by_the_browser_and_taken_back() {
    #[component]
    fn Keeps() -> Element {
        let mut talk = use_talk();
        use_hook(|| {
            let kept = r#"[{"ask":{"Text":{"text":"Hi"}},"said":{"text":"Hello","thoughts":"","calls":[]},"model":"m"}]"#;
            talk.restore("nonsense");
            talk.restore(kept);
            assert_eq!(talk.kept(), kept);
            talk.restore(kept);
            assert_eq!(talk.turns.peek().len(), 1, "once");
            assert_eq!(talk.back_to(0), Some(Ask::Text("Hi".into())));
            assert!(talk.turns.peek().is_empty() && talk.kept().is_empty());
        });
        rsx! {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let desk = Desk::new(Arc::new(MemoryStore::default()), burncloud_adapters::registry());
        let console = Console::builder(desk).build(tokio::runtime::Handle::current());
        let viewer = Viewer::signed_in(Actor::operator("boss"), Lang::En);
        let conn = Conn::page(console, Arc::new(viewer), Look::default(), "/console/playground".into());
        let mut dom = VirtualDom::new(Keeps).with_root_context(conn);
        dom.rebuild_in_place();
    });
}

#[test]
fn the_better_of_two_is_marked() {
    use std::cmp::Ordering::{Equal, Less};
    let quick = Take { first_ms: Some(200), ..Take::default() };
    let slow = Take { first_ms: Some(300), ..Take::default() };
    assert_eq!(super::arena::better(Some(&quick), Some(&slow)), [Less, Equal, Equal]);
    assert_eq!(super::arena::better(Some(&quick), None), [Equal; 3]);
}

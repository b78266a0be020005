//! The helpers themselves, without a gateway between: what they say is what the official SDKs understand.

use burncloud_tests::http1::Ended;
use burncloud_tests::raw::{Connection, Request};
use burncloud_tests::sdk::Script;
use burncloud_tests::upstream::{Behaviour, Upstream};
use serde_json::{Value, json};

fn orders(upstream: &Upstream, model: &str) -> Value {
    let errors = [400, 401, 402, 404, 429, 500].map(|status| {
        upstream.on_model(&format!("error-{status}"), Behaviour::Status(status, Vec::new()));
        json!({"status": status, "key": "any", "model": format!("error-{status}")})
    });
    json!({"base": upstream.url(), "key": "any", "model": model, "listed": [], "errors": errors})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_sdks_understand_the_fake_provider() {
    let upstream = Upstream::start().await;
    let orders = orders(&upstream, "gpt-4o-mini");
    Script::PythonOpenAi.run(&orders).await;
    Script::NodeOpenAi.run(&orders).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anthropic_sdks_understand_the_fake_provider() {
    let upstream = Upstream::start().await;
    let orders = orders(&upstream, "claude-sonnet-4-5");
    Script::PythonAnthropic.run(&orders).await;
    Script::PythonAnthropicLegacy.run(&orders).await;
    Script::NodeAnthropic.run(&orders).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_google_sdk_understands_the_fake_provider() {
    let upstream = Upstream::start().await;
    Script::PythonGoogle.run(&orders(&upstream, "gemini-2.5-flash")).await;
}

#[tokio::test]
async fn a_fake_provider_misbehaves_as_told() {
    let upstream = Upstream::start().await;
    let ask = Request::json("/v1/chat/completions", &json!({"model": "m", "messages": [], "stream": true}));

    upstream.next(Behaviour::ResetBeforeHeaders);
    assert!(ask.try_send(upstream.addr()).await.is_err(), "no head");
    upstream.next(Behaviour::ResetAfterHeaders);
    assert_eq!(ask.send(upstream.addr()).await.body.ended, Ended::Reset);
    upstream.next(Behaviour::Cut(2));
    let cut = ask.send(upstream.addr()).await;
    assert_eq!((cut.body.frames.len(), cut.body.ended), (2, Ended::Cut));
    upstream.next(Behaviour::EndEarly(2));
    let early = ask.send(upstream.addr()).await;
    assert_eq!((early.body.frames.len(), early.body.ended), (2, Ended::Complete));

    upstream.next(Behaviour::Gated);
    let mut gated = Connection::open(upstream.addr()).await.unwrap();
    gated.write(&ask.encode()).await.unwrap();
    gated.head().await.unwrap();
    assert!(gated.chunk().await.unwrap().is_some_and(|first| !first.is_empty()));
    assert_eq!(upstream.abandoned(), 0);
    gated.hang_up();
    burncloud_tests::eventually("the provider notices", || async { upstream.abandoned() == 1 }).await;
    assert_eq!(upstream.served(), 5);
}

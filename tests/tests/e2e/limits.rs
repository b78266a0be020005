//! Rate limits that hold exactly under concurrency, and say so as the dialect does.

use crate::common::*;
use burncloud_tests::config::{Key, secret_of};
use burncloud_tests::eventually;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::Connection;
use burncloud_tests::upstream::{Behaviour, Upstream};
use futures_util::future::join_all;

async fn limited(line: &str) -> (Upstream, Gateway) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(config(&upstream).key(Key::new("slow").line(line))).await;
    (upstream, gateway)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_per_minute_are_exact_under_concurrency() {
    let (upstream, gateway) = limited("rate_limit = { requests_per_minute = 10 }").await;
    let answers = join_all((0..60).map(|_| gateway.ask("slow", chat(MODEL)))).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(served, 10, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert_eq!(upstream.served(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.status, 429);
        openai_error(refused);
        let after: u64 = refused.headers.get("retry-after").expect("says when").parse().unwrap();
        assert!((1..=61).contains(&after), "{after}");
        assert_eq!(refused.headers.get("x-ratelimit-limit-requests"), Some("10"));
        assert_eq!(refused.headers.get("x-ratelimit-remaining-requests"), Some("0"));
    }
    assert_eq!(gateway.ask("dev", chat(MODEL)).await.status, 200, "another key is not concerned");
    let claude = gateway.ask("slow", message(false)).await;
    assert_eq!((claude.status, claude.json()["error"]["type"].as_str()), (429, Some("rate_limit_error")));
    assert_eq!(claude.headers.get("anthropic-ratelimit-requests-limit"), Some("10"));
    let gemini = gateway.ask("slow", generate(false)).await;
    assert_eq!((gemini.status, gemini.json()["error"]["status"].as_str()), (429, Some("RESOURCE_EXHAUSTED")));
    gateway.idle().await;
}

#[tokio::test]
async fn concurrency_is_held_until_the_last_byte() {
    let (upstream, gateway) = limited("rate_limit = { concurrency = 2 }").await;
    upstream.always(Behaviour::Gated);
    let mut open = Vec::new();
    for ask in [chat_stream(MODEL), message(true)] {
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write(&ask.bearer(&secret_of("slow")).encode()).await.unwrap();
        let (status, headers) = connection.head().await.unwrap();
        assert_eq!(status, 200);
        open.push((connection, headers));
    }
    assert_eq!(gateway.ask("slow", chat(MODEL)).await.status, 429, "two streams are under way");
    upstream.open_gate(100);
    for (connection, headers) in &mut open {
        connection.rest(headers).await.unwrap();
    }
    eventually("a place is free again", || async { gateway.ask("slow", chat(MODEL)).await.status == 200 })
        .await;
    gateway.idle().await;
}

#[tokio::test]
async fn tokens_per_minute_count_what_was_used() {
    let (upstream, gateway) = limited("rate_limit = { tokens_per_minute = 100 }").await;
    // Each answer used 19 tokens, but might have used its limit of 50 and its input.
    let mut served = 0;
    let refused = loop {
        let answer = gateway.ask("slow", chat(MODEL)).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 10, "tokens are not limited");
    };
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.headers.get("retry-after").is_some());
    assert!((1..=5).contains(&served), "{served} of 19 tokens fit into 100");
    assert_eq!(upstream.served(), served);
    gateway.idle().await;
}

#[tokio::test]
async fn a_key_reaches_only_its_models() {
    let (upstream, gateway) = limited("models = [\"fast\"]").await;
    assert_eq!(gateway.ask("slow", chat("fast")).await.status, 200);
    let refused = gateway.ask("slow", chat(MODEL)).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(upstream.served(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_its_own_bound_the_gateway_sheds() {
    let upstream = Upstream::start().await;
    upstream.always(Behaviour::Gated);
    let gateway = Gateway::start(config(&upstream).server("max_in_flight = 3")).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write(&chat(MODEL).bearer(&secret_of("dev")).encode()).await.unwrap();
        open.push(connection);
    }
    eventually("three are under way", || async { upstream.served() == 3 }).await;
    let shed = gateway.ask("dev", chat(MODEL)).await;
    assert_eq!(shed.status, 503, "{}", shed.text());
    assert!(shed.headers.get("retry-after").is_some());
    upstream.open_gate(100);
    for connection in &mut open {
        assert_eq!(connection.response().await.unwrap().status, 200);
    }
    gateway.idle().await;
}

//! The server around the gateway: health, metrics, reload, and an end that finishes what was begun.

use crate::common::*;
use burncloud_tests::config::{Config, Key, secret_of};
use burncloud_tests::eventually;
use burncloud_tests::gateway::{GAUGES, Gateway};
use burncloud_tests::http1::{Ended, Headers};
use burncloud_tests::raw::{Connection, Request};
use burncloud_tests::upstream::{Behaviour, Upstream};
use rustix::process::Signal;

/// A stream under way: its first frame has arrived.
async fn begin(gateway: &Gateway, upstream: &Upstream) -> (Connection, Headers) {
    upstream.next(Behaviour::Gated);
    let mut connection = Connection::open(gateway.addr()).await.unwrap();
    connection.write(&chat_stream(MODEL).bearer(&secret_of("dev")).encode()).await.unwrap();
    let (status, headers) = connection.head().await.unwrap();
    assert_eq!(status, 200);
    assert!(connection.chunk().await.unwrap().is_some_and(|first| !first.is_empty()));
    (connection, headers)
}

/// Lets the stream run to its end and checks that it is whole.
async fn finish(upstream: &Upstream, (mut connection, headers): (Connection, Headers)) {
    upstream.open_gate(20);
    let rest = connection.rest(&headers).await.unwrap();
    assert_eq!(rest.ended, Ended::Complete);
    let text = String::from_utf8_lossy(&rest.bytes()).into_owned();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[tokio::test]
async fn health_readiness_and_metrics_answer() {
    let (_upstream, gateway) = pair().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(Request::get(path).send(gateway.addr()).await.status, 200, "{path}");
    }
    for gauge in GAUGES {
        assert!(gateway.metric(gauge).await.is_some(), "{gauge} is exposed before any request");
    }
    assert_eq!(gateway.ask("dev", chat(MODEL)).await.status, 200);
    let metrics = gateway.metrics().await;
    assert!(metrics.contains("# TYPE"), "Prometheus text: {metrics}");
    gateway.idle().await;
}

#[tokio::test]
async fn gauges_show_what_is_under_way() {
    let upstream = Upstream::start().await;
    let key = Key::new("dev").line("quota_usd = \"10.00\"");
    let config = Config::new().channel(openai("o", &upstream.url())).key(key);
    let gateway = Gateway::start(config).await;
    let stream = begin(&gateway, &upstream).await;
    assert_eq!(gateway.metric("burncloud_requests_in_flight").await, Some(1.0));
    assert!(gateway.metric("burncloud_reserved_nanodollars").await.is_some_and(|held| held > 0.0));
    finish(&upstream, stream).await;
    gateway.idle().await;
}

async fn reloads(gateway: &mut Gateway, upstream: &Upstream, config: Config, hang_up_signal: bool) {
    let stream = begin(gateway, upstream).await;
    gateway.rewrite(config);
    if hang_up_signal {
        gateway.signal(Signal::HUP);
    }
    eventually("the new key is known", || async { gateway.ask("new", chat("swift")).await.status == 200 })
        .await;
    assert_eq!(upstream.last().model(), MODEL);
    finish(upstream, stream).await;
}

#[tokio::test]
async fn a_change_takes_effect_without_dropping_a_stream() {
    for hang_up_signal in [true, false] {
        let upstream = Upstream::start().await;
        let mut gateway = Gateway::start(config(&upstream)).await;
        assert_eq!(gateway.ask("new", chat(MODEL)).await.status, 401);
        let swift = openai("second", &upstream.url()).line("model_mapping = { swift = \"gpt-4o-mini\" }");
        // A new key's secret is given by value in a file: the environment of a running process does not change.
        let path = gateway.folder().join("new-key");
        std::fs::write(&path, secret_of("new")).unwrap();
        let file = format!("\n[[keys]]\nname = \"new\"\nsecret = {{ file = \"{}\" }}\n", path.display());
        let next = |channel: bool| {
            let base = config(&upstream).section(&file);
            if channel { base.channel(swift.clone().credential_from(&path)) } else { base }
        };
        reloads(&mut gateway, &upstream, next(true), hang_up_signal).await;

        // What was taken away is gone for the next request.
        gateway.rewrite(next(false));
        gateway.signal(Signal::HUP);
        eventually("the channel is gone", || async { gateway.ask("new", chat("swift")).await.status == 404 })
            .await;
        gateway.idle().await;
    }
}

#[tokio::test]
async fn a_broken_file_changes_nothing() {
    let (_upstream, mut gateway) = pair().await;
    let good = gateway.config_path();
    std::fs::write(&good, "[server\nlisten = 7").unwrap();
    gateway.signal(Signal::HUP);
    eventually("the reload is refused aloud", || async { gateway.log().contains("burncloud.toml") }).await;
    assert_eq!(gateway.ask("dev", chat(MODEL)).await.status, 200);
    assert!(gateway.stop().await.success());
}

#[tokio::test]
async fn sigterm_finishes_streams_and_loses_no_receipt() {
    let (upstream, mut gateway) = pair().await;
    assert_eq!(gateway.ask("dev", chat(MODEL)).await.status, 200);
    let stream = begin(&gateway, &upstream).await;
    gateway.signal(Signal::TERM);
    eventually("nobody is let in", || async { Connection::open(gateway.addr()).await.is_err() }).await;
    finish(&upstream, stream).await;
    assert!(gateway.ended().await.success());
    // The command line reads the same data without the server.
    let receipts = gateway.receipts_when(2).await;
    for receipt in &receipts {
        assert_eq!((receipt["end"].as_str(), tokens(receipt)), (Some("finished"), CHAT_TOKENS), "{receipt}");
    }
}

#[tokio::test]
async fn sigterm_waits_only_so_long() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::start(config(&upstream).server("shutdown_grace_ms = 300")).await;
    let _stream = begin(&gateway, &upstream).await;
    assert!(gateway.stop().await.success(), "a stream that never ends does not keep the server");
    let receipt = gateway.receipts_when(1).await.remove(0);
    assert_ne!(receipt["end"], "finished", "{receipt}");
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_in_its_dialect() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(config(&upstream).server("keep_alive_ms = 100")).await;
    for (ask, beat) in [(chat_stream(MODEL), ":"), (message(true), "event: ping\n")] {
        upstream.next(Behaviour::Gated);
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write(&ask.bearer(&secret_of("dev")).encode()).await.unwrap();
        let (_, headers) = connection.head().await.unwrap();
        let mut text = String::new();
        while !text.split("\n\n").skip(1).any(|frame| frame.starts_with(beat.trim_end())) {
            let chunk = connection.chunk().await.unwrap().expect("the stream goes on");
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        upstream.open_gate(20);
        assert_eq!(connection.rest(&headers).await.unwrap().ended, Ended::Complete);
    }
    gateway.idle().await;
}

#[tokio::test]
async fn one_port_speaks_http2_in_clear_too() {
    let (_upstream, gateway) = pair().await;
    let mut connection = Connection::open(gateway.addr()).await.unwrap();
    // The preface, an empty SETTINGS frame; the answer begins with the server's own SETTINGS.
    connection.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await.unwrap();
    let first = connection.bytes(9).await.unwrap();
    assert_eq!(first[3], 4, "a SETTINGS frame: {first:?}");
}

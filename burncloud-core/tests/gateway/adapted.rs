//! Requests that do not pass as they are: translated, transformed, or both.

use crate::support::*;
use crate::{HI, text};
use burncloud_core::{ChannelConfig, End};
use std::sync::{Arc, Mutex};

fn loud(name: &str, base: &str) -> ChannelConfig {
    ChannelConfig { provider: "loud".into(), ..channel(name, base) }
}

#[tokio::test]
async fn a_translated_request_goes_out_in_the_providers_words_and_comes_back_in_the_callers() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let (address, _) = provider(move |mut stream, _| {
        let log = log.clone();
        async move {
            while let Some((head, body)) = read_request(&mut stream).await {
                log.lock().unwrap().push((head, String::from_utf8(body).unwrap()));
                answer(&mut stream, "200 OK", "x-request-id: r1\r\nset-cookie: a=b\r\n", "HELLO").await;
            }
        }
    })
    .await;
    let world = world(vec![loud("a", &address)]).await;
    let response = world.gateway.answer(chat(r#"{"model":"m","seed":1}"#)).await.unwrap();
    assert_eq!(response.headers()["x-burncloud-dropped"], "seed, top_k");
    assert_eq!(response.headers()["x-whisper"], "1");
    assert!(!response.headers().contains_key("set-cookie"));
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(6));
    assert_eq!(text(response).await, "hello.");
    world.at_rest().await;
    assert_eq!(world.billing.settled(), [(End::Finished, 200, 1, true)]);
    let seen = seen.lock().unwrap();
    let (head, body) = &seen[0];
    assert!(
        head.starts_with("POST /shout ") && head.contains("text/loud") && !head.contains("application/json")
    );
    assert!(head.contains("Bearer up-secret"));
    assert_eq!(body, r#"{"MODEL":"M","SEED":1}"#);
}

#[tokio::test]
async fn strict_callers_and_channels_are_refused_rather_than_curtailed() {
    let (address, asked) = always("200 OK", "", "HELLO").await;
    let lossy = r#"{"model":"m","seed":1}"#;
    let by_caller = world(vec![loud("a", &address)]).await;
    let mut request = chat(lossy);
    request.headers_mut().insert("x-burncloud-strict", "true".parse().unwrap());
    let mut channel = loud("a", &address);
    channel.settings.strict = Some(true);
    let by_channel = world(vec![channel]).await;
    for (world, request) in [(by_caller, request), (by_channel, chat(lossy))] {
        let response = world.gateway.answer(request).await.unwrap();
        assert_eq!(response.status(), 400);
        assert!(text(response).await.contains("seed, top_k"));
        assert_eq!(world.gateway.answer(chat(HI)).await.unwrap().status(), 200, "without loss it goes");
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_one_provider_has_no_words_for_another_may_take() {
    let (first, asked) = always("200 OK", "", "HELLO").await;
    let (second, _) = always("200 OK", "", "plain").await;
    let body = r#"{"model":"m","messages":["unspeakable"]}"#;
    let both = world(vec![loud("a", &first), channel("b", &second)]).await;
    assert_eq!(text(both.gateway.answer(chat(body)).await.unwrap()).await, "plain");
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0);
    let alone = world(vec![loud("a", &first)]).await;
    let response = alone.gateway.answer(chat(body)).await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(text(response).await.contains("no words for that"));
    alone.at_rest().await;
    assert_eq!(alone.billing.settled(), [(End::Refused, 400, 0, true)]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_fails_over_and_a_stream_breaks_off_with_an_event() {
    let (garbled, _) = always("200 OK", "", "WHAT?").await;
    let (good, _) = always("200 OK", "", "GOOD").await;
    let both = world(vec![loud("a", &garbled), loud("b", &good)]).await;
    assert_eq!(text(both.gateway.answer(chat(HI)).await.unwrap()).await, "good.");
    let alone = world(vec![loud("a", &garbled)]).await;
    assert_eq!(alone.gateway.answer(chat(HI)).await.unwrap().status(), 502);

    let (stream, _) = always("200 OK", "content-type: text/event-stream\r\n", "data: A?\n\n").await;
    let streaming = world(vec![loud("a", &stream)]).await;
    let events = text(streaming.gateway.answer(chat(HI)).await.unwrap()).await;
    assert!(events.contains("cannot be read") && events.starts_with("data: {\"error\""), "{events}");
    streaming.at_rest().await;
    assert_eq!(streaming.billing.settled(), [(End::UpstreamError, 200, 1, true)]);

    // One that would have gone on is cut: what was reported so far is not all.
    let (endless, _) = provider(|mut stream, _| async move {
        while read_request(&mut stream).await.is_some() {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            let text = format!("{head}a\r\ndata: A?\n\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes()).await.unwrap();
        }
    })
    .await;
    let streaming = world(vec![loud("a", &endless)]).await;
    let events = text(streaming.gateway.answer(chat(HI)).await.unwrap()).await;
    assert!(events.contains("cannot be read"), "{events}");
    streaming.at_rest().await;
    assert_eq!(streaming.billing.settled(), [(End::UpstreamCut, 200, 1, true)]);
}

#[tokio::test]
async fn a_refusal_to_translate_is_no_attempt() {
    let (nobody, asked) = always("200 OK", "", "HELLO").await;
    let (good, _) = always("200 OK", "", "plain").await;
    let mut channels: Vec<_> = (0..6).map(|number| loud(&format!("a{number}"), &nobody)).collect();
    channels.push(channel("b", &good));
    let world = world(channels).await;
    let body = r#"{"model":"m","messages":["unspeakable"]}"#;
    assert_eq!(text(world.gateway.answer(chat(body)).await.unwrap()).await, "plain");
    world.at_rest().await;
    assert_eq!(world.billing.settled(), [(End::Finished, 200, 1, true)]);
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn errors_are_translated_and_statuses_mapped() {
    let (missing, _) = always("404 Not Found", "", "GONE").await;
    let mut channel = loud("a", &missing);
    let plain = world(vec![channel.clone()]).await;
    let response = plain.gateway.answer(chat(HI)).await.unwrap();
    assert_eq!((response.status().as_u16(), text(response).await.as_str()), (404, "gone."));
    channel.settings.status_mapping = [(404, 503)].into();
    let (good, _) = always("200 OK", "", "GOOD").await;
    let mapped = world(vec![channel, loud("b", &good)]).await;
    assert_eq!(text(mapped.gateway.answer(chat(HI)).await.unwrap()).await, "good.", "a 503 fails over");
}

#[tokio::test]
async fn transforms_see_what_the_provider_gets_and_says() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let (address, _) = provider(move |mut stream, _| {
        let log = log.clone();
        async move {
            while let Some((head, body)) = read_request(&mut stream).await {
                log.lock().unwrap().push((head, String::from_utf8(body).unwrap()));
                answer(&mut stream, "200 OK", "", "HELLO").await;
            }
        }
    })
    .await;
    let stamped = |mut channel: ChannelConfig| {
        channel.settings.transforms = Some(" STAMP".into());
        channel
    };
    let passed = world(vec![stamped(channel("a", &address))]).await;
    let response = passed.gateway.answer(chat(r#"{"model":"fast"}"#)).await.unwrap();
    assert_eq!(text(response).await, "HELLO STAMP");
    let translated = world(vec![stamped(loud("a", &address))]).await;
    assert_eq!(text(translated.gateway.answer(chat(HI)).await.unwrap()).await, "hello stamp.");
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].1, "{\"model\":\"m\"} STAMP", "the mapped name is there when a transform sees it");
    assert!(seen[0].0.contains("x-stamp: m") && seen[1].1.ends_with(" STAMP"));
}

//! The whole stack over real sockets: what passes, what fails over, and that the way connections are driven
//! (inside the request that uses them) is safe.

#![allow(
    clippy::unwrap_used,
    reason = "in a test an unwrap is the assertion; clippy exempts only functions marked as tests"
)]

mod adapted;
mod drains;
mod fuses;
mod groups;
mod live;
mod signed;
mod support;
mod vouched;

use burncloud_core::{Body, End};
use bytes::Bytes;
use http_body_util::BodyExt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) const HI: &str = r#"{"model":"m","messages":[]}"#;

pub(crate) async fn text(response: http::Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_body_passes_untouched_and_a_mapped_name_alone_is_changed() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let (address, connections) = provider(move |mut stream, _| {
        let log = log.clone();
        async move {
            while let Some((head, body)) = read_request(&mut stream).await {
                log.lock().unwrap().push((head, String::from_utf8(body).unwrap()));
                answer(&mut stream, "200 OK", "x-request-id: r1\r\n", "{ \"ok\" :1}").await;
            }
        }
    })
    .await;
    let world = world(vec![channel("a", &address)]).await;
    let odd =
        "{\"messages\" : [ {\"role\":\"user\",\"content\":\"\\u00e9 é\"}],\n \"model\":\"m\", \"zz\":1.0}";
    for body in [odd.to_owned(), odd.replace("\"m\"", "\"fast\"")] {
        let response = world.gateway.answer(chat(&body)).await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "r1");
        assert_eq!(text(response).await, "{ \"ok\" :1}");
    }
    world.at_rest().await;
    let seen = seen.lock().unwrap();
    assert_eq!((seen[0].1.as_str(), seen[1].1.as_str()), (odd, odd));
    assert!(seen[0].0.contains("authorization: Bearer up-secret") && !seen[0].0.contains("sk-1"));
    assert_eq!(connections.load(SeqCst), 1, "the connection was used again");
    assert_eq!(world.billing.settled(), [(End::Finished, 200, 1, true); 2]);
}

#[tokio::test]
async fn fails_over_until_somebody_answers() {
    let (busy, _) = always("429 Too Many Requests", "retry-after: 7\r\n", "busy").await;
    let (locked, _) = always("401 Unauthorized", "", "bad key up-secret").await;
    let (good, _) = always("200 OK", "", "good").await;
    let refused = "http://127.0.0.1:9";
    let all = [refused, &busy, &locked, &good];
    let channels =
        |bases: &[&str]| bases.iter().enumerate().map(|(i, b)| channel(&format!("c{i}"), b)).collect();

    let first = world(channels(&all)).await;
    assert_eq!(text(first.gateway.answer(chat(HI)).await.unwrap()).await, "good");
    first.at_rest().await;
    assert_eq!(first.billing.settled(), [(End::Finished, 200, 4, true)]);

    let last_429 = world(channels(&[&busy, refused])).await;
    let response = last_429.gateway.answer(chat(HI)).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(text(response).await, "busy");

    let credential = world(channels(&[&locked])).await;
    let response = credential.gateway.answer(chat(HI)).await.unwrap();
    assert_eq!(response.status(), 502);
    assert!(!text(response).await.contains("up-secret"));
    credential.at_rest().await;
    assert_eq!(credential.billing.settled(), [(End::UpstreamFailed, 502, 1, true)]);
}

#[tokio::test]
async fn the_callers_own_fault_is_not_retried() {
    let (bad, count) = always("400 Bad Request", "", "{\"error\":\"yours\"}").await;
    let (good, _) = always("200 OK", "", "good").await;
    let world = world(vec![channel("a", &bad), channel("b", &good)]).await;
    let response = world.gateway.answer(chat(HI)).await.unwrap();
    assert_eq!((response.status().as_u16(), text(response).await.as_str()), (400, "{\"error\":\"yours\"}"));
    assert_eq!(count.load(SeqCst), 1);
}

#[tokio::test]
async fn refusals_leave_receipts_in_the_dialects_shape() {
    let world = world(vec![channel("a", "http://127.0.0.1:9")]).await;
    for (body, status, code) in [
        (r#"{"model":"nobody"}"#, 404, "model_not_found"),
        (r#"{"model":"m","model":"m"}"#, 400, "duplicate_field"),
        (r#"{"#, 400, "invalid_json"),
    ] {
        let response = world.gateway.answer(chat(body)).await.unwrap();
        assert_eq!(response.status(), status);
        let json: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(json["error"]["code"], code);
    }
    let mut stranger = chat(HI);
    stranger.headers_mut().insert("authorization", "Bearer sk-2".parse().unwrap());
    assert_eq!(world.gateway.answer(stranger).await.unwrap().status(), 401);
    world.at_rest().await;
    let settled: Vec<_> = world.billing.settled().iter().map(|s| (s.0, s.1)).collect();
    assert_eq!(settled, [(End::Refused, 404), (End::Refused, 400), (End::Refused, 400)]);
}

#[tokio::test]
async fn a_half_read_connection_is_never_used_again_and_the_provider_sees_the_caller_go() {
    let gone = Arc::new(AtomicUsize::new(0));
    let noticed = gone.clone();
    let (address, connections) = provider(move |mut stream, number| {
        let gone = noticed.clone();
        async move {
            while read_request(&mut stream).await.is_some() {
                if number > 0 {
                    answer(&mut stream, "200 OK", "", "whole").await;
                    continue;
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
                let mut rest = [0; 8];
                if matches!(stream.read(&mut rest).await, Ok(0) | Err(_)) {
                    gone.fetch_add(1, SeqCst);
                    return;
                }
            }
        }
    })
    .await;
    let world = world(vec![channel("a", &address)]).await;
    let mut response = world.gateway.answer(chat(HI)).await.unwrap();
    let first = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "half");
    drop(response);
    world.at_rest().await;
    assert_eq!(text(world.gateway.answer(chat(HI)).await.unwrap()).await, "whole");
    for _ in 0..100 {
        if gone.load(SeqCst) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((gone.load(SeqCst), connections.load(SeqCst)), (1, 2));
    world.at_rest().await;
    assert_eq!(world.billing.settled(), [(End::CallerGone, 200, 1, true), (End::Finished, 200, 1, true)]);
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_head_is_settled_and_its_connection_closed() {
    let (closed, mut is_closed) = tokio::sync::mpsc::unbounded_channel();
    let (address, _) = provider(move |mut stream, _| {
        let closed = closed.clone();
        async move {
            let _ = read_request(&mut stream).await;
            let _ = closed.send("asked");
            let _ = stream.read(&mut [0; 8]).await;
            let _ = closed.send("closed");
        }
    })
    .await;
    let world = world(vec![channel("a", &address)]).await;
    let mut call = tokio::spawn(world.gateway.answer(chat(HI)));
    assert_eq!(is_closed.recv().await, Some("asked"));
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut call).await.is_err());
    call.abort();
    assert_eq!(is_closed.recv().await, Some("closed"));
    world.at_rest().await;
    assert_eq!(world.billing.settled(), [(End::CallerGone, 499, 1, true)]);
}

#[tokio::test]
async fn a_connection_that_the_provider_closed_while_idle_is_replaced() {
    let (address, connections) = provider(|mut stream, _| async move {
        let _ = read_request(&mut stream).await;
        answer(&mut stream, "200 OK", "", "once").await;
    })
    .await;
    let world = world(vec![channel("a", &address)]).await;
    for _ in 0..5 {
        assert_eq!(text(world.gateway.answer(chat(HI)).await.unwrap()).await, "once");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(connections.load(SeqCst), 5);
}

#[tokio::test]
async fn a_slow_caller_slows_the_provider_down() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let (address, _) = provider(move |mut stream, _| {
        let sent = counted.clone();
        async move {
            let _ = read_request(&mut stream).await;
            let total = 256 << 20;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {total}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let chunk = vec![b'x'; 64 << 10];
            while sent.load(SeqCst) < total {
                if stream.write_all(&chunk).await.is_err() {
                    return;
                }
                sent.fetch_add(chunk.len(), SeqCst);
            }
        }
    })
    .await;
    let world = world(vec![channel("a", &address)]).await;
    let mut response = world.gateway.answer(chat(HI)).await.unwrap();
    let first = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.len() <= 2 * burncloud_core::transport::JOIN_LIMIT + 512 * 1024, "{}", first.len());
    // Until nothing moves any more: what was sent then lies in the sockets' buffers.
    let mut before = usize::MAX;
    while before != sent.load(SeqCst) {
        before = sent.load(SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(before < 32 << 20, "{before} bytes were taken for a caller who reads nothing");
    drop(response);
    world.at_rest().await;
}

#[tokio::test]
async fn a_cut_stream_ends_in_an_error_event_and_a_cut_answer_in_an_error() {
    let (address, _) = provider(|mut stream, number| async move {
        let _ = read_request(&mut stream).await;
        let kind = if number == 0 { "text/event-stream" } else { "application/json" };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(b"a\r\ndata: {}\n\n\r\n").await;
    })
    .await;
    let world = world(vec![channel("a", &address)]).await;
    let streamed = text(world.gateway.answer(chat(HI)).await.unwrap()).await;
    assert!(streamed.starts_with("data: {}\n\ndata: {\"error\""), "{streamed}");
    let whole = world.gateway.answer(chat(HI)).await.unwrap().into_body().collect().await;
    assert!(whole.is_err());
    world.at_rest().await;
    assert_eq!(world.billing.settled(), [(End::UpstreamCut, 200, 1, true); 2]);
}

#[tokio::test]
async fn a_head_without_a_body_is_no_answer_yet() {
    let (resets, _) = provider(|mut stream, _| async move {
        let _ = read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
    })
    .await;
    let (good, _) = always("200 OK", "", "good").await;
    let alone = world(vec![channel("a", &resets)]).await;
    assert_eq!(alone.gateway.answer(chat(HI)).await.unwrap().status(), 502);
    let world = world(vec![channel("a", &resets), channel("b", &good)]).await;
    assert_eq!(text(world.gateway.answer(chat(HI)).await.unwrap()).await, "good");
    world.at_rest().await;
    assert_eq!(world.billing.settled(), [(End::Finished, 200, 2, true)]);
}

#[tokio::test]
async fn silence_is_bounded_before_and_after_the_head() {
    let (address, _) = provider(|mut stream, number| async move {
        let _ = read_request(&mut stream).await;
        if number == 1 {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").await;
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let mut silent = channel("a", &address);
    silent.settings.timeouts.first_byte_ms = Some(50);
    silent.settings.timeouts.idle_ms = Some(50);
    let world = world(vec![silent]).await;
    assert_eq!(world.gateway.answer(chat(HI)).await.unwrap().status(), 504);
    let stalled = world.gateway.answer(chat(HI)).await.unwrap();
    assert!(stalled.into_body().collect().await.is_err());
    world.at_rest().await;
    let ends: Vec<End> = world.billing.settled().iter().map(|s| s.0).collect();
    assert_eq!(ends, [End::TimedOut, End::TimedOut]);
}

#[tokio::test]
async fn the_usage_chunk_that_nobody_asked_for_is_withheld() {
    const STREAM: &str = "data: {\"choices\":[{}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\ndata: [DONE]\n\n";
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let (address, _) = provider(move |mut stream, _| {
        let log = log.clone();
        async move {
            while let Some((_, body)) = read_request(&mut stream).await {
                log.lock().unwrap().push(String::from_utf8(body).unwrap());
                answer(&mut stream, "200 OK", "content-type: text/event-stream\r\n", STREAM).await;
            }
        }
    })
    .await;
    let world = world(vec![channel("a", &address)]).await;
    let quiet = text(world.gateway.answer(chat(r#"{"model":"m","stream":true}"#)).await.unwrap()).await;
    assert_eq!(quiet, "data: {\"choices\":[{}],\"usage\":null}\n\ndata: [DONE]\n\n");
    let wants = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
    assert_eq!(text(world.gateway.answer(chat(wants)).await.unwrap()).await, STREAM);
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#);
    assert_eq!(asked[1], wants);
}

#[tokio::test]
async fn many_callers_share_few_connections_and_nothing_leaks() {
    let (address, connections) = always("200 OK", "", "good").await;
    let world = world(vec![channel("a", &address)]).await;
    for _ in 0..10 {
        let calls = (0..20).map(|i| {
            let gateway = world.gateway.clone();
            tokio::spawn(async move {
                let mut call = Box::pin(gateway.answer(chat(HI)));
                if i % 5 == 0 {
                    // Leaves at some moment.
                    let _ = tokio::time::timeout(Duration::from_micros(50 * i), &mut call).await;
                    return;
                }
                let body = call.await.unwrap().into_body().collect().await.unwrap().to_bytes();
                assert_eq!(body, Bytes::from("good"));
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
    }
    world.at_rest().await;
    assert_eq!(world.billing.settled().len(), 200);
    assert!(connections.load(SeqCst) <= 100, "{connections:?}");
}

//! Each way in which a provider or a caller can fail, over a real socket: the documented status, one receipt, and
//! nothing left behind.

use crate::common::*;
use burncloud_tests::config::{Channel, Config, Key, secret_of};
use burncloud_tests::eventually;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::http1::{Ended, sse_frames};
use burncloud_tests::raw::{Connection, Request, Response};
use burncloud_tests::upstream::{Behaviour, Upstream, closed_port};
use serde_json::Value;
use std::time::Duration;

/// The three dialects, whole or streamed.
fn asks(stream: bool) -> [Request; 3] {
    if stream {
        [chat_stream(MODEL), message(true), generate(true)]
    } else {
        [chat(MODEL), message(false), generate(false)]
    }
}

fn impatient(url: &str) -> Config {
    Config::new()
        .channel(openai("o", url).line(IMPATIENT))
        .channel(Channel::new("a", "anthropic", url).models([CLAUDE]).line(IMPATIENT))
        .channel(Channel::new("g", "gemini", url).models([GEMINI]).line(IMPATIENT))
        .key(Key::new("dev"))
}

/// Runs `behaviour` once in each dialect; gives back each answer with its one receipt.
async fn each(behaviour: Behaviour, stream: bool) -> Vec<(Request, Response, Value)> {
    let upstream = Upstream::start().await;
    upstream.always(behaviour);
    let gateway = Gateway::start(impatient(&upstream.url())).await;
    let mut all = Vec::new();
    for ask in asks(stream) {
        let answer = gateway.ask("dev", ask.clone()).await;
        let receipt = gateway.receipt_of(&answer.trace_id()).await;
        assert_eq!(receipt["status"], answer.status, "{receipt}");
        all.push((ask, answer, receipt));
    }
    gateway.idle().await;
    gateway.receipts_when(3).await;
    all
}

/// The error event with which a broken stream must end, in its dialect.
fn ends_in_error(answer: &Response) {
    let text = answer.text();
    let frames = sse_frames(&answer.bytes());
    let last =
        frames.iter().rev().map(|frame| String::from_utf8_lossy(frame)).find(|frame| frame.contains("data:"));
    let last = last.unwrap_or_else(|| panic!("no event in {text:?}"));
    let data = last.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or_default().trim();
    let data: Value = serde_json::from_str(data).unwrap_or_else(|_| panic!("no error event ends {text:?}"));
    assert!(data["error"]["message"].is_string(), "no error event ends {text:?}");
}

#[tokio::test]
async fn a_provider_that_refuses_is_502() {
    let gateway = Gateway::start(impatient(&format!("http://{}", closed_port()))).await;
    for ask in asks(false).into_iter().chain(asks(true)) {
        let answer = gateway.ask("dev", ask).await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        let receipt = gateway.receipt_of(&answer.trace_id()).await;
        assert_eq!(receipt["end"], "upstream_failed");
        assert_eq!((charge(&receipt), receipt["usage_source"].as_str()), (0, Some("none")));
    }
    gateway.idle().await;
    gateway.receipts_when(6).await;
}

#[tokio::test]
async fn a_reset_before_the_head_is_502() {
    for stream in [false, true] {
        for (ask, answer, receipt) in each(Behaviour::ResetBeforeHeaders, stream).await {
            assert_eq!(answer.status, 502, "{}: {}", ask.target, answer.text());
            assert_eq!((receipt["end"].as_str(), charge(&receipt)), (Some("upstream_failed"), 0));
            assert!(!receipt["attempts"].as_array().unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn a_reset_after_the_head_is_never_silent() {
    for (ask, answer, receipt) in each(Behaviour::ResetAfterHeaders, true).await {
        if answer.status == 200 {
            ends_in_error(&answer);
        } else {
            assert_eq!(answer.status, 502, "{}: {}", ask.target, answer.text());
        }
        assert!(["upstream_cut", "upstream_failed"].contains(&receipt["end"].as_str().unwrap()), "{receipt}");
    }
}

#[tokio::test]
async fn a_whole_answer_reset_after_the_head_is_502() {
    for (ask, answer, receipt) in each(Behaviour::ResetAfterHeaders, false).await {
        assert_eq!(answer.status, 502, "{}: {answer:?}", ask.target);
        assert_eq!(charge(&receipt), 0, "{receipt}");
    }
}

#[tokio::test]
async fn silence_before_the_first_byte_is_504() {
    for stream in [false, true] {
        for (ask, answer, receipt) in each(Behaviour::Hang, stream).await {
            assert_eq!(answer.status, 504, "{}: {}", ask.target, answer.text());
            assert_eq!((receipt["end"].as_str(), charge(&receipt)), (Some("timed_out"), 0));
        }
    }
}

#[tokio::test]
async fn a_stream_that_stalls_ends_in_an_error_event() {
    for (ask, answer, receipt) in each(Behaviour::Stall(3), true).await {
        assert_eq!(answer.status, 200, "{}", ask.target);
        ends_in_error(&answer);
        assert_eq!(receipt["end"], "timed_out", "{receipt}");
        assert!(charge(&receipt) > 0, "what was delivered is paid: {receipt}");
    }
}

async fn cut_short(behaviour: Behaviour) {
    for (ask, answer, receipt) in each(behaviour, true).await {
        assert_eq!(answer.status, 200, "{}", ask.target);
        ends_in_error(&answer);
        assert_eq!(receipt["end"], "upstream_cut", "{receipt}");
        assert!(charge(&receipt) > 0, "what was delivered is paid: {receipt}");
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_in_an_error_event() {
    cut_short(Behaviour::Cut(3)).await;
}

#[tokio::test]
async fn a_stream_without_its_closing_event_ends_in_an_error_event() {
    cut_short(Behaviour::EndEarly(3)).await;
}

#[tokio::test]
async fn a_whole_answer_that_is_cut_is_never_complete() {
    for (behaviour, end) in [(Behaviour::Cut(0), "upstream_cut"), (Behaviour::Stall(0), "timed_out")] {
        let upstream = Upstream::start().await;
        upstream.always(behaviour.clone());
        let gateway = Gateway::start(impatient(&upstream.url())).await;
        for ask in asks(false) {
            // Without a head, or with less than it announced, or refused: whichever, the caller can tell.
            if let Ok(answer) = ask.clone().bearer(&secret_of("dev")).try_send(gateway.addr()).await {
                let short = answer.status >= 500 || answer.body.ended != Ended::Complete;
                assert!(short, "{behaviour:?} {}: {answer:?}", ask.target);
            }
        }
        gateway.idle().await;
        for receipt in gateway.receipts_when(3).await {
            assert_eq!(receipt["end"], end, "{behaviour:?}: {receipt}");
        }
    }
}

#[tokio::test]
async fn without_usage_an_estimate_is_billed_and_flagged() {
    for stream in [false, true] {
        for (ask, answer, receipt) in each(Behaviour::NoUsage, stream).await {
            assert_eq!((answer.status, answer.body.ended), (200, Ended::Complete), "{}", ask.target);
            assert_eq!(
                (receipt["end"].as_str(), receipt["usage_source"].as_str()),
                (Some("finished"), Some("estimated"))
            );
            let [input, .., output, _] = tokens(&receipt);
            assert!(input > 0 && output > 0 && charge(&receipt) > 0, "{receipt}");
        }
    }
}

#[tokio::test]
async fn a_providers_429_500_and_529_reach_the_caller_as_given() {
    let after = vec![("retry-after".to_owned(), "7".to_owned())];
    for (status, headers) in [(429, after), (500, Vec::new()), (529, Vec::new())] {
        let direct = Upstream::start().await;
        direct.always(Behaviour::Status(status, headers.clone()));
        for (ask, answer, receipt) in each(Behaviour::Status(status, headers.clone()), false).await {
            let want = ask.send(direct.addr()).await;
            assert_eq!((answer.status, answer.text()), (status, want.text()), "{}", ask.target);
            assert_eq!(answer.headers.get("retry-after"), want.headers.get("retry-after"));
            assert_eq!(charge(&receipt), 0, "{receipt}");
        }
    }
}

#[tokio::test]
async fn html_and_garbage_pass_as_they_are() {
    let direct = Upstream::start().await;
    for behaviour in [Behaviour::Html(503), Behaviour::Html(200), Behaviour::Garbage] {
        direct.always(behaviour.clone());
        for (ask, answer, receipt) in each(behaviour.clone(), false).await {
            let want = ask.send(direct.addr()).await;
            assert_eq!(
                (answer.status, answer.bytes()),
                (want.status, want.bytes()),
                "{behaviour:?} {}",
                ask.target
            );
            assert_ne!(receipt["usage_source"], "reported", "{receipt}");
        }
    }
    for (ask, answer, _) in each(Behaviour::Html(503), true).await {
        assert_eq!(answer.status, 503, "{}: {}", ask.target, answer.text());
    }
}

#[tokio::test]
async fn a_chunk_of_10_mb_without_an_event_passes_with_memory_bounded() {
    let upstream = Upstream::start().await;
    let size = 10 * 1024 * 1024;
    let gateway = Gateway::start(impatient(&upstream.url())).await;
    // The first estimate loads a tokenizer, which stays.
    upstream.next(Behaviour::NoUsage);
    gateway.ask("dev", chat(MODEL)).await;
    gateway.receipts_when(1).await;
    upstream.always(Behaviour::BigChunk(size));
    let before = gateway.peak_memory();
    for ask in asks(true).into_iter().chain(asks(false)) {
        let answer = gateway.ask("dev", ask.clone()).await;
        assert_eq!(answer.status, 200, "{}", ask.target);
        let bytes = answer.bytes();
        assert!(bytes.len() >= size && bytes[..size].iter().all(|byte| *byte == b'x'), "{}", ask.target);
        let receipt = gateway.receipt_of(&answer.trace_id()).await;
        assert_ne!(receipt["usage_source"], "reported", "{receipt}");
    }
    if let (Some(before), Some(after)) = (before, gateway.peak_memory()) {
        let grown = after - before;
        assert!(grown < 2 * 10 * 1024 * 1024, "a 10 MB chunk cost {grown} bytes");
    }
    gateway.idle().await;
    gateway.receipts_when(7).await;
}

#[tokio::test]
async fn a_fault_of_the_channels_credential_is_502_without_a_word_of_it() {
    for status in [401, 402, 403] {
        for (ask, answer, receipt) in each(Behaviour::Status(status, Vec::new()), false).await {
            assert_eq!(answer.status, 502, "{status} {}: {}", ask.target, answer.text());
            assert!(!answer.text().contains("made-up failure"), "the provider's words: {}", answer.text());
            assert!(!answer.text().contains("credential-of"), "{}", answer.text());
            assert_eq!(receipt["attempts"][0]["status"], status, "{receipt}");
        }
    }
}

#[tokio::test]
async fn what_may_be_retried_goes_to_the_next_channel() {
    let faults = [
        Behaviour::ResetBeforeHeaders,
        Behaviour::Hang,
        Behaviour::Status(408, Vec::new()),
        Behaviour::Status(429, vec![("retry-after".into(), "30".into())]),
        Behaviour::Status(500, Vec::new()),
        Behaviour::Status(529, Vec::new()),
        Behaviour::Html(502),
        Behaviour::Status(401, Vec::new()),
        Behaviour::Status(403, Vec::new()),
    ];
    for fault in faults {
        let (bad, good) = (Upstream::start().await, Upstream::start().await);
        bad.always(fault.clone());
        let gateway = Gateway::start(
            Config::new()
                .channel(openai("first", &bad.url()).line("priority = 1").line(IMPATIENT))
                .channel(openai("second", &good.url()).line(IMPATIENT))
                .key(Key::new("dev")),
        )
        .await;
        let answer = gateway.ask("dev", chat_stream(MODEL)).await;
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
        let receipt = gateway.receipt_of(&answer.trace_id()).await;
        assert!(bad.served() > 0 && good.served() == 1, "{fault:?}");
        let attempts = receipt["attempts"].as_array().unwrap();
        assert!(attempts.len() >= 2, "{fault:?}: {receipt}");
        assert_eq!(tokens(&receipt), CHAT_TOKENS);
        gateway.idle().await;
    }
}

#[tokio::test]
async fn the_callers_own_faults_are_never_retried() {
    for status in [400, 404, 413, 422] {
        let (bad, good) = (Upstream::start().await, Upstream::start().await);
        bad.always(Behaviour::Status(status, Vec::new()));
        let gateway = Gateway::start(
            Config::new()
                .channel(openai("first", &bad.url()).line("priority = 1"))
                .channel(openai("second", &good.url()))
                .key(Key::new("dev")),
        )
        .await;
        let direct = chat(MODEL).send(bad.addr()).await;
        let answer = gateway.ask("dev", chat(MODEL)).await;
        assert_eq!((answer.status, answer.text()), (status, direct.text()));
        assert_eq!((bad.served(), good.served()), (2, 0), "one of them was ours");
        let receipt = gateway.receipt_of(&answer.trace_id()).await;
        assert_eq!(charge(&receipt), 0, "{receipt}");
        gateway.idle().await;
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_before_the_first_byte_frees_everything() {
    let (upstream, gateway) = pair().await;
    upstream.always(Behaviour::Hang);
    for ask in asks(false).into_iter().chain(asks(true)) {
        let (before, gone) = (upstream.served(), upstream.abandoned());
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write(&ask.bearer(&secret_of("dev")).encode()).await.unwrap();
        eventually("the provider is asked", || async { upstream.served() > before }).await;
        connection.hang_up();
        eventually("the upstream request is cancelled", || async { upstream.abandoned() > gone }).await;
    }
    gateway.idle().await;
    for receipt in gateway.receipts_when(6).await {
        assert_eq!(receipt["end"], "caller_gone", "{receipt}");
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_in_the_middle_of_a_stream_frees_everything() {
    let (upstream, gateway) = pair().await;
    upstream.always(Behaviour::Stall(3));
    for ask in asks(true) {
        let gone = upstream.abandoned();
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write(&ask.bearer(&secret_of("dev")).encode()).await.unwrap();
        assert_eq!(connection.head().await.unwrap().0, 200);
        assert!(connection.chunk().await.unwrap().is_some_and(|chunk| !chunk.is_empty()));
        connection.hang_up();
        eventually("the upstream request is cancelled", || async { upstream.abandoned() > gone }).await;
    }
    gateway.idle().await;
    for receipt in gateway.receipts_when(3).await {
        assert_eq!(receipt["end"], "caller_gone", "{receipt}");
        assert!(charge(&receipt) > 0, "what was delivered is paid: {receipt}");
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_sending_reaches_nobody() {
    let (upstream, gateway) = pair().await;
    let wire = chat(MODEL).bearer(&secret_of("dev")).encode();
    for sent in [20, wire.len() - 40, wire.len() - 1] {
        let mut connection = Connection::open(gateway.addr()).await.unwrap();
        connection.write(&wire[..sent]).await.unwrap();
        connection.hang_up();
    }
    gateway.idle().await;
    assert_eq!(gateway.ask("dev", chat(MODEL)).await.status, 200, "and the gateway goes on");
    assert_eq!(upstream.served(), 1);
}

#[tokio::test]
async fn a_caller_who_sends_slowly_is_served() {
    let (upstream, gateway) = pair().await;
    let mut connection = Connection::open(gateway.addr()).await.unwrap();
    let wire = chat(MODEL).bearer(&secret_of("dev")).encode();
    connection.write_slowly(&wire, 16, Duration::from_millis(5)).await.unwrap();
    assert_eq!(connection.response().await.unwrap().status, 200);
    assert_eq!(upstream.served(), 1);
    gateway.idle().await;
    gateway.receipts_when(1).await;
}

#[tokio::test]
async fn a_caller_who_pipelines_is_answered_in_order() {
    let (upstream, gateway) = pair().await;
    let key = secret_of("dev");
    let wires = [
        chat(MODEL).bearer(&key).encode(),
        chat("gpt-none").bearer(&key).encode(),
        chat_stream(MODEL).bearer(&key).encode(),
    ];
    let mut connection = Connection::open(gateway.addr()).await.unwrap();
    connection.write(&wires.concat()).await.unwrap();
    let mut ids = Vec::new();
    for want in [200, 404, 200] {
        let answer = connection.response().await.unwrap();
        assert_eq!(answer.status, want, "{}", answer.text());
        ids.push(answer.trace_id());
    }
    assert_eq!(upstream.served(), 2);
    gateway.idle().await;
    for id in [&ids[0], &ids[2]] {
        assert_eq!(tokens(&gateway.receipt_of(id).await), CHAT_TOKENS);
    }
}

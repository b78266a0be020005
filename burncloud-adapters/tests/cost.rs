//! What reading costs. Run with `cargo test --release -p burncloud-adapters --test cost -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use burncloud_adapters::testing::endpoint;
use burncloud_core::adapter::{Adapter, AnswerHead};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::hint::black_box;
use std::time::Instant;

const EVENTS: usize = 64;

fn chat() -> Vec<String> {
    let head = r#"{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1754000000,"model":"m-1","service_tier":"default","system_fingerprint":"fp_0123456789""#;
    let mut events: Vec<String> = (0..EVENTS - 3)
        .map(|i| format!(r#"data: {head},"choices":[{{"index":0,"delta":{{"content":" word{i}"}},"logprobs":null,"finish_reason":null}}],"usage":null}}"#))
        .collect();
    events.push(format!(r#"data: {head},"choices":[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"stop"}}],"usage":null}}"#));
    events.push(format!(r#"data: {head},"choices":[],"usage":{{"prompt_tokens":21,"completion_tokens":62,"total_tokens":83,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}}}"#));
    events.push("data: [DONE]".into());
    events
}

fn messages() -> Vec<String> {
    let mut events = vec![r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"c-1","content":[],"stop_reason":null,"usage":{"input_tokens":21,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}}}"#.to_owned()];
    events.extend((0..EVENTS - 3).map(|i| format!("event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\" word{i}\"}}   }}")));
    events.push("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":62}}".into());
    events.push("event: message_stop\ndata: {\"type\":\"message_stop\"}".into());
    events
}

fn content() -> Vec<String> {
    let mut events: Vec<String> = (0..EVENTS).map(|i| format!(r#"data: {{"candidates": [{{"content": {{"parts": [{{"text": " word{i}"}}],"role": "model"}},"index": 0}}],"usageMetadata": {{"promptTokenCount": 21,"candidatesTokenCount": {i},"totalTokenCount": {},"promptTokensDetails": [{{"modality": "TEXT","tokenCount": 21}}]}},"modelVersion": "g-1","responseId": "0123456789"}}"#, 21 + i)).collect();
    events[EVENTS - 1] = events[EVENTS - 1].replace(r#""index": 0"#, r#""finishReason": "STOP","index": 0"#);
    events
}

fn whole(words: usize) -> Bytes {
    let text = "A \\\"quoted\\\" word and\\n a line. ".repeat(words);
    format!(r#"{{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1754000000,"model":"m-1","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":21,"completion_tokens":62,"total_tokens":83,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_0123456789"}}"#).into()
}

fn embedding() -> Bytes {
    let floats = "-0.006929283,0.005336422,".repeat(40_000);
    format!(r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[{floats}0.1]}}],"usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#).into()
}

fn measure(what: &str, adapter: &dyn Adapter, path: &str, streamed: bool, pieces: &[Bytes]) {
    if std::env::var("COST").is_ok_and(|only| !what.contains(&only)) {
        return;
    }
    let endpoint = endpoint(path);
    let headers = HeaderMap::new();
    let head = AnswerHead { status: StatusCode::OK, headers: &headers, streamed };
    let once = || {
        let mut reader = adapter.usage_reader(&endpoint, &head);
        pieces.iter().for_each(|piece| reader.data(black_box(piece)));
        black_box(reader.finish())
    };
    assert!(once().usage.is_some(), "{what}");
    let bytes: usize = pieces.iter().map(Bytes::len).sum();
    let rounds = (4_000_000 / (bytes + 2000)).max(2);
    let best = (0..300).map(|_| {
        let start = Instant::now();
        for _ in 0..rounds {
            once();
        }
        start.elapsed().as_nanos() as usize / rounds
    });
    let best = best.min().unwrap();
    println!("{what:32} {bytes:>8} bytes {best:>8} ns");
}

#[test]
#[ignore = "a measurement"]
fn what_reading_costs() {
    let registry = burncloud_adapters::registry();
    let adapter = |name| registry.get(name).unwrap().as_ref();
    for (what, name, path, events, newline) in [
        ("chat stream", "openai", "/v1/chat/completions", chat(), "\n\n"),
        ("messages stream", "anthropic", "/v1/messages", messages(), "\n\n"),
        ("content stream", "gemini", "/v1beta/models/m:streamGenerateContent", content(), "\r\n\r\n"),
    ] {
        let frames: Vec<Bytes> = events.iter().map(|e| format!("{e}{newline}").into()).collect();
        measure(&format!("{what}, joined"), adapter(name), path, true, &[frames.concat().into()]);
        measure(&format!("{what}, {EVENTS} frames"), adapter(name), path, true, &frames);
    }
    for words in [20, 200, 3000] {
        let body = whole(words);
        measure("chat, whole", adapter("openai"), "/v1/chat/completions", false, &[body]);
    }
    measure("embeddings, whole", adapter("openai"), "/v1/embeddings", false, &[embedding()]);
}

//! What translation costs by itself: an Anthropic caller's request made OpenAI's, and the answer made Anthropic's.

use burncloud_adapters::registry;
use burncloud_core::adapter::{AdaptAsk, Adapted, Adapter};
use burncloud_core::{Dialect, Endpoint, Operation};
use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, Response};
use std::hint::black_box;
use std::sync::Arc;

const WHOLE: &str = r#"{"id":"chatcmpl-bench0000000000000000000000","object":"chat.completion","created":1760000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"A proxy that adds nothing still reads, copies and writes every byte once.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":211,"completion_tokens":17,"total_tokens":228,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"service_tier":"default","system_fingerprint":"fp_bench"}"#;

/// A conversation of about so many bytes.
fn body(bytes: usize) -> Bytes {
    let text =
        "Write a function that splits a line at \\\"commas\\\", but not inside quotes. ".repeat(bytes / 75);
    Bytes::from(format!(
        r#"{{"model":"fast","temperature":0.7,"max_tokens":256,"system":"You are a terse engineer.","messages":[{{"role":"user","content":"{text}"}}]}}"#
    ))
}

fn stream() -> Vec<u8> {
    let head = r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_bench","choices":["#;
    let mut text = String::new();
    for _ in 0..64 {
        text.push_str(head);
        text.push_str(
            r#"{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        );
        text.push_str("\n\n");
    }
    text.push_str(head);
    text.push_str("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    text.into_bytes()
}

fn adapt(adapter: &Arc<dyn Adapter>, body: &Bytes, streamed: bool) -> Adapted {
    let endpoint =
        Endpoint { dialect: Dialect::Anthropic, operation: Operation::Messages, ..Endpoint::default() };
    let headers = HeaderMap::new();
    let ask = AdaptAsk {
        endpoint: &endpoint,
        path: "/v1/messages",
        query: None,
        headers: &headers,
        body,
        upstream_model: "gpt-4o-mini",
        model: "fast",
        streamed,
        include_usage: true,
    };
    adapter.adapt(&ask).expect("it can be translated")
}

fn answer(adapted: Adapted, kind: &str, body: &[u8]) -> BytesMut {
    let mut rewrite = adapted.answer.expect("answers are turned back");
    let (mut head, ()) =
        Response::builder().header("content-type", kind).body(()).expect("a head").into_parts();
    let mut out = BytesMut::new();
    rewrite.head(&mut head);
    rewrite.data(body, &mut out).expect("it can be read");
    rewrite.finish(&mut out).expect("it is complete");
    out
}

fn translate(c: &mut Criterion) {
    let registry = registry();
    let adapter = registry.get("openai").expect("it is built in");
    let mut group = c.benchmark_group("translate");
    for bytes in [1024, 100 * 1024] {
        let body = body(bytes);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(format!("request, {} KB", bytes / 1024), |b| {
            b.iter(|| adapt(adapter, black_box(&body), false))
        });
    }
    let body = body(1024);
    group.throughput(Throughput::Elements(1));
    group.bench_function("whole answer", |b| {
        b.iter_batched(
            || adapt(adapter, &body, false),
            |adapted| answer(adapted, "application/json", WHOLE.as_bytes()),
            BatchSize::SmallInput,
        );
    });
    let stream = stream();
    group.throughput(Throughput::Elements(64));
    group.bench_function("stream of 64 chunks", |b| {
        b.iter_batched(
            || adapt(adapter, &body, true),
            |adapted| answer(adapted, "text/event-stream", &stream),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, translate);
criterion_main!(benches);

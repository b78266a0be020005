//! What parts of the hot path cost by themselves: `cargo bench -p burncloud-benches`.

use std::hint::black_box;

use burncloud_core::envelope::{Edit, Envelope, json_string, splice};
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A chat request with `content`, escaped as JSON wants it, as its one message.
fn request(content: &str) -> Bytes {
    let head = r#"{"model":"fast","stream":true,"messages":[{"role":"user","content":"#;
    format!(r#"{head}"{content}"}}],"max_tokens":256}}"#).into()
}

/// Bodies of the lengths that matter, by name.
fn bodies() -> [(&'static str, Bytes); 3] {
    let prose = "The quick brown fox jumps over the lazy dog, and the dog does not mind. ";
    // Source code as callers send it: an escape every few bytes.
    let quotes = r#"let \"a\" = [\"b\", \"c\\d\"];\n"#;
    let image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q";
    let fill = |text: &str, bytes: usize| request(&text.repeat(bytes / text.len()));
    [
        ("1 KB prose", fill(prose, 1024)),
        ("100 KB quotes", fill(quotes, 100 * 1024)),
        ("5 MB base64", fill(image, 5 * 1024 * 1024)),
    ]
}

fn scan(c: &mut Criterion) {
    let mut group = c.benchmark_group("scan");
    for (name, body) in bodies() {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &body, |b, body| {
            b.iter(|| Envelope::scan(black_box(body)).expect("the body is a request"));
        });
    }
    group.finish();
}

fn splice_model(c: &mut Criterion) {
    let mut group = c.benchmark_group("splice a model name");
    for (name, body) in bodies() {
        let model = Envelope::scan(&body).expect("the body is a request").model.expect("it names a model");
        let with = json_string("gpt-4o-mini");
        group.bench_with_input(BenchmarkId::from_parameter(name), &body, |b, body| {
            b.iter(|| splice(black_box(body), &mut [Edit { at: model, with: with.clone() }]));
        });
    }
    group.finish();
}

criterion_group!(micro, scan, splice_model);
criterion_main!(micro);

//! Every recorded answer of Bedrock's, against an independent reading of its frames and JSON.
//!
//! The recordings are no part of this repository; without them there is nothing to check here.

#![cfg(feature = "bedrock")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_adapters::testing::endpoint;
use burncloud_core::adapter::{Adapter, AnswerHead, Reading, Terminal};
use burncloud_core::{Operation, Usage};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn recordings() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/corpus/bedrock");
    if !corpus.is_dir() {
        let required = std::env::var("BURNCLOUD_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "no recordings at {}", corpus.display());
        println!("skipped: no recordings at {}", corpus.display());
        return Vec::new();
    }
    let folders = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        folders.flat_map(|f| std::fs::read_dir(f).unwrap().map(|entry| entry.unwrap().path())).collect();
    found.sort();
    found
}

/// The frames' event types and payloads, read as the format's description says; checksums are not looked at.
fn frames(mut bytes: &[u8]) -> Vec<(String, Value)> {
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (total, headers) = (number(bytes), number(&bytes[4..]));
        let (mut head, payload) = (&bytes[12..12 + headers], &bytes[12 + headers..total - 4]);
        let mut name = String::new();
        while !head.is_empty() {
            let key = usize::from(head[0]);
            let length = usize::from(u16::from_be_bytes([head[key + 2], head[key + 3]]));
            if &head[1..=key] == b":event-type" {
                name = String::from_utf8(head[key + 4..key + 4 + length].to_vec()).unwrap();
            }
            head = &head[key + 4 + length..];
        }
        found.push((name, serde_json::from_slice(payload).unwrap()));
        bytes = &bytes[total..];
    }
    found
}

fn number(value: &Value, names: &[&str]) -> u64 {
    names.iter().find_map(|name| value.get(*name)?.as_u64()).unwrap_or(0)
}

/// Whoever's words these are: every maker's report comes down to the same counts.
fn usage(report: &Value) -> Usage {
    let written = number(
        report,
        &["cacheWriteInputTokens", "cacheWriteInputTokenCount", "cache_creation_input_tokens"],
    );
    let thought =
        report.pointer("/output_tokens_details/thinking_tokens").and_then(Value::as_u64).unwrap_or(0);
    Usage {
        input: number(report, &["inputTokens", "inputTokenCount", "input_tokens"]),
        output: number(report, &["outputTokens", "outputTokenCount", "output_tokens"]) - thought,
        reasoning: thought,
        cached_read: number(
            report,
            &["cacheReadInputTokens", "cacheReadInputTokenCount", "cache_read_input_tokens"],
        ),
        cache_write_5m: written,
        ..Usage::default()
    }
}

fn read(adapter: &dyn Adapter, path: &str, head: &AnswerHead<'_>, body: &[u8], size: usize) -> Reading {
    let mut reader = adapter.usage_reader(&endpoint(path), head);
    for piece in body.chunks(size) {
        reader.data(&Bytes::copy_from_slice(piece));
    }
    reader.finish()
}

/// What the answer reports, and whether its closing event came.
fn expected(operation: Operation, body: &[u8], headers: &HeaderMap) -> (Option<Usage>, Terminal) {
    let counted = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    match operation {
        Operation::ConverseStream => {
            let frames = frames(body);
            let report =
                frames.iter().find(|(name, _)| name == "metadata").map(|(_, json)| usage(&json["usage"]));
            let stopped = frames.iter().any(|(name, _)| name == "messageStop");
            (report, if stopped { Terminal::Complete } else { Terminal::Missing })
        }
        Operation::InvokeStream => {
            let events: Vec<Value> = frames(body)
                .iter()
                .map(|(_, json)| STANDARD.decode(json["bytes"].as_str().unwrap()).unwrap())
                .map(|bytes| serde_json::from_slice(&bytes).unwrap())
                .collect();
            let metrics = events.iter().find_map(|event| event.get("amazon-bedrock-invocationMetrics"));
            (metrics.map(usage), if metrics.is_some() { Terminal::Complete } else { Terminal::Missing })
        }
        Operation::CountTokens => (None, Terminal::Unknown),
        _ => {
            let json: Value = serde_json::from_slice(body).unwrap();
            let report = json.get("usage").map(usage);
            let input = counted("x-amzn-bedrock-input-token-count");
            let headers = input.map(|input| Usage {
                input,
                output: counted("x-amzn-bedrock-output-token-count").unwrap_or(0),
                ..Usage::default()
            });
            (report.or(headers), Terminal::Unknown)
        }
    }
}

#[test]
fn every_recorded_answer_is_read_as_its_json_says() {
    let (registry, mut checked, mut streams) = (burncloud_adapters::registry(), 0, 0);
    let adapter: &dyn Adapter = registry.get("bedrock").unwrap().as_ref();
    let found = recordings();
    for file in &found {
        let recording: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let text = |pointer: &str| recording.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if recording.pointer("/response/status").and_then(Value::as_u64) != Some(200) {
            continue;
        }
        let path = text("/endpoint").strip_prefix("POST ").unwrap();
        let operation = endpoint(path).operation;
        let streamed = matches!(operation, Operation::ConverseStream | Operation::InvokeStream);
        let body = match text("/response/body_encoding") {
            "base64" => STANDARD.decode(text("/response/body")).unwrap(),
            _ => text("/response/body").as_bytes().to_vec(),
        };
        let headers: HeaderMap = recording["response"]["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(n, v)| (n.parse::<HeaderName>().unwrap(), v.as_str().unwrap_or_default().parse().unwrap()))
            .collect();
        let head = AnswerHead { status: StatusCode::OK, headers: &headers, streamed };
        let (report, terminal) = expected(operation, &body, &headers);
        let reading = read(adapter, path, &head, &body, usize::MAX);
        assert_eq!(reading, Reading { usage: report, terminal, ..Reading::default() }, "{}", file.display());
        for size in [1, 7, 64, 1000] {
            let cut = read(adapter, path, &head, &body, size);
            assert_eq!(cut, reading, "{} in pieces of {size}", file.display());
        }
        checked += 1;
        streams += usize::from(streamed);
    }
    println!("{checked} answers of Bedrock's, {streams} of them streams");
    assert!(found.is_empty() || (checked > 60 && streams > 20), "the recordings are not where they were");
}

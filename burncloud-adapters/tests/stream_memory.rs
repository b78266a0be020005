//! A stream may be as long as it likes: what its translation keeps in memory does not grow with it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use burncloud_adapters::translate::{Format, translation};
use bytes::BytesMut;
use cap::Cap;
use serde_json::json;
use std::alloc::System;

/// Counts what is allocated; this binary has one test, so that nothing else does.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What is kept for each shows all the same in fewer; unoptimised, more would take minutes.
const DELTAS: usize = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
const WORD: &str = "lorem ipsum dolor ";
/// What buffers may differ in between an early and a late moment.
const SLACK: usize = 64 << 10;

fn sse(name: &str, data: &serde_json::Value) -> Vec<u8> {
    let name = if name.is_empty() { String::new() } else { format!("event: {name}\n") };
    format!("{name}data: {data}\n\n").into_bytes()
}

fn frame(name: &str, data: &serde_json::Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (key, value) in
        [(":message-type", "event"), (":event-type", name), (":content-type", "application/json")]
    {
        headers.push(key.len() as u8);
        headers.extend(key.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = data.to_string();
    let total = 16 + headers.len() + payload.len();
    let mut out = (total as u32).to_be_bytes().to_vec();
    out.extend((headers.len() as u32).to_be_bytes());
    out.extend(crc(&out).to_be_bytes());
    out.extend(headers);
    out.extend(payload.as_bytes());
    out.extend(crc(&out).to_be_bytes());
    out
}

/// CRC-32, as AWS's frames have it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// How a provider's stream begins, goes on, and ends.
fn stream(format: Format) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    match format {
        Format::Chat => {
            let chunk = |delta, reason| {
                sse(
                    "",
                    &json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}),
                )
            };
            let end = [chunk(json!({}), json!("stop")), b"data: [DONE]\n\n".to_vec()].concat();
            (
                chunk(json!({"role": "assistant"}), json!(null)),
                chunk(json!({"content": WORD}), json!(null)),
                end,
            )
        }
        Format::Responses => {
            let event = |kind: &str, mut data: serde_json::Value| {
                data["type"] = kind.into();
                sse(kind, &data)
            };
            let place = json!({"item_id": "i", "output_index": 0, "content_index": 0});
            let with = |name: &str, value: serde_json::Value| {
                let mut all = place.clone();
                all[name] = value;
                all
            };
            let begin = [
                event(
                    "response.created",
                    json!({"response": {"id": "r", "output": [], "status": "in_progress"}}),
                ),
                event(
                    "response.output_item.added",
                    json!({"output_index": 0,
                    "item": {"type": "message", "id": "i", "role": "assistant", "content": []}}),
                ),
                event(
                    "response.content_part.added",
                    with("part", json!({"type": "output_text", "text": ""})),
                ),
            ];
            let end = [
                event("response.output_text.done", with("text", json!(""))),
                event(
                    "response.completed",
                    json!({"response": {"id": "r", "output": [], "status": "completed"}}),
                ),
            ];
            (begin.concat(), event("response.output_text.delta", with("delta", json!(WORD))), end.concat())
        }
        Format::Messages => {
            let event = |kind: &str, mut data: serde_json::Value| {
                data["type"] = kind.into();
                sse(kind, &data)
            };
            let begin = [
                event(
                    "message_start",
                    json!({"message": {"id": "m", "usage": {"input_tokens": 1, "output_tokens": 1}}}),
                ),
                event(
                    "content_block_start",
                    json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
                ),
            ];
            let more = json!({"index": 0, "delta": {"type": "text_delta", "text": WORD}});
            let end = [
                event("content_block_stop", json!({"index": 0})),
                event(
                    "message_delta",
                    json!({"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
                ),
                event("message_stop", json!({})),
            ];
            (begin.concat(), event("content_block_delta", more), end.concat())
        }
        Format::Gemini => {
            let chunk = |text: &str, reason| {
                sse(
                    "",
                    &json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0,
                    "finishReason": reason}], "responseId": "r",
                    "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1}}),
                )
            };
            (chunk("a", json!(null)), chunk(WORD, json!(null)), chunk("", json!("STOP")))
        }
        Format::Cohere => {
            let event = |kind: &str, mut data: serde_json::Value| {
                data["type"] = kind.into();
                sse(kind, &data)
            };
            let begin = [
                event("message-start", json!({"id": "c", "delta": {"message": {"role": "assistant"}}})),
                event(
                    "content-start",
                    json!({"index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
                ),
            ];
            let more = json!({"index": 0, "delta": {"message": {"content": {"text": WORD}}}});
            let end = [
                event("content-end", json!({"index": 0})),
                event("message-end", json!({"delta": {"finish_reason": "COMPLETE"}})),
            ];
            (begin.concat(), event("content-delta", more), end.concat())
        }
        Format::Converse => {
            let more = json!({"contentBlockIndex": 0, "delta": {"text": WORD}});
            let end = [
                frame("contentBlockStop", &json!({"contentBlockIndex": 0})),
                frame("messageStop", &json!({"stopReason": "end_turn"})),
                frame("metadata", &json!({"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}})),
            ];
            (
                frame("messageStart", &json!({"role": "assistant"})),
                frame("contentBlockDelta", &more),
                end.concat(),
            )
        }
    }
}

#[test]
fn what_a_stream_leaves_in_memory_does_not_grow_with_it() {
    for from in Format::ALL {
        let (begin, more, end) = stream(from);
        for to in Format::ALL {
            let (_, mut rewrite) = translation("openai", (from, to), true).unwrap();
            let mut out = BytesMut::new();
            let (mut written, mut early, mut most) = (0, 0, 0);
            rewrite.data(&begin, &mut out).unwrap();
            for number in 0..DELTAS {
                rewrite.data(&more, &mut out).unwrap();
                written += out.len();
                out = BytesMut::new();
                match number {
                    0..1000 => early = early.max(ALLOCATOR.allocated()),
                    _ => most = most.max(ALLOCATOR.allocated()),
                }
            }
            rewrite.data(&end, &mut out).unwrap();
            rewrite.finish(&mut out).unwrap();
            assert!(written > DELTAS * WORD.len(), "{from:?} to {to:?} wrote {written}");
            // The last event of Responses repeats the text, which is kept for it; strings grow by doubling.
            let text = if to == Format::Responses { 2 * DELTAS * WORD.len() } else { 0 };
            let grown = most.saturating_sub(early);
            println!("{from:?} to {to:?}: {grown} bytes more after {DELTAS} deltas");
            assert!(grown <= text + SLACK, "{from:?} to {to:?}: {grown} bytes");
        }
    }
}

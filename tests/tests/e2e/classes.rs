//! Tiers and classes are charged as they were served: whatever the caller claims selects no price.

use crate::common::*;
use burncloud_tests::raw::Request;
use burncloud_tests::upstream::{Behaviour, Canned};
use serde_json::{Value, json};

fn answer(body: &Value) -> Behaviour {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let frames = vec![body.to_string().into_bytes()];
    Behaviour::Canned(Box::new(Canned { status: 200, headers, frames, chunked: false }))
}

/// A chat whose answer reports 1000 tokens in and 100 out, served at this tier.
fn chat_served(tier: Option<&str>) -> Value {
    let mut body = json!({"id": "c", "object": "chat.completion", "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}});
    if let Some(tier) = tier {
        body["service_tier"] = json!(tier);
    }
    body
}

/// What gpt-4o-mini's published prices make of it, in nano-dollars.
const STANDARD: i64 = 1_000 * 150 + 100 * 600;
const PRIORITY: i64 = 1_000 * 250 + 100 * 1_000;
const BATCH: i64 = 1_000 * 75 + 100 * 300;

#[tokio::test]
async fn the_tier_that_was_served_is_charged_and_none_that_was_claimed() {
    let (upstream, gateway) = pair().await;
    for (claimed, served, cost) in [
        ("flex", Some("default"), STANDARD),
        ("batch", Some("default"), STANDARD),
        ("flex", None, STANDARD),
        ("default", Some("priority"), PRIORITY),
        ("flex", Some("priority"), PRIORITY),
        ("priority", Some("default"), STANDARD),
        ("auto", Some("batch"), BATCH),
    ] {
        upstream.next(answer(&chat_served(served)));
        let mut body = chat_body(MODEL);
        body["service_tier"] = json!(claimed);
        body["metadata"] = json!({"service_tier": claimed, "processing": "batch"});
        let ask = Request::json("/v1/chat/completions", &body)
            .header("x-service-tier", claimed)
            .header("openai-beta", "batch=v1")
            .header("service_tier", claimed);
        let got = gateway.ask("dev", ask).await;
        assert_eq!(got.status, 200, "{}", got.text());
        let receipt = gateway.receipt_of(&got.trace_id()).await;
        assert_eq!(charge(&receipt), cost, "claimed {claimed}, served {served:?}: {receipt}");
    }
}

#[tokio::test]
async fn a_claude_caller_selects_no_tier_either() {
    let (upstream, gateway) = pair().await;
    let served = |tier: &str| {
        json!({"id": "m", "type": "message", "role": "assistant", "model": CLAUDE, "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "hi"}],
            "usage": {"input_tokens": 1000, "output_tokens": 100, "service_tier": tier,
                "server_tool_use": {"web_search_requests": 2}}})
    };
    // Two searches at a cent each beside the tokens.
    for (claimed, tier, cost) in [
        ("batch", "standard", 1_000 * 3_000 + 100 * 15_000 + 20_000_000),
        ("standard_only", "batch", 1_000 * 1_500 + 100 * 7_500 + 20_000_000),
    ] {
        upstream.next(answer(&served(tier)));
        let body = json!({"model": CLAUDE, "max_tokens": 50, "service_tier": claimed,
            "messages": [{"role": "user", "content": "hi"}]});
        let ask = Request::json("/v1/messages", &body)
            .header("anthropic-version", "2023-06-01")
            .header("anthropic-beta", "message-batches-2024-09-24");
        let got = gateway.ask("dev", ask).await;
        let receipt = gateway.receipt_of(&got.trace_id()).await;
        assert_eq!(charge(&receipt), cost, "claimed {claimed}, served {tier}: {receipt}");
        assert_eq!(receipt["usage"]["web_searches"], 2, "{receipt}");
    }
}

//! Anthropic: messages and count_tokens.

use super::{PIECES, Spoken, calls_tool, usage};
use crate::upstream::Recorded;
use serde_json::{Value, json};

pub(super) fn answer(request: &Recorded, report: bool) -> Spoken {
    let mut body = request.json();
    // At Vertex the path names it.
    body["model"] = json!(request.model());
    if request.path().ends_with("/count_tokens") || request.path().contains("/count-tokens:") {
        return Spoken::json(200, &json!({"input_tokens": 12}));
    }
    if body["stream"] == true { stream(&body, report) } else { whole(&body, report) }
}

fn input_usage() -> Value {
    json!({
        "input_tokens": usage::INPUT,
        "cache_creation_input_tokens": usage::WRITE_5M + usage::WRITE_1H,
        "cache_read_input_tokens": usage::CACHED,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage::WRITE_5M, "ephemeral_1h_input_tokens": usage::WRITE_1H,
        },
        "service_tier": "standard",
    })
}

fn final_usage() -> Value {
    let mut usage = input_usage();
    usage["output_tokens"] = json!(usage::OUTPUT + usage::REASONING);
    usage["output_tokens_details"] = json!({"thinking_tokens": usage::REASONING});
    usage
}

fn message(body: &Value, content: Value, stop: Value) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": content,
        "stop_reason": stop, "stop_sequence": null})
}

fn whole(body: &Value, report: bool) -> Spoken {
    let (content, stop) = if calls_tool(body) {
        let call = json!({"type": "tool_use", "id": "toolu_1", "name": body["tools"][0]["name"],
            "input": {"city": "Paris"}});
        (json!([call]), "tool_use")
    } else {
        (json!([{"type": "text", "text": PIECES.concat()}]), "end_turn")
    };
    let mut answer = message(body, content, json!(stop));
    if report {
        answer["usage"] = final_usage();
    }
    Spoken::json(200, &answer)
}

fn stream(body: &Value, report: bool) -> Spoken {
    let mut start = message(body, json!([]), Value::Null);
    if report {
        start["usage"] = input_usage();
        start["usage"]["output_tokens"] = json!(1);
    }
    let mut events = vec![json!({"type": "message_start", "message": start})];
    let tool = calls_tool(body);
    let block = if tool {
        json!({"type": "tool_use", "id": "toolu_1", "name": body["tools"][0]["name"], "input": {}})
    } else {
        json!({"type": "text", "text": ""})
    };
    events.push(json!({"type": "content_block_start", "index": 0, "content_block": block}));
    events.push(json!({"type": "ping"}));
    let delta = |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
    if tool {
        let pieces = ["", "{\"city\":", "\"Paris\"}"];
        events.extend(pieces.map(|piece| delta(json!({"type": "input_json_delta", "partial_json": piece}))));
    } else {
        events.extend(PIECES.map(|piece| delta(json!({"type": "text_delta", "text": piece}))));
    }
    events.push(json!({"type": "content_block_stop", "index": 0}));
    let stop = if tool { "tool_use" } else { "end_turn" };
    let mut last = json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}});
    if report {
        last["usage"] = final_usage();
    }
    events.push(last);
    events.push(json!({"type": "message_stop"}));
    let frame = |event: &Value| {
        // The provider pads its lines with spaces after the JSON; so do we.
        format!("event: {}\ndata: {event}  \n\n", event["type"].as_str().unwrap_or_default())
    };
    Spoken::events(events.iter().map(frame).collect())
}

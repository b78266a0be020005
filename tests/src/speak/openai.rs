//! OpenAI: chat, completions, responses, embeddings, images, audio, moderations, models.

use super::{PIECES, Spoken, calls_tool, usage};
use crate::upstream::Recorded;
use serde_json::{Value, json};

pub(super) fn answer(request: &Recorded, report: bool) -> Spoken {
    let body = request.json();
    let path = request.path();
    let op = path.split_once("/v1/").map_or(path, |(_, op)| op).trim_start_matches('/');
    // Azure's older paths, most of which name the deployment.
    let op = op.strip_prefix("openai/").unwrap_or(op);
    let deployed = op.strip_prefix("deployments/").and_then(|rest| rest.split_once('/'));
    let op = deployed.map_or(op, |(_, op)| op);
    match op {
        "chat/completions" => chat(&body, report),
        "completions" => completion(&body, report),
        "responses" => responses(&body, report),
        "embeddings" => embeddings(&body, report),
        "images/generations" | "images/edits" => images(report),
        "audio/speech" => Spoken::new(200, "audio/mpeg", b"ID3\x04\x00not really a song\xff\xfb".to_vec()),
        "audio/transcriptions" | "audio/translations" => transcription(report),
        "moderations" => Spoken::json(
            200,
            &json!({"id": "modr-1", "model": body["model"], "results": [{"flagged": false, "categories": {},
                "category_scores": {}}]}),
        ),
        "rerank" => Spoken::json(
            200,
            &json!({"id": "rr-1", "model": body["model"], "results": [{"index": 0, "relevance_score": 0.9}],
                "usage": {"total_tokens": 9}}),
        ),
        _ if op.starts_with("models") => models(),
        _ => super::error(request, 404),
    }
}

fn chat_usage() -> Value {
    json!({
        "prompt_tokens": usage::INPUT + usage::CACHED,
        "completion_tokens": usage::OUTPUT + usage::REASONING,
        "total_tokens": usage::INPUT + usage::CACHED + usage::OUTPUT + usage::REASONING,
        "prompt_tokens_details": {"cached_tokens": usage::CACHED, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage::REASONING, "audio_tokens": 0},
    })
}

fn tool_call(body: &Value) -> Value {
    json!({"id": "call_1", "type": "function", "function":
        {"name": body["tools"][0]["function"]["name"], "arguments": "{\"city\":\"Paris\"}"}})
}

fn chat(body: &Value, report: bool) -> Spoken {
    if body["stream"] == true {
        return chat_stream(body, report);
    }
    let (message, finish) = if calls_tool(body) {
        (
            json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [tool_call(body)]}),
            "tool_calls",
        )
    } else {
        (json!({"role": "assistant", "content": PIECES.concat(), "refusal": null}), "stop")
    };
    let mut answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_760_000_000, "model": body["model"],
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
        "service_tier": "default", "system_fingerprint": "fp_1",
    });
    if report {
        answer["usage"] = chat_usage();
    }
    Spoken::json(200, &answer)
}

fn chat_stream(body: &Value, report: bool) -> Spoken {
    let asked = report && body["stream_options"]["include_usage"] == true;
    let frame = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000,
            "model": body["model"], "service_tier": "default", "system_fingerprint": "fp_1", "choices": choices,
        });
        if asked {
            chunk["usage"] = usage;
        }
        format!("data: {chunk}\n\n")
    };
    let delta = |delta: Value, finish: Value| {
        frame(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]), Value::Null)
    };
    let mut frames = Vec::new();
    if calls_tool(body) {
        let name = &body["tools"][0]["function"]["name"];
        let start = json!([{"index": 0, "id": "call_1", "type": "function",
            "function": {"name": name, "arguments": ""}}]);
        frames.push(delta(json!({"role": "assistant", "content": null, "tool_calls": start}), Value::Null));
        for piece in ["{\"city\":", "\"Paris\"}"] {
            let call = json!([{"index": 0, "function": {"arguments": piece}}]);
            frames.push(delta(json!({"tool_calls": call}), Value::Null));
        }
        frames.push(delta(json!({}), json!("tool_calls")));
    } else {
        frames.push(delta(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null));
        frames.extend(PIECES.map(|piece| delta(json!({"content": piece}), Value::Null)));
        frames.push(delta(json!({}), json!("stop")));
    }
    if asked {
        frames.push(frame(json!([]), chat_usage()));
    }
    frames.push("data: [DONE]\n\n".to_owned());
    Spoken::events(frames)
}

fn completion(body: &Value, report: bool) -> Spoken {
    let chunk = |text: &str, finish: Value| {
        json!({"id": "cmpl-1", "object": "text_completion", "created": 1_760_000_000, "model": body["model"],
            "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": finish}]})
    };
    let report = report && (body["stream"] != true || body["stream_options"]["include_usage"] == true);
    let usage = json!({"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19});
    if body["stream"] != true {
        let mut answer = chunk(&PIECES.concat(), json!("stop"));
        if report {
            answer["usage"] = usage;
        }
        return Spoken::json(200, &answer);
    }
    let mut frames: Vec<String> =
        PIECES.iter().map(|piece| format!("data: {}\n\n", chunk(piece, Value::Null))).collect();
    frames.push(format!("data: {}\n\n", chunk("", json!("stop"))));
    if report {
        let mut last = chunk("", Value::Null);
        last["choices"] = json!([]);
        last["usage"] = usage;
        frames.push(format!("data: {last}\n\n"));
    }
    frames.push("data: [DONE]\n\n".to_owned());
    Spoken::events(frames)
}

fn response(body: &Value, status: &str, output: Value, usage: Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_760_000_000, "status": status, "error": null,
        "incomplete_details": null, "instructions": null, "max_output_tokens": null, "model": body["model"],
        "output": output, "parallel_tool_calls": true, "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null}, "store": false, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": body.get("tools").unwrap_or(&json!([])),
        "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": null, "metadata": {},
    })
}

fn responses_usage(report: bool) -> Value {
    if !report {
        return Value::Null;
    }
    json!({
        "input_tokens": usage::INPUT + usage::CACHED,
        "input_tokens_details": {"cached_tokens": usage::CACHED},
        "output_tokens": usage::OUTPUT + usage::REASONING,
        "output_tokens_details": {"reasoning_tokens": usage::REASONING},
        "total_tokens": usage::INPUT + usage::CACHED + usage::OUTPUT + usage::REASONING,
    })
}

fn responses(body: &Value, report: bool) -> Spoken {
    let item = if calls_tool(body) {
        json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": body["tools"][0]["name"],
            "arguments": "{\"city\":\"Paris\"}", "status": "completed"})
    } else {
        json!({"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": PIECES.concat(), "annotations": []}]})
    };
    let done = response(body, "completed", json!([item]), responses_usage(report));
    if body["stream"] != true {
        return Spoken::json(200, &done);
    }
    let started = response(body, "in_progress", json!([]), Value::Null);
    let mut events = vec![json!({"type": "response.created", "response": started})];
    let mut begun = item.clone();
    begun["status"] = json!("in_progress");
    begun["content"] = json!([]);
    events.push(json!({"type": "response.output_item.added", "output_index": 0, "item": begun}));
    if !calls_tool(body) {
        let at = json!({"item_id": "msg_1", "output_index": 0, "content_index": 0});
        let with = |kind: &str, extra: Value| {
            let mut event = json!({"type": kind});
            for part in [&at, &extra] {
                event.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            }
            event
        };
        events.push(with(
            "response.content_part.added",
            json!({"part": {"type": "output_text", "text": "", "annotations": []}}),
        ));
        events.extend(
            PIECES.map(|piece| with("response.output_text.delta", json!({"delta": piece, "logprobs": []}))),
        );
        events.push(with("response.output_text.done", json!({"text": PIECES.concat(), "logprobs": []})));
        events.push(with("response.content_part.done", json!({"part": item["content"][0]})));
    }
    events.push(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    events.push(json!({"type": "response.completed", "response": done}));
    let frames = events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = json!(number);
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
    });
    Spoken::events(frames.collect())
}

fn embeddings(body: &Value, report: bool) -> Spoken {
    let embedding = if body["encoding_format"] == "base64" {
        // 0.5 and -1.0 as little-endian 32-bit floats.
        json!("AAAAPwAAgL8=")
    } else {
        json!([0.5, -1.0])
    };
    let mut answer = json!({"object": "list", "model": body["model"],
        "data": [{"object": "embedding", "index": 0, "embedding": embedding}]});
    if report {
        answer["usage"] = json!({"prompt_tokens": usage::EMBEDDING, "total_tokens": usage::EMBEDDING});
    }
    Spoken::json(200, &answer)
}

fn images(report: bool) -> Spoken {
    let mut answer = json!({"created": 1_760_000_000, "data": [{"b64_json": "iVBORw0KGgo="}]});
    if report {
        answer["usage"] = json!({"input_tokens": 15, "input_tokens_details": {"text_tokens": 15, "image_tokens": 0},
            "output_tokens": 100, "total_tokens": 115});
    }
    Spoken::json(200, &answer)
}

fn transcription(report: bool) -> Spoken {
    let mut answer = json!({"text": PIECES.concat()});
    if report {
        answer["usage"] = json!({"type": "tokens", "input_tokens": 20,
            "input_token_details": {"text_tokens": 2, "audio_tokens": 18}, "output_tokens": 5, "total_tokens": 25});
    }
    Spoken::json(200, &answer)
}

fn models() -> Spoken {
    Spoken::json(
        200,
        &json!({"object": "list", "data": [
            {"id": "provider-own", "object": "model", "created": 1_760_000_000, "owned_by": "made-up"}]}),
    )
}

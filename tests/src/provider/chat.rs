//! OpenAI Chat Completions.

use super::check::{Checked, Obj, closed, data_url};
use super::{
    Answer, Asked, Choice, Fault, Part, Role, Stop, Tool, authorised, invalid, push, results_match_calls,
    streamed, usage,
};
use crate::speak::Spoken;
use crate::upstream::Recorded;
use serde_json::{Value, json};

const KNOWN: [&str; 37] = [
    "messages",
    "model",
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];
pub(super) const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

pub(super) fn read(request: &Recorded, body: &Value) -> Result<Asked, (Fault, String)> {
    if request.path() != "/v1/chat/completions" {
        return Err((Fault::NotFound, format!("unknown path {}", request.path())));
    }
    authorised(request, &[("authorization", "Bearer ")])?;
    invalid(asked(body))
}

fn asked(body: &Value) -> Checked<Asked> {
    let top = Obj::new("", body)?;
    top.only(&KNOWN)?;
    let mut asked =
        Asked { model: top.text("model")?.into(), stream: top.flag("stream")?, ..Asked::default() };
    limits(&top, &mut asked)?;
    let messages = top.objects("messages")?;
    if messages.is_empty() {
        return Err("messages: must not be empty".into());
    }
    for message in &messages {
        read_message(message, &mut asked)?;
    }
    results_match_calls(&asked.turns)?;
    asked.tools = top.opt_objects("tools")?.iter().map(tool).collect::<Checked<_>>()?;
    asked.choice = choice(&top, !asked.tools.is_empty())?;
    if let Some(format) = top.opt_obj("response_format")? {
        asked.schema = response_format(&format)?;
    }
    Ok(asked)
}

fn limits(top: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    if let Some(options) = top.opt_obj("stream_options")? {
        options.only(&["include_usage", "include_obfuscation"])?;
        if !asked.stream {
            return Err("stream_options: only allowed when `stream` is enabled".into());
        }
        asked.usage = options.flag("include_usage")?;
    }
    if top.opt("max_tokens").is_some() {
        return Err("max_tokens: not supported with this model, use `max_completion_tokens`".into());
    }
    asked.max_tokens = top.opt_count("max_completion_tokens", 1)?;
    top.opt_number("temperature", 0.0, 2.0)?;
    top.opt_number("top_p", 0.0, 1.0)?;
    top.opt_number("frequency_penalty", -2.0, 2.0)?;
    top.opt_number("presence_penalty", -2.0, 2.0)?;
    asked.stops = match top.opt("stop") {
        Some(Value::String(one)) => vec![one.clone()],
        _ => top.texts("stop", 4)?,
    };
    if top.opt("reasoning_effort").is_some() {
        asked.reasoning = top.word("reasoning_effort", &EFFORTS)? != "none";
    }
    if top.opt("n").is_some_and(|n| n != 1) {
        return Err("n: this fake gives one choice".into());
    }
    Ok(())
}

fn read_message(message: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    match message.word("role", &["system", "developer", "user", "assistant", "tool"])? {
        "system" | "developer" => {
            message.only(&["role", "content", "name"])?;
            for part in content(message, false)? {
                let Part::Text(text) = part else { return Err(format!("{}: only text here", message.at)) };
                asked.system.push_str(&text);
            }
            Ok(())
        }
        "user" => {
            message.only(&["role", "content", "name"])?;
            no_open_calls(&message.at, asked)?;
            push(&mut asked.turns, Role::User, content(message, true)?);
            Ok(())
        }
        "assistant" => {
            message.only(&[
                "role",
                "content",
                "name",
                "refusal",
                "tool_calls",
                "audio",
                "function_call",
                "annotations",
            ])?;
            let calls = message.opt_objects("tool_calls")?;
            let mut parts = if message.opt("content").is_none() && !calls.is_empty() {
                Vec::new()
            } else {
                content(message, false)?
            };
            for call in &calls {
                parts.push(read_call(call)?);
            }
            push(&mut asked.turns, Role::Assistant, parts);
            Ok(())
        }
        _ => {
            message.only(&["role", "content", "tool_call_id"])?;
            let id = message.text("tool_call_id")?.to_owned();
            let mut text = String::new();
            for part in content(message, false)? {
                let Part::Text(piece) = part else { return Err(format!("{}: only text here", message.at)) };
                text.push_str(&piece);
            }
            push(&mut asked.turns, Role::User, vec![Part::Result { id, text }]);
            Ok(())
        }
    }
}

/// Refuses a user's message right after one that makes calls.
pub(super) fn no_open_calls(at: &str, asked: &Asked) -> Checked<()> {
    let last = asked.turns.last().filter(|turn| turn.role == Role::Assistant);
    if last.is_some_and(|turn| turn.parts.iter().any(|part| part.call_id().is_some())) {
        return Err(format!("{at}: an assistant message with tool calls must be followed by tool messages"));
    }
    Ok(())
}

fn content(message: &Obj<'_>, pictures: bool) -> Checked<Vec<Part>> {
    if let Value::String(text) = message.need("content")? {
        return Ok(vec![Part::Text(text.clone())]);
    }
    let part = |part: &Obj<'_>| match part.word("type", &["text", "image_url", "refusal"])? {
        "text" => {
            part.only(&["type", "text", "prompt_cache_breakpoint"])?;
            Ok(Part::Text(part.text("text")?.to_owned()))
        }
        "image_url" if pictures => {
            part.only(&["type", "image_url", "prompt_cache_breakpoint"])?;
            let image = part.obj("image_url")?;
            image.only(&["url", "detail"])?;
            let (mime, bytes) = data_url(&image.at, image.text("url")?)?;
            Ok(Part::Image { mime, bytes })
        }
        other => Err(format!("{}: `{other}` is not allowed in this role", part.at)),
    };
    message.objects("content")?.iter().map(part).collect()
}

/// A call of the history: its id must be one that this provider gives.
fn read_call(call: &Obj<'_>) -> Checked<Part> {
    call.only(&["id", "type", "function"])?;
    call.word("type", &["function"])?;
    let function = call.obj("function")?;
    function.only(&["name", "arguments"])?;
    let text = function.text("arguments")?;
    let args =
        serde_json::from_str(text).map_err(|_| format!("{}.arguments: not JSON: {text}", function.at))?;
    Ok(Part::Call { id: own_id(call, "id", "call_")?, name: function.tool_name("name")?, args, mark: None })
}

/// An id that begins as this provider's ids do: one that it gave.
pub(super) fn own_id(object: &Obj<'_>, key: &str, prefix: &str) -> Checked<String> {
    let id = object.text(key)?;
    if id.starts_with(prefix) {
        Ok(id.to_owned())
    } else {
        Err(format!("{}.{key}: `{id}` is not an id that was given here ({prefix}…)", object.at))
    }
}

fn tool(tool: &Obj<'_>) -> Checked<Tool> {
    tool.only(&["type", "function"])?;
    tool.word("type", &["function"])?;
    let function = tool.obj("function")?;
    function.only(&["name", "description", "parameters", "strict"])?;
    let schema = function.object_schema("parameters")?;
    if function.flag("strict")? {
        closed(&function.at, &schema)?;
    }
    let described = function.opt_text("description")?.is_some_and(|text| !text.is_empty());
    Ok(Tool { name: function.tool_name("name")?, described, schema })
}

fn choice(top: &Obj<'_>, tools: bool) -> Checked<Choice> {
    if !tools && (top.opt("tool_choice").is_some() || top.opt("parallel_tool_calls").is_some()) {
        return Err("tool_choice, parallel_tool_calls: only allowed when `tools` are specified".into());
    }
    match top.opt("tool_choice") {
        None => Ok(Choice::Auto),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Choice::Auto),
            "required" => Ok(Choice::Required),
            "none" => Ok(Choice::None),
            other => Err(format!("tool_choice: `{other}` is none of auto, required, none")),
        },
        Some(_) => {
            top.obj("tool_choice")?.obj("function")?.tool_name("name")?;
            Ok(Choice::Named)
        }
    }
}

fn response_format(format: &Obj<'_>) -> Checked<Option<Value>> {
    if format.word("type", &["text", "json_object", "json_schema"])? != "json_schema" {
        return Ok(None);
    }
    format.only(&["type", "json_schema"])?;
    let named = format.obj("json_schema")?;
    named.only(&["name", "description", "schema", "strict"])?;
    named.tool_name("name")?;
    let schema = named.object_schema("schema")?;
    if named.flag("strict")? {
        closed("response_format.json_schema.schema", &schema)?;
    }
    Ok(Some(schema))
}

fn reported() -> Value {
    json!({
        "prompt_tokens": usage::INPUT, "completion_tokens": usage::OUTPUT,
        "total_tokens": usage::INPUT + usage::OUTPUT,
        "prompt_tokens_details": {"cached_tokens": usage::CACHED, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage::REASONING, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

fn finish(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::End | Stop::Sequence(_) => "stop",
        Stop::Length => "length",
        Stop::Filter => "content_filter",
        Stop::Tools => "tool_calls",
    }
}

pub(super) fn say(asked: &Asked, answer: &Answer) -> Spoken {
    if asked.stream {
        return stream(asked, answer);
    }
    let content = if answer.text.is_empty() { Value::Null } else { json!(answer.text.concat()) };
    let mut message = json!({"role": "assistant", "content": content, "refusal": null, "annotations": []});
    if !answer.calls.is_empty() {
        let call = |call: &super::Call| {
            json!({"id": format!("call_{}", call.key), "type": "function",
                "function": {"name": call.name, "arguments": call.args.to_string()}})
        };
        message["tool_calls"] = answer.calls.iter().map(call).collect();
    }
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_760_000_000, "model": asked.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(answer)}],
        "usage": reported(), "service_tier": "default", "system_fingerprint": "fp_1",
    });
    Spoken::json(200, &body)
}

fn stream(asked: &Asked, answer: &Answer) -> Spoken {
    let frame = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000,
            "model": asked.model, "service_tier": "default", "system_fingerprint": "fp_1", "choices": choices,
        });
        if asked.usage {
            chunk["usage"] = usage;
        }
        format!("data: {chunk}\n\n").into_bytes()
    };
    let delta = |delta: Value, finish: Value| {
        frame(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]), Value::Null)
    };
    let mut frames = Vec::new();
    if !answer.text.is_empty() {
        frames.push(delta(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null));
    }
    frames.extend(answer.text.iter().map(|piece| delta(json!({"content": piece}), Value::Null)));
    for (index, call) in answer.calls.iter().enumerate() {
        let function = json!({"name": call.name, "arguments": ""});
        let begun = json!([{"index": index, "id": format!("call_{}", call.key), "type": "function", "function": function}]);
        let first = if frames.is_empty() {
            json!({"role": "assistant", "content": null, "tool_calls": begun, "refusal": null})
        } else {
            json!({"tool_calls": begun})
        };
        frames.push(delta(first, Value::Null));
        let piece = |piece| {
            delta(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}), Value::Null)
        };
        frames.extend(call.pieces().into_iter().map(piece));
    }
    frames.push(delta(json!({}), json!(finish(answer))));
    if asked.usage {
        frames.push(frame(json!([]), reported()));
    }
    frames.push(b"data: [DONE]\n\n".to_vec());
    streamed("text/event-stream; charset=utf-8", frames)
}

pub(super) fn error(fault: Fault, text: &str) -> Value {
    let (kind, code) = match fault {
        Fault::Invalid => ("invalid_request_error", Value::Null),
        Fault::Unauthorised => ("invalid_request_error", json!("invalid_api_key")),
        Fault::NotFound => ("invalid_request_error", json!("not_found")),
        Fault::Limited => ("requests", json!("rate_limit_exceeded")),
        Fault::Overloaded => ("server_error", Value::Null),
    };
    json!({"error": {"message": text, "type": kind, "param": null, "code": code}})
}

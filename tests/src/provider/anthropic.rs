//! Anthropic Messages, versions 2023-06-01 and 2026-10-21.

use super::chat::own_id;
use super::check::{Checked, Obj, closed};
use super::{
    Answer, Asked, Choice, Fault, MARK, Part, Role, Stop, THOUGHT, Tool, authorised, event, invalid, push,
    results_match_calls, scene, streamed, usage,
};
use crate::speak::Spoken;
use crate::upstream::Recorded;
use serde_json::{Value, json};

const KNOWN: [&str; 21] = [
    "max_tokens",
    "messages",
    "model",
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "metadata",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "thinking",
    "tool_choice",
    "tools",
    "temperature",
    "top_k",
    "top_p",
    "mcp_servers",
];
/// What the later version no longer takes.
const SAMPLING: [&str; 3] = ["temperature", "top_p", "top_k"];

pub(super) fn read(request: &Recorded, body: &Value) -> Result<Asked, (Fault, String)> {
    if request.path() != "/v1/messages" {
        return Err((Fault::NotFound, format!("unknown path {}", request.path())));
    }
    authorised(request, &[("authorization", "Bearer "), ("x-api-key", "")])?;
    let version = request.headers.get("anthropic-version").unwrap_or_default();
    if !["2023-06-01", "2026-10-21"].contains(&version) {
        return Err((Fault::Invalid, format!("anthropic-version: `{version}` is not a valid version")));
    }
    invalid(asked(body, version == "2026-10-21"))
}

fn asked(body: &Value, later: bool) -> Checked<Asked> {
    let top = Obj::new("", body)?;
    top.only(&KNOWN)?;
    if later && let Some(key) = SAMPLING.iter().find(|key| top.opt(key).is_some()) {
        return Err(format!("{key}: not supported in this version"));
    }
    top.opt_number("temperature", 0.0, 1.0)?;
    top.opt_number("top_p", 0.0, 1.0)?;
    let most = top.opt_count("max_tokens", 1)?.ok_or("max_tokens: field required")?;
    let mut asked = Asked {
        model: top.text("model")?.into(),
        stream: top.flag("stream")?,
        max_tokens: Some(most),
        stops: top.texts("stop_sequences", 8191)?,
        ..Asked::default()
    };
    if top.opt("system").is_some() {
        asked.system = texts(&top, "system")?;
    }
    messages(&top, &mut asked)?;
    results_match_calls(&asked.turns)?;
    asked.tools = top.opt_objects("tools")?.iter().map(tool).collect::<Checked<_>>()?;
    asked.choice = choice(&top, !asked.tools.is_empty())?;
    thinking(&top, most, &mut asked)?;
    if let Some(config) = top.opt_obj("output_config")? {
        config.only(&["effort", "format"])?;
        if let Some(format) = config.opt_obj("format")? {
            format.only(&["type", "schema"])?;
            format.word("type", &["json_schema"])?;
            let schema = format.object_schema("schema")?;
            closed("output_config.format.schema", &schema)?;
            asked.schema = Some(schema);
        }
    }
    scene::signed(&asked, false)?;
    Ok(asked)
}

fn messages(top: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    for (index, message) in top.objects("messages")?.iter().enumerate() {
        message.only(&["role", "content"])?;
        match message.word("role", &["user", "assistant", "system"])? {
            "system" => asked.system.push_str(&texts(message, "content")?),
            "assistant" if index == 0 => {
                return Err("messages: first message must use the \"user\" role".into());
            }
            "assistant" => push(&mut asked.turns, Role::Assistant, content(message, Role::Assistant)?),
            _ => {
                let parts = content(message, Role::User)?;
                let first = parts.iter().position(|part| part.result_id().is_none()).unwrap_or(parts.len());
                if parts[first..].iter().any(|part| part.result_id().is_some()) {
                    return Err(format!("{}: tool_result blocks must come first", message.at));
                }
                push(&mut asked.turns, Role::User, parts);
            }
        }
    }
    if asked.turns.is_empty() { Err("messages: at least one message is required".into()) } else { Ok(()) }
}

fn thinking(top: &Obj<'_>, most: u64, asked: &mut Asked) -> Checked<()> {
    let Some(thinking) = top.opt_obj("thinking")? else { return Ok(()) };
    match thinking.word("type", &["enabled", "disabled", "adaptive", "between_tools"])? {
        "enabled" => {
            thinking.only(&["type", "budget_tokens", "display"])?;
            let budget =
                thinking.opt_count("budget_tokens", 1024)?.ok_or("thinking.budget_tokens: field required")?;
            if budget >= most {
                return Err(format!(
                    "max_tokens ({most}) must be greater than thinking.budget_tokens ({budget})"
                ));
            }
        }
        "disabled" => return Ok(()),
        _ => thinking.only(&["type", "display"])?,
    }
    if matches!(asked.choice, Choice::Required | Choice::Named) {
        return Err("thinking may not be enabled when tool_choice forces tool use".into());
    }
    if top.opt("temperature").is_some_and(|value| value.as_f64() != Some(1.0)) || top.opt("top_k").is_some() {
        return Err("temperature may only be set to 1, and top_k not at all, when thinking is enabled".into());
    }
    asked.reasoning = true;
    asked.thoughts = true;
    Ok(())
}

/// Text as a string or as text blocks, which are never empty.
fn texts(object: &Obj<'_>, key: &str) -> Checked<String> {
    if let Value::String(text) = object.need(key)? {
        return Ok(text.clone());
    }
    let mut all = String::new();
    for block in object.objects(key)? {
        block.only(&["type", "text", "cache_control", "citations"])?;
        block.word("type", &["text"])?;
        all.push_str(filled(&block)?);
    }
    Ok(all)
}

fn filled<'a>(block: &Obj<'a>) -> Checked<&'a str> {
    let text = block.text("text")?;
    if text.is_empty() {
        Err(format!("{}: text content blocks must be non-empty", block.at))
    } else {
        Ok(text)
    }
}

fn content(message: &Obj<'_>, role: Role) -> Checked<Vec<Part>> {
    if let Value::String(text) = message.need("content")? {
        if text.is_empty() {
            return Err(format!("{}.content: must not be empty", message.at));
        }
        return Ok(vec![Part::Text(text.clone())]);
    }
    let blocks = message.objects("content")?;
    if blocks.is_empty() {
        return Err(format!("{}.content: must not be empty", message.at));
    }
    blocks.iter().map(|block| read_block(block, role)).collect()
}

fn read_block(block: &Obj<'_>, role: Role) -> Checked<Part> {
    let kinds = ["text", "image", "tool_use", "tool_result", "thinking", "redacted_thinking"];
    match (block.word("type", &kinds)?, role) {
        ("text", _) => {
            block.only(&["type", "text", "cache_control", "citations"])?;
            Ok(Part::Text(filled(block)?.to_owned()))
        }
        ("image", Role::User) => {
            block.only(&["type", "source", "cache_control"])?;
            let source = block.obj("source")?;
            source.only(&["type", "media_type", "data"])?;
            source.word("type", &["base64"])?;
            let mime = source.word("media_type", &["image/jpeg", "image/png", "image/gif", "image/webp"])?;
            Ok(Part::Image { mime: mime.to_owned(), bytes: source.bytes("data")? })
        }
        ("tool_use", Role::Assistant) => {
            block.only(&["type", "id", "name", "input", "cache_control", "caller"])?;
            let args = Value::clone(block.need("input")?);
            Obj::new(format!("{}.input", block.at), &args)?;
            Ok(Part::Call {
                id: own_id(block, "id", "toolu_")?,
                name: block.tool_name("name")?,
                args,
                mark: None,
            })
        }
        ("tool_result", Role::User) => {
            block.only(&["type", "tool_use_id", "content", "is_error", "cache_control"])?;
            block.flag("is_error")?;
            Ok(Part::Result { id: own_id(block, "tool_use_id", "toolu_")?, text: texts(block, "content")? })
        }
        ("thinking", Role::Assistant) => {
            block.only(&["type", "thinking", "signature"])?;
            let mark = Some(block.text("signature")?.to_owned());
            Ok(Part::Thought { text: block.text("thinking")?.to_owned(), mark })
        }
        (kind, role) => Err(format!("{}: `{kind}` blocks are not allowed for {role:?}", block.at)),
    }
}

fn tool(tool: &Obj<'_>) -> Checked<Tool> {
    tool.only(&[
        "type",
        "name",
        "description",
        "input_schema",
        "cache_control",
        "strict",
        "allowed_callers",
        "defer_loading",
        "eager_input_streaming",
        "input_examples",
    ])?;
    let schema = tool.object_schema("input_schema")?;
    if tool.flag("strict")? {
        closed(&tool.at, &schema)?;
    }
    let described = tool.opt_text("description")?.is_some_and(|text| !text.is_empty());
    Ok(Tool { name: tool.tool_name("name")?, described, schema })
}

fn choice(top: &Obj<'_>, tools: bool) -> Checked<Choice> {
    let Some(choice) = top.opt_obj("tool_choice")? else { return Ok(Choice::Auto) };
    if !tools {
        return Err("tool_choice: may only be specified while providing tools".into());
    }
    match choice.word("type", &["auto", "any", "none", "tool"])? {
        "none" => choice.only(&["type"]).map(|()| Choice::None),
        "tool" => {
            choice.only(&["type", "name", "disable_parallel_tool_use"])?;
            choice.tool_name("name").map(|_| Choice::Named)
        }
        word => {
            choice.only(&["type", "disable_parallel_tool_use"])?;
            Ok(if word == "any" { Choice::Required } else { Choice::Auto })
        }
    }
}

fn reported() -> Value {
    json!({
        "input_tokens": usage::INPUT - usage::CACHED, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage::CACHED, "output_tokens": usage::OUTPUT,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens_details": {"thinking_tokens": usage::REASONING}, "service_tier": "standard",
    })
}

/// The blocks of an answer, each with the deltas in which it is streamed.
fn blocks(answer: &Answer) -> Vec<(Value, Value, Vec<Value>)> {
    let mut blocks = Vec::new();
    if let Some(thought) = &answer.thought {
        let mut deltas: Vec<Value> =
            THOUGHT.iter().map(|piece| json!({"type": "thinking_delta", "thinking": piece})).collect();
        deltas.push(json!({"type": "signature_delta", "signature": MARK}));
        let whole = json!({"type": "thinking", "thinking": thought, "signature": MARK});
        blocks.push((whole, json!({"type": "thinking", "thinking": "", "signature": ""}), deltas));
    }
    if !answer.text.is_empty() {
        let deltas = answer.text.iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect();
        let whole = json!({"type": "text", "text": answer.text.concat()});
        blocks.push((whole, json!({"type": "text", "text": ""}), deltas));
    }
    for call in &answer.calls {
        let block = |input: Value| json!({"type": "tool_use", "id": format!("toolu_{}", call.key), "name": call.name, "input": input});
        let mut deltas = vec![json!({"type": "input_json_delta", "partial_json": ""})];
        deltas.extend(
            call.pieces().into_iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece})),
        );
        blocks.push((block(call.args.clone()), block(json!({})), deltas));
    }
    blocks
}

fn stop(answer: &Answer) -> (Value, Value) {
    match &answer.stop {
        Stop::End => (json!("end_turn"), Value::Null),
        Stop::Length => (json!("max_tokens"), Value::Null),
        Stop::Sequence(text) => (json!("stop_sequence"), json!(text)),
        Stop::Filter => (json!("refusal"), Value::Null),
        Stop::Tools => (json!("tool_use"), Value::Null),
    }
}

pub(super) fn say(asked: &Asked, answer: &Answer) -> Spoken {
    let message = |content: Value, stop: (Value, Value), usage: Value| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": asked.model, "content": content,
            "stop_reason": stop.0, "stop_sequence": stop.1, "usage": usage})
    };
    let blocks = blocks(answer);
    if !asked.stream {
        let content = blocks.into_iter().map(|(whole, ..)| whole).collect();
        return Spoken::json(200, &message(content, stop(answer), reported()));
    }
    let mut first = reported();
    first["output_tokens"] = json!(1);
    let begun = message(json!([]), (Value::Null, Value::Null), first);
    let mut events = vec![json!({"type": "message_start", "message": begun})];
    for (index, (_, start, deltas)) in blocks.into_iter().enumerate() {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        if index == 0 {
            events.push(json!({"type": "ping"}));
        }
        events.extend(
            deltas
                .into_iter()
                .map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let (reason, sequence) = stop(answer);
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": sequence},
        "usage": reported()}));
    events.push(json!({"type": "message_stop"}));
    let frame = |one: &Value| event(one["type"].as_str().unwrap_or_default(), one);
    streamed("text/event-stream; charset=utf-8", events.iter().map(frame).collect())
}

pub(super) fn error(fault: Fault, text: &str) -> Value {
    let kind = match fault {
        Fault::Invalid => "invalid_request_error",
        Fault::Unauthorised => "authentication_error",
        Fault::NotFound => "not_found_error",
        Fault::Limited => "rate_limit_error",
        Fault::Overloaded => "overloaded_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_of_the_matrix"})
}

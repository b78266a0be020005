//! OpenAI Responses, stateless.

use super::chat::{EFFORTS, own_id};
use super::check::{Checked, Obj, closed, data_url};
use super::{
    Answer, Asked, Call, Choice, Fault, MARK, Part, Role, Stop, THOUGHT, Tool, authorised, event, invalid,
    push, results_match_calls, scene, streamed, usage,
};
use crate::speak::Spoken;
use crate::upstream::Recorded;
use serde_json::{Value, json};

const KNOWN: [&str; 33] = [
    "access_programs",
    "background",
    "context_management",
    "conversation",
    "image",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

pub(super) fn read(request: &Recorded, body: &Value) -> Result<Asked, (Fault, String)> {
    if request.path() != "/v1/responses" {
        return Err((Fault::NotFound, format!("unknown path {}", request.path())));
    }
    authorised(request, &[("authorization", "Bearer ")])?;
    invalid(asked(body))
}

fn asked(body: &Value) -> Checked<Asked> {
    let top = Obj::new("", body)?;
    top.only(&KNOWN)?;
    top.opt_number("temperature", 0.0, 2.0)?;
    top.opt_number("top_p", 0.0, 1.0)?;
    let mut asked = Asked {
        model: top.text("model")?.into(),
        stream: top.flag("stream")?,
        system: top.opt_text("instructions")?.unwrap_or_default().into(),
        max_tokens: top.opt_count("max_output_tokens", 16)?,
        encrypted: top.texts("include", 16)?.iter().any(|one| one == "reasoning.encrypted_content"),
        ..Asked::default()
    };
    if let Some(reasoning) = top.opt_obj("reasoning")? {
        reasoning.only(&["effort", "summary", "generate_summary", "context", "mode"])?;
        if reasoning.opt("effort").is_some() {
            asked.reasoning = reasoning.word("effort", &EFFORTS)? != "none";
        }
        if reasoning.opt("summary").is_some() {
            reasoning.word("summary", &["auto", "concise", "detailed"])?;
            asked.thoughts = true;
        }
    }
    input(&top, &mut asked)?;
    results_match_calls(&asked.turns)?;
    asked.tools = top.opt_objects("tools")?.iter().map(tool).collect::<Checked<_>>()?;
    asked.choice = choice(&top, !asked.tools.is_empty())?;
    asked.schema = format(&top)?;
    scene::signed(&asked, false)?;
    Ok(asked)
}

fn input(top: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    if let Value::String(text) = top.need("input")? {
        asked.turns.push(super::Turn { role: Role::User, parts: vec![Part::Text(text.clone())] });
        return Ok(());
    }
    let items = top.objects("input")?;
    for (index, item) in items.iter().enumerate() {
        match item.opt_text("type")?.unwrap_or("message") {
            "message" => message(item, asked)?,
            "function_call" => {
                item.only(&["type", "id", "call_id", "name", "arguments", "status", "namespace", "caller"])?;
                let text = item.text("arguments")?;
                let args =
                    serde_json::from_str(text).map_err(|_| format!("{}.arguments: not JSON", item.at))?;
                let id = own_id(item, "call_id", "call_")?;
                if item.opt("id").is_some() {
                    own_id(item, "id", "fc_")?;
                }
                let call = Part::Call { id, name: item.tool_name("name")?, args, mark: None };
                push(&mut asked.turns, Role::Assistant, vec![call]);
            }
            "function_call_output" => {
                item.only(&["type", "id", "call_id", "output", "status", "name", "namespace", "caller"])?;
                let parts = content(item, "output", "input_text")?;
                let text =
                    parts.iter().map(|part| if let Part::Text(text) = part { text } else { "" }).collect();
                let id = own_id(item, "call_id", "call_")?;
                push(&mut asked.turns, Role::User, vec![Part::Result { id, text }]);
            }
            "reasoning" => {
                if !items.get(index + 1).is_some_and(|next| is_answer(next)) {
                    return Err(format!("{}: a reasoning item without its required following item", item.at));
                }
                push(&mut asked.turns, Role::Assistant, vec![thought(item)?]);
            }
            other => return Err(format!("{}: items of type `{other}` are not known here", item.at)),
        }
    }
    if asked.turns.is_empty() { Err("input: must not be empty".into()) } else { Ok(()) }
}

fn is_answer(item: &Obj<'_>) -> bool {
    let word = |key| item.opt(key).and_then(Value::as_str).unwrap_or_default();
    ["function_call", "reasoning"].contains(&word("type")) || word("role") == "assistant"
}

fn thought(item: &Obj<'_>) -> Checked<Part> {
    item.only(&["type", "id", "summary", "content", "encrypted_content", "status"])?;
    own_id(item, "id", "rs_")?;
    let mut text = String::new();
    for part in item.objects("summary")? {
        part.only(&["type", "text"])?;
        part.word("type", &["summary_text"])?;
        text.push_str(part.text("text")?);
    }
    Ok(Part::Thought { text, mark: item.opt_text("encrypted_content")?.map(str::to_owned) })
}

fn message(item: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    item.only(&["type", "id", "role", "content", "status", "phase"])?;
    let role = item.word("role", &["user", "assistant", "system", "developer"])?;
    let parts = content(item, "content", if role == "assistant" { "output_text" } else { "input_text" })?;
    match role {
        "user" => push(&mut asked.turns, Role::User, parts),
        "assistant" => push(&mut asked.turns, Role::Assistant, parts),
        _ => {
            for part in parts {
                let Part::Text(text) = part else { return Err(format!("{}: only text here", item.at)) };
                asked.system.push_str(&text);
            }
        }
    }
    Ok(())
}

fn content(item: &Obj<'_>, key: &str, text: &str) -> Checked<Vec<Part>> {
    if let Value::String(text) = item.need(key)? {
        return Ok(vec![Part::Text(text.clone())]);
    }
    let part = |part: &Obj<'_>| {
        if text == "output_text" {
            part.word("type", &["output_text", "refusal"])?;
            part.only(&["type", "text", "refusal", "annotations", "logprobs"])?;
            return Ok(Part::Text(part.opt_text("text")?.unwrap_or_default().to_owned()));
        }
        match part.word("type", &["input_text", "input_image"])? {
            "input_text" => {
                part.only(&["type", "text", "prompt_cache_breakpoint"])?;
                Ok(Part::Text(part.text("text")?.to_owned()))
            }
            _ => {
                part.only(&["type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"])?;
                let (mime, bytes) = data_url(&part.at, part.text("image_url")?)?;
                Ok(Part::Image { mime, bytes })
            }
        }
    };
    item.objects(key)?.iter().map(part).collect()
}

fn tool(tool: &Obj<'_>) -> Checked<Tool> {
    tool.word("type", &["function"])?;
    tool.only(&[
        "type",
        "name",
        "description",
        "parameters",
        "strict",
        "defer_loading",
        "allowed_callers",
        "output_schema",
    ])?;
    let schema = tool.object_schema("parameters")?;
    // Left out, `strict` is decided by the service, which closes the schema itself.
    if tool.flag("strict")? {
        closed(&tool.at, &schema)?;
    }
    let described = tool.opt_text("description")?.is_some_and(|text| !text.is_empty());
    Ok(Tool { name: tool.tool_name("name")?, described, schema })
}

fn choice(top: &Obj<'_>, tools: bool) -> Checked<Choice> {
    match top.opt("tool_choice") {
        None => Ok(Choice::Auto),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(Choice::Auto),
            "required" if tools => Ok(Choice::Required),
            "none" => Ok(Choice::None),
            other => Err(format!("tool_choice: `{other}` is not possible here")),
        },
        Some(_) => {
            let named = top.obj("tool_choice")?;
            named.only(&["type", "name"])?;
            named.word("type", &["function"])?;
            named.tool_name("name").map(|_| Choice::Named)
        }
    }
}

fn format(top: &Obj<'_>) -> Checked<Option<Value>> {
    let Some(text) = top.opt_obj("text")? else { return Ok(None) };
    text.only(&["format", "verbosity"])?;
    let Some(format) = text.opt_obj("format")? else { return Ok(None) };
    if format.word("type", &["text", "json_object", "json_schema"])? != "json_schema" {
        return Ok(None);
    }
    format.only(&["type", "name", "schema", "strict", "description"])?;
    format.tool_name("name")?;
    let schema = format.object_schema("schema")?;
    if format.flag("strict")? {
        closed("text.format.schema", &schema)?;
    }
    Ok(Some(schema))
}

fn items(asked: &Asked, answer: &Answer) -> Vec<Value> {
    let mut items = Vec::new();
    if let Some(thought) = &answer.thought {
        let summary =
            if asked.thoughts { json!([{"type": "summary_text", "text": thought}]) } else { json!([]) };
        let mut item = json!({"id": "rs_1", "type": "reasoning", "summary": summary});
        if asked.encrypted {
            item["encrypted_content"] = json!(MARK);
        }
        items.push(item);
    }
    if !answer.text.is_empty() {
        let part =
            json!({"type": "output_text", "annotations": [], "logprobs": [], "text": answer.text.concat()});
        let status = if broken_off(answer).is_some() { "incomplete" } else { "completed" };
        items.push(json!({"id": "msg_1", "type": "message", "status": status, "content": [part], "role": "assistant"}));
    }
    items.extend(answer.calls.iter().map(|call| function_call(call, &call.args.to_string(), "completed")));
    items
}

fn function_call(call: &Call, arguments: &str, status: &str) -> Value {
    json!({"id": format!("fc_{}", call.key), "type": "function_call", "status": status, "arguments": arguments,
        "call_id": format!("call_{}", call.key), "name": call.name})
}

fn broken_off(answer: &Answer) -> Option<&'static str> {
    match answer.stop {
        Stop::Length => Some("max_output_tokens"),
        Stop::Filter => Some("content_filter"),
        Stop::End | Stop::Sequence(_) | Stop::Tools => None,
    }
}

fn response(asked: &Asked, status: &str, reason: Option<&str>, output: &[Value], usage: Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_760_000_000, "status": status, "background": false,
        "error": null, "incomplete_details": reason.map(|reason| json!({"reason": reason})), "instructions": null,
        "max_output_tokens": asked.max_tokens, "model": asked.model, "output": output, "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": {"effort": null, "summary": null}, "service_tier": "default",
        "store": false, "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
        "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": null, "metadata": {},
    })
}

pub(super) fn say(asked: &Asked, answer: &Answer) -> Spoken {
    let usage = json!({
        "input_tokens": usage::INPUT, "input_tokens_details": {"cached_tokens": usage::CACHED},
        "output_tokens": usage::OUTPUT, "output_tokens_details": {"reasoning_tokens": usage::REASONING},
        "total_tokens": usage::INPUT + usage::OUTPUT,
    });
    let reason = broken_off(answer);
    let status = if reason.is_some() { "incomplete" } else { "completed" };
    let items = items(asked, answer);
    let done = response(asked, status, reason, &items, usage);
    if !asked.stream {
        return Spoken::json(200, &done);
    }
    let begun = response(asked, "in_progress", None, &[], Value::Null);
    let mut events = vec![
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.in_progress", "response": begun}),
    ];
    let mut calls = answer.calls.iter();
    for (index, item) in items.iter().enumerate() {
        match item["type"].as_str() {
            Some("reasoning") => reasoning_events(index, item, &mut events),
            Some("message") => message_events(index, item, answer, &mut events),
            _ => call_events(index, item, calls.next().expect("an item for each call"), &mut events),
        }
    }
    events.push(json!({"type": format!("response.{status}"), "response": done}));
    let frame = |(number, mut one): (usize, Value)| {
        one["sequence_number"] = json!(number);
        event(one["type"].as_str().unwrap_or_default(), &one)
    };
    streamed("text/event-stream; charset=utf-8", events.into_iter().enumerate().map(frame).collect())
}

fn reasoning_events(index: usize, item: &Value, events: &mut Vec<Value>) {
    let mut begun = item.clone();
    begun["summary"] = json!([]);
    events.push(json!({"type": "response.output_item.added", "output_index": index, "item": begun}));
    if item["summary"][0].is_object() {
        let with = |kind: &str, key: &str, value: Value| {
            json!({"type": format!("response.reasoning_summary_{kind}"), "item_id": "rs_1", "output_index": index,
                "summary_index": 0, key: value})
        };
        events.push(with("part.added", "part", json!({"type": "summary_text", "text": ""})));
        events.extend(THOUGHT.map(|piece| with("text.delta", "delta", json!(piece))));
        events.push(with("text.done", "text", json!(THOUGHT.concat())));
        events.push(with("part.done", "part", item["summary"][0].clone()));
    }
    events.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
}

fn message_events(index: usize, item: &Value, answer: &Answer, events: &mut Vec<Value>) {
    let mut begun = item.clone();
    (begun["content"], begun["status"]) = (json!([]), json!("in_progress"));
    events.push(json!({"type": "response.output_item.added", "output_index": index, "item": begun}));
    let empty = json!({"type": "output_text", "annotations": [], "logprobs": [], "text": ""});
    let at = |kind: &str, key: &str, value: Value| {
        json!({"type": format!("response.{kind}"), "item_id": "msg_1", "output_index": index, "content_index": 0,
            key: value})
    };
    events.push(at("content_part.added", "part", empty));
    for piece in &answer.text {
        let mut delta = at("output_text.delta", "delta", json!(piece));
        delta["logprobs"] = json!([]);
        events.push(delta);
    }
    let mut done = at("output_text.done", "text", json!(answer.text.concat()));
    done["logprobs"] = json!([]);
    events.push(done);
    events.push(at("content_part.done", "part", item["content"][0].clone()));
    events.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
}

fn call_events(index: usize, item: &Value, call: &Call, events: &mut Vec<Value>) {
    let begun = function_call(call, "", "in_progress");
    events.push(json!({"type": "response.output_item.added", "output_index": index, "item": begun}));
    let with = |kind: &str, key: &str, value: &str| {
        json!({"type": format!("response.function_call_arguments.{kind}"), "item_id": item["id"],
            "output_index": index, key: value})
    };
    events.extend(call.pieces().iter().map(|piece| with("delta", "delta", piece)));
    let mut done = with("done", "arguments", &call.args.to_string());
    done["name"] = json!(call.name);
    events.push(done);
    events.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
}

pub(super) fn broken(text: &str) -> Vec<u8> {
    let error = json!({"type": "server_error", "code": "server_error", "message": text, "param": null});
    event("error", &json!({"type": "error", "sequence_number": 99, "error": error}))
}

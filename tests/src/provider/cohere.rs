//! Cohere v2 chat.

use super::chat::{no_open_calls, own_id};
use super::check::{Checked, Obj, data_url};
use super::{
    Answer, Asked, Choice, Fault, Part, Role, Stop, THOUGHT, Tool, authorised, event, invalid, push,
    results_match_calls, streamed, usage,
};
use crate::speak::Spoken;
use crate::upstream::Recorded;
use serde_json::{Value, json};

const KNOWN: [&str; 20] = [
    "model",
    "messages",
    "tools",
    "strict_tools",
    "documents",
    "citation_options",
    "response_format",
    "safety_mode",
    "max_tokens",
    "stop_sequences",
    "temperature",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "k",
    "p",
    "logprobs",
    "tool_choice",
    "thinking",
    "priority",
];

pub(super) fn read(request: &Recorded, body: &Value) -> Result<Asked, (Fault, String)> {
    if request.path() != "/v2/chat" {
        return Err((Fault::NotFound, format!("unknown path {}", request.path())));
    }
    authorised(request, &[("authorization", "Bearer ")])?;
    invalid(asked(body))
}

fn asked(body: &Value) -> Checked<Asked> {
    let top = Obj::new("", body)?;
    top.only(&[&KNOWN[..], &["stream"]].concat())?;
    top.opt_number("temperature", 0.0, 1.0)?;
    top.opt_number("p", 0.01, 0.99)?;
    top.opt_number("k", 0.0, 500.0)?;
    top.opt_number("frequency_penalty", 0.0, 1.0)?;
    top.opt_number("presence_penalty", 0.0, 1.0)?;
    top.need("stream")?;
    let mut asked = Asked {
        model: top.text("model")?.into(),
        stream: top.flag("stream")?,
        max_tokens: top.opt_count("max_tokens", 1)?,
        stops: top.texts("stop_sequences", 5)?,
        ..Asked::default()
    };
    for message in top.objects("messages")? {
        read_message(&message, &mut asked)?;
    }
    if asked.turns.is_empty() {
        return Err("messages: must not be empty".into());
    }
    results_match_calls(&asked.turns)?;
    asked.tools = top.opt_objects("tools")?.iter().map(tool).collect::<Checked<_>>()?;
    if top.opt("tool_choice").is_some() {
        if asked.tools.is_empty() {
            return Err("tool_choice: must be used with tools".into());
        }
        let required = top.word("tool_choice", &["REQUIRED", "NONE"])? == "REQUIRED";
        asked.choice = if required { Choice::Required } else { Choice::None };
    }
    if let Some(thinking) = top.opt_obj("thinking")? {
        thinking.only(&["type", "token_budget"])?;
        thinking.opt_count("token_budget", 1)?;
        asked.reasoning = thinking.word("type", &["enabled", "disabled"])? == "enabled";
    }
    if let Some(format) = top.opt_obj("response_format")? {
        format.only(&["type", "json_schema"])?;
        if format.word("type", &["text", "json_object"])? == "json_object" && !asked.tools.is_empty() {
            return Err("response_format: not supported in combination with tools".into());
        }
        if format.opt("json_schema").is_some() {
            asked.schema = Some(format.object_schema("json_schema")?);
        }
    }
    Ok(asked)
}

fn read_message(message: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    match message.word("role", &["system", "user", "assistant", "tool"])? {
        "system" => {
            message.only(&["role", "content"])?;
            asked.system.push_str(&texts(message, &["text"])?);
        }
        "user" => {
            message.only(&["role", "content"])?;
            no_open_calls(&message.at, asked)?;
            push(&mut asked.turns, Role::User, content(message, &["text", "image_url"])?);
        }
        "assistant" => {
            message.only(&["role", "content", "tool_calls", "tool_plan", "citations"])?;
            let calls = message.opt_objects("tool_calls")?;
            let mut parts = if message.opt("content").is_some() {
                content(message, &["text", "thinking"])?
            } else {
                Vec::new()
            };
            message.opt_text("tool_plan")?;
            for call in &calls {
                call.only(&["id", "type", "function"])?;
                call.word("type", &["function"])?;
                let function = call.obj("function")?;
                function.only(&["name", "arguments"])?;
                let args = serde_json::from_str(function.text("arguments")?)
                    .map_err(|_| format!("{}.arguments: not JSON", function.at))?;
                let name = function.tool_name("name")?;
                parts.push(Part::Call { id: own_id(call, "id", "cohere_")?, name, args, mark: None });
            }
            if parts.is_empty() {
                return Err(format!("{}: must have content or tool_calls", message.at));
            }
            push(&mut asked.turns, Role::Assistant, parts);
        }
        _ => {
            message.only(&["role", "content", "tool_call_id"])?;
            let result = Part::Result {
                id: own_id(message, "tool_call_id", "cohere_")?,
                text: texts(message, &["text", "document"])?,
            };
            push(&mut asked.turns, Role::User, vec![result]);
        }
    }
    Ok(())
}

fn texts(message: &Obj<'_>, kinds: &[&str]) -> Checked<String> {
    let text = |part| if let Part::Text(text) = part { text } else { String::new() };
    Ok(content(message, kinds)?.into_iter().map(text).collect())
}

fn content(message: &Obj<'_>, kinds: &[&str]) -> Checked<Vec<Part>> {
    if let Value::String(text) = message.need("content")? {
        return Ok(vec![Part::Text(text.clone())]);
    }
    let part = |part: &Obj<'_>| match part.word("type", kinds)? {
        "text" => {
            part.only(&["type", "text"])?;
            Ok(Part::Text(part.text("text")?.to_owned()))
        }
        "thinking" => {
            part.only(&["type", "thinking"])?;
            Ok(Part::Thought { text: part.text("thinking")?.to_owned(), mark: None })
        }
        "document" => {
            part.only(&["type", "document"])?;
            let document = part.obj("document")?;
            document.only(&["data", "id"])?;
            Ok(Part::Text(document.need("data")?.to_string()))
        }
        _ => {
            part.only(&["type", "image_url"])?;
            let image = part.obj("image_url")?;
            image.only(&["url", "detail"])?;
            let (mime, bytes) = data_url(&image.at, image.text("url")?)?;
            Ok(Part::Image { mime, bytes })
        }
    };
    message.objects("content")?.iter().map(part).collect()
}

fn tool(tool: &Obj<'_>) -> Checked<Tool> {
    tool.only(&["type", "function"])?;
    tool.word("type", &["function"])?;
    let function = tool.obj("function")?;
    function.only(&["name", "description", "parameters"])?;
    let described = function.opt_text("description")?.is_some_and(|text| !text.is_empty());
    Ok(Tool { name: function.tool_name("name")?, described, schema: function.object_schema("parameters")? })
}

fn reported() -> Value {
    json!({
        "billed_units": {"input_tokens": usage::INPUT, "output_tokens": usage::OUTPUT},
        "tokens": {"input_tokens": usage::INPUT, "output_tokens": usage::OUTPUT, "reasoning_tokens": usage::REASONING},
        "cached_tokens": usage::CACHED,
    })
}

fn finish(answer: &Answer) -> &'static str {
    match answer.stop {
        // There is no word for a filter: what was said so far is an ordinary answer.
        Stop::End | Stop::Filter => "COMPLETE",
        Stop::Length => "MAX_TOKENS",
        Stop::Sequence(_) => "STOP_SEQUENCE",
        Stop::Tools => "TOOL_CALL",
    }
}

pub(super) fn say(asked: &Asked, answer: &Answer) -> Spoken {
    if asked.stream {
        return stream(answer);
    }
    let mut message = json!({"role": "assistant"});
    let mut content = Vec::new();
    if let Some(thought) = &answer.thought {
        content.push(json!({"type": "thinking", "thinking": thought}));
    }
    if answer.calls.is_empty() {
        content.push(json!({"type": "text", "text": answer.text.concat()}));
    } else {
        message["tool_plan"] = json!(answer.text.concat());
        message["tool_calls"] =
            answer.calls.iter().map(|call| tool_call(call, &call.args.to_string())).collect();
    }
    if !content.is_empty() {
        message["content"] = json!(content);
    }
    let body =
        json!({"id": "made-up", "message": message, "finish_reason": finish(answer), "usage": reported()});
    Spoken::json(200, &body)
}

fn tool_call(call: &super::Call, arguments: &str) -> Value {
    json!({"id": format!("cohere_{}", call.key), "type": "function",
        "function": {"name": call.name, "arguments": arguments}})
}

fn stream(answer: &Answer) -> Spoken {
    let mut events = vec![json!({"id": "made-up", "type": "message-start", "delta": {"message":
        {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}})];
    let mut index = 0;
    let mut block = |kind: &str, pieces: Vec<&str>, events: &mut Vec<Value>| {
        let delta = |content: Value| json!({"message": {"content": content}});
        events.push(
            json!({"type": "content-start", "index": index, "delta": delta(json!({"type": kind, kind: ""}))}),
        );
        events.extend(pieces.iter().map(
            |piece| json!({"type": "content-delta", "index": index, "delta": delta(json!({kind: piece}))}),
        ));
        events.push(json!({"type": "content-end", "index": index}));
        index += 1;
    };
    if answer.thought.is_some() {
        block("thinking", THOUGHT.to_vec(), &mut events);
    }
    if answer.calls.is_empty() {
        block("text", answer.text.iter().map(String::as_str).collect(), &mut events);
    } else {
        let plan = |piece| json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}});
        events.extend(answer.text.iter().map(plan));
    }
    for (index, call) in answer.calls.iter().enumerate() {
        let delta = |calls: Value| json!({"message": {"tool_calls": calls}});
        events.push(json!({"type": "tool-call-start", "index": index, "delta": delta(tool_call(call, ""))}));
        events.extend(call.pieces().iter().map(|piece| {
            json!({"type": "tool-call-delta", "index": index, "delta": delta(json!({"function": {"arguments": piece}}))})
        }));
        events.push(json!({"type": "tool-call-end", "index": index}));
    }
    events.push(
        json!({"type": "message-end", "delta": {"finish_reason": finish(answer), "usage": reported()}}),
    );
    let frame = |one: &Value| event(one["type"].as_str().unwrap_or_default(), one);
    let mut frames: Vec<Vec<u8>> = events.iter().map(frame).collect();
    frames.push(b"data: [DONE]\n\n".to_vec());
    streamed("text/event-stream", frames)
}

pub(super) fn broken(text: &str) -> Vec<u8> {
    event("message-end", &json!({"type": "message-end", "delta": {"error": text, "finish_reason": "ERROR"}}))
}

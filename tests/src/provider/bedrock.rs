//! Bedrock Converse, and `ConverseStream` in its binary framing.

use super::chat::own_id;
use super::check::{Checked, Obj};
use super::{
    Answer, Asked, Choice, Fault, MARK, Part, Role, Stop, THOUGHT, Tool, authorised, invalid, push,
    results_match_calls, scene, streamed, usage,
};
use crate::speak::Spoken;
use crate::upstream::Recorded;
use serde_json::{Value, json};

const KNOWN: [&str; 12] = [
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "guardrailConfig",
    "additionalModelRequestFields",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
    "outputConfig",
];

pub(super) fn read(request: &Recorded, body: &Value) -> Result<Asked, (Fault, String)> {
    let cut = request.path().strip_prefix("/model/").and_then(|rest| rest.split_once('/'));
    let (model, stream) = match cut {
        Some((model, "converse")) => (model, false),
        Some((model, "converse-stream")) => (model, true),
        _ => return Err((Fault::NotFound, format!("unknown path {}", request.path()))),
    };
    authorised(request, &[("authorization", "Bearer "), ("authorization", "AWS4-HMAC-SHA256 Credential=")])?;
    let signed = request.headers.get("authorization").is_some_and(|value| value.starts_with("AWS4"));
    if signed && !["x-amz-date"].iter().all(|name| request.headers.get(name).is_some()) {
        return Err((Fault::Unauthorised, "a signature needs x-amz-date".into()));
    }
    invalid(asked(body, &model.replace("%3A", ":"), stream))
}

fn asked(body: &Value, model: &str, stream: bool) -> Checked<Asked> {
    let top = Obj::new("", body)?;
    top.only(&KNOWN)?;
    let mut asked = Asked { model: model.into(), stream, ..Asked::default() };
    for block in top.opt_objects("system")? {
        if block.one_of(&["text", "guardContent", "cachePoint"], &[])? == "text" {
            asked.system.push_str(filled(&block)?);
        }
    }
    for (index, message) in top.objects("messages")?.iter().enumerate() {
        message.only(&["role", "content"])?;
        let user = message.word("role", &["user", "assistant"])? == "user";
        if user != (index % 2 == 0) {
            return Err(format!(
                "{}: roles must alternate between user and assistant, user first",
                message.at
            ));
        }
        let role = if user { Role::User } else { Role::Assistant };
        let blocks = message.objects("content")?;
        if blocks.is_empty() {
            return Err(format!("{}.content: must not be empty", message.at));
        }
        let parts = blocks.iter().map(|block| read_block(block, role)).collect::<Checked<Vec<_>>>()?;
        push(&mut asked.turns, role, parts.into_iter().flatten().collect());
    }
    results_match_calls(&asked.turns)?;
    if let Some(config) = top.opt_obj("inferenceConfig")? {
        config.only(&["maxTokens", "temperature", "topP", "stopSequences"])?;
        config.opt_number("temperature", 0.0, 1.0)?;
        config.opt_number("topP", 0.0, 1.0)?;
        asked.max_tokens = config.opt_count("maxTokens", 1)?;
        asked.stops = config.texts("stopSequences", 2500)?;
    }
    tools(&top, &mut asked)?;
    output(&top, &mut asked)?;
    scene::signed(&asked, false)?;
    Ok(asked)
}

fn filled<'a>(block: &Obj<'a>) -> Checked<&'a str> {
    let text = block.text("text")?;
    if text.trim().is_empty() { Err(format!("{}: the text field is blank", block.at)) } else { Ok(text) }
}

/// A block; `None` for a cache point.
fn read_block(block: &Obj<'_>, role: Role) -> Checked<Option<Part>> {
    let kinds = ["text", "image", "toolUse", "toolResult", "reasoningContent", "cachePoint"];
    let part = match (block.one_of(&kinds, &[])?, role) {
        ("text", _) => Part::Text(filled(block)?.to_owned()),
        ("cachePoint", _) => {
            block.obj("cachePoint")?.word("type", &["default"])?;
            return Ok(None);
        }
        ("image", Role::User) => {
            let image = block.obj("image")?;
            image.only(&["format", "source"])?;
            let format = image.word("format", &["png", "jpeg", "gif", "webp"])?;
            let source = image.obj("source")?;
            source.one_of(&["bytes"], &[])?;
            Part::Image { mime: format!("image/{format}"), bytes: source.bytes("bytes")? }
        }
        ("toolUse", Role::Assistant) => {
            let call = block.obj("toolUse")?;
            call.only(&["toolUseId", "name", "input", "type"])?;
            let args = call.need("input")?.clone();
            Part::Call {
                id: own_id(&call, "toolUseId", "tooluse_")?,
                name: call.tool_name("name")?,
                args,
                mark: None,
            }
        }
        ("toolResult", Role::User) => {
            let result = block.obj("toolResult")?;
            result.only(&["toolUseId", "content", "status", "type"])?;
            if result.opt("status").is_some() {
                result.word("status", &["success", "error"])?;
            }
            let mut text = String::new();
            for one in result.objects("content")? {
                match one.one_of(&["text", "json"], &[])? {
                    "text" => text.push_str(one.text("text")?),
                    _ => text.push_str(&one.need("json")?.to_string()),
                }
            }
            Part::Result { id: own_id(&result, "toolUseId", "tooluse_")?, text }
        }
        ("reasoningContent", Role::Assistant) => {
            let reasoning = block.obj("reasoningContent")?;
            reasoning.one_of(&["reasoningText"], &[])?;
            let said = reasoning.obj("reasoningText")?;
            said.only(&["text", "signature"])?;
            let mark = said.opt_text("signature")?.map(str::to_owned);
            Part::Thought { text: said.text("text")?.to_owned(), mark }
        }
        (kind, role) => return Err(format!("{}: `{kind}` is not allowed for {role:?}", block.at)),
    };
    Ok(Some(part))
}

fn tools(top: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    let used = asked.turns.iter().flat_map(|turn| &turn.parts).any(|part| part.call_id().is_some());
    let Some(config) = top.opt_obj("toolConfig")? else {
        return if used {
            Err("toolConfig: must be defined when using toolUse and toolResult content blocks".into())
        } else {
            Ok(())
        };
    };
    config.only(&["tools", "toolChoice"])?;
    for tool in config.objects("tools")? {
        if tool.one_of(&["toolSpec", "cachePoint"], &[])? == "cachePoint" {
            continue;
        }
        let spec = tool.obj("toolSpec")?;
        spec.only(&["name", "description", "inputSchema", "strict"])?;
        let schema = spec.obj("inputSchema")?;
        schema.one_of(&["json"], &[])?;
        let described = match spec.opt_text("description")? {
            Some("") => return Err(format!("{}.description: must not be empty", spec.at)),
            described => described.is_some(),
        };
        asked.tools.push(Tool {
            name: spec.tool_name("name")?,
            described,
            schema: schema.object_schema("json")?,
        });
    }
    if asked.tools.is_empty() {
        return Err("toolConfig.tools: at least one tool is needed".into());
    }
    if let Some(choice) = config.opt_obj("toolChoice")? {
        asked.choice = match choice.one_of(&["auto", "any", "tool"], &[])? {
            "auto" => Choice::Auto,
            "any" => Choice::Required,
            _ => choice.obj("tool")?.tool_name("name").map(|_| Choice::Named)?,
        };
    }
    Ok(())
}

fn output(top: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    if let Some(config) = top.opt_obj("outputConfig")? {
        config.only(&["textFormat", "effort"])?;
        if let Some(format) = config.opt_obj("textFormat")? {
            format.only(&["type", "structure"])?;
            format.word("type", &["json_schema"])?;
            let structure = format.obj("structure")?;
            structure.one_of(&["jsonSchema"], &[])?;
            let named = structure.obj("jsonSchema")?;
            named.only(&["schema", "name", "description"])?;
            let schema: Value = serde_json::from_str(named.text("schema")?)
                .map_err(|error| format!("{}.schema: must be JSON in a string: {error}", named.at))?;
            asked.schema = Some(schema);
        }
    }
    let Some(fields) = top.opt_obj("additionalModelRequestFields")? else { return Ok(()) };
    if let Some(thinking) = fields.opt_obj("thinking")? {
        if thinking.word("type", &["enabled", "disabled", "adaptive"])? == "enabled" {
            let budget =
                thinking.opt_count("budget_tokens", 1024)?.ok_or("thinking.budget_tokens: field required")?;
            if asked.max_tokens.is_some_and(|most| most <= budget) {
                return Err(format!("maxTokens must be greater than thinking.budget_tokens ({budget})"));
            }
        }
        asked.reasoning = thinking.text("type")? != "disabled";
        asked.thoughts = asked.reasoning;
        if asked.reasoning && matches!(asked.choice, Choice::Required | Choice::Named) {
            return Err("thinking may not be enabled when toolChoice forces tool use".into());
        }
    }
    Ok(())
}

fn stop(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::End => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Sequence(_) => "stop_sequence",
        Stop::Filter => "content_filtered",
        Stop::Tools => "tool_use",
    }
}

fn reported() -> Value {
    json!({
        "inputTokens": usage::INPUT - usage::CACHED, "outputTokens": usage::OUTPUT,
        "totalTokens": usage::INPUT + usage::OUTPUT, "cacheReadInputTokens": usage::CACHED,
        "cacheWriteInputTokens": 0,
    })
}

pub(super) fn say(asked: &Asked, answer: &Answer) -> Spoken {
    if asked.stream {
        return stream(answer);
    }
    let mut content = Vec::new();
    if let Some(thought) = &answer.thought {
        content.push(json!({"reasoningContent": {"reasoningText": {"text": thought, "signature": MARK}}}));
    }
    if !answer.text.is_empty() {
        content.push(json!({"text": answer.text.concat()}));
    }
    content.extend(answer.calls.iter().map(|call| {
        json!({"toolUse": {"toolUseId": format!("tooluse_{}", call.key), "name": call.name, "input": call.args}})
    }));
    let body = json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop(answer),
        "usage": reported(), "metrics": {"latencyMs": 12}});
    Spoken::json(200, &body)
}

fn stream(answer: &Answer) -> Spoken {
    let mut frames = vec![frame("event", "messageStart", &json!({"role": "assistant"}))];
    let mut index = 0;
    let mut block = |start: Option<Value>, deltas: Vec<Value>| {
        if let Some(start) = start {
            frames.push(frame(
                "event",
                "contentBlockStart",
                &json!({"contentBlockIndex": index, "start": start}),
            ));
        }
        frames.extend(deltas.iter().map(|delta| {
            frame("event", "contentBlockDelta", &json!({"contentBlockIndex": index, "delta": delta}))
        }));
        frames.push(frame("event", "contentBlockStop", &json!({"contentBlockIndex": index})));
        index += 1;
    };
    if answer.thought.is_some() {
        let mut deltas: Vec<Value> =
            THOUGHT.iter().map(|text| json!({"reasoningContent": {"text": text}})).collect();
        deltas.push(json!({"reasoningContent": {"signature": MARK}}));
        block(None, deltas);
    }
    if !answer.text.is_empty() {
        block(None, answer.text.iter().map(|text| json!({"text": text})).collect());
    }
    for call in &answer.calls {
        let start = json!({"toolUse": {"toolUseId": format!("tooluse_{}", call.key), "name": call.name}});
        block(Some(start), call.pieces().iter().map(|piece| json!({"toolUse": {"input": piece}})).collect());
    }
    frames.push(frame("event", "messageStop", &json!({"stopReason": stop(answer)})));
    frames.push(frame("event", "metadata", &json!({"usage": reported(), "metrics": {"latencyMs": 12}})));
    streamed("application/vnd.amazon.eventstream", frames)
}

/// One message of the event stream: a prelude with its checksum, headers, payload, and a checksum of it all.
fn frame(message: &str, name: &str, payload: &Value) -> Vec<u8> {
    let mut padded = payload.clone();
    padded["p"] = json!("abcdefgh");
    let payload = padded.to_string().into_bytes();
    let kind = if message == "event" { ":event-type" } else { ":exception-type" };
    let mut headers = Vec::new();
    for (key, value) in [(kind, name), (":content-type", "application/json"), (":message-type", message)] {
        headers.push(u8::try_from(key.len()).expect("header names are short"));
        headers.extend_from_slice(key.as_bytes());
        headers.push(7);
        headers
            .extend_from_slice(&u16::try_from(value.len()).expect("header values are short").to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let size = |bytes: usize| u32::try_from(bytes).expect("frames are small").to_be_bytes();
    let mut out = size(16 + headers.len() + payload.len()).to_vec();
    out.extend_from_slice(&size(headers.len()));
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(&payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

pub(super) fn broken(text: &str) -> Vec<u8> {
    frame("exception", "modelStreamErrorException", &json!({"message": text, "originalStatusCode": 500}))
}

/// The name of the exception for `fault`, as its header has it.
pub(super) fn exception(fault: Fault) -> &'static str {
    match fault {
        Fault::Invalid => "ValidationException",
        Fault::Unauthorised => "UnrecognizedClientException",
        Fault::NotFound => "UnknownOperationException",
        Fault::Limited => "ThrottlingException",
        Fault::Overloaded => "ServiceUnavailableException",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_its_own_length_and_checksums() {
        let bytes = frame("event", "messageStart", &json!({"role": "assistant"}));
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(word(0) as usize, bytes.len());
        assert_eq!(word(8), crc32fast::hash(&bytes[..8]));
        assert_eq!(word(bytes.len() - 4), crc32fast::hash(&bytes[..bytes.len() - 4]));
    }
}

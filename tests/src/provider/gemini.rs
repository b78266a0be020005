//! Gemini generateContent and streamGenerateContent, as AI Studio serves them.

use super::check::{Checked, Obj};
use super::{
    Answer, Asked, Choice, Fault, MARK, Part, Role, Stop, THOUGHT, Tool, authorised, invalid, push,
    results_match_calls, scene, streamed, usage,
};
use crate::speak::Spoken;
use crate::upstream::Recorded;
use serde_json::{Value, json};

const KNOWN: [&str; 9] = [
    "contents",
    "systemInstruction",
    "generationConfig",
    "tools",
    "toolConfig",
    "safetySettings",
    "cachedContent",
    "serviceTier",
    "store",
];
const CONFIG: [&str; 24] = [
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "responseLogprobs",
    "logprobs",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "mediaResolution",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "enableEnhancedCivicAnswers",
    "audioTranscriptionConfig",
    "responseFormat",
    "translationConfig",
    "_responseJsonSchema",
];
/// What the OpenAPI subset of `parameters` and `responseSchema` knows.
const SCHEMA: [&str; 26] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "items",
    "minimum",
    "maximum",
    "additionalProperties",
    "prefixItems",
    "defs",
    "ref",
];

pub(super) fn read(request: &Recorded, body: &Value) -> Result<Asked, (Fault, String)> {
    let path = request.path();
    let under = path.strip_prefix("/v1beta/models/").or_else(|| path.strip_prefix("/v1/models/"));
    let Some((model, action)) = under.and_then(|rest| rest.split_once(':')) else {
        return Err((Fault::NotFound, format!("unknown path {path}")));
    };
    let stream = match action {
        "generateContent" => false,
        "streamGenerateContent" if request.target.contains("alt=sse") => true,
        other => return Err((Fault::NotFound, format!("unknown action {other} (a stream needs alt=sse)"))),
    };
    if !request.target.contains("key=") {
        authorised(request, &[("x-goog-api-key", "")])?;
    }
    let body = camel(body, "");
    invalid(asked(&body, model, stream))
}

/// Names in camel case, as either spelling is taken; what is a map of the user's own stays as it is.
fn camel(value: &Value, under: &str) -> Value {
    let own = ["args", "response", "parametersJsonSchema", "responseJsonSchema", "properties"];
    match value {
        Value::Object(map) if !own.contains(&under) => {
            let entry = |(key, value): (&String, &Value)| {
                let mut name = String::new();
                let mut upper = false;
                for c in key.chars() {
                    if c == '_' && !name.is_empty() {
                        upper = true;
                    } else {
                        name.push(if upper { c.to_ascii_uppercase() } else { c });
                        upper = false;
                    }
                }
                let value = camel(value, &name);
                (name, value)
            };
            Value::Object(map.iter().map(entry).collect())
        }
        Value::Array(list) => list.iter().map(|one| camel(one, under)).collect(),
        other => other.clone(),
    }
}

fn asked(body: &Value, model: &str, stream: bool) -> Checked<Asked> {
    let top = Obj::new("", body)?;
    top.only(&KNOWN)?;
    let mut asked = Asked { model: model.into(), stream, ..Asked::default() };
    if let Some(system) = top.opt_obj("systemInstruction")? {
        system.only(&["role", "parts"])?;
        for part in system.objects("parts")? {
            part.only(&["text"])?;
            asked.system.push_str(part.text("text")?);
        }
    }
    contents(&top, &mut asked)?;
    results_match_calls(&asked.turns)?;
    if let Some(config) = top.opt_obj("generationConfig")? {
        generation(&config, &mut asked)?;
    }
    for tool in top.opt_objects("tools")? {
        tool.only(&["functionDeclarations"])?;
        for declaration in tool.objects("functionDeclarations")? {
            asked.tools.push(function(&declaration)?);
        }
    }
    asked.choice = choice(&top, &asked.tools)?;
    scene::signed(&asked, true)?;
    Ok(asked)
}

/// A call of the turn before: its place, the id that the caller made for it if any, and its name.
type Open = (String, Option<String>, String);

/// Calls need no ids here: the n-th result of a turn belongs to the n-th call of the turn before, by name too. Ids
/// that a caller makes up are taken as long as a result has that of its call.
fn contents(top: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    let mut open: Vec<Open> = Vec::new();
    let mut made = 0;
    for content in top.objects("contents")? {
        content.only(&["role", "parts"])?;
        let role = match content.opt("role") {
            None => Role::User,
            Some(_) if content.word("role", &["user", "model"])? == "model" => Role::Assistant,
            Some(_) => Role::User,
        };
        let parts = content.objects("parts")?;
        if parts.is_empty() {
            return Err(format!("{}.parts: must not be empty", content.at));
        }
        let mut read = Vec::new();
        for part in &parts {
            if part.opt("functionResponse").is_some() {
                read.push(read_result(part, role, &mut open)?);
                continue;
            }
            let one = read_part(part, role, &mut made)?;
            if let Part::Call { id, name, .. } = &one {
                open.push((
                    id.clone(),
                    part.obj("functionCall")?.opt_text("id")?.map(str::to_owned),
                    name.clone(),
                ));
            }
            read.push(one);
        }
        push(&mut asked.turns, role, read);
    }
    if asked.turns.is_empty() { Err("contents: must not be empty".into()) } else { Ok(()) }
}

fn read_result(part: &Obj<'_>, role: Role, open: &mut Vec<Open>) -> Checked<Part> {
    part.only(&["functionResponse", "thoughtSignature", "partMetadata"])?;
    let answer = part.obj("functionResponse")?;
    if role != Role::User {
        return Err(format!("{}: a functionResponse must be of role user", answer.at));
    }
    answer.only(&["id", "name", "response", "parts", "willContinue", "scheduling"])?;
    if open.is_empty() {
        return Err(format!(
            "{}: the number of function responses exceeds that of the calls before",
            answer.at
        ));
    }
    let (place, own, name) = open.remove(0);
    let id = answer.opt_text("id")?;
    if id != own.as_deref() {
        return Err(format!("{}.id: {id:?}, but the call in its place has {own:?}", answer.at));
    }
    let have = answer.text("name")?;
    if have != name {
        return Err(format!("{}.name: `{have}`, but the call in its place is of `{name}`", answer.at));
    }
    answer.obj("response")?;
    Ok(Part::Result { id: place, text: answer.need("response")?.to_string() })
}

fn read_part(part: &Obj<'_>, role: Role, made: &mut usize) -> Checked<Part> {
    let beside = ["thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"];
    let mark = part.opt_text("thoughtSignature")?.map(str::to_owned);
    match (part.one_of(&["text", "inlineData", "functionCall"], &beside)?, role) {
        ("text", _) if part.flag("thought")? => {
            Ok(Part::Thought { text: part.text("text")?.to_owned(), mark })
        }
        ("text", _) => Ok(Part::Text(part.text("text")?.to_owned())),
        ("inlineData", Role::User) => {
            let data = part.obj("inlineData")?;
            data.only(&["mimeType", "data", "displayName"])?;
            // Either alphabet of base64 is taken: the official SDK sends the one made for URLs.
            let text = data.text("data")?.replace('-', "+").replace('_', "/");
            let bytes = super::check::bytes(&data.at, &text)?;
            Ok(Part::Image { mime: data.text("mimeType")?.to_owned(), bytes })
        }
        ("functionCall", Role::Assistant) => {
            let call = part.obj("functionCall")?;
            call.only(&["id", "name", "args"])?;
            *made += 1;
            let args = call.opt("args").cloned().unwrap_or_else(|| json!({}));
            Ok(Part::Call { id: format!("#{made}"), name: call.tool_name("name")?, args, mark })
        }
        (kind, role) => Err(format!("{}: `{kind}` is not allowed for {role:?}", part.at)),
    }
}

fn generation(config: &Obj<'_>, asked: &mut Asked) -> Checked<()> {
    config.only(&CONFIG)?;
    config.opt_number("temperature", 0.0, 2.0)?;
    config.opt_number("topP", 0.0, 1.0)?;
    asked.max_tokens = config.opt_count("maxOutputTokens", 1)?;
    asked.stops = config.texts("stopSequences", 5)?;
    if let Some(thinking) = config.opt_obj("thinkingConfig")? {
        thinking.only(&["includeThoughts", "thinkingBudget", "thinkingLevel"])?;
        if thinking.opt("thinkingBudget").is_some() && thinking.opt("thinkingLevel").is_some() {
            return Err("thinkingConfig: thinkingBudget and thinkingLevel exclude each other".into());
        }
        asked.reasoning = thinking.opt("thinkingBudget").is_none_or(|budget| budget != 0);
        asked.thoughts = thinking.flag("includeThoughts")?;
    }
    let (open, plain) = (config.opt("responseSchema"), config.opt("responseJsonSchema"));
    if open.is_some() && plain.is_some() {
        return Err("generationConfig: responseSchema and responseJsonSchema exclude each other".into());
    }
    if let Some(schema) = open.or(plain) {
        if config.opt_text("responseMimeType")? != Some("application/json") {
            return Err("generationConfig.responseMimeType: must be application/json with a schema".into());
        }
        if open.is_some() {
            known_schema("generationConfig.responseSchema", schema)?;
        }
        asked.schema = Some(schema.clone());
    }
    Ok(())
}

fn known_schema(at: &str, schema: &Value) -> Checked<()> {
    Obj::new(at, schema)?.only(&SCHEMA)?;
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        known_schema(&format!("{at}.properties.{name}"), property)?;
    }
    Ok(())
}

fn function(declaration: &Obj<'_>) -> Checked<Tool> {
    declaration.only(&[
        "name",
        "description",
        "parameters",
        "parametersJsonSchema",
        "response",
        "responseJsonSchema",
        "behavior",
    ])?;
    let schema = match (declaration.opt("parameters"), declaration.opt("parametersJsonSchema")) {
        (Some(_), Some(_)) => return Err(format!("{}: two kinds of parameters", declaration.at)),
        (Some(_), None) => {
            let schema = declaration.object_schema("parameters")?;
            known_schema(&declaration.at, &schema)?;
            schema
        }
        (None, Some(_)) => declaration.object_schema("parametersJsonSchema")?,
        (None, None) => Value::Null,
    };
    let described = declaration.opt_text("description")?.is_some_and(|text| !text.is_empty());
    Ok(Tool { name: declaration.tool_name("name")?, described, schema })
}

fn choice(top: &Obj<'_>, tools: &[Tool]) -> Checked<Choice> {
    let Some(config) = top.opt_obj("toolConfig")? else { return Ok(Choice::Auto) };
    config.only(&["functionCallingConfig", "retrievalConfig", "includeServerSideToolInvocations"])?;
    let Some(calling) = config.opt_obj("functionCallingConfig")? else { return Ok(Choice::Auto) };
    calling.only(&["mode", "allowedFunctionNames", "streamFunctionCallArguments"])?;
    let names = calling.texts("allowedFunctionNames", 128)?;
    if let Some(name) = names.iter().find(|name| !tools.iter().any(|tool| tool.name == **name)) {
        return Err(format!("{}.allowedFunctionNames: `{name}` is not declared", calling.at));
    }
    match calling.word("mode", &["AUTO", "ANY", "NONE", "VALIDATED"])? {
        "ANY" if tools.is_empty() => Err("toolConfig: mode ANY needs function declarations".into()),
        "ANY" => Ok(Choice::Required),
        "NONE" => Ok(Choice::None),
        _ if !names.is_empty() => Err("allowedFunctionNames: only with mode ANY or VALIDATED".into()),
        _ => Ok(Choice::Auto),
    }
}

fn chunk(asked: &Asked, parts: Vec<Value>, finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": usage::INPUT, "cachedContentTokenCount": usage::CACHED,
            "candidatesTokenCount": usage::OUTPUT - usage::REASONING, "thoughtsTokenCount": usage::REASONING,
            "totalTokenCount": usage::INPUT + usage::OUTPUT,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage::INPUT}],
        },
        "modelVersion": asked.model, "responseId": format!("resp-{}-of-the-matrix", asked.turns.len()),
    })
}

pub(super) fn say(asked: &Asked, answer: &Answer) -> Spoken {
    let finish = match answer.stop {
        Stop::End | Stop::Sequence(_) | Stop::Tools => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Filter => "SAFETY",
    };
    let mut pieces: Vec<Value> = Vec::new();
    if answer.thought.is_some() && asked.thoughts {
        pieces.extend(THOUGHT.map(|piece| json!({"text": piece, "thought": true})));
    }
    pieces.extend(answer.text.iter().map(|piece| json!({"text": piece})));
    for (index, call) in answer.calls.iter().enumerate() {
        let mut part = json!({"functionCall": {"name": call.name, "args": call.args}});
        if index == 0 {
            part["thoughtSignature"] = json!(MARK);
        }
        pieces.push(part);
    }
    if !asked.stream {
        return Spoken::json(200, &chunk(asked, joined(pieces), Some(finish)));
    }
    let last = pieces.len().saturating_sub(1);
    let frame = |(index, piece)| {
        let chunk = chunk(asked, vec![piece], (index == last).then_some(finish));
        format!("data: {chunk}\r\n\r\n").into_bytes()
    };
    streamed("text/event-stream", pieces.into_iter().enumerate().map(frame).collect())
}

/// Text of one kind in one part, as a whole answer has it.
fn joined(pieces: Vec<Value>) -> Vec<Value> {
    let mut parts: Vec<Value> = Vec::new();
    for piece in pieces {
        match parts.last_mut() {
            Some(last)
                if piece["text"].is_string()
                    && last["text"].is_string()
                    && last["thought"] == piece["thought"] =>
            {
                let both = last["text"].as_str().unwrap_or_default().to_owned()
                    + piece["text"].as_str().unwrap_or_default();
                last["text"] = json!(both);
            }
            _ => parts.push(piece),
        }
    }
    parts
}

pub(super) fn error(status: u16, fault: Fault, text: &str) -> Value {
    let word = match fault {
        Fault::Invalid => "INVALID_ARGUMENT",
        Fault::Unauthorised => "UNAUTHENTICATED",
        Fault::NotFound => "NOT_FOUND",
        Fault::Limited => "RESOURCE_EXHAUSTED",
        Fault::Overloaded => "UNAVAILABLE",
    };
    let mut error = json!({"code": status, "message": text, "status": word});
    if fault == Fault::Limited {
        error["details"] = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", scene::RETRY_AFTER)}]);
    }
    json!({"error": error})
}

//! Requests, read.

use super::read_citation;
use crate::translate::chat::source_of;
use crate::translate::{
    Content, Conversation, Effort, Fields, Format, FunctionTool, Media, MediaKind, Output, Part, Reasoning,
    Role, Source, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn, new_id,
};
use burncloud_core::Error;
use serde_json::{Map, Value};

pub(super) fn read(body: Map<String, Value>) -> Result<Conversation, Error> {
    let mut fields = Fields::of_request(body);
    fields.take("model");
    fields.take("stream");
    let mut conversation = Conversation { include_usage: true, ..Conversation::default() };
    if !fields.has("messages") {
        return Err(fields.fault("messages", "`messages` is missing"));
    }
    for message in fields.objects("messages")? {
        read_message(message, &mut conversation)?;
    }
    read_documents(&mut fields, &mut conversation)?;
    let strict = fields.boolean("strict_tools")?;
    for tool in fields.objects("tools")? {
        conversation.tools.push(read_tool(tool, strict)?);
    }
    conversation.tool_choice = match fields.string("tool_choice")?.as_deref() {
        None => None,
        Some("REQUIRED") => Some(ToolChoice::Required),
        Some("NONE") => Some(ToolChoice::None),
        Some(_) => return Err(fields.fault("tool_choice", "`tool_choice` must be `REQUIRED` or `NONE`")),
    };
    read_sampling(&mut fields, &mut conversation)?;
    conversation.output = read_output(&mut fields)?;
    if let Some(thinking) = fields.object("thinking")? {
        let mut thinking = fields.inner(thinking);
        let budget = thinking.unsigned("token_budget")?;
        conversation.reasoning = Some(match thinking.string("type")?.as_deref() {
            Some("disabled") => Reasoning::of_effort(Effort::None),
            _ => Reasoning { budget, adaptive: budget.is_none(), ..Reasoning::default() },
        });
    }
    conversation.carry = fields.rest();
    Ok(conversation)
}

fn read_sampling(fields: &mut Fields, conversation: &mut Conversation) -> Result<(), Error> {
    let sampling = &mut conversation.sampling;
    sampling.max_output = fields.unsigned("max_tokens")?;
    sampling.temperature = fields.number("temperature")?;
    sampling.top_p = fields.number("p")?;
    // No draw among none: Cohere's word for no limit.
    sampling.top_k = fields.unsigned("k")?.filter(|k| *k > 0);
    sampling.stop = fields.strings("stop_sequences")?;
    sampling.seed = fields.integer("seed")?;
    sampling.frequency_penalty = fields.number("frequency_penalty")?;
    sampling.presence_penalty = fields.number("presence_penalty")?;
    sampling.logprobs = fields.boolean("logprobs")?.unwrap_or(false).then_some(0);
    Ok(())
}

fn read_output(fields: &mut Fields) -> Result<Output, Error> {
    let Some(format) = fields.object("response_format")? else { return Ok(Output::Text) };
    let mut format = fields.inner(format);
    let kind = format.string("type")?;
    let schema = format.object("json_schema")?.or(format.object("schema")?);
    Ok(match (kind.as_deref(), schema) {
        (Some("json_object"), Some(schema)) => {
            Output::Schema { name: None, description: None, schema: Value::Object(schema), strict: None }
        }
        (Some("json_object"), None) => Output::Json,
        _ => Output::Text,
    })
}

fn read_tool(mut fields: Fields, strict: Option<bool>) -> Result<Tool, Error> {
    let kind = fields.string("type")?.unwrap_or_else(|| "function".to_owned());
    if kind != "function" {
        let mut value = fields.rest();
        value.insert("type".to_owned(), kind.clone().into());
        return Ok(Tool::BuiltIn { format: Format::Cohere, kind, value: Value::Object(value) });
    }
    let mut function = fields.fields("function")?;
    Ok(Tool::Function(FunctionTool {
        name: function.required("name")?,
        description: function.string("description")?,
        schema: function.object("parameters")?.map(Value::Object),
        strict: strict.filter(|strict| *strict),
        carry: function.rest(),
        ..FunctionTool::default()
    }))
}

fn read_message(mut fields: Fields, conversation: &mut Conversation) -> Result<(), Error> {
    let role = fields.required("role")?;
    let turn = match role.as_str() {
        "user" => {
            let parts = read_content(fields.take("content"), &fields)?;
            Turn { role: Role::User, parts, name: None, carry: fields.rest() }
        }
        "system" | "developer" => {
            let parts = read_content(fields.take("content"), &fields)?;
            if conversation.turns.is_empty() {
                conversation.system.extend(parts);
                return Ok(());
            }
            Turn { role: Role::System, parts, name: None, carry: fields.rest() }
        }
        "assistant" => {
            let parts = read_answer(&mut fields)?;
            Turn { role: Role::Assistant, parts, name: None, carry: fields.rest() }
        }
        "tool" => {
            let id = fields.required("tool_call_id")?;
            let content = read_content(fields.take("content"), &fields)?;
            let result = ToolResult { id, name: None, content, is_error: false };
            let part = Part::new(Content::ToolResult(result));
            let results = |turn: &&mut Turn| {
                turn.role == Role::User
                    && turn.parts.last().is_some_and(|part| matches!(part.content, Content::ToolResult(_)))
            };
            if let Some(turn) = conversation.turns.last_mut().filter(results) {
                turn.parts.push(part);
                return Ok(());
            }
            Turn::new(Role::User, vec![part])
        }
        _ => {
            let text = "`role` must be `system`, `user`, `assistant` or `tool`";
            return Err(fields.fault("role", text));
        }
    };
    conversation.turns.push(turn);
    Ok(())
}

/// What a model said: its plan or its thoughts, its texts with their sources, its calls.
pub(super) fn read_answer(fields: &mut Fields) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    if let Some(text) = fields.string("tool_plan")?.filter(|plan| !plan.is_empty()) {
        parts.push(Part::new(Content::Thinking(Thinking { text, ..Thinking::default() })));
    }
    let plan = parts.len();
    parts.extend(read_content(fields.take("content"), fields)?);
    let is_text = |part: &Part| matches!(part.content, Content::Text { .. });
    let first = parts.iter().position(is_text);
    for value in fields.array("citations")?.unwrap_or_default() {
        let named =
            value.get("content_index").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
        let Some(citation) = read_citation(value) else { continue };
        let at = named.map(|at| plan.saturating_add(at));
        let at = at.filter(|at| parts.get(*at).is_some_and(is_text)).or(first);
        if let Some(Content::Text { citations, .. }) = at.map(|at| &mut parts[at].content) {
            citations.push(citation);
        }
    }
    for mut call in fields.objects("tool_calls")? {
        let mut function = call.fields("function")?;
        let call = ToolCall {
            id: call.string("id")?.unwrap_or_else(|| new_id("call_")),
            name: function.required("name")?,
            arguments: function.string("arguments")?.unwrap_or_default(),
            ..ToolCall::default()
        };
        parts.push(Part::new(Content::ToolCall(call)));
    }
    Ok(parts)
}

/// A text, or a list of parts. An empty text keeps its place only where sources count places.
fn read_content(content: Option<Value>, of: &Fields) -> Result<Vec<Part>, Error> {
    match content {
        None => Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::text(text)]),
        Some(Value::Array(items)) => items.into_iter().map(|item| read_part(item, of)).collect(),
        Some(_) => Err(of.fault("content", "`content` must be a string or a list of parts")),
    }
}

fn read_part(item: Value, of: &Fields) -> Result<Part, Error> {
    let Value::Object(map) = item else {
        return Err(of.fault("content", "`content` must be a list of objects"));
    };
    let kind = map.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
    let mut fields = of.inner(map);
    let content = match kind.as_str() {
        "text" => Content::text(fields.string("text")?.unwrap_or_default()),
        "thinking" => {
            let text = fields.string("thinking")?.unwrap_or_default();
            Content::Thinking(Thinking { text, ..Thinking::default() })
        }
        "image_url" => {
            let mut image = fields.fields("image_url")?;
            let (mime, source) = source_of(image.required("url")?);
            let detail = image.string("detail")?;
            Content::Media(Media { kind: MediaKind::Image, mime, source, name: None, detail })
        }
        "document" => {
            let document = fields.take("document").unwrap_or_default();
            Content::Media(read_document(document, &fields)?)
        }
        _ => {
            let value = Value::Object(fields.rest());
            return Ok(Part::new(Content::Other { format: Format::Cohere, value }));
        }
    };
    fields.take("type");
    Ok(Part { content, cache: None, carry: fields.rest() })
}

/// A document: its text, or its fields as JSON; its id is its name.
fn read_document(document: Value, of: &Fields) -> Result<Media, Error> {
    let (mime, text, name) = match document {
        Value::String(text) => ("text/plain", text, None),
        Value::Object(document) => {
            let mut fields = of.inner(document);
            let data = fields.take("data").unwrap_or_default();
            ("application/json", data.to_string(), fields.string("id")?)
        }
        _ => return Err(of.fault("documents", "a document must be a string or an object")),
    };
    let source = Source::Text(text);
    Ok(Media { kind: MediaKind::Document, mime: Some(mime.to_owned()), source, name, detail: None })
}

/// Documents that an answer may cite are shown by the user, before the last words.
fn read_documents(fields: &mut Fields, conversation: &mut Conversation) -> Result<(), Error> {
    let documents = fields.array("documents")?.unwrap_or_default();
    if documents.is_empty() {
        return Ok(());
    }
    let parts = documents
        .into_iter()
        .map(|document| read_document(document, fields).map(|media| Part::new(Content::Media(media))));
    let parts = parts.collect::<Result<Vec<Part>, Error>>()?;
    let spoken = |turn: &&mut Turn| {
        turn.role == Role::User
            && !turn.parts.iter().any(|part| matches!(part.content, Content::ToolResult(_)))
    };
    match conversation.turns.iter_mut().rev().find(spoken) {
        Some(turn) => {
            turn.parts.splice(0..0, parts);
        }
        None => conversation.turns.push(Turn::new(Role::User, parts)),
    }
    Ok(())
}

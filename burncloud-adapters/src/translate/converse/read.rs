//! A request into a conversation; its blocks, which answers have too.

use super::media::{self, KINDS, texts};
use crate::translate::{
    CacheMark, CallKind, Citation, Content, Conversation, Fields, Format, FunctionTool, Media, MediaKind,
    Origin, Output, Part, Role, Sampling, Signature, Source, Thinking, Tool, ToolCall, ToolChoice,
    ToolResult, Turn,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

pub(super) fn read_request(body: Map<String, Value>) -> Result<Conversation, Error> {
    let mut fields = Fields::of_request(body);
    for known in ["modelId", "stream"] {
        fields.take(known);
    }
    let mut inference = fields.fields("inferenceConfig")?;
    let mut conversation = Conversation {
        system: read_blocks(&mut fields, "system")?,
        turns: fields.objects("messages")?.into_iter().map(read_turn).collect::<Result<_, _>>()?,
        sampling: Sampling {
            max_output: inference.unsigned("maxTokens")?,
            temperature: inference.number("temperature")?,
            top_p: inference.number("topP")?,
            stop: inference.strings("stopSequences")?,
            ..Sampling::default()
        },
        include_usage: true,
        ..Conversation::default()
    };
    let tools = fields.fields("toolConfig")?;
    read_tools(tools, &mut conversation)?;
    read_output(&mut fields, &mut conversation)?;
    let more = fields.fields("additionalModelRequestFields")?;
    let more = super::more::read(more, &mut conversation)?;
    conversation.service_tier = fields.fields("serviceTier")?.string("type")?;
    conversation.metadata = fields.object("requestMetadata")?;
    conversation.carry = fields.rest();
    for (name, rest) in [("inferenceConfig", inference.rest()), ("additionalModelRequestFields", more)] {
        if !rest.is_empty() {
            conversation.carry.insert(name.to_owned(), Value::Object(rest));
        }
    }
    Ok(conversation)
}

fn read_turn(mut fields: Fields) -> Result<Turn, Error> {
    let role = match fields.required("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(fields.fault("role", "`role` must be user, assistant or system")),
    };
    Ok(Turn { role, parts: read_blocks(&mut fields, "content")?, name: None, carry: fields.rest() })
}

fn cache_mark(point: &Fields) -> Option<CacheMark> {
    let point = point.peek("cachePoint")?;
    Some(if point["ttl"] == "1h" { CacheMark::Hour } else { CacheMark::Default })
}

/// A list of blocks. A `cachePoint` is a mark on the block before it.
pub(super) fn read_blocks(fields: &mut Fields, name: &'static str) -> Result<Vec<Part>, Error> {
    let mut parts: Vec<Part> = Vec::new();
    for block in fields.objects(name)? {
        match (cache_mark(&block), parts.last_mut()) {
            (Some(mark), Some(last)) => last.cache = Some(mark),
            // Before the first block there is nothing to cache.
            (Some(_), None) => {}
            (None, _) => parts.push(read_block(block)?),
        }
    }
    Ok(parts)
}

fn other(fields: Fields) -> Part {
    Part::new(Content::Other { format: Format::Converse, value: Value::Object(fields.rest()) })
}

fn with(content: Content, carry: Map<String, Value>) -> Part {
    Part { content, cache: None, carry }
}

pub(super) fn read_block(mut fields: Fields) -> Result<Part, Error> {
    if fields.has("text") {
        return Ok(Part::text(fields.required("text")?));
    }
    if let Some(json) = fields.take("json") {
        return Ok(Part::text(json.to_string()));
    }
    for (name, kind) in KINDS {
        if fields.has(name) {
            return read_media(fields, name, kind);
        }
    }
    let is_own = |name: &str| {
        let kind = fields.peek(name).and_then(|block| block.get("type")).and_then(Value::as_str);
        fields.has(name) && kind.is_none_or(|kind| kind == "tool_use")
    };
    if is_own("toolUse") {
        let mut call = fields.fields("toolUse")?;
        let (id, name) = (call.required("toolUseId")?, call.required("name")?);
        let arguments = call.take("input").unwrap_or_else(|| json!({})).to_string();
        call.take("type");
        let call = ToolCall { id, name, arguments, kind: CallKind::Function, signature: None };
        return Ok(Part::new(Content::ToolCall(call)));
    }
    if is_own("toolResult") {
        let mut result = fields.fields("toolResult")?;
        let content = Content::ToolResult(ToolResult {
            id: result.required("toolUseId")?,
            name: None,
            content: read_blocks(&mut result, "content")?,
            is_error: result.string("status")?.as_deref() == Some("error"),
        });
        return Ok(with(content, result.rest()));
    }
    if fields.has("reasoningContent") {
        return read_thinking(fields);
    }
    if fields.has("citationsContent") {
        let mut block = fields.fields("citationsContent")?;
        let citations =
            block.array("citations")?.unwrap_or_default().into_iter().map(read_citation).collect();
        let text = block.take("content").map(|content| texts(&content)).unwrap_or_default();
        return Ok(with(Content::Text { text, citations, signature: None }, block.rest()));
    }
    if fields.has("searchResult") {
        return read_search_result(fields);
    }
    if fields.peek("guardContent").is_some_and(|guard| guard["text"]["text"].is_string()) {
        let guard = fields.take("guardContent").unwrap_or_default();
        let text = guard["text"]["text"].as_str().unwrap_or_default().to_owned();
        let carry = Map::from_iter([("guardContent".to_owned(), guard)]);
        return Ok(with(Content::text(text), carry));
    }
    Ok(other(fields))
}

fn read_media(mut fields: Fields, name: &'static str, kind: MediaKind) -> Result<Part, Error> {
    let whole = fields.peek(name).cloned();
    let mut block = fields.fields(name)?;
    let mut carry = Map::new();
    let text = block.peek("source").is_some_and(|source| source["text"].is_string());
    let Some(media) = media::read(&mut block, kind, &mut carry)? else {
        let value = json!({ name: whole });
        return Ok(Part::new(Content::Other { format: Format::Converse, value }));
    };
    if text {
        carry.insert("text".to_owned(), Value::Bool(true));
    }
    carry.extend(block.rest());
    Ok(with(Content::Media(media), carry))
}

fn read_thinking(mut fields: Fields) -> Result<Part, Error> {
    let mut block = fields.fields("reasoningContent")?;
    let thinking = if let Some(content) = block.string("redactedContent")? {
        Thinking { text: String::new(), signature: Some(redacted(&content)), redacted: true }
    } else {
        let mut text = block.fields("reasoningText")?;
        let signature = text.string("signature")?.filter(|signature| !signature.is_empty());
        Thinking {
            text: text.string("text")?.unwrap_or_default(),
            signature: signature.map(|text| Signature::from_field(&text, Origin::Anthropic)),
            redacted: false,
        }
    };
    Ok(Part::new(Content::Thinking(thinking)))
}

/// AWS writes the bytes of Anthropic's `data` in Base64 once more.
pub(super) fn redacted(content: &str) -> Signature {
    let text = STANDARD.decode(content).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Signature::from_field(text.as_deref().unwrap_or(content), Origin::Anthropic)
}

/// The document that it is to everybody else; what is its own is kept beside.
fn read_search_result(mut fields: Fields) -> Result<Part, Error> {
    let block = fields.fields("searchResult")?.rest();
    let text = block.get("content").map(texts).unwrap_or_default();
    let name = block.get("title").and_then(Value::as_str).map(str::to_owned);
    let mime = Some("text/plain".to_owned());
    let media = Media { kind: MediaKind::Document, mime, source: Source::Text(text), name, detail: None };
    let carry = Map::from_iter([("searchResult".to_owned(), Value::Object(block))]);
    Ok(with(Content::Media(media), carry))
}

pub(super) fn read_citation(value: Value) -> Citation {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let source = text(&value["source"]).filter(|source| source.contains("://"));
    Citation {
        url: text(&value["location"]["web"]["url"]).or(source),
        title: text(&value["title"]),
        quote: Some(texts(&value["sourceContent"])).filter(|quote| !quote.is_empty()),
        start: None,
        end: None,
        raw: Some((Format::Converse, value)),
    }
}

fn read_tools(mut fields: Fields, conversation: &mut Conversation) -> Result<(), Error> {
    let tools = &mut conversation.tools;
    for mut tool in fields.objects("tools")? {
        if let (Some(mark), Some(Tool::Function(last))) = (cache_mark(&tool), tools.last_mut()) {
            last.cache = Some(mark);
            continue;
        }
        if !tool.has("toolSpec") {
            let rest = tool.rest();
            let kind = rest.keys().next().cloned().unwrap_or_default();
            tools.push(Tool::BuiltIn { format: Format::Converse, kind, value: Value::Object(rest) });
            continue;
        }
        let mut spec = tool.fields("toolSpec")?;
        tools.push(Tool::Function(FunctionTool {
            name: spec.required("name")?,
            description: spec.string("description")?,
            schema: spec.fields("inputSchema")?.take("json"),
            strict: spec.boolean("strict")?,
            kind: CallKind::Function,
            cache: None,
            carry: spec.rest(),
        }));
    }
    let mut choice = fields.fields("toolChoice")?;
    conversation.tool_choice = if choice.has("auto") {
        Some(ToolChoice::Auto)
    } else if choice.has("any") {
        Some(ToolChoice::Required)
    } else if choice.has("tool") {
        Some(ToolChoice::Named(choice.fields("tool")?.required("name")?))
    } else {
        None
    };
    Ok(())
}

/// `outputConfig`: a schema as a string of JSON, an effort.
fn read_output(fields: &mut Fields, conversation: &mut Conversation) -> Result<(), Error> {
    let mut config = fields.fields("outputConfig")?;
    if let Some(effort) = config.string("effort")? {
        super::more::set_effort(&effort, conversation);
    }
    let mut structure = config.fields("textFormat")?.fields("structure")?;
    if !structure.has("jsonSchema") {
        return Ok(());
    }
    let mut form = structure.fields("jsonSchema")?;
    let schema = serde_json::from_str(&form.required("schema")?)
        .map_err(|_| form.fault("schema", "`jsonSchema.schema` must be JSON in a string"))?;
    let Value::Object(schema) = schema else {
        return Err(form.fault("schema", "`jsonSchema.schema` must be an object"));
    };
    conversation.output = Output::Schema {
        name: form.string("name")?,
        description: form.string("description")?,
        schema: Value::Object(schema),
        strict: None,
    };
    Ok(())
}

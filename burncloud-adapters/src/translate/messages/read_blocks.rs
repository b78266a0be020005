//! Blocks into parts: of a request's turns, and of an answer.

use crate::translate::{
    CacheMark, CallKind, Citation, Content, Fields, Format, Media, MediaKind, Origin, Part, Signature,
    Source, Thinking, ToolCall, ToolResult,
};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// The field in an answer's or a request's part under which a search result's own fields are kept: it is read as the
/// document that it is to everybody else.
pub(super) const SEARCH_RESULT: &str = "search_result";

/// A string or a list of blocks.
pub(super) fn read_content(fields: &mut Fields, name: &'static str) -> Result<Vec<Part>, Error> {
    if matches!(fields.peek(name), Some(Value::String(_))) {
        return Ok(vec![Part::text(fields.required(name)?)]);
    }
    fields.objects(name)?.into_iter().map(read_block).collect()
}

/// `cache_control`, taken out.
pub(super) fn read_cache(fields: &mut Fields) -> Result<Option<CacheMark>, Error> {
    let Some(control) = fields.object("cache_control")? else { return Ok(None) };
    let hour = control.get("ttl").and_then(Value::as_str) == Some("1h");
    Ok(Some(if hour { CacheMark::Hour } else { CacheMark::Default }))
}

pub(super) fn read_block(mut fields: Fields) -> Result<Part, Error> {
    let kind = match fields.peek("type") {
        Some(Value::String(kind)) => kind.clone(),
        _ => return Err(fields.fault("type", "every block of `content` needs a `type`")),
    };
    let known = match kind.as_str() {
        "text" | "thinking" | "redacted_thinking" | "tool_use" | "tool_result" | SEARCH_RESULT => true,
        "image" | "document" => is_media(&fields),
        _ => false,
    };
    if !known {
        let value = Value::Object(fields.rest());
        return Ok(Part::new(Content::Other { format: Format::Messages, value }));
    }
    fields.take("type");
    let cache = read_cache(&mut fields)?;
    let mut extra = Map::new();
    let content = match kind.as_str() {
        "text" => Content::Text {
            text: fields.required("text")?,
            citations: fields
                .array("citations")?
                .unwrap_or_default()
                .into_iter()
                .map(read_citation)
                .collect(),
            signature: None,
        },
        "thinking" => Content::Thinking(Thinking {
            text: fields.string("thinking")?.unwrap_or_default(),
            signature: read_signature(fields.string("signature")?),
            redacted: false,
        }),
        "redacted_thinking" => Content::Thinking(Thinking {
            text: String::new(),
            signature: read_signature(fields.string("data")?),
            redacted: true,
        }),
        "tool_use" => Content::ToolCall(read_call(&mut fields)?),
        "tool_result" => Content::ToolResult(ToolResult {
            id: fields.required("tool_use_id")?,
            name: None,
            content: read_content(&mut fields, "content")?,
            is_error: fields.boolean("is_error")?.unwrap_or(false),
        }),
        SEARCH_RESULT => Content::Media(read_search_result(&mut fields, &mut extra)?),
        "image" => Content::Media(read_media(&mut fields, MediaKind::Image, &mut extra)?),
        _ => Content::Media(read_media(&mut fields, MediaKind::Document, &mut extra)?),
    };
    let mut carry = fields.rest();
    carry.extend(extra);
    Ok(Part { content, cache, carry })
}

/// A signature as it stands in an Anthropic field; none where it is empty.
pub(super) fn read_signature(text: Option<String>) -> Option<Signature> {
    text.filter(|text| !text.is_empty()).map(|text| Signature::from_field(&text, Origin::Anthropic))
}

fn read_call(fields: &mut Fields) -> Result<ToolCall, Error> {
    // Says that the model itself calls, not a program of its own: so it is everywhere.
    if fields.peek("caller") == Some(&json!({"type": "direct"})) {
        fields.take("caller");
    }
    let (id, name) = (fields.required("id")?, fields.required("name")?);
    let input = fields.take("input").unwrap_or_else(|| json!({}));
    Ok(ToolCall { id, name, arguments: input.to_string(), kind: CallKind::Function, signature: None })
}

fn source_kind(fields: &Fields) -> Option<&str> {
    fields.peek("source")?.get("type")?.as_str()
}

/// Whether a picture's or a document's source is one that the hub knows. Documents made of blocks are known where the
/// blocks are texts.
fn is_media(fields: &Fields) -> bool {
    match source_kind(fields) {
        Some("base64" | "text" | "url" | "file") => true,
        Some("content") => fields.peek("source").and_then(|source| texts(source.get("content")?)).is_some(),
        _ => false,
    }
}

/// A string, or the texts of a list of text blocks, one per line; `None` where other blocks are among them.
fn texts(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(blocks) => {
            let texts: Option<Vec<&str>> = blocks
                .iter()
                .map(|block| {
                    (block.get("type")?.as_str()? == "text").then(|| block.get("text")?.as_str()).flatten()
                })
                .collect();
            Some(texts?.join("\n"))
        }
        _ => None,
    }
}

fn read_media(fields: &mut Fields, kind: MediaKind, extra: &mut Map<String, Value>) -> Result<Media, Error> {
    let name = fields.string("title")?;
    let mut source = fields.fields("source")?;
    let (source, mime) = match source.required("type")?.as_str() {
        "base64" => (Source::Base64(source.required("data")?), source.string("media_type")?),
        "text" => (Source::Text(source.required("data")?), source.string("media_type")?),
        "url" => (Source::Url(source.required("url")?), None),
        "file" => (Source::File(source.required("file_id")?), None),
        _ => {
            let content = source.take("content").unwrap_or_default();
            let text = texts(&content).unwrap_or_default();
            // Its borders matter to nobody but who cites.
            extra.insert("source".to_owned(), json!({"type": "content", "content": content}));
            (Source::Text(text), Some("text/plain".to_owned()))
        }
    };
    Ok(Media { kind, mime, source, name, detail: None })
}

/// `{source, title, content: [texts], citations}`.
fn read_search_result(fields: &mut Fields, extra: &mut Map<String, Value>) -> Result<Media, Error> {
    let title = fields.string("title")?;
    let content = fields.take("content").unwrap_or_else(|| json!([]));
    let text = texts(&content)
        .ok_or_else(|| fields.fault("content", "the `content` of a search result must be text blocks"))?;
    let mut own = Map::new();
    for name in ["source", "citations"] {
        own.extend(fields.take(name).map(|value| (name.to_owned(), value)));
    }
    own.insert("content".to_owned(), content);
    extra.insert(SEARCH_RESULT.to_owned(), Value::Object(own));
    let mime = Some("text/plain".to_owned());
    Ok(Media { kind: MediaKind::Document, mime, source: Source::Text(text), name: title, detail: None })
}

pub(super) fn read_citation(value: Value) -> Citation {
    let text = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| value.get(*name)?.as_str().filter(|text| !text.is_empty()))
            .map(str::to_owned)
    };
    let source = text(["source", "url"]).filter(|source| source.contains("://"));
    Citation {
        url: text(["url", "url"]).or(source),
        title: text(["title", "document_title"]),
        quote: text(["cited_text", "cited_text"]),
        // Anthropic's places are in the document, not in the text.
        start: None,
        end: None,
        raw: Some((Format::Messages, value)),
    }
}

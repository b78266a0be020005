//! Parts into blocks, for a provider.

use super::read_blocks::SEARCH_RESULT;
use crate::translate::{
    CacheMark, Citation, Content, Format, Media, MediaKind, Notes, Origin, Part, Role, Setting, Signature,
    Source, Thinking, ToolCall, ToolResult,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Whether thoughts are Anthropic's own, signed.
pub(in crate::translate) fn is_own(thinking: &Thinking) -> bool {
    thinking.signature.as_ref().is_some_and(|signature| signature.origin == Origin::Anthropic)
}

pub(super) fn cache_control(mark: CacheMark) -> Value {
    match mark {
        CacheMark::Default => json!({"type": "ephemeral"}),
        CacheMark::Hour => json!({"type": "ephemeral", "ttl": "1h"}),
    }
}

/// An id as Anthropic takes it: letters, digits, `_` and `-`. Call and result change alike.
pub(super) fn tool_id(id: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    if id.is_empty() {
        return Cow::Borrowed("call");
    }
    Cow::Owned(id.chars().map(|c| if fits(c) { c } else { '_' }).collect())
}

/// Refuses a name that the provider would refuse.
pub(in crate::translate) fn tool_name(name: &str, longest: usize) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= longest && name.chars().all(fits) {
        return Ok(());
    }
    let text = format!(
        "this model's provider takes no tool named `{name}`: a name is 1 to {longest} letters, digits, `_` or `-`"
    );
    Err(Error::new(ErrorKind::BadRequest, text).with_param("tools").with_code("invalid_value"))
}

/// Writes the parts of a request.
pub(super) struct Blocks<'a> {
    pub(super) notes: &'a mut Notes,
    /// The request was Anthropic's all along.
    pub(super) own: bool,
}

impl Blocks<'_> {
    /// The block; nothing for an empty text and for what is left out.
    pub(super) fn write(&mut self, part: Part, role: Role) -> Result<Option<Value>, Error> {
        let Part { content, cache, carry } = part;
        let mut takes_cache = true;
        let block = match content {
            Content::Text { text, citations, signature } => {
                if signature.is_some() {
                    self.notes.drop(Setting::ForeignThinking);
                }
                if text.trim().is_empty() {
                    return Ok(None);
                }
                self.text(text, citations)
            }
            Content::Refusal(text) if text.trim().is_empty() => return Ok(None),
            Content::Refusal(text) => json!({"type": "text", "text": text}),
            Content::Media(media) if role == Role::Assistant => return Err(in_answer(media.kind)),
            Content::Media(media) => self.media(media, &carry)?,
            Content::Thinking(thinking) => {
                takes_cache = false;
                match self.thinking(thinking) {
                    Some(block) => block,
                    None => return Ok(None),
                }
            }
            Content::ToolCall(call) => self.call(call)?,
            Content::ToolResult(result) => self.result(result)?,
            Content::Other { format: Format::Messages, value } => value,
            Content::Other { value, .. } => {
                let kind = value.get("type").and_then(Value::as_str).unwrap_or("part of unknown kind");
                let text = format!("`{kind}`");
                return Err(Notes::cannot_say(&text, Format::Messages, "take it out"));
            }
        };
        let Value::Object(mut block) = block else { return Ok(Some(block)) };
        for (name, value) in carry {
            if name != SEARCH_RESULT {
                block.insert(name, value);
            }
        }
        match cache {
            Some(mark) if takes_cache => {
                block.insert("cache_control".to_owned(), cache_control(mark));
            }
            Some(_) => self.notes.drop(Setting::CacheMark),
            None => {}
        }
        Ok(Some(Value::Object(block)))
    }

    fn text(&mut self, text: String, citations: Vec<Citation>) -> Value {
        let mut block = json!({"type": "text", "text": text});
        let count = citations.len();
        let own: Vec<Value> = citations
            .into_iter()
            .filter_map(|citation| match citation.raw {
                Some((Format::Messages, raw)) => Some(raw),
                _ => None,
            })
            .collect();
        if own.len() < count {
            self.notes.drop(Setting::Citations);
        }
        if !own.is_empty() {
            block["citations"] = Value::Array(own);
        }
        block
    }

    fn thinking(&mut self, thinking: Thinking) -> Option<Value> {
        let unsigned_own = self.own && thinking.signature.is_none() && !thinking.redacted;
        if !is_own(&thinking) && !unsigned_own {
            self.notes.drop(Setting::ForeignThinking);
            return None;
        }
        let signature = thinking.signature.map(|signature| signature.value).unwrap_or_default();
        Some(if thinking.redacted {
            json!({"type": "redacted_thinking", "data": signature})
        } else {
            json!({"type": "thinking", "thinking": thinking.text, "signature": signature})
        })
    }

    fn call(&mut self, call: ToolCall) -> Result<Value, Error> {
        if call.signature.is_some() {
            self.notes.drop(Setting::ForeignThinking);
        }
        if !self.own {
            tool_name(&call.name, 128)?;
        }
        Ok(json!({
            "type": "tool_use",
            "id": tool_id(&call.id),
            "name": call.name,
            "input": call.object(),
        }))
    }

    fn result(&mut self, result: ToolResult) -> Result<Value, Error> {
        let mut block = Map::new();
        block.insert("type".to_owned(), json!("tool_result"));
        block.insert("tool_use_id".to_owned(), json!(tool_id(&result.id)));
        let mut content = Vec::with_capacity(result.content.len());
        for part in result.content {
            content.extend(self.write(part, Role::User)?);
        }
        let content = plain_text(&mut content).map_or(Value::Array(content), Value::String);
        if content != json!([]) {
            block.insert("content".to_owned(), content);
        }
        if result.is_error {
            block.insert("is_error".to_owned(), Value::Bool(true));
        }
        Ok(Value::Object(block))
    }

    fn media(&mut self, media: Media, carry: &Map<String, Value>) -> Result<Value, Error> {
        let detail = media.detail.as_deref().is_some_and(|detail| detail != "auto");
        if detail {
            self.notes.drop(Setting::Detail);
        }
        if let Some(Value::Object(search)) = carry.get(SEARCH_RESULT) {
            let mut block = json!({"type": SEARCH_RESULT, "title": media.name.unwrap_or_default()});
            for (name, value) in search {
                block[name] = value.clone();
            }
            return Ok(block);
        }
        match media.kind {
            MediaKind::Image => Ok(json!({"type": "image", "source": image(media, self.own)?})),
            MediaKind::Document => {
                let title = media.name.clone();
                let mut block = json!({"type": "document", "source": document(media, self.own)?});
                if let Some(title) = title {
                    block["title"] = Value::String(title);
                }
                Ok(block)
            }
            kind @ (MediaKind::Audio | MediaKind::Video) => {
                Err(Notes::cannot_say(kind.as_str(), Format::Messages, "send text, pictures or PDFs"))
            }
        }
    }
}

fn in_answer(kind: MediaKind) -> Error {
    let what = format!("{} in the model's own turns", kind.as_str());
    Notes::cannot_say(&what, Format::Messages, "send it in a turn of the user's")
}

/// The text of a list that holds one text block and nothing else of note.
pub(super) fn plain_text(blocks: &mut [Value]) -> Option<String> {
    match blocks {
        [Value::Object(block)] if block.len() == 2 && block.get("type") == Some(&json!("text")) => {
            match block.get_mut("text") {
                Some(Value::String(text)) => Some(std::mem::take(text)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn foreign_place(what: &str, fix: &str) -> Error {
    Notes::cannot_say(what, Format::Messages, fix)
}

/// An address or a file, as both pictures and documents have them.
fn elsewhere(source: Source, what: &str, own: bool) -> Result<Value, Error> {
    match source {
        Source::Url(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(json!({"type": "url", "url": url}))
        }
        Source::Url(_) => {
            Err(foreign_place(&format!("{what} at such an address"), "send its bytes, or an https address"))
        }
        Source::File(id) if own => Ok(json!({"type": "file", "file_id": id})),
        _ => Err(foreign_place(
            &format!("{what} by the id of a file uploaded elsewhere"),
            "send its bytes, or an https address",
        )),
    }
}

fn image(media: Media, own: bool) -> Result<Value, Error> {
    let Source::Base64(data) = media.source else { return elsewhere(media.source, "picture", own) };
    let mime = media.mime.as_deref().map(|mime| mime.split(';').next().unwrap_or(mime).trim());
    let mime = match mime {
        Some("image/jpg") => Some("image/jpeg"),
        Some(mime) => Some(mime),
        None => image_mime(&data),
    };
    match mime {
        Some(mime @ ("image/jpeg" | "image/png" | "image/gif" | "image/webp")) => {
            Ok(json!({"type": "base64", "media_type": mime, "data": data}))
        }
        mime => Err(foreign_place(
            &format!("picture of type {}", mime.unwrap_or("unknown")),
            "send JPEG, PNG, GIF or WebP",
        )),
    }
}

/// By the first bytes, as Base64 writes them.
pub(in crate::translate) fn image_mime(base64: &str) -> Option<&'static str> {
    const STARTS: [(&str, &str); 4] =
        [("/9j/", "image/jpeg"), ("iVBORw", "image/png"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];
    STARTS.iter().find(|(start, _)| base64.starts_with(start)).map(|(_, mime)| *mime)
}

fn document(media: Media, own: bool) -> Result<Value, Error> {
    let data = match media.source {
        Source::Text(data) => return Ok(json!({"type": "text", "media_type": "text/plain", "data": data})),
        Source::Base64(data) => data,
        source => return elsewhere(source, "document", own),
    };
    let mime = media.mime.unwrap_or_default();
    let mime = mime.split(';').next().unwrap_or_default().trim();
    if mime == "application/pdf" || (mime.is_empty() && data.starts_with("JVBERi")) {
        return Ok(json!({"type": "base64", "media_type": "application/pdf", "data": data}));
    }
    let is_text = mime.starts_with("text/") || mime.ends_with("json") || mime.ends_with("xml");
    let text = is_text.then(|| STANDARD.decode(&data).ok()).flatten().map(String::from_utf8);
    match text {
        Some(Ok(text)) => Ok(json!({"type": "text", "media_type": "text/plain", "data": text})),
        _ => Err(foreign_place(
            &format!("document of type {}", if mime.is_empty() { "unknown" } else { mime }),
            "send a PDF or plain text",
        )),
    }
}

/// A signature of another provider's, as a block of its own: where Anthropic's SDKs keep and return it.
pub(super) fn signature_block(signature: &Signature) -> Value {
    json!({"type": "thinking", "thinking": "", "signature": signature.to_field(Origin::Anthropic)})
}

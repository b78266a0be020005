//! Parts into blocks, for a provider.

use super::media::MediaWriter;
use crate::translate::messages::write_blocks::{is_own, tool_name};
use crate::translate::{
    CacheMark, Citation, Content, Format, Notes, Origin, Part, Role, Setting, Thinking, ToolCall, ToolResult,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::Error;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The longest name of a tool and the longest id of a call.
pub(super) const LONGEST: usize = 64;

pub(super) fn cache_point(mark: CacheMark) -> Value {
    match mark {
        CacheMark::Default => json!({"cachePoint": {"type": "default"}}),
        CacheMark::Hour => json!({"cachePoint": {"type": "default", "ttl": "1h"}}),
    }
}

/// An id as AWS takes it: up to 64 letters, digits, `_`, `.`, `:`, `-`. Call and result change alike; the end of one that
/// is too long becomes a hash of it.
fn tool_id(id: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if !id.is_empty() && id.len() <= LONGEST && id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    let mut id_out: String = id.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    if id_out.is_empty() {
        id_out.push_str("call");
    }
    if id_out.len() > LONGEST {
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        id_out.truncate(LONGEST - 16);
        id_out.push_str(&format!("{hash:016x}"));
    }
    Cow::Owned(id_out)
}

/// `reasoningContent`, as providers and callers have it.
pub(super) fn reasoning(thinking: Thinking) -> Value {
    let signature = thinking.signature.map(|signature| signature.to_field(Origin::Anthropic));
    if thinking.redacted && thinking.text.is_empty() {
        let data = STANDARD.encode(signature.unwrap_or_default());
        return json!({"reasoningContent": {"redactedContent": data}});
    }
    let mut text = json!({"text": thinking.text});
    if let Some(signature) = signature {
        text["signature"] = Value::String(signature);
    }
    json!({"reasoningContent": {"reasoningText": text}})
}

/// A text, with its sources where they are AWS's own.
pub(super) fn text_block(text: String, citations: Vec<Citation>, carry: Map<String, Value>) -> Value {
    let own: Vec<Value> = citations
        .into_iter()
        .filter_map(|citation| match citation.raw {
            Some((Format::Converse, raw)) => Some(raw),
            _ => None,
        })
        .collect();
    if own.is_empty() {
        return json!({"text": text});
    }
    // Nova names its sources in blocks of their own.
    let content = if text.is_empty() { Value::Null } else { json!([{"text": text}]) };
    let mut block = json!({"content": content, "citations": own});
    if let Value::Object(block) = &mut block {
        block.retain(|_, value| !value.is_null());
        block.extend(carry);
    }
    json!({"citationsContent": block})
}

/// Writes the parts of a request.
pub(super) struct Blocks<'a> {
    pub(super) notes: &'a mut Notes,
    /// The request was AWS's all along.
    pub(super) own: bool,
    pub(super) media: MediaWriter,
}

impl Blocks<'_> {
    /// The blocks: none for an empty text and for what is left out, and a point of caching after one that has a mark.
    pub(super) fn write(&mut self, part: Part, role: Role, out: &mut Vec<Value>) -> Result<(), Error> {
        let Part { content, cache, mut carry } = part;
        let block = match content {
            Content::Text { text, citations, signature } => {
                if signature.is_some() {
                    self.notes.drop(Setting::ForeignThinking);
                }
                let sources = self.own && !citations.is_empty();
                if text.trim().is_empty() && !sources {
                    return Ok(());
                }
                if citations.iter().any(|it| !matches!(it.raw, Some((Format::Converse, _)))) {
                    self.notes.drop(Setting::Citations);
                }
                match carry.shift_remove("guardContent") {
                    Some(guard) => json!({"guardContent": guard}),
                    None => text_block(text, citations, carry),
                }
            }
            Content::Refusal(text) if text.trim().is_empty() => return Ok(()),
            Content::Refusal(text) => json!({"text": text}),
            Content::Media(media) => {
                if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.notes.drop(Setting::Detail);
                }
                match carry.shift_remove("searchResult") {
                    Some(result) => json!({"searchResult": result}),
                    None if role == Role::Assistant && !self.own => {
                        let what = format!("{} in the model's own turns", media.kind.as_str());
                        let fix = "send it in a turn of the user's";
                        return Err(Notes::cannot_say(&what, Format::Converse, fix));
                    }
                    None => self.media.write(media, &mut carry)?,
                }
            }
            Content::Thinking(thinking) => {
                let unsigned_own = self.own && thinking.signature.is_none();
                if !is_own(&thinking) && !unsigned_own {
                    self.notes.drop(Setting::ForeignThinking);
                    return Ok(());
                }
                reasoning(thinking)
            }
            Content::ToolCall(call) => self.call(call)?,
            Content::ToolResult(result) => self.result(result, carry)?,
            Content::Other { format: Format::Converse, value } => value,
            Content::Other { value, .. } => {
                let kind = value.get("type").and_then(Value::as_str).unwrap_or("part of unknown kind");
                return Err(Notes::cannot_say(&format!("`{kind}`"), Format::Converse, "take it out"));
            }
        };
        out.push(block);
        out.extend(cache.map(cache_point));
        Ok(())
    }

    fn call(&mut self, call: ToolCall) -> Result<Value, Error> {
        if call.signature.is_some() {
            self.notes.drop(Setting::ForeignThinking);
        }
        if !self.own {
            tool_name(&call.name, LONGEST)?;
        }
        let input = call.object();
        Ok(json!({"toolUse": {"toolUseId": tool_id(&call.id), "name": call.name, "input": input}}))
    }

    fn result(&mut self, result: ToolResult, carry: Map<String, Value>) -> Result<Value, Error> {
        let mut content = Vec::with_capacity(result.content.len());
        for part in result.content {
            // There are no points of caching inside.
            self.write(Part { cache: None, ..part }, Role::User, &mut content)?;
        }
        if content.is_empty() && !self.own {
            content.push(json!({"text": "(empty)"}));
        }
        let mut block = json!({"toolUseId": tool_id(&result.id), "content": content});
        if result.is_error {
            block["status"] = json!("error");
        }
        if let Value::Object(block) = &mut block {
            block.extend(carry);
        }
        Ok(json!({"toolResult": block}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_and_stay_apart() {
        assert_eq!(tool_id("tooluse_a.b:1"), "tooluse_a.b:1");
        assert_eq!(tool_id("a|b"), "a_b");
        let long = |end: &str| tool_id(&format!("{}{end}", "x".repeat(80))).into_owned();
        assert_eq!((long("a").len(), long("a") == long("b"), long("a") == long("a")), (64, false, true));
    }
}

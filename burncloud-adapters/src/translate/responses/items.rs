//! Items, written for a provider.

use super::super::{
    CacheMark, CallKind, Citation, Content, Conversation, Format, Notes, Origin, Part, Profile, QUIET, Role,
    Setting, Thinking, ToolCall, ToolResult, Turn,
};
use super::{OWN, media};
use burncloud_core::Error;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The items that turns come to.
pub(super) struct Items<'a> {
    items: Vec<Value>,
    notes: &'a mut Notes,
    /// Written for a caller of this very format: everything stays as it was.
    own: bool,
    /// Or of its sister.
    family: bool,
    /// Tells `developer` from `system`.
    genuine: bool,
    /// Who can decrypt reasoning.
    native: Origin,
    /// Calls whose results are free text.
    custom: HashSet<String>,
    reasons: bool,
}

/// A message that is being put together.
struct Message {
    role: Role,
    /// The fields of its item but role and content.
    fields: Map<String, Value>,
    content: Vec<Value>,
}

impl Message {
    fn new(role: Role, mut fields: Map<String, Value>) -> Message {
        if let Some(Value::Object(quiet)) = fields.shift_remove(QUIET) {
            fields.extend(quiet);
        }
        Message { role, fields, content: Vec::new() }
    }
}

impl<'a> Items<'a> {
    pub(super) fn new(from: &Conversation, profile: &Profile, notes: &'a mut Notes) -> Items<'a> {
        Items {
            items: Vec::with_capacity(from.turns.len()),
            notes,
            own: from.from == Some(OWN),
            family: from.from.is_some_and(|format| format.family(OWN)),
            genuine: profile.genuine,
            native: super::origin(profile),
            custom: HashSet::new(),
            reasons: false,
        }
    }

    /// Whether there are reasoning items among them.
    pub(super) fn has_reasoning(&self) -> bool {
        self.reasons
    }

    pub(super) fn into_list(self) -> Vec<Value> {
        self.items
    }

    pub(super) fn turn(&mut self, turn: Turn) -> Result<(), Error> {
        let role = turn.role;
        let mut message = Message::new(role, turn.carry);
        if let Some(name) = turn.name {
            if self.own {
                message.fields.insert("name".to_owned(), name.into());
            } else {
                self.notes.drop(Setting::Name);
            }
        }
        for mut part in turn.parts {
            let quiet = match part.carry.shift_remove(QUIET) {
                Some(Value::Object(quiet)) => Some(quiet),
                _ => None,
            };
            let item = match part.content {
                Content::ToolCall(call) => self.call(call, quiet, part.carry),
                Content::ToolResult(result) => self.result(result, quiet, part.carry)?,
                Content::Thinking(thinking) => self.thinking(thinking, quiet, part.carry),
                Content::Other { format: Format::Responses, value } if quiet.is_some() => Some(value),
                content => {
                    if let Some(quiet) = quiet {
                        self.flush(&mut message, role);
                        message.fields.extend(quiet);
                    }
                    let content = Part { content, ..part };
                    message.content.extend(self.content(content, role)?);
                    continue;
                }
            };
            if let Some(item) = item {
                self.flush(&mut message, role);
                self.items.push(item);
            }
        }
        self.flush(&mut message, role);
        Ok(())
    }

    fn flush(&mut self, message: &mut Message, role: Role) {
        let Message { role, fields, content } = std::mem::replace(message, Message::new(role, Map::new()));
        if content.is_empty() {
            // What stands on the turn belongs to its message, wherever that comes.
            message.fields = fields;
            return;
        }
        let mut item = Map::new();
        item.insert("type".to_owned(), "message".into());
        let role = match role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Developer if self.genuine || self.own => "developer",
            Role::System | Role::Developer => "system",
        };
        item.insert("role".to_owned(), role.into());
        let is_answer = role == "assistant" && fields.contains_key("id");
        item.insert("content".to_owned(), brief(content, is_answer));
        if is_answer {
            item.insert("status".to_owned(), "completed".into());
        }
        item.extend(fields);
        self.items.push(Value::Object(item));
    }

    fn call(
        &mut self,
        call: ToolCall,
        quiet: Option<Map<String, Value>>,
        carry: Map<String, Value>,
    ) -> Option<Value> {
        if call.signature.is_some() {
            self.notes.drop(Setting::ForeignThinking);
        }
        let mut item = match call.kind {
            CallKind::Function => {
                let arguments = if call.arguments.is_empty() { "{}".to_owned() } else { call.arguments };
                json!({ "type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments })
            }
            CallKind::Custom => {
                self.custom.insert(call.id.clone());
                let input = call.arguments;
                json!({ "type": "custom_tool_call", "call_id": call.id, "name": call.name, "input": input })
            }
        };
        extend(&mut item, carry, quiet);
        Some(item)
    }

    fn result(
        &mut self,
        result: ToolResult,
        quiet: Option<Map<String, Value>>,
        carry: Map<String, Value>,
    ) -> Result<Option<Value>, Error> {
        let kind =
            if self.custom.contains(&result.id) { "custom_tool_call_output" } else { "function_call_output" };
        let plain = result.content.iter().all(|part| part.as_text().is_some() && part.cache.is_none());
        let output = if plain && (!self.own || result.content.len() < 2) {
            let text = result.text();
            if result.is_error { format!("Error: {text}") } else { text }.into()
        } else {
            let mut parts = Vec::with_capacity(result.content.len() + 1);
            if result.is_error {
                parts.push(json!({ "type": "input_text", "text": "Error:" }));
            }
            for part in result.content {
                parts.extend(self.content(part, Role::User)?);
            }
            Value::Array(parts)
        };
        let mut item = json!({ "type": kind, "call_id": result.id, "output": output });
        if self.own
            && let Some(name) = result.name
        {
            item["name"] = name.into();
        }
        extend(&mut item, carry, quiet);
        Ok(Some(item))
    }

    /// Only the provider's own thoughts go back to it.
    fn thinking(
        &mut self,
        thinking: Thinking,
        quiet: Option<Map<String, Value>>,
        carry: Map<String, Value>,
    ) -> Option<Value> {
        let signature = thinking.signature.filter(|signature| signature.origin == self.native);
        if signature.is_none() && !self.own {
            self.notes.drop(Setting::ForeignThinking);
            return None;
        }
        let in_content = quiet.as_ref().is_some_and(|quiet| quiet.contains_key("content"));
        let summary = match thinking.text {
            text if text.is_empty() || in_content => json!([]),
            text => json!([{ "type": "summary_text", "text": text }]),
        };
        let mut item = json!({ "type": "reasoning", "summary": summary });
        if let Some(signature) = signature {
            if let Some(id) = signature.id {
                item["id"] = id.into();
            }
            item["encrypted_content"] = signature.value.into();
        }
        self.reasons = true;
        extend(&mut item, carry, quiet);
        Some(item)
    }

    fn content(&mut self, part: Part, role: Role) -> Result<Option<Value>, Error> {
        let Part { content, cache, carry } = part;
        let mut written = match content {
            Content::Text { text, .. } if text.is_empty() && !self.own => return Ok(None),
            Content::Text { text, citations, signature } => {
                if signature.is_some() {
                    self.notes.drop(Setting::ForeignThinking);
                }
                self.text(text, citations, role)
            }
            Content::Refusal(refusal) if role == Role::Assistant => {
                json!({ "type": "refusal", "refusal": refusal })
            }
            Content::Refusal(text) => json!({ "type": "input_text", "text": text }),
            Content::Media(media) if role == Role::User => {
                if media.detail.is_some() && media.kind != super::super::MediaKind::Image && !self.own {
                    self.notes.drop(Setting::Detail);
                }
                Value::Object(media::write(media, self.own, self.family)?)
            }
            Content::Media(media) => {
                let what = format!("{} in a message that is not the user's", media.kind.as_str());
                return Err(Notes::cannot_say(&what, OWN, "put it into a user message"));
            }
            Content::Other { format: Format::Responses, value } => value,
            Content::Other { .. } | Content::Thinking(_) | Content::ToolCall(_) | Content::ToolResult(_) => {
                let what = "content of another API inside a message";
                return Err(Notes::cannot_say(what, OWN, "take it out"));
            }
        };
        self.mark(cache, &mut written);
        extend(&mut written, carry, None);
        Ok(Some(written))
    }

    fn text(&mut self, text: String, citations: Vec<Citation>, role: Role) -> Value {
        if role != Role::Assistant {
            return json!({ "type": "input_text", "text": text });
        }
        let before = citations.len();
        let length = if before > 0 { text.chars().count() as u64 } else { 0 };
        let annotations: Vec<Value> =
            citations.into_iter().filter_map(|citation| annotation(citation, length)).collect();
        if annotations.len() < before {
            self.notes.drop(Setting::Citations);
        }
        json!({ "type": "output_text", "text": text, "annotations": annotations })
    }

    /// Only the newest models take breakpoints, and all cache unasked: callers of other APIs lose theirs.
    fn mark(&mut self, cache: Option<CacheMark>, written: &mut Value) {
        let Some(cache) = cache else { return };
        if !self.family {
            self.notes.drop(Setting::CacheMark);
            return;
        }
        written["prompt_cache_breakpoint"] = match cache {
            CacheMark::Default => json!({ "mode": "explicit" }),
            CacheMark::Hour => json!({ "mode": "explicit", "ttl": "12h" }),
        };
    }
}

fn extend(item: &mut Value, carry: Map<String, Value>, quiet: Option<Map<String, Value>>) {
    if let Value::Object(item) = item {
        item.extend(carry);
        item.extend(quiet.unwrap_or_default());
    }
}

/// One plain text is written as such, unless it is an item that the provider gave out.
fn brief(mut content: Vec<Value>, is_answer: bool) -> Value {
    if let [Value::Object(only)] = content.as_mut_slice()
        && !is_answer
    {
        let bare = only.get("annotations").and_then(Value::as_array).is_none_or(Vec::is_empty);
        let fields = only.len() - usize::from(only.contains_key("annotations"));
        if bare
            && fields == 2
            && let Some(Value::String(text)) = only.get_mut("text")
        {
            return std::mem::take(text).into();
        }
    }
    Value::Array(content)
}

/// A source as an annotation of a text that is so many characters long; `None` for what has no address.
pub(super) fn annotation(citation: Citation, length: u64) -> Option<Value> {
    if let Some((Format::Responses, raw)) = citation.raw {
        return Some(raw);
    }
    let url = citation.url?;
    Some(json!({
        "type": "url_citation",
        "url": url,
        "title": citation.title.unwrap_or_default(),
        "start_index": citation.start.unwrap_or(0),
        "end_index": citation.end.unwrap_or(length),
    }))
}

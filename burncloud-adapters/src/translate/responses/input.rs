//! Items, read: what was said, called and answered.

use super::super::{
    CacheMark, CallKind, Citation, Content, Fields, Media, Origin, Part, QUIET, Role, Signature, Thinking,
    ToolCall, ToolResult, Turn,
};
use super::{OWN, media};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// Items of the model's that only this format knows. Others that it does not know are the caller's.
const MODELS_OWN: [&str; 13] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "computer_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "mcp_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "tool_search_call",
    "program",
];

/// The turns that items come to.
pub(super) struct Turns {
    turns: Vec<Turn>,
    /// Who can decrypt reasoning that bears no mark.
    native: Origin,
}

impl Turns {
    pub(super) fn new(native: Origin) -> Turns {
        Turns { turns: Vec::new(), native }
    }

    pub(super) fn into_turns(self) -> Vec<Turn> {
        self.turns
    }

    /// All that was said, whoever said it.
    pub(super) fn into_parts(self) -> Vec<Part> {
        self.turns.into_iter().flat_map(|turn| turn.parts).collect()
    }

    fn assistant(&mut self, part: Part) {
        match self.turns.last_mut() {
            Some(turn) if turn.role == Role::Assistant => turn.parts.push(part),
            _ => self.turns.push(Turn::new(Role::Assistant, vec![part])),
        }
    }

    fn result(&mut self, part: Part) {
        let results =
            |turn: &Turn| matches!(turn.parts.last(), Some(Part { content: Content::ToolResult(_), .. }));
        match self.turns.last_mut() {
            Some(turn) if results(turn) => turn.parts.push(part),
            _ => self.turns.push(Turn::new(Role::User, vec![part])),
        }
    }

    pub(super) fn item(&mut self, mut item: Fields) -> Result<(), Error> {
        let kind = match item.string("type")? {
            Some(kind) => kind,
            None if item.has("role") => "message".to_owned(),
            None => "item_reference".to_owned(),
        };
        match kind.as_str() {
            "message" => return self.message(item),
            "function_call" => self.assistant(call(item, CallKind::Function)?),
            "custom_tool_call" => self.assistant(call(item, CallKind::Custom)?),
            "reasoning" => {
                let part = reasoning(item, self.native)?;
                self.assistant(part);
            }
            "function_call_output" | "custom_tool_call_output" => {
                let part = result(item, kind)?;
                self.result(part);
            }
            _ => {
                let own = MODELS_OWN.contains(&kind.as_str());
                let mut value = item.rest();
                value.insert("type".to_owned(), kind.into());
                let part = whole(value);
                if own { self.assistant(part) } else { self.turns.push(Turn::new(Role::User, vec![part])) }
            }
        }
        Ok(())
    }

    fn message(&mut self, mut item: Fields) -> Result<(), Error> {
        let role = match item.required("role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            "developer" => Role::Developer,
            other => {
                let text = format!("`role` cannot be `{}`", other.chars().take(40).collect::<String>());
                return Err(item.fault("role", text));
            }
        };
        let name = item.string("name")?;
        let mut parts = content(&mut item, "content")?;
        let quiet = quiet(&mut item);
        if role != Role::Assistant {
            let mut carry = item.rest();
            if !quiet.is_empty() {
                carry.insert(QUIET.to_owned(), Value::Object(quiet));
            }
            self.turns.push(Turn { role, parts, name, carry });
            return Ok(());
        }
        if let Some(first) = parts.first_mut() {
            first.carry.extend(item.rest());
            // Present even where it is empty: here a message begins.
            first.carry.insert(QUIET.to_owned(), Value::Object(quiet));
        }
        parts.into_iter().for_each(|part| self.assistant(part));
        Ok(())
    }
}

/// What only this format knows, as an item.
fn whole(value: Map<String, Value>) -> Part {
    let mut part = Part::new(Content::Other { format: OWN, value: Value::Object(value) });
    part.carry.insert(QUIET.to_owned(), json!({}));
    part
}

/// What serves to write the same item again.
fn quiet(item: &mut Fields) -> Map<String, Value> {
    let mut quiet = Map::new();
    for name in ["id", "status", "phase"] {
        if let Some(value) = item.take(name)
            && !(name == "status" && value == "completed")
        {
            quiet.insert(name.to_owned(), value);
        }
    }
    quiet
}

fn part_of(content: Content, item: Fields, quiet: Map<String, Value>) -> Part {
    let mut part = Part::new(content);
    part.carry = item.rest();
    if !quiet.is_empty() {
        part.carry.insert(QUIET.to_owned(), Value::Object(quiet));
    }
    part
}

fn call(mut item: Fields, kind: CallKind) -> Result<Part, Error> {
    let quiet = quiet(&mut item);
    let id = match item.string("call_id")? {
        Some(id) => id,
        None => quiet
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| item.fault("call_id", "`call_id` is missing"))?,
    };
    let field = if kind == CallKind::Custom { "input" } else { "arguments" };
    let arguments = match item.take(field) {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    };
    let call = ToolCall { id, name: item.required("name")?, arguments, kind, signature: None };
    Ok(part_of(Content::ToolCall(call), item, quiet))
}

fn result(mut item: Fields, kind: String) -> Result<Part, Error> {
    let mut quiet = quiet(&mut item);
    if kind == "custom_tool_call_output" {
        quiet.insert("type".to_owned(), kind.into());
    }
    let result = ToolResult {
        id: item.required("call_id")?,
        name: item.string("name")?,
        content: content(&mut item, "output")?,
        is_error: false,
    };
    Ok(part_of(Content::ToolResult(result), item, quiet))
}

/// The texts of `summary` or `content`.
fn texts(parts: &[Value]) -> String {
    let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect();
    texts.join("\n\n")
}

fn reasoning(mut item: Fields, native: Origin) -> Result<Part, Error> {
    let summary = item.array("summary")?.unwrap_or_default();
    let content = item.array("content")?.unwrap_or_default();
    let encrypted = item.string("encrypted_content")?.filter(|text| !text.is_empty());
    let mut quiet = quiet(&mut item);
    let text = if summary.is_empty() { texts(&content) } else { texts(&summary) };
    if text.is_empty() && encrypted.is_none() {
        // It stands for what the provider keeps.
        let mut value = item.rest();
        value.insert("type".to_owned(), "reasoning".into());
        value.insert("summary".to_owned(), Value::Array(summary));
        value.extend(quiet);
        return Ok(whole(value));
    }
    let signature = encrypted.map(|text| {
        let mut signature = Signature::from_field(&text, native);
        if signature.origin == native && signature.id.is_none() {
            signature.id = quiet.get("id").and_then(Value::as_str).map(str::to_owned);
        }
        signature
    });
    let google = signature.as_ref().is_some_and(|signature| signature.origin == Origin::Google);
    let redacted = text.is_empty() && summary.is_empty() && !google;
    if summary.len() > 1 || !content.is_empty() {
        quiet.insert("summary".to_owned(), Value::Array(summary));
    }
    if !content.is_empty() {
        quiet.insert("content".to_owned(), Value::Array(content));
    }
    Ok(part_of(Content::Thinking(Thinking { text, signature, redacted }), item, quiet))
}

/// A text, or a list of parts.
fn content(item: &mut Fields, name: &'static str) -> Result<Vec<Part>, Error> {
    match item.peek(name) {
        Some(Value::String(_)) => Ok(item.string(name)?.map(Part::text).into_iter().collect()),
        _ => item.objects(name)?.into_iter().map(part).collect(),
    }
}

fn part(mut part: Fields) -> Result<Part, Error> {
    let kind = part.peek("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let cache = cache(&mut part);
    let content = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let text = part.required("text")?;
            let citations = part.array("annotations")?.unwrap_or_default();
            if part.peek("logprobs").is_some_and(|list| list.as_array().is_some_and(Vec::is_empty)) {
                part.take("logprobs");
            }
            Content::Text { text, citations: citations.into_iter().map(citation).collect(), signature: None }
        }
        "refusal" => Content::Refusal(part.required("refusal")?),
        "input_image" => Content::Media(media::image(&mut part)?),
        "input_file" => Content::Media(media::file(&mut part)?),
        "input_audio" => Content::Media(media::audio(&mut part)?),
        _ => return Ok(Part::new(Content::Other { format: OWN, value: Value::Object(part.rest()) })),
    };
    if !matches!(content, Content::Media(Media { .. })) {
        part.take("detail");
    }
    part.take("type");
    Ok(Part { content, cache, carry: part.rest() })
}

fn cache(part: &mut Fields) -> Option<CacheMark> {
    const NAME: &str = "prompt_cache_breakpoint";
    let mark = part.peek(NAME)?;
    let (hour, known) = match mark.get("ttl").and_then(Value::as_str) {
        None => (CacheMark::Default, mark.as_object().is_some_and(|mark| mark.len() == 1)),
        Some("12h") => (CacheMark::Hour, true),
        Some(_) => (CacheMark::Default, false),
    };
    if known {
        part.take(NAME);
    }
    Some(hour)
}

/// An annotation.
pub(super) fn citation(raw: Value) -> Citation {
    let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| raw.get(name).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("filename")),
        quote: None,
        start: number("start_index"),
        end: number("end_index"),
        raw: Some((OWN, raw)),
    }
}

//! Thoughts: `reasoning_content`, `reasoning`, and OpenRouter's `reasoning_details`.

use crate::translate::{Content, Fields, Origin, Part, Signature, Thinking};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// Takes a message's thoughts out of it.
pub(super) fn read(fields: &mut Fields) -> Result<Vec<Part>, Error> {
    let said = fields.string("reasoning_content")?.filter(|text| !text.is_empty());
    let short = fields.string("reasoning")?.filter(|text| !text.is_empty());
    let said = said.or(short);
    let mut parts: Vec<Part> = Vec::new();
    for detail in fields.array("reasoning_details")?.unwrap_or_default() {
        let Value::Object(detail) = detail else { continue };
        match parts.last_mut() {
            // A client that keeps the pieces of a stream as they came.
            Some(last) if continues(last, &detail) => add(last, &detail),
            _ => parts.extend(read_detail(detail)),
        }
    }
    for part in &mut parts {
        part.carry.shift_remove(PLACE);
    }
    if let Some(said) = said.filter(|_| parts.iter().all(|part| text_of(part).is_empty())) {
        // The text stands with the signature, where there is just one.
        let unspoken = |part: &&mut Part| matches!(&part.content, Content::Thinking(t) if !t.redacted);
        match parts.iter_mut().find(unspoken).map(|part| &mut part.content) {
            Some(Content::Thinking(thinking)) => thinking.text = said,
            _ => {
                let thinking = Thinking { text: said, ..Thinking::default() };
                parts.insert(0, Part::new(Content::Thinking(thinking)));
            }
        }
    }
    Ok(parts)
}

/// Where the place of a detail is remembered while its message is read.
const PLACE: &str = "index";

fn text_of(part: &Part) -> &str {
    match &part.content {
        Content::Thinking(thinking) => &thinking.text,
        _ => "",
    }
}

/// One of `reasoning_details`.
pub(super) fn read_detail(mut detail: Map<String, Value>) -> Option<Part> {
    let kind = detail.shift_remove("type");
    let mut text = |name: &str| match detail.shift_remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let thinking = match kind.as_ref().and_then(Value::as_str)? {
        "reasoning.encrypted" => {
            let signature = Some(Signature::from_field(&text("data")?, Origin::Other));
            Thinking { text: String::new(), signature, redacted: true }
        }
        "reasoning.summary" => Thinking { text: text("summary")?, ..Thinking::default() },
        "reasoning.text" => {
            let signature = text("signature").map(|text| Signature::from_field(&text, Origin::Other));
            let text = text("text").unwrap_or_default();
            if text.is_empty() && signature.is_none() {
                return None;
            }
            Thinking { text, signature, redacted: false }
        }
        _ => return None,
    };
    detail.retain(|_, value| !value.is_null());
    Some(Part { content: Content::Thinking(thinking), cache: None, carry: detail })
}

fn continues(last: &Part, detail: &Map<String, Value>) -> bool {
    let Content::Thinking(thinking) = &last.content else { return false };
    let same_place = detail.get(PLACE).is_some_and(|place| last.carry.get(PLACE) == Some(place));
    let more = detail.get("type").and_then(Value::as_str) == Some("reasoning.text");
    same_place && more && !thinking.redacted && thinking.signature.is_none()
}

fn add(last: &mut Part, detail: &Map<String, Value>) {
    let Content::Thinking(thinking) = &mut last.content else { return };
    if let Some(text) = detail.get("text").and_then(Value::as_str) {
        thinking.text.push_str(text);
    }
    let signature = detail.get("signature").and_then(Value::as_str).filter(|text| !text.is_empty());
    thinking.signature = signature.map(|text| Signature::from_field(text, Origin::Other));
}

/// One of `reasoning_details`.
pub(super) fn write_detail(thinking: &Thinking, carry: &Map<String, Value>, index: usize) -> Value {
    let signature = thinking.signature.as_ref().map(|signature| signature.to_field(Origin::Other));
    let mut detail = match signature {
        Some(data) if thinking.redacted => json!({ "type": "reasoning.encrypted", "data": data }),
        Some(signature) => {
            json!({ "type": "reasoning.text", "text": thinking.text, "signature": signature })
        }
        None => json!({ "type": "reasoning.text", "text": thinking.text }),
    };
    for name in ["id", "format"] {
        if let Some(value) = carry.get(name) {
            detail[name] = value.clone();
        }
    }
    detail["index"] = index.into();
    detail
}

/// Adds thoughts to a message: their text, and, where any is signed, each of them with its signature.
pub(super) fn write(thoughts: &[(Thinking, Map<String, Value>)], message: &mut Map<String, Value>) {
    let texts: Vec<&str> =
        thoughts.iter().map(|(thinking, _)| thinking.text.as_str()).filter(|text| !text.is_empty()).collect();
    if !texts.is_empty() {
        message.insert("reasoning_content".to_owned(), texts.join("\n\n").into());
    }
    if thoughts.iter().any(|(thinking, _)| thinking.signature.is_some()) {
        let details = thoughts.iter().enumerate();
        let details = details.map(|(index, (thinking, carry))| write_detail(thinking, carry, index));
        message.insert("reasoning_details".to_owned(), details.collect());
    }
}

/// The signature of a call, where Google's compatible endpoint and its clients keep it.
pub(super) fn read_extra(extra: Option<&Value>) -> Option<Signature> {
    let text = extra?.pointer("/google/thought_signature")?.as_str().filter(|text| !text.is_empty())?;
    Some(Signature::from_field(text, Origin::Google))
}

pub(super) fn write_extra(signature: &Signature) -> Value {
    json!({ "google": { "thought_signature": signature.to_field(Origin::Google) } })
}

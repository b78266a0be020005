//! Reads a caller's request.

use super::super::{Content, Conversation, Fields, Origin, Part, Role, Thinking, Turn};
use super::names::{camel, object, objects};
use super::part::{self, Calls};
use super::{config, tool};
use burncloud_core::Error;
use serde_json::{Map, Value};

/// See the module.
pub(super) fn read(body: Map<String, Value>) -> Result<Conversation, Error> {
    let mut request = Fields::of_request(camel(body));
    // The path names the model and whether the answer is streamed.
    request.take("model");
    request.take("stream");
    let mut into = Conversation { include_usage: true, ..Conversation::default() };
    let mut calls = Calls::default();
    if let Some(mut system) = object(&mut request, "systemInstruction")? {
        system.take("role");
        into.system = parts(&mut system, &mut calls)?;
    }
    into.turns = turns(&mut request, &mut calls)?;
    into.tools = tool::read(&mut request)?;
    into.tool_choice = tool::read_choice(&mut request, &mut into.carry)?;
    config::read(&mut request, &mut into)?;
    into.metadata = request.object("labels")?;
    into.service_tier = request.string("serviceTier")?.and_then(|tier| service_tier(&tier));
    into.carry.extend(request.rest());
    Ok(into)
}

fn service_tier(tier: &str) -> Option<String> {
    let tier = tier.to_ascii_lowercase();
    match tier.strip_prefix("service_tier_").unwrap_or(&tier) {
        "unspecified" => None,
        "standard" => Some("default".to_owned()),
        other => Some(other.to_owned()),
    }
}

/// Contents of one role that follow each other are one turn: an SDK keeps each chunk of a stream as a content.
fn turns(request: &mut Fields, calls: &mut Calls) -> Result<Vec<Turn>, Error> {
    let mut turns: Vec<Turn> = Vec::new();
    for (number, mut content) in objects(request, "contents")?.into_iter().enumerate() {
        let role = match content.string("role")?.as_deref() {
            None | Some("" | "user" | "function") => Role::User,
            Some("model") => Role::Assistant,
            Some(_) => return Err(content.fault("role", "`role` must be user or model")),
        };
        calls.turn(number);
        let parts = parts(&mut content, calls)?;
        let carry = content.rest();
        match turns.last_mut() {
            Some(last) if last.role == role => {
                join(&mut last.parts, parts);
                last.carry.extend(carry);
            }
            _ => turns.push(Turn { role, parts, name: None, carry }),
        }
    }
    for turn in turns.iter_mut().filter(|turn| turn.role == Role::Assistant) {
        let parts = std::mem::take(&mut turn.parts);
        turn.parts = parts.into_iter().fold(Vec::new(), with_foreign_signature);
    }
    Ok(turns)
}

fn parts(content: &mut Fields, calls: &mut Calls) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    for fields in objects(content, "parts")? {
        parts.extend(part::read(fields, calls)?);
    }
    Ok(parts)
}

/// Adds the next content's parts. What was cut by the border between two chunks becomes one again.
fn join(before: &mut Vec<Part>, mut after: Vec<Part>) {
    if let (Some(last), Some(first)) = (before.last_mut(), after.first_mut())
        && last.carry.is_empty()
        && first.carry.is_empty()
    {
        let joined = match (&mut last.content, &mut first.content) {
            (
                Content::Text { text, signature: into @ None, .. },
                Content::Text { text: more, signature, .. },
            ) => {
                text.push_str(more);
                *into = signature.take();
                true
            }
            (Content::Thinking(into), Content::Thinking(more)) if into.signature.is_none() => {
                add(into, std::mem::take(more));
                true
            }
            _ => false,
        };
        if joined {
            after.remove(0);
        }
    }
    before.append(&mut after);
}

fn add(into: &mut Thinking, more: Thinking) {
    into.text.push_str(&more.text);
    into.signature = more.signature;
    into.redacted = more.redacted;
}

/// Another provider's signature stands for all the thoughts before it, which a stream may have cut into parts.
fn with_foreign_signature(mut parts: Vec<Part>, mut part: Part) -> Vec<Part> {
    let Content::Thinking(signed) = &mut part.content else {
        parts.push(part);
        return parts;
    };
    let foreign = signed.signature.as_ref().is_some_and(|s| s.origin != Origin::Google);
    if foreign && !signed.redacted {
        let open = |part: &Part| matches!(&part.content, Content::Thinking(it) if it.signature.is_none());
        let from = parts.iter().rposition(|part| !open(part)).map_or(0, |at| at + 1);
        let mut text = String::new();
        for before in parts.drain(from..) {
            if let Content::Thinking(thought) = before.content {
                text.push_str(&thought.text);
            }
        }
        text.push_str(&signed.text);
        signed.text = text;
    }
    parts.push(part);
    parts
}

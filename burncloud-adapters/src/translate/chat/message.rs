//! One message, and the turn that it is.

use super::{parts, thoughts, tools};
use crate::translate::{Content, Conversation, Fields, Part, Role, ToolResult, Turn};
use burncloud_core::Error;
use serde_json::Map;

/// Adds a message to a conversation. `legacy` is the id of the last call that was written without one.
pub(super) fn read(
    mut fields: Fields,
    number: usize,
    legacy: &mut String,
    conversation: &mut Conversation,
) -> Result<(), Error> {
    let role = fields.required("role")?;
    match role.as_str() {
        "user" => {
            let turn = plain(fields, Role::User)?;
            conversation.turns.push(turn);
        }
        "system" | "developer" => {
            let role = if role == "system" { Role::System } else { Role::Developer };
            let turn = plain(fields, role)?;
            let bare = turn.name.is_none() && turn.carry.is_empty();
            if conversation.turns.is_empty() && bare {
                conversation.system.extend(turn.parts);
            } else {
                conversation.turns.push(turn);
            }
        }
        "assistant" => {
            let turn = assistant(fields, number, legacy)?;
            conversation.turns.push(turn);
        }
        "tool" => {
            let id = fields.required("tool_call_id")?;
            add_result(fields, id, conversation)?;
        }
        "function" => add_result(fields, legacy.clone(), conversation)?,
        _ => {
            let text = "`role` must be `system`, `developer`, `user`, `assistant` or `tool`";
            return Err(fields.fault("role", text));
        }
    }
    Ok(())
}

/// What is said of a message as a whole is said of its last part.
fn mark(fields: &mut Fields, parts: &mut [Part]) -> Result<(), Error> {
    let cache = parts::read_cache(fields)?;
    if let Some(last) = parts.last_mut() {
        last.cache = last.cache.or(cache);
    }
    Ok(())
}

fn plain(mut fields: Fields, role: Role) -> Result<Turn, Error> {
    let mut parts = parts::read(fields.take("content"), &fields)?;
    mark(&mut fields, &mut parts)?;
    Ok(Turn { role, parts, name: fields.string("name")?, carry: fields.rest() })
}

fn assistant(mut fields: Fields, number: usize, legacy: &mut String) -> Result<Turn, Error> {
    let mut said = thoughts::read(&mut fields)?;
    said.extend(parts::read(fields.take("content"), &fields)?);
    if let Some(refusal) = fields.string("refusal")?.filter(|text| !text.is_empty()) {
        said.push(Part::new(Content::Refusal(refusal)));
    }
    said.extend(tools::read_calls(&mut fields)?);
    let id = format!("call_{number}_0");
    if let Some(call) = tools::read_legacy_call(&mut fields, id.clone())? {
        *legacy = id;
        said.push(call);
    }
    mark(&mut fields, &mut said)?;
    // An answer's sources are no part of a question.
    fields.take("annotations");
    Ok(Turn { role: Role::Assistant, parts: said, name: fields.string("name")?, carry: fields.rest() })
}

/// Results of one turn's calls make one turn.
fn add_result(mut fields: Fields, id: String, conversation: &mut Conversation) -> Result<(), Error> {
    let content = parts::read(fields.take("content"), &fields)?;
    let cache = parts::read_cache(&mut fields)?;
    let name = fields.string("name")?;
    let content = Content::ToolResult(ToolResult { id, name, content, is_error: false });
    let part = Part { content, cache, carry: fields.rest() };
    let results = |turn: &&mut Turn| {
        turn.role == Role::User
            && turn.carry.is_empty()
            && turn.parts.last().is_some_and(|part| matches!(part.content, Content::ToolResult(_)))
    };
    match conversation.turns.last_mut().filter(results) {
        Some(turn) => turn.parts.push(part),
        None => {
            let turn = Turn { role: Role::User, parts: vec![part], name: None, carry: Map::new() };
            conversation.turns.push(turn);
        }
    }
    Ok(())
}

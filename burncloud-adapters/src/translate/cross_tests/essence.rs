//! What a conversation says, in words that do not depend on the format it was read from.
//!
//! Spellings that mean the same are one here:
//!
//! - instructions are one text of paragraphs; those between turns are part of the user's turn, where many formats take
//!   no others; a user's turn that is a dot stands where a format wants the user to begin;
//! - turns of one role are one; a user's begins with the results of tools, and goes on with what they showed;
//! - the texts of a result are lines of one, and are compared as JSON where they are; a failure is a flag or `Error: `;
//! - ids of calls are their order; a refusal in the history is a text; empty texts are none;
//! - text documents are bytes, and of no particular kind; the assistant's texts may be cut anywhere;
//! - a level of reasoning is whether it is to think at all: levels, budgets and models' own words are approximations;
//! - `auto`, several calls at once, one answer, penalties of 0 and `strict: false` are the defaults; to choose one or some
//!   of the tools is to have only those; without tools there is no choice; free text for a tool is `input` of an object.

use crate::translate::{
    CallKind, Content, Conversation, Effort, FunctionTool, Media, Output, Part, Role, Source, Tool,
    ToolChoice, Turn,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What it says, as JSON.
pub(super) fn essence(it: &Conversation) -> Value {
    let sampling = &it.sampling;
    let leading = it.turns.iter().take_while(|turn| instructs(turn)).count();
    let (first, turns) = it.turns.split_at(leading);
    let system = it.system.iter().chain(first.iter().flat_map(|turn| &turn.parts));
    let (tools, choice) = tools(it);
    json!({
        "system": texts(system, "\n\n"),
        "turns": self::turns(turns),
        "tools": tools,
        "tool_choice": choice,
        "parallel_tools": it.parallel_tools.filter(|several| !several),
        "max_output": sampling.max_output,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "stop": sampling.stop,
        "seed": sampling.seed,
        "frequency_penalty": sampling.frequency_penalty.filter(|it| *it != 0.0),
        "presence_penalty": sampling.presence_penalty.filter(|it| *it != 0.0),
        "answers": sampling.answers.filter(|answers| *answers != 1),
        "logprobs": sampling.logprobs,
        "output": output(&it.output),
        "thinks": it.reasoning.as_ref().map(|it| match it.level() {
            None => "as it likes",
            Some(Effort::None) => "no",
            Some(_) => "yes",
        }),
        "user": it.user,
        "metadata": it.metadata,
        "service_tier": it.service_tier,
        "cache_key": it.cache_key,
        "verbosity": it.verbosity,
        "carry": it.carry,
    })
}

fn instructs(turn: &Turn) -> bool {
    matches!(turn.role, Role::System | Role::Developer)
}

fn texts<'a>(parts: impl Iterator<Item = &'a Part>, border: &str) -> String {
    let texts: Vec<&str> = parts.filter_map(Part::as_text).filter(|text| !text.trim().is_empty()).collect();
    texts.join(border)
}

fn turns(turns: &[Turn]) -> Vec<Value> {
    let mut ids = Vec::new();
    let mut merged: Vec<(Role, Vec<Value>)> = Vec::new();
    for turn in turns {
        let role = if instructs(turn) { Role::User } else { turn.role };
        let said: Vec<Value> = turn.parts.iter().flat_map(|it| part(it, &mut ids)).collect();
        match merged.last_mut() {
            _ if said.is_empty() => {}
            Some((last, before)) if *last == role => before.extend(said),
            _ => merged.push((role, said)),
        }
    }
    if merged.first().is_some_and(|(_, said)| *said == ["."]) {
        merged.remove(0);
    }
    let turn = |(role, mut said): (Role, Vec<Value>)| {
        if role == Role::Assistant {
            said = joined(said);
        }
        said.sort_by_key(order);
        json!({ "role": format!("{role:?}"), "said": said })
    };
    merged.into_iter().map(turn).collect()
}

/// Texts that follow each other as one.
fn joined(said: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for it in said {
        match (out.last_mut(), it) {
            (Some(Value::String(before)), Value::String(more)) => before.push_str(&more),
            (_, it) => out.push(it),
        }
    }
    out
}

/// Where a part stands in a turn, whatever order it was written in.
fn order(said: &Value) -> u8 {
    match said.get("result") {
        Some(_) => 0,
        None if said.get("shown").is_some() => 1,
        None if said.get("call").is_some() => 3,
        None => 2,
    }
}

fn number(ids: &mut Vec<String>, id: &str) -> usize {
    ids.iter().position(|known| known == id).unwrap_or_else(|| {
        ids.push(id.to_owned());
        ids.len() - 1
    })
}

fn part(part: &Part, ids: &mut Vec<String>) -> Vec<Value> {
    let one = match &part.content {
        Content::Text { text, .. } if text.trim().is_empty() => return vec![],
        // A label that writers put before what a tool showed.
        Content::Text { text, .. } if text.starts_with("Shown by the tool call ") => return vec![],
        Content::Text { text, .. } | Content::Refusal(text) => json!(text),
        Content::Media(media) => self::media(media),
        Content::Thinking(_) => return vec![],
        Content::ToolCall(call) => {
            json!({ "call": number(ids, &call.id), "name": call.name, "arguments": call.object() })
        }
        Content::ToolResult(result) => {
            let text = texts(result.content.iter(), "\n");
            let plain = text.strip_prefix("Error: ").unwrap_or(&text);
            let said = match serde_json::from_str(plain) {
                Ok(Value::Object(object)) => Value::Object(object),
                _ => plain.trim_end().into(),
            };
            let failed = result.is_error || text.len() > plain.len();
            let mut all = vec![json!({ "result": number(ids, &result.id), "said": said, "failed": failed })];
            let shown = result.content.iter().filter(|part| part.as_text().is_none());
            all.extend(shown.flat_map(|it| self::part(it, ids)));
            return all;
        }
        Content::Other { format, value } => json!({ "other": format.as_str(), "value": value }),
    };
    vec![one]
}

fn media(media: &Media) -> Value {
    let text = media.mime.as_deref().is_some_and(|mime| mime.starts_with("text/") || mime.ends_with("/json"));
    // One name of two; what is at an address says itself what it is.
    let mime = media.mime.as_deref().filter(|_| !text).map(|mime| mime.replace("audio/mp3", "audio/mpeg"));
    let mime = mime.filter(|_| matches!(media.source, Source::Base64(_)));
    let source = match &media.source {
        Source::Base64(data) => json!(["base64", data]),
        Source::Text(text) => {
            return json!({ "shown": media.kind.as_str(), "source": ["base64", STANDARD.encode(text)] });
        }
        Source::Url(url) => json!(["url", url]),
        Source::File(id) => json!(["file", id]),
    };
    json!({ "shown": media.kind.as_str(), "mime": mime, "source": source })
}

fn tools(it: &Conversation) -> (Vec<Value>, Value) {
    let allowed = match &it.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => Some(names.as_slice()),
        Some(ToolChoice::Named(name)) => Some(std::slice::from_ref(name)),
        _ => None,
    };
    let tools = it.tools.iter().filter(|tool| match tool {
        Tool::Function(tool) => allowed.is_none_or(|names| names.contains(&tool.name)),
        Tool::BuiltIn { .. } => true,
    });
    let tools: Vec<Value> = tools.map(tool).collect();
    let choice = match it.tool_choice.as_ref().filter(|_| !tools.is_empty()) {
        None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Value::Null,
        Some(ToolChoice::None) => json!("none"),
        Some(_) => json!("required"),
    };
    (tools, choice)
}

fn tool(tool: &Tool) -> Value {
    let it = match tool {
        Tool::Function(it) => it,
        Tool::BuiltIn { kind, .. } => return json!({ "built_in": kind }),
    };
    json!({
        "name": it.name,
        "description": it.description.as_deref().filter(|text| !text.is_empty()),
        "schema": schema(it),
        "strict": it.strict.filter(|strict| *strict),
    })
}

fn schema(tool: &FunctionTool) -> Value {
    if tool.kind == CallKind::Custom {
        return json!({
            "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"],
        });
    }
    let mut schema = match &tool.schema {
        Some(Value::Object(schema)) => schema.clone(),
        _ => Map::new(),
    };
    schema.entry("type").or_insert("object".into());
    schema.entry("properties").or_insert_with(|| json!({}));
    Value::Object(schema)
}

fn output(output: &Output) -> Value {
    match output {
        Output::Text => Value::Null,
        Output::Json => json!("json"),
        Output::Schema { name, description, schema, strict } => {
            json!({ "name": name, "description": description, "schema": schema, "strict": strict })
        }
    }
}

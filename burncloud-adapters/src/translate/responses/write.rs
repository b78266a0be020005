//! Requests, written for a provider.

use super::super::{
    CallKind, Conversation, Effort, Format, FunctionTool, Notes, Output, Part, QUIET, Setting, Target, Tool,
    ToolChoice,
};
use super::OWN;
use super::items::Items;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// The fewest output tokens that may be asked for.
const LEAST_OUTPUT: u64 = 16;

/// Fields of chat completions that responses do not have.
const CHAT_ONLY: [&str; 9] = [
    "audio",
    "function_call",
    "functions",
    "logit_bias",
    "modalities",
    "prediction",
    "stream_options",
    "web_search_options",
    "reasoning_effort",
];

/// See [`Codec::write_request`](super::Codec::write_request).
pub(super) fn write(mut from: Conversation, to: &Target<'_>, notes: &mut Notes) -> Result<Value, Error> {
    let own = from.from == Some(OWN);
    let mut body = Map::new();
    body.insert("model".to_owned(), to.model.into());
    let quiet = from.carry.shift_remove(QUIET).unwrap_or_default();
    let mut carry = std::mem::take(&mut from.carry);
    if from.from == Some(Format::Chat) {
        for name in CHAT_ONLY {
            if carry.shift_remove(name).is_some() {
                notes.drop_named(name);
            }
        }
    }
    if let Some(instructions) = instructions(std::mem::take(&mut from.system), own, notes)? {
        body.insert("instructions".to_owned(), instructions.into());
    }
    let mut items = Items::new(&from, to.profile, notes);
    for turn in std::mem::take(&mut from.turns) {
        items.turn(turn)?;
    }
    let reasons = items.has_reasoning();
    body.insert("input".to_owned(), Value::Array(items.into_list()));
    tools(&mut from, own, notes, &mut body);
    sampling(&from, own, notes, &mut body);
    if let Some(text) = text(&mut from, carry.shift_remove("text")) {
        body.insert("text".to_owned(), text);
    }
    reasoning(&from, quiet.get("summary"), carry.shift_remove("reasoning"), notes, &mut body);
    include(&from, reasons, carry.shift_remove("include"), &mut body);
    labels(&mut from, to.profile.genuine, &mut body);
    if to.streamed {
        body.insert("stream".to_owned(), true.into());
    }
    if !own {
        body.insert("store".to_owned(), false.into());
    }
    body.extend(carry);
    Ok(Value::Object(body))
}

fn instructions(system: Vec<Part>, own: bool, notes: &mut Notes) -> Result<Option<String>, Error> {
    let mut texts = Vec::with_capacity(system.len());
    for part in system {
        if part.cache.is_some() {
            notes.drop(Setting::CacheMark);
        }
        match part.as_text() {
            Some(text) if own || !text.trim().is_empty() => texts.push(text.to_owned()),
            Some(_) => {}
            None => {
                let fix = "put it into a user message";
                return Err(Notes::cannot_say("instructions that are not text", OWN, fix));
            }
        }
    }
    Ok((!texts.is_empty()).then(|| texts.join("\n\n")))
}

fn tools(from: &mut Conversation, own: bool, notes: &mut Notes, body: &mut Map<String, Value>) {
    let choice = from.tool_choice.take().map(|choice| tool_choice(choice, from));
    let mut tools = Vec::with_capacity(from.tools.len());
    for tool in std::mem::take(&mut from.tools) {
        match tool {
            Tool::Function(tool) => tools.push(Value::Object(function(tool, own, notes))),
            Tool::BuiltIn { format: OWN, value, .. } => tools.push(value),
            Tool::BuiltIn { .. } => notes.drop(Setting::BuiltInTool),
        }
    }
    if !tools.is_empty() {
        body.insert("tools".to_owned(), Value::Array(tools));
    }
    if let Some(choice) = choice {
        body.insert("tool_choice".to_owned(), choice);
    }
    if let Some(parallel) = from.parallel_tools {
        body.insert("parallel_tool_calls".to_owned(), parallel.into());
    }
}

fn function(tool: FunctionTool, own: bool, notes: &mut Notes) -> Map<String, Value> {
    let mut written = Map::new();
    let custom = tool.kind == CallKind::Custom;
    written.insert("type".to_owned(), if custom { "custom" } else { "function" }.into());
    written.insert("name".to_owned(), tool.name.into());
    if let Some(description) = tool.description {
        written.insert("description".to_owned(), description.into());
    }
    if tool.cache.is_some() {
        notes.drop(Setting::CacheMark);
    }
    if !custom {
        let none = || if own { Value::Null } else { json!({ "type": "object", "properties": {} }) };
        written.insert("parameters".to_owned(), tool.schema.unwrap_or_else(none));
        // Left out it would mean yes, and schemas that are not strict are refused then.
        if let Some(strict) = tool.strict.or((!own).then_some(false)) {
            written.insert("strict".to_owned(), strict.into());
        }
    }
    written.extend(tool.carry);
    written
}

fn tool_choice(choice: ToolChoice, from: &Conversation) -> Value {
    let named = |name: String| {
        let custom = from.functions().any(|tool| tool.name == name && tool.kind == CallKind::Custom);
        json!({ "type": if custom { "custom" } else { "function" }, "name": name })
    };
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Named(name) => named(name),
        ToolChoice::Allowed { names, required } => json!({
            "type": "allowed_tools",
            "mode": if required { "required" } else { "auto" },
            "tools": names.into_iter().map(named).collect::<Vec<_>>(),
        }),
    }
}

fn sampling(from: &Conversation, own: bool, notes: &mut Notes, body: &mut Map<String, Value>) {
    let sampling = &from.sampling;
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    let least = if own { 0 } else { LEAST_OUTPUT };
    set("max_output_tokens", sampling.max_output.map(|most| most.max(least).into()));
    set("temperature", sampling.temperature.map(Into::into));
    set("top_p", sampling.top_p.map(Into::into));
    set("top_logprobs", sampling.logprobs.filter(|most| *most > 0).map(Into::into));
    let absent = [
        (sampling.top_k.is_some(), Setting::TopK),
        (!sampling.stop.is_empty(), Setting::Stop),
        (sampling.seed.is_some(), Setting::Seed),
        (sampling.frequency_penalty.is_some_and(|it| it != 0.0), Setting::FrequencyPenalty),
        (sampling.presence_penalty.is_some_and(|it| it != 0.0), Setting::PresencePenalty),
        (sampling.answers.is_some_and(|it| it > 1), Setting::Answers),
    ];
    absent.into_iter().filter(|(given, _)| *given).for_each(|(_, setting)| notes.drop(setting));
}

fn text(from: &mut Conversation, carried: Option<Value>) -> Option<Value> {
    let mut text = match carried {
        Some(Value::Object(text)) => text,
        _ => Map::new(),
    };
    match std::mem::take(&mut from.output) {
        Output::Text => {}
        Output::Json => {
            text.insert("format".to_owned(), json!({ "type": "json_object" }));
        }
        Output::Schema { name, description, schema, strict } => {
            let name = name.unwrap_or_else(|| "response".to_owned());
            let mut format = json!({ "type": "json_schema", "name": name, "schema": schema });
            if let Some(description) = description {
                format["description"] = description.into();
            }
            if let Some(strict) = strict {
                format["strict"] = strict.into();
            }
            text.insert("format".to_owned(), format);
        }
    }
    if let Some(verbosity) = from.verbosity.take() {
        text.insert("verbosity".to_owned(), verbosity.into());
    }
    (!text.is_empty()).then_some(Value::Object(text))
}

fn reasoning(
    from: &Conversation,
    summary: Option<&Value>,
    carried: Option<Value>,
    notes: &mut Notes,
    body: &mut Map<String, Value>,
) {
    let mut written = match carried {
        Some(Value::Object(carried)) => carried,
        _ => Map::new(),
    };
    let family = from.from.is_some_and(|format| format.family(OWN));
    if let Some(reasoning) = &from.reasoning {
        match reasoning.level() {
            // Most models of this format either do not reason or cannot but: `none` would be refused.
            Some(Effort::None) if !family => notes.drop(Setting::Reasoning),
            Some(level) => {
                written.insert("effort".to_owned(), level.as_str().into());
            }
            None => {}
        }
        if reasoning.show == Some(true) {
            written.insert("summary".to_owned(), summary.cloned().unwrap_or_else(|| "auto".into()));
        }
    }
    if !written.is_empty() {
        body.insert("reasoning".to_owned(), Value::Object(written));
    }
}

fn include(from: &Conversation, reasons: bool, carried: Option<Value>, body: &mut Map<String, Value>) {
    let mut include = match carried {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let own = from.from == Some(OWN);
    let asked = from.reasoning.as_ref().is_some_and(|reasoning| !reasoning.is_off());
    if from.encrypted_reasoning || (!own && (asked || reasons)) {
        include.insert(0, "reasoning.encrypted_content".into());
    }
    if from.sampling.logprobs.is_some() {
        include.push("message.output_text.logprobs".into());
    }
    if !include.is_empty() {
        body.insert("include".to_owned(), Value::Array(include));
    }
}

fn labels(from: &mut Conversation, genuine: bool, body: &mut Map<String, Value>) {
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    // The newer name; who copies the API knows the older.
    let user = if genuine { "safety_identifier" } else { "user" };
    set(user, from.user.take().map(Value::String));
    set("metadata", from.metadata.take().map(Value::Object));
    set("service_tier", from.service_tier.take().map(Value::String));
    set("prompt_cache_key", from.cache_key.take().map(Value::String));
}

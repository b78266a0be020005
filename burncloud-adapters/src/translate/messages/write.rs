//! A conversation into a request.

use super::model::Model;
use super::rules::{Plan, plan};
use super::write_blocks::{Blocks, cache_control, plain_text, tool_name};
use super::{layout, schema};
use crate::translate::{
    CallKind, Conversation, Format, FunctionTool, Notes, Output, Part, Role, Setting, Target, Tool,
    ToolChoice,
};
use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

pub(super) fn write_request(
    mut conversation: Conversation,
    to: &Target<'_>,
    notes: &mut Notes,
) -> Result<Value, Error> {
    let own = conversation.from == Some(Format::Messages);
    let model = Model::of(to.model);
    drop_settings(&conversation, notes)?;
    let plan = plan(&conversation, model, own, notes);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(to.model));
    body.insert("max_tokens".to_owned(), json!(plan.max_tokens));
    let mut config = Map::new();
    config.extend(plan.effort.map(|effort| ("effort".to_owned(), json!(effort))));
    output(&mut conversation, model, own, &mut config, notes);
    layout::arrange(&mut conversation, own || model.system_turns());
    if conversation.tools.is_empty() && !own {
        // A history with calls is refused without tools.
        conversation.tools = layout::stand_ins(&conversation);
        conversation.tool_choice = Some(ToolChoice::None);
    }
    let mut blocks = Blocks { notes, own };
    let mut system = write_parts(&mut blocks, std::mem::take(&mut conversation.system), Role::System)?;
    if !system.is_empty() {
        let system = plain_text(&mut system).map_or(Value::Array(system), Value::String);
        body.insert("system".to_owned(), system);
    }
    let messages = messages(&mut blocks, &mut conversation)?;
    body.insert("messages".to_owned(), messages);
    tools(&mut body, &mut conversation, (&plan, model), own, notes)?;
    plan.write_sampling(&mut body, ["temperature", "top_p"]);
    body.extend(plan.top_k.map(|top_k| ("top_k".to_owned(), json!(top_k))));
    if !conversation.sampling.stop.is_empty() {
        body.insert("stop_sequences".to_owned(), json!(conversation.sampling.stop));
    }
    body.extend(plan.thinking.map(|thinking| ("thinking".to_owned(), thinking)));
    insert(&mut body, "output_config", config);
    if let Some(user) = conversation.user {
        body.insert("metadata".to_owned(), json!({"user_id": user}));
    }
    if let Some(tier) = conversation.service_tier {
        match tier.as_str() {
            "auto" | "priority" => drop(body.insert("service_tier".to_owned(), json!("auto"))),
            "default" => drop(body.insert("service_tier".to_owned(), json!("standard_only"))),
            _ => notes.drop(Setting::ServiceTier),
        }
    }
    if to.streamed {
        body.insert("stream".to_owned(), Value::Bool(true));
    }
    for (name, value) in conversation.carry {
        match (body.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(body.insert(name, value)),
        }
    }
    Ok(Value::Object(body))
}

fn insert(body: &mut Map<String, Value>, name: &str, value: Map<String, Value>) {
    if !value.is_empty() {
        body.insert(name.to_owned(), Value::Object(value));
    }
}

/// Records what Anthropic has no words for.
fn drop_settings(conversation: &Conversation, notes: &mut Notes) -> Result<(), Error> {
    let sampling = &conversation.sampling;
    if sampling.answers.is_some_and(|answers| answers > 1) {
        let name = Setting::Answers.name(notes.caller());
        let text = format!("this model's provider gives one answer at a time; `{name}` must be 1");
        let error = Error::new(ErrorKind::BadRequest, text);
        return Err(error.with_param(name).with_code("unsupported_value"));
    }
    let named = conversation.turns.iter().any(|turn| turn.name.is_some());
    for (said, setting) in [
        (sampling.seed.is_some(), Setting::Seed),
        (sampling.frequency_penalty.is_some_and(|it| it != 0.0), Setting::FrequencyPenalty),
        (sampling.presence_penalty.is_some_and(|it| it != 0.0), Setting::PresencePenalty),
        (sampling.logprobs.is_some(), Setting::Logprobs),
        (conversation.metadata.as_ref().is_some_and(|labels| !labels.is_empty()), Setting::Metadata),
        (conversation.cache_key.is_some(), Setting::CacheKey),
        (conversation.verbosity.is_some(), Setting::Verbosity),
        (named, Setting::Name),
    ] {
        if said {
            notes.drop(setting);
        }
    }
    Ok(())
}

/// The form of the answer: natively where the model keeps to a schema, as an instruction, with a record, where not.
fn output(
    conversation: &mut Conversation,
    model: Model,
    own: bool,
    config: &mut Map<String, Value>,
    notes: &mut Notes,
) {
    let instruction = match std::mem::take(&mut conversation.output) {
        Output::Text => return,
        Output::Json => "Answer with one JSON object and nothing else.".to_owned(),
        Output::Schema { schema, .. } if own || model.structured() => {
            let schema = if own { schema } else { schema::enforced(schema) };
            config.insert("format".to_owned(), json!({"type": "json_schema", "schema": schema}));
            return;
        }
        Output::Schema { schema, .. } => {
            format!("Answer with JSON that fits this schema, and nothing else:\n{schema}")
        }
    };
    conversation.system.push(Part::text(instruction));
    notes.drop(Setting::Output);
}

fn write_parts(blocks: &mut Blocks<'_>, parts: Vec<Part>, role: Role) -> Result<Vec<Value>, Error> {
    let mut written = Vec::with_capacity(parts.len());
    for part in parts {
        written.extend(blocks.write(part, role)?);
    }
    Ok(written)
}

fn messages(blocks: &mut Blocks<'_>, conversation: &mut Conversation) -> Result<Value, Error> {
    let mut messages = Vec::with_capacity(conversation.turns.len());
    for turn in std::mem::take(&mut conversation.turns) {
        let mut content = write_parts(blocks, turn.parts, turn.role)?;
        if content.is_empty() {
            continue;
        }
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System | Role::Developer => "system",
        };
        let content = plain_text(&mut content).map_or(Value::Array(content), Value::String);
        let mut message = Map::new();
        message.insert("role".to_owned(), json!(role));
        message.insert("content".to_owned(), content);
        message.extend(turn.carry);
        messages.push(Value::Object(message));
    }
    Ok(Value::Array(messages))
}

fn tools(
    body: &mut Map<String, Value>,
    conversation: &mut Conversation,
    (plan, model): (&Plan, Model),
    own: bool,
    notes: &mut Notes,
) -> Result<(), Error> {
    let mut choice = conversation.tool_choice.take();
    if let Some(ToolChoice::Allowed { names, required }) = choice {
        let names: HashSet<String> = names.into_iter().collect();
        conversation.tools.retain(|tool| match tool {
            Tool::Function(function) => names.contains(&function.name),
            Tool::BuiltIn { .. } => true,
        });
        choice = Some(if required { ToolChoice::Required } else { ToolChoice::Auto });
    }
    if conversation.tools.is_empty() {
        return Ok(());
    }
    let mut written = Vec::with_capacity(conversation.tools.len());
    for tool in std::mem::take(&mut conversation.tools) {
        written.push(match tool {
            Tool::BuiltIn { value, .. } => value,
            Tool::Function(function) => write_tool(function, model, own, notes)?,
        });
    }
    body.insert("tools".to_owned(), Value::Array(written));
    let forced = matches!(choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
    if plan.by_budget && forced {
        notes.drop(Setting::ToolChoice);
        choice = Some(ToolChoice::Auto);
    }
    let serial = conversation.parallel_tools.map(|parallel| !parallel);
    let choice = match choice {
        None if serial == Some(true) => Some(ToolChoice::Auto),
        choice => choice,
    };
    let mut choice = match choice {
        None => return Ok(()),
        Some(ToolChoice::None) => json!({"type": "none"}),
        Some(ToolChoice::Required) => json!({"type": "any"}),
        Some(ToolChoice::Named(name)) => json!({"type": "tool", "name": name}),
        Some(ToolChoice::Auto | ToolChoice::Allowed { .. }) => json!({"type": "auto"}),
    };
    if let Some(serial) = serial.filter(|serial| choice["type"] != "none" && (*serial || own)) {
        choice["disable_parallel_tool_use"] = Value::Bool(serial);
    }
    body.insert("tool_choice".to_owned(), choice);
    Ok(())
}

fn write_tool(function: FunctionTool, model: Model, own: bool, notes: &mut Notes) -> Result<Value, Error> {
    let mut strict = function.strict == Some(true);
    if !own {
        tool_name(&function.name, 128)?;
        if strict && !model.structured() {
            strict = false;
            notes.drop(Setting::ToolStrict);
        }
    }
    let mut tool = Map::new();
    tool.insert("name".to_owned(), Value::String(function.name));
    tool.extend(function.description.map(|text| ("description".to_owned(), Value::String(text))));
    let schema = if function.kind == CallKind::Custom {
        // Free text, as the one argument that `ToolCall::object` writes it in.
        notes.drop_named("tools.custom");
        json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]})
    } else if own {
        function.schema.unwrap_or_else(|| schema::of_tool(None))
    } else if strict {
        schema::enforced(schema::of_tool(function.schema))
    } else {
        schema::of_tool(function.schema)
    };
    tool.insert("input_schema".to_owned(), schema);
    if strict || (own && function.strict.is_some()) {
        tool.insert("strict".to_owned(), Value::Bool(strict));
    }
    tool.extend(function.cache.map(|mark| ("cache_control".to_owned(), cache_control(mark))));
    tool.extend(function.carry);
    Ok(Value::Object(tool))
}

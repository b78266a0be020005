//! A conversation into a request.

use super::media::MediaWriter;
use super::more::{self, Maker};
use super::write_blocks::{Blocks, LONGEST, cache_point};
use crate::translate::messages::model::Model;
use crate::translate::messages::rules::plan;
use crate::translate::messages::write_blocks::tool_name;
use crate::translate::messages::{layout, schema};
use crate::translate::{
    CallKind, Content, Conversation, Format, FunctionTool, Notes, Output, Part, Role, Setting, Target, Tool,
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
    let own = conversation.from == Some(Format::Converse);
    let (model, maker) = (Model::of(to.model), Maker::of(to.model));
    drop_settings(&conversation, notes)?;
    let mut body = Map::new();
    let (inference, additional, by_budget) = settings(&conversation, (model, maker), own, notes);
    output(&mut conversation, (model, maker), own, &mut body, notes);
    layout::arrange(&mut conversation, own || model.system_turns());
    let tools = tools(&mut conversation, (model, by_budget), own, notes)?;
    let mut blocks = Blocks { notes, own, media: MediaWriter::default() };
    let system = write_parts(&mut blocks, std::mem::take(&mut conversation.system), Role::System)?;
    if !system.is_empty() {
        body.insert("system".to_owned(), Value::Array(system));
    }
    let messages = messages(&mut blocks, &mut conversation)?;
    body.insert("messages".to_owned(), messages);
    insert(&mut body, "inferenceConfig", inference);
    insert(&mut body, "toolConfig", tools);
    insert(&mut body, "additionalModelRequestFields", additional);
    if let Some(tier) = conversation.service_tier {
        match tier.as_str() {
            "default" | "flex" | "priority" | "reserved" => {
                body.insert("serviceTier".to_owned(), json!({"type": tier}));
            }
            "auto" => {}
            _ => notes.drop(Setting::ServiceTier),
        }
    }
    if let Some(labels) = conversation.metadata.filter(|labels| !labels.is_empty()) {
        if labels.len() <= 16
            && labels.iter().all(|(name, value)| is_label(name) && value.as_str().is_some_and(is_label))
        {
            body.insert("requestMetadata".to_owned(), Value::Object(labels));
        } else {
            notes.drop(Setting::Metadata);
        }
    }
    for (name, value) in conversation.carry {
        match (body.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => merge(known, more),
            (_, value) => drop(body.insert(name, value)),
        }
    }
    Ok(Value::Object(body))
}

/// Two levels deep: makers' own fields are objects in turn.
fn merge(known: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (known.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(known.insert(name, value)),
        }
    }
}

fn insert(body: &mut Map<String, Value>, name: &str, value: Map<String, Value>) {
    if !value.is_empty() {
        body.insert(name.to_owned(), Value::Object(value));
    }
}

/// What AWS takes in `requestMetadata`.
fn is_label(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c);
    text.len() <= 256 && text.chars().all(fits)
}

/// Records what Converse has no words for.
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
        (conversation.user.is_some(), Setting::User),
        (conversation.cache_key.is_some(), Setting::CacheKey),
        (conversation.verbosity.is_some(), Setting::Verbosity),
        (conversation.parallel_tools == Some(false), Setting::ParallelTools),
        (named, Setting::Name),
    ] {
        if said {
            notes.drop(setting);
        }
    }
    Ok(())
}

/// `inferenceConfig`, `additionalModelRequestFields`, and whether it thinks within a budget.
fn settings(
    conversation: &Conversation,
    (model, maker): (Model, Maker),
    own: bool,
    notes: &mut Notes,
) -> (Map<String, Value>, Map<String, Value>, bool) {
    let sampling = &conversation.sampling;
    let mut inference = Map::new();
    let (more, by_budget) = if maker == Maker::Anthropic {
        let plan = plan(conversation, model, own, notes);
        if sampling.max_output.is_some() || (plan.by_budget && !own) {
            inference.insert("maxTokens".to_owned(), json!(plan.max_tokens));
        }
        plan.write_sampling(&mut inference, ["temperature", "topP"]);
        (more::of_claude(&plan), plan.by_budget)
    } else {
        let numbers = [
            ("maxTokens", sampling.max_output.map(|it| json!(it))),
            ("temperature", sampling.temperature.map(|it| json!(it.clamp(0.0, 1.0)))),
            ("topP", sampling.top_p.map(|it| json!(it))),
        ];
        inference.extend(numbers.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?))));
        (more::of_others(maker, conversation.reasoning.as_ref(), sampling, notes), false)
    };
    if !sampling.stop.is_empty() {
        inference.insert("stopSequences".to_owned(), json!(sampling.stop));
    }
    (inference, more, by_budget)
}

/// The form of the answer.
fn output(
    conversation: &mut Conversation,
    (model, maker): (Model, Maker),
    own: bool,
    body: &mut Map<String, Value>,
    notes: &mut Notes,
) {
    // Nova keeps to no schema but a tool's; of others the API says whether they do.
    let structured = own || if maker == Maker::Anthropic { model.structured() } else { maker != Maker::Nova };
    let instruction = match std::mem::take(&mut conversation.output) {
        Output::Text => return,
        Output::Json => "Answer with one JSON object and nothing else.".to_owned(),
        Output::Schema { name, description, schema, .. } if structured => {
            let schema = if maker == Maker::Anthropic && !own { schema::enforced(schema) } else { schema };
            let mut form = json!({"schema": schema.to_string()});
            for (field, text) in [("name", name), ("description", description)] {
                if let Some(text) = text {
                    form[field] = Value::String(text);
                }
            }
            let format = json!({"type": "json_schema", "structure": {"jsonSchema": form}});
            body.insert("outputConfig".to_owned(), json!({"textFormat": format}));
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
        blocks.write(part, role, &mut written)?;
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
        let has = |name: &str| content.iter().any(|block| block.get(name).is_some());
        if has("document") && !has("text") && !blocks.own {
            content.push(json!({"text": "."}));
        }
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System | Role::Developer => "system",
        };
        let mut message = Map::new();
        message.insert("role".to_owned(), json!(role));
        message.insert("content".to_owned(), Value::Array(content));
        message.extend(turn.carry);
        messages.push(Value::Object(message));
    }
    Ok(Value::Array(messages))
}

/// `toolConfig`.
fn tools(
    conversation: &mut Conversation,
    (model, by_budget): (Model, bool),
    own: bool,
    notes: &mut Notes,
) -> Result<Map<String, Value>, Error> {
    let mut config = Map::new();
    let mut choice = conversation.tool_choice.take();
    if let Some(ToolChoice::Allowed { names, required }) = choice {
        let names: HashSet<String> = names.into_iter().collect();
        conversation.tools.retain(|tool| match tool {
            Tool::Function(function) => names.contains(&function.name),
            Tool::BuiltIn { .. } => true,
        });
        choice = Some(if required { ToolChoice::Required } else { ToolChoice::Auto });
    }
    let mut parts = conversation.turns.iter().flat_map(|turn| &turn.parts);
    let called = parts.any(|part| matches!(part.content, Content::ToolCall(_) | Content::ToolResult(_)));
    if choice == Some(ToolChoice::None) {
        choice = None;
        if !called {
            return Ok(config);
        }
        notes.drop(Setting::ToolChoice);
    }
    if conversation.tools.is_empty() && called {
        conversation.tools = layout::stand_ins(conversation);
    }
    if conversation.tools.is_empty() {
        return Ok(config);
    }
    let mut written = Vec::with_capacity(conversation.tools.len());
    for tool in std::mem::take(&mut conversation.tools) {
        match tool {
            Tool::BuiltIn { value, .. } => written.push(value),
            Tool::Function(function) => {
                let cache = function.cache;
                written.push(write_tool(function, model, own, notes)?);
                written.extend(cache.map(cache_point));
            }
        }
    }
    config.insert("tools".to_owned(), Value::Array(written));
    if by_budget && matches!(choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
        notes.drop(Setting::ToolChoice);
        choice = Some(ToolChoice::Auto);
    }
    let choice = choice.map(|choice| match choice {
        ToolChoice::Required => json!({"any": {}}),
        ToolChoice::Named(name) => json!({"tool": {"name": name}}),
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { .. } => json!({"auto": {}}),
    });
    config.extend(choice.map(|choice| ("toolChoice".to_owned(), choice)));
    Ok(config)
}

fn write_tool(function: FunctionTool, model: Model, own: bool, notes: &mut Notes) -> Result<Value, Error> {
    let mut strict = function.strict == Some(true);
    if !own {
        tool_name(&function.name, LONGEST)?;
        if strict && !model.structured() {
            strict = false;
            notes.drop(Setting::ToolStrict);
        }
    }
    let mut spec = Map::new();
    spec.insert("name".to_owned(), Value::String(function.name));
    let description = function.description.filter(|text| !text.is_empty());
    spec.extend(description.map(|text| ("description".to_owned(), Value::String(text))));
    let schema = if function.kind == CallKind::Custom {
        // Free text, as the one argument that `ToolCall::object` writes it in.
        notes.drop_named("tools.custom");
        json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]})
    } else if strict && !own {
        schema::enforced(schema::of_tool(function.schema))
    } else if own {
        function.schema.unwrap_or_else(|| schema::of_tool(None))
    } else {
        schema::of_tool(function.schema)
    };
    spec.insert("inputSchema".to_owned(), json!({"json": schema}));
    if strict || (own && function.strict.is_some()) {
        spec.insert("strict".to_owned(), Value::Bool(strict));
    }
    spec.extend(function.carry);
    Ok(json!({"toolSpec": spec}))
}

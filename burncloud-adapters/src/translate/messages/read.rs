//! A request into a conversation.

use super::read_blocks::{read_cache, read_content};
use crate::translate::{
    CallKind, Content, Conversation, Effort, Fields, Format, FunctionTool, Output, Part, Reasoning, Role,
    Sampling, Tool, ToolChoice, Turn,
};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

pub(super) fn read_request(body: Map<String, Value>) -> Result<Conversation, Error> {
    let mut fields = Fields::of_request(body);
    for known in ["model", "stream"] {
        fields.take(known);
    }
    // The version that clouds want in the body: each channel says its own.
    fields.take("anthropic_version");
    let automatic = read_cache(&mut fields)?;
    let mut conversation = Conversation {
        system: read_content(&mut fields, "system")?,
        turns: fields.objects("messages")?.into_iter().map(read_turn).collect::<Result<_, _>>()?,
        tools: fields.objects("tools")?.into_iter().map(read_tool).collect::<Result<_, _>>()?,
        sampling: Sampling {
            max_output: fields.unsigned("max_tokens")?,
            temperature: fields.number("temperature")?,
            top_p: fields.number("top_p")?,
            top_k: fields.unsigned("top_k")?,
            stop: fields.strings("stop_sequences")?,
            ..Sampling::default()
        },
        include_usage: true,
        ..Conversation::default()
    };
    if let Some(choice) = fields.object("tool_choice")? {
        read_choice(fields.inner(choice), &mut conversation)?;
    }
    read_output(&mut fields, &mut conversation)?;
    let mut metadata = fields.fields("metadata")?;
    conversation.user = metadata.string("user_id")?;
    keep("metadata", metadata.rest(), &mut conversation.carry);
    conversation.service_tier = fields.string("service_tier")?.map(|tier| match tier.as_str() {
        "standard_only" => "default".to_owned(),
        _ => tier,
    });
    // Top-level `cache_control` is a mark on the last block that can be cached.
    if automatic.is_some() {
        let mut parts = conversation.turns.iter_mut().rev().flat_map(|turn| turn.parts.iter_mut().rev());
        if let Some(last) = parts.find(|part| !matches!(part.content, Content::Thinking(_))) {
            last.cache = last.cache.or(automatic);
        }
    }
    let carry = std::mem::take(&mut conversation.carry);
    conversation.carry = fields.rest();
    conversation.carry.extend(carry);
    Ok(conversation)
}

fn keep(name: &str, rest: Map<String, Value>, carry: &mut Map<String, Value>) {
    if !rest.is_empty() {
        carry.insert(name.to_owned(), Value::Object(rest));
    }
}

fn read_turn(mut fields: Fields) -> Result<Turn, Error> {
    let role = match fields.required("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(fields.fault("role", "`role` must be user, assistant or system")),
    };
    if !fields.has("content") {
        return Err(fields.fault("content", "every message needs `content`"));
    }
    let parts: Vec<Part> = read_content(&mut fields, "content")?;
    Ok(Turn { role, parts, name: None, carry: fields.rest() })
}

fn read_tool(mut fields: Fields) -> Result<Tool, Error> {
    let kind = fields.peek("type").and_then(Value::as_str).unwrap_or("custom").to_owned();
    if kind != "custom" {
        return Ok(Tool::BuiltIn { format: Format::Messages, kind, value: Value::Object(fields.rest()) });
    }
    fields.take("type");
    Ok(Tool::Function(FunctionTool {
        name: fields.required("name")?,
        description: fields.string("description")?,
        schema: fields.object("input_schema")?.map(Value::Object),
        strict: fields.boolean("strict")?,
        kind: CallKind::Function,
        cache: read_cache(&mut fields)?,
        carry: fields.rest(),
    }))
}

fn read_choice(mut fields: Fields, conversation: &mut Conversation) -> Result<(), Error> {
    conversation.tool_choice = Some(match fields.required("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(fields.required("name")?),
        _ => return Err(fields.fault("tool_choice", "`tool_choice.type` must be auto, any, tool or none")),
    });
    conversation.parallel_tools = fields.boolean("disable_parallel_tool_use")?.map(|disabled| !disabled);
    Ok(())
}

/// `thinking`, `output_config`, and the older `output_format`.
fn read_output(fields: &mut Fields, conversation: &mut Conversation) -> Result<(), Error> {
    let mut config = fields.fields("output_config")?;
    let format = match config.object("format")? {
        Some(format) => Some(format),
        None => fields.object("output_format")?,
    };
    if let Some(format) = format {
        let schema = fields.inner(format).object("schema")?.map_or_else(|| json!({}), Value::Object);
        conversation.output = Output::Schema { name: None, description: None, schema, strict: None };
    }
    let effort = config.string("effort")?;
    let level = effort.as_deref().map(|word| {
        Effort::parse(word).filter(|effort| *effort >= Effort::Low).ok_or_else(|| {
            config.fault("effort", "`output_config.effort` must be low, medium, high, xhigh or max")
        })
    });
    let level = level.transpose()?;
    let mut rest = config.rest();
    let thinking = fields.object("thinking")?.map(|thinking| fields.inner(thinking));
    match thinking {
        Some(thinking) => {
            let mut reasoning = read_thinking(thinking, &mut conversation.carry)?;
            if reasoning.is_off() {
                // An effort without thinking: it means something to Anthropic alone.
                rest.extend(effort.map(|effort| ("effort".to_owned(), Value::String(effort))));
            } else {
                reasoning.effort = level;
            }
            conversation.reasoning = Some(reasoning);
        }
        None => conversation.reasoning = level.map(Reasoning::of_effort),
    }
    keep("output_config", rest, &mut conversation.carry);
    Ok(())
}

fn read_thinking(mut fields: Fields, carry: &mut Map<String, Value>) -> Result<Reasoning, Error> {
    let kind = fields.required("type")?;
    let show = fields.string("display")?.map(|display| display != "omitted");
    Ok(match kind.as_str() {
        "disabled" => Reasoning { budget: Some(0), ..Reasoning::default() },
        "enabled" => Reasoning { budget: fields.unsigned("budget_tokens")?, show, ..Reasoning::default() },
        "adaptive" => Reasoning { adaptive: true, show, ..Reasoning::default() },
        // `between_tools`, and what comes: as much as the model likes, as far as others can be told.
        _ => {
            carry.insert("thinking".to_owned(), json!({ "type": kind }));
            Reasoning { adaptive: true, show, ..Reasoning::default() }
        }
    })
}

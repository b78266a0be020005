//! Requests, read.

use super::super::{
    CallKind, Conversation, Effort, Fields, FunctionTool, Origin, Output, Part, QUIET, Reasoning, Role,
    Sampling, Tool, ToolChoice, Turn,
};
use super::OWN;
use super::input::Turns;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// See [`Codec::read_request`](super::Codec::read_request).
pub(super) fn read(body: Map<String, Value>) -> Result<Conversation, Error> {
    let mut body = Fields::of_request(body);
    body.take("model");
    let mut conversation = Conversation { include_usage: true, from: Some(OWN), ..Conversation::default() };
    conversation.stream = body.boolean("stream")?.unwrap_or(false);
    conversation.system = instructions(&mut body)?;
    conversation.turns = turns(&mut body)?;
    conversation.tools = tools(&mut body)?;
    conversation.parallel_tools = body.boolean("parallel_tool_calls")?;
    conversation.sampling = sampling(&mut body)?;
    conversation.metadata = body.object("metadata")?;
    conversation.service_tier = body.string("service_tier")?;
    conversation.cache_key = body.string("prompt_cache_key")?;
    conversation.user = body.string("safety_identifier")?;
    if conversation.user.is_none() {
        conversation.user = body.string("user")?;
    }
    let mut carry = Map::new();
    let choice = body.take("tool_choice");
    conversation.tool_choice = choice.and_then(|choice| {
        tool_choice(&choice).or_else(|| {
            carry.insert("tool_choice".to_owned(), choice);
            None
        })
    });
    text(&mut body, &mut conversation, &mut carry)?;
    reasoning(&mut body, &mut conversation, &mut carry)?;
    include(&mut body, &mut conversation, &mut carry)?;
    carry.extend(body.rest());
    if carry.get("truncation").is_some_and(|truncation| truncation == "disabled") {
        // What every provider does.
        carry.shift_remove("truncation");
    }
    conversation.carry = carry;
    Ok(conversation)
}

fn instructions(body: &mut Fields) -> Result<Vec<Part>, Error> {
    Ok(body.string("instructions")?.map(Part::text).into_iter().collect())
}

fn turns(body: &mut Fields) -> Result<Vec<Turn>, Error> {
    if let Some(Value::String(_)) = body.peek("input") {
        let text = body.string("input")?.unwrap_or_default();
        return Ok(vec![Turn::new(Role::User, vec![Part::text(text)])]);
    }
    let mut turns = Turns::new(Origin::OpenAi);
    for item in body.objects("input")? {
        turns.item(item)?;
    }
    Ok(turns.into_turns())
}

fn sampling(body: &mut Fields) -> Result<Sampling, Error> {
    Ok(Sampling {
        max_output: body.unsigned("max_output_tokens")?,
        temperature: body.number("temperature")?,
        top_p: body.number("top_p")?,
        logprobs: body.unsigned("top_logprobs")?.filter(|most| *most > 0),
        ..Sampling::default()
    })
}

fn tools(body: &mut Fields) -> Result<Vec<Tool>, Error> {
    body.objects("tools")?.into_iter().map(tool).collect()
}

fn tool(mut tool: Fields) -> Result<Tool, Error> {
    let kind = tool.peek("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let call = match kind.as_str() {
        "function" => CallKind::Function,
        "custom" => CallKind::Custom,
        _ => return Ok(Tool::BuiltIn { format: OWN, kind, value: Value::Object(tool.rest()) }),
    };
    tool.take("type");
    Ok(Tool::Function(FunctionTool {
        name: tool.required("name")?,
        description: tool.string("description")?,
        schema: tool.object("parameters")?.map(Value::Object),
        strict: tool.boolean("strict")?,
        kind: call,
        cache: None,
        carry: tool.rest(),
    }))
}

/// `None` where it names what only this format has.
fn tool_choice(choice: &Value) -> Option<ToolChoice> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let named = |value: &Value| match value.get("type").and_then(Value::as_str) {
        Some("function" | "custom") => text(value, "name"),
        _ => None,
    };
    match choice {
        Value::String(word) => match word.as_str() {
            "auto" => Some(ToolChoice::Auto),
            "required" => Some(ToolChoice::Required),
            "none" => Some(ToolChoice::None),
            _ => None,
        },
        choice if choice.get("type").is_some_and(|kind| kind == "allowed_tools") => {
            let tools = choice.get("tools")?.as_array()?;
            let names: Option<Vec<String>> = tools.iter().map(named).collect();
            let required = choice.get("mode").is_some_and(|mode| mode == "required");
            Some(ToolChoice::Allowed { names: names?, required })
        }
        choice => named(choice).map(ToolChoice::Named),
    }
}

fn text(body: &mut Fields, to: &mut Conversation, carry: &mut Map<String, Value>) -> Result<(), Error> {
    let mut text = body.fields("text")?;
    to.verbosity = text.string("verbosity")?;
    let kind = text.peek("format").and_then(|format| format.get("type")).and_then(Value::as_str);
    match kind {
        None | Some("text") => {
            text.take("format");
        }
        Some("json_object") => {
            text.take("format");
            to.output = Output::Json;
        }
        Some("json_schema") => {
            let mut format = text.fields("format")?;
            to.output = Output::Schema {
                name: format.string("name")?,
                description: format.string("description")?,
                schema: format.take("schema").unwrap_or_else(|| json!({})),
                strict: format.boolean("strict")?,
            };
        }
        // A grammar, say.
        Some(_) => {}
    }
    let rest = text.rest();
    if !rest.is_empty() {
        carry.insert("text".to_owned(), Value::Object(rest));
    }
    Ok(())
}

fn reasoning(body: &mut Fields, to: &mut Conversation, carry: &mut Map<String, Value>) -> Result<(), Error> {
    let mut reasoning = body.fields("reasoning")?;
    let effort = match reasoning.string("effort")? {
        None => None,
        Some(word) => Some(Effort::parse(&word).ok_or_else(|| {
            reasoning.fault("reasoning.effort", "`reasoning.effort` is no level that is known here")
        })?),
    };
    let summary = reasoning.string("summary")?;
    let summary = match summary {
        Some(summary) => Some(summary),
        None => reasoning.string("generate_summary")?,
    };
    if effort.is_some() || summary.is_some() {
        to.reasoning =
            Some(Reasoning { effort, show: summary.is_some().then_some(true), ..Reasoning::default() });
    }
    if let Some(summary) = summary.filter(|summary| summary != "auto") {
        carry.insert(QUIET.to_owned(), json!({ "summary": summary }));
    }
    let rest = reasoning.rest();
    if !rest.is_empty() {
        carry.insert("reasoning".to_owned(), Value::Object(rest));
    }
    Ok(())
}

fn include(body: &mut Fields, to: &mut Conversation, carry: &mut Map<String, Value>) -> Result<(), Error> {
    let mut rest = Vec::new();
    for name in body.strings("include")? {
        match name.as_str() {
            "reasoning.encrypted_content" => to.encrypted_reasoning = true,
            "message.output_text.logprobs" => to.sampling.logprobs = to.sampling.logprobs.or(Some(0)),
            _ => rest.push(Value::String(name)),
        }
    }
    if !rest.is_empty() {
        carry.insert("include".to_owned(), Value::Array(rest));
    }
    Ok(())
}

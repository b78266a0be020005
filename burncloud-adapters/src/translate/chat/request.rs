//! Requests, read.

use super::{message, tools};
use crate::translate::{Conversation, Effort, Fields, Output, Reasoning};
use burncloud_core::Error;
use serde_json::{Map, Value};

pub(super) fn read(body: Map<String, Value>) -> Result<Conversation, Error> {
    let mut fields = Fields::of_request(body);
    fields.take("model");
    fields.take("stream");
    let mut conversation = Conversation::default();
    if !fields.has("messages") {
        return Err(fields.fault("messages", "`messages` is missing"));
    }
    let mut legacy = "call_0_0".to_owned();
    for (number, fields) in fields.objects("messages")?.into_iter().enumerate() {
        message::read(fields, number, &mut legacy, &mut conversation)?;
    }
    conversation.tools = tools::read_tools(&mut fields)?;
    let mut carry = Map::new();
    conversation.tool_choice = tools::read_choice(&mut fields, &mut carry)?;
    conversation.parallel_tools = fields.boolean("parallel_tool_calls")?;
    read_sampling(&mut fields, &mut conversation)?;
    conversation.output = read_output(&mut fields, &mut carry)?;
    conversation.reasoning = read_reasoning(&mut fields, &mut carry)?;
    let user = fields.string("user")?;
    let identifier = fields.string("safety_identifier")?;
    if let (Some(_), Some(identifier)) = (&user, &identifier) {
        carry.insert("safety_identifier".to_owned(), identifier.clone().into());
    }
    conversation.user = user.or(identifier);
    conversation.metadata = fields.object("metadata")?;
    conversation.service_tier = fields.string("service_tier")?;
    conversation.cache_key = fields.string("prompt_cache_key")?;
    conversation.verbosity = fields.string("verbosity")?;
    conversation.include_usage = fields.fields("stream_options")?.boolean("include_usage")?.unwrap_or(false);
    carry.extend(fields.rest());
    conversation.carry = carry;
    Ok(conversation)
}

fn read_sampling(fields: &mut Fields, conversation: &mut Conversation) -> Result<(), Error> {
    let sampling = &mut conversation.sampling;
    let newer = fields.unsigned("max_completion_tokens")?;
    sampling.max_output = newer.or(fields.unsigned("max_tokens")?);
    sampling.temperature = fields.number("temperature")?;
    sampling.top_p = fields.number("top_p")?;
    // Not OpenAI's, but that of most who copy it.
    sampling.top_k = fields.unsigned("top_k")?;
    sampling.stop = fields.strings("stop")?;
    sampling.seed = fields.integer("seed")?;
    sampling.frequency_penalty = fields.number("frequency_penalty")?;
    sampling.presence_penalty = fields.number("presence_penalty")?;
    sampling.answers = fields.unsigned("n")?;
    // Older APIs want a number here; it counts alternatives.
    let wanted = match fields.take("logprobs") {
        None => None,
        Some(Value::Bool(wanted)) => Some((wanted, 0)),
        Some(Value::Number(number)) => Some((true, number.as_u64().unwrap_or(0))),
        Some(_) => return Err(fields.fault("logprobs", "`logprobs` must be true or false")),
    };
    let alternatives = fields.unsigned("top_logprobs")?;
    sampling.logprobs = match wanted {
        Some((false, _)) => None,
        Some((true, number)) => Some(alternatives.unwrap_or(number)),
        None => alternatives,
    };
    Ok(())
}

fn read_output(fields: &mut Fields, carry: &mut Map<String, Value>) -> Result<Output, Error> {
    let Some(format) = fields.object("response_format")? else { return Ok(Output::Text) };
    Ok(match format.get("type").and_then(Value::as_str) {
        Some("text") => Output::Text,
        Some("json_object") if !format.contains_key("schema") => Output::Json,
        Some("json_schema") => {
            let mut inner = fields.inner(format).fields("json_schema")?;
            Output::Schema {
                name: inner.string("name")?,
                description: inner.string("description")?,
                strict: inner.boolean("strict")?,
                schema: inner.object("schema")?.map_or_else(|| Value::Object(Map::new()), Value::Object),
            }
        }
        // Others let a schema stand beside the plain type.
        Some("json_object") => Output::Schema {
            name: None,
            description: None,
            strict: None,
            schema: format.get("schema").cloned().unwrap_or_default(),
        },
        _ => {
            carry.insert("response_format".to_owned(), Value::Object(format));
            Output::Text
        }
    })
}

/// `reasoning_effort`, or OpenRouter's `reasoning`, or `thinking` as DeepSeek and Zhipu have it.
fn read_reasoning(fields: &mut Fields, carry: &mut Map<String, Value>) -> Result<Option<Reasoning>, Error> {
    let mut reasoning = None;
    if let Some(word) = fields.string("reasoning_effort")? {
        reasoning = Effort::parse(&word).map(Reasoning::of_effort);
        if reasoning.is_none() {
            carry.insert("reasoning_effort".to_owned(), word.into());
        }
    }
    if let Some(map) = fields.object("reasoning")? {
        let mut inner = fields.inner(map);
        let effort = inner.string("effort")?.as_deref().and_then(Effort::parse);
        let budget = inner.unsigned("max_tokens")?;
        let show = inner.boolean("exclude")?.map(|exclude| !exclude);
        let enabled = inner.boolean("enabled")?;
        let off = (enabled == Some(false)).then_some(Effort::None);
        let adaptive = enabled == Some(true) && effort.is_none() && budget.is_none();
        reasoning = reasoning.or(Some(Reasoning { effort: off.or(effort), budget, adaptive, show }));
    }
    if let Some(thinking) = fields.object("thinking")? {
        let budget = thinking.get("budget_tokens").and_then(Value::as_u64);
        match thinking.get("type").and_then(Value::as_str) {
            Some("disabled") => reasoning = reasoning.or(Some(Reasoning::of_effort(Effort::None))),
            Some("enabled" | "adaptive") => {
                let adaptive = budget.is_none();
                reasoning = reasoning.or(Some(Reasoning { budget, adaptive, ..Reasoning::default() }));
            }
            _ => {
                carry.insert("thinking".to_owned(), Value::Object(thinking));
            }
        }
    }
    Ok(reasoning)
}

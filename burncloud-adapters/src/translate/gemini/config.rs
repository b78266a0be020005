//! `generationConfig`.

use super::super::{Conversation, Effort, Fields, Notes, Output, Reasoning, Sampling, Setting};
use super::model::{self, Model};
use super::names::{keep_spelling, object, take_spelling};
use super::schema::json_schema;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// Where a schema is kept in Google's own form.
const SCHEMA: &str = "responseSchema";
/// And that only text was asked for, which is so anyway.
const TEXT_ONLY: &str = "responseModalities";

/// Reads it into the conversation.
pub(super) fn read(request: &mut Fields, into: &mut Conversation) -> Result<(), Error> {
    let Some(mut config) = object(request, "generationConfig")? else { return Ok(()) };
    into.sampling = sampling(&mut config)?;
    into.reasoning = reasoning(&mut config)?;
    into.output = output(&mut config, &mut into.carry)?;
    if config.peek("responseModalities").is_some_and(is_text_only) {
        let value = config.take("responseModalities").unwrap_or_default();
        keep_spelling(&mut into.carry, TEXT_ONLY, value);
    }
    let rest = config.rest().into_iter();
    into.carry.extend(rest.map(|(name, value)| (format!("generationConfig.{name}"), value)));
    Ok(())
}

fn is_text_only(modalities: &Value) -> bool {
    matches!(modalities.as_array().map(Vec::as_slice), Some([Value::String(one)]) if one.eq_ignore_ascii_case("TEXT"))
}

fn sampling(config: &mut Fields) -> Result<Sampling, Error> {
    let shown = config.boolean("responseLogprobs")? == Some(true);
    let logprobs = if shown { Some(config.unsigned("logprobs")?.unwrap_or(0)) } else { None };
    Ok(Sampling {
        max_output: config.unsigned("maxOutputTokens")?,
        temperature: config.number("temperature")?,
        top_p: config.number("topP")?,
        top_k: config.unsigned("topK")?,
        stop: config.strings("stopSequences")?,
        seed: config.integer("seed")?,
        frequency_penalty: config.number("frequencyPenalty")?,
        presence_penalty: config.number("presencePenalty")?,
        answers: config.unsigned("candidateCount")?,
        logprobs,
    })
}

fn reasoning(config: &mut Fields) -> Result<Option<Reasoning>, Error> {
    let Some(mut thinking) = object(config, "thinkingConfig")? else { return Ok(None) };
    let show = thinking.boolean("includeThoughts")?;
    let budget = thinking.integer("thinkingBudget")?;
    let effort = match thinking.string("thinkingLevel")? {
        Some(level) if !level.eq_ignore_ascii_case("THINKING_LEVEL_UNSPECIFIED") => {
            let fault = || {
                thinking.fault("thinkingLevel", "`thinkingLevel` must be MINIMAL, LOW, MEDIUM, HIGH or XHIGH")
            };
            Some(Effort::parse(&level).ok_or_else(fault)?)
        }
        _ => None,
    };
    let adaptive = budget.is_some_and(|budget| budget < 0);
    let budget = budget.and_then(|budget| u64::try_from(budget).ok());
    Ok(Some(Reasoning { effort, budget, adaptive, show }))
}

fn output(config: &mut Fields, carry: &mut Map<String, Value>) -> Result<Output, Error> {
    let mime = config.string("responseMimeType")?;
    let mut schema = config.take("responseJsonSchema");
    if let Some(older) = config.take("responseSchema") {
        keep_spelling(carry, SCHEMA, older.clone());
        schema = schema.or_else(|| Some(json_schema(older)));
    }
    let json = mime.as_deref() == Some("application/json");
    if let Some(mime) = mime.filter(|mime| !json && mime != "text/plain") {
        carry.insert("generationConfig.responseMimeType".to_owned(), mime.into());
    }
    Ok(match schema {
        Some(schema) if !schema.is_object() => {
            return Err(config.fault("responseJsonSchema", "the schema of the answer must be an object"));
        }
        Some(schema) => Output::Schema { name: None, description: None, schema, strict: None },
        None if json => Output::Json,
        None => Output::Text,
    })
}

/// Writes it for a model. `own`: for whoever asked in these very words.
pub(super) fn write(
    from: &mut Conversation,
    model: Model<'_>,
    own: bool,
    notes: &mut Notes,
) -> Map<String, Value> {
    let mut config = write_sampling(std::mem::take(&mut from.sampling));
    if let Some(asked) = from.reasoning.take() {
        let thinking = if own { Some(model::verbatim(&asked)) } else { model.thinking(&asked, notes) };
        config.extend(thinking.map(|thinking| ("thinkingConfig".to_owned(), Value::Object(thinking))));
    }
    match std::mem::take(&mut from.output) {
        Output::Text => {}
        Output::Json => {
            config.insert("responseMimeType".to_owned(), "application/json".into());
        }
        Output::Schema { schema, .. } => {
            config.insert("responseMimeType".to_owned(), "application/json".into());
            match take_spelling(&mut from.carry, SCHEMA) {
                Some(older) => config.insert("responseSchema".to_owned(), older),
                None => config.insert("responseJsonSchema".to_owned(), schema),
            };
        }
    }
    config.extend(take_spelling(&mut from.carry, TEXT_ONLY).map(|it| ("responseModalities".to_owned(), it)));
    if from.verbosity.take().is_some() {
        notes.drop(Setting::Verbosity);
    }
    config
}

fn write_sampling(sampling: Sampling) -> Map<String, Value> {
    let Sampling {
        max_output,
        temperature,
        top_p,
        top_k,
        stop,
        seed,
        frequency_penalty,
        presence_penalty,
        answers,
        logprobs,
    } = sampling;
    let number = |value: Option<f64>| value.map(Value::from);
    let count = |value: Option<u64>| value.map(Value::from);
    let members = [
        ("maxOutputTokens", count(max_output)),
        ("temperature", number(temperature)),
        ("topP", number(top_p)),
        ("topK", count(top_k)),
        ("stopSequences", (!stop.is_empty()).then(|| json!(stop))),
        ("seed", seed.map(Value::from)),
        ("frequencyPenalty", number(frequency_penalty)),
        ("presencePenalty", number(presence_penalty)),
        ("candidateCount", count(answers)),
        ("responseLogprobs", logprobs.map(|_| true.into())),
        ("logprobs", count(logprobs.filter(|alternatives| *alternatives > 0))),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

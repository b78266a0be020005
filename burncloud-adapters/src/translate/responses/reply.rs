//! Whole answers.

use super::super::{CallKind, Caller, Choice, Content, Event, Fields, Part, Profile, Reply, Stop};
use super::input::Turns;
use super::writer::Writer;
use crate::openai::usage_of;
use burncloud_core::{Error, ErrorKind, Operation, Usage};
use serde_json::{Map, Value, json};

/// See [`Codec::read_reply`](super::Codec::read_reply).
pub(super) fn read(body: Map<String, Value>, profile: &Profile) -> Result<Reply, Error> {
    let mut body = Fields::of_answer(body);
    let status = body.string("status")?;
    let error = body.take("error");
    if error.is_some() || matches!(status.as_deref(), Some("failed" | "cancelled" | "queued" | "in_progress"))
    {
        let message = error.as_ref().and_then(|error| error.get("message")).and_then(Value::as_str);
        let text = message.map_or("the provider did not finish its answer".to_owned(), str::to_owned);
        return Err(Error::new(ErrorKind::BadGateway, text));
    }
    let service_tier = body.string("service_tier")?;
    let mut parts = parts(body.objects("output")?, profile)?;
    let logprobs = logprobs(&mut parts);
    parts.iter_mut().for_each(|part| part.carry.clear());
    let stop = stop(body.take("incomplete_details").as_ref(), &parts);
    let usage = body.take("usage").and_then(|usage| count(&usage, service_tier.as_deref(), profile));
    #[allow(clippy::cast_possible_truncation)]
    let created = body.number("created_at")?.map(|seconds| seconds as i64);
    Ok(Reply {
        id: body.string("id")?,
        model: body.string("model")?,
        created,
        choices: vec![Choice { index: 0, parts, stop, stop_sequence: None, logprobs }],
        usage,
        service_tier,
    })
}

/// The parts of output items. What only the provider could make sense of (reasoning that it keeps) is left out.
pub(super) fn parts(items: Vec<Fields>, profile: &Profile) -> Result<Vec<Part>, Error> {
    let mut turns = Turns::new(super::origin(profile));
    for item in items {
        turns.item(item)?;
    }
    let kept = |part: &Part| match &part.content {
        Content::Other { value, .. } => value.get("type").is_some_and(|kind| kind == "reasoning"),
        _ => false,
    };
    let mut parts = turns.into_parts();
    parts.retain(|part| !kept(part));
    Ok(parts)
}

/// Token counts, as they are billed.
pub(super) fn count(usage: &Value, tier: Option<&str>, profile: &Profile) -> Option<Usage> {
    usage_of(Operation::Responses, profile.reasoning, usage, tier)
}

/// Log probabilities of all texts, as chat completions write them.
fn logprobs(parts: &mut [Part]) -> Option<Value> {
    let mut all = Vec::new();
    for part in parts {
        if let Some(Value::Array(of_part)) = part.carry.shift_remove("logprobs") {
            all.extend(of_part);
        }
    }
    (!all.is_empty()).then(|| json!({ "content": all, "refusal": null }))
}

/// Why it ended.
pub(super) fn stop(incomplete: Option<&Value>, parts: &[Part]) -> Stop {
    let calls = parts.iter().any(|part| matches!(part.content, Content::ToolCall(_)));
    let refused = parts.iter().any(|part| matches!(part.content, Content::Refusal(_)));
    let said = parts.iter().any(|part| part.as_text().is_some_and(|text| !text.is_empty()));
    stop_of(incomplete, calls, refused && !said)
}

pub(super) fn stop_of(incomplete: Option<&Value>, calls: bool, refused: bool) -> Stop {
    match incomplete.and_then(|details| details.get("reason")).and_then(Value::as_str) {
        Some("content_filter") => Stop::Filtered,
        Some(_) => Stop::MaxTokens,
        None if calls => Stop::ToolCalls,
        None if refused => Stop::Refusal,
        None => Stop::End,
    }
}

/// See [`Codec::write_reply`](super::Codec::write_reply): what its stream would come to.
pub(super) fn write(mut reply: Reply, to: &Caller) -> Value {
    let mut writer = Writer::new(to);
    // One answer only: this format cannot ask for several.
    reply.choices.truncate(1);
    let mut logprobs = reply.choices.first_mut().and_then(|choice| choice.logprobs.take());
    if let Some(choice) = reply.choices.first_mut() {
        choice.index = 0;
    }
    for event in reply.into_events() {
        let of_text = matches!(event, Event::Open { block: super::super::Block::Text, .. });
        writer.take(event, None);
        if of_text && let Some(logprobs) = logprobs.take() {
            let delta = super::super::Delta::Logprobs(logprobs);
            writer.take(Event::Delta { choice: 0, delta }, None);
        }
    }
    writer.into_response()
}

/// The `usage` of an answer.
pub(super) fn write_usage(usage: &Usage) -> Value {
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let mut input = json!({ "cached_tokens": usage.cached_read, "cache_write_tokens": written });
    let mut output = json!({ "reasoning_tokens": usage.reasoning });
    for (details, name, count) in
        [(&mut input, "audio_tokens", usage.audio_in), (&mut output, "audio_tokens", usage.audio_out)]
    {
        if count > 0 {
            details[name] = count.into();
        }
    }
    for (details, name, count) in
        [(&mut input, "image_tokens", usage.image_in), (&mut output, "image_tokens", usage.image_out)]
    {
        if count > 0 {
            details[name] = count.into();
        }
    }
    json!({
        "input_tokens": usage.total_input(),
        "input_tokens_details": input,
        "output_tokens": usage.total_output(),
        "output_tokens_details": output,
        "total_tokens": usage.total_input().saturating_add(usage.total_output()),
    })
}

/// The type of a call's item, the field of its arguments, the prefix of its id.
pub(super) fn call_words(kind: CallKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        CallKind::Function => ("function_call", "arguments", "fc_"),
        CallKind::Custom => ("custom_tool_call", "input", "ctc_"),
    }
}

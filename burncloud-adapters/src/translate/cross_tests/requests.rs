//! Recorded requests for providers of every other format.

use super::essence::essence;
use super::{Exchange, Tally, exchanges};
use crate::translate::codec::codec;
use crate::translate::messages::schema::enforced;
use crate::translate::test_kit::differences;
use crate::translate::{Format, Notes, Profile, Setting, adapt, leave_out_foreign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::{Endpoint, Error};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// A provider that requests are written for.
pub(super) struct Provider {
    pub(super) format: Format,
    pub(super) model: &'static str,
    pub(super) profile: Profile,
}

/// Those whose models differ in what they take.
pub(super) fn providers() -> Vec<Provider> {
    let copy = Profile { genuine: false, ..Profile::GENUINE };
    let provider = |format, model, profile| Provider { format, model, profile };
    vec![
        provider(Format::Chat, "gpt-5.2", Profile::GENUINE),
        provider(Format::Chat, "llama-4", copy),
        provider(Format::Responses, "gpt-5.2", Profile::GENUINE),
        provider(Format::Messages, "claude-3-5-haiku-20241022", Profile::GENUINE),
        provider(Format::Messages, "claude-sonnet-4-5", Profile::GENUINE),
        provider(Format::Messages, "claude-opus-5", Profile::GENUINE),
        provider(Format::Gemini, "gemini-2.5-flash", Profile::GENUINE),
        provider(Format::Gemini, "gemini-3-flash", Profile::GENUINE),
        provider(Format::Cohere, "command-a-03-2025", Profile::GENUINE),
        provider(Format::Converse, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Profile::GENUINE),
        provider(Format::Converse, "amazon.nova-pro-v1:0", Profile::GENUINE),
    ]
}

/// A body of a format's, adapted for a provider.
pub(super) fn adapted(
    from: Format,
    body: &Map<String, Value>,
    streamed: bool,
    to: &Provider,
) -> Result<Adapted, Error> {
    let endpoint =
        Endpoint { dialect: from.dialect(), operation: from.operation(streamed), ..Endpoint::default() };
    let ask = AdaptAsk {
        endpoint: &endpoint,
        path: "/",
        query: None,
        headers: &HeaderMap::new(),
        body: &Bytes::from(serde_json::to_vec(body).unwrap()),
        upstream_model: to.model,
        model: "asked",
        streamed,
        include_usage: true,
    };
    adapt(&ask, to.format, &to.profile)
}

/// Why a request may be refused: the formats it may be for, and how the reason begins after "this model's provider (…
/// format) takes no ", or as a whole.
const REFUSALS: &[(&[Format], &str)] = {
    use Format::*;
    const ALL: &[Format] = &Format::ALL;
    &[
        // What only the caller's own provider keeps.
        (ALL, "`cachedContent` refers to what another provider keeps"),
        (ALL, "`background` refers to what another provider keeps"),
        (ALL, "`conversation` refers to what another provider keeps"),
        (ALL, "`container_upload`"),
        (ALL, "`tool_reference`"),
        (&[Gemini], "file id of another provider"),
        (&[Chat, Cohere], "picture by a file id"),
        (&[Responses], "audio uploaded to another provider"),
        (&[Responses], "document uploaded to another provider"),
        (&[Responses], "image uploaded to another provider"),
        (&[Responses], "video uploaded to another provider"),
        (&[Messages, Converse], "picture by the id of a file uploaded elsewhere"),
        (&[Messages, Converse], "image by the id of a file uploaded elsewhere"),
        (&[Messages, Converse], "document by the id of a file uploaded elsewhere"),
        (&[Converse], "audio by the id of a file uploaded elsewhere"),
        (&[Converse], "video by the id of a file uploaded elsewhere"),
        (&[Chat], "file id of another provider"),
        // Kinds of media.
        (&[Cohere], "document but plain text"),
        (&[Cohere], "recording"),
        (&[Chat, Cohere], "film"),
        (&[Messages, Responses], "audio"),
        (&[Messages, Responses], "video"),
        (
            &[Messages],
            "document of type application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        // Addresses.
        (&[Chat], "document by its address"),
        (&[Chat], "recording by its address"),
        (&[Chat], "address of a cloud's storage"),
        (&[Cohere], "picture in a cloud's storage"),
        (&[Converse], "image at such an address"),
        (&[Converse], "document at such an address"),
        (&[Converse], "video at such an address"),
        (&[Gemini], "document at a s3: address"),
        (&[Gemini], "image at a s3: address"),
        (&[Messages], "document at such an address"),
        (&[Messages], "picture at such an address"),
        (&[Responses], "content at an address that is not https:"),
        // One answer only.
        (&[Converse, Messages], "this model's provider gives one answer at a time; `n` must be 1"),
        // A result must name its tool, which only its call says.
        (
            &[Gemini],
            "the tool result for `toolu_01DYJo37oETVsCdLTTcCWcdq` answers no call among the turns before it",
        ),
    ]
};

fn is_known(to: Format, error: &Error) -> bool {
    let lead = format!("this model's provider ({} format) takes no ", to.as_str());
    let text = error.message().strip_prefix(&lead).unwrap_or(error.message());
    REFUSALS.iter().any(|(formats, reason)| formats.contains(&to) && text.starts_with(reason))
}

/// Settings of an [`essence`] by what records them as left out.
const SETTINGS: [(Setting, &str); 17] = [
    (Setting::Temperature, "temperature"),
    (Setting::TopP, "top_p"),
    (Setting::TopK, "top_k"),
    (Setting::Stop, "stop"),
    (Setting::Seed, "seed"),
    (Setting::FrequencyPenalty, "frequency_penalty"),
    (Setting::PresencePenalty, "presence_penalty"),
    (Setting::Answers, "answers"),
    (Setting::Logprobs, "logprobs"),
    (Setting::Reasoning, "thinks"),
    (Setting::ToolChoice, "tool_choice"),
    (Setting::ParallelTools, "parallel_tools"),
    (Setting::User, "user"),
    (Setting::Metadata, "metadata"),
    (Setting::ServiceTier, "service_tier"),
    (Setting::CacheKey, "cache_key"),
    (Setting::Verbosity, "verbosity"),
];

/// Takes out of both what is recorded as left out, and what a documented rule of the target changes.
pub(super) fn forgive(
    before: &mut Value,
    after: &mut Value,
    dropped: &[String],
    from: Format,
    to: &Provider,
) {
    let recorded = |setting: Setting| dropped.iter().any(|name| name == setting.name(from));
    for (_, name) in SETTINGS.iter().filter(|(setting, _)| recorded(*setting)) {
        (before[*name], after[*name]) = (Value::Null, Value::Null);
    }
    for it in [&mut *before, &mut *after] {
        if recorded(Setting::ToolStrict) || to.format == Format::Gemini {
            tools(it).for_each(|tool| tool["strict"] = Value::Null);
        }
        if let Value::Object(carry) = &mut it["carry"] {
            // `store` is written: nothing is kept at a provider that was not chosen by the caller.
            carry.retain(|name, value| {
                name != "store" && *value != false && !name.starts_with(['~', '_']) && !dropped.contains(name)
            });
        }
        if matches!(to.format, Format::Messages | Format::Converse) {
            // A schema that is kept to is closed, and its limits are words.
            if let Some(schema) = it["output"].get_mut("schema") {
                *schema = enforced(schema.take());
            }
            tools(it).for_each(|tool| tool["schema"] = enforced(tool["schema"].take()));
        }
    }
    if recorded(Setting::Output) {
        in_words(before, after);
    }
    shape(before, after, to);
    settings(before, after, to);
}

/// What some formats want beyond what was said, and where they want it.
fn shape(before: &mut Value, after: &mut Value, to: &Provider) {
    let anthropic = matches!(to.format, Format::Messages | Format::Converse);
    // Instructions alone are the user's turn.
    if anthropic && before["turns"] == json!([]) {
        let said = json!([{ "role": "User", "said": [before["system"].take()] }]);
        before["turns"] = said;
        before["system"] = json!("");
    }
    // Tools stand in for those that were called and are not given any more; where none may be called, none need be given.
    if anthropic
        && before["tools"] == json!([])
        && (after["tool_choice"] == "none" || to.format == Format::Converse)
    {
        (after["tools"], after["tool_choice"]) = (json!([]), Value::Null);
    }
    if to.format == Format::Converse && before["tool_choice"] == "none" && after["tools"] == json!([]) {
        (before["tools"], before["tool_choice"]) = (json!([]), Value::Null);
    }
    // A document of text is among the chat's texts, and among all documents of Cohere's.
    if matches!(to.format, Format::Chat | Format::Cohere) {
        for text in take_documents(before) {
            assert!(take_text(after, &text), "{text} in {after}");
        }
        for it in [before, after] {
            let turns = it["turns"].as_array_mut().into_iter();
            turns.for_each(|turns| turns.retain(|turn| turn["said"] != json!([])));
        }
    }
}

fn all_said(essence: &mut Value) -> impl Iterator<Item = &mut Vec<Value>> {
    let turns = essence["turns"].as_array_mut().into_iter().flatten();
    turns.filter_map(|turn| turn["said"].as_array_mut())
}

/// The text of a document.
fn document(said: &Value) -> Option<String> {
    let plain = said["shown"] == "document" && said.get("mime").is_none();
    let data = said.pointer("/source/1").filter(|_| plain)?;
    String::from_utf8(STANDARD.decode(data.as_str()?).ok()?).ok()
}

fn take_documents(essence: &mut Value) -> Vec<String> {
    let mut taken = Vec::new();
    for said in all_said(essence) {
        said.retain(|it| document(it).map(|text| taken.push(text)).is_none());
    }
    taken
}

/// Takes out the one that holds this text.
fn take_text(essence: &mut Value, text: &str) -> bool {
    let inside = Value::from(text).to_string();
    let inside = inside.trim_matches('"');
    for said in all_said(essence) {
        let holds = |it: &Value| {
            it.as_str().is_some_and(|it| it.contains(text))
                || document(it).is_some_and(|it| it.contains(text) || it.contains(inside))
        };
        if let Some(at) = said.iter().position(holds) {
            said.remove(at);
            return true;
        }
    }
    false
}

fn tools(essence: &mut Value) -> impl Iterator<Item = &mut Value> {
    let tools = essence["tools"].as_array_mut();
    tools.into_iter().flatten().filter(|tool| tool.get("built_in").is_none())
}

/// A form that cannot be enforced is asked for at the end of the instructions.
fn in_words(before: &mut Value, after: &mut Value) {
    before["output"] = Value::Null;
    let system = before["system"].as_str().unwrap_or_default();
    let said = after["system"].as_str().and_then(|after| after.strip_prefix(system)).unwrap_or_default();
    assert!(said.trim_start().starts_with("Answer with "), "{said}");
    after["system"] = system.into();
}

fn settings(before: &mut Value, after: &mut Value, to: &Provider) {
    use Format as F;
    // Anthropic demands a limit, which leaves room for thoughts; OpenAI's least is 16.
    let least = if to.format == F::Responses { 16 } else { 0 };
    let (asked, wrote) = (before["max_output"].as_u64(), after["max_output"].as_u64());
    let raised = matches!(to.format, F::Messages | F::Converse) && wrote >= asked;
    if raised || asked.is_some_and(|asked| wrote == Some(asked.max(least))) {
        (before["max_output"], after["max_output"]) = (Value::Null, Value::Null);
    }
    // Ranges, and defaults that need not be said.
    let most = if matches!(to.format, F::Messages | F::Converse | F::Cohere) { 1.0 } else { 2.0 };
    for (name, most) in [("temperature", most), ("top_p", if to.format == F::Cohere { 0.99 } else { 1.0 })] {
        let clamped = before[name].as_f64().map(|it| it.min(most));
        let usual = matches!(to.format, F::Messages | F::Converse) && clamped.is_some_and(|it| it >= 1.0);
        before[name] = json!(clamped.filter(|_| !(usual && after[name].is_null())));
    }
    // A model that cannot be told not to think is not told; Gemini 3 is told to think as little as it can.
    let (asked, told) = (before["thinks"].take(), after["thinks"].take());
    let least = asked == "no" && (told.is_null() || to.model.starts_with("gemini-3"));
    // How much it likes is not said in some formats, and is a budget of middle size in others.
    if !least && asked != "as it likes" {
        (before["thinks"], after["thinks"]) = (asked, told);
    }
    // Names and descriptions of forms, and whether they are enforced, are OpenAI's; names are made up for them.
    for name in ["name", "description", "strict"] {
        let has =
            matches!(to.format, F::Chat | F::Responses) || (to.format == F::Converse && name != "strict");
        if let (Value::Object(asked), Value::Object(wrote)) = (&mut before["output"], &mut after["output"])
            && (!has || asked[name].is_null())
        {
            asked.insert(name.to_owned(), Value::Null);
            wrote.insert(name.to_owned(), Value::Null);
        }
    }
    // Only some formats flag a failure; the others begin its text with "Error: ".
    if matches!(to.format, F::Chat | F::Responses | F::Cohere) {
        for it in [before, after] {
            let turns = it["turns"].as_array_mut().into_iter().flatten();
            let said = turns.filter_map(|turn| turn["said"].as_array_mut()).flatten();
            said.filter(|said| said.get("result").is_some()).for_each(|said| said["failed"] = Value::Null);
        }
    }
}

#[test]
fn recorded_requests_say_the_same_in_every_format() {
    let [mut made, mut refused, mut lost] = [const { Tally::new() }; 3];
    let mut wrong = Vec::new();
    for exchange in exchanges() {
        let Exchange { from, recording } = &exchange;
        let Some(body) = &recording.request else { continue };
        for to in providers().iter().filter(|to| to.format != *from) {
            let pair = format!("{} -> {}", from.as_str(), to.format.as_str());
            let name = format!("{pair} {}: {}", to.model, exchange.name());
            let adapted = match adapted(*from, body, recording.streamed, to) {
                Ok(adapted) => adapted,
                Err(error) => {
                    refused.add(format!("{pair}: {}", error.message()));
                    if error.status() != 400 || !is_known(to.format, &error) {
                        wrong.push(format!("{name}: {error:?}"));
                    }
                    continue;
                }
            };
            made.add(&pair);
            let dropped: Vec<String> = adapted.dropped.iter().map(|name| name.to_string()).collect();
            dropped.iter().for_each(|name| lost.add(format!("{pair}: {name}")));
            let mut notes = Notes::new(*from);
            let mut before = codec(*from).read_request(body.clone(), &mut notes).unwrap();
            before.from = Some(*from);
            leave_out_foreign(&mut before, to.format, &mut notes).unwrap();
            let written: Map<String, Value> = serde_json::from_slice(&adapted.body).unwrap();
            let reader = codec(to.format);
            let after = reader.read_request(written, &mut Notes::new(to.format)).unwrap();
            let (mut before, mut after) = (essence(&before), essence(&after));
            forgive(&mut before, &mut after, &dropped, *from, to);
            wrong.extend(differences(&before, &after).into_iter().map(|it| format!("{name}: {it}")));
        }
    }
    made.show("requests written");
    refused.show("refused");
    lost.show("recorded as left out");
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

//! Whole answers, read and written.

use super::{finish_reason, parts, stop_of, thoughts, tier_word, tools, write_usage};
use crate::openai;
use crate::translate::{
    Caller, Choice, Content, Failure, FailureKind, Fields, Format, Part, Profile, Reply, Stop, Thinking,
    now_seconds, prefixed_id,
};
use burncloud_core::Operation;
use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};

pub(super) fn read(body: Map<String, Value>, from: &Profile) -> Result<Reply, Error> {
    let mut fields = Fields::of_answer(body);
    if let Some(error) = fields.take("error") {
        // Some answer 200 and say in the body that they failed.
        let failure = Failure::of_json(&json!({ "error": error }), FailureKind::Server);
        return Err(Error::new(ErrorKind::BadGateway, "the provider failed").with_context(failure.message));
    }
    if !fields.has("choices") {
        return Err(fields.fault("choices", "the provider's answer has no `choices`"));
    }
    let mut choices = Vec::new();
    let mut usage_inside = None;
    for (number, mut choice) in fields.objects("choices")?.into_iter().enumerate() {
        usage_inside = choice.take("usage").or(usage_inside);
        choices.push(read_choice(choice, number)?);
    }
    let service_tier = fields.string("service_tier")?;
    let groq = |fields: &mut Fields| match fields.take("x_groq") {
        Some(Value::Object(mut groq)) => groq.shift_remove("usage"),
        _ => None,
    };
    let usage = fields.take("usage").or_else(|| groq(&mut fields)).or(usage_inside);
    let usage = usage
        .and_then(|usage| openai::usage_of(Operation::Chat, from.reasoning, &usage, service_tier.as_deref()));
    Ok(Reply {
        id: fields.string("id")?,
        model: fields.string("model")?,
        created: fields.take("created").and_then(|created| created.as_i64()),
        choices,
        usage,
        service_tier,
    })
}

fn read_choice(mut fields: Fields, number: usize) -> Result<Choice, Error> {
    let index = fields.unsigned("index")?.and_then(|index| u32::try_from(index).ok());
    let index = index.or_else(|| u32::try_from(number).ok()).unwrap_or(u32::MAX);
    let mut message = fields.fields("message")?;
    let mut said = thoughts::read(&mut message)?;
    said.extend(parts::read(message.take("content"), &message)?);
    let annotations = message.array("annotations")?.unwrap_or_default();
    for citation in parts::read_annotations(annotations) {
        let text = said.iter_mut().rev().find_map(|part| match &mut part.content {
            Content::Text { citations, .. } => Some(citations),
            _ => None,
        });
        if let Some(citations) = text {
            citations.push(citation);
        }
    }
    if let Some(refusal) = message.string("refusal")?.filter(|text| !text.is_empty()) {
        said.push(Part::new(Content::Refusal(refusal)));
    }
    if let Some(pictures) = message.take("images") {
        said.extend(parts::read(Some(pictures), &message)?);
    }
    // Some providers write an empty one.
    let spoken = |audio: &Map<String, Value>| audio.get("data").is_some_and(|data| data != "");
    if let Some(audio) = message.object("audio")?.filter(spoken) {
        let value = json!({ "type": "audio", "audio": audio });
        said.push(Part::new(Content::Other { format: Format::Chat, value }));
    }
    let mut calls = tools::read_calls(&mut message)?;
    calls.extend(tools::read_legacy_call(&mut message, crate::translate::new_id("call_"))?);
    let has_calls = !calls.is_empty();
    said.extend(calls);
    let stop = match fields.string("finish_reason")?.as_deref().and_then(|word| stop_of(word, has_calls)) {
        Some(stop) => stop,
        None => {
            let details = fields.fields("finish_details")?.string("type")?;
            let calls = if has_calls { Stop::ToolCalls } else { Stop::End };
            details.as_deref().and_then(|word| stop_of(word, has_calls)).unwrap_or(calls)
        }
    };
    let logprobs = fields.take("logprobs").filter(says_logprobs);
    Ok(Choice { index, parts: said, stop, stop_sequence: None, logprobs })
}

/// Some providers write the object with nothing in it.
pub(super) fn says_logprobs(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.values().any(|value| !value.is_null()))
}

pub(super) fn write(reply: Reply, to: &Caller) -> Value {
    let mut body = json!({
        "id": prefixed_id("chatcmpl-", reply.id.as_deref()),
        "object": "chat.completion",
        "created": reply.created.unwrap_or_else(now_seconds),
        "model": to.model,
        "choices": [],
        "usage": reply.usage.as_ref().map(write_usage),
        "system_fingerprint": null,
    });
    if let Some(tier) = tier_word(reply.service_tier.as_deref(), reply.usage.as_ref()) {
        body["service_tier"] = tier.into();
    }
    body["choices"] = reply.choices.into_iter().map(write_choice).collect();
    body
}

/// What a message is made of.
#[derive(Default)]
struct Message {
    text: Option<String>,
    /// The text's characters.
    length: u64,
    refusal: Option<String>,
    annotations: Vec<Value>,
    thinking: Vec<(Thinking, Map<String, Value>)>,
    calls: Vec<Value>,
    pictures: Vec<Value>,
    audio: Option<Value>,
}

impl Message {
    fn add(&mut self, part: Part) {
        match part.content {
            Content::Text { text, citations, signature } => {
                let annotations = citations.iter();
                let annotations = annotations.filter_map(|it| parts::write_annotation(it, self.length));
                self.annotations.extend(annotations.map(Value::Object));
                self.length = self.length.saturating_add(text.chars().count() as u64);
                self.text.get_or_insert_default().push_str(&text);
                if signature.is_some() {
                    let thinking = Thinking { signature, ..Thinking::default() };
                    self.thinking.push((thinking, Map::new()));
                }
            }
            Content::Refusal(text) => self.refusal.get_or_insert_default().push_str(&text),
            Content::Thinking(thinking) => self.thinking.push((thinking, part.carry)),
            Content::ToolCall(call) => {
                let mut value = tools::write_call(&call, true);
                if let Some(signature) = &call.signature {
                    value["extra_content"] = thoughts::write_extra(signature);
                }
                self.calls.push(value);
            }
            Content::Media(media) => self.pictures.extend(parts::write_picture(&media)),
            Content::Other { format: Format::Chat, mut value } if value["type"] == "audio" => {
                self.audio = Some(value["audio"].take());
            }
            Content::Other { .. } | Content::ToolResult(_) => {}
        }
    }

    fn write(self) -> Value {
        let mut message = Map::from_iter([
            ("role".to_owned(), Value::from("assistant")),
            ("content".to_owned(), self.text.into()),
            ("refusal".to_owned(), self.refusal.into()),
            ("annotations".to_owned(), self.annotations.into()),
        ]);
        for (name, list) in [("tool_calls", self.calls), ("images", self.pictures)] {
            if !list.is_empty() {
                message.insert(name.to_owned(), list.into());
            }
        }
        message.extend(self.audio.map(|audio| ("audio".to_owned(), audio)));
        thoughts::write(&self.thinking, &mut message);
        Value::Object(message)
    }
}

fn write_choice(choice: Choice) -> Value {
    let mut message = Message::default();
    choice.parts.into_iter().for_each(|part| message.add(part));
    json!({
        "index": choice.index,
        "message": message.write(),
        "logprobs": choice.logprobs,
        "finish_reason": finish_reason(choice.stop),
    })
}

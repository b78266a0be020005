//! Whole answers, read and written.

use super::write::Answer;
use super::{finish_reason, read_logprobs, request, stop_of, write_logprobs, write_usage};
use crate::cohere;
use crate::translate::{Choice, Content, Fields, Reply, new_id};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

pub(super) fn read(body: Map<String, Value>) -> Result<Reply, Error> {
    let mut fields = Fields::of_answer(body);
    if !fields.has("message") {
        return Err(fields.fault("message", "the provider's answer has no `message`"));
    }
    let mut message = fields.fields("message")?;
    let mut parts = request::read_answer(&mut message)?;
    // Empty texts keep their places until their sources are found.
    parts.retain(|part| part.as_text() != Some(""));
    let calls = parts.iter().any(|part| matches!(part.content, Content::ToolCall(_)));
    let stop = stop_of(&fields.string("finish_reason")?.unwrap_or_default(), calls)?;
    let logprobs = fields.array("logprobs")?.and_then(|items| read_logprobs(&items));
    let choice = Choice { index: 0, parts, stop, stop_sequence: None, logprobs };
    Ok(Reply {
        id: fields.string("id")?,
        choices: vec![choice],
        usage: fields.take("usage").and_then(|usage| cohere::usage_of(&usage)),
        ..Reply::default()
    })
}

pub(super) fn write(reply: Reply) -> Value {
    let choice = reply.choices.into_iter().next().unwrap_or_default();
    let mut answer = Answer::default();
    for part in choice.parts {
        match part.content {
            Content::Text { text, citations, .. } => answer.say(&text, citations),
            Content::Refusal(text) => answer.say(&text, Vec::new()),
            Content::Thinking(thinking) => answer.think(thinking),
            Content::ToolCall(call) => answer.call(&call),
            Content::Media(_) | Content::ToolResult(_) | Content::Other { .. } => {}
        }
    }
    let message = answer.write().unwrap_or_else(|| {
        Map::from_iter([("role".to_owned(), "assistant".into()), ("content".to_owned(), json!([]))])
    });
    let mut body = json!({
        "id": reply.id.filter(|id| !id.is_empty()).unwrap_or_else(|| new_id("")),
        "message": message,
        "finish_reason": finish_reason(choice.stop),
    });
    if let Some(usage) = &reply.usage {
        body["usage"] = write_usage(usage);
    }
    if let Some(logprobs) = &choice.logprobs {
        body["logprobs"] = write_logprobs(logprobs).into();
    }
    body
}

//! Counting tokens, where the caller's format and the provider's both have it.
//!
//! | format | path | body | answer |
//! |---|---|---|---|
//! | Messages | `/v1/messages/count_tokens` | a request without `max_tokens` | `{"input_tokens"}` |
//! | Gemini | `…/models/{model}:countTokens` | `contents`, or `generateContentRequest` | `{"totalTokens"}` |
//! | Responses | `/v1/responses/input_tokens` | a request | `{"object", "input_tokens"}` |
//! | Converse | `/model/{id}/count-tokens` | `{"input": {"converse"}}` or `{"input": {"invokeModel"}}` | `{"inputTokens"}` |
//!
//! Chat completions and Cohere have no such thing. A count is an estimate of what the provider would bill for the
//! request as it is translated, so tools and instructions count and what is left out does not.

use super::adapt::{leave_out_foreign, parse};
use super::codec::{Profile, Target, codec};
use super::rewrite::{error_body, error_head, passing};
use super::{Conversation, Format, Notes, Sampling};
use burncloud_core::adapter::{AdaptAsk, Adapted, Rewrite};
use burncloud_core::{Dialect, Endpoint, Error, ErrorKind, Operation, Surface};
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

/// The longest answer: a number and little else.
const LIMIT: usize = 1 << 20;

/// The format of a caller who counts.
fn counter(endpoint: &Endpoint) -> Option<Format> {
    match (endpoint.operation, endpoint.dialect) {
        (Operation::ResponsesInputTokens, _) => Some(Format::Responses),
        (Operation::CountTokens, Dialect::Anthropic) => Some(Format::Messages),
        (Operation::CountTokens, Dialect::Gemini) => Some(Format::Gemini),
        (Operation::CountTokens, Dialect::Bedrock) => Some(Format::Converse),
        _ => None,
    }
}

/// Whether a provider of this format can count for callers of an endpoint.
pub(crate) fn counts(endpoint: &Endpoint, to: Format) -> bool {
    let able = |format: Format| !matches!(format, Format::Chat | Format::Cohere);
    counter(endpoint).is_some_and(|from| from != to && able(from) && able(to))
}

/// The question in the provider's format.
pub(crate) fn adapt_count(ask: &AdaptAsk<'_>, to: Format, profile: &Profile) -> Result<Adapted, Error> {
    let unable = || Error::new(ErrorKind::NotImplemented, "tokens cannot be counted so for this model");
    let from = counter(ask.endpoint).filter(|_| counts(ask.endpoint, to)).ok_or_else(unable)?;
    let mut notes = Notes::new(from);
    let mut conversation = read(parse(ask.body)?, from, &mut notes)?;
    leave_out_foreign(&mut conversation, to, &mut notes)?;
    let target = Target { model: ask.upstream_model, streamed: false, profile };
    let body = codec(to).write_request(conversation, &target, &mut notes)?;
    let body = wrap(body, to, ask.upstream_model, profile);
    let (path, endpoint) = address(to, ask.upstream_model);
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if to == Format::Messages {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    Ok(Adapted {
        endpoint,
        path,
        query: None,
        headers,
        body: Bytes::from(body.to_string()),
        dropped: notes.into_dropped(),
        answer: Some(Box::new(Count {
            to: from,
            status: StatusCode::OK,
            error_type: None,
            bytes: BytesMut::new(),
        })),
    })
}

/// The caller's conversation. How its answer would be drawn does not count.
fn read(body: Map<String, Value>, from: Format, notes: &mut Notes) -> Result<Conversation, Error> {
    let (mut body, format) = unwrap(body, from)?;
    if format == Format::Messages {
        body.entry("max_tokens").or_insert_with(|| 1.into());
    }
    let mut conversation = codec(format).read_request(body, notes)?;
    conversation.from = Some(from);
    conversation.stream = false;
    conversation.sampling = Sampling::default();
    Ok(conversation)
}

/// The request inside the question, and its format.
fn unwrap(mut body: Map<String, Value>, from: Format) -> Result<(Map<String, Value>, Format), Error> {
    let wrong = |name: &'static str, text: &'static str| {
        Error::new(ErrorKind::BadRequest, text).with_param(name).with_code("invalid_value")
    };
    match from {
        Format::Gemini => {
            let inner = ["generateContentRequest", "generate_content_request"]
                .into_iter()
                .find_map(|name| body.shift_remove(name));
            match inner {
                None | Some(Value::Null) => Ok((body, from)),
                Some(Value::Object(inner)) => Ok((inner, from)),
                Some(_) => Err(wrong("generateContentRequest", "`generateContentRequest` must be an object")),
            }
        }
        Format::Converse => {
            let Some(Value::Object(mut input)) = body.shift_remove("input") else {
                return Err(wrong("input", "`input` must be an object"));
            };
            if let Some(Value::Object(inner)) = input.shift_remove("converse") {
                return Ok((inner, from));
            }
            let raw = input.get("invokeModel").and_then(|it| it.get("body")).and_then(Value::as_str);
            let raw = raw.ok_or_else(|| wrong("input", "`input` needs `converse` or `invokeModel`"))?;
            let raw = aws_smithy_types::base64::decode(raw)
                .map_err(|_| wrong("input.invokeModel.body", "`input.invokeModel.body` is not Base64"))?;
            let inner = parse(&raw)?;
            if !inner.contains_key("anthropic_version") {
                let text = "only Anthropic's requests can be counted here by `invokeModel`; use `converse`";
                return Err(wrong("input.invokeModel.body", text));
            }
            Ok((inner, Format::Messages))
        }
        _ => Ok((body, from)),
    }
}

/// A written request as a question: without what counting does not take.
fn wrap(body: Value, to: Format, model: &str, profile: &Profile) -> Value {
    let Value::Object(mut body) = body else { return body };
    let taken: &[&str] = match to {
        Format::Messages => &[
            "model",
            "messages",
            "system",
            "tools",
            "tool_choice",
            "thinking",
            "output_config",
            "anthropic_version",
        ],
        Format::Responses => &[
            "model",
            "input",
            "instructions",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "reasoning",
            "text",
        ],
        Format::Gemini if profile.vertex => &["contents", "systemInstruction", "tools", "generationConfig"],
        Format::Gemini => &["contents", "systemInstruction", "tools", "toolConfig", "generationConfig"],
        _ => &["messages", "system", "toolConfig", "additionalModelRequestFields"],
    };
    body.retain(|name, _| taken.contains(&name.as_str()));
    match to {
        Format::Gemini if !profile.vertex => {
            let model = model.strip_prefix("models/").unwrap_or(model);
            body.insert("model".to_owned(), format!("models/{model}").into());
            json!({ "generateContentRequest": body })
        }
        Format::Converse => json!({ "input": { "converse": body } }),
        _ => Value::Object(body),
    }
}

/// Where a caller of a format would ask so.
fn address(to: Format, model: &str) -> (String, Endpoint) {
    let mut endpoint =
        Endpoint { dialect: to.dialect(), operation: Operation::CountTokens, ..Endpoint::default() };
    let path = match to {
        Format::Messages => "/v1/messages/count_tokens".to_owned(),
        Format::Gemini => {
            endpoint.path_model = Some(model.into());
            let model = model.strip_prefix("models/").unwrap_or(model);
            format!("/v1beta/models/{}:countTokens", crate::path::encoded(model))
        }
        Format::Converse => {
            endpoint.path_model = Some(model.into());
            endpoint.surface = Surface::Bedrock;
            format!("/model/{}/count-tokens", crate::path::encoded(model))
        }
        _ => {
            endpoint.operation = Operation::ResponsesInputTokens;
            "/v1/responses/input_tokens".to_owned()
        }
    };
    (path, endpoint)
}

/// The count on its way back.
struct Count {
    /// The caller's format.
    to: Format,
    status: StatusCode,
    error_type: Option<String>,
    bytes: BytesMut,
}

impl Rewrite for Count {
    fn head(&mut self, head: &mut Parts) {
        self.status = head.status;
        self.error_type =
            head.headers.get("x-amzn-errortype").and_then(|v| v.to_str().ok()).map(str::to_owned);
        head.headers = passing(&head.headers);
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if !self.status.is_success() {
            error_head(head, self.to);
        }
    }

    fn data(&mut self, chunk: &[u8], _out: &mut BytesMut) -> Result<(), Error> {
        if self.bytes.len() + chunk.len() > LIMIT {
            return Err(Error::new(ErrorKind::BadGateway, "the provider's answer is too long"));
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        let bytes = std::mem::take(&mut self.bytes);
        if !self.status.is_success() {
            error_body(self.status, self.error_type.as_deref(), &bytes, self.to, out);
            return Ok(());
        }
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let names = ["input_tokens", "totalTokens", "inputTokens"];
        let count = names.into_iter().find_map(|name| answer.get(name)?.as_u64()).ok_or_else(|| {
            Error::new(ErrorKind::BadGateway, "the provider's answer names no count of tokens")
        })?;
        let answer = match self.to {
            Format::Gemini => json!({ "totalTokens": count }),
            Format::Converse => json!({ "inputTokens": count }),
            Format::Responses => json!({ "object": "response.input_tokens", "input_tokens": count }),
            _ => json!({ "input_tokens": count }),
        };
        out.put_slice(answer.to_string().as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(dialect: Dialect, operation: Operation) -> Endpoint {
        Endpoint { dialect, operation, ..Endpoint::default() }
    }

    fn answered(to: Format, status: u16, body: &str) -> Result<(u16, Value), Error> {
        let response = http::Response::builder().status(status).header("content-length", body.len());
        let (mut head, ()) = response.body(()).unwrap().into_parts();
        let mut count = Count { to, status: StatusCode::OK, error_type: None, bytes: BytesMut::new() };
        let mut out = BytesMut::new();
        count.head(&mut head);
        assert!(!head.headers.contains_key("content-length"));
        for piece in body.as_bytes().chunks(5) {
            count.data(piece, &mut out)?;
        }
        count.finish(&mut out)?;
        Ok((head.status.as_u16(), serde_json::from_slice(&out).unwrap()))
    }

    #[test]
    fn a_count_comes_back_in_the_callers_words() {
        let wanted = [
            (Format::Messages, json!({ "input_tokens": 7 })),
            (Format::Gemini, json!({ "totalTokens": 7 })),
            (Format::Converse, json!({ "inputTokens": 7 })),
            (Format::Responses, json!({ "object": "response.input_tokens", "input_tokens": 7 })),
        ];
        for (to, wanted) in wanted {
            for body in [r#"{"input_tokens":7}"#, r#"{"totalTokens":7,"x":1}"#, r#"{"inputTokens":7}"#] {
                assert_eq!(answered(to, 200, body).unwrap(), (200, wanted.clone()));
            }
        }
        assert_eq!(answered(Format::Gemini, 200, "{}").unwrap_err().status().as_u16(), 502);
    }

    #[test]
    fn a_failure_comes_back_in_the_callers_words() {
        let (status, body) = answered(
            Format::Gemini,
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
        )
        .unwrap();
        assert_eq!(
            (status, &body["error"]["status"], &body["error"]["message"]),
            (503, &json!("UNAVAILABLE"), &json!("m"))
        );
    }

    #[test]
    fn chat_has_no_counting() {
        let responses = endpoint(Dialect::OpenAi, Operation::ResponsesInputTokens);
        assert!(!counts(&responses, Format::Chat) && !counts(&responses, Format::Responses));
        assert!(!counts(&endpoint(Dialect::OpenAi, Operation::Responses), Format::Messages));
        assert!(!counts(&endpoint(Dialect::Cohere, Operation::CohereChat), Format::Messages));
    }

    #[test]
    fn a_question_is_unwrapped_and_wrapped() {
        let object = |value: Value| value.as_object().unwrap().clone();
        let inner = json!({ "contents": [1] });
        let (body, _) = unwrap(object(json!({ "generateContentRequest": inner })), Format::Gemini).unwrap();
        assert_eq!(Value::Object(body), inner);
        let raw = aws_smithy_types::base64::encode(r#"{"anthropic_version":"x","messages":[]}"#);
        let (body, format) =
            unwrap(object(json!({ "input": { "invokeModel": { "body": raw } } })), Format::Converse).unwrap();
        assert_eq!((format, body.contains_key("messages")), (Format::Messages, true));
        let error = unwrap(object(json!({ "input": { "invokeModel": { "body": "?" } } })), Format::Converse);
        assert_eq!(error.unwrap_err().param(), Some("input.invokeModel.body"));
        let written = json!({ "model": "m", "contents": [], "safetySettings": [], "stream": true });
        let wrapped = wrap(written.clone(), Format::Gemini, "m", &Profile::GENUINE);
        assert_eq!(wrapped, json!({ "generateContentRequest": { "model": "models/m", "contents": [] } }));
        let vertex = Profile { vertex: true, ..Profile::GENUINE };
        assert_eq!(wrap(written, Format::Gemini, "m", &vertex), json!({ "contents": [] }));
        let written = json!({ "messages": [], "inferenceConfig": {} });
        assert_eq!(
            wrap(written, Format::Converse, "m", &vertex),
            json!({ "input": { "converse": { "messages": [] } } })
        );
    }
}

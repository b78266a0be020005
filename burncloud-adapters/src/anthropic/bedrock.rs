//! Bedrock's callers of InvokeModel at Anthropic itself.
//!
//! Their body is a message's but for its top (`anthropic_version` marks it); the answer's stream is wrapped into
//! Bedrock's frames, and errors get Bedrock's shape.

use super::VERSION;
use crate::members::Members;
use crate::wire::event_stream::{encode_event, encode_exception};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::adapter::{AdaptAsk, Adapted, Rewrite};
use burncloud_core::{Dialect, Endpoint, Error, ErrorKind, Operation, Surface};
use bytes::{BufMut, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode, response};
use memchr::memchr;
use serde_json::{Value, json};

/// The version that has the same name in bodies and headers.
const NEWER: &str = "2026-10-21";

/// An error's body is kept so far.
const ERROR_LIMIT: usize = 64 * 1024;
/// A line of a stream is not longer: beyond it there is no event.
const LINE_LIMIT: usize = 8 << 20;

/// Whether these are callers whose body may be a message.
pub(crate) fn takes(endpoint: &Endpoint) -> bool {
    endpoint.dialect == Dialect::Bedrock
        && matches!(endpoint.operation, Operation::Invoke | Operation::InvokeStream)
}

pub(crate) fn adapt(ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
    let refuse = |text| Err(Error::new(ErrorKind::BadRequest, text));
    let mut members = Members::of(ask.body)?;
    let Some(version) = members.take("anthropic_version") else {
        let text = "this model takes Anthropic's messages: name `anthropic_version` in the body";
        return refuse(text);
    };
    let version: String = serde_json::from_str(version.get()).unwrap_or_default();
    let betas: Vec<String> =
        members.take("anthropic_beta").and_then(|b| serde_json::from_str(b.get()).ok()).unwrap_or_default();
    let streamed = ask.endpoint.operation == Operation::InvokeStream;
    members.take("stream");
    if streamed {
        members.put("stream", &true);
    }
    members.put("model", ask.upstream_model);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let version = if version == NEWER { NEWER } else { VERSION };
    headers.insert("anthropic-version", HeaderValue::from_static(version));
    if !betas.is_empty() {
        let Ok(value) = HeaderValue::from_str(&betas.join(",")) else {
            return refuse("`anthropic_beta` holds what cannot stand in a header");
        };
        headers.insert("anthropic-beta", value);
    }
    Ok(Adapted {
        endpoint: Endpoint {
            dialect: Dialect::Anthropic,
            surface: Surface::Direct,
            operation: Operation::Messages,
            path_model: None,
        },
        path: "/v1/messages".to_owned(),
        query: None,
        headers,
        body: members.to_bytes(),
        dropped: Vec::new(),
        answer: Some(Box::new(Answer { streamed, form: Form::Message })),
    })
}

/// What comes back.
enum Form {
    /// As it is.
    Message,
    /// The beginning of a line whose end has not come.
    Stream(BytesMut),
    Error(StatusCode, BytesMut),
}

/// Turns Anthropic's answer into Bedrock's.
struct Answer {
    streamed: bool,
    form: Form,
}

/// Bedrock's name for a failure, as headers write it.
fn exception(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UnrecognizedClientException",
        402 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 | 504 => "ModelTimeoutException",
        429 => "ThrottlingException",
        503 | 529 => "ServiceUnavailableException",
        400..=499 => "ValidationException",
        _ => "InternalServerException",
    }
}

/// The same in a stream, from the type that Anthropic gives an error.
fn streamed_exception(kind: &str) -> &'static str {
    match kind {
        "rate_limit_error" => "throttlingException",
        "overloaded_error" => "serviceUnavailableException",
        "timeout_error" => "modelTimeoutException",
        "invalid_request_error" | "request_too_large" => "validationException",
        "api_error" => "internalServerException",
        _ => "modelStreamErrorException",
    }
}

fn error_of(json: &[u8]) -> Option<(String, String)> {
    let json: Value = serde_json::from_slice(json).ok()?;
    let error = json.get("error").filter(|_| json.get("type").is_none_or(|kind| kind == "error"))?;
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some((text("type"), text("message")))
}

fn line(line: &[u8], out: &mut BytesMut) {
    let Some(json) = line.strip_prefix(b"data:").map(<[u8]>::trim_ascii).filter(|json| !json.is_empty())
    else {
        return;
    };
    let is_error = crate::reader::leading_type(json).is_none_or(|kind| kind == b"\"error\"");
    if let Some((kind, message)) = error_of(json).filter(|_| is_error) {
        let payload = json!({ "message": message }).to_string();
        return encode_exception(out, streamed_exception(&kind), payload.as_bytes());
    }
    let payload = json!({ "bytes": STANDARD.encode(json) }).to_string();
    encode_event(out, "chunk", payload.as_bytes());
}

impl Rewrite for Answer {
    fn head(&mut self, head: &mut response::Parts) {
        let json = HeaderValue::from_static("application/json");
        let (form, kind) = if !head.status.is_success() {
            (Form::Error(head.status, BytesMut::new()), json)
        } else if self.streamed {
            head.headers.insert("x-amzn-bedrock-content-type", json);
            let kind = HeaderValue::from_static("application/vnd.amazon.eventstream");
            (Form::Stream(BytesMut::new()), kind)
        } else {
            (Form::Message, json)
        };
        self.form = form;
        if !matches!(self.form, Form::Message) {
            head.headers.remove(CONTENT_LENGTH);
        }
        if let Form::Error(status, _) = self.form {
            head.headers.insert("x-amzn-errortype", HeaderValue::from_static(exception(status)));
        }
        head.headers.insert(CONTENT_TYPE, kind);
        if let Some(id) = head.headers.remove("request-id") {
            head.headers.insert("x-amzn-requestid", id);
        }
    }

    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        match &mut self.form {
            Form::Message => out.put_slice(chunk),
            Form::Error(_, held) => {
                let room = ERROR_LIMIT.saturating_sub(held.len());
                held.put_slice(&chunk[..chunk.len().min(room)]);
            }
            Form::Stream(held) => {
                let mut rest = chunk;
                while let Some(end) = memchr(b'\n', rest) {
                    if held.is_empty() {
                        line(&rest[..end], out);
                    } else {
                        held.put_slice(&rest[..end]);
                        line(&held.split(), out);
                    }
                    rest = &rest[end + 1..];
                }
                if held.len() + rest.len() > LINE_LIMIT {
                    let text = "the provider's answer cannot be read";
                    return Err(
                        Error::new(ErrorKind::BadGateway, text).with_context("an event beyond any bound")
                    );
                }
                held.put_slice(rest);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        match &mut self.form {
            Form::Message => {}
            Form::Stream(held) => line(&held.split(), out),
            Form::Error(_, held) => {
                let text = error_of(held).map(|(_, message)| message).filter(|text| !text.is_empty());
                let text = text.unwrap_or_else(|| "the provider failed without saying why".to_owned());
                out.put_slice(json!({ "message": text }).to_string().as_bytes());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::endpoint;
    use crate::wire::event_stream::{Decoder, Kind};
    use bytes::Bytes;

    fn adapted(action: &str, body: &str) -> Result<Adapted, Error> {
        let path = format!("/model/anthropic.claude-haiku/{action}");
        let ask = AdaptAsk {
            endpoint: &endpoint(&path),
            path: &path,
            query: None,
            headers: &HeaderMap::new(),
            body: &Bytes::copy_from_slice(body.as_bytes()),
            upstream_model: "claude-haiku-4-5",
            model: "anthropic.claude-haiku",
            streamed: action.ends_with("stream"),
            include_usage: true,
        };
        adapt(&ask)
    }

    fn rewritten(
        mut answer: Box<dyn Rewrite>,
        status: u16,
        body: &[u8],
        size: usize,
    ) -> (response::Parts, BytesMut) {
        let response = http::Response::builder().status(status).header("request-id", "r").body(()).unwrap();
        let (mut head, ()) = response.into_parts();
        let mut out = BytesMut::new();
        answer.head(&mut head);
        for piece in body.chunks(size) {
            answer.data(piece, &mut out).unwrap();
        }
        answer.finish(&mut out).unwrap();
        (head, out)
    }

    #[test]
    fn a_request_for_anthropic() {
        let body = r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a","b"],"max_tokens":1.0,"messages":[]}"#;
        let whole = adapted("invoke", body).unwrap();
        assert_eq!(whole.body, r#"{"model":"claude-haiku-4-5","max_tokens":1.0,"messages":[]}"#);
        assert_eq!(whole.headers["anthropic-beta"], "a,b");
        assert_eq!(whole.headers["anthropic-version"], "2023-06-01");
        let stream = adapted("invoke-with-response-stream", body).unwrap();
        assert!(stream.body.starts_with(br#"{"model":"claude-haiku-4-5","stream":true,"#));
        let twice = r#"{"model":"a","anthropic_version":"x","model":"b"}"#;
        assert_eq!(adapted("invoke", twice).unwrap().body, r#"{"model":"claude-haiku-4-5"}"#);
        assert_eq!(stream.path, "/v1/messages");
        let newer = adapted("invoke", r#"{"anthropic_version":"2026-10-21"}"#).unwrap();
        assert_eq!(newer.headers["anthropic-version"], "2026-10-21");
        assert_eq!(adapted("invoke", r#"{"inputText":"x"}"#).unwrap_err().kind(), ErrorKind::BadRequest);
    }

    #[test]
    fn events_are_wrapped_however_they_are_cut() {
        let events = [
            r#"{"type":"message_start","message":{}}"#,
            r#"{"type": "ping"}"#,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#,
        ];
        let body: String = events.iter().map(|json| format!("event: x\r\ndata: {json}  \r\n\r\n")).collect();
        for size in [1, 5, 1000] {
            let answer =
                adapted("invoke-with-response-stream", r#"{"anthropic_version":"x"}"#).unwrap().answer;
            let (head, out) = rewritten(answer.unwrap(), 200, body.as_bytes(), size);
            assert_eq!(head.headers[CONTENT_TYPE], "application/vnd.amazon.eventstream");
            assert_eq!(head.headers["x-amzn-requestid"], "r");
            let mut decoder = Decoder::default();
            decoder.push(&out);
            for event in &events[..2] {
                let message = decoder.next().unwrap().unwrap();
                assert_eq!(message.name, "chunk");
                let json: Value = serde_json::from_slice(&message.payload).unwrap();
                assert_eq!(STANDARD.decode(json["bytes"].as_str().unwrap()).unwrap(), event.as_bytes());
            }
            let last = decoder.next().unwrap().unwrap();
            assert_eq!((last.kind, last.name.as_str()), (Kind::Exception, "serviceUnavailableException"));
            assert_eq!(last.payload, r#"{"message":"busy"}"#);
            assert!(!decoder.is_midway());
        }
    }

    #[test]
    fn failures_get_bedrocks_shape() {
        let answer = adapted("invoke", r#"{"anthropic_version":"x"}"#).unwrap().answer.unwrap();
        let body = br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#;
        let (head, out) = rewritten(answer, 429, body, 6);
        assert_eq!(head.headers["x-amzn-errortype"], "ThrottlingException");
        assert_eq!(out, r#"{"message":"slow"}"#);
    }
}

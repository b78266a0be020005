//! Anthropic's callers at Bedrock's InvokeModel.
//!
//! The body is theirs but for its top: `model` and `stream` go into the path, `anthropic-version` and
//! `anthropic-beta` come from the headers into the body. A whole answer is a message as it is; of a stream each
//! `chunk` holds one event; errors get Anthropic's shape.

use super::usage::chunk;
use crate::members::Members;
use crate::path::encoded;
use crate::wire::event_stream::{Decoder, Kind, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::adapter::{AdaptAsk, Adapted, Rewrite};
use burncloud_core::{Dialect, Endpoint, Error, ErrorKind, Operation, Surface};
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode, response};
use memchr::memmem;
use serde::Deserialize;
use serde_json::{Value, json};

/// The newer version of Anthropic's API, which the body names alike; every older one has a name of Bedrock's own.
const NEWER: &str = "2026-10-21";
const OLDER: &str = "bedrock-2023-05-31";

/// An error's body is kept so far.
const ERROR_LIMIT: usize = 64 * 1024;

/// Whether these are callers for whom InvokeModel has words.
pub(super) fn takes(endpoint: &Endpoint) -> bool {
    endpoint.dialect == Dialect::Anthropic
        && matches!(endpoint.operation, Operation::Messages | Operation::CountTokens)
}

/// The request for InvokeModel.
pub(super) fn adapt(ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
    let body = body(ask)?;
    let (operation, action, body) = match ask.endpoint.operation {
        Operation::CountTokens => (Operation::CountTokens, "count-tokens", counted(&body)),
        _ if ask.streamed => (Operation::InvokeStream, "invoke-with-response-stream", body),
        _ => (Operation::Invoke, "invoke", body),
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(Adapted {
        endpoint: Endpoint {
            dialect: Dialect::Bedrock,
            surface: Surface::Bedrock,
            operation,
            path_model: Some(ask.upstream_model.into()),
        },
        path: format!("/model/{}/{action}", encoded(ask.upstream_model)),
        query: None,
        headers,
        body,
        dropped: Vec::new(),
        answer: Some(Box::new(Answer::new(operation))),
    })
}

fn body(ask: &AdaptAsk<'_>) -> Result<Bytes, Error> {
    let mut members = Members::of(ask.body)?;
    members.take("model");
    members.take("stream");
    // Vertex's callers name it in the body already.
    let named = members.take("anthropic_version");
    let named = named.and_then(|version| serde_json::from_str::<String>(version.get()).ok());
    let newer = ask.headers.get("anthropic-version").is_some_and(|v| v.as_bytes() == NEWER.as_bytes());
    let newer = newer || named.as_deref() == Some(NEWER);
    let mut betas: Vec<Value> = members
        .take("anthropic_beta")
        .and_then(|list| serde_json::from_str(list.get()).ok())
        .unwrap_or_default();
    for value in ask.headers.get_all("anthropic-beta") {
        let names = value.to_str().unwrap_or_default().split(',').map(str::trim);
        for name in names.filter(|name| !name.is_empty()) {
            if !betas.iter().any(|beta| beta == name) {
                betas.push(name.into());
            }
        }
    }
    if !betas.is_empty() {
        members.put("anthropic_beta", &betas);
    }
    if ask.endpoint.operation == Operation::CountTokens && members.get("max_tokens").is_none() {
        // Counting takes a request that could be made.
        members.put("max_tokens", &1);
    }
    members.put("anthropic_version", if newer { NEWER } else { OLDER });
    Ok(members.to_bytes())
}

fn counted(body: &[u8]) -> Bytes {
    json!({"input": {"invokeModel": {"body": STANDARD.encode(body)}}}).to_string().into()
}

/// Anthropic's type for a failure at Bedrock.
fn error_type(name: &str, status: Option<StatusCode>) -> &'static str {
    // In headers a name goes on with `:` and an address; in streams it begins in lower case.
    let name = name.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match name.strip_suffix("exception").unwrap_or(&name) {
        "validation" | "modelerror" => "invalid_request_error",
        "accessdenied" => "permission_error",
        "unrecognizedclient" | "expiredtoken" | "invalidsignature" => "authentication_error",
        "resourcenotfound" => "not_found_error",
        "throttling" | "servicequotaexceeded" | "modelnotready" => "rate_limit_error",
        "modeltimeout" => "timeout_error",
        "serviceunavailable" => "overloaded_error",
        _ => match status.map(|status| status.as_u16()) {
            Some(401) => "authentication_error",
            Some(403) => "permission_error",
            Some(404) => "not_found_error",
            Some(413) => "request_too_large",
            Some(429) => "rate_limit_error",
            Some(408 | 504) => "timeout_error",
            Some(503) => "overloaded_error",
            Some(400..=499) => "invalid_request_error",
            _ => "api_error",
        },
    }
}

fn error_text(payload: &[u8]) -> String {
    let json: Option<Value> = serde_json::from_slice(payload).ok();
    let text = json.as_ref().and_then(|json| json.get("message").or(json.get("Message"))?.as_str());
    text.unwrap_or("the provider failed without saying why").to_owned()
}

/// What comes back.
enum Form {
    /// As it is.
    Message,
    Stream(Decoder),
    Count(BytesMut),
    Error(StatusCode, BytesMut),
}

/// Turns Bedrock's answer into Anthropic's.
struct Answer {
    operation: Operation,
    form: Form,
    /// Of a failure, as the header says it.
    kind: String,
    id: String,
}

impl Answer {
    fn new(operation: Operation) -> Answer {
        Answer { operation, form: Form::Message, kind: String::new(), id: String::new() }
    }
}

/// An event as Anthropic sends it.
fn event(json: &[u8], out: &mut BytesMut) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    let Ok(Event { kind }) = serde_json::from_slice(json) else {
        return Err(unreadable("a chunk that is no event"));
    };
    out.put_slice(b"event: ");
    out.put_slice(kind.as_bytes());
    out.put_slice(b"\ndata: ");
    if kind == "message_stop" && memmem::find(json, b"amazon-bedrock-").is_some() {
        // AWS's own counts, which no caller of Anthropic's knows.
        out.put_slice(b"{\"type\":\"message_stop\"}");
    } else {
        // Line breaks in JSON are white space between its parts; an event's data is one line.
        out.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    }
    out.put_slice(b"\n\n");
    Ok(())
}

fn unreadable(context: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's answer cannot be read").with_context(context.into())
}

fn message(message: &Message, out: &mut BytesMut) -> Result<(), Error> {
    if message.kind == Kind::Event {
        return match chunk(&message.payload) {
            Some(json) if message.name == "chunk" => event(&json, out),
            // What Bedrock may add one day is not Anthropic's.
            _ => Ok(()),
        };
    }
    let text = match message.kind {
        Kind::Error => String::from_utf8_lossy(&message.payload).into_owned(),
        _ => error_text(&message.payload),
    };
    let error = json!({"type": "error", "error": {"type": error_type(&message.name, None), "message": text}});
    out.put_slice(format!("event: error\ndata: {error}\n\n").as_bytes());
    Ok(())
}

impl Rewrite for Answer {
    fn head(&mut self, head: &mut response::Parts) {
        let text = |name: &str| {
            head.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned).unwrap_or_default()
        };
        (self.kind, self.id) = (text("x-amzn-errortype"), text("x-amzn-requestid"));
        let json = HeaderValue::from_static("application/json");
        let (form, kind) = if !head.status.is_success() {
            (Form::Error(head.status, BytesMut::new()), json)
        } else {
            match self.operation {
                Operation::InvokeStream => (
                    Form::Stream(Decoder::default()),
                    HeaderValue::from_static("text/event-stream; charset=utf-8"),
                ),
                Operation::CountTokens => (Form::Count(BytesMut::new()), json),
                _ => (Form::Message, json),
            }
        };
        if !matches!(form, Form::Message) {
            head.headers.remove(CONTENT_LENGTH);
        }
        self.form = form;
        let theirs: Vec<_> =
            head.headers.keys().filter(|name| name.as_str().starts_with("x-amzn-")).cloned().collect();
        for name in theirs {
            head.headers.remove(name);
        }
        head.headers.insert(CONTENT_TYPE, kind);
        if let Ok(id) = HeaderValue::from_str(&self.id)
            && !self.id.is_empty()
        {
            head.headers.insert("request-id", id);
        }
    }

    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        match &mut self.form {
            Form::Message => out.put_slice(chunk),
            Form::Count(held) | Form::Error(_, held) => {
                let room = ERROR_LIMIT.saturating_sub(held.len());
                held.put_slice(&chunk[..chunk.len().min(room)]);
            }
            Form::Stream(decoder) => {
                decoder.push(chunk);
                while let Some(next) = decoder.next().map_err(|e| unreadable(e.to_string()))? {
                    message(&next, out)?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        match &self.form {
            Form::Message => {}
            Form::Stream(decoder) if decoder.is_midway() => {
                return Err(unreadable("the stream ended within a frame"));
            }
            Form::Stream(_) => {}
            Form::Count(held) => {
                let json: Value = serde_json::from_slice(held).map_err(|e| unreadable(e.to_string()))?;
                let tokens = json.get("inputTokens").and_then(Value::as_u64);
                let tokens = tokens.ok_or_else(|| unreadable("a count without a number"))?;
                out.put_slice(json!({ "input_tokens": tokens }).to_string().as_bytes());
            }
            Form::Error(status, held) => {
                let error =
                    json!({"type": error_type(&self.kind, Some(*status)), "message": error_text(held)});
                let answer = json!({"type": "error", "error": error, "request_id": self.id});
                out.put_slice(answer.to_string().as_bytes());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::endpoint;
    use crate::wire::event_stream::{encode_event, encode_exception};

    const MODEL: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";

    fn adapted(path: &str, headers: &[(&'static str, &str)], body: &str, streamed: bool) -> Adapted {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let ask = AdaptAsk {
            endpoint: &endpoint(path),
            path,
            query: Some("beta=true"),
            headers: &map,
            body: &Bytes::copy_from_slice(body.as_bytes()),
            upstream_model: MODEL,
            model: "claude",
            streamed,
            include_usage: true,
        };
        adapt(&ask).unwrap()
    }

    fn rewritten(
        operation: Operation,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
        size: usize,
    ) -> (response::Parts, Result<String, Error>) {
        let mut builder = http::Response::builder().status(status);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (mut head, ()) = builder.body(()).unwrap().into_parts();
        let (mut answer, mut out) = (Answer::new(operation), BytesMut::new());
        answer.head(&mut head);
        let mut all = || {
            for piece in body.chunks(size) {
                answer.data(piece, &mut out)?;
            }
            answer.finish(&mut out)
        };
        let result = all();
        (head, result.map(|()| String::from_utf8(out.to_vec()).unwrap()))
    }

    #[test]
    fn the_top_of_the_body_changes_and_nothing_else() {
        let body = r#"{"model":"claude","max_tokens":5,"messages":[{"role":"user","content":"h\u00e9 1.0"}],"stream":true}"#;
        let version = ("anthropic-version", "2023-06-01");
        let adapted = adapted(
            "/v1/messages",
            &[version, ("anthropic-beta", "a-1, b-2"), ("anthropic-beta", "a-1"), ("x-api-key", "gone")],
            body,
            true,
        );
        assert_eq!(
            adapted.body,
            r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1","b-2"],"max_tokens":5,"messages":[{"role":"user","content":"h\u00e9 1.0"}]}"#
        );
        assert_eq!(
            adapted.path,
            "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream"
        );
        assert_eq!(adapted.query, None);
        assert!(!adapted.headers.contains_key("x-api-key"));
        assert_eq!(adapted.endpoint.operation, Operation::InvokeStream);
    }

    #[test]
    fn the_newer_version_keeps_its_name() {
        let adapted = adapted("/v1/messages", &[("anthropic-version", NEWER)], "{}", false);
        assert_eq!(adapted.body, r#"{"anthropic_version":"2026-10-21"}"#);
        assert!(adapted.path.ends_with("/invoke"));
        let vertex = r#"{"anthropic_version":"2026-10-21","stream":false}"#;
        assert_eq!(
            self::adapted("/v1/messages", &[], vertex, false).body,
            r#"{"anthropic_version":"2026-10-21"}"#
        );
    }

    #[test]
    fn counting_wraps_the_request() {
        let adapted = adapted("/v1/messages/count_tokens", &[], r#"{"messages":[]}"#, false);
        let json: Value = serde_json::from_slice(&adapted.body).unwrap();
        let inner = json.pointer("/input/invokeModel/body").and_then(Value::as_str).unwrap();
        assert_eq!(
            STANDARD.decode(inner).unwrap(),
            br#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[]}"#
        );
        let (_, text) = rewritten(Operation::CountTokens, 200, &[], br#"{"inputTokens":18}"#, 3);
        assert_eq!(text.unwrap(), r#"{"input_tokens":18}"#);
    }

    fn wrapped(out: &mut BytesMut, event: &str) {
        let payload = json!({"bytes": STANDARD.encode(event), "p": "abc"}).to_string();
        encode_event(out, "chunk", payload.as_bytes());
    }

    #[test]
    fn chunks_become_events_however_they_are_cut() {
        let mut body = BytesMut::new();
        wrapped(&mut body, "{\"type\":\"message_start\",\n\"message\":{}}");
        wrapped(
            &mut body,
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}"#,
        );
        let expect = "event: message_start\ndata: {\"type\":\"message_start\", \"message\":{}}\n\n\
                      event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        for size in [1, 7, 64, 10_000] {
            let stream = ("content-type", "application/vnd.amazon.eventstream");
            let (head, text) =
                rewritten(Operation::InvokeStream, 200, &[stream, ("x-amzn-requestid", "r")], &body, size);
            assert_eq!(text.unwrap(), expect, "{size}");
            assert_eq!(head.headers[CONTENT_TYPE], "text/event-stream; charset=utf-8");
            assert_eq!(head.headers["request-id"], "r");
            assert!(!head.headers.contains_key("x-amzn-requestid"));
        }
        let (_, cut) = rewritten(Operation::InvokeStream, 200, &[], &body[..body.len() - 1], 9);
        assert_eq!(cut.unwrap_err().kind(), ErrorKind::BadGateway);
    }

    #[test]
    fn failures_get_anthropics_shape() {
        let (head, text) = rewritten(
            Operation::Invoke,
            429,
            &[("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/")],
            br#"{"message":"Too many tokens"}"#,
            4,
        );
        let json: Value = serde_json::from_str(&text.unwrap()).unwrap();
        assert_eq!(json["error"], json!({"type": "rate_limit_error", "message": "Too many tokens"}));
        assert_eq!(head.status, 429);
        let mut body = BytesMut::new();
        encode_exception(&mut body, "serviceUnavailableException", br#"{"message":"busy"}"#);
        let (_, text) = rewritten(Operation::InvokeStream, 200, &[], &body, 5);
        let text = text.unwrap();
        assert!(text.starts_with("event: error\ndata: {") && text.contains("overloaded_error"), "{text}");
    }
}

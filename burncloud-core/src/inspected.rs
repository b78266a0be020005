//! A body that was looked at: the few fields that routing and billing need, and where they stand.

use crate::envelope::{Envelope, EnvelopeError, Span, max_output_tokens, multipart_field};
use crate::routing::Lane;
use crate::{Dialect, Endpoint, Error, ErrorKind, Operation};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use std::sync::Arc;

/// A body that was looked at.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// All of it.
    pub body: Bytes,
    /// Where its fields are, if it is JSON.
    pub envelope: Option<Envelope>,
    /// The model asked for: from the path, the JSON or the form.
    pub model: Arc<str>,
    /// Where the model stands in a form; JSON's is in the envelope.
    pub form_model: Option<Span>,
    /// Whether the answer is asked for as a stream.
    pub streamed: bool,
    /// The most output tokens the caller allows.
    pub max_output: Option<u64>,
    /// How many answers are asked for.
    pub answers: u64,
}

impl Inspected {
    /// Finds the fields. The path's model wins over the body's: that is how the providers do it.
    pub(crate) fn look(endpoint: &Endpoint, headers: &HeaderMap, body: Bytes) -> Result<Inspected, Error> {
        let mut seen = Inspected {
            envelope: None,
            model: endpoint.path_model.as_deref().unwrap_or_default().into(),
            form_model: None,
            streamed: endpoint.operation.is_stream(),
            max_output: None,
            answers: 1,
            body,
        };
        if endpoint.operation.is_multipart() && is_form(headers) {
            look_at_form(&mut seen, headers)?;
        } else {
            look_at_json(&mut seen, endpoint, headers)?;
        }
        if seen.model.is_empty() {
            return Err(Error::new(ErrorKind::BadRequest, "`model` is missing: name the model you want")
                .with_param("model")
                .with_code("missing_model"));
        }
        check_model(&seen.model)?;
        Ok(seen)
    }

    /// What the caller lets the provider use, as JSON that names it; empty where that is nothing.
    pub(crate) fn tools(&self) -> &[u8] {
        match &self.envelope {
            Some(Envelope { searches: true, .. }) => b"web_search",
            Some(Envelope { tools: Some(tools), .. }) => tools.of(&self.body),
            _ => b"",
        }
    }

    /// Whether the gateway asks for usage on the caller's behalf, and so must keep the extra chunk from them.
    pub(crate) fn adds_usage(&self, lane: &Lane, endpoint: &Endpoint) -> bool {
        self.streamed
            && lane.channel.include_usage
            && matches!(endpoint.operation, Operation::Chat | Operation::Completions)
            && endpoint.dialect == Dialect::OpenAi
            && self.envelope.as_ref().is_some_and(|e| !matches!(e.include_usage, Some((_, true))))
    }
}

fn unroutable(error: &EnvelopeError) -> Error {
    let error_text = format!("the body cannot be routed: {error}");
    let code = match error {
        EnvelopeError::Duplicate { .. } => "duplicate_field",
        EnvelopeError::Type { .. } => "invalid_type",
        _ => "invalid_json",
    };
    let wrapped = Error::new(ErrorKind::BadRequest, error_text).with_code(code);
    match error {
        EnvelopeError::Duplicate { field, .. } | EnvelopeError::Type { field, .. } => {
            wrapped.with_param(field)
        }
        _ => wrapped,
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// Whether the body is a form. Uploads usually are; OpenAI takes references to files as JSON too.
fn is_form(headers: &HeaderMap) -> bool {
    content_type(headers).get(..19).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
}

fn look_at_form(seen: &mut Inspected, headers: &HeaderMap) -> Result<(), Error> {
    let kind = content_type(headers);
    let field = |name| multipart_field(kind, &seen.body, name).map_err(|error| unroutable(&error));
    let (model, stream) = (field("model")?, field("stream")?);
    seen.streamed = stream.is_some_and(|span| span.of(&seen.body) == b"true");
    seen.form_model = model;
    let number = |span: Span| std::str::from_utf8(span.of(&seen.body)).ok()?.trim().parse().ok();
    seen.answers = field("n")?.and_then(number).unwrap_or(1).max(1);
    if let Some(span) = model {
        let name = std::str::from_utf8(span.of(&seen.body)).map_err(|_| {
            Error::new(ErrorKind::BadRequest, "`model` is not UTF-8")
                .with_param("model")
                .with_code("invalid_model")
        })?;
        if seen.model.is_empty() {
            seen.model = name.into();
        }
    }
    Ok(())
}

fn look_at_json(seen: &mut Inspected, endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Error> {
    let encoded =
        headers.get(CONTENT_ENCODING).is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return Err(Error::new(
            ErrorKind::BadRequest,
            "a compressed body cannot be read; send it uncompressed",
        )
        .with_param("content-encoding")
        .with_code("unsupported_encoding"));
    }
    let envelope = Envelope::scan(&seen.body).map_err(|error| unroutable(&error))?;
    if endpoint.path_model.is_none()
        && let Some(name) = envelope.model_name(&seen.body)
    {
        seen.model = (*name).into();
    }
    (seen.max_output, seen.answers) = bounds(endpoint, &envelope, &seen.body);
    // Where the path says whether the answer is streamed, the body has no say in it.
    seen.streamed |= envelope.stream && !matches!(endpoint.dialect, Dialect::Gemini | Dialect::Bedrock);
    seen.envelope = Some(envelope);
    Ok(())
}

/// The most output tokens, and how many answers. A limit counts only where this kind of request has it: by a name that
/// the provider passes over, money would be held for less than it may answer. Where there is one, the largest of all
/// names counts: of a family's fields some go on into the other's format.
fn bounds(endpoint: &Endpoint, envelope: &Envelope, body: &[u8]) -> (Option<u64>, u64) {
    let config = match (endpoint.dialect, endpoint.operation) {
        (Dialect::Gemini, _) => envelope.generation_config,
        (_, Operation::Converse | Operation::ConverseStream) => envelope.inference_config,
        (_, operation) => {
            let [tokens, completion, output] = envelope.limits;
            let bounded = match operation {
                Operation::Responses => output,
                Operation::Chat => tokens || completion,
                _ => tokens,
            };
            return (envelope.max_tokens.filter(|_| bounded), envelope.n.unwrap_or(1).max(1));
        }
    };
    let (most, answers) = config.map_or((None, None), |config| max_output_tokens(config.of(body)));
    (most, answers.unwrap_or(1).max(1))
}

/// The longest name of a model, in bytes.
const MODEL: usize = 512;

/// A model's name is recorded and summed by, whether such a model is served or not: it must be one that every store holds.
fn check_model(model: &str) -> Result<(), Error> {
    let why = match model {
        _ if model.len() > MODEL => "`model` is too long for the name of a model",
        _ if model.chars().any(char::is_control) => "`model` holds a control character",
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::BadRequest, why).with_param("model").with_code("invalid_model"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, body: &'static str) -> Result<Inspected, Error> {
        let endpoint = Endpoint::find(&http::Method::POST, path, None, &HeaderMap::new()).unwrap();
        Inspected::look(&endpoint, &HeaderMap::new(), Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn finds_what_billing_needs() {
        let chat =
            seen("/v1/chat/completions", r#"{"model":"m","stream":true,"max_tokens":7,"n":3}"#).unwrap();
        assert_eq!((&*chat.model, chat.streamed, chat.max_output, chat.answers), ("m", true, Some(7), 3));
        let gemini = seen(
            "/v1beta/models/g:streamGenerateContent",
            r#"{"generationConfig":{"maxOutputTokens":9,"candidateCount":2}}"#,
        )
        .unwrap();
        assert_eq!(
            (&*gemini.model, gemini.streamed, gemini.max_output, gemini.answers),
            ("g", true, Some(9), 2)
        );
    }

    #[test]
    fn a_limit_counts_only_where_the_request_has_it() {
        let gemini = "/v1beta/models/g:generateContent";
        for (path, body, most, answers) in [
            ("/model/m/converse", r#"{"inferenceConfig":{"maxTokens":64000}}"#, Some(64_000), 1),
            ("/model/m/converse", r#"{"max_tokens":1,"n":9,"inferenceConfig":{"maxTokens":5}}"#, Some(5), 1),
            ("/model/m/converse-stream", r#"{"max_tokens":1}"#, None, 1),
            ("/model/m/invoke", r#"{"max_tokens":7}"#, Some(7), 1),
            (gemini, r#"{"max_tokens":1}"#, None, 1),
            (gemini, r#"{"generationConfig":null,"max_output_tokens":1}"#, None, 1),
            ("/v1/chat/completions", r#"{"model":"m","max_output_tokens":1}"#, None, 1),
            ("/v1/chat/completions", r#"{"model":"m","max_completion_tokens":1}"#, Some(1), 1),
            ("/v1/responses", r#"{"model":"m","max_tokens":1}"#, None, 1),
            ("/v1/responses", r#"{"model":"m","max_output_tokens":1,"max_tokens":9}"#, Some(9), 1),
            ("/v1/messages", r#"{"model":"m","max_completion_tokens":1}"#, None, 1),
            ("/v2/chat", r#"{"model":"m","max_tokens":3}"#, Some(3), 1),
        ] {
            let seen = seen(path, body).unwrap();
            assert_eq!((seen.max_output, seen.answers), (most, answers), "{path} {body}");
        }
    }

    #[test]
    fn a_body_asks_for_a_stream_only_where_the_path_does_not_say() {
        for path in ["/v1beta/models/g:generateContent", "/model/m/converse", "/model/m/invoke"] {
            assert!(!seen(path, r#"{"stream":true}"#).unwrap().streamed, "{path}");
        }
        assert!(seen("/v1/messages", r#"{"model":"m","stream":true}"#).unwrap().streamed);
    }

    #[test]
    fn a_path_may_ask_for_a_stream() {
        for (path, streamed) in
            [("converse-stream", true), ("invoke-with-response-stream", true), ("converse", false)]
        {
            assert_eq!(seen(&format!("/model/m/{path}"), "{}").unwrap().streamed, streamed, "{path}");
        }
    }

    #[test]
    fn an_upload_may_be_json() {
        let edit = seen("/v1/images/edits", r#"{"model":"img","images":[]}"#).unwrap();
        assert_eq!(&*edit.model, "img");
    }

    #[test]
    fn the_paths_model_wins() {
        let azure = seen("/openai/deployments/d/chat/completions", r#"{"model":null}"#).unwrap();
        assert_eq!(&*azure.model, "d");
        let endpoint = Endpoint::find(
            &http::Method::POST,
            "/openai/deployments/d/audio/transcriptions",
            None,
            &HeaderMap::new(),
        );
        let headers: HeaderMap =
            [(CONTENT_TYPE, "multipart/form-data; boundary=b".parse().unwrap())].into_iter().collect();
        let form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nx\r\n--b--\r\n";
        let seen =
            Inspected::look(&endpoint.unwrap(), &headers, Bytes::from_static(form.as_bytes())).unwrap();
        assert_eq!((&*seen.model, seen.form_model.is_some()), ("d", true));
    }

    #[test]
    fn says_which_field_cannot_be_routed() {
        let missing = seen("/v1/chat/completions", "{}").unwrap_err();
        assert_eq!((missing.status().as_u16(), missing.param()), (400, Some("model")));
        let twice = seen("/v1/chat/completions", r#"{"model":"a","model":"b"}"#).unwrap_err();
        assert_eq!((twice.param(), twice.code()), (Some("model"), Some("duplicate_field")));
        assert!(seen("/v1/chat/completions", "[").is_err());
    }

    #[test]
    fn a_model_that_no_store_holds_is_refused_before_it_is_noted() {
        let long: &'static str = format!(r#"{{"model":"{}"}}"#, "m".repeat(513)).leak();
        for (path, body) in [
            ("/v1/chat/completions", r#"{"model":"a\u0000"}"#),
            ("/v1/chat/completions", r#"{"model":"a\nb"}"#),
            ("/v1/chat/completions", long),
            ("/v1beta/models/a%00:generateContent", "{}"),
        ] {
            let error = seen(path, body).unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::BadRequest, Some("invalid_model")),
                "{body:.40}"
            );
        }
    }
}

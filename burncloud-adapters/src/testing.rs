//! The behaviour that every adapter is held to, for adapters written elsewhere too.
//!
//! Each function panics with what is wrong, so that a test is one call.

use burncloud_core::adapter::{Adapter, AnswerHead, Reading, TargetAsk};
use burncloud_core::{Dialect, Endpoint, Operation, Surface};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use secrecy::SecretString;

/// Stands for a credential; must never be seen.
const SECRET: &str = "sk-conformance-0123456789";

/// One path of each operation, at the providers' own surfaces.
const PATHS: &[&str] = &[
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/responses/input_tokens",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/images/variations",
    "/v1/audio/speech",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/moderations",
    "/v1/rerank",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/models/some-model:generateContent",
    "/v1beta/models/some-model:streamGenerateContent",
    "/v1beta/models/some-model:countTokens",
    "/v1beta/models/some-model:embedContent",
    "/v1beta1/projects/p/locations/r/publishers/google/models/some-model:generateContent",
    "/v1/projects/p/locations/r/publishers/anthropic/models/some-model:streamRawPredict",
    "/v1/projects/p/locations/r/publishers/anthropic/models/count-tokens:rawPredict",
    "/openai/deployments/some-model/chat/completions",
    "/openai/v1/responses",
    "/anthropic/v1/messages",
    "/model/some-model/converse",
    "/model/some-model/converse-stream",
    "/model/some-model/invoke",
    "/model/some-model/invoke-with-response-stream",
    "/model/some-model/count-tokens",
    "/v2/chat",
    "/v2/rerank",
];

/// An answer, and what is to be read from it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The caller's path.
    pub path: &'static str,
    /// Whether it is a stream of server-sent events.
    pub streamed: bool,
    /// Its body.
    pub body: Bytes,
    /// What it says.
    pub reading: Reading,
}

/// Everything below, and each answer read in every way it may be cut.
///
/// # Panics
/// When the adapter does not conform; the message says where.
pub fn conforms(adapter: &dyn Adapter, answers: &[Answer]) {
    address(adapter);
    credentials(adapter);
    targets(adapter);
    hostile_answers(adapter);
    for answer in answers {
        let endpoint = endpoint(answer.path);
        assert!(adapter.serves(&endpoint), "{} does not serve {}", adapter.name(), answer.path);
        reads(adapter, &endpoint, answer);
    }
}

/// The endpoint of a `POST` to this path.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn endpoint(path: &str) -> Endpoint {
    match Endpoint::find(&Method::POST, path, None, &HeaderMap::new()) {
        Ok(endpoint) => endpoint,
        Err(error) => panic!("{path}: {error:?}"),
    }
}

/// What the adapter reads from a body that arrives in these pieces.
pub fn read<'a>(
    adapter: &dyn Adapter,
    endpoint: &Endpoint,
    streamed: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Reading {
    let head = AnswerHead { status: StatusCode::OK, headers: &HeaderMap::new(), streamed };
    let mut reader = adapter.usage_reader(endpoint, &head);
    for piece in pieces {
        reader.data(&Bytes::copy_from_slice(piece));
    }
    reader.finish()
}

/// The answer says the same however it is cut.
///
/// # Panics
/// When it does not, or says something else than expected.
pub fn reads(adapter: &dyn Adapter, endpoint: &Endpoint, answer: &Answer) {
    let body = &answer.body;
    let name = adapter.name();
    let whole = read(adapter, endpoint, answer.streamed, [body.as_ref()]);
    assert_eq!(whole, answer.reading, "{name} {}", answer.path);
    for size in [1, 2, 3, 5, 7, 16, 61, 256, 1024] {
        let cut = read(adapter, endpoint, answer.streamed, body.chunks(size));
        assert_eq!(cut, answer.reading, "{name} {} in pieces of {size}", answer.path);
    }
    for at in 0..body.len().min(4096) {
        let (head, tail) = body.split_at(at);
        let cut = read(adapter, endpoint, answer.streamed, [head, tail]);
        assert_eq!(cut, answer.reading, "{name} {} cut at {at}", answer.path);
    }
}

/// The address can be used as it is.
///
/// # Panics
/// When it cannot.
pub fn address(adapter: &dyn Adapter) {
    let name = adapter.name();
    assert!(
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
        "`{name}`: write names in lower case, digits and dashes"
    );
    let base = adapter.default_base_url();
    if base.is_empty() {
        // It has no address of its own: the channel must name one.
        return;
    }
    let uri: Uri = base.parse().unwrap_or_else(|e| panic!("{name}: {base}: {e}"));
    assert!(matches!(uri.scheme_str(), Some("http" | "https")), "{name}: {base} has no scheme");
    assert!(uri.authority().is_some() && uri.query().is_none(), "{name}: {base}");
    let root = adapter.api_root();
    assert!(root.is_empty() || (root.starts_with('/') && !root.ends_with('/')), "{name}: root `{root}`");
}

/// Credentials stand in headers that are never shown, and in no error.
///
/// # Panics
/// When one can be seen, or is missing.
pub fn credentials(adapter: &dyn Adapter) {
    let name = adapter.name();
    let authorize = |text: &str| adapter.authorize(&SecretString::from(text));
    let headers = authorize(SECRET).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(headers.iter().all(|(_, value)| value.is_sensitive()), "{name}: a credential is not sensitive");
    let shown = |value: &http::HeaderValue| value.to_str().is_ok_and(|text| text.contains(SECRET));
    assert!(headers.iter().any(|(_, value)| shown(value)), "{name}: the credential is not sent");
    assert!(!format!("{headers:?} {adapter:?}").contains(SECRET), "{name}: Debug shows the credential");
    let again = authorize(&format!("  {SECRET}\n")).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(again, headers, "{name}: white space around a credential is no part of it");
    match authorize(&format!("{SECRET}\r\nx-injected: 1")) {
        Ok(_) => panic!("{name}: a credential may add headers of its own"),
        Err(error) => assert!(!format!("{error} {error:?}").contains(SECRET), "{name}: an error shows it"),
    }
    if let Ok(headers) = authorize("") {
        assert!(headers.is_empty(), "{name}: an empty credential is sent");
    }
    for (header, value) in adapter.default_headers() {
        assert!(!value.is_sensitive(), "{name}: {header} is no place for a credential");
    }
}

/// Paths stay below the channel's root, keep the caller's query, and name the mapped model if any. Where the caller
/// speaks of a cloud's projects or deployments the path may be made anew.
///
/// # Panics
/// When they do not.
pub fn targets(adapter: &dyn Adapter) {
    let name = adapter.name();
    let mut served = 0;
    for path in PATHS {
        let endpoint = endpoint(path);
        if !adapter.serves(&endpoint) {
            continue;
        }
        served += 1;
        for (root, query) in
            [(adapter.api_root(), None), ("/other/root", Some("alt=sse&beta=true")), ("", None)]
        {
            for (model, mapped) in [("some-model", false), ("other-model", true), ("a b/é?x=1#%:y", true)] {
                let ask = TargetAsk { root, endpoint: &endpoint, path, query, upstream_model: model, mapped };
                let target = adapter.target(&ask).unwrap_or_else(|e| panic!("{name}: {path}: {e}"));
                assert!(
                    target.path().starts_with(&format!("{root}/")),
                    "{name}: {target} is not below {root}"
                );
                assert!(!target.path().contains("//"), "{name}: {target}");
                assert_eq!(target.query(), query, "{name}: the query of {path}");
                // In OpenAI's dialect the body names the model too.
                let in_path = endpoint.path_model.is_some() && endpoint.dialect != Dialect::OpenAi;
                let cloud = endpoint.surface != Surface::Direct;
                let wants = !in_path || target.path().contains(if mapped { "other-model" } else { model });
                assert!(wants || model.contains(' '), "{name}: {target} does not name {model}");
                assert!(
                    cloud || in_path && mapped || target.path().ends_with(tail(path)),
                    "{name}: {path} became {target}"
                );
            }
        }
    }
    assert!(served > 0, "{name} serves nothing");
}

/// What follows the version.
fn tail(path: &str) -> &str {
    path.splitn(3, '/').last().unwrap_or(path)
}

/// What no provider sends is read without harm, and says nothing.
///
/// # Panics
/// When it is not.
pub fn hostile_answers(adapter: &dyn Adapter) {
    let deep = [b"{\"a\":".repeat(10_000), b"[".repeat(10_000)].concat();
    let texts: &[&[u8]] = &[
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"\"",
        b"\\",
        b"}]}]",
        b"data:",
        b"data: {\"usage\":",
        b"{\"usage\":{\"usage\":{}}}",
        b"{\"choices\":[{\"message\":{\"usage\":{\"prompt_tokens\":1}}}],\"usage\":null}",
        b"<html>\"usage\":{\"prompt_tokens\":1}",
        &deep,
    ];
    for path in PATHS {
        let endpoint = endpoint(path);
        if !adapter.serves(&endpoint) || endpoint.operation == Operation::ListModels {
            continue;
        }
        for text in texts {
            for streamed in [false, true] {
                let reading = read(adapter, &endpoint, streamed, text.chunks(3));
                assert_eq!(reading.usage, None, "{}: {path}", adapter.name());
                let head =
                    AnswerHead { status: StatusCode::BAD_GATEWAY, headers: &HeaderMap::new(), streamed };
                let mut reader = adapter.usage_reader(&endpoint, &head);
                reader.data(&Bytes::copy_from_slice(text));
                assert_eq!(reader.finish(), Reading::default(), "{}: an error reports usage", adapter.name());
            }
        }
    }
}

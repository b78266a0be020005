//! Messages as the clouds take them: on Vertex the path names the model and the body the version, at Anthropic itself
//! the other way round. Checked against the SDK's Vertex client (anthropic 0.125 and 2.x).

use super::VERSION;
use crate::members::Members;
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::{Dialect, Endpoint, Error, Operation};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) static ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
static ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// What of the caller's headers a cloud's request says too.
pub(crate) fn headers(from: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [&ACCEPT, &ANTHROPIC_BETA] {
        for value in from.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// A Vertex caller's request as Anthropic itself takes it.
pub(super) fn from_vertex(ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
    let mut members = Members::of(ask.body)?;
    let mut headers = headers(ask.headers);
    let version = members.take("anthropic_version");
    headers.insert(ANTHROPIC_VERSION.clone(), HeaderValue::from_static(at_anthropic(version.as_deref())));
    if let Some(betas) = members.take("anthropic_beta") {
        let betas: Vec<String> = serde_json::from_str(betas.get()).unwrap_or_default();
        for beta in betas.iter().filter_map(|beta| HeaderValue::from_str(beta).ok()) {
            headers.append(ANTHROPIC_BETA.clone(), beta);
        }
    }
    members.put("model", ask.upstream_model);
    let path = match ask.endpoint.operation {
        Operation::CountTokens => "/v1/messages/count_tokens",
        _ => "/v1/messages",
    };
    let operation = ask.endpoint.operation;
    Ok(Adapted {
        endpoint: Endpoint { dialect: Dialect::Anthropic, operation, ..Endpoint::default() },
        path: path.to_owned(),
        query: None,
        headers,
        body: members.to_bytes(),
        dropped: Vec::new(),
        answer: None,
    })
}

/// `vertex-2023-10-16` is Vertex's name for `2023-06-01`; later versions have the same name everywhere.
fn at_anthropic(version: Option<&serde_json::value::RawValue>) -> &'static str {
    match version.map(|version| version.get()) {
        Some("\"2026-10-21\"") => "2026-10-21",
        _ => VERSION,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::endpoint;
    use bytes::Bytes;

    fn adapted(path: &str, body: &'static str) -> Adapted {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-beta", HeaderValue::from_static("b1"));
        headers.insert("x-private", HeaderValue::from_static("no"));
        let ask = AdaptAsk {
            endpoint: &endpoint(path),
            path,
            query: None,
            headers: &headers,
            body: &Bytes::from_static(body.as_bytes()),
            upstream_model: "claude-up",
            model: "claude-x",
            streamed: false,
            include_usage: true,
        };
        from_vertex(&ask).unwrap()
    }

    #[test]
    fn the_model_goes_into_the_body_and_the_version_out_of_it() {
        let path = "/v1/projects/p/locations/r/publishers/anthropic/models/claude-x:rawPredict";
        let made = adapted(
            path,
            r#"{"anthropic_version":"vertex-2023-10-16","anthropic_beta":["b2"],"stream":true}"#,
        );
        assert_eq!(made.body, r#"{"model":"claude-up","stream":true}"#);
        assert_eq!((made.path.as_str(), made.endpoint.operation), ("/v1/messages", Operation::Messages));
        assert_eq!(made.headers["anthropic-version"], "2023-06-01");
        let betas: Vec<_> = made.headers.get_all("anthropic-beta").iter().collect();
        assert_eq!((betas.len(), made.headers.contains_key("x-private")), (2, false));
        let path = "/v1/projects/p/locations/r/publishers/anthropic/models/count-tokens:rawPredict";
        let made = adapted(path, r#"{"anthropic_version":"2026-10-21","model":"claude-x","messages":[]}"#);
        assert_eq!(made.body, r#"{"model":"claude-up","messages":[]}"#);
        assert_eq!(
            (made.path.as_str(), made.endpoint.operation),
            ("/v1/messages/count_tokens", Operation::CountTokens)
        );
        assert_eq!(made.headers["anthropic-version"], "2026-10-21");
    }
}

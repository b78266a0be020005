//! Anthropic's own callers at Vertex: the model goes from the body into the path, the version from a header into the
//! body.

use super::errors::Errors;
use super::models;
use crate::anthropic::clouds::{ANTHROPIC_VERSION, headers};
use crate::members::Members;
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::{Dialect, Endpoint, Error, Operation, Surface};

/// Vertex's own name for `2023-06-01`.
const VERSION: &str = "vertex-2023-10-16";
/// Versions since then have the same name everywhere.
const LATER: &str = "2026-10-21";

/// The request as Vertex takes it, and its errors as Anthropic writes them.
pub(super) fn adapt(ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
    let mut members = Members::of(ask.body)?;
    let model = models::split(ask.upstream_model).1;
    let counts = ask.endpoint.operation == Operation::CountTokens;
    if counts {
        members.put("model", model);
    } else {
        members.take("model");
    }
    let later = ask.headers.get(&ANTHROPIC_VERSION).is_some_and(|version| version == LATER);
    members.put("anthropic_version", if later { LATER } else { VERSION });
    let action = if ask.streamed && !counts { "streamRawPredict" } else { "rawPredict" };
    let name = if counts { "count-tokens".to_owned() } else { models::segment(model) };
    Ok(Adapted {
        endpoint: Endpoint {
            dialect: Dialect::Anthropic,
            surface: Surface::Vertex,
            operation: ask.endpoint.operation,
            path_model: (!counts).then(|| model.into()),
        },
        path: format!("/v1/projects/-/locations/-/publishers/anthropic/models/{name}:{action}"),
        query: None,
        headers: headers(ask.headers),
        body: members.to_bytes(),
        dropped: Vec::new(),
        answer: Some(Box::new(Errors::default())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::endpoint;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};

    fn adapted(path: &str, version: &'static str, body: &'static str, streamed: bool) -> Adapted {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static(version));
        headers.insert("anthropic-beta", HeaderValue::from_static("b1,b2"));
        let ask = AdaptAsk {
            endpoint: &endpoint(path),
            path,
            query: Some("beta=true"),
            headers: &headers,
            body: &Bytes::from_static(body.as_bytes()),
            upstream_model: "claude-up@1",
            model: "claude-x",
            streamed,
            include_usage: true,
        };
        adapt(&ask).unwrap()
    }

    #[test]
    fn the_model_goes_into_the_path_and_the_version_into_the_body() {
        let body = "{\"model\":\"claude-x\",\"stream\":true,\"messages\":[ {\"t\":1.0} ]}";
        let made = adapted("/v1/messages", "2023-06-01", body, true);
        let want =
            "{\"anthropic_version\":\"vertex-2023-10-16\",\"stream\":true,\"messages\":[ {\"t\":1.0} ]}";
        assert_eq!(made.body, want);
        assert!(made.path.ends_with("/publishers/anthropic/models/claude-up@1:streamRawPredict"));
        assert_eq!((made.query, &made.headers["anthropic-beta"]), (None, &HeaderValue::from_static("b1,b2")));
        assert!(!made.headers.contains_key("anthropic-version"));
        let made = adapted("/v1/messages/count_tokens", "2026-10-21", "{\"model\":\"claude-x\"}", false);
        assert_eq!(made.body, "{\"anthropic_version\":\"2026-10-21\",\"model\":\"claude-up@1\"}");
        assert!(made.path.ends_with("/models/count-tokens:rawPredict"));
    }
}

//! What requests carry, read so that what is wrong is named.

use super::Api;
use super::problem::Problem;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use burncloud_billing::people::Actor;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// The largest body, in bytes.
pub(super) const MAX_BODY: usize = 4 << 20;

/// Whoever asks: put there by the layer at the door.
pub(super) struct Who(pub(super) Actor);

impl FromRequestParts<Api> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Who, Problem> {
        parts.extensions.get::<Actor>().cloned().map(Who).ok_or_else(Problem::anonymous)
    }
}

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Body<T>, Problem> {
        if !is_media(request.headers(), "application/json") {
            return Err(Problem::media("application/json"));
        }
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY).await;
        let bytes = bytes.map_err(|_| Problem::too_large(MAX_BODY))?;
        json(&bytes).map(Body)
    }
}

/// Whether a body is of that media type, parameters aside.
pub(super) fn is_media(headers: &HeaderMap, expected: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}

/// Reads JSON; what is wrong names its field.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if !inner.is_data() {
            let (line, column) = (inner.line(), inner.column());
            return Problem::no_json(&format!("the body is no JSON: line {line}, column {column}"));
        }
        let (field, message) = at_fault(&path, &inner.to_string());
        Problem::invalid(&field, &message)
    })?;
    reader.end().map_err(|_| Problem::no_json("the body goes on after its JSON"))?;
    Ok(value)
}

/// The field that serde's words are about, and those without what was sent: it may be a secret.
fn at_fault(path: &str, text: &str) -> (String, String) {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let text = match (text.find(" string \""), text.rfind(", expected ")) {
        (Some(start), Some(end)) if start < end => format!("{} a text{}", &text[..start], &text[end..]),
        _ => text.to_owned(),
    };
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| Some(text.strip_prefix(start)?.split_once('`')?.0.to_owned()));
    let path = if path == "." { "" } else { path };
    let field = match named {
        // serde names an unknown field by itself, and its path as well.
        Some(name) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) if path.is_empty() => name,
        Some(name) => format!("{path}.{name}"),
        None if path.is_empty() => "body".to_owned(),
        None => path.to_owned(),
    };
    (field, text)
}

/// A member that is there, null or not: `None` is one that is left out.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// What follows the `?`.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Params<T>, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        let Query(value) = read.map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (path, words) = text.split_once(": ").unwrap_or(("", text));
            let simple = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b));
            let (field, message) = if simple { at_fault(path, words) } else { at_fault("", text) };
            let field = if field == "body" { "query".to_owned() } else { field };
            Problem::unreadable(&field, &message)
        })?;
        Ok(Params(value))
    }
}

/// What stands in the path: what cannot be read is not there.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Api) -> Result<At<T>, Problem> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(value)| At(value)).map_err(|_| Problem::missing("there is nothing of this name"))
    }
}

/// The version that whoever changes something has seen; `None` where they do not say.
pub(super) struct IfMatch(Option<String>);

impl IfMatch {
    pub(super) fn expected(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl FromRequestParts<Api> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<IfMatch, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(IfMatch(None)) };
        let text = value.to_str().map_err(|_| Problem::unreadable("If-Match", "it is an entity tag"))?.trim();
        if text == "*" {
            return Ok(IfMatch(None));
        }
        let tag = text.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let tag = tag.filter(|tag| !tag.contains('"'));
        let tag =
            tag.ok_or_else(|| Problem::unreadable("If-Match", "write one entity tag, such as \"3f2a\""))?;
        Ok(IfMatch(Some(tag.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::Limits;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[allow(dead_code)]
        name: String,
        #[serde(default)]
        #[allow(dead_code)]
        limits: Limits,
        #[serde(default)]
        #[allow(dead_code)]
        models: Vec<String>,
    }

    fn fault(text: &str) -> (String, String) {
        let problem = format!("{:?}", json::<Thing>(text.as_bytes()).unwrap_err());
        let field = problem.split("field: \"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        (field.unwrap_or_default(), problem)
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, field) in [
            (r#"{}"#, "name"),
            (r#"{"name":7}"#, "name"),
            (r#"{"name":"a","limits":{"concurrency":"x"}}"#, "limits.concurrency"),
            (r#"{"name":"a","limits":{"speed":1}}"#, "limits.speed"),
            (r#"{"name":"a","models":["b",3]}"#, "models[1]"),
            (r#"{"name":"a","colour":1}"#, "colour"),
            (r#"[]"#, "body"),
            (r#"{"name":"#, ""),
            (r#"{"name":"a"} and more"#, ""),
        ] {
            assert_eq!(fault(text).0, field, "{text}: {}", fault(text).1);
        }
    }

    #[test]
    fn what_was_sent_is_not_said_back() {
        let (_, problem) = fault(r#"{"name":"a","limits":{"concurrency":"sk-hidden, expected"}}"#);
        assert!(!problem.contains("hidden") && problem.contains("expected u64"), "{problem}");
    }
}

//! Answers: JSON with its entity tag, and what is shown only once.

use super::problem::Problem;
use axum::response::{IntoResponse, Response};
use burncloud_core::KeyHash;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

/// What a handler answers.
pub(super) type Answer = Result<Response, Problem>;

/// The members of an answer that are shown only once, wherever they are in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShownOnce(pub(super) &'static [&'static str]);

impl ShownOnce {
    /// Takes them out.
    pub(super) fn strip(self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|name, _| !self.0.contains(&name.as_str()));
                members.values_mut().for_each(|value| self.strip(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| self.strip(value)),
            _ => {}
        }
    }
}

/// 200.
pub(super) fn ok(body: &impl Serialize) -> Answer {
    json(StatusCode::OK, body)
}

/// 201.
pub(super) fn created(body: &impl Serialize) -> Answer {
    json(StatusCode::CREATED, body)
}

/// 201, with members that nobody is shown again.
pub(super) fn created_once(body: &impl Serialize, secrets: &'static [&'static str]) -> Answer {
    once(StatusCode::CREATED, body, secrets)
}

/// Any status, with members that nobody is shown again.
pub(super) fn once(status: StatusCode, body: &impl Serialize, secrets: &'static [&'static str]) -> Answer {
    let mut response = json(status, body)?;
    response.extensions_mut().insert(ShownOnce(secrets));
    Ok(response)
}

/// 204.
pub(super) fn nothing() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The entity tag is the version of what has one, and a hash of what has none.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let failed = |_| Problem::away("the answer cannot be written as JSON");
    let value = serde_json::to_value(body).map_err(failed)?;
    let text = serde_json::to_vec(&value).map_err(failed)?;
    let tag = match value.get("version") {
        Some(Value::String(version)) => version.clone(),
        _ => KeyHash::of(&text).0[..12].iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut response = (status, [kind], text).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Whether whoever asks has this answer already.
pub(super) fn is_known(method: &Method, asked: &HeaderMap, response: &Response) -> bool {
    if !matches!(*method, Method::GET | Method::HEAD) || response.status() != StatusCode::OK {
        return false;
    }
    let Some(tag) = response.headers().get(header::ETAG) else { return false };
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tag = tag.as_bytes();
    known
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag)
}

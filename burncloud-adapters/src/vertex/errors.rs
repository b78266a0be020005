//! Google's errors as Anthropic's callers expect them. What the model itself says, its errors included, is in
//! Anthropic's shape already and passes.

use burncloud_core::Error;
use burncloud_core::adapter::Rewrite;
use bytes::BytesMut;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use serde_json::{Value, json};

/// A longer error is passed as it came.
const LIMIT: usize = 256 * 1024;

/// Rewrites errors, and nothing else.
#[derive(Debug, Default)]
pub(super) struct Errors {
    /// The status of an error, and its body so far.
    held: Option<(StatusCode, Vec<u8>)>,
}

impl Rewrite for Errors {
    fn head(&mut self, head: &mut Parts) {
        if head.status.is_client_error() || head.status.is_server_error() {
            head.headers.remove(CONTENT_LENGTH);
            self.held = Some((head.status, Vec::new()));
        }
    }

    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        match &mut self.held {
            Some((_, held)) if held.len() + chunk.len() <= LIMIT => held.extend_from_slice(chunk),
            Some((_, held)) => {
                out.extend_from_slice(held);
                out.extend_from_slice(chunk);
                self.held = None;
            }
            None => out.extend_from_slice(chunk),
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        if let Some((status, held)) = self.held.take() {
            match anthropic(status, &held) {
                Some(error) => out.extend_from_slice(error.to_string().as_bytes()),
                None => out.extend_from_slice(&held),
            }
        }
        Ok(())
    }
}

/// `{"error":{code,message,status}}`, sometimes in a list of one, in Anthropic's shape. `None` for anything else.
fn anthropic(status: StatusCode, body: &[u8]) -> Option<Value> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let error = json.get(0).unwrap_or(&json).get("error")?;
    let message = error["message"].as_str()?;
    error["code"].as_u64()?;
    let kind = match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    };
    Some(json!({"type": "error", "error": {"type": kind, "message": message}}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn rewritten(status: u16, body: &str) -> String {
        let mut rewrite = Errors::default();
        let response =
            Response::builder().status(status).header("content-length", body.len()).body(()).unwrap();
        let mut head = response.into_parts().0;
        rewrite.head(&mut head);
        assert_eq!(head.headers.contains_key("content-length"), status == 200);
        let mut out = BytesMut::new();
        for piece in body.as_bytes().chunks(7) {
            rewrite.data(piece, &mut out).unwrap();
        }
        rewrite.finish(&mut out).unwrap();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn only_googles_errors_are_rewritten() {
        let google = r#"{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}"#;
        let want = r#"{"error":{"message":"slow","type":"rate_limit_error"},"type":"error"}"#;
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(json(&rewritten(429, google)), json(want));
        assert_eq!(json(&rewritten(429, &format!("[{google}]"))), json(want));
        for (status, body) in [
            (200, google),
            (400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"m"}}"#),
            (502, "<html>"),
        ] {
            assert_eq!(rewritten(status, body), body);
        }
        let long = format!("{}{google}", " ".repeat(LIMIT));
        assert_eq!(rewritten(429, &long), long);
    }
}

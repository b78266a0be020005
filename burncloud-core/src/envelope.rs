//! Placeholder until the scanner lands.

use bytes::Bytes;

/// A JSON string literal.
pub fn json_string(text: &str) -> Bytes {
    serde_json::to_vec(text).unwrap_or_default().into()
}

//! An answer that is turned around in one piece: embeddings, rankings.

use super::rewrite::{error_body, error_head, passing};
use super::{Format, Notes};
use burncloud_core::adapter::{Adapted, Rewrite};
use burncloud_core::{Endpoint, Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

/// The longest answer.
const LIMIT: usize = 128 << 20;

/// Reads a provider's body and writes the caller's.
pub(super) trait Turn: Send + Sync {
    /// # Errors
    /// [`ErrorKind::BadGateway`] for an answer that cannot be read.
    fn turn(&self, body: &[u8], out: &mut BytesMut) -> Result<(), Error>;
}

/// Waits for the whole answer. Errors go out in the caller's format.
pub(super) struct Whole<T> {
    turn: T,
    to: Format,
    status: StatusCode,
    body: BytesMut,
}

impl<T: Turn> Whole<T> {
    /// For a caller whose errors look like those of `to`.
    pub(super) fn new(turn: T, to: Format) -> Whole<T> {
        Whole { turn, to, status: StatusCode::OK, body: BytesMut::new() }
    }
}

/// The error of an answer that cannot be read.
pub(super) fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's answer cannot be read").with_context(error.to_string())
}

impl<T: Turn> Rewrite for Whole<T> {
    fn head(&mut self, head: &mut Parts) {
        self.status = head.status;
        head.headers = passing(&head.headers);
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if !head.status.is_success() {
            error_head(head, self.to);
        }
    }

    fn data(&mut self, chunk: &[u8], _out: &mut BytesMut) -> Result<(), Error> {
        if self.body.len() + chunk.len() > LIMIT {
            return Err(Error::new(ErrorKind::BadGateway, "the provider's answer is too long"));
        }
        self.body.extend_from_slice(chunk);
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        let body = std::mem::take(&mut self.body);
        if self.status.is_success() {
            return self.turn.turn(&body, out);
        }
        error_body(self.status, None, &body, self.to, out);
        Ok(())
    }
}

/// The request for a provider, at its own address.
pub(super) fn adapted(
    (path, endpoint): (String, Endpoint),
    body: &Value,
    notes: Notes,
    answer: Box<dyn Rewrite>,
) -> Adapted {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Adapted {
        endpoint,
        path,
        query: None,
        headers,
        body: Bytes::from(body.to_string()),
        dropped: notes.into_dropped(),
        answer: Some(answer),
    }
}

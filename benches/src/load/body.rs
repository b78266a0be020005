//! Reads an answer: how long it is, when its first byte came, and when each stamped chunk did.

use std::time::Instant;

use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::{Error, upstream};

/// What one answer was.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Bytes of the body.
    pub(super) bytes: u64,
    /// When the first of them came.
    pub(super) first_byte: Option<Instant>,
    /// Nanoseconds from the sending to the receipt of each stamped chunk.
    pub(super) chunks: Vec<u64>,
}

/// Reads `body` to its end; only where it is `stamped` are its bytes looked at.
pub(super) async fn read(mut body: Incoming, stamped: bool) -> Result<Answer, Error> {
    let mut answer = Answer::default();
    let mut pending = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        answer.first_byte.get_or_insert_with(Instant::now);
        answer.bytes += data.len() as u64;
        if stamped {
            let now = upstream::now_ns();
            pending.extend_from_slice(&data);
            let keep = upstream::stamps(&pending, |sent| answer.chunks.push(now.saturating_sub(sent)));
            pending.drain(..keep);
        }
    }
    if stamped && answer.chunks.len() != upstream::CHUNKS {
        return Err(format!("{} stamped chunks instead of {}", answer.chunks.len(), upstream::CHUNKS).into());
    }
    Ok(answer)
}

/// The failure that an answer with another status than 200 is.
pub(super) async fn refuse(status: StatusCode, body: Incoming) -> Error {
    let text = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let start = &text[..text.len().min(300)];
    format!("status {status}: {}", String::from_utf8_lossy(start)).into()
}

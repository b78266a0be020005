//! What Vertex's `predict` made.
//!
//! Imagen answers with a prediction for each picture; one that was filtered out holds no picture and is not charged.
//! Embeddings count their tokens, each text its own.

use crate::reader::trace::Trace;
use crate::reader::walk::{Visit, count};
use burncloud_core::Usage;
use burncloud_core::adapter::{Reading, UsageReader};
use bytes::Bytes;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Predict {
    trace: Trace,
    made: Made,
}

#[derive(Debug, Default)]
struct Made {
    pictures: u64,
    tokens: Option<u64>,
    /// The prediction that is being read holds something, and it is no picture.
    holds: bool,
    other: bool,
}

impl Visit for Made {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        match path {
            [b"predictions", b"", b"bytesBase64Encoded" | b"gcsUri"] => self.holds = raw.len() > 2,
            [b"predictions", b"", b"mimeType"] => self.other = !raw.starts_with(b"\"image/"),
            [b"predictions", b"", b"embeddings", b"statistics", b"token_count"] => {
                if let Some(more) = count(raw) {
                    self.tokens = Some(self.tokens.unwrap_or(0).saturating_add(more));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, path: &[&[u8]]) {
        if let [b"predictions", b""] = path {
            let (holds, other) = (std::mem::take(&mut self.holds), std::mem::take(&mut self.other));
            self.pictures += u64::from(holds && !other);
        }
    }
}

impl UsageReader for Predict {
    fn data(&mut self, chunk: &Bytes) {
        self.trace.feed(chunk, &mut self.made);
    }

    fn finish(&mut self) -> Reading {
        let Made { pictures, tokens, .. } = self.made;
        let usage = Usage { pieces: pictures, input: tokens.unwrap_or(0), ..Usage::default() };
        Reading { usage: (pictures > 0 || tokens.is_some()).then_some(usage), ..Reading::default() }
    }
}

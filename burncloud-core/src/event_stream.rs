//! AWS's binary event stream, as far as the gateway must know it: where a frame ends, and how a failure is said.

use bytes::{BufMut, Bytes, BytesMut};

/// Follows a stream of frames: each begins with its own length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Frames {
    /// What is left of the frame under way, its length being known.
    left: u64,
    /// The bytes of a length that has come in part.
    length: [u8; 4],
    known: usize,
}

impl Frames {
    /// The next bytes. Borders between calls fall anywhere.
    pub(crate) fn saw(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len() as u64);
                self.left -= passed;
                bytes = &bytes[usize::try_from(passed).unwrap_or(bytes.len())..];
                continue;
            }
            self.length[self.known] = bytes[0];
            self.known += 1;
            bytes = &bytes[1..];
            if self.known == 4 {
                // A length that cannot be is none of a frame; nothing after it is at a border again.
                let length = u64::from(u32::from_be_bytes(self.length));
                self.left = if length < 16 { u64::MAX } else { length - 4 };
                self.known = 0;
            }
        }
    }

    /// Whether what has passed ends with a whole frame.
    pub(crate) fn at_border(&self) -> bool {
        self.left == 0 && self.known == 0
    }
}

/// An exception with a JSON payload, as the last frame of a stream.
pub(crate) fn exception(kind: &str, payload: &str) -> Bytes {
    let mut headers = BytesMut::new();
    for (name, value) in
        [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")]
    {
        headers.put_u8(u8::try_from(name.len()).unwrap_or_default());
        headers.put_slice(name.as_bytes());
        headers.put_u8(7);
        headers.put_u16(u16::try_from(value.len()).unwrap_or_default());
        headers.put_slice(value.as_bytes());
    }
    let mut frame = BytesMut::new();
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    frame.put_u32(length(16 + headers.len() + payload.len()));
    frame.put_u32(length(headers.len()));
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(&headers);
    frame.put_slice(payload.as_bytes());
    frame.put_u32(crc32fast::hash(&frame));
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_found_however_frames_are_cut() {
        let frame = exception("internalServerException", "{}");
        let stream = frame.repeat(3);
        for size in [1, 3, 5, frame.len(), 1000] {
            let (mut frames, mut passed) = (Frames::default(), 0);
            for piece in stream.chunks(size) {
                frames.saw(piece);
                passed += piece.len();
                assert_eq!(
                    frames.at_border(),
                    passed.is_multiple_of(frame.len()),
                    "{passed} in pieces of {size}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_frame_never_ends() {
        let mut frames = Frames::default();
        frames.saw(&[0, 0, 0, 3]);
        frames.saw(&[0; 1000]);
        assert!(!frames.at_border());
    }
}

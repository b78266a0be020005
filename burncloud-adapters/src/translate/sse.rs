//! Server-sent events: taken apart as they come, and written.

use burncloud_core::{Error, ErrorKind};
use bytes::{BufMut, BytesMut};
use memchr::memchr2;
use serde::Serialize;

/// The longest event.
const LIMIT: usize = 16 << 20;

/// Is called with an event's name and data.
pub(crate) type Each<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Error> + 'a;

/// Takes events out of bytes whose borders fall anywhere.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// A line that has not ended.
    line: Vec<u8>,
    /// The event so far.
    name: String,
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was CR: an LF that follows belongs to it.
    after_cr: bool,
}

impl Decoder {
    /// Calls `each` with the name and the data of every event that ends in `bytes`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], each: &mut Each<'_>) -> Result<(), Error> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                self.line.extend_from_slice(bytes);
                return self.bounded();
            };
            self.after_cr = bytes[end] == b'\r';
            let rest = &bytes[end + 1..];
            if self.line.is_empty() {
                self.take_line(&bytes[..end], each)?;
            } else {
                self.line.extend_from_slice(&bytes[..end]);
                let line = std::mem::take(&mut self.line);
                self.take_line(&line, each)?;
                self.line = line;
                self.line.clear();
            }
            self.bounded()?;
            bytes = rest;
        }
        Ok(())
    }

    /// The body has ended. An event whose closing line is missing counts: some providers leave it out.
    pub(crate) fn finish(&mut self, each: &mut Each<'_>) -> Result<(), Error> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take_line(&line, each)?;
        }
        self.dispatch(each)
    }

    fn bounded(&self) -> Result<(), Error> {
        if self.line.len() + self.data.len() <= LIMIT {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadGateway, "an event of the provider's stream is too long"))
    }

    fn take_line(&mut self, line: &[u8], each: &mut Each<'_>) -> Result<(), Error> {
        if line.is_empty() {
            return self.dispatch(each);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, each: &mut Each<'_>) -> Result<(), Error> {
        let result = if self.has_data { each(&self.name, &self.data) } else { Ok(()) };
        self.name.clear();
        self.data.clear();
        self.has_data = false;
        result
    }
}

/// Adds `data: …` and the border. The space after the colon is there because one SDK needs it.
pub(crate) fn data(out: &mut BytesMut, json: &impl Serialize) {
    out.extend_from_slice(b"data: ");
    // Writing JSON of strings and numbers into memory does not fail.
    let _ = serde_json::to_writer(out.writer(), json);
    out.extend_from_slice(b"\n\n");
}

/// Adds an event with a name.
pub(crate) fn event(out: &mut BytesMut, name: &str, json: &impl Serialize) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\n");
    data(out, json);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut events = Vec::new();
        let mut each = |name: &str, data: &[u8]| {
            events.push((name.to_owned(), String::from_utf8_lossy(data).into_owned()));
            Ok(())
        };
        let mut decoder = Decoder::default();
        for piece in pieces {
            decoder.push(piece, &mut each).unwrap();
        }
        decoder.finish(&mut each).unwrap();
        events
    }

    #[test]
    fn lines_end_in_every_way_and_comments_are_passed_over() {
        let text =
            b": hi\nevent: a\ndata: 1\n\ndata:2\r\ndata: 3\r\n\r\nid: 7\rdata: 4\r\rretry: 1\n\ndata: last";
        let wanted = [("a", "1"), ("", "2\n3"), ("", "4"), ("", "last")];
        assert_eq!(decode(&[text]), wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    proptest! {
        #[test]
        fn borders_fall_anywhere(cuts in proptest::collection::vec(0_usize..80, 0..12)) {
            let text = "event: a\r\ndata: {\"x\":\"é\"}\r\n\r\ndata: 1\ndata: 2\n\n: c\n\ndata: [DONE]\n\n".as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < text.len()).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&text[from..cut]);
                from = cut;
            }
            pieces.push(&text[from..]);
            prop_assert_eq!(decode(&pieces), decode(&[text]));
        }
    }
}

//! A JSON array that comes bit by bit: how Gemini streams when no server-sent events are asked for.

use super::{EditEvent, MAX_EVENT, too_long};
use burncloud_core::Error;
use bytes::BytesMut;

/// Takes the elements out of a top-level array. Keeps one element.
#[derive(Debug, Default)]
pub(super) struct Elements {
    /// The element that has no end yet.
    element: Vec<u8>,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Elements {
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        out: &mut BytesMut,
        edit: &mut EditEvent<'_>,
    ) -> Result<(), Error> {
        // The array's own bytes, and those of the element, lie between these borders.
        let mut from = 0;
        for (at, byte) in chunk.iter().enumerate() {
            let inside = self.depth > 1;
            if !self.step(*byte) {
                continue;
            }
            if !inside && self.depth == 2 {
                out.extend_from_slice(&chunk[from..at]);
                from = at;
            } else if inside && self.depth == 1 {
                self.element.extend_from_slice(&chunk[from..=at]);
                from = at + 1;
                let element = std::mem::take(&mut self.element);
                match edit(&element)? {
                    Some(json) => out.extend_from_slice(&json),
                    None => out.extend_from_slice(&element),
                }
            }
        }
        if self.depth > 1 {
            self.element.extend_from_slice(&chunk[from..]);
        } else {
            out.extend_from_slice(&chunk[from..]);
        }
        if self.element.len() > MAX_EVENT { Err(too_long("an element of the answer")) } else { Ok(()) }
    }

    /// The stream has ended; an element that has no end is no JSON.
    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&std::mem::take(&mut self.element));
    }

    /// Whether the depth changed.
    fn step(&mut self, byte: u8) -> bool {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => (),
            }
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => {
                self.depth += 1;
                return true;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return true;
            }
            _ => (),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(stream: &[u8], cut: usize, edit: &mut EditEvent<'_>) -> Vec<u8> {
        let (mut elements, mut out) = (Elements::default(), BytesMut::new());
        let (a, b) = stream.split_at(cut.min(stream.len()));
        elements.feed(a, &mut out, edit).unwrap();
        elements.feed(b, &mut out, edit).unwrap();
        elements.finish(&mut out);
        out.to_vec()
    }

    #[test]
    fn elements_are_changed_one_by_one() {
        let stream = br#"[{"a":"}]\"{","b":[1]}
,
{"c":{}} , 5, "x[", [2]]"#;
        let wanted = br#"[<21>
,
<8> , 5, "x[", <3>]"#;
        for cut in 0..=stream.len() {
            let mut edit = |e: &[u8]| Ok(Some(format!("<{}>", e.len()).into_bytes()));
            assert_eq!(
                String::from_utf8(run(stream, cut, &mut edit)).unwrap().as_bytes(),
                wanted,
                "cut at {cut}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_not_changed_passes_byte_for_byte(stream in r#"[\[\]{}"\\a,]{0,60}"#, cut in 0usize..60) {
            prop_assert_eq!(run(stream.as_bytes(), cut, &mut |_| Ok(None)), stream.as_bytes());
        }
    }
}

//! Follows a JSON text member by member as it passes by, however it is cut.
//!
//! What [`walk`](super::walk) is to a small value that is there at once, this is to a long one that is not: it keeps
//! the path, and of a key or value split between chunks its beginning.

use super::json::{plain_end, string_end};
use super::walk::Visit;

/// What lies deeper is passed over.
const DEEPEST: usize = 8;

/// The beginning of a key or value that is kept; nothing of interest is longer.
const KEEP: usize = 512;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Token {
    #[default]
    None,
    Key,
    Text,
    /// A number, `true`, `false`, `null`.
    Bare,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Open containers.
    depth: usize,
    /// For each of them whether it is an object, and the key that is being read, empty in a list.
    levels: [(bool, Vec<u8>); DEEPEST],
    token: Token,
    escaped: bool,
    /// A key was read, its value is due.
    keyed: bool,
    held: Vec<u8>,
}

impl Trace {
    /// The next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], visitor: &mut impl Visit) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at = match self.token {
                Token::Key | Token::Text => self.text(bytes, at, visitor),
                Token::Bare if ends_bare(*byte) => {
                    self.scalar_ends(visitor);
                    at
                }
                Token::Bare => {
                    self.hold(&bytes[at..=at]);
                    at + 1
                }
                Token::None if self.depth > DEEPEST => plain_end(bytes, at),
                Token::None => at,
            };
            if self.token == Token::None {
                let Some(byte) = bytes.get(at) else { return };
                self.structure(*byte, visitor);
                at += 1;
            }
        }
    }

    /// From `at` within a string on; returns where to go on.
    fn text(&mut self, bytes: &[u8], at: usize, visitor: &mut impl Visit) -> usize {
        let Some(end) = string_end(bytes, at, &mut self.escaped) else {
            self.hold(&bytes[at..]);
            return bytes.len();
        };
        self.hold(&bytes[at..end]);
        if self.token == Token::Key {
            let held = std::mem::take(&mut self.held);
            let slot = &mut self.levels[self.depth - 1].1;
            self.held = std::mem::replace(slot, held);
            self.held.clear();
            (self.keyed, self.token) = (true, Token::None);
        } else {
            self.hold_quote();
            self.scalar_ends(visitor);
        }
        // Past the quote, by way of a byte that means nothing.
        self.token = Token::None;
        end + 1
    }

    /// A byte outside of strings and numbers.
    fn structure(&mut self, byte: u8, visitor: &mut impl Visit) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b':' => {}
            b',' => self.keyed = false,
            b'{' | b'[' => {
                if let Some((object, key)) = self.levels.get_mut(self.depth) {
                    *object = byte == b'{';
                    key.clear();
                }
                (self.depth, self.keyed) = (self.depth.saturating_add(1), false);
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.keyed = false;
                if (1..=DEEPEST).contains(&self.depth) {
                    self.visit(|path| visitor.close(path));
                }
            }
            b'"' => {
                let level = self.depth.checked_sub(1).and_then(|at| self.levels.get(at));
                let key = level.is_some_and(|(object, _)| *object) && !self.keyed;
                self.token = if key { Token::Key } else { Token::Text };
                if !key {
                    self.hold(b"\"");
                }
            }
            _ => {
                self.token = Token::Bare;
                self.hold(&[byte]);
            }
        }
    }

    fn scalar_ends(&mut self, visitor: &mut impl Visit) {
        let raw = std::mem::take(&mut self.held);
        if self.depth <= DEEPEST {
            self.visit(|path| visitor.scalar(path, &raw));
        }
        self.held = raw;
        self.held.clear();
        (self.token, self.keyed) = (Token::None, false);
    }

    fn visit(&self, see: impl FnOnce(&[&[u8]])) {
        let mut path: [&[u8]; DEEPEST] = [b""; DEEPEST];
        for (slot, (_, key)) in path.iter_mut().zip(&self.levels[..self.depth]) {
            *slot = key;
        }
        see(&path[..self.depth]);
    }

    fn hold(&mut self, part: &[u8]) {
        if self.depth <= DEEPEST {
            let room = KEEP.saturating_sub(self.held.len());
            self.held.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    /// The quote that closes a text belongs to it, however little of the text is kept.
    fn hold_quote(&mut self) {
        if self.depth <= DEEPEST {
            self.held.push(b'"');
        }
    }
}

fn ends_bare(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b':' | b'"' | b'{' | b'[')
}

#[cfg(test)]
mod tests {
    use super::super::walk::walk;
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Seen(Vec<String>);

    impl Visit for Seen {
        fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
            let path = path.iter().map(|p| String::from_utf8_lossy(p)).collect::<Vec<_>>().join("/");
            self.0.push(format!("{path}={}", String::from_utf8_lossy(raw)));
        }

        fn close(&mut self, path: &[&[u8]]) {
            self.0.push(format!("{} closed", String::from_utf8_lossy(&path.join(&b'/'))));
        }
    }

    fn trace(text: &[u8], cuts: &[usize]) -> Seen {
        let (mut trace, mut seen, mut from) = (Trace::default(), Seen::default(), 0);
        for cut in cuts.iter().copied().filter(|c| *c <= text.len()).chain([text.len()]) {
            if cut >= from {
                trace.feed(&text[from..cut], &mut seen);
                from = cut;
            }
        }
        seen
    }

    const FULL: &str = r#" {"a" : [{"b":{"no":1.5e3}}, "\"x\":{", "\\"], "é" : {"x":[1,{"y":null}],"s":"}\""},"a":true ,"q":{},"l":[]} "#;

    #[test]
    fn it_walks() {
        let mut walked = Seen::default();
        walk(FULL.as_bytes(), &mut walked);
        assert_eq!(trace(FULL.as_bytes(), &[]), walked);
        assert!(walked.0.contains(&"a//b/no=1.5e3".to_owned()));
    }

    #[test]
    fn what_is_deep_or_long_is_passed_over() {
        let deep = format!("{}1{},\"z\":2}}", "{\"a\":".repeat(20), "}".repeat(19));
        assert_eq!(trace(deep.as_bytes(), &[]).0.last().map(String::as_str), Some("z=2"));
        let long = format!("{{\"a\":\"{}\",\"b\":1}}", "x".repeat(5000));
        let seen = trace(long.as_bytes(), &[700, 701, 3000]);
        assert_eq!((seen.0[0].len(), seen.0[1].as_str()), (2 + KEEP + 1, "b=1"));
    }

    proptest! {
        #[test]
        fn borders_do_not_matter(mut cuts in proptest::collection::vec(0..FULL.len(), 0..40)) {
            cuts.sort_unstable();
            prop_assert_eq!(trace(FULL.as_bytes(), &cuts), trace(FULL.as_bytes(), &[]));
        }

        #[test]
        fn anything_may_come(text in "[\\[\\]{}\",:\\\\ \nab1]{0,200}", mut cuts in proptest::collection::vec(0usize..200, 0..20)) {
            cuts.sort_unstable();
            prop_assert_eq!(trace(text.as_bytes(), &cuts), trace(text.as_bytes(), &[]));
        }
    }
}

//! Picks a few members out of a JSON text as it passes by, without keeping the text.
//!
//! The scanner follows strings and nesting byte by byte, so that a key of the same name inside a model's
//! output (tool arguments, for instance) is never taken for the provider's own. It copies only the values it
//! was asked for, bounded, and only where one is split between chunks. What is not JSON yields nothing.

use memchr::memchr2;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// A value longer than this is no usage report: it is passed over.
const VALUE_LIMIT: usize = 64 * 1024;

/// A longer key is none of ours.
const KEY_LIMIT: usize = 32;

/// What to look for. Keys count at the top of the document, and at the top of the object `inside` names.
///
/// A document is the top-level object, or each element of a top-level array.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Members whose values are handed to the sink.
    pub(crate) keys: &'static [&'static str],
    /// A top-level member whose own members count too.
    pub(crate) inside: Option<&'static str>,
    /// A top-level array whose objects are counted.
    pub(crate) count: Option<&'static str>,
    /// Keys before which a document need not be followed (see [`search`](super::search)); none where all of
    /// it must be.
    pub(crate) starts: &'static [&'static LazyLock<Finder<'static>>],
    /// In streams, what is of interest stands in `inside`.
    pub(crate) events_nest: bool,
}

/// Takes what the scanner finds.
pub(crate) trait Sink {
    /// A member's value, as it stands in the text; `inside` when it was found in [`Plan::inside`].
    fn value(&mut self, key: &'static str, inside: bool, raw: &[u8]);

    /// One object in [`Plan::count`].
    fn item(&mut self) {}
}

/// What the key before the colon asks for.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Nothing,
    Value(&'static str),
    Inside,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Key,
    Other,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Scanner {
    plan: &'static Plan,
    /// Open containers.
    depth: u32,
    /// The depth whose members are watched.
    watched: u32,
    /// The watched container is the one called [`Plan::inside`].
    inside: bool,
    /// The watched container is an object and a key is due.
    key_due: bool,
    object: bool,
    text: Text,
    escaped: bool,
    wanted: Wanted,
    counting: bool,
    /// Stop where the outermost container closes.
    once: bool,
    /// The value being captured.
    capture: Option<&'static str>,
    /// Its bytes from earlier chunks, or the first bytes of a key that is split.
    held: Vec<u8>,
}

impl Scanner {
    pub(crate) fn new(plan: &'static Plan) -> Scanner {
        Scanner {
            plan,
            depth: 0,
            watched: 1,
            inside: false,
            key_due: false,
            object: false,
            text: Text::Outside,
            escaped: false,
            wanted: Wanted::Nothing,
            counting: false,
            once: false,
            capture: None,
            held: Vec::new(),
        }
    }

    /// One that starts in the midst of an object, before a key: of the document, or of [`Plan::inside`].
    pub(crate) fn amid(plan: &'static Plan, inside: bool) -> Scanner {
        let depth = if inside { 2 } else { 1 };
        let start = Scanner::new(plan);
        Scanner { depth, watched: depth, inside, object: true, key_due: true, once: true, ..start }
    }

    /// The next bytes. Says how many of them, where it was to stop and did.
    pub(crate) fn feed(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Option<usize> {
        let (mut at, mut start) = (0, 0);
        while at < bytes.len() {
            if self.text != Text::Outside {
                let Some(end) = string_end(bytes, at, &mut self.escaped) else { break };
                self.string_ends(bytes, start, end, sink);
                at = end + 1;
            } else if self.depth > self.watched {
                at = plain_end(bytes, at);
                if let Some(byte) = bytes.get(at) {
                    self.nested(*byte, bytes, (start, at), sink);
                    at += 1;
                }
            } else {
                if self.starts_here(bytes[at]) {
                    start = at;
                }
                self.watched_byte(bytes, &mut start, at, sink);
                at += 1;
                if self.once && self.depth == 0 {
                    return Some(at);
                }
            }
        }
        self.hold(&bytes[start.min(bytes.len())..]);
        None
    }

    /// Whether a wanted value begins with this byte; notes that it did.
    fn starts_here(&mut self, byte: u8) -> bool {
        let Wanted::Value(key) = self.wanted else { return false };
        if self.capture.is_some() || matches!(byte, b':' | b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | b']')
        {
            return false;
        }
        self.capture = Some(key);
        self.wanted = Wanted::Nothing;
        true
    }

    /// A byte outside strings, in the watched container or above it.
    fn watched_byte(&mut self, bytes: &[u8], start: &mut usize, at: usize, sink: &mut impl Sink) {
        match bytes[at] {
            b'"' => {
                let key = self.key_due && self.depth == self.watched;
                self.text = if key { Text::Key } else { Text::Other };
                self.key_due &= !key;
                if key {
                    self.held.clear();
                    *start = at + 1;
                }
            }
            b',' => {
                self.ends(bytes, *start, at, sink);
                self.wanted = Wanted::Nothing;
                self.key_due = self.object && self.depth == self.watched;
            }
            byte @ (b'{' | b'[') => self.opens(byte),
            b'}' | b']' => {
                self.ends(bytes, *start, at, sink);
                self.closes();
            }
            b' ' | b'\t' | b'\r' | b'\n' => self.ends(bytes, *start, at, sink),
            _ => {}
        }
    }

    fn opens(&mut self, byte: u8) {
        let object = byte == b'{';
        if self.depth == 0 {
            // A top-level array is a list of documents.
            self.watched = if object { 1 } else { 2 };
            self.inside = false;
        }
        let entered = matches!(self.wanted, Wanted::Inside) && self.depth == self.watched && object;
        if entered {
            self.inside = true;
            self.watched += 1;
        }
        self.counting = matches!(self.wanted, Wanted::Count) && self.depth == self.watched && !object;
        self.wanted = Wanted::Nothing;
        self.depth += 1;
        if self.depth == self.watched {
            self.object = object;
            self.key_due = object;
        }
    }

    fn closes(&mut self) {
        if self.inside && self.depth == self.watched {
            self.inside = false;
            self.watched -= 1;
            self.object = true;
        }
        self.depth = self.depth.saturating_sub(1);
        self.wanted = Wanted::Nothing;
        self.key_due = false;
    }

    /// A quote or bracket below the watched container.
    fn nested(&mut self, byte: u8, bytes: &[u8], (start, at): (usize, usize), sink: &mut impl Sink) {
        match byte {
            b'"' => self.text = Text::Other,
            b'{' | b'[' => {
                if self.counting && byte == b'{' && self.depth == self.watched + 1 {
                    sink.item();
                }
                self.depth = self.depth.saturating_add(1);
            }
            _ => {
                self.depth -= 1;
                if self.depth == self.watched {
                    self.counting = false;
                    self.ends(bytes, start, at + 1, sink);
                }
            }
        }
    }

    fn string_ends(&mut self, bytes: &[u8], start: usize, end: usize, sink: &mut impl Sink) {
        match self.text {
            Text::Key => {
                let rest = &bytes[start..end];
                self.wanted = if self.held.is_empty() {
                    self.look_up(rest)
                } else {
                    self.hold(rest);
                    self.look_up(&self.held)
                };
                self.held.clear();
            }
            _ if self.depth == self.watched => self.ends(bytes, start, end + 1, sink),
            _ => {}
        }
        self.text = Text::Outside;
    }

    fn look_up(&self, key: &[u8]) -> Wanted {
        if let Some(found) = self.plan.keys.iter().find(|k| k.as_bytes() == key) {
            return Wanted::Value(found);
        }
        let is = |name: Option<&str>| !self.inside && name.is_some_and(|n| n.as_bytes() == key);
        if is(self.plan.inside) {
            Wanted::Inside
        } else if is(self.plan.count) {
            Wanted::Count
        } else {
            Wanted::Nothing
        }
    }

    /// The captured value, if there is one, ends before `end`.
    fn ends(&mut self, bytes: &[u8], start: usize, end: usize, sink: &mut impl Sink) {
        let Some(key) = self.capture else { return };
        if self.held.is_empty() {
            self.capture = None;
            sink.value(key, self.inside, &bytes[start..end]);
            return;
        }
        self.hold(&bytes[start..end]);
        if self.capture.take().is_some() {
            sink.value(key, self.inside, &self.held);
        }
        self.held.clear();
    }

    /// Keeps what belongs to a value or key that goes on in the next chunk.
    fn hold(&mut self, rest: &[u8]) {
        if self.text == Text::Key {
            let room = KEY_LIMIT.saturating_sub(self.held.len());
            self.held.extend_from_slice(&rest[..rest.len().min(room)]);
        } else if self.capture.is_some() {
            if self.held.len() + rest.len() > VALUE_LIMIT {
                self.capture = None;
                self.held = Vec::new();
            } else {
                self.held.extend_from_slice(rest);
            }
        }
    }
}

/// The quote that ends a string, from `at` within it on. `escaped` carries a backslash over a border.
pub(super) fn string_end(bytes: &[u8], mut at: usize, escaped: &mut bool) -> Option<usize> {
    if *escaped {
        *escaped = false;
        at += 1;
    }
    loop {
        at += quote_or_backslash(bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        if at + 1 == bytes.len() {
            *escaped = true;
            return None;
        }
        at += 2;
    }
}

fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    /// Keys and most values are short: a few words are cheaper than a call.
    const WORDS: usize = 4;
    for (index, word) in bytes.as_chunks::<8>().0.iter().take(WORDS).enumerate() {
        let word = u64::from_le_bytes(*word);
        let hits = first_equal(word, b'"') | first_equal(word, b'\\');
        if hits != 0 {
            return Some(index * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let seen = (bytes.len() / 8).min(WORDS) * 8;
    memchr2(b'"', b'\\', &bytes[seen..]).map(|offset| seen + offset)
}

/// A word whose lowest set bit marks the first byte of `word` that equals `byte`; higher bits may err.
fn first_equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let difference = word ^ (LOW * u64::from(byte));
    difference.wrapping_sub(LOW) & !difference & (LOW << 7)
}

/// The next quote or bracket at or after `at`, or the end.
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    /// Most structure is dense: blocks pay only in long runs of numbers.
    const NEAR: usize = 16;
    // Bit 0x20 is all that tells square from curly brackets.
    let marks = |b: u8| (b == b'"') | ((b | 0x20) == b'{') | ((b | 0x20) == b'}');
    if let Some(offset) = bytes[at..].iter().take(NEAR).position(|b| marks(*b)) {
        return at + offset;
    }
    at = (at + NEAR).min(bytes.len());
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        // No early exit, so that the compiler compares the block at once.
        if block.iter().fold(false, |hit, b| hit | marks(*b)) {
            break;
        }
        at += 32;
    }
    bytes[at..].iter().position(|b| marks(*b)).map_or(bytes.len(), |offset| at + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    static PLAN: Plan = Plan {
        keys: &["usage", "tier"],
        inside: Some("response"),
        count: Some("data"),
        starts: &[],
        events_nest: false,
    };

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Found {
        values: Vec<(&'static str, bool, String)>,
        items: usize,
    }

    impl Sink for Found {
        fn value(&mut self, key: &'static str, inside: bool, raw: &[u8]) {
            self.values.push((key, inside, String::from_utf8_lossy(raw).into_owned()));
        }

        fn item(&mut self) {
            self.items += 1;
        }
    }

    fn scan(text: &[u8], cuts: &[usize]) -> Found {
        let (mut scanner, mut found, mut from) = (Scanner::new(&PLAN), Found::default(), 0);
        for cut in cuts.iter().copied().filter(|c| *c <= text.len()).chain([text.len()]) {
            if cut >= from {
                scanner.feed(&text[from..cut], &mut found);
                from = cut;
            }
        }
        found
    }

    fn values(text: &str) -> Vec<(&'static str, bool, String)> {
        scan(text.as_bytes(), &[]).values
    }

    const FULL: &str = r#" {"a" : [{"usage":{"no":1}}, "\"usage\":{", "\\"], "usage" : {"x":[1,{"usage":2}],"s":"}\""},
        "response":{"usage":7 ,"response":{"usage":8},"tier":"é\\","q":{"tier":1}},"tier":null,
        "data":[{"data":[{}]},{"b":"{"},3,[{}]], "usagex":1,"usag":2} "#;

    #[test]
    fn takes_what_is_at_the_top_and_no_decoy() {
        let found = scan(FULL.as_bytes(), &[]);
        let expect = [
            ("usage", false, r#"{"x":[1,{"usage":2}],"s":"}\""}"#),
            ("usage", true, "7"),
            ("tier", true, r#""é\\""#),
            ("tier", false, "null"),
        ];
        assert_eq!(found.values, expect.map(|(k, i, v)| (k, i, v.to_owned())));
        assert_eq!(found.items, 2);
    }

    #[test]
    fn each_element_of_a_list_is_a_document() {
        let text = r#"[{"usage":{"a":1}},[{"usage":0}],"usage",{"response":{"usage":2}}] {"usage":3}"#;
        let expect = [("usage", false, r#"{"a":1}"#), ("usage", true, "2"), ("usage", false, "3")];
        assert_eq!(values(text), expect.map(|(k, i, v)| (k, i, v.to_owned())));
    }

    #[test]
    fn a_value_too_long_is_passed_over_and_forgotten() {
        let text = format!(r#"{{"usage":"{}","tier":1}}"#, "x".repeat(VALUE_LIMIT));
        let (mut scanner, mut found) = (Scanner::new(&PLAN), Found::default());
        for piece in text.as_bytes().chunks(1000) {
            scanner.feed(piece, &mut found);
            assert!(scanner.held.len() <= VALUE_LIMIT);
        }
        assert_eq!(found.values, [("tier", false, "1".to_owned())]);
    }

    proptest! {
        #[test]
        fn borders_do_not_matter(mut cuts in proptest::collection::vec(0..FULL.len(), 0..40)) {
            cuts.sort_unstable();
            prop_assert_eq!(scan(FULL.as_bytes(), &cuts), scan(FULL.as_bytes(), &[]));
        }

        #[test]
        fn anything_may_come(text in "[\\[\\]{}\",:\\\\ \nusage1]{0,200}", mut cuts in proptest::collection::vec(0usize..200, 0..20)) {
            cuts.sort_unstable();
            prop_assert_eq!(scan(text.as_bytes(), &cuts), scan(text.as_bytes(), &[]));
        }
    }
}

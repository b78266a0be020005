//! Finds the members of interest of a document without following all of it.
//!
//! In JSON a quote within a string is always escaped, so the bytes `"usage"` after anything but a backslash
//! are a string token, and the scanner can start there, in the midst of an object whose depth is unknown. If
//! that object closes where the document ends, it was the document (or its `inside`, one level down);
//! if more follows, it was somewhere within, for example in a tool's arguments, and the search goes on.
//! So a long answer before its usage costs a substring search instead of a walk.

use super::json::{Plan, Scanner, Sink};
use memchr::memmem::Finder;

/// More than the longest start key with its quotes and the byte before it.
const REACH: usize = 24;

/// See the module.
#[derive(Debug)]
pub(crate) struct Search<F> {
    plan: &'static Plan,
    inside: bool,
    state: State,
    scanner: Scanner,
    facts: F,
    /// The last bytes seen while searching, at most [`REACH`].
    seen: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Searching,
    /// In an object that may be the one.
    Following,
    /// It has closed. It was the one, if nothing but white space follows.
    Closed,
}

impl<F: Sink + Default> Search<F> {
    /// Of members at the top, or of those of [`Plan::inside`].
    pub(crate) fn new(plan: &'static Plan, inside: bool) -> Search<F> {
        let scanner = Scanner::amid(plan, inside);
        Search { plan, inside, state: State::Searching, scanner, facts: F::default(), seen: Vec::new() }
    }

    /// The next bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Searching => self.search(bytes),
                State::Following => {
                    let Some(used) = self.scanner.feed(bytes, &mut self.facts) else { return };
                    self.state = State::Closed;
                    &bytes[used..]
                }
                State::Closed => {
                    let rest = bytes.trim_ascii_start();
                    if !rest.is_empty() {
                        self.state = State::Searching;
                    }
                    rest
                }
            };
        }
    }

    /// What was found, once the document has ended.
    pub(crate) fn finish(self) -> Option<F> {
        (self.state == State::Closed).then_some(self.facts)
    }

    /// Looks for a start; returns the bytes from there on.
    fn search<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let old = self.seen.len();
        let before = self.seen.last().copied();
        if old > 0 {
            // A start may lie across the border. One that lies before it was looked at already.
            self.seen.extend_from_slice(&bytes[..bytes.len().min(REACH)]);
            let across = self.first(&self.seen, (old == REACH).then_some(b'\\')).filter(|at| *at < old);
            self.seen.truncate(old);
            if let Some(at) = across {
                let start = std::mem::take(&mut self.seen);
                self.follow();
                self.feed(&start[at..]);
                return bytes;
            }
        }
        if let Some(at) = self.first(bytes, before) {
            self.follow();
            return &bytes[at..];
        }
        self.seen.extend_from_slice(&bytes[bytes.len().saturating_sub(REACH)..]);
        let excess = self.seen.len().saturating_sub(REACH);
        self.seen.drain(..excess);
        &[]
    }

    fn follow(&mut self) {
        self.seen.clear();
        self.state = State::Following;
        self.scanner = Scanner::amid(self.plan, self.inside);
        self.facts = F::default();
    }

    /// The first start that does not lie in a string; `before` is the byte before these.
    fn first(&self, bytes: &[u8], before: Option<u8>) -> Option<usize> {
        let find = |finder: &Finder<'_>| {
            let escaped = |at: usize| at.checked_sub(1).map_or(before, |at| Some(bytes[at])) == Some(b'\\');
            finder.find_iter(bytes).find(|at| !escaped(*at))
        };
        self.plan.starts.iter().filter_map(|finder| find(finder)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Sink;
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage\""));
    static TIER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"tier\""));
    static PLAN: Plan = Plan {
        keys: &["usage", "tier"],
        inside: Some("response"),
        count: None,
        starts: &[&USAGE, &TIER],
        events_nest: true,
    };

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Found(Vec<(&'static str, String)>);

    impl Sink for Found {
        fn value(&mut self, key: &'static str, _inside: bool, raw: &[u8]) {
            self.0.push((key, String::from_utf8_lossy(raw).into_owned()));
        }
    }

    fn search(text: &[u8], inside: bool, cuts: &[usize]) -> Option<Found> {
        let (mut search, mut from) = (Search::<Found>::new(&PLAN, inside), 0);
        for cut in cuts.iter().copied().filter(|c| *c <= text.len()).chain([text.len()]) {
            if cut >= from {
                search.feed(&text[from..cut]);
                from = cut;
            }
        }
        search.finish()
    }

    fn found<const N: usize>(values: [(&'static str, &str); N]) -> Option<Found> {
        Some(Found(values.map(|(k, v)| (k, v.to_owned())).into()))
    }

    const DECOYS: &str = r#"{"a":"\"usage\":{}","b":["usage",{"usage":{"x":1}}],"c":"usage","args":{"tier":1,"usage":2},
        "d":"\\","other":{"usage":9},"usage":{"y":[{"usage":3}]},"z":{"tier":0},"tier":"t"}  "#;

    #[test]
    fn only_the_documents_own_members_are_taken() {
        assert_eq!(
            search(DECOYS.as_bytes(), false, &[]),
            found([("usage", r#"{"y":[{"usage":3}]}"#), ("tier", "\"t\"")])
        );
        assert_eq!(search(br#"{"a":{"usage":1}}"#, false, &[]), None);
        assert_eq!(search(br#"{"usage":{"a":1}"#, false, &[]), None);
    }

    #[test]
    fn one_level_down_where_events_nest() {
        let event =
            br#"{"type":"x","response":{"output":[{"usage":{"a":1}}],"tier":null,"usage":{"b":2}},"n":1}"#;
        assert_eq!(search(event, true, &[]), found([("tier", "null"), ("usage", r#"{"b":2}"#)]));
        assert_eq!(search(br#"{"usage":1}"#, true, &[]), None);
    }

    proptest! {
        #[test]
        fn borders_do_not_matter(mut cuts in proptest::collection::vec(0..DECOYS.len(), 0..60)) {
            cuts.sort_unstable();
            prop_assert_eq!(search(DECOYS.as_bytes(), false, &cuts), search(DECOYS.as_bytes(), false, &[]));
        }

        /// Whatever JSON comes before and after, the search finds what the walk finds.
        #[test]
        fn a_search_is_a_walk(
            before in json(), after in json(), mut cuts in proptest::collection::vec(0usize..400, 0..20),
        ) {
            cuts.sort_unstable();
            let text = format!(r#"{{"before":{before},"usage":{{"n":7}},"after":{after}}}"#);
            let mut walked = Found::default();
            Scanner::new(&PLAN).feed(text.as_bytes(), &mut walked);
            prop_assert_eq!(search(text.as_bytes(), false, &cuts), Some(walked));
        }
    }

    /// JSON that likes the keys that are looked for.
    fn json() -> impl Strategy<Value = String> {
        let text = prop_oneof![
            Just(r#""usage""#.to_owned()),
            Just(r#""tier""#.to_owned()),
            Just(r#""response""#.to_owned()),
            Just(r#""\"usage\"""#.to_owned()),
            Just(r#""a\\""#.to_owned()),
            Just(r#""é{}[],:""#.to_owned()),
        ];
        let leaf = prop_oneof![text.clone(), Just("-1.5e3".to_owned()), Just("null".to_owned())];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            let members = proptest::collection::vec((text.clone(), inner.clone()), 0..4);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(|list| format!("[{}]", list.join(" ,"))),
                members.prop_map(|list| {
                    let list: Vec<String> = list.into_iter().map(|(k, v)| format!("{k} :{v}")).collect();
                    format!("{{{}}}", list.join(","))
                }),
            ]
        })
    }
}

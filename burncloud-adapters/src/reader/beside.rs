//! What stands beside a report of usage: searches, sessions of code, in the answer's own items.
//!
//! Providers charge for tools that they ran, and many tell only by what the tools left in the answer. Hardly any
//! answer has such a thing, so nothing is followed until bytes turn up without which there is none.

use super::trace::Trace;
use super::walk::Visit;
use burncloud_core::Usage;
use bytes::Bytes;
use memchr::memmem::Finder;

/// How much of a body is kept in case the bytes turn up later; a longer one is followed in any case.
const KEEP: usize = 64 * 1024;

/// One byte less than the longest of the sought.
const REACH: usize = 24;

/// Where the model's name stands, if anywhere.
const HEAD: usize = 512;

/// Where to look for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seek {
    /// Bytes without which a body or event has nothing of it.
    pub(crate) finder: &'static Finder<'static>,
    /// Bytes near the beginning (of the body, of the first event) without which an answer has nothing of it.
    pub(crate) head: Option<&'static Finder<'static>>,
    /// In streams it stands only in events that report usage.
    pub(crate) in_reports: bool,
}

impl Seek {
    pub(crate) const fn new(finder: &'static Finder<'static>) -> Seek {
        Seek { finder, head: None, in_reports: false }
    }

    /// Whether an answer that begins so may have something of it.
    pub(super) fn may(&self, beginning: &[u8]) -> bool {
        let beginning = &beginning[..beginning.len().min(HEAD)];
        self.head.is_none_or(|head| head.find(beginning).is_some())
    }
}

/// Takes it in.
pub(crate) trait Beside: Visit + Default + Send {
    /// A document, or an event, has ended.
    fn ends(&mut self) {}

    /// Adds it to what was reported; of counts of the same the larger one is right.
    fn add_to(&self, usage: &mut Usage);
}

/// Nothing.
impl Visit for () {
    fn scalar(&mut self, _path: &[&[u8]], _raw: &[u8]) {}
}

impl Beside for () {
    fn add_to(&self, _usage: &mut Usage) {}
}

/// `reported` and what stood beside it. Usage that nobody reported is none, unless there is something beside it.
pub(super) fn together(reported: Option<Usage>, beside: &impl Beside) -> Option<Usage> {
    let mut usage = reported.unwrap_or_default();
    beside.add_to(&mut usage);
    (reported.is_some() || usage != Usage::default()).then_some(usage)
}

/// Of a body.
pub(super) struct Whole<B> {
    seek: Seek,
    /// What has been seen of the body, while it is not followed: mostly it comes at once.
    first: Bytes,
    kept: Vec<Bytes>,
    /// Its length.
    seen: usize,
    tail: Tail,
    state: State,
    beside: B,
}

#[derive(Debug)]
enum State {
    Seeking,
    Following(Box<Trace>),
    /// There can be nothing.
    Over,
}

impl<B: Beside> Whole<B> {
    pub(super) fn new(seek: Seek) -> Whole<B> {
        let beside = B::default();
        Whole {
            seek,
            first: Bytes::new(),
            kept: Vec::new(),
            seen: 0,
            tail: Tail::default(),
            state: State::Seeking,
            beside,
        }
    }

    pub(super) fn feed(&mut self, chunk: &Bytes) {
        match &mut self.state {
            State::Following(trace) => trace.feed(chunk, &mut self.beside),
            State::Over => {}
            State::Seeking => self.seek(chunk),
        }
    }

    fn seek(&mut self, chunk: &Bytes) {
        let sought = self.seek.head.unwrap_or(self.seek.finder);
        let bound = if self.seek.head.is_some() { HEAD } else { usize::MAX };
        let part = &chunk[..chunk.len().min(bound.saturating_sub(self.seen))];
        let found = self.tail.completes(sought, part);
        if self.seen == 0 {
            self.first = chunk.clone();
        } else {
            self.kept.push(chunk.clone());
        }
        self.seen += chunk.len();
        if found || (self.seek.head.is_none() && self.seen > KEEP) {
            let mut trace = Box::new(Trace::default());
            trace.feed(&std::mem::take(&mut self.first), &mut self.beside);
            std::mem::take(&mut self.kept).iter().for_each(|part| trace.feed(part, &mut self.beside));
            self.state = State::Following(trace);
        } else if self.seek.head.is_some() && self.seen >= HEAD {
            (self.state, self.first, self.kept) = (State::Over, Bytes::new(), Vec::new());
        }
    }

    pub(super) fn finish(mut self) -> B {
        self.beside.ends();
        self.beside
    }
}

/// The last bytes of what was seen: the sought ones may lie across a border.
#[derive(Debug, Default)]
struct Tail {
    bytes: [u8; REACH],
    len: usize,
}

impl Tail {
    /// Whether what is sought ends in `part`.
    fn completes(&mut self, sought: &Finder<'_>, part: &[u8]) -> bool {
        let reach = (sought.needle().len() - 1).min(REACH);
        if self.len > 0 {
            let mut across = [0; 2 * REACH];
            let more = part.len().min(reach);
            across[..self.len].copy_from_slice(&self.bytes[..self.len]);
            across[self.len..self.len + more].copy_from_slice(&part[..more]);
            let across = &across[..self.len + more];
            if sought.find(across).is_some() {
                return true;
            }
            if part.len() < reach {
                let end = &across[across.len().saturating_sub(reach)..];
                self.len = end.len();
                self.bytes[..end.len()].copy_from_slice(end);
                return false;
            }
        }
        let end = &part[part.len().saturating_sub(reach)..];
        self.len = end.len();
        self.bytes[..end.len()].copy_from_slice(end);
        sought.find(part).is_some()
    }
}

/// Of one event of a stream that is there at once.
pub(super) fn of_event(json: &[u8], beside: &mut impl Beside) {
    Trace::default().feed(json, beside);
    beside.ends();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"mark\""));
    static HEADER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"-head-"));

    /// The sum of all members called `mark`.
    #[derive(Default)]
    struct Marks(u64);

    impl Visit for Marks {
        fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
            if let [.., b"mark"] = path {
                self.0 += crate::reader::walk::count(raw).unwrap_or(0);
            }
        }
    }

    impl Beside for Marks {
        fn add_to(&self, usage: &mut Usage) {
            usage.web_searches = self.0;
        }
    }

    fn read(body: &str, size: usize, head: bool) -> (u64, bool) {
        let seek = Seek { head: head.then_some(&*HEADER), ..Seek::new(&MARK) };
        let mut whole = Whole::<Marks>::new(seek);
        for piece in body.as_bytes().chunks(size) {
            whole.feed(&Bytes::copy_from_slice(piece));
            let kept = whole.kept.iter().map(Bytes::len).sum::<usize>() + whole.first.len();
            assert!(kept <= KEEP || kept <= size.min(body.len()), "{kept}");
        }
        let followed = matches!(whole.state, State::Following(_));
        (whole.finish().0, followed)
    }

    #[test]
    fn a_body_is_followed_where_there_may_be_something() {
        let sizes = [1, 2, 3, 5, 7, 100, usize::MAX / 2];
        for size in sizes {
            assert_eq!(read(r#"{"a":"\"mark\":7","b":1}"#, size, false).0, 0);
            assert_eq!(read(r#"{"a":"mork","b":1}"#, size, false), (0, false));
            assert_eq!(read(r#"{"a":{"mark":7},"b":[{"mark":2}]}"#, size, false), (9, true));
            assert_eq!(read(r#"{"a":"x-head-y","b":[{"mark":2}]}"#, size, true), (2, true));
            assert_eq!(read(r#"{"a":"x-heed-y","b":[{"mark":2}]}"#, size, true).0, 0);
            let late = format!(r#"{{"a":"{}x-head-y","b":[{{"mark":2}}]}}"#, "x".repeat(HEAD));
            assert_eq!(read(&late, size, true), (0, false));
        }
        let long = format!(r#"{{"a":"{}","b":{{"mark":2}}}}"#, "x".repeat(3 * KEEP));
        for size in [1000, KEEP, 10 * KEEP] {
            assert_eq!(read(&long, size, false), (2, true), "{size}");
        }
    }

    #[test]
    fn what_nobody_reported_is_none() {
        assert_eq!(together(None, &Marks(0)), None);
        let some = Usage { web_searches: 2, ..Usage::default() };
        assert_eq!(together(None, &Marks(2)), Some(some));
        assert_eq!(together(Some(Usage::default()), &()), Some(Usage::default()));
    }
}

//! What OpenAI's own tools did for an answer, told by what they left in it.
//!
//! A response lists each call as an item of its `output`; a stream also sends each item by itself when it is done. A
//! web search that only opened a page, or looked for something in it, is not charged; a session of code execution is,
//! once for all calls in one container. Chat has no items: its search models cite what they found.

use crate::reader::beside::{Beside, Seek};
use crate::reader::walk::{Visit, count};
use burncloud_core::{Operation, Usage};
use memchr::memmem::Finder;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

/// More containers than any answer has.
const MOST: usize = 256;

static CALL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"_call\""));
static CITATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"url_citation\""));
static SEARCH_MODEL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"-search-"));

/// Where an operation's answers tell of tools.
pub(super) fn seek(operation: Operation, cites_searches: bool) -> Option<Seek> {
    match operation {
        Operation::Responses => Some(Seek::new(&CALL)),
        Operation::Chat if cites_searches => Some(Seek { head: Some(&SEARCH_MODEL), ..Seek::new(&CITATION) }),
        _ => None,
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Call {
    #[default]
    Other,
    WebSearch,
    FileSearch,
    Code,
}

/// An item of an output.
#[derive(Clone, Copy, Debug, Default)]
struct Item {
    call: Call,
    failed: bool,
    /// A web search that searched for nothing.
    looked: bool,
    container: u64,
}

#[derive(Clone, Debug, Default)]
struct Calls {
    web: u64,
    file: u64,
    containers: BTreeSet<u64>,
}

impl Calls {
    fn add(&mut self, item: Item) {
        match item.call {
            _ if item.failed => {}
            Call::WebSearch if !item.looked => self.web += 1,
            Call::FileSearch => self.file += 1,
            Call::Code if self.containers.len() < MOST => {
                self.containers.insert(item.container);
            }
            _ => {}
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tools {
    item: Item,
    /// This event says that an item is done.
    done: bool,
    /// That item.
    alone: Item,
    /// What this document lists.
    listed: Calls,
    /// What came in items of their own.
    streamed: Calls,
    /// The most that a document listed, or the provider counted.
    most: Calls,
    cited: bool,
}

impl Visit for Tools {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        match path.strip_prefix(&[b"response".as_slice()]).unwrap_or(path) {
            [b"output", b"", rest @ ..] | [b"item", rest @ ..] => self.item.set(rest, raw),
            [b"type"] => self.done = raw == b"\"response.output_item.done\"",
            [b"tool_usage", b"web_search", b"num_requests"] => {
                self.most.web = self.most.web.max(count(raw).unwrap_or(0));
            }
            [b"choices", b"", b"message" | b"delta", b"annotations", b"", b"type"] => {
                self.cited |= raw == b"\"url_citation\"";
            }
            _ => {}
        }
    }

    fn close(&mut self, path: &[&[u8]]) {
        match path.strip_prefix(&[b"response".as_slice()]).unwrap_or(path) {
            [b"output", b""] => self.listed.add(std::mem::take(&mut self.item)),
            [b"item"] => self.alone = std::mem::take(&mut self.item),
            _ => {}
        }
    }
}

impl Item {
    fn set(&mut self, path: &[&[u8]], raw: &[u8]) {
        match path {
            [b"type"] => {
                self.call = match raw {
                    b"\"web_search_call\"" => Call::WebSearch,
                    b"\"file_search_call\"" => Call::FileSearch,
                    b"\"code_interpreter_call\"" => Call::Code,
                    _ => Call::Other,
                }
            }
            [b"status"] => self.failed = raw == b"\"failed\"",
            [b"action", b"type"] => self.looked = raw != b"\"search\"",
            [b"container_id"] => {
                let mut hasher = DefaultHasher::new();
                raw.hash(&mut hasher);
                self.container = hasher.finish();
            }
            _ => {}
        }
    }
}

impl Beside for Tools {
    fn ends(&mut self) {
        let (listed, alone) = (std::mem::take(&mut self.listed), std::mem::take(&mut self.alone));
        self.item = Item::default();
        if std::mem::take(&mut self.done) {
            self.streamed.add(alone);
        }
        self.most.web = self.most.web.max(listed.web);
        self.most.file = self.most.file.max(listed.file);
        self.most.containers.extend(listed.containers);
    }

    fn add_to(&self, usage: &mut Usage) {
        let (most, streamed) = (&self.most, &self.streamed);
        let containers = most.containers.union(&streamed.containers).count() as u64;
        usage.web_searches = usage.web_searches.max(most.web).max(streamed.web).max(u64::from(self.cited));
        usage.file_searches = usage.file_searches.max(most.file).max(streamed.file);
        usage.code_sessions = usage.code_sessions.max(containers);
    }
}

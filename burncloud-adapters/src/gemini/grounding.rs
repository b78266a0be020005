//! What an answer was grounded with.
//!
//! `groundingMetadata` of a candidate names the queries that Google Search was asked. Models before Gemini 3 are
//! charged by the grounded prompt, however many queries it took; later ones by the query, each distinct one once,
//! empty ones not at all. Grounding in uploaded files and in given URLs names no queries and has no charge of its own.

use crate::reader::beside::Beside;
use crate::reader::walk::{Visit, text};
use burncloud_core::Usage;
use memchr::memmem::Finder;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

pub(super) static QUERIES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"webSearchQueries\""));

/// More queries than any answer has.
const MOST: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Grounding {
    queries: BTreeSet<u64>,
    by_prompt: bool,
}

impl Visit for Grounding {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        // A list of chunks is a list of documents.
        match path.strip_prefix(&[b"".as_slice()]).unwrap_or(path) {
            [b"candidates", b"", b"groundingMetadata", b"webSearchQueries", b""] => {
                let asked = text(raw).is_some_and(|query| !query.trim().is_empty());
                if asked && self.queries.len() < MOST {
                    let mut hasher = DefaultHasher::new();
                    raw.hash(&mut hasher);
                    self.queries.insert(hasher.finish());
                }
            }
            [b"modelVersion"] => self.by_prompt = text(raw).is_some_and(is_charged_by_prompt),
            _ => {}
        }
    }
}

impl Beside for Grounding {
    fn add_to(&self, usage: &mut Usage) {
        let queries = self.queries.len() as u64;
        usage.web_searches = if self.by_prompt { queries.min(1) } else { queries };
    }
}

/// Whether a model, as the answer names it, is older than Gemini 3.
fn is_charged_by_prompt(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.strip_prefix("gemini-").is_some_and(|version| version.starts_with(['1', '2']))
}

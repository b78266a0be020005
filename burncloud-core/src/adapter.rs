//! What a provider is to the gateway: addresses, credentials, and how it reports usage.
//!
//! `burncloud-adapters` implements [`Adapter`] for each provider; an embedder may bring one of their own
//! to the [`Registry`]. Nothing here edits a body: what passes through the
//! same dialect passes byte for byte.

use crate::{Endpoint, Error, Usage};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, uri::PathAndQuery};
use secrecy::SecretString;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// One provider.
pub trait Adapter: Send + Sync + 'static {
    /// The name channels refer to it by.
    fn name(&self) -> &str;

    /// The provider's own address: scheme and authority. Empty where there is none, so that a channel must name one.
    fn default_base_url(&self) -> &str;

    /// The path under which the API root lies when an address has no path of its own, such as `/v1`.
    fn api_root(&self) -> &str;

    /// Whether callers of this endpoint can be passed through to this provider.
    fn serves(&self, endpoint: &Endpoint) -> bool;

    /// The path and query at the provider: `root` is the channel's API root (no trailing slash), `path` and
    /// `query` are the caller's, the key already taken out of the query.
    ///
    /// # Errors
    /// When no valid path can be built, for example from a model name with odd characters.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error>;

    /// The headers that authorise a request; computed once per channel. Values must be marked sensitive.
    ///
    /// # Errors
    /// When the credential cannot stand in a header.
    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error>;

    /// Headers the provider needs that the caller may not have sent, such as `anthropic-version`. An entry
    /// is added only when the caller's request lacks it.
    fn default_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        Vec::new()
    }

    /// Whether the provider takes `stream_options.include_usage` in streamed chat.
    fn takes_include_usage(&self) -> bool {
        false
    }

    /// Whether an answer that looks like the caller's fault really blames the channel's credential: `beginning`
    /// is the beginning of its body. 401, 402 and 403 always do.
    fn blames_credential(&self, _status: StatusCode, _beginning: &[u8]) -> bool {
        false
    }

    /// A reader for the answer to `endpoint`, fed every byte of the body in order.
    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader>;
}

impl fmt::Debug for dyn Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Adapter({})", self.name())
    }
}

/// What a provider's path is made from.
#[derive(Clone, Copy, Debug)]
pub struct TargetAsk<'a> {
    /// The channel's API root, without a trailing slash; may be empty.
    pub root: &'a str,
    /// What is asked.
    pub endpoint: &'a Endpoint,
    /// The caller's path.
    pub path: &'a str,
    /// The caller's query without the key.
    pub query: Option<&'a str>,
    /// The model to ask for.
    pub upstream_model: &'a str,
    /// Whether that is another name than the caller used.
    pub mapped: bool,
}

/// The head of a provider's answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerHead<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Whether the body is a stream of server-sent events.
    pub streamed: bool,
}

/// Reads usage out of an answer as it passes by. Must be constant in memory for streams, and must never
/// fail: an answer it does not understand simply reports nothing.
pub trait UsageReader: Send {
    /// The next bytes of the body. Borders between calls fall anywhere.
    fn data(&mut self, chunk: &Bytes);

    /// What has been read so far; called once, when the body has ended for whatever reason.
    fn finish(&mut self) -> Reading;
}

/// What a reader found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The usage the provider reported.
    pub usage: Option<Usage>,
    /// How a stream ended, as its own events tell.
    pub terminal: Terminal,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Terminal {
    /// There is no way to tell, or the answer was no stream.
    #[default]
    Unknown,
    /// The closing event of its dialect came.
    Complete,
    /// An event reported an error or a failure.
    Error,
    /// Events came, the closing one did not, though this dialect always sends one.
    Missing,
}

/// A reader that reads nothing, for answers without usage.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoUsage;

impl UsageReader for NoUsage {
    fn data(&mut self, _chunk: &Bytes) {}

    fn finish(&mut self) -> Reading {
        Reading::default()
    }
}

/// The beginning of a body, kept for an estimate in case the provider reports nothing.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The first bytes, at most [`Sample::KEEP`].
    pub bytes: Bytes,
    /// How long the whole body was.
    pub total: u64,
}

impl Sample {
    /// How much is kept.
    pub const KEEP: usize = 16 * 1024;

    /// A sample of a whole body. Bodies up to a megabyte are shared, since they are counted among the bytes in
    /// flight until the request ends anyway; of larger ones the beginning is copied.
    #[must_use]
    pub fn of(body: &Bytes) -> Sample {
        let kept = body.len().min(Sample::KEEP);
        let bytes =
            if body.len() <= 1 << 20 { body.slice(..kept) } else { Bytes::copy_from_slice(&body[..kept]) };
        Sample { bytes, total: body.len() as u64 }
    }
}

/// The providers a gateway knows, by name.
#[derive(Clone, Debug, Default)]
pub struct Registry(HashMap<String, Arc<dyn Adapter>>);

impl Registry {
    /// No providers.
    #[must_use]
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a provider, in the place of one of the same name.
    #[must_use]
    pub fn with(mut self, adapter: impl Adapter) -> Registry {
        self.insert(Arc::new(adapter));
        self
    }

    /// Adds a provider, in the place of one of the same name.
    pub fn insert(&mut self, adapter: Arc<dyn Adapter>) {
        self.0.insert(adapter.name().to_owned(), adapter);
    }

    /// The provider of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Adapter>> {
        self.0.get(name)
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

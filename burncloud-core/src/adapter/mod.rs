//! What a provider is to the gateway: addresses, credentials, and how it reports usage.
//!
//! `burncloud-adapters` implements [`Adapter`] for each provider; an embedder may bring one of their own
//! to the [`Registry`]. What passes through the same dialect passes byte for byte; a caller of another one is
//! served by [`Adapter::adapt`].

mod listing;
mod registry;

pub use listing::{Guard, ListAsk, ListAt, Listing, ModelsPage, ProbedModel};
pub use registry::Registry;

use crate::{ChannelConfig, Dialect, Endpoint, Error, ErrorKind, Usage, transport};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, uri::PathAndQuery};
use secrecy::SecretString;
use std::borrow::Cow;
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

    /// Whether that goes for this model too, where a provider's models speak different dialects (Claude among Gemini on
    /// Vertex). Asked only where [`Adapter::serves`] says yes.
    fn serves_model(&self, _endpoint: &Endpoint, _upstream_model: &str) -> bool {
        true
    }

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

    /// This provider as a channel wants it: `settings.options` read (a region, an API version), the form of the
    /// credential checked. `None` where there is nothing to set; every option is then refused.
    ///
    /// # Errors
    /// The setting at fault, what is wrong with it, and how to mend it.
    fn configure(&self, _config: &ChannelConfig) -> Result<Option<Arc<dyn Adapter>>, ConfigureError> {
        Ok(None)
    }

    /// How attempts are signed where the credential is no fixed header (AWS signatures, Google's tokens). Made once
    /// per channel and credential; `client` reaches token services through the channel's proxy.
    ///
    /// # Errors
    /// As [`Adapter::authorize`].
    fn signer(
        &self,
        _credential: &SecretString,
        _client: &transport::Client,
    ) -> Result<Option<Arc<dyn Signer>>, Error> {
        Ok(None)
    }

    /// Whether callers of this endpoint can be served though they speak another wire format, by [`Adapter::adapt`].
    /// Asked only where [`Adapter::serves`] says no.
    fn translates(&self, _endpoint: &Endpoint) -> bool {
        false
    }

    /// The caller's request in the provider's wire format, and what turns the answer back. Called for each attempt at
    /// an endpoint that the provider [translates](Adapter::translates).
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] for a body that says what the provider has no words for.
    fn adapt(&self, _ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        Err(Error::new(ErrorKind::NotImplemented, "this provider takes no other wire format than its own"))
    }

    /// How the provider is asked, free of charge, which models it serves: an operator's check of a channel. Called on the
    /// adapter as the channel configured it.
    ///
    /// # Errors
    /// As [`Adapter::target`].
    fn listing(&self, _ask: &ListAsk<'_>) -> Result<Listing, Error> {
        Ok(Listing::None("this provider is not known to have a list of its models"))
    }

    /// A page of the list that [`Adapter::listing`] asks for. `None` for a body that is none.
    fn listed(&self, _body: &[u8]) -> Option<ModelsPage> {
        None
    }

    /// Whether a refusal to list means only that: the credential may do other things, but not list. `beginning` is the
    /// beginning of the answer's body.
    fn may_not_list(&self, _status: StatusCode, _beginning: &[u8]) -> bool {
        false
    }

    /// A reader for the answer to `endpoint`, fed every byte of the body in order. Where the request was adapted this is
    /// the endpoint at the provider.
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

/// What a channel's options get wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigureError {
    /// The setting at fault: `credential`, `base_url`, or `options.` and a name.
    pub field: String,
    /// What is wrong and how to mend it, without the value where that is secret.
    pub message: String,
}

/// Signs attempts whose credential is no fixed header.
///
/// Called below every layer an embedder can add, for each attempt, with everything that goes out. Must bound its own
/// waiting; must not put a secret into an error.
#[async_trait]
pub trait Signer: Send + Sync + 'static {
    /// Adds what authorises the request to its headers, marked sensitive. `host` is set already; `body` is all of it.
    ///
    /// # Errors
    /// [`ErrorKind::BadGateway`] when the credential is refused or no token can be had:
    /// another channel may do better.
    async fn sign(&self, head: &mut http::request::Parts, body: &Bytes) -> Result<(), Error>;
}

/// A request that a provider cannot take as it is.
#[derive(Debug)]
pub struct AdaptAsk<'a> {
    /// What the caller asks.
    pub endpoint: &'a Endpoint,
    /// The caller's path.
    pub path: &'a str,
    /// The caller's query without the key.
    pub query: Option<&'a str>,
    /// The caller's headers, those of their connection and their key taken out.
    pub headers: &'a HeaderMap,
    /// The caller's body.
    pub body: &'a Bytes,
    /// The model to ask the provider for.
    pub upstream_model: &'a str,
    /// The model the caller asked for; answers name it.
    pub model: &'a str,
    /// Whether the caller asks for a stream.
    pub streamed: bool,
    /// Whether the channel asks for usage in streams whose caller did not.
    pub include_usage: bool,
}

/// A request in the provider's wire format, and what turns its answer into the caller's.
pub struct Adapted {
    /// What the provider is asked, in its own dialect: the answer is read for usage as an answer to this.
    pub endpoint: Endpoint,
    /// The path as a caller of that dialect would send it; [`Adapter::target`] makes the provider's of it.
    pub path: String,
    /// The query likewise.
    pub query: Option<String>,
    /// The headers it goes out with, beside the provider's own and the credential. The caller's do not pass: they
    /// speak another dialect.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Fields of the caller's that the provider has no words for, by the caller's names.
    pub dropped: Vec<Cow<'static, str>>,
    /// Turns the answer into the caller's dialect.
    pub answer: Option<Box<dyn Rewrite>>,
}

impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapted").field("endpoint", &self.endpoint).field("dropped", &self.dropped).finish()
    }
}

/// Turns an answer into another as it passes. Of a stream it must keep no more than an event; a whole answer (or an
/// error) comes in pieces too, and is written when it has ended.
pub trait Rewrite: Send + Sync {
    /// The head as it goes on. Called once, before any byte of the body.
    fn head(&mut self, head: &mut http::response::Parts);

    /// The next bytes of the body; what can go on is added to `out`. Borders between calls fall anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::BadGateway`] for an answer that cannot be read. What was added to
    /// `out` before goes out still; no further call follows.
    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error>;

    /// The body has ended as it should.
    ///
    /// # Errors
    /// As [`Rewrite::data`].
    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error>;
}

/// Two rewrites, one after the other.
pub fn chain(first: Box<dyn Rewrite>, then: Box<dyn Rewrite>) -> Box<dyn Rewrite> {
    Box::new(Chain { first, then, between: BytesMut::new() })
}

struct Chain {
    first: Box<dyn Rewrite>,
    then: Box<dyn Rewrite>,
    between: BytesMut,
}

impl Rewrite for Chain {
    fn head(&mut self, head: &mut http::response::Parts) {
        self.first.head(head);
        self.then.head(head);
    }

    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        let result = self.first.data(chunk, &mut self.between);
        self.then.data(&self.between.split(), out).and(result)
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        let first = self.first.finish(&mut self.between);
        // What came before a failure goes on.
        self.then.data(&self.between.split(), out).and(first)?;
        self.then.finish(out)
    }
}

/// Prepares what operators want changed on their channels; see [`Registry::with_transforms`].
pub trait Transforms: Send + Sync + 'static {
    /// What this channel's settings (`body_override`, `header_override`, `system_prompt`, `transforms`, `script`) ask
    /// for, compiled; `None` where they ask for nothing, so that requests pass untouched.
    ///
    /// # Errors
    /// The setting at fault; a document's or a script's line and column.
    fn prepare(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Transform>>, ConfigureError>;
}

/// A channel's transforms: they see and change what the provider gets, and what it says.
pub trait Transform: Send + Sync + 'static {
    /// Changes a request that is ready to go out, but for the credential.
    ///
    /// # Errors
    /// Where the operator's policy is to refuse what a transform fails on.
    fn request(&self, about: &About<'_>, headers: &mut HeaderMap, body: &mut Bytes) -> Result<(), Error>;

    /// What changes the answer, if anything does. It gets the provider's own bytes; a translation, where there is one,
    /// gets what it writes.
    fn answer(&self, about: &About<'_>) -> Option<Box<dyn Rewrite>>;
}

/// What a transform may know of a request.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// What the provider is asked, in its dialect.
    pub endpoint: &'a Endpoint,
    /// The dialect the caller speaks.
    pub caller_dialect: Dialect,
    /// The model the caller asked for.
    pub model: &'a str,
    /// The model the provider is asked for.
    pub upstream_model: &'a str,
    /// Whether a stream is asked for.
    pub streamed: bool,
    /// The channel's name.
    pub channel: &'a str,
}

/// The head of a provider's answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerHead<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Whether the body is a stream of events: server-sent ones, or AWS's frames.
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
    /// Whether that report is one of those that a provider makes in the course of an answer, and more may have come of it
    /// since.
    pub provisional: bool,
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

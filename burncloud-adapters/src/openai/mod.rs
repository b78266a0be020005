//! OpenAI, and the shape of everyone who speaks its API.
//!
//! Facts about OpenAI were checked against its SDK (openai 3.x) and recorded traffic.

mod one_api;
mod report;
mod tools;
mod usage;

pub use report::Reasoning;
pub use usage::Quirks;
#[cfg(feature = "translate")]
pub(crate) use usage::usage_of;

#[cfg(feature = "translate")]
use crate::translate::{self, EmbedFormat, Format, Profile, RerankFormat};
use crate::{auth, listing, path, reader};
#[cfg(feature = "translate")]
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::adapter::{
    Adapter, AnswerHead, ConfigureError, Guard, ListAsk, ListAt, Listing, ModelsPage, NoUsage, TargetAsk,
    UsageReader,
};
use burncloud_core::{ChannelConfig, Dialect, Endpoint, Error, Operation, Surface};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode};
use memchr::memmem;
use secrecy::SecretString;
use std::sync::Arc;
use usage::OpenAiProtocol;

/// A provider that speaks OpenAI's API: itself an [`Adapter`].
///
/// ```
/// use burncloud_adapters::openai::{Auth, OpenAiCompatible, Quirks};
/// use burncloud_core::{Operation, adapter::Adapter};
///
/// static MINE: OpenAiCompatible = OpenAiCompatible {
///     name: "mine",
///     base_url: "https://llm.example.com",
///     api_root: "/v1",
///     auth: Auth::Bearer,
///     operations: &[Operation::Chat, Operation::Embeddings],
///     include_usage: true,
///     quirks: Quirks { always_done: true, ..Quirks::STANDARD },
/// };
/// let registry = burncloud_adapters::registry().with(MINE.clone());
/// assert_eq!(registry.get("mine").map(|a| a.api_root().to_owned()).as_deref(), Some("/v1"));
/// ```
#[derive(Clone, Debug)]
pub struct OpenAiCompatible {
    /// The name channels refer to it by.
    pub name: &'static str,
    /// Scheme and authority.
    pub base_url: &'static str,
    /// The path under which `chat/completions` and the others lie; without a trailing slash.
    pub api_root: &'static str,
    /// Whether it wants a key.
    pub auth: Auth,
    /// What it serves.
    pub operations: &'static [Operation],
    /// Whether it takes `stream_options.include_usage`.
    pub include_usage: bool,
    /// How it departs from OpenAI in what it reports.
    pub quirks: Quirks,
}

/// Whether a provider wants a key. A given one is sent as a bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It does.
    Bearer,
    /// An empty credential is sent as no header at all.
    Optional,
}

impl Quirks {
    /// None: it reports as OpenAI does, but need not send `[DONE]`.
    pub const STANDARD: Quirks = Quirks {
        reasoning: Reasoning::Within,
        always_done: false,
        usage_in_choices: false,
        cites_searches: false,
    };
}

/// OpenAI.
pub static OPENAI: OpenAiCompatible = OpenAiCompatible {
    name: "openai",
    base_url: "https://api.openai.com",
    api_root: "/v1",
    auth: Auth::Bearer,
    operations: &[
        Operation::Chat,
        Operation::Responses,
        Operation::ResponsesInputTokens,
        Operation::Completions,
        Operation::Embeddings,
        Operation::ImageGeneration,
        Operation::ImageEdit,
        Operation::ImageVariation,
        Operation::Speech,
        Operation::Transcription,
        Operation::Translation,
        Operation::Moderation,
    ],
    include_usage: true,
    quirks: Quirks { always_done: true, cites_searches: true, ..Quirks::STANDARD },
};

/// What follows an API root for an operation.
pub(crate) fn operation_path(operation: Operation) -> Option<&'static str> {
    use Operation as O;
    Some(match operation {
        O::Chat => "chat/completions",
        O::Responses => "responses",
        O::ResponsesInputTokens => "responses/input_tokens",
        O::Completions => "completions",
        O::Embeddings => "embeddings",
        O::ImageGeneration => "images/generations",
        O::ImageEdit => "images/edits",
        O::ImageVariation => "images/variations",
        O::Speech => "audio/speech",
        O::Transcription => "audio/transcriptions",
        O::Translation => "audio/translations",
        O::Moderation => "moderations",
        O::Rerank => "rerank",
        _ => return None,
    })
}

/// The reader for an answer in OpenAI's shape.
pub(crate) fn usage_reader(
    operation: Operation,
    quirks: Quirks,
    head: &AnswerHead<'_>,
) -> Box<dyn UsageReader> {
    match OpenAiProtocol::new(operation, quirks) {
        Some(protocol) => reader::reader(protocol, head),
        None => Box::new(NoUsage),
    }
}

impl Adapter for OpenAiCompatible {
    fn name(&self) -> &str {
        self.name
    }

    fn default_base_url(&self) -> &str {
        self.base_url
    }

    fn api_root(&self) -> &str {
        self.api_root
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        endpoint.dialect == Dialect::OpenAi
            && matches!(endpoint.surface, Surface::Direct | Surface::Azure)
            && self.operations.contains(&endpoint.operation)
    }

    /// The caller's path with the channel's root in the place of `/v1`. Of a path at Azure only the operation is
    /// left: the deployment stands in the body as the model, and no one else knows Azure's versions.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        if ask.endpoint.surface == Surface::Azure {
            let rest = operation_path(ask.endpoint.operation).ok_or_else(|| path::unknown(ask.path))?;
            let query = path::without(ask.query, "api-version");
            return path::join(&[ask.root, "/", rest], query.as_deref());
        }
        let rest = ask.path.strip_prefix("/v1/").ok_or_else(|| path::unknown(ask.path))?;
        path::join(&[ask.root, "/", rest], ask.query)
    }

    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        auth::bearer(credential, self.auth == Auth::Optional)
    }

    fn takes_include_usage(&self) -> bool {
        self.include_usage
    }

    fn configure(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Adapter>>, ConfigureError> {
        one_api::configure(self, config)
    }

    #[cfg(feature = "translate")]
    fn translates(&self, endpoint: &Endpoint) -> bool {
        self.format(endpoint).is_some_and(|to| translate::translates(endpoint, to))
            || self.has_counterpart(endpoint)
    }

    #[cfg(feature = "translate")]
    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        if self.has_counterpart(ask.endpoint) {
            return self.adapt_counterpart(ask);
        }
        let to = self.format(ask.endpoint).ok_or_else(|| path::unknown(ask.path))?;
        translate::adapt(ask, to, &self.profile())
    }

    /// `models` below the root. Whose list is public is not known of everyone in the table; OpenRouter's is, and it has
    /// a page about the key.
    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        let target = path::join(&[ask.root, "/models"], None)?;
        let guard = match self.name {
            "openai" => Guard::List,
            "openrouter" => Guard::At(path::join(&[ask.root, "/key"], None)?),
            _ => Guard::Unknown,
        };
        Ok(Listing::At(ListAt { guard, ..ListAt::new(target) }))
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        listing::openai(body)
    }

    /// A restricted key of OpenAI's names the scope that it lacks.
    fn may_not_list(&self, status: StatusCode, beginning: &[u8]) -> bool {
        status == StatusCode::FORBIDDEN && memmem::find(beginning, b"api.model.read").is_some()
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        usage_reader(endpoint.operation, self.quirks, head)
    }
}

#[cfg(feature = "translate")]
impl OpenAiCompatible {
    /// What callers of other dialects are translated into: chat, unless it has none, or they count tokens.
    fn format(&self, endpoint: &Endpoint) -> Option<Format> {
        let has = |operation| self.operations.contains(&operation);
        if translate::counts(endpoint, Format::Responses) {
            return has(Operation::ResponsesInputTokens).then_some(Format::Responses);
        }
        match (has(Operation::Chat), has(Operation::Responses)) {
            (true, _) => Some(Format::Chat),
            (false, true) => Some(Format::Responses),
            (false, false) => None,
        }
    }

    /// Whether this is no conversation, but something that the provider has in another shape.
    fn has_counterpart(&self, endpoint: &Endpoint) -> bool {
        let has = |operation| self.operations.contains(&operation);
        (has(Operation::Embeddings) && translate::embeds(endpoint, EmbedFormat::OpenAi))
            || (has(Operation::Rerank) && translate::reranks(endpoint, RerankFormat::Common))
    }

    fn adapt_counterpart(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        if translate::reranks(ask.endpoint, RerankFormat::Common) {
            return translate::adapt_rerank(ask, RerankFormat::Common);
        }
        translate::adapt_embed(ask, EmbedFormat::OpenAi, &self.profile())
    }

    fn profile(&self) -> Profile {
        Profile {
            genuine: self.name == OPENAI.name,
            include_usage: self.include_usage,
            reasoning: self.quirks.reasoning,
            vertex: false,
        }
    }
}

//! Cohere: chat and reranking, version 2 of its API.
//!
//! Facts were checked against its SDK (cohere 7.x) and recorded traffic.

mod usage;

#[cfg(feature = "translate")]
pub(crate) use usage::usage_of;

#[cfg(feature = "translate")]
use crate::translate::{self, EmbedFormat, Format, Profile, RerankFormat};
use crate::{auth, listing, path, reader};
#[cfg(feature = "translate")]
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::adapter::{
    Adapter, AnswerHead, ListAsk, ListAt, Listing, ModelsPage, NoUsage, TargetAsk, UsageReader,
};
use burncloud_core::{Dialect, Endpoint, Error, Operation, Surface};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

/// Cohere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cohere(());

impl Cohere {
    /// The adapter.
    #[must_use]
    pub fn new() -> Cohere {
        Cohere(())
    }
}

impl Adapter for Cohere {
    fn name(&self) -> &str {
        "cohere"
    }

    fn default_base_url(&self) -> &str {
        "https://api.cohere.com"
    }

    /// Empty: `v2` is part of the path, as in the base URL that Cohere's SDKs take.
    fn api_root(&self) -> &str {
        ""
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        endpoint.dialect == Dialect::Cohere
            && endpoint.surface == Surface::Direct
            && matches!(endpoint.operation, Operation::CohereChat | Operation::Rerank)
    }

    /// The caller's path below the channel's root. A root that ends in `/v2` already takes the place of the path's.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        let rest = ask.path.strip_prefix("/v2/").ok_or_else(|| path::unknown(ask.path))?;
        let version = if ask.root.ends_with("/v2") { "/" } else { "/v2/" };
        path::join(&[ask.root, version, rest], ask.query)
    }

    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        auth::bearer(credential, false)
    }

    /// Callers of other dialects, those who rank documents in the shape of Jina and others, and those who want
    /// embeddings.
    #[cfg(feature = "translate")]
    fn translates(&self, endpoint: &Endpoint) -> bool {
        translate::translates(endpoint, Format::Cohere)
            || translate::reranks(endpoint, RerankFormat::Cohere)
            || translate::embeds(endpoint, EmbedFormat::Cohere)
    }

    #[cfg(feature = "translate")]
    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        if ask.endpoint.operation == Operation::Rerank {
            return translate::adapt_rerank(ask, RerankFormat::Cohere);
        }
        if translate::embeds(ask.endpoint, EmbedFormat::Cohere) {
            return translate::adapt_embed(ask, EmbedFormat::Cohere, &Profile::GENUINE);
        }
        translate::adapt(ask, Format::Cohere, &Profile::GENUINE)
    }

    /// The list is part of version 1 only. Asked for all endpoints, since reranking and embedding are served beside chat.
    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        let root = ask.root.strip_suffix("/v2").unwrap_or(ask.root);
        let version = if root.ends_with("/v1") { "" } else { "/v1" };
        let after =
            ask.after.map(|token| format!("&page_token={}", path::encoded(token))).unwrap_or_default();
        let query = format!("page_size=1000{after}");
        Ok(Listing::At(ListAt::new(path::join(&[root, version, "/models"], Some(&query))?)))
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        listing::cohere(body)
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        match endpoint.operation {
            Operation::CohereChat | Operation::Rerank | Operation::Embeddings => {
                reader::reader(usage::Version2, head)
            }
            _ => Box::new(NoUsage),
        }
    }
}

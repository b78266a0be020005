//! Anthropic's Messages API, also at others who serve it (`https://api.deepseek.com/anthropic`).
//!
//! Facts were checked against its SDKs (anthropic 0.125 and 2.x) and recorded traffic.

#[cfg(feature = "bedrock")]
pub(crate) mod bedrock;
pub(crate) mod clouds;
pub(crate) mod usage;

#[cfg(feature = "translate")]
use crate::translate::{self, Format, Profile};
use crate::{auth, listing, path, reader};
use burncloud_core::adapter::{
    AdaptAsk, Adapted, Adapter, AnswerHead, ListAsk, ListAt, Listing, ModelsPage, NoUsage, TargetAsk,
    UsageReader,
};
use burncloud_core::{Dialect, Endpoint, Error, Operation, Surface};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

/// The version of the API that is asked for when the caller names none: the one under which every model takes
/// sampling parameters.
const VERSION: &str = "2023-06-01";

/// Anthropic.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anthropic(());

impl Anthropic {
    /// The adapter.
    #[must_use]
    pub fn new() -> Anthropic {
        Anthropic(())
    }
}

impl Adapter for Anthropic {
    fn name(&self) -> &str {
        "anthropic"
    }

    fn default_base_url(&self) -> &str {
        "https://api.anthropic.com"
    }

    /// Empty: `v1` is part of the path, as in the base URLs that Anthropic's SDKs take.
    fn api_root(&self) -> &str {
        ""
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        endpoint.dialect == Dialect::Anthropic
            && matches!(endpoint.surface, Surface::Direct | Surface::Azure)
            && matches!(endpoint.operation, Operation::Messages | Operation::CountTokens)
    }

    /// The caller's path below the channel's root, without Azure's prefix. A root that ends in `/v1` already takes the
    /// place of the path's.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        let path = ask.path.strip_prefix("/anthropic").unwrap_or(ask.path);
        let rest = path.strip_prefix("/v1/").ok_or_else(|| path::unknown(ask.path))?;
        let version = if ask.root.ends_with("/v1") { "/" } else { "/v1/" };
        path::join(&[ask.root, version, rest], ask.query)
    }

    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        auth::plain(HeaderName::from_static("x-api-key"), credential)
    }

    fn default_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        vec![(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION))]
    }

    /// Callers of Claude at Vertex and Bedrock, whose bodies differ in a field or two, and those of other dialects.
    fn translates(&self, endpoint: &Endpoint) -> bool {
        let in_cloud = endpoint.dialect == Dialect::Anthropic && endpoint.surface == Surface::Vertex;
        #[cfg(feature = "bedrock")]
        let in_cloud = in_cloud || bedrock::takes(endpoint);
        #[cfg(feature = "translate")]
        return in_cloud || translate::translates(endpoint, Format::Messages);
        #[cfg(not(feature = "translate"))]
        in_cloud
    }

    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        #[cfg(feature = "bedrock")]
        if bedrock::takes(ask.endpoint) {
            return bedrock::adapt(ask);
        }
        #[cfg(feature = "translate")]
        if ask.endpoint.dialect != Dialect::Anthropic {
            return translate::adapt(ask, Format::Messages, &Profile::GENUINE);
        }
        clouds::from_vertex(ask)
    }

    /// `v1/models`, a thousand at a time.
    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        let version = if ask.root.ends_with("/v1") { "" } else { "/v1" };
        let after = ask.after.map(|id| format!("&after_id={}", path::encoded(id))).unwrap_or_default();
        let query = format!("limit=1000{after}");
        Ok(Listing::At(ListAt::new(path::join(&[ask.root, version, "/models"], Some(&query))?)))
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        listing::anthropic(body)
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        usage_reader(endpoint.operation, head)
    }
}

/// The reader for an answer in Anthropic's shape.
pub(crate) fn usage_reader(operation: Operation, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
    match operation {
        Operation::Messages => reader::reader(usage::Messages, head),
        _ => Box::new(NoUsage),
    }
}

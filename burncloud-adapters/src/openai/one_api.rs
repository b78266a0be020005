//! A channel on which all conversations go through one of OpenAI's two APIs for them.
//!
//! The option `api` (`chat` or `responses`) says which; callers of the other are translated. Without it each caller's
//! own is used where the provider has it, and callers of other dialects are translated into chat.

use super::{Adapter, OpenAiCompatible, Operation};
#[cfg(feature = "translate")]
use crate::translate::{self, Format};
#[cfg(feature = "translate")]
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::adapter::{
    AnswerHead, ConfigureError, ListAsk, Listing, ModelsPage, TargetAsk, UsageReader,
};
use burncloud_core::{ChannelConfig, Endpoint, Error};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode};
use secrecy::SecretString;
use std::sync::Arc;

/// The provider without one of the two.
#[derive(Clone, Debug)]
struct OneApi {
    provider: OpenAiCompatible,
    api: Operation,
}

/// Reads `api`.
pub(super) fn configure(
    provider: &OpenAiCompatible,
    config: &ChannelConfig,
) -> Result<Option<Arc<dyn Adapter>>, ConfigureError> {
    let fail = |message: String| Err(ConfigureError { field: "options.api".to_owned(), message });
    if let Some(other) = config.settings.options.keys().find(|name| *name != "api") {
        let message = format!("`{}` has no such option; it knows api", provider.name);
        return Err(ConfigureError { field: format!("options.{other}"), message });
    }
    let Some(wanted) = config.settings.options.get("api") else { return Ok(None) };
    let api = match wanted.as_str() {
        "chat" => Operation::Chat,
        "responses" => Operation::Responses,
        _ => return fail("write `chat` or `responses`".to_owned()),
    };
    if !provider.operations.contains(&api) {
        return fail(format!("`{}` has no such API", provider.name));
    }
    Ok(Some(Arc::new(OneApi { provider: provider.clone(), api })))
}

impl OneApi {
    fn takes(&self, operation: Operation) -> bool {
        !matches!(operation, Operation::Chat | Operation::Responses) || operation == self.api
    }

    /// What callers of other dialects are translated into; those who count tokens as without the option.
    #[cfg(feature = "translate")]
    fn format(&self, endpoint: &Endpoint) -> Option<Format> {
        match self.api {
            _ if translate::counts(endpoint, Format::Responses) => self.provider.format(endpoint),
            Operation::Chat => Some(Format::Chat),
            _ => Some(Format::Responses),
        }
    }
}

impl Adapter for OneApi {
    fn name(&self) -> &str {
        self.provider.name()
    }

    fn default_base_url(&self) -> &str {
        self.provider.default_base_url()
    }

    fn api_root(&self) -> &str {
        self.provider.api_root()
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        self.takes(endpoint.operation) && self.provider.serves(endpoint)
    }

    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        self.provider.target(ask)
    }

    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        self.provider.authorize(credential)
    }

    fn takes_include_usage(&self) -> bool {
        self.provider.takes_include_usage()
    }

    #[cfg(feature = "translate")]
    fn translates(&self, endpoint: &Endpoint) -> bool {
        self.format(endpoint).is_some_and(|to| translate::translates(endpoint, to))
            || self.provider.has_counterpart(endpoint)
    }

    #[cfg(feature = "translate")]
    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        if self.provider.has_counterpart(ask.endpoint) {
            return self.provider.adapt_counterpart(ask);
        }
        let to = self.format(ask.endpoint).ok_or_else(|| crate::path::unknown(ask.path))?;
        translate::adapt(ask, to, &self.provider.profile())
    }

    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        self.provider.listing(ask)
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        self.provider.listed(body)
    }

    fn may_not_list(&self, status: StatusCode, beginning: &[u8]) -> bool {
        self.provider.may_not_list(status, beginning)
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        self.provider.usage_reader(endpoint, head)
    }
}

#[cfg(all(test, feature = "translate"))]
mod tests {
    use super::*;
    use crate::openai::OPENAI;
    use crate::testing::endpoint;
    use burncloud_core::{ChannelId, ChannelSettings, Status};

    fn with(options: &[(&str, &str)]) -> Result<Option<Arc<dyn Adapter>>, ConfigureError> {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        OPENAI.configure(&ChannelConfig {
            id: ChannelId(1),
            name: "o".to_owned(),
            provider: "openai".to_owned(),
            base_url: None,
            credential: "k".into(),
            models: Vec::new(),
            model_mapping: std::collections::BTreeMap::new(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings { options, ..ChannelSettings::default() },
        })
    }

    #[test]
    fn the_other_api_is_no_longer_passed_through() {
        let responses = with(&[("api", "responses")]).unwrap().unwrap();
        assert!(
            responses.serves(&endpoint("/v1/responses")) && responses.serves(&endpoint("/v1/embeddings"))
        );
        assert!(!responses.serves(&endpoint("/v1/chat/completions")));
        assert!(with(&[]).unwrap().is_none());
    }

    #[test]
    fn a_wrong_option_is_named() {
        assert_eq!(with(&[("api", "soap")]).unwrap_err().field, "options.api");
        assert_eq!(with(&[("api", "chat"), ("region", "x")]).unwrap_err().field, "options.region");
    }
}

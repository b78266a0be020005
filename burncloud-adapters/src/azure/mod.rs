//! Azure OpenAI, and Claude in Azure AI Foundry.
//!
//! A channel's upstream models are its deployments. Options:
//!
//! - `api_version`: none, `v1` or `preview` for the paths under `/openai/v1`; a date such as `2024-10-21` or
//!   `2025-03-01-preview` for those under `/openai/deployments`.
//! - `api`: `openai` or `anthropic`, where deployments' names do not tell. A deployment whose name contains `claude`
//!   is Anthropic's.
//! - `tenant_id` and `client_id`: the credential is the client secret of an application in Entra; access tokens are
//!   fetched with it. `scope` and `token_url` where they are not the public cloud's.
//!
//! The credential is a key, or a client secret, or an Entra token (a JWT, or anything after `Bearer `).
//!
//! Checked against the SDKs' Azure and Foundry clients (openai 3.x, anthropic 2.x) and recorded traffic.

mod entra;
mod options;

use crate::oauth::Bearer;
use crate::openai::{self, Quirks};
use crate::token::{TokenCache, system_clock};
#[cfg(feature = "translate")]
use crate::translate::{self, Format, Profile};
use crate::{anthropic, auth, listing, path};
#[cfg(feature = "translate")]
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::adapter::{
    Adapter, AnswerHead, ConfigureError, ListAsk, ListAt, Listing, ModelsPage, Signer, TargetAsk, UsageReader,
};
use burncloud_core::transport::Client;
use burncloud_core::{ChannelConfig, Dialect, Endpoint, Error, Operation, Surface};
use entra::{ClientSecret, Entra};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use options::{Api, Models};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// The version of Anthropic's API that is asked for when the caller names none.
const ANTHROPIC_VERSION: &str = "2023-06-01";
/// Every recorded stream of chat ended with `[DONE]`.
const QUIRKS: Quirks = Quirks { always_done: true, cites_searches: true, ..Quirks::STANDARD };

/// Azure. As it is in the registry it uses `/openai/v1` and a key; a channel's options make another of it.
#[derive(Clone, Debug, Default)]
pub struct Azure {
    api: Api,
    models: Models,
    entra: Option<Entra>,
}

impl Azure {
    fn openai(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        let operation = ask.endpoint.operation;
        let rest = openai::operation_path(operation).ok_or_else(|| path::unknown(ask.path))?;
        let query = path::without(ask.query, "api-version");
        let (root, below) = split(ask.root);
        let version = self.api.query(query.as_deref());
        match &self.api {
            Api::V1(_) => path::join(&[root, below, "/v1/", rest], version.as_deref()),
            Api::Dated(_) if operation == Operation::Responses => {
                path::join(&[root, below, "/", rest], version.as_deref())
            }
            Api::Dated(_) => {
                let deployment = path::encoded(ask.upstream_model);
                path::join(&[root, below, "/deployments/", &deployment, "/", rest], version.as_deref())
            }
        }
    }

    fn anthropic(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        let rest = ask.path.split_once("/v1/").ok_or_else(|| path::unknown(ask.path))?.1;
        let root = ask.root.strip_suffix("/v1").unwrap_or(ask.root);
        let below = if root.ends_with("/anthropic") { "/v1/" } else { "/anthropic/v1/" };
        let query = path::without(ask.query, "api-version");
        path::join(&[root, below, rest], query.as_deref())
    }
}

/// What stands before `/openai`, and what of it the root lacks.
fn split(root: &str) -> (&str, &str) {
    match root.strip_suffix("/openai/v1") {
        Some(above) => (above, "/openai"),
        None if root.ends_with("/openai") => (root, ""),
        None => (root, "/openai"),
    }
}

impl Adapter for Azure {
    fn name(&self) -> &str {
        "azure"
    }

    /// None: each account has an address of its own, such as `https://NAME.openai.azure.com`.
    fn default_base_url(&self) -> &str {
        ""
    }

    /// Empty: `openai` and `anthropic` are part of the path. An address may name them too.
    fn api_root(&self) -> &str {
        ""
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        use Operation as O;
        if !matches!(endpoint.surface, Surface::Direct | Surface::Azure) {
            return false;
        }
        match (endpoint.dialect, endpoint.operation) {
            (Dialect::Anthropic, O::Messages | O::CountTokens) => self.models.anthropic,
            (
                Dialect::OpenAi,
                O::Chat
                | O::Responses
                | O::Completions
                | O::Embeddings
                | O::ImageGeneration
                | O::ImageEdit
                | O::Speech
                | O::Transcription
                | O::Translation,
            ) => self.models.openai,
            _ => false,
        }
    }

    /// The deployment's path, or the one that all share. The version is the channel's, whatever the caller's query
    /// says.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        match ask.endpoint.dialect {
            Dialect::Anthropic => self.anthropic(ask),
            _ => self.openai(ask),
        }
    }

    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        if self.entra.is_some() {
            return Ok(Vec::new());
        }
        if let Some(token) = entra::fixed_token(credential.expose_secret()) {
            return auth::bearer(&SecretString::from(token), false);
        }
        let mut headers = auth::plain(HeaderName::from_static("api-key"), credential)?;
        if self.models.anthropic {
            // Claude's endpoint takes the key under Anthropic's name.
            headers.append(&mut auth::plain(HeaderName::from_static("x-api-key"), credential)?);
        }
        Ok(headers)
    }

    fn default_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        if !self.models.anthropic || self.models.openai {
            return Vec::new();
        }
        let version = HeaderValue::from_static(ANTHROPIC_VERSION);
        vec![(HeaderName::from_static("anthropic-version"), version)]
    }

    fn takes_include_usage(&self) -> bool {
        self.api.takes_include_usage()
    }

    fn configure(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Adapter>>, ConfigureError> {
        options::read(config).map(|azure| Some(Arc::new(azure) as Arc<dyn Adapter>))
    }

    fn signer(&self, credential: &SecretString, client: &Client) -> Result<Option<Arc<dyn Signer>>, Error> {
        let Some(entra) = self.entra.clone() else { return Ok(None) };
        let source = ClientSecret::new(entra, credential.clone(), client.clone());
        Ok(Some(Arc::new(Bearer(TokenCache::new(source, system_clock())))))
    }

    /// Where a channel has both, a deployment's name tells whose it is.
    fn serves_model(&self, endpoint: &Endpoint, upstream_model: &str) -> bool {
        let mixed = self.models.anthropic && self.models.openai;
        !mixed || options::is_claude(upstream_model) == (endpoint.dialect == Dialect::Anthropic)
    }

    #[cfg(feature = "translate")]
    fn translates(&self, endpoint: &Endpoint) -> bool {
        (self.models.openai && translate::translates(endpoint, Format::Chat))
            || (self.models.anthropic && translate::translates(endpoint, Format::Messages))
    }

    #[cfg(feature = "translate")]
    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        let claude = self.models.anthropic && (!self.models.openai || options::is_claude(ask.upstream_model));
        if claude {
            return translate::adapt(ask, Format::Messages, &Profile::GENUINE);
        }
        translate::adapt(
            ask,
            Format::Chat,
            &Profile { include_usage: self.takes_include_usage(), ..Profile::GENUINE },
        )
    }

    /// The models of the resource; its deployments, which are what a channel asks for, are listed by Azure's management
    /// alone, with other credentials.
    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        if self.models.anthropic && !self.models.openai {
            return Ok(Listing::None("Claude at Azure has no list of its deployments"));
        }
        let (root, below) = split(ask.root);
        let version = if matches!(self.api, Api::V1(_)) { "/v1" } else { "" };
        let query = self.api.query(None);
        let at = ListAt::new(path::join(&[root, below, version, "/models"], query.as_deref())?);
        let unfit = "Azure lists the models that could be deployed; what this account serves are its deployments, by \
                     the names they were given";
        Ok(Listing::At(ListAt { unfit: Some(unfit), ..at }))
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        listing::openai(body)
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        match endpoint.dialect {
            Dialect::Anthropic => anthropic::usage_reader(endpoint.operation, head),
            _ => openai::usage_reader(endpoint.operation, QUIRKS, head),
        }
    }
}

//! Google Vertex: Gemini, and Claude as Anthropic publishes it there.
//!
//! The credential is a service account's key file (JSON) as Google hands it out, an API key, or an access token
//! (`ya29.…`) that somebody else keeps fresh. Options:
//!
//! - `project`: by default the service account's. An API key without one is used in express mode.
//! - `location`: `us-central1` by default; `global`, `us` and `eu` have hosts of their own.
//! - `token_url`: where tokens come from, if not where the service account says.
//!
//! A model whose name contains `claude` is Anthropic's, any other Google's; `publishers/NAME/models/MODEL` says it
//! outright. Checked against Google's and Anthropic's SDKs (google-genai 3.x, anthropic 2.x) and recorded traffic.

mod account;
mod errors;
mod messages;
mod models;
mod options;

use crate::oauth::Bearer;
use crate::token::{TokenCache, system_clock};
#[cfg(feature = "translate")]
use crate::translate::{self, Format, Profile};
use crate::{anthropic, auth, gemini, listing, path};
use account::{Credential, JwtGrant};
use burncloud_core::adapter::{
    AdaptAsk, Adapted, Adapter, AnswerHead, ConfigureError, ListAsk, ListAt, Listing, ModelsPage, Signer,
    TargetAsk, UsageReader,
};
use burncloud_core::transport::Client;
use burncloud_core::{ChannelConfig, Dialect, Endpoint, Error, ErrorKind, Operation, Surface};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};
use models::{Models, Publisher};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// Vertex. As it is in the registry it takes an API key in express mode; a channel's options and credential make
/// another of it.
#[derive(Clone, Debug)]
pub struct Vertex {
    host: String,
    /// `/projects/P/locations/L`, or nothing in express mode.
    parent: String,
    token_url: Option<Uri>,
    models: Models,
    /// Whether the credential is an API key.
    keyed: bool,
}

impl Default for Vertex {
    fn default() -> Vertex {
        Vertex {
            host: options::host("global"),
            parent: String::new(),
            token_url: None,
            models: Models::default(),
            keyed: true,
        }
    }
}

impl Adapter for Vertex {
    fn name(&self) -> &str {
        "vertex"
    }

    fn default_base_url(&self) -> &str {
        &self.host
    }

    /// Empty: the version is part of the path.
    fn api_root(&self) -> &str {
        ""
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        use Operation as O;
        let model = endpoint.path_model.as_deref();
        match (endpoint.dialect, endpoint.surface, endpoint.operation) {
            (
                Dialect::Gemini,
                Surface::Direct | Surface::Vertex,
                O::GenerateContent | O::StreamGenerateContent | O::CountTokens | O::EmbedContent,
            )
            | (Dialect::Gemini, Surface::Vertex, O::Predict) => self.models.may_be(Publisher::Google, model),
            (Dialect::Anthropic, Surface::Vertex, O::Messages | O::CountTokens) => {
                self.models.may_be(Publisher::Anthropic, model)
            }
            _ => false,
        }
    }

    /// The model's path in the channel's project and location, whatever the caller's path says of those. Vertex calls
    /// AI Studio's `v1beta` `v1beta1`.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        let action = ask.path.rsplit_once(':').ok_or_else(|| path::unknown(ask.path))?.1;
        let speaks_anthropic = ask.endpoint.dialect == Dialect::Anthropic;
        let (publisher, model) = match models::split(ask.upstream_model) {
            (_, model) if self.models.are_unknown() && speaks_anthropic => ("anthropic", model),
            known => known,
        };
        if speaks_anthropic != (publisher == "anthropic") {
            return Err(unspoken(ask.endpoint.dialect));
        }
        if action == "batchEmbedContents" {
            let text = "this model's provider embeds one content at a time: use embedContent";
            return Err(Error::new(ErrorKind::NotImplemented, text));
        }
        let counts = speaks_anthropic && ask.endpoint.operation == Operation::CountTokens;
        let model = if counts { "count-tokens" } else { model };
        let version = match has_version(ask.root) {
            true => "",
            false if ask.path.starts_with("/v1beta") => "/v1beta1",
            false => "/v1",
        };
        let (publisher, model) = (models::segment(publisher), models::segment(model));
        let parts =
            [ask.root, version, &self.parent, "/publishers/", &publisher, "/models/", &model, ":", action];
        path::join(&parts, ask.query)
    }

    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        match Credential::of(credential.expose_secret()) {
            Credential::ServiceAccount => Ok(Vec::new()),
            Credential::AccessToken => auth::bearer(credential, false),
            Credential::ApiKey => auth::plain(HeaderName::from_static("x-goog-api-key"), credential),
        }
    }

    fn configure(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Adapter>>, ConfigureError> {
        options::read(config).map(|vertex| Some(Arc::new(vertex) as Arc<dyn Adapter>))
    }

    fn signer(&self, credential: &SecretString, client: &Client) -> Result<Option<Arc<dyn Signer>>, Error> {
        if Credential::of(credential.expose_secret()) != Credential::ServiceAccount {
            return Ok(None);
        }
        let account = account::ServiceAccount::parse(credential)
            .map_err(|error| Error::new(ErrorKind::Internal, error.message))?;
        let source = JwtGrant::new(account, self.token_url.clone(), client.clone());
        Ok(Some(Arc::new(Bearer(TokenCache::new(source, system_clock())))))
    }

    fn serves_model(&self, endpoint: &Endpoint, upstream_model: &str) -> bool {
        let speaks_anthropic = endpoint.dialect == Dialect::Anthropic;
        self.models.are_unknown() || speaks_anthropic == (models::split(upstream_model).0 == "anthropic")
    }

    /// Anthropic's own callers, whose bodies differ in a field or two, and those of dialects that the model does not
    /// speak.
    fn translates(&self, endpoint: &Endpoint) -> bool {
        let own = endpoint.dialect == Dialect::Anthropic
            && matches!(endpoint.operation, Operation::Messages | Operation::CountTokens)
            && self.models.may_be(Publisher::Anthropic, None);
        #[cfg(feature = "translate")]
        return own
            || translate::translates(endpoint, Format::Gemini)
            || translate::translates(endpoint, Format::Messages);
        #[cfg(not(feature = "translate"))]
        own
    }

    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        let claude = models::split(ask.upstream_model).0 == "anthropic";
        match (claude, ask.endpoint.dialect) {
            (true, Dialect::Anthropic) => messages::adapt(ask),
            #[cfg(feature = "translate")]
            (true, _) => translate::adapt_through(ask, Format::Messages, &Profile::GENUINE, messages::adapt),
            #[cfg(feature = "translate")]
            (false, dialect) if dialect != Dialect::Gemini => {
                translate::adapt(ask, Format::Gemini, &Profile { vertex: true, ..Profile::GENUINE })
            }
            (_, dialect) => Err(unspoken(dialect)),
        }
    }

    /// Google says 400 to a key it does not know.
    fn blames_credential(&self, status: http::StatusCode, beginning: &[u8]) -> bool {
        gemini::Gemini::new().blames_credential(status, beginning)
    }

    /// What Google publishes there; a project's right to each is not in it, and Claude's models are not either. The list
    /// takes no API key.
    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        if self.keyed {
            return Ok(Listing::None(
                "Vertex lists models for service accounts and access tokens, not for API keys",
            ));
        }
        let version = if has_version(ask.root) { "" } else { "/v1beta1" };
        let after = ask.after.map(|token| format!("&pageToken={}", path::encoded(token))).unwrap_or_default();
        let query = format!("pageSize=200{after}");
        let target = path::join(&[ask.root, version, "/publishers/google/models"], Some(&query))?;
        Ok(Listing::At(ListAt::new(target)))
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        listing::vertex(body)
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        match endpoint.dialect {
            Dialect::Anthropic => anthropic::usage_reader(endpoint.operation, head),
            _ => gemini::usage_reader(endpoint.operation, head),
        }
    }
}

fn has_version(root: &str) -> bool {
    ["/v1", "/v1beta1"].into_iter().any(|version| root.ends_with(version))
}

fn unspoken(dialect: Dialect) -> Error {
    let text = format!("the model is not served in the {} dialect", dialect.as_str());
    Error::new(ErrorKind::NotImplemented, text).with_param("model")
}

//! AWS Bedrock's runtime.
//!
//! Callers of Bedrock (boto3, `AnthropicBedrock`) pass through; callers of Anthropic's Messages reach Anthropic's
//! models by InvokeModel, whose bodies are messages but for a few fields. Facts were checked against botocore 1.44.5
//! (`bedrock-runtime/2023-09-30`), anthropic 2.x and recorded traffic.
//!
//! The credential is one of
//!
//! - `{"access_key_id": …, "secret_access_key": …, "session_token"?: …, "region"?: …}`, or the same in AWS's spelling
//!   (`AccessKeyId`, `SecretAccessKey`, `SessionToken`),
//! - `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`,
//! - a Bedrock API key: anything else.
//!
//! The channel's options are `region`; `role_arn` with `role_session_name` and `external_id`, for a role to assume;
//! `sts_url`, where the token service is (a VPC endpoint); `anthropic`, how Anthropic's callers are served: `invoke`
//! (by default where the model's id holds `anthropic`) or `converse`.

mod invoke;
mod role;
mod settings;
mod sign;
pub(crate) mod usage;

#[cfg(feature = "translate")]
use crate::translate::{self, Format, Profile};
use crate::{auth, listing, path, reader};
#[cfg(not(feature = "translate"))]
use burncloud_core::ErrorKind;
use burncloud_core::adapter::{
    AdaptAsk, Adapted, Adapter, AnswerHead, ConfigureError, ListAsk, ListAt, Listing, ModelsPage, NoUsage,
    Signer, TargetAsk, UsageReader,
};
use burncloud_core::transport::Client;
use burncloud_core::{ChannelConfig, Dialect, Endpoint, Error, Operation, Surface};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode};
use memchr::memmem;
use secrecy::SecretString;
use settings::{Anthropic, Credential, Settings};
use std::sync::Arc;

/// AWS Bedrock.
#[derive(Clone, Debug)]
pub struct Bedrock {
    settings: Settings,
    address: String,
}

impl Default for Bedrock {
    fn default() -> Bedrock {
        Bedrock::with(Settings::default())
    }
}

impl Bedrock {
    /// The adapter, in `us-east-1` until a channel says otherwise.
    #[must_use]
    pub fn new() -> Bedrock {
        Bedrock::default()
    }

    fn with(settings: Settings) -> Bedrock {
        let address = settings.address("bedrock-runtime");
        Bedrock { settings, address }
    }
}

impl Adapter for Bedrock {
    fn name(&self) -> &str {
        "bedrock"
    }

    fn default_base_url(&self) -> &str {
        &self.address
    }

    /// Empty: Bedrock's paths begin with `/model`.
    fn api_root(&self) -> &str {
        ""
    }

    fn configure(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Adapter>>, ConfigureError> {
        let settings = Settings::read(&config.settings.options, &config.credential)?;
        Ok(Some(Arc::new(Bedrock::with(settings))))
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        use Operation as O;
        endpoint.dialect == Dialect::Bedrock
            && endpoint.surface == Surface::Bedrock
            && matches!(
                endpoint.operation,
                O::Converse | O::ConverseStream | O::Invoke | O::InvokeStream | O::CountTokens
            )
    }

    /// `/model/{model}/{action}`. The model is one segment, whatever is in it (the ARN of an inference profile has
    /// slashes): the signature is made over it as it goes out.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        let action = ask.path.rsplit_once('/').filter(|_| ask.path.starts_with("/model/"));
        let (_, action) = action.ok_or_else(|| path::unknown(ask.path))?;
        path::join(&[ask.root, "/model/", &path::encoded(ask.upstream_model), "/", action], ask.query)
    }

    /// A Bedrock API key is a bearer token; access keys sign.
    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        match settings::credential(credential)? {
            Credential::ApiKey => auth::bearer(credential, false),
            Credential::Keys(_) => Ok(Vec::new()),
        }
    }

    fn signer(&self, credential: &SecretString, client: &Client) -> Result<Option<Arc<dyn Signer>>, Error> {
        let Credential::Keys(keys) = settings::credential(credential)? else { return Ok(None) };
        let region = self.settings.region.clone();
        Ok(Some(match self.settings.role.clone() {
            None => Arc::new(sign::KeySigner { keys, region }),
            Some(role) => {
                let url = self.settings.sts_url();
                Arc::new(role::RoleSigner::new(role, url, region, keys, client.clone())?)
            }
        }))
    }

    fn translates(&self, endpoint: &Endpoint) -> bool {
        #[cfg(feature = "translate")]
        let others = translate::translates(endpoint, Format::Converse);
        #[cfg(not(feature = "translate"))]
        let others = false;
        others || (self.settings.anthropic != Anthropic::Converse && invoke::takes(endpoint))
    }

    /// Anthropic's callers by InvokeModel where the model is Anthropic's; others by Converse.
    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        let invoked = match self.settings.anthropic {
            Anthropic::ByModel => ask.upstream_model.contains("anthropic"),
            Anthropic::Invoke => true,
            Anthropic::Converse => false,
        };
        if invoked && invoke::takes(ask.endpoint) {
            return invoke::adapt(ask);
        }
        #[cfg(feature = "translate")]
        return translate::adapt(ask, Format::Converse, &Profile::GENUINE);
        #[cfg(not(feature = "translate"))]
        Err(Error::new(ErrorKind::NotImplemented, "this model takes no messages in Anthropic's form")
            .with_param("model"))
    }

    /// What can be called on demand, then the inference profiles. Both are listed beside the runtime, at `bedrock.` in
    /// the same region; at an address that is not AWS's, there.
    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        if ask.origin.contains(".vpce.") {
            return Ok(Listing::None("an endpoint of the runtime in a private network lists no models"));
        }
        let origin = ask.origin.contains("amazonaws.com").then(|| self.settings.address("bedrock"));
        let target = match ask.after {
            None => path::join(&[ask.root, "/foundation-models"], None)?,
            Some(after) => {
                let token = Some(after).filter(|after| *after != listing::PROFILES);
                let token = token.map(|token| format!("&nextToken={}", path::encoded(token)));
                let query = format!("maxResults=1000{}", token.unwrap_or_default());
                path::join(&[ask.root, "/inference-profiles"], Some(&query))?
            }
        };
        Ok(Listing::At(ListAt { origin, ..ListAt::new(target) }))
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        listing::bedrock(body)
    }

    /// A policy may allow to invoke and not to list; AWS names the action then.
    fn may_not_list(&self, status: StatusCode, beginning: &[u8]) -> bool {
        status == StatusCode::FORBIDDEN && memmem::find(beginning, b"bedrock:List").is_some()
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        use Operation as O;
        if !head.status.is_success() {
            return Box::new(NoUsage);
        }
        match endpoint.operation {
            O::ConverseStream if head.streamed => Box::new(usage::ConverseStream::default()),
            O::Converse | O::ConverseStream => reader::reader(usage::Converse, head),
            O::InvokeStream if head.streamed => Box::new(usage::InvokeStream::new(head)),
            O::Invoke | O::InvokeStream => Box::new(usage::Invoke::new(head)),
            _ => Box::new(NoUsage),
        }
    }
}

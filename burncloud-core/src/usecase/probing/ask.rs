//! Asking a provider beside the requests: with the channel's own connection, headers and signature.

use super::words::Secrets;
use super::{PROBE_BYTES, PROBE_WITHIN};
use crate::adapter::{ListAsk, Listing, ModelsPage, ProbedModel, Registry};
use crate::routing::{Channel, Timeouts};
use crate::transport::{Origin, SendError, Upstream};
use crate::usecase::{Said, UseCaseError, UseCaseResult};
use crate::{Body, ChannelConfig, Error};
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use std::time::{Duration, Instant};

/// An answer, whole.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// From the moment when the request was ready until its answer was whole.
    pub(super) took: Duration,
}

/// Why there is no answer. Texts hold no secret.
pub(super) enum Failed {
    /// Nobody answered, or not in time.
    Unreachable(String),
    /// The answer is longer than what is left of the bound.
    TooLong(StatusCode),
    /// The request could not be signed; whether that is because the credential was refused.
    Unsigned(String, bool),
}

/// One account, ready to be asked.
pub(super) struct Asker {
    channel: Channel,
    origin: String,
    proxy: Option<String>,
    overrides: Vec<(HeaderName, String)>,
    secrets: Secrets,
    deadline: Instant,
    left: usize,
    /// Whether it is the provider's own.
    pub(super) own_address: bool,
    pub(super) has_no_credential: bool,
}

fn unreachable(error: &SendError) -> Failed {
    Failed::Unreachable(error.to_string())
}

/// Whether a channel leads to the provider's own address.
fn is_own(channel: &Channel, proxy: Option<&str>) -> bool {
    let own: Option<Uri> = channel.adapter.default_base_url().parse().ok();
    own.and_then(|own| Origin::new(&own, proxy).ok()).is_some_and(|own| own == *channel.upstream.origin())
}

impl Asker {
    pub(super) fn new(
        registry: &Registry,
        config: &ChannelConfig,
        timeouts: &Timeouts,
    ) -> UseCaseResult<Asker> {
        let channel = Channel::prepare(config, registry, timeouts, None)?;
        let scheme = if channel.upstream.origin().tls() { "https" } else { "http" };
        let names = config.settings.header_override.iter();
        let overrides = names.filter_map(|(name, value)| Some((name.parse().ok()?, value.clone())));
        Ok(Asker {
            origin: format!("{scheme}://{}", channel.upstream.origin().authority()),
            proxy: config.settings.proxy.clone(),
            overrides: overrides.collect(),
            secrets: Secrets::of(&config.credential),
            deadline: Instant::now() + PROBE_WITHIN.min(channel.timeouts.first_byte),
            left: PROBE_BYTES,
            own_address: is_own(&channel, config.settings.proxy.as_deref()),
            has_no_credential: config.credential.expose_secret().trim().is_empty(),
            channel,
        })
    }

    /// What a page is asked for with.
    pub(super) fn listing(&self, after: Option<&str>) -> UseCaseResult<Listing> {
        let ask = ListAsk { origin: &self.origin, root: &self.channel.root, after };
        let listing = self.channel.adapter.listing(&ask);
        listing.map_err(|error| UseCaseError::invalid("base_url", Said::plain(error.message().to_owned())))
    }

    /// What is listed in an answer.
    pub(super) fn read(&self, answer: &Answered) -> Option<ModelsPage> {
        self.channel.adapter.listed(&answer.body)
    }

    pub(super) fn blames_credential(&self, answer: &Answered) -> bool {
        self.channel.adapter.blames_credential(answer.status, &answer.body)
    }

    pub(super) fn may_not_list(&self, answer: &Answered) -> bool {
        self.channel.adapter.may_not_list(answer.status, &answer.body)
    }

    /// Whether a name can be one: of visible characters, of reasonable length, and no secret.
    pub(super) fn is_plain(&self, name: &str) -> bool {
        name.len() <= 256
            && !name.chars().any(|c| c.is_control() || c.is_whitespace())
            && !self.secrets.is_in(name)
    }

    /// With what is shown of it made safe.
    pub(super) fn masked(&self, mut model: ProbedModel) -> ProbedModel {
        model.display = model.display.map(|text| self.secrets.tidy(&text, 128)).filter(|t| !t.is_empty());
        model
    }

    pub(super) fn quote(&self, body: &[u8]) -> Option<String> {
        self.secrets.quote(body)
    }

    fn connect_within(&self) -> Duration {
        self.channel.timeouts.connect.min(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// The time that a connection takes.
    pub(super) async fn connect(&self) -> Result<Duration, Failed> {
        self.channel.upstream.reach(self.connect_within()).await.map_err(|error| unreachable(&error))
    }

    /// Asks, and takes in the whole answer; with the credential, or without.
    pub(super) async fn get(
        &mut self,
        origin: Option<&str>,
        target: &PathAndQuery,
        signed: bool,
    ) -> Result<Answered, Failed> {
        let deadline = self.deadline.into();
        match tokio::time::timeout_at(deadline, self.exchange(origin, target, signed)).await {
            Ok(result) => result,
            Err(_) => Err(Failed::Unreachable("it does not answer in time".to_owned())),
        }
    }

    async fn exchange(
        &mut self,
        origin: Option<&str>,
        target: &PathAndQuery,
        signed: bool,
    ) -> Result<Answered, Failed> {
        let elsewhere = origin.filter(|origin| *origin != self.origin);
        let elsewhere = elsewhere.map(|origin| elsewhere_at(origin, self.proxy.as_deref())).transpose()?;
        let host = elsewhere.as_ref().map_or(self.channel.upstream.origin(), Upstream::origin).authority();
        let host = HeaderValue::from_str(host).map_err(|e| Failed::Unreachable(e.to_string()))?;
        let request = self.request(host, target, signed).await?;
        let upstream = elsewhere.as_ref().unwrap_or(&self.channel.upstream);
        let started = Instant::now();
        let answer = upstream.send(request, self.connect_within()).await.map_err(|e| unreachable(&e))?;
        let (head, mut body) = answer.map(Body::from).into_parts();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failed::Unreachable("it broke off its answer".to_owned()))?;
            let Ok(data) = frame.into_data() else { continue };
            self.left = self.left.checked_sub(data.len()).ok_or(Failed::TooLong(head.status))?;
            bytes.extend_from_slice(&data);
        }
        Ok(Answered { status: head.status, body: bytes.freeze(), took: started.elapsed() })
    }

    /// The request as the layers would send it.
    async fn request(
        &mut self,
        host: HeaderValue,
        target: &PathAndQuery,
        signed: bool,
    ) -> Result<Request<Body>, Failed> {
        let (mut head, ()) = Request::new(()).into_parts();
        head.uri = Uri::from(target.clone());
        head.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        head.headers.insert(USER_AGENT, HeaderValue::from_static("burncloud"));
        self.apply_overrides(&mut head.headers);
        head.headers.insert(HOST, host);
        if signed {
            head.headers.extend(self.channel.headers.iter().cloned());
        }
        for (name, value) in &self.channel.default_headers {
            if !head.headers.contains_key(name) {
                head.headers.insert(name.clone(), value.clone());
            }
        }
        if let Some(signer) = self.channel.signer.clone().filter(|_| signed) {
            signer.sign(&mut head, &Bytes::new()).await.map_err(|error| unsigned(&error))?;
        }
        head.headers.values().filter(|value| value.is_sensitive()).for_each(|value| self.secrets.add(value));
        Ok(Request::from_parts(head, Body::empty()))
    }

    fn apply_overrides(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.overrides {
            match HeaderValue::from_str(value) {
                Ok(_) if value.is_empty() => drop(headers.remove(name)),
                Ok(value) => drop(headers.insert(name, value)),
                Err(_) => {}
            }
        }
    }
}

fn elsewhere_at(origin: &str, proxy: Option<&str>) -> Result<Upstream, Failed> {
    let uri: Uri = origin.parse().map_err(|_| Failed::Unreachable("no address to list at".to_owned()))?;
    Origin::new(&uri, proxy).map(Upstream::new).map_err(|(_, why)| Failed::Unreachable(why.to_string()))
}

/// Token services are asked by the signer, which tells no more than a text: a status from 400 to 499 in it is a refusal.
fn unsigned(error: &Error) -> Failed {
    let context = error.context().unwrap_or_default();
    let status =
        |word: &str| word.len() == 3 && word.starts_with('4') && word.bytes().all(|b| b.is_ascii_digit());
    let refused = context.split(|c: char| !c.is_ascii_alphanumeric()).any(status);
    let text = if context.is_empty() { error.message().to_owned() } else { format!("{error}: {context}") };
    Failed::Unsigned(text, refused)
}

//! Through a provider of identities: OpenID Connect's code flow with PKCE, a nonce and a state.
//!
//! What was asked is in a sealed cookie for ten minutes, and taken once. The provider is asked over the gateway's own
//! transport, without following redirects.

use super::asker::Asker;
use super::doors::{enter, refuse, show, with};
use super::pages::State;
use super::{cookies, next};
use crate::Console;
use crate::live::Place;
use axum::extract::{Query, State as Of};
use axum::response::{IntoResponse, Redirect, Response};
use burncloud_billing::desk::login::{Known, OidcSettings, SecretPlace, seal, unseal};
use burncloud_core::UnixMicros;
use burncloud_core::transport::Client;
use bytes::Bytes;
use http::StatusCode;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(10);
/// How long what the provider says of itself stands, and that it could not be asked.
const STANDS: Duration = Duration::from_secs(300);
const FAILURE_STANDS: Duration = Duration::from_secs(10);
const COOKIE_SECONDS: i64 = 600;
/// How many states are remembered as taken.
const REMEMBERED: usize = 1024;

type OidcClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What was asked.
#[derive(Serialize, Deserialize)]
struct Asked {
    state: String,
    nonce: String,
    verifier: String,
    until: i64,
    /// Where they were going.
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
}

/// What is known of the provider while the process runs.
#[derive(Default)]
pub(crate) struct Provider {
    /// States whose answer was taken.
    taken: Mutex<VecDeque<String>>,
    /// What it said of itself last.
    said: tokio::sync::Mutex<Option<Said>>,
}

struct Said {
    issuer: String,
    until: Instant,
    metadata: Result<CoreProviderMetadata, String>,
}

impl Provider {
    /// Whether nobody took it before.
    fn take(&self, state: &str) -> bool {
        let mut taken = self.taken.lock();
        if taken.iter().any(|one| one == state) {
            return false;
        }
        if taken.len() >= REMEMBERED {
            taken.pop_front();
        }
        taken.push_back(state.to_owned());
        true
    }

    /// What the provider says of itself, asked once in some minutes: whoever comes may cause that.
    async fn metadata(&self, issuer: &str) -> Result<CoreProviderMetadata, Fault> {
        let mut said = self.said.lock().await;
        if let Some(said) = said.as_ref()
            && said.issuer == issuer
            && said.until > Instant::now()
        {
            return said.metadata.clone().map_err(Fault);
        }
        let metadata = discover(issuer).await.map_err(|error| error.to_string());
        *said = Some(Said::now(issuer, metadata.clone()));
        metadata.map_err(Fault)
    }

    /// The same, asked now: the keys may be others since.
    async fn metadata_now(&self, issuer: &str) -> Result<CoreProviderMetadata, Fault> {
        let metadata = discover(issuer).await?;
        *self.said.lock().await = Some(Said::now(issuer, Ok(metadata.clone())));
        Ok(metadata)
    }
}

impl Said {
    fn now(issuer: &str, metadata: Result<CoreProviderMetadata, String>) -> Said {
        let stands = if metadata.is_ok() { STANDS } else { FAILURE_STANDS };
        Said { issuer: issuer.to_owned(), until: Instant::now() + stands, metadata }
    }
}

/// Why it did not work; for the log, without secrets.
#[derive(Debug)]
struct Fault(String);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Fault {}

fn fault(what: &str) -> impl Fn(&dyn std::fmt::Display) -> Fault + '_ {
    move |why| Fault(format!("{what}: {why}"))
}

/// One question over the gateway's own transport.
async fn ask(request: HttpRequest) -> Result<HttpResponse, Fault> {
    let answer = Client::new(None).send(request.map(Bytes::from), WITHIN).await;
    let answer =
        answer.map_err(|error| Fault(format!("the provider of identities cannot be asked: {error}")))?;
    Ok(answer.map(|body| body.to_vec()))
}

fn secret(place: &SecretPlace) -> Result<ClientSecret, Fault> {
    let found = match place {
        SecretPlace::Env(name) => {
            std::env::var(name).map_err(|_| Fault(format!("the variable {name} is not set")))?
        }
        SecretPlace::File(path) => {
            std::fs::read_to_string(path).map_err(|error| Fault(format!("{path} cannot be read: {error}")))?
        }
    };
    Ok(ClientSecret::new(found.trim().to_owned()))
}

async fn discover(issuer: &str) -> Result<CoreProviderMetadata, Fault> {
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|e| fault("the issuer")(&e))?;
    CoreProviderMetadata::discover_async(issuer, &ask).await.map_err(|e| fault("discovery")(&e))
}

fn client(
    console: &Console,
    settings: &OidcSettings,
    metadata: CoreProviderMetadata,
) -> Result<OidcClient, Fault> {
    let url = console
        .public_url()
        .ok_or_else(|| Fault("set the public URL: the provider sends people back to it".into()))?;
    let secret = settings.client_secret.as_ref().map(secret).transpose()?;
    let back = RedirectUrl::new(format!("{url}{}/oidc/back", console.prefix()))
        .map_err(|e| fault("the public URL")(&e))?;
    let client =
        CoreClient::from_provider_metadata(metadata, ClientId::new(settings.client_id.clone()), secret);
    Ok(client.set_redirect_uri(back))
}

/// Sends somebody to the provider.
pub(super) async fn start(Of(console): Of<Console>, asker: Asker) -> Response {
    if let Err(refused) = console.desk().ask_provider(&asker.guest) {
        return refuse(&console, &asker, refused, |_, text| State::Notice { text });
    }
    match begin(&console, asker.next.as_ref()).await {
        Ok((to, cookie)) => with(
            Redirect::to(&to).into_response(),
            asker.set_cookie(cookies::OIDC, &cookie, Some(COOKIE_SECONDS)),
        ),
        Err(error) => failed(&console, &asker, &error),
    }
}

async fn settings(console: &Console) -> Result<OidcSettings, Fault> {
    let access = console.desk().access().await.map_err(|e| fault("the settings")(&e))?;
    access.oidc.ok_or_else(|| Fault("there is no provider of identities".into()))
}

async fn begin(console: &Console, next: Option<&Place>) -> Result<(String, String), Fault> {
    let settings = settings(console).await?;
    let client = client(console, &settings, console.provider().metadata(&settings.issuer).await?)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (to, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("email".into()))
        .add_scope(Scope::new("profile".into()))
        .set_pkce_challenge(challenge)
        .url();
    let asked = Asked {
        state: state.secret().clone(),
        nonce: nonce.secret().clone(),
        verifier: verifier.secret().clone(),
        until: UnixMicros::now().0 + COOKIE_SECONDS * 1_000_000,
        next: next.map(Place::to_string),
    };
    let text = serde_json::to_vec(&asked).map_err(|e| fault("what is asked")(&e))?;
    Ok((to.to_string(), seal(console.key(), &text)))
}

/// Somebody comes back from the provider.
pub(super) async fn back(
    Of(console): Of<Console>,
    Query(answer): Query<Answer>,
    mut asker: Asker,
) -> Response {
    let gone = asker.set_cookie(cookies::OIDC, "", Some(0));
    let asked = asked(&console, &asker);
    let next = asked.as_ref().and_then(|asked| asked.next.as_deref());
    asker.next = next.and_then(|next| next::wanted(console.prefix(), next));
    let response = match known(&console, asked, answer).await {
        Ok(known) => match console.desk().enter_known(&known, &asker.guest).await {
            Ok(entry) => enter(&console, &asker, entry).await,
            Err(refused) => refuse(&console, &asker, refused, |_, text| State::Notice { text }),
        },
        Err(error) => failed(&console, &asker, &error),
    };
    with(response, gone)
}

/// What this browser was sent to the provider with.
fn asked(console: &Console, asker: &Asker) -> Option<Asked> {
    let sealed = asker.cookie(console, cookies::OIDC)?;
    serde_json::from_slice(&unseal(console.key(), sealed)?).ok()
}

async fn known(console: &Console, asked: Option<Asked>, answer: Answer) -> Result<Known, Fault> {
    let asked = asked.ok_or_else(|| Fault("nothing was asked from this browser".into()))?;
    if asked.until <= UnixMicros::now().0 {
        return Err(Fault("that took too long".into()));
    }
    if answer.state.as_deref() != Some(&asked.state) || !console.provider().take(&asked.state) {
        return Err(Fault("this answer is to another question".into()));
    }
    let code = answer.code.ok_or_else(|| Fault("the provider did not let them in".into()))?;
    let settings = settings(console).await?;
    let client = client(console, &settings, console.provider().metadata_now(&settings.issuer).await?)?;
    let exchange =
        client.exchange_code(AuthorizationCode::new(code)).map_err(|e| fault("the exchange")(&e))?;
    let tokens = exchange
        .set_pkce_verifier(PkceCodeVerifier::new(asked.verifier))
        .request_async(&ask)
        .await
        // What the provider says stays out of the log: it may repeat the code.
        .map_err(|_| Fault("the provider does not take the code".into()))?;
    let token = tokens.id_token().ok_or_else(|| Fault("the provider gave no identity".into()))?;
    let claims = token
        .claims(&client.id_token_verifier(), &Nonce::new(asked.nonce))
        .map_err(|e| fault("the identity")(&e))?;
    let email = claims.email().filter(|_| claims.email_verified() == Some(true));
    Ok(Known {
        issuer: settings.issuer,
        subject: claims.subject().to_string(),
        email: email.map(|email| email.to_string()),
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()).unwrap_or_default(),
    })
}

fn failed(console: &Console, asker: &Asker, error: &Fault) -> Response {
    tracing::warn!(%error, "a sign-in through the provider of identities failed");
    let text = asker.lang().t(
        "The provider could not vouch for you. Try again, or sign in another way.",
        "身份提供方无法确认你的身份，请重试或换一种方式登录。",
    );
    show(console, asker, StatusCode::BAD_GATEWAY, State::Notice { text: text.to_owned() })
}

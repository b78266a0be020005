//! Through a provider of identities, which is made here: its key, its tokens, and its lies.

use super::bench::{Answer, Browser, House};
use axum::extract::{Form, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use burncloud_billing::desk::login::{AccessSettings, OidcSettings};
use burncloud_billing::people::Actor;
use burncloud_core::{KeyHash, Role, UnixMicros};
use http::StatusCode;
use openidconnect::JsonWebKeyId;
use openidconnect::PrivateSigningKey;
use openidconnect::core::{CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey};
use parking_lot::Mutex;
use rsa::pkcs1::EncodeRsaPrivateKey;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// What the provider says, and to whom.
#[derive(Clone)]
struct Says {
    issuer: String,
    audience: String,
    nonce: Option<String>,
    email: String,
    verified: bool,
    expires_in: i64,
    own_key: bool,
}

pub(super) struct Fake {
    issuer: String,
    says: Mutex<Says>,
    /// How often it was asked what it is.
    discovered: AtomicUsize,
    /// What was asked with: `nonce` and `code_challenge`.
    asked: Mutex<HashMap<String, String>>,
}

/// Small, so that it is made fast; the checks are the same.
fn new_key() -> CoreRsaPrivateSigningKey {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
    let pem = key.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).unwrap();
    CoreRsaPrivateSigningKey::from_pem(&pem, Some(JsonWebKeyId::new("one".into()))).unwrap()
}

fn key(own: bool) -> &'static CoreRsaPrivateSigningKey {
    static OWN: OnceLock<CoreRsaPrivateSigningKey> = OnceLock::new();
    static OTHER: OnceLock<CoreRsaPrivateSigningKey> = OnceLock::new();
    if own { OWN.get_or_init(new_key) } else { OTHER.get_or_init(new_key) }
}

fn token(claims: &Value, own: bool) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "RS256", "kid": "one" })), part(claims));
    let alg = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(key(own).sign(&alg, text.as_bytes()).unwrap()))
}

async fn configuration(State(fake): State<Arc<Fake>>) -> Json<Value> {
    fake.discovered.fetch_add(1, Ordering::Relaxed);
    let issuer = &fake.issuer;
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys() -> Json<Value> {
    Json(json!({ "keys": [key(true).as_verification_key()] }))
}

async fn tokens(
    State(fake): State<Arc<Fake>>,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    let asked = fake.asked.lock().clone();
    let hash = KeyHash::of(form["code_verifier"].as_bytes()).0;
    if asked["code_challenge"] != URL_SAFE_NO_PAD.encode(hash) || form["code"] != "the-code" {
        return Err(StatusCode::BAD_REQUEST);
    }
    let says = fake.says.lock().clone();
    let now = UnixMicros::now().0 / 1_000_000;
    let claims = json!({
        "iss": says.issuer, "aud": says.audience, "sub": "subject-1", "iat": now, "exp": now + says.expires_in,
        "nonce": says.nonce.unwrap_or_else(|| asked["nonce"].clone()), "email": says.email,
        "email_verified": says.verified, "name": "Lin",
    });
    let id_token = token(&claims, says.own_key);
    Ok(Json(json!({ "access_token": "x", "token_type": "Bearer", "id_token": id_token })))
}

impl Fake {
    pub(super) async fn start() -> Arc<Fake> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let says = Says {
            issuer: issuer.clone(),
            audience: "console".into(),
            nonce: None,
            email: "lin@harbour.example".into(),
            verified: true,
            expires_in: 300,
            own_key: true,
        };
        let fake = Arc::new(Fake {
            issuer,
            says: Mutex::new(says),
            discovered: AtomicUsize::new(0),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(tokens))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    fn says(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock());
    }

    pub(super) async fn let_in(&self, house: &House, create_in: Option<&str>) {
        let oidc = OidcSettings {
            issuer: self.issuer.clone(),
            client_id: "console".into(),
            client_secret: None,
            domains: vec!["harbour.example".into()],
            create_in: create_in.map(str::to_owned),
            button: "Harbour".into(),
        };
        let access = AccessSettings { oidc: Some(oidc), ..AccessSettings::default() };
        house.desk().set_access(&Actor::operator("boss"), &access).await.unwrap();
    }

    /// Sends a browser to the provider and takes down what it was asked.
    async fn go(&self, browser: &mut Browser) -> String {
        self.go_by(browser, "/oidc").await
    }

    async fn go_by(&self, browser: &mut Browser, path: &str) -> String {
        let answer = browser.get(path).await;
        assert!(answer.to.starts_with(&format!("{}/authorize?", self.issuer)), "{}", answer.body);
        let query = answer.to.split_once('?').unwrap().1;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let asked: HashMap<String, String> = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        assert_eq!(asked["code_challenge_method"], "S256");
        let state = asked["state"].clone();
        *self.asked.lock() = asked;
        state
    }

    async fn through(&self, browser: &mut Browser) -> Answer {
        self.through_by(browser, "/oidc").await
    }

    /// Through the provider and back, by that link to it.
    pub(super) async fn through_by(&self, browser: &mut Browser, path: &str) -> Answer {
        let state = self.go_by(browser, path).await;
        browser.get(&format!("/oidc/back?code=the-code&state={state}")).await
    }
}

#[tokio::test]
async fn whoever_the_provider_vouches_for_comes_in_and_is_the_same_the_next_time() {
    let house = House::new();
    let fake = Fake::start().await;
    fake.let_in(&house, Some("default")).await;
    let mut browser = house.browser();
    let answer = fake.through(&mut browser).await;
    assert_eq!(answer.to, "/console", "{}", answer.body);
    let actor = browser.actor().await.unwrap();
    assert_eq!((actor.name.as_str(), actor.role), ("lin@harbour.example", Role::EndUser));
    fake.says(|says| says.email = "other@harbour.example".into());
    let mut again = house.browser();
    fake.through(&mut again).await;
    assert_eq!(again.actor().await.unwrap().user, actor.user, "it is the subject that counts");
}

#[tokio::test]
async fn a_known_address_is_let_in_and_no_other_where_nobody_is_made() {
    let house = House::new();
    let fake = Fake::start().await;
    fake.let_in(&house, None).await;
    let mut browser = house.browser();
    assert_eq!(fake.through(&mut browser).await.status, StatusCode::FORBIDDEN);
    let user = house.user("lin@harbour.example", Role::Administrator).await;
    fake.says(|says| says.verified = false);
    assert_eq!(fake.through(&mut browser).await.status, StatusCode::FORBIDDEN, "anybody could say so");
    fake.says(|says| says.verified = true);
    fake.through(&mut browser).await;
    assert_eq!(browser.actor().await.unwrap().user, Some(user.id));
    fake.says(|says| says.email = "lin@evil.example".into());
    assert_eq!(fake.through(&mut house.browser()).await.status, StatusCode::FORBIDDEN, "of another domain");
}

#[tokio::test]
async fn what_the_provider_did_not_say_to_us_now_is_refused() {
    let house = House::new();
    let fake = Fake::start().await;
    fake.let_in(&house, Some("default")).await;
    let right = fake.says.lock().clone();
    type Lie = fn(&mut Says);
    let lies: [(&str, Lie); 5] = [
        ("nonce", |says| says.nonce = Some("another".into())),
        ("audience", |says| says.audience = "another".into()),
        ("issuer", |says| says.issuer = "https://evil.example".into()),
        ("old", |says| says.expires_in = -60),
        ("key", |says| says.own_key = false),
    ];
    for (what, lie) in lies {
        fake.says(lie);
        let mut browser = house.browser();
        assert_eq!(fake.through(&mut browser).await.status, StatusCode::BAD_GATEWAY, "{what}");
        assert!(browser.session().is_none(), "{what}");
        *fake.says.lock() = right.clone();
    }
    assert!(fake.through(&mut house.browser()).await.status.is_redirection());
}

#[tokio::test]
async fn an_answer_to_another_question_or_given_twice_is_refused() {
    let house = House::new();
    let fake = Fake::start().await;
    fake.let_in(&house, Some("default")).await;
    let mut browser = house.browser();
    fake.go(&mut browser).await;
    let answer = browser.get("/oidc/back?code=the-code&state=another").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let state = fake.go(&mut browser).await;
    let mut stranger = house.browser();
    let path = format!("/oidc/back?code=the-code&state={state}");
    assert_eq!(stranger.get(&path).await.status, StatusCode::BAD_GATEWAY, "it was not asked there");
    let mut copy = browser.clone();
    assert!(browser.get(&path).await.status.is_redirection());
    assert_eq!(copy.get(&path).await.status, StatusCode::BAD_GATEWAY, "it was taken");
    let state = fake.go(&mut browser).await;
    let wrong = browser.get(&format!("/oidc/back?code=another&state={state}")).await;
    assert_eq!(wrong.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn strangers_who_ask_for_the_provider_ask_nothing_of_it_and_wait_in_the_end() {
    let house = House::new();
    let fake = Fake::start().await;
    fake.let_in(&house, Some("default")).await;
    let mut browser = house.browser();
    for _ in 0..59 {
        fake.go(&mut browser).await;
    }
    assert_eq!(fake.discovered.load(Ordering::Relaxed), 1);
    fake.through(&mut browser).await;
    assert!(browser.actor().await.is_some());
    for _ in 0..60 {
        fake.go(&mut browser).await;
    }
    assert_eq!(fake.discovered.load(Ordering::Relaxed), 2, "its keys are asked for anew where it vouches");
    assert_eq!(browser.get("/oidc").await.status, StatusCode::TOO_MANY_REQUESTS);
    let mut other = house.browser();
    other.ip = "192.0.2.99".into();
    fake.through(&mut other).await;
    assert!(other.actor().await.is_some());
}

#[tokio::test]
async fn the_session_that_a_browser_had_ends_when_somebody_comes_in_by_the_provider() {
    let house = House::new();
    let fake = Fake::start().await;
    fake.let_in(&house, Some("default")).await;
    house.user("ada", Role::Owner).await;
    let mut browser = house.signed_in("ada").await;
    let before = browser.clone();
    fake.through(&mut browser).await;
    assert_eq!(browser.actor().await.unwrap().name, "lin@harbour.example");
    assert!(before.actor().await.is_none());
}

//! Callers who sign with AWS's scheme.

use crate::support::*;
use burncloud_core::store::{CallerStore, KeyStore, MemoryStore, NewKey, UserStore};
use burncloud_core::*;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http_body::Frame;
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The moment of that many seconds since 1970, of this century.
fn amz_date(seconds: i64) -> String {
    let (mut days, rest) = (seconds / 86_400 - 10_957, seconds % 86_400);
    let mut year = 2000;
    let length = |year: i64| if year % 4 == 0 { 366 } else { 365 };
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let lengths = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}{:02}{:02}T{:02}{:02}{:02}Z", month + 1, days + 1, rest / 3600, rest / 60 % 60, rest % 60)
}

const PATH: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"m","messages":[]}"#;

/// Signs as botocore does.
fn signed(id: &str, secret: &str, offset: i64, body: &str) -> Request<Body> {
    let date = amz_date(UnixMicros::now().0 / 1_000_000 + offset);
    let scope = format!("{}/us-east-1/bedrock/aws4_request", &date[..8]);
    let names = "content-type;host;x-amz-date";
    let canonical = format!(
        "POST\n{PATH}\n\ncontent-type:application/json\nhost:gateway.example\nx-amz-date:{date}\n\n{names}\n{}",
        hex(&Sha256::digest(body))
    );
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &to_sign));
    Request::post(PATH)
        .header("host", "gateway.example")
        .header("content-type", "application/json")
        .header("x-amz-date", date)
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"),
        )
        .body(Body::from(body.to_owned()))
        .unwrap()
}

async fn refused(world: &World, request: Request<Body>) -> (u16, String) {
    let response = world.gateway.answer(request).await.unwrap();
    let status = response.status().as_u16();
    let json: serde_json::Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    (status, json["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// A gateway before a provider that answers `ok`, a key's pair, and the store.
async fn stage() -> (World, Arc<MemoryStore>, ApiKey, String, String) {
    let (address, _) = provider(|mut stream, _| async move {
        while let Some((head, body)) = read_request(&mut stream).await {
            let head = head.to_lowercase();
            assert!(!head.contains("x-amz-") && !head.contains("aws4"), "{head}");
            assert!(!head.contains("sk-beside"), "{head}");
            assert_eq!(body, BODY.as_bytes());
            answer(&mut stream, "200 OK", "", "ok").await;
        }
    })
    .await;
    let store = Arc::new(MemoryStore::default());
    let user = store.user_by_name("default").await.unwrap().unwrap().id;
    let (hash, limits) = (KeyHash::of(b"sk-signed"), Limits::default());
    let key = NewKey {
        name: "k".into(),
        hint: String::new(),
        hash,
        user,
        quota: None,
        limits,
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    };
    let key = store.create_key(key).await.unwrap();
    let billing = Arc::new(Remembers::default());
    let gateway = Gateway::builder(store.clone(), adapter::Registry::new().with(Fake))
        .billing(billing.clone())
        .build(&[channel("a", &address)])
        .unwrap();
    let pair = usecase::keys::aws_pair(&*store, "k").await.unwrap();
    let secret = pair.secret_access_key.expose_secret().to_owned();
    assert_eq!(store.signing_secret(&hash).unwrap().expose_secret(), secret);
    (World { gateway, billing }, store, key, pair.access_key_id, secret)
}

#[tokio::test]
async fn a_signature_stands_for_its_key() {
    let (world, _store, _key, id, secret) = stage().await;
    let mut beside = signed(&id, &secret, 0, BODY);
    beside.headers_mut().insert("x-api-key", "sk-beside".parse().unwrap());
    assert_eq!(world.gateway.answer(beside).await.unwrap().status(), 200);
    for offset in [0, -290, 290] {
        let answer = world.gateway.answer(signed(&id, &secret, offset, BODY)).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
    world.at_rest().await;
    assert_eq!(world.billing.settled().len(), 4);
}

#[tokio::test]
async fn what_does_not_hold_is_refused_in_awss_words() {
    let (world, store, key, id, secret) = stage().await;
    let invalid = (403, "InvalidSignatureException".to_owned());
    assert_eq!(refused(&world, signed(&id, "another", 0, BODY)).await, invalid);
    for offset in [-310, 310] {
        assert_eq!(refused(&world, signed(&id, &secret, offset, BODY)).await, invalid, "{offset}");
    }
    let changed = signed(&id, &secret, 0, BODY).map(|_| Body::from(BODY.replace('m', "n")));
    assert_eq!(refused(&world, changed).await, invalid);
    let mut elsewhere = signed(&id, &secret, 0, BODY);
    *elsewhere.uri_mut() = "/v1/completions".parse().unwrap();
    assert_eq!(refused(&world, elsewhere).await, invalid);
    let mut named = signed(&id, &secret, 0, BODY);
    named.headers_mut().insert("x-amz-content-sha256", "UNSIGNED-PAYLOAD".parse().unwrap());
    assert_eq!(refused(&world, named).await, invalid);
    let other = KeyHash::of(b"nobody's").access_key_id();
    let unknown = (403, "UnrecognizedClientException".to_owned());
    assert_eq!(refused(&world, signed(&other, &secret, 0, BODY)).await, unknown);
    let mut torn = signed(&id, &secret, 0, BODY);
    torn.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 Credential=x".parse().unwrap());
    assert_eq!(refused(&world, torn).await, (403, "IncompleteSignatureException".to_owned()));
    let expired = ApiKey { expires_at: Some(UnixMicros(1)), ..key.clone() };
    store.update_key(&expired, None).await.unwrap();
    let answer = refused(&world, signed(&id, &secret, 0, BODY)).await;
    assert_eq!(answer, (403, "ExpiredTokenException".to_owned()));
    store.update_key(&ApiKey { status: Status::Disabled, ..key.clone() }, None).await.unwrap();
    assert_eq!(refused(&world, signed(&id, &secret, 0, BODY)).await, (403, "key_disabled".to_owned()));
    store.update_key(&key, Some(KeyHash::of(b"rotated"))).await.unwrap();
    assert_eq!(refused(&world, signed(&id, &secret, 0, BODY)).await, unknown, "rotating ends the pair");
    world.at_rest().await;
}

/// A body that counts how often it is asked for.
struct Watched(Arc<AtomicUsize>);

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let piece = Bytes::from(vec![b' '; 1 << 20]);
        let more = self.0.fetch_add(1, SeqCst) < 100;
        Poll::Ready(more.then(|| Ok(Frame::data(piece))))
    }
}

#[tokio::test]
async fn a_strangers_body_is_not_read_and_a_callers_is_bounded() {
    let (world, _store, _key, id, secret) = stage().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let stranger = KeyHash::of(b"nobody's").access_key_id();
    let request = signed(&stranger, &secret, 0, BODY).map(|_| Body::new(Watched(asked.clone())));
    assert_eq!(refused(&world, request).await.0, 403);
    let stale = signed(&id, &secret, -1000, BODY).map(|_| Body::new(Watched(asked.clone())));
    assert_eq!(refused(&world, stale).await.0, 403);
    assert_eq!(asked.load(SeqCst), 0);
    let large = signed(&id, &secret, 0, BODY).map(|_| Body::new(Watched(asked.clone())));
    assert_eq!(refused(&world, large).await.0, 413);
    assert!(asked.load(SeqCst) < 40);
    world.at_rest().await;
}

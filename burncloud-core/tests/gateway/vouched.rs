//! Requests of code in the same process, which names a key by its hash.

use crate::support::*;
use burncloud_core::layers::auth::{RemoteIp, Vouched};
use burncloud_core::store::{KeyStore, MemoryStore};
use burncloud_core::*;
use http::{Request, StatusCode};
use std::sync::Arc;

const BODY: &str = r#"{"model":"m"}"#;

fn bare() -> Request<Body> {
    let mut request = chat(BODY);
    request.headers_mut().remove("authorization");
    request
}

fn vouched(secret: &[u8]) -> Request<Body> {
    let mut request = bare();
    request.extensions_mut().insert(Vouched(KeyHash::of(secret)));
    request
}

async fn gateway() -> (Gateway, Arc<MemoryStore>) {
    let (base, _) = always("200 OK", "", "{}").await;
    let store = store_with_key().await;
    let registry = adapter::Registry::new().with(Fake);
    let gateway = Gateway::builder(store.clone(), registry).build(&[channel("a", &base)]).unwrap();
    (gateway, store)
}

async fn status(gateway: &Gateway, request: Request<Body>) -> StatusCode {
    gateway.answer(request).await.unwrap().status()
}

#[tokio::test]
async fn a_key_can_be_vouched_for_without_its_secret() {
    let (gateway, _) = gateway().await;
    assert_eq!(status(&gateway, vouched(b"sk-1")).await, StatusCode::OK);
    assert_eq!(status(&gateway, vouched(b"sk-2")).await, StatusCode::UNAUTHORIZED, "nobody's hash");
    assert_eq!(status(&gateway, bare()).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_that_was_sent_is_the_one_that_counts() {
    let (gateway, _) = gateway().await;
    let mut request = vouched(b"sk-1");
    request.headers_mut().insert("authorization", "Bearer sk-2".parse().unwrap());
    assert_eq!(status(&gateway, request).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_header_and_no_query_vouches() {
    let (gateway, _) = gateway().await;
    let hash = KeyHash::of(b"sk-1");
    for name in ["vouched", "x-vouched", "x-api-key", "authorization"] {
        let mut request = bare();
        let text: String = hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
        request.headers_mut().insert(name, text.parse().unwrap());
        assert_eq!(status(&gateway, request).await, StatusCode::UNAUTHORIZED, "{name}");
    }
    let mut request = bare();
    *request.uri_mut() = "/v1/chat/completions?vouched=sk-1".parse().unwrap();
    assert_eq!(status(&gateway, request).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn all_other_checks_hold() {
    let (gateway, store) = gateway().await;
    let key = store.key_by_name("k").await.unwrap().unwrap();
    let home = std::net::IpAddr::from([127, 0, 0, 1]);
    store.update_key(&ApiKey { ips: Some(vec![home]), ..key.clone() }, None).await.unwrap();
    assert_eq!(status(&gateway, vouched(b"sk-1")).await, StatusCode::FORBIDDEN, "from nowhere");
    let mut request = vouched(b"sk-1");
    request.extensions_mut().insert(RemoteIp(home));
    assert_eq!(status(&gateway, request).await, StatusCode::OK);
    for (status_now, expected) in
        [(Status::Disabled, StatusCode::FORBIDDEN), (Status::Revoked, StatusCode::UNAUTHORIZED)]
    {
        store.update_key(&ApiKey { status: status_now, ..key.clone() }, None).await.unwrap();
        assert_eq!(status(&gateway, vouched(b"sk-1")).await, expected, "{status_now:?}");
    }
    let expired = ApiKey { expires_at: Some(UnixMicros(1)), ..key };
    store.update_key(&expired, None).await.unwrap();
    assert_eq!(status(&gateway, vouched(b"sk-1")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn only_who_is_refused_is_suspected() {
    let (gateway, store) = gateway().await;
    let from = |mut request: Request<Body>, last| {
        request.extensions_mut().insert(RemoteIp([192, 0, 2, last].into()));
        request
    };
    for _ in 0..3 {
        assert_eq!(status(&gateway, from(vouched(b"sk-1"), 1)).await, StatusCode::OK);
    }
    assert_eq!(gateway.handle().suspects().list(), [], "a request that is let in leaves no trace");
    assert_eq!(status(&gateway, bare()).await, StatusCode::UNAUTHORIZED, "of no known address");
    assert_eq!(status(&gateway, from(bare(), 2)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&gateway, from(vouched(b"sk-2"), 2)).await, StatusCode::UNAUTHORIZED);
    let key = store.key_by_name("k").await.unwrap().unwrap();
    store.update_key(&ApiKey { status: Status::Disabled, ..key }, None).await.unwrap();
    assert_eq!(status(&gateway, from(vouched(b"sk-1"), 2)).await, StatusCode::FORBIDDEN);
    let signed = "AWS4-HMAC-SHA256 Credential=nobody/20261120/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00";
    let mut request = from(bare(), 3);
    request.headers_mut().insert("authorization", signed.parse().unwrap());
    assert_eq!(status(&gateway, request).await, StatusCode::FORBIDDEN);
    let seen = gateway.handle().suspects().list();
    let seen: Vec<_> = seen.iter().map(|one| (one.to_string(), one.unauthenticated, one.forbidden)).collect();
    assert_eq!(seen, [("192.0.2.2".to_owned(), 2, 1), ("192.0.2.3".to_owned(), 0, 1)]);
}

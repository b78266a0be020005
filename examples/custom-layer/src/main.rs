//! The three places where an embedder's own layers go in.
//!
//! - *outside*: every request, before anything is known of it. Here: a maintenance switch.
//! - *inside*: the caller and the body are known, nothing is counted yet. Here: a word nobody may send.
//! - *attempt*: around each try at a provider. Here: a header that tells the provider's proxy the region.
//!
//! ```sh
//! cargo run -p burncloud-custom-layer
//! ```

use burncloud_core::adapter::Registry;
use burncloud_core::store::{KeyStore, MemoryStore, NewKey, UserStore};
use burncloud_core::{
    Body, BoxError, ChannelConfig, ChannelId, ChannelSettings, Context, Error, ErrorKind, Gateway,
    InnerService, KeyHash, Limits, Status,
};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tower::{Service, ServiceExt, layer::layer_fn, service_fn, util::BoxCloneSyncService};

/// A layer from an async function that gets the request and the service below.
fn from_fn<F, Fut>(f: F) -> impl tower::Layer<InnerService, Service = InnerService> + Send + Sync + 'static
where
    F: Fn(Request<Body>, InnerService) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<Body>, BoxError>> + Send + 'static,
{
    layer_fn(move |inner: InnerService| {
        let f = f.clone();
        BoxCloneSyncService::new(service_fn(move |request| f(request, inner.clone())))
    })
}

/// Refuses everything while the switch is on.
async fn maintenance(
    closed: Arc<AtomicBool>,
    request: Request<Body>,
    inner: InnerService,
) -> Result<Response<Body>, BoxError> {
    if closed.load(Relaxed) {
        // An error of ours becomes an answer in the caller's dialect; anything else becomes a 500.
        return Err(Error::new(ErrorKind::Unavailable, "closed for maintenance").into());
    }
    inner.oneshot(request).await
}

/// Refuses a word, and says who sent it.
async fn guard(request: Request<Body>, inner: InnerService) -> Result<Response<Body>, BoxError> {
    let context = Context::of(&request)?;
    let body = &context.inspected()?.body;
    if body.windows(8).any(|word| word == b"swordfis") {
        let who = &context.caller()?.user.name;
        return Err(Error::new(ErrorKind::Forbidden, format!("not that word, {who}")).into());
    }
    inner.oneshot(request).await
}

/// Adds a header to each attempt. The credential is not there yet: it is added below.
async fn region(mut request: Request<Body>, mut inner: InnerService) -> Result<Response<Body>, BoxError> {
    request.headers_mut().insert("x-region", HeaderValue::from_static("eu-west-1"));
    inner.ready().await?.call(request).await
}

async fn build(closed: Arc<AtomicBool>, base_url: &str) -> Result<Gateway, Box<dyn std::error::Error>> {
    let store = Arc::new(MemoryStore::default());
    let user = store.user_by_name("default").await?.ok_or("no default user")?;
    let key = NewKey {
        name: "k".into(),
        hint: String::new(),
        hash: KeyHash::of(b"sk-custom"),
        user: user.id,
        quota: None,
        limits: Limits::default(),
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    };
    store.create_key(key).await?;
    let channel = ChannelConfig {
        id: ChannelId(1),
        name: "local".into(),
        provider: "ollama".into(),
        base_url: Some(base_url.to_owned()),
        credential: String::new().into(),
        models: vec!["llama".into()],
        model_mapping: Default::default(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    };
    let registry: Registry = burncloud_adapters::registry();
    let gateway = Gateway::builder(store, registry)
        .layer_outside(from_fn(move |request, inner| maintenance(closed.clone(), request, inner)))
        .layer_inside(from_fn(guard))
        .layer_attempt(from_fn(region))
        .build(&[channel])?;
    Ok(gateway)
}

async fn ask(gateway: &Gateway, text: &str) -> Result<(u16, String), Box<dyn std::error::Error>> {
    let body = format!(r#"{{"model":"llama","messages":[{{"role":"user","content":"{text}"}}]}}"#);
    let request = Request::post("/v1/chat/completions")
        .header("authorization", "Bearer sk-custom")
        .header("content-type", "application/json")
        .body(Body::from(body))?;
    let response = gateway.answer(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let closed = Arc::new(AtomicBool::new(false));
    let gateway = build(closed.clone(), "http://127.0.0.1:11434").await?;
    println!("a local model:   {:?}", ask(&gateway, "hello").await?);
    println!("the guard:       {:?}", ask(&gateway, "swordfish").await?);
    closed.store(true, Relaxed);
    println!("maintenance:     {:?}", ask(&gateway, "hello").await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A provider that answers with the head it got.
    async fn echo() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 4096];
                let n = stream.read(&mut bytes).await.unwrap();
                let head = String::from_utf8_lossy(&bytes[..n]).split("\r\n\r\n").next().unwrap().to_owned();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn each_place_does_what_it_is_for() {
        let closed = Arc::new(AtomicBool::new(false));
        let gateway = build(closed.clone(), &echo().await).await.unwrap();
        let (status, head) = ask(&gateway, "hello").await.unwrap();
        assert!(status == 200 && head.contains("x-region: eu-west-1"), "{head}");
        let (status, refusal) = ask(&gateway, "swordfish").await.unwrap();
        assert!(status == 403 && refusal.contains("not that word, default"), "{refusal}");
        closed.store(true, Relaxed);
        let (status, refusal) = ask(&gateway, "hello").await.unwrap();
        assert!(status == 503 && refusal.contains("\"server_error\""), "{refusal}");
    }
}

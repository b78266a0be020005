//! The gateway with no socket in front: a request goes in as a value, the answer comes out as one.
//!
//! ```sh
//! OPENAI_API_KEY=sk-… cargo run -p burncloud-in-process -- "Say hello in one word"
//! ```

use burncloud_core::store::{KeyStore, MemoryStore, NewKey, UserStore};
use burncloud_core::{Body, ChannelConfig, ChannelId, ChannelSettings, Gateway, KeyHash, Limits, Status};
use http::Request;
use http_body_util::BodyExt;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prompt = std::env::args().nth(1).unwrap_or_else(|| "Say hello in one word".to_owned());
    let base_url = std::env::var("OPENAI_BASE_URL").ok();
    let credential = std::env::var("OPENAI_API_KEY").unwrap_or_default();
    let gateway = gateway(base_url, credential).await?;

    let ask = serde_json::json!({ "model": "fast", "messages": [{ "role": "user", "content": prompt }] });
    let request = Request::post("/v1/chat/completions")
        .header("authorization", "Bearer sk-in-process")
        .header("content-type", "application/json")
        .body(Body::from(ask.to_string()))?;
    let response = gateway.answer(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
    println!("{status}\n{}", String::from_utf8_lossy(&body));
    Ok(())
}

/// One key, one channel, everything in memory.
async fn gateway(
    base_url: Option<String>,
    credential: String,
) -> Result<Gateway, Box<dyn std::error::Error>> {
    let store = Arc::new(MemoryStore::default());
    let user = store.user_by_name("default").await?.ok_or("no default user")?;
    store
        .create_key(NewKey {
            name: "mine".into(),
            hint: "sk-in-…".into(),
            hash: KeyHash::of(b"sk-in-process"),
            user: user.id,
            quota: None,
            limits: Limits::default(),
            models: None,
            ips: None,
            expires_at: None,
            group: None,
            apps: None,
        })
        .await?;
    let channel = ChannelConfig {
        id: ChannelId(1),
        name: "openai".into(),
        provider: "openai".into(),
        base_url,
        credential: credential.into(),
        models: vec!["gpt-4o-mini".into()],
        model_mapping: [("fast".to_owned(), "gpt-4o-mini".to_owned())].into(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    };
    Ok(Gateway::builder(store, burncloud_adapters::registry()).build(&[channel])?)
}

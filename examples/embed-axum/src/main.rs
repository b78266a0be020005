//! The gateway inside an axum application, beside routes of its own.
//!
//! ```sh
//! OPENAI_API_KEY=sk-… cargo run -p burncloud-embed-axum
//! curl localhost:3000/hello
//! curl localhost:3000/v1/models -H 'authorization: Bearer sk-embedded'
//! ```

use axum::{Router, routing::get};
use burncloud_core::store::{KeyStore, MemoryStore, NewKey, UserStore};
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, Gateway, KeyHash, Limits, Nano, Status};
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Arc::new(MemoryStore::default());
    let user = store.user_by_name("default").await?.ok_or("no default user")?;
    let key = NewKey {
        name: "embedded".into(),
        hint: "sk-emb…".into(),
        hash: KeyHash::of(b"sk-embedded"),
        user: user.id,
        quota: Some("10.00".parse::<Nano>()?),
        limits: Limits { requests_per_minute: Some(60), ..Limits::default() },
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    };
    store.create_key(key).await?;
    let channel = ChannelConfig {
        id: ChannelId(1),
        name: "openai".into(),
        provider: "openai".into(),
        base_url: std::env::var("OPENAI_BASE_URL").ok(),
        credential: std::env::var("OPENAI_API_KEY").unwrap_or_default().into(),
        models: vec!["gpt-4o-mini".into()],
        model_mapping: Default::default(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    };
    let gateway = Gateway::builder(store, burncloud_adapters::registry()).build(&[channel])?;

    let app = Router::new().route("/hello", get(|| async { "hello" })).fallback_service(gateway);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

//! Channels that serve some groups of callers alone.

use crate::support::*;
use burncloud_core::store::{KeyStore, MemoryStore, UserStore};
use burncloud_core::*;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

struct Grouped {
    gateway: Gateway,
    store: Arc<MemoryStore>,
}

impl Grouped {
    async fn of(channels: &[ChannelConfig]) -> Grouped {
        let store = store_with_key().await;
        let registry = adapter::Registry::new().with(Fake);
        Grouped { gateway: Gateway::builder(store.clone(), registry).build(channels).unwrap(), store }
    }

    /// Puts the key into a group, and its user.
    async fn belongs(&self, key: Option<&str>, user: Option<&str>) {
        let stored = self.store.key_by_name("k").await.unwrap().unwrap();
        self.store.update_key(&ApiKey { group: key.map(str::to_owned), ..stored }, None).await.unwrap();
        let stored = self.store.user_by_name("default").await.unwrap().unwrap();
        self.store.update_user(&User { group: user.map(str::to_owned), ..stored }).await.unwrap();
    }

    async fn ask(&self, model: &str) -> (StatusCode, String) {
        let answer = self.gateway.answer(chat(&format!(r#"{{"model":"{model}"}}"#))).await.unwrap();
        let status = answer.status();
        (status, String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    async fn models(&self) -> Vec<String> {
        let request = Request::get("/v1/models").header("authorization", "Bearer sk-1").body(Body::empty());
        let answer = self.gateway.answer(request.unwrap()).await.unwrap();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        json["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn serving(name: &str, base: &str, model: &str, groups: &[&str]) -> ChannelConfig {
    let mut config = channel(name, base);
    config.models = vec![model.into()];
    config.model_mapping.clear();
    config.settings.groups = groups.iter().map(|group| (*group).to_owned()).collect();
    config
}

#[tokio::test]
async fn only_its_groups_reach_a_channel() {
    let (open, _) = always("200 OK", "", "open").await;
    let (vip, asked) = always("200 OK", "", "vip").await;
    let mut first = serving("vip", &vip, "m", &["vip", "staff"]);
    first.priority = 1;
    let own = serving("own", &vip, "own", &["vip"]);
    let grouped = Grouped::of(&[serving("open", &open, "m", &[]), first, own]).await;
    for (key, user, served) in [
        (None, None, "open"),
        (Some("other"), None, "open"),
        (Some("other"), Some("vip"), "open"),
        (None, Some("staff"), "vip"),
        (Some("vip"), Some("other"), "vip"),
    ] {
        grouped.belongs(key, user).await;
        assert_eq!(grouped.ask("m").await, (StatusCode::OK, served.into()), "{key:?} {user:?}");
    }
    assert_eq!(grouped.models().await, ["m", "own"]);
    let before = asked.load(SeqCst);
    grouped.belongs(Some("staff"), None).await;
    let (status, body) = grouped.ask("own").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
    assert!(body.contains("model_not_found"), "{body}");
    assert_eq!(grouped.models().await, ["m"]);
    assert_eq!(asked.load(SeqCst), before);
}

#[tokio::test]
async fn failover_stays_within_the_group() {
    let (broken, _) = always("503 x", "", "{}").await;
    let (vip, asked) = always("200 OK", "", "vip").await;
    let grouped =
        Grouped::of(&[serving("open", &broken, "m", &[]), serving("vip", &vip, "m", &["vip"])]).await;
    assert_eq!(grouped.ask("m").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(asked.load(SeqCst), 0);
    grouped.belongs(None, Some("vip")).await;
    assert_eq!(grouped.ask("m").await, (StatusCode::OK, "vip".into()));
}

//! Channels and prices.

use super::{assert_conflict, assert_not_found};
use crate::store::{PriceOverride, Store};
use crate::{
    ChannelConfig, ChannelId, ChannelSettings, ScriptFailure, ScriptSettings, Status, SystemPrompt,
    SystemPromptMode, TenantId, TimeoutSettings, UnixMicros,
};
use secrecy::ExposeSecret;
use std::sync::Arc;

fn channel(name: &str) -> ChannelConfig {
    ChannelConfig {
        id: ChannelId(123_456),
        name: name.into(),
        provider: "openai".into(),
        base_url: None,
        credential: String::new().into(),
        models: Vec::new(),
        model_mapping: Default::default(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    }
}

fn full(name: &str) -> ChannelConfig {
    ChannelConfig {
        base_url: Some("https://example.test/v1".into()),
        credential: "sk-秘密\n{\"json\": true}".to_owned().into(),
        models: vec!["gpt-5".into(), "模型".into()],
        model_mapping: [("fast".to_owned(), "gpt-5-mini".to_owned())].into(),
        priority: i32::MIN,
        weight: u32::MAX,
        status: Status::Disabled,
        settings: ChannelSettings {
            groups: vec!["vip".into(), "staff".into()],
            timeouts: TimeoutSettings {
                connect_ms: Some(1),
                first_byte_ms: Some(2),
                idle_ms: Some(3),
                total_ms: Some(u64::MAX),
            },
            include_usage: Some(false),
            concurrency: Some(9),
            proxy: Some("http://proxy.test:3128".into()),
            options: [("region".to_owned(), "eu-1".to_owned())].into(),
            strict: Some(true),
            body_override: [("temperature".to_owned(), serde_json::json!(0.5))].into(),
            header_override: [("x-a".to_owned(), "b".to_owned())].into(),
            status_mapping: [(404, 503)].into(),
            system_prompt: Some(SystemPrompt { text: "Be kind.".into(), mode: SystemPromptMode::Append }),
            transforms: Some("request: []".into()),
            script: Some(ScriptSettings { source: "1".into(), on_error: ScriptFailure::Skip }),
        },
        ..channel(name)
    }
}

#[track_caller]
fn assert_same(found: &ChannelConfig, expected: &ChannelConfig, promise: &str) {
    let secret = |c: &ChannelConfig| c.credential.expose_secret().to_owned();
    assert_eq!(secret(found), secret(expected), "{promise}: the credential");
    // Everything else; `Debug` leaves the credential out.
    assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{promise}");
}

pub(super) async fn every_field_of_a_channel_is_kept<S: Store>(store: Arc<S>) {
    for new in [channel("plain"), full("full"), full("通道 🚀")] {
        let made = store.create_channel(new.clone()).await.expect("create_channel makes one");
        assert_ne!(made.id, new.id, "the id asked for is ignored");
        assert_same(
            &made,
            &ChannelConfig { id: made.id, ..new.clone() },
            "create_channel returns what it made",
        );
        let found = store.channel_by_name(&new.name).await.expect("channel_by_name answers");
        assert_same(&found.expect("it is found"), &made, "a channel comes back as it went in");
    }
    let all = store.channels().await.expect("channels answers");
    let names: Vec<&str> = all.iter().map(|c| &*c.name).collect();
    assert_eq!(names, ["plain", "full", "通道 🚀"], "channels lists all in the order of their ids");
    assert_eq!(all[1].credential.expose_secret(), full("").credential.expose_secret(), "with credentials");
    assert!(store.channel_by_name("none").await.expect("channel_by_name answers").is_none());
}

pub(super) async fn channels_are_unique_by_name<S: Store>(store: Arc<S>) {
    let one = store.create_channel(channel("one")).await.expect("create_channel makes one");
    let two = store.create_channel(channel("two")).await.expect("create_channel makes one");
    assert_conflict(store.create_channel(channel("one")).await, "a taken channel's name");
    let renamed = ChannelConfig { name: "one".into(), ..two.clone() };
    assert_conflict(store.update_channel(&renamed).await, "renaming a channel to a taken name");
    let all = store.channels().await.expect("channels answers");
    let seen: Vec<_> = all.iter().map(|c| (c.id, &*c.name)).collect();
    assert_eq!(seen, [(one.id, "one"), (two.id, "two")], "a refused change leaves nothing behind");
}

pub(super) async fn channels_are_changed_and_removed<S: Store>(store: Arc<S>) {
    let made = store.create_channel(channel("c")).await.expect("create_channel makes one");
    let change = ChannelConfig { id: made.id, ..full("renamed") };
    store.update_channel(&change).await.expect("update_channel replaces");
    let found = store.channel_by_name("renamed").await.expect("channel_by_name answers");
    assert_same(&found.expect("it is found"), &change, "update_channel replaces everything but the id");
    let unknown = ChannelConfig { id: ChannelId(9_999), ..full("unknown") };
    assert_not_found(store.update_channel(&unknown).await, "updating an unknown channel");

    store.delete_channel(made.id).await.expect("delete_channel removes");
    assert!(store.channels().await.expect("channels answers").is_empty(), "a removed channel is gone");
    assert_not_found(store.delete_channel(made.id).await, "removing it again");
    assert_not_found(store.update_channel(&change).await, "updating a removed channel");
    let again = store.create_channel(channel("renamed")).await.expect("its name is free again");
    assert_ne!(again.id, made.id, "its id is never given again: receipts keep it");
}

pub(super) async fn prices_are_only_added<S: Store>(store: Arc<S>) {
    assert!(store.prices().await.expect("prices answers").is_empty(), "a new store has no price");
    let price = |model: &str, at: i64| PriceOverride {
        book: (at > 100).then_some(TenantId(4)),
        channel: (at > 200).then_some(ChannelId(5)),
        version: 77,
        model: model.into(),
        effective_at: UnixMicros(at),
        rates: serde_json::json!({ "input": "2.50", "tiers": [{ "above": 200_000, "名": null }] }),
    };
    let asked = [price("b", 5), price("a", -1), price("b", 5), price("*", 101), price("", 201)];
    let mut expected: Vec<PriceOverride> = Vec::new();
    for price in asked {
        let version = store.add_price(price.clone()).await.expect("add_price adds");
        assert!(expected.iter().all(|p| p.version < version), "versions increase");
        expected.push(PriceOverride { version, ..price });
    }
    let found = store.prices().await.expect("prices answers");
    assert_eq!(found, expected, "all prices, in the order of their versions, none replaced");
}

//! The official SDKs, through the gateway: they must not be able to tell.

use crate::common::*;
use burncloud_tests::config::{Key, secret_of};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::Request;
use burncloud_tests::sdk::Script;
use burncloud_tests::upstream::{Behaviour, Upstream};
use serde_json::{Value, json};

/// A model that the provider rejects, beside those of [`config`].
const REJECTED: [&str; 3] = ["gpt-4o", "claude-haiku-4-5", "gemini-2.5-pro"];

async fn stage() -> (Upstream, Gateway) {
    let upstream = Upstream::start().await;
    for model in REJECTED {
        upstream.on_model(model, Behaviour::Status(400, Vec::new()));
    }
    let url = upstream.url();
    let rejecting = [("o", "openai"), ("a", "anthropic"), ("g", "gemini")];
    let mut config = config(&upstream)
        .key(Key::new("broke").line("quota_usd = \"0.000000001\""))
        .key(Key::new("narrow").line("models = [\"nothing-else\"]"))
        .key(Key::new("limited").line("rate_limit = { requests_per_minute = 1 }"));
    for ((name, provider), model) in rejecting.into_iter().zip(REJECTED) {
        config = config.channel(burncloud_tests::config::Channel::new(name, provider, &url).models([model]));
    }
    (upstream, Gateway::start(config).await)
}

/// The orders for a script, after using up the one request that the limited key has.
async fn orders(gateway: &Gateway, model: &str, rejected: &str, warm: Request) -> Value {
    assert_eq!(gateway.ask("limited", warm).await.status, 200);
    let error = |status: u16, key: &str, model: &str| json!({"status": status, "key": key, "model": model});
    json!({"base": gateway.url(), "key": secret_of("dev"), "model": model, "listed": [model], "errors": [
        error(400, &secret_of("dev"), rejected),
        error(402, &secret_of("broke"), model),
        error(403, &secret_of("narrow"), model),
        error(404, &secret_of("dev"), "no-such-model"),
        error(429, &secret_of("limited"), model),
    ]})
}

fn with_unknown_key(mut orders: Value, status: u16) -> Value {
    let model = orders["model"].clone();
    let unknown = json!({"status": status, "key": "sk-burn-unknown", "model": model});
    orders["errors"].as_array_mut().unwrap().push(unknown);
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_sdks_cannot_tell() {
    for script in [Script::PythonOpenAi, Script::NodeOpenAi] {
        let (_upstream, gateway) = stage().await;
        let orders = orders(&gateway, MODEL, REJECTED[0], chat(MODEL)).await;
        script.run(&with_unknown_key(orders, 401)).await;
        gateway.idle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anthropic_sdks_cannot_tell() {
    for script in [Script::PythonAnthropic, Script::PythonAnthropicLegacy, Script::NodeAnthropic] {
        let (_upstream, gateway) = stage().await;
        let orders = orders(&gateway, CLAUDE, REJECTED[1], message(false)).await;
        script.run(&with_unknown_key(orders, 401)).await;
        gateway.idle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_google_sdk_cannot_tell() {
    let (_upstream, gateway) = stage().await;
    let orders = orders(&gateway, GEMINI, REJECTED[2], generate(false)).await;
    Script::PythonGoogle.run(&with_unknown_key(orders, 401)).await;
    gateway.idle().await;
}

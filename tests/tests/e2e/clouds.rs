//! Azure and Vertex on both sides: their callers' SDKs, and they themselves as providers.

use crate::common::*;
use burncloud_tests::config::{Channel, Config, Key, secret_of};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::sdk::Script;
use burncloud_tests::upstream::{Behaviour, Canned, Upstream};
use serde_json::{Value, json};

fn orders(gateway: &Gateway) -> Value {
    json!({"base": gateway.url(), "key": secret_of("dev"), "model": MODEL, "claude": CLAUDE, "gemini": GEMINI,
        "listed": [], "errors": []})
}

/// A token service that believes everyone.
async fn login() -> Upstream {
    let login = Upstream::start().await;
    let token = json!({"access_token": "ya29.made-up", "expires_in": 3600, "token_type": "Bearer"});
    login.always(Behaviour::Canned(Box::new(Canned {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        frames: vec![token.to_string().into_bytes()],
        chunked: false,
    })));
    login
}

/// A service account's key file, as Google hands it out. `None`, said aloud, without `openssl`.
fn key_file(login: &Upstream) -> Option<tempfile::NamedTempFile> {
    let arguments = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let made = std::process::Command::new("openssl").args(arguments).output();
    let Some(made) = made.ok().filter(|made| made.status.success()) else {
        burncloud_tests::skip("a service account", "no openssl to make its key");
        return None;
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let account = json!({"type": "service_account", "project_id": "project-1", "private_key_id": "k",
        "private_key": String::from_utf8(made.stdout).unwrap(), "client_email": "e@project-1.example.com",
        "token_uri": format!("{}/token", login.url())});
    std::fs::write(file.path(), serde_json::to_string_pretty(&account).unwrap()).unwrap();
    Some(file)
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_clouds_reach_clouds() {
    let (upstream, login) = (Upstream::start().await, login().await);
    let Some(file) = key_file(&login) else { return };
    let azure = "options = { api_version = \"2025-03-01-preview\" }";
    let config = Config::new()
        .channel(Channel::new("azure", "azure", &upstream.url()).models([MODEL]).line(azure))
        .channel(Channel::new("foundry", "azure", &upstream.url()).models([CLAUDE]).line("priority = 1"))
        .channel(
            Channel::new("vertex", "vertex", &upstream.url())
                .models([CLAUDE, GEMINI])
                .credential_from(file.path())
                .line("options = { location = \"europe-west4\" }"),
        )
        .key(Key::new("dev"));
    let gateway = Gateway::start(config).await;
    let report = Script::PythonClouds.run(&orders(&gateway)).await;
    gateway.idle().await;
    if report.is_none() {
        return;
    }
    let paths: Vec<String> = upstream.requests().iter().map(|request| request.target.clone()).collect();
    let parent = "/projects/project-1/locations/europe-west4/publishers";
    for path in [
        format!("/openai/deployments/{MODEL}/chat/completions?api-version=2025-03-01-preview"),
        "/openai/responses?api-version=2025-03-01-preview".to_owned(),
        "/anthropic/v1/messages".to_owned(),
        format!("/v1{parent}/anthropic/models/{CLAUDE}:rawPredict"),
        format!("/v1{parent}/anthropic/models/{CLAUDE}:streamRawPredict"),
        format!("/v1beta1{parent}/google/models/{GEMINI}:streamGenerateContent?alt=sse"),
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:#?}");
    }
    assert_eq!(login.served(), 1, "one token serves them all");
    let at_vertex = upstream.requests().into_iter().filter(|request| request.path().contains(parent));
    for request in at_vertex {
        assert_eq!(request.headers.get("authorization"), Some("Bearer ya29.made-up"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_clouds_reach_the_providers_themselves() {
    let (upstream, gateway) = pair().await;
    if Script::PythonClouds.run(&orders(&gateway)).await.is_none() {
        return;
    }
    gateway.idle().await;
    let requests = upstream.requests();
    for path in ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens"] {
        assert!(requests.iter().any(|request| request.target == path), "{path} was not asked");
    }
    let gemini = format!("/v1beta/models/{GEMINI}:generateContent");
    assert!(requests.iter().any(|request| request.target == gemini), "{gemini} was not asked");
    for request in requests.iter().filter(|request| request.path().starts_with("/v1/messages")) {
        assert_eq!(request.json()["model"], CLAUDE);
        assert_eq!(request.json()["anthropic_version"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropics_own_client_reaches_claude_at_vertex() {
    let (upstream, login) = (Upstream::start().await, login().await);
    let Some(file) = key_file(&login) else { return };
    let vertex =
        Channel::new("vertex", "vertex", &upstream.url()).models([CLAUDE]).credential_from(file.path());
    let gateway = Gateway::start(Config::new().channel(vertex).key(Key::new("dev"))).await;
    let mut orders = orders(&gateway);
    orders["model"] = json!(CLAUDE);
    for script in [Script::PythonAnthropic, Script::PythonAnthropicLegacy] {
        script.run(&orders).await;
    }
    gateway.idle().await;
    let receipt = gateway.receipt_of(&gateway.ask("dev", message(false)).await.trace_id()).await;
    assert_eq!(tokens(&receipt), CLAUDE_TOKENS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_with_options_is_made_and_checked_on_the_command_line() {
    let (_upstream, gateway) = pair().await;
    // Any variable will do for a key.
    let create = |option: &'static str| {
        [
            "channels",
            "create",
            "az",
            "--provider",
            "azure",
            "--base-url",
            "https://example.openai.azure.com",
            "--credential-env",
            "PATH",
            "--models",
            "gpt-x",
            "--option",
            option,
        ]
    };
    let refused = gateway.run(&create("api_version=soon")).await;
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("options.api_version"), "{refused:?}");
    let made = gateway.cli(&create("api_version=2024-10-21")).await;
    assert_eq!(made["settings"]["options"]["api_version"], "2024-10-21", "{made}");
}

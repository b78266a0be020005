//! Accounts looked at before they are used: every family's list of models, and everything else that may come instead.

use crate::google::{key_file, keys, login};
use crate::support::*;
use burncloud_core::ChannelConfig;
use burncloud_core::routing::Timeouts;
use burncloud_core::usecase::channels::{Probe, ProbeOutcome, Speed, SpeedOf, probe, speed};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const KEY: &str = "sk-0123456789abcdef";
const NOBODY: &str = r#"{"error":{"message":"no such key"}}"#;

fn account(provider: &str, url: &str, credential: &str, options: &[(&str, &str)]) -> ChannelConfig {
    channel(provider, url, credential, &[], options)
}

async fn look(config: &ChannelConfig) -> Probe {
    let probe = probe(&burncloud_adapters::registry(), config, &Timeouts::default()).await.unwrap();
    assert!(!probe.message.contains(KEY), "{}", probe.message);
    probe
}

async fn clock(config: &ChannelConfig) -> Speed {
    speed(&burncloud_adapters::registry(), config, &Timeouts::default()).await.unwrap()
}

fn names(probe: &Probe) -> Vec<&str> {
    probe.models.iter().map(|model| &*model.name).collect()
}

/// A service that says this to whoever has the key, whatever header it comes in.
async fn service(says: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Service {
    Service::start(move |asked| {
        let keys = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
        let known = |value: &str| value.strip_prefix("Bearer ").unwrap_or(value) == KEY;
        match keys.iter().any(|name| asked.header(name).is_some_and(known)) {
            true => says(asked),
            false => (401, JSON, NOBODY.into()),
        }
    })
    .await
}

#[tokio::test]
async fn openai_and_those_who_speak_its_api() {
    let list = r#"{"data":[{"id":"a","context_length":9},{"id":"b"},{"id":"a"},{"id":"with space"}]}"#;
    let service = service(|_| (200, JSON, list.into())).await;
    for provider in ["openai", "openai-compatible", "groq", "vllm", "mistral"] {
        let probe = look(&account(provider, &format!("{}/v1", service.url), KEY, &[])).await;
        assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec!["a", "b"]), "{provider}");
        assert_eq!(probe.models[0].context_window, Some(9));
        assert!(probe.message.contains("2 models"), "{}", probe.message);
    }
    let paths: Vec<String> = service.seen().into_iter().map(|seen| seen.path).collect();
    assert!(paths.iter().all(|path| path == "/v1/models"), "{paths:?}");
    let probe = look(&account("deepseek", &service.url, KEY, &[])).await;
    assert_eq!(probe.outcome, ProbeOutcome::Works);
    assert_eq!(service.last().path, "/models");
    let probe = look(&account("openai", &service.url, KEY, &[("api", "responses")])).await;
    assert_eq!(names(&probe), ["a", "b"]);
}

#[tokio::test]
async fn a_public_list_shows_nothing_of_the_credential() {
    let service = Service::start(|asked| match &*asked.path {
        "/v1/models" => (200, JSON, r#"{"data":[{"id":"a"}]}"#.into()),
        "/v1/key" if asked.header("authorization") == Some("Bearer sk-0123456789abcdef") => {
            (200, JSON, "{}".into())
        }
        _ => (401, JSON, NOBODY.into()),
    })
    .await;
    let root = format!("{}/v1", service.url);
    let probe = look(&account("openai-compatible", &root, KEY, &[])).await;
    assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Uncheckable, vec!["a"]));
    let probe = look(&account("openai-compatible", &root, "", &[])).await;
    assert_eq!(probe.outcome, ProbeOutcome::Works, "a server that wants no key");
    let probe = look(&account("openrouter", &root, KEY, &[])).await;
    assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec!["a"]));
    let probe = look(&account("openrouter", &root, "sk-wrong-0123", &[])).await;
    assert_eq!(probe.outcome, ProbeOutcome::CredentialRefused);
}

#[tokio::test]
async fn anthropic_page_by_page() {
    let service = service(|asked| {
        assert_eq!((&*asked.path, asked.header("anthropic-version")), ("/v1/models", Some("2023-06-01")));
        let body = match asked.asked("after_id") {
            None => json!({"data": [{"id": "claude-a", "display_name": "A"}], "has_more": true, "last_id": "claude-a"}),
            Some("claude-a") => json!({"data": [{"id": "claude-b"}], "has_more": false, "last_id": "claude-b"}),
            Some(other) => panic!("{other}"),
        };
        (200, JSON, body.to_string())
    })
    .await;
    let probe = look(&account("anthropic", &service.url, KEY, &[])).await;
    assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec!["claude-a", "claude-b"]));
    assert_eq!(probe.models[0].display.as_deref(), Some("A"));
}

#[tokio::test]
async fn pages_without_end_are_given_up() {
    let service = service(|asked| {
        let at: u32 = asked.asked("after_id").map_or(0, |id| id.parse().unwrap());
        let id = (at + 1).to_string();
        (200, JSON, json!({"data": [{"id": id}], "has_more": true, "last_id": id}).to_string())
    })
    .await;
    let probe = look(&account("anthropic", &service.url, KEY, &[])).await;
    assert_eq!((probe.outcome, probe.models.len()), (ProbeOutcome::Works, 10));
    assert!(probe.message.contains("incomplete"), "{}", probe.message);
}

#[tokio::test]
async fn gemini_and_cohere() {
    let gemini = service(|asked| {
        assert_eq!(asked.path, "/v1beta/models");
        let body = match asked.asked("pageToken") {
            None => json!({"models": [{"name": "models/g-1", "inputTokenLimit": 7}], "nextPageToken": "t/2"}),
            Some("t%2F2") => json!({"models": [{"name": "models/g-2"}]}),
            Some(other) => panic!("{other}"),
        };
        (200, JSON, body.to_string())
    })
    .await;
    let probe = look(&account("gemini", &gemini.url, KEY, &[])).await;
    assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec!["g-1", "g-2"]));
    let cohere = service(|asked| {
        assert_eq!(asked.path, "/v1/models");
        let models = json!([{"name": "command", "endpoints": ["chat"], "context_length": 5},
            {"name": "old", "endpoints": ["classify"]}]);
        (200, JSON, json!({ "models": models }).to_string())
    })
    .await;
    let probe = look(&account("cohere", &cohere.url, KEY, &[])).await;
    assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec!["command"]));
}

#[tokio::test]
async fn azure_lists_no_deployments() {
    let service = service(|asked| {
        let dated = asked.path == "/openai/models" && asked.asked("api-version") == Some("2024-10-21");
        assert!(dated || asked.path == "/openai/v1/models", "{asked:?}");
        (200, JSON, r#"{"data":[{"id":"gpt-base"}]}"#.into())
    })
    .await;
    for options in [&[][..], &[("api_version", "2024-10-21")]] {
        let mut config = account("azure", &service.url, KEY, options);
        config.models = vec!["mine".into()];
        let probe = look(&config).await;
        assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec![]));
        assert!(probe.message.contains("deployments"), "{}", probe.message);
    }
    let probe = look(&account("azure", &service.url, KEY, &[("api", "anthropic")])).await;
    assert_eq!(probe.outcome, ProbeOutcome::Uncheckable);
}

#[tokio::test]
async fn bedrock_signs_and_lists_both_kinds() {
    let service = Service::start(|asked| {
        let known = |text: &str| text.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/");
        if !asked.header("authorization").is_some_and(known) {
            return (403, JSON, r#"{"message":"Missing Authentication Token"}"#.into());
        }
        match &*asked.path {
            "/foundation-models" => (200, JSON, r#"{"modelSummaries":[{"modelId":"x.y"}]}"#.into()),
            "/inference-profiles" if asked.asked("nextToken") == Some("n%3D") => {
                (200, JSON, r#"{"inferenceProfileSummaries":[{"inferenceProfileId":"eu.b"}]}"#.into())
            }
            "/inference-profiles" => {
                let body =
                    r#"{"inferenceProfileSummaries":[{"inferenceProfileId":"eu.a"}],"nextToken":"n="}"#;
                (200, JSON, body.into())
            }
            _ => (404, JSON, "{}".into()),
        }
    })
    .await;
    let key = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG";
    let probe = look(&account("bedrock", &service.url, key, &[])).await;
    assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec!["x.y", "eu.a", "eu.b"]));
    let denied = Service::start(|_| {
        (
            403,
            JSON,
            r#"{"Message":"User: arn:x is not authorized to perform: bedrock:ListFoundationModels"}"#.into(),
        )
    })
    .await;
    let probe = look(&account("bedrock", &denied.url, key, &[])).await;
    assert_eq!(probe.outcome, ProbeOutcome::Uncheckable);
    assert!(probe.message.contains("bedrock:ListFoundationModels"), "{}", probe.message);
}

#[tokio::test]
async fn vertex_fetches_a_token_first() {
    let Some((pem, _)) = keys() else { return };
    let tokens = Tokens::default();
    let door = login(&tokens, Duration::from_secs(3600), &Arc::default()).await;
    let google = Service::start(move |asked| match &*asked.path {
        "/v1beta1/publishers/google/models" if tokens.accepts(asked.header("authorization")) => {
            (200, JSON, r#"{"publisherModels":[{"name":"publishers/google/models/gemini-x"}]}"#.into())
        }
        _ => (401, JSON, NOBODY.into()),
    })
    .await;
    let credential = key_file(pem, &format!("{}/token", door.url));
    let probe = look(&account("vertex", &google.url, &credential, &[])).await;
    assert_eq!((probe.outcome, names(&probe)), (ProbeOutcome::Works, vec!["gemini-x"]), "{}", probe.message);
    let closed = Service::start(|_| (400, JSON, r#"{"error":"invalid_grant"}"#.into())).await;
    let credential = key_file(pem, &format!("{}/token", closed.url));
    let probe = look(&account("vertex", &google.url, &credential, &[])).await;
    assert_eq!(probe.outcome, ProbeOutcome::CredentialRefused);
    assert!(probe.message.contains("invalid_grant"), "{}", probe.message);
    let probe = look(&account("vertex", &google.url, "AIza-a-key", &[])).await;
    assert_eq!(probe.outcome, ProbeOutcome::Uncheckable);
    let timed = clock(&account("vertex", &google.url, "AIza-a-key", &[])).await;
    assert!(timed.how == SpeedOf::Connect && timed.took.is_some(), "{timed:?}");
}

#[tokio::test]
async fn what_else_may_come() {
    use ProbeOutcome as P;
    for (status, body, outcome) in [
        (401, r#"{"error":{"message":"no"}}"#, P::CredentialRefused),
        (403, "{}", P::CredentialRefused),
        (402, r#"{"error":{"message":"Insufficient Balance"}}"#, P::OutOfCredit),
        (429, r#"{"error":{"code":"insufficient_quota"}}"#, P::OutOfCredit),
        (429, r#"{"error":{"message":"slow down"}}"#, P::RateLimited),
        (403, r#"{"error":{"message":"Missing scopes: api.model.read"}}"#, P::Uncheckable),
        (200, "<html>welcome</html>", P::Odd(200)),
        (200, "{\"data\":7}", P::Odd(200)),
        (404, "not found", P::Odd(404)),
        (302, "", P::Odd(302)),
        (500, "", P::Odd(500)),
        (529, "", P::Odd(529)),
    ] {
        let service = Service::start(move |_| (status, JSON, body.into())).await;
        let probe = look(&account("openai", &service.url, KEY, &[])).await;
        assert_eq!((probe.outcome, names(&probe)), (outcome, vec![]), "{status} {body}");
        assert_eq!(service.seen().len(), 1, "no second question after {status}");
        let timed = clock(&account("openai", &service.url, KEY, &[])).await;
        assert!(timed.how == SpeedOf::List && timed.took.is_some(), "{timed:?}");
    }
    let bad_key = r#"{"error":{"code":400,"message":"x","details":[{"reason":"API_KEY_INVALID"}]}}"#;
    let service = Service::start(move |_| (400, JSON, bad_key.into())).await;
    assert_eq!(look(&account("gemini", &service.url, KEY, &[])).await.outcome, P::CredentialRefused);
}

#[tokio::test]
async fn a_credential_that_is_echoed_is_masked() {
    let service = Service::start(|asked| {
        let sent = asked.header("authorization").unwrap_or_default().to_owned();
        (
            401,
            JSON,
            json!({"error": {"message": format!("bad\u{7} key\n{sent} ({})", &sent[7..20])}}).to_string(),
        )
    })
    .await;
    let probe = look(&account("openai", &service.url, KEY, &[])).await;
    assert_eq!(probe.message, "the provider refuses the credential (401): bad key Bearer … (…)");
    let lists = Service::start(|_| {
        (200, JSON, json!({"data": [{"id": KEY}, {"id": "a", "name": format!("A of {KEY}")}]}).to_string())
    })
    .await;
    let probe = look(&account("openai", &lists.url, KEY, &[])).await;
    assert_eq!(names(&probe), ["a"]);
    assert_eq!(probe.models[0].display.as_deref(), Some("A of …"));
}

#[tokio::test]
async fn a_huge_answer_is_not_taken_in() {
    let service = Service::start(|_| (200, JSON, format!("{{\"data\":[{}]}}", " ".repeat(2_000_000)))).await;
    let probe = look(&account("openai", &service.url, KEY, &[])).await;
    assert_eq!(probe.outcome, ProbeOutcome::Odd(200));
    assert!(probe.message.contains("2 MB"), "{}", probe.message);
}

#[tokio::test]
async fn silence_and_closed_doors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move { while stream.read(&mut [0; 512]).await.is_ok_and(|n| n > 0) {} });
        }
    });
    let mut config = account("openai", &url, KEY, &[]);
    config.settings.timeouts.first_byte_ms = Some(50);
    let probe = look(&config).await;
    assert_eq!(probe.outcome, ProbeOutcome::Unreachable);
    assert_eq!(clock(&config).await.took, None);
    silent.abort();
    let _ = silent.await;
    let probe = look(&config).await;
    assert_eq!(probe.outcome, ProbeOutcome::Unreachable);
    assert!(probe.message.contains("cannot be reached"));
}

#[tokio::test]
async fn the_channels_own_headers_go_along() {
    let service = service(|asked| {
        assert_eq!(asked.header("x-team"), Some("blue"));
        (200, JSON, r#"{"data":[]}"#.into())
    })
    .await;
    let mut config = account("openai", &service.url, KEY, &[]);
    config.settings.header_override = [("x-team".to_owned(), "blue".to_owned())].into();
    assert_eq!(look(&config).await.outcome, ProbeOutcome::Works);
    let wrong = ChannelConfig { provider: "nobody".into(), ..config };
    let error = probe(&burncloud_adapters::registry(), &wrong, &Timeouts::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("provider: "), "{error}");
}

//! Azure OpenAI, Foundry, and Entra.

use crate::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "application-secret~value";
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const CHAT: &str = r#"{"model":"gpt-x","messages":[{"role":"user","content":"hi"}]}"#;
const DATED: &[(&str, &str)] = &[("api_version", "2024-10-21")];

fn fault(status: u16, code: &str) -> Said {
    (status, JSON, format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#))
}

const ANSWER: &str = r#"{"object":"chat.completion","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#;
const STREAM: &str = concat!(
    "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\n\n",
    "data: [DONE]\n\n",
);
const MESSAGE: &str = r#"{"type":"message","content":[],"usage":{"input_tokens":4,"output_tokens":3}}"#;

/// Checks the credential, the version and the deployment, in this order.
fn service(tokens: &Tokens, asked: &Seen) -> Said {
    let key = asked.header("api-key") == Some(KEY);
    let token = tokens.accepts(asked.header("authorization"));
    if key == token || (key && asked.header("authorization").is_some()) {
        return fault(401, "401");
    }
    if asked.path == "/anthropic/v1/messages" {
        let versioned = asked.header("anthropic-version").is_some();
        let deployed = asked.json()["model"] == "claude-d";
        return if versioned && deployed { (200, JSON, MESSAGE.into()) } else { fault(400, "bad") };
    }
    let version = asked.asked("api-version");
    let deployment = if let Some(rest) = asked.path.strip_prefix("/openai/deployments/") {
        if !matches!(version, Some("2024-10-21" | "2025-03-01-preview")) {
            return fault(404, "Resource not found");
        }
        let (deployment, operation) = rest.split_once('/').unwrap();
        if !matches!(operation, "chat/completions" | "embeddings") {
            return fault(404, "404");
        }
        deployment.to_owned()
    } else if matches!(asked.path.as_str(), "/openai/v1/chat/completions" | "/openai/v1/responses") {
        if !matches!(version, None | Some("preview")) {
            return fault(400, "BadRequest");
        }
        asked.json()["model"].as_str().unwrap_or_default().to_owned()
    } else if asked.path == "/openai/responses" && version == Some("2025-03-01-preview") {
        asked.json()["model"].as_str().unwrap_or_default().to_owned()
    } else {
        return fault(404, "404");
    };
    match (deployment.as_str(), asked.json()["stream"].as_bool()) {
        ("dep-1", Some(true)) => (200, EVENTS, STREAM.into()),
        ("dep-1", _) => (200, JSON, ANSWER.into()),
        _ => fault(404, "DeploymentNotFound"),
    }
}

async fn azure(tokens: &Tokens) -> Service {
    let tokens = tokens.clone();
    Service::start(move |asked| service(&tokens, asked)).await
}

/// Entra: checks the application, its secret and the scope, unless it is down.
async fn entra(tokens: &Tokens, life: Duration, down: &Arc<AtomicBool>) -> Service {
    let (tokens, down) = (tokens.clone(), down.clone());
    Service::start(move |asked| {
        if down.load(SeqCst) {
            let text = format!("no service today, and certainly none for {SECRET}");
            return (503, "text/plain", text);
        }
        let field = |name| asked.field(name).unwrap_or_default();
        assert_eq!(field("grant_type"), "client_credentials");
        if (field("client_id").as_str(), field("client_secret").as_str()) != ("app-1", SECRET) {
            return (401, JSON, r#"{"error":"invalid_client","error_codes":[7000215]}"#.into());
        }
        assert_eq!(field("scope"), SCOPE);
        tokens.issue("entra-", life)
    })
    .await
}

#[tokio::test]
async fn a_key_a_version_and_a_deployment() {
    let fake = azure(&Tokens::default()).await;
    let world = world(vec![channel("azure", &fake.url, KEY, &["gpt-x=dep-1", "gone"], DATED)]).await;
    assert_eq!(world.post("/v1/chat/completions", CHAT).await, (200, ANSWER.into()));
    assert_eq!(world.last_usage().await, (5, 2, Some("id-1".into())));
    let seen = fake.last();
    assert_eq!(
        (seen.path.as_str(), seen.query.as_str()),
        ("/openai/deployments/dep-1/chat/completions", "api-version=2024-10-21")
    );
    assert_eq!((seen.header("authorization"), seen.header("x-api-key")), (None, None));

    // Azure's own callers: the channel's version and deployment, whatever theirs are.
    let caller = "/openai/deployments/gpt-x/chat/completions?api-version=2023-05-15";
    let body = CHAT.replace("\"gpt-x\"", "null");
    assert_eq!(world.post(caller, &body).await.0, 200);
    let seen = fake.last();
    assert_eq!((seen.query.as_str(), seen.body), ("api-version=2024-10-21", CHAT.replace("gpt-x", "dep-1")));

    // A stream whose first chunk has no choices, and whose last one the caller did not ask for.
    let (status, stream) = world.post(caller, &CHAT.replace("\"gpt-x\"", "null,\"stream\":true")).await;
    assert_eq!(
        (status, stream.contains("prompt_filter_results"), stream.contains("\"usage\":{")),
        (200, true, false)
    );
    assert!(stream.ends_with("data: [DONE]\n\n"));
    assert_eq!(world.last_usage().await.1, 2);

    // What is wrong with the deployment is said as Azure says it.
    let (status, text) = world.post("/v1/chat/completions", &CHAT.replace("gpt-x", "gone")).await;
    assert!(status == 404 && text.contains("DeploymentNotFound"), "{text}");
}

#[tokio::test]
async fn the_paths_of_v1_and_of_responses() {
    let fake = azure(&Tokens::default()).await;
    let models = &["gpt-x=dep-1"];
    let v1 = world(vec![channel("azure", &fake.url, KEY, models, &[])]).await;
    // A version that only the caller's own resource would know is not sent.
    for path in [
        "/v1/chat/completions",
        "/openai/v1/chat/completions",
        "/openai/deployments/gpt-x/chat/completions?api-version=2024-02-01",
    ] {
        assert_eq!(v1.post(path, CHAT).await.0, 200, "{path}");
        assert_eq!(
            (fake.last().path.as_str(), fake.last().query.as_str()),
            ("/openai/v1/chat/completions", "")
        );
    }
    let response = CHAT.replace("messages", "input");
    assert_eq!(v1.post("/openai/responses?api-version=2025-03-01-preview", &response).await.0, 200);
    assert_eq!(fake.last().path, "/openai/v1/responses");
    let preview = world(vec![channel("azure", &fake.url, KEY, models, &[("api_version", "preview")])]).await;
    assert_eq!(preview.post("/v1/responses", &response).await.0, 200);
    assert_eq!(fake.last().query, "api-version=preview");
    let dated = [("api_version", "2025-03-01-preview")];
    let dated = world(vec![channel("azure", &fake.url, KEY, models, &dated)]).await;
    assert_eq!(dated.post("/v1/responses", &response).await.0, 200);
    assert_eq!(
        (fake.last().path.as_str(), fake.last().query.as_str()),
        ("/openai/responses", "api-version=2025-03-01-preview")
    );
    // A version that the resource does not know is the operator's to mend; the answer passes.
    let unknown =
        world(vec![channel("azure", &fake.url, KEY, models, &[("api_version", "2020-01-01")])]).await;
    assert_eq!(unknown.post("/v1/chat/completions", CHAT).await.0, 404);
}

#[tokio::test]
async fn azures_callers_reach_openai() {
    let fake = Service::start(|_| (200, JSON, ANSWER.into())).await;
    let world = world(vec![channel("openai", &fake.url, "sk-up", &["d=gpt-4o"], &[])]).await;
    for (body, want) in [
        (r#"{"messages":[]}"#, r#"{"messages":[],"model":"gpt-4o"}"#),
        (r#"{"model":null,"messages":[]}"#, r#"{"model":"gpt-4o","messages":[]}"#),
        (r#"{"model":"other","messages":[]}"#, r#"{"model":"gpt-4o","messages":[]}"#),
    ] {
        let path = "/openai/deployments/d/chat/completions?api-version=2024-10-21&x=1";
        assert_eq!(world.post(path, body).await.0, 200);
        let seen = fake.last();
        assert_eq!(
            (seen.path.as_str(), seen.query.as_str(), seen.body.as_str()),
            ("/v1/chat/completions", "x=1", want)
        );
    }
}

#[tokio::test]
async fn claude_in_foundry() {
    let fake = azure(&Tokens::default()).await;
    let world = world(vec![channel("azure", &fake.url, KEY, &["claude-x=claude-d"], &[])]).await;
    let body = r#"{"model":"claude-x","max_tokens":9,"messages":[]}"#;
    for path in ["/v1/messages", "/anthropic/v1/messages"] {
        assert_eq!(world.post(path, body).await, (200, MESSAGE.into()), "{path}");
        assert_eq!(world.last_usage().await.0, 4);
    }
    assert_eq!(fake.last().header("x-api-key"), Some(KEY));
}

fn application(token_url: &str) -> [(&str, &str); 4] {
    [("tenant_id", "t"), ("client_id", "app-1"), ("token_url", token_url), ("api_version", "2024-10-21")]
}

#[tokio::test]
async fn a_crowd_fetches_one_token_and_one_that_ran_out_is_fetched_anew() {
    let tokens = Tokens::default();
    let (fake, login) = (azure(&tokens).await, entra(&tokens, Duration::from_secs(2), &Arc::default()).await);
    let world =
        world(vec![channel("azure", &fake.url, SECRET, &["gpt-x=dep-1"], &application(&login.url))]).await;
    assert_eq!(world.crowd(20, "/v1/chat/completions", CHAT).await, [200; 20]);
    assert_eq!(login.seen().len(), 1);
    assert_eq!(fake.last().header("api-key"), None);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(world.post("/v1/chat/completions", CHAT).await.0, 200);
    assert_eq!((login.seen().len(), fake.last().header("authorization")), (2, Some("Bearer entra-2")));
}

#[tokio::test]
async fn without_a_token_another_channel_takes_over() {
    let (tokens, down) = (Tokens::default(), Arc::new(AtomicBool::new(true)));
    let (fake, login) = (azure(&tokens).await, entra(&tokens, Duration::from_secs(60), &down).await);
    let options = application(&login.url);
    let entra = || channel("azure", &fake.url, SECRET, &["gpt-x=dep-1"], &options);
    let alone = world(vec![entra()]).await;
    let (status, text) = alone.post("/v1/chat/completions", CHAT).await;
    assert_eq!(status, 502, "{text}");
    assert!(!text.contains(SECRET) && !text.contains("127.0.0.1"), "{text}");
    assert!(fake.seen().is_empty());
    let two = world(vec![entra(), channel("azure", &fake.url, KEY, &["gpt-x=dep-1"], DATED)]).await;
    assert_eq!(two.post("/v1/chat/completions", CHAT).await.0, 200);
    assert_eq!(fake.last().header("api-key"), Some(KEY));
    // The service is back.
    down.store(false, SeqCst);
    assert_eq!(alone.post("/v1/chat/completions", CHAT).await.0, 200);
    // A wrong secret.
    let wrong = world(vec![channel("azure", &fake.url, "wrong", &["gpt-x=dep-1"], &options)]).await;
    assert_eq!(wrong.post("/v1/chat/completions", CHAT).await.0, 502);
}

#[tokio::test]
async fn a_token_that_somebody_else_fetches() {
    let tokens = Tokens::default();
    let fake = azure(&tokens).await;
    tokens.issue("entra-", Duration::from_secs(60));
    let world = world(vec![channel("azure", &fake.url, "Bearer entra-1", &["gpt-x=dep-1"], &[])]).await;
    assert_eq!(world.post("/v1/chat/completions", CHAT).await.0, 200);
    assert_eq!(fake.last().header("api-key"), None);
}

//! Vertex.

use crate::google::{key_file, keys, login};
use crate::support::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

const GENERATE: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"zz":1.0}"#;
const CONTENT: &str = r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]}}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2}}"#;
const MESSAGE: &str = r#"{"type":"message","content":[],"usage":{"input_tokens":4,"output_tokens":3}}"#;
const MESSAGES: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":4,\"output_tokens\":1}}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":3}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);
const EU: &[(&str, &str)] = &[("location", "europe-west4")];

fn fault(code: u16, status: &str) -> Said {
    (code, JSON, json!({"error": {"code": code, "message": "m", "status": status}}).to_string())
}

/// Checks token (or, in express mode, key), project, location, publisher, version and body.
fn service(tokens: &Tokens, asked: &Seen) -> Said {
    let key = asked.header("x-goog-api-key").is_some_and(|key| key == "express-key");
    if !key && !tokens.accepts(asked.header("authorization")) {
        return fault(401, "UNAUTHENTICATED");
    }
    let Some((version, rest)) = asked.path[1..].split_once('/') else { return fault(404, "NOT_FOUND") };
    let parent = "projects/project-1/locations/europe-west4/";
    let rest = if key { Some(rest) } else { rest.strip_prefix(parent) };
    let Some(rest) = rest else { return fault(403, "PERMISSION_DENIED") };
    let body = asked.json();
    match (version, rest) {
        ("v1" | "v1beta1", "publishers/google/models/gemini-x:generateContent") => {
            (200, JSON, CONTENT.into())
        }
        ("v1" | "v1beta1", "publishers/google/models/gemini-x:streamGenerateContent") => {
            assert_eq!(asked.query, "alt=sse");
            (200, EVENTS, format!("data: {CONTENT}\r\n\r\n"))
        }
        ("v1" | "v1beta1", "publishers/google/models/gemini-x:countTokens") => {
            (200, JSON, r#"{"totalTokens":5}"#.into())
        }
        ("v1", "publishers/anthropic/models/claude-x@1:rawPredict") => {
            let versioned = body["anthropic_version"] == "vertex-2023-10-16";
            match versioned && body.get("model").is_none() {
                true => (200, JSON, MESSAGE.into()),
                false => fault(400, "INVALID_ARGUMENT"),
            }
        }
        ("v1", "publishers/anthropic/models/claude-x@1:streamRawPredict") if body["stream"] == true => {
            (200, EVENTS, MESSAGES.into())
        }
        ("v1", "publishers/anthropic/models/claude-busy:rawPredict") => fault(400, "FAILED_PRECONDITION"),
        ("v1", "publishers/anthropic/models/count-tokens:rawPredict") if body["model"] == "claude-x@1" => {
            (200, JSON, r#"{"input_tokens":4}"#.into())
        }
        _ => fault(404, "NOT_FOUND"),
    }
}

async fn vertex(tokens: &Tokens) -> Service {
    let tokens = tokens.clone();
    Service::start(move |asked| service(&tokens, asked)).await
}

const MODELS: &[&str] = &["g=gemini-x", "claude=claude-x@1"];

#[tokio::test]
async fn a_service_account_serves_callers_of_both_surfaces() {
    let Some((pem, _)) = keys() else { return };
    let tokens = Tokens::default();
    let fake = vertex(&tokens).await;
    let login = login(&tokens, Duration::from_secs(3600), &Arc::default()).await;
    let file = key_file(pem, &format!("{}/token", login.url));
    let world = world(vec![channel("vertex", &fake.url, &file, MODELS, EU)]).await;
    let at = |version: &str, action: &str| {
        format!(
            "/{version}/projects/project-1/locations/europe-west4/publishers/google/models/gemini-x:{action}"
        )
    };
    let google = "projects/theirs/locations/us-central1/publishers/google/models/g";
    for (path, reached) in [
        ("/v1/models/g:generateContent".to_owned(), at("v1", "generateContent")),
        ("/v1beta/models/g:generateContent".to_owned(), at("v1beta1", "generateContent")),
        (format!("/v1/{google}:generateContent"), at("v1", "generateContent")),
        (format!("/v1beta1/{google}:streamGenerateContent?alt=sse"), at("v1beta1", "streamGenerateContent")),
        ("/v1beta/models/g:countTokens".to_owned(), at("v1beta1", "countTokens")),
    ] {
        let (status, text) = world.post(&path, GENERATE).await;
        assert_eq!((status, fake.last().path), (200, reached), "{path}: {text}");
        assert_eq!(fake.last().body, GENERATE, "not a byte is changed");
        if !path.contains("countTokens") {
            let (input, output, _) = world.last_usage().await;
            assert_eq!((input, output), (5, 2), "{path}");
        }
    }
    assert_eq!(login.seen().len(), 1);
    let many = world.post("/v1beta/models/g:batchEmbedContents", "{}").await;
    assert_eq!(many.0, 501, "{}", many.1);
}

#[tokio::test]
async fn callers_of_claude_at_vertex_reach_vertex() {
    let tokens = Tokens::default();
    let fake = vertex(&tokens).await;
    tokens.issue("ya29.", Duration::from_secs(60));
    let options = [("project", "project-1"), ("location", "europe-west4")];
    let world = world(vec![channel("vertex", &fake.url, "ya29.1", MODELS, &options)]).await;
    let caller = "/v1/projects/theirs/locations/global/publishers/anthropic/models/";
    let body = r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[]}"#;
    assert_eq!(world.post(&format!("{caller}claude:rawPredict"), body).await, (200, MESSAGE.into()));
    assert_eq!(fake.last().body, body);
    assert_eq!(world.last_usage().await.0, 4);
    let count = r#"{"anthropic_version":"vertex-2023-10-16","model":"claude","messages":[]}"#;
    assert_eq!(world.post(&format!("{caller}count-tokens:rawPredict"), count).await.0, 200);
}

#[tokio::test]
async fn express_mode_and_googles_callers_at_ai_studio() {
    let fake = vertex(&Tokens::default()).await;
    let express = world(vec![channel("vertex", &fake.url, "express-key", &["gemini-x"], &[])]).await;
    assert_eq!(express.post("/v1beta/models/gemini-x:generateContent", GENERATE).await.0, 200);
    assert_eq!(fake.last().path, "/v1beta1/publishers/google/models/gemini-x:generateContent");
    let studio = Service::start(|_| (200, JSON, CONTENT.into())).await;
    let direct = world(vec![channel("gemini", &studio.url, "key", &["g=gemini-x"], &[])]).await;
    let caller = "/v1beta1/projects/p/locations/r/publishers/google/models/g:generateContent";
    assert_eq!(direct.post(caller, GENERATE).await, (200, CONTENT.into()));
    assert_eq!(studio.last().path, "/v1beta/models/gemini-x:generateContent");
}

#[tokio::test]
async fn a_crowd_fetches_one_token_and_one_that_ran_out_is_fetched_anew() {
    let Some((pem, _)) = keys() else { return };
    let tokens = Tokens::default();
    let fake = vertex(&tokens).await;
    let login = login(&tokens, Duration::from_secs(2), &Arc::default()).await;
    let file = key_file(pem, &format!("{}/token", login.url));
    let world = world(vec![channel("vertex", &fake.url, &file, MODELS, EU)]).await;
    let path = "/v1/models/g:generateContent";
    assert_eq!(world.crowd(20, path, GENERATE).await, [200; 20]);
    assert_eq!(login.seen().len(), 1);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(world.post(path, GENERATE).await.0, 200);
    assert_eq!((login.seen().len(), fake.last().header("authorization")), (2, Some("Bearer ya29.2")));
}

#[tokio::test]
async fn without_a_token_another_channel_takes_over() {
    let Some((pem, _)) = keys() else { return };
    let (tokens, down) = (Tokens::default(), Arc::new(AtomicBool::new(true)));
    let fake = vertex(&tokens).await;
    let login = login(&tokens, Duration::from_secs(60), &down).await;
    let file = key_file(pem, &format!("{}/token", login.url));
    let account = || channel("vertex", &fake.url, &file, MODELS, EU);
    let alone = world(vec![account()]).await;
    let path = "/v1/models/g:generateContent";
    let (status, text) = alone.post(path, GENERATE).await;
    assert_eq!(status, 502, "{text}");
    assert!(!text.contains("PRIVATE") && !text.contains("eyJ") && !text.contains("127.0.0.1"), "{text}");
    let two = world(vec![account(), channel("vertex", &fake.url, "express-key", MODELS, &[])]).await;
    assert_eq!(two.post(path, GENERATE).await.0, 200);
    down.store(false, SeqCst);
    assert_eq!(alone.post(path, GENERATE).await.0, 200);
    // A statement for another service is not believed.
    let elsewhere = key_file(pem, "https://oauth2.googleapis.com/token");
    let options = [("location", "europe-west4"), ("token_url", login.url.as_str())];
    let other = world(vec![channel("vertex", &fake.url, &elsewhere, MODELS, &options)]).await;
    assert_eq!(other.post(path, GENERATE).await.0, 502);
    let _: Value = serde_json::from_str(&text).expect("errors are in the caller's dialect");
}

#[tokio::test]
async fn anthropics_own_callers_reach_claude_at_vertex() {
    let tokens = Tokens::default();
    let fake = vertex(&tokens).await;
    tokens.issue("ya29.", Duration::from_secs(60));
    let options = [("project", "project-1"), ("location", "europe-west4")];
    let models = &["claude=claude-x@1", "claude-busy", "g=gemini-x"];
    let world = world(vec![channel("vertex", &fake.url, "ya29.1", models, &options)]).await;
    let body = "{\"model\":\"claude\",\"max_tokens\":9,\"messages\":[ {\"role\":\"user\",\"content\":\"\\u00e9\"} ]}";
    let headers = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "b1")];
    assert_eq!(world.post_with("/v1/messages?beta=true", body, &headers).await, (200, MESSAGE.into()));
    assert_eq!(world.last_usage().await.0, 4);
    let seen = fake.last();
    let want = body.replace("\"model\":\"claude\"", "\"anthropic_version\":\"vertex-2023-10-16\"");
    assert_eq!((seen.body, seen.query.as_str()), (want, ""));
    assert_eq!((seen.headers.get("anthropic-beta").is_some(), seen.headers.get("x-api-key")), (true, None));
    let streamed = body.replace("\"max_tokens\":9", "\"max_tokens\":9,\"stream\":true");
    assert_eq!(world.post("/v1/messages", &streamed).await, (200, MESSAGES.into()));
    assert_eq!(world.last_usage().await.1, 3);
    let counted = world.post("/v1/messages/count_tokens", body).await;
    assert_eq!(counted, (200, r#"{"input_tokens":4}"#.into()));
    // Google's errors in Anthropic's shape.
    let (status, text) = world.post("/v1/messages", &body.replace("\"claude\"", "\"claude-busy\"")).await;
    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &error["error"]["type"]), (400, &json!("invalid_request_error")), "{text}");
}

#[tokio::test]
async fn callers_of_claude_at_vertex_reach_anthropic() {
    let fake = Service::start(|_| (200, JSON, MESSAGE.into())).await;
    let world = world(vec![channel("anthropic", &fake.url, "sk-up", &["claude=claude-up"], &[])]).await;
    let path = "/v1/projects/p/locations/r/publishers/anthropic/models/claude:rawPredict";
    let body = r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[]}"#;
    assert_eq!(world.post(path, body).await, (200, MESSAGE.into()));
    let seen = fake.last();
    assert_eq!(seen.body, r#"{"model":"claude-up","max_tokens":9,"messages":[]}"#);
    assert_eq!((seen.path.as_str(), seen.header("anthropic-version")), ("/v1/messages", Some("2023-06-01")));
    assert_eq!((seen.header("x-api-key"), world.last_usage().await.0), (Some("sk-up"), 4));
    let path = "/v1/projects/p/locations/r/publishers/anthropic/models/count-tokens:rawPredict";
    let body = r#"{"anthropic_version":"vertex-2023-10-16","model":"claude","messages":[]}"#;
    assert_eq!(world.post(path, body).await.0, 200);
    assert_eq!(
        (fake.last().path.as_str(), fake.last().body.contains("claude-up")),
        ("/v1/messages/count_tokens", true)
    );
}

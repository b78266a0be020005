//! What an operator changes on a channel, behind the whole gateway.

use super::support::{EVENTS, JSON, Said, Seen, Service, World, channel, world};
use burncloud_core::{ChannelSettings, ScriptFailure, ScriptSettings, SystemPrompt};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

const STEPS: &str = r#"
request:
- rename: {at: max_tokens, to: max_completion_tokens}
- remove: user
response:
- remove: system_fingerprint
- set: {at: error.message, value: busy}
  when: {status: 4xx}
stream:
- set: {at: "choices[].delta.content", value: "..."}
  when: {exists: "choices[].delta.content"}
"#;

const SCRIPT: &str = r#"
if req != () {
    if req.messages[0].content == "fail" { req.nothing.there = 1; }
    if req.messages[0].content == "refuse" { refuse("not here"); }
    headers["x-script"] = ctx.model + " " + ctx.dialect;
    req.seen = headers.keys().contains("authorization");
} else if ctx.phase == "response" && ctx.status == 200 {
    res.scripted = true;
}
"#;

fn answer(asked: &Seen) -> Said {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
    if body["model"] == "broken" {
        return (400, JSON, json!({"error": {"message": "no", "type": "invalid_request_error"}}).to_string());
    }
    if body["stream"] == true {
        let chunk = |value: Value| format!("data: {value}\n\n");
        let text = chunk(json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": "secret"}, "finish_reason": "stop"}]}));
        let last = chunk(json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [], "usage": usage}));
        return (200, EVENTS, format!("{text}{last}data: [DONE]\n\n"));
    }
    let message = json!({"role": "assistant", "content": "hello"});
    let choices = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
    let whole = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "system_fingerprint": "f", "choices": choices, "usage": usage});
    (200, JSON, whole.to_string())
}

async fn start(on_error: ScriptFailure) -> (Service, World) {
    let service = Service::start(answer).await;
    let mut channel = channel("openai", &service.url, "sk-up", &["fast=gpt-x", "broken"], &[]);
    channel.settings = ChannelSettings {
        system_prompt: Some(SystemPrompt { text: "Be brief.".into(), ..SystemPrompt::default() }),
        body_override: [("temperature".to_owned(), json!(0.5))].into(),
        header_override: [("x-team".to_owned(), "a".to_owned())].into(),
        transforms: Some(STEPS.into()),
        // The system prompt comes first, so that the caller's message is the second.
        script: Some(ScriptSettings { source: SCRIPT.replace("messages[0]", "messages[1]"), on_error }),
        ..ChannelSettings::default()
    };
    (service, world(vec![channel]).await)
}

fn asks(content: &str, stream: bool) -> String {
    json!({"model": "fast", "user": "u", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": content}]})
        .to_string()
}

#[tokio::test]
async fn a_request_and_its_answer_are_changed_and_metered() {
    let (service, world) = start(ScriptFailure::Refuse).await;
    let (status, body) = world.post(CHAT, &asks("hi", false)).await;
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&answer["scripted"], answer.get("system_fingerprint")), (&json!(true), None));
    let asked = service.last();
    let sent: Value = serde_json::from_str(&asked.body).unwrap();
    let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]);
    let wanted = json!({"model": "gpt-x", "max_completion_tokens": 9, "stream": false, "messages": messages,
        "temperature": 0.5, "seen": false});
    assert_eq!(sent, wanted);
    assert_eq!((asked.header("x-team"), asked.header("x-script")), (Some("a"), Some("fast openai")));
    assert_eq!(asked.header("authorization"), Some("Bearer sk-up"));
    let (input, output, _) = world.last_usage().await;
    assert_eq!((input, output), (3, 2));
}

#[tokio::test]
async fn a_stream_is_changed_and_metered() {
    let (_service, world) = start(ScriptFailure::Refuse).await;
    let (status, body) = world.post(CHAT, &asks("hi", true)).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(r#""content":"...""#) && !body.contains("secret"), "{body}");
    assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    let (input, output, _) = world.last_usage().await;
    assert_eq!((input, output), (3, 2));
}

#[tokio::test]
async fn refusals_failures_and_errors() {
    let (service, world) = start(ScriptFailure::Refuse).await;
    let (status, body) = world.post(CHAT, &asks("refuse", false)).await;
    assert!(status == 400 && body.contains("not here"), "{status} {body}");
    let (status, body) = world.post(CHAT, &asks("fail", false)).await;
    assert!(status == 500 && !body.contains("channel-0") && !body.contains("script"), "{status} {body}");
    assert!(service.seen().is_empty(), "neither was sent");
    let broken = asks("hi", false).replace("fast", "broken");
    let (status, body) = world.post(CHAT, &broken).await;
    assert!(status == 400 && body.contains("busy"), "{status} {body}");

    let (service, world) = start(ScriptFailure::Skip).await;
    assert_eq!(world.post(CHAT, &asks("fail", false)).await.0, 200);
    let asked = service.last();
    assert_eq!((asked.header("x-script"), asked.header("x-team")), (None, Some("a")));
    assert!(asked.body.contains("Be brief.") && !asked.body.contains("nothing"), "{}", asked.body);
}

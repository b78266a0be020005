//! The fakes refuse what the real services refuse: a translation that makes such a request must not pass.

use super::Provider;
use crate::http1::Headers;
use crate::upstream::Recorded;
use serde_json::{Value, json};
use std::time::Instant;

/// A request that `provider` answers with 200.
fn good(provider: Provider, scenario: &str) -> Value {
    let text = format!("scenario:{scenario}");
    let model = format!("{}-{scenario}", provider.model());
    let said = json!([{"role": "user", "content": text}]);
    match provider {
        Provider::Chat => json!({"model": model, "messages": said}),
        Provider::Responses => json!({"model": model, "input": text}),
        Provider::Anthropic => json!({"model": model, "max_tokens": 100, "messages": said}),
        Provider::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        Provider::Cohere => json!({"model": model, "stream": false, "messages": said}),
        Provider::Bedrock => json!({"messages": [{"role": "user", "content": [{"text": text}]}]}),
    }
}

fn play(provider: Provider, scenario: &str, body: &Value) -> (u16, String) {
    let model = format!("{}-{scenario}", provider.model());
    let target = match provider {
        Provider::Chat => "/v1/chat/completions".to_owned(),
        Provider::Responses => "/v1/responses".to_owned(),
        Provider::Anthropic => "/v1/messages".to_owned(),
        Provider::Gemini => format!("/v1beta/models/{model}:generateContent"),
        Provider::Cohere => "/v2/chat".to_owned(),
        Provider::Bedrock => format!("/model/{model}/converse"),
    };
    let headers =
        [("authorization", "Bearer k"), ("x-goog-api-key", "k"), ("anthropic-version", "2023-06-01")];
    let headers = Headers(headers.map(|(name, value)| (name.into(), value.into())).into());
    let body = body.to_string().into_bytes();
    let request = Recorded { method: "POST".into(), target, headers, body, at: Instant::now() };
    let spoken = provider.play(&request).spoken;
    (spoken.status, String::from_utf8(spoken.frames.concat()).unwrap())
}

/// Plays the scenario `usage` with `fields` set at the top, and wants a refusal that says `why`.
#[track_caller]
fn refuses(provider: Provider, fields: Value, why: &str) {
    let mut body = good(provider, "usage");
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let (status, said) = play(provider, "usage", &body);
    assert_eq!(status, 400, "{provider:?} took {body}");
    assert!(said.contains(why), "{provider:?} said {said}, not {why}");
}

#[test]
fn a_good_request_is_answered() {
    for provider in Provider::ALL {
        let (status, said) = play(provider, "usage", &good(provider, "usage"));
        assert_eq!(status, 200, "{provider:?}: {said}");
    }
}

#[test]
fn an_unknown_field_is_refused_by_all() {
    for provider in Provider::ALL {
        refuses(provider, json!({"foreign": 1}), "foreign: unknown field");
    }
}

#[test]
fn a_request_without_credential_is_refused_by_all() {
    for provider in Provider::ALL {
        let body = good(provider, "usage").to_string().into_bytes();
        let target =
            if provider == Provider::Gemini { "/v1/models/m:generateContent" } else { "/v1/messages" };
        let target = match provider {
            Provider::Chat => "/v1/chat/completions",
            Provider::Responses => "/v1/responses",
            Provider::Cohere => "/v2/chat",
            Provider::Bedrock => "/model/m/converse",
            Provider::Anthropic | Provider::Gemini => target,
        };
        let request = Recorded {
            method: "POST".into(),
            target: target.into(),
            headers: Headers::default(),
            body,
            at: Instant::now(),
        };
        assert!([401, 403].contains(&provider.play(&request).spoken.status), "{provider:?}");
    }
}

#[test]
fn what_only_another_dialect_has_is_refused() {
    use Provider::{Anthropic, Bedrock, Chat, Cohere, Gemini, Responses};
    refuses(Chat, json!({"max_tokens": 9}), "use `max_completion_tokens`");
    refuses(Chat, json!({"stream_options": {"include_usage": true}}), "only allowed when `stream`");
    refuses(Responses, json!({"max_output_tokens": 15}), "at least 16");
    refuses(Responses, json!({"stop": ["END"]}), "stop: unknown field");
    let asks = json!([{"role": "user", "content": [{"type": "text", "text": "scenario:usage"}]}]);
    refuses(Responses, json!({"input": asks}), "`text` is none of");
    refuses(Anthropic, json!({"max_tokens": null}), "max_tokens: field required");
    refuses(Anthropic, json!({"temperature": 1.5}), "from 0 to 1");
    refuses(
        Anthropic,
        json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        "must be greater than",
    );
    refuses(Gemini, json!({"model": "m"}), "model: unknown field");
    refuses(Gemini, json!({"generationConfig": {"responseJsonSchema": {}}}), "responseMimeType");
    refuses(Cohere, json!({"stream": null}), "stream: field required");
    refuses(Cohere, json!({"p": 1.0}), "from 0.01 to 0.99");
    refuses(Bedrock, json!({"toolConfig": {"tools": []}}), "at least one tool");
    refuses(Bedrock, json!({"system": [{"text": ""}]}), "blank");
}

#[test]
fn roles_must_alternate_at_bedrock() {
    let turn = json!({"role": "user", "content": [{"text": "scenario:usage"}]});
    refuses(Provider::Bedrock, json!({"messages": [turn, turn]}), "roles must alternate");
}

#[test]
fn a_call_and_its_result_belong_together() {
    let asks = json!({"role": "user", "content": "scenario:usage"});
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let made = |id: &str| json!({"role": "assistant", "content": null, "tool_calls": [call(id)]});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "x"});
    let chat = |turns: &[&Value], why: &str| refuses(Provider::Chat, json!({"messages": turns}), why);
    chat(&[&asks, &made("call_a")], "`call_a` has no result");
    chat(&[&asks, &made("call_a"), &result("call_b")], "makes no such call");
    chat(&[&asks, &made("call_a"), &asks], "must be followed by tool messages");
    chat(&[&asks, &made("toolu_a"), &result("toolu_a")], "not an id that was given here");

    let block = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_a", "name": "f", "input": {}}]});
    let late = json!({"role": "user", "content": [
        {"type": "text", "text": "first"}, {"type": "tool_result", "tool_use_id": "toolu_a", "content": "x"}]});
    refuses(Provider::Anthropic, json!({"messages": [asks, block, late]}), "must come first");

    let asks = json!({"role": "user", "parts": [{"text": "scenario:usage"}]});
    let made = json!({"role": "model", "parts": [{"functionCall": {"name": "f"}}]});
    let other = json!({"role": "user", "parts": [{"functionResponse": {"name": "g", "response": {}}}]});
    refuses(Provider::Gemini, json!({"contents": [asks, made, other]}), "is of `f`");
}

#[test]
fn a_thought_must_come_back_as_it_was() {
    let turn = |signature: &str| {
        json!([
            {"role": "user", "content": "scenario:usage"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Let me think about Paris.", "signature": signature},
                {"type": "tool_use", "id": "toolu_a", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_a", "content": "x"}]},
        ])
    };
    let fields = |signature: &str| {
        json!({"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 1024},
            "messages": turn(signature)})
    };
    refuses(Provider::Anthropic, fields("forged"), "invalid signature");
    let mut body = good(Provider::Anthropic, "usage");
    body.as_object_mut().unwrap().extend(fields(super::MARK).as_object().unwrap().clone());
    assert_eq!(play(Provider::Anthropic, "usage", &body).0, 200);
}

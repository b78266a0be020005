//! A house in which something happened: three providers, a reseller, customers, money, good and bad requests.

use crate::house::{House, MODEL};
use burncloud_tests::raw::Request;
use burncloud_tests::upstream::{Behaviour, Canned};
use serde_json::{Value, json};

/// What is sold, at dollars a million tokens of input and output, and the account that has it.
const SHELF: &[(&str, &str, &str, &str)] = &[
    ("gpt-4o", "5", "20", "harbour-openai"),
    (MODEL, "0.30", "1.20", "harbour-openai"),
    ("deepseek-chat", "0.56", "1.68", "north-deepseek"),
    ("llama-3.3-70b-versatile", "1.18", "1.58", "quay-groq"),
];

/// Who calls what how often, with how many tokens of input and output.
const CALLS: &[(&str, &str, usize, u64, u64)] = &[
    ("ios-app", "gpt-4o", 9, 182_000, 31_400),
    ("ios-app", MODEL, 6, 410_000, 52_000),
    ("night-batch", "deepseek-chat", 8, 930_000, 210_000),
    ("support-desk", "gpt-4o", 5, 96_000, 44_000),
    ("support-desk", "llama-3.3-70b-versatile", 4, 350_000, 81_000),
];

/// An answer of a chat model that took so many tokens.
fn answer(model: &str, input: u64, output: u64) -> Behaviour {
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000, "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Good evening."}}],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    });
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let frames = vec![body.to_string().into_bytes()];
    Behaviour::Canned(Box::new(Canned { status: 200, headers, frames, chunked: false }))
}

async fn stock(house: &mut House) {
    let url = house.upstream.url();
    for (name, provider) in
        [("harbour-openai", "openai"), ("north-deepseek", "deepseek"), ("quay-groq", "groq")]
    {
        let models: Vec<&str> = SHELF.iter().filter(|row| row.3 == name).map(|row| row.0).collect();
        let account = json!({
            "name": name, "provider": provider, "base_url": url,
            "credential": "sk-upstream-credential-0123456789", "models": models,
        });
        house.owner.write("POST", "/channels", account).await;
    }
    for (model, input, output, _) in SHELF {
        let rule = json!({"model": model, "rates": {
            "input": input, "output": output, "per_web_search": "0.05", "per_file_search": "0.01",
        }});
        house.owner.write("POST", "/prices/rules", rule).await;
    }
    let codes = json!({"name": "autumn", "count": 3, "amount": 5_000_000_000_i64, "sold": true});
    house.owner.write("POST", "/codes", codes).await;
}

async fn call(house: &House, secret: &str, model: &str) -> u16 {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    let request = Request::json("/v1/chat/completions", &body).bearer(secret);
    request.send(house.gateway.addr()).await.status
}

/// The house, and how many requests it answered or refused.
pub(crate) async fn lived_in() -> House {
    let mut house = House::start().await;
    stock(&mut house).await;
    let home = house.owner.read("/me").await["tenant"].as_i64().unwrap();
    let pixel = json!({"name": "pixel-tea", "parent": home});
    let pixel = house.owner.write("POST", "/tenants", pixel).await["id"].as_i64().unwrap();
    let credit = json!({"kind": "top_up", "amount": 500_000_000_000_i64, "reference": "invoice 7"});
    house.owner.write("POST", &format!("/tenants/{pixel}/wallet/entries"), credit).await;
    house.user("nadia", pixel, "reseller").await;
    let mut keys: Vec<(&str, Value)> = Vec::new();
    for (name, tenant, key, dollars) in
        [("leo", home, "ios-app", 120), ("ines", home, "support-desk", 60), ("kim", pixel, "night-batch", 80)]
    {
        let (id, mut client) = house.user(name, tenant, "end_user").await;
        let amount = i64::from(dollars) * 1_000_000_000;
        let money = json!({"kind": "top_up", "amount": amount, "reference": format!("for {name}")});
        house.owner.write("POST", &format!("/users/{id}/wallet/entries"), money).await;
        keys.push((key, client.write("POST", "/keys", json!({"name": key})).await));
    }
    let secret = |name: &str| {
        let key = keys.iter().find(|(key, _)| *key == name).unwrap();
        key.1["secret"].as_str().unwrap().to_owned()
    };
    for (name, _) in &keys {
        house.serves(&secret(name)).await;
    }
    let mut made = 0;
    for (name, model, times, input, output) in CALLS {
        house.upstream.on_model(model, answer(model, *input, *output));
        for _ in 0..*times {
            assert_eq!(call(&house, &secret(name), model).await, 200, "{model}");
        }
        made += times;
    }
    // One that no account could answer, and one that its caller got wrong.
    house.upstream.on_model("deepseek-chat", Behaviour::Status(500, Vec::new()));
    call(&house, &secret("night-batch"), "deepseek-chat").await;
    house.upstream.on_model("gpt-4o", Behaviour::Status(400, Vec::new()));
    call(&house, &secret("ios-app"), "gpt-4o").await;
    house.gateway.receipts_when(made + 2).await;
    house
}

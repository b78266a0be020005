//! What is answered looks as the document says: members, which of them are always there, and their types.

use super::support::{House, Is};
use serde_json::Value;

/// What does not fit, with the way to it.
fn unfit(document: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        return unfit(document, document.pointer(pointer).unwrap_or(&Value::Null), value, at, out);
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(ways) = schema[word].as_array() {
            let fits = ways.iter().any(|way| {
                let mut none = Vec::new();
                unfit(document, way, value, at, &mut none);
                none.is_empty()
            });
            if !fits {
                out.push(format!("{at}: {value} is none of {word}"));
            }
            return;
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        if !values.contains(value) {
            out.push(format!("{at}: {value} is not one of {values:?}"));
        }
        return;
    }
    if !is_type(&schema["type"], value) {
        out.push(format!("{at}: {value} is no {}", schema["type"]));
        return;
    }
    if let (Some(items), true) = (value.as_array(), schema["items"].is_object()) {
        for (index, item) in items.iter().enumerate() {
            unfit(document, &schema["items"], item, &format!("{at}[{index}]"), out);
        }
    }
    let Some(members) = value.as_object() else { return };
    if schema["properties"].is_object() || schema["allOf"].is_array() {
        members_fit(document, schema, members, at, out);
    } else if schema["additionalProperties"].is_object() {
        for (name, member) in members {
            unfit(document, &schema["additionalProperties"], member, &format!("{at}.{name}"), out);
        }
    }
}

fn members_fit(
    document: &Value,
    schema: &Value,
    members: &serde_json::Map<String, Value>,
    at: &str,
    out: &mut Vec<String>,
) {
    let mut parts = vec![schema];
    parts.extend(schema["allOf"].as_array().into_iter().flatten());
    let parts: Vec<&Value> = parts
        .into_iter()
        .map(|part| part["$ref"].as_str().map_or(part, |name| document.pointer(&name[1..]).unwrap()))
        .collect();
    for (name, member) in members {
        match parts.iter().find_map(|part| part["properties"].get(name)) {
            Some(known) => unfit(document, known, member, &format!("{at}.{name}"), out),
            None if parts.iter().any(|part| part.get("additionalProperties").is_some()) => {}
            None => out.push(format!("{at}.{name} is not described")),
        }
    }
    for name in parts.iter().flat_map(|part| part["required"].as_array().into_iter().flatten()) {
        if !members.contains_key(name.as_str().unwrap()) {
            out.push(format!("{at}.{name} is missing"));
        }
    }
}

fn is_type(types: &Value, value: &Value) -> bool {
    let one = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match types {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().any(|name| one(name.as_str().unwrap_or_default())),
        // Anything.
        _ => true,
    }
}

#[tokio::test]
async fn what_is_answered_looks_as_described() {
    let house = House::new().await;
    let document = house.get(Is::Owner, "/api/openapi.json").await.json();
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = &item["get"];
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if operation.is_null() || schema.is_null() || path == "/api/openapi.json" {
            continue;
        }
        for is in [Is::Owner, Is::Reseller, Is::EndUser] {
            let address = super::matrix::filled(path, &house);
            let answer = house.get(is, &address).await;
            if answer.status == 200 {
                unfit(&document, schema, &answer.json(), path, &mut wrong);
                looked_at += 1;
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(looked_at > 60, "{looked_at}");
}

#[tokio::test]
async fn what_is_made_looks_as_described() {
    let house = House::new().await;
    let document = house.get(Is::Owner, "/api/openapi.json").await.json();
    let mut wrong = Vec::new();
    for (path, shape, body) in [
        ("/api/keys", "MadeKey", serde_json::json!({ "name": "made" })),
        ("/api/me/tokens", "MadeToken", serde_json::json!({ "name": "made", "days": 2 })),
        ("/api/invitations", "MadeInvitation", serde_json::json!({ "note": "x" })),
        ("/api/codes", "MadeCodes", serde_json::json!({ "name": "made", "count": 2, "amount": 5 })),
    ] {
        let made = house.must(Is::Owner, "POST", path, &body).await;
        let schema = &document["components"]["schemas"][shape];
        unfit(&document, schema, &made, shape, &mut wrong);
        let secrets = ["secret", "token", "code", "codes"];
        assert!(secrets.iter().any(|name| made.get(name).is_some()), "{path} shows no secret");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

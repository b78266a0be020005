//! JSON schemas as Anthropic takes them.

use serde_json::{Map, Value, json};

/// A tool's schema: an object's, always.
pub(in crate::translate) fn of_tool(schema: Option<Value>) -> Value {
    match schema {
        Some(Value::Object(mut schema)) => {
            schema.entry("type").or_insert_with(|| json!("object"));
            Value::Object(schema)
        }
        _ => json!({"type": "object", "properties": {}}),
    }
}

/// What Anthropic's SDK knows of strings' formats.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// What stays as it is wherever it stands.
const KEPT: [&str; 10] =
    ["type", "title", "description", "enum", "const", "required", "anyOf", "allOf", "$ref", "default"];

/// A schema that the model is held to: objects are closed, and the limits that cannot be enforced (of length, of range)
/// move into the description, where the model reads them. Anthropic's own SDKs do the same to a schema before they send
/// it (`transform_schema`); sent as it is, it would be refused.
pub(in crate::translate) fn enforced(schema: Value) -> Value {
    let Value::Object(schema) = schema else { return schema };
    let (mut kept, mut limits) = (Map::new(), Vec::new());
    let is_object =
        schema.get("type").and_then(Value::as_str) == Some("object") || schema.contains_key("properties");
    for (name, value) in schema {
        match name.as_str() {
            "properties" | "$defs" | "definitions" => {
                kept.insert(name, each(value));
            }
            "items" => {
                kept.insert(name, enforced(value));
            }
            "anyOf" | "oneOf" | "allOf" => {
                let name = if name == "oneOf" { "anyOf".to_owned() } else { name };
                let value = match value {
                    Value::Array(variants) => variants.into_iter().map(enforced).collect(),
                    other => other,
                };
                kept.insert(name, value);
            }
            "additionalProperties" | "strict" | "$schema" => {}
            "minItems" if matches!(value.as_u64(), Some(0 | 1)) => {
                kept.insert(name, value);
            }
            "format" if value.as_str().is_some_and(|format| FORMATS.contains(&format)) => {
                kept.insert(name, value);
            }
            known if KEPT.contains(&known) => {
                kept.insert(name, value);
            }
            _ => limits.push(format!("{name}: {value}")),
        }
    }
    if is_object {
        kept.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if !limits.is_empty() {
        let before = kept.get("description").and_then(Value::as_str);
        let before = before.map(|text| format!("{text}\n\n")).unwrap_or_default();
        kept.insert("description".to_owned(), json!(format!("{before}{{{}}}", limits.join(", "))));
    }
    Value::Object(kept)
}

fn each(schemas: Value) -> Value {
    match schemas {
        Value::Object(schemas) => {
            Value::Object(schemas.into_iter().map(|(name, schema)| (name, enforced(schema))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_takes_an_object_whatever_it_says() {
        assert_eq!(of_tool(None), json!({"type": "object", "properties": {}}));
        assert_eq!(of_tool(Some(json!({}))), json!({"type": "object"}));
    }

    #[test]
    fn objects_are_closed_and_limits_become_words() {
        let schema = json!({
            "type": "object",
            "$schema": "x",
            "properties": {
                "age": {"type": "integer", "minimum": 1, "description": "Years"},
                "one": {"oneOf": [{"type": "object", "properties": {}}, {"type": "null"}]},
                "minimum": {"type": "string", "format": "date"},
            },
            "required": ["age"],
        });
        let expect = json!({
            "type": "object",
            "properties": {
                "age": {"type": "integer", "description": "Years\n\n{minimum: 1}"},
                "one": {"anyOf": [
                    {"type": "object", "properties": {}, "additionalProperties": false}, {"type": "null"},
                ]},
                "minimum": {"type": "string", "format": "date"},
            },
            "required": ["age"],
            "additionalProperties": false,
        });
        assert_eq!(enforced(schema), expect);
    }
}

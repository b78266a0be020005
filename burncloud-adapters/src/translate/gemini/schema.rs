//! Google's subset of OpenAPI's schemas as JSON Schema.

use serde_json::{Map, Value};

/// Limits that Google writes as texts.
const COUNTS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// A schema as JSON Schema: types in lower case, `nullable` as a type, counts as numbers. What is JSON Schema already
/// stays as it is. The parser bounds the depth.
pub(super) fn json_schema(schema: Value) -> Value {
    let Value::Object(map) = schema else { return schema };
    let mut out = Map::with_capacity(map.len());
    let (mut nullable, mut order) = (false, None);
    for (name, value) in super::names::camel(map) {
        match (name.as_str(), value) {
            ("type", Value::String(kind)) => {
                if kind != "TYPE_UNSPECIFIED" {
                    out.insert(name, Value::String(kind.to_ascii_lowercase()));
                }
            }
            ("nullable", value) => nullable = value == Value::Bool(true),
            ("propertyOrdering", value) => order = Some(value),
            ("format", Value::String(format)) if format == "enum" => {}
            ("properties" | "defs" | "$defs" | "definitions", Value::Object(inner)) => {
                let inner = inner.into_iter().map(|(name, schema)| (name, json_schema(schema))).collect();
                let name = if name == "defs" { "$defs".to_owned() } else { name };
                out.insert(name, Value::Object(inner));
            }
            ("items" | "additionalProperties", value) => {
                out.insert(name, json_schema(value));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => {
                out.insert(name, Value::Array(list.into_iter().map(json_schema).collect()));
            }
            ("ref", Value::String(to)) => {
                out.insert("$ref".to_owned(), Value::String(to.replacen("#/defs/", "#/$defs/", 1)));
            }
            (_, Value::String(text)) if COUNTS.contains(&name.as_str()) => {
                let number = text.parse::<u64>().map_or(Value::String(text), Value::from);
                out.insert(name, number);
            }
            (_, value) => {
                out.insert(name, value);
            }
        }
    }
    if let Some(Value::Array(order)) = order {
        sort_properties(&mut out, &order);
    }
    if nullable {
        allow_null(&mut out);
    }
    Value::Object(out)
}

/// JSON Schema knows no order but that in which properties are written.
fn sort_properties(schema: &mut Map<String, Value>, order: &[Value]) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let mut rest = std::mem::take(properties);
    let mut sorted = Map::with_capacity(rest.len());
    for name in order.iter().filter_map(Value::as_str) {
        // Emptied in place: taking each out would move all that follow it.
        if let Some(schema) = rest.get_mut(name)
            && !sorted.contains_key(name)
        {
            sorted.insert(name.to_owned(), schema.take());
        }
    }
    for (name, schema) in rest {
        sorted.entry(name).or_insert(schema);
    }
    *properties = sorted;
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    let null = || Value::String("null".to_owned());
    match schema.get_mut("type") {
        Some(kind @ Value::String(_)) if *kind != null() => *kind = Value::Array(vec![kind.take(), null()]),
        Some(Value::Array(kinds)) if !kinds.contains(&null()) => kinds.push(null()),
        Some(_) => {}
        None => {
            if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
                any.push(serde_json::json!({"type": "null"}));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn openapi_becomes_json_schema() {
        let openapi = json!({
            "type": "OBJECT", "property_ordering": ["b", "a"], "required": ["a"],
            "properties": {
                "a": {"type": "STRING", "nullable": true, "enum": ["x"], "format": "enum"},
                "b": {"type": "ARRAY", "items": {"type": "INTEGER", "format": "int32"}, "max_items": "5"},
                "min_length": {"anyOf": [{"type": "NUMBER"}], "nullable": true},
            },
        });
        let wanted = json!({
            "type": "object", "required": ["a"],
            "properties": {
                "b": {"type": "array", "items": {"type": "integer", "format": "int32"}, "maxItems": 5},
                "a": {"type": ["string", "null"], "enum": ["x", null]},
                "min_length": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            },
        });
        let made = json_schema(openapi);
        assert_eq!(made, wanted);
        let order: Vec<&String> = made["properties"].as_object().unwrap().keys().collect();
        assert_eq!(order, ["b", "a", "min_length"]);
        assert_eq!(json_schema(wanted.clone()), wanted);
    }

    #[test]
    fn an_order_may_be_long_and_name_what_is_not_there() {
        let names: Vec<String> = (0..200_000).map(|number| format!("p{number}")).collect();
        let properties: Map<String, Value> = names.iter().map(|name| (name.clone(), json!({}))).collect();
        let made = json_schema(json!({"properties": properties, "propertyOrdering": names}));
        assert!(made["properties"].as_object().unwrap().keys().eq(&names));
        let odd = json!({"properties": {"b": {}, "a": null}, "propertyOrdering": ["a", "c", "a", 1]});
        assert_eq!(json_schema(odd)["properties"].to_string(), r#"{"a":null,"b":{}}"#);
    }

    #[test]
    fn a_property_may_be_called_anything() {
        let odd = json!({"type": "OBJECT", "properties": {"nullable": {"type": "BOOLEAN"}, "type": {"type": "STRING"}}});
        assert_eq!(
            json_schema(odd)["properties"],
            json!({"nullable": {"type": "boolean"}, "type": {"type": "string"}})
        );
    }
}

//! Names in camelCase and in snake_case.

use super::super::{Fields, QUIET};
use burncloud_core::Error;
use serde_json::{Map, Value};

/// Keeps how something was spelt, not what was said: no loss to anybody else.
pub(super) fn keep_spelling(carry: &mut Map<String, Value>, name: &str, value: Value) {
    let quiet = carry.entry(QUIET).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(quiet) = quiet {
        quiet.insert(name.to_owned(), value);
    }
}

/// What was kept of a spelling.
pub(super) fn take_spelling(carry: &mut Map<String, Value>, name: &str) -> Option<Value> {
    carry.get_mut(QUIET)?.as_object_mut()?.shift_remove(name)
}

/// The members of an object under their names in camelCase. What is inside them stays as it is. A name in neither
/// spelling stays too: Google knows none such, and money was held for the limits under the names that it knows.
pub(in super::super) fn camel(map: Map<String, Value>) -> Map<String, Value> {
    if !map.keys().any(|name| name.contains('_')) {
        return map;
    }
    let mut renamed = Map::with_capacity(map.len());
    for (name, value) in map {
        let slot = renamed.entry(camel_name(&name)).or_insert(Value::Null);
        if slot.is_null() {
            *slot = value;
        }
    }
    renamed
}

fn camel_name(name: &str) -> String {
    // The one name that Google's own SDK writes so.
    let name = match name {
        "_response_json_schema" | "_responseJsonSchema" => &name[1..],
        name => name,
    };
    let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.chars().all(snake) || name.split('_').any(str::is_empty) {
        return name.to_owned();
    }
    let mut text = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        if letter == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) && !text.is_empty() {
            text.extend(letter.to_uppercase());
        } else {
            text.push(letter);
        }
    }
    text
}

/// An object inside, its names in camelCase.
pub(in super::super) fn object(fields: &mut Fields, name: &'static str) -> Result<Option<Fields>, Error> {
    let map = fields.object(name)?;
    Ok(map.map(|map| fields.inner(camel(map))))
}

/// A list of objects inside, their names in camelCase. One object alone is a list of one.
pub(in super::super) fn objects(fields: &mut Fields, name: &'static str) -> Result<Vec<Fields>, Error> {
    let items = match fields.take(name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(item @ Value::Object(_)) => vec![item],
        Some(_) => return Err(fields.fault(name, format!("`{name}` must be a list of objects"))),
    };
    items
        .into_iter()
        .map(|item| match item {
            Value::Object(map) => Ok(fields.inner(camel(map))),
            _ => Err(fields.fault(name, format!("`{name}` must be a list of objects"))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_two_spellings_are_one_name() {
        assert_eq!(camel_name("max_output_tokens"), "maxOutputTokens");
        for odd in
            ["maxOutputTokens", "max__output_tokens", "_generation_config", "generation_Config", "a_", "_"]
        {
            assert_eq!(camel_name(odd), odd);
        }
        let map = json!({
            "generation__config": {"maxOutputTokens": 64_000}, "generationConfig": {"maxOutputTokens": 1}
        });
        let Value::Object(map) = map else { panic!() };
        assert_eq!(camel(map)["generationConfig"]["maxOutputTokens"], 1);
    }

    #[test]
    fn only_the_outermost_names_change() {
        let map = json!({"inline_data": {"mime_type": 1}, "a": 2, "_response_json_schema": 3});
        let camel = camel(map.as_object().unwrap().clone());
        assert_eq!(
            Value::Object(camel),
            json!({"inlineData": {"mime_type": 1}, "a": 2, "responseJsonSchema": 3})
        );
    }
}

//! Calls whose arguments come piece by piece: Vertex's `partialArgs`.

use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value};

/// Most elements that a piece may skip in a list.
const GAP: usize = 1000;
/// The deepest place of a piece.
const DEEPEST: usize = 64;

/// The arguments so far.
#[derive(Debug)]
pub(super) struct Partial {
    arguments: Value,
    /// The path whose text goes on.
    open: Option<String>,
}

enum Step {
    Name(String),
    Element(usize),
}

impl Partial {
    /// A call that begins with these arguments.
    pub(super) fn new(arguments: Option<Value>) -> Partial {
        Partial { arguments: arguments.unwrap_or_else(|| Value::Object(Map::new())), open: None }
    }

    /// Adds a piece: `{jsonPath, stringValue | numberValue | boolValue | nullValue, willContinue}`.
    pub(super) fn add(&mut self, piece: &Value) -> Result<(), Error> {
        let path = piece.get("jsonPath").and_then(Value::as_str).unwrap_or("$");
        let value = ["stringValue", "numberValue", "boolValue"].iter().find_map(|name| piece.get(*name));
        let value = value.cloned().unwrap_or_default();
        let goes_on = self.open.as_deref() == Some(path);
        let place = place(&mut self.arguments, &steps(path)?)?;
        match (goes_on, place, value) {
            (true, Value::String(text), Value::String(more)) => text.push_str(&more),
            (_, place, value) => *place = value,
        }
        let continues = piece.get("willContinue") == Some(&Value::Bool(true));
        self.open = continues.then(|| path.to_owned());
        Ok(())
    }

    /// The arguments as JSON.
    pub(super) fn into_arguments(self) -> String {
        self.arguments.to_string()
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's stream has a call whose arguments fit nowhere")
}

/// `$.a.b[0]['c d']`.
fn steps(path: &str) -> Result<Vec<Step>, Error> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == DEEPEST {
            return Err(damaged());
        }
        if let Some(inner) = rest.strip_prefix('[') {
            let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let (inner, end) = match quote {
                Some(quote) => (&inner[1..], format!("{quote}]")),
                None => (inner, "]".to_owned()),
            };
            let (word, after) = inner.split_once(end.as_str()).ok_or_else(damaged)?;
            steps.push(match quote {
                Some(_) => Step::Name(word.to_owned()),
                None => Step::Element(word.parse().map_err(|_| damaged())?),
            });
            rest = after;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return Err(damaged());
            }
            steps.push(Step::Name(name[..end].to_owned()));
            rest = &name[end..];
        }
    }
    Ok(steps)
}

fn place<'a>(mut value: &'a mut Value, steps: &[Step]) -> Result<&'a mut Value, Error> {
    for step in steps {
        value = match step {
            Step::Name(name) => {
                if !value.is_object() {
                    *value = Value::Object(Map::new());
                }
                value.as_object_mut().ok_or_else(damaged)?.entry(name.as_str()).or_insert(Value::Null)
            }
            Step::Element(at) => {
                if !value.is_array() {
                    *value = Value::Array(Vec::new());
                }
                let list = value.as_array_mut().ok_or_else(damaged)?;
                if *at >= list.len() {
                    if at - list.len() > GAP {
                        return Err(damaged());
                    }
                    list.resize(at + 1, Value::Null);
                }
                list.get_mut(*at).ok_or_else(damaged)?
            }
        };
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pieces_come_together() {
        let mut partial = Partial::new(None);
        for piece in [
            json!({"jsonPath": "$.items[0].name", "stringValue": "app", "willContinue": true}),
            json!({"jsonPath": "$.items[0].name", "stringValue": "le", "willContinue": true}),
            json!({"jsonPath": "$.items[0].name", "stringValue": ""}),
            json!({"jsonPath": "$.items[0].price", "numberValue": 0.5}),
            json!({"jsonPath": "$.items[1]['odd.name']", "boolValue": true}),
            json!({"jsonPath": "$.none", "nullValue": "NULL_VALUE"}),
        ] {
            partial.add(&piece).unwrap();
        }
        let wanted = json!({"items": [{"name": "apple", "price": 0.5}, {"odd.name": true}], "none": null});
        assert_eq!(partial.into_arguments(), wanted.to_string());
    }

    #[test]
    fn odd_paths_are_refused() {
        for path in ["$.a[99999999]", "$.a[x]", "$.a[0", "$..a", "$['a"] {
            let piece = json!({"jsonPath": path, "numberValue": 1});
            assert!(Partial::new(None).add(&piece).is_err(), "{path}");
        }
        let deep = format!("${}", ".a".repeat(100));
        assert!(Partial::new(None).add(&json!({"jsonPath": deep})).is_err());
    }
}

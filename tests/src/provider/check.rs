//! Reading a request strictly: each fault named with the path at which it stands.

use base64::Engine as _;
use serde_json::{Map, Value};

/// A value, or what is wrong with the request.
pub(super) type Checked<T> = Result<T, String>;

/// A JSON object and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Obj<'a> {
    pub(super) at: String,
    map: &'a Map<String, Value>,
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn wrong<T>(at: &str, want: &str, have: &Value) -> Checked<T> {
    Err(format!("{at}: must be {want}, not {}", kind(have)))
}

impl<'a> Obj<'a> {
    pub(super) fn new(at: impl Into<String>, value: &'a Value) -> Checked<Self> {
        let at = at.into();
        match value {
            Value::Object(map) => Ok(Self { at, map }),
            other => wrong(&at, "an object", other),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// Refuses every field but these.
    pub(super) fn only(&self, known: &[&str]) -> Checked<()> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(format!("{}: unknown field (extra inputs are not permitted)", self.path(key))),
            None => Ok(()),
        }
    }

    /// Exactly one of these fields, all others being unknown but for `beside`.
    pub(super) fn one_of(&self, union: &[&str], beside: &[&str]) -> Checked<&'a str> {
        self.only(&[union, beside].concat())?;
        let mut set = self.map.keys().filter(|key| union.contains(&key.as_str()));
        match (set.next(), set.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(format!("{}: must hold one of {union:?}", self.at)),
            (Some(a), Some(b)) => Err(format!("{}: holds both {a} and {b}, must hold one", self.at)),
        }
    }

    /// A field that is there and not null.
    pub(super) fn opt(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn need(&self, key: &str) -> Checked<&'a Value> {
        self.opt(key).ok_or_else(|| format!("{}: field required", self.path(key)))
    }

    pub(super) fn text(&self, key: &str) -> Checked<&'a str> {
        let value = self.need(key)?;
        value.as_str().map_or_else(|| wrong(&self.path(key), "a string", value), Ok)
    }

    pub(super) fn opt_text(&self, key: &str) -> Checked<Option<&'a str>> {
        if self.opt(key).is_some() { self.text(key).map(Some) } else { Ok(None) }
    }

    /// A string that is one of these.
    pub(super) fn word(&self, key: &str, words: &[&str]) -> Checked<&'a str> {
        let have = self.text(key)?;
        if words.contains(&have) {
            Ok(have)
        } else {
            Err(format!("{}: `{have}` is none of {words:?}", self.path(key)))
        }
    }

    pub(super) fn flag(&self, key: &str) -> Checked<bool> {
        match self.opt(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => wrong(&self.path(key), "a boolean", other),
        }
    }

    pub(super) fn opt_count(&self, key: &str, least: u64) -> Checked<Option<u64>> {
        match self.opt(key) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(count) if count >= least => Ok(Some(count)),
                _ => Err(format!(
                    "{}: must be a whole number of at least {least}, not {value}",
                    self.path(key)
                )),
            },
        }
    }

    pub(super) fn opt_number(&self, key: &str, low: f64, high: f64) -> Checked<()> {
        match self.opt(key) {
            None => Ok(()),
            Some(value) => match value.as_f64() {
                Some(number) if (low..=high).contains(&number) => Ok(()),
                _ => Err(format!("{}: must be a number from {low} to {high}, not {value}", self.path(key))),
            },
        }
    }

    pub(super) fn obj(&self, key: &str) -> Checked<Obj<'a>> {
        Obj::new(self.path(key), self.need(key)?)
    }

    pub(super) fn opt_obj(&self, key: &str) -> Checked<Option<Obj<'a>>> {
        if self.opt(key).is_some() { self.obj(key).map(Some) } else { Ok(None) }
    }

    pub(super) fn list(&self, key: &str) -> Checked<Vec<(String, &'a Value)>> {
        let (at, value) = (self.path(key), self.need(key)?);
        let Value::Array(list) = value else { return wrong(&at, "an array", value) };
        Ok(list.iter().enumerate().map(|(index, one)| (format!("{at}.{index}"), one)).collect())
    }

    pub(super) fn objects(&self, key: &str) -> Checked<Vec<Obj<'a>>> {
        self.list(key)?.into_iter().map(|(at, one)| Obj::new(at, one)).collect()
    }

    pub(super) fn opt_objects(&self, key: &str) -> Checked<Vec<Obj<'a>>> {
        if self.opt(key).is_some() { self.objects(key) } else { Ok(Vec::new()) }
    }

    pub(super) fn texts(&self, key: &str, most: usize) -> Checked<Vec<String>> {
        if self.opt(key).is_none() {
            return Ok(Vec::new());
        }
        let list = self.list(key)?;
        if list.len() > most {
            return Err(format!("{}: at most {most} are allowed, not {}", self.path(key), list.len()));
        }
        let text = |(at, value): (String, &Value)| match value {
            Value::String(text) if !text.is_empty() => Ok(text.clone()),
            _ => Err(format!("{at}: must be a string that is not empty, not {value}")),
        };
        list.into_iter().map(text).collect()
    }

    /// The name of a tool: 1 to 64 of `[A-Za-z0-9_-]`.
    pub(super) fn tool_name(&self, key: &str) -> Checked<String> {
        let name = self.text(key)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if (1..=64).contains(&name.len()) && name.chars().all(fits) {
            Ok(name.to_owned())
        } else {
            Err(format!("{}: `{name}` must be 1 to 64 of [A-Za-z0-9_-]", self.path(key)))
        }
    }

    /// A JSON schema of an object.
    pub(super) fn object_schema(&self, key: &str) -> Checked<Value> {
        let schema = self.obj(key)?;
        if schema.text("type")?.eq_ignore_ascii_case("object") {
            Ok(Value::Object(schema.map.clone()))
        } else {
            Err(format!("{}.type: must be `object`", schema.at))
        }
    }

    /// Bytes in standard base64.
    pub(super) fn bytes(&self, key: &str) -> Checked<Vec<u8>> {
        bytes(&self.path(key), self.text(key)?)
    }
}

/// Bytes in standard base64, padding included.
pub(super) fn bytes(at: &str, text: &str) -> Checked<Vec<u8>> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(text);
    decoded.map_err(|error| format!("{at}: not standard base64: {error}"))
}

/// The parts of a `data:` URL.
pub(super) fn data_url(at: &str, url: &str) -> Checked<(String, Vec<u8>)> {
    let cut = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let (mime, data) = cut.ok_or_else(|| format!("{at}: want a data: URL, have `{:.40}`", url))?;
    Ok((mime.to_owned(), bytes(at, data)?))
}

/// What strict structured output demands: closed objects.
pub(super) fn closed(at: &str, schema: &Value) -> Checked<()> {
    if schema["type"] == "object" && schema["additionalProperties"] != Value::Bool(false) {
        return Err(format!("{at}: `additionalProperties` must be explicitly false for an object"));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        closed(&format!("{at}.properties.{name}"), property)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_place_of_a_fault() {
        let body = json!({"messages": [{"role": 1}], "extra": true});
        let top = Obj::new("", &body).unwrap();
        assert_eq!(
            top.only(&["messages"]).unwrap_err(),
            "extra: unknown field (extra inputs are not permitted)"
        );
        let message = &top.objects("messages").unwrap()[0];
        assert_eq!(message.text("role").unwrap_err(), "messages.0.role: must be a string, not a number");
        assert_eq!(message.text("content").unwrap_err(), "messages.0.content: field required");
    }

    #[test]
    fn a_union_holds_one() {
        let body = json!({"text": "a", "image": {}});
        let block = Obj::new("b", &body).unwrap();
        assert!(block.one_of(&["text", "image"], &[]).unwrap_err().contains("both"));
        assert_eq!(block.one_of(&["text"], &["image"]), Ok("text"));
    }
}

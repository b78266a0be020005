//! Takes known fields out of a JSON object, checks their types, and keeps the rest.

use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value};

/// An object that is being read. Null counts as absent.
#[derive(Debug)]
pub(crate) struct Fields {
    map: Map<String, Value>,
    kind: ErrorKind,
}

impl Fields {
    /// Part of a caller's request: a wrong type is the caller's fault (400).
    pub(crate) fn of_request(map: Map<String, Value>) -> Fields {
        Fields { map, kind: ErrorKind::BadRequest }
    }

    /// Part of a provider's answer: a wrong type is the provider's fault (502).
    pub(crate) fn of_answer(map: Map<String, Value>) -> Fields {
        Fields { map, kind: ErrorKind::BadGateway }
    }

    /// Another object inside the same body.
    pub(crate) fn inner(&self, map: Map<String, Value>) -> Fields {
        Fields { map, kind: self.kind }
    }

    fn wrong(&self, name: &'static str, wanted: &str) -> Error {
        let error = Error::new(self.kind, format!("`{name}` must be {wanted}")).with_param(name);
        error.with_code("invalid_type")
    }

    /// An error about a field, of the right blame.
    pub(crate) fn fault(&self, name: &'static str, text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
        Error::new(self.kind, text).with_param(name).with_code("invalid_value")
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.swap_remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn peek(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn string(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    pub(crate) fn required(&mut self, name: &'static str) -> Result<String, Error> {
        self.string(name)?.ok_or_else(|| self.fault(name, format!("`{name}` is missing")))
    }

    pub(crate) fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<f64>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| self.wrong(name, "a number")),
        }
    }

    pub(crate) fn unsigned(&mut self, name: &'static str) -> Result<Option<u64>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => whole(&value)
                .and_then(|n| u64::try_from(n).ok())
                .map(Some)
                .ok_or_else(|| self.wrong(name, "a whole number, not negative")),
        }
    }

    pub(crate) fn integer(&mut self, name: &'static str) -> Result<Option<i64>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => whole(&value).map(Some).ok_or_else(|| self.wrong(name, "a whole number")),
        }
    }

    pub(crate) fn array(&mut self, name: &'static str) -> Result<Option<Vec<Value>>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.wrong(name, "a list")),
        }
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Result<Option<Map<String, Value>>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(self.wrong(name, "an object")),
        }
    }

    /// An object inside, as fields; an absent one is empty.
    pub(crate) fn fields(&mut self, name: &'static str) -> Result<Fields, Error> {
        let map = self.object(name)?.unwrap_or_default();
        Ok(self.inner(map))
    }

    /// A list of objects.
    pub(crate) fn objects(&mut self, name: &'static str) -> Result<Vec<Fields>, Error> {
        let items = self.array(name)?.unwrap_or_default();
        items
            .into_iter()
            .map(|item| match item {
                Value::Object(map) => Ok(self.inner(map)),
                _ => Err(self.wrong(name, "a list of objects")),
            })
            .collect()
    }

    /// A string or a list of strings.
    pub(crate) fn strings(&mut self, name: &'static str) -> Result<Vec<String>, Error> {
        let wrong = |fields: &Fields| fields.wrong(name, "a string or a list of strings");
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    _ => Err(wrong(self)),
                })
                .collect(),
            Some(_) => Err(wrong(self)),
        }
    }

    /// What was not taken.
    pub(crate) fn rest(mut self) -> Map<String, Value> {
        self.map.retain(|_, value| !value.is_null());
        self.map
    }
}

/// A whole number, also where it is written as `1.0`.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15)?;
        #[allow(clippy::cast_possible_truncation)]
        Some(number as i64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: Value) -> Fields {
        Fields::of_request(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_wrong_type_names_the_field_and_blames_the_right_side() {
        let error = fields(json!({"temperature": "hot"})).number("temperature").unwrap_err();
        assert_eq!((error.status().as_u16(), error.param()), (400, Some("temperature")));
        let mut answer = Fields::of_answer(json!({"id": 1}).as_object().unwrap().clone());
        assert_eq!(answer.string("id").unwrap_err().status().as_u16(), 502);
    }

    #[test]
    fn null_is_absent_and_whole_floats_are_whole() {
        let mut it = fields(json!({"a": null, "n": 3.0, "m": 1.5, "rest": 1}));
        assert_eq!(it.string("a").unwrap(), None);
        assert_eq!(it.unsigned("n").unwrap(), Some(3));
        assert!(it.unsigned("m").is_err());
        assert_eq!(Value::Object(it.rest()), json!({"rest": 1}));
    }
}

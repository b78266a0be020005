//! JSON, read so that what is written again says the same: order and numbers stay, repeated keys are noticed.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A document, and whether it must be written anew whatever else happens.
pub(super) struct Parsed {
    pub(super) value: Value,
    /// A key stands twice in one object. Readers differ in which they take, so what was checked here may not be what a
    /// provider reads.
    pub(super) repeated: bool,
}

/// Whether these bytes may be an object or an array.
pub(super) fn looks_like_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

/// Reads a document of at most 128 levels.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, serde_json::Error> {
    let mut repeated = false;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Build(&mut repeated).deserialize(&mut reader)?;
    reader.end()?;
    Ok(Parsed { value, repeated })
}

/// Writes it without spaces.
pub(super) fn write(value: &Value) -> Vec<u8> {
    // A `Value` has text keys and finite numbers, and memory does not refuse to be written to.
    serde_json::to_vec(value).unwrap_or_default()
}

/// A measure of what a copy of it takes: bytes, roughly.
pub(super) fn weight(value: &Value) -> usize {
    const NODE: usize = 32;
    NODE + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| NODE + key.len() + weight(value)).sum(),
        _ => 0,
    }
}

struct Build<'a>(&'a mut bool);

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Build(self.0))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(Build(self.0))?;
            *self.0 |= map.insert(key, value).is_some();
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_numbers_survive() {
        let text =
            r#"{"z":1,"a":0.1,"m":[18446744073709551615,-9223372036854775808,1.0,1e300,null],"k":"é"}"#;
        let parsed = parse(text.as_bytes()).unwrap();
        assert!(!parsed.repeated);
        assert_eq!(String::from_utf8(write(&parsed.value)).unwrap().replace("1e+300", "1e300"), text);
    }

    #[test]
    fn a_repeated_key_is_noticed_wherever_it_stands() {
        assert!(parse(br#"{"a":[{"b":1,"b":1}]}"#).unwrap().repeated);
        assert!(!parse(br#"{"a":[{"b":1},{"b":1}]}"#).unwrap().repeated);
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in ["", "{", "{} {}", "[1,]", "nul", "\"\\ud800\"", "1e999", &deep] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}

//! JSON to Rhai and back.
//!
//! Rhai keeps maps sorted: what comes back takes its order from what went in, and new keys come after, sorted. Numbers
//! stay integers or floats; a whole number beyond 64 signed bits is a float in a script, and itself again if unchanged.

use super::engine::{LongText, MAX_PARTS, MAX_TEXT};
use rhai::{Array, Dynamic, Map};
use serde_json::{Map as Object, Number, Value};
use std::collections::BTreeMap;

/// Texts longer than this are not copied into a script.
const LONG: usize = 256 * 1024;
/// Levels of what a script leaves.
const MAX_DEPTH: usize = 128;

/// A body for a script.
///
/// # Errors
/// When it is more than a script gets to see.
pub(super) fn from_json(value: &Value) -> Result<Dynamic, String> {
    let (mut parts, mut text) = (MAX_PARTS, MAX_TEXT);
    give(value, &mut parts, &mut text).ok_or_else(|| {
        format!("the body is more than a script can work on: {MAX_PARTS} values, {MAX_TEXT} bytes of text")
    })
}

fn give(value: &Value, parts: &mut usize, text: &mut usize) -> Option<Dynamic> {
    *parts = parts.checked_sub(1)?;
    Some(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.as_i64().map_or_else(|| float(number), Dynamic::from_int),
        Value::String(value) if value.len() > LONG => Dynamic::from(LongText(value.as_str().into())),
        Value::String(value) => {
            *text = text.checked_sub(value.len())?;
            value.as_str().into()
        }
        Value::Array(items) => {
            let items: Option<Array> = items.iter().map(|item| give(item, parts, text)).collect();
            items?.into()
        }
        Value::Object(map) => {
            let mut members = Map::new();
            for (key, value) in map {
                *text = text.checked_sub(key.len())?;
                members.insert(key.as_str().into(), give(value, parts, text)?);
            }
            members.into()
        }
    })
}

fn float(number: &Number) -> Dynamic {
    number.as_f64().unwrap_or_default().into()
}

/// What a script left; `old` is what it was given in that place.
///
/// # Errors
/// The path of what is no JSON, such as `.a[0]`, and what it is.
pub(super) fn to_json(value: Dynamic, old: Option<&Value>) -> Result<Value, String> {
    take(value, old, MAX_DEPTH)
}

fn take(value: Dynamic, old: Option<&Value>, depth: usize) -> Result<Value, String> {
    let Some(below) = depth.checked_sub(1) else { return Err(format!(": more than {MAX_DEPTH} levels")) };
    if value.is_array() {
        let old = old.and_then(Value::as_array);
        let items = value.into_array().unwrap_or_default().into_iter().enumerate();
        let item = |(at, item)| {
            take(item, old.and_then(|old| old.get(at)), below).map_err(|why| format!("[{at}]{why}"))
        };
        return items.map(item).collect::<Result<_, _>>().map(Value::Array);
    }
    if value.is_map() {
        return take_map(value.cast::<Map>(), old.and_then(Value::as_object), below).map(Value::Object);
    }
    let type_name = value.type_name();
    if let Some(text) = value.read_lock::<LongText>() {
        return Ok(Value::String(text.0.as_ref().to_owned()));
    }
    if value.is_string() {
        return Ok(Value::String(value.into_string().unwrap_or_default()));
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.as_bool() {
        return Ok(Value::Bool(value));
    }
    if let Ok(value) = value.as_int() {
        return Ok(value.into());
    }
    if let Ok(value) = value.as_char() {
        return Ok(value.to_string().into());
    }
    match value.as_float() {
        Ok(value) => match old {
            Some(Value::Number(old)) if old.as_i64().is_none() && old.as_f64() == Some(value) => {
                Ok(Value::Number(old.clone()))
            }
            _ => Number::from_f64(value)
                .map(Value::Number)
                .ok_or_else(|| ": a number that is not finite is no JSON".to_owned()),
        },
        Err(_) => Err(format!(": {type_name} is no JSON")),
    }
}

fn take_map(
    mut map: Map,
    old: Option<&Object<String, Value>>,
    depth: usize,
) -> Result<Object<String, Value>, String> {
    let mut out = Object::new();
    let mut put = |key: &str, value, old| {
        let value = take(value, old, depth).map_err(|why| format!(".{key}{why}"))?;
        out.insert(key.to_owned(), value);
        Ok::<(), String>(())
    };
    for (key, old) in old.into_iter().flatten() {
        if let Some(value) = map.remove(key.as_str()) {
            put(key, value, Some(old))?;
        }
    }
    for (key, value) in map {
        put(&key, value, None)?;
    }
    Ok(out)
}

/// The headers a script wants; one that is set to () is taken out.
///
/// # Errors
/// What is no header.
pub(super) fn to_headers(value: Dynamic) -> Result<BTreeMap<String, String>, String> {
    let type_name = value.type_name();
    let map = value.try_cast::<Map>().ok_or_else(|| format!("headers: {type_name} is no map"))?;
    let mut headers = BTreeMap::new();
    for (name, value) in map {
        let type_name = value.type_name();
        let text = match value.as_int() {
            _ if value.is_unit() => continue,
            Ok(number) => number.to_string(),
            Err(_) => {
                value.into_string().map_err(|_| format!("headers[\"{name}\"]: {type_name} is no text"))?
            }
        };
        headers.insert(name.to_ascii_lowercase(), text);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_is_not_touched_comes_back_the_same() {
        let long = "x".repeat(LONG + 1);
        let value = json!({"z": 1, "a": [1.0, -5, 18_446_744_073_709_551_615u64, null, true, "é"], "m": {"y": long, "b": {}}});
        let back = to_json(from_json(&value).unwrap(), Some(&value)).unwrap();
        assert_eq!(back.to_string(), value.to_string(), "order and numbers too");
    }

    #[test]
    fn too_much_is_refused() {
        assert!(from_json(&Value::Array(vec![Value::Null; MAX_PARTS])).is_err());
        let texts = vec![Value::from("x".repeat(LONG)); MAX_TEXT / LONG + 1];
        assert!(from_json(&Value::Array(texts)).is_err());
        let deep = (0..MAX_DEPTH).fold(Dynamic::UNIT, |inner, _| vec![inner].into());
        assert!(to_json(deep, None).unwrap_err().contains("levels"));
        assert!(to_json(Dynamic::from(f64::NAN), None).is_err());
        assert!(to_json(Dynamic::from_blob(vec![1]), None).unwrap_err().contains("blob"));
    }

    proptest! {
        #[test]
        fn any_json_comes_back(text in crate::transform::testing::json_text()) {
            let value: Value = serde_json::from_str(&text).unwrap();
            let back = to_json(from_json(&value).unwrap(), Some(&value)).unwrap();
            prop_assert_eq!(back.to_string(), value.to_string());
        }
    }
}

//! The one way to write a JSON value: what `json.dumps(x, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`
//! writes in Python.

use super::ProofError;
use serde_json::Value;

/// Writes a value canonically: keys sorted by code point, no spaces, only what must be escaped escaped.
///
/// # Errors
/// [`ProofError::Number`] for a number that is no integer of 64 bits: floating point has no one way to be written.
pub fn canonical(value: &Value) -> Result<Vec<u8>, ProofError> {
    let mut out = Vec::with_capacity(1024);
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), ProofError> {
    match value {
        Value::Number(number) if number.is_f64() => return Err(ProofError::Number(number.to_string())),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // Sorted here: the order of a `Map` depends on a feature of `serde_json` that anyone may turn on.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            out.push(b'{');
            for (i, (name, item)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, name).map_err(ProofError::json)?;
                out.push(b':');
                write(item, out)?;
            }
            out.push(b'}');
        }
        plain => serde_json::to_writer(&mut *out, plain).map_err(ProofError::json)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_way_to_write_a_value() {
        let value = serde_json::from_str(
            " {\"b\": [1, -2, true, null], \"a\\u0000\": \"\\u00fc\\u001f/\\\\\", \"a\": {}}",
        );
        let text = String::from_utf8(canonical(&value.unwrap()).unwrap()).unwrap();
        assert_eq!(text, "{\"a\":{},\"a\\u0000\":\"ü\\u001f/\\\\\",\"b\":[1,-2,true,null]}");
    }

    #[test]
    fn floating_point_is_refused() {
        for text in ["1.0", "[1e3]", "{\"a\":18446744073709551616}"] {
            let error = canonical(&serde_json::from_str(text).unwrap()).unwrap_err();
            assert!(matches!(error, ProofError::Number(_)), "{text}");
        }
    }
}

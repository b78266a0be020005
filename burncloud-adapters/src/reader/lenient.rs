//! Reads reports that are not quite what was promised: an unexpected type in one field must not cost the rest.
//!
//! For use as `deserialize_with`, over JSON text alone.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de str, D::Error> {
    Ok(<&RawValue>::deserialize(deserializer)?.get())
}

/// A count of tokens, also as a text or with a fraction. What is negative is 0, what is no number is none.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = raw(deserializer)?.trim_matches('"');
    Ok(text.parse().ok().or_else(|| float(text).map(whole)))
}

/// Seconds, in milliseconds; a begun one counts.
pub(crate) fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(parse_millis(raw(deserializer)?))
}

/// The text of a number of seconds, in milliseconds; a begun one counts.
pub(crate) fn parse_millis(text: &str) -> Option<u64> {
    float(text.trim_matches('"')).map(|seconds| whole((seconds * 1000.0).ceil()))
}

fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// The cast saturates: what is negative becomes 0.
fn whole(n: f64) -> u64 {
    n as u64
}

/// An object or a list; the default where it is none, or none that can be read.
pub(crate) fn nested<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let raw = raw(deserializer)?;
    if raw == "null" { Ok(T::default()) } else { Ok(serde_json::from_str(raw).unwrap_or_default()) }
}

/// A text; none where it is something else.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<str>>, D::Error> {
    nested(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Report {
        #[serde(deserialize_with = "count")]
        a: Option<u64>,
        #[serde(deserialize_with = "millis")]
        s: Option<u64>,
        #[serde(deserialize_with = "nested")]
        n: Vec<u8>,
        #[serde(deserialize_with = "text")]
        t: Option<Box<str>>,
    }

    fn read(text: &str) -> Report {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn one_odd_field_costs_no_other() {
        for (text, a) in [
            ("7", Some(7)),
            ("7.9", Some(7)),
            ("\"7\"", Some(7)),
            ("-7", Some(0)),
            ("1e3", Some(1000)),
            ("1e99", Some(u64::MAX)),
            ("null", None),
            ("{}", None),
            ("[7]", None),
            ("true", None),
        ] {
            let report = read(&format!(r#"{{"n":3,"a":{text},"t":[1],"s":1.0001}}"#));
            assert_eq!((report.a, report.s), (a, Some(1001)), "{text}");
            assert!(report.n.is_empty() && report.t.is_none());
        }
        let report = read(r#"{"n":[1],"t":"x"}"#);
        assert_eq!((report.n, report.t.as_deref()), (vec![1], Some("x")));
    }
}

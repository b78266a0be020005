//! A JSON object edited at its top, every value byte for byte as it came.

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An object's members in order.
#[derive(Debug)]
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'a>, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(Cow<'de, str>, Cow<'de, RawValue>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((Cow::Owned(key), Cow::Borrowed(value)));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object).map(Members)
    }
}

impl<'a> Members<'a> {
    /// The members of a body; `None` where it is no object.
    pub(crate) fn of(body: &'a [u8]) -> Option<Members<'a>> {
        serde_json::from_slice(body).ok()
    }

    /// A member's value as it stands.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    /// Takes a member out, and every other of the same name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Cow<'a, RawValue>> {
        let mut taken = None;
        self.0.retain_mut(|(key, value)| {
            let stays = key != name;
            if !stays {
                taken.get_or_insert_with(|| value.clone());
            }
            stays
        });
        taken
    }

    /// Sets a member, in its place or at the end.
    pub(crate) fn set(&mut self, name: &'a str, value: &serde_json::Value) {
        let raw = RawValue::from_string(value.to_string()).expect("a value's own text is JSON");
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = Cow::Owned(raw),
            None => self.0.push((Cow::Borrowed(name), Cow::Owned(raw))),
        }
    }

    /// The object's text.
    pub(crate) fn text(&self) -> Bytes {
        let mut out = String::with_capacity(
            64 + self.0.iter().map(|(k, v)| k.len() + v.get().len() + 4).sum::<usize>(),
        );
        out.push('{');
        for (key, value) in &self.0 {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&serde_json::Value::from(&**key).to_string());
            out.push(':');
            out.push_str(value.get());
        }
        out.push('}');
        Bytes::from(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_bytes_stay_as_they_are() {
        let text = r#"{ "a\"b": [1.50, "é\u00e9" ], "model":"m","stream" :true, "n":1e3,"model":2}"#;
        let mut members = Members::of(text.as_bytes()).unwrap();
        assert_eq!(members.take("model").unwrap().get(), "\"m\"");
        assert!(members.take("model").is_none());
        members.set("stream", &false.into());
        members.set("x", &serde_json::json!(["y"]));
        assert_eq!(members.text(), r#"{"a\"b":[1.50, "é\u00e9" ],"stream":false,"n":1e3,"x":["y"]}"#);
        assert_eq!(members.get("n"), Some("1e3"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{", "{}{}", "{\"a\":}"] {
            assert!(Members::of(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(Members::of(b"{}").unwrap().text(), "{}");
    }
}

//! The members of a JSON object, to take some out and put some in. What is inside them stays byte for byte.

use burncloud_core::{Error, ErrorKind};
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// The members in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// The members of the object that `body` holds.
    pub(crate) fn of(body: &[u8]) -> Result<Fields, Error> {
        serde_json::from_slice(body).map_err(|error| {
            Error::new(ErrorKind::BadRequest, format!("the body is not valid JSON: {error}"))
                .with_code("invalid_json")
        })
    }

    /// Takes a member out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(at).1)
    }

    /// Gives a member this text: in its place, or at the front.
    pub(crate) fn put(&mut self, name: &str, text: &str) {
        let value = serde_json::value::to_raw_value(text).expect("any text is a JSON string");
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some(member) => member.1 = value,
            None => self.0.insert(0, (name.to_owned(), value)),
        }
    }

    /// The object.
    pub(crate) fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self).expect("names and raw JSON can be written").into()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Fields(members))
            }
        }
        from.deserialize_map(Members)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_stays_as_it_is() {
        let body = "{\"model\": \"m\", \"messages\" : [ {\"n\":1.0,\"t\":\"\\u00e9\"} ], \"x\":1e400}";
        let mut fields = Fields::of(body.as_bytes()).unwrap();
        assert_eq!(fields.take("model").unwrap().get(), "\"m\"");
        assert!(fields.take("model").is_none());
        fields.put("anthropic_version", "v\"1");
        fields.put("anthropic_version", "v2");
        let want =
            "{\"anthropic_version\":\"v2\",\"messages\":[ {\"n\":1.0,\"t\":\"\\u00e9\"} ],\"x\":1e400}";
        assert_eq!(fields.to_bytes(), want);
        for bad in ["[]", "{", "", "{}x"] {
            assert_eq!(Fields::of(bad.as_bytes()).unwrap_err().status(), 400, "{bad}");
        }
    }
}

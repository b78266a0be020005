//! The members of a JSON object, to take some out and put some in. What is inside them stays byte for byte.

use burncloud_core::{Error, ErrorKind};
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// The members in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// The members of the object that `body` holds.
    pub(crate) fn of(body: &[u8]) -> Result<Members, Error> {
        serde_json::from_slice(body).map_err(|error| {
            Error::new(ErrorKind::BadRequest, format!("the body is not valid JSON: {error}"))
                .with_code("invalid_json")
        })
    }

    /// A member as it stands in the text.
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Takes a member out, and every other of its name: of two, a provider may read the one that we did not.
    pub(crate) fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        let mut taken = None;
        self.0.retain_mut(|(key, value)| {
            let other = key != name;
            if !other && taken.is_none() {
                taken = Some(value.clone());
            }
            other
        });
        taken
    }

    /// Gives a member this value: in its place, or at the front. It is the only one of its name then.
    pub(crate) fn put(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        let value = serde_json::value::to_raw_value(value).expect("texts, lists and values have a JSON form");
        let at = self.0.iter().position(|(key, _)| key == name).unwrap_or(0);
        self.take(name);
        self.0.insert(at, (name.to_owned(), value));
    }

    /// The object.
    pub(crate) fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self).expect("names and raw JSON can be written").into()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Members, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Reader)
    }
}

impl Serialize for Members {
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
        let mut members = Members::of(body.as_bytes()).unwrap();
        assert_eq!(members.take("model").unwrap().get(), "\"m\"");
        assert!(members.take("model").is_none());
        members.put("anthropic_version", "v\"1");
        members.put("anthropic_version", "v2");
        let want =
            "{\"anthropic_version\":\"v2\",\"messages\":[ {\"n\":1.0,\"t\":\"\\u00e9\"} ],\"x\":1e400}";
        assert_eq!(members.to_bytes(), want);
        for bad in ["[]", "{", "", "{}x"] {
            assert_eq!(Members::of(bad.as_bytes()).unwrap_err().status(), 400, "{bad}");
        }
    }
}

//! The chunks of a stream, as far as they are read.

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) created: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub(super) choices: Option<Vec<ChoiceChunk>>,
    pub(super) usage: Option<Value>,
    pub(super) x_groq: Option<Value>,
    pub(super) service_tier: Option<String>,
    pub(super) error: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct ChoiceChunk {
    pub(super) index: Option<u32>,
    pub(super) delta: Option<DeltaChunk>,
    pub(super) finish_reason: Option<String>,
    pub(super) logprobs: Option<Value>,
    pub(super) usage: Option<Value>,
}

#[derive(Default, Deserialize)]
pub(super) struct DeltaChunk {
    #[serde(default)]
    pub(super) content: Said,
    pub(super) refusal: Option<String>,
    pub(super) reasoning_content: Option<String>,
    pub(super) reasoning: Option<String>,
    pub(super) reasoning_details: Option<Vec<Value>>,
    pub(super) tool_calls: Option<Vec<CallChunk>>,
    pub(super) function_call: Option<CallInner>,
    pub(super) annotations: Option<Vec<Value>>,
    pub(super) images: Option<Vec<Value>>,
}

#[derive(Deserialize)]
pub(super) struct CallChunk {
    pub(super) index: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) function: Option<CallInner>,
    pub(super) custom: Option<CallInner>,
    pub(super) extra_content: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct CallInner {
    pub(super) name: Option<String>,
    #[serde(alias = "input")]
    pub(super) arguments: Option<Arguments>,
}

/// A text, or JSON where a text should be.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Arguments {
    Text(String),
    Json(Value),
}

impl Arguments {
    pub(super) fn into_text(self) -> String {
        match self {
            Arguments::Text(text) => text,
            Arguments::Json(value) => value.to_string(),
        }
    }
}

/// `content`: a text, as a rule.
#[derive(Default)]
pub(super) enum Said {
    #[default]
    Nothing,
    Text(String),
    Parts(Vec<Value>),
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Said, D::Error> {
        struct Content;

        impl<'de> Visitor<'de> for Content {
            type Value = Said;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of parts")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Said, E> {
                Ok(Said::Nothing)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Said, E> {
                Ok(if text.is_empty() { Said::Nothing } else { Said::Text(text.to_owned()) })
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Said, E> {
                Ok(if text.is_empty() { Said::Nothing } else { Said::Text(text) })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Said, A::Error> {
                let mut parts = Vec::new();
                while let Some(item) = items.next_element()? {
                    parts.push(item);
                }
                Ok(Said::Parts(parts))
            }
        }

        from.deserialize_any(Content)
    }
}

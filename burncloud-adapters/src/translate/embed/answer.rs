//! The answer.

use super::super::whole::{Turn, unreadable};
use super::EmbedFormat;
use crate::gemini::usage_of;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::{Error, ErrorKind};
use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// How an answer is turned around.
#[derive(Debug)]
pub(super) struct Shape {
    /// The provider's format.
    pub(super) from: EmbedFormat,
    /// The model as the caller asked for it.
    pub(super) model: String,
    /// What the caller wants.
    pub(super) kind: Kind,
}

/// What a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// OpenAI's list, of floats.
    Floats,
    /// OpenAI's list, in Base64.
    Base64,
    /// Google's one.
    Single,
    /// Google's several.
    Batch,
}

/// What providers answer; each has its part of these.
#[derive(Deserialize)]
struct Answer<'a> {
    /// OpenAI.
    #[serde(borrow, default)]
    data: Vec<Item<'a>>,
    #[serde(default)]
    usage: Option<Value>,
    /// Google: a list; Cohere: an object of lists.
    #[serde(borrow, default)]
    embeddings: Option<&'a RawValue>,
    #[serde(default, rename = "usageMetadata")]
    usage_metadata: Option<Value>,
    #[serde(default)]
    meta: Option<Value>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(default)]
    index: usize,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

#[derive(Deserialize, Serialize)]
struct Values<'a> {
    #[serde(borrow)]
    values: &'a RawValue,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow)]
    float: Vec<&'a RawValue>,
}

impl Turn for Shape {
    fn turn(&self, body: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        let mut answer: Answer<'_> = serde_json::from_slice(body).map_err(|e| unreadable(&e))?;
        let vectors = self.vectors(&mut answer).map_err(|e| unreadable(&e))?;
        let tokens = self.tokens(&answer);
        match self.kind {
            Kind::Floats | Kind::Base64 => self.openai(&vectors, tokens, out),
            Kind::Single => {
                let Some(first) = vectors.first() else {
                    return Err(Error::new(ErrorKind::BadGateway, "the provider's answer has no embedding"));
                };
                google(out, "embedding", &Values { values: first }, tokens)
            }
            Kind::Batch => {
                let all: Vec<Values<'_>> = vectors.into_iter().map(|values| Values { values }).collect();
                google(out, "embeddings", &all, tokens)
            }
        }
    }
}

impl Shape {
    /// The vectors in the order of the texts.
    fn vectors<'a>(&self, answer: &mut Answer<'a>) -> Result<Vec<&'a RawValue>, serde_json::Error> {
        let embeddings = answer.embeddings.map_or("[]", RawValue::get);
        Ok(match self.from {
            EmbedFormat::OpenAi => {
                answer.data.sort_by_key(|item| item.index);
                answer.data.iter().map(|item| item.embedding).collect()
            }
            EmbedFormat::Gemini => {
                let all: Vec<Values<'_>> = serde_json::from_str(embeddings)?;
                all.into_iter().map(|it| it.values).collect()
            }
            EmbedFormat::Cohere => serde_json::from_str::<Typed<'_>>(embeddings)?.float,
        })
    }

    /// The tokens that the provider counted.
    fn tokens(&self, answer: &Answer<'_>) -> Option<u64> {
        let count = |value: &Option<Value>, pointer: &str| value.as_ref()?.pointer(pointer)?.as_u64();
        match self.from {
            EmbedFormat::OpenAi => {
                count(&answer.usage, "/prompt_tokens").or_else(|| count(&answer.usage, "/total_tokens"))
            }
            EmbedFormat::Gemini => usage_of(answer.usage_metadata.as_ref()?).map(|it| it.total_input()),
            EmbedFormat::Cohere => count(&answer.meta, "/billed_units/input_tokens"),
        }
    }

    fn openai(&self, vectors: &[&RawValue], tokens: Option<u64>, out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(b"{\"object\":\"list\",\"data\":[");
        for (index, vector) in vectors.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            out.extend_from_slice(
                format!("{comma}{{\"object\":\"embedding\",\"index\":{index},\"embedding\":").as_bytes(),
            );
            if self.kind == Kind::Base64 {
                out.extend_from_slice(format!("\"{}\"", base64(vector)?).as_bytes());
            } else {
                out.extend_from_slice(vector.get().as_bytes());
            }
            out.extend_from_slice(b"}");
        }
        // OpenAI's SDKs want counts.
        let tokens = tokens.unwrap_or(0);
        let usage = json!({ "prompt_tokens": tokens, "total_tokens": tokens });
        let model = Value::from(self.model.as_str());
        out.extend_from_slice(format!("],\"model\":{model},\"usage\":{usage}}}").as_bytes());
        Ok(())
    }
}

/// Little-endian 32-bit floats in Base64.
fn base64(vector: &RawValue) -> Result<String, Error> {
    let floats: Vec<f32> = serde_json::from_str(vector.get()).map_err(|e| unreadable(&e))?;
    let bytes: Vec<u8> = floats.into_iter().flat_map(f32::to_le_bytes).collect();
    Ok(STANDARD.encode(bytes))
}

fn google(
    out: &mut BytesMut,
    name: &str,
    vectors: &impl Serialize,
    tokens: Option<u64>,
) -> Result<(), Error> {
    out.extend_from_slice(format!("{{\"{name}\":").as_bytes());
    serde_json::to_writer(out.writer(), vectors).map_err(|e| unreadable(&e))?;
    if let Some(tokens) = tokens {
        let usage = json!({ "promptTokenCount": tokens });
        out.extend_from_slice(format!(",\"usageMetadata\":{usage}").as_bytes());
    }
    out.extend_from_slice(b"}");
    Ok(())
}

//! Embeddings, between OpenAI's, Google's and Cohere's shapes.
//!
//! | | asks | texts | dimensions | purpose |
//! |---|---|---|---|---|
//! | OpenAI | `/v1/embeddings` | `input` | `dimensions` | - |
//! | Google AI Studio | `:embedContent`, `:batchEmbedContents` | `content`, one a request | `outputDimensionality` | `taskType` |
//! | Cohere | `/v2/embed` | `texts` | `output_dimension` | `input_type` |
//!
//! Callers speak the first two. Vectors pass as the provider wrote them, number for number; a caller who wants them in
//! Base64 (OpenAI's SDKs do) gets little-endian 32-bit floats. Tokens instead of texts, and media, are refused: another
//! model means something else by them.

mod answer;
mod ask;

use super::codec::Profile;
use super::whole::{Whole, adapted};
use super::{Format, Notes};
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::{Dialect, Endpoint, Error, ErrorKind, Operation, Surface};

/// A wire format of embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmbedFormat {
    /// OpenAI's, and of everyone who speaks its API.
    OpenAi,
    /// Google AI Studio's.
    Gemini,
    /// Cohere's second version; providers only.
    Cohere,
}

impl EmbedFormat {
    /// What a caller of this endpoint speaks, if it asks for embeddings.
    fn of(endpoint: &Endpoint) -> Option<EmbedFormat> {
        match (endpoint.dialect, endpoint.operation) {
            (Dialect::OpenAi, Operation::Embeddings) => Some(EmbedFormat::OpenAi),
            (Dialect::Gemini, Operation::EmbedContent) => Some(EmbedFormat::Gemini),
            _ => None,
        }
    }

    /// The conversation's format of the same dialect: errors look like its, and fields are named as in it.
    fn format(self) -> Format {
        match self {
            EmbedFormat::OpenAi => Format::Chat,
            EmbedFormat::Gemini => Format::Gemini,
            EmbedFormat::Cohere => Format::Cohere,
        }
    }
}

/// Whether callers of an endpoint can be translated for a provider of this format.
pub(crate) fn embeds(endpoint: &Endpoint, to: EmbedFormat) -> bool {
    EmbedFormat::of(endpoint).is_some_and(|from| from != to)
}

/// The request in the provider's format.
///
/// # Errors
/// 400 for what the provider has no words for; 501 on Vertex, whose embeddings have another API.
pub(crate) fn adapt_embed(ask: &AdaptAsk<'_>, to: EmbedFormat, profile: &Profile) -> Result<Adapted, Error> {
    let unknown =
        || Error::new(ErrorKind::NotImplemented, "embeddings cannot be translated for this model's provider");
    let from = EmbedFormat::of(ask.endpoint).filter(|from| *from != to).ok_or_else(unknown)?;
    if to == EmbedFormat::Gemini && profile.vertex {
        return Err(unknown());
    }
    let mut notes = Notes::new(from.format());
    let body = super::adapt::parse(ask.body)?;
    let mut shape = answer::Shape { from: to, model: ask.model.to_owned(), kind: answer::Kind::Batch };
    let asked = match from {
        EmbedFormat::Gemini => ask::read_gemini(body, &mut shape, &mut notes)?,
        EmbedFormat::OpenAi | EmbedFormat::Cohere => ask::read_openai(body, &mut shape, &mut notes)?,
    };
    let body = asked.write(to, ask.upstream_model, profile, &mut notes);
    let answer = Box::new(Whole::new(shape, from.format()));
    Ok(adapted(address(to, ask.upstream_model), &body, notes, answer))
}

/// Where a caller of a format would send such a request.
fn address(to: EmbedFormat, model: &str) -> (String, Endpoint) {
    let (path, dialect, operation, path_model) = match to {
        EmbedFormat::OpenAi => ("/v1/embeddings".to_owned(), Dialect::OpenAi, Operation::Embeddings, None),
        EmbedFormat::Cohere => ("/v2/embed".to_owned(), Dialect::Cohere, Operation::Embeddings, None),
        EmbedFormat::Gemini => {
            let name = model.strip_prefix("models/").unwrap_or(model);
            let path = format!("/v1beta/models/{}:batchEmbedContents", crate::path::encoded(name));
            (path, Dialect::Gemini, Operation::EmbedContent, Some(model.into()))
        }
    };
    (path, Endpoint { dialect, surface: Surface::Direct, operation, path_model })
}

#[cfg(test)]
mod tests;

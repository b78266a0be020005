//! Translation between wire formats: one hub, a reader and a writer per format.
//!
//! A request is read into a [`Conversation`], which can say whatever any of the formats can, and written in the
//! provider's. The answer is read into a [`Reply`], or event by event into [`Event`]s, and written in the caller's. So
//! six formats need six readers and writers, not thirty-six translators:
//!
//! | [`Format`] | whose | request | stream |
//! |---|---|---|---|
//! | [`Chat`](Format::Chat) | OpenAI chat completions, and everybody's | `messages` | server-sent events |
//! | [`Responses`](Format::Responses) | OpenAI responses | `input` items | typed events, numbered |
//! | [`Messages`](Format::Messages) | Anthropic | `messages` of blocks | block start, delta, stop |
//! | [`Gemini`](Format::Gemini) | Google | `contents` of parts | whole answers, cumulative |
//! | [`Cohere`](Format::Cohere) | Cohere v2 chat | `messages` | typed events |
//! | [`Converse`](Format::Converse) | AWS Bedrock | `messages` of blocks | binary event stream |
//!
//! # What happens to what the other side has no words for
//!
//! - **Settings** (a seed, penalties) are left out with a record: their names stand in the answer's
//!   `x-burncloud-dropped` header and in the log. Where the channel or the caller (`x-burncloud-strict: true`) is
//!   strict, the request is refused with 400 instead.
//! - **Content** (a picture, a recording, a document) is never left out: 400, always.
//! - **Ranges** are converted (a temperature of 1.4 is 1 for a provider that ends there); that is no loss to record.
//! - **Unknown fields** pass where both sides are of one family ([`Format::family`]), and are left out with a record
//!   otherwise.
//! - **Reasoning** keeps its signatures: one that the other format has a place for is carried there with a mark of its
//!   origin ([`Signature`]), and goes back to the provider that made it unchanged. To another provider it is left out.
//!
//! Token counts are normalised once, by the same code that reads them for billing.

mod adapt;
mod chat;
pub(crate) mod codec;
mod cohere;
mod content;
mod conversation;
mod converse;
mod convert;
mod count;
#[cfg(test)]
mod cross_tests;
mod custom;
mod dropped;
mod embed;
mod event;
mod failure;
mod fields;
mod format;
mod gemini;
mod invoke;
mod messages;
mod reasoning;
mod reply;
mod rerank;
mod responses;
mod rewrite;
#[cfg(any(test, feature = "testing"))]
mod said;
mod signature;
pub(crate) mod sse;
#[cfg(test)]
mod test_kit;
mod whole;

pub use content::{
    CacheMark, CallKind, Content, Media, MediaKind, Part, Source, Thinking, ToolCall, ToolResult,
};
pub use conversation::{Conversation, FunctionTool, Output, Role, Sampling, Tool, ToolChoice, Turn};
pub use dropped::{Notes, Setting};
pub use event::{Block, Delta, Event, Start};
pub use failure::{Failure, FailureKind};
pub use format::Format;
pub use reasoning::{Effort, Reasoning};
pub use reply::{Choice, Citation, Reply, Stop};
pub use signature::{Origin, Signature};

#[cfg(feature = "testing")]
pub use said::{Said, SaidCall, Translated, said, translated, translation};

#[cfg(feature = "testing")]
pub(crate) use adapt::leave_out_foreign;
pub(crate) use adapt::{adapt, adapt_through, translates};
pub(crate) use codec::{Caller, Codec, Profile, ReadStream, Target, Wire, WriteStream};
pub(crate) use conversation::QUIET;
pub(crate) use convert::{new_id, now_seconds, prefixed_id};
pub(crate) use count::counts;
pub(crate) use embed::{EmbedFormat, adapt_embed, embeds};
pub(crate) use fields::Fields;
pub(crate) use rerank::{RerankFormat, adapt_rerank, reranks};

//! Google's `generateContent`, at AI Studio and on Vertex.
//!
//! What is particular to it:
//!
//! - Callers write names in camelCase and in snake_case, and Base64 in both alphabets; both are read, the first of each
//!   is written.
//! - Calls have ids only at times. Where Google gives none, the call's place makes one; an id of Google's goes to callers
//!   as `gem_<id>` and comes back without the prefix; ids of others are not sent to Google.
//! - Schemas are written as JSON Schema (`parametersJsonSchema`, `responseJsonSchema`); Google's older subset of OpenAPI
//!   is read and made JSON Schema for everybody else.
//! - Signatures are bytes to its SDKs: one of another provider goes to a caller as Base64 of its marked form. A call in
//!   the history that Google did not sign gets the word that Gemini 3 takes instead.
//! - Instructions in the middle of a conversation become the user's words.
//! - It counts characters of citations in bytes.

mod citation;
mod config;
mod logprobs;
mod media;
mod model;
mod names;
mod part;
mod partial;
mod read_request;
mod read_stream;
mod reply;
mod schema;
mod sign;
#[cfg(test)]
mod tests;
mod tool;
mod usage;
mod write_content;
mod write_request;
mod write_stream;

pub(super) use names::{camel, object, objects};

use super::codec::{Caller, Codec, Profile, ReadStream, Target, WriteStream};
use super::{Conversation, Notes, Reply};
use burncloud_core::Error;
use serde_json::{Map, Value};

/// See the module.
struct Gemini;

/// Gemini's.
pub(super) fn codec() -> &'static dyn Codec {
    &Gemini
}

impl Codec for Gemini {
    fn read_request(&self, body: Map<String, Value>, _notes: &mut Notes) -> Result<Conversation, Error> {
        read_request::read(body)
    }

    fn write_request(
        &self,
        conversation: Conversation,
        to: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<Value, Error> {
        write_request::write(conversation, to, notes)
    }

    fn read_reply(&self, body: Map<String, Value>, _from: &Profile) -> Result<Reply, Error> {
        reply::read(body)
    }

    fn write_reply(&self, reply: Reply, to: &Caller) -> Value {
        reply::write(reply, to)
    }

    fn stream_reader(&self, _from: &Profile) -> Box<dyn ReadStream> {
        Box::new(read_stream::Reader::default())
    }

    fn stream_writer(&self, to: &Caller) -> Box<dyn WriteStream> {
        Box::new(write_stream::Writer::new(to))
    }
}

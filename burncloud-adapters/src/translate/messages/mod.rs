//! Anthropic's messages.
//!
//! Facts were checked against its SDKs (anthropic 0.125 and 2.10) and recorded traffic; what models differ in is in
//! [`model`]. Beyond the rules of the hub:
//!
//! - `max_tokens` is required: without one the longest answer of the model is asked for. It is raised by the budget for
//!   thinking where it is not above it.
//! - An effort becomes a budget, or an effort with adaptive thinking, as the model takes it; one that does not think, or
//!   cannot begin to in the middle of a tool loop without thoughts of its own, is asked without, with a record. A
//!   thinking model is drawn from at its defaults, and within a budget no tool can be forced: `auto`, with a record.
//! - A JSON schema is enforced by the provider where the model can, in the form that Anthropic takes
//!   ([`schema::enforced`]); elsewhere, and for JSON without a schema, it is an instruction, with a record.
//! - Turns are brought in order ([`layout::arrange`]). A history with calls but no tools gets tools that take anything,
//!   and may not be called.
//! - Free-text tools become functions of one argument, `input`, with a record.
//! - Search results, and documents made of blocks, are plain documents to everybody else.
//! - Names of tools that Anthropic does not take are refused; ids are made to fit.
//! - A request that was Anthropic's all along is written as it was said, whatever the model.

pub(super) mod layout;
pub(super) mod model;
mod read;
mod read_blocks;
mod read_stream;
mod reply;
pub(super) mod rules;
pub(super) mod schema;
#[cfg(test)]
mod tests;
mod write;
pub(super) mod write_blocks;
mod write_stream;

use super::{Caller, Codec, Conversation, Notes, Profile, ReadStream, Reply, Target, WriteStream};
use burncloud_core::Error;
use serde_json::{Map, Value};

/// The codec.
pub(super) fn codec() -> &'static dyn Codec {
    &Messages
}

struct Messages;

impl Codec for Messages {
    fn read_request(&self, body: Map<String, Value>, _notes: &mut Notes) -> Result<Conversation, Error> {
        read::read_request(body)
    }

    fn write_request(
        &self,
        conversation: Conversation,
        to: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<Value, Error> {
        write::write_request(conversation, to, notes)
    }

    fn read_reply(&self, body: Map<String, Value>, _from: &Profile) -> Result<Reply, Error> {
        reply::read_reply(body)
    }

    fn write_reply(&self, reply: Reply, to: &Caller) -> Value {
        reply::write_reply(reply, to)
    }

    fn stream_reader(&self, _from: &Profile) -> Box<dyn ReadStream> {
        Box::new(read_stream::Reader::default())
    }

    fn stream_writer(&self, to: &Caller) -> Box<dyn WriteStream> {
        Box::new(write_stream::Writer::new(to))
    }
}

//! OpenAI's responses.
//!
//! A request's `input` is a list of items. Items of the model that follow one another (reasoning, messages, calls) are
//! one turn, and so are results of tools; every other message is a turn of its own. Ids of items are carried, so that
//! what is written back is what was read.
//!
//! What a caller of this format loses at another provider: the summary's length (`reasoning.summary`), item ids, what
//! only OpenAI keeps (`previous_response_id`, `conversation`, `prompt`, `background`: refused with 400). What a provider
//! of this format does not take: `top_k`, `stop`, `seed`, penalties, several answers (left out with a record), recordings
//! and films (refused).

mod delta;
mod input;
mod items;
mod media;
mod reply;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use super::codec::{Caller, Codec, Profile, ReadStream, Target, WriteStream};
use super::{Conversation, Format, Notes, Origin, Reply};
use burncloud_core::Error;
use serde_json::{Map, Value};

/// The codec.
pub(super) fn codec() -> &'static dyn Codec {
    &Responses
}

struct Responses;

impl Codec for Responses {
    fn read_request(&self, body: Map<String, Value>, _notes: &mut Notes) -> Result<Conversation, Error> {
        request::read(body)
    }

    fn write_request(
        &self,
        conversation: Conversation,
        to: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<Value, Error> {
        write::write(conversation, to, notes)
    }

    fn read_reply(&self, body: Map<String, Value>, from: &Profile) -> Result<Reply, Error> {
        reply::read(body, from)
    }

    fn write_reply(&self, reply: Reply, to: &Caller) -> Value {
        reply::write(reply, to)
    }

    fn stream_reader(&self, from: &Profile) -> Box<dyn ReadStream> {
        Box::new(stream::Reader::new(from))
    }

    fn stream_writer(&self, to: &Caller) -> Box<dyn WriteStream> {
        Box::new(writer::Writer::new(to))
    }
}

/// Who can decrypt a provider's encrypted reasoning.
fn origin(profile: &Profile) -> Origin {
    if profile.genuine { Origin::OpenAi } else { Origin::Other }
}

/// This format.
const OWN: Format = Format::Responses;

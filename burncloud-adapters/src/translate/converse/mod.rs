//! AWS Bedrock's Converse.
//!
//! Shapes are those of AWS's own description (`bedrock-runtime` of botocore 1.44), facts those of recorded traffic. The
//! path names the model and whether the answer streams; the body does not. Beyond the rules of the hub:
//!
//! - For a Claude the rules of [`super::messages`] hold: thinking, sampling, the order of turns. Makers take what AWS has
//!   no field for in their own words ([`more`]).
//! - `maxTokens` is written where it was said, or a budget for thinking needs it: AWS's default is the model's longest.
//! - There is no choice not to call: without a history of calls the tools are left out, else the choice is, with a record.
//! - A history with calls but no tools gets tools that take anything: the API demands some.
//! - A `cachePoint` is a mark on the block before it. A text under guard is a text to everybody else.
//! - A result of JSON is read as text, and written as text: models are shown the same.
//! - Documents get names of the letters that AWS takes, and a turn with a document gets a text.
//! - Text documents go as bytes, which all models take; only AWS's own requests keep them as text.
//! - A JSON schema is enforced where the model's maker is known to; elsewhere, and for JSON without a schema, it is an
//!   instruction, with a record.
//! - What a stream's `messageStop` says is complete; `metadata`, which follows, may be missing.

mod media;
mod more;
mod read;
mod read_stream;
mod reply;
#[cfg(test)]
mod tests;
mod write;
mod write_blocks;
mod write_stream;

use super::{Caller, Codec, Conversation, Notes, Profile, ReadStream, Reply, Target, WriteStream};
use burncloud_core::Error;
use serde_json::{Map, Value};

/// The codec.
pub(super) fn codec() -> &'static dyn Codec {
    &Converse
}

struct Converse;

impl Codec for Converse {
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

    fn write_reply(&self, reply: Reply, _to: &Caller) -> Value {
        reply::write_reply(reply)
    }

    fn stream_reader(&self, _from: &Profile) -> Box<dyn ReadStream> {
        Box::new(read_stream::Reader::default())
    }

    fn stream_writer(&self, _to: &Caller) -> Box<dyn WriteStream> {
        Box::new(write_stream::Writer::new())
    }
}

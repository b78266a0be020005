//! A streamed answer, event by event, in no wire format.

use super::{CallKind, Citation, Content, Failure, Part, Signature, Stop};
use burncloud_core::Usage;
use serde_json::Value;

/// A step of a streamed answer.
///
/// Readers keep to this order, whatever their format does: [`Start`](Event::Start) first, once; per choice one block
/// open at a time, [`Open`](Event::Open), deltas, [`Close`](Event::Close); then its [`Stop`](Event::Stop); the last
/// [`Usage`](Event::Usage) counts; [`End`](Event::End) last, once. After [`Failed`](Event::Failed) nothing comes.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It begins.
    Start(Start),
    /// A block of a choice begins.
    Open {
        /// Which choice, from 0.
        choice: u32,
        /// What kind.
        block: Block,
    },
    /// More of the open block.
    Delta {
        /// Which choice.
        choice: u32,
        /// What.
        delta: Delta,
    },
    /// The open block is complete.
    Close {
        /// Which choice.
        choice: u32,
    },
    /// A part that comes whole (a picture, what only one format knows), between blocks.
    Whole {
        /// Which choice.
        choice: u32,
        /// The part.
        part: Part,
    },
    /// A choice is complete.
    Stop {
        /// Which choice.
        choice: u32,
        /// Why.
        stop: Stop,
        /// At which text.
        sequence: Option<String>,
    },
    /// What was used so far, all of it: the last one counts.
    Usage(Usage),
    /// The provider failed.
    Failed(Failure),
    /// It is complete.
    End,
}

/// How a streamed answer begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The model that answers, by the provider's name.
    pub model: Option<String>,
    /// When, in seconds since 1970.
    pub created: Option<i64>,
    /// What is known of the usage already: the input.
    pub usage: Option<Usage>,
    /// The service tier that serves.
    pub service_tier: Option<String>,
}

/// What an open block is.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Text.
    Text,
    /// The model's words for not answering.
    Refusal,
    /// Thoughts.
    Thinking {
        /// They are withheld; a signature comes.
        redacted: bool,
    },
    /// A call of a tool; its arguments come.
    ToolCall {
        /// Its id.
        id: String,
        /// The tool.
        name: String,
        /// What it takes.
        kind: CallKind,
        /// Google's, which comes with the call.
        signature: Option<Signature>,
    },
}

/// More of a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Of a text or a refusal.
    Text(String),
    /// Of thoughts.
    Thinking(String),
    /// The signature of thoughts, or of a text, whole.
    Signature(Signature),
    /// Of a call's arguments.
    Arguments(String),
    /// A source of a text.
    Citation(Citation),
    /// Log probabilities of a text, as OpenAI's chat writes them.
    Logprobs(Value),
}

/// The events that say a whole part.
pub(super) fn part_events(choice: u32, part: Part, events: &mut Vec<Event>) {
    let (block, deltas) = match part.content {
        Content::Text { text, citations, signature } => {
            let mut deltas = vec![Delta::Text(text)];
            deltas.extend(citations.into_iter().map(Delta::Citation));
            deltas.extend(signature.map(Delta::Signature));
            (Block::Text, deltas)
        }
        Content::Refusal(text) => (Block::Refusal, vec![Delta::Text(text)]),
        Content::Thinking(thinking) => {
            let mut deltas = Vec::new();
            if !thinking.text.is_empty() {
                deltas.push(Delta::Thinking(thinking.text));
            }
            deltas.extend(thinking.signature.map(Delta::Signature));
            (Block::Thinking { redacted: thinking.redacted }, deltas)
        }
        Content::ToolCall(call) => {
            let block =
                Block::ToolCall { id: call.id, name: call.name, kind: call.kind, signature: call.signature };
            (block, vec![Delta::Arguments(call.arguments)])
        }
        content => {
            events.push(Event::Whole { choice, part: Part { content, ..part } });
            return;
        }
    };
    events.push(Event::Open { choice, block });
    events.extend(deltas.into_iter().map(|delta| Event::Delta { choice, delta }));
    events.push(Event::Close { choice });
}

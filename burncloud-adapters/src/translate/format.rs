//! The wire formats of conversations.

use burncloud_core::{Dialect, Endpoint, Operation};

/// A wire format of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI responses.
    Responses,
    /// Anthropic messages.
    Messages,
    /// Gemini `generateContent`.
    Gemini,
    /// Cohere v2 chat.
    Cohere,
    /// Bedrock converse.
    Converse,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 6] =
        [Format::Chat, Format::Responses, Format::Messages, Format::Gemini, Format::Cohere, Format::Converse];

    /// The format that a caller of this endpoint speaks, if it is a conversation.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Option<Format> {
        Some(match endpoint.operation {
            Operation::Chat => Format::Chat,
            Operation::Responses => Format::Responses,
            Operation::Messages => Format::Messages,
            Operation::GenerateContent | Operation::StreamGenerateContent => Format::Gemini,
            Operation::CohereChat => Format::Cohere,
            Operation::Converse | Operation::ConverseStream => Format::Converse,
            _ => return None,
        })
    }

    /// The dialect it is part of.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Format::Chat | Format::Responses => Dialect::OpenAi,
            Format::Messages => Dialect::Anthropic,
            Format::Gemini => Dialect::Gemini,
            Format::Cohere => Dialect::Cohere,
            Format::Converse => Dialect::Bedrock,
        }
    }

    /// Whether fields that neither side knows mean the same in both.
    #[must_use]
    pub fn family(self, other: Format) -> bool {
        self.dialect() == other.dialect()
    }

    /// What a provider of this format is asked.
    #[must_use]
    pub fn operation(self, streamed: bool) -> Operation {
        match (self, streamed) {
            (Format::Chat, _) => Operation::Chat,
            (Format::Responses, _) => Operation::Responses,
            (Format::Messages, _) => Operation::Messages,
            (Format::Gemini, false) => Operation::GenerateContent,
            (Format::Gemini, true) => Operation::StreamGenerateContent,
            (Format::Cohere, _) => Operation::CohereChat,
            (Format::Converse, false) => Operation::Converse,
            (Format::Converse, true) => Operation::ConverseStream,
        }
    }

    /// Its name in documentation and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Chat => "chat",
            Format::Responses => "responses",
            Format::Messages => "messages",
            Format::Gemini => "gemini",
            Format::Cohere => "cohere",
            Format::Converse => "converse",
        }
    }
}

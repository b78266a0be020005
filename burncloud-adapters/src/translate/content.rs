//! The pieces of a turn: texts, media, thoughts, calls and their results.

use super::{Format, Signature};
use serde_json::{Map, Value};

/// A piece of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it holds.
    pub content: Content,
    /// Whether everything up to here shall be cached.
    pub cache: Option<CacheMark>,
    /// What its format says of it beyond that.
    pub carry: Map<String, Value>,
}

impl Part {
    /// Without marks.
    #[must_use]
    pub fn new(content: Content) -> Part {
        Part { content, cache: None, carry: Map::new() }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Part {
        Part::new(Content::text(text))
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Where it comes from.
        citations: Vec<super::Citation>,
        /// Google signs texts too.
        signature: Option<Signature>,
    },
    /// The model's words for not answering.
    Refusal(String),
    /// A picture, a recording, a document.
    Media(Media),
    /// What the model thought.
    Thinking(Thinking),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What the tool said.
    ToolResult(ToolResult),
    /// What only this format knows (the call of a built-in tool, its result). It passes within the family.
    Other {
        /// Whose.
        format: Format,
        /// As it was.
        value: Value,
    },
}

impl Content {
    /// A text without sources.
    pub fn text(text: impl Into<String>) -> Content {
        Content::Text { text: text.into(), citations: Vec::new(), signature: None }
    }
}

/// Asks that everything up to a part be cached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMark {
    /// For five minutes, or as long as the provider does.
    #[default]
    Default,
    /// For an hour.
    Hour,
}

/// A picture, a recording, a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// Which.
    pub kind: MediaKind,
    /// Its media type (`image/png`), where it is known.
    pub mime: Option<String>,
    /// Where it is.
    pub source: Source,
    /// Its file name or title.
    pub name: Option<String>,
    /// How closely a picture is to be looked at: `low`, `high`, `auto`.
    pub detail: Option<String>,
}

/// A kind of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MediaKind {
    Image,
    Audio,
    Video,
    Document,
}

impl MediaKind {
    /// The kind that a media type names; what is no picture, sound or film is a document.
    #[must_use]
    pub fn of_mime(mime: &str) -> MediaKind {
        match mime.split('/').next() {
            Some("image") => MediaKind::Image,
            Some("audio") => MediaKind::Audio,
            Some("video") => MediaKind::Video,
            _ => MediaKind::Document,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MediaKind::Image => "image",
            MediaKind::Audio => "audio",
            MediaKind::Video => "video",
            MediaKind::Document => "document",
        }
    }
}

/// Where media are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Here: Base64 of the standard alphabet, padded.
    Base64(String),
    /// Here, as text (a document).
    Text(String),
    /// At an address (`https:`, `gs:`, `s3:`).
    Url(String),
    /// Uploaded to the provider under this id.
    File(String),
}

/// What a model thought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thinking {
    /// Its thoughts, or a summary of them; empty where they are withheld.
    pub text: String,
    /// What the provider wants back to go on from them.
    pub signature: Option<Signature>,
    /// Whether the thoughts are withheld altogether: the signature holds them encrypted.
    pub redacted: bool,
}

/// A call of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    /// Its id, unique in the conversation. Readers of formats without ids make one from the call's place.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them: JSON, as a rule; empty for none.
    pub arguments: String,
    /// Whether the tool takes free text rather than JSON.
    pub kind: CallKind,
    /// Google signs calls.
    pub signature: Option<Signature>,
}

/// What a tool takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallKind {
    /// JSON arguments.
    #[default]
    Function,
    /// Free text (OpenAI's custom tools).
    Custom,
}

impl ToolCall {
    /// The arguments as an object, for formats that want one: no text is `{}`, what is no object stands under
    /// `input`.
    #[must_use]
    pub fn object(&self) -> Map<String, Value> {
        if self.arguments.trim().is_empty() {
            return Map::new();
        }
        match serde_json::from_str(&self.arguments) {
            Ok(Value::Object(object)) => object,
            Ok(other) => Map::from_iter([("input".to_owned(), other)]),
            Err(_) => Map::from_iter([("input".to_owned(), Value::String(self.arguments.clone()))]),
        }
    }
}

/// What a tool said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolResult {
    /// The id of the call.
    pub id: String,
    /// The tool's name, where the format says it; else look the call up.
    pub name: Option<String>,
    /// The result: texts, pictures, documents. One text that is JSON is how structured results are kept.
    pub content: Vec<Part>,
    /// Whether the tool failed.
    pub is_error: bool,
}

impl ToolResult {
    /// All its texts, joined by line breaks.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.content.iter().filter_map(Part::as_text).collect();
        texts.join("\n")
    }
}

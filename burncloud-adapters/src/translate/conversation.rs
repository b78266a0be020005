//! A request, in no wire format: a superset of what all of them can say.

use super::{Format, Signature};
use serde_json::{Map, Value};

/// The name in a `carry` under which stands what only serves to write the same again (ids of items): it means nothing
/// to any other format and is left out there without a record.
pub(crate) const QUIET: &str = "_item";

/// A request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// Instructions before the first turn: texts, mostly.
    pub system: Vec<Part>,
    /// What was said, in order.
    pub turns: Vec<Turn>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether it must, may, or may not. `None` is up to the provider.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once. `None` is up to the provider.
    pub parallel_tools: Option<bool>,
    /// How the answer is drawn.
    pub sampling: Sampling,
    /// What form the answer must have.
    pub output: Output,
    /// How much it shall think. `None` is up to the provider.
    pub reasoning: Option<Reasoning>,
    /// Whether the caller asked for thoughts in a form that it can hand back (OpenAI's encrypted reasoning). Formats
    /// with signatures do so unasked.
    pub encrypted_reasoning: bool,
    /// The end user on whose behalf the caller asks.
    pub user: Option<String>,
    /// Labels of the caller's.
    pub metadata: Option<Map<String, Value>>,
    /// The service tier asked for, in OpenAI's words (`auto`, `default`, `flex`, `priority`).
    pub service_tier: Option<String>,
    /// Groups requests that share a cached beginning.
    pub cache_key: Option<String>,
    /// How long the answer's text shall be: `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    /// Whether the answer is asked for as a stream.
    pub stream: bool,
    /// Whether a stream shall report usage; only chat callers can say no.
    pub include_usage: bool,
    /// Top-level fields that the format it was read from has and the hub has not, by that format's names.
    pub carry: Map<String, Value>,
    /// The format it was read from.
    pub from: Option<Format>,
}

/// How an answer is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Most output tokens, reasoning included.
    pub max_output: Option<u64>,
    /// 0 to 2. Formats that end at 1 are clamped when written.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// From how many tokens is drawn.
    pub top_k: Option<u64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// For answers that repeat.
    pub seed: Option<i64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// How many answers.
    pub answers: Option<u64>,
    /// Log probabilities of what was drawn, and of so many alternatives.
    pub logprobs: Option<u64>,
}

/// What form an answer must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Output {
    /// Any.
    #[default]
    Text,
    /// JSON of any shape.
    Json,
    /// JSON of this shape.
    Schema {
        /// Its name; a default is written where a format demands one.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// JSON Schema.
        schema: Value,
        /// Whether the provider shall enforce it to the letter.
        strict: Option<bool>,
    },
}

/// How much a model shall think.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// A level.
    pub effort: Option<Effort>,
    /// Most tokens for it. 0 is off.
    pub budget: Option<u64>,
    /// Whether the model decides by itself how much (Anthropic's `adaptive`, Gemini's budget of -1).
    pub adaptive: bool,
    /// Whether its thoughts, or a summary of them, shall be shown. `None` is up to the provider.
    pub show: Option<bool>,
}

/// A level of reasoning, in OpenAI's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effort::None => "none",
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::XHigh => "xhigh",
            Effort::Max => "max",
        }
    }

    /// The level of that name, in any letter case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Effort> {
        use Effort as E;
        [E::None, E::Minimal, E::Low, E::Medium, E::High, E::XHigh, E::Max]
            .into_iter()
            .find(|effort| effort.as_str().eq_ignore_ascii_case(word))
    }

    /// The budget that Google's own compatible API takes for it; no SDK has an official table.
    #[must_use]
    pub fn budget(self) -> u64 {
        match self {
            Effort::None => 0,
            Effort::Minimal | Effort::Low => 1024,
            Effort::Medium => 8192,
            Effort::High => 24_576,
            Effort::XHigh | Effort::Max => 32_768,
        }
    }

    /// The level whose budget comes closest from above.
    #[must_use]
    pub fn of_budget(budget: u64) -> Effort {
        match budget {
            0 => Effort::None,
            1..=1024 => Effort::Low,
            1025..=8192 => Effort::Medium,
            _ => Effort::High,
        }
    }
}

impl Reasoning {
    /// Of this level.
    #[must_use]
    pub fn of_effort(effort: Effort) -> Reasoning {
        Reasoning { effort: Some(effort), ..Reasoning::default() }
    }

    /// Whether it is switched off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.effort == Some(Effort::None) || (self.effort.is_none() && self.budget == Some(0))
    }

    /// The level, also where only a budget was given. `None`: up to the model.
    #[must_use]
    pub fn level(&self) -> Option<Effort> {
        self.effort.or(self.budget.map(Effort::of_budget))
    }

    /// The budget, also where only a level was given. `None`: up to the model.
    #[must_use]
    pub fn tokens(&self) -> Option<u64> {
        self.budget.or(self.effort.map(Effort::budget))
    }
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The caller's.
    #[default]
    User,
    /// The model's.
    Assistant,
    /// Instructions in the middle of a conversation.
    System,
    /// The same, where OpenAI tells them apart.
    Developer,
}

/// One turn. Results of tools are parts of a user's turn; writers whose format wants them apart, or all in one, sort
/// them so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// Whose.
    pub role: Role,
    /// What was said.
    pub parts: Vec<Part>,
    /// The participant's name, where a format has one.
    pub name: Option<String>,
    /// What its format says of it beyond that.
    pub carry: Map<String, Value>,
}

impl Turn {
    /// A turn without a name.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Turn {
        Turn { role, parts, ..Turn::default() }
    }
}

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

/// What a model may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// A function of the caller's.
    Function(FunctionTool),
    /// A tool of the provider's own (a search, an interpreter): it passes within the family.
    BuiltIn {
        /// Whose.
        format: Format,
        /// What its format calls it.
        kind: String,
        /// As it was.
        value: Value,
    },
}

/// A function of the caller's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionTool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments; `None` where it takes none, or free text.
    pub schema: Option<Value>,
    /// Whether arguments must keep to the schema to the letter.
    pub strict: Option<bool>,
    /// What it takes.
    pub kind: CallKind,
    /// Whether everything up to here shall be cached.
    pub cache: Option<CacheMark>,
    /// What its format says of it beyond that.
    pub carry: Map<String, Value>,
}

/// Whether a model must call tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// At least one.
    Required,
    /// None.
    None,
    /// This one.
    Named(String),
    /// Some of these, or, if required, at least one of them.
    Allowed {
        /// Their names.
        names: Vec<String>,
        /// Whether it must.
        required: bool,
    },
}

impl Conversation {
    /// The name of the tool that was called with this id.
    #[must_use]
    pub fn called(&self, id: &str) -> Option<&str> {
        self.turns.iter().flat_map(|turn| &turn.parts).find_map(|part| match &part.content {
            Content::ToolCall(call) if call.id == id => Some(call.name.as_str()),
            _ => None,
        })
    }

    /// The functions among the tools.
    pub fn functions(&self) -> impl Iterator<Item = &FunctionTool> {
        self.tools.iter().filter_map(|tool| match tool {
            Tool::Function(function) => Some(function),
            Tool::BuiltIn { .. } => None,
        })
    }
}

//! A request, in no wire format: a superset of what all of them can say.

use super::{CacheMark, CallKind, Content, Format, Part, Reasoning};
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

//! Strict fake providers, one for each wire format: what a translated request must satisfy.
//!
//! Each reads a request as the real service does and refuses, in its own error shape and with a precise text, what
//! that service would refuse: an unknown field, a missing one, a result without its call. What it accepts becomes an
//! [`Asked`], from which the scenario named in the first user text (`scenario:parallel_tools`) tells what to
//! answer; the same provider then says it in its own words, whole or streamed.
//!
//! The readers and writers here are written from the official SDKs' types and share nothing with the gateway's.

mod anthropic;
mod bedrock;
mod chat;
mod check;
mod cohere;
mod gemini;
mod responses;
mod scene;
#[cfg(test)]
mod tests;

use crate::speak::Spoken;
use crate::upstream::Recorded;
use check::Checked;
use serde_json::{Value, json};

/// A wire format and its fake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// OpenAI Chat Completions.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini generateContent, as AI Studio serves it.
    Gemini,
    /// Cohere v2 chat.
    Cohere,
    /// Bedrock Converse and `ConverseStream`.
    Bedrock,
}

/// The tokens that every answer reports: normalised, so that classes do not overlap but where said.
pub mod usage {
    /// All input.
    pub const INPUT: u64 = 100;
    /// The part of the input that was read from a cache.
    pub const CACHED: u64 = 40;
    /// All output.
    pub const OUTPUT: u64 = 30;
    /// The part of the output that was reasoning.
    pub const REASONING: u64 = 10;
}

/// What a provider understood of a request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    model: String,
    stream: bool,
    system: String,
    turns: Vec<Turn>,
    tools: Vec<Tool>,
    choice: Choice,
    schema: Option<Value>,
    stops: Vec<String>,
    max_tokens: Option<u64>,
    reasoning: bool,
    /// Whether usage is wanted in a stream: OpenAI Chat says it only when asked.
    usage: bool,
    /// Whether encrypted reasoning is wanted: Responses gives it only when asked.
    encrypted: bool,
    /// Whether the text of reasoning is wanted: Responses and Gemini give it only when asked.
    thoughts: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Choice {
    #[default]
    Auto,
    Required,
    None,
    Named,
}

#[derive(Clone, Debug)]
struct Tool {
    name: String,
    described: bool,
    schema: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    User,
    Assistant,
}

#[derive(Clone, Debug)]
struct Turn {
    role: Role,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Image { mime: String, bytes: Vec<u8> },
    Thought { text: String, mark: Option<String> },
    Call { id: String, name: String, args: Value, mark: Option<String> },
    Result { id: String, text: String },
}

/// What a provider answers.
#[derive(Clone, Debug, Default)]
struct Answer {
    thought: Option<String>,
    text: Vec<String>,
    calls: Vec<Call>,
    stop: Stop,
}

#[derive(Clone, Debug)]
struct Call {
    /// What its id is made from.
    key: &'static str,
    name: &'static str,
    args: Value,
}

impl Call {
    /// The arguments as text, in the pieces in which they are streamed.
    fn pieces(&self) -> Vec<String> {
        let text = self.args.to_string();
        let middle = text.find(':').map_or(text.len(), |at| at + 1);
        vec![text[..middle].to_owned(), text[middle..].to_owned()]
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Stop {
    #[default]
    End,
    Length,
    Sequence(String),
    Filter,
    Tools,
}

/// Why a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Invalid,
    Unauthorised,
    NotFound,
    Limited,
    Overloaded,
}

/// What happens to a request.
#[derive(Clone, Debug)]
enum Scene {
    Says(Answer),
    /// An error before anything else.
    Fails(Fault, String),
    /// The connection breaks in the middle of the answer.
    Cut(Answer),
    /// An error event in the middle of the answer, then a well-framed end.
    Breaks(Answer),
}

/// A response, and after how many frames its connection breaks.
#[derive(Clone, Debug)]
pub struct Played {
    /// What is sent.
    pub spoken: Spoken,
    /// After how many frames the connection closes without an end; `None`: it does not.
    pub cut: Option<usize>,
}

/// The mark that a provider puts on its reasoning and wants back unchanged.
const MARK: &str = "RXM0aW1hZGV1cHNpZ25hdHVyZQ==";
/// The text of the reasoning, in the pieces in which it is streamed.
const THOUGHT: [&str; 2] = ["Let me think ", "about Paris."];

impl Provider {
    /// All six.
    pub const ALL: [Self; 6] =
        [Self::Chat, Self::Responses, Self::Anthropic, Self::Gemini, Self::Cohere, Self::Bedrock];

    /// Its short name, as used in tables and in the SDK scripts' orders.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Cohere => "cohere",
            Self::Bedrock => "bedrock",
        }
    }

    /// A real model of that provider, to whose name `-scenario` is appended: translators choose by the family.
    #[must_use]
    pub fn model(self) -> &'static str {
        match self {
            Self::Chat => "gpt-5.5",
            Self::Responses => "gpt-5.4",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Gemini => "gemini-2.5-flash",
            Self::Cohere => "command-a-03-2025",
            Self::Bedrock => "us.anthropic.claude-sonnet-4-5",
        }
    }

    /// What it does with `request`.
    #[must_use]
    pub fn play(self, request: &Recorded) -> Played {
        if request.method != "POST" {
            return self.fails(Fault::NotFound, "only POST is served here");
        }
        let asked = match self.read(request) {
            Ok(asked) => asked,
            Err((fault, text)) => return self.fails(fault, &text),
        };
        match scene::scene(&asked) {
            Scene::Fails(fault, text) => self.fails(fault, &text),
            Scene::Says(answer) => Played { spoken: self.says(&asked, &answer), cut: None },
            Scene::Cut(answer) => {
                let spoken = self.says(&asked, &answer);
                Played { cut: Some(spoken.frames.len().div_ceil(2)), spoken }
            }
            Scene::Breaks(answer) => {
                let mut spoken = self.says(&asked, &answer);
                spoken.frames.truncate(spoken.frames.len().div_ceil(2));
                spoken.frames.push(self.break_frame());
                Played { spoken, cut: None }
            }
        }
    }

    fn read(self, request: &Recorded) -> Result<Asked, (Fault, String)> {
        let body: Value = serde_json::from_slice(&request.body)
            .map_err(|error| (Fault::Invalid, format!("the body is not JSON: {error}")))?;
        match self {
            Self::Chat => chat::read(request, &body),
            Self::Responses => responses::read(request, &body),
            Self::Anthropic => anthropic::read(request, &body),
            Self::Gemini => gemini::read(request, &body),
            Self::Cohere => cohere::read(request, &body),
            Self::Bedrock => bedrock::read(request, &body),
        }
    }

    fn says(self, asked: &Asked, answer: &Answer) -> Spoken {
        let mut spoken = match self {
            Self::Chat => chat::say(asked, answer),
            Self::Responses => responses::say(asked, answer),
            Self::Anthropic => anthropic::say(asked, answer),
            Self::Gemini => gemini::say(asked, answer),
            Self::Cohere => cohere::say(asked, answer),
            Self::Bedrock => bedrock::say(asked, answer),
        };
        spoken.headers.retain(|(name, _)| name == "content-type");
        spoken.headers.push((self.id_header().to_owned(), "req_of_the_matrix".to_owned()));
        spoken
    }

    fn id_header(self) -> &'static str {
        match self {
            Self::Anthropic => "request-id",
            Self::Bedrock => "x-amzn-requestid",
            Self::Cohere => "x-debug-trace-id",
            Self::Chat | Self::Responses | Self::Gemini => "x-request-id",
        }
    }

    fn fails(self, fault: Fault, text: &str) -> Played {
        let (status, body) = self.error(fault, text);
        let mut spoken = Spoken::json(status, &body);
        spoken.headers.retain(|(name, _)| name == "content-type");
        spoken.headers.push((self.id_header().to_owned(), "req_of_the_matrix".to_owned()));
        if fault == Fault::Limited {
            spoken.headers.push(("retry-after".into(), scene::RETRY_AFTER.into()));
        }
        if self == Self::Bedrock {
            spoken.headers.push(("x-amzn-errortype".into(), bedrock::exception(fault).into()));
        }
        Played { spoken, cut: None }
    }

    fn error(self, fault: Fault, text: &str) -> (u16, Value) {
        let status = match fault {
            Fault::Invalid => 400,
            Fault::Unauthorised if self == Self::Bedrock => 403,
            Fault::Unauthorised => 401,
            Fault::NotFound => 404,
            Fault::Limited => 429,
            Fault::Overloaded if self == Self::Anthropic => 529,
            Fault::Overloaded => 503,
        };
        let body = match self {
            Self::Chat | Self::Responses => chat::error(fault, text),
            Self::Anthropic => anthropic::error(fault, text),
            Self::Gemini => gemini::error(status, fault, text),
            Self::Cohere => json!({"id": "made-up", "message": text}),
            Self::Bedrock => json!({"message": text}),
        };
        (status, body)
    }

    fn break_frame(self) -> Vec<u8> {
        let text = scene::BROKEN;
        match self {
            Self::Chat => format!("data: {}\n\n", chat::error(Fault::Overloaded, text)).into_bytes(),
            Self::Responses => responses::broken(text),
            Self::Anthropic => {
                format!("event: error\ndata: {}\n\n", anthropic::error(Fault::Overloaded, text)).into_bytes()
            }
            Self::Gemini => {
                format!("data: {}\r\n\r\n", gemini::error(503, Fault::Overloaded, text)).into_bytes()
            }
            Self::Cohere => cohere::broken(text),
            Self::Bedrock => bedrock::broken(text),
        }
    }
}

/// Whether the request carries a credential as `accepted` says: header names, of which one must be there.
fn authorised(request: &Recorded, accepted: &[(&str, &str)]) -> Result<(), (Fault, String)> {
    let found = accepted.iter().any(|(name, prefix)| {
        request.headers.get(name).is_some_and(|value| value.len() > prefix.len() && value.starts_with(prefix))
    });
    if found {
        Ok(())
    } else {
        Err((Fault::Unauthorised, format!("no credential: want one of {accepted:?}")))
    }
}

/// A fault of the request itself.
fn invalid<T>(checked: Checked<T>) -> Result<T, (Fault, String)> {
    checked.map_err(|text| (Fault::Invalid, text))
}

/// Checks that every call is answered once, in the turn right after it, and that no result is without its call.
fn results_match_calls(turns: &[Turn]) -> Checked<()> {
    let mut open: Vec<&str> = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        let results: Vec<&str> = turn.parts.iter().filter_map(Part::result_id).collect();
        for id in &results {
            let Some(at) = open.iter().position(|one| one == id) else {
                return Err(format!(
                    "messages.{index}: result of `{id}`, but the turn before makes no such call"
                ));
            };
            open.remove(at);
        }
        if let [missing, ..] = open[..] {
            return Err(format!("messages.{index}: call `{missing}` has no result in the turn after it"));
        }
        open.extend(turn.parts.iter().filter_map(Part::call_id));
    }
    match open[..] {
        [] => Ok(()),
        [missing, ..] => Err(format!("call `{missing}` has no result")),
    }
}

impl Part {
    fn result_id(&self) -> Option<&str> {
        if let Self::Result { id, .. } = self { Some(id) } else { None }
    }

    fn call_id(&self) -> Option<&str> {
        if let Self::Call { id, .. } = self { Some(id) } else { None }
    }
}

/// Appends to the last turn when it is of the same role, as providers merge turns; else begins one.
fn push(turns: &mut Vec<Turn>, role: Role, parts: Vec<Part>) {
    match turns.last_mut() {
        Some(turn) if turn.role == role => turn.parts.extend(parts),
        _ => turns.push(Turn { role, parts }),
    }
}

/// Frames a server-sent event with its name.
fn event(name: &str, data: &Value) -> Vec<u8> {
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

fn streamed(content_type: &str, frames: Vec<Vec<u8>>) -> Spoken {
    let mut spoken = Spoken::new(200, content_type, Vec::new());
    spoken.frames = frames;
    spoken.streamed = true;
    spoken
}

//! What is said in a conversation, and the wire formats that it can be held in.

use burncloud_core::Endpoint;
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A wire format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Speech {
    /// OpenAI's chat completions.
    #[default]
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
    /// Gemini's streamed contents.
    Gemini,
}

impl Speech {
    pub(super) const ALL: [Speech; 4] = [Speech::Chat, Speech::Responses, Speech::Messages, Speech::Gemini];

    /// As in a URL.
    pub(super) fn code(self) -> &'static str {
        match self {
            Speech::Chat => "chat",
            Speech::Responses => "responses",
            Speech::Messages => "messages",
            Speech::Gemini => "gemini",
        }
    }

    pub(super) fn of(code: &str) -> Option<Speech> {
        Speech::ALL.into_iter().find(|speech| speech.code() == code)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Speech::Chat => "OpenAI Chat",
            Speech::Responses => "OpenAI Responses",
            Speech::Messages => "Anthropic Messages",
            Speech::Gemini => "Gemini",
        }
    }

    /// Where a request for that model goes: a path and its query.
    pub(super) fn path(self, model: &str) -> String {
        match self {
            Speech::Chat => "/v1/chat/completions".to_owned(),
            Speech::Responses => "/v1/responses".to_owned(),
            Speech::Messages => "/v1/messages".to_owned(),
            Speech::Gemini => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        }
    }

    /// What the gateway makes of that path; `None` where the model's name cannot stand in it.
    pub(super) fn endpoint(self, model: &str) -> Option<Endpoint> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if self == Speech::Gemini && !model.chars().all(plain) {
            return None;
        }
        let path = self.path(model);
        let (path, query) = path.split_once('?').map_or((&*path, None), |(path, query)| (path, Some(query)));
        Endpoint::find(&Method::POST, path, query, &HeaderMap::new()).ok()
    }
}

/// How much a model should think before it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Think {
    /// As it likes.
    #[default]
    Own,
    Low,
    Medium,
    High,
}

impl Think {
    pub(super) const ALL: [Think; 4] = [Think::Own, Think::Low, Think::Medium, Think::High];

    pub(super) fn code(self) -> &'static str {
        match self {
            Think::Own => "",
            Think::Low => "low",
            Think::Medium => "medium",
            Think::High => "high",
        }
    }

    pub(super) fn of(code: &str) -> Option<Think> {
        Think::ALL.into_iter().find(|think| think.code() == code)
    }

    /// In tokens, for formats that count them.
    pub(super) fn budget(self) -> u32 {
        match self {
            Think::Own => 0,
            Think::Low => 2048,
            Think::Medium => 8192,
            Think::High => 16_384,
        }
    }
}

/// What is asked for beside the words. What is `None` is not sent: the model's own holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dials {
    /// In tenths.
    pub(super) temperature: Option<u8>,
    /// In hundredths.
    pub(super) top_p: Option<u8>,
    /// The longest answer, in tokens.
    pub(super) longest: Option<u32>,
    pub(super) think: Think,
    pub(super) system: String,
    pub(super) tools: Vec<Tool>,
}

/// A function that a model may call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) parameters: Value,
}

/// The functions in a text: a JSON list of objects with `name`, `description` and `parameters`, bare or as OpenAI wraps them.
pub(super) fn tools(text: &str) -> Result<Vec<Tool>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let list: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let tool = |value: &Value| {
        let value = value.get("function").unwrap_or(value);
        let name = value["name"].as_str().filter(|name| !name.is_empty())?.to_owned();
        let description = value["description"].as_str().unwrap_or_default().to_owned();
        let none = || json!({ "type": "object", "properties": {} });
        let parameters = value.get("parameters").or_else(|| value.get("input_schema")).cloned();
        Some(Tool { name, description, parameters: parameters.unwrap_or_else(none) })
    };
    list.iter().map(|value| tool(value).ok_or_else(|| format!("no `name`: {value}"))).collect()
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Words and pictures.
    Text(Words),
    /// What the functions answered that were called before, in their order.
    Results(Vec<String>),
}

/// What somebody wrote, and the pictures with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Words {
    /// All of it; of a long text, how it begins.
    pub(super) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) long: Option<Long>,
    /// The ids under which they are held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pictures: Vec<String>,
}

impl From<&str> for Words {
    fn from(text: &str) -> Words {
        Words { text: text.to_owned(), ..Words::default() }
    }
}

/// A text that is held apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Long {
    pub(super) id: String,
    /// Characters beyond the beginning.
    pub(super) more: usize,
}

impl Ask {
    /// The ids of what is held for it.
    pub(super) fn held(&self) -> impl Iterator<Item = &str> {
        let words = match self {
            Ask::Text(words) => Some(words),
            Ask::Results(_) => None,
        };
        let long = words.and_then(|words| words.long.as_ref()).map(|long| long.id.as_str());
        words.into_iter().flat_map(|words| &words.pictures).map(String::as_str).chain(long)
    }
}

/// A picture that a model drew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Picture {
    /// Held under this id; with what the provider wants to see again with it.
    Held(String, Option<String>),
    /// Somewhere else: nothing is loaded from there.
    Away(String),
    /// What came is none that can be shown.
    Odd,
}

/// A function that was called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    /// Where it stands in the answer, as the format counts.
    at: usize,
    pub(super) id: String,
    pub(super) name: String,
    /// JSON, as the model wrote it.
    pub(super) arguments: String,
    /// What the provider wants to see again with it.
    pub(super) sign: Option<String>,
}

impl Call {
    /// A part of one that comes in pieces.
    pub(super) fn part(at: usize, id: String, name: String, arguments: String) -> Call {
        Call { at, id, name, arguments, sign: None }
    }

    /// One that comes whole.
    pub(super) fn whole(name: String, arguments: String, sign: Option<String>) -> Call {
        Call { at: usize::MAX, id: String::new(), name, arguments, sign }
    }
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) thoughts: String,
    pub(super) calls: Vec<Call>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pictures: Vec<Picture>,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Thought(String),
    Call(Call),
    /// A picture at this URL, which may hold it; with what the provider wants to see again with it.
    Url(String, Option<String>),
    Picture(Picture),
    /// It ended because it was long enough.
    Cut,
    /// It failed on the way, in the provider's words.
    Fault(String),
}

impl Said {
    /// Adds what is words, thoughts, calls or pictures.
    pub(super) fn add(&mut self, piece: Piece) {
        match piece {
            Piece::Text(text) => self.text.push_str(&text),
            Piece::Thought(text) => self.thoughts.push_str(&text),
            Piece::Call(call) => match self.calls.iter_mut().find(|known| known.at == call.at) {
                Some(known) if call.at != usize::MAX => {
                    known.arguments.push_str(&call.arguments);
                    known.id.push_str(&call.id);
                    known.name.push_str(&call.name);
                }
                _ => self.calls.push(call),
            },
            Piece::Picture(picture) => self.pictures.push(picture),
            Piece::Url(..) | Piece::Cut | Piece::Fault(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_that_the_gateway_knows() {
        for speech in Speech::ALL {
            let endpoint = speech.endpoint("gemini-2.5-flash").unwrap();
            assert!(!endpoint.operation.is_local(), "{endpoint:?}");
            assert_eq!(Speech::of(speech.code()), Some(speech));
        }
        assert!(Speech::Gemini.endpoint("a/b?x=1#").is_none());
        assert!(Speech::Chat.endpoint("a/b").is_some());
    }

    #[test]
    fn what_is_no_list_of_functions_is_said() {
        assert_eq!(tools("  ").unwrap(), []);
        assert!(tools("{").is_err() && tools("[{}]").unwrap_err().contains("name"));
    }
}

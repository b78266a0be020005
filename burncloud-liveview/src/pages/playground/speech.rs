//! The wire formats that a conversation can be held in: how it is asked, and what an event of the answer says.

use burncloud_core::Endpoint;
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What an answer may have at most where its format wants a number and nobody chose one, in tokens.
const LONGEST: u32 = 4096;

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
    fn budget(self) -> u32 {
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
    name: String,
    description: String,
    parameters: Value,
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
    /// Words.
    Text(String),
    /// What the functions answered that were called before, in their order.
    Results(Vec<String>),
}

/// A function that was called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    /// Where it stands in the answer, as the format counts.
    at: usize,
    id: String,
    pub(super) name: String,
    /// JSON, as the model wrote it.
    pub(super) arguments: String,
    /// What the provider wants to see again with it.
    sign: Option<String>,
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
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Thought(String),
    Call(Call),
    /// It ended because it was long enough.
    Cut,
    /// It failed on the way, in the provider's words.
    Fault(String),
}

impl Said {
    /// Adds what is words, thoughts or calls.
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
            Piece::Cut | Piece::Fault(_) => {}
        }
    }
}

fn number(value: u8, parts: f64) -> Value {
    json!(f64::from(value) / parts)
}

fn put(into: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value);
    }
}

/// What is sent: the conversation so far and what is said now.
pub(super) fn body(speech: Speech, model: &str, dials: &Dials, before: &[(Ask, Said)], now: &Ask) -> Value {
    let talk = Conversation { before, now };
    let body = match speech {
        Speech::Chat => chat(model, dials, &talk),
        Speech::Responses => responses(model, dials, &talk),
        Speech::Messages => messages(model, dials, &talk),
        Speech::Gemini => gemini(dials, &talk),
    };
    Value::Object(body)
}

struct Conversation<'a> {
    before: &'a [(Ask, Said)],
    now: &'a Ask,
}

/// One step of a conversation.
enum Step<'a> {
    User(&'a str),
    Model(&'a Said),
    /// A call, and what came of it.
    Results(Vec<(&'a Call, &'a str)>),
}

impl<'a> Conversation<'a> {
    fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut last: &[Call] = &[];
        let say = |ask: &'a Ask, last: &'a [Call], steps: &mut Vec<Step<'a>>| match ask {
            Ask::Text(text) => steps.push(Step::User(text)),
            Ask::Results(results) => {
                steps.push(Step::Results(last.iter().zip(results.iter().map(String::as_str)).collect()));
            }
        };
        for (ask, said) in self.before {
            say(ask, last, &mut steps);
            steps.push(Step::Model(said));
            last = &said.calls;
        }
        say(self.now, last, &mut steps);
        steps
    }
}

/// Whether OpenAI takes the longest answer of this model under its newer name only.
fn newer(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5"].iter().any(|prefix| model.starts_with(prefix))
}

fn chat(model: &str, dials: &Dials, talk: &Conversation<'_>) -> Map<String, Value> {
    let mut list = Vec::new();
    if !dials.system.is_empty() {
        list.push(json!({ "role": "system", "content": dials.system }));
    }
    for step in talk.steps() {
        match step {
            Step::User(text) => list.push(json!({ "role": "user", "content": text })),
            Step::Model(said) if said.calls.is_empty() => {
                list.push(json!({ "role": "assistant", "content": said.text }));
            }
            Step::Model(said) => {
                let call = |call: &Call| {
                    let function = json!({ "name": call.name, "arguments": call.arguments });
                    json!({ "id": call.id, "type": "function", "function": function })
                };
                let calls: Vec<Value> = said.calls.iter().map(call).collect();
                list.push(json!({ "role": "assistant", "content": said.text, "tool_calls": calls }));
            }
            Step::Results(results) => {
                list.extend(results.into_iter().map(
                    |(call, result)| json!({ "role": "tool", "tool_call_id": call.id, "content": result }),
                ))
            }
        }
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("stream".to_owned(), true.into());
    body.insert("messages".to_owned(), list.into());
    put(&mut body, "temperature", dials.temperature.map(|value| number(value, 10.0)));
    put(&mut body, "top_p", dials.top_p.map(|value| number(value, 100.0)));
    let longest = if newer(model) { "max_completion_tokens" } else { "max_tokens" };
    put(&mut body, longest, dials.longest.map(Value::from));
    put(&mut body, "reasoning_effort", (dials.think != Think::Own).then(|| dials.think.code().into()));
    let tool = |tool: &Tool| {
        json!({ "type": "function", "function":
            { "name": tool.name, "description": tool.description, "parameters": tool.parameters } })
    };
    put(&mut body, "tools", listed(dials, tool));
    body
}

fn listed(dials: &Dials, tool: impl Fn(&Tool) -> Value) -> Option<Value> {
    (!dials.tools.is_empty()).then(|| dials.tools.iter().map(tool).collect())
}

fn responses(model: &str, dials: &Dials, talk: &Conversation<'_>) -> Map<String, Value> {
    let mut list = Vec::new();
    for step in talk.steps() {
        match step {
            Step::User(text) => list.push(json!({ "role": "user", "content": text })),
            Step::Model(said) => {
                if !said.text.is_empty() {
                    list.push(json!({ "role": "assistant", "content": said.text }));
                }
                list.extend(said.calls.iter().map(|call| {
                    json!({ "type": "function_call", "call_id": call.id, "name": call.name,
                        "arguments": call.arguments })
                }));
            }
            Step::Results(results) => list.extend(results.into_iter().map(|(call, result)| {
                json!({ "type": "function_call_output", "call_id": call.id, "output": result })
            })),
        }
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("stream".to_owned(), true.into());
    body.insert("store".to_owned(), false.into());
    put(&mut body, "instructions", (!dials.system.is_empty()).then(|| dials.system.as_str().into()));
    body.insert("input".to_owned(), list.into());
    put(&mut body, "temperature", dials.temperature.map(|value| number(value, 10.0)));
    put(&mut body, "top_p", dials.top_p.map(|value| number(value, 100.0)));
    put(&mut body, "max_output_tokens", dials.longest.map(Value::from));
    let effort = (dials.think != Think::Own).then(|| json!({ "effort": dials.think.code() }));
    put(&mut body, "reasoning", effort);
    let tool = |tool: &Tool| {
        json!({ "type": "function", "name": tool.name, "description": tool.description,
            "parameters": tool.parameters })
    };
    put(&mut body, "tools", listed(dials, tool));
    body
}

/// What a model wrote as JSON, as an object.
fn object(text: &str) -> Value {
    serde_json::from_str(text).ok().filter(Value::is_object).unwrap_or_else(|| json!({}))
}

fn messages(model: &str, dials: &Dials, talk: &Conversation<'_>) -> Map<String, Value> {
    let step = |step: Step<'_>| match step {
        Step::User(text) => json!({ "role": "user", "content": text }),
        Step::Model(said) => {
            let mut blocks = Vec::new();
            if !said.text.is_empty() {
                blocks.push(json!({ "type": "text", "text": said.text }));
            }
            blocks.extend(said.calls.iter().map(|call| {
                json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": object(&call.arguments) })
            }));
            json!({ "role": "assistant", "content": blocks })
        }
        Step::Results(results) => {
            let result = |(call, text): (&Call, &str)| json!({ "type": "tool_result", "tool_use_id": call.id, "content": text });
            let blocks: Vec<Value> = results.into_iter().map(result).collect();
            json!({ "role": "user", "content": blocks })
        }
    };
    // Thoughts would have to be sent back with the calls that they led to.
    let think = if dials.tools.is_empty() { dials.think.budget() } else { 0 };
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("stream".to_owned(), true.into());
    body.insert("max_tokens".to_owned(), (dials.longest.unwrap_or(LONGEST) + think).into());
    put(&mut body, "system", (!dials.system.is_empty()).then(|| dials.system.as_str().into()));
    body.insert("messages".to_owned(), talk.steps().into_iter().map(step).collect());
    if think > 0 {
        body.insert("thinking".to_owned(), json!({ "type": "enabled", "budget_tokens": think }));
    } else {
        put(&mut body, "temperature", dials.temperature.map(|value| number(value.min(10), 10.0)));
        put(&mut body, "top_p", dials.top_p.map(|value| number(value, 100.0)));
    }
    let tool = |tool: &Tool| json!({ "name": tool.name, "description": tool.description, "input_schema": tool.parameters });
    put(&mut body, "tools", listed(dials, tool));
    body
}

fn gemini(dials: &Dials, talk: &Conversation<'_>) -> Map<String, Value> {
    let part = |call: &Call| {
        let mut part = json!({ "functionCall": { "name": call.name, "args": object(&call.arguments) } });
        if let Some(sign) = &call.sign {
            part["thoughtSignature"] = sign.as_str().into();
        }
        part
    };
    let step = |step: Step<'_>| match step {
        Step::User(text) => json!({ "role": "user", "parts": [{ "text": text }] }),
        Step::Model(said) => {
            let text = (!said.text.is_empty()).then(|| json!({ "text": said.text }));
            let parts: Vec<Value> = text.into_iter().chain(said.calls.iter().map(part)).collect();
            json!({ "role": "model", "parts": parts })
        }
        Step::Results(results) => {
            let result = |(call, text): (&Call, &str)| json!({ "functionResponse": { "name": call.name, "response": { "result": text } } });
            json!({ "role": "user", "parts": results.into_iter().map(result).collect::<Vec<_>>() })
        }
    };
    let mut body = Map::new();
    if !dials.system.is_empty() {
        body.insert("systemInstruction".to_owned(), json!({ "parts": [{ "text": dials.system }] }));
    }
    body.insert("contents".to_owned(), talk.steps().into_iter().map(step).collect());
    let mut config = Map::new();
    put(&mut config, "temperature", dials.temperature.map(|value| number(value, 10.0)));
    put(&mut config, "topP", dials.top_p.map(|value| number(value, 100.0)));
    put(&mut config, "maxOutputTokens", dials.longest.map(Value::from));
    let think = json!({ "thinkingBudget": dials.think.budget(), "includeThoughts": true });
    put(&mut config, "thinkingConfig", (dials.think != Think::Own).then_some(think));
    put(&mut body, "generationConfig", (!config.is_empty()).then_some(Value::Object(config)));
    let tool = |tool: &Tool| json!({ "name": tool.name, "description": tool.description, "parameters": tool.parameters });
    let tools = listed(dials, tool).map(|list| json!([{ "functionDeclarations": list }]));
    put(&mut body, "tools", tools);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(think: Think) -> Dials {
        let tools = tools(r#"[{"function":{"name":"weather","parameters":{"type":"object"}}}]"#).unwrap();
        let system = "Be brief".to_owned();
        Dials { temperature: Some(7), top_p: Some(95), longest: Some(100), think, system, tools }
    }

    /// A question, a call, its result.
    fn asked(speech: Speech, dials: &Dials) -> Value {
        let mut said = Said { text: "Let me see".into(), ..Said::default() };
        said.add(Piece::Call(Call::part(1, "c1".into(), "weather".into(), String::new())));
        said.add(Piece::Call(Call::part(1, String::new(), String::new(), r#"{"in":"Rome"}"#.into())));
        let before = [(Ask::Text("Rain?".into()), said)];
        body(speech, "m-1", dials, &before, &Ask::Results(vec!["No".into()]))
    }

    #[test]
    fn each_format_carries_the_conversation() {
        let dials = all(Think::Own);
        let chat = asked(Speech::Chat, &dials);
        assert_eq!(
            (&chat["stream"], &chat["temperature"], &chat["max_tokens"]),
            (&json!(true), &json!(0.7), &json!(100))
        );
        let roles: Vec<_> =
            chat["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool"]);
        assert_eq!(chat["messages"][2]["tool_calls"][0]["function"]["arguments"], r#"{"in":"Rome"}"#);
        assert_eq!(chat["messages"][3], json!({ "role": "tool", "tool_call_id": "c1", "content": "No" }));

        let responses = asked(Speech::Responses, &dials);
        assert_eq!((&responses["instructions"], &responses["store"]), (&json!("Be brief"), &json!(false)));
        assert_eq!(
            responses["input"][3],
            json!({ "type": "function_call_output", "call_id": "c1", "output": "No" })
        );

        let messages = asked(Speech::Messages, &dials);
        assert_eq!(messages["messages"][1]["content"][1]["input"], json!({ "in": "Rome" }));
        assert_eq!(messages["messages"][2]["content"][0]["tool_use_id"], "c1");
        assert_eq!((&messages["system"], &messages["max_tokens"]), (&json!("Be brief"), &json!(100)));

        let gemini = asked(Speech::Gemini, &dials);
        assert_eq!(gemini["contents"][1]["parts"][1]["functionCall"]["args"], json!({ "in": "Rome" }));
        assert_eq!(gemini["contents"][2]["parts"][0]["functionResponse"]["response"]["result"], "No");
        assert_eq!(
            gemini["generationConfig"],
            json!({ "temperature": 0.7, "topP": 0.95, "maxOutputTokens": 100 })
        );
    }

    #[test]
    fn what_nobody_chose_is_not_sent() {
        for speech in Speech::ALL {
            let body = body(speech, "m", &Dials::default(), &[], &Ask::Text("Hi".into()));
            let names: Vec<&String> = body.as_object().unwrap().keys().collect();
            for name in
                ["temperature", "top_p", "tools", "system", "instructions", "generationConfig", "thinking"]
            {
                assert!(!names.iter().any(|have| *have == name), "{name} in {speech:?}");
            }
        }
        let one = body(Speech::Messages, "m", &Dials::default(), &[], &Ask::Text("Hi".into()));
        assert_eq!(one["max_tokens"], LONGEST, "this format wants a number");
    }

    #[test]
    fn thinking_is_asked_for_as_the_format_says() {
        let dials = Dials { tools: Vec::new(), ..all(Think::Low) };
        assert_eq!(asked(Speech::Chat, &dials)["reasoning_effort"], "low");
        assert_eq!(asked(Speech::Responses, &dials)["reasoning"]["effort"], "low");
        let messages = asked(Speech::Messages, &dials);
        assert_eq!(
            (&messages["thinking"]["budget_tokens"], &messages["max_tokens"]),
            (&json!(2048), &json!(2148))
        );
        assert!(messages.get("temperature").is_none(), "not with thoughts");
        assert_eq!(
            asked(Speech::Gemini, &dials)["generationConfig"]["thinkingConfig"]["thinkingBudget"],
            2048
        );
        let newer = body(Speech::Chat, "gpt-5-mini", &dials, &[], &Ask::Text("Hi".into()));
        assert_eq!(newer["max_completion_tokens"], 100);
    }

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

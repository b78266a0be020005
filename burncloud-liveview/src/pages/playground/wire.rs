//! What is sent: a conversation in each of the wire formats.

use super::speech::{Ask, Call, Dials, Picture, Said, Speech, Think, Tool, Words};
use crate::held::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// What an answer may have at most where its format wants a number and nobody chose one, in tokens.
const LONGEST: u32 = 4096;

fn number(value: u8, parts: f64) -> Value {
    json!(f64::from(value) / parts)
}

fn put(into: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value);
    }
}

/// What is sent: the conversation so far and what is said now.
pub(super) fn body(speech: Speech, model: &str, dials: &Dials, told: &Told<'_>) -> Value {
    let talk = told;
    let body = match speech {
        Speech::Chat => chat(model, dials, talk),
        Speech::Responses => responses(model, dials, talk),
        Speech::Messages => messages(model, dials, talk),
        Speech::Gemini => gemini(dials, talk),
    };
    Value::Object(body)
}

/// A conversation, and what is held for it.
pub(super) struct Told<'a> {
    pub(super) before: &'a [(Ask, Said)],
    pub(super) now: &'a Ask,
    pub(super) bag: &'a Bag,
}

/// Pictures and long texts, by their ids.
pub(super) type Bag = HashMap<String, Arc<Blob>>;

/// The picture as a URL that holds it.
fn data_url(picture: &Blob) -> String {
    format!("data:{};base64,{}", picture.kind.mime(), STANDARD.encode(&picture.bytes))
}

/// What somebody wrote, with the pictures before it as `part` writes them; `words` alone where there are none.
fn parts(user: &User<'_>, words: Value, part: impl Fn(&Blob) -> Value) -> Vec<Value> {
    let words = (!user.text.is_empty()).then_some(words);
    user.pictures.iter().map(|picture| part(picture)).chain(words).collect()
}

/// One step of a conversation.
enum Step<'a> {
    User(User<'a>),
    Model(&'a Said),
    /// A call, and what came of it.
    Results(Vec<(&'a Call, &'a str)>),
}

/// What somebody wrote.
struct User<'a> {
    text: &'a str,
    pictures: Vec<&'a Blob>,
}

impl<'a> Told<'a> {
    fn user(&self, words: &'a Words) -> User<'a> {
        let held = |id: &String| self.bag.get(id).map(|blob| &**blob);
        let long = words.long.as_ref().and_then(|long| held(&long.id));
        let text = long.map_or(words.text.as_str(), Blob::text);
        User { text, pictures: words.pictures.iter().filter_map(held).collect() }
    }

    /// In their order. What a model said is left out where nothing of it can be repeated: `draws` where pictures can.
    fn steps(&self, draws: bool) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut last: &[Call] = &[];
        let say = |ask: &'a Ask, last: &'a [Call], steps: &mut Vec<Step<'a>>| match ask {
            Ask::Text(words) => steps.push(Step::User(self.user(words))),
            Ask::Results(results) => {
                steps.push(Step::Results(last.iter().zip(results.iter().map(String::as_str)).collect()));
            }
        };
        for (ask, said) in self.before {
            say(ask, last, &mut steps);
            let drawn = |one: &Picture| matches!(one, Picture::Held(id, _) if self.bag.contains_key(id));
            let drew = draws && said.pictures.iter().any(drawn);
            if drew || !said.text.is_empty() || !said.calls.is_empty() {
                steps.push(Step::Model(said));
            }
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

fn chat(model: &str, dials: &Dials, talk: &Told<'_>) -> Map<String, Value> {
    let mut list = Vec::new();
    if !dials.system.is_empty() {
        list.push(json!({ "role": "system", "content": dials.system }));
    }
    for step in talk.steps(false) {
        match step {
            Step::User(user) if user.pictures.is_empty() => {
                list.push(json!({ "role": "user", "content": user.text }));
            }
            Step::User(user) => {
                let words = json!({ "type": "text", "text": user.text });
                let picture =
                    |one: &Blob| json!({ "type": "image_url", "image_url": { "url": data_url(one) } });
                list.push(json!({ "role": "user", "content": parts(&user, words, picture) }));
            }
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

fn responses(model: &str, dials: &Dials, talk: &Told<'_>) -> Map<String, Value> {
    let mut list = Vec::new();
    for step in talk.steps(false) {
        match step {
            Step::User(user) if user.pictures.is_empty() => {
                list.push(json!({ "role": "user", "content": user.text }));
            }
            Step::User(user) => {
                let words = json!({ "type": "input_text", "text": user.text });
                let picture = |one: &Blob| json!({ "type": "input_image", "image_url": data_url(one) });
                list.push(json!({ "role": "user", "content": parts(&user, words, picture) }));
            }
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

fn messages(model: &str, dials: &Dials, talk: &Told<'_>) -> Map<String, Value> {
    let step = |step: Step<'_>| match step {
        Step::User(user) if user.pictures.is_empty() => json!({ "role": "user", "content": user.text }),
        Step::User(user) => {
            let words = json!({ "type": "text", "text": user.text });
            let picture = |one: &Blob| {
                let (kind, data) = (one.kind.mime(), STANDARD.encode(&one.bytes));
                json!({ "type": "image", "source": { "type": "base64", "media_type": kind, "data": data } })
            };
            json!({ "role": "user", "content": parts(&user, words, picture) })
        }
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
    body.insert("messages".to_owned(), talk.steps(false).into_iter().map(step).collect());
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

fn gemini(dials: &Dials, talk: &Told<'_>) -> Map<String, Value> {
    let part = |call: &Call| {
        let mut part = json!({ "functionCall": { "name": call.name, "args": object(&call.arguments) } });
        if let Some(sign) = &call.sign {
            part["thoughtSignature"] = sign.as_str().into();
        }
        part
    };
    let inline = |one: &Blob| json!({ "inlineData": { "mimeType": one.kind.mime(), "data": STANDARD.encode(&one.bytes) } });
    // What this format's models drew, they want to see again; what is not held any more is left out.
    let drawn = |picture: &Picture| {
        let Picture::Held(id, sign) = picture else { return None };
        let mut part = inline(talk.bag.get(id)?);
        if let Some(sign) = sign {
            part["thoughtSignature"] = sign.as_str().into();
        }
        Some(part)
    };
    let step = |step: Step<'_>| match step {
        Step::User(user) => {
            let words = json!({ "text": user.text });
            json!({ "role": "user", "parts": parts(&user, words, inline) })
        }
        Step::Model(said) => {
            let text = (!said.text.is_empty()).then(|| json!({ "text": said.text }));
            let drawn = said.pictures.iter().filter_map(drawn);
            let parts: Vec<Value> =
                text.into_iter().chain(drawn).chain(said.calls.iter().map(part)).collect();
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
    body.insert("contents".to_owned(), talk.steps(true).into_iter().map(step).collect());
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

/// How much of a text is shown as it was sent, in bytes.
const SHOWN: usize = 16 << 10;
/// How much of what is no text.
const GLIMPSE: usize = 48;

/// The same for people to read: pictures by how they begin, long texts cut.
pub(super) fn readable(body: &Value) -> Value {
    fn text(text: &str, picture: bool) -> Value {
        let most = if picture || text.starts_with("data:image/") { GLIMPSE } else { SHOWN };
        if text.len() <= most + 32 {
            return text.into();
        }
        let head = beginning(text, most);
        format!("{head}… (+{})", text.len() - head.len()).into()
    }
    match body {
        Value::String(words) => text(words, false),
        Value::Array(list) => list.iter().map(readable).collect(),
        Value::Object(map) => {
            let one = |(name, value): (&String, &Value)| {
                let value = match value {
                    Value::String(words) => text(words, name == "data"),
                    other => readable(other),
                };
                (name.clone(), value)
            };
            Value::Object(map.iter().map(one).collect())
        }
        other => other.clone(),
    }
}

/// The beginning of a text, of at most so many bytes.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::super::speech::{Piece, tools};
    use super::*;
    use crate::held::Held;
    use crate::held::tests::DOT;

    fn all(think: Think) -> Dials {
        let tools = tools(r#"[{"function":{"name":"weather","parameters":{"type":"object"}}}]"#).unwrap();
        let system = "Be brief".to_owned();
        Dials { temperature: Some(7), top_p: Some(95), longest: Some(100), think, system, tools }
    }

    fn first(speech: Speech, model: &str, dials: &Dials) -> Value {
        let now = Ask::Text("Hi".into());
        body(speech, model, dials, &Told { before: &[], now: &now, bag: &Bag::new() })
    }

    /// A question, a call, its result.
    fn asked(speech: Speech, dials: &Dials) -> Value {
        let mut said = Said { text: "Let me see".into(), ..Said::default() };
        said.add(Piece::Call(Call::part(1, "c1".into(), "weather".into(), String::new())));
        said.add(Piece::Call(Call::part(1, String::new(), String::new(), r#"{"in":"Rome"}"#.into())));
        let before = [(Ask::Text("Rain?".into()), said)];
        let now = Ask::Results(vec!["No".into()]);
        body(speech, "m-1", dials, &Told { before: &before, now: &now, bag: &Bag::new() })
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
            let body = first(speech, "m", &Dials::default());
            let names: Vec<&String> = body.as_object().unwrap().keys().collect();
            for name in
                ["temperature", "top_p", "tools", "system", "instructions", "generationConfig", "thinking"]
            {
                assert!(!names.iter().any(|have| *have == name), "{name} in {speech:?}");
            }
        }
        let one = first(Speech::Messages, "m", &Dials::default());
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
        let newer = first(Speech::Chat, "gpt-5-mini", &dials);
        assert_eq!(newer["max_completion_tokens"], 100);
    }

    #[test]
    fn each_format_carries_pictures_and_long_texts() {
        let held = Held::default();
        let dot = held.picture("ann", DOT.into()).unwrap();
        let long = held.text("ann", "Look! ".repeat(9_000).into()).unwrap();
        let bag: Bag = [dot.clone(), long.clone()].map(|blob| (blob.id.clone(), blob)).into();
        let asked = Words { text: "What?".into(), long: None, pictures: vec![dot.id.clone()] };
        let drawn = Said {
            pictures: vec![Picture::Held(dot.id.clone(), Some("s1".into())), Picture::Away("x".into())],
            ..Said::default()
        };
        let before = [(Ask::Text(asked), drawn), (Ask::Text("Again".into()), Said::default())];
        let more = super::super::speech::Long { id: long.id.clone(), more: 1 };
        let now = Ask::Text(Words { text: "Look!".into(), long: Some(more), pictures: vec![dot.id.clone()] });
        let told = Told { before: &before, now: &now, bag: &bag };
        let data = STANDARD.encode(DOT);
        let url = format!("data:image/png;base64,{data}");
        let of = |speech| body(speech, "m", &Dials::default(), &told);
        for (speech, list, content, picture) in [
            (
                Speech::Chat,
                "messages",
                "content",
                json!({ "type": "image_url", "image_url": { "url": url } }),
            ),
            (Speech::Responses, "input", "content", json!({ "type": "input_image", "image_url": url })),
            (
                Speech::Messages,
                "messages",
                "content",
                json!({ "type": "image", "source":
                { "type": "base64", "media_type": "image/png", "data": data } }),
            ),
            (
                Speech::Gemini,
                "contents",
                "parts",
                json!({ "inlineData": { "mimeType": "image/png", "data": data } }),
            ),
        ] {
            let body = of(speech);
            let steps = body[list].as_array().unwrap();
            assert_eq!(steps[0][content][0], picture, "{speech:?}");
            assert_eq!(steps[0][content][1]["text"], "What?");
            let last = &steps.last().unwrap()[content];
            assert_eq!((&last[0], last[1]["text"].as_str().unwrap()), (&picture, long.text()));
            let shown = readable(&body).to_string();
            assert!(shown.len() < 40_000 && shown.contains("iVBOR") && !shown.contains(&data), "{speech:?}");
            assert!(shown.contains("Look! Look!"));
        }
        let gemini = of(Speech::Gemini);
        let again =
            json!({ "inlineData": { "mimeType": "image/png", "data": data }, "thoughtSignature": "s1" });
        assert_eq!(gemini["contents"][1], json!({ "role": "model", "parts": [again] }));
        let messages = of(Speech::Messages);
        let said_nothing = |step: &Value| step["content"].as_array().is_some_and(Vec::is_empty);
        assert!(!messages["messages"].as_array().unwrap().iter().any(said_nothing), "{messages}");
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!((beginning("你好", 4), beginning("你好", 9), beginning("", 3)), ("你", "你好", ""));
    }
}

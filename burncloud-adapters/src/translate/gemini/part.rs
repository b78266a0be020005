//! The parts of a content.

use super::super::{Content, Fields, Format, Part, Thinking, ToolCall, ToolResult};
use super::names::object;
use super::{media, sign};
use burncloud_core::Error;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet, VecDeque};

/// The mark of an id that Google issued, outside Google.
const ISSUED: &str = "gem_";

/// The ids of calls: makes those that are missing, and finds what an answer without one answers.
#[derive(Debug, Default)]
pub(super) struct Calls {
    place: String,
    made: usize,
    /// Ids come from Google itself.
    provider: bool,
    open: HashMap<String, VecDeque<String>>,
    answered: HashSet<String>,
}

impl Calls {
    /// Of a provider's answer. Ids are made of the answer's, so that they differ from one turn to the next.
    pub(super) fn of_answer(id: Option<&str>) -> Calls {
        let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let id: String = id.unwrap_or_default().chars().filter(allowed).take(40).collect();
        let place = if id.is_empty() { super::super::new_id("call_") } else { format!("call_{id}") };
        Calls { place, provider: true, ..Calls::default() }
    }

    /// Goes on to a caller's next turn.
    pub(super) fn turn(&mut self, number: usize) {
        self.place = format!("call_{number}");
        self.made = 0;
    }

    fn made(&mut self) -> String {
        self.made += 1;
        format!("{}_{}", self.place, self.made - 1)
    }

    /// A call's id.
    pub(super) fn call(&mut self, name: &str, id: Option<String>) -> String {
        match id.filter(|id| !id.is_empty()) {
            Some(id) if self.provider => format!("{ISSUED}{id}"),
            id => {
                let id = id.unwrap_or_else(|| self.made());
                self.open.entry(name.to_owned()).or_default().push_back(id.clone());
                id
            }
        }
    }

    /// The id of the call that a result answers: the first of that name that has none yet.
    fn result(&mut self, name: &str, id: Option<String>) -> String {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.answered.insert(id.clone());
            return id;
        }
        let open =
            self.open.get_mut(name).into_iter().flat_map(|open| std::iter::from_fn(|| open.pop_front()));
        let first = open.into_iter().find(|id| !self.answered.contains(id));
        first.unwrap_or_else(|| self.made())
    }
}

/// An id as Google gets it: `None` where it is not of its making.
pub(super) fn issued(id: &str) -> Option<&str> {
    id.strip_prefix(ISSUED)
}

/// An id as a Gemini caller gets it.
pub(super) fn for_caller(id: &str) -> &str {
    issued(id).unwrap_or(id)
}

/// A part; `None` for one that says nothing.
pub(super) fn read(mut fields: Fields, calls: &mut Calls) -> Result<Option<Part>, Error> {
    if let Some(text) = fields.string("text")? {
        let content = said(text, &mut fields)?;
        return Ok(Some(Part { content, cache: None, carry: fields.rest() }));
    }
    let mut carry = Map::new();
    let content = if let Some(mut call) = object(&mut fields, "functionCall")? {
        let content = read_call(&mut call, &mut fields, calls)?;
        keep(&mut carry, "functionCall", call);
        content
    } else if let Some(mut response) = object(&mut fields, "functionResponse")? {
        let content = read_response(&mut response, calls)?;
        keep(&mut carry, "functionResponse", response);
        content
    } else if let Some(mut blob) = object(&mut fields, "inlineData")? {
        let media = media::read_inline(&mut blob)?;
        keep(&mut carry, "inlineData", blob);
        with_detail(media, &mut fields)
    } else if let Some(mut file) = object(&mut fields, "fileData")? {
        let media = media::read_file(&mut file)?;
        keep(&mut carry, "fileData", file);
        with_detail(media, &mut fields)
    } else {
        return Ok(other(fields)?.map(Part::new));
    };
    carry.extend(fields.rest());
    Ok(Some(Part { content, cache: None, carry }))
}

fn keep(carry: &mut Map<String, Value>, name: &str, rest: Fields) {
    let rest = rest.rest();
    if !rest.is_empty() {
        carry.insert(name.to_owned(), Value::Object(rest));
    }
}

fn said(text: String, fields: &mut Fields) -> Result<Content, Error> {
    let signature = fields.string("thoughtSignature")?.map(|text| sign::read(&text));
    if fields.boolean("thought")? != Some(true) {
        let signature = signature.map(|(signature, _)| signature);
        return Ok(Content::Text { text, citations: Vec::new(), signature });
    }
    let redacted = signature.as_ref().is_some_and(|(_, redacted)| *redacted);
    let signature = signature.map(|(signature, _)| signature);
    Ok(Content::Thinking(Thinking { text, signature, redacted }))
}

fn with_detail(mut media: super::super::Media, fields: &mut Fields) -> Content {
    let detail = fields.peek("mediaResolution").and_then(media::detail);
    if let Some(detail) = detail {
        fields.take("mediaResolution");
        media.detail = Some(detail.to_owned());
    }
    Content::Media(media)
}

fn read_call(call: &mut Fields, part: &mut Fields, calls: &mut Calls) -> Result<Content, Error> {
    let name = call.required("name")?;
    let id = call.string("id")?;
    let id = calls.call(&name, id);
    let arguments = call.object("args")?.map(|args| Value::Object(args).to_string());
    let signature = part.string("thoughtSignature")?.map(|text| sign::read(&text).0);
    let arguments = arguments.unwrap_or_default();
    Ok(Content::ToolCall(ToolCall { id, name, arguments, signature, ..ToolCall::default() }))
}

fn read_response(response: &mut Fields, calls: &mut Calls) -> Result<Content, Error> {
    let name = response.required("name")?;
    let id = response.string("id")?;
    let id = calls.result(&name, id);
    let (text, is_error) = result_text(response.object("response")?.unwrap_or_default());
    let mut content = vec![Part::text(text)];
    for part in super::names::objects(response, "parts")? {
        content.extend(read(part, calls)?);
    }
    Ok(Content::ToolResult(ToolResult { id, name: Some(name), content, is_error }))
}

/// `{"output": text}` is the text, `{"error": …}` an error; any other object is its JSON.
fn result_text(mut response: Map<String, Value>) -> (String, bool) {
    if response.len() == 1 {
        match response.iter_mut().next() {
            Some((name, Value::String(text))) if name == "output" || name == "error" => {
                return (std::mem::take(text), name == "error");
            }
            Some((name, error @ Value::Object(_))) if name == "error" => return (error.to_string(), true),
            _ => {}
        }
    }
    (Value::Object(response).to_string(), false)
}

/// The `response` object for a result.
pub(super) fn response(text: String, is_error: bool) -> Value {
    let begins = text.trim_start().starts_with('{');
    let object = begins.then(|| serde_json::from_str::<Map<String, Value>>(&text).ok()).flatten();
    match (object, is_error) {
        (Some(object), false) => Value::Object(object),
        (Some(object), true) => json!({ "error": object }),
        (None, false) => json!({ "output": text }),
        (None, true) => json!({ "error": text }),
    }
}

/// A part of another kind: code and its result, a built-in tool's call, what comes tomorrow.
fn other(mut fields: Fields) -> Result<Option<Content>, Error> {
    let empty = !fields.has("thoughtSignature");
    let map = {
        let mut copy = fields.inner(Map::new());
        std::mem::swap(&mut copy, &mut fields);
        copy.rest()
    };
    let only_marks = map.keys().all(|name| matches!(name.as_str(), "thought" | "thoughtSignature"));
    if !only_marks {
        return Ok(Some(Content::Other { format: Format::Gemini, value: Value::Object(map) }));
    }
    if empty {
        return Ok(None);
    }
    let mut marks = fields.inner(map);
    said(String::new(), &mut marks).map(Some)
}

/// A text or a thought as a part.
pub(super) fn text(text: &str, thought: bool, signature: Option<String>) -> Map<String, Value> {
    let mut part = Map::new();
    part.insert("text".to_owned(), text.into());
    if thought {
        part.insert("thought".to_owned(), true.into());
    }
    if let Some(signature) = signature {
        part.insert("thoughtSignature".to_owned(), signature.into());
    }
    part
}

/// A call as a part.
pub(super) fn call(call: &ToolCall, id: Option<&str>, signature: Option<String>) -> Map<String, Value> {
    let mut inner = Map::new();
    if let Some(id) = id {
        inner.insert("id".to_owned(), id.into());
    }
    inner.insert("name".to_owned(), call.name.as_str().into());
    inner.insert("args".to_owned(), Value::Object(call.object()));
    let mut part = Map::new();
    part.insert("functionCall".to_owned(), Value::Object(inner));
    if let Some(signature) = signature {
        part.insert("thoughtSignature".to_owned(), signature.into());
    }
    part
}

/// Adds what was carried: members of the part, and, where both have an object, members of that.
pub(super) fn put_back(part: &mut Map<String, Value>, carry: Map<String, Value>) {
    for (name, value) in carry {
        match (part.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => inner.extend(more),
            (Some(_), _) => {}
            (None, value) => {
                part.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_json(value: Value, calls: &mut Calls) -> Content {
        let fields = Fields::of_request(super::super::names::camel(value.as_object().unwrap().clone()));
        read(fields, calls).unwrap().unwrap().content
    }

    #[test]
    fn results_find_their_calls() {
        let mut calls = Calls::default();
        calls.turn(1);
        for name in ["a", "b", "a"] {
            read_json(json!({"function_call": {"name": name}}), &mut calls);
        }
        calls.turn(2);
        let mut ids = Vec::new();
        for result in [
            json!({"name": "b", "response": {}}),
            json!({"name": "a", "id": "call_1_0"}),
            json!({"name": "a"}),
            json!({"name": "a"}),
        ] {
            let Content::ToolResult(result) = read_json(json!({"functionResponse": result}), &mut calls)
            else {
                panic!()
            };
            ids.push(result.id);
        }
        assert_eq!(ids, ["call_1_1", "call_1_0", "call_1_2", "call_2_0"]);
    }

    #[test]
    fn ids_of_google_are_marked_outside() {
        let mut calls = Calls::of_answer(Some("r/1=="));
        assert_eq!(calls.call("f", Some("x".into())), "gem_x");
        assert_eq!(calls.call("f", None), "call_r1_0");
        assert_eq!((issued("gem_x"), issued("toolu_1")), (Some("x"), None));
        assert_eq!((for_caller("gem_x"), for_caller("toolu_1")), ("x", "toolu_1"));
    }

    #[test]
    fn results_keep_their_shape() {
        for object in [
            json!({"output": "text"}),
            json!({"output": {"a": 1}}),
            json!({"error": "no"}),
            json!({"error": {"code": 1}}),
            json!({"error": 5}),
            json!({"result": [1], "error": "x"}),
            json!({}),
        ] {
            let (text, is_error) = result_text(object.as_object().unwrap().clone());
            assert_eq!(response(text, is_error), object);
        }
        assert_eq!(response("[1]".into(), false), json!({"output": "[1]"}));
    }

    #[test]
    fn parts_of_other_kinds_stay_as_they_are() {
        let code = json!({"executable_code": {"code": "1"}, "thoughtSignature": "AA=="});
        let Content::Other { value, .. } = read_json(code, &mut Calls::default()) else { panic!() };
        assert_eq!(value, json!({"executableCode": {"code": "1"}, "thoughtSignature": "AA=="}));
        assert_eq!(read(Fields::of_request(Map::new()), &mut Calls::default()).unwrap(), None);
    }
}

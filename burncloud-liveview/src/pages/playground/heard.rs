//! What comes back: events out of bytes, and what each of them says.

use super::speech::{Call, Piece, Speech};
use serde_json::Value;

/// The longest event that is waited for, in bytes: one may hold a picture.
const LONGEST: usize = 16 << 20;

/// Cuts a stream of bytes into the data of its events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// The data of the events that end in these bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                if self.line.len() < LONGEST {
                    self.line.push(byte);
                }
                continue;
            }
            let mut line = std::mem::take(&mut self.line);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if line.is_empty() {
                found.extend(Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty()));
            } else if let Some(data) = line.strip_prefix(b"data:") {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            }
        }
        found
    }

    /// What is left at the end of the stream.
    pub(super) fn rest(mut self) -> Option<Vec<u8>> {
        let left = self.feed(b"\n\n");
        left.into_iter().next()
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An error's message, however it is wrapped.
pub(super) fn fault(event: &Value) -> Option<String> {
    let error = event.get("error").or_else(|| event.pointer("/response/error")).filter(|e| !e.is_null())?;
    text(&error["message"]).or_else(|| text(error)).or_else(|| Some(error.to_string()))
}

/// What an event says.
pub(super) fn pieces(speech: Speech, event: &Value) -> Vec<Piece> {
    if let Some(text) = fault(event) {
        return vec![Piece::Fault(text)];
    }
    match speech {
        Speech::Chat => chat(event),
        Speech::Responses => responses(event).into_iter().collect(),
        Speech::Messages => messages(event).into_iter().collect(),
        Speech::Gemini => gemini(event),
    }
}

fn index(value: &Value) -> usize {
    value.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_default()
}

fn chat(event: &Value) -> Vec<Piece> {
    let choice = &event["choices"][0];
    let delta = &choice["delta"];
    let thought = text(&delta["reasoning_content"]).or_else(|| text(&delta["reasoning"]));
    let mut found: Vec<Piece> = thought.map(Piece::Thought).into_iter().collect();
    found.extend(text(&delta["content"]).map(Piece::Text));
    for picture in delta["images"].as_array().into_iter().flatten() {
        let url = text(&picture["image_url"]["url"]).or_else(|| text(&picture["image_url"]));
        found.extend(url.map(|url| Piece::Url(url, None)));
    }
    for call in delta["tool_calls"].as_array().into_iter().flatten() {
        let part = |value: &Value| text(value).unwrap_or_default();
        let function = &call["function"];
        found.push(Piece::Call(Call::part(
            index(&call["index"]),
            part(&call["id"]),
            part(&function["name"]),
            part(&function["arguments"]),
        )));
    }
    found.extend((choice["finish_reason"] == "length").then_some(Piece::Cut));
    found
}

fn responses(event: &Value) -> Option<Piece> {
    let at = index(&event["output_index"]);
    match event["type"].as_str()? {
        "response.output_text.delta" => text(&event["delta"]).map(Piece::Text),
        "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
            text(&event["delta"]).map(Piece::Thought)
        }
        "response.output_item.added" if event["item"]["type"] == "function_call" => {
            let item = &event["item"];
            let (id, name) = (text(&item["call_id"])?, text(&item["name"])?);
            Some(Piece::Call(Call::part(at, id, name, String::new())))
        }
        "response.function_call_arguments.delta" => {
            let more = text(&event["delta"])?;
            Some(Piece::Call(Call::part(at, String::new(), String::new(), more)))
        }
        "response.output_item.done" if event["item"]["type"] == "image_generation_call" => {
            let item = &event["item"];
            let kind = text(&item["output_format"]).unwrap_or_else(|| "png".to_owned());
            let data = text(&item["result"])?;
            Some(Piece::Url(format!("data:image/{kind};base64,{data}"), None))
        }
        "response.incomplete" => Some(Piece::Cut),
        "error" => text(&event["message"]).map(Piece::Fault),
        _ => None,
    }
}

fn messages(event: &Value) -> Option<Piece> {
    let at = index(&event["index"]);
    match event["type"].as_str()? {
        "content_block_start" if event["content_block"]["type"] == "tool_use" => {
            let block = &event["content_block"];
            Some(Piece::Call(Call::part(at, text(&block["id"])?, text(&block["name"])?, String::new())))
        }
        "content_block_delta" => {
            let delta = &event["delta"];
            match delta["type"].as_str()? {
                "text_delta" => text(&delta["text"]).map(Piece::Text),
                "thinking_delta" => text(&delta["thinking"]).map(Piece::Thought),
                "input_json_delta" => {
                    let more = text(&delta["partial_json"])?;
                    Some(Piece::Call(Call::part(at, String::new(), String::new(), more)))
                }
                _ => None,
            }
        }
        "message_delta" => (event["delta"]["stop_reason"] == "max_tokens").then_some(Piece::Cut),
        _ => None,
    }
}

fn gemini(event: &Value) -> Vec<Piece> {
    let candidate = &event["candidates"][0];
    let mut found = Vec::new();
    for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
        if let Some(words) = text(&part["text"]) {
            let thought = part["thought"] == true;
            found.push(if thought { Piece::Thought(words) } else { Piece::Text(words) });
        }
        if let Some(data) = text(&part["inlineData"]["data"]).filter(|_| part["thought"] != true) {
            let kind = part["inlineData"]["mimeType"].as_str().unwrap_or_default();
            found.push(Piece::Url(format!("data:{kind};base64,{data}"), text(&part["thoughtSignature"])));
        }
        if let Some(call) = part.get("functionCall") {
            let name = text(&call["name"]).unwrap_or_default();
            let arguments = call.get("args").map(Value::to_string).unwrap_or_default();
            found.push(Piece::Call(Call::whole(name, arguments, text(&part["thoughtSignature"]))));
        }
    }
    found.extend((candidate["finishReason"] == "MAX_TOKENS").then_some(Piece::Cut));
    found
}

#[cfg(test)]
mod tests {
    use super::super::speech::Said;
    use super::*;
    use proptest::prelude::*;

    const CHAT: &str = r#": hello

data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}

data: {"choices":[{"delta":{"content":"你好 "}}]}

data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"rain","arguments":"{\"a\":"}}]}}]}

data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"length"}]}

data: [DONE]

"#;
    const RESPONSES: &str = r#"event: x
data: {"type":"response.reasoning_summary_text.delta","delta":"hm"}

data: {"type":"response.output_text.delta","output_index":1,"delta":"你好 "}

data: {"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","call_id":"c1","name":"rain"}}

data: {"type":"response.function_call_arguments.delta","output_index":2,"delta":"{\"a\":1}"}

data: {"type":"response.incomplete","response":{"error":null}}

"#;
    const MESSAGES: &str = r#"event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"你好 "}}

data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c1","name":"rain"}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}

data: {"type":"message_delta","delta":{"stop_reason":"max_tokens"}}

"#;
    const GEMINI: &str = r#"data: {"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"你好 "}]}}]}

data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"rain","args":{"a":1}}}]},"finishReason":"MAX_TOKENS"}]}

"#;

    fn heard(speech: Speech, text: &str, cut: usize) -> (Said, bool) {
        let (mut events, mut said, mut ended) = (Events::default(), Said::default(), false);
        for part in text.as_bytes().chunks(cut.max(1)) {
            for event in events.feed(part) {
                let Ok(event) = serde_json::from_slice(&event) else { continue };
                for piece in pieces(speech, &event) {
                    ended |= piece == Piece::Cut;
                    said.add(piece);
                }
            }
        }
        (said, ended)
    }

    proptest! {
        #[test]
        fn each_format_is_heard_however_it_is_cut(cut in 1_usize..200) {
            for (speech, text) in [(Speech::Chat, CHAT), (Speech::Responses, RESPONSES), (Speech::Messages, MESSAGES), (Speech::Gemini, GEMINI)] {
                let (said, ended) = heard(speech, text, cut);
                prop_assert_eq!((&*said.text, &*said.thoughts, ended), ("你好 ", "hm", true), "{:?}", speech);
                prop_assert_eq!(said.calls.len(), 1);
                prop_assert_eq!((&*said.calls[0].name, &*said.calls[0].arguments), ("rain", "{\"a\":1}"));
            }
        }
    }

    #[test]
    fn an_error_is_found_however_it_is_wrapped() {
        for text in [
            r#"{"error":{"message":"no money"}}"#,
            r#"{"type":"error","error":{"type":"x","message":"no money"}}"#,
            r#"{"error":"no money"}"#,
            r#"{"type":"response.failed","response":{"error":{"message":"no money"}}}"#,
            r#"{"type":"error","message":"no money"}"#,
        ] {
            let event = serde_json::from_str(text).unwrap();
            assert_eq!(pieces(Speech::Responses, &event), [Piece::Fault("no money".into())], "{text}");
        }
    }

    #[test]
    fn each_format_says_where_a_picture_is() {
        let (png, sign) = ("data:image/png;base64,AA==".to_owned(), Some("s".to_owned()));
        for (speech, event, expected) in [
            (
                Speech::Chat,
                r#"{"choices":[{"delta":{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}}]}"#,
                Piece::Url(png.clone(), None),
            ),
            (
                Speech::Responses,
                r#"{"type":"response.output_item.done","item":{"type":"image_generation_call","result":"AA=="}}"#,
                Piece::Url(png.clone(), None),
            ),
            (
                Speech::Gemini,
                r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="},"thoughtSignature":"s"}]}}]}"#,
                Piece::Url(png.clone(), sign),
            ),
        ] {
            let event = serde_json::from_str(event).unwrap();
            assert_eq!(pieces(speech, &event), [expected], "{speech:?}");
        }
    }

    #[test]
    fn an_event_without_its_last_line_is_heard() {
        let mut events = Events::default();
        assert_eq!(events.feed(b"data: a\r\ndata:b"), Vec::<Vec<u8>>::new());
        assert_eq!(events.rest().unwrap(), b"a\nb");
    }
}

//! Over recorded traffic and random bytes.

use super::super::codec::{Profile, Wire, codec};
use super::super::test_kit::{
    Recording, assemble, assert_well_formed, caller, differences, read_stream, recordings, rewrite_request,
    write_stream,
};
use super::super::{Choice, Content, Conversation, Event, Failure, FailureKind, Format, Notes, Reply, Stop};
use super::names::camel;
use super::{reply, sign};
use crate::gemini::Gemini;
use crate::testing::{endpoint, read};
use bytes::BytesMut;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const APIS: [&str; 2] = ["generateContent", "streamGenerateContent"];

fn all() -> impl Iterator<Item = Recording> {
    recordings(&["gemini", "vertex"], &APIS).into_iter()
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

/// Spellings that mean the same, brought together. They differ between what callers send and what is written:
/// snake_case names; the URL alphabet of Base64; one object for a list of one; adjacent contents of one role; the role of
/// instructions, and a user's left out; empty texts; functions over several entries; letter case of modes and levels; no
/// arguments; empty settings; the media type of plain text.
fn same_spelling(body: Value) -> Value {
    let mut body = camel(object(body));
    if let Some(Value::Object(system)) = body.get_mut("systemInstruction") {
        system.shift_remove("role");
        parts(system);
    }
    let mut merged: Vec<Map<String, Value>> = Vec::new();
    for content in list(body.shift_remove("contents")) {
        let mut content = camel(object(content));
        let role = content.entry("role").or_insert("user".into()).clone();
        parts(&mut content);
        match merged.last_mut() {
            Some(last) if last["role"] == role => {
                let Value::Array(more) = content["parts"].take() else { panic!() };
                last["parts"].as_array_mut().unwrap().extend(more);
            }
            _ => merged.push(content),
        }
    }
    body.insert("contents".into(), merged.into_iter().map(Value::Object).collect());
    tools(&mut body);
    settings(&mut body);
    Value::Object(body)
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
    }
}

fn parts(content: &mut Map<String, Value>) {
    let parts = list(content.shift_remove("parts")).into_iter().map(|part| {
        let mut part = camel(object(part));
        for name in ["inlineData", "fileData", "functionCall", "functionResponse"] {
            if let Some(inner) = part.get_mut(name) {
                *inner = Value::Object(camel(object(inner.take())));
            }
        }
        if let Some(call) = part.get_mut("functionCall").and_then(Value::as_object_mut) {
            call.entry("args").or_insert(json!({}));
        }
        if let Some(response) = part.get_mut("functionResponse").and_then(Value::as_object_mut)
            && response.contains_key("parts")
        {
            self::parts(response);
        }
        for pointer in ["/thoughtSignature", "/inlineData/data"] {
            let mut whole = Value::Object(std::mem::take(&mut part));
            if let Some(Value::String(text)) = whole.pointer_mut(pointer) {
                *text = sign::standard(text);
            }
            part = object(whole);
        }
        part
    });
    let parts = parts.filter(|part| !(part.len() == 1 && part.get("text") == Some(&"".into())));
    let parts: Value = parts.map(Value::Object).collect();
    content.insert("parts".into(), parts);
}

fn tools(body: &mut Map<String, Value>) {
    let (mut entries, mut functions, mut place) = (Vec::new(), Vec::new(), None);
    for entry in list(body.shift_remove("tools")) {
        for (name, value) in camel(object(entry)) {
            if name == "functionDeclarations" {
                place.get_or_insert(entries.len());
                functions.extend(list(Some(value)).into_iter().map(|it| Value::Object(camel(object(it)))));
            } else {
                entries.push(json!({ name: value }));
            }
        }
    }
    if let Some(place) = place {
        entries.insert(place, json!({ "functionDeclarations": functions }));
    }
    body.insert("tools".into(), entries.into());
    if let Some(Value::String(mode)) =
        body.get_mut("toolConfig").and_then(|config| config.pointer_mut("/functionCallingConfig/mode"))
    {
        *mode = mode.to_ascii_uppercase();
    }
}

fn settings(body: &mut Map<String, Value>) {
    let Some(config) = body.shift_remove("generationConfig") else { return };
    let mut config = camel(object(config));
    if let Some(thinking) = config.get_mut("thinkingConfig") {
        let mut inner = camel(object(thinking.take()));
        if let Some(Value::String(level)) = inner.get_mut("thinkingLevel") {
            *level = level.to_ascii_uppercase();
        }
        *thinking = Value::Object(inner);
    }
    if config.get("responseMimeType") == Some(&"text/plain".into()) {
        config.shift_remove("responseMimeType");
    }
    if !config.is_empty() {
        body.insert("generationConfig".into(), Value::Object(config));
    }
}

#[test]
fn recorded_requests_come_back() {
    let mut seen = 0;
    for recording in all() {
        let Some(body) = recording.request.clone() else { continue };
        let before = Value::Object(body.clone());
        let (after, dropped) = match rewrite_request(body, Format::Gemini, Format::Gemini) {
            Ok(written) => written,
            Err(error) => {
                // Google refused it, too.
                assert_eq!(recording.status, 400, "{}: {error}", recording.name);
                continue;
            }
        };
        let found = differences(&same_spelling(before), &same_spelling(after));
        assert!(found.is_empty(), "{}: {found:#?}", recording.name);
        assert!(dropped.is_empty(), "{}: {dropped:?}", recording.name);
        seen += 1;
    }
    println!("{seen} requests");
}

/// What of a choice must survive. Texts that follow each other are one.
fn said(choice: &Choice) -> (String, String, Vec<(String, Value)>, Stop) {
    let (mut text, mut thoughts, mut calls) = (String::new(), String::new(), Vec::new());
    for part in &choice.parts {
        match &part.content {
            Content::Text { text: more, .. } => text.push_str(more),
            Content::Thinking(more) => thoughts.push_str(&more.text),
            Content::ToolCall(call) => {
                calls.push((call.name.clone(), serde_json::from_str(&call.arguments).unwrap_or_default()));
            }
            _ => {}
        }
    }
    (text, thoughts, calls, choice.stop)
}

fn assert_same(before: &Reply, after: &Reply, name: &str) {
    assert!(before.id.is_none() || before.id == after.id, "{name}");
    assert_eq!(before.usage, after.usage, "{name}");
    assert_eq!(before.choices.len(), after.choices.len(), "{name}");
    for (before, after) in before.choices.iter().zip(&after.choices) {
        assert_eq!(said(before), said(after), "{name}");
    }
}

fn billed(recording: &Recording) -> Option<burncloud_core::Usage> {
    let path = if recording.streamed {
        "/v1beta/models/m:streamGenerateContent"
    } else {
        "/v1beta/models/m:generateContent"
    };
    read(&Gemini::new(), &endpoint(path), recording.streamed, [recording.response.as_slice()]).usage
}

#[test]
fn recorded_answers_come_back() {
    let mut seen = 0;
    for recording in all().filter(|it| it.status == 200 && !it.streamed) {
        let body: Value = serde_json::from_slice(&recording.response).unwrap();
        let read = reply::read(object(body)).unwrap();
        let written = reply::write(read.clone(), &caller());
        assert_eq!(written["modelVersion"], "m");
        let again = reply::read(object(written)).unwrap();
        assert_same(&read, &again, &recording.name);
        assert_eq!(read.usage, billed(&recording), "{}", recording.name);
        seen += 1;
    }
    println!("{seen} answers");
}

#[test]
fn recorded_streams_come_back() {
    let profile = &Profile::GENUINE;
    let mut seen = 0;
    let is_events = |it: &Recording| it.response.starts_with(b"data:");
    for recording in all().filter(|it| it.status == 200 && it.streamed && is_events(it)) {
        let (name, bytes) = (&recording.name, recording.response.as_slice());
        let events = read_stream(Format::Gemini, profile, [bytes]).unwrap();
        assert_well_formed(&events, name);
        for size in [1, 7, 100] {
            assert_eq!(read_stream(Format::Gemini, profile, bytes.chunks(size)).unwrap(), events, "{name}");
        }
        let reply = assemble(&events);
        assert_eq!(reply.usage, billed(&recording), "{name}");
        let written = write_stream(Format::Gemini, events);
        let again = read_stream(Format::Gemini, profile, [&written[..]]).unwrap();
        assert_well_formed(&again, name);
        assert_same(&reply, &assemble(&again), name);
        seen += 1;
    }
    println!("{seen} streams");
}

fn stream(events: &[Value]) -> Result<Vec<Event>, burncloud_core::Error> {
    let bytes: String = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
    let events = read_stream(Format::Gemini, &Profile::GENUINE, [bytes.as_bytes()])?;
    assert_well_formed(&events, "stream");
    Ok(events)
}

fn chunk(parts: Value, reason: Option<&str>) -> Value {
    json!({
        "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": reason}],
        "responseId": "r1", "modelVersion": "gemini-x",
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 5},
    })
}

#[test]
fn calls_in_pieces_become_whole() {
    let events = stream(&[
        chunk(json!([{"functionCall": {"name": "f", "willContinue": true}, "thoughtSignature": "AA=="}]), None),
        chunk(json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x", "willContinue": true}], "willContinue": true}}]), None),
        chunk(json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "y"}], "willContinue": true}}]), None),
        chunk(json!([{"functionCall": {}}]), None),
        chunk(json!([{"functionCall": {"name": "g", "willContinue": true}}]), Some("STOP")),
    ])
    .unwrap();
    let reply = assemble(&events);
    let calls = said(&reply.choices[0]).2;
    assert_eq!(calls, [("f".to_owned(), json!({"a": "xy"})), ("g".to_owned(), json!({}))]);
    assert_eq!(reply.choices[0].stop, Stop::ToolCalls);
    let Content::ToolCall(call) = &reply.choices[0].parts[0].content else { panic!() };
    assert_eq!((call.id.as_str(), call.signature.as_ref().unwrap().value.as_str()), ("call_r1_0", "AA=="));
}

#[test]
fn a_stream_ends_with_a_reason_or_an_error() {
    let unfinished = stream(&[chunk(json!([{"text": "a"}]), None)]).unwrap_err();
    assert_eq!(unfinished.status().as_u16(), 502);
    assert!(stream(&[]).is_err());
    let blocked = stream(&[json!({"promptFeedback": {"blockReason": "SAFETY"}})]).unwrap();
    assert_eq!(assemble(&blocked).choices[0].stop, Stop::Filtered);
    let failed = json!({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}});
    let failed =
        stream(&[chunk(json!([{"text": "a"}]), None), failed, chunk(json!([]), Some("STOP"))]).unwrap();
    assert_eq!(failed.last(), Some(&Event::Failed(Failure::new(FailureKind::Overloaded, "m"))));
}

#[test]
fn reasons_are_told_apart() {
    for (reason, called, stop) in [
        ("STOP", false, Stop::End),
        ("STOP", true, Stop::ToolCalls),
        ("UNEXPECTED_TOOL_CALL", true, Stop::ToolCalls),
        ("MAX_TOKENS", true, Stop::MaxTokens),
        ("IMAGE_SAFETY", false, Stop::Filtered),
        ("MODEL_ARMOR", false, Stop::Filtered),
        ("MALFORMED_FUNCTION_CALL", false, Stop::End),
    ] {
        assert_eq!(reply::stop(reason, called), stop, "{reason}");
    }
}

#[test]
fn a_list_is_one_document() {
    let events =
        stream(&[chunk(json!([{"text": "a"}]), None), chunk(json!([{"text": "b"}]), Some("STOP"))]).unwrap();
    let mut to = caller();
    to.as_list = true;
    let write = |events: Vec<Event>| {
        let mut writer = codec(Format::Gemini).stream_writer(&to);
        let mut out = BytesMut::new();
        events.into_iter().for_each(|event| writer.write(event, &mut out));
        serde_json::from_slice::<Vec<Value>>(&out).unwrap()
    };
    let list = write(events.clone());
    assert_eq!(list[1]["candidates"][0]["content"]["parts"][0]["text"], "a");
    let last = list.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 8);
    assert_eq!((last["modelVersion"].as_str(), last["responseId"].as_str()), (Some("m"), Some("r1")));
    let failed = vec![events[0].clone(), Event::Failed(Failure::new(FailureKind::Server, "m"))];
    assert_eq!(write(failed)[1]["error"]["code"], 500);
}

/// A request of Chat's, as its reader leaves it, for a model of Google's.
fn written(conversation: Conversation, model: &str) -> Result<(Value, Vec<String>), burncloud_core::Error> {
    let mut notes = Notes::new(Format::Chat);
    let target = super::super::Target { model, streamed: false, profile: &Profile::GENUINE };
    let value = super::write_request::write(conversation, &target, &mut notes)?;
    Ok((value, notes.into_dropped().into_iter().map(Into::into).collect()))
}

mod requests {
    use super::super::super::{Origin, Part, Role, Signature, Thinking, ToolCall, ToolResult, Turn};
    use super::*;

    fn call(id: &str, name: &str, signature: Option<Signature>) -> Part {
        Part::new(Content::ToolCall(ToolCall {
            id: id.into(),
            name: name.into(),
            signature,
            ..ToolCall::default()
        }))
    }

    fn result(id: &str, text: &str) -> Part {
        let content = vec![Part::text(text)];
        Part::new(Content::ToolResult(ToolResult { id: id.into(), content, ..ToolResult::default() }))
    }

    fn tool_loop(first: Option<Signature>) -> Conversation {
        let turns = vec![
            Turn::new(Role::User, vec![Part::text("q")]),
            Turn::new(Role::Assistant, vec![call("gem_1", "f", first), call("toolu_2", "g", None)]),
            Turn::new(Role::User, vec![result("toolu_2", "{\"a\":1}")]),
            Turn::new(Role::User, vec![Part::text("go on"), result("gem_1", "one")]),
        ];
        Conversation { turns, from: Some(Format::Chat), ..Conversation::default() }
    }

    #[test]
    fn results_are_one_content_in_the_order_of_calls() {
        let (body, dropped) = written(tool_loop(None), "gemini-2.5-flash").unwrap();
        assert_eq!(
            body["contents"],
            json!([
                {"role": "user", "parts": [{"text": "q"}]},
                {"role": "model", "parts": [
                    {"functionCall": {"id": "1", "name": "f", "args": {}}},
                    {"functionCall": {"name": "g", "args": {}}},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "1", "name": "f", "response": {"output": "one"}}},
                    {"functionResponse": {"name": "g", "response": {"a": 1}}},
                    {"text": "go on"},
                ]},
            ])
        );
        assert!(dropped.is_empty());
    }

    #[test]
    fn gemini_3_gets_a_word_for_unsigned_calls() {
        let signature = |origin| Some(Signature::new(origin, "AA=="));
        for (first, wanted) in [
            (None, sign::UNSIGNED),
            (signature(Origin::Anthropic), sign::UNSIGNED),
            (signature(Origin::Google), "AA=="),
        ] {
            let (body, _) = written(tool_loop(first), "gemini-3-pro").unwrap();
            let parts = &body["contents"][1]["parts"];
            assert_eq!(parts[0]["thoughtSignature"], wanted);
            assert_eq!(parts[1].get("thoughtSignature"), None);
        }
    }

    #[test]
    fn a_signature_kept_apart_goes_to_what_it_signs() {
        let thinking = |origin, text: &str| {
            let signature = Some(Signature::new(origin, "AA=="));
            Part::new(Content::Thinking(Thinking { text: text.into(), signature, redacted: false }))
        };
        let turns = vec![
            Turn::new(Role::User, vec![Part::text("q")]),
            Turn::new(
                Role::Assistant,
                vec![thinking(Origin::OpenAi, "x"), thinking(Origin::Google, ""), Part::text("a")],
            ),
        ];
        let (body, dropped) =
            written(Conversation { turns, ..Conversation::default() }, "gemini-3-pro").unwrap();
        assert_eq!(body["contents"][1]["parts"], json!([{"text": "a", "thoughtSignature": "AA=="}]));
        assert_eq!(dropped, ["reasoning_details"]);
    }

    #[test]
    fn a_result_without_its_call_is_refused() {
        let turns = vec![Turn::new(Role::User, vec![result("x", "1")])];
        let error = written(Conversation { turns, ..Conversation::default() }, "m").unwrap_err();
        assert_eq!(error.status().as_u16(), 400);
    }

    #[test]
    fn a_foreign_signature_comes_back_from_a_cut_stream() {
        let signed = sign::write(&Signature::new(Origin::Anthropic, "EqQB"), false);
        let body = json!({"contents": [
            {"role": "user", "parts": [{"text": "q"}]},
            {"role": "model", "parts": [{"text": ""}]},
            {"role": "model", "parts": [{"text": "Let", "thought": true}]},
            {"role": "model", "parts": [{"text": " me", "thought": true}]},
            {"role": "model", "parts": [{"text": "", "thought": true, "thoughtSignature": signed}]},
            {"role": "model", "parts": [{"text": "He"}]},
            {"role": "model", "parts": [{"text": "llo"}]},
        ]});
        let read = super::super::read_request::read(object(body)).unwrap();
        let Content::Thinking(thinking) = &read.turns[1].parts[1].content else { panic!() };
        assert_eq!(thinking.text, "Let me");
        assert_eq!(thinking.signature, Some(Signature::new(Origin::Anthropic, "EqQB")));
        assert_eq!(read.turns[1].parts[2].as_text(), Some("Hello"));
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "contents",
        "parts",
        "text",
        "role",
        "functionCall",
        "function_call",
        "functionResponse",
        "name",
        "args",
        "response",
        "inlineData",
        "data",
        "candidates",
        "content",
        "thought",
        "thoughtSignature",
        "tools",
        "functionDeclarations",
        "generationConfig",
        "thinkingConfig",
        "usageMetadata",
        "groundingMetadata",
        "groundingSupports",
        "finishReason",
        "index",
        "partialArgs",
        "jsonPath",
        "willContinue",
        "parameters",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["", "user", "model", "AA==", "$.a[1]", "STOP", "é"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5)
                .prop_map(|members| members
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect::<Map<_, _>>())
                .prop_map(Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics(value in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Value::Object(map) = &value {
            if let Ok((written, _)) = rewrite_request(map.clone(), Format::Gemini, Format::Gemini) {
                prop_assert!(written.is_object());
            }
            if let Ok(read) = reply::read(map.clone()) {
                prop_assert!(reply::write(read, &caller()).is_object());
            }
        }
        let mut reader = codec(Format::Gemini).stream_reader(&Profile::GENUINE);
        let mut events = Vec::new();
        for data in [value.to_string().as_bytes(), &bytes[..]] {
            if reader.read(Wire { name: "", data, exception: false }, &mut events).is_err() {
                break;
            }
        }
        let _ = reader.finish(&mut events);
        write_stream(Format::Gemini, events);
    }
}

//! Over recorded traffic, over texts of our own, and over anything.

use crate::cohere;
use crate::testing::{endpoint, read as read_usage};
use crate::translate::codec::codec;
use crate::translate::test_kit::{
    Recording, assemble, assert_well_formed, caller, differences, read_stream, recordings, rewrite_request,
    write_stream,
};
use crate::translate::{
    Content, Event, Failure, FailureKind, Format, Origin, Part, Profile, Reply, Signature, Stop, Thinking,
    Wire,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn rewrite(body: Value) -> Value {
    rewrite_request(object(body), Format::Cohere, Format::Cohere).unwrap().0
}

fn chats() -> Vec<Recording> {
    let all = recordings(&["cohere"], &["cohere-chat"]);
    // Some are of version 1, which is not spoken here.
    all.into_iter().filter(|r| r.request.as_ref().is_none_or(|body| body.contains_key("messages"))).collect()
}

/// Equal spellings, brought to one.
fn normal(mut body: Map<String, Value>) -> Value {
    body.shift_remove("model");
    for message in body.get_mut("messages").unwrap().as_array_mut().unwrap() {
        let mut content = message["content"].take();
        // A list of one text is that text, a tool's texts are one, and an empty text is none.
        let texts =
            content.as_array().map(|list| list.iter().filter_map(|p| p["text"].as_str()).collect::<Vec<_>>());
        match texts.as_deref() {
            Some([one]) if content.as_array().is_some_and(|list| list.len() == 1) => content = json!(one),
            Some(texts) if message["role"] == "tool" => content = texts.join("\n").into(),
            _ => {}
        }
        message["content"] = if content == "" { Value::Null } else { content };
        // A model's text is a list of it.
        if message["role"] == "assistant" && message["content"].is_string() {
            message["content"] = json!([{ "type": "text", "text": message["content"] }]);
        }
    }
    Value::Object(body)
}

#[test]
fn recorded_requests_come_back_as_they_were() {
    for recording in chats() {
        let Some(body) = recording.request else { continue };
        let written = rewrite(Value::Object(body.clone()));
        let found = differences(&normal(body), &normal(object(written)));
        assert_eq!(found, Vec::<String>::new(), "{}", recording.name);
    }
}

/// What an answer says; empty arguments are none.
fn essence(reply: &Reply) -> Value {
    let choice = &reply.choices[0];
    let parts = choice.parts.iter().map(|part| match &part.content {
        Content::Text { text, citations, .. } => {
            json!([
                text,
                citations.iter().map(|c| json!([c.start, c.end, c.quote, c.title])).collect::<Vec<_>>()
            ])
        }
        Content::ToolCall(call) => json!([call.id, call.name, call.object()]),
        other => json!(format!("{other:?}")),
    });
    let usage = reply.usage.map(|usage| json!([usage.total_input(), usage.total_output()]));
    json!([parts.collect::<Vec<_>>(), format!("{:?}", choice.stop), usage])
}

#[test]
fn recorded_answers_come_back_as_they_were() {
    for recording in chats().iter().filter(|r| !r.streamed && r.status == 200) {
        let name = &recording.name;
        let body: Value = serde_json::from_slice(&recording.response).unwrap();
        let codec = codec(Format::Cohere);
        let reply = codec.read_reply(object(body.clone()), &Profile::GENUINE).unwrap();
        let billed =
            read_usage(&cohere::Cohere::new(), &endpoint("/v2/chat"), false, [recording.response.as_slice()]);
        assert_eq!(reply.usage, billed.usage, "{name}");
        assert!(reply.usage.is_some(), "{name}");
        let written = codec.write_reply(reply.clone(), &caller());
        for place in ["message", "finish_reason", "id"] {
            assert_eq!(differences(&body[place], &written[place]), Vec::<String>::new(), "{name}");
        }
        let again = codec.read_reply(object(written), &Profile::GENUINE).unwrap();
        assert_eq!(differences(&essence(&reply), &essence(&again)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn recorded_streams_come_back_as_they_were() {
    for recording in chats().iter().filter(|r| r.streamed && r.status == 200) {
        let (name, body) = (&recording.name, recording.response.as_slice());
        let read = |size| read_stream(Format::Cohere, &Profile::GENUINE, body.chunks(size)).unwrap();
        let events = read(body.len());
        assert_well_formed(&events, name);
        for size in [1, 7, 61] {
            assert_eq!(read(size), events, "{name}");
        }
        let reply = assemble(&events);
        let billed = read_usage(&cohere::Cohere::new(), &endpoint("/v2/chat"), true, [body]);
        assert_eq!(reply.usage, billed.usage, "{name}");
        let written = write_stream(Format::Cohere, events);
        let again = read_stream(Format::Cohere, &Profile::GENUINE, [written.as_ref()]).unwrap();
        assert_eq!(
            differences(&essence(&reply), &essence(&assemble(&again))),
            Vec::<String>::new(),
            "{name}"
        );
        // The very events, in their order; that a call of no arguments says `{}` is more than Cohere does.
        let kinds = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let lines = text.lines().filter(|line| line.starts_with("event:") || *line == "data: [DONE]");
            lines.filter(|line| *line != "event: tool-call-delta").map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&written), kinds(body), "{name}");
    }
}

#[test]
fn what_only_cohere_says_comes_back() {
    let body = json!({
        "model": "m",
        "messages": [
            { "role": "system", "content": "Be kind." },
            { "role": "user", "content": "Who?" },
            { "role": "assistant", "tool_plan": "I look.", "tool_calls":
                [{ "id": "c1", "type": "function", "function": { "name": "look", "arguments": "{\"q\":1}" } }] },
            { "role": "tool", "tool_call_id": "c1", "content":
                [{ "type": "document", "document": { "id": "d1", "data": { "name": "Ada" } } }] },
            { "role": "assistant", "content": [{ "type": "thinking", "thinking": "Hm." }, { "type": "text", "text": "Ada." }],
              "citations": [{ "start": 0, "end": 3, "text": "Ada", "type": "TEXT_CONTENT", "content_index": 1,
                "sources": [{ "type": "document", "id": "d1", "document": { "id": "d1", "title": "T" } }] }] },
            { "role": "user", "content": "Sure?" },
        ],
        "stream": true,
        "documents": ["plain", { "id": "d2", "data": { "text": "x", "n": 1 } }],
        "citation_options": { "mode": "ACCURATE" },
        "safety_mode": "CONTEXTUAL",
        "tools": [{ "type": "function", "function": { "name": "look", "parameters": { "type": "object" } } }],
        "strict_tools": true,
        "tool_choice": "REQUIRED",
        "max_tokens": 5, "temperature": 0.5, "p": 0.7, "k": 4, "seed": 1, "frequency_penalty": 0.5,
        "presence_penalty": 0.25, "stop_sequences": ["a"], "logprobs": true,
        "response_format": { "type": "json_object", "json_schema": { "type": "object" } },
        "thinking": { "type": "enabled", "token_budget": 100 },
    });
    assert_eq!(differences(&body, &rewrite(body.clone())), Vec::<String>::new());
}

#[test]
fn other_formats_are_brought_into_range() {
    let body = json!({
        "messages": [
            { "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } }] },
            { "role": "assistant", "reasoning_details": [{ "type": "reasoning.text", "text": "t", "signature": "s" }], "content": "a" },
        ],
        "tools": [{ "type": "function", "function": { "name": "a" } }, { "type": "function", "function": { "name": "b" } }],
        "tool_choice": { "type": "function", "function": { "name": "b" } },
        "top_p": 1.0, "frequency_penalty": -1.0, "presence_penalty": 2.0, "n": 2, "user": "u",
        "parallel_tool_calls": false, "reasoning_effort": "none", "stop": ["1", "2", "3", "4", "5", "6"],
    });
    let (written, dropped) = rewrite_request(object(body), Format::Chat, Format::Cohere).unwrap();
    let expect = json!({
        "model": "m",
        "messages": [
            { "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } }] },
            { "role": "assistant", "content": [{ "type": "text", "text": "a" }] },
        ],
        "stream": false,
        "tools": [{ "type": "function", "function": { "name": "b", "parameters": { "type": "object", "properties": {} } } }],
        "tool_choice": "REQUIRED", "p": 0.99, "frequency_penalty": 0.0, "presence_penalty": 1.0,
        "thinking": { "type": "disabled" }, "stop_sequences": ["1", "2", "3", "4", "5"],
    });
    assert_eq!(differences(&expect, &written), Vec::<String>::new());
    for name in ["n", "user", "parallel_tool_calls", "stop"] {
        assert!(dropped.iter().any(|it| it == name), "{name}: {dropped:?}");
    }
    let sound = json!({ "messages": [{ "role": "user", "content":
        [{ "type": "input_audio", "input_audio": { "data": "AA==", "format": "wav" } }] }] });
    let error = rewrite_request(object(sound), Format::Chat, Format::Cohere).unwrap_err();
    assert_eq!((error.status().as_u16(), error.code()), (400, Some("unsupported_content")));
}

const PLAN: &str = concat!(
    "event: message-start\ndata: {\"id\":\"a\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}\n\n",
    "event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":\"I \"}}}\n\n",
    "event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":\"look.\"}}}\n\n",
    "event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"\"}}}}}\n\n",
    "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{\\\"q\\\":1}\"}}}}}\n\n",
    "event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":0}\n\n",
    "event: debug\ndata: {\"type\":\"debug\",\"prompt\":\"x\"}\n\n",
);

#[test]
fn plans_calls_and_ends_of_streams() {
    let end = "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"TOOL_CALL\"}}\n\n";
    let stream = [PLAN, end].concat();
    let events = read_stream(Format::Cohere, &Profile::GENUINE, [stream.as_bytes()]).unwrap();
    assert_well_formed(&events, "plan");
    let choice = assemble(&events).choices.remove(0);
    assert_eq!(choice.stop, Stop::ToolCalls);
    let thinking = Thinking { text: "I look.".to_owned(), ..Thinking::default() };
    assert_eq!(choice.parts[0], Part::new(Content::Thinking(thinking)));
    assert!(
        matches!(&choice.parts[1].content, Content::ToolCall(call) if call.id == "c" && call.arguments == "{\"q\":1}")
    );

    let cut = read_stream(Format::Cohere, &Profile::GENUINE, [PLAN.as_bytes()]).unwrap_err();
    assert_eq!(cut.status().as_u16(), 502);
    let failed = [PLAN, &end.replace("TOOL_CALL\"", "ERROR\",\"error\":\"no\"")].concat();
    let events = read_stream(Format::Cohere, &Profile::GENUINE, [failed.as_bytes()]).unwrap();
    assert_eq!(events.last(), Some(&Event::Failed(Failure::new(FailureKind::Server, "no"))));
    let again = write_stream(Format::Cohere, events);
    let again = read_stream(Format::Cohere, &Profile::GENUINE, [again.as_ref()]).unwrap();
    assert_eq!(again.last(), Some(&Event::Failed(Failure::new(FailureKind::Server, "no"))));
}

#[test]
fn thoughts_that_somebody_signed_are_shown_but_not_sent() {
    let thinking = Thinking {
        text: "t".to_owned(),
        signature: Some(Signature::new(Origin::Anthropic, "s")),
        redacted: false,
    };
    let parts = vec![Part::new(Content::Thinking(thinking)), Part::text("a")];
    let choice = crate::translate::Choice { parts, ..Default::default() };
    let reply = Reply { choices: vec![choice], ..Reply::default() };
    let written = codec(Format::Cohere).write_reply(reply.clone(), &caller());
    let expect = json!([{ "type": "thinking", "thinking": "t" }, { "type": "text", "text": "a" }]);
    assert_eq!(written["message"]["content"], expect);
    let streamed = write_stream(Format::Cohere, reply.into_events());
    let again = assemble(&read_stream(Format::Cohere, &Profile::GENUINE, [streamed.as_ref()]).unwrap());
    assert_eq!(again.choices[0].parts.len(), 2);
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("content"),
        Just("role"),
        Just("type"),
        Just("text"),
        Just("tool_calls"),
        Just("function"),
        Just("name"),
        Just("arguments"),
        Just("messages"),
        Just("tools"),
        Just("message"),
        Just("delta"),
        Just("finish_reason"),
        Just("usage"),
        Just("citations"),
        Just("sources"),
        Just("document"),
        Just("documents"),
        Just("image_url"),
        Just("url"),
        Just("thinking"),
        Just("tool_plan"),
    ];
    let words = prop_oneof![
        Just("user"),
        Just("assistant"),
        Just("tool"),
        Just("text"),
        Just("document"),
        Just("content-start"),
        Just("content-delta"),
        Just("tool-call-start"),
        Just("citation-start"),
        Just("message-end"),
        Just(""),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 80, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|list| Value::Object(list.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_does_harm(messages in proptest::collection::vec(any_json(), 0..3), rest in any_json()) {
        let codec = codec(Format::Cohere);
        let mut body = rest.as_object().cloned().unwrap_or_default();
        let _ = codec.read_reply(body.clone(), &Profile::GENUINE).map(|reply| codec.write_reply(reply, &caller()));
        body.insert("messages".to_owned(), messages.into());
        let _ = rewrite_request(body, Format::Cohere, Format::Cohere);
    }

    #[test]
    fn no_stream_does_harm(
        chunks in proptest::collection::vec(("[a-z]{4,8}-(start|delta|end)", any_json()), 0..6),
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut reader = codec(Format::Cohere).stream_reader(&Profile::GENUINE);
        let mut events = Vec::new();
        for (kind, message) in chunks {
            let data = json!({ "type": kind, "delta": { "message": message } }).to_string();
            let _ = reader.read(Wire { name: "", data: data.as_bytes(), exception: false }, &mut events);
        }
        let _ = reader.read(Wire { name: "", data: &bytes, exception: false }, &mut events);
        let end = br#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#;
        reader.read(Wire { name: "", data: end, exception: false }, &mut events).unwrap();
        assert_well_formed(&events, "made up");
        write_stream(Format::Cohere, events);
    }
}

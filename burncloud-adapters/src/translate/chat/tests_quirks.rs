//! Over texts of our own: what providers made of the chat, and what of it is written to whom.

use crate::translate::codec::codec;
use crate::translate::test_kit::{
    assemble, assert_well_formed, caller, differences, read_stream, write_stream,
};
use crate::translate::{
    Block, CacheMark, Caller, Content, Conversation, Delta, Event, Failure, FailureKind, Format,
    FunctionTool, Media, MediaKind, Notes, Origin, Part, Profile, Role, Signature, Source, Start, Stop,
    Target, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use burncloud_core::{Error, Usage};
use serde_json::{Map, Value, json};

const COPY: Profile = Profile { genuine: false, ..Profile::GENUINE };

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn read(body: Value) -> Conversation {
    codec(Format::Chat).read_request(object(body), &mut Notes::new(Format::Chat)).unwrap()
}

fn write(
    conversation: Conversation,
    profile: &Profile,
    caller: Format,
) -> Result<(Value, Vec<String>), Error> {
    let mut notes = Notes::new(caller);
    let conversation = Conversation { from: Some(caller), ..conversation };
    let target = Target { model: "up", streamed: conversation.stream, profile };
    let body = codec(Format::Chat).write_request(conversation, &target, &mut notes)?;
    Ok((body, notes.into_dropped().into_iter().map(Into::into).collect()))
}

fn stream(chunks: &[Value]) -> Result<Vec<Event>, Error> {
    let mut text: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    text.push_str("data: [DONE]\n\n");
    let events = read_stream(Format::Chat, &Profile::GENUINE, [text.as_bytes()])?;
    assert_well_formed(&events, "chunks");
    Ok(events)
}

fn chunk(delta: Value, finish: Value) -> Value {
    json!({ "id": "a", "model": "x", "created": 1, "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
}

#[test]
fn functions_before_tools_are_tools() {
    let conversation = read(json!({
        "messages": [
            { "role": "user", "content": "?" },
            { "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "{}" } },
            { "role": "function", "name": "f", "content": "1" },
        ],
        "functions": [{ "name": "f", "parameters": { "type": "object" } }],
        "function_call": { "name": "f" },
    }));
    assert_eq!(conversation.tool_choice, Some(ToolChoice::Named("f".to_owned())));
    assert_eq!(conversation.called("call_1_0"), Some("f"));
    let (body, _) = write(conversation, &Profile::GENUINE, Format::Chat).unwrap();
    assert_eq!(body["messages"][1]["tool_calls"][0]["id"], "call_1_0");
    assert_eq!(
        (&body["messages"][2]["role"], &body["messages"][2]["tool_call_id"]),
        (&json!("tool"), &json!("call_1_0"))
    );
    assert_eq!(body["tools"][0]["function"]["name"], "f");
}

#[test]
fn a_wrong_type_is_the_callers_fault_and_named() {
    for (body, param) in [
        (json!({}), "messages"),
        (json!({ "messages": [{ "role": "robot", "content": "" }] }), "role"),
        (json!({ "messages": [], "temperature": "hot" }), "temperature"),
        (json!({ "messages": [], "tool_choice": "maybe" }), "tool_choice"),
        (json!({ "messages": [{ "role": "user", "content": 1 }] }), "content"),
        (json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url" }] }] }), "image_url"),
    ] {
        let result = codec(Format::Chat).read_request(object(body), &mut Notes::new(Format::Chat));
        let error = result.unwrap_err();
        assert_eq!((error.status().as_u16(), error.param()), (400, Some(param)));
    }
}

/// A conversation such as other formats make.
fn foreign() -> Conversation {
    let picture = Media {
        kind: MediaKind::Image,
        mime: Some("image/png".to_owned()),
        source: Source::Base64("AA==".to_owned()),
        name: None,
        detail: None,
    };
    let signed = Thinking {
        text: "hm".to_owned(),
        signature: Some(Signature::new(Origin::Anthropic, "s")),
        redacted: false,
    };
    let unsigned = Thinking { text: "so".to_owned(), ..Thinking::default() };
    let call = ToolCall { id: "c1".to_owned(), name: "f".to_owned(), ..ToolCall::default() };
    let result = ToolResult {
        id: "c1".to_owned(),
        content: vec![Part::text("no"), Part::new(Content::Media(picture))],
        is_error: true,
        name: None,
    };
    let mut system = Part::text("one");
    system.cache = Some(CacheMark::Default);
    let mut conversation = Conversation {
        system: vec![system, Part::text("two")],
        turns: vec![
            Turn::new(Role::User, vec![Part::text("hi"), Part::text("")]),
            Turn::new(
                Role::Assistant,
                vec![
                    Part::new(Content::Thinking(signed)),
                    Part::new(Content::Thinking(unsigned)),
                    Part::new(Content::ToolCall(call)),
                ],
            ),
            Turn::new(Role::User, vec![Part::text("and?"), Part::new(Content::ToolResult(result))]),
            Turn::new(Role::Developer, vec![Part::text("hush")]),
        ],
        tools: vec![
            Tool::Function(FunctionTool { name: "f".to_owned(), ..FunctionTool::default() }),
            Tool::Function(FunctionTool { name: "g".to_owned(), ..FunctionTool::default() }),
        ],
        tool_choice: Some(ToolChoice::Allowed { names: vec!["f".to_owned()], required: true }),
        user: Some("u".repeat(65)),
        service_tier: Some("auto".to_owned()),
        stream: true,
        ..Conversation::default()
    };
    conversation.sampling.max_output = Some(9);
    conversation.sampling.top_k = Some(3);
    conversation
}

#[test]
fn to_openai_its_newest_words() {
    let (body, dropped) = write(foreign(), &Profile::GENUINE, Format::Messages).unwrap();
    let expect = json!({
        "model": "up",
        "messages": [
            { "role": "system", "content": [{ "type": "text", "text": "one" }, { "type": "text", "text": "two" }] },
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": null, "tool_calls":
                [{ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": "c1", "content": "Error: no" },
            { "role": "user", "content": [
                { "type": "text", "text": "Shown by the tool call c1:" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } },
                { "type": "text", "text": "and?" } ] },
            { "role": "developer", "content": "hush" },
        ],
        "tools": [{ "type": "function", "function": { "name": "f" } }, { "type": "function", "function": { "name": "g" } }],
        "tool_choice": { "type": "allowed_tools", "allowed_tools":
            { "mode": "required", "tools": [{ "type": "function", "function": { "name": "f" } }] } },
        "max_completion_tokens": 9,
        "service_tier": "auto",
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    assert_eq!(differences(&expect, &body), Vec::<String>::new());
    for name in ["cache_control", "top_k", "metadata.user_id", "thinking"] {
        assert!(dropped.iter().any(|it| it.contains(name)), "{name}: {dropped:?}");
    }
}

#[test]
fn to_those_who_copy_it_the_older_ones() {
    let (body, dropped) = write(foreign(), &COPY, Format::Messages).unwrap();
    assert_eq!(body["messages"][0]["content"], "one\n\ntwo");
    assert_eq!(body["messages"][2]["reasoning_content"], "so");
    assert_eq!(body["messages"][5], json!({ "role": "system", "content": "hush" }));
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!((&body["tool_choice"], &body["max_tokens"]), (&json!("required"), &json!(9)));
    assert_eq!(body.get("service_tier"), None);
    assert!(dropped.iter().any(|name| name == "service_tier"), "{dropped:?}");
    let strict = Profile { include_usage: false, ..COPY };
    let (body, _) = write(foreign(), &strict, Format::Messages).unwrap();
    assert_eq!(body.get("stream_options"), None);
    assert_eq!(body["messages"][2].get("reasoning_content"), None);
}

#[test]
fn a_response_keeps_what_the_chat_knows_of_it() {
    // A fuzzer found the choice: of a kind that there is not, it went on to a provider that refuses it.
    let carry = object(json!({ "store": false, "include": ["x"], "new_thing": 1, "tool_choice": "euto" }));
    let from = |carry: Map<String, Value>| Conversation { carry, ..foreign() };
    let (body, dropped) = write(from(carry.clone()), &Profile::GENUINE, Format::Responses).unwrap();
    assert_eq!((&body["store"], &body["new_thing"], body.get("include")), (&json!(false), &json!(1), None));
    assert!(dropped.iter().any(|name| name == "include"));
    assert!(
        dropped.iter().any(|name| name == "tool_choice") && body.get("tool_choice") != Some(&json!("euto"))
    );
    let (body, dropped) = write(from(carry), &COPY, Format::Responses).unwrap();
    assert_eq!((body.get("store"), body.get("new_thing")), (None, None));
    assert!(dropped.iter().any(|name| name == "store"));
    let kept = object(json!({ "previous_response_id": "r" }));
    let error = write(from(kept), &Profile::GENUINE, Format::Responses).unwrap_err();
    assert_eq!((error.status().as_u16(), error.param()), (400, Some("previous_response_id")));
}

#[test]
fn googles_signature_goes_to_google_alone() {
    let body = json!({ "messages": [{ "role": "assistant", "tool_calls": [{
        "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" },
        "extra_content": { "google": { "thought_signature": "AbC=" } } }] }] });
    let google = Profile { reasoning: crate::openai::Reasoning::Hidden, ..COPY };
    let (written, dropped) = write(read(body.clone()), &google, Format::Chat).unwrap();
    assert_eq!(
        written["messages"][0]["tool_calls"][0]["extra_content"]["google"]["thought_signature"],
        "AbC="
    );
    assert_eq!(dropped, Vec::<String>::new());
    let (written, dropped) = write(read(body), &COPY, Format::Chat).unwrap();
    assert_eq!(written["messages"][0]["tool_calls"][0].get("extra_content"), None);
    assert_eq!(dropped.len(), 1);
}

#[test]
fn what_the_chat_cannot_say_is_refused() {
    let says = |kind, mime: &str, source| {
        let media = Media { kind, mime: Some(mime.to_owned()), source, name: None, detail: None };
        let turns = vec![Turn::new(Role::User, vec![Part::new(Content::Media(media))])];
        write(Conversation { turns, ..Conversation::default() }, &Profile::GENUINE, Format::Gemini)
    };
    let bytes = || Source::Base64("AA==".to_owned());
    assert!(says(MediaKind::Audio, "audio/mpeg", bytes()).is_ok());
    assert!(says(MediaKind::Document, "application/pdf", bytes()).is_ok());
    for (kind, mime, source) in [
        (MediaKind::Video, "video/mp4", bytes()),
        (MediaKind::Document, "application/pdf", Source::File("f".to_owned())),
        (MediaKind::Image, "image/png", Source::Url("gs://a/b.png".to_owned())),
        (MediaKind::Audio, "audio/flac", bytes()),
        (MediaKind::Document, "application/pdf", Source::Url("https://a/b.pdf".to_owned())),
    ] {
        assert_eq!(says(kind, mime, source).unwrap_err().code(), Some("unsupported_content"), "{mime}");
    }
}

#[test]
fn calls_come_whole_in_pieces_and_without_numbers() {
    let whole = |id: &str, name: &str| json!({ "tool_calls": [{ "id": id, "function": { "name": name, "arguments": "{}" } }] });
    // Mistral: no numbers. Others: each whole call has the number 0.
    let numbered =
        json!({ "tool_calls": [{ "index": 0, "id": "3", "function": { "name": "h", "arguments": "{}" } }] });
    let events = stream(&[
        json!({ "id": "", "model": "", "choices": [], "prompt_filter_results": [] }),
        chunk(json!({ "role": "assistant", "content": "" }), Value::Null),
        chunk(whole("1", "f"), Value::Null),
        chunk(whole("2", "g"), Value::Null),
        chunk(numbered, json!("stop")),
    ])
    .unwrap();
    assert!(matches!(&events[0], Event::Start(start) if start.id.as_deref() == Some("a")));
    let choice = assemble(&events).choices.remove(0);
    let calls: Vec<_> = choice
        .parts
        .iter()
        .map(|part| match &part.content {
            Content::ToolCall(call) => (call.id.as_str(), call.name.as_str(), call.arguments.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(calls, [("1", "f", "{}"), ("2", "g", "{}"), ("3", "h", "{}")]);
    assert_eq!(choice.stop, Stop::ToolCalls);

    let piece = |number: u64, text: &str| json!({ "tool_calls": [{ "index": number, "function": { "arguments": text } }] });
    let first = |number: u64| json!({ "tool_calls": [{ "index": number, "id": format!("c{number}"), "function": { "name": "f", "arguments": "" } }] });
    let late = json!({ "tool_calls": [{ "index": 2, "id": "c2" }] });
    let named = json!({ "tool_calls": [{ "index": 2, "function": { "name": "late", "arguments": "[1]" } }] });
    let null = Value::Null;
    let events = stream(&[
        chunk(first(0), null.clone()),
        chunk(piece(0, "{\"a\""), null.clone()),
        chunk(piece(0, ":1}"), null.clone()),
        chunk(first(1), null.clone()),
        chunk(piece(1, "2"), null.clone()),
        chunk(late, null.clone()),
        chunk(named, json!("tool_calls")),
    ])
    .unwrap();
    let reply = assemble(&events);
    let arguments: Vec<_> = reply.choices[0]
        .parts
        .iter()
        .map(|part| match &part.content {
            Content::ToolCall(call) => (call.id.as_str(), call.arguments.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(arguments, [("c0", "{\"a\":1}"), ("c1", "2"), ("c2", "[1]")]);
    let mixed =
        stream(&[chunk(first(0), null.clone()), chunk(first(1), null.clone()), chunk(piece(0, "x"), null)]);
    assert_eq!(mixed.unwrap_err().status().as_u16(), 502);
}

#[test]
fn thoughts_in_every_spelling() {
    let details = json!({ "reasoning": "a", "reasoning_details": [{ "type": "reasoning.text", "text": "a", "index": 0 }] });
    let signature =
        json!({ "reasoning_details": [{ "type": "reasoning.text", "signature": "s", "index": 0 }] });
    let mistral =
        json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": "c" }] }] });
    let sealed = json!({ "reasoning_details": [{ "type": "reasoning.encrypted", "data": "e" }] });
    let events = stream(&[
        chunk(details, Value::Null),
        chunk(signature, Value::Null),
        chunk(json!({ "reasoning_content": "b" }), Value::Null),
        chunk(mistral, Value::Null),
        chunk(sealed, Value::Null),
        chunk(json!({ "content": "d" }), json!("stop")),
    ])
    .unwrap();
    let parts = assemble(&events).choices.remove(0).parts;
    let thinking = |text: &str, signature: Option<&str>, redacted| {
        let signature = signature.map(|value| Signature::new(Origin::Other, value));
        Part::new(Content::Thinking(Thinking { text: text.to_owned(), signature, redacted }))
    };
    let expect =
        [thinking("a", Some("s"), false), thinking("bc", None, false), thinking("", Some("e"), true)];
    assert_eq!(parts[..3], expect);
    assert_eq!(parts[3].as_text(), Some("d"));
}

#[test]
fn what_a_stream_shows_of_signatures_comes_back_from_its_client() {
    let signature = Signature::new(Origin::Anthropic, "s");
    let google = Signature::new(Origin::Google, "g");
    let call = Block::ToolCall {
        id: "c".to_owned(),
        name: "f".to_owned(),
        kind: Default::default(),
        signature: Some(google.clone()),
    };
    let delta = |delta| Event::Delta { choice: 0, delta };
    let events = vec![
        Event::Start(Start::default()),
        Event::Open { choice: 0, block: Block::Thinking { redacted: false } },
        delta(Delta::Thinking("t".to_owned())),
        delta(Delta::Signature(signature.clone())),
        Event::Close { choice: 0 },
        Event::Open { choice: 0, block: call },
        Event::Close { choice: 0 },
        Event::Stop { choice: 0, stop: Stop::ToolCalls, sequence: None },
        Event::End,
    ];
    let written = write_stream(Format::Chat, events);
    let text = String::from_utf8(written.to_vec()).unwrap();
    let deltas =
        text.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    // A client that keeps the pieces of lists one after another.
    let (mut details, mut calls) = (Vec::new(), Vec::new());
    for chunk in deltas {
        let delta = &chunk["choices"][0]["delta"];
        details.extend(delta["reasoning_details"].as_array().cloned().unwrap_or_default());
        calls.extend(delta["tool_calls"].as_array().cloned().unwrap_or_default());
    }
    calls[0]["function"]["arguments"] = calls[1]["function"]["arguments"].clone();
    calls.truncate(1);
    let message = json!({ "role": "assistant", "content": null, "tool_calls": calls, "reasoning_content": "t", "reasoning_details": details });
    let parts = read(json!({ "messages": [message] })).turns.remove(0).parts;
    let thinking = Thinking { text: "t".to_owned(), signature: Some(signature), redacted: false };
    assert_eq!(parts[0], Part::new(Content::Thinking(thinking)));
    let call = ToolCall {
        id: "c".to_owned(),
        name: "f".to_owned(),
        arguments: "{}".to_owned(),
        signature: Some(google),
        ..ToolCall::default()
    };
    assert_eq!(parts[1], Part::new(Content::ToolCall(call)));
}

#[test]
fn a_stream_is_written_as_openai_writes_it() {
    let delta = |delta| Event::Delta { choice: 0, delta };
    let usage = Usage { input: 3, cached_read: 4, output: 2, reasoning: 1, ..Usage::default() };
    let events = || {
        vec![
            Event::Start(Start { id: Some("x".to_owned()), created: Some(7), ..Start::default() }),
            Event::Open { choice: 0, block: Block::Text },
            delta(Delta::Text("a\"é".to_owned())),
            Event::Close { choice: 0 },
            Event::Stop { choice: 0, stop: Stop::MaxTokens, sequence: None },
            Event::Usage(usage),
            Event::End,
        ]
    };
    let head = r#"data: {"id":"chatcmpl-x","object":"chat.completion.chunk","created":7,"model":"m","system_fingerprint":null,"choices":["#;
    let chunk = |delta: &str, finish: &str| {
        format!("{head}{{\"index\":0,\"delta\":{{{delta}}},\"logprobs\":null,\"finish_reason\":{finish}}}]")
    };
    let said = [
        chunk("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null", "null"),
        chunk("\"content\":\"a\\\"é\"", "null"),
        chunk("", "\"length\""),
    ];
    let quiet: String = said.iter().map(|chunk| format!("{chunk}}}\n\n")).collect();
    let mut writer = codec(Format::Chat).stream_writer(&Caller { include_usage: false, ..caller() });
    let mut out = bytes::BytesMut::new();
    events().into_iter().for_each(|event| writer.write(event, &mut out));
    assert_eq!(std::str::from_utf8(&out).unwrap(), format!("{quiet}data: [DONE]\n\n"));

    let counted = String::from_utf8(write_stream(Format::Chat, events()).to_vec()).unwrap();
    let last =
        counted.strip_suffix("data: [DONE]\n\n").unwrap().lines().rfind(|line| !line.is_empty()).unwrap();
    let last: Value = serde_json::from_str(&last[6..]).unwrap();
    assert_eq!((&last["choices"], &last["usage"]["prompt_tokens"]), (&json!([]), &json!(7)));
    assert_eq!(last["usage"]["completion_tokens_details"]["reasoning_tokens"], 1);
    assert_eq!(counted.matches("\"usage\":null").count(), 3);
}

#[test]
fn failures_end_a_stream() {
    let events = stream(&[
        chunk(json!({ "content": "a" }), Value::Null),
        json!({ "error": { "message": "no", "code": 429 }, "choices": [] }),
    ]);
    let events = events.unwrap();
    assert_eq!(events.last(), Some(&Event::Failed(Failure::new(FailureKind::RateLimited, "no"))));
    let written = write_stream(Format::Chat, events);
    assert!(written.ends_with(b"\n\n") && !written.windows(6).any(|w| w == b"[DONE]"));
    let cut = format!("data: {}\n\n", chunk(json!({ "content": "a" }), Value::Null));
    let error = read_stream(Format::Chat, &Profile::GENUINE, [cut.as_bytes()]).unwrap_err();
    assert_eq!(error.status().as_u16(), 502);
    // Who gives a reason to finish need not say `[DONE]`.
    let done = format!("data: {}\n\n", chunk(json!({ "content": "a" }), json!("stop")));
    assert!(read_stream(Format::Chat, &Profile::GENUINE, [done.as_bytes()]).is_ok());
    let body = object(json!({ "error": { "message": "no" } }));
    assert_eq!(codec(Format::Chat).read_reply(body, &COPY).unwrap_err().status().as_u16(), 502);
}

#[test]
fn several_answers_at_once() {
    let both = |a: &str, b: &str, finish: Value| {
        json!({ "id": "a", "choices": [
            { "index": 0, "delta": { "content": a }, "finish_reason": finish },
            { "index": 1, "delta": { "content": b }, "finish_reason": finish },
        ] })
    };
    let events = stream(&[both("a", "x", Value::Null), both("b", "y", json!("stop"))]).unwrap();
    let texts = |events: &[Event]| -> Vec<String> {
        assemble(events).choices.iter().map(|c| c.parts.iter().filter_map(Part::as_text).collect()).collect()
    };
    assert_eq!(texts(&events), ["ab", "xy"]);
    let written = write_stream(Format::Chat, events);
    let again = read_stream(Format::Chat, &Profile::GENUINE, [written.as_ref()]).unwrap();
    assert_eq!(texts(&again), ["ab", "xy"]);
}

//! Small cases of our own making, and all recorded ones.

use super::super::codec::codec;
use super::super::test_kit::{
    assemble, assert_well_formed, caller, differences, read_stream, recordings, rewrite_request, write_stream,
};
use super::super::{
    Citation, Content, Conversation, Event, Format, MediaKind, Notes, Origin, Part, Profile, Role, Signature,
    Stop, Target, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use super::OWN;
use crate::openai::OPENAI;
use crate::testing::{endpoint, read as read_usage};
use burncloud_core::Error;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn read(body: Value) -> Conversation {
    codec(OWN).read_request(object(body), &mut Notes::new(OWN)).unwrap()
}

fn written(conversation: Conversation) -> (Value, Vec<String>) {
    let mut notes = Notes::new(conversation.from.unwrap_or(Format::Messages));
    let target = Target { model: "m", streamed: conversation.stream, profile: &Profile::GENUINE };
    let body = codec(OWN).write_request(conversation, &target, &mut notes).unwrap();
    (body, notes.into_dropped().into_iter().map(Into::into).collect())
}

fn refused(conversation: Conversation) -> Error {
    let mut notes = Notes::new(Format::Messages);
    let target = Target { model: "m", streamed: false, profile: &Profile::GENUINE };
    codec(OWN).write_request(conversation, &target, &mut notes).unwrap_err()
}

fn said(turns: Vec<Turn>) -> Conversation {
    Conversation { turns, from: Some(Format::Messages), ..Conversation::default() }
}

/// Equal spellings: `input` as a string; content and outputs that are one text; `type` and `status` of items;
/// `user` for `safety_identifier`; what is the default (no tools, `text.format`, `truncation`, no stream, a
/// summary by its old name, empty lists of annotations, log probabilities, thoughts, things to include).
fn normal(mut body: Value) -> Value {
    body["model"] = "m".into();
    let fields = body.as_object_mut().unwrap();
    if let Some(user) = fields.remove("user") {
        fields.entry("safety_identifier").or_insert(user);
    }
    for (name, usual) in [
        ("stream", json!(false)),
        ("tools", json!([])),
        ("include", json!([])),
        ("text", json!({ "format": { "type": "text" } })),
        ("truncation", json!("disabled")),
    ] {
        if fields.get(name) == Some(&usual) {
            fields.remove(name);
        }
    }
    if let Some(reasoning) = fields.get_mut("reasoning").and_then(Value::as_object_mut) {
        reasoning.retain(|_, value| !value.is_null());
    }
    if let Some(choice) = fields.get_mut("tool_choice").filter(|choice| choice.get("mode").is_some()) {
        choice["type"] = "allowed_tools".into();
    }
    if let Some(text) = fields.get("input").and_then(Value::as_str).map(str::to_owned) {
        fields.insert("input".to_owned(), json!([{ "role": "user", "content": text }]));
    }
    for item in fields.get_mut("input").and_then(Value::as_array_mut).into_iter().flatten() {
        normal_item(item.as_object_mut().unwrap());
    }
    body
}

fn normal_item(item: &mut Map<String, Value>) {
    if item.get("status").is_some_and(|status| status == "completed") {
        item.remove("status");
    }
    let message = item.contains_key("role");
    if message {
        item.insert("type".to_owned(), "message".into());
    }
    for name in ["content", "output"] {
        let Some(list) = item.get_mut(name).and_then(Value::as_array_mut) else { continue };
        for part in list.iter_mut().filter_map(Value::as_object_mut) {
            part.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
            if part.get("type").is_some_and(|kind| kind == "input_image") {
                part.entry("detail").or_insert("auto".into());
            }
        }
        if let [Value::Object(only)] = list.as_slice()
            && only.len() == 2
            && let Some(text) = only.get("text").cloned()
            && (message || name == "output")
        {
            item.insert(name.to_owned(), text);
        }
    }
    item.retain(|name, value| name != "content" || value.as_array().is_none_or(|list| !list.is_empty()));
}

#[test]
fn every_recorded_request_is_written_back_as_it_was() {
    for recording in recordings(&[], &["responses"]) {
        let Some(request) = recording.request.filter(|_| recording.status == 200) else { continue };
        let before = normal(Value::Object(request.clone()));
        let (after, dropped) = rewrite_request(request, OWN, OWN).unwrap();
        assert_eq!(differences(&before, &normal(after)), Vec::<String>::new(), "{}", recording.name);
        assert_eq!(dropped, Vec::<String>::new(), "{}", recording.name);
    }
}

/// Billed as this says.
fn billed(streamed: bool, body: &[u8]) -> Option<burncloud_core::Usage> {
    tokens(read_usage(&OPENAI, &endpoint("/v1/responses"), streamed, [body]).usage)
}

/// What tools were used for stands beside the tokens, and no format tells it to a caller.
fn tokens(usage: Option<burncloud_core::Usage>) -> Option<burncloud_core::Usage> {
    let of = |usage| burncloud_core::Usage { web_searches: 0, file_searches: 0, code_sessions: 0, ..usage };
    usage.map(of)
}

#[test]
fn every_recorded_answer_keeps_what_it_says() {
    for recording in recordings(&[], &["responses"]) {
        if recording.status != 200 || recording.streamed {
            continue;
        }
        let body: Value = serde_json::from_slice(&recording.response).unwrap();
        if body["status"] == "queued" || body.get("output").is_none() {
            continue;
        }
        let codec = codec(OWN);
        let reply = codec.read_reply(object(body.clone()), &Profile::GENUINE).unwrap();
        let name = &recording.name;
        assert_eq!(tokens(reply.usage), billed(false, &recording.response), "{name}");
        let said: Vec<&str> = body["output"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|item| item["content"].as_array().filter(|_| item["type"] == "message"))
            .flatten()
            .filter_map(|part| part["text"].as_str())
            .collect();
        let told: Vec<&str> = reply.choices[0].parts.iter().filter_map(Part::as_text).collect();
        assert_eq!(told, said, "{name}");
        let again =
            codec.read_reply(object(codec.write_reply(reply.clone(), &caller())), &Profile::GENUINE).unwrap();
        assert_eq!(again.choices, reply.choices, "{name}");
        assert_eq!(again.usage.map(|u| u.total_output()), reply.usage.map(|u| u.total_output()), "{name}");
    }
}

#[test]
fn every_recorded_stream_is_read_alike_in_any_pieces_and_written_back() {
    for recording in recordings(&[], &["responses"]) {
        if recording.status != 200 || !recording.streamed {
            continue;
        }
        let (name, bytes) = (&recording.name, recording.response.as_slice());
        let events = read_stream(OWN, &Profile::GENUINE, [bytes]).unwrap();
        assert_well_formed(&events, name);
        for size in [1, 7, 64] {
            assert_eq!(read_stream(OWN, &Profile::GENUINE, bytes.chunks(size)).unwrap(), events, "{name}");
        }
        let reply = assemble(&events);
        assert_eq!(tokens(reply.usage), billed(true, bytes), "{name}");
        // The last event repeats everything.
        let text = String::from_utf8_lossy(bytes);
        let last = text.lines().filter_map(|line| line.strip_prefix("data:")).next_back().unwrap();
        let whole: Value = serde_json::from_str(last).unwrap();
        let whole = codec(OWN).read_reply(object(whole["response"].clone()), &Profile::GENUINE).unwrap();
        assert_eq!(sorted(&reply.choices[0].parts), sorted(&whole.choices[0].parts), "{name}");
        assert_eq!(reply.choices[0].stop, whole.choices[0].stop, "{name}");
        let again = read_stream(OWN, &Profile::GENUINE, [&*write_stream(OWN, events)]).unwrap();
        assert_well_formed(&again, name);
        assert_eq!(assemble(&again).choices, reply.choices, "{name}");
    }
}

/// Items that are told late (an MCP server's list, which no event closes) come last; thoughts are encrypted anew for
/// each event.
fn sorted(parts: &[Part]) -> Vec<String> {
    let mut parts = parts.to_vec();
    for part in &mut parts {
        if let Content::Thinking(Thinking { signature: Some(signature), .. }) = &mut part.content {
            signature.value.truncate(8);
        }
    }
    let mut all: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    all.sort();
    all
}

#[test]
fn items_of_the_model_are_one_turn_and_so_are_results() {
    let conversation = read(json!({ "model": "x", "instructions": "Be brief.", "input": [
        { "role": "developer", "content": "d" },
        { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "u" }] },
        { "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA" },
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
          "content": [{ "type": "output_text", "text": "a", "annotations": [] }] },
        { "type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}" },
        { "type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x" },
        { "type": "function_call_output", "call_id": "c1", "output": "1" },
        { "type": "custom_tool_call_output", "call_id": "c2", "output": [{ "type": "input_text", "text": "2" }] },
        { "role": "user", "content": "and?" },
    ]}));
    let shape: Vec<(Role, usize)> =
        conversation.turns.iter().map(|turn| (turn.role, turn.parts.len())).collect();
    assert_eq!(
        shape,
        [(Role::Developer, 1), (Role::User, 1), (Role::Assistant, 4), (Role::User, 2), (Role::User, 1)]
    );
    assert_eq!(conversation.system[0].as_text(), Some("Be brief."));
    let Content::Thinking(thinking) = &conversation.turns[2].parts[0].content else { panic!() };
    let signature = thinking.signature.clone().unwrap();
    assert_eq!(
        (signature.id.as_deref(), signature.origin, thinking.redacted),
        (Some("rs_1"), Origin::OpenAi, true)
    );
    let (body, _) = written(conversation);
    let kinds: Vec<&str> =
        body["input"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "message",
            "message",
            "reasoning",
            "message",
            "function_call",
            "custom_tool_call",
            "function_call_output",
            "custom_tool_call_output",
            "message"
        ]
    );
    assert_eq!(body["input"][4]["id"], "fc_1");
}

#[test]
fn settings_are_read() {
    let it = read(json!({
        "input": "hi", "stream": true, "max_output_tokens": 9, "temperature": 0.5, "top_p": 0.9, "top_logprobs": 3,
        "parallel_tool_calls": false, "store": false, "truncation": "disabled", "safety_identifier": "u",
        "include": ["reasoning.encrypted_content", "web_search_call.results"],
        "text": { "verbosity": "low", "format": { "type": "json_schema", "name": "n", "schema": { "type": "object" } } },
        "reasoning": { "effort": "high", "summary": "detailed", "context": "auto" },
        "tools": [{ "type": "function", "name": "f", "parameters": {}, "strict": true }, { "type": "web_search" },
            { "type": "custom", "name": "g", "format": { "type": "text" } }],
        "tool_choice": { "type": "allowed_tools", "mode": "required", "tools": [{ "type": "function", "name": "f" }] },
    }));
    assert_eq!(
        (it.sampling.max_output, it.sampling.logprobs, it.encrypted_reasoning),
        (Some(9), Some(3), true)
    );
    assert_eq!(it.tool_choice, Some(ToolChoice::Allowed { names: vec!["f".into()], required: true }));
    assert!(matches!(&it.tools[1], Tool::BuiltIn { kind, .. } if kind == "web_search"));
    assert_eq!(it.reasoning.as_ref().unwrap().show, Some(true));
    let carried: Vec<&str> = it.carry.keys().map(String::as_str).collect();
    assert_eq!(carried, ["_item", "reasoning", "include", "store"]);
    let (body, _) = written(it);
    assert_eq!(body["reasoning"], json!({ "context": "auto", "effort": "high", "summary": "detailed" }));
    assert_eq!(body["store"], false);
    let error = codec(OWN).read_request(object(json!({ "input": [{ "role": 1 }] })), &mut Notes::new(OWN));
    assert_eq!(error.unwrap_err().param(), Some("role"));
}

#[test]
fn callers_of_other_formats_get_what_openai_demands() {
    let mut it = said(vec![Turn::new(Role::User, vec![Part::text("hi"), Part::text("")])]);
    it.tools = vec![Tool::Function(super::super::FunctionTool { name: "f".into(), ..Default::default() })];
    it.reasoning =
        Some(super::super::Reasoning { budget: Some(2000), show: Some(true), ..Default::default() });
    it.sampling.max_output = Some(1);
    it.sampling.top_k = Some(4);
    it.sampling.stop = vec!["x".into()];
    let (body, dropped) = written(it);
    assert_eq!(body["store"], false);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(body["reasoning"], json!({ "effort": "medium", "summary": "auto" }));
    assert_eq!(body["tools"][0]["strict"], false);
    assert_eq!(body["tools"][0]["parameters"]["type"], "object");
    assert_eq!(body["max_output_tokens"], 16);
    assert_eq!(body["input"], json!([{ "type": "message", "role": "user", "content": "hi" }]));
    assert_eq!(dropped, ["top_k", "stop_sequences"]);
}

#[test]
fn only_the_providers_own_thoughts_go_back_to_it() {
    let thought = |origin, value: &str| {
        let signature = Some(Signature { origin, id: Some("rs_1".into()), value: value.into() });
        Part::new(Content::Thinking(Thinking { text: "t".into(), signature, redacted: false }))
    };
    let call = ToolCall { id: "c".into(), name: "f".into(), ..ToolCall::default() };
    let parts = vec![
        thought(Origin::Anthropic, "a"),
        thought(Origin::OpenAi, "b"),
        Part::new(Content::ToolCall(call)),
    ];
    let result = ToolResult {
        id: "c".into(),
        content: vec![Part::text("no such file")],
        is_error: true,
        ..ToolResult::default()
    };
    let answered = Turn::new(Role::User, vec![Part::new(Content::ToolResult(result)), Part::text("and?")]);
    let (body, dropped) = written(said(vec![Turn::new(Role::Assistant, parts), answered]));
    let wanted = json!([
        { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "t" }], "encrypted_content": "b" },
        { "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" },
        { "type": "function_call_output", "call_id": "c", "output": "Error: no such file" },
        { "type": "message", "role": "user", "content": "and?" },
    ]);
    assert_eq!(differences(&wanted, &body["input"]), Vec::<String>::new());
    assert_eq!(
        (dropped, &body["include"]),
        (vec!["thinking".to_owned()], &json!(["reasoning.encrypted_content"]))
    );
}

#[test]
fn media_are_sent_or_refused() {
    use super::super::{Media, Source};
    let media = |kind, mime: &str, source| {
        let media = Media { kind, mime: Some(mime.into()), source, name: None, detail: None };
        said(vec![Turn::new(Role::User, vec![Part::new(Content::Media(media))])])
    };
    let part = |it: Conversation| written(it).0["input"][0]["content"][0].clone();
    let image = part(media(MediaKind::Image, "image/gif", Source::Base64("AA==".into())));
    assert_eq!(
        image,
        json!({ "type": "input_image", "detail": "auto", "image_url": "data:image/gif;base64,AA==" })
    );
    let document = part(media(MediaKind::Document, "text/plain", Source::Text("hé".into())));
    assert_eq!(document["file_data"], "data:text/plain;base64,aMOp");
    assert_eq!(document["filename"], "document.txt");
    for (kind, source) in [
        (MediaKind::Audio, Source::Base64("AA==".into())),
        (MediaKind::Video, Source::Url("https://v".into())),
        (MediaKind::Image, Source::Url("gs://b/i".into())),
        (MediaKind::Document, Source::File("file_1".into())),
    ] {
        let error = refused(media(kind, "x/y", source));
        assert_eq!((error.status().as_u16(), error.code()), (400, Some("unsupported_content")), "{kind:?}");
    }
}

#[test]
fn an_answer_has_what_sdks_expect() {
    let mut to = caller();
    to.echo =
        object(json!({ "instructions": "i", "temperature": 0.3, "metadata": { "a": "b" }, "text": null }));
    let citation = Citation { url: Some("https://a".into()), ..Citation::default() };
    let content = Content::Text { text: "né".into(), citations: vec![citation], signature: None };
    let call = ToolCall {
        id: "c".into(),
        name: "f".into(),
        signature: Some(Signature::new(Origin::Google, "G")),
        ..ToolCall::default()
    };
    let reply = super::super::Reply {
        id: Some("msg_7".into()),
        choices: vec![super::super::Choice {
            parts: vec![Part::new(content), Part::text("!"), Part::new(Content::ToolCall(call))],
            stop: Stop::MaxTokens,
            ..Default::default()
        }],
        usage: Some(burncloud_core::Usage {
            input: 1,
            cached_read: 2,
            output: 3,
            reasoning: 4,
            ..Default::default()
        }),
        ..Default::default()
    };
    let body = codec(OWN).write_reply(reply, &to);
    assert_eq!((body["id"].as_str(), body["model"].as_str()), (Some("resp_msg_7"), Some("m")));
    assert_eq!((body["instructions"].as_str(), body["temperature"].as_f64()), (Some("i"), Some(0.3)));
    assert_eq!(body["incomplete_details"]["reason"], "max_output_tokens");
    let output = body["output"].as_array().unwrap();
    let kinds: Vec<&str> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "reasoning", "function_call"]);
    assert_eq!(output[0]["content"].as_array().unwrap().len(), 2);
    assert_eq!(output[0]["content"][0]["annotations"][0]["end_index"], 2);
    assert_eq!(output[1]["encrypted_content"], "bc1.google..G");
    assert_eq!(output[2]["arguments"], "{}");
    assert_eq!(
        body["usage"],
        json!({
            "input_tokens": 3, "input_tokens_details": { "cached_tokens": 2, "cache_write_tokens": 0 },
            "output_tokens": 7, "output_tokens_details": { "reasoning_tokens": 4 }, "total_tokens": 10,
        })
    );
}

#[test]
fn foreign_signatures_come_back_from_the_caller_as_they_went_out() {
    let thoughts = [
        Thinking {
            text: "t".into(),
            signature: Some(Signature::new(Origin::Anthropic, "s")),
            redacted: false,
        },
        Thinking {
            text: String::new(),
            signature: Some(Signature::new(Origin::Anthropic, "d")),
            redacted: true,
        },
        Thinking {
            text: String::new(),
            signature: Some(Signature::new(Origin::Anthropic, "e")),
            redacted: false,
        },
        Thinking {
            text: String::new(),
            signature: Some(Signature::new(Origin::Google, "g")),
            redacted: false,
        },
    ];
    let parts: Vec<Part> = thoughts.iter().cloned().map(Content::Thinking).map(Part::new).collect();
    let choice = super::super::Choice { parts, ..Default::default() };
    let reply = super::super::Reply { choices: vec![choice], ..Default::default() };
    let body = codec(OWN).write_reply(reply, &caller());
    let again = read(json!({ "input": body["output"] }));
    let again: Vec<&Content> = again.turns[0].parts.iter().map(|part| &part.content).collect();
    let wanted: Vec<Content> = thoughts.into_iter().map(Content::Thinking).collect();
    assert_eq!(again, wanted.iter().collect::<Vec<_>>());
}

/// What a caller's request becomes for another provider.
fn adapted(path: &str, body: Value, to: Format) -> Result<(String, Value, Vec<String>), Error> {
    let (endpoint, body) = (endpoint(path), bytes::Bytes::from(body.to_string()));
    let ask = burncloud_core::adapter::AdaptAsk {
        endpoint: &endpoint,
        path,
        query: None,
        headers: &http::HeaderMap::new(),
        body: &body,
        upstream_model: "up",
        model: "m",
        streamed: false,
        include_usage: true,
    };
    let adapted = super::super::adapt(&ask, to, &Profile::GENUINE)?;
    let dropped = adapted.dropped.into_iter().map(Into::into).collect();
    Ok((adapted.path, serde_json::from_slice(&adapted.body).unwrap(), dropped))
}

#[test]
fn what_only_the_callers_provider_keeps_is_refused_and_what_asks_for_nothing_is_no_loss() {
    for (name, value) in [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!({ "id": "conv_1" })),
        ("prompt", json!({ "id": "p" })),
        ("background", json!(true)),
    ] {
        for to in [Format::Chat, Format::Messages] {
            let error = adapted("/v1/responses", json!({ "input": "hi", name: value }), to).unwrap_err();
            assert_eq!((error.status().as_u16(), error.param()), (400, Some(name)));
        }
    }
    let reference = json!({ "input": [{ "type": "item_reference", "id": "msg_1" }] });
    assert_eq!(adapted("/v1/responses", reference, Format::Messages).unwrap_err().status().as_u16(), 400);
    let modest = json!({
        "store": false, "background": false, "truncation": "disabled", "previous_response_id": null,
        "include": ["reasoning.encrypted_content"],
        "input": [
            { "role": "user", "content": "hi" },
            { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "final_answer",
              "content": [{ "type": "output_text", "text": "ho", "annotations": [], "logprobs": [] }] },
            { "role": "user", "content": "and?" },
        ],
    });
    let (_, body, dropped) = adapted("/v1/responses", modest, Format::Messages).unwrap();
    assert_eq!(dropped, Vec::<String>::new(), "{body}");
}

#[test]
fn tokens_are_counted_by_the_providers_own_counter() {
    let hi = json!([{ "role": "user", "content": "hi" }]);
    let asked = json!({ "model": "m", "system": "s", "messages": hi });
    let (path, body, _) = adapted("/v1/messages/count_tokens", asked, OWN).unwrap();
    assert_eq!(path, "/v1/responses/input_tokens");
    let wanted = json!({ "model": "up", "instructions": "s",
        "input": [{ "type": "message", "role": "user", "content": "hi" }] });
    assert_eq!(body, wanted);
    let asked = json!({ "model": "m", "input": "hi" });
    let (path, body, _) = adapted("/v1/responses/input_tokens", asked.clone(), Format::Messages).unwrap();
    assert_eq!((path.as_str(), body.get("max_tokens")), ("/v1/messages/count_tokens", None));
    assert_eq!(body["messages"][0]["role"], "user");
    let (path, body, _) = adapted("/v1/responses/input_tokens", asked, Format::Gemini).unwrap();
    assert_eq!(path, "/v1beta/models/up:countTokens");
    assert_eq!(body["generateContentRequest"]["model"], "models/up");
    assert_eq!(body["generateContentRequest"]["contents"][0]["parts"][0]["text"], "hi");
}

fn stream(events: &[Value]) -> Result<Vec<Event>, Error> {
    let bytes: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    read_stream(OWN, &Profile::GENUINE, [bytes.as_bytes()])
}

#[test]
fn interleaved_items_are_told_one_after_the_other() {
    let call = |index: u64, arguments: &str| json!({ "type": "function_call", "call_id": format!("c{index}"), "name": "f", "arguments": arguments });
    let of = |kind: &str, index: u64, fields: Value| {
        let mut event = json!({ "type": kind, "output_index": index });
        event.as_object_mut().unwrap().extend(object(fields));
        event
    };
    let events = stream(&[
        json!({ "type": "response.created", "response": { "id": "r", "model": "x" } }),
        of("response.output_item.added", 0, json!({ "item": call(0, "") })),
        of("response.output_item.added", 1, json!({ "item": call(1, "") })),
        of("response.function_call_arguments.delta", 1, json!({ "delta": "{\"b\":" })),
        of("response.function_call_arguments.delta", 0, json!({ "delta": "{}" })),
        of("response.future_event", 0, json!({})),
        of("response.output_item.done", 1, json!({ "item": call(1, "{\"b\":1}") })),
        of("response.output_item.done", 0, json!({ "item": call(0, "{}") })),
        json!({ "type": "response.completed", "response": { "output": [call(0, "{}"), call(1, "{\"b\":1}")] } }),
    ])
    .unwrap();
    assert_well_formed(&events, "interleaved");
    let reply = assemble(&events);
    let arguments: Vec<&str> = reply.choices[0]
        .parts
        .iter()
        .map(|part| match &part.content {
            Content::ToolCall(call) => call.arguments.as_str(),
            _ => "",
        })
        .collect();
    assert_eq!((arguments, reply.choices[0].stop), (vec!["{}", "{\"b\":1}"], Stop::ToolCalls));
}

#[test]
fn every_way_to_fail_is_a_failure() {
    let created = json!({ "type": "response.created", "response": {} });
    for failed in [
        json!({ "type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": null }),
        json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "slow down" } }),
        json!({ "type": "response.failed", "response": { "error": { "code": "rate_limit_exceeded", "message": "slow down" } } }),
        json!({ "error": { "code": "rate_limit_exceeded", "message": "slow down" } }),
    ] {
        let events = stream(&[created.clone(), failed.clone()]).unwrap();
        let Some(Event::Failed(failure)) = events.last() else { panic!("{failed}") };
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (super::super::FailureKind::RateLimited, "slow down")
        );
        let out = write_stream(OWN, events);
        let out = String::from_utf8_lossy(&out);
        assert!(out.contains("event: response.failed\n") && out.contains("event: error\n"), "{out}");
    }
    assert_eq!(stream(&[created]).unwrap_err().status().as_u16(), 502);
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,40}", pick in 0_usize..10, number in any::<i64>()) {
        let odd = [json!(text), json!(number), json!([number]), json!({ text.as_str(): number }), json!(null)];
        let odd = &odd[pick % odd.len()];
        let item = json!({ "type": (["message", "reasoning", "function_call", "x"])[pick % 4], "role": "assistant",
            "content": odd, "summary": [odd], "call_id": odd, "output": odd });
        let codec = codec(OWN);
        for body in [
            json!({ "input": odd, "tools": [odd], "tool_choice": odd, "text": { "format": odd }, "reasoning": odd }),
            json!({ "input": [item], "include": odd }),
        ] {
            let _ = codec.read_request(object(body.clone()), &mut Notes::new(OWN));
            let _ = codec.read_reply(object(json!({ "output": body["input"], "usage": odd })), &Profile::GENUINE);
        }
        let kinds = ["response.created", "response.output_item.added", "response.output_item.done",
            "response.output_text.delta", "response.content_part.done", "response.completed", "error", "x"];
        let _ = stream(&[json!({ "type": kinds[pick % kinds.len()], "item": odd, "response": odd, "part": odd,
            "delta": odd, "output_index": odd })]);
        let _ = read_stream(OWN, &Profile::GENUINE, [text.as_bytes()]);
    }
}

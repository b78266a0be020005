use super::super::test_kit::{
    Recording, assemble, assert_well_formed, caller, differences, read_stream, recordings, rewrite_request,
    write_stream,
};
use super::super::{
    Block, CacheMark, CallKind, Choice, Content, Delta, Event, Format, FunctionTool, Media, MediaKind, Notes,
    Origin, Part, Profile, Reasoning, Reply, Role, Signature, Source, Start, Stop, Target, Thinking, Tool,
    ToolCall, ToolChoice, ToolResult, Turn, Wire, sse,
};
use super::*;
use crate::anthropic::Anthropic;
use crate::translate::{Citation, Effort, Output};
use burncloud_core::Usage;
use burncloud_core::adapter::{Adapter, AnswerHead};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::json;

const FORMAT: Format = Format::Messages;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A conversation of a chat caller's, written for a model.
fn write_for(model: &str, conversation: Conversation) -> Result<(Value, Vec<String>), Error> {
    let mut notes = Notes::new(Format::Chat);
    let target = Target { model, streamed: false, profile: &Profile::GENUINE };
    let written = Messages.write_request(conversation, &target, &mut notes)?;
    Ok((written, notes.into_dropped().into_iter().map(Into::into).collect()))
}

fn asking(parts: Vec<Part>) -> Conversation {
    Conversation { turns: vec![Turn::new(Role::User, parts)], ..Conversation::default() }
}

fn picture(mime: Option<&str>, source: Source) -> Part {
    let mime = mime.map(str::to_owned);
    Part::new(Content::Media(Media { kind: MediaKind::Image, mime, source, name: None, detail: None }))
}

// === Requests ===

/// Spellings that mean the same, one of them chosen:
/// a text and a list of one text block; `model` (the target's is written); `stream: false`; a mark of caching for five
/// minutes with and without its `ttl`; top-level `cache_control` and the same mark on the last block; `is_error: false`;
/// `type: custom` of a tool; a call's `caller` that is the model itself; `output_format` of old and
/// `output_config.format`; an empty list; white space at the end of a begun answer; texts that are empty, which are
/// refused.
fn normal(mut body: Value) -> Value {
    let automatic = body.as_object_mut().unwrap().remove("cache_control");
    body["model"] = json!("m");
    if body["stream"] == false {
        body["stream"] = Value::Null;
    }
    if let Some(format) = body.as_object_mut().unwrap().remove("output_format") {
        body["output_config"] = json!({"format": format});
    }
    for message in body["messages"].as_array_mut().unwrap() {
        as_blocks(&mut message["content"]);
    }
    if let (Some(mark), Some(last)) = (automatic, body["messages"].as_array_mut().unwrap().last_mut()) {
        let last = last["content"].as_array_mut().unwrap().last_mut().unwrap();
        last["cache_control"] = mark;
    }
    if body.get("system").is_some() {
        as_blocks(&mut body["system"]);
    }
    for tool in body.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if tool["type"] == "custom" {
            tool["type"] = Value::Null;
        }
    }
    let trim = body["messages"].as_array_mut().unwrap().last_mut().filter(|last| last["role"] == "assistant");
    if let Some(Value::String(text)) = trim.and_then(|last| last.pointer_mut("/content/0/text")) {
        text.truncate(text.trim_end().len());
    }
    each(&mut body);
    body
}

fn as_blocks(content: &mut Value) {
    if let Value::String(text) = content {
        *content = json!([{"type": "text", "text": text}]);
    }
    for block in content.as_array_mut().into_iter().flatten() {
        if block["type"] == "tool_result" {
            as_blocks(&mut block["content"]);
        }
    }
    if let Value::Array(blocks) = content {
        blocks.retain(|block| block["type"] != "text" || !block["text"].as_str().unwrap().trim().is_empty());
    }
}

fn each(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("ttl") == Some(&json!("5m")) {
                object.remove("ttl");
            }
            object.retain(|name, value| match name.as_str() {
                "is_error" => *value != false,
                "caller" => *value != json!({"type": "direct"}),
                "citations" | "content" => *value != json!([]),
                _ => true,
            });
            object.values_mut().for_each(each);
        }
        Value::Array(items) => items.iter_mut().for_each(each),
        _ => {}
    }
}

#[test]
fn every_recorded_request_says_the_same_again() {
    let mut count = 0;
    for recording in recordings(&["anthropic"], &["messages"]) {
        let Some(body) = recording.request.filter(|_| recording.status == 200) else { continue };
        let (written, dropped) = rewrite_request(body.clone(), FORMAT, FORMAT).unwrap();
        let found = differences(&normal(Value::Object(body)), &normal(written));
        assert!(found.is_empty(), "{}: {found:#?}", recording.name);
        assert!(dropped.is_empty(), "{}: {dropped:?}", recording.name);
        count += 1;
    }
    assert!(count == 0 || count > 100, "only {count}");
}

#[test]
fn a_request_is_read_into_what_all_formats_know() {
    let body = json!({
        "model": "m", "max_tokens": 5, "stream": true, "anthropic_version": "2026-10-21",
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "EqQ"},
                {"type": "thinking", "thinking": "", "signature": "bc1.google..AbC"},
                {"type": "redacted_thinking", "data": "EmQ"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}, "caller": {"type": "direct"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "7", "is_error": true},
                {"type": "search_result", "source": "https://a", "title": "A", "content": [{"type": "text", "text": "b"}]},
                {"type": "document", "title": "D", "source": {"type": "content", "content": [{"type": "text", "text": "c"}]}},
            ]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}, "task_budget": 1},
        "metadata": {"user_id": "u"}, "service_tier": "standard_only", "speed": "fast",
    });
    let read = Messages.read_request(object(body), &mut Notes::new(FORMAT)).unwrap();
    assert_eq!(read.system[0].cache, Some(CacheMark::Default));
    let thoughts: Vec<_> = read.turns[1].parts[..3]
        .iter()
        .map(|part| match &part.content {
            Content::Thinking(it) => (it.text.as_str(), it.signature.as_ref().unwrap().origin, it.redacted),
            other => panic!("{other:?}"),
        })
        .collect();
    let expect =
        [("hm", Origin::Anthropic, false), ("", Origin::Google, false), ("", Origin::Anthropic, true)];
    assert_eq!(thoughts, expect);
    let last = &read.turns[2].parts;
    assert!(matches!(&last[0].content, Content::ToolResult(it) if it.is_error && it.text() == "7"));
    for (part, text) in last[1..].iter().zip(["b", "c"]) {
        assert!(
            matches!(&part.content, Content::Media(it) if it.source == Source::Text(text.into())),
            "{part:?}"
        );
    }
    assert_eq!(last[2].cache, Some(CacheMark::Hour));
    assert!(matches!(&read.tools[1], Tool::BuiltIn { kind, .. } if kind == "web_search_20250305"));
    assert_eq!((read.tool_choice, read.parallel_tools), (Some(ToolChoice::Required), Some(false)));
    let reasoning =
        Reasoning { effort: Some(Effort::Low), budget: Some(2000), show: Some(false), adaptive: false };
    assert_eq!(read.reasoning, Some(reasoning));
    assert!(matches!(read.output, Output::Schema { .. }));
    assert_eq!((read.user.as_deref(), read.service_tier.as_deref()), (Some("u"), Some("default")));
    assert_eq!(Value::Object(read.carry), json!({"speed": "fast", "output_config": {"task_budget": 1}}));
}

#[test]
fn a_wrong_type_is_the_callers_fault() {
    for body in [
        json!({"messages": [{"role": "user", "content": 1}]}),
        json!({"messages": [{"role": "user"}]}),
        json!({"messages": [{"role": "robot", "content": "a"}]}),
        json!({"messages": [{"role": "user", "content": [{"text": "a"}]}]}),
        json!({"messages": [], "thinking": {"type": 1}}),
        json!({"messages": [], "output_config": {"effort": "huge"}}),
        json!({"messages": [], "tool_choice": {"type": "maybe"}}),
    ] {
        let error = Messages.read_request(object(body.clone()), &mut Notes::new(FORMAT)).unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{body}");
    }
}

#[test]
fn a_callers_settings_find_their_place_or_are_recorded() {
    let mut it = asking(vec![Part::text("Hi")]);
    it.system = vec![Part::text("be brief")];
    it.sampling.temperature = Some(1.5);
    it.sampling.seed = Some(1);
    it.sampling.presence_penalty = Some(0.0);
    it.sampling.stop = vec!["x".into()];
    it.user = Some("u".into());
    it.service_tier = Some("flex".into());
    it.parallel_tools = Some(false);
    it.tools = vec![Tool::Function(FunctionTool {
        name: "f".into(),
        strict: Some(true),
        schema: Some(json!({"type": "object", "properties": {}})),
        ..FunctionTool::default()
    })];
    let (body, dropped) = write_for("claude-sonnet-4-5", it).unwrap();
    let expect = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 64000, "system": "be brief",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"name": "f", "strict": true,
            "input_schema": {"type": "object", "properties": {}, "additionalProperties": false}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "temperature": 1.0, "stop_sequences": ["x"], "metadata": {"user_id": "u"},
    });
    assert_eq!(body, expect);
    assert_eq!(dropped, ["seed", "service_tier"]);
    let mut it = asking(vec![Part::text("Hi")]);
    it.sampling.answers = Some(2);
    assert_eq!(write_for("m", it).unwrap_err().param(), Some("n"));
}

#[test]
fn a_forced_tool_and_a_budget_do_not_go_together() {
    let mut it = asking(vec![Part::text("Hi")]);
    it.tools = ["f", "g"]
        .map(|name| Tool::Function(FunctionTool { name: name.into(), ..FunctionTool::default() }))
        .into();
    it.tool_choice = Some(ToolChoice::Allowed { names: vec!["g".into()], required: true });
    it.reasoning = Some(Reasoning::of_effort(Effort::Low));
    let (body, dropped) = write_for("claude-sonnet-4-5", it.clone()).unwrap();
    assert_eq!(
        (&body["tool_choice"], body["tools"].as_array().unwrap().len()),
        (&json!({"type": "auto"}), 1)
    );
    assert_eq!(dropped, ["tool_choice"]);
    let (body, dropped) = write_for("claude-opus-4-6", it).unwrap();
    assert_eq!((&body["tool_choice"], dropped.len()), (&json!({"type": "any"}), 0));
    assert_eq!(body["output_config"], json!({"effort": "low"}));
}

#[test]
fn an_output_that_cannot_be_enforced_is_asked_for_in_words() {
    let schema = |model| {
        let mut it = asking(vec![Part::text("Hi")]);
        let schema = json!({"type": "object", "properties": {}});
        it.output = Output::Schema { name: Some("n".into()), description: None, schema, strict: Some(true) };
        write_for(model, it).unwrap()
    };
    let (body, dropped) = schema("claude-opus-4-5");
    assert_eq!(body["output_config"]["format"]["schema"]["additionalProperties"], false);
    assert_eq!((body.get("system"), dropped.len()), (None, 0));
    let (body, dropped) = schema("claude-3-haiku-20240307");
    assert!(body["system"].as_str().unwrap().ends_with(r#"{"type":"object","properties":{}}"#));
    assert_eq!(dropped, ["response_format"]);
    let mut it = asking(vec![Part::text("Hi")]);
    it.output = Output::Json;
    let (body, dropped) = write_for("claude-opus-5", it).unwrap();
    assert_eq!(
        (&body["system"], dropped),
        (&json!("Answer with one JSON object and nothing else."), vec!["response_format".into()])
    );
}

#[test]
fn thoughts_go_to_whom_they_came_from() {
    let thought = |origin| {
        let signature = Some(Signature::new(origin, "S"));
        Part::new(Content::Thinking(Thinking { text: "t".into(), signature, redacted: false }))
    };
    let mut it = asking(vec![Part::text("Hi")]);
    let unsigned = Part::new(Content::Thinking(Thinking { text: "t".into(), ..Thinking::default() }));
    let call = ToolCall {
        id: "functions.f:0".into(),
        name: "f".into(),
        arguments: "7".into(),
        ..ToolCall::default()
    };
    let parts = vec![
        thought(Origin::Anthropic),
        thought(Origin::Google),
        unsigned,
        Part::new(Content::ToolCall(call)),
    ];
    it.turns.push(Turn::new(Role::Assistant, parts));
    let result =
        ToolResult { id: "functions.f:0".into(), content: vec![Part::text("8")], ..ToolResult::default() };
    it.turns.push(Turn::new(Role::User, vec![Part::text("so"), Part::new(Content::ToolResult(result))]));
    let (body, dropped) = write_for("claude-sonnet-4-5", it).unwrap();
    let expect = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "t", "signature": "S"},
            {"type": "tool_use", "id": "functions_f_0", "name": "f", "input": {"input": 7}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "functions_f_0", "content": "8"},
            {"type": "text", "text": "so"},
        ]},
    ]);
    assert_eq!(body["messages"], expect);
    // A history with calls is refused without tools.
    assert_eq!(body["tools"], json!([{"name": "f", "input_schema": {"type": "object", "properties": {}}}]));
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
    assert_eq!(dropped, ["reasoning_details"]);
}

#[test]
fn media_are_written_or_refused_and_never_left_out() {
    let written = |part| {
        write_for("claude-opus-5", asking(vec![part]))
            .map(|(body, _)| body["messages"][0]["content"][0].clone())
    };
    let png = written(picture(None, Source::Base64("iVBORw0KGgo=".into()))).unwrap();
    assert_eq!(png["source"], json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}));
    let url = written(picture(None, Source::Url("https://a/b.png".into()))).unwrap();
    assert_eq!(url["source"], json!({"type": "url", "url": "https://a/b.png"}));
    let file = |mime: &str, data: &str| {
        let media = Media {
            kind: MediaKind::Document,
            mime: Some(mime.into()),
            source: Source::Base64(data.into()),
            name: Some("n".into()),
            detail: None,
        };
        written(Part::new(Content::Media(media)))
    };
    let expect = json!({"type": "document", "title": "n", "source": {"type": "text", "media_type": "text/plain", "data": "a,b"}});
    assert_eq!(file("text/csv", "YSxi").unwrap(), expect);
    assert_eq!(file("application/pdf", "JVBERi0=").unwrap()["source"]["media_type"], "application/pdf");
    for refused in [
        file("application/zip", "AAAA"),
        file("text/plain", "not base64!"),
        written(picture(Some("image/tiff"), Source::Base64("AAAA".into()))),
        written(picture(None, Source::Url("gs://a/b".into()))),
        written(picture(None, Source::File("file-1".into()))),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(
            (error.status(), error.code()),
            (StatusCode::BAD_REQUEST, Some("unsupported_content")),
            "{error}"
        );
    }
}

#[test]
fn a_name_that_the_provider_refuses_is_refused() {
    let mut it = asking(vec![Part::text("Hi")]);
    it.tools = vec![Tool::Function(FunctionTool { name: "a.b".into(), ..FunctionTool::default() })];
    let error = write_for("claude-opus-5", it).unwrap_err();
    assert!(error.to_string().contains("`a.b`"), "{error}");
}

// === Answers ===

fn billed(recording: &Recording) -> Option<Usage> {
    let endpoint = crate::testing::endpoint("/v1/messages");
    let headers = HeaderMap::new();
    let head = AnswerHead { status: StatusCode::OK, headers: &headers, streamed: recording.streamed };
    let mut reader = Anthropic::new().usage_reader(&endpoint, &head);
    reader.data(&recording.response.clone().into());
    // That code ran stands beside the report, and no format tells it to a caller.
    reader.finish().usage.map(|usage| Usage { code_sessions: 0, ..usage })
}

fn read_reply(body: &[u8]) -> Reply {
    Messages.read_reply(serde_json::from_slice(body).unwrap(), &Profile::GENUINE).unwrap()
}

/// What an answer keeps of itself when it is written and read again: all but the model's name (the caller's is
/// written) and its service tier's word (one of those that callers know is).
fn essence(mut reply: Reply) -> Reply {
    reply.model = None;
    reply.service_tier = None;
    for choice in &mut reply.choices {
        choice.parts.retain(|part| part.as_text() != Some(""));
        for part in &mut choice.parts {
            // Arguments are the same JSON, however spaced.
            if let Content::ToolCall(call) = &mut part.content {
                call.arguments = Value::Object(call.object()).to_string();
            }
        }
    }
    if let Some(usage) = &mut reply.usage {
        usage.tier = burncloud_core::ServiceTier::Standard;
        // Searches are charged for, and no format tells them to a caller.
        usage.web_searches = 0;
    }
    reply
}

#[test]
fn every_recorded_answer_says_the_same_again() {
    let mut count = 0;
    for recording in recordings(&["anthropic", "vertex", "bedrock"], &["messages", "rawPredict", "invoke"]) {
        if recording.status != 200 || recording.streamed || !recording.response.starts_with(b"{") {
            continue;
        }
        let body: Value = serde_json::from_slice(&recording.response).unwrap();
        if body["type"] != "message" {
            continue;
        }
        let reply = read_reply(&recording.response);
        if recording.provider == "anthropic" {
            assert_eq!(reply.usage, billed(&recording), "{}", recording.name);
        }
        let written = Messages.write_reply(reply.clone(), &caller());
        let mut content = json!({"content": body["content"]});
        let mut again = json!({"content": written["content"]});
        each(&mut content);
        each(&mut again);
        let found = differences(&content, &again);
        assert!(found.is_empty(), "{}: {found:#?}", recording.name);
        for name in ["id", "stop_reason", "stop_sequence", "type", "role"] {
            assert_eq!(written[name], body[name], "{}: {name}", recording.name);
        }
        assert_eq!(essence(read_reply(written.to_string().as_bytes())), essence(reply), "{}", recording.name);
        count += 1;
    }
    assert!(count == 0 || count > 80, "only {count}");
}

#[test]
fn every_recorded_stream_is_read_however_it_is_cut_and_written_again() {
    let mut count = 0;
    for recording in recordings(&["anthropic", "vertex"], &["messages", "streamRawPredict"]) {
        if recording.status != 200 || !recording.streamed {
            continue;
        }
        let name = &recording.name;
        let bytes = recording.response.as_slice();
        let events = read_stream(FORMAT, &Profile::GENUINE, [bytes]).unwrap();
        assert_well_formed(&events, name);
        for size in [1, 7, 61] {
            let cut = read_stream(FORMAT, &Profile::GENUINE, bytes.chunks(size)).unwrap();
            assert!(cut == events, "{name}: cut into {size}");
        }
        let reply = assemble(&events);
        assert_says(&reply, bytes, name);
        if recording.provider == "anthropic" {
            assert_eq!(reply.usage, billed(&recording), "{name}");
        }
        let written = write_stream(FORMAT, events);
        let again = read_stream(FORMAT, &Profile::GENUINE, [written.as_ref()]).unwrap();
        assert_well_formed(&again, name);
        assert_eq!(essence(assemble(&again)), essence(reply), "{name}");
        count += 1;
    }
    assert!(count == 0 || count > 40, "only {count}");
}

/// The reply has the texts, thoughts, calls and end that stand in the stream.
fn assert_says(reply: &Reply, stream: &[u8], name: &str) {
    let (mut text, mut thoughts, mut calls, mut stop) =
        (String::new(), String::new(), Vec::new(), Value::Null);
    let mut decoder = sse::Decoder::default();
    let mut each = |_: &str, data: &[u8]| {
        let event: Value = serde_json::from_slice(data).unwrap();
        text.push_str(event.pointer("/delta/text").and_then(Value::as_str).unwrap_or_default());
        thoughts.push_str(event.pointer("/delta/thinking").and_then(Value::as_str).unwrap_or_default());
        if event.pointer("/content_block/type") == Some(&json!("tool_use")) {
            calls.push(event["content_block"]["id"].clone());
        }
        if let Some(reason) = event.pointer("/delta/stop_reason") {
            stop = reason.clone();
        }
        Ok(())
    };
    decoder.push(stream, &mut each).unwrap();
    decoder.finish(&mut each).unwrap();
    let (mut said, mut thought, mut called) = (String::new(), String::new(), Vec::new());
    for part in &reply.choices[0].parts {
        match &part.content {
            Content::Text { text, .. } => said.push_str(text),
            Content::Thinking(it) => thought.push_str(&it.text),
            Content::ToolCall(call) => called.push(json!(call.id)),
            _ => {}
        }
    }
    assert_eq!((said, thought, called), (text, thoughts, calls), "{name}");
    assert_eq!(reply::write_stop(reply.choices[0].stop), stop, "{name}");
}

fn foreign() -> Reply {
    let signature = || Some(Signature::new(Origin::Google, "AbC"));
    let call = |id: &str, signature| {
        let arguments = r#"{"a": "é"}"#.into();
        Content::ToolCall(ToolCall {
            id: id.into(),
            name: "f".into(),
            arguments,
            kind: CallKind::Function,
            signature,
        })
    };
    let openai = Signature { origin: Origin::OpenAi, id: Some("rs_1".into()), value: "gA".into() };
    let page = Citation { url: Some("https://a".into()), title: Some("A".into()), ..Citation::default() };
    let text = Content::Text { text: "hello".into(), citations: vec![page], signature: None };
    let contents = [
        Content::Thinking(Thinking { text: "hm".into(), signature: Some(openai.clone()), redacted: false }),
        Content::Thinking(Thinking { text: String::new(), signature: Some(openai), redacted: true }),
        text,
        call("c1", signature()),
        call("c2", None),
    ];
    Reply {
        id: Some("chatcmpl-1".into()),
        choices: vec![Choice {
            parts: contents.into_iter().map(Part::new).collect(),
            stop: Stop::ToolCalls,
            ..Choice::default()
        }],
        usage: Some(Usage {
            input: 5,
            cached_read: 2,
            audio_in: 1,
            output: 3,
            reasoning: 4,
            ..Usage::default()
        }),
        ..Reply::default()
    }
}

#[test]
fn an_answer_of_somebody_elses_keeps_its_signatures() {
    let written = Messages.write_reply(foreign(), &caller());
    let expect = json!({
        "id": "msg_chatcmpl-1", "type": "message", "role": "assistant", "model": "m",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "bc1.openai.rs_1.gA"},
            {"type": "redacted_thinking", "data": "bc1.openai.rs_1.gA"},
            {"type": "text", "text": "hello", "citations": [{"type": "web_search_result_location", "url": "https://a",
                "title": "A", "cited_text": "", "encrypted_index": ""}]},
            {"type": "thinking", "thinking": "", "signature": "bc1.google..AbC"},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": "é"}},
            {"type": "tool_use", "id": "c2", "name": "f", "input": {"a": "é"}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null, "stop_details": null,
        "usage": {"input_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 7, "service_tier": "standard", "output_tokens_details": {"thinking_tokens": 4}},
    });
    assert_eq!(written, expect);
    let streamed = write_stream(FORMAT, foreign().into_events());
    let events = read_stream(FORMAT, &Profile::GENUINE, [streamed.as_ref()]).unwrap();
    assert_well_formed(&events, "foreign");
    let again = Messages.write_reply(assemble(&events), &caller());
    assert_eq!(again, expect);
}

#[test]
fn the_stream_has_the_order_of_the_real_one() {
    let signed = vec![
        Event::Start(Start { id: Some("msg_1".into()), ..Start::default() }),
        Event::Open { choice: 0, block: Block::Text },
        Event::Delta { choice: 0, delta: Delta::Text("a\"b".into()) },
        Event::Delta { choice: 0, delta: Delta::Signature(Signature::new(Origin::Google, "S")) },
        Event::Close { choice: 0 },
        Event::Open { choice: 0, block: Block::Text },
        Event::Delta { choice: 0, delta: Delta::Signature(Signature::new(Origin::Google, "T")) },
        Event::Close { choice: 0 },
        Event::Usage(Usage { input: 3, output: 4, ..Usage::default() }),
        Event::Stop { choice: 0, stop: Stop::Sequence, sequence: Some("x".into()) },
        Event::End,
    ];
    let written = write_stream(FORMAT, signed);
    let mut seen = Vec::new();
    let mut each = |name: &str, data: &[u8]| {
        let event: Value = serde_json::from_slice(data).unwrap();
        assert_eq!(event["type"], name);
        seen.push((name.to_owned(), event));
        Ok(())
    };
    sse::Decoder::default().push(&written, &mut each).unwrap();
    let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
    let block = ["content_block_start", "content_block_delta", "content_block_stop"];
    let expect =
        [&["message_start"][..], &block, &block, &block, &["message_delta", "message_stop"]].concat();
    assert_eq!(names, expect);
    let indices: Vec<_> = seen.iter().filter_map(|(_, event)| event.get("index")?.as_u64()).collect();
    assert_eq!(indices, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    assert_eq!(seen[2].1["delta"], json!({"type": "text_delta", "text": "a\"b"}));
    assert_eq!(seen[5].1["delta"], json!({"type": "signature_delta", "signature": "bc1.google..S"}));
    let end = &seen[10].1;
    assert_eq!(end["delta"]["stop_sequence"], "x");
    assert_eq!((&end["usage"]["input_tokens"], &end["usage"]["output_tokens"]), (&json!(3), &json!(4)));
}

#[test]
fn a_provider_that_fails_or_stops_midway_is_no_success() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}\n\n";
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Full\"}}\n\n";
    let events =
        read_stream(FORMAT, &Profile::GENUINE, [start.as_bytes(), error.as_bytes(), start.as_bytes()])
            .unwrap();
    assert_well_formed(&events, "failed");
    let written = write_stream(FORMAT, events);
    assert!(written.ends_with(
        b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Full\"}}\n\n"
    ));
    let cut = read_stream(FORMAT, &Profile::GENUINE, [start.as_bytes()]).unwrap_err();
    assert_eq!(cut.status(), StatusCode::BAD_GATEWAY);
}

#[test]
fn what_is_lenient_about_a_stream() {
    // No event names, no block start, no stop of a block, no stop reason.
    let lines = [
        r#"{"type":"message_start","message":{}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"x":1}}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let stream: String = lines.iter().map(|line| format!("data: {line}\n\n")).collect();
    let events = read_stream(FORMAT, &Profile::GENUINE, [stream.as_bytes()]).unwrap();
    assert_well_formed(&events, "lenient");
    let parts = assemble(&events).choices.remove(0).parts;
    assert_eq!(parts[0].as_text(), Some("a"));
    assert!(matches!(&parts[1].content, Content::ToolCall(call) if call.arguments == r#"{"x":1}"#));
}

// === Anything at all ===

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "type",
        "text",
        "content",
        "role",
        "user",
        "assistant",
        "messages",
        "system",
        "tools",
        "tool_use",
        "tool_result",
        "thinking",
        "image",
        "document",
        "source",
        "base64",
        "data",
        "delta",
        "message",
        "usage",
        "content_block",
        "id",
        "name",
        "input",
        "cache_control",
        "citations",
        "search_result",
        "stop_reason",
        "output_config",
        "tool_choice",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|n| json!(n)),
        words.clone().prop_map(|word| json!(word)),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_the_readers_panic(value in any_json()) {
        let Value::Object(body) = value else { return Ok(()) };
        if let Ok(conversation) = Messages.read_request(body.clone(), &mut Notes::new(FORMAT)) {
            let _ = write_for("claude-opus-4-5", conversation);
        }
        if let Ok(reply) = Messages.read_reply(body, &Profile::GENUINE) {
            Messages.write_reply(reply, &caller());
        }
    }

    #[test]
    fn nothing_makes_the_stream_reader_panic(events in prop::collection::vec((any::<u8>(), any_json(), any::<bool>()), 0..12)) {
        const NAMES: [&str; 8] = ["", "message_start", "content_block_start", "content_block_delta", "content_block_stop",
            "message_delta", "message_stop", "error"];
        let mut reader = Messages.stream_reader(&Profile::GENUINE);
        let mut out = Vec::new();
        for (name, value, broken) in events {
            let mut data = value.to_string();
            if broken { data.pop(); }
            let name = NAMES[usize::from(name) % NAMES.len()];
            let _ = reader.read(Wire { name, data: data.as_bytes(), exception: false }, &mut out);
        }
        let _ = reader.finish(&mut out);
        write_stream(FORMAT, out);
    }
}

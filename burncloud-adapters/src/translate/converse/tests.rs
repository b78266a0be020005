use super::super::test_kit::{
    Recording, assemble, assert_well_formed, caller, differences, read_stream, recordings, write_stream,
};
use super::super::{
    Block, CacheMark, CallKind, Choice, Content, Delta, Effort, Event, Failure, FailureKind, Format,
    FunctionTool, Media, MediaKind, Notes, Origin, Output, Part, Profile, Reasoning, Reply, Role, Signature,
    Source, Start, Stop, Target, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn, Wire,
};
use super::*;
use crate::bedrock::Bedrock;
use crate::wire::event_stream::{Decoder, Kind, encode_event, encode_exception};
use burncloud_core::adapter::{Adapter, AnswerHead};
use burncloud_core::{ServiceTier, Usage};
use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::json;

const FORMAT: Format = Format::Converse;
const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA: &str = "us.amazon.nova-2-lite-v1:0";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn write_for(model: &str, conversation: Conversation, from: Format) -> Result<(Value, Vec<String>), Error> {
    let mut notes = Notes::new(from);
    let target = Target { model, streamed: false, profile: &Profile::GENUINE };
    let written = Converse.write_request(conversation, &target, &mut notes)?;
    Ok((written, notes.into_dropped().into_iter().map(Into::into).collect()))
}

fn asking(parts: Vec<Part>) -> Conversation {
    Conversation { turns: vec![Turn::new(Role::User, parts)], ..Conversation::default() }
}

fn function(name: &str) -> Tool {
    Tool::Function(FunctionTool { name: name.into(), ..FunctionTool::default() })
}

// === Requests ===

/// Spellings that mean the same, one of them chosen: a result's JSON and the same as text; `status: success` and none; a
/// schema's JSON, however spaced; `reasoning_config` and `thinking`; objects and lists that are empty; turns of one role in a row;
/// texts that are empty, which are refused.
fn normal(mut body: Value) -> Value {
    let body_map = body.as_object_mut().unwrap();
    if let Some(Value::Object(inference)) = body_map.get_mut("inferenceConfig") {
        inference.retain(|_, value| *value != json!([]));
    }
    body_map.retain(|_, value| *value != json!({}) && *value != json!([]));
    if let Some(more) = body.get_mut("additionalModelRequestFields").and_then(Value::as_object_mut)
        && more.get("reasoning_config").is_some_and(Value::is_object)
    {
        let thinking = more.remove("reasoning_config").unwrap();
        more.insert("thinking".into(), thinking);
    }
    if let Some(Value::String(schema)) =
        body.pointer_mut("/outputConfig/textFormat/structure/jsonSchema/schema")
    {
        *schema = serde_json::from_str::<Value>(schema).unwrap().to_string();
    }
    let mut turns: Vec<Value> = Vec::new();
    for mut turn in std::mem::take(body["messages"].as_array_mut().unwrap()) {
        turn["content"].as_array_mut().unwrap().iter_mut().for_each(normal_block);
        turn["content"]
            .as_array_mut()
            .unwrap()
            .retain(|it| it["text"].as_str().is_none_or(|it| !it.trim().is_empty()));
        match turns.last_mut().filter(|last| last["role"] == turn["role"]) {
            Some(last) => {
                last["content"].as_array_mut().unwrap().extend(turn["content"].as_array().unwrap().clone())
            }
            None => turns.push(turn),
        }
    }
    body["messages"] = Value::Array(turns);
    body
}

fn normal_block(block: &mut Value) {
    if block["toolUse"]["type"] == "tool_use" {
        block["toolUse"]["type"] = Value::Null;
    }
    let Some(result) = block.get_mut("toolResult") else { return };
    if result["status"] == "success" && result.get("type").is_none() {
        result["status"] = Value::Null;
    }
    let plain = result.get("type").is_none();
    for item in result["content"].as_array_mut().unwrap() {
        if plain && let Some(json) = item.get("json") {
            *item = json!({"text": json.to_string()});
        }
    }
}

/// A model whose maker takes these fields: the recordings' bodies do not name it.
fn model_for(body: &Value) -> &'static str {
    let more = &body["additionalModelRequestFields"];
    if more.get("reasoning_effort").is_some() {
        "openai.gpt-oss-120b-1:0"
    } else if more["reasoning_config"].is_string() {
        "qwen.qwen3-32b-v1:0"
    } else if more.get("reasoningConfig").is_some() || more.get("inferenceConfig").is_some() {
        NOVA
    } else {
        CLAUDE
    }
}

#[test]
fn every_recorded_request_says_the_same_again() {
    let mut count = 0;
    for recording in recordings(&["bedrock"], &["converse", "converse-stream"]) {
        let Some(body) = recording.request.filter(|_| recording.status == 200) else { continue };
        let mut conversation = Converse.read_request(body.clone(), &mut Notes::new(FORMAT)).unwrap();
        conversation.from = Some(FORMAT);
        let body = Value::Object(body);
        let (written, dropped) = write_for(model_for(&body), conversation, FORMAT).unwrap();
        let found = differences(&normal(body), &normal(written));
        assert!(found.is_empty(), "{}: {found:#?}", recording.name);
        assert!(dropped.is_empty(), "{}: {dropped:?}", recording.name);
        count += 1;
    }
    assert!(count == 0 || count > 80, "only {count}");
}

#[test]
fn a_request_is_read_into_what_all_formats_know() {
    let body = json!({
        "system": [{"text": "be brief"}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [
                {"cachePoint": {"type": "default"}},
                {"image": {"format": "jpeg", "source": {"bytes": "/9j/"}}},
                {"document": {"format": "pdf", "name": "D", "source": {"s3Location": {"uri": "s3://b/k", "bucketOwner": "1"}}}},
                {"guardContent": {"text": {"text": "g", "qualifiers": ["query"]}}},
                {"guardContent": {"image": {}}},
                {"cachePoint": {"type": "default", "ttl": "1h"}},
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "Eu0"}}},
                {"reasoningContent": {"redactedContent": "RXU4"}},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"x": 1}}},
                {"toolUse": {"toolUseId": "s", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
            ]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "status": "error", "content": [{"json": {"a": 1}}]}}]},
        ],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}, {"cachePoint": {"type": "default"}},
                {"systemTool": {"name": "nova_grounding"}}],
            "toolChoice": {"tool": {"name": "f"}},
        },
        "inferenceConfig": {"maxTokens": 5, "topP": 0.5, "stopSequences": ["x"]},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 3, "anthropic_beta": ["b"]},
        "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}", "name": "n"}}}},
        "serviceTier": {"type": "flex"}, "requestMetadata": {"a": "b"}, "guardrailConfig": {"trace": "enabled"},
    });
    let read = Converse.read_request(object(body), &mut Notes::new(FORMAT)).unwrap();
    assert_eq!((read.system.len(), read.system[0].cache), (1, Some(CacheMark::Default)));
    let parts = &read.turns[0].parts;
    assert!(matches!(&parts[0].content, Content::Media(it) if it.mime.as_deref() == Some("image/jpeg")));
    assert!(matches!(&parts[1].content, Content::Media(it) if it.source == Source::Url("s3://b/k".into())));
    assert_eq!(parts[2].as_text(), Some("g"));
    assert!(matches!(&parts[3].content, Content::Other { .. }));
    assert_eq!(parts[3].cache, Some(CacheMark::Hour));
    let parts = &read.turns[1].parts;
    assert!(matches!(&parts[0].content, Content::Thinking(it) if it.text == "hm" && it.signature.is_some()));
    let own = Some(Signature::new(Origin::Anthropic, "Eu8"));
    assert!(matches!(&parts[1].content, Content::Thinking(it) if it.redacted && it.signature == own));
    assert!(matches!(&parts[2].content, Content::ToolCall(it) if it.arguments == r#"{"x":1}"#));
    assert!(matches!(&parts[3].content, Content::Other { .. }));
    assert!(
        matches!(&read.turns[2].parts[0].content, Content::ToolResult(it) if it.is_error && it.text() == r#"{"a":1}"#)
    );
    assert!(matches!(&read.tools[0], Tool::Function(it) if it.cache == Some(CacheMark::Default)));
    assert!(matches!(&read.tools[1], Tool::BuiltIn { kind, .. } if kind == "systemTool"));
    assert_eq!(read.tool_choice, Some(ToolChoice::Named("f".into())));
    assert_eq!(read.reasoning, Some(Reasoning { budget: Some(2000), ..Reasoning::default() }));
    assert_eq!((read.sampling.max_output, read.sampling.top_k), (Some(5), Some(3)));
    assert!(matches!(&read.output, Output::Schema { name: Some(name), .. } if name == "n"));
    assert_eq!(read.service_tier.as_deref(), Some("flex"));
    let carry = json!({"guardrailConfig": {"trace": "enabled"}, "additionalModelRequestFields": {"anthropic_beta": ["b"]}});
    assert_eq!(Value::Object(read.carry), carry);
}

#[test]
fn a_wrong_type_is_the_callers_fault() {
    for body in [
        json!({"messages": [{"role": "user", "content": "a"}]}),
        json!({"messages": [{"role": "robot", "content": []}]}),
        json!({"messages": [{"role": "user", "content": [{"toolUse": {"name": 1}}]}]}),
        json!({"messages": [], "inferenceConfig": {"maxTokens": -1}}),
        json!({"messages": [], "outputConfig": {"textFormat": {"structure": {"jsonSchema": {"schema": "{"}}}}}),
    ] {
        let error = Converse.read_request(object(body.clone()), &mut Notes::new(FORMAT)).unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{body}");
    }
}

#[test]
fn a_chat_request_for_a_claude() {
    let mut it = asking(vec![Part { cache: Some(CacheMark::Hour), ..Part::text("Hi") }]);
    it.system = vec![Part::text("be brief")];
    it.sampling.temperature = Some(0.5);
    it.sampling.seed = Some(1);
    it.reasoning = Some(Reasoning::of_effort(Effort::Low));
    it.tools = vec![function("f")];
    it.tool_choice = Some(ToolChoice::Required);
    it.parallel_tools = Some(false);
    it.user = Some("u".into());
    let call = ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into(), ..ToolCall::default() };
    let google = Thinking { signature: Some(Signature::new(Origin::Google, "S")), ..Thinking::default() };
    let own = Thinking {
        text: "hm".into(),
        signature: Some(Signature::new(Origin::Anthropic, "E")),
        redacted: false,
    };
    let parts = [Content::Thinking(google), Content::Thinking(own), Content::ToolCall(call)];
    it.turns.push(Turn::new(Role::Assistant, parts.map(Part::new).into()));
    let result = |id: &str| {
        Part::new(Content::ToolResult(ToolResult {
            id: id.into(),
            content: vec![Part::text("7")],
            ..ToolResult::default()
        }))
    };
    it.turns.push(Turn::new(Role::User, vec![Part::text("so"), result("c")]));
    let (body, dropped) = write_for(CLAUDE, it, Format::Chat).unwrap();
    let expect = json!({
        "system": [{"text": "be brief"}],
        "messages": [
            {"role": "user", "content": [{"text": "Hi"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "E"}}},
                {"toolUse": {"toolUseId": "c", "name": "f", "input": {}}},
            ]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "c", "content": [{"text": "7"}]}}, {"text": "so"}]},
        ],
        "inferenceConfig": {"maxTokens": 64000},
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}],
            "toolChoice": {"auto": {}}},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    });
    assert_eq!(body, expect);
    assert_eq!(
        dropped,
        ["seed", "user", "parallel_tool_calls", "temperature", "tool_choice", "reasoning_details"]
    );
}

#[test]
fn makers_are_spoken_to_in_their_own_words() {
    let ask = |model| {
        let mut it = asking(vec![Part::text("Hi")]);
        it.reasoning = Some(Reasoning::of_effort(Effort::High));
        it.sampling.top_k = Some(5);
        let (mut body, dropped) = write_for(model, it, Format::Chat).unwrap();
        (body["additionalModelRequestFields"].take(), dropped)
    };
    let nova = json!({"inferenceConfig": {"topK": 5}, "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}});
    assert_eq!(ask(NOVA), (nova, vec![]));
    assert_eq!(ask("openai.gpt-oss-120b-1:0"), (json!({"reasoning_effort": "high"}), vec!["top_k".into()]));
    assert_eq!(ask("qwen.qwen3-32b-v1:0").0, json!({"reasoning_config": "high"}));
    assert_eq!(ask("mistral.mistral-large").1, ["top_k", "reasoning_effort"]);
    let claude = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}});
    assert_eq!(ask("us.anthropic.claude-sonnet-4-6").0, claude);
}

#[test]
fn tools_are_there_where_the_history_needs_them() {
    let mut it = asking(vec![Part::text("Hi")]);
    it.tools = vec![function("f"), function("g")];
    it.tool_choice = Some(ToolChoice::None);
    let (body, dropped) = write_for(NOVA, it.clone(), Format::Chat).unwrap();
    assert_eq!((body.get("toolConfig"), dropped.len()), (None, 0));
    let call = Content::ToolCall(ToolCall { id: "c".into(), name: "h".into(), ..ToolCall::default() });
    it.turns.push(Turn::new(Role::Assistant, vec![Part::new(call)]));
    let (body, dropped) = write_for(NOVA, it.clone(), Format::Chat).unwrap();
    assert_eq!((body["toolConfig"].get("toolChoice"), dropped), (None, vec!["tool_choice".to_owned()]));
    it.tools.clear();
    it.tool_choice = None;
    let (body, _) = write_for(NOVA, it, Format::Chat).unwrap();
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "h");
}

#[test]
fn media_are_written_or_refused_and_never_left_out() {
    let write = |kind, mime: Option<&str>, source, name: Option<&str>| {
        let (mime, name) = (mime.map(str::to_owned), name.map(str::to_owned));
        let part = Part::new(Content::Media(Media { kind, mime, source, name, detail: None }));
        write_for(NOVA, asking(vec![part]), Format::Chat)
            .map(|(body, _)| body["messages"][0]["content"].clone())
    };
    let bytes = |data: &str| Source::Base64(data.to_owned());
    let png = write(MediaKind::Image, Some("image/png"), bytes("iVBO"), None).unwrap();
    assert_eq!(png, json!([{"image": {"format": "png", "source": {"bytes": "iVBO"}}}]));
    let text = write(MediaKind::Document, None, Source::Text("a,b".into()), Some("a_b.txt")).unwrap();
    let expect = json!([
        {"document": {"format": "txt", "name": "a_b txt", "source": {"bytes": "YSxi"}}},
        {"text": "."},
    ]);
    assert_eq!(text, expect);
    let film = write(MediaKind::Video, None, Source::Url("s3://b/film.mp4".into()), None).unwrap();
    assert_eq!(
        film,
        json!([{"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/film.mp4"}}}}])
    );
    for refused in [
        write(MediaKind::Image, Some("image/png"), Source::Url("https://a/b.png".into()), None),
        write(MediaKind::Image, Some("image/tiff"), bytes("AAAA"), None),
        write(MediaKind::Document, Some("application/zip"), bytes("AAAA"), None),
        write(MediaKind::Image, Some("image/png"), Source::File("f".into()), None),
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
fn a_schema_is_a_string_or_words() {
    let ask = |model| {
        let mut it = asking(vec![Part::text("Hi")]);
        let schema = json!({"type": "object", "properties": {}});
        it.output = Output::Schema { name: Some("n".into()), description: None, schema, strict: None };
        write_for(model, it, Format::Chat).unwrap()
    };
    let form = &ask(CLAUDE).0["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    assert_eq!(form["name"], "n");
    assert_eq!(form["schema"], r#"{"type":"object","properties":{},"additionalProperties":false}"#);
    let (body, dropped) = ask(NOVA);
    assert!(body["system"][0]["text"].as_str().unwrap().contains("schema"));
    assert_eq!(dropped, ["response_format"]);
}

// === Answers ===

fn billed(recording: &Recording) -> Option<Usage> {
    let path = if recording.streamed { "/model/m/converse-stream" } else { "/model/m/converse" };
    let endpoint = crate::testing::endpoint(path);
    let headers = HeaderMap::new();
    let head = AnswerHead { status: StatusCode::OK, headers: &headers, streamed: recording.streamed };
    let mut reader = Bedrock::new().usage_reader(&endpoint, &head);
    reader.data(&recording.response.clone().into());
    reader.finish().usage
}

/// What an answer keeps of itself when it is written and read again: all but its service tier's word.
fn essence(mut reply: Reply) -> Reply {
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
    reply
}

#[test]
fn every_recorded_answer_says_the_same_again() {
    let mut count = 0;
    for recording in recordings(&["bedrock"], &["converse"]) {
        if recording.status != 200 || recording.streamed {
            continue;
        }
        let body: Value = serde_json::from_slice(&recording.response).unwrap();
        let reply = Converse.read_reply(object(body.clone()), &Profile::GENUINE).unwrap();
        assert_eq!(reply.usage, billed(&recording), "{}", recording.name);
        let written = Converse.write_reply(reply.clone(), &caller());
        let content = |body: &Value| {
            let mut content = body["output"]["message"]["content"].clone();
            content.as_array_mut().unwrap().iter_mut().for_each(normal_block);
            content.as_array_mut().unwrap().retain(|it| it["text"] != "");
            content
        };
        let found = differences(&content(&body), &content(&written));
        assert!(found.is_empty(), "{}: {found:#?}", recording.name);
        assert_eq!(
            written["stopReason"] == body["stopReason"],
            body["stopReason"] != "guardrail_intervened",
            "{}",
            recording.name
        );
        for count in ["inputTokens", "outputTokens", "totalTokens"] {
            assert_eq!(written["usage"][count], body["usage"][count], "{}: {count}", recording.name);
        }
        let again = Converse.read_reply(object(written), &Profile::GENUINE).unwrap();
        assert_eq!(essence(again), essence(reply), "{}", recording.name);
        count += 1;
    }
    assert!(count == 0 || count > 50, "only {count}");
}

#[test]
fn every_recorded_stream_is_read_however_it_is_cut_and_written_again() {
    let mut count = 0;
    for recording in recordings(&["bedrock"], &["converse-stream"]) {
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
        assert_eq!(reply.usage, billed(&recording), "{name}");
        let written = write_stream(FORMAT, events);
        let again = read_stream(FORMAT, &Profile::GENUINE, [written.as_ref()]).unwrap();
        assert_well_formed(&again, name);
        assert_eq!(essence(assemble(&again)), essence(reply), "{name}");
        count += 1;
    }
    assert!(count == 0 || count > 15, "only {count}");
}

fn messages(stream: &[u8]) -> Vec<(Kind, String, Value)> {
    let mut decoder = Decoder::default();
    decoder.push(stream);
    let mut messages = Vec::new();
    while let Some(message) = decoder.next().unwrap() {
        messages.push((message.kind, message.name, serde_json::from_slice(&message.payload).unwrap()));
    }
    messages
}

/// The reply has the texts, thoughts, calls and end that stand in the stream.
fn assert_says(reply: &Reply, stream: &[u8], name: &str) {
    let (mut text, mut thoughts, mut calls, mut stop) =
        (String::new(), String::new(), Vec::new(), String::new());
    for (_, kind, event) in messages(stream) {
        text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
        thoughts.push_str(event["delta"]["reasoningContent"]["text"].as_str().unwrap_or_default());
        calls.extend(event["start"]["toolUse"]["toolUseId"].as_str().map(str::to_owned));
        if kind == "messageStop" {
            stop = event["stopReason"].as_str().unwrap().to_owned();
        }
    }
    let (mut said, mut thought, mut called) = (String::new(), String::new(), Vec::new());
    for part in &reply.choices[0].parts {
        match &part.content {
            Content::Text { text, .. } => said.push_str(text),
            Content::Thinking(it) => thought.push_str(&it.text),
            Content::ToolCall(call) => called.push(call.id.clone()),
            _ => {}
        }
    }
    assert_eq!((said, thought, called), (text, thoughts, calls), "{name}");
    if stop != "guardrail_intervened" {
        assert_eq!(reply::write_stop(reply.choices[0].stop), stop, "{name}");
    }
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
    let contents = [
        Content::Thinking(Thinking { text: String::new(), signature: Some(openai), redacted: true }),
        Content::text("hello"),
        call("c1", signature()),
        call("c2", None),
    ];
    let usage = Usage {
        input: 5,
        cached_read: 2,
        cache_write_1h: 3,
        output: 3,
        reasoning: 4,
        tier: ServiceTier::Flex,
        ..Usage::default()
    };
    let parts = contents.into_iter().map(Part::new).collect();
    let choice = Choice { parts, stop: Stop::ToolCalls, ..Choice::default() };
    Reply { choices: vec![choice], usage: Some(usage), ..Reply::default() }
}

#[test]
fn an_answer_of_somebody_elses_keeps_its_signatures() {
    let written = Converse.write_reply(foreign(), &caller());
    let expect = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"redactedContent": "YmMxLm9wZW5haS5yc18xLmdB"}},
            {"text": "hello"},
            {"reasoningContent": {"reasoningText": {"text": "", "signature": "bc1.google..AbC"}}},
            {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": "é"}}},
            {"toolUse": {"toolUseId": "c2", "name": "f", "input": {"a": "é"}}},
        ]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 17, "cacheReadInputTokens": 2, "cacheWriteInputTokens": 3,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 3}]},
        "metrics": {"latencyMs": 0},
        "serviceTier": {"type": "flex"},
    });
    assert_eq!(written, expect);
    let streamed = write_stream(FORMAT, foreign().into_events());
    let events = read_stream(FORMAT, &Profile::GENUINE, [streamed.as_ref()]).unwrap();
    assert_well_formed(&events, "foreign");
    assert_eq!(Converse.write_reply(assemble(&events), &caller()), expect);
}

#[test]
fn the_stream_has_the_order_of_the_real_one() {
    let events = vec![
        Event::Start(Start::default()),
        Event::Open { choice: 0, block: Block::Text },
        Event::Delta { choice: 0, delta: Delta::Text("a\"b".into()) },
        Event::Delta { choice: 0, delta: Delta::Signature(Signature::new(Origin::Google, "S")) },
        Event::Close { choice: 0 },
        Event::Open {
            choice: 0,
            block: Block::ToolCall {
                id: "t".into(),
                name: "f".into(),
                kind: CallKind::Function,
                signature: None,
            },
        },
        Event::Close { choice: 0 },
        Event::Stop { choice: 0, stop: Stop::ToolCalls, sequence: None },
        Event::Usage(Usage { input: 3, output: 4, ..Usage::default() }),
        Event::End,
    ];
    let written = messages(&write_stream(FORMAT, events));
    let names: Vec<&str> = written.iter().map(|(_, name, _)| name.as_str()).collect();
    let expect = [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "contentBlockDelta",
        "contentBlockStop",
        "contentBlockStart",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ];
    assert_eq!(names, expect);
    assert_eq!(written[1].2, json!({"contentBlockIndex": 0, "delta": {"text": "a\"b"}}));
    let signature =
        json!({"contentBlockIndex": 1, "delta": {"reasoningContent": {"signature": "bc1.google..S"}}});
    assert_eq!(written[3].2, signature);
    let start = json!({"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}});
    assert_eq!(written[5].2, start);
    assert_eq!(written[8].2["usage"]["totalTokens"], 7);
}

#[test]
fn a_provider_that_fails_or_stops_midway_is_no_success() {
    let mut stream = BytesMut::new();
    encode_event(&mut stream, "messageStart", br#"{"role":"assistant"}"#);
    let cut = read_stream(FORMAT, &Profile::GENUINE, [stream.as_ref()]).unwrap_err();
    assert_eq!(cut.status(), StatusCode::BAD_GATEWAY);
    encode_exception(&mut stream, "throttlingException", br#"{"message":"slow down"}"#);
    encode_event(&mut stream, "messageStart", br#"{"role":"assistant"}"#);
    let events = read_stream(FORMAT, &Profile::GENUINE, [stream.as_ref()]).unwrap();
    assert_well_formed(&events, "failed");
    let failure = Failure::new(FailureKind::RateLimited, "slow down");
    assert_eq!(events.last(), Some(&Event::Failed(failure)));
    let written = messages(&write_stream(FORMAT, events));
    let expect = (Kind::Exception, "throttlingException".to_owned(), json!({"message": "slow down"}));
    assert_eq!(written.last(), Some(&expect));
}

#[test]
fn an_answer_without_metadata_is_complete() {
    let mut stream = BytesMut::new();
    encode_event(&mut stream, "contentBlockDelta", br#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#);
    encode_event(&mut stream, "messageStop", br#"{"stopReason":"max_tokens"}"#);
    let events = read_stream(FORMAT, &Profile::GENUINE, [stream.as_ref()]).unwrap();
    assert_well_formed(&events, "without metadata");
    assert_eq!(assemble(&events).choices[0].stop, Stop::MaxTokens);
}

#[test]
fn what_only_aws_knows_passes_whole() {
    let mut stream = BytesMut::new();
    for (name, payload) in [
        ("messageStart", json!({"role": "assistant"})),
        (
            "contentBlockStart",
            json!({"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "s", "name": "n", "type": "server_tool_use"}}}),
        ),
        ("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"toolUse": {"input": "{\"q\":"}}})),
        ("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"toolUse": {"input": "1}"}}})),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        (
            "contentBlockStart",
            json!({"contentBlockIndex": 1, "start": {"toolResult": {"toolUseId": "s", "type": "r", "status": "success"}}}),
        ),
        ("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"toolResult": [{"text": "a"}]}})),
        ("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"toolResult": [{"text": "b"}]}})),
        ("contentBlockStop", json!({"contentBlockIndex": 1})),
        ("messageStop", json!({"stopReason": "end_turn"})),
    ] {
        encode_event(&mut stream, name, payload.to_string().as_bytes());
    }
    let events = read_stream(FORMAT, &Profile::GENUINE, [stream.as_ref()]).unwrap();
    assert_well_formed(&events, "whole");
    let reply = assemble(&events);
    let content = Converse.write_reply(reply.clone(), &caller())["output"]["message"]["content"].take();
    let expect = json!([
        {"toolUse": {"toolUseId": "s", "name": "n", "type": "server_tool_use", "input": {"q": 1}}},
        {"toolResult": {"toolUseId": "s", "type": "r", "status": "success", "content": [{"text": "ab"}]}},
    ]);
    assert_eq!(content, expect);
    let written = write_stream(FORMAT, events);
    assert_eq!(
        assemble(&read_stream(FORMAT, &Profile::GENUINE, [written.as_ref()]).unwrap()).choices,
        reply.choices
    );
}

// === Anything at all ===

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "text",
        "content",
        "role",
        "user",
        "assistant",
        "messages",
        "system",
        "toolConfig",
        "tools",
        "toolSpec",
        "toolUse",
        "toolResult",
        "reasoningContent",
        "reasoningText",
        "redactedContent",
        "image",
        "document",
        "source",
        "bytes",
        "format",
        "delta",
        "start",
        "usage",
        "contentBlockIndex",
        "toolUseId",
        "name",
        "input",
        "inputSchema",
        "json",
        "cachePoint",
        "citationsContent",
        "searchResult",
        "guardContent",
        "stopReason",
        "output",
        "message",
        "additionalModelRequestFields",
        "thinking",
        "type",
        "signature",
        "citation",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|n| json!(n)),
        words.clone().prop_map(|word| json!(word)),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let pair = (words.clone(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            prop::collection::vec(pair, 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_the_readers_panic(value in any_json()) {
        let Value::Object(body) = value else { return Ok(()) };
        for body in [body.clone(), object(json!({"messages": [{"role": "user", "content": [body]}]}))] {
            if let Ok(conversation) = Converse.read_request(body.clone(), &mut Notes::new(FORMAT)) {
                let _ = write_for(CLAUDE, conversation, Format::Chat);
            }
            if let Ok(reply) = Converse.read_reply(object(json!({"output": {"message": body}})), &Profile::GENUINE) {
                Converse.write_reply(reply, &caller());
            }
        }
    }

    #[test]
    fn nothing_makes_the_stream_reader_panic(events in prop::collection::vec((any::<u8>(), any_json(), any::<bool>()), 0..12)) {
        const NAMES: [&str; 7] = ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop",
            "metadata", "validationException"];
        let mut reader = Converse.stream_reader(&Profile::GENUINE);
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

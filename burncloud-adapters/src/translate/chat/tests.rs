//! Over recorded traffic, and over anything.

use crate::openai::{self, OpenAiCompatible};
use crate::testing::{endpoint, read as read_usage};
use crate::translate::codec::codec;
use crate::translate::test_kit::{
    Recording, assemble, assert_well_formed, caller, differences, read_stream, recordings, write_stream,
};
use crate::translate::{Content, Event, Format, Notes, Part, Profile, Reply, Stop, Target, Wire};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The row of the provider that a recording is of.
fn row(recording: &Recording) -> OpenAiCompatible {
    let name = match recording.provider.as_str() {
        "zai" => "zhipu",
        "vercel-gateway" => "vercel",
        "gemini" => "gemini-openai",
        other => other,
    };
    let row = crate::compatible::TABLE.iter().find(|row| row.name == name);
    row.cloned().unwrap_or_else(|| openai::OPENAI.clone())
}

fn profile(recording: &Recording) -> Profile {
    let row = row(recording);
    Profile {
        genuine: matches!(recording.provider.as_str(), "openai" | "azure"),
        include_usage: true,
        reasoning: row.quirks.reasoning,
        vertex: false,
    }
}

fn chats() -> Vec<Recording> {
    recordings(&[], &["chat"])
}

/// Equal spellings, brought to one.
fn normal(mut body: Map<String, Value>, profile: &Profile) -> Value {
    // Written by the writer, whatever the caller said: usage is always asked for.
    body.shift_remove("model");
    body.shift_remove("stream_options");
    if body.get("stream") == Some(&json!(false)) {
        body.shift_remove("stream");
    }
    // The newer name of the same; which one is written is the provider's affair.
    if let Some(most) = body.shift_remove("max_tokens") {
        body.insert("max_completion_tokens".to_owned(), most);
    }
    normal_settings(&mut body);
    for name in ["tools", "functions"] {
        // No tools are none.
        if body.get(name) == Some(&json!([])) {
            body.shift_remove(name);
        }
    }
    if !body.contains_key("tools") {
        // Nothing to choose from.
        body.shift_remove("tool_choice");
        body.shift_remove("parallel_tool_calls");
    }
    let tools = body.get_mut("tools").and_then(Value::as_array_mut);
    for tool in tools.into_iter().flatten() {
        let tool = tool.as_object_mut().unwrap();
        if !tool.contains_key("type") {
            tool.insert("type".to_owned(), "function".into());
        }
        // OpenAI marks no tools.
        tool.shift_remove("cache_control");
    }
    let messages = body.shift_remove("messages").and_then(|m| m.as_array().cloned()).unwrap_or_default();
    let messages = messages.into_iter().map(|m| normal_message(m.as_object().cloned().unwrap(), profile));
    let mut merged: Vec<Map<String, Value>> = Vec::new();
    for message in messages {
        let system = |m: &Map<String, Value>| m["role"] == "system" && m.len() == 2;
        match merged.last_mut() {
            // Instructions before the first turn are one.
            Some(last) if system(last) && system(&message) => {
                let more = message["content"].as_array().cloned().unwrap_or_default();
                let all = last["content"].as_array_mut().unwrap();
                all.extend(more);
                // Those who copy OpenAI get one text.
                if !profile.genuine && all.iter().all(|item| item.as_object().unwrap().len() == 2) {
                    let texts: Vec<&str> = all.iter().filter_map(|item| item["text"].as_str()).collect();
                    *all = vec![json!({ "type": "text", "text": texts.join("\n\n") })];
                }
            }
            _ => merged.push(message),
        }
    }
    // A message that says nothing is left out.
    merged.retain(|m| m.len() > 2 || m["content"] != json!([]) || m["role"] == "tool");
    body.insert("messages".to_owned(), merged.into_iter().map(Value::Object).collect());
    Value::Object(body)
}

fn normal_settings(body: &mut Map<String, Value>) {
    // One text is a list of one.
    if let Some(Value::String(stop)) = body.get("stop").cloned() {
        body.insert("stop".to_owned(), json!([stop]));
    }
    // Other providers' words for `reasoning_effort`.
    if let Some(Value::Object(reasoning)) = body.shift_remove("reasoning") {
        let budget = reasoning.get("max_tokens").and_then(Value::as_u64);
        let level = budget.map(|budget| crate::translate::Effort::of_budget(budget).as_str().into());
        let effort = reasoning.get("effort").cloned().or(level);
        body.extend(effort.map(|effort| ("reasoning_effort".to_owned(), effort)));
    }
    match body.get("thinking").and_then(|thinking| thinking["type"].as_str()) {
        Some("disabled") => {
            body.shift_remove("thinking");
            body.insert("reasoning_effort".to_owned(), "none".into());
        }
        Some("enabled") => {
            body.shift_remove("thinking");
        }
        _ => {}
    }
    // Saying no, or the default, is saying nothing.
    for (name, default) in [
        ("logprobs", json!(false)),
        ("response_format", json!({ "type": "text" })),
        ("top_logprobs", json!(0)),
    ] {
        if body.get(name) == Some(&default) {
            body.shift_remove(name);
        }
    }
    // Mistral's word, and a choice without its type.
    match body.get_mut("tool_choice") {
        Some(Value::String(word)) if word == "any" => *word = "required".to_owned(),
        Some(Value::Object(choice)) if !choice.contains_key("type") => {
            choice.insert("type".to_owned(), "function".into());
        }
        _ => {}
    }
    // A schema without a name gets one.
    if let Some(schema) = body.get_mut("response_format").and_then(|f| f.get_mut("json_schema"))
        && schema.get("name").is_none()
    {
        schema["name"] = "answer".into();
    }
}

fn normal_message(mut message: Map<String, Value>, profile: &Profile) -> Map<String, Value> {
    if message["role"] == "developer" {
        message.insert("role".to_owned(), "system".into());
    }
    // A text is a list of one text; an empty one is none.
    let mut content: Vec<Value> = match message.shift_remove("content") {
        Some(Value::String(text)) if text.is_empty() => vec![],
        Some(Value::String(text)) => vec![json!({ "type": "text", "text": text })],
        Some(Value::Array(items)) => items,
        _ => vec![],
    };
    // Marks of caches: one of OpenRouter's is one of OpenAI's, on the last part.
    let mark = message.shift_remove("cache_control");
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for call in calls.into_iter().flatten() {
        let call = call.as_object_mut().unwrap();
        // Only streams number calls.
        call.shift_remove("index");
        call.shift_remove("cache_control");
    }
    if message.get("tool_calls") == Some(&json!([])) {
        message.shift_remove("tool_calls");
    }
    if let (Some(_), Some(Value::Object(last))) = (mark, content.last_mut()) {
        last.insert("cache_control".to_owned(), json!({}));
    }
    let mut thoughts = String::new();
    content.retain_mut(|item| {
        normal_part(item, profile);
        // Mistral thinks in its content.
        let pointer = item.pointer("/thinking/0/text").and_then(Value::as_str);
        thoughts.push_str(pointer.unwrap_or_default());
        item["type"] != "thinking"
    });
    // The text of thoughts has one place of three.
    let known = ["reasoning_content", "reasoning"].iter().filter_map(|name| message.shift_remove(*name));
    let known = known.filter_map(|value| value.as_str().map(str::to_owned)).collect::<Vec<_>>();
    let mut detail_texts = String::new();
    if let Some(Value::Array(details)) = message.shift_remove("reasoning_details") {
        let details: Vec<Value> =
            details.into_iter().filter(|d| d["text"].is_string() || d["data"].is_string()).collect();
        details.iter().for_each(|d| detail_texts.push_str(d["text"].as_str().unwrap_or_default()));
        let signed: Vec<&Value> =
            details.iter().filter(|d| d["signature"].is_string() || d["data"].is_string()).collect();
        // Unsigned details say no more than their text.
        let signatures = signed.iter().map(|d| d.get("signature").or(d.get("data")).cloned().unwrap());
        message.insert("signatures".to_owned(), signatures.collect());
    }
    if message.get("signatures") == Some(&json!([])) {
        message.shift_remove("signatures");
    }
    thoughts.push_str(known.first().unwrap_or(&detail_texts));
    // OpenAI takes no thoughts.
    if profile.genuine {
        message.shift_remove("signatures");
    } else if !thoughts.is_empty() {
        message.insert("thoughts".to_owned(), thoughts.into());
    }
    if message["role"] == "tool" {
        // Tools say one text.
        let texts: Vec<&str> = content.iter().filter_map(|item| item["text"].as_str()).collect();
        let text = texts.join("\n");
        content = vec![json!({ "type": "text", "text": text })];
    }
    message.insert("content".to_owned(), content.into());
    message
}

fn normal_part(item: &mut Value, profile: &Profile) {
    let Value::Object(part) = item else { return };
    let openrouter = part.shift_remove("cache_control").is_some();
    let openai = part.shift_remove("prompt_cache_breakpoint").is_some();
    if (openrouter || openai) && profile.genuine {
        part.insert("prompt_cache_breakpoint".to_owned(), json!({}));
    }
    // A picture's address may stand without its object.
    if let Some(Value::String(url)) = part.get("image_url").cloned() {
        part.insert("image_url".to_owned(), json!({ "url": url }));
    }
    if let Some(Value::String(data)) = part.get("input_audio").cloned() {
        part.insert("input_audio".to_owned(), json!({ "data": data, "format": "mp3" }));
    }
    // What is not said of a picture is up to the provider.
    if let Some(Value::Object(image)) = part.get_mut("image_url") {
        image.retain(|_, value| !value.is_null());
    }
}

fn rewrite(body: Map<String, Value>, profile: &Profile) -> Result<Value, burncloud_core::Error> {
    let mut notes = Notes::new(Format::Chat);
    let streamed = body.get("stream") == Some(&json!(true));
    let mut conversation = codec(Format::Chat).read_request(body, &mut notes)?;
    conversation.from = Some(Format::Chat);
    let target = Target { model: "m", streamed, profile };
    codec(Format::Chat).write_request(conversation, &target, &mut notes)
}

#[test]
fn recorded_requests_come_back_as_they_were() {
    let mut wrong = Vec::new();
    for recording in chats() {
        let Some(body) = recording.request.clone() else { continue };
        // What came before tools is written as tools; that Mistral takes documents by their address nobody else knows.
        let text = Value::Object(body.clone()).to_string();
        if ["\"functions\"", "\"document_url\""].iter().any(|word| text.contains(word)) {
            continue;
        }
        let profile = profile(&recording);
        match rewrite(body.clone(), &profile) {
            // Refused by its provider too.
            Err(_) if recording.status >= 400 => {}
            Err(error) => wrong.push(format!("{}: {error:?}", recording.name)),
            Ok(written) => {
                let written = written.as_object().cloned().unwrap();
                let found = differences(&normal(body, &profile), &normal(written, &profile));
                wrong.extend(found.into_iter().map(|it| format!("{}: {it}", recording.name)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// What an answer says, without what only its provider knows.
fn essence(reply: &Reply) -> Value {
    let choice = |choice: &crate::translate::Choice| {
        let (mut text, mut refusal, mut thoughts) = (String::new(), String::new(), String::new());
        let (mut calls, mut signatures, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        for Part { content, .. } in &choice.parts {
            match content {
                Content::Text { text: more, citations, .. } => {
                    text.push_str(more);
                    sources.extend(citations.iter().map(|it| json!([it.url, it.title, it.start, it.end])));
                }
                Content::Refusal(more) => refusal.push_str(more),
                Content::Thinking(thinking) => {
                    thoughts.push_str(&thinking.text);
                    signatures.extend(thinking.signature.iter().map(|s| s.value.clone()));
                }
                Content::ToolCall(call) => calls.push(json!([call.id, call.name, call.object()])),
                Content::Media(media) => sources.push(json!(format!("{:?}", media.source).len())),
                Content::Other { value, .. } => sources.push(value.clone()),
                Content::ToolResult(_) => unreachable!(),
            }
        }
        json!([choice.index, text, refusal, thoughts, signatures, calls, sources, finish(choice.stop)])
    };
    let usage = reply.usage.map(|usage| {
        json!([usage.total_input(), usage.cached_read, usage.total_output(), usage.reasoning, usage.audio_in])
    });
    json!([reply.choices.iter().map(choice).collect::<Vec<_>>(), usage])
}

fn finish(stop: Stop) -> &'static str {
    super::finish_reason(stop)
}

#[test]
fn recorded_answers_come_back_as_they_were() {
    let mut counted = 0;
    for recording in chats().iter().filter(|r| !r.streamed && r.status == 200) {
        let name = &recording.name;
        let body: Value = serde_json::from_slice(&recording.response).unwrap();
        let profile = profile(recording);
        let codec = codec(Format::Chat);
        let reply = codec.read_reply(body.as_object().cloned().unwrap(), &profile).unwrap();
        // The text and the reason, straight from the JSON.
        for (choice, said) in reply.choices.iter().zip(body["choices"].as_array().unwrap()) {
            let text: String = choice.parts.iter().filter_map(Part::as_text).collect();
            if let Some(content) = said["message"]["content"].as_str() {
                assert_eq!(text, content, "{name}");
            }
            let calls = choice.parts.iter().filter(|p| matches!(p.content, Content::ToolCall(_))).count();
            let listed = said["message"]["tool_calls"].as_array().map_or(0, Vec::len);
            let legacy =
                usize::from(said["message"]["function_call"]["name"].as_str().is_some_and(|n| !n.is_empty()));
            assert_eq!(calls, listed + legacy, "{name}");
            match said["finish_reason"].as_str() {
                Some("function_call") => assert_eq!(choice.stop, Stop::ToolCalls, "{name}"),
                // A forced call ends with `stop`; one without a reason, or with a word of its own, is at its end.
                Some("stop" | "" | "eos") | None => {}
                Some(reason) => assert_eq!(finish(choice.stop), reason, "{name}"),
            }
        }
        let billed = read_usage(
            &row(recording),
            &endpoint("/v1/chat/completions"),
            false,
            [recording.response.as_slice()],
        );
        assert_eq!(reply.usage, billed.usage, "{name}");
        let written = codec.write_reply(reply.clone(), &caller());
        let again = codec.read_reply(written.as_object().cloned().unwrap(), &Profile::GENUINE).unwrap();
        assert_eq!(differences(&essence(&reply), &essence(&again)), Vec::<String>::new(), "{name}");
        counted += 1;
    }
    println!("{counted} answers");
}

/// Cuts at places that differ from one recording to the next.
fn pieces(bytes: &[u8], seed: usize) -> Vec<&[u8]> {
    let (mut rest, mut step, mut all) = (bytes, seed, Vec::new());
    while !rest.is_empty() {
        step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (piece, after) = rest.split_at(((step >> 33) % 90 + 1).min(rest.len()));
        all.push(piece);
        rest = after;
    }
    all
}

#[test]
fn recorded_streams_come_back_as_they_were() {
    for (number, recording) in chats().iter().filter(|r| r.streamed && r.status == 200).enumerate() {
        let (name, body) = (&recording.name, recording.response.as_slice());
        let profile = profile(recording);
        let read = |pieces: Vec<&[u8]>| {
            read_stream(Format::Chat, &profile, pieces).unwrap_or_else(|e| panic!("{name}: {e:?}"))
        };
        let events = read(vec![body]);
        assert_well_formed(&events, name);
        assert_eq!(read(body.chunks(1).collect()), events, "{name}: byte by byte");
        assert_eq!(read(pieces(body, number)), events, "{name}: in pieces");
        let reply = assemble(&events);
        says_what_the_stream_says(recording, &reply, &events);
        let billed = read_usage(&row(recording), &endpoint("/v1/chat/completions"), true, [body]);
        if !matches!(events.last(), Some(Event::Failed(_))) {
            assert_eq!(reply.usage, billed.usage, "{name}");
        }
        let written = write_stream(Format::Chat, events);
        let again = read_stream(Format::Chat, &Profile::GENUINE, [written.as_ref()]).unwrap();
        assert_well_formed(&again, name);
        let again = assemble(&again);
        let again = if reply.choices.is_empty() { Reply { choices: vec![], ..again } } else { again };
        assert_eq!(differences(&essence(&reply), &essence(&again)), Vec::<String>::new(), "{name}");
    }
}

/// What a stream says and calls, in order.
fn said(events: &[Event]) -> String {
    let reply = assemble(events);
    let parts = reply.choices.iter().filter(|choice| choice.index == 0).flat_map(|choice| &choice.parts);
    let said = parts.filter_map(|part| match &part.content {
        Content::Text { text, .. } => Some(text.clone()),
        Content::ToolCall(call) => Some(format!("{} {} {:?}", call.id, call.name, call.object())),
        _ => None,
    });
    said.collect()
}

#[test]
fn streams_of_other_formats_say_the_same_as_chats() {
    for (from, apis) in [
        (Format::Messages, ["messages", ""]),
        (Format::Responses, ["responses", ""]),
        (Format::Gemini, ["generateContent", "streamGenerateContent"]),
        (Format::Cohere, ["cohere-chat", ""]),
        (Format::Converse, ["converse-stream", ""]),
    ] {
        // A list of answers is no stream of events.
        let streamed = |r: &&Recording| r.streamed && r.status == 200 && !r.response.starts_with(b"[");
        for recording in recordings(&[], &apis).iter().filter(streamed) {
            let name = &recording.name;
            let events = read_stream(from, &Profile::GENUINE, [recording.response.as_slice()]);
            let events = events.unwrap_or_else(|e| panic!("{name}: {e:?}"));
            for to in [Format::Chat, Format::Cohere] {
                let written = write_stream(to, events.clone());
                let again = read_stream(to, &Profile::GENUINE, [written.as_ref()]).unwrap();
                assert_well_formed(&again, name);
                assert_eq!(said(&events), said(&again), "{name}");
            }
        }
    }
}

/// Texts and calls, straight from the chunks.
fn says_what_the_stream_says(recording: &Recording, reply: &Reply, events: &[Event]) {
    let name = &recording.name;
    let body = String::from_utf8(recording.response.clone()).unwrap();
    let chunks = body
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data:")?.trim()).ok());
    let (mut text, mut thoughts, mut arguments, mut failed) =
        (String::new(), String::new(), String::new(), false);
    for chunk in chunks {
        failed |= chunk["error"].is_object();
        if failed {
            break;
        }
        for choice in chunk["choices"].as_array().into_iter().flatten().filter(|c| c["index"] == 0) {
            let delta = &choice["delta"];
            text.push_str(delta["content"].as_str().unwrap_or_default());
            for item in delta["content"].as_array().into_iter().flatten() {
                text.push_str(item["text"].as_str().unwrap_or_default());
                thoughts
                    .push_str(item.pointer("/thinking/0/text").and_then(Value::as_str).unwrap_or_default());
            }
            let plain = delta["reasoning_content"].as_str().or(delta["reasoning"].as_str());
            let detail = || delta.pointer("/reasoning_details/0/text").and_then(Value::as_str);
            thoughts.push_str(plain.filter(|text| !text.is_empty()).or_else(detail).unwrap_or_default());
            for call in delta["tool_calls"].as_array().into_iter().flatten() {
                arguments.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
            }
        }
    }
    assert_eq!(failed, matches!(events.last(), Some(Event::Failed(_))), "{name}");
    let parts = reply.choices.iter().filter(|c| c.index == 0).flat_map(|c| &c.parts);
    let (mut read_text, mut read_thoughts, mut read_arguments) =
        (String::new(), String::new(), String::new());
    for part in parts {
        match &part.content {
            Content::Text { text, .. } => read_text.push_str(text),
            Content::Thinking(thinking) => read_thoughts.push_str(&thinking.text),
            Content::ToolCall(call) => read_arguments.push_str(&call.arguments),
            _ => {}
        }
    }
    assert_eq!((read_text, read_thoughts, read_arguments), (text, thoughts, arguments), "{name}");
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
        Just("choices"),
        Just("message"),
        Just("delta"),
        Just("finish_reason"),
        Just("usage"),
        Just("reasoning_details"),
        Just("image_url"),
        Just("url"),
        Just("file"),
        Just("index"),
        Just("error"),
        Just("thinking"),
        Just("tool_choice"),
    ];
    let words = prop_oneof![
        Just("user"),
        Just("assistant"),
        Just("tool"),
        Just("system"),
        Just("text"),
        Just("image_url"),
        Just("data:é;base64,"),
        Just("data:"),
        Just("function"),
        Just("reasoning.text"),
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
        let codec = codec(Format::Chat);
        let mut body = rest.as_object().cloned().unwrap_or_default();
        let _ = codec.read_reply(body.clone(), &Profile::GENUINE).map(|reply| codec.write_reply(reply, &caller()));
        body.insert("messages".to_owned(), messages.into());
        let _ = rewrite(body, &Profile::GENUINE);
    }

    #[test]
    fn no_stream_does_harm(chunks in proptest::collection::vec(any_json(), 0..6), bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut reader = codec(Format::Chat).stream_reader(&Profile::GENUINE);
        let mut events = Vec::new();
        for chunk in chunks {
            let data = json!({ "id": "a", "choices": [{ "index": 0, "delta": chunk }] }).to_string();
            let _ = reader.read(Wire { name: "", data: data.as_bytes(), exception: false }, &mut events);
        }
        let _ = reader.read(Wire { name: "", data: &bytes, exception: false }, &mut events);
        if reader.read(Wire { name: "", data: b"[DONE]", exception: false }, &mut events).is_ok() {
            assert_well_formed(&events, "made up");
        }
        write_stream(Format::Chat, events);
    }
}

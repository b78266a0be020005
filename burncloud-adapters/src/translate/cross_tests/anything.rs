//! Conversations of our own making, there and back, and JSON that means nothing.

use super::essence::essence;
use super::requests::{Provider, adapted, forgive};
use super::{Exchange, exchanges};
use crate::translate::codec::codec;
use crate::translate::test_kit::{caller, differences, write_stream};
use crate::translate::{
    Content, Conversation, Event, Format, FunctionTool, Media, MediaKind, Notes, Output, Part, Profile, Role,
    Sampling, Source, Target, Tool, ToolCall, ToolChoice, ToolResult, Turn, Wire, leave_out_foreign,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// One provider of each format, whose model takes all that is generated.
fn provider(format: Format) -> Provider {
    let model = match format {
        Format::Chat | Format::Responses => "gpt-5.2",
        Format::Messages => "claude-sonnet-4-5",
        Format::Gemini => "gemini-2.5-flash",
        Format::Cohere => "command-a-03-2025",
        Format::Converse => "anthropic.claude-sonnet-4-5-20250929-v1:0",
    };
    Provider { format, model, profile: Profile::GENUINE }
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Zäß✓\"\\\\{}<]{1,8}( [a-z\n]{1,5}){0,2}[a-z.]"
}

fn schema() -> impl Strategy<Value = Value> {
    prop::collection::vec(("[a-z]{1,6}", prop::sample::select(vec!["string", "integer", "boolean"])), 0..4).prop_map(
        |fields| {
            let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            let mut properties = Map::new();
            fields.iter().for_each(|(name, kind)| drop(properties.insert(name.clone(), json!({ "type": kind }))));
            let mut required: Vec<&str> = names;
            required.sort_unstable();
            required.dedup();
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        },
    )
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    let tool = (word(), schema());
    prop::collection::vec(tool, 1..4).prop_map(|all| {
        let tool = |(number, (description, schema))| {
            let name = format!("tool_{number}");
            Tool::Function(FunctionTool {
                name,
                description: Some(description),
                schema: Some(schema),
                ..FunctionTool::default()
            })
        };
        all.into_iter().enumerate().map(tool).collect()
    })
}

fn picture() -> impl Strategy<Value = Part> {
    prop::collection::vec(any::<u8>(), 1..20).prop_map(|bytes| {
        use base64::Engine;
        let data = base64::engine::general_purpose::STANDARD.encode(bytes);
        Part::new(Content::Media(Media {
            kind: MediaKind::Image,
            mime: Some("image/png".to_owned()),
            source: Source::Base64(data),
            name: None,
            detail: None,
        }))
    })
}

/// The user asks, the model answers or calls, tools say.
#[derive(Clone, Debug)]
enum Round {
    Talk(String, Option<Part>, String),
    Loop(String, Option<String>, Vec<(usize, String, String, bool)>, String),
}

fn round() -> impl Strategy<Value = Round> {
    let call = (0..3_usize, word(), word(), any::<bool>());
    prop_oneof![
        (word(), prop::option::of(picture()), word())
            .prop_map(|(ask, shown, said)| Round::Talk(ask, shown, said)),
        (word(), prop::option::of(word()), prop::collection::vec(call, 1..4), word())
            .prop_map(|(ask, said, calls, end)| Round::Loop(ask, said, calls, end)),
    ]
}

fn turns(rounds: Vec<Round>, tools: usize) -> Vec<Turn> {
    let mut turns = Vec::new();
    for (number, round) in rounds.into_iter().enumerate() {
        match round {
            Round::Talk(ask, shown, said) => {
                let parts = std::iter::once(Part::text(ask)).chain(shown).collect();
                turns.push(Turn::new(Role::User, parts));
                turns.push(Turn::new(Role::Assistant, vec![Part::text(said)]));
            }
            Round::Loop(ask, said, calls, end) => {
                turns.push(Turn::new(Role::User, vec![Part::text(ask)]));
                let mut asked: Vec<Part> = said.map(Part::text).into_iter().collect();
                let mut results = Vec::new();
                for (at, (tool, argument, result, is_error)) in calls.into_iter().enumerate() {
                    let id = format!("call_{number}_{at}");
                    asked.push(Part::new(Content::ToolCall(ToolCall {
                        id: id.clone(),
                        name: format!("tool_{}", tool % tools),
                        arguments: json!({ "a": argument }).to_string(),
                        ..ToolCall::default()
                    })));
                    let content = vec![Part::text(result)];
                    let result = ToolResult { id, name: None, content, is_error };
                    results.push(Part::new(Content::ToolResult(result)));
                }
                turns.push(Turn::new(Role::Assistant, asked));
                turns.push(Turn::new(Role::User, results));
                turns.push(Turn::new(Role::Assistant, vec![Part::text(end)]));
            }
        }
    }
    turns.push(Turn::new(Role::User, vec![Part::text("Go on.")]));
    turns
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let stop = prop::collection::vec("[A-Z]{2,5}", 0..4);
    (100..4000_u64, prop::option::of(0..=100_u32), 5..95_u32, stop).prop_map(|(most, heat, top, stop)| {
        Sampling {
            max_output: Some(most),
            // Newer Claudes take one of the two.
            temperature: heat.map(|it| f64::from(it) / 100.0),
            top_p: heat.is_none().then(|| f64::from(top) / 100.0),
            stop,
            ..Sampling::default()
        }
    })
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let choice = prop::option::of(prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named("tool_0".to_owned())),
    ]);
    let output = prop::option::of(schema());
    (prop::option::of(word()), prop::collection::vec(round(), 0..4), tools(), choice, sampling(), output)
        .prop_map(|(system, rounds, tools, tool_choice, sampling, output)| Conversation {
            system: system.map(Part::text).into_iter().collect(),
            turns: turns(rounds, tools.len()),
            tools,
            tool_choice,
            sampling,
            output: output.map_or(Output::Text, |schema| Output::Schema {
                name: None,
                description: None,
                schema,
                strict: None,
            }),
            ..Conversation::default()
        })
}

/// Takes out what one of the two has no words for.
fn common(mut it: Conversation, a: Format, b: Format) -> Conversation {
    if [a, b].contains(&Format::Responses) {
        it.sampling.stop.clear();
    }
    it
}

fn written(it: Conversation, to: &Provider) -> Map<String, Value> {
    let mut notes = Notes::new(Format::Chat);
    let target = Target { model: to.model, streamed: false, profile: &to.profile };
    let body = codec(to.format).write_request(it, &target, &mut notes).unwrap();
    assert_eq!(notes.dropped(), Vec::<String>::new(), "{:?}", to.format);
    body.as_object().cloned().unwrap()
}

fn across(from: Format, body: &Map<String, Value>, to: &Provider) -> Map<String, Value> {
    let adapted = adapted(from, body, false, to).unwrap();
    assert_eq!(adapted.dropped, Vec::<String>::new(), "{from:?} to {:?}", to.format);
    serde_json::from_slice(&adapted.body).unwrap()
}

fn said(format: Format, body: &Map<String, Value>) -> Value {
    let read = codec(format).read_request(body.clone(), &mut Notes::new(format)).unwrap();
    essence(&read)
}

/// Any JSON, of words that the formats know.
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
        "source",
        "data",
        "delta",
        "message",
        "usage",
        "id",
        "name",
        "input",
        "parts",
        "contents",
        "functionCall",
        "functionResponse",
        "candidates",
        "choices",
        "tool_calls",
        "function",
        "arguments",
        "toolUse",
        "toolResult",
        "reasoningContent",
        "output",
        "item",
        "index",
        "stop_reason",
        "finish_reason",
        "response_format",
        "schema",
        "generationConfig",
        "inferenceConfig",
        "documents",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        words.clone().prop_map(|word| json!(word)),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

/// Puts `new` somewhere into a document: the path is chosen by the numbers.
fn spoil(value: &mut Value, path: &[usize], new: Value) {
    let Some((at, rest)) = path.split_first() else { return *value = new };
    match value {
        Value::Array(items) if !items.is_empty() => {
            let at = at % items.len();
            spoil(&mut items[at], rest, new);
        }
        Value::Object(fields) if !fields.is_empty() => {
            let at = at % fields.len();
            if let Some((_, inner)) = fields.iter_mut().nth(at) {
                spoil(inner, rest, new);
            }
        }
        other => *other = new,
    }
}

static RECORDED: OnceLock<Vec<Exchange>> = OnceLock::new();

/// What can be read can be written in every format, or is refused; and what was written can be read.
fn everywhere(from: Format, body: &Value) {
    let Value::Object(body) = body else { return };
    let reader = codec(from);
    if let Ok(conversation) = reader.read_request(body.clone(), &mut Notes::new(from)) {
        for to in Format::ALL.map(provider) {
            let (mut it, mut notes) = (conversation.clone(), Notes::new(from));
            if leave_out_foreign(&mut it, to.format, &mut notes).is_err() {
                continue;
            }
            let target = Target { model: to.model, streamed: false, profile: &to.profile };
            let writer = codec(to.format);
            if let Ok(written) = writer.write_request(it, &target, &mut notes) {
                let written = written.as_object().cloned().unwrap();
                let again = writer.read_request(written, &mut Notes::new(to.format));
                // Within a family a field passes unread, whatever stands in it.
                let passed = from != to.format && from.family(to.format);
                assert!(passed || again.is_ok(), "{from:?} to {:?}: {again:?}", to.format);
            }
        }
    }
    if let Ok(reply) = reader.read_reply(body.clone(), &Profile::GENUINE) {
        for to in Format::ALL {
            let written = codec(to).write_reply(reply.clone(), &caller());
            let again = codec(to).read_reply(written.as_object().cloned().unwrap(), &Profile::GENUINE);
            again.unwrap_or_else(|error| panic!("{from:?} to {to:?}: {error:?}"));
        }
    }
}

fn stream_everywhere(from: Format, events: &[Value]) {
    let mut reader = codec(from).stream_reader(&Profile::GENUINE);
    let mut out: Vec<Event> = Vec::new();
    for event in events {
        let name = event["type"].as_str().unwrap_or_default();
        let data = event.to_string();
        let _ = reader.read(Wire { name, data: data.as_bytes(), exception: false }, &mut out);
    }
    let _ = reader.finish(&mut out);
    Format::ALL.into_iter().for_each(|to| drop(write_stream(to, out.clone())));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back_keeps_what_both_can_say(conversation in conversation()) {
        for a in Format::ALL {
            for b in Format::ALL.into_iter().filter(|b| *b != a) {
                let (home, abroad) = (provider(a), provider(b));
                let first = written(common(conversation.clone(), a, b), &home);
                let there = across(a, &first, &abroad);
                let back = across(b, &there, &home);
                let (mut before, mut after) = (said(a, &first), said(a, &back));
                // The rules of both hold.
                forgive(&mut before, &mut after, &[], a, &abroad);
                forgive(&mut before, &mut after, &[], b, &home);
                let found = differences(&before, &after);
                prop_assert!(found.is_empty(), "{a:?} to {b:?}: {found:#?}\nthere: {there:?}");
            }
        }
    }

    #[test]
    fn nothing_makes_a_pair_panic(value in any_json(), events in prop::collection::vec(any_json(), 0..6)) {
        for from in Format::ALL {
            everywhere(from, &value);
            stream_everywhere(from, &events);
        }
    }

    #[test]
    fn nothing_spoilt_makes_a_pair_panic(
        which in any::<prop::sample::Index>(),
        path in prop::collection::vec(any::<usize>(), 1..8),
        new in any_json(),
    ) {
        let recorded = RECORDED.get_or_init(exchanges);
        if recorded.is_empty() { return Ok(()) }
        let Exchange { from, recording } = which.get(recorded);
        let answer = serde_json::from_slice(&recording.response).ok();
        for mut body in recording.request.clone().map(Value::Object).into_iter().chain(answer) {
            spoil(&mut body, &path, new.clone());
            everywhere(*from, &body);
        }
    }
}

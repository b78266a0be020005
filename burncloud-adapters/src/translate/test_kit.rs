//! What the tests of every format share: recorded traffic, a judge of event order, streams in and out.

use super::codec::{Caller, Profile, Target, Wire, codec};
pub(super) use super::said::assemble;
use super::{Block, Delta, Event, Format, Notes, sse};
use crate::wire::event_stream;
use burncloud_core::Error;
use burncloud_core::adapter::{AdaptAsk, Adapted};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A recorded exchange.
pub(super) struct Recording {
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) request: Option<Map<String, Value>>,
    pub(super) status: u16,
    pub(super) streamed: bool,
    /// Base64 undone.
    pub(super) response: Vec<u8>,
}

/// The recordings of these providers' (all, if none is named) APIs, such as `("openai", "chat")`; nothing where there
/// are no recordings and none are required.
pub(super) fn recordings(providers: &[&str], apis: &[&str]) -> Vec<Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/corpus");
    if !root.is_dir() {
        let required = std::env::var("BURNCLOUD_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "no recordings at {}", root.display());
        println!("skipped: no recordings at {}", root.display());
        return Vec::new();
    }
    let mut files = Vec::new();
    collect_files(&root, &mut files);
    files.sort();
    let all = files.iter().map(|file| recording(file));
    let wanted = |r: &Recording, api: &str| {
        (providers.is_empty() || providers.contains(&r.provider.as_str())) && apis.contains(&api)
    };
    all.filter(|(recording, api)| wanted(recording, api)).map(|(recording, _)| recording).collect()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
}

fn recording(file: &Path) -> (Recording, String) {
    let json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let body = text("/response/body");
    let response = match json.pointer("/response/body_encoding").and_then(Value::as_str) {
        Some("base64") => base64(&body),
        _ => body.into_bytes(),
    };
    let recording = Recording {
        name: file.file_name().unwrap().to_string_lossy().into_owned(),
        provider: text("/provider"),
        request: json.pointer("/request/body").and_then(Value::as_object).cloned(),
        status: json.pointer("/response/status").and_then(Value::as_u64).unwrap_or(0) as u16,
        streamed: json.get("stream") == Some(&Value::Bool(true)),
        response,
    };
    (recording, text("/api"))
}

fn base64(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

/// A caller who asks for `m` and wants usage.
pub(super) fn caller() -> Caller {
    Caller { model: "m".to_owned(), include_usage: true, as_list: false, echo: Map::new() }
}

/// A request read from one format and written in another, with what was left out. Foreign fields are not taken out
/// first, as [`super::adapt`] does.
pub(super) fn rewrite_request(
    body: Map<String, Value>,
    from: Format,
    to: Format,
) -> Result<(Value, Vec<String>), Error> {
    let mut notes = Notes::new(from);
    let streamed = body.get("stream") == Some(&Value::Bool(true));
    let mut conversation = codec(from).read_request(body, &mut notes)?;
    conversation.from = Some(from);
    conversation.stream = streamed;
    let target = Target { model: "m", streamed, profile: &Profile::GENUINE };
    let written = codec(to).write_request(conversation, &target, &mut notes)?;
    Ok((written, notes.into_dropped().into_iter().map(Into::into).collect()))
}

/// The events of a provider's stream that comes in these pieces.
pub(super) fn read_stream<'a>(
    format: Format,
    profile: &Profile,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Event>, Error> {
    let mut reader = codec(format).stream_reader(profile);
    let mut events = Vec::new();
    let mut sse = sse::Decoder::default();
    let mut binary = event_stream::Decoder::default();
    for piece in pieces {
        if format == Format::Converse {
            binary.push(piece);
            while let Some(message) = binary.next().unwrap() {
                let exception = message.kind != event_stream::Kind::Event;
                reader.read(Wire { name: &message.name, data: &message.payload, exception }, &mut events)?;
            }
        } else {
            sse.push(piece, &mut |name, data| {
                reader.read(Wire { name, data, exception: false }, &mut events)
            })?;
        }
    }
    sse.finish(&mut |name, data| reader.read(Wire { name, data, exception: false }, &mut events))?;
    reader.finish(&mut events)?;
    Ok(events)
}

/// The bytes of a stream that says these events.
pub(super) fn write_stream(format: Format, events: Vec<Event>) -> Bytes {
    let mut writer = codec(format).stream_writer(&caller());
    let mut out = BytesMut::new();
    events.into_iter().for_each(|event| writer.write(event, &mut out));
    out.freeze()
}

/// Checks the order that [`Event`] promises.
#[track_caller]
pub(super) fn assert_well_formed(events: &[Event], name: &str) {
    assert!(
        matches!(events.first(), Some(Event::Start(_) | Event::Failed(_))),
        "{name}: begins with {:?}",
        events.first()
    );
    assert!(
        matches!(events.last(), Some(Event::End | Event::Failed(_))),
        "{name}: ends with {:?}",
        events.last()
    );
    let mut open: std::collections::BTreeMap<u32, Option<Block>> = Default::default();
    let mut stopped = std::collections::BTreeSet::new();
    for (number, event) in events.iter().enumerate() {
        let ended = number + 1 == events.len();
        match event {
            Event::Start(_) => assert_eq!(number, 0, "{name}: a second start"),
            Event::End | Event::Failed(_) => assert!(ended, "{name}: goes on after its end"),
            Event::Open { choice, block } => {
                assert!(!stopped.contains(choice), "{name}: opens after its stop");
                let before = open.insert(*choice, Some(block.clone())).flatten();
                assert!(before.is_none(), "{name}: opens {block:?} inside {before:?}");
            }
            Event::Delta { choice, delta } => {
                let block = open.get(choice).cloned().flatten();
                let fits = matches!(
                    (&block, delta),
                    (
                        Some(Block::Text),
                        Delta::Text(_) | Delta::Citation(_) | Delta::Signature(_) | Delta::Logprobs(_),
                    ) | (Some(Block::Refusal), Delta::Text(_))
                        | (Some(Block::Thinking { .. }), Delta::Thinking(_) | Delta::Signature(_))
                        | (Some(Block::ToolCall { .. }), Delta::Arguments(_))
                );
                assert!(fits, "{name}: {delta:?} in {block:?}");
            }
            Event::Close { choice } => {
                assert!(open.insert(*choice, None).flatten().is_some(), "{name}: closes nothing");
            }
            Event::Whole { choice, .. } => {
                assert!(open.get(choice).cloned().flatten().is_none(), "{name}: a whole part inside a block");
            }
            Event::Stop { choice, .. } => {
                assert!(open.get(choice).cloned().flatten().is_none(), "{name}: stops inside a block");
                assert!(stopped.insert(*choice), "{name}: stops twice");
            }
            Event::Usage(_) => {}
        }
    }
}

/// Where two documents differ, as paths with both values. Null and absent are the same, and so are 1 and 1.0.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("$", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                compare(&format!("{path}.{name}"), value, b.get(name).unwrap_or(&Value::Null), found);
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                compare(&format!("{path}.{name}"), &Value::Null, value, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, found);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        (a, b) if a == b => {}
        (a, b) => {
            let short = |value: &Value| value.to_string().chars().take(120).collect::<String>();
            found.push(format!("{path}: {} -> {}", short(a), short(b)));
        }
    }
}

/// A caller's request at a path, adapted: the caller asks for `asked`, the provider is asked for `upstream`.
pub(super) fn asked(
    path: &str,
    body: &Value,
    adapt: impl FnOnce(&AdaptAsk<'_>) -> Result<Adapted, Error>,
) -> Result<Adapted, Error> {
    let endpoint = crate::testing::endpoint(path);
    adapt(&AdaptAsk {
        endpoint: &endpoint,
        path,
        query: None,
        headers: &HeaderMap::new(),
        body: &Bytes::from(body.to_string()),
        upstream_model: "upstream",
        model: "asked",
        streamed: false,
        include_usage: true,
    })
}

/// What a caller gets of a provider's answer: the status and the body.
pub(super) fn turned(adapted: Adapted, status: u16, answer: &Value) -> (u16, Value) {
    let mut rewrite = adapted.answer.unwrap();
    let (mut head, ()) = http::Response::builder().status(status).body(()).unwrap().into_parts();
    rewrite.head(&mut head);
    let mut out = BytesMut::new();
    for piece in answer.to_string().as_bytes().chunks(7) {
        rewrite.data(piece, &mut out).unwrap();
    }
    rewrite.finish(&mut out).unwrap();
    (head.status.as_u16(), serde_json::from_slice(&out).unwrap())
}

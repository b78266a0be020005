//! What `docs/transforms.md` shows is what the code takes.

#![cfg(feature = "script")]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use burncloud_adapters::transform::{Sample, SampleKind, compile};
use burncloud_core::{ChannelSettings, ScriptFailure, ScriptSettings};
use serde_json::{Value, json};

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/transforms.md");
    let text = std::fs::read_to_string(path).unwrap();
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

fn steps(document: &str) -> ChannelSettings {
    ChannelSettings { transforms: Some(document.to_owned()), ..ChannelSettings::default() }
}

fn script(source: &str) -> ChannelSettings {
    let script = ScriptSettings { source: source.to_owned(), on_error: ScriptFailure::Refuse };
    ChannelSettings { script: Some(script), ..ChannelSettings::default() }
}

fn run(settings: &ChannelSettings, sample: Sample) -> Value {
    compile(settings).unwrap().dry_run(&sample).unwrap().after
}

#[test]
fn documents_compile() {
    let all: Vec<String> = [blocks("yaml"), blocks("json")].concat();
    assert!(all.len() >= 3, "{all:#?}");
    for document in all {
        compile(&steps(&document)).unwrap_or_else(|error| panic!("{error}\n{document}"));
    }
}

#[test]
fn the_first_document_does_what_it_says() {
    let settings = steps(&blocks("yaml")[0]);
    let body = json!({"max_tokens": 5, "user": "u", "messages": [{"role": "developer"}]});
    let asked = Sample { body, model: "o3".into(), ..Sample::default() };
    let wanted = json!({
        "max_completion_tokens": 5, "user": "u", "messages": [{"role": "system"}], "temperature": 0.7,
        "reasoning": {"effort": "low"},
    });
    assert_eq!(run(&settings, asked), wanted);
    let busy = Sample { kind: SampleKind::Response, status: 503, body: json!({}), ..Sample::default() };
    assert_eq!(run(&settings, busy), json!({"error": {"message": "The provider is busy."}}));
    let event = json!({"choices": [{"delta": {"reasoning": "x"}}]});
    let event = Sample { kind: SampleKind::Event, body: event, ..Sample::default() };
    assert_eq!(run(&settings, event), json!({"choices": [{"delta": {"reasoning_content": "x"}}]}));
}

#[test]
fn scripts_run() {
    let all = blocks("rhai");
    assert_eq!(all.len(), 1);
    let settings = script(&all[0]);
    let body = json!({"tools": [], "messages": [{"role": "developer"}]});
    let asked = Sample { body, model: "fast".into(), ..Sample::default() };
    let after = run(&settings, asked);
    assert_eq!(after["parallel_tool_calls"], false);
    assert_eq!(after["messages"][0]["role"], "system");
    let event = json!({"usage": {}, "system_fingerprint": "f"});
    let event = Sample { kind: SampleKind::Event, body: event, ..Sample::default() };
    assert_eq!(run(&settings, event), json!({"usage": {}}));
    let many = json!({"messages": vec![json!({"role": "user"}); 501]});
    let many = Sample { body: many, ..Sample::default() };
    let refused = compile(&settings).unwrap().dry_run(&many).unwrap().refused;
    assert!(refused.unwrap().contains("500 messages"));
}

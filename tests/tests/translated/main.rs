//! Recorded answers and streams of every format, translated to every other, as the official SDKs read them: the same
//! texts, thoughts, calls of tools and token counts, and nothing that the SDKs' types do not allow.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "this whole package is tests: an unwrap is the assertion"
)]

use burncloud_adapters::translate::{Format, Said, translated};
use burncloud_tests::replay::{Fixture, corpus, read};
use burncloud_tests::sdk::Script;
use serde_json::{Value, json};
use std::path::Path;

/// One translated body, and what its provider said.
struct Case {
    name: String,
    said: Said,
    /// The provider's own words: ids that are not among them were made up.
    given: String,
    order: Value,
}

fn format_of(api: &str) -> Option<Format> {
    Some(match api {
        "chat" => Format::Chat,
        "responses" => Format::Responses,
        "messages" | "rawPredict" | "streamRawPredict" => Format::Messages,
        "generateContent" | "streamGenerateContent" => Format::Gemini,
        "cohere-chat" => Format::Cohere,
        "converse" | "converse-stream" => Format::Converse,
        _ => return None,
    })
}

/// Every recorded success that is of another format, translated, its body in a file of `folder`.
fn cases(to: Format, fixtures: &[Fixture], folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for fixture in fixtures.iter().filter(|fixture| fixture.status() == 200) {
        let Some(from) = format_of(fixture.api()).filter(|from| *from != to) else { continue };
        let body = fixture.response_body();
        if fixture.streamed() && body.starts_with(b"[") {
            // A list instead of events, which providers are never asked for.
            continue;
        }
        let name = format!("{} to {}: {}", from.as_str(), to.as_str(), fixture.name);
        let out = translated(fixture.provider(), (from, to), fixture.streamed(), &body);
        let out = out.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let number = cases.len();
        let file = folder.join(number.to_string());
        std::fs::write(&file, &out.body).unwrap();
        let order = json!({
            "number": number, "streamed": fixture.streamed(), "type": out.content_type, "file": file,
        });
        let given = String::from_utf8_lossy(&body).into_owned();
        cases.push(Case { name, said: out.said, given, order });
    }
    cases
}

/// What the SDK reads must be what the provider said; the rules are those of the codecs: Converse counts no tokens of
/// thoughts apart, refusals are texts, free text for a tool is `input`.
fn differences(to: Format, case: &Case, read: &Value) -> Vec<String> {
    let said = &case.said;
    if let Some(error) = read.get("error") {
        let invalid = error.as_str().is_some_and(|text| text.starts_with("invalid: "));
        return if said.failure.is_some() && !invalid { vec![] } else { vec![error.to_string()] };
    }
    let mut found = Vec::new();
    let mut check = |what: &str, wanted: Value, have: &Value| {
        if wanted != *have {
            let (wanted, have) = (wanted.to_string(), have.to_string());
            let same = wanted.bytes().zip(have.bytes()).take_while(|(a, b)| a == b).count();
            let short = |text: &str| {
                let from = text.char_indices().map(|(at, _)| at).take_while(|at| *at + 40 < same).last();
                text[from.unwrap_or(0)..].chars().take(200).collect::<String>()
            };
            found.push(format!("{what}: said {}, read {}", short(&wanted), short(&have)));
        }
    };
    if said.failure.is_some() {
        check("failure", json!("an error"), read);
        return found;
    }
    check("text", format!("{}{}", said.text, said.refusal).into(), &read["text"]);
    // A chat has one text for thoughts that were several: they are its paragraphs.
    let (thoughts, read_thoughts) = (said.thoughts.as_str(), read["thoughts"].as_str().unwrap_or_default());
    let paragraphs = |text: &str| if to == Format::Chat { text.replace('\n', "") } else { text.to_owned() };
    check("thoughts", paragraphs(thoughts).into(), &paragraphs(read_thoughts).into());
    let made_up = |id: &str| !case.given.contains(id) && !case.name.starts_with("converse");
    let calls = said.calls.iter().zip(read["calls"].as_array().unwrap());
    let calls = calls.map(|(call, read)| {
        let id = if made_up(&call.id) { read[0].clone() } else { call.id.as_str().into() };
        json!([id, call.name, call.arguments])
    });
    check("calls", calls.collect(), &read["calls"]);
    check("calls", said.calls.len().into(), &read["calls"].as_array().unwrap().len().into());
    if let Some(usage) = said.usage {
        let reasoning = if to == Format::Converse { 0 } else { usage.reasoning };
        let wanted = json!({
            "input": usage.total_input(), "output": usage.total_output(), "cached": usage.cached_read,
            "reasoning": reasoning,
        });
        check("usage", wanted, &read["usage"]);
    }
    found
}

async fn read_by_the_sdk(to: Format) {
    let Some(corpus) = corpus() else {
        return burncloud_tests::skip("translated recordings", "no recorded traffic beside the checkout");
    };
    let fixtures = read(&corpus);
    let folder = tempfile::tempdir().unwrap();
    let cases = cases(to, &fixtures, folder.path());
    let index = folder.path().join("index");
    let lines: Vec<String> = cases.iter().map(|case| case.order.to_string()).collect();
    std::fs::write(&index, lines.join("\n")).unwrap();
    let orders = json!({ "target": to.as_str(), "index": index });
    let Some(report) = Script::PythonParseTranslated.lines(&orders).await else { return };
    assert_eq!(report.len(), cases.len());
    let mut wrong = Vec::new();
    for (case, read) in cases.iter().zip(&report) {
        let found = differences(to, case, read);
        wrong.extend(found.into_iter().map(|it| format!("{}: {it}", case.name)));
    }
    println!("{} bodies read by the SDK of {}", cases.len(), to.as_str());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[tokio::test]
async fn openai_reads_every_answer_as_a_chat() {
    read_by_the_sdk(Format::Chat).await;
}

#[tokio::test]
async fn openai_reads_every_answer_as_a_response() {
    read_by_the_sdk(Format::Responses).await;
}

#[tokio::test]
async fn anthropic_reads_every_answer() {
    read_by_the_sdk(Format::Messages).await;
}

#[tokio::test]
async fn google_genai_reads_every_answer() {
    read_by_the_sdk(Format::Gemini).await;
}

#[tokio::test]
async fn cohere_reads_every_answer() {
    read_by_the_sdk(Format::Cohere).await;
}

#[tokio::test]
async fn boto3_reads_every_answer() {
    read_by_the_sdk(Format::Converse).await;
}

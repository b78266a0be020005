//! Transforms and scripts of an account: edited, tried on a sample, and only then kept.

mod diff;
mod view;

#[cfg(test)]
pub(super) use view::Editor;
pub(super) use view::Transforms;

use super::posts::Posted;
use crate::Console;
use burncloud_adapters::transform::{DryRun, Sample, SampleKind, compile};
use burncloud_billing::desk::channels::{ChannelChange, ChannelView};
use burncloud_billing::people::Actor;
use burncloud_core::{ChannelId, ChannelSettings, Dialect, ScriptFailure, ScriptSettings};
use serde_json::{Value, json};

/// What was tried, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Try {
    pub(super) channel: ChannelId,
    pub(super) transforms: String,
    pub(super) script: String,
    pub(super) skip: bool,
    pub(super) kind: &'static str,
    pub(super) sample: String,
    pub(super) outcome: Outcome,
    /// Whether it was to be kept, and was.
    pub(super) saved: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Ran(Box<DryRun>),
    /// What is wrong: in which field, at which line, and that line.
    Wrong {
        field: String,
        line: Option<usize>,
        text: String,
        source: Option<String>,
    },
}

impl Outcome {
    fn wrong(field: &str, text: impl Into<String>) -> Outcome {
        Outcome::Wrong { field: field.to_owned(), line: None, text: text.into(), source: None }
    }
}

const KINDS: [(&str, SampleKind); 3] =
    [("request", SampleKind::Request), ("response", SampleKind::Response), ("event", SampleKind::Event)];

/// The dialect that the account's provider speaks.
fn dialect(provider: &str) -> Dialect {
    match provider {
        "anthropic" => Dialect::Anthropic,
        "gemini" | "vertex" => Dialect::Gemini,
        "cohere" => Dialect::Cohere,
        "bedrock" => Dialect::Bedrock,
        _ => Dialect::OpenAi,
    }
}

/// A request such as the account's provider gets.
pub(super) fn example(view: &ChannelView) -> String {
    let model = view.models.first().map_or("model", String::as_str);
    let value = match dialect(&view.provider) {
        Dialect::Gemini => json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hello" }] }] }),
        Dialect::Bedrock => json!({ "messages": [{ "role": "user", "content": [{ "text": "Hello" }] }] }),
        Dialect::Anthropic => {
            json!({ "model": model, "max_tokens": 256, "messages": [{ "role": "user", "content": "Hello" }] })
        }
        _ => {
            json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }], "temperature": 1 })
        }
    };
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

/// The account's settings with these transforms.
fn settings(stored: &ChannelSettings, transforms: &str, script: &str, skip: bool) -> ChannelSettings {
    let on_error = if skip { ScriptFailure::Skip } else { ScriptFailure::Refuse };
    let script = Some(script).filter(|source| !source.trim().is_empty());
    ChannelSettings {
        transforms: Some(transforms.to_owned()).filter(|text| !text.trim().is_empty()),
        script: script.map(|source| ScriptSettings { source: source.to_owned(), on_error }),
        ..stored.clone()
    }
}

/// Tries settings on a sample. Scripts have bounds of their own; it takes a moment at most.
fn run(view: &ChannelView, settings: &ChannelSettings, kind: SampleKind, sample: &str) -> Outcome {
    let body: Value = match serde_json::from_str(sample) {
        Ok(body) => body,
        Err(error) => {
            let (line, text) =
                (error.line(), format!("line {}, column {}: this is no JSON", error.line(), error.column()));
            return Outcome::Wrong {
                field: "sample".into(),
                line: Some(line),
                text,
                source: line_of(sample, line),
            };
        }
    };
    let dialect = dialect(&view.provider);
    let in_body = body.get("model").and_then(Value::as_str).map(str::to_owned);
    let model = in_body.or_else(|| view.models.first().cloned()).unwrap_or_default();
    let sample = Sample {
        kind,
        endpoint: Sample::endpoint_of(dialect),
        dialect,
        upstream_model: view.model_mapping.get(&model).cloned().unwrap_or_else(|| model.clone()),
        model,
        streamed: kind == SampleKind::Event || body.get("stream") == Some(&Value::Bool(true)),
        channel: view.name.clone(),
        body,
        ..Sample::default()
    };
    let ran = compile(settings).and_then(|compiled| compiled.dry_run(&sample));
    ran.map_or_else(
        |error| {
            let text = match error.field.as_str() {
                "transforms" => settings.transforms.as_deref(),
                "script" => settings.script.as_ref().map(|script| script.source.as_str()),
                _ => None,
            };
            let source = error.line.zip(text).and_then(|(line, text)| line_of(text, line));
            Outcome::Wrong { field: error.field.clone(), line: error.line, text: error.text(), source }
        },
        |run| Outcome::Ran(Box::new(run)),
    )
}

fn line_of(text: &str, line: usize) -> Option<String> {
    text.lines().nth(line.checked_sub(1)?).map(str::to_owned)
}

/// Tries what was posted, and keeps it where that was asked and it is right.
pub(super) async fn tried(console: &Console, actor: &Actor, form: &Posted) -> Try {
    let channel = ChannelId(form.text("channel").parse().unwrap_or_default());
    let kind = KINDS.into_iter().find(|(name, _)| *name == form.text("kind")).unwrap_or(KINDS[0]);
    let mut tried = Try {
        channel,
        transforms: form.text("transforms").to_owned(),
        script: form.text("script").to_owned(),
        skip: form.text("on_error") == "skip",
        kind: kind.0,
        sample: form.text("sample").to_owned(),
        outcome: Outcome::wrong("", ""),
        saved: false,
    };
    let view = match console.desk().channel(actor, channel).await {
        Ok(view) => view,
        Err(error) => return Try { outcome: Outcome::wrong("", error.to_string()), ..tried },
    };
    let next = settings(&view.settings, &tried.transforms, &tried.script, tried.skip);
    let (sample, trying, looked) = (tried.sample.clone(), next.clone(), view.clone());
    let ran = tokio::task::spawn_blocking(move || run(&looked, &trying, kind.1, &sample)).await;
    tried.outcome = ran.unwrap_or_else(|_| Outcome::wrong("", "this failed: the server's log says why"));
    let save = form.text("do") == "save";
    if save && matches!(tried.outcome, Outcome::Ran(_)) {
        let change = ChannelChange { settings: Some(next), ..ChannelChange::default() };
        let version = Some(form.text("version")).filter(|version| !version.is_empty());
        match console.desk().update_channel(actor, channel, change, version).await {
            Ok(_) => tried.saved = true,
            Err(error) => tried.outcome = Outcome::wrong("", error.to_string()),
        }
    }
    tried
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_billing::desk::channels::NewChannel;
    use burncloud_core::Status;

    fn view(provider: &str) -> ChannelView {
        let new = NewChannel {
            name: "main".into(),
            provider: provider.into(),
            base_url: None,
            credential: "sk-x".to_owned().into(),
            models: vec!["gpt-4o".into()],
            model_mapping: Default::default(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        ChannelView::from(&new.into_config())
    }

    fn outcome(transforms: &str, script: &str, sample: &str) -> Outcome {
        let view = view("openai");
        run(&view, &settings(&view.settings, transforms, script, false), SampleKind::Request, sample)
    }

    #[test]
    fn a_sample_is_changed_and_nothing_else() {
        let Outcome::Ran(run) =
            outcome("request:\n- remove: user\n", "", r#"{"model":"gpt-4o","user":"ann"}"#)
        else {
            panic!("it did not run");
        };
        assert_eq!((run.before["user"].as_str(), run.after.get("user")), (Some("ann"), None));
        assert_eq!(run.steps.len(), 1);
    }

    #[test]
    fn what_is_wrong_names_its_line() {
        let wrong = |transforms: &str, script: &str, sample: &str| match outcome(transforms, script, sample) {
            Outcome::Wrong { field, line, source, .. } => (field, line, source),
            Outcome::Ran(_) => panic!("it ran"),
        };
        let (field, line, source) = wrong("request:\n- explode: user\n", "", "{}");
        assert_eq!(
            (field.as_str(), line, source.as_deref()),
            ("transforms", Some(2), Some("- explode: user"))
        );
        let (field, line, _) = wrong("", "fn request(req) {\n  let x = ;\n}", "{}");
        assert_eq!((field.as_str(), line), ("script", Some(2)));
        assert_eq!(wrong("", "", "{\n oh").0, "sample");
    }

    #[test]
    fn every_provider_has_a_sample_that_runs() {
        for provider in burncloud_adapters::registry().names() {
            let view = view(provider);
            let ran = run(&view, &view.settings, SampleKind::Request, &example(&view));
            assert!(matches!(ran, Outcome::Ran(_)), "{provider}: {ran:?}");
        }
    }
}

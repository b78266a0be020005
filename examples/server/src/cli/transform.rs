//! `burncloud transform test`: what a channel's transforms do to a sample. Nothing is sent.

use super::args::{TestArgs, TransformCommand};
use super::{CliError, CliResult, Format, Output};
use crate::config::Config;
use burncloud_adapters::transform::{DryRun, Sample, SampleKind, TransformError, compile};
use burncloud_core::adapter::Registry;
use burncloud_core::store::Store;
use burncloud_core::usecase::channels::find_channel;
use burncloud_core::{ChannelSettings, Operation, ScriptFailure, ScriptSettings};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Carries out the command. Only for a channel by name the store is `opened`.
pub(super) async fn run(
    command: TransformCommand,
    config: Option<&Path>,
    registry: &Registry,
    out: &Output,
    opened: impl AsyncFnOnce() -> CliResult<Arc<dyn Store>>,
) -> CliResult {
    let TransformCommand::Test(args) = command;
    let settings = match &args.channel {
        Some(name) => channel_settings(name, config, registry, opened).await?,
        None => file_settings(&args)?,
    };
    let sample = sample(&args)?;
    let named = |error| named(&args, error);
    let run = compile(&settings).map_err(named)?.dry_run(&sample).map_err(named)?;
    let out = if args.json { Output::new(Format::Json) } else { *out };
    out.show(&serde_json::to_value(&run)?, &lines(&run))
}

/// The channel as the configuration file declares it, or as it is stored.
async fn channel_settings(
    name: &str,
    config: Option<&Path>,
    registry: &Registry,
    opened: impl AsyncFnOnce() -> CliResult<Arc<dyn Store>>,
) -> CliResult<ChannelSettings> {
    if let Some(path) = config {
        let declared = Config::load(path, registry)?.declared.channels;
        if let Some(channel) = declared.into_iter().find(|channel| channel.name == name) {
            return Ok(channel.settings);
        }
    }
    Ok(find_channel(&*opened().await?, name).await?.settings)
}

fn file_settings(args: &TestArgs) -> CliResult<ChannelSettings> {
    let script = args.script.as_deref().map(read).transpose()?;
    Ok(ChannelSettings {
        transforms: args.file.as_deref().map(read).transpose()?,
        script: script.map(|source| ScriptSettings { source, on_error: ScriptFailure::Refuse }),
        ..ChannelSettings::default()
    })
}

fn read(path: &Path) -> CliResult<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    Ok(std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?)
}

/// The error as editors and people find it: `file:line:column: what`.
fn named(args: &TestArgs, error: TransformError) -> CliError {
    let file = match error.field.as_str() {
        "transforms" => args.file.as_ref(),
        "script" => args.script.as_ref(),
        _ => None,
    };
    match (file, error.line, error.column) {
        (Some(file), Some(line), Some(column)) => {
            let step = error.step.map(|step| format!("{step}: ")).unwrap_or_default();
            format!("{}:{line}:{column}: {step}{}", file.display(), error.message).into()
        }
        _ => error.into(),
    }
}

fn sample(args: &TestArgs) -> CliResult<Sample> {
    let kinds: [(&Option<PathBuf>, SampleKind); 3] = [
        (&args.request, SampleKind::Request),
        (&args.response, SampleKind::Response),
        (&args.event, SampleKind::Event),
    ];
    let given = kinds.into_iter().find_map(|(path, kind)| Some((path.as_deref()?, kind)));
    let (path, kind) = given.ok_or("name a sample: --request, --response or --event")?;
    let shown = path.display();
    let body: Value = serde_json::from_str(&read(path)?).map_err(|e| format!("{shown} is not JSON: {e}"))?;
    let dialect = args.dialect.0;
    let mut endpoint = Sample::endpoint_of(args.upstream_dialect.map_or(dialect, |d| d.0));
    if let Some(operation) = args.operation {
        endpoint.operation = operation;
    }
    let in_body = body.get("model").and_then(Value::as_str);
    let model = args.model.clone().or_else(|| in_body.map(str::to_owned)).unwrap_or_default();
    let asks = body.get("stream") == Some(&Value::Bool(true));
    let streamed = args.streamed || kind == SampleKind::Event || asks || streams(endpoint.operation);
    Ok(Sample {
        kind,
        headers: args.headers.iter().cloned().collect::<HeaderMap>(),
        endpoint,
        dialect,
        upstream_model: args.upstream_model.clone().unwrap_or_else(|| model.clone()),
        model,
        streamed,
        status: args.status,
        channel: args.channel.clone().unwrap_or_else(|| "test".to_owned()),
        body,
    })
}

fn streams(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::StreamGenerateContent | Operation::InvokeStream | Operation::ConverseStream
    )
}

/// `name: value`.
pub(super) fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write name:value")?;
    let name = name.trim().parse().map_err(|_| "this is no header's name".to_owned())?;
    Ok((name, value.trim().parse().map_err(|_| "the value has a control character".to_owned())?))
}

fn lines(run: &DryRun) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &run.steps {
        let what = match step.changes {
            None => "its condition does not hold".to_owned(),
            Some(0) => "changes nothing".to_owned(),
            Some(1) => "changes 1 place".to_owned(),
            Some(n) => format!("changes {n} places"),
        };
        lines.push(format!("{}  {}: {what}", step.step, step.what));
    }
    if let Some(text) = &run.refused {
        lines.push(format!("the script refuses the request: {text}"));
    } else if run.before == run.after && run.headers_before == run.headers_after {
        lines.push("nothing changes".to_owned());
    } else {
        lines.push(String::new());
        lines.extend(run.diff().lines().map(str::to_owned));
    }
    lines
}

//! The translation matrix: official SDKs as callers in six dialects, strict fakes of six providers, and the gateway
//! between them. Every cell is proved by an SDK that cannot tell, or stands in a list with its reason.
//!
//! `BURNCLOUD_WRITE_DOCS=1` writes the table to `docs/translation-matrix.md`; else the table must be what stands
//! there. `BURNCLOUD_MATRIX=diagonal`, or pairs such as `chat>gemini,anthropic>chat`, runs only these and compares
//! nothing.
#![allow(clippy::unwrap_used, reason = "this whole package is tests: an unwrap is the assertion")]

mod limits;
mod table;

use burncloud_tests::config::{Channel, Config, Key, secret_of};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::provider::{Provider, usage};
use burncloud_tests::raw::Request;
use burncloud_tests::sdk::matrix_caller;
use burncloud_tests::upstream::{Behaviour, Upstream};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is tried in each pair, and the heading of its column.
const SCENARIOS: [(&str, &str); 22] = [
    ("text", "text"),
    ("stream", "stream"),
    ("dialogue", "dialogue"),
    ("one_tool", "tool"),
    ("one_tool_stream", "tool, streamed"),
    ("parallel_tools", "parallel tools"),
    ("parallel_tools_stream", "parallel, streamed"),
    ("agent", "agent loop"),
    ("image", "image"),
    ("reasoning", "reasoning"),
    ("reasoning_stream", "reasoning, streamed"),
    ("json_schema", "JSON schema"),
    ("length", "stop: length"),
    ("stop_sequence", "stop: sequence"),
    ("refusal", "stop: filter"),
    ("usage", "usage"),
    ("usage_stream", "usage, streamed"),
    ("error_400", "400"),
    ("error_429", "429"),
    ("overload", "overload"),
    ("cut", "cut stream"),
    ("error_mid_stream", "error in stream"),
];

/// The scripts, and the dialects of which each is a caller.
const CALLERS: [(&str, &[Provider]); 8] = [
    ("matrix_openai.py", &[Provider::Chat, Provider::Responses]),
    ("matrix_anthropic.py", &[Provider::Anthropic]),
    ("matrix_google.py", &[Provider::Gemini]),
    ("matrix_cohere.py", &[Provider::Cohere]),
    ("matrix_bedrock.py", &[Provider::Bedrock]),
    ("matrix_langchain.py", &[Provider::Chat, Provider::Responses, Provider::Anthropic]),
    ("matrix_official.mjs", &[Provider::Chat, Provider::Responses, Provider::Anthropic]),
    ("matrix_ai.mjs", &[Provider::Chat, Provider::Responses, Provider::Anthropic, Provider::Gemini]),
];

/// A pair and a scenario.
type Cell = (Provider, Provider, &'static str);

/// What one SDK found in one cell.
#[derive(Clone, Debug)]
struct Found {
    sdk: String,
    /// `None`: the SDK has no such thing.
    ok: Option<bool>,
    detail: String,
}

type Results = BTreeMap<Cell, Vec<Found>>;

/// Which pairs are asked for; all of them unless `BURNCLOUD_MATRIX` says otherwise.
fn wanted(caller: Provider, provider: Provider) -> bool {
    match std::env::var("BURNCLOUD_MATRIX").as_deref() {
        Err(_) => true,
        Ok("diagonal") => caller == provider,
        Ok(pairs) => pairs.split(',').any(|pair| pair == format!("{}>{}", caller.name(), provider.name())),
    }
}

struct Stage {
    provider: Provider,
    gateway: Gateway,
    upstream: Upstream,
    orders: Value,
}

fn channel(provider: Provider, url: &str) -> Channel {
    let kind = match provider {
        Provider::Chat | Provider::Responses => "openai",
        Provider::Anthropic => "anthropic",
        Provider::Gemini => "gemini",
        Provider::Cohere => "cohere",
        Provider::Bedrock => "bedrock",
    };
    let models: Vec<String> =
        SCENARIOS.iter().map(|(scenario, _)| format!("{}-{scenario}", provider.model())).collect();
    let channel = Channel::new("matrix", kind, url).models(models.iter().map(String::as_str));
    match provider {
        Provider::Chat => channel.line("options = { api = \"chat\" }"),
        Provider::Responses => channel.line("options = { api = \"responses\" }"),
        Provider::Bedrock => channel.line("options = { region = \"us-east-1\", anthropic = \"converse\" }"),
        _ => channel,
    }
}

impl Stage {
    async fn start(provider: Provider) -> Self {
        let upstream = Upstream::start().await;
        upstream.always(Behaviour::Strict(provider));
        let config = Config::new().channel(channel(provider, &upstream.url())).key(Key::new("dev"));
        let gateway = Gateway::start(config).await;
        let aws = aws_pair(&gateway).await;
        let orders = json!({"base": gateway.url(), "key": secret_of("dev"), "provider": provider.name(),
            "model": provider.model(), "aws": aws});
        Self { provider, gateway, upstream, orders }
    }

    /// The orders for a caller in `dialects`; `None` when nothing is wanted of it.
    fn orders(&self, dialects: &[Provider]) -> Option<Value> {
        let mut scenarios = serde_json::Map::new();
        for caller in dialects.iter().filter(|caller| wanted(**caller, self.provider)) {
            let supported = SCENARIOS.iter().map(|(scenario, _)| *scenario);
            let supported: Vec<&str> =
                supported.filter(|one| limits::unsupported(*caller, self.provider, one).is_none()).collect();
            scenarios.insert(caller.name().to_owned(), json!(supported));
        }
        if scenarios.is_empty() {
            return None;
        }
        let mut orders = self.orders.clone();
        orders["scenarios"] = Value::Object(scenarios);
        Some(orders)
    }
}

impl Stage {
    /// Whoever asked, and in whatever dialect: the receipts of the scenario `usage` count the same tokens. Returns
    /// those that do not.
    async fn other_bills(&self) -> Vec<String> {
        let reasoning = if self.provider == Provider::Bedrock { 0 } else { usage::REASONING };
        // What Cohere has cached it charges in full.
        let cached = if self.provider == Provider::Cohere { 0 } else { usage::CACHED };
        let want = json!([usage::INPUT - cached, cached, usage::OUTPUT - reasoning, reasoning]);
        let model = format!("{}-usage", self.provider.model());
        let mut receipts = self.gateway.receipts().await;
        // A request that no provider answered has nothing to count; the table tells of it.
        receipts.retain(|receipt| receipt["model"] == model.as_str() && receipt["status"] == 200);
        let other = receipts.iter().filter(|receipt| {
            let have = ["input", "cached_read", "output", "reasoning"].map(|class| &receipt["usage"][class]);
            json!(have) != want
        });
        other.map(|receipt| format!("receipt at {}, want {want}: {receipt}", self.provider.name())).collect()
    }
}

/// A key pair with which a caller of Bedrock signs as the key `dev`; null where the tool gives none.
async fn aws_pair(gateway: &Gateway) -> Value {
    let output = gateway.run(&["keys", "aws", "dev", "--format", "json"]).await;
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let (id, secret) = (&printed["access_key_id"], &printed["secret_access_key"]);
    if id.is_string() && secret.is_string() { json!({"id": id, "secret": secret}) } else { Value::Null }
}

/// The scenario under its own name, with the lifetime of the table.
fn scenario(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(scenario, _)| *scenario == name).map(|(scenario, _)| *scenario)
}

fn record(
    results: &mut Results,
    provider: Provider,
    dialects: &[Provider],
    file: &str,
    lines: Result<Vec<Value>, String>,
) {
    match lines {
        Ok(lines) => {
            for line in lines {
                let caller = Provider::ALL.into_iter().find(|one| line["dialect"] == one.name());
                let scenario = line["scenario"].as_str().and_then(scenario);
                let (Some(caller), Some(scenario)) = (caller, scenario) else { panic!("{file}: {line}") };
                let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
                let found = Found { sdk: text("caller"), ok: line["ok"].as_bool(), detail: text("detail") };
                results.entry((caller, provider, scenario)).or_default().push(found);
            }
        }
        Err(why) => {
            for caller in dialects.iter().filter(|caller| wanted(**caller, provider)) {
                let found = Found { sdk: file.to_owned(), ok: Some(false), detail: why.clone() };
                results.entry((*caller, provider, "text")).or_default().push(found);
            }
        }
    }
}

async fn run(stages: &[Stage], results: &mut Results) {
    let jobs = stages.iter().flat_map(|stage| CALLERS.map(|(file, dialects)| (stage, file, dialects)));
    let running = jobs.filter_map(|(stage, file, dialects)| {
        let orders = stage.orders(dialects)?;
        Some(async move { (stage.provider, file, dialects, matrix_caller(file, &orders).await) })
    });
    // Two or three at a time: each is a process of its own.
    let done: Vec<_> = stream::iter(running).buffer_unordered(3).collect().await;
    for (provider, file, dialects, lines) in done {
        record(results, provider, dialects, file, lines);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the table is what this test is for")]
async fn every_caller_reaches_every_provider() {
    if let Err(why) = burncloud_tests::sdk::matrix_ready() {
        return burncloud_tests::skip("the translation matrix", &why);
    }
    let mut stages = Vec::new();
    let mut results = Results::new();
    for provider in Provider::ALL.into_iter().filter(|one| Provider::ALL.into_iter().any(|c| wanted(c, *one)))
    {
        // A gateway that does not start fails its own column, not the others.
        match tokio::spawn(Stage::start(provider)).await {
            Ok(stage) => stages.push(stage),
            Err(why) => record(&mut results, provider, &Provider::ALL, "burncloud", Err(why.to_string())),
        }
    }
    run(&stages, &mut results).await;
    let mut failures = table::failures(&results);
    for stage in &stages {
        stage.gateway.idle().await;
        assert!(stage.upstream.served() > 0, "{} was never asked", stage.provider.name());
        failures.extend(stage.other_bills().await);
    }
    let text = table::render(&results);
    println!("{text}");
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    if std::env::var_os("BURNCLOUD_MATRIX").is_none() {
        table::compare(&text);
    }
}

/// What a dialect has no place for is not lost in silence.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_is_named() {
    if !wanted(Provider::Chat, Provider::Responses) {
        return;
    }
    let stage = Stage::start(Provider::Responses).await;
    let body = json!({"model": format!("{}-usage", Provider::Responses.model()), "stop": ["END"],
        "messages": [{"role": "user", "content": "scenario:usage"}]});
    let answer = stage.gateway.ask("dev", Request::json("/v1/chat/completions", &body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let dropped = answer.headers.get("x-burncloud-dropped").unwrap_or_default();
    assert!(dropped.contains("stop"), "the header says `{dropped}`");
}

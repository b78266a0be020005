//! What is charged for answers that do not come to their end: every abnormal end, in every dialect, under every policy,
//! over real sockets, to the nano-dollar.
//!
//! `BURNCLOUD_WRITE_DOCS=1` writes the table to `docs/aborts.md`; else the table must be what stands there.
#![allow(clippy::unwrap_used, reason = "this whole package is tests: an unwrap is the assertion")]

mod cases;
mod speech;
mod table;

use burncloud_tests::config::{Channel, Config, Key, secret_of};
use burncloud_tests::eventually;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::Connection;
use burncloud_tests::upstream::{Behaviour, Upstream};
use cases::{Caller, Case, cases};
use futures_util::future::join_all;
use serde_json::Value;
use speech::Dialect;

/// What a plan says of aborted answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Policy {
    Delivered,
    Reported,
    Nothing,
}

impl Policy {
    pub(crate) const ALL: [Policy; 3] = [Policy::Delivered, Policy::Reported, Policy::Nothing];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Policy::Delivered => "delivered",
            Policy::Reported => "reported",
            Policy::Nothing => "nothing",
        }
    }
}

/// What a receipt says, and must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) end: String,
    pub(crate) abort: Option<String>,
    pub(crate) source: String,
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) charge: i64,
}

impl Said {
    fn of(receipt: &Value) -> Said {
        let text = |key: &str| receipt[key].as_str().map(str::to_owned);
        let count = |key: &str| receipt["usage"][key].as_u64().unwrap();
        Said {
            end: text("end").unwrap(),
            abort: text("abort"),
            source: text("usage_source").unwrap(),
            input: count("input"),
            output: count("output"),
            charge: receipt["charge_nano"].as_i64().unwrap(),
        }
    }
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) policy: Policy,
    pub(crate) said: Said,
}

/// Nano-dollars for a token, in and out, of the models whose price the file sets.
pub(crate) const PRICE: (i64, i64) = (2_000, 10_000);

/// The model of a dialect's ordinary cases; `-silent` and `-retry` are appended for the others.
pub(crate) fn model(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat => "tale-chat",
        Dialect::Responses => "tale-responses",
        Dialect::Anthropic => "tale-anthropic",
        Dialect::Gemini => "tale-gemini",
        Dialect::Cohere => "tale-cohere",
        Dialect::Bedrock => "tale-bedrock",
    }
}

/// The models that the two channels of a retry ask for, and the published price of the second, for a token.
pub(crate) fn retried(dialect: Dialect) -> (&'static str, &'static str, (i64, i64)) {
    match dialect {
        Dialect::Chat | Dialect::Responses => ("gpt-4o", "gpt-4o-mini", (150, 600)),
        Dialect::Anthropic => ("claude-sonnet-4-5", "claude-haiku-4-5", (1_000, 5_000)),
        Dialect::Gemini => ("gemini-2.5-pro", "gemini-2.5-flash", (300, 2_500)),
        Dialect::Cohere => ("command-a-03-2025", "command-r-08-2024", (150, 600)),
        Dialect::Bedrock => (
            "anthropic.claude-3-5-sonnet-20240620-v1:0",
            "anthropic.claude-3-haiku-20240307-v1:0",
            (250, 1_250),
        ),
    }
}

fn channel(dialect: Dialect, name: &str, url: &str) -> Channel {
    let kind = match dialect {
        Dialect::Chat | Dialect::Responses => "openai",
        Dialect::Anthropic => "anthropic",
        Dialect::Gemini => "gemini",
        Dialect::Cohere => "cohere",
        Dialect::Bedrock => "bedrock",
    };
    let channel = Channel::new(&format!("{name}-{}", model(dialect)), kind, url);
    match dialect {
        Dialect::Chat => channel.line("options = { api = \"chat\" }"),
        Dialect::Responses => channel.line("options = { api = \"responses\" }"),
        Dialect::Bedrock => channel.line("options = { region = \"us-east-1\", anthropic = \"converse\" }"),
        _ => channel,
    }
}

fn price(model: &str) -> String {
    format!("[[prices]]\nmodel = \"{model}\"\ninput = \"2.00\"\noutput = \"10.00\"")
}

fn config(policy: Policy, upstreams: &[(Dialect, Upstream)]) -> Config {
    // The key's quota is for the holds: money is reserved for each request, and all of it comes back.
    let mut config = Config::new().key(Key::new("dev").line("quota_usd = \"1000.00\""));
    config = config.section(&match policy {
        Policy::Reported => "[billing]\nabort = \"reported\"\ndrain_ms = 60000".to_owned(),
        other => format!("[billing]\nabort = \"{}\"", other.name()),
    });
    for (dialect, upstream) in upstreams {
        let (main, url) = (model(*dialect), upstream.url());
        let (silent, retry) = (format!("{main}-silent"), format!("{main}-retry"));
        let (first, second, _) = retried(*dialect);
        let maps = |to: &str| format!("model_mapping = {{ \"{retry}\" = \"{to}\" }}");
        let impatient = "timeouts = { idle_ms = 400 }";
        config = config
            .section(&price(main))
            .section(&price(&silent))
            .channel(channel(*dialect, "main", &url).models([main]))
            .channel(channel(*dialect, "silent", &url).models([&*silent]).line(impatient))
            .channel(channel(*dialect, "first", &url).line("priority = 1").line(&maps(first)))
            .channel(channel(*dialect, "second", &url).line(&maps(second)));
    }
    config
}

async fn gauge(gateway: &Gateway, name: &str, want: f64) {
    eventually(&format!("{name} is {want}"), || async { gateway.metric(name).await == Some(want) }).await;
}

async fn play(gateway: &Gateway, upstream: &Upstream, policy: Policy, case: Case) {
    for behaviour in case.before {
        upstream.next(behaviour);
    }
    upstream.next(Behaviour::Acts(case.acts));
    let asked = upstream.served() + case.attempts;
    let mut connection = Connection::open(gateway.addr()).await.unwrap();
    connection.write(&case.ask.bearer(&secret_of("dev")).encode()).await.unwrap();
    eventually("the provider is asked", || async { upstream.served() == asked }).await;
    match case.caller {
        Caller::Leaves(bytes) => {
            if bytes > 0 {
                assert_eq!(connection.head().await.unwrap().0, 200, "{}", case.title);
                read(&mut connection, bytes, case.streamed).await;
            }
            connection.hang_up();
            if policy == Policy::Reported {
                gauge(gateway, "burncloud_drains", 1.0).await;
                upstream.open_gate(1);
            }
        }
        Caller::Stays => {
            let _ = connection.response().await;
        }
        Caller::StaysPast(bytes) => {
            let (_, headers) = connection.head().await.unwrap();
            read(&mut connection, bytes, case.streamed).await;
            upstream.open_gate(1);
            let _ = connection.rest(&headers).await;
        }
    }
    gauge(gateway, "burncloud_unsettled_requests", 0.0).await;
    gauge(gateway, "burncloud_drains", 0.0).await;
}

/// Reads so many bytes of a body: what the caller has, the gateway has seen.
async fn read(connection: &mut Connection, bytes: usize, streamed: bool) {
    if !streamed {
        connection.bytes(bytes).await.unwrap();
        return;
    }
    let mut have = 0;
    while have < bytes {
        let chunk = connection.chunk().await.unwrap().expect("the stream goes on");
        assert!(!chunk.is_empty(), "the stream ended after {have} of {bytes} bytes");
        have += chunk.len();
    }
}

/// Everything under one policy, at one gateway.
async fn run(policy: Policy) -> Vec<Row> {
    let mut upstreams = Vec::new();
    for dialect in Dialect::ALL {
        upstreams.push((dialect, Upstream::start().await));
    }
    let gateway = Gateway::start(config(policy, &upstreams)).await;
    let mut expected = Vec::new();
    for (dialect, upstream) in &upstreams {
        for case in cases(*dialect, policy) {
            expected.push((case.title, *dialect, case.expect.clone(), case.attempts));
            play(&gateway, upstream, policy, case).await;
        }
    }
    gateway.idle().await;
    let receipts = gateway.receipts_when(expected.len()).await;
    let mut wrong = Vec::new();
    let mut rows = Vec::new();
    for ((title, dialect, expect, attempts), receipt) in expected.into_iter().zip(&receipts) {
        let said = Said::of(receipt);
        let lines = receipt["lines"].as_array().unwrap();
        let sum: i64 = lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum();
        if said != expect || sum != said.charge || receipt["attempts"].as_array().unwrap().len() != attempts {
            wrong.push(format!(
                "{title}, {dialect:?}, {policy:?}\n want {expect:?}\n have {said:?}\n {receipt}"
            ));
        }
        rows.push(Row { title, dialect, policy, said });
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    let charged: i64 = rows.iter().map(|row| row.said.charge).sum();
    let shown = gateway.cli(&["keys", "show", "dev"]).await;
    assert_eq!(shown["used"].as_i64(), Some(charged), "the key's account and its receipts agree: {shown}");
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_abnormal_end_is_charged_as_its_policy_says() {
    let rows = join_all(Policy::ALL.map(run)).await;
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    table::compare(&table::render(&rows));
}

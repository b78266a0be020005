//! The load: a closed loop of one request at a time on each of some connections, every answer checked.

mod body;
mod worker;

use std::{
    cell::RefCell,
    fs,
    net::SocketAddr,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Uri, uri::Authority};
use serde::{Deserialize, Serialize};
use tokio::task::LocalSet;

use crate::{Error, cells, net, report, stats::percentile};

/// The environment variable that holds the caller's key.
pub(crate) const KEY_VARIABLE: &str = "BENCH_KEY";
/// Errors after which a load gives up: more of them say nothing new.
const MAX_ERRORS: u64 = 100;

/// Whom to load, with what, for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Host and port of the server to load
    #[arg(long, default_value = "127.0.0.1:3000")]
    target: SocketAddr,
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How long to load, in seconds
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Stop after so many requests, even if there is time left
    #[arg(long)]
    requests: Option<u64>,
    /// File that holds the request's body
    #[arg(long, conflicts_with_all = ["body_bytes", "model", "stream"])]
    body: Option<PathBuf>,
    /// Length of the body to make up when no file is given
    #[arg(long, default_value_t = 1024)]
    body_bytes: usize,
    /// Model named by the body that is made up
    #[arg(long, default_value = cells::MODEL)]
    model: String,
    /// Ask for a stream
    #[arg(long)]
    stream: bool,
    /// Speak Anthropic's dialect rather than OpenAI's
    #[arg(long)]
    messages: bool,
    /// Length that every answer's body must have; without it, the length of the first
    #[arg(long)]
    expect_bytes: Option<u64>,
    /// Caller's key, sent as a bearer token
    #[arg(long, env = KEY_VARIABLE, hide_env_values = true, default_value = "none")]
    key: String,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// What a load measured. Times are in nanoseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Requests answered as they should be.
    pub(crate) requests: u64,
    /// Requests that were not: another status than 200, another length, or a connection lost.
    pub(crate) errors: u64,
    /// What the first of them were.
    pub(crate) failures: Vec<String>,
    /// From the first request to the last answer.
    pub(crate) elapsed_ns: u64,
    /// Length of an answer's body.
    pub(crate) body_bytes: u64,
    /// From the sending of a request to the last byte of its answer.
    pub(crate) latency: Quantiles,
    /// From the sending of a request to the first byte of its answer's body.
    pub(crate) first_byte: Quantiles,
    /// From the sending of a stamped chunk by the upstream to its receipt; zero where none was stamped.
    pub(crate) chunk: Quantiles,
}

impl Report {
    /// Requests answered per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / Duration::from_nanos(self.elapsed_ns.max(1)).as_secs_f64()
    }
}

/// The middle and the tail of what was measured, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    /// Half of the values are no greater.
    pub(crate) p50: u64,
    /// All but one in a hundred are no greater.
    pub(crate) p99: u64,
}

impl Quantiles {
    fn of(values: &mut [u64]) -> Self {
        values.sort_unstable();
        Self { p50: percentile(values, 50), p99: percentile(values, 99) }
    }
}

/// What all connections share: the request, and what was seen so far.
#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    uri: Uri,
    host: HeaderValue,
    authorization: HeaderValue,
    body: Bytes,
    deadline: Instant,
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Requests that may still be begun.
    left: u64,
    requests: u64,
    errors: u64,
    failures: Vec<String>,
    body_bytes: Option<u64>,
    latency: Vec<u64>,
    first_byte: Vec<u64>,
    chunk: Vec<u64>,
}

impl Shared {
    fn new(args: &Args) -> Result<Self, Error> {
        let body = match &args.body {
            Some(path) => fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?,
            None if args.messages => cells::messages_body(args.body_bytes, &args.model, args.stream),
            None => cells::chat_body(args.body_bytes, &args.model, args.stream),
        };
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", args.key))?;
        authorization.set_sensitive(true);
        let seen = Seen {
            left: args.requests.unwrap_or(u64::MAX),
            body_bytes: args.expect_bytes,
            ..Seen::default()
        };
        Ok(Self {
            target: args.target,
            uri: Uri::from_static(if args.messages { "/v1/messages" } else { "/v1/chat/completions" }),
            host: HeaderValue::from_str(Authority::try_from(args.target.to_string())?.as_str())?,
            authorization,
            body: body.into(),
            deadline: Instant::now() + Duration::try_from_secs_f64(args.seconds)?,
            seen: RefCell::new(seen),
        })
    }

    /// Takes the right to send one more request.
    fn may_begin(&self) -> bool {
        let mut seen = self.seen.borrow_mut();
        let may = seen.left > 0 && seen.errors < MAX_ERRORS && Instant::now() < self.deadline;
        seen.left -= u64::from(may);
        may
    }
}

/// Loads the target and prints the report; fails if one answer was not as it should be.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let report = net::block_on(load(args))?;
    if args.json {
        report::say(&serde_json::to_string(&report)?)?;
    } else {
        report::say(&describe(&report))?;
    }
    if report.errors > 0 || report.requests == 0 {
        let first = report.failures.first().map_or("no request was answered", String::as_str);
        return Err(format!("{} of the answers were wrong, the first: {first}", report.errors).into());
    }
    Ok(())
}

async fn load(args: &Args) -> Result<Report, Error> {
    let shared = Rc::new(Shared::new(args)?);
    let begun = Instant::now();
    let local = LocalSet::new();
    for index in 0..args.connections {
        // Paced streams begun at one moment would send all their chunks at one moment.
        let stagger = Duration::from_micros(500) * u32::try_from(index % 10)?;
        local.spawn_local(worker::run(Rc::clone(&shared), stagger));
    }
    local.await;
    let elapsed = begun.elapsed();
    let mut seen = shared.seen.take();
    Ok(Report {
        requests: seen.requests,
        errors: seen.errors,
        failures: seen.failures,
        elapsed_ns: u64::try_from(elapsed.as_nanos())?,
        body_bytes: seen.body_bytes.unwrap_or(0),
        latency: Quantiles::of(&mut seen.latency),
        first_byte: Quantiles::of(&mut seen.first_byte),
        chunk: Quantiles::of(&mut seen.chunk),
    })
}

fn describe(report: &Report) -> String {
    let us = |ns: u64| ns as f64 / 1e3;
    let line = |name: &str, q: Quantiles| format!("{name}: p50 {:.1} µs, p99 {:.1} µs", us(q.p50), us(q.p99));
    let mut lines = vec![
        format!("{} requests, {} errors, {:.0}/s", report.requests, report.errors, report.per_second()),
        format!("{} bytes an answer", report.body_bytes),
        line("latency", report.latency),
        line("first byte", report.first_byte),
    ];
    if report.chunk.p99 > 0 {
        lines.push(line("each chunk", report.chunk));
    }
    lines.extend(report.failures.iter().map(|f| format!("failure: {f}")));
    lines.join("\n")
}

//! Recorded traffic of real providers through the gateway: the same bytes up, the same bytes down, and the counts
//! of the recording on the receipt.

use crate::oracle;
use burncloud_tests::config::{Channel, Config, Key, secret_of};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::http1::sse_frames;
use burncloud_tests::raw::{Request, Response};
use burncloud_tests::replay::{Fixture, corpus, read};
use burncloud_tests::upstream::{Recorded, Upstream};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Provider in the recordings, name in the configuration, where they differ and the provider has a row of its own.
/// Others have their own name, or speak OpenAI's protocol at an address of their own.
const NAMES: [(&str, &str); 2] = [("zai", "zhipu"), ("vercel-gateway", "vercel")];
/// Providers without a row of their own.
const UNNAMED: [&str; 3] = ["snowflake", "crusoe", "heroku"];

/// What follows the API root in the paths of DESIGN's endpoint list that these providers serve.
const OPERATIONS: [&str; 13] = [
    "chat/completions",
    "responses/input_tokens",
    "responses",
    "embeddings",
    "completions",
    "images/generations",
    "images/edits",
    "images/variations",
    "audio/speech",
    "audio/transcriptions",
    "audio/translations",
    "moderations",
    "rerank",
];

/// One exchange, placed: the channel's API root and the path that a caller of the gateway uses.
struct Placed {
    fixture: Fixture,
    root: String,
    caller_path: String,
}

/// Where `fixture` belongs; otherwise why it cannot run.
fn place(fixture: Fixture) -> Result<Placed, (String, Fixture)> {
    let path = fixture.path().to_owned();
    let skip = |why: &str, fixture: Fixture| Err((why.to_owned(), fixture));
    if ["azure", "vertex", "bedrock", "bedrock-mantle", "cohere", "voyage"].contains(&fixture.provider()) {
        return skip("a provider whose adapter comes later", fixture);
    }
    if fixture.method() != "POST" {
        return skip(&format!("{}: answered here, or not in the endpoint list", fixture.method()), fixture);
    }
    if fixture.model().is_empty() {
        return skip("names no model, so it cannot be routed", fixture);
    }
    let gemini = fixture.provider() == "gemini" && path.contains("/models/") && path.contains(':');
    if gemini || path == "/v1/messages" || path == "/v1/messages/count_tokens" {
        return Ok(Placed { root: String::new(), caller_path: path, fixture });
    }
    let Some(operation) = OPERATIONS.iter().find(|operation| path.ends_with(&format!("/{operation}"))) else {
        return skip(&format!("not in the endpoint list: {path}"), fixture);
    };
    let root = path.trim_end_matches(operation).trim_end_matches('/').to_owned();
    Ok(Placed { root, caller_path: format!("/v1/{operation}"), fixture })
}

fn caller_request(placed: &Placed) -> Request {
    let fixture = &placed.fixture;
    let query = fixture.query();
    let target =
        if query.is_empty() { placed.caller_path.clone() } else { format!("{}?{query}", placed.caller_path) };
    let mut headers = fixture.request_headers();
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".into(), "application/json".into()));
    }
    let body = fixture.request_body().unwrap_or_default();
    Request { method: "POST".into(), target, headers, body }.bearer(&secret_of("replay"))
}

/// Statuses that concern the channel, after which it may be left alone for a while: each gets a gateway of its own.
fn disturbs(fixture: &Fixture) -> bool {
    matches!(fixture.status(), 401 | 402 | 403 | 408 | 429 | 500..)
}

async fn gateway(upstream: &Upstream, group: &[Placed]) -> Gateway {
    let (provider, root) = (group[0].fixture.provider(), &group[0].root);
    let name = match provider {
        "perplexity" if root == "/v1" => "openai-compatible",
        "gemini" if root.ends_with("/openai") => "gemini-openai",
        unnamed if UNNAMED.contains(&unnamed) => "openai-compatible",
        other => NAMES.iter().find(|(recorded, _)| *recorded == other).map_or(other, |(_, name)| *name),
    };
    let models: BTreeSet<String> = group.iter().map(|placed| placed.fixture.model()).collect();
    let channel = Channel::new("recorded", name, &format!("{}{root}", upstream.url()))
        .models(models.iter().map(String::as_str));
    Gateway::start(Config::new().channel(channel).key(Key::new("replay"))).await
}

/// The request as it must arrive: untouched, but for usage asked for in a chat stream whose caller did not.
fn same_request(fixture: &Fixture, seen: &Recorded) -> Result<(), String> {
    let want_target = if fixture.query().is_empty() {
        fixture.path().to_owned()
    } else {
        format!("{}?{}", fixture.path(), fixture.query())
    };
    if seen.target != want_target {
        return Err(format!("asked at {}, recorded at {want_target}", seen.target));
    }
    let want = fixture.request_body().unwrap_or_default();
    if seen.body == want {
        return Ok(());
    }
    let mut parsed: Value =
        serde_json::from_slice(&want).map_err(|_| "a body that is not JSON was changed")?;
    let streams_chat = parsed["stream"] == true && parsed["stream_options"]["include_usage"] != true;
    if !streams_chat {
        return Err("the body was changed".into());
    }
    match &mut parsed["stream_options"] {
        Value::Object(options) => drop(options.insert("include_usage".into(), json!(true))),
        absent => *absent = json!({"include_usage": true}),
    }
    if seen.json() == parsed { Ok(()) } else { Err("more than stream_options was changed".into()) }
}

fn same_answer(fixture: &Fixture, seen: &Recorded, answer: &Response) -> Result<(), String> {
    if answer.status != fixture.status() {
        return Err(format!("status {} for {}: {}", answer.status, fixture.status(), answer.text()));
    }
    for (name, value) in fixture.response_headers() {
        if answer.headers.get(&name) != Some(value.as_str()) {
            return Err(format!("{name}: {:?} for {value:?}", answer.headers.get(&name)));
        }
    }
    let mut want = fixture.response_body();
    let asked_by_gateway = seen.body != fixture.request_body().unwrap_or_default();
    if asked_by_gateway {
        // A provider that reports usage unasked sends it in a chunk of its own: withheld with the one we asked for.
        let extra = |frame: &Vec<u8>| {
            let text = String::from_utf8_lossy(frame);
            let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or_default();
            let data: Value = serde_json::from_str(data.trim()).unwrap_or_default();
            data["usage"].is_object() && data["choices"].as_array().is_some_and(Vec::is_empty)
        };
        let kept: Vec<Vec<u8>> = sse_frames(&want).into_iter().filter(|frame| !extra(frame)).collect();
        want = kept.concat();
    }
    let got = answer.bytes();
    if got != want {
        let at = got.iter().zip(&want).take_while(|(got, want)| got == want).count();
        let near = |bytes: &[u8]| {
            String::from_utf8_lossy(&bytes[at.min(bytes.len())..]).chars().take(120).collect::<String>()
        };
        return Err(format!("bodies differ at byte {at}: {:?} for {:?}", near(&got), near(&want)));
    }
    Ok(())
}

fn same_counts(fixture: &Fixture, receipt: &Value) -> Result<(), String> {
    if fixture.api() == "count_tokens" {
        let free = receipt["charge_nano"] == 0;
        return if free { Ok(()) } else { Err(format!("a count is charged: {receipt}")) };
    }
    let (pieces, want) = (oracle::pieces_of_receipt(receipt), oracle::pieces(fixture));
    if pieces != want {
        return Err(format!("pieces {pieces:?}, recorded {want:?} ({:?})", oracle::BY_PIECE));
    }
    match oracle::reported(fixture) {
        Some(want) => {
            let got = oracle::of_receipt(receipt);
            if got != want {
                return Err(format!("tokens {got:?}, recorded {want:?} ({:?})", oracle::CLASSES));
            }
            let known = receipt["usage_source"] == "reported" || want.iter().sum::<u64>() == 0;
            if known { Ok(()) } else { Err(format!("source {} though reported", receipt["usage_source"])) }
        }
        // Without tokens, pictures are counted by the piece and speech by its length: reported, in another unit.
        None if receipt["usage_source"] == "reported" && !in_other_units(receipt) => {
            Err(format!("nothing was reported, but: {}", receipt["usage"]))
        }
        None => Ok(()),
    }
}

fn in_other_units(receipt: &Value) -> bool {
    let some = |class: &str| receipt["usage"][class].as_u64().is_some_and(|count| count > 0);
    oracle::of_receipt(receipt).iter().sum::<u64>() == 0 && (some("pieces") || some("audio_ms"))
}

/// A whole recording of an answer ends as one, unless the provider itself reported an error in the middle of it.
fn same_end(fixture: &Fixture, receipt: &Value) -> Result<(), String> {
    if is_of_credential(fixture) {
        return Ok(());
    }
    let broke =
        fixture.streamed() && fixture.documents().iter().any(|document| document["error"].is_object());
    let want = if broke { "upstream_error" } else { "finished" };
    if receipt["end"] == want { Ok(()) } else { Err(format!("ended as {}, not {want}", receipt["end"])) }
}

/// A fault of the channel's own credential does not reach the caller: 502 without a word of it.
fn is_of_credential(fixture: &Fixture) -> bool {
    matches!(fixture.status(), 401..=403)
}

/// Replays one exchange: its trace id, for the receipt, and what was not as recorded.
async fn run(upstream: &Upstream, gateway: &Gateway, placed: &Placed) -> (String, Vec<String>) {
    let fixture = &placed.fixture;
    upstream.always(fixture.answer());
    let before = upstream.served();
    let answer = caller_request(placed).send(gateway.addr()).await;
    let mut faults = Vec::new();
    if let Some(seen) = upstream.requests().get(before) {
        faults.extend(same_request(fixture, seen).err());
        if !is_of_credential(fixture) {
            faults.extend(same_answer(fixture, seen, &answer).err());
        } else if answer.status != 502 {
            faults.push(format!("{} instead of 502", answer.status));
        }
    } else {
        faults.push(format!("the provider was not asked: {} {}", answer.status, answer.text()));
    }
    (answer.trace_id(), faults)
}

/// Runs a group on a gateway of its own; what went wrong, by name.
async fn run_group(group: Vec<Placed>) -> Vec<String> {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, &group).await;
    let mut faults = Vec::new();
    let mut traces = Vec::new();
    for placed in &group {
        let (trace, found) = run(&upstream, &gateway, placed).await;
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", placed.fixture.name)));
        traces.push(trace);
    }
    gateway.idle().await;
    let receipts = gateway.receipts_when(group.len()).await;
    let by_trace: BTreeMap<&str, &Value> =
        receipts.iter().map(|receipt| (receipt["trace_id"].as_str().unwrap_or_default(), receipt)).collect();
    for (placed, trace) in group.iter().zip(&traces) {
        let fault = match by_trace.get(trace.as_str()) {
            Some(receipt) => {
                same_counts(&placed.fixture, receipt).and(same_end(&placed.fixture, receipt)).err()
            }
            None => Some("no receipt".to_owned()),
        };
        faults.extend(fault.map(|fault| format!("{}: {fault}", placed.fixture.name)));
    }
    faults
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr, reason = "says what ran and why the rest did not")]
async fn recorded_traffic_passes_untouched_and_is_counted() {
    let Some(corpus) = corpus() else {
        burncloud_tests::skip("replay", "there is no ../shared/fixtures/corpus");
        return;
    };
    let only = std::env::var("BURNCLOUD_REPLAY").unwrap_or_default();
    let mut groups: BTreeMap<(String, String, usize), Vec<Placed>> = BTreeMap::new();
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let (mut ran, mut alone) = (0, 0);
    for fixture in read(&corpus).into_iter().filter(|fixture| fixture.name.contains(&only)) {
        match place(fixture) {
            Ok(placed) => {
                ran += 1;
                alone += usize::from(disturbs(&placed.fixture));
                let own = if disturbs(&placed.fixture) { alone } else { 0 };
                let key = (placed.fixture.provider().to_owned(), placed.root.clone(), own);
                groups.entry(key).or_default().push(placed);
            }
            Err((why, _)) => *skipped.entry(why).or_default() += 1,
        }
    }
    eprintln!("replaying {ran} recorded exchanges");
    for (why, count) in &skipped {
        eprintln!("skipped {count}: {why}");
    }
    let mut faults = Vec::new();
    for group in groups.into_values() {
        faults.extend(run_group(group).await);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(ran > 0, "nothing was replayed");
}

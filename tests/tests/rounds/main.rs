//! A hundred rounds of load, each with a disturbance and a `kill -9` at a random moment: nothing older than the commit
//! window is lost, nothing is billed twice, the ledger balances after each, and whatever was refused says why.
//!
//! The data lies on a small file system in memory of its own, so that it can run out of space. Making one takes root; without
//! it the disk does not fill up, and the test says so.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

mod disturb;

use burncloud_tests::config::{Channel, Config, Key, secret_of};
use burncloud_tests::gateway::{Gateway, Home};
use burncloud_tests::http1::Ended;
use burncloud_tests::raw::{Request, Response};
use burncloud_tests::upstream::Upstream;
use disturb::{Disk, Disturbance};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ROUNDS: usize = 100;
const CALLERS: usize = 6;
const MODEL: &str = "gpt-4o-mini";
/// The journal commits every 5 ms here; the rest is what a loaded machine takes to schedule that.
const WINDOW: Duration = Duration::from_millis(400);

/// What callers saw.
#[derive(Default)]
struct Seen {
    /// Trace ids of whole answers, and when each was complete.
    answered: HashMap<String, Instant>,
    /// Requests that were refused, by disturbance, status and code.
    refused: BTreeMap<(&'static str, u16, String), usize>,
    /// Requests whose connection broke, as the server was killed.
    broken: usize,
}

struct Load {
    addr: SocketAddr,
    sent: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    disturbance: &'static str,
}

fn ask(number: usize, trace: &str) -> Request {
    let mut body = json!({"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}], "user": trace});
    if number.is_multiple_of(2) {
        body["stream"] = json!(true);
    }
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    Request::json("/v1/chat/completions", &body).header("traceparent", &parent).bearer(&secret_of("dev"))
}

impl Load {
    async fn run(self) {
        while !self.stop.load(SeqCst) {
            let number = self.sent.fetch_add(1, SeqCst) + 1;
            let trace = format!("{:032x}", 0xb0_0000_0000_u64 + number as u64);
            let answer = ask(number, &trace).try_send(self.addr).await;
            if self.note(trace, answer) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Notes an answer, or that there was none; whether it was a refusal.
    fn note(&self, trace: String, answer: std::io::Result<Response>) -> bool {
        let mut seen = self.seen.lock().unwrap();
        match answer {
            Err(_) => seen.broken += 1,
            Ok(answer) if answer.status == 200 => {
                if answer.body.ended == Ended::Complete {
                    seen.answered.insert(trace, Instant::now());
                }
            }
            Ok(answer) => {
                let code = answer.json()["error"]["code"].as_str().unwrap_or("none").to_owned();
                let told = answer.headers.get("retry-after").is_some();
                assert!(told, "a refusal says when to come again: {}", answer.text());
                *seen.refused.entry((self.disturbance, answer.status, code)).or_default() += 1;
                return true;
            }
        }
        false
    }
}

/// A number from nowhere, below `most`.
fn random(most: u64) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish() % most
}

/// `burncloud ledger verify`: exit status 0, or the first difference.
async fn verify(gateway: &Gateway, when: &str) {
    let output = gateway.run(&["ledger", "verify"]).await;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{when}: {out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_kills_and_disturbances_lose_and_double_nothing() {
    let disk = Disk::new();
    let upstream = Upstream::start().await;
    let config = Config::new()
        .channel(Channel::new("main", "openai", &upstream.url()).models([MODEL]))
        .key(Key::new("dev"))
        .journal("commit_ms = 5");
    let mut gateway = Gateway::start_at(config, Home { parent: disk.path(), log: "warn" }).await;
    let (sent, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Seen::default())));
    let mut kills = Vec::new();
    for round in 0..ROUNDS {
        let disturbance = Disturbance::of(round, &disk);
        let stop = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (addr, sent, stop, seen) = (gateway.addr(), sent.clone(), stop.clone(), seen.clone());
                tokio::spawn(Load { addr, sent, stop, seen, disturbance: disturbance.name() }.run())
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50 + random(150))).await;
        let disturbed = disturbance.begin(gateway.folder(), &disk);
        // Now and then it is over before the kill, now and then not.
        tokio::time::sleep(Duration::from_millis(50 + random(400))).await;
        let disturbed =
            if random(2) == 0 { disturbed.map(disturb::Disturbed::end).and(None) } else { disturbed };
        tokio::time::sleep(Duration::from_millis(random(150))).await;
        let killed = Instant::now();
        gateway.kill().await;
        stop.store(true, SeqCst);
        for caller in callers {
            caller.await.unwrap();
        }
        if let Some(disturbed) = disturbed {
            disturbed.end();
        }
        verify(&gateway, &format!("round {round}, {}, killed", disturbance.name())).await;
        gateway.restart().await;
        kills.push(Life { killed, restarted: Instant::now(), disturbance });
    }
    gateway.idle().await;
    let receipts = settled(&gateway).await;
    verify(&gateway, "at the end").await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    check_answers(&seen, &receipts, &kills);
    check_provider(&upstream, &receipts, &kills);
    report(&seen, &receipts);
}

/// The end of one life of the server.
struct Life {
    killed: Instant,
    restarted: Instant,
    disturbance: Disturbance,
}

/// The life in which something happened, and how long before its end; `None` in the last one. An answer may lie in a socket a
/// while before its caller reads it: what is seen between a kill and the restart was sent just before the kill.
fn age(at: Instant, kills: &[Life]) -> Option<(Duration, Disturbance)> {
    let life = kills.iter().find(|life| life.restarted >= at)?;
    Some((life.killed.saturating_duration_since(at), life.disturbance))
}

/// Whether it is certain to be durable: older than the commit window, and on a disk that takes it.
fn safe(at: Instant, kills: &[Life]) -> bool {
    age(at, kills).is_none_or(|(age, disturbance)| age > WINDOW && disturbance != Disturbance::DiskFull)
}

fn check_answers(seen: &Seen, receipts: &[Value], kills: &[Life]) {
    let by_trace = one_each(receipts);
    assert!(seen.answered.len() > ROUNDS * 5, "there was load: {} answers", seen.answered.len());
    let end = |trace: &str| by_trace.get(trace).map_or("none", |receipt| receipt["end"].as_str().unwrap());
    for (trace, at) in seen.answered.iter().filter(|(trace, _)| end(trace) != "finished") {
        let when = age(*at, kills).map(|(age, _)| age);
        assert!(!safe(*at, kills), "a settled receipt was lost, {when:?} before a kill: {trace}");
    }
    for (_, status, code) in seen.refused.keys() {
        assert_eq!((*status, code.as_str()), (503, "receipts_unavailable"), "{:?}", seen.refused);
    }
    let calm = seen.refused.keys().filter(|(disturbance, ..)| *disturbance != "disk full");
    assert_eq!(
        calm.count(),
        0,
        "a database that is away refuses nobody, only a disk that is full: {:?}",
        seen.refused
    );
}

fn check_provider(upstream: &Upstream, receipts: &[Value], kills: &[Life]) {
    let by_trace = one_each(receipts);
    let mut times = HashMap::new();
    for request in &upstream.requests() {
        let trace = request.json()["user"].as_str().unwrap().to_owned();
        assert!(times.insert(trace.clone(), request.at).is_none(), "{trace} was sent to the provider twice");
    }
    for (trace, at) in times.iter().filter(|(_, at)| safe(**at, kills)) {
        assert!(by_trace.contains_key(trace.as_str()), "served {at:?} and never billed: {trace}");
    }
    for (trace, receipt) in &by_trace {
        let free = receipt["charge"].as_i64() == Some(0);
        assert!(times.contains_key(*trace) || free, "billed and never served: {receipt}");
    }
}

#[allow(clippy::print_stdout, reason = "what was refused is counted, and whoever runs this wants to know")]
fn report(seen: &Seen, receipts: &[Value]) {
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    receipts.iter().for_each(|receipt| *ends.entry(receipt["end"].as_str().unwrap()).or_default() += 1);
    println!(
        "{ROUNDS} rounds: {} answers, {} broken off; receipts {ends:?}",
        seen.answered.len(),
        seen.broken
    );
    for ((disturbance, status, code), count) in &seen.refused {
        println!("refused while {disturbance}: {count} × {status} {code}");
    }
}

/// The receipts once their number no longer changes: the shipper has caught up with the journal.
async fn settled(gateway: &Gateway) -> Vec<Value> {
    let mut before = gateway.receipts().await;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = gateway.receipts().await;
        if now.len() == before.len() {
            return now;
        }
        before = now;
    }
}

/// Receipts by trace, after checking that neither an id nor a trace occurs twice. Refused ones are not among them: they were
/// never served.
fn one_each(receipts: &[Value]) -> HashMap<&str, &Value> {
    let ids: HashSet<&str> = receipts.iter().map(|receipt| receipt["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), receipts.len(), "a receipt id occurs twice");
    let mut by_trace = HashMap::new();
    for receipt in receipts {
        let trace = receipt["trace_id"].as_str().unwrap();
        assert!(by_trace.insert(trace, receipt).is_none(), "billed twice: {trace}");
    }
    by_trace
}

//! `kill -9` under load, again and again: nothing older than the commit window is lost, nothing is billed twice.

use crate::common::*;
use burncloud_tests::config::secret_of;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::Request;
use burncloud_tests::upstream::Upstream;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;
const CALLERS: usize = 8;
/// The journal commits every 5 ms here; the rest is what a loaded machine takes to schedule that.
const WINDOW: Duration = Duration::from_millis(250);

/// What the callers saw: trace ids of whole answers, and when each was complete.
type Seen = Arc<Mutex<HashMap<String, Instant>>>;

fn ask(number: usize, trace: &str) -> Request {
    let mut body = chat_body(MODEL);
    body["user"] = json!(trace);
    if number.is_multiple_of(2) {
        body["stream"] = json!(true);
    }
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    Request::json("/v1/chat/completions", &body).header("traceparent", &parent).bearer(&secret_of("dev"))
}

async fn caller(addr: SocketAddr, sent: Arc<AtomicUsize>, stop: Arc<AtomicBool>, seen: Seen) {
    while !stop.load(SeqCst) {
        let number = sent.fetch_add(1, SeqCst) + 1;
        let trace = format!("{:032x}", 0xb0_0000_0000_u64 + number as u64);
        let Ok(answer) = ask(number, &trace).try_send(addr).await else { continue };
        if answer.status == 200 && answer.body.ended == burncloud_tests::http1::Ended::Complete {
            assert_eq!(answer.trace_id(), trace, "the caller's trace id is kept");
            seen.lock().unwrap().insert(trace, Instant::now());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_twenty_times_loses_and_doubles_nothing() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::start(config(&upstream).journal("commit_ms = 5")).await;
    let (sent, seen) = (Arc::new(AtomicUsize::new(0)), Seen::default());
    let mut kills = Vec::new();
    for round in 0..ROUNDS {
        let stop = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| tokio::spawn(caller(gateway.addr(), sent.clone(), stop.clone(), seen.clone())))
            .collect();
        // A different moment of the journal's and the shipper's cycles each time.
        tokio::time::sleep(Duration::from_millis(300 + 37 * round as u64)).await;
        let killed = Instant::now();
        gateway.kill().await;
        stop.store(true, SeqCst);
        for caller in callers {
            caller.await.unwrap();
        }
        gateway.restart().await;
        kills.push((killed, Instant::now()));
    }
    gateway.idle().await;
    let receipts = settled(&gateway).await;
    let by_trace = one_each(&receipts);

    // How long before its process was killed something happened. An answer may lie in a socket a while before its
    // caller reads it: what is seen between a kill and the restart was sent just before the kill.
    let age = |at: Instant| {
        let mut lives = kills.iter();
        lives.find(|(_, restarted)| *restarted >= at).map(|(killed, _)| killed.saturating_duration_since(at))
    };
    let safe = |at: Instant| age(at).is_none_or(|age| age > WINDOW);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.len() > ROUNDS * 10, "there was load: {} answers", seen.len());
    let settled = |trace: &str| by_trace.get(trace).is_some_and(|receipt| receipt["end"] == "finished");
    let lost = seen.iter().filter(|(trace, _)| !settled(trace));
    let mut lost: Vec<_> = lost.map(|(trace, at)| (age(*at), trace)).collect();
    lost.sort();
    let latest = lost.iter().all(|(age, _)| age.is_some_and(|age| age <= WINDOW));
    assert!(latest, "settled receipts were lost, so long before a kill: {lost:?}");
    for trace in seen.keys().filter(|trace| settled(trace)) {
        let receipt = by_trace[trace.as_str()];
        assert_eq!(
            (receipt["usage_source"].as_str(), tokens(receipt)),
            (Some("reported"), CHAT_TOKENS),
            "{receipt}"
        );
    }
    let served = upstream.requests();
    let mut times = HashMap::new();
    for request in &served {
        let trace = request.json()["user"].as_str().unwrap().to_owned();
        assert!(times.insert(trace.clone(), request.at).is_none(), "{trace} was sent to the provider twice");
    }
    for (trace, at) in times.iter().filter(|(_, at)| safe(**at)) {
        assert!(by_trace.contains_key(trace.as_str()), "served {at:?} and never billed: {trace}");
    }
    for (trace, receipt) in &by_trace {
        let known = times.contains_key(*trace) || receipt["end"] == "orphaned" || charge(receipt) == 0;
        assert!(known, "billed and never served: {receipt}");
    }
    let billed: i64 = receipts.iter().map(charge).sum();
    let key = gateway.cli(&["keys", "show", "dev"]).await;
    assert_eq!(key["used"].as_i64(), Some(billed), "the key's account and its receipts agree: {key}");
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

/// Receipts by trace, after checking that neither an id nor a trace occurs twice.
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

//! Answers that are read on after their caller has gone: one settlement whatever comes, and nothing left behind.

use crate::HI;
use crate::support::*;
use burncloud_core::adapter::{Adapter, AnswerHead, Reading, Registry, TargetAsk, Terminal, UsageReader};
use burncloud_core::billing::{Ask, Billing, Hold, Outcome};
use burncloud_core::*;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use secrecy::SecretString;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

/// Says how much it read as its output, and that it ended where a `!` came.
#[derive(Default)]
struct Counting {
    read: u64,
    ended: bool,
}

impl UsageReader for Counting {
    fn data(&mut self, chunk: &Bytes) {
        self.read += chunk.len() as u64;
        self.ended |= chunk.contains(&b'!');
    }
    fn finish(&mut self) -> Reading {
        let usage = Usage { output: self.read, ..Usage::default() };
        let terminal = if self.ended { Terminal::Complete } else { Terminal::Missing };
        Reading { usage: Some(usage), terminal, ..Reading::default() }
    }
}

struct Counted;

impl Adapter for Counted {
    fn name(&self) -> &str {
        "fake"
    }
    fn default_base_url(&self) -> &str {
        Fake.default_base_url()
    }
    fn api_root(&self) -> &str {
        Fake.api_root()
    }
    fn serves(&self, endpoint: &Endpoint) -> bool {
        Fake.serves(endpoint)
    }
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        Fake.target(ask)
    }
    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        Fake.authorize(credential)
    }
    fn usage_reader(&self, _: &Endpoint, _: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        Box::new(Counting::default())
    }
}

/// End, whether it was read on, tokens of output, bytes out.
type Settled = (End, bool, Option<u64>, u64);

struct Reporting {
    drain_ms: u32,
    settled: Mutex<Vec<Settled>>,
}

impl Billing for Reporting {
    fn reserve(&self, _: &Ask<'_>) -> Result<Hold, Error> {
        Ok(Hold { abort: AbortPolicy::Reported { drain_ms: self.drain_ms }, ..Hold::default() })
    }
    fn settle(&self, hold: Option<Hold>, outcome: Outcome) {
        assert!(hold.is_some());
        let output = outcome.usage.map(|usage| usage.output);
        self.settled.lock().unwrap().push((outcome.end, outcome.drained, output, outcome.bytes_out));
    }
}

struct Bench {
    gateway: Gateway,
    billing: Arc<Reporting>,
    /// Has the provider go on.
    gate: Arc<Notify>,
    asked: Arc<AtomicUsize>,
}

/// A provider that says `first`, waits, and says `then`. Nothing first: it waits before the head.
async fn bench(drain_ms: u32, settings: DrainSettings, first: &'static str, then: &'static str) -> Bench {
    let (gate, asked) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (wait, count) = (gate.clone(), asked.clone());
    let (address, _) = provider(move |mut stream, _| {
        let (gate, asked) = (wait.clone(), count.clone());
        async move {
            while read_request(&mut stream).await.is_some() {
                asked.fetch_add(1, SeqCst);
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n",
                    first.len() + then.len()
                );
                if first.is_empty() {
                    gate.notified().await;
                }
                let _ = stream.write_all(format!("{head}{first}").as_bytes()).await;
                if !first.is_empty() {
                    gate.notified().await;
                }
                let _ = stream.write_all(then.as_bytes()).await;
            }
        }
    })
    .await;
    let billing = Arc::new(Reporting { drain_ms, settled: Mutex::default() });
    let gateway = Gateway::builder(store_with_key().await, Registry::new().with(Counted))
        .billing(billing.clone())
        .drains(settings)
        .build(&[channel("a", &address)])
        .unwrap();
    Bench { gateway, billing, gate, asked }
}

impl Bench {
    /// A caller who reads what comes first, and leaves.
    async fn leave_mid_stream(&self) {
        let mut response = self.gateway.answer(chat(HI)).await.unwrap();
        assert!(response.body_mut().frame().await.is_some());
        drop(response);
    }

    /// A caller who leaves while the provider is asked.
    async fn leave_early(&self) {
        let answer = tokio::spawn(self.gateway.answer(chat(HI)));
        until(|| self.asked.load(SeqCst) == 1).await;
        answer.abort();
        assert!(answer.await.is_err());
    }

    fn running(&self) -> i64 {
        self.gateway.handle().stats().drains.running.get()
    }

    async fn settled(&self) -> Settled {
        until(|| self.gateway.handle().stats().drafts.get() == 0).await;
        assert_eq!(self.running(), 0);
        let settled = self.billing.settled.lock().unwrap();
        assert_eq!(settled.len(), 1, "exactly once");
        settled[0]
    }

    fn ended(&self, how: DrainEnd) -> u64 {
        self.gateway.handle().stats().drains.ends().find(|(end, _)| *end == how).unwrap().1
    }
}

async fn until(condition: impl Fn() -> bool) {
    tokio::time::timeout(Duration::from_secs(20), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .unwrap();
}

const LONG: u32 = 60_000;

#[tokio::test]
async fn an_answer_that_was_left_is_read_to_its_end_without_the_callers_permits() {
    let bench = bench(LONG, DrainSettings::default(), "half ", "whole!").await;
    bench.leave_mid_stream().await;
    until(|| bench.running() == 1).await;
    let stats = bench.gateway.handle().stats();
    assert_eq!(
        (stats.requests_in_flight.get(), stats.concurrency_permits.get(), stats.drafts.get()),
        (0, 0, 1)
    );
    bench.gate.notify_one();
    assert_eq!(bench.settled().await, (End::CallerGone, true, Some(11), 5));
    assert_eq!(bench.ended(DrainEnd::Ended), 1);
}

#[tokio::test]
async fn an_attempt_that_was_left_is_waited_for_and_no_other_begun() {
    let bench = bench(LONG, DrainSettings::default(), "", "whole!").await;
    bench.leave_early().await;
    until(|| bench.running() == 1).await;
    bench.gate.notify_one();
    assert_eq!(bench.settled().await, (End::CallerGone, true, Some(6), 0));
    assert_eq!(bench.asked.load(SeqCst), 1);
}

#[tokio::test]
async fn who_had_everything_has_a_finished_answer() {
    let bench = bench(50, DrainSettings::default(), "all!", "").await;
    let mut response = bench.gateway.answer(chat(HI)).await.unwrap();
    while response.body_mut().frame().await.is_some() {}
    drop(response);
    assert_eq!(bench.settled().await, (End::Finished, false, Some(4), 4));
}

#[tokio::test]
async fn it_is_bounded_in_time_bytes_and_number() {
    let slow = bench(30, DrainSettings::default(), "half ", "whole!").await;
    slow.leave_mid_stream().await;
    assert_eq!(slow.settled().await, (End::CallerGone, false, Some(5), 5));
    assert_eq!(slow.ended(DrainEnd::TimedOut), 1);

    let early = bench(30, DrainSettings::default(), "", "whole!").await;
    early.leave_early().await;
    assert_eq!(early.settled().await, (End::CallerGone, false, None, 0));

    // More than comes in one piece.
    let rest = Box::leak("x".repeat(400_000).into_boxed_str());
    let long = bench(LONG, DrainSettings { max_bytes: 2, ..DrainSettings::default() }, "half ", rest).await;
    long.leave_mid_stream().await;
    long.gate.notify_one();
    let (end, drained, _, out) = long.settled().await;
    assert_eq!((end, drained, out), (End::CallerGone, false, 5));
    assert_eq!(long.ended(DrainEnd::TooLong), 1);

    let none = bench(LONG, DrainSettings { max: 0, ..DrainSettings::default() }, "half ", "whole!").await;
    none.leave_mid_stream().await;
    assert_eq!(none.settled().await, (End::CallerGone, false, Some(5), 5));
    assert_eq!(none.ended(DrainEnd::Refused), 1);
}

#[tokio::test]
async fn a_gateway_that_stops_settles_what_is_known() {
    let bench = bench(LONG, DrainSettings::default(), "half ", "whole!").await;
    bench.leave_mid_stream().await;
    until(|| bench.running() == 1).await;
    bench.gateway.handle().stats().drains.close();
    assert_eq!(bench.settled().await, (End::CallerGone, false, Some(5), 5));
    assert_eq!(bench.ended(DrainEnd::Stopped), 1);
}

#[test]
fn a_runtime_that_goes_down_settles_what_is_known_and_without_one_nothing_is_read_on() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = runtime();
    let drained = first.block_on(async {
        let bench = bench(LONG, DrainSettings::default(), "half ", "whole!").await;
        bench.leave_mid_stream().await;
        until(|| bench.running() == 1).await;
        bench
    });
    drop(first);
    assert_eq!(drained.billing.settled.lock().unwrap()[..], [(End::CallerGone, false, Some(5), 5)]);

    let second = runtime();
    let (outside, response) = second.block_on(async {
        let bench = bench(LONG, DrainSettings::default(), "half ", "whole!").await;
        let mut response = bench.gateway.answer(chat(HI)).await.unwrap();
        assert!(response.body_mut().frame().await.is_some());
        (bench, response)
    });
    drop(response);
    assert_eq!(outside.billing.settled.lock().unwrap()[..], [(End::CallerGone, false, Some(5), 5)]);
    assert_eq!(outside.ended(DrainEnd::Refused), 1);
}

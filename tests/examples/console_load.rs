//! What the console costs beside the gateway's own work, and how fast it turns pages over a full log. Prints numbers.
//!
//! ```sh
//! cargo build --release -p burncloud-server --bin burncloud
//! export BURNCLOUD_BIN=target/release/burncloud
//! cargo run -p burncloud-tests --example console_load -- sessions 200
//! cargo run -p burncloud-store --example seed-receipts -- /tmp/seeded.db 1000000
//! cargo run -p burncloud-tests --example console_load -- pages /tmp/seeded.db
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program of measurements: it prints, and ends at a fault"
)]
#![allow(dead_code, reason = "the tests' own helpers, of which this needs a part")]

#[path = "../tests/console/browser.rs"]
mod browser;
#[path = "../tests/console/client.rs"]
mod client;
#[path = "../tests/console/house.rs"]
mod house;

use browser::Browser;
use burncloud_tests::config::Config;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::{Connection, Request};
use burncloud_tests::upstream::Upstream;
use client::ORIGIN;
use house::{House, MODEL};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Requests of a block, those that are under way at a time, and how many blocks each of two gateways has: by turns, so that a
/// machine that is faster now and slower then says the same of both.
const REQUESTS: u32 = 6_000;
const AT_A_TIME: u32 = 4;
const BLOCKS: usize = 80;
/// How often each page is opened.
const TURNS: usize = 20;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sessions", count] => sessions(count.parse().expect("a number of sessions")).await,
        ["pages", seeded] => pages(seeded, PAGES).await,
        ["pages", seeded, ref only @ ..] => pages(seeded, only).await,
        _ => println!("usage: console_load sessions COUNT | console_load pages SEEDED.db [PAGE…]"),
    }
}

/// CPU time of a process so far, and the memory that it holds in KiB.
fn spent(pid: u32) -> (Duration, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    // Fields 14 and 15 of proc(5), in ticks of a hundredth of a second.
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (Duration::from_millis(ticks * 10), line.split_whitespace().next().unwrap().parse().unwrap())
}

/// A gateway that answers requests.
struct Answering {
    house: House,
    secret: String,
    /// CPU time for each request, in microseconds, of every block.
    each: Vec<f64>,
}

impl Answering {
    async fn start() -> Answering {
        let mut house = House::start().await;
        house.add_channel("load", &[MODEL]).await;
        house.unbind_owner().await;
        let key = house.owner.write("POST", "/keys", json!({"name": "load"})).await;
        let secret = key["secret"].as_str().unwrap().to_owned();
        Answering { house, secret, each: Vec::new() }
    }

    fn spent(&self) -> (Duration, u64) {
        spent(self.house.gateway.pid())
    }

    async fn block(&mut self) {
        let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "hi"}]});
        let request = Request::json("/v1/chat/completions", &body).bearer(&self.secret).encode();
        let before = self.spent().0;
        let mut callers = JoinSet::new();
        for _ in 0..AT_A_TIME {
            let mut connection = Connection::open(self.house.gateway.addr()).await.unwrap();
            let request = request.clone();
            callers.spawn(async move {
                for _ in 0..REQUESTS / AT_A_TIME {
                    connection.write(&request).await.unwrap();
                    assert_eq!(connection.response().await.unwrap().status, 200);
                }
            });
        }
        callers.join_all().await;
        self.each.push((self.spent().0 - before).as_secs_f64() * 1e6 / f64::from(REQUESTS));
    }
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

/// What the mean of `beside` is to that of `alone`, and the standard error of that.
fn ratio(alone: &[f64], beside: &[f64]) -> (f64, f64) {
    let error = |all: &[f64]| {
        let (n, middle) = (all.len() as f64, mean(all));
        let variance = all.iter().map(|one| (one - middle).powi(2)).sum::<f64>() / (n - 1.0);
        (variance / n).sqrt() / middle
    };
    let ratio = mean(beside) / mean(alone);
    (ratio, ratio * error(alone).hypot(error(beside)))
}

/// What a browser's script says every 25 seconds, as a text frame whose mask is zero.
const PING: &[u8] = b"\x81\x88\0\0\0\0__ping__";

/// A page's socket.
async fn look_on(house: &House, session: &str) -> Connection {
    let request = Request::get("/console/ws?path=%2Fconsole")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("origin", ORIGIN)
        .header("cookie", &format!("bc-session={session}"));
    let mut connection = Connection::open(house.gateway.addr()).await.unwrap();
    connection.write(&request.encode()).await.unwrap();
    assert_eq!(connection.head().await.unwrap().0, 101);
    connection
}

async fn sessions(count: u32) {
    let (mut alone, mut watched) = (Answering::start().await, Answering::start().await);
    for one in [&mut alone, &mut watched] {
        one.block().await; // warm
    }
    let home = watched.house.owner.read("/me").await["tenant"].as_i64().unwrap();
    let mut lookers = Vec::new();
    for n in 0..count {
        let (_, client) = watched.house.user(&format!("looker-{n}"), home, "administrator").await;
        lookers.push(client.jar["bc-session"].clone());
    }
    let before = watched.spent().1;
    let mut sockets = JoinSet::new();
    for looker in &lookers {
        sockets.spawn(look_on(&watched.house, looker).await.drain(PING, Duration::from_secs(25)));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let held = watched.spent().1.saturating_sub(before) / u64::from(count.max(1));
    let (idle, pause) = (watched.spent().0, Duration::from_secs(20));
    tokio::time::sleep(pause).await;
    let idle = (watched.spent().0 - idle).as_secs_f64() / pause.as_secs_f64();
    println!("{count} open dashboards at rest: {:.1} % of a core; {held} KiB each", idle * 100.0);
    let begun = Instant::now();
    for one in [&mut alone, &mut watched] {
        one.each.clear();
    }
    for block in 0..BLOCKS {
        // Each is the first as often as the other.
        let both = if block % 2 == 0 { [&mut alone, &mut watched] } else { [&mut watched, &mut alone] };
        for one in both {
            one.block().await;
        }
    }
    assert!(sockets.try_join_next().is_none(), "every page was open to the end");
    let rate = 2.0 * BLOCKS as f64 * f64::from(REQUESTS) / begun.elapsed().as_secs_f64();
    let (ratio, error) = ratio(&alone.each, &watched.each);
    println!(
        "CPU per request at {rate:.0} a second: {:.1} µs, beside {count} dashboards {:.1} µs; ratio {ratio:.3} ± {error:.3}",
        mean(&alone.each),
        mean(&watched.each),
    );
}

const PAGES: &[&str] = &["", "/logs", "/access", "/users", "/finance", "/models", "/radar"];

/// Milliseconds from a click until the other page stands there with everything that it reads.
async fn turn(browser: &Browser, path: &str) -> f64 {
    let script = format!(
        "const path = '/console{path}', link = document.querySelector(`.shell a[href='${{path}}']`), was = document.title; \
         for (const e of document.querySelectorAll('#main > *')) e.dataset.was = 1; \
         const begun = performance.now(); link.click(); \
         const look = () => location.pathname === path && document.title !== was && !document.querySelector('#main > [data-was]') \
           && !document.querySelector('#main [aria-busy=true]') ? done(performance.now() - begun) : requestAnimationFrame(look); look();"
    );
    browser.promised(&script).await.as_f64().unwrap()
}

/// A house over a database that was filled before.
async fn full(seeded: &str) -> House {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::start(Config::new()).await;
    gateway.stop().await;
    gateway.books_are_spoilt();
    let place = |name: &str| gateway.folder().join(name);
    for rest in ["burncloud.db-wal", "burncloud.db-shm"] {
        let _ = std::fs::remove_file(place(rest));
    }
    std::fs::copy(seeded, place("burncloud.db")).unwrap();
    std::fs::copy(format!("{seeded}.key"), place("burncloud.key")).unwrap();
    gateway.restart().await;
    // Of the two passwords that it printed the second is the one.
    let printed = || gateway.log().matches("The console has no owner yet.").count() == 2;
    burncloud_tests::eventually("the second password is printed", || async { printed() }).await;
    House::over(upstream, gateway).await
}

async fn pages(seeded: &str, pages: &[&str]) {
    let house = full(seeded).await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    let mut painted = Vec::new();
    let mut all = Vec::new();
    for path in pages {
        for _ in 0..5 {
            browser.visit(path).await;
            browser.until("performance.getEntriesByName('first-contentful-paint').length").await;
            let first = "performance.getEntriesByName('first-contentful-paint')[0].startTime";
            painted.push(browser.js(first).await.as_f64().unwrap());
        }
        browser.visit("/playground").await;
        let mut times = Vec::new();
        let before = spent(house.gateway.pid()).0;
        for _ in 0..TURNS {
            times.push(turn(&browser, path).await);
            turn(&browser, "/playground").await;
        }
        let cpu = (spent(house.gateway.pid()).0 - before) / u32::try_from(TURNS).unwrap();
        println!(
            "{:18} median {:6.1} ms   p95 {:6.1} ms   CPU {:5.1} ms, there and back",
            format!("/console{path}"),
            nth(&mut times, 50),
            nth(&mut times, 95),
            cpu.as_secs_f64() * 1e3,
        );
        all.extend(times);
    }
    println!("{:18} median {:6.1} ms   p95 {:6.1} ms", "all pages", nth(&mut all, 50), nth(&mut all, 95));
    println!(
        "{:18} median {:6.1} ms   p95 {:6.1} ms",
        "first paint",
        nth(&mut painted, 50),
        nth(&mut painted, 95)
    );
}

fn nth(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

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

/// Requests of a measurement.
const REQUESTS: u32 = 2000;
/// How often each page is opened.
const TURNS: usize = 20;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sessions", count] => sessions(count.parse().expect("a number of sessions")).await,
        ["pages", seeded] => pages(seeded).await,
        _ => println!("usage: console_load sessions COUNT | console_load pages SEEDED.db"),
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

/// CPU time of the gateway for each request.
async fn per_request(house: &House, secret: &str) -> Duration {
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "hi"}]});
    let request = Request::json("/v1/chat/completions", &body).bearer(secret);
    let before = spent(house.gateway.pid()).0;
    let mut connection = Connection::open(house.gateway.addr()).await.unwrap();
    for _ in 0..REQUESTS {
        connection.write(&request.encode()).await.unwrap();
        assert_eq!(connection.response().await.unwrap().status, 200);
    }
    (spent(house.gateway.pid()).0 - before) / REQUESTS
}

/// A page's socket that reads whatever comes, as a browser does.
async fn look_on(house: &House) {
    let session = house.owner.jar["bc-session"].clone();
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
    tokio::spawn(async move { while connection.bytes(1).await.is_ok() {} });
}

async fn sessions(count: u32) {
    let mut house = House::start().await;
    house.add_channel("load", &[MODEL]).await;
    house.unbind_owner().await;
    let key = house.owner.write("POST", "/keys", json!({"name": "load"})).await;
    let secret = key["secret"].as_str().unwrap().to_owned();
    per_request(&house, &secret).await; // warm
    let alone = per_request(&house, &secret).await;
    let before = spent(house.gateway.pid()).1;
    for _ in 0..count {
        look_on(&house).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let held = spent(house.gateway.pid()).1.saturating_sub(before) / u64::from(count.max(1));
    let idle = spent(house.gateway.pid()).0;
    let pause = Duration::from_secs(5);
    tokio::time::sleep(pause).await;
    let idle = (spent(house.gateway.pid()).0 - idle).as_secs_f64() / pause.as_secs_f64();
    let beside = per_request(&house, &secret).await;
    println!("CPU per request, nobody looks on: {alone:?}; with {count} open dashboards: {beside:?}");
    println!("ratio: {:.2}", beside.as_secs_f64() / alone.as_secs_f64());
    println!("{count} open dashboards at rest: {:.1} % of a core; {held} KiB each", idle * 100.0);
}

async fn pages(seeded: &str) {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::start(Config::new()).await;
    gateway.stop().await;
    gateway.books_are_spoilt();
    let database = gateway.folder().join("burncloud.db");
    for rest in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(gateway.folder().join(format!("burncloud.db{rest}")));
    }
    std::fs::copy(seeded, database).unwrap();
    gateway.restart().await;
    let house = House::over(upstream, gateway).await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    browser.visit("/account").await;
    let mut all = Vec::new();
    for path in ["", "/logs", "/access", "/users", "/finance", "/models"] {
        let mut times = Vec::new();
        for _ in 0..TURNS {
            browser.click(".shell a[href='/console/playground']").await;
            browser.live("between").await;
            let start = Instant::now();
            browser.click(&format!(".shell a[href='/console{path}']")).await;
            browser.until(&format!("location.pathname === '/console{path}'")).await;
            browser.live(path).await;
            times.push(start.elapsed());
        }
        println!("/console{path}: median {:?}, p95 {:?}", nth(&mut times, 50), nth(&mut times, 95));
        all.extend(times);
    }
    println!("all pages: median {:?}, p95 {:?} (asked every 50 ms)", nth(&mut all, 50), nth(&mut all, 95));
}

fn nth(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

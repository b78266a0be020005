//! What the hot path costs: `cargo test --release -p burncloud-billing -- --ignored --nocapture measure`.

use super::budgets::budget;
use super::resale::below;
use super::support::*;
use crate::bound::bound;
use crate::tariff::{Class, Ladder};
use crate::{LoadedBudget, Offer, Rates, quote, rate, total};
use burncloud_core::billing::{Ask, Billing};
use burncloud_core::{Allowance, KeyId, Nano, Route, Scope, Spent, TenantId, UnixMicros, UserId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const BURSTS: u64 = 300;
const BURST: u64 = 100;

/// In bursts, as requests come (without pauses the journal's thread and the allocator would be what is measured);
/// the median of the bursts, since other work on the machine disturbs some.
fn per_round(name: &str, mut round: impl FnMut()) {
    let mut bursts: Vec<u128> = (0..BURSTS)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(3));
            round();
            let start = Instant::now();
            (0..BURST).for_each(|_| round());
            start.elapsed().as_nanos() / u128::from(BURST)
        })
        .collect();
    bursts.sort_unstable();
    println!("{name}: {} ns", bursts[bursts.len() / 2]);
}

#[test]
#[ignore = "prints timings"]
fn measure() {
    println!("at first: {}", resident());
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, _shipper) = open(dir.path(), &store);
    let (route, _) = lane_route("m", "gpt-4o-mini");
    let start = Instant::now();
    biller.book().catalogue().find("openai", "gpt-4o-mini", burncloud_core::UnixMicros::now());
    println!("first look-up: {:?}, then {}", start.elapsed(), resident());
    let start = Instant::now();
    biller.book().catalogue().find("gemini", "gemini-2.5-pro", burncloud_core::UnixMicros::now());
    println!("second look-up: {:?}", start.elapsed());
    for (name, who) in [
        ("limited", caller(Some(Nano(i64::MAX / 2)), Some(Nano(i64::MAX / 2)), 0, 0)),
        ("unlimited", caller_of(7, 8, None, None, 0, 0)),
    ] {
        let request = Request::new(&who, &route);
        per_round(&format!("{name}: outcome alone"), || {
            drop(std::hint::black_box(request.outcome(Some(tokens(100, 50)))))
        });
        per_round(&format!("{name}: reserve + settle + journal (outcome included)"), || {
            let hold = request.reserve(&biller).unwrap();
            biller.settle(Some(hold), request.outcome(Some(tokens(100, 50))));
        });
    }
    measure_levels(&route);
    println!("with a few thousand receipts: {}", resident());
    let start = Instant::now();
    let text = format!(r#"{{"content":"{}"}}"#, "The quick brown fox jumps. ".repeat(600));
    let cold = crate::estimate(&sample(&text), crate::Dir::In);
    let first = start.elapsed();
    let start = Instant::now();
    let warm = crate::estimate(&sample(&text), crate::Dir::In);
    println!("estimate of 16 KiB: {first:?} the first time, {:?} then ({cold} = {warm})", start.elapsed());
    println!("with the tokenizer: {}", resident());
}

/// What prices cost a request: the kept ladder is found, the most it may come to reckoned, and what was used rated.
#[test]
#[ignore = "prints timings"]
fn measure_prices() {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, _shipper) = open(dir.path(), &store);
    let (route, lane) = lane_route("m", "gpt-4o-mini");
    let book = biller.book();
    for (name, who) in [
        ("a user of the house", below(&[(1, "")], "", "")),
        ("a user three resellers down", below(&[(1, ""), (2, "a"), (3, ""), (4, "")], "vip", "")),
    ] {
        let (request, class) = (Request::new(&who, &route), Class::of(&who));
        let usage = tokens(100, 50);
        let ask = Ask {
            id: request.id,
            trace_id: burncloud_core::TraceId([7; 16]),
            at: request.at,
            caller: &who,
            endpoint: &request.endpoint,
            route: &route,
            candidates: &route.lanes,
            body_len: 1_000,
            max_output: Some(100),
            tools: Default::default(),
            answers: 1,
        };
        let ladder = |of: &dyn Fn(&Ladder)| book.ladder((&who, class), &route, &lane, request.at, of);
        let price = |rates: &Rates| {
            std::hint::black_box(bound(rates, &ask, None, 4096));
        };
        counted(&format!("{name}: look-up"), || {
            ladder(&|found| {
                std::hint::black_box(found.version);
            });
        });
        counted(&format!("{name}: look-up and estimate"), || {
            ladder(&|found| found.tenants.iter().chain(&found.user).for_each(|rates| price(rates)))
        });
        counted(&format!("{name}: look-up and rating, the provider's cost included"), || {
            ladder(&|found| {
                drop(std::hint::black_box(rate(found.user.as_ref().unwrap(), &usage)));
                let others = found.tenants.iter().chain(&found.cost);
                others.for_each(|rates| {
                    std::hint::black_box(total(rates, &usage));
                });
            })
        });
        counted(&format!("{name}: made anew"), || {
            drop(std::hint::black_box(quote(book, &who, &Offer::of(&route, &lane), &[], request.at)))
        });
    }
}

/// The median of many bursts, and the allocations of one round.
fn counted(name: &str, mut round: impl FnMut()) {
    round();
    let counted = allocation_counter::measure(&mut round);
    let mut bursts: Vec<u128> = (0..200)
        .map(|_| {
            let start = Instant::now();
            (0..1_000).for_each(|_| round());
            start.elapsed().as_nanos() / 1_000
        })
        .collect();
    bursts.sort_unstable();
    println!("{name}: {} ns, {} allocations", bursts[bursts.len() / 2], counted.count_total);
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.unwrap_or("memory not known").to_owned()
}

#[test]
#[ignore = "prints timings"]
fn measure_rating() {
    let rates = crate::catalogue::Catalogue::new();
    let rates = rates.find("openai", "gpt-5", burncloud_core::UnixMicros::now()).unwrap().rates.clone();
    let plain = tokens(1_000, 500);
    let full =
        burncloud_core::Usage { cached_read: 9, reasoning: 7, web_searches: 2, file_searches: 1, ..plain };
    for (name, usage) in [("two lines", plain), ("six lines", full)] {
        let per = |what: &str, once: &dyn Fn()| {
            let best = (0..200).map(|_| {
                let start = Instant::now();
                (0..10_000).for_each(|_| once());
                start.elapsed().as_nanos()
            });
            println!("{name}: {what} {} ps", best.min().unwrap_or_default() / 10);
        };
        per("rate", &|| drop(std::hint::black_box(crate::rate(&rates, std::hint::black_box(&usage)))));
        per("total", &|| {
            std::hint::black_box(crate::total(&rates, std::hint::black_box(&usage)));
        });
    }
}

/// What tenants and budgets add. (Allocations are counted by the benches, which own the allocator.)
fn measure_levels(route: &Arc<Route>) {
    let scopes =
        [Scope::Key(KeyId(7)), Scope::User(UserId(8)), Scope::Tenant(TenantId(3)), Scope::Model("m".into())];
    let budgets = scopes.map(|scope| LoadedBudget {
        budget: budget(&scope.to_string(), scope, Allowance::Money(Nano::MAX)),
        since: UnixMicros(0),
        spent: Spent::default(),
    });
    let plain = || caller_of(7, 8, None, Some(Nano(i64::MAX / 2)), 0, 0);
    let resold = || Arc::new(under(&plain(), 2));
    for (name, who, budgets) in [
        ("plain", plain(), &budgets[..0]),
        ("2 tenants", resold(), &budgets[..0]),
        ("4 budgets", plain(), &budgets[..]),
    ] {
        let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
        let (biller, _shipper) = open(dir.path(), &store);
        biller.set_budgets(budgets.to_vec());
        let request = Request::new(&who, route);
        per_round(&format!("{name}: reserve + settle + journal"), || {
            let hold = request.reserve(&biller).unwrap();
            biller.settle(Some(hold), request.outcome(Some(tokens(100, 50))));
        });
    }
}

//! What the hot path costs: `cargo test --release -p burncloud-billing -- --ignored --nocapture measure`.

use super::budgets::budget;
use super::support::*;
use crate::LoadedBudget;
use burncloud_core::billing::Billing;
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

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.unwrap_or("memory not known").to_owned()
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

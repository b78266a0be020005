//! What the hot path costs: `cargo test --release -p burncloud-billing -- --ignored --nocapture measure`.

use super::support::*;
use burncloud_core::Nano;
use burncloud_core::billing::Billing;
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;

const ROUNDS: u32 = 200_000;

fn per_round(name: &str, mut round: impl FnMut()) {
    (0..1_000).for_each(|_| round());
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| round());
    println!("{name}: {} ns", start.elapsed().as_nanos() / u128::from(ROUNDS));
}

#[test]
#[ignore = "prints timings"]
fn measure() {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, _shipper) = open(dir.path(), &store);
    let (route, _) = lane_route("m", "gpt-4o-mini");
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
    let start = Instant::now();
    let text = format!(r#"{{"content":"{}"}}"#, "The quick brown fox jumps. ".repeat(600));
    let cold = crate::estimate(&sample(&text), crate::Dir::In);
    let first = start.elapsed();
    let start = Instant::now();
    let warm = crate::estimate(&sample(&text), crate::Dir::In);
    println!("estimate of 16 KiB: {first:?} the first time, {:?} then ({cold} = {warm})", start.elapsed());
}

//! No set of concurrent requests overdraws.

use super::support::*;
use burncloud_core::Nano;
use burncloud_core::billing::Billing;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use tempfile::TempDir;

#[tokio::test]
async fn two_hundred_threads_on_a_balance_for_twenty() {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, mut shipper) = open(dir.path(), &store);
    let (route, _) = lane_route("m", "gpt-4o-mini");
    // Each request may cost 2 000 000 and does.
    let balance = 20 * 2_000_000;
    let start = Barrier::new(200);
    let (taken, left) = (AtomicUsize::new(0), AtomicI64::new(i64::MAX));
    thread::scope(|scope| {
        for i in 0..200 {
            let (biller, route, start, taken, left) = (&biller, &route, &start, &taken, &left);
            scope.spawn(move || {
                // Ten keys of one user, each key's caller made twice.
                let who = caller_of(i % 10, 2, None, Some(Nano(balance)), 0, 0);
                let request = Request::new(&who, route);
                start.wait();
                if let Ok(hold) = request.reserve(biller) {
                    taken.fetch_add(1, SeqCst);
                    thread::yield_now();
                    biller.settle(Some(hold), request.outcome(Some(tokens(1_000, 100))));
                }
                left.fetch_min(biller.left(&who).1.unwrap().0, SeqCst);
            });
        }
    });
    assert_eq!(taken.load(SeqCst), 20);
    assert_eq!(left.load(SeqCst), 0, "all of it, never more");
    shipper.recover().await.unwrap();
    assert_eq!(store.sum(), (20, balance));
    assert_eq!(biller.reserved_total(), Nano::ZERO);
}

#[tokio::test]
async fn any_mix_of_keys_and_users_adds_up() {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, mut shipper) = open(dir.path(), &store);
    let (route, _) = lane_route("m", "gpt-4o-mini");
    let (quota, balance) = (30_000_000, 45_000_000);
    thread::scope(|scope| {
        for t in 0..16u64 {
            let (biller, route) = (&biller, &route);
            scope.spawn(move || {
                for n in 0..200u64 {
                    let key = (t + n) % 4;
                    let who = caller_of(
                        key as i64,
                        1 + key as i64 / 2,
                        Some(Nano(quota)),
                        Some(Nano(balance)),
                        0,
                        0,
                    );
                    let request = Request::new(&who, route);
                    let Ok(hold) = request.reserve(biller) else { continue };
                    let used = [None, Some(tokens(n, 1)), Some(tokens(0, 500)), Some(tokens(1_000, 100))];
                    biller.settle(Some(hold), request.outcome(used[(t * 7 + n) as usize % 4]));
                    let (at_key, at_user) = biller.left(&who);
                    assert!(at_key.unwrap() >= Nano::ZERO && at_user.unwrap() >= Nano::ZERO);
                }
            });
        }
    });
    shipper.recover().await.unwrap();
    let receipts: Vec<_> = store.receipts.lock().values().cloned().collect();
    let sum = |of: &dyn Fn(&burncloud_core::Receipt) -> bool| -> i64 {
        receipts.iter().filter(|r| of(r)).map(|r| r.charge.0).sum()
    };
    for key in 0..4 {
        let who = caller_of(key, 1 + key / 2, Some(Nano(quota)), Some(Nano(balance)), 0, 0);
        let spent = (sum(&|r| r.key == who.key.id), sum(&|r| r.user == who.user.id));
        assert_eq!(biller.left(&who), (Some(Nano(quota - spent.0)), Some(Nano(balance - spent.1))));
        assert!(spent.0 <= quota && spent.1 <= balance && spent.0 > 0);
    }
    assert!(receipts.iter().all(|r| {
        let lines: i64 = r.lines.iter().map(|l| l.amount.0).sum();
        r.charge.0 + r.shortfall.0 == lines
    }));
}

//! The accounts themselves under every order of their threads' steps (`loom`): no overdraft, nothing lost, nothing twice.

use super::account::{Account, Cell};
use super::path::Path;
use crate::tariff::Amounts;
use burncloud_core::{Nano, TenantId};
use loom::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

impl Cell for AtomicI64 {
    fn of(value: i64) -> AtomicI64 {
        AtomicI64::new(value)
    }

    fn load(&self) -> i64 {
        self.load(SeqCst)
    }

    fn store(&self, value: i64) {
        self.store(value, SeqCst);
    }

    fn add(&self, more: i64) {
        self.fetch_add(more, SeqCst);
    }

    fn replace(&self, now: i64, next: i64) -> Result<i64, i64> {
        self.compare_exchange(now, next, SeqCst, SeqCst)
    }
}

type Modelled = Arc<Account<AtomicI64>>;

fn account(credited: i64) -> Modelled {
    Arc::new(Account::new(1, Some(Nano(credited)), Nano::ZERO, 0))
}

fn amounts(user: i64, tenants: &[i64]) -> Amounts {
    Amounts { user: Nano(user), tenants: tenants.iter().map(|nano| Nano(*nano)).collect() }
}

/// Runs a model to its end and says how many orders there were.
fn explore(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) -> usize {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = orders.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        model();
    });
    orders.load(Relaxed)
}

/// Holds, and settles what was held; returns what was charged, and whether it was held.
fn request(path: &Path<AtomicI64>, held: &Amounts, cost: &Amounts) -> (Amounts, bool) {
    match path.hold(held) {
        Ok(()) => (path.settle(held, cost), true),
        Err(_) => (Amounts { user: Nano::ZERO, tenants: vec![Nano::ZERO; held.tenants.len()] }, false),
    }
}

#[test]
fn three_requests_on_one_account() {
    let orders = explore(Some(3), || {
        let account = account(10);
        let threads: Vec<_> = [(6, 4), (5, 9), (4, 4)]
            .into_iter()
            .map(|(held, cost)| {
                let account = account.clone();
                loom::thread::spawn(move || {
                    let Some(held) = account.replace(0, held, true) else { return 0 };
                    let charge = account.replace(held, cost, false).unwrap();
                    account.note_spent(charge);
                    charge
                })
            })
            .collect();
        let charged: i64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(account.totals(), (charged, charged), "every charge once, and no hold left");
        assert!(charged <= 10, "no overdraft: {charged}");
        assert!(charged > 0, "somebody was served");
    });
    println!("three requests on one account: {orders} orders");
    assert!(orders > 100);
}

#[test]
fn two_requests_along_a_path() {
    let orders = explore(None, || {
        let path = |key| Path {
            key,
            user: account(9),
            tenants: vec![(TenantId(3), account(7)), (TenantId(4), account(5))],
        };
        let one = Arc::new(path(account(8)));
        // Another key of the same user.
        let other = Path { key: account(100), user: one.user.clone(), tenants: one.tenants.clone() };
        let thread = {
            let one = one.clone();
            loom::thread::spawn(move || request(&one, &amounts(5, &[4, 3]), &amounts(6, &[5, 4])))
        };
        let (second, _) = request(&other, &amounts(5, &[4, 3]), &amounts(2, &[2, 2]));
        let (first, _) = thread.join().unwrap();
        let both = |level: usize| first.level(level).0 + second.level(level).0;
        assert_eq!(one.key.totals(), (first.user.0, first.user.0));
        assert_eq!(other.key.totals(), (second.user.0, second.user.0));
        assert_eq!(one.user.totals(), (both(0), both(0)));
        for (n, (_, account)) in one.tenants.iter().enumerate() {
            assert_eq!(account.totals(), (both(n + 1), both(n + 1)), "a hold is taken back at every level");
        }
        assert!(both(0) <= 9 && both(1) <= 7 && both(2) <= 5, "no overdraft at any level");
        assert!(both(0) > 0, "one of them was served");
    });
    println!("two requests along a path: {orders} orders");
    assert!(orders > 100);
}

#[test]
fn a_fresh_copy_comes_while_a_request_runs() {
    let orders = explore(None, || {
        let account = account(10);
        let spender = {
            let account = account.clone();
            loom::thread::spawn(move || {
                let Some(held) = account.replace(0, 6, true) else { return 0 };
                let charge = account.replace(held, 5, false).unwrap();
                account.note_spent(charge);
                charge
            })
        };
        // Another process spent 3 of the same wallet, and 2 were paid in.
        account.refresh(2, Some(Nano(12)), Nano(3));
        let charge = spender.join().unwrap();
        let (spent, committed) = account.totals();
        assert_eq!(spent, committed, "no hold left");
        // What was spent here while the copy was taken over may count for what was spent elsewhere, until the next copy.
        assert!(spent == charge + 3 || spent == charge.max(3), "{spent} of {charge}");
        account.refresh(2, Some(Nano(12)), Nano(charge + 3));
        assert_eq!(
            account.totals(),
            (charge + 3, charge + 3),
            "the next copy, with our receipt in it, is exact"
        );
    });
    println!("a fresh copy while a request runs: {orders} orders");
    assert!(orders > 10);
}

//! One account: what was given, what was spent, what is held.

use burncloud_core::Nano;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

const UNLIMITED: i64 = i64::MAX;

/// What an [`Account`] keeps a number in. There are two: the machine's, and one that a model of concurrency explores every
/// order of.
pub(crate) trait Cell {
    fn of(value: i64) -> Self;
    fn load(&self) -> i64;
    fn store(&self, value: i64);
    fn add(&self, more: i64);
    /// Puts `next` in the place of `now`, or says what is there instead.
    fn replace(&self, now: i64, next: i64) -> Result<i64, i64>;
}

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
        self.compare_exchange_weak(now, next, SeqCst, SeqCst)
    }
}

/// One key's quota, one user's wallet, or one tenant's.
#[derive(Debug)]
pub(crate) struct Account<C = AtomicI64> {
    credited: C,
    spent: C,
    committed: C,
    /// The copy that was taken over last, and its `used`; also makes refreshes wait for one another.
    seen: Mutex<(u64, i64)>,
}

impl<C: Cell> Account<C> {
    pub(super) fn new(copy: u64, credited: Option<Nano>, used: Nano, unshipped: i64) -> Account<C> {
        let spent = used.0.saturating_add(unshipped);
        Account {
            credited: C::of(credited.map_or(UNLIMITED, |nano| nano.0)),
            spent: C::of(spent),
            committed: C::of(spent),
            seen: Mutex::new((copy, used.0)),
        }
    }

    /// Takes over what the store says now. An older copy than one seen before says nothing: neither one that was made
    /// earlier (a request may be long under way with it) nor one that knows of less.
    pub(super) fn refresh(&self, copy: u64, credited: Option<Nano>, used: Nano) {
        let mut seen = self.seen.lock();
        if used.0 < seen.1 || copy < seen.0 {
            return;
        }
        *seen = (copy, used.0);
        self.credited.store(credited.map_or(UNLIMITED, |nano| nano.0));
        let elsewhere = used.0.saturating_sub(self.spent.load());
        if elsewhere > 0 {
            self.spent.add(elsewhere);
            self.committed.add(elsewhere);
        }
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.credited.load() != UNLIMITED
    }

    /// What is left; `None` is unlimited.
    pub(crate) fn left(&self) -> Option<Nano> {
        let credited = self.credited.load();
        let left = || Nano(credited.saturating_sub(self.committed.load()));
        (credited != UNLIMITED).then(left)
    }

    /// Puts `want` in the place of `held`, or as much of it as there is, and returns how much that was.
    /// With `all`, nothing changes unless it is all there.
    pub(super) fn replace(&self, held: i64, want: i64, all: bool) -> Option<i64> {
        let mut now = self.committed.load();
        loop {
            let credited = self.credited.load();
            let others = now.saturating_sub(held);
            let room = if credited == UNLIMITED {
                UNLIMITED - others.max(0)
            } else {
                credited.saturating_sub(others)
            };
            let granted = want.min(room.max(0));
            if all && granted < want {
                return None;
            }
            let next = others.saturating_add(granted);
            match self.committed.replace(now, next) {
                Ok(_) => return Some(granted),
                Err(seen) => now = seen,
            }
        }
    }

    pub(super) fn give_back(&self, amount: i64) {
        if amount != 0 {
            self.committed.add(-amount);
        }
    }

    pub(super) fn note_spent(&self, charge: i64) {
        if charge != 0 {
            self.spent.add(charge);
        }
    }
}

#[cfg(test)]
impl<C: Cell> Account<C> {
    /// What was charged, and that with what is held.
    pub(super) fn totals(&self) -> (i64, i64) {
        (self.spent.load(), self.committed.load())
    }
}

//! What was used of each limit, and the permits that are out.

use super::window::{Taken, Window};
use crate::meter::Draft;
use crate::stats::Stats;
use crate::{Caller, KeyId, Limits, TenantId, UserId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Whose limit it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Key(KeyId),
    User(UserId),
    Tenant(TenantId),
    Model(Box<str>),
}

/// What has been used by one key, user, tenant or model; lives as long as anybody may come back.
#[derive(Debug, Default)]
pub(super) struct Cell {
    requests: Window,
    tokens: Window,
    running: AtomicU64,
}

/// A cell and the limits that hold for it now.
#[derive(Clone, Debug)]
pub struct CellLimits {
    name: &'static str,
    limits: Limits,
    cell: Arc<Cell>,
}

/// Every cell.
#[derive(Debug, Default)]
pub struct Registry {
    cells: Mutex<HashMap<Scope, Arc<Cell>>>,
    models: Mutex<HashMap<Box<str>, CellLimits>>,
}

impl Registry {
    fn cell(&self, scope: Scope) -> Arc<Cell> {
        self.cells.lock().entry(scope).or_default().clone()
    }

    /// The cells of a caller that are limited at all. Found once per [`Caller`], which is made anew when its
    /// limits change; the cells themselves stay.
    pub(super) fn of_caller(&self, caller: &Caller) -> Arc<[CellLimits]> {
        struct Cells(Arc<[CellLimits]>);
        let make = || {
            let all = [
                ("this API key", Scope::Key(caller.key.id), caller.key.limits),
                ("this user", Scope::User(caller.user.id), caller.user.limits),
                ("this organisation", Scope::Tenant(caller.tenant.id), caller.tenant.limits),
            ];
            let limited = all.into_iter().filter(|(_, _, limits)| !limits.is_unlimited());
            let cells =
                limited.map(|(name, scope, limits)| CellLimits { name, limits, cell: self.cell(scope) });
            Arc::new(Cells(cells.collect()))
        };
        match caller.limit_slot.get_or_init(make) {
            Some(cells) => cells.0.clone(),
            None => make().0.clone(),
        }
    }

    /// The cell of a model.
    pub(super) fn of_model(&self, model: &str, limits: Limits) -> CellLimits {
        let mut models = self.models.lock();
        match models.get_mut(model) {
            Some(found) => {
                found.limits = limits;
                found.clone()
            }
            None => {
                let cell = self.cell(Scope::Model(model.into()));
                let made = CellLimits { name: "this model", limits, cell };
                models.insert(model.into(), made.clone());
                made
            }
        }
    }
}

/// Which limit stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Requests,
    Tokens,
    Concurrency,
}

/// A refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) whose: &'static str,
    pub(super) limit: u64,
    pub(super) retry_after: Duration,
}

/// What a request holds of its limits.
pub(super) struct Permit {
    held: Vec<Held>,
    draft: Arc<Draft>,
    stats: Arc<Stats>,
}

struct Held {
    cell: Arc<Cell>,
    request: Option<Taken>,
    tokens: Option<Taken>,
    running: bool,
}

impl Permit {
    /// Takes all limits or none.
    pub(super) fn take(
        cells: &[CellLimits],
        model: Option<CellLimits>,
        tokens: u64,
        draft: Arc<Draft>,
        stats: &Arc<Stats>,
    ) -> Result<Permit, Refusal> {
        let mut permit = Permit { held: Vec::new(), draft, stats: stats.clone() };
        if cells.is_empty() && model.is_none() {
            return Ok(permit);
        }
        permit.held.reserve_exact(cells.len() + usize::from(model.is_some()));
        let now = Instant::now();
        for limited in cells.iter().chain(model.as_ref()) {
            if let Err(refusal) = permit.take_one(limited, tokens, now) {
                permit.roll_back(now);
                return Err(refusal);
            }
        }
        Ok(permit)
    }

    fn take_one(&mut self, of: &CellLimits, tokens: u64, now: Instant) -> Result<(), Refusal> {
        let refusal = |kind, limit, retry_after| Refusal { kind, whose: of.name, limit, retry_after };
        self.held.push(Held { cell: of.cell.clone(), request: None, tokens: None, running: false });
        let Some(held) = self.held.last_mut() else { return Ok(()) };
        if let Some(most) = of.limits.concurrency {
            let took = of.cell.running.fetch_update(Relaxed, Relaxed, |n| (n < most).then_some(n + 1));
            took.map_err(|_| refusal(Kind::Concurrency, most, Duration::from_secs(1)))?;
            held.running = true;
            self.stats.concurrency_permits.inc();
        }
        if let Some(most) = of.limits.requests_per_minute {
            let taken = of.cell.requests.take(1, most, now);
            held.request = Some(taken.map_err(|r| refusal(Kind::Requests, most, r.retry_after))?);
        }
        if let Some(most) = of.limits.tokens_per_minute {
            let taken = of.cell.tokens.take(tokens, most, now);
            held.tokens = Some(taken.map_err(|r| refusal(Kind::Tokens, most, r.retry_after))?);
        }
        Ok(())
    }

    /// As if it had never been asked.
    fn roll_back(&mut self, now: Instant) {
        for held in &mut self.held {
            if let Some(taken) = held.request.take() {
                held.cell.requests.correct(taken, 0, now);
            }
            if let Some(taken) = held.tokens.take() {
                held.cell.tokens.correct(taken, 0, now);
            }
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.held.is_empty()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // What was used is on the draft by now: the answer's body is dropped before its guards.
        // Where nobody was asked, nobody answered, or the answer is an error, nothing was used; where the caller left in between, the
        // estimate stands.
        let used = self.draft.note(|notes| match notes.usage {
            Some(usage) => Some(usage.total_input().saturating_add(usage.total_output()).min(1 << 40)),
            None if notes.status >= 400 || (notes.served.is_none() && notes.trying.is_none()) => Some(0),
            None => None,
        });
        for held in &self.held {
            if held.running {
                held.cell.running.fetch_sub(1, Relaxed);
                self.stats.concurrency_permits.dec();
            }
            if let (Some(taken), Some(used)) = (held.tokens, used) {
                held.cell.tokens.correct(taken, used, Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::{TraceId, UnixMicros};

    fn draft() -> Arc<Draft> {
        let context = Context::new(UnixMicros(0), Instant::now(), TraceId::default());
        Arc::new(Draft::new(&context, Arc::new(crate::test_support::caller())))
    }

    fn limited(limits: Limits) -> CellLimits {
        CellLimits { name: "this API key", limits, cell: Arc::default() }
    }

    #[test]
    fn all_or_none() {
        let stats = Arc::new(Stats::default());
        let key =
            limited(Limits { requests_per_minute: Some(10), concurrency: Some(10), ..Limits::default() });
        let tenant = limited(Limits { tokens_per_minute: Some(5), ..Limits::default() });
        let cells = [key.clone(), tenant];
        let first = Permit::take(&cells, None, 5, draft(), &stats).ok();
        assert!(first.is_some());
        let refused = Permit::take(&cells, None, 5, draft(), &stats).err().unwrap();
        assert_eq!((refused.kind, refused.limit), (Kind::Tokens, 5));
        assert_eq!(key.cell.requests.total(Instant::now()), 1, "the refused one does not count");
        assert_eq!(stats.concurrency_permits.get(), 1);
        drop(first);
        assert_eq!((stats.concurrency_permits.get(), key.cell.running.load(Relaxed)), (0, 0));
    }

    #[test]
    fn what_nobody_answered_does_not_count() {
        let stats = Arc::new(Stats::default());
        let cells = [limited(Limits { tokens_per_minute: Some(1000), ..Limits::default() })];
        drop(Permit::take(&cells, None, 900, draft(), &stats));
        assert_eq!(cells[0].cell.tokens.total(Instant::now()), 0);
    }

    #[test]
    fn what_was_used_replaces_the_estimate() {
        let stats = Arc::new(Stats::default());
        let cells = [limited(Limits { tokens_per_minute: Some(1000), ..Limits::default() })];
        let draft = draft();
        let permit = Permit::take(&cells, None, 900, draft.clone(), &stats).ok();
        draft.note(|n| n.usage = Some(crate::Usage { input: 10, output: 20, ..Default::default() }));
        drop(permit);
        assert_eq!(cells[0].cell.tokens.total(Instant::now()), 30);
    }
}

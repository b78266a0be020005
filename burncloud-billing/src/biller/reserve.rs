//! Before dispatch: what a request may cost at most is held, and its admission written down.

use super::{Biller, Held, below_cost};
use crate::accounts::Short;
use crate::book::Unpriced;
use crate::bound::bound;
use crate::journal::{Admit, Full};
use crate::losses::Guard;
use crate::rates::Rates;
use crate::tariff::{Amounts, Ladder};
use burncloud_core::billing::{Ask, Hold};
use burncloud_core::routing::Lane;
use burncloud_core::{AbortPolicy, Caller, ChannelId, Error, ErrorKind, Nano, Route};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a request may cost at most, if its model has a price.
#[derive(Default)]
struct Estimate {
    /// At each level.
    all: Amounts,
    /// The part of it that is spent by sending the request.
    input: Amounts,
    version: u64,
    priced: bool,
    /// Whether what was declared for models without a price applies.
    unpriced: bool,
    /// The channels that would sell it below its cost.
    blocked: Vec<ChannelId>,
}

impl Biller {
    pub(super) fn hold(&self, ask: &Ask<'_>) -> Result<Hold, Error> {
        let free = ask.endpoint.operation.is_free();
        let mut estimate =
            if free { Estimate { priced: true, ..Estimate::default() } } else { self.estimate(ask) };
        self.check(ask, &estimate)?;
        let held = self.accounts.with(ask.caller, |purse| {
            if !purse.is_limited() || estimate.all.is_zero() {
                return Ok(Amounts::default());
            }
            purse.hold(&estimate.all).map_err(|which| short(which, estimate.all.user))?;
            Ok::<_, Error>(estimate.all.clone())
        })?;
        let reserved = held.user;
        self.held.fetch_add(reserved.0, Ordering::Relaxed);
        self.admit(ask, &estimate, reserved).inspect_err(|_| self.release(ask.caller, &held))?;
        let held = Held { amounts: held, blocked: std::mem::take(&mut estimate.blocked) };
        let state = (!held.is_plain()).then(|| Box::new(held) as Box<_>);
        Ok(Hold { reserved, abort: AbortPolicy::default(), state })
    }

    fn estimate(&self, ask: &Ask<'_>) -> Estimate {
        let mut estimate = Estimate::default();
        for lane in ask.candidates {
            self.ladder(ask.caller, ask.route, lane, ask.at, |ladder| {
                estimate.version = ladder.version;
                let Some(rates) = &ladder.user else { return };
                (estimate.priced, estimate.unpriced) = (true, ladder.unpriced);
                if ladder.loss.is_some() && self.blocks(ask, lane, ladder) {
                    estimate.blocked.push(lane.channel.id);
                    return;
                }
                let of = |rates: &Rates| bound(rates, ask, ladder.window, self.options.default_max_output);
                let (user, tenants) = (of(rates), ladder.tenants.iter().map(|rates| of(rates)));
                let (all, input) = tenants.map(|bound| (bound.all, bound.input)).unzip();
                let (all, input) =
                    (Amounts { user: user.all, tenants: all }, Amounts { user: user.input, tenants: input });
                estimate.all = std::mem::take(&mut estimate.all).max(&all);
                estimate.input = std::mem::take(&mut estimate.input).max(&input);
            });
        }
        estimate
    }

    /// A lane that would sell below cost: it is said, and whether it must not.
    fn blocks(&self, ask: &Ask<'_>, lane: &Lane, ladder: &Ladder) -> bool {
        if self.options.guard == Guard::Off {
            return false;
        }
        self.losses.note(ladder, self.book.generation(), &ask.route.model, lane.channel.id, ask.at);
        self.options.guard == Guard::Refuse
    }

    /// Whether the request may be served at any price at all.
    fn check(&self, ask: &Ask<'_>, estimate: &Estimate) -> Result<(), Error> {
        if !estimate.priced {
            let text = format!(
                "the model `{}` has no price here, so it cannot be charged; ask the operator to set one",
                ask.route.model
            );
            return Err(Error::new(ErrorKind::Forbidden, text)
                .with_code("model_not_priced")
                .with_param("model"));
        }
        if estimate.unpriced {
            self.say_unpriced(ask.route);
        }
        if !ask.candidates.is_empty() && estimate.blocked.len() == ask.candidates.len() {
            return Err(below_cost());
        }
        Ok(())
    }

    #[cold]
    fn say_unpriced(&self, route: &Route) {
        let first = self.unpriced.lock().insert(Arc::clone(&route.model));
        if first && self.options.unpriced == Unpriced::Free {
            tracing::warn!(model = %route.model, "no price is set or published; it is served for nothing");
        } else if first {
            tracing::warn!(model = %route.model, "no price is set or published; the one for such models is taken");
        }
    }

    fn admit(&self, ask: &Ask<'_>, estimate: &Estimate, reserved: Nano) -> Result<(), Error> {
        let (caller, first) = (ask.caller, ask.candidates.first());
        let admit = Admit {
            id: ask.id,
            trace_id: ask.trace_id,
            at: ask.at,
            key: caller.key.id,
            user: caller.user.id,
            tenant: caller.tenant.id,
            dialect: ask.endpoint.dialect,
            operation: ask.endpoint.operation,
            model: ask.route.model.clone(),
            upstream_model: first.map_or_else(|| self.nothing.clone(), |lane| lane.upstream_model.clone()),
            channel: first.map(|lane| lane.channel.id),
            reserved,
            input: estimate.input.user,
            legs: caller
                .tenants()
                .zip(&estimate.input.tenants)
                .filter_map(|(tenant, nano)| Some((tenant.id, tenant.parent?, *nano)))
                .collect(),
            price_version: if estimate.priced { estimate.version } else { 0 },
            bytes_in: ask.body_len,
        };
        self.journal.admit(admit).map_err(|full| {
            let text = "receipts cannot be kept at the moment, so no request is taken; try again soon";
            let why = match full {
                Full::Waiting => "the journal is at its bound: the store does not take receipts",
                Full::Failing => "the journal cannot be written",
            };
            let error = Error::new(ErrorKind::Unavailable, text).with_context(why);
            error.with_code("receipts_unavailable").with_retry_after(Duration::from_secs(1))
        })
    }

    fn release(&self, caller: &Caller, held: &Amounts) {
        if !held.is_zero() {
            self.accounts.with(caller, |purse| purse.settle(held, &Amounts::default()));
            self.held.fetch_sub(held.user.0, Ordering::Relaxed);
        }
    }
}

fn short(short: Short, needed: Nano) -> Error {
    let (what, left) = match short {
        Short::Quota(left) => ("this key's quota", left),
        Short::Wallet(left) => ("the balance", left),
        Short::Above(tenant) => {
            // Whose wallet it is, and what is in it, is none of the caller's business.
            let text = "this account's provider cannot serve the request at the moment; ask whoever gave you the key";
            return Error::new(ErrorKind::Payment, text)
                .with_code("insufficient_quota")
                .with_context(format!("the wallet of tenant {tenant} does not hold it"));
        }
    };
    let left = left.max(Nano::ZERO);
    let text = format!(
        "{what} does not hold what this request may cost: at most ${needed}, and ${left} is left; \
         lower the output limit, or have more added"
    );
    Error::new(ErrorKind::Payment, text).with_code("insufficient_quota")
}

//! Before dispatch: what a request may cost at most is held, and its admission written down.

use super::{Biller, Unpriced};
use crate::accounts::Short;
use crate::bound::{Bound, bound};
use crate::journal::{Admit, Full};
use crate::rates::Rates;
use burncloud_core::billing::{Ask, Hold};
use burncloud_core::{Caller, Error, ErrorKind, Nano, Route};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a request may cost at most, if its model has a price.
struct Estimate {
    bound: Bound,
    version: u64,
    priced: bool,
}

impl Biller {
    pub(super) fn hold(&self, ask: &Ask<'_>) -> Result<Hold, Error> {
        let free = ask.endpoint.operation.is_free();
        let estimate = if free {
            Estimate { bound: Bound::default(), version: 0, priced: true }
        } else {
            self.estimate(ask)
        };
        let reserved = self.accounts.with(ask.caller, |purse| {
            let limited = purse.is_limited();
            if !estimate.priced {
                self.unpriced(ask.route, limited)?;
            }
            if !limited || estimate.bound.all == Nano::ZERO {
                return Ok(Nano::ZERO);
            }
            purse.hold(estimate.bound.all).map_err(|which| short(which, estimate.bound.all))?;
            Ok::<_, Error>(estimate.bound.all)
        })?;
        self.held.fetch_add(reserved.0, Ordering::Relaxed);
        self.admit(ask, &estimate, reserved).inspect_err(|_| self.release(ask.caller, reserved))?;
        Ok(Hold { reserved, state: None })
    }

    fn estimate(&self, ask: &Ask<'_>) -> Estimate {
        let of = |rates: &Rates, window| bound(rates, ask, window, self.options.default_max_output);
        self.book.of_route(ask.route, |route| {
            let set = route.at(ask.at);
            let mut estimate =
                Estimate { bound: Bound::default(), version: route.version, priced: set.is_some() };
            for lane in ask.candidates {
                self.book.of_lane(ask.route, lane, ask.at, |listed| {
                    let window = listed.and_then(|l| l.context_window);
                    let rates = set.map(|rates| &**rates).or(listed.map(|l| &*l.rates));
                    let Some(rates) = rates else { return };
                    estimate.priced = true;
                    estimate.bound = estimate.bound.max(of(rates, window));
                });
            }
            estimate
        })
    }

    /// A model without a price may only be used where nobody counts.
    fn unpriced(&self, route: &Route, limited: bool) -> Result<(), Error> {
        if self.options.unpriced == Unpriced::Refuse && limited {
            let text = format!(
                "the model `{}` has no price here, so it cannot be charged; ask the operator to set one",
                route.model
            );
            return Err(Error::new(ErrorKind::Forbidden, text)
                .with_code("model_not_priced")
                .with_param("model"));
        }
        let first = self.book.of_route(route, |prices| !prices.warned.swap(true, Ordering::Relaxed));
        if first {
            tracing::warn!(model = %route.model, "no price is set or published; it is served for nothing");
        }
        Ok(())
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
            input: estimate.bound.input,
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

    fn release(&self, caller: &Caller, reserved: Nano) {
        if reserved > Nano::ZERO {
            self.accounts.with(caller, |purse| purse.settle(reserved, Nano::ZERO));
            self.held.fetch_sub(reserved.0, Ordering::Relaxed);
        }
    }
}

fn short(short: Short, needed: Nano) -> Error {
    let (what, left) = match short {
        Short::Quota(left) => ("this key's quota", left),
        Short::Balance(left) => ("the balance", left),
    };
    let left = left.max(Nano::ZERO);
    let text = format!(
        "{what} does not hold what this request may cost: at most ${needed}, and ${left} is left; \
         lower the output limit, or have more added"
    );
    Error::new(ErrorKind::Payment, text).with_code("insufficient_quota")
}

//! The [`Billing`] that keeps real money.

use crate::accounts::{Accounts, Purse, Short};
use crate::book::PriceBook;
use crate::bound::{Bound, bound};
use crate::error::BillingError;
use crate::estimate::{Dir, estimate};
use crate::journal::{Admit, Full, Journal, JournalSettings};
use crate::rates::Rates;
use crate::rating::{Rated, rate, total};
use crate::shipper::{Counts, Shipper, ShipperSettings};
use burncloud_core::billing::{Ask, Billing, Hold, Outcome};
use burncloud_core::routing::Candidate;
use burncloud_core::store::ReceiptStore;
use burncloud_core::{
    Caller, End, Error, ErrorKind, Nano, Operation, Receipt, Route, RouteTable, UnixMicros, Usage,
    UsageSource,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// What becomes of requests that were under way when the process was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrphanPolicy {
    /// They cost nothing: nobody knows what the caller got.
    #[default]
    Release,
    /// They cost what sending them may have cost: the input part of the estimate.
    Charge,
}

/// What becomes of a request for a model that has no price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unpriced {
    /// It is refused with 403 `model_not_priced`, unless the caller's spending is not limited anyway.
    #[default]
    Refuse,
    /// It is served and costs nothing.
    Free,
}

/// How money is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillerOptions {
    /// The journal.
    pub journal: JournalSettings,
    /// The shipper.
    pub shipper: ShipperSettings,
    /// Requests that a killed process left behind.
    pub orphans: OrphanPolicy,
    /// Models without a price.
    pub unpriced: Unpriced,
    /// Output tokens to reserve for when the caller does not limit them. Default 4096. An answer that is longer
    /// takes the rest from what is left then.
    pub default_max_output: u64,
}

impl BillerOptions {
    /// The defaults, with the journal in that directory.
    #[must_use]
    pub fn new(journal: impl Into<PathBuf>) -> BillerOptions {
        BillerOptions {
            journal: JournalSettings::new(journal),
            shipper: ShipperSettings::default(),
            orphans: OrphanPolicy::default(),
            unpriced: Unpriced::default(),
            default_max_output: 4096,
        }
    }
}

/// Holds, settles, and writes both down. Shared behind an [`Arc`]; a [`Shipper`] carries what it writes into the store.
#[derive(Debug)]
pub struct Biller {
    options: BillerOptions,
    book: Arc<PriceBook>,
    accounts: Arc<Accounts>,
    journal: Arc<Journal>,
    counts: Arc<Counts>,
    held: AtomicI64,
    orphans: usize,
    nothing: Arc<str>,
}

impl Biller {
    /// Opens the journal, settles what an earlier process left under way, and makes the shipper that has to be
    /// spawned. Reads the whole journal: call it from where blocking is allowed.
    ///
    /// # Errors
    /// When the journal is another process's, or cannot be read or written.
    pub fn open(
        options: BillerOptions,
        store: Arc<dyn ReceiptStore>,
        book: Arc<PriceBook>,
    ) -> Result<(Arc<Biller>, Shipper), BillingError> {
        let (journal, mut recovered) = Journal::open(options.journal.clone())?;
        let now = UnixMicros::now();
        for admit in &recovered.orphans {
            let receipt = orphan(admit, options.orphans, now);
            recovered.unshipped.add_receipt(&receipt);
            journal.settle(Arc::new(receipt), true);
        }
        let (orphans, waiting) = (recovered.orphans.len(), recovered.receipts);
        if orphans + waiting > 0 {
            tracing::info!(orphans, receipts = waiting, "recovered from the journal");
        }
        let (journal, accounts) = (Arc::new(journal), Arc::new(Accounts::new(recovered.unshipped)));
        let counts = Arc::new(Counts::default());
        let shipper = Shipper {
            journal: journal.clone(),
            store,
            accounts: accounts.clone(),
            book: book.clone(),
            counts: counts.clone(),
            settings: options.shipper,
            recovering: true,
        };
        let (held, nothing) = (AtomicI64::new(0), "".into());
        Ok((Arc::new(Biller { options, book, accounts, journal, counts, held, orphans, nothing }), shipper))
    }

    /// The prices.
    #[must_use]
    pub fn book(&self) -> &Arc<PriceBook> {
        &self.book
    }

    /// Looks up the prices of every lane, so that no request has to. Takes milliseconds per model, tens for the
    /// first: call it beside the request path whenever a new table is made.
    pub fn warm(&self, table: &RouteTable) {
        let now = UnixMicros::now();
        for route in table.models() {
            self.book.of_route(route, |_| ());
            route.lanes.iter().for_each(|lane| self.book.of_lane(lane, now, |_| ()));
        }
    }

    /// What is left to a caller: of the key's quota, and of the user's balance; `None` is unlimited.
    #[must_use]
    pub fn left(&self, caller: &Caller) -> (Option<Nano>, Option<Nano>) {
        self.accounts.with(caller, Purse::left)
    }

    /// Asks the shipper to ship what is there, to close the journal and to end. Call it when no request is under
    /// way any more, then wait for the task that runs [`Shipper::run`].
    pub fn close(&self) {
        self.journal.close();
    }

    /// Waits until everything that was settled so far is durable; `false` if it is not within `patience`.
    /// Blocks the thread.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        self.journal.flush(patience)
    }

    /// What is held for requests under way.
    #[must_use]
    pub fn reserved_total(&self) -> Nano {
        Nano(self.held.load(Ordering::Relaxed))
    }

    /// Bytes in the journal that wait for the store.
    #[must_use]
    pub fn journal_bytes(&self) -> u64 {
        self.journal.waiting_bytes()
    }

    /// Whether the disk does not take the journal at the moment; requests are refused while it is so.
    #[must_use]
    pub fn journal_is_failing(&self) -> bool {
        self.journal.is_failing()
    }

    /// Receipts in memory that wait for the store, and whether there are more of them on disk.
    #[must_use]
    pub fn unshipped(&self) -> (usize, bool) {
        self.journal.unshipped()
    }

    /// Receipts that the store took as new since the start.
    #[must_use]
    pub fn shipped(&self) -> u64 {
        self.counts.shipped.load(Ordering::Relaxed)
    }

    /// How far the store is behind: the age of the oldest receipt that is being shipped, zero when all are.
    #[must_use]
    pub fn store_lag(&self) -> Duration {
        let age = self.journal.oldest().map_or(0, |at| UnixMicros::now().0.saturating_sub(at));
        Duration::from_micros(u64::try_from(age).unwrap_or(0))
    }

    /// Failed attempts to record receipts, and to write the journal.
    #[must_use]
    pub fn failures(&self) -> (u64, u64) {
        (self.counts.failures.load(Ordering::Relaxed), self.journal.failures())
    }

    /// Receipts of refused requests that were dropped because the journal was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.journal.dropped()
    }

    /// Requests that an earlier process had left under way.
    #[must_use]
    pub fn orphans_recovered(&self) -> usize {
        self.orphans
    }
}

// === reserve ===

/// What a request may cost at most, if its model has a price.
struct Estimate {
    bound: Bound,
    version: u64,
    priced: bool,
}

impl Biller {
    fn estimate(&self, ask: &Ask<'_>) -> Estimate {
        let of = |rates: &Rates, window| bound(rates, ask, window, self.options.default_max_output);
        self.book.of_route(ask.route, |route| {
            let set = route.at(ask.at);
            let mut estimate =
                Estimate { bound: Bound::default(), version: route.version, priced: set.is_some() };
            for lane in ask.candidates {
                self.book.of_lane(lane, ask.at, |listed| {
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

// === settle ===

/// What an outcome comes to.
#[derive(Default)]
struct Bill {
    usage: Usage,
    source: UsageSource,
    rated: Rated,
    upstream_cost: Nano,
    version: u64,
}

impl Biller {
    fn bill(&self, outcome: &mut Outcome) -> Bill {
        let Some((usage, source)) = used(outcome) else { return Bill::default() };
        let mut bill = Bill { usage, source, ..Bill::default() };
        if outcome.endpoint.operation.is_free() {
            return bill;
        }
        let (Some(route), Some(served)) = (&outcome.route, &outcome.served) else { return bill };
        self.book.of_lane(served, outcome.at, |listed| {
            if let Some(listed) = listed.filter(|listed| listed.own) {
                bill.upstream_cost = total(&listed.rates, &usage);
            }
            self.book.of_route(route, |prices| {
                let set = prices.at(outcome.at).map(|rates| &**rates);
                let rated = match set.or(listed.map(|l| &*l.rates)) {
                    Some(rates) => Some(rate(rates, &usage)),
                    None => self.rate_beside(route, served, outcome.at, &usage),
                };
                if let Some(rated) = rated {
                    (bill.rated, bill.version) = (rated, prices.version);
                }
            });
        });
        bill
    }

    /// The lane that served has no price: the model costs what its first lane with a price takes.
    fn rate_beside(&self, route: &Route, served: &Candidate, at: UnixMicros, usage: &Usage) -> Option<Rated> {
        let others = route.lanes.iter().filter(|lane| !Arc::ptr_eq(lane, served));
        others
            .filter_map(|lane| self.book.of_lane(lane, at, |listed| Some(rate(&listed?.rates, usage))))
            .next()
    }

    fn receipt(&self, outcome: Outcome, bill: Bill, reserved: Nano, charge: Nano) -> Receipt {
        let served = outcome.served.as_ref();
        Receipt {
            id: outcome.id,
            trace_id: outcome.trace_id,
            at: outcome.at,
            key: outcome.caller.key.id,
            user: outcome.caller.user.id,
            tenant: outcome.caller.tenant.id,
            dialect: outcome.endpoint.dialect,
            operation: outcome.endpoint.operation,
            model: outcome.model,
            upstream_model: served.map_or_else(|| self.nothing.clone(), |lane| lane.upstream_model.clone()),
            channel: served.map(|lane| lane.channel.id),
            upstream_request_id: outcome.upstream_request_id,
            streamed: outcome.streamed,
            status: outcome.status,
            end: outcome.end,
            attempts: outcome.attempts,
            usage: bill.usage,
            usage_source: bill.source,
            price_version: bill.version,
            shortfall: bill.rated.total.minus(charge),
            lines: bill.rated.lines,
            reserved,
            charge,
            upstream_cost: bill.upstream_cost,
            first_byte_us: outcome.first_byte_us,
            took_us: outcome.took_us,
            bytes_in: outcome.bytes_in,
            bytes_out: outcome.bytes_out,
        }
    }
}

/// The usage and how it is known: what the provider reported; else, of an answer that was under way, an estimate;
/// else nothing was used.
fn used(outcome: &mut Outcome) -> Option<(Usage, UsageSource)> {
    if let Some(usage) = outcome.usage.take() {
        return Some((usage, UsageSource::Reported));
    }
    let answered = outcome.served.is_some() && outcome.status < 400 && outcome.response_sample.total > 0;
    if !answered || outcome.endpoint.operation.is_free() {
        return None;
    }
    let input = estimate(&outcome.request_sample, Dir::In);
    let silent = matches!(
        outcome.endpoint.operation,
        Operation::Embeddings | Operation::EmbedContent | Operation::Moderation | Operation::Rerank
    );
    let output = if silent { 0 } else { estimate(&outcome.response_sample, Dir::Out) };
    Some((Usage { input, output, ..Usage::default() }, UsageSource::Estimated))
}

fn orphan(admit: &Admit, policy: OrphanPolicy, now: UnixMicros) -> Receipt {
    let charge = match policy {
        OrphanPolicy::Release => Nano::ZERO,
        OrphanPolicy::Charge => admit.input,
    };
    Receipt {
        id: admit.id,
        trace_id: admit.trace_id,
        at: admit.at,
        key: admit.key,
        user: admit.user,
        tenant: admit.tenant,
        dialect: admit.dialect,
        operation: admit.operation,
        model: admit.model.clone(),
        upstream_model: admit.upstream_model.clone(),
        channel: admit.channel,
        upstream_request_id: None,
        streamed: false,
        status: 500,
        end: End::Orphaned,
        attempts: Vec::new(),
        usage: Usage::default(),
        usage_source: UsageSource::None,
        price_version: if charge > Nano::ZERO { admit.price_version } else { 0 },
        lines: Vec::new(),
        reserved: admit.reserved,
        charge,
        shortfall: Nano::ZERO,
        upstream_cost: Nano::ZERO,
        first_byte_us: None,
        took_us: u64::try_from(now.0.saturating_sub(admit.at.0)).unwrap_or(0),
        bytes_in: admit.bytes_in,
        bytes_out: 0,
    }
}

impl Billing for Biller {
    fn reserve(&self, ask: &Ask<'_>) -> Result<Hold, Error> {
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

    fn settle(&self, hold: Option<Hold>, mut outcome: Outcome) {
        let admitted = hold.is_some();
        let reserved = hold.map_or(Nano::ZERO, |hold| hold.reserved);
        let bill = self.bill(&mut outcome);
        let charge = if reserved == Nano::ZERO && bill.rated.total == Nano::ZERO {
            Nano::ZERO
        } else {
            self.accounts.with(&outcome.caller, |purse| purse.settle(reserved, bill.rated.total))
        };
        if reserved > Nano::ZERO {
            self.held.fetch_sub(reserved.0, Ordering::Relaxed);
        }
        let receipt = self.receipt(outcome, bill, reserved, charge);
        self.journal.settle(Arc::new(receipt), admitted);
    }
}

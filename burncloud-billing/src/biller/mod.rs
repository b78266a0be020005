//! The [`Billing`] that keeps real money.

mod abort;
mod fuse;
mod held;
mod proofs;
mod reserve;
mod settle;

use crate::accounts::{Accounts, Purse};
use crate::book::{PriceBook, Unpriced};
use crate::budgets::{Alerts, BudgetState, LoadedBudget, Rules};
use crate::error::BillingError;
use crate::feed::Feed;
use crate::journal::{Journal, JournalSettings};
use crate::losses::{Guard, Loss, Losses};
use crate::shipper::{Counts, Shipper, ShipperSettings};
use crate::tariff::Ladder;
use crate::terms::House;
use arc_swap::ArcSwap;
use burncloud_core::billing::{Ask, Billing, Hold, Outcome, ReceiptFuture};
use burncloud_core::routing::{Candidate, Lane};
use burncloud_core::store::ReceiptStore;
use burncloud_core::{
    AbortPolicy, Caller, Error, ErrorKind, Nano, Plan, ReceiptId, Route, RouteTable, UnixMicros,
};
use held::Held;
use parking_lot::Mutex;
use std::collections::HashSet;
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
    /// Sales below cost.
    pub guard: Guard,
    /// Output tokens to reserve for when the caller does not limit them. Default 4096. An answer that is longer
    /// takes the rest from what is left then.
    pub default_max_output: u64,
    /// What is charged for answers that do not come to their end, where the caller has no plan that says so.
    pub abort: AbortPolicy,
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
            guard: Guard::default(),
            default_max_output: 4096,
            abort: AbortPolicy::default(),
        }
    }
}

/// Holds, settles, and writes both down. Shared behind an [`Arc`]; a [`Shipper`] carries what it writes into the store.
#[derive(Debug)]
pub struct Biller {
    options: BillerOptions,
    book: Arc<PriceBook>,
    accounts: Arc<Accounts>,
    house: ArcSwap<House>,
    rules: Rules,
    changing: Mutex<()>,
    journal: Arc<Journal>,
    counts: Arc<Counts>,
    feed: Feed,
    held: AtomicI64,
    orphans: usize,
    nothing: Arc<str>,
    proofs: proofs::Proofs,
    losses: Losses,
    /// Models without a price that are served nevertheless, as far as the log says so.
    unpriced: Mutex<HashSet<Arc<str>>>,
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
        let orphaned =
            recovered.orphans.iter().map(|admit| Arc::new(settle::orphan(admit, options.orphans, now)));
        let orphaned: Vec<_> = orphaned.collect();
        orphaned.iter().for_each(|receipt| recovered.unshipped.add_receipt(receipt));
        journal.settle_all(orphaned);
        let (orphans, waiting) = (recovered.orphans.len(), recovered.receipts);
        if orphans + waiting > 0 {
            tracing::info!(orphans, receipts = waiting, "recovered from the journal");
        }
        let (journal, accounts) = (Arc::new(journal), Arc::new(Accounts::new(recovered.unshipped)));
        let (counts, feed) = (Arc::new(Counts::default()), Feed::default());
        let shipper = Shipper {
            journal: journal.clone(),
            store,
            accounts: accounts.clone(),
            book: book.clone(),
            counts: counts.clone(),
            feed: feed.clone(),
            settings: options.shipper,
            recovering: true,
        };
        book.set_unpriced(options.unpriced.clone());
        let house = House { generation: 1, abort: options.abort, ..House::default() };
        let biller = Biller {
            options,
            book,
            accounts,
            house: ArcSwap::from_pointee(house),
            rules: Rules::default(),
            changing: Mutex::new(()),
            journal,
            counts,
            feed,
            held: AtomicI64::new(0),
            orphans,
            nothing: "".into(),
            losses: Losses::default(),
            unpriced: Mutex::default(),
            proofs: proofs::Proofs::default(),
        };
        Ok((Arc::new(biller), shipper))
    }

    /// The prices.
    #[must_use]
    pub fn book(&self) -> &Arc<PriceBook> {
        &self.book
    }

    /// Sets the plans, in the place of all there were.
    pub fn set_plans(&self, plans: Vec<Plan>) {
        self.change(|house| house.set_plans(plans));
    }

    /// Sets the budgets, in the place of all there were; see [`load_budgets`](crate::load_budgets). A budget of the same name, scope,
    /// period and time zone as one before goes on with its count. One that is new begins with what the store knows, and
    /// what the journal of an earlier process holds beside it; requests that are under way count from the next call on.
    pub fn set_budgets(&self, loaded: Vec<LoadedBudget>) {
        self.change(|house| {
            let rules = self.rules.take_over(loaded, |scope, since| self.accounts.unshipped(scope, since));
            house.set_budgets(rules);
        });
    }

    /// How each budget stands, by name.
    #[must_use]
    pub fn budgets(&self) -> Vec<BudgetState> {
        self.rules.states(UnixMicros::now())
    }

    /// Receipts as the shipper records them, for whoever looks on.
    #[must_use]
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// What operators should know. Have somebody [keep](Alerts::keep) them.
    #[must_use]
    pub fn alerts(&self) -> &Alerts {
        &self.rules.alerts
    }

    fn change(&self, change: impl FnOnce(&mut House)) {
        let _one_at_a_time = self.changing.lock();
        let mut house = House::clone(&self.house.load());
        change(&mut house);
        house.generation += 1;
        self.house.store(Arc::new(house));
    }

    /// Looks up the prices of every lane, so that no request has to. Takes milliseconds per model, tens for the
    /// first: call it beside the request path whenever a new table is made.
    pub fn warm(&self, table: &RouteTable) {
        let (now, catalogue) = (UnixMicros::now(), self.book.catalogue());
        for route in table.models() {
            for lane in &route.lanes {
                let provider = lane.channel.adapter.name();
                catalogue.find_mapped(provider, &lane.upstream_model, &route.model, now);
            }
        }
    }

    /// What was asked for and is sold below its cost, as far as requests met it since the book changed last. Empty with
    /// [`Guard::Off`].
    #[must_use]
    pub fn losses(&self) -> Vec<Loss> {
        self.losses.list(self.book.generation())
    }

    /// What the caller and those above pay when that lane serves.
    fn ladder<R>(
        &self,
        caller: &Caller,
        route: &Route,
        lane: &Lane,
        at: UnixMicros,
        of: impl FnOnce(&Ladder) -> R,
    ) -> R {
        let class = self.accounts.with(caller, Purse::class);
        self.book.ladder((caller, class), route, lane, at, of)
    }

    /// What is left to a caller: of the key's quota, and of the user's balance; `None` is unlimited.
    #[must_use]
    pub fn left(&self, caller: &Caller) -> (Option<Nano>, Option<Nano>) {
        self.accounts.with(caller, |purse| purse.left())
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

    /// Receipts that the store refused for good; they are in `rejected.jsonl` in the journal's directory.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.counts.rejected.load(Ordering::Relaxed)
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

impl Billing for Biller {
    fn receipt<'a>(&'a self, caller: &'a Caller, id: ReceiptId) -> ReceiptFuture<'a> {
        Box::pin(self.proofs.receipt(caller, id))
    }

    fn reserve(&self, ask: &Ask<'_>) -> Result<Hold, Error> {
        self.hold(ask)
    }

    fn attempt(&self, hold: &mut Hold, lane: &Candidate, at: UnixMicros) -> Result<(), Error> {
        if Held::find(hold).is_some_and(|held| held.blocked.contains(&lane.channel.id)) {
            return Err(below_cost());
        }
        self.fuse(hold, lane, at)
    }

    fn settle(&self, hold: Option<Hold>, outcome: Outcome) {
        self.end(hold, outcome);
    }
}

/// What a caller hears of [`Guard::Refuse`]: no more than that it is none of their doing.
fn below_cost() -> Error {
    let text = "no channel can serve this model at its price at the moment; ask the operator";
    Error::new(ErrorKind::Unavailable, text)
        .with_code("below_cost")
        .with_context("it would be sold below its cost")
}

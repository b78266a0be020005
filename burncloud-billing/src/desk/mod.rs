//! The operator's desk: everything that the console's pages and the management API do, as one object.
//!
//! Each function takes the [`Actor`] first, asks whether it may (the table in [`people`](crate::people)), checks its input and
//! names the field at fault, does it, and leaves an entry in the audit log: who, from where, what, before and after,
//! without secrets. Pages and handlers are thin callers and hold no rule of their own.
//!
//! What the command line and the configuration file do is not in the audit log: they are the owner's own hand on the
//! machine, and what they do to money is in the ledger.

mod audit;
mod backup;
mod budgets;
pub mod channels;
mod codes;
mod common;
mod keeping;
mod keys;
pub mod login;
mod money;
mod movements;
mod offices;
mod prices;
mod published;
mod quotes;
pub mod reports;
mod rest;
pub mod settings;
mod shelf;
mod simulate;
mod tenants;
#[cfg(test)]
mod tests;
mod trial;
mod users;

pub use audit::{AuditQuery, AuditView};
pub use backup::{BackupView, Backups, KEPT as BACKUPS_KEPT};
pub use budgets::{BudgetDraft, BudgetView, PlanDraft, PlanView};
pub use codes::{BatchView, CodesDraft, MadeCodes, Redeemed};
pub use common::{OneTime, Page};
pub use keeping::{Kept, archive_old, keep_since};
pub use keys::{KeyChange, KeyDraft, KeyFilter, KeyView, MadeKey};
pub use money::{MoneyMove, MoveKind, Moved, StatementFilter, StatementLine, WalletId, WalletView};
pub use movements::{Against, BooksChecked, MoveFilter, MoveLine, Movements};
pub use offices::{Members, Powers, UserPowers};
pub use prices::{BookRatios, BuyingRow, PriceDraft, PriceRow, PriceSource, PriceTable, RuleState, RuleView};
pub use published::{Exported, Imported, WaitingChange, WaitingPrices};
pub use quotes::{QuoteLevelView, QuoteQuery, QuoteView};
pub use shelf::{PriceHint, Serving, ShelfRow};
pub use simulate::{Simulated, SimulatedSums};
pub use tenants::{GroupView, TenantDraft, TenantEdit, TenantView};
pub use users::{UserDraft, UserEdit, UserFilter, UserView};

use crate::people::Actor;
use crate::{Biller, PriceBook};
use arc_swap::ArcSwap;
use burncloud_core::UserId;
use burncloud_core::adapter::Registry;
use burncloud_core::store::ConsoleStore;
use std::fmt;
use std::sync::Arc;

/// See the [module](self).
#[derive(Clone)]
pub struct Desk {
    store: Arc<dyn ConsoleStore>,
    registry: Registry,
    book: Arc<PriceBook>,
    biller: Option<Arc<Biller>>,
    backups: Option<Arc<std::path::Path>>,
    archive: Option<Arc<std::path::Path>>,
    tries: Arc<codes::Tries>,
    changed: Arc<dyn Fn() + Send + Sync>,
    settings: Arc<ArcSwap<settings::SettingsSource>>,
    sessions_ended: Arc<dyn Fn(UserId) + Send + Sync>,
    /// Held from looking at a version to changing it: what is compared is what is replaced, in this process. Of two processes
    /// that change one thing within the same moment the later one counts, as with every change that expects no version.
    writing: Arc<tokio::sync::Mutex<()>>,
    doors: Arc<login::Doors>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    /// Over a store; `registry` knows the providers that channels can be of.
    #[must_use]
    pub fn new(store: Arc<dyn ConsoleStore>, registry: Registry) -> Desk {
        Desk {
            store,
            registry,
            book: Arc::new(PriceBook::new()),
            biller: None,
            backups: None,
            archive: None,
            tries: Arc::default(),
            changed: Arc::new(|| ()),
            sessions_ended: Arc::new(|_| ()),
            writing: Arc::default(),
            settings: Arc::default(),
            doors: Arc::default(),
        }
    }

    /// What is called when all of a user's sessions were ended, so that what is open in a browser is closed.
    #[must_use]
    pub fn on_sessions_ended(mut self, ended: impl Fn(UserId) + Send + Sync + 'static) -> Desk {
        self.sessions_ended = Arc::new(ended);
        self
    }

    /// With the price book of the gateway in this process, so that prices that are set are in force at once; without, with one
    /// of its own.
    #[must_use]
    pub fn with_book(mut self, book: Arc<PriceBook>) -> Desk {
        self.book = book;
        self
    }

    /// With the biller of the gateway in this process, which knows what was sold below its cost.
    #[must_use]
    pub fn with_biller(mut self, biller: Arc<Biller>) -> Desk {
        self.biller = Some(biller);
        self
    }

    /// What is called after each change, so that a gateway in the same process takes it at once.
    #[must_use]
    pub fn on_change(mut self, changed: impl Fn() + Send + Sync + 'static) -> Desk {
        self.changed = Arc::new(changed);
        self
    }

    /// What the configuration file declares of settings, and what was in force at the start. Holds for every clone of this
    /// desk: call it again when the file was read again.
    pub fn settings_from(&self, source: settings::SettingsSource) {
        self.settings.store(Arc::new(source));
    }

    /// Where it keeps things. For what has no rule: whoever reads through this shows it to nobody unasked.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ConsoleStore> {
        &self.store
    }

    /// The providers that channels can be of.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}

//! Wallets and credit lines, as the console handles them. What moves money is an entry in the ledger, and one in the audit
//! log that names it.

use super::audit::Change;
use super::common::{Page, missing, seen_tenant};
use super::{Actor, Desk};
use crate::people::{self, Action, Tree, Wallet};
use burncloud_core::ledger::{Account, EntryKind};
use burncloud_core::store::{EntryFilter, Posted, StoreError};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Alert, Nano, TenantId, UnixMicros, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What the reference of an order begins with that has none of its own.
const ONCE: &str = "once:";

/// Whose wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalletId {
    /// A user's, at their tenant.
    User(UserId),
    /// A tenant's, at its parent.
    Tenant(TenantId),
}

impl WalletId {
    fn account(self) -> Account {
        match self {
            WalletId::User(id) => Account::User(id),
            WalletId::Tenant(id) => Account::Tenant(id),
        }
    }

    fn credit_account(self) -> Account {
        match self {
            WalletId::User(id) => Account::UserCredit(id),
            WalletId::Tenant(id) => Account::TenantCredit(id),
        }
    }
}

/// A wallet as it is shown. Amounts in nano-dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalletView {
    /// Whose.
    pub wallet: WalletId,
    /// Their name.
    pub name: String,
    /// The tenant that keeps it: whom its holder pays.
    pub keeper: TenantId,
    /// What is in it; negative is owed.
    pub balance: Nano,
    /// How far below zero it may go.
    pub credit: Nano,
    /// Whether it has no bound.
    pub unlimited: bool,
    /// What was spent from it.
    pub used: Nano,
}

/// How money is moved by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// Money came in from outside, or (negative) was paid back.
    TopUp,
    /// Credit is given away.
    Promotion,
    /// A correction, in either direction; wants a reason.
    Adjustment,
    /// The credit line is raised, or (negative) lowered.
    CreditLine,
}

/// Money to be moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoneyMove {
    /// How.
    pub kind: MoveKind,
    /// How much, in nano-dollars.
    pub amount: Nano,
    /// What makes doing it twice one entry, such as a payment's number. Credit lines have none.
    #[serde(default)]
    pub reference: Option<String>,
    /// Why, in words.
    #[serde(default)]
    pub reason: String,
}

/// A movement of money that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The number of the entry.
    pub entry: i64,
    /// `false`: there was such an entry with this reference already, and nothing was moved.
    pub new: bool,
    /// The wallet as it is now.
    pub wallet: WalletView,
}

/// A line of a wallet's statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementLine {
    /// The number of the entry.
    pub entry: i64,
    /// When.
    pub at: UnixMicros,
    /// What it was.
    pub kind: EntryKind,
    /// By how much the wallet's balance changed, in nano-dollars; 0 for a credit line.
    pub amount: Nano,
    /// By how much the credit line changed.
    pub credit: Nano,
    /// Who did it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The payment's number or the like.
    pub reference: Option<String>,
    /// The entry that this one undoes.
    pub reverses: Option<i64>,
    /// The other side, for whoever sees the keeper's money.
    pub against: Option<Account>,
}

/// Which part of a statement is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatementFilter {
    /// Of the credit line, not of the balance.
    pub credit_line: bool,
    /// Older than this entry: the `next` of the page before.
    pub before: Option<i64>,
    /// At most so many; 0 means 100, and 1,000 is the most.
    pub limit: u32,
}

impl Desk {
    /// A wallet.
    ///
    /// # Errors
    /// `Store(NotFound)` for one that the actor does not see; `Invalid` for a tenant of the house, which has none.
    pub async fn wallet(&self, actor: &Actor, id: WalletId) -> UseCaseResult<WalletView> {
        Ok(view(id, &self.seen_wallet(actor, &self.tree().await?, id).await?))
    }

    /// Moves money, or a credit line.
    ///
    /// # Errors
    /// Those of [`people::top_up`], [`people::promote`], [`people::adjust`] and [`people::grant_credit`]; `Store(NotFound)` for
    /// a wallet that the actor does not see.
    pub async fn move_money(&self, actor: &Actor, id: WalletId, order: MoneyMove) -> UseCaseResult<Moved> {
        self.move_money_once(actor, id, order, None).await
    }

    /// As [`move_money`](Desk::move_money); where the order has no reference of its own, `once` makes asking for it twice one
    /// entry. A statement does not show it.
    ///
    /// # Errors
    /// As [`move_money`](Desk::move_money).
    pub async fn move_money_once(
        &self,
        actor: &Actor,
        id: WalletId,
        order: MoneyMove,
        once: Option<&str>,
    ) -> UseCaseResult<Moved> {
        let tree = self.tree().await?;
        let before = self.seen_wallet(actor, &tree, id).await?;
        let MoneyMove { kind, amount, reference, reason } = order;
        if kind == MoveKind::CreditLine && reference.is_some() {
            return Err(UseCaseError::invalid(
                "reference",
                ("a credit line has no reference; leave it out", "信用额度没有凭证号，请留空"),
            ));
        }
        let reference = reference.or_else(|| once.map(|once| format!("{ONCE}{once}")));
        let store = &*self.store;
        let (action, posted) = match kind {
            MoveKind::TopUp => {
                let posted = people::top_up(store, actor, &before, amount, reference, &reason).await?;
                ("money.top_up", posted)
            }
            MoveKind::Promotion => {
                let posted = people::promote(store, actor, &before, amount, reference, &reason).await?;
                ("money.promotion", posted)
            }
            MoveKind::Adjustment => {
                let posted = people::adjust(store, actor, &before, amount, reference, &reason).await?;
                ("money.adjustment", posted)
            }
            MoveKind::CreditLine => {
                let posted = people::grant_credit(store, actor, &before, amount, reference, &reason).await?;
                ("money.credit_line", posted)
            }
        };
        self.moved(actor, &tree, id, &before, action, amount, posted).await
    }

    /// Makes a credit line that long. `None` where it is already.
    ///
    /// # Errors
    /// Those of [`people::set_credit`]; `Store(NotFound)` for a wallet that the actor does not see.
    pub async fn set_credit(
        &self,
        actor: &Actor,
        id: WalletId,
        credit: Nano,
        reason: &str,
    ) -> UseCaseResult<Option<Moved>> {
        let tree = self.tree().await?;
        let before = self.seen_wallet(actor, &tree, id).await?;
        match people::set_credit(&*self.store, actor, &before, credit, reason).await? {
            None => Ok(None),
            Some(posted) => {
                let amount = credit.minus(before.credit());
                self.moved(actor, &tree, id, &before, "money.credit_line", amount, posted).await.map(Some)
            }
        }
    }

    /// Undoes an entry, and answers the number of the one that does so.
    ///
    /// # Errors
    /// Those of [`people::reverse`]; `Store(NotFound)` for an entry of which the actor sees no wallet.
    pub async fn reverse_entry(&self, actor: &Actor, entry: i64, reason: &str) -> UseCaseResult<i64> {
        let found = self.store.entry(entry).await?.ok_or_else(|| missing("entry", entry))?;
        let tree = self.tree().await?;
        let mut tenant = None;
        for posting in &found.postings {
            let id = match posting.account {
                Account::User(id) | Account::UserCredit(id) => WalletId::User(id),
                Account::Tenant(id) | Account::TenantCredit(id) => WalletId::Tenant(id),
                _ => continue,
            };
            if let Ok(wallet) = self.seen_wallet(actor, &tree, id).await {
                tenant = Some(concerned(id, &wallet));
            }
        }
        let tenant = match tenant {
            Some(tenant) => tenant,
            None if actor.may_in_house(Action::ManageHouse) => actor.tenant,
            None => return Err(missing("entry", entry)),
        };
        let posted = people::reverse(&*self.store, actor, entry, reason).await?;
        let change = Change {
            action: "money.reverse",
            subject: format!("entry:{entry}"),
            name: found.kind.as_str().to_owned(),
            tenant,
            before: json!({ "entry": entry, "postings": found.postings }),
            after: json!({ "entry": posted.id, "reason": reason }),
        };
        self.note(actor, change).await?;
        Ok(posted.id)
    }

    /// The entries of a wallet, newest first.
    ///
    /// # Errors
    /// `Store(NotFound)` for a wallet that the actor does not see.
    pub async fn statement(
        &self,
        actor: &Actor,
        id: WalletId,
        filter: &StatementFilter,
    ) -> UseCaseResult<Page<StatementLine>> {
        let tree = self.tree().await?;
        let wallet = self.seen_wallet(actor, &tree, id).await?;
        let account = if filter.credit_line { id.credit_account() } else { id.account() };
        let limit = if filter.limit == 0 { 100 } else { filter.limit.min(1_000) };
        let query =
            EntryFilter { account: Some(account), before: filter.before, limit, ..EntryFilter::default() };
        let entries = self.store.entries(&query).await?;
        let next = entries.last().filter(|_| entries.len() >= limit as usize).map(|entry| entry.id);
        let keeps = actor.may(&tree, Action::SeeMoney, wallet.keeper());
        let line = |entry: burncloud_core::ledger::Entry| {
            let of = |account| {
                let own = entry.postings.iter().find(|posting| posting.account == account);
                own.map_or(Nano::ZERO, |posting| posting.amount)
            };
            let (amount, credit) = (of(id.account()), of(id.credit_account()));
            // Receipts of many users are one entry: the others are nobody's business here.
            let other = match &entry.postings[..] {
                [a, b] => [a, b].into_iter().find(|posting| posting.account != account),
                _ => None,
            };
            StatementLine {
                amount,
                credit,
                against: other.filter(|_| keeps).map(|posting| posting.account),
                entry: entry.id,
                at: entry.at,
                kind: entry.kind,
                author: entry.author,
                reason: entry.reason,
                reference: shown_reference(entry.kind, entry.reference),
                reverses: entry.reverses,
            }
        };
        Ok(Page { items: entries.into_iter().map(line).collect(), next, total: None })
    }

    /// What the house should know about money, newest first.
    ///
    /// # Errors
    /// `Forbidden` for everybody but the house's owners and administrators: an alert may be about anybody.
    pub async fn alerts(&self, actor: &Actor, limit: u32) -> UseCaseResult<Vec<Alert>> {
        actor.check_in_house(Action::ManageHouse)?;
        Ok(self.store.alerts(if limit == 0 { 100 } else { limit.min(1_000) }).await?)
    }

    pub(super) async fn seen_wallet(
        &self,
        actor: &Actor,
        tree: &Tree,
        id: WalletId,
    ) -> UseCaseResult<Wallet> {
        match id {
            WalletId::User(id) => Ok(Wallet::User(self.seen_user(actor, tree, id).await?)),
            WalletId::Tenant(id) => {
                let tenant = seen_tenant(actor, tree, id)?;
                Wallet::of_tenant(&*self.store, &tenant.name).await
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    async fn moved(
        &self,
        actor: &Actor,
        tree: &Tree,
        id: WalletId,
        before: &Wallet,
        action: &'static str,
        amount: Nano,
        posted: Posted,
    ) -> UseCaseResult<Moved> {
        let wallet = match self.seen_wallet(actor, tree, id).await {
            Err(UseCaseError::Store(StoreError::NotFound { .. })) => before.clone(),
            found => found?,
        };
        let now = view(id, &wallet);
        if posted.new {
            let change = Change {
                action,
                subject: id.account().to_string(),
                name: wallet.name().to_owned(),
                tenant: concerned(id, &wallet),
                before: json!({ "balance": before.balance(), "credit": before.credit() }),
                after: json!({
                    "balance": now.balance, "credit": now.credit, "amount": amount, "entry": posted.id,
                }),
            };
            self.note(actor, change).await?;
        }
        Ok(Moved { entry: posted.id, new: posted.new, wallet: now })
    }
}

/// References that hold a secret of nobody, but numbers that say nothing, are left out: codes' hashes, and those of requests.
pub(super) fn shown_reference(kind: EntryKind, reference: Option<String>) -> Option<String> {
    reference.filter(|reference| {
        let own = reference.splitn(3, ':').nth(2).unwrap_or_default();
        kind != EntryKind::Redeem && !own.starts_with(ONCE)
    })
}

fn view(wallet: WalletId, of: &Wallet) -> WalletView {
    WalletView {
        wallet,
        name: of.name().to_owned(),
        keeper: of.keeper(),
        balance: of.balance(),
        credit: of.credit(),
        unlimited: of.unlimited(),
        used: of.used(),
    }
}

/// The tenant that a movement is about: the user's, or that whose wallet it is.
fn concerned(id: WalletId, wallet: &Wallet) -> TenantId {
    match id {
        WalletId::User(_) => wallet.keeper(),
        WalletId::Tenant(tenant) => tenant,
    }
}

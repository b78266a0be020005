//! Money that went in and out of a book by hand or by code: everything but what requests cost.

use super::common::{Page, seen_tenant};
use super::money::{WalletId, shown_reference};
use super::{Actor, Desk};
use crate::ledger::{Difference, VerifyError, VerifyReport};
use crate::people::{Action, Tree};
use burncloud_core::ledger::{Account, Entry, EntryKind};
use burncloud_core::store::{EntryFilter, StoreError};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Nano, TenantId, UnixMicros};
use serde::Serialize;
use std::collections::BTreeMap;

/// Entries of one account that are read for one page, at most: what a kind leaves out is read and put aside.
const READ: usize = 5_000;

/// Which movements are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveFilter {
    /// In whose book; one's own where it is left out, of the house's people those of all tenants of the house.
    pub book: Option<TenantId>,
    /// Of this kind alone.
    pub kind: Option<EntryKind>,
    /// Older than this entry: the `next` of the page before.
    pub before: Option<i64>,
    /// At most so many; 0 means 50, and 200 is the most.
    pub limit: u32,
}

/// Where the other side of a movement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Money from outside.
    Cash,
    /// Given away.
    Promotion,
    /// Corrected.
    Adjustment,
    /// A credit line.
    Granted,
}

/// A movement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MoveLine {
    /// The number of the entry.
    pub entry: i64,
    /// When.
    pub at: UnixMicros,
    /// What it was.
    pub kind: EntryKind,
    /// The other side.
    pub against: Against,
    /// Whose wallet or credit line.
    pub wallet: Option<WalletId>,
    /// Their name; `None` for whoever is gone.
    pub name: Option<String>,
    /// By how much it changed, in nano-dollars.
    pub amount: Nano,
    /// Who did it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The payment's number or the like.
    pub reference: Option<String>,
    /// The entry that this one undoes.
    pub reverses: Option<i64>,
}

/// Movements, and what they came to since the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Movements {
    /// Newest first.
    pub page: Page<MoveLine>,
    /// Money that came in, less what was paid back.
    pub received: Nano,
    /// Credit that was given away.
    pub given: Nano,
}

/// What a check of the books found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BooksChecked {
    /// Everything agrees.
    Agree(VerifyReport),
    /// This does not.
    Differ(Difference),
    /// Too much was written all the while to say.
    Busy,
}

impl Desk {
    /// Money in and out of a book, newest first, without what requests cost.
    ///
    /// # Errors
    /// `Store(NotFound)` for the book of a tenant that the actor does not see, `Forbidden` for whoever sees no money there.
    pub async fn movements(&self, actor: &Actor, filter: &MoveFilter) -> UseCaseResult<Movements> {
        let tree = self.tree().await?;
        let tenants = books_of(actor, &tree, filter.book)?;
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(200) } as usize;
        let mut found: BTreeMap<i64, Entry> = BTreeMap::new();
        let (mut floor, mut received, mut given) = (i64::MIN, Nano::ZERO, Nano::ZERO);
        for tenant in tenants {
            received = received.minus(self.store.balance(Account::Cash(tenant)).await?);
            given = given.minus(self.store.balance(Account::Promotion(tenant)).await?);
            for account in accounts(tenant, filter.kind) {
                floor = floor.max(self.newest_of(account, filter, limit, &mut found).await?);
            }
        }
        // Below where one account was read to, the others' would be listed without its own.
        let mut kept: Vec<Entry> = found.into_values().rev().filter(|entry| entry.id >= floor).collect();
        let more = kept.len() > limit;
        kept.truncate(limit);
        let next = match kept.last() {
            Some(last) if more || floor > i64::MIN => Some(last.id),
            None if floor > i64::MIN => Some(floor),
            _ => None,
        };
        let mut items = Vec::with_capacity(kept.len());
        let mut names = BTreeMap::new();
        for entry in kept {
            items.push(self.move_line(&tree, entry, &mut names).await?);
        }
        Ok(Movements { page: Page { items, next, total: None }, received, given })
    }

    /// Adds the account's newest entries; answers down to which number they are all there.
    async fn newest_of(
        &self,
        account: Account,
        filter: &MoveFilter,
        limit: usize,
        found: &mut BTreeMap<i64, Entry>,
    ) -> UseCaseResult<i64> {
        const PAGE: u32 = 500;
        let (mut before, mut kept, mut read) = (filter.before, 0, 0);
        loop {
            let query = EntryFilter { account: Some(account), before, limit: PAGE, ..EntryFilter::default() };
            let entries = self.store.entries(&query).await?;
            let last = entries.len() < PAGE as usize;
            read += entries.len();
            before = entries.last().map(|entry| entry.id).or(before);
            let wanted =
                entries.into_iter().filter(|entry| filter.kind.is_none_or(|kind| kind == entry.kind));
            for entry in wanted {
                kept += 1;
                found.insert(entry.id, entry);
            }
            if last {
                return Ok(i64::MIN);
            }
            if kept > limit || read >= READ {
                return Ok(before.unwrap_or(i64::MIN));
            }
        }
    }

    async fn move_line(
        &self,
        tree: &Tree,
        entry: Entry,
        names: &mut BTreeMap<WalletId, Option<String>>,
    ) -> UseCaseResult<MoveLine> {
        let wallet = entry.postings.iter().find_map(|posting| match posting.account {
            Account::User(id) | Account::UserCredit(id) => Some((WalletId::User(id), posting.amount)),
            Account::Tenant(id) | Account::TenantCredit(id) => Some((WalletId::Tenant(id), posting.amount)),
            _ => None,
        });
        let against = entry.postings.iter().find_map(|posting| match posting.account {
            Account::Cash(_) => Some(Against::Cash),
            Account::Promotion(_) => Some(Against::Promotion),
            Account::Granted(_) => Some(Against::Granted),
            _ => None,
        });
        let name = match wallet.map(|(wallet, _)| wallet) {
            None => None,
            Some(wallet) => match names.get(&wallet) {
                Some(known) => known.clone(),
                None => {
                    let name = match wallet {
                        WalletId::User(id) => self.store.user(id).await?.map(|user| user.name),
                        WalletId::Tenant(id) => tree.get(id).map(|tenant| tenant.name.clone()),
                    };
                    names.entry(wallet).or_insert(name).clone()
                }
            },
        };
        Ok(MoveLine {
            against: against.unwrap_or(Against::Adjustment),
            wallet: wallet.map(|(wallet, _)| wallet),
            name,
            amount: wallet.map_or(Nano::ZERO, |(_, amount)| amount),
            entry: entry.id,
            at: entry.at,
            kind: entry.kind,
            author: entry.author,
            reason: entry.reason,
            // Of a code it is the code's hash, which says nothing.
            reference: shown_reference(entry.kind, entry.reference),
            reverses: entry.reverses,
        })
    }

    /// Recomputes every balance and every sum from entries and receipts: see [`verify`](crate::ledger::verify). It reads
    /// everything; `progress` is called after each page.
    ///
    /// # Errors
    /// `Forbidden` for all but the house's owners and administrators; the store's.
    pub async fn check_books(
        &self,
        actor: &Actor,
        progress: impl FnMut(&VerifyReport) + Send + 'static,
    ) -> UseCaseResult<BooksChecked> {
        actor.check_in_house(Action::ManageHouse)?;
        let (store, handle) = (self.store.clone(), tokio::runtime::Handle::current());
        // Adding up everything keeps a processor busy: nothing else that this thread serves should wait for it.
        let checked =
            tokio::task::spawn_blocking(move || handle.block_on(crate::ledger::verify(&*store, progress)));
        let checked = checked.await.map_err(|_| StoreError::Unavailable("the check broke off".into()))?;
        match checked {
            Ok(report) => Ok(BooksChecked::Agree(report)),
            Err(VerifyError::Difference(difference)) => Ok(BooksChecked::Differ(difference)),
            Err(VerifyError::Busy) => Ok(BooksChecked::Busy),
            Err(VerifyError::Store(error)) => Err(error.into()),
            // No file is read here.
            Err(VerifyError::Archive(error)) => Err(StoreError::Unavailable(error.to_string()).into()),
        }
    }
}

/// The tenants whose book is meant.
fn books_of(actor: &Actor, tree: &Tree, book: Option<TenantId>) -> UseCaseResult<Vec<TenantId>> {
    let tenants = match book {
        Some(id) => vec![seen_tenant(actor, tree, id)?.id],
        None if actor.may_in_house(Action::SeeMoney) => {
            let all = tree.in_order().into_iter().map(|(_, tenant)| tenant);
            return Ok(all.filter(|tenant| tenant.parent.is_none()).map(|tenant| tenant.id).collect());
        }
        None => vec![actor.tenant],
    };
    for tenant in &tenants {
        actor.check(tree, Action::SeeMoney, *tenant)?;
    }
    Ok(tenants)
}

/// Where entries of that kind have their other side.
fn accounts(tenant: TenantId, kind: Option<EntryKind>) -> Vec<Account> {
    let (cash, promotion) = (Account::Cash(tenant), Account::Promotion(tenant));
    let (adjustment, granted) = (Account::Adjustment(tenant), Account::Granted(tenant));
    match kind {
        Some(EntryKind::TopUp) => vec![cash],
        Some(EntryKind::Promotion) => vec![promotion],
        Some(EntryKind::Redeem) => vec![cash, promotion],
        Some(EntryKind::Adjustment) => vec![adjustment],
        Some(EntryKind::CreditLine) => vec![granted],
        _ => vec![cash, promotion, adjustment, granted],
    }
}

//! The ledger in memory.

use super::{MemoryStore, State, missing};
use crate::ledger::{Account, Entry, EntryKind, NewEntry, Posting, postings};
use crate::store::{EntryFilter, LedgerStore, Posted, StoreError, StoreResult};
use crate::{Nano, Receipt, ReceiptId, UnixMicros};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Books {
    entries: BTreeMap<i64, Entry>,
    references: HashMap<String, i64>,
    reversed: HashMap<i64, i64>,
    balances: BTreeMap<Account, Nano>,
    receipts: HashMap<i64, Vec<ReceiptId>>,
}

fn invalid<T>(why: impl Into<String>) -> StoreResult<T> {
    Err(StoreError::Invalid(why.into()))
}

impl State {
    /// What the balances of these accounts become.
    fn moved(&self, postings: &[Posting]) -> StoreResult<Vec<Posting>> {
        let moved = |posting: &Posting| {
            let account = posting.account;
            let known = match account {
                Account::User(id) | Account::UserCredit(id) => self.users.contains_key(&id),
                Account::Tenant(id) | Account::TenantCredit(id) => self.tenants.contains_key(&id),
                _ => true,
            };
            if !known {
                return Err(missing("account", account));
            }
            let now = self.books.balances.get(&account).copied().unwrap_or_default();
            let sum = now.0.checked_add(posting.amount.0).map(Nano);
            let amount = sum.ok_or_else(|| StoreError::balance_overflow(account))?;
            let line = matches!(account, Account::UserCredit(_) | Account::TenantCredit(_));
            if line && amount < Nano::ZERO {
                return invalid(format!("the credit line `{account}` would be negative"));
            }
            Ok(Posting { account, amount })
        };
        postings.iter().map(moved).collect()
    }

    fn set_balance(&mut self, set: Posting) {
        let Posting { account, amount } = set;
        self.books.balances.insert(account, amount);
        match account {
            Account::User(id) | Account::UserCredit(id) => {
                if let Some(user) = self.users.get_mut(&id) {
                    let line = matches!(account, Account::UserCredit(_));
                    *(if line { &mut user.credit } else { &mut user.balance }) = amount;
                }
            }
            Account::Tenant(id) | Account::TenantCredit(id) => {
                if let Some(tenant) = self.tenants.get_mut(&id) {
                    let line = matches!(account, Account::TenantCredit(_));
                    *(if line { &mut tenant.credit } else { &mut tenant.balance }) = amount;
                }
            }
            _ => {}
        }
    }

    pub(super) fn post(&mut self, new: NewEntry) -> StoreResult<Posted> {
        new.check()?;
        let NewEntry { kind, reference, author, reason, reverses, mut postings } = new;
        postings.sort_by_key(|posting| posting.account);
        if let Some(id) = reference.as_ref().and_then(|reference| self.books.references.get(reference)) {
            let same = self.books.entries.get(id).is_some_and(|entry| entry.postings == postings);
            let name = reference.unwrap_or_default();
            let other = || StoreError::Conflict { what: "entry with other postings and the reference", name };
            return if same { Ok(Posted { id: *id, new: false }) } else { Err(other()) };
        }
        if let Some(undone) = reverses {
            if !self.books.entries.contains_key(&undone) {
                return Err(missing("entry", undone));
            }
            if self.books.reversed.contains_key(&undone) {
                return Err(StoreError::Conflict { what: "reversal of entry", name: undone.to_string() });
            }
        }
        let moved = self.moved(&postings)?;
        let id = self.next_id();
        self.callers.retain(|_, caller| {
            let touches = |posting: &Posting| match posting.account {
                Account::User(user) | Account::UserCredit(user) => caller.user.id == user,
                Account::Tenant(tenant) | Account::TenantCredit(tenant) => {
                    caller.tenants().any(|above| above.id == tenant)
                }
                _ => false,
            };
            !postings.iter().any(touches)
        });
        moved.into_iter().for_each(|set| self.set_balance(set));
        if let Some(reference) = &reference {
            self.books.references.insert(reference.clone(), id);
        }
        if let Some(undone) = reverses {
            self.books.reversed.insert(undone, id);
        }
        let at = UnixMicros::now();
        self.books.entries.insert(id, Entry { id, at, kind, reference, author, reason, reverses, postings });
        Ok(Posted { id, new: true })
    }

    /// Posts receipts that are new.
    pub(super) fn post_receipts(&mut self, receipts: &[Arc<Receipt>]) {
        let postings = postings(receipts.iter().map(|receipt| &**receipt));
        if postings.is_empty() {
            return;
        }
        // Whom it concerns may be gone; what was spent is posted all the same.
        let moved = postings.iter().map(|posting| {
            let now = self.books.balances.get(&posting.account).copied().unwrap_or_default();
            Posting { amount: now.plus(posting.amount), ..*posting }
        });
        let moved: Vec<Posting> = moved.collect();
        let id = self.next_id();
        moved.into_iter().for_each(|set| self.set_balance(set));
        let entry = Entry {
            id,
            at: UnixMicros::now(),
            kind: EntryKind::Receipts,
            reference: None,
            author: "gateway".to_owned(),
            reason: format!("{} receipts", receipts.len()),
            reverses: None,
            postings,
        };
        self.books.entries.insert(id, entry);
        let mut ids: Vec<ReceiptId> = receipts.iter().map(|receipt| receipt.id).collect();
        ids.sort_unstable();
        self.books.receipts.insert(id, ids);
    }
}

#[async_trait]
impl LedgerStore for MemoryStore {
    async fn post(&self, entry: NewEntry) -> StoreResult<Posted> {
        self.state.write().post(entry)
    }

    async fn entry(&self, id: i64) -> StoreResult<Option<Entry>> {
        Ok(self.state.read().books.entries.get(&id).cloned())
    }

    async fn entries(&self, filter: &EntryFilter) -> StoreResult<Vec<Entry>> {
        let state = self.state.read();
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let wanted = |entry: &&Entry| {
            filter.account.is_none_or(|account| entry.postings.iter().any(|p| p.account == account))
                && (filter.reference.is_none() || filter.reference == entry.reference)
        };
        let older = state.books.entries.range(..filter.before.unwrap_or(i64::MAX)).rev();
        Ok(older.map(|(_, entry)| entry).filter(wanted).take(limit as usize).cloned().collect())
    }

    async fn balance(&self, account: Account) -> StoreResult<Nano> {
        Ok(self.state.read().books.balances.get(&account).copied().unwrap_or_default())
    }

    async fn balances(&self, after: Option<Account>, limit: u32) -> StoreResult<Vec<(Account, Nano)>> {
        let after = after.map(|account| account.to_string()).unwrap_or_default();
        let state = self.state.read();
        let mut all: Vec<_> = state.books.balances.iter().map(|(a, n)| (a.to_string(), *a, *n)).collect();
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let page = all.into_iter().filter(|(name, ..)| *name > after).take(limit as usize);
        Ok(page.map(|(_, account, nano)| (account, nano)).collect())
    }

    async fn receipt_ids_of(&self, entry: i64) -> StoreResult<Vec<ReceiptId>> {
        Ok(self.state.read().books.receipts.get(&entry).cloned().unwrap_or_default())
    }

    async fn receipts_of(&self, entry: i64) -> StoreResult<Vec<Receipt>> {
        let state = self.state.read();
        let ids = state.books.receipts.get(&entry).cloned().unwrap_or_default();
        Ok(ids.iter().filter_map(|id| state.receipts.get(id)).map(|r| Receipt::clone(r)).collect())
    }
}

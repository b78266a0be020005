//! Posting an entry.

use crate::SqlStore;
use crate::entity::{ledger_balance, ledger_entry, ledger_posting, tenant, user};
use crate::error::{database, is_duplicate, missing};
use crate::sql::Touched;
use burncloud_core::ledger::{Account, NewEntry, Posting};
use burncloud_core::store::{Posted, StoreError, StoreResult};
use burncloud_core::{Nano, UnixMicros};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::collections::BTreeMap;

/// How often an entry is begun anew because another with its reference is posted at the same time.
const ROUNDS: usize = 5;

/// Accounts looked up in one statement.
const SOME: usize = 500;

/// What became of an entry inside a transaction.
pub(crate) enum Outcome {
    Posted(i64),
    /// One with its reference is there.
    Known(i64),
    /// Another took its reference, or reverses the same, in this moment.
    Again,
}

impl SqlStore {
    pub(super) async fn post_entry(&self, mut entry: NewEntry) -> StoreResult<Posted> {
        entry.check()?;
        entry.postings.sort_by_key(|posting| posting.account);
        for _ in 0..ROUNDS {
            let tx = self.begin().await?;
            match self.post_in(&tx, &entry).await? {
                Outcome::Posted(id) => {
                    self.commit(tx, touched(&entry.postings)).await?;
                    return Ok(Posted { id, new: true });
                }
                Outcome::Known(id) => return Ok(Posted { id, new: false }),
                Outcome::Again => {}
            }
        }
        Err(StoreError::Unavailable("others post the same entry at the same time".into()))
    }

    /// Posts an entry that was checked and whose postings are sorted, as a part of a transaction.
    pub(crate) async fn post_in(&self, tx: &DatabaseTransaction, entry: &NewEntry) -> StoreResult<Outcome> {
        if let Some(known) = known(tx, entry).await? {
            return Ok(Outcome::Known(known));
        }
        check_reversal(tx, entry).await?;
        for Posting { account, .. } in &entry.postings {
            check_holder(tx, *account).await?;
        }
        self.receipts.ledger.hold(tx, &entry.postings).await?;
        let moved = moved(tx, &entry.postings).await?;
        let row = ledger_entry::ActiveModel {
            id: NotSet,
            at: Set(UnixMicros::now().0),
            kind: Set(entry.kind.as_str().to_owned()),
            reference: Set(entry.reference.clone()),
            author: Set(entry.author.clone()),
            reason: Set(entry.reason.clone()),
            reverses: Set(entry.reverses),
            receipts: Set(None),
        };
        let id = match ledger_entry::Entity::insert(row).exec(tx).await {
            Ok(inserted) => inserted.last_insert_id,
            Err(error) if is_duplicate(&error) => return Ok(Outcome::Again),
            Err(error) => return Err(database(error)),
        };
        self.receipts.ledger.add(tx, id, &entry.postings).await?;
        for set in moved {
            cache(tx, set).await?;
        }
        Ok(Outcome::Posted(id))
    }
}

/// Whose cached callers an entry makes wrong.
pub(crate) fn touched(postings: &[Posting]) -> Touched {
    let mut users = Vec::new();
    for posting in postings {
        match posting.account {
            Account::Tenant(_) | Account::TenantCredit(_) => return Touched::Everybody,
            Account::User(id) | Account::UserCredit(id) => users.push(id.0),
            _ => {}
        }
    }
    users.dedup();
    match users[..] {
        [] => Touched::Nobody,
        [only] => Touched::User(only),
        _ => Touched::Everybody,
    }
}

/// The entry with this one's reference.
async fn known(tx: &DatabaseTransaction, entry: &NewEntry) -> StoreResult<Option<i64>> {
    let Some(reference) = &entry.reference else { return Ok(None) };
    let found = ledger_entry::Entity::find().filter(ledger_entry::Column::Reference.eq(reference));
    let Some(found) = found.one(tx).await.map_err(database)? else { return Ok(None) };
    let postings = ledger_posting::Entity::find().filter(ledger_posting::Column::Entry.eq(found.id));
    let there = postings.all(tx).await.map_err(database)?;
    let there: BTreeMap<String, i64> = there.into_iter().map(|row| (row.account, row.amount)).collect();
    let wanted = entry.postings.iter().map(|posting| (posting.account.to_string(), posting.amount.0));
    if there != wanted.collect() {
        let what = "entry with other postings and the reference";
        return Err(StoreError::Conflict { what, name: reference.clone() });
    }
    Ok(Some(found.id))
}

/// What is to be undone must be there, and not undone yet.
async fn check_reversal(tx: &DatabaseTransaction, entry: &NewEntry) -> StoreResult<()> {
    let Some(undone) = entry.reverses else { return Ok(()) };
    let found = ledger_entry::Entity::find_by_id(undone).one(tx).await.map_err(database)?;
    found.ok_or_else(|| missing("entry", undone))?;
    let reversal = ledger_entry::Entity::find().filter(ledger_entry::Column::Reverses.eq(undone));
    match reversal.one(tx).await.map_err(database)? {
        None => Ok(()),
        Some(_) => Err(StoreError::Conflict { what: "reversal of entry", name: undone.to_string() }),
    }
}

/// What the balances of these accounts become; all of them are there, and held.
async fn moved(tx: &DatabaseTransaction, postings: &[Posting]) -> StoreResult<Vec<Posting>> {
    let mut now: BTreeMap<String, i64> = BTreeMap::new();
    for some in postings.chunks(SOME) {
        let accounts = some.iter().map(|posting| posting.account.to_string());
        let rows = ledger_balance::Entity::find()
            .filter(ledger_balance::Column::Account.is_in(accounts))
            .lock_exclusive()
            .all(tx)
            .await
            .map_err(database)?;
        now.extend(rows.into_iter().map(|row| (row.account, row.balance)));
    }
    let mut all = Vec::with_capacity(postings.len());
    for Posting { account, amount } in postings {
        let now = now.get(&account.to_string()).copied().unwrap_or_default();
        let sum = now.checked_add(amount.0).ok_or_else(|| StoreError::balance_overflow(*account))?;
        let line = matches!(account, Account::UserCredit(_) | Account::TenantCredit(_));
        if line && sum < 0 {
            return Err(StoreError::Invalid(format!("the credit line `{account}` would be negative")));
        }
        all.push(Posting { account: *account, amount: Nano(sum) });
    }
    Ok(all)
}

/// The wallet of nobody is none.
async fn check_holder(tx: &DatabaseTransaction, account: Account) -> StoreResult<()> {
    let there = match account {
        Account::User(id) | Account::UserCredit(id) => {
            user::Entity::find_by_id(id.0).one(tx).await.map_err(database)?.is_some()
        }
        Account::Tenant(id) | Account::TenantCredit(id) => {
            tenant::Entity::find_by_id(id.0).one(tx).await.map_err(database)?.is_some()
        }
        _ => true,
    };
    if there { Ok(()) } else { Err(missing("account", account)) }
}

/// Writes a balance to whose it is.
async fn cache(tx: &DatabaseTransaction, set: Posting) -> StoreResult<()> {
    let Posting { account, amount: Nano(amount) } = set;
    let user = |id| user::ActiveModel { id: Unchanged(id), ..Default::default() };
    let tenant = |id| tenant::ActiveModel { id: Unchanged(id), ..Default::default() };
    let user = match account {
        Account::User(id) => Some(user::ActiveModel { balance: Set(Some(amount)), ..user(id.0) }),
        Account::UserCredit(id) => Some(user::ActiveModel { credit: Set(amount), ..user(id.0) }),
        _ => None,
    };
    if let Some(row) = user {
        let change = user::Entity::update(row).validate().map_err(database)?;
        change.exec(tx).await.map_err(database)?;
    }
    let tenant = match account {
        Account::Tenant(id) => Some(tenant::ActiveModel { balance: Set(amount), ..tenant(id.0) }),
        Account::TenantCredit(id) => Some(tenant::ActiveModel { credit: Set(amount), ..tenant(id.0) }),
        _ => None,
    };
    if let Some(row) = tenant {
        let change = tenant::Entity::update(row).validate().map_err(database)?;
        change.exec(tx).await.map_err(database)?;
    }
    Ok(())
}

//! Reading the ledger.

use crate::SqlStore;
use crate::entity::{ledger_balance, ledger_entry, ledger_posting, migration, receipt};
use crate::error::{Failure, database};
use crate::receipt::row;
use burncloud_core::ledger::{Account, Entry, EntryKind, Posting};
use burncloud_core::store::{EntryFilter, StoreResult};
use burncloud_core::{Nano, Receipt, ReceiptId, UnixMicros};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;

/// The entries listed when the filter does not say how many.
const PAGE: u32 = 100;

/// Rows looked up by their ids in one statement.
const SOME: usize = 500;

/// The migration that made the ledger's tables.
const LEDGER: i32 = 2;

fn damaged(id: i64, why: &str) -> Failure {
    Failure::Damaged { what: "entry", name: id.to_string(), why: why.to_owned() }
}

fn account(name: &str) -> StoreResult<Account> {
    let unknown = || Failure::Damaged {
        what: "account",
        name: name.to_owned(),
        why: "there is no such kind of account".to_owned(),
    };
    Ok(Account::parse(name).ok_or_else(unknown)?)
}

fn entry(row: ledger_entry::Model, mut postings: Vec<Posting>) -> StoreResult<Entry> {
    postings.sort_by_key(|posting| posting.account);
    Ok(Entry {
        id: row.id,
        at: UnixMicros(row.at),
        kind: EntryKind::parse(&row.kind).ok_or_else(|| damaged(row.id, "its kind is unknown"))?,
        reference: row.reference,
        author: row.author,
        reason: row.reason,
        reverses: row.reverses,
        postings,
    })
}

impl SqlStore {
    pub(super) async fn read_entry(&self, id: i64) -> StoreResult<Option<Entry>> {
        let row = ledger_entry::Entity::find_by_id(id).one(&self.read).await.map_err(database)?;
        Ok(self.with_postings(row.into_iter().collect()).await?.pop())
    }

    pub(super) async fn read_entries(&self, filter: &EntryFilter) -> StoreResult<Vec<Entry>> {
        let limit = u64::from(if filter.limit == 0 { PAGE } else { filter.limit });
        let before = filter.before.unwrap_or(i64::MAX);
        if let Some(reference) = &filter.reference {
            let one = ledger_entry::Entity::find()
                .filter(ledger_entry::Column::Reference.eq(reference))
                .filter(ledger_entry::Column::Id.lt(before));
            let mut found = self.with_postings(one.all(&self.read).await.map_err(database)?).await?;
            if let Some(account) = filter.account {
                found.retain(|entry| entry.postings.iter().any(|posting| posting.account == account));
            }
            return Ok(found);
        }
        let Some(account) = filter.account else {
            let page = ledger_entry::Entity::find()
                .filter(ledger_entry::Column::Id.lt(before))
                .order_by_desc(ledger_entry::Column::Id)
                .limit(limit);
            return self.with_postings(page.all(&self.read).await.map_err(database)?).await;
        };
        let ids: Vec<i64> = ledger_posting::Entity::find()
            .select_only()
            .column(ledger_posting::Column::Entry)
            .filter(ledger_posting::Column::Account.eq(account.to_string()))
            .filter(ledger_posting::Column::Entry.lt(before))
            .order_by_desc(ledger_posting::Column::Entry)
            .limit(limit)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(database)?;
        let mut rows = Vec::with_capacity(ids.len());
        for some in ids.chunks(SOME) {
            let found = ledger_entry::Entity::find()
                .filter(ledger_entry::Column::Id.is_in(some.iter().copied()))
                .order_by_desc(ledger_entry::Column::Id);
            rows.extend(found.all(&self.read).await.map_err(database)?);
        }
        self.with_postings(rows).await
    }

    async fn with_postings(&self, rows: Vec<ledger_entry::Model>) -> StoreResult<Vec<Entry>> {
        let mut postings: HashMap<i64, Vec<Posting>> = HashMap::with_capacity(rows.len());
        for some in rows.chunks(SOME) {
            let found = ledger_posting::Entity::find()
                .filter(ledger_posting::Column::Entry.is_in(some.iter().map(|row| row.id)));
            for row in found.all(&self.read).await.map_err(database)? {
                let posting = Posting { account: account(&row.account)?, amount: Nano(row.amount) };
                postings.entry(row.entry).or_default().push(posting);
            }
        }
        rows.into_iter()
            .map(|row| {
                let of = postings.remove(&row.id).unwrap_or_default();
                entry(row, of)
            })
            .collect()
    }

    pub(super) async fn read_balance(&self, account: Account) -> StoreResult<Nano> {
        let row = ledger_balance::Entity::find_by_id(account.to_string()).one(&self.read).await;
        Ok(Nano(row.map_err(database)?.map_or(0, |row| row.balance)))
    }

    pub(super) async fn read_balances(
        &self,
        after: Option<Account>,
        limit: u32,
    ) -> StoreResult<Vec<(Account, Nano)>> {
        let after = after.map(|account| account.to_string()).unwrap_or_default();
        let page = ledger_balance::Entity::find()
            .filter(ledger_balance::Column::Account.gt(after))
            .order_by_asc(ledger_balance::Column::Account)
            .limit(u64::from(limit));
        let rows = page.all(&self.read).await.map_err(database)?;
        rows.into_iter().map(|row| Ok((account(&row.account)?, Nano(row.balance)))).collect()
    }

    pub(super) async fn receipt_ids(&self, entry: i64) -> StoreResult<Vec<ReceiptId>> {
        let ids: Option<Option<Vec<u8>>> = ledger_entry::Entity::find_by_id(entry)
            .select_only()
            .column(ledger_entry::Column::Receipts)
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(database)?;
        let ids = ids.flatten().unwrap_or_default();
        let (ids, rest) = ids.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(damaged(entry, "its list of receipts is cut off").into());
        }
        Ok(ids.iter().map(|id| ReceiptId(u128::from_be_bytes(*id))).collect())
    }

    /// Receipts by id, sorted; those that are not there are left out.
    pub(crate) async fn read_receipts(&self, ids: &[ReceiptId]) -> StoreResult<Vec<Receipt>> {
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(SOME) {
            let found = receipt::Entity::find()
                .filter(receipt::Column::Id.is_in(some.iter().map(|id| row::id_bytes(*id))))
                .order_by_asc(receipt::Column::Id);
            for row in found.all(&self.read).await.map_err(database)? {
                all.push(row::read(row)?);
            }
        }
        all.sort_by_key(|receipt| receipt.id);
        Ok(all)
    }

    /// When the ledger's tables were made.
    pub(crate) async fn begun(&self) -> StoreResult<UnixMicros> {
        let made = migration::Entity::find_by_id(LEDGER).one(&self.read).await.map_err(database)?;
        Ok(UnixMicros(made.map_or(0, |row| row.applied_at)))
    }
}

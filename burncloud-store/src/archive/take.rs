//! Taking receipts out: one transaction for a few links, so that nobody waits long for it, and so that at no moment a
//! receipt is neither there nor archived, or counted in both places.

use super::{last, sums};
use crate::SqlStore;
use crate::bulk::Texts;
use crate::entity::{archive, archived_receipt, ledger_entry, receipt, receipt_seal};
use crate::error::{conflict, database, missing};
use crate::receipt::row;
use burncloud_core::store::{Archived, ArchivedSums, StoreError, StoreResult};
use burncloud_core::{Receipt, UnixMicros};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};

/// Receipts that one statement reads or deletes.
const SOME: usize = 256;

/// The texts of the statements.
#[derive(Default)]
pub(crate) struct Statements {
    ids: Texts,
    sums: Texts,
}

/// A link, as far as it matters here.
struct Link {
    sequence: i64,
    entry: i64,
    /// 16 bytes each, sorted.
    ids: Vec<u8>,
}

const IDS: [archived_receipt::Column; 4] = [
    archived_receipt::Column::Id,
    archived_receipt::Column::Link,
    archived_receipt::Column::UserId,
    archived_receipt::Column::TenantId,
];

fn insert(rows: usize, backend: DbBackend) -> String {
    let mut insert = Query::insert().into_table(archived_receipt::Entity).columns(IDS).to_owned();
    for _ in 0..rows {
        insert.values_panic(IDS.map(|_| Expr::value(0)));
    }
    crate::backend::bulk_insert(backend.build(&insert).sql, backend)
}

fn unfit(link: i64, why: &str) -> StoreError {
    StoreError::Invalid(format!("link {link} cannot be archived: {why}; nothing was changed"))
}

impl SqlStore {
    /// See [`ArchiveStore::archive`](burncloud_core::store::ArchiveStore::archive).
    pub(super) async fn take_part(&self, part: &Archived) -> StoreResult<()> {
        let begun = self.begun().await?;
        let tx = self.begin().await?;
        let before = last(&tx).await?;
        if part.first != before.as_ref().map_or(0, |last| last.last) + 1 {
            return Err(StoreError::Conflict { what: "archive of link", name: part.first.to_string() });
        }
        // First of all: of two who archive the same, one waits here and is then refused.
        claim(&tx, part, before.map_or(0, |last| last.total)).await?;
        let links = links(&tx, part).await?;
        let all: usize = links.iter().map(|link| link.ids.len() / 16).sum();
        if all as u64 != part.receipts {
            return Err(unfit(part.first, &format!("{} receipts were to be, and {all} are", part.receipts)));
        }
        let mut sums = ArchivedSums::default();
        for link in &links {
            check_entry(&tx, link).await?;
            self.take_link(&tx, link, &mut sums, begun).await?;
        }
        sums::add(&tx, &self.archives.sums, &sums).await.map_err(database)?;
        tx.commit().await.map_err(database)
    }

    async fn take_link(
        &self,
        tx: &DatabaseTransaction,
        link: &Link,
        sums: &mut ArchivedSums,
        begun: UnixMicros,
    ) -> StoreResult<()> {
        let ids: Vec<Vec<u8>> = link.ids.as_chunks::<16>().0.iter().map(|id| id.to_vec()).collect();
        let mut values: Vec<Value> = Vec::with_capacity(ids.len() * IDS.len());
        for some in ids.chunks(SOME) {
            let rows = receipt::Entity::find().filter(receipt::Column::Id.is_in(some.to_vec())).all(tx);
            let rows = rows.await.map_err(database)?;
            if rows.len() != some.len() {
                return Err(unfit(link.sequence, "a receipt that it lists is not there"));
            }
            for row in rows {
                if row.seal != Some(link.sequence) || row.entry.unwrap_or_default() != link.entry {
                    return Err(unfit(link.sequence, "a receipt says that it is in another link or entry"));
                }
                let receipt: Receipt = row::read(row)?;
                sums.add(&receipt, begun);
                values.push(row::id_bytes(receipt.id).into());
                values.extend([link.sequence, receipt.user.0, receipt.tenant.0].map(Value::from));
            }
            let gone = receipt::Entity::delete_many().filter(receipt::Column::Id.is_in(some.to_vec()));
            let gone = gone.exec(tx).await.map_err(database)?.rows_affected;
            if gone != some.len() as u64 {
                return Err(unfit(link.sequence, "a receipt went away meanwhile"));
            }
        }
        let noted = self.archives.ids.run(tx, values, IDS.len(), insert).await;
        noted.map_err(conflict("archived receipt", &format!("of link {}", link.sequence)))
    }
}

async fn claim(tx: &DatabaseTransaction, part: &Archived, before: u64) -> StoreResult<()> {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let row = archive::ActiveModel {
        first_link: Set(part.first),
        last_link: Set(part.last),
        receipts: Set(count(part.receipts)),
        total: Set(count(before.saturating_add(part.receipts))),
        file: Set(part.file.clone()),
        sha256: Set(part.sha256.to_vec()),
        at: Set(part.at.0),
    };
    let claimed = archive::Entity::insert(row).exec_without_returning(tx).await;
    claimed.map_err(conflict("archive of link", &part.first.to_string())).map(drop)
}

async fn links(tx: &DatabaseTransaction, part: &Archived) -> StoreResult<Vec<Link>> {
    use receipt_seal::Column;
    let rows: Vec<(i64, i64, Vec<u8>)> = receipt_seal::Entity::find()
        .select_only()
        .columns([Column::Sequence, Column::Entry, Column::Receipts])
        .filter(Column::Sequence.between(part.first, part.last))
        .order_by_asc(Column::Sequence)
        .into_tuple()
        .all(tx)
        .await
        .map_err(database)?;
    let mut links = rows.into_iter().map(|(sequence, entry, ids)| Link { sequence, entry, ids });
    let mut all = Vec::new();
    for sequence in part.first..=part.last {
        let link = links.next().filter(|link| link.sequence == sequence);
        let link = link.ok_or_else(|| missing("link", sequence))?;
        if link.ids.len() % 16 != 0 {
            return Err(unfit(sequence, "its list of receipts is cut off"));
        }
        all.push(link);
    }
    if all.is_empty() {
        return Err(missing("link", part.first));
    }
    Ok(all)
}

/// An entry and its link are about the same receipts: none of the entry's may stay behind without the others.
async fn check_entry(tx: &DatabaseTransaction, link: &Link) -> StoreResult<()> {
    if link.entry == 0 {
        return Ok(());
    }
    let ids: Option<Option<Vec<u8>>> = ledger_entry::Entity::find_by_id(link.entry)
        .select_only()
        .column(ledger_entry::Column::Receipts)
        .into_tuple()
        .one(tx)
        .await
        .map_err(database)?;
    match ids.flatten() {
        Some(ids) if ids == link.ids => Ok(()),
        _ => Err(unfit(link.sequence, &format!("entry {} posts other receipts", link.entry))),
    }
}

//! The chain of receipts: each batch that is recorded becomes a link, in the same transaction.
//!
//! The number of a link is its primary key, and the last link is read inside the transaction that writes the next: of two
//! processes that record at once one waits (SQLite) or begins anew (the others), so the chain never forks.

mod keys;
mod testimony;

use crate::SqlStore;
use crate::entity::{receipt, receipt_key, receipt_seal};
use crate::error::{Failure, conflict, database};
use crate::receipt::row;
use async_trait::async_trait;
use burncloud_core::store::{ProofKey, ProofStore, Sealed, Sealer, StoreError, StoreResult};
use burncloud_core::{KeyId, Receipt, ReceiptId, UnixMicros, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::sync::{Arc, PoisonError, RwLock};

/// Who makes the links, if anybody.
#[derive(Default)]
pub(crate) struct SealerSlot(RwLock<Option<Arc<dyn Sealer>>>);

/// Receipts that one statement reads.
const SOME: usize = 256;

impl SqlStore {
    /// From now on every batch of receipts that is recorded becomes a link that `sealer` makes. Without one receipts are
    /// recorded without links.
    pub fn seal_with(&self, sealer: Arc<dyn Sealer>) {
        *self.sealer.0.write().unwrap_or_else(PoisonError::into_inner) = Some(sealer);
    }

    pub(crate) fn sealer(&self) -> Option<Arc<dyn Sealer>> {
        self.sealer.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes the link over these receipts, none of them recorded yet, and writes it; its number. `Conflict` when another
/// process has made a link of that number meanwhile: the transaction is to be begun anew.
pub(crate) async fn seal(
    tx: &DatabaseTransaction,
    sealer: Option<Arc<dyn Sealer>>,
    receipts: &[&Arc<Receipt>],
    entry: i64,
) -> StoreResult<Option<i64>> {
    let Some(sealer) = sealer.filter(|_| !receipts.is_empty()) else { return Ok(None) };
    let last = last_link(tx).await.map_err(not_theirs)?;
    let receipts: Vec<&Receipt> = receipts.iter().map(|receipt| &***receipt).collect();
    let link = sealer.seal(last, entry, &receipts).map_err(not_theirs)?;
    let sequence = link.sequence;
    let written = receipt_seal::Entity::insert(model(link)).exec_without_returning(tx).await;
    written.map_err(conflict("link", &sequence.to_string()))?;
    Ok(Some(sequence))
}

/// The number and the hash of the last link.
async fn last_link(tx: &DatabaseTransaction) -> StoreResult<Option<(i64, [u8; 32])>> {
    let last: Option<(i64, Vec<u8>)> = receipt_seal::Entity::find()
        .select_only()
        .column(receipt_seal::Column::Sequence)
        .column(receipt_seal::Column::Hash)
        .order_by_desc(receipt_seal::Column::Sequence)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await
        .map_err(database)?;
    Ok(last.map(|(sequence, hash)| Ok::<_, Failure>((sequence, array(sequence, &hash)?))).transpose()?)
}

/// What is wrong with the chain is no fault of the receipts that come next: they are to wait, not to be refused.
fn not_theirs(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(why),
        other => StoreError::Unavailable(format!("the chain of receipts cannot go on: {other}")),
    }
}

fn model(link: Sealed) -> receipt_seal::ActiveModel {
    receipt_seal::ActiveModel {
        sequence: Set(link.sequence),
        entry: Set(link.entry),
        at: Set(link.at.0),
        receipts: Set(link.receipts.iter().flat_map(|id| id.0.to_be_bytes()).collect()),
        leaves: Set(link.leaves.concat()),
        salt: Set(link.salt.to_vec()),
        previous: Set(link.previous.to_vec()),
        root: Set(link.root.to_vec()),
        hash: Set(link.hash.to_vec()),
        signature: Set(link.signature),
        signer: Set(link.key.to_vec()),
    }
}

fn array<const N: usize>(sequence: i64, bytes: &[u8]) -> Result<[u8; N], Failure> {
    bytes.try_into().map_err(|_| damaged(sequence, format!("{} bytes instead of {N}", bytes.len())))
}

fn damaged(sequence: i64, why: String) -> Failure {
    Failure::Damaged { what: "link", name: sequence.to_string(), why }
}

fn read(row: receipt_seal::Model) -> Result<Sealed, Failure> {
    let sequence = row.sequence;
    let (ids, rest) = row.receipts.as_chunks::<16>();
    let (leaves, more) = row.leaves.as_chunks::<32>();
    if !rest.is_empty() || !more.is_empty() {
        return Err(damaged(sequence, "its receipts are cut off".into()));
    }
    Ok(Sealed {
        sequence,
        entry: row.entry,
        at: UnixMicros(row.at),
        receipts: ids.iter().map(|id| ReceiptId(u128::from_be_bytes(*id))).collect(),
        leaves: leaves.to_vec(),
        salt: array(sequence, &row.salt)?,
        previous: array(sequence, &row.previous)?,
        root: array(sequence, &row.root)?,
        hash: array(sequence, &row.hash)?,
        key: array(sequence, &row.signer)?,
        signature: row.signature,
    })
}

#[async_trait]
impl ProofStore for SqlStore {
    async fn proof_keys(&self) -> StoreResult<Vec<ProofKey>> {
        let (at, id) = (receipt_key::Column::CreatedAt, receipt_key::Column::Id);
        let rows: Vec<(Vec<u8>, Vec<u8>, i64)> = receipt_key::Entity::find()
            .select_only()
            .columns([id, receipt_key::Column::Public, at])
            .order_by_asc(at)
            .order_by_asc(id)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(database)?;
        rows.into_iter().map(|(id, public, at)| Ok(keys::read(&id, &public, at)?)).collect()
    }

    async fn seal_of(&self, id: ReceiptId) -> StoreResult<Option<Sealed>> {
        let seal: Option<Option<i64>> = receipt::Entity::find_by_id(row::id_bytes(id))
            .select_only()
            .column(receipt::Column::Seal)
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(database)?;
        let Some(sequence) = seal.flatten() else { return Ok(None) };
        let found = receipt_seal::Entity::find_by_id(sequence).one(&self.read).await.map_err(database)?;
        let found =
            found.ok_or_else(|| damaged(sequence, format!("receipt {id} is in it, but it is gone")))?;
        Ok(Some(read(found)?))
    }

    async fn seals(&self, after: i64, limit: u32) -> StoreResult<Vec<Sealed>> {
        let rows = receipt_seal::Entity::find()
            .filter(receipt_seal::Column::Sequence.gt(after))
            .order_by_asc(receipt_seal::Column::Sequence)
            .limit(u64::from(limit))
            .all(&self.read)
            .await
            .map_err(database)?;
        rows.into_iter().map(|row| Ok(read(row)?)).collect()
    }

    async fn receipts_by_id(&self, ids: &[ReceiptId]) -> StoreResult<Vec<Receipt>> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(SOME) {
            let ids = some.iter().map(|id| row::id_bytes(*id));
            let rows = receipt::Entity::find().filter(receipt::Column::Id.is_in(ids)).all(&self.read).await;
            for row in rows.map_err(database)? {
                found.push(row::read(row)?);
            }
        }
        found.sort_unstable_by_key(|receipt| receipt.id);
        found.dedup_by_key(|receipt| receipt.id);
        Ok(found)
    }

    async fn receipt_owner(&self, id: ReceiptId) -> StoreResult<Option<(KeyId, UserId)>> {
        let owner: Option<(i64, i64)> = receipt::Entity::find_by_id(row::id_bytes(id))
            .select_only()
            .columns([receipt::Column::KeyId, receipt::Column::UserId])
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(database)?;
        Ok(owner.map(|(key, user)| (KeyId(key), UserId(user))))
    }
}

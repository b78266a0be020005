//! The keys that links are signed with: the public halves in clear and for ever, the private ones encrypted.

use crate::SqlStore;
use crate::entity::receipt_key;
use crate::error::{Failure, conflict, database};
use crate::sql::Touched;
use burncloud_core::UnixMicros;
use burncloud_core::store::{ProofKey, StoreError, StoreResult};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use secrecy::SecretString;

pub(super) fn read(id: &[u8], public: &[u8], at: i64) -> Result<ProofKey, Failure> {
    let damaged = || Failure::Damaged {
        what: "signing key",
        name: name(id),
        why: "it has another number of bytes".to_owned(),
    };
    Ok(ProofKey {
        id: id.try_into().map_err(|_| damaged())?,
        public: public.try_into().map_err(|_| damaged())?,
        since: UnixMicros(at),
    })
}

fn name(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a seed is encrypted for: it opens for no other key and nothing else.
fn purpose(id: &[u8]) -> String {
    format!("receipt key {}", name(id))
}

impl SqlStore {
    /// Adds a key that links may be signed with; `seed` is its private half, in a text that this store only keeps,
    /// encrypted as channels' credentials are. Keys are never changed or removed: old links need their public halves.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for one that is there.
    pub async fn add_proof_key(&self, key: ProofKey, seed: &SecretString) -> StoreResult<()> {
        let sealed = self.secrets.seal(&purpose(&key.id), seed);
        let row = receipt_key::ActiveModel {
            id: Set(key.id.to_vec()),
            public: Set(key.public.to_vec()),
            seed: Set(sealed.map_err(|error| StoreError::Unavailable(error.to_string()))?),
            created_at: Set(key.since.0),
        };
        let tx = self.begin().await?;
        let added = receipt_key::Entity::insert(row).exec_without_returning(&tx).await;
        added.map_err(conflict("signing key", &name(&key.id)))?;
        self.commit(tx, Touched::Nobody).await
    }

    /// The private half of a key, as it was added; `None` for one that is not there, or was encrypted with another secret
    /// key than this store's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn proof_seed(&self, id: [u8; 8]) -> StoreResult<Option<SecretString>> {
        let row = receipt_key::Entity::find_by_id(id.to_vec()).one(&self.read).await.map_err(database)?;
        Ok(row.and_then(|row| self.secrets.open(&purpose(&id), &row.seed)))
    }
}

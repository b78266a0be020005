//! The key that receipts are signed with: the newest of the store, made at the first start.

use crate::cli::{CliError, CliResult};
use burncloud_billing::proof::{PublicKey, Signer};
use burncloud_core::UnixMicros;
use burncloud_core::store::{ProofKey, ProofStore};
use burncloud_store::SqlStore;
use std::sync::Arc;

/// From now on the store seals what it records, with its newest key; with a new one if it has none that can be opened.
///
/// # Errors
/// The store's.
pub(crate) async fn begin(store: &SqlStore) -> CliResult {
    let signer = match newest(store).await? {
        Some(signer) => signer,
        None => make(store).await?,
    };
    store.seal_with(Arc::new(signer));
    Ok(())
}

/// Takes the key that another process has made since, if there is one; else what runs goes on.
///
/// # Errors
/// The store's.
pub(crate) async fn follow(store: &SqlStore) -> CliResult {
    if let Some(signer) = newest(store).await? {
        store.seal_with(Arc::new(signer));
    }
    Ok(())
}

/// Makes a new key. Links that older ones signed stay valid: their public halves are kept.
///
/// # Errors
/// The store's; no random numbers.
pub(crate) async fn make(store: &SqlStore) -> Result<Signer, CliError> {
    let (signer, seed) = Signer::generate()?;
    let public = signer.public();
    let since = UnixMicros::now();
    store.add_proof_key(ProofKey { id: public.id(), public: public.0, since }, &seed).await?;
    tracing::info!(key = %public, "receipts are signed with a new key");
    Ok(signer)
}

/// The newest key that this process can open: one may have been encrypted with another secret key.
async fn newest(store: &SqlStore) -> Result<Option<Signer>, CliError> {
    for key in store.proof_keys().await?.into_iter().rev() {
        let seed = store.proof_seed(key.id).await?;
        match seed
            .as_ref()
            .and_then(Signer::from_text)
            .filter(|signer| signer.public() == PublicKey::from(key))
        {
            Some(signer) => return Ok(Some(signer)),
            None => tracing::warn!(key = %PublicKey::from(key), "this key for receipts cannot be decrypted"),
        }
    }
    Ok(None)
}

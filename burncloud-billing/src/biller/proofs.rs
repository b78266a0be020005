//! Receipts for callers: their own, with proof.

use super::Biller;
use crate::proof::answer;
use burncloud_core::store::{ArchiveStore, StoreError};
use burncloud_core::{Caller, Error, ErrorKind, ReceiptId};
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Where receipts and links are found, if that was said.
#[derive(Default)]
pub(super) struct Proofs(OnceLock<Arc<dyn ArchiveStore>>);

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "Proofs" } else { "Proofs(none)" })
    }
}

impl Biller {
    /// From now on callers can read their own receipts, from that store. Without it, and for a second call, nothing
    /// changes: they are told that there are none.
    pub fn show_receipts_of(&self, store: Arc<dyn ArchiveStore>) {
        let _ = self.proofs.0.set(store);
    }
}

impl Proofs {
    /// The receipt as its owner may see it; another user's is none.
    pub(super) async fn receipt(&self, caller: &Caller, id: ReceiptId) -> Result<Option<Bytes>, Error> {
        let Some(store) = self.0.get() else { return Ok(None) };
        match store.receipt_owner(id).await.map_err(away)? {
            Some((_, user)) if user == caller.user.id => {}
            Some(_) => return Ok(None),
            None => {
                let archived = store.archived_receipts(&[id]).await.map_err(away)?.pop();
                return archived
                    .filter(|known| known.user == caller.user.id)
                    .map_or(Ok(None), |_| Err(gone()));
            }
        }
        let link = match store.seal_of(id).await {
            Err(StoreError::Invalid(wrong)) => return Err(unproved(id, &wrong)),
            link => link.map_err(away)?,
        };
        let Some(receipt) = store.receipts_by_id(&[id]).await.map_err(away)?.pop() else {
            // Archived in this moment.
            return Err(gone());
        };
        let public = match &link {
            Some(link) => store.proof_keys().await.map_err(away)?.into_iter().find(|key| key.id == link.key),
            None => None,
        };
        let json = answer(&receipt, link.as_ref(), public.as_ref().map(|key| &key.public));
        json.map(|json| Some(json.into())).map_err(|wrong| unproved(id, &wrong))
    }
}

fn gone() -> Error {
    let text = "this receipt of yours is archived: the operator has it in a file, and what you kept of it is still proof";
    Error::new(ErrorKind::NotFound, text).with_param("id").with_code("receipt_archived")
}

fn unproved(receipt: ReceiptId, wrong: &dyn fmt::Display) -> Error {
    tracing::error!(%receipt, error = %wrong, "a stored receipt does not fit its link");
    let text = "the receipt cannot be proved; ask the operator to verify the receipts";
    Error::new(ErrorKind::Internal, text).with_code("receipt_not_provable")
}

fn away(error: StoreError) -> Error {
    Error::new(ErrorKind::Unavailable, "receipts cannot be read at the moment; try again soon")
        .with_context(error.to_string())
        .with_retry_after(Duration::from_secs(1))
}

//! Archives what is kept no longer, once an hour.
//!
//! How long that is, is asked of the running settings each time, so what is changed on a page or in the file holds without a
//! restart. It runs in no hurry: a few links at a time, with a pause after each, on connections that receipts do not wait for.
//! Whatever interrupts it, the next hour goes on.

use super::parts::Parts;
use burncloud_billing::archive::{ArchiveDone, ArchiveError};
use burncloud_billing::desk::archive_old;
use burncloud_core::store::StoreError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// After the start: what starts has other things to do first.
const FIRST: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_secs(3_600);
/// Between two pages or parts.
const PAUSE: Duration = Duration::from_millis(200);

/// Archives until it is aborted.
pub(super) async fn run(parts: Arc<Parts>, folder: PathBuf) {
    tokio::time::sleep(FIRST).await;
    loop {
        if let Some(keep) = parts.kept() {
            told(archive_old(&*parts.store, keep, &folder, PAUSE).await);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn told(done: Result<ArchiveDone, ArchiveError>) {
    match done {
        Ok(done) if done.links == 0 => tracing::debug!("no request is old enough to be archived"),
        Ok(ArchiveDone { links, receipts, files }) => {
            tracing::info!(links, receipts, files = files.len(), "old requests were archived");
        }
        Err(ArchiveError::Busy) => tracing::info!("another process archives old requests"),
        Err(ArchiveError::Store(error @ StoreError::Unavailable(_))) => {
            tracing::warn!(%error, "old requests were not archived; tried again in an hour");
        }
        Err(error) => tracing::error!(%error, "old requests cannot be archived; they stay where they are"),
    }
}

//! The ledger, checked: [`verify`] recomputes every balance and every sum from receipts and postings.

mod archived;
mod audit;
mod claims;
mod receipt;
mod report;

pub use report::{Difference, VerifyError, VerifyReport};

use audit::Audit;
use burncloud_core::store::{ArchiveStore, KeyStore, LedgerStore, ReceiptStore, SpendingStore, UserStore};
use std::path::Path;

/// What [`verify`] reads.
pub trait Books: LedgerStore + ReceiptStore + UserStore + KeyStore + SpendingStore + ArchiveStore {}

impl<T> Books for T where
    T: LedgerStore + ReceiptStore + UserStore + KeyStore + SpendingStore + ArchiveStore + ?Sized
{
}

/// How often the books are read.
const ROUNDS: usize = 5;

/// Recomputes everything, in pages: what is held in memory grows with the number of accounts, keys and models, not with
/// that of receipts and entries.
///
/// - The postings of every entry sum to zero.
/// - Those of an entry that posts receipts are what its receipts come to
///   ([`postings`](burncloud_core::ledger::postings)), and all of its receipts are there.
/// - Every receipt that comes to anything is in exactly one entry, but for those from before the ledger, which are counted.
/// - Every receipt agrees with itself: charge and shortfall are the sum of its lines (of an answer that an abort policy
///   applies to, at most that; of an orphan, the charge is at most what was reserved), and its legs go from its
///   tenant up to the house, each to the parent.
/// - Cached balances are the sums of postings: the ledger's own, and `balance` and `credit` of users and tenants.
/// - `used` of keys, users and tenants, and the sums by which budgets count, are the sums of receipts.
///
/// Receipts that were [archived](crate::archive) cannot be read any more: of them it is checked that every entry that posts
/// some posts those of one link, that what these entries moved by user, tenant and channel is what the store noted of them when
/// they were archived, and with that all sums as above. [`VerifyReport::archived`] says how many they are;
/// [`verify_with_archive`] computes them anew too.
///
/// `progress` is called after every page. What differs is read anew until it differs twice in the same way: what others write
/// in between, even if it comes to nothing, is not taken for a difference.
///
/// # Errors
/// [`VerifyError::Difference`]: the first one. [`VerifyError::Busy`]: in five rounds none was found twice, and none found
/// everything in order. [`VerifyError::Store`]: the store is away, or holds what cannot be read.
pub async fn verify<S: Books + ?Sized>(
    store: &S,
    progress: impl FnMut(&VerifyReport),
) -> Result<VerifyReport, VerifyError> {
    rounds(store, None, progress).await
}

/// As [`verify`], and reads archived receipts from their files in that folder: every file is the one that was recorded, every
/// link in it is signed and the store's own, every receipt agrees with itself and with its entry, and together they come to
/// what the store noted.
///
/// # Errors
/// As [`verify`]; [`VerifyError::Archive`] for a file that is missing or not in order.
pub async fn verify_with_archive<S: Books + ?Sized>(
    store: &S,
    folder: &Path,
    progress: impl FnMut(&VerifyReport),
) -> Result<VerifyReport, VerifyError> {
    rounds(store, Some(folder), progress).await
}

async fn rounds<S: Books + ?Sized>(
    store: &S,
    folder: Option<&Path>,
    mut progress: impl FnMut(&VerifyReport),
) -> Result<VerifyReport, VerifyError> {
    let mut last: Option<Difference> = None;
    for _ in 0..ROUNDS {
        let archived = store.last_archive().await?;
        let checked = Audit::run(store, folder, &mut progress).await;
        if store.last_archive().await? != archived {
            // What was there at the beginning was not at the end.
            last = None;
            continue;
        }
        match checked {
            Err(VerifyError::Difference(now)) if last.as_ref() == Some(&now) => {
                return Err(VerifyError::Difference(now));
            }
            Err(VerifyError::Difference(now)) => last = Some(now),
            done => return done,
        }
    }
    Err(VerifyError::Busy)
}

//! The ledger, checked: [`verify`] recomputes every balance and every sum from receipts and postings.

mod audit;
mod claims;
mod receipt;
mod report;

pub use report::{Difference, VerifyError, VerifyReport};

use audit::Audit;
use burncloud_core::ReceiptId;
use burncloud_core::store::{
    EntryFilter, KeyStore, LedgerStore, ReceiptFilter, ReceiptStore, SpendingStore, StoreResult, UserStore,
};

/// What [`verify`] reads.
pub trait Books: LedgerStore + ReceiptStore + UserStore + KeyStore + SpendingStore {}

impl<T: LedgerStore + ReceiptStore + UserStore + KeyStore + SpendingStore + ?Sized> Books for T {}

/// How often the check begins anew because the store was written to while it was read.
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
/// `progress` is called after every page. A store that is being written to is read anew, up to five times, before a difference
/// is taken for one.
///
/// # Errors
/// [`VerifyError::Difference`]: the first one. [`VerifyError::Store`]: the store is away, or holds what cannot be read.
pub async fn verify<S: Books + ?Sized>(
    store: &S,
    mut progress: impl FnMut(&VerifyReport),
) -> Result<VerifyReport, VerifyError> {
    let mut rounds = 1;
    loop {
        let before = newest(store).await?;
        let done = Audit::run(store, &mut progress).await;
        let still = newest(store).await? == before;
        if done.is_ok() || still || rounds == ROUNDS {
            return done;
        }
        rounds += 1;
    }
}

/// The newest entry and the newest receipt.
async fn newest<S: Books + ?Sized>(store: &S) -> StoreResult<(Option<i64>, Option<ReceiptId>)> {
    let entry = store.entries(&EntryFilter { limit: 1, ..EntryFilter::default() }).await?;
    let receipt = store.receipts(&ReceiptFilter { limit: 1, ..ReceiptFilter::default() }).await?;
    Ok((entry.first().map(|entry| entry.id), receipt.first().map(|receipt| receipt.id)))
}

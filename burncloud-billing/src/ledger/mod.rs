//! The ledger, checked: [`verify`] recomputes every balance and every sum from receipts and postings.

mod audit;
mod claims;
mod receipt;
mod report;

pub use report::{Difference, VerifyError, VerifyReport};

use audit::Audit;
use burncloud_core::store::{KeyStore, LedgerStore, ReceiptStore, SpendingStore, UserStore};

/// What [`verify`] reads.
pub trait Books: LedgerStore + ReceiptStore + UserStore + KeyStore + SpendingStore {}

impl<T: LedgerStore + ReceiptStore + UserStore + KeyStore + SpendingStore + ?Sized> Books for T {}

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
/// `progress` is called after every page. What differs is read anew until it differs twice in the same way: what others write
/// in between, even if it comes to nothing, is not taken for a difference.
///
/// # Errors
/// [`VerifyError::Difference`]: the first one. [`VerifyError::Busy`]: in five rounds none was found twice, and none found
/// everything in order. [`VerifyError::Store`]: the store is away, or holds what cannot be read.
pub async fn verify<S: Books + ?Sized>(
    store: &S,
    mut progress: impl FnMut(&VerifyReport),
) -> Result<VerifyReport, VerifyError> {
    let mut last: Option<Difference> = None;
    for _ in 0..ROUNDS {
        match Audit::run(store, &mut progress).await {
            Err(VerifyError::Difference(now)) if last.as_ref() == Some(&now) => {
                return Err(VerifyError::Difference(now));
            }
            Err(VerifyError::Difference(now)) => last = Some(now),
            done => return done,
        }
    }
    Err(VerifyError::Busy)
}

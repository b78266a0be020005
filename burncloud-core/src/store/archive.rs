//! Receipts that moved out of the store into files, link by link, and what stays of them.

use super::{ProofStore, StoreResult};
use crate::{Nano, QUARTER_US, Receipt, ReceiptId, Scope, Spent, TenantId, UnixMicros, UserId, spending};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// Neighbouring links whose receipts moved into a file together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// The first link.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// How many receipts they hold.
    pub receipts: u64,
    /// How many receipts were archived so far, these included: set by the store.
    pub total: u64,
    /// The name of the file that holds them, without its folder.
    pub file: String,
    /// SHA-256 of that file.
    pub sha256: [u8; 32],
    /// When they were taken out.
    pub at: UnixMicros,
}

/// What the store still knows of a receipt that it gave away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivedReceipt {
    /// Its id.
    pub id: ReceiptId,
    /// The link that it is in.
    pub link: i64,
    /// Whose it is.
    pub user: UserId,
    /// The tenant of its user.
    pub tenant: TenantId,
}

/// What archived receipts add to one scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchivedSum {
    /// As [`spending`] has it.
    pub spent: Spent,
    /// The same of those that arrived since [`ArchivedSums::later`].
    pub later: Spent,
    /// What they add to `used` of a key, user or tenant: of a tenant, what it paid its parent.
    pub used: Nano,
}

/// What a check of the books still needs of archived receipts: it cannot read them any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchivedSums {
    /// By scope. Models with names longer than [`ArchivedSums::LONGEST_MODEL`] are left out.
    pub scopes: BTreeMap<Scope, ArchivedSum>,
    /// Receipts that arrived before the ledger was begun.
    pub older: u64,
}

impl ArchivedSums {
    /// The longest name of a model, in characters, by which every store sums spending.
    pub const LONGEST_MODEL: usize = 255;

    /// The full quarter of an hour after the ledger was begun: sums of spending may lack what arrived before.
    #[must_use]
    pub fn later(begun: UnixMicros) -> UnixMicros {
        UnixMicros((begun.0.div_euclid(QUARTER_US) + 1) * QUARTER_US)
    }

    /// Adds a receipt, in a store whose ledger was begun at that time. Sums stop at the ends of their range.
    pub fn add(&mut self, receipt: &Receipt, begun: UnixMicros) {
        self.older += u64::from(receipt.at < begun);
        let later = receipt.at >= ArchivedSums::later(begun);
        for (scope, more) in spending(receipt) {
            if matches!(&scope, Scope::Model(name) if name.chars().count() > ArchivedSums::LONGEST_MODEL) {
                continue;
            }
            let sum = self.scopes.entry(scope).or_default();
            sum.spent = sum.spent.plus(more);
            if later {
                sum.later = sum.later.plus(more);
            }
        }
        let mut use_up = |scope: Scope, more: Nano| {
            if more != Nano::ZERO {
                let used = &mut self.scopes.entry(scope).or_default().used;
                *used = used.plus(more);
            }
        };
        use_up(Scope::Key(receipt.key), receipt.charge);
        use_up(Scope::User(receipt.user), receipt.charge);
        for leg in &receipt.legs {
            use_up(Scope::Tenant(leg.tenant), leg.charge);
        }
    }
}

/// Gives receipts away, once they lie in a file: always the oldest links that still have theirs, link by link without a gap.
///
/// Links, entries, balances, `used` and all sums by time stay as they are. A receipt that was archived counts as recorded
/// for ever: [`ReceiptStore::record`](super::ReceiptStore::record) skips it with all its effects.
///
/// Nothing here looks at files. `burncloud-billing` writes and verifies them before it calls [`archive`](Self::archive).
#[async_trait]
pub trait ArchiveStore: ProofStore {
    /// Takes the receipts of the links `part.first` to `part.last` out of the store, all or none: with them goes everything
    /// that names them in lists and searches; their ids, their sums and `part` itself are kept. `part.total` is ignored.
    ///
    /// `Conflict` where `part.first` is not the link after the last that was archived. `NotFound` for a link that is not
    /// there. `Invalid` where a receipt of these links is not there or says that it is in another link or entry, where the
    /// entry of a link posts other receipts than the link lists, and where they are not `part.receipts`.
    async fn archive(&self, part: &Archived) -> StoreResult<()>;
    /// What was archived, in order, after the link `after`, at most `limit`.
    async fn archives(&self, after: i64, limit: u32) -> StoreResult<Vec<Archived>>;
    /// What was archived last.
    async fn last_archive(&self) -> StoreResult<Option<Archived>>;
    /// Those of these receipts that were archived, sorted by id.
    async fn archived_receipts(&self, ids: &[ReceiptId]) -> StoreResult<Vec<ArchivedReceipt>>;
    /// What all archived receipts come to.
    async fn archived_sums(&self) -> StoreResult<ArchivedSums>;
    /// When the oldest receipt that is still there arrived.
    async fn oldest_receipt(&self) -> StoreResult<Option<UnixMicros>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyId, Leg};

    #[test]
    fn sums_are_those_that_are_compared_later() {
        let begun = UnixMicros(QUARTER_US * 4 + 1);
        let leg = Leg { tenant: TenantId(9), parent: TenantId(10), charge: Nano(80), shortfall: Nano::ZERO };
        let at = |at, n| Receipt {
            at: UnixMicros(at),
            charge: Nano(90),
            legs: vec![leg],
            ..crate::testing::receipt(n)
        };
        let mut sums = ArchivedSums::default();
        let long = Receipt { model: "m".repeat(300).into(), ..at(QUARTER_US * 5, 3) };
        for receipt in [at(QUARTER_US * 4, 1), at(QUARTER_US * 4 + 2, 2), long] {
            sums.add(&receipt, begun);
        }
        assert_eq!(sums.older, 1);
        let key = sums.scopes[&Scope::Key(KeyId(7))];
        assert_eq!((key.used, key.spent.money, key.later.money), (Nano(270), Nano(270), Nano(90)));
        let tenant = |id| sums.scopes[&Scope::Tenant(TenantId(id))];
        assert_eq!((tenant(9).used, tenant(9).spent.money), (Nano(240), Nano(240)));
        assert_eq!((tenant(10).used, tenant(10).spent.money), (Nano::ZERO, Nano(240)), "the house earned it");
        assert!(!sums.scopes.keys().any(|scope| matches!(scope, Scope::Model(name) if name.len() > 255)));
    }
}

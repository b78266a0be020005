//! What an earlier process charged and the store may not know yet.

use burncloud_core::{
    KeyId, Nano, QUARTER_US, Receipt, Scope, Spent, TenantId, UnixMicros, UserId, spending,
};
use std::collections::{BTreeMap, HashMap};

/// Charges that the journal holds and the store may not, from before this process began.
#[derive(Debug, Default)]
pub(crate) struct Unshipped {
    pub(super) keys: HashMap<KeyId, i64>,
    pub(super) users: HashMap<UserId, i64>,
    pub(super) tenants: HashMap<TenantId, i64>,
    /// By quarters of an hour.
    scopes: HashMap<Scope, BTreeMap<i64, Spent>>,
}

impl Unshipped {
    pub(crate) fn add(&mut self, key: KeyId, user: UserId, charge: Nano) {
        if charge > Nano::ZERO {
            *self.keys.entry(key).or_default() += charge.0;
            *self.users.entry(user).or_default() += charge.0;
        }
    }

    pub(crate) fn add_leg(&mut self, tenant: TenantId, charge: Nano) {
        if charge > Nano::ZERO {
            *self.tenants.entry(tenant).or_default() += charge.0;
        }
    }

    pub(crate) fn add_receipt(&mut self, receipt: &Receipt) {
        self.add(receipt.key, receipt.user, receipt.charge);
        receipt.legs.iter().for_each(|leg| self.add_leg(leg.tenant, leg.charge));
        let quarter = receipt.at.0.div_euclid(QUARTER_US);
        for (scope, more) in spending(receipt) {
            let sum = self.scopes.entry(scope).or_default().entry(quarter).or_default();
            *sum = sum.plus(more);
        }
    }

    /// What was spent of a scope since the beginning of a quarter.
    pub(super) fn since(&self, scope: &Scope, since: UnixMicros) -> Spent {
        let quarters = self.scopes.get(scope).map(|all| all.range(since.0.div_euclid(QUARTER_US)..));
        quarters.into_iter().flatten().fold(Spent::default(), |sum, (_, more)| sum.plus(*more))
    }
}

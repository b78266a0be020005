//! The accounts that a request is held at, from the key up to the highest tenant that pays: at all or at none.

use super::account::{Account, Cell};
use crate::tariff::Amounts;
use burncloud_core::{Nano, TenantId};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// Which account did not hold a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// The key's quota, with what is left of it.
    Quota(Nano),
    /// The user's wallet, with what is left in it.
    Wallet(Nano),
    /// The wallet of a tenant above.
    Above(TenantId),
}

/// All accounts on a caller's path.
#[derive(Debug)]
pub(crate) struct Path<C = AtomicI64> {
    pub(super) key: Arc<Account<C>>,
    pub(super) user: Arc<Account<C>>,
    /// Those of tenants with a parent, from the user's own upwards.
    pub(super) tenants: Vec<(TenantId, Arc<Account<C>>)>,
}

impl<C: Cell> Path<C> {
    /// Whether any account has a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.key.is_limited()
            || self.user.is_limited()
            || self.tenants.iter().any(|(_, account)| account.is_limited())
    }

    /// What is left of the quota and in the wallet.
    pub(crate) fn left(&self) -> (Option<Nano>, Option<Nano>) {
        (self.key.left(), self.user.left())
    }

    /// Holds these amounts at all accounts, or at none.
    pub(crate) fn hold(&self, amounts: &Amounts) -> Result<(), Short> {
        let left = |account: &Account<C>| account.left().unwrap_or_default();
        let own = amounts.user.0;
        if self.key.replace(0, own, true).is_none() {
            return Err(Short::Quota(left(&self.key)));
        }
        if self.user.replace(0, own, true).is_none() {
            self.key.give_back(own);
            return Err(Short::Wallet(left(&self.user)));
        }
        for (held, ((id, account), amount)) in self.tenants.iter().zip(&amounts.tenants).enumerate() {
            if account.replace(0, amount.0, true).is_none() {
                let below = self.tenants.iter().zip(&amounts.tenants).take(held);
                below.for_each(|((_, account), amount)| account.give_back(amount.0));
                self.user.give_back(own);
                self.key.give_back(own);
                return Err(Short::Above(*id));
            }
        }
        Ok(())
    }

    /// Puts charges in the place of what was held: the costs, or as much of them as the accounts have.
    pub(crate) fn settle(&self, held: &Amounts, costs: &Amounts) -> Amounts {
        let at_key = self.key.replace(held.user.0, costs.user.0, false).unwrap_or(0);
        let user = self.user.replace(held.user.0, at_key, false).unwrap_or(0);
        self.key.give_back(at_key - user);
        self.key.note_spent(user);
        self.user.note_spent(user);
        let level = |amounts: &Amounts, n: usize| amounts.tenants.get(n).map_or(0, |amount| amount.0);
        let settle = |(n, (_, account)): (usize, &(TenantId, Arc<Account<C>>))| {
            let charge = account.replace(level(held, n), level(costs, n), false).unwrap_or(0);
            account.note_spent(charge);
            Nano(charge)
        };
        Amounts { user: Nano(user), tenants: self.tenants.iter().enumerate().map(settle).collect() }
    }
}

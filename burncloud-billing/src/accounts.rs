//! What may still be spent: one account per key with a quota, one per user with a balance.
//!
//! While the process runs, its memory is the authority. Each account keeps three numbers:
//!
//! - `credited`: all that was ever given. For a key that is its quota. For a user it is *balance + used* as stored:
//!   shipping a receipt moves its charge from the one to the other, so the sum changes only when somebody adds or
//!   sets a balance. That is why a fresh copy of the user can be taken over at any moment, whatever has been shipped
//!   since it was read: it never counts a charge twice, nor forgets one.
//! - `spent`: all that was ever charged: the stored `used` when the account was first seen, with what the journal
//!   held but the store did not, and from then on every charge of this process.
//! - `committed`: `spent` and what is held for requests under way. What is left is `credited − committed`.
//!
//! A request adds its estimate to `committed` if the sum stays within `credited` (one compare-and-swap), first at the
//! key, then at the user, and takes it back from the key if the user's does not hold it. Settling replaces the
//! estimate by the charge in the same way. So no set of requests can overdraw an account, in whatever order they come.
//!
//! Another process that spends from the same account shows as a stored `used` above our `spent`; the difference is
//! taken over. Between two such reads each process sees only its own spending.

use crate::tariff::{Amounts, Class};
use burncloud_core::{Caller, KeyId, Nano, Receipt, Tenant, TenantId, UserId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

const UNLIMITED: i64 = i64::MAX;

/// One key's quota, or one user's balance.
#[derive(Debug)]
pub(crate) struct Account {
    credited: AtomicI64,
    spent: AtomicI64,
    committed: AtomicI64,
    /// The stored `used` that was read last; also makes refreshes wait for one another.
    seen: Mutex<i64>,
}

impl Account {
    fn new(credited: Option<Nano>, used: Nano, unshipped: i64) -> Account {
        let spent = used.0.saturating_add(unshipped);
        Account {
            credited: AtomicI64::new(credited.map_or(UNLIMITED, |nano| nano.0)),
            spent: AtomicI64::new(spent),
            committed: AtomicI64::new(spent),
            seen: Mutex::new(used.0),
        }
    }

    /// Takes over what the store says now. An older copy than one seen before says nothing.
    fn refresh(&self, credited: Option<Nano>, used: Nano) {
        let mut seen = self.seen.lock();
        if used.0 < *seen {
            return;
        }
        *seen = used.0;
        self.credited.store(credited.map_or(UNLIMITED, |nano| nano.0), Ordering::SeqCst);
        let elsewhere = used.0.saturating_sub(self.spent.load(Ordering::SeqCst));
        if elsewhere > 0 {
            self.spent.fetch_add(elsewhere, Ordering::SeqCst);
            self.committed.fetch_add(elsewhere, Ordering::SeqCst);
        }
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.credited.load(Ordering::SeqCst) != UNLIMITED
    }

    /// What is left; `None` is unlimited.
    pub(crate) fn left(&self) -> Option<Nano> {
        let credited = self.credited.load(Ordering::SeqCst);
        let left = || Nano(credited.saturating_sub(self.committed.load(Ordering::SeqCst)));
        (credited != UNLIMITED).then(left)
    }

    /// Puts `want` in the place of `held`, or as much of it as there is, and returns how much that was.
    /// With `all`, nothing changes unless it is all there.
    fn replace(&self, held: i64, want: i64, all: bool) -> Option<i64> {
        let mut now = self.committed.load(Ordering::SeqCst);
        loop {
            let credited = self.credited.load(Ordering::SeqCst);
            let others = now.saturating_sub(held);
            let room = if credited == UNLIMITED {
                UNLIMITED - others.max(0)
            } else {
                credited.saturating_sub(others)
            };
            let granted = want.min(room.max(0));
            if all && granted < want {
                return None;
            }
            let next = others.saturating_add(granted);
            match self.committed.compare_exchange_weak(now, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Some(granted),
                Err(seen) => now = seen,
            }
        }
    }

    fn give_back(&self, amount: i64) {
        if amount != 0 {
            self.committed.fetch_sub(amount, Ordering::SeqCst);
        }
    }

    fn note_spent(&self, charge: i64) {
        if charge != 0 {
            self.spent.fetch_add(charge, Ordering::SeqCst);
        }
    }
}

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

/// All accounts on a caller's path; kept in the caller's slot.
#[derive(Debug)]
pub(crate) struct Purse {
    owner: u64,
    key: Arc<Account>,
    user: Arc<Account>,
    /// Those of tenants with a parent, from the user's own upwards.
    tenants: Vec<(TenantId, Arc<Account>)>,
    /// Who else has the same prices.
    class: Class,
}

impl Purse {
    /// The class of callers that the prices are kept by.
    pub(crate) fn class(&self) -> Class {
        self.class
    }

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
        let left = |account: &Account| account.left().unwrap_or_default();
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
        let settle = |(n, (_, account)): (usize, &(TenantId, Arc<Account>))| {
            let charge = account.replace(level(held, n), level(costs, n), false).unwrap_or(0);
            account.note_spent(charge);
            Nano(charge)
        };
        Amounts { user: Nano(user), tenants: self.tenants.iter().enumerate().map(settle).collect() }
    }
}

/// Every account that was seen. An account outlives the [`Caller`]s it was found through.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// Tells the slots of two billers in one process apart.
    owner: u64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: HashMap<KeyId, Arc<Account>>,
    users: HashMap<UserId, Arc<Account>>,
    tenants: HashMap<TenantId, Arc<Account>>,
    unshipped: Unshipped,
}

/// Charges that the journal holds and the store may not, from before this process began.
#[derive(Debug, Default)]
pub(crate) struct Unshipped {
    keys: HashMap<KeyId, i64>,
    users: HashMap<UserId, i64>,
    tenants: HashMap<TenantId, i64>,
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
    }
}

impl Accounts {
    pub(crate) fn new(unshipped: Unshipped) -> Accounts {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let known = Mutex::new(Known { unshipped, ..Known::default() });
        Accounts { owner: NEXT.fetch_add(1, Ordering::Relaxed), known }
    }

    /// The caller's accounts. The first time a [`Caller`] comes by, the numbers it was made with are taken over.
    pub(crate) fn with<R>(&self, caller: &Caller, of: impl FnOnce(&Purse) -> R) -> R {
        match caller.billing_slot.get_or_init(|| Arc::new(self.attach(caller))) {
            Some(purse) if purse.owner == self.owner => of(purse),
            _ => of(&self.attach(caller)),
        }
    }

    /// The store now holds everything that was there before this process began.
    pub(crate) fn all_shipped(&self) {
        self.known.lock().unshipped = Unshipped::default();
    }

    fn attach(&self, caller: &Caller) -> Purse {
        let mut known = self.known.lock();
        let Known { keys, users, tenants, unshipped } = &mut *known;
        let (key, user) = (&caller.key, &caller.user);
        let wallet = (!user.unlimited).then(|| user.balance.plus(user.used).plus(user.credit));
        let above = caller.tenants().filter(|tenant| tenant.parent.is_some()).map(|tenant| {
            let Tenant { id, balance, used, credit, unlimited, .. } = tenant;
            let wallet = (!unlimited).then(|| balance.plus(*used).plus(*credit));
            (*id, account(tenants, &unshipped.tenants, *id, wallet, *used))
        });
        Purse {
            owner: self.owner,
            key: account(keys, &unshipped.keys, key.id, key.quota, key.used),
            user: account(users, &unshipped.users, user.id, wallet, user.used),
            tenants: above.collect(),
            class: Class::of(caller),
        }
    }
}

/// The account of that id, with what the store says now taken over.
fn account<K: Copy + Eq + Hash>(
    known: &mut HashMap<K, Arc<Account>>,
    unshipped: &HashMap<K, i64>,
    id: K,
    credited: Option<Nano>,
    used: Nano,
) -> Arc<Account> {
    if let Some(account) = known.get(&id) {
        account.refresh(credited, used);
        return account.clone();
    }
    let account = Arc::new(Account::new(credited, used, unshipped.get(&id).copied().unwrap_or(0)));
    known.insert(id, account.clone());
    account
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::caller;
    use proptest::prelude::*;

    fn own(nano: i64) -> Amounts {
        Amounts { user: Nano(nano), tenants: Vec::new() }
    }

    const fn n(nano: i64) -> Option<Nano> {
        Some(Nano(nano))
    }

    #[test]
    fn holds_at_both_or_at_neither() {
        let accounts = Accounts::new(Unshipped::default());
        let caller = caller(n(100), n(60), 0, 0);
        accounts.with(&caller, |purse| {
            assert_eq!(purse.hold(&own(61)), Err(Short::Wallet(Nano(60))));
            assert_eq!(purse.left(), (n(100), n(60)));
            assert_eq!(purse.hold(&own(60)), Ok(()));
            assert_eq!(purse.hold(&own(41)), Err(Short::Quota(Nano(40))));
            assert_eq!(purse.settle(&own(60), &own(10)).user, Nano(10));
            assert_eq!(purse.left(), (n(90), n(50)));
        });
    }

    #[test]
    fn a_cost_above_the_hold_takes_what_is_left_and_no_more() {
        let accounts = Accounts::new(Unshipped::default());
        let caller = caller(n(100), n(60), 0, 0);
        accounts.with(&caller, |purse| {
            purse.hold(&own(20)).unwrap();
            purse.hold(&own(30)).unwrap();
            assert_eq!(purse.settle(&own(20), &own(50)).user, Nano(30), "ten were free beside the two holds");
            assert_eq!(purse.left(), (n(40), n(0)));
            assert_eq!(purse.settle(&own(30), &own(0)).user, Nano(0));
            assert_eq!(purse.left(), (n(70), n(30)));
        });
    }

    #[test]
    fn a_fresh_copy_is_taken_over_whatever_was_shipped() {
        let accounts = Accounts::new(Unshipped::default());
        let spend = |who: &Caller, cost| accounts.with(who, |p| p.settle(&own(0), &own(cost)).user);
        let left = |who: &Caller| accounts.with(who, Purse::left);
        assert_eq!(spend(&caller(n(100), n(60), 0, 0), 25), Nano(25));
        assert_eq!(left(&caller(n(100), n(60), 0, 0)), (n(75), n(35)), "read before the receipt was shipped");
        assert_eq!(left(&caller(n(100), n(35), 25, 25)), (n(75), n(35)), "read after");
        assert_eq!(
            left(&caller(n(200), n(135), 25, 25)),
            (n(175), n(135)),
            "quota and balance raised by 100"
        );
        assert_eq!(left(&caller(n(100), n(60), 0, 0)), (n(175), n(135)), "an old copy");
        assert_eq!(left(&caller(n(200), n(125), 35, 35)), (n(165), n(125)), "another process spent 10");
        assert_eq!(left(&caller(None, None, 35, 35)), (None, None));
        assert_eq!(spend(&caller(None, None, 35, 35), 1_000), Nano(1_000));
        assert_eq!(
            left(&caller(n(2_000), n(7), 35, 35)),
            (n(965), n(-993)),
            "set to 7 while 1000 were unshipped"
        );
        assert_eq!(spend(&caller(n(2_000), n(7), 35, 35), 5), Nano(0), "nothing is lent");
    }

    #[test]
    fn what_the_journal_held_counts_as_spent() {
        let mut unshipped = Unshipped::default();
        let stale = caller(n(100), n(60), 0, 0);
        unshipped.add(stale.key.id, stale.user.id, Nano(15));
        let accounts = Accounts::new(unshipped);
        assert_eq!(accounts.with(&stale, Purse::left), (n(85), n(45)));
        accounts.all_shipped();
        assert_eq!(accounts.with(&caller(n(100), n(45), 15, 15), Purse::left), (n(85), n(45)));
    }

    proptest! {
        /// Any interleaving of holds and settlements: nothing is overdrawn and every charge is accounted for.
        #[test]
        fn any_history_balances(
            quota in 0i64..500, balance in 0i64..500,
            steps in proptest::collection::vec((any::<bool>(), 0i64..120, 0usize..8), 1..60),
        ) {
            let accounts = Accounts::new(Unshipped::default());
            let who = caller(n(quota), n(balance), 0, 0);
            let (mut held, mut charged) = (Vec::new(), 0);
            for (settle, amount, which) in steps {
                accounts.with(&who, |purse| if settle && !held.is_empty() {
                    let hold = held.swap_remove(which % held.len());
                    let charge = purse.settle(&own(hold), &own(amount)).user;
                    assert!(charge.0 <= amount && charge.0 >= amount.min(hold));
                    charged += charge.0;
                } else if purse.hold(&own(amount)).is_ok() {
                    held.push(amount);
                });
                let out: i64 = held.iter().sum();
                let left = accounts.with(&who, Purse::left);
                prop_assert_eq!(left, (n(quota - charged - out), n(balance - charged - out)));
                prop_assert!(quota - charged - out >= 0 && balance - charged - out >= 0);
            }
        }
    }
}

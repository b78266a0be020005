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

mod account;
#[cfg(test)]
mod model;
mod path;
mod unshipped;

use crate::tariff::Class;
use crate::terms::{House, Terms};
use account::Account;
use arc_swap::ArcSwap;
use burncloud_core::{Caller, KeyId, Nano, Scope, Spent, Tenant, TenantId, UnixMicros, UserId};
use parking_lot::Mutex;
pub(crate) use path::{Path, Short};
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use unshipped::Unshipped;

/// What a caller pays from and by which terms; kept in the caller's slot.
#[derive(Debug)]
pub(crate) struct Purse {
    owner: u64,
    path: Path,
    terms: ArcSwap<Terms>,
    /// Who else has the same prices.
    class: Class,
}

impl Deref for Purse {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl Purse {
    /// The class of callers that the prices are kept by.
    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// The caller's terms, looked up anew where the house has others since.
    pub(crate) fn terms(&self, caller: &Caller, house: &House) -> arc_swap::Guard<Arc<Terms>> {
        let terms = self.terms.load();
        if terms.generation == house.generation {
            return terms;
        }
        self.terms.store(Arc::new(house.terms(caller)));
        self.terms.load()
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
            (*id, account(tenants, &unshipped.tenants, *id, caller.made, (wallet, *used)))
        });
        let path = Path {
            key: account(keys, &unshipped.keys, key.id, caller.made, (key.quota, key.used)),
            user: account(users, &unshipped.users, user.id, caller.made, (wallet, user.used)),
            tenants: above.collect(),
        };
        let terms = ArcSwap::from_pointee(Terms::default());
        Purse { owner: self.owner, path, terms, class: Class::of(caller) }
    }

    /// What the journal held of a scope's spending, as long as the store may not know it.
    pub(crate) fn unshipped(&self, scope: &Scope, since: UnixMicros) -> Spent {
        self.known.lock().unshipped.since(scope, since)
    }
}

/// The account of that id, with what the store says now taken over.
fn account<K: Copy + Eq + Hash>(
    known: &mut HashMap<K, Arc<Account>>,
    unshipped: &HashMap<K, i64>,
    id: K,
    copy: u64,
    (credited, used): (Option<Nano>, Nano),
) -> Arc<Account> {
    if let Some(account) = known.get(&id) {
        account.refresh(copy, credited, used);
        return account.clone();
    }
    let account = Arc::new(Account::new(copy, credited, used, unshipped.get(&id).copied().unwrap_or(0)));
    known.insert(id, account.clone());
    account
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariff::Amounts;
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
        let left = |who: &Caller| accounts.with(who, |purse| purse.left());
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
        assert_eq!(accounts.with(&stale, |purse| purse.left()), (n(85), n(45)));
        accounts.all_shipped();
        assert_eq!(accounts.with(&caller(n(100), n(45), 15, 15), |purse| purse.left()), (n(85), n(45)));
    }

    fn leveled(user: i64, tenants: &[i64]) -> Amounts {
        Amounts { user: Nano(user), tenants: tenants.iter().map(|nano| Nano(*nano)).collect() }
    }

    /// Tenants 3 and 4 pay their parents from these wallets; tenant 5 is the house.
    fn resold(balances: [(i64, i64); 2]) -> Caller {
        let mut caller = crate::tests::support::under(&caller(n(1_000), n(500), 0, 0), 2);
        let wallets = std::iter::once(&mut caller.tenant).chain(&mut caller.ancestors);
        for (tenant, (balance, used)) in wallets.zip(balances) {
            (tenant.unlimited, tenant.balance, tenant.used) = (false, Nano(balance), Nano(used));
        }
        caller
    }

    #[test]
    fn a_level_out_of_money_stops_those_below() {
        let accounts = Accounts::new(Unshipped::default());
        let all = |who: &Caller| {
            accounts.with(who, |purse| {
                let above = purse.tenants.iter().map(|(_, account)| account.left());
                (purse.left(), above.collect::<Vec<_>>())
            })
        };
        let who = resold([(100, 0), (50, 0)]);
        let untouched = ((n(1_000), n(500)), vec![n(100), n(50)]);
        accounts.with(&who, |purse| {
            assert_eq!(purse.hold(&leveled(10, &[101, 1])), Err(Short::Above(TenantId(3))));
            assert_eq!(all(&who), untouched, "taken back from key and user");
            assert_eq!(purse.hold(&leveled(10, &[80, 51])), Err(Short::Above(TenantId(4))));
            assert_eq!(all(&who), untouched, "and from the tenant below");
            assert_eq!(purse.hold(&leveled(501, &[1, 1])), Err(Short::Wallet(Nano(500))));
            assert_eq!(all(&who), untouched);
            purse.hold(&leveled(60, &[50, 40])).unwrap();
            assert_eq!(all(&who), ((n(940), n(440)), vec![n(50), n(10)]));
            let charged = purse.settle(&leveled(60, &[50, 40]), &leveled(600, &[120, 45]));
            assert_eq!(charged, leveled(500, &[100, 45]), "what there is at each level, and no more");
            assert_eq!(all(&who), ((n(500), n(0)), vec![n(0), n(5)]));
        });
    }

    #[test]
    fn fresh_copies_and_the_journal_count_at_every_level() {
        let mut unshipped = Unshipped::default();
        let leg = |tenant, charge| burncloud_core::Leg {
            tenant: TenantId(tenant),
            parent: TenantId(tenant + 1),
            charge: Nano(charge),
            shortfall: Nano::ZERO,
        };
        let receipt = burncloud_core::Receipt {
            legs: vec![leg(3, 7), leg(4, 5)],
            charge: Nano(9),
            at: UnixMicros(burncloud_core::QUARTER_US),
            ..crate::tests::support::receipt(0)
        };
        unshipped.add_receipt(&receipt);
        let accounts = Accounts::new(unshipped);
        let left = |balances| {
            let of =
                |purse: &Purse| purse.tenants.iter().map(|(_, a)| a.left().unwrap().0).collect::<Vec<_>>();
            accounts.with(&resold(balances), of)
        };
        assert_eq!(left([(100, 0), (50, 0)]), [93, 45], "what the journal held");
        assert_eq!(accounts.unshipped(&Scope::Tenant(TenantId(4)), UnixMicros(0)).money, Nano(5));
        let later = UnixMicros(2 * burncloud_core::QUARTER_US);
        assert_eq!(accounts.unshipped(&Scope::Tenant(TenantId(4)), later), Spent::default());
        accounts.all_shipped();
        assert_eq!(accounts.unshipped(&Scope::Tenant(TenantId(4)), UnixMicros(0)), Spent::default());
        assert_eq!(left([(93, 7), (45, 5)]), [93, 45], "a copy with it");
        assert_eq!(left([(193, 7), (45, 5)]), [193, 45], "a top-up of the reseller's");
        assert_eq!(left([(183, 17), (45, 5)]), [183, 45], "another process spent");
        assert_eq!(left([(100, 0), (50, 0)]), [183, 45], "an old copy says nothing");
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
                let left = accounts.with(&who, |purse| purse.left());
                prop_assert_eq!(left, (n(quota - charged - out), n(balance - charged - out)));
                prop_assert!(quota - charged - out >= 0 && balance - charged - out >= 0);
            }
        }
    }
}

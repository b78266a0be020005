//! What many who look at the same thing share, read once.

use burncloud_billing::people::{Action, Actor, Place, may};
use burncloud_core::{Role, TenantId, UserId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// Whose eyes: everybody of whom this is the same sees the same figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Eyes {
    role: Role,
    tenant: TenantId,
    user: Option<UserId>,
}

impl Eyes {
    pub(crate) fn of(actor: &Actor) -> Eyes {
        let own = !may(actor.role, Action::SeeMoney, Place::Own);
        Eyes { role: actor.role, tenant: actor.tenant, user: actor.user.filter(|_| own) }
    }
}

type Slot<V> = (Instant, Arc<OnceCell<Arc<V>>>);

type Read<V> = (Instant, Arc<V>);

/// Values by key for a little while; each is read once, however many wait for it. A failure is not kept.
pub(crate) struct Kept<K, V> {
    fresh: Duration,
    /// For how long a value is good enough where nobody wants to wait for a newer one.
    usable: Duration,
    slots: Mutex<HashMap<(Eyes, K), Slot<V>>>,
    /// What was read last, and when.
    old: Mutex<HashMap<(Eyes, K), Read<V>>>,
}

/// What is there without waiting.
pub(crate) enum Had<V> {
    /// It is fresh, or somebody reads a newer one already.
    Good(Arc<V>),
    /// It is usable, and time to read a newer one.
    Due(Arc<V>),
    Nothing,
}

impl<K: Copy + Eq + Hash, V> Kept<K, V> {
    pub(crate) fn new(fresh: Duration, usable: Duration) -> Kept<K, V> {
        Kept { fresh, usable, slots: Mutex::default(), old: Mutex::default() }
    }

    /// The value that was read last, if that was not too long ago.
    pub(crate) fn had(&self, eyes: Eyes, key: K) -> Had<V> {
        let mut old = self.old.lock();
        old.retain(|_, (at, _)| at.elapsed() < self.usable);
        let Some((_, value)) = old.get(&(eyes, key)) else { return Had::Nothing };
        let value = value.clone();
        drop(old);
        let slots = self.slots.lock();
        let good = slots.get(&(eyes, key)).is_some_and(|(at, _)| at.elapsed() < self.fresh);
        if good { Had::Good(value) } else { Had::Due(value) }
    }

    /// The value, read by `read` unless it was a moment ago.
    pub(crate) async fn get<E>(
        &self,
        eyes: Eyes,
        key: K,
        read: impl AsyncFnOnce() -> Result<V, E>,
    ) -> Result<Arc<V>, E> {
        let cell = {
            let mut slots = self.slots.lock();
            slots.retain(|_, (at, _)| at.elapsed() < self.fresh);
            slots.entry((eyes, key)).or_insert_with(|| (Instant::now(), Arc::default())).1.clone()
        };
        let read = async || {
            let value = Arc::new(read().await?);
            // Whatever was forgotten meanwhile was seen before the change and is not to come back.
            let slots = self.slots.lock();
            if slots.get(&(eyes, key)).is_some_and(|(_, wanted)| Arc::ptr_eq(wanted, &cell)) {
                self.old.lock().insert((eyes, key), (Instant::now(), value.clone()));
            }
            Ok(value)
        };
        cell.get_or_try_init(read).await.cloned()
    }

    /// Forgets what these eyes saw: they changed it.
    pub(crate) fn forget(&self, eyes: Eyes) {
        let mut slots = self.slots.lock();
        slots.retain(|(whose, _), _| *whose != eyes);
        self.old.lock().retain(|(whose, _), _| *whose != eyes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    fn eyes(role: Role, user: i64) -> Eyes {
        let actor = Actor { role, user: Some(UserId(user)), ..Actor::operator("x") };
        Eyes::of(&actor)
    }

    #[test]
    fn who_sees_the_same_shares_it_and_nobody_else() {
        assert_eq!(eyes(Role::Owner, 1), eyes(Role::Owner, 2));
        assert_eq!(eyes(Role::Reseller, 1), eyes(Role::Reseller, 2), "of one tenant");
        assert_ne!(eyes(Role::EndUser, 1), eyes(Role::EndUser, 2));
        assert_ne!(eyes(Role::Owner, 1), eyes(Role::Accountant, 1));
        let actor = Actor { role: Role::Reseller, tenant: TenantId(7), ..Actor::operator("x") };
        assert_ne!(eyes(Role::Reseller, 1), Eyes::of(&actor));
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_are_one_reading_until_it_is_old() {
        let kept: Kept<u8, u32> = Kept::new(Duration::from_secs(5), Duration::from_secs(60));
        let count = AtomicU32::new(0);
        let whose = eyes(Role::Owner, 1);
        let read = async || {
            tokio::task::yield_now().await;
            Ok::<u32, String>(count.fetch_add(1, SeqCst))
        };
        let (a, b) = tokio::join!(kept.get(whose, 1, read), kept.get(whose, 1, read));
        assert_eq!((*a.unwrap(), *b.unwrap()), (0, 0));
        assert_eq!(*kept.get(whose, 2, read).await.unwrap(), 1, "another key");
        let failed = kept.get(whose, 3, async || Err::<u32, _>("away".to_owned())).await;
        assert_eq!(failed.unwrap_err(), "away");
        assert_eq!(*kept.get(whose, 3, read).await.unwrap(), 2, "a failure is not kept");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(*kept.get(whose, 1, read).await.unwrap(), 3);
        kept.forget(whose);
        assert_eq!(*kept.get(whose, 1, read).await.unwrap(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_a_while_ago_is_there_until_it_is_too_old_or_forgotten() {
        let kept: Kept<u8, u32> = Kept::new(Duration::from_secs(5), Duration::from_secs(60));
        let whose = eyes(Role::Owner, 1);
        let had = || match kept.had(whose, 1) {
            Had::Good(value) => Some((true, *value)),
            Had::Due(value) => Some((false, *value)),
            Had::Nothing => None,
        };
        let read = async |value| kept.get(whose, 1, async || Ok::<u32, String>(value)).await.unwrap();
        assert_eq!(had(), None);
        read(7).await;
        assert_eq!(had(), Some((true, 7)));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(had(), Some((false, 7)), "usable, and not fresh");
        // Somebody reads a newer one: a second reader is not wanted.
        let newer = kept.get(whose, 1, async || {
            assert_eq!(had(), Some((true, 7)));
            Ok::<u32, String>(8)
        });
        assert_eq!((*newer.await.unwrap(), had()), (8, Some((true, 8))));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(had(), None, "too old");
        // What is read while it is forgotten shows what was before.
        let during = kept.get(whose, 1, async || {
            kept.forget(whose);
            Ok::<u32, String>(9)
        });
        assert_eq!((*during.await.unwrap(), had()), (9, None));
    }
}

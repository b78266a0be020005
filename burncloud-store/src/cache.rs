//! The read-through cache of callers.
//!
//! What is looked up is shared, so that layers find the state they left in a caller's slots. Three rules
//! keep it right:
//!
//! - A look-up and the invalidation of the same key exclude each other (one lock per group of keys), so a
//!   row that was read before a change is never cached after it.
//! - Forgetting everybody is a new generation: what was read under an old one counts for nothing.
//! - A caller older than its term is refreshed by one request while the others go on with it; if the
//!   database is away they all go on with it.

use burncloud_core::store::StoreResult;
use burncloud_core::{Caller, KeyHash};
use moka::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

/// Locks; look-ups of keys that share one wait for each other.
const LOCKS: usize = 64;

/// Sizes and terms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Callers kept.
    pub(crate) known: u64,
    /// Hashes remembered as nobody's.
    pub(crate) unknown: u64,
    /// After which a caller is looked up again, for changes that other processes made.
    pub(crate) refresh: Duration,
    /// After which nobody may have become somebody by another process.
    pub(crate) forget: Duration,
    /// How long a refresh may take, and how soon after one the next is tried.
    pub(crate) patience: Duration,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            known: 100_000,
            unknown: 10_000,
            refresh: Duration::from_secs(60),
            forget: Duration::from_secs(5),
            patience: Duration::from_secs(1),
        }
    }
}

#[derive(Clone)]
struct Entry {
    caller: Arc<Caller>,
    generation: u64,
    loaded: Instant,
    /// When a refresh was last begun: milliseconds after `loaded`; 0 is never.
    refreshing: Arc<AtomicU64>,
}

pub(crate) struct CallerCache {
    terms: Terms,
    known: Cache<KeyHash, Entry>,
    /// With the generation that found nobody.
    unknown: Cache<KeyHash, u64>,
    generation: AtomicU64,
    locks: Box<[Mutex<()>]>,
}

impl Default for CallerCache {
    fn default() -> CallerCache {
        CallerCache::new(Terms::default())
    }
}

impl CallerCache {
    pub(crate) fn new(terms: Terms) -> CallerCache {
        CallerCache {
            terms,
            known: Cache::new(terms.known),
            unknown: Cache::builder().max_capacity(terms.unknown).time_to_live(terms.forget).build(),
            generation: AtomicU64::new(0),
            locks: (0..LOCKS).map(|_| Mutex::new(())).collect(),
        }
    }

    /// What is known without waiting; `None` too for the one request that is to refresh an old caller.
    pub(crate) fn peek(&self, hash: &KeyHash) -> Option<Option<Arc<Caller>>> {
        let Some(entry) = self.entry(hash) else { return self.is_nobody(hash).then_some(None) };
        let age = entry.loaded.elapsed();
        if age >= self.terms.refresh && self.claim_refresh(&entry, age) {
            return None;
        }
        Some(Some(entry.caller))
    }

    /// What is known, or what `look_up` finds, which is then known.
    pub(crate) async fn get(
        &self,
        hash: &KeyHash,
        look_up: impl Future<Output = StoreResult<Option<Caller>>>,
    ) -> StoreResult<Option<Arc<Caller>>> {
        let _only_look_up_of_this_key = self.lock(hash).await;
        let old = self.entry(hash);
        match &old {
            Some(entry) if entry.loaded.elapsed() < self.terms.refresh => {
                return Ok(Some(entry.caller.clone()));
            }
            None if self.is_nobody(hash) => return Ok(None),
            _ => {}
        }
        let generation = self.generation();
        let Some(old) = old else { return Ok(self.keep(hash, look_up.await?, generation)) };
        match tokio::time::timeout(self.terms.patience, look_up).await {
            Ok(Ok(found)) => Ok(self.keep(hash, found, generation)),
            failed => {
                let why = failed.err().map_or("the look-up failed", |_| "the look-up takes too long");
                tracing::warn!(key = %old.caller.key.name, why, "going on with what was known of a key");
                Ok(Some(old.caller))
            }
        }
    }

    fn keep(&self, hash: &KeyHash, found: Option<Caller>, generation: u64) -> Option<Arc<Caller>> {
        let Some(caller) = found.map(Arc::new) else {
            self.known.invalidate(hash);
            self.unknown.insert(*hash, generation);
            return None;
        };
        let entry =
            Entry { caller: caller.clone(), generation, loaded: Instant::now(), refreshing: Arc::default() };
        self.unknown.invalidate(hash);
        self.known.insert(*hash, entry);
        Some(caller)
    }

    fn entry(&self, hash: &KeyHash) -> Option<Entry> {
        self.known.get(hash).filter(|entry| entry.generation == self.generation())
    }

    fn is_nobody(&self, hash: &KeyHash) -> bool {
        self.unknown.get(hash) == Some(self.generation())
    }

    /// Whether this request is the one to refresh.
    fn claim_refresh(&self, entry: &Entry, age: Duration) -> bool {
        let now = u64::try_from(age.as_millis()).unwrap_or(u64::MAX).max(1);
        let last = entry.refreshing.load(Ordering::Relaxed);
        let due = last == 0 || Duration::from_millis(now.saturating_sub(last)) >= self.terms.patience;
        due && entry.refreshing.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    async fn lock(&self, hash: &KeyHash) -> MutexGuard<'_, ()> {
        self.locks[usize::from(hash.0[0]) % LOCKS].lock().await
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Forgets these; whoever looks one up later sees what was committed before this call.
    pub(crate) async fn invalidate(&self, hashes: &[KeyHash]) {
        for hash in hashes {
            let _no_look_up_is_under_way = self.lock(hash).await;
            self.known.invalidate(hash);
            self.unknown.invalidate(hash);
        }
    }

    /// Forgets everybody.
    pub(crate) fn invalidate_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.known.invalidate_all();
        self.unknown.invalidate_all();
    }

    /// From here on it is in doubt what is true, until the doubt is dispelled; if it is dropped instead,
    /// everybody is forgotten.
    pub(crate) fn doubt(&self) -> Doubt<'_> {
        Doubt(Some(self))
    }
}

#[must_use]
pub(crate) struct Doubt<'a>(Option<&'a CallerCache>);

impl Doubt<'_> {
    pub(crate) fn dispel(mut self) {
        self.0 = None;
    }
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(cache) = self.0 {
            cache.invalidate_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::store::{CallerStore, KeyStore, MemoryStore, StoreError, UserStore};
    use burncloud_core::testing::new_key;

    const HASH: KeyHash = KeyHash([1; 32]);

    async fn somebody() -> Caller {
        let store = MemoryStore::default();
        let user = store.user_by_name("default").await.unwrap().unwrap();
        store.create_key(new_key("k", user.id)).await.unwrap();
        let caller = store.caller(&KeyHash::of(b"k")).await.unwrap().unwrap();
        Caller::new(caller.key.clone(), caller.user.clone(), caller.tenant.clone())
    }

    async fn away() -> StoreResult<Option<Caller>> {
        Err(StoreError::Unavailable("away".into()))
    }

    fn always_old() -> CallerCache {
        CallerCache::new(Terms {
            refresh: Duration::ZERO,
            patience: Duration::from_secs(600),
            ..Terms::default()
        })
    }

    #[tokio::test]
    async fn one_request_refreshes_and_an_absent_store_does_no_harm() {
        let cache = always_old();
        assert!(cache.peek(&HASH).is_none());
        let first = cache.get(&HASH, async { Ok(Some(somebody().await)) }).await.unwrap().unwrap();
        assert!(cache.peek(&HASH).is_none(), "the first to see that it is old refreshes it");
        assert!(Arc::ptr_eq(&cache.peek(&HASH).unwrap().unwrap(), &first), "the others go on with it");
        let kept = cache.get(&HASH, away()).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&kept, &first), "and so does everybody while the store is away");
        let second = cache.get(&HASH, async { Ok(Some(somebody().await)) }).await.unwrap().unwrap();
        assert!(!Arc::ptr_eq(&second, &first));
        assert!(cache.get(&HASH, async { Ok(None) }).await.unwrap().is_none());
        assert!(matches!(cache.peek(&HASH), Some(None)), "a key that is gone is nobody's");
    }

    #[tokio::test]
    async fn a_caller_that_was_forgotten_is_not_revived_by_an_absent_store() {
        let cache = always_old();
        cache.get(&HASH, async { Ok(Some(somebody().await)) }).await.unwrap();
        cache.invalidate_all();
        assert!(cache.peek(&HASH).is_none());
        assert!(matches!(cache.get(&HASH, away()).await, Err(StoreError::Unavailable(_))));
        assert!(cache.peek(&HASH).is_none(), "a failed look-up is not remembered");
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_cached_after_it() {
        let cache = CallerCache::default();
        // Everybody is forgotten while a look-up is under way.
        let found = cache.get(&HASH, async {
            cache.invalidate_all();
            Ok(Some(somebody().await))
        });
        assert!(found.await.unwrap().is_some());
        assert!(cache.peek(&HASH).is_none());
        // One is forgotten while a look-up is under way: the look-up ends first.
        let (begun, begin) = tokio::sync::oneshot::channel();
        let look_up = cache.get(&HASH, async {
            begun.send(()).unwrap();
            tokio::task::yield_now().await;
            Ok(None)
        });
        let change = async {
            begin.await.unwrap();
            cache.invalidate(&[HASH]).await;
        };
        let (found, ()) = tokio::join!(look_up, change);
        assert!(found.unwrap().is_none());
        assert!(cache.peek(&HASH).is_none(), "nobody was forgotten after the look-up");
    }

    #[tokio::test]
    async fn a_doubt_that_is_not_dispelled_forgets_everybody() {
        let cache = CallerCache::default();
        cache.get(&HASH, async { Ok(None) }).await.unwrap();
        cache.doubt().dispel();
        assert!(cache.peek(&HASH).is_some());
        drop(cache.doubt());
        assert!(cache.peek(&HASH).is_none());
    }
}

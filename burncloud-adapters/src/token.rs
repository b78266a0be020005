//! Credentials that are fetched and run out: AWS's assumed roles, Entra's and Google's access tokens.
//!
//! A [`TokenCache`] fetches once however many ask at the same time, fetches again before a token runs out while the old
//! one still serves, and lives through a token service that fails for as long as the old token is valid. A fetch is a
//! task of its own: it goes on when the request that began it is cancelled, so that an impatient channel gets its
//! token in the end. Fetches must bound their own time.

use async_trait::async_trait;
use burncloud_core::{Error, ErrorKind};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::OwnedMutexGuard;

/// A token is renewed this long before it runs out, or after four fifths of a short life.
const EARLY: Duration = Duration::from_secs(300);
/// A token that runs out within this time, or in the last tenth of a short life, might do so on its way.
const LATE: Duration = Duration::from_secs(30);
/// How long a failed renewal is not tried again while the old token serves.
const PAUSE: Duration = Duration::from_secs(10);

/// What time it is; tests bring their own.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The system's time.
pub(crate) fn system_clock() -> Clock {
    Arc::new(SystemTime::now)
}

/// A token, and until when it is valid.
#[derive(Clone)]
pub(crate) struct Lease<T> {
    /// What authorises.
    pub(crate) token: T,
    /// The provider's word for when that ends.
    pub(crate) expires_at: SystemTime,
}

/// Where tokens come from.
#[async_trait]
pub(crate) trait TokenSource: Send + Sync + 'static {
    /// What authorises: a header value, a set of keys.
    type Token: Clone + Send + Sync + 'static;

    /// A new token. Errors must hold no secret: everyone who waits gets a copy of their text.
    async fn fetch(&self, now: SystemTime) -> Result<Lease<Self::Token>, Error>;
}

/// The token of one credential. Clones share it.
pub(crate) struct TokenCache<S: TokenSource>(Arc<Shared<S>>);

impl<S: TokenSource> Clone for TokenCache<S> {
    fn clone(&self) -> TokenCache<S> {
        TokenCache(self.0.clone())
    }
}

impl<S: TokenSource> fmt::Debug for TokenCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache")
    }
}

struct Shared<S: TokenSource> {
    source: S,
    clock: Clock,
    state: Mutex<State<S::Token>>,
    /// Held by the one fetch under way.
    flight: Arc<tokio::sync::Mutex<()>>,
}

struct State<T> {
    held: Option<Held<T>>,
    failed: Option<Failure>,
    /// How many fetches have ended.
    fetches: u64,
}

struct Held<T> {
    lease: Lease<T>,
    renew_at: SystemTime,
    drop_at: SystemTime,
}

/// What is left of an error once it has been told.
struct Failure {
    at: SystemTime,
    kind: ErrorKind,
    message: String,
    context: Option<String>,
}

impl Failure {
    fn of(error: &Error, at: SystemTime) -> Failure {
        let context = error.context().map(str::to_owned);
        Failure { at, kind: error.kind(), message: error.message().to_owned(), context }
    }

    fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone());
        match &self.context {
            Some(context) => error.with_context(context.clone()),
            None => error,
        }
    }
}

impl<T> Held<T> {
    fn new(lease: Lease<T>, now: SystemTime) -> Held<T> {
        let life = lease.expires_at.duration_since(now).unwrap_or_default();
        let before = |margin| lease.expires_at.checked_sub(margin).unwrap_or(lease.expires_at);
        Held { renew_at: before(EARLY.min(life / 5)), drop_at: before(LATE.min(life / 10)), lease }
    }
}

/// How a token that is at hand may be used.
enum Use<T> {
    Ready(T),
    /// It serves, but should be renewed.
    Ageing(T),
    None,
}

impl<T: Clone> State<T> {
    fn at_hand(&self, now: SystemTime) -> Use<T> {
        match &self.held {
            Some(held) if now < held.renew_at => Use::Ready(held.lease.token.clone()),
            Some(held) if now < held.drop_at => Use::Ageing(held.lease.token.clone()),
            _ => Use::None,
        }
    }

    fn rests(&self, now: SystemTime) -> bool {
        self.failed.as_ref().is_some_and(|failure| now < failure.at + PAUSE)
    }
}

impl<S: TokenSource> TokenCache<S> {
    /// A cache without a token yet.
    pub(crate) fn new(source: S, clock: Clock) -> TokenCache<S> {
        let state = Mutex::new(State { held: None, failed: None, fetches: 0 });
        TokenCache(Arc::new(Shared { source, clock, state, flight: Arc::default() }))
    }

    /// A token that is valid now.
    ///
    /// # Errors
    /// What the fetch failed with, for everyone who waited for it.
    pub(crate) async fn get(&self) -> Result<S::Token, Error> {
        let now = (self.0.clock)();
        let (at_hand, fetches, rests) = {
            let state = self.0.state.lock();
            (state.at_hand(now), state.fetches, state.rests(now))
        };
        match at_hand {
            Use::Ready(token) => return Ok(token),
            Use::Ageing(token) => {
                if !rests && let Ok(flight) = self.0.flight.clone().try_lock_owned() {
                    drop(self.begin(flight));
                }
                return Ok(token);
            }
            Use::None => {}
        }
        let flight = self.0.flight.clone().lock_owned().await;
        {
            let state = self.0.state.lock();
            if let Use::Ready(token) | Use::Ageing(token) = state.at_hand((self.0.clock)()) {
                return Ok(token);
            }
            // The fetch that was waited for failed: so would one more, right after it.
            if let Some(failure) = state.failed.as_ref().filter(|_| state.fetches != fetches) {
                return Err(failure.error());
            }
        }
        self.begin(flight).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Internal, "the gateway failed on this request")
                .with_context("a token could not be fetched: the task that does ended early"))
        })
    }

    /// Fetches in a task of its own, which ends the flight.
    fn begin(&self, flight: OwnedMutexGuard<()>) -> tokio::task::JoinHandle<Result<S::Token, Error>> {
        let shared = self.0.clone();
        tokio::spawn(async move {
            let now = (shared.clock)();
            let result = shared.source.fetch(now).await;
            let result = shared.note(result, now);
            drop(flight);
            result
        })
    }
}

impl<S: TokenSource> Shared<S> {
    fn note(&self, result: Result<Lease<S::Token>, Error>, now: SystemTime) -> Result<S::Token, Error> {
        let mut state = self.state.lock();
        state.fetches += 1;
        match result {
            Ok(lease) => {
                let token = lease.token.clone();
                state.held = Some(Held::new(lease, now));
                state.failed = None;
                Ok(token)
            }
            Err(error) => {
                if state.held.is_some() {
                    let context = error.context().unwrap_or_default();
                    tracing::warn!(context, "a token could not be renewed: {error}");
                }
                state.failed = Some(Failure::of(&error, (self.clock)()));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
    use tokio::task::yield_now;

    const LIFE: u64 = 1000;

    #[derive(Default)]
    struct Service {
        fetched: AtomicU64,
        down: AtomicBool,
        gate: tokio::sync::Notify,
        gated: AtomicBool,
    }

    #[async_trait]
    impl TokenSource for Arc<Service> {
        type Token = u64;

        async fn fetch(&self, now: SystemTime) -> Result<Lease<u64>, Error> {
            let number = self.fetched.fetch_add(1, SeqCst) + 1;
            if self.gated.load(SeqCst) {
                self.gate.notified().await;
            }
            if self.down.load(SeqCst) {
                return Err(Error::new(ErrorKind::BadGateway, "down").with_context("why"));
            }
            Ok(Lease { token: number, expires_at: now + Duration::from_secs(LIFE) })
        }
    }

    fn world() -> (Arc<Service>, Arc<AtomicU64>, TokenCache<Arc<Service>>) {
        let (service, seconds) = (Arc::new(Service::default()), Arc::new(AtomicU64::new(0)));
        let now = seconds.clone();
        let clock: Clock = Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(now.load(SeqCst)));
        (service.clone(), seconds, TokenCache::new(service, clock))
    }

    /// Lets what was begun beside come to its end.
    async fn settle(service: &Service, fetched: u64) {
        for _ in 0..1000 {
            yield_now().await;
        }
        assert_eq!(service.fetched.load(SeqCst), fetched);
    }

    #[tokio::test]
    async fn many_ask_and_one_fetches() {
        let (service, _, cache) = world();
        service.gated.store(true, SeqCst);
        let asks: Vec<_> = (0..20)
            .map(|_| {
                tokio::spawn({
                    let cache = cache.clone();
                    async move { cache.get().await }
                })
            })
            .collect();
        settle(&service, 1).await;
        service.gate.notify_one();
        for ask in asks {
            assert_eq!(ask.await.unwrap().unwrap(), 1);
        }
        assert_eq!(service.fetched.load(SeqCst), 1);
    }

    #[tokio::test]
    async fn renewed_beside_before_it_runs_out_and_waited_for_after() {
        let (service, seconds, cache) = world();
        assert_eq!(cache.get().await.unwrap(), 1);
        seconds.store(LIFE - 201, SeqCst);
        assert_eq!(cache.get().await.unwrap(), 1);
        settle(&service, 1).await;
        seconds.store(LIFE - 200, SeqCst);
        assert_eq!(cache.get().await.unwrap(), 1, "the old one serves while the new one is fetched");
        settle(&service, 2).await;
        assert_eq!(cache.get().await.unwrap(), 2);
        seconds.store(10 * LIFE, SeqCst);
        assert_eq!(cache.get().await.unwrap(), 3, "one that ran out is not used");
    }

    #[tokio::test]
    async fn an_old_token_outlives_the_services_failure_but_not_its_own_life() {
        let (service, seconds, cache) = world();
        assert_eq!(cache.get().await.unwrap(), 1);
        service.down.store(true, SeqCst);
        seconds.store(LIFE - 100, SeqCst);
        assert_eq!(cache.get().await.unwrap(), 1);
        settle(&service, 2).await;
        assert_eq!(cache.get().await.unwrap(), 1);
        settle(&service, 2).await;
        seconds.store(LIFE - 90, SeqCst);
        assert_eq!(cache.get().await.unwrap(), 1);
        settle(&service, 3).await;
        seconds.store(LIFE - 30, SeqCst);
        let error = cache.get().await.unwrap_err();
        assert_eq!((error.kind(), error.context()), (ErrorKind::BadGateway, Some("why")));
        service.down.store(false, SeqCst);
        assert_eq!(cache.get().await.unwrap(), 5);
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_waited() {
        let (service, _, cache) = world();
        service.gated.store(true, SeqCst);
        service.down.store(true, SeqCst);
        let asks: Vec<_> = (0..5)
            .map(|_| {
                tokio::spawn({
                    let cache = cache.clone();
                    async move { cache.get().await }
                })
            })
            .collect();
        settle(&service, 1).await;
        service.gate.notify_one();
        for ask in asks {
            assert_eq!(ask.await.unwrap().unwrap_err().message(), "down");
        }
        assert_eq!(service.fetched.load(SeqCst), 1);
    }

    #[tokio::test]
    async fn a_fetch_outlives_the_request_that_began_it() {
        let (service, _, cache) = world();
        service.gated.store(true, SeqCst);
        let impatient = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get().await }
        });
        settle(&service, 1).await;
        impatient.abort();
        service.gate.notify_one();
        assert_eq!(cache.get().await.unwrap(), 1);
        settle(&service, 1).await;
    }
}

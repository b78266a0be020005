//! A provider's address and the idle connections to it.

use super::body::UpstreamBody;
use super::conn::{Conn, Shard};
use super::{ConnectError, Origin};
use crate::Body;
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a connection may lie idle. Providers close theirs after 60 s or more.
const IDLE_FOR: Duration = Duration::from_secs(50);
/// How many connections may lie idle in one shard.
const IDLE_MAX: usize = 256;

/// Why a request got no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// No connection.
    Connect(ConnectError),
    /// None within the time allowed for it.
    ConnectTimeout,
    /// The connection broke before the answer's head was there.
    Broken(hyper::Error),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Connect(e) => e.fmt(f),
            SendError::ConnectTimeout => f.write_str("connect: timed out"),
            SendError::Broken(e) => write!(f, "broken before the answer: {e}"),
        }
    }
}

impl std::error::Error for SendError {}

/// A provider's address and the idle connections to it, one list per core.
pub struct Upstream {
    origin: Origin,
    shards: Box<[Arc<Shard>]>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("origin", &self.origin).field("idle", &self.idle()).finish()
    }
}

impl Upstream {
    /// No connection yet.
    #[must_use]
    pub fn new(origin: Origin) -> Upstream {
        let shards = std::thread::available_parallelism().map_or(1, |n| n.get().min(64));
        Upstream { origin, shards: (0..shards).map(|_| Arc::default()).collect() }
    }

    /// Where it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Connections that are open and idle.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Sends a request on an idle connection, or on a new one.
    ///
    /// A connection that the provider closed in the very moment of its reuse is replaced by a new one if
    /// hyper says that not a byte of the request was taken; anything else is the caller's to judge.
    ///
    /// Dropping the future closes the connection it used.
    ///
    /// # Errors
    /// No connection, or one that broke before the head.
    // No `async fn`: that would hold its arguments twice.
    pub fn send(
        &self,
        mut request: Request<Body>,
        connect_within: Duration,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, SendError>> + Send + '_ {
        let home = &self.shards[shard_index() % self.shards.len()];
        async move {
            // Requests that are ready beside this one get as far as this first; then all of them write, one after
            // another. A peer that is woken by the first write is still awake for the rest: with a busy gateway that
            // saves a fifth of a request, most of it the kernel's. With nothing else ready it waits for nothing.
            tokio::task::yield_now().await;
            loop {
                let (mut conn, fresh) = match self.take_idle(home) {
                    Some(conn) => (conn, false),
                    // Boxed, since it is rare: this future is moved with every request.
                    None => (Box::pin(self.open(connect_within)).await?, true),
                };
                match conn.try_send(request).await {
                    Ok(response) => return Ok(UpstreamBody::wrap(response, conn, home.clone())),
                    Err((_, Some(unsent))) if !fresh => request = unsent,
                    Err((error, _)) => return Err(SendError::Broken(error)),
                }
            }
        }
    }

    /// How long a new connection takes, TLS included; it is closed at once.
    pub(crate) async fn reach(&self, within: Duration) -> Result<Duration, SendError> {
        let started = Instant::now();
        self.open(within).await.map(|_| started.elapsed())
    }

    async fn open(&self, within: Duration) -> Result<Box<Conn>, SendError> {
        match tokio::time::timeout(within, Conn::open(&self.origin)).await {
            Ok(conn) => Ok(Box::new(conn.map_err(SendError::Connect)?)),
            Err(_) => Err(SendError::ConnectTimeout),
        }
    }

    fn take_idle(&self, home: &Shard) -> Option<Box<Conn>> {
        if let Some(conn) = pop_usable(home) {
            return Some(conn);
        }
        self.shards.iter().filter(|shard| !std::ptr::eq(&***shard, home)).find_map(|shard| pop_usable(shard))
    }
}

/// The youngest usable connection: the one least likely to be closed, and the cache is warm.
fn pop_usable(shard: &Shard) -> Option<Box<Conn>> {
    loop {
        let mut conn = shard.lock().pop()?;
        if conn.idle_since.elapsed() < IDLE_FOR && conn.usable() {
            return Some(conn);
        }
    }
}

/// Puts a connection back. The oldest are dropped when they lie too long or are too many, so that a burst
/// does not hold its connections for ever.
pub(super) fn give_back(shard: &Shard, mut conn: Box<Conn>) {
    if !conn.usable() {
        return;
    }
    let now = Instant::now();
    conn.idle_since = now;
    let mut old = Vec::new();
    {
        let mut idle = shard.lock();
        let stale = idle.iter().take_while(|c| now - c.idle_since > IDLE_FOR).count();
        let excess = (idle.len() + 1).saturating_sub(IDLE_MAX);
        if stale.max(excess) > 0 {
            let count = stale.max(excess).min(idle.len());
            old.extend(idle.drain(..count));
        }
        idle.push(conn);
    }
    // Closing sockets takes system calls: not under the lock.
    drop(old);
}

/// A number per thread: threads use different shards, so that the locks are not contended.
fn shard_index() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static INDEX: usize = NEXT.fetch_add(1, Relaxed);
    }
    INDEX.with(|index| *index)
}

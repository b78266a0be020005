//! Sockets end with the session that opened them.

use crate::Console;
use crate::held::Held;
use crate::live::Viewer;
use crate::room::One;
use burncloud_billing::people::Actor;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often sessions with open pages are looked at when nothing says that they ended: another process may have ended them.
const EVERY: Duration = Duration::from_secs(10);
/// How many of those are between two purges of the store.
const PURGE: u32 = 360;

/// How many sockets one person may have open, over all their sessions.
const OF_ONE: usize = 32;
/// How many this process may.
const OF_ALL: usize = 2_000;
/// After how many seconds whoever was turned away may ask again.
pub(crate) const AGAIN: u64 = 60;

/// Whoever has pages open, by the hash of their session.
#[derive(Default)]
pub(crate) struct Sockets {
    sessions: Mutex<HashMap<[u8; 32], Session>>,
    open: Open,
}

/// How many sockets each has open.
type Open = Arc<Mutex<HashMap<One, usize>>>;

fn is_full(open: &HashMap<One, usize>, one: &One) -> bool {
    open.get(one).is_some_and(|own| *own >= OF_ONE) || open.values().sum::<usize>() >= OF_ALL
}

/// One open socket.
#[derive(Debug)]
pub(crate) struct Place {
    one: One,
    open: Open,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(own) = open.get_mut(&self.one) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.one);
            }
        }
    }
}

struct Session {
    /// The token of its forms: what is held for it goes by that.
    csrf: String,
    viewers: Vec<Weak<Viewer>>,
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sockets")
    }
}

impl Sockets {
    /// A place for another socket of theirs; `None` where they, or all together, have as many as may be.
    pub(crate) fn admit(&self, actor: &Actor) -> Option<Place> {
        let one = One::of(actor);
        let mut open = self.open.lock();
        if is_full(&open, &one) {
            return None;
        }
        *open.entry(one.clone()).or_default() += 1;
        Some(Place { one, open: self.open.clone() })
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.lock().values().sum()
    }

    /// Whether another socket of theirs would be turned away.
    pub(crate) fn is_full(&self, actor: &Actor) -> bool {
        is_full(&self.open.lock(), &One::of(actor))
    }

    pub(super) fn keep(&self, session: [u8; 32], viewer: &Arc<Viewer>) {
        let new = || Session { csrf: viewer.csrf.clone(), viewers: Vec::new() };
        self.sessions.lock().entry(session).or_insert_with(new).viewers.push(Arc::downgrade(viewer));
    }

    /// Sessions with a page that somebody still holds, or for which something is held: their tokens and pages.
    fn open(&self, held: &Held) -> Vec<([u8; 32], String, Vec<Arc<Viewer>>)> {
        let mut all = self.sessions.lock();
        let mut open = Vec::new();
        all.retain(|hash, session| {
            session.viewers.retain(|viewer| viewer.strong_count() > 0);
            let viewers: Vec<_> = session.viewers.iter().filter_map(Weak::upgrade).collect();
            let any = !viewers.is_empty() || held.has(&session.csrf);
            if any {
                open.push((*hash, session.csrf.clone(), viewers));
            }
            any
        });
        open
    }

    /// Closes the pages of sessions that ended, and of users who may do other things than when they opened them. What is
    /// held for a session that ended goes with it.
    pub(super) async fn sweep(&self, console: &Console) {
        let open = self.open(console.held());
        let sessions: Vec<_> = open.iter().map(|(session, ..)| *session).collect();
        let actors = match console.desk().sitting(&sessions).await {
            Ok(actors) => actors,
            Err(error) => {
                tracing::warn!(%error, "sessions could not be looked up");
                return;
            }
        };
        for ((_, csrf, viewers), actor) in open.into_iter().zip(actors) {
            // Where a page is looked at from is its own affair.
            let same = |actor: &Actor, viewer: &Viewer| actor.clone().from(&*viewer.actor.ip) == viewer.actor;
            let changed = |viewer: &Arc<Viewer>| !actor.as_ref().is_some_and(|actor| same(actor, viewer));
            viewers.iter().filter(|viewer| changed(viewer)).for_each(|viewer| viewer.ended.cancel());
            if actor.is_none() {
                console.held().forget(&csrf);
            }
        }
    }
}

/// Looks after open pages for as long as somebody has the console.
pub(crate) async fn keep(console: impl Fn() -> Option<Console> + Send) {
    let Some(mut endings) = console().map(|console| console.desk().endings()) else { return };
    if let Some(console) = console() {
        console.take_house().await;
    }
    let mut ticks = 0;
    loop {
        let told = tokio::time::timeout(EVERY, endings.changed()).await;
        let Some(console) = console() else { return };
        console.sockets().sweep(&console).await;
        console.held().sweep();
        // Another process may have been told another name.
        console.take_house().await;
        match told {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => ticks += 1,
        }
        if ticks % PURGE == 1
            && told.is_err()
            && let Err(error) = console.desk().purge_sessions().await
        {
            tracing::warn!(%error, "ended sessions could not be forgotten");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_all_of_them_have_so_many_sockets() {
        let sockets = Sockets::default();
        let by = |n: usize| Actor::operator(n.to_string());
        let mut open: Vec<_> = (0..OF_ALL).map(|n| sockets.admit(&by(n / OF_ONE)).unwrap()).collect();
        assert!(sockets.admit(&by(9_999)).is_none() && sockets.is_full(&by(9_999)), "all together");
        assert_eq!(sockets.count(), OF_ALL);
        open.pop();
        assert!(sockets.admit(&by(0)).is_none() && sockets.is_full(&by(0)), "their own");
        assert!(!sockets.is_full(&by(9_999)));
        drop(sockets.admit(&by(9_999)).unwrap());
        drop(open);
        assert!(sockets.open.lock().is_empty());
    }
}

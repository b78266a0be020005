//! Sockets end with the session that opened them.

use crate::Console;
use crate::live::Viewer;
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

/// Whoever has pages open, by the hash of their session.
#[derive(Default)]
pub(crate) struct Sockets(Mutex<HashMap<[u8; 32], Vec<Weak<Viewer>>>>);

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sockets")
    }
}

impl Sockets {
    pub(super) fn keep(&self, session: [u8; 32], viewer: &Arc<Viewer>) {
        self.0.lock().entry(session).or_default().push(Arc::downgrade(viewer));
    }

    /// Those that somebody still holds.
    fn open(&self) -> Vec<([u8; 32], Vec<Arc<Viewer>>)> {
        let mut all = self.0.lock();
        let mut open = Vec::new();
        all.retain(|session, viewers| {
            viewers.retain(|viewer| viewer.strong_count() > 0);
            let held: Vec<_> = viewers.iter().filter_map(Weak::upgrade).collect();
            let any = !held.is_empty();
            if any {
                open.push((*session, held));
            }
            any
        });
        open
    }

    /// Closes the pages of sessions that ended, and of users who may do other things than when they opened them.
    pub(super) async fn sweep(&self, console: &Console) {
        for (session, viewers) in self.open() {
            let seat = match console.desk().stands(&session).await {
                Ok(seat) => seat,
                Err(error) => {
                    tracing::warn!(%error, "sessions could not be looked up");
                    return;
                }
            };
            let actor = seat.map(|seat| seat.actor());
            // Where a page is looked at from is its own affair.
            let same = |actor: &Actor, viewer: &Viewer| actor.clone().from(&*viewer.actor.ip) == viewer.actor;
            let changed = |viewer: &Arc<Viewer>| !actor.as_ref().is_some_and(|actor| same(actor, viewer));
            viewers.iter().filter(|viewer| changed(viewer)).for_each(|viewer| viewer.ended.cancel());
            if actor.is_none() {
                viewers.iter().for_each(|viewer| console.held().forget(&viewer.csrf));
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

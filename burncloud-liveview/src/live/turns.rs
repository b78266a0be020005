//! Reading again, every now and then.

use super::conn::use_conn;
use super::load::Loaded;
use dioxus::prelude::*;
use std::time::Duration;

/// A number that grows by one `every` so often, while a browser is there: as one of the `deps` of
/// [`use_load`](super::use_load) it keeps what was read fresh. Where very many look it grows less often.
pub fn use_turns(every: Duration) -> Signal<u64> {
    use_turns_after(every, every)
}

/// As [`use_turns`], but the first turn comes after `first`: for what shows what was read a while ago until it is read anew.
pub fn use_turns_after(first: Duration, every: Duration) -> Signal<u64> {
    let conn = use_conn();
    let turns = use_signal(|| 0);
    use_hook(move || {
        if conn.client.is_some() {
            let cx = conn.cx();
            spawn(async move {
                let mut turns = turns;
                tokio::time::sleep(first).await;
                loop {
                    turns += 1;
                    cx.pause(every).await;
                }
            });
        }
    });
    turns
}

/// Reads again what was read, `every` so often, while a browser is there. Where very many look it is less often.
pub(crate) fn use_again<T: 'static>(every: Duration, mut read: Loaded<T>) {
    let conn = use_conn();
    use_future(move || {
        let watching = conn.client.is_some().then(|| conn.cx());
        async move {
            let Some(cx) = watching else { return };
            loop {
                cx.pause(every).await;
                read.reload();
            }
        }
    });
}

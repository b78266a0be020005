//! Reading again, every now and then.

use super::conn::use_conn;
use dioxus::prelude::*;
use std::time::Duration;

/// A number that grows by one `every` so often, while a browser is there: as one of the `deps` of
/// [`use_load`](super::use_load) it keeps what was read fresh.
pub fn use_turns(every: Duration) -> Signal<u64> {
    let live = use_conn().client.is_some();
    let turns = use_signal(|| 0);
    use_hook(move || {
        if live {
            spawn(async move {
                let mut turns = turns;
                loop {
                    tokio::time::sleep(every).await;
                    turns += 1;
                }
            });
        }
    });
    turns
}

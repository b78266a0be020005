//! Following what changes by itself.

use super::conn::{Cx, use_conn};
use dioxus::prelude::*;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// The least time between two drawings of live figures: a second is as fast as numbers can be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The latest value of a `watch` channel, drawn at most once a second.
///
/// A `Signal`, as from every hook here, and never a `ReadSignal`: one of those is another one at each drawing, and as a
/// property of a component whose parent reads it too, it draws the two for ever.
pub fn use_watch<T: Clone + PartialEq + 'static>(
    channel: impl FnOnce(&Cx) -> watch::Receiver<T>,
) -> Signal<T> {
    let conn = use_conn();
    let receiver = use_hook(|| channel(&conn.cx()));
    let signal = use_signal(|| receiver.borrow().clone());
    let live = conn.client.is_some();
    use_hook(move || {
        spawn(async move {
            let (mut receiver, mut signal) = (receiver, signal);
            while live && receiver.changed().await.is_ok() {
                let value = receiver.borrow_and_update().clone();
                if *signal.peek() != value {
                    signal.set(value);
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
    });
    signal
}

/// Calls `each` with what a `broadcast` channel carries, in batches at most once every `every`; where some was missed
/// because there was too much, with what is left.
pub fn use_feed<T: Clone + 'static>(
    every: Duration,
    channel: impl FnOnce(&Cx) -> broadcast::Receiver<T>,
    each: impl FnMut(Vec<T>) + 'static,
) {
    let conn = use_conn();
    use_hook(move || {
        if conn.client.is_none() {
            return;
        }
        let (mut receiver, mut each) = (channel(&conn.cx()), each);
        spawn(async move {
            loop {
                let mut batch = Vec::new();
                match receiver.recv().await {
                    Ok(item) => batch.push(item),
                    Err(broadcast::error::RecvError::Lagged(_)) => continue,
                    Err(broadcast::error::RecvError::Closed) => return,
                }
                tokio::time::sleep(every).await;
                while let Ok(item) = receiver.try_recv() {
                    batch.push(item);
                }
                each(batch);
            }
        });
    });
}

//! Following what changes by itself.

use super::conn::{Cx, use_conn};
use dioxus::prelude::*;
use std::time::Duration;
use tokio::sync::watch;

/// The least time between two drawings of live figures: a second is as fast as numbers can be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The latest value of a `watch` channel, drawn at most once a second, and less often where very many look.
///
/// A `Signal`, as from every hook here, and never a `ReadSignal`: one of those is another one at each drawing, and as a
/// property of a component whose parent reads it too, it draws the two for ever.
pub fn use_watch<T: Clone + PartialEq + 'static>(
    channel: impl FnOnce(&Cx) -> watch::Receiver<T>,
) -> Signal<T> {
    let conn = use_conn();
    let receiver = use_hook(|| channel(&conn.cx()));
    let signal = use_signal(|| receiver.borrow().clone());
    use_hook(move || {
        let (live, cx) = (conn.client.is_some(), conn.cx());
        spawn(async move {
            let (mut receiver, mut signal) = (receiver, signal);
            while live && receiver.changed().await.is_ok() {
                let value = receiver.borrow_and_update().clone();
                if *signal.peek() != value {
                    signal.set(value);
                }
                cx.pause(PAUSE).await;
            }
        })
    });
    signal
}

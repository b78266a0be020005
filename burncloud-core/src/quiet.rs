//! A timer for silence: armed once, only when something really waits, and pushed on lazily when it fires.
//!
//! Arming and dropping a timer costs more than everything else that is done for a chunk, and so does reading
//! the clock: silence is counted from the first time that something really waits after it was heard.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Debug)]
pub(crate) struct Quiet {
    limit: Duration,
    deadline: Option<Instant>,
    /// When the silence began; `None` while nothing has waited since something was heard.
    since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Quiet {
    /// Fires after `limit` of silence, and at `deadline` whatever is heard.
    pub(crate) fn new(limit: Duration, deadline: Option<std::time::Instant>) -> Quiet {
        let deadline = deadline.map(Instant::from_std);
        Quiet { limit, deadline, since: None, sleep: None }
    }

    /// Something was heard.
    pub(crate) fn heard(&mut self) {
        self.since = None;
    }

    /// Ready when it has been silent for too long.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let due = due_at(since + self.limit, self.deadline);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        while sleep.as_mut().poll(cx).is_ready() {
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}

fn due_at(quiet: Instant, deadline: Option<Instant>) -> Instant {
    deadline.map_or(quiet, |deadline| deadline.min(quiet))
}

//! What one person may take up of what everybody shares.

use axum::body::Body;
use burncloud_billing::people::Actor;
use burncloud_core::UserId;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many large posts are read at a time.
const AT_ONCE: usize = 8;
/// How many of them are one person's.
const OF_ONE: usize = 2;
/// How long a post waits until it is read.
const WAITS: Duration = Duration::from_secs(10);
/// How long a post may take to come.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long nothing of it may come.
const IDLE: Duration = Duration::from_secs(10);

/// Whoever counts as one: a user over all their sessions, an operator by name. Who acts as somebody else is still themself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum One {
    User(UserId),
    Operator(String),
}

impl One {
    pub(crate) fn of(actor: &Actor) -> One {
        match actor.acting.or(actor.user) {
            Some(user) => One::User(user),
            None => One::Operator(actor.name.clone()),
        }
    }
}

/// Why a post was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLarge,
    /// As many as may be are being read: answered with [`retry_after`].
    Crowded,
    /// It did not come, or not in time.
    Lost,
}

impl Unread {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Unread::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Unread::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Unread::Lost => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

/// Asks whoever was sent away to wait so many seconds.
pub(crate) fn retry_after(headers: &mut HeaderMap, seconds: u64) {
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
}

/// Whoever reads a large post has one of these: so much memory, and not more, is theirs who post.
pub(crate) struct Slots {
    all: Arc<Semaphore>,
    each: Mutex<HashMap<One, Weak<Semaphore>>>,
}

/// Leave to read one post, for as long as what it holds is looked at.
#[derive(Debug)]
pub(crate) struct Slot(#[allow(dead_code, reason = "held")] [OwnedSemaphorePermit; 2]);

impl Default for Slots {
    fn default() -> Slots {
        Slots { all: Arc::new(Semaphore::new(AT_ONCE)), each: Mutex::default() }
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").field("free", &self.all.available_permits()).finish_non_exhaustive()
    }
}

impl Slots {
    fn own(&self, one: One) -> Arc<Semaphore> {
        let mut each = self.each.lock();
        each.retain(|_, own| own.strong_count() > 0);
        if let Some(own) = each.get(&one).and_then(Weak::upgrade) {
            return own;
        }
        let own = Arc::new(Semaphore::new(OF_ONE));
        each.insert(one, Arc::downgrade(&own));
        own
    }

    async fn take(&self, one: One) -> Result<Slot, Unread> {
        let own = self.own(one);
        let taken = async {
            // One's own first: whoever waits for that takes nothing from the others.
            let own = own.acquire_owned().await.ok()?;
            Some(Slot([own, self.all.clone().acquire_owned().await.ok()?]))
        };
        timeout(WAITS, taken).await.ok().flatten().ok_or(Unread::Crowded)
    }

    /// A post of at most `most` bytes by somebody who may post it.
    pub(crate) async fn read(
        &self,
        one: One,
        headers: &HeaderMap,
        body: Body,
        most: usize,
    ) -> Result<(Bytes, Slot), Unread> {
        let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if said.is_some_and(|said| said > most) {
            return Err(Unread::TooLarge);
        }
        let slot = self.take(one).await?;
        let bytes = timeout(PATIENCE, whole(body, most)).await.map_err(|_| Unread::Lost)??;
        Ok((bytes, slot))
    }
}

async fn whole(mut body: Body, most: usize) -> Result<Bytes, Unread> {
    let mut all = Vec::new();
    while let Some(frame) = timeout(IDLE, body.frame()).await.map_err(|_| Unread::Lost)? {
        let Ok(data) = frame.map_err(|_| Unread::Lost)?.into_data() else { continue };
        if data.len() > most - all.len() {
            return Err(Unread::TooLarge);
        }
        all.extend_from_slice(&data);
    }
    // Of its own length: what is held is counted by that.
    Ok(all.into_boxed_slice().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use std::io;
    use tokio::time::Instant;

    fn one(name: &str) -> One {
        One::of(&Actor::operator(name))
    }

    #[test]
    fn whoever_acts_as_another_is_still_themself() {
        let of = |user, acting| One::of(&Actor { user, acting, ..Actor::operator("ann") });
        assert_eq!(of(None, None), One::Operator("ann".into()));
        assert_eq!(of(Some(UserId(1)), None), One::User(UserId(1)));
        assert_eq!(of(Some(UserId(1)), Some(UserId(2))), One::User(UserId(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_has_more_than_their_slots_and_nobody_waits_for_ever() {
        let slots = Slots::default();
        let mut held = Vec::new();
        for _ in 0..OF_ONE {
            held.push(slots.take(one("ann")).await.unwrap());
        }
        assert_eq!(slots.take(one("ann")).await.unwrap_err(), Unread::Crowded);
        for other in 0..(AT_ONCE - OF_ONE) {
            held.push(slots.take(one(&other.to_string())).await.unwrap());
        }
        assert_eq!(slots.take(one("bob")).await.unwrap_err(), Unread::Crowded);
        held.remove(0);
        drop(slots.take(one("bob")).await.unwrap());
        drop(held);
        drop(slots.take(one("ann")).await.unwrap());
        assert_eq!(slots.each.lock().len(), 1, "those who are gone are forgotten");
    }

    async fn read(body: Body, most: usize) -> Result<Bytes, Unread> {
        let slots = Slots::default();
        slots.read(one("ann"), &HeaderMap::new(), body, most).await.map(|(bytes, _)| bytes)
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_come_is_not_waited_for() {
        let began = Instant::now();
        let first = stream::iter([Ok::<_, io::Error>("a")]);
        assert_eq!(read(Body::from_stream(first.chain(stream::pending())), 9).await, Err(Unread::Lost));
        assert_eq!(began.elapsed(), IDLE);
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(IDLE / 2).await;
            Some((Ok::<_, io::Error>("a"), ()))
        });
        let began = Instant::now();
        assert_eq!(read(Body::from_stream(trickle), 999).await, Err(Unread::Lost));
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_read_to_its_end() {
        assert_eq!(read(Body::from("abc"), 3).await.unwrap(), "abc");
        assert_eq!(read(Body::from("abcd"), 3).await, Err(Unread::TooLarge));
        let endless = stream::repeat_with(|| Ok::<_, io::Error>("a"));
        assert_eq!(read(Body::from_stream(endless), 3).await, Err(Unread::TooLarge));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, 4.into());
        let read = Slots::default().read(one("ann"), &headers, Body::from("a"), 3).await;
        assert_eq!(read.unwrap_err(), Unread::TooLarge);
    }
}

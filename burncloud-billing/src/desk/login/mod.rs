//! Who may come in: passwords, second factors, sessions, tokens, invitations, and acting in another's name.
//!
//! What is secret goes in as [`SecretString`] and is stored as a hash (the second factor's secret
//! as itself: a store that outlives the process encrypts it). Handlers keep cookies and draw forms; every rule is here.
//!
//! Wrong passwords are counted three times: for the name in the store (five are free, then each wait is twice the one
//! before), for the address in memory, and for a browser that knew the password once, which the name's count does not
//! stop: strangers who try a name do not lock its owner out. What is answered for a name that nobody has is the same.

mod account;
mod act;
mod first;
mod invite;
mod password;
mod secrets;
mod session;
mod settings;
mod sign_in;
mod subject;
mod throttle;
mod totp;

pub(super) use act::may_act_as;

pub use account::{Offer, Own};
pub use first::NewLogin;
pub use invite::{InvitationSpec, Invited};
pub use password::{LONGEST, SHORTEST, check_password};
pub use secrets::{is_mac, mac, random, random_text, seal, unseal};
pub use session::{Guest, Opened, Place, Seat, TOKEN_PREFIX, csrf_of, is_csrf_of};
pub use settings::{AccessSettings, OidcSettings, SecretPlace};
pub use sign_in::{Entry, Need, Refused, SignIn};
pub use subject::Known;

use super::Desk;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::UseCaseResult;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use std::hash::{BuildHasher, RandomState};
use throttle::Throttle;
use tokio::sync::{MutexGuard, Semaphore, SemaphorePermit, watch};

/// What is known at the door while the process runs.
pub(super) struct Doors {
    throttle: Throttle,
    /// Seals what browsers carry between two steps. Gone with the process: they begin again.
    key: [u8; 32],
    /// Hash of the one-time password of the first run.
    setup: Mutex<Option<[u8; 32]>>,
    first: tokio::sync::Mutex<()>,
    /// One try of a name at a time, so that no burst gets past the count.
    names: Vec<tokio::sync::Mutex<()>>,
    hasher: RandomState,
    queue: Semaphore,
    endings: watch::Sender<u64>,
}

impl Default for Doors {
    fn default() -> Doors {
        Doors {
            throttle: Throttle::default(),
            // A process without random bytes could not do TLS either.
            key: random().expect("the system gives random bytes"),
            setup: Mutex::default(),
            first: tokio::sync::Mutex::default(),
            names: (0..64).map(|_| tokio::sync::Mutex::default()).collect(),
            hasher: RandomState::new(),
            queue: Semaphore::new(48),
            endings: watch::Sender::new(0),
        }
    }
}

impl Doors {
    /// Waits until nobody else tries that name.
    async fn alone(&self, name: &str) -> UseCaseResult<(SemaphorePermit<'_>, MutexGuard<'_, ()>)> {
        let busy = || StoreError::Unavailable("too many sign in at once; try again in a moment".into());
        let place = self.queue.try_acquire().map_err(|_| busy())?;
        let shard = usize::try_from(self.hasher.hash_one(name) % 64).unwrap_or(0);
        Ok((place, self.names[shard].lock().await))
    }

    /// Sessions may have ended.
    pub(super) fn look_again(&self) {
        self.endings.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn endings(&self) -> watch::Receiver<u64> {
        self.endings.subscribe()
    }
}

impl Desk {
    /// The one-time password with which the first owner is made; only its hash is kept, until it is used.
    #[must_use]
    pub fn setup_code(self, code: &SecretString) -> Desk {
        *self.doors.setup.lock() = Some(secrets::hash_of(code.expose_secret().trim()));
        self
    }
}

//! Who signs in to the console, and what they did there.

use super::{StoreError, StoreResult};
use crate::{Nano, Role, TenantId, UnixMicros, UserId};
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a user signs in.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// Who.
    pub user: UserId,
    /// What they type: an e-mail address or a name, in lower case; unique.
    pub name: String,
    /// What they are called on screens; empty is the user's name.
    pub display: String,
    /// The password's hash as a PHC string (argon2id); `None` where one signs in through a provider of identities alone.
    pub password: Option<String>,
    /// Whether the password was given by somebody else, and must be changed at the next sign-in.
    pub must_change: bool,
    /// The secret of the second factor (RFC 6238), in base 32; a store that outlives the process encrypts it.
    pub totp: Option<SecretString>,
    /// The provider of identities and the subject there, as `ISSUER SUBJECT`; unique.
    pub subject: Option<String>,
    /// Wrong passwords and codes in a row.
    pub failures: u32,
    /// Until when nobody can sign in by this.
    pub locked_until: Option<UnixMicros>,
    /// When they signed in last.
    pub last_at: Option<UnixMicros>,
    /// When it was made.
    pub created_at: UnixMicros,
}

impl Login {
    /// Refuses a login that no store takes: a name that is empty, longer than 255 characters, not in lower case or with a
    /// NUL, or a subject of that kind (up to 512 characters, in any case).
    ///
    /// # Errors
    /// [`StoreError::Invalid`].
    pub fn check(&self) -> StoreResult<()> {
        if self.name != self.name.to_lowercase() {
            return Err(StoreError::Invalid("the name of a login is in lower case".into()));
        }
        check_text("name of a login", &self.name, 255)?;
        self.subject.as_ref().map_or(Ok(()), |subject| check_text("subject of a login", subject, 512))
    }
}

/// Refuses a text that no store takes where it is looked up by it.
pub(super) fn check_text(what: &str, text: &str, most: usize) -> StoreResult<()> {
    if text.is_empty() || text.chars().count() > most || text.contains('\0') {
        return Err(StoreError::Invalid(format!("the {what} has 1 to {most} characters, none of them NUL")));
    }
    Ok(())
}

/// How users sign in.
#[async_trait]
pub trait LoginStore: Send + Sync + 'static {
    /// Makes a login, or replaces everything of the user's but `failures`, `locked_until`, `last_at`, `created_at` and which
    /// codes of the second factor were used. `NotFound` for an unknown user, `Conflict` for a name or subject of somebody
    /// else's, `Invalid` for what [`Login::check`] refuses. A new one that says not when it was made is made now.
    async fn set_login(&self, login: &Login) -> StoreResult<()>;
    /// How a user signs in.
    async fn login(&self, user: UserId) -> StoreResult<Option<Login>>;
    /// Whoever types that name (in lower case).
    async fn login_by_name(&self, name: &str) -> StoreResult<Option<Login>>;
    /// Whoever a provider of identities knows by that subject, letter by letter.
    async fn login_by_subject(&self, subject: &str) -> StoreResult<Option<Login>>;
    /// The logins of some users; those who have none are left out.
    async fn logins(&self, users: &[UserId]) -> StoreResult<Vec<Login>>;
    /// Whether there is any login at all: where there is none, the first owner is still to be made.
    async fn has_logins(&self) -> StoreResult<bool>;
    /// Counts a wrong password or code, and locks until `lock(failures)` if that is something (else a lock stays as it is), in
    /// one step; answers how many there are now in a row. `NotFound`.
    async fn login_failed(
        &self,
        user: UserId,
        lock: &(dyn Fn(u32) -> Option<UnixMicros> + Send + Sync),
    ) -> StoreResult<u32>;
    /// Forgets wrong ones, unlocks, and notes the time. `NotFound`.
    async fn login_succeeded(&self, user: UserId, at: UnixMicros) -> StoreResult<()>;
    /// Takes a code of the second factor for used: `true` if `step` (its number of 30 s since the epoch) is later than
    /// every one used before. Of any number of concurrent calls with one step one is told `true`; who has no login never is.
    async fn use_totp_step(&self, user: UserId, step: i64) -> StoreResult<bool>;
}

/// One browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of what the cookie holds.
    pub hash: [u8; 32],
    /// Whose pages it sees.
    pub user: UserId,
    /// Who really sits there, where that is somebody else.
    pub acting: Option<UserId>,
    /// When they signed in.
    pub created_at: UnixMicros,
    /// When they were last seen, to the minute or so.
    pub seen_at: UnixMicros,
    /// When it ends whatever happens.
    pub expires_at: UnixMicros,
    /// From where; shown to its owner.
    pub ip: String,
    /// What the browser calls itself, at most 200 bytes.
    pub agent: String,
}

/// Who is signed in.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Keeps a session. `Conflict` for a known hash.
    async fn create_session(&self, session: &Session) -> StoreResult<()>;
    /// The session of that hash, ended by time or not.
    async fn session(&self, hash: &[u8; 32]) -> StoreResult<Option<Session>>;
    /// Those of these sessions that are there, in any order.
    async fn sessions(&self, hashes: &[[u8; 32]]) -> StoreResult<Vec<Session>> {
        let mut all = Vec::with_capacity(hashes.len());
        for hash in hashes {
            all.extend(self.session(hash).await?);
        }
        Ok(all)
    }
    /// Notes that somebody is there; never back in time. Nothing for an unknown one.
    async fn touch_session(&self, hash: &[u8; 32], at: UnixMicros) -> StoreResult<()>;
    /// Ends one; whether it was there.
    async fn end_session(&self, hash: &[u8; 32]) -> StoreResult<bool>;
    /// Ends all of a user's, those in which somebody else acts as them and those in which they act as somebody else too,
    /// but for `except`; answers how many.
    async fn end_sessions_of(&self, user: UserId, except: Option<&[u8; 32]>) -> StoreResult<u64>;
    /// A user's own (`acting` is none), the one seen last first.
    async fn sessions_of(&self, user: UserId) -> StoreResult<Vec<Session>>;
    /// Who was seen at or after `since`, and when last, the last one first; impersonators are not.
    async fn seen_since(&self, since: UnixMicros) -> StoreResult<Vec<(UserId, UnixMicros)>>;
    /// Forgets those that ended before `now`, or were last seen before `idle`; answers how many.
    async fn purge_sessions(&self, now: UnixMicros, idle: UnixMicros) -> StoreResult<u64>;
}

/// A code with which somebody becomes a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// SHA-256 of the code.
    pub hash: [u8; 32],
    /// Where they will belong.
    pub tenant: TenantId,
    /// What they may do.
    pub role: Role,
    /// For whom, in the words of whoever made it.
    pub note: String,
    /// Credit that is given to them at the start.
    pub gift: Nano,
    /// Who made it.
    pub author: String,
    /// When.
    pub created_at: UnixMicros,
    /// When it stops working.
    pub expires_at: UnixMicros,
    /// When somebody used it, and who (unknown while they are being made).
    pub used: Option<(UnixMicros, Option<UserId>)>,
    /// When it was withdrawn.
    pub revoked_at: Option<UnixMicros>,
}

impl Invitation {
    /// Refuses one that cannot be used now, and says why.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for one that was used or withdrawn, or is expired.
    pub fn check(&self, now: UnixMicros) -> StoreResult<()> {
        let why = match self {
            Invitation { used: Some(_), .. } => "used",
            Invitation { revoked_at: Some(_), .. } => "withdrawn",
            Invitation { expires_at, .. } if *expires_at <= now => "expired",
            _ => return Ok(()),
        };
        Err(StoreError::Conflict { what: "invitation of this text, but it is", name: why.to_owned() })
    }
}

/// Invitations.
#[async_trait]
pub trait InvitationStore: Send + Sync + 'static {
    /// Keeps one. `Conflict` for a known hash.
    async fn create_invitation(&self, invitation: &Invitation) -> StoreResult<()>;
    /// All of them, newest first.
    async fn invitations(&self) -> StoreResult<Vec<Invitation>>;
    /// The one of that hash.
    async fn invitation(&self, hash: &[u8; 32]) -> StoreResult<Option<Invitation>>;
    /// Takes one for used, in one step: of any number of concurrent calls one succeeds. `NotFound` for an unknown one,
    /// `Conflict` for one that was used or withdrawn or is expired.
    async fn claim_invitation(&self, hash: &[u8; 32], now: UnixMicros) -> StoreResult<Invitation>;
    /// Says who used it. `NotFound` for one that is unknown or was not claimed.
    async fn invitation_used_by(&self, hash: &[u8; 32], user: UserId) -> StoreResult<()>;
    /// Gives a claim back, because nobody was made. `NotFound`; `Conflict` once it is said who used it.
    async fn release_invitation(&self, hash: &[u8; 32]) -> StoreResult<()>;
    /// Withdraws one; who withdrew it before did so for good. `NotFound`; `Conflict` for one that was used.
    async fn revoke_invitation(&self, hash: &[u8; 32], now: UnixMicros) -> StoreResult<()>;
}

/// Something that was changed, by whom, and what it was before and after. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number: set by the store, increasing.
    #[serde(default)]
    pub id: i64,
    /// When.
    pub at: UnixMicros,
    /// Who did it, by name.
    pub author: String,
    /// Who did it, where that is a user.
    pub user: Option<UserId>,
    /// Who really sat there, where that is somebody else.
    pub acting: Option<UserId>,
    /// The tenant that it concerns.
    pub tenant: TenantId,
    /// What, such as `key.create`.
    pub action: String,
    /// What of, such as `key:12`.
    pub subject: String,
    /// Its name at the time.
    pub name: String,
    /// What it was; null where it was made.
    pub before: Value,
    /// What it is; null where it is gone.
    pub after: Value,
    /// From where, if that is known.
    pub ip: String,
}

/// What to list of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Concerning these tenants alone; `None` is all.
    pub tenants: Option<Vec<TenantId>>,
    /// By this user, or while they acted as another.
    pub user: Option<UserId>,
    /// Of this subject alone.
    pub subject: Option<String>,
    /// Older than this one (newest first).
    pub before: Option<i64>,
    /// At most so many; 0 means 100.
    pub limit: u32,
}

/// The audit log: append only. A store in memory may forget the oldest.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// Keeps an entry; its `id` is ignored. Answers its number.
    async fn add_audit(&self, entry: &AuditEntry) -> StoreResult<i64>;
    /// Entries, newest first.
    async fn audits(&self, filter: &AuditFilter) -> StoreResult<Vec<AuditEntry>>;
}

/// What became of a request that may not be done twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Began {
    /// Nobody did it before: do it, then finish or abandon it.
    New,
    /// It was done: this was the answer.
    Done {
        /// The HTTP status.
        status: u16,
        /// The body, without what was shown only once.
        body: String,
    },
    /// It is being done at the moment, or whoever did it crashed less than a minute ago.
    UnderWay,
    /// Another request had that key.
    Other,
}

impl Began {
    /// How long a request that never ended keeps others from beginning it, in microseconds.
    pub const PATIENCE_US: i64 = 60_000_000;
    /// How long answers are kept, in microseconds.
    pub const KEPT_US: i64 = 86_400_000_000;

    /// Refuses what names a request and no store takes.
    ///
    /// # Errors
    /// [`StoreError::Invalid`].
    pub fn check(who: &str, key: &str) -> StoreResult<()> {
        check_text("asker of a request", who, 255)?;
        check_text("idempotency key", key, 255)
    }
}

/// Answers to requests that carry an idempotency key.
#[async_trait]
pub trait OnceStore: Send + Sync + 'static {
    /// Begins a request of `who` under `key`; `fingerprint` is the hash of what is asked. What began more than a minute ago
    /// and never ended may begin again; what is older than a day is forgotten. In one step. `Invalid` for a `who` or a `key`
    /// that is empty or longer than 255 characters.
    async fn begin_once(
        &self,
        who: &str,
        key: &str,
        fingerprint: &[u8; 32],
        now: UnixMicros,
    ) -> StoreResult<Began>;
    /// Keeps the answer. Nothing for one that did not begin.
    async fn finish_once(&self, who: &str, key: &str, status: u16, body: &str) -> StoreResult<()>;
    /// Forgets one that failed before it did anything; an answer that was kept stays.
    async fn abandon_once(&self, who: &str, key: &str) -> StoreResult<()>;
}

/// What the console can set of the house, as JSON by name; `burncloud-billing` knows the names and checks the values.
#[async_trait]
pub trait SettingStore: Send + Sync + 'static {
    /// All that were set, in the order of their names.
    async fn settings(&self) -> StoreResult<Vec<(String, Value)>>;
    /// Sets one; null takes it out. `Invalid` for a name that is empty or longer than 255 characters.
    async fn set_setting(&self, name: &str, value: &Value) -> StoreResult<()>;
}

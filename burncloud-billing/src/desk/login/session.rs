//! Who sits where: sessions of browsers, and tokens of programs.

use super::secrets::{hash_of, mac, random_text};
use super::settings::AccessSettings;
use crate::desk::audit::Change;
use crate::desk::common::users_of;
use crate::desk::{Actor, Desk};
use crate::people::Tree;
use burncloud_core::store::{Session, StoreError};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, check_name};
use burncloud_core::{Role, Status, UnixMicros, User, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

/// What a token of the management API begins with.
pub const TOKEN_PREFIX: &str = "bct_";
/// What the `agent` of such a session begins with; no browser's does.
const TOKEN_AGENT: &str = "token:";
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 86_400_000_000;

/// Whoever is at the door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guest {
    /// Their address, as far as it is known.
    pub ip: Option<IpAddr>,
    /// What their browser calls itself.
    pub agent: String,
}

impl Guest {
    /// Their address as text; empty where it is not known.
    #[must_use]
    pub fn ip(&self) -> String {
        self.ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default()
    }

    fn agent(&self) -> String {
        let clean: String = self.agent.chars().filter(|letter| !letter.is_control()).collect();
        let mut end = clean.len().min(200);
        while !clean.is_char_boundary(end) {
            end -= 1;
        }
        let clean = &clean[..end];
        if clean.starts_with(TOKEN_AGENT) { String::new() } else { clean.to_owned() }
    }
}

/// A session that was just opened: the secret goes into the cookie (or to whoever made the token), and nowhere else.
pub struct Opened {
    /// What the browser keeps.
    pub secret: SecretString,
    /// What the store keeps.
    pub session: Session,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

/// Somebody with a session that stands.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The session.
    pub session: Session,
    /// Whose pages they see.
    pub user: User,
    /// Who really sits there, where that is somebody else.
    pub acting: Option<User>,
    /// What they are called on screens.
    pub display: String,
}

impl Seat {
    /// Whom use cases are told where a request comes from that address; of one that is not known it is where they signed in
    /// from.
    #[must_use]
    pub fn actor_at(&self, ip: Option<IpAddr>) -> Actor {
        match ip {
            Some(ip) => self.actor().from(ip.to_canonical().to_string()),
            None => self.actor(),
        }
    }

    /// Whom use cases are told, where they signed in from.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let actor = Actor::of(&self.user).from(self.session.ip.clone());
        match &self.acting {
            Some(real) => actor.acted_by(real.id),
            None => actor,
        }
    }
}

/// One of somebody's sessions or tokens, as they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Names it in [`Desk::end_session`]; opens nothing.
    pub id: String,
    /// The token's name, where it is one.
    pub token: Option<String>,
    /// The session.
    pub session: Session,
}

fn id_of(hash: &[u8; 32]) -> String {
    mac(hash, b"session id").chars().take(16).collect()
}

/// The token that a session's forms carry.
#[must_use]
pub fn csrf_of(secret: &SecretString) -> String {
    mac(secret.expose_secret().as_bytes(), b"csrf")
}

/// Whether a form's token is that session's.
#[must_use]
pub fn is_csrf_of(secret: &SecretString, given: &str) -> bool {
    super::secrets::is_mac(secret.expose_secret().as_bytes(), b"csrf", given)
}

fn active(tree: &Tree, user: &User) -> bool {
    user.status == Status::Active
        && tree.get(user.tenant).is_some()
        && tree.path(user.tenant).all(|tenant| tenant.status == Status::Active)
}

/// Whether a session is neither over nor forgotten, and of a browser or of a program as is wanted.
fn lasts(session: &Session, access: &AccessSettings, bearer: bool, now: UnixMicros) -> bool {
    let idle = !bearer && session.seen_at.0 + access.idle() <= now.0;
    session.expires_at > now && !idle && session.agent.starts_with(TOKEN_AGENT) == bearer
}

/// Whoever a session that lasts is of, and may come in still.
fn sits(session: Session, tree: &Tree, users: &HashMap<UserId, User>) -> Option<Seat> {
    let find = |id| users.get(&id).filter(|user| active(tree, user)).cloned();
    let user = find(session.user)?;
    let acting = match session.acting {
        None => None,
        Some(real) => {
            let real = find(real)?;
            Some(super::act::may_act_as(tree, &Actor::of(&real), &user).then_some(real)?)
        }
    };
    let display = user.name.clone();
    Some(Seat { session, user, acting, display })
}

/// Refuses what nobody does in another's name.
pub(super) fn check_himself(actor: &Actor) -> UseCaseResult<UserId> {
    if actor.acting.is_some() {
        return Err(UseCaseError::forbidden((
            "this is theirs alone: go back to your own account first",
            "这只能由本人操作，请先回到自己的账户",
        )));
    }
    actor.user.ok_or_else(|| {
        UseCaseError::forbidden(("the command line has no account of its own", "命令行没有自己的账户"))
    })
}

impl Desk {
    /// Opens a session of a user who showed who they are. The only way to one.
    pub(super) async fn open(
        &self,
        user: UserId,
        acting: Option<UserId>,
        guest: &Guest,
        ends: Option<UnixMicros>,
    ) -> UseCaseResult<Opened> {
        let access = self.access().await?;
        let now = UnixMicros::now();
        let secret = SecretString::from(random_text()?);
        let session = Session {
            hash: hash_of(secret.expose_secret()),
            user,
            acting,
            created_at: now,
            seen_at: now,
            expires_at: ends.map_or_else(|| access.ends(now), |ends| ends.min(access.ends(now))),
            ip: guest.ip(),
            agent: guest.agent(),
        };
        self.store.create_session(&session).await?;
        Ok(Opened { secret, session })
    }

    /// Whether somebody may come in at all: they and their tenants are switched on.
    pub(super) async fn may_enter(&self, user: &User) -> UseCaseResult<bool> {
        Ok(active(&Tree::load(&*self.store).await?, user))
    }

    /// Whoever the cookie of a browser is of; `None` for one that is unknown, ended or over, and for users who are switched
    /// off or whose tenant is. Notes once a minute that they are there.
    ///
    /// # Errors
    /// The store's.
    pub async fn seat(&self, cookie: &SecretString) -> UseCaseResult<Option<Seat>> {
        let secret = cookie.expose_secret();
        if secret.len() != 43 {
            return Ok(None);
        }
        self.seat_of(&hash_of(secret), false).await
    }

    /// Whoever a token of the management API is of; as [`Desk::seat`].
    ///
    /// # Errors
    /// The store's.
    pub async fn bearer(&self, token: &SecretString) -> UseCaseResult<Option<Seat>> {
        let secret = token.expose_secret();
        if !secret.starts_with(TOKEN_PREFIX) || secret.len() > 100 {
            return Ok(None);
        }
        self.seat_of(&hash_of(secret), true).await
    }

    async fn seat_of(&self, hash: &[u8; 32], bearer: bool) -> UseCaseResult<Option<Seat>> {
        let Some(session) = self.store.session(hash).await? else { return Ok(None) };
        let now = UnixMicros::now();
        if !lasts(&session, &self.access().await?, bearer, now) {
            return Ok(None);
        }
        let (tree, users) = self.around([&session]).await?;
        let Some(mut seat) = sits(session, &tree, &users) else { return Ok(None) };
        if seat.session.seen_at.0 + MINUTE <= now.0 {
            self.store.touch_session(hash, now).await?;
        }
        let login = self.store.login(seat.user.id).await?;
        if let Some(login) = login.filter(|login| !login.display.is_empty()) {
            seat.display = login.display;
        }
        Ok(Some(seat))
    }

    /// Whoever sits in the sessions of these hashes, in their order, without noting that anybody is there: for sockets that
    /// stay open. `None` for a session that stands no more.
    ///
    /// # Errors
    /// The store's.
    pub async fn sitting(&self, hashes: &[[u8; 32]]) -> UseCaseResult<Vec<Option<Actor>>> {
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        let (access, now) = (self.access().await?, UnixMicros::now());
        let mut all = self.store.sessions(hashes).await?;
        all.retain(|session| lasts(session, &access, false, now));
        let (tree, users) = self.around(&all).await?;
        let seats = all.into_iter().filter_map(|session| sits(session, &tree, &users));
        let actors: HashMap<_, _> = seats.map(|seat| (seat.session.hash, seat.actor())).collect();
        Ok(hashes.iter().map(|hash| actors.get(hash).cloned()).collect())
    }

    /// All tenants, and whoever these sessions are of.
    async fn around(
        &self,
        sessions: impl IntoIterator<Item = &Session>,
    ) -> UseCaseResult<(Tree, HashMap<UserId, User>)> {
        let who = sessions.into_iter().flat_map(|session| [Some(session.user), session.acting]);
        let users = users_of(&*self.store, who.flatten().collect()).await?;
        Ok((Tree::load(&*self.store).await?, users))
    }

    /// Ends the session of a cookie: somebody signs out.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out(&self, cookie: &SecretString) -> UseCaseResult<()> {
        self.store.end_session(&hash_of(cookie.expose_secret())).await?;
        self.doors.look_again();
        Ok(())
    }

    /// One's own sessions and tokens, the one seen last first.
    ///
    /// # Errors
    /// `Forbidden` in another's name; the store's.
    pub async fn own_sessions(&self, actor: &Actor) -> UseCaseResult<Vec<Place>> {
        self.places_of(check_himself(actor)?).await
    }

    /// The sessions and tokens of somebody else, for whoever decides how they sign in.
    ///
    /// # Errors
    /// As [`Desk::sign_out_user`].
    pub async fn sessions_of_user(&self, actor: &Actor, user: UserId) -> UseCaseResult<Vec<Place>> {
        let user = self.check_login_of(actor, user).await?;
        self.places_of(user.id).await
    }

    async fn places_of(&self, user: UserId) -> UseCaseResult<Vec<Place>> {
        let (now, idle) = (UnixMicros::now(), self.access().await?.idle());
        let all = self.store.sessions_of(user).await?.into_iter();
        let places = all.map(|session| {
            let token = session.agent.strip_prefix(TOKEN_AGENT).map(str::to_owned);
            Place { id: id_of(&session.hash), token, session }
        });
        let stands = |place: &Place| {
            let fresh = place.token.is_some() || place.session.seen_at.0 + idle > now.0;
            place.session.expires_at > now && fresh
        };
        Ok(places.filter(stands).collect())
    }

    /// Ends one of one's own sessions or tokens by its [`Place::id`].
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` in another's name; the store's.
    pub async fn end_session(&self, actor: &Actor, id: &str) -> UseCaseResult<()> {
        let user = check_himself(actor)?;
        let all = self.store.sessions_of(user).await?;
        let found = all.into_iter().find(|session| id_of(&session.hash) == id);
        let none = || StoreError::NotFound { what: "session", name: id.chars().take(20).collect() };
        let session = found.ok_or_else(none)?;
        self.store.end_session(&session.hash).await?;
        self.doors.look_again();
        let Some(name) = session.agent.strip_prefix(TOKEN_AGENT) else { return Ok(()) };
        self.note(actor, own_change(actor, "token.revoke", name, json!({ "name": name }), Value::Null)).await
    }

    /// Ends all of one's own sessions and tokens but the one of that hash.
    ///
    /// # Errors
    /// `Forbidden` in another's name; the store's.
    pub async fn end_others(&self, actor: &Actor, except: &[u8; 32]) -> UseCaseResult<u64> {
        let user = check_himself(actor)?;
        self.end_sessions(user, Some(except)).await
    }

    /// Ends every session and token of somebody else.
    ///
    /// # Errors
    /// `Forbidden`, the store's.
    pub async fn sign_out_user(&self, actor: &Actor, user: UserId) -> UseCaseResult<u64> {
        let user = self.check_login_of(actor, user).await?;
        let ended = self.end_sessions(user.id, None).await?;
        self.note(
            actor,
            Change {
                action: "user.sign_out",
                subject: format!("user:{}", user.id),
                name: user.name,
                tenant: user.tenant,
                before: json!({ "sessions": ended }),
                after: Value::Null,
            },
        )
        .await?;
        Ok(ended)
    }

    /// Makes a token for the management API that does what its user may, for so many days. It is shown once.
    ///
    /// # Errors
    /// `Invalid` with the field; `Forbidden` in another's name; the store's.
    pub async fn create_token(&self, actor: &Actor, name: &str, days: u32) -> UseCaseResult<Opened> {
        let user = check_himself(actor)?;
        check_name(name)?;
        if !(1..=366).contains(&days) {
            return Err(UseCaseError::invalid(
                "days",
                ("a token stands for 1 to 366 days", "令牌有效期为 1 到 366 天"),
            ));
        }
        if self.own_sessions(actor).await?.iter().any(|place| place.token.as_deref() == Some(name)) {
            return Err(StoreError::Conflict { what: "token", name: name.to_owned() }.into());
        }
        let now = UnixMicros::now();
        let secret = SecretString::from(format!("{TOKEN_PREFIX}{}", random_text()?));
        let session = Session {
            hash: hash_of(secret.expose_secret()),
            user,
            acting: None,
            created_at: now,
            seen_at: now,
            expires_at: UnixMicros(now.0 + i64::from(days) * DAY),
            ip: actor.ip.clone(),
            agent: format!("{TOKEN_AGENT}{name}"),
        };
        self.store.create_session(&session).await?;
        let after = json!({ "name": name, "days": days });
        self.note(actor, own_change(actor, "token.create", name, Value::Null, after)).await?;
        Ok(Opened { secret, session })
    }

    /// Forgets sessions that ended; to be called now and then.
    ///
    /// # Errors
    /// The store's.
    pub async fn purge_sessions(&self) -> UseCaseResult<u64> {
        let now = UnixMicros::now();
        // Tokens are not used every day: what is idle stays until its time is over.
        Ok(self.store.purge_sessions(now, UnixMicros(now.0 - 366 * DAY)).await?)
    }

    /// Says when sessions may have ended, so that open sockets are looked at again.
    #[must_use]
    pub fn endings(&self) -> tokio::sync::watch::Receiver<u64> {
        self.doors.endings()
    }
}

/// A change of one's own account.
pub(super) fn own_change(
    actor: &Actor,
    action: &'static str,
    name: &str,
    before: Value,
    after: Value,
) -> Change {
    let subject = actor.user.map_or_else(String::new, |user| format!("user:{user}"));
    Change { action, subject, name: name.to_owned(), tenant: actor.tenant, before, after }
}

/// Whether somebody of that role keeps the house, for whom a second factor may be asked.
pub(super) fn keeps_house(role: Role) -> bool {
    matches!(role, Role::Owner | Role::Administrator)
}

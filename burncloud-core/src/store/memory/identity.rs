//! Logins and sessions in memory.

use super::{MemoryStore, conflict, missing};
use crate::store::{Login, LoginStore, Session, SessionStore, StoreResult};
use crate::{UnixMicros, UserId};
use async_trait::async_trait;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

#[derive(Default)]
pub(super) struct Identity {
    pub(super) logins: BTreeMap<UserId, Kept>,
    sessions: HashMap<[u8; 32], Session>,
}

pub(super) struct Kept {
    pub(super) login: Login,
    /// The latest code of the second factor that was used.
    step: Option<i64>,
}

impl Identity {
    fn check(&self, login: &Login) -> StoreResult<()> {
        let mut others =
            self.logins.values().map(|kept| &kept.login).filter(|other| other.user != login.user);
        if others.clone().any(|other| other.name == login.name) {
            return conflict("login", &login.name);
        }
        match &login.subject {
            Some(subject) if others.any(|other| other.subject.as_ref() == Some(subject)) => {
                conflict("login of the subject", subject)
            }
            _ => Ok(()),
        }
    }

    fn login_mut(&mut self, user: UserId) -> StoreResult<&mut Login> {
        let kept = self.logins.get_mut(&user);
        kept.map(|kept| &mut kept.login).ok_or_else(|| missing("login of the user", user))
    }

    fn find(&self, wanted: impl Fn(&Login) -> bool) -> Option<Login> {
        self.logins.values().map(|kept| &kept.login).find(|login| wanted(login)).cloned()
    }
}

#[async_trait]
impl LoginStore for MemoryStore {
    async fn set_login(&self, login: &Login) -> StoreResult<()> {
        login.check()?;
        let state = &mut *self.state.write();
        if !state.users.contains_key(&login.user) {
            return Err(missing("user", login.user));
        }
        state.identity.check(login)?;
        let mut new = login.clone();
        let old = state.identity.logins.get(&login.user);
        if let Some(Kept { login: old, .. }) = old {
            (new.failures, new.locked_until) = (old.failures, old.locked_until);
            (new.last_at, new.created_at) = (old.last_at, old.created_at);
        } else if new.created_at == UnixMicros::default() {
            new.created_at = UnixMicros::now();
        }
        let step = old.and_then(|old| old.step);
        state.identity.logins.insert(new.user, Kept { login: new, step });
        Ok(())
    }

    async fn login(&self, user: UserId) -> StoreResult<Option<Login>> {
        Ok(self.state.read().identity.logins.get(&user).map(|kept| kept.login.clone()))
    }

    async fn login_by_name(&self, name: &str) -> StoreResult<Option<Login>> {
        Ok(self.state.read().identity.find(|login| login.name == name))
    }

    async fn login_by_subject(&self, subject: &str) -> StoreResult<Option<Login>> {
        Ok(self.state.read().identity.find(|login| login.subject.as_deref() == Some(subject)))
    }

    async fn logins(&self, users: &[UserId]) -> StoreResult<Vec<Login>> {
        let state = self.state.read();
        let mut users = users.to_vec();
        users.sort_unstable();
        users.dedup();
        let found = users.iter().filter_map(|user| state.identity.logins.get(user));
        Ok(found.map(|kept| kept.login.clone()).collect())
    }

    async fn has_logins(&self) -> StoreResult<bool> {
        Ok(!self.state.read().identity.logins.is_empty())
    }

    async fn login_failed(
        &self,
        user: UserId,
        lock: &(dyn Fn(u32) -> Option<UnixMicros> + Send + Sync),
    ) -> StoreResult<u32> {
        let state = &mut *self.state.write();
        let login = state.identity.login_mut(user)?;
        login.failures = login.failures.saturating_add(1);
        login.locked_until = lock(login.failures).or(login.locked_until);
        Ok(login.failures)
    }

    async fn login_succeeded(&self, user: UserId, at: UnixMicros) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let login = state.identity.login_mut(user)?;
        (login.failures, login.locked_until, login.last_at) = (0, None, Some(at));
        Ok(())
    }

    async fn use_totp_step(&self, user: UserId, step: i64) -> StoreResult<bool> {
        let state = &mut *self.state.write();
        let Some(kept) = state.identity.logins.get_mut(&user) else { return Ok(false) };
        let later = kept.step.is_none_or(|used| used < step);
        if later {
            kept.step = Some(step);
        }
        Ok(later)
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn create_session(&self, session: &Session) -> StoreResult<()> {
        let sessions = &mut self.state.write().identity.sessions;
        if sessions.contains_key(&session.hash) {
            return conflict("session", "of that hash");
        }
        sessions.insert(session.hash, session.clone());
        Ok(())
    }

    async fn session(&self, hash: &[u8; 32]) -> StoreResult<Option<Session>> {
        Ok(self.state.read().identity.sessions.get(hash).cloned())
    }

    async fn touch_session(&self, hash: &[u8; 32], at: UnixMicros) -> StoreResult<()> {
        if let Some(session) = self.state.write().identity.sessions.get_mut(hash) {
            session.seen_at = session.seen_at.max(at);
        }
        Ok(())
    }

    async fn end_session(&self, hash: &[u8; 32]) -> StoreResult<bool> {
        Ok(self.state.write().identity.sessions.remove(hash).is_some())
    }

    async fn end_sessions_of(&self, user: UserId, except: Option<&[u8; 32]>) -> StoreResult<u64> {
        Ok(self.end_sessions(|session| {
            (session.user == user || session.acting == Some(user)) && except != Some(&session.hash)
        }))
    }

    async fn sessions_of(&self, user: UserId) -> StoreResult<Vec<Session>> {
        let state = self.state.read();
        let own = state.identity.sessions.values();
        let own = own.filter(|session| session.user == user && session.acting.is_none());
        let mut own: Vec<Session> = own.cloned().collect();
        own.sort_by_key(|session| (Reverse(session.seen_at), session.hash));
        Ok(own)
    }

    async fn seen_since(&self, since: UnixMicros) -> StoreResult<Vec<(UserId, UnixMicros)>> {
        let mut last: BTreeMap<UserId, UnixMicros> = BTreeMap::new();
        for session in self.state.read().identity.sessions.values() {
            if session.acting.is_none() && session.seen_at >= since {
                let seen = last.entry(session.user).or_default();
                *seen = session.seen_at.max(*seen);
            }
        }
        let mut last: Vec<_> = last.into_iter().collect();
        last.sort_by_key(|(_, at)| Reverse(*at));
        Ok(last)
    }

    async fn purge_sessions(&self, now: UnixMicros, idle: UnixMicros) -> StoreResult<u64> {
        Ok(self.end_sessions(|session| session.expires_at < now || session.seen_at < idle))
    }
}

impl MemoryStore {
    /// Ends what is `wanted`, and counts it.
    fn end_sessions(&self, wanted: impl Fn(&Session) -> bool) -> u64 {
        let sessions = &mut self.state.write().identity.sessions;
        let before = sessions.len();
        sessions.retain(|_, session| !wanted(session));
        (before - sessions.len()) as u64
    }
}

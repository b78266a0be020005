//! Invitations, the audit log, answers given once, and settings in memory.

use super::{MemoryStore, conflict, missing};
use crate::store::identity::check_text;
use crate::store::{
    AuditEntry, AuditFilter, AuditStore, Began, Invitation, InvitationStore, OnceStore, SettingStore,
    StoreResult,
};
use crate::{UnixMicros, UserId};
use async_trait::async_trait;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// How many entries of the audit log are kept.
const AUDITS: usize = 100_000;

#[derive(Default)]
pub(super) struct Records {
    invitations: HashMap<[u8; 32], Invitation>,
    audits: BTreeMap<i64, AuditEntry>,
    last_audit: i64,
    onces: HashMap<(String, String), Once>,
    settings: BTreeMap<String, Value>,
}

struct Once {
    fingerprint: [u8; 32],
    began_at: UnixMicros,
    answer: Option<(u16, String)>,
}

impl Records {
    fn invitation_mut(&mut self, hash: &[u8; 32]) -> StoreResult<&mut Invitation> {
        self.invitations.get_mut(hash).ok_or_else(|| missing("invitation", "of that hash"))
    }
}

#[async_trait]
impl InvitationStore for MemoryStore {
    async fn create_invitation(&self, invitation: &Invitation) -> StoreResult<()> {
        let invitations = &mut self.state.write().records.invitations;
        if invitations.contains_key(&invitation.hash) {
            return conflict("invitation", "of that hash");
        }
        invitations.insert(invitation.hash, invitation.clone());
        Ok(())
    }

    async fn invitations(&self) -> StoreResult<Vec<Invitation>> {
        let mut all: Vec<_> = self.state.read().records.invitations.values().cloned().collect();
        all.sort_by_key(|invitation| (Reverse(invitation.created_at), invitation.hash));
        Ok(all)
    }

    async fn invitation(&self, hash: &[u8; 32]) -> StoreResult<Option<Invitation>> {
        Ok(self.state.read().records.invitations.get(hash).cloned())
    }

    async fn claim_invitation(&self, hash: &[u8; 32], now: UnixMicros) -> StoreResult<Invitation> {
        let state = &mut *self.state.write();
        let invitation = state.records.invitation_mut(hash)?;
        invitation.check(now)?;
        invitation.used = Some((now, None));
        Ok(invitation.clone())
    }

    async fn invitation_used_by(&self, hash: &[u8; 32], user: UserId) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let used = &mut state.records.invitation_mut(hash)?.used;
        let (_, by) = used.as_mut().ok_or_else(|| missing("claim of the invitation", "of that hash"))?;
        *by = Some(user);
        Ok(())
    }

    async fn release_invitation(&self, hash: &[u8; 32]) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let used = &mut state.records.invitation_mut(hash)?.used;
        if matches!(used, Some((_, Some(_)))) {
            return conflict("user of the", "invitation");
        }
        *used = None;
        Ok(())
    }

    async fn revoke_invitation(&self, hash: &[u8; 32], now: UnixMicros) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let invitation = state.records.invitation_mut(hash)?;
        if invitation.used.is_some() {
            return conflict("use of the", "invitation");
        }
        invitation.revoked_at = invitation.revoked_at.or(Some(now));
        Ok(())
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn add_audit(&self, entry: &AuditEntry) -> StoreResult<i64> {
        let records = &mut self.state.write().records;
        records.last_audit += 1;
        let id = records.last_audit;
        records.audits.insert(id, AuditEntry { id, ..entry.clone() });
        if records.audits.len() > AUDITS {
            records.audits.pop_first();
        }
        Ok(id)
    }

    async fn audits(&self, filter: &AuditFilter) -> StoreResult<Vec<AuditEntry>> {
        let wanted = |entry: &&AuditEntry| {
            filter.tenants.as_ref().is_none_or(|tenants| tenants.contains(&entry.tenant))
                && filter.user.is_none_or(|user| entry.user == Some(user) || entry.acting == Some(user))
                && filter.subject.as_ref().is_none_or(|subject| *subject == entry.subject)
        };
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let state = self.state.read();
        let newest_first = state.records.audits.range(..filter.before.unwrap_or(i64::MAX)).rev();
        Ok(newest_first.map(|(_, entry)| entry).filter(wanted).take(limit as usize).cloned().collect())
    }
}

#[async_trait]
impl OnceStore for MemoryStore {
    async fn begin_once(
        &self,
        who: &str,
        key: &str,
        fingerprint: &[u8; 32],
        now: UnixMicros,
    ) -> StoreResult<Began> {
        Began::check(who, key)?;
        let onces = &mut self.state.write().records.onces;
        onces.retain(|_, once| once.began_at.0 >= now.0 - Began::KEPT_US);
        let place = (who.to_owned(), key.to_owned());
        match onces.get(&place) {
            Some(once) if once.fingerprint != *fingerprint => return Ok(Began::Other),
            Some(Once { answer: Some((status, body)), .. }) => {
                return Ok(Began::Done { status: *status, body: body.clone() });
            }
            Some(once) if once.began_at.0 >= now.0 - Began::PATIENCE_US => return Ok(Began::UnderWay),
            _ => {}
        }
        onces.insert(place, Once { fingerprint: *fingerprint, began_at: now, answer: None });
        Ok(Began::New)
    }

    async fn finish_once(&self, who: &str, key: &str, status: u16, body: &str) -> StoreResult<()> {
        let place = (who.to_owned(), key.to_owned());
        if let Some(once) = self.state.write().records.onces.get_mut(&place) {
            once.answer = Some((status, body.to_owned()));
        }
        Ok(())
    }

    async fn abandon_once(&self, who: &str, key: &str) -> StoreResult<()> {
        let onces = &mut self.state.write().records.onces;
        onces.retain(|(by, name), once| by != who || name != key || once.answer.is_some());
        Ok(())
    }
}

#[async_trait]
impl SettingStore for MemoryStore {
    async fn settings(&self) -> StoreResult<Vec<(String, Value)>> {
        let state = self.state.read();
        Ok(state.records.settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    async fn set_setting(&self, name: &str, value: &Value) -> StoreResult<()> {
        check_text("name of a setting", name, 255)?;
        let settings = &mut self.state.write().records.settings;
        match value {
            Value::Null => drop(settings.remove(name)),
            value => drop(settings.insert(name.to_owned(), value.clone())),
        }
        Ok(())
    }
}

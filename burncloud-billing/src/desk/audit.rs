//! The audit log: written by every change of the desk, read by whoever may see what it concerns.

use super::common::{Page, Sight, json, missing, seen_tenant};
use super::{Actor, Desk};
use burncloud_core::store::{AuditEntry, AuditFilter};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{TenantId, UnixMicros, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Which entries are wanted, among those that one sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    /// Concerning this tenant.
    pub tenant: Option<TenantId>,
    /// By this user, or while they acted as another.
    pub user: Option<UserId>,
    /// Of this subject, such as `key:12`.
    pub subject: Option<String>,
    /// Older than this one: the `next` of the page before.
    pub before: Option<i64>,
    /// At most so many; 0 means 100, and 1,000 is the most.
    pub limit: u32,
}

/// An entry as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditView {
    /// As it is stored. From where somebody else did it is told to the house alone.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// What was changed.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// What was done, such as `key.create`.
    pub(super) action: &'static str,
    /// What to, such as `key:12`.
    pub(super) subject: String,
    /// Its name.
    pub(super) name: String,
    /// The tenant that it concerns.
    pub(super) tenant: TenantId,
    /// What it was; null where it was made.
    pub(super) before: Value,
    /// What it is; null where it is gone.
    pub(super) after: Value,
}

impl Change {
    /// Of something that is shown as it is stored, `None` where it was not or is no more. First come its kind, id, name
    /// and tenant.
    pub(super) fn of<T: Serialize>(
        action: &'static str,
        (kind, id, name, tenant): (&str, impl fmt::Display, &str, TenantId),
        before: Option<&T>,
        after: Option<&T>,
    ) -> Change {
        let (subject, name) = (format!("{kind}:{id}"), name.to_owned());
        Change { action, subject, name, tenant, before: json(&before), after: json(&after) }
    }
}

impl Desk {
    /// Writes down a change that was made, and has running gateways take it.
    pub(super) async fn note(&self, actor: &Actor, change: Change) -> UseCaseResult<()> {
        let Change { action, subject, name, tenant, before, after } = change;
        (self.changed)();
        let entry = AuditEntry {
            id: 0,
            at: UnixMicros::now(),
            author: actor.name.clone(),
            user: actor.user,
            acting: actor.acting,
            tenant,
            action: action.to_owned(),
            subject,
            name,
            before,
            after,
            ip: actor.ip.clone(),
        };
        self.store.add_audit(&entry).await?;
        Ok(())
    }

    /// What was changed, newest first: of everybody for owners and administrators, of its branch for a reseller and an
    /// accountant, and by themselves for everybody else.
    ///
    /// # Errors
    /// `Store(NotFound)` for a tenant or a user that the actor does not see; the store's.
    pub async fn audit(&self, actor: &Actor, query: &AuditQuery) -> UseCaseResult<Page<AuditView>> {
        let tree = self.tree().await?;
        let AuditQuery { tenant, mut user, subject, before, limit } = query.clone();
        if let Some(id) = user {
            self.seen_user(actor, &tree, id).await?;
        }
        let (mut tenants, house) = match Sight::of(actor, &tree) {
            Sight::All => (None, true),
            Sight::Tenants(tenants) => (Some(tenants), false),
            Sight::Own(own) if user.is_none_or(|user| user == own) => {
                user = Some(own);
                (None, false)
            }
            Sight::Own(_) => return Err(missing("user", user.unwrap_or_default())),
        };
        if let Some(id) = tenant {
            tenants = Some(vec![seen_tenant(actor, &tree, id)?.id]);
        }
        let limit = if limit == 0 { 100 } else { limit.min(1_000) };
        let filter = AuditFilter { tenants, user, subject, before, limit };
        let mut found = self.store.audits(&filter).await?;
        let next = found.last().filter(|_| found.len() >= limit as usize).map(|entry| entry.id);
        for entry in &mut found {
            let own = actor.user.is_some() && entry.user == actor.user;
            if !house && !own {
                entry.ip.clear();
                entry.acting = None;
            }
        }
        let items = found.into_iter().map(|entry| AuditView { entry }).collect();
        Ok(Page { items, next, total: None })
    }
}

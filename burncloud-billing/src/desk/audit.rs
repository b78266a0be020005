//! The audit log: written by every change of the desk, read by whoever may see what it concerns.

use super::{Actor, Desk};
use burncloud_core::store::AuditEntry;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{TenantId, UnixMicros};
use serde_json::Value;

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
}

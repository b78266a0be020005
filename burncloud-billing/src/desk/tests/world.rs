//! house → reseller → sub → leaf, and `other` beside the reseller; each with a user of its own name.

use crate::desk::{Actor, Desk};
use crate::people;
use burncloud_core::adapter::Registry;
use burncloud_core::store::{
    AuditEntry, AuditFilter, AuditStore, MemoryStore, NewTenant, NewUser, StoreError, UserStore,
};
use burncloud_core::usecase::UseCaseError;
use burncloud_core::{Role, Tenant, User};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) desk: Desk,
    changes: Arc<AtomicUsize>,
}

impl World {
    pub(super) async fn new() -> World {
        let store = Arc::new(MemoryStore::default());
        let owner = Actor::operator("boss");
        for (name, parent) in
            [("reseller", "default"), ("sub", "reseller"), ("leaf", "sub"), ("other", "default")]
        {
            let parent = Some(store.tenant_by_name(parent).await.unwrap().unwrap().id);
            let new = NewTenant { name: name.into(), parent, ..NewTenant::default() };
            let tenant = people::create_tenant(&*store, &owner, new).await.unwrap().id;
            let new = NewUser { name: name.into(), tenant, ..NewUser::default() };
            people::create_user(&*store, &owner, new).await.unwrap();
        }
        let changes = Arc::new(AtomicUsize::new(0));
        let count = changes.clone();
        let desk = Desk::new(store.clone(), Registry::default()).on_change(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        World { store, desk, changes }
    }

    pub(super) async fn tenant(&self, name: &str) -> Tenant {
        self.store.tenant_by_name(name).await.unwrap().unwrap()
    }

    pub(super) async fn user(&self, name: &str) -> User {
        self.store.user_by_name(name).await.unwrap().unwrap()
    }

    /// Somebody of that role at that tenant, behind whom there is no user.
    pub(super) async fn actor(&self, tenant: &str, role: Role) -> Actor {
        let tenant = self.tenant(tenant).await.id;
        Actor { role, tenant, ..Actor::operator("who") }.from("192.0.2.7")
    }

    /// The user of that name.
    pub(super) async fn me(&self, name: &str) -> Actor {
        Actor::of(&self.user(name).await)
    }

    pub(super) async fn audit(&self) -> Vec<AuditEntry> {
        let filter = AuditFilter { limit: 1_000, ..AuditFilter::default() };
        self.store.audits(&filter).await.unwrap()
    }

    /// The last entry is of that kind, was written with every one before it, and the gateway was told as often.
    pub(super) async fn noted(&self, action: &str, entries: usize) -> AuditEntry {
        let all = self.audit().await;
        let actions: Vec<&str> = all.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!((actions.first().copied(), actions.len()), (Some(action), entries), "{actions:?}");
        assert_eq!(self.changes.load(Ordering::Relaxed), entries, "the gateway is told of each change");
        all.into_iter().next().unwrap()
    }

    /// Nothing of this is anywhere in the audit log.
    pub(super) async fn no_secret_in_audit(&self, secrets: &[&str]) {
        let text = serde_json::to_string(&self.audit().await).unwrap();
        assert!(text.len() > 100, "there is something to search");
        for secret in secrets {
            assert!(secret.len() >= 6 && !text.contains(secret), "a secret is in the audit log");
        }
    }
}

pub(super) fn refused<T: Debug>(result: Result<T, UseCaseError>) {
    assert!(matches!(result, Err(UseCaseError::Forbidden(_))), "not refused: {result:?}");
}

pub(super) fn hidden<T: Debug>(result: Result<T, UseCaseError>) {
    let missing = matches!(result, Err(UseCaseError::Store(StoreError::NotFound { .. })));
    assert!(missing, "not hidden: {result:?}");
}

pub(super) fn changed<T: Debug>(result: Result<T, UseCaseError>) {
    assert!(matches!(result, Err(UseCaseError::Changed { .. })), "not stale: {result:?}");
}

pub(super) fn invalid<T: Debug>(result: Result<T, UseCaseError>, wanted: &str) {
    match result {
        Err(UseCaseError::Invalid { field, .. }) => assert_eq!(field, wanted),
        other => panic!("`{wanted}` is not refused: {other:?}"),
    }
}

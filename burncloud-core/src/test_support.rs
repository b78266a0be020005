//! What core's own tests share.

use crate::{ApiKey, Caller, KeyId, Tenant, TenantId, User, UserId};

/// A caller without limits.
pub(crate) fn caller() -> Caller {
    let key = ApiKey {
        id: KeyId(1),
        name: "dev".into(),
        hint: "sk-burn-…".into(),
        user: UserId(1),
        ..ApiKey::default()
    };
    let user = User {
        id: UserId(1),
        name: "default".into(),
        tenant: TenantId(1),
        unlimited: true,
        ..User::default()
    };
    Caller::new(key, user, Tenant { id: TenantId(1), name: "default".into(), ..Tenant::default() })
}

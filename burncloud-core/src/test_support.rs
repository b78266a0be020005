//! What core's own tests share.

use crate::{ApiKey, Caller, KeyId, Limits, Nano, Status, Tenant, TenantId, UnixMicros, User, UserId};

/// A caller without limits.
pub(crate) fn caller() -> Caller {
    let at = UnixMicros(0);
    let key = ApiKey {
        id: KeyId(1),
        name: "dev".into(),
        hint: "sk-burn-…".into(),
        user: UserId(1),
        status: Status::Active,
        quota: None,
        used: Nano::ZERO,
        limits: Limits::default(),
        models: None,
        ips: None,
        expires_at: None,
        created_at: at,
    };
    let user = User {
        id: UserId(1),
        name: "default".into(),
        tenant: TenantId(1),
        status: Status::Active,
        balance: None,
        used: Nano::ZERO,
        limits: Limits::default(),
        created_at: at,
    };
    Caller::new(
        key,
        user,
        Tenant { id: TenantId(1), name: "default".into(), limits: Limits::default(), created_at: at },
    )
}

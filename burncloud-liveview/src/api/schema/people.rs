//! Keys, users, tenants. Amounts are nano-dollars (10⁻⁹ dollars), times are microseconds since the Unix epoch.

use super::{Limits, Role, Status, lists};
use utoipa::ToSchema;

/// A key, without its secret
#[derive(ToSchema)]
pub(in crate::api) struct Key {
    /// Identity.
    id: i64,
    /// Its name; unique.
    name: String,
    /// How it is recognised, such as `sk-burn-…ab12`.
    hint: String,
    /// Whose it is.
    user: i64,
    /// Their name.
    user_name: String,
    /// Their tenant.
    tenant: i64,
    /// Its name.
    tenant_name: String,
    /// Whether it may be used.
    status: Status,
    /// What it may spend in its life, in nano-dollars; null is unlimited.
    quota: Option<i64>,
    /// What it has spent, in nano-dollars.
    used: i64,
    /// Its limits.
    limits: Limits,
    /// The models it may ask for; null is all.
    models: Option<Vec<String>>,
    /// The addresses it may come from; null is all.
    ips: Option<Vec<String>>,
    /// The applications it may be used by; null is all.
    apps: Option<Vec<String>>,
    /// When it stops working, in microseconds.
    expires_at: Option<i64>,
    /// The group it calls as; null is its user's.
    group: Option<String>,
    /// Until when the secret before this one works as well, in microseconds.
    previous_until: Option<i64>,
    /// When it was made, in microseconds.
    created_at: i64,
    /// Which form of it this is: the entity tag.
    version: String,
}

/// A key with its secret, shown this once
#[derive(ToSchema)]
pub(in crate::api) struct MadeKey {
    #[schema(inline)]
    #[serde(flatten)]
    key: Key,
    /// The secret; left out where the answer is a repetition.
    #[schema(required = false)]
    secret: String,
}

/// A key to be made
#[derive(ToSchema)]
#[schema(example = json!({ "name": "ios-app", "models": ["gpt-4o-mini"], "quota": 10_000_000_000_i64 }))]
pub(in crate::api) struct NewKey {
    /// Its name; unique.
    name: String,
    /// Whose; your own where it is left out.
    user: Option<i64>,
    /// What it may spend in its life, in nano-dollars.
    #[schema(minimum = 0)]
    quota: Option<i64>,
    /// Its limits.
    #[schema(required = false)]
    limits: Limits,
    /// The models it may ask for; all where it is left out.
    models: Option<Vec<String>>,
    /// The addresses it may come from.
    ips: Option<Vec<String>>,
    /// The applications it may be used by: the host of the page that calls, or the name that an application calls itself.
    apps: Option<Vec<String>>,
    /// When it stops working, in microseconds.
    expires_at: Option<i64>,
    /// The group it calls as.
    group: Option<String>,
}

/// What is to change of a key: what is left out stays, and null is no limit
#[derive(ToSchema)]
#[schema(example = json!({ "models": null, "limits": { "requests_per_minute": 60 } }))]
pub(in crate::api) struct KeyChange {
    /// On or off.
    #[schema(required = false, nullable = false)]
    status: Status,
    /// What it may spend in its life, in nano-dollars.
    quota: Option<i64>,
    /// All of its limits.
    #[schema(required = false, nullable = false)]
    limits: Limits,
    /// The models it may ask for.
    models: Option<Vec<String>>,
    /// The addresses it may come from.
    ips: Option<Vec<String>>,
    /// The applications it may be used by.
    apps: Option<Vec<String>>,
    /// When it stops working, in microseconds.
    expires_at: Option<i64>,
    /// The group it calls as.
    group: Option<String>,
}

/// A user
#[derive(ToSchema)]
pub(in crate::api) struct User {
    /// Identity.
    id: i64,
    /// Their name; unique.
    name: String,
    /// Where they belong.
    tenant: i64,
    /// Its name.
    tenant_name: String,
    /// Whether they may call.
    status: Status,
    /// What they may do beside calling.
    role: Role,
    /// What is in the wallet, in nano-dollars; negative is owed.
    balance: i64,
    /// How far below zero the wallet may go, in nano-dollars.
    credit: i64,
    /// Whether the wallet has no bound.
    unlimited: bool,
    /// What they have spent, in nano-dollars.
    used: i64,
    /// Their group in their tenant's price book.
    group: Option<String>,
    /// Their plan; null is their tenant's.
    plan: Option<String>,
    /// Limits over all their keys.
    limits: Limits,
    /// When they were made, in microseconds.
    created_at: i64,
    /// What they type to sign in; null where they cannot.
    login: Option<String>,
    /// What they are called on screens.
    display: Option<String>,
    /// When they signed in last, in microseconds.
    signed_in_at: Option<i64>,
    /// When they were seen last, where that was in the last five minutes.
    online_at: Option<i64>,
    /// Which form of them this is: the entity tag.
    version: String,
}

/// A user to be made
#[derive(ToSchema)]
#[schema(example = json!({ "name": "mina" }))]
pub(in crate::api) struct NewUser {
    /// Their name; unique.
    name: String,
    /// Where they belong; where you do, if it is left out.
    tenant: Option<i64>,
    /// What they may do beside calling; an end user where it is left out.
    #[schema(required = false)]
    role: Role,
    /// Whether the wallet has no bound.
    #[schema(required = false)]
    unlimited: bool,
    /// Their group in their tenant's price book.
    group: Option<String>,
    /// Their plan.
    plan: Option<String>,
    /// Limits over all their keys.
    #[schema(required = false)]
    limits: Limits,
}

/// What is to change of a user: what is left out stays, and null is none
#[derive(ToSchema)]
#[schema(example = json!({ "group": "vip" }))]
pub(in crate::api) struct UserChange {
    /// Whether the wallet has no bound.
    #[schema(required = false, nullable = false)]
    unlimited: bool,
    /// Their group in their tenant's price book.
    group: Option<String>,
    /// Their plan; null is their tenant's.
    plan: Option<String>,
    /// All limits over their keys.
    #[schema(required = false, nullable = false)]
    limits: Limits,
}

/// A tenant: users together
#[derive(ToSchema)]
pub(in crate::api) struct Tenant {
    /// Identity.
    id: i64,
    /// Its name; unique.
    name: String,
    /// Whom it buys from; null is a part of the house.
    parent: Option<i64>,
    /// That one's name, if you see it.
    parent_name: Option<String>,
    /// How far below the house it is.
    level: u64,
    /// How many users it has itself.
    users: u64,
    /// Whether anybody in it or below it may call.
    status: Status,
    /// What is in its wallet at its parent, in nano-dollars.
    balance: i64,
    /// How far below zero the wallet may go, in nano-dollars.
    credit: i64,
    /// Whether the wallet has no bound.
    unlimited: bool,
    /// What it has paid its parent, in nano-dollars.
    used: i64,
    /// Its group in its parent's price book.
    group: Option<String>,
    /// The plan of its users and of the tenants below.
    plan: Option<String>,
    /// IANA name of its time zone; empty is UTC.
    time_zone: String,
    /// Limits over all its users.
    limits: Limits,
    /// When it was made, in microseconds.
    created_at: i64,
    /// Which form of it this is: the entity tag.
    version: String,
}

/// A tenant to be made
#[derive(ToSchema)]
#[schema(example = json!({ "name": "pixel-tea", "parent": 1, "time_zone": "Asia/Shanghai" }))]
pub(in crate::api) struct NewTenant {
    /// Its name; unique.
    name: String,
    /// Whom it buys from; a part of the house where it is left out.
    parent: Option<i64>,
    /// Whether its wallet has no bound.
    #[schema(required = false)]
    unlimited: bool,
    /// Its group in its parent's price book.
    group: Option<String>,
    /// Its plan.
    plan: Option<String>,
    /// IANA name of its time zone; empty is UTC.
    #[schema(required = false)]
    time_zone: String,
    /// Limits over all its users.
    #[schema(required = false)]
    limits: Limits,
}

/// What is to change of a tenant: what is left out stays, and null is none
#[derive(ToSchema)]
#[schema(example = json!({ "time_zone": "Europe/Berlin" }))]
pub(in crate::api) struct TenantChange {
    /// Whether its wallet has no bound.
    #[schema(required = false, nullable = false)]
    unlimited: bool,
    /// Its group in its parent's price book.
    group: Option<String>,
    /// Its plan; null is its parent's.
    plan: Option<String>,
    /// IANA name of its time zone.
    #[schema(required = false, nullable = false)]
    time_zone: String,
    /// All limits over its users.
    #[schema(required = false, nullable = false)]
    limits: Limits,
}

/// A group of customers
#[derive(ToSchema)]
pub(in crate::api) struct Group {
    /// The tenant whose customers they are.
    tenant: i64,
    /// Its name.
    tenant_name: String,
    /// The group.
    group: String,
    /// How many of its users are in it.
    users: u64,
    /// How many of the tenants right below it are.
    tenants: u64,
}

lists! {
    /// Keys
    KeyList of Key
    /// Users
    UserList of User
    /// Tenants
    TenantList of Tenant
    /// Groups
    GroupList of Group
}

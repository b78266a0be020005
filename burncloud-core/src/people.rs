//! Users and tenants: who pays, and whom.

use crate::{Limits, Nano, Status, TenantId, UnixMicros, UserId};
use serde::{Deserialize, Serialize};

/// What a user may do beside calling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, everywhere.
    Owner,
    /// Everything in the house but to make or unmake owners.
    Administrator,
    /// Everything in its own tenant and below, within what the parent sells.
    Reseller,
    /// Calls, and sees its own.
    #[default]
    EndUser,
    /// Sees the money of its tenant and below, and changes nothing.
    Accountant,
}

impl Role {
    /// Every one.
    pub const ALL: [Role; 5] =
        [Role::Owner, Role::Administrator, Role::Reseller, Role::EndUser, Role::Accountant];

    /// The name used in storage.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Administrator => "administrator",
            Role::Reseller => "reseller",
            Role::EndUser => "end_user",
            Role::Accountant => "accountant",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A user: owns keys and pays from a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// The operator's name for them; unique.
    pub name: String,
    /// Where they belong, and whom they pay.
    pub tenant: TenantId,
    /// Whether they may call.
    pub status: Status,
    /// What they may do beside calling.
    pub role: Role,
    /// What is in the wallet, as far as receipts were shipped: the balance of
    /// [`Account::User`](crate::ledger::Account::User). Negative is owed.
    pub balance: Nano,
    /// How far below zero the wallet may go.
    pub credit: Nano,
    /// Whether the wallet has no bound at all.
    pub unlimited: bool,
    /// What they have spent, as far as receipts were shipped.
    pub used: Nano,
    /// The customers' group they belong to in their tenant's price book.
    pub group: Option<String>,
    /// Their plan; their tenant's where they have none.
    pub plan: Option<String>,
    /// Limits over all their keys.
    pub limits: Limits,
    /// When they were made.
    pub created_at: UnixMicros,
}

/// A tenant: users together, with limits of their own. One with a parent is a reseller: it buys from its parent, pays
/// from a wallet there, and sells to its users and to the tenants below it at prices of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tenant {
    /// Identity.
    pub id: TenantId,
    /// The operator's name for it; unique.
    pub name: String,
    /// Whom it buys from; `None` is a part of the house, which pays nobody but the providers. Never changes.
    pub parent: Option<TenantId>,
    /// Whether anybody in it or below it may call.
    pub status: Status,
    /// What is in its wallet at its parent, as [`User::balance`].
    pub balance: Nano,
    /// How far below zero the wallet may go.
    pub credit: Nano,
    /// Whether the wallet has no bound at all.
    pub unlimited: bool,
    /// What it has paid its parent, as far as receipts were shipped.
    pub used: Nano,
    /// The customers' group it belongs to in its parent's price book.
    pub group: Option<String>,
    /// The plan of its users and of the tenants below that have none of their own.
    pub plan: Option<String>,
    /// IANA name of its time zone, by whose clock its budgets begin anew; empty is UTC.
    pub time_zone: String,
    /// Limits over all its users.
    pub limits: Limits,
    /// When it was made.
    pub created_at: UnixMicros,
}

//! Budgets: what may be spent by whom in a span of time.

use crate::{ChannelId, KeyId, Nano, Receipt, TenantId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose spending a budget counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One key's. Money: what its user is charged.
    Key(KeyId),
    /// One user's, by all keys. Money: what the user is charged.
    User(UserId),
    /// A tenant's, with every tenant below it. Money: what it pays its parent; for a tenant without one, what
    /// its users and the tenants right below it are charged.
    Tenant(TenantId),
    /// A channel's. Money: what the provider is expected to bill.
    Channel(ChannelId),
    /// A model's, as callers ask for it. Money: what users are charged.
    Model(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Key(id) => write!(f, "key:{id}"),
            Scope::User(id) => write!(f, "user:{id}"),
            Scope::Tenant(id) => write!(f, "tenant:{id}"),
            Scope::Channel(id) => write!(f, "channel:{id}"),
            Scope::Model(name) => write!(f, "model:{name}"),
        }
    }
}

impl Scope {
    /// Reads the shown form back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Scope> {
        let (kind, name) = text.split_once(':')?;
        let id = || name.parse::<i64>().ok();
        Some(match kind {
            "key" => Scope::Key(KeyId(id()?)),
            "user" => Scope::User(UserId(id()?)),
            "tenant" => Scope::Tenant(TenantId(id()?)),
            "channel" => Scope::Channel(ChannelId(id()?)),
            "model" => Scope::Model(name.to_owned()),
            _ => return None,
        })
    }
}

/// The span of time a budget holds for; it begins anew by the clock of the tenant's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the next.
    Month,
    /// For ever.
    Total,
}

/// How much a budget holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowance {
    /// Nano-dollars.
    Money(Nano),
    /// Tokens, input and output.
    Tokens(u64),
}

/// What happens when it is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Requests are refused: 402; a channel's budget takes the channel out of the candidates instead.
    #[default]
    Hard,
    /// Somebody is told, once per period.
    Soft,
}

/// A budget as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The operator's name for it; unique.
    pub name: String,
    /// Whose spending.
    pub scope: Scope,
    /// In which time.
    pub period: Period,
    /// How much.
    pub allowance: Allowance,
    /// And then.
    pub enforcement: Enforcement,
    /// IANA name of the time zone whose clock it goes by; the tenant's own where it is about one, `UTC` else.
    pub time_zone: String,
}

/// What was spent in a span of time, as far as receipts were recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// In money, as the [`Scope`] defines it.
    pub money: Nano,
    /// In tokens, input and output.
    pub tokens: u64,
}

impl Spent {
    /// What one receipt adds to the spending of each tenant on its path, from the user's own tenant upwards: the tokens,
    /// and what the tenant paid its parent; of the topmost, what it was paid.
    pub fn by_tenants(receipt: &Receipt, mut each: impl FnMut(TenantId, Spent)) {
        let tokens = receipt.usage.total_input().saturating_add(receipt.usage.total_output());
        let mut paid = receipt.charge;
        let mut top = receipt.tenant;
        for leg in &receipt.legs {
            each(leg.tenant, Spent { money: leg.charge, tokens });
            (paid, top) = (leg.charge, leg.parent);
        }
        each(top, Spent { money: paid, tokens });
    }
}

/// Something an operator should know about money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// When.
    pub at: crate::UnixMicros,
    /// What kind, such as `budget_soft`, `budget_hard`, `fuse`, `below_cost`.
    pub kind: String,
    /// What about, such as the budget's name.
    pub subject: String,
    /// In words.
    pub text: String,
}

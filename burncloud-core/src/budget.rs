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
    /// The sum, saturating.
    #[must_use]
    pub fn plus(self, other: Spent) -> Spent {
        Spent { money: self.money.plus(other.money), tokens: self.tokens.saturating_add(other.tokens) }
    }
}

/// A quarter of an hour, in microseconds: the grain in which spending is summed.
pub const QUARTER_US: i64 = 900_000_000;

/// What a receipt adds to the spending of each scope it concerns: the key, the user, the model, the channel that served,
/// and every tenant from the user's own up to the house. Each scope is named once; those that nothing is added to are
/// left out.
///
/// A tenant with a leg spent what the leg says; one without is of the house, and its spending is what its users and the
/// tenants right below it were charged.
#[must_use]
pub fn spending(receipt: &Receipt) -> Vec<(Scope, Spent)> {
    let tokens = receipt.usage.total_input().saturating_add(receipt.usage.total_output());
    let mut all = Vec::with_capacity(5 + receipt.legs.len());
    let mut add = |scope: Scope, money: Nano| {
        if money != Nano::ZERO || tokens > 0 {
            all.push((scope, Spent { money, tokens }));
        }
    };
    add(Scope::Key(receipt.key), receipt.charge);
    add(Scope::User(receipt.user), receipt.charge);
    add(Scope::Model(receipt.model.to_string()), receipt.charge);
    if let Some(channel) = receipt.channel {
        add(Scope::Channel(channel), receipt.upstream_cost);
    }
    let (mut house, mut earned) = (receipt.tenant, receipt.charge);
    for leg in &receipt.legs {
        add(Scope::Tenant(leg.tenant), leg.charge);
        (house, earned) = (leg.parent, leg.charge);
    }
    add(Scope::Tenant(house), earned);
    all
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Leg, Usage};

    #[test]
    fn a_receipt_concerns_everyone_on_its_path_once() {
        let leg = |tenant, parent, charge| Leg {
            tenant: TenantId(tenant),
            parent: TenantId(parent),
            charge: Nano(charge),
            shortfall: Nano::ZERO,
        };
        let usage = Usage { input: 3, cached_read: 4, output: 5, ..Usage::default() };
        let (charge, upstream_cost) = (Nano(90), Nano(50));
        let legs = vec![leg(9, 10, 80), leg(10, 11, 70)];
        let receipt = Receipt { usage, charge, upstream_cost, legs, ..crate::testing::receipt(1) };
        let of = |money| Spent { money: Nano(money), tokens: 12 };
        let expected = [
            (Scope::Key(KeyId(7)), of(90)),
            (Scope::User(UserId(8)), of(90)),
            (Scope::Model("claude-ü".into()), of(90)),
            (Scope::Channel(ChannelId(3)), of(50)),
            (Scope::Tenant(TenantId(9)), of(80)),
            (Scope::Tenant(TenantId(10)), of(70)),
            (Scope::Tenant(TenantId(11)), of(70)),
        ];
        assert_eq!(spending(&receipt), expected);
        let house = Receipt { legs: Vec::new(), channel: None, ..receipt.clone() };
        assert_eq!(
            spending(&house).last(),
            Some(&(Scope::Tenant(TenantId(9)), of(90))),
            "its users' charges"
        );
        let refused = Receipt { charge: Nano::ZERO, usage: Usage::default(), ..house };
        assert_eq!(spending(&refused), []);
    }

    #[test]
    fn every_scope_is_read_back() {
        for scope in [
            Scope::Key(KeyId(1)),
            Scope::User(UserId(-2)),
            Scope::Tenant(TenantId(i64::MAX)),
            Scope::Channel(ChannelId(4)),
            Scope::Model("a:b/ü".into()),
        ] {
            assert_eq!(Scope::parse(&scope.to_string()), Some(scope));
        }
        assert_eq!(Scope::parse("planet:3"), None);
    }
}

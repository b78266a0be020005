//! Tenants, users, and the money of both.

use super::LimitArgs;
use burncloud_core::{Nano, Role};
use clap::{ArgAction, Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum TenantsCommand {
    /// List tenants.
    List,
    /// Show who buys from whom.
    Tree,
    /// Make a tenant: below another one, or in the house.
    Create(Box<CreateTenantArgs>),
    /// Change a tenant's terms; what is not named stays as it is.
    Update(Box<UpdateTenantArgs>),
    #[command(flatten)]
    Wallet(WalletCommand),
}

#[derive(Debug, Args)]
pub(crate) struct CreateTenantArgs {
    /// Its name.
    pub(crate) name: String,
    /// Whom it buys from; nobody by default: a part of the house.
    #[arg(long, value_name = "TENANT")]
    pub(crate) parent: Option<String>,
    /// What its wallet starts with, in dollars.
    #[arg(long, value_name = "USD", requires = "parent")]
    pub(crate) balance_usd: Option<Nano>,
    /// How far below zero its wallet may go, in dollars.
    #[arg(long, value_name = "USD", requires = "parent")]
    pub(crate) credit_usd: Option<Nano>,
    /// Its wallet has no bound.
    #[arg(long, requires = "parent")]
    pub(crate) unlimited: bool,
    /// Its group in its parent's price book.
    #[arg(long, requires = "parent")]
    pub(crate) group: Option<String>,
    /// Its plan; its parent's by default.
    #[arg(long)]
    pub(crate) plan: Option<String>,
    /// The time zone of its budgets, such as Europe/Berlin; UTC by default.
    #[arg(long, value_name = "ZONE", default_value = "")]
    pub(crate) time_zone: String,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateTenantArgs {
    /// Its name.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) terms: TermArgs,
    /// The time zone of its budgets, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
}

/// What users and tenants have alike.
#[derive(Debug, Args)]
pub(crate) struct TermArgs {
    /// Let them call again.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Let nobody of them call any more: 403.
    #[arg(long)]
    disable: bool,
    /// The wallet has no bound.
    #[arg(long, conflicts_with = "limited")]
    unlimited: bool,
    /// The wallet is bounded by what is in it and the credit line.
    #[arg(long)]
    limited: bool,
    /// The group in the price book of whom they pay.
    #[arg(long, conflicts_with = "no_group")]
    group: Option<String>,
    /// No group.
    #[arg(long)]
    no_group: bool,
    /// The plan.
    #[arg(long, conflicts_with = "no_plan")]
    plan: Option<String>,
    /// No plan of their own: that of whom they pay.
    #[arg(long)]
    no_plan: bool,
    /// Take all limits away that are not named.
    #[arg(long)]
    reset_limits: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

impl TermArgs {
    /// Whether they may call; `None` stays as it is.
    pub(crate) fn status(&self) -> Option<burncloud_core::Status> {
        let status = |on| if on { burncloud_core::Status::Active } else { burncloud_core::Status::Disabled };
        (self.enable || self.disable).then(|| status(self.enable))
    }

    pub(crate) fn unlimited(&self) -> Option<bool> {
        (self.unlimited || self.limited).then_some(self.unlimited)
    }

    pub(crate) fn group(&self) -> Option<Option<String>> {
        (self.no_group || self.group.is_some()).then(|| self.group.clone())
    }

    pub(crate) fn plan(&self) -> Option<Option<String>> {
        (self.no_plan || self.plan.is_some()).then(|| self.plan.clone())
    }

    /// The limits that were named, on top of `stored` or of none.
    pub(crate) fn limits(&self, stored: burncloud_core::Limits) -> burncloud_core::Limits {
        let LimitArgs { requests_per_minute, tokens_per_minute, concurrency } = self.limits;
        let under = if self.reset_limits { burncloud_core::Limits::default() } else { stored };
        burncloud_core::Limits {
            requests_per_minute: requests_per_minute.or(under.requests_per_minute),
            tokens_per_minute: tokens_per_minute.or(under.tokens_per_minute),
            concurrency: concurrency.or(under.concurrency),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List users.
    List {
        /// Of this tenant alone.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Make a user.
    Create(Box<CreateUserArgs>),
    /// Change a user's terms; what is not named stays as it is.
    Update(Box<UpdateUserArgs>),
    #[command(flatten)]
    Wallet(WalletCommand),
}

#[derive(Debug, Args)]
pub(crate) struct CreateUserArgs {
    /// Their name.
    pub(crate) name: String,
    /// Where they belong.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// What they may do beside calling: owner, administrator, reseller, end_user, accountant.
    #[arg(long, default_value = "end_user", value_parser = role)]
    pub(crate) role: Role,
    /// What they start with, in dollars; unlimited by default.
    #[arg(long, value_name = "USD")]
    pub(crate) balance_usd: Option<Nano>,
    /// How far below zero their wallet may go, in dollars.
    #[arg(long, value_name = "USD")]
    pub(crate) credit_usd: Option<Nano>,
    /// Their wallet has no bound; so it is without --balance-usd and --credit-usd.
    #[arg(long, conflicts_with = "limited")]
    pub(crate) unlimited: bool,
    /// Their wallet is bounded, and empty without --balance-usd.
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) limited: bool,
    /// Their group in their tenant's price book.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Their plan; their tenant's by default.
    #[arg(long)]
    pub(crate) plan: Option<String>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateUserArgs {
    /// Their name.
    pub(crate) name: String,
    /// What they may do beside calling: owner, administrator, reseller, end_user, accountant.
    #[arg(long, value_parser = role)]
    pub(crate) role: Option<Role>,
    #[command(flatten)]
    pub(crate) terms: TermArgs,
}

/// What is done with money, for users and for tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Note money that came in; a negative amount was paid back.
    TopUp(MoneyArgs),
    /// Give credit away.
    Promote(MoneyArgs),
    /// Correct the balance by hand; needs a reason.
    Adjust(MoneyArgs),
    /// Set how far below zero the wallet may go.
    Credit {
        /// The name.
        name: String,
        /// Dollars; 0 takes the credit line away.
        credit_usd: Nano,
        /// Why, in words.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Make the balance that much (the difference is an adjustment), or lift its bound.
    SetBalance {
        /// The name.
        name: String,
        /// Dollars, or `unlimited`.
        #[arg(value_parser = balance, value_name = "USD|unlimited")]
        balance: Balance,
        /// Why, in words.
        #[arg(long, default_value = "balance set by hand")]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct MoneyArgs {
    /// The name.
    pub(crate) name: String,
    /// Dollars.
    #[arg(allow_hyphen_values = true)]
    pub(crate) amount_usd: Nano,
    /// What makes doing it twice one entry, such as the payment's number.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reference: Option<String>,
    /// Why, in words.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

/// A balance; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Balance(pub(crate) Option<Nano>);

fn balance(text: &str) -> Result<Balance, String> {
    if text == "unlimited" {
        return Ok(Balance(None));
    }
    match text.parse::<Nano>() {
        Ok(amount) if amount < Nano::ZERO => Err("a balance is not set to less than nothing".to_owned()),
        Ok(amount) => Ok(Balance(Some(amount))),
        Err(error) => Err(format!("{error}; or write `unlimited`")),
    }
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.map(Role::as_str).join(", ");
    Role::parse(&text.replace('-', "_")).ok_or_else(|| format!("one of: {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_is_dollars_or_unlimited() {
        assert_eq!(balance("unlimited"), Ok(Balance(None)));
        assert_eq!(balance("0.5"), Ok(Balance(Some(Nano(500_000_000)))));
        assert!(balance("-1").is_err() && balance("none").unwrap_err().contains("unlimited"));
    }

    #[test]
    fn a_role_is_one_of_five() {
        assert_eq!((role("end-user"), role("accountant")), (Ok(Role::EndUser), Ok(Role::Accountant)));
        assert!(role("king").unwrap_err().contains("reseller"));
    }
}

//! What is done with money, for users and tenants alike.

use super::args::{Balance, MoneyArgs, WalletCommand};
use super::{CliResult, Desk};
use burncloud_billing::people::{self, TenantChange, UserChange, Wallet};
use burncloud_core::Nano;
use burncloud_core::store::Posted;
use serde_json::json;

/// Whose wallets.
#[derive(Clone, Copy)]
pub(super) enum Holders {
    Users,
    Tenants,
}

impl Holders {
    /// The wallet of the one of that name.
    pub(super) async fn wallet(self, desk: &Desk, name: &str) -> CliResult<Wallet> {
        Ok(match self {
            Holders::Users => Wallet::of_user(&*desk.store, name).await?,
            Holders::Tenants => Wallet::of_tenant(&*desk.store, name).await?,
        })
    }

    fn table(self) -> &'static str {
        match self {
            Holders::Users => "users",
            Holders::Tenants => "tenants",
        }
    }

    async fn set_unlimited(self, desk: &Desk, name: &str, unlimited: bool) -> CliResult {
        let unlimited = Some(unlimited);
        match self {
            Holders::Users => {
                let change = UserChange { unlimited, ..UserChange::default() };
                people::update_user(&*desk.store, &desk.actor, name, change).await?;
            }
            Holders::Tenants => {
                let change = TenantChange { unlimited, ..TenantChange::default() };
                people::update_tenant(&*desk.store, &desk.actor, name, change).await?;
            }
        }
        Ok(())
    }
}

pub(super) async fn run(command: WalletCommand, holders: Holders, desk: &Desk) -> CliResult {
    let (store, actor) = (&*desk.store, &desk.actor);
    match command {
        WalletCommand::TopUp(args) => top_up(args, holders, desk).await,
        WalletCommand::Promote(MoneyArgs { name, amount_usd, reference, reason }) => {
            let wallet = holders.wallet(desk, &name).await?;
            let posted = people::promote(store, actor, &wallet, amount_usd, reference, &reason).await?;
            done(desk, holders, &name, Some(posted)).await
        }
        WalletCommand::Adjust(MoneyArgs { name, amount_usd, reference, reason }) => {
            let wallet = holders.wallet(desk, &name).await?;
            let posted = people::adjust(store, actor, &wallet, amount_usd, reference, &reason).await?;
            done(desk, holders, &name, Some(posted)).await
        }
        WalletCommand::Credit { name, credit_usd, reason } => {
            let wallet = holders.wallet(desk, &name).await?;
            let posted = people::set_credit(store, actor, &wallet, credit_usd, &reason).await?;
            done(desk, holders, &name, posted).await
        }
        WalletCommand::SetBalance { name, balance: Balance(None), .. } => {
            holders.wallet(desk, &name).await?;
            holders.set_unlimited(desk, &name, true).await?;
            done(desk, holders, &name, None).await
        }
        WalletCommand::SetBalance { name, balance: Balance(Some(balance)), reason } => {
            let wallet = holders.wallet(desk, &name).await?;
            let posted = people::set_balance(store, actor, &wallet, balance, &reason).await?;
            holders.set_unlimited(desk, &name, false).await?;
            done(desk, holders, &name, posted).await
        }
    }
}

async fn top_up(args: MoneyArgs, holders: Holders, desk: &Desk) -> CliResult {
    let MoneyArgs { name, amount_usd, reference, reason } = args;
    let wallet = holders.wallet(desk, &name).await?;
    // Paying what is owed makes sense; more than that is meant as a limit that is not there.
    if wallet.unlimited() && wallet.balance().plus(amount_usd) > Nano::ZERO {
        let table = holders.table();
        return Err(format!(
            "the balance of `{name}` is unlimited; to limit it: burncloud {table} set-balance {name} AMOUNT"
        )
        .into());
    }
    let posted = people::top_up(&*desk.store, &desk.actor, &wallet, amount_usd, reference, &reason).await?;
    done(desk, holders, &name, Some(posted)).await
}

/// Shows the wallet as it is now.
async fn done(desk: &Desk, holders: Holders, name: &str, posted: Option<Posted>) -> CliResult {
    let wallet = holders.wallet(desk, name).await?;
    let mut json = json!({
        "name": name,
        "balance": wallet.balance(),
        "balance_usd": wallet.balance().to_string(),
        "credit": wallet.credit(),
        "credit_usd": wallet.credit().to_string(),
        "unlimited": wallet.unlimited(),
    });
    let mut line = format!(
        "the balance of `{name}` is {}",
        shown(wallet.balance(), wallet.credit(), wallet.unlimited())
    );
    if let Some(Posted { id, new }) = posted {
        json["entry"] = json!(id);
        json["new"] = json!(new);
        let word = if new { "entry" } else { "was posted before, as entry" };
        line.push_str(&format!(" ({word} {id})"));
    }
    desk.out.show(&json, &[line])
}

/// A wallet for people.
pub(super) fn shown(balance: Nano, credit: Nano, unlimited: bool) -> String {
    match (unlimited, credit) {
        (true, _) if balance == Nano::ZERO => "unlimited".to_owned(),
        (true, _) => format!("${balance}, unlimited"),
        (false, Nano::ZERO) => format!("${balance}"),
        (false, credit) => format!("${balance}, credit ${credit}"),
    }
}

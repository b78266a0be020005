//! `burncloud users …`

use super::args::{Balance, UsersCommand};
use super::keys::{quota, user_id};
use super::{CliResult, Desk, word};
use burncloud_core::store::StoreError;
use burncloud_core::usecase::{UseCaseError, check_limits, check_name};
use burncloud_core::{Nano, User};
use serde_json::{Value, json};

const PAGE: u32 = 500;

pub(super) async fn run(command: UsersCommand, desk: &Desk) -> CliResult {
    match command {
        UsersCommand::List => list(desk).await,
        UsersCommand::Create { name, tenant, balance_usd, limits } => {
            check_name(&name)?;
            if balance_usd.is_some_and(|b| b < Nano::ZERO) {
                return Err(UseCaseError::invalid("balance", "a balance does not start negative").into());
            }
            let limits = limits.into();
            check_limits(&limits)?;
            let tenant = tenant_id(desk, &tenant).await?;
            let user = desk.store.create_user(&name, tenant, balance_usd, limits).await?;
            let line = format!("made the user `{}`, balance {}", user.name, quota(user.balance));
            desk.out.show(&as_json(&user), &[line])
        }
        UsersCommand::TopUp { name, amount_usd } => {
            let id = user_id(desk, &name).await?;
            if desk.store.user(id).await?.is_some_and(|user| user.balance.is_none()) {
                return Err(format!(
                    "the balance of `{name}` is unlimited; to limit it: burncloud users set-balance {name} AMOUNT"
                )
                .into());
            }
            let balance = desk.store.add_balance(id, amount_usd).await?;
            let json = json!({ "name": name, "balance": balance, "balance_usd": balance.to_string() });
            desk.out.show(&json, &[format!("the balance of `{name}` is ${balance}")])
        }
        UsersCommand::SetBalance { name, balance: Balance(balance) } => {
            desk.store.set_balance(user_id(desk, &name).await?, balance).await?;
            let usd = balance.map(|b| b.to_string());
            let json = json!({ "name": name, "balance": balance, "balance_usd": usd });
            desk.out.show(&json, &[format!("the balance of `{name}` is {}", quota(balance))])
        }
    }
}

async fn tenant_id(desk: &Desk, name: &str) -> CliResult<burncloud_core::TenantId> {
    let tenant = desk.store.tenant_by_name(name).await?;
    Ok(tenant.ok_or_else(|| StoreError::NotFound { what: "tenant", name: name.to_owned() })?.id)
}

async fn list(desk: &Desk) -> CliResult {
    let mut all: Vec<User> = Vec::new();
    loop {
        let page = desk.store.users(all.last().map(|u| u.id), PAGE).await?;
        let more = page.len() == PAGE as usize;
        all.extend(page);
        if !more {
            break;
        }
    }
    let rows: Vec<_> = all
        .iter()
        .map(|u| [u.name.clone(), word(&u.status), quota(u.balance), format!("${}", u.used)])
        .collect();
    let head = ["name", "status", "balance", "used"];
    desk.out.list(all.iter().map(as_json).collect(), head, &rows)
}

fn as_json(user: &User) -> Value {
    let mut json = serde_json::to_value(user).unwrap_or_default();
    json["balance_usd"] = json!(user.balance.map(|b| b.to_string()));
    json["used_usd"] = json!(user.used.to_string());
    json
}

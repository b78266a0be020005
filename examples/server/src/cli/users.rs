//! `burncloud users …`

use super::args::{CreateUserArgs, UpdateUserArgs, UsersCommand};
use super::wallets::{self, Holders, shown};
use super::{CliResult, Desk, or_dash, word};
use burncloud_billing::people::{self, UserChange, Wallet};
use burncloud_core::store::{NewUser, UserStore};
use burncloud_core::usecase::{Said, UseCaseError};
use burncloud_core::{Nano, TenantId, User};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) async fn run(command: UsersCommand, desk: &Desk) -> CliResult {
    match command {
        UsersCommand::List { tenant } => list(desk, tenant).await,
        UsersCommand::Create(args) => create(desk, *args).await,
        UsersCommand::Update(args) => update(desk, *args).await,
        UsersCommand::Wallet(command) => wallets::run(command, Holders::Users, desk).await,
    }
}

async fn create(desk: &Desk, args: CreateUserArgs) -> CliResult {
    let (store, actor) = (&*desk.store, &desk.actor);
    let given = args.balance_usd.is_some() || args.credit_usd.is_some();
    let unlimited = args.unlimited || !(given || args.limited);
    if unlimited && given {
        let message = "an unlimited wallet has no opening balance and no credit line; leave one of them out";
        return Err(UseCaseError::invalid("unlimited", Said::plain(message)).into());
    }
    let (balance, credit) = (args.balance_usd.unwrap_or_default(), args.credit_usd.unwrap_or_default());
    refuse_negative(balance, credit)?;
    let new = NewUser {
        tenant: people::find_tenant(store, &args.tenant).await?.id,
        name: args.name.clone(),
        role: args.role,
        unlimited,
        group: args.group,
        plan: args.plan,
        limits: args.limits.into(),
    };
    let made = people::create_user(store, actor, new).await?;
    let wallet = Wallet::User(made);
    people::open_wallet(store, actor, &wallet, balance).await?;
    people::set_credit(store, actor, &wallet, credit, "when it was made").await?;
    let user = people::find_user(store, &args.name).await?;
    let line = format!(
        "made the user `{}`, balance {}",
        user.name,
        shown(user.balance, user.credit, user.unlimited)
    );
    let tenants = tenants(desk).await?;
    desk.out.show(&as_json(&user, &tenants), &[line])
}

/// Before anything is made.
pub(super) fn refuse_negative(balance: Nano, credit: Nano) -> CliResult {
    if balance < Nano::ZERO {
        return Err(UseCaseError::invalid("balance", Said::plain("a balance does not start negative")).into());
    }
    if credit < Nano::ZERO {
        return Err(UseCaseError::invalid("credit", Said::plain("a credit line is not negative")).into());
    }
    Ok(())
}

async fn update(desk: &Desk, args: UpdateUserArgs) -> CliResult {
    let (store, actor, terms) = (&*desk.store, &desk.actor, &args.terms);
    let stored = people::find_user(store, &args.name).await?;
    let change = UserChange {
        status: terms.status(),
        unlimited: terms.unlimited(),
        group: terms.group(),
        plan: terms.plan(),
        limits: Some(terms.limits(stored.limits)),
    };
    let mut user = people::update_user(store, actor, &args.name, change).await?;
    if let Some(role) = args.role {
        user = people::set_role(store, actor, &args.name, role).await?;
    }
    let tenants = tenants(desk).await?;
    desk.out.show(&as_json(&user, &tenants), &[format!("the user `{}` is changed", user.name)])
}

/// The names of the tenants.
pub(super) async fn tenants(desk: &Desk) -> CliResult<HashMap<TenantId, String>> {
    Ok(desk.store.tenants().await?.into_iter().map(|tenant| (tenant.id, tenant.name)).collect())
}

async fn list(desk: &Desk, tenant: Option<String>) -> CliResult {
    let only = match tenant {
        Some(name) => Some(people::find_tenant(&*desk.store, &name).await?.id),
        None => None,
    };
    let mut all = people::list_users(&*desk.store, &desk.actor).await?;
    all.retain(|user| only.is_none_or(|tenant| user.tenant == tenant));
    let tenants = tenants(desk).await?;
    let rows: Vec<_> = all
        .iter()
        .map(|u| {
            [
                u.name.clone(),
                or_dash(tenants.get(&u.tenant).map(String::as_str)),
                u.role.as_str().to_owned(),
                word(&u.status),
                or_dash(u.group.as_deref()),
                shown(u.balance, u.credit, u.unlimited),
                format!("${}", u.used),
            ]
        })
        .collect();
    let head = ["name", "tenant", "role", "status", "group", "balance", "used"];
    desk.out.list(all.iter().map(|user| as_json(user, &tenants)).collect(), head, &rows)
}

fn as_json(user: &User, tenants: &HashMap<TenantId, String>) -> Value {
    let mut json = serde_json::to_value(user).unwrap_or_default();
    json["balance_usd"] = json!(user.balance.to_string());
    json["credit_usd"] = json!(user.credit.to_string());
    json["used_usd"] = json!(user.used.to_string());
    json["tenant_name"] = json!(tenants.get(&user.tenant));
    json
}

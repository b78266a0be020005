//! `burncloud tenants …`

use super::args::{CreateTenantArgs, TenantsCommand, UpdateTenantArgs};
use super::users::{refuse_negative, tenants};
use super::wallets::{self, Holders, shown};
use super::{CliResult, Desk, or_dash, word};
use burncloud_billing::people::{self, TenantChange, Wallet};
use burncloud_core::store::NewTenant;
use burncloud_core::usecase::{Said, UseCaseError};
use burncloud_core::{Tenant, TenantId};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) async fn run(command: TenantsCommand, desk: &Desk) -> CliResult {
    match command {
        TenantsCommand::List => list(desk).await,
        TenantsCommand::Tree => tree(desk).await,
        TenantsCommand::Create(args) => create(desk, *args).await,
        TenantsCommand::Update(args) => update(desk, *args).await,
        TenantsCommand::Wallet(command) => wallets::run(command, Holders::Tenants, desk).await,
    }
}

async fn create(desk: &Desk, args: CreateTenantArgs) -> CliResult {
    let (store, actor) = (&*desk.store, &desk.actor);
    let (balance, credit) = (args.balance_usd.unwrap_or_default(), args.credit_usd.unwrap_or_default());
    refuse_negative(balance, credit)?;
    if args.unlimited && (args.balance_usd.is_some() || args.credit_usd.is_some()) {
        let message = "an unlimited wallet has no opening balance and no credit line; leave one of them out";
        return Err(UseCaseError::invalid("unlimited", Said::plain(message)).into());
    }
    let parent = match &args.parent {
        Some(parent) => Some(people::find_tenant(store, parent).await?.id),
        None => None,
    };
    let new = NewTenant {
        name: args.name.clone(),
        parent,
        unlimited: args.unlimited,
        group: args.group,
        plan: args.plan,
        time_zone: args.time_zone,
        limits: args.limits.into(),
    };
    let made = people::create_tenant(store, actor, new).await?;
    if parent.is_some() {
        let wallet = Wallet::Tenant(made);
        people::open_wallet(store, actor, &wallet, balance).await?;
        people::set_credit(store, actor, &wallet, credit, "when it was made").await?;
    }
    let tenant = people::find_tenant(store, &args.name).await?;
    let line = format!("made the tenant `{}`, balance {}", tenant.name, wallet(&tenant));
    desk.out.show(&as_json(&tenant, &tenants(desk).await?), &[line])
}

async fn update(desk: &Desk, args: UpdateTenantArgs) -> CliResult {
    let (store, terms) = (&*desk.store, &args.terms);
    let stored = people::find_tenant(store, &args.name).await?;
    let change = TenantChange {
        status: terms.status(),
        unlimited: terms.unlimited(),
        group: terms.group(),
        plan: terms.plan(),
        time_zone: args.time_zone,
        limits: Some(terms.limits(stored.limits)),
    };
    let tenant = people::update_tenant(store, &desk.actor, &args.name, change).await?;
    let line = format!("the tenant `{}` is changed", tenant.name);
    desk.out.show(&as_json(&tenant, &tenants(desk).await?), &[line])
}

async fn list(desk: &Desk) -> CliResult {
    let (all, names) = (people::list_tenants(&*desk.store, &desk.actor).await?, tenants(desk).await?);
    let rows: Vec<_> = all
        .iter()
        .map(|(_, t)| {
            let parent = t.parent.and_then(|id| names.get(&id));
            [
                t.name.clone(),
                or_dash(parent.map(String::as_str)),
                word(&t.status),
                or_dash(t.group.as_deref()),
                wallet(t),
                format!("${}", t.used),
            ]
        })
        .collect();
    let head = ["name", "parent", "status", "group", "balance", "used"];
    desk.out.list(all.iter().map(|(_, t)| as_json(t, &names)).collect(), head, &rows)
}

async fn tree(desk: &Desk) -> CliResult {
    let (all, names) = (people::list_tenants(&*desk.store, &desk.actor).await?, tenants(desk).await?);
    let lines: Vec<String> = all
        .iter()
        .map(|(level, tenant)| {
            let off = if tenant.status == burncloud_core::Status::Active { "" } else { ", switched off" };
            format!("{}{} ({}{off})", "  ".repeat(*level), tenant.name, wallet(tenant))
        })
        .collect();
    let json = all.iter().map(|(level, tenant)| {
        let mut json = as_json(tenant, &names);
        json["level"] = json!(level);
        json
    });
    desk.out.show(&Value::Array(json.collect()), &lines)
}

/// A tenant's wallet for people.
fn wallet(tenant: &Tenant) -> String {
    match tenant.parent {
        None => "of the house".to_owned(),
        Some(_) => shown(tenant.balance, tenant.credit, tenant.unlimited),
    }
}

fn as_json(tenant: &Tenant, names: &HashMap<TenantId, String>) -> Value {
    let mut json = serde_json::to_value(tenant).unwrap_or_default();
    json["balance_usd"] = json!(tenant.balance.to_string());
    json["credit_usd"] = json!(tenant.credit.to_string());
    json["used_usd"] = json!(tenant.used.to_string());
    json["parent_name"] = json!(tenant.parent.and_then(|id| names.get(&id)));
    json
}

//! `burncloud budgets …`

use super::args::{BudgetScopeArgs, BudgetsCommand, Per, SetBudgetArgs};
use super::{CliResult, Desk, word};
use crate::moment;
use burncloud_billing::people;
use burncloud_core::store::{AlertStore, ChannelStore, KeyStore, UserStore};
use burncloud_core::usecase::{channels, keys};
use burncloud_core::{Allowance, Budget, Enforcement, Period, Scope};
use serde_json::{Value, json};

pub(super) async fn run(command: BudgetsCommand, desk: &Desk) -> CliResult {
    match command {
        BudgetsCommand::List => list(desk).await,
        BudgetsCommand::Set(args) => set(desk, *args).await,
        BudgetsCommand::Delete { name } => {
            people::delete_budget(&*desk.store, &desk.actor, &name).await?;
            desk.out.show(&json!({ "name": name }), &[format!("removed the budget `{name}`")])
        }
        BudgetsCommand::Alerts { limit } => alerts(desk, limit).await,
    }
}

async fn set(desk: &Desk, args: SetBudgetArgs) -> CliResult {
    let (scope, own_zone) = scope(desk, args.scope).await?;
    let allowance = match (args.usd, args.tokens) {
        (Some(usd), _) => Allowance::Money(usd),
        (None, tokens) => Allowance::Tokens(tokens.unwrap_or_default()),
    };
    let budget = Budget {
        name: args.name,
        scope,
        period: match args.per {
            Per::Hour => Period::Hour,
            Per::Day => Period::Day,
            Per::Month => Period::Month,
            Per::Total => Period::Total,
        },
        allowance,
        enforcement: if args.soft { Enforcement::Soft } else { Enforcement::Hard },
        time_zone: args.time_zone.unwrap_or(if own_zone.is_empty() { "UTC".to_owned() } else { own_zone }),
    };
    people::set_budget(&*desk.store, &desk.actor, &budget).await?;
    let line = format!(
        "the budget `{}`: {} per {}, {}",
        budget.name,
        much(budget.allowance),
        word(&budget.period),
        word(&budget.enforcement)
    );
    let whose = whose(desk, &budget.scope).await?;
    desk.out.show(&as_json(&budget, &whose), &[line])
}

/// Whose spending, and the time zone of whoever that is.
async fn scope(desk: &Desk, args: BudgetScopeArgs) -> CliResult<(Scope, String)> {
    let store = &*desk.store;
    let zone = async |tenant| -> CliResult<String> {
        Ok(store.tenant(tenant).await?.map(|tenant| tenant.time_zone).unwrap_or_default())
    };
    Ok(match args {
        BudgetScopeArgs { key: Some(name), .. } => {
            let key = keys::find_key(store, &name).await?;
            let user = store.user(key.user).await?.ok_or("the user of this key is gone")?;
            (Scope::Key(key.id), zone(user.tenant).await?)
        }
        BudgetScopeArgs { user: Some(name), .. } => {
            let user = people::find_user(store, &name).await?;
            (Scope::User(user.id), zone(user.tenant).await?)
        }
        BudgetScopeArgs { tenant: Some(name), .. } => {
            let tenant = people::find_tenant(store, &name).await?;
            (Scope::Tenant(tenant.id), tenant.time_zone)
        }
        BudgetScopeArgs { channel: Some(name), .. } => {
            (Scope::Channel(channels::find_channel(store, &name).await?.id), String::new())
        }
        BudgetScopeArgs { model, .. } => (Scope::Model(model.unwrap_or_default()), String::new()),
    })
}

/// A scope by name, such as `tenant acme`; by number where there is nobody of it any more.
async fn whose(desk: &Desk, scope: &Scope) -> CliResult<String> {
    let store = &*desk.store;
    let (kind, name) = match scope {
        Scope::Key(id) => ("key", store.key(*id).await?.map(|key| key.name)),
        Scope::User(id) => ("user", store.user(*id).await?.map(|user| user.name)),
        Scope::Tenant(id) => ("tenant", store.tenant(*id).await?.map(|tenant| tenant.name)),
        Scope::Channel(id) => {
            let channel = store.channels().await?.into_iter().find(|channel| channel.id == *id);
            ("channel", channel.map(|channel| channel.name))
        }
        Scope::Model(name) => ("model", Some(name.clone())),
    };
    Ok(name.map_or_else(|| scope.to_string(), |name| format!("{kind} {name}")))
}

async fn list(desk: &Desk) -> CliResult {
    let (mut rows, mut json) = (Vec::new(), Vec::new());
    for budget in people::list_budgets(&*desk.store, &desk.actor).await? {
        let whose = whose(desk, &budget.scope).await?;
        let zone = if budget.time_zone.is_empty() { "UTC" } else { &budget.time_zone };
        json.push(as_json(&budget, &whose));
        rows.push([
            budget.name.clone(),
            whose,
            much(budget.allowance),
            word(&budget.period),
            word(&budget.enforcement),
            zone.to_owned(),
        ]);
    }
    desk.out.list(json, ["name", "of", "allowance", "per", "then", "zone"], &rows)
}

async fn alerts(desk: &Desk, limit: u32) -> CliResult {
    let all = desk.store.alerts(limit).await?;
    let rows: Vec<_> =
        all.iter().map(|a| [moment::show(a.at), a.kind.clone(), a.subject.clone(), a.text.clone()]).collect();
    let json = all.iter().map(|alert| serde_json::to_value(alert).unwrap_or_default()).collect();
    desk.out.list(json, ["at", "kind", "about", "text"], &rows)
}

fn much(allowance: Allowance) -> String {
    match allowance {
        Allowance::Money(amount) => format!("${amount}"),
        Allowance::Tokens(tokens) => format!("{tokens} tokens"),
    }
}

fn as_json(budget: &Budget, whose: &str) -> Value {
    let mut json = serde_json::to_value(budget).unwrap_or_default();
    json["scope"] = json!(budget.scope.to_string());
    json["of"] = json!(whose);
    if let Allowance::Money(amount) = budget.allowance {
        json["allowance_usd"] = json!(amount.to_string());
    }
    json
}

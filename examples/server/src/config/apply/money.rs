//! Plans, budgets and prices.

use super::{ApplyError, At, Changes};
use crate::config::{DeclaredBudget, DeclaredPrice, DeclaredScope};
use burncloud_billing::find_fault;
use burncloud_billing::people::{Actor, find_tenant, find_user, set_budget, set_plan};
use burncloud_core::store::{BudgetStore, PlanStore, PriceOverride, Store};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, channels, keys};
use burncloud_core::{Budget, Plan, Scope, TenantId};
use serde_json::{Map, Value};

/// Before the tenants and users that have them.
pub(super) async fn apply_plans<S: PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    declared: &[Plan],
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    if declared.is_empty() {
        return Ok(());
    }
    let stored = store.plans().await.at(|| "plans".into())?;
    for plan in declared {
        let what = || format!("plan `{}`", plan.name);
        let held = stored.iter().find(|held| held.name == plan.name);
        if held == Some(plan) {
            continue;
        }
        set_plan(store, actor, plan).await.at(what)?;
        let list = if held.is_some() { &mut changes.changed } else { &mut changes.made };
        list.push(what());
    }
    Ok(())
}

/// After those whose they are.
pub(super) async fn apply_budgets<S: Store + BudgetStore + ?Sized>(
    store: &S,
    actor: &Actor,
    declared: &[DeclaredBudget],
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    if declared.is_empty() {
        return Ok(());
    }
    let stored = store.budgets().await.at(|| "budgets".into())?;
    for budget in declared {
        let what = || format!("budget `{}`", budget.name);
        let (scope, zone) = scope(store, &budget.scope).await.at(what)?;
        let zone = if zone.is_empty() { "UTC".to_owned() } else { zone };
        let next = Budget {
            name: budget.name.clone(),
            scope,
            period: budget.period,
            allowance: budget.allowance,
            enforcement: budget.enforcement,
            time_zone: budget.time_zone.clone().unwrap_or(zone),
        };
        let held = stored.iter().find(|held| held.name == budget.name);
        if held == Some(&next) {
            continue;
        }
        set_budget(store, actor, &next).await.at(what)?;
        let list = if held.is_some() { &mut changes.changed } else { &mut changes.made };
        list.push(what());
    }
    Ok(())
}

/// Whose spending, and the time zone of whoever that is.
async fn scope<S: Store + ?Sized>(store: &S, declared: &DeclaredScope) -> UseCaseResult<(Scope, String)> {
    let zone = async |tenant: TenantId| -> UseCaseResult<String> {
        Ok(store.tenant(tenant).await?.map(|tenant| tenant.time_zone).unwrap_or_default())
    };
    Ok(match declared {
        DeclaredScope::Key(name) => {
            let key = keys::find_key(store, name).await?;
            let tenant = store.user(key.user).await?.map(|user| user.tenant).unwrap_or_default();
            (Scope::Key(key.id), zone(tenant).await?)
        }
        DeclaredScope::User(name) => {
            let user = find_user(store, name).await?;
            (Scope::User(user.id), zone(user.tenant).await?)
        }
        DeclaredScope::Tenant(name) => {
            let tenant = find_tenant(store, name).await?;
            (Scope::Tenant(tenant.id), tenant.time_zone)
        }
        DeclaredScope::Channel(name) => {
            (Scope::Channel(channels::find_channel(store, name).await?.id), String::new())
        }
        DeclaredScope::Model(name) => (Scope::Model(name.clone()), String::new()),
    })
}

/// All are checked before the first is stored: a rule that cannot be loaded would stand in the way of every other.
pub(super) async fn apply_prices<S: Store + ?Sized>(
    store: &S,
    declared: &[DeclaredPrice],
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    if declared.is_empty() {
        return Ok(());
    }
    let stored = store.prices().await.at(|| "prices".into())?;
    let mut new: Vec<(String, PriceOverride)> = Vec::new();
    for price in declared {
        let next = place(store, price).await.at(|| title(price))?;
        if let Some(next) = changed(&stored, next) {
            new.push((title(price), next));
        }
    }
    check_loads(&stored, &new)?;
    for (n, (title, next)) in new.iter().enumerate() {
        // They are not one transaction.
        let what = || match n {
            0 => title.clone(),
            n => format!("{title} ({n} of {} prices before it are set, applying again goes on)", new.len()),
        };
        store.add_price(next.clone()).await.at(what)?;
        changes.made.push(title.clone());
    }
    Ok(())
}

/// What there is to store, if that is not what holds already.
fn changed(stored: &[PriceOverride], mut next: PriceOverride) -> Option<PriceOverride> {
    let same_place = |s: &&PriceOverride| {
        let PriceOverride { version: _, book, channel, model, effective_at, rates: _ } = s;
        (*book, *channel, model, *effective_at) == (next.book, next.channel, &next.model, next.effective_at)
    };
    // Versions increase: of two prices from the same moment on the later one holds.
    let held = stored.iter().rev().find(same_place).map(|s| &s.rates);
    if next.model.is_empty() {
        if held.is_some_and(|held| named(held) == named(&next.rates)) {
            return None;
        }
        held.into_iter().for_each(|held| take_out(held, &mut next.rates));
    } else if held == Some(&next.rates) {
        return None;
    }
    Some(next)
}

fn check_loads(stored: &[PriceOverride], new: &[(String, PriceOverride)]) -> Result<(), ApplyError> {
    if new.is_empty() {
        return Ok(());
    }
    let last = stored.iter().map(|rule| rule.version).max().unwrap_or(0);
    let next =
        new.iter().zip(last + 1..).map(|((_, rule), version)| PriceOverride { version, ..rule.clone() });
    let all: Vec<PriceOverride> = stored.iter().cloned().chain(next).collect();
    let Some((at, fault)) = find_fault(&all) else { return Ok(()) };
    let what = || match at.checked_sub(stored.len()) {
        Some(at) => new[at].0.clone(),
        None => format!("the stored price of `{}` of version {}", all[at].model, all[at].version),
    };
    Err(UseCaseError::invalid(fault.field, fault.message)).at(what)
}

fn title(price: &DeclaredPrice) -> String {
    let what = if price.model.is_empty() {
        "groups and rates".to_owned()
    } else {
        format!("price of `{}`", price.model)
    };
    match (&price.book, &price.channel) {
        (Some(book), _) => format!("{what} in the book of `{book}`"),
        (None, Some(channel)) => format!("{what} at the channel `{channel}`"),
        (None, None) => what,
    }
}

async fn place<S: Store + ?Sized>(store: &S, price: &DeclaredPrice) -> UseCaseResult<PriceOverride> {
    let book = match &price.book {
        Some(name) => Some(find_tenant(store, name).await?.id),
        None => None,
    };
    let channel = match &price.channel {
        Some(name) => Some(channels::find_channel(store, name).await?.id),
        None => None,
    };
    let (model, rates) = (price.model.clone(), price.rates.clone());
    Ok(PriceOverride { version: 0, book, channel, model, effective_at: price.effective_at, rates })
}

/// What a row for a whole book sets, without what it takes out.
fn named(rates: &Value) -> Value {
    match rates {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            let kept = kept.map(|(name, value)| (name.clone(), named(value)));
            kept.filter(|(_, value)| value.as_object().is_none_or(|map| !map.is_empty())).collect()
        }
        other => other.clone(),
    }
}

/// A row for a whole book says nothing of what it does not name: what the last one set and this one does not is taken
/// out by name.
fn take_out(held: &Value, next: &mut Value) {
    let (Some(held), Some(next)) = (held.as_object(), next.as_object_mut()) else { return };
    for (name, value) in held {
        match value {
            Value::Object(_) => {
                take_out(value, next.entry(name.as_str()).or_insert_with(|| Map::new().into()));
            }
            _ => {
                next.entry(name.as_str()).or_insert(Value::Null);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_book_no_longer_names_is_taken_out() {
        let held =
            json!({"groups": {"vip": "0.8", "old": null}, "pairs": {"a": {"b": "0.5"}}, "fx": {"CNY": "7"}});
        let mut next = json!({"groups": {"gold": "0.9"}});
        assert_ne!(named(&held), named(&next));
        take_out(&held, &mut next);
        let expected = json!({
            "groups": {"gold": "0.9", "vip": null, "old": null},
            "pairs": {"a": {"b": null}},
            "fx": {"CNY": null},
        });
        assert_eq!(next, expected);
        assert_eq!(named(&next), json!({"groups": {"gold": "0.9"}}), "applied again it is the same");
    }
}

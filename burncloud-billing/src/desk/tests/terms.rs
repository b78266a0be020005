use super::*;
use crate::desk::{Actor, BudgetDraft, PlanDraft};
use burncloud_core::{AbortPolicy, Allowance, Enforcement, Nano, Period, Role, Scope};

fn draft(name: &str, scope: Scope) -> BudgetDraft {
    BudgetDraft {
        name: name.into(),
        scope,
        period: Period::Day,
        allowance: Allowance::Money(Nano(5)),
        enforcement: Enforcement::Hard,
        time_zone: String::new(),
    }
}

#[tokio::test]
async fn budgets_are_set_for_those_below() {
    let world = World::new().await;
    let seller = world.actor("reseller", Role::Reseller).await;
    let (sub, leaf) = (world.tenant("sub").await.id, world.user("leaf").await.id);
    let made = world.desk.set_budget(&seller, draft("sub daily", Scope::Tenant(sub)), None).await.unwrap();
    assert_eq!((made.spent_money, made.spent_tokens), (Nano::ZERO, 0));
    assert!(made.since.0 > 0);
    assert_eq!(world.noted("budget.set", 1).await.tenant, sub);
    world.desk.set_budget(&seller, draft("leaf daily", Scope::User(leaf)), None).await.unwrap();
    refused(world.desk.set_budget(&seller, draft("x", Scope::Tenant(seller.tenant)), None).await);
    refused(world.desk.set_budget(&seller, draft("x", Scope::Model("m".into())), None).await);
    hidden(
        world.desk.set_budget(&seller, draft("x", Scope::Tenant(world.tenant("other").await.id)), None).await,
    );
    let zone = BudgetDraft { time_zone: "Mars".into(), ..draft("x", Scope::Tenant(sub)) };
    invalid(world.desk.set_budget(&seller, zone, None).await, "time_zone");
    let me = world.me("leaf").await;
    refused(world.desk.set_budget(&me, draft("leaf daily", Scope::User(leaf)), None).await);
    refused(world.desk.delete_budget(&me, "leaf daily", Some("x")).await);
    assert_eq!(world.desk.budgets(&me).await.unwrap().len(), 1);
    assert_eq!(world.desk.budgets(&seller).await.unwrap().len(), 2);
    let stranger = world.actor("other", Role::Reseller).await;
    assert!(world.desk.budgets(&stranger).await.unwrap().is_empty());
    hidden(world.desk.delete_budget(&stranger, "sub daily", None).await);
    let more = || BudgetDraft { allowance: Allowance::Tokens(7), ..draft("sub daily", Scope::Tenant(sub)) };
    let second = world.desk.set_budget(&seller, more(), Some(&made.version)).await.unwrap();
    changed(world.desk.set_budget(&seller, more(), Some(&made.version)).await);
    changed(world.desk.set_budget(&seller, draft("new", Scope::Tenant(sub)), Some(&made.version)).await);
    changed(world.desk.delete_budget(&seller, "sub daily", Some(&made.version)).await);
    world.noted("budget.set", 3).await;
    world.desk.delete_budget(&seller, "sub daily", Some(&second.version)).await.unwrap();
    let noted = world.noted("budget.delete", 4).await;
    assert_eq!((&noted.before["allowance"]["tokens"], noted.after), (&7.into(), serde_json::Value::Null));
}

#[tokio::test]
async fn a_name_of_somebody_elses_budget_is_taken_and_says_no_more() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let other = Scope::Tenant(world.tenant("other").await.id);
    world.desk.set_budget(&boss, draft("daily", other), None).await.unwrap();
    let seller = world.actor("reseller", Role::Reseller).await;
    let ours = draft("daily", Scope::Tenant(world.tenant("sub").await.id));
    let error = world.desk.set_budget(&seller, ours, None).await.unwrap_err();
    assert_eq!(error.to_string(), "there is already a budget `daily`");
}

#[tokio::test]
async fn plans_are_the_houses() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let plan = |abort| PlanDraft { name: "gentle".into(), abort };
    let made = world.desk.set_plan(&boss, plan(AbortPolicy::Nothing), None).await.unwrap();
    world.noted("plan.set", 1).await;
    let reported = |drain_ms| plan(AbortPolicy::Reported { drain_ms });
    world.desk.set_plan(&boss, reported(5), Some(&made.version)).await.unwrap();
    changed(world.desk.set_plan(&boss, reported(6), Some(&made.version)).await);
    invalid(world.desk.set_plan(&boss, reported(600_001), None).await, "drain_ms");
    assert_eq!(world.desk.plans(&boss).await.unwrap().len(), 1);
    for role in [Role::Reseller, Role::Accountant, Role::EndUser] {
        let actor = world.actor("reseller", role).await;
        refused(world.desk.plans(&actor).await);
        refused(world.desk.set_plan(&actor, reported(1), Some("x")).await);
    }
    world.noted("plan.set", 2).await;
}

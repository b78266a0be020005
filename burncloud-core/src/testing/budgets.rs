//! Budgets, plans, alerts, and what was spent.

use super::{assert_not_found, receipt};
use crate::store::{AlertStore, BudgetStore, PlanStore, ReceiptStore, SpendingStore, StoreError};
use crate::{
    AbortPolicy, Alert, Allowance, Budget, ChannelId, Enforcement, KeyId, Leg, Nano, Period, Plan,
    QUARTER_US, Receipt, Scope, Spent, TenantId, UnixMicros, Usage, UserId,
};
use std::sync::Arc;

fn budget(name: &str, scope: Scope) -> Budget {
    Budget {
        name: name.into(),
        scope,
        period: Period::Month,
        allowance: Allowance::Money(Nano(5)),
        enforcement: Enforcement::Hard,
        time_zone: "Asia/Kolkata".into(),
    }
}

pub(super) async fn budgets_are_set_listed_and_removed<S: BudgetStore>(store: Arc<S>) {
    let list = async || store.budgets().await.expect("budgets answers");
    assert_eq!(list().await, [], "a new store has no budget");
    let mut all = [
        budget("a", Scope::Key(KeyId(1))),
        budget("b \"'ü%", Scope::User(UserId(2))),
        budget("c", Scope::Tenant(TenantId(3))),
        Budget {
            allowance: Allowance::Tokens(u64::MAX),
            enforcement: Enforcement::Soft,
            period: Period::Total,
            ..budget("d", Scope::Channel(ChannelId(4)))
        },
        Budget { period: Period::Hour, ..budget("e", Scope::Model("m:x/模型".into())) },
    ];
    for budget in all.iter().rev() {
        store.set_budget(budget).await.expect("set_budget sets");
    }
    assert_eq!(list().await, all, "budgets are listed by name, every field kept");
    all[1] = Budget {
        period: Period::Day,
        allowance: Allowance::Tokens(7),
        ..budget(&all[1].name, all[0].scope.clone())
    };
    store.set_budget(&all[1]).await.expect("set_budget sets");
    assert_eq!(list().await, all, "a budget replaces the one of its name");
    store.delete_budget(&all[0].name).await.expect("delete_budget deletes");
    assert_eq!(list().await, all[1..], "a removed budget is gone");
    assert_not_found(store.delete_budget(&all[0].name).await, "removing it again");
    for name in [String::new(), "x".repeat(256)] {
        let refused = store.set_budget(&budget(&name, Scope::Key(KeyId(1)))).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "a name has 1 to 255 bytes: {refused:?}");
    }
}

pub(super) async fn plans_are_set_and_listed<S: PlanStore>(store: Arc<S>) {
    assert_eq!(store.plans().await.expect("plans answers"), [], "a new store has no plan");
    let plan = |name: &str, abort| Plan { name: name.into(), abort };
    let mut all = [
        plan("careful", AbortPolicy::Reported { drain_ms: u32::MAX }),
        plan("kind", AbortPolicy::Nothing),
        plan("usual", AbortPolicy::Delivered),
    ];
    for plan in all.iter().rev() {
        store.set_plan(plan).await.expect("set_plan sets");
    }
    assert_eq!(store.plans().await.expect("plans answers"), all, "plans are listed by name");
    all[1] = plan("kind", AbortPolicy::Reported { drain_ms: 1 });
    store.set_plan(&all[1]).await.expect("set_plan sets");
    assert_eq!(store.plans().await.expect("plans answers"), all, "a plan replaces the one of its name");
}

pub(super) async fn alerts_are_listed_newest_first<S: AlertStore>(store: Arc<S>) {
    assert_eq!(store.alerts(10).await.expect("alerts answers"), [], "a new store has no alert");
    let alert = |n: i64| Alert {
        at: UnixMicros(1_700_000_000_000_000 + n),
        kind: "budget_soft".into(),
        subject: format!("subject \"{n}\" ü"),
        text: "words '".repeat(100),
    };
    for n in 1..=5 {
        store.add_alert(&alert(n)).await.expect("add_alert keeps");
    }
    let newest: Vec<Alert> = (1..=5).rev().map(alert).collect();
    assert_eq!(store.alerts(10).await.expect("alerts answers"), newest, "newest first, every field kept");
    assert_eq!(store.alerts(2).await.expect("alerts answers"), newest[..2], "at most so many");
}

/// A receipt of the house's own user that arrived `at`.
fn spent_at(n: u64, at: i64, charge: i64) -> Receipt {
    let usage = Usage { input: 2, cached_read: 1, output: 3, reasoning: 4, pieces: 9, ..Usage::default() };
    let (at, charge, upstream_cost) = (UnixMicros(at), Nano(charge), Nano(charge / 2));
    Receipt { at, charge, usage, upstream_cost, legs: Vec::new(), ..receipt(n) }
}

async fn spent<S: SpendingStore>(store: &S, scope: Scope, since: i64) -> (i64, u64) {
    let Spent { money, tokens } = store.spent(&scope, UnixMicros(since)).await.expect("spent answers");
    (money.0, tokens)
}

pub(super) async fn spending_is_summed_in_quarters<S: SpendingStore + ReceiptStore>(store: Arc<S>) {
    let scopes = |model: &str| {
        let (key, user, tenant) = (Scope::Key(KeyId(7)), Scope::User(UserId(8)), Scope::Tenant(TenantId(9)));
        [key, user, tenant, Scope::Model(model.into())]
    };
    for scope in scopes("claude-ü") {
        assert_eq!(spent(&*store, scope, 0).await, (0, 0), "nothing was spent yet");
    }
    let noon = 2_000_000 * QUARTER_US;
    let other =
        Receipt { key: KeyId(70), user: UserId(80), model: "other".into(), ..spent_at(5, noon, 1_000) };
    let batch = [
        spent_at(1, noon - 1, 10),
        spent_at(2, noon, 200),
        spent_at(3, noon + QUARTER_US - 1, 3_000),
        spent_at(4, noon + QUARTER_US, 40_000),
        Receipt { tenant: TenantId(90), channel: Some(ChannelId(30)), ..other },
    ];
    let batch: Vec<_> = batch.into_iter().map(Arc::new).collect();
    store.record(&batch).await.expect("record records");
    for scope in scopes("claude-ü") {
        for (since, sum) in [
            (0, (43_210, 40)),
            (noon - QUARTER_US, (43_210, 40)),
            (noon, (43_200, 30)),
            (noon + QUARTER_US, (40_000, 10)),
            (noon + 2 * QUARTER_US, (0, 0)),
        ] {
            assert_eq!(spent(&*store, scope.clone(), since).await, sum, "{scope} since {since}");
        }
    }
    assert_eq!(spent(&*store, Scope::Channel(ChannelId(3)), noon).await, (21_600, 30), "a channel's cost");
    let others = [Scope::Key(KeyId(70)), Scope::User(UserId(80)), Scope::Tenant(TenantId(90))];
    for scope in others.into_iter().chain([Scope::Model("other".into())]) {
        assert_eq!(spent(&*store, scope.clone(), 0).await, (1_000, 10), "{scope} is apart");
    }
    assert_eq!(spent(&*store, Scope::Channel(ChannelId(30)), 0).await, (500, 10));
    assert_eq!(spent(&*store, Scope::Model("claude".into()), 0).await, (0, 0), "a prefix is another model");
}

pub(super) async fn spending_of_tenants_holds_those_below<S: SpendingStore + ReceiptStore>(store: Arc<S>) {
    let leg = |tenant, parent, charge| Leg {
        tenant: TenantId(tenant),
        parent: TenantId(parent),
        charge: Nano(charge),
        shortfall: Nano::ZERO,
    };
    let of = |n, tenant, charge, legs| {
        Arc::new(Receipt { tenant: TenantId(tenant), legs, ..spent_at(n, QUARTER_US, charge) })
    };
    let batch = [
        of(1, 21, 100, vec![leg(21, 22, 70), leg(22, 23, 50)]),
        of(2, 22, 30, vec![leg(22, 23, 20)]),
        of(3, 23, 7, vec![]),
    ];
    store.record(&batch).await.expect("record records");
    for (tenant, sum, promise) in [
        (21, (70, 10), "what it pays its parent"),
        (22, (70, 20), "with what is below it"),
        (23, (77, 30), "the house: what its users and the tenants right below it are charged"),
    ] {
        assert_eq!(spent(&*store, Scope::Tenant(TenantId(tenant)), 0).await, sum, "{promise}");
    }
}

pub(super) async fn spending_counts_a_receipt_once<S: SpendingStore + ReceiptStore>(store: Arc<S>) {
    let one = Arc::new(spent_at(1, QUARTER_US, 11));
    store.record(&[one.clone(), one.clone()]).await.expect("record records");
    store.record(&[one.clone(), Arc::new(spent_at(2, QUARTER_US, 5))]).await.expect("record records");
    assert_eq!(spent(&*store, Scope::Key(KeyId(7)), 0).await, (16, 20), "each receipt counts once");
    assert_eq!(spent(&*store, Scope::Tenant(TenantId(9)), 0).await, (16, 20));
    let refused = Receipt { usage: Usage::default(), ..spent_at(3, QUARTER_US, 0) };
    let nowhere = Receipt { channel: None, model: "".into(), ..refused };
    store.record(&[Arc::new(nowhere)]).await.expect("record records");
    assert_eq!(spent(&*store, Scope::Key(KeyId(7)), 0).await, (16, 20), "a refused request spends nothing");
}

pub(super) async fn concurrent_receipts_are_all_spent<S: SpendingStore + ReceiptStore>(store: Arc<S>) {
    let tasks: Vec<_> = (0..6u64)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..5 {
                    let one = Arc::new(spent_at(task * 100 + n + 1, QUARTER_US, 3));
                    store.record(&[one]).await.expect("record records");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("recording does not panic");
    }
    assert_eq!(spent(&*store, Scope::User(UserId(8)), 0).await, (90, 300));
    assert_eq!(spent(&*store, Scope::Tenant(TenantId(9)), 0).await, (90, 300));
}

pub(super) async fn spending_never_overflows<S: SpendingStore + ReceiptStore>(store: Arc<S>) {
    let most = |n| Arc::new(spent_at(n, QUARTER_US * n as i64, i64::MAX / 2 + 1));
    store.record(&[most(1), most(2)]).await.expect("record records");
    store.record(&[most(3)]).await.expect("record records");
    assert_eq!(
        spent(&*store, Scope::Key(KeyId(7)), 0).await.0,
        i64::MAX,
        "a sum stops at the largest amount"
    );
}

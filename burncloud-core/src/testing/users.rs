//! Users, tenants and balances.

use super::{LIMITS, assert_conflict, assert_not_found, default_user};
use crate::store::{Store, StoreError};
use crate::{Limits, Nano, Status, Tenant, TenantId, User, UserId};
use std::sync::Arc;

pub(super) async fn begins_with_a_default_tenant_and_user<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    assert_eq!(user.balance, None, "the user `default` has an unlimited balance");
    assert_eq!(
        (user.status, user.used),
        (Status::Active, Nano::ZERO),
        "the user `default` is new and active"
    );
    let tenants = store.tenants().await.expect("tenants answers");
    assert_eq!(tenants.len(), 1, "a new store has one tenant");
    assert_eq!((&*tenants[0].name, tenants[0].id), ("default", user.tenant), "it is `default`");
    assert_eq!(store.users(None, 10).await.expect("users answers"), [user], "a new store has one user");
    assert!(store.keys(None, 10).await.expect("keys answers").is_empty(), "a new store has no key");
    assert!(store.channels().await.expect("channels answers").is_empty(), "a new store has no channel");
}

pub(super) async fn tenants_are_made_found_listed_and_changed<S: Store>(store: Arc<S>) {
    let made = store.create_tenant("acme", LIMITS).await.expect("create_tenant makes a tenant");
    assert_eq!((&*made.name, made.limits), ("acme", LIMITS), "create_tenant returns what was asked for");
    assert!(made.created_at.0 > 0, "a tenant has a time of making");
    assert_conflict(store.create_tenant("acme", LIMITS).await, "a taken tenant's name");
    let found = store.tenant_by_name("acme").await.expect("tenant_by_name answers");
    assert_eq!(found.as_ref(), Some(&made), "tenant_by_name finds what was made");
    assert_eq!(store.tenant_by_name("nobody").await.expect("tenant_by_name answers"), None);
    let ids: Vec<_> = store.tenants().await.expect("tenants answers").iter().map(|t| t.id).collect();
    assert!(ids.is_sorted() && ids.contains(&made.id), "tenants lists all in the order of their ids");

    let changed = Tenant { limits: Limits::default(), ..made.clone() };
    store.update_tenant(&changed).await.expect("update_tenant replaces the limits");
    let found = store.tenant_by_name("acme").await.expect("tenant_by_name answers");
    assert_eq!(found, Some(changed), "update_tenant is visible at once");
    let unknown = Tenant { id: TenantId(9_999), ..made };
    assert_not_found(store.update_tenant(&unknown).await, "updating an unknown tenant");
}

pub(super) async fn users_are_made_found_and_changed<S: Store>(store: Arc<S>) {
    let tenant = default_user(&*store).await.tenant;
    let made = store.create_user("ann", tenant, Some(Nano(-5)), LIMITS).await.expect("create_user makes one");
    assert_eq!((made.tenant, made.balance, made.limits), (tenant, Some(Nano(-5)), LIMITS));
    assert_conflict(store.create_user("ann", tenant, None, LIMITS).await, "a taken user's name");
    assert_not_found(store.create_user("bob", TenantId(9_999), None, LIMITS).await, "an unknown tenant");
    assert_eq!(
        store.user_by_name("bob").await.expect("user_by_name answers"),
        None,
        "a refused user is not made"
    );
    let found = store.user(made.id).await.expect("user answers");
    assert_eq!(found.as_ref(), Some(&made), "user finds by id what was made");
    assert_eq!(store.user_by_name("ann").await.expect("user_by_name answers").as_ref(), Some(&made));
    assert_eq!(store.user(UserId(9_999)).await.expect("user answers"), None, "an unknown id finds nobody");

    let change = User {
        status: Status::Disabled,
        limits: Limits::default(),
        balance: Some(Nano(77)),
        used: Nano(77),
        ..made.clone()
    };
    store.update_user(&change).await.expect("update_user replaces status and limits");
    let expected = User { status: Status::Disabled, limits: Limits::default(), ..made.clone() };
    let found = store.user(made.id).await.expect("user answers");
    assert_eq!(found, Some(expected), "update_user replaces status and limits, not balance and used");
    let unknown = User { id: UserId(9_999), ..made };
    assert_not_found(store.update_user(&unknown).await, "updating an unknown user");
}

pub(super) async fn users_are_listed_in_pages<S: Store>(store: Arc<S>) {
    let first = default_user(&*store).await;
    let mut expected = vec![first.id];
    for n in 0..5 {
        let user = store.create_user(&format!("u{n}"), first.tenant, None, LIMITS).await;
        expected.push(user.expect("create_user makes one").id);
    }
    let mut seen = Vec::new();
    loop {
        let page = store.users(seen.last().copied(), 4).await.expect("users answers");
        assert!(page.len() <= 4, "users returns at most `limit`");
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|user| user.id));
    }
    assert_eq!(seen, expected, "pages of users join to all users, in the order of their ids");
}

pub(super) async fn balances_are_added_to_and_set<S: Store>(store: Arc<S>) {
    let id = default_user(&*store).await.id;
    let balance = async || store.user(id).await.expect("user answers").expect("the user exists").balance;
    let sum = store.add_balance(id, Nano(10)).await.expect("add_balance adds");
    assert_eq!(sum, Nano(10), "an unlimited balance becomes limited, starting at nothing");
    assert_eq!(store.add_balance(id, Nano(-25)).await.expect("add_balance takes"), Nano(-15));
    assert_eq!(balance().await, Some(Nano(-15)), "add_balance is visible at once");
    store.set_balance(id, None).await.expect("set_balance sets");
    assert_eq!(balance().await, None, "set_balance to None is unlimited");
    store.set_balance(id, Some(Nano(3))).await.expect("set_balance sets");
    store.set_balance(id, Some(Nano(3))).await.expect("set_balance to the same is no error");
    assert_eq!(balance().await, Some(Nano(3)), "set_balance replaces the balance");
    assert_not_found(store.add_balance(UserId(9_999), Nano(1)).await, "paying an unknown user");
    assert_not_found(store.set_balance(UserId(9_999), None).await, "the balance of an unknown user");
}

pub(super) async fn a_balance_never_overflows<S: Store>(store: Arc<S>) {
    let id = default_user(&*store).await.id;
    for (start, step) in [(Nano::MAX, Nano(1)), (Nano(i64::MIN), Nano(-1))] {
        store.set_balance(id, Some(start)).await.expect("set_balance sets");
        let refused = store.add_balance(id, step).await;
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "a sum that does not fit: Invalid, not {refused:?}"
        );
        let user = store.user(id).await.expect("user answers").expect("the user exists");
        assert_eq!(user.balance, Some(start), "a refused payment changes nothing");
    }
}

pub(super) async fn concurrent_payments_all_count<S: Store>(store: Arc<S>) {
    let id = default_user(&*store).await.id;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.add_balance(id, Nano(7)).await.expect("add_balance adds") })
        })
        .collect();
    let mut sums = Vec::new();
    for task in tasks {
        sums.push(task.await.expect("a payment does not panic").0);
    }
    sums.sort_unstable();
    let expected: Vec<i64> = (1..=10).map(|n| 7 * n).collect();
    assert_eq!(sums, expected, "concurrent payments all count, each seeing its own sum");
}

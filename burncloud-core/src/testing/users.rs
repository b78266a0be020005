//! Users and tenants.

use super::{LIMITS, assert_conflict, assert_not_found, default_user, new_user};
use crate::store::{NewTenant, NewUser, Store};
use crate::{Limits, Nano, Role, Status, Tenant, TenantId, User, UserId};
use std::sync::Arc;

pub(super) async fn begins_with_a_default_tenant_and_user<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    assert!(user.unlimited && user.balance == Nano::ZERO, "the user `default` has an unlimited wallet");
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
    let house = default_user(&*store).await.tenant;
    let new = NewTenant {
        name: "acme".into(),
        parent: Some(house),
        unlimited: true,
        group: Some("gold".into()),
        plan: Some("careful".into()),
        time_zone: "Asia/Shanghai".into(),
        limits: LIMITS,
    };
    let made = store.create_tenant(new.clone()).await.expect("create_tenant makes a tenant");
    assert!(made.created_at.0 > 0, "a tenant has a time of making");
    let NewTenant { name, parent, unlimited, group, plan, time_zone, limits } = new.clone();
    let (id, created_at) = (made.id, made.created_at);
    let asked = Tenant {
        id,
        name,
        parent,
        unlimited,
        group,
        plan,
        time_zone,
        limits,
        created_at,
        ..Tenant::default()
    };
    assert_eq!(made, asked, "create_tenant returns what was asked for");
    assert_conflict(store.create_tenant(new.clone()).await, "a taken tenant's name");
    let orphan = NewTenant { name: "orphan".into(), parent: Some(TenantId(9_999)), ..new };
    assert_not_found(store.create_tenant(orphan).await, "an unknown parent");
    let found = store.tenant_by_name("acme").await.expect("tenant_by_name answers");
    assert_eq!(found.as_ref(), Some(&made), "tenant_by_name finds what was made");
    assert_eq!(store.tenant(made.id).await.expect("tenant answers").as_ref(), Some(&made), "so does tenant");
    assert_eq!(store.tenant_by_name("nobody").await.expect("tenant_by_name answers"), None);
    let ids: Vec<_> = store.tenants().await.expect("tenants answers").iter().map(|t| t.id).collect();
    assert!(ids.is_sorted() && ids.contains(&made.id), "tenants lists all in the order of their ids");

    let changed = Tenant {
        status: Status::Disabled,
        unlimited: false,
        group: None,
        plan: None,
        time_zone: String::new(),
        limits: Limits::default(),
        ..made.clone()
    };
    let ledger_says =
        Tenant { balance: Nano(7), credit: Nano(7), used: Nano(7), parent: None, ..changed.clone() };
    store.update_tenant(&ledger_says).await.expect("update_tenant replaces what may change");
    let found = store.tenant_by_name("acme").await.expect("tenant_by_name answers");
    assert_eq!(
        found,
        Some(changed),
        "update_tenant is visible at once, and changes neither money nor parent"
    );
    let unknown = Tenant { id: TenantId(9_999), ..made };
    assert_not_found(store.update_tenant(&unknown).await, "updating an unknown tenant");
}

pub(super) async fn users_are_made_found_and_changed<S: Store>(store: Arc<S>) {
    let tenant = default_user(&*store).await.tenant;
    let new = NewUser {
        name: "ann".into(),
        tenant,
        role: Role::Accountant,
        unlimited: true,
        group: Some("vip".into()),
        plan: Some("careful".into()),
        limits: LIMITS,
    };
    let made = store.create_user(new.clone()).await.expect("create_user makes one");
    let NewUser { name, role, unlimited, group, plan, limits, .. } = new.clone();
    let (id, created_at) = (made.id, made.created_at);
    let asked =
        User { id, name, tenant, role, unlimited, group, plan, limits, created_at, ..User::default() };
    assert_eq!(made, asked, "create_user returns what was asked for");
    assert_conflict(store.create_user(new).await, "a taken user's name");
    assert_not_found(store.create_user(new_user("bob", TenantId(9_999))).await, "an unknown tenant");
    assert_eq!(
        store.user_by_name("bob").await.expect("user_by_name answers"),
        None,
        "a refused user is not made"
    );
    let found = store.user(made.id).await.expect("user answers");
    assert_eq!(found.as_ref(), Some(&made), "user finds by id what was made");
    assert_eq!(store.user_by_name("ann").await.expect("user_by_name answers").as_ref(), Some(&made));
    assert_eq!(store.user(UserId(9_999)).await.expect("user answers"), None, "an unknown id finds nobody");

    let expected = User {
        status: Status::Disabled,
        role: Role::Owner,
        unlimited: false,
        group: None,
        plan: None,
        limits: Limits::default(),
        ..made.clone()
    };
    let change = User { balance: Nano(77), credit: Nano(77), used: Nano(77), ..expected.clone() };
    store.update_user(&change).await.expect("update_user replaces what may change");
    let found = store.user(made.id).await.expect("user answers");
    assert_eq!(found, Some(expected), "update_user replaces what may change, and no money");
    let unknown = User { id: UserId(9_999), ..made };
    assert_not_found(store.update_user(&unknown).await, "updating an unknown user");
}

pub(super) async fn users_are_listed_in_pages<S: Store>(store: Arc<S>) {
    let first = default_user(&*store).await;
    let mut expected = vec![first.id];
    for n in 0..5 {
        let user = store.create_user(new_user(&format!("u{n}"), first.tenant)).await;
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

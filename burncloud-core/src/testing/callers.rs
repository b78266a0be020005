//! Looking up whoever stands behind a key: what changes is seen at once.

use super::{LIMITS, caller_of, default_user, new_key, new_user, top_up};
use crate::store::{NewTenant, Store};
use crate::{ApiKey, KeyHash, Limits, Nano, Status, Tenant, UnixMicros, User};
use std::sync::Arc;

pub(super) async fn a_caller_has_its_user_and_tenant<S: Store>(store: Arc<S>) {
    let house = default_user(&*store).await.tenant;
    let named =
        |name: &str, parent| NewTenant { name: name.into(), parent: Some(parent), ..NewTenant::default() };
    let reseller = store.create_tenant(named("acme", house)).await.expect("create_tenant makes a tenant");
    let tenant =
        store.create_tenant(named("below", reseller.id)).await.expect("create_tenant makes a tenant");
    let user = store.create_user(new_user("ann", tenant.id)).await.expect("create_user makes one");
    let key = store.create_key(new_key("k", user.id)).await.expect("create_key makes a key");
    let caller = caller_of(&*store, "k").await.expect("a key that was made is found");
    assert_eq!((&caller.key, &caller.user, &caller.tenant), (&key, &user, &tenant), "with user and tenant");
    let above: Vec<_> = caller.ancestors.iter().map(|tenant| tenant.id).collect();
    assert_eq!(above, [reseller.id, house], "and the tenants above, the nearest first");
    let change = Tenant { status: Status::Disabled, ..reseller };
    store.update_tenant(&change).await.expect("update_tenant replaces");
    let caller = caller_of(&*store, "k").await.expect("found");
    assert_eq!(caller.ancestors[0], change, "a change above is seen at once");
}

pub(super) async fn nobody_is_nobody_until_the_key_is_made<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    assert!(caller_of(&*store, "k").await.is_none(), "an unknown key is nobody's");
    assert!(caller_of(&*store, "k").await.is_none(), "and stays so");
    store.create_key(new_key("k", user)).await.expect("create_key makes a key");
    assert!(caller_of(&*store, "k").await.is_some(), "a key that was unknown is found as soon as it is made");
}

pub(super) async fn a_changed_key_is_seen_at_once<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    let key = store.create_key(new_key("k", user)).await.expect("create_key makes a key");
    caller_of(&*store, "k").await.expect("a key that was made is found");
    for status in [Status::Disabled, Status::Revoked, Status::Active] {
        let change = ApiKey { status, limits: LIMITS, quota: Some(Nano(1)), ..key.clone() };
        store.update_key(&change, None).await.expect("update_key replaces");
        let caller = caller_of(&*store, "k").await.expect("a key is found whatever its status");
        assert_eq!(caller.key, change, "a change of a key is seen at once");
    }
    let tenant = caller_of(&*store, "k").await.expect("found").tenant.id;
    let other = store.create_user(new_user("ann", tenant)).await.expect("create_user makes one");
    store.update_key(&ApiKey { user: other.id, ..key }, None).await.expect("update_key replaces");
    let caller = caller_of(&*store, "k").await.expect("found");
    assert_eq!(caller.user, other, "a key that changed hands is its new owner's at once");
}

pub(super) async fn a_rotated_secret_is_seen_at_once<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    let key = store.create_key(new_key("old", user)).await.expect("create_key makes a key");
    assert!(caller_of(&*store, "old").await.is_some(), "the first secret works");
    assert!(caller_of(&*store, "new").await.is_none(), "the second does not yet");
    store.update_key(&key, Some(KeyHash::of(b"new"))).await.expect("update_key replaces");
    assert!(caller_of(&*store, "old").await.is_none(), "a secret that was replaced works no more, at once");
    let caller = caller_of(&*store, "new").await.expect("the new secret works at once");
    assert_eq!(caller.key, key, "and is the same key");
}

pub(super) async fn the_secret_before_works_for_its_term<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    let key = store.create_key(new_key("a", user)).await.expect("create_key makes a key");
    let later = UnixMicros(UnixMicros::now().0 + 3_600_000_000);
    let until = |previous_until| ApiKey { previous_until, ..key.clone() };
    store.update_key(&until(Some(later)), None).await.expect("update_key replaces");
    let found = store.key(key.id).await.expect("key answers").expect("the key is there");
    assert_eq!(found.previous_until, None, "there is no secret before the first");
    store.update_key(&until(Some(later)), Some(KeyHash::of(b"b"))).await.expect("update_key replaces");
    let caller = caller_of(&*store, "b").await.expect("the new secret works");
    assert_eq!((caller.key.previous_until, caller.key.expires_at), (Some(later), None));
    let caller = caller_of(&*store, "a").await.expect("and so does the one before");
    assert_eq!((caller.key.id, caller.key.expires_at), (key.id, Some(later)), "to the end of its term");
    let soon = ApiKey { expires_at: Some(UnixMicros(5)), ..until(Some(later)) };
    store.update_key(&soon, None).await.expect("update_key replaces");
    let caller = caller_of(&*store, "a").await.expect("another change leaves it");
    assert_eq!(caller.key.expires_at, Some(UnixMicros(5)), "a key that ends earlier ends for both");
    store.update_key(&until(Some(later)), Some(KeyHash::of(b"c"))).await.expect("update_key replaces");
    assert!(caller_of(&*store, "a").await.is_none(), "there is one before, not two");
    assert!(caller_of(&*store, "b").await.is_some(), "the last one");
    let off = ApiKey { status: Status::Revoked, ..until(Some(later)) };
    store.update_key(&off, None).await.expect("update_key replaces");
    let caller = caller_of(&*store, "b").await.expect("found whatever its status");
    assert_eq!(caller.key.status, Status::Revoked, "a change of the key is one of both, at once");
    store.update_key(&until(Some(UnixMicros(1))), None).await.expect("update_key replaces");
    assert!(caller_of(&*store, "b").await.is_none(), "after its term it is nobody's");
    store.update_key(&until(Some(later)), None).await.expect("update_key replaces");
    assert!(caller_of(&*store, "b").await.is_some(), "a term can be made longer");
    store.update_key(&until(None), None).await.expect("update_key replaces");
    assert!(caller_of(&*store, "b").await.is_none(), "or ended");
    store.update_key(&until(Some(later)), None).await.expect("update_key replaces");
    assert!(caller_of(&*store, "b").await.is_none(), "for good");
    assert!(caller_of(&*store, "c").await.is_some(), "the present secret works all the while");
}

pub(super) async fn a_changed_user_or_tenant_is_seen_at_once<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    store.create_key(new_key("k", user.id)).await.expect("create_key makes a key");
    let caller = caller_of(&*store, "k").await.expect("found");
    let change = User { status: Status::Disabled, limits: LIMITS, ..user.clone() };
    store.update_user(&change).await.expect("update_user replaces");
    assert_eq!(
        caller_of(&*store, "k").await.expect("found").user,
        change,
        "a change of a user is seen at once"
    );
    top_up(&*store, &user, Nano(5)).await.expect("post posts");
    let seen = caller_of(&*store, "k").await.expect("found").user.balance;
    assert_eq!(seen, Nano(5), "a payment is seen at once");
    let tenant = Tenant { limits: Limits { concurrency: Some(1), ..LIMITS }, ..caller.tenant.clone() };
    store.update_tenant(&tenant).await.expect("update_tenant replaces");
    let seen = caller_of(&*store, "k").await.expect("found");
    assert_eq!(seen.tenant, tenant, "a change of a tenant is seen at once");
}

pub(super) async fn an_unchanged_caller_keeps_its_slots<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    for name in ["k", "other"] {
        store.create_key(new_key(name, user)).await.expect("create_key makes a key");
    }
    let first = caller_of(&*store, "k").await.expect("found");
    first.limit_slot.get_or_init(|| Arc::new(5_u32));
    let again = caller_of(&*store, "k").await.expect("found");
    let kept = again.limit_slot.get_or_init(|| Arc::new(6_u32));
    assert_eq!(kept, Some(&5), "a caller that did not change is the same object, with its slots");
}

pub(super) async fn concurrent_lookups_share_one_caller<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    store.create_key(new_key("k", user)).await.expect("create_key makes a key");
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { caller_of(&*store, "k").await.expect("found") })
        })
        .collect();
    let first = caller_of(&*store, "k").await.expect("found");
    for task in tasks {
        let caller = task.await.expect("a look-up does not panic");
        assert!(Arc::ptr_eq(&caller, &first), "concurrent look-ups of one key share one caller");
    }
}

//! API keys.

use super::{LIMITS, assert_conflict, assert_not_found, default_user, new_key, new_user};
use crate::store::{NewKey, Store};
use crate::{ApiKey, KeyHash, KeyId, Nano, Status, UnixMicros, UserId};
use std::sync::Arc;

fn full(name: &str, user: UserId) -> NewKey {
    NewKey {
        hint: "sk-burn-ab12…".into(),
        quota: Some(Nano(i64::MAX)),
        limits: LIMITS,
        models: Some(vec!["gpt-5".into(), "模型, \"with\" 'quotes'".into()]),
        ips: Some(vec!["10.0.0.1".parse().expect("an address"), "2001:db8::1".parse().expect("an address")]),
        expires_at: Some(UnixMicros(i64::MAX)),
        group: Some("vip".into()),
        apps: Some(vec!["chat.example.com".into(), "我的工具".into()]),
        ..new_key(name, user)
    }
}

pub(super) async fn keys_are_made_and_found<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let made = store.create_key(new_key("k", user.id)).await.expect("create_key makes a key");
    assert_eq!((made.status, made.used), (Status::Active, Nano::ZERO), "a new key is active and unused");
    assert!(made.created_at.0 > 0, "a key has a time of making");
    let expected = ApiKey {
        id: made.id,
        name: "k".into(),
        hint: "sk-…".into(),
        user: user.id,
        created_at: made.created_at,
        ..ApiKey::default()
    };
    assert_eq!(made, expected, "create_key returns what was asked for");
    assert_eq!(store.key(made.id).await.expect("key answers").as_ref(), Some(&made), "key finds by id");
    let found_id = made.id;
    let found = store.key_by_name("k").await.expect("key_by_name answers");
    assert_eq!(found, Some(made), "key_by_name finds what was made");
    assert_eq!(store.key(KeyId(9_999)).await.expect("key answers"), None, "an unknown id finds nothing");
    let hash = store.key_hash(found_id).await.expect("key_hash answers");
    assert_eq!(hash, Some(new_key("k", user.id).hash), "key_hash is the hash that the key was made with");
    assert_eq!(
        store.key_hash(KeyId(9_999)).await.expect("key_hash answers"),
        None,
        "an unknown id has no hash"
    );
    assert_eq!(store.key_by_name("K").await.expect("key_by_name answers"), None, "names tell case apart");
    assert_not_found(store.create_key(new_key("x", UserId(9_999))).await, "a key of an unknown user");
}

pub(super) async fn every_field_of_a_key_is_kept<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let new = full("k", user.id);
    let made = store.create_key(new.clone()).await.expect("create_key makes a key");
    let found = store.key(made.id).await.expect("key answers").expect("the key is there");
    assert_eq!(found, made, "what is found is what create_key returned");
    assert_eq!((found.hint, found.quota, found.limits), (new.hint, new.quota, new.limits));
    assert_eq!((found.models, found.ips, found.expires_at), (new.models, new.ips, new.expires_at));
    assert_eq!((found.group, found.apps), (new.group, new.apps));

    let nothing = ApiKey { models: Some(vec![]), ips: Some(vec![]), apps: Some(vec![]), ..made };
    store.update_key(&nothing, None).await.expect("update_key replaces");
    let found = store.key(nothing.id).await.expect("key answers");
    assert_eq!(found, Some(nothing), "an empty list is not the same as none");
}

pub(super) async fn keys_are_listed_in_pages<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    let mut expected = Vec::new();
    for n in 0..7 {
        expected
            .push(store.create_key(new_key(&format!("k{n}"), user)).await.expect("create_key makes a key"));
    }
    assert_eq!(store.keys(None, 100).await.expect("keys answers"), expected, "all keys, by id");
    let page = store.keys(Some(expected[2].id), 3).await.expect("keys answers");
    assert_eq!(page, expected[3..6], "at most `limit` keys after `after`");
    let last = store.keys(Some(expected[6].id), 3).await.expect("keys answers");
    assert!(last.is_empty(), "after the last key there is none");
}

pub(super) async fn names_and_secrets_of_keys_are_unique<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    let one = store.create_key(new_key("one", user)).await.expect("create_key makes a key");
    let two = store.create_key(new_key("two", user)).await.expect("create_key makes a key");
    let same_name = NewKey { hash: KeyHash::of(b"other"), ..new_key("one", user) };
    assert_conflict(store.create_key(same_name).await, "a taken key's name");
    let same_secret = NewKey { hash: KeyHash::of(b"one"), ..new_key("three", user) };
    assert_conflict(store.create_key(same_secret).await, "a taken key's secret");
    let renamed = ApiKey { name: "one".into(), ..two.clone() };
    assert_conflict(store.update_key(&renamed, None).await, "renaming a key to a taken name");
    let stolen = store.update_key(&two, Some(KeyHash::of(b"one"))).await;
    assert_conflict(stolen, "giving a key a taken secret");
    let all = store.keys(None, 9).await.expect("keys answers");
    assert_eq!(all, [one, two], "a refused key or change leaves nothing behind");
}

pub(super) async fn an_update_replaces_what_may_change<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let other = store.create_user(new_user("other", user.tenant)).await.expect("create_user makes one");
    let made = store.create_key(new_key("k", user.id)).await.expect("create_key makes a key");
    let new = full("renamed", other.id);
    let change = ApiKey {
        id: made.id,
        name: new.name,
        hint: new.hint,
        user: new.user,
        status: Status::Revoked,
        quota: new.quota,
        used: Nano(999),
        limits: new.limits,
        models: new.models,
        ips: new.ips,
        expires_at: new.expires_at,
        created_at: UnixMicros(1),
        group: None,
        apps: new.apps,
        previous_until: None,
    };
    store.update_key(&change, None).await.expect("update_key replaces");
    let expected = ApiKey { used: made.used, created_at: made.created_at, ..change.clone() };
    let found = store.key_by_name("renamed").await.expect("key_by_name answers");
    assert_eq!(found, Some(expected), "update_key replaces all but id, used and created_at");
    assert_eq!(store.key_by_name("k").await.expect("key_by_name answers"), None, "the old name is free");
    store
        .create_key(NewKey { hash: KeyHash::of(b"again"), ..new_key("k", user.id) })
        .await
        .expect("and can be taken");
    let unknown = ApiKey { id: KeyId(9_999), name: "unknown".into(), ..change.clone() };
    assert_not_found(store.update_key(&unknown, None).await, "updating an unknown key");
    let homeless = ApiKey { user: UserId(9_999), ..change };
    assert_not_found(store.update_key(&homeless, None).await, "giving a key to an unknown user");
}

pub(super) async fn names_of_any_kind_are_kept_apart<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    let long = "长".repeat(255);
    let names = ["a", "A", "ä", "a\u{308}", "ab", "a%b", "a_b", "a'; DROP TABLE x; --", "🔑 ключ", &long];
    for name in names {
        store
            .create_key(new_key(name, user))
            .await
            .unwrap_or_else(|e| panic!("a key may be called {name}: {e}"));
    }
    for name in names {
        let found = store.key_by_name(name).await.expect("key_by_name answers");
        assert_eq!(found.map(|key| key.name).as_deref(), Some(name), "a name comes back as it went in");
    }
}

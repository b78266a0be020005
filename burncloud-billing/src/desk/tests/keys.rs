use super::*;
use crate::desk::{Actor, KeyChange, KeyDraft, KeyFilter, MadeKey};
use burncloud_core::store::CallerStore;
use burncloud_core::{KeyHash, KeyId, Limits, Nano, Role, Status, UnixMicros};

fn draft(name: &str) -> KeyDraft {
    KeyDraft { name: name.into(), ..KeyDraft::default() }
}

async fn made(world: &World, user: &str) -> MadeKey {
    let mine = world.me(user).await;
    world.desk.create_key(&mine, draft(&format!("key of {user}"))).await.unwrap()
}

async fn works(world: &World, secret: &str) -> bool {
    let found = world.store.caller(&KeyHash::of(secret.as_bytes())).await.unwrap();
    found.is_some_and(|caller| caller.key.expires_at.is_none_or(|at| at > UnixMicros::now()))
}

#[tokio::test]
async fn a_key_is_made_shown_once_and_written_down() {
    let world = World::new().await;
    let made = made(&world, "leaf").await;
    assert!(works(&world, made.secret.expose()).await);
    assert_eq!(format!("{:?}", made.secret), "OneTime(…)");
    assert_eq!(serde_json::to_value(&made).unwrap()["secret"], made.secret.expose());
    assert_eq!((made.key.user_name.as_str(), made.key.tenant_name.as_str()), ("leaf", "leaf"));
    let entry = world.noted("key.create", 1).await;
    assert_eq!((entry.author.as_str(), entry.name.as_str()), ("leaf", "key of leaf"));
    assert_eq!((entry.subject, entry.before), (format!("key:{}", made.key.key.id), serde_json::Value::Null));
    assert_eq!(entry.after["name"], "key of leaf");
    let shown = world.desk.key(&world.me("leaf").await, made.key.key.id).await.unwrap();
    assert_eq!(shown, made.key);
    let hash = crate::proof::hex(&KeyHash::of(made.secret.expose().as_bytes()).0);
    world.no_secret_in_audit(&[made.secret.expose(), &hash]).await;
}

#[tokio::test]
async fn one_sees_ones_own_keys_and_those_of_ones_branch() {
    let world = World::new().await;
    for user in ["reseller", "sub", "leaf", "other"] {
        made(&world, user).await;
    }
    let names = async |actor: &Actor, filter: KeyFilter| -> Vec<String> {
        let page = world.desk.keys(actor, &filter).await.unwrap();
        assert_eq!(page.total, Some(page.items.len() as u64));
        page.items.into_iter().map(|key| key.user_name).collect()
    };
    let all = KeyFilter::default;
    assert_eq!(names(&Actor::operator("boss"), all()).await, ["reseller", "sub", "leaf", "other"]);
    for role in [Role::Reseller, Role::Accountant] {
        let actor = world.actor("sub", role).await;
        assert_eq!(names(&actor, all()).await, ["sub", "leaf"]);
        let (sub, other) = (world.tenant("sub").await.id, world.tenant("other").await.id);
        let of = |tenant, below| KeyFilter { tenant: Some(tenant), below, ..all() };
        assert_eq!(names(&actor, of(sub, false)).await, ["sub"]);
        assert_eq!(names(&actor, of(sub, true)).await, ["sub", "leaf"]);
        hidden(world.desk.keys(&actor, &of(other, true)).await);
    }
    let me = world.me("leaf").await;
    assert_eq!(names(&me, all()).await, ["leaf"]);
    let theirs = KeyFilter { user: Some(world.user("sub").await.id), ..all() };
    hidden(world.desk.keys(&me, &theirs).await);
    let nobody = Actor { user: None, ..me };
    assert!(names(&nobody, all()).await.is_empty());
    let two = KeyFilter { limit: 2, ..all() };
    let page = world.desk.keys(&Actor::operator("boss"), &two).await.unwrap();
    assert_eq!((page.items.len(), page.total), (2, Some(4)));
    let rest = KeyFilter { after: page.next.map(KeyId), ..two };
    let page = world.desk.keys(&Actor::operator("boss"), &rest).await.unwrap();
    assert_eq!(page.items[0].user_name, "leaf");
}

#[tokio::test]
async fn keys_are_changed_by_those_who_may() {
    let world = World::new().await;
    let made = made(&world, "leaf").await;
    let id = made.key.key.id;
    let off = || KeyChange { status: Some(Status::Disabled), ..KeyChange::default() };
    for stranger in [
        world.me("sub").await,
        world.actor("other", Role::Reseller).await,
        world.actor("other", Role::Accountant).await,
    ] {
        hidden(world.desk.key(&stranger, id).await);
        hidden(world.desk.update_key(&stranger, id, off(), None).await);
        hidden(world.desk.rotate_key(&stranger, id, 0, None).await);
        hidden(world.desk.revoke_key(&stranger, id, None).await);
        let theirs = KeyDraft { user: Some(world.user("leaf").await.id), ..draft("x") };
        hidden(world.desk.create_key(&stranger, theirs).await);
    }
    let looker = world.actor("sub", Role::Accountant).await;
    refused(world.desk.update_key(&looker, id, off(), None).await);
    refused(world.desk.rotate_key(&looker, id, 0, None).await);
    refused(world.desk.revoke_key(&looker, id, None).await);
    let me = world.me("leaf").await;
    let vip = || KeyChange { group: Some(Some("vip".into())), ..KeyChange::default() };
    refused(world.desk.update_key(&me, id, vip(), None).await);
    world.noted("key.create", 1).await;
    let seller = world.actor("reseller", Role::Reseller).await;
    world.desk.update_key(&seller, id, vip(), None).await.unwrap();
    let entry = world.noted("key.update", 2).await;
    assert_eq!((&entry.before["group"], &entry.after["group"]), (&serde_json::Value::Null, &"vip".into()));
    assert_eq!(entry.ip, "192.0.2.7");
    world.desk.update_key(&me, id, off(), None).await.unwrap();
    world.desk.revoke_key(&me, id, None).await.unwrap();
    world.desk.revoke_key(&me, id, None).await.unwrap();
    world.noted("key.revoke", 4).await;
    invalid(world.desk.update_key(&me, id, off(), None).await, "name");
    invalid(world.desk.rotate_key(&me, id, 0, None).await, "name");
}

#[tokio::test]
async fn keys_of_an_office_are_its_own() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let house = world.tenant("default").await.id;
    let new = crate::desk::UserDraft {
        name: "chief".into(),
        tenant: Some(house),
        role: Role::Owner,
        ..crate::desk::UserDraft::default()
    };
    world.desk.create_user(&boss, new).await.unwrap();
    let made = made(&world, "chief").await;
    let administrator = world.actor("default", Role::Administrator).await;
    refused(world.desk.rotate_key(&administrator, made.key.key.id, 0, None).await);
    world.desk.rotate_key(&boss, made.key.key.id, 0, None).await.unwrap();
}

#[tokio::test]
async fn a_change_is_of_what_was_looked_at() {
    let world = World::new().await;
    let made = made(&world, "leaf").await;
    let (id, me, first) = (made.key.key.id, world.me("leaf").await, made.key.version.clone());
    let limited = |n| KeyChange {
        limits: Some(Limits { concurrency: Some(n), ..Limits::default() }),
        ..KeyChange::default()
    };
    let second = world.desk.update_key(&me, id, limited(1), Some(&first)).await.unwrap();
    assert_ne!(second.version, first);
    changed(world.desk.update_key(&me, id, limited(2), Some(&first)).await);
    changed(world.desk.rotate_key(&me, id, 0, Some(&first)).await);
    changed(world.desk.revoke_key(&me, id, Some(&first)).await);
    world.noted("key.update", 2).await;
    let same = world.desk.update_key(&me, id, limited(1), Some(&second.version)).await.unwrap();
    assert_eq!(same.version, second.version);
    world.noted("key.update", 2).await;
    let (a, b) = tokio::join!(
        world.desk.update_key(&me, id, limited(3), Some(&second.version)),
        world.desk.update_key(&me, id, limited(4), Some(&second.version)),
    );
    assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1, "of two one is first");
}

#[tokio::test]
async fn a_rotated_key_works_by_both_secrets_for_a_while() {
    let world = World::new().await;
    let first = made(&world, "leaf").await;
    let (id, me) = (first.key.key.id, world.me("leaf").await);
    invalid(world.desk.rotate_key(&me, id, 604_801, None).await, "overlap");
    let second = world.desk.rotate_key(&me, id, 604_800, None).await.unwrap();
    assert!(second.key.key.previous_until.is_some());
    assert!(works(&world, first.secret.expose()).await && works(&world, second.secret.expose()).await);
    let change = KeyChange { quota: Some(Some(Nano(5))), ..KeyChange::default() };
    world.desk.update_key(&me, id, change, None).await.unwrap();
    assert!(works(&world, first.secret.expose()).await, "another change leaves the old secret");
    let third = world.desk.rotate_key(&me, id, 0, None).await.unwrap();
    for old in [&first, &second] {
        assert!(!works(&world, old.secret.expose()).await);
    }
    assert!(works(&world, third.secret.expose()).await);
    world.noted("key.rotate", 4).await;
    world.no_secret_in_audit(&[&first, &second, &third].map(|made| made.secret.expose())).await;
}

#[tokio::test]
async fn the_old_secret_can_be_ended_before_its_time() {
    let world = World::new().await;
    let first = made(&world, "leaf").await;
    let (id, me) = (first.key.key.id, world.me("leaf").await);
    let second = world.desk.rotate_key(&me, id, 3_600, None).await.unwrap();
    hidden(world.desk.end_overlap(&world.me("other").await, id, None).await);
    refused(world.desk.end_overlap(&world.actor("sub", Role::Accountant).await, id, None).await);
    changed(world.desk.end_overlap(&me, id, Some("old")).await);
    let ended = world.desk.end_overlap(&me, id, Some(&second.key.version)).await.unwrap();
    assert_eq!(ended.key.previous_until, None);
    assert!(!works(&world, first.secret.expose()).await && works(&world, second.secret.expose()).await);
    world.noted("key.end_overlap", 3).await;
    world.desk.end_overlap(&me, id, None).await.unwrap();
    world.noted("key.end_overlap", 3).await;
}

#[tokio::test]
async fn what_a_key_signs_with_is_for_its_own_user() {
    let world = World::new().await;
    let made = made(&world, "leaf").await;
    let (id, me) = (made.key.key.id, world.me("leaf").await);
    refused(world.desk.key_pair(&Actor::operator("boss"), id).await);
    refused(world.desk.key_pair(&world.actor("reseller", Role::Reseller).await, id).await);
    refused(world.desk.key_pair(&me.clone().acted_by(world.user("other").await.id), id).await);
    hidden(world.desk.key_pair(&world.me("other").await, id).await);
    world.noted("key.create", 1).await;
    let (access, secret) = world.desk.key_pair(&me, id).await.unwrap();
    assert!(access.starts_with("BC"), "{access}");
    world.noted("key.sign", 2).await;
    world.no_secret_in_audit(&[secret.expose(), made.secret.expose()]).await;
    world.desk.revoke_key(&me, id, None).await.unwrap();
    invalid(world.desk.key_pair(&me, id).await, "name");
}

#[tokio::test]
async fn faults_name_their_fields() {
    let world = World::new().await;
    let me = world.me("leaf").await;
    let past = Some(UnixMicros(1));
    invalid(world.desk.create_key(&me, draft("")).await, "name");
    invalid(world.desk.create_key(&me, KeyDraft { models: Some(vec![]), ..draft("x") }).await, "models");
    invalid(world.desk.create_key(&me, KeyDraft { apps: Some(vec![]), ..draft("x") }).await, "apps");
    invalid(world.desk.create_key(&me, KeyDraft { expires_at: past, ..draft("x") }).await, "expires_at");
    invalid(world.desk.create_key(&Actor::operator("boss"), draft("x")).await, "user");
    let made = made(&world, "leaf").await;
    let revoked = KeyChange { status: Some(Status::Revoked), ..KeyChange::default() };
    invalid(world.desk.update_key(&me, made.key.key.id, revoked, None).await, "status");
    world.noted("key.create", 1).await;
}

#[test]
fn what_is_left_out_of_a_change_stays_and_null_is_no_limit() {
    let change: KeyChange = serde_json::from_str(r#"{"quota": null, "group": "vip"}"#).unwrap();
    assert_eq!((change.quota, change.group, change.models), (Some(None), Some(Some("vip".into())), None));
    assert!(serde_json::from_str::<KeyChange>(r#"{"used": 1}"#).is_err(), "an unknown field");
}

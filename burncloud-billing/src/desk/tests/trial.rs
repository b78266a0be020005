//! Calls from the console: with whose key.

use super::world::{World, hidden, refused};
use crate::desk::{AuditQuery, KeyDraft};
use burncloud_core::store::KeyStore;
use burncloud_core::{KeyId, Role, Status, UnixMicros};

async fn key(world: &World, user: &str) -> KeyId {
    let boss = world.actor("default", Role::Owner).await;
    let user = Some(world.user(user).await.id);
    let draft = KeyDraft { name: format!("{user:?}"), user, ..KeyDraft::default() };
    world.desk.create_key(&boss, draft).await.unwrap().key.key.id
}

#[tokio::test]
async fn one_calls_with_keys_of_ones_own_and_the_house_with_any() {
    let world = World::new().await;
    let (mine, theirs) = (key(&world, "reseller").await, key(&world, "sub").await);
    let (me, boss) = (world.me("reseller").await, world.actor("default", Role::Owner).await);
    let hash = world.store.key_hash(mine).await.unwrap().unwrap();
    assert_eq!(world.desk.vouch(&me, mine).await.unwrap(), hash);
    assert!(
        world
            .desk
            .audit(&boss, &AuditQuery::default())
            .await
            .unwrap()
            .items
            .iter()
            .all(|entry| entry.entry.action != "key.try")
    );
    hidden(world.desk.vouch(&me, theirs).await);
    let seller = world.actor("reseller", Role::Reseller).await;
    refused(world.desk.vouch(&seller, theirs).await);
    assert_eq!(world.desk.vouch(&boss, mine).await.unwrap(), hash);
    let entries = world.desk.audit(&boss, &AuditQuery::default()).await.unwrap().items;
    let tried: Vec<_> = entries.iter().filter(|entry| entry.entry.action == "key.try").collect();
    assert_eq!(tried.len(), 1, "what the house does with somebody's key is written down");
    assert_eq!(tried[0].entry.subject, format!("key:{mine}"));
}

#[tokio::test]
async fn only_keys_that_work_are_offered() {
    let world = World::new().await;
    let (mine, other) = (key(&world, "reseller").await, key(&world, "other").await);
    let (me, boss) = (world.me("reseller").await, world.actor("default", Role::Owner).await);
    let ids = |keys: Vec<crate::desk::KeyView>| keys.into_iter().map(|view| view.key.id).collect::<Vec<_>>();
    assert_eq!(ids(world.desk.trial_keys(&me).await.unwrap()), [mine]);
    assert_eq!(ids(world.desk.trial_keys(&boss).await.unwrap()), [mine, other]);
    let off = crate::desk::KeyChange { status: Some(Status::Disabled), ..Default::default() };
    world.desk.update_key(&boss, other, off, None).await.unwrap();
    let soon = crate::desk::KeyChange {
        expires_at: Some(Some(UnixMicros(UnixMicros::now().0 + 3_600_000_000))),
        ..Default::default()
    };
    world.desk.update_key(&boss, mine, soon, None).await.unwrap();
    assert_eq!(ids(world.desk.trial_keys(&boss).await.unwrap()), [mine]);
}

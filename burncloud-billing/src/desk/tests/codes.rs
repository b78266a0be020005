use super::*;
use crate::desk::{Actor, CodesDraft};
use burncloud_core::store::{CodeStore, NewCode};
use burncloud_core::{Nano, Role, UnixMicros};

fn draft(name: &str) -> CodesDraft {
    CodesDraft { name: name.into(), count: 3, amount: Nano(5), expires_at: None, sold: true, tenant: None }
}

#[tokio::test]
async fn codes_are_made_shown_once_and_used_once() {
    let world = World::new().await;
    let seller = world.actor("sub", Role::Reseller).await;
    let made = world.desk.create_codes(&seller, draft("spring")).await.unwrap();
    let codes: Vec<&str> = made.codes.iter().map(|code| code.expose()).collect();
    assert_eq!(codes.len(), 3);
    assert_eq!(world.noted("codes.create", 1).await.after["count"], 3);
    let me = world.me("sub").await;
    assert_eq!(world.desk.redeem(&me, codes[0]).await.unwrap().amount, Nano(5));
    assert_eq!(world.user("sub").await.balance, Nano(5));
    assert_eq!(world.noted("codes.redeem", 2).await.after["balance"], 5);
    assert!(world.desk.redeem(&me, codes[0]).await.is_err(), "used once");
    let batches = world.desk.code_batches(&seller).await.unwrap();
    let seen: Vec<_> =
        batches.iter().map(|b| (&*b.name, b.count, b.used, b.open, b.worth, b.open_worth)).collect();
    assert_eq!(seen, [("spring", 3, 1, 2, Nano(15), Nano(10))]);
    assert_eq!(world.desk.revoke_codes(&seller, "spring").await.unwrap(), 2);
    assert_eq!(world.desk.revoke_codes(&seller, "spring").await.unwrap(), 0);
    world.noted("codes.revoke", 3).await;
    assert!(world.desk.redeem(&me, codes[1]).await.is_err(), "withdrawn");
    let batch = world.desk.code_batches(&seller).await.unwrap().remove(0);
    assert_eq!((batch.used, batch.open, batch.revoked, batch.expired), (1, 0, 2, 0));
    let plain: Vec<String> = codes.iter().map(|code| code.replace('-', "")).collect();
    world.no_secret_in_audit(&codes).await;
    world.no_secret_in_audit(&plain.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn codes_are_a_sellers_and_those_above() {
    let world = World::new().await;
    world.desk.create_codes(&world.actor("sub", Role::Reseller).await, draft("spring")).await.unwrap();
    for (tenant, role) in [("sub", Role::EndUser), ("sub", Role::Accountant)] {
        let actor = world.actor(tenant, role).await;
        assert!(world.desk.create_codes(&actor, draft("x")).await.is_err());
        assert!(world.desk.revoke_codes(&actor, "spring").await.is_err());
    }
    refused(world.desk.code_batches(&world.me("sub").await).await);
    let stranger = world.actor("other", Role::Reseller).await;
    hidden(world.desk.revoke_codes(&stranger, "spring").await);
    assert!(world.desk.code_batches(&stranger).await.unwrap().is_empty());
    let theirs = CodesDraft { tenant: Some(world.tenant("sub").await.id), ..draft("x") };
    hidden(world.desk.create_codes(&stranger, theirs).await);
    invalid(world.desk.create_codes(&stranger, draft("spring")).await, "name");
    invalid(world.desk.create_codes(&stranger, CodesDraft { count: 0, ..draft("x") }).await, "count");
    world.noted("codes.create", 1).await;
    let above = world.actor("reseller", Role::Reseller).await;
    assert_eq!(world.desk.code_batches(&above).await.unwrap().len(), 1);
    assert_eq!(world.desk.revoke_codes(&above, "spring").await.unwrap(), 3);
}

#[tokio::test]
async fn expired_codes_are_counted_as_such() {
    let world = World::new().await;
    let seller = world.actor("sub", Role::Reseller).await;
    let old = |n: u8| NewCode {
        hash: [n; 32],
        batch: "short".into(),
        amount: Nano(5),
        expires_at: Some(UnixMicros(7)),
        sold: false,
        tenant: seller.tenant,
    };
    world.store.create_codes(&[old(1), old(2), old(3)]).await.unwrap();
    let batch = world.desk.code_batches(&seller).await.unwrap().remove(0);
    assert_eq!((batch.expired, batch.open, batch.expires_at), (3, 0, Some(UnixMicros(7))));
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_has_to_wait() {
    let world = World::new().await;
    let made =
        world.desk.create_codes(&world.actor("sub", Role::Reseller).await, draft("spring")).await.unwrap();
    let me = world.me("sub").await.from("192.0.2.1");
    let refusal = async |actor: &Actor, code: &str| match world.desk.redeem(actor, code).await {
        Err(burncloud_core::usecase::UseCaseError::Invalid { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    for _ in 0..10 {
        assert!(refusal(&me, "no code").await.en().contains("no such code"));
    }
    let right = made.codes[0].expose();
    assert!(refusal(&me, right).await.en().contains("wait a minute"), "not even a right one");
    let elsewhere = me.clone().from("192.0.2.2");
    world.desk.redeem(&elsewhere, right).await.unwrap();
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    world.desk.redeem(&me, made.codes[1].expose()).await.unwrap();
    invalid(world.desk.redeem(&Actor::operator("boss"), right).await, "code");
}

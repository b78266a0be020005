use super::*;
use crate::desk::{Actor, PriceDraft};
use burncloud_core::store::{ChannelStore, MemoryStore};
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, Nano, Role, Status};
use serde_json::json;

async fn channel(store: &MemoryStore, name: &str, models: &[&str], groups: &[&str]) -> ChannelId {
    let channel = ChannelConfig {
        id: ChannelId(0),
        name: name.into(),
        provider: "openai".into(),
        base_url: None,
        credential: "sk-channel-secret".to_owned().into(),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        model_mapping: [].into(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..ChannelSettings::default()
        },
    };
    store.create_channel(channel).await.unwrap().id
}

#[tokio::test]
async fn a_shelf_holds_what_one_may_ask_for_at_ones_own_price() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    channel(&world.store, "main", &["fast"], &[]).await;
    channel(&world.store, "velvet", &["grand"], &["vip"]).await;
    for (book, model, rates) in [
        (None, "*", json!({ "input": "1" })),
        (Some(world.tenant("reseller").await.id), "*", json!({ "markup": "3" })),
    ] {
        let draft = PriceDraft { book, channel: None, model: model.into(), effective_at: None, rates };
        world.desk.set_price(&boss, draft, None).await.unwrap();
    }
    let names = |rows: &[crate::desk::ShelfRow]| rows.iter().map(|row| row.model.clone()).collect::<Vec<_>>();
    let house = world.desk.shelf(&boss).await.unwrap();
    assert_eq!(names(&house), ["fast", "grand"]);
    assert_eq!((house[0].serving.len(), house[0].prices["input"]), (1, Nano(1_000_000_000)));
    let seller = world.desk.shelf(&world.actor("reseller", Role::Reseller).await).await.unwrap();
    assert_eq!(names(&seller), ["fast"], "the group of its own accounts is the house's to say");
    assert_eq!(seller[0].prices["input"], Nano(3_000_000_000));
    assert_eq!(seller[0].buying.as_ref().unwrap()["input"], Nano(1_000_000_000));
    let user = world.desk.shelf(&world.me("reseller").await).await.unwrap();
    assert_eq!((user[0].prices["input"], &user[0].buying), (Nano(3_000_000_000), &None));
    assert!(seller.iter().chain(&user).all(|row| row.serving.is_empty() && row.asleep.is_empty()));
}

#[tokio::test]
async fn hints_are_the_houses_alone() {
    let world = World::new().await;
    let (boss, seller) = (Actor::operator("boss"), world.actor("reseller", Role::Reseller).await);
    let models =
        [("mini".to_owned(), "gpt-4o-mini".to_owned()), ("odd".to_owned(), "nobody-knows-it".to_owned())];
    refused(world.desk.price_hints(&seller, "openai", &models).await);
    let hints = world.desk.price_hints(&boss, "openai", &models).await.unwrap();
    assert!(hints[0].buying["input"] > Nano(0) && hints[1].buying.is_empty());
}

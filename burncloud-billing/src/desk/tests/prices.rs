use super::*;
use crate::desk::{Actor, PriceDraft, PriceSource, QuoteQuery, RuleState, TenantEdit};
use burncloud_core::store::{CatalogueCopy, CatalogueState, CatalogueStore, ChannelStore, PriceStore};
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, Nano, Role, Status, TenantId, UnixMicros};
use serde_json::{Value, json};

const DOLLAR: i64 = 1_000_000_000;

fn draft(book: Option<TenantId>, model: &str, rates: Value) -> PriceDraft {
    PriceDraft { book, channel: None, model: model.into(), effective_at: None, rates }
}

/// A channel that serves `fast`, for which its provider takes a dollar.
async fn channel(world: &World) -> ChannelId {
    let channel = ChannelConfig {
        id: ChannelId(0),
        name: "main".into(),
        provider: "openai".into(),
        base_url: None,
        credential: "sk-channel-secret".to_owned().into(),
        models: vec!["fast".into()],
        model_mapping: [("cheap".to_owned(), "gpt-4o-mini".to_owned())].into(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    };
    let id = world.store.create_channel(channel).await.unwrap().id;
    let cost = PriceDraft { channel: Some(id), ..draft(None, "fast", json!({ "input": "1" })) };
    world.desk.set_price(&Actor::operator("boss"), cost, None).await.unwrap();
    id
}

#[tokio::test]
async fn a_book_is_a_list_of_what_is_sold_and_bought() {
    let world = World::new().await;
    let (boss, id) = (Actor::operator("boss"), channel(&world).await);
    world.desk.set_price(&boss, draft(None, "*", json!({ "markup": "1.5" })), None).await.unwrap();
    let rows = world.desk.price_list(&boss, None).await.unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (&*row.model, row.source, row.buying[0].source, row.buying[0].channel))
        .collect();
    use PriceSource::{Catalogue, Default, Rule};
    assert_eq!(seen, [("cheap", Default, Catalogue, Some(id)), ("fast", Default, Rule, Some(id))]);
    assert_eq!(rows[1].prices["input"], Nano(DOLLAR * 3 / 2));
    assert_eq!(rows[1].buying[0].prices["input"], Nano(DOLLAR));
    assert_eq!((&*rows[0].buying[0].upstream_model, &*rows[1].version), ("gpt-4o-mini", "0"));
    let seller = world.actor("reseller", Role::Reseller).await;
    let book = Some(seller.tenant);
    let version =
        world.desk.set_price(&seller, draft(book, "fast", json!({ "input": "2" })), None).await.unwrap();
    let rows = world.desk.price_list(&seller, book).await.unwrap();
    let fast = rows.iter().find(|row| row.model == "fast").unwrap();
    assert_eq!(
        (fast.source, fast.prices["input"], &*fast.version),
        (Rule, Nano(2 * DOLLAR), &*version.to_string())
    );
    assert_eq!((fast.buying[0].channel, fast.buying[0].prices["input"]), (None, Nano(DOLLAR * 3 / 2)));
    for actor in [&seller, &world.actor("default", Role::Accountant).await] {
        refused(world.desk.price_list(actor, None).await);
        refused(world.desk.price_rules(actor, None, true).await);
        refused(world.desk.book_ratios(actor, None).await);
    }
    hidden(world.desk.price_list(&world.actor("other", Role::Reseller).await, book).await);
    hidden(world.desk.price_list(&world.me("reseller").await, book).await);
}

#[tokio::test]
async fn prices_are_set_scheduled_and_superseded() {
    let world = World::new().await;
    let seller = world.actor("reseller", Role::Reseller).await;
    let book = Some(seller.tenant);
    let set = async |rates: Value, at: Option<i64>, expected: Option<&str>| {
        let draft = PriceDraft { effective_at: at.map(UnixMicros), ..draft(book, "m", rates) };
        world.desk.set_price(&seller, draft, expected).await
    };
    let first = set(json!({ "input": "1" }), None, Some("0")).await.unwrap().to_string();
    changed(set(json!({ "input": "2" }), None, Some("0")).await);
    set(json!({ "input": "2" }), None, Some(&first)).await.unwrap();
    let later = UnixMicros::now().0 + 3_600_000_000;
    set(json!({ "input": "3" }), Some(later), None).await.unwrap();
    invalid(set(json!({ "input": "-1" }), None, None).await, "input");
    let noted = world.noted("price.set", 3).await;
    assert_eq!((&noted.before["rates"]["input"], &noted.after["rates"]["input"]), (&"2".into(), &"3".into()));
    assert_eq!(noted.tenant, seller.tenant);
    let rules = world.desk.price_rules(&seller, book, true).await.unwrap();
    let states: Vec<_> = rules.iter().map(|rule| rule.state).collect();
    assert_eq!(states, [RuleState::Scheduled, RuleState::InForce, RuleState::Superseded]);
    assert_eq!(world.desk.price_rules(&seller, book, false).await.unwrap().len(), 2);
    let ours = || draft(book, "m", json!({ "input": "1" }));
    refused(world.desk.set_price(&world.actor("reseller", Role::Accountant).await, ours(), Some("x")).await);
    hidden(world.desk.set_price(&world.actor("sub", Role::Reseller).await, ours(), None).await);
    hidden(world.desk.set_price(&world.me("reseller").await, ours(), None).await);
    refused(world.desk.set_price(&seller, draft(None, "m", json!({ "input": "1" })), None).await);
    let below = Some(world.tenant("sub").await.id);
    refused(world.desk.set_price(&seller, draft(below, "m", json!({ "input": "1" })), None).await);
    let nowhere = PriceDraft { channel: Some(ChannelId(99)), ..draft(None, "m", json!({ "input": "1" })) };
    refused(world.desk.set_price(&seller, nowhere.clone(), None).await);
    hidden(world.desk.set_price(&Actor::operator("boss"), nowhere, None).await);
}

#[tokio::test]
async fn ratios_are_those_in_force_by_name() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    for rates in [
        json!({ "groups": { "vip": "0.8", "old": "2" }, "fx": { "CNY": "7.2" } }),
        json!({ "groups": { "old": null }, "pairs": { "vip": { "batch": "0.5" } } }),
    ] {
        world.desk.set_price(&boss, draft(None, "", rates), None).await.unwrap();
    }
    let ratios = world.desk.book_ratios(&boss, None).await.unwrap();
    assert_eq!(ratios.groups, [("vip".to_owned(), "0.8".to_owned())].into());
    assert_eq!(ratios.pairs["vip"]["batch"], "0.5");
    assert_eq!((ratios.fx["CNY"].as_str(), ratios.version.as_str()), ("7.2", "2"));
}

#[tokio::test]
async fn one_is_told_ones_own_price_and_the_house_all() {
    let world = World::new().await;
    let (boss, _) = (Actor::operator("boss"), channel(&world).await);
    world.desk.set_price(&boss, draft(None, "*", json!({ "markup": "2" })), None).await.unwrap();
    let sub = world.tenant("sub").await.id;
    let edit = TenantEdit { group: Some(Some("vip".into())), ..TenantEdit::default() };
    world.desk.update_tenant(&boss, sub, edit, None).await.unwrap();
    let asked = |user| QuoteQuery { model: "fast".into(), user, key: None, at: None };
    let leaf = world.user("leaf").await.id;
    let all = world.desk.quote(&boss, &asked(Some(leaf))).await.unwrap();
    assert_eq!((all.len(), all[0].levels.len(), all[0].channel_name.as_deref()), (1, 4, Some("main")));
    assert_eq!(all[0].cost.as_ref().unwrap()["input"], Nano(DOLLAR));
    let seen = world.desk.quote(&world.actor("sub", Role::Reseller).await, &asked(Some(leaf))).await.unwrap();
    let buyers: Vec<_> = seen[0].levels.iter().map(|level| level.buyer).collect();
    assert_eq!(buyers, [Some(sub), Some(world.tenant("leaf").await.id), None], "from what it pays on down");
    assert_eq!((seen[0].channel, &seen[0].cost, seen[0].loss), (None, &None, None));
    let own = world.desk.quote(&world.me("leaf").await, &asked(None)).await.unwrap();
    assert_eq!((own[0].levels.len(), own[0].levels[0].prices["input"]), (1, Nano(2 * DOLLAR)));
    hidden(world.desk.quote(&world.me("leaf").await, &asked(Some(world.user("sub").await.id))).await);
    let unknown = QuoteQuery { model: "nope".into(), ..asked(None) };
    hidden(world.desk.quote(&world.me("leaf").await, &unknown).await);
}

#[tokio::test]
async fn tables_come_in_and_go_out() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let text = r#"{"ModelRatio": {"m": 1.25}, "GroupRatio": {"vip": 0.8}}"#;
    let dry = world.desk.import_tables(&boss, text, None, true).await.unwrap();
    assert!(world.store.prices().await.unwrap().is_empty());
    assert_eq!(world.desk.import_tables(&boss, text, None, false).await.unwrap(), dry);
    assert_eq!(world.store.prices().await.unwrap().len(), dry.rules);
    world.noted("prices.import", 1).await;
    let out = world.desk.export_tables(&boss).await.unwrap().tables;
    assert!(out.contains("\"m\": 1.25") && out.contains("\"vip\": 0.8"), "{out}");
    invalid(world.desk.import_tables(&boss, "{}", None, true).await, "tables");
    let seller = world.actor("reseller", Role::Reseller).await;
    refused(world.desk.import_tables(&seller, text, None, false).await);
    refused(world.desk.export_tables(&seller).await);
}

#[tokio::test]
async fn published_prices_wait_for_the_house() {
    let world = World::new().await;
    let (boss, seller) = (Actor::operator("boss"), world.actor("reseller", Role::Reseller).await);
    assert!(world.desk.waiting_prices(&boss).await.unwrap().is_none());
    hidden(world.desk.decide_prices(&boss, 1, true).await);
    let copy = CatalogueCopy {
        version: 0,
        fetched_at: UnixMicros(5),
        source: "https://prices.test/".into(),
        state: CatalogueState::Pending,
        body: "{}".into(),
    };
    let version = world.store.add_catalogue(copy).await.unwrap();
    refused(world.desk.waiting_prices(&seller).await);
    refused(world.desk.decide_prices(&seller, version, true).await);
    changed(world.desk.decide_prices(&boss, version + 1, false).await);
    invalid(world.desk.waiting_prices(&boss).await, "body");
    invalid(world.desk.decide_prices(&boss, version, true).await, "body");
    world.desk.decide_prices(&boss, version, false).await.unwrap();
    assert_eq!(world.noted("prices.reject", 1).await.after["state"], "rejected");
    assert!(world.desk.waiting_prices(&boss).await.unwrap().is_none());
}

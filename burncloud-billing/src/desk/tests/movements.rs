use super::*;
use crate::desk::Actor;
use crate::desk::{Against, BooksChecked, MoneyMove, MoveFilter, MoveKind, PriceDraft, WalletId};
use crate::ledger::VerifyReport;
use burncloud_core::ledger::EntryKind;
use burncloud_core::store::{ChannelStore, ReceiptStore};
use burncloud_core::{
    Attempt, ChannelConfig, ChannelId, ChannelSettings, Dialect, End, KeyId, Nano, Operation, Receipt,
    ReceiptId, Role, Status, TraceId, UnixMicros, Usage, UsageSource,
};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const DOLLAR: i64 = 1_000_000_000;

fn order(kind: MoveKind, amount: i64) -> MoneyMove {
    MoneyMove { kind, amount: Nano(amount), reference: None, reason: "because".into() }
}

#[tokio::test]
async fn movements_are_of_ones_own_book_and_page_by_page() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let seller = world.actor("reseller", Role::Reseller).await;
    let below = WalletId::Tenant(world.tenant("reseller").await.id);
    let user = WalletId::User(world.user("reseller").await.id);
    world.desk.move_money(&boss, below, order(MoveKind::TopUp, 7)).await.unwrap();
    for n in 1..=3 {
        world.desk.move_money(&seller, user, order(MoveKind::TopUp, n)).await.unwrap();
    }
    let gift = world.desk.move_money(&seller, user, order(MoveKind::Promotion, 4)).await.unwrap().entry;
    world.desk.reverse_entry(&seller, gift, "a slip").await.unwrap();
    let all = world.desk.movements(&seller, &MoveFilter::default()).await.unwrap();
    let seen: Vec<_> = all.page.items.iter().map(|line| (line.kind, line.amount.0, line.against)).collect();
    assert_eq!(
        seen,
        [
            (EntryKind::Reversal, -4, Against::Promotion),
            (EntryKind::Promotion, 4, Against::Promotion),
            (EntryKind::TopUp, 3, Against::Cash),
            (EntryKind::TopUp, 2, Against::Cash),
            (EntryKind::TopUp, 1, Against::Cash),
        ]
    );
    assert_eq!((all.received, all.given, all.page.next), (Nano(6), Nano::ZERO, None));
    assert_eq!(all.page.items[0].reverses, Some(gift));
    assert_eq!(all.page.items[0].name.as_deref(), Some("reseller"));
    let two = MoveFilter { kind: Some(EntryKind::TopUp), limit: 2, ..MoveFilter::default() };
    let first = world.desk.movements(&seller, &two).await.unwrap().page;
    assert_eq!(first.items.iter().map(|line| line.amount.0).collect::<Vec<_>>(), [3, 2]);
    let rest = MoveFilter { before: first.next, ..two };
    let rest = world.desk.movements(&seller, &rest).await.unwrap().page;
    assert_eq!((rest.items[0].amount, rest.items.len(), rest.next), (Nano(1), 1, None));
    let house = world.desk.movements(&boss, &MoveFilter::default()).await.unwrap();
    assert_eq!((house.page.items.len(), house.received), (1, Nano(7)), "its own book");
}

#[tokio::test]
async fn movements_of_others_are_not_shown() {
    let world = World::new().await;
    let of = |id| MoveFilter { book: Some(id), ..MoveFilter::default() };
    let reseller = world.tenant("reseller").await.id;
    hidden(world.desk.movements(&world.actor("other", Role::Reseller).await, &of(reseller)).await);
    hidden(world.desk.movements(&world.actor("sub", Role::Reseller).await, &of(reseller)).await);
    refused(world.desk.movements(&world.me("reseller").await, &MoveFilter::default()).await);
    let accountant = world.actor("reseller", Role::Accountant).await;
    let sub = world.tenant("sub").await.id;
    assert!(world.desk.movements(&accountant, &of(sub)).await.unwrap().page.items.is_empty());
}

#[tokio::test]
async fn the_books_are_checked_by_the_house_alone() {
    let world = World::new().await;
    let user = WalletId::User(world.user("leaf").await.id);
    let boss = Actor::operator("boss");
    world.desk.move_money(&boss, user, order(MoveKind::TopUp, 5)).await.unwrap();
    let pages = Arc::new(AtomicUsize::new(0));
    let count = pages.clone();
    let told = move |_: &VerifyReport| {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let found = world.desk.check_books(&boss, told).await.unwrap();
    assert!(matches!(found, BooksChecked::Agree(report) if report.entries == 1), "one entry");
    assert!(pages.load(Ordering::Relaxed) > 0, "progress is told");
    refused(world.desk.check_books(&world.actor("reseller", Role::Reseller).await, |_| ()).await);
}

async fn channel(world: &World) -> ChannelId {
    let channel = ChannelConfig {
        id: ChannelId(0),
        name: "main".into(),
        provider: "openai".into(),
        base_url: None,
        credential: "sk-channel-secret".to_owned().into(),
        models: vec!["fast".into()],
        model_mapping: Default::default(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    };
    world.store.create_channel(channel).await.unwrap().id
}

fn receipt(channel: ChannelId, who: &Actor, model: &str, input: u64, at: UnixMicros) -> Receipt {
    Receipt {
        id: ReceiptId::new(at),
        trace_id: TraceId::random(),
        at,
        key: KeyId(1),
        user: who.user.unwrap(),
        tenant: who.tenant,
        dialect: Dialect::OpenAi,
        operation: Operation::Chat,
        model: model.into(),
        upstream_model: model.into(),
        channel: Some(channel),
        upstream_request_id: None,
        streamed: false,
        status: 200,
        end: End::Finished,
        attempts: vec![Attempt { channel, status: Some(200), error: None, took_us: 1 }],
        usage: Usage { input, ..Usage::default() },
        usage_source: UsageSource::Reported,
        price_version: 1,
        lines: vec![],
        reserved: Nano::ZERO,
        charge: Nano::ZERO,
        shortfall: Nano::ZERO,
        legs: vec![],
        abort: None,
        upstream_cost: Nano::ZERO,
        first_byte_us: Some(1),
        took_us: 1,
        bytes_in: 1,
        bytes_out: 1,
    }
}

#[tokio::test]
async fn a_price_is_tried_on_the_last_week() {
    let world = World::new().await;
    let (boss, id) = (Actor::operator("boss"), channel(&world).await);
    let set = |book, channel, model: &str, rates| PriceDraft {
        book,
        channel,
        model: model.into(),
        effective_at: None,
        rates,
    };
    let cost = set(None, Some(id), "fast", json!({ "input": "1" }));
    world.desk.set_price(&boss, cost, None).await.unwrap();
    world.desk.set_price(&boss, set(None, None, "fast", json!({ "input": "2" })), None).await.unwrap();
    let below = world.me("reseller").await;
    let (now, day) = (UnixMicros::now().0, 24 * 3_600_000_000_i64);
    let ago = |days: i64| UnixMicros(now - days * day);
    let all = [
        receipt(id, &below, "fast", 1_000_000, ago(1)),
        receipt(id, &below, "fast", 2_000_000, ago(2)),
        receipt(id, &below, "fast", 4_000_000, ago(9)),
        receipt(id, &below, "slow", 8_000_000, ago(1)),
    ];
    world.store.record(&all.map(Arc::new)).await.unwrap();
    let tried =
        world.desk.simulate_price(&boss, &set(None, None, "fast", json!({ "input": "3" }))).await.unwrap();
    assert_eq!((tried.requests, tried.whole), (2, true), "neither older nor another model");
    assert_eq!((tried.before.revenue, tried.before.cost), (Nano(6 * DOLLAR), Nano(3 * DOLLAR)));
    assert_eq!((tried.after.revenue, tried.after.cost), (Nano(9 * DOLLAR), Nano(3 * DOLLAR)));
    let seller = world.actor("reseller", Role::Reseller).await;
    let own = set(Some(seller.tenant), None, "fast", json!({ "markup": "1.5" }));
    let tried = world.desk.simulate_price(&seller, &own).await.unwrap();
    assert_eq!((tried.after.revenue, tried.after.cost), (Nano(9 * DOLLAR), Nano(6 * DOLLAR)));
    refused(world.desk.simulate_price(&seller, &set(None, None, "fast", json!({ "input": "3" }))).await);
    invalid(
        world.desk.simulate_price(&boss, &set(None, None, "fast", json!({ "input": "x" }))).await,
        "input",
    );
    let before = world.desk.price_rules(&boss, None, true).await.unwrap().len();
    assert_eq!(before, 2, "nothing was set");
}

//! Sums equal receipts, and nobody sees what is not for their eyes.

use super::books::{books, seen};
use super::export::{days, log_row};
use super::health::channel_health;
use super::logs::{LogFilter, logs};
use super::margins::books_and_margins;
use super::receipt::receipt;
use super::*;
use crate::people::Actor;
use burncloud_core::store::{
    ChannelStore, KeyStore, MemoryStore, NewTenant, NewUser, Outcome, ReceiptStore, UserStore,
};
use burncloud_core::testing::new_key;
use burncloud_core::usecase::UseCaseError;
use burncloud_core::{
    Attempt, ChannelConfig, ChannelId, ChannelSettings, End, KeyId, Leg, Nano, Receipt, ReceiptId, Role,
    Status, TenantId, TraceId, UnixMicros, Usage, User, UserId,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const HOUR: i64 = 3_600_000_000;
/// 2026-11-20T13:30:00Z, a Friday.
pub(super) const NOW: UnixMicros = UnixMicros(1_795_181_400_000_000);

/// house (ulla) → acme (rex, bob) → kiosk (cho); and `rival` (yves) beside acme.
pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) channel: ChannelId,
    pub(super) users: BTreeMap<&'static str, User>,
    pub(super) keys: BTreeMap<&'static str, KeyId>,
    pub(super) tenants: BTreeMap<&'static str, TenantId>,
    n: u128,
}

impl World {
    pub(super) async fn new() -> World {
        let store = Arc::new(MemoryStore::default());
        let house = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let mut tenants = BTreeMap::from([("default", house)]);
        for (name, parent) in [("acme", "default"), ("kiosk", "acme"), ("rival", "default")] {
            let new = NewTenant { name: name.into(), parent: Some(tenants[parent]), ..NewTenant::default() };
            tenants.insert(name, store.create_tenant(new).await.unwrap().id);
        }
        let (mut users, mut keys) = (BTreeMap::new(), BTreeMap::new());
        for (name, tenant, role) in [
            ("ulla", "default", Role::EndUser),
            ("rex", "acme", Role::Reseller),
            ("bob", "acme", Role::EndUser),
            ("cho", "kiosk", Role::EndUser),
            ("yves", "rival", Role::EndUser),
        ] {
            let new = NewUser { name: name.into(), tenant: tenants[tenant], role, ..NewUser::default() };
            let user = store.create_user(new).await.unwrap();
            let key: &'static str = format!("key-of-{name}").leak();
            keys.insert(name, store.create_key(new_key(key, user.id)).await.unwrap().id);
            users.insert(name, user);
        }
        let channel = ChannelConfig {
            id: ChannelId(0),
            name: "secret-account".into(),
            provider: "secret-provider".into(),
            base_url: None,
            credential: String::new().into(),
            models: vec!["fast".into()],
            model_mapping: BTreeMap::new(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        let channel = store.create_channel(channel).await.unwrap().id;
        World { store, channel, users, keys, tenants, n: 0 }
    }

    /// A request of that user's, which cost the provider 11,111 and each level a little more.
    pub(super) fn receipt(&mut self, user: &str, model: &str, at: i64) -> Receipt {
        self.n += 1;
        let leg = |tenant: &str, parent: &str, charge| Leg {
            tenant: self.tenants[tenant],
            parent: self.tenants[parent],
            charge: Nano(charge),
            shortfall: Nano::ZERO,
        };
        let (tenant, charge, legs) = match user {
            "ulla" => ("default", 20_002, vec![]),
            "cho" => ("kiosk", 50_005, vec![leg("kiosk", "acme", 40_004), leg("acme", "default", 30_003)]),
            "yves" => ("rival", 60_006, vec![leg("rival", "default", 33_033)]),
            _ => ("acme", 45_045, vec![leg("acme", "default", 30_003)]),
        };
        let at = UnixMicros(at);
        let attempt = |status, took_us| Attempt { channel: self.channel, status, error: None, took_us };
        Receipt {
            id: ReceiptId((u128::from((at.0 / 1000).unsigned_abs()) << 80) | self.n),
            trace_id: TraceId((self.n + 1).to_be_bytes()),
            at,
            key: self.keys[user],
            user: self.users[user].id,
            tenant: self.tenants[tenant],
            model: model.into(),
            upstream_model: "secret-model".into(),
            upstream_request_id: Some("secret-request".into()),
            channel: Some(self.channel),
            status: 200,
            end: End::Finished,
            abort: None,
            attempts: vec![attempt(Some(429), 182_000), attempt(Some(200), 430_000)],
            usage: Usage { input: 100, output: 10, ..Usage::default() },
            charge: Nano(charge),
            shortfall: Nano::ZERO,
            legs,
            upstream_cost: Nano(11_111),
            first_byte_us: Some(612_400),
            took_us: 3_420_000,
            ..burncloud_core::testing::receipt(1)
        }
    }

    pub(super) async fn record(&self, receipts: Vec<Receipt>) {
        let all: Vec<Arc<Receipt>> = receipts.into_iter().map(Arc::new).collect();
        assert_eq!(self.store.record(&all).await.unwrap(), all.len());
    }

    pub(super) fn actor(&self, user: &str) -> Actor {
        Actor::of(&self.users[user])
    }

    /// One request of each user's an hour ago, and one of rex' a day before.
    pub(super) async fn busy() -> World {
        let mut world = World::new().await;
        let at = NOW.0 - HOUR;
        let mut all = Vec::new();
        for (n, user) in ["ulla", "rex", "bob", "cho", "yves"].into_iter().enumerate() {
            all.push(world.receipt(user, "fast", at + n as i64));
        }
        all.push(world.receipt("rex", "slow", at - 24 * HOUR));
        world.record(all).await;
        world
    }
}

pub(super) fn owner() -> Actor {
    Actor::operator("owner")
}

#[tokio::test]
async fn the_house_sees_what_comes_in_and_what_it_costs() {
    let world = World::busy().await;
    let of = books(&*world.store, &owner(), Span::Today, By::Customer, NOW).await.unwrap();
    assert_eq!((of.view, of.active), (View::House, 3), "ulla, acme, rival");
    let revenue = 20_002 + 3 * 30_003 + 33_033;
    assert_eq!((of.now.requests, of.now.revenue), (5, Some(Nano(revenue))));
    assert_eq!(of.now.cost, Some(Nano(5 * 11_111)));
    assert_eq!(of.now.margin, Some(Nano(revenue - 5 * 11_111)));
    assert_eq!((of.before.requests, of.before.revenue), (1, Some(Nano(30_003))));
    assert_eq!(of.kept_change, Some(of.now.kept_permille.unwrap() - of.before.kept_permille.unwrap()));
    let names: Vec<_> = of.slices.iter().map(|slice| slice.name.clone().unwrap()).collect();
    assert_eq!(names, ["acme", "rival", "ulla"], "those who bring in most first");
    let parts: i64 = of.points.iter().flat_map(|point| &point.parts).map(|part| part.0).sum();
    assert_eq!(parts, revenue, "the parts are the whole");
    assert_eq!(of.points.len(), 14, "every hour since midnight");
    let by = books(&*world.store, &owner(), Span::Today, By::Provider, NOW).await.unwrap();
    assert_eq!(by.slices[0].name.as_deref(), Some("secret-provider"));
}

#[tokio::test]
async fn what_the_models_leave_is_what_the_house_keeps_however_the_books_tell_it_apart() {
    let mut world = World::busy().await;
    let slow = world.receipt("bob", "slow", NOW.0 - HOUR);
    world.record(vec![slow]).await;
    for by in [By::Model, By::Customer, By::Channel, By::Provider] {
        let (books, margins) =
            books_and_margins(&*world.store, &owner(), Span::Today, by, NOW).await.unwrap();
        let models: Vec<_> = margins.iter().map(|of| (of.model.as_str(), of.revenue, of.cost)).collect();
        let fast = ("fast", Nano(20_002 + 3 * 30_003 + 33_033), Nano(5 * 11_111));
        assert_eq!(models, [fast, ("slow", Nano(30_003), Nano(11_111))], "{by:?}");
        let sum = |of: fn(&ModelMargin) -> Nano| margins.iter().map(|margin| of(margin).0).sum::<i64>();
        assert_eq!(books.now.revenue, Some(Nano(sum(|of| of.revenue))), "{by:?}");
        assert_eq!(books.now.cost, Some(Nano(sum(|of| of.cost))), "{by:?}");
    }
    for user in ["rex", "ulla"] {
        let actor = world.actor(user);
        let (_, margins) =
            books_and_margins(&*world.store, &actor, Span::Today, By::Model, NOW).await.unwrap();
        assert_eq!(margins, [], "what a model costs the house is the house's alone");
    }
}

#[tokio::test]
async fn a_reseller_earns_from_users_and_tenants_below_and_pays_its_parent() {
    let world = World::busy().await;
    let rex = world.actor("rex");
    for by in [By::Customer, By::Model, By::Key] {
        let of = books(&*world.store, &rex, Span::Today, by, NOW).await.unwrap();
        assert_eq!((of.now.requests, of.now.revenue), (3, Some(Nano(2 * 45_045 + 40_004))), "{by:?}");
        assert_eq!((of.now.cost, of.active), (Some(Nano(3 * 30_003)), 3));
        let slices: i64 = of.slices.iter().map(|slice| slice.sums.revenue.unwrap().0).sum();
        assert_eq!(slices, 2 * 45_045 + 40_004, "{by:?}");
        assert_eq!(of.slices.iter().map(|slice| slice.sums.requests).sum::<u64>(), 3);
    }
}

#[tokio::test]
async fn an_end_user_sees_what_it_was_charged() {
    let world = World::busy().await;
    let of = books(&*world.store, &world.actor("cho"), Span::Today, By::Customer, NOW).await.unwrap();
    assert_eq!((of.now.charge, of.now.revenue, of.now.cost), (Nano(50_005), None, None));
    assert_eq!(of.wallet.unwrap().balance, Nano(-50_005));
    assert_eq!(of.slices[0].name.as_deref(), Some("key-of-cho"));
}

/// Everything there is, for one pair of eyes, as one text.
async fn everything(world: &World, actor: &Actor) -> String {
    let mut text = String::new();
    let mut add = |value: serde_json::Value| text.push_str(&value.to_string());
    for span in [Span::Today, Span::Week, Span::ThisMonth] {
        for by in [By::Model, By::Customer, By::Key] {
            let of = books(&*world.store, actor, span, by, NOW).await.unwrap();
            add(serde_json::to_value(days(&of).rows).unwrap());
            add(serde_json::to_value(of).unwrap());
        }
        add(serde_json::to_value(seen(&*world.store, actor, span, By::Customer, NOW).await.unwrap()).unwrap());
    }
    let mut filters = vec![LogFilter::default()];
    for text in
        ["ulla", "bob", "cho", "yves", "acme", "kiosk", "rival", "default", "key-of-yves", "secret", "fast"]
    {
        filters.push(LogFilter { text: text.into(), ..LogFilter::default() });
    }
    for name in ["ulla", "bob", "cho", "yves"] {
        let (user, key) = (world.users[name].id, world.keys[name]);
        filters.push(LogFilter { customer: Some(Customer::User(user)), ..LogFilter::default() });
        filters.push(LogFilter { key: Some(key), ..LogFilter::default() });
    }
    for tenant in world.tenants.values() {
        filters.push(LogFilter { customer: Some(Customer::Tenant(*tenant)), ..LogFilter::default() });
    }
    for receipt in world.store.log(&Default::default()).await.unwrap() {
        filters.push(LogFilter { text: receipt.id.to_string(), ..LogFilter::default() });
        filters.push(LogFilter { text: receipt.trace_id.to_string(), ..LogFilter::default() });
    }
    for filter in &filters {
        let page = logs(&*world.store, actor, filter, NOW).await.unwrap();
        page.rows.iter().for_each(|row| add(serde_json::to_value(log_row(row)).unwrap()));
        add(serde_json::to_value(page).unwrap());
    }
    text
}

use burncloud_core::store::ReportStore;

#[tokio::test]
async fn nothing_leaks() {
    let world = World::busy().await;
    let accounts = ["secret", "11111", "provider_", "\"road\"", "\"switches\"", "429", "too_busy"];
    let rex = everything(&world, &world.actor("rex")).await;
    // Names of yves and ulla and money, what kiosk's siblings pay, and the house's own.
    for word in accounts.into_iter().chain(["yves", "ulla", "rival", "60006", "33033", "20002"]) {
        assert!(!rex.contains(word), "a reseller sees `{word}`");
    }
    assert!(rex.contains("kiosk") && rex.contains("cho") && rex.contains("40004"), "but its own");
    let bob = everything(&world, &world.actor("bob")).await;
    let money = ["30003", "40004", "\"revenue\"", "\"cost\"", "\"margin\"", "kept_permille"];
    for word in
        accounts.into_iter().chain(money).chain(["yves", "ulla", "rex", "cho", "acme", "kiosk", "rival"])
    {
        assert!(!bob.contains(word), "an end user sees `{word}`");
    }
    assert!(bob.contains("key-of-bob") && bob.contains("45045"), "but its own");
    let house = everything(&world, &owner()).await;
    for word in ["secret-account", "11111", "yves", "cho", "rival", "too_busy"] {
        assert!(house.contains(word), "the test looks for what is there: {word}");
    }
}

#[tokio::test]
async fn what_is_the_houses_is_refused_to_others() {
    let world = World::busy().await;
    for actor in [world.actor("rex"), world.actor("bob")] {
        let refused = |result: Result<(), UseCaseError>| matches!(result, Err(UseCaseError::Forbidden(_)));
        for by in [By::Channel, By::Provider] {
            assert!(refused(books(&*world.store, &actor, Span::Today, by, NOW).await.map(drop)));
        }
        assert!(refused(channel_health(&*world.store, &actor, 24, NOW).await.map(drop)));
        for filter in [
            LogFilter { channel: Some(world.channel), ..LogFilter::default() },
            LogFilter { switched: true, ..LogFilter::default() },
        ] {
            assert!(refused(logs(&*world.store, &actor, &filter, NOW).await.map(drop)));
        }
    }
}

#[tokio::test]
async fn an_accountant_sees_as_far_as_the_table_says() {
    let world = World::busy().await;
    let accountant = |tenant: &str| Actor {
        role: Role::Accountant,
        user: None,
        tenant: world.tenants[tenant],
        ..Actor::of(&world.users["bob"])
    };
    let seen = async |tenant: &str| {
        let of = books(&*world.store, &accountant(tenant), Span::Today, By::Model, NOW).await.unwrap();
        (of.view, of.now.requests)
    };
    assert_eq!(seen("default").await, (View::House, 5));
    assert_eq!(seen("acme").await, (View::Reseller(world.tenants["acme"]), 3));
    assert_eq!(seen("kiosk").await, (View::Reseller(world.tenants["kiosk"]), 1));
    let nobody = Actor { role: Role::EndUser, ..accountant("acme") };
    assert!(books(&*world.store, &nobody, Span::Today, By::Model, NOW).await.is_err());
}

#[tokio::test]
async fn the_log_is_paged_and_chosen_from() {
    let world = World::busy().await;
    let page = async |filter: LogFilter| logs(&*world.store, &owner(), &filter, NOW).await.unwrap();
    let mut before = None;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let of = page(LogFilter { limit: 2, before, ..LogFilter::default() }).await;
        ids.extend(of.rows.iter().map(|row| row.id));
        before = of.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(ids.len(), 6, "each once");
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "newest first");
    let first = &page(LogFilter::default()).await.rows[0];
    assert_eq!((first.customer_name.as_deref(), first.switches), (Some("rival"), Some(1)));
    assert_eq!((first.revenue, first.cost), (Some(Nano(33_033)), Some(Nano(11_111))));
    assert_eq!(first.road[0].reason, Some(Reason::TooBusy));
    let count = |text: &str| page(LogFilter { text: text.into(), ..LogFilter::default() });
    assert_eq!(count("SLO").await.rows.len(), 1, "a part of a model's name");
    assert_eq!(count("acme").await.rows.len(), 4, "a tenant and those below");
    assert_eq!(count("nothing of the kind").await.rows.len(), 0);
    assert_eq!(page(LogFilter { switched: true, ..LogFilter::default() }).await.rows.len(), 6);
    assert_eq!(page(LogFilter { errors: true, ..LogFilter::default() }).await.rows.len(), 0);
    let slow = LogFilter { slower_than_us: Some(612_400), ..LogFilter::default() };
    assert_eq!(page(slow).await.rows.len(), 0, "as slow is not slower");
    let failed = LogFilter { outcome: Some(Outcome::Failed), ..LogFilter::default() };
    assert_eq!(page(failed).await.rows.len(), 0);
}

#[tokio::test]
async fn the_hours_of_an_account_count_its_failures() {
    let world = World::busy().await;
    let health = channel_health(&*world.store, &owner(), 24, NOW).await.unwrap();
    assert_eq!(health.len(), 1);
    assert_eq!((health[0].name.as_deref(), health[0].hours.len()), (Some("secret-account"), 24));
    let hour = health[0].hours[22];
    assert_eq!((hour.attempts, hour.failed, hour.first_us), (10, 5, Some(612_400)));
    assert_eq!(health[0].all.attempts, 10);
}

#[tokio::test]
async fn a_month_is_forecast_from_full_days() {
    let mut world = World::new().await;
    let forecast = async |world: &World| {
        let of = books(&*world.store, &owner(), Span::ThisMonth, By::Model, NOW).await.unwrap();
        (of.forecast, of.now.revenue.unwrap())
    };
    assert_eq!(forecast(&world).await.0, None);
    let all: Vec<Receipt> = (1..=4).map(|n| world.receipt("ulla", "fast", NOW.0 - n * 24 * HOUR)).collect();
    world.record(all).await;
    let (of, so_far) = forecast(&world).await;
    let of = of.unwrap();
    assert_eq!(
        (of.days, of.method, of.estimate),
        (3, Method::Average, true),
        "the first day was no full one"
    );
    assert_eq!(of.ahead.len(), 11, "from today, the 20th, to the 30th");
    assert_eq!(of.value, so_far.plus(Nano(11 * 20_002)));
    assert_eq!(of.cost, Some(Nano(4 * 11_111 + 11 * 11_111)));
}

#[tokio::test]
async fn a_day_is_that_of_the_tenants_clock_when_it_is_set() {
    let mut world = World::new().await;
    let mut acme = world.store.tenant_by_name("acme").await.unwrap().unwrap();
    acme.time_zone = "Europe/Berlin".into();
    world.store.update_tenant(&acme).await.unwrap();
    // The 25 hours of October 25, 2026 in Berlin: from 22:00 UTC to 23:00 UTC.
    let start: i64 = 1_792_879_200_000_000;
    let all: Vec<Receipt> =
        [-1, 0, 24, 25].into_iter().map(|n| world.receipt("bob", "fast", start + n * HOUR + 1)).collect();
    world.record(all).await;
    let october = Span::Month { year: 2026, month: 10 };
    let of = books(&*world.store, &world.actor("rex"), october, By::Model, NOW).await.unwrap();
    let day = |at: i64| of.points.iter().find(|point| point.at.0 == at).unwrap().sums.requests;
    assert_eq!((day(start - 24 * HOUR), day(start), day(start + 25 * HOUR)), (1, 2, 1));
    assert_eq!((of.points.len(), of.zone.as_str()), (31, "Europe/Berlin"));
}

#[test]
fn users_are_named_by_number() {
    assert_eq!(serde_json::to_string(&Customer::User(UserId(3))).unwrap(), r#"{"kind":"user","id":3}"#);
}

#[tokio::test]
async fn a_receipt_is_shown_as_far_as_it_is_for_the_actors_eyes() {
    let world = World::busy().await;
    let all = world.store.log(&Default::default()).await.unwrap();
    let of = |user: &str| all.iter().find(|receipt| receipt.user == world.users[user].id).unwrap().id;
    let see = async |actor: Actor, id| receipt(&*world.store, &actor, id).await.unwrap();
    let bar = |stage, channel, from_us, us| Bar { stage, channel, from_us, us };
    let leg = |tenant: &str, parent: Option<&str>, charge| LegView {
        tenant: Some(tenant.to_owned()),
        parent: parent.map(str::to_owned),
        charge: Nano(charge),
        shortfall: Nano::ZERO,
    };

    let house = see(owner(), of("cho")).await.unwrap();
    let account = Some(world.channel);
    let bars = [
        bar(Stage::Door, None, 0, 400),
        bar(Stage::InVain, account, 400, 182_000),
        bar(Stage::Waiting, account, 182_400, 430_000),
        bar(Stage::Output, account, 612_400, 2_807_600),
    ];
    assert_eq!(house.bars, bars);
    assert_eq!(
        house.legs,
        [leg("kiosk", Some("acme"), 40_004), leg("acme", Some("default"), 30_003)],
        "from the user's tenant upwards"
    );
    assert_eq!(house.upstream_model.as_deref(), Some("secret-model"));
    assert!(house.json.contains("secret-model") && house.json.contains("11111"), "{}", house.json);
    assert_eq!(house.seal, Seal::None);

    let waited = [bar(Stage::Waiting, None, 0, 612_400), bar(Stage::Output, None, 612_400, 2_807_600)];
    let accounts = ["secret", "11111", "\"road\"", "\"switches\"", "too_busy", "\"private\""];
    let rex = see(world.actor("rex"), of("cho")).await.unwrap();
    assert_eq!(rex.bars, waited);
    assert_eq!(rex.legs, [leg("kiosk", Some("acme"), 40_004), leg("acme", None, 30_003)]);
    let cho = see(world.actor("cho"), of("cho")).await.unwrap();
    assert_eq!((&cho.bars[..], &cho.legs[..], cho.row.cost), (&waited[..], &[][..], None));
    let (rex, cho) = (serde_json::to_string(&rex).unwrap(), serde_json::to_string(&cho).unwrap());
    for word in accounts {
        assert!(!rex.contains(word) && !cho.contains(word), "`{word}` is the house's");
    }
    for word in ["40004", "30003", "acme", "kiosk"] {
        assert!(!cho.contains(word), "an end user sees `{word}`");
    }
    for value in [&house.json, &rex, &cho] {
        serde_json::from_str::<serde_json::Value>(value).unwrap();
    }
    for (actor, id) in
        [("rex", of("ulla")), ("rex", of("yves")), ("bob", of("cho")), ("bob", of("rex")), ("cho", of("bob"))]
    {
        assert!(see(world.actor(actor), id).await.is_none(), "{actor}");
    }
    assert!(see(owner(), ReceiptId(7)).await.is_none());
}

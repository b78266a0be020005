//! What belongs together is one finding, and nobody finds what is not for their eyes.

use super::super::tests::{HOUR, NOW, World, owner};
use super::*;
use crate::desk::{MoneyMove, MoveKind, PriceDraft, WalletId};
use crate::tests::support::TestAdapter;
use burncloud_core::adapter::Registry;
use burncloud_core::layers::auth::RemoteIp;
use burncloud_core::store::{BudgetStore, CatalogueCopy, CatalogueState, CatalogueStore, ChannelStore};
use burncloud_core::{
    Allowance, Attempt, Budget, End, Enforcement, Gateway, LineKind, Nano, Period, Receipt, Role, Scope,
};
use serde_json::json;
use std::time::Duration;

const SINCE: UnixMicros = UnixMicros(NOW.0 - 24 * HOUR);

fn desk(world: &World) -> Desk {
    Desk::new(world.store.clone(), Registry::default())
}

async fn found(world: &World, actor: &Actor, live: &Live) -> Vec<Finding> {
    desk(world).findings_at(actor, SINCE, live, NOW).await.unwrap()
}

/// Nobody answered, so that nothing was charged.
fn unanswered(world: &mut World, user: &str, at: i64) -> Receipt {
    let (charge, legs) = (Nano::ZERO, Vec::new());
    Receipt { channel: None, charge, legs, upstream_cost: Nano::ZERO, ..world.receipt(user, "fast", at) }
}

/// No provider answered: each attempt got that status.
fn failed(world: &mut World, user: &str, at: i64, status: u16) -> Receipt {
    let attempt = Attempt { channel: world.channel, status: Some(status), error: None, took_us: 9 };
    let attempts = vec![attempt.clone(), attempt];
    Receipt { status: 502, end: End::UpstreamFailed, attempts, ..unanswered(world, user, at) }
}

fn refused(world: &mut World, user: &str, at: i64, status: u16) -> Receipt {
    Receipt { status, end: End::Refused, attempts: vec![], ..unanswered(world, user, at) }
}

fn errors(found: &[Finding]) -> Vec<(Severity, bool, Reason, Option<ChannelId>, u64)> {
    let of = |one: &Finding| match &one.kind {
        Kind::Errors { reason, channel, .. } => {
            Some((one.severity, one.settled, *reason, *channel, one.count))
        }
        _ => None,
    };
    let mut all: Vec<_> = found.iter().filter_map(of).collect();
    all.sort();
    all
}

fn rest(world: &World, alone: bool) -> RestingLane {
    let resting = Resting {
        since: UnixMicros(NOW.0 - 60_000_000),
        back_in: Duration::from_secs(38),
        failures: 5,
        trips: 1,
        why: Some(Why::Status(402)),
    };
    RestingLane { channel: world.channel, model: "fast".into(), resting, alone }
}

/// Two hours ago all were answered after a while; an hour ago the account had no money left.
async fn troubled() -> (World, Vec<Receipt>) {
    let mut world = World::new().await;
    let start = NOW.0 - 2 * HOUR;
    let (mut all, mut hurt) = (Vec::new(), Vec::new());
    for (n, user) in (0..).zip(["ulla", "rex", "yves", "cho"]) {
        all.push(world.receipt(user, "fast", start + n));
        hurt.push(failed(&mut world, user, start + HOUR + n, 402));
    }
    let at_once = world.receipt("ulla", "fast", start + HOUR / 2);
    all.push(Receipt { attempts: at_once.attempts[1..].to_vec(), ..at_once });
    for n in 0..5 {
        all.push(refused(&mut world, "bob", start + n, 400));
        all.push(refused(&mut world, "bob", start + n, 429));
    }
    all.push(refused(&mut world, "cho", start + HOUR, 402));
    // Too few to speak of, and one who left.
    all.push(refused(&mut world, "ulla", start, 404));
    all.push(Receipt { end: End::CallerGone, ..refused(&mut world, "ulla", start, 499) });
    all.extend(hurt.clone());
    world.record(all).await;
    (world, hurt)
}

#[tokio::test]
async fn errors_of_one_reason_are_one_finding() {
    let (world, hurt) = troubled().await;
    let live = Live { resting: vec![rest(&world, true)], ..Live::default() };
    let of = found(&world, &owner(), &live).await;
    let (account, none) = (Some(world.channel), None);
    let wanted = [
        (Severity::Hurt, false, Reason::AccountEmpty, account, 4),
        (Severity::Care, false, Reason::NoCredit, none, 1),
        (Severity::Info, false, Reason::CallerLimit, none, 5),
        (Severity::Info, false, Reason::BadRequest, none, 5),
        (Severity::Info, true, Reason::TooBusy, account, 4),
    ];
    assert_eq!(errors(&of), wanted);
    let first = &of[0];
    assert_eq!((first.first, first.last, first.customers), (Some(hurt[0].at), Some(hurt[3].at), 3));
    assert_eq!(first.receipts, [hurt[3].id, hurt[2].id, hurt[1].id], "the newest");
    let (channel, model) = (world.channel, "fast".to_owned());
    let wake = Suggestion::WakeLane { channel, model };
    assert_eq!(first.actions, [Suggestion::TopUpAccount { channel }, wake.clone()]);
    let kind = |of: &Finding| match &of.kind {
        Kind::Errors { answered, channel_name, .. } => (*answered, channel_name.clone()),
        _ => (0, None),
    };
    assert_eq!(kind(first), (0, Some("secret-account".to_owned())));
    let key = world.keys["cho"];
    let unpaid = of.iter().find(|one| matches!(one.kind, Kind::Errors { reason: Reason::NoCredit, .. }));
    let help = &unpaid.unwrap().actions;
    assert_eq!(help[..], [Suggestion::LookAtKey { key }], "the tenant's user is the tenant's to help");
    let busy = of.iter().find(|one| one.settled).unwrap();
    assert_eq!((kind(busy).0, &busy.actions[..]), (4, &[][..]), "nobody noticed");
    let resting = of.iter().find(|one| matches!(one.kind, Kind::Resting { .. })).unwrap();
    assert_eq!((resting.severity, &resting.actions[..]), (Severity::Care, &[wake][..]));
    assert_eq!(of, found(&world, &owner(), &live).await, "ids and all");
    let ids: std::collections::BTreeSet<&str> = of.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), of.len(), "each its own");

    let accountant = Actor { role: Role::Accountant, tenant: world.tenants["default"], ..owner() };
    let of = found(&world, &accountant, &live).await;
    assert_eq!(errors(&of), wanted, "whoever only looks sees as much");
    let may = |one: &Suggestion| matches!(one, Suggestion::LookAtKey { .. });
    assert!(of.iter().flat_map(|one| &one.actions).all(may), "but is not told to do what it may not");
}

#[tokio::test]
async fn what_was_before_is_not_found() {
    let (world, _) = troubled().await;
    let since = UnixMicros(NOW.0 - HOUR / 2);
    let of = desk(&world).findings_at(&owner(), since, &Live::default(), NOW).await.unwrap();
    assert_eq!(errors(&of), []);
}

fn loss(world: &World, seller: Option<&str>) -> Loss {
    let seller = seller.map(|name| world.tenants[name]);
    let (channel, class) = (world.channel, LineKind::Output);
    Loss { model: "fast".into(), channel, seller, class, at: UnixMicros(NOW.0 - HOUR) }
}

async fn wait_for_prices(world: &World) {
    let copy = CatalogueCopy {
        version: 0,
        fetched_at: UnixMicros(NOW.0 - HOUR),
        source: "https://prices.test".into(),
        state: CatalogueState::Pending,
        body: "{}".into(),
    };
    world.store.add_catalogue(copy).await.unwrap();
}

fn budget(name: &str, scope: Scope, most: i64) -> Budget {
    Budget {
        name: name.into(),
        scope,
        period: Period::Total,
        allowance: Allowance::Money(Nano(most)),
        enforcement: Enforcement::Hard,
        time_zone: "UTC".into(),
    }
}

/// A world in which everything is wrong, and what a gateway would know of it.
async fn wrong() -> (World, Live) {
    let (mut world, _) = troubled().await;
    let at = NOW.0 - HOUR;
    let answered: Vec<Receipt> = ["bob", "yves"].map(|user| world.receipt(user, "fast", at)).to_vec();
    world.record(answered).await;
    wait_for_prices(&world).await;
    for (name, most) in [("bob", 45_045), ("cho", 1_000_000), ("yves", 61_000)] {
        let own = budget(&format!("budget-of-{name}"), Scope::User(world.users[name].id), most);
        world.store.set_budget(&own).await.unwrap();
    }
    let account = budget("budget-of-account", Scope::Channel(world.channel), 1);
    world.store.set_budget(&account).await.unwrap();
    let suspect = |last: u8, unauthenticated| Suspect {
        address: [192, 0, 2, last].into(),
        unauthenticated,
        forbidden: 1,
        first: UnixMicros(at),
        last: NOW,
    };
    let live = Live {
        losses: [None, Some("acme"), Some("kiosk"), Some("rival")].map(|of| loss(&world, of)).to_vec(),
        suspects: vec![suspect(7, 19), suspect(8, 18)],
        resting: vec![rest(&world, false)],
    };
    (world, live)
}

fn names(found: &[Finding]) -> Vec<String> {
    let of = |one: &Finding| match &one.kind {
        Kind::Loss { seller_name, .. } => Some(format!("loss {}", seller_name.as_deref().unwrap_or("house"))),
        Kind::Unpriced { model, .. } => Some(format!("unpriced {model}")),
        Kind::Budget { name, permille, .. } => Some(format!("{name} {permille}")),
        Kind::Credit { name, empty: true, .. } => Some(format!("credit {}", name.as_deref().unwrap_or("?"))),
        Kind::PricesWait { .. } => Some("prices".to_owned()),
        Kind::Address { address, .. } => Some(address.clone()),
        _ => None,
    };
    let mut all: Vec<String> = found.iter().filter_map(of).collect();
    all.sort();
    all
}

#[tokio::test]
async fn everybody_finds_what_is_theirs() {
    let (world, live) = wrong().await;
    let house = found(&world, &owner(), &live).await;
    let wanted = [
        "192.0.2.7",
        "budget-of-account 77777000",
        "budget-of-bob 1000",
        "budget-of-yves 1967",
        "credit acme",
        "credit rival",
        "credit ulla",
        "loss acme",
        "loss house",
        "loss kiosk",
        "loss rival",
        "prices",
        "unpriced fast",
    ];
    assert_eq!(names(&house), wanted);
    let severity = |of: &[Finding], name: &str| {
        of.iter().find(|one| names(std::slice::from_ref(*one)) == [name]).unwrap().severity
    };
    assert_eq!(severity(&house, "loss house"), Severity::Hurt);
    assert_eq!(severity(&house, "loss acme"), Severity::Info);

    let rex = found(&world, &world.actor("rex"), &live).await;
    let wanted = [
        "budget-of-bob 1000",
        "credit acme",
        "credit bob",
        "credit kiosk",
        "credit rex",
        "loss acme",
        "loss kiosk",
    ];
    assert_eq!(names(&rex), wanted);
    assert_eq!(severity(&rex, "loss acme"), Severity::Hurt);
    assert_eq!(
        (severity(&rex, "credit acme"), severity(&rex, "credit bob")),
        (Severity::Hurt, Severity::Care)
    );
    let of_rex: Vec<_> = errors(&rex).into_iter().map(|one| (one.2, one.3, one.4)).collect();
    let wanted = [
        (Reason::NoCredit, None, 1),
        (Reason::Failed, None, 2),
        (Reason::CallerLimit, None, 5),
        (Reason::BadRequest, None, 5),
    ];
    for one in wanted {
        assert!(of_rex.contains(&one), "{one:?}: {of_rex:?}");
    }
    assert_eq!(of_rex.len(), 4);

    let bob = found(&world, &world.actor("bob"), &live).await;
    assert_eq!(names(&bob), ["budget-of-bob 1000", "credit bob"]);
    assert!(bob.iter().all(|one| one.severity == Severity::Hurt && one.actions.is_empty()), "{bob:?}");
    assert_eq!(bob.len(), 2);
}

#[tokio::test]
async fn no_finding_leaks() {
    let (world, live) = wrong().await;
    let text = async |actor: Actor| {
        serde_json::to_string(&found(&world, &actor, &live).await.into_iter().collect::<Vec<_>>()).unwrap()
    };
    let accounts = ["secret", "11111", "channel", "account", "too_busy", "resting", "prices", "192.0.2"];
    let rex = text(world.actor("rex")).await;
    for word in accounts.into_iter().chain(["yves", "ulla", "rival", "60006", "33033", "20002"]) {
        assert!(!rex.contains(word), "a reseller finds `{word}`: {rex}");
    }
    let bob = text(world.actor("bob")).await;
    for word in accounts.into_iter().chain(["rex", "cho", "acme", "kiosk", "errors", "loss", "30003"]) {
        assert!(!bob.contains(word), "an end user finds `{word}`: {bob}");
    }
    let house = text(owner()).await;
    for word in ["secret-account", "channel", "resting", "192.0.2.7", "budget-of-yves", "unpriced"] {
        assert!(house.contains(word), "the test looks for what is there: {word}");
    }
}

#[tokio::test]
async fn a_model_with_a_price_and_a_wallet_with_money_are_no_findings() {
    let mut world = World::new().await;
    let receipt = world.receipt("ulla", "fast", NOW.0 - HOUR);
    world.record(vec![receipt]).await;
    let desk = desk(&world);
    let fund = async |amount| {
        let to = WalletId::User(world.users["ulla"].id);
        let order =
            MoneyMove { kind: MoveKind::TopUp, amount: Nano(amount), reference: None, reason: String::new() };
        desk.move_money(&owner(), to, order).await.unwrap();
    };
    fund(20_003).await;
    let rates = json!({ "input": "1" });
    let draft = PriceDraft {
        book: None,
        channel: None,
        model: "fast".into(),
        effective_at: Some(UnixMicros(1)),
        rates,
    };
    desk.set_price(&owner(), draft, None).await.unwrap();
    let of = async || desk.findings_at(&owner(), SINCE, &Live::default(), NOW).await.unwrap();
    let wallet = of().await.into_iter().find(|one| matches!(one.kind, Kind::Credit { .. })).unwrap();
    assert!(
        matches!(wallet.kind, Kind::Credit { empty: false, .. }),
        "one nano-dollar lasts no day: {wallet:?}"
    );
    assert_eq!(wallet.severity, Severity::Info);
    assert!(names(&of().await).is_empty());
    fund(30_000).await;
    assert!(!of().await.iter().any(|one| matches!(one.kind, Kind::Credit { .. })));
    let stranger = Actor { role: Role::EndUser, ..owner() };
    assert!(desk.findings(&stranger, SINCE, &Live::default()).await.is_err());
}

#[tokio::test]
async fn what_the_gateway_knows_is_found() {
    let world = World::new().await;
    let registry = Registry::default().with(TestAdapter("secret-provider"));
    let channels = world.store.channels().await.unwrap();
    let gateway = Gateway::builder(world.store.clone(), registry).build(&channels).unwrap();
    let desk = desk(&world);
    assert_eq!(desk.live(gateway.handle()), Live::default());
    let table = gateway.handle().table();
    table.lane("fast", world.channel).unwrap().breaker.rest(Duration::from_secs(600));
    for _ in 0..20 {
        let mut request =
            http::Request::post("/v1/chat/completions").body(burncloud_core::Body::empty()).unwrap();
        request.extensions_mut().insert(RemoteIp([192, 0, 2, 7].into()));
        assert_eq!(gateway.answer(request).await.unwrap().status(), 401);
    }
    let live = desk.live(gateway.handle());
    assert_eq!((live.resting.len(), live.suspects.len()), (1, 1));
    assert!(live.resting[0].alone && live.resting[0].model == "fast");
    let of = found(&world, &owner(), &live).await;
    assert_eq!(names(&of), ["192.0.2.7", "unpriced fast"]);
    let resting = of.iter().find_map(|one| match one.kind {
        Kind::Resting { channel, back_in_us, .. } => Some((channel, back_in_us)),
        _ => None,
    });
    let (channel, back_in_us) = resting.unwrap();
    assert!(channel == world.channel && (1..=600_000_000).contains(&back_in_us));
}

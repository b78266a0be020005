//! The page as it is drawn, for each pair of eyes.

use burncloud_billing::desk::reports::{Customer, LogRow};
use burncloud_core::store::Outcome;
use burncloud_core::{End, KeyId, Nano, ReceiptId, TenantId, TraceId, UnixMicros, UserId};

/// An answered request without names.
pub(super) fn row(id: u128) -> LogRow {
    LogRow {
        id: ReceiptId(id),
        trace: TraceId(id.to_be_bytes()),
        at: UnixMicros(1_795_181_400_000_000 + i64::try_from(id).unwrap()),
        customer: Customer::User(UserId(1)),
        customer_name: None,
        user: UserId(1),
        user_name: None,
        tenant: TenantId(1),
        key: KeyId(1),
        key_name: None,
        model: String::new(),
        status: 200,
        outcome: Outcome::Answered,
        end: End::Finished,
        reason: None,
        fault: None,
        streamed: false,
        first_us: None,
        took_us: 1_000,
        tokens_in: 0,
        tokens_out: 0,
        charge: Nano::ZERO,
        revenue: None,
        cost: None,
        margin: None,
        channel: None,
        switches: None,
        road: vec![],
    }
}

use super::choices::Eyes;
use super::query::Query;
use super::tail::{Shown, Waiting};
use super::{Said, changes, empty, table, trace};
use crate::Console;
use crate::fmt::Fmt;
use crate::kit::Toasts;
use crate::lang::{Lang, Look};
use crate::live::{Changes, Conn, Place, Viewer, use_live_history};
use crate::watch::Pulse;
use burncloud_billing::Desk;
use burncloud_billing::desk::reports::{LogFilter, ReceiptView, Sums};
use burncloud_billing::desk::{AuditQuery, AuditView, TenantEdit};
use burncloud_billing::people::Actor;
use burncloud_core::store::{
    ChannelStore, KeyStore, MemoryStore, NewTenant, NewUser, ReceiptStore, UserStore,
};
use burncloud_core::testing::new_key;
use burncloud_core::{
    Attempt, ChannelConfig, ChannelId, ChannelSettings, Leg, Line, LineKind, Receipt, Role, Status, Usage,
};
use dioxus::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The house sells to acme, a reseller; bob is acme's customer.
struct House {
    console: Console,
    store: Arc<MemoryStore>,
    rex: Actor,
    bob: Actor,
}

const BAD: &str = "<img src=x onerror=alert(1)>";

async fn house() -> House {
    let store = Arc::new(MemoryStore::default());
    let house = store.tenant_by_name("default").await.unwrap().unwrap().id;
    let new = NewTenant { name: "acme".into(), parent: Some(house), ..NewTenant::default() };
    let acme = store.create_tenant(new).await.unwrap().id;
    let user = async |name: &str, role| {
        let new = NewUser { name: name.into(), tenant: acme, role, ..NewUser::default() };
        store.create_user(new).await.unwrap()
    };
    let (rex, bob) = (user("rex", Role::Reseller).await, user("bob", Role::EndUser).await);
    let key = store.create_key(new_key("bobs-key", bob.id)).await.unwrap().id;
    let channel = |name: &str| ChannelConfig {
        id: ChannelId(0),
        name: name.into(),
        provider: "openai".into(),
        base_url: None,
        credential: String::new().into(),
        models: vec!["fast".into()],
        model_mapping: BTreeMap::new(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    };
    let moody = store.create_channel(channel("moody-account")).await.unwrap().id;
    let good = store.create_channel(channel("good-account")).await.unwrap().id;
    let attempt = |channel, status, took_us| Attempt { channel, status: Some(status), error: None, took_us };
    let line = |kind, units, amount| Line { kind, units, price: Nano(4_200_000_000), amount: Nano(amount) };
    let answered = Receipt {
        id: ReceiptId(2),
        trace_id: TraceId([7; 16]),
        at: UnixMicros::now(),
        key,
        user: bob.id,
        tenant: acme,
        model: "fast".into(),
        upstream_model: "fast-upstream".into(),
        channel: Some(good),
        status: 200,
        end: End::Finished,
        attempts: vec![attempt(moody, 429, 182_000), attempt(good, 200, 430_000)],
        usage: Usage { input: 1_204, output: 856, ..Usage::default() },
        lines: vec![line(LineKind::Input, 1_204, 30_000_000), line(LineKind::Output, 856, 15_045_000)],
        charge: Nano(45_045_000),
        legs: vec![Leg { tenant: acme, parent: house, charge: Nano(30_003_000), shortfall: Nano::ZERO }],
        upstream_cost: Nano(11_111_000),
        first_byte_us: Some(612_400),
        took_us: 3_420_000,
        ..burncloud_core::testing::receipt(1)
    };
    let refused = Receipt {
        id: ReceiptId(1),
        model: BAD.into(),
        channel: None,
        status: 402,
        end: End::Refused,
        attempts: vec![],
        usage: Usage::default(),
        lines: vec![],
        charge: Nano::ZERO,
        legs: vec![],
        upstream_cost: Nano::ZERO,
        first_byte_us: None,
        took_us: 400,
        ..answered.clone()
    };
    store.record(&[Arc::new(refused), Arc::new(answered)]).await.unwrap();
    let desk = Desk::new(store.clone(), burncloud_core::adapter::Registry::default());
    let console = Console::builder(desk).build(tokio::runtime::Handle::current());
    House { console, store, rex: Actor::of(&rex), bob: Actor::of(&bob) }
}

#[derive(Clone, PartialEq)]
enum Part {
    List(Eyes),
    Trace(Box<ReceiptView>, Eyes),
    Changes(Vec<AuditView>, i64),
    Never,
    NoMatch,
    New,
    Page,
}

#[derive(Clone)]
struct Bench(Part, Option<Shown>);

#[component]
fn Root() -> Element {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
    let Bench(part, shown) = use_context::<Bench>();
    let shown = use_signal(|| shown);
    match part {
        Part::List(eyes) => {
            let next = Some(ReceiptId(1));
            rsx! {
                table::Rows { shown, eyes, open: Some(ReceiptId(1)), now: crate::fmt::now() }
                table::Steps { query: Query::default(), next }
            }
        }
        Part::Trace(view, eyes) => rsx! { trace::Detail { view: *view, eyes } },
        Part::Changes(items, open) => rsx! { changes::List { items, open: Some(open) } },
        Part::Never => rsx! { empty::Never { model: "fast".to_owned() } },
        Part::NoMatch => {
            rsx! { empty::NoMatch { query: Query::default(), searched: Some(UnixMicros(0)), next: Some(ReceiptId(1)) } }
        }
        Part::New => {
            rsx! { super::New { waiting: Signal::new(Waiting { count: 200, more: true }), onresume: |()| () } }
        }
        Part::Page => rsx! { super::Logs {} },
    }
}

impl House {
    fn draw(&self, actor: &Actor, lang: Lang, path: &str, bench: Bench) -> String {
        let viewer = Viewer::signed_in(actor.clone(), lang);
        let look = Look { lang, ..Look::default() };
        let conn = Conn::page(self.console.clone(), Arc::new(viewer), look.clone(), path.to_owned());
        let dom = VirtualDom::new(Root).with_root_context(look).with_root_context(conn);
        let mut dom = dom.with_root_context(bench);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    async fn shown(&self, actor: &Actor) -> Shown {
        let page = self.console.desk().logs(actor, &LogFilter::default()).await.unwrap();
        Shown { query: Query::default(), page, fresh: BTreeSet::from([ReceiptId(2)]) }
    }

    async fn list(&self, actor: &Actor, eyes: Eyes, lang: Lang) -> String {
        let bench = Bench(Part::List(eyes), Some(self.shown(actor).await));
        self.draw(actor, lang, "/console/logs?model=fast", bench)
    }

    async fn trace(&self, actor: &Actor, eyes: Eyes, lang: Lang) -> String {
        let view = self.console.desk().receipt(actor, ReceiptId(2)).await.unwrap().unwrap();
        self.draw(actor, lang, "/console/logs", Bench(Part::Trace(Box::new(view), eyes), None))
    }
}

fn owner() -> Actor {
    Actor::operator("owner")
}

#[track_caller]
fn has(html: &str, words: &[&str]) {
    for word in words {
        assert!(html.contains(word), "`{word}` is not in {html}");
    }
}

#[track_caller]
fn has_not(html: &str, words: &[&str]) {
    for word in words {
        assert!(!html.contains(word), "`{word}` is in {html}");
    }
}

#[tokio::test]
async fn the_house_sees_the_road_and_what_it_keeps() {
    let house = house().await;
    let html = house.list(&owner(), Eyes::House, Lang::En).await;
    has(&html, &["Road taken", "moody-account", "429", "good-account", "acme", "612 ms", "3.42 s", "1,204"]);
    has(&html, &["$0.030003", "$0.018892", "no credit left", "402", "row-new", "is-open"]);
    has(
        &html,
        &[
            "href=\"/console/logs?model=fast&#38;open=rc_00000000000000000000000000000002\"",
            "id=\"logs-older\"",
        ],
    );
    has_not(&html, &["<img", "$0.045045"]);
    let html = house.list(&owner(), Eyes::House, Lang::Zh).await;
    has(&html, &["经过", "余额不足", "首字", "净利", "较旧"]);
}

#[tokio::test]
async fn a_reseller_sees_no_accounts_and_an_end_user_no_margin() {
    let house = house().await;
    let accounts = ["moody", "good-account", "fast-upstream", "11111", "0.011111", "0.018892", "429", "Road"];
    let rex = house.list(&house.rex, Eyes::Reseller, Lang::En).await;
    has(&rex, &["bob", "$0.045045", "$0.015042", "answered"]);
    has_not(&rex, &accounts);
    let rex = house.trace(&house.rex, Eyes::Reseller, Lang::En).await;
    has(&rex, &["Charged to bob", "$0.030003", "You keep 33.39%", "Waiting", "Talking"]);
    has_not(&rex, &accounts);
    let bob = house.list(&house.bob, Eyes::User, Lang::En).await;
    has(&bob, &["bobs-key", "$0.045045", "Key"]);
    has_not(&bob, &accounts);
    has_not(&bob, &["You keep", "0.030003", "acme"]);
    let bob = house.trace(&house.bob, Eyes::User, Lang::En).await;
    has(&bob, &["1,204 × $4.20/M", "$0.030000", "Not signed"]);
    has_not(&bob, &accounts);
    has_not(&bob, &["You keep", "0.030003", "Cost", "pays"]);
}

#[tokio::test]
async fn a_trace_says_where_the_time_went_and_who_was_asked() {
    let house = house().await;
    let html = house.trace(&owner(), Eyes::House, Lang::En).await;
    has(
        &html,
        &["At the door", "good-account, waiting", "good-account, talking", "2.81 s", "first word 612 ms"],
    );
    has(
        &html,
        &[
            "too busy (429)",
            "bob of acme asked for fast",
            "acme pays default",
            "Cost at good-account",
            "$0.011111",
        ],
    );
    has(&html, &["You keep 62.97%", "fast-upstream", "rc_00000000000000000000000000000002"]);
    let html = house.trace(&owner(), Eyes::House, Lang::Zh).await;
    has(&html, &["进门", "good-account，输出", "太忙（429）", "向bob收取", "净利 62.97%"]);
}

#[tokio::test]
async fn whatever_there_is_not_is_said_with_a_way_on() {
    let house = house().await;
    let draw = |part, lang| house.draw(&owner(), lang, "/console/logs?q=tea&live=off", Bench(part, None));
    let html = draw(Part::Never, Lang::En);
    has(&html, &["curl", "$BURNCLOUD_URL/v1/chat/completions", "fast", "/console/access"]);
    has(&draw(Part::Never, Lang::Zh), &["发出第一个请求"]);
    let html = draw(Part::NoMatch, Lang::En);
    has(
        &html,
        &[
            "Nothing since Jan 1, 1970",
            "id=\"logs-clear\"",
            "href=\"/console/logs?live=off\"",
            "Look further back",
        ],
    );
    has(&draw(Part::NoMatch, Lang::Zh), &["继续往前找", "清除条件"]);
    has(&draw(Part::New, Lang::En), &["200+ new"]);
    has(&draw(Part::New, Lang::Zh), &["新增 200+ 条"]);
}

#[tokio::test]
async fn the_first_html_has_a_heading_and_the_filters_of_the_url() {
    let house = house().await;
    let page = |path: &str, actor: &Actor, lang| house.draw(actor, lang, path, Bench(Part::Page, None));
    let html = page("/console/logs?q=%3Cb%3Etea&time=1h&result=slow&live=off", &owner(), Lang::En);
    assert_eq!(html.matches("<h1").count(), 1);
    has(
        &html,
        &["&#60;b&#62;tea", "last hour", "Go on", "Switched", "Account", "id=\"pick-time\"", "Loading"],
    );
    has(&html, &["/console/logs/export?format=csv&#38;q=%3Cb%3Etea&#38;time=1h&#38;result=slow\""]);
    let html = page("/console/logs", &house.bob, Lang::Zh);
    has(&html, &["实时", "密钥", "导出"]);
    has_not(&html, &["换道", "账号"]);
    let html = page("/console/logs/changes?by=4", &owner(), Lang::En);
    has(&html, &["<h1", "user:4", "aria-current=\"page\""]);
    has(&page("/console/logs/nowhere", &owner(), Lang::En), &["There is no page here"]);
}

#[tokio::test]
async fn a_change_is_shown_with_what_was_and_what_is() {
    let house = house().await;
    let acme = house.store.tenant_by_name("acme").await.unwrap().unwrap();
    let edit = TenantEdit { time_zone: Some("Europe/Berlin".into()), ..TenantEdit::default() };
    let bad = Actor::operator(BAD);
    house.console.desk().update_tenant(&bad, acme.id, edit, None).await.unwrap();
    let page = house.console.desk().audit(&owner(), &AuditQuery::default()).await.unwrap();
    let open = page.items[0].entry.id;
    let draw = |lang| {
        let bench = Bench(Part::Changes(page.items.clone(), open), None);
        house.draw(&owner(), lang, "/console/logs/changes", bench)
    };
    let html = draw(Lang::En);
    has(
        &html,
        &[
            "time_zone",
            "Europe/Berlin",
            "changed the tenant",
            "Before",
            "After",
            "acme",
            "aria-expanded=\"true\"",
        ],
    );
    has_not(&html, &["<img"]);
    has(&draw(Lang::Zh), &["修改了分销商", "之前", "之后"]);
}

#[test]
fn the_headline_is_a_sentence() {
    let say = |said: Said, lang| {
        let (fact, rest) = said.words(&Fmt { lang, zone: jiff::tz::TimeZone::UTC });
        format!("{fact}{rest}")
    };
    let beat = Pulse { now_requests: 42.0, answered: 9_994, failed: 6, ..Pulse::default() };
    assert_eq!(say(Said::of_beat(&beat), Lang::En), "42 a second, 99.94% answered.");
    assert_eq!(say(Said::of_beat(&beat), Lang::Zh), "每秒 42 个请求，99.94% 已应答。");
    let slow = Pulse { now_requests: 0.3, ..Pulse::default() };
    assert_eq!(say(Said::of_beat(&slow), Lang::En), "0.3 a second.");
    assert_eq!(say(Said::of_beat(&Pulse::default()), Lang::En), "No requests at the moment.");
    let sums = Sums { requests: 1_204, answered_permyriad: Some(9_990), ..Sums::default() };
    assert_eq!(say(Said::of_today(&sums), Lang::En), "1,204 today, 99.9% answered.");
    assert_eq!(say(Said::of_today(&sums), Lang::Zh), "今天 1,204 个请求，99.9% 已应答。");
    assert_eq!(say(Said::Paused("14:32:08".into()), Lang::Zh), "已暂停，停在 14:32:08。");
    assert_eq!(say(Said::Before("14:32:08".into()), Lang::En), "Older than 14:32:08.");
    assert_eq!(super::answered(99_999, 1), Some(9_999), "not all, so not 100%");
    let place = Place::parse("", "/logs");
    assert_eq!(Query::of(&place), Query::default());
}

#[test]
fn an_archived_request_says_where_it_is() {
    let html = super::trace::archived_drawn(812);
    assert!(
        html.contains("spans link 812") && html.contains("rc_00000000000000000000000000000007"),
        "{html}"
    );
}

//! What the page shows, to whom, in both languages.

use super::create::{Make, make};
use super::key::Detail;
use super::list::{List, People};
use super::shown::{Made, Shown};
use crate::Console;
use crate::kit::{Form, Toasts};
use crate::lang::{Lang, Look};
use crate::live::{Changes, Conn, Cx, Viewer, use_live_history};
use burncloud_billing::Desk;
use burncloud_billing::desk::reports::{KeyPage, KeyState};
use burncloud_billing::desk::{BudgetDraft, KeyDraft, KeyFilter, UserDraft};
use burncloud_billing::people::Actor;
use burncloud_core::adapter::Registry;
use burncloud_core::store::{ChannelStore, MemoryStore, NewTenant, UserStore};
use burncloud_core::{
    Allowance, ChannelConfig, ChannelId, ChannelSettings, Enforcement, KeyId, Nano, Period, Role, Scope,
    Status, TenantId,
};
use dioxus::prelude::*;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The house with mia and ned, and a reseller's rex with zoe; each with a key of their name.
struct House {
    console: Console,
    boss: Actor,
}

impl House {
    async fn new() -> House {
        let store = Arc::new(MemoryStore::default());
        let house = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let branch = NewTenant { name: "branch".into(), parent: Some(house), ..NewTenant::default() };
        let branch = store.create_tenant(branch).await.unwrap().id;
        let channel = ChannelConfig {
            id: ChannelId(0),
            name: "secret-account".into(),
            provider: "openai".into(),
            base_url: None,
            credential: "sk-x".into(),
            models: vec!["fast-model".into(), "slow-model".into()],
            model_mapping: Default::default(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        store.create_channel(channel).await.unwrap();
        let desk = Desk::new(store, Registry::default());
        let console = Console::builder(desk)
            .public_url("https://gate.example")
            .build(tokio::runtime::Handle::current());
        let boss = Actor::operator("boss");
        let house_ = House { console, boss };
        for (name, tenant, role) in [
            ("mia", house, Role::EndUser),
            ("ned", house, Role::EndUser),
            ("rex", branch, Role::Reseller),
            ("zoe", branch, Role::EndUser),
        ] {
            house_.person(name, tenant, role).await;
        }
        house_
    }

    fn desk(&self) -> &Desk {
        self.console.desk()
    }

    async fn person(&self, name: &str, tenant: TenantId, role: Role) {
        let draft = UserDraft { name: name.into(), tenant: Some(tenant), role, ..UserDraft::default() };
        let user = self.desk().create_user(&self.boss, draft).await.unwrap().user.id;
        let draft =
            KeyDraft { name: format!("{name}'s <b>key</b>"), user: Some(user), ..KeyDraft::default() };
        self.desk().create_key(&self.boss, draft).await.unwrap();
    }

    async fn who(&self, name: &str) -> Actor {
        Actor::of(&self.desk().store().user_by_name(name).await.unwrap().unwrap())
    }

    async fn key_of(&self, name: &str) -> KeyId {
        let filter = KeyFilter { text: Some(format!("{name}'s")), ..KeyFilter::default() };
        self.desk().keys(&self.boss, &filter).await.unwrap().items[0].key.id
    }

    async fn budget(&self, id: KeyId, amount: i64) {
        let draft = BudgetDraft {
            name: "b".into(),
            scope: Scope::Key(id),
            period: Period::Day,
            allowance: Allowance::Money(Nano(amount)),
            enforcement: Enforcement::Hard,
            time_zone: String::new(),
        };
        self.desk().set_budget(&self.boss, draft, None).await.unwrap();
    }

    fn cx(&self, actor: &Actor, lang: Lang) -> Cx {
        let viewer = Viewer::signed_in(actor.clone(), lang);
        Cx { console: self.console.clone(), viewer: Arc::new(viewer) }
    }

    /// What a component draws for somebody at a path.
    fn draw(&self, actor: &Actor, lang: Lang, path: &str, what: Drawn) -> String {
        let cx = self.cx(actor, lang);
        let look = Look { lang, ..Look::default() };
        let conn = Conn::page(cx.console, cx.viewer, look.clone(), format!("/console{path}"));
        let dom = VirtualDom::new_with_props(Root, RootProps { what });
        let mut dom = dom.with_root_context(look).with_root_context(conn);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    async fn list(&self, actor: &Actor, lang: Lang, path: &str, state: Option<KeyState>) -> String {
        let list = self.desk().keys_in_use(actor, &KeyFilter::default(), state).await.unwrap();
        let seen = self.desk().users(actor, &Default::default()).await.unwrap();
        let people: People = seen.items.into_iter().map(|view| (view.user.id.0, view.user.name)).collect();
        let drawn = Drawn::List(list, people);
        self.draw(actor, lang, path, drawn)
    }

    async fn page(&self, actor: &Actor, lang: Lang, id: KeyId, query: &str) -> String {
        let page = self.desk().key_in_use(actor, id).await.unwrap();
        self.draw(actor, lang, &format!("/access/{id}{query}"), Drawn::Page(Box::new(page)))
    }
}

#[derive(Clone, PartialEq)]
enum Drawn {
    List(burncloud_billing::desk::reports::KeyList, People),
    Page(Box<KeyPage>),
    Create(People),
    Shown(Made),
    All,
}

#[component]
fn Root(what: Drawn) -> Element {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
    let served = vec!["fast-model".to_owned(), "slow-model".to_owned()];
    match what {
        Drawn::List(list, people) => rsx! { List { list, people } },
        Drawn::Page(page) => rsx! { Detail { page: *page, served } },
        Drawn::Create(people) => rsx! { Make { served, people, onmade: |_| (), onclose: |()| () } },
        Drawn::Shown(made) => rsx! { Shown { made, onclose: |()| () } },
        Drawn::All => rsx! { super::Access {} },
    }
}

fn has(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "`{part}` is missing in\n{html}");
    }
}

fn lacks(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(!html.contains(part), "`{part}` is in\n{html}");
    }
}

#[tokio::test]
async fn the_list_shows_what_each_may_see_in_both_languages() {
    let house = House::new().await;
    house.budget(house.key_of("mia").await, 500_000_000_000).await;
    let html = house.list(&house.boss, Lang::En, "/access", None).await;
    has(
        &html,
        &[
            "4 keys",
            " in use.",
            "New key",
            "All models",
            "Spent today",
            "/ 500",
            "no limit",
            "Idle",
            "All customers",
        ],
    );
    has(&html, &["0% of today", "mia", "ned", "rex", "zoe"]);
    lacks(&html, &["<b>key</b>", "secret-account"]);
    let html = house.list(&house.boss, Lang::Zh, "/access", None).await;
    has(&html, &["4 把密钥", "在用。", "新建密钥", "全部模型", "今日花费", "不限", "闲置", "全部客户"]);
    let rex = house.list(&house.who("rex").await, Lang::En, "/access", None).await;
    has(&rex, &["2 keys", "rex", "zoe"]);
    lacks(&rex, &["mia", "ned", "/ 500"]);
    let zoe = house.list(&house.who("zoe").await, Lang::En, "/access", None).await;
    has(&zoe, &["1 key<", "zoe"]);
    lacks(&zoe, &["mia", "ned", "rex", "Customer"]);
}

#[tokio::test]
async fn an_empty_list_says_why() {
    let house = House::new().await;
    let none = house.list(&house.boss, Lang::En, "/access?state=revoked", Some(KeyState::Revoked)).await;
    has(&none, &["No key is like that.", "Show all"]);
    let new = Actor { user: Some(burncloud_core::UserId(99)), ..house.who("zoe").await };
    let html = house.list(&new, Lang::Zh, "/access", None).await;
    has(&html, &["还没有密钥", "<h1", "新建密钥"]);
    has(&house.list(&new, Lang::En, "/access", None).await, &["No keys yet", "/console/access/new"]);
}

#[tokio::test]
async fn a_key_has_a_page_and_what_may_not_be_done_has_no_button() {
    let house = House::new().await;
    let id = house.key_of("mia").await;
    house.budget(id, 500_000_000_000).await;
    let html = house.page(&house.boss, Lang::En, id, "").await;
    lacks(&html, &["<svg", "As a table"]);
    has(
        &html,
        &[
            "Spent today",
            "$500 a day",
            "then refused",
            "Add a budget",
            "Switch off",
            "Rotate",
            "Revoke",
            "Never used",
        ],
    );
    has(&html, &["https://gate.example/v1", "fast-model", "by boss", "Group", "/console/logs?key="]);
    lacks(&html, &["<b>key</b>", "secret-account", "Show the pair"]);
    let html = house.page(&house.boss, Lang::Zh, id, "").await;
    has(
        &html,
        &["今日花费", "每天 $500", "用完即拒绝", "添加预算", "更换", "作废", "从未使用", "能打开什么"],
    );
    let html = house.page(&house.who("mia").await, Lang::En, id, "").await;
    has(&html, &["$500 a day", "Switch off", "Show the pair"]);
    lacks(&html, &["Add a budget", "Group"]);
    let html = house.page(&house.who("mia").await, Lang::En, id, "?do=budget").await;
    lacks(&html, &["<dialog"]);
    house.desk().revoke_key(&house.boss, id, None).await.unwrap();
    let html = house.page(&house.boss, Lang::En, id, "?do=rotate").await;
    has(&html, &["Revoked"]);
    lacks(&html, &["<dialog", "Switch off", "How to use it", "do=rotate"]);
}

#[tokio::test]
async fn each_dialog_is_open_where_the_url_says_so() {
    let house = House::new().await;
    let id = house.key_of("mia").await;
    house.desk().rotate_key(&house.boss, id, 3_600, None).await.unwrap();
    for (asked, en, zh) in [
        ("rotate", "How long the old one still works", "旧密钥还能用多久"),
        ("revoke", "Nothing called with it in the last five minutes.", "最近五分钟没有请求使用它。"),
        ("models", "Which models does it open?", "可以打开哪些模型？"),
        ("speed", "Requests a minute", "每分钟请求数"),
        ("ends", "Empty: never ends.", "留空则不过期。"),
        ("quota", "In its life, at most", "总额度"),
        ("ips", "Where it may come from", "可以从哪里来"),
        ("apps", "Which apps may use it", "哪些应用可用"),
        ("group", "Calls as group", "以分组身份调用"),
        ("budget", "When it is used up", "用完之后"),
    ] {
        for (lang, words) in [(Lang::En, en), (Lang::Zh, zh)] {
            let html = house.page(&house.boss, lang, id, &format!("?do={asked}")).await;
            has(&html, &["<dialog", words]);
        }
    }
    let html = house.page(&house.boss, Lang::En, id, "").await;
    has(&html, &["The old secret works until", "End it now"]);
    lacks(&html, &["<dialog"]);
    let revoke = house.page(&house.boss, Lang::En, id, "?do=revoke").await;
    has(&revoke, &["Type ", "for good"]);
}

fn form(pairs: &[(&str, &str)]) -> Form {
    Form::test(pairs)
}

#[tokio::test]
async fn a_key_is_made_with_its_budget_and_faults_name_their_field() {
    let house = House::new().await;
    let mia = house.who("mia").await.user.unwrap();
    let make = |pairs: &[(&str, &str)]| {
        let served = vec!["fast-model".to_owned()];
        make(house.cx(&house.boss, Lang::En), form(pairs), TimeZone::UTC, served)
    };
    let user = mia.0.to_string();
    let base = [("name", "till"), ("user", user.as_str()), ("models-all", "on")];
    for (field, name, value) in [
        ("quota", "quota", "ten"),
        ("limits", "rpm", "many"),
        ("limits", "rpm", "0"),
        ("ips", "ips", "office"),
        ("expires_at", "ends", "soon"),
        ("expires_at", "ends", "2001-01-01"),
        ("allowance", "day", "-5"),
        ("name", "name", ""),
    ] {
        let pairs: Vec<_> = [(name, value)].into_iter().chain(base).collect();
        let fault = make(&pairs).await.err().unwrap();
        assert_eq!(fault.field.as_deref(), Some(field), "{name}={value}: {fault}");
    }
    let fault = make(&[("name", "till"), ("user", &user)]).await.err().unwrap();
    assert_eq!(fault.field.as_deref(), Some("models"));
    let pairs = [
        ("day", "12.50"),
        ("rpm", "1,000"),
        ("ips", "203.0.113.7"),
        ("model", "fast-model"),
        ("ends", "2099-12-31"),
    ];
    let pairs: Vec<_> = base.into_iter().take(2).chain(pairs).collect();
    let made = make(&pairs).await.unwrap();
    assert!(made.secret.starts_with("sk-burn-") && made.note.is_none());
    assert_eq!(made.model, "fast-model");
    let filter = KeyFilter { text: Some("till".into()), ..KeyFilter::default() };
    let row = house.desk().keys_in_use(&house.boss, &filter, None).await.unwrap().rows.remove(0);
    assert_eq!(row.budgets[0].budget.allowance, Allowance::Money(Nano(12_500_000_000)));
    assert_eq!(row.view.key.limits.requests_per_minute, Some(1_000));
    assert_eq!(row.view.key.models.as_deref(), Some(&["fast-model".to_owned()][..]));
    assert_eq!(row.view.user_name, "mia");
}

#[tokio::test]
async fn the_form_of_a_new_key_asks_what_somebody_may_decide() {
    let house = House::new().await;
    let people: People = vec![(1, "mia".into()), (2, "<i>ned</i>".into())];
    let html = house.draw(&house.boss, Lang::En, "/access/new", Drawn::Create(people));
    has(&html, &["Customer", "mia", "Budget a day", "Calls as group", "Make the key"]);
    lacks(&html, &["<i>ned"]);
    let zoe = house.who("zoe").await;
    let html = house.draw(&zoe, Lang::Zh, "/access/new", Drawn::Create(vec![(4, "zoe".into())]));
    has(&html, &["用在哪里？", "总额度", "生成密钥", "最后一天"]);
    lacks(&html, &["每日预算", "分组", "客户"]);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_the_page_waits_for_its_socket() {
    let house = House::new().await;
    let made =
        Made { secret: "sk-burn-abc".into(), model: "fast-model".into(), note: Some("no <money>".into()) };
    let html = house.draw(&house.boss, Lang::En, "/access", Drawn::Shown(made.clone()));
    has(&html, &["Copy it now", "sk-burn-abc", "I saved it", "without its budget"]);
    lacks(&html, &["no <money>"]);
    has(&house.draw(&house.boss, Lang::Zh, "/access", Drawn::Shown(made)), &["现在就复制", "我已保存"]);
    for path in ["/access", "/access/1", "/access/new"] {
        let html = house.draw(&house.boss, Lang::En, path, Drawn::All);
        has(&html, &["aria-busy", "<h1"]);
        lacks(&html, &["mia"]);
    }
    has(&house.draw(&house.boss, Lang::En, "/access/nowhere", Drawn::All), &["There is no page here"]);
}

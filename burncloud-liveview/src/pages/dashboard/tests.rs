//! What each role sees on the dashboard, and what it does not.

use super::figures::{Glance, glance};
use super::*;
use crate::Console;
use crate::kit::{PulseState, Toasts};
use crate::lang::{Lang, Look};
use crate::live::{Changes, Conn, Viewer, use_live_history};
use burncloud_billing::Desk;
use burncloud_billing::people::Actor;
use burncloud_core::store::{
    ChannelStore, KeyStore, MemoryStore, NewTenant, NewUser, ReceiptStore, UserStore,
};
use burncloud_core::testing::{new_key, receipt};
use burncloud_core::{
    Attempt, ChannelConfig, ChannelId, ChannelSettings, End, KeyId, Leg, Nano, Receipt, ReceiptId, Role,
    Status, TenantId, UnixMicros, Usage, User,
};
use std::collections::BTreeMap;

const DOLLAR: i64 = 1_000_000_000;
/// Names come from outside.
pub(crate) const ANN: &str = "ann <img src=x>";

pub(crate) struct Shop {
    pub(crate) console: Console,
    store: Arc<MemoryStore>,
    channel: ChannelId,
    house: TenantId,
    acme: TenantId,
    users: BTreeMap<&'static str, (User, KeyId)>,
}

impl Shop {
    async fn empty() -> Shop {
        let store = Arc::new(MemoryStore::default());
        let house = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let console = Console::builder(Desk::new(store.clone(), burncloud_adapters::registry()))
            .build(tokio::runtime::Handle::current());
        Shop { console, store, channel: ChannelId(0), house, acme: TenantId(0), users: BTreeMap::new() }
    }

    /// house (ann, the accountant) → acme (rex, bob).
    pub(crate) async fn open() -> Shop {
        let mut shop = Shop::empty().await;
        let acme = NewTenant { name: "acme".into(), parent: Some(shop.house), ..NewTenant::default() };
        shop.acme = shop.store.create_tenant(acme).await.unwrap().id;
        for (name, tenant, role) in [
            (ANN, shop.house, Role::EndUser),
            ("rex", shop.acme, Role::Reseller),
            ("bob", shop.acme, Role::EndUser),
            ("books", shop.house, Role::Accountant),
        ] {
            let new = NewUser { name: name.into(), tenant, role, ..NewUser::default() };
            let user = shop.store.create_user(new).await.unwrap();
            let key: &'static str = format!("key-of-{name}").leak();
            let key = shop.store.create_key(new_key(key, user.id)).await.unwrap().id;
            shop.users.insert(name, (user, key));
        }
        let channel = ChannelConfig {
            id: ChannelId(0),
            name: "secret-account".into(),
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
        shop.channel = shop.store.create_channel(channel).await.unwrap().id;
        shop
    }

    /// A request that cost the provider `cost` dollars: ann pays 20, bob 45, of which acme pays the house 30.
    pub(crate) async fn sell(&self, n: u64, name: &str, cost: i64) {
        self.record(self.sold(n, name, cost)).await;
    }

    pub(crate) async fn record(&self, receipt: Receipt) {
        assert_eq!(self.store.record(&[Arc::new(receipt)]).await.unwrap(), 1);
    }

    pub(crate) fn sold(&self, n: u64, name: &str, cost: i64) -> Receipt {
        let (user, key) = &self.users[name];
        let at = UnixMicros::now();
        let resold = user.tenant == self.acme;
        let leg =
            Leg { tenant: self.acme, parent: self.house, charge: Nano(30 * DOLLAR), shortfall: Nano::ZERO };
        let attempt = Attempt { channel: self.channel, status: Some(200), error: None, took_us: 9 };
        Receipt {
            id: ReceiptId::new(at),
            at,
            key: *key,
            user: user.id,
            tenant: user.tenant,
            model: "fast".into(),
            channel: Some(self.channel),
            status: 200,
            end: End::Finished,
            abort: None,
            attempts: vec![attempt],
            usage: Usage { input: 1_000, output: 200, ..Usage::default() },
            charge: Nano(if resold { 45 } else { 20 } * DOLLAR),
            shortfall: Nano::ZERO,
            legs: if resold { vec![leg] } else { vec![] },
            upstream_cost: Nano(cost * DOLLAR),
            first_byte_us: Some(612_400),
            took_us: 3_420_000,
            ..receipt(n)
        }
    }

    pub(crate) fn actor(&self, name: &str) -> Actor {
        if name == "owner" { Actor::operator("owner") } else { Actor::of(&self.users[name].0) }
    }

    /// The week's figures: a midnight in between changes nothing.
    async fn glance(&self, name: &str) -> Arc<Glance> {
        let actor = self.actor(name);
        let found = crate::pages::radar::read(&self.console, &actor).await.unwrap();
        Arc::new(glance(&self.console, &actor, Period::Week, &found).await.unwrap())
    }

    fn draw(&self, name: &str, lang: Lang, path: &str, glance: Arc<Glance>) -> String {
        self.html(name, lang, path, Root, RootProps { glance })
    }

    /// What a component draws for somebody.
    pub(crate) fn html<P: Clone + 'static>(
        &self,
        name: &str,
        lang: Lang,
        path: &str,
        app: fn(P) -> Element,
        props: P,
    ) -> String {
        let viewer = self.viewer(name, lang);
        let conn = Conn::page(self.console.clone(), viewer, Look::default(), format!("/console{path}"));
        let dom = VirtualDom::new_with_props(app, props);
        let mut dom = dom.with_root_context(conn.look.clone()).with_root_context(conn);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    fn viewer(&self, name: &str, lang: Lang) -> Arc<Viewer> {
        Arc::new(Viewer::signed_in(self.actor(name), lang))
    }

    async fn page(&self, name: &str, lang: Lang, path: &str) -> String {
        self.draw(name, lang, path, self.glance(name).await)
    }
}

/// What the shell gives to a page.
pub(crate) fn use_page() {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
}

#[component]
fn Root(glance: Arc<Glance>) -> Element {
    use_page();
    rsx! { Seen { glance, period: Period::Week } }
}

/// The text between the tags.
fn text(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

pub(crate) fn says(html: &str, all: &[&str]) {
    let text = text(html);
    for one in all {
        assert!(text.contains(one), "`{one}` is not in: {text}");
    }
}

pub(crate) fn hides(html: &str, all: &[&str]) {
    for one in all {
        assert!(!html.contains(one), "`{one}` is in: {html}");
    }
}

#[tokio::test]
async fn the_house_sees_what_stays_and_who_leads() {
    let shop = Shop::open().await;
    shop.sell(1, ANN, 11).await;
    shop.sell(2, "bob", 11).await;
    let html = shop.page("owner", Lang::En, "?span=week").await;
    says(
        &html,
        &["Net margin, 7 days", "$28.00", "$50.00", "$22.00", "56% kept of every dollar", "Money flows"],
    );
    says(&html, &["Active customers2acme leads", "Accounts1of 1 are healthy", "Answered100%"]);
    assert!(html.contains("secret-account: 100%"), "an account by name: {html}");
    hides(&html, &["First word", "<img src"]);
    let html = shop.page("owner", Lang::En, "?span=week&behind=1").await;
    says(&html, &["Requests2", "Tokens in2,000", "First word612 ms", "fast", "$50.00$22.00$28.00 56%"]);
    let html = shop.page("owner", Lang::Zh, "").await;
    says(
        &html,
        &["近 7 天净利", "正在进账", "56% 净利率", "活跃客户2acme最多", "共 1 个，全部健康", "数字背后"],
    );
}

#[tokio::test]
async fn a_loss_hurts() {
    let shop = Shop::open().await;
    shop.sell(1, ANN, 58).await;
    let glance = shop.glance("owner").await;
    assert_eq!(glance.state(), PulseState::Hurt);
    let html = shop.draw("owner", Lang::En, "", glance);
    says(&html, &["Act now", "−$38.00", "−190% kept"]);
    assert!(html.contains("sun sun-hurt"), "{html}");
    hides(&html, &["<img src"]);
    says(&html, &["ann &#60;img src=x&#62; leads"]);
}

#[tokio::test]
async fn a_reseller_sees_its_own_margin_and_nothing_of_the_house() {
    let shop = Shop::open().await;
    shop.sell(1, ANN, 11).await;
    shop.sell(2, "bob", 11).await;
    let glance = shop.glance("rex").await;
    assert!(!glance.live && glance.accounts.is_none());
    let html = shop.draw("rex", Lang::En, "?behind=1", glance.clone());
    says(&html, &["$15.00", "$45.00", "Paid upstream$30.00", "33.3% kept", "bob leads", "Your balance"]);
    hides(
        &html,
        &["secret-account", "$20.00", "$11.00", "$50.00", "ann", "Cost by account", "tokens a second"],
    );
    let html = shop.draw("rex", Lang::Zh, "", glance);
    says(&html, &["进货成本$30.00", "33.3% 净利率", "你的余额"]);
}

#[tokio::test]
async fn an_accountant_sees_the_books_and_no_accounts() {
    let shop = Shop::open().await;
    shop.sell(1, ANN, 11).await;
    let html = shop.page("books", Lang::En, "?behind=1").await;
    says(&html, &["$9.00", "$20.00", "Requests1"]);
    hides(&html, &["secret-account", "Cost by account", "tokens a second"]);
}

#[tokio::test]
async fn an_end_user_sees_what_they_have_and_spend() {
    let shop = Shop::open().await;
    let html = shop.page("bob", Lang::En, "").await;
    says(&html, &["Balance", "$0.00", "Top up to go on", "No request yet", "Make a key", "Top up"]);
    shop.sell(1, ANN, 11).await;
    shop.sell(2, "bob", 11).await;
    let glance = shop.glance("bob").await;
    let html = shop.draw("bob", Lang::En, "", glance.clone());
    says(
        &html,
        &["Spent this month", "$45.00", "Last requests", "fast", "$45.000000", "1,200 tokens in 24 hours"],
    );
    assert!(html.contains("id=\"redeem-code\""), "{html}");
    hides(&html, &["secret-account", "$30.00", "$11.00", "ann", "Net margin", "Revenue", "kept"]);
    says(&shop.draw("bob", Lang::Zh, "", glance), &["余额", "本月花费", "最近请求", "充值"]);
}

#[tokio::test]
async fn before_the_first_cent_there_are_three_steps() {
    let shop = Shop::empty().await;
    let html = shop.page("owner", Lang::En, "").await;
    says(&html, &["Three steps to the first cent", "Nothing flows yet", "Hand out a key"]);
    assert!(html.contains("href=\"/console/models/add\"") && html.contains("sun-rest"), "{html}");
    hides(&html, &["href=\"/console/access/new\"", "Net margin"]);
    let shop = Shop::open().await;
    let html = shop.page("owner", Lang::Zh, "").await;
    says(&html, &["三步，赚到第一分钱", "添加账号（已完成）", "发一把密钥（已完成）"]);
    assert!(html.contains("href=\"/console/playground\""), "the first step that is left: {html}");
    let html = shop.page("rex", Lang::En, "").await;
    says(&html, &["Add a customer (done)"]);
    hides(&html, &["Add an account", "/models"]);
    let html = shop.page("books", Lang::En, "").await;
    hides(&html, &["/console/playground", "/console/models"]);
}

#[tokio::test]
async fn what_many_see_is_read_once_and_anew_for_who_changed_it() {
    let shop = Shop::open().await;
    let viewer =
        |name: &str| crate::live::Cx { console: shop.console.clone(), viewer: shop.viewer(name, Lang::En) };
    let figures = shop.console.figures();
    let first = figures.glance(&viewer("owner"), Period::Week).await.unwrap();
    let other = figures.glance(&viewer("bob"), Period::Week).await.unwrap();
    assert_ne!(first.books.view, other.books.view);
    figures.forget(&shop.actor("owner"));
    let anew = figures.glance(&viewer("owner"), Period::Week).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &anew));
}

//! What each role sees of people, and what it does not; every view in both languages.

use super::data::{Roster, Wanted, roster};
use super::{groups, invite, invites, money, person, roster as people, statement, tree};
use crate::Console;
use crate::kit::{PulseState, Toasts};
use crate::lang::{Lang, Look, Theme};
use crate::live::{Changes, Conn, Cx, Viewer, use_live_history};
use burncloud_billing::Desk;
use burncloud_billing::desk::login::InvitationSpec;
use burncloud_billing::desk::{
    KeyDraft, Members, MoneyMove, MoveKind, Page, StatementFilter, StatementLine, TenantDraft, UserDraft,
    UserEdit, WalletId,
};
use burncloud_billing::people::Actor;
use burncloud_core::store::{MemoryStore, ReceiptStore, UserStore};
use burncloud_core::testing::receipt;
use burncloud_core::{KeyId, Leg, Nano, Receipt, ReceiptId, Role, TenantId, UnixMicros, User, UserId};
use dioxus::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const DOLLAR: i64 = 1_000_000_000;
/// Names come from outside.
const ANN: &str = "ann <img src=x>";

struct Shop {
    console: Console,
    store: Arc<MemoryStore>,
    house: TenantId,
    acme: TenantId,
    users: BTreeMap<&'static str, (User, KeyId)>,
}

impl Shop {
    /// house (ann, adam, the accountant) → acme (rex, bob); and beta (eve) beside acme.
    async fn open() -> Shop {
        let store = Arc::new(MemoryStore::default());
        let desk = Desk::new(store.clone(), burncloud_adapters::registry());
        let boss = Actor::operator("boss");
        let house = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let mut tenants = Vec::new();
        for name in ["acme", "beta"] {
            let draft = TenantDraft { name: name.into(), parent: Some(house), ..TenantDraft::default() };
            tenants.push(desk.create_tenant(&boss, draft).await.unwrap().tenant.id);
        }
        let (acme, beta) = (tenants[0], tenants[1]);
        let mut users = BTreeMap::new();
        for (name, tenant, role) in [
            (ANN, house, Role::EndUser),
            ("adam", house, Role::Administrator),
            ("books", house, Role::Accountant),
            ("rex", acme, Role::Reseller),
            ("bob", acme, Role::EndUser),
            ("eve-of-beta", beta, Role::EndUser),
        ] {
            let draft = UserDraft { name: name.into(), tenant: Some(tenant), role, ..UserDraft::default() };
            let user = desk.create_user(&boss, draft).await.unwrap().user;
            let key = KeyDraft { name: format!("{name}'s key"), user: Some(user.id), ..KeyDraft::default() };
            let key = desk.create_key(&boss, key).await.unwrap().key.key.id;
            users.insert(name, (user, key));
        }
        let console = Console::builder(desk).public_url("https://shop.example");
        let console = console.build(tokio::runtime::Handle::current());
        Shop { console, store, house, acme, users }
    }

    fn id(&self, name: &str) -> UserId {
        self.users[name].0.id
    }

    fn actor(&self, name: &str) -> Actor {
        if name == "owner" { Actor::operator("owner") } else { Actor::of(&self.users[name].0) }
    }

    fn conn(&self, name: &str, lang: Lang, path: &str) -> Conn {
        let viewer = Viewer {
            actor: self.actor(name),
            name: name.into(),
            lang,
            theme: Theme::Day,
            csrf: "form-token".into(),
            ended: Default::default(),
            acting: None,
        };
        Conn::page(self.console.clone(), Arc::new(viewer), Look::default(), format!("/console{path}"))
    }

    fn cx(&self, name: &str) -> Cx {
        self.conn(name, Lang::En, "/users").cx()
    }

    async fn pay(&self, name: &str, dollars: i64) {
        let order = MoneyMove {
            kind: MoveKind::TopUp,
            amount: Nano(dollars * DOLLAR),
            reference: None,
            reason: "first payment".into(),
        };
        let wallet = WalletId::User(self.id(name));
        self.console.desk().move_money(&Actor::operator("boss"), wallet, order).await.unwrap();
    }

    /// A request of that user's of 45 dollars, of which acme pays the house 30 where it is theirs; it cost 10.
    async fn sell(&self, n: u64, name: &str) {
        let (user, key) = &self.users[name];
        let at = UnixMicros::now();
        let leg =
            Leg { tenant: self.acme, parent: self.house, charge: Nano(30 * DOLLAR), shortfall: Nano::ZERO };
        let receipt = Receipt {
            id: ReceiptId::new(at),
            at,
            key: *key,
            user: user.id,
            tenant: user.tenant,
            charge: Nano(45 * DOLLAR),
            legs: if user.tenant == self.acme { vec![leg] } else { vec![] },
            upstream_cost: Nano(10 * DOLLAR),
            ..receipt(n)
        };
        assert_eq!(self.store.record(&[Arc::new(receipt)]).await.unwrap(), 1);
    }

    fn draw(&self, name: &str, lang: Lang, path: &str, shown: Shown) -> String {
        let conn = self.conn(name, lang, path);
        let dom = VirtualDom::new_with_props(Root, RootProps { shown });
        let mut dom = dom.with_root_context(conn.look.clone()).with_root_context(conn);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    async fn roster(&self, name: &str, lang: Lang, wanted: Wanted) -> String {
        let read = roster(self.console.desk(), &self.actor(name), &wanted).await.unwrap();
        let ids: Vec<UserId> = read.page.items.iter().map(|view| view.user.id).collect();
        let month = self.console.desk().charged_this_month(&self.actor(name), &ids).await.unwrap();
        self.draw(name, lang, "/users", Shown::Roster(read, wanted, month))
    }

    async fn person(&self, name: &str, lang: Lang, of: &str) -> String {
        let known = person::known(&self.cx(name), self.id(of)).await.unwrap();
        self.draw(name, lang, &format!("/users/{}", self.id(of)), Shown::Person(known))
    }

    async fn tree(&self, name: &str, lang: Lang) -> String {
        let grown = tree::grown(&self.cx(name)).await.unwrap();
        self.draw(name, lang, "/users/tree", Shown::Tree(grown))
    }
}

#[derive(Clone, PartialEq)]
enum Shown {
    Roster(Roster, Wanted, BTreeMap<UserId, Nano>),
    Person(person::Known),
    Tree(tree::Grown),
    Groups(groups::All),
    Members(Members),
    Invites(invites::Open),
    Link(String),
    Terms(burncloud_billing::desk::TenantView),
    Money(money::Purse),
    Lines(Page<StatementLine>),
    Page,
}

#[component]
fn Root(shown: Shown) -> Element {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
    use_context_provider(|| Signal::new(PulseState::default()));
    match shown {
        Shown::Roster(roster, wanted, month) => rsx! { people::Seen { roster, wanted, month: Some(month) } },
        Shown::Person(known) => rsx! { person::Seen { known } },
        Shown::Tree(grown) => rsx! { tree::Seen { grown } },
        Shown::Groups(all) => rsx! { groups::Seen { all } },
        Shown::Members(members) => rsx! { groups::Names { members } },
        Shown::Invites(open) => rsx! { invites::Seen { open } },
        Shown::Link(code) => rsx! { invite::Link { code, until: UnixMicros(1_900_000_000_000_000) } },
        Shown::Terms(view) => rsx! { super::tenant::TermsForm { view } },
        Shown::Money(purse) => rsx! { money::Order { purse } },
        Shown::Lines(page) => rsx! { statement::Lines { page, first: true } },
        Shown::Page => rsx! { super::Users {} },
    }
}

#[track_caller]
fn has(html: &str, wanted: &[&str]) {
    for text in wanted {
        assert!(html.contains(text), "`{text}` is not in {html}");
    }
}

#[track_caller]
fn lacks(html: &str, unwanted: &[&str]) {
    for text in unwanted {
        assert!(!html.contains(text), "`{text}` is in {html}");
    }
}

#[tokio::test]
async fn the_roster_names_everybody_and_escapes_their_names() {
    let shop = Shop::open().await;
    shop.pay(ANN, 1_204).await;
    shop.sell(1, ANN).await;
    let html = shop.roster("owner", Lang::En, Wanted::default()).await;
    has(
        &html,
        &["7 people", "0 here now", "ann &#60;img src=x&#62;", "$1,159.00", "$45.00", "Out of credit"],
    );
    has(&html, &["under ", "acme", "Top up", "do=topup", "New user", "do=invite", "<h1", "<caption"]);
    lacks(&html, &["<img src=x"]);
    let html = shop.roster("owner", Lang::Zh, Wanted::default()).await;
    has(&html, &["7 位用户", "0 位在线", "余额用完", "分销商", "充值", "邀请", "本月用量"]);
    lacks(&html, &["Out of credit", "Top up"]);
}

#[tokio::test]
async fn a_reseller_sees_its_own_branch_alone() {
    let shop = Shop::open().await;
    let html = shop.roster("rex", Lang::En, Wanted::default()).await;
    has(&html, &["2 people", "rex", "bob", "Top up"]);
    lacks(&html, &["eve-of-beta", "adam", "ann &#60;", "beta", ">default<"]);
    let html = shop.roster("books", Lang::En, Wanted::default()).await;
    has(&html, &["bob", "adam"]);
    lacks(&html, &["do=topup", "do=invite", "do=user"]);
}

#[tokio::test]
async fn a_filter_that_finds_nobody_says_so() {
    let shop = Shop::open().await;
    let wanted = Wanted { text: Some("nobody-like-that".into()), ..Wanted::default() };
    has(&shop.roster("owner", Lang::En, wanted.clone()).await, &["Nobody is like that", "Show everybody"]);
    has(&shop.roster("owner", Lang::Zh, wanted).await, &["没有符合条件的用户"]);
}

#[tokio::test]
async fn long_rosters_have_pages_both_ways() {
    let shop = Shop::open().await;
    for n in 0..50 {
        let draft = UserDraft { name: format!("more-{n}"), ..UserDraft::default() };
        let boss = Actor { tenant: shop.house, ..Actor::operator("boss") };
        shop.console.desk().create_user(&boss, draft).await.unwrap();
    }
    let html = shop.roster("owner", Lang::En, Wanted::default()).await;
    has(&html, &["1–50 of 57", "p="]);
    let last = roster(shop.console.desk(), &shop.actor("owner"), &Wanted::default()).await.unwrap().page.next;
    let wanted = Wanted { trail: vec![last.unwrap()], ..Wanted::default() };
    has(&shop.roster("owner", Lang::En, wanted.clone()).await, &["51–57 of 57", "Previous"]);
    has(&shop.roster("owner", Lang::Zh, wanted).await, &["第 51–57 位，共 57 位"]);
}

#[tokio::test]
async fn a_person_is_drawn_with_what_may_be_done() {
    let shop = Shop::open().await;
    shop.pay("bob", 100).await;
    shop.sell(1, "bob").await;
    // The command line acts as nobody: an administrator does.
    let html = shop.person("adam", Lang::En, "bob").await;
    has(
        &html,
        &["bob", "Customer of acme", "$55.00", "$45.00", "bob&#39;s key", "Act as them", "form-token"],
    );
    has(
        &html,
        &["id=\"ban\"", "Withdraw for good", "id=\"role-of\"", "One-time password", "id=\"group-of\""],
    );
    let html = shop.person("rex", Lang::Zh, "bob").await;
    has(&html, &["客户，属于acme", "余额", "以其身份操作", "封禁", "一次性密码", "密钥"]);
    let html = shop.person("books", Lang::En, "bob").await;
    has(&html, &["$55.00"]);
    lacks(&html, &["Act as them", "id=\"ban\"", "One-time password", "id=\"role-of\"", "do=topup"]);
    let html = shop.person("adam", Lang::En, "adam").await;
    lacks(&html, &["Act as them", "id=\"ban\"", "id=\"role-of\"", "One-time password"]);
}

#[tokio::test]
async fn nobody_is_shown_somebody_of_another_branch() {
    let shop = Shop::open().await;
    for of in ["eve-of-beta", ANN, "adam"] {
        assert!(person::known(&shop.cx("rex"), shop.id(of)).await.is_err(), "{of}");
    }
    let wallet = WalletId::User(shop.id("eve-of-beta"));
    assert!(money::purse(&shop.cx("rex"), wallet).await.is_err());
}

#[tokio::test]
async fn the_tree_has_what_each_branch_brings_and_keeps() {
    let shop = Shop::open().await;
    shop.sell(1, ANN).await;
    shop.sell(2, "bob").await;
    let html = shop.tree("owner", Lang::En).await;
    has(
        &html,
        &["2 resellers", "bring 40% of the month", "acme", "beta", "$75.00", "$30.00", "$20.00", "keeps "],
    );
    has(&html, &["ann &#60;img", "New tenant", "role=\"meter\""]);
    has(&shop.tree("owner", Lang::Zh).await, &["2 家分销商", "带来本月 40% 的收入", "净利", "位用户"]);
    let html = shop.tree("rex", Lang::En).await;
    has(&html, &["acme", "$45.00", "Yours"]);
    lacks(&html, &["beta", "default", "keeps ", "$75.00", "eve-of-beta"]);
}

#[tokio::test]
async fn groups_have_their_members() {
    let shop = Shop::open().await;
    let edit = UserEdit { group: Some(Some("vip".into())), ..UserEdit::default() };
    let (boss, bob) = (Actor::operator("boss"), shop.id("bob"));
    shop.console.desk().update_user(&boss, bob, edit, None).await.unwrap();
    let all = groups::all(&shop.cx("owner")).await.unwrap();
    let html = shop.draw("owner", Lang::En, "/users/groups", Shown::Groups(all.clone()));
    has(&html, &["One group", "vip", "acme"]);
    has(&shop.draw("owner", Lang::Zh, "/users/groups", Shown::Groups(all)), &["1 个分组", "倍率"]);
    let members = shop.console.desk().group_members(&boss, shop.acme, "vip").await.unwrap();
    has(&shop.draw("owner", Lang::En, "/users/groups", Shown::Members(members)), &["bob"]);
    let none = groups::all(&shop.cx("rex")).await.unwrap();
    assert_eq!(none.groups.len(), 1, "its own customers are in it");
    let empty = groups::All::default();
    has(&shop.draw("owner", Lang::En, "/users/groups", Shown::Groups(empty)), &["everybody pays the same"]);
}

#[tokio::test]
async fn invitations_are_listed_to_whoever_may_make_them() {
    let shop = Shop::open().await;
    let spec = InvitationSpec {
        tenant: shop.acme,
        role: Role::EndUser,
        note: "for <Mina>".into(),
        gift: Nano(5 * DOLLAR),
        expires_at: UnixMicros(UnixMicros::now().0 + 3_600_000_000),
    };
    shop.console.desk().invite(&shop.actor("rex"), spec).await.unwrap();
    let open = invites::open(&shop.cx("owner")).await.unwrap();
    let html = shop.draw("owner", Lang::En, "/users/invites", Shown::Invites(open.clone()));
    has(&html, &["One invitation", "for &#60;Mina&#62;", "$5.00", "rex", "Withdraw", "revoke="]);
    has(&shop.draw("owner", Lang::Zh, "/users/invites", Shown::Invites(open.clone())), &["1 份邀请", "撤回"]);
    let path = format!("/users/invites?revoke={}", invites::id_of(&open.all[0]));
    has(&shop.draw("owner", Lang::En, &path, Shown::Invites(open)), &["Withdraw this invitation?"]);
    assert!(invites::open(&shop.cx("books")).await.unwrap().all.is_empty());
    let empty = invites::open(&shop.cx("books")).await.unwrap();
    let html = shop.draw("books", Lang::En, "/users/invites", Shown::Invites(empty));
    has(&html, &["No invitation", "A link makes somebody a user"]);
    lacks(&html, &["Mina"]);
    let html = shop.draw("owner", Lang::En, "/users", Shown::Link("c0de".into()));
    has(&html, &["https://shop.example/console/join?code=c0de", "Works once"]);
}

#[tokio::test]
async fn money_is_moved_by_whoever_may() {
    let shop = Shop::open().await;
    shop.pay("bob", 100).await;
    let wallet = WalletId::User(shop.id("bob"));
    let purse = money::purse(&shop.cx("rex"), wallet).await.unwrap();
    assert!(purse.fund && purse.credit);
    let html = shop.draw("rex", Lang::En, "/users?do=topup", Shown::Money(purse.clone()));
    has(&html, &["Top up bob", "$100.00", "Add $500.00", "$5,000", "id=\"amount\"", "Credit line"]);
    has(&shop.draw("rex", Lang::Zh, "/users", Shown::Money(purse)), &["给bob充值", "充值 $500.00", "更正"]);
    let purse = money::purse(&shop.cx("books"), wallet).await.unwrap();
    assert!(!purse.fund && !purse.credit);
    let (rex, all) = (shop.actor("rex"), StatementFilter::default());
    let page = shop.console.desk().statement(&rex, wallet, &all).await.unwrap();
    let html = shop.draw("rex", Lang::En, "/users", Shown::Lines(page.clone()));
    has(&html, &["Top-up", "first payment", "+$100.00", "boss"]);
    has(&shop.draw("rex", Lang::Zh, "/users", Shown::Lines(page)), &["充值"]);
}

#[tokio::test]
async fn a_tenant_of_the_house_buys_from_nobody() {
    let shop = Shop::open().await;
    let (owner, desk) = (shop.actor("owner"), shop.console.desk());
    let acme = desk.tenant(&owner, shop.acme).await.unwrap();
    has(
        &shop.draw("owner", Lang::En, "/users/tree", Shown::Terms(acme)),
        &["id=\"terms-group\"", "Time zone"],
    );
    let house = desk.tenant(&owner, shop.house).await.unwrap();
    let html = shop.draw("owner", Lang::Zh, "/users/tree", Shown::Terms(house));
    has(&html, &["时区"]);
    lacks(&html, &["id=\"terms-group\"", "id=\"terms-unlimited\""]);
}

#[tokio::test]
async fn each_view_is_a_skeleton_until_it_is_read() {
    let shop = Shop::open().await;
    for path in ["/users", "/users/tree", "/users/groups", "/users/invites", "/users/1", "/users?do=invite"] {
        has(&shop.draw("owner", Lang::En, path, Shown::Page), &["aria-busy", "Loading"]);
    }
    let html = shop.draw("owner", Lang::En, "/users/roles", Shown::Page);
    has(&html, &["Five roles", "yours is Owner", "Own and below", "Everywhere"]);
    has(&shop.draw("bob", Lang::Zh, "/users/roles", Shown::Page), &["五种角色", "你是客户"]);
    lacks(&shop.draw("books", Lang::En, "/users/roles", Shown::Page), &["Invites"]);
}

//! What each part draws, for whom, in both languages: over a shop in memory.

use super::*;
use crate::Console;
use crate::lang::Look;
use batch::{Trial, Verdict};
use burncloud_billing::Desk;
use burncloud_billing::desk::PriceDraft;
use burncloud_billing::desk::channels::NewChannel;
use burncloud_billing::people::{self, Actor};
use burncloud_core::store::{MemoryStore, NewTenant, NewUser, UserStore};
use burncloud_core::{ChannelSettings, Role, Status};
use cards::{Card, Cards};
use serde_json::json;
use std::sync::Arc;
use transforms::{Editor, Outcome, Try};

struct Shop {
    console: Console,
    store: Arc<MemoryStore>,
}

fn account(name: &str, models: &[&str], groups: &[&str]) -> NewChannel {
    NewChannel {
        name: name.into(),
        provider: "openai".into(),
        base_url: None,
        credential: "sk-0123456789abcdefghijWXYZ".to_owned().into(),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        model_mapping: Default::default(),
        priority: 0,
        weight: 40,
        status: Status::Active,
        settings: ChannelSettings {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..ChannelSettings::default()
        },
    }
}

fn boss() -> Actor {
    Actor::operator("boss")
}

impl Shop {
    async fn empty() -> Shop {
        let store = Arc::new(MemoryStore::default());
        let desk = Desk::new(store.clone(), burncloud_adapters::registry());
        let console = Console::builder(desk).build(tokio::runtime::Handle::current());
        Shop { console, store }
    }

    async fn open() -> Shop {
        let shop = Shop::empty().await;
        let desk = shop.console.desk();
        desk.create_channel(&boss(), account("harbour-<b>01</b>", &["gpt-4o", "gpt-4o-mini"], &[]))
            .await
            .unwrap();
        desk.create_channel(&boss(), account("velvet", &["gpt-5"], &["vip"])).await.unwrap();
        let off = NewChannel { status: Status::Disabled, weight: 0, ..account("lagoon", &["gpt-4.1"], &[]) };
        desk.create_channel(&boss(), off).await.unwrap();
        let price = PriceDraft {
            book: None,
            channel: None,
            model: "*".into(),
            effective_at: None,
            rates: json!({ "markup": "1.4" }),
        };
        desk.set_price(&boss(), price, None).await.unwrap();
        shop
    }

    /// A customer of the house, a reseller, and a customer of theirs.
    async fn people(&self) -> [Actor; 3] {
        let house = self.store.tenant_by_name("default").await.unwrap().unwrap().id;
        let delta =
            NewTenant { name: "Delta".into(), parent: Some(house), unlimited: true, ..NewTenant::default() };
        let delta = people::create_tenant(&*self.store, &boss(), delta).await.unwrap().id;
        let mut all = Vec::new();
        for (name, tenant, role) in
            [("ann", house, Role::EndUser), ("desk", delta, Role::Reseller), ("kim", delta, Role::EndUser)]
        {
            let new = NewUser { name: name.into(), tenant, role, ..NewUser::default() };
            all.push(Actor::of(&people::create_user(&*self.store, &boss(), new).await.unwrap()));
        }
        let book = PriceDraft {
            book: Some(delta),
            channel: None,
            model: "*".into(),
            effective_at: None,
            rates: json!({ "markup": "2" }),
        };
        self.console.desk().set_price(&all[1], book, None).await.unwrap();
        all.try_into().unwrap()
    }

    fn conn(&self, actor: &Actor, lang: Lang, path: &str) -> Conn {
        let viewer = Viewer::signed_in(actor.clone(), lang);
        Conn::page(self.console.clone(), Arc::new(viewer), Look::default(), format!("/console{path}"))
    }

    fn draw(&self, actor: &Actor, lang: Lang, path: &str, what: What) -> String {
        let conn = self.conn(actor, lang, path);
        let dom = VirtualDom::new(Stage).with_root_context(conn.look.clone());
        let mut dom = dom.with_root_context(conn).with_root_context(what);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    async fn overview(&self) -> Overview {
        data::load(self.conn(&boss(), Lang::En, "/models").cx()).await.unwrap()
    }

    async fn cards(&self, actor: &Actor) -> Vec<Card> {
        cards::load(self.conn(actor, Lang::En, "/models/cards").cx()).await.unwrap()
    }
}

#[derive(Clone)]
enum What {
    Page,
    Accounts(Overview),
    Groups(Overview),
    Over(Over, Overview),
    Cards(Vec<Card>, bool),
    Verdict(Trial),
    Editor(Box<data::Account>, Box<Try>),
}

/// As the shell does, around a part.
#[allow(non_snake_case, reason = "a component")]
fn Stage() -> Element {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
    let data = use_load((), |cx, ()| data::load(cx));
    match use_context::<What>() {
        What::Page => rsx! { Models {} },
        What::Accounts(overview) => rsx! { accounts::Accounts { overview, data } },
        What::Groups(overview) => rsx! { groups::Groups { overview } },
        What::Over(over, overview) => rsx! { Above { over, overview } },
        What::Cards(cards, house) => {
            rsx! { Cards { cards, house, add: String::new(), parts: rsx! {}, onwake: |_| () } }
        }
        What::Verdict(trial) => rsx! { Verdict { trial } },
        What::Editor(account, tried) => rsx! { Editor { account: *account, tried: Some(*tried) } },
    }
}

#[tokio::test]
async fn the_list_says_how_accounts_stand_and_shows_no_key() {
    let shop = Shop::open().await;
    let overview = shop.overview().await;
    let html = shop.draw(&boss(), Lang::En, "/models", What::Accounts(overview.clone()));
    for said in [
        "<strong>2 of 3</strong>",
        "One is switched off.",
        "velvet",
        "OpenAI",
        "Healthy",
        "Switched off",
        "Test speed",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(!html.contains("<b>01") && html.contains("harbour-"), "a name is text");
    assert!(!html.contains("WXYZ") && !html.contains("sk-0123"), "no credential in a list");
    let html = shop.draw(&boss(), Lang::Zh, "/models?q=lagoon", What::Accounts(overview));
    assert!(html.contains("健康") && html.contains("一个已停用") && html.contains("lagoon"), "{html}");
    assert!(!html.contains(">velvet<"), "the search leaves it out");
    let html = shop.draw(&boss(), Lang::En, "/models", What::Accounts(Overview::default()));
    assert!(html.contains("No accounts yet") && html.contains("/console/models/import"));
}

#[tokio::test]
async fn a_page_that_was_not_read_yet_is_a_skeleton() {
    let shop = Shop::open().await;
    let html = shop.draw(&boss(), Lang::En, "/models", What::Page);
    assert!(html.contains("aria-busy") && !html.contains("harbour"));
}

#[tokio::test]
async fn everybody_sees_the_prices_that_are_theirs_and_no_account() {
    let shop = Shop::open().await;
    let [ann, desk, kim] = shop.people().await;
    let house = shop.cards(&boss()).await;
    let price =
        |cards: &[Card]| cards.iter().find(|card| card.row.model == "gpt-4o").unwrap().row.prices["input"].0;
    let buys =
        house.iter().find(|card| card.row.model == "gpt-4o").unwrap().row.buying.clone().unwrap()["input"].0;
    assert_eq!(price(&house), buys * 14 / 10);
    let (anns, desks, kims) = (shop.cards(&ann).await, shop.cards(&desk).await, shop.cards(&kim).await);
    assert_eq!((price(&anns), price(&desks), price(&kims)), (buys * 14 / 10, buys * 28 / 10, buys * 28 / 10));
    let of = |cards: &[Card]| cards.iter().map(|card| card.row.model.clone()).collect::<Vec<_>>();
    assert_eq!(of(&anns), ["gpt-4o", "gpt-4o-mini"], "neither another group's nor what nobody serves");
    assert_eq!(of(&house).len(), 4);
    let html = shop.draw(&boss(), Lang::En, "/models/cards", What::Cards(house, true));
    for said in [
        "<strong>4 models</strong>",
        "You keep",
        "28.6%",
        "Served by 1 account",
        "lagoon is switched off",
        "Bring it back",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    let seller = shop.draw(&desk, Lang::En, "/models/cards", What::Cards(desks, false));
    assert!(seller.contains("You keep") && seller.contains("50%") && seller.contains("You pay"));
    let user = shop.draw(&kim, Lang::Zh, "/models/cards", What::Cards(kims, false));
    assert!(user.contains("可用") && !user.contains("净利率") && !user.contains("进价"), "{user}");
    for html in [seller, user] {
        assert!(!html.contains("harbour") && !html.contains("OpenAI") && !html.contains("velvet"), "{html}");
    }
    let html = shop.draw(&ann, Lang::En, "/models/accounts/1", What::Page);
    assert!(!html.contains("harbour") && !html.contains("account-form"));
}

#[tokio::test]
async fn groups_name_their_accounts_and_customers() {
    let shop = Shop::open().await;
    let html = shop.draw(&boss(), Lang::En, "/models/groups", What::Groups(shop.overview().await));
    for said in [
        "<strong>1 group</strong>",
        "Everybody",
        "vip",
        "velvet",
        "One account that serves everybody serves it too.",
        "takes 100%",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    let html = shop.draw(&boss(), Lang::Zh, "/models/groups", What::Groups(shop.overview().await));
    assert!(html.contains("所有人") && html.contains("0 位用户"), "{html}");
}

#[tokio::test]
async fn an_account_opens_with_everything_but_its_key() {
    let shop = Shop::open().await;
    let overview = shop.overview().await;
    let id = overview.accounts.iter().find(|account| account.view.name == "velvet").unwrap().view.id;
    let path = format!("/models/accounts/{id}");
    let html = shop.draw(&boss(), Lang::En, &path, What::Over(Over::Account(id), overview.clone()));
    for said in [
        "account-form",
        "velvet",
        "Kept locked away",
        "id=\"system_prompt\"",
        "id=\"status_mapping\"",
        "gpt-5",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(!html.contains("sk-0123"));
    let html = shop.draw(
        &boss(),
        Lang::Zh,
        &format!("{path}?tab=transforms"),
        What::Over(Over::Account(id), overview.clone()),
    );
    assert!(html.contains("/console/post/models/transforms") && html.contains("试运行"), "{html}");
    let html =
        shop.draw(&boss(), Lang::En, "/models?remove=1", What::Over(Over::Remove(id), overview.clone()));
    assert!(html.contains("Delete velvet?") && html.contains("never served"));
    let html = shop.draw(
        &boss(),
        Lang::En,
        "/models/accounts/99",
        What::Over(Over::Account(ChannelId(99)), overview),
    );
    assert!(html.contains("There is no such account"));
}

#[tokio::test]
async fn the_guided_way_asks_for_what_the_provider_needs() {
    let shop = Shop::open().await;
    let draw = |lang, path: &str| shop.draw(&boss(), lang, path, What::Over(Over::Add, Overview::default()));
    let html = draw(Lang::En, "/models/add");
    assert!(
        html.contains("Where is the account?")
            && html.contains("provider-anthropic")
            && html.contains("Step 1 of 4")
    );
    let html = draw(Lang::Zh, "/models/add?provider=bedrock");
    assert!(
        html.contains("粘贴 Bedrock 密钥") && html.contains("options.region") && html.contains("bedrock-01"),
        "{html}"
    );
    let html = draw(Lang::En, "/models/add?provider=azure");
    assert!(html.contains("options.api_version") && html.contains("my-resource.openai.azure.com"));
    let html = draw(Lang::En, "/models/add?provider=nobody");
    assert!(html.contains("Where is the account?"));
}

#[tokio::test]
async fn a_list_is_judged_row_by_row() {
    let shop = Shop::open().await;
    let text = br#"[{"name":"new","provider":"openai","credential":"sk-x","models":["a"]},
        {"name":"velvet","provider":"openai","credential":"sk-x","models":["a"]},{"name":"odd","shares":1}]"#;
    let rows = crate::api::channel_rows(text).unwrap();
    let report = shop.console.desk().import_channels(&boss(), rows.clone(), true).await.unwrap();
    let wrong: Vec<_> = report.errors.iter().map(|error| (error.row, error.field.as_str())).collect();
    assert_eq!(wrong, [(2, "name"), (3, "shares")]);
    let trial = Trial { rows: batch::rows(&rows, &report.errors), unreadable: None };
    let html = shop.draw(&boss(), Lang::En, "/models/import", What::Verdict(trial));
    assert!(
        html.contains("2 of 3 rows are wrong")
            && html.contains("already a channel of this name")
            && html.contains("good")
    );
    assert!(!html.contains("sk-x"));
    let trial = Trial { rows: vec![], unreadable: Some(burncloud_core::usecase::Said::plain("no <JSON>")) };
    let html = shop.draw(&boss(), Lang::Zh, "/models/import", What::Verdict(trial));
    assert!(html.contains("读不了") && !html.contains("<JSON>"));
}

#[tokio::test]
async fn a_try_is_shown_side_by_side_or_with_the_line_at_fault() {
    let shop = Shop::open().await;
    let account = shop.overview().await.accounts.remove(0);
    let tried = |outcome| Try {
        channel: account.view.id,
        transforms: "request:\n- explode: user".into(),
        script: String::new(),
        skip: true,
        kind: "request",
        sample: "{}".into(),
        outcome,
        saved: false,
    };
    let wrong = Outcome::Wrong {
        field: "transforms".into(),
        line: Some(2),
        text: "line 2, column 3: no such operation".into(),
        source: Some("- explode: user".into()),
    };
    let what = What::Editor(Box::new(account.clone()), Box::new(tried(wrong)));
    let html = shop.draw(&boss(), Lang::En, "/models/accounts/1?tab=transforms", what);
    assert!(
        html.contains("line 2, column 3") && html.contains("transforms-error") && html.contains("Not saved")
    );
}

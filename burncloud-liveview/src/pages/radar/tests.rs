//! What each role finds on the radar, and what it does not.

use super::read::models;
use super::*;
use crate::pages::dashboard::tests::{ANN, Shop, hides, says, use_page};
use burncloud_billing::desk::reports::{RestingLane, Suggestion};
use burncloud_core::routing::{Resting as Rest, Why};
use burncloud_core::{Attempt, End, Nano, Receipt, UnixMicros};
use std::time::Instant;

#[component]
fn Root(seen: Seen) -> Element {
    use_page();
    rsx! { All { seen } }
}

#[component]
fn Lanes(lanes: Vec<resting::Asleep>) -> Element {
    use_page();
    rsx! { resting::Lanes { lanes } }
}

#[component]
fn Words(needs: usize, settled: usize) -> Element {
    rsx! { Sentence { needs, settled } }
}

impl Shop {
    /// A request that no account answered: each got that status.
    async fn fail(&self, n: u64, name: &str, status: u16) {
        let sold = self.sold(n, name, 0);
        let attempts =
            sold.attempts.iter().map(|one| Attempt { status: Some(status), ..one.clone() }).collect();
        let receipt = Receipt {
            attempts,
            status: 502,
            end: End::UpstreamFailed,
            channel: None,
            charge: Nano::ZERO,
            legs: vec![],
            ..sold
        };
        self.record(receipt).await;
    }

    async fn radar(&self, name: &str, lang: Lang) -> String {
        let actor = self.actor(name);
        let desk = self.console.desk();
        let found = Arc::new(read(&self.console, &actor).await.unwrap());
        let house = actor.may_in_house(Action::ManageHouse);
        let health = if house { Some(desk.channel_health(&actor, 24).await.unwrap()) } else { None };
        let seen = Seen { found, health, models: models(desk, &actor).await.unwrap() };
        self.html(name, lang, "/radar", Root, RootProps { seen })
    }
}

async fn troubled() -> Shop {
    let shop = Shop::open().await;
    shop.sell(1, ANN, 11).await;
    for n in 2..7 {
        shop.fail(n, if n % 2 == 0 { ANN } else { "bob" }, 402).await;
    }
    shop
}

#[tokio::test]
async fn the_house_is_told_what_to_do_and_where_the_fault_lies() {
    let shop = troubled().await;
    let html = shop.radar("owner", Lang::En).await;
    says(
        &html,
        &[
            "secret-account ran out of money5 times, since ",
            "5 requests for fast got no answer; 2 customers are affected.",
            "CallerUsNetworkProvider",
            "I topped it up",
            "Remove account",
            "What the provider saidsecret-account  402  account is empty",
            "fast has no price",
            "How good each account is",
            "16.66%",
        ],
    );
    for href in [
        "href=\"/console/logs?time=24h&#38;result=errors&#38;model=fast\"",
        "href=\"/console/models?remove=",
        "href=\"/console/finance/prices?q=fast\"",
    ] {
        assert!(html.contains(href), "{href} is not in: {html}");
    }
    hides(&html, &["<img src"]);
    let html = shop.radar("owner", Lang::Zh).await;
    says(
        &html,
        &[
            "secret-account 欠费了5 次，自 ",
            "件事等你处理。",
            "已充值，恢复",
            "调用方我们网络平台",
            "每个账号有多好",
        ],
    );
}

#[tokio::test]
async fn a_reseller_finds_its_customers_and_no_accounts() {
    let shop = troubled().await;
    let html = shop.radar("rex", Lang::En).await;
    says(
        &html,
        &[
            "fast failed2 times, since ",
            "CallerUsProvider",
            "bob has no money left",
            "How good each model is",
        ],
    );
    hides(&html, &["secret-account", "402", "ran out of money", "Network", "topped", "/models", "ann"]);
    says(&shop.radar("rex", Lang::Zh).await, &["fast 出故障2 次，自 ", "调用方我们平台", "bob 余额用完了"]);
}

#[tokio::test]
async fn who_only_looks_is_given_nothing_to_press() {
    let shop = troubled().await;
    let html = shop.radar("books", Lang::En).await;
    says(&html, &["secret-account ran out of money"]);
    hides(&html, &["topped", "Remove account", "/models", "<button"]);
}

#[tokio::test]
async fn what_was_answered_since_settled_by_itself() {
    let shop = Shop::open().await;
    shop.fail(1, ANN, 429).await;
    let mut answered = shop.sold(2, ANN, 11);
    answered.at = UnixMicros(answered.at.0 + 1_000);
    shop.record(answered).await;
    let html = shop.radar("owner", Lang::En).await;
    says(&html, &["Settled by itself, last 24 hours", "secret-account was too busy. ", "once"]);
    hides(&html, &["5 times"]);
}

#[tokio::test]
async fn the_headline_counts() {
    let shop = Shop::open().await;
    let words =
        |lang, needs, settled| shop.html("owner", lang, "/radar", Words, WordsProps { needs, settled });
    says(&words(Lang::En, 0, 0), &["All quiet."]);
    says(&words(Lang::En, 0, 3), &["All quiet. Three things settled by themselves."]);
    says(&words(Lang::En, 1, 3), &["One thing needs you.Three others settled by themselves."]);
    says(&words(Lang::En, 12, 0), &["12 things need you."]);
    says(&words(Lang::Zh, 0, 3), &["一切平静。 3 件事已自行解决。"]);
    says(&words(Lang::Zh, 2, 1), &["2 件事等你处理。另外 1 件已自行解决。"]);
}

#[tokio::test]
async fn what_rests_counts_down_and_can_be_woken() {
    let shop = Shop::open().await;
    let resting = Rest {
        since: UnixMicros::now(),
        back_in: Duration::from_secs(3_000),
        failures: 5,
        trips: 1,
        why: Some(Why::Status(503)),
    };
    let lane =
        RestingLane { channel: burncloud_core::ChannelId(1), model: "fast".into(), resting, alone: false };
    let lanes = vec![resting::Asleep { name: "<b>harbour".into(), lane, seen: Instant::now() }];
    let html = shop.html("owner", Lang::En, "/radar", Lanes, LanesProps { lanes });
    says(&html, &["Resting now", "5 errors: provider failed (503)", "Wake"]);
    assert!(html.contains("Wake &#60;b&#62;harbour for fast") && !html.contains("<b>"), "{html}");
}

#[tokio::test]
async fn every_suggestion_of_the_house_leads_somewhere() {
    let shop = troubled().await;
    let found = read(&shop.console, &shop.actor("owner")).await.unwrap();
    let all: Vec<&Suggestion> = found.iter().flat_map(|found| &found.finding.actions).collect();
    assert!(all.iter().any(|one| matches!(one, Suggestion::TopUpAccount { .. })));
    assert!(all.iter().any(|one| matches!(one, Suggestion::SetPrice { .. })));
    assert!(all.iter().any(|one| matches!(one, Suggestion::TopUpCustomer { .. })), "{all:?}");
}

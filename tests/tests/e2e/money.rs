//! A balance that no set of concurrent requests overdraws.

use crate::common::*;
use burncloud_tests::config::Key;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::Request;
use burncloud_tests::upstream::{Behaviour, Upstream};
use futures_util::future::join_all;
use serde_json::Value;

/// Nano-dollars as the decimal dollars of a configuration file.
fn dollars(nano: i64) -> String {
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

/// What one answer of the fake provider costs.
async fn price(gateway: &Gateway, ask: Request) -> i64 {
    let answer = gateway.ask("dev", ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cost = charge(&gateway.receipt_of(&answer.trace_id()).await);
    assert!(cost > 0, "a priced model costs something");
    cost
}

async fn spent(gateway: &Gateway, key: &str) -> i64 {
    let shown = gateway.cli(&["keys", "show", key]).await;
    shown["used"].as_i64().unwrap_or_else(|| panic!("no amount used in {shown}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_once_cannot_overdraw_a_balance_for_twenty() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::start(config(&upstream)).await;
    let cost = price(&gateway, chat(MODEL)).await;
    let quota = 20 * cost;
    let quota_line = format!("quota_usd = \"{}\"", dollars(quota));
    gateway.rewrite(config(&upstream).key(Key::new("twenty").line(&quota_line)));
    gateway.stop().await;
    gateway.restart().await;

    let answers = join_all((0..200).map(|index| {
        let ask = if index % 2 == 0 { chat(MODEL) } else { chat_stream(MODEL) };
        gateway.ask("twenty", ask)
    }))
    .await;
    let paid = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| answer.status == 402).count();
    assert_eq!(paid + refused, 200, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!((1..=20).contains(&paid), "{paid} were served on a balance for 20");
    let refusal = answers.iter().find(|answer| answer.status == 402).expect("most are refused");
    openai_error(refusal);
    gateway.idle().await;

    // What is left can still be spent, down to less than one reservation, and not further.
    let mut more = 0;
    while gateway.ask("twenty", chat(MODEL)).await.status == 200 {
        more += 1;
        assert!(more <= 20, "served without end");
    }
    let receipts = gateway.receipts_when(1 + 200 + more + 1).await;
    let of_key: Vec<&Value> = receipts.iter().skip(1).collect();
    let billed: i64 = of_key.iter().map(|receipt| charge(receipt)).sum();
    assert!(billed <= quota, "billed {billed} of {quota}");
    assert_eq!(billed, cost * i64::try_from(paid + more).unwrap(), "each answer at its full price");
    assert_eq!(upstream.served(), 1 + paid + more, "who cannot pay reaches no provider");
    for receipt in of_key.iter().filter(|receipt| receipt["status"] == 402) {
        assert_eq!((charge(receipt), receipt["end"].as_str()), (0, Some("refused")));
    }
    let mut ids: Vec<&str> = receipts.iter().map(|receipt| receipt["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), receipts.len(), "one receipt each");
    assert_eq!(spent(&gateway, "twenty").await, billed, "the key's account and its receipts agree");
}

#[tokio::test]
async fn a_hold_is_given_back_when_nothing_was_used() {
    let upstream = Upstream::start().await;
    // Enough for one reservation of this request, not for two.
    let probe = Gateway::start(config(&upstream)).await;
    let cost = price(&probe, chat(MODEL)).await;
    drop(probe);
    let one = format!("quota_usd = \"{}\"", dollars(cost * 40));
    let gateway = Gateway::start(config(&upstream).key(Key::new("one").line(&one))).await;
    for _ in 0..100 {
        upstream.next(Behaviour::Status(400, Vec::new()));
        assert_eq!(
            gateway.ask("one", chat(MODEL)).await.status,
            400,
            "a failure costs nothing, however often"
        );
    }
    assert_eq!(gateway.ask("one", chat(MODEL)).await.status, 200);
    gateway.idle().await;
    gateway.receipts_when(101).await;
    assert_eq!(spent(&gateway, "one").await, cost);
}

#[tokio::test]
async fn the_lines_of_a_receipt_add_up_and_name_their_price() {
    let (_upstream, gateway) = pair().await;
    for ask in
        [chat(MODEL), message(false), generate(false), message(true), generate(true), chat_stream(MODEL)]
    {
        let answer = gateway.ask("dev", ask).await;
        let receipt = gateway.receipt_of(&answer.trace_id()).await;
        let lines = receipt["lines"].as_array().unwrap_or_else(|| panic!("no lines in {receipt}"));
        let sum: i64 = lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum();
        assert_eq!(sum, charge(&receipt), "{receipt}");
        assert!(receipt["price_version"].as_u64().is_some_and(|version| version > 0), "{receipt}");
        for line in lines {
            let (units, price) = (line["units"].as_i64().unwrap(), line["price"].as_i64().unwrap());
            let exact = i128::from(units) * i128::from(price);
            let rounded = (exact + 500_000) / 1_000_000;
            assert_eq!(i128::from(line["amount"].as_i64().unwrap()), rounded, "half up, once: {line}");
        }
    }
}

#[tokio::test]
async fn a_model_without_a_price_is_refused_to_everybody_unless_one_is_declared() {
    let upstream = Upstream::start().await;
    let unsold = || config(&upstream).channel(openai("own", &upstream.url()).models(["our-own-model"]));
    let mut gateway = Gateway::start(unsold().section("[billing]\nunpriced = \"refuse\"")).await;
    let answer = gateway.ask("dev", chat("our-own-model")).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("model_not_priced"), "{}", answer.text());
    assert_eq!(upstream.served(), 0);
    let receipt = gateway.receipt_of(&answer.trace_id()).await;
    assert_eq!((charge(&receipt), receipt["end"].as_str()), (0, Some("refused")));

    gateway.stop().await;
    gateway.rewrite(unsold().section("[billing]\nunpriced = { input = \"1\", output = \"2\" }"));
    gateway.restart().await;
    assert!(price(&gateway, chat("our-own-model")).await > 0);
}

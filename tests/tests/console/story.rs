//! A day in the house: an account is added, a key is made, an official SDK uses it, money moves to the nano-dollar, and
//! everybody sees exactly their part of it.

use crate::browser::Browser;
use crate::client::Client;
use crate::house::{House, MODEL};
use burncloud_tests::eventually;
use burncloud_tests::sdk::Script;
use serde_json::{Value, json};

/// What one answer of the provider costs at the house's price, in nano-dollars: 8 tokens of input, 4 read from a cache,
/// 4 of output and 3 of reasoning, at a thousand, five hundred, two thousand and three thousand each.
const COST: i64 = 8 * 1000 + 4 * 500 + 4 * 2000 + 3 * 3000;
/// The same at the reseller's price, which is twice that.
const RESOLD: i64 = 2 * COST;
const CODE: i64 = 5_000_000_000;

fn rates(times: i64) -> Value {
    let price = |nano: i64| format!("{}.{:03}", times * nano / 1000, times * nano % 1000);
    json!({"input": price(1000), "cached_read": price(500), "output": price(2000), "reasoning": price(3000)})
}

async fn balance(client: &mut Client, user: i64) -> i64 {
    client.read(&format!("/users/{user}/wallet")).await["balance"].as_i64().unwrap()
}

fn secret(key: &Value) -> String {
    key["secret"].as_str().unwrap().to_owned()
}

/// What an official SDK reports with this key; `None`, said aloud, where it is not installed.
pub(crate) async fn call(house: &House, secret: &str) -> Option<Value> {
    Script::PythonConsole.run(&json!({"base": house.gateway.url(), "key": secret, "model": MODEL})).await
}

/// Everybody in the story, after an account and a price were set.
struct Cast {
    house: House,
    leo: (i64, Client),
    nadia: (i64, Client),
    kim: (i64, Client),
    pixel: i64,
}

async fn cast() -> Cast {
    let mut house = House::start().await;
    house.add_channel("harbour-openai", &[MODEL]).await;
    house.owner.write("POST", "/prices/rules", json!({"model": MODEL, "rates": rates(1)})).await;
    let home = house.owner.read("/me").await["tenant"].as_i64().unwrap();
    let leo = house.user("leo", home, "end_user").await;
    let pixel = house.owner.write("POST", "/tenants", json!({"name": "pixel-tea", "parent": home})).await;
    let pixel = pixel["id"].as_i64().unwrap();
    let mut nadia = house.user("nadia", pixel, "reseller").await;
    let kim = house.user("kim", pixel, "end_user").await;
    let money = |reference: &str| json!({"kind": "top_up", "amount": CODE, "reference": reference});
    house.owner.write("POST", &format!("/tenants/{pixel}/wallet/entries"), money("invoice 1")).await;
    nadia.1.write("POST", &format!("/users/{}/wallet/entries", kim.0), money("cash")).await;
    let rule = json!({"book": pixel, "model": MODEL, "rates": rates(2)});
    nadia.1.write("POST", "/prices/rules", rule).await;
    Cast { house, leo, nadia, kim, pixel }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_made_here_is_used_by_an_official_sdk_and_paid_to_the_nano_dollar() {
    let Cast { mut house, mut leo, .. } = cast().await;
    let key = leo.1.write("POST", "/keys", json!({"name": "ios-app"})).await;
    let secret = secret(&key);

    // Nothing in the wallet: nothing is answered.
    let Some(report) = call(&house, &secret).await else { return };
    assert_eq!(report["status"], 402, "{report}");
    assert_eq!(house.upstream.served(), 0);

    let codes = json!({"name": "autumn", "count": 2, "amount": CODE, "sold": true});
    let made = house.owner.write("POST", "/codes", codes).await;
    let code = &made["codes"][0];
    let redeemed = leo.1.write("POST", "/me/redeem", json!({"code": code})).await;
    assert_eq!(redeemed["amount"], CODE);
    let again = leo.1.api("POST", "/me/redeem", &json!({"code": code})).await;
    assert!(again.status >= 400, "a code is worth something once: {}", again.text());
    assert_eq!(balance(&mut leo.1, leo.0).await, CODE);
    let batch = house.owner.read("/codes").await["items"][0].clone();
    assert_eq!((&batch["used"], &batch["open"]), (&json!(1), &json!(1)), "{batch}");

    let report = call(&house, &secret).await.unwrap();
    assert_eq!(report["status"], 200, "{report}");
    house.gateway.receipts_when(3).await;
    eventually("both answers are paid", || {
        let mut leo = leo.clone();
        async move { balance(&mut leo.1, leo.0).await == CODE - 2 * COST }
    })
    .await;

    // The receipt that the SDK was told of is in the log, at its price.
    let id = report["receipt"].as_str().unwrap();
    let row = house.owner.read(&format!("/logs/{id}")).await;
    assert_eq!((&row["charge"], &row["key_name"]), (&json!(COST), &json!("ios-app")), "{row}");
    assert_eq!((row["tokens_in"].as_i64(), row["tokens_out"].as_i64()), (Some(12), Some(7)), "{row}");
    let sums = house.owner.read("/usage").await["now"].clone();
    assert_eq!((&sums["requests"], &sums["revenue"]), (&json!(3), &json!(2 * COST)), "{sums}");

    // Revoked is at once: the next call is refused before any provider is asked.
    let served = house.upstream.served();
    house.owner.write("DELETE", &format!("/keys/{}", key["id"]), json!({})).await;
    let report = call(&house, &secret).await.unwrap();
    assert_eq!((&report["status"], &report["error"]), (&json!(401), &json!("AuthenticationError")));
    assert_eq!(house.upstream.served(), served);
}

/// The ids of the receipts that somebody sees.
async fn seen(client: &mut Client) -> Vec<String> {
    let log = client.read("/logs").await;
    log["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn ask(house: &House, secret: &str) -> String {
    house.serves(secret).await;
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "hi"}]});
    let request = burncloud_tests::raw::Request::json("/v1/chat/completions", &body).bearer(secret);
    let answer = request.send(house.gateway.addr()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.headers.get("x-burncloud-receipt-id").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_exactly_their_part() {
    let Cast { mut house, mut leo, mut nadia, mut kim, pixel } = cast().await;
    let money = json!({"kind": "promotion", "amount": CODE, "reason": "hello"});
    house.owner.write("POST", &format!("/users/{}/wallet/entries", leo.0), money).await;
    let leos = leo.1.write("POST", "/keys", json!({"name": "leos-app"})).await;
    let kims = kim.1.write("POST", "/keys", json!({"name": "kims-app"})).await;
    let (of_leo, of_kim) = (ask(&house, &secret(&leos)).await, ask(&house, &secret(&kims)).await);
    house.gateway.receipts_when(2).await;

    // Receipts: one's own, those of the reseller's customers, and all of them.
    assert_eq!(seen(&mut leo.1).await, std::slice::from_ref(&of_leo));
    assert_eq!(seen(&mut kim.1).await, std::slice::from_ref(&of_kim));
    assert_eq!(seen(&mut nadia.1).await, std::slice::from_ref(&of_kim));
    let mut all = seen(&mut house.owner).await;
    all.sort();
    let mut both = vec![of_leo.clone(), of_kim.clone()];
    both.sort();
    assert_eq!(all, both);
    for (who, client, other) in
        [("leo", &mut leo.1, &of_kim), ("kim", &mut kim.1, &of_leo), ("nadia", &mut nadia.1, &of_leo)]
    {
        let answer = client.api("GET", &format!("/logs/{other}"), &Value::Null).await;
        assert_eq!(answer.status, 404, "{who}: {}", answer.text());
    }

    // Of one request each sees their own price: what kim paid, what of it stays with nadia, what the house takes.
    let row = kim.1.read(&format!("/logs/{of_kim}")).await;
    assert_eq!(row["charge"], RESOLD, "{row}");
    for hidden in ["revenue", "cost", "margin", "channel", "road", "upstream_model"] {
        assert!(row.get(hidden).is_none(), "kim sees {hidden}: {row}");
    }
    let row = nadia.1.read(&format!("/logs/{of_kim}")).await;
    let sums = [&row["revenue"], &row["cost"], &row["margin"]];
    assert_eq!(sums, [&json!(RESOLD), &json!(COST), &json!(RESOLD - COST)], "{row}");
    for hidden in ["channel", "road", "upstream_model"] {
        assert!(row.get(hidden).is_none(), "nadia sees {hidden}: {row}");
    }
    let row = house.owner.read(&format!("/logs/{of_kim}")).await;
    assert_eq!(row["revenue"], COST, "{row}");

    // Wallets, keys, people, tenants.
    assert_eq!(balance(&mut kim.1, kim.0).await, CODE - RESOLD);
    assert_eq!(balance(&mut leo.1, leo.0).await, CODE - COST);
    let wallet = nadia.1.read(&format!("/tenants/{pixel}/wallet")).await;
    assert_eq!(wallet["balance"], CODE - COST, "{wallet}");
    let names = |list: Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(leo.1.read("/keys").await), ["leos-app"]);
    assert_eq!(names(kim.1.read("/keys").await), ["kims-app"]);
    assert_eq!(names(nadia.1.read("/keys").await), ["kims-app"]);
    assert_eq!(names(nadia.1.read("/tenants").await), ["pixel-tea"]);
    let people = names(nadia.1.read("/users").await);
    assert!(!people.contains(&"leo".to_owned()) && people.contains(&"kim".to_owned()), "{people:?}");
    for (who, client, path, expected) in [
        ("leo", &mut leo.1, format!("/users/{}/wallet", kim.0), 404),
        ("nadia", &mut nadia.1, format!("/users/{}", leo.0), 404),
        ("kim", &mut kim.1, format!("/keys/{}", leos["id"]), 404),
    ] {
        let answer = client.api("GET", &path, &Value::Null).await;
        assert_eq!(answer.status, expected, "{who} {path}: {}", answer.text());
    }
    for (who, client) in [("leo", &mut leo.1), ("kim", &mut kim.1), ("nadia", &mut nadia.1)] {
        for path in ["/channels", "/settings", "/usage/channels"] {
            let answer = client.api("GET", path, &Value::Null).await;
            assert!(matches!(answer.status, 403 | 404), "{who} {path}: {} {}", answer.status, answer.text());
        }
    }
    their_pages(&mut [("leo", &mut leo.1), ("kim", &mut kim.1), ("nadia", &mut nadia.1)]).await;
}

/// The house's own pages are not there for anybody else, and no page names the house's account.
async fn their_pages(people: &mut [(&str, &mut Client)]) {
    for (who, client) in people {
        // A reseller's radar shows its own customers.
        let answer = client.page("/settings").await;
        assert_eq!(answer.status, 404, "{who} /settings");
        for (_, path, _) in crate::walk::PAGES {
            let text = client.page(path).await.text();
            assert!(!text.contains("harbour-openai"), "{who} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_generated_from_the_document_works() {
    let mut house = House::start().await;
    let token = house.owner.write("POST", "/me/tokens", json!({"name": "generated", "days": 1})).await;
    let folder = tempfile::tempdir().unwrap();
    let orders = json!({
        "console": format!("{}/console", house.gateway.url()),
        "token": token["token"], "folder": folder.path(),
    });
    Script::PythonManagement.run(&orders).await;
    assert!(!house.gateway.log().contains(token["token"].as_str().unwrap()), "a token is never logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_seen_as_it_comes_in() {
    let Cast { mut house, .. } = cast().await;
    house.unbind_owner().await;
    let key = house.owner.write("POST", "/keys", json!({"name": "ios-app"})).await;
    let secret = secret(&key);
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;

    // Nobody loads these pages again: what they show comes by itself.
    browser.visit("").await;
    browser.js("window.same = document.querySelector('#main').innerText").await;
    ask(&house, &secret).await;
    browser.until("window.same && document.querySelector('#main').innerText !== window.same").await;
    browser.visit("/logs").await;
    browser.js("window.same = 1").await;
    let receipt = ask(&house, &secret).await;
    let row = format!("document.querySelector('#main tr[data-id={}]')", json!(receipt));
    browser.until(&format!("window.same === 1 && {row}?.innerText.includes('{MODEL}')")).await;
    let text = browser.js(&format!("{row}.innerText")).await;
    assert!(text.as_str().unwrap().contains("0.000027"), "{COST} nano-dollars in {text}");
    browser.visit(&format!("/logs?open={receipt}")).await;
    browser.until("document.body.innerText.includes('harbour-openai')").await;
    browser.calm("the log").await;
}

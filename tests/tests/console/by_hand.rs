//! A day as people live it, in the browser alone: nobody calls the API, and the keyboard does nearly everything.

use crate::browser::Browser;
use crate::house::{House, MODEL};
use crate::story::call;
use serde_json::json;
use thirtyfour::Key;

const ENTER: Key = Key::Enter;

async fn text(browser: &Browser, css: &str) -> String {
    let text = browser.js(&format!("document.querySelector({})?.innerText ?? ''", json!(css))).await;
    text.as_str().unwrap().trim().to_owned()
}

/// Adds an account: provider, credential, models, each step by Enter.
async fn add_account(browser: &Browser, house: &House) {
    browser.visit("/models").await;
    browser.click("a[href='/console/models/add']").await;
    browser.until("document.activeElement?.id === 'provider-q'").await;
    browser.press("openai").await;
    browser
        .until("document.querySelector('#provider-openai') && !document.querySelector('#provider-groq')")
        .await;
    browser.click("label:has(#provider-openai)").await;
    browser.press(ENTER + "").await;

    browser.until("document.activeElement?.id === 'credential'").await;
    browser.press("sk-typed-by-hand-0123456789").await;
    browser.js("document.getElementById('add-more').open = true").await;
    // What is no address is refused where it was typed, and nothing that was typed is lost.
    browser.write_into("#base_url", "ftp://nowhere").await;
    browser.press(ENTER + "").await;
    browser.until("document.getElementById('base_url-error')").await;
    let kept = browser.js("document.getElementById('credential').value.length > 0").await;
    assert_eq!(kept, json!(true), "the credential is still there");
    browser.js("document.getElementById('base_url').select()").await;
    browser.write_into("#base_url", &house.upstream.url()).await;
    browser.press(ENTER + "").await;

    // This provider shows its models to anybody: that is said, and one may go on.
    let anyway = "[...document.querySelectorAll('#add a')].find((a) => a.innerText === 'Go on anyway')";
    browser.until(anyway).await;
    assert!(text(browser, "#probe").await.contains("cannot be checked"));
    browser.js(&format!("{anyway}.click()")).await;
    browser.until("document.getElementById('models')").await;
    browser.write_into("#models", MODEL).await;
    browser.click("#add-next").await;
    browser.until("location.search.includes('done=')").await;
    assert_eq!(browser.js("document.body.innerHTML.includes('sk-typed-by-hand')").await, json!(false));
}

/// Makes a key and answers its secret, which is shown once.
async fn make_key(browser: &Browser, name: &str) -> String {
    browser.visit("/access/new").await;
    browser.until("document.activeElement?.id === 'name'").await;
    browser.press(name).await;
    browser.press(ENTER + "").await;
    browser.until("document.getElementById('shown-secret')").await;
    let secret = text(browser, "#shown-secret").await;
    browser.click("#shown-saved").await;
    browser.until("!document.querySelector('#shown [data-close]').disabled").await;
    browser.click("#shown [data-close]").await;
    browser.until("!document.getElementById('shown')").await;
    browser.visit("/access").await;
    assert_eq!(
        browser.js(&format!("document.body.innerHTML.includes({})", json!(secret))).await,
        json!(false)
    );
    secret
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_in_the_browser_from_the_first_account_to_the_revoked_key() {
    let mut house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    add_account(&browser, &house).await;
    browser.calm("adding an account").await;

    // A code is printed, and somebody who was invited redeems it and makes a key.
    browser.visit("/finance/codes").await;
    let home = house.owner.read("/me").await["tenant"].as_i64().unwrap();
    let (_, leo) = house.user("leo", home, "end_user").await;
    let codes = json!({"name": "autumn", "count": 1, "amount": 5_000_000_000_i64, "sold": true});
    let made = house.owner.write("POST", "/codes", codes).await;
    let code = made["codes"][0].as_str().unwrap().to_owned();

    browser.become_(&leo).await;
    browser.visit("/finance").await;
    for (typed, answer) in
        [("not-a-code", "#redeem-code-error, #redeem [role=alert]"), (code.as_str(), "main")]
    {
        browser.js("document.getElementById('redeem-code').value = ''").await;
        browser.write_into("#redeem-code", typed).await;
        browser.press(ENTER + "").await;
        browser.until(&format!("document.querySelector({})", json!(answer))).await;
    }
    browser.until("document.querySelector('#main').innerText.includes('$5.00')").await;
    let secret = make_key(&browser, "by-hand").await;
    browser.calm("a customer's pages").await;

    house.serves(&secret).await;
    let Some(report) = call(&house, &secret).await else { return };
    assert_eq!(report["status"], 200, "{report}");

    // The owner sees it without loading anything again, and what it cost.
    browser.become_(&house.owner).await;
    browser.visit("/logs").await;
    browser.until(&format!("document.querySelector('#main tbody tr')?.innerText.includes('{MODEL}')")).await;

    // The key goes: its first characters have to be typed, and the next call is refused.
    browser.become_(&leo).await;
    browser.visit("/access").await;
    browser.click("#main tbody tr a").await;
    browser.until("[...document.querySelectorAll('a')].some((a) => a.href.includes('do=revoke'))").await;
    browser.click("a[href*='do=revoke']").await;
    browser.until("document.activeElement?.id === 'revoke-word'").await;
    let ready = "document.querySelector('#revoke button[type=submit]').disabled === false";
    browser.press("something else").await;
    assert_eq!(browser.js(ready).await, json!(false));
    browser.js("document.getElementById('revoke-word').select()").await;
    let word = browser.js("document.getElementById('revoke-word').placeholder").await;
    browser.press(word.as_str().unwrap()).await;
    browser.until(ready).await;
    browser.press(ENTER + "").await;
    browser.until("!document.getElementById('revoke')").await;
    burncloud_tests::eventually("the key is refused", || async {
        call(&house, &secret).await.is_some_and(|report| report["status"] == 401)
    })
    .await;
    browser.calm("the key goes").await;
}

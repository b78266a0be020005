//! From the one-time password that the server prints to an owner who is signed in.

use crate::browser::Browser;
use crate::client::{Client, set_cookies};
use crate::house::{House, OWNER, PASSWORD, one_time_password};
use burncloud_tests::config::Config;
use burncloud_tests::gateway::Gateway;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_password_makes_the_first_owner() {
    let gateway = Gateway::start(Config::new()).await;
    let Some(browser) = Browser::open(&gateway.url()).await else { return };
    browser.go("/logs").await;
    browser.until("location.pathname === '/console/setup'").await;
    browser.shot("setup").await;
    browser.calm("the first page").await;

    browser.write_into("#code", "wron-gwro-ngwr-ongw").await;
    browser.click("main form button[type=submit]").await;
    browser.until("document.querySelector('#code-error, [role=alert]')").await;
    browser.forget().await; // a refusal has a status of its own

    let code = one_time_password(&gateway).await;
    browser.write_into("#code", &code).await;
    browser.click("main form button[type=submit]").await;
    browser.until("location.pathname === '/console/setup/owner'").await;
    browser.shot("setup-owner").await;
    browser.write_into("#display", "Mina").await;
    browser.write_into("#login", OWNER).await;
    browser.write_into("#password", "short").await;
    browser.click("main form button[type=submit]").await;
    browser.until("document.querySelector('#password-error')").await;
    browser.forget().await;
    assert_eq!(browser.js("document.getElementById('login').value").await, json!(OWNER), "kept");
    browser.write_into("#password", PASSWORD).await;
    browser.click("main form button[type=submit]").await;
    // Where they wanted to go at first.
    browser.until("location.pathname === '/console/logs'").await;
    browser.live("the owner's first page").await;
    browser.calm("the owner's first page").await;
    assert_eq!(
        browser.js("document.cookie.includes('bc-session')").await,
        json!(false),
        "no script reads it"
    );

    // Once: whoever comes later is asked to sign in.
    let mut late = Client::new(gateway.addr());
    let answer = late.page("/setup").await;
    assert_eq!((answer.status, answer.headers.get("location")), (303, Some("/console/signin")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_signs_in_and_out() {
    let house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.go("").await;
    browser.until("location.pathname === '/console/signin'").await;
    browser.shot("signin").await;
    for (password, opens) in [("not the password", false), (PASSWORD, true)] {
        browser.js("document.getElementById('name').value = ''").await;
        browser.write_into("#name", OWNER).await;
        browser.write_into("#password", password).await;
        browser.click("main form button[type=submit]").await;
        if opens {
            browser.until("location.pathname === '/console'").await;
        } else {
            browser.until("document.querySelector('#password-error')").await;
        }
    }
    browser.live("after the sign-in").await;
    browser.forget().await;
    browser.js("document.querySelector('form[action=\"/console/signout\"]').requestSubmit()").await;
    browser.until("location.pathname === '/console/signin'").await;
    browser.go("/account").await;
    browser.until("location.pathname === '/console/signin'").await;
}

#[tokio::test]
async fn the_cookie_of_a_session_is_for_the_server_alone() {
    let house = House::start().await;
    let mut client = Client::new(house.gateway.addr());
    let answer = client.fill("/signin", "/signin", &[("name", OWNER), ("password", PASSWORD)]).await;
    let lines = set_cookies(&answer);
    let session = lines.iter().find(|line| line.starts_with("bc-session=")).expect("a session");
    for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(session.contains(flag), "no {flag}");
    }
    let secret = client.jar["bc-session"].clone();
    assert!(secret.len() >= 43, "256 bits");
    assert_ne!(secret, house.owner.jar["bc-session"], "each sign-in is a session of its own");
    assert!(!house.gateway.log().contains(&secret), "a session is never logged");
}

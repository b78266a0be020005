//! The page outlives the server, and the browser's own buttons work.

use crate::browser::Browser;
use crate::house::House;
use serde_json::json;
use thirtyfour::Key;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_back_with_what_was_typed_after_the_server_died() {
    let mut house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    browser.visit("/account?seen=1").await;
    browser.write_into("#token", "half a thought").await;
    // Only the same document still has it: the page is not loaded again.
    browser.js("window.same = 1").await;
    house.gateway.kill().await;
    browser.until("document.documentElement.dataset.lv === 'off'").await;
    browser.until("getComputedStyle(document.getElementById('offline')).display !== 'none'").await;
    browser.shot("offline").await;
    house.gateway.restart().await;
    browser.until("document.documentElement.dataset.lv === 'on'").await;
    browser.until("document.getElementById('token')?.value === 'half a thought'").await;
    assert_eq!(browser.js("[window.same, location.search]").await, json!([1, "?seen=1"]));

    // It lives: the new server hears what the old one was never told, and the session stands.
    browser.forget().await; // what could not be reached meanwhile
    browser.write_into("#token", ", finished").await;
    browser.press(Key::Enter + "").await;
    browser.until("document.querySelector('#main [role=status]')?.innerText.includes('bct_')").await;
    let places = house.owner.read("/me/sessions").await;
    let names: Vec<_> = places["items"].as_array().unwrap().iter().map(|place| &place["token"]).collect();
    assert!(names.contains(&&json!("half a thought, finished")), "{places}");
    browser.calm("after the restart").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_closes_when_its_session_ends() {
    let mut house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    browser.visit("/account").await;
    let answer = house.owner.fill("/account", "/signout", &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser.until("location.pathname === '/console/signin'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_the_back_button_and_deep_links_agree() {
    let house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    browser.visit("/logs?model=gpt-4o-mini").await;
    browser.js("window.same = 1").await;
    browser.click("nav a[href='/console/access']").await;
    browser.until("location.pathname === '/console/access' && document.title.startsWith('Access')").await;
    browser.click(".shell a[href='/console/settings']").await;
    browser.until("location.pathname === '/console/settings' && document.title.startsWith('Settings')").await;
    browser.back().await;
    browser.until("location.pathname === '/console/access' && document.title.startsWith('Access')").await;
    browser.back().await;
    browser.until("location.pathname === '/console/logs' && document.title.startsWith('Logs')").await;
    assert_eq!(browser.js("[location.search, window.same]").await, json!(["?model=gpt-4o-mini", 1]));
    browser.forward().await;
    browser.until("location.pathname === '/console/access' && document.title.startsWith('Access')").await;
    browser.calm("moving about").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_motion_gets_none() {
    let house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    let wish = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    browser.devtools("Emulation.setEmulatedMedia", wish).await;
    for (name, path, _) in crate::walk::PAGES {
        browser.visit(path).await;
        let moving = "document.getAnimations().filter((a) => a.playState === 'running' \
            && a.effect?.getComputedTiming().iterations === Infinity).map((a) => a.animationName || '')";
        assert_eq!(browser.js(moving).await, json!([]), "{name} moves");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_opens_and_goes_by_the_keyboard_alone() {
    let house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    browser.visit("/account").await;
    browser.press(Key::Control + "k").await;
    browser.until("document.activeElement?.id === 'palette-text'").await;
    browser.press("Sett").await;
    browser.until("document.querySelectorAll('#palette-list [role=option]').length === 1").await;
    browser.press(Key::Enter + "").await;
    browser.until("location.pathname === '/console/settings' && !document.getElementById('palette')").await;
    browser.press(Key::Control + "k").await;
    browser.until("document.activeElement?.id === 'palette-text'").await;
    browser.press(Key::Escape + "").await;
    browser.until("!document.getElementById('palette')").await;
    browser.calm("the palette").await;
}

//! What is typed in the console never reaches the log, however much is logged.

use crate::browser::Browser;
use crate::house::House;
use thirtyfour::Key;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_not_logged() {
    let house = House::start().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    browser.visit("/account").await;
    let typed = "typed-and-never-logged";
    // A form of a component travels with every field that it has, passwords too.
    browser.write_into("#token", typed).await;
    browser.press(Key::Enter + "").await;
    browser.until("document.querySelector('#main [role=status]')?.innerText.includes('bct_')").await;
    let log = house.gateway.log();
    let hex: String = typed.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [typed, &hex, "bct_", &house.owner.jar["bc-session"]] {
        assert!(!log.contains(form), "the log has {form}");
    }
}

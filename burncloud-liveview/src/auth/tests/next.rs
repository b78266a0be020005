//! The page that was asked for, after any way in.

use super::bench::{House, PASSWORD};
use super::people::{Enrolled, enrol};
use super::provider::Fake;
use burncloud_core::Role;
use http::StatusCode;

const NEXT: &str = "?next=%2Flogs%3Ftime%3D24h";

#[tokio::test]
async fn a_password_leads_to_the_page_that_was_asked_for() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let mut browser = house.browser();
    let asked = browser.get("/logs?time=24h").await;
    assert_eq!(asked.to, format!("/console/signin{NEXT}"));
    let page = browser.follow(&asked).await.body;
    let wrong = browser.submit(&page, &[("name", "ada"), ("password", "not this one")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let answer = browser.submit(&wrong.body, &[("name", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(answer.to, "/console/logs?time=24h");
    assert_eq!(
        browser.get(&format!("/signin{NEXT}")).await.to,
        "/console/logs?time=24h",
        "who is in goes on"
    );
}

#[tokio::test]
async fn every_further_step_remembers_it() {
    let house = House::new();
    let ada = house.user("ada", Role::Owner).await;
    let Enrolled { next, .. } = enrol(&house, &house.signed_in("ada").await).await;
    let login = house.login(&ada).await;
    house.all().set_login(&burncloud_core::store::Login { must_change: true, ..login }).await.unwrap();
    let mut browser = house.browser();
    let page = browser.get(&format!("/signin{NEXT}")).await.body;
    let answer = browser.submit(&page, &[("name", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(answer.to, format!("/console/signin/code{NEXT}"));
    let page = browser.follow(&answer).await.body;
    let answer = browser.submit(&page, &[("code", &next)]).await;
    assert_eq!(answer.to, format!("/console/signin/password{NEXT}"), "{}", answer.body);
    let page = browser.follow(&answer).await.body;
    let answer = browser.submit(&page, &[("password", "another long password")]).await;
    assert_eq!(answer.to, "/console/logs?time=24h");
    let lost = house.browser().get(&format!("/signin/code{NEXT}")).await;
    assert_eq!(
        lost.to,
        format!("/console/signin{NEXT}"),
        "a step that is over begins anew, and goes there still"
    );
}

#[tokio::test]
async fn the_provider_of_identities_leads_there_too() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let fake = Fake::start().await;
    fake.let_in(&house, Some("default")).await;
    let mut browser = house.browser();
    let page = browser.get(&format!("/signin{NEXT}")).await.body;
    assert!(page.contains(&format!("href=\"/console/oidc{NEXT}\"")), "{page}");
    assert_eq!(fake.through_by(&mut browser, &format!("/oidc{NEXT}")).await.to, "/console/logs?time=24h");
    for evil in ["//evil.example", "https://evil.example/logs", "/\\evil.example"] {
        let path = format!("/oidc?next={}", percent(evil));
        assert_eq!(fake.through_by(&mut house.browser(), &path).await.to, "/console", "{evil}");
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn nobody_is_led_to_another_host() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    for evil in [
        "//evil.example",
        "///evil.example/logs",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/console//evil.example",
        "/console/../../evil",
        "/logs/../../v1/models",
        "/%2Fevil.example",
        "/signout",
        "\t//evil.example",
        "/logs\r\nlocation: https://evil.example",
    ] {
        let mut browser = house.browser();
        let page = browser.get(&format!("/signin?next={}", percent(evil))).await.body;
        assert!(!page.contains("evil.example\""), "{evil:?}: {page}");
        let answer = browser.submit(&page, &[("name", "ada"), ("password", PASSWORD)]).await;
        // What is within a page of the console is written as a path below it, whatever it says.
        let inside = answer
            .to
            .strip_prefix("/console")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("/logs"));
        assert!(
            inside && !answer.to.contains(['\\', '\r', '\n']) && !answer.to.contains(".."),
            "{evil:?}: {}",
            answer.to
        );
        // Nor where the form itself is made to say so.
        let mut browser = house.browser();
        let csrf = super::bench::token(&browser.get("/signin").await.body);
        let fields = [("csrf", csrf.as_str()), ("name", "ada"), ("password", PASSWORD)];
        let path = format!("/signin?next={}", percent(evil));
        let forced = browser.post_raw(&path, Some(super::bench::ORIGIN), &fields).await;
        assert_eq!((forced.status, forced.to), (StatusCode::SEE_OTHER, answer.to), "{evil:?}");
    }
}

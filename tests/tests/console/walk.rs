//! Every page, as it looks: both languages, both themes, a desk and a phone; and whether everybody can use it.

use crate::browser::{Browser, DESK, PHONE};
use crate::lived::lived_in;
use burncloud_tests::{sdk, skip};
use serde_json::json;

/// A name for pictures, the path below the console, and a piece of CSS that must be there once it is drawn.
pub(crate) const PAGES: &[(&str, &str, &str)] = &[
    ("dashboard", "", "main"),
    ("models", "/models", "main"),
    ("models-cards", "/models/cards", "main"),
    ("models-groups", "/models/groups", "main"),
    ("models-add", "/models/add", "main"),
    ("models-import", "/models/import", "main"),
    ("radar", "/radar", "main"),
    ("logs", "/logs", "main"),
    ("logs-changes", "/logs/changes", "main"),
    ("access", "/access", "main"),
    ("access-new", "/access/new", "main"),
    ("users", "/users", "main"),
    ("users-tree", "/users/tree", "main"),
    ("users-groups", "/users/groups", "main"),
    ("users-roles", "/users/roles", "main"),
    ("users-invites", "/users/invites", "main"),
    ("users-invite", "/users?do=invite", "main"),
    ("finance", "/finance", "main"),
    ("finance-prices", "/finance/prices", "main"),
    ("finance-codes", "/finance/codes", "main"),
    ("finance-topups", "/finance/topups", "main"),
    ("finance-statement", "/finance/statement", "main"),
    ("playground", "/playground", "main"),
    ("settings", "/settings", "main"),
    ("account", "/account", "#token"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_in_both_languages_and_both_themes() {
    let house = lived_in().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    let mut wrong = Vec::new();
    for (form, size) in [("", DESK), ("-phone", PHONE)] {
        browser.size(size).await;
        for (lang, tag) in [("en", "en"), ("zh", "zh-CN")] {
            for theme in ["day", "night"] {
                browser.look(lang, theme).await;
                for (name, path, there) in PAGES {
                    browser.visit(path).await;
                    browser.until(&format!("document.querySelector({})", json!(there))).await;
                    let look = "[document.documentElement.lang, document.documentElement.dataset.theme]";
                    assert_eq!(browser.js(look).await, json!([tag, theme]), "{name}");
                    let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                    let over = browser.js(wide).await;
                    if over != json!(0) {
                        wrong.push(format!("{name}{form} in {lang} is {over} px wider than its window"));
                    }
                    browser.calm(name).await;
                    browser.shot(&format!("{name}{form}-{lang}-{theme}")).await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_used_by_everybody() {
    let axe = match sdk::axe() {
        Ok(axe) => axe,
        Err(why) => return skip("axe", &why),
    };
    let house = lived_in().await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    let mut found = Vec::new();
    browser.go("/signin").await;
    found.extend(browser.violations(&axe).await.into_iter().map(|one| format!("signin: {one}")));
    browser.become_(&house.owner).await;
    for (size, theme) in [(DESK, "day"), (DESK, "night"), (PHONE, "day")] {
        browser.size(size).await;
        browser.look("en", theme).await;
        for (name, path, there) in PAGES {
            browser.visit(path).await;
            browser.until(&format!("document.querySelector({})", json!(there))).await;
            let here = browser.violations(&axe).await;
            found.extend(here.into_iter().map(|one| format!("{name} {size:?} {theme}: {one}")));
        }
    }
    found.sort();
    assert!(found.is_empty(), "{found:#?}");
}

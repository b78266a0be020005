//! Forms: the password, where they come from, the first run.

use super::bench::{House, ORIGIN, PASSWORD, SETUP, token};
use burncloud_core::Role;
use http::StatusCode;

#[tokio::test]
async fn a_password_opens_and_signing_out_closes() {
    let house = House::new();
    house.user("ada@harbour.example", Role::Owner).await;
    let mut browser = house.browser();
    assert_eq!(browser.get("").await.to, "/console/signin");
    let answer = browser.sign_in(" Ada@Harbour.example ", PASSWORD).await;
    assert_eq!((answer.status, answer.to.as_str()), (StatusCode::SEE_OTHER, "/console"));
    assert_eq!(browser.actor().await.unwrap().name, "ada@harbour.example");
    assert_eq!(browser.get("").await.status, StatusCode::OK);
    let csrf = browser.csrf();
    let old = browser.clone();
    let answer = browser.post_raw("/signout", Some(ORIGIN), &[("csrf", &csrf)]).await;
    assert_eq!(answer.to, "/console/signin");
    assert!(browser.session().is_none() && old.actor().await.is_none(), "the cookie is worth nothing now");
}

#[tokio::test]
async fn a_wrong_password_and_a_name_that_nobody_has_are_answered_alike() {
    let house = House::new();
    house.user("known-name", Role::Owner).await;
    let mut tries = Vec::new();
    for name in ["known-name", "other-name"] {
        let mut browser = house.browser();
        let mut all = Vec::new();
        for _ in 0..7 {
            let answer = browser.sign_in(name, "wrong password").await;
            let csrf = token(&answer.body);
            all.push((answer.status, answer.body.replace(name, "NAME").replace(&csrf, "")));
        }
        assert!(browser.session().is_none());
        tries.push(all);
    }
    let statuses: Vec<u16> = tries[0].iter().map(|(status, _)| status.as_u16()).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 429, 429, 429]);
    assert!(tries[0][0].1.contains("4 tries left"), "{}", tries[0][0].1);
    for (known, unknown) in tries[0].iter().zip(&tries[1]) {
        // The seconds that are left may have gone on by one.
        assert_eq!(known.0, unknown.0);
        let plain = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
        assert_eq!(plain(&known.1), plain(&unknown.1));
    }
    let locked = house.browser().sign_in("known-name", PASSWORD).await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS, "the right one waits too");
}

#[tokio::test]
async fn of_many_wrong_passwords_at_once_no_more_than_five_are_looked_at() {
    let house = House::new();
    let user = house.user("ada", Role::Owner).await;
    let mut first = house.browser();
    let page = first.get("/signin").await;
    let csrf = token(&page.body);
    let tries = (0..20).map(|n| {
        let (mut browser, csrf) = (first.clone(), csrf.clone());
        browser.ip = format!("192.0.2.{n}");
        async move {
            let fields = [("csrf", csrf.as_str()), ("name", "ada"), ("password", "wrong password")];
            browser.post_raw("/signin", Some(ORIGIN), &fields).await.status
        }
    });
    let all = futures_util::future::join_all(tries).await;
    let wrong = all.iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count();
    let locked = all.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!((wrong, locked), (4, 16));
    assert_eq!(house.login(&user).await.failures, 5);
}

#[tokio::test]
async fn strangers_do_not_lock_out_whoever_signed_in_there_before() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let mut known = house.signed_in("ada").await;
    let csrf = known.csrf();
    let mut stranger = house.browser();
    stranger.ip = "198.51.100.1".into();
    for _ in 0..6 {
        stranger.sign_in("ada", "wrong password").await;
    }
    assert!(known.actor().await.is_some(), "whoever is in stays in");
    known.post_raw("/signout", Some(ORIGIN), &[("csrf", &csrf)]).await;
    assert_eq!(known.sign_in("ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let mut elsewhere = house.browser();
    assert_eq!(elsewhere.sign_in("ada", PASSWORD).await.status, StatusCode::SEE_OTHER, "success unlocks");
}

#[tokio::test]
async fn one_address_that_tries_many_names_waits() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let mut browser = house.browser();
    let mut last = StatusCode::OK;
    for n in 0..21 {
        last = browser.sign_in(&format!("name-{n}"), "wrong password").await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let mut other = house.browser();
    other.ip = "198.51.100.7".into();
    assert_eq!(other.sign_in("ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let mut browser = house.browser();
    let csrf = token(&browser.get("/signin").await.body);
    let fields = [("csrf", csrf.as_str()), ("name", "ada"), ("password", PASSWORD)];
    for origin in [None, Some("https://evil.example"), Some("http://console.example"), Some("null")] {
        let answer = browser.post_raw("/signin", origin, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?}");
    }
    // Login CSRF: the token of another browser's form.
    let mut other = house.browser();
    let theirs = token(&other.get("/signin").await.body);
    let fields = [("csrf", theirs.as_str()), ("name", "ada"), ("password", PASSWORD)];
    assert_eq!(browser.post_raw("/signin", Some(ORIGIN), &fields).await.status, StatusCode::FORBIDDEN);
    let none = house.browser().post_raw("/signin", Some(ORIGIN), &fields).await;
    assert_eq!(none.status, StatusCode::FORBIDDEN);
    assert!(browser.session().is_none());
}

#[tokio::test]
async fn a_write_needs_the_token_of_its_session() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let user = house.user("eve", Role::EndUser).await.id.to_string();
    let mut ada = house.signed_in("ada").await;
    let eve = house.signed_in("eve").await;
    let (own, theirs, session) = (ada.csrf(), eve.csrf(), ada.session().unwrap());
    assert!(!own.contains(&session) && own != session, "the token is not the session");
    for (origin, csrf) in [
        (Some(ORIGIN), ""),
        (Some(ORIGIN), theirs.as_str()),
        (Some(ORIGIN), session.as_str()),
        (None, own.as_str()),
        (Some("https://evil.example"), own.as_str()),
    ] {
        let answer = ada.post_raw("/impersonate", origin, &[("csrf", csrf), ("user", &user)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?}");
        let answer = ada.post_raw("/signout", origin, &[("csrf", csrf)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?}");
    }
    assert_eq!(ada.actor().await.unwrap().name, "ada");
}

#[tokio::test]
async fn the_first_owner_is_made_by_the_password_that_was_printed() {
    let house = House::new();
    let mut browser = house.browser();
    assert_eq!(browser.get("/signin").await.to, "/console/setup");
    let answer = browser.fill("/setup", "/setup", &[("code", "wrong")]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = browser.fill("/setup", "/setup", &[("code", SETUP)]).await;
    assert_eq!(answer.to, "/console/setup/owner");
    let fields = [("login", "lin@harbour.example"), ("display", "Lin"), ("password", "short")];
    let answer = browser.fill("/setup/owner", "/setup/owner", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("at least 10 characters"), "{}", answer.body);
    let fields = [("login", "lin@harbour.example"), ("display", "Lin"), ("password", PASSWORD)];
    let answer = browser.fill("/setup/owner", "/setup/owner", &fields).await;
    assert_eq!(answer.to, "/console");
    let actor = browser.actor().await.unwrap();
    assert_eq!((actor.role, actor.name.as_str()), (Role::Owner, "lin@harbour.example"));
    let mut late = house.browser();
    assert_eq!(late.get("/setup").await.to, "/console/signin", "the door is shut");
}

#[tokio::test]
async fn of_two_first_owners_one_wins() {
    let house = House::new();
    let tries = ["lin@harbour.example", "eve@evil.example"].map(|login| {
        let mut browser = house.browser();
        async move {
            browser.fill("/setup", "/setup", &[("code", SETUP)]).await;
            let csrf = token(&browser.get("/setup/owner").await.body);
            let fields = [("csrf", csrf.as_str()), ("login", login), ("password", PASSWORD)];
            browser.post_raw("/setup/owner", Some(ORIGIN), &fields).await;
            browser.actor().await.is_some()
        }
    });
    let won: Vec<bool> = futures_util::future::join_all(tries).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let users = house.all().users(None, 10).await.unwrap();
    assert_eq!(users.iter().filter(|user| user.role == Role::Owner).count(), 1);
}

#[tokio::test]
async fn six_wrong_one_time_passwords_lock_the_setup_for_everybody() {
    let house = House::new();
    let mut browser = house.browser();
    for n in 0..6 {
        let status = browser.fill("/setup", "/setup", &[("code", "wrong")]).await.status;
        let wanted = if n < 5 { StatusCode::UNAUTHORIZED } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(status, wanted, "{n}");
    }
    let mut other = house.browser();
    other.ip = "198.51.100.7".into();
    let answer = other.fill("/setup", "/setup", &[("code", SETUP)]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn what_was_typed_wrong_is_said_in_the_language_of_the_page() {
    let house = House::new();
    let mut browser = house.browser();
    browser.jar.insert("bc-lang".into(), "zh".into());
    let wrong = browser.fill("/setup", "/setup", &[("code", "wrong")]).await;
    assert!(wrong.body.contains("不匹配"), "{}", wrong.body);
    browser.fill("/setup", "/setup", &[("code", SETUP)]).await;
    for (login, password, zh, en) in [
        ("", PASSWORD, "请起个名字", "give it a name"),
        ("a b", PASSWORD, "登录名不能有空白", "white space"),
        ("ada", "short", "密码至少", "at least"),
        ("ada", "aaaaaaaaaaaaaaa", "太容易被猜到", "among the first"),
    ] {
        let fields = [("login", login), ("display", "Ada"), ("password", password)];
        let answer = browser.fill("/setup/owner", "/setup/owner", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{login} {password}");
        assert!(answer.body.contains(zh) && !answer.body.contains(en), "{zh}: {}", answer.body);
    }
}

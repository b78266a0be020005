//! Sessions: what ends them, what they are not.

use super::bench::{Browser, House, ORIGIN, PASSWORD};
use crate::auth::Caller;
use crate::auth::api::sitting;
use crate::auth::{Denied, viewer};
use burncloud_billing::people::Actor;
use burncloud_core::store::{Session, StoreError};
use burncloud_core::{KeyHash, Role, Status, Tenant, UnixMicros, User};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Method, StatusCode};

/// It looks at pages from elsewhere than it signed in from.
fn caller(browser: &Browser) -> Caller {
    Caller { headers: headers(browser), ip: "198.51.100.7".parse().ok() }
}

fn headers(browser: &Browser) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let jar: Vec<String> = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    headers.insert(COOKIE, jar.join("; ").parse().unwrap());
    headers
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_not_signed_in() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let mut browser = house.browser();
    let planted = "A".repeat(43);
    browser.jar.insert("__Host-bc-session".into(), planted.clone());
    browser.sign_in("ada", PASSWORD).await;
    assert_ne!(browser.session().unwrap(), planted);
    let mut attacker = house.browser();
    attacker.jar.insert("__Host-bc-session".into(), planted);
    assert!(attacker.actor().await.is_none());
    let before = browser.session().unwrap();
    browser.jar.remove("bc-nothing");
    let mut again = browser.clone();
    again.jar.remove("__Host-bc-session");
    again.sign_in("ada", PASSWORD).await;
    assert_ne!(again.session().unwrap(), before, "each sign-in has one of its own");
}

#[tokio::test]
async fn forged_and_plain_cookies_open_nothing() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let browser = house.signed_in("ada").await;
    let secret = browser.session().unwrap();
    let hash: String = KeyHash::of(secret.as_bytes()).0.iter().map(|byte| format!("{byte:02x}")).collect();
    for forged in ["", "x", &secret[1..], &hash, &format!("{secret}A"), &secret.to_uppercase()] {
        let mut other = house.browser();
        other.jar.insert("__Host-bc-session".into(), forged.to_owned());
        assert!(other.actor().await.is_none(), "{forged}");
    }
    // Over HTTPS a cookie without the prefix may have been set by anybody on the way.
    let mut other = house.browser();
    other.jar.insert("bc-session".into(), secret);
    assert!(other.actor().await.is_none());
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it_and_when_its_time_is_over() {
    let house = House::new();
    let user = house.user("ada", Role::Owner).await;
    let now = UnixMicros::now().0;
    let hour = 3_600_000_000;
    for (seen, ends, stands) in
        [(now - 11 * hour, now + hour, true), (now - 13 * hour, now + hour, false), (now, now - 1, false)]
    {
        let secret = format!("{:0>43}", (seen ^ ends).unsigned_abs());
        let session = Session {
            hash: KeyHash::of(secret.as_bytes()).0,
            user: user.id,
            acting: None,
            created_at: UnixMicros(now - 20 * hour),
            seen_at: UnixMicros(seen),
            expires_at: UnixMicros(ends),
            ip: String::new(),
            agent: String::new(),
        };
        house.all().create_session(&session).await.unwrap();
        let mut browser = house.browser();
        browser.jar.insert("__Host-bc-session".into(), secret);
        assert_eq!(browser.actor().await.is_some(), stands, "{seen} {ends}");
        let touched = house.all().session(&session.hash).await.unwrap().unwrap().seen_at.0 >= now;
        assert_eq!(touched, stands || seen == now);
    }
}

#[tokio::test]
async fn whoever_is_switched_off_is_out_at_once_and_their_pages_close() {
    let house = House::new();
    let user = house.user("eve", Role::EndUser).await;
    let browser = house.signed_in("eve").await;
    let open = viewer(&house.console, &caller(&browser)).await.unwrap();
    let off = User { status: Status::Disabled, ..user.clone() };
    house.all().update_user(&off).await.unwrap();
    assert!(browser.actor().await.is_none());
    house.console.sockets().sweep(&house.console).await;
    assert!(open.ended.is_cancelled());
    let mut again = house.browser();
    assert_eq!(again.sign_in("eve", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    house.all().update_user(&user).await.unwrap();
    assert!(browser.actor().await.is_some());
    let tenant = house.tenant("default", None).await;
    house.all().update_tenant(&Tenant { status: Status::Disabled, ..tenant }).await.unwrap();
    assert!(browser.actor().await.is_none(), "their tenant is switched off");
}

#[tokio::test]
async fn pages_of_another_role_close() {
    let house = House::new();
    let user = house.user("eve", Role::Administrator).await;
    let browser = house.signed_in("eve").await;
    let open = viewer(&house.console, &caller(&browser)).await.unwrap();
    house.console.sockets().sweep(&house.console).await;
    assert!(!open.ended.is_cancelled(), "nothing happened yet");
    house.all().update_user(&User { role: Role::EndUser, ..user }).await.unwrap();
    house.console.sockets().sweep(&house.console).await;
    assert!(open.ended.is_cancelled());
}

#[tokio::test]
async fn a_ban_and_another_role_end_sessions() {
    let house = House::new();
    let owner = Actor::operator("owner");
    for ban in [true, false] {
        let name = format!("eve-{ban}");
        let user = house.user(&name, Role::Administrator).await;
        let browser = house.signed_in(&name).await;
        let hash = KeyHash::of(browser.session().unwrap().as_bytes()).0;
        if ban {
            house.desk().ban_user(&owner, user.id, None).await.unwrap();
        } else {
            house.desk().set_role(&owner, user.id, Role::EndUser, None).await.unwrap();
        }
        assert!(house.all().session(&hash).await.unwrap().is_none(), "ban {ban}");
        assert!(browser.actor().await.is_none());
    }
}

#[tokio::test]
async fn another_password_ends_every_other_session_and_gives_this_browser_a_new_one() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let (mut here, there) = (house.signed_in("ada").await, house.signed_in("ada").await);
    let csrf = here.csrf();
    let fields =
        |current| [("csrf", csrf.as_str()), ("current", current), ("password", "another fine password")];
    let answer = here.post_raw("/account/password", Some(ORIGIN), &fields("wrong password")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(there.actor().await.is_some());
    let before = here.session();
    let answer = here.post_raw("/account/password", Some(ORIGIN), &fields(PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_ne!(here.session(), before);
    assert!(here.actor().await.is_some() && there.actor().await.is_none());
    assert_eq!(house.browser().sign_in("ada", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.browser().sign_in("ada", "another fine password").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_program_calls_by_its_token_and_a_browser_by_its_form() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let browser = house.signed_in("ada").await;
    let own = browser.actor().await.unwrap();
    let made = house.desk().create_token(&own, "deploy", 30).await.unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&made.secret).to_owned();
    let bearer = |token: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        headers
    };
    let call = async |headers: &HeaderMap, method| {
        sitting(&house.console, &method, headers).await.map(|seat| seat.actor())
    };
    assert_eq!(call(&bearer(&token), Method::POST).await.unwrap().name, "ada");
    assert_eq!(call(&bearer(&browser.session().unwrap()), Method::GET).await, Err(Denied::Nobody));
    let mut cookie = house.browser();
    cookie.jar.insert("__Host-bc-session".into(), token.clone());
    assert!(cookie.actor().await.is_none(), "a token is no cookie");
    let mut by_cookie = headers(&browser);
    assert!(call(&by_cookie, Method::GET).await.is_ok());
    assert_eq!(call(&by_cookie, Method::DELETE).await, Err(Denied::Forged));
    by_cookie.insert("origin", ORIGIN.parse().unwrap());
    assert_eq!(call(&by_cookie, Method::DELETE).await, Err(Denied::Forged));
    by_cookie.insert("x-csrf", browser.csrf().parse().unwrap());
    assert!(call(&by_cookie, Method::DELETE).await.is_ok());
    by_cookie.insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(call(&by_cookie, Method::DELETE).await, Err(Denied::Forged));
    let places = house.desk().own_sessions(&own).await.unwrap();
    let place = places.iter().find(|place| place.token.as_deref() == Some("deploy")).unwrap();
    house.desk().end_session(&own, &place.id).await.unwrap();
    assert_eq!(call(&bearer(&token), Method::GET).await, Err(Denied::Nobody));
    let gone = house.desk().end_session(&own, &place.id).await.unwrap_err();
    let none = burncloud_core::usecase::UseCaseError::Store(StoreError::NotFound {
        what: "session",
        name: String::new(),
    });
    assert_eq!(std::mem::discriminant(&gone), std::mem::discriminant(&none));
}

#[tokio::test]
async fn the_audit_log_says_where_a_change_came_from_and_not_where_they_signed_in() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let mut browser = house.signed_in("ada").await;
    let page = viewer(&house.console, &caller(&browser)).await.unwrap();
    house.desk().set_display(&page.actor, "Ada L.").await.unwrap();
    browser.ip = "203.0.113.9".into();
    let csrf = browser.csrf();
    let fields = [("csrf", csrf.as_str()), ("current", PASSWORD), ("password", "another long password")];
    let answer = browser.post_raw("/account/password", Some(super::bench::ORIGIN), &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let all = house
        .all()
        .audits(&burncloud_core::store::AuditFilter { limit: 2, ..Default::default() })
        .await
        .unwrap();
    let seen: Vec<_> = all.iter().map(|entry| entry.ip.as_str()).collect();
    assert_eq!(seen, ["203.0.113.9", "198.51.100.7"]);
}

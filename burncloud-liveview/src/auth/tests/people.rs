//! Second factors, invitations, and acting in another's name.

use super::bench::{Browser, House, ORIGIN, PASSWORD, hidden, token};
use burncloud_billing::desk::login::{AccessSettings, InvitationSpec};
use burncloud_billing::people::Actor;
use burncloud_core::store::AuditFilter;
use burncloud_core::{Nano, Role, UnixMicros, User};
use http::StatusCode;
use secrecy::ExposeSecret;
use totp_rs::{Algorithm, Secret, TOTP};

const DAY: i64 = 86_400_000_000;

pub(super) fn seconds() -> u64 {
    u64::try_from(UnixMicros::now().0 / 1_000_000).unwrap()
}

/// The code that an authenticator shows at that second.
pub(super) fn code(secret: &str, second: u64) -> String {
    let bytes = Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
    let totp = TOTP::new(Algorithm::SHA1, 6, 1, 30, bytes).unwrap();
    totp.generate(second)
}

pub(super) struct Enrolled {
    /// The code it was enrolled with, and the one after it.
    pub(super) used: String,
    pub(super) next: String,
    pub(super) recovery: Vec<String>,
}

pub(super) async fn enrol(house: &House, browser: &Browser) -> Enrolled {
    let actor = browser.actor().await.unwrap();
    let offer = house.desk().offer_factor(&actor).await.unwrap();
    let secret = offer.secret.expose_secret().to_owned();
    let at = seconds();
    let used = code(&secret, at);
    let recovery = house.desk().take_factor(&actor, &offer.sealed, &used).await.unwrap();
    Enrolled { used, next: code(&secret, at + 30), recovery }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_no_code_is_taken_twice() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let Enrolled { used, next, recovery: codes } = enrol(&house, &house.signed_in("ada").await).await;
    assert_eq!(codes.len(), 10);
    let mut browser = house.browser();
    assert_eq!(browser.sign_in("ada", PASSWORD).await.to, "/console/signin/code");
    assert!(browser.session().is_none(), "half a sign-in is none");
    let give = async |browser: &mut Browser, code: &str| {
        browser.fill("/signin/code", "/signin/code", &[("code", code)]).await.status
    };
    assert_eq!(give(&mut browser, &used).await, StatusCode::UNAUTHORIZED, "it was used to enrol");
    assert_eq!(give(&mut browser, &next).await, StatusCode::SEE_OTHER);
    assert!(browser.actor().await.is_some());
    let mut replay = house.browser();
    replay.sign_in("ada", PASSWORD).await;
    assert_eq!(give(&mut replay, &next).await, StatusCode::UNAUTHORIZED);
    let recovery = codes[3].to_uppercase().replace('-', " ");
    assert_eq!(give(&mut replay, &recovery).await, StatusCode::SEE_OTHER);
    let mut again = house.browser();
    again.sign_in("ada", PASSWORD).await;
    assert_eq!(give(&mut again, &codes[3]).await, StatusCode::UNAUTHORIZED, "once");
    assert_eq!(give(&mut again, &codes[4]).await, StatusCode::SEE_OTHER);
    let own = house.desk().own(&again.actor().await.unwrap()).await.unwrap();
    assert_eq!(own.recovery, Some(8));
}

#[tokio::test]
async fn wrong_codes_lock_and_a_step_of_another_kind_is_none() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    enrol(&house, &house.signed_in("ada").await).await;
    let mut browser = house.browser();
    browser.sign_in("ada", PASSWORD).await;
    let csrf = token(&browser.get("/signin/code").await.body);
    let fields = [("csrf", csrf.as_str()), ("password", "another fine password")];
    let answer = browser.post_raw("/signin/password", Some(ORIGIN), &fields).await;
    assert_eq!(answer.to, "/console/signin", "the code comes first");
    browser.sign_in("ada", PASSWORD).await;
    let mut last = StatusCode::OK;
    for n in 0..5 {
        let wrong = format!("00000{n}x");
        last = browser.fill("/signin/code", "/signin/code", &[("code", &wrong)]).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let forged = "MSBjb2RlIDk5OTk5OTk5OTk5OTk5OTk5IHg.AAAA";
    browser.jar.insert("__Host-bc-step".into(), forged.into());
    assert_eq!(browser.get("/signin/code").await.to, "/console/signin");
}

#[tokio::test]
async fn whoever_keeps_the_house_takes_a_factor_where_it_is_asked() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    house.user("eve", Role::EndUser).await;
    let access = AccessSettings { require_totp_for_administrators: true, ..AccessSettings::default() };
    house.desk().set_access(&Actor::operator("boss"), &access).await.unwrap();
    assert!(house.signed_in("eve").await.actor().await.is_some());
    let mut browser = house.browser();
    assert_eq!(browser.sign_in("ada", PASSWORD).await.to, "/console/signin/factor");
    let page = browser.get("/signin/factor").await.body;
    let (offer, csrf) = (hidden(&page, "offer"), token(&page));
    assert!(page.contains("data:image/svg+xml;base64,"));
    let at = page.find("break-all").unwrap();
    let secret = page[at..].split_once('>').unwrap().1.split('<').next().unwrap().to_owned();
    let fields =
        |code: &str| vec![("csrf", csrf.clone()), ("offer", offer.clone()), ("code", code.to_owned())];
    for (typed, wanted) in
        [("000000x".to_owned(), StatusCode::UNPROCESSABLE_ENTITY), (code(&secret, seconds()), StatusCode::OK)]
    {
        let fields = fields(&typed);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let answer = browser.post_raw("/signin/factor", Some(ORIGIN), &fields).await;
        assert_eq!(answer.status, wanted, "{}", answer.body);
    }
    assert!(browser.actor().await.is_some());
}

#[tokio::test]
async fn a_password_that_somebody_else_set_is_changed_first() {
    let house = House::new();
    let user = house.user("eve", Role::EndUser).await;
    let boss = Actor::operator("boss");
    house.desk().set_password_of(&boss, user.id, None, "given by the boss".into()).await.unwrap();
    let mut browser = house.browser();
    assert_eq!(browser.sign_in("eve", "given by the boss").await.to, "/console/signin/password");
    let give = async |browser: &mut Browser, password: &str| {
        browser.fill("/signin/password", "/signin/password", &[("password", password)]).await.status
    };
    assert_eq!(give(&mut browser, "given by the boss").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.session().is_none());
    assert_eq!(give(&mut browser, "one of my very own").await, StatusCode::SEE_OTHER);
    assert!(browser.actor().await.is_some());
}

async fn resale(house: &House) -> (User, User) {
    house.tenant("shop", Some("default")).await;
    house.tenant("corner", Some("shop")).await;
    let reseller = house.user_in("shop", "res", Role::Reseller).await;
    let customer = house.user_in("corner", "cus", Role::EndUser).await;
    (reseller, customer)
}

fn spec(tenant: burncloud_core::TenantId, role: Role, gift: i64) -> InvitationSpec {
    let expires_at = UnixMicros(UnixMicros::now().0 + DAY);
    InvitationSpec { tenant, role, note: "for Eve".into(), gift: Nano(gift), expires_at }
}

#[tokio::test]
async fn an_invitation_opens_once_and_gives_what_it_says() {
    let house = House::new();
    let admin = house.user("adm", Role::Administrator).await;
    let invited = house
        .desk()
        .invite(&Actor::of(&admin), spec(admin.tenant, Role::EndUser, 5_000_000_000))
        .await
        .unwrap();
    let code = invited.code.expose_secret().to_owned();
    let join = |login: &'static str, ip: &'static str| {
        let (mut browser, code) = (house.browser(), code.clone());
        browser.ip = ip.into();
        async move {
            let csrf = token(&browser.get(&format!("/join?code={code}")).await.body);
            let fields =
                [("csrf", csrf.as_str()), ("code", code.as_str()), ("login", login), ("password", PASSWORD)];
            let answer = browser.post_raw("/join", Some(ORIGIN), &fields).await;
            (browser.actor().await, answer.status)
        }
    };
    assert_eq!(join("adm", "192.0.2.1").await.1, StatusCode::UNPROCESSABLE_ENTITY, "a name that is taken");
    let (one, two) = tokio::join!(join("eve", "192.0.2.2"), join("mal", "192.0.2.3"));
    let came: Vec<Actor> = [one.0, two.0].into_iter().flatten().collect();
    assert_eq!(came.len(), 1, "one of two");
    let user = house.all().user(came[0].user.unwrap()).await.unwrap().unwrap();
    assert_eq!((user.role, user.balance), (Role::EndUser, Nano(5_000_000_000)));
    assert!(join("zed", "192.0.2.4").await.0.is_none(), "it was used");
    let stored = house.all().invitation(&invited.invitation.hash).await.unwrap().unwrap();
    assert_eq!(stored.used.unwrap().1, Some(user.id));
}

#[tokio::test]
async fn nobody_invites_whom_they_could_not_make() {
    let house = House::new();
    let (reseller, customer) = resale(&house).await;
    let admin = house.user("adm", Role::Administrator).await;
    let top = house.tenant("default", None).await.id;
    let desk = house.desk();
    let may =
        async |who: &User, tenant, role| desk.invite(&Actor::of(who), spec(tenant, role, 1)).await.is_ok();
    assert!(may(&reseller, customer.tenant, Role::EndUser).await);
    assert!(may(&reseller, reseller.tenant, Role::EndUser).await);
    assert!(!may(&reseller, top, Role::EndUser).await);
    assert!(!may(&reseller, reseller.tenant, Role::Administrator).await);
    assert!(!may(&customer, customer.tenant, Role::EndUser).await);
    assert!(!may(&admin, top, Role::Owner).await);
    assert!(may(&admin, top, Role::Administrator).await);
    let seen = desk.invitations(&Actor::of(&reseller)).await.unwrap();
    assert_eq!(seen.len(), 2);
    let of_house = desk.invitations(&Actor::of(&admin)).await.unwrap();
    let theirs = of_house.iter().find(|one| one.role == Role::Administrator).unwrap();
    assert!(desk.revoke_invitation(&Actor::of(&reseller), &theirs.hash).await.is_err());
}

#[tokio::test]
async fn an_invitation_is_worth_nothing_once_it_is_withdrawn_or_its_author_may_not_invite() {
    let house = House::new();
    let admin = house.user("adm", Role::Administrator).await;
    let actor = Actor::of(&admin);
    let invite = || house.desk().invite(&actor, spec(admin.tenant, Role::Administrator, 0));
    let (withdrawn, orphan) = (invite().await.unwrap(), invite().await.unwrap());
    house.desk().revoke_invitation(&actor, &withdrawn.invitation.hash).await.unwrap();
    house.all().update_user(&User { role: Role::EndUser, ..admin.clone() }).await.unwrap();
    for invited in [withdrawn, orphan] {
        let mut browser = house.browser();
        let code = invited.code.expose_secret();
        browser.get("/signin").await;
        let csrf = token(&browser.get("/signin").await.body);
        let fields = [("csrf", csrf.as_str()), ("code", code), ("login", "eve"), ("password", PASSWORD)];
        let answer = browser.post_raw("/join", Some(ORIGIN), &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(browser.actor().await.is_none());
    }
    assert!(house.all().user_by_name("eve").await.unwrap().is_none());
}

#[tokio::test]
async fn whoever_comes_becomes_a_user_only_where_the_house_lets_them() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    let mut browser = house.browser();
    assert_eq!(browser.get("/signup").await.to, "/console/signin");
    let csrf = token(&browser.get("/signin").await.body);
    let fields = [("csrf", csrf.as_str()), ("login", "eve"), ("password", PASSWORD)];
    assert_eq!(browser.post_raw("/signup", Some(ORIGIN), &fields).await.status, StatusCode::FORBIDDEN);
    let access = AccessSettings { registration: Some("default".into()), ..AccessSettings::default() };
    house.desk().set_access(&Actor::operator("boss"), &access).await.unwrap();
    let mut last = StatusCode::OK;
    for n in 0..4 {
        let mut browser = house.browser();
        let login = format!("eve{n}");
        last = browser.fill("/signup", "/signup", &[("login", &login), ("password", PASSWORD)]).await.status;
        if n == 0 {
            assert_eq!(browser.actor().await.unwrap().role, Role::EndUser);
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS, "three from one address");
}

#[tokio::test]
async fn the_session_that_a_browser_had_ends_when_somebody_new_comes_in() {
    let house = House::new();
    let admin = house.user("adm", Role::Administrator).await;
    let access = AccessSettings { registration: Some("default".into()), ..AccessSettings::default() };
    house.desk().set_access(&Actor::operator("boss"), &access).await.unwrap();
    let given = spec(admin.tenant, Role::EndUser, 0);
    let invited = house.desk().invite(&Actor::of(&admin), given).await.unwrap();
    let code = invited.code.expose_secret();
    let by_invitation = format!("/join?code={code}");
    for (form, path, login) in [("/signup", "/signup", "eve"), (&*by_invitation, "/join", "zed")] {
        let mut browser = house.signed_in("adm").await;
        let before = browser.clone();
        browser.fill(form, path, &[("code", code), ("login", login), ("password", PASSWORD)]).await;
        assert_eq!(browser.actor().await.unwrap().name, login);
        assert!(before.actor().await.is_none(), "{path}");
    }
}

async fn act(browser: &mut Browser, user: &User) -> StatusCode {
    let (csrf, user) = (browser.csrf(), user.id.to_string());
    browser.post_raw("/impersonate", Some(ORIGIN), &[("csrf", &csrf), ("user", &user)]).await.status
}

#[tokio::test]
async fn whoever_may_acts_as_another_and_it_is_written_down() {
    let house = House::new();
    let owner = house.user("ada", Role::Owner).await;
    let user = house.user("eve", Role::EndUser).await;
    let mut browser = house.signed_in("ada").await;
    let before = browser.clone();
    assert_eq!(act(&mut browser, &user).await, StatusCode::SEE_OTHER);
    let actor = browser.actor().await.unwrap();
    assert_eq!((actor.user, actor.acting), (Some(user.id), Some(owner.id)));
    assert!(before.actor().await.is_none(), "the old session ended");
    let desk = house.desk();
    assert!(desk.own_sessions(&actor).await.is_err());
    assert!(desk.create_token(&actor, "mine", 1).await.is_err());
    assert!(desk.offer_factor(&actor).await.is_err());
    assert!(desk.set_display(&actor, "Me").await.is_err());
    let csrf = browser.csrf();
    let fields = [("csrf", csrf.as_str()), ("current", PASSWORD), ("password", "another fine password")];
    let answer = browser.post_raw("/account/password", Some(ORIGIN), &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(act(&mut browser, &owner).await, StatusCode::FORBIDDEN, "not from there");
    browser.post_raw("/impersonate/stop", Some(ORIGIN), &[("csrf", &csrf)]).await;
    let back = browser.actor().await.unwrap();
    assert_eq!((back.user, back.acting), (Some(owner.id), None));
    let log = house.all().audits(&AuditFilter::default()).await.unwrap();
    let of = |action: &str| log.iter().find(|entry| entry.action == action).unwrap();
    assert_eq!((of("user.act_as").user, of("user.act_as").ip.as_str()), (Some(owner.id), "192.0.2.1"));
    assert_eq!(of("user.act_no_more").acting, Some(owner.id));
    assert!(!format!("{log:?}").contains(PASSWORD) && !format!("{log:?}").contains("$argon2id"));
}

#[tokio::test]
async fn nobody_acts_as_whom_they_may_not() {
    let house = House::new();
    let (reseller, customer) = resale(&house).await;
    let owner = house.user("ada", Role::Owner).await;
    let second = house.user("bob", Role::Owner).await;
    let admin = house.user("adm", Role::Administrator).await;
    let other = house.user("abe", Role::Administrator).await;
    let user = house.user("eve", Role::EndUser).await;
    let (yes, no) = (StatusCode::SEE_OTHER, StatusCode::FORBIDDEN);
    for (who, whom, wanted) in [
        (&owner, &second, no),
        (&owner, &owner, no),
        (&owner, &admin, yes),
        (&admin, &owner, no),
        (&admin, &other, no),
        (&admin, &reseller, yes),
        (&reseller, &customer, yes),
        (&reseller, &user, no),
        (&reseller, &admin, no),
        (&user, &customer, no),
    ] {
        let mut browser = house.signed_in(&who.name).await;
        assert_eq!(act(&mut browser, whom).await, wanted, "{} as {}", who.name, whom.name);
    }
    // It ends with the right to it.
    let mut browser = house.signed_in("adm").await;
    act(&mut browser, &user).await;
    house.all().update_user(&User { role: Role::EndUser, ..admin }).await.unwrap();
    assert!(browser.actor().await.is_none());
}

#[tokio::test]
async fn nobody_sets_the_password_of_whom_they_may_not() {
    let house = House::new();
    let (reseller, customer) = resale(&house).await;
    let owner = house.user("ada", Role::Owner).await;
    let admin = house.user("adm", Role::Administrator).await;
    let set = async |who: &User, whom: &User| {
        let next = "given by somebody".into();
        house.desk().set_password_of(&Actor::of(who), whom.id, None, next).await.is_ok()
    };
    assert!(set(&owner, &admin).await && set(&reseller, &customer).await);
    assert!(!set(&admin, &owner).await && !set(&customer, &reseller).await && !set(&reseller, &admin).await);
    assert!(!set(&owner, &owner).await, "one's own asks for the old one");
}

//! Who is let in as whom.

use super::World;
use crate::desk::login::{AccessSettings, Entry, Guest, Known, NewLogin, OidcSettings, Refused, SignIn};
use crate::desk::{Actor, KeyDraft};
use burncloud_core::store::{KeyStore, Login, LoginStore, NewUser, Session, SessionStore, UserStore};
use burncloud_core::usecase::UseCaseError;
use burncloud_core::{Role, Status, UnixMicros, User, UserId};
use std::net::{IpAddr, Ipv4Addr};
use tokio::task::JoinSet;

const CEO: &str = "ceo@harbour.example";
const PASSWORD: &str = "correct horse battery";

impl World {
    async fn provider(&self, create_in: Option<&str>) {
        let oidc = OidcSettings {
            issuer: "https://id.example".into(),
            client_id: "console".into(),
            client_secret: None,
            domains: vec!["harbour.example".into()],
            create_in: create_in.map(str::to_owned),
            button: String::new(),
        };
        let registration = Some("default".to_owned());
        let access = AccessSettings { oidc: Some(oidc), registration, ..AccessSettings::default() };
        self.desk.set_access(&Actor::operator("boss"), &access).await.unwrap();
    }

    /// Whoever has the address of [`CEO`] at the provider.
    async fn ceo_comes(&self) -> Result<Entry, Refused> {
        let known = Known {
            issuer: "https://id.example".into(),
            subject: "subject-1".into(),
            email: Some(CEO.into()),
            name: "The chief".into(),
        };
        self.desk.enter_known(&known, &Guest::default()).await
    }

    async fn signs_in(&self) -> Result<Entry, Refused> {
        let typed = SignIn { name: CEO.into(), password: PASSWORD.into(), device: None };
        self.desk.sign_in(typed, &Guest::default()).await
    }

    /// The user of that name, whom that actor gives the login of [`CEO`].
    async fn named_by(&self, actor: &Actor, name: &str) -> User {
        let user = self.user(name).await;
        self.desk.set_password_of(actor, user.id, Some(CEO), PASSWORD.into()).await.unwrap();
        let login = self.login_of(&user).await;
        self.store.set_login(&Login { must_change: false, ..login }).await.unwrap();
        user
    }

    async fn login_of(&self, user: &User) -> Login {
        self.store.login(user.id).await.unwrap().unwrap()
    }

    async fn reseller(&self) -> Actor {
        let user = self.user("reseller").await;
        self.store.update_user(&User { role: Role::Reseller, ..user }).await.unwrap();
        self.me("reseller").await
    }
}

fn is_open(entry: &Result<Entry, Refused>) -> bool {
    matches!(entry, Ok(Entry::Open { .. }))
}

fn is_forbidden(entry: &Result<Entry, Refused>) -> bool {
    matches!(entry, Err(Refused::Fault(UseCaseError::Forbidden(_))))
}

#[tokio::test]
async fn an_address_that_a_reseller_gave_away_is_not_linked_to_whoever_has_it() {
    let world = World::new().await;
    let user = world.named_by(&world.reseller().await, "sub").await;
    for create_in in [None, Some("default")] {
        world.provider(create_in).await;
        let came = world.ceo_comes().await;
        assert!(is_forbidden(&came), "{create_in:?}: {came:?}");
    }
    assert!(world.login_of(&user).await.subject.is_none());
    assert!(is_open(&world.signs_in().await), "it is theirs as before");
}

#[tokio::test]
async fn what_opened_a_login_before_its_subject_came_opens_nothing_afterwards() {
    for (by, create_in) in [("house", None), ("house", Some("default")), ("reseller", Some("sub"))] {
        let world = World::new().await;
        let actor = match by {
            "house" => Actor::operator("boss"),
            _ => world.reseller().await,
        };
        let user = world.named_by(&actor, "sub").await;
        world.provider(create_in).await;
        let Ok(Entry::Open { opened: before, .. }) = world.signs_in().await else { panic!("{by}") };
        let token = world.desk.create_token(&Actor::of(&user), "nightly", 1).await.unwrap();
        let draft = KeyDraft { name: format!("of-{by}"), ..KeyDraft::default() };
        let key = world.desk.create_key(&Actor::of(&user), draft).await.unwrap().key.key;
        let login = Login { totp: Some("JBSWY3DPEHPK3PXP".to_owned().into()), ..world.login_of(&user).await };
        world.store.set_login(&login).await.unwrap();

        let came = world.ceo_comes().await;
        let Ok(Entry::Open { opened, .. }) = came else { panic!("{by}: {came:?}") };
        assert_eq!(opened.session.user, user.id);
        let login = world.login_of(&user).await;
        assert_eq!(login.subject.as_deref(), Some("https://id.example subject-1"));
        assert!(login.password.is_none() && login.totp.is_none(), "{by}");
        assert!(matches!(world.signs_in().await, Err(Refused::Wrong { .. })), "{by}");
        assert!(world.desk.seat(&before.secret).await.unwrap().is_none(), "{by}");
        assert!(world.desk.bearer(&token.secret).await.unwrap().is_none(), "{by}");
        assert!(world.desk.seat(&opened.secret).await.unwrap().is_some(), "{by}");
        let noted = world.audit().await.into_iter().find(|entry| entry.action == "account.provider").unwrap();
        assert_eq!(noted.before, serde_json::json!({ "password": true, "factor": true }));
        // Whoever signed up under somebody's address does not go on spending as them.
        let on = by == "house";
        let key = world.store.key(key.id).await.unwrap().unwrap();
        assert_eq!((key.status == Status::Active, noted.after["keys_off"] == 0), (on, on), "{by}");
        world.no_secret_in_audit(&[PASSWORD, "JBSWY3DPEHPK3PXP", "$argon2id"]).await;
        assert!(is_open(&world.ceo_comes().await), "the same the next time");
    }
}

#[tokio::test]
async fn a_name_that_somebody_took_unproven_is_linked_only_where_whoever_comes_is_made() {
    let world = World::new().await;
    world.provider(Some("reseller")).await;
    let new = NewLogin { name: CEO.into(), display: String::new(), password: PASSWORD.into() };
    assert!(is_open(&world.desk.register(new, &Guest::default()).await));
    assert!(is_forbidden(&world.ceo_comes().await), "they made it in another tenant");
    world.provider(Some("default")).await;
    assert!(is_open(&world.ceo_comes().await));
    assert!(matches!(world.signs_in().await, Err(Refused::Wrong { .. })));
}

#[tokio::test]
async fn a_step_that_was_begun_with_the_old_password_leads_nowhere() {
    let world = World::new().await;
    let user = world.named_by(&Actor::operator("boss"), "sub").await;
    let login = Login { must_change: true, ..world.login_of(&user).await };
    world.store.set_login(&login).await.unwrap();
    world.provider(None).await;
    let Ok(Entry::More { step, .. }) = world.signs_in().await else { panic!("no step") };
    assert!(is_open(&world.ceo_comes().await));
    let next = "another fine password".into();
    let given = world.desk.give_password(&step, next, &Guest::default()).await;
    assert!(matches!(given, Err(Refused::Over)), "{given:?}");
}

#[tokio::test]
async fn what_a_manager_changes_of_a_login_and_what_its_user_does_at_the_same_time_both_stand() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let user = world.named_by(&boss, "sub").await;
    let own = Actor::of(&user);
    let (set, named) = tokio::join!(
        world.desk.set_password_of(&boss, user.id, None, PASSWORD.into()),
        world.desk.set_display(&own, "The chief"),
    );
    set.unwrap();
    named.unwrap();
    let login = world.login_of(&user).await;
    assert_eq!((login.display.as_str(), login.must_change), ("The chief", true));

    let login = Login { totp: Some("JBSWY3DPEHPK3PXP".to_owned().into()), ..login };
    world.store.set_login(&login).await.unwrap();
    let (next, guest) = ("another fine password".into(), Guest::default());
    let (changed, dropped) = tokio::join!(
        world.desk.change_password(&own, PASSWORD.into(), next, &guest),
        world.desk.drop_factor_of(&boss, user.id),
    );
    changed.unwrap();
    dropped.unwrap();
    let login = world.login_of(&user).await;
    assert!(login.totp.is_none() && !login.must_change);
}

fn somewhere() -> Guest {
    Guest { ip: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))), agent: String::new() }
}

async fn of_all(tries: JoinSet<Result<Entry, Refused>>) -> (usize, usize) {
    let all = tries.join_all().await;
    let locked = all.iter().filter(|one| matches!(one, Err(Refused::Locked { .. }))).count();
    (all.len() - locked, locked)
}

#[tokio::test]
async fn a_burst_of_sign_ups_from_one_address_makes_three_users() {
    let world = World::new().await;
    world.provider(None).await;
    let mut tries = JoinSet::new();
    for n in 0..24 {
        let desk = world.desk.clone();
        let new = NewLogin { name: format!("eve{n}"), display: String::new(), password: PASSWORD.into() };
        tries.spawn(async move { desk.register(new, &somewhere()).await });
    }
    assert_eq!(of_all(tries).await, (3, 21));
}

#[tokio::test]
async fn a_sign_up_that_cannot_be_is_not_counted() {
    let world = World::new().await;
    world.provider(None).await;
    for password in ["short", "1234567890", "aaaaaaaaaaaa", "", PASSWORD] {
        let new = NewLogin { name: "eve".into(), display: String::new(), password: password.into() };
        let made = world.desk.register(new, &somewhere()).await;
        assert!(!matches!(made, Err(Refused::Locked { .. })), "{password:?}");
        assert_eq!(is_open(&made), password == PASSWORD, "{password:?}");
    }
}

#[tokio::test]
async fn of_a_burst_of_names_from_one_address_no_more_are_tried_than_are_free() {
    let world = World::new().await;
    let mut tries = JoinSet::new();
    for n in 0..26 {
        let desk = world.desk.clone();
        let typed = SignIn { name: format!("nobody{n}"), password: PASSWORD.into(), device: None };
        tries.spawn(async move { desk.sign_in(typed, &somewhere()).await });
    }
    assert_eq!(of_all(tries).await, (20, 6));
}

#[tokio::test]
async fn who_sits_in_many_open_pages_is_whoever_still_may() {
    let world = World::new().await;
    let tenant = world.tenant("default").await.id;
    let boss = NewUser { name: "boss".into(), tenant, role: Role::Owner, ..NewUser::default() };
    let boss = world.store.create_user(boss).await.unwrap();
    let [reseller, sub, leaf, other] = ["reseller", "sub", "leaf", "other"].map(|name| world.user(name));
    let (reseller, sub, leaf, other) = (reseller.await, sub.await, leaf.await, other.await);
    let now = UnixMicros::now();
    let hour = |n: i64| UnixMicros(now.0 + n * 3_600_000_000);
    let open = async |n: u8, user: &User, acting: Option<UserId>, seen_at, expires_at, agent: &str| {
        let (ip, agent) = ("192.0.2.7".into(), agent.into());
        let hash = [n; 32];
        let session =
            Session { hash, user: user.id, acting, created_at: hour(-100), seen_at, expires_at, ip, agent };
        world.store.create_session(&session).await.unwrap();
        hash
    };
    let open = [
        open(1, &reseller, None, now, hour(1), "Firefox").await,
        open(2, &sub, Some(boss.id), now, hour(1), "Firefox").await,
        open(3, &reseller, None, hour(-99), hour(1), "Firefox").await,
        open(4, &reseller, None, now, hour(-1), "Firefox").await,
        open(5, &sub, Some(leaf.id), now, hour(1), "Firefox").await,
        open(6, &sub, None, now, hour(1), "token:nightly").await,
        [7; 32],
        open(8, &other, None, now, hour(1), "Firefox").await,
    ];
    world.store.update_user(&User { status: Status::Disabled, ..other }).await.unwrap();
    let at = |user: &User| Actor::of(user).from("192.0.2.7");
    let sitting = world.desk.sitting(&open).await.unwrap();
    let by_boss = at(&sub).acted_by(boss.id);
    let expected = [Some(at(&reseller)), Some(by_boss), None, None, None, None, None, None];
    assert_eq!(
        sitting, expected,
        "not: idle, over, as whom one may not act, a program's, unknown, switched off"
    );
    let status = Status::Disabled;
    world.store.update_user(&User { status, ..boss }).await.unwrap();
    assert_eq!(
        world.desk.sitting(&open[..2]).await.unwrap(),
        [Some(at(&reseller)), None],
        "who acts may no more"
    );
    let twice = world.desk.sitting(&[open[0]; 2]).await.unwrap();
    assert_eq!(twice, [Some(at(&reseller)), Some(at(&reseller))], "however often it is asked for");
    assert_eq!(world.desk.sitting(&[]).await.unwrap(), []);
}

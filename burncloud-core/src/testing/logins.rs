//! How users sign in.

use super::{assert_conflict, assert_not_found, default_user, new_user};
use crate::store::{Login, LoginStore, Store, StoreError};
use crate::{UnixMicros, UserId};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

const NOW: i64 = 1_800_000_000_000_000;

fn login(user: UserId, name: &str) -> Login {
    Login { user, name: name.to_owned(), created_at: UnixMicros(NOW), ..Login::default() }
}

/// Every field set.
fn full(user: UserId) -> Login {
    Login {
        user,
        name: "ann@example.org".into(),
        display: "Ann Müller".into(),
        password: Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into()),
        must_change: true,
        totp: Some(SecretString::from("JBSWY3DPEHPK3PXP")),
        subject: Some("https://id.example.org Ann-1".into()),
        failures: 0,
        locked_until: None,
        last_at: None,
        created_at: UnixMicros(NOW),
    }
}

/// All that is kept, to compare.
fn seen(login: &Login) -> impl PartialEq + std::fmt::Debug {
    let totp = login.totp.as_ref().map(|secret| secret.expose_secret().to_owned());
    let Login { user, name, display, password, must_change, subject, .. } = login.clone();
    let since = (login.failures, login.locked_until, login.last_at, login.created_at);
    (user, name, display, password, must_change, totp, subject, since)
}

async fn get<S: LoginStore>(store: &S, user: UserId) -> Login {
    store.login(user).await.expect("login answers").expect("there is a login")
}

pub(super) async fn every_field_of_a_login_is_kept<S: Store + LoginStore>(store: Arc<S>) {
    let user = default_user(&*store).await;
    assert!(!store.has_logins().await.expect("has_logins answers"), "a new store has no login");
    assert!(store.login(user.id).await.expect("login answers").is_none());
    let new = full(user.id);
    store.set_login(&new).await.expect("set_login makes a login");
    assert!(store.has_logins().await.expect("has_logins answers"), "now there is one");
    assert_eq!(seen(&get(&*store, user.id).await), seen(&new), "login finds what was made");
    let by_name = store.login_by_name(&new.name).await.expect("login_by_name answers");
    assert_eq!(by_name.as_ref().map(seen), Some(seen(&new)), "so does login_by_name");
    let subject = "https://id.example.org Ann-1";
    let by_subject = store.login_by_subject(subject).await.expect("login_by_subject answers");
    assert_eq!(by_subject.as_ref().map(seen), Some(seen(&new)), "and login_by_subject");
    for other in ["", "ann", "ann@example.org ", "%"] {
        assert!(store.login_by_name(other).await.expect("login_by_name answers").is_none(), "{other:?}");
    }
    let other = store.login_by_subject("https://id.example.org ann-1").await;
    assert!(other.expect("login_by_subject answers").is_none(), "subjects are told apart letter by letter");
    let stranger = store.create_user(new_user("ben", user.tenant)).await.expect("create_user makes one");
    let few = store.logins(&[stranger.id, user.id, UserId(9_999), user.id]).await.expect("logins answers");
    assert_eq!(few.iter().map(seen).collect::<Vec<_>>(), [seen(&new)], "logins leaves out who has none");
    assert!(store.logins(&[]).await.expect("logins answers").is_empty());
    let unmade = Login { created_at: UnixMicros(0), ..login(stranger.id, "ben") };
    store.set_login(&unmade).await.expect("set_login makes a login");
    assert!(get(&*store, stranger.id).await.created_at.0 > 0, "a login has a time of making");
}

pub(super) async fn a_login_is_replaced_but_for_what_happened<S: Store + LoginStore>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    store.set_login(&full(user)).await.expect("set_login makes a login");
    store.login_succeeded(user, UnixMicros(NOW + 5)).await.expect("login_succeeded notes it");
    let lock = |_: u32| Some(UnixMicros(NOW + 9));
    store.login_failed(user, &lock).await.expect("login_failed counts");
    assert!(store.use_totp_step(user, 7).await.expect("use_totp_step answers"));
    let bare = Login { created_at: UnixMicros(1), failures: 99, ..login(user, "ann") };
    store.set_login(&bare).await.expect("set_login replaces");
    let expected = Login {
        failures: 1,
        locked_until: Some(UnixMicros(NOW + 9)),
        last_at: Some(UnixMicros(NOW + 5)),
        created_at: UnixMicros(NOW),
        ..bare
    };
    assert_eq!(seen(&get(&*store, user).await), seen(&expected), "what happened is not forgotten");
    assert!(!store.use_totp_step(user, 7).await.expect("use_totp_step answers"), "nor which code was used");
    let old = store.login_by_name("ann@example.org").await.expect("login_by_name answers");
    assert!(old.is_none(), "the old name is free");
}

pub(super) async fn names_and_subjects_of_logins_are_unique<S: Store + LoginStore>(store: Arc<S>) {
    let ann = default_user(&*store).await;
    let ben = store.create_user(new_user("ben", ann.tenant)).await.expect("create_user makes one").id;
    store.set_login(&full(ann.id)).await.expect("set_login makes a login");
    store.set_login(&full(ann.id)).await.expect("one's own name is not taken");
    assert_conflict(store.set_login(&login(ben, "ann@example.org")).await, "a taken name");
    let shared = Login { subject: full(ann.id).subject, ..login(ben, "ben") };
    assert_conflict(store.set_login(&shared).await, "a taken subject");
    assert!(store.login(ben).await.expect("login answers").is_none(), "a refused login is not made");
    for wrong in ["Ann@example.org", "ANN", "Ünal", "", "a\0b", &"a".repeat(256)] {
        let refused = store.set_login(&login(ben, wrong)).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{wrong:?}: {refused:?}");
    }
    let other = Login { subject: Some("https://id.example.org ann-1".into()), ..login(ben, "ünal") };
    store.set_login(&other).await.expect("a subject in other letters is another");
    let taken = Login { subject: full(ann.id).subject, ..other };
    assert_conflict(store.set_login(&taken).await, "a change to a taken subject");
    assert_not_found(store.set_login(&login(UserId(9_999), "x")).await, "an unknown user");
}

pub(super) async fn concurrent_logins_share_no_name<S: Store + LoginStore>(store: Arc<S>) {
    let tenant = default_user(&*store).await.tenant;
    let mut tasks = Vec::new();
    for n in 0..20 {
        let user =
            store.create_user(new_user(&format!("u{n}"), tenant)).await.expect("create_user makes one");
        let store = store.clone();
        tasks.push(tokio::spawn(async move { store.set_login(&login(user.id, "ann")).await }));
    }
    let mut made = 0;
    for task in tasks {
        match task.await.expect("set_login does not panic") {
            Ok(()) => made += 1,
            refused => assert_conflict(refused, "a taken name"),
        }
    }
    assert_eq!(made, 1, "of twenty who take a name at once one gets it");
}

pub(super) async fn failures_are_counted_and_lock<S: Store + LoginStore>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    assert_not_found(store.login_failed(user, &|_| None).await, "a failure of nobody");
    assert_not_found(store.login_succeeded(user, UnixMicros(NOW)).await, "a success of nobody");
    store.set_login(&login(user, "ann")).await.expect("set_login makes a login");
    let lock = |failures: u32| (failures >= 3).then(|| UnixMicros(NOW + i64::from(failures)));
    for (failures, until) in [(1, None), (2, None), (3, Some(NOW + 3)), (4, Some(NOW + 4))] {
        let counted = store.login_failed(user, &lock).await.expect("login_failed counts");
        let now = get(&*store, user).await;
        assert_eq!((counted, now.failures), (failures, failures));
        assert_eq!(now.locked_until, until.map(UnixMicros), "locked in the same step");
    }
    store.login_failed(user, &|_| None).await.expect("login_failed counts");
    let now = get(&*store, user).await;
    assert_eq!(
        (now.failures, now.locked_until),
        (5, Some(UnixMicros(NOW + 4))),
        "a lock stays where none is set"
    );
    store.login_succeeded(user, UnixMicros(NOW + 100)).await.expect("login_succeeded forgets");
    let now = get(&*store, user).await;
    assert_eq!((now.failures, now.locked_until, now.last_at), (0, None, Some(UnixMicros(NOW + 100))));
}

pub(super) async fn concurrent_failures_all_count<S: Store + LoginStore>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    store.set_login(&login(user, "ann")).await.expect("set_login makes a login");
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            let lock = |failures: u32| (failures >= 10).then(|| UnixMicros(NOW + i64::from(failures)));
            tokio::spawn(async move { store.login_failed(user, &lock).await })
        })
        .collect();
    let mut counted = Vec::new();
    for task in tasks {
        counted.push(task.await.expect("login_failed does not panic").expect("login_failed counts"));
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=50).collect::<Vec<_>>(), "each of fifty at once is told a number of its own");
    let now = get(&*store, user).await;
    assert_eq!((now.failures, now.locked_until), (50, Some(UnixMicros(NOW + 50))));
}

pub(super) async fn a_code_of_the_second_factor_is_used_once<S: Store + LoginStore>(store: Arc<S>) {
    let user = default_user(&*store).await.id;
    let uses = async |step| store.use_totp_step(user, step).await.expect("use_totp_step answers");
    assert!(!uses(1).await, "who has no login uses none");
    store.set_login(&full(user)).await.expect("set_login makes a login");
    let steps = [(60_000_000, true), (60_000_000, false), (59_999_999, false), (60_000_001, true)];
    for (step, expected) in steps {
        assert_eq!(uses(step).await, expected, "{step}");
    }
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.use_totp_step(user, 60_000_002).await })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += u32::from(task.await.expect("use_totp_step does not panic").expect("use_totp_step answers"));
    }
    assert_eq!(won, 1, "of fifty who use a code at once one is told that it is good");
}

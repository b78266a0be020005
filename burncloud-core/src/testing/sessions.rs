//! Who is signed in, and who may become a user.

use super::{assert_conflict, assert_not_found, default_user};
use crate::store::{Invitation, InvitationStore, Session, SessionStore, Store};
use crate::{Nano, Role, UnixMicros, UserId};
use std::sync::Arc;

const NOW: i64 = 1_800_000_000_000_000;
const ANN: UserId = UserId(11);
const BEN: UserId = UserId(12);

fn session(n: u8, user: UserId, acting: Option<UserId>) -> Session {
    Session {
        hash: [n; 32],
        user,
        acting,
        created_at: UnixMicros(NOW),
        seen_at: UnixMicros(NOW + i64::from(n)),
        expires_at: UnixMicros(NOW + 1_000),
        ip: "2001:db8::1".into(),
        agent: "Mozilla/5.0 (“ü”)".into(),
    }
}

async fn keep<S: SessionStore>(store: &S, sessions: &[Session]) {
    for session in sessions {
        store.create_session(session).await.expect("create_session keeps a session");
    }
}

/// Which of the sessions 0 to 9 are there.
async fn there<S: SessionStore>(store: &S) -> Vec<u8> {
    let mut there = Vec::new();
    for n in 0..10 {
        there.extend(store.session(&[n; 32]).await.expect("session answers").map(|found| found.hash[0]));
    }
    let hashes: Vec<[u8; 32]> = (0..10).map(|n| [n; 32]).collect();
    let mut together = store.sessions(&hashes).await.expect("sessions answers");
    together.sort_by_key(|session| session.hash);
    let together: Vec<u8> = together.iter().map(|found| found.hash[0]).collect();
    assert_eq!(together, there, "looked up together they are the same");
    there
}

pub(super) async fn sessions_are_kept_touched_and_ended<S: Store + SessionStore>(store: Arc<S>) {
    let new = session(1, ANN, Some(BEN));
    keep(&*store, &[new.clone(), session(2, ANN, None)]).await;
    let found = store.session(&[1; 32]).await.expect("session answers");
    assert_eq!(found.as_ref(), Some(&new), "every field of a session is kept");
    let unknown = |n: u16| {
        let mut hash = [0xee; 32];
        hash[..2].copy_from_slice(&n.to_le_bytes());
        hash
    };
    let unknown: Vec<[u8; 32]> = (0..2_000).map(unknown).collect();
    assert_eq!(store.sessions(&unknown).await.expect("sessions answers"), [], "however many are unknown");
    let some = store.sessions(&[[9; 32], [1; 32]]).await.expect("sessions answers");
    assert_eq!(some, std::slice::from_ref(&new), "those that are there");
    assert_conflict(store.create_session(&session(1, BEN, None)).await, "a known hash");
    assert_eq!(store.session(&[1; 32]).await.expect("session answers").as_ref(), Some(&new));
    assert_eq!(store.session(&[9; 32]).await.expect("session answers"), None, "an unknown hash finds none");
    for (at, expected) in [(500, 500), (400, 500)] {
        store.touch_session(&[1; 32], UnixMicros(NOW + at)).await.expect("touch_session notes it");
        let seen = store.session(&[1; 32]).await.expect("session answers").expect("it is there").seen_at;
        assert_eq!(seen, UnixMicros(NOW + expected), "nobody is seen back in time");
    }
    store.touch_session(&[9; 32], UnixMicros(NOW)).await.expect("an unknown one is no error");
    assert!(store.end_session(&[1; 32]).await.expect("end_session ends"), "it was there");
    assert!(!store.end_session(&[1; 32]).await.expect("end_session ends"), "once");
    assert_eq!(there(&*store).await, [2]);
}

pub(super) async fn ending_a_users_sessions_ends_those_of_others_as_them<S: Store + SessionStore>(
    store: Arc<S>,
) {
    let all = [
        session(1, ANN, None),
        session(2, ANN, None),
        session(3, ANN, Some(BEN)),
        session(4, BEN, Some(ANN)),
        session(5, BEN, None),
        session(6, BEN, Some(UserId(13))),
    ];
    keep(&*store, &all).await;
    let own = store.sessions_of(ANN).await.expect("sessions_of answers");
    assert_eq!(own, [all[1].clone(), all[0].clone()], "a user's own, the one seen last first");
    let ended = store.end_sessions_of(ANN, Some(&[2; 32])).await.expect("end_sessions_of ends");
    assert_eq!(ended, 3, "own ones, where others act as them, and where they act as others");
    assert_eq!(there(&*store).await, [2, 5, 6], "but for the one that is to stay, and others'");
    assert_eq!(store.end_sessions_of(ANN, None).await.expect("end_sessions_of ends"), 1);
    assert_eq!(store.end_sessions_of(ANN, None).await.expect("end_sessions_of ends"), 0);
    assert_eq!(there(&*store).await, [5, 6]);
}

pub(super) async fn who_was_seen_is_known_and_the_rest_forgotten<S: Store + SessionStore>(store: Arc<S>) {
    let late = Session { expires_at: UnixMicros(NOW + 9_000), ..session(5, BEN, None) };
    let all = [
        session(1, ANN, None),
        session(3, ANN, None),
        session(4, BEN, None),
        late,
        session(9, ANN, Some(BEN)),
    ];
    keep(&*store, &all).await;
    let seen =
        async |since| store.seen_since(UnixMicros(NOW + since)).await.expect("seen_since answers").to_vec();
    let (ann, ben) = ((ANN, UnixMicros(NOW + 3)), (BEN, UnixMicros(NOW + 5)));
    assert_eq!(seen(0).await, [ben, ann], "each once, the last one first, impersonators not");
    assert_eq!(seen(3).await, [ben, ann], "at or after");
    assert_eq!(seen(4).await, [ben]);
    assert_eq!(seen(6).await, []);
    let purge = async |now, idle| {
        let purged = store.purge_sessions(UnixMicros(NOW + now), UnixMicros(NOW + idle)).await;
        purged.expect("purge_sessions forgets")
    };
    assert_eq!(purge(1_000, 3).await, 1, "last seen before");
    assert_eq!(there(&*store).await, [3, 4, 5, 9], "who was seen then is not idle, what ends now has not");
    assert_eq!(purge(1_001, 0).await, 3, "ended before");
    assert_eq!(there(&*store).await, [5]);
}

fn invitation(n: u8, tenant: crate::TenantId) -> Invitation {
    Invitation {
        hash: [n; 32],
        tenant,
        role: Role::Reseller,
        note: "Ünal, from the fair".into(),
        gift: Nano(5_000_000_000),
        author: "ann".into(),
        created_at: UnixMicros(NOW + i64::from(n)),
        expires_at: UnixMicros(NOW + 1_000),
        used: None,
        revoked_at: None,
    }
}

async fn found<S: InvitationStore>(store: &S, n: u8) -> Invitation {
    store.invitation(&[n; 32]).await.expect("invitation answers").expect("it is there")
}

pub(super) async fn an_invitation_is_used_given_back_and_withdrawn<S: Store + InvitationStore>(
    store: Arc<S>,
) {
    let tenant = default_user(&*store).await.tenant;
    let new = invitation(1, tenant);
    store.create_invitation(&new).await.expect("create_invitation keeps one");
    assert_eq!(found(&*store, 1).await, new, "every field is kept");
    assert_conflict(store.create_invitation(&new).await, "a known hash");
    let older = Invitation { created_at: UnixMicros(NOW - 1), ..invitation(2, tenant) };
    store.create_invitation(&older).await.expect("create_invitation keeps one");
    assert_eq!(store.invitations().await.expect("invitations answers"), [new.clone(), older], "newest first");
    assert_eq!(store.invitation(&[9; 32]).await.expect("invitation answers"), None);

    let claim = async |n: u8, at| store.claim_invitation(&[n; 32], UnixMicros(NOW + at)).await;
    assert_not_found(claim(9, 0).await, "an unknown one");
    assert_conflict(claim(1, 1_000).await, "an expired one");
    assert_not_found(store.invitation_used_by(&[1; 32], ANN).await, "nobody claimed it");
    let used = Invitation { used: Some((UnixMicros(NOW + 999), None)), ..new.clone() };
    assert_eq!(claim(1, 999).await.expect("until then it works"), used);
    assert_conflict(claim(1, 0).await, "a used one");
    assert_conflict(store.revoke_invitation(&[1; 32], UnixMicros(NOW)).await, "withdrawing a used one");
    store.release_invitation(&[1; 32]).await.expect("release_invitation gives it back");
    assert_eq!(found(&*store, 1).await, new, "as if it had not been used");
    claim(1, 5).await.expect("and it works again");
    store.invitation_used_by(&[1; 32], ANN).await.expect("invitation_used_by says who");
    assert_eq!(found(&*store, 1).await.used, Some((UnixMicros(NOW + 5), Some(ANN))));
    assert_conflict(store.release_invitation(&[1; 32]).await, "giving back what made somebody");
    assert_conflict(claim(1, 6).await, "a used one");

    for at in [7, 8] {
        store.revoke_invitation(&[2; 32], UnixMicros(NOW + at)).await.expect("revoke_invitation withdraws");
    }
    assert_eq!(found(&*store, 2).await.revoked_at, Some(UnixMicros(NOW + 7)), "once");
    assert_conflict(claim(2, 0).await, "a withdrawn one");
    for refused in [
        store.invitation_used_by(&[9; 32], ANN).await,
        store.release_invitation(&[9; 32]).await,
        store.revoke_invitation(&[9; 32], UnixMicros(NOW)).await,
    ] {
        assert_not_found(refused, "an unknown one");
    }
}

pub(super) async fn of_concurrent_claims_one_wins<S: Store + InvitationStore>(store: Arc<S>) {
    let tenant = default_user(&*store).await.tenant;
    store.create_invitation(&invitation(1, tenant)).await.expect("create_invitation keeps one");
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.claim_invitation(&[1; 32], UnixMicros(NOW + n)).await })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.expect("claiming does not panic") {
            Ok(claimed) => won.push(claimed),
            refused => assert_conflict(refused, "a used one"),
        }
    }
    assert_eq!(won.len(), 1, "of fifty who claim an invitation at once one gets it");
    assert_eq!(found(&*store, 1).await, won[0], "and it is used at that one's time");
}

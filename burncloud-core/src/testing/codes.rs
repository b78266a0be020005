//! Redeem codes, used once; and copies of the published prices.

use super::{assert_conflict, assert_not_found, default_user, new_user};
use crate::ledger::{Account, EntryKind, NewEntry, Posting};
use crate::store::{
    CatalogueCopy, CatalogueState, CatalogueStore, CodeStore, EntryFilter, NewCode, NewTenant, Store,
};
use crate::{Nano, TenantId, UnixMicros, User};
use std::sync::Arc;

const NOW: UnixMicros = UnixMicros(1_800_000_000_000_000);

fn code(n: u8, batch: &str, tenant: TenantId) -> NewCode {
    let (batch, amount) = (batch.to_owned(), Nano(500));
    NewCode { hash: [n; 32], batch, amount, expires_at: None, sold: true, tenant }
}

fn credit(user: &User) -> NewEntry {
    let side = |account, amount| Posting { account, amount: Nano(amount) };
    NewEntry {
        kind: EntryKind::Redeem,
        reference: None,
        author: user.name.clone(),
        reason: "redeem code".into(),
        reverses: None,
        postings: vec![side(Account::User(user.id), 500), side(Account::Cash(user.tenant), -500)],
    }
}

pub(super) async fn codes_are_made_all_or_none<S: Store + CodeStore>(store: Arc<S>) {
    let home = default_user(&*store).await.tenant;
    let full = NewCode { expires_at: Some(NOW), sold: false, ..code(2, "b", home) };
    let all = [code(3, "a", home), full.clone(), code(1, "a", home)];
    store.create_codes(&all).await.expect("create_codes makes codes");
    let kept = store.code(&[2; 32]).await.expect("code answers").expect("a code is found by its hash");
    assert_eq!(kept.code, full, "every field of a code is kept");
    assert!(kept.created_at.0 > 0 && kept.redeemed.is_none() && kept.revoked_at.is_none());
    assert_eq!(store.code(&[9; 32]).await.expect("code answers"), None, "an unknown hash finds none");
    let list = async |batch, after: Option<u8>, limit| -> Vec<u8> {
        let found = store.codes(batch, after.map(|n| [n; 32]), limit).await.expect("codes answers");
        found.iter().map(|code| code.code.hash[0]).collect()
    };
    assert_eq!(list(None, None, 10).await, [1, 2, 3], "codes are listed by their hashes");
    assert_eq!(list(Some("a"), None, 10).await, [1, 3], "of a batch");
    assert_eq!(list(None, Some(1), 1).await, [2], "after one, at most so many");
    let again = [code(4, "c", home), code(1, "c", home)];
    assert_conflict(store.create_codes(&again).await, "a known code");
    assert_eq!(list(Some("c"), None, 10).await, [0; 0], "all or none");
}

pub(super) async fn a_code_is_used_once<S: Store + CodeStore>(store: Arc<S>) {
    let user = default_user(&*store).await;
    store.create_codes(&[code(1, "a", user.tenant)]).await.expect("create_codes makes codes");
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (store, user) = (store.clone(), user.clone());
            tokio::spawn(async move { store.redeem(&[1; 32], user.id, NOW, credit(&user)).await })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.expect("redeeming does not panic") {
            Ok(posted) => won.push(posted),
            refused => assert_conflict(refused, "a code that was used"),
        }
    }
    assert_eq!(won.len(), 1, "of twenty who use a code at once one succeeds");
    let entries = store.entries(&EntryFilter::default()).await.expect("entries answers");
    assert_eq!((entries.len(), entries[0].id), (1, won[0].id), "and it is credited once");
    assert_eq!(store.balance(Account::User(user.id)).await.expect("balance answers"), Nano(500));
    let seen = store.user(user.id).await.expect("user answers").expect("the user exists");
    assert_eq!(seen.balance, Nano(500));
    let used = store.code(&[1; 32]).await.expect("code answers").expect("it is still there");
    assert_eq!(used.redeemed, Some((user.id, NOW, won[0].id)), "a code says who used it, and when");
}

pub(super) async fn what_cannot_be_used_credits_nothing<S: Store + CodeStore>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let other = NewTenant { name: "other".into(), ..NewTenant::default() };
    let other = store.create_tenant(other).await.expect("create_tenant makes a tenant");
    let stranger = store.create_user(new_user("stranger", other.id)).await.expect("create_user makes one");
    let expires = |n, at| NewCode { expires_at: Some(UnixMicros(at)), ..code(n, "a", user.tenant) };
    let codes =
        [expires(1, NOW.0), expires(2, NOW.0 + 1), code(3, "b", user.tenant), code(4, "b", user.tenant)];
    store.create_codes(&codes).await.expect("create_codes makes codes");
    let redeem = async |n: u8, user: &User| store.redeem(&[n; 32], user.id, NOW, credit(user)).await;
    assert_not_found(redeem(9, &user).await, "an unknown code");
    assert_not_found(redeem(2, &stranger).await, "a code of another tenant");
    assert_conflict(redeem(1, &user).await, "an expired code");
    redeem(2, &user).await.expect("until it expires a code can be used");
    redeem(3, &user).await.expect("redeem redeems");
    assert_eq!(store.revoke_codes("b", NOW).await.expect("revoke_codes revokes"), 1, "what is unused");
    assert_eq!(store.revoke_codes("b", NOW).await.expect("revoke_codes revokes"), 0, "once");
    assert_conflict(redeem(4, &user).await, "a withdrawn code");
    let withdrawn = store.code(&[4; 32]).await.expect("code answers").expect("it is still there");
    assert_eq!((withdrawn.revoked_at, withdrawn.redeemed), (Some(NOW), None));
    let nobody = User { id: crate::UserId(9_999), ..user.clone() };
    store.create_codes(&[code(5, "c", user.tenant)]).await.expect("create_codes makes codes");
    assert_not_found(redeem(5, &nobody).await, "a code used by nobody");
    let unbalanced = NewEntry { postings: credit(&user).postings[..1].to_vec(), ..credit(&user) };
    store.redeem(&[5; 32], user.id, NOW, unbalanced).await.expect_err("an entry that does not balance");
    let kept = store.code(&[5; 32]).await.expect("code answers").expect("it is still there");
    assert_eq!(kept.redeemed, None, "a code whose entry is refused stays unused");
    assert_eq!(store.balance(Account::User(user.id)).await.expect("balance answers"), Nano(1_000));
}

fn copy(n: i64, state: CatalogueState) -> CatalogueCopy {
    let (fetched_at, source) = (UnixMicros(n), format!("https://prices.example/{n}"));
    CatalogueCopy { version: 0, fetched_at, source, state, body: "{\"ü\": 1}".repeat(10_000) }
}

pub(super) async fn the_newest_copies_of_prices_are_kept<S: CatalogueStore>(store: Arc<S>) {
    use CatalogueState::{Active, Pending, Rejected};
    let newest = async |state| store.catalogue(state).await.expect("catalogue answers");
    assert_eq!(newest(Active).await, None, "a new store has no copy");
    let add = async |n, state| store.add_catalogue(copy(n, state)).await.expect("add_catalogue keeps");
    let first = add(1, Active).await;
    let expected = CatalogueCopy { version: first, ..copy(1, Active) };
    assert_eq!(newest(Active).await, Some(expected.clone()), "every field of a copy is kept");
    let second = add(2, Pending).await;
    assert!(second > first, "numbers increase");
    assert_eq!(newest(Active).await, Some(expected.clone()), "a pending copy is not in force");
    store.set_catalogue_state(second, Rejected).await.expect("set_catalogue_state changes it");
    assert_eq!(newest(Pending).await, None);
    for n in 3..30 {
        add(n, Pending).await;
    }
    assert_eq!(newest(Active).await, Some(expected), "the one in force is kept, however old");
    assert_eq!(newest(Rejected).await, None, "others only while they are among the newest twenty");
    assert_not_found(store.set_catalogue_state(second, Active).await, "a copy that is gone");
    let last = newest(Pending).await.expect("there are pending ones").version;
    store.set_catalogue_state(last, Active).await.expect("set_catalogue_state changes it");
    assert_eq!(newest(Active).await.expect("one is in force").version, last, "the last one is in force");
}

//! Users and keys, searched.

use super::{default_user, new_key, new_user, top_up};
use crate::ledger::{Account, EntryKind, NewEntry, Posting};
use crate::store::{
    KeyQuery, Login, LoginStore, NewKey, NewTenant, NewUser, PeopleStore, Store, UserQuery, Who,
};
use crate::{ApiKey, KeyId, Nano, Status, TenantId, User, UserId};
use std::sync::Arc;

async fn a_tenant<S: Store>(store: &S, name: &str) -> TenantId {
    let new = NewTenant { name: name.into(), ..NewTenant::default() };
    store.create_tenant(new).await.expect("create_tenant makes a tenant").id
}

async fn a_user<S: Store>(store: &S, name: &str, tenant: TenantId) -> User {
    store.create_user(new_user(name, tenant)).await.expect("create_user makes one")
}

/// The ids of all that fit, read in pages of two; they are as many as are counted.
async fn users<S: PeopleStore>(store: &S, query: UserQuery) -> Vec<UserId> {
    let mut seen: Vec<UserId> = Vec::new();
    loop {
        let page = UserQuery { after: seen.last().copied(), limit: 2, ..query.clone() };
        let page = store.find_users(&page).await.expect("find_users answers");
        assert!(page.len() <= 2, "at most `limit`");
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|user| user.id));
    }
    let count = store.count_users(&query).await.expect("count_users answers");
    assert_eq!(count, seen.len() as u64, "count_users counts what find_users finds: {query:?}");
    let after = UserQuery { after: Some(UserId(i64::MAX)), limit: 1, ..query };
    assert_eq!(store.count_users(&after).await.expect("count_users answers"), count, "whatever the page");
    seen
}

pub(super) async fn users_are_found_by_tenant_text_and_status<S: Store + PeopleStore + LoginStore>(
    store: Arc<S>,
) {
    let house = default_user(&*store).await;
    let (other, empty) = (a_tenant(&*store, "other").await, a_tenant(&*store, "empty").await);
    let ann = a_user(&*store, "Ann Müller", house.tenant).await;
    let ben = a_user(&*store, "ben_50%", other).await;
    let cyd = a_user(&*store, "cyd!", other).await;
    let off = User { status: Status::Disabled, ..cyd.clone() };
    store.update_user(&off).await.expect("update_user replaces what may change");
    for (user, name) in [(&ben, "ünal@example.org"), (&cyd, "x_y")] {
        let login = Login { user: user.id, name: name.into(), ..Login::default() };
        store.set_login(&login).await.expect("set_login makes a login");
    }
    let all = [house.id, ann.id, ben.id, cyd.id];
    assert_eq!(users(&*store, UserQuery::default()).await, all, "everybody, in the order of their ids");
    let found = store.find_users(&UserQuery::default()).await.expect("find_users answers");
    assert_eq!(found, [house.clone(), ann.clone(), ben.clone(), off], "whole users");

    let of = |tenants: &[TenantId]| UserQuery { tenants: Some(tenants.to_vec()), ..UserQuery::default() };
    assert_eq!(users(&*store, of(&[other])).await, [ben.id, cyd.id], "of a tenant");
    assert_eq!(users(&*store, of(&[other, house.tenant, empty])).await, all, "of several");
    assert_eq!(users(&*store, of(&[empty])).await, []);
    assert_eq!(users(&*store, of(&[])).await, [], "of none");
    let many: Vec<TenantId> = (0..50_000).map(|n| TenantId(n + other.0)).collect();
    assert_eq!(users(&*store, of(&many)).await, [ben.id, cyd.id], "of more than a statement holds values");
    let only = |ids: &[UserId]| UserQuery { ids: Some(ids.to_vec()), ..UserQuery::default() };
    assert_eq!(users(&*store, only(&[cyd.id, ann.id, UserId(9_999)])).await, [ann.id, cyd.id], "of a list");
    assert_eq!(users(&*store, only(&[])).await, []);
    let status = UserQuery { status: Some(Status::Disabled), ..UserQuery::default() };
    assert_eq!(users(&*store, status.clone()).await, [cyd.id], "of a status");
    assert_eq!(users(&*store, UserQuery { tenants: Some(vec![house.tenant]), ..status }).await, [], "both");

    let called = |text: &str| UserQuery { text: Some(text.into()), ..UserQuery::default() };
    for (text, expected) in [
        ("ANN", &all[1..2]),
        ("Müller", &all[1..2]),
        ("", &all[..]),
        ("50%", &all[2..3]),
        ("%", &all[2..3]),
        ("_", &all[2..4]),
        ("!", &all[3..4]),
        ("Ünal@EXAMPLE", &all[2..3]),
        ("x_Y", &all[3..4]),
        ("x\\y", &[]),
        ("'", &[]),
    ] {
        assert_eq!(users(&*store, called(text)).await, expected, "called {text:?}");
    }
    let both = UserQuery { ids: Some(vec![ann.id, ben.id]), ..called("n") };
    assert_eq!(users(&*store, both).await, [ann.id, ben.id], "a part of the name or of the login's");
}

pub(super) async fn who_has_nothing_left_is_found<S: Store + PeopleStore>(store: Arc<S>) {
    let house = default_user(&*store).await;
    let broke = UserQuery { broke: true, ..UserQuery::default() };
    assert_eq!(users(&*store, broke.clone()).await, [], "a wallet without bound is never empty");
    let nothing = a_user(&*store, "nothing", house.tenant).await;
    let rich = a_user(&*store, "rich", house.tenant).await;
    let owing = a_user(&*store, "owing", house.tenant).await;
    let trusted = a_user(&*store, "trusted", house.tenant).await;
    let spent = a_user(&*store, "spent", house.tenant).await;
    let most = a_user(&*store, "most", house.tenant).await;
    let boundless = NewUser { unlimited: true, ..new_user("boundless", house.tenant) };
    store.create_user(boundless).await.expect("create_user makes one");
    let credit = async |user: &User, amount| {
        let side = |account, amount| Posting { account, amount: Nano(amount) };
        let (account, granted) = (Account::UserCredit(user.id), Account::Granted(user.tenant));
        let entry = NewEntry {
            kind: EntryKind::CreditLine,
            reference: None,
            author: "suite".into(),
            reason: "credit".into(),
            reverses: None,
            postings: vec![side(account, amount), side(granted, -amount)],
        };
        store.post(entry).await.expect("post posts");
    };
    for (user, amount) in [(&rich, 1), (&owing, -5), (&trusted, -5), (&spent, -5), (&most, i64::MAX)] {
        top_up(&*store, user, Nano(amount)).await.expect("post posts");
    }
    for (user, line) in [(&trusted, 6), (&spent, 5), (&most, i64::MAX - 11)] {
        credit(user, line).await;
    }
    let expected = [nothing.id, owing.id, spent.id];
    assert_eq!(users(&*store, broke).await, expected, "balance and credit come to nothing or less");
}

async fn keys<S: PeopleStore>(store: &S, query: KeyQuery) -> Vec<KeyId> {
    let mut seen: Vec<KeyId> = Vec::new();
    loop {
        let page = KeyQuery { after: seen.last().copied(), limit: 2, ..query.clone() };
        let page = store.find_keys(&page).await.expect("find_keys answers");
        assert!(page.len() <= 2, "at most `limit`");
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|key| key.id));
    }
    let count = store.count_keys(&query).await.expect("count_keys answers");
    assert_eq!(count, seen.len() as u64, "count_keys counts what find_keys finds: {query:?}");
    seen
}

pub(super) async fn keys_are_found_by_owner_text_and_status<S: Store + PeopleStore>(store: Arc<S>) {
    let house = default_user(&*store).await;
    let other = a_tenant(&*store, "other").await;
    let ben = a_user(&*store, "ben", other).await;
    let mut all: Vec<ApiKey> = Vec::new();
    for (name, hint, user) in [
        ("ci", "sk-burn-ab12…", house.id),
        ("CI_2", "sk-burn-cd34…", ben.id),
        ("laptop", "sk-burn-ci99…", ben.id),
    ] {
        let new = NewKey { hint: hint.into(), ..new_key(name, user) };
        all.push(store.create_key(new).await.expect("create_key makes a key"));
    }
    all[2].status = Status::Revoked;
    store.update_key(&all[2], None).await.expect("update_key replaces");
    let ids: Vec<KeyId> = all.iter().map(|key| key.id).collect();
    assert_eq!(store.find_keys(&KeyQuery::default()).await.expect("find_keys answers"), all, "whole keys");
    let of = |who: Who| KeyQuery { who, ..KeyQuery::default() };
    for (who, expected) in [
        (Who::All, &ids[..]),
        (Who::Tenants(vec![other]), &ids[1..]),
        (Who::Tenants(vec![other, house.tenant]), &ids[..]),
        (Who::Tenants(vec![]), &[]),
        (Who::User(house.id), &ids[..1]),
        (Who::Key(ids[1]), &ids[1..2]),
        (Who::Key(KeyId(9_999)), &[]),
    ] {
        assert_eq!(keys(&*store, of(who.clone())).await, expected, "{who:?}");
    }
    let only = |ids: &[KeyId]| KeyQuery { ids: Some(ids.to_vec()), ..KeyQuery::default() };
    assert_eq!(keys(&*store, only(&[ids[2], KeyId(9_999), ids[0]])).await, [ids[0], ids[2]], "these alone");
    assert_eq!(keys(&*store, only(&[])).await, [], "none of them");
    let bens = KeyQuery { who: Who::User(ben.id), ..only(&ids[..2]) };
    assert_eq!(keys(&*store, bens).await, ids[1..2], "both");
    let called = |text: &str| KeyQuery { text: Some(text.into()), ..KeyQuery::default() };
    for (text, expected) in
        [("ci", &ids[..]), ("Burn-AB", &ids[..1]), ("ci_", &ids[1..2]), ("%", &[]), ("LAPTOP", &ids[2..])]
    {
        assert_eq!(keys(&*store, called(text)).await, expected, "called {text:?}");
    }
    let active = KeyQuery { status: Some(Status::Active), ..of(Who::User(ben.id)) };
    assert_eq!(keys(&*store, active).await, ids[1..2], "of a status, and of a user");
}

pub(super) async fn a_page_has_a_bound<S: Store + PeopleStore>(store: Arc<S>) {
    let house = default_user(&*store).await;
    for n in 0..60 {
        let user = a_user(&*store, &format!("u{n}"), house.tenant).await;
        store.create_key(new_key(&format!("k{n}"), user.id)).await.expect("create_key makes a key");
    }
    let found = store.find_users(&UserQuery::default()).await.expect("find_users answers");
    assert_eq!(found.len(), 50, "no limit is fifty");
    let found = store.find_keys(&KeyQuery::default()).await.expect("find_keys answers");
    assert_eq!(found.len(), 50);
    assert_eq!(
        (UserQuery { limit: u32::MAX, ..UserQuery::default() }).page(),
        1_000,
        "and a thousand the most"
    );
}

//! The ledger: it balances, once.

use super::{assert_conflict, assert_not_found, default_user, new_key, new_user, receipt, top_up};
use crate::ledger::{Account, EntryKind, NewEntry, Posting, postings};
use crate::store::{EntryFilter, NewTenant, Store, StoreError, StoreResult};
use crate::{ChannelId, Leg, Nano, Receipt, TenantId, UserId};
use std::sync::Arc;

fn entry(kind: EntryKind, postings: &[(Account, i64)]) -> NewEntry {
    let posting = |(account, amount): &(Account, i64)| Posting { account: *account, amount: Nano(*amount) };
    NewEntry {
        kind,
        reference: None,
        author: "suite".into(),
        reason: "tests, \"with\" 'quotes'".into(),
        reverses: None,
        postings: postings.iter().map(posting).collect(),
    }
}

#[track_caller]
fn assert_invalid<T: std::fmt::Debug>(result: StoreResult<T>, promise: &str) {
    assert!(matches!(result, Err(StoreError::Invalid(_))), "{promise}: Invalid, not {result:?}");
}

async fn balance<S: Store>(store: &S, account: Account) -> Nano {
    store.balance(account).await.expect("balance answers")
}

pub(super) async fn an_entry_moves_balances<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let (wallet, cash) = (Account::User(user.id), Account::Cash(user.tenant));
    let new = entry(EntryKind::TopUp, &[(wallet, 10), (cash, -10)]);
    let posted = store.post(new.clone()).await.expect("post posts");
    assert!(posted.new, "an entry without a reference is new");
    let kept = store.entry(posted.id).await.expect("entry answers").expect("what was posted is there");
    assert!(kept.at.0 > 0, "an entry has a time");
    let same = (kept.kind, &kept.author, &kept.reason, kept.reverses, &kept.reference);
    assert_eq!(same, (new.kind, &new.author, &new.reason, None, &None), "every field of an entry is kept");
    assert_eq!(kept.postings, [new.postings[0], new.postings[1]], "postings are sorted by account");
    assert_eq!((balance(&*store, wallet).await, balance(&*store, cash).await), (Nano(10), Nano(-10)));
    let seen = store.user(user.id).await.expect("user answers").expect("the user exists");
    assert_eq!(seen.balance, Nano(10), "a wallet's balance is its user's, at once");
    let all = store.balances(None, 10).await.expect("balances answers");
    assert_eq!(all, [(cash, Nano(-10)), (wallet, Nano(10))], "balances are listed by the accounts' names");
    let rest = store.balances(Some(cash), 10).await.expect("balances answers");
    assert_eq!(rest, [(wallet, Nano(10))], "after one");
    assert_eq!(
        store.entry(posted.id + 99).await.expect("entry answers"),
        None,
        "an unknown number is nothing"
    );
    let nobody = entry(EntryKind::TopUp, &[(Account::User(UserId(9_999)), 1), (cash, -1)]);
    assert_not_found(store.post(nobody).await, "the wallet of nobody");
}

pub(super) async fn entries_are_listed_newest_first<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let other = store.create_user(new_user("ann", user.tenant)).await.expect("create_user makes one");
    let mut ids = Vec::new();
    for n in 1..=6 {
        let whose = if n % 2 == 0 { &user } else { &other };
        ids.push(top_up(&*store, whose, Nano(n)).await.expect("post posts").id);
    }
    assert!(ids.is_sorted(), "numbers increase");
    ids.reverse();
    let list = async |filter: EntryFilter| -> Vec<i64> {
        let all = store.entries(&filter).await.expect("entries answers");
        assert!(all.iter().all(|entry| entry.postings.len() == 2), "with their postings");
        all.iter().map(|entry| entry.id).collect()
    };
    assert_eq!(list(EntryFilter::default()).await, ids, "the newest first");
    let page = EntryFilter { before: Some(ids[1]), limit: 2, ..EntryFilter::default() };
    assert_eq!(list(page).await, ids[2..4], "older than one, at most so many");
    let of = EntryFilter { account: Some(Account::User(user.id)), ..EntryFilter::default() };
    assert_eq!(list(of).await, [ids[0], ids[2], ids[4]], "of one account");
}

pub(super) async fn entries_that_do_not_balance_are_refused<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let (wallet, cash) = (Account::User(user.id), Account::Cash(user.tenant));
    for (postings, promise) in [
        (&[(wallet, 10), (cash, -9)][..], "postings sum to zero"),
        (&[], "an entry has postings"),
        (&[(wallet, 0), (cash, 0)], "no posting is zero"),
        (&[(wallet, 5), (wallet, 5), (cash, -10)], "an account is named once"),
    ] {
        assert_invalid(store.post(entry(EntryKind::TopUp, postings)).await, promise);
    }
    let long = Some("x".repeat(201));
    let long = NewEntry { reference: long, ..entry(EntryKind::TopUp, &[(wallet, 1), (cash, -1)]) };
    assert_invalid(store.post(long).await, "a reference has at most 200 bytes");
    assert_eq!(balance(&*store, wallet).await, Nano::ZERO, "a refused entry changes nothing");
    assert!(store.entries(&EntryFilter::default()).await.expect("entries answers").is_empty());
}

pub(super) async fn a_reference_posts_once<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let (wallet, cash) = (Account::User(user.id), Account::Cash(user.tenant));
    let paid = |amount| NewEntry {
        reference: Some("order 7".into()),
        ..entry(EntryKind::TopUp, &[(wallet, amount), (cash, -amount)])
    };
    let first = store.post(paid(10)).await.expect("post posts");
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, again) = (store.clone(), paid(10));
            tokio::spawn(async move { store.post(again).await.expect("a known reference is no error") })
        })
        .collect();
    for task in tasks {
        let again = task.await.expect("posting does not panic");
        assert_eq!((again.id, again.new), (first.id, false), "a known reference answers the entry there is");
    }
    assert_conflict(store.post(paid(11)).await, "the same reference with another amount");
    for more in 0..3 {
        top_up(&*store, &user, Nano(1 + more)).await.expect("post posts");
    }
    let known = async |reference: &str, account| -> Vec<i64> {
        let reference = Some(reference.to_owned());
        let filter = EntryFilter { reference, account, limit: 1, ..EntryFilter::default() };
        let entries = store.entries(&filter).await.expect("entries answers");
        entries.iter().map(|entry| entry.id).collect()
    };
    assert_eq!(known("order 7", None).await, [first.id], "an entry is found by its reference");
    assert_eq!(known("order 7", Some(wallet)).await, [first.id], "and by an account of it");
    assert!(known("order 7", Some(Account::User(UserId(9_999)))).await.is_empty(), "of no other account");
    assert!(known("order 8", None).await.is_empty(), "an unknown reference");
    assert_eq!(balance(&*store, wallet).await, Nano(10 + 1 + 2 + 3), "a payment counts once");
}

pub(super) async fn an_entry_is_reversed_once<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let (wallet, cash) = (Account::User(user.id), Account::Cash(user.tenant));
    let wrong = top_up(&*store, &user, Nano(10)).await.expect("post posts").id;
    let undo =
        |id| NewEntry { reverses: Some(id), ..entry(EntryKind::Reversal, &[(wallet, -10), (cash, 10)]) };
    assert_not_found(store.post(undo(wrong + 99)).await, "reversing nothing");
    let undone = store.post(undo(wrong)).await.expect("post posts").id;
    let kept = store.entry(undone).await.expect("entry answers").expect("it is there");
    assert_eq!(kept.reverses, Some(wrong), "a reversal says what it undoes");
    assert_conflict(store.post(undo(wrong)).await, "reversing twice");
    assert_eq!(balance(&*store, wallet).await, Nano::ZERO);
}

pub(super) async fn credit_lines_are_never_negative<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let line = |amount: i64| {
        let postings = [(Account::UserCredit(user.id), amount), (Account::Granted(user.tenant), -amount)];
        entry(EntryKind::CreditLine, &postings)
    };
    store.post(line(50)).await.expect("post posts");
    let seen = store.user(user.id).await.expect("user answers").expect("the user exists");
    assert_eq!((seen.credit, seen.balance), (Nano(50), Nano::ZERO), "a credit line is its user's, at once");
    assert_invalid(store.post(line(-51)).await, "a credit line is not negative");
    store.post(line(-50)).await.expect("post posts");
}

pub(super) async fn a_balance_never_overflows<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    for (start, step) in [(Nano::MAX, Nano(1)), (Nano(-i64::MAX), Nano(-2))] {
        let now = balance(&*store, Account::User(user.id)).await;
        if now != Nano::ZERO {
            top_up(&*store, &user, Nano(-now.0)).await.expect("post posts");
        }
        top_up(&*store, &user, start).await.expect("post posts");
        assert_invalid(top_up(&*store, &user, step).await, "a sum that does not fit");
        assert_eq!(
            balance(&*store, Account::User(user.id)).await,
            start,
            "a refused payment changes nothing"
        );
    }
}

pub(super) async fn concurrent_payments_all_count<S: Store>(store: Arc<S>) {
    let user = default_user(&*store).await;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (store, user) = (store.clone(), user.clone());
            tokio::spawn(async move { top_up(&*store, &user, Nano(7)).await.expect("post posts").id })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.expect("a payment does not panic"));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 10, "each payment is an entry of its own");
    assert_eq!(balance(&*store, Account::User(user.id)).await, Nano(70), "concurrent payments all count");
}

pub(super) async fn receipts_are_posted_as_one_entry<S: Store>(store: Arc<S>) {
    let house = default_user(&*store).await.tenant;
    let new = NewTenant { name: "acme".into(), parent: Some(house), ..NewTenant::default() };
    let tenant = store.create_tenant(new).await.expect("create_tenant makes a tenant");
    let user = store.create_user(new_user("ann", tenant.id)).await.expect("create_user makes one");
    let key = store.create_key(new_key("k", user.id)).await.expect("create_key makes a key");
    let leg = Leg { tenant: tenant.id, parent: house, charge: Nano(4), shortfall: Nano::ZERO };
    let of = |n, charge| {
        let (key, user, tenant, legs) = (key.id, user.id, tenant.id, vec![leg]);
        Arc::new(Receipt { key, user, tenant, legs, charge: Nano(charge), ..receipt(n) })
    };
    let batch = [of(2, 5), of(1, 6)];
    assert_eq!(store.record(&batch).await.expect("record records"), 2);
    let entries = store.entries(&EntryFilter::default()).await.expect("entries answers");
    assert_eq!(entries.len(), 1, "a batch is one entry");
    assert_eq!(entries[0].kind, EntryKind::Receipts);
    let sums = postings(batch.iter().map(|receipt| &**receipt));
    assert_eq!(entries[0].postings, sums, "of what its receipts come to");
    let expected = [
        (Account::User(user.id), -11),
        (Account::Tenant(tenant.id), -8),
        (Account::Revenue(house), 8),
        (Account::Revenue(tenant.id), 11),
        (Account::Cost(ChannelId(3)), -6),
        (Account::Payable(ChannelId(3)), 6),
    ];
    for (account, amount) in expected {
        assert_eq!(balance(&*store, account).await, Nano(amount), "{account}");
    }
    let of_entry = store.receipts_of(entries[0].id).await.expect("receipts_of answers");
    assert_eq!(of_entry, [(*batch[1]).clone(), (*batch[0]).clone()], "an entry knows its receipts");
    let seen = store.tenant(tenant.id).await.expect("tenant answers").expect("the tenant exists");
    assert_eq!((seen.balance, seen.used), (Nano(-8), Nano(8)), "a leg is taken from the tenant's wallet");
    assert_eq!(store.record(&batch).await.expect("record records"), 0);
    let free = Arc::new(Receipt {
        channel: None,
        legs: vec![],
        charge: Nano::ZERO,
        upstream_cost: Nano::ZERO,
        tenant: TenantId(1),
        ..receipt(3)
    });
    assert_eq!(store.record(&[free]).await.expect("record records"), 1);
    let entries = store.entries(&EntryFilter::default()).await.expect("entries answers");
    assert_eq!(entries.len(), 1, "nothing new, or nothing that costs, posts nothing");
}

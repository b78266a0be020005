//! Receipts: kept for ever, applied once.

use super::{caller_of, default_user, new_key, new_user, receipt, top_up};
use crate::store::{NewUser, ReceiptFilter, Store, StoreError};
use crate::{
    ApiKey, Dialect, End, KeyId, Nano, Operation, Receipt, ServiceTier, Usage, UsageSource, User, UserId,
};
use std::sync::Arc;

/// The `n`th receipt, of that key and user, charging `charge`.
fn charged(n: u64, key: &ApiKey, charge: i64) -> Arc<Receipt> {
    Arc::new(Receipt { key: key.id, user: key.user, charge: Nano(charge), ..receipt(n) })
}

async fn user_and_key<S: Store>(store: &S, name: &str, balance: Option<Nano>) -> ApiKey {
    let tenant = default_user(store).await.tenant;
    let new = NewUser { unlimited: balance.is_none(), ..new_user(name, tenant) };
    let user = store.create_user(new).await.expect("create_user makes one");
    if let Some(amount) = balance.filter(|amount| *amount != Nano::ZERO) {
        top_up(store, &user, amount).await.expect("post posts");
    }
    store.create_key(new_key(name, user.id)).await.expect("create_key makes a key")
}

/// What the key and its user have spent, and the user's balance.
async fn spent<S: Store>(store: &S, key: &ApiKey) -> (Nano, Nano, Nano) {
    let key: ApiKey = store.key(key.id).await.expect("key answers").expect("the key exists");
    let user: User = store.user(key.user).await.expect("user answers").expect("the user exists");
    (key.used, user.used, user.balance)
}

async fn record<S: Store>(store: &S, batch: &[Arc<Receipt>]) -> usize {
    // A store that is away for a moment is asked again, as whoever ships receipts does.
    for _ in 0..100 {
        match store.record(batch).await {
            Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
            done => return done.expect("record records"),
        }
    }
    panic!("record: the store stays away");
}

pub(super) async fn every_field_of_a_receipt_is_kept<S: Store>(store: Arc<S>) {
    let plain = Receipt {
        model: "".into(),
        upstream_model: "".into(),
        channel: None,
        upstream_request_id: None,
        streamed: false,
        status: 429,
        end: End::Refused,
        attempts: vec![],
        usage: Usage::default(),
        usage_source: UsageSource::None,
        price_version: 0,
        lines: vec![],
        legs: vec![],
        abort: None,
        first_byte_us: None,
        ..receipt(1)
    };
    let extreme = Receipt {
        operation: Operation::CohereChat,
        dialect: Dialect::Cohere,
        model: "m".repeat(10_000).into(),
        end: End::Orphaned,
        usage: Usage { input: 1 << 62, tier: ServiceTier::Flex, ..Usage::default() },
        usage_source: UsageSource::Reported,
        charge: Nano::ZERO,
        upstream_cost: Nano(i64::MIN),
        reserved: Nano::MAX,
        first_byte_us: Some(u32::MAX),
        took_us: 1 << 62,
        bytes_in: u64::MAX,
        ..receipt(2)
    };
    let all = [receipt(0), plain, extreme].map(Arc::new);
    assert_eq!(record(&*store, &all).await, 3, "record says how many were new");
    for sent in &all {
        let found =
            store.receipt(sent.id).await.expect("receipt answers").expect("a recorded receipt is found");
        assert_eq!(&found, &**sent, "every field of a receipt is kept");
    }
    assert_eq!(
        store.receipt(receipt(9).id).await.expect("receipt answers"),
        None,
        "an unknown id finds none"
    );
    assert_eq!(record(&*store, &[]).await, 0, "no receipts are no receipts");
}

pub(super) async fn receipts_are_listed_newest_first<S: Store>(store: Arc<S>) {
    // Two keys and two users crosswise; shipped out of order.
    let of = |n: u64| {
        let (key, user) = (KeyId(1 + (n % 2).cast_signed()), UserId(1 + (n / 2 % 2).cast_signed()));
        Arc::new(Receipt { key, user, ..receipt(n) })
    };
    let mut batch: Vec<_> = (0..150).map(of).collect();
    batch.rotate_left(70);
    record(&*store, &batch).await;
    let list = async |filter: ReceiptFilter| -> Vec<u64> {
        let found = store.receipts(&filter).await.expect("receipts answers");
        found.iter().map(|r| u64::try_from(r.id.0 & 0xffff).expect("small")).collect()
    };
    let down = |wanted: &dyn Fn(u64) -> bool| (0..150).rev().filter(|n| wanted(*n)).collect::<Vec<u64>>();
    let none = ReceiptFilter::default();
    assert_eq!(list(none.clone()).await, down(&|n| n >= 50), "the newest first; a limit of 0 is 100");
    let limited = ReceiptFilter { limit: 3, ..none.clone() };
    assert_eq!(list(limited.clone()).await, [149, 148, 147], "at most `limit`");
    let before = ReceiptFilter { before: Some(receipt(147).id), ..limited.clone() };
    assert_eq!(list(before).await, [146, 145, 144], "older than `before`, without it");
    let key = ReceiptFilter { key: Some(KeyId(2)), limit: 1_000, ..none.clone() };
    assert_eq!(list(key.clone()).await, down(&|n| n % 2 == 1), "of one key");
    let user = ReceiptFilter { user: Some(UserId(2)), limit: 1_000, ..none.clone() };
    assert_eq!(list(user).await, down(&|n| n / 2 % 2 == 1), "of one user");
    let both = ReceiptFilter { user: Some(UserId(1)), before: Some(receipt(10).id), ..key };
    assert_eq!(list(both).await, [9, 5, 1], "of one key and user before one");
    let nobody = ReceiptFilter { key: Some(KeyId(99)), ..none };
    assert!(list(nobody).await.is_empty(), "of a key without receipts");
}

pub(super) async fn a_charge_is_applied_once<S: Store>(store: Arc<S>) {
    let limited = user_and_key(&*store, "limited", Some(Nano(100))).await;
    let free = user_and_key(&*store, "free", None).await;
    let batch = [charged(1, &limited, 30), charged(2, &free, 7), charged(3, &limited, 90)];
    assert_eq!(record(&*store, &batch).await, 3);
    let once = (Nano(120), Nano(120), Nano(-20));
    assert_eq!(
        spent(&*store, &limited).await,
        once,
        "a charge is added to key and user, taken from the balance"
    );
    assert_eq!(
        spent(&*store, &free).await,
        (Nano(7), Nano(7), Nano(-7)),
        "an unlimited wallet goes below zero"
    );

    assert_eq!(record(&*store, &batch).await, 0, "the same batch again holds nothing new");
    assert_eq!(record(&*store, &batch[..1]).await, 0, "the same receipt again is not new");
    assert_eq!(spent(&*store, &limited).await, once, "a receipt that is already there has no effect again");
    let overlapping = [charged(3, &limited, 90), charged(4, &limited, 1), charged(1, &limited, 30)];
    assert_eq!(record(&*store, &overlapping).await, 1, "of an overlapping batch only the rest is new");
    assert_eq!(spent(&*store, &limited).await, (Nano(121), Nano(121), Nano(-21)));
    let twice = [charged(5, &limited, 2), charged(5, &limited, 2)];
    assert_eq!(record(&*store, &twice).await, 1, "a receipt twice in one batch is one receipt");
    assert_eq!(spent(&*store, &limited).await, (Nano(123), Nano(123), Nano(-23)));
    let again = [charged(5, &limited, 999)];
    assert_eq!(record(&*store, &again).await, 0);
    let kept = store.receipt(again[0].id).await.expect("receipt answers").expect("found");
    assert_eq!(kept.charge, Nano(2), "a receipt never changes");
    let caller = caller_of(&*store, "limited").await.expect("found");
    assert_eq!(caller.user.used, Nano(123), "a caller seen for the first time has all that was shipped");
}

pub(super) async fn a_long_batch_is_recorded_whole<S: Store>(store: Arc<S>) {
    let mut keys = Vec::new();
    for n in 0..50 {
        keys.push(user_and_key(&*store, &format!("user {n}"), Some(Nano(1_000_000))).await);
    }
    let batch: Vec<_> = (0..1_234).map(|n| charged(n, &keys[n as usize % 50], n.cast_signed())).collect();
    assert_eq!(record(&*store, &batch[500..600]).await, 100);
    assert_eq!(record(&*store, &batch).await, 1_134, "a long batch, a part of which is there already");
    for (index, key) in keys.iter().enumerate() {
        let sum: i64 = (0..1_234).filter(|n| n % 50 == index as i64).sum();
        let expected = (Nano(sum), Nano(sum), Nano(1_000_000 - sum));
        assert_eq!(spent(&*store, key).await, expected, "every charge of a long batch is applied once");
    }
    let filter = ReceiptFilter { limit: 10_000, ..ReceiptFilter::default() };
    assert_eq!(
        store.receipts(&filter).await.expect("receipts answers").len(),
        1_234,
        "and every receipt is there"
    );
}

pub(super) async fn concurrent_batches_apply_each_charge_once<S: Store>(store: Arc<S>) {
    let keys = [user_and_key(&*store, "a", Some(Nano::ZERO)).await, user_and_key(&*store, "b", None).await];
    let all: Vec<_> = (0..120).map(|n| charged(n, &keys[n as usize % 2], 1)).collect();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (store, mut mine) = (store.clone(), all.clone());
            mine.rotate_left(n * 15);
            tokio::spawn(async move {
                let mut new = 0;
                for batch in mine[..90].chunks(33) {
                    new += record(&*store, batch).await;
                }
                new
            })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += task.await.expect("recording does not panic");
    }
    assert_eq!(new, 120, "of concurrent batches that overlap, each receipt is new once");
    assert_eq!(spent(&*store, &keys[0]).await, (Nano(60), Nano(60), Nano(-60)), "and charged once");
    assert_eq!(spent(&*store, &keys[1]).await, (Nano(60), Nano(60), Nano(-60)), "and charged once");
}

pub(super) async fn spending_never_overflows<S: Store>(store: Arc<S>) {
    let key = user_and_key(&*store, "whale", Some(Nano(i64::MIN + 10))).await;
    record(&*store, &[charged(1, &key, i64::MAX - 1), charged(2, &key, 0)]).await;
    record(&*store, &[charged(3, &key, 1_000), charged(4, &key, i64::MAX)]).await;
    let expected = (Nano::MAX, Nano::MAX, Nano(i64::MIN));
    assert_eq!(spent(&*store, &key).await, expected, "sums stop at the ends of the range; they never wrap");
}

pub(super) async fn receipts_outlive_what_they_name<S: Store>(store: Arc<S>) {
    let key = user_and_key(&*store, "k", Some(Nano(10))).await;
    let strangers = Arc::new(Receipt { key: KeyId(98_765), user: UserId(98_765), ..receipt(1) });
    let batch = [strangers, charged(2, &key, 4)];
    assert_eq!(
        record(&*store, &batch).await,
        2,
        "a receipt whose key or user is unknown is recorded all the same"
    );
    assert_eq!(spent(&*store, &key).await, (Nano(4), Nano(4), Nano(6)), "and hinders no other");
}

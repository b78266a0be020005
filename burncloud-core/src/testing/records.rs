//! The audit log, answers given once, and settings.

use crate::store::{AuditEntry, AuditFilter, AuditStore, Began, OnceStore, SettingStore, Store, StoreError};
use crate::{TenantId, UnixMicros, UserId};
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: i64 = 1_800_000_000_000_000;

fn entry(subject: &str, tenant: i64, user: Option<i64>, acting: Option<i64>) -> AuditEntry {
    AuditEntry {
        id: -5,
        at: UnixMicros(NOW),
        author: "ann".into(),
        user: user.map(UserId),
        acting: acting.map(UserId),
        tenant: TenantId(tenant),
        action: "key.update".into(),
        subject: subject.to_owned(),
        name: "ci, \"quoted\"".into(),
        before: Value::Null,
        after: json!({ "quota": i64::MAX, "models": ["模型", null], "paused": false }),
        ip: "2001:db8::1".into(),
    }
}

pub(super) async fn the_audit_log_only_grows<S: Store + AuditStore>(store: Arc<S>) {
    let list = async |filter: AuditFilter| store.audits(&filter).await.expect("audits answers");
    assert_eq!(list(AuditFilter::default()).await, [], "a new store has an empty log");
    let new = [
        entry("key:1", 1, Some(11), None),
        entry("key:2", 2, Some(12), Some(11)),
        entry("key:1", 2, None, None),
        AuditEntry { before: json!([1, 2.5]), after: Value::Null, ..entry("Key:1", 3, Some(13), None) },
    ];
    let mut ids = Vec::new();
    for entry in &new {
        ids.push(store.add_audit(entry).await.expect("add_audit keeps an entry"));
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "numbers increase: {ids:?}");
    let kept: Vec<_> =
        new.iter().zip(&ids).map(|(entry, id)| AuditEntry { id: *id, ..entry.clone() }).collect();
    let pick = |places: &[usize]| places.iter().map(|at| kept[*at].clone()).collect::<Vec<_>>();
    assert_eq!(list(AuditFilter::default()).await, pick(&[3, 2, 1, 0]), "every field is kept, newest first");
    let tenants = |ids: &[i64]| Some(ids.iter().copied().map(TenantId).collect());
    let of = |tenants| AuditFilter { tenants, ..AuditFilter::default() };
    assert_eq!(list(of(tenants(&[2, 3]))).await, pick(&[3, 2, 1]), "of tenants");
    assert_eq!(list(of(tenants(&[]))).await, [], "of none");
    let by = |user| AuditFilter { user: Some(UserId(user)), ..AuditFilter::default() };
    assert_eq!(list(by(11)).await, pick(&[1, 0]), "by a user, and while they acted as another");
    assert_eq!(list(by(12)).await, pick(&[1]));
    let subject = AuditFilter { subject: Some("key:1".into()), ..AuditFilter::default() };
    assert_eq!(list(subject.clone()).await, pick(&[2, 0]), "of a subject");
    assert_eq!(list(AuditFilter { tenants: tenants(&[1]), ..subject }).await, pick(&[0]), "all narrow");
    let page = AuditFilter { before: Some(ids[3]), limit: 2, ..AuditFilter::default() };
    assert_eq!(list(page).await, pick(&[2, 1]), "older than one, at most so many");
    for _ in 0..100 {
        store.add_audit(&new[0]).await.expect("add_audit keeps an entry");
    }
    assert_eq!(list(AuditFilter::default()).await.len(), 100, "no limit is a hundred");
}

pub(super) async fn concurrent_entries_are_all_kept<S: Store + AuditStore>(store: Arc<S>) {
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.add_audit(&entry(&format!("key:{n}"), 1, None, None)).await })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.expect("add_audit does not panic").expect("add_audit keeps an entry"));
    }
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    let all = store.audits(&AuditFilter::default()).await.expect("audits answers");
    assert_eq!(all.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids, "each has a number of its own");
    assert_eq!(all.len(), 50);
}

pub(super) async fn a_request_is_done_once<S: Store + OnceStore>(store: Arc<S>) {
    let begin = async |who: &str, key: &str, print: u8, at: i64| {
        store.begin_once(who, key, &[print; 32], UnixMicros(NOW + at)).await.expect("begin_once answers")
    };
    let finish = async |key: &str, status, body: &str| {
        store.finish_once("ann", key, status, body).await.expect("finish_once keeps the answer");
    };
    let done = |status, body: &str| Began::Done { status, body: body.to_owned() };
    assert_eq!(begin("ann", "k", 1, 0).await, Began::New);
    assert_eq!(begin("ann", "k", 1, 1).await, Began::UnderWay);
    assert_eq!(begin("ann", "k", 2, 1).await, Began::Other, "another request has that key");
    assert_eq!(begin("ben", "k", 2, 1).await, Began::New, "keys are everybody's own");
    assert_eq!(begin("ann", "K", 2, 1).await, Began::New, "and told apart letter by letter");
    assert_eq!(begin("ann", "k", 1, Began::PATIENCE_US).await, Began::UnderWay, "for a minute");
    assert_eq!(begin("ann", "k", 2, Began::PATIENCE_US + 1).await, Began::Other);
    assert_eq!(begin("ann", "k", 1, Began::PATIENCE_US + 1).await, Began::New, "then it begins again");
    assert_eq!(begin("ann", "k", 1, Began::PATIENCE_US + 2).await, Began::UnderWay, "for another minute");
    finish("k", 201, "{\"id\":\"ü\"}").await;
    assert_eq!(begin("ann", "k", 1, Began::PATIENCE_US + 3).await, done(201, "{\"id\":\"ü\"}"));
    assert_eq!(begin("ann", "k", 2, Began::PATIENCE_US + 3).await, Began::Other);
    store.abandon_once("ann", "k").await.expect("abandon_once answers");
    assert_eq!(begin("ann", "k", 1, 2 * Began::PATIENCE_US).await, done(201, "{\"id\":\"ü\"}"), "it is done");
    assert_eq!(
        begin("ann", "k", 1, Began::PATIENCE_US + 1 + Began::KEPT_US).await,
        done(201, "{\"id\":\"ü\"}")
    );
    assert_eq!(begin("ann", "k", 2, Began::PATIENCE_US + 2 + Began::KEPT_US).await, Began::New, "for a day");
    store.abandon_once("ann", "k").await.expect("abandon_once forgets");
    assert_eq!(begin("ann", "k", 3, Began::KEPT_US * 2).await, Began::New, "as if it had not begun");
    finish("unknown", 200, "").await;
    assert_eq!(begin("ann", "unknown", 1, Began::KEPT_US * 2).await, Began::New, "nothing was kept");
    for (who, key) in [("", "k"), ("ann", ""), ("ann", &*"k".repeat(256)), ("ann", "k\0")] {
        let refused = store.begin_once(who, key, &[1; 32], UnixMicros(NOW)).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{key:?}: {refused:?}");
    }
}

pub(super) async fn of_concurrent_requests_one_begins<S: Store + OnceStore>(store: Arc<S>) {
    // First where there is none, then where one crashed.
    for round in [0, Began::PATIENCE_US + 1] {
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let store = store.clone();
                let now = UnixMicros(NOW + round);
                tokio::spawn(async move { store.begin_once("ann", "k", &[1; 32], now).await })
            })
            .collect();
        let mut new = 0;
        for task in tasks {
            match task.await.expect("begin_once does not panic").expect("begin_once answers") {
                Began::New => new += 1,
                other => assert_eq!(other, Began::UnderWay),
            }
        }
        assert_eq!(new, 1, "of fifty at once one begins");
    }
}

pub(super) async fn settings_are_set_and_taken_out<S: Store + SettingStore>(store: Arc<S>) {
    assert_eq!(store.settings().await.expect("settings answers"), [], "a new store has none");
    let set = async |name: &str, value: Value| store.set_setting(name, &value).await;
    for (name, value) in [("title", json!("x")), ("limits", json!({ "a": [1, -2] })), ("title", json!("Ü"))]
    {
        set(name, value).await.expect("set_setting sets one");
    }
    let all = store.settings().await.expect("settings answers");
    let expected = [("limits".to_owned(), json!({ "a": [1, -2] })), ("title".to_owned(), json!("Ü"))];
    assert_eq!(all, expected, "by name, as they were set last");
    for name in ["title", "title", "unknown"] {
        set(name, Value::Null).await.expect("null takes one out, if it is there");
    }
    assert_eq!(store.settings().await.expect("settings answers"), expected[..1]);
    set("off", json!(false)).await.expect("set_setting sets one");
    assert_eq!(store.settings().await.expect("settings answers").len(), 2, "false is not null");
    let refused = set("", json!(1)).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
}

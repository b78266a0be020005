//! Several stores on one file, as the server and the command line are.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{
    CallerStore, ChannelStore, KeyStore, LedgerStore, NewTenant, NewUser, ReceiptStore, StoreError,
    StoreResult, UserStore,
};
use burncloud_core::testing::{new_key, receipt};
use burncloud_core::{ApiKey, KeyHash, Nano, Receipt, Status, TenantId, User};
use burncloud_store::{SecretBox, SqlStore};
use std::sync::Arc;
use tempfile::TempDir;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
    (folder, url)
}

async fn open(url: &str) -> SqlStore {
    SqlStore::connect(url, SecretBox::from_text(&KEY.to_owned().into()).unwrap()).await.unwrap()
}

fn new_user(name: &str, tenant: TenantId) -> NewUser {
    NewUser { name: name.to_owned(), tenant, ..NewUser::default() }
}

fn top_up(user: &User) -> NewEntry {
    let side = |account, amount| Posting { account, amount: Nano(amount) };
    NewEntry {
        kind: EntryKind::TopUp,
        reference: None,
        author: "tests".into(),
        reason: "top-up".into(),
        reverses: None,
        postings: vec![side(Account::User(user.id), 7), side(Account::Cash(user.tenant), -7)],
    }
}

async fn a_key(store: &SqlStore, name: &str) -> ApiKey {
    let tenant = store.tenants().await.unwrap()[0].id;
    let user = store.create_user(new_user(name, tenant)).await.unwrap();
    store.create_key(new_key(name, user.id)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_record_each_receipt_once() {
    let (_folder, url) = folder();
    let stores = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let key = a_key(&stores[0], "k").await;
    let make = |n| Arc::new(Receipt { key: key.id, user: key.user, charge: Nano(3), ..receipt(n) });
    let all: Vec<_> = (0..600).map(make).collect();
    let tasks: Vec<_> = (0..6)
        .map(|n: usize| {
            let (store, mut mine) = (stores[n % 2].clone(), all.clone());
            mine.rotate_left(n * 100);
            tokio::spawn(async move {
                let mut new = 0;
                for batch in mine.chunks(70) {
                    new += store.record(batch).await.unwrap();
                }
                new
            })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += task.await.unwrap();
    }
    assert_eq!(new, 600);
    for store in stores {
        assert_eq!(store.key(key.id).await.unwrap().unwrap().used, Nano(1_800));
        let user = store.user(key.user).await.unwrap().unwrap();
        assert_eq!((user.used, user.balance), (Nano(1_800), Nano(-1_800)));
    }
}

#[tokio::test]
async fn stores_that_begin_together_make_the_tables_once() {
    let (_folder, url) = folder();
    let (a, b, c) = tokio::join!(open(&url), open(&url), open(&url));
    for store in [a, b, c, open(&url).await] {
        assert_eq!(store.tenants().await.unwrap().len(), 1);
        assert_eq!(store.users(None, 9).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let (_folder, url) = folder();
    let store = open(&url).await;
    let key = a_key(&store, "k").await;
    store.record(&[Arc::new(receipt(1))]).await.unwrap();
    store.close().await.unwrap();
    let closed = store.key(key.id).await;
    assert!(matches!(closed, Err(StoreError::Unavailable(_))), "{closed:?}");
    let store = open(&url).await;
    assert_eq!(store.key(key.id).await.unwrap(), Some(key));
    assert_eq!(store.receipt(receipt(1).id).await.unwrap(), Some(receipt(1)));
    assert_eq!(store.record(&[Arc::new(receipt(1))]).await.unwrap(), 0);
}

#[tokio::test]
async fn changes_of_another_store_are_seen_when_the_version_moves() {
    let (_folder, url) = folder();
    let (server, cli) = (open(&url).await, open(&url).await);
    let key = a_key(&cli, "k").await;
    let hash = KeyHash::of(b"k");
    let seen = server.change_version().await.unwrap();
    assert_eq!(server.caller(&hash).await.unwrap().unwrap().key, key);

    server.record(&[Arc::new(receipt(1))]).await.unwrap();
    assert_eq!(server.change_version().await.unwrap(), seen, "receipts leave it alone");
    let revoked = ApiKey { status: Status::Revoked, ..key };
    cli.update_key(&revoked, None).await.unwrap();
    assert!(server.change_version().await.unwrap() > seen, "a change moves it");
    let cached = server.caller(&hash).await.unwrap().unwrap();
    assert_eq!(cached.key.status, Status::Active, "the cache does not know yet");
    server.invalidate_all();
    assert!(server.peek(&hash).is_none());
    assert_eq!(server.caller(&hash).await.unwrap().unwrap().key, revoked);
}

#[tokio::test]
async fn every_management_change_moves_the_version() {
    let (_folder, url) = folder();
    let store = open(&url).await;
    let mut last = store.change_version().await.unwrap();
    macro_rules! moves {
        ($($change:expr),* $(,)?) => { $(
            let _ = $change.await.unwrap();
            let now = store.change_version().await.unwrap();
            assert!(now > last, "{}", stringify!($change));
            last = now;
        )* };
    }
    let mut tenant = store.tenants().await.unwrap().remove(0);
    tenant.limits.concurrency = Some(1);
    let user = store.users(None, 1).await.unwrap().remove(0);
    moves!(
        store.create_tenant(NewTenant { name: "t".into(), ..NewTenant::default() }),
        store.update_tenant(&tenant),
        store.create_user(new_user("u", tenant.id)),
        store.update_user(&user),
        store.post(top_up(&user)),
        store.create_key(new_key("k", user.id)),
    );
    let key = store.key_by_name("k").await.unwrap().unwrap();
    moves!(store.update_key(&key, None), store.update_key(&key, Some(KeyHash([7; 32]))));
    let refused: StoreResult<_> = store.create_key(new_key("k", user.id)).await;
    assert!(refused.is_err());
    assert_eq!(store.change_version().await.unwrap(), last, "a refused change leaves it alone");
    assert!(store.channels().await.unwrap().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, url) = folder();
    let store = open(&url).await;
    a_key(&store, "k").await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() > 1, "the write-ahead log lies beside it");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_refused_without_its_address() {
    let secrets = || SecretBox::generate().unwrap();
    for url in ["oracle://me:hunter2@host/db", "hunter2", ""] {
        let error = SqlStore::connect(url, secrets()).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid(_)), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let (folder, _) = folder();
    let url = format!("sqlite://{}/none/burncloud.db", folder.path().display());
    let error = SqlStore::connect(&url, secrets()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    let path = folder.path().join("text.db");
    std::fs::write(&path, "this is no database, only text that is long enough to be taken for one".repeat(9))
        .unwrap();
    let error = SqlStore::connect(&format!("sqlite://{}", path.display()), secrets()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}

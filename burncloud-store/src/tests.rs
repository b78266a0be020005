//! Tests that reach under the store: locks, tampered rows, tables of another version.

use crate::backend::Waits;
use crate::cache::CallerCache;
use crate::entity::{channel, migration, receipt};
use crate::{SecretBox, SqlStore};
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{ChannelStore, KeyStore, LedgerStore, ReceiptStore, StoreError, UserStore};
use burncloud_core::testing::{new_key, receipt as a_receipt};
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, Nano, Receipt, Status, User};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ConnectionTrait, EntityTrait};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct File {
    url: String,
    _folder: TempDir,
}

impl File {
    fn new() -> File {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
        File { url, _folder: folder }
    }

    async fn open(&self, secrets: SecretBox) -> Result<SqlStore, StoreError> {
        // Locks are waited for briefly: these tests hold them until the wait is over.
        let waits = Waits { lock: Duration::from_millis(20), ..Waits::default() };
        SqlStore::open(&self.url, secrets, waits, CallerCache::default()).await
    }
}

fn top_up(user: &User, amount: i64) -> NewEntry {
    let side = |account, amount| Posting { account, amount: Nano(amount) };
    NewEntry {
        kind: EntryKind::TopUp,
        reference: None,
        author: "tests".into(),
        reason: "top-up".into(),
        reverses: None,
        postings: vec![side(Account::User(user.id), amount), side(Account::Cash(user.tenant), -amount)],
    }
}

fn secrets() -> SecretBox {
    SecretBox::generate().unwrap()
}

#[tokio::test]
async fn a_locked_database_is_away_and_then_records_once() {
    let file = File::new();
    let (store, other) = (file.open(secrets()).await.unwrap(), file.open(secrets()).await.unwrap());
    let user = store.user_by_name("default").await.unwrap().unwrap();
    let key = store.create_key(new_key("k", user.id)).await.unwrap();
    let batch = [Arc::new(Receipt { key: key.id, user: user.id, charge: Nano(5), ..a_receipt(1) })];

    let lock = other.begin().await.unwrap();
    for _ in 0..2 {
        let refused = store.record(&batch).await;
        assert!(matches!(&refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        let refused = store.post(top_up(&user, 1)).await;
        assert!(matches!(&refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(store.key(key.id).await.unwrap().unwrap().used, Nano(0), "reading goes on");
    lock.rollback().await.unwrap();

    assert_eq!(store.record(&batch).await.unwrap(), 1);
    assert_eq!(store.record(&batch).await.unwrap(), 0);
    assert_eq!(store.key(key.id).await.unwrap().unwrap().used, Nano(5));
}

#[tokio::test]
async fn a_batch_that_fails_half_way_leaves_nothing() {
    let file = File::new();
    let store = file.open(secrets()).await.unwrap();
    let user = store.user_by_name("default").await.unwrap().unwrap();
    let key = store.create_key(new_key("k", user.id)).await.unwrap();
    let of = |n| Arc::new(Receipt { key: key.id, user: user.id, charge: Nano(5), ..a_receipt(n) });
    let batch: Vec<_> = (0..100).map(of).collect();
    // The last step of a batch fails: the spending of its user.
    let break_it = "CREATE TRIGGER broken BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'broken'); END";
    store.write.execute_unprepared(break_it).await.unwrap();
    let refused = store.record(&batch).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(store.receipts(&Default::default()).await.unwrap().is_empty());
    assert_eq!(store.key(key.id).await.unwrap().unwrap().used, Nano(0));

    store.write.execute_unprepared("DROP TRIGGER broken").await.unwrap();
    assert_eq!(store.record(&batch).await.unwrap(), 100);
    assert_eq!(store.key(key.id).await.unwrap().unwrap().used, Nano(500));
}

fn a_channel(name: &str) -> ChannelConfig {
    ChannelConfig {
        id: ChannelId(0),
        name: name.into(),
        provider: "openai".into(),
        base_url: None,
        credential: "sk-upstream".to_owned().into(),
        models: vec![],
        model_mapping: Default::default(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    }
}

fn assert_names_the_channel<T: std::fmt::Debug>(refused: Result<T, StoreError>, name: &str) {
    let Err(StoreError::Invalid(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains(&format!("`{name}`")) && why.contains("decrypted"), "{why}");
    assert!(!why.contains("sk-upstream"), "{why}");
}

#[tokio::test]
async fn credentials_are_sealed_on_disk_and_open_with_one_key_alone() {
    let file = File::new();
    let key = secrets();
    let store = file.open(key.clone()).await.unwrap();
    let made = store.create_channel(a_channel("upstream")).await.unwrap();
    let row = channel::Entity::find_by_id(made.id.0).one(&store.read).await.unwrap().unwrap();
    assert!(!row.credential.windows(3).any(|bytes| bytes == b"sk-"), "it is not there in clear");
    store.close().await.unwrap();

    let wrong = file.open(secrets()).await.unwrap();
    assert_names_the_channel(wrong.channels().await, "upstream");
    assert_names_the_channel(wrong.channel_by_name("upstream").await, "upstream");
    // What the text advises works: the credential is set again.
    wrong.update_channel(&made).await.unwrap();
    assert_eq!(wrong.channels().await.unwrap()[0].credential.expose_secret(), "sk-upstream");
}

#[tokio::test]
async fn a_credential_of_another_row_or_with_a_changed_bit_does_not_open() {
    let store = File::new();
    let store = store.open(secrets()).await.unwrap();
    let one = store.create_channel(a_channel("one")).await.unwrap();
    let two = store.create_channel(a_channel("two")).await.unwrap();
    let row = channel::Entity::find_by_id(one.id.0).one(&store.read).await.unwrap().unwrap();
    let put = async |id: i64, credential: Vec<u8>| {
        let change =
            channel::ActiveModel { id: Unchanged(id), credential: Set(credential), ..Default::default() };
        channel::Entity::update(change).validate().unwrap().exec(&store.write).await.unwrap();
    };
    put(two.id.0, row.credential.clone()).await;
    assert_names_the_channel(store.channel_by_name("two").await, "two");
    let mut changed = row.credential;
    *changed.last_mut().unwrap() ^= 1;
    put(one.id.0, changed).await;
    assert_names_the_channel(store.channel_by_name("one").await, "one");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    let file = File::new();
    let store = file.open(secrets()).await.unwrap();
    let row = migration::ActiveModel { version: Set(99), name: Set("later".into()), applied_at: Set(0) };
    migration::Entity::insert(row).exec_without_returning(&store.write).await.unwrap();
    store.close().await.unwrap();
    let refused = file.open(secrets()).await;
    let Err(StoreError::Invalid(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("newer version"), "{why}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let store = File::new();
    let store = store.open(secrets()).await.unwrap();
    store.record(&[Arc::new(a_receipt(1))]).await.unwrap();
    let id = a_receipt(1).id;
    let damage = receipt::ActiveModel {
        id: Unchanged(id.0.to_be_bytes().to_vec()),
        rest: Set("{}".into()),
        ..Default::default()
    };
    receipt::Entity::update(damage).validate().unwrap().exec(&store.write).await.unwrap();
    let refused = store.receipt(id).await;
    let Err(StoreError::Invalid(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains(&id.to_string()), "{why}");
    store.write.execute_unprepared("UPDATE users SET used = 0.5").await.unwrap();
    let refused = store.user_by_name("default").await;
    assert!(matches!(&refused, Err(StoreError::Invalid(_))), "trying again would not help: {refused:?}");
}

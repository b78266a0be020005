//! Tests that reach under the store: locks, tampered rows, tables of another version.

use crate::backend::{self, Waits};
use crate::cache::CallerCache;
use crate::entity::{channel, migration as applied, receipt};
use crate::{SecretBox, SqlStore, migration};
use burncloud_billing::ledger::verify;
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{
    ChannelStore, Dim, EntryFilter, KeyStore, LedgerStore, ReceiptStore, ReportStore, Step, StoreError,
    UsageQuery, UsageRow, UserStore, Who,
};
use burncloud_core::testing::{new_key, receipt as a_receipt};
use burncloud_core::{
    ChannelConfig, ChannelId, ChannelSettings, KeyId, Line, LineKind, Nano, Receipt, ReceiptId, Status,
    TenantId, UnixMicros, User, UserId,
};
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
    let row = applied::ActiveModel { version: Set(99), name: Set("later".into()), applied_at: Set(0) };
    applied::Entity::insert(row).exec_without_returning(&store.write).await.unwrap();
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

/// A database as the first version left it: users with a balance, in debt, with nothing, and without a bound.
async fn an_old_database(file: &File) {
    let old = backend::open(&file.url, Waits::default()).await.unwrap().write;
    migration::run_all(&old, &migration::ALL[..1]).await.unwrap();
    for (n, balance) in [(2, "700"), (3, "-50"), (4, "0"), (5, "NULL")] {
        let user = format!(
            "INSERT INTO users (id, name, tenant_id, status, balance, used, limits, created_at) \
             VALUES ({n}, 'u{n}', 1, 'active', {balance}, 0, '{{}}', 1)"
        );
        old.execute_unprepared(&user).await.unwrap();
    }
    let key = "INSERT INTO api_keys (id, name, hint, hash, user_id, status, used, limits, created_at) \
               VALUES (1, 'k', 'sk-', X'{}', 2, 'active', 9, '{}', 1)";
    old.execute_unprepared(&key.replace("X'{}'", &format!("X'{}'", "07".repeat(32)))).await.unwrap();
    old.execute_unprepared("UPDATE users SET used = 9 WHERE id = 2").await.unwrap();
    let receipt = "INSERT INTO receipts (id, at, key_id, user_id, tenant_id, channel_id, model, upstream_model, \
                   dialect, operation, status, \"end\", streamed, input, cached_read, output, reasoning, charge, \
                   upstream_cost, first_byte_us, took_us, rest) VALUES (X'000102030405060708090a0b0c0d0e0f', 5, 1, \
                   2, 1, 3, 'm', 'm', 'openai', 'chat', 200, 'finished', 0, 1, 0, 2, 0, 9, 4, NULL, 7, \
                   '{\"trace\":\"09090909090909090909090909090909\",\"source\":\"reported\",\"bytes\":[1,2],\
                   \"lines\":[[\"request\",1,9000000,9]]}')";
    old.execute_unprepared(receipt).await.unwrap();
    old.close_by_ref().await.unwrap();
}

#[tokio::test]
async fn balances_from_before_the_ledger_become_its_opening_entry() {
    let file = File::new();
    an_old_database(&file).await;
    let store = file.open(secrets()).await.unwrap();
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    let side = |account, amount| Posting { account, amount: Nano(amount) };
    let expected = [(3, -50), (2, 700)];
    assert_eq!(entries.len(), expected.len(), "{entries:?}");
    for (opening, (user, balance)) in entries.iter().zip(expected) {
        assert_eq!(opening.kind, EntryKind::Opening);
        let expected = [side(Account::User(UserId(user)), balance), side(Account::Opening, -balance)];
        assert_eq!(opening.postings, expected);
    }
    assert_eq!(store.balance(Account::Opening).await.unwrap(), Nano(-650));
    for (name, balance, unlimited) in
        [("default", 0, true), ("u2", 700, false), ("u3", -50, false), ("u4", 0, false), ("u5", 0, true)]
    {
        let user = store.user_by_name(name).await.unwrap().unwrap();
        assert_eq!((user.balance, user.unlimited), (Nano(balance), unlimited), "{name}");
    }
    let report = verify(&store, |_| ()).await.unwrap();
    assert_eq!((report.entries, report.receipts, report.before_ledger, report.users), (2, 1, 1, 5));

    let now = UnixMicros::now();
    let lines = vec![Line { kind: LineKind::Request, units: 1, price: Nano(5_000_000), amount: Nano(5) }];
    let new = Receipt {
        id: ReceiptId::new(now),
        at: now,
        key: KeyId(1),
        user: UserId(2),
        tenant: TenantId(1),
        lines,
        charge: Nano(5),
        shortfall: Nano(0),
        legs: vec![],
        abort: None,
        ..a_receipt(1)
    };
    store.record(&[Arc::new(new)]).await.unwrap();
    assert_eq!(store.balance(Account::User(UserId(2))).await.unwrap(), Nano(695));
    let report = verify(&store, |_| ()).await.unwrap();
    assert_eq!((report.entries, report.receipts, report.before_ledger), (3, 2, 1));
}

#[tokio::test]
async fn balances_that_no_sum_can_hold_are_opened_all_the_same() {
    let (most, least) = (i64::MAX, i64::MIN + 1);
    for (balances, opening) in [
        (vec![most, most, 5], i64::MIN),
        (vec![i64::MIN, least, -5], most),
        (vec![most, least, -7], 7),
        (vec![most, most, least, -3], least + 3),
        (vec![most, 1], i64::MIN),
        (vec![least, -1], most),
        (vec![most - 4_294_967_295, 4_294_967_290, -1], least + 6),
    ] {
        let file = File::new();
        let old = backend::open(&file.url, Waits::default()).await.unwrap().write;
        migration::run_all(&old, &migration::ALL[..1]).await.unwrap();
        for (n, balance) in balances.iter().enumerate() {
            let user = format!(
                "INSERT INTO users (name, tenant_id, status, balance, used, limits, created_at) \
                 VALUES ('u{n}', 1, 'active', {balance}, 0, '{{}}', 1)"
            );
            old.execute_unprepared(&user).await.unwrap();
        }
        old.close_by_ref().await.unwrap();
        let store = file.open(secrets()).await.unwrap();
        assert_eq!(store.balance(Account::Opening).await.unwrap(), Nano(opening), "{balances:?}");
        let report = verify(&store, |_| ()).await.unwrap();
        assert_eq!(report.entries, balances.len() as u64);
    }
}

#[tokio::test]
async fn sums_from_before_the_hours_are_in_the_hours() {
    let file = File::new();
    let old = backend::open(&file.url, Waits::default()).await.unwrap().write;
    migration::run_all(&old, &migration::ALL[..2]).await.unwrap();
    let most = i64::MAX;
    // Quarters of the hours 2 and 3; two are more than a sum can hold.
    let rows = [
        (8, 1, 3, "a", 10),
        (11, 2, 0, "a", 20),
        (12, 2, 3, "a", 40),
        (13, 2, 3, "b", most),
        (14, 2, 3, "b", most),
    ];
    for (quarter, tenant, channel, model, charge) in rows {
        let row = format!(
            "INSERT INTO usage_quarters (quarter, key_id, user_id, tenant_id, channel_id, model, requests, tokens_in, \
             tokens_out, charge, cost) VALUES ({quarter}, 1, 1, {tenant}, {channel}, '{model}', 1, 2, 3, {charge}, 4)"
        );
        old.execute_unprepared(&row).await.unwrap();
    }
    old.close_by_ref().await.unwrap();
    let store = file.open(secrets()).await.unwrap();
    let hour = 3_600_000_000;
    let day = UsageQuery { until: UnixMicros(24 * hour), step: Step::Hour, ..UsageQuery::default() };
    let sums = async |by: &[Dim], who: Who| -> Vec<(i64, Option<UsageRow>, u64, i64)> {
        let query = UsageQuery { by: by.to_vec(), who, ..day.clone() };
        let rows = store.usage(&query).await.unwrap();
        let told = |row: UsageRow| UsageRow {
            tenant: row.tenant,
            channel: row.channel,
            model: row.model,
            ..UsageRow::default()
        };
        rows.into_iter()
            .map(|row| {
                assert_eq!((row.tokens_in, row.tokens_out), (2 * row.requests, 3 * row.requests));
                assert_eq!(row.revenue, row.charge, "the house earned it, as far as is known");
                (row.start.0 / hour, Some(told(row.clone())), row.requests, row.charge.0)
            })
            .collect()
    };
    let model = |name: &str| Some(UsageRow { model: Some(name.into()), ..UsageRow::default() });
    let tenant = |id| Some(UsageRow { tenant: Some(TenantId(id)), ..UsageRow::default() });
    let channel = |id: Option<i64>| Some(UsageRow { channel: id.map(ChannelId), ..UsageRow::default() });
    assert_eq!(
        sums(&[Dim::Model], Who::All).await,
        [(2, model("a"), 2, 30), (3, model("b"), 2, most), (3, model("a"), 1, 40)]
    );
    let of_two = sums(&[], Who::Tenants(vec![TenantId(2)])).await;
    assert_eq!(of_two, [(2, channel(None), 1, 20), (3, channel(None), 3, most)]);
    let mut by_channel = sums(&[Dim::Channel], Who::All).await;
    by_channel.sort_by_key(|(hour, _, _, charge)| (*hour, *charge));
    let expected = [(2, channel(Some(3)), 1, 10), (2, channel(None), 1, 20), (3, channel(Some(3)), 3, most)];
    assert_eq!(by_channel, expected);
    let mut by_tenant = sums(&[Dim::Tenant], Who::All).await;
    by_tenant.sort_by_key(|(hour, _, _, charge)| (*hour, *charge));
    assert_eq!(by_tenant, [(2, tenant(1), 1, 10), (2, tenant(2), 1, 20), (3, tenant(2), 3, most)]);
    assert_eq!(store.extent().await.unwrap().receipts, 5);
    assert!(store.extent().await.unwrap().bytes.unwrap() > 4_096);
}

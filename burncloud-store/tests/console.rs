//! What the console keeps, in a file: secrets sealed, settings taken by running servers, copies while it is in use.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use burncloud_billing::ledger::verify;
use burncloud_core::store::{
    AuditEntry, AuditStore, BackupStore, KeyStore, Login, LoginStore, ReceiptStore, SettingStore, StoreError,
    UserStore,
};
use burncloud_core::testing::{new_key, receipt};
use burncloud_core::{Receipt, TenantId, UnixMicros, UserId};
use burncloud_store::{SecretBox, SqlStore};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const TOTP: &str = "JBSWY3DPEHPK3PXPJBSWY3DP";

fn secrets() -> SecretBox {
    SecretBox::generate().unwrap()
}

fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = url(&folder.path().join("burncloud.db"));
    (folder, url)
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

async fn a_login(store: &SqlStore) -> UserId {
    let user = store.user_by_name("default").await.unwrap().unwrap().id;
    let totp = Some(SecretString::from(TOTP));
    let login = Login { user, name: "ann".into(), totp, ..Login::default() };
    store.set_login(&login).await.unwrap();
    user
}

/// Every byte of the database, side files included.
fn bytes_in(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn the_secret_of_a_second_factor_is_sealed_on_disk() {
    let (folder, url) = folder();
    let key = secrets();
    let store = SqlStore::connect(&url, key.clone()).await.unwrap();
    let user = a_login(&store).await;
    store.use_totp_step(user, 5).await.unwrap();
    let bytes = bytes_in(folder.path());
    assert!(holds(&bytes, "ann"), "the name is there");
    assert!(!holds(&bytes, TOTP), "the secret is not");
    store.close().await.unwrap();

    let wrong = SqlStore::connect(&url, secrets()).await.unwrap();
    let Err(StoreError::Invalid(why)) = wrong.login(user).await else { panic!("another key opens it") };
    assert!(why.contains("`ann`") && why.contains("decrypted") && !why.contains(TOTP), "{why}");
    wrong.close().await.unwrap();
    let store = SqlStore::connect(&url, key).await.unwrap();
    let login = store.login(user).await.unwrap().unwrap();
    assert_eq!(login.totp.unwrap().expose_secret(), TOTP);
}

#[tokio::test]
async fn settings_are_taken_by_running_servers() {
    let (_folder, url) = folder();
    let (server, other) = (
        SqlStore::connect(&url, secrets()).await.unwrap(),
        SqlStore::connect(&url, secrets()).await.unwrap(),
    );
    let mut last = server.change_version().await.unwrap();
    for value in [json!(1), json!(2), Value::Null] {
        other.set_setting("title", &value).await.unwrap();
        let now = server.change_version().await.unwrap();
        assert!(now > last, "{value} moves the version");
        last = now;
    }
    a_login(&other).await;
    let entry = AuditEntry {
        id: 0,
        at: UnixMicros(1),
        author: "ann".into(),
        user: None,
        acting: None,
        tenant: TenantId(1),
        action: "x".into(),
        subject: "y".into(),
        name: "z".into(),
        before: Value::Null,
        after: Value::Null,
        ip: String::new(),
    };
    other.add_audit(&entry).await.unwrap();
    assert_eq!(
        server.change_version().await.unwrap(),
        last,
        "who may call is the same, so callers stay cached"
    );
}

fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_is_consistent_while_others_write() {
    let (_folder, url_of_it) = folder();
    let key = secrets();
    let store = Arc::new(SqlStore::connect(&url_of_it, key.clone()).await.unwrap());
    let user = a_login(&store).await;
    let callers_key = store.create_key(new_key("k", user)).await.unwrap();
    let (key_id, writer) = (callers_key.id, store.clone());
    let writing = tokio::spawn(async move {
        for batch in 0..40_u64 {
            let one = |n| Arc::new(Receipt { key: key_id, user, ..receipt(batch * 50 + n) });
            let batch: Vec<_> = (0..50).map(one).collect();
            writer.record(&batch).await.unwrap();
        }
    });
    let copies = tempfile::tempdir().unwrap();
    for n in 0..3 {
        let to = copies.path().join(format!("{n}.db"));
        let done = BackupStore::backup(&*store, &to).await.unwrap();
        let meta = std::fs::metadata(&to).unwrap();
        assert!(done.checked && done.bytes > 0 && meta.len() == done.bytes, "{done:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(meta.permissions().mode() & 0o7777, 0o600, "its owner's alone");
        }
    }
    assert_eq!(names(copies.path()), ["0.db", "1.db", "2.db"], "nothing else is left");
    writing.await.unwrap();
    for n in 0..3 {
        let copy =
            SqlStore::connect(&url(&copies.path().join(format!("{n}.db"))), key.clone()).await.unwrap();
        assert_eq!(copy.login(user).await.unwrap().unwrap().totp.unwrap().expose_secret(), TOTP);
        let charges = copy.user(user).await.unwrap().unwrap();
        assert_eq!(charges.used.0 % 250, 0, "whole batches alone");
        verify(&copy, |_| ()).await.unwrap();
        copy.close().await.unwrap();
    }
    assert_eq!(store.user(user).await.unwrap().unwrap().used.0, 40 * 50 * 5, "nobody's writing failed");
}

#[tokio::test]
async fn a_copy_overwrites_nothing_and_leaves_nothing_when_it_fails() {
    let (folder, url) = folder();
    let store = SqlStore::connect(&url, secrets()).await.unwrap();
    assert!(store.backs_up());
    let copies = tempfile::tempdir().unwrap();
    let to = copies.path().join("it's a copy.db");
    std::fs::write(&to, "precious").unwrap();
    let refused = store.backup(&to).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(std::fs::read(&to).unwrap(), b"precious");
    let onto_itself = store.backup(&folder.path().join("burncloud.db")).await;
    assert!(matches!(onto_itself, Err(StoreError::Conflict { .. })), "{onto_itself:?}");
    let nowhere = store.backup(&copies.path().join("none/copy.db")).await;
    assert!(matches!(nowhere, Err(StoreError::Invalid(_))), "{nowhere:?}");
    // What a crash left behind is another's as well.
    std::fs::remove_file(&to).unwrap();
    std::fs::write(copies.path().join("it's a copy.db.partial"), "half").unwrap();
    let refused = store.backup(&to).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(names(copies.path()), ["it's a copy.db.partial"], "the name is free again");
    std::fs::remove_file(copies.path().join("it's a copy.db.partial")).unwrap();

    assert!(store.backup(&to).await.unwrap() > 0);
    assert_eq!(names(copies.path()), ["it's a copy.db"]);
    let memory = SqlStore::connect("sqlite::memory:", secrets()).await.unwrap();
    assert!(!memory.backs_up());
    let refused = memory.backup(&copies.path().join("memory.db")).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert_eq!(names(copies.path()), ["it's a copy.db"]);
}

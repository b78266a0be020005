//! The promises of core's store traits, kept by every database this crate knows.

use burncloud_core::testing::{
    archive_suite, identity_suite, money_suite, people_suite, report_suite, store_suite,
};
use burncloud_store::{SecretBox, SqlStore};
use std::sync::Mutex;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_in_memory_keeps_every_promise() {
    let fresh = async || {
        let secrets = SecretBox::generate().unwrap();
        SqlStore::connect("sqlite::memory:", secrets).await.unwrap()
    };
    store_suite(fresh).await;
    money_suite(fresh).await;
    report_suite(fresh).await;
    identity_suite(fresh).await;
    people_suite(fresh).await;
    archive_suite(async || sealing(fresh().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_in_a_file_keeps_every_promise() {
    let folders = Mutex::new(Vec::new());
    let fresh = async || {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
        folders.lock().unwrap().push(folder);
        SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap()
    };
    store_suite(&fresh).await;
    money_suite(&fresh).await;
    report_suite(&fresh).await;
    identity_suite(&fresh).await;
    people_suite(&fresh).await;
    archive_suite(async || sealing(fresh().await)).await;
}

fn sealing(store: SqlStore) -> SqlStore {
    store.seal_with(burncloud_core::testing::sealer());
    store
}

//! The chain of receipts in SQL: one chain, whoever records; nothing changed unseen.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use burncloud_core::store::{ProofKey, ProofStore, ReceiptStore, Sealed, Sealer, StoreError, StoreResult};
use burncloud_core::testing::receipt;
use burncloud_core::{Receipt, ReceiptId, UnixMicros, UserId};
use burncloud_store::{SecretBox, SqlStore};
use sea_orm::{ConnectionTrait, Database};
use secrecy::ExposeSecret;
use std::sync::Arc;
use tempfile::TempDir;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Links that show what they were made of; whether they prove anything is tested where they are made.
struct Plain;

impl Sealer for Plain {
    fn seal(&self, last: Option<(i64, [u8; 32])>, entry: i64, receipts: &[&Receipt]) -> StoreResult<Sealed> {
        let mut ids: Vec<ReceiptId> = receipts.iter().map(|receipt| receipt.id).collect();
        ids.sort_unstable();
        let sequence = last.map_or(0, |(sequence, _)| sequence) + 1;
        let hash = |n: i64| [u8::try_from(n % 251).unwrap() + 1; 32];
        Ok(Sealed {
            sequence,
            entry,
            at: UnixMicros(sequence),
            leaves: ids.iter().map(|id| [id.0.to_le_bytes()[0]; 32]).collect(),
            receipts: ids,
            salt: [3; 16],
            previous: last.map_or([0; 32], |(_, hash)| hash),
            root: [4; 32],
            hash: hash(sequence),
            signature: vec![5; 64],
            key: [6; 8],
        })
    }
}

fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
    (folder, url)
}

async fn open(url: &str) -> SqlStore {
    SqlStore::connect(url, SecretBox::from_text(&KEY.to_owned().into()).unwrap()).await.unwrap()
}

fn batch(numbers: std::ops::Range<u64>) -> Vec<Arc<Receipt>> {
    numbers.map(|n| Arc::new(receipt(n))).collect()
}

#[tokio::test]
async fn what_is_recorded_together_is_a_link() {
    let (_folder, url) = folder();
    let store = open(&url).await;
    assert_eq!(store.record(&batch(0..2)).await.unwrap(), 2);
    store.seal_with(Arc::new(Plain));
    assert_eq!(store.record(&batch(0..5)).await.unwrap(), 3);
    assert_eq!(store.record(&batch(0..5)).await.unwrap(), 0, "nothing new, no link");
    assert_eq!(store.record(&batch(5..306)).await.unwrap(), 301);
    let links = store.seals(0, 10).await.unwrap();
    assert_eq!(
        links.iter().map(|link| (link.sequence, link.receipts.len())).collect::<Vec<_>>(),
        [(1, 3), (2, 301)]
    );
    assert_eq!(links[1].previous, links[0].hash);
    let sorted: Vec<Arc<Receipt>> = batch(2..5);
    let made = Plain.seal(None, links[0].entry, &sorted.iter().map(|receipt| &**receipt).collect::<Vec<_>>());
    assert_eq!(links[0], made.unwrap(), "every field is kept");
    assert_eq!(store.seals(1, 10).await.unwrap(), links[1..]);
    // The same entry that posted them.
    assert_eq!(store.seal_of(receipt(4).id).await.unwrap().as_ref(), Some(&links[0]));
    assert_eq!(store.seal_of(receipt(0).id).await.unwrap(), None, "recorded before there was a sealer");
    assert_eq!(store.seal_of(receipt(999).id).await.unwrap(), None);
    assert_eq!(store.receipt_owner(receipt(4).id).await.unwrap().unwrap().1, UserId(8));
    assert_eq!(store.receipt_owner(receipt(999).id).await.unwrap(), None);
    let found = store.receipts_by_id(&[receipt(305).id, receipt(999).id, receipt(1).id]).await.unwrap();
    assert_eq!(found, [receipt(1), receipt(305)]);
}

#[tokio::test]
async fn receipts_tell_that_links_are_gone() {
    let gone = |n| Some((receipt(n).id, if n < 3 { 1 } else { 2 }));
    for (damage, named) in [
        ("UPDATE receipt_seals SET sequence = sequence", None),
        ("DELETE FROM receipt_seals", gone(0)),
        ("DELETE FROM receipt_seals WHERE sequence = 2", gone(3)),
        ("UPDATE receipt_seals SET receipts = substr(receipts, 1, 32) WHERE sequence = 2", gone(5)),
    ] {
        let (_folder, url) = folder();
        let store = open(&url).await;
        store.seal_with(Arc::new(Plain));
        store.record(&batch(0..3)).await.unwrap();
        store.record(&batch(3..6)).await.unwrap();
        let raw = Database::connect(&url).await.unwrap();
        raw.execute_unprepared(damage).await.unwrap();
        assert_eq!(store.unlisted_receipt().await.unwrap(), named, "{damage}");
        if damage.starts_with("DELETE") {
            let refused = store.seal_of(receipt(4).id).await;
            assert!(matches!(refused, Err(StoreError::Invalid(_))), "{damage}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn behind_a_damaged_link_receipts_wait() {
    let (_folder, url) = folder();
    let store = open(&url).await;
    store.seal_with(Arc::new(Plain));
    store.record(&batch(0..2)).await.unwrap();
    let raw = Database::connect(&url).await.unwrap();
    for damage in ["x'0102'", "'a text'"] {
        raw.execute_unprepared(&format!("UPDATE receipt_seals SET hash = {damage}")).await.unwrap();
        let failed = store.record(&batch(2..4)).await.unwrap_err();
        assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
        assert_eq!(store.receipt(receipt(2).id).await.unwrap(), None);
    }
    let hash = "02".repeat(32);
    raw.execute_unprepared(&format!("UPDATE receipt_seals SET hash = x'{hash}'")).await.unwrap();
    assert_eq!(store.record(&batch(2..4)).await.unwrap(), 2, "once it is mended they go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_make_one_chain() {
    let (_folder, url) = folder();
    let stores = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    stores.iter().for_each(|store| store.seal_with(Arc::new(Plain)));
    let tasks: Vec<_> = (0..8u64)
        .map(|n| {
            let store = stores[usize::from(n % 2 == 1)].clone();
            tokio::spawn(async move {
                for k in 0..5 {
                    let first = n * 100 + k * 20;
                    store.record(&batch(first..first + 20)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let links = stores[0].seals(0, 100).await.unwrap();
    assert_eq!(links.len(), 40);
    let mut all: Vec<ReceiptId> = Vec::new();
    for (index, link) in links.iter().enumerate() {
        assert_eq!(link.sequence, i64::try_from(index).unwrap() + 1);
        assert_eq!(link.previous, if index == 0 { [0; 32] } else { links[index - 1].hash });
        all.extend(&link.receipts);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 800, "every receipt is in one link");
}

#[tokio::test]
async fn signing_keys_are_kept_encrypted_and_in_order() {
    let (folder, url) = folder();
    let store = open(&url).await;
    let key = |n: u8| ProofKey { id: [n; 8], public: [n; 32], since: UnixMicros(i64::from(10 - n)) };
    let seed = "5eed".repeat(16);
    store.add_proof_key(key(1), &seed.clone().into()).await.unwrap();
    store.add_proof_key(key(2), &"other".to_owned().into()).await.unwrap();
    assert!(store.add_proof_key(key(1), &seed.clone().into()).await.is_err(), "a key is never changed");
    assert_eq!(store.proof_keys().await.unwrap(), [key(2), key(1)]);
    assert_eq!(store.proof_seed([1; 8]).await.unwrap().unwrap().expose_secret(), seed);
    assert!(store.proof_seed([3; 8]).await.unwrap().is_none());
    let stranger = SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap();
    assert!(stranger.proof_seed([1; 8]).await.unwrap().is_none(), "another secret key opens nothing");
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        assert!(!bytes.windows(seed.len()).any(|window| window == seed.as_bytes()), "in clear in {file:?}");
    }
}

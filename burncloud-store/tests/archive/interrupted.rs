//! Whatever is interrupted: the next run finishes it.

use super::house::{House, names, verify_all};
use async_trait::async_trait;
use burncloud_billing::archive::{ArchiveError, archive};
use burncloud_core::store::{
    ArchiveStore, Archived, ArchivedReceipt, ArchivedSums, ProofKey, ProofStore, ReceiptFilter, ReceiptStore,
    Sealed, StoreError, StoreResult,
};
use burncloud_core::{KeyId, Receipt, ReceiptId, UnixMicros, UserId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Goes away at the call of that number, before it does what it is asked for, or after it did.
struct Away {
    house: Arc<House>,
    calls: AtomicUsize,
    at: usize,
    after: bool,
}

impl Away {
    fn new(house: &Arc<House>, at: usize, after: bool) -> Away {
        Away { house: house.clone(), calls: AtomicUsize::new(0), at, after }
    }

    async fn call<T>(&self, done: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        let gone = || Err(StoreError::Unavailable("gone".into()));
        if self.calls.fetch_add(1, SeqCst) != self.at {
            return done.await;
        }
        if self.after { done.await.and_then(|_| gone()) } else { gone() }
    }
}

#[async_trait]
impl ProofStore for Away {
    async fn proof_keys(&self) -> StoreResult<Vec<ProofKey>> {
        self.call(self.house.store.proof_keys()).await
    }

    async fn seal_of(&self, id: ReceiptId) -> StoreResult<Option<Sealed>> {
        self.call(self.house.store.seal_of(id)).await
    }

    async fn seals(&self, after: i64, limit: u32) -> StoreResult<Vec<Sealed>> {
        self.call(self.house.store.seals(after, limit)).await
    }

    async fn receipts_by_id(&self, ids: &[ReceiptId]) -> StoreResult<Vec<Receipt>> {
        self.call(self.house.store.receipts_by_id(ids)).await
    }

    async fn receipt_owner(&self, id: ReceiptId) -> StoreResult<Option<(KeyId, UserId)>> {
        self.call(self.house.store.receipt_owner(id)).await
    }
}

#[async_trait]
impl ArchiveStore for Away {
    async fn archive(&self, part: &Archived) -> StoreResult<()> {
        self.call(self.house.store.archive(part)).await
    }

    async fn archives(&self, after: i64, limit: u32) -> StoreResult<Vec<Archived>> {
        self.call(self.house.store.archives(after, limit)).await
    }

    async fn last_archive(&self) -> StoreResult<Option<Archived>> {
        self.call(self.house.store.last_archive()).await
    }

    async fn archived_receipts(&self, ids: &[ReceiptId]) -> StoreResult<Vec<ArchivedReceipt>> {
        self.call(self.house.store.archived_receipts(ids)).await
    }

    async fn archived_sums(&self) -> StoreResult<ArchivedSums> {
        self.call(self.house.store.archived_sums()).await
    }

    async fn oldest_receipt(&self) -> StoreResult<Option<UnixMicros>> {
        self.call(self.house.store.oldest_receipt()).await
    }
}

/// Links that take several transactions: of 510, 500 and 5 receipts, and a young one.
async fn filled() -> Arc<House> {
    let house = House::new().await;
    house.record(0..510, 1_000).await;
    house.record(510..1_010, 2_000).await;
    house.record(1_010..1_015, 3_000).await;
    house.record(1_015..1_017, 9_000).await;
    Arc::new(house)
}

async fn in_order(house: &House, receipts: u64) {
    let left = house.store.receipts(&ReceiptFilter { limit: 5_000, ..Default::default() }).await.unwrap();
    let archived = house.store.last_archive().await.unwrap().map_or(0, |last| last.total);
    assert_eq!(left.len() as u64 + archived, receipts, "nothing is lost, nothing is there twice");
    verify_all(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_goes_away_at_any_call_loses_nothing() {
    let mut done_at = None;
    for at in 0..40 {
        // To be gone before a call is to be gone after the one before it.
        for after in if at == 0 { vec![false, true] } else { vec![true] } {
            let house = filled().await;
            let first = archive(&Away::new(&house, at, after), &house.before(5_000)).await;
            let taken = house.store.last_archive().await.unwrap().map_or(0, |last| last.total);
            if taken > 0 {
                in_order(&house, 1_017).await;
            }
            match first {
                Ok(done) => {
                    assert_eq!(done.receipts, 1_015);
                    done_at = Some(at);
                }
                Err(ArchiveError::Store(StoreError::Unavailable(_))) => {}
                Err(other) => panic!("call {at}: {other}"),
            }
            archive(&house.store, &house.before(5_000)).await.unwrap();
            assert_eq!(house.store.last_archive().await.unwrap().unwrap().total, 1_015, "call {at}");
            assert_eq!(names(&house.folder), ["receipts-1-3.jsonl"], "call {at}: one file, and no leftovers");
            in_order(&house, 1_017).await;
        }
        if done_at.is_some() {
            break;
        }
    }
    assert!(done_at.is_some_and(|at| at > 10), "each call was one to fail at: {done_at:?}");
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_loses_nothing() {
    // Dropped at its first await, its second, and so on.
    for n in 0..400_u32 {
        let house = filled_small().await;
        let options = house.before(5_000);
        let mut run = Box::pin(archive(&house.store, &options));
        let mut polls = 0;
        let ended = std::future::poll_fn(|cx| {
            if polls == n {
                return std::task::Poll::Ready(false);
            }
            polls += 1;
            run.as_mut().poll(cx).map(|done| {
                done.unwrap();
                true
            })
        })
        .await;
        drop(run);
        let archived = house.store.last_archive().await.unwrap().map_or(0, |last| last.total);
        assert!(archived == 0 || archived == 4, "all of a transaction or nothing: {archived}");
        archive(&house.store, &options).await.unwrap();
        assert_eq!(house.store.last_archive().await.unwrap().unwrap().total, 4);
        in_order(&house, 5).await;
        if ended {
            assert!(n > 5, "it was dropped at several places");
            return;
        }
    }
    panic!("it never ended");
}

async fn filled_small() -> House {
    let house = House::new().await;
    house.record(0..2, 1_000).await;
    house.record(2..4, 2_000).await;
    house.record(4..5, 9_000).await;
    house
}

#[tokio::test]
async fn a_file_that_the_store_was_not_told_of_is_used() {
    let house = filled_small().await;
    archive(&house.store, &house.before(5_000)).await.unwrap();
    let made = std::fs::read(house.folder.join("receipts-1-2.jsonl")).unwrap();
    // The same house, interrupted between the file and the store.
    let house = filled_small().await;
    std::fs::create_dir_all(&house.folder).unwrap();
    std::fs::write(house.folder.join("receipts-1-2.jsonl"), &made).unwrap();
    assert_eq!(archive(&house.store, &house.before(5_000)).await.unwrap().receipts, 4);
    assert_eq!(std::fs::read(house.folder.join("receipts-1-2.jsonl")).unwrap(), made);
    in_order(&house, 5).await;
}

#[tokio::test]
async fn another_file_of_its_name_stays_and_nothing_is_archived() {
    for other in ["not ours", ""] {
        let house = filled_small().await;
        std::fs::create_dir_all(&house.folder).unwrap();
        let path = house.folder.join("receipts-1-2.jsonl");
        std::fs::write(&path, other).unwrap();
        let refused = archive(&house.store, &house.before(5_000)).await.unwrap_err().to_string();
        assert!(refused.contains("receipts-1-2.jsonl"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
        assert_eq!(house.store.last_archive().await.unwrap(), None);
        std::fs::remove_file(&path).unwrap();
        archive(&house.store, &house.before(5_000)).await.unwrap();
        in_order(&house, 5).await;
    }
}

#[tokio::test]
async fn what_was_begun_goes_on_elsewhere_when_its_file_is_gone() {
    let house = filled().await;
    // Call by call until one part of two was taken.
    for at in 0.. {
        let _ = archive(&Away::new(&house, at, true), &house.before(5_000)).await;
        if house.store.last_archive().await.unwrap().is_some() {
            break;
        }
    }
    let last = house.store.last_archive().await.unwrap().unwrap();
    assert_eq!((last.last, last.total), (1, 510));
    let elsewhere = house.folder.with_extension("moved");
    std::fs::rename(&house.folder, &elsewhere).unwrap();
    let done = archive(&house.store, &house.before(5_000)).await.unwrap();
    assert_eq!((done.links, done.files), (2, vec!["receipts-2-3.jsonl".to_owned()]));
    std::fs::rename(elsewhere.join("receipts-1-3.jsonl"), house.folder.join("receipts-1-3.jsonl")).unwrap();
    in_order(&house, 1_017).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_moves_nothing() {
    let house = filled_small().await;
    std::fs::write(&house.folder, "a file").unwrap();
    let refused = archive(&house.store, &house.before(5_000)).await;
    assert!(matches!(refused, Err(ArchiveError::File { .. })), "{refused:?}");
    assert_eq!(house.store.last_archive().await.unwrap(), None);
    std::fs::remove_file(&house.folder).unwrap();
    in_order(&house, 5).await;
}

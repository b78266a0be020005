//! Old receipts move into files: nothing is lost, nothing is charged twice, nothing that is wrong goes unsaid.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

mod house;
mod interrupted;
mod tampered;

use burncloud_billing::archive::{ArchiveError, archive, read_file};
use burncloud_billing::desk::archive_old;
use burncloud_billing::ledger::verify_with_archive;
use burncloud_billing::people::{self, Actor};
use burncloud_core::ledger::{EntryKind, NewEntry, Posting};
use burncloud_core::store::{ArchiveStore, LedgerStore, ProofStore, ReceiptFilter, ReceiptStore, StoreError};
use burncloud_core::{Nano, UnixMicros};
use house::{House, names, verify_all};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn old_links_move_into_a_file_that_proves_them() {
    let house = House::new().await;
    house.record(0..3, 1_000).await;
    house.record(3..5, 2_000).await;
    house.record(5..9, 9_000).await;
    let done = archive(&house.store, &house.before(5_000)).await.unwrap();
    assert_eq!((done.links, done.receipts), (2, 5));
    assert_eq!(done.files, ["receipts-1-2.jsonl"]);
    assert_eq!(names(&house.folder), done.files);
    let mut seen = Vec::new();
    let path = house.folder.join(&done.files[0]);
    read_file::<ArchiveError>(&path, &house.keys().await, |link| {
        seen.extend(link.receipts.into_iter());
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, house.receipts(0..5), "as they were recorded");
    let left = house.store.receipts(&ReceiptFilter::default()).await.unwrap();
    assert_eq!(left.len(), 4);
    let report = verify_all(&house).await;
    assert_eq!((report.archived, report.reread, report.receipts), (5, 5, 4));
    let again = archive(&house.store, &house.before(5_000)).await.unwrap();
    assert_eq!((again.links, again.files.len()), (0, 0), "nothing is archived twice");
    let rest = archive(&house.store, &house.before(10_000)).await.unwrap();
    assert_eq!((rest.links, rest.receipts, rest.files), (1, 4, vec!["receipts-3-3.jsonl".to_owned()]));
    verify_all(&house).await;
}

#[tokio::test]
async fn what_has_no_link_or_is_not_wholly_old_stays() {
    let house = House::unsealed().await;
    house.record(0..2, 1_000).await;
    house.seal();
    house.record(2..4, 2_000).await;
    // The clock was set back when this was recorded: one of its requests arrived later than that.
    house.arrived(5, 7_000);
    house.record(4..6, 3_000).await;
    house.record(6..8, 4_000).await;
    let done = archive(&house.store, &house.before(5_000)).await.unwrap();
    assert_eq!((done.links, done.receipts), (1, 2));
    let left = house.store.receipts(&ReceiptFilter::default()).await.unwrap();
    assert_eq!(left.len(), 6, "those without a link, the link that is not wholly old, and what follows it");
    verify_all(&house).await;
    assert_eq!(house.store.unlisted_receipt().await.unwrap(), None);
    let done = archive(&house.store, &house.before(8_000)).await.unwrap();
    assert_eq!((done.links, done.receipts), (2, 4));
    let report = verify_all(&house).await;
    assert_eq!((report.receipts, report.archived), (2, 6));
}

#[tokio::test]
async fn what_is_shipped_again_is_charged_once() {
    let house = House::new().await;
    house.record(0..4, 1_000).await;
    let before = verify_all(&house).await;
    archive(&house.store, &house.before(5_000)).await.unwrap();
    let all: Vec<_> = house.receipts(0..4).into_iter().map(Arc::new).collect();
    assert_eq!(house.store.record(&all).await.unwrap(), 0);
    assert_eq!(house.store.record(&all[2..3]).await.unwrap(), 0);
    assert_eq!(house.store.seals(0, 10).await.unwrap().len(), 1, "no link either");
    let after = verify_all(&house).await;
    assert_eq!((before.entries, before.receipts), (after.entries, after.archived));
    let some = house.receipts(3..6).into_iter().map(Arc::new).collect::<Vec<_>>();
    assert_eq!(house.store.record(&some).await.unwrap(), 2, "those among them that are new");
    let report = verify_all(&house).await;
    assert_eq!((report.receipts, report.archived), (2, 4));
}

#[tokio::test]
async fn an_entry_of_archived_receipts_is_still_undone() {
    let house = House::new().await;
    house.record(0..4, 1_000).await;
    let entry = house.store.seals(0, 1).await.unwrap()[0].entry;
    archive(&house.store, &house.before(5_000)).await.unwrap();
    let refused = people::reverse(&house.store, &Actor::operator("owner"), entry, "a gift").await;
    assert!(refused.unwrap_err().to_string().contains("what requests cost is not undone"), "as before");
    // The store itself can: it needs no receipt for that.
    let first = house.store.entry(entry).await.unwrap().unwrap();
    let postings = first.postings.iter().map(|one| Posting { amount: Nano(-one.amount.0), ..*one }).collect();
    let (author, reason) = ("owner".to_owned(), "a gift".to_owned());
    let reverses = Some(entry);
    let undo = NewEntry { kind: EntryKind::Reversal, reference: None, author, reason, reverses, postings };
    assert!(house.store.post(undo.clone()).await.unwrap().new);
    assert!(matches!(house.store.post(undo).await, Err(StoreError::Conflict { .. })), "once");
    verify_all(&house).await;
}

#[tokio::test]
async fn requests_from_before_the_ledger_are_archived_too() {
    let house = House::new().await;
    house.arrived(1, 1_000_000_000_000_000 - house.zero);
    house.record(0..3, 1_000).await;
    house.record(3..5, 9_000).await;
    let before = verify_all(&house).await;
    archive(&house.store, &house.before(5_000)).await.unwrap();
    assert_eq!(house.store.archived_sums().await.unwrap().older, 1);
    let after = verify_all(&house).await;
    assert_eq!((before.receipts, after.receipts + after.archived), (5, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_gateway_records_on_while_it_is_archived() {
    let house = Arc::new(House::new().await);
    let writer = {
        let house = house.clone();
        tokio::spawn(async move {
            for n in 0..60 {
                house.record(n * 5..n * 5 + 5, 1_000).await;
                // Shipped twice, as after a crash.
                let again: Vec<_> = house.receipts(n * 5..n * 5 + 5).into_iter().map(Arc::new).collect();
                assert_eq!(house.store.record(&again).await.unwrap(), 0);
            }
        })
    };
    let archiver = {
        let house = house.clone();
        tokio::spawn(async move {
            let mut moved = 0;
            while moved < 300 {
                moved += archive(&house.store, &house.before(5_000)).await.unwrap().receipts;
                tokio::task::yield_now().await;
            }
            moved
        })
    };
    writer.await.unwrap();
    assert_eq!(archiver.await.unwrap(), 300);
    let report = verify_all(&house).await;
    assert_eq!((report.receipts, report.archived), (0, 300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_at_once_archive_each_link_once() {
    let house = Arc::new(House::new().await);
    for n in 0..40 {
        house.record(n * 3..n * 3 + 3, 1_000).await;
    }
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move {
                let mut moved = 0;
                loop {
                    match archive(&house.store, &house.before(5_000)).await {
                        Ok(done) => return moved + done.receipts,
                        Err(ArchiveError::Busy) => {
                            // What it had moved before it met another counts all the same.
                            moved = 0;
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(house.store.last_archive().await.unwrap().unwrap().total, 120);
    let report = verify_all(&house).await;
    assert_eq!((report.receipts, report.archived), (0, 120));
}

#[tokio::test]
async fn what_the_house_keeps_no_longer_goes_by_whole_days() {
    let house = House::new().await;
    let day = 86_400_000_000;
    let days_ago = |days: i64| (UnixMicros::now().0.div_euclid(day) - days) * day - house.zero;
    house.record(0..2, days_ago(60)).await;
    house.record(2..4, days_ago(30) - 1).await;
    // On the day that is kept still.
    house.record(4..6, days_ago(30)).await;
    house.record(6..8, days_ago(1)).await;
    let keep = Duration::from_secs(30 * 86_400);
    let done = archive_old(&house.store, keep, &house.folder, Duration::ZERO).await.unwrap();
    assert_eq!((done.links, done.receipts, done.files.len()), (2, 4, 1));
    let report = verify_all(&house).await;
    assert_eq!((report.receipts, report.archived), (4, 4));
}

#[tokio::test]
async fn an_empty_or_young_house_archives_nothing() {
    let house = House::new().await;
    assert_eq!(archive(&house.store, &house.before(i64::MAX)).await.unwrap().links, 0);
    house.record(0..2, 6_000).await;
    assert_eq!(archive(&house.store, &house.before(5_000)).await.unwrap().links, 0);
    assert!(!house.folder.exists(), "no folder is made for nothing");
    assert_eq!(house.store.oldest_receipt().await.unwrap(), Some(UnixMicros(house.zero + 6_000)));
    verify_with_archive(&house.store, &house.folder, |_| ()).await.unwrap();
}

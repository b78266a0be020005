//! Archived receipts: gone from lists, never from sums, and never recorded twice.

use super::{default_user, new_key, new_user, receipt};
use crate::store::{
    ArchiveStore, Archived, ArchivedReceipt, ArchivedSums, LogQuery, NewUser, ReceiptFilter, ReportStore,
    Sealed, Sealer, SpendingStore, Store, StoreError, StoreResult, UsageQuery,
};
use crate::{ApiKey, KeyId, Leg, Nano, Receipt, ReceiptId, Scope, Spent, TenantId, UnixMicros};
use std::sync::Arc;

/// Makes links that prove nothing: for suites, which look at what a store does with links and not at what they say.
#[must_use]
pub fn sealer() -> Arc<dyn Sealer> {
    Arc::new(Plain)
}

struct Plain;

impl Sealer for Plain {
    fn seal(&self, last: Option<(i64, [u8; 32])>, entry: i64, receipts: &[&Receipt]) -> StoreResult<Sealed> {
        let mut ids: Vec<ReceiptId> = receipts.iter().map(|receipt| receipt.id).collect();
        ids.sort_unstable();
        let sequence = last.map_or(0, |(sequence, _)| sequence) + 1;
        let mut hash = [7; 32];
        hash[..8].copy_from_slice(&sequence.to_be_bytes());
        Ok(Sealed {
            sequence,
            entry,
            at: UnixMicros::now(),
            leaves: vec![[1; 32]; ids.len()],
            receipts: ids,
            salt: [3; 16],
            previous: last.map_or([0; 32], |(_, hash)| hash),
            root: [4; 32],
            hash,
            signature: vec![5; 64],
            key: [6; 8],
        })
    }
}

/// The `n`th receipt, charging `charge` to that key.
fn charged(n: u64, key: &ApiKey, tenant: TenantId, charge: i64) -> Arc<Receipt> {
    let legs = vec![Leg { tenant, parent: TenantId(77), charge: Nano(charge - 1), shortfall: Nano::ZERO }];
    let charge = Nano(charge);
    Arc::new(Receipt { key: key.id, user: key.user, tenant, charge, legs, ..receipt(n) })
}

async fn key<S: Store>(store: &S) -> (ApiKey, TenantId) {
    let tenant = default_user(store).await.tenant;
    let new = NewUser { unlimited: true, ..new_user("archived", tenant) };
    let user = store.create_user(new).await.expect("create_user makes one");
    (store.create_key(new_key("archived", user.id)).await.expect("create_key makes a key"), tenant)
}

fn part(first: i64, last: i64, receipts: u64) -> Archived {
    let file = format!("receipts-{first}-{last}.jsonl");
    Archived { first, last, receipts, total: 0, file, sha256: [9; 32], at: UnixMicros(5) }
}

/// Records three links of two, three and one receipts; `false` where the store makes none.
async fn three_links<S: Store + ArchiveStore>(store: &S) -> (Vec<Arc<Receipt>>, bool) {
    let (key, tenant) = key(store).await;
    let all: Vec<_> = (1..=6).map(|n| charged(n, &key, tenant, 10 * n.cast_signed())).collect();
    for batch in [&all[..2], &all[2..5], &all[5..]] {
        assert_eq!(store.record(batch).await.expect("record records"), batch.len());
    }
    let links = store.seals(0, 10).await.expect("seals answers");
    assert!(links.is_empty() || links.len() == 3, "each batch is a link");
    (all, !links.is_empty())
}

pub(super) async fn nothing_is_archived_of_itself<S: Store + ArchiveStore>(store: Arc<S>) {
    assert_eq!(store.oldest_receipt().await.expect("answers"), None, "there is none yet");
    let (all, _) = three_links(&*store).await;
    assert_eq!(store.archives(0, 10).await.expect("archives answers"), [], "nothing was archived");
    assert_eq!(store.last_archive().await.expect("last_archive answers"), None);
    assert_eq!(store.archived_sums().await.expect("archived_sums answers"), ArchivedSums::default());
    assert_eq!(store.archived_receipts(&[all[0].id]).await.expect("answers"), []);
    assert_eq!(store.oldest_receipt().await.expect("answers"), Some(all[0].at), "the oldest by id");
    let none = store.archive(&part(4, 4, 1)).await;
    assert!(none.is_err(), "a link that is not there: {none:?}");
    assert_eq!(store.receipts(&ReceiptFilter::default()).await.expect("answers").len(), 6, "all is there");
}

pub(super) async fn what_is_archived_leaves_its_sums<S>(store: Arc<S>)
where
    S: Store + ArchiveStore + ReportStore + SpendingStore,
{
    let (all, links) = three_links(&*store).await;
    if !links {
        return;
    }
    let query = UsageQuery { until: UnixMicros(i64::MAX / 2), ..UsageQuery::default() };
    let scope = Scope::Key(all[0].key);
    let sums = async || {
        (
            store.usage(&query).await.expect("usage answers"),
            store.spent(&scope, UnixMicros(0)).await.expect("spent answers"),
            store.key(all[0].key).await.expect("key answers").map(|key| key.used),
            store.user(all[0].user).await.expect("user answers").map(|user| (user.used, user.balance)),
            store.balances(None, 100).await.expect("balances answers"),
            store.extent().await.expect("extent answers").receipts,
        )
    };
    let before = sums().await;
    let entry = store.seals(1, 1).await.expect("seals answers")[0].entry;
    store.archive(&part(1, 2, 5)).await.expect("the oldest links are archived");
    let after = sums().await;
    assert_eq!((&after.0, &after.1, &after.2, &after.3, &after.4), {
        (&before.0, &before.1, &before.2, &before.3, &before.4)
    });
    assert_eq!((before.5, after.5), (6, 1), "what there is now");
    let left: Vec<_> = store.receipts(&ReceiptFilter::default()).await.expect("answers");
    assert_eq!(left.iter().map(|receipt| receipt.id).collect::<Vec<_>>(), [all[5].id], "gone from lists");
    let log = LogQuery { until: Some(UnixMicros(i64::MAX / 2)), ..LogQuery::default() };
    assert_eq!(store.log(&log).await.expect("log answers").len(), 1, "gone from searches");
    assert_eq!(store.receipt(all[2].id).await.expect("receipt answers"), None);
    assert_eq!(store.receipts_by_id(&[all[2].id]).await.expect("answers"), []);
    assert_eq!(store.oldest_receipt().await.expect("answers"), Some(all[5].at));
    assert_eq!(store.seals(0, 10).await.expect("seals answers").len(), 3, "links stay");
    let ids: Vec<_> = all[2..5].iter().map(|receipt| receipt.id).collect();
    assert_eq!(store.receipt_ids_of(entry).await.expect("answers"), ids, "an entry knows what it posted");
    assert_eq!(store.receipts_of(entry).await.expect("answers"), [], "and that it is gone");
    let known = store.archived_receipts(&[all[4].id, all[5].id, all[0].id]).await.expect("answers");
    let one =
        |n: usize, link| ArchivedReceipt { id: all[n].id, link, user: all[n].user, tenant: all[n].tenant };
    assert_eq!(known, [one(0, 1), one(4, 2)], "it is known which receipts were there, and whose");
    let kept = store.archived_sums().await.expect("archived_sums answers");
    let mut expected = ArchivedSums::default();
    let begun = store.ledger_begun().await.expect("ledger_begun answers");
    all[..5].iter().for_each(|receipt| expected.add(receipt, begun));
    assert_eq!(kept, expected, "what they came to is kept");
}

pub(super) async fn parts_follow_one_another<S: Store + ArchiveStore>(store: Arc<S>) {
    let (_, links) = three_links(&*store).await;
    if !links {
        return;
    }
    let refused = async |part: Archived, why: &str| {
        let result = store.archive(&part).await;
        assert_eq!(store.receipts(&ReceiptFilter::default()).await.expect("answers").len(), 6, "{why}");
        assert_eq!(store.archived_sums().await.expect("answers"), ArchivedSums::default(), "{why}");
        result.expect_err(why)
    };
    let gap = refused(part(2, 2, 3), "the first link is not archived yet").await;
    assert!(matches!(gap, StoreError::Conflict { .. }), "{gap:?}");
    let beyond = refused(part(1, 4, 6), "there is no fourth link").await;
    assert!(matches!(beyond, StoreError::NotFound { .. }), "{beyond:?}");
    for wrong in [part(1, 2, 4), part(1, 2, 6)] {
        let counted = refused(wrong, "they are five").await;
        assert!(matches!(counted, StoreError::Invalid(_)), "{counted:?}");
    }
    store.archive(&part(1, 1, 2)).await.expect("the first link");
    let again = store.archive(&part(1, 1, 2)).await.expect_err("once");
    assert!(matches!(again, StoreError::Conflict { .. }), "{again:?}");
    store.archive(&part(2, 3, 4)).await.expect("those after it");
    let parts = store.archives(0, 10).await.expect("archives answers");
    let with = |part: Archived, total| Archived { total, ..part };
    assert_eq!(parts, [with(part(1, 1, 2), 2), with(part(2, 3, 4), 6)], "every field is kept, and how many");
    assert_eq!(store.archives(1, 10).await.expect("answers"), parts[1..], "after a link");
    assert_eq!(store.archives(0, 1).await.expect("answers"), parts[..1], "at most so many");
    assert_eq!(store.last_archive().await.expect("answers").as_ref(), parts.last());
    assert_eq!(store.oldest_receipt().await.expect("answers"), None, "none is left");
}

pub(super) async fn an_archived_receipt_is_never_recorded_again<S: Store + ArchiveStore>(store: Arc<S>) {
    let (all, links) = three_links(&*store).await;
    if !links {
        return;
    }
    store.archive(&part(1, 2, 5)).await.expect("archived");
    let used = async || store.key(all[0].key).await.expect("answers").expect("there").used;
    let before = (used().await, store.entries(&Default::default()).await.expect("answers").len());
    assert_eq!(store.record(&all).await.expect("record records"), 0, "all are known");
    assert_eq!(store.record(&all[1..2]).await.expect("record records"), 0, "one alone too");
    let new = Arc::new(Receipt { id: ReceiptId(all[2].id.0 | 0xff_0000), ..(*all[2]).clone() });
    let mixed = [all[0].clone(), new.clone(), all[5].clone(), all[4].clone()];
    assert_eq!(store.record(&mixed).await.expect("record records"), 1, "the one that is new is recorded");
    assert_eq!(used().await, before.0.plus(new.charge), "and charged, and no other");
    assert_eq!(store.entries(&Default::default()).await.expect("answers").len(), before.1 + 1);
    assert_eq!(store.receipt(new.id).await.expect("answers").as_ref(), Some(&*new), "older ones are taken");
    assert_eq!(store.receipt(all[0].id).await.expect("answers"), None);
}

/// Records and archives at the same time, from several tasks; every receipt counts once, is archived once or still there.
pub(super) async fn archiving_while_recording_loses_nothing<S>(store: Arc<S>)
where
    S: Store + ArchiveStore + SpendingStore,
{
    let (_, links) = three_links(&*store).await;
    if !links {
        return;
    }
    let some = |from: u64| (from..from + 5).map(|n| Arc::new(Receipt { charge: Nano(1), ..receipt(n) }));
    let recorders: Vec<_> = (0..3_u64)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                for k in 0..8 {
                    // Each batch twice: once by this task, once by the next one, perhaps after it was archived.
                    for round in [n, (n + 1) % 3] {
                        let batch: Vec<_> = some(1_000 + round * 100 + k * 5).collect();
                        until_there(&*store, &batch).await;
                    }
                }
            })
        })
        .collect();
    let archivers: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..60 {
                    archive_next(&*store).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in recorders.into_iter().chain(archivers) {
        task.await.expect("neither panics");
    }
    let archived = store.last_archive().await.expect("answers").map_or(0, |last| last.total);
    let left = store.receipts(&ReceiptFilter { limit: 1_000, ..Default::default() }).await.expect("answers");
    assert_eq!(archived + left.len() as u64, 126, "each is archived or there");
    let spent = store.spent(&Scope::Key(KeyId(7)), UnixMicros(0)).await.expect("spent answers");
    let tokens = crate::spent_tokens(receipt(1).operation, &receipt(1).usage);
    assert_eq!(spent, Spent { money: Nano(120), tokens: 120 * tokens }, "and counted once");
}

/// Archives the link after the last that was, if there is one and nobody is quicker.
async fn archive_next<S: ArchiveStore>(store: &S) {
    let first = store.last_archive().await.expect("answers").map_or(0, |last| last.last) + 1;
    let link = store.seals(first - 1, 1).await.expect("seals answers").pop();
    let Some(link) = link else { return };
    match store.archive(&part(first, first, link.receipts.len() as u64)).await {
        Ok(()) | Err(StoreError::Conflict { .. } | StoreError::Unavailable(_)) => {}
        Err(error) => panic!("archive: {error}"),
    }
}

async fn until_there<S: Store>(store: &S, batch: &[Arc<Receipt>]) {
    for _ in 0..200 {
        match store.record(batch).await {
            Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
            done => {
                done.expect("record records");
                return;
            }
        }
    }
    panic!("record: the store stays away");
}

//! Killed at any moment: what was durable is there once, and nothing is there twice.

use super::support::*;
use crate::{Biller, BillerOptions};
use burncloud_core::billing::Billing;
use burncloud_core::{End, Nano, ReceiptId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

fn journals(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "journal"))
        .collect();
    files.sort();
    files
}

/// What a kill leaves: the files as they are, the last one cut off anywhere.
fn copy(from: &Path, cut: u64) -> TempDir {
    let to = TempDir::new().unwrap();
    let files = journals(from);
    for (i, file) in files.iter().enumerate() {
        let target = to.path().join(file.file_name().unwrap());
        fs::copy(file, &target).unwrap();
        if i + 1 == files.len() {
            let length = fs::metadata(&target).unwrap().len();
            fs::OpenOptions::new()
                .write(true)
                .open(&target)
                .unwrap()
                .set_len(length.saturating_sub(cut))
                .unwrap();
        }
    }
    to
}

fn shipped(dir: &Path, store: &Arc<MockStore>) -> u64 {
    let (biller, mut shipper) = open(dir, store);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let count = runtime.block_on(shipper.recover()).unwrap();
    drop((biller, shipper));
    count
}

struct Written {
    dir: TempDir,
    settled: Vec<(ReceiptId, Nano)>,
    under_way: BTreeSet<ReceiptId>,
}

/// A history of requests: each is left under way, or settled (now or one step later).
fn write(history: &[u8], segment_bytes: u64) -> Written {
    let dir = TempDir::new().unwrap();
    let live = TempDir::new().unwrap();
    let store = Arc::new(MockStore::default());
    let mut options = BillerOptions::new(live.path());
    options.journal.segment_bytes = segment_bytes;
    options.journal.commit = Duration::from_micros(200);
    let (biller, shipper) = Biller::open(options, store, book()).unwrap();
    let (route, _) = lane_route("m", "gpt-4o-mini");
    let who = caller(Some(Nano(i64::MAX / 2)), None, 0, 0);
    let (mut settled, mut open, mut under_way) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (n, step) in history.iter().enumerate() {
        let request = Request::new(&who, &route);
        let hold = request.reserve(&biller).unwrap();
        under_way.insert(request.id);
        open.push((request, hold));
        if step % 3 > 0
            && let Some((request, hold)) = (!open.is_empty()).then(|| open.swap_remove(n % open.len()))
        {
            biller.settle(Some(hold), request.outcome(Some(tokens(n as u64 + 1, 0))));
            under_way.remove(&request.id);
            settled.push((request.id, Nano((n as i64 + 1) * 1_000)));
        }
        if step % 4 == 0 {
            assert!(biller.flush(PATIENCE));
        }
    }
    assert!(biller.flush(PATIENCE));
    for file in journals(live.path()) {
        fs::copy(&file, dir.path().join(file.file_name().unwrap())).unwrap();
    }
    drop((biller, shipper));
    Written { dir, settled, under_way }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_recovered_once(
        history in proptest::collection::vec(any::<u8>(), 1..60),
        segment in prop_oneof![Just(500u64), Just(4_000), Just(1 << 20)],
    ) {
        let written = write(&history, segment);
        let store = Arc::new(MockStore::default());
        let count = shipped(written.dir.path(), &store);
        prop_assert_eq!(count as usize, written.settled.len() + written.under_way.len());
        let receipts = store.receipts.lock().clone();
        for (id, charge) in &written.settled {
            prop_assert_eq!((receipts[id].charge, receipts[id].end), (*charge, End::Finished));
        }
        for id in &written.under_way {
            prop_assert_eq!((receipts[id].charge, receipts[id].end), (Nano::ZERO, End::Orphaned));
        }
        prop_assert_eq!(shipped(written.dir.path(), &store), 0, "nothing twice");
    }
}

#[test]
fn cut_off_at_any_byte_what_is_whole_is_kept() {
    let written = write(&[1, 2, 3, 0, 1, 5, 2, 7, 1, 3, 4, 1], 1 << 20);
    let file = journals(written.dir.path()).pop().unwrap();
    let length = fs::metadata(&file).unwrap().len();
    let mut last: BTreeMap<ReceiptId, Nano> = BTreeMap::new();
    for cut in (0..length).rev().step_by(7) {
        let (dir, store) = (copy(written.dir.path(), cut), Arc::new(MockStore::default()));
        shipped(dir.path(), &store);
        let receipts = store.receipts.lock();
        let found = |end| receipts.values().filter(move |r| r.end == end);
        let finished: BTreeMap<_, _> = found(End::Finished).map(|r| (r.id, r.charge)).collect();
        assert!(last.keys().all(|id| finished.contains_key(id)), "more bytes never hold fewer receipts");
        let known = |(id, charge): (&ReceiptId, &Nano)| written.settled.contains(&(*id, *charge));
        assert!(finished.iter().all(known));
        let orphans: BTreeSet<_> = found(End::Orphaned).map(|r| r.id).collect();
        assert!(orphans.iter().all(|id| !finished.contains_key(id)));
        last = finished;
    }
    assert!(last.len() + 1 >= written.settled.len(), "all but what the last cut of a few bytes may take");
}

#[test]
fn a_crash_between_recording_and_its_mark_ships_again_harmlessly() {
    let written = write(&[1; 20], 2_000);
    let (before, store) = (copy(written.dir.path(), 0), Arc::new(MockStore::default()));
    assert_eq!(shipped(written.dir.path(), &store), 20);
    let sum = store.sum();
    assert_eq!(shipped(before.path(), &store), 0);
    assert_eq!(store.sum(), sum);
}

#[test]
fn damage_in_the_middle_is_kept_apart_and_the_rest_is_read() {
    let written = write(&[1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], 600);
    let files = journals(written.dir.path());
    assert!(files.len() > 3);
    let mut bytes = fs::read(&files[1]).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0xff;
    fs::write(&files[1], &bytes).unwrap();
    let store = Arc::new(MockStore::default());
    let count = shipped(written.dir.path(), &store) as usize;
    assert!(count < written.settled.len() + written.under_way.len() && count > 3, "{count}");
    let kept = fs::read_dir(written.dir.path()).unwrap().map(|e| e.unwrap().path());
    assert!(kept.filter(|p| p.extension().is_some_and(|e| e == "damaged")).count() > 0);
}

#[test]
fn a_stranger_is_not_skipped() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("0000000000000000.journal"), b"something else entirely").unwrap();
    let store = Arc::new(MockStore::default());
    let refused = Biller::open(BillerOptions::new(dir.path()), store, book()).unwrap_err();
    assert!(refused.to_string().contains("header"), "{refused}");
}

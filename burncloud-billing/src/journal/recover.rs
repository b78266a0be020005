//! What an earlier process left in the journal.

use super::codec::{self, Admit, Record};
use super::segment::{HEADER, Segment};
use crate::accounts::Unshipped;
use crate::error::BillingError;
use burncloud_core::Receipt;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// What has to be made good.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// Requests that were under way, in the order of their ids.
    pub(crate) orphans: Vec<Admit>,
    /// Charges that wait for the store.
    pub(crate) unshipped: Unshipped,
    /// How many receipts wait for the store.
    pub(crate) receipts: usize,
}

/// Where the journal goes on.
pub(super) struct Start {
    pub(super) segments: Vec<Segment>,
    pub(super) next: u64,
    pub(super) shipped: u64,
    /// Whether any receipt waits for the store.
    pub(super) waiting: bool,
}

#[derive(Default)]
struct State {
    under_way: HashMap<u128, Admit>,
    waiting: VecDeque<(u64, Box<Receipt>)>,
    shipped: u64,
}

impl State {
    fn take(&mut self, position: u64, payload: &[u8]) -> io::Result<bool> {
        match codec::decode(payload).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))? {
            Record::Admit(admit) => {
                self.under_way.insert(admit.id.0, admit);
            }
            Record::Settle(receipt) => {
                self.under_way.remove(&receipt.id.0);
                self.waiting.push_back((position, receipt));
            }
            Record::Shipped(position) => {
                self.shipped = self.shipped.max(position);
                while self.waiting.front().is_some_and(|(at, ..)| *at <= self.shipped) {
                    self.waiting.pop_front();
                }
            }
        }
        Ok(true)
    }
}

pub(super) fn recover(dir: &Path) -> Result<(Recovered, Start), BillingError> {
    let mut segments = Segment::list(dir)?;
    let mut state = State::default();
    let next = segments.last().map_or(0, |last| last.end.max(last.start + HEADER));
    let count = segments.len();
    for (i, segment) in segments.iter_mut().enumerate() {
        read(segment, i + 1 == count, &mut state)?;
    }
    let mut orphans: Vec<Admit> = state.under_way.into_values().collect();
    orphans.sort_unstable_by_key(|admit| admit.id);
    let (mut unshipped, mut seen) = (Unshipped::default(), HashSet::new());
    for (_, receipt) in &state.waiting {
        // A batch that was written twice because the disk failed in between counts once.
        if seen.insert(receipt.id) {
            unshipped.add_receipt(receipt);
        }
    }
    // What lies before the first segment was shipped, or it would be there.
    let shipped = state.shipped.max(segments.first().map_or(0, |first| first.start));
    let start = Start { segments, next, shipped, waiting: !state.waiting.is_empty() };
    Ok((Recovered { orphans, unshipped, receipts: seen.len() }, start))
}

/// Reads a segment to its end. What is no record at the end of the last one is a write that was cut off, and is
/// removed; elsewhere it is damage, which is said and left in place.
fn read(segment: &mut Segment, last: bool, state: &mut State) -> Result<(), BillingError> {
    let fail = |action, e| BillingError::journal(action, &segment.path, e);
    if !segment.has_header().map_err(|e| fail("read", e))? {
        if segment.end - segment.start >= HEADER {
            let why = "its header is not a journal's";
            return Err(BillingError::Unreadable { path: segment.path.clone(), why });
        }
        segment.end = segment.start;
        return Ok(());
    }
    let stopped = segment.scan(0, |position, payload| state.take(position, payload));
    let end = match stopped {
        Ok(end) => end,
        Err(e) if e.kind() == io::ErrorKind::InvalidData => {
            let why = "written by a newer version";
            return Err(BillingError::Unreadable { path: segment.path.clone(), why });
        }
        Err(e) => return Err(fail("read", e)),
    };
    let left_over = segment.end - end;
    if left_over > 0 && last {
        let file = OpenOptions::new().write(true).open(&segment.path).map_err(|e| fail("open", e))?;
        let cut = file.set_len(end - segment.start).and_then(|()| file.sync_all());
        cut.map_err(|e| fail("cut the torn end of", e))?;
        tracing::info!(bytes = left_over, "the journal's last write was cut off; what was whole is kept");
    } else if left_over > 0 {
        let kept = segment.path.with_extension("damaged");
        let copied = fs::copy(&segment.path, &kept);
        tracing::error!(
            file = %segment.path.display(), bytes = left_over, copied = copied.is_ok(),
            "the journal is damaged; what cannot be read is not billed, a copy of the file is kept"
        );
    }
    segment.end = end;
    Ok(())
}

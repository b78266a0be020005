//! The journal's own thread.

use super::codec::{self, Admit};
use super::segment::Open;
use super::{Queue, Shared};
use burncloud_core::Receipt;
use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// Without work for so long, the thread waits to be woken instead of looking every few milliseconds.
const PARK_AFTER: Duration = Duration::from_millis(100);
/// Between two attempts at a disk that fails.
const RETRY: Duration = Duration::from_millis(200);
/// How often a failing disk is tried when the journal is being closed.
const LAST_TRIES: u32 = 5;

/// Receipt ids are our own, and end in a counter: one multiplication spreads them.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    fn write_u128(&mut self, id: u128) {
        let folded = (id as u64) ^ (id >> 64) as u64;
        self.0 = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    /// `None` after a failure: what comes next goes into a new segment.
    open: Option<Open>,
    /// Where the next segment may begin.
    next: u64,
    /// Requests under way, and the position after which their admit is durable.
    under_way: HashMap<u128, (u64, Admit), BuildHasherDefault<IdHasher>>,
    /// Admits out of segments that are about to be deleted.
    carried: Vec<Admit>,
    batch: Queue,
    buffer: Vec<u8>,
    ends: Vec<u64>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, open: Open) -> Writer {
        Writer {
            next: open.segment.end,
            shared,
            open: Some(open),
            under_way: HashMap::default(),
            carried: Vec::new(),
            batch: Queue::default(),
            buffer: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        while self.take() {
            self.encode();
            let Some(begin) = self.commit() else { break };
            self.publish(begin);
            self.retire();
        }
        self.shared.done.notify_all();
    }

    /// Waits for work and takes all there is. `false` when the journal is closed and everything was written.
    fn take(&mut self) -> bool {
        let (shared, mut last, mut gathered) = (self.shared.clone(), Instant::now(), false);
        let mut queue = shared.queue.lock();
        loop {
            let idle = queue.admits.is_empty() && queue.settles.is_empty() && queue.checkpoint.is_none();
            if !idle || !self.carried.is_empty() {
                break;
            }
            if queue.closing {
                return false;
            }
            if last.elapsed() > PARK_AFTER {
                queue.parked = true;
                shared.wake.wait(&mut queue);
                queue.parked = false;
                (last, gathered) = (Instant::now(), false);
            } else {
                shared.wake.wait_for(&mut queue, shared.settings.commit);
                gathered = true;
            }
        }
        if !queue.closing && !gathered {
            // Let others come in; whoever closes does not wait.
            shared.wake.wait_for(&mut queue, shared.settings.commit);
        }
        std::mem::swap(&mut queue.admits, &mut self.batch.admits);
        std::mem::swap(&mut queue.settles, &mut self.batch.settles);
        self.batch.checkpoint = queue.checkpoint.take();
        self.batch.pushed = queue.pushed;
        true
    }

    fn encode(&mut self) {
        self.buffer.clear();
        self.ends.clear();
        for admit in self.carried.iter().chain(&self.batch.admits) {
            codec::put_admit(&mut self.buffer, admit);
        }
        for receipt in &self.batch.settles {
            codec::put_settle(&mut self.buffer, receipt);
            self.ends.push(self.buffer.len() as u64);
        }
        if let Some(position) = self.batch.checkpoint {
            codec::put_shipped(&mut self.buffer, position);
        }
    }

    /// Writes the buffer durably and returns its position. Tries until it works; `None` when the journal is being
    /// closed and it does not.
    fn commit(&mut self) -> Option<u64> {
        let mut tries = 0;
        loop {
            match self.write() {
                Ok(begin) => {
                    if self.shared.failing.swap(false, SeqCst) {
                        tracing::info!("the journal is written again");
                    }
                    return Some(begin);
                }
                Err(error) => {
                    tries += 1;
                    self.shared.failures.fetch_add(1, SeqCst);
                    if !self.shared.failing.swap(true, SeqCst) {
                        tracing::error!(%error, "the journal cannot be written; requests are refused until it can");
                    }
                    let mut queue = self.shared.queue.lock();
                    if queue.closing && tries >= LAST_TRIES {
                        let lost = queue.settles.len() + self.batch.settles.len();
                        tracing::error!(receipts = lost, %error, "the journal is closed with receipts not written");
                        return None;
                    }
                    self.shared.wake.wait_for(&mut queue, RETRY);
                }
            }
        }
    }

    fn write(&mut self) -> io::Result<u64> {
        let full = |open: &Open| open.segment.end - open.segment.start >= self.shared.settings.segment_bytes;
        if self.open.as_ref().is_none_or(full) {
            let open = Open::create(&self.shared.settings.dir, self.next).inspect_err(|error| {
                // Left by an attempt that could not even be undone.
                if error.kind() == io::ErrorKind::AlreadyExists {
                    self.next += 1;
                }
            })?;
            self.next = open.segment.end;
            self.shared.segments.lock().push(open.segment.clone());
            self.open = Some(open);
        }
        let Some(open) = self.open.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        match open.append(&self.buffer) {
            Ok(begin) => {
                self.next = open.segment.end;
                Ok(begin)
            }
            Err(error) => {
                // After a failed sync nobody knows what is on the disk: never write there again. The positions that
                // may have been used are passed over.
                self.next += self.buffer.len() as u64;
                self.open.take().map(Open::abandon);
                Err(error)
            }
        }
    }

    /// Tells everybody what is durable now.
    fn publish(&mut self, begin: u64) {
        let end = self.next;
        for admit in self.carried.drain(..).chain(self.batch.admits.drain(..)) {
            self.under_way.insert(admit.id.0, (end, admit));
        }
        for receipt in &self.batch.settles {
            self.under_way.remove(&receipt.id.0);
        }
        if let Some(segment) = self.shared.segments.lock().last_mut() {
            segment.end = end;
        }
        let settled = !self.batch.settles.is_empty();
        {
            let receipts = self.batch.settles.drain(..).zip(&self.ends);
            let receipts = receipts.map(|(receipt, end): (Arc<Receipt>, _)| (begin + end, receipt));
            let mut feed = self.shared.feed.lock();
            feed.push(begin, end, receipts);
            if feed.is_empty() {
                self.shared.shipped.fetch_max(end, SeqCst);
            }
            self.shared.written.store(end, SeqCst);
        }
        if settled {
            self.shared.ready.notify_one();
        }
        let mut queue = self.shared.queue.lock();
        queue.durable = self.batch.pushed;
        drop(queue);
        self.shared.done.notify_all();
    }

    /// Deletes the segments that hold nothing but what was shipped.
    fn retire(&mut self) {
        let shipped = self.shared.shipped.load(SeqCst);
        let mut segments = self.shared.segments.lock();
        while segments.len() > 1 && segments[0].end <= shipped {
            let end = segments[0].end;
            let still: Vec<u128> =
                self.under_way.iter().filter(|(_, (at, _))| *at <= end).map(|(id, _)| *id).collect();
            if !still.is_empty() {
                // Written again first; the segment goes in the next round.
                self.carried.extend(still.iter().filter_map(|id| self.under_way.remove(id)).map(|(_, a)| a));
                return;
            }
            if let Err(error) = fs::remove_file(&segments[0].path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "a shipped segment of the journal cannot be deleted");
                return;
            }
            segments.remove(0);
        }
    }
}

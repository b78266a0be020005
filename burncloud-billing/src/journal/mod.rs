//! The crash-proof local journal.
//!
//! The hot path pushes a record under a short mutex and goes on. A thread of the journal's own wakes every few
//! milliseconds while there is something to do, encodes what has come in, appends it to the current segment with one
//! `write` and one `fdatasync` (group commit), and hands the settled receipts to the shipper. So a request costs no
//! system call, and `kill -9` loses at most what came in within the commit window.
//!
//! Receipts are shipped in the order of the journal, so what has been shipped is one position. It is written into the
//! journal as a record of its own; segments that lie before it are deleted, after the admits in them whose
//! requests are still under way have been written again.
//!
//! When the disk fails, nothing panics: what came in stays in memory and is tried again in a new segment, and until
//! that works no new request is admitted.

mod codec;
mod feed;
mod recover;
mod segment;
mod writer;

pub(crate) use codec::Admit;
pub(crate) use feed::Batch;
pub(crate) use recover::Recovered;

use crate::error::BillingError;
use burncloud_core::Receipt;
use feed::Feed;
use parking_lot::{Condvar, Mutex};
use segment::Segment;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where the journal is and how large it may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// Its directory, one per process; made if it is not there, for its owner alone (mode 0700).
    pub dir: PathBuf,
    /// How long a record waits for others to be committed with. Default 5 ms.
    pub commit: Duration,
    /// How many bytes may wait for the store before requests are refused. Default 1 GiB.
    pub max_bytes: u64,
    /// How large a file becomes before the next one is begun. Default 16 MiB.
    pub segment_bytes: u64,
}

impl JournalSettings {
    /// The defaults, in that directory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> JournalSettings {
        JournalSettings {
            dir: dir.into(),
            commit: Duration::from_millis(5),
            max_bytes: 1 << 30,
            segment_bytes: 16 << 20,
        }
    }
}

/// About what records take, for those that are not written yet.
const ADMIT_BYTES: u64 = 100;
const SETTLE_BYTES: u64 = 250;
/// Receipts of requests that were never admitted may go this many times `max_bytes` beyond it, then they are dropped:
/// a flood of refused requests must not fill the disk either.
const REFUSED_SHARE: u64 = 8;

/// Why the journal takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// `max_bytes` wait for the store.
    Waiting,
    /// The disk does not take them.
    Failing,
}

#[derive(Debug, Default)]
struct Queue {
    admits: Vec<Admit>,
    settles: Vec<Arc<Receipt>>,
    /// To be written: everything before it is shipped.
    checkpoint: Option<u64>,
    /// How many records ever came in, and how many of them are durable.
    pushed: u64,
    durable: u64,
    /// The writer waits to be woken rather than for time to pass.
    parked: bool,
    closing: bool,
}

#[derive(Debug)]
struct Shared {
    settings: JournalSettings,
    queue: Mutex<Queue>,
    wake: Condvar,
    done: Condvar,
    /// Positions: durable up to, shipped up to.
    written: AtomicU64,
    shipped: AtomicU64,
    failing: AtomicBool,
    failures: AtomicU64,
    dropped: AtomicU64,
    segments: Mutex<Vec<Segment>>,
    feed: Mutex<Feed>,
    ready: tokio::sync::Notify,
    closing: AtomicBool,
    close: tokio::sync::Notify,
    /// Arrival of the oldest receipt that the shipper holds; 0 when it holds none.
    oldest: AtomicI64,
}

/// The journal: dropped, it writes what it holds and ends its thread.
#[derive(Debug)]
pub(crate) struct Journal {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held for as long as the journal is open.
    _lock: File,
}

impl Journal {
    /// Opens the journal of a directory and reads what an earlier process left there.
    pub(crate) fn open(settings: JournalSettings) -> Result<(Journal, Recovered), BillingError> {
        let lock = lock(&settings.dir)?;
        let (recovered, start) = recover::recover(&settings.dir)?;
        let open = segment::Open::create(&settings.dir, start.next)
            .map_err(|e| BillingError::journal("write to", &settings.dir, e))?;
        let mut segments = start.segments;
        segments.push(open.segment.clone());
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
            written: AtomicU64::new(open.segment.end),
            shipped: AtomicU64::new(if start.waiting { start.shipped } else { open.segment.end }),
            failing: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            segments: Mutex::new(segments),
            feed: Mutex::new(Feed::new(open.segment.end, start.waiting.then_some(start.shipped))),
            ready: tokio::sync::Notify::new(),
            closing: AtomicBool::new(false),
            close: tokio::sync::Notify::new(),
            oldest: AtomicI64::new(0),
            settings,
        });
        let writer = writer::Writer::new(shared.clone(), open);
        let thread = std::thread::Builder::new()
            .name("burncloud-journal".into())
            .spawn(move || writer.run())
            .map_err(|e| BillingError::journal("start the thread of", &shared.settings.dir, e))?;
        Ok((Journal { shared, writer: Mutex::new(Some(thread)), _lock: lock }, recovered))
    }

    /// Notes that a request is under way.
    pub(crate) fn admit(&self, admit: Admit) -> Result<(), Full> {
        let mut queue = self.shared.queue.lock();
        if self.shared.failing.load(SeqCst) || queue.closing {
            return Err(Full::Failing);
        }
        if self.shared.waiting(&queue) > self.shared.settings.max_bytes {
            return Err(Full::Waiting);
        }
        queue.admits.push(admit);
        self.shared.pushed(&mut queue);
        Ok(())
    }

    /// Notes that a request has ended. Always taken if it was admitted.
    pub(crate) fn settle(&self, receipt: Arc<Receipt>, admitted: bool) {
        let shared = &*self.shared;
        let mut queue = shared.queue.lock();
        let most = shared.settings.max_bytes.saturating_add(shared.settings.max_bytes / REFUSED_SHARE);
        if !admitted && shared.waiting(&queue) > most {
            shared.dropped.fetch_add(1, SeqCst);
            return;
        }
        queue.settles.push(receipt);
        shared.pushed(&mut queue);
    }

    /// Settles many as one: all are durable or none, so that the segments that hold their admits are not deleted in
    /// between.
    pub(crate) fn settle_all(&self, receipts: Vec<Arc<Receipt>>) {
        if !receipts.is_empty() {
            let mut queue = self.shared.queue.lock();
            queue.settles.extend(receipts);
            self.shared.pushed(&mut queue);
        }
    }

    /// Waits until all that came in is durable; `false` if it is not within `patience`. Blocks the thread.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut queue = self.shared.queue.lock();
        let target = queue.pushed;
        while queue.durable < target {
            if self.shared.done.wait_until(&mut queue, deadline).timed_out() {
                return queue.durable >= target;
            }
        }
        true
    }

    /// Asks the shipper to ship what is there and then to [end](Journal::end) the journal.
    pub(crate) fn close(&self) {
        self.shared.closing.store(true, SeqCst);
        self.shared.close.notify_one();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.shared.closing.load(SeqCst)
    }

    /// Writes what is there and ends the thread. What comes in later is lost, so nothing may. Blocks.
    pub(crate) fn end(&self) {
        self.shared.queue.lock().closing = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.writer.lock().take() {
            let _ = thread.join();
        }
    }

    /// Whether the last write failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.shared.failing.load(SeqCst)
    }

    /// Bytes that wait for the store, those not yet written included.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.shared.waiting(&self.shared.queue.lock())
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.shared.settings.dir
    }

    /// Failed attempts to write.
    pub(crate) fn failures(&self) -> u64 {
        self.shared.failures.load(SeqCst)
    }

    /// Receipts of refused requests that were not taken.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(SeqCst)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn waiting(&self, queue: &Queue) -> u64 {
        let written = self.written.load(SeqCst).saturating_sub(self.shipped.load(SeqCst));
        written + queue.admits.len() as u64 * ADMIT_BYTES + queue.settles.len() as u64 * SETTLE_BYTES
    }

    fn pushed(&self, queue: &mut Queue) {
        queue.pushed += 1;
        if queue.parked {
            queue.parked = false;
            self.wake.notify_one();
        }
    }
}

/// Makes the directory if need be and takes it for this process alone.
fn lock(dir: &Path) -> Result<File, BillingError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| BillingError::journal("make", dir, e))?;
    let path = dir.join("lock");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|e| BillingError::journal("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(BillingError::Locked(dir.to_owned())),
        Err(fs::TryLockError::Error(e)) => Err(BillingError::journal("lock", &path, e)),
    }
}

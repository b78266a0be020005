//! From the journal into the store, in batches.

use crate::accounts::Accounts;
use crate::book::PriceBook;
use crate::error::BillingError;
use crate::feed::Feed;
use crate::journal::{Batch, Journal};
use burncloud_core::store::{ReceiptStore, StoreError};
use burncloud_core::{Receipt, UnixMicros};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How receipts are carried into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShipperSettings {
    /// How long receipts are gathered before they are recorded together. Default 250 ms.
    pub every: Duration,
    /// How many are recorded in one call of [`ReceiptStore::record`]. Default 1024.
    pub batch: usize,
    /// The longest pause between two attempts at a store that is away. Default 10 s.
    pub max_pause: Duration,
}

impl Default for ShipperSettings {
    fn default() -> ShipperSettings {
        ShipperSettings { every: Duration::from_millis(250), batch: 1024, max_pause: Duration::from_secs(10) }
    }
}

/// The first pause after a store has failed; doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How long the journal may take to write the last records.
const FLUSH: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) shipped: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) rejected: AtomicU64,
}

/// Carries settled receipts into the [`ReceiptStore`]. Spawn [`run`](Shipper::run) once; there is one per
/// [`Biller`](crate::Biller).
///
/// What has been recorded is then marked in the journal. A crash between the two ships it again, which the store
/// takes for what it is (receipts have identities). While the store is away nothing is lost: receipts stay in
/// the journal, up to its bound.
#[must_use = "nothing is recorded unless the shipper runs"]
pub struct Shipper {
    pub(crate) journal: Arc<Journal>,
    pub(crate) store: Arc<dyn ReceiptStore>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) book: Arc<PriceBook>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) feed: Feed,
    pub(crate) settings: ShipperSettings,
    pub(crate) recovering: bool,
}

impl Shipper {
    /// Ships what an earlier process left behind. Call it **before the first caller is looked up**: accounts are
    /// then made from numbers that hold everything. (If the store is away, go on; what is not shipped counts as
    /// spent, and [`run`](Shipper::run) tries again.) Returns how many receipts were recorded.
    ///
    /// # Errors
    /// The store's, or the journal's.
    pub async fn recover(&mut self) -> Result<u64, BillingError> {
        let before = self.counts.shipped.load(Relaxed);
        self.flush().await;
        while self.step().await? {}
        self.recovered();
        Ok(self.counts.shipped.load(Relaxed) - before)
    }

    /// Ships until the biller is closed, and then what is left. Never fails: what cannot be shipped now is tried
    /// again, after a restart if need be. Dropping the future stops shipping and loses nothing.
    pub async fn run(mut self) {
        let mut pause = Duration::ZERO;
        loop {
            let closing = self.journal.is_closing();
            if closing {
                self.flush().await;
            }
            match self.drain().await {
                Ok(()) => pause = Duration::ZERO,
                Err(error) => {
                    self.counts.failures.fetch_add(1, Relaxed);
                    tracing::warn!(%error, "receipts wait in the journal");
                    pause = (pause * 2).clamp(FIRST_PAUSE, self.settings.max_pause.max(FIRST_PAUSE));
                }
            }
            if closing {
                break;
            }
            self.wait(pause).await;
        }
        let journal = self.journal.clone();
        let _ = tokio::task::spawn_blocking(move || journal.end()).await;
    }

    /// Until there is something to ship and others have had time to join it; or for `pause`; or until closing.
    async fn wait(&self, pause: Duration) {
        if pause.is_zero() {
            tokio::select! {
                () = self.journal.ready() => {}
                () = self.journal.closing() => {}
                () = tokio::time::sleep(self.book.next_refresh(UnixMicros::now())) => {}
            }
        }
        if self.book.next_refresh(UnixMicros::now()).is_zero() {
            let book = self.book.clone();
            let _ = tokio::task::spawn_blocking(move || book.refresh(UnixMicros::now())).await;
        }
        if !self.journal.is_closing() {
            tokio::select! {
                () = tokio::time::sleep(pause.max(self.settings.every)) => {}
                () = self.journal.closing() => {}
            }
        }
    }

    async fn drain(&mut self) -> Result<(), BillingError> {
        while self.step().await? {}
        if self.recovering {
            self.recovered();
        }
        Ok(())
    }

    fn recovered(&mut self) {
        self.recovering = false;
        self.accounts.all_shipped();
    }

    async fn flush(&self) {
        let journal = self.journal.clone();
        let _ = tokio::task::spawn_blocking(move || journal.flush(FLUSH)).await;
    }

    /// Ships one batch; `false` when there is none.
    async fn step(&self) -> Result<bool, BillingError> {
        let (journal, most) = (self.journal.clone(), self.settings.batch.max(1));
        let next = tokio::task::spawn_blocking(move || journal.next(most)).await;
        let next = next.map_err(|_| StoreError::Unavailable("the runtime is going down".into()))?;
        let batch = match next {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(false),
            Err(e) => return Err(BillingError::journal("read", self.journal.dir(), e)),
        };
        self.record(&batch).await?;
        self.journal.ship(&batch);
        Ok(true)
    }

    async fn record(&self, batch: &Batch) -> Result<(), BillingError> {
        if batch.receipts.is_empty() {
            return Ok(());
        }
        match self.store.record(&batch.receipts).await {
            Ok(new) => self.recorded(new, &batch.receipts),
            Err(error @ StoreError::Unavailable(_)) => return Err(error.into()),
            // One of them is at fault. The others must not wait for ever behind it.
            Err(_) => {
                for receipt in &batch.receipts {
                    self.record_one(receipt).await?;
                }
            }
        }
        Ok(())
    }

    async fn record_one(&self, receipt: &Arc<Receipt>) -> Result<(), BillingError> {
        match self.store.record(std::slice::from_ref(receipt)).await {
            Ok(new) => self.recorded(new, std::slice::from_ref(receipt)),
            Err(error @ StoreError::Unavailable(_)) => return Err(error.into()),
            Err(error) => {
                let path = self.journal.dir().join("rejected.jsonl");
                set_aside(&path, receipt).map_err(|e| BillingError::journal("write", &path, e))?;
                self.counts.rejected.fetch_add(1, Relaxed);
                tracing::error!(
                    receipt = %receipt.id, charge = %receipt.charge, %error,
                    "the store refuses a receipt; it is set aside in rejected.jsonl"
                );
            }
        }
        Ok(())
    }

    fn recorded(&self, new: usize, receipts: &[Arc<Receipt>]) {
        self.counts.shipped.fetch_add(new as u64, Relaxed);
        if new > 0 {
            self.feed.publish(receipts);
        }
    }
}

/// Keeps what the store will not take: nobody's money is lost without a trace.
fn set_aside(path: &Path, receipt: &Receipt) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut line = serde_json::to_vec(receipt)?;
    line.push(b'\n');
    let mut file = options.open(path)?;
    file.write_all(&line)?;
    file.sync_all()
}

impl std::fmt::Debug for Shipper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shipper").field("settings", &self.settings).finish_non_exhaustive()
    }
}

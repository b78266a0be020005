//! A house whose links are made when a test says.

use burncloud_billing::archive::ArchiveOptions;
use burncloud_billing::ledger::{VerifyReport, verify, verify_with_archive};
use burncloud_billing::proof::{PublicKey, Signer};
use burncloud_core::store::{
    KeyStore, NewTenant, NewUser, ProofKey, ProofStore, ReceiptStore, Sealed, Sealer, StoreResult, UserStore,
};
use burncloud_core::testing::{new_key, receipt};
use burncloud_core::{KeyId, Leg, Line, LineKind, Nano, Receipt, TenantId, UnixMicros, User};
use burncloud_store::{SecretBox, SqlStore};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// Signs as the house does, at the time that a test says.
struct Dated {
    signer: Signer,
    at: Arc<AtomicI64>,
}

impl Sealer for Dated {
    fn seal(&self, last: Option<(i64, [u8; 32])>, entry: i64, receipts: &[&Receipt]) -> StoreResult<Sealed> {
        Ok(self.signer.link(last, entry, UnixMicros(self.at.load(SeqCst)), [9; 16], receipts))
    }
}

pub(crate) struct House {
    place: TempDir,
    pub(crate) store: SqlStore,
    pub(crate) folder: PathBuf,
    key: KeyId,
    user: User,
    parent: TenantId,
    at: Arc<AtomicI64>,
    /// All times are counted from this one, which is after the ledger was begun.
    pub(crate) zero: i64,
    /// When receipts arrived that did not do so at the time of their link.
    arrived: Mutex<BTreeMap<u64, i64>>,
    sealed_at: Mutex<BTreeMap<u64, i64>>,
}

const SEED: [u8; 32] = [42; 32];

impl House {
    pub(crate) async fn new() -> House {
        let house = House::unsealed().await;
        house.seal();
        house
    }

    /// Without a key yet, so that receipts are in no link.
    pub(crate) async fn unsealed() -> House {
        let place = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", place.path().join("burncloud.db").display());
        let store = SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap();
        let parent = store.tenants().await.unwrap()[0].id;
        let new = NewTenant { name: "acme".into(), parent: Some(parent), ..NewTenant::default() };
        let tenant = store.create_tenant(new).await.unwrap().id;
        let user =
            store.create_user(NewUser { name: "ann".into(), tenant, ..NewUser::default() }).await.unwrap();
        let key = store.create_key(new_key("k", user.id)).await.unwrap().id;
        let signer = Signer::new(&SEED).unwrap();
        let (id, public) = (signer.public().id(), signer.public().0);
        store.add_proof_key(ProofKey { id, public, since: UnixMicros(0) }, &"seed".into()).await.unwrap();
        let folder = place.path().join("archive");
        let (arrived, sealed_at) = Default::default();
        let zero = 4_000_000_000_000_000;
        House { place, store, folder, key, user, parent, at: Arc::default(), zero, arrived, sealed_at }
    }

    pub(crate) fn seal(&self) {
        let signer = Signer::new(&SEED).unwrap();
        self.store.seal_with(Arc::new(Dated { signer, at: self.at.clone() }));
    }

    pub(crate) async fn keys(&self) -> Vec<PublicKey> {
        self.store.proof_keys().await.unwrap().into_iter().map(PublicKey::from).collect()
    }

    pub(crate) fn before(&self, at: i64) -> ArchiveOptions {
        ArchiveOptions {
            before: UnixMicros(self.zero.saturating_add(at)),
            folder: self.folder.clone(),
            pause: Duration::ZERO,
        }
    }

    /// The receipt of that number arrives then.
    pub(crate) fn arrived(&self, n: u64, at: i64) {
        self.arrived.lock().unwrap().insert(n, at);
    }

    /// Records receipts as one link made at that time.
    pub(crate) async fn record(&self, numbers: Range<u64>, at: i64) {
        self.at.store(self.zero + at, SeqCst);
        self.sealed_at.lock().unwrap().extend(numbers.clone().map(|n| (n, at)));
        let batch: Vec<_> = self.receipts(numbers.clone()).into_iter().map(Arc::new).collect();
        assert_eq!(self.store.record(&batch).await.unwrap(), batch.len());
    }

    pub(crate) fn receipts(&self, numbers: Range<u64>) -> Vec<Receipt> {
        numbers.map(|n| self.receipt(n)).collect()
    }

    fn receipt(&self, n: u64) -> Receipt {
        let tenant = self.user.tenant;
        let amount = Nano(10 + n.cast_signed());
        let price = Nano(amount.0 * 1_000_000);
        let sealed = self.sealed_at.lock().unwrap().get(&n).copied();
        let arrived = self.arrived.lock().unwrap().get(&n).copied();
        Receipt {
            at: UnixMicros(self.zero + arrived.or(sealed).unwrap_or(4_000)),
            key: self.key,
            user: self.user.id,
            tenant,
            model: if n.is_multiple_of(2) { "even" } else { "odd" }.into(),
            lines: vec![Line { kind: LineKind::Request, units: 1, price, amount }],
            charge: amount,
            shortfall: Nano::ZERO,
            legs: vec![Leg { tenant, parent: self.parent, charge: Nano(3), shortfall: Nano::ZERO }],
            abort: None,
            ..receipt(n)
        }
    }

    /// Another connection to the database, as whoever tampers with it has one.
    pub(crate) async fn raw(&self) -> DatabaseConnection {
        let url = format!("sqlite://{}", self.place.path().join("burncloud.db").display());
        Database::connect(&url).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        assert_ne!(self.raw().await.execute_unprepared(sql).await.unwrap().rows_affected(), 0, "{sql}");
    }
}

/// The files in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    all.sort_unstable();
    all
}

/// The books are in order, with and without the files.
pub(crate) async fn verify_all(house: &House) -> VerifyReport {
    let without = verify(&house.store, |_| ()).await.unwrap();
    let with = verify_with_archive(&house.store, &house.folder, |_| ()).await.unwrap();
    assert_eq!(without, VerifyReport { reread: 0, ..with.clone() });
    assert_eq!(with.reread, with.archived);
    with
}

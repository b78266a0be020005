//! What is kept of money beside receipts and prices.

use super::{StoreError, StoreResult};
use crate::ledger::{Account, Entry, NewEntry};
use crate::{Alert, Budget, KeyId, Nano, Plan, Receipt, ReceiptId, Scope, Spent, UnixMicros, UserId};
use async_trait::async_trait;

/// What became of an entry that was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Its number.
    pub id: i64,
    /// `false`: an entry with this reference was there already, and nothing was changed.
    pub new: bool,
}

/// What to list of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// With a posting to this account alone.
    pub account: Option<Account>,
    /// The one with this reference.
    pub reference: Option<String>,
    /// Older than this one (entries are listed newest first).
    pub before: Option<i64>,
    /// At most so many; 0 means 100.
    pub limit: u32,
}

/// The ledger: append only.
#[async_trait]
pub trait LedgerStore: Send + Sync + 'static {
    /// Posts an entry and moves the cached balances with it, in one transaction: those of its accounts, and `balance` or
    /// `credit` of the user or tenant whose wallet or credit line it is.
    ///
    /// `Invalid` where the postings do not sum to zero, name an account twice, are fewer than two or hold a zero, a balance
    /// does not fit, or a credit line would be negative; `NotFound` for the wallet of nobody and for an entry to be
    /// reversed that is not there; `Conflict` for one that was reversed already. An entry whose reference is known is not
    /// posted again: that one's number is answered, or `Conflict` where its postings differ.
    async fn post(&self, entry: NewEntry) -> StoreResult<Posted>;
    /// The entry of that number.
    async fn entry(&self, id: i64) -> StoreResult<Option<Entry>>;
    /// Entries, newest first.
    async fn entries(&self, filter: &EntryFilter) -> StoreResult<Vec<Entry>>;
    /// The cached balance of an account; zero for one without postings.
    async fn balance(&self, account: Account) -> StoreResult<Nano>;
    /// Cached balances in the order of the accounts' names as texts, after `after`, at most `limit`.
    async fn balances(&self, after: Option<Account>, limit: u32) -> StoreResult<Vec<(Account, Nano)>>;
    /// The receipts that an entry of the kind `Receipts` posted, sorted by id.
    async fn receipts_of(&self, entry: i64) -> StoreResult<Vec<Receipt>>;
    /// Their ids, sorted: also of those that are gone.
    async fn receipt_ids_of(&self, entry: i64) -> StoreResult<Vec<ReceiptId>> {
        Ok(self.receipts_of(entry).await?.iter().map(|receipt| receipt.id).collect())
    }
    /// When the ledger was begun: receipts that were recorded before are in no entry.
    async fn ledger_begun(&self) -> StoreResult<UnixMicros> {
        Ok(UnixMicros(0))
    }
}

/// Budgets.
#[async_trait]
pub trait BudgetStore: Send + Sync + 'static {
    /// Makes a budget, or replaces the one of its name.
    async fn set_budget(&self, budget: &Budget) -> StoreResult<()>;
    /// All of them, by name.
    async fn budgets(&self) -> StoreResult<Vec<Budget>>;
    /// Removes one. `NotFound`.
    async fn delete_budget(&self, name: &str) -> StoreResult<()>;
}

/// What was spent, summed in quarters of an hour by the arrival of requests.
#[async_trait]
pub trait SpendingStore: Send + Sync + 'static {
    /// By recorded receipts whose requests arrived at `since` or later; `since` is a full quarter of an hour (all time
    /// zones' hours begin at one).
    async fn spent(&self, scope: &Scope, since: UnixMicros) -> StoreResult<Spent>;
}

/// Plans.
#[async_trait]
pub trait PlanStore: Send + Sync + 'static {
    /// Makes a plan, or replaces the one of its name.
    async fn set_plan(&self, plan: &Plan) -> StoreResult<()>;
    /// All of them, by name.
    async fn plans(&self) -> StoreResult<Vec<Plan>>;
}

/// A redeem code to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCode {
    /// SHA-256 of the code.
    pub hash: [u8; 32],
    /// The batch it was made with.
    pub batch: String,
    /// What it is worth.
    pub amount: Nano,
    /// When it stops working.
    pub expires_at: Option<UnixMicros>,
    /// Whether it was sold (its worth is cash received) or given away (promotion).
    pub sold: bool,
    /// The tenant that answers for it; only its own users may use it.
    pub tenant: crate::TenantId,
}

/// A redeem code as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedeemCode {
    /// As it was made.
    pub code: NewCode,
    /// When it was made.
    pub created_at: UnixMicros,
    /// Who used it, when, and the entry that credited it.
    pub redeemed: Option<(UserId, UnixMicros, i64)>,
    /// When it was withdrawn.
    pub revoked_at: Option<UnixMicros>,
}

impl RedeemCode {
    /// Whether it can be used at that time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for one that was used or withdrawn, or is expired.
    pub fn check(&self, now: UnixMicros) -> StoreResult<()> {
        let why = match self {
            RedeemCode { redeemed: Some(_), .. } => "used",
            RedeemCode { revoked_at: Some(_), .. } => "withdrawn",
            RedeemCode { code: NewCode { expires_at: Some(at), .. }, .. } if *at <= now => "expired",
            _ => return Ok(()),
        };
        Err(StoreError::Conflict { what: "redeem code of this text, but it is", name: why.to_owned() })
    }
}

/// Redeem codes.
#[async_trait]
pub trait CodeStore: Send + Sync + 'static {
    /// Makes codes, all or none. `Conflict` if one is known.
    async fn create_codes(&self, codes: &[NewCode]) -> StoreResult<()>;
    /// The code of that hash.
    async fn code(&self, hash: &[u8; 32]) -> StoreResult<Option<RedeemCode>>;
    /// Codes of a batch, or all, in the order of their hashes, after `after`, at most `limit`.
    async fn codes(
        &self,
        batch: Option<&str>,
        after: Option<[u8; 32]>,
        limit: u32,
    ) -> StoreResult<Vec<RedeemCode>>;
    /// Uses a code: marks it and posts `entry`, in one transaction, if it is neither used, withdrawn nor expired at
    /// `now`. Of any number of concurrent calls one succeeds. `NotFound` for an unknown code and for one of another
    /// tenant than the user's, `Conflict` for one that cannot be used any more.
    async fn redeem(
        &self,
        hash: &[u8; 32],
        user: UserId,
        now: UnixMicros,
        entry: NewEntry,
    ) -> StoreResult<Posted>;
    /// Withdraws what is unused of a batch; returns how many.
    async fn revoke_codes(&self, batch: &str, now: UnixMicros) -> StoreResult<u64>;
}

/// What operators should know.
#[async_trait]
pub trait AlertStore: Send + Sync + 'static {
    /// Keeps one.
    async fn add_alert(&self, alert: &Alert) -> StoreResult<()>;
    /// Newest first, at most `limit`.
    async fn alerts(&self, limit: u32) -> StoreResult<Vec<Alert>>;
}

/// What a copy of the published prices is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogueState {
    /// In force: the last one of these is.
    Active,
    /// Waits for approval.
    Pending,
    /// Was not approved, or is superseded.
    Rejected,
}

/// A copy of the published prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueCopy {
    /// Its number: set by the store, increasing.
    pub version: i64,
    /// When it was fetched.
    pub fetched_at: UnixMicros,
    /// From where, without credentials.
    pub source: String,
    /// What it is for.
    pub state: CatalogueState,
    /// The data as fetched.
    pub body: String,
}

/// Copies of the published prices.
#[async_trait]
pub trait CatalogueStore: Send + Sync + 'static {
    /// Keeps a copy; returns its number. The newest twenty are kept, and the one in force.
    async fn add_catalogue(&self, copy: CatalogueCopy) -> StoreResult<i64>;
    /// The newest copy in a state.
    async fn catalogue(&self, state: CatalogueState) -> StoreResult<Option<CatalogueCopy>>;
    /// Changes a copy's state. `NotFound`.
    async fn set_catalogue_state(&self, version: i64, state: CatalogueState) -> StoreResult<()>;
}

/// A link of the chain of receipts: a signed statement of which receipts were recorded together, and after which others.
/// `burncloud-billing` makes and checks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its place in the chain, from 1.
    pub sequence: i64,
    /// The entry that posted the same receipts; 0 where they came to nothing.
    pub entry: i64,
    /// When it was made.
    pub at: UnixMicros,
    /// The receipts, sorted.
    pub receipts: Vec<ReceiptId>,
    /// Their hashes, in the same order: a proof needs no other receipt then, and whoever looks for a changed one finds it.
    pub leaves: Vec<[u8; 32]>,
    /// What keeps the private half of a receipt from being guessed by its hash.
    pub salt: [u8; 16],
    /// The hash of the link before; zeros for the first.
    pub previous: [u8; 32],
    /// The root of the tree over the receipts' hashes.
    pub root: [u8; 32],
    /// The hash of this link, which the next one holds.
    pub hash: [u8; 32],
    /// The Ed25519 signature.
    pub signature: Vec<u8>,
    /// Which key signed: the first eight bytes of its SHA-256.
    pub key: [u8; 8],
}

/// A key that links are signed with: what is public of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofKey {
    /// The first eight bytes of its SHA-256.
    pub id: [u8; 8],
    /// Ed25519.
    pub public: [u8; 32],
    /// When it was made; links are signed with the newest.
    pub since: UnixMicros,
}

/// Makes links; a store that has one calls it for every batch that it records, in the same transaction.
pub trait Sealer: Send + Sync + 'static {
    /// The link that follows the one of that sequence and hash (`None`: the first), over these receipts. At least one, in
    /// any order, none twice.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](super::StoreError::Unavailable) when the operating system gives no random numbers.
    fn seal(&self, last: Option<(i64, [u8; 32])>, entry: i64, receipts: &[&Receipt]) -> StoreResult<Sealed>;
}

/// What proves receipts.
#[async_trait]
pub trait ProofStore: Send + Sync + 'static {
    /// Every key that links are or were signed with, in the order in which they were made.
    async fn proof_keys(&self) -> StoreResult<Vec<ProofKey>>;
    /// The link that a receipt is in; `None` while it has none.
    async fn seal_of(&self, id: ReceiptId) -> StoreResult<Option<Sealed>>;
    /// Links in order, after `after`, at most `limit`.
    async fn seals(&self, after: i64, limit: u32) -> StoreResult<Vec<Sealed>>;
    /// Receipts by id, sorted; those that are not there are left out.
    async fn receipts_by_id(&self, ids: &[ReceiptId]) -> StoreResult<Vec<Receipt>>;
    /// The key that owns a receipt and its user, without reading the whole.
    async fn receipt_owner(&self, id: ReceiptId) -> StoreResult<Option<(KeyId, UserId)>>;
}

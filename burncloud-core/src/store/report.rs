//! What happened, summed and searched: what pages and exports are drawn from.

use super::StoreResult;
use crate::{ChannelId, End, KeyId, Nano, Receipt, ReceiptId, TenantId, UnixMicros, UserId};
use async_trait::async_trait;

/// Whose requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Who {
    /// Everybody's.
    #[default]
    All,
    /// Those of the users of these tenants (not of those below, unless named).
    Tenants(Vec<TenantId>),
    /// One user's.
    User(UserId),
    /// One key's.
    Key(KeyId),
}

/// How a request ended, seen from afar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// The caller was refused, or left: nobody's fault but the caller's.
    Refused,
    /// The house or its providers did not answer, or not to the end.
    Failed,
}

impl Outcome {
    /// That of a receipt.
    #[must_use]
    pub fn of(receipt: &Receipt) -> Outcome {
        match receipt.end {
            End::UpstreamFailed | End::UpstreamCut | End::TimedOut | End::UpstreamError | End::Orphaned => {
                Outcome::Failed
            }
            End::CallerGone => Outcome::Refused,
            End::Finished | End::Refused => match receipt.status {
                500.. => Outcome::Failed,
                400.. => Outcome::Refused,
                _ => Outcome::Answered,
            },
        }
    }
}

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// The key.
    Key,
    /// The user.
    User,
    /// The user's tenant.
    Tenant,
    /// The channel.
    Channel,
    /// The model, as callers ask for it.
    Model,
}

/// Spans of time that sums are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// None: one sum over all of the time.
    #[default]
    Whole,
    /// Quarters of an hour.
    Quarter,
    /// Hours.
    Hour,
    /// Days of a clock that is so many microseconds ahead of UTC.
    Day {
        /// The offset; a multiple of a quarter of an hour.
        offset: i64,
    },
}

/// Which sums are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageQuery {
    /// From (the quarter of an hour that holds it is included).
    pub since: UnixMicros,
    /// Until (its quarter of an hour is not, if it begins one).
    pub until: UnixMicros,
    /// Told apart by time.
    pub step: Step,
    /// Told apart by what, beside that.
    pub by: Vec<Dim>,
    /// Whose.
    pub who: Who,
    /// Of this channel alone.
    pub channel: Option<ChannelId>,
    /// Of this model alone.
    pub model: Option<String>,
}

/// A sum, by the arrival of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageRow {
    /// When its span of time begins; 0 for [`Step::Whole`].
    pub start: UnixMicros,
    /// The key, if told apart by it; so with the rest.
    pub key: Option<KeyId>,
    /// The user.
    pub user: Option<UserId>,
    /// The user's tenant.
    pub tenant: Option<TenantId>,
    /// The channel; `None` too where none served.
    pub channel: Option<ChannelId>,
    /// The model.
    pub model: Option<String>,
    /// Requests.
    pub requests: u64,
    /// Of them [`Outcome::Failed`].
    pub failed: u64,
    /// Of them [`Outcome::Refused`].
    pub refused: u64,
    /// Tokens that went in.
    pub tokens_in: u64,
    /// Tokens that came out.
    pub tokens_out: u64,
    /// What users were charged.
    pub charge: Nano,
    /// What the house earned: what users of its own tenants were charged, and what tenants right below those paid.
    pub revenue: Nano,
    /// What providers are expected to bill.
    pub cost: Nano,
    /// Requests whose answer had a first byte.
    pub begun: u64,
    /// From arrival to the first byte, summed over those, in microseconds.
    pub waited_us: u64,
    /// Attempts at channels: told apart by the channel that was asked, whoever answered in the end.
    pub attempts: u64,
    /// Of them those that were no answer, or not one that could be used.
    pub attempts_failed: u64,
}

/// What tenants paid: [`SpendingStore`](super::SpendingStore)'s sums for tenants, by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantRow {
    /// When its span of time begins; 0 for [`Step::Whole`].
    pub start: UnixMicros,
    /// The tenant.
    pub tenant: TenantId,
    /// Tokens, input and output, of its users and of everybody below.
    pub tokens: u64,
    /// What it paid its parent; for a tenant without one what it earned.
    pub money: Nano,
}

/// Which receipts are wanted. Newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// That arrived at this time or later.
    pub since: Option<UnixMicros>,
    /// That arrived before.
    pub until: Option<UnixMicros>,
    /// Whose.
    pub who: Who,
    /// Of this channel alone.
    pub channel: Option<ChannelId>,
    /// Of this model alone, as callers ask for it.
    pub model: Option<String>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// With this trace id (32 hexadecimal digits). Read one by one: bound the time.
    pub trace: Option<String>,
    /// Older than this one.
    pub before: Option<ReceiptId>,
    /// At most so many; 0 means 50, and 1,000 is the most.
    pub limit: u32,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Receipts, or about so many.
    pub receipts: u64,
    /// What the whole store takes on disk, in bytes, where that is known.
    pub bytes: Option<u64>,
}

/// Sums and searches. Every one is bounded: by quarters of an hour in the time asked for, or by its limit.
#[async_trait]
pub trait ReportStore: Send + Sync + 'static {
    /// Sums, in the order of their time. At most 100,000 rows: those of the most requests.
    async fn usage(&self, query: &UsageQuery) -> StoreResult<Vec<UsageRow>>;
    /// What tenants paid, in the order of their time and then of their ids.
    async fn paid(
        &self,
        tenants: &[TenantId],
        since: UnixMicros,
        until: UnixMicros,
        step: Step,
    ) -> StoreResult<Vec<TenantRow>>;
    /// Receipts, newest first.
    async fn log(&self, query: &LogQuery) -> StoreResult<Vec<Receipt>>;
    /// How much there is.
    async fn extent(&self) -> StoreResult<Extent>;
    /// When each of these keys was last used, to the quarter of an hour; those never used are left out.
    async fn last_used(&self, keys: &[KeyId]) -> StoreResult<Vec<(KeyId, UnixMicros)>>;
}

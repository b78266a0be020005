//! What happened, summed and searched: what pages and exports are drawn from.

use super::StoreResult;
use crate::{ChannelId, End, KeyId, Nano, QUARTER_US, Receipt, ReceiptId, TenantId, UnixMicros, UserId};
use async_trait::async_trait;
use std::ops::Range;

/// Whose requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

impl Step {
    /// When the span that holds a quarter of an hour begins; the quarter by its number since the epoch.
    #[must_use]
    pub fn start(self, quarter: i64) -> UnixMicros {
        let first = match self {
            Step::Whole => return UnixMicros(0),
            Step::Quarter => quarter,
            Step::Hour => quarter.div_euclid(4) * 4,
            Step::Day { offset } => {
                let ahead = offset.div_euclid(QUARTER_US);
                (quarter + ahead).div_euclid(96) * 96 - ahead
            }
        };
        UnixMicros(first.saturating_mul(QUARTER_US))
    }
}

/// The numbers, since the epoch, of the quarters of an hour from the one that holds `since` to the last that begins before
/// `until`.
#[must_use]
pub fn quarters(since: UnixMicros, until: UnixMicros) -> Range<i64> {
    let end = until.0.div_euclid(QUARTER_US) + i64::from(until.0.rem_euclid(QUARTER_US) != 0);
    since.0.div_euclid(QUARTER_US)..end
}

/// Which sums are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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

impl UsageRow {
    /// Adds another's sums; whose and when stays. They stop at the ends of their range.
    pub fn add(&mut self, more: &UsageRow) {
        let counts = [
            (&mut self.requests, more.requests),
            (&mut self.failed, more.failed),
            (&mut self.refused, more.refused),
            (&mut self.tokens_in, more.tokens_in),
            (&mut self.tokens_out, more.tokens_out),
            (&mut self.begun, more.begun),
            (&mut self.waited_us, more.waited_us),
            (&mut self.attempts, more.attempts),
            (&mut self.attempts_failed, more.attempts_failed),
        ];
        counts.into_iter().for_each(|(sum, more)| *sum = sum.saturating_add(more));
        self.charge = self.charge.plus(more.charge);
        self.revenue = self.revenue.plus(more.revenue);
        self.cost = self.cost.plus(more.cost);
    }
}

/// What a receipt adds to the sums of channels: first to that of the one that served (`None` where none did), then, for each
/// other attempt, to that of the channel that was asked in vain. Of the rows only `channel` and the sums are set.
pub fn usage(receipt: &Receipt, mut add: impl FnMut(UsageRow)) {
    let outcome = Outcome::of(receipt);
    // Counting tokens spends none.
    let tokens = |count| if receipt.operation.is_free() { 0 } else { count };
    let of = |attempt: &crate::Attempt| UsageRow {
        channel: Some(attempt.channel),
        attempts: 1,
        attempts_failed: u64::from(attempt.failed()),
        ..UsageRow::default()
    };
    let mut served = UsageRow {
        channel: receipt.channel,
        requests: 1,
        failed: u64::from(outcome == Outcome::Failed),
        refused: u64::from(outcome == Outcome::Refused),
        tokens_in: tokens(receipt.usage.total_input()),
        tokens_out: tokens(receipt.usage.total_output()),
        charge: receipt.charge,
        revenue: receipt.legs.last().map_or(receipt.charge, |leg| leg.charge),
        cost: receipt.channel.map_or(Nano::ZERO, |_| receipt.upstream_cost),
        begun: u64::from(receipt.first_byte_us.is_some()),
        waited_us: receipt.first_byte_us.unwrap_or_default().into(),
        ..UsageRow::default()
    };
    let here = |attempt: &&crate::Attempt| Some(attempt.channel) == receipt.channel;
    receipt.attempts.iter().filter(here).for_each(|attempt| served.add(&of(attempt)));
    add(served);
    receipt.attempts.iter().filter(|attempt| !here(attempt)).for_each(|attempt| add(of(attempt)));
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

impl LogQuery {
    /// How many receipts a page has at most.
    #[must_use]
    pub fn most(&self) -> usize {
        match self.limit {
            0 => 50,
            limit => limit.min(1_000) as usize,
        }
    }
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

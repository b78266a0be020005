//! The log: receipts as rows, with names, newest first.

use super::fault::{Fault, Reason, fault, outcome, reason, why};
use super::names::Names;
use super::search::{Search, Sought};
use super::view::{Customer, Sight, Source, View};
use crate::desk::Desk;
use crate::people::Actor;
use burncloud_core::store::{LogQuery, Outcome, StoreResult};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{
    ChannelId, End, KeyId, Nano, Receipt, ReceiptId, TenantId, TraceId, UnixMicros, UserId,
};
use serde::Serialize;

/// Rows of a page, if nothing else is said; and the most there are.
const ROWS: usize = 50;
const MOST: usize = 500;
/// How many receipts are looked through for one page, where the store cannot choose them itself.
const LOOKED_AT: usize = 5_000;

/// Which requests are wanted. What is set narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// That arrived at this time or later.
    pub since: Option<UnixMicros>,
    /// That arrived before.
    pub until: Option<UnixMicros>,
    /// A receipt's id, a trace id, or words: see [`Search`].
    pub text: String,
    /// Of this customer alone.
    pub customer: Option<Customer>,
    /// Of this key alone.
    pub key: Option<KeyId>,
    /// Of this model alone, by its whole name.
    pub model: Option<String>,
    /// Answered by this account alone; the house's.
    pub channel: Option<ChannelId>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// Those that were not answered, whoever's fault it was.
    pub errors: bool,
    /// Those that went to another account after the first; the house's.
    pub switched: bool,
    /// Those whose first word (without one: whose end) took longer than so many microseconds.
    pub slower_than_us: Option<u64>,
    /// Older than this one: the `next` of the page before.
    pub before: Option<ReceiptId>,
    /// At most so many rows; 0 means 50, and 500 is the most.
    pub limit: u32,
}

impl LogFilter {
    pub(super) fn rows(&self) -> usize {
        if self.limit == 0 { ROWS } else { (self.limit as usize).min(MOST) }
    }
}

/// A page, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows; there may be more on the next page even where there are none.
    pub rows: Vec<T>,
    /// The `before` of the next page; `None` where there is none.
    pub next: Option<ReceiptId>,
    /// How far back was looked.
    pub searched_to: Option<UnixMicros>,
}

/// One account that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// Which.
    pub channel: ChannelId,
    /// Its name; `None` where it is gone.
    pub name: Option<String>,
    /// The status it answered with.
    pub status: Option<u16>,
    /// Why its answer was not used, or not what was wished for; `None` where it answered.
    pub reason: Option<Reason>,
    /// From the start to its first word or failure, in microseconds.
    pub took_us: u32,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogRow {
    /// Its receipt.
    pub id: ReceiptId,
    /// The trace that the caller knows it by.
    pub trace: TraceId,
    /// When it arrived.
    pub at: UnixMicros,
    /// Whoever pays the one who looks.
    pub customer: Customer,
    /// Its name; `None` where it is gone.
    pub customer_name: Option<String>,
    /// Whoever called.
    pub user: UserId,
    /// Their name.
    pub user_name: Option<String>,
    /// Their tenant.
    pub tenant: TenantId,
    /// The key.
    pub key: KeyId,
    /// Its name.
    pub key_name: Option<String>,
    /// The model asked for; empty where the request was refused before it was known.
    pub model: String,
    /// The HTTP status that the caller got.
    pub status: u16,
    /// Answered, refused or failed.
    #[serde(serialize_with = "outcome")]
    pub outcome: Outcome,
    /// How it ended.
    pub end: End,
    /// Why it was not answered; `None` where it was.
    pub reason: Option<Reason>,
    /// Where the fault lies.
    pub fault: Option<Fault>,
    /// Whether the answer was a stream.
    pub streamed: bool,
    /// From arrival to the first word, in microseconds.
    pub first_us: Option<u32>,
    /// From arrival to the end, in microseconds.
    pub took_us: u64,
    /// Tokens in.
    pub tokens_in: u64,
    /// Tokens out.
    pub tokens_out: u64,
    /// What the user was charged.
    pub charge: Nano,
    /// What came in for the one who looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Nano>,
    /// What went out: to the provider (expected), or to the parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Nano>,
    /// What stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Nano>,
    /// The account whose answer the caller got; the house's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// Accounts asked beyond the first; the house's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches: Option<u32>,
    /// Everybody who was asked, in order; the house's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub road: Vec<Hop>,
}

impl Desk {
    /// Requests, newest first, with names.
    ///
    /// # Errors
    /// `Forbidden` where a filter is the house's and the actor is not, the store's.
    pub async fn logs(&self, actor: &Actor, filter: &LogFilter) -> UseCaseResult<Page<LogRow>> {
        logs(&*self.store, actor, filter, UnixMicros::now()).await
    }
}

pub(super) async fn logs<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    filter: &LogFilter,
    now: UnixMicros,
) -> UseCaseResult<Page<LogRow>> {
    let sight = Sight::of(store, actor).await?;
    if filter.channel.is_some() || filter.switched {
        sight.house_only("accounts")?;
    }
    let search = Search::of(&filter.text);
    if let Some(Search::Receipt(id)) = search {
        let found = store.receipt(id).await?.filter(|receipt| sight.sees(receipt));
        let rows = rows(store, &sight, &found.into_iter().collect::<Vec<_>>()).await?;
        return Ok(Page { rows, next: None, searched_to: None });
    }
    match Sought::of(store, &sight, filter, search, now).await? {
        Some(sought) => Ok(look(store, &sight, filter, sought).await?),
        None => Ok(Page { rows: Vec::new(), next: None, searched_to: None }),
    }
}

/// Looks through receipts until a page is full, there are no more, or it was enough.
async fn look<S: Source + ?Sized>(
    store: &S,
    sight: &Sight,
    filter: &LogFilter,
    sought: Sought,
) -> StoreResult<Page<LogRow>> {
    let (most, picky) = (filter.rows(), sought.picky(filter));
    let batch = if picky { 1_000 } else { most + 1 };
    let mut query = LogQuery {
        limit: u32::try_from(batch).unwrap_or(1_000),
        before: filter.before,
        ..sought.query.clone()
    };
    let (mut found, mut looked_at, mut last) = (Vec::new(), 0, None);
    loop {
        let receipts = store.log(&query).await?;
        let ended = receipts.len() < batch;
        looked_at += receipts.len();
        let seen: Vec<Receipt> = receipts.into_iter().filter(|receipt| sight.sees(receipt)).collect();
        query.before = seen.last().map(|receipt| receipt.id).or(query.before);
        for row in rows(store, sight, &seen).await? {
            if found.len() == most {
                // There is at least one more.
                return Ok(Page { rows: found, next: last.map(|(id, _)| id), searched_to: at(last) });
            }
            last = Some((row.id, row.at));
            if sought.fits(filter, &row) {
                found.push(row);
            }
        }
        if ended || seen.is_empty() {
            return Ok(Page { rows: found, next: None, searched_to: at(last) });
        }
        if looked_at >= LOOKED_AT {
            return Ok(Page { rows: found, next: last.map(|(id, _)| id), searched_to: at(last) });
        }
    }
}

fn at(last: Option<(ReceiptId, UnixMicros)>) -> Option<UnixMicros> {
    last.map(|(_, at)| at)
}

/// Receipts as rows, their names looked up together.
pub(super) async fn rows<S: Source + ?Sized>(
    store: &S,
    sight: &Sight,
    receipts: &[Receipt],
) -> StoreResult<Vec<LogRow>> {
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    let users = receipts.iter().map(|receipt| receipt.user);
    let keys = receipts.iter().map(|receipt| receipt.key);
    let names = Names::load(store, sight, users, keys).await?;
    Ok(receipts.iter().map(|receipt| row(sight, &names, receipt)).collect())
}

/// What came in for whoever looks, and what went out.
pub(super) fn money(sight: &Sight, receipt: &Receipt) -> (Option<Nano>, Option<Nano>) {
    match sight.view {
        View::House => {
            let revenue = receipt.legs.last().map_or(receipt.charge, |leg| leg.charge);
            (Some(revenue), Some(receipt.channel.map_or(Nano::ZERO, |_| receipt.upstream_cost)))
        }
        View::Reseller(own) => {
            let paid_by = receipt.legs.iter().find(|leg| leg.tenant == own).map(|leg| leg.charge);
            let paid_to = receipt.legs.iter().find(|leg| leg.parent == own).map(|leg| leg.charge);
            let revenue = if receipt.tenant == own { Some(receipt.charge) } else { paid_to };
            (Some(revenue.unwrap_or_default()), Some(paid_by.unwrap_or_default()))
        }
        View::EndUser(_) => (None, None),
    }
}

fn row(sight: &Sight, names: &Names, receipt: &Receipt) -> LogRow {
    let customer = sight.customer(receipt.user, receipt.tenant);
    let (revenue, cost) = money(sight, receipt);
    let house = sight.is_house();
    let road: Vec<Hop> =
        receipt.attempts.iter().filter(|_| house).map(|attempt| hop(names, attempt)).collect();
    let asked = road.iter().filter(|hop| hop.reason != Some(Reason::NotAfforded)).count();
    let text = |name: Option<&str>| name.map(str::to_owned);
    LogRow {
        id: receipt.id,
        trace: receipt.trace_id,
        at: receipt.at,
        customer,
        customer_name: names.customer(sight, customer),
        user: receipt.user,
        user_name: text(names.user(receipt.user)),
        tenant: receipt.tenant,
        key: receipt.key,
        key_name: text(names.key(receipt.key)),
        model: receipt.model.to_string(),
        status: receipt.status,
        outcome: Outcome::of(receipt),
        end: receipt.end,
        reason: why(receipt).map(|reason| reason.shown(sight)),
        fault: fault(receipt).map(|fault| fault.shown(sight)),
        streamed: receipt.streamed,
        first_us: receipt.first_byte_us,
        took_us: receipt.took_us,
        tokens_in: receipt.usage.total_input(),
        tokens_out: receipt.usage.total_output(),
        charge: receipt.charge,
        revenue,
        cost,
        margin: revenue.zip(cost).map(|(revenue, cost)| revenue.minus(cost)),
        channel: receipt.channel.filter(|_| house),
        switches: house.then(|| u32::try_from(asked.saturating_sub(1)).unwrap_or(u32::MAX)),
        road,
    }
}

fn hop(names: &Names, attempt: &burncloud_core::Attempt) -> Hop {
    Hop {
        channel: attempt.channel,
        name: names.channel(attempt.channel).map(str::to_owned),
        status: attempt.status,
        reason: reason(attempt),
        took_us: attempt.took_us,
    }
}

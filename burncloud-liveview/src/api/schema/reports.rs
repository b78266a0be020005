//! Receipts and sums. Amounts are nano-dollars, times are microseconds. What is not for your eyes is left out.

use super::lists;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whoever pays you: a user, or a tenant right below yours with everybody in it
#[derive(ToSchema)]
pub(in crate::api) struct Customer {
    /// `user` or `tenant`.
    kind: String,
    /// Its number.
    id: i64,
}

/// A channel that was asked
#[derive(ToSchema)]
pub(in crate::api) struct Hop {
    /// Which.
    channel: i64,
    /// Its name; null where it is gone.
    name: Option<String>,
    /// The status it answered with.
    status: Option<u16>,
    /// Why its answer was not used, in a word; null where it answered.
    reason: Option<String>,
    /// From the start to its first word or failure.
    took_us: u32,
}

/// One request
#[derive(ToSchema)]
pub(in crate::api) struct LogRow {
    /// Its receipt.
    id: String,
    /// The trace that the caller knows it by.
    trace: String,
    /// When it arrived.
    at: i64,
    /// Whoever pays you.
    customer: Customer,
    /// Its name.
    customer_name: Option<String>,
    /// Whoever called.
    user: i64,
    /// Their name.
    user_name: Option<String>,
    /// Their tenant.
    tenant: i64,
    /// The key.
    key: i64,
    /// Its name.
    key_name: Option<String>,
    /// The model asked for.
    model: String,
    /// The HTTP status that the caller got.
    status: u16,
    /// `answered`, `refused` or `failed`.
    outcome: String,
    /// How it ended, in a word.
    end: String,
    /// Why it was not answered, in a word.
    reason: Option<String>,
    /// Where the fault lies: `caller`, `gateway`, `network`, `provider`.
    fault: Option<String>,
    /// Whether the answer was a stream.
    streamed: bool,
    /// From arrival to the first word.
    first_us: Option<u32>,
    /// From arrival to the end.
    took_us: u64,
    /// Tokens in.
    tokens_in: u64,
    /// Tokens out.
    tokens_out: u64,
    /// What the user was charged.
    charge: i64,
    /// What came in for you.
    #[schema(required = false, nullable = false)]
    revenue: i64,
    /// What went out.
    #[schema(required = false, nullable = false)]
    cost: i64,
    /// What stays.
    #[schema(required = false, nullable = false)]
    margin: i64,
    /// The channel that answered; the house's.
    #[schema(required = false, nullable = false)]
    channel: i64,
    /// Channels asked beyond the first; the house's.
    #[schema(required = false, nullable = false)]
    switches: u32,
    /// Everybody who was asked, in order; the house's.
    #[schema(required = false)]
    road: Vec<Hop>,
}

/// What a span of time in a request was spent on
#[derive(ToSchema)]
pub(in crate::api) struct TraceBar {
    /// `door`, `in_vain`, `waiting` or `output`.
    stage: String,
    /// Which channel; the house's.
    #[schema(required = false, nullable = false)]
    channel: i64,
    /// From arrival to its beginning.
    from_us: u64,
    /// How long.
    us: u64,
}

/// What one tenant paid the one above it
#[derive(ToSchema)]
pub(in crate::api) struct Leg {
    /// Who paid.
    tenant: Option<String>,
    /// Whom.
    parent: Option<String>,
    /// How much.
    charge: i64,
    /// What it comes to beyond what there was.
    shortfall: i64,
}

/// A line of a charge
#[derive(ToSchema)]
pub(in crate::api) struct ChargeLine {
    /// What for, such as `input`.
    kind: String,
    /// How many.
    units: u64,
    /// Nano-dollars per million units.
    price: i64,
    /// What that comes to.
    amount: i64,
}

/// By which prices a receipt was rated
#[derive(ToSchema)]
pub(in crate::api) struct PriceRef {
    /// The version of the price book; 0 where nothing was rated.
    version: u64,
    /// Since when that version holds.
    since: Option<i64>,
}

/// A receipt in full
#[derive(ToSchema)]
pub(in crate::api) struct Receipt {
    #[schema(inline)]
    #[serde(flatten)]
    row: LogRow,
    /// The wire format of the caller.
    dialect: String,
    /// What was asked.
    operation: String,
    /// What was used, by class of token.
    usage: Value,
    /// How that is known.
    usage_source: Value,
    /// The lines of the charge.
    lines: Vec<ChargeLine>,
    /// What was held before it was sent on.
    reserved: i64,
    /// What the lines come to beyond the charge.
    shortfall: i64,
    /// By which policy an unfinished answer was charged.
    abort: Option<String>,
    /// By which prices.
    price: PriceRef,
    /// What tenants paid each other.
    legs: Vec<Leg>,
    /// Where the time went; in order, without gaps.
    bars: Vec<TraceBar>,
    /// Bytes of the request's body.
    bytes_in: u64,
    /// Bytes of the answer's body.
    bytes_out: u64,
    /// The model that the provider was asked for; the house's.
    #[schema(required = false, nullable = false)]
    upstream_model: String,
    /// The provider's own id of the exchange; the house's.
    #[schema(required = false, nullable = false)]
    upstream_request_id: String,
    /// Whether it can be proved.
    seal: Value,
    /// It as JSON, with its proof, as its caller gets it.
    json: String,
}

/// From (inclusive) to (exclusive)
#[derive(ToSchema)]
pub(in crate::api) struct Window {
    /// From.
    since: i64,
    /// Until.
    until: i64,
}

/// Sums; money that is not for your eyes is left out
#[derive(ToSchema)]
pub(in crate::api) struct Sums {
    /// Requests.
    requests: u64,
    /// Of them those that the house or its providers did not answer.
    failed: u64,
    /// Of them those that were the caller's own fault.
    refused: u64,
    /// Tokens that went in.
    tokens_in: u64,
    /// Tokens that came out.
    tokens_out: u64,
    /// What users were charged.
    charge: i64,
    /// What came in.
    #[schema(required = false, nullable = false)]
    revenue: i64,
    /// What went out.
    #[schema(required = false, nullable = false)]
    cost: i64,
    /// What stays.
    #[schema(required = false, nullable = false)]
    margin: i64,
    /// Of a thousand that came in so many stay.
    #[schema(required = false, nullable = false)]
    kept_permille: i64,
    /// Of ten thousand requests that were not the caller's fault so many were answered.
    #[schema(required = false, nullable = false)]
    answered_permyriad: u64,
    /// From arrival to the first word, on average.
    #[schema(required = false, nullable = false)]
    first_us: u64,
}

/// A part of the whole
#[derive(ToSchema)]
pub(in crate::api) struct Slice {
    /// What it is of: `all`, `model`, `customer`, `key`, `channel`, `provider`, `below` or `others`.
    of: String,
    /// Which.
    #[schema(required = false)]
    id: Value,
    /// Its name.
    name: Option<String>,
    /// Its sums.
    sums: Sums,
}

/// An hour or a day
#[derive(ToSchema)]
pub(in crate::api) struct Point {
    /// When it begins.
    at: i64,
    /// Its sums.
    sums: Sums,
    /// What each slice brought in, in their order.
    parts: Vec<i64>,
}

/// A day that is not over
#[derive(ToSchema)]
pub(in crate::api) struct DayAhead {
    /// When it begins.
    at: i64,
    /// What it will still bring in.
    value: i64,
}

/// An estimate of a whole month
#[derive(ToSchema)]
pub(in crate::api) struct Forecast {
    /// Always set: nothing here is a fact.
    estimate: bool,
    /// How: `weekdays` or `average`.
    method: String,
    /// From so many full days.
    days: u32,
    /// What the month will have brought in.
    value: i64,
    /// What it will have cost.
    #[schema(required = false, nullable = false)]
    cost: i64,
    /// What will stay.
    #[schema(required = false, nullable = false)]
    margin: i64,
    /// What each day that is left brings in.
    ahead: Vec<DayAhead>,
}

/// What there is to spend
#[derive(ToSchema)]
pub(in crate::api) struct Purse {
    /// What is in it.
    balance: i64,
    /// How far below zero it may go.
    credit: i64,
    /// Whether it has no bound.
    unlimited: bool,
}

/// The books of a span of time
#[derive(ToSchema)]
pub(in crate::api) struct Books {
    /// Whose eyes.
    view: Value,
    /// By which clock: an IANA name.
    zone: String,
    /// From when to when.
    window: Window,
    /// When the span will be over.
    end: i64,
    /// Everything in it.
    now: Sums,
    /// The span before, as far into it.
    before_window: Window,
    /// Everything in that.
    before: Sums,
    /// By how many thousandths more stays than before.
    #[schema(required = false, nullable = false)]
    kept_change: i64,
    /// Customers with a request.
    active: u64,
    /// What the points are: `hour` or `day`.
    grain: String,
    /// Every hour or day.
    points: Vec<Point>,
    /// What slices are of.
    by: String,
    /// The five that brought in most, and the others as one.
    slices: Vec<Slice>,
    /// What the month will come to; of the current month alone.
    #[schema(required = false, nullable = false)]
    forecast: Forecast,
    /// A reseller's wallet at its parent, an end user's at its tenant.
    #[schema(required = false, nullable = false)]
    wallet: Purse,
}

/// Whoever was active
#[derive(ToSchema)]
pub(in crate::api) struct CustomersSeen {
    /// From when to when.
    window: Window,
    /// How many made a request.
    active: u64,
    /// The first hundred, by what they brought in.
    leaders: Vec<Slice>,
}

/// An hour of a channel
#[derive(ToSchema)]
pub(in crate::api) struct HealthHour {
    /// When it begins.
    at: i64,
    /// How often it was asked.
    attempts: u64,
    /// How often it gave no answer that could be used.
    failed: u64,
    /// From arrival to the first word, on average.
    first_us: Option<u64>,
}

/// How well a channel did
#[derive(ToSchema)]
pub(in crate::api) struct ChannelHealth {
    /// Which.
    channel: i64,
    /// Its name.
    name: Option<String>,
    /// Its provider.
    provider: Option<String>,
    /// All hours together.
    all: HealthHour,
    /// Each hour, the oldest first.
    hours: Vec<HealthHour>,
}

/// Something that somebody should know; what it is about depends on its kind
#[derive(ToSchema)]
pub(in crate::api) struct Finding {
    /// The same for the same thing, however often it is asked for.
    id: String,
    /// What, such as `errors` or `resting`.
    kind: String,
    /// How much it matters: `hurt`, `care` or `info`.
    severity: String,
    /// Of errors: whether the same account answered since.
    settled: bool,
    /// How often, in requests.
    count: u64,
    /// How many customers it touched.
    customers: u64,
    /// When first, where that is known.
    first: Option<i64>,
    /// When last.
    last: Option<i64>,
    /// The three newest examples.
    receipts: Vec<String>,
    /// What would help, the most useful first; `action` says what.
    actions: Vec<BTreeMap<String, Value>>,
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

lists! {
    /// Findings
    FindingList of Finding
    /// Requests
    LogList of LogRow
    /// Channels, hour by hour
    ChannelHealthList of ChannelHealth
}

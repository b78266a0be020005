//! Price books. Prices are nano-dollars per million units (tokens, pieces, milliseconds).

use super::lists;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A model in a price book
#[derive(ToSchema)]
pub(in crate::api) struct Price {
    /// The model, as callers ask for it.
    model: String,
    /// Where the selling price comes from.
    source: PriceSource,
    /// The selling price by class, such as `input`; empty where it has none.
    prices: BTreeMap<String, i64>,
    /// What it is bought for.
    buying: Vec<BuyingPrice>,
    /// What `If-Match` of a rule for it takes.
    version: String,
}

/// Where a price comes from
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum PriceSource {
    /// A rule for the model.
    Rule,
    /// The book's rule for every model that has none of its own.
    Default,
    /// The published prices; of a reseller's book what it pays itself.
    Catalogue,
}

/// What something is bought for
#[derive(ToSchema)]
pub(in crate::api) struct BuyingPrice {
    /// At which channel; null is at the parent.
    channel: Option<i64>,
    /// Its name.
    channel_name: Option<String>,
    /// The model, as the provider knows it.
    upstream_model: String,
    /// Where the price comes from.
    source: PriceSource,
    /// The price by class.
    prices: BTreeMap<String, i64>,
}

/// A rule that somebody set
#[derive(ToSchema)]
pub(in crate::api) struct Rule {
    /// Its number.
    version: u64,
    /// In whose book; left out for the house's.
    #[schema(required = false, nullable = false)]
    book: i64,
    /// A buying price of this channel.
    #[schema(required = false, nullable = false)]
    channel: i64,
    /// The model, `*` for every other, empty for the whole book.
    model: String,
    /// From when on it holds, in microseconds.
    effective_at: i64,
    /// The rule.
    rates: Value,
    /// Whether it counts.
    state: RuleState,
}

/// Whether a rule counts
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum RuleState {
    /// It is in force.
    InForce,
    /// It will be.
    Scheduled,
    /// A newer one is in its place.
    Superseded,
}

/// A rule to be set
#[derive(ToSchema)]
#[schema(example = json!({ "model": "gpt-4o-mini", "rates": { "input": "0.20", "output": "0.80" } }))]
pub(in crate::api) struct NewRule {
    /// In whose book; the house's where it is left out.
    book: Option<i64>,
    /// A buying price of this channel.
    channel: Option<i64>,
    /// The model, `*` for every one without a rule of its own, empty for what holds for the whole book.
    model: String,
    /// From when on it holds, in microseconds; at once where it is left out.
    effective_at: Option<i64>,
    /// The rule: prices in dollars per million, as texts.
    rates: Value,
}

/// The number of a rule
#[derive(ToSchema)]
pub(in crate::api) struct RuleNumber {
    /// It.
    version: u64,
}

/// What holds for a whole book; ratios are decimal texts
#[derive(ToSchema)]
pub(in crate::api) struct BookRatios {
    /// The ratio of each customers' group.
    groups: BTreeMap<String, String>,
    /// By a user's own group: the ratio of each group that their key calls as.
    pairs: BTreeMap<String, BTreeMap<String, String>>,
    /// What a dollar buys of each currency.
    fx: BTreeMap<String, String>,
    /// What `If-Match` of a rule for the whole book takes.
    version: String,
}

/// What a model costs somebody at a channel
#[derive(ToSchema)]
pub(in crate::api) struct Quote {
    /// The channel, for the house.
    channel: Option<i64>,
    /// Its name, for the house.
    channel_name: Option<String>,
    /// The version of the book.
    version: u64,
    /// Before when it holds, in microseconds.
    until: Option<i64>,
    /// What the provider takes, for the house.
    cost: Option<BTreeMap<String, i64>>,
    /// Who pays what, from the top down, as far as you see.
    levels: Vec<QuoteLevel>,
    /// Who sells below cost, for the house.
    loss: Option<i64>,
}

/// What one buyer pays
#[derive(ToSchema)]
pub(in crate::api) struct QuoteLevel {
    /// Who sells; null is the house.
    seller: Option<i64>,
    /// Who buys; null is the user.
    buyer: Option<i64>,
    /// The prices by class.
    prices: BTreeMap<String, i64>,
}

/// Published prices that wait, if any do
#[derive(ToSchema)]
pub(in crate::api) struct Waiting {
    /// They.
    waiting: Option<WaitingPrices>,
}

/// Published prices that wait for approval
#[derive(ToSchema)]
pub(in crate::api) struct WaitingPrices {
    /// The number of the copy.
    version: i64,
    /// When it was fetched, in microseconds.
    fetched_at: i64,
    /// From where.
    source: String,
    /// Everything that it would change.
    changes: Vec<WaitingChange>,
}

/// A price that would change
#[derive(ToSchema)]
pub(in crate::api) struct WaitingChange {
    /// The provider.
    provider: String,
    /// The model.
    model: String,
    /// What of it.
    what: String,
    /// What it was.
    from: Option<i64>,
    /// What it becomes.
    to: Option<i64>,
}

/// What became of an import of prices
#[derive(ToSchema)]
pub(in crate::api) struct Imported {
    /// How many rules were set, or would be.
    rules: u64,
    /// Entries without effect, which were left out.
    left_out: Vec<String>,
}

/// New-API's tables
#[derive(ToSchema)]
pub(in crate::api) struct Exported {
    /// The tables.
    tables: Value,
    /// Models whose prices are no ratios.
    left_out: Vec<String>,
}

lists! {
    /// Models of a book
    PriceList of Price
    /// Rules
    RuleList of Rule
    /// What a model costs
    QuoteList of Quote
}

//! Exact money for the BurnCloud gateway.
//!
//! [`Biller`] implements [`burncloud_core::billing::Billing`]: it holds an upper estimate before dispatch,
//! replaces it by what was used, and writes both to a local [journal](JournalSettings) that a [`Shipper`] carries into
//! a [`ReceiptStore`](burncloud_core::store::ReceiptStore). Prices come from a [`PriceBook`]: what the
//! operator set, else the [`Catalogue`].
//!
//! Money is integer nano-dollars throughout; a price is nano-dollars per million units, and each line of a
//! receipt is one product, rounded once, half up ([`rate`]).

mod accounts;
pub mod archive;
mod biller;
mod book;
mod bound;
mod budgets;
mod catalogue;
pub mod codes;
pub mod desk;
mod error;
mod estimate;
mod feed;
mod journal;
mod ladder;
pub mod ledger;
mod losses;
pub mod newapi;
pub mod people;
mod prices;
pub mod proof;
pub mod published;
mod rates;
mod rating;
mod ratio;
mod rule;
mod shipper;
mod snapshot;
mod tariff;
mod terms;
#[cfg(test)]
mod tests;

pub use biller::{Biller, BillerOptions, OrphanPolicy};
pub use book::{PriceBook, Unpriced};
pub use budgets::{Alerts, BudgetState, LoadedBudget, check_budget, load_budgets, reload_budgets};
pub use catalogue::{Catalogue, Listed};
pub use desk::Desk;
pub use error::BillingError;
pub use estimate::{Dir, estimate};
pub use feed::Feed;
pub use journal::JournalSettings;
pub use ladder::Offer;
pub use losses::{Guard, Loss};
pub use prices::{Quote, QuoteLevel, find_fault, quote, reload_prices, set_price};
pub use rates::{Prices, Rates, RatesError};
pub use rating::{Rated, rate, total};
pub use ratio::{ParseRatioError, Ratio};
pub use rule::{BookSettings, PriceRule, Ratios, check_rule};
pub use shipper::{Shipper, ShipperSettings};

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
mod biller;
mod book;
mod bound;
mod catalogue;
mod error;
mod estimate;
mod journal;
pub mod newapi;
mod prices;
pub mod proof;
pub mod published;
mod rates;
mod rating;
mod shipper;
mod tariff;
#[cfg(test)]
mod tests;

pub use biller::{Biller, BillerOptions, OrphanPolicy, Unpriced};
pub use book::PriceBook;
pub use catalogue::{Catalogue, Listed};
pub use error::BillingError;
pub use estimate::{Dir, estimate};
pub use journal::JournalSettings;
pub use prices::{reload_prices, set_price};
pub use rates::{Prices, Rates, RatesError};
pub use rating::{Rated, rate, total};
pub use shipper::{Shipper, ShipperSettings};

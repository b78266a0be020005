//! What operators do with prices.

use crate::book::PriceBook;
use crate::error::BillingError;
use crate::rates::Rates;
use burncloud_core::UnixMicros;
use burncloud_core::store::{PriceOverride, PriceStore};
use serde_json::Value;

/// Sets what callers of `model` pay from a moment on, in the shape that [`Rates`] describes, and puts it into the
/// book. Returns its version. A price is never changed, only superseded.
///
/// # Errors
/// [`BillingError::Price`] with the field at fault, before anything is stored; [`BillingError::Store`].
pub async fn set_price<S: PriceStore + ?Sized>(
    store: &S,
    book: &PriceBook,
    model: &str,
    rates: Value,
    effective_at: UnixMicros,
) -> Result<u64, BillingError> {
    Rates::from_json(&rates).map_err(|source| BillingError::Price { model: model.to_owned(), source })?;
    let price =
        PriceOverride { version: 0, book: None, channel: None, model: model.to_owned(), effective_at, rates };
    let version = store.add_price(price).await?;
    reload_prices(store, book).await?;
    Ok(version)
}

/// Reads the operator's prices from the store into the book.
///
/// # Errors
/// As [`set_price`]; the book is then as it was.
pub async fn reload_prices<S: PriceStore + ?Sized>(store: &S, book: &PriceBook) -> Result<(), BillingError> {
    book.set_overrides(store.prices().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::MockStore;
    use serde_json::json;

    #[tokio::test]
    async fn a_price_is_checked_then_stored_then_in_force() {
        let (store, book, now) = (MockStore::default(), PriceBook::new(), UnixMicros(7));
        let refused = set_price(&store, &book, "m", json!({"input": "-1"}), now).await.unwrap_err();
        assert_eq!(refused.to_string(), "price of `m`: `input`: a price is not negative");
        assert!(store.prices().await.unwrap().is_empty());
        assert_eq!(set_price(&store, &book, "m", json!({"input": "1"}), now).await.unwrap(), 1);
        assert!(book.override_of("m", now).is_some());
        assert_eq!(book.version(), 2);
    }
}

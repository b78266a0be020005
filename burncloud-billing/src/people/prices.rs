//! Prices, as far as it matters who sets them.

use super::actor::Actor;
use super::roles::Action;
use super::tree::Tree;
use crate::book::PriceBook;
use crate::error::BillingError;
use burncloud_core::store::{PriceOverride, PriceStore, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};

/// Adds a rule to a price book, in the store and in `book`, and returns its version; see [`crate::set_price`]. The
/// house's book, what channels cost and exchange rates are the house's; a reseller's own book is theirs, and nobody's
/// above or below it.
///
/// # Errors
/// `Forbidden`; `Invalid` with the field at fault; the store's.
pub async fn set_price<S: PriceStore + UserStore + ?Sized>(
    store: &S,
    actor: &Actor,
    book: &PriceBook,
    rule: PriceOverride,
) -> UseCaseResult<u64> {
    match rule.book.filter(|_| rule.channel.is_none()) {
        None => actor.check_in_house(Action::ManageHouse)?,
        Some(tenant) => actor.check(&Tree::load(store).await?, Action::SetPrices, tenant)?,
    }
    crate::set_price(store, book, rule).await.map_err(|error| match error {
        BillingError::Price { source, .. } => UseCaseError::invalid(source.field, source.message),
        BillingError::Store(error) => UseCaseError::Store(error),
        other => UseCaseError::Store(StoreError::Unavailable(other.to_string())),
    })
}

/// The rules of the books that the actor may see.
///
/// # Errors
/// The store's.
pub async fn list_prices<S: PriceStore + UserStore + ?Sized>(
    store: &S,
    actor: &Actor,
) -> UseCaseResult<Vec<PriceOverride>> {
    let tree = Tree::load(store).await?;
    let seen = |rule: &PriceOverride| match rule.book.filter(|_| rule.channel.is_none()) {
        None => actor.may_in_house(Action::ManageHouse),
        Some(tenant) => actor.may(&tree, Action::See, tenant),
    };
    Ok(store.prices().await?.into_iter().filter(seen).collect())
}

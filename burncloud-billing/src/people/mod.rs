//! Tenants, users and their money, as people handle them: each rule in one place, and each function asks first whether
//! [`Actor`] may.
//!
//! The command line, the configuration file and a management API are thin callers of these functions over the traits of
//! [`burncloud_core::store`]. What moves money is an entry in the ledger that names the actor as its author.

mod actor;
mod credit;
mod keys;
mod moves;
mod prices;
mod roles;
mod tenants;
mod terms;
#[cfg(test)]
mod tests;
mod tree;
mod users;
mod wallets;

pub use actor::Actor;
pub use credit::{grant_credit, set_credit};
pub(crate) use keys::check_key;
pub use keys::create_key;
pub use prices::{list_prices, set_price};
pub use roles::{Action, Place, may};
pub use tenants::{TenantChange, check_time_zone, create_tenant, list_tenants, update_tenant};
pub(crate) use terms::check_budget;
pub use terms::{delete_budget, list_budgets, set_budget, set_plan};
pub use tree::{MAX_DEPTH, Tree};
pub use users::{UserChange, create_user, list_users, set_role, update_user};
pub(crate) use users::{check_change_of_role, check_office, check_role, check_user};
pub use wallets::{
    Wallet, adjust, generate_codes, open_wallet, promote, redeem_code, reverse, set_balance, top_up,
};

use burncloud_core::store::{StoreError, StoreResult, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Tenant, User};

/// The tenant of that name.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn find_tenant<S: UserStore + ?Sized>(store: &S, name: &str) -> StoreResult<Tenant> {
    let found = store.tenant_by_name(name).await?;
    found.ok_or_else(|| StoreError::NotFound { what: "tenant", name: name.to_owned() })
}

/// The user of that name.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn find_user<S: UserStore + ?Sized>(store: &S, name: &str) -> StoreResult<User> {
    let found = store.user_by_name(name).await?;
    found.ok_or_else(|| StoreError::NotFound { what: "user", name: name.to_owned() })
}

/// Checks the name of a group or a plan that somebody is to belong to.
fn check_word(field: &'static str, word: Option<&String>) -> UseCaseResult<()> {
    let Some(word) = word else { return Ok(()) };
    burncloud_core::usecase::check_name(word).map_err(|error| match error {
        UseCaseError::Invalid { message, .. } => UseCaseError::invalid(field, message),
        other => other,
    })
}

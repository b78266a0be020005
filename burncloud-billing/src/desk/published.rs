//! Prices that come from elsewhere: published ones that wait for approval, and New-API's tables.

use super::audit::Change;
use super::common::missing;
use super::prices::broken;
use super::{Actor, Desk};
use crate::PriceBook;
use crate::newapi::Tables;
use crate::people::{self, Action};
use crate::published;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::{Said, UseCaseError, UseCaseResult};
use burncloud_core::{Nano, UnixMicros};
use serde::Serialize;
use serde_json::json;

/// Published prices that wait for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitingPrices {
    /// The number of the copy.
    pub version: i64,
    /// When it was fetched.
    pub fetched_at: UnixMicros,
    /// From where.
    pub source: String,
    /// Everything that it would change.
    pub changes: Vec<WaitingChange>,
}

/// A price that would change. Prices are nano-dollars per million tokens; where both are `None` something else differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitingChange {
    /// The provider, by the catalogue's name.
    pub provider: String,
    /// The model, by the catalogue's id.
    pub model: String,
    /// What of it.
    pub what: &'static str,
    /// What it was.
    pub from: Option<Nano>,
    /// What it becomes.
    pub to: Option<Nano>,
}

/// What became of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// How many rules it set, or would set.
    pub rules: usize,
    /// Entries that have no effect in New-API either, and were left out.
    pub left_out: Vec<String>,
}

/// New-API's tables, and what does not fit in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// JSON, as New-API reads it.
    pub tables: String,
    /// Models whose prices are no ratios.
    pub left_out: Vec<String>,
}

impl Desk {
    /// The published prices that wait for approval. Takes about a second, on a thread of its own.
    ///
    /// # Errors
    /// `Forbidden` for all but the house's owners and administrators; the store's.
    pub async fn waiting_prices(&self, actor: &Actor) -> UseCaseResult<Option<WaitingPrices>> {
        actor.check_in_house(Action::ManageHouse)?;
        let (store, book) = (self.store.clone(), self.book.clone());
        let handle = tokio::runtime::Handle::current();
        // Comparing takes a second of a processor: nothing else that this thread serves should wait for it.
        let compared = tokio::task::spawn_blocking(move || {
            handle.block_on(published::waiting(&*store, &book, UnixMicros::now()))
        });
        let compared =
            compared.await.map_err(|_| StoreError::Unavailable("the comparison broke off".into()))?;
        let Some((copy, changes)) = compared.map_err(broken)? else { return Ok(None) };
        let changes = changes.into_iter().map(|change| {
            let published::Change { provider, model, what, from, to } = change;
            WaitingChange { provider, model, what, from, to }
        });
        let changes = changes.collect();
        Ok(Some(WaitingPrices {
            version: copy.version,
            fetched_at: copy.fetched_at,
            source: copy.source,
            changes,
        }))
    }

    /// Puts the prices that wait in force (`yes`), or aside. `version` is the number that was looked at.
    ///
    /// # Errors
    /// `Forbidden`; `Changed` where others wait by now; `Store(NotFound)` where none do.
    pub async fn decide_prices(&self, actor: &Actor, version: i64, yes: bool) -> UseCaseResult<()> {
        let _one_at_a_time = self.writing.lock().await;
        actor.check_in_house(Action::ManageHouse)?;
        let waiting = self.store.catalogue(burncloud_core::store::CatalogueState::Pending).await?;
        let waiting = waiting.ok_or_else(|| missing("waiting catalogue", version))?;
        if waiting.version != version {
            return Err(UseCaseError::Changed { what: "waiting catalogue", name: version.to_string() });
        }
        let action = if yes {
            published::approve(&*self.store, &self.book, version, UnixMicros::now()).await.map_err(broken)?;
            "prices.approve"
        } else {
            published::reject(&*self.store, version).await.map_err(broken)?;
            "prices.reject"
        };
        let change = Change {
            action,
            subject: format!("catalogue:{version}"),
            name: waiting.source,
            tenant: actor.tenant,
            before: json!({ "state": "waiting" }),
            after: json!({ "state": if yes { "in_force" } else { "rejected" } }),
        };
        self.note(actor, change).await
    }

    /// New-API's ratio tables become prices of the house; with `dry_run` they are only checked. All are checked before the
    /// first is set; a store that goes away in between leaves the first ones set, and the same import again goes on.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` names the table and the entry; the store's.
    pub async fn import_tables(
        &self,
        actor: &Actor,
        text: &str,
        effective_at: Option<UnixMicros>,
        dry_run: bool,
    ) -> UseCaseResult<Imported> {
        let _one_at_a_time = self.writing.lock().await;
        actor.check_in_house(Action::ManageHouse)?;
        let tables = Tables::parse(text)
            .map_err(|error| UseCaseError::invalid("tables", Said::plain(error.to_string())))?;
        let held = self.store.prices().await?;
        let effective_at = effective_at.unwrap_or_else(UnixMicros::now);
        let rules = tables.rules_after(&held, effective_at);
        let mut all = held;
        all.extend(rules.iter().cloned());
        PriceBook::new().set_overrides(all).map_err(broken)?;
        let imported = Imported { rules: rules.len(), left_out: tables.without_effect() };
        if dry_run {
            return Ok(imported);
        }
        for rule in rules {
            self.store.add_price(rule).await?;
        }
        self.read_prices().await?;
        let change = Change {
            action: "prices.import",
            subject: "price:house".to_owned(),
            name: "New-API".to_owned(),
            tenant: actor.tenant,
            before: json!(null),
            after: json!({ "rules": imported.rules, "effective_at": effective_at }),
        };
        self.note(actor, change).await?;
        Ok(imported)
    }

    /// The house's prices in force as New-API's ratio tables.
    ///
    /// # Errors
    /// `Forbidden` for all but the house's owners and administrators; the store's.
    pub async fn export_tables(&self, actor: &Actor) -> UseCaseResult<Exported> {
        actor.check_in_house(Action::ManageHouse)?;
        let rules = people::list_prices(&*self.store, actor).await?;
        let (tables, left_out) = Tables::from_rules(&rules, UnixMicros::now());
        Ok(Exported { tables: tables.to_json(), left_out })
    }
}

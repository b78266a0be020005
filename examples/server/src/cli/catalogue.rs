//! `burncloud prices catalogue …`, `import` and `export`.

use super::args::CatalogueCommand;
use super::{CliResult, Desk};
use crate::moment;
use crate::serve::{fetch_catalogue, shown_address};
use burncloud_billing::newapi::Tables;
use burncloud_billing::published::{self, Change, DEFAULT_BOUND, DEFAULT_URL, Offered};
use burncloud_billing::{PriceBook, reload_prices};
use burncloud_core::UnixMicros;
use burncloud_core::store::{CatalogueStore, PriceOverride, PriceStore, StoreError};
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// A book that reads what is in force.
async fn book(desk: &Desk) -> CliResult<PriceBook> {
    let book = PriceBook::new();
    published::restore(&*desk.store, &book, None, UnixMicros::now()).await?;
    Ok(book)
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| format!("  {change}")).collect()
}

pub(super) async fn run(command: CatalogueCommand, desk: &Desk) -> CliResult {
    match command {
        CatalogueCommand::Show => show(desk).await,
        CatalogueCommand::Fetch { from, bound_percent, proxy } => {
            fetch(desk, from.as_deref(), bound_percent.unwrap_or(DEFAULT_BOUND), proxy).await
        }
        CatalogueCommand::Approve { version } => {
            published::approve(&*desk.store, &book(desk).await?, version, UnixMicros::now()).await?;
            let line = format!("the published prices of version {version} are in force");
            desk.out.show(&json!({ "approved": version }), &[line])
        }
        CatalogueCommand::Reject { version } => {
            published::reject(&*desk.store, version).await?;
            let line = format!("the published prices of version {version} are put aside");
            desk.out.show(&json!({ "rejected": version }), &[line])
        }
    }
}

async fn show(desk: &Desk) -> CliResult {
    use burncloud_core::store::CatalogueState;
    let active = desk.store.catalogue(CatalogueState::Active).await?;
    let in_force = active.map_or_else(
        || "those that came with this build".to_owned(),
        |copy| format!("version {} of {} from {}", copy.version, moment::show(copy.fetched_at), copy.source),
    );
    let mut all = vec![format!("in force: {in_force}")];
    let waiting = published::waiting(&*desk.store, &book(desk).await?, UnixMicros::now()).await?;
    let mut json = json!({ "in_force": in_force, "waiting": null });
    if let Some((copy, changes)) = waiting {
        let fetched = moment::show(copy.fetched_at);
        all.push(format!(
            "waiting: version {} of {fetched}; burncloud prices catalogue approve|reject {}",
            copy.version, copy.version
        ));
        all.extend(lines(&changes));
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        json["waiting"] = json!({ "version": copy.version, "fetched": fetched, "changes": changes });
    }
    desk.out.show(&json, &all)
}

async fn fetch(desk: &Desk, from: Option<&str>, bound: u32, proxy: Option<String>) -> CliResult {
    let from = from.unwrap_or(DEFAULT_URL);
    let remote = from.starts_with("http://") || from.starts_with("https://");
    let (body, source) = if remote {
        (fetch_catalogue(from, proxy).await?, shown_address(from))
    } else {
        (read(Path::new(from))?, from.to_owned())
    };
    let book = book(desk).await?;
    let (line, changes, json) = match published::offer(
        &*desk.store,
        &book,
        &body,
        &source,
        bound,
        UnixMicros::now(),
    )
    .await?
    {
        Offered::Unchanged => {
            ("nothing differs from what is in force".to_owned(), Vec::new(), json!("unchanged"))
        }
        Offered::InForce(changes) => {
            (format!("{} changes are in force", changes.len()), changes, json!("in_force"))
        }
        Offered::Waiting(version, beyond) => {
            let line = format!(
                "{} changes are beyond {bound} % or none of prices alone; look at them with `burncloud prices catalogue show`, then \
                     `burncloud prices catalogue approve {version}`",
                beyond.len()
            );
            (line, beyond, json!({ "waiting": version }))
        }
    };
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let mut all = vec![line];
    all.extend(lines(&changes));
    desk.out.show(&json!({ "outcome": json, "changes": shown }), &all)
}

fn read(path: &Path) -> CliResult<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    Ok(std::fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?)
}

/// `burncloud prices import`: New-API's ratio tables become prices of the house.
pub(super) async fn import(desk: &Desk, file: &Path, effective: Option<UnixMicros>) -> CliResult {
    let tables = Tables::parse(&read(file)?)?;
    // All are checked before the first is set. Setting them is not one transaction: a store that goes away in between
    // leaves the first ones set.
    let mut all = desk.store.prices().await?;
    let effective = effective.unwrap_or_else(UnixMicros::now);
    let rules = tables.rules_after(&all, effective);
    all.extend(rules.iter().cloned());
    PriceBook::new().set_overrides(all)?;
    let versions = set_all(&*desk.store, &rules).await?;
    let idle = tables.without_effect();
    let mut shown = vec![format!("{} prices were set", versions.len())];
    shown.extend(idle.iter().map(|name| format!("  {name} has no effect in New-API and was left out")));
    desk.out.show(&json!({ "versions": versions, "left_out": idle }), &shown)
}

/// Adds rules one after another, and says how far it came where the store refuses one.
async fn set_all<S: PriceStore + ?Sized>(store: &S, rules: &[PriceOverride]) -> CliResult<Vec<u64>> {
    let mut versions = Vec::new();
    for rule in rules {
        match store.add_price(rule.clone()).await {
            Ok(version) => versions.push(version),
            Err(error) => return Err(cut_short(rules, &versions, &error).into()),
        }
    }
    Ok(versions)
}

fn cut_short(rules: &[PriceOverride], versions: &[u64], error: &StoreError) -> String {
    let name = |rule: &PriceOverride| match &*rule.model {
        "" => "groups and rates".to_owned(),
        model => format!("`{model}`"),
    };
    let done: Vec<String> =
        rules.iter().zip(versions).map(|(r, v)| format!("{} (version {v})", name(r))).collect();
    let done = if done.is_empty() { "none".to_owned() } else { done.join(", ") };
    let left: Vec<String> = rules[versions.len()..].iter().map(name).collect();
    format!(
        "the store refused a price: {error}. An import is not one transaction. Set and in force from their moment on: {done}. \
         Not set: {}. To go on, run the same import again, with the same --effective if there was one: a price that is set \
         twice is the same price",
        left.join(", ")
    )
}

/// `burncloud prices export`: the prices in force as New-API's ratio tables.
pub(super) async fn export(desk: &Desk) -> CliResult {
    reload_prices(&*desk.store, &PriceBook::new()).await?;
    let (tables, others) = Tables::from_rules(&desk.store.prices().await?, UnixMicros::now());
    for model in others {
        tracing::warn!(model, "its price is no ratio and is left out");
    }
    crate::cli::say(tables.to_json().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_that_is_cut_short_says_how_far_it_came() {
        let rule = |model: &str| PriceOverride {
            version: 0,
            book: None,
            channel: None,
            model: model.into(),
            effective_at: UnixMicros(0),
            rates: json!({ "input": "1" }),
        };
        let rules = [rule(""), rule("a"), rule("b")];
        let away = StoreError::Unavailable("gone".into());
        let text = cut_short(&rules, &[4, 5], &away);
        for part in
            ["groups and rates (version 4), `a` (version 5)", "Not set: `b`.", "same import again", "gone"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(cut_short(&rules, &[], &away).contains(": none. Not set: groups and rates, `a`, `b`."));
    }
}

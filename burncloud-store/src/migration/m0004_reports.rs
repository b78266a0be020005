//! What pages and exports are drawn from: more sums, sums by the hour, and where to find what failed.

use super::columns::{number, table, word};
use crate::backend::{self, ALL, HOURS_BY_CHANNEL, HOURS_BY_MODEL, HOURS_BY_TENANT};
use sea_orm::sea_query::{Index, Table, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

/// What `usage_quarters` sums from now on. What was recorded before counts as the house's own, answered at once.
const ADDED: [&str; 7] =
    ["failed", "refused", "revenue", "begun", "waited_us", "attempts", "attempts_failed"];

/// Quarters are as many as requests where those are few and far between: a month of them is too much to read for a page. So
/// the sums that pages ask for most are kept by the hour too: of everybody by model, by channel and by tenant, and of each
/// tenant by model.
fn hours(backend: DbBackend) -> TableCreateStatement {
    let mut hours = table("usage_hours")
        // -1 is everybody.
        .col(number("tenant_id"))
        // 0: by model; 1: by channel; 2: by tenant; 3: by user, and by the day.
        .col(number("kind"))
        .col(number("hour"))
        // The channel (0 is none), the tenant, or the user; 0 else.
        .col(number("id"))
        // Empty where it is not told apart.
        .col(word("model", 255))
        .to_owned();
    for sum in backend::USAGE {
        hours.col(number(sum));
    }
    hours.primary_key(Index::create().col("tenant_id").col("kind").col("hour").col("id").col("model"));
    backend::clustered(&mut hours, backend);
    hours
}

/// The hours of one kind, from the quarters.
fn summed(backend: DbBackend, tenant: &str, kind: i64, id: &str, model: &str) -> String {
    let hour = backend::floored("quarter", 4, backend);
    let columns = backend::USAGE.join(", ");
    let sums = backend::USAGE.map(|sum| backend::saturated(sum, backend)).join(", ");
    let groups: Vec<&str> =
        [tenant, id, model].into_iter().filter(|name| name.starts_with(char::is_alphabetic)).collect();
    format!(
        "INSERT INTO usage_hours (tenant_id, kind, hour, id, model, {columns}) \
         SELECT {tenant}, {kind}, {hour}, {id}, {model}, {sums} FROM usage_quarters GROUP BY {hour}, {}",
        groups.join(", ")
    )
}

/// Everything, in order.
pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let add = |name: &'static str| {
        let mut column = number(name).default(0).to_owned();
        backend.build(&Table::alter().table("usage_quarters").add_column(&mut column).to_owned())
    };
    let mut all: Vec<Statement> = ADDED.into_iter().map(add).collect();
    all.push(backend.build(&hours(backend)));
    let all_tenants = ALL.to_string();
    let rest = [
        "UPDATE usage_quarters SET revenue = charge".to_owned(),
        summed(backend, &all_tenants, HOURS_BY_MODEL, "0", "model"),
        summed(backend, &all_tenants, HOURS_BY_CHANNEL, "channel_id", "''"),
        summed(backend, &all_tenants, HOURS_BY_TENANT, "tenant_id", "''"),
        summed(backend, "tenant_id", HOURS_BY_MODEL, "0", "model"),
    ];
    let rest = rest.into_iter().chain(backend::outcome_indexes(backend));
    all.extend(rest.map(|sql| Statement::from_string(backend, sql)));
    all
}

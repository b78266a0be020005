//! What reports ask, in the words of each database.

use super::{LEAST, MOST};
use sea_orm::DbBackend;

/// What requests are summed by, in `usage_quarters` and `usage_hours`.
pub(crate) const USAGE: [&str; 12] = [
    "requests",
    "tokens_in",
    "tokens_out",
    "charge",
    "cost",
    "failed",
    "refused",
    "revenue",
    "begun",
    "waited_us",
    "attempts",
    "attempts_failed",
];

/// What archived receipts are summed by, in `archived_sums`.
pub(crate) const ARCHIVED: [&str; 5] = ["money", "tokens", "later_money", "later_tokens", "used"];

/// The tenant that stands for everybody in `usage_hours`.
pub(crate) const ALL: i64 = -1;
/// The kinds of sums in `usage_hours`: for everybody and for each tenant.
pub(crate) const HOURS_BY_MODEL: i64 = 0;
/// For everybody alone.
pub(crate) const HOURS_BY_CHANNEL: i64 = 1;
/// For everybody alone.
pub(crate) const HOURS_BY_TENANT: i64 = 2;
/// For each tenant alone; the hour is the first of a day in UTC, and its row the whole day.
pub(crate) const DAYS_BY_USER: i64 = 3;

/// The sum of a column, as long as it is one that a column holds; else the end of what that can hold. Short of the end by a
/// few billions it is that already.
pub(crate) fn saturated(column: &str, backend: DbBackend) -> String {
    let quotient = if backend == DbBackend::MySql { "DIV" } else { "/" };
    let (high, low) = (format!("SUM({column} {quotient} 4294967296)"), format!("SUM({column} % 4294967296)"));
    format!(
        "CASE WHEN {high} > 2000000000 THEN {MOST} WHEN {high} < -2000000000 THEN {LEAST} \
         ELSE {high} * 4294967296 + {low} END"
    )
}

/// The sum of a column, under its name; the statement fails where a number of 64 bits does not hold it.
pub(crate) fn summed(column: &str, backend: DbBackend) -> String {
    match backend {
        DbBackend::Sqlite => format!("SUM({column}) AS {column}"),
        DbBackend::MySql => format!("CAST(SUM({column}) AS SIGNED) AS {column}"),
        _ => format!("CAST(SUM({column}) AS BIGINT) AS {column}"),
    }
}

/// A number divided and rounded down, where the databases' own division rounds towards zero. The number is one of quarters or
/// hours within the time that microseconds can tell.
pub(crate) fn floored(number: &str, by: i64, backend: DbBackend) -> String {
    const FAR: i64 = 20_000_000_000;
    let quotient = if backend == DbBackend::MySql { "DIV" } else { "/" };
    format!("(({number} + {}) {quotient} {by} - {FAR})", FAR * by)
}

const DOWN: &str = "('upstream_failed', 'upstream_cut', 'timed_out', 'upstream_error', 'orphaned')";

/// Whether a receipt is of a request that failed, or that was refused, as [`Outcome::of`] has it; and what the index for it
/// holds, which is a part of that condition.
///
/// [`Outcome::of`]: burncloud_core::store::Outcome::of
pub(crate) fn outcome(failed: bool, backend: DbBackend) -> (String, String) {
    let end = if backend == DbBackend::MySql { "`end`" } else { "\"end\"" };
    match failed {
        true => (format!("{end} <> 'caller_gone'"), format!("status >= 500 OR {end} IN {DOWN}")),
        false => (
            format!("{end} IN ('caller_gone', 'finished', 'refused')"),
            format!("status BETWEEN 400 AND 499 OR {end} = 'caller_gone'"),
        ),
    }
}

/// Where to find what failed and what was refused: few among many.
pub(crate) fn outcome_indexes(backend: DbBackend) -> Vec<String> {
    match backend {
        // It has no partial ones.
        DbBackend::MySql => vec!["CREATE INDEX receipts_outcome ON receipts (`end`, status, id)".to_owned()],
        _ => [("receipts_failed", true), ("receipts_refused", false)]
            .map(|(name, failed)| {
                format!("CREATE INDEX {name} ON receipts (id) WHERE {}", outcome(failed, backend).1)
            })
            .to_vec(),
    }
}

/// Has a query of receipts look where those are that failed, or were refused. SQLite would not believe that they are few.
pub(crate) fn by_outcome(sql: &str, failed: bool, backend: DbBackend) -> String {
    let index = if failed { "receipts_failed" } else { "receipts_refused" };
    match backend {
        DbBackend::Sqlite => {
            sql.replacen("FROM \"receipts\"", &format!("FROM \"receipts\" INDEXED BY {index}"), 1)
        }
        _ => sql.to_owned(),
    }
}

/// What asks for the size of the database on disk, in bytes.
pub(crate) fn size(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => {
            "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
        }
        DbBackend::MySql => {
            "SELECT CAST(SUM(data_length + index_length) AS SIGNED) AS bytes FROM information_schema.tables \
             WHERE table_schema = DATABASE()"
        }
        _ => "SELECT CAST(pg_database_size(current_database()) AS BIGINT) AS bytes",
    }
}

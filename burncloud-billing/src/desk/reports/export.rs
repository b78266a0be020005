//! Rows for a table that leaves the console: the log, and sums by day. Whoever writes the file puts them into CSV.

use super::books::Books;
use super::fault::outcome_name;
use super::logs::{LogFilter, LogRow};
use super::span::{Grain, Span};
use super::tally::By;
use crate::desk::Desk;
use crate::people::Actor;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Nano, ReceiptId, UnixMicros};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A part of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The names of the columns.
    pub header: Vec<&'static str>,
    /// The rows; every cell is safe to open with a spreadsheet: see [`cell`].
    pub rows: Vec<Vec<String>>,
    /// The `before` of the next part; `None` where there is none.
    pub next: Option<ReceiptId>,
}

/// A text as a cell: what a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, a tab or a line's end at the beginning)
/// gets an apostrophe before it.
#[must_use]
pub fn cell(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

fn time(zone: &TimeZone, at: UnixMicros) -> String {
    let at = Timestamp::from_microsecond(at.0);
    at.map_or_else(
        |_| String::new(),
        |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    )
}

fn number(n: Option<impl ToString>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}

fn dollars(amount: Option<Nano>) -> String {
    number(amount)
}

impl Desk {
    /// A part of the log as rows, newest first: the next one is that of the filter with `before` set to `next`.
    ///
    /// # Errors
    /// As [`logs`](Desk::logs).
    pub async fn export_logs(&self, actor: &Actor, filter: &LogFilter) -> UseCaseResult<Rows> {
        let page = self.logs(actor, filter).await?;
        Ok(Rows { header: LOG.to_vec(), rows: page.rows.iter().map(log_row).collect(), next: page.next })
    }

    /// The sums of each day (of a single day: each hour) of a span as rows.
    ///
    /// # Errors
    /// As [`books`](Desk::books).
    pub async fn export_days(&self, actor: &Actor, span: Span) -> UseCaseResult<Rows> {
        Ok(days(&self.books(actor, span, By::Model).await?))
    }
}

const LOG: [&str; 20] = [
    "receipt",
    "trace",
    "time_utc",
    "customer",
    "user",
    "key",
    "model",
    "status",
    "outcome",
    "reason",
    "fault",
    "first_word_us",
    "took_us",
    "tokens_in",
    "tokens_out",
    "charge_usd",
    "revenue_usd",
    "cost_usd",
    "margin_usd",
    "switches",
];

fn word(value: Option<impl serde::Serialize>) -> String {
    let text = value.and_then(|value| serde_json::to_value(value).ok());
    text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn log_row(row: &LogRow) -> Vec<String> {
    let name = |name: &Option<String>| cell(name.as_deref().unwrap_or_default());
    vec![
        row.id.to_string(),
        row.trace.to_string(),
        time(&TimeZone::UTC, row.at),
        name(&row.customer_name),
        name(&row.user_name),
        name(&row.key_name),
        cell(&row.model),
        row.status.to_string(),
        outcome_name(row.outcome).to_owned(),
        word(row.reason),
        word(row.fault),
        number(row.first_us),
        row.took_us.to_string(),
        row.tokens_in.to_string(),
        row.tokens_out.to_string(),
        row.charge.to_string(),
        dollars(row.revenue),
        dollars(row.cost),
        dollars(row.margin),
        number(row.switches),
    ]
}

pub(super) fn days(books: &Books) -> Rows {
    let zone = crate::budgets::zone(&books.zone).unwrap_or(TimeZone::UTC);
    let mut header = vec![if books.grain == Grain::Day { "day" } else { "hour" }];
    header.extend(["requests", "failed", "refused", "tokens_in", "tokens_out", "charge_usd"]);
    header.extend(["revenue_usd", "cost_usd", "margin_usd"]);
    let row = |point: &super::Point| {
        let sums = &point.sums;
        let counts = [sums.requests, sums.failed, sums.refused, sums.tokens_in, sums.tokens_out];
        let mut row = vec![time(&zone, point.at)];
        row.extend(counts.map(|count| count.to_string()));
        row.push(sums.charge.to_string());
        row.extend([sums.revenue, sums.cost, sums.margin].map(dollars));
        row
    };
    Rows { header, rows: books.points.iter().map(row).collect(), next: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-2", "'-2"),
            ("@sum", "'@sum"),
            ("\t=1", "'\t=1"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(cell(text), safe);
        }
    }
}

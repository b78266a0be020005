//! `/metrics`, in Prometheus' text format 0.0.4.
//!
//! Labels are dialects, ends, and the names of channels and models that the operator chose: never anything a
//! caller sent.

use super::parts::Parts;
use burncloud_billing::BudgetState;
use burncloud_core::routing::BreakerState;
use burncloud_core::{Allowance, DURATION_BUCKETS_MS, Spent, Stats};
use std::fmt::{Display, Write};

/// Everything, at this moment.
pub(super) fn render(parts: &Parts) -> String {
    let mut page = Page::default();
    let handle = parts.gateway.handle();
    requests(&mut page, handle.stats());
    durations(&mut page, handle.stats());
    channels(&mut page, parts);
    drains(&mut page, handle.stats());
    money(&mut page, parts);
    page.0
}

fn requests(page: &mut Page, stats: &Stats) {
    page.family("burncloud_requests_total", "counter", "Answers, by dialect and class of status.");
    for (dialect, class, count) in stats.statuses() {
        let dialect = word(&dialect);
        let class = format!("{class}xx");
        page.sample("burncloud_requests_total", &[("dialect", &dialect), ("status_class", &class)], count);
    }
    page.family("burncloud_ends_total", "counter", "Receipts, by why the request ended.");
    for (end, count) in stats.ends() {
        page.sample("burncloud_ends_total", &[("end", end.as_str())], count);
    }
    let gauges = [
        ("burncloud_requests_in_flight", "Requests under way.", &stats.requests_in_flight),
        (
            "burncloud_body_bytes_in_flight",
            "Bytes of callers' bodies that are held.",
            &stats.body_bytes_in_flight,
        ),
        ("burncloud_concurrency_permits", "Concurrency permits that are out.", &stats.concurrency_permits),
        ("burncloud_unsettled_requests", "Authenticated requests without a receipt yet.", &stats.drafts),
    ];
    for (name, help, gauge) in gauges {
        page.single(name, "gauge", help, gauge.get());
    }
}

fn drains(page: &mut Page, stats: &Stats) {
    let help = "Answers that are read on after their caller has gone.";
    page.single("burncloud_drains", "gauge", help, stats.drains.running.get());
    page.family("burncloud_drains_total", "counter", "Those that have ended, or were not begun, by how.");
    for (end, count) in stats.drains.ends() {
        page.sample("burncloud_drains_total", &[("result", end.as_str())], count);
    }
}

fn durations(page: &mut Page, stats: &Stats) {
    let name = "burncloud_request_duration_seconds";
    page.family(name, "histogram", "From arrival to the last byte.");
    let (counts, sum_us) = stats.durations();
    let mut below = 0;
    let bounds = DURATION_BUCKETS_MS.iter().map(|ms| seconds(*ms * 1000)).chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(counts) {
        below += count;
        page.sample(&format!("{name}_bucket"), &[("le", &bound)], below);
    }
    page.sample(&format!("{name}_sum"), &[], seconds(sum_us));
    page.sample(&format!("{name}_count"), &[], below);
}

fn channels(page: &mut Page, parts: &Parts) {
    let table = parts.gateway.handle().table();
    page.family("burncloud_attempts_total", "counter", "Attempts at a channel, by outcome.");
    for channel in table.channels() {
        let (answered, failed) = channel.attempts();
        for (outcome, count) in [("answered", answered), ("failed", failed)] {
            let labels = [("channel", &*channel.name), ("outcome", outcome)];
            page.sample("burncloud_attempts_total", &labels, count);
        }
    }
    page.family("burncloud_idle_connections", "gauge", "Open, unused connections to a provider.");
    for channel in table.channels() {
        let labels = [("channel", &*channel.name)];
        page.sample("burncloud_idle_connections", &labels, channel.idle_connections());
    }
    page.family("burncloud_breaker_open", "gauge", "1 while a channel is passed over for a model.");
    for route in table.models() {
        for lane in &route.lanes {
            let open = u8::from(lane.breaker.state() != BreakerState::Closed);
            let labels = [("channel", &*lane.channel.name), ("model", &*route.model)];
            page.sample("burncloud_breaker_open", &labels, open);
        }
    }
}

fn money(page: &mut Page, parts: &Parts) {
    let biller = &parts.biller;
    let (waiting, more) = biller.unshipped();
    let (ship, write) = biller.failures();
    let held = biller.reserved_total().0;
    page.single("burncloud_reserved_nanodollars", "gauge", "Held for requests under way.", held);
    page.single(
        "burncloud_journal_bytes",
        "gauge",
        "Bytes of the journal that wait.",
        biller.journal_bytes(),
    );
    page.single(
        "burncloud_journal_unshipped",
        "gauge",
        "Receipts in memory that wait for the store.",
        waiting,
    );
    page.single("burncloud_journal_spilled", "gauge", "1 while more of them wait on disk.", u8::from(more));
    page.single("burncloud_receipts_shipped_total", "counter", "Receipts the store took.", biller.shipped());
    page.single("burncloud_ship_failures_total", "counter", "Failed attempts to ship.", ship);
    page.single("burncloud_journal_failures_total", "counter", "Failed writes of the journal.", write);
    page.single(
        "burncloud_receipts_dropped_total",
        "counter",
        "Receipts of refusals that were dropped.",
        biller.dropped(),
    );
    page.single(
        "burncloud_alerts_dropped_total",
        "counter",
        "Alerts that nobody took.",
        biller.alerts().dropped(),
    );
    budgets(page, parts);
    let lag = u64::try_from(biller.store_lag().as_micros()).unwrap_or(u64::MAX);
    page.single("burncloud_store_lag_seconds", "gauge", "Age of the oldest unshipped receipt.", seconds(lag));
}

/// Budgets by the operator's own names, in nano-dollars or tokens.
fn budgets(page: &mut Page, parts: &Parts) {
    let states = parts.biller.budgets();
    let of = |state: &BudgetState, spent: Spent| match state.budget.allowance {
        Allowance::Money(_) => ("nanodollars", spent.money.0.unsigned_abs()),
        Allowance::Tokens(_) => ("tokens", spent.tokens),
    };
    page.family("burncloud_budget_spent", "gauge", "Spent of a budget in its current period.");
    for state in &states {
        let (unit, spent) = of(state, state.spent);
        page.sample("burncloud_budget_spent", &[("budget", &state.budget.name), ("unit", unit)], spent);
    }
    page.family("burncloud_budget_allowance", "gauge", "What a budget holds in a period.");
    for state in &states {
        let most = match state.budget.allowance {
            Allowance::Money(nano) => nano.0.unsigned_abs(),
            Allowance::Tokens(tokens) => tokens,
        };
        let unit = of(state, state.spent).0;
        page.sample("burncloud_budget_allowance", &[("budget", &state.budget.name), ("unit", unit)], most);
    }
}

/// Microseconds as seconds, without a float: `0.005`, `600`.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut page = Page::default();
        page.single("a", "gauge", "An a.", 7);
        assert_eq!([seconds(0), seconds(5_000), seconds(600_000_000)], ["0", "0.005", "600"]);
        page.sample("b", &[("x", "1"), ("y", "q\"\\\n")], seconds(1_500_000));
        assert_eq!(page.0, "# HELP a An a.\n# TYPE a gauge\na 7\nb{x=\"1\",y=\"q\\\"\\\\\\n\"} 1.5\n");
    }
}

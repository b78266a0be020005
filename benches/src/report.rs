//! What is told: notes on the way, the table, the numbers as JSON.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::Duration,
};

use serde::Serialize;

use crate::{
    cells::Cell,
    load::{Quantiles, Report},
    stats::median,
};

/// Prints a result.
pub(crate) fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// Prints a failure. Where even that fails there is nobody to tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints how far the bench is.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "# {text}");
}

/// Everything that one bench measured.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    gateway: String,
    cores: usize,
    rounds: usize,
    seconds: f64,
    pub(crate) cells: Vec<CellResult>,
}

/// One cell: the floor and the gateway.
#[derive(Debug, Serialize)]
pub(crate) struct CellResult {
    cell: Cell,
    floor: Side,
    gateway: Side,
    /// What is held against the goal: CPU per request, gateway over floor; for a paced stream, added µs per chunk.
    score: f64,
    met: bool,
}

/// One server in one cell.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    median: Round,
    rounds: Vec<Round>,
    /// Resident memory after one request, in KiB.
    idle_kib: u64,
    /// The most that was resident when looked at under load, in KiB.
    loaded_kib: u64,
    /// The most that was ever resident, in KiB.
    peak_kib: u64,
}

/// One server under load once, or the medians of several such rounds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Round {
    cpu_us_per_request: f64,
    /// Share of the round that the server was on the CPU: near 1, its core was the limit; well below, the load was.
    busy: f64,
    requests_per_second: f64,
    latency_us: Micros,
    first_byte_us: Micros,
    chunk_us: Micros,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Micros {
    p50: f64,
    p99: f64,
}

impl From<Quantiles> for Micros {
    fn from(nanos: Quantiles) -> Self {
        Self { p50: nanos.p50 as f64 / 1e3, p99: nanos.p99 as f64 / 1e3 }
    }
}

impl Round {
    /// What `report` says, and the CPU time that it cost the server.
    pub(crate) fn new(report: &Report, cpu: Duration) -> Self {
        Self {
            cpu_us_per_request: cpu.as_secs_f64() * 1e6 / report.requests.max(1) as f64,
            busy: cpu.as_secs_f64() / Duration::from_nanos(report.elapsed_ns.max(1)).as_secs_f64(),
            requests_per_second: report.per_second(),
            latency_us: report.latency.into(),
            first_byte_us: report.first_byte.into(),
            chunk_us: report.chunk.into(),
        }
    }

    fn median(rounds: &[Self]) -> Self {
        let of = |value: fn(&Self) -> f64| median(rounds.iter().map(value)).unwrap_or(0.0);
        Self {
            cpu_us_per_request: of(|r| r.cpu_us_per_request),
            busy: of(|r| r.busy),
            requests_per_second: of(|r| r.requests_per_second),
            latency_us: Micros { p50: of(|r| r.latency_us.p50), p99: of(|r| r.latency_us.p99) },
            first_byte_us: Micros { p50: of(|r| r.first_byte_us.p50), p99: of(|r| r.first_byte_us.p99) },
            chunk_us: Micros { p50: of(|r| r.chunk_us.p50), p99: of(|r| r.chunk_us.p99) },
        }
    }
}

impl Side {
    /// The rounds of one server, and its memory in KiB: idle, under load, at most.
    pub(crate) fn new(rounds: Vec<Round>, [idle_kib, loaded_kib, peak_kib]: [u64; 3]) -> Self {
        Self { median: Round::median(&rounds), rounds, idle_kib, loaded_kib, peak_kib }
    }
}

impl CellResult {
    /// Compares the two sides of `cell`.
    pub(crate) fn new(cell: Cell, floor: Side, gateway: Side) -> Self {
        let score = if cell.paced {
            gateway.median.chunk_us.p50 - floor.median.chunk_us.p50
        } else {
            gateway.median.cpu_us_per_request / floor.median.cpu_us_per_request
        };
        Self { cell, floor, gateway, score, met: score <= cell.goal }
    }

    fn goal(&self, unit: &str) -> String {
        format!("≤ {}{unit}, {}", self.cell.goal, if self.met { "met" } else { "**missed**" })
    }
}

impl Results {
    /// No cells yet.
    pub(crate) fn new(gateway: &str, rounds: usize, seconds: f64) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { gateway: gateway.to_owned(), cores, rounds, seconds, cells: Vec::new() }
    }

    /// The tables.
    pub(crate) fn markdown(&self) -> String {
        let mut out = format!(
            "Against the floor: {}. {} cores; medians of rounds: {} of {} s; pairs are floor / gateway.\n",
            self.gateway, self.cores, self.rounds, self.seconds
        );
        let (paced, costs): (Vec<_>, Vec<_>) = self.cells.iter().partition(|c| c.cell.paced);
        if !costs.is_empty() {
            out.push_str(&cost_table(&costs));
            out.push_str(&time_table(&costs));
        }
        if !paced.is_empty() {
            out.push_str(&paced_table(&paced));
        }
        out.push_str(&memory_table(&self.cells));
        out
    }
}

fn cost_table(cells: &[&CellResult]) -> String {
    let mut out = heading(&[
        "cell",
        "floor µs/request",
        "gateway µs/request",
        "ratio",
        "goal",
        "requests/s",
        "core busy",
    ]);
    for c in cells {
        let (f, g) = (&c.floor.median, &c.gateway.median);
        let _ = writeln!(
            out,
            "| {} | {:.1} | {:.1} | {:.2} | {} | {:.0} / {:.0} | {:.0} % / {:.0} % |",
            c.cell.title,
            f.cpu_us_per_request,
            g.cpu_us_per_request,
            c.score,
            c.goal(""),
            f.requests_per_second,
            g.requests_per_second,
            f.busy * 100.0,
            g.busy * 100.0,
        );
    }
    out
}

fn time_table(cells: &[&CellResult]) -> String {
    let mut out = heading(&["cell", "p50 µs", "p99 µs", "first byte p50 µs", "first byte p99 µs"]);
    for c in cells {
        let (f, g) = (&c.floor.median, &c.gateway.median);
        let pair = |value: fn(&Round) -> f64| format!("{:.0} / {:.0}", value(f), value(g));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            c.cell.title,
            pair(|r| r.latency_us.p50),
            pair(|r| r.latency_us.p99),
            pair(|r| r.first_byte_us.p50),
            pair(|r| r.first_byte_us.p99),
        );
    }
    out
}

fn paced_table(cells: &[&CellResult]) -> String {
    let mut out =
        heading(&["cell", "floor µs/chunk p50, p99", "gateway µs/chunk p50, p99", "added µs/chunk", "goal"]);
    for c in cells {
        let (f, g) = (c.floor.median.chunk_us, c.gateway.median.chunk_us);
        let _ = writeln!(
            out,
            "| {} | {:.0}, {:.0} | {:.0}, {:.0} | {:.1} | {} |",
            c.cell.title,
            f.p50,
            f.p99,
            g.p50,
            g.p99,
            c.score,
            c.goal(" µs"),
        );
    }
    out
}

fn memory_table(cells: &[CellResult]) -> String {
    let mut out = heading(&["memory, MiB", "idle", "under load", "peak"]);
    let mib = |kib: u64| kib as f64 / 1024.0;
    for c in cells {
        let pair =
            |value: fn(&Side) -> u64| format!("{:.1} / {:.1}", mib(value(&c.floor)), mib(value(&c.gateway)));
        let (idle, loaded, peak) = (pair(|s| s.idle_kib), pair(|s| s.loaded_kib), pair(|s| s.peak_kib));
        let _ = writeln!(out, "| {} | {idle} | {loaded} | {peak} |", c.cell.title);
    }
    out
}

fn heading(columns: &[&str]) -> String {
    format!("\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::CELLS;

    fn side(cpu: f64, chunk: f64) -> Side {
        let round = |factor: f64| Round {
            cpu_us_per_request: cpu * factor,
            requests_per_second: 1000.0,
            chunk_us: Micros { p50: chunk, p99: chunk * 3.0 },
            ..Round::default()
        };
        Side::new(vec![round(1.0), round(9.0), round(0.5)], [10 * 1024, 20 * 1024, 30 * 1024])
    }

    fn results() -> Results {
        let mut results = Results::new("burncloud", 3, 5.0);
        results.cells.extend(CELLS.map(|c| CellResult::new(c, side(10.0, 100.0), side(12.5, 130.0))));
        results
    }

    #[test]
    fn a_table_shows_medians_the_ratio_and_whether_the_goal_is_met() {
        let table = results().markdown();
        assert!(
            table.contains("| chat, 1 KB × 16 | 10.0 | 12.5 | 1.25 | ≤ 1.5, met | 1000 / 1000 |"),
            "{table}"
        );
        assert!(table.contains("| 1.25 | ≤ 0.5, **missed** |"), "{table}");
        assert!(
            table.contains("| paced stream × 16 | 100, 300 | 130, 390 | 30.0 | ≤ 50 µs, met |"),
            "{table}"
        );
        assert!(table.contains("| paced stream × 16 | 10.0 / 10.0 | 20.0 / 20.0 | 30.0 / 30.0 |"), "{table}");
    }

    #[test]
    fn rows_have_as_many_columns_as_their_heading() {
        for table in results().markdown().split("\n\n").skip(1) {
            let columns: Vec<_> = table.trim().lines().map(|l| l.matches('|').count()).collect();
            assert!(columns.len() > 2 && columns.iter().all(|c| *c == columns[0]), "{table}");
        }
    }

    #[test]
    fn what_was_not_measured_meets_no_goal() {
        let nothing = CellResult::new(CELLS[0], Side::new(vec![], [0; 3]), Side::new(vec![], [0; 3]));
        assert!(!nothing.met);
    }
}

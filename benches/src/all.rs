//! The whole bench: each cell, the floor and the gateway in turn, on one core, before one upstream.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{
    Error,
    cells::{CELLS, Cell},
    process::{Load, Server},
    procfs::{CpuTime, Memory},
    report::{self, CellResult, Results, Round, Side},
};

/// What the background work of a gateway (journal, SQL rows) gets to end in, so that it is counted.
const SETTLE: Duration = Duration::from_millis(750);

/// What to measure, and how thoroughly.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The gateway's binary [default: `burncloud` beside this program]
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// Put a second floor in the gateway's place: every ratio should come out near 1
    #[arg(long, conflicts_with = "gateway")]
    self_check: bool,
    /// Cells to measure
    #[arg(long, value_delimiter = ',', value_parser = CELLS.map(|c| c.id))]
    cells: Vec<String>,
    /// Rounds of each cell; the table shows medians
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Length of a round, in seconds
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// One round of 2 seconds: to see that it works, not to quote
    #[arg(long)]
    quick: bool,
    /// Core of the floor and the gateway
    #[arg(long, default_value_t = 0)]
    proxy_core: usize,
    /// Core of the upstream and the load
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// File to write the numbers to as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures, prints the table, and writes the numbers if asked to.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let plan = Plan::new(args)?;
    if cfg!(debug_assertions) {
        report::complain("warning: this is a debug build, and its numbers mean nothing; use --release");
    }
    let mut results = Results::new(&plan.subject(), plan.rounds, plan.seconds);
    for cell in CELLS.iter().filter(|c| args.cells.is_empty() || args.cells.iter().any(|id| id == c.id)) {
        results.cells.push(plan.measure(cell)?);
    }
    report::say(&results.markdown())?;
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&results)?)
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}

/// The arguments, made good.
#[derive(Debug)]
struct Plan {
    /// The gateway's binary; without one, a second floor.
    gateway: Option<PathBuf>,
    rounds: usize,
    seconds: f64,
    proxy_core: usize,
    load_core: usize,
}

impl Plan {
    fn new(args: &Args) -> Result<Self, Error> {
        let gateway = if args.self_check { None } else { Some(find_gateway(args.gateway.as_deref())?) };
        let (rounds, seconds) = if args.quick { (1, 2.0) } else { (args.rounds.max(1), args.seconds) };
        Ok(Self { gateway, rounds, seconds, proxy_core: args.proxy_core, load_core: args.load_core })
    }

    fn subject(&self) -> String {
        self.gateway.as_ref().map_or_else(|| "a second floor".to_owned(), |path| path.display().to_string())
    }

    fn measure(&self, cell: &Cell) -> Result<CellResult, Error> {
        let dir = tempfile::tempdir()?;
        let mut upstream = Server::part("upstream", &[], dir.path(), self.load_core)?;
        // What the upstream says by itself is what must come through.
        let expect = upstream.ready(cell, false, self.load_core)?.body_bytes;
        let behind = ["--upstream".to_owned(), upstream.address().to_string()];
        let floor = Server::part("floor", &behind, dir.path(), self.proxy_core)?;
        let gateway = match &self.gateway {
            Some(binary) => Server::gateway(binary, upstream.address(), dir.path(), self.proxy_core)?,
            None => Server::part("floor", &behind, dir.path(), self.proxy_core)?,
        };
        let translated = cell.translated && self.gateway.is_some();
        let mut sides = [Subject::new(floor, false, expect), Subject::new(gateway, translated, expect)];
        for side in &mut sides {
            let answer = side.server.ready(cell, side.messages, self.load_core)?;
            if side.messages {
                side.expect = answer.body_bytes;
            }
            thread::sleep(SETTLE);
            side.idle = Memory::read(side.server.pid())?;
        }
        for side in &mut sides {
            report::note(&format!("{}: warming up {}", cell.title, side.server.address()));
            self.round(side, cell, (self.seconds / 2.0).min(2.0))?;
        }
        for number in 1..=self.rounds {
            report::note(&format!("{}: round {number} of {}", cell.title, self.rounds));
            for side in &mut sides {
                let round = self.round(side, cell, self.seconds)?;
                side.rounds.push(round);
            }
        }
        let [floor, gateway] = sides.map(Subject::finish);
        Ok(CellResult::new(*cell, floor?, gateway?))
    }

    /// Loads one side for `seconds` and reads what that cost its process.
    fn round(&self, side: &mut Subject, cell: &Cell, seconds: f64) -> Result<Round, Error> {
        let pid = side.server.pid();
        let load = Load {
            cell,
            messages: side.messages,
            target: side.server.address(),
            expect_bytes: Some(side.expect),
            seconds,
            requests: None,
        };
        let before = CpuTime::read(pid)?;
        let run = load.start(self.load_core)?;
        thread::sleep(Duration::try_from_secs_f64(seconds * 0.8)?);
        let memory = Memory::read(pid).map_err(|e| side.server.explain(&e.to_string()))?;
        let report = run.finish().map_err(|e| side.server.explain(&e.to_string()))?;
        thread::sleep(SETTLE);
        let cpu = CpuTime::read(pid)?.since(&before);
        side.loaded = side.loaded.max(memory.resident);
        Ok(Round::new(&report, cpu))
    }
}

/// A server and what was measured of it so far.
#[derive(Debug)]
struct Subject {
    server: Server,
    /// Whether it is spoken to in Anthropic's dialect.
    messages: bool,
    /// Length of every answer.
    expect: u64,
    idle: Memory,
    loaded: u64,
    rounds: Vec<Round>,
}

impl Subject {
    fn new(server: Server, messages: bool, expect: u64) -> Self {
        Self { server, messages, expect, idle: Memory::default(), loaded: 0, rounds: Vec::new() }
    }

    fn finish(self) -> Result<Side, Error> {
        let peak = Memory::read(self.server.pid())?.peak;
        Ok(Side::new(self.rounds, [self.idle.resident, self.loaded, peak]))
    }
}

fn find_gateway(named: Option<&Path>) -> Result<PathBuf, Error> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()?.with_file_name(format!("burncloud{}", std::env::consts::EXE_SUFFIX)),
    };
    // The gateway runs in a folder of its own, where a relative path would lead elsewhere.
    path.canonicalize().map_err(|_| {
        format!(
            "no gateway at {}\nbuild it with: cargo build --release -p burncloud-server\nor name another with --gateway PATH",
            path.display()
        )
        .into()
    })
}

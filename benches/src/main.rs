//! What the gateway costs over a bare proxy.
//!
//! `gateway-bench` (or `gateway-bench all`) starts an upstream, the floor (a bare hyper proxy) and the gateway,
//! loads the last two in turn and prints CPU time per request, throughput, latency and memory of each. Its parts can be run
//! by themselves: `floor`, `upstream` and `load`. `docs/benchmarks.md` explains the table.

mod all;
mod cells;
mod floor;
mod load;
mod net;
mod pin;
mod process;
mod procfs;
mod report;
mod stats;
mod upstream;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What can go wrong in a bench: a sentence that says what to do.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// What the gateway costs over a bare proxy.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    all: all::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure every cell, the floor and the gateway in turn, and print the table (the default)
    All(all::Args),
    /// Run the floor: a bare proxy, bytes in and bytes out
    Floor(floor::Args),
    /// Run the upstream: an OpenAI-shaped server with prepared answers
    Upstream(upstream::Args),
    /// Load a server in a closed loop
    Load(load::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command.unwrap_or(Command::All(cli.all)) {
        Command::All(args) => all::run(&args),
        Command::Floor(args) => floor::run(args),
        Command::Upstream(args) => upstream::run(args),
        Command::Load(args) => load::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

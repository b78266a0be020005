//! `burncloud`: the reference server. It wires the gateway's layers together with a store, prices and providers,
//! reads a configuration file, and offers the command line an operator works with.

mod cli;
mod config;
mod demo;
mod logging;
mod moment;
mod serve;

use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

/// A request takes some forty allocations, some of them of kilobytes: with the C library's allocator those are a
/// fifth of its instructions.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::start(cli.log_format, cli.is_service());
    let runtime = runtime();
    let result = runtime.map_err(Into::into).and_then(|runtime| {
        let result = runtime.block_on(cli::run(cli));
        // Whatever still runs was given its time by the command itself.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a stderr that nobody reads.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread per core; on a single core no thread but this, which saves every hand-over between threads.
/// `TOKIO_WORKER_THREADS` sets another number.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let single = cores == 1 && std::env::var_os("TOKIO_WORKER_THREADS").is_none();
    let mut builder = if single {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.enable_all().build()
}

/// The providers of this build.
fn providers() -> burncloud_core::adapter::Registry {
    burncloud_adapters::registry()
}

//! The command line: what is asked, and who answers it.

mod args;
mod budgets;
mod catalogue;
mod channels;
mod keys;
mod output;
mod plans;
mod prices;
mod quote;
mod receipts;
mod tenants;
mod transform;
mod users;
mod wallets;

pub(crate) use args::{Cli, Command, DemoArgs};
pub(crate) use output::{Format, Output, say};
pub(crate) use receipts::{Names as ReceiptNames, lines as receipt_lines};

use crate::config::apply::Managed;
use crate::config::{Config, StoreConfig};
use burncloud_billing::people::Actor;
use burncloud_core::adapter::Registry;
use burncloud_core::store::Store;
use burncloud_store::SqlStore;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What went wrong, ready to be shown.
pub(crate) type CliError = Box<dyn std::error::Error + Send + Sync>;

/// What a command answers.
pub(crate) type CliResult<T = ()> = Result<T, CliError>;

/// What the commands that edit the store need.
pub(crate) struct Desk {
    pub(crate) store: Arc<SqlStore>,
    pub(crate) registry: Registry,
    pub(crate) out: Output,
    /// Whoever has the command line.
    pub(crate) actor: Actor,
    /// Where the names are remembered that the configuration file manages.
    managed: PathBuf,
}

impl Desk {
    /// What the configuration file manages.
    ///
    /// # Errors
    /// When that cannot be read.
    fn managed(&self) -> CliResult<Managed> {
        let shown = self.managed.display();
        Ok(Managed::load(&self.managed).map_err(|e| format!("{shown} cannot be read: {e}"))?)
    }
}

/// Carries out one command.
///
/// # Errors
/// Whatever went wrong, with how to mend it.
pub(crate) async fn run(cli: Cli) -> CliResult {
    let out = Output::new(cli.format);
    let config = cli.config.as_deref();
    let registry = crate::providers();
    match cli.command {
        Command::Serve(args) => Box::pin(crate::serve::run(config, args.listen, registry, true)).await,
        Command::Router(args) => Box::pin(crate::serve::run(config, args.listen, registry, false)).await,
        Command::Demo(args) => Box::pin(crate::demo::run(args)).await,
        Command::Check => check(config, &registry, &out),
        Command::Transform(command) => {
            let opened = async || {
                let (store, _) = config.map(Config::load_places).transpose()?.unwrap_or_default();
                at_hand(&store, false)?;
                let store: Arc<dyn Store> = crate::serve::open_store(&store).await?;
                Ok(store)
            };
            Box::pin(transform::run(command, config, &registry, &out, opened)).await
        }
        other => {
            let (store, journal) = config.map(Config::load_places).transpose()?.unwrap_or_default();
            at_hand(&store, other.may_begin())?;
            let managed = Managed::path(&journal.dir);
            let store = crate::serve::open_store(&store).await?;
            let actor = Actor::operator(cli.author);
            desk_command(other, Desk { store, registry, out, actor, managed }).await
        }
    }
}

async fn desk_command(command: Command, desk: Desk) -> CliResult {
    match command {
        Command::Keys(command) => keys::run(command, &desk).await,
        Command::Channels(command) => channels::run(command, &desk).await,
        Command::Tenants(command) => tenants::run(command, &desk).await,
        Command::Users(command) => users::run(command, &desk).await,
        Command::Budgets(command) => budgets::run(command, &desk).await,
        Command::Plans(command) => plans::run(command, &desk).await,
        Command::Receipts(command) => receipts::run(command, &desk).await,
        Command::Prices(command) => prices::run(command, &desk).await,
        Command::Serve(_)
        | Command::Router(_)
        | Command::Demo(_)
        | Command::Check
        | Command::Transform(_) => Ok(()),
    }
}

/// Refuses a store that is not there: a wrong working directory must not look like an empty store. A command
/// that `may_begin` one says where.
fn at_hand(store: &StoreConfig, may_begin: bool) -> CliResult {
    let Some(path) = store.sqlite_file().filter(|path| !path.exists()) else { return Ok(()) };
    let path = std::path::absolute(&path).unwrap_or(path);
    let shown = path.display();
    if !may_begin {
        return Err(format!(
            "there is no store {shown}; run this in the server's working directory, or name its configuration \
             file with --config (`burncloud serve` makes a new store, and so does every `create`)"
        )
        .into());
    }
    // Nothing can be done about a stderr that nobody reads.
    let _ = writeln!(std::io::stderr(), "making the new store {shown}");
    Ok(())
}

/// `burncloud check`: the faults go to stderr with their lines, the exit status is 1.
fn check(config: Option<&Path>, registry: &Registry, out: &Output) -> CliResult {
    let path = config.ok_or("name the file to check: burncloud check --config burncloud.toml")?;
    match Config::load(path, registry) {
        Ok(config) => {
            for warning in config.warnings() {
                let _ = writeln!(std::io::stderr(), "warning: {}: {warning}", path.display());
            }
            let d = &config.declared;
            out.show(
                &serde_json::json!({ "ok": true, "channels": d.channels.len(), "keys": d.keys.len() }),
                &[format!(
                    "{}: in order ({} channels, {} keys)",
                    path.display(),
                    d.channels.len(),
                    d.keys.len()
                )],
            )
        }
        Err(problems) => {
            let count = problems.len();
            let noun = if count == 1 { "fault" } else { "faults" };
            Err(format!("{problems}\n{count} {noun} in {}", problems.path().display()).into())
        }
    }
}

/// The names a table shows in the place of ids.
fn joined(list: Option<&[String]>) -> String {
    list.map_or_else(|| "all".to_owned(), |l| l.join(", "))
}

/// Or a dash, for a table.
fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

/// How an enum is written in JSON, for a table.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

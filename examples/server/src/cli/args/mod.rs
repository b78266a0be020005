//! Commands and their options.

mod people;
mod terms;

pub(crate) use people::{
    Balance, CreateTenantArgs, CreateUserArgs, MoneyArgs, TenantsCommand, UpdateTenantArgs, UpdateUserArgs,
    UsersCommand, WalletCommand,
};
pub(crate) use terms::{
    Abort, BudgetScopeArgs, BudgetsCommand, CatalogueCommand, FxArgs, GroupsArgs, Per, PlansCommand,
    PricesCommand, QuoteArgs, SetBudgetArgs, SetPlanArgs, SetPriceArgs,
};

use super::Format;
use crate::logging::LogFormat;
use burncloud_billing::proof::PublicKey;
use burncloud_core::{Dialect, Limits, Nano, Operation, ReceiptId, UnixMicros};
use clap::{ArgGroup, Args, Parser, Subcommand};
use http::{HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// BurnCloud, an LLM gateway: keys, limits, exact billing and failover in front of any provider.
#[derive(Debug, Parser)]
#[command(name = "burncloud", version, propagate_version = true)]
pub(crate) struct Cli {
    /// How answers are written.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// The configuration file. Without one: defaults, and the SQLite file burncloud.db in the working directory.
    #[arg(long, global = true, env = "BURNCLOUD_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How log lines are written; their levels are those of RUST_LOG.
    #[arg(long, global = true, env = "BURNCLOUD_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Whom the ledger names as the author of what this command posts.
    #[arg(long, global = true, env = "USER", value_name = "NAME", default_value = "operator")]
    pub(crate) author: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Whether the command runs until it is stopped.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self.command, Command::Serve(_) | Command::Router(_))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the gateway with its console.
    Serve(ListenArgs),
    /// Start the data plane alone, without the console.
    Router(ListenArgs),
    /// Show the gateway at work, without an account and without a network.
    Demo(DemoArgs),
    /// Check a configuration file without touching network or database.
    Check,
    /// API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Channels: upstream accounts at providers.
    #[command(subcommand)]
    Channels(ChannelsCommand),
    /// Tenants: users together, and resellers below resellers.
    #[command(subcommand)]
    Tenants(TenantsCommand),
    /// Users: they own keys and pay from a balance.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Budgets: what may be spent by whom in a span of time.
    #[command(subcommand)]
    Budgets(BudgetsCommand),
    /// Plans: what answers cost that do not come to their end.
    #[command(subcommand)]
    Plans(PlansCommand),
    /// Receipts: one for each request.
    #[command(subcommand)]
    Receipts(ReceiptsCommand),
    /// Prices: what is set beside the published ones, and what comes of it.
    #[command(subcommand)]
    Prices(PricesCommand),
    /// The ledger: entries, balances, and the proof that they agree with the receipts.
    #[command(subcommand)]
    Ledger(super::ledger::LedgerCommand),
    /// Redeem codes: credit as text, used once.
    #[command(subcommand)]
    Codes(super::codes::CodesCommand),
    /// Transforms: what channels change in requests and answers.
    #[command(subcommand)]
    Transform(TransformCommand),
}

impl Command {
    /// Whether it may make a store that is not there yet.
    pub(crate) fn may_begin(&self) -> bool {
        matches!(
            self,
            Command::Keys(KeysCommand::Create(_))
                | Command::Channels(ChannelsCommand::Create(_))
                | Command::Tenants(TenantsCommand::Create(_))
                | Command::Users(UsersCommand::Create(_))
                | Command::Prices(PricesCommand::Set(_))
        )
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Where to listen, such as 127.0.0.1:3000; wins over the file.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to listen; a free port of the loopback by default.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Leave when everything was shown.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Requests in any 60 seconds.
    #[arg(long, value_name = "N")]
    pub(super) requests_per_minute: Option<u64>,
    /// Tokens in any 60 seconds.
    #[arg(long, value_name = "N")]
    pub(super) tokens_per_minute: Option<u64>,
    /// Requests at the same time.
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<u64>,
}

impl From<LimitArgs> for Limits {
    fn from(args: LimitArgs) -> Limits {
        Limits {
            requests_per_minute: args.requests_per_minute,
            tokens_per_minute: args.tokens_per_minute,
            concurrency: args.concurrency,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List keys.
    List,
    /// Make a key; its secret is shown once.
    Create(CreateKeyArgs),
    /// Show one key.
    Show {
        /// Its name.
        name: String,
    },
    /// Withdraw a key for good.
    Revoke {
        /// Its name.
        name: String,
    },
    /// Give a key a new secret, shown once; the old one stops working.
    Rotate {
        /// Its name.
        name: String,
        /// For how many more minutes the old secret works, at most 10080 (seven days).
        #[arg(long, default_value_t = 0, value_name = "MINUTES")]
        overlap: u32,
    },
    /// Show what AWS's SDKs sign with for a key; it ends with the key.
    Aws {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateKeyArgs {
    /// Its name.
    pub(crate) name: String,
    /// Whose it is.
    #[arg(long, default_value = "default")]
    pub(crate) user: String,
    /// What it may spend in its life, in dollars.
    #[arg(long, value_name = "USD")]
    pub(crate) quota_usd: Option<Nano>,
    /// The models it may ask for, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    pub(crate) models: Option<Vec<String>>,
    /// The addresses it may come from, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "IP")]
    pub(crate) ips: Option<Vec<IpAddr>>,
    /// The applications it may be used by, separated by commas: hosts of pages, or what they send as X-Title.
    #[arg(long, value_delimiter = ',', value_name = "APP")]
    pub(crate) apps: Option<Vec<String>>,
    /// When it stops working, such as 2027-01-31T00:00:00Z.
    #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
    pub(crate) expires: Option<UnixMicros>,
    /// The group it calls as, where prices know a pair of that and the user's own.
    #[arg(long)]
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one in a run")]
pub(crate) enum ChannelsCommand {
    /// List channels.
    List,
    /// Make a channel. What changes requests and answers is set in the configuration file.
    Create(CreateChannelArgs),
    /// Show one channel, without its credential.
    Show {
        /// Its name.
        name: String,
    },
    /// Withdraw a channel for good.
    Revoke {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateChannelArgs {
    /// Its name.
    pub(crate) name: String,
    /// The provider, such as openai.
    #[arg(long)]
    pub(crate) provider: String,
    /// Where the provider is, if not at its own address.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The environment variable that holds the credential.
    #[arg(long, value_name = "NAME", conflicts_with = "credential_file")]
    pub(crate) credential_env: Option<String>,
    /// The file that holds the credential.
    #[arg(long, value_name = "FILE")]
    pub(crate) credential_file: Option<PathBuf>,
    /// The models it serves, separated by commas; `asked=sent` for one the provider knows by another name.
    #[arg(long, value_delimiter = ',', required = true, value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// Higher first.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    pub(crate) priority: i32,
    /// Share within one priority.
    #[arg(long, default_value_t = 1)]
    pub(crate) weight: u32,
    /// The callers' groups that it serves, separated by commas; everybody without.
    #[arg(long, value_delimiter = ',', value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// Requests at the same time.
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<u32>,
    /// An HTTP proxy, as http://host:port.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// What only some providers know, as name=value, such as region=us-east-1; may be given several times.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = option)]
    pub(crate) options: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TransformCommand {
    /// Show what transforms do to a sample, before and after. Nothing is sent.
    Test(Box<TestArgs>),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(true).args(["file", "script", "channel"])))]
#[command(group(ArgGroup::new("sample").required(true).args(["request", "response", "event"])))]
pub(crate) struct TestArgs {
    /// A document of steps, in YAML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A script in Rhai.
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    /// All that this channel has: as the configuration file declares it, or as it is stored.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "script"])]
    pub(crate) channel: Option<String>,
    /// A request's body in the provider's dialect; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// A whole answer's body; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) response: Option<PathBuf>,
    /// The JSON of one event of a stream; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) event: Option<PathBuf>,
    /// The model the caller asks for; the sample's own by default.
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The model the provider is asked for; the caller's by default.
    #[arg(long)]
    pub(crate) upstream_model: Option<String>,
    /// The caller's dialect: openai, anthropic, gemini, cohere, bedrock.
    #[arg(long, default_value = "openai", value_parser = dialect)]
    pub(crate) dialect: DialectArg,
    /// The provider's dialect; the caller's by default.
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    pub(crate) upstream_dialect: Option<DialectArg>,
    /// What the provider is asked, such as chat, responses, messages, embeddings; its dialect's conversation by default.
    #[arg(long, value_parser = operation)]
    pub(crate) operation: Option<Operation>,
    /// A stream is asked for.
    #[arg(long)]
    pub(crate) streamed: bool,
    /// The status of an answer.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(100..600))]
    pub(crate) status: u16,
    /// A header, as name:value; may be given several times.
    #[arg(long = "header", value_name = "NAME:VALUE", value_parser = super::transform::header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Answer in JSON, as --format json.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A dialect by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DialectArg(pub(crate) Dialect);

fn dialect(text: &str) -> Result<DialectArg, String> {
    let known = [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Cohere, Dialect::Bedrock];
    let found = known.into_iter().find(|dialect| dialect.as_str() == text);
    found.map(DialectArg).ok_or_else(|| format!("one of: {}", known.map(Dialect::as_str).join(", ")))
}

fn operation(text: &str) -> Result<Operation, String> {
    Operation::parse(text).ok_or_else(|| {
        "such as chat, responses, messages, generate_content, converse, cohere_chat, embeddings".to_owned()
    })
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptsCommand {
    /// List receipts, newest first.
    List {
        /// Of this key alone.
        #[arg(long)]
        key: Option<String>,
        /// Of this user alone.
        #[arg(long)]
        user: Option<String>,
        /// Older than this one.
        #[arg(long, value_parser = receipt_id, value_name = "RECEIPT")]
        before: Option<ReceiptId>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show one receipt with its lines.
    Show {
        /// Such as rc_019a….
        #[arg(value_parser = receipt_id)]
        id: ReceiptId,
    },
    /// Write the chain of receipts to a file that anyone can verify: links, and both documents of each receipt.
    Export {
        /// Of links made at this moment or later.
        #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
        since: Option<UnixMicros>,
        /// Of links made before this moment.
        #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
        until: Option<UnixMicros>,
        /// Where to; lines of JSON.
        file: PathBuf,
    },
    /// Verify an export, an answer of GET /v1/receipts/{id}, or, without a file, the store's own chain.
    Verify {
        /// What to verify, without a store; `-` is the standard input.
        #[arg(requires = "keys")]
        file: Option<PathBuf>,
        /// A public key that may have signed, as `burncloud receipts key` shows it; may be repeated.
        #[arg(id = "keys", long = "key", value_parser = public_key, value_name = "KEY")]
        keys: Vec<PublicKey>,
        /// The folder with the files of archived receipts, to verify them too.
        #[arg(long, conflicts_with = "file", value_name = "DIR")]
        archive: Option<PathBuf>,
    },
    /// Move the oldest receipts out of the store into files that prove them. What they cost stays in the books.
    Archive {
        /// Those of links made before this moment.
        #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
        before: UnixMicros,
        /// The folder for the files; made if need be, for its owner alone.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Show the public key that receipts are signed with.
    Key {
        /// Those of earlier times too.
        #[arg(long)]
        all: bool,
        /// Make a new one first. What older ones signed stays valid.
        #[arg(long)]
        rotate: bool,
    },
}

fn option(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write name=value")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    PublicKey::parse(text).ok_or_else(|| "a public key is 64 hexadecimal digits".to_owned())
}

fn receipt_id(text: &str) -> Result<ReceiptId, String> {
    ReceiptId::parse(text).ok_or_else(|| "write a receipt's id: rc_ and 32 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn an_option_is_a_name_and_a_value() {
        assert_eq!(option("region=us-east-1"), Ok(("region".to_owned(), "us-east-1".to_owned())));
        assert!(option("region").is_err());
    }

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}

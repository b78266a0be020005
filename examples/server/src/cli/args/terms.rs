//! Prices, budgets and plans.

use burncloud_core::{Nano, UnixMicros};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// List the prices that were set.
    List {
        /// In this tenant's book alone.
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
    },
    /// Set a model's price from a moment on.
    Set(Box<SetPriceArgs>),
    /// Set what customers' groups pay of a book's prices.
    Groups(Box<GroupsArgs>),
    /// Set what one US dollar buys of other currencies.
    Fx(Box<FxArgs>),
    /// Show who pays what for a model.
    Quote(Box<QuoteArgs>),
    /// Take over the ratio tables of New-API as prices of the house.
    Import {
        /// A file with the tables (`ModelRatio`, `CompletionRatio`, …, `GroupRatio`), or what New-API's interface answers;
        /// `-` is standard input.
        file: PathBuf,
        /// From when on; now by default.
        #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
        effective: Option<UnixMicros>,
    },
    /// Write the prices in force as New-API's ratio tables.
    Export,
    /// The published prices that hold where none is set.
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueCommand {
    /// Say which are in force, and what would change with those that wait.
    Show,
    /// Fetch newer ones now; what moves by more than the bound waits for approval.
    Fetch {
        /// An address or a file (`-` is standard input); where the project behind them publishes by default.
        from: Option<String>,
        /// By how many percent a price may move without approval; 30 by default.
        #[arg(long, value_name = "PERCENT")]
        bound_percent: Option<u32>,
        /// An HTTP proxy to fetch through.
        #[arg(long, value_name = "URL")]
        proxy: Option<String>,
    },
    /// Put those that wait in force.
    Approve {
        /// The version that `show` names.
        version: i64,
    },
    /// Put those that wait aside.
    Reject {
        /// The version that `show` names.
        version: i64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SetPriceArgs {
    /// The model, as callers ask for it; `*` is every model that has no price of its own in the book.
    pub(crate) model: String,
    /// In the book of this tenant; the house's by default.
    #[arg(long, value_name = "TENANT", conflicts_with = "channel")]
    pub(crate) tenant: Option<String>,
    /// What this channel's provider takes: a buying price.
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    /// From when on; now by default.
    #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
    pub(crate) effective: Option<UnixMicros>,
    /// Dollars per million tokens (input=0.15 output=0.60 cached_read=0.075 …), or for one (per_request=0.01); or
    /// markup=1.25, a ratio on the cost.
    #[arg(required = true, value_parser = rate, value_name = "CLASS=USD")]
    pub(crate) rates: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct GroupsArgs {
    /// In the book of this tenant; the house's by default.
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// From when on; now by default.
    #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
    pub(crate) effective: Option<UnixMicros>,
    /// A group and its ratio (vip=0.8), or a user's group and the group of their key (vip/default=0.5); `none` takes a
    /// ratio out again.
    #[arg(required = true, value_parser = rate, value_name = "GROUP=RATIO")]
    pub(crate) ratios: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct FxArgs {
    /// From when on; now by default.
    #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
    pub(crate) effective: Option<UnixMicros>,
    /// A currency and what one dollar buys of it (CNY=7.20); `none` takes a rate out again.
    #[arg(required = true, value_parser = rate, value_name = "CURRENCY=RATE")]
    pub(crate) rates: Vec<(String, String)>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("who").args(["user", "tenant", "key"])))]
pub(crate) struct QuoteArgs {
    /// The model, as callers ask for it.
    pub(crate) model: String,
    /// For this user; by default for somebody of the tenant `default` without a group.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// For somebody of this tenant without a group.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// For whoever calls with this key.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// When this channel serves; by default each that may.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// At that moment; now by default.
    #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
    pub(crate) at: Option<UnixMicros>,
}

fn rate(text: &str) -> Result<(String, String), String> {
    let (class, amount) = text.split_once('=').ok_or("write a class and dollars, such as input=0.15")?;
    Ok((class.trim().to_owned(), amount.trim().to_owned()))
}

#[derive(Debug, Subcommand)]
pub(crate) enum BudgetsCommand {
    /// List budgets.
    List,
    /// Make a budget, or replace the one of its name.
    Set(Box<SetBudgetArgs>),
    /// Remove a budget.
    Delete {
        /// Its name.
        name: String,
    },
    /// Show what was reported of money, newest first.
    Alerts {
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("allowance").required(true).args(["usd", "tokens"])))]
pub(crate) struct SetBudgetArgs {
    /// Its name.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) scope: BudgetScopeArgs,
    /// In which time.
    #[arg(long, value_enum)]
    pub(crate) per: Per,
    /// How much, in dollars.
    #[arg(long, value_name = "USD")]
    pub(crate) usd: Option<Nano>,
    /// How much, in tokens: input and output.
    #[arg(long, value_name = "N")]
    pub(crate) tokens: Option<u64>,
    /// When it is used up somebody is told, and nothing is refused.
    #[arg(long)]
    pub(crate) soft: bool,
    /// By the clock of this time zone, such as Europe/Berlin; the tenant's own by default, else UTC.
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
}

/// Whose spending a budget counts.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct BudgetScopeArgs {
    /// This key's.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// This user's, by all keys.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// This tenant's, with every tenant below it.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// This channel's.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// This model's, as callers ask for it.
    #[arg(long)]
    pub(crate) model: Option<String>,
}

/// A period.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Per {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the next.
    Month,
    /// For ever.
    Total,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlansCommand {
    /// List plans.
    List,
    /// Make a plan, or replace the one of its name.
    Set(SetPlanArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SetPlanArgs {
    /// Its name.
    pub(crate) name: String,
    /// What is charged for an answer that does not come to its end.
    #[arg(long, value_enum)]
    pub(crate) abort: Abort,
    /// With `reported`: how long an answer is read on for the report, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    pub(crate) drain_ms: u32,
}

/// An abort policy, without its bound.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Abort {
    /// What was delivered.
    Delivered,
    /// What the provider reports.
    Reported,
    /// Nothing.
    Nothing,
}

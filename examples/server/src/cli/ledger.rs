//! `burncloud ledger …`

use super::{CliResult, Desk, word};
use burncloud_billing::ledger::{VerifyError, verify, verify_with_archive};
use burncloud_billing::people;
use burncloud_core::Nano;
use burncloud_core::ledger::{Account, Entry};
use burncloud_core::store::{EntryFilter, LedgerStore, UserStore};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const PAGE: u32 = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Compute every balance and sum anew from receipts and postings. Exit status 1 names the first difference.
    Verify {
        /// The folder with the files of archived receipts, to compute these anew too.
        #[arg(long, value_name = "DIR")]
        archive: Option<PathBuf>,
    },
    /// List entries, newest first.
    Entries {
        /// With a posting to this account alone, such as user:ann, tenant:acme, revenue:acme, payable:3.
        #[arg(long)]
        account: Option<String>,
        /// Older than this one.
        #[arg(long, value_name = "ENTRY")]
        before: Option<i64>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Undo an entry by one of the opposite; an entry is undone once.
    Reverse {
        /// Its number.
        entry: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Show the balance of an account, or of all.
    Balance {
        /// Such as user:ann, tenant:acme, revenue:acme, payable:3; numbers stand for ids.
        account: Option<String>,
    },
}

pub(super) async fn run(command: LedgerCommand, desk: &Desk) -> CliResult {
    match command {
        LedgerCommand::Verify { archive } => check(desk, archive.as_deref()).await,
        LedgerCommand::Entries { account, before, limit } => {
            let account = match account {
                Some(text) => Some(named(desk, &text).await?),
                None => None,
            };
            let entries =
                desk.store.entries(&EntryFilter { account, before, limit, ..EntryFilter::default() }).await?;
            list(desk, &entries)
        }
        LedgerCommand::Reverse { entry, reason } => {
            let posted = people::reverse(&*desk.store, &desk.actor, entry, &reason).await?;
            let line = format!("entry {} undoes entry {entry}", posted.id);
            desk.out.show(&json!({ "entry": posted.id, "reverses": entry }), &[line])
        }
        LedgerCommand::Balance { account: Some(text) } => {
            let account = named(desk, &text).await?;
            let balance = desk.store.balance(account).await?;
            desk.out.show(&balance_json(account, balance), &[format!("{account}: ${balance}")])
        }
        LedgerCommand::Balance { account: None } => balances(desk).await,
    }
}

async fn check(desk: &Desk, archive: Option<&Path>) -> CliResult {
    let checked = match archive {
        Some(folder) => verify_with_archive(&*desk.store, folder, |_| ()).await,
        None => verify(&*desk.store, |_| ()).await,
    };
    let report = checked.map_err(|error| match error {
        VerifyError::Difference(difference) => format!("the ledger is not in order: {difference}"),
        other => format!("the ledger cannot be verified: {other}"),
    })?;
    let mut lines = vec![format!(
        "the ledger is in order: {} entries, {} receipts, {} accounts, {} users, {} tenants, {} keys",
        report.entries, report.receipts, report.accounts, report.users, report.tenants, report.keys
    )];
    if report.before_ledger > 0 {
        lines.push(format!("{} receipts are from before the ledger and in no entry", report.before_ledger));
    }
    let archived = report.archived;
    if report.reread > 0 {
        lines.push(format!("{archived} archived receipts were read from their files and computed anew"));
    } else if archived > 0 {
        lines.push(format!(
            "{archived} receipts are archived: what was noted of them fits entries, balances and sums, but they \
             themselves were not read; --archive DIR reads them too"
        ));
    }
    desk.out.show(&serde_json::to_value(&report)?, &lines)
}

/// An account, with the name of a user or tenant in the place of the id.
async fn named(desk: &Desk, text: &str) -> CliResult<Account> {
    if let Some(account) = Account::parse(text) {
        return Ok(account);
    }
    let unknown = || format!("`{text}` is no account; write one such as user:ann, revenue:acme, payable:3");
    let (kind, name) = text.split_once(':').ok_or_else(unknown)?;
    let id = match Account::parse(&format!("{kind}:0")).ok_or_else(unknown)? {
        Account::User(_) | Account::UserCredit(_) => {
            desk.store.user_by_name(name).await?.map(|user| user.id.0)
        }
        Account::Cost(_) | Account::Payable(_) | Account::Opening => None,
        _ => desk.store.tenant_by_name(name).await?.map(|tenant| tenant.id.0),
    };
    let id = id.ok_or_else(unknown)?;
    Ok(Account::parse(&format!("{kind}:{id}")).ok_or_else(unknown)?)
}

fn balance_json(account: Account, balance: Nano) -> Value {
    json!({ "account": account, "balance": balance, "balance_usd": balance.to_string() })
}

async fn balances(desk: &Desk) -> CliResult {
    let mut all: Vec<(Account, Nano)> = Vec::new();
    loop {
        let page = desk.store.balances(all.last().map(|(account, _)| *account), PAGE).await?;
        let more = page.len() == PAGE as usize;
        all.extend(page);
        if !more {
            break;
        }
    }
    let rows: Vec<_> = all.iter().map(|(account, nano)| [account.to_string(), format!("${nano}")]).collect();
    desk.out.list(all.iter().map(|(a, n)| balance_json(*a, *n)).collect(), ["account", "balance"], &rows)
}

fn list(desk: &Desk, entries: &[Entry]) -> CliResult {
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            let postings = entry.postings.iter().map(|one| format!("{} ${}", one.account, one.amount));
            [
                entry.id.to_string(),
                crate::moment::show(entry.at),
                word(&entry.kind),
                entry.author.clone(),
                entry.reason.clone(),
                postings.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    let json = entries.iter().map(|entry| serde_json::to_value(entry).unwrap_or_default()).collect();
    desk.out.list(json, ["entry", "at", "kind", "author", "reason", "postings"], &rows)
}

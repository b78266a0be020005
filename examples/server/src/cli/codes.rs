//! `burncloud codes …`

use super::{CliResult, Desk};
use burncloud_billing::codes::{Batch, generate_codes, redeem_code};
use burncloud_billing::people::{find_tenant, find_user};
use burncloud_core::store::{CodeStore, RedeemCode};
use burncloud_core::{Nano, UnixMicros};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const PAGE: u32 = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum CodesCommand {
    /// Make redeem codes; they are shown once.
    Create(CreateCodesArgs),
    /// Use a code for a user: its worth goes into the wallet.
    Redeem {
        /// Whose wallet.
        #[arg(long)]
        user: String,
        /// The code; with - it is read from the standard input.
        code: String,
    },
    /// List codes, without their texts.
    List {
        /// Of this batch alone.
        #[arg(long)]
        batch: Option<String>,
    },
    /// Withdraw what is unused of a batch.
    Revoke {
        /// Its name.
        batch: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateCodesArgs {
    /// The batch's name.
    batch: String,
    /// What each is worth, in dollars.
    #[arg(long, value_name = "USD")]
    amount_usd: Nano,
    /// How many.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// When they stop working, such as 2027-01-31T00:00:00Z.
    #[arg(long, value_parser = crate::moment::parse, value_name = "MOMENT")]
    expires: Option<UnixMicros>,
    /// They are sold: their worth is cash received. Else it is promotional credit.
    #[arg(long)]
    sold: bool,
    /// The tenant that answers for them; only its own users may use them.
    #[arg(long, default_value = "default")]
    tenant: String,
}

pub(super) async fn run(command: CodesCommand, author: &str, desk: &Desk) -> CliResult {
    let store = &*desk.store;
    match command {
        CodesCommand::Create(args) => create(args, desk).await,
        CodesCommand::Redeem { user, code } => {
            let user = find_user(store, &user).await?;
            let code = if code == "-" { std::io::read_to_string(std::io::stdin())? } else { code };
            let (posted, amount) = redeem_code(store, author, &user, &code).await?;
            let json = json!({ "entry": posted.id, "amount": amount, "amount_usd": amount.to_string() });
            desk.out.show(&json, &[format!("${amount} for `{}`, entry {}", user.name, posted.id)])
        }
        CodesCommand::List { batch } => list(batch.as_deref(), desk).await,
        CodesCommand::Revoke { batch } => {
            let revoked = store.revoke_codes(&batch, UnixMicros::now()).await?;
            let line = format!("withdrew {revoked} unused codes of `{batch}`");
            desk.out.show(&json!({ "batch": batch, "revoked": revoked }), &[line])
        }
    }
}

async fn create(args: CreateCodesArgs, desk: &Desk) -> CliResult {
    let CreateCodesArgs { batch: name, amount_usd: amount, count, expires: expires_at, sold, tenant } = args;
    let tenant = find_tenant(&*desk.store, &tenant).await?.id;
    let batch = Batch { name, count, amount, expires_at, sold, tenant };
    let codes = generate_codes(&*desk.store, &batch).await?;
    let lines: Vec<String> = codes.iter().map(|code| code.expose().to_owned()).collect();
    desk.out.show(&json!({ "batch": batch.name, "codes": lines }), &lines)
}

fn state(code: &RedeemCode) -> &'static str {
    match code {
        RedeemCode { redeemed: Some(_), .. } => "used",
        RedeemCode { revoked_at: Some(_), .. } => "withdrawn",
        code if code.check(UnixMicros::now()).is_err() => "expired",
        _ => "unused",
    }
}

fn as_json(code: &RedeemCode) -> Value {
    let redeemed = code.redeemed.map(|(user, at, entry)| json!({ "user": user, "at": at, "entry": entry }));
    json!({
        "batch": code.code.batch,
        "state": state(code),
        "amount": code.code.amount,
        "amount_usd": code.code.amount.to_string(),
        "sold": code.code.sold,
        "tenant": code.code.tenant,
        "expires_at": code.code.expires_at,
        "created_at": code.created_at,
        "redeemed": redeemed,
        "revoked_at": code.revoked_at,
    })
}

async fn list(batch: Option<&str>, desk: &Desk) -> CliResult {
    let mut all: Vec<RedeemCode> = Vec::new();
    loop {
        let page = desk.store.codes(batch, all.last().map(|code| code.code.hash), PAGE).await?;
        let more = page.len() == PAGE as usize;
        all.extend(page);
        if !more {
            break;
        }
    }
    let row = |code: &RedeemCode| {
        let user = code.redeemed.map_or_else(String::new, |(user, ..)| user.to_string());
        [code.code.batch.clone(), format!("${}", code.code.amount), state(code).to_owned(), user]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    desk.out.list(all.iter().map(as_json).collect(), ["batch", "amount", "state", "used by"], &rows)
}

//! `burncloud receipts …`

use super::args::ReceiptsCommand;
use super::keys::user_id;
use super::{CliResult, Desk, word};
use crate::moment;
use burncloud_core::store::{ReceiptFilter, StoreError};
use burncloud_core::usecase::keys::find_key;
use burncloud_core::{ChannelId, Receipt};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Channels by id: a receipt keeps only the id.
type Names = HashMap<ChannelId, String>;

pub(super) async fn run(command: ReceiptsCommand, desk: &Desk) -> CliResult {
    let names: Names = desk.store.channels().await?.into_iter().map(|c| (c.id, c.name)).collect();
    match command {
        ReceiptsCommand::List { key, user, before, limit } => {
            let key = match key {
                Some(name) => Some(find_key(&*desk.store, &name).await?.id),
                None => None,
            };
            let user = match user {
                Some(name) => Some(user_id(desk, &name).await?),
                None => None,
            };
            let filter = ReceiptFilter { key, user, before, limit };
            list(desk, &desk.store.receipts(&filter).await?, &names)
        }
        ReceiptsCommand::Show { id } => {
            let found = desk.store.receipt(id).await?;
            let receipt =
                found.ok_or_else(|| StoreError::NotFound { what: "receipt", name: id.to_string() })?;
            desk.out.show(&as_json(&receipt, &names), &lines(&receipt, &names))
        }
    }
}

fn list(desk: &Desk, receipts: &[Receipt], names: &Names) -> CliResult {
    let rows: Vec<_> = receipts
        .iter()
        .map(|r| {
            [
                r.id.to_string(),
                moment::show(r.at),
                r.model.to_string(),
                channel_name(r, names).unwrap_or("-").to_owned(),
                r.status.to_string(),
                word(&r.end),
                r.usage.total_input().to_string(),
                r.usage.total_output().to_string(),
                format!("${}", r.charge),
            ]
        })
        .collect();
    let head = ["receipt", "at", "model", "channel", "status", "end", "in", "out", "charge"];
    desk.out.list(receipts.iter().map(|r| as_json(r, names)).collect(), head, &rows)
}

fn channel_name<'a>(receipt: &Receipt, names: &'a Names) -> Option<&'a str> {
    names.get(&receipt.channel?).map(String::as_str)
}

/// A receipt as stored (amounts in nano-dollars), with what is handy beside it.
fn as_json(receipt: &Receipt, names: &Names) -> Value {
    let mut json = serde_json::to_value(receipt).unwrap_or_default();
    json["charge_nano"] = json!(receipt.charge);
    json["charge_usd"] = json!(receipt.charge.to_string());
    json["channel_name"] = json!(channel_name(receipt, names));
    json
}

/// A receipt for people.
pub(crate) fn lines(receipt: &Receipt, names: &Names) -> Vec<String> {
    let r = receipt;
    let mapped = if r.upstream_model.is_empty() || r.upstream_model == r.model {
        String::new()
    } else {
        format!(" (asked of the provider as {})", r.upstream_model)
    };
    let mut out = vec![
        format!("receipt   {}", r.id),
        format!("trace     {}", r.trace_id),
        format!("at        {}", moment::show(r.at)),
        format!("asked     {} {}", word(&r.dialect), word(&r.operation)),
        format!("model     {}{mapped}", if r.model.is_empty() { "-" } else { &r.model }),
        format!("channel   {}", channel_name(r, names).unwrap_or("-")),
        format!("status    {}, {}{}", r.status, word(&r.end), if r.streamed { ", streamed" } else { "" }),
        format!(
            "usage     {} in, {} out ({})",
            r.usage.total_input(),
            r.usage.total_output(),
            word(&r.usage_source)
        ),
        format!("took      {}", took(r)),
        format!("price     version {}", r.price_version),
    ];
    for line in &r.lines {
        out.push(format!(
            "  {:<16} {:>10} x ${} per million = ${}",
            word(&line.kind),
            line.units,
            line.price,
            line.amount
        ));
    }
    out.push(format!("charge    ${} (reserved ${})", r.charge, r.reserved));
    if r.shortfall.0 != 0 {
        out.push(format!("shortfall ${}", r.shortfall));
    }
    out
}

fn took(r: &Receipt) -> String {
    let ms = |us: u64| format!("{}.{:03} ms", us / 1000, us % 1000);
    match r.first_byte_us {
        Some(first) => format!("{}, first byte after {}", ms(r.took_us), ms(u64::from(first))),
        None => ms(r.took_us),
    }
}

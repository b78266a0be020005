//! `burncloud receipts …`

use super::args::ReceiptsCommand;
use super::keys::user_id;
use super::{CliResult, Desk, word};
use crate::moment;
use burncloud_core::store::{ArchiveStore, ReceiptFilter, ReceiptStore, Store, StoreError, StoreResult};
use burncloud_core::usecase::keys::find_key;
use burncloud_core::{Attempt, ChannelId, KeyId, Line, LineKind, Nano, Receipt, UserId};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The names of what a receipt keeps only the ids of.
#[derive(Debug, Default)]
pub(crate) struct Names {
    channels: HashMap<ChannelId, String>,
    keys: HashMap<KeyId, String>,
    users: HashMap<UserId, String>,
}

impl Names {
    /// Those in `receipts`.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn of<S: Store + ?Sized>(store: &S, receipts: &[Receipt]) -> StoreResult<Names> {
        let channels = store.channels().await?.into_iter().map(|c| (c.id, c.name)).collect();
        let mut names = Names { channels, ..Names::default() };
        for receipt in receipts {
            if !names.keys.contains_key(&receipt.key)
                && let Some(key) = store.key(receipt.key).await?
            {
                names.keys.insert(key.id, key.name);
            }
            if !names.users.contains_key(&receipt.user)
                && let Some(user) = store.user(receipt.user).await?
            {
                names.users.insert(user.id, user.name);
            }
        }
        Ok(names)
    }

    /// The channel's name; its id if it is gone.
    fn channel(&self, id: ChannelId) -> String {
        self.channels.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    fn key(&self, id: KeyId) -> String {
        self.keys.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    fn user(&self, id: UserId) -> String {
        self.users.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

pub(super) async fn run(command: ReceiptsCommand, desk: &Desk) -> CliResult {
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
            let receipts = desk.store.receipts(&filter).await?;
            list(desk, &receipts, &Names::of(&*desk.store, &receipts).await?)
        }
        // Answered without a desk.
        ReceiptsCommand::Archive { .. }
        | ReceiptsCommand::Export { .. }
        | ReceiptsCommand::Verify { .. }
        | ReceiptsCommand::Key { .. } => Ok(()),
        ReceiptsCommand::Show { id } => {
            let found = desk.store.receipt(id).await?;
            if let (None, Some(known)) = (&found, desk.store.archived_receipts(&[id]).await?.pop()) {
                let link = known.link;
                return Err(format!(
                    "receipt {id} is archived: it is in link {link}, in the file receipts-FIRST-LAST.jsonl that \
                     spans it"
                )
                .into());
            }
            let receipt =
                found.ok_or_else(|| StoreError::NotFound { what: "receipt", name: id.to_string() })?;
            let names = Names::of(&*desk.store, std::slice::from_ref(&receipt)).await?;
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
                names.key(r.key),
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
    let head = ["receipt", "at", "key", "model", "channel", "status", "end", "in", "out", "charge"];
    desk.out.list(receipts.iter().map(|r| as_json(r, names)).collect(), head, &rows)
}

fn channel_name<'a>(receipt: &Receipt, names: &'a Names) -> Option<&'a str> {
    names.channels.get(&receipt.channel?).map(String::as_str)
}

/// A receipt as stored (amounts in nano-dollars), with what is handy beside it.
fn as_json(receipt: &Receipt, names: &Names) -> Value {
    let mut json = serde_json::to_value(receipt).unwrap_or_default();
    json["charge_nano"] = json!(receipt.charge);
    json["charge_usd"] = json!(receipt.charge.to_string());
    json["channel_name"] = json!(channel_name(receipt, names));
    json["key_name"] = json!(names.keys.get(&receipt.key));
    json["user_name"] = json!(names.users.get(&receipt.user));
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
        format!("key       {}", names.key(r.key)),
        format!("user      {}", names.user(r.user)),
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
    out.extend(r.attempts.iter().enumerate().map(|(i, a)| attempt(i + 1, a, names)));
    out.extend(r.lines.iter().map(line));
    out.push(format!("charge    ${} (reserved ${})", r.charge, r.reserved));
    if r.shortfall.0 != 0 {
        out.push(format!("shortfall ${}", r.shortfall));
    }
    out
}

/// One line; the price of a piece or a request is shown for one.
fn line(line: &Line) -> String {
    let single = matches!(line.kind, LineKind::Piece | LineKind::Request) && line.price.0 % 1_000_000 == 0;
    let (price, one) =
        if single { (Nano(line.price.0 / 1_000_000), "each") } else { (line.price, "per million") };
    format!("  {:<16} {:>10} x ${price} {one} = ${}", word(&line.kind), line.units, line.amount)
}

/// One attempt: the channel, its status or what went wrong, how long that took.
fn attempt(number: usize, attempt: &Attempt, names: &Names) -> String {
    let status = attempt.status.map(|s| s.to_string());
    let outcome = [status, attempt.error.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let outcome = if outcome.is_empty() { "no answer" } else { &outcome };
    let took = ms(u64::from(attempt.took_us));
    format!("attempt {number} {}: {outcome}, after {took}", names.channel(attempt.channel))
}

fn ms(us: u64) -> String {
    format!("{}.{:03} ms", us / 1000, us % 1000)
}

fn took(r: &Receipt) -> String {
    match r.first_byte_us {
        Some(first) => format!("{}, first byte after {}", ms(r.took_us), ms(u64::from(first))),
        None => ms(r.took_us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_its_price_for_a_million_or_for_one() {
        let of =
            |kind, units, price| line(&Line { kind, units, price: Nano(price), amount: Nano(2_000_000) });
        assert!(of(LineKind::Piece, 1, 2_000_000_000_000).ends_with("1 x $0.002 each = $0.002"));
        assert!(of(LineKind::Input, 2, 1_000_000_000).ends_with("2 x $1.00 per million = $0.002"));
    }

    #[test]
    fn an_attempt_is_shown_with_its_channel_and_outcome() {
        let mut names = Names::default();
        names.channels.insert(ChannelId(7), "main".into());
        let tried = |channel, status, error: Option<&str>| {
            let error = error.map(str::to_owned);
            attempt(1, &Attempt { channel: ChannelId(channel), status, error, took_us: 1_234 }, &names)
        };
        assert_eq!(tried(7, Some(200), None), "attempt 1 main: 200, after 1.234 ms");
        assert_eq!(tried(7, None, Some("refused")), "attempt 1 main: refused, after 1.234 ms");
        assert!(tried(8, Some(500), Some("x")).contains("500, x"));
    }
}

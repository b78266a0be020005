//! `burncloud prices …`

use super::args::{PricesCommand, SetPriceArgs};
use super::{CliResult, Desk, catalogue};
use crate::moment;
use burncloud_billing::Rates;
use burncloud_core::UnixMicros;
use burncloud_core::store::PriceOverride;
use serde_json::json;

pub(super) async fn run(command: PricesCommand, desk: &Desk) -> CliResult {
    match command {
        PricesCommand::List => list(desk).await,
        PricesCommand::Set(args) => set(desk, *args).await,
        PricesCommand::Import { file, effective } => catalogue::import(desk, &file, effective).await,
        PricesCommand::Export => catalogue::export(desk).await,
        PricesCommand::Catalogue(command) => catalogue::run(command, desk).await,
    }
}

async fn list(desk: &Desk) -> CliResult {
    let all = desk.store.prices().await?;
    let rows: Vec<_> = all
        .iter()
        .map(|p| [p.version.to_string(), p.model.clone(), moment::show(p.effective_at), p.rates.to_string()])
        .collect();
    let json = all.iter().map(|p| serde_json::to_value(p).unwrap_or_default()).collect();
    desk.out.list(json, ["version", "model", "effective", "rates"], &rows)
}

async fn set(desk: &Desk, args: SetPriceArgs) -> CliResult {
    let effective_at = args.effective.unwrap_or_else(UnixMicros::now);
    let rates = args.rates.into_iter().map(|(class, amount)| (class, json!(amount))).collect();
    let rates = serde_json::Value::Object(rates);
    Rates::from_json(&rates)?;
    let price = PriceOverride { version: 0, model: args.model, effective_at, rates };
    let model = price.model.clone();
    let version = desk.store.add_price(price).await?;
    let since = moment::show(effective_at);
    let line = format!("`{model}` has a new price from {since} on (version {version})");
    desk.out.show(&json!({ "version": version, "model": model, "effective": since }), &[line])
}

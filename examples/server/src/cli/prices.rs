//! `burncloud prices …`

use super::args::{FxArgs, GroupsArgs, PricesCommand, SetPriceArgs};
use super::users::tenants;
use super::{CliResult, Desk, catalogue, or_dash};
use crate::moment;
use burncloud_billing::{PriceBook, people};
use burncloud_core::store::{ChannelStore, PriceOverride};
use burncloud_core::usecase::channels::find_channel;
use burncloud_core::{ChannelId, TenantId, UnixMicros};
use serde_json::{Map, Value, json};

pub(super) async fn run(command: PricesCommand, desk: &Desk) -> CliResult {
    match command {
        PricesCommand::List { tenant } => list(desk, tenant).await,
        PricesCommand::Set(args) => set(desk, *args).await,
        PricesCommand::Groups(args) => groups(desk, *args).await,
        PricesCommand::Fx(args) => fx(desk, *args).await,
        PricesCommand::Quote(args) => super::quote::run(desk, *args).await,
        PricesCommand::Import { file, effective } => catalogue::import(desk, &file, effective).await,
        PricesCommand::Export => catalogue::export(desk).await,
        PricesCommand::Catalogue(command) => catalogue::run(command, desk).await,
    }
}

async fn list(desk: &Desk, tenant: Option<String>) -> CliResult {
    let only = book(desk, tenant).await?;
    let mut all = people::list_prices(&*desk.store, &desk.actor).await?;
    all.retain(|rule| only.is_none() || rule.book == only);
    let tenants = tenants(desk).await?;
    let channels = desk.store.channels().await?;
    let channel = |id: ChannelId| channels.iter().find(|c| c.id == id).map(|c| c.name.as_str());
    let rows: Vec<_> = all
        .iter()
        .map(|p| {
            let book = p.book.map(|id| or_dash(tenants.get(&id).map(String::as_str)));
            let at = p.channel.map(|id| format!("cost at {}", or_dash(channel(id))));
            [
                p.version.to_string(),
                book.or(at).unwrap_or_else(|| "house".to_owned()),
                if p.model.is_empty() { "(the whole book)".to_owned() } else { p.model.clone() },
                moment::show(p.effective_at),
                p.rates.to_string(),
            ]
        })
        .collect();
    let json = all.iter().map(|p| {
        let mut json = serde_json::to_value(p).unwrap_or_default();
        json["book_name"] = json!(p.book.and_then(|id| tenants.get(&id)));
        json["channel_name"] = json!(p.channel.and_then(channel));
        json
    });
    desk.out.list(json.collect(), ["version", "book", "model", "effective", "rates"], &rows)
}

async fn set(desk: &Desk, args: SetPriceArgs) -> CliResult {
    let channel = match &args.channel {
        Some(name) => Some(find_channel(&*desk.store, name).await?.id),
        None => None,
    };
    let rule = PriceOverride {
        version: 0,
        book: book(desk, args.tenant).await?,
        channel,
        model: args.model,
        effective_at: args.effective.unwrap_or_else(UnixMicros::now),
        rates: args.rates.into_iter().map(|(class, amount)| (class, json!(amount))).collect(),
    };
    let what = format!("`{}` has a new price", rule.model);
    add(desk, rule, &what).await
}

async fn groups(desk: &Desk, args: GroupsArgs) -> CliResult {
    let (mut groups, mut pairs) = (Map::new(), Map::new());
    for (group, ratio) in args.ratios {
        match group.split_once('/') {
            None => groups.insert(group, or_null(&ratio)),
            Some((own, used)) => {
                let of = pairs.entry(own).or_insert_with(|| json!({}));
                of.as_object_mut().and_then(|of| of.insert(used.to_owned(), or_null(&ratio)))
            }
        };
    }
    let settings = [("groups", groups), ("pairs", pairs)];
    let rates = settings.into_iter().filter(|(_, map)| !map.is_empty());
    let rates = rates.map(|(name, map)| (name.to_owned(), Value::Object(map))).collect();
    let book = book(desk, args.tenant).await?;
    let effective_at = args.effective.unwrap_or_else(UnixMicros::now);
    let rule = PriceOverride { version: 0, book, channel: None, model: String::new(), effective_at, rates };
    add(desk, rule, "the groups have new ratios").await
}

async fn fx(desk: &Desk, args: FxArgs) -> CliResult {
    let fx: Map<String, Value> =
        args.rates.iter().map(|(currency, rate)| (currency.clone(), or_null(rate))).collect();
    let rule = PriceOverride {
        version: 0,
        book: None,
        channel: None,
        model: String::new(),
        effective_at: args.effective.unwrap_or_else(UnixMicros::now),
        rates: json!({ "fx": fx }),
    };
    add(desk, rule, "there are new exchange rates").await
}

fn or_null(text: &str) -> Value {
    if text == "none" { Value::Null } else { json!(text) }
}

/// The book of the tenant of that name.
async fn book(desk: &Desk, tenant: Option<String>) -> CliResult<Option<TenantId>> {
    Ok(match tenant {
        Some(name) => Some(people::find_tenant(&*desk.store, &name).await?.id),
        None => None,
    })
}

async fn add(desk: &Desk, rule: PriceOverride, what: &str) -> CliResult {
    let (model, since) = (rule.model.clone(), moment::show(rule.effective_at));
    let version = people::set_price(&*desk.store, &desk.actor, &PriceBook::new(), rule).await?;
    let line = format!("{what} from {since} on (version {version})");
    desk.out.show(&json!({ "version": version, "model": model, "effective": since }), &[line])
}

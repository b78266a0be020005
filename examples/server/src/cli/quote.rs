//! `burncloud prices quote`: who pays what for a model.

use super::args::QuoteArgs;
use super::users::tenants;
use super::{CliResult, Desk, or_dash, word};
use burncloud_billing::people::{self, Tree};
use burncloud_billing::{Offer, PriceBook, Quote, published, quote, reload_prices};
use burncloud_core::store::{ChannelStore, UserStore};
use burncloud_core::usecase::keys::find_key;
use burncloud_core::{ApiKey, Caller, ChannelConfig, LineKind, Nano, Status, TenantId, UnixMicros, User};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) async fn run(desk: &Desk, args: QuoteArgs) -> CliResult {
    let book = PriceBook::new();
    published::restore(&*desk.store, &book, None, UnixMicros::now()).await?;
    reload_prices(&*desk.store, &book).await?;
    let caller = caller(desk, &args).await?;
    let channels = serving(desk, &args).await?;
    let offers: Vec<Offer<'_>> = channels.iter().map(|channel| offer(channel, &args.model)).collect();
    let at = args.at.unwrap_or_else(UnixMicros::now);
    let names = tenants(desk).await?;
    let (mut json, mut lines) = (Vec::new(), Vec::new());
    for (channel, offered) in channels.iter().zip(&offers) {
        let others: Vec<_> = offers.iter().filter(|other| *other != offered).copied().collect();
        let quoted = quote(&book, &caller, offered, &others, at);
        lines.extend(as_lines(channel, offered, &quoted, &names));
        json.push(as_json(channel, offered, &quoted, &names));
    }
    desk.out.show(&Value::Array(json), &lines)
}

/// Whoever asks: nobody in particular where only a tenant is named.
async fn caller(desk: &Desk, args: &QuoteArgs) -> CliResult<Caller> {
    let store = &*desk.store;
    let (key, user) = match (&args.key, &args.user) {
        (Some(name), _) => {
            let key = find_key(store, name).await?;
            let user = store.user(key.user).await?.ok_or("the user of this key is gone")?;
            (key, user)
        }
        (None, Some(name)) => (ApiKey::default(), people::find_user(store, name).await?),
        (None, None) => {
            let tenant = args.tenant.as_deref().unwrap_or(crate::config::DEFAULT);
            let tenant = people::find_tenant(store, tenant).await?.id;
            (ApiKey::default(), User { tenant, ..User::default() })
        }
    };
    let tree = Tree::load(store).await?;
    let mut path = tree.path(user.tenant).cloned();
    let tenant = path.next().ok_or("the tenant of this user is gone")?;
    let above = path.collect();
    Ok(Caller::new(key, user, tenant).under(above))
}

/// The channels that may serve the model, in the order they are tried.
async fn serving(desk: &Desk, args: &QuoteArgs) -> CliResult<Vec<ChannelConfig>> {
    let mut channels = desk.store.channels().await?;
    channels.retain(|channel| {
        let named = args.channel.as_ref().is_none_or(|name| *name == channel.name);
        let serves = channel.models.contains(&args.model) || channel.model_mapping.contains_key(&args.model);
        named && serves && channel.status == Status::Active
    });
    channels.sort_by_key(|channel| std::cmp::Reverse(channel.priority));
    if channels.is_empty() {
        let at = args.channel.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default();
        return Err(format!("no channel{at} that is on serves `{}`", args.model).into());
    }
    Ok(channels)
}

fn offer<'a>(channel: &'a ChannelConfig, model: &'a str) -> Offer<'a> {
    let upstream_model = channel.model_mapping.get(model).map_or(model, String::as_str);
    Offer { model, channel: channel.id, provider: &channel.provider, upstream_model }
}

fn name(tenant: Option<TenantId>, nobody: &str, names: &HashMap<TenantId, String>) -> String {
    match tenant {
        None => nobody.to_owned(),
        Some(id) => or_dash(names.get(&id).map(String::as_str)),
    }
}

fn as_lines(
    channel: &ChannelConfig,
    offer: &Offer<'_>,
    quoted: &Quote,
    names: &HashMap<TenantId, String>,
) -> Vec<String> {
    let mut lines = vec![format!(
        "channel {} ({}, asked as {}), book version {}",
        channel.name, channel.provider, offer.upstream_model, quoted.version
    )];
    if quoted.levels.is_empty() {
        lines.push("  no price: requests are refused".to_owned());
        return lines;
    }
    let levels = quoted.levels.iter().map(|level| {
        let (seller, buyer) = (name(level.seller, "house", names), name(level.buyer, "user", names));
        format!("{seller} > {buyer}")
    });
    let mut head = vec!["class".to_owned(), "cost".to_owned()];
    head.extend(levels);
    let mut table = vec![head];
    for (kind, cost, prices) in quoted.table() {
        let (unit, units) = unit(kind);
        let shown = |price: Nano| format!("${}", Nano(price.0 / units));
        let mut row = vec![format!("{} {unit}", word(&kind)), cost.map_or_else(|| "-".to_owned(), shown)];
        row.extend(prices.iter().copied().map(shown));
        table.push(row);
    }
    let widths: Vec<usize> = (0..table[0].len())
        .map(|n| {
            table.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    lines.extend(table.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    }));
    if let Some((seller, kind)) = quoted.loss {
        lines.push(format!("  {} sells {} below its cost", name(seller, "the house", names), word(&kind)));
    }
    lines
}

/// What a price is shown for, and how many of that make the million (or the million milliseconds) it is kept for.
fn unit(kind: LineKind) -> (&'static str, i64) {
    use LineKind as K;
    match kind {
        K::Piece | K::Request | K::WebSearch | K::FileSearch | K::CodeSession => ("each", 1_000_000),
        K::AudioTime | K::VideoTime => ("a second", 1_000),
        _ => ("per 1M", 1),
    }
}

fn as_json(
    channel: &ChannelConfig,
    offer: &Offer<'_>,
    quoted: &Quote,
    names: &HashMap<TenantId, String>,
) -> Value {
    let levels = quoted.levels.iter().enumerate().map(|(n, level)| {
        let rows = quoted.table();
        let prices = rows.iter().filter_map(|(kind, _, prices)| Some((word(kind), prices.get(n)?)));
        let prices: serde_json::Map<_, _> = prices.map(|(kind, price)| (kind, json!(price))).collect();
        json!({
            "seller": name(level.seller, "house", names),
            "buyer": name(level.buyer, "user", names),
            "paid": level.paid,
            "nano_per_million": prices,
        })
    });
    let cost = quoted.table().into_iter().filter_map(|(kind, cost, _)| Some((word(&kind), json!(cost?))));
    json!({
        "channel": channel.name,
        "upstream_model": offer.upstream_model,
        "version": quoted.version,
        "cost_nano_per_million": cost.collect::<serde_json::Map<_, _>>(),
        "levels": levels.collect::<Vec<_>>(),
        "sold_below_cost": quoted.loss.map(|(seller, kind)| json!({
            "seller": name(seller, "house", names),
            "class": word(&kind),
        })),
    })
}

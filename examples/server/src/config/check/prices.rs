//! `[[prices]]`, `[[price_groups]]` and `[[exchange_rates]]`: rows of price books.

use super::Checker;
use crate::config::raw::{Moment, RawExchangeRates, RawPrice, RawPriceGroups};
use crate::config::{DeclaredPrice, DeclaredTenant};
use burncloud_billing::{RatesError, check_rule};
use burncloud_core::{ChannelConfig, ChannelId, TenantId, UnixMicros};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use toml::Spanned;

/// What makes a row another one: book, channel, model, and from when it holds.
type Place = (Option<String>, Option<String>, String, UnixMicros);

impl Checker {
    pub(super) fn prices(
        &mut self,
        raw: Vec<Spanned<RawPrice>>,
        tenants: &[DeclaredTenant],
        channels: &[ChannelConfig],
    ) -> Vec<DeclaredPrice> {
        let mut taken = HashSet::new();
        raw.into_iter().filter_map(|entry| self.price(entry, tenants, channels, &mut taken)).collect()
    }

    fn price(
        &mut self,
        entry: Spanned<RawPrice>,
        tenants: &[DeclaredTenant],
        channels: &[ChannelConfig],
        taken: &mut HashSet<Place>,
    ) -> Option<DeclaredPrice> {
        let whole = entry.span();
        let mut raw = entry.into_inner();
        let Some(model) = raw.remove("model") else {
            self.report(whole, "prices.model", "name the model as callers ask for it");
            return None;
        };
        let span = model.span();
        let Some(name) = model.get_ref().as_str().filter(|name| !name.trim().is_empty()) else {
            self.report(span, "prices.model", "name the model as callers ask for it");
            return None;
        };
        let known = tenants.iter().map(|t| t.name.as_str());
        let book = self.named(&mut raw, "tenant", "[[tenants]]", known)?;
        let known = channels.iter().map(|c| c.name.as_str());
        let channel = self.named(&mut raw, "channel", "[[channels]]", known)?;
        // Without a moment a price holds for all time, so that a file applied twice says the same thing.
        let effective_at = match raw.remove("effective") {
            Some(text) => self.effective(&text)?,
            None => UnixMicros(0),
        };
        if !taken.insert((book.clone(), channel.clone(), name.to_owned(), effective_at)) {
            let message = format!("`{name}` has two prices from the same moment on; keep one");
            self.report(span, "prices.model", message);
        }
        let rates = raw.iter().map(|(field, value)| (field.clone(), json(value.get_ref()))).collect();
        let price = DeclaredPrice { book, channel, model: name.to_owned(), effective_at, rates };
        if let Err(error) = check_row(&price) {
            let top = error.field.split(['.', '[']).next().unwrap_or_default();
            let at = raw.get(top).map_or(whole, Spanned::span);
            let dot = if error.field.is_empty() { "" } else { "." };
            self.report(at, format!("prices{dot}{}", error.field), error.message.en());
            return None;
        }
        Some(price)
    }

    /// A field that names something else of this file. The outer `None` is a fault.
    fn named<'a>(
        &mut self,
        raw: &mut RawPrice,
        field: &'static str,
        table: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Option<Option<String>> {
        let Some(value) = raw.remove(field) else { return Some(None) };
        let at = format!("prices.{field}");
        let Some(text) = value.get_ref().as_str() else {
            self.report(value.span(), at, format!("write the {field}'s name as text"));
            return None;
        };
        let text = Spanned::new(value.span(), text.to_owned());
        self.reference(&at, &text, field, table, known);
        Some(Some(text.into_inner()))
    }

    fn effective(&mut self, value: &Spanned<toml::Value>) -> Option<UnixMicros> {
        let text = Moment::of(value.get_ref()).map_err(str::to_owned);
        match text.and_then(|text| crate::moment::parse(&text.0)) {
            Ok(at) => Some(at),
            Err(why) => {
                self.report(value.span(), "prices.effective", why);
                None
            }
        }
    }

    /// What holds for whole books: one row for each book and moment, whatever sections it comes from.
    pub(super) fn book_settings(
        &mut self,
        groups: Vec<Spanned<RawPriceGroups>>,
        exchange: Vec<Spanned<RawExchangeRates>>,
        tenants: &[DeclaredTenant],
    ) -> Vec<DeclaredPrice> {
        let mut rows: BTreeMap<(Option<String>, UnixMicros), Map<String, Value>> = BTreeMap::new();
        for entry in groups {
            let whole = entry.span();
            let raw = entry.into_inner();
            if let Some(tenant) = &raw.tenant {
                let known = tenants.iter().map(|t| t.name.as_str());
                self.reference("price_groups.tenant", tenant, "tenant", "[[tenants]]", known);
            }
            let at = self.moment("price_groups.effective", raw.effective.as_ref()).unwrap_or(UnixMicros(0));
            let of = |values: &BTreeMap<String, Spanned<toml::Value>>| -> Map<String, Value> {
                values.iter().map(|(name, value)| (name.clone(), json(value.get_ref()))).collect()
            };
            let pairs = raw.pairs.iter().map(|(own, used)| {
                let used = used.get_ref().iter().map(|(used, value)| (used.clone(), json(value)));
                (own.clone(), Value::Object(used.collect()))
            });
            let pairs: Map<String, Value> = pairs.collect();
            let set = [("groups", of(&raw.groups)), ("pairs", pairs)];
            let set = set.into_iter().filter(|(_, map)| !map.is_empty());
            let set: Map<String, Value> = set.map(|(name, map)| (name.to_owned(), map.into())).collect();
            let book = raw.tenant.as_ref().map(|tenant| tenant.get_ref().clone());
            self.book_row("price_groups", whole, (book, at), set, &raw.groups, &mut rows);
        }
        for entry in exchange {
            let whole = entry.span();
            let raw = entry.into_inner();
            let at = self.moment("exchange_rates.effective", raw.effective.as_ref()).unwrap_or(UnixMicros(0));
            let fx: Map<String, Value> =
                raw.rates.iter().map(|(name, rate)| (name.clone(), json(rate.get_ref()))).collect();
            let set = Map::from_iter([("fx".to_owned(), fx.into())]);
            self.book_row("exchange_rates", whole, (None, at), set, &raw.rates, &mut rows);
        }
        let row = |((book, effective_at), rates): ((Option<String>, UnixMicros), Map<String, Value>)| {
            DeclaredPrice { book, channel: None, model: String::new(), effective_at, rates: rates.into() }
        };
        rows.into_iter().map(row).collect()
    }

    fn book_row(
        &mut self,
        table: &str,
        whole: Range<usize>,
        place: (Option<String>, UnixMicros),
        set: Map<String, Value>,
        fields: &BTreeMap<String, Spanned<toml::Value>>,
        rows: &mut BTreeMap<(Option<String>, UnixMicros), Map<String, Value>>,
    ) {
        let (book, effective_at) = place.clone();
        let rates = Value::Object(set.clone());
        let row = DeclaredPrice { book, channel: None, model: String::new(), effective_at, rates };
        if let Err(error) = check_row(&row) {
            let name = error.field.split('.').nth(1).unwrap_or_default();
            let at = fields.get(name).map_or(whole, Spanned::span);
            let field = error.field.replacen("fx", "rates", 1);
            let dot = if field.is_empty() { "" } else { "." };
            self.report(at, format!("{table}{dot}{field}"), error.message.en());
            return;
        }
        let row = rows.entry(place).or_default();
        if set.keys().any(|name| row.contains_key(name)) {
            let message = "there is another one for the same book from the same moment on; put them together";
            self.report(whole, table, message);
            return;
        }
        row.extend(set);
    }
}

/// Whether such a row may stand there. Books and channels have no numbers yet; any will do.
fn check_row(price: &DeclaredPrice) -> Result<(), RatesError> {
    let book = price.book.as_ref().map(|_| TenantId(0));
    let channel = price.channel.as_ref().map(|_| ChannelId(0));
    check_rule(book, channel, &price.model, &price.rates).map(drop)
}

/// The same value in JSON. Floats become null, which is no price, and the price book says so; but not among ratios, where
/// null takes one out.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(n) => (*n).into(),
        toml::Value::Boolean(b) => (*b).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Float(_) => json!([]),
        toml::Value::Array(list) => list.iter().map(json).collect(),
        toml::Value::Table(map) => {
            map.iter().map(|(k, v)| (k.clone(), json(v))).collect::<Map<_, _>>().into()
        }
    }
}

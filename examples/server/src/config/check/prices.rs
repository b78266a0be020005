//! `[[prices]]`.

use super::Checker;
use crate::config::raw::{Moment, RawPrice};
use burncloud_billing::Rates;
use burncloud_core::UnixMicros;
use burncloud_core::store::PriceOverride;
use serde_json::Value;
use std::collections::HashSet;
use toml::Spanned;

impl Checker {
    pub(super) fn prices(&mut self, raw: Vec<Spanned<RawPrice>>) -> Vec<PriceOverride> {
        let mut taken = HashSet::new();
        raw.into_iter().filter_map(|entry| self.price(entry, &mut taken)).collect()
    }

    fn price(
        &mut self,
        entry: Spanned<RawPrice>,
        taken: &mut HashSet<(String, UnixMicros)>,
    ) -> Option<PriceOverride> {
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
        // Without a moment a price holds for all time, so that a file applied twice says the same thing.
        let effective_at = match raw.remove("effective") {
            Some(text) => self.effective(&text)?,
            None => UnixMicros(0),
        };
        if !taken.insert((name.to_owned(), effective_at)) {
            let message = format!("`{name}` has two prices from the same moment on; keep one");
            self.report(span, "prices.model", message);
        }
        let json = raw.iter().map(|(field, value)| (field.clone(), json(value.get_ref()))).collect();
        let rates = Value::Object(json);
        if let Err(error) = Rates::from_json(&rates) {
            let top = error.field.split(['.', '[']).next().unwrap_or_default();
            let at = raw.get(top).map_or(whole, Spanned::span);
            let dot = if error.field.is_empty() { "" } else { "." };
            self.report(at, format!("prices{dot}{}", error.field), error.message);
            return None;
        }
        Some(PriceOverride { version: 0, model: name.to_owned(), effective_at, rates })
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
}

/// The same value in JSON. Floats become null: no price is one, and the price book says so.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(n) => (*n).into(),
        toml::Value::Boolean(b) => (*b).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Float(_) => Value::Null,
        toml::Value::Array(list) => list.iter().map(json).collect(),
        toml::Value::Table(map) => {
            map.iter().map(|(k, v)| (k.clone(), json(v))).collect::<serde_json::Map<_, _>>().into()
        }
    }
}

//! `[[prices]]`.

use super::Checker;
use crate::config::raw::RawPrice;
use crate::prices::{self, Rate};
use burncloud_core::UnixMicros;
use burncloud_core::store::PriceOverride;
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
        let raw = entry.into_inner();
        let model = raw.model.get_ref().clone();
        if model.trim().is_empty() {
            self.report(raw.model.span(), "prices.model", "name the model as callers ask for it");
        }
        let before = self.problems.len();
        // Without a moment a price holds for all time, so that a file applied twice says the same thing.
        let effective_at = self.moment("prices.effective", raw.effective.as_ref()).unwrap_or_default();
        let rates = self.rates(&raw);
        if self.problems.len() > before {
            return None;
        }
        if !taken.insert((model.clone(), effective_at)) {
            let message = format!("`{model}` has two prices from the same moment on; keep one");
            self.report(raw.model.span(), "prices.model", message);
        }
        match prices::rates(&rates) {
            Ok(rates) => Some(PriceOverride { version: 0, model, effective_at, rates }),
            Err(why) => {
                self.report(whole, "prices", why);
                None
            }
        }
    }

    fn rates(&mut self, raw: &RawPrice) -> Vec<(Rate, burncloud_core::Nano)> {
        let fields = [
            (Rate::Input, &raw.input),
            (Rate::CachedRead, &raw.cached_read),
            (Rate::CacheWrite5m, &raw.cache_write_5m),
            (Rate::CacheWrite1h, &raw.cache_write_1h),
            (Rate::Output, &raw.output),
            (Rate::Reasoning, &raw.reasoning),
            (Rate::AudioIn, &raw.audio_in),
            (Rate::AudioOut, &raw.audio_out),
            (Rate::ImageIn, &raw.image_in),
            (Rate::ImageOut, &raw.image_out),
            (Rate::Piece, &raw.piece),
            (Rate::AudioHour, &raw.audio_hour),
            (Rate::Request, &raw.request),
        ];
        let mut rates = Vec::new();
        for (rate, text) in fields {
            if let Some(amount) = self.money(&format!("prices.{}", rate.name()), text.as_ref()) {
                rates.push((rate, amount));
            }
        }
        rates
    }
}

//! What a file in order may still get wrong: models that nobody serves, or that have no price.

use super::{Config, DeclaredPrice};
use burncloud_billing::{Catalogue, Unpriced};
use burncloud_core::{ChannelConfig, Status, UnixMicros};
use std::collections::{BTreeMap, BTreeSet};

impl Config {
    /// Hints for the operator. The store may hold channels and prices that this file does not know of.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut out = self.unserved();
        out.extend(self.unpriced());
        out
    }

    fn unserved(&self) -> Vec<String> {
        let served: BTreeSet<&str> = self.served().flat_map(asked).map(|(asked, _)| asked).collect();
        let missing = |place: String, model: &String| {
            (!served.contains(model.as_str()))
                .then(|| format!("{place}: no channel of this file serves `{model}`"))
        };
        let keys = self.declared.keys.iter().flat_map(|key| {
            let models = key.spec.models.iter().flatten();
            models.map(|model| (format!("keys.models of `{}`", key.spec.name), model))
        });
        let limits = self.model_limits.keys().map(|model| ("limits.models".to_owned(), model));
        keys.chain(limits).filter_map(|(place, model)| missing(place, model)).collect()
    }

    fn unpriced(&self) -> Vec<String> {
        let d = &self.declared;
        let limited = d.keys.iter().any(|k| k.spec.quota.is_some())
            || d.users.iter().any(|u| !u.wallet.begins_unlimited())
            || d.tenants.iter().any(|t| t.parent.is_some());
        if !limited || self.billing.unpriced == Unpriced::Free {
            return Vec::new();
        }
        let (catalogue, now) = (Catalogue::new(), UnixMicros::now());
        let mut priced: BTreeMap<&str, bool> = BTreeMap::new();
        for channel in self.served() {
            for (asked, sent) in asked(channel) {
                let has = priced.entry(asked).or_default();
                *has = *has
                    || d.prices.iter().any(|p| gives(p, &channel.name, asked) && p.effective_at <= now)
                    || catalogue.find_mapped(&channel.provider, sent, asked, now).is_some();
            }
        }
        let without = priced.into_iter().filter(|(_, has)| !has).map(|(model, _)| model);
        without
            .map(|model| {
                format!(
                    "`{model}` has no price: keys and users whose spending is limited are refused (403); set one \
                     under [[prices]] or with `burncloud prices set`"
                )
            })
            .collect()
    }

    /// The channels that are on.
    fn served(&self) -> impl Iterator<Item = &ChannelConfig> {
        self.declared.channels.iter().filter(|c| c.status == Status::Active)
    }
}

/// Whether a row gives the house a price for a model: a list price, or what it costs at this channel.
fn gives(price: &DeclaredPrice, channel: &str, model: &str) -> bool {
    let here = price.channel.as_ref().is_none_or(|name| name == channel);
    let list = price.rates.get("markup").is_none();
    price.book.is_none() && here && list && (price.model == model || price.model == "*")
}

/// What callers ask a channel for, and what the provider is asked for then.
fn asked(channel: &ChannelConfig) -> impl Iterator<Item = (&str, &str)> {
    let plain = channel.models.iter().map(|model| {
        let sent = channel.model_mapping.get(model).unwrap_or(model);
        (model.as_str(), sent.as_str())
    });
    plain.chain(channel.model_mapping.iter().map(|(asked, sent)| (asked.as_str(), sent.as_str())))
}

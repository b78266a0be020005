//! The shelf: which models somebody can ask for, and what those cost them.

use super::prices::{PriceTable, caller, offer, served, table};
use super::{Actor, Desk};
use crate::Offer;
use crate::people::Action;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ApiKey, Caller, ChannelConfig, ChannelId, Role, TenantId, UnixMicros};
use serde::Serialize;
use std::collections::BTreeMap;

/// An account that serves a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Serving {
    /// Which.
    pub channel: ChannelId,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider: String,
}

/// A model on the shelf. Prices are those at the account that is tried first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShelfRow {
    /// The model as callers ask for it.
    pub model: String,
    /// How many tokens go in and out together, where that is known.
    pub context_window: Option<u64>,
    /// What whoever looks sells it for: the house, or a reseller. Of everybody else what they pay. Empty where it has no
    /// price, so that requests are refused.
    pub prices: PriceTable,
    /// What whoever sells pays for it themselves, where that is known; `None` for who sells nothing.
    pub buying: Option<PriceTable>,
    /// The accounts that serve it, in the order in which they are tried; for the house alone.
    pub serving: Vec<Serving>,
    /// Accounts that would serve it and are switched off; for the house alone.
    pub asleep: Vec<Serving>,
}

/// What a model would be bought and sold for at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceHint {
    /// The model as callers would ask for it.
    pub model: String,
    /// What it costs the house; empty where that is not known.
    pub buying: PriceTable,
    /// What the house sells it for; empty where it has no price, so that requests are refused.
    pub selling: PriceTable,
}

/// Whose shelf it is.
enum Eyes {
    House,
    Reseller(TenantId),
    Own,
}

impl Desk {
    /// The models that whoever asks can sell or ask for, by name. The house sees every one, those too that no account serves
    /// at the moment; everybody else those that are served to their group.
    ///
    /// # Errors
    /// `Store(NotFound)` for whoever is no user and not of the house; the store's.
    pub async fn shelf(&self, actor: &Actor) -> UseCaseResult<Vec<ShelfRow>> {
        let tree = self.tree().await?;
        self.read_prices().await?;
        let (eyes, who) = if actor.may_in_house(Action::ManageHouse) {
            (Eyes::House, caller(&tree, None))
        } else if actor.role == Role::Reseller {
            (Eyes::Reseller(actor.tenant), caller(&tree, Some(actor.tenant)))
        } else {
            let id = actor.user.ok_or_else(|| super::common::missing("user", ""))?;
            let user = self.seen_user(actor, &tree, id).await?;
            let mut path = tree.path(user.tenant).cloned();
            let tenant = path.next().ok_or_else(|| super::common::missing("tenant", user.tenant))?;
            (Eyes::Own, Caller::new(ApiKey::default(), user, tenant).under(path.collect()))
        };
        let house = matches!(eyes, Eyes::House);
        let mut on = self.active_channels().await?;
        on.retain(|channel| house || serves_group(channel, who.group()));
        let mut models: BTreeMap<String, Vec<&ChannelConfig>> = BTreeMap::new();
        for channel in &on {
            for model in served(channel) {
                models.entry(model.to_owned()).or_default().push(channel);
            }
        }
        let off = if house { self.sleeping_channels().await? } else { Vec::new() };
        for model in off.iter().flat_map(served) {
            models.entry(model.to_owned()).or_default();
        }
        let now = UnixMicros::now();
        Ok(models
            .into_iter()
            .map(|(model, channels)| self.shelf_row(&eyes, &who, model, &channels, &off, now))
            .collect())
    }

    /// What models would be bought and sold for at a provider, before there is an account: `models` are pairs of the name
    /// that callers use and the one that the provider knows.
    ///
    /// # Errors
    /// `Forbidden` for whoever may not decide for the house; the store's.
    pub async fn price_hints(
        &self,
        actor: &Actor,
        provider: &str,
        models: &[(String, String)],
    ) -> UseCaseResult<Vec<PriceHint>> {
        actor.check_in_house(Action::ManageHouse)?;
        let tree = self.tree().await?;
        self.read_prices().await?;
        let (who, now) = (caller(&tree, None), UnixMicros::now());
        let hint = |(asked, sent): &(String, String)| {
            let offer = Offer { model: asked, channel: ChannelId(0), provider, upstream_model: sent };
            let quote = crate::quote(&self.book, &who, &offer, &[], now);
            let sold = quote.levels.iter().find(|level| level.seller.is_none());
            PriceHint {
                model: asked.clone(),
                buying: quote.cost.as_deref().map(table).unwrap_or_default(),
                selling: sold.map(|level| table(&level.rates)).unwrap_or_default(),
            }
        };
        Ok(models.iter().map(hint).collect())
    }

    async fn sleeping_channels(&self) -> UseCaseResult<Vec<ChannelConfig>> {
        let mut channels = self.store.channels().await?;
        channels.retain(|channel| channel.status == burncloud_core::Status::Disabled);
        Ok(channels)
    }

    fn shelf_row(
        &self,
        eyes: &Eyes,
        who: &Caller,
        model: String,
        channels: &[&ChannelConfig],
        off: &[ChannelConfig],
        now: UnixMicros,
    ) -> ShelfRow {
        let offers: Vec<Offer<'_>> = channels.iter().map(|channel| offer(channel, &model)).collect();
        let quote = offers.first().map(|first| crate::quote(&self.book, who, first, &offers[1..], now));
        let seller = match eyes {
            Eyes::Reseller(own) => Some(*own),
            Eyes::House | Eyes::Own => None,
        };
        let levels = quote.as_ref().map(|quote| quote.levels.as_slice()).unwrap_or_default();
        let sold = match eyes {
            // The last one is what the user pays, whoever sells to them.
            Eyes::Own => levels.iter().find(|level| level.buyer.is_none()),
            _ => levels.iter().find(|level| level.seller == seller),
        };
        let buying = match eyes {
            Eyes::House => Some(quote.as_ref().and_then(|quote| quote.cost.as_deref()).map(table)),
            Eyes::Reseller(own) => {
                let level = levels.iter().find(|level| level.buyer == Some(*own));
                Some(level.map(|level| table(&level.rates)))
            }
            Eyes::Own => None,
        };
        let house = matches!(eyes, Eyes::House);
        let serving = |channel: &ChannelConfig| Serving {
            channel: channel.id,
            name: channel.name.clone(),
            provider: channel.provider.clone(),
        };
        let catalogue = self.book.catalogue();
        let window = |offer: &Offer<'_>| {
            catalogue.find_mapped(offer.provider, offer.upstream_model, offer.model, now)?.context_window
        };
        ShelfRow {
            context_window: offers.iter().find_map(window),
            prices: sold.map(|level| table(&level.rates)).unwrap_or_default(),
            buying: buying.map(Option::unwrap_or_default),
            serving: channels.iter().filter(|_| house).map(|channel| serving(channel)).collect(),
            asleep: off
                .iter()
                .filter(|channel| served(channel).any(|name| name == model))
                .map(serving)
                .collect(),
            model,
        }
    }
}

fn serves_group(channel: &ChannelConfig, group: Option<&str>) -> bool {
    let groups = &channel.settings.groups;
    groups.is_empty() || group.is_some_and(|group| groups.iter().any(|own| own == group))
}

//! Who pays what: for whoever asks, as far down and up as they see.

use super::common::missing;
use super::prices::{PriceTable, offer, served, table};
use super::{Actor, Desk};
use crate::Offer;
use crate::people::Action;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ApiKey, Caller, ChannelId, KeyId, TenantId, UnixMicros, UserId};
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteQuery {
    /// The model as callers ask for it.
    pub model: String,
    /// Who asks for it; one's own where it is left out.
    #[serde(default)]
    pub user: Option<UserId>,
    /// With this key of theirs, which may call as a group.
    #[serde(default)]
    pub key: Option<KeyId>,
    /// When; now where it is left out.
    #[serde(default)]
    pub at: Option<UnixMicros>,
}

/// What a model costs somebody at a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuoteView {
    /// The channel, for the house.
    pub channel: Option<ChannelId>,
    /// Its name, for the house.
    pub channel_name: Option<String>,
    /// The version of the book.
    pub version: u64,
    /// Before when it holds, unless the book is changed.
    pub until: Option<UnixMicros>,
    /// What the provider takes, for the house.
    pub cost: Option<PriceTable>,
    /// Who pays what, from the top down, as far as one sees. Empty where the model has no price.
    pub levels: Vec<QuoteLevelView>,
    /// Who sells below cost, for the house; `Some(None)` is the house itself.
    pub loss: Option<Option<TenantId>>,
}

/// What one buyer pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuoteLevelView {
    /// Who sells; `None` is the house.
    pub seller: Option<TenantId>,
    /// Who buys; `None` is the user.
    pub buyer: Option<TenantId>,
    /// The prices.
    pub prices: PriceTable,
}

impl Desk {
    /// What a model costs, at each channel that serves it, in the order in which they are tried. One sees what the user pays,
    /// and each level whose buyer one sees; costs and channels are the house's to see, and to others channels at which all
    /// that they see is the same are one.
    ///
    /// # Errors
    /// `Store(NotFound)` for a user or key that the actor does not see, and for a model that no channel serves.
    pub async fn quote(&self, actor: &Actor, query: &QuoteQuery) -> UseCaseResult<Vec<QuoteView>> {
        let tree = self.tree().await?;
        let (key, user) = match (query.key, query.user.or(actor.user)) {
            (Some(key), _) => self.seen_key(actor, &tree, key).await?,
            (None, Some(user)) => (ApiKey::default(), self.seen_user(actor, &tree, user).await?),
            (None, None) => return Err(missing("user", "")),
        };
        let mut path = tree.path(user.tenant).cloned();
        let tenant = path.next().ok_or_else(|| missing("tenant", user.tenant))?;
        let caller = Caller::new(key, user, tenant).under(path.collect());
        self.read_prices().await?;
        let mut channels = self.active_channels().await?;
        channels.retain(|channel| served(channel).any(|model| model == query.model));
        if channels.is_empty() {
            return Err(missing("model", &query.model));
        }
        let offers: Vec<Offer<'_>> = channels.iter().map(|channel| offer(channel, &query.model)).collect();
        let at = query.at.unwrap_or_else(UnixMicros::now);
        let house = actor.may_in_house(Action::ManageHouse);
        let mut views: Vec<QuoteView> = Vec::new();
        for (channel, offered) in channels.iter().zip(&offers) {
            let others: Vec<_> = offers.iter().filter(|other| *other != offered).copied().collect();
            let found = crate::quote(&self.book, &caller, offered, &others, at);
            let seen = |buyer: Option<TenantId>| {
                buyer.is_none_or(|tenant| actor.may(&tree, Action::SeeMoney, tenant))
            };
            let levels = found.levels.iter().filter(|level| seen(level.buyer));
            let view = QuoteView {
                channel: house.then_some(channel.id),
                channel_name: house.then(|| channel.name.clone()),
                version: found.version,
                until: found.until,
                cost: found.cost.as_deref().filter(|_| house).map(table),
                levels: levels
                    .map(|level| QuoteLevelView {
                        seller: level.seller,
                        buyer: level.buyer,
                        prices: table(&level.rates),
                    })
                    .collect(),
                loss: found.loss.filter(|_| house).map(|(seller, _)| seller),
            };
            if !views.contains(&view) {
                views.push(view);
            }
        }
        Ok(views)
    }
}

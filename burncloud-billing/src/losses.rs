//! The guard: what is sold below its cost is warned about, or not sold.

use crate::tariff::Ladder;
use burncloud_core::{ChannelId, LineKind, TenantId, UnixMicros};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is done where a request would be sold below its cost: by the house below what the provider takes, by a tenant
/// below what it pays its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    Off,
    /// It is served, with a warning in the log and a [`Loss`] to be asked for.
    #[default]
    Warn,
    /// That channel does not serve it. Where no other can, the caller gets 503 `below_cost`.
    Refuse,
}

/// A class of units that is sold below its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The model as callers ask for it.
    pub model: Arc<str>,
    /// Where it would be served.
    pub channel: ChannelId,
    /// In whose book the price stands; `None` is the house's.
    pub seller: Option<TenantId>,
    /// The first class that is too cheap in some tier and context size.
    pub class: LineKind,
    /// When a request met it first.
    pub at: UnixMicros,
}

/// Most losses that are kept.
const MOST: usize = 1000;

type Key = (Arc<str>, ChannelId, Option<TenantId>, LineKind);

/// The losses of one state of the book.
#[derive(Debug, Default)]
pub(crate) struct Losses(Mutex<(u64, BTreeMap<Key, UnixMicros>)>);

impl Losses {
    /// Warns of a ladder's loss, once for each model, channel, seller and class.
    pub(crate) fn note(
        &self,
        ladder: &Ladder,
        generation: u64,
        model: &Arc<str>,
        channel: ChannelId,
        at: UnixMicros,
    ) {
        let Some((seller, class)) = ladder.loss.filter(|_| !ladder.warned.swap(true, Ordering::Relaxed))
        else {
            return;
        };
        let mut known = self.0.lock();
        if known.0 != generation {
            *known = (generation, BTreeMap::new());
        }
        let (full, key) = (known.1.len() >= MOST, (model.clone(), channel, seller, class));
        if full || known.1.contains_key(&key) {
            return;
        }
        known.1.insert(key, at);
        drop(known);
        tracing::warn!(
            %model, channel = channel.0, tenant = seller.map(|tenant| tenant.0), class = ?class,
            "sold below its cost"
        );
    }

    /// Those that are known of this state of the book.
    pub(crate) fn list(&self, generation: u64) -> Vec<Loss> {
        let known = self.0.lock();
        let of = |((model, channel, seller, class), at): (&Key, &UnixMicros)| Loss {
            model: model.clone(),
            channel: *channel,
            seller: *seller,
            class: *class,
            at: *at,
        };
        known.1.iter().filter(|_| known.0 == generation).map(of).collect()
    }
}

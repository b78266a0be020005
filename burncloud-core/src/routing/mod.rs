//! From a model's name to the channels that may answer.
//!
//! A [`RouteTable`] is an immutable snapshot of all channels, prepared so that a request does no work that
//! could have been done before: names are mapped, paths split, credentials turned into header values. A new
//! table replaces the old one atomically; a request keeps the one it started with.

mod breaker;
mod channel;

pub use breaker::{Breaker, BreakerSettings, BreakerState, Resting, Why};
pub use channel::{Channel, Timeouts};

use crate::adapter::Registry;
use crate::usecase::Said;
use crate::{ChannelConfig, ChannelId, Endpoint, Slot, Status};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// One channel as the server of one model: what a request is dispatched to.
#[derive(Debug)]
pub struct Lane {
    /// The account.
    pub channel: Arc<Channel>,
    /// The model as the provider knows it.
    pub upstream_model: Arc<str>,
    /// That name as a JSON string, ready to be spliced.
    pub(crate) upstream_model_json: Bytes,
    /// Whether the provider knows it by another name than callers do.
    pub mapped: bool,
    /// Opens when this channel keeps failing on this model.
    pub breaker: Breaker,
    /// For whoever keeps the money: the prices of this model here.
    pub billing_slot: Slot,
}

impl Lane {
    /// Whether this endpoint's requests can be passed through as they are.
    pub(crate) fn passes(&self, endpoint: &Endpoint) -> bool {
        let adapter = &self.channel.adapter;
        adapter.serves(endpoint) && adapter.serves_model(endpoint, &self.upstream_model)
    }

    fn takes(&self, endpoint: &Endpoint) -> bool {
        self.passes(endpoint) || self.channel.adapter.translates(endpoint)
    }
}

/// A lane that a request may be sent to.
pub type Candidate = Arc<Lane>;

/// All lanes of a model.
#[derive(Debug)]
pub struct Route {
    /// The model as callers ask for it.
    pub model: Arc<str>,
    /// Its lanes, highest priority first.
    pub lanes: Vec<Candidate>,
    /// Whether any lane is for some groups of callers alone. Where none is, nobody need ask for a caller's group.
    pub grouped: bool,
    /// For whoever keeps the money: the selling price of this model.
    pub billing_slot: Slot,
}

impl Route {
    /// Whether any lane for this group of callers can take this endpoint's requests, as they are or translated.
    #[must_use]
    pub fn serves(&self, endpoint: &Endpoint, group: Option<&str>) -> bool {
        self.lanes.iter().any(|lane| lane.channel.serves_group(group) && lane.takes(endpoint))
    }

    /// Whether any lane is for this group of callers.
    #[must_use]
    pub fn serves_group(&self, group: Option<&str>) -> bool {
        !self.grouped || self.lanes.iter().any(|lane| lane.channel.serves_group(group))
    }

    /// The lanes to try for one request of a caller of this group, in order: those that serve the group and the endpoint and
    /// whose breaker lets them, by priority, and within one priority drawn by weight. Lanes with an open breaker come last, so
    /// that a model all of whose lanes are broken is still tried rather than refused.
    #[must_use]
    pub fn candidates(&self, endpoint: &Endpoint, group: Option<&str>) -> Vec<Candidate> {
        let usable = |lane: &&Candidate| {
            lane.channel.weight > 0 && lane.channel.serves_group(group) && lane.takes(endpoint)
        };
        let mut ready: Vec<Candidate> = Vec::with_capacity(self.lanes.len());
        let mut broken: Vec<Candidate> = Vec::new();
        for lane in self.lanes.iter().filter(usable) {
            if lane.breaker.admits() { ready.push(lane.clone()) } else { broken.push(lane.clone()) }
        }
        draw_by_weight(&mut ready);
        ready.append(&mut broken);
        ready
    }
}

/// Orders lanes of equal priority by a weighted draw without replacement. The input is sorted by priority.
fn draw_by_weight(lanes: &mut [Candidate]) {
    let mut start = 0;
    while start < lanes.len() {
        let priority = lanes[start].channel.priority;
        let len = lanes[start..].iter().take_while(|l| l.channel.priority == priority).count();
        let mut group = &mut lanes[start..start + len];
        while group.len() > 1 {
            let total: u64 = group.iter().map(|l| u64::from(l.channel.weight)).sum();
            let mut ticket = crate::random::u64() % total.max(1);
            let winner = group.iter().position(|l| {
                let weight = u64::from(l.channel.weight);
                let won = ticket < weight;
                ticket = ticket.saturating_sub(weight);
                won
            });
            group.swap(0, winner.unwrap_or(0));
            group = &mut group[1..];
        }
        start += len;
    }
}

/// Why a channel cannot be part of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelError {
    /// Which.
    pub channel: String,
    /// The setting at fault.
    pub field: Cow<'static, str>,
    /// What is wrong and how to mend it.
    pub message: Said,
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel `{}`, {}: {}", self.channel, self.field, self.message)
    }
}

impl std::error::Error for ChannelError {}

/// Every channel and model, at one moment.
#[derive(Debug, Default)]
pub struct RouteTable {
    channels: Vec<Arc<Channel>>,
    routes: HashMap<Box<str>, Arc<Route>>,
    /// Of every breaker in it; the same object in every table that follows.
    breakers: Arc<ArcSwap<BreakerSettings>>,
}

impl RouteTable {
    /// Prepares a table. From `previous`, connections and breakers of channels that did not change go on.
    ///
    /// # Errors
    /// The first channel that cannot be prepared, and why. Channels that are switched off are left out.
    pub fn build(
        configs: &[ChannelConfig],
        registry: &Registry,
        defaults: &Timeouts,
        previous: Option<&RouteTable>,
    ) -> Result<RouteTable, ChannelError> {
        let breakers = previous.map(|table| table.breakers.clone()).unwrap_or_default();
        let mut channels = Vec::new();
        let mut lanes: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        for config in configs.iter().filter(|c| c.status == Status::Active) {
            let old = previous.and_then(|table| table.channels.iter().find(|c| c.id == config.id));
            let channel = Arc::new(Channel::prepare(config, registry, defaults, old.map(|c| &**c))?);
            let names: BTreeSet<&String> = config.models.iter().chain(config.model_mapping.keys()).collect();
            for model in names {
                let upstream = config.model_mapping.get(model).unwrap_or(model);
                let kept = previous.and_then(|table| table.lane(model, config.id));
                lanes.entry(model.clone()).or_default().push(Arc::new(Lane {
                    channel: channel.clone(),
                    upstream_model: upstream.as_str().into(),
                    upstream_model_json: crate::envelope::json_string(upstream),
                    mapped: upstream != model,
                    breaker: kept
                        .map(|lane| lane.breaker.clone())
                        .unwrap_or_else(|| Breaker::sharing(breakers.clone())),
                    billing_slot: Slot::default(),
                }));
            }
            channels.push(channel);
        }
        let routes = lanes.into_iter().map(|(model, mut lanes)| {
            lanes.sort_by_key(|lane| std::cmp::Reverse(lane.channel.priority));
            let grouped = lanes.iter().any(|lane| !lane.channel.groups.is_empty());
            let route = Route { model: model.as_str().into(), lanes, grouped, billing_slot: Slot::default() };
            (model.into_boxed_str(), Arc::new(route))
        });
        Ok(RouteTable { routes: routes.collect(), channels, breakers })
    }

    /// A model at a channel.
    #[must_use]
    pub fn lane(&self, model: &str, channel: ChannelId) -> Option<&Candidate> {
        self.routes.get(model)?.lanes.iter().find(|lane| lane.channel.id == channel)
    }

    /// Every lane with the model it belongs to, in no order: for a monitor.
    pub fn lanes(&self) -> impl Iterator<Item = (&Arc<Route>, &Candidate)> {
        self.routes.values().flat_map(|route| route.lanes.iter().map(move |lane| (route, lane)))
    }

    /// When breakers open and for how long: of every breaker in this table and in those that follow it, at once.
    pub fn set_breakers(&self, settings: BreakerSettings) {
        self.breakers.store(Arc::new(settings));
    }

    /// The settings of its breakers.
    #[must_use]
    pub fn breakers(&self) -> BreakerSettings {
        **self.breakers.load()
    }

    /// The lanes of a model.
    #[must_use]
    pub fn route(&self, model: &str) -> Option<&Arc<Route>> {
        self.routes.get(model)
    }

    /// Every model that is served, sorted.
    #[must_use]
    pub fn models(&self) -> Vec<&Arc<Route>> {
        let mut models: Vec<&Arc<Route>> = self.routes.values().collect();
        models.sort_unstable_by(|a, b| a.model.cmp(&b.model));
        models
    }

    /// Every channel that is switched on.
    #[must_use]
    pub fn channels(&self) -> &[Arc<Channel>] {
        &self.channels
    }
}

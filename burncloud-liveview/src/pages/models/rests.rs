//! Which accounts the gateway passes over at the moment.

use crate::live::{Cx, use_conn};
use burncloud_core::routing::Why;
use burncloud_core::{ChannelId, Gateway};
use dioxus::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// An account of which at least one model rests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rest {
    /// How many models it serves.
    pub(super) models: usize,
    /// How many of them are passed over.
    pub(super) resting: usize,
    /// How long the longest rest lasts still, in whole seconds.
    pub(super) back_in: Duration,
    /// The provider's last status, where it answered.
    pub(super) status: Option<u16>,
    /// Why, without any secret.
    pub(super) why: Option<String>,
}

pub(super) type Rests = BTreeMap<ChannelId, Rest>;

fn rests(gateway: &Gateway) -> Rests {
    let table = gateway.handle().table();
    let mut models: BTreeMap<ChannelId, usize> = BTreeMap::new();
    let mut out = Rests::new();
    for (_, lane) in table.lanes() {
        *models.entry(lane.channel.id).or_default() += 1;
        let Some(resting) = lane.breaker.resting() else { continue };
        let none = Rest { models: 0, resting: 0, back_in: Duration::ZERO, status: None, why: None };
        let rest = out.entry(lane.channel.id).or_insert(none);
        rest.resting += 1;
        rest.back_in = rest.back_in.max(Duration::from_secs(resting.back_in.as_secs()));
        if let Some(Why::Status(status)) = resting.why {
            rest.status = Some(status);
        }
        rest.why = rest.why.take().or(resting.why.map(|why| why.to_string()));
    }
    for (channel, rest) in &mut out {
        rest.models = models.get(channel).copied().unwrap_or_default();
    }
    out
}

/// Which accounts rest, looked at once a second.
pub(super) fn use_rests() -> Signal<Rests> {
    let conn = use_conn();
    let gateway = conn.console.gateway().cloned();
    let mut now = use_signal(|| gateway.as_ref().map(rests).unwrap_or_default());
    use_future(move || {
        let gateway = gateway.clone().filter(|_| conn.client.is_some());
        let cx = conn.cx();
        async move {
            let Some(gateway) = gateway else { return };
            loop {
                cx.pause(Duration::from_secs(1)).await;
                let next = rests(&gateway);
                if *now.peek() != next {
                    now.set(next);
                }
            }
        }
    });
    now
}

/// Has an account tried again at once; answers with how many of its models rested.
pub(super) async fn wake(cx: Cx, id: ChannelId) -> burncloud_core::usecase::UseCaseResult<usize> {
    let Some(gateway) = cx.console.gateway() else { return Ok(0) };
    cx.console.desk().wake_lanes(&cx.viewer.actor, gateway.handle(), id, None).await
}

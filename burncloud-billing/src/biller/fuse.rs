//! Before each attempt: the budgets of the channel, so that an upstream account costs no more than it may.

use super::Biller;
use super::held::{Held, hold_all, release};
use crate::bound::{bound, tokens};
use crate::terms::House;
use burncloud_core::billing::{Ask, Hold};
use burncloud_core::routing::Candidate;
use burncloud_core::{Error, ErrorKind, Spent, UnixMicros};
use std::sync::Arc;

impl Biller {
    /// What each candidate whose channel has budgets may take at most.
    pub(super) fn fused(&self, ask: &Ask<'_>, house: &House) -> Vec<(Candidate, Spent)> {
        if house.channels.is_empty() || ask.endpoint.operation.is_free() {
            return Vec::new();
        }
        let default = self.options.default_max_output;
        let fused = ask.candidates.iter().filter(|lane| !house.channel(lane.channel.id).is_empty());
        let cost = |lane: &Candidate| {
            let spent = self.ladder(ask.caller, ask.route, lane, ask.at, |ladder| {
                // Where nobody knows what the provider takes, what the user pays stands for it.
                let rates = ladder.cost.as_ref().or(ladder.user.as_ref());
                let cost = rates.map(|rates| bound(rates, ask, ladder.window, default).all);
                Spent { money: cost.unwrap_or_default(), tokens: tokens(ask, ladder.window, default) }
            });
            (lane.clone(), spent)
        };
        fused.map(cost).collect()
    }

    /// Holds what an attempt may cost at the channel's budgets, in the place of what was held for the one before.
    pub(super) fn fuse(&self, hold: &mut Hold, lane: &Candidate, at: UnixMicros) -> Result<(), Error> {
        let held = hold.state.as_mut().and_then(|state| state.downcast_mut::<Held>());
        let Some(held) = held else { return Ok(()) };
        release(&mut held.fuses);
        let cost = held.costs.iter().find(|(candidate, _)| Arc::ptr_eq(candidate, lane));
        let Some((_, cost)) = cost else { return Ok(()) };
        let house = self.house.load();
        let fuses = house.channel(lane.channel.id).iter().map(|rule| (0, rule));
        match hold_all(fuses, |_| *cost, at) {
            Ok(fuses) => held.fuses = fuses,
            Err((rule, refused)) => {
                rule.tell("fuse", refused, &self.rules.alerts);
                let text = "no channel for this model may be used at the moment: its budget is used up";
                let error = Error::new(ErrorKind::Unavailable, text).with_code("channel_budget");
                return Err(match rule.wait(refused, at) {
                    Some(wait) => error.with_retry_after(wait),
                    None => error,
                });
            }
        }
        Ok(())
    }
}

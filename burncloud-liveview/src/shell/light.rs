//! The logo's light: how the margin stands, on every page.

use crate::kit::{PulseState, use_pulse};
use crate::live::{Cx, Fault, use_load, use_turns};
use crate::pages::Period;
use burncloud_billing::desk::WalletId;
use burncloud_billing::people::{Action, Place, may};
use burncloud_core::Nano;
use dioxus::prelude::*;
use std::time::Duration;

/// Between two looks: the light is no figure.
const EVERY: Duration = Duration::from_secs(30);

/// Draws nothing; keeps the light right.
#[component]
pub(super) fn Light() -> Element {
    let turn = use_turns(EVERY);
    let mut light = use_pulse();
    let state = use_load(turn(), |cx, _| look(cx));
    let found = state.get();
    use_effect(use_reactive!(|(found,)| {
        if let Some(state) = found
            && *light.peek() != state
        {
            light.set(state);
        }
    }));
    rsx! {}
}

/// Of whoever sees money, today's margin; of anybody else, whether there is anything left to spend.
async fn look(cx: Cx) -> Result<PulseState, Fault> {
    let actor = &cx.viewer.actor;
    if may(actor.role, Action::SeeMoney, Place::Own) {
        return Ok(cx.console.figures().opening(&cx, Period::Today).await?.state());
    }
    let Some(user) = actor.user else { return Ok(PulseState::Rest) };
    let wallet = cx.console.desk().wallet(actor, WalletId::User(user)).await?;
    let left = wallet.unlimited || wallet.balance.plus(wallet.credit) > Nano::ZERO;
    Ok(if left { PulseState::Flow } else { PulseState::Hurt })
}

//! What the filters offer, and what there was today.

use super::query::customer_code;
use crate::live::{Cx, Fault};
use burncloud_billing::desk::reports::{By, Of, Span, Sums, View};
use burncloud_billing::people::{Action, Actor, Place, may};
use burncloud_core::ChannelId;
use std::collections::BTreeSet;

/// How many models are offered.
const MODELS: usize = 100;

/// Whose eyes: which columns there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eyes {
    /// Accounts, cost and margin.
    House,
    /// What came in and what went out.
    Reseller,
    /// One's own requests.
    User,
}

impl Eyes {
    /// What the table of roles lets expect, until the desk says whose view it is.
    pub(crate) fn expected(actor: &Actor) -> Eyes {
        if actor.may_in_house(Action::SeeMoney) {
            Eyes::House
        } else if may(actor.role, Action::SeeMoney, Place::Own) {
            Eyes::Reseller
        } else {
            Eyes::User
        }
    }
}

impl From<View> for Eyes {
    fn from(view: View) -> Eyes {
        match view {
            View::House => Eyes::House,
            View::Reseller(_) => Eyes::Reseller,
            View::EndUser(_) => Eyes::User,
        }
    }
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choices {
    pub(super) eyes: Eyes,
    pub(super) models: Vec<String>,
    pub(super) accounts: Vec<(ChannelId, String)>,
    /// Customers, for an end user keys: as in a URL, and their names.
    pub(super) customers: Vec<(String, String)>,
}

impl Choices {
    pub(super) async fn load(cx: Cx) -> Result<Choices, Fault> {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let eyes = Eyes::from(desk.view(actor).await?);
        let mut models = BTreeSet::new();
        let mut accounts = Vec::new();
        // Not everybody who sees what accounts do may see how they are set up.
        if eyes == Eyes::House
            && let Ok(channels) = desk.list_channels(actor).await
        {
            models.extend(channels.iter().flat_map(|channel| channel.models.iter().cloned()));
            accounts = channels.into_iter().map(|channel| (channel.id, channel.name)).collect();
        }
        if models.is_empty() {
            let seen = desk.seen(actor, Span::Week, By::Model).await?;
            models.extend(seen.leaders.into_iter().filter_map(|slice| match slice.of {
                Of::Model(model) if !model.is_empty() => Some(model),
                _ => None,
            }));
        }
        let seen = desk.customers_seen(actor, Span::Week).await?;
        let customers = seen.leaders.into_iter().filter_map(|slice| {
            let code = match slice.of {
                Of::Customer(customer) => customer_code(customer),
                Of::Key(key) => key.0.to_string(),
                _ => return None,
            };
            Some((code, slice.name?))
        });
        let customers = customers.collect();
        Ok(Choices { eyes, models: models.into_iter().take(MODELS).collect(), accounts, customers })
    }
}

/// What there was since midnight.
pub(super) async fn today(cx: Cx) -> Result<Sums, Fault> {
    Ok(cx.console.desk().sums(&cx.viewer.actor, Span::Today).await?)
}

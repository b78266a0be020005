//! What needs somebody: errors that belong together, money that runs out, sales at a loss, addresses that guess keys.
//!
//! | finding | the house | a reseller | an end user |
//! |---|---|---|---|
//! | errors | by reason, account and model | its branch's, by reason and model | |
//! | accounts that rest | all | | |
//! | sales at a loss | all | in the books of its branch | |
//! | models without a price, prices that wait | all | | |
//! | budgets used up | all | its branch's | its own |
//! | no credit | its customers' | its customers' and its own | its own |
//! | addresses that are refused | all | | |

mod errors;
mod kinds;
mod money;
#[cfg(test)]
mod tests;

pub use kinds::{Finding, Kind, Severity, Suggestion};

use super::fault::Reason;
use super::view::{Customer, Sight};
use crate::Loss;
use crate::desk::Desk;
use crate::people::{Action, Actor};
use crate::proof::hex;
use burncloud_core::layers::auth::Suspect;
use burncloud_core::routing::{Resting, Why};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Attempt, ChannelId, Handle, KeyHash, TenantId, UnixMicros};
use serde::Serialize;

/// How far back findings look at most: 31 days.
const LONGEST_US: i64 = 31 * 86_400_000_000;
/// So many customers are many.
const MANY: usize = 3;
/// Refusals of one address within an hour that are worth a look.
const SUSPICIOUS: u64 = 20;

/// An account that is passed over for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestingLane {
    /// The account.
    pub channel: ChannelId,
    /// The model as callers ask for it.
    pub model: String,
    /// Since when, why and how long still.
    pub resting: Resting,
    /// Whether every other account that serves the model rests too, or there is none.
    pub alone: bool,
}

/// What only the gateway of this process knows: it is in no store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// What is sold below its cost.
    pub losses: Vec<Loss>,
    /// Addresses that were refused.
    pub suspects: Vec<Suspect>,
    /// What rests.
    pub resting: Vec<RestingLane>,
}

impl Desk {
    /// What the gateway in this process knows now, for [`Desk::findings`]. The losses are those of
    /// [`with_biller`](Desk::with_biller).
    #[must_use]
    pub fn live(&self, gateway: &Handle) -> Live {
        let table = gateway.table();
        let rests =
            |(route, lane): (&std::sync::Arc<burncloud_core::Route>, &burncloud_core::routing::Candidate)| {
                Some(RestingLane {
                    channel: lane.channel.id,
                    model: route.model.to_string(),
                    resting: lane.breaker.resting()?,
                    alone: route.lanes.iter().all(|lane| lane.breaker.resting().is_some()),
                })
            };
        Live {
            losses: self.biller.as_ref().map(|biller| biller.losses()).unwrap_or_default(),
            suspects: gateway.suspects().list(),
            resting: table.lanes().filter_map(rests).collect(),
        }
    }

    /// What happened since then (at most 31 days ago) that somebody should know, what matters most first. Errors are those of
    /// the newest requests: five thousand failed, as many refused, and for the house as many answered ones.
    ///
    /// # Errors
    /// `Forbidden` for whoever is neither of the house nor of a tenant nor a user; the store's.
    pub async fn findings(
        &self,
        actor: &Actor,
        since: UnixMicros,
        live: &Live,
    ) -> UseCaseResult<Vec<Finding>> {
        self.findings_at(actor, since, live, UnixMicros::now()).await
    }

    pub(super) async fn findings_at(
        &self,
        actor: &Actor,
        since: UnixMicros,
        live: &Live,
        now: UnixMicros,
    ) -> UseCaseResult<Vec<Finding>> {
        let sight = Sight::of(&*self.store, actor).await?;
        let since = UnixMicros(since.0.clamp(now.0 - LONGEST_US, now.0));
        let look = Look { desk: self, actor, sight: &sight, live, since, now };
        let mut all = Vec::new();
        look.errors(&mut all).await?;
        look.resting(&mut all).await?;
        look.addresses(&mut all);
        look.losses(&mut all).await?;
        look.prices(&mut all).await?;
        look.budgets(&mut all).await?;
        look.credit(&mut all).await?;
        all.sort_by(|a, b| {
            let key = |of: &Finding| (of.severity, of.settled, std::cmp::Reverse((of.last, of.count)));
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(all)
    }
}

/// Who looks at what.
struct Look<'a> {
    desk: &'a Desk,
    actor: &'a Actor,
    sight: &'a Sight,
    live: &'a Live,
    since: UnixMicros,
    now: UnixMicros,
}

/// An id by what a finding is of: that it is shown to whoever it is shown to tells nothing more.
fn id(of: &impl Serialize) -> String {
    hex(&KeyHash::of(&serde_json::to_vec(of).unwrap_or_default()).0[..8])
}

/// What is there or not, without examples.
fn state(id: String, kind: Kind, severity: Severity, actions: Vec<Suggestion>) -> Finding {
    Finding {
        id,
        kind,
        severity,
        settled: false,
        count: 1,
        customers: 0,
        first: None,
        last: None,
        receipts: Vec::new(),
        actions,
    }
}

impl Look<'_> {
    /// Whether the actor may do what concerns everybody.
    fn manages(&self) -> bool {
        self.actor.may_in_house(Action::ManageHouse)
    }

    /// What the actor may do of these.
    fn suggest(&self, all: Vec<Suggestion>, tenant: Option<TenantId>) -> Vec<Suggestion> {
        let may =
            |action, of: Option<TenantId>| of.is_some_and(|of| self.actor.may(&self.sight.tree, action, of));
        let fits = |one: &Suggestion| match one {
            Suggestion::TopUpAccount { .. }
            | Suggestion::WakeLane { .. }
            | Suggestion::CheckCredential { .. }
            | Suggestion::ApprovePrices { .. }
            | Suggestion::SetPrice { book: None, .. } => self.manages(),
            Suggestion::SetPrice { book, .. } => may(Action::SetPrices, *book),
            Suggestion::RaiseLimit { .. } => may(Action::ManageKeys, tenant),
            Suggestion::TopUpCustomer { customer: Customer::User(_) } => may(Action::FundUser, tenant),
            Suggestion::TopUpCustomer { customer: Customer::Tenant(of) } => {
                may(Action::FundTenant, Some(*of))
            }
            Suggestion::RaiseBudget { .. } | Suggestion::LookAtKey { .. } => true,
        };
        all.into_iter().filter(fits).collect()
    }

    async fn resting(&self, all: &mut Vec<Finding>) -> UseCaseResult<()> {
        if !self.sight.is_house() || self.live.resting.is_empty() {
            return Ok(());
        }
        let names = super::names::Names::load(&*self.desk.store, self.sight, [], []).await?;
        for lane in &self.live.resting {
            let RestingLane { channel, model, resting, alone } = lane;
            let (channel, model) = (*channel, model.clone());
            let wake = vec![Suggestion::WakeLane { channel, model: model.clone() }];
            let kind = Kind::Resting {
                channel,
                channel_name: names.channel(channel).map(str::to_owned),
                model: model.clone(),
                reason: resting.why.as_ref().and_then(|why| said(channel, why)),
                back_in_us: u64::try_from(resting.back_in.as_micros()).unwrap_or(u64::MAX),
                alone: *alone,
            };
            let severity = if *alone { Severity::Care } else { Severity::Info };
            let found = state(id(&("resting", channel, model)), kind, severity, self.suggest(wake, None));
            all.push(Finding { count: resting.failures.into(), first: Some(resting.since), ..found });
        }
        Ok(())
    }

    fn addresses(&self, all: &mut Vec<Finding>) {
        let suspects = self.live.suspects.iter().filter(|one| one.refusals() >= SUSPICIOUS);
        for suspect in suspects.filter(|_| self.sight.is_house()) {
            let address = suspect.to_string();
            let found = state(
                id(&("address", &address)),
                Kind::Address {
                    address,
                    unauthenticated: suspect.unauthenticated,
                    forbidden: suspect.forbidden,
                },
                Severity::Care,
                Vec::new(),
            );
            let (first, last) = (Some(suspect.first), Some(suspect.last));
            all.push(Finding { count: suspect.refusals(), first, last, ..found });
        }
    }
}

fn said(channel: ChannelId, why: &Why) -> Option<Reason> {
    let (status, error) = match why {
        Why::Status(status) => (Some(*status), None),
        Why::Error(text) => (None, Some(text.to_string())),
    };
    super::fault::reason(&Attempt { channel, status, error, took_us: 0 })
}

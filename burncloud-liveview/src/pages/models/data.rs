//! What the page shows of accounts, read in one go.

use super::rests::Rest;
use crate::kit::Span;
use crate::live::Cx;
use burncloud_billing::desk::GroupView;
use burncloud_billing::desk::channels::ChannelView;
use burncloud_billing::desk::reports::{AccountSums, ChannelHealth, HealthHour};
use burncloud_core::Status;
use burncloud_core::usecase::UseCaseResult;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Hours of the fence.
const HOURS: u32 = 30;

/// An account with how it did.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    pub(super) view: ChannelView,
    pub(super) health: Option<ChannelHealth>,
    pub(super) sums: AccountSums,
}

/// All accounts, in the order in which they are tried, and the customers' groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Overview {
    pub(super) accounts: Vec<Account>,
    pub(super) groups: Vec<GroupView>,
    /// The ratio of each customers' group in the house's book, as decimal text.
    pub(super) ratios: BTreeMap<String, String>,
}

impl Overview {
    /// Those that were not withdrawn.
    pub(super) fn in_use(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| account.view.status != Status::Revoked)
    }

    /// How many models are served, by any account that is on or could be.
    pub(super) fn models(&self) -> usize {
        self.in_use().flat_map(|account| account.names()).collect::<BTreeSet<_>>().len()
    }

    /// Every group that somebody is in, that has a ratio, or that an account is for.
    pub(super) fn group_names(&self) -> Vec<String> {
        let own = self.in_use().flat_map(|account| &account.view.settings.groups);
        let used = self.groups.iter().map(|group| &group.group);
        let all: BTreeSet<&String> = own.chain(used).chain(self.ratios.keys()).collect();
        all.into_iter().cloned().collect()
    }

    /// How many accounts that are on come before those of this priority: 0 is tried first.
    pub(super) fn tier(&self, priority: i32) -> usize {
        let on = self.in_use().filter(|account| account.view.status == Status::Active);
        let above: BTreeSet<i32> =
            on.map(|account| account.view.priority).filter(|p| *p > priority).collect();
        above.len()
    }
}

/// How an account stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Healthy,
    /// Its last requests failed, and nobody knows whether it rests: the console runs alone.
    Failing,
    /// So many of so many models are passed over, the longest for so long still.
    Resting {
        models: usize,
        of: usize,
        back_in: Duration,
    },
    OutOfCredit,
    CredentialRefused,
    Off,
    Withdrawn,
}

impl Account {
    /// The models by the names that callers use.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.view.models.iter().chain(self.view.model_mapping.keys()).map(String::as_str)
    }

    pub(super) fn state(&self, rest: Option<&Rest>) -> State {
        match (self.view.status, rest) {
            (Status::Revoked, _) => State::Withdrawn,
            (Status::Disabled, _) => State::Off,
            (Status::Active, Some(rest)) => match rest.status {
                Some(402) => State::OutOfCredit,
                Some(401 | 403) => State::CredentialRefused,
                _ => State::Resting { models: rest.resting, of: rest.models, back_in: rest.back_in },
            },
            (Status::Active, None) if self.failing() => State::Failing,
            (Status::Active, None) => State::Healthy,
        }
    }

    /// Whether everything failed in the last hour in which it was asked, this one or the one before.
    fn failing(&self) -> bool {
        let hours = self.health.iter().flat_map(|health| health.hours.iter().rev().take(2));
        hours.into_iter().find(|hour| hour.attempts > 0).is_some_and(|hour| hour.failed == hour.attempts)
    }

    /// From arrival to the first word, on average, in microseconds.
    pub(super) fn first_us(&self) -> Option<u64> {
        self.health.as_ref()?.all.first_us
    }

    pub(super) fn fence(&self) -> Vec<Span> {
        match &self.health {
            Some(health) => health.hours.iter().map(span).collect(),
            None => vec![Span::None; HOURS as usize],
        }
    }

    /// What stands beside the provider's name: where it is, or how much it serves.
    pub(super) fn detail(&self) -> Option<String> {
        let mut option = ["region", "location", "project"].into_iter();
        let option = option.find_map(|name| self.view.settings.options.get(name)).cloned();
        option.or_else(|| {
            let url = self.view.base_url.as_deref()?.parse::<http::Uri>().ok()?;
            url.host().map(str::to_owned)
        })
    }

    /// Whether it was ever asked or billed, as far as the page knows.
    pub(super) fn served(&self) -> bool {
        self.health.as_ref().is_some_and(|health| health.all.attempts > 0)
            || self.sums != AccountSums::default()
    }
}

/// An hour as a bar of the fence: red where half failed, amber where a twentieth did.
fn span(hour: &HealthHour) -> Span {
    match (hour.attempts, hour.failed) {
        (0, _) => Span::None,
        (all, failed) if failed * 2 >= all => Span::Bad,
        (all, failed) if failed * 20 >= all => Span::Care,
        _ => Span::Good,
    }
}

/// Everything, for the house.
pub(super) async fn load(cx: Cx) -> UseCaseResult<Overview> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let channels = desk.list_channels(actor).await?;
    let health = desk.channel_health(actor, HOURS).await?;
    let mut health: BTreeMap<_, _> = health.into_iter().map(|health| (health.channel, health)).collect();
    let sums = desk.account_sums(actor).await?;
    let account = |view: ChannelView| Account {
        health: health.remove(&view.id),
        sums: sums.get(&view.id).copied().unwrap_or_default(),
        view,
    };
    let mut accounts: Vec<Account> = channels.into_iter().map(account).collect();
    accounts.sort_by_key(|account| (std::cmp::Reverse(account.view.priority), account.view.id));
    let groups = desk.groups(actor).await?;
    let ratios = desk.book_ratios(actor, None).await?.groups;
    Ok(Overview { accounts, groups, ratios })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::UnixMicros;

    fn hour(attempts: u64, failed: u64) -> HealthHour {
        HealthHour { at: UnixMicros(0), attempts, failed, first_us: None }
    }

    #[test]
    fn a_bar_is_red_where_half_failed() {
        let spans = [(0, 0), (9, 0), (100, 4), (100, 5), (2, 1), (1, 1)].map(|(a, f)| span(&hour(a, f)));
        assert_eq!(spans, [Span::None, Span::Good, Span::Good, Span::Care, Span::Bad, Span::Bad]);
    }
}

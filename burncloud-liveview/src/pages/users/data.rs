//! What the views read.

use super::words::State;
use crate::live::{Fault, Here};
use burncloud_billing::Desk;
use burncloud_billing::desk::{Page, Powers, UserFilter, UserView};
use burncloud_billing::people::Actor;
use burncloud_core::{Status, TenantId, UserId};

/// So many rows make a page.
pub(super) const ROWS: u32 = 50;

/// Which part of the roster is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) text: Option<String>,
    pub(super) state: Option<State>,
    pub(super) tenant: Option<TenantId>,
    pub(super) below: bool,
    /// The last row of each page before this one.
    pub(super) trail: Vec<i64>,
}

impl Wanted {
    pub(super) fn of(here: &Here) -> Wanted {
        let state = match here.get("state").as_deref() {
            Some("online") => Some(State::Online),
            Some("broke") => Some(State::Broke),
            Some("banned") => Some(State::Banned),
            _ => None,
        };
        let trail = here.get("p").unwrap_or_default();
        Wanted {
            text: here.get("q"),
            state,
            tenant: here.parsed("tenant").map(TenantId),
            below: here.get("below").is_some(),
            trail: trail.split('.').filter_map(|id| id.parse().ok()).collect(),
        }
    }

    pub(super) fn filter(&self) -> UserFilter {
        UserFilter {
            tenant: self.tenant,
            below: self.below,
            text: self.text.clone(),
            status: (self.state == Some(State::Banned)).then_some(Status::Disabled),
            broke: self.state == Some(State::Broke),
            online: self.state == Some(State::Online),
            after: self.trail.last().copied().map(UserId),
            limit: ROWS,
        }
    }

    /// Whether anything narrows it.
    pub(super) fn narrow(&self) -> bool {
        self.text.is_some() || self.state.is_some() || self.tenant.is_some()
    }

    /// The trail to the page before, as the query has it; `None` on the first.
    pub(super) fn before(&self) -> Option<String> {
        let (_, rest) = self.trail.split_last()?;
        Some(joined(rest))
    }

    /// The trail to the page after the one that ends with `last`.
    pub(super) fn after(&self, last: i64) -> String {
        let mut trail = self.trail.clone();
        trail.push(last);
        joined(&trail)
    }
}

fn joined(trail: &[i64]) -> String {
    let ids: Vec<String> = trail.iter().map(i64::to_string).collect();
    ids.join(".")
}

/// The roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Roster {
    /// This page of it.
    pub(super) page: Page<UserView>,
    /// How many there are.
    pub(super) all: u64,
    /// How many of them are online.
    pub(super) online: u64,
    /// What may be done where.
    pub(super) powers: Vec<Powers>,
}

impl Roster {
    pub(super) fn at(&self, tenant: TenantId) -> Option<&Powers> {
        self.powers.iter().find(|powers| powers.tenant == tenant)
    }

    pub(super) fn may_manage(&self) -> bool {
        self.powers.iter().any(|powers| powers.manage)
    }
}

pub(super) async fn roster(desk: &Desk, actor: &Actor, wanted: &Wanted) -> Result<Roster, Fault> {
    let page = desk.users(actor, &wanted.filter()).await?;
    let count = |online| UserFilter { online, limit: 1, ..UserFilter::default() };
    let total = |page: Page<UserView>| page.total.unwrap_or_default();
    let all = total(desk.users(actor, &count(false)).await?);
    let online = total(desk.users(actor, &count(true)).await?);
    Ok(Roster { page, all, online, powers: desk.powers(actor).await? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_the_way_there() {
        let first = Wanted::default();
        assert_eq!((first.before(), first.after(50).as_str()), (None, "50"));
        let third = Wanted { trail: vec![50, 112], ..Wanted::default() };
        assert_eq!((third.before().as_deref(), third.after(190).as_str()), (Some("50"), "50.112.190"));
        assert_eq!(third.filter().after, Some(UserId(112)));
        let second = Wanted { trail: vec![50], ..Wanted::default() };
        assert_eq!(second.before().as_deref(), Some(""));
    }
}

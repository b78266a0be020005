//! Sums as somebody may see them: the same few queries for every view, time and dimension.

use super::span::{Grain, Window, pieces};
use super::view::{Customer, Sight, Source, View};
use burncloud_core::store::{Dim, Step, StoreResult, TenantRow, UsageQuery, UsageRow, Who};
use burncloud_core::{ChannelId, KeyId, Nano, TenantId, UnixMicros};
use serde::Serialize;
use std::collections::BTreeMap;

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The model, as callers ask for it.
    #[default]
    Model,
    /// Whoever pays: a user of one's own, or a tenant right below. An end user's are keys.
    Customer,
    /// The key.
    Key,
    /// The account that was asked; the house's alone.
    Channel,
    /// The accounts of one provider together; the house's alone.
    Provider,
}

/// What a sum is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "of", content = "id")]
pub enum Of {
    /// Everything.
    All,
    /// A model; empty where it was not known when the request was refused.
    Model(String),
    /// A customer.
    Customer(Customer),
    /// A key.
    Key(KeyId),
    /// An account; `None` where none served.
    Channel(Option<ChannelId>),
    /// A provider; empty where none served or its account is gone.
    Provider(String),
    /// The tenants below a reseller, together: what they sell is not told apart.
    Below,
    /// So many that are not named.
    Others(u64),
}

/// Sums. Money that is not for these eyes is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Requests.
    pub requests: u64,
    /// Of them those that the house or its providers did not answer, or not to the end.
    pub failed: u64,
    /// Of them those that were the caller's own fault.
    pub refused: u64,
    /// Tokens that went in.
    pub tokens_in: u64,
    /// Tokens that came out.
    pub tokens_out: u64,
    /// What users were charged.
    pub charge: Nano,
    /// What came in: from one's own users, and from the tenants right below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Nano>,
    /// What went out: for the house to providers (expected), for a reseller to its parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Nano>,
    /// What stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Nano>,
    /// Of a thousand that came in so many stay, rounded half up; `None` where nothing came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_permille: Option<i64>,
    /// Of ten thousand requests that were not the caller's fault so many were answered, rounded down; `None` without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_permyriad: Option<u64>,
    /// From arrival to the first word, on average, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_us: Option<u64>,
}

/// Sums under way. `None` of money is: not known, or not for these eyes.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) row: UsageRow,
    pub(super) revenue: Option<Nano>,
    pub(super) cost: Option<Nano>,
}

fn sum(a: Option<Nano>, b: Option<Nano>) -> Option<Nano> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.plus(b)),
        (a, b) => a.or(b),
    }
}

/// Of a thousand of `whole`, rounded half up.
pub(super) fn permille(part: Nano, whole: Nano) -> Option<i64> {
    let (part, whole) = (i128::from(part.0), i128::from(whole.0));
    (whole > 0).then(|| (part * 2_000 + whole).div_euclid(2 * whole)).and_then(|n| i64::try_from(n).ok())
}

impl Tally {
    pub(super) fn add(&mut self, more: &Tally) {
        self.row.add(&more.row);
        self.revenue = sum(self.revenue, more.revenue);
        self.cost = sum(self.cost, more.cost);
    }

    /// By what slices are ordered and drawn: what came in, for an end user what was charged.
    pub(super) fn value(&self) -> Nano {
        self.revenue.unwrap_or(self.row.charge)
    }

    pub(super) fn sums(&self) -> Sums {
        let row = &self.row;
        let margin = self.revenue.zip(self.cost).map(|(revenue, cost)| revenue.minus(cost));
        let counted = row.requests.saturating_sub(row.refused);
        let answered = u128::from(counted.saturating_sub(row.failed)) * 10_000;
        Sums {
            requests: row.requests,
            failed: row.failed,
            refused: row.refused,
            tokens_in: row.tokens_in,
            tokens_out: row.tokens_out,
            charge: row.charge,
            revenue: self.revenue,
            cost: self.cost,
            margin,
            kept_permille: margin.zip(self.revenue).and_then(|(kept, all)| permille(kept, all)),
            answered_permyriad: (counted > 0)
                .then(|| u64::try_from(answered / u128::from(counted)).unwrap_or(10_000)),
            first_us: row.waited_us.checked_div(row.begun),
        }
    }
}

/// By what, and when it begins (zero without a grain).
pub(super) type Tallies = BTreeMap<(UnixMicros, Of), Tally>;

/// Everything of a window, told apart as asked, as far as the sight goes.
pub(super) struct Asked<'a, S: ?Sized> {
    pub(super) store: &'a S,
    pub(super) sight: &'a Sight,
    pub(super) window: Window,
    pub(super) by: Option<By>,
    pub(super) grain: Option<Grain>,
    /// Those whose requests count; `None` is everybody within sight.
    pub(super) only: Option<Who>,
    /// The provider of each channel, for [`By::Provider`].
    pub(super) providers: &'a BTreeMap<ChannelId, (String, String)>,
}

impl<S: Source + ?Sized> Asked<'_, S> {
    pub(super) async fn tallies(&self) -> StoreResult<Tallies> {
        Ok(without_vain(self.all().await?))
    }

    /// As [`tallies`](Asked::tallies), with those of attempts in vain.
    pub(super) async fn all(&self) -> StoreResult<Tallies> {
        let mut out = Tallies::new();
        match self.sight.view {
            View::House => {
                let who = self.only.clone().unwrap_or_else(|| self.sight.who());
                for (at, row) in self.usage(who, self.dims()).await? {
                    let (revenue, cost) = (Some(row.revenue), Some(row.cost));
                    add(&mut out, at, self.of(&row), &Tally { revenue, cost, row });
                }
            }
            View::EndUser(_) => {
                for (at, row) in self.usage(self.sight.who(), self.dims()).await? {
                    add(&mut out, at, self.of(&row), &Tally { row, ..Tally::default() });
                }
            }
            View::Reseller(own) => self.reseller(own, &mut out).await?,
        }
        Ok(out)
    }

    /// Its own users are charged; tenants below pay; its parent is paid. What tenants below sell is known to it by who they
    /// are, not by what.
    async fn reseller(&self, own: TenantId, out: &mut Tallies) -> StoreResult<()> {
        let (below, right_below) = self.sight.below(own);
        for (at, row) in self.usage(Who::Tenants(vec![own]), self.dims()).await? {
            let revenue = Some(row.charge);
            add(out, at, self.of(&row), &Tally { revenue, cost: None, row });
        }
        let of = |tenant: TenantId| match self.by {
            None => Of::All,
            Some(By::Customer) => Of::Customer(self.sight.customer(Default::default(), tenant)),
            Some(_) => Of::Below,
        };
        if !below.is_empty() {
            let dims = vec![Dim::Tenant];
            for (at, row) in self.usage(Who::Tenants(below), dims).await? {
                let of = of(row.tenant.unwrap_or(own));
                add(out, at, of, &Tally { row, ..Tally::default() });
            }
            for (at, row) in self.paid(&right_below).await? {
                let revenue = Some(row.money);
                add(out, at, of(row.tenant), &Tally { revenue, ..Tally::default() });
            }
        }
        if self.by.is_none() {
            for (at, row) in self.paid(&[own]).await? {
                add(out, at, Of::All, &Tally { cost: Some(row.money), ..Tally::default() });
            }
        }
        Ok(())
    }

    fn dims(&self) -> Vec<Dim> {
        match (self.by, self.sight.view) {
            (None, _) => Vec::new(),
            (Some(By::Model), _) => vec![Dim::Model],
            (Some(By::Key), _) | (Some(By::Customer), View::EndUser(_)) => vec![Dim::Key],
            (Some(By::Customer), _) => vec![Dim::User, Dim::Tenant],
            (Some(By::Channel | By::Provider), _) => vec![Dim::Channel],
        }
    }

    fn of(&self, row: &UsageRow) -> Of {
        match self.by {
            None => Of::All,
            Some(By::Model) => Of::Model(row.model.clone().unwrap_or_default()),
            Some(By::Customer) if row.user.is_some() => Of::Customer(
                self.sight.customer(row.user.unwrap_or_default(), row.tenant.unwrap_or_default()),
            ),
            Some(By::Key | By::Customer) => Of::Key(row.key.unwrap_or_default()),
            Some(By::Channel) => Of::Channel(row.channel),
            Some(By::Provider) => {
                let known = row.channel.and_then(|channel| self.providers.get(&channel));
                Of::Provider(known.map(|(_, provider)| provider.clone()).unwrap_or_default())
            }
        }
    }

    /// Rows of the grain, with when it begins.
    pub(super) async fn usage(&self, who: Who, by: Vec<Dim>) -> StoreResult<Vec<(UnixMicros, UsageRow)>> {
        let mut out = Vec::new();
        for (window, step, piece) in self.parts() {
            let Window { since, until } = window;
            let query =
                UsageQuery { since, until, step, by: by.clone(), who: who.clone(), ..UsageQuery::default() };
            let rows = self.store.usage(&query).await?;
            out.extend(rows.into_iter().map(|row| (piece.begin(self, row.start), row)));
        }
        Ok(out)
    }

    async fn paid(&self, tenants: &[TenantId]) -> StoreResult<Vec<(UnixMicros, TenantRow)>> {
        let mut out = Vec::new();
        for (window, step, piece) in self.parts() {
            let rows = self.store.paid(tenants, window.since, window.until, step).await?;
            out.extend(rows.into_iter().map(|row| (piece.begin(self, row.start), row)));
        }
        Ok(out)
    }

    fn parts(&self) -> Vec<(Window, Step, Part)> {
        if self.window.since >= self.window.until {
            return Vec::new();
        }
        let Some(grain) = self.grain else { return vec![(self.window, Step::Whole, Part(None))] };
        let pieces = pieces(&self.sight.zone, self.window).into_iter();
        pieces.map(|piece| (piece.window, piece.step(grain), Part(Some((piece, grain))))).collect()
    }
}

/// A part of the window, and what its sums are told apart by.
struct Part(Option<(super::span::Piece, Grain)>);

impl Part {
    fn begin<S: ?Sized>(&self, asked: &Asked<'_, S>, start: UnixMicros) -> UnixMicros {
        match &self.0 {
            Some((piece, grain)) => piece.begin(&asked.sight.zone, *grain, start),
            None => UnixMicros(0),
        }
    }
}

pub(super) fn add(out: &mut Tallies, at: UnixMicros, of: Of, more: &Tally) {
    out.entry((at, of)).or_default().add(more);
}

/// Attempts in vain make rows of channels that served nobody.
pub(super) fn without_vain(mut all: Tallies) -> Tallies {
    all.retain(|(_, of), tally| tally.row.requests > 0 || tally.value() != Nano::ZERO || *of == Of::All);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact() {
        assert_eq!(permille(Nano(128_464), Nano(336_218)), Some(382));
        assert_eq!(permille(Nano(-5), Nano(1_000)), Some(-5));
        assert_eq!(permille(Nano(1), Nano(2_000)), Some(1), "half up");
        assert_eq!(permille(Nano(1), Nano::ZERO), None);
        assert_eq!(permille(Nano::MAX, Nano::MAX), Some(1_000));
    }

    #[test]
    fn nothing_is_answered_to_the_last_that_was_not() {
        let sums = |requests, failed, refused| {
            let row = UsageRow { requests, failed, refused, ..UsageRow::default() };
            Tally { row, ..Tally::default() }.sums().answered_permyriad
        };
        assert_eq!(sums(0, 0, 0), None);
        assert_eq!(sums(7, 0, 7), None, "all were refused");
        assert_eq!(sums(10, 0, 3), Some(10_000));
        assert_eq!(sums(1_000_000, 1, 0), Some(9_999));
        assert_eq!(sums(3, 3, 0), Some(0));
    }
}

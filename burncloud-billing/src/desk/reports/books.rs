//! What came in, what went out, what stays: by time, and told apart.

use super::forecast::{Forecast, forecast};
use super::names::Names;
use super::points::Points;
use super::span::{Grain, Span, Window};
use super::tally::{Asked, By, Of, Sums, Tallies, Tally, add, without_vain};
use super::view::{Customer, Sight, Source, View};
use crate::desk::Desk;
use crate::people::Actor;
use burncloud_core::store::StoreResult;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, KeyId, Nano, UnixMicros, UserId};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How many slices are told apart; the others are one.
const TOP: usize = 5;

/// A part of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Slice {
    /// Of what.
    #[serde(flatten)]
    pub of: Of,
    /// Its name; `None` for what is gone or has none.
    pub name: Option<String>,
    /// Its sums.
    pub sums: Sums,
}

/// An hour or a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// When it begins.
    pub at: UnixMicros,
    /// Its sums.
    pub sums: Sums,
    /// What each slice brought in, in the order of the slices; for an end user what it was charged.
    pub parts: Vec<Nano>,
}

/// What there is to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Wallet {
    /// What is in it; negative is owed.
    pub balance: Nano,
    /// How far below zero it may go.
    pub credit: Nano,
    /// Whether it has no bound.
    pub unlimited: bool,
}

/// The books of a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Whose eyes.
    pub view: View,
    /// By which clock: an IANA name.
    pub zone: String,
    /// From when to when.
    pub window: Window,
    /// When the span will be over.
    pub end: UnixMicros,
    /// Everything in it.
    pub now: Sums,
    /// The span before, as far into it.
    pub before_window: Window,
    /// Everything in that.
    pub before: Sums,
    /// By how many thousandths more of what came in stays than before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_change: Option<i64>,
    /// Customers with a request; of an end user the keys.
    pub active: u64,
    /// What the points are.
    pub grain: Grain,
    /// Every hour or day, those without a request too.
    pub points: Vec<Point>,
    /// What slices are of.
    pub by: By,
    /// The five that brought in most, and the others as one.
    pub slices: Vec<Slice>,
    /// What the month will come to; of the current month alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// A reseller's at its parent, an end user's at its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<Wallet>,
}

/// Whoever, or whatever, was active in a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// From when to when.
    pub window: Window,
    /// How many had a request.
    pub active: u64,
    /// The first hundred of them, by what they brought in.
    pub leaders: Vec<Slice>,
}

impl Desk {
    /// Whose eyes the actor's are.
    ///
    /// # Errors
    /// `Forbidden` for whoever is neither of the house nor of a tenant nor a user; the store's.
    pub async fn view(&self, actor: &Actor) -> UseCaseResult<View> {
        Ok(Sight::of(&*self.store, actor).await?.view)
    }

    /// The books of a span, told apart by `by`.
    ///
    /// # Errors
    /// `Invalid` for a span that is none, `Forbidden` for what is the house's alone, the store's.
    pub async fn books(&self, actor: &Actor, span: Span, by: By) -> UseCaseResult<Books> {
        books(&*self.store, actor, span, by, UnixMicros::now()).await
    }

    /// Everything of a span together.
    ///
    /// # Errors
    /// As [`books`](Desk::books).
    pub async fn sums(&self, actor: &Actor, span: Span) -> UseCaseResult<Sums> {
        let sight = Sight::of(&*self.store, actor).await?;
        let window = span.resolve(&sight.zone, UnixMicros::now())?.now;
        Ok(total(&whole(&*self.store, &sight, window, None)).await?.sums())
    }

    /// A span by the hour or day, and everything of it together; the parts of a point are none.
    ///
    /// # Errors
    /// As [`books`](Desk::books).
    pub async fn course(&self, actor: &Actor, span: Span) -> UseCaseResult<(Sums, Vec<Point>)> {
        let sight = Sight::of(&*self.store, actor).await?;
        let spans = span.resolve(&sight.zone, UnixMicros::now())?;
        let all = whole(&*self.store, &sight, spans.now, Some(spans.grain)).tallies().await?;
        let points = Points::new(&sight, spans, &all, 0).drawn();
        Ok((together(sight.view, &all).sums(), points))
    }

    /// The books of a span, and the customers who were active in it.
    ///
    /// # Errors
    /// As [`books`](Desk::books).
    pub async fn glance(&self, actor: &Actor, span: Span, by: By) -> UseCaseResult<(Books, Seen)> {
        let sight = Sight::of(&*self.store, actor).await?;
        let Reckoned { books, customers, .. } =
            reckon(&*self.store, &sight, span, by, UnixMicros::now()).await?;
        let seen = leaders(&*self.store, &sight, books.window, customers).await?;
        Ok((books, seen))
    }

    /// The customers who were active in a span, those who brought in most first. An end user's are its keys.
    ///
    /// # Errors
    /// As [`books`](Desk::books).
    pub async fn customers_seen(&self, actor: &Actor, span: Span) -> UseCaseResult<Seen> {
        seen(&*self.store, actor, span, By::Customer, UnixMicros::now()).await
    }

    /// What was active in a span, told apart by `by`, what brought in most first: as the slices of [`books`](Desk::books),
    /// without the rest of them.
    ///
    /// # Errors
    /// As [`books`](Desk::books).
    pub async fn seen(&self, actor: &Actor, span: Span, by: By) -> UseCaseResult<Seen> {
        seen(&*self.store, actor, span, by, UnixMicros::now()).await
    }
}

type Providers = BTreeMap<ChannelId, (String, String)>;

/// The provider of each account, where those are told apart; the house's alone.
async fn providers<S: Source + ?Sized>(store: &S, sight: &Sight, by: By) -> UseCaseResult<Providers> {
    if !matches!(by, By::Channel | By::Provider) {
        return Ok(Providers::new());
    }
    sight.house_only("accounts")?;
    Ok(Names::load(store, sight, [], []).await?.channels)
}

pub(super) async fn seen<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    span: Span,
    by: By,
    now: UnixMicros,
) -> UseCaseResult<Seen> {
    let sight = Sight::of(store, actor).await?;
    let window = span.resolve(&sight.zone, now)?.now;
    let providers = providers(store, &sight, by).await?;
    let by = Some(by);
    let asked = Asked { store, sight: &sight, window, by, grain: None, only: None, providers: &providers };
    leaders(store, &sight, window, asked.tallies().await?).await
}

async fn leaders<S: Source + ?Sized>(
    store: &S,
    sight: &Sight,
    window: Window,
    tallies: Tallies,
) -> UseCaseResult<Seen> {
    let (active, top) = (active(&tallies), ranked(tallies, 100));
    Ok(Seen { window, active, leaders: named(store, sight, top).await? })
}

pub(super) async fn books<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    span: Span,
    by: By,
    now: UnixMicros,
) -> UseCaseResult<Books> {
    let sight = Sight::of(store, actor).await?;
    Ok(reckon(store, &sight, span, by, now).await?.books)
}

/// Books, and what they were made of.
pub(super) struct Reckoned {
    pub(super) books: Books,
    /// Of the whole span, each: what the books tell apart, and who was active.
    pub(super) slices: Tallies,
    customers: Tallies,
}

pub(super) async fn reckon<S: Source + ?Sized>(
    store: &S,
    sight: &Sight,
    span: Span,
    by: By,
    now: UnixMicros,
) -> UseCaseResult<Reckoned> {
    let providers = providers(store, sight, by).await?;
    let spans = span.resolve(&sight.zone, now)?;
    let asked =
        |window, by, grain| Asked { store, sight, window, by, grain, only: None, providers: &providers };
    let by_time = Some(spans.grain);
    let (all, earlier) = (asked(spans.now, None, by_time), asked(spans.before, None, None));
    let parts = asked(spans.now, Some(by), by_time);
    let customers = asked(spans.now, Some(By::Customer), None);
    let few = by == By::Customer && sight.is_house();
    let parts = async {
        let parts = if few { Tallies::new() } else { parts.all().await? };
        // What a reseller pays its parent is not told apart.
        let whole = !few && !matches!(sight.view, View::Reseller(_));
        let all = if whole { not_told_apart(&parts) } else { all.tallies().await? };
        Ok((parts, all))
    };
    let forecast =
        async { if matches!(span, Span::ThisMonth) { forecast(&asked, spans, now).await } else { Ok(None) } };
    // None waits for another: a page is as fast as the slowest of them. What is told apart is summed here, and not asked for
    // again.
    let (before, (parts, all), customers, forecast) = tokio::try_join!(
        async { UseCaseResult::Ok(total(&earlier).await?) },
        parts,
        async { Ok(customers.tallies().await?) },
        forecast
    )?;
    let here = together(sight.view, &all);
    let slices = if by == By::Customer { customers.clone() } else { of_all_time(&parts) };
    let (mut top, active) = (ranked(slices.clone(), usize::MAX), active(&customers));
    let rest = top.split_off(top.len().min(TOP));
    let mut points = Points::new(sight, spans, &all, top.len() + usize::from(!rest.is_empty()));
    if few {
        points.customers(&asked, spans, &top, !rest.is_empty()).await?;
    } else {
        points.parts(parts, &top);
    }
    if !rest.is_empty() {
        top.push(others(&rest));
    }
    let (now, before) = (here.sums(), before.sums());
    let kept = now.kept_permille.zip(before.kept_permille);
    let books = Books {
        view: sight.view,
        zone: sight.zone_name.clone(),
        window: spans.now,
        end: spans.end,
        kept_change: kept.map(|(now, before)| now - before),
        now,
        before_window: spans.before,
        before,
        active,
        grain: spans.grain,
        points: points.drawn(),
        by,
        slices: named(store, sight, top).await?,
        forecast,
        wallet: wallet(store, sight).await?,
    };
    Ok(Reckoned { books, slices, customers })
}

/// Everything of a window, not told apart.
pub(super) fn whole<'a, S: Source + ?Sized>(
    store: &'a S,
    sight: &'a Sight,
    window: Window,
    grain: Option<Grain>,
) -> Asked<'a, S> {
    static NONE: Providers = Providers::new();
    Asked { store, sight, window, by: None, grain, only: None, providers: &NONE }
}

/// Everything together.
pub(super) async fn total<S: Source + ?Sized>(asked: &Asked<'_, S>) -> StoreResult<Tally> {
    Ok(together(asked.sight.view, &asked.tallies().await?))
}

fn together(view: View, tallies: &Tallies) -> Tally {
    let mut all = match view {
        // Nothing is a sum too.
        View::EndUser(_) => Tally::default(),
        _ => Tally { revenue: Some(Nano::ZERO), cost: Some(Nano::ZERO), ..Tally::default() },
    };
    tallies.values().for_each(|more| all.add(more));
    all
}

/// By the time alone.
fn not_told_apart(tallies: &Tallies) -> Tallies {
    let mut all = Tallies::new();
    for ((at, _), tally) in tallies {
        add(&mut all, *at, Of::All, tally);
    }
    all
}

/// Without the time.
fn of_all_time(tallies: &Tallies) -> Tallies {
    let mut all = Tallies::new();
    for ((_, of), tally) in tallies {
        add(&mut all, UnixMicros(0), of.clone(), tally);
    }
    without_vain(all)
}

fn active(tallies: &Tallies) -> u64 {
    tallies.values().filter(|tally| tally.row.requests > 0).count() as u64
}

/// By what they brought in, and then by requests.
pub(super) fn ranked(tallies: Tallies, most: usize) -> Vec<(Of, Tally)> {
    let mut all: Vec<(Of, Tally)> = tallies.into_iter().map(|((_, of), tally)| (of, tally)).collect();
    all.sort_by_key(|(_, tally)| (Reverse(tally.value()), Reverse(tally.row.requests)));
    all.truncate(most);
    all
}

fn others(rest: &[(Of, Tally)]) -> (Of, Tally) {
    let mut all = Tally::default();
    rest.iter().for_each(|(_, tally)| all.add(tally));
    (Of::Others(rest.len() as u64), all)
}

/// With names.
async fn named<S: Source + ?Sized>(
    store: &S,
    sight: &Sight,
    slices: Vec<(Of, Tally)>,
) -> StoreResult<Vec<Slice>> {
    let (mut users, mut keys): (BTreeSet<UserId>, BTreeSet<KeyId>) = Default::default();
    for (of, _) in &slices {
        match of {
            Of::Customer(Customer::User(id)) => drop(users.insert(*id)),
            Of::Key(id) => drop(keys.insert(*id)),
            _ => {}
        }
    }
    let names = Names::load(store, sight, users, keys).await?;
    let name = |of: &Of| match of {
        Of::Model(name) | Of::Provider(name) => Some(name.clone()).filter(|name| !name.is_empty()),
        Of::Customer(customer) => names.customer(sight, *customer),
        Of::Key(id) => names.key(*id).map(str::to_owned),
        Of::Channel(Some(id)) => names.channel(*id).map(str::to_owned),
        Of::All | Of::Channel(None) | Of::Below | Of::Others(_) => None,
    };
    Ok(slices.into_iter().map(|(of, tally)| Slice { name: name(&of), of, sums: tally.sums() }).collect())
}

pub(super) async fn wallet<S: Source + ?Sized>(store: &S, sight: &Sight) -> StoreResult<Option<Wallet>> {
    Ok(match sight.view {
        View::House => None,
        View::Reseller(own) => sight.tree.get(own).map(|tenant| Wallet {
            balance: tenant.balance,
            credit: tenant.credit,
            unlimited: tenant.unlimited,
        }),
        View::EndUser(own) => store.user(own).await?.map(|user| Wallet {
            balance: user.balance,
            credit: user.credit,
            unlimited: user.unlimited,
        }),
    })
}

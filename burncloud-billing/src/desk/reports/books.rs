//! What came in, what went out, what stays: by time, and told apart.

use super::forecast::{Forecast, forecast};
use super::names::Names;
use super::span::{Grain, Span, Spans, Window, bins};
use super::tally::{Asked, By, Of, Sums, Tallies, Tally};
use super::view::{Customer, Sight, Source, View};
use crate::desk::Desk;
use crate::people::Actor;
use burncloud_core::store::{Dim, StoreResult, Who};
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
    let tallies = asked.tallies().await?;
    let (active, top) = (active(&tallies), ranked(tallies, 100));
    Ok(Seen { window, active, leaders: named(store, &sight, top).await? })
}

pub(super) async fn books<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    span: Span,
    by: By,
    now: UnixMicros,
) -> UseCaseResult<Books> {
    let sight = Sight::of(store, actor).await?;
    let providers = providers(store, &sight, by).await?;
    let spans = span.resolve(&sight.zone, now)?;
    let asked = |window, by, grain| Asked {
        store,
        sight: &sight,
        window,
        by,
        grain,
        only: None,
        providers: &providers,
    };
    let (all, earlier) = (asked(spans.now, None, None), asked(spans.before, None, None));
    let (parts, customers) = (asked(spans.now, Some(by), None), asked(spans.now, Some(By::Customer), None));
    // None waits for another: a page is as fast as the slowest of them.
    let (here, before, parts, customers) =
        tokio::try_join!(total(&all), total(&earlier), parts.tallies(), customers.tallies())?;
    let (mut top, active) = (ranked(parts, usize::MAX), active(&customers));
    let rest = top.split_off(top.len().min(TOP));
    let points = points(&asked, spans, by, &top, !rest.is_empty()).await?;
    if !rest.is_empty() {
        top.push(others(&rest));
    }
    let month = matches!(span, Span::ThisMonth);
    let forecast = if month { forecast(&asked, spans, now).await? } else { None };
    let (now, before) = (here.sums(), before.sums());
    let kept = now.kept_permille.zip(before.kept_permille);
    Ok(Books {
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
        points,
        by,
        slices: named(store, &sight, top).await?,
        forecast,
        wallet: wallet(store, &sight).await?,
    })
}

/// Everything together.
pub(super) async fn total<S: Source + ?Sized>(asked: &Asked<'_, S>) -> StoreResult<Tally> {
    let mut all = match asked.sight.view {
        // Nothing is a sum too.
        View::EndUser(_) => Tally::default(),
        _ => Tally { revenue: Some(Nano::ZERO), cost: Some(Nano::ZERO), ..Tally::default() },
    };
    asked.tallies().await?.values().for_each(|more| all.add(more));
    Ok(all)
}

fn active(tallies: &Tallies) -> u64 {
    tallies.values().filter(|tally| tally.row.requests > 0).count() as u64
}

/// By what they brought in, and then by requests.
fn ranked(tallies: Tallies, most: usize) -> Vec<(Of, Tally)> {
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

async fn points<'a, S: Source + ?Sized>(
    asked: &impl Fn(Window, Option<By>, Option<Grain>) -> Asked<'a, S>,
    spans: Spans,
    by: By,
    top: &[(Of, Tally)],
    others: bool,
) -> StoreResult<Vec<Point>> {
    let whole = asked(spans.now, None, Some(spans.grain));
    let (sight, width) = (whole.sight, top.len() + usize::from(others));
    let begin = bins(&sight.zone, spans.now, spans.grain);
    let mut points: Points =
        begin.into_iter().map(|at| (at, (Tally::default(), vec![Nano::ZERO; width]))).collect();
    let fresh = || (Tally::default(), vec![Nano::ZERO; width]);
    for ((at, _), tally) in whole.tallies().await? {
        points.entry(at).or_insert_with(fresh).0.add(&tally);
    }
    if by == By::Customer && sight.is_house() {
        return by_customer(asked, spans, top, others, points).await;
    }
    for ((at, of), tally) in asked(spans.now, Some(by), Some(spans.grain)).tallies().await? {
        let place = top.iter().position(|(known, _)| *known == of).unwrap_or(top.len());
        if let Some(part) = points.entry(at).or_insert_with(fresh).1.get_mut(place) {
            *part = part.plus(tally.value());
        }
    }
    Ok(drawn(points))
}

type Points = BTreeMap<UnixMicros, (Tally, Vec<Nano>)>;

fn drawn(points: Points) -> Vec<Point> {
    let point = |(at, (tally, parts)): (_, (Tally, _))| Point { at, sums: tally.sums(), parts };
    points.into_iter().map(point).collect()
}

/// The parts of the few customers of the house that are told apart, tenants all at once and each user by itself, and of the
/// others what is left of the whole: day by day all customers are as many rows as they have requests.
async fn by_customer<'a, S: Source + ?Sized>(
    asked: &impl Fn(Window, Option<By>, Option<Grain>) -> Asked<'a, S>,
    spans: Spans,
    top: &[(Of, Tally)],
    others: bool,
    mut points: Points,
) -> StoreResult<Vec<Point>> {
    let whole = || asked(spans.now, None, Some(spans.grain));
    let sight = whole().sight;
    let tenants: BTreeMap<Customer, usize> = top
        .iter()
        .enumerate()
        .filter_map(|(place, (of, _))| match of {
            Of::Customer(tenant @ Customer::Tenant(_)) => Some((*tenant, place)),
            _ => None,
        })
        .collect();
    if !tenants.is_empty() {
        for (at, row) in whole().usage(sight.who(), vec![Dim::Tenant]).await? {
            let customer = sight.customer(UserId::default(), row.tenant.unwrap_or_default());
            if let Some(place) = tenants.get(&customer)
                && let Some((_, parts)) = points.get_mut(&at)
            {
                parts[*place] = parts[*place].plus(row.revenue);
            }
        }
    }
    for (place, (of, _)) in top.iter().enumerate() {
        let Of::Customer(Customer::User(user)) = of else { continue };
        let only = Some(Who::User(*user));
        for ((at, _), tally) in (Asked { only, ..whole() }).tallies().await? {
            if let Some((_, parts)) = points.get_mut(&at) {
                parts[place] = tally.value();
            }
        }
    }
    if others {
        for (whole, parts) in points.values_mut() {
            parts[top.len()] = parts.iter().fold(whole.value(), |left, part| left.minus(*part));
        }
    }
    Ok(drawn(points))
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

//! The figures of the dashboard: what it shows to whom, read once for all who see the same.

use super::kept::{Eyes, Had, Kept};
use crate::Console;
use crate::kit::{PulseState, Span as Bar};
use crate::lang::Lang;
use crate::live::{Cx, Fault};
use crate::pages::radar::{self, Found};
use burncloud_billing::Desk;
use burncloud_billing::desk::KeyFilter;
use burncloud_billing::desk::reports::{
    Books, By, Finding, LogFilter, LogRow, Point, Seen, Span, View, Wallet,
};
use burncloud_billing::people::{Action, Actor};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, Nano, Status, UnixMicros};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const HOUR_US: i64 = 3_600_000_000;
/// How long figures are shown before they are read again.
const FRESH: Duration = Duration::from_secs(4);
/// And findings, for which thousands of receipts are read.
const STEADY: Duration = Duration::from_secs(30);
/// How old figures may be that a page opens with, until they are read again.
const OPENED: Duration = Duration::from_secs(60);
/// And findings that nobody waits for: the page that shows them has newer ones at its next turn.
const FOUND: Duration = Duration::from_secs(600);
/// Of ten thousand attempts a well account answers so many.
const WELL: u64 = 9_500;
/// The last requests that somebody sees of their own.
const LAST: u32 = 8;

/// Which time the dashboard is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Period {
    #[default]
    Today,
    Week,
    Month,
}

impl Period {
    pub(crate) const ALL: [Period; 3] = [Period::Today, Period::Week, Period::Month];

    /// What the URL says; anything unknown is today.
    pub(crate) fn of(code: Option<&str>) -> Period {
        let found = Period::ALL.into_iter().find(|period| Some(period.code()) == code);
        found.unwrap_or_default()
    }

    /// As in the URL, where today is left out.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Period::Today => "",
            Period::Week => "week",
            Period::Month => "month",
        }
    }

    pub(crate) fn name(self, lang: Lang) -> &'static str {
        match self {
            Period::Today => lang.t("Today", "今日"),
            Period::Week => lang.t("7 days", "7 天"),
            Period::Month => lang.t("Month", "本月"),
        }
    }

    fn span(self) -> Span {
        match self {
            Period::Today => Span::Today,
            Period::Week => Span::Week,
            Period::Month => Span::ThisMonth,
        }
    }
}

/// An account, and how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: ChannelId,
    pub(crate) name: String,
    /// Of ten thousand attempts of the last hours so many went well; `None` where it was not asked.
    pub(crate) well: Option<u64>,
    /// Whether it, or a model of it, is passed over at the moment.
    pub(crate) resting: bool,
}

impl Account {
    pub(crate) fn is_healthy(&self) -> bool {
        !self.resting && self.well.is_none_or(|well| well >= WELL)
    }
}

/// What there is before the first request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) accounts: bool,
    pub(crate) customers: bool,
    pub(crate) keys: bool,
}

/// What the dashboard shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Glance {
    /// The books of the period, by model.
    pub(crate) books: Books,
    /// Who was active in it.
    pub(crate) seen: Seen,
    /// The last 24 hours, hour by hour.
    pub(crate) day: Vec<Point>,
    /// Of ten thousand requests of those hours so many were answered.
    pub(crate) answered: Option<u64>,
    /// Whether what the gateway does at the moment is theirs to see.
    pub(crate) live: bool,
    /// The accounts that are on; `None` where they are not for these eyes.
    pub(crate) accounts: Option<Vec<Account>>,
    /// What is there already, where there never was a request.
    pub(crate) begun: Option<Begun>,
    /// What an end user spent since the first of the month.
    pub(crate) month: Nano,
    /// What hurts: it costs money, or many are not served.
    pub(crate) hurt: Vec<Finding>,
    /// The last requests of an end user.
    pub(crate) last: Vec<LogRow>,
}

impl Glance {
    /// What the sun, the sea and the logo show.
    pub(crate) fn state(&self) -> PulseState {
        let now = &self.books.now;
        let own = matches!(self.books.view, View::EndUser(_));
        let spent = |wallet: Wallet| !wallet.unlimited && wallet.balance.plus(wallet.credit) <= Nano::ZERO;
        if own && self.books.wallet.is_some_and(spent) {
            return PulseState::Hurt;
        }
        if self.begun.is_some() {
            return PulseState::Rest;
        }
        if own {
            return PulseState::Flow;
        }
        if !self.hurt.is_empty() {
            return PulseState::Hurt;
        }
        match (now.margin, now.revenue) {
            (Some(margin), _) if margin < Nano::ZERO => PulseState::Hurt,
            (_, Some(revenue)) if revenue > Nano::ZERO => PulseState::Flow,
            _ => PulseState::Rest,
        }
    }

    /// How each of the last hours went.
    pub(crate) fn fence(&self) -> Vec<Bar> {
        self.day.iter().map(|hour| bar(hour.sums.answered_permyriad)).collect()
    }

    /// Tokens of each of the last hours.
    pub(crate) fn tokens(&self) -> Vec<u64> {
        self.day.iter().map(|hour| hour.sums.tokens_in.saturating_add(hour.sums.tokens_out)).collect()
    }
}

/// How well that share of requests is.
pub(crate) fn bar(answered: Option<u64>) -> Bar {
    match answered {
        None => Bar::None,
        Some(9_950..) => Bar::Good,
        Some(9_500..) => Bar::Care,
        Some(_) => Bar::Bad,
    }
}

/// The figures of all who look, shared by those who see the same.
pub(crate) struct Figures {
    glances: Kept<Period, Glance>,
    accounts: Kept<Period, Books>,
    found: Kept<(), Vec<Found>>,
}

impl Default for Figures {
    fn default() -> Figures {
        Figures {
            glances: Kept::new(FRESH, OPENED),
            accounts: Kept::new(FRESH, OPENED),
            found: Kept::new(STEADY, FOUND),
        }
    }
}

impl Figures {
    /// What the dashboard opens with: as it was up to a minute ago, or read now.
    pub(crate) async fn opening(&self, cx: &Cx, period: Period) -> Result<Arc<Glance>, Fault> {
        match self.glances.had(Eyes::of(&cx.viewer.actor), period) {
            Had::Good(glance) | Had::Due(glance) => Ok(glance),
            Had::Nothing => self.glance(cx, period).await,
        }
    }

    /// What the dashboard shows to whoever looks.
    pub(crate) async fn glance(&self, cx: &Cx, period: Period) -> Result<Arc<Glance>, Fault> {
        let (console, actor) = (&cx.console, &cx.viewer.actor);
        let read = async || {
            let found = self.found(cx).await?;
            Ok(glance(console, actor, period, &found).await?)
        };
        self.glances.get(Eyes::of(actor), period, read).await
    }

    /// The books of a period by account; the house's.
    pub(crate) async fn by_account(&self, cx: &Cx, period: Period) -> Result<Arc<Books>, Fault> {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let read = async || Ok(desk.books(actor, period.span(), By::Channel).await?);
        self.accounts.get(Eyes::of(actor), period, read).await
    }

    /// What was found in the last 24 hours, as it was up to some minutes ago; where that is a while ago, it is read anew for
    /// the next who asks.
    pub(crate) async fn found(&self, cx: &Cx) -> Result<Arc<Vec<Found>>, Fault> {
        match self.found.had(Eyes::of(&cx.viewer.actor), ()) {
            Had::Good(found) => Ok(found),
            Had::Due(found) => {
                let later = cx.clone();
                cx.console.runtime().spawn(async move {
                    // Whoever asks when it is too old waits for it, and is told of the error.
                    let _ = later.console.figures().found_now(&later).await;
                });
                Ok(found)
            }
            Had::Nothing => self.found_now(cx).await,
        }
    }

    async fn found_now(&self, cx: &Cx) -> Result<Arc<Vec<Found>>, Fault> {
        let actor = &cx.viewer.actor;
        self.found.get(Eyes::of(actor), (), async || Ok(radar::read(&cx.console, actor).await?)).await
    }

    /// Whoever looks changed something that they see here.
    pub(crate) fn forget(&self, actor: &Actor) {
        self.glances.forget(Eyes::of(actor));
        self.found.forget(Eyes::of(actor));
    }
}

pub(super) async fn glance(
    console: &Console,
    actor: &Actor,
    period: Period,
    found: &[Found],
) -> UseCaseResult<Glance> {
    let desk = console.desk();
    let now = UnixMicros::now().0;
    // Whole hours, this one included.
    let since = UnixMicros((now.div_euclid(HOUR_US) - 23) * HOUR_US);
    let day = Span::Between { since, until: UnixMicros(now.max(since.0 + 1)) };
    let ((books, seen), (of_day, day)) =
        tokio::try_join!(desk.glance(actor, period.span(), By::Model), desk.course(actor, day))?;
    let own = matches!(books.view, View::EndUser(_));
    let last = if own { last(desk, actor, LAST).await? } else { Vec::new() };
    let month = if own { desk.sums(actor, Span::ThisMonth).await?.charge } else { Nano::ZERO };
    let quiet = books.now.requests + books.before.requests + of_day.requests == 0;
    let never = quiet && if own { last.is_empty() } else { self::last(desk, actor, 1).await?.is_empty() };
    let begun = if never { Some(begun(desk, actor).await?) } else { None };
    let house = books.view == View::House;
    Ok(Glance {
        live: house && console.watch().is_some() && actor.may_in_house(Action::SeeMoney),
        accounts: if actor.may_in_house(Action::ManageHouse) {
            Some(accounts(console, actor).await?)
        } else {
            None
        },
        answered: of_day.answered_permyriad,
        hurt: found.iter().filter(|found| found.hurts()).map(|found| found.finding.clone()).collect(),
        day,
        books,
        seen,
        begun,
        month,
        last,
    })
}

async fn last(desk: &Desk, actor: &Actor, limit: u32) -> UseCaseResult<Vec<LogRow>> {
    let filter = LogFilter { limit, ..LogFilter::default() };
    Ok(desk.logs(actor, &filter).await?.rows)
}

async fn begun(desk: &Desk, actor: &Actor) -> UseCaseResult<Begun> {
    let accounts = actor.may_in_house(Action::ManageHouse) && !desk.list_channels(actor).await?.is_empty();
    let filter = KeyFilter { limit: 1, ..KeyFilter::default() };
    let keys = !desk.keys(actor, &filter).await?.items.is_empty();
    let filter = burncloud_billing::desk::UserFilter { limit: 2, ..Default::default() };
    let users = desk.users(actor, &filter).await?.items;
    let customers = users.iter().any(|view| Some(view.user.id) != actor.user);
    Ok(Begun { accounts, customers, keys })
}

async fn accounts(console: &Console, actor: &Actor) -> UseCaseResult<Vec<Account>> {
    let desk = console.desk();
    let (channels, health) = tokio::try_join!(desk.list_channels(actor), desk.channel_health(actor, 2))?;
    let table = console.gateway().map(|gateway| gateway.handle().table());
    let lanes = table.iter().flat_map(|table| table.lanes());
    let resting: BTreeSet<ChannelId> =
        lanes.filter(|(_, lane)| lane.breaker.resting().is_some()).map(|(_, lane)| lane.channel.id).collect();
    let of = |id| {
        let all = health.iter().find(|health| health.channel == id)?.all;
        (all.attempts.saturating_sub(all.failed) * 10_000).checked_div(all.attempts)
    };
    let on = channels.into_iter().filter(|channel| channel.status == Status::Active);
    Ok(on
        .map(|channel| Account {
            well: of(channel.id),
            resting: resting.contains(&channel.id),
            id: channel.id,
            name: channel.name,
        })
        .collect())
}

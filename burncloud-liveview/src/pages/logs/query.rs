//! Which requests are asked for: what the URL of the page says, and that of a file of them.

use crate::fmt::Fmt;
use crate::live::Place;
use burncloud_billing::desk::reports::{Customer, LogFilter};
use burncloud_core::{ChannelId, KeyId, ReceiptId, TenantId, UnixMicros, UserId};
use jiff::civil::DateTime;

/// A first word that takes longer is slow, in microseconds.
pub(crate) const SLOW_US: u64 = 5_000_000;
/// How many pages back the URL remembers.
const TRAIL: usize = 20;
/// The parts of the query that choose requests.
pub(super) const FILTERS: [&str; 9] =
    ["q", "time", "from", "to", "model", "account", "customer", "key", "result"];

/// From when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Time {
    /// Ever.
    #[default]
    Any,
    /// The last so many minutes.
    Last(u32),
    /// Between two moments, in Unix milliseconds; `None` is open.
    Between(Option<i64>, Option<i64>),
}

/// The spans that are offered: their names in a URL, and minutes.
pub(super) const SPANS: [(&str, u32); 5] =
    [("15m", 15), ("1h", 60), ("24h", 1_440), ("7d", 10_080), ("30d", 43_200)];

/// How they ended, as far as that is chosen from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ended {
    /// However.
    #[default]
    All,
    /// Not answered, whoever's fault it was.
    Errors,
    /// Another account had to take over.
    Switched,
    /// Slowly.
    Slow,
}

impl Ended {
    pub(super) const EACH: [Ended; 4] = [Ended::All, Ended::Errors, Ended::Switched, Ended::Slow];

    pub(super) fn code(self) -> &'static str {
        match self {
            Ended::All => "",
            Ended::Errors => "errors",
            Ended::Switched => "switched",
            Ended::Slow => "slow",
        }
    }
}

/// What is asked for. What a URL says that is nothing is as if it were not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(super) text: String,
    pub(super) time: Time,
    pub(super) model: Option<String>,
    pub(super) account: Option<ChannelId>,
    pub(super) customer: Option<Customer>,
    pub(super) key: Option<KeyId>,
    pub(super) ended: Ended,
    /// Where the pages before began, the last one being this page's.
    pub(super) trail: Vec<ReceiptId>,
}

fn customer(text: &str) -> Option<Customer> {
    if let Some(id) = text.strip_prefix('u') {
        return Some(Customer::User(UserId(id.parse().ok()?)));
    }
    Some(Customer::Tenant(TenantId(text.strip_prefix('t')?.parse().ok()?)))
}

/// As in a URL.
pub(super) fn customer_code(customer: Customer) -> String {
    match customer {
        Customer::User(id) => format!("u{}", id.0),
        Customer::Tenant(id) => format!("t{}", id.0),
    }
}

impl Query {
    /// What a place asks for.
    pub(crate) fn of(place: &Place) -> Query {
        let span = |name: &str| SPANS.iter().find(|(span, _)| *span == name).map(|(_, minutes)| *minutes);
        let time = match place.get("time").and_then(span) {
            Some(minutes) => Time::Last(minutes),
            None => match (place.parsed("from"), place.parsed("to")) {
                (None, None) => Time::Any,
                (from, to) => Time::Between(from, to),
            },
        };
        let ended = Ended::EACH.into_iter().find(|ended| place.get("result") == Some(ended.code()));
        let trail = place.get("page").unwrap_or_default().split('.');
        Query {
            text: place.get("q").unwrap_or_default().to_owned(),
            time,
            model: place.get("model").map(str::to_owned),
            account: place.parsed("account").map(ChannelId),
            customer: place.get("customer").and_then(customer),
            key: place.parsed("key").map(KeyId),
            ended: ended.unwrap_or_default(),
            trail: trail.filter_map(|id| ReceiptId::parse(&format!("rc_{id}"))).collect(),
        }
    }

    /// As the desk is asked at `now`.
    pub(crate) fn filter(&self, now: UnixMicros) -> LogFilter {
        let micros = |ms: i64| UnixMicros(ms.saturating_mul(1_000));
        let (since, until) = match self.time {
            Time::Any => (None, None),
            Time::Last(minutes) => (Some(UnixMicros(now.0 - i64::from(minutes) * 60_000_000)), None),
            Time::Between(from, to) => (from.map(micros), to.map(micros)),
        };
        LogFilter {
            since,
            until,
            text: self.text.clone(),
            customer: self.customer,
            key: self.key,
            model: self.model.clone(),
            channel: self.account,
            errors: self.ended == Ended::Errors,
            switched: self.ended == Ended::Switched,
            slower_than_us: (self.ended == Ended::Slow).then_some(SLOW_US),
            before: self.trail.last().copied(),
            ..LogFilter::default()
        }
    }

    /// Whether anything is chosen.
    pub(super) fn narrowed(&self) -> bool {
        *self != Query { trail: self.trail.clone(), ..Query::default() }
    }

    /// Whether these are the newest: new ones would be among them.
    pub(super) fn newest(&self) -> bool {
        self.trail.is_empty() && !matches!(self.time, Time::Between(_, Some(_)))
    }

    /// The page after this one, which begins below `next`.
    pub(super) fn older(&self, place: Place, next: ReceiptId) -> Place {
        let mut trail = self.trail.clone();
        trail.push(next);
        let from = trail.len().saturating_sub(TRAIL);
        walk(place, &trail[from..])
    }

    /// The page before this one; `None` on the first.
    pub(super) fn newer(&self, place: Place) -> Option<Place> {
        let (_, rest) = self.trail.split_last()?;
        Some(walk(place, rest))
    }
}

fn walk(place: Place, trail: &[ReceiptId]) -> Place {
    let trail: Vec<String> =
        trail.iter().map(|id| id.to_string().trim_start_matches("rc_").to_owned()).collect();
    place.with("page", trail.join(".")).with("open", "")
}

/// The same place with another choice, on the first page.
pub(super) fn choose(place: Place, name: &str, value: impl std::fmt::Display) -> Place {
    let place = place.without(&["page", "open"]);
    let place = if name == "time" { place.without(&["from", "to"]) } else { place };
    place.with(name, value)
}

/// A moment that was typed by the clock of whoever looks, in Unix milliseconds.
pub(super) fn moment(f: &Fmt, text: &str) -> Option<i64> {
    let at: DateTime = text.parse().ok()?;
    Some(at.to_zoned(f.zone.clone()).ok()?.timestamp().as_millisecond())
}

/// A moment as an input of type `datetime-local` has it.
pub(super) fn typed(f: &Fmt, ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms);
    at.map_or_else(|_| String::new(), |at| at.to_zoned(f.zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;
    use jiff::tz::TimeZone;

    fn of(url: &str) -> Query {
        Query::of(&Place::parse("/console", url))
    }

    #[test]
    fn a_url_says_what_is_asked_for() {
        let now = UnixMicros(10_000_000_000);
        let query = of("/console/logs?q=tea&time=15m&model=gpt-5&account=3&customer=t7&key=9&result=slow");
        let filter = query.filter(now);
        assert_eq!((filter.since, filter.until), (Some(UnixMicros(9_100_000_000)), None));
        assert_eq!((filter.text.as_str(), filter.model.as_deref()), ("tea", Some("gpt-5")));
        assert_eq!((filter.channel, filter.key), (Some(ChannelId(3)), Some(KeyId(9))));
        assert_eq!(filter.customer, Some(Customer::Tenant(TenantId(7))));
        assert_eq!((filter.slower_than_us, filter.errors), (Some(SLOW_US), false));
        let filter = of("/console/logs?from=1000&to=2000&result=errors&customer=u4").filter(now);
        assert_eq!((filter.since, filter.until), (Some(UnixMicros(1_000_000)), Some(UnixMicros(2_000_000))));
        assert_eq!((filter.customer, filter.errors), (Some(Customer::User(UserId(4))), true));
        assert_eq!(customer("u4").map(customer_code).as_deref(), Some("u4"));
    }

    #[test]
    fn what_is_nothing_is_not_there() {
        let odd =
            of("/console/logs?time=1y&model=&account=x&customer=z9&key=&result=odd&page=zz.1&open=rc_1");
        assert_eq!(odd, Query::default());
        assert!(!odd.narrowed() && odd.newest());
        assert_eq!(odd.filter(UnixMicros(5)), LogFilter::default());
    }

    #[test]
    fn pages_lead_on_and_back_and_a_choice_begins_anew() {
        let at = |n: u128| ReceiptId(n);
        let mut place = Place::parse("", "/logs?q=tea&open=rc_1");
        for n in 1..=30 {
            place = Query::of(&place).older(place.clone(), at(n));
        }
        let query = Query::of(&place);
        assert_eq!((query.trail.len(), query.trail.last()), (TRAIL, Some(&at(30))));
        assert_eq!((place.get("q"), place.get("open")), (Some("tea"), None));
        assert!(!query.newest() && query.narrowed());
        assert_eq!(query.filter(UnixMicros(0)).before, Some(at(30)));
        let back = Query::of(&query.newer(place.clone()).unwrap());
        assert_eq!(back.trail.last(), Some(&at(29)));
        assert!(Query::default().newer(place.clone()).is_none());
        let chosen = choose(place.with("from", 1).with("to", 2), "time", "1h");
        assert_eq!(chosen.to_string(), "/logs?q=tea&time=1h");
    }

    #[test]
    fn a_moment_is_typed_by_the_clock_of_whoever_looks() {
        let f = Fmt { lang: Lang::En, zone: TimeZone::get("Asia/Shanghai").unwrap() };
        let ms = moment(&f, "2026-11-20T14:30").unwrap();
        assert_eq!(ms, 1_795_156_200_000);
        assert_eq!(typed(&f, ms), "2026-11-20T14:30");
        assert_eq!((moment(&f, ""), moment(&f, "noon")), (None, None));
    }
}

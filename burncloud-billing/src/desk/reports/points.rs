//! Sums by the hour or day, and the parts of each.

use super::books::Point;
use super::span::{Grain, Spans, Window, bins};
use super::tally::{Asked, By, Of, Tallies, Tally};
use super::view::{Customer, Sight, Source};
use burncloud_core::store::{Dim, StoreResult, Who};
use burncloud_core::{Nano, UnixMicros, UserId};
use std::collections::BTreeMap;

/// Each hour or day of a span, those without a request too, and what each slice brought in.
pub(super) struct Points {
    all: BTreeMap<UnixMicros, (Tally, Vec<Nano>)>,
    parts: usize,
}

impl Points {
    /// With so many parts of nothing yet.
    pub(super) fn new(sight: &Sight, spans: Spans, all: &Tallies, parts: usize) -> Points {
        let begin = bins(&sight.zone, spans.now, spans.grain).into_iter();
        let all_of_none = begin.map(|at| (at, (Tally::default(), vec![Nano::ZERO; parts]))).collect();
        let mut points = Points { all: all_of_none, parts };
        for ((at, _), tally) in all {
            points.at(*at).0.add(tally);
        }
        points
    }

    fn at(&mut self, at: UnixMicros) -> &mut (Tally, Vec<Nano>) {
        let parts = self.parts;
        self.all.entry(at).or_insert_with(|| (Tally::default(), vec![Nano::ZERO; parts]))
    }

    /// Each part from what was told apart by time; what is not among the first is of the others.
    pub(super) fn parts(&mut self, told_apart: Tallies, top: &[(Of, Tally)]) {
        for ((at, of), tally) in told_apart {
            let place = top.iter().position(|(known, _)| *known == of).unwrap_or(top.len());
            if let Some(part) = self.at(at).1.get_mut(place) {
                *part = part.plus(tally.value());
            }
        }
    }

    /// The parts of the few customers of the house that are told apart, tenants all at once and each user by itself, and of
    /// the others what is left of the whole: day by day all customers are as many rows as they have requests.
    pub(super) async fn customers<'a, S: Source + ?Sized>(
        &mut self,
        asked: &impl Fn(Window, Option<By>, Option<Grain>) -> Asked<'a, S>,
        spans: Spans,
        top: &[(Of, Tally)],
        others: bool,
    ) -> StoreResult<()> {
        let whole = || asked(spans.now, None, Some(spans.grain));
        let sight = whole().sight;
        let (mut tenants, mut users) = (BTreeMap::new(), Vec::new());
        for (place, (of, _)) in top.iter().enumerate() {
            match of {
                Of::Customer(tenant @ Customer::Tenant(_)) => drop(tenants.insert(*tenant, place)),
                Of::Customer(Customer::User(user)) => users.push((*user, place)),
                _ => {}
            }
        }
        if !tenants.is_empty() {
            for (at, row) in whole().usage(sight.who(), vec![Dim::Tenant]).await? {
                let customer = sight.customer(UserId::default(), row.tenant.unwrap_or_default());
                if let Some(place) = tenants.get(&customer) {
                    let part = &mut self.at(at).1[*place];
                    *part = part.plus(row.revenue);
                }
            }
        }
        for (user, place) in users {
            let only = Some(Who::User(user));
            for ((at, _), tally) in (Asked { only, ..whole() }).tallies().await? {
                self.at(at).1[place] = tally.value();
            }
        }
        if others {
            for (whole, parts) in self.all.values_mut() {
                parts[top.len()] = parts.iter().fold(whole.value(), |left, part| left.minus(*part));
            }
        }
        Ok(())
    }

    /// In their order.
    pub(super) fn drawn(self) -> Vec<Point> {
        let point = |(at, (tally, parts)): (_, (Tally, _))| Point { at, sums: tally.sums(), parts };
        self.all.into_iter().map(point).collect()
    }
}

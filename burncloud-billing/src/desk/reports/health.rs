//! How well each account did, by the hour: the house's alone.

use super::names::Names;
use super::view::{Sight, Source};
use crate::desk::Desk;
use crate::people::Actor;
use burncloud_core::store::{Dim, Step, UsageQuery};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, UnixMicros};
use serde::Serialize;
use std::collections::BTreeMap;

const HOUR_US: i64 = 3_600_000_000;
/// The longest time: a week.
const MOST_HOURS: u32 = 168;

/// An hour of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HealthHour {
    /// When it begins.
    pub at: UnixMicros,
    /// How often it was asked.
    pub attempts: u64,
    /// How often it gave no answer, or none that could be used.
    pub failed: u64,
    /// From arrival to the first word, on average, in microseconds; `None` where it answered nothing.
    pub first_us: Option<u64>,
}

/// An account's hours, the oldest first, none left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelHealth {
    /// Which.
    pub channel: ChannelId,
    /// Its name; `None` where it is gone.
    pub name: Option<String>,
    /// Its provider.
    pub provider: Option<String>,
    /// All hours together; `at` is the first one's.
    pub all: HealthHour,
    /// Each hour.
    pub hours: Vec<HealthHour>,
}

impl Desk {
    /// How well each account did in the last `hours` (1 to 168, this one included), by name; those that were not asked too.
    ///
    /// # Errors
    /// `Forbidden` but for the house, the store's.
    pub async fn channel_health(&self, actor: &Actor, hours: u32) -> UseCaseResult<Vec<ChannelHealth>> {
        channel_health(&*self.store, actor, hours, UnixMicros::now()).await
    }
}

pub(super) async fn channel_health<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    hours: u32,
    now: UnixMicros,
) -> UseCaseResult<Vec<ChannelHealth>> {
    let sight = Sight::of(store, actor).await?;
    sight.house_only("accounts")?;
    let hours = i64::from(hours.clamp(1, MOST_HOURS));
    let last = now.0.div_euclid(HOUR_US) * HOUR_US;
    let first = last - (hours - 1) * HOUR_US;
    let query = UsageQuery {
        since: UnixMicros(first),
        until: UnixMicros(now.0.max(first + 1)),
        step: Step::Hour,
        by: vec![Dim::Channel],
        who: sight.who(),
        ..UsageQuery::default()
    };
    let names = Names::load(store, &sight, [], []).await?.channels;
    let mut sums: BTreeMap<ChannelId, Vec<[u64; 4]>> =
        names.keys().map(|id| (*id, vec![[0; 4]; hours as usize])).collect();
    for row in store.usage(&query).await? {
        let Some(channel) = row.channel else { continue };
        let of = sums.entry(channel).or_insert_with(|| vec![[0; 4]; hours as usize]);
        let place = usize::try_from((row.start.0 - first).div_euclid(HOUR_US)).unwrap_or(usize::MAX);
        if let Some(hour) = of.get_mut(place) {
            let more = [row.attempts, row.attempts_failed, row.begun, row.waited_us];
            hour.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
    }
    let hour = |at: i64, [attempts, failed, begun, waited]: [u64; 4]| HealthHour {
        at: UnixMicros(at),
        attempts,
        failed,
        first_us: waited.checked_div(begun),
    };
    let mut out: Vec<ChannelHealth> = sums
        .into_iter()
        .map(|(channel, sums)| {
            let mut all = [0_u64; 4];
            for of in &sums {
                all.iter_mut().zip(of).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
            }
            let known = names.get(&channel);
            let hours = (0..).zip(sums).map(|(n, of)| hour(first + n * HOUR_US, of)).collect();
            let (name, provider) = known.cloned().unzip();
            ChannelHealth { channel, name, provider, all: hour(first, all), hours }
        })
        .collect();
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

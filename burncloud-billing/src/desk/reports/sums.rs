//! Sums for a shelf of models and a list of accounts.

use super::span::{date_of, midnight};
use super::view::{Sight, Source};
use crate::desk::Desk;
use crate::people::Actor;
use burncloud_core::store::{Dim, UsageQuery, UsageRow};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, Nano, UnixMicros};
use serde::Serialize;
use std::collections::BTreeMap;

const DAY_US: i64 = 24 * 3_600_000_000;
/// Days over which the average buying price is taken.
const DAYS: i64 = 7;

/// What an account took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountSums {
    /// What its provider is expected to bill for today, by the clock of whoever asks.
    pub today: Nano,
    /// What a million tokens cost on average over the last week; `None` where none were bought.
    pub per_million: Option<Nano>,
}

/// How requests for a model went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModelSums {
    /// Requests.
    pub requests: u64,
    /// Of ten thousand requests that were not the caller's fault so many were answered, rounded down; `None` without any.
    pub answered_permyriad: Option<u64>,
    /// From arrival to the first word, on average, in microseconds.
    pub first_us: Option<u64>,
}

impl Desk {
    /// What each account took, by channel; those that were never used are not in it.
    ///
    /// # Errors
    /// `Forbidden` but for the house, the store's.
    pub async fn account_sums(&self, actor: &Actor) -> UseCaseResult<BTreeMap<ChannelId, AccountSums>> {
        account_sums(&*self.store, actor, UnixMicros::now()).await
    }

    /// How the requests of the last 24 hours went that the actor sees, by model.
    ///
    /// # Errors
    /// The store's.
    pub async fn model_sums(&self, actor: &Actor) -> UseCaseResult<BTreeMap<String, ModelSums>> {
        model_sums(&*self.store, actor, UnixMicros::now()).await
    }
}

async fn account_sums<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    now: UnixMicros,
) -> UseCaseResult<BTreeMap<ChannelId, AccountSums>> {
    let sight = Sight::of(store, actor).await?;
    sight.house_only("accounts")?;
    let today = midnight(&sight.zone, date_of(&sight.zone, now)?)?;
    let query = |since: i64| UsageQuery {
        since: UnixMicros(since),
        until: UnixMicros(now.0.max(since + 1)),
        by: vec![Dim::Channel],
        who: sight.who(),
        ..UsageQuery::default()
    };
    let mut out: BTreeMap<ChannelId, AccountSums> = BTreeMap::new();
    for row in store.usage(&query(now.0 - DAYS * DAY_US)).await? {
        if let Some(channel) = row.channel {
            out.entry(channel).or_default().per_million = per_million(&row);
        }
    }
    for row in store.usage(&query(today.0)).await? {
        if let Some(channel) = row.channel {
            out.entry(channel).or_default().today = row.cost;
        }
    }
    Ok(out)
}

fn per_million(row: &UsageRow) -> Option<Nano> {
    let tokens = i128::from(row.tokens_in) + i128::from(row.tokens_out);
    let cost = i128::from(row.cost.0) * 1_000_000;
    (tokens > 0).then(|| Nano(i64::try_from(cost / tokens).unwrap_or(i64::MAX)))
}

async fn model_sums<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    now: UnixMicros,
) -> UseCaseResult<BTreeMap<String, ModelSums>> {
    let sight = Sight::of(store, actor).await?;
    let query = UsageQuery {
        since: UnixMicros(now.0 - DAY_US),
        until: now,
        by: vec![Dim::Model],
        who: sight.who(),
        ..UsageQuery::default()
    };
    let sums = |row: &UsageRow| {
        let ours = row.requests.saturating_sub(row.refused);
        let answered = u128::from(ours.saturating_sub(row.failed)) * 10_000;
        ModelSums {
            requests: row.requests,
            answered_permyriad: answered.checked_div(ours.into()).and_then(|share| u64::try_from(share).ok()),
            first_us: row.waited_us.checked_div(row.begun),
        }
    };
    let rows = store.usage(&query).await?;
    Ok(rows.iter().filter_map(|row| Some((row.model.clone()?, sums(row)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::store::{MemoryStore, NewUser, ReceiptStore, UserStore};
    use burncloud_core::testing::receipt;
    use burncloud_core::{Attempt, End, Receipt, ReceiptId, Usage, UserId};
    use std::sync::Arc;

    fn asked(n: u64, user: i64, at: i64, model: &str, end: End) -> Arc<Receipt> {
        let at = UnixMicros(at);
        let ok = end == End::Finished;
        let attempt = Attempt { channel: ChannelId(7), status: ok.then_some(200), error: None, took_us: 9 };
        Arc::new(Receipt {
            id: ReceiptId::new(at),
            at,
            user: UserId(user),
            model: model.into(),
            channel: ok.then_some(ChannelId(7)),
            attempts: vec![attempt],
            end,
            status: if ok { 200 } else { 502 },
            usage: Usage { input: 300_000, output: 200_000, ..Usage::default() },
            upstream_cost: Nano(if ok { 1_000_000_000 } else { 0 }),
            first_byte_us: ok.then_some(400_000),
            ..receipt(n)
        })
    }

    #[tokio::test]
    async fn accounts_are_summed_for_the_house_alone() {
        let store = MemoryStore::default();
        // Noon of a day, so that an hour ago is today and thirty hours ago is not.
        let now = 20_000 * DAY_US + DAY_US / 2;
        let hour = DAY_US / 24;
        let all =
            [asked(1, 1, now - hour, "m", End::Finished), asked(2, 1, now - 30 * hour, "m", End::Finished)];
        store.record(&all).await.unwrap();
        let owner = Actor::operator("boss");
        let sums = account_sums(&store, &owner, UnixMicros(now)).await.unwrap();
        let wanted = AccountSums { today: Nano(1_000_000_000), per_million: Some(Nano(2_000_000_000)) };
        assert_eq!(sums, [(ChannelId(7), wanted)].into());
        let tenant = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let user =
            store.create_user(NewUser { name: "u".into(), tenant, ..NewUser::default() }).await.unwrap();
        assert!(account_sums(&store, &Actor::of(&user), UnixMicros(now)).await.is_err());
    }

    #[tokio::test]
    async fn models_are_summed_over_what_one_sees() {
        let store = MemoryStore::default();
        let tenant = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let user =
            store.create_user(NewUser { name: "u".into(), tenant, ..NewUser::default() }).await.unwrap();
        let now = 20_000 * DAY_US;
        let (mine, other) = (user.id.0, user.id.0 + 1);
        let all = [
            asked(1, mine, now - 9_000_000, "m", End::Finished),
            asked(2, mine, now - 8_000_000, "m", End::UpstreamFailed),
            asked(3, other, now - 7_000_000, "theirs", End::Finished),
        ];
        store.record(&all).await.unwrap();
        let sums = model_sums(&store, &Actor::of(&user), UnixMicros(now)).await.unwrap();
        let wanted = ModelSums { requests: 2, answered_permyriad: Some(5_000), first_us: Some(400_000) };
        assert_eq!(sums, [("m".to_owned(), wanted)].into());
        let sums = model_sums(&store, &Actor::operator("boss"), UnixMicros(now)).await.unwrap();
        assert_eq!(sums.len(), 2);
    }
}

//! Looking at accounts before and while they are used: nothing here costs anything at the provider.

use super::NewChannel;
use crate::desk::{Actor, Desk};
use crate::people::Action;
use burncloud_core::routing::Timeouts;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::usecase::channels::{self as rules, Probe, ProbeOutcome, Speed, SpeedOf};
use burncloud_core::{ChannelConfig, ChannelId, Status};
use serde::Serialize;
use std::time::Duration;

/// How many accounts are timed beside one another.
const AT_ONCE: usize = 8;

/// What a look at an account came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// In one word: `works`, `credential_refused`, `unreachable`, `out_of_credit`, `rate_limited`, `odd`, `uncheckable`.
    pub outcome: &'static str,
    /// The provider's status, where the outcome is `odd`.
    pub status: Option<u16>,
    /// In a sentence for the operator, without any secret.
    pub message: String,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// What the provider lists.
    pub models: Vec<Known>,
}

/// A model that a provider lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The name to ask for.
    pub name: String,
    /// The name to show.
    pub display: Option<String>,
    /// How many tokens of input it takes, as the provider counts.
    pub context_window: Option<u64>,
    /// How many tokens it answers with at most.
    pub max_output: Option<u64>,
}

/// How fast an account answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timed {
    /// Which channel; 0 for one that is not kept.
    pub channel: ChannelId,
    /// Its name.
    pub name: String,
    /// How long it took on a new connection, in microseconds; `None` without an answer.
    pub took_us: Option<u64>,
    /// What was timed: `list` (the first page of the list of models) or `connect`.
    pub how: &'static str,
    /// In a sentence for the operator, without any secret.
    pub message: String,
}

impl Desk {
    /// Looks at the account of a channel: whether the credential is good, and which models it lists.
    ///
    /// # Errors
    /// `Forbidden`; `Store(NotFound)`; `Invalid` for one that could not be used whatever the provider says.
    pub async fn probe_channel(&self, actor: &Actor, id: ChannelId) -> UseCaseResult<Found> {
        let channel = self.channel_config(actor, id).await?;
        self.look(&channel).await
    }

    /// Looks at an account that is not kept yet. It may name no model: which there are is what one wants to know.
    ///
    /// # Errors
    /// As [`probe_channel`](Desk::probe_channel).
    pub async fn probe_new_channel(&self, actor: &Actor, new: NewChannel) -> UseCaseResult<Found> {
        actor.check_in_house(Action::ManageHouse)?;
        self.look(&new.into_config()).await
    }

    /// Times one channel.
    ///
    /// # Errors
    /// As [`probe_channel`](Desk::probe_channel).
    pub async fn time_channel(&self, actor: &Actor, id: ChannelId) -> UseCaseResult<Timed> {
        let channel = self.channel_config(actor, id).await?;
        let speed = rules::speed(&self.registry, &channel, &Timeouts::default()).await?;
        Ok(timed(&channel, speed))
    }

    /// Times every channel that is switched on, some beside one another.
    ///
    /// # Errors
    /// `Forbidden`; the store's.
    pub async fn time_channels(&self, actor: &Actor) -> UseCaseResult<Vec<Timed>> {
        actor.check_in_house(Action::ManageHouse)?;
        let all = self.store.channels().await?.into_iter();
        let mut waiting = all.filter(|channel| channel.status == Status::Active);
        let mut running = tokio::task::JoinSet::new();
        let mut done = Vec::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(channel) = waiting.next()
            {
                let registry = self.registry.clone();
                running.spawn(async move {
                    let speed = rules::speed(&registry, &channel, &Timeouts::default()).await;
                    let failed = |error: &dyn std::fmt::Display| Speed {
                        took: None,
                        how: SpeedOf::Connect,
                        message: error.to_string(),
                    };
                    let speed = speed.unwrap_or_else(|error| failed(&error));
                    timed(&channel, speed)
                });
            }
            match running.join_next().await {
                // A look that panicked has no answer; the others have.
                Some(answer) => done.extend(answer.ok()),
                None => break,
            }
        }
        done.sort_by_key(|timed: &Timed| timed.channel);
        Ok(done)
    }

    async fn look(&self, channel: &ChannelConfig) -> UseCaseResult<Found> {
        let Probe { outcome, message, took, models } =
            rules::probe(&self.registry, channel, &Timeouts::default()).await?;
        let (outcome, status) = match outcome {
            ProbeOutcome::Works => ("works", None),
            ProbeOutcome::CredentialRefused => ("credential_refused", None),
            ProbeOutcome::Unreachable => ("unreachable", None),
            ProbeOutcome::OutOfCredit => ("out_of_credit", None),
            ProbeOutcome::RateLimited => ("rate_limited", None),
            ProbeOutcome::Odd(status) => ("odd", Some(status)),
            ProbeOutcome::Uncheckable => ("uncheckable", None),
        };
        let models = models.into_iter().map(|model| Known {
            name: model.name,
            display: model.display,
            context_window: model.context_window,
            max_output: model.max_output,
        });
        Ok(Found { outcome, status, message, took_us: micros(took), models: models.collect() })
    }
}

fn timed(channel: &ChannelConfig, speed: Speed) -> Timed {
    Timed {
        channel: channel.id,
        name: channel.name.clone(),
        took_us: speed.took.map(micros),
        how: match speed.how {
            SpeedOf::List => "list",
            SpeedOf::Connect => "connect",
        },
        message: speed.message,
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

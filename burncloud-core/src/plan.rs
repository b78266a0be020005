//! Plans: what becomes of the money when an answer does not come to its end.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is charged for a request that ended otherwise than with the provider's last byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "charge", deny_unknown_fields)]
pub enum AbortPolicy {
    /// What was delivered: the provider's report, but at least an estimate of what was received.
    #[default]
    Delivered,
    /// What the provider reports. When the caller goes away the answer is read on, for so long at most, to
    /// learn it; without a report in that time, as [`Delivered`](AbortPolicy::Delivered).
    Reported {
        /// The bound, in milliseconds.
        drain_ms: u32,
    },
    /// Nothing.
    Nothing,
}

impl AbortPolicy {
    /// Which one it is, without its bound.
    #[must_use]
    pub fn kind(self) -> AbortKind {
        match self {
            AbortPolicy::Delivered => AbortKind::Delivered,
            AbortPolicy::Reported { .. } => AbortKind::Reported,
            AbortPolicy::Nothing => AbortKind::Nothing,
        }
    }

    /// How long an answer is read on after its caller went away.
    #[must_use]
    pub fn drain(self) -> Option<Duration> {
        match self {
            AbortPolicy::Reported { drain_ms } if drain_ms > 0 => {
                Some(Duration::from_millis(u64::from(drain_ms)))
            }
            _ => None,
        }
    }
}

/// An [`AbortPolicy`] as a receipt names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbortKind {
    /// [`AbortPolicy::Delivered`]
    Delivered,
    /// [`AbortPolicy::Reported`]
    Reported,
    /// [`AbortPolicy::Nothing`]
    Nothing,
}

/// A plan: the terms that users and tenants are given by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The operator's name for it; unique.
    pub name: String,
    /// What unfinished answers cost.
    pub abort: AbortPolicy,
}

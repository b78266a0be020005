//! Receipts: the one immutable record that each request leaves.

use crate::{
    AbortKind, ChannelId, Dialect, KeyId, Nano, Operation, ReceiptId, TenantId, TraceId, UnixMicros, Usage,
    UsageSource, UserId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The provider's answer went out to its last byte (an error answer of the provider too: see `status`).
    #[default]
    Finished,
    /// The gateway refused it before any provider was asked.
    Refused,
    /// No provider gave an answer.
    UpstreamFailed,
    /// The provider's answer broke off, or ended without its dialect's closing event.
    UpstreamCut,
    /// The provider fell silent, or took longer than allowed.
    TimedOut,
    /// The provider reported an error inside an answer that had begun.
    UpstreamError,
    /// The caller went away.
    CallerGone,
    /// The gateway was stopped by force while the request was under way; settled on restart.
    Orphaned,
}

impl End {
    /// The name used in storage and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            End::Finished => "finished",
            End::Refused => "refused",
            End::UpstreamFailed => "upstream_failed",
            End::UpstreamCut => "upstream_cut",
            End::TimedOut => "timed_out",
            End::UpstreamError => "upstream_error",
            End::CallerGone => "caller_gone",
            End::Orphaned => "orphaned",
        }
    }

    /// The end of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<End> {
        use End as E;
        [
            E::Finished,
            E::Refused,
            E::UpstreamFailed,
            E::UpstreamCut,
            E::TimedOut,
            E::UpstreamError,
            E::CallerGone,
            E::Orphaned,
        ]
        .into_iter()
        .find(|end| end.as_str() == name)
    }
}

/// One attempt to have a request answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which channel was asked.
    pub channel: ChannelId,
    /// The status it answered with; `None` when there was no answer.
    pub status: Option<u16>,
    /// Why there was none, or why the answer was not used. A fixed text without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// From the start of the attempt to its head or failure, in microseconds.
    pub took_us: u32,
}

/// The `error` of an attempt that the caller did not wait for: nobody's failure.
pub(crate) const CALLER_LEFT: &str = "the caller went away";

impl Attempt {
    /// Whether the channel gave no answer, or not one that could be used: what lets another channel be asked, if there is
    /// one. An answer that says what is wrong with the request is one; a caller who did not wait for it is no failure.
    #[must_use]
    pub fn failed(&self) -> bool {
        match (self.status, self.error.as_deref()) {
            (_, Some(error)) => error != CALLER_LEFT,
            (None, None) => true,
            (Some(status), None) => matches!(status, 100..=199 | 300..=399 | 401..=403 | 408 | 429 | 500..),
        }
    }
}

/// What one line of a receipt charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// [`Usage::input`]
    Input,
    /// [`Usage::cached_read`]
    CachedRead,
    /// [`Usage::cache_write_5m`]
    CacheWrite5m,
    /// [`Usage::cache_write_1h`]
    CacheWrite1h,
    /// [`Usage::output`]
    Output,
    /// [`Usage::reasoning`]
    Reasoning,
    /// [`Usage::audio_in`]
    AudioIn,
    /// [`Usage::audio_out`]
    AudioOut,
    /// [`Usage::image_in`]
    ImageIn,
    /// [`Usage::image_out`]
    ImageOut,
    /// [`Usage::pieces`]
    Piece,
    /// [`Usage::audio_ms`], a unit being one millisecond
    AudioTime,
    /// The request itself
    Request,
    /// [`Usage::video_ms`], a unit being one millisecond
    VideoTime,
    /// [`Usage::web_searches`]
    WebSearch,
    /// [`Usage::file_searches`]
    FileSearch,
    /// [`Usage::code_sessions`]
    CodeSession,
}

/// One line: `units` at `price` per million, rounded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What for.
    pub kind: LineKind,
    /// How many.
    pub units: u64,
    /// Nano-dollars per million units.
    pub price: Nano,
    /// What that comes to.
    pub amount: Nano,
}

/// What one tenant on the path from the user to the house paid its parent for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Who paid.
    pub tenant: TenantId,
    /// Whom.
    pub parent: TenantId,
    /// How much, but never more than there was.
    pub charge: Nano,
    /// What it comes to beyond that.
    #[serde(default)]
    pub shortfall: Nano,
}

/// One request, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Identity; what makes shipping idempotent.
    pub id: ReceiptId,
    /// The trace the caller and the logs know it by.
    pub trace_id: TraceId,
    /// When it arrived.
    pub at: UnixMicros,
    /// The key that called.
    pub key: KeyId,
    /// Its owner, who pays.
    pub user: UserId,
    /// The owner's tenant.
    pub tenant: TenantId,
    /// The wire format it spoke.
    pub dialect: Dialect,
    /// What it asked.
    pub operation: Operation,
    /// The model asked for; empty when the request was refused before it was known.
    pub model: Arc<str>,
    /// The model the provider was asked for; empty when none was asked.
    pub upstream_model: Arc<str>,
    /// The channel whose answer the caller got.
    pub channel: Option<ChannelId>,
    /// The provider's own id of the exchange, where its headers have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<Box<str>>,
    /// Whether the answer was a stream of events.
    pub streamed: bool,
    /// The HTTP status the caller got, or would have got.
    pub status: u16,
    /// Why it ended.
    pub end: End,
    /// Each attempt, in order.
    pub attempts: Vec<Attempt>,
    /// What was used.
    pub usage: Usage,
    /// How that is known.
    pub usage_source: UsageSource,
    /// The version of the price book that rated it; 0 when nothing was rated.
    pub price_version: u64,
    /// The lines of the charge.
    pub lines: Vec<Line>,
    /// What was reserved before dispatch.
    pub reserved: Nano,
    /// What the caller pays: the sum of the lines, but never more than there was.
    pub charge: Nano,
    /// What the lines come to beyond the charge, because quota or balance did not hold more.
    pub shortfall: Nano,
    /// What each tenant on the user's path paid its parent, from the user's own tenant upwards; tenants of the house
    /// itself pay nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<Leg>,
    /// Where the answer did not come to its end: by which policy it was charged. `end` says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<AbortKind>,
    /// What the provider is expected to bill the operator.
    pub upstream_cost: Nano,
    /// From arrival to the first byte of the answer, in microseconds; `None` if none came.
    pub first_byte_us: Option<u32>,
    /// From arrival to the end, in microseconds.
    pub took_us: u64,
    /// Bytes of the caller's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_failed_where_another_channel_may_do_better() {
        let attempt = |status, error: Option<&str>| Attempt {
            channel: ChannelId(1),
            status,
            error: error.map(str::to_owned),
            took_us: 1,
        };
        for status in [200, 206, 400, 404, 413, 422] {
            assert!(!attempt(Some(status), None).failed(), "{status}");
        }
        for status in [101, 302, 401, 403, 408, 429, 500, 503, 529] {
            assert!(attempt(Some(status), None).failed(), "{status}");
        }
        assert!(attempt(None, None).failed());
        assert!(attempt(None, Some("refused")).failed());
        assert!(attempt(Some(200), Some("its body is no JSON")).failed());
        assert!(!attempt(None, Some(CALLER_LEFT)).failed());
    }
}

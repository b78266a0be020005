//! Where the fault of a request lies, and what became of each attempt: words of one receipt, as codes.

use super::view::Sight;
use burncloud_core::store::Outcome;
use burncloud_core::{Attempt, End, Receipt};
use serde::{Serialize, Serializer};

/// Where the fault of a request lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller's: what was asked, the money, the limits, or nobody waited for the answer.
    Caller,
    /// The gateway's, or of what the operator set up: no account could take it, a credential is wrong, it was stopped.
    Gateway,
    /// The way to the provider: it could not be reached, or the line broke.
    Network,
    /// The provider's.
    Provider,
}

/// Why a request or an attempt was not answered: a code that pages put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 401, 403: the account's credential is wrong or may not do this.
    Credential,
    /// 402: the account has no money left.
    AccountEmpty,
    /// 408, 504: not in time.
    TooSlow,
    /// 429: too many requests or tokens.
    TooBusy,
    /// 5xx: it failed.
    Failed,
    /// A redirect or another answer that a provider should not give.
    Odd,
    /// It could not be reached.
    Unreachable,
    /// The line broke, before the answer or within it.
    BrokeOff,
    /// It reported an error within an answer that had begun.
    ErrorInside,
    /// What it said could not be read or used.
    Unreadable,
    /// No money for this account: it was not asked.
    NotAfforded,
    /// The caller went away.
    CallerLeft,
    /// The gateway was stopped by force.
    Stopped,
    /// No account could take it.
    NoAccount,
    /// The key is not known, or may not do this.
    KeyRefused,
    /// The caller's money, quota or budget is used up.
    NoCredit,
    /// The caller's own limit of requests or tokens.
    CallerLimit,
    /// The request is larger than it may be.
    TooLong,
    /// There is no such model or path for this caller.
    Unknown,
    /// The request is wrong in itself.
    BadRequest,
}

/// What became of an attempt; `None` where it was answered. The texts are the gateway's own, and fixed.
#[must_use]
pub fn reason(attempt: &Attempt) -> Option<Reason> {
    match (attempt.status, attempt.error.as_deref()) {
        (_, Some(error)) => Some(of_text(error)),
        (None, None) => Some(Reason::Failed),
        (Some(status), None) => of_status(status),
    }
}

fn of_status(status: u16) -> Option<Reason> {
    match status {
        200..=299 => None,
        401 | 403 => Some(Reason::Credential),
        402 => Some(Reason::AccountEmpty),
        408 | 504 => Some(Reason::TooSlow),
        413 => Some(Reason::TooLong),
        429 => Some(Reason::TooBusy),
        404 => Some(Reason::Unknown),
        400..=499 => Some(Reason::BadRequest),
        500.. => Some(Reason::Failed),
        _ => Some(Reason::Odd),
    }
}

fn of_text(error: &str) -> Reason {
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if has(&["caller went away"]) {
        Reason::CallerLeft
    } else if has(&["cannot be reached", "could not be asked"]) {
        Reason::Unreachable
    } else if has(&["in time", "fell silent", "did not answer"]) {
        Reason::TooSlow
    } else if has(&["broke off", "ended without"]) {
        Reason::BrokeOff
    } else if has(&["cannot be read", "too long", "is damaged", "names no", "has no", "no JSON"]) {
        Reason::Unreadable
    } else if has(&["below its cost", "budget", "quota", "balance", "price"]) {
        Reason::NotAfforded
    } else if has(&["credential"]) {
        Reason::Credential
    } else {
        Reason::Failed
    }
}

/// The last attempt at a provider that was not answered.
fn last_failed(receipt: &Receipt) -> Option<Reason> {
    let failed = receipt.attempts.iter().rev().filter_map(reason);
    failed.into_iter().find(|reason| !matches!(reason, Reason::NotAfforded | Reason::CallerLeft))
}

/// Why a request was not answered, or not to its end; `None` where it was.
///
/// | how it ended | reason |
/// |---|---|
/// | refused before any provider was asked | by its status: key, credit, limit, length, model; 5xx: no account |
/// | the caller went away | that |
/// | stopped by force | that |
/// | broke off, fell silent, error inside | that |
/// | no provider answered | that of the last attempt |
/// | the provider's own error went out | by its status |
#[must_use]
pub fn why(receipt: &Receipt) -> Option<Reason> {
    match (receipt.end, receipt.status) {
        (End::CallerGone, _) => Some(Reason::CallerLeft),
        (End::Orphaned, _) => Some(Reason::Stopped),
        (End::UpstreamCut, _) => Some(Reason::BrokeOff),
        (End::UpstreamError, _) => Some(Reason::ErrorInside),
        (End::TimedOut, _) => {
            Some(last_failed(receipt).filter(|why| *why == Reason::Unreachable).unwrap_or(Reason::TooSlow))
        }
        (End::UpstreamFailed, _) => Some(last_failed(receipt).unwrap_or(Reason::NoAccount)),
        (End::Refused, status) => match status {
            401 | 403 => Some(Reason::KeyRefused),
            402 => Some(Reason::NoCredit),
            404 | 405 | 501 => Some(Reason::Unknown),
            413 => Some(Reason::TooLong),
            429 => Some(Reason::CallerLimit),
            500.. => Some(Reason::NoAccount),
            400.. => Some(Reason::BadRequest),
            _ => None,
        },
        (End::Finished, status) => match status {
            200..=399 => None,
            status => of_status(status),
        },
    }
}

/// Where the fault lies; `None` where the request was answered. By [`why`]: what the caller did or has not paid for is the
/// caller's; a credential, a missing account and a stop are the gateway's; what could not be reached or broke is the
/// network's; the rest is the provider's.
#[must_use]
pub fn fault(receipt: &Receipt) -> Option<Fault> {
    why(receipt).map(of_reason)
}

/// Where the fault lies of what is not answered for that reason.
pub(super) fn of_reason(reason: Reason) -> Fault {
    match reason {
        // The gateway refused it, or the provider said that the request itself is wrong.
        Reason::KeyRefused
        | Reason::NoCredit
        | Reason::CallerLimit
        | Reason::TooLong
        | Reason::Unknown
        | Reason::BadRequest
        | Reason::CallerLeft => Fault::Caller,
        Reason::Credential | Reason::NoAccount | Reason::NotAfforded | Reason::Stopped => Fault::Gateway,
        Reason::Unreachable | Reason::BrokeOff => Fault::Network,
        Reason::AccountEmpty
        | Reason::TooSlow
        | Reason::TooBusy
        | Reason::Failed
        | Reason::Odd
        | Reason::ErrorInside
        | Reason::Unreadable => Fault::Provider,
    }
}

impl Fault {
    /// As others than the house are told: how it reaches its providers is its own affair.
    pub(super) fn shown(self, sight: &Sight) -> Fault {
        match self {
            Fault::Network | Fault::Provider if !sight.is_house() => Fault::Provider,
            fault => fault,
        }
    }
}

impl Reason {
    /// As others than the house are told: what is wrong with an account is its own affair.
    pub(super) fn shown(self, sight: &Sight) -> Reason {
        match self {
            Reason::Credential
            | Reason::AccountEmpty
            | Reason::Odd
            | Reason::Unreachable
            | Reason::Unreadable
            | Reason::NotAfforded
                if !sight.is_house() =>
            {
                Reason::Failed
            }
            reason => reason,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn outcome<S: Serializer>(outcome: &Outcome, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(outcome_name(*outcome))
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::ChannelId;

    fn attempt(status: Option<u16>, error: Option<&str>) -> Attempt {
        Attempt { channel: ChannelId(1), status, error: error.map(str::to_owned), took_us: 1 }
    }

    fn receipt(end: End, status: u16, attempts: Vec<Attempt>) -> Receipt {
        Receipt { end, status, attempts, ..burncloud_core::testing::receipt(1) }
    }

    #[test]
    fn every_fault_lies_where_the_table_says() {
        let said = |status| vec![attempt(Some(status), None)];
        let text = |error| vec![attempt(None, Some(error))];
        let (cannot, late) = ("the provider cannot be reached", "the provider cannot be reached in time");
        for (end, status, attempts, reason, fault) in [
            (End::Refused, 401, vec![], Reason::KeyRefused, Fault::Caller),
            (End::Refused, 402, vec![], Reason::NoCredit, Fault::Caller),
            (End::Refused, 404, vec![], Reason::Unknown, Fault::Caller),
            (End::Refused, 413, vec![], Reason::TooLong, Fault::Caller),
            (End::Refused, 429, vec![], Reason::CallerLimit, Fault::Caller),
            (End::Refused, 400, vec![], Reason::BadRequest, Fault::Caller),
            (End::Refused, 503, vec![], Reason::NoAccount, Fault::Gateway),
            (End::CallerGone, 200, said(200), Reason::CallerLeft, Fault::Caller),
            (End::Finished, 400, said(400), Reason::BadRequest, Fault::Caller),
            (End::Finished, 413, said(413), Reason::TooLong, Fault::Caller),
            (End::Finished, 429, said(429), Reason::TooBusy, Fault::Provider),
            (End::Finished, 500, said(500), Reason::Failed, Fault::Provider),
            (End::Finished, 504, said(504), Reason::TooSlow, Fault::Provider),
            (End::UpstreamFailed, 502, said(401), Reason::Credential, Fault::Gateway),
            (End::UpstreamFailed, 502, said(402), Reason::AccountEmpty, Fault::Provider),
            (End::UpstreamFailed, 502, said(302), Reason::Odd, Fault::Provider),
            (End::UpstreamFailed, 502, said(503), Reason::Failed, Fault::Provider),
            (End::UpstreamFailed, 502, text(cannot), Reason::Unreachable, Fault::Network),
            (End::TimedOut, 504, text(late), Reason::Unreachable, Fault::Network),
            (
                End::TimedOut,
                504,
                text("the provider did not answer in time"),
                Reason::TooSlow,
                Fault::Provider,
            ),
            (
                End::UpstreamFailed,
                502,
                text("the provider broke off before it answered"),
                Reason::BrokeOff,
                Fault::Network,
            ),
            (
                End::UpstreamFailed,
                502,
                text("the provider's answer cannot be read"),
                Reason::Unreadable,
                Fault::Provider,
            ),
            (End::UpstreamFailed, 502, vec![], Reason::NoAccount, Fault::Gateway),
            (End::UpstreamCut, 200, said(200), Reason::BrokeOff, Fault::Network),
            (End::UpstreamError, 200, said(200), Reason::ErrorInside, Fault::Provider),
            (End::Orphaned, 200, said(200), Reason::Stopped, Fault::Gateway),
        ] {
            let of = receipt(end, status, attempts);
            assert_eq!((why(&of), super::fault(&of)), (Some(reason), Some(fault)), "{end:?} {status}");
        }
        for answered in [receipt(End::Finished, 200, said(200)), receipt(End::Finished, 304, said(304))] {
            assert_eq!((why(&answered), super::fault(&answered)), (None, None));
        }
    }

    #[test]
    fn an_attempt_that_was_not_made_is_no_reason() {
        let attempts = vec![
            attempt(Some(429), None),
            attempt(None, Some("this would be sold below its cost")),
            attempt(None, Some("the caller went away")),
        ];
        assert_eq!(reason(&attempts[1]), Some(Reason::NotAfforded));
        assert_eq!(why(&receipt(End::UpstreamFailed, 502, attempts)), Some(Reason::TooBusy));
    }

    #[test]
    fn whatever_has_an_outcome_but_answered_has_a_fault() {
        for end in [
            End::Finished,
            End::Refused,
            End::UpstreamFailed,
            End::UpstreamCut,
            End::TimedOut,
            End::UpstreamError,
            End::CallerGone,
            End::Orphaned,
        ] {
            for status in [200, 400, 401, 402, 404, 408, 413, 429, 499, 500, 502, 503, 504] {
                let of = receipt(end, status, vec![attempt(Some(status), None)]);
                let answered = Outcome::of(&of) == Outcome::Answered;
                assert_eq!(super::fault(&of).is_none(), answered, "{end:?} {status}");
            }
        }
    }
}

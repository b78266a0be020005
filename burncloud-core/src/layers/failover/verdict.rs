//! What an attempt's outcome means.

use crate::routing::{Candidate, Why};
use crate::{Body, Error, Fault};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Response, StatusCode};
use std::time::Duration;

/// What to do with an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes to the caller.
    Use,
    /// Another lane may do better.
    Retry,
    /// The channel itself is at fault (its credential, its address): another lane may do better, and this one's
    /// words stay here.
    Credential,
    /// No other lane would do better.
    Fatal,
}

impl Verdict {
    pub(super) fn of(result: &Result<Response<Body>, Error>) -> Verdict {
        match result {
            Ok(response) => Verdict::of_status(response.status()),
            Err(error) if error.fault() == Fault::Upstream => Verdict::Retry,
            Err(_) => Verdict::Fatal,
        }
    }

    /// Some providers say 400 where the channel's credential is at fault: another lane may do better. When none is
    /// left it goes out as it is, like every 400.
    pub(super) fn or_retry(
        self,
        lane: &Candidate,
        result: &Result<Response<Body>, Error>,
        first: Option<&Bytes>,
    ) -> Verdict {
        let blamed = |status: StatusCode| {
            status.is_client_error()
                && first.is_some_and(|bytes| lane.channel.adapter.blames_credential(status, bytes))
        };
        match result {
            Ok(response) if self == Verdict::Use && blamed(response.status()) => Verdict::Retry,
            _ => self,
        }
    }

    fn of_status(status: StatusCode) -> Verdict {
        match status.as_u16() {
            // A redirect names the provider, and SDKs would follow it with the caller's key.
            100..=199 | 300..=399 | 401..=403 => Verdict::Credential,
            408 | 429 | 500..=599 => Verdict::Retry,
            _ => Verdict::Use,
        }
    }

    /// Whether an answer with this status goes to the caller.
    pub(super) fn passes(status: StatusCode) -> bool {
        Verdict::of_status(status) == Verdict::Use
    }

    /// Tells the lane's breaker.
    pub(super) fn tell(self, lane: &Candidate, result: &Result<Response<Body>, Error>) {
        match self {
            Verdict::Use => {
                lane.breaker.success();
                lane.channel.count_success();
            }
            Verdict::Retry | Verdict::Credential => {
                warn(lane, result);
                lane.breaker.failure_because(why(result));
                lane.channel.count_failure();
                if let Ok(response) = result
                    && let Some(pause) = retry_after(response.headers())
                {
                    lane.breaker.rest(pause);
                }
            }
            Verdict::Fatal => lane.breaker.unprobed(),
        }
    }
}

fn why(result: &Result<Response<Body>, Error>) -> Why {
    match result {
        Ok(response) => Why::Status(response.status().as_u16()),
        Err(error) => Why::Error(error.message().into()),
    }
}

/// An operator must see a failing account without raising the log level. At most a line per failed attempt; a
/// breaker bounds those. The texts hold no credential.
fn warn(lane: &Candidate, result: &Result<Response<Body>, Error>) {
    let (channel, model) = (&*lane.channel.name, &*lane.upstream_model);
    match result {
        Ok(response) => {
            let status = response.status().as_u16();
            tracing::warn!(channel, model, status, "an attempt failed: the provider refused or failed");
        }
        Err(error) => {
            let context = error.context().unwrap_or_default();
            tracing::warn!(channel, model, context, "an attempt failed: {error}");
        }
    }
}

/// What the provider asks to wait: seconds, or OpenAI's milliseconds. Dates are rare and not read. Bounded,
/// so that an odd answer does not take a lane away for a day.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let ms = number("retry-after-ms").or_else(|| Some(number(RETRY_AFTER.as_str())? * 1000.0))?;
    (ms > 0.0 && ms.is_finite()).then(|| Duration::from_millis(ms.min(300_000.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn status(code: u16) -> Verdict {
        Verdict::of(&Ok(Response::builder().status(code).body(Body::empty()).unwrap()))
    }

    #[test]
    fn the_callers_faults_are_theirs() {
        for code in [200, 201, 400, 404, 413, 422] {
            assert_eq!(status(code), Verdict::Use, "{code}");
        }
        for code in [408, 429, 500, 502, 503, 504, 529] {
            assert_eq!(status(code), Verdict::Retry, "{code}");
        }
        for code in [101, 301, 307, 308, 401, 402, 403] {
            assert_eq!(status(code), Verdict::Credential, "{code}");
        }
        assert_eq!(Verdict::of(&Err(Error::new(ErrorKind::BadRequest, "x"))), Verdict::Fatal);
        assert_eq!(Verdict::of(&Err(Error::new(ErrorKind::GatewayTimeout, "x"))), Verdict::Retry);
    }

    #[test]
    fn reads_retry_after() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "3".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
        headers.insert("retry-after-ms", "250".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_millis(250)));
        for odd in ["-1", "Wed, 21 Oct 2026 07:28:00 GMT", "inf", "1e99"] {
            headers.clear();
            headers.insert(RETRY_AFTER, odd.parse().unwrap());
            assert!(retry_after(&headers).is_none_or(|d| d <= Duration::from_secs(300)), "{odd}");
        }
    }
}

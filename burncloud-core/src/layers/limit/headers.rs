//! A refusal in the words and headers of each dialect's SDK.

use super::cells::{Kind, Refusal};
use crate::{Dialect, Error, ErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) fn error(refusal: &Refusal, dialect: Dialect) -> Error {
    let Refusal { whose, limit, retry_after, .. } = refusal;
    let text = match refusal.kind {
        Kind::Requests => format!("{whose} is limited to {limit} requests per minute"),
        Kind::Tokens => format!("{whose} is limited to {limit} tokens per minute"),
        Kind::Concurrency => format!("{whose} is limited to {limit} requests at the same time"),
    };
    let wait = format!("{text}; try again in {} s", retry_after.as_secs().max(1));
    Error::new(ErrorKind::RateLimited, wait)
        .with_code("rate_limit_exceeded")
        .with_retry_after(*retry_after)
        .with_headers(headers(refusal, dialect))
}

fn headers(refusal: &Refusal, dialect: Dialect) -> HeaderMap {
    let what = match refusal.kind {
        Kind::Requests => "requests",
        Kind::Tokens => "tokens",
        // No SDK has a name for it.
        Kind::Concurrency => return HeaderMap::new(),
    };
    let seconds = refusal.retry_after.as_secs().max(1);
    let mut headers = HeaderMap::new();
    let mut set = |name: String, value: String| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    };
    match dialect {
        Dialect::OpenAi => {
            set(format!("x-ratelimit-limit-{what}"), refusal.limit.to_string());
            set(format!("x-ratelimit-remaining-{what}"), "0".into());
            set(format!("x-ratelimit-reset-{what}"), format!("{seconds}s"));
        }
        Dialect::Anthropic => {
            set(format!("anthropic-ratelimit-{what}-limit"), refusal.limit.to_string());
            set(format!("anthropic-ratelimit-{what}-remaining"), "0".into());
            set(format!("anthropic-ratelimit-{what}-reset"), reset_at(seconds));
        }
        _ => {}
    }
    headers
}

/// RFC 3339, as Anthropic's header has it.
fn reset_at(seconds: u64) -> String {
    let at = std::time::SystemTime::now() + std::time::Duration::from_secs(seconds);
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (since / 86_400, since % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Days since 1970 → date, by the era-based algorithm for the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(20_778), (2026, 11, 21));
    }

    #[test]
    fn openai_and_anthropic_have_their_headers() {
        let refusal = Refusal {
            kind: Kind::Requests,
            whose: "this API key",
            limit: 5,
            retry_after: std::time::Duration::from_secs(7),
        };
        let openai = error(&refusal, Dialect::OpenAi).take_headers();
        assert_eq!(openai["x-ratelimit-reset-requests"], "7s");
        let anthropic = error(&refusal, Dialect::Anthropic).take_headers();
        assert_eq!(anthropic["anthropic-ratelimit-requests-limit"], "5");
    }
}

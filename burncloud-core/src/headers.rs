//! Which headers pass.
//!
//! All but those of one connection (RFC 9110, 7.6.1), those that say where the caller sits, and on the way
//! back those that identify the operator's account or would set state for the provider's origin.

use http::header::{CONNECTION, HeaderName};
use http::{HeaderMap, HeaderValue};

/// Takes from a caller's headers what must not reach a provider. The key is gone already (`auth`).
///
/// `accept-encoding` goes too: a compressed answer could not be read for usage as it passes.
/// `content-length` is set anew from the body that is really sent.
pub(crate) fn clean_request(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_all(headers, passes_to_provider);
}

fn passes_to_provider(name: &HeaderName) -> bool {
    let name = name.as_str();
    let hop = matches!(
        name,
        "host"
            | "connection"
            | "content-length"
            | "transfer-encoding"
            | "accept-encoding"
            | "te"
            | "http2-settings"
            | "trailer"
            | "upgrade"
            | "keep-alive"
    );
    let private = matches!(
        name,
        "cookie"
            | "forwarded"
            | "via"
            | "x-real-ip"
            | "true-client-ip"
            | "x-client-ip"
            | "traceparent"
            | "tracestate"
            | "baggage"
    );
    let prefixes = ["x-forwarded-", "x-burncloud-", "cf-", "proxy-"];
    !hop && !private && !prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Takes from a provider's headers what belongs to its connection or to the operator alone.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_all(headers, passes_to_caller);
}

fn passes_to_caller(name: &HeaderName) -> bool {
    !matches!(
        name.as_str(),
        "connection"
            | "transfer-encoding"
            | "trailer"
            | "upgrade"
            | "keep-alive"
            | "alt-svc"
            | "proxy-authenticate"
            | "set-cookie"
            | "strict-transport-security"
            | "openai-organization"
            | "openai-project"
            | "anthropic-organization-id"
            | "cf-ray"
            | "cf-cache-status"
            | "x-ms-deployment-name"
            | "x-ms-region"
            | "x-ratelimit-key"
    )
}

/// One pass over the names that are there: looking up each name that may not pass costs a hash apiece.
fn remove_all(headers: &mut HeaderMap, passes: fn(&HeaderName) -> bool) {
    while let Some(name) = headers.keys().find(|name| !passes(name)).cloned() {
        headers.remove(name);
    }
}

/// A `connection` header, or several, may name others that belong to the connection.
fn remove_named_by_connection(headers: &mut HeaderMap) {
    let ordinary = |value: &HeaderValue| {
        value.as_bytes().eq_ignore_ascii_case(b"keep-alive")
            || value.as_bytes().eq_ignore_ascii_case(b"close")
    };
    if headers.get_all(CONNECTION).iter().all(ordinary) {
        return;
    }
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok());
    let names: Vec<HeaderName> = names.collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(names: &[&str]) -> HeaderMap {
        names.iter().map(|n| (n.parse::<HeaderName>().unwrap(), "v".parse().unwrap())).collect()
    }

    #[test]
    fn what_the_caller_says_to_the_provider_passes() {
        let kept = [
            "content-type",
            "accept",
            "user-agent",
            "anthropic-beta",
            "anthropic-version",
            "idempotency-key",
            "x-stainless-lang",
        ];
        let mut headers = map(&kept);
        headers.extend(map(&[
            "host",
            "cookie",
            "x-forwarded-for",
            "content-length",
            "accept-encoding",
            "te",
            "x-real-ip",
        ]));
        headers.insert(CONNECTION, "keep-alive".parse().unwrap());
        headers.append(CONNECTION, "x-hop, x-other".parse().unwrap());
        headers.insert("x-hop", "1".parse().unwrap());
        clean_request(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        let mut wanted = kept.to_vec();
        wanted.sort_unstable();
        assert_eq!(left, wanted);
    }

    #[test]
    fn the_operators_account_stays_hidden() {
        let mut headers =
            map(&["x-request-id", "retry-after", "content-length", "openai-organization", "set-cookie"]);
        clean_response(&mut headers);
        assert_eq!(headers.len(), 3);
    }
}

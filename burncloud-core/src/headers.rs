//! Which headers pass.
//!
//! All but those of one connection (RFC 9110, 7.6.1), those that say where the caller sits, and on the way
//! back those that identify the operator's account or would set state for the provider's origin.

use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, COOKIE, FORWARDED, HOST, HeaderName, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};

/// Takes from a caller's headers what must not reach a provider. The key is gone already (`auth`).
///
/// `accept-encoding` goes too: a compressed answer could not be read for usage as it passes.
/// `content-length` is set anew from the body that is really sent.
pub(crate) fn clean_request(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    let gone: Vec<HeaderName> = headers.keys().filter(|name| !passes_to_provider(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

fn passes_to_provider(name: &HeaderName) -> bool {
    let hop =
        [&HOST, &CONNECTION, &CONTENT_LENGTH, &TRANSFER_ENCODING, &ACCEPT_ENCODING, &TE, &TRAILER, &UPGRADE];
    let private = [&COOKIE, &FORWARDED, &VIA, &PROXY_AUTHORIZATION];
    if hop.contains(&name) || private.contains(&name) {
        return false;
    }
    let text = name.as_str();
    let prefixes = ["x-forwarded-", "x-burncloud-", "cf-", "proxy-"];
    let names =
        ["keep-alive", "x-real-ip", "true-client-ip", "x-client-ip", "traceparent", "tracestate", "baggage"];
    !prefixes.iter().any(|prefix| text.starts_with(prefix)) && !names.contains(&text)
}

/// Takes from a provider's headers what belongs to its connection or to the operator alone.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    let hop = [&CONNECTION, &TRANSFER_ENCODING, &TRAILER, &UPGRADE, &PROXY_AUTHENTICATE];
    for name in hop.into_iter().chain([&SET_COOKIE, &STRICT_TRANSPORT_SECURITY]) {
        headers.remove(name);
    }
    for name in [
        "keep-alive",
        "alt-svc",
        "openai-organization",
        "openai-project",
        "anthropic-organization-id",
        "cf-ray",
        "cf-cache-status",
    ] {
        headers.remove(name);
    }
}

/// A `connection` header may name others that belong to the connection.
fn remove_named_by_connection(headers: &mut HeaderMap) {
    let Some(value) = headers.get(CONNECTION).and_then(|v| v.to_str().ok()) else { return };
    if value.eq_ignore_ascii_case("keep-alive") || value.eq_ignore_ascii_case("close") {
        return;
    }
    let names: Vec<HeaderName> = value.split(',').filter_map(|name| name.trim().parse().ok()).collect();
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
        headers.insert(CONNECTION, "x-hop, keep-alive".parse().unwrap());
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

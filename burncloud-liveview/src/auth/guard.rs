//! Whether a write comes from a page of the console.

use crate::Console;
use crate::web::same_origin;
use burncloud_billing::desk::login::is_csrf_of;
use http::HeaderMap;
use secrecy::SecretString;

/// The header in which scripts and tools send what forms send as the field `csrf`.
pub const CSRF_HEADER: &str = "x-csrf";

/// Whether the browser says that it comes from here: `Origin` is there and ours, and `Sec-Fetch-Site`, if it is there, says
/// the same.
pub(crate) fn is_from_here(console: &Console, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
    same_origin(console, headers) && site.is_none_or(|site| site == b"same-origin")
}

/// Whether a write by a cookie is allowed: it comes from a page of the console, and `given` (the form's field `csrf`; else
/// the header [`CSRF_HEADER`]) is the token of the session.
#[must_use]
pub fn is_write_allowed(
    console: &Console,
    headers: &HeaderMap,
    cookie: &SecretString,
    given: Option<&str>,
) -> bool {
    let header = || headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    is_from_here(console, headers) && given.or_else(header).is_some_and(|given| is_csrf_of(cookie, given))
}

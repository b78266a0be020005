//! Whether a request comes from the console's own pages.

use crate::Console;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};

/// Whether a request comes from a page of the console itself: its `Origin` is the configured public URL, or, where none
/// is configured, has the host that was asked. Without an `Origin` it does not.
#[must_use]
pub fn same_origin(console: &Console, headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    let Some(origin) = origin.and_then(|value| value.parse::<Uri>().ok()) else { return false };
    match console.public_url() {
        Some(url) => url.parse::<Uri>().is_ok_and(|url| {
            url.scheme() == origin.scheme()
                && url.authority().is_some()
                && authority(&url) == authority(&origin)
        }),
        None => {
            let host = headers.get(HOST).and_then(|value| value.to_str().ok());
            let origin = origin.authority().map(|authority| authority.as_str());
            matches!((host, origin), (Some(host), Some(origin)) if host.eq_ignore_ascii_case(origin))
        }
    }
}

/// Host in lower case and port, the scheme's own where none is said.
fn authority(uri: &Uri) -> (Option<String>, u16) {
    let port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    (uri.host().map(str::to_ascii_lowercase), uri.port_u16().unwrap_or(port))
}

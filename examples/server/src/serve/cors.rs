//! Which websites' pages may call the gateway from a browser.
//!
//! A browser asks first (`OPTIONS`, without the key) and shows an answer to a page only if the answer names the page's
//! origin. Cookies play no part: keys travel in headers, so credentials are never allowed. With no origin set, nothing is
//! answered and nothing added; a request then pays one look at a flag.

use arc_swap::ArcSwap;
use burncloud_core::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Everybody.
const ANY: &str = "*";
/// How long a browser may remember what it was told, in seconds.
const REMEMBER: HeaderValue = HeaderValue::from_static("600");

/// The origins that may call; replaced while requests go on.
#[derive(Debug, Default)]
pub(crate) struct Cors {
    on: AtomicBool,
    origins: ArcSwap<Vec<String>>,
}

/// What an answer must say to the page that asked.
#[derive(Debug)]
pub(super) struct Allowed(Box<HeaderValue>);

impl Cors {
    /// From now on these, as [`check_origin`] takes them.
    pub(crate) fn set(&self, origins: Vec<String>) {
        let on = !origins.is_empty();
        self.origins.store(Arc::new(origins));
        self.on.store(on, Relaxed);
    }

    /// What the answer to this request must say; `None` where it comes from no page, or from none that may call.
    pub(super) fn allows(&self, headers: &HeaderMap) -> Option<Allowed> {
        if !self.on.load(Relaxed) {
            return None;
        }
        let origin = headers.get(ORIGIN)?;
        let origins = self.origins.load();
        if origins.iter().any(|known| known == ANY) {
            return Some(Allowed(Box::new(HeaderValue::from_static(ANY))));
        }
        let known = origins.iter().any(|known| known.as_bytes() == origin.as_bytes());
        known.then(|| Allowed(Box::new(origin.clone())))
    }
}

impl Allowed {
    /// The answer to a browser's question before the request itself; `None` where this is no such question.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        // Each SDK sends headers of its own: what a page that may call wants to send, it may.
        if let Some(wanted) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBER);
        headers.append(VARY, HeaderValue::from_static("access-control-request-headers"));
        self.mark(headers);
        Some(response)
    }

    /// Lets the page see the answer, and all of its headers. What a provider says of its own pages goes.
    pub(super) fn mark(&self, headers: &mut HeaderMap) {
        headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, (*self.0).clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}

/// Whether a text is an origin as browsers write it, or `*`.
///
/// # Errors
/// How to write it.
pub(crate) fn check_origin(text: &str) -> Result<(), String> {
    if text == ANY {
        return Ok(());
    }
    let fail = |why: &str| Err(format!("`{text}`: {why}"));
    let Some((scheme, authority)) = text.split_once("://") else {
        return fail("write an origin such as \"https://app.example.com\", or \"*\" for every website");
    };
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return fail("an origin begins with https:// or http://, in small letters"),
    };
    let uri = text.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    if host.is_empty() || authority.contains(['/', '?', '#', '@', '*']) {
        return fail("an origin is a scheme, a host and perhaps a port, with nothing after them");
    }
    if authority.ends_with(default) {
        return fail("browsers leave the scheme's own port out; so must this");
    }
    if authority.bytes().any(|b| b.is_ascii_uppercase()) {
        return fail("browsers write hosts in small letters; so must this");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "https://app.example.com";

    fn cors(origins: &[&str]) -> Cors {
        let cors = Cors::default();
        cors.set(origins.iter().map(|origin| (*origin).to_owned()).collect());
        cors
    }

    fn from(origin: &str, method: &str, asks: bool) -> Request<()> {
        let mut request = Request::builder().method(method).header(ORIGIN, origin);
        if asks {
            request = request
                .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
                .header(ACCESS_CONTROL_REQUEST_HEADERS, "authorization,x-stainless-lang");
        }
        request.body(()).unwrap()
    }

    #[test]
    fn without_origins_nobody_is_answered() {
        let request = from(APP, "OPTIONS", true);
        assert!(Cors::default().allows(request.headers()).is_none());
        let swapped = cors(&[APP]);
        assert!(swapped.allows(request.headers()).is_some());
        swapped.set(Vec::new());
        assert!(swapped.allows(request.headers()).is_none());
    }

    #[test]
    fn a_page_of_the_list_is_told_so_and_no_other() {
        let cors = cors(&["https://other.example.com", APP]);
        for origin in
            ["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"]
        {
            assert!(cors.allows(from(origin, "POST", false).headers()).is_none(), "{origin}");
        }
        assert!(cors.allows(Request::new(()).headers()).is_none(), "no page at all");
        let request = from(APP, "OPTIONS", true);
        let allowed = cors.allows(request.headers()).unwrap();
        let answer = allowed.preflight(&request).unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_HEADERS], "authorization,x-stainless-lang");
        assert!(!answer.headers().contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        for other in [from(APP, "POST", true), from(APP, "OPTIONS", false)] {
            assert!(allowed.preflight(&other).is_none(), "goes on to the gateway");
        }
    }

    #[test]
    fn a_providers_own_word_does_not_stand() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("https://provider.example"));
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        let any = cors(&["*"]);
        any.allows(from(APP, "POST", false).headers()).unwrap().mark(&mut headers);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(headers.get_all(VARY).iter().count(), 2);
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for good in ["*", APP, "http://localhost:5173", "https://[::1]:8443"] {
            check_origin(good).unwrap();
        }
        for bad in [
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://App.example.com",
            "https://app.example.com:443",
            "https://*.example.com",
            "https://user@example.com",
            "ftp://example.com",
            "null",
        ] {
            assert!(check_origin(bad).is_err(), "{bad}");
        }
    }
}

//! The page that somebody asked for before they had to sign in: `?next=` of every page at the door.
//!
//! What the URL says is never given back as it is: it is read as a place of the console and written anew below the console's
//! prefix, so that no text leads to another host.

use crate::live::Place;
use crate::pages::PAGES;
use http::Uri;

const KEY: &str = "next";
/// The longest path that is remembered, in bytes.
const LONGEST: usize = 2048;

/// The place that `path` (below `prefix` or as a whole) says, if a page of the console is there and it is not the first.
pub(super) fn wanted(prefix: &str, path: &str) -> Option<Place> {
    if path.len() > LONGEST || !path.starts_with('/') {
        return None;
    }
    let place = Place::parse(prefix, path);
    let page = place.segment(0).is_some_and(|first| PAGES.iter().any(|page| page.path == first));
    // A browser would resolve these, and leave the console.
    let climbs = place.segments().iter().any(|part| part == "." || part == "..");
    (page && !climbs).then_some(place)
}

/// What a request to a page at the door says.
pub(super) fn of(prefix: &str, uri: &Uri) -> Option<Place> {
    let asked = Place::parse(prefix, uri.path_and_query()?.as_str());
    wanted(prefix, asked.get(KEY)?)
}

/// A path below the prefix that goes on to that place: `/signin?next=%2Flogs`.
pub(super) fn with(path: &str, next: Option<&Place>) -> String {
    next.map_or_else(|| path.to_owned(), |next| format!("{path}{}", query(next)))
}

/// `?next=…`
pub(super) fn query(next: &Place) -> String {
    Place::default().with(KEY, next).to_string()
}

/// The sign-in for whoever asked for that path.
pub(crate) fn sign_in(prefix: &str, path: &str) -> String {
    format!("{prefix}{}", with("/signin", wanted(prefix, path).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_that_was_asked_for_comes_after() {
        assert_eq!(
            sign_in("/console", "/console/logs?time=24h&q=a%20b"),
            "/console/signin?next=%2Flogs%3Ftime%3D24h%26q%3Da%2520b"
        );
        assert_eq!(sign_in("", "/access/17"), "/signin?next=%2Faccess%2F17");
        for home in
            ["/console", "/console/", "/console?x=1", "/console/nothing-here", "/console/signin?next=%2Flogs"]
        {
            assert_eq!(sign_in("/console", home), "/console/signin", "{home}");
        }
    }

    #[test]
    fn no_other_place_is_taken() {
        for bad in [
            "",
            "logs",
            "https://evil.example",
            "//evil.example",
            "//evil.example/logs",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/%2Fevil.example",
            "/%5Cevil.example",
            "javascript:alert(1)",
            "/https://evil.example",
            "/.",
            "/..",
            "/../logs",
            "/logs/../../v1/models",
            "/logs/%2e%2e/%2E%2E/v1",
            "/logs/./x",
            "/consoles",
            "/consoles/logs",
            "/signout",
            "/oidc",
            "/api/keys",
            "/\r\nset-cookie:a=b",
            "/ logs",
            "\t//evil.example",
        ] {
            for prefix in ["", "/console"] {
                assert_eq!(wanted(prefix, bad), None, "{bad:?} below {prefix:?}");
            }
        }
        assert_eq!(wanted("", &format!("/logs?q={}", "a".repeat(LONGEST))), None);
    }

    #[test]
    fn what_is_odd_within_a_page_stays_within_it() {
        for (odd, is) in [
            ("/logs//evil.example", "/logs/evil.example"),
            ("/logs/\\..\\..", "/logs/%5C..%5C.."),
            ("/logs?q=\r\nset-cookie:%20a", "/logs?q=%0D%0Aset-cookie%3A%20a"),
            ("/logs/..%2f..%2fv1", "/logs/..%2F..%2Fv1"),
            ("/logs#//evil.example", "/logs"),
        ] {
            assert_eq!(wanted("", odd).map(|place| place.to_string()).as_deref(), Some(is), "{odd:?}");
        }
    }
}

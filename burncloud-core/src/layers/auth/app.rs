//! Which application calls, as far as it says so.

use http::{HeaderMap, HeaderValue, Uri};

/// Whether the page or the application that calls is one of these.
pub(super) fn is_one_of(headers: &HeaderMap, apps: &[String]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let title = text("x-title").map(str::trim).filter(|title| !title.is_empty());
    // Browsers send the first two; SDKs of aggregators let an application name itself with the third.
    let hosts = ["origin", "referer", "http-referer"].map(|name| text(name).and_then(host));
    let called: Vec<&str> = hosts.iter().flatten().map(String::as_str).chain(title).collect();
    apps.iter().any(|app| called.iter().any(|name| name.eq_ignore_ascii_case(app)))
}

fn host(text: &str) -> Option<String> {
    let uri: Uri = text.trim().parse().ok()?;
    Some(uri.host()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn called(headers: &[(&'static str, &'static str)], app: &str) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        is_one_of(&headers.iter().map(pair).collect(), &[app.to_owned()])
    }

    #[test]
    fn an_application_is_known_by_its_page_or_its_name() {
        for (name, value) in [
            ("origin", "https://Chat.example.com"),
            ("origin", "http://chat.example.com:8080"),
            ("referer", "https://chat.example.com/room?x=1"),
            ("http-referer", "https://chat.example.com"),
            ("x-title", " CHAT.example.com "),
        ] {
            assert!(called(&[(name, value)], "chat.example.com"), "{name} {value}");
        }
        assert!(called(&[("x-title", "My Tool")], "my tool"));
    }

    #[test]
    fn what_only_looks_like_it_is_another() {
        for (name, value) in [
            ("origin", "https://chat.example.com.evil.test"),
            ("origin", "https://evil.test/chat.example.com"),
            ("origin", "https://chat.example.com@evil.test"),
            ("origin", "null"),
            ("x-title", ""),
            ("user-agent", "chat.example.com"),
        ] {
            assert!(!called(&[(name, value)], "chat.example.com"), "{name} {value}");
        }
        assert!(!called(&[], "chat.example.com"));
    }
}

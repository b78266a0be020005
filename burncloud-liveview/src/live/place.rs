//! A path within the console, with its query.

use std::fmt;

/// A path within the console, without its prefix, and its query; both decoded. It writes itself as the end of a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Place {
    /// What `path` says, with or without `prefix` before it. Whatever follows a `#` is dropped.
    #[must_use]
    pub fn parse(prefix: &str, path: &str) -> Place {
        let path = path.split('#').next().unwrap_or_default();
        let path = match path.strip_prefix(prefix) {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => rest,
            _ => path,
        };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments = path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true), decode(value, true))
        });
        Place { segments: segments.collect(), query: pairs.collect() }
    }

    /// A place without a query: `Place::at(["access", "17"])`.
    #[must_use]
    pub fn at<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Place {
        Place { segments: segments.into_iter().map(Into::into).collect(), query: Vec::new() }
    }

    /// The parts of the path.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// One part of the path: 0 is the page's own, 1 the first after it.
    #[must_use]
    pub fn segment(&self, at: usize) -> Option<&str> {
        self.segments.get(at).map(String::as_str)
    }

    /// A part of the query; an empty one is none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.query.iter().find(|(k, _)| k == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A part of the query as a number, an id, an enumeration; one that cannot be read is none.
    #[must_use]
    pub fn parsed<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.parse().ok()
    }

    /// The same place with that part of the query; an empty value takes it away.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Place {
        let value = value.to_string();
        let at = self.query.iter().position(|(k, _)| k == key);
        match (at, value.is_empty()) {
            (Some(at), true) => drop(self.query.remove(at)),
            (Some(at), false) => self.query[at].1 = value,
            (None, true) => {}
            (None, false) => self.query.push((key.to_owned(), value)),
        }
        self
    }

    /// The same place without those parts of the query.
    #[must_use]
    pub fn without(mut self, keys: &[&str]) -> Place {
        self.query.retain(|(key, _)| !keys.contains(&key.as_str()));
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() && self.query.is_empty() {
            return f.write_str("/");
        }
        for segment in &self.segments {
            write!(f, "/{}", Encoded(segment))?;
        }
        for (at, (key, value)) in self.query.iter().enumerate() {
            let mark = if at == 0 { '?' } else { '&' };
            write!(f, "{mark}{}={}", Encoded(key), Encoded(value))?;
        }
        Ok(())
    }
}

/// As part of a URL: all but unreserved characters in percent.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    write!(f, "{}", char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

fn decode(text: &str, plus: bool) -> String {
    let hex =
        |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = (hex(bytes.get(at + 1)), hex(bytes.get(at + 2)));
        match (byte, pair) {
            (b'%', (Some(high), Some(low))) => {
                out.push(high << 4 | low);
                at += 2;
            }
            (b'+', _) if plus => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_read_with_and_without_its_prefix() {
        let place = Place::parse("/console", "/console/logs/4t7k?q=a+b%26c&slow=#top");
        assert_eq!(place.segments(), ["logs", "4t7k"]);
        assert_eq!((place.get("q"), place.get("slow"), place.get("no")), (Some("a b&c"), None, None));
        assert_eq!(Place::parse("/console", "/console"), Place::default());
        assert_eq!(Place::parse("/console", "/console?x=1").parsed::<u8>("x"), Some(1));
        assert_eq!(Place::parse("/console", "/consoles").segment(0), Some("consoles"));
        assert_eq!(Place::parse("", "/logs").segment(0), Some("logs"));
    }

    #[test]
    fn the_query_changes_one_part_at_a_time() {
        let place = Place::at(["logs"]).with("q", "a&b").with("page", 2).with("page", 3);
        assert_eq!(place.to_string(), "/logs?q=a%26b&page=3");
        assert_eq!(place.clone().with("q", "").to_string(), "/logs?page=3");
        assert_eq!(place.without(&["q", "page"]).to_string(), "/logs");
        assert_eq!(Place::default().to_string(), "/");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(a in "\\PC{1,12}", k in "\\PC{1,8}", v in "\\PC{1,12}") {
            let place = Place::at([a]).with(&k, v);
            prop_assert_eq!(Place::parse("/c", &format!("/c{place}")), place);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,64}") {
            let _ = Place::parse("/c", &text).to_string();
        }
    }
}

//! Paths at providers.

use burncloud_core::{Error, ErrorKind};
use http::uri::PathAndQuery;

/// The parts one after another, and the query.
pub(crate) fn join(parts: &[&str], query: Option<&str>) -> Result<PathAndQuery, Error> {
    let length = parts.iter().map(|p| p.len()).sum::<usize>() + query.map_or(0, |q| q.len() + 1);
    let mut text = String::with_capacity(length);
    text.extend(parts.iter().copied());
    if let Some(query) = query.filter(|q| !q.is_empty()) {
        text.push('?');
        text.push_str(query);
    }
    PathAndQuery::try_from(text).map_err(|error| {
        Error::new(ErrorKind::BadRequest, "no valid path can be made of this request")
            .with_param("model")
            .with_context(error.to_string())
    })
}

/// The query without this parameter.
pub(crate) fn without(query: Option<&str>, name: &str) -> Option<String> {
    let named = |pair: &&str| pair.split('=').next() == Some(name);
    let kept: Vec<&str> = query?.split('&').filter(|pair| !named(pair) && !pair.is_empty()).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// A path that the adapter does not serve; routing should not have come here.
pub(crate) fn unknown(path: &str) -> Error {
    Error::new(ErrorKind::NotImplemented, "the provider does not serve this path")
        .with_context(path.to_owned())
}

/// A name as one segment of a path.
pub(crate) fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_and_encodes() {
        assert_eq!(join(&["/v1", "/", "chat"], Some("a=b")).unwrap(), "/v1/chat?a=b");
        assert_eq!(join(&["/v1"], Some("")).unwrap(), "/v1");
        assert_eq!(encoded("a b/é:1.5-x_~"), "a%20b%2F%C3%A9%3A1.5-x_~");
        assert!(join(&["/a b"], None).is_err());
        let query = Some("api-version=2024-10-21&a=1&api-versions=2");
        assert_eq!(without(query, "api-version").as_deref(), Some("a=1&api-versions=2"));
        assert_eq!(without(Some("api-version="), "api-version"), None);
    }
}

//! Which headers an operator may set: any but those of the connection, of the body's form, and credentials.

use super::TransformError;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// Compiled `header_override`.
#[derive(Debug, Default)]
pub(super) struct HeaderOverride(Vec<(HeaderName, Option<HeaderValue>)>);

impl HeaderOverride {
    pub(super) fn compile(settings: &BTreeMap<String, String>) -> Result<HeaderOverride, TransformError> {
        let entry = |(name, value): (&String, &String)| {
            let fail = |message| TransformError::new(format!("header_override.{name}"), message);
            let name = check_name(name).map_err(fail)?;
            let value = if value.is_empty() { None } else { Some(check_value(value).map_err(fail)?) };
            Ok((name, value))
        };
        settings.iter().map(entry).collect::<Result<_, _>>().map(HeaderOverride)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            match value {
                Some(value) => drop(headers.insert(name.clone(), value.clone())),
                None => drop(headers.remove(name)),
            }
        }
    }
}

/// A name that may be set.
pub(super) fn check_name(name: &str) -> Result<HeaderName, String> {
    let parsed: HeaderName = name.parse().map_err(|_| "this is no header's name".to_owned())?;
    if is_credential(parsed.as_str()) {
        return Err("a credential is not set here; it belongs into the channel's `credential`".to_owned());
    }
    match parsed.as_str() {
        "host" => Err("the host is that of the channel's `base_url`; change it there".to_owned()),
        "content-length" | "content-encoding" | "expect" => {
            Err("it is made from the body that is sent; take it out".to_owned())
        }
        "accept-encoding" => Err("a compressed answer could not be read for usage; take it out".to_owned()),
        "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade"
        | "http2-settings" => Err("it belongs to the connection, not to the request; take it out".to_owned()),
        _ => Ok(parsed),
    }
}

fn check_value(value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value)
        .map_err(|_| "the value has a line break or another control character".to_owned())
}

/// Whether a header authorises somebody. Scripts never see these and nobody sets them.
pub(super) fn is_credential(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "x-api-key"
            | "api-key"
            | "x-goog-api-key"
            | "x-goog-iam-authorization-token"
            | "cookie"
            | "set-cookie"
            | "x-auth-token"
    ) || ["proxy-", "x-amz-", "x-burncloud-"].iter().any(|prefix| name.starts_with(prefix))
}

/// The headers a script may see, by lower-case name; several of one name are joined.
pub(super) fn visible(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let Ok(text) = value.to_str() else { continue };
        if value.is_sensitive() || is_credential(name.as_str()) {
            continue;
        }
        all.entry(name.as_str().to_owned())
            .and_modify(|value| {
                value.push_str(", ");
                value.push_str(text);
            })
            .or_insert_with(|| text.to_owned());
    }
    all
}

/// Sets what differs between what was visible and what is wanted.
///
/// # Errors
/// The header at fault and what is wrong with it.
#[cfg(feature = "script")]
pub(super) fn write_back(
    headers: &mut HeaderMap,
    before: &BTreeMap<String, String>,
    wanted: BTreeMap<String, String>,
) -> Result<(), String> {
    for name in before.keys().filter(|name| !wanted.contains_key(*name)) {
        headers.remove(check_name(name).map_err(|why| format!("headers[\"{name}\"]: {why}"))?);
    }
    for (name, value) in wanted {
        if before.get(&name) == Some(&value) {
            continue;
        }
        let fail = |why| format!("headers[\"{name}\"]: {why}");
        headers.insert(check_name(&name).map_err(fail)?, check_value(&value).map_err(fail)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(name: &str, value: &str) -> Result<HeaderOverride, TransformError> {
        HeaderOverride::compile(&[(name.to_owned(), value.to_owned())].into())
    }

    #[test]
    fn what_is_not_the_operators_to_set_is_refused() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "Authorization",
            "x-api-key",
            "X-Amz-Date",
            "cookie",
            "a b",
            "",
        ] {
            let error = compile(name, "secret-value").unwrap_err();
            assert_eq!(error.field, format!("header_override.{name}"));
            assert!(!error.to_string().contains("secret-value"), "{error}");
        }
        assert!(compile("x-a", "a\r\nb").is_err());
    }

    #[test]
    fn values_are_set_and_taken_out() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", "1".parse().unwrap());
        headers.append("x-a", "2".parse().unwrap());
        headers.insert("x-b", "1".parse().unwrap());
        compile("X-A", "3").unwrap().apply(&mut headers);
        compile("x-b", "").unwrap().apply(&mut headers);
        assert_eq!(headers.get_all("x-a").iter().collect::<Vec<_>>(), ["3"]);
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn credentials_are_not_visible() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "x-api-key", "x-amz-security-token", "x-plain"] {
            headers.insert(name, "v".parse().unwrap());
        }
        let mut marked: HeaderValue = "v".parse().unwrap();
        marked.set_sensitive(true);
        headers.insert("x-custom-key", marked);
        assert_eq!(visible(&headers).into_keys().collect::<Vec<_>>(), ["x-plain"]);
    }
}

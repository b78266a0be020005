//! Cookies: `__Host-` and `Secure` wherever the browser came by HTTPS.

use crate::Console;
use crate::lang::cookie;
use http::HeaderMap;
use http::header::{HeaderValue, ORIGIN};
use secrecy::SecretString;

/// The session.
pub(super) const SESSION: &str = "bc-session";
/// What a browser without a session proves that a form is its own with.
pub(super) const DOOR: &str = "bc-door";
/// Who is between two steps of signing in.
pub(super) const STEP: &str = "bc-step";
/// That somebody signed in from this browser before.
pub(super) const DEVICE: &str = "bc-device";
/// The one-time password of the first run, for the next step.
pub(super) const SETUP: &str = "bc-setup";
/// What was asked of the provider of identities.
pub(super) const OIDC: &str = "bc-oidc";

const HOST: &str = "__Host-";

fn https_only(console: &Console) -> bool {
    console.public_url().is_some_and(|url| url.starts_with("https://"))
}

/// Whether the browser came by HTTPS: as configured, or as the `Origin` of its form says.
pub(super) fn is_secure(console: &Console, headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    https_only(console) || origin.is_some_and(|origin| origin.starts_with("https://"))
}

/// The value of a cookie of ours. Where the console is reached by HTTPS alone, one without the prefix does not count: a
/// network in between could have set it.
pub(super) fn read<'a>(console: &Console, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let found = cookie(headers, &format!("{HOST}{name}"));
    found
        .or_else(|| if https_only(console) { None } else { cookie(headers, name) })
        .filter(|value| !value.is_empty())
}

/// The session's cookie.
pub(super) fn session(console: &Console, headers: &HeaderMap) -> Option<SecretString> {
    read(console, headers, SESSION).map(|value| value.to_owned().into())
}

/// A `Set-Cookie` for that long in seconds; none is until the browser ends.
pub(super) fn set(secure: bool, name: &str, value: &str, seconds: Option<i64>) -> Option<HeaderValue> {
    let (prefix, flag) = if secure { (HOST, "; Secure") } else { ("", "") };
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let line = format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Lax{flag}{age}");
    let mut line = HeaderValue::from_str(&line).ok()?;
    line.set_sensitive(true);
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_the_server_alone_and_for_this_host() {
        let plain = set(false, SESSION, "abc", None).unwrap();
        assert_eq!(plain.to_str().unwrap(), "bc-session=abc; Path=/; HttpOnly; SameSite=Lax");
        let secure = set(true, SESSION, "abc", Some(9)).unwrap();
        let wanted = "__Host-bc-session=abc; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=9";
        assert_eq!(secure.to_str().unwrap(), wanted);
        assert!(secure.is_sensitive());
        assert!(set(false, SESSION, "a\r\nb: c", None).is_none());
    }
}

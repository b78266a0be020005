//! `[console]`.

use super::Checker;
use crate::config::ConsoleConfig;
use crate::config::raw::RawConsole;
use http::Uri;

impl Checker {
    pub(super) fn console(&mut self, raw: &RawConsole) -> ConsoleConfig {
        let public_url = raw.public_url.as_ref().and_then(|at| {
            let text = at.get_ref().trim_end_matches('/');
            if is_origin(text) {
                return Some(text.to_owned());
            }
            let message =
                "write where browsers reach the console, scheme and host alone: \"https://gateway.example\"";
            self.report(at.span(), "console.public_url", message);
            None
        });
        let mut trusted_proxies = Vec::new();
        for at in raw.trusted_proxies.iter().flatten() {
            match at.get_ref().parse() {
                Ok(ip) => trusted_proxies.push(ip),
                Err(_) => {
                    let message = "this is no address of a proxy; write it like \"10.0.0.1\" or \"fd00::1\"";
                    self.report(at.span(), "console.trusted_proxies", message);
                }
            }
        }
        ConsoleConfig { public_url, trusted_proxies }
    }
}

fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = uri.path_and_query().is_none_or(|rest| rest.as_str() == "/");
    let authority = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    scheme && bare && authority
}

#[cfg(test)]
mod tests {
    use super::is_origin;

    #[test]
    fn an_origin_is_scheme_and_host() {
        for good in ["https://gateway.example", "http://10.0.0.1:3000", "https://[::1]:8443"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in ["gateway.example", "https://a/b", "ftp://a", "https://u:p@a", "https://a?x", ""] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}

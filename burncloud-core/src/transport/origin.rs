//! Where a provider is.

use crate::usecase::Said;
use http::Uri;

/// A provider's scheme, host and port, and the proxy on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    authority: String,
    host: String,
    port: u16,
    tls: bool,
    proxy: Option<(String, u16)>,
}

impl Origin {
    /// From a base URL and an optional `http://host:port` proxy.
    ///
    /// # Errors
    /// The field at fault and what to do about it.
    pub fn new(base: &Uri, proxy: Option<&str>) -> Result<Origin, (&'static str, Said)> {
        let bad = |en: &'static str, zh: &'static str| ("base_url", Said::new(en, zh));
        let tls = match base.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(bad("start it with https:// or http://", "请以 https:// 或 http:// 开头")),
        };
        if tls && cfg!(not(feature = "tls")) {
            return Err(bad(
                "https needs the feature `tls` of burncloud-core",
                "https 需要 burncloud-core 的 `tls` 特性",
            ));
        }
        let authority = base.authority().ok_or_else(|| bad("it names no host", "缺少主机名"))?;
        if authority.as_str().contains('@') {
            return Err(bad(
                "put the credential into `credential`, not into the URL",
                "凭证请填在凭证一栏，不要写进网址",
            ));
        }
        if base.query().is_some() {
            return Err(bad("a query cannot be part of it", "网址不能带查询参数"));
        }
        let port = base.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Origin {
            authority: authority.as_str().to_owned(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            tls,
            proxy: proxy.map(parse_proxy).transpose()?,
        })
    }

    /// `host` or `host:port`, as the `host` header says it.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// The proxy's host and port.
    #[must_use]
    pub fn proxy(&self) -> Option<(&str, u16)> {
        self.proxy.as_ref().map(|(host, port)| (host.as_str(), *port))
    }
}

fn parse_proxy(text: &str) -> Result<(String, u16), (&'static str, Said)> {
    let bad = || ("proxy", Said::new("write it as http://host:port", "请写成 http://主机:端口"));
    let uri: Uri = text.parse().map_err(|_| bad())?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        // It would be shown wherever the channel is, and it is not sent.
        let said = Said::new(
            "a proxy with a user name and password is not supported: write http://host:port",
            "不支持带用户名和密码的代理，请写成 http://主机:端口",
        );
        return Err(("proxy", said));
    }
    match (uri.scheme_str(), uri.host(), uri.port_u16()) {
        (Some("http"), Some(host), Some(port)) => Ok((host.trim_matches(['[', ']']).to_owned(), port)),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<Origin, (&'static str, Said)> {
        Origin::new(&text.parse().unwrap(), None)
    }

    #[test]
    fn splits_an_address() {
        let origin = origin("http://[::1]:8080/v1").unwrap();
        assert_eq!((origin.authority(), origin.host(), origin.port()), ("[::1]:8080", "::1", 8080));
    }

    #[test]
    fn refuses_what_would_leak_or_mislead() {
        for text in ["ftp://x", "http://user:pass@x", "http://x/?a=b", "/only/a/path"] {
            assert!(origin(text).is_err(), "{text}");
        }
        for text in ["http://user:secret@proxy:3128", "https://proxy:3128", "proxy:3128", "http://proxy"] {
            let (field, said) = Origin::new(&"https://x".parse().unwrap(), Some(text)).unwrap_err();
            assert!(field == "proxy" && !said.to_string().contains("secret"), "{text}");
        }
    }
}

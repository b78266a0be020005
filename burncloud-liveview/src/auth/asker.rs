//! Whoever asks: where from, with what, and how they want to see it.

use super::{cookies, next};
use crate::Console;
use crate::lang::{Lang, Look};
use crate::live::Place;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::response::{IntoResponse, Redirect, Response};
use burncloud_billing::desk::login::{Guest, is_mac, mac, random_text};
use burncloud_core::layers::auth::RemoteIp;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// The proxies whose word about addresses counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(pub(crate) Vec<IpAddr>);

impl Proxies {
    fn trusts(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|proxy| proxy.to_canonical() == ip.to_canonical())
    }

    /// The address of the browser: whoever is connected; behind proxies that are trusted, the last one in
    /// `X-Forwarded-For` that is none of them.
    fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer?;
        if !self.trusts(peer) {
            return Some(peer);
        }
        let lines: Vec<&str> =
            headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok()).collect();
        let hops: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).collect();
        let mut last = peer;
        for hop in hops.into_iter().rev() {
            let Ok(ip) = hop.trim().parse::<IpAddr>() else { return Some(last) };
            last = ip;
            if !self.trusts(ip) {
                return Some(ip);
            }
        }
        Some(last)
    }
}

/// The address of the browser.
pub(super) struct Peer(pub(super) Option<IpAddr>);

impl Peer {
    pub(super) fn of(console: &Console, parts: &Parts) -> Peer {
        let peer = parts.extensions.get::<RemoteIp>().map(|RemoteIp(ip)| *ip);
        let peer = peer.or_else(|| parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()));
        Peer(console.proxies().client(peer, &parts.headers))
    }
}

/// A request as far as it says who sent it: its headers, and the address of the browser.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Its headers.
    pub headers: HeaderMap,
    /// The address: whoever is connected, or whom a proxy that is trusted names.
    pub ip: Option<IpAddr>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Console: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Caller, Infallible> {
        let ip = Peer::of(&Console::from_ref(state), parts).0;
        Ok(Caller { headers: parts.headers.clone(), ip })
    }
}

/// Whoever asks.
pub(super) struct Asker {
    pub(super) headers: HeaderMap,
    pub(super) guest: Guest,
    pub(super) look: Look,
    /// Where they were going before they had to sign in.
    pub(super) next: Option<Place>,
    /// Whether the browser came by HTTPS.
    pub(super) secure: bool,
    /// What its forms are tied to where it has no session; new if `fresh`.
    door: String,
    fresh: bool,
}

impl FromRequestParts<Console> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Asker, Infallible> {
        let headers = parts.headers.clone();
        let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let guest = Guest { ip: Peer::of(console, parts).0, agent: agent.to_owned() };
        let door = cookies::read(console, &headers, cookies::DOOR).filter(|door| door.len() == 43);
        let fresh = door.is_none();
        // Without random bytes the form carries a token that fits nothing.
        let door = door.map_or_else(|| random_text().unwrap_or_default(), str::to_owned);
        let (look, secure) = (Look::of(&headers), cookies::is_secure(console, &headers));
        let next = next::of(console.prefix(), &parts.uri);
        Ok(Asker { headers, guest, look, next, secure, door, fresh })
    }
}

impl Asker {
    pub(super) fn lang(&self) -> Lang {
        self.look.lang
    }

    /// Another page at the door, from which they go where they were going.
    pub(super) fn onward(&self, console: &Console, path: &str) -> Response {
        let to = format!("{}{}", console.prefix(), next::with(path, self.next.as_ref()));
        Redirect::to(&to).into_response()
    }

    /// The path of where they were going, or of the first page.
    pub(super) fn goal(&self, console: &Console) -> String {
        match (&self.next, console.prefix()) {
            (Some(next), prefix) => format!("{prefix}{next}"),
            (None, "") => "/".to_owned(),
            (None, prefix) => prefix.to_owned(),
        }
    }

    /// What its forms carry.
    pub(super) fn csrf(&self) -> String {
        mac(self.door.as_bytes(), b"door")
    }

    /// Whether a form that whoever has no session sends is from a page that this browser was given.
    pub(super) fn is_own_form(&self, console: &Console, csrf: &str) -> bool {
        !self.fresh
            && super::guard::is_from_here(console, &self.headers)
            && is_mac(self.door.as_bytes(), b"door", csrf)
    }

    pub(super) fn set_cookie(&self, name: &str, value: &str, seconds: Option<i64>) -> Option<HeaderValue> {
        cookies::set(self.secure, name, value, seconds)
    }

    /// The cookie that forms are tied to, if the browser has none.
    pub(super) fn door_cookie(&self) -> Option<HeaderValue> {
        self.fresh.then(|| self.set_cookie(cookies::DOOR, &self.door, None)).flatten()
    }

    pub(super) fn cookie<'a>(&'a self, console: &Console, name: &str) -> Option<&'a str> {
        cookies::read(console, &self.headers, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies(vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        proxies.client(peer.parse().ok(), &headers).unwrap().to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_saw() {
        assert_eq!(client("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(client("10.0.0.1", &["203.0.113.7, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.7", "198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["evil"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}

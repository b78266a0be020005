//! Who calls the management API.

use super::asker::Peer;
use super::{guard, seat};
use crate::Console;
use burncloud_billing::desk::login::Seat;
use burncloud_billing::people::Actor;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method};
use secrecy::SecretString;

/// Why a call is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Nobody, or a session or token that does not stand: 401.
    Nobody,
    /// A write by a cookie that does not come from a page of the console: 403.
    Forged,
    /// The store is away: 503.
    Away,
}

/// Whoever calls the management API: by `Authorization: Bearer bct_…`, or by the cookie of the console; a write by cookie
/// needs what a form needs. A request with a bearer token is that token's, whatever cookies come along.
///
/// # Errors
/// [`Denied`].
pub async fn api_actor(console: &Console, parts: &Parts) -> Result<Actor, Denied> {
    let seat = sitting(console, &parts.method, &parts.headers).await?;
    Ok(seat.actor_at(Peer::of(console, parts).0))
}

pub(super) async fn sitting(console: &Console, method: &Method, headers: &HeaderMap) -> Result<Seat, Denied> {
    if let Some(given) = headers.get(AUTHORIZATION) {
        let token = given.to_str().ok().and_then(|given| given.split_once(' '));
        let token =
            token.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer")).ok_or(Denied::Nobody)?.1.trim();
        let seat = console.desk().bearer(&SecretString::from(token)).await.map_err(|_| Denied::Away)?;
        return seat.ok_or(Denied::Nobody);
    }
    let (cookie, seat) = seat(console, headers).await.ok_or(Denied::Nobody)?;
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && !guard::is_write_allowed(console, headers, &cookie, None) {
        return Err(Denied::Forged);
    }
    Ok(seat)
}

//! Who somebody is: sign-in, the first run, invitations, acting in another's name, over plain forms that work without
//! scripts. What is allowed is decided by [`burncloud_billing::desk::login`]; here are cookies, forms and where they come from.
//!
//! | path below the prefix | |
//! |---|---|
//! | `signin`, `signin/code`, `signin/password`, `signin/factor` | name and password, and whatever else is needed |
//! | `signout` | POST: ends the session and its sockets |
//! | `setup` | the first owner, by the one-time password that the server printed |
//! | `join?code=` | becomes a user by an invitation |
//! | `signup` | becomes a user, where the house lets anybody |
//! | `impersonate`, `impersonate/stop` | POST: acts as a user, and the way back |
//! | `account/password`, `account/elsewhere` | POST: another password; ends every other session |
//! | `oidc`, `oidc/back` | through a provider of identities |
//!
//! `?next=` of a page at the door is the page that was asked for: whoever came in by any way goes there.
//!
//! Each POST needs an `Origin` of the console itself and the token that its form carries: [`csrf_of`] of the session, or of
//! the cookie `bc-door` for whoever has none.

mod account;
mod api;
mod asker;
mod cookies;
mod doors;
mod guard;
mod next;
mod oidc;
mod pages;
mod setup;
mod sign_in;
mod sockets;
#[cfg(test)]
mod tests;

pub use api::{Denied, api_actor};
pub use asker::Caller;
pub(crate) use asker::Proxies;
pub use burncloud_billing::desk::login::csrf_of;
pub(crate) use guard::is_from_here;
pub use guard::{CSRF_HEADER, is_write_allowed};
pub(crate) use next::sign_in as sign_in_path;
pub(crate) use oidc::Provider;
pub use pages::qr;
pub(crate) use sockets::{AGAIN, Sockets, keep};

use crate::Console;
use crate::lang::Look;
use crate::live::Viewer;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use burncloud_billing::desk::login::Seat;
use http::HeaderMap;
use secrecy::SecretString;
use std::sync::Arc;

/// The largest form in bytes.
const LARGEST: usize = 16 * 1024;

/// The routes of this module, with the headers of the console.
pub fn router(console: Console) -> Router {
    let prefix = console.prefix().to_owned();
    let under = |path: &str| format!("{prefix}{path}");
    let router = Router::new()
        .route(&under("/signin"), get(sign_in::form).post(sign_in::sign_in))
        .route(&under("/signin/code"), get(sign_in::step).post(sign_in::code))
        .route(&under("/signin/password"), get(sign_in::step).post(sign_in::password))
        .route(&under("/signin/factor"), get(sign_in::step).post(sign_in::factor))
        .route(&under("/signout"), post(sign_in::sign_out))
        .route(&under("/setup"), get(setup::form).post(setup::code))
        .route(&under("/setup/owner"), get(setup::owner_form).post(setup::owner))
        .route(&under("/join"), get(setup::join_form).post(setup::join))
        .route(&under("/signup"), get(setup::register_form).post(setup::register))
        .route(&under("/impersonate"), post(account::act_as))
        .route(&under("/impersonate/stop"), post(account::act_no_more))
        .route(&under("/account/password"), post(account::password))
        .route(&under("/account/elsewhere"), post(account::elsewhere))
        .route(&under("/oidc"), get(oidc::start))
        .route(&under("/oidc/back"), get(oidc::back));
    crate::web::secure(router.layer(DefaultBodyLimit::max(LARGEST)).with_state(console))
}

/// Whoever the cookie of a request is of, if their session stands.
async fn seat(console: &Console, headers: &HeaderMap) -> Option<(SecretString, Seat)> {
    let cookie = cookies::session(console, headers)?;
    match console.desk().seat(&cookie).await {
        Ok(seat) => Some((cookie, seat?)),
        Err(error) => {
            tracing::warn!(%error, "a session could not be looked up");
            None
        }
    }
}

/// Whoever sent a request, where it carries a session that stands. Their sockets are closed when it ends.
pub async fn viewer(console: &Console, caller: &Caller) -> Option<Arc<Viewer>> {
    let (cookie, seat) = seat(console, &caller.headers).await?;
    let look = Look::of(&caller.headers);
    let viewer = Viewer {
        actor: seat.actor_at(caller.ip),
        name: seat.display.clone(),
        lang: look.lang,
        theme: look.theme,
        csrf: csrf_of(&cookie),
        ended: tokio_util::sync::CancellationToken::new(),
        acting: seat.acting.as_ref().map(|real| real.name.clone()),
    };
    let viewer = Arc::new(viewer);
    console.sockets().keep(seat.session.hash, &viewer);
    Some(viewer)
}

/// Whoever sent a request, as use cases are told, where it carries a session that stands.
pub(crate) async fn actor(console: &Console, caller: &Caller) -> Option<burncloud_billing::people::Actor> {
    let (_, seat) = seat(console, &caller.headers).await?;
    Some(seat.actor_at(caller.ip))
}

/// Whoever sent a form, where it is a page's own: their session stands, and `csrf` is its token.
pub(crate) async fn sender(
    console: &Console,
    caller: &Caller,
    csrf: &str,
) -> Option<burncloud_billing::people::Actor> {
    let (cookie, seat) = seat(console, &caller.headers).await?;
    guard::is_write_allowed(console, &caller.headers, &cookie, Some(csrf)).then(|| seat.actor_at(caller.ip))
}

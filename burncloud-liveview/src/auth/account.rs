//! What changes the session itself: another password, acting in another's name, the way back.

use super::asker::Asker;
use super::doors::{enter, forged, refuse, session_cookie, with};
use super::pages::State;
use super::{guard, seat};
use crate::Console;
use axum::extract::{Form, State as Of};
use axum::response::{IntoResponse, Redirect, Response};
use burncloud_billing::desk::login::{Opened, Refused, Seat};
use burncloud_core::UserId;
use burncloud_core::usecase::UseCaseResult;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    user: i64,
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
}

/// Whoever sits there, if this is a form of theirs.
async fn sitting(console: &Console, asker: &Asker, csrf: &str) -> Result<Seat, Response> {
    let Some((cookie, seat)) = seat(console, &asker.headers).await else {
        return Err(Redirect::to(&format!("{}/signin", console.prefix())).into_response());
    };
    if guard::is_write_allowed(console, &asker.headers, &cookie, Some(csrf)) {
        Ok(seat)
    } else {
        Err(forged(console, asker))
    }
}

fn moved(console: &Console, asker: &Asker, opened: UseCaseResult<Opened>) -> Response {
    match opened {
        Ok(opened) => {
            let home = if console.prefix().is_empty() { "/" } else { console.prefix() };
            with(Redirect::to(home).into_response(), session_cookie(asker, &opened))
        }
        Err(error) => refuse(console, asker, Refused::Fault(error), |_, text| State::Notice { text }),
    }
}

pub(super) async fn act_as(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    match sitting(&console, &asker, &typed.csrf).await {
        Ok(seat) => {
            let opened = console.desk().act_as(&seat, UserId(typed.user), &asker.guest).await;
            moved(&console, &asker, opened)
        }
        Err(answer) => answer,
    }
}

pub(super) async fn act_no_more(
    Of(console): Of<Console>,
    asker: Asker,
    Form(typed): Form<Typed>,
) -> Response {
    match sitting(&console, &asker, &typed.csrf).await {
        Ok(seat) => {
            let opened = console.desk().act_no_more(&seat, &asker.guest).await;
            moved(&console, &asker, opened)
        }
        Err(answer) => answer,
    }
}

pub(super) async fn password(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    let seat = match sitting(&console, &asker, &typed.csrf).await {
        Ok(seat) => seat,
        Err(answer) => return answer,
    };
    let (current, next) = (typed.current.into(), typed.password.into());
    match console.desk().change_password(&seat.actor_at(asker.guest.ip), current, next, &asker.guest).await {
        Ok(entry) => enter(&console, &asker, entry).await,
        Err(refused) => refuse(&console, &asker, refused, |field, text| State::Change {
            current: (field == Some("current")).then(|| text.clone()),
            error: (field != Some("current")).then_some(text),
            csrf: typed.csrf,
        }),
    }
}

/// Ends every other session and token.
pub(super) async fn elsewhere(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    let seat = match sitting(&console, &asker, &typed.csrf).await {
        Ok(seat) => seat,
        Err(answer) => return answer,
    };
    match console.desk().end_others(&seat.actor_at(asker.guest.ip), &seat.session.hash).await {
        Ok(_) => Redirect::to(&format!("{}/account", console.prefix())).into_response(),
        Err(error) => refuse(&console, &asker, Refused::Fault(error), |_, text| State::Notice { text }),
    }
}

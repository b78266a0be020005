//! Signing in and out.

use super::asker::Asker;
use super::doors::{enter, forged, is_in, refuse, show, with};
use super::pages::{SignInState, State};
use super::{cookies, guard};
use crate::Console;
use axum::extract::{Form, State as Of};
use axum::response::{IntoResponse, Redirect, Response};
use burncloud_billing::desk::login::{Need, Refused, SignIn};
use http::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    offer: String,
}

/// The form, with the doors beside it that are open.
async fn sign_in_state(console: &Console, name: &str, error: Option<String>) -> State {
    let access = console.desk().access().await.unwrap_or_default();
    State::SignIn(SignInState {
        name: name.to_owned(),
        error,
        provider: access.oidc.map(|oidc| oidc.button),
        register: access.registration.is_some(),
    })
}

pub(super) async fn form(Of(console): Of<Console>, asker: Asker) -> Response {
    if is_in(&console, &asker.headers).await {
        return Redirect::to(&asker.goal(&console)).into_response();
    }
    if console.desk().is_new().await.unwrap_or(false) {
        return asker.onward(&console, "/setup");
    }
    show(&console, &asker, StatusCode::OK, sign_in_state(&console, "", None).await)
}

pub(super) async fn sign_in(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let name = typed.name.clone();
    let device = asker.cookie(&console, cookies::DEVICE).map(str::to_owned);
    let wish = SignIn { name: typed.name, password: typed.password.into(), device };
    match console.desk().sign_in(wish, &asker.guest).await {
        Ok(entry) => enter(&console, &asker, entry).await,
        Err(refused) => {
            let state = sign_in_state(&console, &name, None).await;
            refuse(&console, &asker, refused, |_, error| state.wrong(error))
        }
    }
}

/// The form of the step that somebody is at.
pub(super) async fn step(Of(console): Of<Console>, asker: Asker) -> Response {
    let step = asker.cookie(&console, cookies::STEP).unwrap_or_default().to_owned();
    match console.desk().need_of(&step) {
        Some(need) => show_step(&console, &asker, &step, need, None).await,
        None => asker.onward(&console, "/signin"),
    }
}

async fn show_step(
    console: &Console,
    asker: &Asker,
    step: &str,
    need: Need,
    error: Option<String>,
) -> Response {
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let state = match need {
        Need::Code => State::Code { error },
        Need::Password => State::Password { error },
        Need::Factor => match console.desk().offer_at_step(step).await {
            Ok(offer) => State::factor(&offer, error),
            Err(refused) => {
                return refuse(console, asker, refused, |_, text| State::Notice { text });
            }
        },
    };
    show(console, asker, status, state)
}

pub(super) async fn code(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let step = asker.cookie(&console, cookies::STEP).unwrap_or_default();
    match console.desk().give_code(step, &typed.code, &asker.guest).await {
        Ok(entry) => enter(&console, &asker, entry).await,
        Err(refused) => refuse(&console, &asker, refused, |_, error| State::Code { error: Some(error) }),
    }
}

pub(super) async fn password(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let step = asker.cookie(&console, cookies::STEP).unwrap_or_default();
    match console.desk().give_password(step, typed.password.into(), &asker.guest).await {
        Ok(entry) => enter(&console, &asker, entry).await,
        Err(refused) => refuse(&console, &asker, refused, |_, error| State::Password { error: Some(error) }),
    }
}

pub(super) async fn factor(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let step = asker.cookie(&console, cookies::STEP).unwrap_or_default().to_owned();
    match console.desk().give_factor(&step, &typed.offer, &typed.code, &asker.guest).await {
        Ok((entry, codes)) => {
            // The cookies of the way in come with the page that shows the codes.
            let entered = enter(&console, &asker, entry).await;
            let cookies: Vec<_> =
                entered.headers().get_all(http::header::SET_COOKIE).iter().cloned().collect();
            with(show(&console, &asker, StatusCode::OK, State::Recovery { codes }), cookies)
        }
        Err(Refused::Fault(burncloud_core::usecase::UseCaseError::Invalid { message, .. })) => {
            let error = asker.lang().said(&message).to_owned();
            show_step(&console, &asker, &step, Need::Factor, Some(error)).await
        }
        Err(refused) => refuse(&console, &asker, refused, |_, text| State::Notice { text }),
    }
}

pub(super) async fn sign_out(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    let to = Redirect::to(&format!("{}/signin", console.prefix())).into_response();
    let Some(cookie) = cookies::session(&console, &asker.headers) else { return to };
    if !guard::is_write_allowed(&console, &asker.headers, &cookie, Some(&typed.csrf)) {
        return forged(&console, &asker);
    }
    match console.desk().sign_out(&cookie).await {
        Ok(()) => with(to, asker.set_cookie(cookies::SESSION, "", Some(0))),
        Err(error) => refuse(&console, &asker, Refused::Fault(error), |_, text| State::Notice { text }),
    }
}

//! New logins: the first owner, whoever is invited, whoever comes.

use super::asker::Asker;
use super::cookies;
use super::doors::{enter, forged, refuse, show, with};
use super::pages::{NewState, State, Which};
use crate::Console;
use axum::extract::{Form, Query, State as Of};
use axum::response::Response;
use burncloud_billing::desk::login::{NewLogin, Refused};
use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    display: String,
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Invited {
    #[serde(default)]
    code: String,
}

impl Typed {
    fn split(self, which: Which) -> (SecretString, NewLogin, NewState) {
        let code = self.code.clone();
        let state = NewState {
            which,
            code,
            login: self.login.clone(),
            display: self.display.clone(),
            ..NewState::new(which)
        };
        let new = NewLogin { name: self.login, display: self.display, password: self.password.into() };
        (self.code.into(), new, state)
    }
}

pub(super) async fn form(Of(console): Of<Console>, asker: Asker) -> Response {
    match console.desk().is_new().await {
        Ok(true) => show(&console, &asker, StatusCode::OK, State::First { error: None }),
        Ok(false) => asker.onward(&console, "/signin"),
        Err(error) => refuse(&console, &asker, Refused::Fault(error), |_, text| State::Notice { text }),
    }
}

pub(super) async fn code(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let code = typed.code.trim().to_owned();
    match console.desk().check_setup(&code.as_str().into()).await {
        Ok(()) => {
            let cookie = asker.set_cookie(cookies::SETUP, &code, Some(1800));
            with(asker.onward(&console, "/setup/owner"), cookie)
        }
        Err(refused) => refuse(&console, &asker, refused, |_, error| State::First { error: Some(error) }),
    }
}

pub(super) async fn owner_form(Of(console): Of<Console>, asker: Asker) -> Response {
    if asker.cookie(&console, cookies::SETUP).is_none() || !console.desk().is_new().await.unwrap_or(false) {
        return asker.onward(&console, "/setup");
    }
    show(&console, &asker, StatusCode::OK, State::New(NewState::new(Which::Owner)))
}

pub(super) async fn owner(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let code = SecretString::from(asker.cookie(&console, cookies::SETUP).unwrap_or_default());
    let (_, new, state) = typed.split(Which::Owner);
    match console.desk().first_owner(&code, new, &asker.guest).await {
        Ok(entry) => enter(&console, &asker, entry).await,
        Err(refused @ Refused::Wrong { .. }) => {
            refuse(&console, &asker, refused, |_, error| State::First { error: Some(error) })
        }
        Err(refused) => refuse(&console, &asker, refused, |field, error| state.wrong(field, error)),
    }
}

pub(super) async fn join_form(
    Of(console): Of<Console>,
    Query(invited): Query<Invited>,
    asker: Asker,
) -> Response {
    match console.desk().invited(&invited.code.as_str().into(), &asker.guest).await {
        Ok(_) => {
            let state = NewState { code: invited.code, ..NewState::new(Which::Invited) };
            show(&console, &asker, StatusCode::OK, State::New(state))
        }
        Err(refused) => refuse(&console, &asker, refused, |_, text| State::Notice { text }),
    }
}

pub(super) async fn join(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let (code, new, state) = typed.split(Which::Invited);
    match console.desk().join(&code, new, &asker.guest).await {
        Ok(entry) => enter(&console, &asker, entry).await,
        Err(refused) => refuse(&console, &asker, refused, |field, error| state.wrong(field, error)),
    }
}

pub(super) async fn register_form(Of(console): Of<Console>, asker: Asker) -> Response {
    match console.desk().access().await {
        Ok(access) if access.registration.is_some() => {
            show(&console, &asker, StatusCode::OK, State::New(NewState::new(Which::Anybody)))
        }
        Ok(_) => asker.onward(&console, "/signin"),
        Err(error) => refuse(&console, &asker, Refused::Fault(error), |_, text| State::Notice { text }),
    }
}

pub(super) async fn register(Of(console): Of<Console>, asker: Asker, Form(typed): Form<Typed>) -> Response {
    if !asker.is_own_form(&console, &typed.csrf) {
        return forged(&console, &asker);
    }
    let (_, new, state) = typed.split(Which::Anybody);
    match console.desk().register(new, &asker.guest).await {
        Ok(entry) => enter(&console, &asker, entry).await,
        Err(refused) => refuse(&console, &asker, refused, |field, error| state.wrong(field, error)),
    }
}

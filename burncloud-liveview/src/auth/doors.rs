//! What came of a step, as an answer.

use super::asker::Asker;
use super::cookies;
use super::pages::{Door, State};
use crate::Console;
use crate::lang::Lang;
use axum::response::{IntoResponse, Redirect, Response};
use burncloud_billing::desk::login::{Entry, Need, Opened, Refused};
use burncloud_core::UnixMicros;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::UseCaseError;
use http::header::{HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret;

/// A form that is shown.
pub(super) fn show(console: &Console, asker: &Asker, status: StatusCode, state: State) -> Response {
    let lang = asker.lang();
    let title = state.title(lang).to_owned();
    let wait = match &state {
        State::Locked { seconds } => HeaderValue::from_str(&seconds.to_string()).ok(),
        _ => None,
    };
    let house = console.house().to_string();
    let next = asker.next.as_ref().map(super::next::query).unwrap_or_default();
    let door = Door {
        prefix: console.prefix().to_owned(),
        next,
        goal: asker.goal(console),
        house,
        csrf: asker.csrf(),
        state,
    };
    let mut response = crate::web::still(console, &asker.look, &title, super::pages::app, door);
    *response.status_mut() = status;
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    with(response, asker.door_cookie())
}

/// An answer with cookies.
pub(super) fn with(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    response.headers_mut().extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// A write that does not come from a form of the console.
pub(super) fn forged(console: &Console, asker: &Asker) -> Response {
    let text = asker.lang().t(
        "This form is too old, or was not sent from here. Open it again.",
        "表单已过期，或不是从这里提交的，请重新打开。",
    );
    show(console, asker, StatusCode::FORBIDDEN, State::Notice { text: text.to_owned() })
}

/// The cookie of a session.
pub(super) fn session_cookie(asker: &Asker, opened: &Opened) -> Option<HeaderValue> {
    let seconds = (opened.session.expires_at.0 - UnixMicros::now().0).max(0) / 1_000_000;
    asker.set_cookie(cookies::SESSION, opened.secret.expose_secret(), Some(seconds))
}

/// Their way in, or on to the next step. Whatever session this browser had ends: nobody's is carried over into another's.
pub(super) async fn enter(console: &Console, asker: &Asker, entry: Entry) -> Response {
    if let Some(old) = cookies::session(console, &asker.headers)
        && let Err(error) = console.desk().sign_out(&old).await
    {
        return refuse(console, asker, Refused::Fault(error), |_, text| State::Notice { text });
    }
    match entry {
        Entry::Open { opened, device } => {
            let set = [
                session_cookie(asker, &opened),
                asker.set_cookie(cookies::DEVICE, &device, Some(400 * 86_400)),
                asker.set_cookie(cookies::STEP, "", Some(0)),
                asker.set_cookie(cookies::SETUP, "", Some(0)),
            ];
            with(Redirect::to(&asker.goal(console)).into_response(), set.into_iter().flatten())
        }
        Entry::More { need, step } => {
            let path = match need {
                Need::Code => "/signin/code",
                Need::Password => "/signin/password",
                Need::Factor => "/signin/factor",
            };
            let cookie = asker.set_cookie(cookies::STEP, &step, Some(600));
            with(asker.onward(console, path), cookie)
        }
    }
}

/// Says why not: `again` draws the form with what was wrong; the field, where there is one, comes along.
pub(super) fn refuse(
    console: &Console,
    asker: &Asker,
    refused: Refused,
    again: impl FnOnce(Option<&str>, String) -> State,
) -> Response {
    let lang = asker.lang();
    match refused {
        Refused::Locked { seconds } => {
            show(console, asker, StatusCode::TOO_MANY_REQUESTS, State::Locked { seconds })
        }
        Refused::Wrong { left } => {
            show(console, asker, StatusCode::UNAUTHORIZED, again(None, wrong(lang, left)))
        }
        Refused::Over => {
            let cookie = asker.set_cookie(cookies::STEP, "", Some(0));
            with(asker.onward(console, "/signin"), cookie)
        }
        Refused::Fault(UseCaseError::Invalid { field, message }) => show(
            console,
            asker,
            StatusCode::UNPROCESSABLE_ENTITY,
            again(Some(&field), lang.said(&message).to_owned()),
        ),
        Refused::Fault(UseCaseError::Forbidden(message)) => {
            let text = lang.said(&message).to_owned();
            show(console, asker, StatusCode::FORBIDDEN, State::Notice { text })
        }
        Refused::Fault(UseCaseError::Store(StoreError::Conflict { .. })) => {
            let text = lang.t("Somebody has that name: take another.", "这个名字已被使用，请换一个。");
            show(console, asker, StatusCode::CONFLICT, again(Some("login"), text.to_owned()))
        }
        Refused::Fault(error) => {
            tracing::warn!(%error, "somebody could not be signed in");
            let text =
                lang.t("This does not work at the moment. Try again soon.", "暂时无法处理，请稍后再试。");
            show(console, asker, StatusCode::SERVICE_UNAVAILABLE, again(None, text.to_owned()))
        }
    }
}

fn wrong(lang: Lang, left: u32) -> String {
    match lang {
        Lang::En if left == 1 => "That does not match. One try left.".to_owned(),
        Lang::En => format!("That does not match. {left} tries left."),
        Lang::Zh => format!("不匹配，还可以试 {left} 次。"),
    }
}

/// Whether a request already has a session.
pub(super) async fn is_in(console: &Console, headers: &HeaderMap) -> bool {
    super::seat(console, headers).await.is_some()
}

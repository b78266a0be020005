//! Whoever asks: who they are, where they are signed in, their tokens.

use super::page::List;
use super::read::{At, Body, Who};
use super::reply::{Answer, created_once, nothing, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::login::{Own, Place};
use burncloud_billing::people::Actor;
use burncloud_core::usecase::UseCaseError;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_me, update_me))
        .routes(routes!(list_sessions))
        .routes(routes!(end_session))
        .routes(routes!(create_token))
        .routes(routes!(redeem_code))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MeChange, example = json!({ "display": "Mina" }))]
struct MeBody {
    /// What you are called on screens; empty is your name.
    display: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken, example = json!({ "name": "terraform", "days": 90 }))]
struct TokenBody {
    /// What it is for; no other of yours has this name.
    name: String,
    /// For how many days it stands.
    #[schema(minimum = 1, maximum = 366)]
    days: u32,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Redemption, example = json!({ "code": "BURN-XXXX-XXXX" }))]
struct RedeemBody {
    /// The code, as it was given to you.
    #[schema(write_only)]
    code: String,
}

async fn me(api: &Api, actor: &Actor) -> Answer {
    let login = match api.desk().own(actor).await {
        Ok(own) => shown(&own),
        // In another's name, or without a way to sign in: there is nothing to show.
        Err(UseCaseError::Forbidden(_)) => Value::Null,
        Err(error) => return Err(error.into()),
    };
    ok(&json!({
        "user": actor.user,
        "name": actor.name,
        "role": actor.role,
        "tenant": actor.tenant,
        "acting": actor.acting,
        "login": login,
    }))
}

fn shown(own: &Own) -> Value {
    json!({
        "name": own.name,
        "display": own.display,
        "password": own.password,
        "identity_provider": own.subject,
        "recovery_codes": own.recovery,
    })
}

fn session(place: &Place) -> Value {
    let session = &place.session;
    json!({
        "id": place.id,
        "token": place.token,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "ip": session.ip,
        "agent": if place.token.is_some() { "" } else { session.agent.as_str() },
    })
}

/// Show who you are
#[utoipa::path(get, path = "/api/me", tag = "Me",
    responses((status = 200, description = "You", body = schema::Me)))]
async fn get_me(State(api): State<Api>, Who(actor): Who) -> Answer {
    me(&api, &actor).await
}

/// Change what you are called
#[utoipa::path(patch, path = "/api/me", tag = "Me", request_body = MeBody,
    responses((status = 200, description = "You", body = schema::Me)))]
async fn update_me(State(api): State<Api>, Who(actor): Who, Body(body): Body<MeBody>) -> Answer {
    api.desk().set_display(&actor, &body.display).await?;
    me(&api, &actor).await
}

/// List where you are signed in
///
/// Sessions of browsers, and management tokens.
#[utoipa::path(get, path = "/api/me/sessions", tag = "Me",
    responses((status = 200, description = "The one seen last first", body = schema::SessionList)))]
async fn list_sessions(State(api): State<Api>, Who(actor): Who) -> Answer {
    let places = api.desk().own_sessions(&actor).await?;
    ok(&List::whole(places.iter().map(session).collect()))
}

/// End a session, or revoke a management token
#[utoipa::path(delete, path = "/api/me/sessions/{id}", tag = "Me", params(schema::ByWord),
    responses((status = 204, description = "It is over")))]
async fn end_session(State(api): State<Api>, Who(actor): Who, At(id): At<String>) -> Answer {
    api.desk().end_session(&actor, &id).await?;
    nothing()
}

/// Make a management token
///
/// It does what you may do. The token is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/me/tokens", tag = "Me", request_body = TokenBody,
    responses((status = 201, description = "It is made", body = schema::MadeToken)))]
async fn create_token(State(api): State<Api>, Who(actor): Who, Body(body): Body<TokenBody>) -> Answer {
    let opened = api.desk().create_token(&actor, &body.name, body.days).await?;
    let made = json!({
        "name": body.name,
        "expires_at": opened.session.expires_at,
        "token": opened.secret.expose_secret(),
    });
    created_once(&made, &["token"])
}

/// Use a redeem code for your own wallet
#[utoipa::path(post, path = "/api/me/redeem", tag = "Me", request_body = RedeemBody,
    responses((status = 200, description = "What it was worth", body = schema::Redeemed)))]
async fn redeem_code(State(api): State<Api>, Who(actor): Who, Body(body): Body<RedeemBody>) -> Answer {
    ok(&api.desk().redeem(&actor, &body.code).await?)
}

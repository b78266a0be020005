//! Keys.

use super::page::{List, after, limit};
use super::read::{At, Body, IfMatch, Params, Who};
use super::reply::{Answer, created_once, ok, once};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::{KeyChange, KeyDraft, KeyFilter};
use burncloud_core::{KeyId, Status, TenantId, UserId};
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(get_key, update_key, revoke_key))
        .routes(routes!(rotate_key))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeyParams {
    /// This user's.
    #[serde(default)]
    user: Option<i64>,
    /// Those of this tenant's users.
    #[serde(default)]
    tenant: Option<i64>,
    /// And of the tenants below it.
    #[serde(default)]
    below: bool,
    /// Whose name or hint holds this.
    #[serde(default)]
    text: Option<String>,
    /// Of this status.
    #[serde(default)]
    #[param(value_type = Option<schema::Status>)]
    status: Option<Status>,
    /// At most so many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default)]
    limit: Option<u32>,
    /// What comes after: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyRotation, example = json!({ "overlap_s": 3600 }))]
struct RotateBody {
    /// For how many seconds the old secret goes on working; at most a week.
    #[serde(default)]
    #[schema(maximum = 604_800)]
    overlap_s: u32,
}

/// List keys
#[utoipa::path(get, path = "/api/keys", tag = "Keys", params(KeyParams),
    responses((status = 200, description = "Those that you see, by id", body = schema::KeyList)))]
async fn list_keys(State(api): State<Api>, Who(actor): Who, Params(params): Params<KeyParams>) -> Answer {
    let filter = KeyFilter {
        user: params.user.map(UserId),
        tenant: params.tenant.map(TenantId),
        below: params.below,
        text: params.text,
        status: params.status,
        after: after(params.after.as_deref())?.map(KeyId),
        limit: limit(params.limit)?,
    };
    ok(&List::from(api.desk().keys(&actor, &filter).await?))
}

/// Make a key
///
/// The secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/keys", tag = "Keys", request_body = schema::NewKey,
    responses((status = 201, description = "It is made", body = schema::MadeKey)))]
async fn create_key(State(api): State<Api>, Who(actor): Who, Body(draft): Body<KeyDraft>) -> Answer {
    created_once(&api.desk().create_key(&actor, draft).await?, &["secret"])
}

/// Show a key
#[utoipa::path(get, path = "/api/keys/{id}", tag = "Keys", params(schema::ById),
    responses((status = 200, description = "The key, without its secret", body = schema::Key)))]
async fn get_key(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().key(&actor, KeyId(id)).await?)
}

/// Change a key
#[utoipa::path(patch, path = "/api/keys/{id}", tag = "Keys", params(schema::ById),
    request_body = schema::KeyChange, responses((status = 200, description = "As it is now", body = schema::Key)))]
async fn update_key(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(change): Body<KeyChange>,
) -> Answer {
    ok(&api.desk().update_key(&actor, KeyId(id), change, seen.expected()).await?)
}

/// Revoke a key for good
#[utoipa::path(delete, path = "/api/keys/{id}", tag = "Keys", params(schema::ById),
    responses((status = 200, description = "As it is now", body = schema::Key)))]
async fn revoke_key(State(api): State<Api>, Who(actor): Who, At(id): At<i64>, seen: IfMatch) -> Answer {
    ok(&api.desk().revoke_key(&actor, KeyId(id), seen.expected()).await?)
}

/// Give a key another secret
///
/// The new secret is in this answer and nowhere else. The old one goes on working for as long as you say.
#[utoipa::path(post, path = "/api/keys/{id}/rotate", tag = "Keys", params(schema::ById),
    request_body = RotateBody, responses((status = 200, description = "With the new secret", body = schema::MadeKey)))]
async fn rotate_key(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(body): Body<RotateBody>,
) -> Answer {
    let made = api.desk().rotate_key(&actor, KeyId(id), body.overlap_s, seen.expected()).await?;
    once(StatusCode::OK, &made, &["secret"])
}

//! Users.

use super::page::{List, after, limit};
use super::read::{At, Body, IfMatch, Params, Who};
use super::reply::{Answer, created, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::{UserDraft, UserEdit, UserFilter};
use burncloud_core::{Role, Status, TenantId, UserId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(get_user, update_user, withdraw_user))
        .routes(routes!(set_user_role))
        .routes(routes!(ban_user))
        .routes(routes!(unban_user))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserParams {
    /// This tenant's.
    #[serde(default)]
    tenant: Option<i64>,
    /// And those of the tenants below it.
    #[serde(default)]
    below: bool,
    /// Whose name, or whose login's name, holds this.
    #[serde(default)]
    text: Option<String>,
    /// Of this status.
    #[serde(default)]
    #[param(value_type = Option<schema::Status>)]
    status: Option<Status>,
    /// Only those with nothing left to spend.
    #[serde(default)]
    broke: bool,
    /// Only those who are online.
    #[serde(default)]
    online: bool,
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
#[schema(as = UserRole, example = json!({ "role": "accountant" }))]
struct RoleBody {
    /// What they may do from now on.
    #[schema(value_type = schema::Role)]
    role: Role,
}

/// List users
#[utoipa::path(get, path = "/api/users", tag = "Users", params(UserParams),
    responses((status = 200, description = "Those that you see, by id", body = schema::UserList)))]
async fn list_users(State(api): State<Api>, Who(actor): Who, Params(params): Params<UserParams>) -> Answer {
    let filter = UserFilter {
        tenant: params.tenant.map(TenantId),
        below: params.below,
        text: params.text,
        status: params.status,
        broke: params.broke,
        online: params.online,
        after: after(params.after.as_deref())?.map(UserId),
        limit: limit(params.limit)?,
    };
    ok(&List::from(api.desk().users(&actor, &filter).await?))
}

/// Make a user
///
/// How they sign in is made by an invitation, or by their first sign-in through a provider of identities.
#[utoipa::path(post, path = "/api/users", tag = "Users", request_body = schema::NewUser,
    responses((status = 201, description = "They are made", body = schema::User)))]
async fn create_user(State(api): State<Api>, Who(actor): Who, Body(draft): Body<UserDraft>) -> Answer {
    created(&api.desk().create_user(&actor, draft).await?)
}

/// Show a user
#[utoipa::path(get, path = "/api/users/{id}", tag = "Users", params(schema::ById),
    responses((status = 200, description = "The user", body = schema::User)))]
async fn get_user(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().user(&actor, UserId(id)).await?)
}

/// Change a user's terms
#[utoipa::path(patch, path = "/api/users/{id}", tag = "Users", params(schema::ById),
    request_body = schema::UserChange,
    responses((status = 200, description = "As they are now", body = schema::User)))]
async fn update_user(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(edit): Body<UserEdit>,
) -> Answer {
    ok(&api.desk().update_user(&actor, UserId(id), edit, seen.expected()).await?)
}

/// Withdraw a user for good
///
/// Their keys are refused, and they are signed out. What they did and paid stays on record.
#[utoipa::path(delete, path = "/api/users/{id}", tag = "Users", params(schema::ById),
    responses((status = 200, description = "As they are now", body = schema::User)))]
async fn withdraw_user(State(api): State<Api>, Who(actor): Who, At(id): At<i64>, seen: IfMatch) -> Answer {
    ok(&api.desk().withdraw_user(&actor, UserId(id), seen.expected()).await?)
}

/// Give a user another role
#[utoipa::path(put, path = "/api/users/{id}/role", tag = "Users", params(schema::ById),
    request_body = RoleBody, responses((status = 200, description = "As they are now", body = schema::User)))]
async fn set_user_role(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(body): Body<RoleBody>,
) -> Answer {
    ok(&api.desk().set_role(&actor, UserId(id), body.role, seen.expected()).await?)
}

/// Switch a user off
///
/// Their keys are refused, and they are signed out, until they are switched on again.
#[utoipa::path(post, path = "/api/users/{id}/ban", tag = "Users", params(schema::ById),
    responses((status = 200, description = "As they are now", body = schema::User)))]
async fn ban_user(State(api): State<Api>, Who(actor): Who, At(id): At<i64>, seen: IfMatch) -> Answer {
    ok(&api.desk().ban_user(&actor, UserId(id), seen.expected()).await?)
}

/// Switch a user on again
#[utoipa::path(post, path = "/api/users/{id}/unban", tag = "Users", params(schema::ById),
    responses((status = 200, description = "As they are now", body = schema::User)))]
async fn unban_user(State(api): State<Api>, Who(actor): Who, At(id): At<i64>, seen: IfMatch) -> Answer {
    ok(&api.desk().unban_user(&actor, UserId(id), seen.expected()).await?)
}

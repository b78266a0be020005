//! Tenants.

use super::page::List;
use super::read::{At, Body, IfMatch, Who};
use super::reply::{Answer, created, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::{TenantDraft, TenantEdit};
use burncloud_core::TenantId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_tenants, create_tenant))
        .routes(routes!(get_tenant, update_tenant))
        .routes(routes!(switch_tenant))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantSwitch, example = json!({ "on": false }))]
struct SwitchBody {
    /// Whether anybody in it or below it may call.
    on: bool,
}

/// List tenants
///
/// All that you see on one page, each right after the one it buys from.
#[utoipa::path(get, path = "/api/tenants", tag = "Tenants",
    responses((status = 200, description = "As a tree", body = schema::TenantList)))]
async fn list_tenants(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&List::whole(api.desk().tenants(&actor).await?))
}

/// Make a tenant
#[utoipa::path(post, path = "/api/tenants", tag = "Tenants", request_body = schema::NewTenant,
    responses((status = 201, description = "It is made", body = schema::Tenant)))]
async fn create_tenant(State(api): State<Api>, Who(actor): Who, Body(draft): Body<TenantDraft>) -> Answer {
    created(&api.desk().create_tenant(&actor, draft).await?)
}

/// Show a tenant
#[utoipa::path(get, path = "/api/tenants/{id}", tag = "Tenants", params(schema::ById),
    responses((status = 200, description = "The tenant", body = schema::Tenant)))]
async fn get_tenant(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().tenant(&actor, TenantId(id)).await?)
}

/// Change a tenant's terms
#[utoipa::path(patch, path = "/api/tenants/{id}", tag = "Tenants", params(schema::ById),
    request_body = schema::TenantChange,
    responses((status = 200, description = "As it is now", body = schema::Tenant)))]
async fn update_tenant(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(edit): Body<TenantEdit>,
) -> Answer {
    ok(&api.desk().update_tenant(&actor, TenantId(id), edit, seen.expected()).await?)
}

/// Switch a tenant off, or on again
///
/// While it is off nobody in it or below it may call.
#[utoipa::path(put, path = "/api/tenants/{id}/switch", tag = "Tenants", params(schema::ById),
    request_body = SwitchBody, responses((status = 200, description = "As it is now", body = schema::Tenant)))]
async fn switch_tenant(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(body): Body<SwitchBody>,
) -> Answer {
    ok(&api.desk().switch_tenant(&actor, TenantId(id), body.on, seen.expected()).await?)
}

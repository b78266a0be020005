//! Who changed what.

use super::page::{List, after, limit};
use super::read::{Params, Who};
use super::reply::{Answer, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::AuditQuery;
use burncloud_core::{TenantId, UserId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_audit))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditParams {
    /// Concerning this tenant.
    #[serde(default)]
    tenant: Option<i64>,
    /// By this user, or while they acted as another.
    #[serde(default)]
    user: Option<i64>,
    /// Of this subject, such as `key:12`.
    #[serde(default)]
    subject: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default)]
    limit: Option<u32>,
    /// What comes after: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// List what was changed
///
/// Everything by everybody for owners and administrators, of their branch for resellers and accountants, and by themselves
/// for everybody else. Secrets are never in it.
#[utoipa::path(get, path = "/api/audit", tag = "Audit", params(AuditParams),
    responses((status = 200, description = "Newest first", body = schema::AuditList)))]
async fn list_audit(State(api): State<Api>, Who(actor): Who, Params(params): Params<AuditParams>) -> Answer {
    let query = AuditQuery {
        tenant: params.tenant.map(TenantId),
        user: params.user.map(UserId),
        subject: params.subject,
        before: after(params.after.as_deref())?,
        limit: limit(params.limit)?,
    };
    ok(&List::from(api.desk().audit(&actor, &query).await?))
}

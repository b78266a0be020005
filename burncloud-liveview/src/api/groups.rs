//! Groups of customers.

use super::page::List;
use super::read::Who;
use super::reply::{Answer, ok};
use super::{Api, schema};
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_groups))
}

/// List the groups that customers are in
///
/// A group is there when somebody is in it or a price book has a ratio for it; it is not made by itself.
#[utoipa::path(get, path = "/api/groups", tag = "Tenants",
    responses((status = 200, description = "By tenant and name", body = schema::GroupList)))]
async fn list_groups(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&List::whole(api.desk().groups(&actor).await?))
}

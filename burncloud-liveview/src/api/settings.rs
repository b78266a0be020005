//! Settings of the house.

use super::page::List;
use super::read::{Body, Who};
use super::reply::{Answer, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::settings::Values;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_settings, set_settings))
}

/// List the settings of the house
///
/// Each with its default, whether the configuration file declares it (change it there, then), and whether a change of it
/// waits for a restart.
#[utoipa::path(get, path = "/api/settings", tag = "Settings",
    responses((status = 200, description = "All of them", body = schema::SettingList)))]
async fn list_settings(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&List::whole(api.desk().list_settings(&actor).await?))
}

/// Change settings: all that are named, or none
///
/// Null sets one back to its default.
#[utoipa::path(patch, path = "/api/settings", tag = "Settings",
    request_body(content = schema::SettingValues),
    responses((status = 200, description = "All of them, as they are now", body = schema::SettingList)))]
async fn set_settings(State(api): State<Api>, Who(actor): Who, Body(values): Body<Values>) -> Answer {
    ok(&List::whole(api.desk().set_settings(&actor, values).await?))
}

//! What needs somebody.

use super::page::List;
use super::problem::Problem;
use super::read::{Params, Who};
use super::reply::{Answer, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_core::UnixMicros;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const HOUR_US: i64 = 3_600_000_000;
/// The most hours back: 31 days.
const MOST: u32 = 744;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_findings))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FindingParams {
    /// How many hours back.
    #[serde(default = "day")]
    #[param(minimum = 1, maximum = 744, default = 24)]
    hours: u32,
}

fn day() -> u32 {
    24
}

/// List what needs somebody
///
/// Errors that belong together, accounts that rest, money that runs out, sales at a loss, addresses that guess keys: as far as
/// you see them, what matters most first. What only a running gateway knows is left out where the console runs alone.
#[utoipa::path(get, path = "/api/findings", tag = "Usage", params(FindingParams),
    responses((status = 200, description = "What matters most first", body = schema::FindingList)))]
async fn list_findings(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<FindingParams>,
) -> Answer {
    if !(1..=MOST).contains(&params.hours) {
        return Err(Problem::unreadable("hours", "1 to 744 hours"));
    }
    let since = UnixMicros(UnixMicros::now().0 - i64::from(params.hours) * HOUR_US);
    let live = api.console().gateway().map(|gateway| api.desk().live(gateway.handle())).unwrap_or_default();
    ok(&List::whole(api.desk().findings(&actor, since, &live).await?))
}

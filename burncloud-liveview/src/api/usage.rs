//! Sums over requests.

use super::logs::csv_text;
use super::page::List;
use super::problem::Problem;
use super::read::{Params, Who};
use super::reply::{Answer, ok};
use super::{Api, schema};
use axum::extract::State;
use axum::response::IntoResponse;
use burncloud_billing::desk::reports::{By, Span};
use burncloud_core::UnixMicros;
use http::header;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_usage))
        .routes(routes!(list_usage_customers))
        .routes(routes!(list_channel_health))
        .routes(routes!(export_usage))
}

/// What sums are told apart by
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UsageBy)]
enum Apart {
    #[default]
    Model,
    Customer,
    Key,
    Channel,
    Provider,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UsageParams {
    /// From, in microseconds; with `until`, at most two years. Today where neither is given.
    #[serde(default)]
    since: Option<i64>,
    /// Until, in microseconds.
    #[serde(default)]
    until: Option<i64>,
    /// A month such as `2027-03`, in place of the two.
    #[serde(default)]
    month: Option<String>,
    /// What they are told apart by; channels and providers are the house's.
    #[serde(default)]
    #[param(inline)]
    by: Apart,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SpanParams {
    /// From, in microseconds; with `until`, at most two years. Today where neither is given.
    #[serde(default)]
    since: Option<i64>,
    /// Until, in microseconds.
    #[serde(default)]
    until: Option<i64>,
    /// A month such as `2027-03`, in place of the two.
    #[serde(default)]
    month: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HoursParams {
    /// How many hours back, this one included.
    #[serde(default = "day")]
    #[param(minimum = 1, maximum = 168, default = 24)]
    hours: u32,
}

fn day() -> u32 {
    24
}

fn span(since: Option<i64>, until: Option<i64>, month: Option<&str>) -> Result<Span, Problem> {
    match (since, until, month) {
        (None, None, None) => Ok(Span::Today),
        (Some(since), Some(until), None) => {
            Ok(Span::Between { since: UnixMicros(since), until: UnixMicros(until) })
        }
        (None, None, Some(text)) => {
            let wrong = || Problem::unreadable("month", "write a month such as 2027-03");
            let (year, month) = text.split_once('-').ok_or_else(wrong)?;
            let (year, month) = (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
            Ok(Span::Month { year, month })
        }
        (Some(_), None, _) => Err(Problem::unreadable("until", "say until when as well")),
        (None, Some(_), _) => Err(Problem::unreadable("since", "say from when on as well")),
        (Some(_), Some(_), Some(_)) => Err(Problem::unreadable("month", "a month, or from when until when")),
    }
}

/// Show sums over requests
///
/// Over the whole time, by hour or day (whichever suits it), and told apart as you wish. What is not for your eyes is left
/// out: costs and channels are the house's, and a reseller's cost is what it pays its parent.
#[utoipa::path(get, path = "/api/usage", tag = "Usage", params(UsageParams),
    responses((status = 200, description = "The books of that time", body = schema::Books)))]
async fn get_usage(State(api): State<Api>, Who(actor): Who, Params(params): Params<UsageParams>) -> Answer {
    let by = match params.by {
        Apart::Model => By::Model,
        Apart::Customer => By::Customer,
        Apart::Key => By::Key,
        Apart::Channel => By::Channel,
        Apart::Provider => By::Provider,
    };
    let span = span(params.since, params.until, params.month.as_deref())?;
    ok(&api.desk().books(&actor, span, by).await?)
}

/// List the customers who were active
#[utoipa::path(get, path = "/api/usage/customers", tag = "Usage", params(SpanParams),
    responses((status = 200, description = "How many, and the first hundred by what they brought in",
        body = schema::CustomersSeen)))]
async fn list_usage_customers(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<SpanParams>,
) -> Answer {
    let span = span(params.since, params.until, params.month.as_deref())?;
    ok(&api.desk().customers_seen(&actor, span).await?)
}

/// List how well each channel did, hour by hour
#[utoipa::path(get, path = "/api/usage/channels", tag = "Usage", params(HoursParams),
    responses((status = 200, description = "By name; those that were not asked too",
        body = schema::ChannelHealthList)))]
async fn list_channel_health(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<HoursParams>,
) -> Answer {
    if !(1..=168).contains(&params.hours) {
        return Err(Problem::unreadable("hours", "1 to 168 hours"));
    }
    ok(&List::whole(api.desk().channel_health(&actor, params.hours).await?))
}

/// Export sums
///
/// Of each day, and of a single day of each hour.
#[utoipa::path(get, path = "/api/usage/export", tag = "Usage", params(SpanParams),
    responses((status = 200, description = "A row for each", body = String, content_type = "text/csv")))]
async fn export_usage(State(api): State<Api>, Who(actor): Who, Params(params): Params<SpanParams>) -> Answer {
    let span = span(params.since, params.until, params.month.as_deref())?;
    let rows = api.desk().export_days(&actor, span).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\"".to_owned()),
    ];
    Ok((headers, csv_text(Some(&rows.header), &rows.rows)?).into_response())
}

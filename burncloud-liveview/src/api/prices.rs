//! Price books.

use super::page::List;
use super::problem::Problem;
use super::read::{At, Body, IfMatch, Params, Who};
use super::reply::{Answer, created, nothing, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::{PriceDraft, QuoteQuery};
use burncloud_core::{KeyId, TenantId, UnixMicros, UserId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_prices))
        .routes(routes!(list_price_rules, set_price))
        .routes(routes!(get_price_ratios))
        .routes(routes!(get_quote))
        .routes(routes!(get_waiting_prices))
        .routes(routes!(decide_waiting_prices))
        .routes(routes!(import_price_tables))
        .routes(routes!(export_price_tables))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BookParams {
    /// The tenant whose book it is; the house's where it is left out.
    #[serde(default)]
    book: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RuleParams {
    /// The tenant whose book it is; the house's where it is left out.
    #[serde(default)]
    book: Option<i64>,
    /// Those that are superseded too.
    #[serde(default)]
    past: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QuoteParams {
    /// The model, as callers ask for it.
    model: String,
    /// Who asks for it; you where it is left out.
    #[serde(default)]
    user: Option<i64>,
    /// With this key of theirs.
    #[serde(default)]
    key: Option<i64>,
    /// When, in microseconds; now where it is left out.
    #[serde(default)]
    at: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceDecision, example = json!({ "approve": true }))]
struct DecideBody {
    /// Put them in force, or aside.
    approve: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceTables, example = json!({ "tables": { "ModelRatio": { "gpt-4o-mini": 0.075 } }, "dry_run": true }))]
struct TablesBody {
    /// New-API's ratio tables: the object that its `/api/ratio_config` answers, or one with `ModelRatio` and its like.
    #[schema(value_type = Object)]
    tables: Box<serde_json::value::RawValue>,
    /// From when on they hold, in microseconds; at once where it is left out.
    #[serde(default)]
    effective_at: Option<i64>,
    /// Only check.
    #[serde(default)]
    dry_run: bool,
}

/// List the models of a price book
///
/// Each model that is served, what it is sold for, and what it is bought for.
#[utoipa::path(get, path = "/api/prices", tag = "Prices", params(BookParams),
    responses((status = 200, description = "By model", body = schema::PriceList)))]
async fn list_prices(State(api): State<Api>, Who(actor): Who, Params(params): Params<BookParams>) -> Answer {
    ok(&List::whole(api.desk().price_list(&actor, params.book.map(TenantId)).await?))
}

/// List the rules of a price book
#[utoipa::path(get, path = "/api/prices/rules", tag = "Prices", params(RuleParams),
    responses((status = 200, description = "Newest first", body = schema::RuleList)))]
async fn list_price_rules(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<RuleParams>,
) -> Answer {
    let rules = api.desk().price_rules(&actor, params.book.map(TenantId), params.past).await?;
    ok(&List::whole(rules))
}

/// Set a rule, now or for later
///
/// A rule is never changed, only superseded. `If-Match` takes the `version` of the model's row.
#[utoipa::path(post, path = "/api/prices/rules", tag = "Prices", request_body = schema::NewRule,
    responses((status = 201, description = "Its number", body = schema::RuleNumber)))]
async fn set_price(
    State(api): State<Api>,
    Who(actor): Who,
    seen: IfMatch,
    Body(draft): Body<PriceDraft>,
) -> Answer {
    let version = api.desk().set_price(&actor, draft, seen.expected()).await?;
    created(&json!({ "version": version }))
}

/// Show what holds for a whole book
#[utoipa::path(get, path = "/api/prices/ratios", tag = "Prices", params(BookParams),
    responses((status = 200, description = "Ratios as decimal texts", body = schema::BookRatios)))]
async fn get_price_ratios(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<BookParams>,
) -> Answer {
    ok(&api.desk().book_ratios(&actor, params.book.map(TenantId)).await?)
}

/// Show what a model costs somebody
#[utoipa::path(get, path = "/api/prices/quote", tag = "Prices", params(QuoteParams),
    responses((status = 200, description = "At each channel, as far as you see them", body = schema::QuoteList)))]
async fn get_quote(State(api): State<Api>, Who(actor): Who, Params(params): Params<QuoteParams>) -> Answer {
    let query = QuoteQuery {
        model: params.model,
        user: params.user.map(UserId),
        key: params.key.map(KeyId),
        at: params.at.map(UnixMicros),
    };
    ok(&List::whole(api.desk().quote(&actor, &query).await?))
}

/// Show the published prices that wait for approval
#[utoipa::path(get, path = "/api/prices/waiting", tag = "Prices",
    responses((status = 200, description = "What they would change; null where none wait", body = schema::Waiting)))]
async fn get_waiting_prices(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&json!({ "waiting": api.desk().waiting_prices(&actor).await? }))
}

/// Put the published prices that wait in force, or aside
#[utoipa::path(post, path = "/api/prices/waiting/{id}", tag = "Prices", params(schema::ById),
    request_body = DecideBody, responses((status = 204, description = "It is done")))]
async fn decide_waiting_prices(
    State(api): State<Api>,
    Who(actor): Who,
    At(version): At<i64>,
    Body(body): Body<DecideBody>,
) -> Answer {
    api.desk().decide_prices(&actor, version, body.approve).await?;
    nothing()
}

/// Import New-API's ratio tables as prices of the house
#[utoipa::path(post, path = "/api/prices/import", tag = "Prices", request_body = TablesBody,
    responses((status = 200, description = "How many rules were set, or would be", body = schema::Imported)))]
async fn import_price_tables(
    State(api): State<Api>,
    Who(actor): Who,
    Body(body): Body<TablesBody>,
) -> Answer {
    let (text, from) = (body.tables.get(), body.effective_at.map(UnixMicros));
    ok(&api.desk().import_tables(&actor, text, from, body.dry_run).await?)
}

/// Export the house's prices as New-API's ratio tables
#[utoipa::path(get, path = "/api/prices/export", tag = "Prices",
    responses((status = 200, description = "The tables, and what does not fit in them", body = schema::Exported)))]
async fn export_price_tables(State(api): State<Api>, Who(actor): Who) -> Answer {
    let exported = api.desk().export_tables(&actor).await?;
    let tables: Value = serde_json::from_str(&exported.tables)
        .map_err(|_| Problem::away("the tables cannot be written down"))?;
    ok(&json!({ "tables": tables, "left_out": exported.left_out }))
}

//! Budgets and plans.

use super::page::List;
use super::read::{At, Body, IfMatch, Who};
use super::reply::{Answer, nothing, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::{BudgetDraft, PlanDraft};
use burncloud_core::{AbortPolicy, Allowance, Enforcement, Period, Scope};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_budgets))
        .routes(routes!(set_budget, delete_budget))
        .routes(routes!(list_plans))
        .routes(routes!(set_plan))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBudget, example = json!({
    "scope": { "model": "gpt-4o" }, "period": "month", "allowance": { "money": 100_000_000_000_i64 }
}))]
struct BudgetBody {
    /// Whose spending.
    #[schema(value_type = schema::Scope)]
    scope: Scope,
    /// In which time.
    #[schema(value_type = schema::Period)]
    period: Period,
    /// How much.
    #[schema(value_type = schema::Allowance)]
    allowance: Allowance,
    /// And then.
    #[serde(default)]
    #[schema(value_type = schema::Enforcement)]
    enforcement: Enforcement,
    /// IANA name of the time zone whose clock it goes by; empty is that of the tenant it is about, or UTC.
    #[serde(default)]
    time_zone: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPlan, example = json!({ "abort": { "charge": "delivered" } }))]
struct PlanBody {
    /// What is charged for answers that are not finished.
    #[schema(value_type = schema::AbortPolicy)]
    abort: AbortPolicy,
}

/// List budgets
#[utoipa::path(get, path = "/api/budgets", tag = "Budgets",
    responses((status = 200, description = "Those that you see, by name, with what was spent",
        body = schema::BudgetList)))]
async fn list_budgets(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&List::whole(api.desk().budgets(&actor).await?))
}

/// Make a budget, or replace it
#[utoipa::path(put, path = "/api/budgets/{name}", tag = "Budgets", params(schema::ByName),
    request_body = BudgetBody, responses((status = 200, description = "As it is now", body = schema::Budget)))]
async fn set_budget(
    State(api): State<Api>,
    Who(actor): Who,
    At(name): At<String>,
    seen: IfMatch,
    Body(body): Body<BudgetBody>,
) -> Answer {
    let BudgetBody { scope, period, allowance, enforcement, time_zone } = body;
    let draft = BudgetDraft { name, scope, period, allowance, enforcement, time_zone };
    ok(&api.desk().set_budget(&actor, draft, seen.expected()).await?)
}

/// Remove a budget
#[utoipa::path(delete, path = "/api/budgets/{name}", tag = "Budgets", params(schema::ByName),
    responses((status = 204, description = "It is gone")))]
async fn delete_budget(
    State(api): State<Api>,
    Who(actor): Who,
    At(name): At<String>,
    seen: IfMatch,
) -> Answer {
    api.desk().delete_budget(&actor, &name, seen.expected()).await?;
    nothing()
}

/// List plans
#[utoipa::path(get, path = "/api/plans", tag = "Budgets",
    responses((status = 200, description = "By name", body = schema::PlanList)))]
async fn list_plans(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&List::whole(api.desk().plans(&actor).await?))
}

/// Make a plan, or replace it
///
/// Whoever has it is charged by it from then on.
#[utoipa::path(put, path = "/api/plans/{name}", tag = "Budgets", params(schema::ByName),
    request_body = PlanBody, responses((status = 200, description = "As it is now", body = schema::Plan)))]
async fn set_plan(
    State(api): State<Api>,
    Who(actor): Who,
    At(name): At<String>,
    seen: IfMatch,
    Body(body): Body<PlanBody>,
) -> Answer {
    ok(&api.desk().set_plan(&actor, PlanDraft { name, abort: body.abort }, seen.expected()).await?)
}

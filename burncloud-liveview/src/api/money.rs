//! Wallets, credit lines, statements, redeem codes.

use super::once::OnceKey;
use super::page::{List, PageParams};
use super::read::{At, Body, Params, Who};
use super::reply::{Answer, created, created_once, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::{CodesDraft, MoneyMove, StatementFilter, WalletId};
use burncloud_billing::people::Actor;
use burncloud_core::{Nano, TenantId, UserId};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_user_wallet))
        .routes(routes!(list_user_entries, move_user_money))
        .routes(routes!(set_user_credit))
        .routes(routes!(get_tenant_wallet))
        .routes(routes!(list_tenant_entries, move_tenant_money))
        .routes(routes!(set_tenant_credit))
        .routes(routes!(reverse_entry))
        .routes(routes!(list_alerts))
        .routes(routes!(list_code_batches, create_codes))
        .routes(routes!(revoke_codes))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatementParams {
    /// Of the credit line in place of the wallet.
    #[serde(default)]
    credit_line: bool,
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
#[schema(as = CreditLine, example = json!({ "credit": 50_000_000_000_i64, "reason": "trusted for a year" }))]
struct CreditBody {
    /// How far below zero the wallet may go from now on, in nano-dollars.
    #[schema(value_type = i64, minimum = 0)]
    credit: Nano,
    /// Why.
    reason: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reversal, example = json!({ "reason": "paid twice" }))]
struct ReverseBody {
    /// Why.
    reason: String,
}

async fn statement(api: &Api, actor: &Actor, id: WalletId, params: &StatementParams) -> Answer {
    let filter = StatementFilter {
        credit_line: params.credit_line,
        before: super::page::after(params.after.as_deref())?,
        limit: super::page::limit(params.limit)?,
    };
    ok(&List::from(api.desk().statement(actor, id, &filter).await?))
}

async fn set_credit(api: &Api, actor: &Actor, id: WalletId, body: CreditBody) -> Answer {
    api.desk().set_credit(actor, id, body.credit, &body.reason).await?;
    ok(&api.desk().wallet(actor, id).await?)
}

/// Show a user's wallet
#[utoipa::path(get, path = "/api/users/{id}/wallet", tag = "Money", params(schema::ById),
    responses((status = 200, description = "The wallet", body = schema::Wallet)))]
async fn get_user_wallet(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().wallet(&actor, WalletId::User(UserId(id))).await?)
}

/// List what moved in a user's wallet
///
/// Newest first: the statement.
#[utoipa::path(get, path = "/api/users/{id}/wallet/entries", tag = "Money", params(schema::ById, StatementParams),
    responses((status = 200, description = "Entries of the ledger", body = schema::StatementList)))]
async fn list_user_entries(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    Params(params): Params<StatementParams>,
) -> Answer {
    statement(&api, &actor, WalletId::User(UserId(id)), &params).await
}

/// Move money into a user's wallet, or out of it
#[utoipa::path(post, path = "/api/users/{id}/wallet/entries", tag = "Money", params(schema::ById),
    request_body = schema::MoneyMove, responses((status = 201, description = "It is moved", body = schema::Moved)))]
async fn move_user_money(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    once: OnceKey,
    Body(order): Body<MoneyMove>,
) -> Answer {
    let wallet = WalletId::User(UserId(id));
    created(&api.desk().move_money_once(&actor, wallet, order, once.as_deref()).await?)
}

/// Set how far below zero a user's wallet may go
#[utoipa::path(put, path = "/api/users/{id}/wallet/credit", tag = "Money", params(schema::ById),
    request_body = CreditBody, responses((status = 200, description = "The wallet", body = schema::Wallet)))]
async fn set_user_credit(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    Body(body): Body<CreditBody>,
) -> Answer {
    set_credit(&api, &actor, WalletId::User(UserId(id)), body).await
}

/// Show a tenant's wallet
#[utoipa::path(get, path = "/api/tenants/{id}/wallet", tag = "Money", params(schema::ById),
    responses((status = 200, description = "The wallet", body = schema::Wallet)))]
async fn get_tenant_wallet(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().wallet(&actor, WalletId::Tenant(TenantId(id))).await?)
}

/// List what moved in a tenant's wallet
///
/// Newest first: the statement.
#[utoipa::path(get, path = "/api/tenants/{id}/wallet/entries", tag = "Money",
    params(schema::ById, StatementParams),
    responses((status = 200, description = "Entries of the ledger", body = schema::StatementList)))]
async fn list_tenant_entries(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    Params(params): Params<StatementParams>,
) -> Answer {
    statement(&api, &actor, WalletId::Tenant(TenantId(id)), &params).await
}

/// Move money into a tenant's wallet, or out of it
#[utoipa::path(post, path = "/api/tenants/{id}/wallet/entries", tag = "Money", params(schema::ById),
    request_body = schema::MoneyMove, responses((status = 201, description = "It is moved", body = schema::Moved)))]
async fn move_tenant_money(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    once: OnceKey,
    Body(order): Body<MoneyMove>,
) -> Answer {
    let wallet = WalletId::Tenant(TenantId(id));
    created(&api.desk().move_money_once(&actor, wallet, order, once.as_deref()).await?)
}

/// Set how far below zero a tenant's wallet may go
#[utoipa::path(put, path = "/api/tenants/{id}/wallet/credit", tag = "Money", params(schema::ById),
    request_body = CreditBody, responses((status = 200, description = "The wallet", body = schema::Wallet)))]
async fn set_tenant_credit(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    Body(body): Body<CreditBody>,
) -> Answer {
    set_credit(&api, &actor, WalletId::Tenant(TenantId(id)), body).await
}

/// Undo an entry of the ledger
///
/// Nothing is taken out of the ledger: another entry moves the same the other way.
#[utoipa::path(post, path = "/api/entries/{id}/reverse", tag = "Money", params(schema::ById),
    request_body = ReverseBody,
    responses((status = 201, description = "The number of that entry", body = schema::EntryNumber)))]
async fn reverse_entry(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    Body(body): Body<ReverseBody>,
) -> Answer {
    let entry = api.desk().reverse_entry(&actor, id, &body.reason).await?;
    created(&json!({ "entry": entry }))
}

/// List what should be known of money
///
/// The newest two hundred at most: budgets that are used up, prices below cost, answers whose use was not known.
#[utoipa::path(get, path = "/api/alerts", tag = "Money",
    responses((status = 200, description = "Newest first", body = schema::AlertList)))]
async fn list_alerts(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&List::whole(api.desk().alerts(&actor, super::page::MAX_LIMIT).await?))
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Name(String);

/// List batches of redeem codes
#[utoipa::path(get, path = "/api/codes", tag = "Money", params(PageParams),
    responses((status = 200, description = "Newest first", body = schema::BatchList)))]
async fn list_code_batches(
    State(api): State<Api>,
    Who(actor): Who,
    Params(page): Params<PageParams>,
) -> Answer {
    let all = api.desk().code_batches(&actor).await?;
    ok(&List::counted(all, &page)?)
}

/// Make redeem codes
///
/// The codes are in this answer and nowhere else.
#[utoipa::path(post, path = "/api/codes", tag = "Money", request_body = schema::NewCodes,
    responses((status = 201, description = "They are made", body = schema::MadeCodes)))]
async fn create_codes(State(api): State<Api>, Who(actor): Who, Body(draft): Body<CodesDraft>) -> Answer {
    created_once(&api.desk().create_codes(&actor, draft).await?, &["codes"])
}

/// Withdraw what is unused of a batch of codes
#[utoipa::path(delete, path = "/api/codes/{name}", tag = "Money", params(schema::ByName),
    responses((status = 200, description = "How many", body = schema::Count)))]
async fn revoke_codes(State(api): State<Api>, Who(actor): Who, At(Name(name)): At<Name>) -> Answer {
    ok(&json!({ "count": api.desk().revoke_codes(&actor, &name).await? }))
}

//! The log: receipts, one for each request.

use super::page::{List, limit};
use super::problem::Problem;
use super::read::{At, Params, Who};
use super::reply::{Answer, ok};
use super::{Api, schema};
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse;
use burncloud_billing::desk::reports::{Customer, LogFilter};
use burncloud_billing::people::Actor;
use burncloud_core::store::Outcome;
use burncloud_core::{ChannelId, KeyId, ReceiptId, TenantId, UnixMicros, UserId};
use bytes::Bytes;
use futures_util::stream;
use http::header;
use serde::Deserialize;
use std::io;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most rows of an export.
const MOST: usize = 100_000;
/// How many are read at a time.
const AT_ONCE: u32 = 500;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list_logs)).routes(routes!(export_logs)).routes(routes!(get_receipt))
}

/// How a request ended
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Outcome)]
enum Ended {
    /// It was answered.
    Answered,
    /// The caller was refused, or left.
    Refused,
    /// The house or its providers did not answer, or not to the end.
    Failed,
}

#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogParams {
    /// That arrived at this time or later, in microseconds.
    #[serde(default)]
    since: Option<i64>,
    /// That arrived before, in microseconds.
    #[serde(default)]
    until: Option<i64>,
    /// A receipt's id, a trace id, or words.
    #[serde(default)]
    text: Option<String>,
    /// Of this user, who pays you.
    #[serde(default)]
    user: Option<i64>,
    /// Of this tenant, which pays you, and everybody in it.
    #[serde(default)]
    tenant: Option<i64>,
    /// Of this key.
    #[serde(default)]
    key: Option<i64>,
    /// Of this model, by its whole name.
    #[serde(default)]
    model: Option<String>,
    /// Answered by this channel; the house's.
    #[serde(default)]
    channel: Option<i64>,
    /// That ended so.
    #[serde(default)]
    #[param(inline)]
    outcome: Option<Ended>,
    /// Those that were not answered, whoever's fault it was.
    #[serde(default)]
    errors: bool,
    /// Those that went to another channel after the first; the house's.
    #[serde(default)]
    switched: bool,
    /// Those whose first word took longer than so many microseconds.
    #[serde(default)]
    slower_than_us: Option<u64>,
    /// At most so many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default)]
    limit: Option<u32>,
    /// What comes after: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

/// How an export is written
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LogFormat)]
enum Format {
    #[default]
    Csv,
    Ndjson,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportParams {
    /// As CSV, or as a JSON object a line.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// That arrived at this time or later, in microseconds.
    since: i64,
    /// That arrived before, in microseconds.
    until: i64,
    /// Of this user, who pays you.
    #[serde(default)]
    user: Option<i64>,
    /// Of this tenant, which pays you, and everybody in it.
    #[serde(default)]
    tenant: Option<i64>,
    /// Of this key.
    #[serde(default)]
    key: Option<i64>,
    /// Of this model, by its whole name.
    #[serde(default)]
    model: Option<String>,
    /// Those that were not answered, whoever's fault it was.
    #[serde(default)]
    errors: bool,
}

fn customer(user: Option<i64>, tenant: Option<i64>) -> Result<Option<Customer>, Problem> {
    match (user, tenant) {
        (Some(_), Some(_)) => Err(Problem::unreadable("tenant", "name a user or a tenant, not both")),
        (Some(user), None) => Ok(Some(Customer::User(UserId(user)))),
        (None, tenant) => Ok(tenant.map(|tenant| Customer::Tenant(TenantId(tenant)))),
    }
}

impl LogParams {
    fn filter(self) -> Result<LogFilter, Problem> {
        let before =
            self.after.as_deref().map(|text| ReceiptId::parse(text).ok_or_else(super::page::bad_cursor));
        Ok(LogFilter {
            since: self.since.map(UnixMicros),
            until: self.until.map(UnixMicros),
            text: self.text.unwrap_or_default(),
            customer: customer(self.user, self.tenant)?,
            key: self.key.map(KeyId),
            model: self.model,
            channel: self.channel.map(ChannelId),
            outcome: self.outcome.map(|ended| match ended {
                Ended::Answered => Outcome::Answered,
                Ended::Refused => Outcome::Refused,
                Ended::Failed => Outcome::Failed,
            }),
            errors: self.errors,
            switched: self.switched,
            slower_than_us: self.slower_than_us,
            before: before.transpose()?,
            limit: limit(self.limit)?,
        })
    }
}

/// List requests
///
/// Newest first. A page may be empty and have a next one: how far is looked at once is bounded.
#[utoipa::path(get, path = "/api/logs", tag = "Logs", params(LogParams),
    responses((status = 200, description = "Those that you see", body = schema::LogList)))]
async fn list_logs(State(api): State<Api>, Who(actor): Who, Params(params): Params<LogParams>) -> Answer {
    let page = api.desk().logs(&actor, &params.filter()?).await?;
    ok(&List { items: page.rows, next: page.next.map(|next| next.to_string()) })
}

/// Show a receipt
///
/// With its trace, every attempt as far as you see them, what it cost and why, and its proof.
#[utoipa::path(get, path = "/api/logs/{id}", tag = "Logs", params(schema::ByWord),
    responses((status = 200, description = "The receipt", body = schema::Receipt),
        (status = 410, description = "It was moved into the archive")))]
async fn get_receipt(State(api): State<Api>, Who(actor): Who, At(id): At<String>) -> Answer {
    let missing = || Problem::missing("there is no such receipt");
    let id = ReceiptId::parse(&id).ok_or_else(missing)?;
    if let Some(receipt) = api.desk().receipt(&actor, id).await? {
        return ok(&receipt);
    }
    let archived = api.desk().archived(&actor, id).await?.ok_or_else(missing)?;
    let detail = format!(
        "it is in link {} of the chain: the file whose name spans that number holds it",
        archived.link
    );
    Err(Problem::archived(detail))
}

/// Export requests
///
/// Newest first, at most 100,000, sent as they are read.
#[utoipa::path(get, path = "/api/logs/export", tag = "Logs", params(ExportParams),
    responses((status = 200, description = "A row for each", content(
        (String = "text/csv"), (String = "application/x-ndjson")))))]
async fn export_logs(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<ExportParams>,
) -> Answer {
    let filter = LogFilter {
        since: Some(UnixMicros(params.since)),
        until: Some(UnixMicros(params.until)),
        customer: customer(params.user, params.tenant)?,
        key: params.key.map(KeyId),
        model: params.model,
        errors: params.errors,
        limit: AT_ONCE,
        ..LogFilter::default()
    };
    let (kind, name) = match params.format {
        Format::Csv => ("text/csv; charset=utf-8", "requests.csv"),
        Format::Ndjson => ("application/x-ndjson", "requests.ndjson"),
    };
    let mut export = Export { api, actor, filter, format: params.format, sent: 0, over: false, head: true };
    // What is wrong with the question is said as a problem, not in the middle of a file.
    let first = export.part().await?;
    let parts = stream::once(async { Ok(first) });
    let rest = stream::unfold(export, |mut export| async move {
        if export.over {
            return None;
        }
        let part = export.part().await.map_err(|_| io::Error::other("the export broke off"));
        export.over |= part.is_err();
        Some((part, export))
    });
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let body = Body::from_stream(futures_util::StreamExt::chain(parts, rest));
    Ok((headers, body).into_response())
}

struct Export {
    api: Api,
    actor: Actor,
    filter: LogFilter,
    format: Format,
    sent: usize,
    over: bool,
    head: bool,
}

impl Export {
    /// The next rows, as they are written.
    async fn part(&mut self) -> Result<Bytes, Problem> {
        let desk = self.api.desk();
        let (text, rows, next) = match self.format {
            Format::Csv => {
                let page = desk.export_logs(&self.actor, &self.filter).await?;
                let head = std::mem::take(&mut self.head).then_some(&page.header);
                (csv_text(head, &page.rows)?, page.rows.len(), page.next)
            }
            Format::Ndjson => {
                let page = desk.logs(&self.actor, &self.filter).await?;
                let mut text = Vec::new();
                for row in &page.rows {
                    serde_json::to_writer(&mut text, row).map_err(|_| unwritten())?;
                    text.push(b'\n');
                }
                (text, page.rows.len(), page.next)
            }
        };
        self.sent += rows;
        self.over = next.is_none() || self.sent + AT_ONCE as usize > MOST;
        self.filter.before = next;
        Ok(Bytes::from(text))
    }
}

fn unwritten() -> Problem {
    Problem::away("the rows cannot be written down")
}

/// Rows as CSV.
pub(super) fn csv_text<H: AsRef<[u8]>, C: AsRef<[u8]>>(
    head: Option<&Vec<H>>,
    rows: &[Vec<C>],
) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(head) = head {
        writer.write_record(head).map_err(|_| unwritten())?;
    }
    for row in rows {
        writer.write_record(row).map_err(|_| unwritten())?;
    }
    writer.into_inner().map_err(|_| unwritten())
}

//! Channels.

use super::page::{List, PageParams};
use super::problem::{FieldError, Problem};
use super::read::{At, Body, IfMatch, MAX_BODY, Params, Who, is_media, json};
use super::reply::{Answer, created, nothing, ok};
use super::{Api, schema, table};
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use burncloud_billing::desk::channels::{ChannelChange, NewChannel, RowError};
use burncloud_core::usecase::Said;
use burncloud_core::{ChannelId, ChannelSettings, Status};
use http::header;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_channels, create_channel))
        .routes(routes!(export_channels))
        .routes(routes!(import_channels))
        .routes(routes!(probe_new_channel))
        .routes(routes!(time_channels))
        .routes(routes!(get_channel, update_channel, delete_channel))
        .routes(routes!(set_channel_status))
        .routes(routes!(probe_channel))
        .routes(routes!(time_channel))
}

/// A channel to be made
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChannel, example = json!({
    "name": "openai-main", "provider": "openai", "credential": "sk-…", "models": ["gpt-4o-mini"]
}))]
pub(super) struct ChannelBody {
    /// The operator's name for it; unique.
    name: String,
    /// The provider's name.
    provider: String,
    /// Where the provider is, if not at its own address.
    #[serde(default)]
    base_url: Option<String>,
    /// The credential; kept encrypted and never shown.
    #[serde(default)]
    #[schema(write_only)]
    credential: String,
    /// The models it serves, by the names callers use.
    #[serde(default)]
    models: Vec<String>,
    /// Names that the provider knows under another name: asked = sent.
    #[serde(default)]
    model_mapping: BTreeMap<String, String>,
    /// Higher first.
    #[serde(default)]
    priority: i32,
    /// Share within one priority; 0 takes it out of the draw.
    #[serde(default = "one")]
    #[schema(default = 1)]
    weight: u32,
    /// On, or off.
    #[serde(default)]
    #[schema(value_type = schema::Status)]
    status: Status,
    /// The rest.
    #[serde(default)]
    #[schema(value_type = schema::ChannelSettings)]
    settings: ChannelSettings,
}

fn one() -> u32 {
    1
}

impl From<ChannelBody> for NewChannel {
    fn from(body: ChannelBody) -> NewChannel {
        NewChannel {
            name: body.name,
            provider: body.provider,
            base_url: body.base_url,
            credential: SecretString::from(body.credential),
            models: body.models,
            model_mapping: body.model_mapping,
            priority: body.priority,
            weight: body.weight,
            status: body.status,
            settings: body.settings,
        }
    }
}

/// What is to change of a channel: what is left out stays
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
#[schema(as = ChannelChange, example = json!({ "weight": 3 }))]
struct ChannelPatch {
    /// Another name.
    name: Option<String>,
    /// Another address; null is the provider's own. Give the credential again with it.
    #[serde(deserialize_with = "super::read::present")]
    #[schema(value_type = Option<String>)]
    base_url: Option<Option<String>>,
    /// Another credential.
    #[schema(write_only)]
    credential: Option<String>,
    /// Other models, all of them.
    models: Option<Vec<String>>,
    /// Another mapping, all of it.
    model_mapping: Option<BTreeMap<String, String>>,
    /// Another place in the order: higher first.
    priority: Option<i32>,
    /// Another share.
    weight: Option<u32>,
    /// Other settings, all of them.
    #[schema(value_type = Option<schema::ChannelSettings>)]
    settings: Option<ChannelSettings>,
}

impl From<ChannelPatch> for ChannelChange {
    fn from(patch: ChannelPatch) -> ChannelChange {
        ChannelChange {
            name: patch.name,
            base_url: patch.base_url,
            credential: patch.credential.map(SecretString::from),
            models: patch.models,
            model_mapping: patch.model_mapping,
            priority: patch.priority,
            weight: patch.weight,
            status: None,
            settings: patch.settings,
        }
    }
}

/// Many channels
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelImport, example = json!({
    "channels": [{ "name": "openai-2", "provider": "openai", "credential": "sk-…", "models": ["gpt-4o"] }]
}))]
struct ImportBody {
    /// Them; 1 to 1,000.
    channels: Vec<ChannelBody>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportParams {
    /// Only try: nothing is made, and the answer says what would be, or what is wrong in which row.
    #[serde(default)]
    dry_run: bool,
}

/// How an export is written
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChannelFormat)]
enum Format {
    #[default]
    Json,
    Csv,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportParams {
    /// As JSON, or as CSV.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelStatus, example = json!({ "status": "disabled" }))]
struct StatusBody {
    /// `active` and `disabled` as often as you like; `revoked` is for good.
    #[schema(value_type = schema::Status)]
    status: Status,
}

/// List channels
///
/// Credentials are never shown: `credential` says that there is one, by its last four characters where it is long enough.
#[utoipa::path(get, path = "/api/channels", tag = "Channels", params(PageParams),
    responses((status = 200, description = "Channels by id", body = schema::ChannelList)))]
async fn list_channels(State(api): State<Api>, Who(actor): Who, Params(page): Params<PageParams>) -> Answer {
    let all = api.desk().list_channels(&actor).await?;
    ok(&List::cut(all, &page, |channel| channel.id.0)?)
}

/// Make a channel
#[utoipa::path(post, path = "/api/channels", tag = "Channels", request_body = ChannelBody,
    responses((status = 201, description = "It is made", body = schema::Channel)))]
async fn create_channel(State(api): State<Api>, Who(actor): Who, Body(new): Body<ChannelBody>) -> Answer {
    created(&api.desk().create_channel(&actor, new.into()).await?)
}

/// Export all channels, without credentials
#[utoipa::path(get, path = "/api/channels/export", tag = "Channels", params(ExportParams),
    responses((status = 200, description = "All of them; what an import takes", content(
        (schema::ChannelExport = "application/json"), (String = "text/csv")))))]
async fn export_channels(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<ExportParams>,
) -> Answer {
    let all = api.desk().list_channels(&actor).await?;
    match params.format {
        Format::Json => ok(&serde_json::json!({ "channels": table::to_rows(&all)? })),
        Format::Csv => Ok(csv("channels.csv", table::to_csv(&all)?)),
    }
}

/// A table as a file.
pub(super) fn csv(name: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, text).into_response()
}

/// Import channels: all of them, or none
///
/// As JSON, or as CSV with the columns of an export. Where any row is wrong nothing is made, and every wrong row is named.
#[utoipa::path(post, path = "/api/channels/import", tag = "Channels", params(ImportParams),
    request_body(content((ImportBody = "application/json"), (String = "text/csv"))),
    responses((status = 200, description = "What was made, or would be", body = schema::ImportReport)))]
async fn import_channels(
    State(api): State<Api>,
    Who(actor): Who,
    Params(params): Params<ImportParams>,
    Rows(rows): Rows,
) -> Answer {
    let report = api.desk().import_channels(&actor, rows, params.dry_run).await?;
    if params.dry_run || report.errors.is_empty() {
        return ok(&report);
    }
    let errors = report.errors.into_iter().map(|error| FieldError {
        field: format!("rows[{}].{}", error.row, error.field),
        message: error.message.to_string(),
    });
    Err(Problem::many("nothing was imported: rows are counted from 1", errors.collect()))
}

struct Rows(Vec<Result<NewChannel, RowError>>);

impl FromRequest<Api> for Rows {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Rows, Problem> {
        let (is_json, is_csv) =
            (is_media(request.headers(), "application/json"), is_media(request.headers(), "text/csv"));
        if !is_json && !is_csv {
            return Err(Problem::media("application/json, or text/csv"));
        }
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY).await;
        let bytes = bytes.map_err(|_| Problem::too_large(MAX_BODY))?;
        if is_csv {
            return table::from_csv(&bytes).map(Rows);
        }
        let body: ImportBody = json(&bytes)?;
        Ok(Rows(body.channels.into_iter().map(|channel| Ok(channel.into())).collect()))
    }
}

/// The rows of a file with many channels: JSON (a list of them, or an object with one under `channels`) by its first
/// character, else CSV. Each row, or why it cannot be read.
pub(crate) fn rows(bytes: &[u8]) -> Result<Vec<Result<NewChannel, RowError>>, Said> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if !matches!(first, Some(b'{' | b'[')) {
        return table::from_csv(bytes).map_err(|problem| Said::plain(problem.detail().to_owned()));
    }
    let whole: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|error| Said::new(format!("no JSON: {error}"), format!("不是 JSON：{error}")))?;
    let all = whole.get("channels").unwrap_or(&whole).as_array();
    let all = all.ok_or_else(|| {
        Said::new(
            "write a list of channels, or an object with one under `channels`",
            "请写账号列表，或 `channels` 下有列表的对象",
        )
    })?;
    let row = |(n, row): (usize, &serde_json::Value)| {
        let read = serde_path_to_error::deserialize::<_, ChannelBody>(row);
        read.map(NewChannel::from).map_err(|error| RowError {
            row: n + 1,
            field: error.path().to_string().trim_matches('.').to_owned(),
            message: Said::plain(error.inner().to_string()),
        })
    };
    Ok(all.iter().enumerate().map(row).collect())
}

/// Look at an account before it is kept
///
/// Checks the credential and lists the models, without a request that costs anything. Nothing is kept.
#[utoipa::path(post, path = "/api/channels/probe", tag = "Channels", request_body = ChannelBody,
    responses((status = 200, description = "What it came to", body = schema::Probe)))]
async fn probe_new_channel(State(api): State<Api>, Who(actor): Who, Body(new): Body<ChannelBody>) -> Answer {
    ok(&api.desk().probe_new_channel(&actor, new.into()).await?)
}

/// Time all channels that are switched on
#[utoipa::path(post, path = "/api/channels/speed", tag = "Channels",
    responses((status = 200, description = "How fast each answers", body = schema::SpeedList)))]
async fn time_channels(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&List::whole(api.desk().time_channels(&actor).await?))
}

/// Show a channel
#[utoipa::path(get, path = "/api/channels/{id}", tag = "Channels", params(schema::ById),
    responses((status = 200, description = "The channel", body = schema::Channel)))]
async fn get_channel(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().channel(&actor, ChannelId(id)).await?)
}

/// Change a channel
#[utoipa::path(patch, path = "/api/channels/{id}", tag = "Channels", params(schema::ById),
    request_body = ChannelPatch, responses((status = 200, description = "As it is now", body = schema::Channel)))]
async fn update_channel(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(patch): Body<ChannelPatch>,
) -> Answer {
    ok(&api.desk().update_channel(&actor, ChannelId(id), patch.into(), seen.expected()).await?)
}

/// Remove a channel
///
/// Receipts keep its id, and nothing shows its name any more: revoke one that ever served instead.
#[utoipa::path(delete, path = "/api/channels/{id}", tag = "Channels", params(schema::ById),
    responses((status = 204, description = "It is gone")))]
async fn delete_channel(State(api): State<Api>, Who(actor): Who, At(id): At<i64>, seen: IfMatch) -> Answer {
    api.desk().delete_channel(&actor, ChannelId(id), seen.expected()).await?;
    nothing()
}

/// Switch a channel on or off, or revoke it for good
#[utoipa::path(put, path = "/api/channels/{id}/status", tag = "Channels", params(schema::ById),
    request_body = StatusBody, responses((status = 200, description = "As it is now", body = schema::Channel)))]
async fn set_channel_status(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    seen: IfMatch,
    Body(body): Body<StatusBody>,
) -> Answer {
    ok(&api.desk().set_channel_status(&actor, ChannelId(id), body.status, seen.expected()).await?)
}

/// Look at the account of a channel
///
/// Checks the credential and lists the models, without a request that costs anything.
#[utoipa::path(post, path = "/api/channels/{id}/probe", tag = "Channels", params(schema::ById),
    responses((status = 200, description = "What it came to", body = schema::Probe)))]
async fn probe_channel(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().probe_channel(&actor, ChannelId(id)).await?)
}

/// Time a channel
#[utoipa::path(post, path = "/api/channels/{id}/speed", tag = "Channels", params(schema::ById),
    responses((status = 200, description = "How fast it answers", body = schema::Speed)))]
async fn time_channel(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    ok(&api.desk().time_channel(&actor, ChannelId(id)).await?)
}

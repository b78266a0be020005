//! `GET logs/export`: requests as a file, for whoever is signed in, sent as they are read.

use super::Web;
use crate::live::{Place, Viewer};
use crate::pages::logs::query::Query;
use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use burncloud_billing::Desk;
use burncloud_billing::desk::reports::LogFilter;
use burncloud_core::UnixMicros;
use burncloud_core::usecase::UseCaseError;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};
use std::io;
use std::sync::Arc;

/// The most rows of a file.
pub(crate) const EXPORT_MOST: usize = 100_000;
/// How many are read at a time.
const AT_ONCE: u32 = 500;

/// As CSV, or as a JSON object a line with `format=ndjson`. What else the query says is what the page's does; it begins
/// with the newest.
pub(super) async fn export(
    State(web): State<Web>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let Some(viewer) = web.viewer(&headers).await else {
        return (StatusCode::UNAUTHORIZED, "sign in first\n").into_response();
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let place = Place::parse(web.console.prefix(), path);
    let filter = Query::of(&place.clone().without(&["page"])).filter(UnixMicros::now());
    let lines = place.get("format") == Some("ndjson");
    let (kind, name) = if lines {
        ("application/x-ndjson", "requests.ndjson")
    } else {
        ("text/csv; charset=utf-8", "requests.csv")
    };
    let filter = LogFilter { limit: AT_ONCE, ..filter };
    let mut file =
        File { desk: web.console.desk().clone(), viewer, filter, lines, sent: 0, over: false, head: true };
    // What is wrong with the question is said as such, not in the middle of a file.
    let first = match file.part().await {
        Ok(first) => first,
        Err(UseCaseError::Forbidden(message)) => {
            return (StatusCode::FORBIDDEN, format!("{message}\n")).into_response();
        }
        Err(error) => {
            tracing::warn!(%error, "requests could not be exported");
            return (StatusCode::SERVICE_UNAVAILABLE, "try again later\n").into_response();
        }
    };
    let rest = stream::unfold(file, |mut file| async move {
        if file.over {
            return None;
        }
        let part = file.part().await;
        file.over |= part.is_err();
        Some((part.map_err(|_| io::Error::other("the export broke off")), file))
    });
    let parts = stream::once(async { Ok(first) });
    let body = Body::from_stream(futures_util::StreamExt::chain(parts, rest));
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body).into_response()
}

struct File {
    desk: Desk,
    viewer: Arc<Viewer>,
    filter: LogFilter,
    lines: bool,
    sent: usize,
    over: bool,
    head: bool,
}

impl File {
    /// The next rows, as they are written.
    async fn part(&mut self) -> Result<Bytes, UseCaseError> {
        if self.viewer.ended.is_cancelled() {
            return Err(UseCaseError::Forbidden("the session ended".to_owned()));
        }
        let unwritten = |_| UseCaseError::Forbidden("the rows cannot be written down".to_owned());
        let actor = &self.viewer.actor;
        let mut text = Vec::new();
        let (rows, next) = if self.lines {
            let page = self.desk.logs(actor, &self.filter).await?;
            for row in &page.rows {
                text.extend(serde_json::to_vec(row).map_err(|error| unwritten(error.to_string()))?);
                text.push(b'\n');
            }
            (page.rows.len(), page.next)
        } else {
            let page = self.desk.export_logs(actor, &self.filter).await?;
            let mut writer = csv::Writer::from_writer(&mut text);
            let head = std::mem::take(&mut self.head).then_some(&page.header);
            let written = head.map_or(Ok(()), |head| writer.write_record(head));
            let written =
                written.and_then(|()| page.rows.iter().try_for_each(|row| writer.write_record(row)));
            written
                .and_then(|()| writer.flush().map_err(Into::into))
                .map_err(|error| unwritten(error.to_string()))?;
            drop(writer);
            (page.rows.len(), page.next)
        };
        self.sent += rows;
        self.over = next.is_none() || self.sent + AT_ONCE as usize > EXPORT_MOST;
        self.filter.before = next;
        Ok(Bytes::from(text))
    }
}

//! `GET logs/export`: requests as a file, for whoever is signed in, sent as they are read.

use super::Web;
use crate::auth::Caller;
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
use http::{StatusCode, header};
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
    caller: Caller,
) -> Response {
    let Some(viewer) = web.viewer(&caller).await else {
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
            return Err(UseCaseError::forbidden(("the session ended", "会话已结束")));
        }
        let unwritten = |_| UseCaseError::forbidden(("the rows cannot be written down", "这些行无法写出"));
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

#[cfg(test)]
mod tests {
    use crate::Console;
    use crate::live::Viewer;
    use axum::body::Body;
    use burncloud_billing::Desk;
    use burncloud_billing::people::Actor;
    use burncloud_core::adapter::Registry;
    use burncloud_core::store::{MemoryStore, ReceiptStore};
    use burncloud_core::{Receipt, ReceiptId, Role, UnixMicros, UserId};
    use http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use std::sync::Arc;
    use tower::ServiceExt;

    async fn ask(store: &Arc<MemoryStore>, who: &str, query: &str) -> (StatusCode, String, String) {
        let desk = Desk::new(store.clone(), Registry::default());
        let console = Console::builder(desk).build(tokio::runtime::Handle::current());
        let app = super::super::router_for(console, |_, caller| {
            Box::pin(async move {
                let who = crate::lang::cookie(&caller.headers, "who")?;
                let actor = Actor::operator("ada");
                let stranger =
                    Actor { role: Role::EndUser, user: Some(UserId(77)), ..Actor::operator("eve") };
                Some(Arc::new(Viewer {
                    actor: if who == "owner" { actor } else { stranger },
                    name: String::new(),
                    lang: Default::default(),
                    theme: Default::default(),
                    csrf: String::new(),
                    ended: Default::default(),
                    acting: None,
                }))
            })
        });
        let request = Request::get(format!("/console/logs/export?{query}")).header("cookie", who);
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let name = parts.headers.get("content-disposition").map(|name| name.to_str().unwrap().to_owned());
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, name.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_file_has_what_its_reader_sees_all_of_it_and_each_once() {
        let store = Arc::new(MemoryStore::default());
        let model = |n: u64| if n.is_multiple_of(2) { "=even" } else { "odd" };
        let at = UnixMicros::now();
        let all = (0..1_201).map(|n| {
            let id = ReceiptId(u128::from(n) + 1);
            Arc::new(Receipt { id, at, model: model(n).into(), ..burncloud_core::testing::receipt(n) })
        });
        store.record(&all.collect::<Vec<_>>()).await.unwrap();
        let (status, name, text) = ask(&store, "who=owner", "").await;
        assert_eq!((status, name.as_str()), (StatusCode::OK, "attachment; filename=\"requests.csv\""));
        let lines: std::collections::BTreeSet<&str> = text.lines().collect();
        assert_eq!((lines.len(), text.lines().count()), (1_202, 1_202), "a head, and each once");
        assert!(text.starts_with("receipt,trace,time_utc,") && text.contains(",'=even,"));
        let (_, name, text) = ask(&store, "who=owner", "format=ndjson&model=odd&page=zz&time=1h").await;
        assert!(name.contains("requests.ndjson"));
        let rows: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 600);
        assert!(rows.iter().all(|row| row["model"] == "odd"));
        let (status, _, text) = ask(&store, "who=eve", "format=ndjson").await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, ""), "nothing of others");
        assert_eq!(ask(&store, "who=eve", "result=switched").await.0, StatusCode::FORBIDDEN);
        assert_eq!(ask(&store, "", "").await.0, StatusCode::UNAUTHORIZED);
    }
}

//! What was begun is done, whoever goes away.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// Does what changes something on a task of its own: a connection that is closed drops the request's future wherever it
/// waits, between a change and its entry in the audit log, or before it is noted that an `Idempotency-Key` was used.
pub(crate) async fn to_its_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a change in the console failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::sync::Notify;
    use tower::ServiceExt;

    #[tokio::test]
    async fn who_hangs_up_leaves_nothing_half_done() {
        let (begun, go_on, done) =
            (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let changes = Arc::new(AtomicUsize::new(0));
        let handler = {
            let (begun, go_on, done, changes) = (begun.clone(), go_on.clone(), done.clone(), changes.clone());
            move || async move {
                changes.fetch_add(1, Ordering::SeqCst);
                begun.notify_one();
                go_on.notified().await;
                changes.fetch_add(1, Ordering::SeqCst);
                done.notify_one();
            }
        };
        let app = Router::new().route("/", post(handler)).layer(axum::middleware::from_fn(to_its_end));
        let request = Request::post("/").body(Body::empty()).unwrap();
        let caller = tokio::spawn(app.oneshot(request));
        begun.notified().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go_on.notify_one();
        tokio::time::timeout(Duration::from_secs(20), done.notified())
            .await
            .expect("it is done all the same");
        assert_eq!(changes.load(Ordering::SeqCst), 2);
    }
}

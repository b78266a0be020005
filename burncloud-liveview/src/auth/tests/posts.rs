//! Large posts: of whoever may not send them nothing is read.

use super::bench::{Browser, House, ORIGIN};
use axum::body::Body;
use burncloud_core::Role;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, StatusCode};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const PATHS: [&str; 2] = ["/post/models/import", "/post/models/transforms"];

fn form(csrf: &str) -> String {
    let part = |name: &str, text: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    format!("{}{}--edge--\r\n", part("csrf", csrf), part("list", "[]"))
}

/// Sends a form; what it is answered, where to, and whether any of it was read.
async fn send(browser: &mut Browser, path: &str, origin: &str, form: &str) -> (StatusCode, String, bool) {
    let (read, bytes) = (Arc::new(AtomicBool::new(false)), Bytes::from(form.to_owned()));
    let seen = read.clone();
    let body = Body::from_stream(stream::once(async move {
        seen.store(true, Ordering::SeqCst);
        Ok::<_, io::Error>(bytes)
    }));
    let request = Request::post(format!("/console{path}"))
        .header("origin", origin)
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(body)
        .unwrap();
    let answer = browser.send(request).await;
    (answer.status, answer.to, read.load(Ordering::SeqCst))
}

#[tokio::test]
async fn of_whoever_may_not_post_nothing_is_read() {
    let house = House::new();
    house.user("ada", Role::Owner).await;
    house.user("eve", Role::EndUser).await;
    let mut owner = house.signed_in("ada").await;
    let own = form(&owner.csrf());
    let unread = (StatusCode::FORBIDDEN, String::new(), false);
    for path in PATHS {
        let (nobody, eve) = (&mut house.browser(), &mut house.signed_in("eve").await);
        assert_eq!(send(nobody, path, ORIGIN, &own).await, unread, "nobody");
        assert_eq!(send(eve, path, ORIGIN, &form(&eve.csrf())).await, unread, "an end user");
        assert_eq!(send(&mut owner, path, "https://evil.example", &own).await, unread, "another site");
        let (status, _, read) = send(&mut owner, path, ORIGIN, &form("made up")).await;
        assert_eq!((status, read), (StatusCode::FORBIDDEN, true), "the token is in the form");
        let (status, to, _) = send(&mut owner, path, ORIGIN, &own).await;
        assert_eq!((status, to.contains("draft=")), (StatusCode::SEE_OTHER, true), "{to}");
        let large = format!("{own}{}", "a".repeat(4 << 20));
        assert_eq!(send(&mut owner, path, ORIGIN, &large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    }
}

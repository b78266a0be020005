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
async fn what_is_held_for_a_session_ends_with_it() {
    let house = House::new();
    house.user("eve", Role::EndUser).await;
    let (mut here, there) = (house.signed_in("eve").await, house.signed_in("eve").await);
    let held = house.console.held();
    for browser in [&mut here, &mut there.clone()] {
        let request = Request::post("/console/uploads/pictures")
            .header("origin", ORIGIN)
            .header("x-csrf", browser.csrf())
            .body(crate::held::tests::DOT.into())
            .unwrap();
        let answer = browser.send(request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    // No page is open: nothing but what is held is left of either session.
    house.console.sockets().sweep(&house.console).await;
    let token = here.csrf();
    assert!(held.has(&token) && held.has(&there.csrf()));
    let answer = here.post_raw("/signout", Some(ORIGIN), &[("csrf", &token)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    house.console.sockets().sweep(&house.console).await;
    assert!(!held.has(&token) && held.has(&there.csrf()));
    let user = there.actor().await.unwrap().user.unwrap();
    house.desk().sign_out_user(&burncloud_billing::people::Actor::operator("boss"), user).await.unwrap();
    house.console.sockets().sweep(&house.console).await;
    assert!(!held.has(&there.csrf()));
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

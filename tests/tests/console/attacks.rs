//! What another site's page, or somebody without a session, can make of the console: nothing.

use crate::client::{Client, ORIGIN, form_of};
use crate::house::House;
use burncloud_tests::raw::{Connection, Request};
use serde_json::json;

/// Origins that are not the console's.
const FOREIGN: [Option<&str>; 6] = [
    None,
    Some("https://evil.example"),
    Some("null"),
    Some("http://gateway.test.evil.example"),
    Some("http://gateway.test:81"),
    Some("http://evil.example/http://gateway.test"),
];

/// What an attempt to open a page's socket is answered.
async fn knock(house: &House, origin: Option<&str>, session: Option<&str>) -> u16 {
    let mut request = Request::get("/console/ws?path=%2Fconsole")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    if let Some(session) = session {
        request = request.header("cookie", &format!("bc-session={session}"));
    }
    let mut connection = Connection::open(house.gateway.addr()).await.unwrap();
    connection.write(&request.encode()).await.unwrap();
    connection.head().await.unwrap().0
}

#[tokio::test]
async fn another_site_cannot_open_a_socket() {
    let house = House::start().await;
    let session = house.owner.jar["bc-session"].clone();
    for origin in FOREIGN {
        assert_eq!(knock(&house, origin, Some(&session)).await, 403, "{origin:?}");
        assert_eq!(knock(&house, origin, None).await, 403, "{origin:?}, without a session");
    }
    assert_eq!(knock(&house, Some(ORIGIN), None).await, 401);
    assert_eq!(knock(&house, Some(ORIGIN), Some("A-session-that-nobody-has-0123456789012345678")).await, 401);
    assert_eq!(knock(&house, Some(ORIGIN), Some(&session)).await, 101);
}

/// Every write that the document of the management API names: method and path, with something in place of each part
/// that is left open.
async fn writes(client: &mut Client) -> Vec<(String, String)> {
    let document = client.read("/openapi.json").await;
    let mut writes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if matches!(method.as_str(), "post" | "put" | "patch" | "delete") {
                let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
                writes.push((method.to_uppercase(), parts.collect::<Vec<_>>().join("/")));
            }
        }
    }
    writes
}

#[tokio::test]
async fn another_site_cannot_write_through_the_api() {
    let mut house = House::start().await;
    let csrf = house.owner.csrf.clone();
    let all = writes(&mut house.owner).await;
    assert!(all.len() > 40, "{all:?}");
    let before = house.owner.read("/audit").await;
    for (method, path) in &all {
        let plain = || {
            let mut request = Request::json(&format!("/console{path}"), &json!({}));
            request.method.clone_from(method);
            request
        };
        let mut attempts = vec![
            ("without the token", plain().header("origin", ORIGIN)),
            ("with a token that is made up", plain().header("origin", ORIGIN).header("x-csrf", "AAAA")),
            (
                "as the browser says, from another site",
                plain()
                    .header("origin", ORIGIN)
                    .header("x-csrf", &csrf)
                    .header("sec-fetch-site", "cross-site"),
            ),
        ];
        for origin in FOREIGN {
            let request = plain().header("x-csrf", &csrf);
            attempts.push((
                "from elsewhere",
                match origin {
                    Some(origin) => request.header("origin", origin),
                    None => request,
                },
            ));
        }
        for (how, request) in attempts {
            let answer = house.owner.send(request).await;
            assert_eq!(answer.status, 403, "{method} {path} {how}: {}", answer.text());
        }
        let mut stranger = Client::new(house.gateway.addr());
        let answer = stranger.send(plain().header("origin", ORIGIN)).await;
        assert_eq!(answer.status, 401, "{method} {path} by nobody: {}", answer.text());
    }
    assert_eq!(house.owner.read("/audit").await, before, "nothing happened");
}

#[tokio::test]
async fn another_site_cannot_send_a_form() {
    let mut house = House::start().await;
    let csrf = house.owner.csrf.clone();
    let forms: [(&str, &[(&str, &str)]); 8] = [
        ("/signout", &[]),
        ("/impersonate", &[("user", "1")]),
        ("/impersonate/stop", &[]),
        ("/account/password", &[("current", crate::house::PASSWORD), ("password", "another long password")]),
        ("/account/elsewhere", &[]),
        ("/signin", &[("name", "x"), ("password", "y")]),
        ("/setup", &[("code", "x")]),
        ("/join", &[("code", "x")]),
    ];
    for (path, fields) in forms {
        for origin in FOREIGN {
            let mut all = vec![("csrf", csrf.as_str())];
            all.extend_from_slice(fields);
            let request = form_of(path, &all);
            let request = match origin {
                Some(origin) => request.header("origin", origin),
                None => request,
            };
            let answer = house.owner.clone().send(request).await;
            assert_eq!(answer.status, 403, "{path} from {origin:?}");
        }
        let answer = house.owner.clone().send(form_of(path, fields).header("origin", ORIGIN)).await;
        assert_eq!(answer.status, 403, "{path} without the token");
    }
    let look = form_of("/look", &[("lang", "zh")]).header("origin", "https://evil.example");
    assert_eq!(house.owner.clone().send(look).await.status, 403);
    assert_eq!(house.owner.read("/me").await["login"]["name"], json!(crate::house::OWNER), "still signed in");
}

#[tokio::test]
async fn whoever_is_not_signed_in_sees_nothing() {
    let mut house = House::start().await;
    let document = house.owner.read("/openapi.json").await;
    let mut stranger = Client::new(house.gateway.addr());
    for (_, path, _) in crate::walk::PAGES {
        let answer = stranger.page(path).await;
        // The page that was asked for comes along, and nothing else of it.
        let to = answer.headers.get("location").unwrap_or_default();
        assert_eq!((answer.status, to.split('?').next()), (303, Some("/console/signin")), "{path}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        let open = methods["get"]["security"] == json!([{}]) || methods["get"]["security"] == json!([]);
        if methods.get("get").is_none() || open {
            continue;
        }
        let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let answer =
            stranger.send(Request::get(&format!("/console{}", parts.collect::<Vec<_>>().join("/")))).await;
        assert_eq!(answer.status, 401, "{path}");
    }
}

/// The pages forbid to be framed, to be kept, and to run anything inline.
#[tokio::test]
async fn every_answer_says_what_it_may_do() {
    let mut house = House::start().await;
    for path in ["", "/logs", "/account", "/signin", "/api/docs", "/nowhere"] {
        let answer = house.owner.page(path).await;
        let header = |name: &str| answer.headers.get(name).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        let has = |rule: &str| policy.split(';').any(|part| part.trim() == rule);
        assert!(has("default-src 'none'") && has("frame-ancestors 'none'"), "{path}: {policy}");
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src"));
        assert!(scripts.is_none_or(|part| part.trim() == "script-src 'self'"), "{path}: {policy}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
    }
    for path in ["", "/account", "/signin", "/api/me", "/api/docs", "/api/nowhere"] {
        let answer = house.owner.page(path).await;
        assert_eq!(answer.headers.get("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.headers.get("cache-control"), Some("no-store"), "{path}");
    }
}

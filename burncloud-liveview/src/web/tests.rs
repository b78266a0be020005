use super::*;
use crate::lang::{Lang, Theme};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use burncloud_billing::Desk;
use burncloud_billing::people::Actor;
use burncloud_core::Role;
use burncloud_core::adapter::Registry;
use burncloud_core::store::MemoryStore;
use http::HeaderMap;
use http_body_util::BodyExt;
use tower::ServiceExt;

fn console(url: Option<&str>) -> Console {
    let desk = Desk::new(Arc::new(MemoryStore::default()), Registry::default());
    let builder = Console::builder(desk);
    let builder = if let Some(url) = url { builder.public_url(url) } else { builder };
    builder.build(tokio::runtime::Handle::current())
}

/// Whoever has the cookie `who` is signed in as the owner, `who=accountant` as one.
pub(super) fn app(url: Option<&str>) -> Router {
    router_for(console(url), |_, Caller { headers, .. }| {
        Box::pin(async move {
            let who = crate::lang::cookie(&headers, "who")?;
            let look = crate::lang::Look::of(&headers);
            Some(Arc::new(Viewer {
                actor: match who {
                    "accountant" => Actor { role: Role::Accountant, ..Actor::operator("abe") },
                    _ => Actor::operator("ada"),
                },
                name: "Ada <b>Lovelace</b>".into(),
                lang: look.lang,
                theme: look.theme,
                csrf: format!("token of {who}"),
                ended: Default::default(),
                acting: None,
            }))
        })
    })
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(super) async fn send(app: Router, request: Request<Body>) -> Response<Body> {
    app.oneshot(request).await.unwrap()
}

async fn ask(app: Router, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = send(app, request.body(Body::from(body.to_owned())).unwrap()).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
}

async fn page(path: &str, cookies: &str) -> Answer {
    ask(app(None), "GET", path, &[("cookie", cookies)], "").await
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    for (path, cookies) in
        [("/console", "who=1"), ("/console", ""), ("/console/ws", ""), ("/console/assets/none", "")]
    {
        let answer = page(path, cookies).await;
        assert_eq!(answer.header("content-security-policy"), CSP, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn whoever_has_not_signed_in_is_sent_to_sign_in() {
    let answer = page("/console/logs?q=a", "").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/console/signin?next=%2Flogs%3Fq%3Da")
    );
}

#[tokio::test]
async fn a_page_is_drawn_in_the_language_and_theme_of_its_cookies() {
    let answer = page("/console/logs", "who=1; bc-lang=zh; bc-theme=night").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(
        answer.body.starts_with("<!DOCTYPE html><html lang=\"zh-CN\" data-theme=\"night\">"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("<title>日志 · BurnCloud</title>"));
    let answer = page("/console/logs", "who=1").await;
    assert!(answer.body.starts_with("<!DOCTYPE html><html lang=\"en\"><head>"));
    assert!(answer.body.contains("aria-current=\"page\""));
    assert_eq!(page("/console/nowhere", "who=1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nothing_in_a_page_needs_more_than_its_policy_allows() {
    let answer = page("/console", "who=1").await;
    assert!(
        answer.body.contains("Ada &#60;b&#62;") || answer.body.contains("Ada &lt;b&gt;"),
        "a name is text"
    );
    assert!(!answer.body.contains("<b>Lovelace"));
    assert!(
        !answer.body.contains("<style")
            && !answer.body.contains(" onclick=")
            && !answer.body.contains("javascript:")
    );
    for script in answer.body.split("<script").skip(1) {
        assert!(
            script.starts_with(" defer src=\"/console/assets/") && script.contains("></script>"),
            "{script}"
        );
    }
    assert!(!answer.body.contains("initial_"), "first values are HTML's own");
}

#[tokio::test]
async fn assets_are_found_under_their_hash_and_kept_for_ever() {
    let body = page("/console", "who=1").await.body;
    let mut paths: Vec<String> = body
        .split("\"/console/assets/")
        .skip(1)
        .filter_map(|rest| Some(format!("/console/assets/{}", rest.split('"').next()?)))
        .collect();
    assert!(paths.len() >= 6, "{paths:?}");
    let css = paths.iter().find(|path| path.ends_with(".css")).unwrap().clone();
    let style = ask(app(None), "GET", &css, &[], "").await.body;
    let fonts = style.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
    let fonts: Vec<_> =
        fonts.map(|url| url.trim_matches('"').to_owned()).filter(|url| url.contains("woff2")).collect();
    assert_eq!(fonts.len(), 2, "{fonts:?}");
    paths.extend(fonts.into_iter().map(|name| format!("/console/assets/{name}")));
    for path in paths {
        let answer = ask(app(None), "GET", &path, &[("accept-encoding", "gzip, br")], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        let text = path.ends_with(".js") || path.ends_with(".css");
        assert_eq!(answer.header("content-encoding") == "gzip", text || path.ends_with(".svg"), "{path}");
        let again = ask(app(None), "GET", &path, &[("if-none-match", answer.header("etag"))], "").await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
    }
    assert_eq!(
        page("/console/assets/console.css", "").await.status,
        StatusCode::NOT_FOUND,
        "only under its hash"
    );
}

async fn socket(url: Option<&str>, origin: Option<&str>, cookies: &str) -> StatusCode {
    let mut headers = vec![("host", "gate.example:8080"), ("cookie", cookies)];
    headers.extend(origin.map(|origin| ("origin", origin)));
    ask(app(url), "GET", "/console/ws?path=/console", &headers, "").await.status
}

#[tokio::test]
async fn a_socket_needs_our_origin_and_a_session() {
    let ours = Some("http://gate.example:8080");
    assert_eq!(socket(None, None, "who=1").await, StatusCode::FORBIDDEN);
    for foreign in
        ["https://evil.example", "null", "http://gate.example", "http://gate.example:8080.evil.example"]
    {
        assert_eq!(socket(None, Some(foreign), "who=1").await, StatusCode::FORBIDDEN, "{foreign}");
    }
    assert_eq!(socket(None, ours, "").await, StatusCode::UNAUTHORIZED);
    // This far only the upgrade itself is missing.
    assert_eq!(socket(None, ours, "who=1").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn behind_a_proxy_the_configured_url_is_the_origin() {
    let url = Some("https://console.example.com");
    assert_eq!(socket(url, Some("https://console.example.com"), "who=1").await, StatusCode::BAD_REQUEST);
    assert_eq!(socket(url, Some("https://CONSOLE.example.com:443"), "who=1").await, StatusCode::BAD_REQUEST);
    for foreign in
        ["http://gate.example:8080", "http://console.example.com", "https://console.example.com:8443"]
    {
        assert_eq!(socket(url, Some(foreign), "who=1").await, StatusCode::FORBIDDEN, "{foreign}");
    }
}

#[tokio::test]
async fn another_language_is_remembered_and_leads_back() {
    let form = [("host", "a"), ("origin", "http://a"), ("content-type", "application/x-www-form-urlencoded")];
    let body = "lang=zh&theme=night&back=%2Fconsole%2Flogs%3Fq%3Da";
    let answer = ask(app(None), "POST", "/console/look", &form, body).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/console/logs?q=a"));
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    assert!(
        cookies[0].starts_with("bc-lang=zh; Path=/console;") && cookies[1].starts_with("bc-theme=night;"),
        "{cookies:?}"
    );
    let answer =
        ask(app(None), "POST", "/console/look", &form, "lang=xx%0d%0a&back=https://evil.example").await;
    assert_eq!(answer.header("location"), "/console");
    assert!(answer.headers.get("set-cookie").is_none());
    let answer = ask(app(None), "POST", "/console/look", &form[1..], body).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "no host, not ours");
}

#[test]
fn codes_are_read_back() {
    for lang in [Lang::En, Lang::Zh] {
        assert_eq!(Lang::of(lang.code()), Some(lang));
    }
    for theme in [Theme::System, Theme::Day, Theme::Night] {
        assert_eq!(Theme::of(theme.code()), theme);
    }
}

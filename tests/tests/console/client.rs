//! Somebody at the console without a browser: forms, cookies, and the management API.

use burncloud_tests::raw::{Request, Response};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What the raw client calls every server.
pub(crate) const ORIGIN: &str = "http://gateway.test";

/// Cookies, and what the session's writes carry.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    addr: SocketAddr,
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) csrf: String,
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self { addr, jar: BTreeMap::new(), csrf: String::new() }
    }

    fn with_cookies(&self, request: Request) -> Request {
        let jar: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if jar.is_empty() { request } else { request.header("cookie", &jar.join("; ")) }
    }

    /// Sends a request with these cookies and nothing more, and keeps what it sets.
    pub(crate) async fn send(&mut self, request: Request) -> Response {
        let response = self.with_cookies(request).send(self.addr).await;
        for line in set_cookies(&response) {
            let (pair, rest) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.into(), value.into());
            }
        }
        response
    }

    /// A page of the console.
    pub(crate) async fn page(&mut self, path: &str) -> Response {
        self.send(Request::get(&format!("/console{path}"))).await
    }

    /// Opens the page at `form` and sends its form to `path`.
    pub(crate) async fn fill(&mut self, form: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let page = self.page(form).await;
        let token = hidden(&page.text(), "csrf");
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.send(form_of(path, &all).header("origin", ORIGIN)).await
    }

    /// Learns what the session's writes carry.
    pub(crate) async fn settle(&mut self) {
        let page = self.page("/account").await;
        self.csrf = hidden(&page.text(), "csrf");
        assert!(!self.csrf.is_empty(), "no session: {} {}", page.status, page.text());
    }

    /// A call of the management API, as a page of the console would make it.
    pub(crate) async fn api(&mut self, method: &str, path: &str, body: &Value) -> Response {
        let mut request = Request::json(&format!("/console/api{path}"), body);
        request.method = method.to_owned();
        if method == "GET" {
            request.headers.clear();
            request.body.clear();
        }
        let csrf = self.csrf.clone();
        self.send(request.header("origin", ORIGIN).header("x-csrf", &csrf)).await
    }

    /// A read that must succeed.
    pub(crate) async fn read(&mut self, path: &str) -> Value {
        let answer = self.api("GET", path, &Value::Null).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer.json()
    }

    /// A write that must succeed.
    pub(crate) async fn write(&mut self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.api(method, path, &body).await;
        assert!(matches!(answer.status, 200 | 201), "{method} {path} {body}: {}", answer.text());
        answer.json()
    }
}

/// A form as a browser posts it, without saying where it comes from.
pub(crate) fn form_of(path: &str, fields: &[(&str, &str)]) -> Request {
    let encode = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let mut request = Request::post(&format!("/console{path}"), body.join("&"));
    request.headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
    request
}

/// The `set-cookie` lines of an answer.
pub(crate) fn set_cookies(response: &Response) -> Vec<String> {
    let all = response.headers.0.iter();
    all.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value.clone()).collect()
}

/// A hidden field of a page; empty where it has none.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let Some((_, rest)) = page.split_once(&format!("name=\"{name}\"")) else { return String::new() };
    let value = rest.split_once("value=\"").and_then(|(_, rest)| rest.split('"').next());
    value.unwrap_or_default().to_owned()
}

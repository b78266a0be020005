//! A console in memory, and browsers that come to it.

use crate::Console;
use axum::body::Body;
use axum::response::Response;
use burncloud_billing::Desk;
use burncloud_billing::people::Actor;
use burncloud_core::adapter::Registry;
use burncloud_core::layers::auth::RemoteIp;
use burncloud_core::store::{ConsoleStore, Login, MemoryStore, NewTenant, NewUser};
use burncloud_core::{Role, Tenant, User};
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, StatusCode};
use std::collections::BTreeMap;
use std::sync::Arc;
use tower::ServiceExt;

pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const ORIGIN: &str = "https://console.example";
pub(super) const SETUP: &str = "abcd-efgh-ijkl";

pub(super) struct House {
    pub(super) console: Console,
    pub(super) store: Arc<MemoryStore>,
}

impl House {
    pub(super) fn new() -> House {
        let store = Arc::new(MemoryStore::default());
        let desk = Desk::new(store.clone(), Registry::default());
        let console = Console::builder(desk)
            .public_url(ORIGIN)
            .setup_code(&SETUP.into())
            .build(tokio::runtime::Handle::current());
        House { console, store }
    }

    pub(super) fn desk(&self) -> &Desk {
        self.console.desk()
    }

    pub(super) async fn tenant(&self, name: &str, parent: Option<&str>) -> Tenant {
        let find = |name: String| async move { self.all().tenant_by_name(&name).await.unwrap() };
        if let Some(found) = find(name.to_owned()).await {
            return found;
        }
        let parent = match parent {
            Some(parent) => find(parent.to_owned()).await.map(|tenant| tenant.id),
            None => None,
        };
        self.all()
            .create_tenant(NewTenant { name: name.into(), parent, ..NewTenant::default() })
            .await
            .unwrap()
    }

    pub(super) fn all(&self) -> &dyn ConsoleStore {
        &*self.store
    }

    /// A user of that role in the tenant `default`, who signs in by their name and [`PASSWORD`].
    pub(super) async fn user(&self, name: &str, role: Role) -> User {
        self.user_in("default", name, role).await
    }

    pub(super) async fn user_in(&self, tenant: &str, name: &str, role: Role) -> User {
        let tenant = self.all().tenant_by_name(tenant).await.unwrap().unwrap().id;
        let new = NewUser { name: name.into(), tenant, role, ..NewUser::default() };
        let user = self.all().create_user(new).await.unwrap();
        let operator = Actor::operator("test");
        self.desk().set_password_of(&operator, user.id, None, PASSWORD.into()).await.unwrap();
        let login = self.login(&user).await;
        self.all().set_login(&Login { must_change: false, ..login }).await.unwrap();
        user
    }

    pub(super) async fn login(&self, user: &User) -> Login {
        self.all().login(user.id).await.unwrap().unwrap()
    }

    pub(super) fn browser(&self) -> Browser {
        Browser {
            console: self.console.clone(),
            jar: BTreeMap::new(),
            ip: "192.0.2.1".into(),
            origin: ORIGIN.into(),
        }
    }

    pub(super) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }
}

#[derive(Clone)]
pub(super) struct Browser {
    console: Console,
    pub(super) jar: BTreeMap<String, String>,
    pub(super) ip: String,
    pub(super) origin: String,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) to: String,
    pub(super) body: String,
}

impl Browser {
    pub(super) async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let jar: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !jar.is_empty() {
            request.headers_mut().insert(COOKIE, jar.join("; ").parse().unwrap());
        }
        request.extensions_mut().insert(RemoteIp(self.ip.parse().unwrap()));
        let response = crate::console(self.console.clone()).oneshot(request).await.unwrap();
        self.keep(&response);
        let status = response.status();
        let to =
            response.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, to, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    fn keep(&mut self, response: &Response) {
        for line in response.headers().get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, _) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.into(), value.into());
            }
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(format!("/console{path}")).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as it stands: with what it says, and nothing else.
    pub(super) async fn post_raw(
        &mut self,
        path: &str,
        origin: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Answer {
        let encode = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("/console{path}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.send(request.body(body.join("&").into()).unwrap()).await
    }

    /// Opens the form at `form`, and sends it to `path` with its token.
    pub(super) async fn fill(&mut self, form: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(form).await;
        let csrf = token(&page.body);
        let origin = self.origin.clone();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(path, Some(&origin), &all).await
    }

    /// Sends the form of a page where that form says.
    pub(super) async fn submit(&mut self, page: &str, fields: &[(&str, &str)]) -> Answer {
        let form = &page[..page.find("name=\"csrf\"").unwrap()];
        let action = form.rsplit_once("action=\"/console").unwrap().1.split('"').next().unwrap();
        let (csrf, origin) = (token(page), self.origin.clone());
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(action, Some(&origin), &all).await
    }

    /// Where it is sent on to, without the prefix.
    pub(super) async fn follow(&mut self, answer: &Answer) -> Answer {
        self.get(answer.to.strip_prefix("/console").unwrap()).await
    }

    pub(super) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.fill("/signin", "/signin", &[("name", name), ("password", password)]).await
    }

    pub(super) fn session(&self) -> Option<String> {
        self.jar.get("__Host-bc-session").cloned()
    }

    /// Whom it is taken for.
    pub(super) async fn actor(&self) -> Option<Actor> {
        let mut headers = http::HeaderMap::new();
        let jar: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        headers.insert(COOKIE, jar.join("; ").parse().unwrap());
        let caller = crate::auth::Caller { headers, ip: self.ip.parse().ok() };
        crate::auth::viewer(&self.console, &caller).await.map(|viewer| viewer.actor.clone())
    }

    /// The token of the session's forms.
    pub(super) fn csrf(&self) -> String {
        crate::auth::csrf_of(&self.session().unwrap_or_default().into())
    }
}

/// The token in a page.
pub(super) fn token(page: &str) -> String {
    hidden(page, "csrf")
}

/// A hidden field of a page.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let Some(at) = page.find(&format!("name=\"{name}\"")) else { return String::new() };
    let rest = &page[at..];
    let Some(from) = rest.find("value=\"") else { return String::new() };
    rest[from + 7..].split('"').next().unwrap_or_default().to_owned()
}

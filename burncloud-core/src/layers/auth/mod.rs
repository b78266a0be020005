//! Key → caller.
//!
//! Takes the key from wherever the dialect's SDKs put it, writes `caller`, and takes the key out of the
//! request: no layer below, and no provider, sees it. 401 for no key or one that nobody knows (or that was
//! revoked: who holds it need not learn that it once worked), 403 for a key that is switched off (or whose
//! user or tenant is, or a tenant above) or may not come from this address or this application.
//!
//! A key that is at hand in memory costs a hash and a look-up; one seen for the first time waits for the
//! store. While the store is away unknown keys get 503, never a pass; known ones go on.
//!
//! A request that AWS's scheme signs (boto3) carries no key but the name of one; its signature is checked instead,
//! where the store [offers](CallerStore::signing_secret) it. 403 in AWS's words for one that does not hold.
//!
//! A caller in the same process may hold no secret at all (only its hash is stored): it puts [`Vouched`] into the
//! request's extensions. That is looked for where no key was sent, so that requests with a key pay nothing for it; every
//! other check holds as it does for a key.
//!
//! Who is refused is counted by address in [`Suspects`]; a request that is let in never touches that.
//!
//! Stands before the body is read: a stranger's bytes are not held. Cancellation is safe at any point.

mod app;
mod signed;
mod suspects;

pub use suspects::{Suspect, Suspects};

use crate::collect::InspectSettings;
use crate::context::Context;
use crate::layers::{Reply, Stack};
use crate::sigv4;
use crate::store::{CallerStore, StoreError};
use crate::{Body, Caller, Error, ErrorKind, KeyHash, Status, UnixMicros};
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Request, Response, Uri};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;
use tower::{Layer, Service};

static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
static X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
static API_KEY: HeaderName = HeaderName::from_static("api-key");
const KEY_HEADERS: [&HeaderName; 4] = [&AUTHORIZATION, &X_API_KEY, &X_GOOG_API_KEY, &API_KEY];

/// Where a request came from; put into its extensions by whoever accepted the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteIp(pub IpAddr);

/// The key that a request is made with, vouched for by code in the same process, for a request that carries none: a
/// console where somebody who may use the key chose it by name. Its status, expiry, user, tenant and addresses are checked
/// as ever.
///
/// An extension is an object in memory: nothing that comes from a network (no header, query or body) becomes one, so no
/// caller can forge it. Whoever puts it there answers for having asked who wants to use the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched(pub KeyHash);

/// Makes [`Auth`] services.
#[derive(Clone)]
pub struct AuthLayer {
    callers: Arc<dyn CallerStore>,
    settings: InspectSettings,
    suspects: Arc<Suspects>,
}

impl AuthLayer {
    /// With the store that knows the callers.
    #[must_use]
    pub fn new(callers: Arc<dyn CallerStore>) -> AuthLayer {
        AuthLayer { callers, settings: InspectSettings::default(), suspects: Arc::default() }
    }

    /// The bounds on a body that must be read to check its signature: those of `inspect`.
    #[must_use]
    pub fn inspect(mut self, settings: InspectSettings) -> AuthLayer {
        self.settings = settings;
        self
    }

    /// Where refusals are counted.
    #[must_use]
    pub fn suspects(mut self, suspects: Arc<Suspects>) -> AuthLayer {
        self.suspects = suspects;
        self
    }
}

impl fmt::Debug for AuthLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthLayer")
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, door: Arc::new(self.clone()) }
    }
}

/// Finds the caller.
#[derive(Clone)]
pub struct Auth<S> {
    inner: S,
    /// All of it behind one pointer, since every request clones this.
    door: Arc<AuthLayer>,
}

/// Whence a request came, kept for the case that it is refused.
fn origin(request: &Request<Body>) -> Option<IpAddr> {
    request.extensions().get().map(|RemoteIp(ip)| *ip)
}

impl AuthLayer {
    /// A request from there gets that error.
    #[cold]
    fn refused(&self, from: Option<IpAddr>, error: Error) -> Error {
        if let Some(from) = from {
            self.suspects.note(from, &error);
        }
        error
    }
}

impl<S> fmt::Debug for Auth<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth")
    }
}

/// The hash of the key, the key being taken out of the request. Every SDK of every dialect puts it into one
/// of these places; a Foundry client sends the same key in two.
fn take_key(request: &mut Request<Body>) -> Option<KeyHash> {
    let headers = request.headers_mut();
    let hash = key_in(headers);
    // One pass over the names that are there: to look each of ours up costs a hash apiece.
    while let Some(name) = headers.keys().find(|name| KEY_HEADERS.contains(name)).cloned() {
        headers.remove(name);
    }
    let query = request.uri().query().unwrap_or_default();
    if !query.contains("key=") {
        return hash;
    }
    let (key, rest) = key_in_query(query);
    let hash = hash.or(key);
    without_query_key(request.uri_mut(), &rest);
    hash
}

fn key_in(headers: &HeaderMap) -> Option<KeyHash> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let bytes = value.as_bytes();
        let scheme = bytes.get(..7).is_some_and(|s| s.eq_ignore_ascii_case(b"bearer "));
        let key = bytes.get(7..).filter(|_| scheme).map(<[u8]>::trim_ascii).filter(|key| !key.is_empty());
        if let Some(key) = key {
            return Some(KeyHash::of(key));
        }
    }
    let names = [&X_API_KEY, &X_GOOG_API_KEY, &API_KEY];
    let value = names.into_iter().find_map(|name| headers.get(name))?.as_bytes().trim_ascii();
    (!value.is_empty()).then(|| KeyHash::of(value))
}

/// Google's `?key=`; and the query without it, so that it goes nowhere else.
fn key_in_query(query: &str) -> (Option<KeyHash>, String) {
    let mut rest = String::with_capacity(query.len());
    let mut key = None;
    for pair in query.split('&') {
        match pair.strip_prefix("key=") {
            Some(value) => key = key.or(Some(value).filter(|v| !v.is_empty())),
            None => {
                if !rest.is_empty() {
                    rest.push('&');
                }
                rest.push_str(pair);
            }
        }
    }
    (key.map(|value| KeyHash::of(value.as_bytes())), rest)
}

fn without_query_key(uri: &mut Uri, rest: &str) {
    let path = uri.path();
    let text = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
    if let Ok(path_and_query) = PathAndQuery::try_from(text) {
        *uri = Uri::from(path_and_query);
    }
}

/// The key that is vouched for; taken out, as a key is.
fn take_vouched(request: &mut Request<Body>) -> Option<KeyHash> {
    request.extensions_mut().remove().map(|Vouched(hash)| hash)
}

fn unknown() -> Error {
    Error::new(ErrorKind::Unauthenticated, "the API key is not valid; check it, and where it is configured")
}

/// Whether the caller may call at all, now, from here.
fn admit(caller: &Caller, request: &Request<Body>) -> Result<(), Error> {
    let forbidden = |text: &'static str, code| Err(Error::new(ErrorKind::Forbidden, text).with_code(code));
    match caller.key.status {
        Status::Active => {}
        Status::Disabled => return forbidden("this API key is switched off", "key_disabled"),
        Status::Revoked => return Err(unknown()),
    }
    if caller.key.expires_at.is_some_and(|at| at <= UnixMicros::now()) {
        return Err(
            Error::new(ErrorKind::Unauthenticated, "this API key has expired").with_code("key_expired")
        );
    }
    if caller.user.status != Status::Active {
        return forbidden("the owner of this API key is switched off", "user_disabled");
    }
    if caller.tenants().any(|tenant| tenant.status != Status::Active) {
        return forbidden("the tenant of this API key, or one above it, is switched off", "tenant_disabled");
    }
    if let Some(ips) = &caller.key.ips {
        let from = request.extensions().get().map(|RemoteIp(ip)| ip.to_canonical());
        if !from.is_some_and(|ip| ips.iter().any(|allowed| allowed.to_canonical() == ip)) {
            return forbidden("this API key may not be used from this address", "ip_not_allowed");
        }
    }
    if let Some(apps) = &caller.key.apps
        && !app::is_one_of(request.headers(), apps)
    {
        return forbidden("this API key may not be used by this application", "app_not_allowed");
    }
    Ok(())
}

fn enter(request: &mut Request<Body>, caller: Option<Arc<Caller>>) -> Result<(), Error> {
    let caller = caller.ok_or_else(unknown)?;
    admit(&caller, request)?;
    Context::of_mut(request)?.caller = Some(caller);
    Ok(())
}

fn away(error: &StoreError) -> Error {
    Error::new(ErrorKind::Unavailable, "keys cannot be checked at the moment; try again shortly")
        .with_context(error.to_string())
        .with_retry_after(Duration::from_secs(1))
}

impl<S: Stack> Service<Request<Body>> for Auth<S> {
    type Response = Response<Body>;
    type Error = Error;
    type Future = AuthFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> AuthFuture<S::Future> {
        if sigv4::is_signed(request.headers()) {
            let state = State::LookUp { future: Box::pin(signed::enter(self.clone(), request)) };
            return AuthFuture { state };
        }
        let Some(hash) = take_key(&mut request).or_else(|| take_vouched(&mut request)) else {
            let text =
                "no API key was sent; send it as your SDK does, for instance `Authorization: Bearer …`";
            let error = Error::new(ErrorKind::Unauthenticated, text);
            return AuthFuture::known(Reply::now(Err(self.door.refused(origin(&request), error))));
        };
        if let Some(caller) = self.door.callers.peek(&hash) {
            return match enter(&mut request, caller) {
                Ok(()) => AuthFuture::known(Reply::below(self.inner.call(request))),
                Err(error) => AuthFuture::known(Reply::now(Err(self.door.refused(origin(&request), error)))),
            };
        }
        let door = self.door.clone();
        let mut inner = self.inner.clone();
        AuthFuture {
            state: State::LookUp {
                future: Box::pin(async move {
                    let caller = door.callers.caller(&hash).await.map_err(|error| away(&error))?;
                    enter(&mut request, caller).map_err(|error| door.refused(origin(&request), error))?;
                    inner.call(request).await
                }),
            },
        }
    }
}

pin_project! {
    /// The caller's way through.
    pub struct AuthFuture<F> {
        #[pin]
        state: State<F>,
    }
}

type Boxed = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

pin_project! {
    #[project = Projected]
    enum State<F> {
        Known { #[pin] future: Reply<F> },
        LookUp { future: Boxed },
    }
}

impl<F> AuthFuture<F> {
    fn known(future: Reply<F>) -> AuthFuture<F> {
        AuthFuture { state: State::Known { future } }
    }
}

impl<F> fmt::Debug for AuthFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthFuture")
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for AuthFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        match self.project().state.project() {
            Projected::Known { future } => future.poll(cx),
            Projected::LookUp { future } => future.as_mut().poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiKey, Tenant, User};

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
        let mut builder = Request::builder().uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn keys_are_found_where_every_sdk_puts_them_and_taken_out() {
        let wanted = Some(KeyHash::of(b"sk-1"));
        for (name, value) in [
            ("authorization", "Bearer sk-1"),
            ("authorization", "bearer  sk-1"),
            ("x-api-key", "sk-1"),
            ("x-goog-api-key", "sk-1"),
            ("api-key", "sk-1"),
        ] {
            let mut request = request("/v1/x?a=b", &[(name, value)]);
            assert_eq!(take_key(&mut request), wanted, "{name}");
            assert!(request.headers().is_empty());
            assert_eq!(request.uri(), "/v1/x?a=b");
        }
        let mut google = request("/v1/m:g?alt=sse&key=sk-1&x=1", &[]);
        assert_eq!(take_key(&mut google), wanted);
        assert_eq!(google.uri(), "/v1/m:g?alt=sse&x=1");
    }

    #[test]
    fn a_tenant_that_is_switched_off_stops_everybody_below_it() {
        let caller = |statuses: [Status; 3]| {
            let tenant = |status| Tenant { status, ..Tenant::default() };
            let [own, reseller, house] = statuses.map(tenant);
            Caller::new(ApiKey::default(), User::default(), own).under(vec![reseller, house])
        };
        let on = Status::Active;
        let request = request("/v1/x", &[]);
        assert!(admit(&caller([on; 3]), &request).is_ok());
        for (place, off) in [(0, Status::Disabled), (1, Status::Disabled), (2, Status::Revoked)] {
            let mut statuses = [on; 3];
            statuses[place] = off;
            let error = admit(&caller(statuses), &request).unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("tenant_disabled")));
        }
    }

    #[test]
    fn a_key_of_an_application_is_refused_to_others() {
        let apps = Some(vec!["chat.example.com".to_owned()]);
        let key = ApiKey { apps, ..ApiKey::default() };
        let caller = Caller::new(key, User::default(), Tenant::default());
        assert!(admit(&caller, &request("/v1/x", &[("origin", "https://chat.example.com")])).is_ok());
        let error = admit(&caller, &request("/v1/x", &[])).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Forbidden, Some("app_not_allowed")));
    }

    #[test]
    fn nothing_is_no_key() {
        for headers in [
            &[][..],
            &[("authorization", "Basic eDp5")],
            &[("authorization", "Bearer ")],
            &[("x-api-key", "")],
        ] {
            assert_eq!(take_key(&mut request("/v1/x?monkey=1", headers)), None, "{headers:?}");
        }
    }
}

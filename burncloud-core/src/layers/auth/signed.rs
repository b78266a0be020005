//! Callers who sign with AWS's scheme instead of sending their key.
//!
//! The signature covers the body, so the body is read here, within the same bounds as elsewhere and only for a caller
//! whose access key id is known; the layers below find it in memory. Everything of the signature is taken out.

use super::{Auth, admit, away, unknown};
use crate::collect::{InspectSettings, collect};
use crate::context::Context;
use crate::layers::Stack;
use crate::sigv4::{Refusal, Signature};
use crate::store::CallerStore;
use crate::{Body, Caller, Error, ErrorKind, KeyHash, UnixMicros};
use http::{HeaderName, Request, Response};
use std::sync::Arc;

fn refuse(code: &'static str, text: &'static str) -> Error {
    Error::new(ErrorKind::Forbidden, text).with_code(code)
}

fn unrecognized() -> Error {
    let text = "the access key id is none of this gateway's; make one with `burncloud keys aws`";
    refuse("UnrecognizedClientException", text)
}

fn mismatch() -> Error {
    let text = "the signature does not match; check the secret access key, and that nothing between the client \
                and the gateway changes the host, the path or the body";
    refuse("InvalidSignatureException", text)
}

fn refusal(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Unknown => unrecognized(),
        Refusal::Stale => refuse(
            "InvalidSignatureException",
            "the signature's date is more than five minutes from now; check the clock",
        ),
        Refusal::Incomplete => refuse(
            "IncompleteSignatureException",
            "the signature lacks a part: sign for the service `bedrock`, with `host` and `x-amz-date` among the \
             signed headers",
        ),
    }
}

/// Whether the caller may call at all, in AWS's words.
fn may_call(caller: &Caller, request: &Request<Body>) -> Result<(), Error> {
    admit(caller, request).map_err(|error| match error.code() {
        Some("key_expired") => refuse("ExpiredTokenException", "this API key has expired"),
        _ if error.kind() == ErrorKind::Unauthenticated => unrecognized(),
        _ => error,
    })
}

/// Checks the signature, which leaves the whole body in the request, and enters the caller.
async fn verify(
    callers: &dyn CallerStore,
    settings: InspectSettings,
    request: &mut Request<Body>,
) -> Result<(), Error> {
    let signature = Signature::read(request.headers(), UnixMicros::now()).map_err(refusal)?;
    let caller = look_up(callers, &signature.key).await?.ok_or_else(unrecognized)?;
    may_call(&caller, request)?;
    let secret = callers
        .signing_secret(&signature.key)
        .ok_or_else(|| unknown().with_context("the store of callers offers no secrets to sign with"))?;
    let body = std::mem::take(request.body_mut());
    let body = match body.as_bytes() {
        Some(bytes) => bytes.clone(),
        None => collect(body, settings, Context::of(request)?).await?,
    };
    if !signature.fits(&secret, request, &body) {
        return Err(mismatch());
    }
    *request.body_mut() = Body::from(body);
    // A key beside the signature is nobody's business either.
    super::take_key(request);
    let headers = request.headers_mut();
    let signed = |name: &HeaderName| name.as_str().starts_with("x-amz-");
    while let Some(name) = headers.keys().find(|name| signed(name)).cloned() {
        headers.remove(name);
    }
    Context::of_mut(request)?.caller = Some(caller);
    Ok(())
}

async fn look_up(callers: &dyn CallerStore, hash: &KeyHash) -> Result<Option<Arc<Caller>>, Error> {
    match callers.peek(hash) {
        Some(known) => Ok(known),
        None => callers.caller(hash).await.map_err(|error| away(&error)),
    }
}

/// The way of a request that is signed.
pub(super) async fn enter<S: Stack>(
    mut auth: Auth<S>,
    mut request: Request<Body>,
) -> Result<Response<Body>, Error> {
    verify(&*auth.door.callers, auth.door.settings, &mut request)
        .await
        .map_err(|error| auth.door.refused(super::origin(&request), error))?;
    auth.inner.call(request).await
}

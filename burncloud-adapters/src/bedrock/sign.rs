//! AWS's signature, version 4.

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use burncloud_core::adapter::Signer;
use burncloud_core::{Error, ErrorKind};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, request};
use std::time::SystemTime;
use tracing::dispatcher::{Dispatch, with_default};

/// What is signed, and with what.
pub(super) struct Signing<'a> {
    pub(super) keys: &'a Credentials,
    pub(super) region: &'a str,
    pub(super) service: &'static str,
}

fn failed(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::BadGateway, "a request to the provider could not be signed")
        .with_context(why.to_string())
}

impl Signing<'_> {
    /// Adds the signature's headers. `host` must be set; the body is signed as it goes out.
    ///
    /// Headers of others on the way are not signed: what they may change would break the signature.
    pub(super) fn apply(&self, head: &mut request::Parts, body: &[u8]) -> Result<(), Error> {
        let identity = self.keys.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(failed)?;
        for name in ["x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "authorization"] {
            head.headers.remove(name);
        }
        let signed =
            |name: &HeaderName| *name == HOST || *name == CONTENT_TYPE || name.as_str().starts_with("x-amz");
        let headers = head.headers.iter().filter(|(name, _)| signed(name));
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = format!("https://{host}{path}");
        let request = SignableRequest::new(head.method.as_str(), &uri, headers, SignableBody::Bytes(body))
            .map_err(failed)?;
        // It would write the request, body and all, to the log of a server whose level is `trace`.
        let signed = with_default(&Dispatch::none(), || sign(request, &params.into()));
        let (instructions, _) = signed.map_err(failed)?.into_parts();
        let (headers, _) = instructions.into_parts();
        for header in headers {
            let mut value = HeaderValue::from_str(header.value()).map_err(failed)?;
            value.set_sensitive(header.sensitive() || header.name() == "authorization");
            head.headers.insert(HeaderName::from_static(header.name()), value);
        }
        Ok(())
    }
}

/// Signs with a key that stays as it is.
pub(super) struct KeySigner {
    pub(super) keys: Credentials,
    pub(super) region: String,
}

#[async_trait]
impl Signer for KeySigner {
    async fn sign(&self, head: &mut request::Parts, body: &Bytes) -> Result<(), Error> {
        Signing { keys: &self.keys, region: &self.region, service: "bedrock" }.apply(head, body)
    }
}

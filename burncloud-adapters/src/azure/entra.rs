//! Microsoft Entra: access tokens for an application, by its client secret.

use crate::oauth;
use crate::token::{Lease, TokenSource};
use async_trait::async_trait;
use burncloud_core::Error;
use burncloud_core::transport::Client;
use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};
use std::time::SystemTime;

/// An application, and where its tokens come from.
#[derive(Clone, Debug)]
pub(super) struct Entra {
    pub(super) client_id: String,
    pub(super) token_url: Uri,
    pub(super) scope: String,
}

/// The client-credentials grant.
pub(super) struct ClientSecret {
    entra: Entra,
    secret: SecretString,
    client: Client,
}

impl ClientSecret {
    pub(super) fn new(entra: Entra, secret: SecretString, client: Client) -> ClientSecret {
        ClientSecret { entra, secret, client }
    }
}

#[async_trait]
impl TokenSource for ClientSecret {
    type Token = HeaderValue;

    async fn fetch(&self, now: SystemTime) -> Result<Lease<HeaderValue>, Error> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.entra.client_id),
            ("client_secret", self.secret.expose_secret().trim()),
            ("scope", &self.entra.scope),
        ];
        oauth::ask(&self.client, &self.entra.token_url, &form, now).await
    }
}

/// A token that somebody else fetches: after `Bearer `, or a JWT.
pub(super) fn fixed_token(credential: &str) -> Option<&str> {
    let text = credential.trim();
    if let Some(token) = text.strip_prefix("Bearer ") {
        return Some(token.trim());
    }
    let part = |part: &str| {
        part.len() >= 8 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // The header of a JWT is an object, whose first two bytes `{"` are `eyJ` in base64.
    (text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(part)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_token_from_a_key() {
        let jwt = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.c2lnbmF0dXJl";
        assert_eq!(fixed_token(&format!(" {jwt}\n")), Some(jwt));
        assert_eq!(fixed_token("Bearer opaque"), Some("opaque"));
        for key in ["0123456789abcdef0123456789abcdef", "a.b.c", "eyJhbGciOiJub25lIn0.x.y", "bearer"] {
            assert_eq!(fixed_token(key), None, "{key}");
        }
    }
}

//! Service accounts: a signed statement of who one is, for which Google gives an access token (RFC 7523; "Using OAuth
//! 2.0 for Server to Server Applications" in Google's documentation).

use crate::oauth;
use crate::token::{Lease, TokenSource};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use burncloud_core::adapter::ConfigureError;
use burncloud_core::transport::Client;
use burncloud_core::{Error, ErrorKind};
use http::{HeaderValue, Uri};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::fmt;
use std::time::{Duration, SystemTime};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that Google allows.
const LIFE: Duration = Duration::from_secs(3600);

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    ServiceAccount,
    AccessToken,
    ApiKey,
}

impl Credential {
    pub(super) fn of(text: &str) -> Credential {
        let text = text.trim_start();
        if text.starts_with('{') {
            Credential::ServiceAccount
        } else if text.starts_with("ya29.") {
            Credential::AccessToken
        } else {
            Credential::ApiKey
        }
    }
}

/// A service account's key file.
pub(super) struct ServiceAccount {
    pub(super) project_id: Option<String>,
    email: String,
    key_id: Option<String>,
    key: RsaKeyPair,
    token_uri: String,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

fn fault(message: impl Into<String>) -> ConfigureError {
    ConfigureError { field: "credential".to_owned(), message: message.into() }
}

/// Says nothing of the text it could not read: that is the secret.
fn private_key(pem: &str) -> Result<RsaKeyPair, ConfigureError> {
    let bad = || fault("`private_key` is no RSA key in PEM; import the file as Google made it");
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| bad())? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| bad()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

impl ServiceAccount {
    /// Reads a key file.
    pub(super) fn parse(credential: &SecretString) -> Result<ServiceAccount, ConfigureError> {
        let text = credential.expose_secret().trim();
        let json: Value = serde_json::from_str(text)
            .map_err(|_| fault("it begins like a service account's key file, but is no JSON"))?;
        let field = |name: &str| json[name].as_str().filter(|text| !text.is_empty());
        let required = |name: &str| field(name).ok_or_else(|| fault(format!("the key file has no `{name}`")));
        if required("type")? != "service_account" {
            return Err(fault("`type` is not `service_account`; other kinds of key files are not supported"));
        }
        let token_uri = required("token_uri")?;
        let uri = oauth::address("credential", token_uri)
            .map_err(|e| fault(format!("`token_uri`: {}", e.message)))?;
        let here = |host: &str| host == "localhost" || host.starts_with("127.") || host == "[::1]";
        if uri.scheme_str() != Some("https") && !uri.host().is_some_and(here) {
            return Err(fault("`token_uri` is not https"));
        }
        Ok(ServiceAccount {
            project_id: field("project_id").map(str::to_owned),
            email: required("client_email")?.to_owned(),
            key_id: field("private_key_id").map(str::to_owned),
            key: private_key(required("private_key")?)?,
            token_uri: token_uri.to_owned(),
        })
    }

    /// The statement that is given for a token.
    fn assertion(&self, now: SystemTime) -> Result<String, Error> {
        let seconds =
            |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut head = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = &self.key_id {
            head["kid"] = json!(id);
        }
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": seconds(now),
            "exp": seconds(now + LIFE),
        });
        let encode = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let text = format!("{}.{}", encode(head), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| Error::new(ErrorKind::BadGateway, "the provider's credential cannot sign"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The JWT-bearer grant.
pub(super) struct JwtGrant {
    account: ServiceAccount,
    token_url: Option<Uri>,
    client: Client,
}

impl JwtGrant {
    pub(super) fn new(account: ServiceAccount, token_url: Option<Uri>, client: Client) -> JwtGrant {
        JwtGrant { account, token_url, client }
    }
}

#[async_trait]
impl TokenSource for JwtGrant {
    type Token = HeaderValue;

    async fn fetch(&self, now: SystemTime) -> Result<Lease<HeaderValue>, Error> {
        let assertion = self.account.assertion(now)?;
        let own = || self.account.token_uri.parse();
        let url: Uri =
            self.token_url.clone().map_or_else(own, Ok).map_err(|_| {
                Error::new(ErrorKind::BadGateway, "the provider's token service has no address")
            })?;
        oauth::ask(&self.client, &url, &[("grant_type", GRANT), ("assertion", &assertion)], now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_named_and_no_secret_shown() {
        let base = json!({"type": "service_account", "client_email": "a@b", "private_key": "hush",
            "token_uri": "https://oauth2.googleapis.com/token"});
        let without = |name: &str| {
            let mut file = base.clone();
            file.as_object_mut().unwrap().remove(name);
            file
        };
        let with = |name: &str, value: &str| {
            let mut file = base.clone();
            file[name] = json!(value);
            file
        };
        for (file, word) in [
            (without("type"), "`type`"),
            (with("type", "authorized_user"), "`type`"),
            (without("client_email"), "`client_email`"),
            (without("private_key"), "`private_key`"),
            (without("token_uri"), "`token_uri`"),
            (with("token_uri", "http://example.com/token"), "`token_uri`"),
            (with("token_uri", "nowhere"), "`token_uri`"),
            (base.clone(), "`private_key`"),
        ] {
            let error = ServiceAccount::parse(&file.to_string().into()).unwrap_err();
            assert_eq!(error.field, "credential");
            assert!(error.message.contains(word) && !error.message.contains("hush"), "{}", error.message);
        }
        assert!(ServiceAccount::parse(&"{hush".into()).is_err_and(|e| !e.message.contains("hush")));
    }
}

//! Credentials become headers, marked so that they are never shown.

use burncloud_core::{Error, ErrorKind};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// Headers that authorise.
pub(crate) type Headers = Vec<(HeaderName, HeaderValue)>;

/// `authorization: Bearer …`; nothing for an empty credential, where that is allowed.
pub(crate) fn bearer(credential: &SecretString, optional: bool) -> Result<Headers, Error> {
    let key = credential.expose_secret().trim();
    if key.is_empty() && optional {
        return Ok(Vec::new());
    }
    header(AUTHORIZATION, "Bearer ", key)
}

/// The key alone under a name of its own.
pub(crate) fn plain(name: HeaderName, credential: &SecretString) -> Result<Headers, Error> {
    header(name, "", credential.expose_secret().trim())
}

fn header(name: HeaderName, scheme: &str, key: &str) -> Result<Headers, Error> {
    let refuse = |why| Err(Error::new(ErrorKind::Internal, why));
    if key.is_empty() {
        return refuse("the credential is empty: set the provider's key");
    }
    let Ok(mut value) = HeaderValue::from_str(&format!("{scheme}{key}")) else {
        return refuse("the credential holds characters that cannot stand in a header");
    };
    value.set_sensitive(true);
    Ok(vec![(name, value)])
}

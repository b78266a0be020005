//! OAuth 2 token services: one form is sent, an access token comes back (RFC 6749, 4.4 and 5.1; RFC 7523, 2.1).

use crate::path::encoded;
use crate::token::{Lease, TokenCache, TokenSource};
use async_trait::async_trait;
use burncloud_core::adapter::{ConfigureError, Signer};
use burncloud_core::transport::Client;
use burncloud_core::{Error, ErrorKind};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// A token service that takes longer is taken for dead.
const WITHIN: Duration = Duration::from_secs(10);
/// How long a token is used whose answer does not say.
const UNSAID: Duration = Duration::from_secs(300);

/// Signs with the cache's token as a bearer.
pub(crate) struct Bearer<S: TokenSource>(pub(crate) TokenCache<S>);

#[async_trait]
impl<S: TokenSource<Token = HeaderValue>> Signer for Bearer<S> {
    async fn sign(&self, head: &mut http::request::Parts, _body: &Bytes) -> Result<(), Error> {
        head.headers.insert(AUTHORIZATION, self.0.get().await?);
        Ok(())
    }
}

/// The address of a token service.
pub(crate) fn address(field: &str, text: &str) -> Result<Uri, ConfigureError> {
    let uri =
        text.parse::<Uri>().ok().filter(|uri| uri.authority().is_some_and(|a| !a.as_str().contains('@')));
    uri.filter(|uri| matches!(uri.scheme_str(), Some("https" | "http"))).ok_or_else(|| ConfigureError {
        field: field.to_owned(),
        message: "not the address of a token service; write one such as https://host/path".to_owned(),
    })
}

/// Sends `form` to `service` and reads the access token out of its answer.
pub(crate) async fn ask(
    client: &Client,
    service: &Uri,
    form: &[(&str, &str)],
    now: SystemTime,
) -> Result<Lease<HeaderValue>, Error> {
    let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let request = Request::post(service)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(Bytes::from(pairs.join("&")));
    let request = request.map_err(|_| failed("no request could be made of its address"))?;
    read(&client.send(request, WITHIN).await?, now)
}

fn failed(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's token service gave no token").with_context(why.into())
}

fn read(answer: &Response<Bytes>, now: SystemTime) -> Result<Lease<HeaderValue>, Error> {
    let json: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if answer.status() != StatusCode::OK {
        return Err(failed(refusal(answer.status(), &json)));
    }
    let token = json["access_token"].as_str().filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| failed("its answer holds no access_token"))?;
    let mut token = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| failed("its access_token cannot stand in a header"))?;
    token.set_sensitive(true);
    let life = json["expires_in"].as_u64().or_else(|| json["expires_in"].as_str()?.parse().ok());
    let life = life.map_or(UNSAID, |seconds| Duration::from_secs(seconds.min(24 * 3600)));
    Ok(Lease { token, expires_at: now + life })
}

/// The code of an error, and Microsoft's numbers; descriptions may repeat what was sent.
fn refusal(status: StatusCode, json: &Value) -> String {
    let word = |text: &&str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let code = json["error"].as_str().filter(word).unwrap_or("no code");
    let numbers = json["error_codes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let numbers: String = numbers.iter().filter_map(Value::as_u64).map(|n| format!(", AADSTS{n}")).collect();
    format!("it answered {} ({code}{numbers})", status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Result<(HeaderValue, u64), String> {
        let answer = Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap();
        let lease = read(&answer, SystemTime::UNIX_EPOCH).map_err(|e| e.context().unwrap().to_owned())?;
        let life = lease.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Ok((lease.token, life.as_secs()))
    }

    #[test]
    fn reads_tokens_and_says_why_there_is_none() {
        let (token, life) = answer(200, r#"{"access_token":"ya29.x","expires_in":3599}"#).unwrap();
        assert_eq!((token.to_str().unwrap(), token.is_sensitive(), life), ("Bearer ya29.x", true, 3599));
        assert_eq!(answer(200, r#"{"access_token":"t","expires_in":"60"}"#).unwrap().1, 60);
        assert_eq!(answer(200, r#"{"access_token":"t"}"#).unwrap().1, 300);
        for (status, body, why) in [
            (200, "{}", "its answer holds no access_token"),
            (200, r#"{"access_token":"a\nb"}"#, "its access_token cannot stand in a header"),
            (503, "<html>", "it answered 503 (no code)"),
            (
                401,
                r#"{"error":"invalid_client","error_codes":[7000215],"error_description":"hush"}"#,
                "it answered 401 (invalid_client, AADSTS7000215)",
            ),
            (400, r#"{"error":"the secret was: hush"}"#, "it answered 400 (no code)"),
        ] {
            assert_eq!(answer(status, body).unwrap_err(), why);
        }
    }

    #[test]
    fn an_address_is_one() {
        assert!(address("options.token_url", "https://login.example.com/t").is_ok());
        for text in ["", "token", "ftp://x/y", "https://user:pass@host/"] {
            assert_eq!(address("options.token_url", text).unwrap_err().field, "options.token_url", "{text}");
        }
    }
}

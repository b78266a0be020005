//! A role that is assumed at AWS's token service, and kept fresh.

use super::settings::Role;
use super::sign::Signing;
use crate::path::encoded;
use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use burncloud_core::adapter::Signer;
use burncloud_core::transport::Client;
use burncloud_core::{Error, ErrorKind};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Uri, request};
use serde_json::Value;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Mutex;

/// How long before its end a session is replaced: long enough for many tries.
const EARLY: Duration = Duration::from_secs(300);
/// How long before its end a session is no longer used: a request under way must arrive in time.
const LATE: Duration = Duration::from_secs(10);
/// How soon after a failure the token service is asked again while the old session holds.
const AGAIN: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(10);
/// What roles allow unless told otherwise; chained roles allow no more.
const DURATION_S: u32 = 3600;

/// What a role gives for a while.
struct Session {
    keys: Credentials,
    until: SystemTime,
}

impl Session {
    fn holds_for(&self, time: Duration) -> bool {
        self.until.duration_since(SystemTime::now()).is_ok_and(|left| left > time)
    }
}

/// Signs with a role's session.
pub(super) struct RoleSigner {
    role: Role,
    url: Uri,
    region: String,
    keys: Credentials,
    client: Client,
    session: RwLock<Option<Arc<Session>>>,
    /// Held by the one request that asks the token service; when it was last asked in vain.
    asking: Mutex<Option<Instant>>,
}

fn refused(context: String) -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's token service gave no session").with_context(context)
}

impl RoleSigner {
    pub(super) fn new(
        role: Role,
        url: String,
        region: String,
        keys: Credentials,
        client: Client,
    ) -> Result<RoleSigner, Error> {
        let url = url.parse().map_err(|_| Error::new(ErrorKind::Internal, "`sts_url` is no address"))?;
        let (session, asking) = (RwLock::default(), Mutex::default());
        Ok(RoleSigner { role, url, region, keys, client, session, asking })
    }

    fn current(&self) -> Option<Arc<Session>> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner).clone();
        session.filter(|session| session.holds_for(LATE))
    }

    /// A session that holds. One request asks for the next while the others go on with what there is; where there is
    /// none they wait for its answer, a refusal too.
    async fn session(&self) -> Result<Arc<Session>, Error> {
        let (current, came) = (self.current(), Instant::now());
        let mut failed = match &current {
            Some(session) if session.holds_for(EARLY) => return Ok(session.clone()),
            Some(session) => match self.asking.try_lock() {
                Ok(failed) => failed,
                Err(_) => return Ok(session.clone()),
            },
            None => self.asking.lock().await,
        };
        // Another may have asked while this one waited.
        let current = self.current();
        if let Some(session) = &current
            && (session.holds_for(EARLY) || failed.is_some_and(|at| at.elapsed() < AGAIN))
        {
            return Ok(session.clone());
        }
        if current.is_none() && failed.is_some_and(|at| at > came) {
            return Err(refused("it was asked by another request just now".to_owned()));
        }
        match self.assume().await {
            Ok(session) => {
                let session = Arc::new(session);
                *failed = (!session.holds_for(EARLY)).then(Instant::now);
                *self.session.write().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
                Ok(session)
            }
            Err(error) => {
                *failed = Some(Instant::now());
                current.ok_or(error)
            }
        }
    }

    async fn assume(&self) -> Result<Session, Error> {
        let form = form(&self.role);
        let host = self.url.authority().map_or("", |authority| authority.as_str());
        let mut builder = Request::builder().method(Method::POST).uri(self.url.clone());
        for (name, value) in [
            (HOST, host),
            (CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8"),
            (ACCEPT, "application/json"),
        ] {
            builder = builder.header(name, HeaderValue::from_str(value).map_err(|e| refused(e.to_string()))?);
        }
        let request = builder.body(()).map_err(|e| refused(e.to_string()))?;
        let (mut head, ()) = request.into_parts();
        Signing { keys: &self.keys, region: &self.region, service: "sts" }
            .apply(&mut head, form.as_bytes())?;
        let request = Request::from_parts(head, Bytes::from(form));
        let answer = self.client.send(request, PATIENCE).await?;
        let status = answer.status();
        let text = String::from_utf8_lossy(answer.body());
        if !status.is_success() {
            let code = field(&text, &["Code"]).filter(|code| code.bytes().all(|b| b.is_ascii_alphanumeric()));
            return Err(refused(format!("{status} {}", code.unwrap_or_default())));
        }
        session(&text).ok_or_else(|| refused("its answer holds no credentials".to_owned()))
    }
}

#[async_trait]
impl Signer for RoleSigner {
    async fn sign(&self, head: &mut request::Parts, body: &Bytes) -> Result<(), Error> {
        let session = self.session().await?;
        Signing { keys: &session.keys, region: &self.region, service: "bedrock" }.apply(head, body)
    }
}

fn form(role: &Role) -> String {
    let mut form = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName={}&DurationSeconds={DURATION_S}",
        encoded(&role.arn),
        encoded(&role.session_name)
    );
    if let Some(id) = &role.external_id {
        form.push_str("&ExternalId=");
        form.push_str(&encoded(id));
    }
    form
}

fn session(text: &str) -> Option<Session> {
    const PATH: [&str; 3] = ["AssumeRoleResponse", "AssumeRoleResult", "Credentials"];
    let value = |name: &'static str| field(text, &[PATH.as_slice(), &[name]].concat());
    let token = value("SessionToken").filter(|token| !token.is_empty())?;
    let expiration = value("Expiration")?;
    let until = match expiration.parse::<f64>() {
        Ok(seconds) => DateTime::from_secs_f64(seconds),
        Err(_) => DateTime::from_str(&expiration, Format::DateTime).ok()?,
    };
    let until = SystemTime::try_from(until).ok()?;
    let keys = Credentials::new(value("AccessKeyId")?, value("SecretAccessKey")?, Some(token), None, "role");
    Some(Session { keys, until })
}

/// A value of an answer: at `path` of its JSON, or in the XML element that has the path's last name.
fn field(text: &str, path: &[&str]) -> Option<String> {
    if let Ok(mut json) = serde_json::from_str::<Value>(text) {
        // Errors lie in `Error`, at the top or not.
        let found = match path {
            [name] => {
                json.get("Error").or(json.pointer("/ErrorResponse/Error")).and_then(|e| e.get(name)).cloned()
            }
            _ => path.iter().try_fold(json.take(), |mut at, name| at.get_mut(*name).map(Value::take)),
        }?;
        return Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned));
    }
    let name = path.last()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_in_json_and_in_xml() {
        let json = r#"{"AssumeRoleResponse":{"AssumeRoleResult":{"AssumedRoleUser":{"Arn":"a"},"Credentials":
            {"AccessKeyId":"ASIA1","SecretAccessKey":"s","SessionToken":"t/+=","Expiration":4102444800.0}}}}"#;
        let xml = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>
            <Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
            <SessionToken>t/+=</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>
            </AssumeRoleResult></AssumeRoleResponse>";
        for text in [json, xml] {
            let session = session(text).unwrap();
            assert_eq!(session.keys.access_key_id(), "ASIA1");
            assert_eq!(session.keys.session_token(), Some("t/+="));
            let since = session.until.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(since.as_secs(), 4_102_444_800);
        }
        assert!(session("{}").is_none() && session("<html>").is_none());
        for text in [
            r#"{"Error":{"Code":"AccessDenied","Message":"m"}}"#,
            "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
        ] {
            assert_eq!(field(text, &["Code"]).as_deref(), Some("AccessDenied"));
        }
    }

    #[test]
    fn the_form_is_encoded() {
        let role = Role {
            arn: "arn:aws:iam::1:role/a+b".into(),
            session_name: "s@x".into(),
            external_id: Some("e/1".into()),
        };
        let form = form(&role);
        assert!(
            form.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%2Bb&RoleSessionName=s%40x"),
            "{form}"
        );
        assert!(form.ends_with("ExternalId=e%2F1"), "{form}");
    }
}

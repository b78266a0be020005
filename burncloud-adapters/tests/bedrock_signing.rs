//! What AWS checks of a request, checked by a Bedrock and a token service made for it: the signature is computed anew
//! from the public description of version 4, by no code that the adapter uses.

#![cfg(feature = "bedrock")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use burncloud_core::adapter::{Adapter, Signer};
use burncloud_core::transport::Client;
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, Error, ErrorKind, Status};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request, request};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const MODEL: &str = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse";

/// An account at AWS.
#[derive(Clone)]
struct Account {
    id: String,
    secret: String,
    token: Option<String>,
    region: &'static str,
    service: &'static str,
}

impl Account {
    fn new(region: &'static str) -> Account {
        Account { id: ID.into(), secret: SECRET.into(), token: None, region, service: "bedrock" }
    }

    fn of_role(&self, number: usize) -> Account {
        Account {
            id: format!("ASIAROLE{number:012}"),
            secret: format!("role-secret-{number}"),
            token: Some(format!("role/token+{number}==")),
            service: "bedrock",
            ..self.clone()
        }
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20260131T235959Z`, `n` seconds from now.
fn amz_date(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 + seconds;
    let (mut days, rest) = (now / 86_400, now % 86_400);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute) = (rest / 3600, rest / 60 % 60);
    format!("{year:04}{:02}{:02}T{hour:02}{minute:02}{:02}Z", month + 1, days + 1, rest % 60)
}

/// What AWS says to a request: 200, or 403 and why.
fn judge(
    account: &Account,
    method: &str,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), &'static str> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let fields =
        text("authorization").strip_prefix("AWS4-HMAC-SHA256 ").ok_or("MissingAuthenticationToken")?;
    let field = |name: &str| fields.split(", ").find_map(|f| f.strip_prefix(name)).unwrap_or_default();
    let scope = field("Credential=").strip_prefix(&format!("{}/", account.id)).ok_or("UnrecognizedClient")?;
    let date = text("x-amz-date");
    if !(amz_date(-300)..=amz_date(300)).contains(&date.to_owned()) {
        return Err("RequestExpired");
    }
    let expected = format!("{}/{}/{}/aws4_request", &date[..8], account.region, account.service);
    if scope != expected {
        return Err("credential should be scoped to another region or service");
    }
    if text("x-amz-security-token") != account.token.as_deref().unwrap_or_default() {
        return Err("InvalidClientTokenId");
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path: String = path
        .bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(b).to_string()
            }
            _ => format!("%{b:02X}"),
        })
        .collect();
    let signed = field("SignedHeaders=");
    assert!(signed.split(';').any(|name| name == "host"), "{signed}");
    let lines: String = signed.split(';').map(|name| format!("{name}:{}\n", text(name).trim())).collect();
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{}", hex(&Sha256::digest(body)));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{expected}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{}", account.secret).into_bytes();
    for part in [&date[..8], account.region, account.service, "aws4_request"] {
        key = hmac(&key, part);
    }
    if field("Signature=") == hex(&hmac(&key, &to_sign)) { Ok(()) } else { Err("SignatureDoesNotMatch") }
}

fn config(credential: &str, options: &[(&str, &str)]) -> ChannelConfig {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ChannelConfig {
        id: ChannelId(1),
        name: "aws".into(),
        provider: "bedrock".into(),
        base_url: None,
        credential: credential.into(),
        models: Vec::new(),
        model_mapping: Default::default(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings { options, ..ChannelSettings::default() },
    }
}

fn adapter(credential: &str, options: &[(&str, &str)]) -> Arc<dyn Adapter> {
    let registry = burncloud_adapters::registry();
    registry.get("bedrock").unwrap().configure(&config(credential, options)).unwrap().unwrap()
}

fn signer(credential: &str, options: &[(&str, &str)]) -> Arc<dyn Signer> {
    let adapter = adapter(credential, options);
    assert_eq!(adapter.authorize(&credential.into()).unwrap(), []);
    adapter.signer(&credential.into(), &Client::new(None)).unwrap().unwrap()
}

fn head(target: &str) -> request::Parts {
    let request = Request::post(target)
        .header("host", "bedrock-runtime.eu-west-1.amazonaws.com")
        .header("content-type", "application/json")
        .header("x-amzn-bedrock-trace", "ENABLED")
        // What a caller signed with means nothing here.
        .header("x-amz-date", "20200101T000000Z")
        .header("x-amz-security-token", "the callers")
        .header("user-agent", "boto3  with   spaces");
    request.body(()).unwrap().into_parts().0
}

async fn judged(signer: &dyn Signer, account: &Account, target: &str) -> Result<(), &'static str> {
    let (mut head, body) = (head(target), Bytes::from_static(br#"{"messages":[]}"#));
    signer.sign(&mut head, &body).await.unwrap();
    for name in ["authorization", "x-amz-security-token"] {
        assert!(head.headers.get(name).is_none_or(|value| value.is_sensitive()), "{name} may be shown");
    }
    let target = head.uri.path_and_query().unwrap().as_str();
    judge(account, "POST", target, &head.headers, &body)
}

#[tokio::test]
async fn aws_takes_the_signature() {
    let account = Account::new("eu-west-1");
    let signer = signer(&format!("{ID}:{SECRET}"), &[("region", "eu-west-1")]);
    for target in [
        MODEL,
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx/invoke",
        "/model/m:0/converse",
    ] {
        assert_eq!(judged(&*signer, &account, target).await, Ok(()), "{target}");
    }
}

#[tokio::test]
async fn aws_refuses_what_is_not_its_own() {
    let account = Account::new("eu-west-1");
    let key = format!("{ID}:{SECRET}");
    let judged_by = |account: Account, key: String, region: &'static str| async move {
        judged(&*signer(&key, &[("region", region)]), &account, MODEL).await
    };
    let other_region = judged_by(account.clone(), key.clone(), "us-east-1").await;
    assert_eq!(other_region, Err("credential should be scoped to another region or service"));
    let other_service =
        judged_by(Account { service: "s3", ..account.clone() }, key.clone(), "eu-west-1").await;
    assert_eq!(other_service, Err("credential should be scoped to another region or service"));
    let other_secret = judged_by(account.clone(), format!("{ID}:other"), "eu-west-1").await;
    assert_eq!(other_secret, Err("SignatureDoesNotMatch"));
    let token = judged_by(account.clone(), format!("{key}:made-up"), "eu-west-1").await;
    assert_eq!(token, Err("InvalidClientTokenId"));
    let other_body = {
        let mut head = head(MODEL);
        signer(&key, &[("region", "eu-west-1")]).sign(&mut head, &Bytes::from_static(b"{}")).await.unwrap();
        judge(&account, "POST", MODEL, &head.headers, b"{ }")
    };
    assert_eq!(other_body, Err("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn a_sessions_token_goes_with_it() {
    let account = Account { token: Some("session/token".into()), ..Account::new("us-east-1") };
    let json =
        format!(r#"{{"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}","SessionToken":"session/token"}}"#);
    for credential in [format!("{ID}:{SECRET}:session/token"), json] {
        assert_eq!(judged(&*signer(&credential, &[]), &account, MODEL).await, Ok(()));
    }
}

#[test]
fn an_api_key_is_a_bearer_token() {
    let adapter = adapter("ABSKQmVkcm9jaw==", &[]);
    let headers = adapter.authorize(&"ABSKQmVkcm9jaw==".into()).unwrap();
    assert_eq!(headers, [("authorization".parse().unwrap(), "Bearer ABSKQmVkcm9jaw==".parse().unwrap())]);
    assert!(adapter.signer(&"ABSKQmVkcm9jaw==".into(), &Client::new(None)).unwrap().is_none());
}

// === The token service ===

/// A token service that checks its caller and gives sessions, each for so many seconds.
struct Sts {
    url: String,
    calls: Arc<AtomicUsize>,
    /// What the next calls get: seconds that a session lasts, or `None` for a refusal. Empty: an hour.
    plan: Arc<Mutex<Vec<Option<u64>>>>,
}

async fn read_request(stream: &mut TcpStream) -> Option<(HeaderMap, String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
    };
    let text = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = text.lines();
    let start = lines.next().unwrap().to_owned();
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.trim().parse().unwrap()))
        .collect();
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut body = bytes.split_off(end);
    while body.len() < length {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&chunk[..n]);
    }
    Some((headers, start, body))
}

impl Sts {
    async fn start(account: Account) -> Sts {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (calls, plan) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let sts = Sts { url, calls: calls.clone(), plan: plan.clone() };
        let account = Account { service: "sts", ..account };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (account, calls, plan) = (account.clone(), calls.clone(), plan.clone());
                tokio::spawn(async move {
                    let Some((headers, start, body)) = read_request(&mut stream).await else { return };
                    assert_eq!(start, "POST / HTTP/1.1");
                    let number = calls.fetch_add(1, SeqCst) + 1;
                    let text = String::from_utf8(body.clone()).unwrap();
                    let right = judge(&account, "POST", "/", &headers, &body).is_ok()
                        && text.starts_with(
                            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&",
                        )
                        && text.contains("&ExternalId=e-1");
                    let planned = plan.lock().unwrap().pop().unwrap_or(Some(3600));
                    // Whoever comes meanwhile must wait for this answer, not ask again.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let (status, answer) = match planned.filter(|_| right) {
                        Some(seconds) => ("200 OK", session(&account.of_role(number), seconds)),
                        None => (
                            "403 Forbidden",
                            format!(
                                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{SECRET}</Message></Error></ErrorResponse>"
                            ),
                        ),
                    };
                    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", answer.len());
                    let _ = stream.write_all(format!("{head}{answer}").as_bytes()).await;
                });
            }
        });
        sts
    }

    fn plan(&self, mut answers: Vec<Option<u64>>) {
        answers.reverse();
        *self.plan.lock().unwrap() = answers;
    }

    fn signer(&self) -> Arc<dyn Signer> {
        let options =
            [("role_arn", "arn:aws:iam::1:role/x"), ("external_id", "e-1"), ("sts_url", self.url.as_str())];
        signer(&format!("{ID}:{SECRET}"), &options)
    }
}

fn session(account: &Account, seconds: u64) -> String {
    let until = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds;
    format!(
        r#"{{"AssumeRoleResponse":{{"AssumeRoleResult":{{"Credentials":{{"AccessKeyId":"{}","SecretAccessKey":"{}",
        "SessionToken":"{}","Expiration":{until}.0}}}}}}}}"#,
        account.id,
        account.secret,
        account.token.as_deref().unwrap()
    )
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_who_wait() {
    let account = Account::new("us-east-1");
    let sts = Sts::start(account.clone()).await;
    let signer = sts.signer();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (signer, role) = (signer.clone(), account.of_role(1));
            tokio::spawn(async move { judged(&*signer, &role, MODEL).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    assert_eq!(judged(&*signer, &account.of_role(1), MODEL).await, Ok(()));
    assert_eq!(sts.calls.load(SeqCst), 1);
}

#[tokio::test]
async fn a_session_is_replaced_before_it_ends_and_kept_while_that_fails() {
    let account = Account::new("us-east-1");
    let sts = Sts::start(account.clone()).await;
    let signer = sts.signer();
    // The first ends within the hour but past the margin; the second within the margin.
    sts.plan(vec![Some(301)]);
    assert_eq!(judged(&*signer, &account.of_role(1), MODEL).await, Ok(()));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    sts.plan(vec![None]);
    assert_eq!(judged(&*signer, &account.of_role(1), MODEL).await, Ok(()), "the old one holds still");
    assert_eq!(judged(&*signer, &account.of_role(1), MODEL).await, Ok(()));
    assert_eq!(sts.calls.load(SeqCst), 2, "a service that refuses is not asked by every request");

    let fresh = Sts::start(account.clone()).await;
    let signer = fresh.signer();
    fresh.plan(vec![Some(5)]);
    assert_eq!(judged(&*signer, &account.of_role(1), MODEL).await, Ok(()));
    assert_eq!(
        judged(&*signer, &account.of_role(2), MODEL).await,
        Ok(()),
        "one about to end is not used again"
    );
    assert_eq!(fresh.calls.load(SeqCst), 2);
}

async fn failure(signer: &dyn Signer) -> Error {
    signer.sign(&mut head(MODEL), &Bytes::new()).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_role_says_so_without_a_secret() {
    let sts = Sts::start(Account::new("us-east-1")).await;
    sts.plan(vec![None]);
    let error = failure(&*sts.signer()).await;
    assert_eq!(error.kind(), ErrorKind::BadGateway);
    assert_eq!(error.context(), Some("403 Forbidden AccessDenied"));
    assert!(!format!("{error:?}").contains(SECRET));
    let (held, calls) = (sts.signer(), sts.calls.load(SeqCst));
    sts.plan(vec![None, None, None]);
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let held = held.clone();
            tokio::spawn(async move { failure(&*held).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().kind(), ErrorKind::BadGateway);
    }
    assert_eq!(sts.calls.load(SeqCst), calls + 1, "who waits for a refusal does not ask for another");
    let wrong = Sts::start(Account { secret: "another".into(), ..Account::new("us-east-1") }).await;
    assert_eq!(failure(&*wrong.signer()).await.kind(), ErrorKind::BadGateway);
    let options = [("role_arn", "arn:aws:iam::1:role/x"), ("sts_url", "http://127.0.0.1:9")];
    let away = signer(&format!("{ID}:{SECRET}"), &options);
    assert_eq!(failure(&*away).await.kind(), ErrorKind::BadGateway);
}

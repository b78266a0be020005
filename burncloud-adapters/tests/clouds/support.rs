//! A service made of a function, tokens that run out, and a gateway in front.

use burncloud_core::billing::{Ask, Billing, Hold, Outcome};
use burncloud_core::store::{KeyStore, MemoryStore, NewKey, UserStore};
use burncloud_core::*;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as a service sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A parameter of the query.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        pairs(&self.query).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// A field of a form, its escapes resolved.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let value = pairs(&self.body).find(|(key, _)| *key == name)?.1;
        let mut out = Vec::new();
        let mut bytes = value.bytes();
        while let Some(byte) = bytes.next() {
            let mut digit = || char::from(bytes.next().unwrap()).to_digit(16).unwrap() as u8;
            out.push(if byte == b'%' { digit() * 16 + digit() } else { byte });
        }
        Some(String::from_utf8(out).unwrap())
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// What a service says: a status, a media type, a body.
pub(crate) type Said = (u16, &'static str, String);

pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENTS: &str = "text/event-stream";

/// A running service. Stops when dropped.
pub(crate) struct Service {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer) = (seen.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move {
                    while let Some(request) = read(&mut stream).await {
                        log.lock().unwrap().push(request.clone());
                        let (status, kind, body) = answer(&request);
                        let head = format!(
                            "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\napim-request-id: id-1\r\ncontent-length: {}\r\n\r\n",
                            body.len()
                        );
                        if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Service { url, seen, task }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("the service was asked")
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&chunk[..n]),
            _ => return None,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.append(name.parse::<http::HeaderName>().ok()?, value.trim().parse().ok()?);
    }
    let length = headers.get("content-length").and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(end);
    while body.len() < length {
        let mut chunk = vec![0; 65536];
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&chunk[..n]);
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Seen { path: path.into(), query: query.into(), headers, body: String::from_utf8(body).ok()? })
}

/// Tokens that a service gave out, and when they end.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<HashMap<String, Instant>>>);

impl Tokens {
    /// The answer that hands a new one out.
    pub(crate) fn issue(&self, prefix: &str, life: Duration) -> Said {
        let mut tokens = self.0.lock().unwrap();
        let token = format!("{prefix}{}", tokens.len() + 1);
        tokens.insert(token.clone(), Instant::now() + life);
        let life = life.as_secs();
        let body = format!(r#"{{"token_type":"Bearer","access_token":"{token}","expires_in":{life}}}"#);
        (200, JSON, body)
    }

    pub(crate) fn accepts(&self, authorization: Option<&str>) -> bool {
        let token = authorization.and_then(|text| text.strip_prefix("Bearer "));
        let ends = token.and_then(|token| self.0.lock().unwrap().get(token).copied());
        ends.is_some_and(|ends| Instant::now() < ends)
    }
}

/// What was used, as the receipts will say.
#[derive(Default)]
pub(crate) struct Remembers(Mutex<Vec<(Option<Usage>, Option<String>)>>);

impl Billing for Remembers {
    fn reserve(&self, _: &Ask<'_>) -> Result<Hold, Error> {
        Ok(Hold::default())
    }
    fn settle(&self, _: Option<Hold>, outcome: Outcome) {
        let id = outcome.upstream_request_id.map(|id| id.to_string());
        self.0.lock().unwrap().push((outcome.usage, id));
    }
}

pub(crate) struct World {
    gateway: Gateway,
    billing: Arc<Remembers>,
}

/// A channel; `models` are names or `asked=sent`.
pub(crate) fn channel(
    provider: &str,
    base_url: &str,
    credential: &str,
    models: &[&str],
    options: &[(&str, &str)],
) -> ChannelConfig {
    let (mapped, plain): (Vec<&str>, Vec<&str>) = models.iter().partition(|model| model.contains('='));
    let pair = |model: &str| model.split_once('=').map(|(asked, sent)| (asked.to_owned(), sent.to_owned()));
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ChannelConfig {
        id: ChannelId(0),
        name: String::new(),
        provider: provider.into(),
        base_url: Some(base_url.into()),
        credential: SecretString::from(credential),
        models: plain.into_iter().map(str::to_owned).collect(),
        model_mapping: mapped.into_iter().filter_map(pair).collect(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings { options, ..ChannelSettings::default() },
    }
}

/// A gateway with these channels, the first tried first.
pub(crate) async fn world(mut channels: Vec<ChannelConfig>) -> World {
    for (i, channel) in channels.iter_mut().enumerate() {
        channel.name = format!("channel-{i}");
        channel.priority = -(i as i32);
        channel.id = ChannelId(i as i64 + 1);
    }
    let store = Arc::new(MemoryStore::default());
    let user = store.user_by_name("default").await.unwrap().unwrap().id;
    let key = NewKey {
        name: "k".into(),
        hint: String::new(),
        hash: KeyHash::of(b"sk-caller"),
        user,
        quota: None,
        limits: Limits::default(),
        group: None,
        apps: None,
        models: None,
        ips: None,
        expires_at: None,
    };
    store.create_key(key).await.unwrap();
    let billing = Arc::new(Remembers::default());
    let gateway = Gateway::builder(store, burncloud_adapters::registry())
        .billing(billing.clone())
        .build(&channels)
        .unwrap();
    World { gateway, billing }
}

impl World {
    /// Status and body of the answer to a `POST`.
    pub(crate) async fn post(&self, target: &str, body: &str) -> (u16, String) {
        self.post_with(target, body, &[]).await
    }

    pub(crate) async fn post_with(
        &self,
        target: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut request =
            Request::post(target).header("authorization", "Bearer sk-caller").header("content-type", JSON);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.gateway.answer(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The same request so many times at once: every status.
    pub(crate) async fn crowd(&self, count: usize, target: &str, body: &str) -> Vec<u16> {
        let requests: Vec<_> = (0..count)
            .map(|_| {
                let (gateway, target, body) = (self.gateway.clone(), target.to_owned(), body.to_owned());
                tokio::spawn(async move {
                    let request = Request::post(target)
                        .header("authorization", "Bearer sk-caller")
                        .header("content-type", JSON)
                        .body(Body::from(body));
                    gateway.answer(request.unwrap()).await.unwrap().status().as_u16()
                })
            })
            .collect();
        let mut statuses = Vec::new();
        for request in requests {
            statuses.push(request.await.unwrap());
        }
        statuses
    }

    /// Tokens in and out of the last request, and the provider's id of it.
    pub(crate) async fn last_usage(&self) -> (u64, u64, Option<String>) {
        let stats = self.gateway.handle().stats();
        while stats.drafts.get() > 0 {
            tokio::task::yield_now().await;
        }
        let (usage, id) = self.billing.0.lock().unwrap().last().cloned().unwrap();
        let usage = usage.expect("the provider reported usage");
        (usage.input, usage.output, id)
    }
}

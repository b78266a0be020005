//! A provider made of raw sockets, an adapter for it, and a billing that remembers.

use burncloud_core::adapter::{
    About, AdaptAsk, Adapted, Adapter, AnswerHead, ConfigureError, NoUsage, Registry, Rewrite, TargetAsk,
    Transform, Transforms, UsageReader,
};
use burncloud_core::billing::{Ask, Billing, Hold, Outcome};
use burncloud_core::routing::Candidate;
use burncloud_core::store::{KeyStore, MemoryStore, NewKey};
use burncloud_core::*;
use bytes::{Bytes, BytesMut};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Fake;

impl Adapter for Fake {
    fn name(&self) -> &str {
        "fake"
    }
    fn default_base_url(&self) -> &str {
        "http://127.0.0.1:1"
    }
    fn api_root(&self) -> &str {
        "/v1"
    }
    fn serves(&self, endpoint: &Endpoint) -> bool {
        endpoint.dialect == Dialect::OpenAi
    }
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        PathAndQuery::try_from(ask.path).map_err(|_| Error::new(ErrorKind::Internal, "path"))
    }
    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let value = format!("Bearer {}", credential.expose_secret());
        Ok(vec![(http::header::AUTHORIZATION, value.parse().unwrap())])
    }
    fn takes_include_usage(&self) -> bool {
        true
    }
    fn usage_reader(&self, _: &Endpoint, _: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        Box::new(NoUsage)
    }
}

/// A provider of another dialect: it is asked in capitals, and what it says is put into small letters.
pub(crate) struct Loud;

impl Adapter for Loud {
    fn name(&self) -> &str {
        "loud"
    }
    fn default_base_url(&self) -> &str {
        Fake.default_base_url()
    }
    fn api_root(&self) -> &str {
        ""
    }
    fn serves(&self, _: &Endpoint) -> bool {
        false
    }
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        Fake.target(ask)
    }
    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        Fake.authorize(credential)
    }
    fn translates(&self, endpoint: &Endpoint) -> bool {
        endpoint.dialect == Dialect::OpenAi
    }
    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        let text = String::from_utf8(ask.body.to_vec()).unwrap();
        if text.contains("unspeakable") {
            return Err(Error::new(ErrorKind::BadRequest, "no words for that"));
        }
        let dropped = if text.contains("seed") { vec!["seed".into(), "top_k".into()] } else { Vec::new() };
        Ok(Adapted {
            endpoint: Endpoint {
                dialect: Dialect::Cohere,
                operation: Operation::CohereChat,
                ..Endpoint::default()
            },
            path: "/shout".into(),
            query: None,
            headers: HeaderMap::from_iter([(
                http::header::CONTENT_TYPE,
                HeaderValue::from_static("text/loud"),
            )]),
            body: text.to_uppercase().into(),
            dropped,
            answer: Some(Box::new(Whisper)),
        })
    }
    fn usage_reader(&self, endpoint: &Endpoint, _: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        assert_eq!(endpoint.operation, Operation::CohereChat, "read as what the provider was asked");
        Box::new(NoUsage)
    }
}

struct Whisper;

impl Rewrite for Whisper {
    fn head(&mut self, head: &mut http::response::Parts) {
        head.headers.insert("x-whisper", HeaderValue::from_static("1"));
    }
    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        if chunk.contains(&b'?') {
            return Err(Error::new(ErrorKind::BadGateway, "the provider's answer cannot be read"));
        }
        out.extend_from_slice(&chunk.to_ascii_lowercase());
        Ok(())
    }
    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(b".");
        Ok(())
    }
}

/// Transforms that stamp what passes with a channel's script.
pub(crate) struct Stamps;

impl Transforms for Stamps {
    fn prepare(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Transform>>, ConfigureError> {
        let stamp = config.settings.transforms.clone();
        Ok(stamp.map(|text| Arc::new(Stamp(text)) as Arc<dyn Transform>))
    }
}

struct Stamp(String);

impl Transform for Stamp {
    fn request(&self, about: &About<'_>, headers: &mut HeaderMap, body: &mut Bytes) -> Result<(), Error> {
        headers.insert("x-stamp", about.upstream_model.parse().unwrap());
        *body = [&body[..], self.0.as_bytes()].concat().into();
        Ok(())
    }
    fn answer(&self, _: &About<'_>) -> Option<Box<dyn Rewrite>> {
        Some(Box::new(Stamping(self.0.clone())))
    }
}

struct Stamping(String);

impl Rewrite for Stamping {
    fn head(&mut self, _: &mut http::response::Parts) {}
    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(chunk);
        Ok(())
    }
    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(())
    }
}

/// What was settled: the end, the status, the attempts, and whether there was a hold.
pub(crate) type Settled = (End, u16, usize, bool);

#[derive(Default)]
pub(crate) struct Remembers(
    pub Mutex<Vec<Settled>>,
    pub(crate) AtomicUsize,
    pub(crate) Mutex<Vec<ChannelId>>,
);

impl Billing for Remembers {
    fn reserve(&self, _: &Ask<'_>) -> Result<Hold, Error> {
        self.1.fetch_add(1, SeqCst);
        Ok(Hold::default())
    }
    fn attempt(&self, _: &mut Hold, lane: &Candidate, _: UnixMicros) -> Result<(), Error> {
        match self.2.lock().unwrap().contains(&lane.channel.id) {
            true => Err(Error::new(ErrorKind::Unavailable, "too dear").with_code("channel_budget")),
            false => Ok(()),
        }
    }
    fn settle(&self, hold: Option<Hold>, outcome: Outcome) {
        if hold.is_some() {
            self.1.fetch_sub(1, SeqCst);
        }
        let settled = (outcome.end, outcome.status, outcome.attempts.len(), hold.is_some());
        self.0.lock().unwrap().push(settled);
    }
}

impl Remembers {
    pub(crate) fn settled(&self) -> Vec<Settled> {
        assert_eq!(self.1.load(SeqCst), 0, "every hold is settled");
        self.0.lock().unwrap().clone()
    }
}

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) billing: Arc<Remembers>,
}

pub(crate) fn channel(name: &str, base: &str) -> ChannelConfig {
    ChannelConfig {
        id: ChannelId(name.bytes().map(i64::from).sum()),
        name: name.into(),
        provider: "fake".into(),
        base_url: Some(base.into()),
        credential: SecretString::from("up-secret"),
        models: vec!["m".into()],
        model_mapping: [("fast".to_owned(), "m".to_owned())].into(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    }
}

/// A store with the key `sk-1`.
pub(crate) async fn store_with_key() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    let user = store.user_by_name("default").await.unwrap().unwrap().id;
    let key = NewKey {
        name: "k".into(),
        hint: String::new(),
        hash: KeyHash::of(b"sk-1"),
        user,
        quota: None,
        limits: Limits { concurrency: Some(100), requests_per_minute: Some(10_000), ..Limits::default() },
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    };
    store.create_key(key).await.unwrap();
    store
}

/// Channels in the order of their priority.
pub(crate) async fn world(mut channels: Vec<ChannelConfig>) -> World {
    let count = channels.len() as i32;
    for (i, channel) in channels.iter_mut().enumerate() {
        channel.priority = count - i as i32;
        channel.id = ChannelId(i as i64 + 1);
    }
    let store = store_with_key().await;
    let billing = Arc::new(Remembers::default());
    let gateway = Gateway::builder(store, Registry::new().with(Fake).with(Loud).with_transforms(Stamps))
        .billing(billing.clone())
        .build(&channels)
        .unwrap();
    World { gateway, billing }
}

use burncloud_core::store::UserStore;

pub(crate) fn chat(body: &str) -> Request<Body> {
    Request::post("/v1/chat/completions")
        .header("authorization", "Bearer sk-1")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

impl World {
    /// Nothing is left of any request.
    pub(crate) async fn at_rest(&self) {
        for _ in 0..200 {
            let stats = self.gateway.handle().stats();
            let gauges = [
                stats.requests_in_flight.get(),
                stats.body_bytes_in_flight.get(),
                stats.concurrency_permits.get(),
                stats.drafts.get(),
            ];
            if gauges == [0; 4] {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("something is still held: {:?}", self.gateway.handle().stats());
    }
}

/// A provider whose every connection is played by `script`. Returns its address and a count of connections.
pub(crate) async fn provider<F, Fut>(script: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(TcpStream, usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, script) = (count.clone(), Arc::new(script));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let number = counted.fetch_add(1, SeqCst);
            let script = script.clone();
            tokio::spawn(async move { script(stream, number).await });
        }
    });
    (address, count)
}

/// Reads one request: its head and its body. `None` at the end of the connection.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
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
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.unwrap_or(0);
    let mut body = bytes.split_off(end);
    while body.len() < length {
        let mut chunk = vec![0; 65536];
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&chunk[..n]);
    }
    Some((head, body))
}

pub(crate) async fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes()).await;
}

/// A provider that answers every request so, on connections that stay open.
pub(crate) async fn always(
    status: &'static str,
    headers: &'static str,
    body: &'static str,
) -> (String, Arc<AtomicUsize>) {
    provider(move |mut stream, _| async move {
        while read_request(&mut stream).await.is_some() {
            answer(&mut stream, status, headers, body).await;
        }
    })
    .await
}

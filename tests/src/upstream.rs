//! A programmable provider on a real loopback socket.
//!
//! Speaks the providers' own protocols (see [`crate::speak`]) until told to misbehave: per model name, or for the
//! next requests in turn. Keeps every request as it arrived and counts what it served.

use crate::http1::{Headers, Reader, encode_chunk};
use crate::raw;
use crate::speak::{self, Spoken};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in order and case.
    pub headers: Headers,
    /// The body, its transfer coding undone.
    pub body: Vec<u8>,
    /// When it had arrived whole.
    pub at: Instant,
}

impl Recorded {
    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body as JSON, `null` when it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The model asked for, in the body or in the path.
    #[must_use]
    pub fn model(&self) -> String {
        if let Some(model) = self.json()["model"].as_str() {
            return model.to_owned();
        }
        let tail = self.path().rsplit("/models/").next().unwrap_or_default();
        tail.split(':').next().unwrap_or_default().to_owned()
    }
}

/// What the provider does with one request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers as a provider does.
    Speak,
    /// Answers, but says nothing about usage.
    NoUsage,
    /// Answers in pieces of so many bytes, each a chunk of its own.
    Shredded(usize),
    /// Answers; a stream waits for [`Upstream::open_gate`] before each frame after the first, a whole answer before
    /// its head.
    Gated,
    /// Resets the connection before any byte.
    ResetBeforeHeaders,
    /// Sends the head, then resets.
    ResetAfterHeaders,
    /// Never sends a byte.
    Hang,
    /// Sends so many frames of a stream (or half of a whole body), then nothing more.
    Stall(usize),
    /// Sends so many frames of a stream (or half of a whole body), then closes without the last chunk.
    Cut(usize),
    /// Sends so many frames of a stream and then the last chunk: well framed, but without the dialect's own end.
    EndEarly(usize),
    /// Answers with this status, these headers, and the body that a provider of the dialect gives with it.
    Status(u16, Vec<(String, String)>),
    /// An HTML error page with this status.
    Html(u16),
    /// 200, and a JSON content type over bytes that are not JSON.
    Garbage,
    /// 200, and one chunk of so many bytes without a line end, then the end.
    BigChunk(usize),
    /// Exactly these headers and frames.
    Canned(Box<Canned>),
}

/// An answer given byte for byte.
#[derive(Clone, Debug)]
pub struct Canned {
    /// The status.
    pub status: u16,
    /// Headers; framing is added.
    pub headers: Vec<(String, String)>,
    /// The body, one chunk for each frame when `chunked`, else joined under a length.
    pub frames: Vec<Vec<u8>>,
    /// Whether to send chunk by chunk.
    pub chunked: bool,
}

#[derive(Debug)]
enum Step {
    Send(Vec<u8>),
    Gate,
    Hang,
    Reset,
    Close,
}

#[derive(Debug)]
struct State {
    always: Mutex<Option<Behaviour>>,
    by_model: Mutex<HashMap<String, Behaviour>>,
    queue: Mutex<VecDeque<Behaviour>>,
    requests: Mutex<Vec<Recorded>>,
    gate: Semaphore,
    answered: AtomicUsize,
    abandoned: AtomicUsize,
    open: AtomicUsize,
}

/// A running provider. Stops when dropped.
#[derive(Debug)]
pub struct Upstream {
    addr: SocketAddr,
    state: Arc<State>,
    accept: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

impl Upstream {
    /// Listens on a free loopback port.
    ///
    /// # Panics
    ///
    /// When loopback cannot be bound.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State {
            always: Mutex::default(),
            by_model: Mutex::default(),
            queue: Mutex::default(),
            requests: Mutex::default(),
            gate: Semaphore::new(0),
            answered: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        let accept = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, Arc::clone(&shared)));
            }
        });
        Self { addr, state, accept }
    }

    /// `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Behaves so for every request that neither the queue nor its model claims.
    pub fn always(&self, behaviour: Behaviour) {
        *self.state.always.lock().unwrap() = Some(behaviour);
    }

    /// Behaves so for every request of `model` that the queue does not claim.
    pub fn on_model(&self, model: &str, behaviour: Behaviour) {
        self.state.by_model.lock().unwrap().insert(model.to_owned(), behaviour);
    }

    /// Behaves so for the next request not yet claimed by an earlier call.
    pub fn next(&self, behaviour: Behaviour) {
        self.state.queue.lock().unwrap().push_back(behaviour);
    }

    /// Lets so many gated frames pass.
    pub fn open_gate(&self, frames: usize) {
        self.state.gate.add_permits(frames);
    }

    /// Every request so far, in the order in which they were read to their end.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The latest request.
    ///
    /// # Panics
    ///
    /// When there was none.
    #[must_use]
    pub fn last(&self) -> Recorded {
        self.state.requests.lock().unwrap().last().expect("the provider was asked").clone()
    }

    /// How many requests arrived whole.
    #[must_use]
    pub fn served(&self) -> usize {
        self.state.requests.lock().unwrap().len()
    }

    /// How many answers were written to their end.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.state.answered.load(SeqCst)
    }

    /// How many requests the gateway gave up before their answer's end.
    #[must_use]
    pub fn abandoned(&self) -> usize {
        self.state.abandoned.load(SeqCst)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.state.open.load(SeqCst)
    }
}

/// An address at which nobody listens.
///
/// # Panics
///
/// When loopback cannot be bound.
#[must_use]
pub fn closed_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address")
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    state.open.fetch_add(1, SeqCst);
    let (reader, mut writer) = stream.into_split();
    let mut reader = Reader::new(reader);
    while let Ok(Some(head)) = reader.head().await {
        let mut words = head.start.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if head.headers.get("expect").is_some()
            && writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err()
        {
            break;
        }
        let body = reader.body(&head.headers, false).await;
        if body.ended != crate::http1::Ended::Complete {
            break;
        }
        let request =
            Recorded { method, target, headers: head.headers, body: body.bytes(), at: Instant::now() };
        let steps = plan(&behaviour(&state, &request), &request);
        state.requests.lock().unwrap().push(request);
        match play(steps, &mut reader, &mut writer, &state).await {
            Played::Next => {}
            Played::Close => break,
            Played::Reset => {
                state.open.fetch_sub(1, SeqCst);
                raw::reset(reader.into_inner().reunite(writer).expect("two halves of one socket"));
                return;
            }
        }
    }
    state.open.fetch_sub(1, SeqCst);
}

fn behaviour(state: &State, request: &Recorded) -> Behaviour {
    if let Some(next) = state.queue.lock().unwrap().pop_front() {
        return next;
    }
    let of_model = state.by_model.lock().unwrap().get(&request.model()).cloned();
    of_model.or_else(|| state.always.lock().unwrap().clone()).unwrap_or(Behaviour::Speak)
}

enum Played {
    Next,
    Close,
    Reset,
}

async fn play(
    steps: Vec<Step>,
    reader: &mut Reader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    state: &State,
) -> Played {
    for step in steps {
        let gone = match step {
            Step::Send(bytes) => writer.write_all(&bytes).await.is_err(),
            Step::Gate => tokio::select! {
                permit = state.gate.acquire() => { permit.expect("the gate is never closed").forget(); false }
                () = reader.closed() => true,
            },
            Step::Hang => {
                reader.closed().await;
                true
            }
            Step::Reset => return Played::Reset,
            Step::Close => return Played::Close,
        };
        if gone {
            state.abandoned.fetch_add(1, SeqCst);
            return Played::Close;
        }
    }
    state.answered.fetch_add(1, SeqCst);
    Played::Next
}

/// What goes on the wire for `behaviour`.
fn plan(behaviour: &Behaviour, request: &Recorded) -> Vec<Step> {
    match behaviour {
        Behaviour::Speak => whole(&speak::answer(request, true)),
        Behaviour::NoUsage => whole(&speak::answer(request, false)),
        Behaviour::Shredded(size) => {
            let mut spoken = speak::answer(request, true);
            spoken.frames = spoken.frames.concat().chunks(*size).map(<[u8]>::to_vec).collect();
            spoken.streamed = true;
            whole(&spoken)
        }
        Behaviour::Gated => gated(&speak::answer(request, true)),
        Behaviour::ResetBeforeHeaders => vec![Step::Reset],
        Behaviour::ResetAfterHeaders => vec![Step::Send(head(&speak::answer(request, true))), Step::Reset],
        Behaviour::Hang => vec![Step::Hang],
        Behaviour::Stall(frames) => part(&speak::answer(request, true), *frames, Step::Hang),
        Behaviour::Cut(frames) => part(&speak::answer(request, true), *frames, Step::Close),
        Behaviour::EndEarly(frames) => {
            part(&speak::answer(request, true), *frames, Step::Send(b"0\r\n\r\n".to_vec()))
        }
        Behaviour::Status(status, headers) => {
            let mut spoken = speak::error(request, *status);
            spoken.headers.extend(headers.iter().cloned());
            whole(&spoken)
        }
        Behaviour::Html(status) => whole(&Spoken::new(
            *status,
            "text/html",
            b"<html><body><h1>Bad day</h1><p>cloud edge</p></body></html>\n".to_vec(),
        )),
        Behaviour::Garbage => {
            whole(&Spoken::new(200, "application/json", b"{\"id\": \"x\", oops \xff\xfe]".to_vec()))
        }
        Behaviour::BigChunk(size) => {
            let mut spoken = Spoken::new(200, speak::content_type(request), vec![b'x'; *size]);
            spoken.streamed = true;
            whole(&spoken)
        }
        Behaviour::Canned(canned) => {
            let mut spoken = Spoken::new(canned.status, "", Vec::new());
            spoken.headers.clone_from(&canned.headers);
            spoken.frames.clone_from(&canned.frames);
            spoken.streamed = canned.chunked;
            whole(&spoken)
        }
    }
}

fn head(spoken: &Spoken) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Spoken\r\n", spoken.status);
    for (name, value) in &spoken.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if spoken.streamed {
        head.push_str("transfer-encoding: chunked\r\n\r\n");
    } else {
        head.push_str(&format!(
            "content-length: {}\r\n\r\n",
            spoken.frames.iter().map(Vec::len).sum::<usize>()
        ));
    }
    head.into_bytes()
}

fn frames(spoken: &Spoken) -> impl Iterator<Item = Vec<u8>> {
    let filled = spoken.frames.iter().filter(|frame| !frame.is_empty());
    filled.map(|frame| if spoken.streamed { encode_chunk(frame) } else { frame.clone() })
}

fn whole(spoken: &Spoken) -> Vec<Step> {
    let mut steps = vec![Step::Send(head(spoken))];
    steps.extend(frames(spoken).map(Step::Send));
    if spoken.streamed {
        steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
    }
    steps
}

fn gated(spoken: &Spoken) -> Vec<Step> {
    if !spoken.streamed {
        let mut steps = vec![Step::Gate];
        steps.extend(whole(spoken));
        return steps;
    }
    let mut steps = vec![Step::Send(head(spoken))];
    for (index, frame) in frames(spoken).enumerate() {
        if index > 0 {
            steps.push(Step::Gate);
        }
        steps.push(Step::Send(frame));
    }
    steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
    steps
}

fn part(spoken: &Spoken, count: usize, then: Step) -> Vec<Step> {
    let mut steps = vec![Step::Send(head(spoken))];
    if spoken.streamed {
        steps.extend(frames(spoken).take(count).map(Step::Send));
    } else {
        let body = spoken.frames.concat();
        steps.push(Step::Send(body[..body.len() / 2].to_vec()));
    }
    steps.push(then);
    steps
}

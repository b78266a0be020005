//! A programmable provider on a real loopback socket.
//!
//! Speaks the providers' own protocols (see [`crate::speak`]) until told to misbehave: per model name, or for the
//! next requests in turn. Keeps every request as it arrived and counts what it served.

mod plan;

pub use plan::{Act, Behaviour, Canned};

use crate::http1::{Headers, Reader};
use crate::raw;
use plan::{Step, plan};
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

//! One request through the gateway in this process, and what is known of it.

use super::heard::{Events, fault, pieces};
use super::speech::{Ask, Dials, Picture, Piece, Said, Speech};
use super::wire::{self, Bag, Told, body, readable};
use super::words;
use crate::held::Held;
use crate::live::{Cx, Fault};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_billing::desk::reports::ReceiptView;
use burncloud_core::layers::auth::{RemoteIp, Vouched};
use burncloud_core::layers::meter::RECEIPT_HEADER;
use burncloud_core::{Body, KeyId, ReceiptId};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How much of what came back is kept to be looked at, in bytes.
const RAW: usize = 64 << 10;
/// How long a receipt is waited for: an answer that was stopped may be read to its end first.
const RECEIPT: Duration = Duration::from_secs(90);

/// What is asked, and with whose key.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) key: KeyId,
    pub(super) speech: Speech,
    pub(super) model: String,
    pub(super) dials: Dials,
    pub(super) before: Vec<(Ask, Said)>,
    pub(super) now: Ask,
}

/// What happens to a request on its way.
#[derive(Debug)]
pub(super) enum News {
    /// What is sent, for people to read.
    Sent(String),
    /// The answer's status, the receipt that it will leave, and after how many milliseconds.
    Head(u16, Option<ReceiptId>),
    /// What came, as it came.
    Raw(String),
    /// What that says; the time of the first one counts.
    Piece(Piece, u64),
    /// It did not begin, or broke off.
    Failed(String),
    /// It is over, after so many milliseconds.
    End(u64),
    /// Somebody stopped it.
    Stopped(u64),
}

/// How far an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Waiting,
    Talking,
    Done,
    Stopped,
    Failed,
}

/// An answer and what is known of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Take {
    pub(super) state: State,
    pub(super) said: Said,
    pub(super) model: String,
    /// What was sent, as it would stand on the wire but for pictures and long texts, which are cut.
    pub(super) sent: Rc<str>,
    pub(super) raw: String,
    pub(super) status: Option<u16>,
    pub(super) first_ms: Option<u64>,
    pub(super) took_ms: u64,
    /// The words of the gateway or the provider for what failed.
    pub(super) fault: Option<String>,
    /// Ended because it was long enough.
    pub(super) cut: bool,
    pub(super) receipt_id: Option<ReceiptId>,
    pub(super) receipt: Option<Rc<ReceiptView>>,
}

impl Take {
    pub(super) fn busy(&self) -> bool {
        matches!(self.state, State::Waiting | State::Talking)
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Sent(text) => self.sent = text.into(),
            News::Head(status, receipt) => {
                self.status = Some(status);
                self.receipt_id = receipt;
            }
            News::Raw(text) => self.raw.push_str(&text),
            News::Piece(Piece::Cut, _) => self.cut = true,
            News::Piece(Piece::Fault(text), _) => self.fault = Some(text),
            News::Piece(piece, ms) => {
                self.first_ms.get_or_insert(ms);
                self.state = State::Talking;
                self.said.add(piece);
            }
            News::Failed(text) => self.fault = Some(text),
            News::End(ms) => {
                self.took_ms = ms;
                self.state = if self.fault.is_some() { State::Failed } else { State::Done };
            }
            News::Stopped(ms) => {
                self.took_ms = ms;
                self.state = State::Stopped;
            }
        }
    }

    /// Tokens a second between the first word and the end, as the receipt counts them.
    pub(super) fn speed(&self) -> Option<u64> {
        let view = self.receipt.as_ref()?;
        let talked = self.took_ms.checked_sub(self.first_ms?)?.max(1);
        (view.row.tokens_out > 0).then(|| view.row.tokens_out * 1000 / talked)
    }
}

/// Has the order answered and says what happens. Dropped, it drops the request, which leaves one receipt.
pub(super) async fn ask(cx: Cx, order: Order, stop: CancellationToken, news: mpsc::Sender<News>) {
    let started = Instant::now();
    let ended = tokio::select! {
        () = stop.cancelled() => News::Stopped(ms(started)),
        ended = answer(&cx, order, started, &news) => match ended {
            Ok(()) => News::End(ms(started)),
            Err(fault) => {
                let _ = news.send(News::Failed(fault.text)).await;
                News::End(ms(started))
            }
        },
    };
    let _ = news.send(ended).await;
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

async fn answer(cx: &Cx, order: Order, started: Instant, news: &mpsc::Sender<News>) -> Result<(), Fault> {
    let hash = cx.console.desk().vouch(&cx.viewer.actor, order.key).await?;
    let gateway = cx.console.gateway().ok_or_else(|| Fault::new("there is no gateway in this process"))?;
    let bag = gather(cx, &order).ok_or_else(|| Fault::new(words::gone(cx.viewer.lang)))?;
    let told = Told { before: &order.before, now: &order.now, bag: &bag };
    let (body, path) =
        (body(order.speech, &order.model, &order.dials, &told), order.speech.path(&order.model));
    let _ = news.send(News::Sent(format!("POST {path}\n{:#}", readable(&body)))).await;
    let mut request = Request::post(&path)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, "burncloud-playground")
        .header("anthropic-version", "2023-06-01")
        .body(Body::from(Bytes::from(body.to_string())))
        .map_err(|error| Fault::new(error.to_string()))?;
    request.extensions_mut().insert(Vouched(hash));
    if let Ok(ip) = cx.viewer.actor.ip.parse::<IpAddr>() {
        request.extensions_mut().insert(RemoteIp(ip));
    }
    let Ok(response) = gateway.answer(request).await;
    let id = response.headers().get(&RECEIPT_HEADER).and_then(|id| id.to_str().ok());
    let id = id.and_then(ReceiptId::parse);
    let _ = news.send(News::Head(response.status().as_u16(), id)).await;
    hear(cx, response, order.speech, started, news).await
}

/// What is held for a conversation. `None` where something that somebody sent is not held any more; what a model drew may
/// be missing.
fn gather(cx: &Cx, order: &Order) -> Option<Bag> {
    let find = |id: &str| cx.console.held().find(&cx.viewer.csrf, id);
    let mut bag = Bag::new();
    for id in order.before.iter().map(|(ask, _)| ask).chain([&order.now]).flat_map(Ask::held) {
        bag.insert(id.to_owned(), find(id)?);
    }
    for picture in order.before.iter().flat_map(|(_, said)| &said.pictures) {
        if let Picture::Held(id, _) = picture
            && let Some(blob) = find(id)
        {
            bag.insert(id.clone(), blob);
        }
    }
    Some(bag)
}

/// Holds the picture that is in a URL for this session. Nothing is ever loaded from one.
fn picture(held: &Held, session: &str, url: &str, sign: Option<String>) -> Picture {
    let Some(rest) = url.strip_prefix("data:") else {
        return Picture::Away(wire::beginning(url, 2000).to_owned());
    };
    let data = rest.split_once(";base64,").and_then(|(_, data)| STANDARD.decode(data).ok());
    let blob = data.and_then(|data| held.picture(session, data.into()).ok());
    blob.map_or(Picture::Odd, |blob| Picture::Held(blob.id.clone(), sign))
}

/// Reads an answer to its end.
async fn hear(
    cx: &Cx,
    response: Response<Body>,
    speech: Speech,
    started: Instant,
    news: &mpsc::Sender<News>,
) -> Result<(), Fault> {
    let stream = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let stream = stream.is_some_and(|kind| kind.starts_with("text/event-stream"));
    let status = response.status();
    let mut body = response.into_body();
    let (mut events, mut whole, mut kept) = (Events::default(), Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::new(format!("the answer broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if kept < RAW {
            let part = data.slice(..data.len().min(RAW - kept));
            kept += data.len();
            let more = if kept > RAW { "\n…" } else { "" };
            let text = format!("{}{more}", String::from_utf8_lossy(&part));
            let _ = news.send(News::Raw(text)).await;
        }
        if stream {
            for event in events.feed(&data) {
                tell(cx, speech, &event, started, news).await;
            }
        } else if whole.len() < RAW {
            whole.extend_from_slice(&data);
        }
    }
    if stream {
        if let Some(event) = events.rest() {
            tell(cx, speech, &event, started, news).await;
        }
        return Ok(());
    }
    let said = serde_json::from_slice::<Value>(&whole).ok().as_ref().and_then(fault);
    Err(Fault::new(said.unwrap_or_else(|| format!("the answer is not a stream (status {status})"))))
}

async fn tell(cx: &Cx, speech: Speech, event: &[u8], started: Instant, news: &mpsc::Sender<News>) {
    let Ok(event) = serde_json::from_slice::<Value>(event) else { return };
    for piece in pieces(speech, &event) {
        let piece = match piece {
            Piece::Url(url, sign) => Piece::Picture(picture(cx.console.held(), &cx.viewer.csrf, &url, sign)),
            other => other,
        };
        let _ = news.send(News::Piece(piece, ms(started))).await;
    }
}

/// The receipt, once it is written; `None` where that takes too long.
pub(super) async fn receipt(cx: Cx, id: ReceiptId) -> Option<ReceiptView> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(150);
    while started.elapsed() < RECEIPT {
        if let Ok(Some(view)) = cx.console.desk().receipt(&cx.viewer.actor, id).await {
            return Some(view);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(3));
    }
    None
}

//! An upstream that costs little: OpenAI's chat completions with answers rendered once.
//!
//! A body with `"stream":true` gets 64 chunks, a usage chunk and `[DONE]`, each its own HTTP chunk: all at once, or, where
//! the body names the paced model, one each 5 ms with the time it was sent in its `system_fingerprint`.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{Error, cells, net};

/// Content chunks in a stream, the usage chunk and `[DONE]` not counted.
pub(crate) const CHUNKS: usize = 64;
const PACE: Duration = Duration::from_millis(5);
const STAMP_MARK: &str = "\"sent-";
const STAMP_DIGITS: usize = 20;

/// Where the upstream listens.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:3002")]
    listen: SocketAddr,
}

/// Answers until it is killed.
pub(crate) fn run(args: Args) -> Result<(), Error> {
    let answers: &'static Answers = Box::leak(Box::new(Answers::render()));
    net::block_on(net::accept(args.listen, move |stream| async move {
        let service = service_fn(move |request| answers.answer(request));
        // Without writev, hyper joins the frames that are ready in one buffer: a burst is one write.
        let mut http = http1::Builder::new();
        let _ = http.writev(false).serve_connection(TokioIo::new(stream), service).await;
    }))
}

/// Nanoseconds since 1970 by the clock that the processes of one machine share.
pub(crate) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Calls `found` with each time stamp in `text` and returns where the first byte stands that may belong to a stamp whose
/// rest is still to come.
pub(crate) fn stamps(text: &[u8], mut found: impl FnMut(u64)) -> usize {
    let mut at = 0;
    while let Some(start) = memmem::find(&text[at..], STAMP_MARK.as_bytes()) {
        let digits = at + start + STAMP_MARK.len();
        let Some(stamp) = text.get(digits..digits + STAMP_DIGITS) else { return at + start };
        if let Some(sent) = std::str::from_utf8(stamp).ok().and_then(|s| s.parse().ok()) {
            found(sent);
        }
        at = digits + STAMP_DIGITS;
    }
    at.max(text.len().saturating_sub(STAMP_MARK.len() - 1))
}

#[derive(Debug)]
struct Answers {
    whole: Bytes,
    burst: Vec<Bytes>,
    stream_needle: memmem::Finder<'static>,
    paced_needles: [memmem::Finder<'static>; 2],
}

impl Answers {
    fn render() -> Self {
        let burst = (0..CHUNKS).map(|i| chunk(i, None)).chain(tail()).collect();
        Self {
            whole: Bytes::from_static(WHOLE.as_bytes()),
            burst,
            stream_needle: memmem::Finder::new("\"stream\":true"),
            paced_needles: cells::PACED_MARKS.map(memmem::Finder::new),
        }
    }

    async fn answer(&'static self, request: Request<Incoming>) -> Result<Response<Answer>, hyper::Error> {
        let is_chat = request.method() == Method::POST && request.uri().path() == "/v1/chat/completions";
        let body = request.into_body().collect().await?.to_bytes();
        if !is_chat {
            let mut response = Response::new(Answer::Whole(None));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return Ok(response);
        }
        let (kind, answer) = if self.stream_needle.find(&body).is_none() {
            ("application/json", Answer::Whole(Some(self.whole.clone())))
        } else if self.paced_needles.iter().any(|n| n.find(&body).is_some()) {
            ("text/event-stream; charset=utf-8", Answer::paced())
        } else {
            ("text/event-stream; charset=utf-8", Answer::Burst { frames: &self.burst })
        };
        let mut response = Response::new(answer);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Ok(response)
    }
}

/// The body of an answer.
enum Answer {
    Whole(Option<Bytes>),
    Burst { frames: &'static [Bytes] },
    Paced { at: usize, clock: Interval, tail: std::vec::IntoIter<Bytes> },
}

impl Answer {
    fn paced() -> Self {
        let mut clock = interval(PACE);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Paced { at: 0, clock, tail: tail().to_vec().into_iter() }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Self::Whole(body) => body.take(),
            Self::Burst { frames } => frames.split_first().map(|(first, rest)| {
                *frames = rest;
                first.clone()
            }),
            Self::Paced { at: CHUNKS, tail, .. } => tail.next(),
            Self::Paced { at, clock, .. } => {
                if clock.poll_tick(cx).is_pending() {
                    return Poll::Pending;
                }
                *at += 1;
                Some(chunk(*at - 1, Some(now_ns())))
            }
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_none(),
            Self::Burst { frames } => frames.is_empty(),
            Self::Paced { at, tail, .. } => *at == CHUNKS && tail.len() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Burst { .. } | Self::Paced { .. } => SizeHint::default(),
        }
    }
}

const WHOLE: &str = r#"{"id":"chatcmpl-bench0000000000000000000000","object":"chat.completion","created":1760000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"A proxy that adds nothing still reads, copies and writes every byte once.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":211,"completion_tokens":17,"total_tokens":228,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"service_tier":"default","system_fingerprint":"fp_bench"}
"#;

const HEAD: &str = r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"#;

fn chunk(index: usize, sent: Option<u64>) -> Bytes {
    let fingerprint = match sent {
        Some(ns) => format!("{STAMP_MARK}{ns:0width$}\"", width = STAMP_DIGITS),
        None => "\"fp_bench\"".to_owned(),
    };
    let word = ["one", "token", "more", "of"][index % 4];
    let choices = format!(
        r#","choices":[{{"index":0,"delta":{{"content":" {word}"}},"logprobs":null,"finish_reason":null}}],"usage":null}}"#
    );
    Bytes::from(format!("{HEAD}{fingerprint}{choices}\n\n"))
}

/// The usage chunk and the end of the stream.
fn tail() -> [Bytes; 2] {
    let usage =
        r#""fp_bench","choices":[],"usage":{"prompt_tokens":211,"completion_tokens":64,"total_tokens":275}}"#;
    [Bytes::from(format!("{HEAD}{usage}\n\n")), Bytes::from_static(b"data: [DONE]\n\n")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_the_shape_of_the_real_ones() {
        let answers = Answers::render();
        let whole: serde_json::Value = serde_json::from_slice(&answers.whole).unwrap();
        assert_eq!(whole["usage"]["total_tokens"], 228);
        assert_eq!(answers.burst.len(), CHUNKS + 2);
        for frame in answers.burst.iter().take(CHUNKS + 1) {
            let data = frame.strip_prefix(b"data: ").unwrap();
            let event: serde_json::Value = serde_json::from_slice(data).unwrap();
            assert_eq!(event["object"], "chat.completion.chunk");
        }
        assert_eq!(answers.burst.last().unwrap(), "data: [DONE]\n\n");
    }

    #[test]
    fn every_paced_stream_has_one_length() {
        assert_eq!(chunk(0, Some(1)).len(), chunk(0, Some(now_ns())).len());
    }

    #[test]
    fn a_stamp_is_found_however_the_bytes_are_divided() {
        let text: Vec<u8> = [7, 8, 9].iter().flat_map(|i| chunk(1, Some(*i))).collect();
        for size in [1, 3, 50, 1000] {
            let (mut seen, mut pending) = (Vec::new(), Vec::new());
            for piece in text.chunks(size) {
                pending.extend_from_slice(piece);
                let keep = stamps(&pending, |sent| seen.push(sent));
                pending.drain(..keep);
            }
            assert_eq!(seen, [7, 8, 9], "pieces of {size} bytes");
        }
    }
}

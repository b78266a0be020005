//! How the fake provider can behave, and what each behaviour puts on the wire.

use super::Recorded;
use crate::http1::encode_chunk;
use crate::provider::Provider;
use crate::speak::{self, Spoken};

/// What the provider does with one request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers as a provider does.
    Speak,
    /// Answers, but says nothing about usage.
    NoUsage,
    /// Answers in pieces of so many bytes, each a chunk of its own.
    Shredded(usize),
    /// Answers; a stream waits for [`Upstream::open_gate`](super::Upstream::open_gate) before each frame after the first, a whole answer before
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
    /// Exactly these acts, one after another.
    Acts(Vec<Act>),
    /// Reads the request as this provider does and answers by the scenario that it names.
    Strict(Provider),
}

/// One act of an answer that is played step by step.
#[derive(Clone, Debug)]
pub enum Act {
    /// Writes these bytes: heads and framing too.
    Write(Vec<u8>),
    /// Waits for [`Upstream::open_gate`](super::Upstream::open_gate).
    Gate,
    /// Nothing more, until the gateway closes.
    Hang,
    /// Resets the connection.
    Reset,
    /// Closes the connection.
    Close,
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

/// What is done on the connection, in turn.
#[derive(Debug)]
pub(super) enum Step {
    Send(Vec<u8>),
    Gate,
    Hang,
    Reset,
    Close,
}

/// What goes on the wire for `behaviour`.
pub(super) fn plan(behaviour: &Behaviour, request: &Recorded) -> Vec<Step> {
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
        Behaviour::Strict(provider) => {
            let played = provider.play(request);
            match played.cut {
                Some(frames) => part(&played.spoken, frames, Step::Close),
                None => whole(&played.spoken),
            }
        }
        Behaviour::Acts(acts) => acts
            .iter()
            .map(|act| match act {
                Act::Write(bytes) => Step::Send(bytes.clone()),
                Act::Gate => Step::Gate,
                Act::Hang => Step::Hang,
                Act::Reset => Step::Reset,
                Act::Close => Step::Close,
            })
            .collect(),
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

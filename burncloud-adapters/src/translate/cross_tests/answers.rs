//! Recorded answers and streams for callers of every other format.
//!
//! What a caller reads is what the provider said, but for what the caller's format has no words for; see [`expected`].

use super::{Exchange, Tally, exchanges};
use crate::translate::convert::fixed;
use crate::translate::said::{Said, SaidCall, rewritten, said, translated};
use crate::translate::{CallKind, Format, Stop};
use crate::wire::event_stream;
use burncloud_core::Usage;
use proptest::prelude::*;
use std::sync::OnceLock;

/// What of an answer a caller of a format is told:
///
/// - Refusals are texts where they have no place of their own (all but the chat and Responses).
/// - Reasons: a text of the caller's is the end in OpenAI's and Google's words; what is held back is a refusal in
///   Anthropic's; Cohere has no word for either, and Converse none for a refusal.
/// - Converse counts no tokens of thoughts apart; Anthropic's and
///   AWS's types want counts where the provider told none.
/// - Free text for a tool is `input` of an object where tools take only JSON.
fn expected(to: Format, mut said: Said) -> Said {
    use Stop as S;
    if !matches!(to, Format::Chat | Format::Responses) {
        said.text.push_str(&std::mem::take(&mut said.refusal));
    }
    said.stop = match (to, said.stop) {
        // The chat says so beside the text, Responses by what ended it.
        (Format::Responses, S::End) if !said.refusal.is_empty() => S::Refusal,
        (Format::Chat | Format::Responses | Format::Gemini, S::Sequence) => S::End,
        (Format::Messages, S::Filtered) => S::Refusal,
        (Format::Chat | Format::Responses | Format::Gemini, S::Refusal) => S::Filtered,
        (Format::Cohere, S::Refusal | S::Filtered) => S::End,
        (Format::Converse, S::Refusal) => S::Filtered,
        // Only Messages goes on where it paused.
        (_, S::Pause) if to != Format::Messages => S::End,
        (_, stop) => stop,
    };
    if matches!(to, Format::Messages | Format::Converse) && said.failure.is_none() {
        said.usage.get_or_insert_default();
    }
    if let Some(usage) = said.usage.as_mut().filter(|_| to == Format::Converse) {
        usage.output += std::mem::take(&mut usage.reasoning);
    }
    if !matches!(to, Format::Chat | Format::Responses) {
        said.calls.iter_mut().for_each(|call| call.kind = CallKind::Function);
    }
    said
}

/// What was read of a translation, as a caller means it:
///
/// - Gemini's reader marks ids, for it takes them for the provider's own.
/// - Cohere is billed for what it caches like for the rest, so its reader does not tell; the field is checked apart.
fn told(to: Format, mut said: Said, cached: u64) -> Said {
    if to == Format::Gemini {
        for SaidCall { id, .. } in &mut said.calls {
            *id = id.strip_prefix("gem_").unwrap_or(id).to_owned();
        }
    }
    if let Some(usage) = said.usage.as_mut().filter(|_| to == Format::Cohere) {
        usage.input -= cached;
        usage.cached_read += cached;
    }
    said
}

/// `cached_tokens` of the last usage that is written, where it is Cohere's.
fn cached(to: Format, body: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(body);
    let number = text.rsplit_once("\"cached_tokens\":").map(|(_, rest)| rest.trim_start());
    let digits = number.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits.filter(|_| to == Format::Cohere).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A provider may leave ids out; readers make some up.
fn without_made_up_ids(exchange: &Exchange, said: &mut Said) {
    let recording = &exchange.recording;
    let given = String::from_utf8_lossy(&recording.response);
    for (number, call) in said.calls.iter_mut().enumerate() {
        if !given.contains(&call.id) && exchange.from != Format::Converse {
            call.id = format!("made up {number}");
        }
    }
}

#[test]
fn recorded_answers_say_the_same_in_every_format() {
    let (mut made, mut wrong) = (Tally::new(), Vec::new());
    for exchange in exchanges() {
        let Exchange { from, recording } = &exchange;
        for to in Format::ALL.into_iter().filter(|to| to != from) {
            let kind = if recording.streamed { "streams" } else { "answers" };
            let pair = format!("{kind} {} -> {}", from.as_str(), to.as_str());
            let name = format!("{pair}: {}", exchange.name());
            fixed::start();
            let pairing = (*from, to);
            let out = match translated(&recording.provider, pairing, recording.streamed, &recording.response)
            {
                Ok(out) => out,
                Err(error) => {
                    wrong.push(format!("{name}: {error:?}"));
                    continue;
                }
            };
            made.add(pair);
            let after = match said("openai", to, recording.streamed, &out.body) {
                Ok(after) => after,
                Err(error) => {
                    wrong.push(format!("{name}: again: {error:?}"));
                    continue;
                }
            };
            let mut before = expected(to, out.said);
            let mut after = told(to, after, cached(to, &out.body));
            without_made_up_ids(&exchange, &mut before);
            without_made_up_ids(&exchange, &mut after);
            wrong.extend(differences(&before, &after).into_iter().map(|it| format!("{name}: {it}")));
        }
    }
    made.show("translated");
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

fn differences(before: &Said, after: &Said) -> Vec<String> {
    let mut found = Vec::new();
    let short = |text: String| text.chars().take(300).collect::<String>();
    let mut check = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what}: {} -> {}", short(a), short(b)));
        }
    };
    check("text", before.text.clone(), after.text.clone());
    check("refusal", before.refusal.clone(), after.refusal.clone());
    check("thoughts", before.thoughts.clone(), after.thoughts.clone());
    check("calls", format!("{:?}", before.calls), format!("{:?}", after.calls));
    check("stop", format!("{:?}", before.stop), format!("{:?}", after.stop));
    check("failure", format!("{:?}", before.failure), format!("{:?}", after.failure));
    let counts =
        |usage: Usage| [usage.total_input(), usage.cached_read, usage.total_output(), usage.reasoning];
    check("usage", format!("{:?}", before.usage.map(counts)), format!("{:?}", after.usage.map(counts)));
    found
}

#[test]
fn streams_are_translated_alike_however_they_are_cut() {
    for exchange in exchanges().iter().filter(|it| it.recording.streamed) {
        for to in Format::ALL.into_iter().filter(|to| *to != exchange.from) {
            let bytes = exchange.recording.response.as_slice();
            let whole = cut(exchange, to, [bytes]);
            for size in [1, 7] {
                let same = cut(exchange, to, bytes.chunks(size)) == whole;
                assert!(same, "{} to {to:?} in pieces of {size}", exchange.name());
            }
        }
    }
}

fn cut<'a>(
    exchange: &Exchange,
    to: Format,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<String, String> {
    fixed::start();
    let out = rewritten(&exchange.profile(), (exchange.from, to), true, pieces);
    out.map(|(_, body)| timeless(to, &body)).map_err(|error| format!("{error:?}"))
}

/// The bytes, without how long they took: AWS says so in its last event.
fn timeless(to: Format, body: &[u8]) -> String {
    if to != Format::Converse {
        return String::from_utf8(body.to_vec()).unwrap();
    }
    let mut decoder = event_stream::Decoder::default();
    decoder.push(body);
    let mut out = String::new();
    while let Some(message) = decoder.next().unwrap() {
        let payload = String::from_utf8(message.payload.to_vec()).unwrap();
        let payload = payload.split_once("\"latencyMs\":").map_or(payload.as_str(), |(before, _)| before);
        out.push_str(&format!("{:?} {}: {payload}\n", message.kind, message.name));
    }
    out
}

static STREAMS: OnceLock<Vec<Exchange>> = OnceLock::new();

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_pieces_of_any_stream_give_the_same_bytes(
        which in any::<prop::sample::Index>(),
        sizes in prop::collection::vec(1..200_usize, 1..20),
        to in prop::sample::select(Format::ALL.to_vec()),
    ) {
        let streams = STREAMS.get_or_init(|| exchanges().into_iter().filter(|it| it.recording.streamed).collect());
        if streams.is_empty() { return Ok(()) }
        let exchange = which.get(streams);
        let mut rest = exchange.recording.response.as_slice();
        let whole = cut(exchange, to, [rest]);
        let mut pieces = Vec::new();
        for size in sizes.into_iter().cycle() {
            let (piece, more) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = more;
            if rest.is_empty() { break }
        }
        prop_assert!(cut(exchange, to, pieces) == whole, "{} to {to:?}", exchange.name());
    }
}

//! How many tokens were used, when the provider does not say.
//!
//! The text of a body's beginning is counted with OpenAI's `o200k` tokenizer, whoever made the model, and scaled to
//! the body's length. That is an estimate and is flagged as one on the receipt. The tokenizer is loaded the first
//! time it is needed.

use burncloud_core::adapter::Sample;
use std::borrow::Cow;

/// Which way a body goes: other fields hold its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// A request.
    In,
    /// An answer, whole or as events.
    Out,
}

/// Fields whose strings the model reads, in all dialects.
const IN: [&str; 14] = [
    "content",
    "text",
    "input",
    "prompt",
    "system",
    "instructions",
    "arguments",
    "thinking",
    "reasoning_content",
    "query",
    "documents",
    "output",
    "description",
    "inputText",
];
/// Fields whose strings the model wrote, in all dialects.
const OUT: [&str; 11] = [
    "content",
    "text",
    "delta",
    "arguments",
    "partial_json",
    "thinking",
    "reasoning_content",
    "reasoning",
    "refusal",
    "completion",
    "generation",
];

/// A string this long that is cut off is data, not text, if its field is not one of text.
const DATA: usize = 256;

/// About how many tokens a body holds that begins like this. What is not JSON (a recording, a form) holds none.
#[must_use]
pub fn estimate(sample: &Sample, dir: Dir) -> u64 {
    let seen = sample.bytes.len() as u64;
    if seen == 0 || sample.total == 0 {
        return 0;
    }
    let fields: &[&str] = if dir == Dir::In { &IN } else { &OUT };
    let bytes = if dir == Dir::Out { said_once(&sample.bytes) } else { Cow::Borrowed(&*sample.bytes) };
    let found = extract(&bytes, fields, dir == Dir::Out);
    if found.text.is_empty() {
        return 0;
    }
    let tokens = bpe_openai::o200k_base().count(found.text.as_str()) as u64;
    if found.cut_in_data || sample.total <= seen {
        return tokens;
    }
    let scaled = u128::from(tokens) * u128::from(sample.total) / u128::from(seen);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    text: String,
    /// The beginning ends inside something long that is no text (a picture, say), so its length says nothing
    /// about how much text follows.
    cut_in_data: bool,
}

/// The strings in the named fields of JSON that may be cut off anywhere, or stand between other things (events).
fn extract(bytes: &[u8], fields: &[&str], skip_errors: bool) -> Found {
    let (mut found, mut at, mut wanted, mut listed) = (Found::default(), 0, false, false);
    while let Some(quote) = bytes[at..].iter().position(|b| *b == b'"') {
        let start = at + quote + 1;
        let end = string_end(bytes, start);
        let raw = &bytes[start..end.unwrap_or(bytes.len())];
        let Some(end) = end else {
            if wanted {
                found.text.push_str(&unescape(raw));
            }
            found.cut_in_data = !wanted && raw.len() > DATA;
            break;
        };
        at = end + 1;
        let next = bytes[at..].iter().find(|b| !b.is_ascii_whitespace());
        if next == Some(&b':') {
            (wanted, listed) = match holds_text(&bytes[at..]) {
                Some(listed) => (fields.iter().any(|field| field.as_bytes() == raw), listed),
                None => (false, false),
            };
            // What an error says was not written by the model.
            if skip_errors && raw == b"error" {
                let Some(end) = object_end(bytes, at) else { break };
                at = end;
            }
        } else if wanted {
            found.text.push_str(&unescape(raw));
            // What comes after a lone string is a key, even if it is cut off before that can be seen.
            wanted = listed && next == Some(&b',');
        }
    }
    found
}

/// Whether the value after a key, its colon first, is a string (`false`) or a list that begins with one (`true`): what stands in
/// an object has keys of its own.
fn holds_text(after: &[u8]) -> Option<bool> {
    let mut value = after.iter().filter(|b| !b.is_ascii_whitespace() && **b != b':');
    match value.next() {
        Some(b'[') => value.next().is_none_or(|byte| *byte == b'"').then_some(true),
        first => first.is_none_or(|byte| *byte == b'"').then_some(false),
    }
}

/// Where the object ends that is the value of the key before `at`; `at` itself where the value is no object. `None` if
/// it is cut off.
fn object_end(bytes: &[u8], at: usize) -> Option<usize> {
    let value = bytes.get(at..)?.iter().position(|b| !b.is_ascii_whitespace() && *b != b':')?;
    let (mut here, mut depth) = (at + value, 0_usize);
    if bytes.get(here) != Some(&b'{') {
        return Some(at);
    }
    while let Some(byte) = bytes.get(here) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(here + 1),
            b'}' => depth -= 1,
            b'"' => here = string_end(bytes, here + 1)?,
            _ => {}
        }
        here += 1;
    }
    None
}

/// The bytes in which what the model wrote stands once.
fn said_once(bytes: &[u8]) -> Cow<'_, [u8]> {
    // AWS's frames begin with their length; text does not begin with a zero.
    if bytes.first() == Some(&0) { Cow::Owned(payloads(bytes)) } else { without_repeats(bytes) }
}

/// The payloads of AWS's event stream frames: 4 bytes length, 4 bytes length of the headers, a checksum, headers,
/// payload, a checksum. Quotes in lengths and checksums are none.
fn payloads(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some((prelude, rest)) = bytes.split_first_chunk::<12>() {
        let word =
            |at: usize| prelude[at..at + 4].iter().fold(0, |word, byte| word << 8 | usize::from(*byte));
        let (total, headers) = (word(0), word(4));
        let Some(payload) = total.checked_sub(headers.saturating_add(16)) else { break };
        let begins = rest.len().min(headers);
        let ends = rest.len().min(headers + payload);
        out.extend_from_slice(&rest[begins..ends]);
        bytes = rest.get(headers + payload + 4..).unwrap_or_default();
    }
    out
}

/// The events of a Responses stream say each piece once (`….delta`) and then all of it again, more than once.
fn without_repeats(bytes: &[u8]) -> Cow<'_, [u8]> {
    let repeats = |line: &[u8]| {
        let kind = line.strip_prefix(b"data:").and_then(|json| {
            let at = find(json, b"\"type\":")? + 7;
            let rest = json.get(at..)?.trim_ascii_start().strip_prefix(b"\"response.")?;
            rest.split(|b| *b == b'"').next()
        });
        kind.is_some_and(|kind| !kind.ends_with(b"delta"))
    };
    if find(bytes, b"\"response.").is_none() {
        return Cow::Borrowed(bytes);
    }
    let lines = bytes.split_inclusive(|b| *b == b'\n').filter(|line| !repeats(line));
    Cow::Owned(lines.collect::<Vec<_>>().concat())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Where the closing quote of a string is that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// The text of a string's inside, even if it ends in the middle of an escape or a character.
fn unescape(raw: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(raw);
    if !text.contains('\\') {
        return text;
    }
    // An escape takes at most twelve characters (a surrogate pair).
    let cuts = (0..=12).filter_map(|n| text.len().checked_sub(n)).filter(|n| text.is_char_boundary(*n));
    let mut whole = cuts.map(|n| serde_json::from_str::<String>(&format!("\"{}\"", &text[..n])));
    let read = whole.find_map(Result::ok);
    read.map_or_else(|| text.clone(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn sample(text: &str) -> Sample {
        Sample::of(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn reads_every_dialects_request() {
        for (body, text) in [
            (r#"{"model":"m","messages":[{"role":"user","content":"Hello \"you\"\n"}]}"#, "Hello \"you\"\n"),
            (
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"data:x"}}]}]}"#,
                "Hi",
            ),
            (r#"{"system":"Be","contents":[{"role":"user","parts":[{"text":" brief"}]}]}"#, "Be brief"),
            (r#"{"input":["one"," two"],"model":"e"}"#, "one two"),
            (
                r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"\u00e9t\u00e9"}]}],"x":"no"}"#,
                "été",
            ),
        ] {
            assert_eq!(extract(body.as_bytes(), &IN, false).text, text, "{body}");
        }
    }

    #[test]
    fn reads_every_dialects_events() {
        let openai = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\n\ndata: [DONE]\n\n";
        let anthropic = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\
                         \"text_delta\",\"text\":\"Hello\"}}\n\n";
        let responses = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hello\"}\n\n";
        let gemini = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hello\"}],\"role\":\"model\"}}]}\n\n";
        for events in [openai, anthropic, responses, gemini] {
            assert_eq!(extract(events.as_bytes(), &OUT, true).text, "Hello", "{events}");
        }
    }

    #[test]
    fn what_is_cut_off_is_read_as_far_as_it_goes() {
        let whole = r#"{"content":"snow \u2603\ud83d\ude00 man"}"#;
        for cut in 12..whole.len() {
            let found = extract(&whole.as_bytes()[..cut], &IN, false);
            assert!("snow ☃😀 man".starts_with(found.text.trim_end_matches('\u{fffd}')), "{cut}: {found:?}");
        }
        let split = "{\"text\":\"caf\u{e9}".as_bytes();
        assert!(extract(&split[..split.len() - 1], &IN, false).text.starts_with("caf"));
    }

    #[test]
    fn the_words_of_an_error_are_not_the_models() {
        let said = "data: {\"delta\":{\"text\":\"hello\"}}\n\n";
        for error in [
            r#"data: {"type":"error","error":{"message":"x","content":"a {b\" c","text":["no"]}}"#,
            r#"data: {"error": {"details":[{"text":"no","more":{"content":"no"}}]}}"#,
            r#"data: {"error": {"content":"cut of"#,
            r#"data: {"type":"message-end","delta":{"finish_reason":"ERROR","error":"no"}}"#,
        ] {
            let text = format!("{said}{error}");
            assert_eq!(extract(text.as_bytes(), &OUT, true).text, "hello", "{error}");
        }
        let after = format!("{{\"error\":null}}\n{said}");
        assert_eq!(extract(after.as_bytes(), &OUT, true).text, "hello");
    }

    #[test]
    fn quotes_between_frames_are_none() {
        let frame = |text: &str| {
            let payload = format!("{{\"delta\":{{\"text\":\"{text}\"}}}}");
            let mut out = u32::try_from(16 + 3 + payload.len()).unwrap().to_be_bytes().to_vec();
            out.extend_from_slice(b"\0\0\0\x03\"\"\"\"\x01\"x");
            out.extend_from_slice(payload.as_bytes());
            out.extend_from_slice(b"\"\\\"a");
            out
        };
        let whole = [frame("hello"), frame(" world")].concat();
        let read = |bytes: &[u8]| extract(&said_once(bytes), &OUT, true).text;
        assert_eq!(read(&whole), "hello world");
        for cut in 1..whole.len() {
            let seen = read(&whole[..cut]);
            assert!("hello world".starts_with(&seen), "{cut}: {seen}");
        }
    }

    #[test]
    fn what_a_stream_says_again_counts_once() {
        let events = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\
                      \"hello world\"}\n\nevent: response.output_text.done\ndata: {\"type\": \
                      \"response.output_text.done\",\"text\":\"hello world\"}\n\ndata: {\"type\":\
                      \"response.failed\",\"response\":{\"output\":[{\"content\":[{\"text\":\"hello world\"}]}]}}\n\n";
        assert_eq!(estimate(&sample(events), Dir::Out), 2);
    }

    #[test]
    fn counts_tokens_and_scales_to_the_whole() {
        assert_eq!(estimate(&sample(r#"{"content":"hello world"}"#), Dir::In), 2);
        assert_eq!(estimate(&Sample::default(), Dir::Out), 0);
        assert_eq!(estimate(&sample("\u{0}\u{1}\"binary"), Dir::In), 0);
        let long = format!(r#"{{"content":"{}"}}"#, "hello world ".repeat(8_000));
        let tokens = estimate(&sample(&long), Dir::In);
        assert!((15_500..16_500).contains(&tokens), "{tokens} of about 16 000");
    }

    #[test]
    fn a_picture_is_not_taken_for_text() {
        let body = format!(
            r#"{{"messages":[{{"content":[{{"text":"what is this"}},{{"image_url":{{"url":"data:image/png;base64,{}"}}}}]}}]}}"#,
            "A".repeat(200_000)
        );
        assert_eq!(estimate(&sample(&body), Dir::In), 3);
    }
}

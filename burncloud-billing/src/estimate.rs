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
    let found = extract(&sample.bytes, fields);
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
fn extract(bytes: &[u8], fields: &[&str]) -> Found {
    let (mut found, mut at, mut wanted) = (Found::default(), 0, false);
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
            wanted = fields.iter().any(|field| field.as_bytes() == raw);
        } else if wanted {
            found.text.push_str(&unescape(raw));
        }
    }
    found
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
            assert_eq!(extract(body.as_bytes(), &IN).text, text, "{body}");
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
            assert_eq!(extract(events.as_bytes(), &OUT).text, "Hello", "{events}");
        }
    }

    #[test]
    fn what_is_cut_off_is_read_as_far_as_it_goes() {
        let whole = r#"{"content":"snow \u2603\ud83d\ude00 man"}"#;
        for cut in 12..whole.len() {
            let found = extract(&whole.as_bytes()[..cut], &IN);
            assert!("snow ☃😀 man".starts_with(found.text.trim_end_matches('\u{fffd}')), "{cut}: {found:?}");
        }
        let split = "{\"text\":\"caf\u{e9}".as_bytes();
        assert!(extract(&split[..split.len() - 1], &IN).text.starts_with("caf"));
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

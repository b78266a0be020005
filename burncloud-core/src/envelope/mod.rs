//! The few facts a gateway needs from a request body, found without parsing it.
//!
//! [`Envelope::scan`] walks the raw bytes of a JSON object once, steps over every value that it does not
//! need (64 bytes at a time) and remembers *where* the interesting members are. Nothing is decoded,
//! copied or built, so a caller's body can be passed on byte for byte. When one value must change, such
//! as a mapped model name, [`splice`] replaces that byte range alone.
//!
//! What is skipped is not validated: the provider does that. What is read is read strictly, so that this
//! scanner and the provider's parser can never take two different values for the same field: a field given
//! twice is refused in any spelling, `"mod\u0065l"` and `"Model"` included.
//!
//! ```
//! use burncloud_core::envelope::{Edit, Envelope, json_string, splice};
//! use bytes::Bytes;
//!
//! let body = Bytes::from_static(br#"{"model":"fast","stream":true,"messages":[{"role":"user"}]}"#);
//! let envelope = Envelope::scan(&body)?;
//! assert_eq!(envelope.model_name(&body).as_deref(), Some("fast"));
//! assert!(envelope.stream);
//!
//! let mut edits: Vec<Edit> = envelope.include_usage_edit(&body).into_iter().collect();
//! edits.extend(envelope.model.map(|at| Edit { at, with: json_string("small-2026") }));
//! assert_eq!(
//!     splice(&body, &mut edits).to_bytes(),
//!     br#"{"model":"small-2026","stream":true,"messages":[{"role":"user"}],"stream_options":{"include_usage":true}}"#[..],
//! );
//! # Ok::<(), burncloud_core::envelope::EnvelopeError>(())
//! ```

mod blocks;
mod error;
mod members;
mod multipart;
mod splice;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub use error::EnvelopeError;
pub use multipart::multipart_field;
pub use splice::{Edit, Segments, json_string, splice};

use members::{Member, Members, skip_whitespace};

/// A half-open range of byte positions in a request body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Position of the first byte.
    pub start: usize,
    /// Position after the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes of `body` in this range; empty when the range does not lie inside `body`.
    #[must_use]
    pub fn of<'a>(&self, body: &'a [u8]) -> &'a [u8] {
        body.get(self.range()).unwrap_or_default()
    }

    /// This span as a standard range, for slicing.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// The top-level members of a JSON request body that matter to a gateway, as byte ranges and plain values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Range of the value of `model`, its quotes included; `None` when it is absent or null.
    pub model: Option<Span>,
    /// Whether `stream` is literally `true`.
    pub stream: bool,
    /// Range of the value of `stream_options`, whatever its type.
    pub stream_options: Option<Span>,
    /// Range and value of `include_usage` inside `stream_options`; null counts as `false`.
    pub include_usage: Option<(Span, bool)>,
    /// The largest of `max_tokens`, `max_completion_tokens` and `max_output_tokens`, in tokens. What is not
    /// an unsigned integer is not counted; what exceeds `u64` is `u64::MAX`.
    pub max_tokens: Option<u64>,
    /// Which of these three were there with a number: `max_tokens`, `max_completion_tokens`, `max_output_tokens`.
    pub limits: [bool; 3],
    /// The number of answers asked for (`n`), read like `max_tokens`.
    pub n: Option<u64>,
    /// Range of the value of Gemini's `generationConfig` or `generation_config`, unless null.
    /// [`max_output_tokens`] reads the numbers inside.
    pub generation_config: Option<Span>,
    /// Range of the value of Converse's `inferenceConfig`, unless null; read like `generation_config`.
    pub inference_config: Option<Span>,
    /// Range of the value of `tools`, unless null.
    pub tools: Option<Span>,
    /// Whether there are `web_search_options`: chat at OpenAI and at those who speak its API.
    pub searches: bool,
    /// Position of the brace that closes the top-level object.
    pub object_end: usize,
    /// Whether the object has no member at all.
    pub empty: bool,
}

#[derive(Clone, Copy)]
enum Field {
    Model,
    Stream,
    StreamOptions,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,
    N,
    GenerationConfig,
    InferenceConfig,
    Tools,
    SearchOptions,
}

/// The one name of such a length and such a first byte: most other names fall away without a comparison.
fn candidate(length: usize, first: u8) -> Option<(&'static str, Field)> {
    Some(match (length, first) {
        (5, b'm') => ("model", Field::Model),
        (6, b's') => ("stream", Field::Stream),
        (14, b's') => ("stream_options", Field::StreamOptions),
        (10, b'm') => ("max_tokens", Field::MaxTokens),
        (21, b'm') => ("max_completion_tokens", Field::MaxCompletionTokens),
        (17, b'm') => ("max_output_tokens", Field::MaxOutputTokens),
        (1, b'n') => ("n", Field::N),
        (16, b'g') => ("generationConfig", Field::GenerationConfig),
        (17, b'g') => ("generation_config", Field::GenerationConfig),
        (15, b'i') => ("inferenceConfig", Field::InferenceConfig),
        (5, b't') => ("tools", Field::Tools),
        (18, b'w') => ("web_search_options", Field::SearchOptions),
        _ => return None,
    })
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const UNSIGNED: &str = "an unsigned integer or null";
const SWITCH: &str = "true, false or null";

impl Envelope {
    /// Finds the interesting members of the JSON object that `body` holds.
    ///
    /// A byte order mark and whitespace may come first; only whitespace may follow the object. The time is
    /// proportional to the length, at any depth of nesting.
    ///
    /// # Errors
    ///
    /// When the body is no object, ends early, is not JSON where it was read, names an interesting field
    /// twice, or gives one of them a value of the wrong type. See [`EnvelopeError`].
    pub fn scan(body: &[u8]) -> Result<Self, EnvelopeError> {
        let from = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut members = Members::open(body, from)?;
        let mut envelope = Self { empty: true, ..Self::default() };
        let mut seen = 0_u16;
        while let Some(member) = members.next()? {
            envelope.empty = false;
            let Some((name, field, exact)) = member.named(body, candidate)? else { continue };
            let bit = 1 << field as u16;
            if seen & bit != 0 {
                return Err(EnvelopeError::Duplicate { field: name, at: member.at() });
            }
            seen |= bit;
            // A name in other letter case is no field of ours. It is only counted, because some parsers
            // ignore the case and would let the later of the two win.
            if exact {
                envelope.take(body, name, field, &member)?;
            }
        }
        envelope.object_end = members.position();
        let rest = skip_whitespace(body, envelope.object_end + 1);
        if rest < body.len() {
            return Err(EnvelopeError::Trailing { at: rest });
        }
        Ok(envelope)
    }

    fn take(
        &mut self,
        body: &[u8],
        name: &'static str,
        field: Field,
        member: &Member,
    ) -> Result<(), EnvelopeError> {
        let value = member.value;
        match field {
            Field::Model => self.model = model_value(body, value)?,
            Field::Stream => self.stream = switch(body, name, value)?,
            Field::StreamOptions => {
                self.stream_options = Some(value);
                self.include_usage = include_usage(body, value)?;
            }
            Field::MaxTokens | Field::MaxCompletionTokens | Field::MaxOutputTokens => {
                let limit = unsigned(body, name, value)?;
                self.limits[field as usize - Field::MaxTokens as usize] = limit.is_some();
                self.max_tokens = self.max_tokens.max(limit);
            }
            Field::N => self.n = unsigned(body, name, value)?,
            Field::GenerationConfig => self.generation_config = not_null(body, value),
            Field::InferenceConfig => self.inference_config = not_null(body, value),
            Field::Tools => self.tools = not_null(body, value),
            Field::SearchOptions => self.searches = not_null(body, value).is_some(),
        }
        Ok(())
    }

    /// The model's name, its escapes resolved. `body` must be the bytes that were scanned; `None` when no
    /// model is named.
    #[must_use]
    pub fn model_name<'a>(&self, body: &'a [u8]) -> Option<Cow<'a, str>> {
        let value = self.model?.of(body);
        let inner = value.get(1..value.len().checked_sub(1)?)?;
        if memchr::memchr(b'\\', inner).is_none() {
            return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
        }
        serde_json::from_slice::<String>(value).ok().map(Cow::Owned)
    }
}

/// Reads `(maxOutputTokens, candidateCount)` from the JSON object that [`Envelope::generation_config`] spans, and
/// `maxTokens` from Converse's, in tokens and answers.
///
/// Either spelling, camel or snake case, is read, and the larger wins. What is malformed or not an unsigned
/// integer is passed over: the provider judges it.
#[must_use]
pub fn max_output_tokens(generation_config: &[u8]) -> (Option<u64>, Option<u64>) {
    let candidate = |length, first| {
        Some(match (length, first) {
            (15, b'm') => ("maxOutputTokens", true),
            (17, b'm') => ("max_output_tokens", true),
            (9, b'm') => ("maxTokens", true),
            (14, b'c') => ("candidateCount", false),
            (15, b'c') => ("candidate_count", false),
            _ => return None,
        })
    };
    let (mut tokens, mut candidates) = (None, None);
    let Ok(mut members) = Members::open(generation_config, 0) else { return (None, None) };
    while let Ok(Some(member)) = members.next() {
        let Ok(Some((name, is_tokens, true))) = member.named(generation_config, candidate) else { continue };
        let number = unsigned(generation_config, name, member.value).ok().flatten();
        let target = if is_tokens { &mut tokens } else { &mut candidates };
        *target = (*target).max(number);
    }
    (tokens, candidates)
}

fn not_null(body: &[u8], value: Span) -> Option<Span> {
    (value.of(body) != b"null").then_some(value)
}

/// The model's name must be readable in full: it is looked up, logged and billed.
fn model_value(body: &[u8], value: Span) -> Result<Option<Span>, EnvelopeError> {
    const FIELD: &str = "model";
    let (text, at) = (value.of(body), value.start);
    if text == b"null" {
        return Ok(None);
    }
    if text.first() != Some(&b'"') {
        return Err(EnvelopeError::Type { field: FIELD, expected: "a string or null", at });
    }
    if text == b"\"\"" {
        return Err(EnvelopeError::Type { field: FIELD, expected: "a non-empty string", at });
    }
    if text[1..text.len() - 1].iter().all(|byte| matches!(byte, b' '..=b'[' | b']'..=b'~')) {
        return Ok(Some(value));
    }
    if std::str::from_utf8(text).is_err() {
        return Err(EnvelopeError::Invalid { at, what: "the model's name is not valid UTF-8" });
    }
    if text.iter().any(|byte| *byte < b' ') {
        return Err(EnvelopeError::Invalid { at, what: "the model's name holds a control character" });
    }
    if memchr::memchr(b'\\', text).is_some() && serde_json::from_slice::<String>(text).is_err() {
        return Err(EnvelopeError::Invalid { at, what: "the model's name holds an invalid escape" });
    }
    Ok(Some(value))
}

fn switch(body: &[u8], field: &'static str, value: Span) -> Result<bool, EnvelopeError> {
    match value.of(body) {
        b"true" => Ok(true),
        b"false" | b"null" => Ok(false),
        _ => Err(EnvelopeError::Type { field, expected: SWITCH, at: value.start }),
    }
}

/// `None` for null and for negative numbers, which the provider will judge. `1e5` and `12.5` are rounded up: some
/// providers take them, and a limit that is read as none would hold too little money.
fn unsigned(body: &[u8], field: &'static str, value: Span) -> Result<Option<u64>, EnvelopeError> {
    let text = value.of(body);
    match text {
        b"null" => return Ok(None),
        [b'-' | b'0'..=b'9', ..] => {}
        _ => return Err(EnvelopeError::Type { field, expected: UNSIGNED, at: value.start }),
    }
    let leading_zero = text.len() > 1 && text[0] == b'0';
    if !text.iter().all(u8::is_ascii_digit) {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
        // A cast from a float saturates.
        return Ok(number.filter(|number| *number > 0.0).map(|number| number.ceil() as u64));
    }
    if leading_zero {
        return Ok(None);
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Ok(Some(text.iter().fold(0, add)))
}

/// Looks for `include_usage` when `value` is an object.
fn include_usage(body: &[u8], value: Span) -> Result<Option<(Span, bool)>, EnvelopeError> {
    let candidate = |length, first| ((length, first) == (13, b'i')).then_some(("include_usage", ()));
    if body[value.start] != b'{' {
        return Ok(None);
    }
    let (mut found, mut seen) = (None, false);
    let mut members = Members::open(&body[..value.end], value.start)?;
    while let Some(member) = members.next()? {
        let Some((name, (), exact)) = member.named(body, candidate)? else { continue };
        if seen {
            return Err(EnvelopeError::Duplicate { field: name, at: member.at() });
        }
        seen = true;
        if exact {
            found = Some((member.value, switch(body, name, member.value)?));
        }
    }
    Ok(found)
}

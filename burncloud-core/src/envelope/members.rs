//! One object's members, in order: where each name and each value lies.
//!
//! The walk is inlined into each of its few callers: most bodies are small, and passing every member and
//! every possible error through memory took a quarter of the time.

use fearless_simd::Level;

use super::blocks::{self, Unclosed};
use super::{EnvelopeError, Span};

/// No name that is looked for is longer, in bytes.
const LONGEST: usize = 24;

/// A walk over the members of one object. After `next` has returned `None`, `position` is the closing brace.
pub(super) struct Members<'a> {
    body: &'a [u8],
    at: usize,
    first: bool,
    level: Level,
}

/// One member of an object.
pub(super) struct Member {
    /// The name as written, without its quotes.
    key: Span,
    pub(super) value: Span,
}

impl<'a> Members<'a> {
    /// Starts on the object that follows whitespace at `from`.
    pub(super) fn open(body: &'a [u8], from: usize) -> Result<Self, EnvelopeError> {
        let at = skip_whitespace(body, from);
        match body.get(at) {
            Some(b'{') => Ok(Self { body, at: at + 1, first: true, level: Level::new() }),
            _ => Err(EnvelopeError::NotObject),
        }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<Member>, EnvelopeError> {
        let first = std::mem::take(&mut self.first);
        match (self.peek()?, first) {
            (b'}', _) => return Ok(None),
            (b'"', true) => {}
            (b',', false) => {
                self.at += 1;
                if self.peek()? != b'"' {
                    return Err(self.invalid("expected a member's name in double quotes"));
                }
            }
            (_, true) => return Err(self.invalid("expected a member's name in double quotes, or `}`")),
            (_, false) => return Err(self.invalid("expected `,` or `}`")),
        }
        let start = self.at + 1;
        let end = self.string_end(start)?;
        self.at = end + 1;
        if self.peek()? != b':' {
            return Err(self.invalid("expected `:` after a member's name"));
        }
        self.at += 1;
        Ok(Some(Member { key: Span { start, end }, value: self.value()? }))
    }

    #[inline(always)]
    fn value(&mut self) -> Result<Span, EnvelopeError> {
        let first = self.peek()?;
        let start = self.at;
        let end = match first {
            b'"' => self.string_end(start + 1)? + 1,
            b'{' | b'[' => {
                blocks::nest_end(self.level, self.body, start + 1).map_err(|error| match error {
                    Unclosed::Truncated => self.truncated(),
                    Unclosed::TooDeep => EnvelopeError::TooDeep { at: start },
                })?
            }
            _ => {
                let is_end =
                    |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'));
                let rest = &self.body[start..];
                start + rest.iter().position(is_end).ok_or_else(|| self.truncated())?
            }
        };
        if end == start {
            return Err(self.invalid("expected a value"));
        }
        self.at = end;
        Ok(Span { start, end })
    }

    #[inline(always)]
    fn string_end(&self, from: usize) -> Result<usize, EnvelopeError> {
        blocks::string_end(self.level, self.body, from).ok_or_else(|| self.truncated())
    }

    /// The next byte that is no whitespace.
    #[inline(always)]
    fn peek(&mut self) -> Result<u8, EnvelopeError> {
        self.at = skip_whitespace(self.body, self.at);
        self.body.get(self.at).copied().ok_or_else(|| self.truncated())
    }

    fn truncated(&self) -> EnvelopeError {
        EnvelopeError::Truncated { at: self.body.len() }
    }

    fn invalid(&self, what: &'static str) -> EnvelopeError {
        EnvelopeError::Invalid { at: self.at, what }
    }
}

impl Member {
    /// Where the member starts: its name's opening quote.
    pub(super) fn at(&self) -> usize {
        self.key.start - 1
    }

    /// Recognises this member's name. `candidate` gives the one name that has a certain length and, in lower
    /// case, a certain first byte. The last part of the answer says whether the name matches exactly, not only
    /// when the letters' case is ignored.
    #[inline(always)]
    pub(super) fn named<T>(
        &self,
        body: &[u8],
        candidate: impl Fn(usize, u8) -> Option<(&'static str, T)>,
    ) -> Result<Found<T>, EnvelopeError> {
        let key = self.key.of(body);
        // The longest name, every byte written as \u0000, has this many bytes.
        if key.len() > LONGEST * 6 {
            return Ok(None);
        }
        let found = recognise(key, &candidate);
        if found.is_some() || !key.contains(&b'\\') {
            return Ok(found);
        }
        let mut buffer = [0; LONGEST];
        match unescape(key, &mut buffer) {
            Ok(length) => Ok(length.and_then(|length| recognise(&buffer[..length], &candidate))),
            Err(offset) => Err(EnvelopeError::Invalid {
                at: self.key.start + offset,
                what: "a member's name holds an invalid escape",
            }),
        }
    }
}

type Found<T> = Option<(&'static str, T, bool)>;

#[inline(always)]
fn recognise<T>(key: &[u8], candidate: impl Fn(usize, u8) -> Option<(&'static str, T)>) -> Found<T> {
    let (name, field) = candidate(key.len(), key.first()?.to_ascii_lowercase())?;
    let exact = name.as_bytes() == key;
    (exact || name.as_bytes().eq_ignore_ascii_case(key)).then_some((name, field, exact))
}

pub(super) fn skip_whitespace(body: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = body.get(at) {
        at += 1;
    }
    at
}

/// Resolves the escapes of `key` into `buffer`. `None` when the outcome is not ASCII or does not fit, so that
/// it is no name of ours; an error is the position of an escape that JSON does not have.
fn unescape(key: &[u8], buffer: &mut [u8; LONGEST]) -> Result<Option<usize>, usize> {
    let (mut at, mut length) = (0, 0);
    let mut plain = true;
    while let Some(&byte) = key.get(at) {
        let (decoded, width) = if byte == b'\\' { escape(&key[at..]).ok_or(at)? } else { (byte.into(), 1) };
        at += width;
        match (u8::try_from(decoded), buffer.get_mut(length)) {
            (Ok(decoded), Some(slot)) if decoded.is_ascii() => *slot = decoded,
            // Go on: a bad escape further on is still an error.
            _ => plain = false,
        }
        length += 1;
    }
    Ok((plain && length <= buffer.len()).then_some(length))
}

/// One escape at the start of `text`: what it stands for (a UTF-16 unit) and its width in bytes.
fn escape(text: &[u8]) -> Option<(u16, usize)> {
    let plain = match *text.get(1)? {
        byte @ (b'"' | b'\\' | b'/') => byte,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let digits = text.get(2..6)?;
            let unit = digits
                .iter()
                .try_fold(0, |unit, digit| char::from(*digit).to_digit(16).map(|digit| unit * 16 + digit))?;
            return u16::try_from(unit).ok().map(|unit| (unit, 6));
        }
        _ => return None,
    };
    Some((plain.into(), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_are_resolved() {
        let mut buffer = [0; LONGEST];
        assert_eq!(unescape(br"mod\u0065l", &mut buffer), Ok(Some(5)));
        assert_eq!(&buffer[..5], b"model");
        assert_eq!(unescape(br"\u006D\u006f\/\n", &mut buffer), Ok(Some(4)));
        assert_eq!(&buffer[..4], b"mo/\n");
        assert_eq!(unescape(br"mod\u00e9l", &mut buffer), Ok(None));
        assert_eq!(unescape("é\\n".as_bytes(), &mut buffer), Ok(None));
        assert_eq!(unescape(&[b'a'; 25], &mut buffer), Ok(None));
    }

    #[test]
    fn escapes_that_json_does_not_have_are_errors() {
        let mut buffer = [0; LONGEST];
        assert_eq!(unescape(br"\model", &mut buffer), Err(0));
        assert_eq!(unescape(br"mod\u006", &mut buffer), Err(3));
        assert_eq!(unescape(br"mod\u+065l", &mut buffer), Err(3));
    }
}

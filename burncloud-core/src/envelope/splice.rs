//! Changing a few byte ranges of a body and leaving every other byte as it is.

use bytes::Bytes;

use super::members::{Members, skip_whitespace};
use super::{BYTE_ORDER_MARK, Envelope, Span};

/// Up to this size, copying the body once is cheaper than sending it in several pieces.
const COPY_LIMIT: usize = 16 * 1024;

/// One replacement: the bytes `at` become `with`. An empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub at: Span,
    /// What takes its place.
    pub with: Bytes,
}

/// Applies `edits` to `body`, sorting them by position. Edits that insert at the same position keep their
/// order.
///
/// A body of at most 16 KiB is copied into one new buffer. A larger one is not copied: the pieces between the
/// edits share it. (More than three edits are always copied.)
///
/// # Panics
///
/// When an edit lies outside `body` or overlaps another: the caller has mixed up two bodies, and sending the
/// outcome would be worse.
pub fn splice(body: &Bytes, edits: &mut [Edit]) -> Segments {
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let mut from = 0;
    for edit in &*edits {
        assert!(from <= edit.at.start && edit.at.start <= edit.at.end, "edits overlap");
        from = edit.at.end;
    }
    assert!(from <= body.len(), "an edit lies outside the body");
    if edits.is_empty() {
        return Segments::from(body.clone());
    }
    if body.len() <= COPY_LIMIT || edits.len() * 2 + 1 > Segments::CAPACITY {
        return Segments::from(copied(body, edits));
    }
    let (mut segments, mut from) = (Segments::default(), 0);
    for edit in &*edits {
        segments.push(body.slice(from..edit.at.start));
        segments.push(edit.with.clone());
        from = edit.at.end;
    }
    segments.push(body.slice(from..));
    segments
}

fn copied(body: &[u8], edits: &[Edit]) -> Bytes {
    let added: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let (mut buffer, mut from) = (Vec::with_capacity(body.len() + added), 0);
    for edit in edits {
        buffer.extend_from_slice(&body[from..edit.at.start]);
        buffer.extend_from_slice(&edit.with);
        from = edit.at.end;
    }
    buffer.extend_from_slice(&body[from..]);
    buffer.into()
}

/// A body in at most seven pieces, to be sent one after the other. Cloning copies no bytes.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    pieces: [Bytes; Self::CAPACITY],
    next: usize,
    end: usize,
}

impl Segments {
    const CAPACITY: usize = 7;

    /// Takes the first piece. No piece is empty.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        let piece = self.pieces[..self.end].get_mut(self.next)?;
        self.next += 1;
        Some(std::mem::take(piece))
    }

    /// The pieces that are left, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Bytes> {
        self.pieces[self.next..self.end].iter()
    }

    /// The number of bytes in all the pieces that are left.
    #[must_use]
    pub fn total_len(&self) -> usize {
        self.iter().map(Bytes::len).sum()
    }

    /// Whether no piece is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == self.end
    }

    /// The pieces that are left as one buffer. Copies when there are several.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match &self.pieces[self.next..self.end] {
            [] => Bytes::new(),
            [only] => only.clone(),
            several => several.concat().into(),
        }
    }

    /// The caller stays within `CAPACITY`.
    fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.pieces[self.end] = piece;
            self.end += 1;
        }
    }
}

impl From<Bytes> for Segments {
    fn from(body: Bytes) -> Self {
        let mut segments = Self::default();
        segments.push(body);
        segments
    }
}

impl Iterator for Segments {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Segments {}

impl<'a> IntoIterator for &'a Segments {
    type Item = &'a Bytes;
    type IntoIter = std::slice::Iter<'a, Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Envelope {
    /// The edit that makes `stream_options.include_usage` true, so that a stream ends with its usage; `None`
    /// when it is true already. `body` must be the bytes that were scanned.
    ///
    /// `stream_options` that is no object is replaced; other members of it are kept.
    #[must_use]
    pub fn include_usage_edit(&self, body: &[u8]) -> Option<Edit> {
        let insert = |at| Span { start: at, end: at };
        let (at, with): (Span, &'static [u8]) = match (self.stream_options, self.include_usage) {
            (_, Some((_, true))) => return None,
            (_, Some((value, false))) => (value, b"true"),
            (None, None) if self.empty => {
                (insert(self.object_end), br#""stream_options":{"include_usage":true}"#)
            }
            (None, None) => (insert(self.object_end), br#","stream_options":{"include_usage":true}"#),
            (Some(value), None) if value.of(body).first() != Some(&b'{') => {
                (value, br#"{"include_usage":true}"#)
            }
            (Some(value), None) => {
                let inside = value.start + 1;
                let first = body.get(skip_whitespace(body, inside));
                let member: &[u8] = if first == Some(&b'}') {
                    br#""include_usage":true"#
                } else {
                    br#""include_usage":true,"#
                };
                (insert(inside), member)
            }
        };
        Some(Edit { at, with: Bytes::from_static(with) })
    }
}

impl Envelope {
    /// The edit that makes the body name this model (a JSON string): in the place of another or of null, or as a
    /// member of its own; `None` when the body names it already. `body` must be the bytes that were scanned.
    #[must_use]
    pub fn model_edit(&self, body: &[u8], model: Bytes) -> Option<Edit> {
        let at = self.model.or_else(|| null_model(body));
        if let Some(at) = at {
            return (at.of(body) != &*model).then_some(Edit { at, with: model });
        }
        let comma: &[u8] = if self.empty { b"" } else { b"," };
        let at = Span { start: self.object_end, end: self.object_end };
        Some(Edit { at, with: [comma, b"\"model\":", &model].concat().into() })
    }
}

/// Where `model` is null: the scan leaves that out.
fn null_model(body: &[u8]) -> Option<Span> {
    let candidate = |length, first| ((length, first) == (5, b'm')).then_some(("model", ()));
    let from = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut members = Members::open(body, from).ok()?;
    while let Some(member) = members.next().ok()? {
        if let Some((_, (), true)) = member.named(body, candidate).ok()? {
            return Some(member.value);
        }
    }
    None
}

/// `text` as a JSON string literal, its quotes included, such as a mapped model's name for an [`Edit`].
#[must_use]
pub fn json_string(text: &str) -> Bytes {
    serde_json::to_vec(text).expect("any text is a JSON string").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, with: &'static str) -> Edit {
        Edit { at: Span { start, end }, with: Bytes::from_static(with.as_bytes()) }
    }

    fn with_model(body: &str) -> Option<String> {
        let envelope = Envelope::scan(body.as_bytes()).unwrap();
        let edit = envelope.model_edit(body.as_bytes(), json_string("m"))?;
        let spliced = splice(&Bytes::copy_from_slice(body.as_bytes()), &mut [edit]).to_bytes();
        Some(String::from_utf8(spliced.to_vec()).unwrap())
    }

    #[test]
    fn a_model_is_replaced_or_put_in() {
        for (body, want) in [
            (r#"{"model":"x","a":1}"#, r#"{"model":"m","a":1}"#),
            (r#"{"a":{"model":"y"},"model" : null }"#, r#"{"a":{"model":"y"},"model" : "m" }"#),
            (r#"{"a":1 }"#, r#"{"a":1 ,"model":"m"}"#),
            ("{}", r#"{"model":"m"}"#),
            ("\u{feff}{\"model\":null}", "\u{feff}{\"model\":\"m\"}"),
        ] {
            assert_eq!(with_model(body).as_deref(), Some(want), "{body}");
        }
        assert_eq!(with_model(r#"{"model":"m"}"#), None);
    }

    fn with_usage(body: &str) -> Option<String> {
        let envelope = Envelope::scan(body.as_bytes()).unwrap();
        let mut edits = [envelope.include_usage_edit(body.as_bytes())?];
        let spliced = splice(&Bytes::copy_from_slice(body.as_bytes()), &mut edits).to_bytes();
        Some(String::from_utf8(spliced.to_vec()).unwrap())
    }

    #[test]
    fn a_small_body_is_copied_once() {
        let body = Bytes::from_static(b"0123456789");
        let mut edits = [edit(8, 10, "end"), edit(2, 2, "two"), edit(0, 1, "")];
        let mut segments = splice(&body, &mut edits);
        assert_eq!(segments.total_len(), 13);
        assert_eq!(segments.pop_front().unwrap(), "1two234567end");
        assert!(segments.is_empty() && segments.pop_front().is_none());
    }

    #[test]
    fn a_large_body_is_shared() {
        let body = Bytes::from(vec![b'x'; COPY_LIMIT + 1]);
        let mut edits = [edit(1, 2, "ab"), edit(2, 2, ""), edit(COPY_LIMIT + 1, COPY_LIMIT + 1, "c")];
        let mut segments = splice(&body, &mut edits);
        let copy = segments.clone();
        assert_eq!(copy.total_len(), body.len() + 2);
        let pieces: Vec<Bytes> = copy.collect();
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces[2].as_ptr(), body[2..].as_ptr());
        assert_eq!(segments.to_bytes(), pieces.concat());
        assert_eq!(segments.pop_front().unwrap(), "x");
        assert_eq!(segments.iter().len(), 3);
    }

    #[test]
    fn more_edits_than_pieces_are_copied() {
        let body = Bytes::from(vec![b'x'; COPY_LIMIT + 1]);
        let mut edits = [edit(3, 3, "d"), edit(2, 2, "c"), edit(1, 1, "b"), edit(0, 0, "a")];
        let segments = splice(&body, &mut edits);
        assert_eq!(segments.iter().len(), 1);
        assert!(segments.to_bytes().starts_with(b"axbxcxdxx"));
    }

    #[test]
    fn no_edit_shares_the_body() {
        let body = Bytes::from_static(b"{}");
        assert_eq!(splice(&body, &mut []).to_bytes().as_ptr(), body.as_ptr());
        assert!(splice(&Bytes::new(), &mut []).is_empty());
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn overlapping_edits_panic() {
        splice(&Bytes::from_static(b"0123"), &mut [edit(0, 2, ""), edit(1, 3, "")]);
    }

    #[test]
    fn include_usage_is_asked_for_in_every_shape() {
        let cases = [
            ("{}", Some(r#"{"stream_options":{"include_usage":true}}"#)),
            (r#"{"n":1 } "#, Some(r#"{"n":1 ,"stream_options":{"include_usage":true}} "#)),
            (r#"{"stream_options":null}"#, Some(r#"{"stream_options":{"include_usage":true}}"#)),
            (r#"{"stream_options":[1]}"#, Some(r#"{"stream_options":{"include_usage":true}}"#)),
            (r#"{"stream_options":{ }}"#, Some(r#"{"stream_options":{"include_usage":true }}"#)),
            (r#"{"stream_options":{"a":1}}"#, Some(r#"{"stream_options":{"include_usage":true,"a":1}}"#)),
            (
                r#"{"stream_options":{"include_usage": false,"a":1}}"#,
                Some(r#"{"stream_options":{"include_usage": true,"a":1}}"#),
            ),
            (
                r#"{"stream_options":{"include_us\u0061ge":null}}"#,
                Some(r#"{"stream_options":{"include_us\u0061ge":true}}"#),
            ),
            (r#"{"stream_options":{"a":{},"include_usage":true}}"#, None),
        ];
        for (body, expected) in cases {
            assert_eq!(with_usage(body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn text_becomes_a_json_string() {
        assert_eq!(json_string("a\"b\\c\n"), r#""a\"b\\c\n""#);
    }
}

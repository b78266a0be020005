//! Form fields of a `multipart/form-data` body, such as the model's name beside an uploaded file.

use std::borrow::Cow;

use memchr::memmem::Finder;

use super::{EnvelopeError, Span};

/// Finds the value of the form field `name` in a `multipart/form-data` body.
///
/// `None` when there is no such field, or when it is a file. Lines may end in CRLF or in LF, as the first one
/// does. What comes before the first boundary and after the last is passed over.
///
/// # Errors
///
/// [`Truncated`](EnvelopeError::Truncated) when the closing boundary is missing,
/// [`Duplicate`](EnvelopeError::Duplicate) when two parts have that name, and
/// [`Invalid`](EnvelopeError::Invalid) when the content type names no boundary, or when the body could be
/// divided in two ways, because parsers differ on a line that starts with the boundary but is none.
pub fn multipart_field(content_type: &str, body: &[u8], name: &str) -> Result<Option<Span>, EnvelopeError> {
    let boundary = boundary(content_type)?;
    let mut parts = Parts::open(body, &boundary)?;
    let (mut found, mut seen) = (None, false);
    while let Some(part) = parts.next()? {
        let Some((disposition_name, is_file)) = disposition(body, part.head)? else { continue };
        if disposition_name != name.as_bytes() {
            continue;
        }
        // A file of that name counts: some parsers keep the last part, whatever it is.
        if seen {
            return Err(EnvelopeError::Duplicate { field: known(name), at: part.head.start });
        }
        seen = true;
        found = (!is_file).then_some(part.value);
    }
    Ok(found)
}

/// An error's field name must be static, so that no error carries a caller's data.
fn known(name: &str) -> &'static str {
    match name {
        "model" => "model",
        "stream" => "stream",
        _ => "form field",
    }
}

/// The delimiter's text without a line break: `--` and the boundary.
fn boundary(content_type: &str) -> Result<Vec<u8>, EnvelopeError> {
    let invalid = |what| EnvelopeError::Invalid { at: 0, what };
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(invalid("the content type is not multipart/form-data"));
    }
    let parameters = parameters_of(parameters.as_bytes()).ok_or(invalid("the content type is malformed"))?;
    let mut boundary = None;
    for (name, value) in parameters {
        if name.eq_ignore_ascii_case(b"boundary") && boundary.replace(value).is_some() {
            return Err(invalid("the content type names two boundaries"));
        }
    }
    match boundary {
        Some(boundary) if !boundary.is_empty() => Ok([b"--", &*boundary].concat()),
        _ => Err(invalid("the content type names no boundary")),
    }
}

/// One part: its header lines, and its value without the line break that belongs to the boundary.
struct Part {
    head: Span,
    value: Span,
}

struct Parts<'a> {
    body: &'a [u8],
    delimiter: Finder<'a>,
    newline: &'static [u8],
    /// After the newest delimiter's line; `None` after the closing one.
    at: Option<usize>,
}

impl<'a> Parts<'a> {
    fn open(body: &'a [u8], boundary: &'a [u8]) -> Result<Self, EnvelopeError> {
        let mut parts = Self { body, delimiter: Finder::new(boundary), newline: b"\r\n", at: None };
        let start = parts.delimiter_from(0)?;
        let line = &body[start..];
        let feed = memchr::memchr(b'\n', line);
        if feed.is_some_and(|feed| line[..feed].last() != Some(&b'\r')) {
            parts.newline = b"\n";
        }
        parts.at = parts.after_delimiter(start)?;
        Ok(parts)
    }

    fn next(&mut self) -> Result<Option<Part>, EnvelopeError> {
        let Some(start) = self.at else { return Ok(None) };
        let next = self.delimiter_from(start)?;
        // A part without any line is a delimiter right after another: it has no header, so no name.
        let Some(end) = next.checked_sub(self.newline.len()).filter(|end| *end >= start) else {
            return Err(EnvelopeError::Invalid { at: next, what: "a part of the form is empty" });
        };
        if !self.body[end..].starts_with(self.newline)
            || (self.newline == b"\n" && self.body[..end].ends_with(b"\r"))
        {
            return Err(EnvelopeError::Invalid { at: end, what: "line ends before the boundary are mixed" });
        }
        let head = self.head_end(start, end)?;
        self.at = self.after_delimiter(next)?;
        Ok(Some(Part {
            head: Span { start, end: head },
            value: Span { start: head + self.newline.len(), end },
        }))
    }

    /// The next line that starts with the delimiter.
    fn delimiter_from(&self, from: usize) -> Result<usize, EnvelopeError> {
        let truncated = EnvelopeError::Truncated { at: self.body.len() };
        let mut search = from;
        while let Some(offset) = self.delimiter.find(&self.body[search..]) {
            let at = search + offset;
            if at == 0 || self.body[at - 1] == b'\n' {
                return Ok(at);
            }
            // On to the next line: a delimiter holds no line break.
            search = at + memchr::memchr(b'\n', &self.body[at..]).ok_or(truncated)? + 1;
        }
        Err(truncated)
    }

    /// Where the part after the delimiter at `at` starts; `None` when that delimiter is the closing one.
    fn after_delimiter(&self, at: usize) -> Result<Option<usize>, EnvelopeError> {
        let rest = &self.body[at + self.delimiter.needle().len()..];
        let closing = rest.starts_with(b"--");
        let rest = if closing { &rest[2..] } else { rest };
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match &rest[padding..] {
            [] | [b'\r' | b'\n', ..] if closing => Ok(None),
            [] | [b'\r'] | [b'-'] => Err(EnvelopeError::Truncated { at: self.body.len() }),
            line if !closing && line.starts_with(self.newline) => {
                Ok(Some(self.body.len() - line.len() + self.newline.len()))
            }
            _ => {
                let what = "a line starts with the form's boundary but is none: choose another boundary";
                Err(EnvelopeError::Invalid { at, what })
            }
        }
    }

    /// Where the empty line after the headers of the part `start..end` is.
    fn head_end(&self, start: usize, end: usize) -> Result<usize, EnvelopeError> {
        let mut line = start;
        while line < end && !self.body[line..end].starts_with(self.newline) {
            line = memchr::memchr(b'\n', &self.body[line..end]).map_or(end, |feed| line + feed + 1);
        }
        if line == end {
            let what = "a part of the form has no empty line after its headers";
            return Err(EnvelopeError::Invalid { at: start, what });
        }
        Ok(line)
    }
}

/// A part's name, and whether the part is a file.
type Named<'a> = (Cow<'a, [u8]>, bool);

/// Reads a part's `Content-Disposition`; `None` when it has no name.
fn disposition(body: &[u8], head: Span) -> Result<Option<Named<'_>>, EnvelopeError> {
    let invalid = |what| EnvelopeError::Invalid { at: head.start, what };
    let mut disposition = None;
    for line in head.of(body).split(|byte| *byte == b'\n') {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(invalid("a header in the form is folded: write it on one line"));
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let is_disposition = line[..colon].trim_ascii().eq_ignore_ascii_case(b"content-disposition");
        if is_disposition && disposition.replace(&line[colon + 1..]).is_some() {
            return Err(invalid("a part of the form has two `Content-Disposition` headers"));
        }
    }
    let Some(value) = disposition else { return Ok(None) };
    let semicolon = memchr::memchr(b';', value).unwrap_or(value.len());
    if !value[..semicolon].trim_ascii().eq_ignore_ascii_case(b"form-data") {
        return Ok(None);
    }
    let parameters = parameters_of(&value[semicolon..])
        .ok_or(invalid("a `Content-Disposition` header in the form is malformed"))?;
    let (mut name, mut is_file) = (None, false);
    for (key, value) in parameters {
        match key.to_ascii_lowercase().as_slice() {
            b"name" if name.replace(value).is_some() => {
                return Err(invalid("a part of the form has two names"));
            }
            b"name*" => return Err(invalid("a part of the form is named by `name*`: use `name`")),
            b"filename" | b"filename*" => is_file = true,
            _ => {}
        }
    }
    Ok(name.map(|name| (name, is_file)))
}

type Parameter<'a> = (&'a [u8], Cow<'a, [u8]>);

/// `; name=value; name="quoted value"`, or `None` when it is anything else.
fn parameters_of(mut text: &[u8]) -> Option<Vec<Parameter<'_>>> {
    let mut parameters = Vec::new();
    loop {
        text = text.trim_ascii_start();
        if let Some(rest) = text.strip_prefix(b";") {
            text = rest;
            continue;
        }
        if text.is_empty() {
            return Some(parameters);
        }
        let equals = text.iter().position(|byte| matches!(byte, b'=' | b';' | b'"'))?;
        let name = text[..equals].trim_ascii();
        let rest = text[equals..].strip_prefix(b"=")?.trim_ascii_start();
        let (value, rest) = match rest.strip_prefix(b"\"") {
            Some(rest) => quoted(rest)?,
            None => {
                let (value, rest) = rest.split_at(memchr::memchr(b';', rest).unwrap_or(rest.len()));
                (Cow::Borrowed(value.trim_ascii()), rest)
            }
        };
        let rest = rest.trim_ascii_start();
        if name.is_empty() || !(rest.is_empty() || rest.starts_with(b";")) {
            return None;
        }
        parameters.push((name, value));
        text = rest;
    }
}

/// The text up to the closing quote, and what follows. A backslash escapes a quote or itself alone, since
/// browsers send Windows paths as they are.
fn quoted(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let end = memchr::memchr2(b'"', b'\\', text)?;
    if text[end] == b'"' {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let (mut value, mut at) = (text[..end].to_vec(), end);
    loop {
        match (*text.get(at)?, text.get(at + 1)) {
            (b'"', _) => return Some((Cow::Owned(value), &text[at + 1..])),
            (b'\\', Some(&escaped @ (b'"' | b'\\'))) => {
                value.push(escaped);
                at += 2;
            }
            (byte, _) => {
                value.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    fn find(body: &str, name: &str) -> Result<Option<String>, EnvelopeError> {
        let found = multipart_field(TYPE, body.as_bytes(), name)?;
        Ok(found.map(|span| String::from_utf8_lossy(span.of(body.as_bytes())).into_owned()))
    }

    fn form(parts: &[(&str, &[u8])], newline: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for (disposition, value) in parts {
            let head = format!("--XX{newline}Content-Disposition: {disposition}{newline}{newline}");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(newline.as_bytes());
        }
        body.extend_from_slice(b"--XX--");
        body.extend_from_slice(newline.as_bytes());
        body
    }

    fn text(parts: &[(&str, &[u8])]) -> String {
        String::from_utf8(form(parts, "\r\n")).unwrap()
    }

    #[test]
    fn fields_are_found_beside_files() {
        for newline in ["\r\n", "\n"] {
            let parts: [(&str, &[u8]); 4] = [
                ("form-data; name=\"file\"; filename=\"a.wav\"", b" --XX -- \xff\n--X\n --XX--"),
                ("form-data; name=\"model\"", b"whisper-1"),
                ("FORM-DATA; Name=stream", b"true"),
                ("form-data; name=\"prompt\"", b""),
            ];
            let body = form(&parts, newline);
            for (name, value) in [("model", b"whisper-1".as_slice()), ("stream", b"true"), ("prompt", b"")] {
                let span = multipart_field(TYPE, &body, name).unwrap().unwrap();
                assert_eq!(span.of(&body), value);
            }
            assert_eq!(multipart_field(TYPE, &body, "file"), Ok(None));
            assert_eq!(multipart_field(TYPE, &body, "mode"), Ok(None));
        }
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        for second in
            ["form-data; name=model", "form-data; filename=x; name=\"model\"", "form-data;name=\"model\";"]
        {
            let body = text(&[("form-data; name=\"model\"", b"a"), (second, b"b")]);
            assert!(
                matches!(find(&body, "model"), Err(EnvelopeError::Duplicate { field: "model", .. })),
                "{second}"
            );
        }
    }

    #[test]
    fn ambiguous_forms_are_refused() {
        let model = "form-data; name=\"model\"";
        let invalid = [
            text(&[(model, b"a\r\n--XXX\r\nb")]),
            text(&[(model, b"a\r\n--XX--b")]),
            text(&[(model, b"a\n--XX\nContent-Disposition: form-data; name=b\n\nc")]),
            text(&[("form-data; name=\"a\"; name=\"model\"", b"a")]),
            text(&[("form-data; name*=utf-8''model", b"a")]),
            text(&[("form-data;\r\n name=\"model\"", b"a")]),
            text(&[("form-data; name=\"model", b"a")]),
            text(&[("form-data; name=a\r\nContent-Disposition: form-data; name=model", b"a")]),
            "--XX\r\n--XX--\r\n".to_owned(),
            "--XX\r\nContent-Disposition: form-data; name=model\r\n--XX--\r\n".to_owned(),
        ];
        for body in invalid {
            assert!(matches!(find(&body, "model"), Err(EnvelopeError::Invalid { .. })), "{body}");
        }
    }

    #[test]
    fn text_around_the_form_is_passed_over() {
        let form = text(&[("form-data; name=\"model\"", b"a")]);
        assert_eq!(find(&format!("preamble\r\n{form}--XX epilogue"), "model"), Ok(Some("a".into())));
        assert_eq!(find("--XX--", "model"), Ok(None));
    }

    #[test]
    fn the_boundary_comes_from_the_content_type() {
        let boundary = |kind| boundary(kind).map(|text| String::from_utf8(text).unwrap());
        assert_eq!(boundary("multipart/form-data; charset=utf-8; BOUNDARY=a-b "), Ok("--a-b".into()));
        assert_eq!(boundary("Multipart/Form-Data;boundary=\"a;\\\"b\""), Ok("--a;\"b".into()));
        for kind in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"a",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/mixed; boundary=a",
            "application/json",
        ] {
            assert!(matches!(boundary(kind), Err(EnvelopeError::Invalid { at: 0, .. })), "{kind}");
        }
    }

    proptest! {
        #[test]
        fn a_file_may_hold_anything_but_the_boundary(
            pieces in vec(prop_oneof![
                Just(b"\r\n".to_vec()),
                Just(b"\n".to_vec()),
                Just(b"\r".to_vec()),
                Just(b"--".to_vec()),
                Just(b"--X".to_vec()),
                Just(b"X".to_vec()),
                Just(b" --XX\r\n".to_vec()),
                Just(b"Content-Disposition: form-data; name=\"model\"\r\n\r\n".to_vec()),
                vec(any::<u8>(), 0..9),
            ], 0..24),
        ) {
            let file = pieces.concat();
            let holds_boundary = memchr::memmem::find(&[b"\n", &*file].concat(), b"\n--XX").is_some();
            let model = ("form-data; name=\"model\"", b"whisper-1".as_slice());
            let upload = ("form-data; name=\"file\"; filename=\"a\"", &*file);
            for parts in [[model, upload], [upload, model]] {
                let body = form(&parts, "\r\n");
                let found = multipart_field(TYPE, &body, "model");
                // A file that holds the boundary ends there; only its sender can avoid that.
                if !holds_boundary {
                    prop_assert_eq!(found.unwrap().unwrap().of(&body), b"whisper-1");
                }
            }
        }

        #[test]
        fn every_truncation_is_an_error(value in "[a-z\r\n-]{0,20}", at in any::<prop::sample::Index>()) {
            let body = text(&[("form-data; name=\"model\"", value.as_bytes()), ("form-data; name=x", b"y")]);
            let whole = body.trim_end().len();
            prop_assert_eq!(find(&body, "model").unwrap().unwrap(), value);
            prop_assert!(find(&body[..at.index(whole)], "model").is_err());
        }

        #[test]
        fn random_bytes_never_panic(body in "(\\PC|--XX|\r\n|\n|: |;|\"|Content-Disposition: form-data; name=){0,40}", kind in "\\PC{0,20}") {
            let _ = multipart_field(TYPE, body.as_bytes(), "model");
            let _ = multipart_field(&format!("multipart/form-data;{kind}"), body.as_bytes(), "model");
        }
    }
}

//! YAML (and so JSON) read into nodes that know where they stand.

use crate::transform::TransformError;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// Bytes of a document.
const MAX_BYTES: usize = 256 * 1024;
/// Levels of a document.
const MAX_DEPTH: usize = 64;

/// A line and a column, from 1.
pub(super) type Mark = (usize, usize);

/// A part of a document.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Text; `plain` where it is not quoted and may mean a number.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key, and where it stands.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) mark: Mark,
    pub(super) text: String,
}

impl Node {
    /// Reads a document; an empty one is an empty map.
    pub(super) fn read(text: &str) -> Result<Node, TransformError> {
        if text.len() > MAX_BYTES {
            return Err(fault((1, 1), format!("the document is longer than {MAX_BYTES} bytes")));
        }
        let mut reader = Reader { parser: Parser::new_from_str(text) };
        let mut found = None;
        loop {
            let (event, mark) = reader.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => (),
                _ if found.is_some() => {
                    return Err(fault(mark, "one document only; take out what follows `---`"));
                }
                event => found = Some(reader.node(event, mark, 0)?),
            }
        }
        Ok(found.filter(|node| !node.is_null()).unwrap_or(Node { mark: (1, 1), kind: Kind::Map(Vec::new()) }))
    }

    pub(super) fn error(&self, message: impl Into<String>) -> TransformError {
        fault(self.mark, message)
    }

    /// `~`, `null`, or nothing at all.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if scalar(text).is_ok_and(|v| v.is_null()))
    }

    /// What it is, for a message.
    pub(super) fn name(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a table",
            Kind::Scalar { text, plain: true } => match scalar(text) {
                Ok(Value::Null) => "nothing",
                Ok(Value::Bool(_)) => "a yes or no",
                Ok(Value::Number(_)) => "a number",
                _ => "a text",
            },
            Kind::Scalar { .. } => "a text",
        }
    }

    /// A text. Numbers and such are texts too where nothing else is wanted.
    pub(super) fn text(&self, wanted: &str) -> Result<&str, TransformError> {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => Ok(text),
            _ => Err(self.error(format!("{} stands here; write {wanted}", self.name()))),
        }
    }

    /// What it means in JSON.
    pub(super) fn value(&self) -> Result<Value, TransformError> {
        Ok(match &self.kind {
            Kind::Scalar { text, plain: false } => Value::String(text.clone()),
            Kind::Scalar { text, plain: true } => scalar(text).map_err(|message| self.error(message))?,
            Kind::List(items) => Value::Array(items.iter().map(Node::value).collect::<Result<_, _>>()?),
            Kind::Map(entries) => {
                let members = entries.iter().map(|(key, node)| Ok((key.text.clone(), node.value()?)));
                Value::Object(members.collect::<Result<Map<_, _>, TransformError>>()?)
            }
        })
    }
}

pub(super) fn fault(mark: Mark, message: impl Into<String>) -> TransformError {
    TransformError::new("transforms", message).at(mark)
}

/// A plain text by YAML 1.2's core schema.
fn scalar(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => return number(text),
    })
}

fn number(text: &str) -> Result<Value, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = digits.strip_prefix('.').unwrap_or(digits).starts_with(|c: char| c.is_ascii_digit());
    let only = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if !numeric || !digits.chars().all(only) {
        return Ok(Value::String(text.to_owned()));
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = plain.parse::<i64>() {
        return Ok(number.into());
    }
    if let Ok(number) = plain.parse::<u64>() {
        return Ok(number.into());
    }
    match plain.parse::<f64>() {
        // Dates and versions (2026-10-21, 1.2.3) are no numbers but look like ones.
        Err(_) => Ok(Value::String(text.to_owned())),
        Ok(number) => Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("`{text}` is too large for a number; quote it to mean the text")),
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Mark), TransformError> {
        match self.parser.next() {
            Some(Ok((event, span))) => Ok((event, mark(&span.start))),
            Some(Err(error)) => Err(fault(mark(error.marker()), format!("not YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, (1, 1))),
        }
    }

    fn node(&mut self, event: Event<'a>, mark: Mark, depth: usize) -> Result<Node, TransformError> {
        if depth > MAX_DEPTH {
            return Err(fault(mark, format!("the document has more than {MAX_DEPTH} levels")));
        }
        let kind = match event {
            Event::Scalar(text, style, anchor, tag) => {
                ordinary(mark, anchor, tag.as_ref())?;
                Kind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(anchor, tag) => {
                ordinary(mark, anchor, tag.as_ref())?;
                self.list(depth)?
            }
            Event::MappingStart(anchor, tag) => {
                ordinary(mark, anchor, tag.as_ref())?;
                self.map(depth)?
            }
            Event::Alias(_) => return Err(fault(mark, "aliases (*name) are not taken; write it out")),
            _ => return Err(fault(mark, "not YAML")),
        };
        Ok(Node { mark, kind })
    }

    fn list(&mut self, depth: usize) -> Result<Kind, TransformError> {
        let mut items = Vec::new();
        loop {
            let (event, mark) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Kind::List(items));
            }
            items.push(self.node(event, mark, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Kind, TransformError> {
        let mut entries = Vec::new();
        let mut taken = HashSet::new();
        loop {
            let (event, mark) = self.next()?;
            let text = match event {
                Event::MappingEnd => return Ok(Kind::Map(entries)),
                Event::Scalar(text, _, anchor, tag) => {
                    ordinary(mark, anchor, tag.as_ref())?;
                    text.into_owned()
                }
                _ => return Err(fault(mark, "a key is a text")),
            };
            if !taken.insert(text.clone()) {
                return Err(fault(mark, format!("`{}` stands here twice", short(&text))));
            }
            let (event, at) = self.next()?;
            let node = self.node(event, at, depth + 1)?;
            entries.push((Key { mark, text }, node));
        }
    }
}

fn ordinary(mark: Mark, anchor: usize, tag: Option<&Cow<'_, Tag>>) -> Result<(), TransformError> {
    match (anchor, tag) {
        (0, None) => Ok(()),
        (0, Some(_)) => Err(fault(mark, "tags (!name) are not taken; quote the text if it begins with `!`")),
        _ => Err(fault(mark, "anchors (&name) are not taken; write it out")),
    }
}

fn mark(marker: &Marker) -> Mark {
    (marker.line(), marker.col() + 1)
}

/// A text that somebody wrote, short enough for a message.
pub(super) fn short(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_and_json_mean_the_same() {
        let wanted =
            json!({"a": [1, -2, 0.5, "1", true, null, "2026-10-21", "1.2.3", "no"], "b": {"c": "x: y"}});
        let yaml = "a: [1, -2, 0.5, '1', true, ~, 2026-10-21, 1.2.3, no]\nb:\n  c: 'x: y'\n";
        assert_eq!(Node::read(yaml).unwrap().value().unwrap(), wanted);
        assert_eq!(Node::read(&wanted.to_string()).unwrap().value().unwrap(), wanted);
        let tabs = serde_json::to_string_pretty(&wanted).unwrap().replace("  ", "\t");
        assert_eq!(Node::read(&tabs).unwrap().value().unwrap(), wanted);
        assert_eq!(Node::read("# nothing\n").unwrap().value().unwrap(), json!({}));
    }

    #[test]
    fn faults_have_a_place() {
        let cases = [
            ("a: 1\nb: [", (2, 5)),
            ("a: 1\na: 2\n", (2, 1)),
            ("a: &x 1\n", (1, 4)),
            ("a: *x\n", (1, 4)),
            ("a: !!int 1\n", (1, 4)),
            ("a: 1\n---\nb: 2\n", (3, 1)),
            ("? [a]\n: b\n", (1, 3)),
        ];
        for (text, at) in cases {
            let error = Node::read(text).unwrap_err();
            let place = (error.line.unwrap(), error.column.unwrap());
            // The scanner's own faults are placed where it noticed them.
            assert!(place == at || error.message.starts_with("not YAML"), "{text:?}: {error} at {place:?}");
            assert_eq!(place.0, at.0.max(place.0));
        }
        assert!(Node::read(&"[".repeat(100_000)).is_err());
        assert!(Node::read(&"a".repeat(MAX_BYTES + 1)).is_err());
    }
}

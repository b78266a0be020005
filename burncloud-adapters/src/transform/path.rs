//! Paths into JSON: `messages[].role`, `a.b[0].c`, `tools[-1]`, `["odd.key"].x`.

use serde_json::{Map, Value};
use std::fmt;

/// How many steps a path may have.
pub(super) const MAX_DEPTH: usize = 32;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Of an object.
    Key(Box<str>),
    /// Of an array; below zero from its end.
    Index(i64),
    /// Every element of an array.
    Each,
}

/// A place, or several, in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Segment>);

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if segments.len() == MAX_DEPTH {
                return Err(format!("the path has more than {MAX_DEPTH} steps"));
            }
            let (segment, after) = match rest.strip_prefix('[') {
                Some(inner) => bracket(text, inner)?,
                None => key(text, if segments.is_empty() { Some(rest) } else { rest.strip_prefix('.') })?,
            };
            segments.push(segment);
            rest = after;
        }
        if segments.is_empty() {
            return Err("the path is empty; write one such as `messages[].role`".to_owned());
        }
        Ok(Path(segments))
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The key at its end.
    pub(super) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// What comes after the last `[]`, and what comes before it, `[]` included.
    pub(super) fn split_at_each(&self) -> (&[Segment], &[Segment]) {
        let at = self.0.iter().rposition(|s| *s == Segment::Each).map_or(0, |at| at + 1);
        self.0.split_at(at)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(&self.0))
    }
}

/// A path as it is written.
pub(super) fn show(path: &[Segment]) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Key(key) if key.chars().all(is_plain) && !key.is_empty() => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Segment::Key(key) => out.push_str(&format!("[{}]", Value::from(&**key))),
            Segment::Index(index) => out.push_str(&format!("[{index}]")),
            Segment::Each => out.push_str("[]"),
        }
    }
    out
}

fn is_plain(c: char) -> bool {
    !c.is_control() && !c.is_whitespace() && !matches!(c, '.' | '[' | ']' | '"' | '\'' | '*')
}

fn key<'a>(path: &str, rest: Option<&'a str>) -> Result<(Segment, &'a str), String> {
    let rest = rest.ok_or_else(|| format!("`{path}`: a `.` or `[` is missing after `]`"))?;
    let end = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
    if end == 0 {
        return Err(format!("`{path}`: a name is missing; quote odd keys as [\"x.y\"]"));
    }
    let (name, after) = rest.split_at(end);
    if !after.is_empty() && !after.starts_with(['.', '[']) {
        return Err(format!("`{path}`: odd character after `{name}`; quote odd keys as [\"x y\"]"));
    }
    Ok((Segment::Key(name.into()), after))
}

fn bracket<'a>(path: &str, inner: &'a str) -> Result<(Segment, &'a str), String> {
    if inner.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let name = stream.next().and_then(Result::ok);
        let after = inner.get(stream.byte_offset()..).and_then(|after| after.strip_prefix(']'));
        return match (name, after) {
            (Some(name), Some(after)) => Ok((Segment::Key(name.into()), after)),
            _ => Err(format!("`{path}`: the quoted key has no end; write it as [\"x.y\"]")),
        };
    }
    let (index, after) = inner.split_once(']').ok_or_else(|| format!("`{path}`: a `]` is missing"))?;
    if index.is_empty() {
        return Ok((Segment::Each, after));
    }
    let index = index.parse().map_err(|_| {
        format!("`{path}`: `[{index}]` is neither [] (every element) nor a number such as [0] or [-1]")
    })?;
    Ok((Segment::Index(index), after))
}

/// The element an index means, in an array of `len`.
pub(super) fn resolve(index: i64, len: usize) -> Option<usize> {
    let from_end = || len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
    let at = if index < 0 { from_end()? } else { usize::try_from(index).ok()? };
    (at < len).then_some(at)
}

/// Calls `look` with each value there is at the path until it says true; whether it did.
pub(super) fn any(value: &Value, path: &[Segment], look: &mut dyn FnMut(&Value) -> bool) -> bool {
    match (path.split_first(), value) {
        (None, value) => look(value),
        (Some((Segment::Key(key), rest)), Value::Object(map)) => {
            map.get(&**key).is_some_and(|value| any(value, rest, look))
        }
        (Some((Segment::Index(index), rest)), Value::Array(items)) => {
            resolve(*index, items.len()).is_some_and(|at| any(&items[at], rest, look))
        }
        (Some((Segment::Each, rest)), Value::Array(items)) => {
            items.iter().any(|value| any(value, rest, look))
        }
        _ => false,
    }
}

/// Calls `edit` with each value there is at the path; how often it changed one.
pub(super) fn each(
    value: &mut Value,
    path: &[Segment],
    edit: &mut dyn FnMut(&mut Value) -> Result<usize, TooMuch>,
) -> Result<usize, TooMuch> {
    match (path.split_first(), value) {
        (None, value) => edit(value),
        (Some((Segment::Key(key), rest)), Value::Object(map)) => {
            map.get_mut(&**key).map_or(Ok(0), |value| each(value, rest, edit))
        }
        (Some((Segment::Index(index), rest)), Value::Array(items)) => match resolve(*index, items.len()) {
            Some(at) => each(&mut items[at], rest, edit),
            None => Ok(0),
        },
        (Some((Segment::Each, rest)), Value::Array(items)) => {
            let mut changed = 0;
            for value in items {
                changed += each(value, rest, edit)?;
            }
            Ok(changed)
        }
        _ => Ok(0),
    }
}

/// The steps would write more than the bound.
#[derive(Debug)]
pub(super) struct TooMuch;

/// Calls `edit` with each place at the path, objects on the way made where there is none (or null).
pub(super) fn make(
    value: &mut Value,
    path: &[Segment],
    edit: &mut dyn FnMut(Place<'_>) -> Result<usize, TooMuch>,
) -> Result<usize, TooMuch> {
    let Some((segment, rest)) = path.split_first() else { return edit(Place::There(value)) };
    match (segment, value) {
        (Segment::Key(key), Value::Object(map)) => make_member(map, key, rest, edit),
        (Segment::Key(key), value @ Value::Null) => {
            let mut map = Map::new();
            let changed = make_member(&mut map, key, rest, edit)?;
            if changed > 0 {
                *value = Value::Object(map);
            }
            Ok(changed)
        }
        (Segment::Index(index), Value::Array(items)) => match resolve(*index, items.len()) {
            Some(at) => make(&mut items[at], rest, edit),
            None => Ok(0),
        },
        (Segment::Each, Value::Array(items)) => {
            let mut changed = 0;
            for value in items {
                changed += make(value, rest, edit)?;
            }
            Ok(changed)
        }
        _ => Ok(0),
    }
}

/// Where something may be written.
pub(super) enum Place<'a> {
    /// Something is there.
    There(&'a mut Value),
    /// The key is not there.
    Free(&'a mut Map<String, Value>, &'a str),
}

fn make_member(
    map: &mut Map<String, Value>,
    key: &str,
    rest: &[Segment],
    edit: &mut dyn FnMut(Place<'_>) -> Result<usize, TooMuch>,
) -> Result<usize, TooMuch> {
    if let Some(value) = map.get_mut(key) {
        return make(value, rest, edit);
    }
    if rest.is_empty() {
        return edit(Place::Free(map, key));
    }
    let mut made = Value::Null;
    let changed = make(&mut made, rest, edit)?;
    if changed > 0 {
        map.insert(key.to_owned(), made);
    }
    Ok(changed)
}

/// Takes out what is at the path; how many values went.
pub(super) fn remove(value: &mut Value, path: &[Segment]) -> usize {
    let Some((last, before)) = path.split_last() else { return 0 };
    let gone = each(value, before, &mut |value| {
        Ok(match (last, value) {
            (Segment::Key(key), Value::Object(map)) => usize::from(map.shift_remove(&**key).is_some()),
            (Segment::Index(index), Value::Array(items)) => match resolve(*index, items.len()) {
                Some(at) => {
                    items.remove(at);
                    1
                }
                None => 0,
            },
            (Segment::Each, Value::Array(items)) => std::mem::take(items).len(),
            _ => 0,
        })
    });
    gone.unwrap_or_default()
}

/// The one value at a path without `[]`.
pub(super) fn get_mut<'a>(value: &'a mut Value, path: &[Segment]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, segment| match (segment, value) {
        (Segment::Key(key), Value::Object(map)) => map.get_mut(&**key),
        (Segment::Index(index), Value::Array(items)) => {
            let at = resolve(*index, items.len())?;
            items.get_mut(at)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_read_and_written() {
        for text in [
            "a",
            "messages[].role",
            "a.b[0].c",
            "tools[-1]",
            "[\"x.y\"].z",
            "[].a",
            "a[\"\"]",
            "a-b.$ref",
            "é",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_told() {
        let deep = vec!["a"; 33].join(".");
        for text in [
            "", ".", "a.", ".a", "a..b", "a b", "a[", "a[x]", "a]b", "a[0]b", "a[\"b]", "a[\"b\"", "a[*]",
            "*", &deep,
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn indexes_count_from_both_ends() {
        assert_eq!(
            (resolve(0, 2), resolve(2, 2), resolve(-1, 2), resolve(-3, 2)),
            (Some(0), None, Some(1), None)
        );
        assert_eq!((resolve(i64::MIN, 2), resolve(i64::MAX, 2), resolve(0, 0)), (None, None, None));
    }

    #[test]
    fn removal_keeps_the_order_of_the_rest() {
        let mut value = json!({"a": 1, "b": 2, "c": [{"d": 1, "e": 2}, {"d": 3}]});
        assert_eq!(remove(&mut value, Path::parse("a").unwrap().segments()), 1);
        assert_eq!(remove(&mut value, Path::parse("c[].d").unwrap().segments()), 2);
        assert_eq!(value.to_string(), r#"{"b":2,"c":[{"e":2},{}]}"#);
    }
}

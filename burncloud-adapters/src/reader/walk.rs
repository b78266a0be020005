//! Walks a small JSON value, such as a usage report, member by member.
//!
//! Reports are read leniently: each scalar comes with its path, and a field of an unexpected type, twice
//! present, or unknown costs no other.

use super::json::string_end;

/// Deeper values are not read; no report nests so far.
const DEEPEST: usize = 8;

/// Takes a value's parts. The path holds the keys from the top, empty for an element of a list.
pub(crate) trait Visit {
    /// A number, string (with its quotes, escapes as they stand), `true`, `false` or `null`.
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]);

    /// An object or list at this path has ended.
    fn close(&mut self, _path: &[&[u8]]) {}
}

/// Visits every part of `raw` in order. What is not JSON ends the walk.
pub(crate) fn walk(raw: &[u8], visitor: &mut impl Visit) {
    let mut path: [&[u8]; DEEPEST] = [b""; DEEPEST];
    let mut objects = [false; DEEPEST];
    let (mut depth, mut at, mut keyed) = (0, 0, false);
    while let Some(byte) = raw.get(at) {
        let start = at;
        at += 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b':' | b',' => continue,
            b'{' | b'[' => {
                if depth == DEEPEST {
                    return;
                }
                objects[depth] = *byte == b'{';
                path[depth] = b"";
                depth += 1;
                keyed = false;
                continue;
            }
            b'}' | b']' => {
                if depth < 2 {
                    return;
                }
                depth -= 1;
                visitor.close(&path[..depth]);
            }
            b'"' => {
                let Some(end) = string_end(raw, at, &mut false) else { return };
                at = end + 1;
                if depth > 0 && objects[depth - 1] && !keyed {
                    path[depth - 1] = &raw[start + 1..end];
                    keyed = true;
                    continue;
                }
                visitor.scalar(&path[..depth], &raw[start..at]);
            }
            _ => {
                let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                at = raw[at..].iter().position(ends).map_or(raw.len(), |offset| at + offset);
                visitor.scalar(&path[..depth], &raw[start..at]);
            }
        }
        keyed = false;
    }
}

/// A count. Also as a text or with a fraction; what is negative is 0, what is no number is none.
pub(crate) fn count(raw: &[u8]) -> Option<u64> {
    if raw.len() <= 18 && raw.iter().all(u8::is_ascii_digit) {
        return Some(raw.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')));
    }
    let text = text(raw).unwrap_or(std::str::from_utf8(raw).ok()?);
    text.parse().ok().or_else(|| float(text).map(whole))
}

/// A number of seconds in milliseconds, a begun one counts.
pub(crate) fn millis(raw: &[u8]) -> Option<u64> {
    let text = text(raw).unwrap_or(std::str::from_utf8(raw).ok()?);
    float(text).map(|seconds| whole((seconds * 1000.0).ceil()))
}

/// A string without its quotes, escapes as they stand.
pub(crate) fn text(raw: &[u8]) -> Option<&str> {
    std::str::from_utf8(raw).ok()?.strip_prefix('"')?.strip_suffix('"')
}

fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// The cast saturates: what is negative becomes 0.
fn whole(n: f64) -> u64 {
    n as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Lines(Vec<String>);

    impl Visit for Lines {
        fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
            let path = path.iter().map(|p| String::from_utf8_lossy(p)).collect::<Vec<_>>().join("/");
            self.0.push(format!("{path}={}", String::from_utf8_lossy(raw)));
        }

        fn close(&mut self, path: &[&[u8]]) {
            self.0.push(format!("{} closed", String::from_utf8_lossy(&path.join(&b'/'))));
        }
    }

    #[test]
    fn every_scalar_comes_with_its_path() {
        let mut lines = Lines::default();
        walk(br#" {"a" : 1,"b":{"c":"x\"}","d":[2 ,{"e":null}],"f":{}},"a":true}"#, &mut lines);
        let expect = [
            "a=1",
            r#"b/c="x\"}""#,
            "b/d/=2",
            "b/d//e=null",
            "b/d/ closed",
            "b/d closed",
            "b/f closed",
            "b closed",
            "a=true",
        ];
        assert_eq!(lines.0, expect);
    }

    #[test]
    fn numbers_are_read_leniently() {
        for (raw, expect) in [
            ("0", Some(0)),
            ("7.9", Some(7)),
            ("\"7\"", Some(7)),
            ("-7", Some(0)),
            ("1e3", Some(1000)),
            ("1e99", Some(u64::MAX)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999", Some(u64::MAX)),
            ("null", None),
            ("true", None),
            ("\"x\"", None),
            ("NaN", None),
        ] {
            assert_eq!(count(raw.as_bytes()), expect, "{raw}");
        }
        assert_eq!((millis(b"1.0001"), millis(b"9"), millis(b"\"x\"")), (Some(1001), Some(9000), None));
    }

    proptest! {
        #[test]
        fn anything_may_come(text in "[\\[\\]{}\",:\\\\ a1]{0,100}") {
            walk(text.as_bytes(), &mut Lines::default());
        }
    }
}

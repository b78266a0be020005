//! How two documents differ.

use super::path::{Segment, show};
use serde_json::Value;

/// Paths reported at most.
const MAX_PATHS: usize = 1000;
/// Lines compared one with another; longer texts are shown as gone and come.
const MAX_LINES: usize = 4000;
/// Lines around a change.
const AROUND: usize = 3;

/// Where two documents differ. What is there on one side only is named once, at its root.
pub(super) fn paths(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(before, after, &mut Vec::new(), &mut found);
    found
}

fn walk(before: &Value, after: &Value, at: &mut Vec<Segment>, found: &mut Vec<String>) {
    if found.len() >= MAX_PATHS || before == after {
        return;
    }
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let new = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(new) {
                at.push(Segment::Key(key.as_str().into()));
                both(a.get(key), b.get(key), at, found);
                at.pop();
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                at.push(Segment::Index(i64::try_from(index).unwrap_or(i64::MAX)));
                both(a.get(index), b.get(index), at, found);
                at.pop();
            }
        }
        _ => found.push(show(at)),
    }
}

fn both(before: Option<&Value>, after: Option<&Value>, at: &mut Vec<Segment>, found: &mut Vec<String>) {
    match (before, after) {
        (Some(before), Some(after)) => walk(before, after, at, found),
        _ if found.len() < MAX_PATHS => found.push(show(at)),
        _ => (),
    }
}

/// Two texts in one: lines that go with `-`, lines that come with `+`, a few that stay around them.
pub(super) fn lines(before: &[String], after: &[String]) -> String {
    let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (a, b) = (&before[start..], &after[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let mut marked: Vec<(char, &str)> = before[..start].iter().map(|line| (' ', line.as_str())).collect();
    middle(a, b, &mut marked);
    marked.extend(before[before.len() - end..].iter().map(|line| (' ', line.as_str())));
    fold(&marked)
}

/// The longest common subsequence, by the table that fits what is left.
fn middle<'a>(a: &'a [String], b: &'a [String], out: &mut Vec<(char, &'a str)>) {
    let mut put = |mark, line: &'a String| out.push((mark, line.as_str()));
    if a.len().max(b.len()) > MAX_LINES {
        a.iter().for_each(|line| put('-', line));
        b.iter().for_each(|line| put('+', line));
        return;
    }
    let width = b.len() + 1;
    let mut common = vec![0u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let (down, right, both) =
                (common[(i + 1) * width + j], common[i * width + j + 1], common[(i + 1) * width + j + 1]);
            common[i * width + j] = if a[i] == b[j] { both + 1 } else { down.max(right) };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            put(' ', &a[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || i < a.len() && common[(i + 1) * width + j] >= common[i * width + j + 1] {
            put('-', &a[i]);
            i += 1;
        } else {
            put('+', &b[j]);
            j += 1;
        }
    }
}

fn fold(marked: &[(char, &str)]) -> String {
    let mut near = vec![false; marked.len()];
    for at in (0..marked.len()).filter(|at| marked[*at].0 != ' ') {
        let end = (at + AROUND + 1).min(marked.len());
        near[at.saturating_sub(AROUND)..end].fill(true);
    }
    let mut out = String::new();
    for (at, (mark, line)) in marked.iter().enumerate() {
        if near[at] {
            out.push_str(&format!("{mark} {line}\n"));
        } else if at == 0 || near[at - 1] {
            out.push_str("  …\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differing_paths_are_named() {
        let before = json!({"a": 1, "b": [{"c": 1}, 2], "d": {"x.y": 1}, "same": []});
        let after = json!({"b": [{"c": 2}, 2, 3], "d": {"x.y": "1"}, "same": [], "e": {"f": 1}});
        assert_eq!(paths(&before, &after), ["a", "b[0].c", "b[2]", "d[\"x.y\"]", "e"]);
        assert!(paths(&before, &before).is_empty());
    }

    #[test]
    fn lines_that_stay_are_folded() {
        let list = |text: &str| text.chars().map(|c| c.to_string()).collect::<Vec<_>>();
        assert_eq!(
            lines(&list("abcdefgXhi"), &list("abcdefgYhiZ")),
            "  …\n  e\n  f\n  g\n- X\n+ Y\n  h\n  i\n+ Z\n"
        );
        assert_eq!(lines(&list("abc"), &list("abc")), "  …\n");
        assert_eq!(lines(&[], &list("a")), "+ a\n");
    }
}

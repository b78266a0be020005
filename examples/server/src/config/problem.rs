//! Faults of a configuration file, each with its line, its column, the field and the fix.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One fault.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Bytes of the file; empty at its end when the fault is something missing.
    pub(crate) span: Range<usize>,
    /// The field at fault, such as `keys.quota_usd`; empty when the file is no TOML.
    pub(crate) field: String,
    /// What is wrong and how to mend it; holds no secret.
    pub(crate) message: String,
}

/// Every fault of one file. Shown one after another, each with the line it is about; whatever could be a
/// secret in that line is masked.
#[derive(Debug)]
pub(crate) struct Problems {
    path: PathBuf,
    shown: Vec<String>,
}

impl Problems {
    pub(crate) fn new(path: &Path, text: &str, mut list: Vec<Problem>) -> Problems {
        list.sort_by_key(|p| p.span.start);
        let shown = list.iter().map(|p| show(path, text, p)).collect();
        Problems { path: path.to_owned(), shown }
    }

    /// The file itself cannot be read.
    pub(crate) fn unreadable(path: &Path, why: &std::io::Error) -> Problems {
        let shown = vec![format!("{}: cannot be read: {why}", path.display())];
        Problems { path: path.to_owned(), shown }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// 1-based line and column (in characters) of a byte.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn show(path: &Path, text: &str, problem: &Problem) -> String {
    let (line, column) = position(text, problem.span.start);
    let colon = if problem.field.is_empty() { "" } else { ": " };
    let mut out = format!("{}:{line}:{column}: {}{colon}{}", path.display(), problem.field, problem.message);
    // Of a file that is no TOML nobody can say where a value begins and ends.
    let mask = if problem.field.is_empty() { key_alone } else { mask };
    if let Some(source) = text.lines().nth(line - 1).map(mask) {
        out.push_str(&format!("\n  {line} | {source}"));
    }
    out
}

/// Of a line that the parser stumbled over, its header or key; values may be anything, secrets too.
fn key_alone(line: &str) -> String {
    let line = line.trim();
    let header = line.trim_matches(['[', ']']);
    if line.starts_with('[') && line.ends_with(']') && is_field_path(header) {
        return line.to_owned();
    }
    match line.split_once('=').map(|(key, _)| key.trim()) {
        Some(key) if is_field_path(key) => format!("{key} = …"),
        Some(_) => "… = …".to_owned(),
        None if line.is_empty() => String::new(),
        None => "…".to_owned(),
    }
}

/// Whether a text looks like a name that this file may have, and not like a secret.
fn is_field_path(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && text.bytes().all(|b| b.is_ascii_lowercase() || b"_.".contains(&b))
}

/// The parser's message without the values that it repeats.
pub(crate) fn without_values(message: &str) -> String {
    let mut out = message.trim_end().replace('\n', "; ");
    for kind in ["invalid type: ", "invalid value: ", "unknown variant "] {
        let (Some(start), Some(end)) = (out.find(kind), out.rfind(", expected")) else { continue };
        let start = start + kind.len();
        // `string "…"`, `integer `…``: the kind of the value may be told.
        let Some(value) = out.get(start..end).and_then(|v| v.find(['"', '`'])) else { continue };
        out.replace_range(start + value..end, "…");
    }
    for kind in ["unknown field `", "duplicate field `", "duplicate key `"] {
        let Some(start) = out.find(kind).map(|at| at + kind.len()) else { continue };
        let end = out[start..].find('`').map_or(out.len(), |at| start + at);
        if !is_field_path(&out[start..end]) {
            out.replace_range(start..end, "…");
        }
    }
    out
}

/// The line as it may be shown. Quoted text after a word that announces a secret goes, unless it names a
/// variable or a file; so does whatever stands before the `@` of an address; of a line that starts neither a
/// value nor a table (the inside of a multi-line text), nothing is shown.
fn mask(line: &str) -> String {
    let trimmed = line.trim_start();
    if !trimmed.contains('=') && !trimmed.starts_with('[') && !trimmed.is_empty() {
        return "…".to_owned();
    }
    let lower = line.to_ascii_lowercase();
    let secret = ["secret", "credential", "password", "token", "api_key", "url", "env", "proxy"];
    if !secret.iter().any(|word| lower.contains(word)) {
        return line.to_owned();
    }
    mask_quoted(line)
}

fn mask_quoted(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = &rest[start..=start];
        let (before, quoted) = (&rest[..start], &rest[start + 1..]);
        out.push_str(before);
        let end = quoted.find(quote);
        let inner = end.map_or(quoted, |end| &quoted[..end]);
        out.push_str(quote);
        out.push_str(&masked_value(before, inner, end.is_some()));
        let Some(end) = end else { return out };
        out.push_str(quote);
        rest = &quoted[end + 1..];
    }
    // What was commented out may be a secret too.
    out.push_str(rest.split('#').next().unwrap_or_default().trim_end());
    out
}

/// What of a quoted value may be shown, given the text before it.
fn masked_value(before: &str, inner: &str, closed: bool) -> String {
    let key = before.trim_end().trim_end_matches('=').trim_end();
    let key = key.rsplit(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c))).next().unwrap_or("");
    let shown = match key {
        "env" => is_variable_name(inner),
        "secret" | "credential" | "password" | "token" | "api_key" => false,
        // They may carry `user:password@`, or `?key=…`.
        "url" | "base_url" | "proxy" => !inner.contains(['@', '?']),
        "file" => !looks_like_a_key(inner),
        "name" | "provider" | "model" | "user" | "tenant" => true,
        _ => false,
    };
    if closed && shown { inner.to_owned() } else { "…".to_owned() }
}

/// Whether a text is fit to be an environment variable's name. One that is not may well be a secret that was
/// put into the wrong place, and is never repeated.
pub(crate) fn is_variable_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether what should be a file's path may well be a secret that was put into the wrong place.
pub(crate) fn looks_like_a_key(path: &str) -> bool {
    path.starts_with("sk-") || (path.len() > 20 && !path.contains(['/', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_columns_from_one() {
        assert_eq!(position("a\nüb\n", 0), (1, 1));
        assert_eq!(position("a\nüb\n", 4), (2, 2));
        assert_eq!(position("a\n", 99), (2, 1));
    }

    #[test]
    fn shows_names_and_masks_secrets() {
        for (line, shown) in [
            (r#"quota_usd = "1""#, r#"quota_usd = "1""#),
            (r#"credential = "sk-1234""#, r#"credential = "…""#),
            (r#"credential = "sk-1234"#, r#"credential = "…"#),
            (r#"credential = { env = "OPENAI_API_KEY" }"#, r#"credential = { env = "OPENAI_API_KEY" }"#),
            (r#"credential = { env = "sk-1234" }"#, r#"credential = { env = "…" }"#),
            (r#"secret = { file = "/run/key" }"#, r#"secret = { file = "/run/key" }"#),
            (r#"{ name = "a", secret = 'sk-12' }"#, r#"{ name = "a", secret = '…' }"#),
            (r#"url = "postgres://u:p@h/d""#, r#"url = "…""#),
            (r#"base_url = "https://h/v1""#, r#"base_url = "https://h/v1""#),
            (r#"base_url = "https://h/v1?key=k-12""#, r#"base_url = "…""#),
            (r#"credential = { file = "sk-1234" }"#, r#"credential = { file = "…" }"#),
            (r#"secret = { file = "abcdefghijklmnopqrstu" }"#, r#"secret = { file = "…" }"#),
            (r#"secret = { env = "A" } # "sk-1234""#, r#"secret = { env = "A" } # "…""#),
            (r#"secret = { env = "A" } # sk-1234"#, r#"secret = { env = "A" }"#),
            ("sk-the-inside-of-a-multi-line-text", "…"),
        ] {
            assert_eq!(mask(line), shown);
        }
    }

    #[test]
    fn of_what_is_no_toml_only_the_key_is_shown() {
        for (line, shown) in [
            ("secret = sk-LEAK-unquoted", "secret = …"),
            ("  credential = { env = sk-LEAK }", "credential = …"),
            ("sk-LEAK==", "… = …"),
            ("sk-LEAK", "…"),
            ("[[channels]]", "[[channels]]"),
            ("[sk-LEAK]", "…"),
        ] {
            assert_eq!(key_alone(line), shown);
        }
    }

    #[test]
    fn the_parsers_message_repeats_no_value() {
        for (message, shown) in [
            (
                "invalid type: string \"sk-LEAK, expected x\", expected i32\n",
                "invalid type: string …, expected i32",
            ),
            ("invalid type: integer `123`, expected a string", "invalid type: integer …, expected a string"),
            ("unknown variant `sk-LEAK`, expected `a`", "unknown variant …, expected `a`"),
            ("unknown field `sk-LEAK`, expected `a`", "unknown field `…`, expected `a`"),
            ("unknown field `lissten`, expected `a`", "unknown field `lissten`, expected `a`"),
        ] {
            assert_eq!(without_values(message), shown);
        }
    }
}

//! Answers, for people or for programs.

use super::CliResult;
use serde_json::Value;
use std::io::{self, Write};

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines and tables for people.
    Text,
    /// JSON for programs.
    Json,
}

/// Writes answers to the standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Output {
        Output { format }
    }

    /// One thing: its JSON, or lines.
    ///
    /// # Errors
    /// When nobody reads.
    pub(crate) fn show(&self, json: &Value, lines: &[String]) -> CliResult {
        match self.format {
            Format::Json => say(&format!("{json:#}")),
            Format::Text => lines.iter().try_for_each(|line| say(line)),
        }
    }

    /// A list: a JSON array, or a table.
    ///
    /// # Errors
    /// When nobody reads.
    pub(crate) fn list<const N: usize>(
        &self,
        json: Vec<Value>,
        head: [&str; N],
        rows: &[[String; N]],
    ) -> CliResult {
        match self.format {
            Format::Json => say(&format!("{:#}", Value::Array(json))),
            Format::Text => table(head, rows).iter().try_for_each(|line| say(line)),
        }
    }
}

/// One line to the standard output.
///
/// # Errors
/// When nobody reads.
pub(crate) fn say(line: &str) -> CliResult {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        // `burncloud receipts list | head` is no failure.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut width = head.map(|h| h.chars().count());
    for row in rows {
        for (w, cell) in width.iter_mut().zip(row) {
            *w = (*w).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(width).map(|(cell, w)| format!("{cell:w$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = head.map(|h| h.to_uppercase());
    std::iter::once(line(&head)).chain(rows.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["a".to_owned(), "1".to_owned()], ["long".to_owned(), "22".to_owned()]];
        assert_eq!(table(["name", "n"], &rows), ["NAME  N", "a     1", "long  22"]);
    }
}

//! Code with its parts in classes (`hl-…`), which `console.css` colours.

use super::escape;
use std::sync::LazyLock;
use syntect::html::{ClassStyle, ClassedHTMLGenerator};
use syntect::parsing::SyntaxSet;
use syntect::util::LinesWithEndings;

/// The longest code that is coloured, in bytes: a longer one would hold up whoever shares the thread.
const LONGEST: usize = 32 << 10;
/// The longest line of it, in bytes: patterns may take long on one.
const LONGEST_LINE: usize = 1_000;

/// Code as HTML.
pub(super) fn colour(language: &str, code: &str) -> String {
    let short = code.len() <= LONGEST && code.lines().all(|line| line.len() <= LONGEST_LINE);
    let coloured = if short && !language.is_empty() { classed(language, code) } else { None };
    coloured.unwrap_or_else(|| escape(code))
}

fn classed(language: &str, code: &str) -> Option<String> {
    static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);
    let syntax = SYNTAXES.find_syntax_by_token(language)?;
    let style = ClassStyle::SpacedPrefixed { prefix: "hl-" };
    let mut html = ClassedHTMLGenerator::new_with_class_style(syntax, &SYNTAXES, style);
    for line in LinesWithEndings::from(code) {
        html.parse_html_for_line_which_includes_newline(line).ok()?;
    }
    Some(html.finalize())
}

//! Formulas.

use super::escape;
use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, push_mathml};
use std::borrow::Cow;

/// The longest formula that is drawn, in bytes; a longer one is shown as it is written.
const LONGEST: usize = 4 << 10;

/// What defines macros. A few that call each other make a short formula a very long one, so there are none: formulas come
/// from models.
const MACROS: &[&str] =
    &["\\def", "\\let", "\\futurelet", "\\newcommand", "\\renewcommand", "\\providecommand"];

/// The longest formula that is read on the stack of whoever draws.
const SHORT: usize = 200;
/// The stack for longer ones: the library calls itself for what is nested, and for tokens without a sign of their own; that
/// many of them would end the process. Memory is taken only as far as it is used.
const STACK: usize = 64 << 20;

/// A formula as MathML; one that is wrong, as it is written.
pub(super) fn render(formula: &str, display: bool) -> String {
    let drawn = match formula.len() {
        0..=SHORT => mathml(formula, display),
        _ => std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, || mathml(formula, display)).ok()?.join().ok()?
        }),
    };
    drawn.unwrap_or_else(|| format!("<code>{}</code>", escape(formula)))
}

fn mathml(formula: &str, display: bool) -> Option<String> {
    if formula.len() > LONGEST || MACROS.iter().any(|word| formula.contains(word)) {
        return None;
    }
    let storage = Storage::new();
    // All of it is read before any is written: the writer would put the text of an error into the page unescaped.
    let events: Vec<_> = Parser::new(formula, &storage).collect::<Result<_, _>>().ok()?;
    let mode = if display { DisplayMode::Block } else { DisplayMode::Inline };
    let config = RenderConfig { display_mode: mode, ..RenderConfig::default() };
    let mut out = String::new();
    let events = events.into_iter().map(Ok::<_, std::fmt::Error>);
    push_mathml(&mut out, events, config).ok()?;
    only_mathml(&out).then_some(out)
}

/// Whether all elements are MathML's. The writer escapes what it writes; this holds it to that.
fn only_mathml(html: &str) -> bool {
    html.split('<').skip(1).all(|tag| {
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphabetic).collect();
        let known = ["math", "semantics", "none"];
        let inner = tag.split('>').next().unwrap_or_default();
        let element = known.contains(&name.as_str())
            || (name.starts_with('m') && name != "maction" && name != "marquee");
        element
            && !inner.contains("href")
            && !inner.split([' ', '\t', '\n', '/']).any(|part| part.starts_with("on"))
    })
}

/// A text with `\(…\)` and `\[…\]` as `$…$` and `$$…$$`, outside of code.
pub(super) fn dollars(text: &str) -> Cow<'_, str> {
    if !text.contains("\\(") && !text.contains("\\[") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '\\', '~']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = code_len(rest).or_else(|| formula(rest, &mut out)).unwrap_or(Taken::Copy(1));
        rest = match taken {
            Taken::Copy(length) => {
                // An escaped backslash escapes nothing else.
                let length = if rest.starts_with("\\\\") { 2 } else { length };
                out.push_str(&rest[..length]);
                &rest[length..]
            }
            Taken::Written(length) => &rest[length..],
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

enum Taken {
    /// So many bytes are copied.
    Copy(usize),
    /// So many bytes were written otherwise.
    Written(usize),
}

/// Code that begins here, with its marks; up to the end of the text where it is not closed yet.
fn code_len(text: &str) -> Option<Taken> {
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = text.chars().take_while(|c| *c == mark).count();
    if mark == '~' && length < 3 {
        return Some(Taken::Copy(length));
    }
    let marks = &text[..length];
    let mut from = length;
    while let Some(found) = text[from..].find(marks) {
        let start = from + found;
        let run = text[start..].chars().take_while(|c| *c == mark).count();
        if run == length || (length >= 3 && run > length) {
            return Some(Taken::Copy(start + run));
        }
        from = start + run;
    }
    Some(Taken::Copy(if length >= 3 { text.len() } else { length }))
}

/// A formula that begins here.
fn formula(text: &str, out: &mut String) -> Option<Taken> {
    let (mark, close) = match text.get(..2)? {
        "\\(" => ("$", "\\)"),
        "\\[" => ("$$", "\\]"),
        _ => return None,
    };
    let end = text[2..].find(close)? + 2;
    let inner = text[2..end].trim();
    if inner.is_empty() || inner.contains('$') || inner.contains("\n\n") {
        return None;
    }
    out.push_str(mark);
    out.push_str(inner);
    out.push_str(mark);
    Some(Taken::Written(end + 2))
}

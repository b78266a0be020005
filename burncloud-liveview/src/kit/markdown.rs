//! Markdown of models and people as HTML that can do no harm.
//!
//! Raw HTML is shown as text; links go to `https:`, `http:` and `mailto:` only; images become links, because a page
//! loads nothing from elsewhere; code is coloured by classes; formulas are MathML. A text is cut into its top-level
//! blocks, so that an answer that streams in changes its last block only.

mod code;
mod math;

use dioxus::prelude::*;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};
use std::borrow::Cow;

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_MATH);

/// A text in markdown.
#[component]
pub fn Markdown(text: String, #[props(default)] class: &'static str) -> Element {
    rsx! {
        div { class: "prose max-w-none {class}",
            for (at, block) in blocks(&text).into_iter().enumerate() { Block { key: "{at}", text: block } }
        }
    }
}

/// One block; the same text is not read again.
#[component]
fn Block(text: String) -> Element {
    let html = html(&text);
    rsx! { div { dangerous_inner_html: html } }
}

/// A text cut into its top-level blocks.
#[must_use]
pub fn blocks(text: &str) -> Vec<String> {
    let text = math::dollars(text);
    let (mut out, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (event, range) in Parser::new_ext(&text, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => {
                depth -= 1;
                if depth == 0 && range.end > from {
                    out.push(text[from..range.end].to_owned());
                    from = range.end;
                }
            }
            _ => {}
        }
    }
    if from < text.len() {
        out.push(text[from..].to_owned());
    }
    out
}

/// A text as HTML. Whatever the text: no element runs or loads anything, no attribute handles an event, no link leads
/// elsewhere than `https:`, `http:`, `mailto:`.
#[must_use]
pub fn html(text: &str) -> String {
    let text = math::dollars(text);
    let safe = Safe { events: Parser::new_ext(&text, OPTIONS) };
    let mut out = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut out, safe);
    out
}

/// The events of a text without those that could do harm.
struct Safe<'a> {
    events: Parser<'a>,
}

impl<'a> Iterator for Safe<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let event = match self.events.next()? {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            Event::Start(Tag::Link { dest_url, .. }) => ours(open_link(&dest_url)),
            Event::End(TagEnd::Link) => ours("</a>".to_owned()),
            Event::Start(Tag::Image { dest_url, .. }) => ours(open_image(&dest_url)),
            Event::End(TagEnd::Image) => ours("</a>".to_owned()),
            Event::Start(Tag::CodeBlock(kind)) => ours(self.code(&kind)),
            Event::InlineMath(text) => ours(math::render(&text, false)),
            Event::DisplayMath(text) => ours(math::render(&text, true)),
            other => other,
        };
        Some(event)
    }
}

impl Safe<'_> {
    /// A block of code, up to its end.
    fn code(&mut self, kind: &CodeBlockKind<'_>) -> String {
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split([' ', ',', '{']).next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        let mut text = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::End(TagEnd::CodeBlock) => break,
                Event::Text(part) => text.push_str(&part),
                _ => {}
            }
        }
        format!("<pre><code>{}</code></pre>", code::colour(language, &text))
    }
}

/// HTML that we wrote ourselves, every part of it escaped.
fn ours<'a>(html: String) -> Event<'a> {
    Event::InlineHtml(CowStr::from(html))
}

fn open_link(url: &str) -> String {
    match safe_url(url) {
        Some(url) => {
            format!("<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">", escape(&url))
        }
        None => "<a>".to_owned(),
    }
}

/// Its picture where it is in the text itself, and a link with its words.
fn open_image(url: &str) -> String {
    let kinds = ["png", "jpeg", "gif", "webp"];
    let rest = url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    match rest {
        Some((kind, data)) if kinds.contains(&kind) && data.chars().all(base64) => {
            format!("<img alt=\"\" src=\"data:image/{kind};base64,{data}\"><a>")
        }
        _ => open_link(url),
    }
}

/// The URL, where its scheme is one that may be followed.
fn safe_url(url: &str) -> Option<Cow<'_, str>> {
    // Browsers drop white space and control characters within a scheme.
    let clean: String = url.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let scheme = clean.split_once(':')?.0.to_ascii_lowercase();
    matches!(scheme.as_str(), "https" | "http" | "mailto").then_some(Cow::Owned(clean))
}

/// As text of HTML or within an attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;

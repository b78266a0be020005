//! A wallet's entries, newest first.

use super::words::kind_name;
use crate::fmt::{money, ms, now};
use crate::kit::*;
use crate::live::*;
use burncloud_billing::desk::{Page, StatementFilter, StatementLine, WalletId};
use burncloud_core::{Nano, UserId};
use dioxus::prelude::*;

const LINES: u32 = 8;

#[component]
pub(super) fn Statement(id: UserId) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let before: Option<i64> = here.parsed("entry");
    let read = use_load((id, before), |cx, (id, before)| async move {
        let filter = StatementFilter { before, limit: LINES, ..StatementFilter::default() };
        cx.console.desk().statement(&cx.viewer.actor, WalletId::User(id), &filter).await
    });
    let body = match &*read.read() {
        None => rsx! { Loading { rows: 2, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(page)) => rsx! { Lines { page: page.clone(), first: before.is_none() } },
    };
    rsx! { Section { id: "statement-title", title: lang.t("Statement", "账单"), class: "mt-10", {body} } }
}

#[component]
pub(super) fn Lines(page: Page<StatementLine>, first: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    if page.items.is_empty() {
        return rsx! { p { class: "text-muted", {lang.t("Nothing has moved yet.", "还没有变动。")} } };
    }
    rsx! {
        ul { class: "rows",
            for line in page.items { Line { key: "{line.entry}", line } }
        }
        div { class: "flex gap-2 mt-3",
            if !first { LinkButton { small: true, href: here.with("entry", ""), {lang.t("Newest", "最新")} } }
            if let Some(next) = page.next { LinkButton { small: true, href: here.with("entry", next), {lang.t("Earlier", "更早")} } }
        }
    }
}

/// A reference as somebody gave it: the ledger has the kind and the number of the keeper before it.
fn given(reference: &str) -> String {
    let parts: Vec<&str> = reference.splitn(3, ':').collect();
    match parts[..] {
        ["top_up" | "promotion" | "adjustment", keeper, rest] if keeper.parse::<i64>().is_ok() => {
            rest.to_owned()
        }
        _ => reference.to_owned(),
    }
}

#[component]
fn Line(line: StatementLine) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let sum = if line.amount == Nano::ZERO { line.credit } else { line.amount };
    let sign = if sum > Nano::ZERO { "+" } else { "" };
    let words = [line.reason.clone(), line.reference.as_deref().map(given).unwrap_or_default()];
    let words: Vec<String> = words.into_iter().filter(|text| !text.is_empty()).collect();
    let words = words.join(" · ");
    rsx! {
        li { class: "flex items-baseline gap-4 py-2.5",
            span { class: "min-w-0 grow",
                span { class: "block truncate", {kind_name(lang, line.kind)} if !words.is_empty() { span { class: "text-muted", title: "{words}", " · {words}" } } }
                span { class: "block text-sm text-muted num truncate", {f.moment(ms(line.at), now())} " · #{line.entry} · {line.author}" }
            }
            span { class: if sum > Nano::ZERO { "num text-success" } else { "num" }, "{sign}" {money(sum)} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_as_it_was_given() {
        assert_eq!(given("top_up:1:bank:7"), "bank:7");
        assert_eq!(given("invitation:ab12"), "invitation:ab12");
        assert_eq!(given("top_up:x:y"), "top_up:x:y");
    }
}

//! What needs somebody: findings with what would help, what rests, how well each account does.

mod actions;
mod card;
mod health;
mod read;
mod resting;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use actions::Actions;
pub(crate) use read::{Found, read};
pub(crate) use words::{icon, sentence, title};

use crate::fmt::{ms, now};
use crate::kit::{Broken, Headline, Icon, Loading, Section, use_fmt};
use crate::lang::Lang;
use crate::live::{Fault, use_conn, use_here, use_lang, use_load, use_turns_after};
use burncloud_billing::desk::reports::{ChannelHealth, Kind, Severity, Slice};
use burncloud_billing::people::Action;
use card::Card;
use dioxus::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// Between two readings.
const EVERY: Duration = Duration::from_secs(15);
/// Until what the page opened with is read anew.
const SOON: Duration = Duration::from_secs(1);

/// What the page shows, apart from what rests.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    found: Arc<Vec<Found>>,
    /// How each account did; `None` where accounts are not for these eyes.
    health: Option<Vec<ChannelHealth>>,
    models: Vec<Slice>,
}

#[component]
pub(crate) fn Radar() -> Element {
    let conn = use_conn();
    let house = conn.viewer.actor.may_in_house(Action::ManageHouse);
    let turn = use_turns_after(SOON, EVERY);
    let mut seen = use_load(turn(), move |cx, _| async move {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let found = cx.console.figures().found(&cx).await?;
        let health = async { if house { desk.channel_health(actor, 24).await.map(Some) } else { Ok(None) } };
        let (health, models) = tokio::try_join!(health, read::models(desk, actor))?;
        Ok::<_, Fault>(Seen { found, health, models })
    });
    let page = match &*seen.read() {
        None => rsx! { Loading { rows: 5 } },
        Some(Err(fault)) => {
            rsx! { Broken { fault: fault.clone(), onretry: move |_| seen.reload() } }
        }
        Some(Ok(seen)) => rsx! { All { seen: seen.clone() } },
    };
    page
}

/// Where a finding stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Needs,
    Settled,
    Note,
    Address,
    Resting,
}

fn place(found: &Found) -> Place {
    let finding = &found.finding;
    match (&finding.kind, finding.severity) {
        _ if finding.settled => Place::Settled,
        (Kind::Address { .. }, _) => Place::Address,
        // What rests has a place of its own; that nobody else serves a model needs somebody.
        (Kind::Resting { .. }, Severity::Info) => Place::Resting,
        (_, Severity::Hurt | Severity::Care) => Place::Needs,
        (_, Severity::Info) => Place::Note,
    }
}

#[component]
fn All(seen: Seen) -> Element {
    let conn = use_conn();
    let at = |wanted: Place| -> Vec<Found> {
        seen.found.iter().filter(|found| place(found) == wanted).cloned().collect()
    };
    let (needs, settled, notes, addresses) =
        (at(Place::Needs), at(Place::Settled), at(Place::Note), at(Place::Address));
    let gateway = conn.console.gateway().is_some() && conn.viewer.actor.may_in_house(Action::SeeMoney);
    rsx! {
        Sentence { needs: needs.len(), settled: settled.len() }
        if !needs.is_empty() {
            div { class: "grid gap-4",
                for found in needs { Card { key: "{found.finding.id}", found } }
            }
        }
        if !settled.is_empty() { Settled { settled } }
        if gateway { resting::Resting {} }
        if let Some(health) = seen.health { health::Accounts { health } }
        if !seen.models.is_empty() { health::Models { models: seen.models } }
        if !notes.is_empty() { Notes { notes } }
        if !addresses.is_empty() { Addresses { addresses } }
    }
}

const ONES: [&str; 10] = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];

/// A small number in words, as a sentence begins with.
fn counted(n: usize) -> String {
    ONES.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

#[component]
fn Sentence(needs: usize, settled: usize) -> Element {
    let lang = use_lang();
    let (fact, rest) = match (lang, needs) {
        (Lang::En, 0) => ("All quiet.".to_owned(), String::new()),
        (Lang::En, 1) => ("One thing".to_owned(), " needs you.".to_owned()),
        (Lang::En, n) => (format!("{} things", counted(n)), " need you.".to_owned()),
        (Lang::Zh, 0) => ("一切平静。".to_owned(), String::new()),
        (Lang::Zh, 1) => ("一件事".to_owned(), "等你处理。".to_owned()),
        (Lang::Zh, n) => (format!("{n} 件事"), "等你处理。".to_owned()),
    };
    let others = match (lang, settled, needs) {
        (_, 0, _) => String::new(),
        (Lang::En, 1, 0) => "One thing settled by itself.".to_owned(),
        (Lang::En, 1, _) => "One other settled by itself.".to_owned(),
        (Lang::En, n, 0) => format!("{} things settled by themselves.", counted(n)),
        (Lang::En, n, _) => format!("{} others settled by themselves.", counted(n)),
        (Lang::Zh, n, 0) => format!("{n} 件事已自行解决。"),
        (Lang::Zh, n, _) => format!("另外 {n} 件已自行解决。"),
    };
    let sub = Some(others.clone()).filter(|words| needs > 0 && !words.is_empty());
    let rest = if needs == 0 && !others.is_empty() { format!(" {others}") } else { rest };
    rsx! { Headline { sub, strong { "{fact}" } "{rest}" } }
}

/// Findings that nobody needs to do anything about, as lines.
#[component]
fn Settled(settled: Vec<Found>) -> Element {
    let lang = use_lang();
    rsx! {
        Section { id: "settled", title: lang.t("Settled by itself, last 24 hours", "过去 24 小时自行解决"), class: "mt-8",
            ul { class: "rows",
                for found in settled { Line { key: "{found.finding.id}", found, done: true } }
            }
        }
    }
}

#[component]
fn Notes(notes: Vec<Found>) -> Element {
    let lang = use_lang();
    rsx! {
        Section { id: "notes", title: lang.t("Good to know", "供参考"),
            ul { class: "rows",
                for found in notes { Line { key: "{found.finding.id}", found, done: false } }
            }
        }
    }
}

#[component]
fn Line(found: Found, done: bool) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let finding = &found.finding;
    let title = title(finding, lang);
    let more = sentence(finding, lang, &f);
    let times = words::times(finding, lang);
    let see = words::requests(finding).map(|place| here.href(&place));
    rsx! {
        li { class: "flex items-center gap-3 py-3",
            Icon { i: icon(finding), class: "size-4 text-faint" }
            span { class: "min-w-0 wrap-anywhere",
                span { class: "md:inline block", "{title}." }
                " "
                span { class: "text-muted text-sm md:text-base", "{more}" }
            }
            span { class: "ms-auto flex items-center gap-3 shrink-0",
                if let Some(href) = see {
                    a { class: "link text-sm num whitespace-nowrap", href, "{times}" span { class: "sr-only", {lang.t(": see requests", "：查看请求")} } }
                } else {
                    span { class: "text-sm text-muted num whitespace-nowrap", "{times}" }
                }
                if done { Icon { i: "icon-[lucide--check]", class: "size-4 text-success" } }
            }
        }
    }
}

#[component]
fn Addresses(addresses: Vec<Found>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let now = now();
    rsx! {
        Section { id: "addresses", title: lang.t("Suspicious addresses, last hour", "最近一小时的可疑地址"),
            table { class: "table",
                caption { class: "sr-only", {lang.t("Addresses that were refused again and again", "反复被拒的地址")} }
                thead { tr {
                    th { scope: "col", {lang.t("Address", "地址")} }
                    th { scope: "col", class: "text-right max-md:hidden", {lang.t("Unknown key", "密钥未知")} }
                    th { scope: "col", class: "text-right max-md:hidden", {lang.t("Not allowed", "无权使用")} }
                    th { scope: "col", class: "text-right", {lang.t("Last", "最近一次")} }
                } }
                tbody {
                    for found in addresses {
                        if let Kind::Address { address, unauthenticated, forbidden } = &found.finding.kind {
                            tr { key: "{found.finding.id}",
                                th { scope: "row", class: "font-normal mono wrap-anywhere", "{address}" }
                                td { class: "text-right num max-md:hidden", {f.compact(*unauthenticated)} }
                                td { class: "text-right num max-md:hidden", {f.compact(*forbidden)} }
                                td { class: "text-right num text-muted whitespace-nowrap",
                                    {found.finding.last.map(|at| f.ago(ms(at), now)).unwrap_or_default()}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

//! Requests, as they come in, and what was changed.

mod bar;
mod changes;
mod choices;
mod empty;
mod export;
pub(crate) mod query;
mod receipt;
mod table;
mod tail;
#[cfg(test)]
mod tests;
mod trace;
mod words;

use crate::fmt::{Fmt, grouped, now, percent};
use crate::kit::{Broken, Button, Headline, Icon, Kind, Loading, Pulse, Tab, Views, use_fmt};
use crate::lang::Lang;
use crate::live::{Place, use_conn, use_here, use_lang, use_load, use_watch};
use crate::watch::{Pulse as Beat, Watch};
use burncloud_billing::desk::reports::Sums;
use burncloud_core::ReceiptId;
use choices::Choices;
pub(crate) use choices::Eyes;
use dioxus::prelude::*;
use query::Query;
pub(crate) use receipt::Printed;
use std::sync::Arc;
use tail::{Shown, Tail, Waiting, use_tail};

#[component]
pub(crate) fn Logs() -> Element {
    let here = use_here();
    match here.segment(1).as_deref() {
        None => rsx! { Requests {} },
        Some("changes") => rsx! { changes::Changes {} },
        Some(_) => rsx! { crate::pages::Nothing {} },
    }
}

/// The two logs.
#[component]
fn Which(changes: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let to = |segments: &[&str]| here.href(&Place::at(segments.iter().copied()));
    let tabs = vec![
        Tab::new(to(&["logs"]), lang.t("Requests", "请求"), !changes),
        Tab::new(to(&["logs", "changes"]), lang.t("Changes", "变更"), changes),
    ];
    rsx! { Views { label: lang.t("Logs", "日志"), tabs, class: "mb-5" } }
}

/// What the headline says.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    /// Nothing is known yet.
    Name,
    /// So many a second, and the share that was answered, in ten-thousandths.
    Rate(f32, Option<i64>),
    /// So many today.
    Today(u64, Option<i64>),
    /// It stands still, since then.
    Paused(String),
    /// Those before then.
    Before(String),
    /// Nothing matches.
    NoMatch,
    /// There never was a request.
    Never,
}

/// How many answers were given of those that the house owed, in ten-thousandths and rounded down: 100% is said of all.
fn answered(answered: u64, failed: u64) -> Option<i64> {
    let all = u128::from(answered) + u128::from(failed);
    (all > 0).then(|| i64::try_from(u128::from(answered) * 10_000 / all).unwrap_or_default())
}

impl Said {
    fn of_beat(beat: &Beat) -> Said {
        Said::Rate(beat.now_requests, answered(beat.answered, beat.failed))
    }

    fn of_today(sums: &Sums) -> Said {
        let share = sums.answered_permyriad.and_then(|share| i64::try_from(share).ok());
        Said::Today(sums.requests, share)
    }

    /// What the rows say of themselves, where they are not simply the newest.
    fn of_rows(shown: &Shown, off: bool, f: &Fmt) -> Option<Said> {
        let moment = |at| words::when(f, at, now());
        let newest = shown.page.rows.first().map(|row| row.at);
        if shown.never() {
            Some(Said::Never)
        } else if newest.is_none() {
            Some(Said::NoMatch)
        } else if let Some(before) = shown.query.before() {
            Some(Said::Before(moment(before)))
        } else {
            newest.filter(|_| off).map(|newest| Said::Paused(moment(newest)))
        }
    }

    /// The fact, and the rest.
    fn words(&self, f: &Fmt) -> (String, String) {
        let lang = f.lang;
        let share = |share: Option<i64>| match (share, lang) {
            (None, _) => lang.t(".", "。").to_owned(),
            (Some(share), Lang::En) => format!(", {} answered.", percent(share)),
            (Some(share), Lang::Zh) => format!("，{} 已应答。", percent(share)),
        };
        match self {
            Said::Name => (lang.t("Requests", "请求").to_owned(), String::new()),
            Said::Rate(rate, _) if *rate <= 0.0 => {
                let rest = lang.t(" at the moment.", "。");
                (lang.t("No requests", "此刻没有请求").to_owned(), rest.to_owned())
            }
            Said::Rate(rate, of) => {
                let rate = if *rate < 9.95 { format!("{rate:.1}") } else { format!("{rate:.0}") };
                let rate = rate.trim_end_matches(".0");
                match lang {
                    Lang::En => (format!("{rate} a second"), share(*of)),
                    Lang::Zh => (format!("每秒 {rate} 个"), format!("请求{}", share(*of))),
                }
            }
            Said::Today(0, _) => {
                (lang.t("No requests", "今天没有请求").to_owned(), lang.t(" today.", "。").to_owned())
            }
            Said::Today(count, of) => match lang {
                Lang::En => (format!("{} today", f.count(*count)), share(*of)),
                Lang::Zh => (format!("今天 {} 个", f.count(*count)), format!("请求{}", share(*of))),
            },
            Said::Paused(at) => match lang {
                Lang::En => ("Paused".to_owned(), format!(" at {at}.")),
                Lang::Zh => ("已暂停".to_owned(), format!("，停在 {at}。")),
            },
            Said::Before(at) => match lang {
                Lang::En => ("Older".to_owned(), format!(" than {at}.")),
                Lang::Zh => (at.clone(), " 之前。".to_owned()),
            },
            Said::NoMatch => {
                (lang.t("Nothing", "没有").to_owned(), lang.t(" matches.", "符合的请求。").to_owned())
            }
            Said::Never => (lang.t("No requests", "还没有").to_owned(), lang.t(" yet.", "请求。").to_owned()),
        }
    }
}

/// What is happening, for whoever may see all of it.
fn use_beat(eyes: Eyes) -> Option<Signal<Arc<Beat>>> {
    let conn = use_conn();
    let beat = use_watch(|cx| match cx.console.watch() {
        Some(watch) if eyes == Eyes::House => Watch::pulses(watch),
        _ => tokio::sync::watch::channel(Arc::default()).1,
    });
    (eyes == Eyes::House && conn.console.watch().is_some()).then_some(beat)
}

#[component]
fn Requests() -> Element {
    let (conn, here, f) = (use_conn(), use_here(), use_fmt());
    let place = here.place();
    let query = Query::of(&place);
    let open: Option<ReceiptId> = place.get("open").and_then(ReceiptId::parse);
    let off = place.get("live") == Some("off");
    let expected = Eyes::expected(&conn.viewer.actor);
    let mut scrolled = use_signal(|| false);
    let following = query.newest() && !off && open.is_none() && !scrolled();
    let choices = use_load((), |cx, ()| Choices::load(cx));
    let today = use_load((), |cx, ()| choices::today(cx));
    let tail = use_tail(query.clone(), following);
    let beat = use_beat(expected);
    let shown = use_shown(tail.rows);
    let choices = choices.get();
    let eyes = choices.as_ref().map_or(expected, |choices| choices.eyes);
    let model = choices.as_ref().and_then(|choices| choices.models.first().cloned());
    let said = shown.read().as_ref().and_then(|shown| Said::of_rows(shown, off, &f));
    let said = said.unwrap_or_else(|| match (beat, today.get()) {
        (Some(beat), _) if beat.read().at.0 > 0 => Said::of_beat(&beat.read()),
        (None, Some(today)) => Said::of_today(&today),
        _ => Said::Name,
    });
    let (fact, rest) = said.words(&f);
    rsx! {
        Headline { class: "mb-6", actions: rsx! { Actions { query: query.clone(), off } },
            strong { "{fact}" }
            "{rest}"
        }
        Which { changes: false }
        // Out of sight: somebody reads further down, and nothing moves under their eyes.
        div { id: "logs-top", class: "h-px -mt-px scroll-mt-40", "aria-hidden": "true",
            onvisible: move |event| scrolled.set(!event.data().is_intersecting().unwrap_or(true)),
        }
        bar::Filters { query: query.clone(), choices, eyes }
        Body { tail, shown, query, eyes, open, off, model }
        if let Some(id) = open { trace::Trace { id, shown, eyes } }
    }
}

/// The rows, or why there are none.
#[component]
fn Body(
    tail: Tail,
    shown: Signal<Option<Shown>>,
    query: Query,
    eyes: Eyes,
    open: Option<ReceiptId>,
    off: bool,
    model: Option<String>,
) -> Element {
    let (conn, mut here) = (use_conn(), use_here());
    let Tail { mut rows, waiting } = tail;
    if let Some(Err(fault)) = &*rows.read() {
        return rsx! { Broken { fault: fault.clone(), onretry: move |_| rows.reload() } };
    }
    let read = shown.read();
    let Some(read) = &*read else { return rsx! { Loading { rows: 12, headline: false } } };
    let (searched, next) = (read.page.searched_to, read.page.next);
    let old = rows.busy() && read.query != query;
    if read.never() {
        return rsx! { empty::Never { model } };
    }
    if read.page.rows.is_empty() {
        return rsx! { empty::NoMatch { query, searched, next } };
    }
    let resume = move |()| {
        if off {
            here.go(here.place().with("live", ""));
        }
        if let Some(client) = &conn.client {
            client.reveal("logs-top");
        }
    };
    rsx! {
        div { class: if old { "relative opacity-60" } else { "relative" }, "aria-busy": if old { "true" },
            New { waiting, onresume: resume }
            table::Rows { shown, eyes, open, now: now() }
        }
        table::Steps { query, next }
    }
}

/// What is shown; a reading that failed takes nothing away.
fn use_shown(rows: crate::live::Loaded<Shown>) -> Signal<Option<Shown>> {
    let mut shown = use_signal(|| None::<Shown>);
    use_effect(move || {
        if let Some(Ok(read)) = &*rows.read() {
            shown.set(Some(read.clone()));
        }
    });
    shown
}

/// Whether it goes on, and the files.
#[component]
fn Actions(query: Query, off: bool) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    rsx! {
        if !query.newest() {
            a { id: "logs-newest", class: "btn btn-quiet btn-sm", href: here.href(&here.place().without(&["page", "open", "to"])),
                Icon { i: "icon-[lucide--arrow-up]", class: "size-3.5" }
                {lang.t("Newest", "最新")}
            }
        } else if off {
            Button { id: "logs-live", kind: Kind::Primary, small: true, icon: "icon-[lucide--play]", onclick: move |_| here.go(here.place().with("live", "")),
                {lang.t("Go on", "继续")}
            }
        } else {
            Button { id: "logs-live", small: true, pressed: true, onclick: move |_| here.go(here.place().with("live", "off")),
                Pulse { state: crate::kit::PulseState::Flow }
                {lang.t("Live", "实时")}
            }
        }
        export::Export {}
    }
}

/// How many came that are not shown, and the way to them.
#[component]
fn New(waiting: Signal<Waiting>, onresume: EventHandler<()>) -> Element {
    let lang = use_lang();
    let Waiting { count, more } = waiting();
    let count_text = format!("{}{}", grouped(count as u64), if more { "+" } else { "" });
    rsx! {
        div { class: "sticky top-16 z-10 h-0 grid place-items-center", role: "status",
            if count > 0 {
                button { id: "logs-new", r#type: "button", class: "btn btn-neutral btn-sm rounded-full shadow-lift translate-y-8", onclick: move |_| onresume.call(()),
                    Icon { i: "icon-[lucide--arrow-up]", class: "size-3.5" }
                    match lang { Lang::En => format!("{count_text} new"), Lang::Zh => format!("新增 {count_text} 条") }
                }
            }
        }
    }
}

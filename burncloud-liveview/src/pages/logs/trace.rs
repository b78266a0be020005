//! One request in full: where its time went, who was asked, where the fault lies, its receipt.

use super::choices::Eyes;
use super::receipt::Printed;
use super::tail::Shown;
use super::words;
use crate::fmt::{Fmt, grouped, micros, now};
use crate::kit::{Broken, Copy, Drawer, Fall, FallBar, Hotkey, Icon, Loading, Locator, Tile, use_fmt};
use crate::lang::Lang;
use crate::live::{Fault, Place, use_conn, use_here, use_lang, use_load};
use crate::pages::reasons::{places, reason};
use crate::pages::{PageId, pages_for};
use burncloud_billing::desk::reports::{Bar, Hop, LogRow, ReceiptView, Stage};
use burncloud_core::store::Outcome;
use burncloud_core::{End, ReceiptId};
use dioxus::prelude::*;

/// What is still known of a request that was archived.
#[component]
fn Archived(id: ReceiptId, link: i64) -> Element {
    let lang = use_lang();
    let said = match lang {
        Lang::En => format!(
            "It was kept for as long as requests are kept, then moved into a file of the archive: \
             the one whose name, receipts-first-last, spans link {link}. What it cost is in the books as before."
        ),
        Lang::Zh => format!(
            "它已超过保留期限，移入了归档文件：文件名 receipts-首-末 的范围包含链节 {link}。它的费用仍在账本中。"
        ),
    };
    rsx! {
        p { class: "mt-1.5 text-muted mono break-all", "{id}" }
        p { class: "mt-3 text-pretty", "{said}" }
    }
}

#[cfg(test)]
pub(super) fn archived_drawn(link: i64) -> String {
    let props = ArchivedProps { id: ReceiptId(7), link };
    let mut dom = VirtualDom::new_with_props(Archived, props).with_root_context(crate::lang::Look::default());
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

/// The request in a drawer, with its neighbours in the list one key away.
#[component]
pub(super) fn Trace(id: ReceiptId, shown: Signal<Option<Shown>>, eyes: Eyes) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let mut loaded = use_load(id, |cx, id| async move {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let view = desk.receipt(actor, id).await?;
        let archived = if view.is_none() { desk.archived(actor, id).await? } else { None };
        Ok::<_, Fault>((view, archived))
    });
    let (newer, older) = shown.read().as_ref().map_or((None, None), |shown| neighbours(shown, id));
    let view = loaded.get().and_then(|(view, _)| view).filter(|view| view.row.id == id);
    let trace = view.as_ref().map(|view| view.row.trace.to_string());
    let step = |key: &'static str, label: &'static str, icon: &'static str, to: Option<ReceiptId>| {
        let off = to.is_none();
        rsx! {
            Hotkey { press: key,
                button { r#type: "button", id: "trace-{key}", class: "btn btn-ghost btn-sm btn-square", disabled: off, "aria-label": label, title: label,
                    "aria-keyshortcuts": if key == "arrowleft" { "ArrowLeft" } else { "ArrowRight" },
                    onclick: move |_| if let Some(to) = to { here.replace(here.place().with("open", to)) },
                    Icon { i: icon }
                }
            }
        }
    };
    let bar = rsx! {
        div { class: "flex items-center gap-2 min-w-0 grow",
            if let Some(trace) = &trace {
                span { class: "mono text-muted truncate", title: "{trace}", "{trace}" }
                Copy { value: trace.clone(), label: lang.t("Copy the trace", "复制编号") }
            }
            span { class: "ms-auto flex items-center me-1",
                {step("arrowleft", lang.t("Newer (←)", "较新（←）"), "icon-[lucide--chevron-up]", newer)}
                {step("arrowright", lang.t("Older (→)", "较旧（→）"), "icon-[lucide--chevron-down]", older)}
            }
        }
    };
    let (title, body) = match (&view, &*loaded.read()) {
        (Some(view), _) => {
            let said = headline(lang, &view.row);
            (said, rsx! { Detail { key: "{id}", view: view.clone(), eyes } })
        }
        (None, Some(Err(fault))) => (
            (lang.t("This request", "这个请求").to_owned(), String::new()),
            rsx! { Broken { fault: fault.clone(), onretry: move |_| loaded.reload() } },
        ),
        (None, Some(Ok((_, Some(archived))))) if archived.id == id => (
            (lang.t("This request", "这个请求").to_owned(), lang.t(" is archived.", "已归档。").to_owned()),
            rsx! { Archived { id, link: archived.link } },
        ),
        (None, Some(Ok((_, None)))) if !loaded.busy() => (
            (
                lang.t("No such request", "没有这个请求").to_owned(),
                lang.t(", or none for you.", "，或与您无关。").to_owned(),
            ),
            rsx! { p { class: "mt-1.5 text-muted mono break-all", "{id}" } },
        ),
        _ => (
            (lang.t("This request", "这个请求").to_owned(), String::new()),
            rsx! { Loading { rows: 4, headline: false } },
        ),
    };
    let (fact, rest) = title;
    let title = format!("{fact}{rest}");
    rsx! {
        Drawer { id: "trace", title, head: rsx! { strong { "{fact}" } "{rest}" }, bar,
            onclose: move |()| here.go(here.place().with("open", "")),
            foot: view.map(|view| rsx! { Foot { view } }),
            {body}
        }
    }
}

/// Those above and below in the list.
fn neighbours(shown: &Shown, id: ReceiptId) -> (Option<ReceiptId>, Option<ReceiptId>) {
    let ids: Vec<ReceiptId> = shown.page.rows.iter().map(|row| row.id).collect();
    let Some(at) = ids.iter().position(|other| *other == id) else { return (None, None) };
    (at.checked_sub(1).and_then(|at| ids.get(at)).copied(), ids.get(at + 1).copied())
}

/// How it went: the fact, and the rest of the sentence.
fn headline(lang: Lang, row: &LogRow) -> (String, String) {
    let took = micros(row.took_us);
    let dot = lang.t(".", "。");
    let switched = match (row.switches.unwrap_or_default(), lang) {
        (0, _) => dot.to_owned(),
        (1, Lang::En) => ", after one switch.".to_owned(),
        (n, Lang::En) => format!(", after {n} switches."),
        (1, Lang::Zh) => "，中途换道一次。".to_owned(),
        (n, Lang::Zh) => format!("，中途换道 {n} 次。"),
    };
    let why = row.reason.map_or("", |why| reason(lang, why));
    let fact = match (row.outcome, row.end, lang) {
        (Outcome::Answered, _, Lang::En) => return (format!("Answered in {took}"), switched),
        (Outcome::Answered, _, Lang::Zh) => return (format!("{took} 应答"), switched),
        (_, End::CallerGone, Lang::En) => return ("The caller left".to_owned(), format!(" after {took}.")),
        (_, End::CallerGone, Lang::Zh) => return ("调用方离开".to_owned(), format!("，历时 {took}。")),
        (_, End::Refused, _) => lang.t("Refused at the door", "进门时被拒"),
        (Outcome::Refused, ..) => lang.t("Refused by the provider", "被平台拒绝"),
        (Outcome::Failed, End::UpstreamCut | End::UpstreamError | End::Orphaned, _) => {
            lang.t("Not answered to the end", "没有应答完")
        }
        (Outcome::Failed, ..) => lang.t("Not answered", "没有应答"),
    };
    (fact.to_owned(), format!("{}{why}{switched}", lang.t(": ", "：")))
}

/// Who asked for what, and when.
fn asked(f: &Fmt, row: &LogRow) -> String {
    let lang = f.lang;
    let user = row.user_name.as_deref().unwrap_or_else(|| lang.t("Somebody who is gone", "已不存在的用户"));
    let of = row.customer_name.as_deref().filter(|name| *name != user);
    let at = words::when(f, row.at, now());
    let key = row.key_name.as_deref();
    match lang {
        Lang::En => {
            let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
            let model =
                if row.model.is_empty() { String::new() } else { format!(" asked for {}", row.model) };
            let what = if model.is_empty() { " called" } else { "" };
            let key = key.map(|key| format!(" with the key {key}")).unwrap_or_default();
            format!("{user}{of}{what}{model}{key} at {at}.")
        }
        Lang::Zh => {
            let of = of.map(|of| format!("{of} 的 ")).unwrap_or_default();
            let model = if row.model.is_empty() {
                "发来请求".to_owned()
            } else {
                format!("请求 {}", row.model)
            };
            let key = key.map(|key| format!("用密钥「{key}」")).unwrap_or_default();
            format!("{at}，{of}{user} {key}{model}。")
        }
    }
}

#[component]
pub(super) fn Detail(view: ReceiptView, eyes: Eyes) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let row = &view.row;
    let house = eyes == Eyes::House;
    let fault = row.fault.map(|fault| places(lang, fault, house));
    rsx! {
        p { class: "mt-1.5 text-muted text-pretty", {asked(&f, row)} }
        if let Some((places, at)) = fault {
            section { class: "mt-7", "aria-labelledby": "trace-fault",
                h3 { id: "trace-fault", class: "eyebrow mb-2", {lang.t("Where the fault lies", "问题出在哪里")} }
                Locator { places, at }
                if let Some(reason) = row.reason { p { class: "mt-2 text-sm text-muted text-pretty", {words::advice(lang, reason)} } }
            }
        }
        section { class: "mt-7", "aria-labelledby": "trace-time",
            h3 { id: "trace-time", class: "eyebrow mb-2", {lang.t("Where the time went", "时间花在哪里")} }
            for (at, bar) in view.bars.iter().enumerate() {
                {fall(lang, row, bar, at)}
            }
            Scale { first: row.first_us, took: row.took_us }
        }
        if !row.road.is_empty() {
            section { class: "mt-7", "aria-labelledby": "trace-asked",
                h3 { id: "trace-asked", class: "eyebrow", {lang.t("Who was asked", "问了谁")} }
                ol { class: "rows",
                    for (at, hop) in row.road.iter().enumerate() {
                        Attempt { key: "{at}", hop: hop.clone(), row: row.clone(), last: at + 1 == row.road.len() }
                    }
                }
            }
        }
        section { class: "mt-6", "aria-labelledby": "trace-receipt",
            h3 { id: "trace-receipt", class: "sr-only", {lang.t("Receipt", "小票")} }
            Printed { view: view.clone(), eyes }
        }
        Identifiers { view: view.clone() }
    }
}

fn account(lang: Lang, row: &LogRow, bar: &Bar) -> String {
    let hop = row.road.iter().find(|hop| Some(hop.channel) == bar.channel);
    hop.and_then(|hop| hop.name.clone()).unwrap_or_else(|| lang.t("gone", "已不存在").to_owned())
}

/// A bar of the waterfall, where it took any time.
fn fall(lang: Lang, row: &LogRow, bar: &Bar, at: usize) -> Element {
    let of =
        |us: u64| u32::try_from(u128::from(us) * 10_000 / u128::from(row.took_us.max(1))).unwrap_or(10_000);
    let named = bar.channel.map(|_| account(lang, row, bar));
    let (label, kind) = match (bar.stage, named, lang) {
        (Stage::Door, ..) => (lang.t("At the door", "进门").to_owned(), FallBar::Own),
        (Stage::InVain, name, _) => (name.unwrap_or_default(), FallBar::Failed),
        (Stage::Waiting, None, _) => (lang.t("Waiting", "等待").to_owned(), FallBar::Wait),
        (Stage::Waiting, Some(name), Lang::En) => (format!("{name}, waiting"), FallBar::Wait),
        (Stage::Waiting, Some(name), Lang::Zh) => (format!("{name}，等待"), FallBar::Wait),
        (Stage::Output, None, _) => (lang.t("Talking", "输出").to_owned(), FallBar::Talk),
        (Stage::Output, Some(name), Lang::En) => (format!("{name}, talking"), FallBar::Talk),
        (Stage::Output, Some(name), Lang::Zh) => (format!("{name}，输出"), FallBar::Talk),
    };
    rsx! { Fall { key: "{at}", label, start: of(bar.from_us), length: of(bar.us), time: micros(bar.us), bar: kind } }
}

#[component]
fn Scale(first: Option<u32>, took: u64) -> Element {
    let lang = use_lang();
    let first = first.map(|us| format!("{}{}", lang.t("first word ", "首字 "), micros(u64::from(us))));
    rsx! {
        div { class: "fall max-sm:hidden min-h-0! text-xs text-faint num",
            span {}
            span { class: "flex justify-between",
                span { "0" }
                if let Some(first) = first { span { "{first}" } }
                span { {micros(took)} }
            }
            span {}
        }
    }
}

#[component]
fn Attempt(hop: Hop, row: LogRow, last: bool) -> Element {
    let lang = use_lang();
    let name = hop.name.clone().unwrap_or_else(|| lang.t("gone", "已不存在").to_owned());
    let answered = hop.reason.is_none();
    // The answer that the caller got: its time goes on to the end.
    let whole = last && answered && row.channel == Some(hop.channel);
    let took = match row.first_us {
        Some(first) if whole => u64::from(hop.took_us) + row.took_us.saturating_sub(u64::from(first)),
        _ => u64::from(hop.took_us),
    };
    let (word, class) = match (hop.reason, row.reason) {
        (Some(why), _) => {
            let status = hop.status.map(|status| match lang {
                Lang::En => format!(" ({status})"),
                Lang::Zh => format!("（{status}）"),
            });
            let text = format!("{}{}", reason(lang, why), status.unwrap_or_default());
            (text, "ms-1 font-normal text-error")
        }
        (None, Some(why)) if last => (reason(lang, why).to_owned(), "ms-1 font-normal text-warning"),
        (None, _) => (lang.t("answered", "已应答").to_owned(), "ms-1 font-normal text-success"),
    };
    let sub = match hop.reason {
        Some(reason) => words::advice(lang, reason).to_owned(),
        None => output(lang, &row),
    };
    rsx! {
        li { class: "flex items-start gap-3 py-3",
            Tile { name: name.clone(), class: "tile-sm mt-0.5" }
            div { class: "min-w-0 grow",
                p { class: "font-medium wrap-anywhere", "{name} " span { class, "{word}" } }
                if !sub.is_empty() { p { class: "text-sm text-muted text-pretty num", "{sub}" } }
            }
            span { class: "text-sm text-muted num pt-0.5 whitespace-nowrap", {micros(took)} }
        }
    }
}

/// How much came, and how fast once it came.
fn output(lang: Lang, row: &LogRow) -> String {
    if row.tokens_out == 0 {
        return String::new();
    }
    let tokens = grouped(row.tokens_out);
    let talked = row.first_us.map(|first| row.took_us.saturating_sub(u64::from(first)));
    let rate = talked.filter(|us| row.streamed && *us >= 100_000);
    let rate = rate.map(|us| grouped(row.tokens_out.saturating_mul(1_000_000) / us));
    match (rate, lang) {
        (Some(rate), Lang::En) => format!("{tokens} tokens, {rate} a second"),
        (Some(rate), Lang::Zh) => format!("{tokens} token，每秒 {rate}"),
        (None, Lang::En) => format!("{tokens} tokens, in one piece"),
        (None, Lang::Zh) => format!("{tokens} token，一次给出"),
    }
}

/// What only a search needs.
#[component]
fn Identifiers(view: ReceiptView) -> Element {
    let lang = use_lang();
    let row = &view.row;
    let mut all = vec![
        ("trace", row.trace.to_string()),
        ("receipt", row.id.to_string()),
        ("operation", view.operation.as_str().to_owned()),
        ("dialect", view.dialect.as_str().to_owned()),
        ("end", row.end.as_str().to_owned()),
        ("status", row.status.to_string()),
        ("bytes", format!("{} / {}", grouped(view.bytes_in), grouped(view.bytes_out))),
    ];
    all.extend(
        view.upstream_model.clone().filter(|model| !model.is_empty()).map(|model| ("upstream-model", model)),
    );
    all.extend(view.upstream_request_id.clone().map(|id| ("upstream-request", id)));
    rsx! {
        details { id: "trace-more", class: "mt-5 group",
            summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded",
                Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                {lang.t("Identifiers", "标识")}
            }
            dl { class: "mono mt-3 grid gap-1 text-muted text-xs! break-all",
                for (name, value) in all { div { key: "{name}", dt { class: "inline", "{name}: " } dd { class: "inline", "{value}" } } }
            }
        }
    }
}

#[component]
fn Foot(view: ReceiptView) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let model = view.row.model.clone();
    let playground = pages_for(&conn.viewer.actor).contains(&PageId::Playground) && !model.is_empty();
    let to = here.href(&Place::at(["playground"]).with("m", &model));
    rsx! {
        if playground {
            a { href: to, class: "btn btn-quiet btn-sm",
                Icon { i: "icon-[lucide--message-circle]", class: "size-3.5" }
                {lang.t("Try the model in Playground", "在试玩中试试此模型")}
            }
        }
        Copy { value: view.json.clone(), label: lang.t("Copy as JSON", "复制为 JSON"), class: "btn btn-ghost btn-sm",
            {lang.t("Copy as JSON", "复制为 JSON")}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use burncloud_billing::desk::reports::{Page, Reason};
    use jiff::tz::TimeZone;
    use std::collections::BTreeSet;

    fn said(lang: Lang, row: &LogRow) -> String {
        let (fact, rest) = headline(lang, row);
        format!("{fact}{rest}")
    }

    #[test]
    fn how_it_went_is_a_sentence() {
        let answered = LogRow { took_us: 3_420_000, switches: Some(1), ..row(1) };
        assert_eq!(said(Lang::En, &answered), "Answered in 3.42 s, after one switch.");
        assert_eq!(said(Lang::Zh, &answered), "3.42 s 应答，中途换道一次。");
        let failed =
            |end, outcome, reason| LogRow { end, outcome, reason: Some(reason), switches: Some(0), ..row(1) };
        let door = failed(End::Refused, Outcome::Refused, Reason::NoCredit);
        assert_eq!(said(Lang::En, &door), "Refused at the door: no credit left.");
        let cut = failed(End::UpstreamCut, Outcome::Failed, Reason::BrokeOff);
        assert_eq!(said(Lang::Zh, &cut), "没有应答完：中途断开。");
        let gone =
            LogRow { took_us: 1_800_000, ..failed(End::CallerGone, Outcome::Refused, Reason::CallerLeft) };
        assert_eq!(said(Lang::En, &gone), "The caller left after 1.80 s.");
        let all =
            LogRow { switches: Some(3), ..failed(End::UpstreamFailed, Outcome::Failed, Reason::TooBusy) };
        assert_eq!(said(Lang::En, &all), "Not answered: too busy, after 3 switches.");
    }

    #[test]
    fn who_asked_is_named_once() {
        let f = |lang| Fmt { lang, zone: TimeZone::UTC };
        let named = LogRow {
            user_name: Some("Ann".into()),
            customer_name: Some("Acme".into()),
            key_name: Some("prod".into()),
            model: "gpt-5".into(),
            ..row(1)
        };
        let text = asked(&f(Lang::En), &named);
        assert!(text.starts_with("Ann of Acme asked for gpt-5 with the key prod at "), "{text}");
        let own = LogRow { customer_name: Some("Ann".into()), model: String::new(), key_name: None, ..named };
        assert!(asked(&f(Lang::En), &own).starts_with("Ann called at "));
        assert!(asked(&f(Lang::Zh), &own).ends_with("，Ann 发来请求。"));
    }

    #[test]
    fn neighbours_are_those_of_the_list() {
        let page = Page { rows: [3, 2, 1].map(row).into(), next: None, searched_to: None };
        let shown = Shown { query: Default::default(), page, fresh: BTreeSet::new() };
        let id = |n| Some(ReceiptId(n));
        assert_eq!(neighbours(&shown, ReceiptId(2)), (id(3), id(1)));
        assert_eq!(neighbours(&shown, ReceiptId(3)), (None, id(2)));
        assert_eq!(neighbours(&shown, ReceiptId(9)), (None, None));
    }
}

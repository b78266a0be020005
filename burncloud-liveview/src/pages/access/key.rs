//! One key.

use super::budget::{BudgetForm, Budgets};
use super::chart::Days;
use super::edit::{Edit, What};
use super::shown::{Made, Shown, base, example};
use super::snippets::Snippets;
use super::withdraw::{Overlap, Revoke, Rotate};
use super::words::{self, ends, last_used, meter_tone, round_money, state_words};
use super::{AGAIN, place_of, sign};
use crate::fmt::{grouped, money, ms, now};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::{Fault, Place, use_act, use_again, use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::KeyChange;
use burncloud_billing::desk::reports::{KeyPage, KeyState};
use burncloud_core::{Allowance, Enforcement, KeyId, Nano, Period, Status};
use dioxus::prelude::*;

#[component]
pub(super) fn Key(id: KeyId) -> Element {
    let lang = use_lang();
    let page = use_load(id, |cx, id| async move {
        let desk = cx.console.desk();
        let page = desk.key_in_use(&cx.viewer.actor, id).await?;
        Ok::<_, Fault>((page, desk.models_served().await?))
    });
    use_again(AGAIN, page);
    let mut again = page;
    match &*page.read() {
        None => rsx! { h1 { class: "sr-only", {lang.t("Key", "密钥")} } Loading { rows: 6 } },
        Some(Err(fault)) => rsx! {
            Back {}
            h1 { class: "sr-only", {lang.t("Key", "密钥")} }
            Broken { fault: fault.clone(), onretry: move |_| again.reload() }
        },
        Some(Ok((page, served))) => rsx! { Detail { page: page.clone(), served: served.clone() } },
    }
}

#[component]
fn Back() -> Element {
    let (lang, here) = (use_lang(), use_here());
    rsx! {
        a { href: here.href(&Place::at(["access"])), class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink mb-4 rounded self-start",
            Icon { i: "icon-[lucide--arrow-left]", class: "size-3.5" }
            {lang.t("All keys", "全部密钥")}
        }
    }
}

#[component]
pub(super) fn Detail(page: KeyPage, served: Vec<String>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let key = &page.row.view.key;
    let model = example(key.models.as_deref(), &served);
    let until = key.previous_until.filter(|until| ms(*until) > now());
    let secret = key.hint.clone();
    let revoked = key.status == Status::Revoked;
    rsx! {
        Back {}
        Head { page: page.clone() }
        if let Some(until) = until { Overlap { page: page.clone(), until } }
        Spent { page: page.clone() }
        div { class: "grid lg:grid-cols-2 gap-x-12 gap-y-8 mt-10",
            section { "aria-labelledby": "opens-title",
                h2 { id: "opens-title", class: "section-title mb-1", {lang.t("What it opens", "能打开什么")} }
                dl { class: "rows", Opens { page: page.clone() } }
            }
            section { "aria-labelledby": "where-title",
                h2 { id: "where-title", class: "section-title mb-1", {lang.t("Where it works", "在哪里有效")} }
                dl { class: "rows", Where { page: page.clone() } }
            }
        }
        if !revoked {
            Section { id: "use-title", title: lang.t("How to use it", "怎么用"),
                Snippets { base: base(&conn), secret, model }
                if page.row.may.sign { sign::Pair { id: key.id } }
            }
        }
        Dialogs { page: page.clone(), served }
    }
}

/// The dialog that the URL says is open, and a secret that was just made.
#[component]
fn Dialogs(page: KeyPage, served: Vec<String>) -> Element {
    let mut here = use_here();
    let mut made = use_signal(|| None::<Made>);
    let id = page.row.view.key.id;
    // In its place: "back" does not open it again.
    let onclose = move |()| here.replace(place_of(id));
    let (may, asked) = (page.row.may, here.get("do").unwrap_or_default());
    let shown = made.read().clone();
    rsx! {
        match asked.as_str() {
            "rotate" if may.change => rsx! {
                Rotate { page, onclose, onmade: move |key| { made.set(Some(key)); here.replace(place_of(id)); } }
            },
            "revoke" if may.change => rsx! { Revoke { page, onclose } },
            "budget" if may.budgets => rsx! { BudgetForm { page, name: here.get("budget"), onclose } },
            what => match What::of(what) {
                Some(what) if may.change && (what != What::Group || may.group) => rsx! { Edit { key: "{asked}", page, served, what, onclose } },
                _ => rsx! {},
            },
        }
        if let Some(key) = shown { Shown { made: key, onclose: move |()| made.set(None) } }
    }
}

#[component]
fn Head(page: KeyPage) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let view = &page.row.view;
    let (tone, word) = state_words(lang, page.row.state);
    let (id, off, place) = (view.key.id, view.key.status == Status::Disabled, place_of(view.key.id));
    let mut switch = use_act(move |cx, status: Status| async move {
        let change = KeyChange { status: Some(status), ..KeyChange::default() };
        cx.console.desk().update_key(&cx.viewer.actor, id, change, None).await
    });
    let flip = move |_| {
        let (to, back) =
            if off { (Status::Active, Status::Disabled) } else { (Status::Disabled, Status::Active) };
        switch.then(to, move |_| {
            let done = if off {
                lang.t("The key is on", "密钥已开启")
            } else {
                lang.t("The key is off", "密钥已关闭")
            };
            toasts.show(Toast::done(done).undo(move |cx| async move {
                let change = KeyChange { status: Some(back), ..KeyChange::default() };
                cx.console.desk().update_key(&cx.viewer.actor, id, change, None).await.map(drop)
            }));
        });
    };
    rsx! {
        div { class: "flex flex-wrap items-start justify-between gap-4",
            div { class: "min-w-0",
                h1 { class: "headline", strong { class: "wrap-anywhere", "{view.key.name}" } }
                p { class: "mt-1.5 text-muted flex flex-wrap items-center gap-x-2 gap-y-1",
                    span { class: "mono", "{view.key.hint}" }
                    span { class: "text-faint", "aria-hidden": "true", "·" }
                    Tile { name: view.user_name.clone(), round: true, class: "size-5! text-[0.5rem]!" }
                    span { "{view.user_name}" }
                    span { class: "text-faint", "aria-hidden": "true", "·" }
                    span { class: "inline-flex items-center gap-2", Dot { tone } "{word}" }
                }
            }
            if page.row.may.change {
                div { class: "flex flex-wrap gap-2",
                    Button { small: true, icon: switch_icon(off), busy: switch.busy(), onclick: flip,
                        if off { {lang.t("Switch on", "开启")} } else { {lang.t("Switch off", "关闭")} }
                    }
                    LinkButton { small: true, icon: "icon-[lucide--refresh-cw]", href: here.href(&place.clone().with("do", "rotate")), {lang.t("Rotate", "更换")} }
                    LinkButton { small: true, kind: Kind::Danger, href: here.href(&place.with("do", "revoke")), {lang.t("Revoke", "作废")} }
                }
            }
        }
    }
}

pub(super) fn switch_icon(off: bool) -> &'static str {
    if off { "icon-[lucide--play]" } else { "icon-[lucide--pause]" }
}

/// What is left of a day's budget in money, where there is one.
fn left(lang: Lang, page: &KeyPage) -> Option<(String, String)> {
    let day = page.row.budgets.iter().find(|view| view.budget.period == Period::Day);
    let (view, Allowance::Money(all)) = day.map(|view| (view, view.budget.allowance))? else { return None };
    let rest = Nano(all.minus(view.spent_money).0.max(0));
    Some((
        money(rest),
        match lang {
            Lang::En => format!(" left of {}", round_money(all)),
            Lang::Zh => format!("，预算 {}", round_money(all)),
        },
    ))
}

#[component]
fn Spent(page: KeyPage) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let care = matches!(page.row.state, KeyState::Near | KeyState::Spent);
    let used = page.row.last_used.map(|at| last_used(&f, at, now()));
    let quota = page.row.quota_percent().zip(page.row.view.key.quota);
    rsx! {
        section { class: "panel mt-8 p-6", "aria-labelledby": "spent-title",
            div { class: "flex flex-wrap items-end justify-between gap-x-8 gap-y-2",
                div {
                    h2 { id: "spent-title", class: "text-sm text-muted font-normal", {lang.t("Spent today", "今日花费")} }
                    p { class: "mt-1", Figure { amount: page.row.today, class: "text-3xl" } }
                }
                p { class: "text-muted num sm:text-right",
                    if let Some((rest, of)) = left(lang, &page) {
                        {lang.t("", "还剩 ")}
                        span { class: "text-ink font-medium", "{rest}" }
                        "{of}"
                        br {}
                    }
                    match &used {
                        Some(used) => rsx! { {lang.t("Last used ", "最近使用：")} "{used}" },
                        None => rsx! { {lang.t("Never used", "从未使用")} },
                    }
                }
            }
            for view in &page.row.budgets {
                Gauge { key: "{view.budget.name}", percent: view.percent(), hard: view.budget.enforcement == Enforcement::Hard,
                    name: words::budget(&f, &view.budget) }
            }
            if let Some((percent, quota)) = quota {
                Gauge { percent, hard: true, name: format!("{} {}", lang.t("In its life", "总额度"), round_money(quota)) }
            }
            if page.days.iter().any(|day| day.requests > 0) {
                div { class: "mt-6", Days { days: page.days.clone(), care } }
            }
        }
    }
}

/// How full a budget is.
#[component]
fn Gauge(percent: u32, hard: bool, name: String) -> Element {
    let lang = use_lang();
    let label = match lang {
        Lang::En => format!("{name}: {percent}% used"),
        Lang::Zh => format!("{name}，已用 {percent}%"),
    };
    rsx! {
        div { class: "mt-4",
            div { class: "flex justify-between gap-4 text-sm text-muted num mb-1.5",
                span { "{name}" }
                span { "{percent}%" }
            }
            Meter { percent, label, tone: meter_tone(percent, hard), class: "meter-lg" }
        }
    }
}

/// A line of a list of facts; with `ask`, it can be changed.
#[component]
fn Line(label: String, #[props(default)] ask: Option<(KeyId, &'static str)>, children: Element) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let href = ask.map(|(id, what)| here.href(&place_of(id).with("do", what)));
    let words = match lang {
        Lang::En => format!("Edit: {label}"),
        Lang::Zh => format!("编辑{label}"),
    };
    rsx! {
        div { class: "flex items-start gap-4 py-3.5",
            dt { class: "text-muted shrink-0 w-20 sm:w-32", "{label}" }
            dd { class: "grow min-w-0 flex items-start justify-between gap-3",
                div { class: "min-w-0", {children} }
                if let Some(href) = href { a { href, class: "btn btn-ghost btn-xs -my-0.5", "aria-label": "{words}", {lang.t("Edit", "编辑")} } }
            }
        }
    }
}

#[component]
fn Opens(page: KeyPage) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let (key, may) = (&page.row.view.key, page.row.may);
    let ask = |what| may.change.then_some((key.id, what));
    let any = lang.t("No limit", "不限");
    let quota = key.quota.map(|quota| match lang {
        Lang::En => format!("{}, {} used", round_money(quota), money(key.used)),
        Lang::Zh => format!("{}，已用 {}", round_money(quota), money(key.used)),
    });
    rsx! {
        Line { label: lang.t("Models", "模型"), ask: ask("models"),
            match &key.models {
                None => rsx! { span { class: "text-muted", {lang.t("All", "全部")} } },
                Some(models) => rsx! {
                    span { class: "flex flex-wrap gap-1.5",
                        for model in models { span { key: "{model}", class: "badge badge-plain text-ink h-7! max-w-full", span { class: "truncate", title: "{model}", "{model}" } } }
                    }
                },
            }
        }
        Budgets { page: page.clone() }
        Line { label: lang.t("In its life", "总额度"), ask: ask("quota"),
            match quota {
                Some(quota) => rsx! { span { class: "num", "{quota}" } },
                None => rsx! { span { class: "text-muted", "{any}" } },
            }
        }
        Line { label: lang.t("Speed", "速度"), ask: ask("speed"),
            match words::limits(&f, &key.limits) {
                Some(limits) => rsx! { span { class: "num", "{limits}" } },
                None => rsx! { span { class: "text-muted", "{any}" } },
            }
        }
        Line { label: lang.t("Ends", "到期"), ask: ask("ends"),
            match key.expires_at {
                Some(at) => rsx! { span { class: "num", {ends(&f, at, now())} } },
                None => rsx! { span { class: "text-muted", {lang.t("Never", "不过期")} } },
            }
        }
        if may.group || key.group.is_some() {
            Line { label: lang.t("Group", "分组"), ask: may.group.then_some((key.id, "group")),
                match &key.group {
                    Some(group) => rsx! { "{group}" },
                    None => rsx! { span { class: "text-muted", {lang.t("Its customer's", "随客户")} } },
                }
            }
        }
    }
}

#[component]
fn Where(page: KeyPage) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let (key, may) = (&page.row.view.key, page.row.may);
    let ask = |what| may.change.then_some((key.id, what));
    let any = lang.t("Any", "不限");
    let logs = Place::at(["logs"]).with("key", key.id.0);
    let refused = match lang {
        Lang::En => format!("{} in 30 days", grouped(page.refused)),
        Lang::Zh => format!("近 30 天 {} 次", grouped(page.refused)),
    };
    let made = f.date(ms(key.created_at), now());
    let made = match (&page.made_by, lang) {
        (None, _) => made,
        (Some(who), Lang::En) => format!("{made} by {who}"),
        (Some(who), Lang::Zh) => format!("{made}，{who}"),
    };
    rsx! {
        Line { label: lang.t("Addresses", "IP 地址"), ask: ask("ips"),
            match &key.ips {
                None => rsx! { span { class: "text-muted", "{any}" } },
                Some(ips) => rsx! { ul { class: "grid gap-1 mono", for ip in ips { li { key: "{ip}", class: "break-all", "{ip}" } } } },
            }
        }
        Line { label: lang.t("Apps", "应用"), ask: ask("apps"),
            match &key.apps {
                None => rsx! { span { class: "text-muted", "{any}" } },
                Some(apps) => rsx! { ul { class: "grid gap-1", for app in apps { li { key: "{app}", class: "wrap-anywhere", "{app}" } } } },
            }
        }
        Line { label: lang.t("Requests", "请求"),
            a { class: "link", href: here.href(&logs), {lang.t("See its requests", "查看它的请求")} }
        }
        Line { label: lang.t("Refused", "拒绝过"), span { class: "num", "{refused}" } }
        Line { label: lang.t("Made", "创建"), span { class: "num", "{made}" } }
    }
}

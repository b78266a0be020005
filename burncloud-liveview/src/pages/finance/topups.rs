//! Money in and out: top-ups, codes, gifts, corrections, credit lines.

use super::words::{csv_href, kind_name, moment, signed, whole};
use super::{Parts, writes};
use crate::fmt::now;
use crate::kit::{
    Broken, Button, Choice, Dialog, Empty, Field, Form, Headline, Kind, Loading, Menu, MenuLink, Pager,
    Select, Table, Toast, use_fmt, use_toasts,
};
use crate::lang::Lang;
use crate::live::{Place, use_act, use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::{Against, MoveFilter, MoveLine, Movements, WalletId};
use burncloud_core::Nano;
use burncloud_core::ledger::EntryKind;
use dioxus::prelude::*;

const KINDS: [EntryKind; 6] = [
    EntryKind::TopUp,
    EntryKind::Redeem,
    EntryKind::Promotion,
    EntryKind::Adjustment,
    EntryKind::CreditLine,
    EntryKind::Reversal,
];

#[component]
pub(super) fn Topups() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let kind = here.get("kind").and_then(|name| EntryKind::parse(&name));
    let before = here.parsed::<i64>("before");
    let loaded = use_load((kind, before), |cx, (kind, before)| async move {
        let filter = MoveFilter { kind, before, ..MoveFilter::default() };
        cx.console.desk().movements(&cx.viewer.actor, &filter).await
    });
    let write = writes(&conn.viewer.actor);
    let list = match &*loaded.read() {
        None => rsx! { Loading { rows: 8 } },
        Some(Err(fault)) => rsx! { Parts { on: "topups" } Broken { fault: fault.clone() } },
        Some(Ok(all)) => rsx! { Shown { all: all.clone(), kind, write } },
    };
    let undo = here.parsed::<i64>("undo").filter(|_| write);
    rsx! {
        {list}
        if let Some(entry) = undo { Undo { entry, line: loaded.get().and_then(|all| all.page.items.into_iter().find(|line| line.entry == entry)) } }
    }
}

/// Asks for the reason, and undoes an entry by another one.
#[component]
fn Undo(entry: i64, line: Option<MoveLine>) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let mut undo = use_act(|cx, (entry, reason): (i64, String)| async move {
        cx.console.desk().reverse_entry(&cx.viewer.actor, entry, &reason).await
    });
    let leave = move || {
        let mut here = here;
        let place = here.place().with("undo", "");
        here.go(place);
    };
    let what = line.map(|line| {
        let name = line.name.unwrap_or_else(|| "—".to_owned());
        format!("{} · {name} · {}", kind_name(line.kind, lang), signed(line.amount))
    });
    rsx! {
        Dialog { id: "undo-entry", title: lang.t("Undo this entry", "冲正这条分录"),
            sub: lang.t("A second entry takes it back. Both stay in the books.", "将增加一条相反的分录，两条都会保留在账上。"), onclose: move |()| leave(),
            form { class: "grid gap-5",
                onsubmit: move |event| {
                    undo.then((entry, Form::of(&event).text("reason")), move |_| {
                        toasts.show(Toast::done(lang.t("Undone", "已冲正")));
                        leave();
                    });
                },
                if let Some(what) = what { p { class: "num", "{what}" } }
                Field { id: "undo-reason", name: "reason", label: lang.t("Why", "原因"), autofocus: true, required: true, error: undo.error("reason").or(undo.error("entry")) }
                if let Some(fault) = undo.fault().filter(|fault| fault.field.is_none()) {
                    p { role: "alert", class: "text-sm text-error", "{fault.text}" }
                }
                div { class: "flex justify-end", Button { kind: Kind::Destroy, submit: true, busy: undo.busy(), {lang.t("Undo it", "冲正")} } }
            }
        }
    }
}

fn against_name(against: Against, lang: Lang) -> &'static str {
    match against {
        Against::Cash => lang.t("money from outside", "外部款项"),
        Against::Promotion => lang.t("given away", "赠送"),
        Against::Adjustment => lang.t("correction", "调整"),
        Against::Granted => lang.t("credit line", "信用额度"),
    }
}

/// Where a wallet's statement is.
pub(super) fn statement_of(wallet: WalletId) -> Place {
    let of = match wallet {
        WalletId::User(id) => format!("user-{id}"),
        WalletId::Tenant(id) => format!("tenant-{id}"),
    };
    Place::at(["finance", "statement"]).with("of", of)
}

#[component]
pub(super) fn Shown(all: Movements, kind: Option<EntryKind>, write: bool) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let mut choices = vec![Choice::new("", lang.t("Everything", "全部"))];
    choices.extend(KINDS.map(|kind| Choice::new(kind.as_str(), kind_name(kind, lang))));
    let chosen = kind.map_or("", EntryKind::as_str);
    let undone: Vec<i64> = all.page.items.iter().filter_map(|line| line.reverses).collect();
    let rows: Vec<Vec<String>> = all.page.items.iter().map(csv_row).collect();
    let href = csv_href(
        &[
            "entry",
            "time_unix_us",
            "kind",
            "wallet",
            "name",
            "amount_usd",
            "author",
            "reason",
            "reference",
            "undoes",
        ],
        &rows,
    );
    let newest = here.parsed::<i64>("before").map(|_| here.with("before", ""));
    let older = all.page.next.map(|next| here.with("before", next));
    rsx! {
        Headline { class: "mb-5",
            actions: rsx! {
                if !all.page.items.is_empty() { a { class: "btn btn-quiet btn-sm", href: "{href}", download: "money.csv", "CSV" } }
            },
            Sentence { received: all.received, given: all.given }
        }
        Parts { on: "topups" }
        div { class: "flex flex-wrap items-center gap-2 mb-2",
            Select { id: "topups-kind", label: lang.t("Kind", "类型"), hide_label: true, class: "select-sm", choices, value: chosen,
                onchange: move |kind: String| {
                    let mut here = here;
                    let place = here.place().without(&["before"]).with("kind", kind);
                    here.go(place);
                }
            }
        }
        if all.page.items.is_empty() {
            Empty { icon: "icon-[lucide--wallet]", text: lang.t("No money went in or out here. Top-ups are made at a user or tenant.", "这里没有资金进出。充值在用户或租户处进行。"),
                a { class: "btn btn-quiet btn-sm", href: here.href(&Place::at(["users"])), {lang.t("To the users", "前往用户")} }
            }
        } else {
            Table { caption: lang.t("Money in and out", "资金进出"),
                head: rsx! {
                    th { scope: "col", {lang.t("Whose", "对象")} }
                    th { scope: "col", class: "max-md:hidden", {lang.t("What", "类型")} }
                    th { scope: "col", class: "max-lg:hidden", {lang.t("Why", "原因")} }
                    th { scope: "col", class: "max-md:hidden", {lang.t("When", "时间")} }
                    th { scope: "col", class: "text-right", {lang.t("Amount", "金额")} }
                    if write { th { class: "max-md:hidden", span { class: "sr-only", {lang.t("More", "更多")} } } }
                },
                for line in all.page.items.iter() {
                    Row { key: "{line.entry}", line: line.clone(), write, undone: undone.contains(&line.entry), when: moment(&f, line.at, now()) }
                }
            }
        }
        Pager { before: newest, after: older }
    }
}

fn csv_row(line: &MoveLine) -> Vec<String> {
    let wallet = line.wallet.map(|wallet| match wallet {
        WalletId::User(id) => format!("user:{id}"),
        WalletId::Tenant(id) => format!("tenant:{id}"),
    });
    vec![
        line.entry.to_string(),
        line.at.0.to_string(),
        line.kind.as_str().to_owned(),
        wallet.unwrap_or_default(),
        line.name.clone().unwrap_or_default(),
        line.amount.to_string(),
        line.author.clone(),
        line.reason.clone(),
        line.reference.clone().unwrap_or_default(),
        line.reverses.map(|entry| entry.to_string()).unwrap_or_default(),
    ]
}

#[component]
fn Sentence(received: Nano, given: Nano) -> Element {
    let lang = use_lang();
    let (received, given) = (whole(received), (given != Nano::ZERO).then(|| whole(given)));
    match lang {
        Lang::En => rsx! {
            strong { "{received} came in" }
            if let Some(given) = given { ", {given} was given away" }
            "."
        },
        Lang::Zh => rsx! {
            "共收款 " strong { "{received}" }
            if let Some(given) = given { "，赠送 {given}" }
            "。"
        },
    }
}

#[component]
fn Row(line: MoveLine, write: bool, undone: bool, when: String) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let name = line.name.clone().unwrap_or_else(|| lang.t("Gone", "已删除").to_owned());
    let kind = kind_name(line.kind, lang);
    let against = against_name(line.against, lang);
    let reference = line.reference.clone().unwrap_or_default();
    let statement = line.wallet.map(|wallet| here.href(&statement_of(wallet)));
    let undo = here.href(&here.place().with("undo", line.entry));
    let tone = if undone { "line-through text-muted" } else { "" };
    let reversible = write && !undone && line.kind != EntryKind::Reversal;
    rsx! {
        tr {
            th { scope: "row", class: "font-normal",
                span { class: "min-w-0 block",
                    if let Some(href) = statement {
                        a { class: "font-medium block truncate max-w-[50vw] sm:max-w-64 hover:underline", title: "{name}", href, "{name}" }
                    } else {
                        span { class: "font-medium block truncate", "{name}" }
                    }
                    span { class: "md:hidden block text-sm text-muted num", "{kind} · {when}" }
                    span { class: "max-md:hidden block text-sm text-muted", {lang.t("by ", "操作人 ")} "{line.author}" }
                }
            }
            td { class: "max-md:hidden",
                span { class: "block", "{kind}" }
                span { class: "block text-sm text-muted", "{against}" }
            }
            td { class: "max-lg:hidden",
                span { class: "block truncate max-w-56", title: "{line.reason}", "{line.reason}" }
                if !reference.is_empty() { span { class: "block mono text-sm text-muted truncate max-w-56", title: "{reference}", "{reference}" } }
            }
            td { class: "max-md:hidden text-muted num whitespace-nowrap", "{when}" }
            td { class: "text-right num whitespace-nowrap {tone}", {signed(line.amount)}
                if undone { span { class: "sr-only", {lang.t(", undone", "，已冲正")} } }
            }
            if write {
                td { class: "text-right w-10 max-md:hidden",
                    if reversible {
                        Menu { label: format!("{name}: {}", lang.t("more", "更多")),
                            MenuLink { href: undo, icon: "icon-[lucide--undo-2]", {lang.t("Undo this entry", "冲正")} }
                        }
                    }
                }
            }
        }
    }
}

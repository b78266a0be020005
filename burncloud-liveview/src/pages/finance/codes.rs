//! Redeem codes: batches, and what is left of them.

use super::newcodes::NewCodes;
use super::words::whole;
use super::{Parts, writes};
use crate::fmt::{grouped, money, ms, now};
use crate::kit::{
    Broken, Confirm, Empty, Headline, Icon, Kind, LinkButton, Loading, Menu, MenuLink, Meter, Table, Toast,
    Tone, use_fmt, use_toasts,
};
use crate::lang::Lang;
use crate::live::{Place, use_act, use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::BatchView;
use burncloud_core::Nano;
use dioxus::prelude::*;

#[component]
pub(super) fn Codes() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let loaded = use_load((), |cx, ()| async move { cx.console.desk().code_batches(&cx.viewer.actor).await });
    let write = writes(&conn.viewer.actor);
    let list = match &*loaded.read() {
        None => rsx! { Loading { rows: 4 } },
        Some(Err(fault)) => rsx! { Parts { on: "codes" } Broken { fault: fault.clone() } },
        Some(Ok(all)) => rsx! { Batches { all: all.clone(), write } },
    };
    let revoke = here.get("revoke").filter(|_| write);
    rsx! {
        {list}
        if write && here.get("new").is_some() { NewCodes {} }
        if let Some(name) = revoke { Withdraw { name, all: loaded.get().unwrap_or_default() } }
    }
}

/// Withdraws what is unused: nothing brings it back, so the name is typed.
#[component]
fn Withdraw(name: String, all: Vec<BatchView>) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let mut revoke =
        use_act(
            |cx, name: String| async move { cx.console.desk().revoke_codes(&cx.viewer.actor, &name).await },
        );
    let Some(batch) = all.into_iter().find(|batch| batch.name == name && batch.open > 0) else {
        return rsx! {};
    };
    let (open, worth) = (grouped(batch.open), money(batch.open_worth));
    let text = match lang {
        Lang::En => {
            format!("{open} unused codes worth {worth} stop working at once, for good. Used ones stay used.")
        }
        Lang::Zh => {
            format!("{open} 张未使用的兑换码（共 {worth}）立即作废，不能恢复。已兑换的不受影响。")
        }
    };
    let leave = move || {
        let mut here = here;
        here.go(Place::at(["finance", "codes"]));
    };
    rsx! {
        Confirm { id: "revoke-codes", title: lang.t("Withdraw these codes", "作废这些兑换码"), text,
            action: lang.t("Withdraw", "作废"), word: name.clone(), busy: revoke.busy(),
            onclose: move |()| leave(),
            onconfirm: move |()| {
                revoke.then(name.clone(), move |count| {
                    let count = grouped(count);
                    toasts.show(Toast::done(match lang {
                        Lang::En => format!("{count} codes withdrawn"),
                        Lang::Zh => format!("已作废 {count} 张"),
                    }));
                    leave();
                });
            },
        }
    }
}

#[component]
fn Waiting(open: Nano) -> Element {
    let lang = use_lang();
    let sum = whole(open);
    match lang {
        Lang::En if open > Nano::ZERO => {
            rsx! { strong { "{sum} in codes" } " waits to be redeemed." }
        }
        Lang::Zh if open > Nano::ZERO => rsx! { "还有 " strong { "{sum} 的兑换码" } "未使用。" },
        Lang::En => rsx! { strong { "No code" } " waits to be redeemed." },
        Lang::Zh => rsx! { strong { "没有兑换码" } "待兑换。" },
    }
}

#[component]
pub(super) fn Batches(all: Vec<BatchView>, write: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let open = all.iter().fold(Nano::ZERO, |sum, batch| sum.plus(batch.open_worth));
    let print = here.href(&Place::at(["finance", "codes"]).with("new", 1));
    let many = all.iter().any(|batch| batch.tenant != all[0].tenant);
    let actions = write.then(|| {
        rsx! {
            LinkButton { href: print.clone(), kind: Kind::Primary, small: true, icon: "icon-[lucide--plus]",
                {lang.t("Print codes", "生成兑换码")}
            }
        }
    });
    let none = lang.t(
        "No codes were printed yet. Whoever has one puts its worth into their balance.",
        "还没有生成过兑换码。持码人可将面值充入余额。",
    );
    rsx! {
        Headline { class: "mb-5", actions, Waiting { open } }
        Parts { on: "codes" }
        if all.is_empty() {
            Empty { icon: "icon-[lucide--ticket]", text: none }
        } else {
            Table { caption: lang.t("Redeem codes", "兑换码"),
                head: rsx! {
                    th { scope: "col", {lang.t("Batch", "批次")} }
                    th { scope: "col", class: "text-right max-sm:hidden", {lang.t("Each", "面值")} }
                    th { scope: "col", class: "max-sm:text-right", {lang.t("Redeemed", "已兑换")} }
                    th { scope: "col", class: "max-md:hidden", {lang.t("Ends", "到期")} }
                    th { class: "max-md:hidden", span { class: "sr-only", {lang.t("More", "更多")} } }
                },
                for batch in all { Row { key: "{batch.tenant}/{batch.name}", batch, many, write } }
            }
        }
    }
}

/// What each code is worth; batches of one name may hold several values.
fn each(batch: &BatchView) -> String {
    let count = i64::try_from(batch.count).unwrap_or(i64::MAX);
    match batch.worth.0.checked_rem(count) {
        Some(0) => money(Nano(batch.worth.0 / count)),
        _ => "—".to_owned(),
    }
}

/// What stands under a batch's name.
fn small_print(batch: &BatchView, many: bool, lang: Lang) -> String {
    let mut parts = Vec::new();
    if many {
        parts.push(batch.tenant_name.clone());
    }
    parts.push(if batch.sold { lang.t("sold", "出售") } else { lang.t("given away", "赠送") }.to_owned());
    let counted = [(batch.revoked, "withdrawn", "作废"), (batch.expired, "expired", "过期")];
    for (n, en, zh) in counted.into_iter().filter(|(n, ..)| *n > 0) {
        let n = grouped(n);
        parts.push(match lang {
            Lang::En => format!("{n} {en}"),
            Lang::Zh => format!("{n} 张已{zh}"),
        });
    }
    parts.join(" · ")
}

#[component]
fn Row(batch: BatchView, many: bool, write: bool) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let dead = batch.open == 0;
    let ends = match batch.expires_at {
        None => lang.t("Never", "不过期").to_owned(),
        Some(at) if batch.expired > 0 && dead => match lang {
            Lang::En => format!("Ended {}", f.date(ms(at), now())),
            Lang::Zh => format!("{} 已过期", f.date(ms(at), now())),
        },
        Some(at) => f.date(ms(at), now()),
    };
    let part = u32::try_from((batch.used * 100).checked_div(batch.count).unwrap_or(0)).unwrap_or(100);
    let (used, count) = (grouped(batch.used), grouped(batch.count));
    let sub = small_print(&batch, many, lang);
    let revoke = here.href(&Place::at(["finance", "codes"]).with("revoke", &batch.name));
    let more = match lang {
        Lang::En => format!("{}: more", batch.name),
        Lang::Zh => format!("{}：更多", batch.name),
    };
    rsx! {
        tr { class: if dead { "text-muted" } else { "" },
            th { scope: "row", class: "font-normal",
                span { class: "flex items-center gap-3",
                    span { class: "grid place-items-center size-9 rounded-lg bg-fill text-muted max-sm:hidden", Icon { i: "icon-[lucide--ticket]" } }
                    span { class: "min-w-0",
                        span { class: "font-medium block truncate max-w-[44vw] sm:max-w-72", title: "{batch.name}", "{batch.name}" }
                        span { class: "block text-sm text-muted num", "{sub}" }
                    }
                }
            }
            td { class: "text-right num max-sm:hidden", title: money(batch.worth), {each(&batch)} }
            td { class: "max-sm:text-right max-sm:pe-0",
                span { class: "flex items-center gap-3 max-sm:justify-end",
                    Meter { percent: part, label: "{used} / {count}", tone: if dead { Tone::Plain } else { Tone::Info }, class: "w-28 max-sm:hidden" }
                    span { class: "num whitespace-nowrap", "{used} " span { class: "text-muted", "/ {count}" } }
                }
            }
            td { class: "text-muted num max-md:hidden", "{ends}" }
            td { class: "text-right w-10 max-md:hidden",
                if write && !dead {
                    Menu { label: more,
                        MenuLink { href: revoke, icon: "icon-[lucide--ban]", {lang.t("Withdraw the unused", "作废未使用的")} }
                    }
                }
            }
        }
    }
}

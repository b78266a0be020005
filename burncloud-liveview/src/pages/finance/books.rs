//! Whether the books agree, on demand: it reads everything.

use crate::fmt::grouped;
use crate::kit::{Button, Dot, Tone};
use crate::lang::Lang;
use crate::live::{use_act, use_lang, use_watch};
use burncloud_billing::desk::BooksChecked;
use burncloud_billing::ledger::VerifyReport;
use burncloud_billing::people::{Action, Actor};
use dioxus::prelude::*;
use std::sync::Arc;
use tokio::sync::watch;

#[component]
pub(super) fn Books(actor: Actor) -> Element {
    rsx! { if actor.may_in_house(Action::ManageHouse) { Check {} } }
}

#[component]
fn Check() -> Element {
    let lang = use_lang();
    let far = use_hook(|| Arc::new(watch::Sender::new(VerifyReport::default())));
    let seen = use_watch({
        let far = far.clone();
        move |_| far.subscribe()
    });
    let mut found = use_signal(|| None::<BooksChecked>);
    let mut check = use_act(move |cx, ()| {
        let far = far.clone();
        async move {
            let tell = move |report: &VerifyReport| {
                far.send_replace(report.clone());
            };
            cx.console.desk().check_books(&cx.viewer.actor, tell).await
        }
    });
    let busy = check.busy();
    rsx! {
        section { class: "mt-14 flex flex-wrap items-center gap-x-4 gap-y-2", "aria-labelledby": "books",
            h2 { id: "books", class: "section-title", {lang.t("The books", "账本")} }
            p { class: "text-sm text-muted num flex items-center gap-2", role: "status",
                if busy { {read(&seen(), lang)} } else { Said { found: found() } }
            }
            Button { id: "check-books", small: true, busy, class: "ms-auto",
                onclick: move |_| check.then((), move |done| found.set(Some(done))),
                {lang.t("Check the books", "核对账本")}
            }
        }
    }
}

fn read(report: &VerifyReport, lang: Lang) -> String {
    let (entries, receipts) = (grouped(report.entries), grouped(report.receipts));
    match lang {
        Lang::En => format!("Read so far: {entries} entries, {receipts} receipts"),
        Lang::Zh => format!("已读：{entries} 条分录，{receipts} 张小票"),
    }
}

#[component]
pub(super) fn Said(found: Option<BooksChecked>) -> Element {
    let lang = use_lang();
    match found {
        None => rsx! {
            {lang.t("Every balance can be counted again from receipts and entries.", "每个余额都可以从小票和分录重新算出。")}
        },
        Some(BooksChecked::Agree(report)) => {
            let (entries, receipts, accounts) =
                (grouped(report.entries), grouped(report.receipts), grouped(report.accounts));
            let mut counted = match lang {
                Lang::En => format!("{entries} entries, {receipts} receipts, {accounts} accounts."),
                Lang::Zh => format!("{entries} 条分录，{receipts} 张小票，{accounts} 个账户。"),
            };
            if report.archived > 0 {
                let archived = grouped(report.archived);
                counted.push_str(&match lang {
                    Lang::En => format!(
                        " {archived} archived receipts were not read again; what was noted of them fits."
                    ),
                    Lang::Zh => format!(" 另有 {archived} 张已归档小票未重新读取，与其记录相符。"),
                });
            }
            rsx! {
                Dot { tone: Tone::Good }
                strong { class: "font-medium text-ink", {lang.t("The books agree.", "账本一致。")} }
                "{counted}"
            }
        }
        Some(BooksChecked::Differ(difference)) => rsx! {
            Dot { tone: Tone::Bad }
            strong { class: "font-medium text-error", {lang.t("The books disagree.", "账本不一致。")} }
            "{difference}"
        },
        Some(BooksChecked::Busy) => rsx! {
            Dot { tone: Tone::Care }
            {lang.t("Too much was written meanwhile to say. Try again when less is going on.", "期间写入太多，无法判断。请在空闲时再试。")}
        },
    }
}

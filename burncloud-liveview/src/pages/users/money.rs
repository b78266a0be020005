//! Money by hand: a top-up, a gift, a correction, a credit line.

use super::close;
use super::words::amount;
use crate::fmt::{grouped, money};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::{MoneyMove, MoveKind, WalletId, WalletView};
use burncloud_core::Nano;
use dioxus::prelude::*;

const PRESETS: [i64; 4] = [100, 500, 1_000, 5_000];

/// What may be done with a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purse {
    pub(super) view: WalletView,
    pub(super) fund: bool,
    pub(super) credit: bool,
}

pub(super) async fn purse(cx: &Cx, wallet: WalletId) -> Result<Purse, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let view = desk.wallet(actor, wallet).await?;
    let (fund, credit) = match wallet {
        WalletId::User(id) => {
            let over = desk.powers_over(actor, id).await?;
            (over.fund, over.credit)
        }
        WalletId::Tenant(id) => {
            let all = desk.powers(actor).await?;
            let at = all.into_iter().find(|at| at.tenant == id).unwrap_or_default();
            (at.fund_it, at.credit_it)
        }
    };
    Ok(Purse { view, fund, credit })
}

#[component]
pub(super) fn Money(wallet: WalletId) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let read = use_load(wallet, |cx, wallet| async move { purse(&cx, wallet).await });
    match &*read.read() {
        Some(Ok(purse)) if purse.fund || purse.credit => rsx! { Order { purse: purse.clone() } },
        Some(Ok(_)) => {
            rsx! { Refusal { text: lang.t("You may not move this money.", "你不能动用这笔钱。") } }
        }
        Some(Err(fault)) => rsx! { Refusal { text: fault.text.clone() } },
        None => rsx! {
            Dialog { id: "topup", title: lang.t("Top up", "充值"), onclose: move |()| close(here), Loading { rows: 3, headline: false } }
        },
    }
}

#[component]
fn Refusal(text: String) -> Element {
    let (lang, here) = (use_lang(), use_here());
    rsx! {
        Dialog { id: "topup", title: lang.t("Top up", "充值"), onclose: move |()| close(here), p { role: "alert", class: "text-muted", "{text}" } }
    }
}

fn title(lang: Lang, kind: MoveKind, name: &str) -> String {
    match (kind, lang) {
        (MoveKind::TopUp, Lang::En) => format!("Top up {name}"),
        (MoveKind::TopUp, Lang::Zh) => format!("给{name}充值"),
        (MoveKind::Promotion, Lang::En) => format!("A gift for {name}"),
        (MoveKind::Promotion, Lang::Zh) => format!("赠送给{name}"),
        (MoveKind::Adjustment, Lang::En) => format!("Correct {name}"),
        (MoveKind::Adjustment, Lang::Zh) => format!("更正{name}的余额"),
        (MoveKind::CreditLine, Lang::En) => format!("Credit for {name}"),
        (MoveKind::CreditLine, Lang::Zh) => format!("{name}的信用额度"),
    }
}

fn action(lang: Lang, kind: MoveKind, sum: Option<Nano>) -> String {
    let sum = sum.map(money).unwrap_or_default();
    let words = match (kind, lang) {
        (MoveKind::TopUp, Lang::En) => format!("Add {sum}"),
        (MoveKind::TopUp, Lang::Zh) => format!("充值 {sum}"),
        (MoveKind::Promotion, Lang::En) => format!("Give {sum}"),
        (MoveKind::Promotion, Lang::Zh) => format!("赠送 {sum}"),
        (MoveKind::Adjustment, Lang::En) => format!("Correct by {sum}"),
        (MoveKind::Adjustment, Lang::Zh) => format!("更正 {sum}"),
        (MoveKind::CreditLine, Lang::En) => format!("Let it owe {sum}"),
        (MoveKind::CreditLine, Lang::Zh) => format!("允许透支 {sum}"),
    };
    words.trim_end().to_owned()
}

fn kinds(lang: Lang, purse: &Purse) -> Vec<(MoveKind, &'static str, &'static str)> {
    let mut kinds = Vec::new();
    if purse.fund {
        kinds.push((MoveKind::TopUp, "top_up", lang.t("Payment", "付款")));
        kinds.push((MoveKind::Promotion, "promotion", lang.t("Gift", "赠送")));
        kinds.push((MoveKind::Adjustment, "adjustment", lang.t("Correction", "更正")));
    }
    if purse.credit {
        kinds.push((MoveKind::CreditLine, "credit_line", lang.t("Credit line", "信用额度")));
    }
    kinds
}

/// What was asked for, and what came of it: the entry that can be undone.
#[derive(Clone, Debug)]
struct Done {
    kind: MoveKind,
    sum: Nano,
    entry: Option<i64>,
    new: bool,
}

async fn order(cx: Cx, lang: Lang, wallet: WalletId, kind: MoveKind, form: Form) -> Result<Done, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let sum = amount(lang, &form.text("amount"), "amount")?;
    let reason = form.text("note");
    if kind == MoveKind::CreditLine {
        let moved = desk.set_credit(actor, wallet, sum, &reason).await?;
        return Ok(Done { kind, sum, entry: None, new: moved.is_some() });
    }
    let reference = form.some("reference");
    let moved = desk.move_money(actor, wallet, MoneyMove { kind, amount: sum, reference, reason }).await?;
    Ok(Done { kind, sum, entry: Some(moved.entry), new: moved.new })
}

fn notice(lang: Lang, name: &str, done: &Done) -> Toast {
    let sum = money(done.sum);
    if !done.new {
        return Toast::note(lang.t("Nothing was moved: this was done before.", "没有变动：之前已经处理过。"));
    }
    let words = match (done.kind, lang) {
        (MoveKind::CreditLine, Lang::En) => format!("{name} may owe up to {sum}"),
        (MoveKind::CreditLine, Lang::Zh) => format!("{name}最多可透支 {sum}"),
        (_, Lang::En) => format!("{name}: {sum} is in the ledger"),
        (_, Lang::Zh) => format!("{name}：{sum} 已记账"),
    };
    let toast = Toast::done(words);
    match done.entry {
        None => toast,
        Some(entry) => toast.undo(move |cx| async move {
            cx.console.desk().reverse_entry(&cx.viewer.actor, entry, "undone").await.map(|_| ())
        }),
    }
}

/// The amount in large, with a few to choose from. A preset draws the field anew: what a field shows is the browser's once it is
/// drawn.
#[component]
fn Sum(typed: Signal<String>, error: Option<String>) -> Element {
    let (lang, mut typed) = (use_lang(), typed);
    let mut drawn = use_signal(|| (0_u32, typed.peek().clone()));
    let (round, start) = drawn.read().clone();
    let sum = amount(lang, &typed.read(), "amount").ok();
    let wrong = error.is_some();
    let class = |preset: i64| {
        let on = sum == Some(Nano(preset * 1_000_000_000));
        if on { "btn btn-quiet btn-sm num bg-fill!" } else { "btn btn-quiet btn-sm num" }
    };
    rsx! {
        label { class: "mt-4 flex items-baseline justify-center gap-1 figure text-3xl", r#for: "amount",
            span { class: "text-faint font-normal", "$" }
            for round in [round] {
                input { key: "{round}", id: "amount", name: "amount", autofocus: true, inputmode: "decimal", autocomplete: "off", initial_value: "{start}",
                    class: "[field-sizing:content] min-w-16 max-w-48 bg-transparent outline-none num border-b-2 border-line focus:border-accent",
                    "aria-label": lang.t("Amount", "金额"), "aria-invalid": if wrong { "true" } else { "false" }, "aria-describedby": if wrong { "amount-error" },
                    oninput: move |event| typed.set(event.value()),
                }
            }
        }
        Hint { id: "amount", error }
        div { class: "mt-4 flex justify-center gap-2",
            for preset in PRESETS {
                button { key: "{preset}", r#type: "button", class: class(preset),
                    onclick: move |_| {
                        typed.set(preset.to_string());
                        drawn.set((round + 1, preset.to_string()));
                    },
                    {format!("${}", grouped(preset.unsigned_abs()))}
                }
            }
        }
    }
}

/// Which kind of movement it is.
#[component]
fn KindOf(purse: Purse, kind: Signal<MoveKind>, onchange: EventHandler<()>) -> Element {
    let (lang, mut kind) = (use_lang(), kind);
    let all = kinds(lang, &purse);
    if all.len() < 2 {
        return rsx! {};
    }
    let choices: Vec<Choice> = all.iter().map(|(_, code, label)| Choice::new(*code, *label)).collect();
    let codes: Vec<(MoveKind, &'static str)> = all.iter().map(|(kind, code, _)| (*kind, *code)).collect();
    rsx! {
        Select { id: "kind", label: lang.t("What it is", "性质"), choices,
            onchange: move |code: String| {
                if let Some((next, _)) = codes.iter().find(|(_, of)| *of == code) {
                    kind.set(*next);
                    onchange.call(());
                }
            },
        }
    }
}

/// The form, drawn.
#[component]
pub(super) fn Order(purse: Purse) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let first = kinds(lang, &purse).first().map_or(MoveKind::TopUp, |(kind, ..)| *kind);
    let (kind, typed) = (use_signal(move || first), use_signal(|| "500".to_owned()));
    let wallet = purse.view.wallet;
    let mut run = use_act(move |cx, (kind, form): (MoveKind, Form)| order(cx, lang, wallet, kind, form));
    let name = purse.view.name.clone();
    let (now, sum) = (kind(), amount(lang, &typed.read(), "amount").ok());
    let (balance, credit) = (money(purse.view.balance), money(purse.view.credit));
    let told = name.clone();
    let submit = move |event: FormEvent| {
        let name = told.clone();
        run.then((kind(), Form::of(&event)), move |done| {
            toasts.show(notice(lang, &name, &done));
            close(here);
        });
    };
    let why = now == MoveKind::Adjustment;
    let note = if why { lang.t("Why", "原因") } else { lang.t("Note for the ledger", "记账备注") };
    rsx! {
        Dialog { id: "topup", title: title(lang, now, &name), class: "max-w-sm w-full", onclose: move |()| close(here),
            form { onsubmit: submit,
                div { class: "text-center",
                    Tile { name: name.clone(), round: true, class: "size-12! text-base!" }
                    p { class: "mt-3 text-muted num",
                        {lang.t("Has ", "现有 ")} "{balance}"
                        if purse.view.credit > Nano::ZERO { {lang.t(", may owe ", "，可透支 ")} "{credit}" }
                    }
                    Sum { typed, error: run.error("amount") }
                }
                div { class: "grid gap-4 mt-5",
                    KindOf { purse: purse.clone(), kind, onchange: move |()| run.clear() }
                    if now != MoveKind::CreditLine {
                        Field { id: "reference", label: lang.t("Payment's number", "付款编号"), error: run.error("reference"),
                            hint: lang.t("Keeps the same payment from counting twice.", "同一编号不会重复入账。").to_owned()
                        }
                    }
                    Field { id: "note", label: note, required: why, error: run.error("reason") }
                }
                div { class: "grid gap-2 mt-6",
                    Button { kind: Kind::Primary, submit: true, busy: run.busy(), id: "topup-go", "{action(lang, now, sum)}" }
                    Button { kind: Kind::Ghost, onclick: move |_| close(here), {lang.t("Cancel", "取消")} }
                }
            }
        }
    }
}

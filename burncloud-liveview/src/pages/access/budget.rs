//! The budgets of a key.

use super::create::{Buttons, budget_name};
use super::words::{budget, enforcement};
use super::{fields, place_of};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::{Fault, use_act, use_here, use_lang};
use burncloud_billing::desk::reports::KeyPage;
use burncloud_billing::desk::{BudgetDraft, BudgetView};
use burncloud_core::{Allowance, Enforcement, KeyId, Period, Scope};
use dioxus::prelude::*;

/// The line of the key's page.
#[component]
pub(super) fn Budgets(page: KeyPage) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let (may, id) = (page.row.may.budgets, page.row.view.key.id);
    let ask = place_of(id).with("do", "budget");
    rsx! {
        div { class: "flex items-start gap-4 py-3.5",
            dt { class: "text-muted shrink-0 w-20 sm:w-32", {lang.t("Budgets", "预算")} }
            dd { class: "grow min-w-0 grid gap-2",
                for view in &page.row.budgets {
                    div { key: "{view.budget.name}", class: "flex items-start justify-between gap-3",
                        span { class: "num min-w-0", {budget(&f, &view.budget)}
                            span { class: "text-muted", {lang.t(", ", "，")} {enforcement(lang, view.budget.enforcement)} }
                        }
                        if may {
                            a { href: here.href(&ask.clone().with("budget", &view.budget.name)), class: "btn btn-ghost btn-xs -my-0.5",
                                "aria-label": "{lang.t(\"Edit\", \"编辑\")}: {budget(&f, &view.budget)}", {lang.t("Edit", "编辑")}
                            }
                        }
                    }
                }
                div { class: "flex items-start justify-between gap-3",
                    if page.row.budgets.is_empty() { span { class: "text-muted", {lang.t("No limit", "不限")} } }
                    if may {
                        a { href: here.href(&ask), class: "btn btn-ghost btn-xs -my-0.5 ms-auto", {lang.t("Add a budget", "添加预算")} }
                    }
                }
            }
        }
    }
}

const PERIODS: [(Period, &str, &str, &str); 4] = [
    (Period::Hour, "hour", "An hour", "每小时"),
    (Period::Day, "day", "A day", "每天"),
    (Period::Month, "month", "A month", "每月"),
    (Period::Total, "total", "In all", "总计"),
];

fn period(code: &str) -> Period {
    PERIODS.iter().find(|(_, known, ..)| *known == code).map_or(Period::Day, |(period, ..)| *period)
}

/// The name of a new budget beside those of these names.
fn free_name(id: KeyId, period: Period, tokens: bool, taken: &[String]) -> String {
    let name = budget_name(id, period, tokens);
    let next = (2..).map(|n: u32| format!("{name}-{n}"));
    std::iter::once(name.clone()).chain(next).find(|name| !taken.contains(name)).unwrap_or_default()
}

/// What the form says. A new one gets a name beside those that are `taken`; one that is there keeps its own.
fn read(
    lang: Lang,
    id: KeyId,
    old: Option<&BudgetView>,
    taken: &[String],
    form: &Form,
) -> Result<BudgetDraft, Fault> {
    let (period, tokens) = (period(&form.text("period")), form.text("unit") == "tokens");
    let none = || Fault::field("allowance", lang.t("Say how much.", "请填写数额。"));
    let allowance = if tokens {
        Allowance::Tokens(fields::count(lang, form, "amount", "allowance")?.ok_or_else(none)?)
    } else {
        Allowance::Money(fields::amount(lang, form, "amount", "allowance")?.ok_or_else(none)?)
    };
    Ok(BudgetDraft {
        name: old.map_or_else(|| free_name(id, period, tokens, taken), |old| old.budget.name.clone()),
        scope: Scope::Key(id),
        period,
        allowance,
        enforcement: if form.text("enforcement") == "soft" { Enforcement::Soft } else { Enforcement::Hard },
        time_zone: old.map(|old| old.budget.time_zone.clone()).unwrap_or_default(),
    })
}

fn draft(view: &BudgetView) -> BudgetDraft {
    let budget = view.budget.clone();
    BudgetDraft {
        name: budget.name,
        scope: budget.scope,
        period: budget.period,
        allowance: budget.allowance,
        enforcement: budget.enforcement,
        time_zone: budget.time_zone,
    }
}

/// A new budget, or the one of that name.
#[component]
pub(super) fn BudgetForm(page: KeyPage, name: Option<String>, onclose: EventHandler<()>) -> Element {
    let lang = use_lang();
    let id = page.row.view.key.id;
    let old = page.row.budgets.iter().find(|view| Some(&view.budget.name) == name.as_ref()).cloned();
    let was = old.clone();
    let taken: Vec<String> = page.row.budgets.iter().map(|view| view.budget.name.clone()).collect();
    let mut save = use_act(move |cx, form: Form| {
        let (was, taken) = (was.clone(), taken.clone());
        async move {
            let draft = read(cx.viewer.lang, id, was.as_ref(), &taken, &form)?;
            let expected = was.map(|was| was.version);
            Ok::<_, Fault>(cx.console.desk().set_budget(&cx.viewer.actor, draft, expected.as_deref()).await?)
        }
    });
    let (amount, tokens) = match old.as_ref().map(|view| view.budget.allowance) {
        Some(Allowance::Money(amount)) => (amount.to_string(), false),
        Some(Allowance::Tokens(n)) => (n.to_string(), true),
        None => (String::new(), false),
    };
    let of = old.as_ref().map_or(Period::Day, |view| view.budget.period);
    let of = PERIODS.iter().find(|(period, ..)| *period == of).map_or("day", |(_, code, ..)| *code);
    let soft = old.as_ref().is_some_and(|view| view.budget.enforcement == Enforcement::Soft);
    let periods =
        PERIODS.iter().map(|(_, code, en, zh)| Choice::new(*code, lang.t(en, zh))).collect::<Vec<_>>();
    let units = vec![Choice::new("money", "$"), Choice::new("tokens", lang.t("tokens", "token"))];
    let kinds = vec![
        Choice::new("hard", lang.t("Requests are refused", "拒绝请求")),
        Choice::new("soft", lang.t("Somebody is told", "只提醒")),
    ];
    let title = if old.is_some() {
        lang.t("Change a budget", "修改预算")
    } else {
        lang.t("Add a budget", "添加预算")
    };
    rsx! {
        Dialog { id: "budget", title, sub: page.row.view.key.name.clone(), onclose,
            form { class: "grid gap-5", onsubmit: move |event| save.then(Form::of(&event), move |_| onclose.call(())),
                div { class: "grid sm:grid-cols-3 gap-4 items-start",
                    Field { id: "amount", label: lang.t("How much", "数额"), value: amount, inputmode: "decimal", autofocus: true, required: true, error: save.error("allowance") }
                    Select { id: "unit", label: lang.t("Of what", "单位"), choices: units, value: if tokens { "tokens" } else { "money" } }
                    Select { id: "period", label: lang.t("In which time", "周期"), choices: periods, value: of }
                }
                Select { id: "enforcement", label: lang.t("When it is used up", "用完之后"), choices: kinds, value: if soft { "soft" } else { "hard" } }
                if let Some(old) = old { Remove { view: old, onclose } }
                Buttons { onclose, busy: save.busy(), {lang.t("Save", "保存")} }
            }
        }
    }
}

/// Takes a budget away; that can be undone.
#[component]
fn Remove(view: BudgetView, onclose: EventHandler<()>) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let (name, version) = (view.budget.name.clone(), view.version.clone());
    let mut remove = use_act(move |cx, ()| {
        let (name, version) = (name.clone(), version.clone());
        async move { cx.console.desk().delete_budget(&cx.viewer.actor, &name, Some(&version)).await }
    });
    let onclick = move |_| {
        let back = draft(&view);
        remove.then((), move |()| {
            let gone = Toast::done(lang.t("The budget is gone", "预算已移除"));
            toasts.show(gone.undo(move |cx| {
                let back = back.clone();
                async move { cx.console.desk().set_budget(&cx.viewer.actor, back, None).await.map(drop) }
            }));
            onclose.call(());
        });
    };
    rsx! { div { Button { kind: Kind::Danger, small: true, busy: remove.busy(), onclick, {lang.t("Take it away", "移除")} } } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::Nano;

    #[test]
    fn a_new_budget_takes_no_other_ones_place() {
        let form = Form::test(&[("amount", "9,000.50"), ("period", "month"), ("enforcement", "soft")]);
        let taken = ["key-7-month".to_owned(), "key-7-month-2".to_owned()];
        let draft = read(Lang::En, KeyId(7), None, &taken, &form).unwrap();
        assert_eq!(draft.name, "key-7-month-3");
        assert_eq!((draft.period, draft.enforcement), (Period::Month, Enforcement::Soft));
        assert_eq!(draft.allowance, Allowance::Money(Nano(9_000_500_000_000)));
        let form = Form::test(&[("amount", "20 000"), ("unit", "tokens"), ("period", "hour")]);
        let draft = read(Lang::En, KeyId(7), None, &taken, &form).unwrap();
        assert_eq!((draft.name.as_str(), draft.allowance), ("key-7-hour-tokens", Allowance::Tokens(20_000)));
        assert_eq!(draft.enforcement, Enforcement::Hard);
        let fault = read(Lang::Zh, KeyId(7), None, &[], &Form::test(&[])).unwrap_err();
        assert_eq!(fault.field.as_deref(), Some("allowance"));
    }
}

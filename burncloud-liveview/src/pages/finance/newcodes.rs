//! Printing codes: shown once.

use super::words::csv_href;
use crate::fmt::{Fmt, grouped, money, ms, now};
use crate::kit::{Button, Check, Choice, Copy, Dialog, Field, Form, Kind, Select, use_fmt};
use crate::lang::Lang;
use crate::live::{Fault, Place, use_act, use_here, use_lang, use_load};
use burncloud_billing::desk::CodesDraft;
use burncloud_billing::people::Action;
use burncloud_core::{Nano, TenantId, UnixMicros};
use dioxus::prelude::*;

const DAY_US: i64 = 86_400_000_000;

/// What was just printed.
#[derive(Clone, PartialEq)]
struct Printed {
    name: String,
    codes: Vec<String>,
}

/// What the form says; which field is wrong where it says nothing that can be read.
fn draft(form: &Form, lang: Lang) -> Result<CodesDraft, Fault> {
    let count = form
        .text("count")
        .parse()
        .map_err(|_| Fault::field("count", lang.t("a whole number", "请填整数")))?;
    let amount: Nano = form
        .text("amount")
        .parse()
        .map_err(|_| Fault::field("amount", lang.t("dollars such as 10.00", "填写美元金额，例如 10.00")))?;
    let days: Option<i64> = form.text("ends").parse().ok();
    let expires_at = days.map(|days| UnixMicros(UnixMicros::now().0 + days * DAY_US));
    let tenant = form.text("tenant").parse().ok().map(TenantId);
    Ok(CodesDraft { name: form.text("name"), count, amount, expires_at, sold: form.on("sold"), tenant })
}

#[component]
pub(super) fn NewCodes() -> Element {
    let (lang, here) = (use_lang(), use_here());
    let printed = use_signal(|| None::<Printed>);
    let onclose = move |()| {
        let mut here = here;
        here.go(Place::at(["finance", "codes"]));
    };
    let shown = printed.read().clone();
    match shown {
        Some(printed) => rsx! { Once { printed, onclose } },
        None => rsx! {
            Dialog { id: "newcodes", title: lang.t("Print codes", "生成兑换码"), onclose, Ask { printed } }
        },
    }
}

#[component]
fn Ask(printed: Signal<Option<Printed>>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let tenants = use_load((), |cx, ()| async move {
        let actor = &cx.viewer.actor;
        let own = actor.tenant;
        let mut all: Vec<(i64, String)> = Vec::new();
        for view in cx.console.desk().tenants(actor).await? {
            let at = all.len() * usize::from(view.tenant.id != own);
            all.insert(at, (view.tenant.id.0, view.tenant.name));
        }
        // A house without resellers has nothing to choose.
        Ok::<_, Fault>(if actor.may_in_house(Action::MakeCodes) || all.len() > 1 { all } else { Vec::new() })
    });
    let mut typed = use_signal(|| (50_u32, Some(Nano(10_000_000_000))));
    let mut print = use_act(move |cx, form: Form| async move {
        let made = cx
            .console
            .desk()
            .create_codes(&cx.viewer.actor, draft(&form, lang)?)
            .await
            .map_err(Fault::from)?;
        let codes = made.codes.iter().map(|code| code.expose().to_owned()).collect();
        Ok::<_, Fault>(Printed { name: made.name, codes })
    });
    let ends = ends(&f, lang);
    let whose: Vec<Choice> = tenants
        .get()
        .unwrap_or_default()
        .into_iter()
        .map(|(id, name)| Choice::new(id.to_string(), name))
        .collect();
    rsx! {
        form { id: "print-codes", class: "grid gap-5",
            onsubmit: move |event| print.then(Form::of(&event), move |made| printed.set(Some(made))),
            Field { id: "codes-name", name: "name", label: lang.t("For", "用途"), autofocus: true, required: true, error: print.error("name") }
            div { class: "grid grid-cols-2 gap-5",
                Field { id: "codes-count", name: "count", label: lang.t("How many", "数量"), value: "50", inputmode: "numeric", required: true,
                    error: print.error("count"),
                    oninput: move |event: FormEvent| typed.write().0 = event.value().trim().parse().unwrap_or(0)
                }
                Field { id: "codes-amount", name: "amount", label: lang.t("Worth, each", "每张面值"), value: "10.00", before: "$", inputmode: "decimal",
                    required: true, error: print.error("amount"),
                    oninput: move |event: FormEvent| typed.write().1 = event.value().trim().parse().ok()
                }
            }
            Select { id: "codes-ends", name: "ends", label: lang.t("Ends", "到期"), choices: ends, value: "90", error: print.error("expires_at") }
            if whose.len() > 1 {
                Select { id: "codes-tenant", name: "tenant", label: lang.t("For users of", "供哪家的用户使用"), choices: whose, error: print.error("tenant") }
            }
            Check { id: "codes-sold", name: "sold", {lang.t("Sold: their worth is money that came in", "用于出售：面值计入收款")} }
            if let Some(fault) = print.fault().filter(|fault| fault.field.is_none()) {
                p { role: "alert", class: "text-sm text-error", "{fault.text}" }
            }
            Foot { count: typed().0, each: typed().1, busy: print.busy() }
        }
    }
}

/// When codes may end: the values are days from now.
fn ends(f: &Fmt, lang: Lang) -> Vec<Choice> {
    let until = |days: u64| f.date(now() + days * 86_400_000, now());
    let mut ends = [30_u64, 90, 365].map(|days| Choice::new(days.to_string(), until(days))).to_vec();
    ends.push(Choice::new("never", lang.t("Never", "不过期")));
    ends
}

/// What they come to, and the button.
#[component]
fn Foot(count: u32, each: Option<Nano>, busy: bool) -> Element {
    let lang = use_lang();
    let worth = each.and_then(|each| each.0.checked_mul(i64::from(count))).map(|sum| money(Nano(sum)));
    let button = match lang {
        Lang::En => format!("Print {} codes", grouped(count.into())),
        Lang::Zh => format!("生成 {} 张", grouped(count.into())),
    };
    rsx! {
        div { class: "flex items-center justify-between gap-2 -mx-6 -mb-5 px-6 py-4 border-t border-line",
            span { class: "text-muted num",
                if let Some(worth) = worth {
                    {lang.t("Worth ", "合计 ")}
                    strong { class: "font-medium text-ink", "{worth}" }
                    {lang.t(" in all", "")}
                }
            }
            Button { id: "codes-print", kind: Kind::Primary, submit: true, busy, "{button}" }
        }
    }
}

/// A name that is safe for a file.
fn file_name(name: &str) -> String {
    let safe: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
    format!("codes-{safe}.csv")
}

#[component]
fn Once(printed: Printed, onclose: EventHandler<()>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let count = grouped(printed.codes.len() as u64);
    let title = match lang {
        Lang::En => format!("{count} codes, shown this once"),
        Lang::Zh => format!("{count} 张兑换码，仅显示这一次"),
    };
    let rows: Vec<Vec<String>> =
        printed.codes.iter().map(|code| vec![code.clone(), printed.name.clone()]).collect();
    let href = csv_href(&["code", "batch"], &rows);
    let file = file_name(&printed.name);
    let all = printed.codes.join("\n");
    let made = f.moment(ms(UnixMicros::now()), now());
    rsx! {
        Dialog { id: "codes-made", title, sub: lang.t("Copy or save them now: only their traces are kept here.", "请立即复制或保存：这里只保存校验值。"), onclose,
            foot: rsx! {
                Copy { value: all.clone(), label: lang.t("Copy all", "全部复制"), class: "btn btn-quiet", {lang.t("Copy all", "全部复制")} }
                a { class: "btn btn-quiet", href: "{href}", download: "{file}", {lang.t("Save as CSV", "保存为 CSV")} }
                Button { kind: Kind::Primary, id: "codes-done", onclick: move |_| onclose.call(()), {lang.t("I have them", "已保存")} }
            },
            p { class: "text-sm text-muted mb-2", "{printed.name} · {made}" }
            ul { id: "codes-list", class: "mono text-sm max-h-72 overflow-y-auto rows select-all", tabindex: "0", "aria-label": lang.t("Codes", "兑换码"),
                for code in printed.codes.iter() { li { key: "{code}", class: "py-1.5", "{code}" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_after_its_batch_and_nothing_else() {
        assert_eq!(file_name("New year / 新年.."), "codes-New-year---新年--.csv");
        assert!(file_name(&"x".repeat(500)).len() < 100);
    }
}

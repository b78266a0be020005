//! What holds for a whole book: the ratios of groups, and what a dollar buys.

use crate::kit::{Broken, Button, Choice, Drawer, Field, Form, Kind, Loading, Select, Toast, use_toasts};
use crate::lang::Lang;
use crate::live::{Fault, use_act, use_here, use_lang, use_load};
use burncloud_billing::desk::{BookRatios, PriceDraft};
use burncloud_core::TenantId;
use dioxus::prelude::*;
use serde_json::{Value, json};

#[component]
pub(super) fn Ratios(book: Option<TenantId>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let loaded =
        use_load(book, |cx, book| async move { cx.console.desk().book_ratios(&cx.viewer.actor, book).await });
    let body = match &*loaded.read() {
        None => rsx! { Loading { rows: 4, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(ratios)) => rsx! {
            Held { ratios: ratios.clone(), house: book.is_none() }
            for version in [ratios.version.clone()] { Change { key: "{version}", book, version } }
        },
    };
    let onclose = move |()| {
        let mut here = here;
        let place = here.place().with("sheet", "");
        here.go(place);
    };
    rsx! { Drawer { id: "ratios", title: lang.t("Groups and currencies", "分组与汇率"), onclose, {body} } }
}

#[component]
pub(super) fn Held(ratios: BookRatios, house: bool) -> Element {
    let lang = use_lang();
    let mut rows: Vec<(String, String)> = Vec::new();
    rows.extend(ratios.groups.iter().map(|(name, ratio)| (name.clone(), format!("× {ratio}"))));
    for (own, used) in &ratios.pairs {
        rows.extend(used.iter().map(|(name, ratio)| match lang {
            Lang::En => (format!("{own} calling as {name}"), format!("× {ratio}")),
            Lang::Zh => (format!("{own} 以 {name} 调用"), format!("× {ratio}")),
        }));
    }
    let money: Vec<(String, String)> =
        ratios.fx.iter().map(|(name, rate)| (name.clone(), rate.clone())).collect();
    rsx! {
        p { class: "mt-2 text-muted text-pretty", {lang.t("Whoever is in a group pays its ratio of the price. Groups without one pay the price.", "组内客户按倍率付费；没有倍率的组按原价。")} }
        if rows.is_empty() {
            p { class: "mt-4", {lang.t("No group has a ratio.", "没有设置分组倍率。")} }
        } else {
            ul { class: "rows mt-4",
                for (name, ratio) in rows {
                    li { key: "{name}", class: "flex gap-3 py-2.5", span { class: "font-medium truncate", title: "{name}", "{name}" } span { class: "ms-auto num", "{ratio}" } }
                }
            }
        }
        if house {
            ul { class: "rows mt-4",
                for (name, rate) in money {
                    li { key: "{name}", class: "flex gap-3 py-2.5", span { class: "font-medium", "$1" } span { class: "ms-auto num", "{rate} {name}" } }
                }
            }
        }
    }
}

/// The row for the book that a form comes to. An empty ratio takes it out.
fn row(kind: &str, name: &str, ratio: Option<String>) -> Value {
    let member = if kind == "fx" { "fx" } else { "groups" };
    let name = if kind == "fx" { name.to_uppercase() } else { name.to_owned() };
    json!({ member: { name: ratio } })
}

#[component]
fn Change(book: Option<TenantId>, version: String) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut set = use_act(move |cx, form: Form| {
        let version = version.clone();
        async move {
            let name = form.text("ratio-name");
            if name.is_empty() {
                return Err(Fault::field("name", lang.t("write a name", "请填写名称")));
            }
            let rates = row(&form.text("ratio-kind"), &name, form.some("ratio"));
            let draft = PriceDraft { book, channel: None, model: String::new(), effective_at: None, rates };
            cx.console.desk().set_price(&cx.viewer.actor, draft, Some(&version)).await.map_err(Fault::from)
        }
    });
    let mut kinds = vec![Choice::new("group", lang.t("Group", "分组"))];
    if book.is_none() {
        kinds.push(Choice::new("fx", lang.t("Currency: what a dollar buys", "币种：一美元可兑换")));
    }
    let at_name = set.error("name");
    // The desk names the group or the currency.
    let at_ratio = set.fault().filter(|_| at_name.is_none()).map(|fault| fault.text);
    rsx! {
        form { id: "ratio-form", class: "grid gap-5 mt-8",
            onsubmit: move |event| set.then(Form::of(&event), move |_| toasts.show(Toast::done(lang.t("Set", "已设置")))),
            Select { id: "ratio-kind", label: lang.t("Set", "设置"), choices: kinds, value: "group" }
            div { class: "grid grid-cols-2 gap-5",
                Field { id: "ratio-name", label: lang.t("Name", "名称"), required: true, error: at_name, placeholder: "vip" }
                Field { id: "ratio", label: lang.t("Ratio or rate", "倍率或汇率"), inputmode: "decimal", error: at_ratio, placeholder: "0.8",
                    hint: lang.t("Empty takes it out.", "留空则取消。")
                }
            }
            div { class: "flex justify-end", Button { kind: Kind::Primary, submit: true, busy: set.busy(), {lang.t("Set it", "设置")} } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_what_it_sets_and_takes_out() {
        assert_eq!(row("group", "vip", Some("0.8".into())), json!({ "groups": { "vip": "0.8" } }));
        assert_eq!(row("fx", "cny", Some("7.2".into())), json!({ "fx": { "CNY": "7.2" } }));
        assert_eq!(row("group", "vip", None), json!({ "groups": { "vip": null } }));
    }
}

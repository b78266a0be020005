//! Which models are sold, under which names, and how much traffic the account takes.

use super::super::data::Overview;
use super::super::read;
use super::{Draft, Frame, at};
use crate::fmt;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::PriceHint;
use burncloud_billing::desk::channels::{Known, NewChannel};
use dioxus::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Models of one list at most: a page holds no more.
const MOST: usize = 500;

/// What is chosen: the names callers use, and those of them that the provider knows otherwise.
fn chosen(form: &Form, chosen: &BTreeSet<String>) -> (Vec<String>, BTreeMap<String, String>) {
    let (mut models, mut mapping) = (Vec::new(), BTreeMap::new());
    let typed = read::list(form.raw("models"));
    for model in chosen.iter().chain(typed.iter().filter(|model| !chosen.contains(*model))) {
        match form.some(&format!("as:{model}")).filter(|asked| asked != model) {
            Some(asked) => drop(mapping.insert(asked, model.clone())),
            None => models.push(model.clone()),
        }
    }
    models.dedup();
    (models, mapping)
}

/// The account as its form has it.
fn new_channel(
    lang: Lang,
    form: &Form,
    draft: &Draft,
    picked: &BTreeSet<String>,
) -> Result<NewChannel, Fault> {
    let (models, mapping) = chosen(form, picked);
    if models.is_empty() && mapping.is_empty() {
        return Err(Fault::field("models", lang.t("choose a model, or write one", "选一个模型，或者写一个")));
    }
    let mut channel = draft.channel(models, mapping);
    channel.weight = read::number(lang, form, "weight")?.unwrap_or(1);
    channel.priority = read::number(lang, form, "priority")?.unwrap_or(0);
    channel.settings.groups = read::list(form.raw("groups"));
    Ok(channel)
}

#[component]
pub(super) fn Models(draft: Signal<Option<Draft>>, overview: Overview) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let Some(now) = draft.read().clone() else { return rsx! {} };
    let found: Vec<Known> = now.found.as_ref().map(|found| found.models.clone()).unwrap_or_default();
    let names: Vec<String> = found.iter().take(MOST).map(|model| model.name.clone()).collect();
    let provider = now.provider.clone();
    let hints = use_load((provider.clone(), names), |cx, (provider, names)| async move {
        let pairs: Vec<(String, String)> = names.into_iter().map(|name| (name.clone(), name)).collect();
        cx.console.desk().price_hints(&cx.viewer.actor, &provider, &pairs).await
    });
    let mut picked = use_signal(|| None::<BTreeSet<String>>);
    let mut making = use_act(|cx, new: NewChannel| async move {
        cx.console.desk().create_channel(&cx.viewer.actor, new).await
    });
    let mut wrong = use_signal(|| None::<Fault>);
    let hints = hints.get().unwrap_or_default();
    let priced: BTreeSet<String> = sold(&hints).cloned().collect();
    // Until somebody chooses, what has a price is chosen.
    let set = picked().unwrap_or_else(|| priced.clone());
    let fault = wrong().or_else(|| making.fault());
    let count = set.len();
    let submit = {
        let (now, set) = (now.clone(), set.clone());
        move |form: Form| match new_channel(lang, &form, &now, &set) {
            Err(fault) => wrong.set(Some(fault)),
            Ok(new) => {
                wrong.set(None);
                making.then(new, move |made| here.go(Place::at(["models", "add"]).with("done", made.id)));
            }
        }
    };
    rsx! {
        Frame { n: 3, title: title(lang, found.len()), onsubmit: submit, sub: rsx! { {sub(lang, found.len(), priced.len())} },
            foot: rsx! {
                LinkButton { kind: Kind::Ghost, href: here.href(&at(&provider)), {lang.t("Back", "返回")} }
                Button { kind: Kind::Primary, submit: true, id: "add-next", busy: making.busy(),
                    {match lang {
                        Lang::En if count == 1 => "Add 1 model".to_owned(),
                        Lang::En if count > 0 => format!("Add {count} models"),
                        Lang::Zh if count > 0 => format!("添加 {count} 个模型"),
                        _ => lang.t("Add account", "添加账号").to_owned(),
                    }}
                }
            },
            if !found.is_empty() {
                Discovered { found, hints, picked: set, onpick: move |set| picked.set(Some(set)) }
            }
            Rest { overview, none: count == 0, fault }
        }
    }
}

/// Those that have a selling price.
fn sold(hints: &[PriceHint]) -> impl Iterator<Item = &String> {
    hints.iter().filter(|hint| !hint.selling.is_empty()).map(|hint| &hint.model)
}

fn title(lang: Lang, found: usize) -> String {
    match (lang, found) {
        (Lang::En, 0) => "Which models does it serve?".to_owned(),
        (Lang::En, 1) => "One model found".to_owned(),
        (Lang::En, n) => format!("{} models found", super::super::many(lang, n)),
        (Lang::Zh, 0) => "它供应哪些模型？".to_owned(),
        (Lang::Zh, n) => format!("发现{}个模型", super::super::many(lang, n)),
    }
}

fn sub(lang: Lang, found: usize, priced: usize) -> String {
    match lang {
        Lang::En if found == 0 => "The provider lists none: write their names.".to_owned(),
        Lang::Zh if found == 0 => "平台没有列出模型，请写上名字。".to_owned(),
        Lang::En if priced == 1 => "One already has a price. Keep what you want to sell.".to_owned(),
        Lang::En => {
            format!("{} already have a price. Keep what you want to sell.", super::super::many(lang, priced))
        }
        Lang::Zh => format!("{}个已有售价，留下想卖的。", super::super::many(lang, priced)),
    }
}

/// In and out, in dollars per million tokens; what is not priced is left out.
fn pair(prices: &BTreeMap<String, burncloud_core::Nano>) -> Option<String> {
    let of = |class: &str| prices.get(class).map(|price| fmt::price(*price));
    match (of("input"), of("output")) {
        (None, None) if prices.is_empty() => None,
        (None, None) => Some(prices.values().next().map(|price| fmt::price(*price)).unwrap_or_default()),
        (input, output) => {
            let or = |price: Option<String>| price.unwrap_or_else(|| fmt::NOTHING.to_owned());
            Some(format!("{} / {}", or(input), or(output)))
        }
    }
}

#[component]
fn Discovered(
    found: Vec<Known>,
    hints: Vec<PriceHint>,
    picked: BTreeSet<String>,
    onpick: EventHandler<BTreeSet<String>>,
) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let mut query = use_signal(String::new);
    let shown: Vec<Known> = found.iter().take(MOST).cloned().collect();
    let fits = |name: &str| name.to_lowercase().contains(&query.read().trim().to_lowercase());
    let visible: BTreeSet<String> =
        shown.iter().map(|model| model.name.clone()).filter(|name| fits(name)).collect();
    let all = !visible.is_empty() && visible.is_subset(&picked);
    let find = lang.t("Find a model", "查找模型");
    let toggle = {
        let (picked, visible) = (picked.clone(), visible.clone());
        move |event: FormEvent| {
            let next = if event.checked() { &picked | &visible } else { &picked - &visible };
            onpick.call(next);
        }
    };
    rsx! {
        if found.len() > 10 {
            div { class: "mb-3",
                Field { id: "model-q", kind: "search", label: find, placeholder: find, hide_label: true, debounce: 150,
                    oninput: move |event: FormEvent| query.set(event.value()),
                }
            }
        }
        div { class: "rounded-xl border border-line overflow-x-auto",
            table { class: "table table-inset",
                caption { class: "sr-only", {lang.t("Discovered models", "发现的模型")} }
                thead { tr {
                    th { class: "w-9", input { id: "model-all", r#type: "checkbox", class: "checkbox", "aria-label": lang.t("All", "全选"), checked: all, onchange: toggle } }
                    th { scope: "col", {lang.t("Model", "模型")} }
                    th { scope: "col", class: "hidden sm:table-cell", {lang.t("Callers say", "调用名")} }
                    th { scope: "col", class: "text-right", {lang.t("Buy", "进价")} }
                    th { scope: "col", class: "text-right", {lang.t("Sell", "售价")} }
                } }
                tbody {
                    for model in shown {
                        Found { key: "{model.name}", on: picked.contains(&model.name), hidden: !visible.contains(&model.name),
                            hint: hints.iter().find(|hint| hint.model == model.name).cloned(), prices: conn.href("/finance/prices"),
                            onpick: { let picked = picked.clone(); let name = model.name.clone(); move |on: bool| {
                                let mut next = picked.clone();
                                if on { next.insert(name.clone()); } else { next.remove(&name); }
                                onpick.call(next);
                            } },
                            model,
                        }
                    }
                }
            }
        }
        p { class: "mt-3 field-hint", {lang.t("Per million tokens, in / out. What has no price is not sold until it has one.", "每百万 token，输入 / 输出。没有售价的模型定价前不出售。")} }
    }
}

#[component]
fn Found(
    model: Known,
    hint: Option<PriceHint>,
    on: bool,
    hidden: bool,
    prices: String,
    onpick: EventHandler<bool>,
) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let name = &model.name;
    let buy = hint.as_ref().and_then(|hint| pair(&hint.buying));
    let sell = hint.as_ref().and_then(|hint| pair(&hint.selling));
    rsx! {
        tr { class: if on { "" } else { "text-muted" }, hidden,
            td { input { id: "pick-{name}", r#type: "checkbox", class: "checkbox", "aria-label": "{name}", checked: on, onchange: move |event| onpick.call(event.checked()) } }
            th { scope: "row", class: "font-normal",
                label { r#for: "pick-{name}", class: "font-medium wrap-anywhere", title: model.display.clone(), "{name}" }
                if let Some(window) = model.context_window { span { class: "text-faint ms-1 max-sm:hidden num", " " {f.compact(window)} } }
            }
            td { class: "hidden sm:table-cell",
                input { id: "as-{name}", name: "as:{name}", class: "input input-sm w-full min-w-28", placeholder: "{name}", autocomplete: "off", spellcheck: "false",
                    "aria-label": match lang { Lang::En => format!("{name}: the name callers use"), Lang::Zh => format!("{name}：调用时用的名字") },
                }
            }
            td { class: "text-right whitespace-nowrap text-muted num", {buy.unwrap_or_else(|| fmt::NOTHING.to_owned())} }
            td { class: "text-right whitespace-nowrap num",
                match sell {
                    Some(sell) => rsx! { "{sell}" },
                    None if hint.is_none() => rsx! { span { class: "skeleton h-3.5 w-16 inline-block" } },
                    None => rsx! { a { class: "link", href: prices, target: "_blank", {lang.t("Set price", "定价")} } },
                }
            }
        }
    }
}

/// Models by hand, share and order.
#[component]
fn Rest(overview: Overview, none: bool, fault: Option<Fault>) -> Element {
    let lang = use_lang();
    let at = |field: &str| read::at(fault.as_ref(), field);
    let stands = ["models", "weight", "priority", "groups"].iter().any(|field| at(field).is_some());
    rsx! {
        div { class: "mt-5 grid gap-4",
            Text { id: "models", rows: 2, label: lang.t("Others, one in each line", "其他模型，每行一个"), class: "mono", error: at("models") }
            div { class: "grid sm:grid-cols-3 gap-3",
                Field { id: "weight", label: lang.t("Share", "分量"), value: "20", inputmode: "numeric", error: at("weight") }
                Field { id: "priority", label: lang.t("Order", "顺位"), value: "0", inputmode: "numeric", error: at("priority"),
                    hint: lang.t("Higher is tried first", "数字大的先用").to_owned(),
                }
                Field { id: "groups", label: lang.t("Only for groups", "只供这些分组"), placeholder: overview.group_names().join(", "), error: at("groups"),
                    hint: lang.t("Empty is everybody", "留空表示所有人").to_owned(),
                }
            }
            if let Some(fault) = fault.filter(|_| !stands) {
                p { class: "text-sm text-error", role: "alert", "{fault.text}" }
            }
            if none { p { class: "text-sm text-muted", role: "status", {lang.t("Nothing is chosen yet.", "还没有选模型。")} } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::Nano;

    #[test]
    fn models_are_chosen_typed_and_renamed() {
        let fields = [("models", "by-hand\na"), ("as:b", "fast"), ("as:a", "a")];
        let form: Form = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let picked = ["a", "b"].map(str::to_owned).into();
        let (models, mapping) = chosen(&form, &picked);
        assert_eq!(models, ["a", "by-hand"]);
        assert_eq!(mapping, [("fast".to_owned(), "b".to_owned())].into());
    }

    #[test]
    fn a_price_is_in_and_out() {
        let prices = |all: &[(&str, i64)]| all.iter().map(|(k, v)| ((*k).to_owned(), Nano(*v))).collect();
        assert_eq!(
            pair(&prices(&[("input", 3_000_000_000), ("output", 15_000_000_000)])).as_deref(),
            Some("$3.00 / $15.00")
        );
        assert_eq!(pair(&prices(&[("input", 20_000_000)])).as_deref(), Some("$0.02 / —"));
        assert_eq!(pair(&prices(&[])), None);
    }
}

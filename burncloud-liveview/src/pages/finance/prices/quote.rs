//! What a model costs a customer.

use crate::fmt::price;
use crate::kit::{Badge, Button, Choice, Dialog, Field, Form, Kind, Select, Tone};
use crate::lang::Lang;
use crate::live::{Fault, use_act, use_here, use_lang};
use burncloud_billing::desk::{PriceTable, QuoteQuery, QuoteView, UserFilter};
use dioxus::prelude::*;

#[component]
pub(super) fn Quote(models: Vec<String>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let mut found = use_signal(|| None::<Vec<QuoteView>>);
    let mut ask = use_act(move |cx, (name, model): (String, String)| async move {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let filter = UserFilter { text: Some(name.clone()), limit: 100, ..UserFilter::default() };
        let users = desk.users(actor, &filter).await.map_err(Fault::from)?.items;
        let user = users.into_iter().find(|view| view.user.name == name).map(|view| view.user.id);
        let nobody = || Fault::field("user", lang.t("nobody is called that", "没有这个用户"));
        let user = Some(user.ok_or_else(nobody)?);
        desk.quote(actor, &QuoteQuery { model, user, key: None, at: None }).await.map_err(Fault::from)
    });
    let onclose = move |()| {
        let mut here = here;
        let place = here.place().with("sheet", "");
        here.go(place);
    };
    let choices = models.iter().map(|model| Choice::new(model, model)).collect::<Vec<_>>();
    let first = models.first().cloned().unwrap_or_default();
    let shown = found.read().clone();
    rsx! {
        Dialog { id: "quote", title: lang.t("Quote for a customer", "给客户报价"), class: "max-w-lg w-full", onclose,
            form { id: "quote-form", class: "grid gap-5",
                onsubmit: move |event| {
                    let form = Form::of(&event);
                    ask.then((form.text("quote-user"), form.text("quote-model")), move |views| found.set(Some(views)));
                },
                Field { id: "quote-user", label: lang.t("User", "用户"), autofocus: true, required: true, error: ask.error("user") }
                Select { id: "quote-model", label: lang.t("Model", "模型"), choices, value: first }
                if let Some(fault) = ask.fault().filter(|fault| fault.field.is_none()) { p { role: "alert", class: "text-sm text-error", "{fault.text}" } }
                div { class: "flex justify-end", Button { kind: Kind::Primary, submit: true, busy: ask.busy(), {lang.t("Quote", "报价")} } }
            }
            if let Some(views) = shown { Quoted { views } }
        }
    }
}

fn in_out(prices: &PriceTable, lang: Lang) -> String {
    let get = |class: &str| prices.get(class).map(|sum| price(*sum));
    match (get("input"), get("output"), prices.get("request")) {
        (None, None, Some(call)) => {
            let sum = price(burncloud_core::Nano(call.0 / 1_000_000));
            match lang {
                Lang::En => format!("{sum} a call"),
                Lang::Zh => format!("每次 {sum}"),
            }
        }
        (None, None, None) => "—".to_owned(),
        (a, b, _) => format!("{} / {}", a.unwrap_or_else(|| "—".into()), b.unwrap_or_else(|| "—".into())),
    }
}

#[component]
pub(super) fn Quoted(views: Vec<QuoteView>) -> Element {
    let lang = use_lang();
    rsx! {
        ul { id: "quoted", role: "status", class: "rows mt-6",
            for (at, view) in views.iter().enumerate() {
                li { key: "{at}", class: "py-3",
                    p { class: "flex items-center gap-3",
                        span { class: "font-medium truncate", {view.channel_name.clone().unwrap_or_else(|| lang.t("Price", "价格").to_owned())} }
                        if view.loss.is_some() { Badge { tone: Tone::Bad, {lang.t("Below cost", "低于成本")} } }
                        if view.levels.is_empty() { Badge { tone: Tone::Bad, {lang.t("No price", "没有价格")} } }
                    }
                    dl { class: "mt-1 grid grid-cols-[1fr_auto] gap-x-4 text-sm num",
                        if let Some(cost) = &view.cost {
                            dt { class: "text-muted", {lang.t("The account takes", "账号收取")} }
                            dd { class: "text-right", {in_out(cost, lang)} }
                        }
                        for (level, sold) in view.levels.iter().enumerate() {
                            dt { key: "t{level}", class: "text-muted",
                                if sold.buyer.is_some() { {lang.t("The reseller pays", "分销商支付")} } else { {lang.t("The customer pays", "客户支付")} }
                            }
                            dd { class: "text-right", {in_out(&sold.prices, lang)} }
                        }
                    }
                }
            }
        }
    }
}

//! The price book: what is sold, what it costs, what stays.

mod edit;
mod quote;
mod ratios;
mod rule;
mod rules;
mod tables;
mod waiting;

use super::words::share;
use super::{Parts, own_book};
use crate::fmt::{basis_points, grouped, price};
use crate::kit::{
    Badge, Broken, Empty, Field, Headline, Icon, LinkButton, Loading, Menu, MenuLink, Table, Tile, Tone,
};
use crate::lang::Lang;
use crate::live::{Fault, use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::{PriceRow, PriceSource, PriceTable, RuleState};
use burncloud_billing::people::{Action, Actor, Place as At, may};
use burncloud_core::{Nano, TenantId};
use dioxus::prelude::*;

/// Whether they set prices, or look alone.
fn sets(actor: &Actor) -> bool {
    actor.may_in_house(Action::ManageHouse) || may(actor.role, Action::SetPrices, At::Own)
}

/// The rows of a book, and how many prices begin to hold later.
type Listed = (Vec<PriceRow>, usize);

#[component]
pub(super) fn PriceBook() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let actor = &conn.viewer.actor;
    let (book, write) = (own_book(actor), sets(actor));
    let loaded = use_load(book, |cx, book| async move {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let rows = desk.price_list(actor, book).await.map_err(Fault::from)?;
        let rules = desk.price_rules(actor, book, false).await?;
        let later = rules.iter().filter(|rule| rule.state == RuleState::Scheduled).count();
        Ok::<Listed, Fault>((rows, later))
    });
    let q = here.get("q").unwrap_or_default();
    let list = match &*loaded.read() {
        None => rsx! { Loading { rows: 8 } },
        Some(Err(fault)) => rsx! { Parts { on: "prices" } Broken { fault: fault.clone() } },
        Some(Ok((rows, later))) => rsx! { Book { rows: rows.clone(), later: *later, q, book, write } },
    };
    let models: Vec<String> =
        loaded.get().map(|(rows, _)| rows.into_iter().map(|row| row.model).collect()).unwrap_or_default();
    let edited = here.get("edit").filter(|_| write);
    let row = edited.as_ref().and_then(|model| loaded.get()?.0.into_iter().find(|row| row.model == *model));
    rsx! {
        {list}
        if let Some(model) = edited {
            // Another model is another form.
            for (model, row) in [(model, row)] { edit::Edit { key: "{model}", model, row, book } }
        }
        match here.get("sheet").as_deref() {
            Some("rules") => rsx! { rules::Rules { book } },
            Some("ratios") if write => rsx! { ratios::Ratios { book } },
            Some("import") if write && book.is_none() => rsx! { tables::Import {} },
            Some("quote") => rsx! { quote::Quote { models } },
            _ => rsx! {},
        }
    }
}

#[component]
fn Sentence(models: usize, bare: usize, later: usize) -> Element {
    let lang = use_lang();
    let n = |n: usize| grouped(n as u64);
    match (lang, bare, later) {
        (Lang::En, 1.., _) => {
            let words = if bare == 1 { "model has" } else { "models have" };
            rsx! { strong { {n(bare)} " {words}" } " no price: requests are refused." }
        }
        (Lang::Zh, 1.., _) => rsx! { strong { {n(bare)} " 个模型没有价格" } "，请求会被拒绝。" },
        (Lang::En, _, 1..) => {
            let words = if later == 1 { "price" } else { "prices" };
            rsx! { strong { {n(later)} " {words}" } " changed, not yet on sale." }
        }
        (Lang::Zh, _, 1..) => rsx! { strong { "改了 " {n(later)} " 个价格" } "，还没生效。" },
        (Lang::En, ..) => {
            rsx! { strong { {n(models)} {if models == 1 { " model" } else { " models" }} } {if models == 1 { " is on sale." } else { " are on sale." }} }
        }
        (Lang::Zh, ..) => rsx! { strong { {n(models)} " 个模型" } "在售。" },
    }
}

/// Whether a row is of a model that somebody looks for.
fn found(row: &PriceRow, q: &str) -> bool {
    row.model.to_lowercase().contains(&q.trim().to_lowercase())
}

#[component]
pub(super) fn Book(
    rows: Vec<PriceRow>,
    later: usize,
    q: String,
    book: Option<TenantId>,
    write: bool,
) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let bare = rows.iter().filter(|row| row.prices.is_empty()).count();
    let models = rows.len();
    let seen: Vec<PriceRow> = rows.into_iter().filter(|row| found(row, &q)).collect();
    rsx! {
        Headline { class: "mb-5", sub: lang.t("Per million tokens. Receipts keep the price of their day.", "每百万 token。小票永远按当天的价目。"),
            actions: rsx! {
                LinkButton { href: here.with("sheet", "rules"), small: true, icon: "icon-[lucide--history]", {lang.t("Older books", "历史价目")} }
                More { book, write }
            },
            Sentence { models, bare, later }
        }
        Parts { on: "prices" }
        if write && book.is_none() { waiting::Waiting {} }
        div { class: "flex flex-wrap items-center gap-2 mb-2",
            Field { id: "prices-q", label: lang.t("Find a model", "查找模型"), placeholder: lang.t("Find a model", "查找模型"), hide_label: true,
                kind: "search", class: "input-sm w-full sm:w-64", value: q.clone(), debounce: 250,
                oninput: move |event: FormEvent| {
                    let mut here = here;
                    let place = here.place().with("q", event.value());
                    here.replace(place);
                }
            }
            if write {
                LinkButton { href: here.with("edit", "*"), small: true, {lang.t("Price of all others", "其余模型的价格")} }
            }
        }
        if models == 0 {
            Empty { icon: "icon-[lucide--tag]", text: lang.t("No account serves a model yet, so there is nothing to sell.", "还没有账号提供模型，无可出售。") }
        } else if seen.is_empty() {
            Empty { text: lang.t("No model is called that.", "没有这个名字的模型。") }
        } else {
            Table { caption: lang.t("Price book", "价目表"), class: "[&_td]:py-2 max-sm:[&_td]:px-1.5",
                head: rsx! {
                    th { scope: "col", {lang.t("Model", "模型")} }
                    th { scope: "col", class: "text-right max-lg:hidden", {lang.t("Buy in / out", "进价 入 / 出")} }
                    th { scope: "col", class: "text-right max-sm:hidden", {lang.t("Sell in", "售价 输入")} }
                    th { scope: "col", class: "text-right", {lang.t("Sell out", "售价 输出")} }
                    th { scope: "col", class: "text-right w-36 max-sm:hidden", {lang.t("You keep", "净利率")} }
                },
                for row in seen { Row { key: "{row.model}", row, write } }
            }
        }
    }
}

/// What is seldom done.
#[component]
fn More(book: Option<TenantId>, write: bool) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let house = write && book.is_none();
    rsx! {
        Menu { label: lang.t("More", "更多"), class: "btn btn-quiet btn-sm btn-square",
            MenuLink { href: here.with("sheet", "quote"), icon: "icon-[lucide--calculator]", {lang.t("Quote for a customer", "给客户报价")} }
            if write {
                MenuLink { href: here.with("sheet", "ratios"), icon: "icon-[lucide--percent]", {lang.t("Groups and currencies", "分组与汇率")} }
            }
            if house {
                MenuLink { href: here.with("sheet", "import"), icon: "icon-[lucide--upload]", {lang.t("Import New-API tables", "导入 New-API 倍率表")} }
                MenuLink { href: conn.href("/api/prices/export"), full: true, icon: "icon-[lucide--download]", {lang.t("Export New-API tables", "导出 New-API 倍率表")} }
            }
        }
    }
}

/// The price of what goes in, or of a call where only that is sold.
fn cells(prices: &PriceTable) -> (Option<Nano>, Option<Nano>, Option<Nano>) {
    let get = |class: &str| prices.get(class).copied();
    (get("input"), get("output"), get("request").filter(|_| !prices.contains_key("input")))
}

/// How much of the price stays, in ten-thousandths: all classes that both have, together.
pub(super) fn kept(sold: &PriceTable, bought: &PriceTable) -> Option<i64> {
    let (mut price, mut cost) = (0_i64, 0_i64);
    for (class, bought) in bought {
        let Some(sold) = sold.get(class) else { continue };
        price = price.saturating_add(sold.0);
        cost = cost.saturating_add(bought.0);
    }
    basis_points(price.saturating_sub(cost), price)
}

fn shown(price_of: Option<Nano>) -> String {
    price_of.map_or_else(|| "—".to_owned(), price)
}

#[component]
fn Row(row: PriceRow, write: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let bought = row.buying.iter().find(|buying| !buying.prices.is_empty());
    let tile = bought.and_then(|buying| buying.channel_name.clone()).unwrap_or_else(|| row.model.clone());
    let kept = bought.and_then(|buying| kept(&row.prices, &buying.prices));
    let (sell_in, sell_out, call) = cells(&row.prices);
    let buy = bought.map(|buying| {
        let (buy_in, buy_out, call) = cells(&buying.prices);
        match call {
            Some(call) => shown(Some(Nano(call.0 / 1_000_000))),
            None => format!("{} / {}", shown(buy_in), shown(buy_out)),
        }
    });
    let loses = kept.is_some_and(|kept| kept < 0);
    let percent = kept.map(|kept| share(Nano(kept), Nano(10_000)).unwrap_or_default());
    let width = kept.unwrap_or_default().clamp(0, 10_000) / 100;
    let source = match row.source {
        PriceSource::Rule => None,
        PriceSource::Default => Some(lang.t("price of all others", "其余模型的价格")),
        PriceSource::Catalogue => Some(lang.t("published price", "公开价格")),
    };
    let keeps = percent.clone().map(|text| match lang {
        Lang::En => format!("keeps {text}"),
        Lang::Zh => format!("净利率 {text}"),
    });
    let call = call.map(|call| {
        let sum = price(Nano(call.0 / 1_000_000));
        match lang {
            Lang::En => format!("{sum} a call"),
            Lang::Zh => format!("每次 {sum}"),
        }
    });
    let href = here.with("edit", &row.model);
    rsx! {
        tr {
            th { scope: "row", class: "font-normal",
                span { class: "flex items-center gap-3",
                    Tile { name: tile, class: "max-sm:hidden" }
                    span { class: "min-w-0",
                        if write {
                            a { class: "font-medium block truncate max-w-[46vw] sm:max-w-56 lg:max-w-72 hover:underline", title: "{row.model}", href, "{row.model}" }
                        } else {
                            span { class: "font-medium block truncate max-w-[46vw] sm:max-w-56 lg:max-w-72", title: "{row.model}", "{row.model}" }
                        }
                        if let Some(keeps) = keeps { span { class: "sm:hidden block text-sm text-muted num", "{keeps}" } }
                        if let Some(source) = source { span { class: "block text-sm text-muted max-sm:hidden", "{source}" } }
                    }
                }
            }
            td { class: "text-right text-muted whitespace-nowrap num max-lg:hidden", {buy.unwrap_or_else(|| "—".to_owned())} }
            if row.prices.is_empty() {
                td { class: "text-right max-sm:hidden" }
                td { class: "text-right", Badge { tone: Tone::Bad, {lang.t("No price", "没有价格")} } }
            } else if let Some(call) = call {
                td { class: "text-right max-sm:hidden" }
                td { class: "text-right num whitespace-nowrap", "{call}" }
            } else {
                td { class: "text-right num max-sm:hidden", {shown(sell_in)} }
                td { class: "text-right num", {shown(sell_out)} }
            }
            td { class: "text-right max-sm:hidden",
                if let Some(percent) = percent {
                    span { class: "inline-flex items-center gap-3 justify-end",
                        if loses { Icon { i: "icon-[lucide--trending-down]", class: "size-3.5 text-error" } }
                        else { span { class: "meter w-14 max-md:hidden", "aria-hidden": "true", i { style: "width:{width}%;background:var(--chart-2)" } } }
                        span { class: if loses { "w-14 font-medium num text-error" } else { "w-14 font-medium num" }, "{percent}" }
                    }
                } else { "—" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(prices: &[(&str, i64)]) -> PriceTable {
        prices.iter().map(|(class, price)| ((*class).to_owned(), Nano(*price))).collect()
    }

    #[test]
    fn what_stays_is_counted_over_what_both_have() {
        let sold = table(&[("input", 420), ("output", 2_100), ("reasoning", 1)]);
        assert_eq!(kept(&sold, &table(&[("input", 300), ("output", 1_500), ("audio_in", 9)])), Some(2_857));
        assert_eq!(kept(&sold, &table(&[("input", 840)])), Some(-10_000));
        assert_eq!(kept(&sold, &table(&[])), None);
    }

    #[test]
    fn a_call_is_shown_where_tokens_are_not_sold() {
        assert_eq!(cells(&table(&[("request", 5)])), (None, None, Some(Nano(5))));
        assert_eq!(cells(&table(&[("request", 5), ("input", 1)])), (Some(Nano(1)), None, None));
    }
}

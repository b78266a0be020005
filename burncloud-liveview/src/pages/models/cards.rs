//! The models on the shelf: what they sell for, what is kept, who serves them, how they do.

use super::data::Overview;
use super::providers::{ProviderTile, name};
use super::{Part, Parts, many};
use crate::fmt;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::reports::ModelSums;
use burncloud_billing::desk::{PriceTable, Serving, ShelfRow};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, Status};
use dioxus::prelude::*;

/// Cards on a page.
const PAGE: usize = 60;

/// A model with how it did.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Card {
    pub(super) row: ShelfRow,
    pub(super) sums: ModelSums,
}

/// What is on the shelf for whoever looks.
pub(super) async fn load(cx: Cx) -> UseCaseResult<Vec<Card>> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let sums = desk.model_sums(actor).await?;
    let card = |row: ShelfRow| Card { sums: sums.get(&row.model).copied().unwrap_or_default(), row };
    Ok(desk.shelf(actor).await?.into_iter().map(card).collect())
}

/// How much of what comes in for a class stays, in ten-thousandths; of those classes that cost something the least.
pub(super) fn kept(row: &ShelfRow) -> Option<i64> {
    let buying = row.buying.as_ref().filter(|buying| !buying.is_empty())?;
    let class = |(class, sell): (&String, &burncloud_core::Nano)| {
        let buy = buying.get(class)?;
        fmt::basis_points(sell.0.checked_sub(buy.0)?, sell.0)
    };
    row.prices.iter().filter_map(class).min()
}

/// The cards for whoever runs the house, under its own head.
#[component]
pub(super) fn HouseCards(overview: Overview) -> Element {
    let here = use_here();
    let cards = use_load((), |cx, ()| load(cx));
    let mut waking = use_act(|cx: Cx, id: ChannelId| async move {
        cx.console.desk().set_channel_status(&cx.viewer.actor, id, Status::Active, None).await.map(drop)
    });
    let add = here.href(&Place::at(["models", "add"]));
    rsx! {
        Shown { cards, house: true, add,
            parts: rsx! { Parts { part: Part::Cards, overview } },
            onwake: move |id| waking.run(id),
        }
    }
}

/// The cards for everybody else.
#[component]
pub(super) fn Shelf() -> Element {
    let cards = use_load((), |cx, ()| load(cx));
    rsx! { Shown { cards, house: false, add: String::new(), parts: rsx! {}, onwake: |_| () } }
}

#[component]
fn Shown(
    cards: Loaded<Vec<Card>>,
    house: bool,
    add: String,
    parts: Element,
    onwake: EventHandler<ChannelId>,
) -> Element {
    let mut cards = cards;
    let view = match &*cards.read() {
        None => rsx! { Loading { rows: 6 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| cards.reload() } },
        Some(Ok(all)) => rsx! { Cards { cards: all.clone(), house, add, parts, onwake } },
    };
    view
}

/// Every card; the house sees costs and who serves what.
#[component]
pub(super) fn Cards(
    cards: Vec<Card>,
    house: bool,
    add: String,
    parts: Element,
    onwake: EventHandler<ChannelId>,
) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let place = here.place();
    let query = place.get("q").unwrap_or_default().to_lowercase();
    let fits: Vec<&Card> =
        cards.iter().filter(|card| card.row.model.to_lowercase().contains(&query)).collect();
    let last = fits.len().saturating_sub(1) / PAGE;
    let page = place.parsed::<usize>("page").unwrap_or(0).min(last);
    let at = |page: usize| {
        here.href(&place.clone().with("page", if page == 0 { String::new() } else { page.to_string() }))
    };
    let shown: Vec<Card> = fits.iter().skip(page * PAGE).take(PAGE).map(|card| (*card).clone()).collect();
    let below = cards.iter().filter(|card| kept(&card.row).is_some_and(|kept| kept < 0)).count();
    let find = lang.t("Find a model", "查找模型");
    rsx! {
        Headline { sub: lang.t("Prices are per million tokens.", "价格按每百万 token 计。").to_owned(),
            actions: rsx! {
                div { class: "w-full sm:w-56",
                    Field { id: "cards-q", kind: "search", label: find, placeholder: find, hide_label: true, class: "input-sm", debounce: 250,
                        value: place.get("q").unwrap_or_default(),
                        oninput: move |event: FormEvent| {
                            let place = here.place().without(&["page"]).with("q", event.value().trim());
                            here.replace(place);
                        },
                    }
                }
                if house { LinkButton { small: true, kind: Kind::Primary, icon: "icon-[lucide--plus]", href: add, {lang.t("Add account", "添加账号")} } }
            },
            {headline(lang, cards.len(), below, house)}
        }
        {parts}
        if shown.is_empty() {
            Empty { icon: "icon-[lucide--layers]",
                text: if cards.is_empty() { lang.t("There are no models yet.", "还没有模型。") } else { lang.t("No model is called that.", "没有这个名字的模型。") },
            }
        }
        div { class: "grid grid-cols-1 sm:grid-cols-2 xl:grid-cols-3 gap-4 mt-6",
            for card in shown { One { key: "{card.row.model}", card, house, onwake } }
        }
        Pager { before: (page > 0).then(|| at(page.saturating_sub(1))), after: (page < last).then(|| at(page + 1)) }
    }
}

fn headline(lang: Lang, all: usize, below: usize, house: bool) -> Element {
    match lang {
        Lang::En => {
            let what = if all == 1 { "1 model".to_owned() } else { format!("{all} models") };
            let loss = if below == 1 {
                "One sells below cost.".to_owned()
            } else {
                format!("{} sell below cost.", many(lang, below))
            };
            rsx! { strong { "{what}" } if house { " on the shelf." } else { " to choose from." } if below > 0 { " {loss}" } }
        }
        Lang::Zh => {
            let what = format!("{all} 个模型");
            rsx! {
                if house { "货架上有 " } else { "可用 " }
                strong { "{what}" }
                if below > 0 { {format!("，{}个在亏本。", many(lang, below))} } else { "。" }
            }
        }
    }
}

#[component]
fn One(card: Card, house: bool, onwake: EventHandler<ChannelId>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let row = &card.row;
    let served = !house || !row.serving.is_empty();
    let provider = row.serving.iter().chain(&row.asleep).next().map(|serving| serving.provider.clone());
    rsx! {
        article { class: if served { "panel p-5 flex flex-col" } else { "panel p-5 flex flex-col bg-base-200/40 border-dashed" },
            div { class: "flex items-start gap-3",
                if let Some(provider) = provider { ProviderTile { id: provider } } else { Tile { name: row.model.clone() } }
                div { class: "min-w-0 grow",
                    h2 { class: "font-semibold truncate", title: "{row.model}", "{row.model}" }
                    if let Some(window) = row.context_window {
                        p { class: "text-sm text-muted num truncate", {lang.t("Reads ", "可读 ")} {f.compact(window)} }
                    }
                }
            }
            if served {
                Money { row: row.clone(), house }
                Doing { sums: card.sums }
                if house { ServedBy { serving: row.serving.clone() } }
            } else {
                Nobody { asleep: row.asleep.clone(), onwake }
            }
        }
    }
}

/// In, out, or what else is sold: at most two.
fn shown(prices: &PriceTable) -> [(String, bool); 2] {
    let mut classes = ["input", "output"]
        .into_iter()
        .filter(|class| prices.contains_key(*class))
        .map(str::to_owned)
        .collect::<Vec<_>>();
    classes.extend(prices.keys().filter(|class| !["input", "output"].contains(&class.as_str())).cloned());
    let mut classes = classes.into_iter();
    let mut next = || classes.next().map_or((String::new(), false), |class| (class, true));
    let input = next();
    // Cached input, searches and the like are on the price list; a card has the two that matter.
    let output =
        if input.0 == "input" && !prices.contains_key("output") { (String::new(), false) } else { next() };
    [input, output]
}

fn class_name(lang: Lang, class: &str) -> String {
    match class {
        "input" => lang.t("in", "输入").to_owned(),
        "output" => lang.t("out", "输出").to_owned(),
        "request" => lang.t("a million calls", "百万次调用").to_owned(),
        other => other.replace('_', " "),
    }
}

#[component]
fn Money(row: ShelfRow, house: bool) -> Element {
    let lang = use_lang();
    if row.prices.is_empty() {
        return rsx! {
            p { class: "mt-5 text-warning", {lang.t("It has no price, so it is not sold.", "还没有定价，不出售。")} }
        };
    }
    let kept = kept(&row);
    let classes: Vec<String> =
        shown(&row.prices).into_iter().filter(|(_, is)| *is).map(|(class, _)| class).collect();
    let price = |table: &PriceTable, class: &str| {
        table.get(class).map_or_else(|| fmt::NOTHING.to_owned(), |price| fmt::price(*price))
    };
    let sells = row.buying.is_some();
    rsx! {
        div { class: "mt-5 flex items-end justify-between gap-4",
            if let Some(kept) = kept {
                div {
                    p { class: "text-sm text-muted", {lang.t("You keep", "净利率")} }
                    p { class: if kept < 0 { "figure text-2xl text-error" } else { "figure text-2xl" }, {fmt::percent(kept / 10 * 10)} }
                }
            } else { span {} }
            table { class: "text-sm num text-right",
                caption { class: "sr-only", {lang.t("Prices", "价格")} }
                thead { tr {
                    td {}
                    for class in classes.clone() { th { key: "{class}", scope: "col", class: "font-normal text-faint ps-4", {class_name(lang, &class)} } }
                } }
                tbody {
                    tr {
                        th { scope: "row", class: "font-normal text-muted", if sells { {lang.t("Sell", "售价")} } else { {lang.t("You pay", "价格")} } }
                        for class in classes.clone() { td { key: "{class}", class: "font-medium ps-4", {price(&row.prices, &class)} } }
                    }
                    if let Some(buying) = &row.buying {
                        tr { class: "text-muted",
                            th { scope: "row", class: "font-normal", if house { {lang.t("Buy", "进价")} } else { {lang.t("You pay", "进价")} } }
                            for class in classes.clone() { td { key: "{class}", class: "ps-4", {price(buying, &class)} } }
                        }
                    }
                }
            }
        }
    }
}

/// How it did in the last day.
#[component]
fn Doing(sums: ModelSums) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let answered = sums.answered_permyriad.and_then(|share| i64::try_from(share).ok());
    let tone = match answered {
        Some(share) if share < 9_000 => "text-error",
        Some(share) if share < 9_900 => "text-warning",
        _ => "",
    };
    rsx! {
        p { class: "mt-4 text-sm text-muted num",
            if sums.requests == 0 {
                {lang.t("Nobody asked in the last day", "最近一天没有请求")}
            } else {
                if let Some(us) = sums.first_us { {lang.t("First word ", "首字 ")} {fmt::micros(us)} " · " }
                if let Some(share) = answered { span { class: tone, {fmt::percent(share)} {lang.t(" answered", " 已应答")} } " · " }
                {match lang { Lang::En => format!("{} a day", f.compact(sums.requests)), Lang::Zh => format!("一天 {} 次", f.compact(sums.requests)) }}
            }
        }
    }
}

#[component]
fn ServedBy(serving: Vec<Serving>) -> Element {
    let lang = use_lang();
    let names = serving.iter().map(|serving| serving.name.as_str()).collect::<Vec<_>>().join(", ");
    let count = serving.len();
    rsx! {
        div { class: "mt-auto pt-4",
            div { class: "pt-4 border-t border-line flex items-center gap-2.5 text-sm text-muted", title: "{names}",
                span { class: "tile-row",
                    for serving in serving.into_iter().take(4) { ProviderTile { key: "{serving.channel}", id: serving.provider, class: "tile-sm" } }
                }
                {match lang {
                    Lang::En if count == 1 => "Served by 1 account".to_owned(),
                    Lang::En => format!("Served by {count} accounts"),
                    Lang::Zh => format!("{count} 个账号在供应"),
                }}
            }
        }
    }
}

#[component]
fn Nobody(asleep: Vec<Serving>, onwake: EventHandler<ChannelId>) -> Element {
    let lang = use_lang();
    let first = asleep.first().cloned();
    rsx! {
        p { class: "mt-5 text-muted",
            {lang.t("Nobody serves it.", "没有账号供应。")}
            if let Some(account) = &first {
                {match lang {
                    Lang::En => format!(" {} is switched off.", account.name),
                    Lang::Zh => format!("{}（{}）已停用。", account.name, name(&account.provider)),
                }}
            }
        }
        if let Some(account) = first {
            div { class: "mt-auto pt-4",
                Button { small: true, onclick: move |_| onwake.call(account.channel), {lang.t("Bring it back", "恢复供应")} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::Nano;

    pub(super) fn table(all: &[(&str, i64)]) -> PriceTable {
        all.iter().map(|(class, price)| ((*class).to_owned(), Nano(*price))).collect()
    }

    fn row(sell: &[(&str, i64)], buy: &[(&str, i64)]) -> ShelfRow {
        let (prices, buying) = (table(sell), Some(table(buy)));
        ShelfRow { model: "m".into(), context_window: None, prices, buying, serving: vec![], asleep: vec![] }
    }

    #[test]
    fn what_is_kept_is_the_least_of_its_classes() {
        assert_eq!(
            kept(&row(&[("input", 4_200), ("output", 21_000)], &[("input", 3_000), ("output", 15_000)])),
            Some(2_857)
        );
        assert_eq!(
            kept(&row(&[("input", 4_000), ("output", 10_000)], &[("input", 3_000), ("output", 11_000)])),
            Some(-1_000)
        );
        assert_eq!(kept(&row(&[("input", 4_000)], &[])), None);
    }

    #[test]
    fn a_card_has_the_two_prices_that_matter() {
        let names = |all: &[(&str, i64)]| shown(&table(all)).map(|(class, _)| class);
        assert_eq!(names(&[("cached", 1), ("input", 2), ("output", 3)]), ["input", "output"]);
        assert_eq!(names(&[("cached", 1), ("input", 2)]), ["input", ""]);
        assert_eq!(names(&[("request", 9)]), ["request", ""]);
    }
}

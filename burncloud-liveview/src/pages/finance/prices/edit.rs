//! The price of one model: changed now or for later, and tried on last week before.

use super::rule::{How, member, rates_of, words};
use crate::fmt::{Fmt, charge, grouped, money, ms, now};
use crate::kit::{
    Badge, Broken, Button, Choice, Drawer, Field, Form, Kind, Loading, Select, Toast, Tone, use_fmt,
    use_toasts,
};
use crate::lang::Lang;
use crate::live::{Fault, use_act, use_here, use_lang, use_load};
use crate::pages::finance::words::{change, local_time, moment, tomorrow};
use burncloud_billing::desk::{PriceDraft, PriceRow, RuleState, RuleView, Simulated};
use burncloud_core::{ChannelId, Nano, TenantId, UnixMicros};
use dioxus::prelude::*;
use serde_json::Value;

/// A draft that was tried: what it says, and what it would have come to.
#[derive(Clone, PartialEq)]
struct Tried {
    draft: PriceDraft,
    came: Simulated,
}

/// What the form says, with the time from which on it holds.
fn draft_of(form: &Form, target: &Target, lang: Lang, f: &Fmt) -> Result<PriceDraft, Fault> {
    let rates = rates_of(form, target.old.as_ref(), lang)?;
    let wrong =
        || Fault::field("effective_at", lang.t("choose a time that is still to come", "请选择将来的时间"));
    let effective_at = match form.text("when").as_str() {
        "tomorrow" => Some(tomorrow(&f.zone, now()).ok_or_else(wrong)?),
        "at" => {
            let at = local_time(&form.text("at"), &f.zone).filter(|at| ms(*at) > now());
            Some(at.ok_or_else(wrong)?)
        }
        _ => None,
    };
    let Target { book, channel, model, .. } = target.clone();
    Ok(PriceDraft { book, channel, model, effective_at, rates })
}

/// Which price is set.
#[derive(Clone, PartialEq)]
struct Target {
    book: Option<TenantId>,
    channel: Option<ChannelId>,
    model: String,
    /// The rule in force.
    old: Option<Value>,
    /// What a change expects.
    version: String,
}

#[component]
pub(super) fn Edit(model: String, row: Option<PriceRow>, book: Option<TenantId>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let channel = here.parsed::<i64>("channel").map(ChannelId).filter(|_| book.is_none());
    // What a provider takes is known by the provider's name of the model.
    let bought =
        row.as_ref().and_then(|row| row.buying.iter().find(|buying| buying.channel == channel).cloned());
    let name = match (&bought, channel) {
        (Some(buying), Some(_)) => buying.upstream_model.clone(),
        _ => model.clone(),
    };
    let loaded = use_load((name, channel), move |cx, (name, channel)| async move {
        let all = cx.console.desk().price_rules(&cx.viewer.actor, book, true).await.map_err(Fault::from)?;
        let own = all.into_iter().filter(|view| view.rule.model == name && view.rule.channel == channel);
        Ok::<(String, Vec<RuleView>), Fault>((name.clone(), own.collect()))
    });
    let onclose = move |()| {
        let mut here = here;
        let place = here.place().without(&["edit", "channel"]);
        here.go(place);
    };
    let title = match (&bought, channel, model.as_str()) {
        (Some(buying), Some(_), _) => {
            let at = buying.channel_name.clone().unwrap_or_default();
            match lang {
                Lang::En => format!("What {at} takes for {}", buying.upstream_model),
                Lang::Zh => format!("{at} 的 {} 进价", buying.upstream_model),
            }
        }
        (_, _, "*") => lang.t("Price of all others", "其余模型的价格").to_owned(),
        _ => model.clone(),
    };
    let body = match &*loaded.read() {
        None => rsx! { Loading { rows: 4, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok((name, rules))) => {
            let old = rules
                .iter()
                .find(|view| view.state == RuleState::InForce)
                .map(|view| view.rule.rates.clone());
            let version = rules.iter().map(|view| view.rule.version).max().unwrap_or(0).to_string();
            let target = Target { book, channel, model: name.clone(), old, version };
            // Another channel is another form.
            rsx! {
                for target in [target] { Setting { key: "{target.channel:?}", target } }
                if let Some(row) = row.filter(|_| channel.is_none() && book.is_none()) { Buying { row } }
                History { rules: rules.clone() }
            }
        }
    };
    rsx! { Drawer { id: "price", title, onclose, {body} } }
}

#[component]
fn Setting(target: Target) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let first = target.old.as_ref().map_or(How::Markup, How::of);
    let mut how = use_signal(|| first);
    let mut tried = use_signal(|| None::<Tried>);
    let mut trying = use_act({
        let (target, f) = (target.clone(), f.clone());
        move |cx, form: Form| {
            let draft = draft_of(&form, &target, lang, &f);
            async move {
                let draft = draft?;
                let came =
                    cx.console.desk().simulate_price(&cx.viewer.actor, &draft).await.map_err(Fault::from)?;
                Ok::<_, Fault>(Tried { draft, came })
            }
        }
    });
    let ways = [
        Choice::new("markup", lang.t("A ratio on what it costs", "按成本加价")),
        Choice::new("list", lang.t("List prices", "固定价格")),
        Choice::new("call", lang.t("A price for each call", "按次计价")),
    ];
    let shown = tried.read().clone();
    let fault = trying.fault().filter(|fault| fault.field.is_none());
    rsx! {
        form { id: "price-form", class: "grid gap-5 mt-5",
            oninput: move |_| if tried.peek().is_some() { tried.set(None) },
            onsubmit: move |event| trying.then(Form::of(&event), move |came| tried.set(Some(came))),
            Select { id: "price-how", name: "how", label: lang.t("How", "方式"), choices: ways.to_vec(), value: first.code(),
                onchange: move |code: String| how.set(How::parse(&code))
            }
            Prices { how: how(), old: target.old.clone(), error: trying.fault() }
            When { error: trying.error("effective_at") }
            if let Some(fault) = fault { p { role: "alert", class: "text-sm text-error", "{fault.text}" } }
            if shown.is_none() {
                div { class: "flex justify-end",
                    Button { id: "price-try", kind: Kind::Primary, submit: true, busy: trying.busy(), {lang.t("See what it comes to", "试算")} }
                }
            }
        }
        if let Some(tried) = shown { OnSale { target, tried } }
    }
}

/// From when on it holds.
#[component]
fn When(error: Option<String>) -> Element {
    let lang = use_lang();
    let mut when = use_signal(|| "now".to_owned());
    let times = [
        Choice::new("now", lang.t("Now", "立即")),
        Choice::new("tomorrow", lang.t("Tomorrow, 00:00", "明天 00:00")),
        Choice::new("at", lang.t("At a time", "指定时间")),
    ];
    rsx! {
        Select { id: "price-when", name: "when", label: lang.t("Takes effect", "生效时间"), choices: times.to_vec(), value: "now",
            error: error.clone().filter(|_| when() != "at"), onchange: move |code: String| when.set(code)
        }
        if when() == "at" {
            Field { id: "price-at", name: "at", label: lang.t("From", "起始时间"), kind: "datetime-local", required: true, error }
        }
    }
}

/// What was tried, and the last step.
#[component]
fn OnSale(target: Target, tried: Tried) -> Element {
    let (lang, f, here, mut toasts) = (use_lang(), use_fmt(), use_here(), use_toasts());
    let Tried { draft, came } = tried;
    let version = target.version.clone();
    let mut set = use_act(move |cx, draft: PriceDraft| {
        let version = version.clone();
        async move { cx.console.desk().set_price(&cx.viewer.actor, draft, Some(&version)).await }
    });
    let old = target.old.clone();
    let mut onsale = move |draft: PriceDraft| {
        let undo = old.clone().filter(|_| draft.effective_at.is_none());
        let undo = undo.map(|rates| PriceDraft { rates, ..draft.clone() });
        set.then(draft, move |_| {
            let toast = Toast::done(lang.t("The price is set", "价格已设置"));
            toasts.show(match undo {
                None => toast,
                Some(back) => toast.undo(move |cx| {
                    let back = back.clone();
                    async move { cx.console.desk().set_price(&cx.viewer.actor, back, None).await.map(|_| ()) }
                }),
            });
            let mut here = here;
            let place = here.place().without(&["edit", "channel"]);
            here.go(place);
        });
    };
    rsx! {
        Came { came }
        div { class: "flex items-center justify-between gap-3 mt-4",
            span { class: "text-sm text-muted num", {from(&draft, &f, lang)} }
            Button { id: "price-set", kind: Kind::Primary, busy: set.busy(), onclick: move |_| onsale(draft.clone()), {lang.t("Put on sale", "发布")} }
        }
        if let Some(fault) = set.fault() { p { role: "alert", class: "text-sm text-error mt-2", "{fault.text}" } }
    }
}

fn from(draft: &PriceDraft, f: &Fmt, lang: Lang) -> String {
    match (draft.effective_at, lang) {
        (None, _) => lang.t("Takes effect now", "立即生效").to_owned(),
        (Some(at), Lang::En) => format!("Takes effect {}", moment(f, at, now())),
        (Some(at), Lang::Zh) => format!("{} 生效", moment(f, at, now())),
    }
}

/// The fields of a way to price. What was written in force stands in them.
#[component]
fn Prices(how: How, old: Option<Value>, error: Option<Fault>) -> Element {
    let lang = use_lang();
    let old = old.as_ref();
    let wrong = |name: &str| error.as_ref().and_then(|fault| fault.of(name)).map(str::to_owned);
    let had = |name: &str| member(old, name);
    if how == How::Markup {
        let value = if had("markup").is_empty() { "1.25".to_owned() } else { had("markup") };
        return rsx! {
            Field { id: "price-markup", name: "markup", label: lang.t("Times its cost", "成本的倍数"), before: "×", inputmode: "decimal",
                value, required: true, error: wrong("markup"), hint: lang.t("1.25 keeps a fifth of the price.", "1.25 表示保留售价的五分之一。")
            }
        };
    }
    let currency = if had("currency").is_empty() { "USD".to_owned() } else { had("currency") };
    let mut currencies = vec![
        Choice::new("USD", lang.t("US dollars", "美元")),
        Choice::new("CNY", lang.t("Renminbi", "人民币")),
    ];
    if !["USD", "CNY"].contains(&currency.as_str()) {
        currencies.push(Choice::new(currency.clone(), currency.clone()));
    }
    let classes = [
        ("input", lang.t("In, a million tokens", "输入，每百万 token")),
        ("output", lang.t("Out, a million tokens", "输出，每百万 token")),
        ("cached_read", lang.t("In from a cache", "缓存读取")),
        ("cache_write_5m", lang.t("Into a cache", "缓存写入")),
    ];
    rsx! {
        if how == How::Call {
            Field { id: "price-per_request", name: "per_request", label: lang.t("A call", "每次"), inputmode: "decimal", value: had("per_request"), required: true,
                error: wrong("per_request")
            }
        } else {
            div { class: "grid grid-cols-2 gap-5",
                for (class, label) in classes {
                    Field { key: "{class}", id: "price-{class}", name: class, label, inputmode: "decimal", value: had(class), error: wrong(class) }
                }
            }
        }
        Select { id: "price-currency", name: "currency", label: lang.t("In", "币种"), choices: currencies, value: currency, error: wrong("currency") }
    }
}

/// Before and after, over last week's requests.
#[component]
pub(super) fn Came(came: Simulated) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    if came.requests == 0 {
        return rsx! {
            p { id: "price-came", role: "status", class: "mt-5 text-muted",
                {lang.t("Nobody asked for it in the last week: there is nothing to try the price on.", "最近一周没有人使用，无法试算。")}
            }
        };
    }
    let (before, after) = (came.before, came.after);
    let each = |sum: Nano| charge(Nano(sum.0 / i64::try_from(came.requests).unwrap_or(i64::MAX)));
    let stays = |sums: burncloud_billing::desk::SimulatedSums| sums.revenue.minus(sums.cost);
    let more = change(after.revenue, before.revenue).unwrap_or_default();
    let loses = stays(after) < Nano::ZERO;
    let count = grouped(came.requests);
    let since = f.moment(ms(came.since), now());
    let head = match (lang, came.whole) {
        (Lang::En, true) => format!("The last week's {count} requests"),
        (Lang::En, false) => format!("The newest {count} requests, since {since}"),
        (Lang::Zh, true) => format!("最近一周的 {count} 次请求"),
        (Lang::Zh, false) => format!("{since} 以来的 {count} 次请求"),
    };
    let rows = [
        (lang.t("Revenue", "收入"), money(before.revenue), money(after.revenue), more),
        (lang.t("What stays", "净利"), money(stays(before)), money(stays(after)), String::new()),
        (lang.t("A request", "每次请求"), each(before.revenue), each(after.revenue), String::new()),
    ];
    rsx! {
        section { id: "price-came", class: "panel p-4 mt-5", role: "status",
            table { class: "table [&_td]:py-1.5 [&_th]:py-1.5",
                caption { class: "text-left text-sm text-muted pb-2", "{head}" }
                thead { tr {
                    th { scope: "col", span { class: "sr-only", {lang.t("What", "项目")} } }
                    th { scope: "col", class: "text-right", {lang.t("Now", "现价")} }
                    th { scope: "col", class: "text-right", {lang.t("Then", "新价")} }
                } }
                tbody {
                    for (name, was, will, more) in rows {
                        tr { key: "{name}",
                            th { scope: "row", class: "font-normal", "{name}" }
                            td { class: "text-right num text-muted", "{was}" }
                            td { class: "text-right num font-medium", "{will}" if !more.is_empty() { span { class: "text-muted font-normal", " {more}" } } }
                        }
                    }
                }
            }
            if loses {
                p { class: "mt-3 flex items-center gap-2 text-sm text-error", Badge { tone: Tone::Bad, {lang.t("Below cost", "低于成本")} }
                    {lang.t("It would be sold for less than it costs.", "售价将低于成本。")}
                }
            }
        }
    }
}

/// What accounts take for it, each with a price that can be set.
#[component]
fn Buying(row: PriceRow) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let list = row.buying.iter().filter_map(|buying| {
        let id = buying.channel?;
        let prices = &buying.prices;
        let get = |kind: &str| prices.get(kind).map_or_else(|| "—".to_owned(), |sum| crate::fmt::price(*sum));
        let text = if prices.is_empty() {
            lang.t("not known", "未知").to_owned()
        } else {
            format!("{} / {}", get("input"), get("output"))
        };
        Some((id, buying.channel_name.clone().unwrap_or_default(), buying.upstream_model.clone(), text))
    });
    let list: Vec<_> = list.collect();
    rsx! {
        section { class: "mt-8", "aria-labelledby": "price-buying",
            h3 { id: "price-buying", class: "section-title", {lang.t("What accounts take", "账号进价")} }
            ul { class: "rows mt-2",
                for (id, name, model, text) in list {
                    li { key: "{id}", class: "flex items-center gap-3 py-2.5",
                        a { class: "min-w-0 hover:underline", href: here.with("channel", id),
                            span { class: "font-medium block truncate", title: "{name}", "{name}" }
                            span { class: "block text-sm text-muted truncate", title: "{model}", "{model}" }
                        }
                        span { class: "ms-auto num text-muted whitespace-nowrap", "{text}" }
                    }
                }
            }
        }
    }
}

/// What was set before, and what is to come.
#[component]
pub(super) fn History(rules: Vec<RuleView>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    if rules.is_empty() {
        return rsx! {};
    }
    rsx! {
        section { class: "mt-8", "aria-labelledby": "price-history",
            h3 { id: "price-history", class: "section-title", {lang.t("Set so far", "设置记录")} }
            ul { class: "rows mt-2",
                for view in rules.iter().take(50) {
                    li { key: "{view.rule.version}", class: "flex items-center gap-3 py-2.5",
                        span { class: "num", {words(&view.rule.rates, lang)} }
                        State { state: view.state }
                        span { class: "ms-auto num text-sm text-muted whitespace-nowrap", {since(view.rule.effective_at, &f, lang)} }
                    }
                }
            }
        }
    }
}

pub(super) fn since(at: UnixMicros, f: &Fmt, lang: Lang) -> String {
    if at.0 <= 0 { lang.t("from the beginning", "从一开始").to_owned() } else { moment(f, at, now()) }
}

#[component]
pub(super) fn State(state: RuleState) -> Element {
    let lang = use_lang();
    match state {
        RuleState::InForce => rsx! { Badge { tone: Tone::Good, {lang.t("in force", "生效中")} } },
        RuleState::Scheduled => rsx! { Badge { tone: Tone::Info, {lang.t("to come", "待生效")} } },
        RuleState::Superseded => rsx! { Badge { {lang.t("past", "已取代")} } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Look;
    use burncloud_billing::desk::SimulatedSums;

    fn draw(came: Simulated, lang: Lang) -> String {
        let look = Look { lang, ..Look::default() };
        let mut dom = VirtualDom::new_with_props(Came, CameProps { came }).with_root_context(look);
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    }

    fn sums(revenue: i64, cost: i64) -> SimulatedSums {
        SimulatedSums { revenue: Nano(revenue * 1_000_000_000), cost: Nano(cost * 1_000_000_000) }
    }

    #[test]
    fn a_price_that_was_tried_says_what_it_comes_to() {
        let since = UnixMicros(0);
        let came =
            Simulated { requests: 1_000, since, whole: true, before: sums(100, 60), after: sums(120, 60) };
        let html = draw(came.clone(), Lang::En);
        for said in
            ["1,000 requests", "$100.00", "$120.00", "+20%", "$40.00", "$60.00", "$0.100000", "$0.120000"]
        {
            assert!(html.contains(said), "`{said}` is missing in {html}");
        }
        assert!(!html.contains("Below cost"));
        let losing = Simulated { after: sums(50, 60), whole: false, ..came };
        assert!(draw(losing.clone(), Lang::En).contains("Below cost"));
        assert!(draw(losing, Lang::Zh).contains("低于成本"));
    }

    #[test]
    fn nothing_to_try_a_price_on_is_said() {
        let none = Simulated {
            requests: 0,
            since: UnixMicros(0),
            whole: true,
            before: SimulatedSums::default(),
            after: SimulatedSums::default(),
        };
        assert!(draw(none, Lang::Zh).contains("无法试算"));
    }
}

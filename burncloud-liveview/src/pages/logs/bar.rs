//! The filters above the rows. Each is a link to the same page with another choice.

use super::choices::{Choices, Eyes};
use super::query::{Ended, FILTERS, Query, SPANS, Time, choose, customer_code, moment, typed};
use crate::fmt::Fmt;
use crate::kit::{Button, Form, Hint, Icon, Tab, Tabs, use_fmt};
use crate::lang::Lang;
use crate::live::{Place, use_here, use_lang};
use dioxus::prelude::*;

/// One of the choices of a [`Pick`]: its name, where it leads, whether it is made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Option_ {
    name: String,
    to: Place,
    on: bool,
}

pub(super) fn span(lang: Lang, minutes: u32) -> String {
    let (en, zh) = match minutes {
        0..=59 => (format!("last {minutes} min"), format!("最近 {minutes} 分钟")),
        60 => ("last hour".to_owned(), "最近 1 小时".to_owned()),
        61..=2_879 => (format!("last {} h", minutes / 60), format!("最近 {} 小时", minutes / 60)),
        _ => (format!("last {} days", minutes / 1_440), format!("最近 {} 天", minutes / 1_440)),
    };
    lang.t(&en, &zh).to_owned()
}

fn time_name(f: &Fmt, time: Time) -> String {
    let (lang, now) = (f.lang, crate::fmt::now());
    let at = |ms: i64| f.moment(u64::try_from(ms).unwrap_or_default(), now);
    match time {
        Time::Any => lang.t("any", "不限").to_owned(),
        Time::Last(minutes) => span(lang, minutes),
        Time::Between(Some(from), Some(to)) => format!("{} – {}", at(from), at(to)),
        Time::Between(Some(from), None) => format!("{}{}", lang.t("from ", ""), at(from)) + lang.t("", " 起"),
        Time::Between(None, Some(to)) => format!("{}{}", lang.t("until ", ""), at(to)) + lang.t("", " 前"),
        Time::Between(None, None) => lang.t("any", "不限").to_owned(),
    }
}

/// The row of filters.
#[component]
pub(super) fn Filters(query: Query, choices: Option<Choices>, eyes: Eyes) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let mut open = use_signal(|| false);
    let place = here.place();
    let result = Ended::EACH.into_iter().filter(|ended| *ended != Ended::Switched || eyes == Eyes::House);
    let result = result.map(|ended| {
        let name = match ended {
            Ended::All => lang.t("All", "全部"),
            Ended::Errors => lang.t("Errors", "出错"),
            Ended::Switched => lang.t("Switched", "换道"),
            Ended::Slow => lang.t("Slow", "慢"),
        };
        let to = choose(place.clone(), "result", ended.code());
        Tab::new(here.href(&to), name, query.ended == ended)
    });
    let result: Vec<Tab> = result.collect();
    let boxed = match eyes {
        Eyes::House => "ms-auto max-md:ms-0 max-md:w-full max-md:grid max-md:grid-cols-4",
        _ => "ms-auto max-md:ms-0 max-md:w-full max-md:grid max-md:grid-cols-3",
    };
    rsx! {
        div { class: "flex flex-wrap items-center gap-2 mb-2",
            Search { text: query.text.clone() }
            button { r#type: "button", class: "btn btn-quiet btn-sm btn-square md:hidden", "aria-label": lang.t("Filters", "筛选"),
                "aria-expanded": if open() { "true" } else { "false" }, "aria-controls": "log-picks",
                onclick: move |_| open.toggle(),
                Icon { i: "icon-[lucide--sliders-horizontal]" }
            }
            div { id: "log-picks", class: if open() { "flex flex-wrap gap-2 max-md:w-full max-md:order-3" } else { "flex flex-wrap gap-2 max-md:hidden" },
                Picks { query: query.clone(), choices, eyes }
            }
            Tabs { label: lang.t("Result", "结果"), tabs: result, class: boxed }
        }
    }
}

#[component]
fn Picks(query: Query, choices: Option<Choices>, eyes: Eyes) -> Element {
    let (lang, here, f) = (use_lang(), use_here(), use_fmt());
    let place = here.place();
    let any = lang.t("any", "不限");
    // The first choice is none; what was chosen and is not offered is offered all the same.
    let options = |name: &'static str, offered: Vec<(String, String)>, chosen: Option<String>| {
        let known = chosen.as_ref().is_none_or(|chosen| offered.iter().any(|(value, _)| value == chosen));
        let own = chosen.clone().filter(|_| !known).map(|value| (value.clone(), value));
        let none = (String::new(), any.to_owned());
        let all = [none].into_iter().chain(own).chain(offered);
        let option = |(value, label): (String, String)| Option_ {
            on: value == chosen.clone().unwrap_or_default(),
            to: choose(place.clone(), name, value),
            name: label,
        };
        all.map(option).collect::<Vec<Option_>>()
    };
    let spans = SPANS.iter().map(|(code, minutes)| ((*code).to_owned(), span(lang, *minutes))).collect();
    let span_on = match query.time {
        Time::Last(minutes) => SPANS.iter().find(|(_, m)| *m == minutes).map(|(code, _)| (*code).to_owned()),
        _ => None,
    };
    let mut times = options("time", spans, span_on);
    times[0].on = query.time == Time::Any;
    let Choices { models, accounts, customers, .. } =
        choices.unwrap_or(Choices { eyes, models: vec![], accounts: vec![], customers: vec![] });
    let models = options("model", models.into_iter().map(|m| (m.clone(), m)).collect(), query.model.clone());
    let accounts: Vec<(String, String)> =
        accounts.into_iter().map(|(id, name)| (id.0.to_string(), name)).collect();
    let accounts = options("account", accounts, query.account.map(|id| id.0.to_string()));
    let (what, chosen) = match eyes {
        Eyes::User => ("key", query.key.map(|key| key.0.to_string())),
        _ => ("customer", query.customer.map(customer_code)),
    };
    let customers = options(what, customers, chosen);
    let whose = if eyes == Eyes::User { lang.t("Key", "密钥") } else { lang.t("Customer", "客户") };
    let key = query.key.filter(|_| eyes != Eyes::User);
    let narrowed = query.narrowed();
    rsx! {
        Pick { id: "pick-time", label: lang.t("Time", "时间"), value: time_name(&f, query.time), options: times, Between { time: query.time } }
        Pick { id: "pick-model", label: lang.t("Model", "模型"), options: models }
        Pick { id: "pick-customer", label: whose, options: customers }
        if eyes == Eyes::House { Pick { id: "pick-account", label: lang.t("Account", "账号"), options: accounts } }
        if let Some(key) = key {
            a { class: "btn btn-quiet btn-sm font-normal gap-1.5", href: here.href(&choose(place.clone(), "key", "")),
                "aria-label": lang.t("Any key", "不限密钥"),
                span { class: "text-muted", {lang.t("Key", "密钥")} }
                span { class: "font-medium num", "{key.0}" }
                Icon { i: "icon-[lucide--x]", class: "size-3.5 text-faint" }
            }
        }
        if narrowed {
            a { class: "btn btn-ghost btn-sm", href: here.href(&clear(place.clone())), {lang.t("Clear", "清除")} }
        }
    }
}

/// The same place with nothing chosen.
pub(super) fn clear(place: Place) -> Place {
    place.without(&FILTERS).without(&["page", "open"])
}

/// A filter with a few choices.
#[component]
fn Pick(
    id: &'static str,
    label: String,
    #[props(default)] value: Option<String>,
    options: Vec<Option_>,
    #[props(default)] children: Element,
) -> Element {
    let here = use_here();
    let made = options.iter().find(|option| option.on).map(|option| option.name.clone());
    let value = value.or(made).unwrap_or_default();
    let on = options.first().is_some_and(|option| !option.on);
    rsx! {
        x-menu { class: "relative inline-block",
            details {
                summary { id, class: if on { "btn btn-quiet btn-sm font-normal gap-1.5 list-none bg-fill!" } else { "btn btn-quiet btn-sm font-normal gap-1.5 list-none" },
                    span { class: "text-muted", "{label}" }
                    span { class: "font-medium truncate max-w-40", title: "{value}", "{value}" }
                    Icon { i: "icon-[lucide--chevron-down]", class: "size-3.5 text-faint" }
                }
                ul { class: "menu-pop start-0! end-auto! max-h-80 overflow-y-auto",
                    for option in options {
                        li { key: "{option.name}",
                            a { class: "menu-item", href: here.href(&option.to), "aria-current": if option.on { "true" },
                                span { class: "truncate grow", title: "{option.name}", "{option.name}" }
                                if option.on { Icon { i: "icon-[lucide--check]", class: "size-3.5" } }
                            }
                        }
                    }
                    {children}
                }
            }
        }
    }
}

/// From a moment until another.
#[component]
fn Between(time: Time) -> Element {
    let (lang, f, mut here) = (use_lang(), use_fmt(), use_here());
    let mut wrong = use_signal(|| None::<&'static str>);
    let (from, to) = match time {
        Time::Between(from, to) => (from.map(|ms| typed(&f, ms)), to.map(|ms| typed(&f, ms))),
        _ => (None, None),
    };
    let zone = f.clone();
    let submit = move |event: FormEvent| {
        let form = Form::of(&event);
        let (from, to) = (form.text("from"), form.text("to"));
        let (since, until) = (moment(&zone, &from), moment(&zone, &to));
        let bad_order = since.zip(until).is_some_and(|(since, until)| since >= until);
        if !from.is_empty() && since.is_none() {
            wrong.set(Some("from"));
        } else if (!to.is_empty() && until.is_none()) || bad_order {
            wrong.set(Some("to"));
        } else {
            wrong.set(None);
            let text = |ms: Option<i64>| ms.map(|ms| ms.to_string()).unwrap_or_default();
            let place = choose(here.place(), "time", "").with("from", text(since)).with("to", text(until));
            here.go(place);
        }
    };
    let error = |field: &str| {
        (wrong() == Some(field)).then(|| {
            lang.t(
                "Choose a date and a time; “until” comes after “from”.",
                "请选择日期和时间，「到」应晚于「从」。",
            )
            .to_owned()
        })
    };
    let input = |id: &'static str, name: &'static str, label: &'static str, value: Option<String>| {
        let error = error(name);
        rsx! {
            label { class: "label-text block mt-2", r#for: id, "{label}" }
            input { id, name, r#type: "datetime-local", class: "input input-sm w-full", initial_value: value.unwrap_or_default(),
                "aria-invalid": if error.is_some() { "true" } else { "false" }, "aria-describedby": if error.is_some() { "{id}-error" }
            }
            Hint { id, error: error.clone() }
        }
    };
    rsx! {
        li { class: "border-t border-line mt-1 px-3 pb-2",
            form { onsubmit: submit,
                {input("log-from", "from", lang.t("From", "从"), from)}
                {input("log-to", "to", lang.t("Until", "到"), to)}
                div { class: "mt-3", Button { small: true, submit: true, {lang.t("Apply", "应用")} } }
            }
        }
    }
}

/// The search box. What is typed goes into the URL; what the URL says otherwise goes into the box.
#[component]
fn Search(text: String) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let mut last = use_hook(|| CopyValue::new((text.clone(), 0_u32)));
    if last.peek().0 != text {
        let round = last.peek().1;
        last.set((text.clone(), round + 1));
    }
    let round = last.peek().1;
    let typed = move |event: FormEvent| {
        let text = event.value().trim().to_owned();
        let round = last.peek().1;
        last.set((text.clone(), round));
        here.replace(choose(here.place(), "q", text));
    };
    rsx! {
        label { class: "input input-sm flex-1 min-w-0 md:flex-none md:w-72",
            Icon { i: "icon-[lucide--search]", class: "size-3.5 text-faint" }
            for round in [round] {
                input { key: "{round}", id: "log-search", r#type: "search", initial_value: "{text}", autocomplete: "off", spellcheck: "false",
                    maxlength: "200", "data-debounce": "300", oninput: typed,
                    placeholder: lang.t("Receipt, trace, customer, key, model", "小票、编号、客户、密钥、模型"),
                    "aria-label": lang.t("Search logs", "搜索日志"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn a_time_is_said_in_words() {
        let f = |lang| Fmt { lang, zone: TimeZone::UTC };
        let en: Vec<String> = SPANS.iter().map(|(_, minutes)| span(Lang::En, *minutes)).collect();
        assert_eq!(en, ["last 15 min", "last hour", "last 24 h", "last 7 days", "last 30 days"]);
        assert_eq!(time_name(&f(Lang::Zh), Time::Last(1_440)), "最近 24 小时");
        assert_eq!(time_name(&f(Lang::En), Time::Between(Some(0), None)), "from Jan 1, 1970, 00:00");
        assert_eq!(time_name(&f(Lang::Zh), Time::Between(None, Some(0))), "1970年1月1日 00:00 前");
        assert_eq!(time_name(&f(Lang::En), Time::Any), "any");
    }

    #[test]
    fn nothing_chosen_leaves_the_rest() {
        let place = Place::parse("", "/logs?q=a&time=1h&live=off&open=rc_1&page=x&key=1");
        assert_eq!(clear(place).to_string(), "/logs?live=off");
    }
}

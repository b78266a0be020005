//! The fields of a key: how they are drawn and how they are read.

use crate::kit::{Check, Field, Form};
use crate::lang::Lang;
use crate::live::{Fault, use_lang};
use burncloud_core::{Limits, Nano, UnixMicros};
use dioxus::prelude::*;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::net::IpAddr;

/// With more models than this one can search them.
const MANY: usize = 10;

/// All models, or a choice of those that are served (`model`) and those that the key has already.
#[component]
pub(super) fn Models(
    served: Vec<String>,
    #[props(default)] chosen: Option<Vec<String>>,
    #[props(default)] error: Option<String>,
) -> Element {
    let lang = use_lang();
    let mut all = use_signal(|| chosen.is_none());
    let mut find = use_signal(String::new);
    let have = chosen.unwrap_or_default();
    let mut names = served;
    names.extend(have.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
    let many = names.len() > MANY;
    let text = find.read().to_lowercase();
    rsx! {
        fieldset { class: "p-0",
            legend { class: "label-text", {lang.t("Which models does it open?", "可以打开哪些模型？")} }
            Check { id: "models-all", checked: all(), onchange: move |on| all.set(on), {lang.t("All models, those to come too", "全部模型，包括以后新增的")} }
            if !all() {
                div { class: "mt-3 rounded-field border border-line",
                    if many {
                        input { id: "models-find", r#type: "search", class: "input input-sm w-full border-0! border-b! rounded-b-none!", autocomplete: "off",
                            "aria-label": lang.t("Find a model", "查找模型"), placeholder: lang.t("Find a model", "查找模型"),
                            "data-debounce": "200", oninput: move |event| find.set(event.value()),
                        }
                    }
                    div { class: "max-h-48 overflow-y-auto p-3 grid gap-2",
                        for (at , name) in names.into_iter().enumerate() {
                            div { key: "{name}", class: if name.to_lowercase().contains(&text) { "min-w-0" } else { "hidden" },
                                Check { id: "model-{at}", name: "model", value: name.clone(), checked: have.contains(&name),
                                    span { class: "mono break-all", "{name}" }
                                }
                            }
                        }
                    }
                }
            }
            if let Some(error) = error { p { role: "alert", class: "mt-1.5 text-sm text-error", "{error}" } }
        }
    }
}

/// Requests, tokens, and how many at a time.
#[component]
pub(super) fn Speed(#[props(default)] limits: Limits, #[props(default)] error: Option<String>) -> Element {
    let lang = use_lang();
    let text = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let none = lang.t("No limit", "不限");
    rsx! {
        div { class: "grid sm:grid-cols-3 gap-4 items-end",
            Field { id: "rpm", label: lang.t("Requests a minute", "每分钟请求数"), value: text(limits.requests_per_minute),
                inputmode: "numeric", placeholder: none, error: error.clone() }
            Field { id: "tpm", label: lang.t("Tokens a minute", "每分钟 token 数"), value: text(limits.tokens_per_minute),
                inputmode: "numeric", placeholder: none }
            Field { id: "together", label: lang.t("At a time", "同时请求数"), value: text(limits.concurrency),
                inputmode: "numeric", placeholder: none }
        }
    }
}

/// What [`Models`] holds.
pub(super) fn models(form: &Form) -> Option<Vec<String>> {
    (!form.on("models-all")).then(|| form.all("model"))
}

/// What [`Speed`] holds.
pub(super) fn limits(lang: Lang, form: &Form) -> Result<Limits, Fault> {
    Ok(Limits {
        requests_per_minute: count(lang, form, "rpm", "limits")?,
        tokens_per_minute: count(lang, form, "tpm", "limits")?,
        concurrency: count(lang, form, "together", "limits")?,
    })
}

/// A whole number; nothing is none. Commas and spaces between digits do not count.
pub(super) fn count(lang: Lang, form: &Form, name: &str, field: &str) -> Result<Option<u64>, Fault> {
    let Some(text) = form.some(name) else { return Ok(None) };
    let digits: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect();
    let wrong = lang.t("Write a whole number, or nothing for no limit.", "请填整数，不限则留空。");
    digits.parse().map(Some).map_err(|_| Fault::field(field, wrong))
}

/// Dollars; nothing is none.
pub(super) fn amount(lang: Lang, form: &Form, name: &str, field: &str) -> Result<Option<Nano>, Fault> {
    let Some(text) = form.some(name) else { return Ok(None) };
    let digits: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '$')).collect();
    let wrong = lang.t("Write an amount in dollars, such as 50 or 12.50.", "请填美元金额，如 50 或 12.50。");
    digits.parse().map(Some).map_err(|_| Fault::field(field, wrong))
}

/// What stands in a text, by lines or commas; nothing is none.
pub(super) fn lines(text: &str) -> Option<Vec<String>> {
    let parts = text.split(['\n', ',', '，', ';']).map(str::trim).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    (!parts.is_empty()).then_some(parts)
}

/// Addresses; nothing is all.
pub(super) fn ips(lang: Lang, text: &str) -> Result<Option<Vec<IpAddr>>, Fault> {
    let Some(parts) = lines(text) else { return Ok(None) };
    let wrong = |part: &str| {
        Fault::field(
            "ips",
            match lang {
                Lang::En => format!("{part} is no IP address."),
                Lang::Zh => format!("{part} 不是 IP 地址。"),
            },
        )
    };
    let all: Result<Vec<IpAddr>, Fault> =
        parts.iter().map(|part| part.parse().map_err(|_| wrong(part))).collect();
    all.map(Some)
}

/// The end of a day such as `2027-03-31`; nothing is never.
pub(super) fn ends(lang: Lang, zone: &TimeZone, text: &str) -> Result<Option<UnixMicros>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let end = text.parse::<Date>().and_then(|date| date.tomorrow()?.to_zoned(zone.clone()));
    let wrong = lang.t("Write a day as 2027-03-31.", "请按 2027-03-31 的格式填写日期。");
    end.map(|end| Some(UnixMicros(end.timestamp().as_microsecond())))
        .map_err(|_| Fault::field("expires_at", wrong))
}

/// The day that [`ends`] reads back; nothing for never.
pub(super) fn last_day(zone: &TimeZone, at: Option<UnixMicros>) -> String {
    let end = at.and_then(|at| jiff::Timestamp::from_microsecond(at.0.saturating_sub(1)).ok());
    end.map(|end| end.to_zoned(zone.clone()).date().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_by_lines_and_commas() {
        assert_eq!(lines(" a.example,\n b \n\n"), Some(vec!["a.example".into(), "b".into()]));
        assert_eq!(lines(" \n , "), None);
        let found = ips(Lang::En, "203.0.113.7\n2001:db8::1").unwrap().unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(ips(Lang::En, "").unwrap(), None);
        let fault = ips(Lang::En, "203.0.113.7\n203.0.113").unwrap_err();
        assert_eq!(
            (fault.field.as_deref(), fault.text.as_str()),
            (Some("ips"), "203.0.113 is no IP address.")
        );
    }

    #[test]
    fn a_key_works_until_the_end_of_its_last_day() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = ends(Lang::En, &zone, "2027-03-31").unwrap();
        let end: jiff::Timestamp = "2027-03-31T16:00:00Z".parse().unwrap();
        assert_eq!(at, Some(UnixMicros(end.as_microsecond())));
        assert_eq!(last_day(&zone, at), "2027-03-31");
        assert_eq!((ends(Lang::En, &zone, " ").unwrap(), last_day(&zone, None)), (None, String::new()));
        assert_eq!(ends(Lang::Zh, &zone, "31.3.2027").unwrap_err().field.as_deref(), Some("expires_at"));
    }
}

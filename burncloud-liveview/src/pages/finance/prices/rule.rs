//! Rules as forms and in words.

use crate::kit::Form;
use crate::lang::Lang;
use crate::live::Fault;
use serde_json::{Map, Value, json};

/// How something is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A ratio on what it costs.
    Markup,
    /// A list of prices.
    List,
    /// A price for each call.
    Call,
}

impl How {
    pub(super) fn code(self) -> &'static str {
        match self {
            How::Markup => "markup",
            How::List => "list",
            How::Call => "call",
        }
    }

    pub(super) fn parse(code: &str) -> How {
        match code {
            "list" => How::List,
            "call" => How::Call,
            _ => How::Markup,
        }
    }

    /// That of a rule.
    pub(super) fn of(rates: &Value) -> How {
        let has = |name: &str| rates.get(name).is_some();
        match () {
            () if has("markup") => How::Markup,
            () if has("per_request") && !has("input") && !has("output") => How::Call,
            () => How::List,
        }
    }
}

/// The classes that the form has fields for; what else a list holds stays as it was.
pub(super) const CLASSES: [&str; 4] = ["input", "output", "cached_read", "cache_write_5m"];

/// What a rule says of a member, as its field shows it.
pub(super) fn member(rates: Option<&Value>, name: &str) -> String {
    match rates.and_then(|rates| rates.get(name)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The rule that a form comes to; `old` is what a list began as.
pub(super) fn rates_of(form: &Form, old: Option<&Value>, lang: Lang) -> Result<Value, Fault> {
    let how = How::parse(&form.text("how"));
    let needed = |name: &str| {
        let missing = || Fault::field(name, lang.t("write a number such as 1.25", "填写数字，例如 1.25"));
        form.some(name).ok_or_else(missing)
    };
    let mut rates = match how {
        How::Markup => return Ok(json!({ "markup": needed("markup")? })),
        How::Call => Map::from_iter([("per_request".to_owned(), json!(needed("per_request")?))]),
        How::List => listed(form, old),
    };
    if rates.is_empty() {
        let fault = lang.t("write at least one price", "至少填写一个价格");
        return Err(Fault::field("input", fault));
    }
    match form.some("currency").filter(|currency| currency != "USD") {
        Some(currency) => rates.insert("currency".to_owned(), json!(currency)),
        None => rates.remove("currency"),
    };
    Ok(Value::Object(rates))
}

fn listed(form: &Form, old: Option<&Value>) -> Map<String, Value> {
    let old = old.filter(|old| How::of(old) == How::List && old.get("ratios").is_none());
    let mut rates = old.and_then(Value::as_object).cloned().unwrap_or_default();
    for class in CLASSES {
        match form.some(class) {
            Some(price) => rates.insert(class.to_owned(), json!(price)),
            None => rates.remove(class),
        };
    }
    rates
}

/// A rule in a few words.
pub(super) fn words(rates: &Value, lang: Lang) -> String {
    let text = |name: &str| member(Some(rates), name);
    let has = |name: &str| rates.get(name).is_some();
    let sign = match text("currency").as_str() {
        "" | "USD" => "$".to_owned(),
        "CNY" => "¥".to_owned(),
        other => format!("{other} "),
    };
    match () {
        () if has("markup") => match lang {
            Lang::En => format!("{} times its cost", text("markup")),
            Lang::Zh => format!("成本的 {} 倍", text("markup")),
        },
        () if has("ratios") => lang.t("New-API ratios", "New-API 倍率").to_owned(),
        () if has("groups") || has("pairs") || has("fx") => settings(rates, lang),
        () if How::of(rates) == How::Call => match lang {
            Lang::En => format!("{sign}{} a call", text("per_request")),
            Lang::Zh => format!("每次 {sign}{}", text("per_request")),
        },
        () => {
            let shown =
                |name: &str| if has(name) { format!("{sign}{}", text(name)) } else { "—".to_owned() };
            format!("{} / {}", shown("input"), shown("output"))
        }
    }
}

/// What a row for a whole book names.
fn settings(rates: &Value, lang: Lang) -> String {
    let kinds = [("groups", "groups", "分组"), ("pairs", "pairs", "组对"), ("fx", "currencies", "汇率")];
    let named = kinds.into_iter().filter_map(|(member, en, zh)| {
        let names: Vec<&str> = rates.get(member)?.as_object()?.keys().map(String::as_str).collect();
        Some(format!("{}: {}", lang.t(en, zh), names.join(", ")))
    });
    named.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_how_it_prices() {
        let said = |rates: Value| (How::of(&rates), words(&rates, Lang::En));
        assert_eq!(said(json!({ "markup": "1.4" })), (How::Markup, "1.4 times its cost".into()));
        assert_eq!(said(json!({ "per_request": "0.01" })), (How::Call, "$0.01 a call".into()));
        assert_eq!(
            said(json!({ "input": "2.5", "output": "10", "currency": "CNY" })),
            (How::List, "¥2.5 / ¥10".into())
        );
        assert_eq!(said(json!({ "input": "2.5" })).1, "$2.5 / —");
        assert_eq!(
            words(&json!({ "groups": { "vip": "0.8" }, "fx": { "CNY": "7" } }), Lang::Zh),
            "分组: vip; 汇率: CNY"
        );
        assert_eq!(words(&json!({ "markup": "1.4" }), Lang::Zh), "成本的 1.4 倍");
    }
}

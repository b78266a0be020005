//! The rules of a price book as operators write them.

use crate::newapi;
use crate::rates::{Rates, RatesError};
use crate::ratio::{ParseRatioError, Ratio};
use burncloud_core::usecase::Said;
use burncloud_core::{ChannelId, TenantId};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One rule of a price book.
///
/// | JSON | means |
/// |---|---|
/// | `{"input": "2.50", "output": "10"}` | a list price, as [`Rates`] describes it; `{"per_request": "0.01"}` alone is a price per call |
/// | the same with `"currency": "CNY"` | a list price in that currency, at the rate in force when a request arrives |
/// | `{"ratios": {"model": "1.25", "completion": "8"}}` | the list price that New-API's ratios come to ([`newapi`](crate::newapi)) |
/// | `{"markup": "1.25"}` | that ratio on the book's own cost; of a buying price, on the published price |
/// | of the model `""`: `{"groups": {…}, "pairs": {…}, "fx": {…}}` | what holds for the whole book: [`BookSettings`] |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceRule {
    /// A price of its own.
    List {
        /// In the currency.
        rates: Arc<Rates>,
        /// Three capital letters; `None` is US dollars.
        currency: Option<Box<str>>,
    },
    /// A ratio on what it costs.
    Markup(Ratio),
    /// What holds for the whole book.
    Settings(BookSettings),
}

/// Ratios by name; `None` (JSON's `null`) takes one out again.
pub type Ratios = BTreeMap<Box<str>, Option<Ratio>>;

/// What holds for a whole price book. For each group, pair and currency the newest row in force that names it counts.
///
/// ```
/// use burncloud_billing::{PriceRule, check_rule};
/// let json = serde_json::json!({
///     "groups": {"vip": "0.8"}, "pairs": {"vip": {"default": "0.5"}}, "fx": {"CNY": "7.20"},
/// });
/// assert!(matches!(check_rule(None, None, "", &json), Ok(PriceRule::Settings(_))));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookSettings {
    /// The ratio of each customers' group; that of others is 1.
    pub groups: Ratios,
    /// By a user's own group: the ratio of each group that their key calls as. Goes before `groups`.
    pub pairs: BTreeMap<Box<str>, Ratios>,
    /// What one US dollar buys of each currency. Only in the house's book, for all books.
    pub fx: Ratios,
}

/// Reads a rule and checks whether it can stand there: in `book` (`None` is the house's), as the buying price of
/// `channel` if that is given, for `model`.
///
/// # Errors
/// The field at fault, and how to mend it.
pub fn check_rule(
    book: Option<TenantId>,
    channel: Option<ChannelId>,
    model: &str,
    rule: &Value,
) -> Result<PriceRule, RatesError> {
    if channel.is_some() && book.is_some() {
        return fail(
            "channel",
            (
                "only the house buys from providers; leave out the book or the channel",
                "只有自营方向上游进货，请去掉价目表或账号",
            ),
        );
    }
    let Some(map) = rule.as_object() else {
        return fail(
            "",
            (
                "write a table of prices such as { input = \"0.15\" }, or { markup = \"1.25\" }",
                "填写价格，例如 { input = \"0.15\" }，或 { markup = \"1.25\" }",
            ),
        );
    };
    if model.is_empty() {
        if channel.is_some() {
            return fail(
                "channel",
                (
                    "groups and rates of exchange are of a whole book; leave the channel out",
                    "分组和汇率属于整张价目表，请去掉账号",
                ),
            );
        }
        return settings(map, book.is_none()).map(PriceRule::Settings);
    }
    if let Some(name) = ["groups", "pairs", "fx"].into_iter().find(|name| map.contains_key(*name)) {
        return fail(
            name,
            (
                "this holds for a whole book, not for one model; set it for the model \"\"",
                "这适用于整张价目表，不能只设给一个模型",
            ),
        );
    }
    if let Some(ratios) = map.get("ratios") {
        if map.len() > 1 {
            return fail(
                "ratios",
                ("ratios stand alone; leave out the other fields", "倍率须单独填写，请去掉其他字段"),
            );
        }
        let rates = Rates::from_json(&newapi::list_prices(model, object(ratios, "ratios")?)?)?;
        return Ok(PriceRule::List { rates: Arc::new(rates), currency: None });
    }
    match map.get("markup") {
        None => list(map),
        Some(_) if map.len() > 1 => fail(
            "markup",
            ("a markup stands alone; leave out the other fields", "加价须单独填写，请去掉其他字段"),
        ),
        Some(value) => ratio(value, "markup").map(PriceRule::Markup),
    }
}

fn list(map: &Map<String, Value>) -> Result<PriceRule, RatesError> {
    let currency = match map.get("currency") {
        None => {
            return Ok(PriceRule::List {
                rates: Arc::new(Rates::from_json(&map.clone().into())?),
                currency: None,
            });
        }
        Some(value) => currency(value.as_str().unwrap_or_default(), "currency")?,
    };
    let mut rest = map.clone();
    rest.remove("currency");
    let rates = Arc::new(Rates::from_json(&rest.into())?);
    Ok(PriceRule::List { rates, currency: (&*currency != "USD").then_some(currency) })
}

fn settings(map: &Map<String, Value>, house: bool) -> Result<BookSettings, RatesError> {
    let mut settings = BookSettings::default();
    for (name, value) in map {
        match name.as_str() {
            "groups" => settings.groups = ratios(value, "groups")?,
            "pairs" => {
                let pairs = object(value, "pairs")?.iter();
                let pair = |(own, used): (&String, &Value)| {
                    Ok((own.as_str().into(), ratios(used, &format!("pairs.{own}"))?))
                };
                settings.pairs = pairs.map(pair).collect::<Result<_, RatesError>>()?;
            }
            "fx" if house => settings.fx = exchange(value)?,
            "fx" => {
                return fail(
                    "fx",
                    ("rates of exchange stand in the house's book alone", "汇率只能写在自营价目表里"),
                );
            }
            _ => {
                return fail(
                    name.as_str(),
                    (
                        "not a setting of a book; one of: groups, pairs, fx",
                        "不是价目表的设置，可选：groups、pairs、fx",
                    ),
                );
            }
        }
    }
    if settings == BookSettings::default() {
        return fail(
            "",
            ("nothing is set; write `groups`, `pairs` or `fx`", "什么也没填，请填写分组、组合或汇率"),
        );
    }
    Ok(settings)
}

fn exchange(value: &Value) -> Result<Ratios, RatesError> {
    let rates = ratios(value, "fx")?;
    for (name, rate) in &rates {
        let field = format!("fx.{name}");
        if &*currency(name, &field)? == "USD" {
            return fail(field, ("a dollar is a dollar; leave it out", "美元不用填汇率"));
        }
        if rate.is_some_and(|rate| rate.billionths() == 0) {
            return fail(
                field,
                ("write how much of it a dollar buys; that is not nothing", "填写一美元可兑换多少，不能为零"),
            );
        }
    }
    Ok(rates)
}

fn currency(text: &str, field: &str) -> Result<Box<str>, RatesError> {
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(text.into());
    }
    fail(
        field,
        ("write a currency's three capital letters, such as \"CNY\"", "填写货币的三个大写字母，例如 \"CNY\""),
    )
}

fn ratios(value: &Value, field: &str) -> Result<Ratios, RatesError> {
    let one = |(name, value): (&String, &Value)| {
        let at = format!("{field}.{name}");
        if name.is_empty() {
            return fail(at, ("a name is not empty", "名字不能为空"));
        }
        let ratio = if value.is_null() { None } else { Some(ratio(value, &at)?) };
        Ok((name.as_str().into(), ratio))
    };
    object(value, field)?.iter().map(one).collect()
}

fn ratio(value: &Value, field: &str) -> Result<Ratio, RatesError> {
    let Some(text) = value.as_str() else {
        return fail(
            field,
            (
                "write the factor as text, such as \"1.25\", so that no digit is lost",
                "以文本填写系数，例如 \"1.25\"，以免丢失精度",
            ),
        );
    };
    text.parse().or_else(|e: ParseRatioError| {
        fail(field, (e.to_string(), "请填写系数，例如 1.25：不能为负，最多九位小数"))
    })
}

fn object<'a>(value: &'a Value, field: &str) -> Result<&'a Map<String, Value>, RatesError> {
    value.as_object().map_or_else(
        || fail(field, ("write a table such as { vip = \"0.8\" }", "填写成 { vip = \"0.8\" } 这样")),
        Ok,
    )
}

fn fail<T>(field: impl Into<String>, message: impl Into<Said>) -> Result<T, RatesError> {
    Err(RatesError { field: field.into(), message: message.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::LineKind;
    use serde_json::json;

    #[test]
    fn each_kind_of_rule() {
        let check = |model, json| check_rule(None, None, model, &json).unwrap();
        let PriceRule::List { rates, currency } =
            check("m", json!({"per_request": "0.01", "currency": "CNY"}))
        else {
            panic!("no list price");
        };
        assert_eq!(currency.as_deref(), Some("CNY"));
        assert_eq!(rates.prices(Default::default(), 0).get(LineKind::Request).0, 10_000_000_000_000);
        let dollars = check("*", json!({"input": "1", "currency": "USD"}));
        assert_eq!(dollars, check("*", json!({"input": "1"})));
        assert_eq!(check("m", json!({"markup": "1.25"})), PriceRule::Markup("1.25".parse().unwrap()));
        let PriceRule::Settings(set) =
            check("", json!({"groups": {"vip": "0.8", "old": null}, "pairs": {"vip": {"default": "0.5"}}}))
        else {
            panic!("no settings");
        };
        assert_eq!((set.groups["old"], set.groups["vip"]), (None, "0.8".parse().ok()));
        assert_eq!(set.pairs["vip"]["default"], "0.5".parse().ok());
        let ratios = check("gpt-4o", json!({"ratios": {"model": "1.25", "completion": "4"}}));
        let PriceRule::List { rates, currency: None } = ratios else { panic!("no list price") };
        let prices = rates.prices(Default::default(), 0);
        assert_eq!(
            (prices.get(LineKind::Input).0, prices.get(LineKind::Output).0),
            (2_500_000_000, 10_000_000_000)
        );
    }

    #[test]
    fn refusals_name_the_field() {
        let (tenant, channel) = (Some(TenantId(1)), Some(ChannelId(1)));
        let cases = [
            (None, None, "m", json!("1.25"), ""),
            (None, None, "m", json!({}), ""),
            (None, None, "m", json!({"markup": 1.25}), "markup"),
            (None, None, "m", json!({"markup": "-1"}), "markup"),
            (None, None, "m", json!({"markup": "1.2", "input": "1"}), "markup"),
            (None, None, "m", json!({"input": "1", "currency": "yuan"}), "currency"),
            (None, None, "m", json!({"input": "1", "currency": 7}), "currency"),
            (None, None, "m", json!({"currency": "CNY"}), ""),
            (None, None, "m", json!({"inputs": "1", "currency": "CNY"}), "inputs"),
            (None, None, "m", json!({"groups": {"vip": "1"}}), "groups"),
            (None, None, "", json!({"input": "1"}), "input"),
            (None, None, "", json!({}), ""),
            (None, None, "m", json!({"ratios": {"cache": "1"}}), "ratios.model"),
            (None, None, "m", json!({"ratios": {"model": "1"}, "input": "1"}), "ratios"),
            (None, None, "", json!({"groups": []}), "groups"),
            (None, None, "", json!({"groups": {"vip": 0.8}}), "groups.vip"),
            (None, None, "", json!({"groups": {"": "1"}}), "groups."),
            (None, None, "", json!({"pairs": {"vip": "0.8"}}), "pairs.vip"),
            (None, None, "", json!({"pairs": {"vip": {"a": "x"}}}), "pairs.vip.a"),
            (None, None, "", json!({"fx": {"CNY": "0"}}), "fx.CNY"),
            (None, None, "", json!({"fx": {"cny": "7"}}), "fx.cny"),
            (None, None, "", json!({"fx": {"USD": "1"}}), "fx.USD"),
            (tenant, None, "", json!({"fx": {"CNY": "7"}}), "fx"),
            (tenant, channel, "m", json!({"input": "1"}), "channel"),
            (None, channel, "", json!({"groups": {"vip": "1"}}), "channel"),
        ];
        for (book, channel, model, value, field) in cases {
            let error = check_rule(book, channel, model, &value).unwrap_err();
            assert_eq!(error.field, field, "{value}: {error}");
        }
    }
}

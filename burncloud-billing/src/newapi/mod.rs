//! New-API's ratio tables, read and written back digit by digit.
//!
//! New-API prices a model by a **model ratio** of 1 for $2 per million input tokens, times a **completion ratio** for output, a
//! **cache ratio** for cached input and a **create-cache ratio** for cache writes (1.25 where the table has none; 1.6 times that for
//! writes that live an hour), ratios for images and audio, or by a **model price** in dollars per call; and multiplies
//! all by a **group ratio**, or by the ratio of a pair of groups: the user's and the one the key uses.
//!
//! A model that is imported becomes a rule of the price book that keeps the ratios themselves, `{"ratios": {"model": "1.25",
//! "completion": "8"}}`, so that what is exported is what was imported; [`list_prices`] says what they come to. For some
//! models New-API ignores its table of completion ratios, and for those without one it has defaults by name: both apply here too
//! ([`completion_of`]).

mod decimal;
mod names;
mod tables;

pub use decimal::Decimal;
pub use names::completion_of;
pub use tables::{NewApiError, Tables};

use crate::rates::RatesError;
use burncloud_core::Nano;
use burncloud_core::usecase::Said;
use serde_json::{Map, Value};

/// What a model ratio of 1 costs: nano-dollars per million input tokens.
const UNIT: i128 = 2_000_000_000;

/// The fields of a rule of ratios, in the order of the tables' names.
pub(crate) const RATIOS: [&str; 7] =
    ["model", "completion", "cache", "create_cache", "image", "audio", "audio_completion"];

/// A product of decimals, as a fraction.
#[derive(Clone, Copy)]
struct Product(i128, i128);

impl Product {
    fn times(self, (above, below): (i128, i128)) -> Option<Product> {
        let (mut above, mut below) = (self.0.checked_mul(above)?, self.1.checked_mul(below)?);
        let by = gcd(above.unsigned_abs(), below.unsigned_abs());
        let by = i128::try_from(by.max(1)).ok()?;
        (above, below) = (above / by, below / by);
        Some(Product(above, below))
    }

    /// In nano-dollars, rounded once, half up.
    fn nano(self) -> Option<Nano> {
        let rounded = self.0.checked_mul(2)?.checked_add(self.1)?.div_euclid(self.1.checked_mul(2)?);
        i64::try_from(rounded).ok().map(Nano)
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn fail<T>(field: &str, message: impl Into<Said>) -> Result<T, RatesError> {
    Err(RatesError { field: format!("ratios.{field}"), message: message.into() })
}

/// The list prices, in the shape of [`Rates`](crate::Rates), that a model's ratios come to. Each price is rounded
/// once, half up, to a nano-dollar per million tokens.
///
/// ```
/// let ratios = serde_json::json!({ "model": "0.075", "completion": "4", "cache": "0.5" });
/// let list = burncloud_billing::newapi::list_prices("gpt-4o-mini", ratios.as_object().unwrap()).unwrap();
/// assert_eq!((&list["input"], &list["output"], &list["cached_read"]), (&"0.15".into(), &"0.60".into(), &"0.075".into()));
/// ```
///
/// # Errors
/// The field at fault: unknown, negative, not decimal text, or too large.
pub fn list_prices(model: &str, ratios: &Map<String, Value>) -> Result<Value, RatesError> {
    let read = |name: &str| -> Result<Option<Decimal>, RatesError> {
        let Some(value) = ratios.get(name) else { return Ok(None) };
        match value.as_str().and_then(Decimal::parse) {
            Some(ratio) if !ratio.is_negative() => Ok(Some(ratio)),
            _ => fail(
                name,
                (
                    "write a ratio as decimal text, not negative, such as \"1.25\"",
                    "以十进制文本填写倍率，不能为负，例如 \"1.25\"",
                ),
            ),
        }
    };
    if let Some(unknown) = ratios.keys().find(|name| !RATIOS.contains(&name.as_str())) {
        return fail(
            unknown,
            (
                format!("not a ratio; one of: {}", RATIOS.join(", ")),
                format!("不是倍率，可选：{}", RATIOS.join(", ")),
            ),
        );
    }
    let Some(ratio) = read("model")? else {
        return fail("model", ("a model needs its ratio", "模型需要填写倍率"));
    };
    let input = Product(UNIT, 1).times(ratio.fraction());
    let times = |by: (i128, i128)| input.and_then(|input| input.times(by));
    let one = Decimal::ONE.fraction();
    let of = |ratio: Option<Decimal>| ratio.map_or(one, Decimal::fraction);
    let (create, audio) = (read("create_cache")?.unwrap_or(Decimal::new(125, 2)), read("audio")?);
    let audio_out = of(read("audio_completion")?);
    let prices = [
        ("input", input),
        ("output", times(completion_of(model, read("completion")?))),
        ("cached_read", times(of(read("cache")?))),
        ("cache_write_5m", times(create.fraction())),
        ("cache_write_1h", times(create.fraction()).and_then(|price| price.times((8, 5)))),
        ("image_in", times(of(read("image")?))),
        ("audio_in", times(of(audio))),
        ("audio_out", times(of(audio)).and_then(|price| price.times(audio_out))),
    ];
    let mut list = Map::new();
    for (class, price) in prices {
        let Some(price) = price.and_then(Product::nano) else {
            return fail(
                "model",
                (
                    format!("`{class}` comes to more than can be counted"),
                    format!("`{class}` 的结果太大，无法计数"),
                ),
            );
        };
        list.insert(class.to_owned(), price.to_string().into());
    }
    Ok(Value::Object(list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn list(model: &str, ratios: Value) -> Value {
        list_prices(model, ratios.as_object().unwrap()).unwrap()
    }

    #[test]
    fn ratios_come_to_the_prices_that_new_api_takes() {
        let sonnet =
            list("claude-sonnet-4-20250514", json!({"model": "1.5", "cache": "0.1", "create_cache": "1.25"}));
        let expected = json!({
            "input": "3.00", "output": "15.00", "cached_read": "0.30", "cache_write_5m": "3.75",
            "cache_write_1h": "6.00", "image_in": "3.00", "audio_in": "3.00", "audio_out": "3.00",
        });
        assert_eq!(sonnet, expected, "the completion ratio is by name");
        let audio = list(
            "gpt-4o-audio-preview",
            json!({"model": "1.25", "completion": "4", "audio": "16", "audio_completion": "2"}),
        );
        assert_eq!((&audio["audio_in"], &audio["audio_out"]), (&json!("40.00"), &json!("80.00")));
        let flash = list("gemini-2.5-flash", json!({"model": "0.15"}));
        assert_eq!(flash["output"], json!("2.50"), "25/3 times 0.30, exactly");
        let odd = list("m", json!({"model": "0.0000000001", "completion": "2.5"}));
        assert_eq!(
            (&odd["input"], &odd["output"]),
            (&json!("0.00"), &json!("0.000000001")),
            "0.2 and 0.5 nano, half up"
        );
    }

    #[test]
    fn refusals_name_the_field() {
        for (ratios, field) in [
            (json!({}), "ratios.model"),
            (json!({"model": 1.5}), "ratios.model"),
            (json!({"model": "-1"}), "ratios.model"),
            (json!({"model": "1", "cash": "1"}), "ratios.cash"),
            (json!({"model": "99999999999999999999"}), "ratios.model"),
        ] {
            let error = list_prices("m", ratios.as_object().unwrap()).unwrap_err();
            assert_eq!(error.field, field, "{error}");
        }
    }
}

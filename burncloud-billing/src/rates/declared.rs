//! Rates from an operator's declaration.

use super::*;
use burncloud_core::usecase::Said;

/// Why a declaration is not one: the field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesError {
    /// The path of the field, such as `tiers[0].input`; empty for the whole.
    pub field: String,
    /// What is wrong and how to mend it.
    pub message: Said,
}

impl fmt::Display for RatesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            self.message.fmt(f)
        } else {
            write!(f, "`{}`: {}", self.field, self.message)
        }
    }
}

impl std::error::Error for RatesError {}

pub(super) fn fail<T>(field: impl Into<String>, message: impl Into<Said>) -> Result<T, RatesError> {
    Err(RatesError { field: field.into(), message: message.into() })
}

/// Name, class, and how many of the named unit make a million of ours.
pub(super) const FIELDS: [(&str, LineKind, i64); KINDS.len()] = [
    ("input", LineKind::Input, 1),
    ("cached_read", LineKind::CachedRead, 1),
    ("cache_write_5m", LineKind::CacheWrite5m, 1),
    ("cache_write_1h", LineKind::CacheWrite1h, 1),
    ("output", LineKind::Output, 1),
    ("reasoning", LineKind::Reasoning, 1),
    ("audio_in", LineKind::AudioIn, 1),
    ("audio_out", LineKind::AudioOut, 1),
    ("image_in", LineKind::ImageIn, 1),
    ("image_out", LineKind::ImageOut, 1),
    ("per_piece", LineKind::Piece, 1_000_000),
    ("per_audio_second", LineKind::AudioTime, 1_000),
    ("per_request", LineKind::Request, 1_000_000),
    ("per_video_second", LineKind::VideoTime, 1_000),
    ("per_web_search", LineKind::WebSearch, 1_000_000),
    ("per_file_search", LineKind::FileSearch, 1_000_000),
    ("per_code_session", LineKind::CodeSession, 1_000_000),
];

/// What was given, before classes fall back to their parents.
#[derive(Clone, Copy, Default)]
struct Given([Option<Nano>; KINDS.len()]);

impl Given {
    fn over(self, below: Given) -> Given {
        Given(std::array::from_fn(|i| self.0[i].or(below.0[i])))
    }

    /// Pictures that fit no entry of the list cost what a piece does, or the dearest of the list: never nothing.
    fn resolve(self, images: &[(Picture, Nano)]) -> Prices {
        use LineKind as K;
        let dearest = images.iter().map(|(_, price)| *price).max();
        let own = |kind: LineKind| self.0[kind as usize];
        let or_zero = |kind| own(kind).unwrap_or_default();
        let (input, output) = (or_zero(K::Input), or_zero(K::Output));
        let price = |kind| match kind {
            K::CacheWrite1h => own(kind).or(own(K::CacheWrite5m)).unwrap_or(input),
            K::CachedRead | K::CacheWrite5m | K::AudioIn | K::ImageIn => own(kind).unwrap_or(input),
            K::Reasoning | K::AudioOut | K::ImageOut => own(kind).unwrap_or(output),
            K::Piece => own(kind).or(dearest).unwrap_or_default(),
            K::Input | K::Output | K::AudioTime | K::Request => or_zero(kind),
            K::VideoTime | K::WebSearch | K::FileSearch | K::CodeSession => or_zero(kind),
        };
        Prices(KINDS.map(price))
    }
}

impl Rates {
    /// Reads a declaration; see [`Rates`] for its shape.
    ///
    /// # Errors
    /// The field at fault: unknown, negative, not decimal text, not in order.
    pub fn from_json(value: &Value) -> Result<Rates, RatesError> {
        let map = object(value, "")?;
        let own = Given::default();
        let (given, standard) = table(map, "", own, &[], &["flex", "priority", "batch"])?;
        if given.0.iter().all(Option::is_none) && standard.images.is_empty() {
            return fail(
                "",
                (
                    "no price is given; write at least `input` (\"0\" if the model is free)",
                    "没有价格，至少填写输入价（免费填 0）",
                ),
            );
        }
        let variant = |name: &str| -> Result<Option<Table>, RatesError> {
            let Some(value) = map.get(name) else { return Ok(None) };
            let prefix = format!("{name}.");
            let (_, table) = table(object(value, name)?, &prefix, given, &standard.images, &[])?;
            Ok(Some(table))
        };
        let (flex, priority, batch) = (variant("flex")?, variant("priority")?, variant("batch")?);
        Ok(Rates::new(standard, flex, priority, batch))
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Rates, D::Error> {
        Rates::from_json(&Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

pub(super) fn object<'a>(value: &'a Value, field: &str) -> Result<&'a Map<String, Value>, RatesError> {
    value.as_object().map_or_else(
        || {
            fail(
                field,
                (
                    "write a table of prices such as { input = \"0.15\" }",
                    "填写价格，例如 { input = \"0.15\" }",
                ),
            )
        },
        Ok,
    )
}

fn table(
    map: &Map<String, Value>,
    prefix: &str,
    below: Given,
    pictures_below: &[(Picture, Nano)],
    extra: &[&str],
) -> Result<(Given, Table), RatesError> {
    let given = given(map, prefix, &[&["tiers", "images"], extra].concat())?.over(below);
    let images = images::read(map.get("images"), prefix, pictures_below)?;
    let mut tiers: Vec<(u64, Prices)> = Vec::new();
    let listed = match map.get("tiers") {
        None => &[][..],
        Some(Value::Array(list)) => list,
        Some(_) => {
            return fail(
                format!("{prefix}tiers"),
                ("write a list of tables, each with `above`", "填写阶梯列表，每项都要有 `above`"),
            );
        }
    };
    let mut under = given;
    for (i, value) in listed.iter().enumerate() {
        let at = format!("{prefix}tiers[{i}]");
        let tier = object(value, &at)?;
        let Some(above) = tier.get("above").and_then(Value::as_u64).filter(|above| *above > 0) else {
            return fail(
                format!("{at}.above"),
                ("write the number of input tokens above which it holds", "填写从多少输入 token 起适用"),
            );
        };
        if tiers.last().is_some_and(|(last, _)| *last >= above) {
            return fail(
                format!("{at}.above"),
                ("write tiers in the order of their thresholds", "阶梯须按门槛从小到大填写"),
            );
        }
        under = self::given(tier, &format!("{at}."), &["above"])?.over(under);
        tiers.push((above, under.resolve(&images)));
    }
    Ok((given, Table { base: given.resolve(&images), tiers, images }))
}

fn given(map: &Map<String, Value>, prefix: &str, others: &[&str]) -> Result<Given, RatesError> {
    let mut given = Given::default();
    for (name, value) in map {
        if others.contains(&name.as_str()) {
            continue;
        }
        let field = format!("{prefix}{name}");
        let Some((_, kind, scale)) = FIELDS.iter().find(|(known, ..)| known == name) else {
            let known: Vec<&str> =
                FIELDS.iter().map(|(known, ..)| *known).chain(others.iter().copied()).collect();
            return fail(
                field,
                (
                    format!("not a field of a price; one of: {}", known.join(", ")),
                    format!("不是价格字段，可选：{}", known.join(", ")),
                ),
            );
        };
        given.0[*kind as usize] = Some(dollars(value, field, *scale)?);
    }
    Ok(given)
}

/// A price as it is declared, for a million of ours.
pub(super) fn dollars(value: &Value, field: String, scale: i64) -> Result<Nano, RatesError> {
    let Some(text) = value.as_str() else {
        return fail(
            field,
            (
                "write the dollars as text, such as \"0.15\", so that no digit is lost",
                "以文本填写美元金额，例如 \"0.15\"，以免丢失精度",
            ),
        );
    };
    let price: Nano = match text.parse() {
        Ok(price) => price,
        Err(e) => return fail(field, (e.to_string(), "请填写美元金额，例如 0.15，最多九位小数")),
    };
    if price < Nano::ZERO {
        return fail(field, ("a price is not negative", "价格不能为负"));
    }
    let Some(scaled) = price.0.checked_mul(scale) else {
        return fail(field, ("a price for one is at most 9223 dollars", "单价最多 9223 美元"));
    };
    Ok(Nano(scaled))
}

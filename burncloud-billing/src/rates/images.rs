//! Prices of pictures by size and quality.

use super::RatesError;
use super::declared::{dollars, fail, object};
use burncloud_core::{Nano, Picture, Quality};
use serde_json::{Map, Value};

/// Whether the price of `listed` is for a picture that was served like this one.
pub(super) fn fits(listed: Picture, served: Picture) -> bool {
    let any_size = (listed.width, listed.height) == (0, 0);
    (any_size || (listed.width, listed.height) == (served.width, served.height))
        && (listed.quality == Quality::Unstated || listed.quality == served.quality)
}

/// Reads a list, and puts what it does not name from `below` after it: entries that say more come first.
pub(super) fn read(
    value: Option<&Value>,
    prefix: &str,
    below: &[(Picture, Nano)],
) -> Result<Vec<(Picture, Nano)>, RatesError> {
    let list = match value {
        None => &[][..],
        Some(Value::Array(list)) => list,
        Some(_) => {
            return fail(
                format!("{prefix}images"),
                ("write a list of tables, each with `price`", "填写列表，每项都要有 `price`"),
            );
        }
    };
    let mut images: Vec<(Picture, Nano)> = Vec::new();
    for (i, value) in list.iter().enumerate() {
        let at = format!("{prefix}images[{i}]");
        let (picture, price) = entry(object(value, &at)?, &at)?;
        if images.iter().any(|(known, _)| *known == picture) {
            return fail(at, ("this size and quality has a price already", "这个尺寸和质量已有价格"));
        }
        images.push((picture, price));
    }
    let inherited: Vec<_> =
        below.iter().filter(|(old, _)| images.iter().all(|(own, _)| own != old)).copied().collect();
    images.extend(inherited);
    images.sort_by_key(|(listed, _)| {
        ((listed.width, listed.height) == (0, 0), listed.quality == Quality::Unstated)
    });
    Ok(images)
}

fn entry(map: &Map<String, Value>, at: &str) -> Result<(Picture, Nano), RatesError> {
    let (mut picture, mut price) = (Picture::default(), None);
    for (name, value) in map {
        let field = format!("{at}.{name}");
        match (name.as_str(), value.as_str()) {
            ("price", _) => price = Some(dollars(value, field, 1_000_000)?),
            ("size", Some(size)) => {
                let Some((width, height)) = sides(size) else {
                    return fail(
                        field,
                        (
                            "write width and height in pixels, such as \"1024x1024\"",
                            "填写像素宽高，例如 \"1024x1024\"",
                        ),
                    );
                };
                (picture.width, picture.height) = (width, height);
            }
            ("quality", Some(word)) => match quality(word) {
                Some(quality) => picture.quality = quality,
                None => {
                    return fail(
                        field,
                        ("one of: low, medium, high, standard, hd", "可选：low、medium、high、standard、hd"),
                    );
                }
            },
            ("size" | "quality", None) => return fail(field, ("write it as text", "请以文本填写")),
            _ => {
                return fail(
                    field,
                    (
                        "not a field of a picture's price; one of: size, quality, price",
                        "不是图片价格的字段，可选：size、quality、price",
                    ),
                );
            }
        }
    }
    price.map_or_else(
        || fail(format!("{at}.price"), ("write the dollars for one picture", "填写每张图片的美元价格")),
        |price| Ok((picture, price)),
    )
}

fn sides(size: &str) -> Option<(u16, u16)> {
    let (width, height) = size.split_once('x')?;
    let side = |text: &str| text.parse().ok().filter(|pixels| *pixels > 0);
    Some((side(width)?, side(height)?))
}

fn quality(word: &str) -> Option<Quality> {
    Some(match word {
        "low" => Quality::Low,
        "medium" => Quality::Medium,
        "high" => Quality::High,
        "standard" => Quality::Standard,
        "hd" => Quality::Hd,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::rates::Rates;
    use burncloud_core::{LineKind, Picture, Quality, ServiceTier};
    use serde_json::{Value, json};

    fn rates(value: Value) -> Rates {
        Rates::from_json(&value).unwrap()
    }

    fn picture(width: u16, height: u16, quality: Quality) -> Picture {
        Picture { width, height, quality }
    }

    fn cents(rates: &Rates, tier: ServiceTier, served: Picture) -> Option<i64> {
        rates.image(tier, served).map(|price| price.for_units(1).0 / 10_000_000)
    }

    #[test]
    fn the_entry_that_says_most_holds() {
        use Quality::{High, Low, Unstated};
        let rates = rates(json!({"images": [
            {"quality": "high", "price": "0.09"},
            {"price": "0.01"},
            {"size": "1024x1024", "price": "0.03"},
            {"size": "1024x1024", "quality": "high", "price": "0.17"},
        ], "batch": {"images": [{"size": "1024x1024", "quality": "high", "price": "0.08"}]}}));
        for (served, standard, batch) in [
            (picture(1024, 1024, High), 17, 8),
            (picture(1024, 1024, Low), 3, 3),
            (picture(1024, 1024, Unstated), 3, 3),
            (picture(1536, 1024, High), 9, 9),
            (picture(0, 0, High), 9, 9),
            (picture(512, 512, Low), 1, 1),
            (Picture::default(), 1, 1),
        ] {
            assert_eq!(cents(&rates, ServiceTier::Standard, served), Some(standard), "{served:?}");
            assert_eq!(cents(&rates, ServiceTier::Flex, served), Some(standard), "{served:?}");
            assert_eq!(cents(&rates, ServiceTier::Batch, served), Some(batch), "{served:?}");
        }
    }

    #[test]
    fn what_fits_no_entry_is_a_piece_and_never_free() {
        let list = json!([{"size": "512x512", "price": "0.02"}, {"quality": "hd", "price": "0.05"}]);
        let piece =
            |rates: &Rates| rates.prices(ServiceTier::Standard, 0).get(LineKind::Piece).for_units(1).0;
        let dearest = rates(json!({"images": list}));
        assert_eq!(
            (cents(&dearest, ServiceTier::Standard, Picture::default()), piece(&dearest)),
            (None, 50_000_000)
        );
        let own = rates(json!({"images": list, "per_piece": "0.03"}));
        assert_eq!(piece(&own), 30_000_000);
        assert_eq!(own.ceiling(0).piece.for_units(1).0, 50_000_000, "the dearest is held");
    }

    #[test]
    fn a_markup_is_on_pictures_too_and_none_is_sold_below_cost() {
        let cost = rates(json!({"images": [{"quality": "high", "price": "0.10"}, {"price": "0.02"}]}));
        let double = cost.map(|price| burncloud_core::Nano(price.0 * 2));
        let high = picture(1024, 1024, Quality::High);
        assert_eq!(cents(&double, ServiceTier::Standard, high), Some(20));
        assert_eq!((double.first_below(&cost), cost.first_below(&cost)), (None, None));
        let flat = rates(json!({"per_piece": "0.10", "images": [{"quality": "high", "price": "0.09"}]}));
        assert_eq!(flat.first_below(&cost), Some(LineKind::Piece));
    }

    #[test]
    fn refusals_name_the_field() {
        for (list, field) in [
            (json!({}), "images"),
            (json!(["1"]), "images[0]"),
            (json!([{"size": "512x512"}]), "images[0].price"),
            (json!([{"price": 1}]), "images[0].price"),
            (json!([{"price": "-1"}]), "images[0].price"),
            (json!([{"price": "1", "size": "big"}]), "images[0].size"),
            (json!([{"price": "1", "size": "0x9"}]), "images[0].size"),
            (json!([{"price": "1", "size": 512}]), "images[0].size"),
            (json!([{"price": "1", "quality": "best"}]), "images[0].quality"),
            (json!([{"price": "1", "style": "vivid"}]), "images[0].style"),
            (json!([{"price": "1"}, {"price": "2"}]), "images[1]"),
        ] {
            let error = Rates::from_json(&json!({"images": list})).unwrap_err();
            assert_eq!(error.field, field, "{error}");
        }
        let in_tier = json!({"input": "1", "tiers": [{"above": 5, "images": []}]});
        assert_eq!(Rates::from_json(&in_tier).unwrap_err().field, "tiers[0].images");
        let nested = json!({"input": "1", "flex": {"images": [{"price": "x"}]}});
        assert_eq!(Rates::from_json(&nested).unwrap_err().field, "flex.images[0].price");
    }
}

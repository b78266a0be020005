//! From usage to money: one product and one rounding per line.

use crate::rates::{KINDS, Rates, units};
use burncloud_core::{Line, LineKind, Nano, Usage};

/// A charge and what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rated {
    /// The lines that come to something, in the order of [`LineKind`](burncloud_core::LineKind).
    pub lines: Vec<Line>,
    /// Their sum.
    pub total: Nano,
}

/// What one answered request costs. The prices are those of its total input and of the service tier that
/// was *served*; classes that were not used, or are free, leave no line.
#[must_use]
pub fn rate(rates: &Rates, usage: &Usage) -> Rated {
    // Most requests have input, cached input, output and reasoning.
    let mut lines = Vec::with_capacity(4);
    self::lines(rates, usage).for_each(|line| lines.push(line));
    let total = lines.iter().fold(Nano::ZERO, |sum, line| sum.plus(line.amount));
    Rated { lines, total }
}

/// The sum of [`rate`]'s lines alone.
#[must_use]
pub fn total(rates: &Rates, usage: &Usage) -> Nano {
    lines(rates, usage).fold(Nano::ZERO, |sum, line| sum.plus(line.amount))
}

fn lines(rates: &Rates, usage: &Usage) -> impl Iterator<Item = Line> {
    let prices = rates.prices(usage.tier, usage.total_input());
    let pictures = (usage.pieces > 0).then(|| rates.image(usage.tier, usage.picture)).flatten();
    let units = units(usage);
    KINDS.into_iter().filter_map(move |kind| {
        let units = units[kind as usize];
        let price = match (kind, pictures) {
            (LineKind::Piece, Some(price)) => price,
            _ => prices.get(kind),
        };
        let line = || Line { kind, units, price, amount: price.for_units(units) };
        (units > 0 && price > Nano::ZERO).then(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::{Picture, Quality, ServiceTier};
    use proptest::prelude::*;
    use serde_json::json;

    fn usage(set: impl FnOnce(&mut Usage)) -> Usage {
        let mut usage = Usage::default();
        set(&mut usage);
        usage
    }

    /// gpt-4o-mini's published prices, with made-up ones where it has none.
    fn mini() -> Rates {
        Rates::from_json(&json!({
            "input": "0.15", "cached_read": "0.075", "output": "0.60",
            "cache_write_5m": "0.1875", "cache_write_1h": "0.30",
            "reasoning": "0.70", "audio_in": "10", "audio_out": "20", "image_in": "0.20", "image_out": "40",
            "per_piece": "0.01", "per_audio_second": "0.0001", "per_web_search": "0.01", "per_file_search": "0.0025",
            "per_code_session": "0.03", "images": [{"size": "1024x1024", "quality": "high", "price": "0.04"}],
            "flex": {"input": "0.075", "output": "0.30"},
            "priority": {"input": "0.25", "cached_read": "0.125", "output": "1"},
            "batch": {"input": "0.075", "output": "0.3"},
        }))
        .unwrap()
    }

    /// gemini-2.5-pro's shape: dearer above 200 000 tokens of input.
    fn tiered() -> Rates {
        Rates::from_json(&json!({
            "input": "1.25", "cached_read": "0.125", "output": "10",
            "tiers": [{"above": 200_000, "input": "2.50", "cached_read": "0.25", "output": "15"}],
        }))
        .unwrap()
    }

    #[test]
    fn by_hand_one_class_at_a_time() {
        type Case = (fn(&mut Usage), i64);
        let cases: [Case; 26] = [
            (|_| {}, 0),
            (|u| u.input = 1, 150),
            (|u| u.input = 7, 1_050),
            (|u| u.input = 1_000, 150_000),
            (|u| u.input = 1_234, 185_100),
            (|u| u.input = 1_000_000, 150_000_000),
            (|u| u.input = 128_000, 19_200_000),
            (|u| u.cached_read = 1, 75),
            (|u| u.cached_read = 1_024, 76_800),
            (|u| u.cache_write_5m = 1, 188), // 187.5, half up
            (|u| u.cache_write_5m = 3, 563), // 562.5, half up
            (|u| u.cache_write_5m = 2, 375),
            (|u| u.cache_write_1h = 10, 3_000),
            (|u| u.output = 1, 600),
            (|u| u.output = 333, 199_800),
            (|u| u.output = 16_384, 9_830_400),
            (|u| u.reasoning = 10, 7_000),
            (|u| u.audio_in = 25, 250_000),
            (|u| u.audio_out = 25, 500_000),
            (|u| u.image_in = 765, 153_000),
            (|u| u.image_out = 1_056, 42_240_000),
            (|u| u.pieces = 3, 30_000_000),
            (|u| u.audio_ms = 1, 100),
            (|u| u.audio_ms = 61_500, 6_150_000),
            (|u| u.input = 1_000_000_000_000_007, 150_000_000_000_001_050),
            (|u| u.audio_out = u64::MAX, i64::MAX), // saturates
        ];
        for (i, (set, nanos)) in cases.into_iter().enumerate() {
            let usage = usage(set);
            let rated = rate(&mini(), &usage);
            assert_eq!(rated.total, Nano(nanos), "case {i}: {usage:?}");
            assert_eq!(rated.lines.len(), usize::from(nanos > 0), "case {i}");
        }
    }

    #[test]
    fn by_hand_classes_together_round_line_by_line() {
        let all = usage(|u| {
            (u.input, u.cached_read, u.output, u.reasoning) = (100, 900, 50, 200);
            (u.cache_write_5m, u.cache_write_1h) = (1, 1);
        });
        let rated = rate(&mini(), &all);
        let amounts: Vec<i64> = rated.lines.iter().map(|l| l.amount.0).collect();
        assert_eq!(amounts, [15_000, 67_500, 188, 300, 30_000, 140_000]);
        assert_eq!(rated.total, Nano(252_988));
        assert_eq!(rated.lines[1].kind, LineKind::CachedRead);
        assert_eq!(rated.lines[1].price, Nano(75_000_000));
    }

    #[test]
    fn by_hand_service_tiers_as_served() {
        let with = |tier| usage(|u| (u.input, u.cached_read, u.output, u.tier) = (1_000, 1_000, 1_000, tier));
        let nanos = |tier| rate(&mini(), &with(tier)).total.0;
        assert_eq!(nanos(ServiceTier::Standard), 825_000);
        assert_eq!(nanos(ServiceTier::Flex), 450_000, "cached input keeps its price");
        assert_eq!(nanos(ServiceTier::Priority), 1_375_000);
        assert_eq!(nanos(ServiceTier::Batch), 450_000);
    }

    #[test]
    fn by_hand_context_sizes() {
        let nanos = |input, cached_read, output| {
            rate(&tiered(), &usage(|u| (u.input, u.cached_read, u.output) = (input, cached_read, output)))
                .total
                .0
        };
        assert_eq!(nanos(200_000, 0, 1_000), 260_000_000);
        assert_eq!(nanos(200_001, 0, 1_000), 515_002_500);
        assert_eq!(nanos(1, 200_000, 0), 50_002_500, "cached tokens count towards the size");
        assert_eq!(nanos(1_000, 199_000, 0), 26_125_000);
        assert_eq!(nanos(0, 0, 300_000), 3_000_000_000, "output does not");
    }

    #[test]
    fn by_hand_per_request() {
        let rates = Rates::from_json(&json!({"input": "1", "output": "1", "per_request": "0.012"})).unwrap();
        assert_eq!(rate(&rates, &Usage::default()).total, Nano(12_000_000));
        let some = usage(|u| (u.input, u.output) = (10, 5));
        assert_eq!(rate(&rates, &some).total, Nano(12_015_000));
    }

    fn any_usage() -> impl Strategy<Value = Usage> {
        let tier = prop_oneof![
            Just(ServiceTier::Standard),
            Just(ServiceTier::Flex),
            Just(ServiceTier::Priority),
            Just(ServiceTier::Batch)
        ];
        (proptest::array::uniform16(0u64..5_000_000), tier).prop_map(|(n, tier)| Usage {
            input: n[0],
            cached_read: n[1],
            cache_write_5m: n[2],
            cache_write_1h: n[3],
            output: n[4],
            reasoning: n[5],
            audio_in: n[6],
            audio_out: n[7],
            image_in: n[8],
            image_out: n[9],
            pieces: n[10],
            audio_ms: n[11],
            web_searches: n[12] % 10,
            file_searches: n[13] % 10,
            code_sessions: n[14] % 10,
            picture: Picture {
                width: if n[15] % 2 == 0 { 1024 } else { 0 },
                height: 1024,
                quality: Quality::High,
            },
            tier,
            ..Usage::default()
        })
    }

    proptest! {
        #[test]
        fn the_sum_of_the_lines_is_the_total_and_nothing_is_negative(u in any_usage()) {
            for rates in [mini(), tiered()] {
                let rated = rate(&rates, &u);
                let sum: i64 = rated.lines.iter().map(|l| l.amount.0).sum();
                prop_assert_eq!(Nano(sum), rated.total);
                prop_assert_eq!(total(&rates, &u), rated.total);
                prop_assert!(rated.lines.iter().all(|l| l.amount >= Nano::ZERO && l.units > 0));
            }
        }

        #[test]
        fn more_of_anything_never_costs_less(u in any_usage(), more in any_usage()) {
            let mut both = u;
            both.input += more.input;
            both.cached_read += more.cached_read;
            both.output += more.output;
            both.pieces += more.pieces;
            for rates in [mini(), tiered()] {
                prop_assert!(total(&rates, &both) >= total(&rates, &u));
            }
        }

        #[test]
        fn a_class_is_linear_but_for_its_one_rounding(a in 0u64..9_000_000, b in 0u64..9_000_000) {
            let of = |n| total(&mini(), &usage(|u| u.cache_write_5m = n)).0;
            prop_assert!((of(a) + of(b) - of(a + b)).abs() <= 1);
        }

        #[test]
        fn the_ceiling_bounds_every_charge(u in any_usage()) {
            for rates in [mini(), tiered()] {
                let c = rates.ceiling(u.total_input());
                let most = [(c.input, u.total_input()), (c.output, u.total_output()), (c.piece, u.pieces),
                    (c.audio_time, u.audio_ms), (c.request, 1), (c.tools, crate::bound::TOOL_CALLS)]
                    .into_iter().fold(Nano::ZERO, |sum, (price, n)| sum.plus(price.for_units(n)));
                // Each of the seventeen lines may round up by half a nano-dollar.
                prop_assert!(total(&rates, &u).0 <= most.0 + 9);
            }
        }
    }
}

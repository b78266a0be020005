//! What a model costs: nano-dollars per million units of each class, by context size and service tier.

mod images;

mod declared;

pub use declared::RatesError;

use burncloud_core::{LineKind, Nano, Picture, ServiceTier, Usage};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fmt;

/// Every class, in the order of a receipt's lines.
pub(crate) const KINDS: [LineKind; 17] = [
    LineKind::Input,
    LineKind::CachedRead,
    LineKind::CacheWrite5m,
    LineKind::CacheWrite1h,
    LineKind::Output,
    LineKind::Reasoning,
    LineKind::AudioIn,
    LineKind::AudioOut,
    LineKind::ImageIn,
    LineKind::ImageOut,
    LineKind::Piece,
    LineKind::AudioTime,
    LineKind::Request,
    LineKind::VideoTime,
    LineKind::WebSearch,
    LineKind::FileSearch,
    LineKind::CodeSession,
];

/// The units of each class in a usage, in the order of [`KINDS`]; a request counts as one.
pub(crate) fn units(usage: &Usage) -> [u64; KINDS.len()] {
    [
        usage.input,
        usage.cached_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.output,
        usage.reasoning,
        usage.audio_in,
        usage.audio_out,
        usage.image_in,
        usage.image_out,
        usage.pieces,
        usage.audio_ms,
        1,
        usage.video_ms,
        usage.web_searches,
        usage.file_searches,
        usage.code_sessions,
    ]
}

/// One price per class, in nano-dollars per million units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices([Nano; KINDS.len()]);

impl Prices {
    /// The price of a million units.
    #[must_use]
    pub fn get(&self, kind: LineKind) -> Nano {
        self.0[kind as usize]
    }

    pub(crate) fn with(mut self, kind: LineKind, price: Nano) -> Prices {
        self.0[kind as usize] = price;
        self
    }

    /// Whether everything is free.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.0.iter().all(|price| *price == Nano::ZERO)
    }

    fn tools(&self) -> Nano {
        let kinds = [LineKind::WebSearch, LineKind::FileSearch, LineKind::CodeSession];
        kinds.iter().fold(Nano::ZERO, |sum, kind| sum.plus(self.get(*kind)))
    }

    /// The first class that is cheaper here than at `cost`. Where calls are sold by the piece, what is not charged
    /// beside that is no loss: how much a call takes is not known.
    fn first_below(&self, cost: &Prices) -> Option<LineKind> {
        let by_call = self.get(LineKind::Request) > cost.get(LineKind::Request);
        let below = |kind: &LineKind| {
            let (own, cost) = (self.get(*kind), cost.get(*kind));
            own < cost && !(by_call && own == Nano::ZERO)
        };
        KINDS.into_iter().find(below)
    }

    fn dearest(&self, kinds: &[LineKind]) -> Nano {
        kinds.iter().map(|kind| self.get(*kind)).max().unwrap_or_default()
    }
}

/// Prices by context size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// For inputs up to the first threshold.
    pub(crate) base: Prices,
    /// Thresholds in increasing order: the prices of requests whose total input is *above* one.
    pub(crate) tiers: Vec<(u64, Prices)>,
    /// What a million pictures of some size and quality cost; what is zero there is any. The first that fits holds.
    pub(crate) images: Vec<(Picture, Nano)>,
}

impl Table {
    fn at(&self, total_input: u64) -> &Prices {
        let above = self.tiers.iter().rev().find(|(above, _)| total_input > *above);
        above.map_or(&self.base, |(_, prices)| prices)
    }

    fn image(&self, served: Picture) -> Option<Nano> {
        self.images.iter().find(|(listed, _)| images::fits(*listed, served)).map(|(_, price)| *price)
    }
}

/// The dearest prices that a request of some size can meet, whatever service tier it is served at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ceiling {
    above: u64,
    /// Of any token that goes in.
    pub(crate) input: Nano,
    /// Of any token that comes out.
    pub(crate) output: Nano,
    /// Of a piece.
    pub(crate) piece: Nano,
    /// Of a millisecond of audio.
    pub(crate) audio_time: Nano,
    /// Of the request itself.
    pub(crate) request: Nano,
    /// Of one search of each kind and a session of code, together.
    pub(crate) tools: Nano,
}

/// What a model costs.
///
/// Declared in US dollars per **million** units, as decimal text so that no digit is lost:
///
/// ```
/// use burncloud_billing::Rates;
/// use burncloud_core::{LineKind, Nano, ServiceTier};
///
/// let rates = Rates::from_json(&serde_json::json!({
///     "input": "1.25", "cached_read": "0.125", "output": "10",
///     "per_request": "0.01",
///     "tiers": [{ "above": 200_000, "input": "2.50", "output": "15" }],
///     "flex": { "input": "0.625", "output": "5" },
/// })).unwrap();
/// let at = |tier, input| rates.prices(tier, input).get(LineKind::Input);
/// assert_eq!(at(ServiceTier::Standard, 200_000), Nano(1_250_000_000));
/// assert_eq!(at(ServiceTier::Standard, 200_001), Nano(2_500_000_000));
/// assert_eq!(at(ServiceTier::Flex, 1), Nano(625_000_000));
/// ```
///
/// Fields: `input`, `cached_read`, `cache_write_5m`, `cache_write_1h`, `output`, `reasoning`, `audio_in`,
/// `audio_out`, `image_in`, `image_out` (dollars per million tokens), `per_piece` (a picture, a unit of reranking),
/// `per_audio_second`, `per_video_second`, `per_web_search`, `per_file_search`, `per_code_session`, `per_request`
/// (dollars for one), and `images`, a list such as `[{ "size": "1024x1024", "quality": "high", "price": "0.167" }]` of
/// dollars for a picture as it was *served*: an entry may leave out size or quality, which then may be any; of several
/// that fit the one that says more holds, and size before quality; where none fits `per_piece` holds, or without that
/// the dearest of the list. A class without a price of its own costs what its
/// parent costs: cached and written input, audio and image input what `input` does (`cache_write_1h` what
/// `cache_write_5m` does, if that is given), reasoning, audio and image output what `output` does; the rest
/// is free. `tiers` apply above a total input; what one does not name costs what it costs below it. `flex`,
/// `priority` and `batch` apply when the provider says it *served* that tier; what one does not name costs
/// what it costs at the standard tier, and `tiers` of their own are theirs alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    standard: Table,
    flex: Option<Table>,
    priority: Option<Table>,
    batch: Option<Table>,
    ceilings: Vec<Ceiling>,
}

impl Rates {
    pub(crate) fn new(
        standard: Table,
        flex: Option<Table>,
        priority: Option<Table>,
        batch: Option<Table>,
    ) -> Rates {
        let mut rates = Rates { standard, flex, priority, batch, ceilings: Vec::new() };
        rates.ceilings = rates.make_ceilings();
        rates
    }

    /// The prices of a request with so much input in all, served at `tier`.
    #[must_use]
    pub fn prices(&self, tier: ServiceTier, total_input: u64) -> &Prices {
        self.table(tier).at(total_input)
    }

    fn table(&self, tier: ServiceTier) -> &Table {
        let own = match tier {
            ServiceTier::Standard => None,
            ServiceTier::Flex => self.flex.as_ref(),
            ServiceTier::Priority => self.priority.as_ref(),
            ServiceTier::Batch => self.batch.as_ref(),
        };
        own.unwrap_or(&self.standard)
    }

    /// The price of a million pictures like this one, served at `tier`, where pictures have prices of their own.
    #[must_use]
    pub fn image(&self, tier: ServiceTier, served: Picture) -> Option<Nano> {
        self.table(tier).image(served)
    }

    /// The total inputs above which other prices hold at the standard tier, in increasing order.
    pub fn thresholds(&self) -> impl Iterator<Item = u64> {
        self.standard.tiers.iter().map(|(above, _)| *above)
    }

    /// These with another price in the place of each.
    pub(crate) fn map(&self, price: impl Fn(Nano) -> Nano) -> Rates {
        let prices = |p: &Prices| Prices(p.0.map(&price));
        let table = |table: &Table| Table {
            base: prices(&table.base),
            tiers: table.tiers.iter().map(|(above, p)| (*above, prices(p))).collect(),
            images: table.images.iter().map(|(picture, own)| (*picture, price(*own))).collect(),
        };
        let own = |own: &Option<Table>| own.as_ref().map(table);
        Rates::new(table(&self.standard), own(&self.flex), own(&self.priority), own(&self.batch))
    }

    /// The first class that is cheaper here than at `cost`, in any service tier and context size.
    pub(crate) fn first_below(&self, cost: &Rates) -> Option<LineKind> {
        use ServiceTier as T;
        let mut sizes: Vec<u64> = [self, cost].iter().flat_map(|rates| rates.marks()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let places = [T::Standard, T::Flex, T::Priority, T::Batch].into_iter();
        let mut places =
            places.flat_map(|tier| sizes.iter().map(move |above| (tier, above.saturating_add(1))));
        places
            .find_map(|(tier, size)| self.prices(tier, size).first_below(cost.prices(tier, size)))
            .or_else(|| self.picture_below(cost).then_some(LineKind::Piece))
    }

    /// Whether some picture is cheaper here than at `cost`, and not sold by the call.
    fn picture_below(&self, cost: &Rates) -> bool {
        use ServiceTier as T;
        let price = |rates: &Rates, tier, picture| {
            rates.image(tier, picture).unwrap_or_else(|| rates.prices(tier, 0).get(LineKind::Piece))
        };
        let by_call = |tier| {
            let call = |rates: &Rates| rates.prices(tier, 0).get(LineKind::Request);
            call(self) > call(cost)
        };
        let listed = || [self, cost].into_iter().flat_map(Rates::tables).flat_map(|table| &table.images);
        [T::Standard, T::Flex, T::Priority, T::Batch].into_iter().any(|tier| {
            listed().any(|(picture, _)| {
                let (own, cost) = (price(self, tier, *picture), price(cost, tier, *picture));
                own < cost && !(by_call(tier) && own == Nano::ZERO)
            })
        })
    }

    /// The total inputs above which some price changes, and 0.
    fn marks(&self) -> impl Iterator<Item = u64> {
        self.tables().flat_map(|table| table.tiers.iter().map(|(above, _)| *above)).chain([0])
    }

    /// The dearest prices of a request with at most so much input.
    pub(crate) fn ceiling(&self, most_input: u64) -> Ceiling {
        let reached = self.ceilings.iter().rev().find(|c| c.above == 0 || most_input > c.above);
        reached.copied().unwrap_or_default()
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        [Some(&self.standard), self.flex.as_ref(), self.priority.as_ref(), self.batch.as_ref()]
            .into_iter()
            .flatten()
    }

    fn make_ceilings(&self) -> Vec<Ceiling> {
        use LineKind as K;
        const IN: [LineKind; 6] =
            [K::Input, K::CachedRead, K::CacheWrite5m, K::CacheWrite1h, K::AudioIn, K::ImageIn];
        const OUT: [LineKind; 4] = [K::Output, K::Reasoning, K::AudioOut, K::ImageOut];
        let mut marks: Vec<u64> = self.tables().flat_map(|t| t.tiers.iter().map(|(a, _)| *a)).collect();
        marks.push(0);
        marks.sort_unstable();
        marks.dedup();
        let pictures = self.tables().flat_map(|t| &t.images).map(|(_, price)| *price);
        let picture = pictures.max().unwrap_or_default();
        let ceiling = |above: u64| {
            let all = self.tables().flat_map(|t| {
                std::iter::once((0, &t.base)).chain(t.tiers.iter().map(|(from, p)| (*from, p)))
            });
            all.filter(|(from, _)| *from <= above).fold(
                Ceiling { above, piece: picture, ..Ceiling::default() },
                |c, (_, p)| Ceiling {
                    above,
                    input: c.input.max(p.dearest(&IN)),
                    output: c.output.max(p.dearest(&OUT)),
                    piece: c.piece.max(p.get(K::Piece)),
                    audio_time: c.audio_time.max(p.get(K::AudioTime)),
                    request: c.request.max(p.get(K::Request)),
                    tools: c.tools.max(p.tools()),
                },
            )
        };
        marks.into_iter().map(ceiling).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::declared::FIELDS;
    use super::*;
    use serde_json::json;

    fn price(rates: &Rates, kind: LineKind) -> i64 {
        rates.prices(ServiceTier::Standard, 0).get(kind).0
    }

    #[test]
    fn kinds_are_in_the_order_of_their_discriminants() {
        assert!(KINDS.iter().enumerate().all(|(i, kind)| *kind as usize == i));
        assert!(FIELDS.iter().enumerate().all(|(i, (_, kind, _))| *kind as usize == i));
    }

    #[test]
    fn classes_without_a_price_cost_what_their_parent_costs() {
        let rates = Rates::from_json(&json!({"input": "2", "output": "8", "cache_write_5m": "2.5"})).unwrap();
        for kind in [LineKind::CachedRead, LineKind::AudioIn, LineKind::ImageIn] {
            assert_eq!(price(&rates, kind), 2_000_000_000);
        }
        for kind in [LineKind::Reasoning, LineKind::AudioOut, LineKind::ImageOut] {
            assert_eq!(price(&rates, kind), 8_000_000_000);
        }
        assert_eq!(price(&rates, LineKind::CacheWrite1h), 2_500_000_000);
        assert_eq!(price(&rates, LineKind::Piece), 0);
    }

    #[test]
    fn prices_for_one_are_scaled_to_a_million() {
        let rates = Rates::from_json(
            &json!({"per_request": "0.01", "per_piece": "0.04", "per_audio_second": "0.0001"}),
        )
        .unwrap();
        let prices = rates.prices(ServiceTier::Standard, 0);
        assert_eq!(prices.get(LineKind::Request).for_units(1), Nano(10_000_000));
        assert_eq!(prices.get(LineKind::Piece).for_units(3), Nano(120_000_000));
        assert_eq!(prices.get(LineKind::AudioTime).for_units(60_000), Nano(6_000_000));
    }

    #[test]
    fn tiers_inherit_what_they_do_not_name() {
        let rates = Rates::from_json(&json!({
            "input": "1", "cached_read": "0.1", "output": "4",
            "tiers": [{"above": 100, "input": "2"}, {"above": 200, "output": "9"}],
            "batch": {"output": "2"},
        }))
        .unwrap();
        let at = |input, kind| rates.prices(ServiceTier::Standard, input).get(kind).0 / 100_000_000;
        assert_eq!(
            [at(100, LineKind::Input), at(101, LineKind::Input), at(201, LineKind::Input)],
            [10, 20, 20]
        );
        assert_eq!([at(101, LineKind::CachedRead), at(101, LineKind::AudioIn)], [1, 20]);
        assert_eq!([at(200, LineKind::Output), at(201, LineKind::Reasoning)], [40, 90]);
        let batch = rates.prices(ServiceTier::Batch, 300);
        assert_eq!(
            (batch.get(LineKind::Input).0, batch.get(LineKind::Output).0),
            (1_000_000_000, 2_000_000_000)
        );
        assert_eq!(rates.prices(ServiceTier::Flex, 101), rates.prices(ServiceTier::Standard, 101));
        assert_eq!(rates.thresholds().collect::<Vec<_>>(), [100, 200]);
    }

    #[test]
    fn ceilings_cover_every_tier_that_can_be_reached() {
        let rates = Rates::from_json(&json!({
            "input": "1", "output": "4", "cache_write_1h": "2", "audio_in": "1.5",
            "tiers": [{"above": 100, "input": "3"}],
            "priority": {"output": "8"},
        }))
        .unwrap();
        let (small, large) = (rates.ceiling(100), rates.ceiling(101));
        assert_eq!((small.input.0, small.output.0), (2_000_000_000, 8_000_000_000));
        assert_eq!((large.input.0, large.output.0), (3_000_000_000, 8_000_000_000));
    }

    #[test]
    fn refusals_name_the_field() {
        let cases = [
            (json!("x"), ""),
            (json!({}), ""),
            (json!({"flex": {"input": "1"}}), ""),
            (json!({"input": 0.15}), "input"),
            (json!({"input": "-1"}), "input"),
            (json!({"input": "1e3"}), "input"),
            (json!({"imput": "1"}), "imput"),
            (json!({"per_request": "9999999"}), "per_request"),
            (json!({"input": "1", "tiers": {}}), "tiers"),
            (json!({"input": "1", "tiers": [{"input": "1"}]}), "tiers[0].above"),
            (json!({"input": "1", "tiers": [{"above": 5}, {"above": 5}]}), "tiers[1].above"),
            (json!({"input": "1", "tiers": [{"above": 5, "output": "-0.1"}]}), "tiers[0].output"),
            (json!({"input": "1", "flex": {"inputs": "1"}}), "flex.inputs"),
            (json!({"input": "1", "flex": {"batch": {}}}), "flex.batch"),
            (json!({"input": "1", "flex": "half"}), "flex"),
        ];
        for (value, field) in cases {
            let error = Rates::from_json(&value).unwrap_err();
            assert_eq!(error.field, field, "{value}: {error}");
        }
    }
}

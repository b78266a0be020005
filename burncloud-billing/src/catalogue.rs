//! Published prices, from the data bundled with the `genai-prices` crate.
//!
//! That crate prices a usage in `f64` dollars and hides its rates, so each rate is asked for: the price of a
//! known number of tokens of one class, at each context size and service tier. No float is computed with here:
//! an answer is written out as decimal text with twelve decimals, which is more than its error and less than its
//! digits, and read back as an integer of pico-dollars. Thresholds of context sizes are found by bisection.
//!
//! That takes a few milliseconds a model (and some fifty for the first, which decodes the data), so the answer is
//! kept; nothing is asked on a request's way but for a model never seen before (see
//! [`Biller::warm`](crate::Biller::warm)).

use crate::rates::{Prices, Rates, Table};
use arc_swap::ArcSwapOption;
use burncloud_core::{LineKind, Nano, ServiceTier, UnixMicros};
use genai_prices::{Calculator, PriceCalculation, PriceRequest, Usage, UsageKey};
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A model's published prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it costs.
    pub rates: Arc<Rates>,
    /// Whether these are this provider's own prices, not another's for a model of the same name.
    pub own: bool,
    /// How many tokens go in and out together, where that is known.
    pub context_window: Option<u64>,
}

/// Published prices by provider and model, looked up once each.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// What was fetched since; without it, what came with this build.
    fetched: ArcSwapOption<Calculator>,
    known: RwLock<Known>,
    /// Those who ask again for everything wait for one another: what was read from older data must not come last.
    changing: Mutex<()>,
}

type Known = HashMap<(Box<str>, Box<str>), Option<Arc<Listed>>>;

/// Our provider names and the catalogue's; all others are the same on both sides, or not there.
const NAMES: [(&str, &str); 6] = [
    ("gemini", "google"),
    ("vertex", "google"),
    ("bedrock", "aws"),
    ("xai", "x-ai"),
    ("moonshot", "moonshotai"),
    ("zhipu", "zhipuai"),
];

/// Whose prices stand in for a provider without a price for a model: first those who make models, then those
/// who host others'.
const STAND_INS: [&str; 16] = [
    "openai",
    "anthropic",
    "google",
    "deepseek",
    "mistral",
    "x-ai",
    "moonshotai",
    "zhipuai",
    "zai",
    "cohere",
    "minimax",
    "voyageai",
    "together",
    "fireworks",
    "groq",
    "openrouter",
];

/// Tiers begin at one of these or between two of them.
const PROBES: [u64; 14] = [
    1_000, 16_000, 32_000, 64_000, 100_000, 128_000, 160_000, 200_000, 256_000, 400_000, 600_000, 1_100_000,
    2_200_000, 10_000_000,
];

impl Catalogue {
    /// An empty one; prices come in as they are asked for.
    #[must_use]
    pub fn new() -> Catalogue {
        Catalogue::default()
    }

    /// What `model`, as it is sent upstream, costs at `provider` (a name in the adapter registry) at that time;
    /// where it has no price, what another provider takes for a model of that name. Prices that are all zero are
    /// the catalogue's way of not knowing one, so they are none, but for moderation and for names that say `:free`.
    pub fn find(&self, provider: &str, model: &str, at: UnixMicros) -> Option<Arc<Listed>> {
        let key = (Box::from(provider), Box::from(model));
        if let Some(found) = self.known.read().get(&key) {
            return found.clone();
        }
        let before = self.fetched.load_full();
        let found = self.with(|prices| look_up(prices, provider, model, at)).map(Arc::new);
        let mut known = self.known.write();
        if before.map(|prices| Arc::as_ptr(&prices))
            != self.fetched.load_full().map(|prices| Arc::as_ptr(&prices))
        {
            // Newer ones came in between: they are asked next time.
            return found;
        }
        known.entry(key).or_insert(found).clone()
    }

    /// [`find`](Catalogue::find) for a model that callers ask for by another name: where the name that is `sent` has
    /// no price, as an Azure deployment's, that of the name that is `asked` for is taken.
    pub fn find_mapped(
        &self,
        provider: &str,
        sent: &str,
        asked: &str,
        at: UnixMicros,
    ) -> Option<Arc<Listed>> {
        self.find(provider, sent, at).or_else(|| self.find(provider, asked, at))
    }

    /// What is read at the moment.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&Calculator) -> R) -> R {
        match &*self.fetched.load() {
            Some(fetched) => read(fetched),
            None => read(Calculator::bundled()),
        }
    }

    /// Reads these prices from now on; `None` is what came with this build. Asks again for all that was asked for.
    pub(crate) fn replace(&self, by: Option<Calculator>, at: UnixMicros) -> bool {
        let _one_at_a_time = self.changing.lock();
        self.fetched.store(by.map(Arc::new));
        self.ask_again(at)
    }

    /// Asks again for everything that was asked for, since published prices change with the date and some with
    /// the time of day. Returns whether any did.
    pub(crate) fn refresh(&self, at: UnixMicros) -> bool {
        let _one_at_a_time = self.changing.lock();
        self.ask_again(at)
    }

    fn ask_again(&self, at: UnixMicros) -> bool {
        let keys: Vec<(Box<str>, Box<str>)> = self.known.read().keys().cloned().collect();
        let fresh: Known = keys
            .into_iter()
            .map(|key| {
                let found = self.with(|prices| look_up(prices, &key.0, &key.1, at)).map(Arc::new);
                (key, found)
            })
            .collect();
        let mut known = self.known.write();
        let changed = fresh.iter().any(|(key, found)| known.get(key) != Some(found));
        known.extend(fresh);
        changed
    }
}

fn look_up(prices: &Calculator, provider: &str, model: &str, at: UnixMicros) -> Option<Listed> {
    let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap_or(0));
    let own = NAMES.iter().find(|(ours, _)| *ours == provider).map_or(provider, |(_, theirs)| theirs);
    // `@` begins a version at Vertex; a name's maker stands before `/` at those who host others' models.
    let bare = model.rsplit_once('/').map_or(model, |(_, name)| name);
    let names = if bare == model { &[model][..] } else { &[model, bare][..] };
    let places = std::iter::once(own).chain(STAND_INS);
    places.filter(|place| known_provider(prices, place)).find_map(|place| {
        let found =
            names.iter().find_map(|name| Ask { prices, provider: place, model: name, at }.listed())?;
        Some(Listed { own: place == own, ..found })
    })
}

/// By exact id: the catalogue's own search also takes aliases, and would find `openai` in `my-openai-proxy`.
fn known_provider(prices: &Calculator, id: &str) -> bool {
    prices.providers().any(|p| p.id() == id)
}

/// One model at one provider.
#[derive(Clone, Copy)]
struct Ask<'a> {
    prices: &'a Calculator,
    provider: &'a str,
    model: &'a str,
    at: SystemTime,
}

type Counts<'a> = &'a [(UsageKey, u64)];

impl Ask<'_> {
    fn listed(self) -> Option<Listed> {
        let found = self.price(None, &[])?;
        let standard = self.table(None);
        let free = standard.base.is_free() && standard.tiers.iter().all(|(_, prices)| prices.is_free());
        if free && !self.model.contains("moderation") && !self.model.ends_with(":free") {
            return None;
        }
        let variant = |tier| Some(self.table(Some(tier))).filter(|table| *table != standard);
        let rates = Rates::new(
            standard.clone(),
            variant(ServiceTier::Flex),
            variant(ServiceTier::Priority),
            variant(ServiceTier::Batch),
        );
        let providers = self.prices.providers();
        let models = providers.filter(|p| p.id() == found.provider_id).flat_map(|p| p.models());
        let context_window =
            models.filter(|m| m.id() == found.model_id).find_map(|m| m.context_window()).filter(|n| *n > 0);
        Some(Listed { rates: Arc::new(rates), own: true, context_window })
    }

    fn price(self, tier: Option<ServiceTier>, counts: Counts<'_>) -> Option<PriceCalculation> {
        // Counts are at most ten million: exact as floats.
        let usage: Usage = counts.iter().map(|(key, n)| (key.clone(), *n as f64)).collect();
        let request =
            PriceRequest::new(self.model, &usage).with_provider_id(self.provider).with_timestamp(self.at);
        let request = match tier {
            None | Some(ServiceTier::Standard) => request,
            Some(ServiceTier::Flex) => request.with_price_context("service_tier", "flex"),
            Some(ServiceTier::Priority) => request.with_price_context("service_tier", "priority"),
            Some(ServiceTier::Batch) => request.with_price_context("processing", "batch"),
        };
        self.prices.calculate(&request).ok()
    }

    fn table(self, tier: Option<ServiceTier>) -> Table {
        let mut tiers = Vec::new();
        for pair in PROBES.windows(2) {
            let (mut low, mut high) = (pair[0], pair[1]);
            let before = self.main_rates(tier, low);
            if before == self.main_rates(tier, high) {
                continue;
            }
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if self.main_rates(tier, middle) == before { low = middle } else { high = middle }
            }
            tiers.push((low, self.prices(tier, pair[1])));
        }
        Table { base: self.prices(tier, PROBES[0]), tiers, images: Vec::new() }
    }

    /// Of input and output, which change wherever any class does.
    fn main_rates(self, tier: Option<ServiceTier>, input: u64) -> (Nano, Nano) {
        let counts = [(UsageKey::INPUT_TOKENS, input), (UsageKey::OUTPUT_TOKENS, 1_000)];
        self.price(tier, &counts).map_or((Nano::ZERO, Nano::ZERO), |found| {
            (per_million(pico(found.input_price), input), per_million(pico(found.output_price), 1_000))
        })
    }

    fn prices(self, tier: Option<ServiceTier>, input: u64) -> Prices {
        use LineKind as K;
        let (out, thousand) = (UsageKey::OUTPUT_TOKENS, 1_000);
        let base = || (UsageKey::INPUT_TOKENS, input);
        let all_in = |keys: &[UsageKey]| -> Option<Nano> {
            let counts: Vec<_> =
                std::iter::once(base()).chain(keys.iter().map(|k| (k.clone(), input))).collect();
            Some(per_million(pico(self.price(tier, &counts)?.input_price), input))
        };
        let all_out = |key: Option<UsageKey>| -> Option<Nano> {
            let counts: Vec<_> =
                [base(), (out.clone(), thousand)].into_iter().chain(key.map(|key| (key, thousand))).collect();
            Some(per_million(pico(self.price(tier, &counts)?.output_price), thousand))
        };
        let request = self.price(tier, &[]).map_or(0, |found| pico(found.total_price));
        let apart = |keys: &[UsageKey], units: u64| -> Nano {
            let counts: Vec<_> = keys.iter().map(|key| (key.clone(), thousand)).collect();
            let found = self.price(tier, &counts).map_or(0, |found| pico(found.total_price) - request);
            per_million(found.max(0), units)
        };
        let input_rate = all_in(&[]).unwrap_or_default();
        let output_rate = all_out(None).unwrap_or_default();
        let or_input = |keys: &[UsageKey]| all_in(keys).unwrap_or(input_rate);
        let or_output = |key| all_out(Some(key)).unwrap_or(output_rate);
        Prices::default()
            .with(K::Input, input_rate)
            .with(K::CachedRead, or_input(&[UsageKey::CACHE_READ_TOKENS]))
            .with(K::CacheWrite5m, or_input(&[UsageKey::CACHE_WRITE_TOKENS]))
            .with(K::CacheWrite1h, or_input(&[UsageKey::CACHE_WRITE_TOKENS, UsageKey::CACHE_WRITE_1H_TOKENS]))
            .with(K::Output, output_rate)
            .with(K::Reasoning, or_output(UsageKey::OUTPUT_REASONING_TOKENS))
            .with(K::AudioIn, or_input(&[UsageKey::INPUT_AUDIO_TOKENS]))
            .with(K::AudioOut, or_output(UsageKey::OUTPUT_AUDIO_TOKENS))
            .with(K::ImageIn, or_input(&[UsageKey::INPUT_IMAGE_TOKENS]))
            .with(K::ImageOut, or_output(UsageKey::OUTPUT_IMAGE_TOKENS))
            .with(K::Piece, apart(&[UsageKey::RERANK_SEARCHES], thousand))
            // A thousand seconds are a million milliseconds.
            .with(K::AudioTime, apart(&[UsageKey::AUDIO_SECONDS, UsageKey::INPUT_AUDIO_SECONDS], 1_000_000))
            .with(K::Request, per_million(request, 1))
            .with(K::WebSearch, apart(&[UsageKey::WEB_SEARCHES], thousand))
            .with(K::FileSearch, apart(&[UsageKey::STORAGE_SEARCHES], thousand))
            .with(K::CodeSession, apart(&[UsageKey::CODE_EXECUTIONS], thousand))
    }
}

/// Dollars, as whole pico-dollars.
pub(crate) fn pico(dollars: f64) -> i128 {
    let text = format!("{dollars:.12}");
    text.chars().filter(|c| *c != '.').collect::<String>().parse().unwrap_or(0)
}

/// The price of `units` in pico-dollars, as nano-dollars per million units, rounded half up.
pub(crate) fn per_million(pico: i128, units: u64) -> Nano {
    let units = i128::from(units.max(1));
    Nano(i64::try_from((pico * 1_000 + units / 2) / units).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-01T12:00:00Z
    const NOVEMBER: UnixMicros = UnixMicros(1_793_534_400_000_000);

    fn find(provider: &str, model: &str) -> Arc<Listed> {
        Catalogue::new().find(provider, model, NOVEMBER).unwrap()
    }

    fn at(listed: &Listed, tier: ServiceTier, input: u64, kinds: &[LineKind]) -> Vec<String> {
        kinds.iter().map(|kind| listed.rates.prices(tier, input).get(*kind).to_string()).collect()
    }

    const MAIN: [LineKind; 3] = [LineKind::Input, LineKind::CachedRead, LineKind::Output];

    #[test]
    fn gpt_4o_mini_and_its_tiers() {
        let mini = find("openai", "gpt-4o-mini");
        assert!(mini.own);
        assert_eq!(mini.context_window, Some(128_000));
        assert_eq!(at(&mini, ServiceTier::Standard, 1, &MAIN), ["0.15", "0.075", "0.60"]);
        assert_eq!(at(&mini, ServiceTier::Priority, 1, &MAIN), ["0.25", "0.125", "1.00"]);
        assert_eq!(at(&mini, ServiceTier::Batch, 1, &MAIN), ["0.075", "0.075", "0.30"]);
        assert_eq!(at(&mini, ServiceTier::Flex, 1, &MAIN), ["0.15", "0.075", "0.60"], "has no flex price");
        assert_eq!(at(&mini, ServiceTier::Standard, 1, &[LineKind::Reasoning]), ["0.60"]);
    }

    #[test]
    fn gpt_5_flex_and_priority() {
        let five = find("openai", "gpt-5-2025-08-07");
        assert_eq!(at(&five, ServiceTier::Standard, 1, &MAIN), ["1.25", "0.125", "10.00"]);
        assert_eq!(at(&five, ServiceTier::Flex, 1, &MAIN), ["0.625", "0.0625", "5.00"]);
        assert_eq!(at(&five, ServiceTier::Priority, 1, &MAIN), ["2.50", "0.25", "20.00"]);
    }

    #[test]
    fn claude_cache_writes() {
        let sonnet = find("anthropic", "claude-sonnet-4-20250514");
        let kinds = [LineKind::CacheWrite5m, LineKind::CacheWrite1h, LineKind::CachedRead];
        assert_eq!(at(&sonnet, ServiceTier::Standard, 1, &kinds), ["3.75", "6.00", "0.30"]);
        let newer = find("anthropic", "claude-sonnet-4-5-20250929");
        assert_eq!(newer.rates.thresholds().collect::<Vec<_>>(), [200_000]);
        assert_eq!(at(&newer, ServiceTier::Standard, 200_001, &kinds), ["7.50", "12.00", "0.60"]);
    }

    #[test]
    fn gemini_above_200k() {
        let pro = find("gemini", "gemini-2.5-pro");
        assert!(pro.own);
        assert_eq!(pro.rates.thresholds().collect::<Vec<_>>(), [200_000]);
        assert_eq!(at(&pro, ServiceTier::Standard, 200_000, &MAIN), ["1.25", "0.125", "10.00"]);
        assert_eq!(at(&pro, ServiceTier::Standard, 200_001, &MAIN), ["2.50", "0.25", "15.00"]);
        assert_eq!(at(&pro, ServiceTier::Batch, 200_001, &MAIN), ["1.25", "0.25", "7.50"]);
    }

    #[test]
    fn deepseek_costs_twice_as_much_at_its_peak() {
        let two = UnixMicros(NOVEMBER.0 - 10 * 3_600_000_000);
        let catalogue = Catalogue::new();
        let input = |at| {
            let found = catalogue.find("deepseek", "deepseek-v4-flash", at).unwrap();
            found.rates.prices(ServiceTier::Standard, 1).get(LineKind::Input).to_string()
        };
        assert_eq!(input(NOVEMBER), "0.15");
        assert!(!catalogue.refresh(NOVEMBER));
        assert!(catalogue.refresh(two));
        assert_eq!(input(two), "0.30");
    }

    #[test]
    fn a_name_of_the_operators_own_costs_what_is_asked_for() {
        let catalogue = Catalogue::new();
        let price = |sent, asked| catalogue.find_mapped("azure", sent, asked, NOVEMBER);
        assert_eq!(price("my-deployment", "gpt-4o-mini"), price("gpt-4o-mini", "no-such-model"));
        assert_eq!(price("gpt-4o-mini", "gpt-4o"), catalogue.find("azure", "gpt-4o-mini", NOVEMBER));
        assert_eq!(price("my-deployment", "no-such-model"), None);
    }

    #[test]
    fn others_stand_in_for_a_provider_without_a_price() {
        let hosted = find("vllm", "deepseek/deepseek-v4-flash");
        assert!(!hosted.own);
        assert_eq!(at(&hosted, ServiceTier::Standard, 1, &[LineKind::Input]), ["0.15"]);
        assert!(!find("siliconflow", "gpt-4o-mini").own);
        assert!(find("xai", "grok-4").own && find("moonshot", "kimi-k2-0905-preview").own);
        assert_eq!(Catalogue::new().find("openai", "no-such-model", NOVEMBER), None);
        assert_eq!(Catalogue::new().find("google", "gemma-3", NOVEMBER), None, "listed without a price");
        assert!(find("openai", "omni-moderation-latest").rates.prices(ServiceTier::Standard, 1).is_free());
    }

    #[test]
    fn audio_is_priced_by_time() {
        let whisper = find("openai", "whisper-1");
        let price = whisper.rates.prices(ServiceTier::Standard, 0).get(LineKind::AudioTime);
        assert_eq!(price.for_units(60_000).to_string(), "0.006");
    }

    #[test]
    fn searches_have_a_price_of_their_own() {
        let kinds = [LineKind::Piece, LineKind::WebSearch, LineKind::FileSearch, LineKind::CodeSession];
        let each = |provider, model| {
            let listed = find(provider, model);
            let prices = listed.rates.prices(ServiceTier::Batch, 0);
            kinds.map(|kind| prices.get(kind).for_units(1).to_string())
        };
        assert_eq!(each("openai", "gpt-5"), ["0.00", "0.01", "0.0025", "0.00"]);
        assert_eq!(each("anthropic", "claude-sonnet-4-5"), ["0.00", "0.01", "0.00", "0.00"]);
        assert_eq!(each("gemini", "gemini-2.5-pro"), ["0.00", "0.035", "0.00", "0.00"], "a grounded prompt");
        assert_eq!(each("gemini", "gemini-3.5-flash"), ["0.00", "0.014", "0.00", "0.00"], "a query");
        assert_eq!(each("perplexity", "sonar-deep-research"), ["0.00", "0.005", "0.00", "0.00"]);
    }

    #[test]
    fn dollars_become_whole_numbers_by_their_digits() {
        assert_eq!(pico(0.15), 150_000_000_000);
        assert_eq!(pico(0.18000000000000002), 180_000_000_000);
        assert_eq!(per_million(pico(1.206), 201_000), Nano(6_000_000_000));
    }
}

//! What published prices come to here is what the crate that publishes them says, for every model of every provider.

use crate::catalogue::{Catalogue, Listed, pico};
use crate::rate;
use burncloud_core::{ServiceTier, UnixMicros, Usage};
use genai_prices::{Calculator, PriceRequest, UsageKey as K};
use std::time::{Duration, UNIX_EPOCH};

/// 2026-11-01T12:00:00Z and 2027-01-02T03:00:00Z: before and after prices change.
const TIMES: [UnixMicros; 2] = [UnixMicros(1_793_534_400_000_000), UnixMicros(1_798_858_800_000_000)];

const TIERS: [(ServiceTier, &[(&str, &str)]); 4] = [
    (ServiceTier::Standard, &[]),
    (ServiceTier::Flex, &[("service_tier", "flex")]),
    (ServiceTier::Priority, &[("service_tier", "priority")]),
    (ServiceTier::Batch, &[("processing", "batch")]),
];

/// Every class, alone and together, and sizes about where prices change.
fn usages() -> Vec<Usage> {
    let none = Usage::default();
    let sizes = [1, 7, 999, 31_999, 128_001, 199_999, 200_000, 200_001, 271_999, 272_001, 1_000_003];
    let mut usages: Vec<Usage> = sizes.map(|input| Usage { input, output: 3, ..none }).into();
    usages.extend([
        none,
        Usage { input: 123, cached_read: 4_567, output: 89, ..none },
        Usage { input: 1, cached_read: 200_000, output: 1, ..none },
        Usage { input: 11, cache_write_5m: 1_003, cache_write_1h: 2_005, cached_read: 77, output: 5, ..none },
        Usage { input: 17, output: 23, reasoning: 4_096, ..none },
        Usage { input: 17, output: 23, web_searches: 3, ..none },
        Usage { input: 17, file_searches: 5, output: 2, ..none },
        Usage { code_sessions: 1, input: 1, ..none },
        Usage { pieces: 3, ..none },
        Usage { input: 9, audio_in: 250, output: 4, ..none },
        Usage { input: 9, output: 4, audio_out: 250, ..none },
        Usage { input: 9, image_in: 258, output: 4, ..none },
        Usage { input: 9, output: 4, image_out: 1_290, ..none },
    ]);
    usages
}

fn counts(usage: &Usage) -> genai_prices::Usage {
    let pairs = [
        (K::INPUT_TOKENS, usage.total_input()),
        (K::CACHE_READ_TOKENS, usage.cached_read),
        (K::CACHE_WRITE_TOKENS, usage.cache_write_5m + usage.cache_write_1h),
        (K::CACHE_WRITE_1H_TOKENS, usage.cache_write_1h),
        (K::OUTPUT_TOKENS, usage.total_output()),
        (K::OUTPUT_REASONING_TOKENS, usage.reasoning),
        (K::INPUT_AUDIO_TOKENS, usage.audio_in),
        (K::OUTPUT_AUDIO_TOKENS, usage.audio_out),
        (K::INPUT_IMAGE_TOKENS, usage.image_in),
        (K::OUTPUT_IMAGE_TOKENS, usage.image_out),
        (K::RERANK_SEARCHES, usage.pieces),
        (K::WEB_SEARCHES, usage.web_searches),
        (K::STORAGE_SEARCHES, usage.file_searches),
        (K::CODE_EXECUTIONS, usage.code_sessions),
    ];
    pairs.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| (key, n as f64)).collect()
}

/// Their total in pico-dollars.
fn theirs(provider: &str, model: &str, at: UnixMicros, tier: &[(&str, &str)], usage: &Usage) -> Option<i128> {
    let counts = counts(usage);
    let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap());
    let mut ask = PriceRequest::new(model, &counts).with_provider_id(provider).with_timestamp(at);
    for (key, value) in tier {
        ask = ask.with_price_context(key, value);
    }
    genai_prices::calculate(&ask).ok().map(|found| pico(found.total_price))
}

/// How many totals were compared.
fn compare(provider: &str, model: &str, at: UnixMicros, listed: &Listed) -> usize {
    let mut compared = 0;
    for (tier, context) in TIERS {
        for usage in usages() {
            let Some(theirs) = theirs(provider, model, at, context, &usage) else { continue };
            let rated = rate(&listed.rates, &Usage { tier, ..usage });
            // Half a nano-dollar for each line, and a pico-dollar for what floats lose.
            let slack = 500 * rated.lines.len() as i128 + 1 + theirs / 1_000_000_000_000;
            let apart = (i128::from(rated.total.0) * 1_000 - theirs).abs();
            assert!(
                apart <= slack,
                "{provider}/{model} {tier:?} {usage:?}: {} nano, theirs {theirs} pico: {:?}",
                rated.total.0,
                rated.lines
            );
            compared += 1;
        }
    }
    compared
}

#[test]
fn every_published_price_comes_to_the_same() {
    let all: Vec<(&str, &str)> = Calculator::bundled()
        .providers()
        .flat_map(|provider| provider.models().map(move |model| (provider.id(), model.id())))
        .collect();
    let (mut models, mut compared) = (0, 0);
    std::thread::scope(|scope| {
        let part = |part: usize| {
            let all = &all;
            scope.spawn(move || {
                let catalogue = Catalogue::new();
                let mut sum = (0, 0);
                for (index, (provider, model)) in all.iter().enumerate().filter(|(i, _)| i % 4 == part) {
                    let at = TIMES[index / 4 % 2];
                    let Some(listed) = catalogue.find(provider, model, at).filter(|found| found.own) else {
                        continue;
                    };
                    sum = (sum.0 + 1, sum.1 + compare(provider, model, at, &listed));
                }
                sum
            })
        };
        for done in [0, 1, 2, 3].map(part) {
            let (more, totals) = done.join().unwrap();
            (models, compared) = (models + more, compared + totals);
        }
    });
    println!("{models} of {} models, {compared} totals", all.len());
    assert!(models > 1_500 && compared > 100_000, "{models} models, {compared} totals");
}

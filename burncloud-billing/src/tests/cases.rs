//! Rated by hand: `cases.json`, whose numbers come from exact rational arithmetic in another language.

use crate::rates::units;
use crate::{Rates, rate, total};
use burncloud_core::{LineKind, Nano, ServiceTier, Usage};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const TABLE: &str = include_str!("cases.json");

#[derive(Deserialize)]
struct Table {
    rates: BTreeMap<String, serde_json::Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rates: String,
    tier: ServiceTier,
    usage: Usage,
    lines: BTreeMap<String, i64>,
    nano: i64,
}

fn table() -> Table {
    serde_json::from_str(TABLE).unwrap()
}

/// A line's class in the words of the table.
fn class(kind: LineKind) -> String {
    let name = match kind {
        LineKind::CacheWrite5m => "cache_write_5m",
        LineKind::CacheWrite1h => "cache_write_1h",
        LineKind::Piece => "pieces",
        LineKind::AudioTime => "audio_ms",
        LineKind::VideoTime => "video_ms",
        LineKind::WebSearch => "web_searches",
        LineKind::FileSearch => "file_searches",
        LineKind::CodeSession => "code_sessions",
        kind => return serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned(),
    };
    name.to_owned()
}

#[test]
fn every_case_comes_to_its_nano_dollars() {
    let table = table();
    assert!(table.cases.len() >= 220, "{} cases", table.cases.len());
    let rates: BTreeMap<&str, Rates> =
        table.rates.iter().map(|(name, json)| (name.as_str(), Rates::from_json(json).unwrap())).collect();
    for (i, case) in table.cases.iter().enumerate() {
        let usage = Usage { tier: case.tier, ..case.usage };
        let rated = rate(&rates[&*case.rates], &usage);
        let lines: BTreeMap<String, i64> =
            rated.lines.iter().map(|line| (class(line.kind), line.amount.0)).collect();
        assert_eq!(lines, case.lines, "case {i}: {} {usage:?}", case.rates);
        assert_eq!(rated.total, Nano(case.nano), "case {i}");
        assert_eq!(total(&rates[&*case.rates], &usage), rated.total, "case {i}");
    }
}

#[test]
fn the_cases_cover_every_class_and_tier() {
    let table = table();
    for kind in 0..units(&Usage::default()).len() {
        let used = |case: &&Case| units(&case.usage)[kind] > 0 && case.nano > 0;
        assert!(table.cases.iter().filter(used).count() >= 4, "class {kind} is hardly there");
    }
    for tier in [ServiceTier::Standard, ServiceTier::Flex, ServiceTier::Priority, ServiceTier::Batch] {
        assert!(table.cases.iter().filter(|case| case.tier == tier).count() >= 20, "{tier:?}");
    }
}

#[test]
fn another_language_comes_to_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("../scripts/rate_cases.py");
    let run = Command::new("python3").arg(&script).arg(root.join("src/tests/cases.json")).output();
    let required = std::env::var("BURNCLOUD_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
    match run {
        Ok(run) if script.exists() => {
            let said = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
            assert!(said.ends_with(&format!("{} cases, 0 wrong\n", table().cases.len())), "{said}");
        }
        other => {
            assert!(!required, "no python3, or no script: {other:?}");
            println!("skipped: no python3, or no script");
        }
    }
}

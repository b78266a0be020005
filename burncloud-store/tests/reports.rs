//! How long pages wait for what they show, with a million receipts. Run by hand, optimised:
//!
//! ```sh
//! CARGO_PROFILE_DEV_OPT_LEVEL=2 cargo test -p burncloud-store --test reports -- --ignored --nocapture
//! ```
//!
//! `BURNCLOUD_SEEDED` names a database that `seed-receipts` made; without it one is made and removed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in a test an unwrap is the assertion")]

#[path = "../examples/seed-receipts/seed.rs"]
mod seed;

use burncloud_core::store::{
    Dim, KeyStore, LogQuery, Outcome, ReportStore, Step, UsageQuery, UserStore, Who,
};
use burncloud_core::{KeyId, TenantId, UnixMicros, UserId};
use burncloud_store::{SecretBox, SqlStore};
use seed::{Dice, model};
use std::path::Path;
use std::time::Instant;

const DAY: i64 = 86_400_000_000;

/// What `what` took at its slowest but for one in twenty, in milliseconds.
async fn p95(name: &str, runs: u64, what: impl AsyncFn(u64) -> usize) {
    let (mut took, mut rows) = (Vec::new(), 0);
    for run in 0..runs {
        let begun = Instant::now();
        rows = what(run).await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    let place = took.len() * 95 / 100;
    let ms = |place: usize| took[place.min(took.len() - 1)].as_secs_f64() * 1e3;
    println!("{name:34} p50 {:7.2} ms   p95 {:7.2} ms   {rows} rows", ms(took.len() / 2), ms(place));
}

async fn sums(store: &SqlStore, now: i64) {
    let of = |days: i64, step, by: &[Dim]| UsageQuery {
        since: UnixMicros((now - days * DAY) / DAY * DAY),
        until: UnixMicros(now),
        step,
        by: by.to_vec(),
        ..UsageQuery::default()
    };
    let day = |hours: i64| Step::Day { offset: hours * DAY / 24 };
    let (kolkata, month) = (Step::Day { offset: 11 * DAY / 48 }, 30);
    let resellers = Who::Tenants((2..=5).map(TenantId).collect());
    let asked = [
        ("today by quarter", of(0, Step::Quarter, &[])),
        ("a day by quarter", of(1, Step::Quarter, &[])),
        ("a day by channel", of(1, Step::Whole, &[Dim::Channel])),
        ("a day by model", of(1, Step::Whole, &[Dim::Model])),
        ("month by day x model", of(month, day(8), &[Dim::Model])),
        ("month by day x channel", of(month, day(-5), &[Dim::Channel])),
        ("month by day x tenant", of(month, day(0), &[Dim::Tenant])),
        (
            "a reseller's month by day x model",
            UsageQuery { who: resellers, ..of(month, day(8), &[Dim::Model]) },
        ),
        (
            "a user's month by day x model",
            UsageQuery { who: Who::User(UserId(3)), ..of(month, day(8), &[Dim::Model]) },
        ),
        ("a week by day x user", of(7, day(0), &[Dim::User])),
        ("(month by day x model, UTC+5:30)", of(month, kolkata, &[Dim::Model])),
        ("(month by user)", of(month, Step::Whole, &[Dim::User])),
    ];
    for (name, query) in asked {
        p95(name, 40, async |_| store.usage(&query).await.unwrap().len()).await;
    }
    let tenants: Vec<TenantId> = (1..=17).map(TenantId).collect();
    let (since, until) = (UnixMicros(now - 30 * DAY), UnixMicros(now));
    let paid = async |_| store.paid(&tenants, since, until, day(8)).await.unwrap().len();
    p95("what 17 tenants paid, month by day", 40, paid).await;
}

async fn lists(store: &SqlStore, now: i64) {
    let none = LogQuery::default();
    let rare = Some(model(29));
    let (failed, refused) = (Some(Outcome::Failed), Some(Outcome::Refused));
    let last_day = Some(UnixMicros(now - DAY));
    let trace = store.log(&LogQuery { until: last_day, limit: 1, ..none.clone() }).await.unwrap()[0].trace_id;
    let sixty = LogQuery {
        since: Some(UnixMicros(now - DAY - DAY / 12)),
        trace: Some(trace.to_string()),
        ..none.clone()
    };
    let asked = [
        ("log, first page", none.clone()),
        ("log of a rare model", LogQuery { model: rare.clone(), ..none.clone() }),
        ("log of a usual model", LogQuery { model: Some(model(0)), ..none.clone() }),
        ("log of a user", LogQuery { who: Who::User(UserId(30)), ..none.clone() }),
        ("log of a rare user", LogQuery { who: Who::User(UserId(199)), ..none.clone() }),
        ("log of a tenant", LogQuery { who: Who::Tenants(vec![TenantId(4)]), ..none.clone() }),
        (
            "log of five tenants",
            LogQuery { who: Who::Tenants((7..12).map(TenantId).collect()), ..none.clone() },
        ),
        ("log of failed", LogQuery { outcome: failed, ..none.clone() }),
        ("log of refused", LogQuery { outcome: refused, ..none.clone() }),
        ("log of a user's failed", LogQuery { outcome: failed, who: Who::User(UserId(30)), ..none.clone() }),
        ("log of a rare model's failed", LogQuery { outcome: failed, model: rare, ..none.clone() }),
        (
            "log of a tenant's failed",
            LogQuery { outcome: failed, who: Who::Tenants(vec![TenantId(4)]), ..none.clone() },
        ),
        ("log by trace, 26 hours", sixty),
    ];
    for (name, query) in asked {
        p95(name, 40, async |_| store.log(&query).await.unwrap().len()).await;
    }
    // As far down as 500 pages are, from another place each time.
    let mut dice = Dice(3);
    let mut before = store.log(&none).await.unwrap().last().map(|receipt| receipt.id);
    for _ in 0..500 {
        before = store.log(&LogQuery { before, ..none.clone() }).await.unwrap().last().map(|last| last.id);
    }
    let place = before.unwrap();
    let places: Vec<_> =
        (0..40).map(|_| burncloud_core::ReceiptId(place.0 - u128::from(dice.roll(1 << 40)))).collect();
    let deep = async |run: u64| {
        let before = Some(places[run as usize]);
        store.log(&LogQuery { before, ..none.clone() }).await.unwrap().len()
    };
    p95("log, page 500", 40, deep).await;
}

#[tokio::test]
#[ignore = "measures; run by hand, optimised"]
async fn pages_with_a_million_receipts() {
    let folder = tempfile::tempdir().unwrap();
    let store = match std::env::var("BURNCLOUD_SEEDED") {
        Ok(path) => {
            let secrets = SecretBox::load_or_create(Path::new(&format!("{path}.key"))).unwrap();
            SqlStore::connect(&format!("sqlite://{path}"), secrets).await.unwrap()
        }
        Err(_) => {
            let (begun, count) = (Instant::now(), 1_000_000);
            let store = seed::make(&folder.path().join("seeded.db"), count).await.unwrap();
            println!("{count} receipts recorded, {:?} each", begun.elapsed() / count as u32);
            store
        }
    };
    // The newest receipt is the present of a database that was made a while ago.
    let now = store.log(&LogQuery { limit: 1, ..LogQuery::default() }).await.unwrap()[0].at.0;
    println!("{} users, {:?}", store.users(None, 1_000).await.unwrap().len(), store.extent().await.unwrap());
    sums(&store, now).await;
    lists(&store, now).await;
    let keys: Vec<KeyId> = store.keys(None, 50).await.unwrap().iter().map(|key| key.id).collect();
    p95("last use of 50 keys", 40, async |_| store.last_used(&keys).await.unwrap().len()).await;
    p95("extent", 40, async |_| store.extent().await.unwrap().receipts as usize).await;
}

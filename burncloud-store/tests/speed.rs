//! What recording costs. Run by hand, in release:
//!
//! ```sh
//! cargo test --release -p burncloud-store --test speed -- --ignored --nocapture
//! ```

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "in a test an unwrap is the assertion")]

use burncloud_core::store::{CallerStore, KeyStore, NewUser, ReceiptStore, UserStore};
use burncloud_core::testing::{new_key, receipt};
use burncloud_core::{ApiKey, Attempt, ChannelId, KeyHash, Nano, Receipt, ReceiptId, UnixMicros, Usage};
use burncloud_store::{SecretBox, SqlStore};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// CPU time of this process so far, where the system tells.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// As most receipts are: one attempt, two lines.
fn ordinary(key: &ApiKey) -> Arc<Receipt> {
    let at = UnixMicros::now();
    let full = receipt(0);
    Arc::new(Receipt {
        id: ReceiptId::new(at),
        at,
        key: key.id,
        user: key.user,
        model: "gpt-5-mini".into(),
        upstream_model: "gpt-5-mini-2025-08-07".into(),
        upstream_request_id: Some("req_0123456789abcdef0123456789abcdef".into()),
        attempts: vec![Attempt { channel: ChannelId(3), status: Some(200), error: None, took_us: 812_345 }],
        usage: Usage { input: 1_234, output: 567, ..Usage::default() },
        charge: Nano(123_456),
        ..full
    })
}

async fn record(keys: usize, batch: usize, rows: usize) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
    let store = SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap();
    let tenant = store.tenants().await.unwrap()[0].id;
    let mut owners = Vec::new();
    for n in 0..keys {
        let name = format!("owner {n}");
        let user =
            store.create_user(NewUser { name: name.clone(), tenant, ..NewUser::default() }).await.unwrap();
        owners.push(store.create_key(new_key(&name, user.id)).await.unwrap());
    }
    let receipts: Vec<_> = (0..rows).map(|n| ordinary(&owners[n * 7919 % keys])).collect();
    let (wall, busy) = (Instant::now(), cpu());
    for batch in receipts.chunks(batch) {
        assert_eq!(store.record(batch).await.unwrap(), batch.len());
    }
    let (wall, busy) = (wall.elapsed(), cpu() - busy);
    store.close().await.unwrap();
    let size = std::fs::metadata(folder.path().join("burncloud.db")).unwrap().len();
    println!(
        "{keys:5} keys, batches of {batch:5}: {:8.0} rows/s, {:5.2} µs of CPU and {} bytes a row",
        rows as f64 / wall.as_secs_f64(),
        busy.as_secs_f64() * 1e6 / rows as f64,
        size / rows as u64,
    );
}

#[tokio::test]
#[ignore = "measures; run by hand in release"]
async fn recording() {
    for (keys, batch) in [(1, 1), (1, 100), (1, 1_000), (100, 1_000), (10_000, 1_000)] {
        record(keys, batch, if batch == 1 { 5_000 } else { 200_000 }).await;
    }
}

#[tokio::test]
#[ignore = "measures; run by hand in release"]
async fn looking_up() {
    let store = SqlStore::connect("sqlite::memory:", SecretBox::generate().unwrap()).await.unwrap();
    let user = store.user_by_name("default").await.unwrap().unwrap();
    let names: Vec<_> = (0..1_000).map(|n| format!("k{n}")).collect();
    for name in &names {
        store.create_key(new_key(name, user.id)).await.unwrap();
    }
    let hashes: Vec<_> = names.iter().map(|name| KeyHash::of(name.as_bytes())).collect();
    let begun = Instant::now();
    for hash in &hashes {
        store.caller(hash).await.unwrap().unwrap();
    }
    println!("a caller not in the cache: {:?}", begun.elapsed() / 1_000);
    let begun = Instant::now();
    for hash in hashes.iter().cycle().take(1_000_000) {
        store.peek(hash).unwrap().unwrap();
    }
    println!("a caller in the cache: {:?}", begun.elapsed() / 1_000_000);
}

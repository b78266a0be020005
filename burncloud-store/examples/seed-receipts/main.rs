//! Fills a new database with receipts of 60 days, to look at and to measure with:
//!
//! ```sh
//! cargo run -p burncloud-store --example seed-receipts -- /tmp/seeded.db 1000000
//! ```
//!
//! The key that opens its channels' credentials (which are made up) is beside it, in `/tmp/seeded.db.key`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool speaks to its user")]

mod seed;

use std::error::Error;
use std::path::Path;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(path), Some(count)) = (words.next(), words.next().and_then(|count| count.parse().ok())) else {
        eprintln!("usage: seed-receipts PATH COUNT");
        std::process::exit(2);
    };
    let store = seed::make(Path::new(&path), count).await?;
    store.close().await?;
    println!("{path}");
    Ok(())
}

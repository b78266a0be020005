//! One strict fake provider by itself, to point an SDK at: `cargo run -p burncloud-tests --example strict_provider
//! -- anthropic` prints its address and serves until its standard input ends.
#![allow(clippy::print_stdout, reason = "the address is what the caller reads")]

use burncloud_tests::provider::Provider;
use burncloud_tests::upstream::{Behaviour, Upstream};
use tokio::io::AsyncReadExt as _;

#[tokio::main]
async fn main() {
    let mut running = Vec::new();
    for name in std::env::args().skip(1) {
        let found = Provider::ALL.into_iter().find(|provider| provider.name() == name);
        let provider = found.expect("one of chat, responses, anthropic, gemini, cohere, bedrock");
        let upstream = Upstream::start().await;
        upstream.always(Behaviour::Strict(provider));
        println!("{name} {}", upstream.url());
        running.push(upstream);
    }
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await.expect("standard input can be read");
}

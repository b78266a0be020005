//! What the end-to-end tests are made of: a programmable provider, the `burncloud` binary as a child process, a
//! raw HTTP/1.1 client, a reader of recorded traffic, and a runner for the official SDKs' scripts.
//!
//! Everything talks over real loopback sockets; nothing here links the gateway's own code, so that a test sees
//! only what a caller, a provider or an operator would see.
#![allow(clippy::unwrap_used, reason = "this whole package is tests: an unwrap is the assertion")]

pub mod config;
pub mod gateway;
pub mod http1;
pub mod provider;
pub mod raw;
pub mod replay;
pub mod sdk;
pub mod speak;
pub mod upstream;

use std::path::PathBuf;
use std::time::Duration;

/// How long a helper waits for something that must happen before it calls the test failed.
///
/// Not an assertion about speed: only the bound after which waiting longer is pointless.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The checkout's root: the parent of this package.
#[must_use]
pub fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// Whether a missing service (an SDK, the recorded traffic) fails a test instead of skipping it.
#[must_use]
pub fn services_required() -> bool {
    std::env::var("BURNCLOUD_REQUIRE_SERVICES").is_ok_and(|value| value == "1")
}

/// Says what was skipped and why.
///
/// # Panics
///
/// When `BURNCLOUD_REQUIRE_SERVICES=1`: then nothing may be skipped.
#[allow(clippy::print_stderr, reason = "a skipped test says so where the person who ran it looks")]
pub fn skip(what: &str, why: &str) {
    assert!(
        !services_required(),
        "{what} cannot run ({why}) and BURNCLOUD_REQUIRE_SERVICES=1 forbids skipping"
    );
    eprintln!("skipped {what}: {why}");
}

/// Polls `condition` until it holds.
///
/// # Panics
///
/// When it does not hold within [`PATIENCE`], naming `what`.
pub async fn eventually<F, Fut>(what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "gave up waiting for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

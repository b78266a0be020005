//! The console as people have it: the `burncloud` binary, a provider behind it, and a real browser before it.
//!
//! Pictures of every page are written to `<target>/console-shots`. Where no browser is installed, the tests that need one
//! say that they skip; with `BURNCLOUD_REQUIRE_SERVICES=1` that is a failure.
#![allow(clippy::unwrap_used, reason = "this whole package is tests: an unwrap is the assertion")]

mod attacks;
mod browser;
mod by_hand;
mod client;
mod first_run;
mod house;
mod life;
mod lived;
mod playground;
mod quiet;
mod scripts;
mod story;
mod walk;

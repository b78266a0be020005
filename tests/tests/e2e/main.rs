//! End-to-end tests: the `burncloud` binary between real callers and a programmable provider.
//!
//! One binary with a module for each concern, because linking is most of what a test binary costs.
#![allow(clippy::unwrap_used, reason = "this whole package is tests: an unwrap is the assertion")]

mod bedrock;
mod cli;
mod clouds;
mod common;
mod faults;
mod harness;
mod limits;
mod money;
mod oracle;
mod passthrough;
mod replay;
mod sdk;
mod secrets;
mod server;

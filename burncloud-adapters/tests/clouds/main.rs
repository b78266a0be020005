//! Clouds behind the whole gateway: local services that check what Azure, Entra, Vertex and Google's token service
//! check, written from their public documentation.

#![allow(
    clippy::unwrap_used,
    reason = "in a test an unwrap is the assertion; clippy exempts only functions marked as tests"
)]

mod azure;
mod google;
mod probes;
mod support;
#[cfg(feature = "script")]
mod transforms;
mod vertex;

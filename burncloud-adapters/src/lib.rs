//! Providers for BurnCloud's gateway: where they are, how they are paid, and what they report as used.
//!
//! [`registry`] holds every provider this build knows; each family is a cargo feature. A provider of your own
//! is an [`Adapter`](burncloud_core::adapter::Adapter) (a row of
//! [`OpenAiCompatible`](openai::OpenAiCompatible), if it speaks OpenAI's API), added with
//! [`Registry::with`](burncloud_core::adapter::Registry::with) and held to the same behaviour by
//! the suite in `testing` (feature `testing`). What operators change on their channels is prepared by [`transform`].

// Each family uses its part of what they share.
#![cfg_attr(
    not(all(feature = "openai", feature = "anthropic", feature = "gemini")),
    allow(dead_code, unused_imports)
)]

#[cfg(feature = "anthropic")]
pub mod anthropic;
mod auth;
#[cfg(feature = "azure")]
pub mod azure;
#[cfg(feature = "bedrock")]
pub mod bedrock;
#[cfg(feature = "cohere")]
pub mod cohere;
#[cfg(feature = "compatible")]
pub mod compatible;
#[cfg(all(feature = "testing", feature = "translate"))]
pub mod fuzz;
#[cfg(feature = "gemini")]
pub mod gemini;
mod listing;
#[cfg(feature = "anthropic")]
mod members;
#[cfg(any(feature = "azure", feature = "vertex"))]
mod oauth;
#[cfg(feature = "openai")]
pub mod openai;
mod path;
mod reader;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(any(feature = "azure", feature = "vertex"))]
mod token;
mod tokens;
#[cfg(feature = "transform")]
pub mod transform;
#[cfg(feature = "translate")]
pub mod translate;
#[cfg(feature = "vertex")]
pub mod vertex;
#[cfg(feature = "event-stream")]
#[allow(dead_code, reason = "each dialect uses its part of what they share")]
mod wire;

use burncloud_core::adapter::Registry;

/// Every provider of the enabled features, and with the feature `transform` what prepares channels' transforms.
#[must_use]
pub fn registry() -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "openai")]
    let registry = registry.with(openai::OPENAI.clone());
    #[cfg(feature = "anthropic")]
    let registry = registry.with(anthropic::Anthropic::new());
    #[cfg(feature = "bedrock")]
    let registry = registry.with(bedrock::Bedrock::new());
    #[cfg(feature = "gemini")]
    let registry = registry.with(gemini::Gemini::new());
    #[cfg(feature = "cohere")]
    let registry = registry.with(cohere::Cohere::new());
    #[cfg(feature = "compatible")]
    let registry = compatible::TABLE.iter().fold(registry, |registry, row| registry.with(row.clone()));
    #[cfg(feature = "transform")]
    let registry = registry.with_transforms(transform::OperatorTransforms);
    #[cfg(feature = "azure")]
    let registry = registry.with(azure::Azure::default());
    #[cfg(feature = "vertex")]
    let registry = registry.with(vertex::Vertex::default());
    registry
}

//! What operators change on their channels: steps in YAML or JSON, scripts, overrides, instructions.
//!
//! [`compile`] checks a channel's settings and makes them ready; [`Compiled::dry_run`] shows what they do to a
//! sample; [`OperatorTransforms`] is what a [`Registry`](burncloud_core::adapter::Registry) prepares channels with.
//! `docs/transforms.md` describes steps, paths, conditions and scripts.
//!
//! A request is changed in this order: system prompt, body override, steps, script, header override. Of an answer,
//! whole JSON goes through the `response` steps and each event of a stream through the `stream` steps, and then
//! through the script. What is no JSON passes untouched, and what nothing changes passes byte for byte.
//!
//! ```
//! use burncloud_adapters::transform::{Sample, compile};
//! use burncloud_core::ChannelSettings;
//!
//! let settings = ChannelSettings {
//!     transforms: Some("request:\n- rename: {at: max_tokens, to: max_completion_tokens}\n".into()),
//!     ..ChannelSettings::default()
//! };
//! let sample = Sample { body: serde_json::json!({"max_tokens": 5}), ..Sample::default() };
//! let run = compile(&settings)?.dry_run(&sample)?;
//! assert_eq!(run.after, serde_json::json!({"max_completion_tokens": 5}));
//!
//! let faulty = ChannelSettings { transforms: Some("request:\n- remvoe: user\n".into()), ..settings };
//! let error = compile(&faulty).unwrap_err();
//! assert_eq!((error.line, error.column), (Some(2), Some(3)));
//! # Ok::<(), burncloud_adapters::transform::TransformError>(())
//! ```

mod answer;
mod compiled;
mod diff;
mod document;
mod dry_run;
mod error;
mod headers;
mod instructions;
mod json;
mod overrides;
mod path;
#[cfg(not(feature = "script"))]
#[path = "no_script.rs"]
mod script;
#[cfg(feature = "script")]
mod script;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod throttle;

pub use compiled::Compiled;
pub use dry_run::{DryRun, Sample, SampleKind, StepRun};
pub use error::TransformError;

use burncloud_core::adapter::{ConfigureError, Transform, Transforms};
use burncloud_core::{ChannelConfig, ChannelSettings};
use std::sync::Arc;

/// Checks what a channel's settings want changed and makes it ready.
///
/// # Errors
/// The setting at fault; of a document or a script, the line and the column.
pub fn compile(settings: &ChannelSettings) -> Result<Compiled, TransformError> {
    Compiled::new(settings)
}

/// Prepares channels' transforms for a [`Registry`](burncloud_core::adapter::Registry).
#[derive(Clone, Copy, Debug, Default)]
pub struct OperatorTransforms;

impl Transforms for OperatorTransforms {
    fn prepare(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Transform>>, ConfigureError> {
        if !config.settings.transforms() {
            return Ok(None);
        }
        match compile(&config.settings) {
            Ok(compiled) if compiled.is_idle() => Ok(None),
            Ok(compiled) => Ok(Some(Arc::new(compiled))),
            Err(error) => Err(ConfigureError { field: error.field.clone(), message: error.text() }),
        }
    }
}

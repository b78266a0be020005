//! Framings that are not server-sent events, and bodies edited without being re-written.

pub(crate) mod event_stream;
#[cfg(feature = "bedrock")]
pub(crate) mod raw;

//! Framings that are not server-sent events.

pub(crate) mod event_stream;

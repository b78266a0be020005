//! Anything.

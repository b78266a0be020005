//! burncloud-core

pub mod envelope;

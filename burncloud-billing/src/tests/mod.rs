//! Tests that need more than one module.

mod crash;
mod life;
mod measure;
pub(crate) mod support;
mod threads;

//! Tests that need more than one module.

mod agreement;
mod cases;
mod crash;
mod life;
mod measure;
pub(crate) mod support;
mod threads;
mod tools;

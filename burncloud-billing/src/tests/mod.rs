//! Tests that need more than one module.

mod crash;
mod life;
mod guard;
mod measure;
mod oracle;
mod resale;
pub(crate) mod support;
mod threads;

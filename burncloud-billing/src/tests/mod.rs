//! Tests that need more than one module.

mod crash;
mod guard;
mod life;
mod measure;
mod oracle;
mod resale;
pub(crate) mod support;
mod threads;

//! Tests that need more than one module.

mod budgets;
mod crash;
mod history;
mod life;
mod measure;
mod protocol;
pub(crate) mod support;
mod threads;

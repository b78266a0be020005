//! Tests that need more than one module.

mod budgets;
mod crash;
mod history;
mod life;
mod measure;
pub(crate) mod support;
mod threads;

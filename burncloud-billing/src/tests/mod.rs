//! Tests that need more than one module.

mod agreement;
mod budgets;
mod cases;
mod crash;
mod guard;
mod history;
mod life;
mod measure;
mod oracle;
mod protocol;
mod resale;
pub(crate) mod support;
mod threads;
mod tools;

//! The operator console of the BurnCloud gateway: what a server mounts under `/console`.
//!
//! - `pages`: the table of pages and the pages; its documentation says how one is added
//! - [`live`]: how a page lives on a socket, how it reads and writes
//! - [`kit`]: what pages are made of
//! - [`fmt`], [`lang`]: numbers, times and words in both languages
//! - [`web`]: pages, socket and assets over HTTP
//! - [`auth`]: who somebody is

// What a match on something borrowed draws outlives the borrow only behind a name.
#![allow(clippy::let_and_return)]

mod api;
pub mod auth;
mod console;
pub mod fmt;
mod held;
pub mod kit;
pub mod lang;
pub mod live;
pub mod pages;
mod room;
mod shell;
mod watch;
pub mod web;

pub use console::{Console, ConsoleBuilder};
pub use watch::{Pulse, Watch};

use axum::Router;

/// The console: its pages, sign-in, socket, assets and management API, below the prefix that it was
/// [built](ConsoleBuilder) with. Needs a tokio runtime around it.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// use burncloud_billing::Desk;
/// use burncloud_core::store::MemoryStore;
/// use burncloud_liveview::Console;
/// use std::sync::Arc;
///
/// # let _inside = runtime.enter();
/// let desk = Desk::new(Arc::new(MemoryStore::default()), burncloud_adapters::registry());
/// let console = Console::builder(desk).setup_code(&"a-code-for-the-first-owner".into());
/// let app: axum::Router = burncloud_liveview::console(console.build(tokio::runtime::Handle::current()));
/// # drop(app);
/// # Ok(())
/// # }
/// ```
pub fn console(console: Console) -> Router {
    let own = pages::model_routes(console.clone());
    let routes =
        api::router(&console).merge(own).merge(auth::router(console.clone())).merge(web::router(console));
    routes.layer(axum::middleware::from_fn(web::to_its_end))
}

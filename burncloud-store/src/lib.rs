//! SQL storage for the BurnCloud gateway: every store trait of `burncloud-core` over sea-orm, with a
//! read-through cache of callers and provider credentials encrypted at rest.
//!
//! ```
//! use burncloud_core::store::UserStore;
//! use burncloud_store::{SecretBox, SqlStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secrets = SecretBox::generate()?; // or `from_text` (environment), or `load_or_create` (key file)
//! let store = SqlStore::connect("sqlite::memory:", secrets).await?;
//! assert!(store.user_by_name("default").await?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! No type of sea-orm, sqlx or moka is part of the public interface. Tables are described once, portably;
//! what only one database knows lives in one module. SQLite is what is tested.

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!("burncloud-store needs a database: enable the feature `sqlite`, `postgres` or `mysql`");

mod archive;
mod backend;
mod backup;
mod budget;
mod bulk;
mod cache;
mod caller;
mod catalogue;
mod channel;
mod code;
mod entity;
mod error;
mod key;
mod ledger;
mod lists;
mod login;
mod migration;
mod price;
mod proof;
mod receipt;
mod record;
mod report;
mod secret;
mod session;
mod spending;
mod sql;
#[cfg(test)]
mod tests;
mod user;

pub use secret::{SecretBox, SecretError};
pub use sql::SqlStore;

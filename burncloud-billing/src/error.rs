//! The one error of this crate.

use crate::rates::RatesError;
use burncloud_core::store::StoreError;
use std::io;
use std::path::{Path, PathBuf};

/// What keeps the money from being kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BillingError {
    /// A rule that an operator set is not one, or cannot stand there.
    #[error("{}: {source}", what(model))]
    Price {
        /// The model it was set for; empty for a whole book.
        model: String,
        /// The field at fault.
        source: RatesError,
    },
    /// The journal's directory or a file in it cannot be used.
    #[error("journal: cannot {action} {}: {source}", path.display())]
    Journal {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process holds the journal.
    #[error("journal: {} is in use by another process; give each process a directory of its own", .0.display())]
    Locked(PathBuf),
    /// The journal holds records that this version cannot read, and skipping them would lose money.
    #[error("journal: {} holds a record that this version cannot read, {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is odd about it.
        why: &'static str,
    },
    /// What was fetched is no catalogue of prices.
    #[error("published prices: {0}; those in force stay")]
    Catalogue(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn what(model: &str) -> String {
    if model.is_empty() { "settings of the price book".into() } else { format!("price of `{model}`") }
}

impl BillingError {
    pub(crate) fn journal(action: &'static str, path: &Path, source: io::Error) -> BillingError {
        BillingError::Journal { action, path: path.to_owned(), source }
    }
}

//! What a check of the ledger says.

use crate::archive::ArchiveError;
use burncloud_core::store::StoreError;
use serde::Serialize;
use std::fmt;

/// What was checked and found in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Entries.
    pub entries: u64,
    /// Receipts.
    pub receipts: u64,
    /// Receipts that were archived: of them only that their links, entries and sums fit each other.
    pub archived: u64,
    /// Of the archived ones, those that were read from their files and computed anew.
    pub reread: u64,
    /// Receipts that come to something and were recorded before the ledger was begun: they are in no entry.
    pub before_ledger: u64,
    /// Accounts with a balance.
    pub accounts: u64,
    /// Users.
    pub users: u64,
    /// Tenants.
    pub tenants: u64,
    /// Keys.
    pub keys: u64,
}

/// Where the books disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of what, such as `balance of user:7`.
    pub what: String,
    /// What it comes to.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}

/// Why the ledger is not found in order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is not in order.
    #[error("{0}")]
    Difference(Difference),
    /// Whenever it was read something else differed: others write to it all the while.
    #[error("the store was written to while it was verified; verify it when less is going on")]
    Busy,
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files of archived receipts are not in order, or cannot be read.
    #[error("the archive: {0}")]
    Archive(ArchiveError),
}

impl From<ArchiveError> for VerifyError {
    fn from(error: ArchiveError) -> VerifyError {
        match error {
            ArchiveError::Store(error) => VerifyError::Store(error),
            other => VerifyError::Archive(other),
        }
    }
}

/// Says that something is not what it should be.
pub(super) fn differ<T>(
    what: impl fmt::Display,
    expected: impl fmt::Display,
    found: impl fmt::Display,
) -> Result<T, VerifyError> {
    Err(VerifyError::Difference(Difference {
        what: what.to_string(),
        expected: expected.to_string(),
        found: found.to_string(),
    }))
}

/// Refuses what is not what it should be.
pub(super) fn same<T: PartialEq + fmt::Display>(
    what: impl fmt::Display,
    expected: T,
    found: T,
) -> Result<(), VerifyError> {
    if expected == found { Ok(()) } else { differ(what, expected, found) }
}

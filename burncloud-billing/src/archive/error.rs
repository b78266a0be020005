//! What can go wrong with an archive.

use crate::proof::ProofError;
use burncloud_core::store::StoreError;
use std::path::{Path, PathBuf};

/// Why receipts were not archived, or an archive not read. Whatever was archived before stays archived; the rest is where it
/// was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store has of the chain is not in order, so nothing of it is moved away.
    #[error("the chain of receipts is not in order: {0}")]
    Chain(ProofError),
    /// A file or folder cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// What a file says is not in order.
    #[error("{}: line {line}: {wrong}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line of it.
        line: u64,
        /// What is wrong.
        wrong: ProofError,
    },
    /// A file is not the one that the store knows.
    #[error("{}: {why}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// In which way.
        why: String,
    },
    /// Another process archives at the same time.
    #[error("another process archives the same receipts at this moment; let it finish")]
    Busy,
}

impl ArchiveError {
    pub(super) fn file(path: &Path, why: impl ToString) -> ArchiveError {
        ArchiveError::File { path: path.to_owned(), why: why.to_string() }
    }

    pub(super) fn other(path: &Path, why: impl ToString) -> ArchiveError {
        ArchiveError::Other { path: path.to_owned(), why: why.to_string() }
    }
}

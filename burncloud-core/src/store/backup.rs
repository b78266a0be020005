//! A copy of everything, made while the house is open.

use super::StoreResult;
use async_trait::async_trait;
use std::path::Path;

/// A copy that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupDone {
    /// How long the file is.
    pub bytes: u64,
    /// Whether it was read again from beginning to end and found whole.
    pub checked: bool,
}

/// Copies of a store.
#[async_trait]
pub trait BackupStore: Send + Sync + 'static {
    /// Writes a consistent copy into a new file at `to`, for its owner alone, while the store goes on; a copy that cannot be
    /// made leaves nothing there. `Conflict` if there is something at `to`, `Invalid` where the store cannot (the text says
    /// what to do instead) or the folder is not there.
    async fn backup(&self, to: &Path) -> StoreResult<BackupDone>;
    /// Whether it can.
    fn backs_up(&self) -> bool;
}

//! For how long requests are kept, and what became of older ones.

use super::{Actor, Desk};
use crate::archive::{ArchiveDone, ArchiveError, ArchiveOptions, archive};
use crate::people::Action;
use burncloud_core::UnixMicros;
use burncloud_core::store::ArchiveStore;
use burncloud_core::usecase::UseCaseResult;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is kept now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Requests that can be read, or about so many.
    pub receipts: u64,
    /// When the oldest of them arrived.
    pub since: Option<UnixMicros>,
    /// Requests that were archived.
    pub archived: u64,
    /// What the whole store takes on disk, in bytes, where that is known.
    pub bytes: Option<u64>,
    /// Where archived ones go; `None` where nobody archives any.
    pub folder: Option<String>,
}

impl Desk {
    /// Requests that are not kept any longer are archived into that folder. Without one it is shown that all are kept.
    #[must_use]
    pub fn with_archive(mut self, folder: PathBuf) -> Desk {
        self.archive = Some(folder.into());
        self
    }

    /// What is kept now.
    ///
    /// # Errors
    /// `Forbidden` for whoever may not decide for the house; the store's.
    pub async fn kept(&self, actor: &Actor) -> UseCaseResult<Kept> {
        actor.check_in_house(Action::ManageHouse)?;
        let extent = self.store.extent().await?;
        Ok(Kept {
            receipts: extent.receipts,
            since: self.store.oldest_receipt().await?,
            archived: self.store.last_archive().await?.map_or(0, |last| last.total),
            bytes: extent.bytes,
            folder: self.archive.as_ref().map(|folder| folder.display().to_string()),
        })
    }
}

/// The moment before which requests are archived that are kept for so long: a midnight of UTC, so that a day's requests make
/// a file, and not each hour's. `None` where it would be before all time.
#[must_use]
pub fn keep_since(now: UnixMicros, keep: Duration) -> Option<UnixMicros> {
    const DAY: i64 = 86_400_000_000;
    let keep = i64::try_from(keep.as_micros()).ok()?;
    let since = now.0.checked_sub(keep)?;
    (since > 0).then(|| UnixMicros(since.div_euclid(DAY) * DAY))
}

/// Archives what the house keeps no longer, now.
///
/// # Errors
/// As [`archive`].
pub async fn archive_old<S: ArchiveStore + ?Sized>(
    store: &S,
    keep: Duration,
    folder: &Path,
    pause: Duration,
) -> Result<ArchiveDone, ArchiveError> {
    let Some(before) = keep_since(UnixMicros::now(), keep) else { return Ok(ArchiveDone::default()) };
    archive(store, &ArchiveOptions { before, folder: folder.to_owned(), pause }).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::adapter::Registry;
    use burncloud_core::store::{MemoryStore, ReceiptStore};
    use burncloud_core::testing::receipt;
    use burncloud_core::usecase::UseCaseError;
    use burncloud_core::{Role, User};
    use std::sync::Arc;

    #[test]
    fn whole_days_are_archived() {
        let day = 86_400_000_000;
        let keep = |days: u64| Duration::from_secs(days * 86_400);
        let now = UnixMicros(20_000 * day + 5);
        assert_eq!(keep_since(now, keep(30)), Some(UnixMicros(19_970 * day)));
        assert_eq!(keep_since(UnixMicros(20_000 * day), keep(30)), Some(UnixMicros(19_970 * day)));
        assert_eq!(keep_since(UnixMicros(20_000 * day - 1), keep(30)), Some(UnixMicros(19_969 * day)));
        assert_eq!(keep_since(UnixMicros(day), keep(30)), None);
        assert_eq!(keep_since(now, Duration::MAX), None);
    }

    #[tokio::test]
    async fn only_the_house_learns_what_is_kept() {
        let store = Arc::new(MemoryStore::default());
        store.record(&[Arc::new(receipt(2)), Arc::new(receipt(1))]).await.unwrap();
        let desk = Desk::new(store, Registry::new());
        let owner = Actor::operator("owner");
        let kept = desk.kept(&owner).await.unwrap();
        assert_eq!((kept.receipts, kept.since, kept.archived), (2, Some(receipt(1).at), 0));
        assert_eq!(kept.folder, None);
        let kept = desk.clone().with_archive("old".into()).kept(&owner).await.unwrap();
        assert_eq!(kept.folder.as_deref(), Some("old"));
        let user = Actor::of(&User { role: Role::Reseller, ..User::default() });
        assert!(matches!(desk.kept(&user).await, Err(UseCaseError::Forbidden(_))));
        assert_eq!(desk.archived(&owner, receipt(1).id).await.unwrap(), None);
    }
}

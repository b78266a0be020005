//! Copies of the database, beside it.

use super::audit::Change;
use super::{Actor, Desk};
use crate::people::Action;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{TenantId, UnixMicros};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// How many copies are kept; the oldest go.
pub const KEPT: usize = 14;

/// A copy of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupView {
    /// The file's name; it lies in the folder of copies.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// When it was made.
    pub at: UnixMicros,
}

/// The copies there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backups {
    /// Where they lie; `None` where copies cannot be made here: the database has its own tools.
    pub folder: Option<String>,
    /// The newest first.
    pub copies: Vec<BackupView>,
}

impl Desk {
    /// Copies of the database lie in that folder; it is made when the first one is. Without one no copies are made here.
    #[must_use]
    pub fn with_backups(mut self, folder: PathBuf) -> Desk {
        self.backups = Some(folder.into());
        self
    }

    fn backup_folder(&self) -> Option<&Path> {
        self.backups.as_deref().filter(|_| self.store.backs_up())
    }

    /// The copies there are.
    ///
    /// # Errors
    /// `Forbidden` for whoever may not decide for the house; `Store(Unavailable)` where the folder cannot be read.
    pub async fn list_backups(&self, actor: &Actor) -> UseCaseResult<Backups> {
        actor.check_in_house(Action::ManageHouse)?;
        let Some(folder) = self.backup_folder().map(Path::to_owned) else {
            return Ok(Backups { folder: None, copies: Vec::new() });
        };
        let shown = folder.display().to_string();
        let read = tokio::task::spawn_blocking(move || copies(&folder)).await;
        let copies = read.map_err(|_| away("the folder was not read"))?.map_err(|e| away(&e.to_string()))?;
        Ok(Backups { folder: Some(shown), copies })
    }

    /// Makes a copy, checks it, and forgets the oldest beyond [`KEPT`]. It holds everything but the key that credentials are
    /// encrypted with.
    ///
    /// # Errors
    /// `Forbidden` for whoever may not decide for the house; `Invalid` where copies cannot be made here; the store's.
    pub async fn back_up(&self, actor: &Actor) -> UseCaseResult<BackupView> {
        actor.check_in_house(Action::ManageHouse)?;
        let Some(folder) = self.backup_folder().map(Path::to_owned) else {
            return Err(UseCaseError::invalid(
                "backup",
                ("this database is copied by its own tools", "这种数据库请用它自己的工具备份"),
            ));
        };
        let now = UnixMicros::now();
        let name = format!("burncloud-{}.db", now.0 / 1000);
        let place = folder.join(&name);
        let made = tokio::task::spawn_blocking({
            let folder = folder.clone();
            move || std::fs::create_dir_all(folder)
        });
        made.await.map_err(|_| away("the folder was not made"))?.map_err(|e| away(&e.to_string()))?;
        let done = self.store.backup(&place).await?;
        let view = BackupView { name: name.clone(), bytes: done.bytes, at: now };
        let change = Change {
            action: "backup.make",
            subject: format!("backup:{name}"),
            name,
            tenant: TenantId::default(),
            before: Value::Null,
            after: json!({ "bytes": done.bytes, "checked": done.checked }),
        };
        self.note(actor, change).await?;
        let forgotten = tokio::task::spawn_blocking(move || forget(&folder)).await;
        if !matches!(forgotten, Ok(Ok(()))) {
            tracing::warn!("old copies of the database could not be removed");
        }
        Ok(view)
    }
}

fn away(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

/// When a copy of that name was made; `None` for what is none of ours.
fn moment(name: &str) -> Option<UnixMicros> {
    let digits = name.strip_prefix("burncloud-")?.strip_suffix(".db")?;
    digits.parse::<i64>().ok()?.checked_mul(1000).map(UnixMicros)
}

fn copies(folder: &Path) -> std::io::Result<Vec<BackupView>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(at) = moment(&name) {
            all.push(BackupView { bytes: entry.metadata()?.len(), name, at });
        }
    }
    all.sort_unstable_by_key(|copy| std::cmp::Reverse(copy.at));
    Ok(all)
}

fn forget(folder: &Path) -> std::io::Result<()> {
    copies(folder)?.iter().skip(KEPT).try_for_each(|copy| std::fs::remove_file(folder.join(&copy.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::store::MemoryStore;
    use burncloud_core::{Role, User};
    use std::sync::Arc;

    #[test]
    fn only_our_own_files_are_copies_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..=KEPT {
            std::fs::write(folder.path().join(format!("burncloud-{n}.db")), "x").unwrap();
        }
        std::fs::write(folder.path().join("notes.db"), "x").unwrap();
        std::fs::write(folder.path().join("burncloud-x.db"), "x").unwrap();
        forget(folder.path()).unwrap();
        let left = copies(folder.path()).unwrap();
        assert_eq!((left.len(), left[0].at, left.last().unwrap().at.0), (KEPT, UnixMicros(14_000), 1_000));
        assert!(folder.path().join("notes.db").exists() && folder.path().join("burncloud-x.db").exists());
        assert!(copies(&folder.path().join("none")).unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_store_that_cannot_says_so_and_only_the_house_asks() {
        let store = Arc::new(MemoryStore::default());
        let desk = Desk::new(store, burncloud_core::adapter::Registry::new()).with_backups("copies".into());
        let owner = Actor::operator("owner");
        assert_eq!(desk.list_backups(&owner).await.unwrap().folder, None);
        assert!(matches!(desk.back_up(&owner).await, Err(UseCaseError::Invalid { .. })));
        let user = Actor::of(&User { role: Role::Reseller, ..User::default() });
        assert!(matches!(desk.back_up(&user).await, Err(UseCaseError::Forbidden(_))));
        assert!(matches!(desk.list_backups(&user).await, Err(UseCaseError::Forbidden(_))));
    }
}

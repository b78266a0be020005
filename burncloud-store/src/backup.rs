//! A copy of the database, made while it is in use.

use crate::{SqlStore, backend};
use async_trait::async_trait;
use burncloud_core::store::{BackupDone, BackupStore, StoreError, StoreResult};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Two files of ours: the copy while it grows, and its name, taken until the copy has it. Both go away again unless it is
/// finished, also when whoever waits for it goes away.
struct Draft {
    to: PathBuf,
    growing: Option<PathBuf>,
    done: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.done {
            // Whatever stays behind is in nobody's way but a later copy's of the same name, which says so.
            let _ = std::fs::remove_file(&self.to);
            let _ = self.growing.as_ref().map(std::fs::remove_file);
        }
    }
}

/// Makes an empty file for its owner alone where there is none.
fn create(path: &Path) -> StoreResult<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Conflict { what: "file", name: path.display().to_string() },
        _ => StoreError::Invalid(format!("the copy `{}` cannot be made: {error}", path.display())),
    })
}

impl Draft {
    fn new(to: &Path) -> StoreResult<Draft> {
        create(to)?;
        let mut draft = Draft { to: to.to_owned(), growing: None, done: false };
        let growing = to.with_added_extension("partial");
        create(&growing)?;
        draft.growing = Some(growing);
        Ok(draft)
    }

    fn growing(&self) -> &Path {
        self.growing.as_deref().unwrap_or(&self.to)
    }

    /// Gives the copy its name, on the disk; answers how long it is.
    fn finish(mut self) -> Result<u64, Error> {
        let file = OpenOptions::new().read(true).write(true).open(self.growing())?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        std::fs::rename(self.growing(), &self.to)?;
        if let Some(folder) = self.to.parent().filter(|_| cfg!(unix)) {
            File::open(folder)?.sync_all()?;
        }
        self.done = true;
        Ok(bytes)
    }
}

impl SqlStore {
    /// Copies a SQLite database, as it is at one moment, into a new file at `to`, for its owner alone, and reads the copy
    /// again to see that it is whole. Others go on reading and writing. Answers how long the file is, in bytes.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if there is something at `to`, [`StoreError::Invalid`] if no file can be made there, the copy
    /// is not whole, or this is another database; nothing is left behind.
    pub async fn backup(&self, to: &Path) -> StoreResult<u64> {
        if !self.backs_up() {
            return Err(StoreError::Invalid(
                "only SQLite databases in a file are copied from here: copy a PostgreSQL database with pg_dump, \
                 one of MySQL with mysqldump"
                    .into(),
            ));
        }
        let failed = |error: Error| StoreError::Unavailable(format!("the copy cannot be kept: {error}"));
        let to = std::path::absolute(to).map_err(failed)?;
        let draft = Draft::new(&to)?;
        backend::copy(&self.write, draft.growing()).await?;
        if !backend::is_whole(draft.growing()).await? {
            return Err(StoreError::Invalid(
                "the copy is not whole, so perhaps neither is the database: check it with PRAGMA integrity_check; \
                 the copy was not kept"
                    .into(),
            ));
        }
        draft.finish().map_err(failed)
    }
}

#[async_trait]
impl BackupStore for SqlStore {
    async fn backup(&self, to: &Path) -> StoreResult<BackupDone> {
        let bytes = SqlStore::backup(self, to).await?;
        Ok(BackupDone { bytes, checked: true })
    }

    fn backs_up(&self) -> bool {
        backend::is_file(&self.write)
    }
}

#[cfg(all(test, unix, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::SecretBox;
    use burncloud_core::store::UserStore;
    use std::os::unix::fs::FileExt;

    #[tokio::test]
    async fn damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
        let store = SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap();
        let tenant = store.tenants().await.unwrap()[0].id;
        for n in 0..300 {
            let name = format!("{n:0>200}");
            let user = burncloud_core::store::NewUser { name, tenant, ..Default::default() };
            store.create_user(user).await.unwrap();
        }
        let to = folder.path().join("copy.db");
        let bytes = store.backup(&to).await.unwrap();
        assert!(backend::is_whole(&to).await.unwrap());
        let file = OpenOptions::new().write(true).open(&to).unwrap();
        // Pages in the middle: the header is as it was.
        file.write_all_at(&[0xa5; 16_384], bytes / 8 * 4).unwrap();
        assert!(!backend::is_whole(&to).await.unwrap(), "overwritten pages");
        file.set_len(bytes / 2).unwrap();
        assert!(!backend::is_whole(&to).await.unwrap(), "a file cut short");
        std::fs::write(&to, "no database at all, but a text").unwrap();
        assert!(!backend::is_whole(&to).await.unwrap(), "another file");
        file.set_len(0).unwrap();
        assert!(!backend::is_whole(&to).await.unwrap(), "an empty file");
    }
}

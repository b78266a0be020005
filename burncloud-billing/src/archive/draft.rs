//! A file while it grows: nobody takes it for a finished one.

use super::ArchiveError;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const PARTIAL: &str = ".partial";
/// What a process that was killed left behind is removed once it is so old: no file grows for so long.
const LEFT_BEHIND: Duration = Duration::from_secs(86_400);

pub(super) struct Draft {
    folder: PathBuf,
    growing: PathBuf,
    to: BufWriter<File>,
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Finished it has another name, and this one is in nobody's way.
        let _ = std::fs::remove_file(&self.growing);
    }
}

impl Draft {
    /// Begins a file in that folder, which is made if need be; both for their owner alone.
    pub(super) fn new(folder: &Path) -> Result<Draft, ArchiveError> {
        let failed = |error: std::io::Error| ArchiveError::file(folder, error);
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(failed)?;
        sweep(folder).map_err(failed)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| ArchiveError::file(folder, error))?;
        let name = format!("receipts-{}{PARTIAL}", crate::proof::hex(&random));
        let growing = folder.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&growing).map_err(|error| ArchiveError::file(&growing, error))?;
        Ok(Draft { folder: folder.to_owned(), growing, to: BufWriter::new(file) })
    }

    /// Writes a line; its end is added.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), ArchiveError> {
        let written = self.to.write_all(line).and_then(|()| self.to.write_all(b"\n"));
        written.map_err(|error| ArchiveError::file(&self.growing, error))
    }

    /// Has all of it on the disk; where it can be read.
    pub(super) fn close(&mut self) -> Result<PathBuf, ArchiveError> {
        let closed = self.to.flush().and_then(|()| self.to.get_ref().sync_all());
        closed.map_err(|error| ArchiveError::file(&self.growing, error))?;
        Ok(self.growing.clone())
    }

    /// Gives it its name, on the disk. `false` where there is a file of that name: it stays, as the store may know it.
    pub(super) fn finish(self, name: &str) -> Result<bool, ArchiveError> {
        let path = self.folder.join(name);
        let finished = give_name(&self.growing, &path).and_then(|given| {
            if cfg!(unix) {
                File::open(&self.folder)?.sync_all()?;
            }
            Ok(given)
        });
        finished.map_err(|error| ArchiveError::file(&path, error))
    }
}

/// Unlike a renaming, a link takes the place of no other file.
fn give_name(from: &Path, to: &Path) -> std::io::Result<bool> {
    match std::fs::hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        // Some file systems have no links.
        Err(_) if !to.try_exists()? => std::fs::rename(from, to).map(|()| true),
        linked => linked.map(|()| true),
    }
}

fn sweep(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !(name.starts_with("receipts-") && name.ends_with(PARTIAL)) {
            continue;
        }
        // Another process may remove it at the same moment.
        let Ok(changed) = entry.metadata().and_then(|found| found.modified()) else { continue };
        if SystemTime::now().duration_since(changed).is_ok_and(|age| age > LEFT_BEHIND) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finished_is_not_there_and_what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("archive");
        let mut draft = Draft::new(&folder).unwrap();
        draft.line(b"one").unwrap();
        drop(draft);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        for (line, given) in [("two", true), ("three", false)] {
            let mut draft = Draft::new(&folder).unwrap();
            draft.line(line.as_bytes()).unwrap();
            let growing = draft.close().unwrap();
            assert_eq!(std::fs::read_to_string(&growing).unwrap(), format!("{line}\n"));
            assert_eq!(draft.finish("receipts-1-1.jsonl").unwrap(), given);
            let kept = std::fs::read_to_string(folder.join("receipts-1-1.jsonl")).unwrap();
            assert_eq!(kept, "two\n");
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("archive");
        Draft::new(&folder).unwrap().finish("receipts-1-1.jsonl").unwrap();
        let path = folder.join("receipts-1-1.jsonl");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn only_old_leftovers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - LEFT_BEHIND - Duration::from_secs(60);
        for (name, at) in [
            ("receipts-00.partial", old),
            ("receipts-01.partial", SystemTime::now()),
            ("receipts-1-1.jsonl", old),
            ("notes.partial", old),
        ] {
            File::create(folder.path().join(name)).unwrap().set_modified(at).unwrap();
        }
        sweep(folder.path()).unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort_unstable();
        assert_eq!(left, ["notes.partial", "receipts-01.partial", "receipts-1-1.jsonl"]);
    }
}

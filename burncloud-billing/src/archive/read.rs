//! What lies in the files, beside what the store knows of it.

use super::{ArchiveError, read_file};
use crate::proof::{ExportedLink, PublicKey, hex};
use burncloud_core::store::{ArchiveStore, Archived, StoreError};
use std::path::Path;
use tokio::sync::mpsc;

/// Parts that are read from the store at once.
const PAGE: u32 = 500;
/// Links that wait to be looked at; each has a thousand receipts at most.
const AHEAD: usize = 4;

/// Reads every link that was archived from its file in this folder, in order, verifies it with these keys and against the
/// store's own link, and calls `each` with it. How many files were read.
///
/// # Errors
/// The first thing that is wrong: a file that is missing, is not the one that was recorded, or holds other links than the
/// store; a part of the chain that no file was recorded for. Or what `each` says.
pub async fn read_archives<S, E>(
    store: &S,
    folder: &Path,
    keys: &[PublicKey],
    mut each: impl AsyncFnMut(ExportedLink) -> Result<(), E>,
) -> Result<u64, E>
where
    S: ArchiveStore + ?Sized,
    E: From<ArchiveError>,
{
    let away = |error: StoreError| E::from(ArchiveError::Store(error));
    let (mut files, mut after) = (0, 0);
    let mut open: Option<Archived> = None;
    loop {
        let parts = store.archives(after, PAGE).await.map_err(away)?;
        let Some(end) = parts.last() else { break };
        after = end.first;
        for part in parts {
            match &mut open {
                Some(file) if same_file(file, &part) => {
                    file.last = part.last;
                    file.receipts += part.receipts;
                }
                _ => {
                    if let Some(file) = open.replace(part) {
                        read_one(store, folder, keys, &file, &mut each).await?;
                        files += 1;
                    }
                }
            }
        }
    }
    if let Some(file) = open {
        read_one(store, folder, keys, &file, &mut each).await?;
        files += 1;
    }
    Ok(files)
}

fn same_file(one: &Archived, next: &Archived) -> bool {
    one.last + 1 == next.first && one.file == next.file && one.sha256 == next.sha256
}

/// Reads the links `of.first` to `of.last` from their file.
async fn read_one<S, E>(
    store: &S,
    folder: &Path,
    keys: &[PublicKey],
    of: &Archived,
    each: &mut impl AsyncFnMut(ExportedLink) -> Result<(), E>,
) -> Result<(), E>
where
    S: ArchiveStore + ?Sized,
    E: From<ArchiveError>,
{
    // A name and no path: what the store says leads nowhere else.
    let path = folder.join(Path::new(&of.file).file_name().unwrap_or_default());
    let (send, mut links) = mpsc::channel(AHEAD);
    let (place, keys) = (path.clone(), keys.to_vec());
    let reader = tokio::task::spawn_blocking(move || {
        let gone = || ArchiveError::Store(StoreError::Unavailable("the reading broke off".into()));
        read_file::<ArchiveError>(&place, &keys, |link| send.blocking_send(link).map_err(|_| gone()))
    });
    let (mut next, mut receipts) = (of.first, 0);
    while let Some(link) = links.recv().await {
        if link.sequence != next || next > of.last {
            continue;
        }
        let stored = store.seals(next - 1, 1).await.map_err(|error| E::from(ArchiveError::Store(error)))?;
        if stored.first().map(|stored| (stored.sequence, stored.hash)) != Some((next, link.hash)) {
            let why = format!("link {next} is not the one that the store has");
            return Err(ArchiveError::other(&path, why).into());
        }
        next += 1;
        receipts += link.receipts.len() as u64;
        each(link).await?;
    }
    let broken = |_| ArchiveError::Store(StoreError::Unavailable("the reading broke off".into()));
    let seen = reader.await.map_err(broken)??;
    if seen.sha256 != of.sha256 {
        let why = format!("its SHA-256 is {} and was {}", hex(&seen.sha256), hex(&of.sha256));
        return Err(ArchiveError::other(&path, why).into());
    }
    if next != of.last + 1 || receipts != of.receipts {
        let why = format!(
            "links {} to {} with {} receipts were archived in it, and {receipts} receipts to link {} are there",
            of.first,
            of.last,
            of.receipts,
            next - 1
        );
        return Err(ArchiveError::other(&path, why).into());
    }
    Ok(())
}

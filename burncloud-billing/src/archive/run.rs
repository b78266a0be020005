//! Writing files, and having the store give away what lies in them.

use super::draft::Draft;
use super::{ArchiveError, FileSeen, name, read_file};
use crate::proof::{Footer, Hash, ProofError, PublicKey, export_line, footer_line, header_line};
use burncloud_core::UnixMicros;
use burncloud_core::store::{ArchiveStore, Archived, Sealed, StoreError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Links that are read from the store at once; each has a thousand receipts at most.
const PAGE: u32 = 8;
/// A file is finished with the link that makes it hold so many receipts.
const FILE: u64 = 50_000;
/// Receipts that are taken out in one transaction, or those of one link.
const PART: u64 = 1_000;

/// What is archived, and where to.
#[derive(Clone, Debug)]
pub struct ArchiveOptions {
    /// Links that were made before this moment, and hold no request that arrived at it or later.
    pub before: UnixMicros,
    /// Where files lie; it is made if need be, for its owner alone.
    pub folder: PathBuf,
    /// How long the store is left alone after each page that is read and each part that is taken out.
    pub pause: Duration,
}

/// What was archived by one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveDone {
    /// Links.
    pub links: u64,
    /// Receipts in them.
    pub receipts: u64,
    /// The names of the files they lie in.
    pub files: Vec<String>,
}

/// A link that lies in a file.
struct Written {
    sequence: i64,
    hash: Hash,
    receipts: u64,
    /// When the link was made, or the last of its requests arrived.
    newest: UnixMicros,
}

/// A file that was read from the disk and verified.
struct Verified {
    path: PathBuf,
    name: String,
    seen: FileSeen,
    links: Vec<Written>,
}

/// Archives everything that is old enough, from the oldest link on to the first that is not. What has no link stays: it was
/// recorded without a signing key.
///
/// May be interrupted anywhere, and called again. Of two at the same time one ends with [`ArchiveError::Busy`].
///
/// # Errors
/// The first thing that is wrong. What was archived before it stays so.
pub async fn archive<S: ArchiveStore + ?Sized>(
    store: &S,
    options: &ArchiveOptions,
) -> Result<ArchiveDone, ArchiveError> {
    let mut done = ArchiveDone::default();
    if let Some(begun) = begun(store, options).await? {
        take(store, options, &begun, &mut done).await?;
    }
    while let Some(next) = write_next(store, options).await? {
        take(store, options, &next, &mut done).await?;
    }
    Ok(done)
}

/// The file that an interrupted run was taking receipts into, if it is there as it was: the rest of its links need no other.
async fn begun<S: ArchiveStore + ?Sized>(
    store: &S,
    options: &ArchiveOptions,
) -> Result<Option<Verified>, ArchiveError> {
    let Some(last) = store.last_archive().await? else { return Ok(None) };
    if name::links(&last.file).is_none_or(|(_, end)| end <= last.last) {
        return Ok(None);
    }
    let path = options.folder.join(&last.file);
    match verified(store, path, last.file, &[]).await {
        Ok(file) if file.seen.sha256 == last.sha256 => {
            let links = file.links.into_iter();
            let links: Vec<_> = links.filter(|link| link.sequence > last.last).collect();
            same_links(store, &file.path, &links).await?;
            Ok(Some(Verified { links, ..file }))
        }
        // In another folder, or gone: what is left goes into another file.
        Ok(_) | Err(ArchiveError::File { .. } | ArchiveError::Line { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the next file, and reads it back. `None` if nothing (more) is old enough.
async fn write_next<S: ArchiveStore + ?Sized>(
    store: &S,
    options: &ArchiveOptions,
) -> Result<Option<Verified>, ArchiveError> {
    let first = store.last_archive().await?.map_or(0, |last| last.last) + 1;
    let (mut last, mut footer, mut draft) = (first - 1, Footer::default(), None);
    let mut hashes = Vec::new();
    'all: while footer.receipts < FILE {
        let links = store.seals(last, PAGE).await?;
        if links.is_empty() {
            break;
        }
        for link in links {
            let Some(line) = old_line(store, &link, last + 1, options.before).await? else { break 'all };
            let growing = match draft.take() {
                Some(growing) => growing,
                None => begin(store, &options.folder).await?,
            };
            draft = Some(write(growing, line).await?);
            footer.add(&link);
            hashes.push((link.sequence, link.hash));
            last = link.sequence;
            if footer.receipts >= FILE {
                break;
            }
        }
        tokio::time::sleep(options.pause).await;
    }
    let Some(draft) = draft else { return Ok(None) };
    let mut draft = write(draft, footer_line(&footer)).await?;
    let name = name::of(first, last);
    let (draft, growing) = blocking(move || draft.close().map(|growing| (draft, growing))).await?;
    // Before it has its name: what is not in order never gets one.
    let file = verified(store, growing, name.clone(), &hashes).await?;
    let path = options.folder.join(&name);
    let given = blocking(move || draft.finish(&name).map(|given| (given, name))).await?;
    match given {
        (true, _) => Ok(Some(Verified { path, ..file })),
        // An earlier run was interrupted between this and the store.
        (false, name) => verified(store, path, name, &hashes).await.map(Some),
    }
}

/// A link as a line, if all of it is old enough.
async fn old_line<S: ArchiveStore + ?Sized>(
    store: &S,
    link: &Sealed,
    expected: i64,
    before: UnixMicros,
) -> Result<Option<Vec<u8>>, ArchiveError> {
    if link.sequence != expected {
        return Err(ArchiveError::Chain(ProofError::Gap { expected, found: link.sequence }));
    }
    if link.at >= before {
        return Ok(None);
    }
    let receipts = store.receipts_by_id(&link.receipts).await?;
    if receipts.iter().any(|receipt| receipt.at >= before) {
        return Ok(None);
    }
    let mut line = Vec::new();
    export_line(link, &receipts, &mut line).map_err(ArchiveError::Chain)?;
    Ok(Some(line))
}

async fn begin<S: ArchiveStore + ?Sized>(store: &S, folder: &Path) -> Result<Draft, ArchiveError> {
    let (folder, header) = (folder.to_owned(), header_line(&store.proof_keys().await?));
    write(blocking(move || Draft::new(&folder)).await?, header).await
}

async fn write(mut draft: Draft, line: Vec<u8>) -> Result<Draft, ArchiveError> {
    blocking(move || draft.line(&line).map(|()| draft)).await
}

/// Reads a file from the disk, verifies it as anybody would with the house's public keys, and looks whether it holds these
/// links (none: any).
async fn verified<S: ArchiveStore + ?Sized>(
    store: &S,
    path: PathBuf,
    name: String,
    expected: &[(i64, Hash)],
) -> Result<Verified, ArchiveError> {
    let keys: Vec<PublicKey> = store.proof_keys().await?.into_iter().map(PublicKey::from).collect();
    let (path, seen, links) = blocking(move || {
        let mut links = Vec::new();
        let seen = read_file::<ArchiveError>(&path, &keys, |link| {
            let newest = link.receipts.iter().map(|receipt| receipt.at).chain([link.at]).max();
            links.push(Written {
                sequence: link.sequence,
                hash: link.hash,
                receipts: link.receipts.len() as u64,
                newest: newest.unwrap_or(link.at),
            });
            Ok(())
        })?;
        Ok((path, seen, links))
    })
    .await?;
    let found = links.iter().map(|link| (link.sequence, link.hash));
    if !expected.is_empty() && !found.eq(expected.iter().copied()) {
        let why = "it holds other receipts than the store; move it elsewhere";
        return Err(ArchiveError::other(&path, why));
    }
    Ok(Verified { path, name, seen, links })
}

/// Whether the store has the same links.
async fn same_links<S: ArchiveStore + ?Sized>(
    store: &S,
    path: &Path,
    links: &[Written],
) -> Result<(), ArchiveError> {
    for some in links.chunks(PAGE as usize) {
        let stored = store.seals(some[0].sequence - 1, PAGE).await?;
        let stored = stored.iter().map(|link| (link.sequence, link.hash)).take(some.len());
        if !stored.eq(some.iter().map(|link| (link.sequence, link.hash))) {
            return Err(ArchiveError::other(path, "it holds other links than the store"));
        }
    }
    Ok(())
}

/// Has the store give away what lies in a file, part by part.
async fn take<S: ArchiveStore + ?Sized>(
    store: &S,
    options: &ArchiveOptions,
    file: &Verified,
    done: &mut ArchiveDone,
) -> Result<(), ArchiveError> {
    let old = file.links.iter().position(|link| link.newest >= options.before);
    let mut links = &file.links[..old.unwrap_or(file.links.len())];
    while !links.is_empty() {
        let mut receipts = 0;
        let most = links.iter().take_while(|link| {
            let room = receipts == 0 || receipts + link.receipts <= PART;
            receipts += if room { link.receipts } else { 0 };
            room
        });
        let (part, rest) = links.split_at(most.count().max(1));
        links = rest;
        still_there(file).await?;
        let part = Archived {
            first: part.first().map_or(0, |link| link.sequence),
            last: part.last().map_or(0, |link| link.sequence),
            receipts,
            total: 0,
            file: file.name.clone(),
            sha256: file.seen.sha256,
            at: UnixMicros::now(),
        };
        store.archive(&part).await.map_err(|error| match error {
            StoreError::Conflict { .. } => ArchiveError::Busy,
            error => ArchiveError::Store(error),
        })?;
        done.links += part.last.abs_diff(part.first) + 1;
        done.receipts += part.receipts;
        if done.files.last() != Some(&file.name) {
            done.files.push(file.name.clone());
        }
        tokio::time::sleep(options.pause).await;
    }
    Ok(())
}

/// Nobody has taken the file away since it was verified.
async fn still_there(file: &Verified) -> Result<(), ArchiveError> {
    let (path, bytes) = (file.path.clone(), file.seen.bytes);
    blocking(move || {
        let found = path.metadata().map_err(|error| ArchiveError::file(&path, error))?;
        if found.len() == bytes {
            Ok(())
        } else {
            Err(ArchiveError::other(&path, "it was changed meanwhile"))
        }
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    let broken = |_| StoreError::Unavailable("the work on a file broke off".into());
    tokio::task::spawn_blocking(work).await.map_err(broken)?
}

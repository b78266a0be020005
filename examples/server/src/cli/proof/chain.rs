//! The store's own chain: verified, and its oldest links archived.

use crate::cli::{CliError, CliResult, Output};
use burncloud_billing::archive::{ArchiveError, ArchiveOptions, archive, read_archives};
use burncloud_billing::proof::{ChainCheck, ProofError, PublicKey, hex};
use burncloud_core::UnixMicros;
use burncloud_core::store::{ArchiveStore, ProofStore, Sealed};
use burncloud_store::SqlStore;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::PAGE;

/// How often the chain is read because receipts are archived meanwhile.
const ROUNDS: usize = 5;
/// Between two pages or parts: a running server comes first.
const PAUSE: Duration = Duration::from_millis(20);

/// What was verified.
pub(super) struct Seen {
    check: ChainCheck,
    /// Links and receipts whose documents are no longer in the store.
    archived: (i64, u64),
    /// Files that were read.
    files: u64,
}

/// Verifies the chain, and with a folder the files of what was archived.
pub(super) async fn verify(
    store: &SqlStore,
    mut keys: Vec<PublicKey>,
    folder: Option<&Path>,
) -> CliResult<Seen> {
    if keys.is_empty() {
        keys = store.proof_keys().await?.into_iter().map(PublicKey::from).collect();
    }
    for _ in 0..ROUNDS {
        let archived = store.last_archive().await?;
        let place = archived.as_ref().map_or((0, 0), |last| (last.last, last.total));
        let seen = verify_once(store, &keys, place, folder).await;
        if store.last_archive().await? == archived {
            return seen;
        }
    }
    Err("receipts were archived all the while it was verified; verify it again when that is over".into())
}

async fn verify_once(
    store: &SqlStore,
    keys: &[PublicKey],
    archived: (i64, u64),
    folder: Option<&Path>,
) -> CliResult<Seen> {
    let mut check = ChainCheck::from_start(keys.to_vec());
    let mut after = 0;
    loop {
        let links: Vec<Sealed> = store.seals(after, PAGE).await?;
        let Some(last) = links.last() else { break };
        after = last.sequence;
        for link in &links {
            if link.sequence > archived.0 {
                check.stored(link, &store.receipts_by_id(&link.receipts).await?)?;
                continue;
            }
            check.archived(link)?;
            known_as_archived(store, link).await?;
            if link.sequence == archived.0 && check.receipts() != archived.1 {
                let (said, there) = (archived.1, check.receipts());
                return Err(format!(
                    "{said} receipts were archived up to link {after}, and its links list {there}"
                )
                .into());
            }
        }
    }
    if after < archived.0 {
        return Err(ProofError::Gap { expected: after + 1, found: archived.0 + 1 }.into());
    }
    if let Some((id, sequence)) = store.unlisted_receipt().await? {
        return Err(ProofError::Unlisted { id, sequence }.into());
    }
    let files = match folder {
        Some(folder) => read_archives::<_, ArchiveError>(store, folder, keys, async |_| Ok(())).await?,
        None => 0,
    };
    Ok(Seen { check, archived, files })
}

/// Each of its receipts is known as archived with it, so none can be recorded again.
async fn known_as_archived(store: &SqlStore, link: &Sealed) -> CliResult {
    let known = store.archived_receipts(&link.receipts).await?;
    let mut known = known.iter().filter(|one| one.link == link.sequence).map(|one| one.id).peekable();
    match link.receipts.iter().find(|id| known.next_if_eq(*id).is_none()) {
        None => Ok(()),
        Some(id) => Err(CliError::from(format!(
            "receipt {id} of link {}, which is archived, is not known as archived: it could be recorded again",
            link.sequence
        ))),
    }
}

/// Says what was looked at, and what was not.
pub(super) fn show(out: &Output, seen: &Seen, files: bool) -> CliResult {
    let Seen { check, archived: (links, receipts), files: read } = seen;
    let (first, last) = check.first().zip(check.last()).unzip();
    let mut lines = vec![super::chain_line(check)];
    if *receipts > 0 {
        lines.push(match files {
            true => format!("links 1 to {links} with {receipts} receipts are archived; they were read from {read} files"),
            false => format!(
                "of these, links 1 to {links} with {receipts} receipts are archived: their order and signatures are \
                 right, but what their receipts say was not looked at; --archive DIR reads the files"
            ),
        });
    }
    out.show(
        &json!({ "ok": true, "first": first, "last": last.map(|(last, _)| last), "receipts": check.receipts(),
            "link_hash": last.map(|(_, hash)| hex(&hash)), "archived_links": links, "archived_receipts": receipts,
            "archive_files_read": read }),
        &lines,
    )
}

/// Moves what is older into files.
pub(super) async fn archive_before(
    store: &SqlStore,
    before: UnixMicros,
    folder: PathBuf,
    out: &Output,
) -> CliResult {
    if before > UnixMicros::now() {
        return Err("--before is in the future: what is still being recorded is not archived".into());
    }
    let options = ArchiveOptions { before, folder, pause: PAUSE };
    let done = archive(store, &options).await?;
    let mut lines = vec![match done.links {
        0 => "nothing is old enough to be archived; receipts without a link stay".to_owned(),
        links => format!("{links} links with {} receipts in {}:", done.receipts, options.folder.display()),
    }];
    lines.extend(done.files.iter().cloned());
    out.show(&json!({ "links": done.links, "receipts": done.receipts, "files": done.files }), &lines)
}

//! `burncloud receipts key`, `export`, `archive` and `verify`.

mod chain;

use super::args::ReceiptsCommand;
use super::{CliResult, Output};
use crate::moment;
use crate::serve::{make_signing_key, open_store};
use burncloud_billing::proof::{
    Answer, ChainCheck, Footer, ProofError, PublicKey, Verified, export_line, footer_line, header_line, hex,
    read_footer, read_header, read_link, verify_receipt,
};
use burncloud_core::UnixMicros;
use burncloud_core::store::{ArchiveStore, ProofStore};
use burncloud_store::SqlStore;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Links that are read from the store at once; each has a thousand receipts at most.
const PAGE: u32 = 16;

/// The part of `burncloud receipts` that needs no [`Desk`](super::Desk).
pub(super) fn is_proof(command: &ReceiptsCommand) -> bool {
    matches!(
        command,
        ReceiptsCommand::Archive { .. }
            | ReceiptsCommand::Key { .. }
            | ReceiptsCommand::Export { .. }
            | ReceiptsCommand::Verify { .. }
    )
}

/// Carries one out; `opened` opens the store, which a file to be verified does without.
///
/// # Errors
/// What is wrong: with a proof, the first thing.
pub(super) async fn run(command: ReceiptsCommand, out: &Output, config: super::Places<'_>) -> CliResult {
    match command {
        ReceiptsCommand::Verify { file: Some(file), keys, .. } => {
            let shown = file.display().to_string();
            let (out, keys) = (*out, keys);
            let checked = tokio::task::spawn_blocking(move || verify_file(&file, &keys)).await?;
            let seen = checked.map_err(|wrong| format!("{shown}: {wrong}"))?;
            show(&out, &seen)
        }
        ReceiptsCommand::Verify { file: None, keys, archive } => {
            let store = config.open().await?;
            let seen = chain::verify(&store, keys, archive.as_deref()).await?;
            chain::show(out, &seen, archive.is_some())
        }
        ReceiptsCommand::Archive { before, to } => {
            let store = config.open().await?;
            chain::archive_before(&store, before, to, out).await
        }
        ReceiptsCommand::Export { file, since, until } => {
            let store = config.open().await?;
            export(&*store, &file, since, until, out).await
        }
        ReceiptsCommand::Key { all, rotate } => {
            let store = config.open().await?;
            key(&store, all, rotate, out).await
        }
        ReceiptsCommand::List { .. } | ReceiptsCommand::Show { .. } => Ok(()),
    }
}

impl super::Places<'_> {
    async fn open(&self) -> CliResult<Arc<SqlStore>> {
        let (store, _) = self.0.map(crate::config::Config::load_places).transpose()?.unwrap_or_default();
        super::at_hand(&store, false)?;
        open_store(&store).await
    }
}

async fn key(store: &SqlStore, all: bool, rotate: bool, out: &Output) -> CliResult {
    if rotate || store.proof_keys().await?.is_empty() {
        make_signing_key(store).await?;
    }
    let mut keys = store.proof_keys().await?;
    keys.reverse();
    let one = |key: &burncloud_core::store::ProofKey| json!({ "id": hex(&key.id), "public_key": hex(&key.public), "since": key.since });
    if all {
        let rows: Vec<_> = keys.iter().map(|k| [hex(&k.public), hex(&k.id), moment::show(k.since)]).collect();
        return out.list(keys.iter().map(one).collect(), ["public key", "id", "since"], &rows);
    }
    let newest = keys.first().ok_or("there is no key")?;
    out.show(&one(newest), &[hex(&newest.public)])
}

async fn export(
    store: &dyn ArchiveStore,
    path: &Path,
    since: Option<UnixMicros>,
    until: Option<UnixMicros>,
    out: &Output,
) -> CliResult {
    let failed = |e: std::io::Error| format!("{} cannot be written: {e}", path.display());
    let mut options = OpenOptions::new();
    // What is there is kept: it may be last month's export, or the store itself. A device is not a file.
    let device = path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    options.write(true).create_new(!device);
    // It holds what only the operator may see.
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("{} is there already; name another file", path.display())
        }
        _ => failed(error),
    })?;
    let mut to = BufWriter::new(file);
    let mut write = |mut line: Vec<u8>| {
        line.push(b'\n');
        to.write_all(&line)
    };
    write(header_line(&store.proof_keys().await?)).map_err(failed)?;
    // What was archived is a file already.
    let archived = store.last_archive().await?.map_or(0, |last| last.last);
    let (mut footer, mut after, mut begun, mut left_out) = (Footer::default(), 0, false, 0_u64);
    'all: loop {
        let links = store.seals(after, PAGE).await?;
        let Some(last) = links.last() else { break };
        after = last.sequence;
        for link in &links {
            // From the first on without a hole, even where a clock was set back in between.
            begun |= since.is_none_or(|since| link.at >= since);
            if !begun {
                continue;
            }
            if until.is_some_and(|until| link.at >= until) {
                break 'all;
            }
            if link.sequence <= archived {
                left_out += 1;
                continue;
            }
            let mut line = Vec::new();
            export_line(link, &store.receipts_by_id(&link.receipts).await?, &mut line)?;
            write(line).map_err(failed)?;
            footer.add(link);
        }
    }
    write(footer_line(&footer)).map_err(failed)?;
    let file = to.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;
    let (links, receipts) = (footer.links, footer.receipts);
    let mut lines = vec![format!("{links} links with {receipts} receipts in {}", path.display())];
    if left_out > 0 {
        lines.push(format!(
            "left out: {left_out} links before them, which are archived in files of the same kind"
        ));
    }
    out.show(&json!({ "links": links, "receipts": receipts, "archived_links": left_out }), &lines)
}

/// What was verified.
enum Seen {
    Receipt(Verified),
    Chain { check: ChainCheck },
}

fn verify_file(path: &PathBuf, keys: &[PublicKey]) -> Result<Seen, String> {
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|e| format!("cannot be read: {e}"))?)
    };
    let mut input = BufReader::new(input);
    let mut first = Vec::new();
    input.read_until(b'\n', &mut first).map_err(|e| format!("cannot be read: {e}"))?;
    match read_header(&first) {
        Ok(()) => verify_export(input, keys).map_err(|(line, wrong)| format!("line {line}: {wrong}")),
        Err(wrong @ ProofError::Version(_)) => Err(wrong.to_string()),
        Err(_) => {
            input.read_to_end(&mut first).map_err(|e| format!("cannot be read: {e}"))?;
            let seen = Answer::read(&first).and_then(|answer| verify_receipt(&answer, keys));
            seen.map(Seen::Receipt).map_err(|wrong| wrong.to_string())
        }
    }
}

fn verify_export(mut input: impl BufRead, keys: &[PublicKey]) -> Result<Seen, (u64, String)> {
    let mut check = ChainCheck::new(keys.to_vec());
    let mut line = Vec::new();
    for number in 2.. {
        line.clear();
        let read =
            input.read_until(b'\n', &mut line).map_err(|e| (number, format!("it cannot be read: {e}")))?;
        if read == 0 {
            return Err((number, "the file ends before its last line: it was cut off".to_owned()));
        }
        let fits = |wrong: ProofError| (number, wrong.to_string());
        if let Some(footer) = read_footer(&line).map_err(fits)? {
            check.ends_with(&footer).map_err(fits)?;
            break;
        }
        read_link(&line, &mut check).map_err(fits)?;
    }
    Ok(Seen::Chain { check })
}

fn chain_line(check: &ChainCheck) -> String {
    match check.first().zip(check.last()) {
        Some((first, (last, hash))) => format!(
            "in order: links {first} to {last} with {} receipts; the last has the hash {}",
            check.receipts(),
            hex(&hash)
        ),
        None => "there is no link".to_owned(),
    }
}

fn show(out: &Output, seen: &Seen) -> CliResult {
    match seen {
        Seen::Receipt(seen) => out.show(
            &json!({ "ok": true, "receipt": seen.id, "link": seen.sequence, "sealed_at": seen.sealed_at,
                "link_hash": hex(&seen.link) }),
            &[format!(
                "in order: receipt {} is in link {}, made at {}, hash {}",
                seen.id,
                seen.sequence,
                moment::show(UnixMicros(seen.sealed_at)),
                hex(&seen.link)
            )],
        ),
        Seen::Chain { check } => {
            let ((first, last), receipts) = (check.first().zip(check.last()).unzip(), check.receipts());
            let line = chain_line(check);
            out.show(
                &json!({ "ok": true, "first": first, "last": last.map(|(last, _)| last), "receipts": receipts,
                    "link_hash": last.map(|(_, hash)| hex(&hash)) }),
                &[line],
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::Receipt;
    use burncloud_core::store::{ReceiptStore, Sealed, Sealer, StoreResult};
    use burncloud_core::testing::receipt;
    use burncloud_store::SecretBox;
    use std::os::unix::fs::PermissionsExt;

    /// Links as a clock dates them that is set back after the second.
    struct SetBack;

    impl Sealer for SetBack {
        fn seal(
            &self,
            last: Option<(i64, [u8; 32])>,
            entry: i64,
            receipts: &[&Receipt],
        ) -> StoreResult<Sealed> {
            let sequence = last.map_or(0, |(sequence, _)| sequence) + 1;
            Ok(Sealed {
                sequence,
                entry,
                at: UnixMicros(if sequence == 2 { 300 } else { 100 + sequence * 20 }),
                receipts: receipts.iter().map(|receipt| receipt.id).collect(),
                leaves: vec![[1; 32]; receipts.len()],
                salt: [2; 16],
                previous: last.map_or([0; 32], |(_, hash)| hash),
                root: [3; 32],
                hash: [4; 32],
                signature: vec![5; 64],
                key: [6; 8],
            })
        }
    }

    #[tokio::test]
    async fn an_export_has_no_holes_and_is_its_owners_alone() {
        let store = SqlStore::connect("sqlite::memory:", SecretBox::generate().unwrap()).await.unwrap();
        store.seal_with(Arc::new(SetBack));
        for n in 0..20 {
            store.record(&[Arc::new(receipt(n))]).await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("export.jsonl");
        let out = Output::new(super::super::output::Format::Text);
        export(&store, &file, Some(UnixMicros(250)), None, &out).await.unwrap();
        let again = export(&store, &file, None, None, &out).await.unwrap_err().to_string();
        assert!(again.contains("name another file"), "{again}");
        let lines = std::fs::read_to_string(&file).unwrap();
        let links: Vec<i64> = lines
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter_map(|line| line["link"]["sequence"].as_i64())
            .collect();
        assert_eq!(links, (2..=20).collect::<Vec<_>>());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

//! Reading a file, from its first byte to its last.

use super::ArchiveError;
use crate::proof::{
    ChainCheck, ExportedLink, Hash, ProofError, PublicKey, read_footer, read_header, read_receipts,
};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A file that was read and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSeen {
    /// SHA-256 of all of it.
    pub sha256: Hash,
    /// How long it is, in bytes.
    pub bytes: u64,
}

/// Hashes what is read through it.
struct Hashing<R> {
    from: R,
    hash: ring::digest::Context,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Reads an export and verifies it with these keys, link by link; `each` is called with every link, before it is known
/// whether the rest is in order. Blocks.
///
/// # Errors
/// The first thing that is wrong, or what `each` says.
pub fn read_file<E: From<ArchiveError>>(
    path: &Path,
    keys: &[PublicKey],
    mut each: impl FnMut(ExportedLink) -> Result<(), E>,
) -> Result<FileSeen, E> {
    let failed = |error: std::io::Error| ArchiveError::file(path, error);
    let from = File::open(path).map_err(failed)?;
    let hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut input = BufReader::with_capacity(1 << 16, Hashing { from, hash, bytes: 0 });
    let mut check = ChainCheck::new(keys.to_vec());
    let (mut line, mut ended) = (Vec::new(), false);
    for number in 1.. {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        let fits = |wrong| ArchiveError::Line { path: path.to_owned(), line: number, wrong };
        if ended {
            return Err(fits(ProofError::Json("something follows the last line".into())).into());
        }
        if number == 1 {
            read_header(&line).map_err(fits)?;
        } else if let Some(footer) = read_footer(&line).map_err(fits)? {
            check.ends_with(&footer).map_err(fits)?;
            ended = true;
        } else {
            each(read_receipts(&line, &mut check).map_err(fits)?)?;
        }
    }
    if !ended {
        return Err(ArchiveError::file(path, "it ends before its last line: it was cut off").into());
    }
    let Hashing { hash, bytes, .. } = input.into_inner();
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(hash.finish().as_ref());
    Ok(FileSeen { sha256, bytes })
}

//! The files of the journal.
//!
//! A position counts bytes since the journal was first made, headers included. A segment is named by the position of
//! its first byte, so the record at position *p* is at offset *p − start* of the segment with the largest start not
//! above *p*. Positions are never used twice; there may be gaps between segments, never overlaps.

use super::codec::{self, Frame};
use crate::error::BillingError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"bcjrnl\x01\n";
pub(super) const HEADER: u64 = MAGIC.len() as u64;
const SUFFIX: &str = "journal";

/// A file of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) start: u64,
    /// Where its records end, as far as they are durable.
    pub(super) end: u64,
    pub(super) path: PathBuf,
}

impl Segment {
    fn path(dir: &Path, start: u64) -> PathBuf {
        dir.join(format!("{start:016x}.{SUFFIX}"))
    }

    /// The segments of a directory, oldest first; `end` is the length of the file.
    pub(super) fn list(dir: &Path) -> Result<Vec<Segment>, BillingError> {
        let fail = |e| BillingError::journal("list", dir, e);
        let mut segments = Vec::new();
        for entry in fs::read_dir(dir).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let name = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.split_once('.'));
            let Some((hex, SUFFIX)) = name else { continue };
            let Ok(start) = u64::from_str_radix(hex, 16) else { continue };
            let length = fs::metadata(&path).map_err(|e| BillingError::journal("look at", &path, e))?.len();
            segments.push(Segment { start, end: start + length, path });
        }
        segments.sort_unstable_by_key(|s| s.start);
        Ok(segments)
    }

    /// Calls `each` with the position after each whole record and its payload, from `position` on (or from the first
    /// record after it). Stops at the end, or at what is no record; returns the position where it stopped.
    pub(super) fn scan(
        &self,
        position: u64,
        mut each: impl FnMut(u64, &[u8]) -> io::Result<bool>,
    ) -> io::Result<u64> {
        let mut file = File::open(&self.path)?;
        let mut at = position.max(self.start + HEADER);
        file.seek(SeekFrom::Start(at - self.start))?;
        let (mut buffer, mut used, mut filled) = (vec![0; CHUNK], 0, 0);
        while at < self.end {
            match codec::frame(&buffer[used..filled]) {
                Frame::Whole(_, length) if at + length as u64 > self.end => break,
                Frame::Whole(payload, length) => {
                    used += length;
                    at += length as u64;
                    if !each(at, payload)? {
                        break;
                    }
                }
                Frame::Bad => break,
                Frame::Cut => {
                    buffer.copy_within(used..filled, 0);
                    (filled, used) = (filled - used, 0);
                    if filled == buffer.len() {
                        buffer.resize(filled * 2, 0);
                    }
                    match file.read(&mut buffer[filled..])? {
                        0 => break,
                        n => filled += n,
                    }
                }
            }
        }
        Ok(at)
    }

    /// Whether the file begins as ours do. A file that was cut off before that holds nothing.
    pub(super) fn has_header(&self) -> io::Result<bool> {
        let mut magic = [0; MAGIC.len()];
        match File::open(&self.path)?.read_exact(&mut magic) {
            Ok(()) => Ok(magic == *MAGIC),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(e) => Err(e),
        }
    }
}

const CHUNK: usize = 256 << 10;

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Open {
    file: File,
    pub(super) segment: Segment,
}

impl Open {
    /// Makes a segment, durable in its directory.
    pub(super) fn create(dir: &Path, start: u64) -> io::Result<Open> {
        let path = Segment::path(dir, start);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let made = file.write_all(MAGIC).and_then(|()| file.sync_all()).and_then(|()| sync_dir(dir));
        if let Err(e) = made {
            // Nothing is in it; the next attempt needs the name.
            let _ = fs::remove_file(&path);
            return Err(e);
        }
        Ok(Open { file, segment: Segment { start, end: start + HEADER, path } })
    }

    /// Appends, durably, and returns the position of the first byte.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let at = self.segment.end;
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        self.segment.end += bytes.len() as u64;
        Ok(at)
    }

    /// Gives up a segment that could not be written: what is durable stays, the rest is cut off if that works.
    pub(super) fn abandon(self) -> Segment {
        let whole = self.segment.end - self.segment.start;
        let _ = self.file.set_len(whole).and_then(|()| self.file.sync_all());
        self.segment
    }
}

pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

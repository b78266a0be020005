//! Old receipts out of the store, into files that prove what they say.
//!
//! [`archive`] writes whole links, the oldest first, to files in the format of an export (see [`proof`](crate::proof)), reads
//! each file back and verifies it, and only then has the store give these receipts away. Links, entries, balances and sums
//! stay in the store, so it goes on to prove what it has; with [`read_archives`] the files are read again and compared with
//! it.
//!
//! Nothing is lost and nothing archived twice whenever it is interrupted: a file that was not finished is not there, one that
//! was finished and not yet recorded is found, verified and used by the next run, and the store records a part of a file and
//! gives its receipts away in one transaction.

mod draft;
mod error;
mod file;
mod name;
mod read;
mod run;

pub use error::ArchiveError;
pub use file::{FileSeen, read_file};
pub use read::read_archives;
pub use run::{ArchiveDone, ArchiveOptions, archive};

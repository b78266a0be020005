//! Exports: lines of JSON, the first with the keys, then one for each link with all of its receipts, the last with their
//! numbers: a file that was cut off is found.

use super::link::{LinkDocument, link_hash_of};
use super::{ChainCheck, Disclosed, Documents, Hash, ProofError, VERSION, hex, receipt_salt, unhex};
use burncloud_core::store::{ProofKey, Sealed};
use burncloud_core::{Receipt, UnixMicros};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const FORMAT: &str = "burncloud-receipts";

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    keys: Vec<Key>,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Key {
    id: String,
    public: String,
    since: UnixMicros,
}

/// The first line of an export, without its end: `{"format":"burncloud-receipts","keys":[…],"version":1}`. The keys are
/// there to be looked at; whoever verifies takes them from elsewhere.
#[must_use]
pub fn header_line(keys: &[ProofKey]) -> Vec<u8> {
    let key = |key: &ProofKey| Key { id: hex(&key.id), public: hex(&key.public), since: key.since };
    let header = Header { format: FORMAT.to_owned(), keys: keys.iter().map(key).collect(), version: VERSION };
    serde_json::to_vec(&header).expect("plain structs go into memory")
}

/// Reads the first line.
///
/// # Errors
/// [`ProofError::Json`] if it is none, [`ProofError::Version`].
pub fn read_header(line: &[u8]) -> Result<(), ProofError> {
    let header: Header = serde_json::from_slice(line).map_err(ProofError::json)?;
    if header.format != FORMAT {
        return Err(ProofError::Json("it is no export of receipts".into()));
    }
    if header.version == VERSION { Ok(()) } else { Err(ProofError::Version(header.version.to_string())) }
}

/// A link with its receipts as one line, without its end:
/// `{"link":{…},"signature":"…","receipts":[{"leaf":"…","private":{…},"receipt":{…}},…]}`.
///
/// # Errors
/// [`ProofError::Missing`] and [`ProofError::Root`]: what is stored is not whole. A receipt that was changed goes out as
/// it is, for [`read_link`] to find.
pub fn export_line(link: &Sealed, receipts: &[Receipt], to: &mut Vec<u8>) -> Result<(), ProofError> {
    let sequence = link.sequence;
    if link.leaves.len() != link.receipts.len() {
        return Err(ProofError::Root(sequence));
    }
    to.extend_from_slice(b"{\"link\":");
    to.extend_from_slice(&LinkDocument::of(link).text());
    to.extend_from_slice(format!(",\"signature\":\"{}\",\"receipts\":[", hex(&link.signature)).as_bytes());
    let mut documents = Documents::default();
    for (index, (id, leaf)) in link.receipts.iter().zip(&link.leaves).enumerate() {
        let found = receipts.binary_search_by_key(id, |receipt| receipt.id);
        let found = found.map_err(|_| ProofError::Missing { id: *id, sequence })?;
        documents.write(&receipts[found], &receipt_salt(&link.salt, *id));
        let comma = if index == 0 { "" } else { "," };
        to.extend_from_slice(format!("{comma}{{\"leaf\":\"{}\",\"private\":", hex(leaf)).as_bytes());
        to.extend_from_slice(documents.private());
        to.extend_from_slice(b",\"receipt\":");
        to.extend_from_slice(documents.public());
        to.push(b'}');
    }
    to.extend_from_slice(b"]}");
    Ok(())
}

/// The last line of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// The hash of the last link as 64 hexadecimal digits; empty where there is none.
    pub last: String,
    /// How many links there are.
    pub links: u64,
    /// How many receipts they hold.
    pub receipts: u64,
}

impl Footer {
    /// Counts a link that was written.
    pub fn add(&mut self, link: &Sealed) {
        self.last = hex(&link.hash);
        self.links += 1;
        self.receipts += link.receipts.len() as u64;
    }
}

#[derive(Serialize, Deserialize)]
struct End {
    end: Footer,
}

/// The last line of an export, without its end: `{"end":{"last":"…","links":…,"receipts":…}}`.
#[must_use]
pub fn footer_line(footer: &Footer) -> Vec<u8> {
    serde_json::to_vec(&End { end: footer.clone() }).expect("a plain struct goes into memory")
}

/// Reads the last line; `None` for a line of a link.
///
/// # Errors
/// [`ProofError::Json`].
pub fn read_footer(line: &[u8]) -> Result<Option<Footer>, ProofError> {
    if !line.starts_with(b"{\"end\":") {
        return Ok(None);
    }
    let end: End = serde_json::from_slice(line).map_err(ProofError::json)?;
    Ok(Some(end.end))
}

#[derive(Deserialize)]
struct Exported {
    link: LinkDocument,
    signature: String,
    receipts: Vec<ExportedReceipt>,
}

#[derive(Deserialize)]
struct ExportedReceipt {
    leaf: String,
    private: Value,
    receipt: Value,
}

/// Reads a line that [`export_line`] wrote, and checks it as the next of the chain.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_link(line: &[u8], check: &mut ChainCheck) -> Result<(), ProofError> {
    read(line, check).map(drop)
}

/// A link of an export, with its receipts as they were recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedLink {
    /// Its place in the chain.
    pub sequence: i64,
    /// Its hash.
    pub hash: Hash,
    /// When it was made.
    pub at: UnixMicros,
    /// The entry that posted its receipts; 0 where they came to nothing.
    pub entry: i64,
    /// The receipts, sorted by id.
    pub receipts: Vec<Receipt>,
}

/// As [`read_link`], and reads the receipts back out of their documents.
///
/// # Errors
/// The first thing that is wrong; [`ProofError::Version`] for documents of another version.
pub fn read_receipts(line: &[u8], check: &mut ChainCheck) -> Result<ExportedLink, ProofError> {
    let (link, disclosed) = read(line, check)?;
    let receipts = disclosed.into_iter().map(Disclosed::receipt).collect::<Result<Vec<_>, _>>()?;
    let LinkDocument { sequence, at, entry, .. } = link;
    Ok(ExportedLink { sequence, hash: link_hash_of(&link), at, entry, receipts })
}

fn read(line: &[u8], check: &mut ChainCheck) -> Result<(LinkDocument, Vec<Disclosed>), ProofError> {
    let exported: Exported = serde_json::from_slice(line).map_err(ProofError::json)?;
    let unread = |what: &str| ProofError::Json(format!("`{what}` has another number of hexadecimal digits"));
    let signature: [u8; 64] = unhex(&exported.signature).ok_or_else(|| unread("signature"))?;
    let disclosed = |receipt: ExportedReceipt| {
        let leaf = unhex(&receipt.leaf).ok_or_else(|| unread("leaf"))?;
        Ok(Disclosed { leaf, private: receipt.private, public: receipt.receipt })
    };
    let receipts = exported.receipts.into_iter().map(disclosed).collect::<Result<Vec<_>, _>>()?;
    check.exported(&exported.link, &signature, &receipts)?;
    Ok((exported.link, receipts))
}

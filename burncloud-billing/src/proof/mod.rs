//! Receipts as proof: documents that anyone can hash, trees over them, a chain of signed links.
//!
//! A receipt has two documents, both canonical JSON (keys sorted, no spaces, integers only): what its owner may see, and
//! what only the operator may ([`Documents`]). Their hashes make a [`leaf`]. All receipts that a store records together
//! make one link: the [`root`] of a Merkle tree over their leaves (RFC 6962), the hash of the link before, a signature
//! ([`Signer`], which is a [`Sealer`](burncloud_core::store::Sealer)). So a receipt that was handed out can be checked for ever with
//! a public key alone ([`verify_receipt`]), and a chain whether anything was changed, left out or put in
//! ([`ChainCheck`]). `docs/receipts.md` describes every byte, with a verifier in Python.
//!
//! Pure: nothing here reads a store or the clock but [`Signer`], which dates its links and draws their salt.
//!
//! SHA-256 and Ed25519 are `ring`'s, which TLS has in every build already.

mod answer;
mod canonical;
mod document;
mod error;
mod export;
mod link;
mod restore;
mod tree;
mod verify;

#[cfg(test)]
mod tests;

pub use answer::{Answer, answer};
pub use canonical::canonical;
pub use document::Documents;
pub use error::ProofError;
pub use export::{
    ExportedLink, Footer, export_line, footer_line, header_line, read_footer, read_header, read_link,
    read_receipts,
};
pub use link::{PublicKey, Signer, link_document, link_hash, receipt_salt};
pub use tree::{Step, climb, leaf, path, root};
pub use verify::{ChainCheck, Disclosed, Verified, verify_receipt};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The version of documents and links that this code writes.
pub const VERSION: u32 = 1;

/// SHA-256 over the parts, one after another.
fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Bytes as hexadecimal digits: how hashes, keys and signatures are written in JSON.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Reads exactly `N` bytes back; `None` for another shape, capital digits among them: one value has one text.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

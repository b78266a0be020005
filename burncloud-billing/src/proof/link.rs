//! Links: what is signed, and who signs.

use super::{Documents, Hash, ProofError, VERSION, hex, root, sha256, unhex};
use burncloud_core::store::{ProofKey, Sealed, Sealer, StoreError, StoreResult};
use burncloud_core::{Receipt, ReceiptId, UnixMicros};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is signed of a link; the fields stand in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkDocument {
    pub(super) at: UnixMicros,
    pub(super) count: u64,
    pub(super) entry: i64,
    pub(super) key: String,
    pub(super) previous: String,
    pub(super) root: String,
    pub(super) sequence: i64,
    pub(super) version: u32,
}

impl LinkDocument {
    pub(super) fn of(link: &Sealed) -> LinkDocument {
        LinkDocument {
            at: link.at,
            count: link.receipts.len() as u64,
            entry: link.entry,
            key: hex(&link.key),
            previous: hex(&link.previous),
            root: hex(&link.root),
            sequence: link.sequence,
            version: VERSION,
        }
    }

    /// The canonical JSON: what is hashed and signed.
    pub(super) fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a plain struct goes into memory")
    }

    /// Whether one of these keys signed it.
    pub(super) fn check(&self, signature: &[u8], keys: &[PublicKey]) -> Result<(), ProofError> {
        if self.version != VERSION {
            return Err(ProofError::Version(self.version.to_string()));
        }
        let sequence = self.sequence;
        let key = keys.iter().find(|key| hex(&key.id()) == self.key);
        let key = key.ok_or_else(|| ProofError::UnknownKey { sequence, key: self.key.clone() })?;
        if key.signed(&self.text(), signature) { Ok(()) } else { Err(ProofError::Signature(sequence)) }
    }
}

/// The hash of a link, by its document.
pub(super) fn link_hash_of(document: &LinkDocument) -> Hash {
    sha256(&[&document.text()])
}

/// The canonical JSON of a link: what is signed.
#[must_use]
pub fn link_document(link: &Sealed) -> Vec<u8> {
    LinkDocument::of(link).text()
}

/// The hash of a link: SHA-256 of its [`link_document`], which the next link holds.
#[must_use]
pub fn link_hash(link: &Sealed) -> Hash {
    sha256(&[&link_document(link)])
}

/// The salt in a receipt's private document: the first half of `SHA-256(link's salt ‖ id)`, so that who is shown one
/// private document can guess at no other.
#[must_use]
pub fn receipt_salt(link: &[u8; 16], id: ReceiptId) -> [u8; 16] {
    let hash = sha256(&[link, &id.0.to_be_bytes()]);
    let mut salt = [0; 16];
    salt.copy_from_slice(&hash[..16]);
    salt
}

/// An Ed25519 public key. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Reads 64 hexadecimal digits, small ones.
    #[must_use]
    pub fn parse(text: &str) -> Option<PublicKey> {
        unhex(text.trim()).map(PublicKey)
    }

    /// What links call it: the first eight bytes of its SHA-256.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        let hash = sha256(&[&self.0]);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        id
    }

    fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(text, signature).is_ok()
    }
}

impl From<ProofKey> for PublicKey {
    fn from(key: ProofKey) -> PublicKey {
        PublicKey(key.public)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Signs links with one Ed25519 key. Its `Debug` shows the public half alone.
pub struct Signer {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Signer {
    /// With the key of that seed: 32 random bytes, the private key of RFC 8032. `None` only if the crypto library refuses it.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Option<Signer> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Signer { pair, public })
    }

    /// With a new random key, and its seed as the text that [`from_text`](Signer::from_text) reads.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the operating system gives no random numbers.
    pub fn generate() -> StoreResult<(Signer, SecretString)> {
        let mut seed = Zeroizing::new([0; 32]);
        random(&mut *seed)?;
        let signer =
            Signer::new(&seed).ok_or_else(|| StoreError::Invalid("no key comes of that seed".into()))?;
        Ok((signer, hex(&*seed).into()))
    }

    /// With a seed written as 64 hexadecimal digits; `None` for another shape.
    #[must_use]
    pub fn from_text(text: &SecretString) -> Option<Signer> {
        let seed = Zeroizing::new(unhex(text.expose_secret())?);
        Signer::new(&seed)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The link over these receipts, made at that time with that salt: the same for the same.
    #[must_use]
    pub fn link(
        &self,
        last: Option<(i64, Hash)>,
        entry: i64,
        at: UnixMicros,
        salt: [u8; 16],
        receipts: &[&Receipt],
    ) -> Sealed {
        let mut sorted: Vec<&Receipt> = receipts.to_vec();
        sorted.sort_unstable_by_key(|receipt| receipt.id);
        let mut documents = Documents::default();
        let leaf = |receipt: &&Receipt| {
            documents.write(receipt, &receipt_salt(&salt, receipt.id));
            documents.leaf()
        };
        let leaves: Vec<Hash> = sorted.iter().map(leaf).collect();
        let mut link = Sealed {
            sequence: last.map_or(0, |(sequence, _)| sequence) + 1,
            entry,
            at,
            receipts: sorted.iter().map(|receipt| receipt.id).collect(),
            root: root(&leaves),
            leaves,
            salt,
            previous: last.map_or([0; 32], |(_, hash)| hash),
            hash: [0; 32],
            signature: Vec::new(),
            key: self.public.id(),
        };
        let text = link_document(&link);
        link.hash = sha256(&[&text]);
        link.signature = self.pair.sign(&text).as_ref().to_vec();
        link
    }
}

impl Sealer for Signer {
    fn seal(&self, last: Option<(i64, Hash)>, entry: i64, receipts: &[&Receipt]) -> StoreResult<Sealed> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        Ok(self.link(last, entry, UnixMicros::now(), salt, receipts))
    }
}

fn random(bytes: &mut [u8]) -> StoreResult<()> {
    let filled = SystemRandom::new().fill(bytes);
    filled.map_err(|_| StoreError::Unavailable("the operating system gives no random numbers".into()))
}

//! What makes sure.

use super::answer::Answer;
use super::link::LinkDocument;
use super::{
    Documents, Footer, Hash, ProofError, PublicKey, canonical, climb, hex, leaf, receipt_salt, root, sha256,
    unhex,
};
use burncloud_core::store::Sealed;
use burncloud_core::{Receipt, ReceiptId};
use serde_json::Value;
use std::collections::HashMap;

/// What a verified proof says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The receipt.
    pub id: ReceiptId,
    /// The link it is in.
    pub sequence: i64,
    /// When the link was made, in microseconds since the Unix epoch.
    pub sealed_at: i64,
    /// The hash of the link: whoever holds the chain can be asked for the link with it.
    pub link: Hash,
}

fn id_of(document: &Value) -> Result<ReceiptId, ProofError> {
    let id = document.get("id").and_then(Value::as_str).and_then(ReceiptId::parse);
    id.ok_or_else(|| {
        ProofError::Json("a receipt has no `id` of the form `rc_` and 32 hexadecimal digits".into())
    })
}

/// Whether a receipt as it was answered is in the link that it names, and one of these keys signed the link. The key in
/// the answer itself counts for nothing.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify_receipt(answer: &Answer, keys: &[PublicKey]) -> Result<Verified, ProofError> {
    let id = id_of(&answer.receipt)?;
    let proof = answer.proof.as_ref().ok_or_else(|| ProofError::NoProof(id.to_string()))?;
    let sequence = proof.link.sequence;
    let unread = |what: &str| ProofError::Json(format!("`{what}` has another number of hexadecimal digits"));
    let signature: [u8; 64] = unhex(&proof.signature).ok_or_else(|| unread("signature"))?;
    proof.link.check(&signature, keys)?;
    let private = unhex(&proof.private).ok_or_else(|| unread("private"))?;
    let public = sha256(&[&canonical(&answer.receipt)?]);
    if unhex(&proof.link.root) != Some(climb(leaf(&public, &private), &proof.path)) {
        return Err(ProofError::NotInLink { id: id.to_string(), sequence });
    }
    Ok(Verified { id, sequence, sealed_at: proof.link.at.0, link: sha256(&[&proof.link.text()]) })
}

/// A receipt of an export: both documents, and the leaf that the link has for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Disclosed {
    /// The leaf, as stored.
    pub leaf: Hash,
    /// What only the operator may see.
    pub private: Value,
    /// What its owner may see.
    pub public: Value,
}

impl Disclosed {
    pub(super) fn made_of(&self) -> Result<Hash, ProofError> {
        Ok(leaf(&sha256(&[&canonical(&self.public)?]), &sha256(&[&canonical(&self.private)?])))
    }
}

/// Checks a chain link by link, in constant memory. The first link may be any; what follows must follow.
#[derive(Debug)]
pub struct ChainCheck {
    keys: Vec<PublicKey>,
    first: Option<i64>,
    last: Option<(i64, Hash)>,
    links: u64,
    receipts: u64,
    documents: Documents,
}

impl ChainCheck {
    /// With every key that may have signed.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>) -> ChainCheck {
        ChainCheck { keys, first: None, last: None, links: 0, receipts: 0, documents: Documents::default() }
    }

    /// As [`new`](ChainCheck::new), of a chain that must begin with its first link.
    #[must_use]
    pub fn from_start(keys: Vec<PublicKey>) -> ChainCheck {
        ChainCheck { last: Some((0, [0; 32])), ..ChainCheck::new(keys) }
    }

    /// The next link and the receipts that are there of it, as a store has them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn stored(&mut self, link: &Sealed, receipts: &[Receipt]) -> Result<(), ProofError> {
        let sequence = link.sequence;
        let document = LinkDocument::of(link);
        self.follows(&document, &link.signature)?;
        if link.hash != sha256(&[&document.text()]) {
            return Err(ProofError::Hash(sequence));
        }
        let there: HashMap<ReceiptId, &Receipt> =
            receipts.iter().map(|receipt| (receipt.id, receipt)).collect();
        if link.leaves.len() != link.receipts.len() {
            return Err(ProofError::Root(sequence));
        }
        let mut before = None;
        for (id, leaf) in link.receipts.iter().zip(&link.leaves) {
            if before.is_some_and(|before| before >= id) {
                return Err(ProofError::Misplaced { id: *id, sequence });
            }
            before = Some(id);
            let receipt = there.get(id).ok_or(ProofError::Missing { id: *id, sequence })?;
            self.documents.write(receipt, &receipt_salt(&link.salt, *id));
            if self.documents.leaf() != *leaf {
                return Err(ProofError::Changed { id: *id, sequence });
            }
        }
        self.close(&document, &link.leaves)
    }

    /// The next link, as a store has it whose receipts were archived: everything but what they say.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn archived(&mut self, link: &Sealed) -> Result<(), ProofError> {
        let sequence = link.sequence;
        let document = LinkDocument::of(link);
        self.follows(&document, &link.signature)?;
        if link.hash != sha256(&[&document.text()]) {
            return Err(ProofError::Hash(sequence));
        }
        if link.leaves.len() != link.receipts.len() {
            return Err(ProofError::Root(sequence));
        }
        if let Some(pair) = link.receipts.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(ProofError::Misplaced { id: pair[1], sequence });
        }
        self.close(&document, &link.leaves)
    }

    /// The next link of an export and its receipts.
    pub(super) fn exported(
        &mut self,
        link: &LinkDocument,
        signature: &[u8],
        receipts: &[Disclosed],
    ) -> Result<(), ProofError> {
        self.follows(link, signature)?;
        let sequence = link.sequence;
        if link.count != receipts.len() as u64 {
            return Err(ProofError::Count { sequence, said: link.count, found: receipts.len() as u64 });
        }
        let mut before = None;
        let mut leaves = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            let id = id_of(&receipt.public)?;
            if before.is_some_and(|before| before >= id) {
                return Err(ProofError::Misplaced { id, sequence });
            }
            before = Some(id);
            if receipt.made_of()? != receipt.leaf {
                return Err(ProofError::Changed { id, sequence });
            }
            leaves.push(receipt.leaf);
        }
        self.close(link, &leaves)
    }

    fn follows(&mut self, link: &LinkDocument, signature: &[u8]) -> Result<(), ProofError> {
        let sequence = link.sequence;
        let previous = match self.last {
            Some((last, _)) if last + 1 != sequence => {
                return Err(ProofError::Gap { expected: last + 1, found: sequence });
            }
            Some((_, hash)) => Some(hash),
            None => (sequence == 1).then_some([0; 32]),
        };
        if previous.is_some_and(|previous| unhex(&link.previous) != Some(previous)) {
            return Err(ProofError::Previous(sequence));
        }
        link.check(signature, &self.keys)
    }

    fn close(&mut self, link: &LinkDocument, leaves: &[Hash]) -> Result<(), ProofError> {
        if unhex(&link.root) != Some(root(leaves)) {
            return Err(ProofError::Root(link.sequence));
        }
        self.first.get_or_insert(link.sequence);
        self.last = Some((link.sequence, sha256(&[&link.text()])));
        self.links += 1;
        self.receipts += leaves.len() as u64;
        Ok(())
    }

    /// Whether what was checked is what the last line of the export says.
    ///
    /// # Errors
    /// [`ProofError::End`].
    pub fn ends_with(&self, footer: &Footer) -> Result<(), ProofError> {
        let last = self.last().map(|(_, hash)| hex(&hash)).unwrap_or_default();
        let ours = Footer { last, links: self.links, receipts: self.receipts };
        if ours == *footer { Ok(()) } else { Err(ProofError::End) }
    }

    /// The first link that was checked.
    #[must_use]
    pub fn first(&self) -> Option<i64> {
        self.first
    }

    /// The last link that was checked, and its hash: what a later check must find again.
    #[must_use]
    pub fn last(&self) -> Option<(i64, Hash)> {
        self.first.and(self.last)
    }

    /// How many receipts were checked.
    #[must_use]
    pub fn receipts(&self) -> u64 {
        self.receipts
    }
}

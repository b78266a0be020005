//! What `GET /v1/receipts/{id}` answers.

use super::link::LinkDocument;
use super::{Documents, Hash, ProofError, Step, hex, path, receipt_salt};
use burncloud_core::Receipt;
use burncloud_core::store::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) link: LinkDocument,
    pub(super) path: Vec<Step>,
    pub(super) private: String,
    /// For convenience; whoever verifies takes the key from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<String>,
    pub(super) signature: String,
}

/// A receipt with its proof, as it was read: see [`verify_receipt`](super::verify_receipt).
#[derive(Deserialize)]
pub struct Answer {
    pub(super) receipt: Value,
    pub(super) proof: Option<Proof>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("receipt", &self.receipt).finish_non_exhaustive()
    }
}

impl Answer {
    /// Reads one.
    ///
    /// # Errors
    /// [`ProofError::Json`].
    pub fn read(json: &[u8]) -> Result<Answer, ProofError> {
        serde_json::from_slice(json).map_err(ProofError::json)
    }
}

/// The answer's JSON: `{"object": "receipt", "proof": …, "receipt": …}`; the proof is `null` without a link. `public` is
/// the key that signed the link, if it is known.
///
/// # Errors
/// [`ProofError::NotInLink`] and [`ProofError::Changed`]: what is stored does not fit the link, and must not go out.
pub fn answer(
    receipt: &Receipt,
    link: Option<&Sealed>,
    public: Option<&Hash>,
) -> Result<Vec<u8>, ProofError> {
    let mut documents = Documents::default();
    let proof = match link {
        None => {
            documents.write(receipt, &[0; 16]);
            None
        }
        Some(link) => {
            documents.write(receipt, &receipt_salt(&link.salt, receipt.id));
            let missing = || ProofError::NotInLink { id: receipt.id.to_string(), sequence: link.sequence };
            let index = link.receipts.binary_search(&receipt.id).map_err(|_| missing())?;
            if link.leaves.get(index) != Some(&documents.leaf()) {
                return Err(ProofError::Changed { id: receipt.id, sequence: link.sequence });
            }
            Some(Proof {
                link: LinkDocument::of(link),
                path: path(&link.leaves, index).ok_or_else(missing)?,
                private: hex(&documents.private_hash()),
                public_key: public.map(|key| hex(key)),
                signature: hex(&link.signature),
            })
        }
    };
    let mut out = Vec::with_capacity(2048);
    out.extend_from_slice(b"{\"object\":\"receipt\",\"proof\":");
    serde_json::to_writer(&mut out, &proof).map_err(ProofError::json)?;
    // As it was hashed: whoever wants to can take the bytes as they are.
    out.extend_from_slice(b",\"receipt\":");
    out.extend_from_slice(documents.public());
    out.push(b'}');
    Ok(out)
}

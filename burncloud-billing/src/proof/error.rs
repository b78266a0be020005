//! What is wrong with a proof.

use burncloud_core::ReceiptId;

/// The first thing that is wrong, in words that name it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It is not JSON, or lacks a field.
    #[error("it cannot be read: {0}")]
    Json(String),
    /// A number in it is no integer.
    #[error("it holds the number {0}, which is no integer of 64 bits")]
    Number(String),
    /// The receipt has no proof.
    #[error("receipt {0} has no proof: it was recorded without a signing key")]
    NoProof(String),
    /// No key is known by that id.
    #[error("link {sequence} is signed with the key {key}, which is none of those given")]
    UnknownKey {
        /// The link.
        sequence: i64,
        /// The id it names.
        key: String,
    },
    /// The signature is not that key's over this link.
    #[error("the signature of link {0} does not fit: the link was changed, or signed by somebody else")]
    Signature(i64),
    /// The receipt is not among those that the link was made over.
    #[error(
        "receipt {id} is not in link {sequence} as it is written: it, its path or its private hash was changed"
    )]
    NotInLink {
        /// The receipt.
        id: String,
        /// The link.
        sequence: i64,
    },
    /// A receipt is not what its leaf was made from.
    #[error("receipt {id} of link {sequence} was changed")]
    Changed {
        /// The receipt.
        id: ReceiptId,
        /// The link.
        sequence: i64,
    },
    /// A receipt that the link names is not there.
    #[error("receipt {id} of link {sequence} is missing")]
    Missing {
        /// The receipt.
        id: ReceiptId,
        /// The link.
        sequence: i64,
    },
    /// A receipt was recorded with a link that is not there, or does not list it.
    #[error("receipt {id} was recorded in link {sequence}, which is gone or does not list it")]
    Unlisted {
        /// The receipt.
        id: ReceiptId,
        /// The link.
        sequence: i64,
    },
    /// A receipt stands where the link has another.
    #[error(
        "receipt {id} does not belong where it stands in link {sequence}: receipts are sorted, each there once"
    )]
    Misplaced {
        /// The receipt.
        id: ReceiptId,
        /// The link.
        sequence: i64,
    },
    /// The number of receipts is not what the link says.
    #[error("link {sequence} was made over {said} receipts, and {found} are there")]
    Count {
        /// The link.
        sequence: i64,
        /// What the link says.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// The hashes of the receipts do not make the link's root.
    #[error("the receipts of link {0} are not those it was made over")]
    Root(i64),
    /// A link is missing, or there twice.
    #[error("link {expected} is missing: link {found} follows")]
    Gap {
        /// What should come.
        expected: i64,
        /// What came.
        found: i64,
    },
    /// A link does not follow the one before it.
    #[error("link {0} does not follow the link before it: one of the two was changed or exchanged")]
    Previous(i64),
    /// A stored link names another hash than its own.
    #[error("link {0} is stored with another hash than its own")]
    Hash(i64),
    /// The last line of an export speaks of other links.
    #[error("the last line speaks of other links than those before it: some are missing")]
    End,
    /// Written by another version.
    #[error("it is of version {0}, which this program does not know")]
    Version(String),
}

impl ProofError {
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub(super) fn json(error: serde_json::Error) -> ProofError {
        ProofError::Json(error.to_string())
    }
}

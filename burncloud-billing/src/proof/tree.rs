//! The Merkle tree of RFC 6962: leaves are hashed with a 0 before them, nodes with a 1, and a tree of n leaves is cut at
//! the largest power of two below n.

use super::{Hash, hex, sha256, unhex};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The leaf of a receipt: `SHA-256(0x00 ‖ SHA-256(public) ‖ SHA-256(private))`.
#[must_use]
pub fn leaf(public: &Hash, private: &Hash) -> Hash {
    sha256(&[&[0], public, private])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// Where a tree of that many leaves (two at least) is cut.
fn cut(leaves: usize) -> usize {
    1 << (leaves - 1).ilog2()
}

/// The root over leaves in their order; for none, as the RFC says, the hash of nothing.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(cut(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// One step from a leaf to the root: the hash that stands beside it, and on which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `{"left": "<hex>"}`
    Left(Hash),
    /// `{"right": "<hex>"}`
    Right(Hash),
}

/// The steps from the leaf at `index` up, `None` if there is none.
#[must_use]
pub fn path(leaves: &[Hash], index: usize) -> Option<Vec<Step>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let cut = cut(leaves.len());
    let (left, right) = leaves.split_at(cut);
    let (mut steps, last) = if index < cut {
        (path(left, index)?, Step::Right(root(right)))
    } else {
        (path(right, index - cut)?, Step::Left(root(left)))
    };
    steps.push(last);
    Some(steps)
}

/// The root that a leaf and its steps lead to.
#[must_use]
pub fn climb(leaf: Hash, steps: &[Step]) -> Hash {
    steps.iter().fold(leaf, |hash, step| match step {
        Step::Left(left) => node(left, &hash),
        Step::Right(right) => node(&hash, right),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    Left(String),
    Right(String),
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Step::Left(hash) => Side::Left(hex(hash)),
            Step::Right(hash) => Side::Right(hex(hash)),
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Step, D::Error> {
        let read =
            |text: &str| unhex(text).ok_or_else(|| D::Error::custom("a hash is 64 hexadecimal digits"));
        Ok(match Side::deserialize(from)? {
            Side::Left(text) => Step::Left(read(&text)?),
            Side::Right(text) => Step::Right(read(&text)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_leads_to_the_root() {
        let leaves: Vec<Hash> = (0..40u8).map(|n| sha256(&[&[n]])).collect();
        for count in 1..=leaves.len() {
            let some = &leaves[..count];
            for (index, leaf) in some.iter().enumerate() {
                assert_eq!(climb(*leaf, &path(some, index).unwrap()), root(some), "{index} of {count}");
            }
            assert_eq!(path(some, count), None);
        }
    }

    #[test]
    fn a_tree_of_three_is_that_of_the_rfc() {
        let [a, b, c] = [[1; 32], [2; 32], [3; 32]];
        assert_eq!(root(&[a, b, c]), node(&node(&a, &b), &c));
        // SHA-256 of nothing.
        assert!(hex(&root(&[])).starts_with("e3b0c44298fc1c14"));
    }
}

//! Which receipt is in which entry. Both lists are read from the newest on, side by side, so that only those wait in memory
//! whose other half was not seen yet.

use super::report::{VerifyError, differ};
use burncloud_core::{Nano, Receipt, ReceiptId, UnixMicros};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Claims {
    /// Seen in an entry, not yet among the receipts.
    claimed: BTreeMap<ReceiptId, i64>,
    /// Seen among the receipts, not yet in an entry; when it arrived.
    loose: BTreeMap<ReceiptId, UnixMicros>,
}

/// The longest name of a model, in characters, by which every store sums spending.
pub(super) const LONGEST_MODEL: usize = 255;

/// Whether a receipt comes to anything. One that does not may be in an entry or in none.
pub(super) fn counts(receipt: &Receipt) -> bool {
    let cost = receipt.channel.is_some() && receipt.upstream_cost != Nano::ZERO;
    cost || receipt.charge != Nano::ZERO || receipt.legs.iter().any(|leg| leg.charge != Nano::ZERO)
}

impl Claims {
    pub(super) fn claim(&mut self, entry: i64, receipt: &Receipt) -> Result<(), VerifyError> {
        if !counts(receipt) || self.loose.remove(&receipt.id).is_some() {
            return Ok(());
        }
        match self.claimed.insert(receipt.id, entry) {
            None => Ok(()),
            Some(other) => twice(receipt.id, other, entry),
        }
    }

    pub(super) fn seen(&mut self, receipt: &Receipt) {
        if counts(receipt) && self.claimed.remove(&receipt.id).is_none() {
            self.loose.insert(receipt.id, receipt.at);
        }
    }

    /// After the last entry: a receipt that nobody claimed is one from before the ledger, or one too many. Returns how many are
    /// from before.
    pub(super) fn settle(&mut self, begun: UnixMicros) -> Result<u64, VerifyError> {
        let mut before = 0;
        while let Some((id, at)) = self.loose.pop_last() {
            if at >= begun {
                return differ(format_args!("entries that post receipt {id}"), 1, 0);
            }
            before += 1;
        }
        Ok(before)
    }

    /// After the last receipt: what is claimed still was claimed twice, as each was there when its entry was read.
    pub(super) fn finish(&self) -> Result<(), VerifyError> {
        match self.claimed.last_key_value() {
            None => Ok(()),
            Some((id, entry)) => differ(
                format_args!("entries that post receipt {id}"),
                1,
                format_args!("entry {entry} and another"),
            ),
        }
    }
}

fn twice(id: ReceiptId, one: i64, other: i64) -> Result<(), VerifyError> {
    let found = format_args!("entries {other} and {one}").to_string();
    differ(format_args!("entries that post receipt {id}"), 1, found)
}

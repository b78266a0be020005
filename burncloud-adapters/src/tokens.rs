//! Small things that every report needs.

use burncloud_core::ServiceTier;

/// What is left of a whole as parts are taken out of it.
pub(crate) struct Left(pub(crate) u64);

impl Left {
    /// Takes a part out, at most what is left.
    pub(crate) fn take(&mut self, part: u64) -> u64 {
        let part = part.min(self.0);
        self.0 -= part;
        part
    }
}

/// The tier a provider says it served. `default`, `auto`, `on_demand` and whatever else are the ordinary one.
pub(crate) fn tier(name: &str) -> Option<ServiceTier> {
    Some(match name {
        "" => return None,
        "flex" | "FLEX" | "ON_DEMAND_FLEX" => ServiceTier::Flex,
        "priority" | "fast" | "performance" | "PRIORITY" | "ON_DEMAND_PRIORITY" => ServiceTier::Priority,
        "batch" | "BATCH" => ServiceTier::Batch,
        _ => ServiceTier::Standard,
    })
}

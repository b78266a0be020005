//! The tenants, each below the one it buys from.

use super::roles::Place;
use burncloud_core::store::{StoreResult, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Tenant, TenantId};
use std::collections::BTreeMap;

/// The most levels: each is a posting more for every request.
pub const MAX_DEPTH: usize = 8;

/// The tenants of a store at one moment.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    tenants: BTreeMap<TenantId, Tenant>,
}

impl Tree {
    /// Of these tenants.
    #[must_use]
    pub fn new(tenants: impl IntoIterator<Item = Tenant>) -> Tree {
        Tree { tenants: tenants.into_iter().map(|tenant| (tenant.id, tenant)).collect() }
    }

    /// Of a store's.
    ///
    /// # Errors
    /// The store's.
    pub async fn load<S: UserStore + ?Sized>(store: &S) -> StoreResult<Tree> {
        Ok(Tree::new(store.tenants().await?))
    }

    /// The tenant of that id.
    #[must_use]
    pub fn get(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// A tenant and those above it, the nearest first.
    pub fn path(&self, id: TenantId) -> impl Iterator<Item = &Tenant> {
        let next = |tenant: &&Tenant| self.tenants.get(&tenant.parent?);
        // A store that was tampered with may hold a circle.
        std::iter::successors(self.tenants.get(&id), next).take(2 * MAX_DEPTH)
    }

    /// Where `there` is, seen from `here`.
    #[must_use]
    pub fn place(&self, here: TenantId, there: TenantId) -> Place {
        if here == there {
            Place::Own
        } else if self.path(there).any(|tenant| tenant.id == here) {
            Place::Below
        } else if self.path(here).any(|tenant| tenant.id == there) {
            Place::Above
        } else {
            Place::Elsewhere
        }
    }

    /// Every tenant with its level (0: of the house), each right after its parent and siblings by name.
    #[must_use]
    pub fn in_order(&self) -> Vec<(usize, &Tenant)> {
        let mut below: BTreeMap<Option<TenantId>, Vec<&Tenant>> = BTreeMap::new();
        self.tenants.values().for_each(|tenant| below.entry(tenant.parent).or_default().push(tenant));
        below.values_mut().for_each(|list| list.sort_by(|a, b| b.name.cmp(&a.name)));
        let mut out = Vec::with_capacity(self.tenants.len());
        let mut next: Vec<(usize, &Tenant)> =
            below.remove(&None).unwrap_or_default().into_iter().map(|tenant| (0, tenant)).collect();
        while let Some((level, tenant)) = next.pop() {
            out.push((level, tenant));
            let children = below.remove(&Some(tenant.id)).unwrap_or_default();
            next.extend(children.into_iter().map(|child| (level + 1, child)));
        }
        out
    }

    /// Refuses a tenant below `parent` where there are as many levels as there may be.
    pub(super) fn check_depth(&self, parent: TenantId) -> UseCaseResult<()> {
        if self.path(parent).count() < MAX_DEPTH {
            return Ok(());
        }
        let message = (
            format!("tenants are at most {MAX_DEPTH} levels deep; make it below one that is further up"),
            format!("租户最多 {MAX_DEPTH} 层，请放在更上层之下"),
        );
        Err(UseCaseError::invalid("parent", message))
    }
}

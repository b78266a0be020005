//! Tenants, as the console handles them.

use super::audit::Change;
use super::common::{Sight, check_version, present, seen_tenant, tenant_name, version_of};
use super::{Actor, Desk};
use crate::people::{self, Action, TenantChange, Tree};
use burncloud_core::store::{NewTenant, UserQuery};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Limits, Nano, Status, Tenant, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A tenant as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TenantView {
    /// As it is stored; amounts in nano-dollars.
    #[serde(flatten)]
    pub tenant: Tenant,
    /// How far below the house it is; 0 is of the house.
    pub level: usize,
    /// The name of the tenant it buys from, for whoever sees that one.
    pub parent_name: Option<String>,
    /// How many users it has itself.
    pub users: u64,
    /// Which form of it this is; spending and balances do not count.
    pub version: String,
}

/// A tenant to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantDraft {
    /// Its name; unique.
    pub name: String,
    /// Whom it buys from; `None` is of the house.
    #[serde(default)]
    pub parent: Option<TenantId>,
    /// Whether its wallet has no bound.
    #[serde(default)]
    pub unlimited: bool,
    /// Its group in its parent's price book.
    #[serde(default)]
    pub group: Option<String>,
    /// Its plan.
    #[serde(default)]
    pub plan: Option<String>,
    /// IANA name of its time zone; empty is UTC.
    #[serde(default)]
    pub time_zone: String,
    /// Limits over all its users.
    #[serde(default)]
    pub limits: Limits,
}

/// What is to change of a tenant: what is left out stays, and `null` is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantEdit {
    /// Whether its wallet has no bound.
    pub unlimited: Option<bool>,
    /// Its group in its parent's price book.
    #[serde(deserialize_with = "present")]
    pub group: Option<Option<String>>,
    /// Its plan; `null` is its parent's.
    #[serde(deserialize_with = "present")]
    pub plan: Option<Option<String>>,
    /// IANA name of its time zone.
    pub time_zone: Option<String>,
    /// All limits over its users.
    pub limits: Option<Limits>,
}

/// A group of customers in somebody's price book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupView {
    /// The tenant whose customers they are.
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// The group.
    pub group: String,
    /// How many of its users are in it.
    pub users: u64,
    /// How many of the tenants right below it are.
    pub tenants: u64,
}

fn version(tenant: &Tenant) -> String {
    let none = Nano::ZERO;
    version_of(&Tenant { balance: none, credit: none, used: none, ..tenant.clone() })
}

impl Desk {
    /// The tenants that the actor sees, each right after its parent: those of its branch.
    ///
    /// # Errors
    /// The store's.
    pub async fn tenants(&self, actor: &Actor) -> UseCaseResult<Vec<TenantView>> {
        let tree = self.tree().await?;
        let mut all = Vec::new();
        for (level, tenant) in tree.in_order() {
            if actor.may(&tree, Action::See, tenant.id) {
                all.push(self.tenant_view(actor, &tree, level, tenant.clone()).await?);
            }
        }
        Ok(all)
    }

    /// One tenant.
    ///
    /// # Errors
    /// `Store(NotFound)` for one that is not there or that the actor does not see.
    pub async fn tenant(&self, actor: &Actor, id: TenantId) -> UseCaseResult<TenantView> {
        let tree = self.tree().await?;
        let tenant = seen_tenant(actor, &tree, id)?.clone();
        self.tenant_view(actor, &tree, tree.path(id).count().saturating_sub(1), tenant).await
    }

    /// Makes a tenant: below its parent, or of the house.
    ///
    /// # Errors
    /// Those of [`people::create_tenant`]; `Store(NotFound)` for a parent that the actor does not see.
    pub async fn create_tenant(&self, actor: &Actor, draft: TenantDraft) -> UseCaseResult<TenantView> {
        let TenantDraft { name, parent, unlimited, group, plan, time_zone, limits } = draft;
        if let Some(parent) = parent {
            seen_tenant(actor, &self.tree().await?, parent)?;
        }
        let new = NewTenant { name, parent, unlimited, group, plan, time_zone, limits };
        let tenant = people::create_tenant(&*self.store, actor, new).await?;
        self.note_tenant(actor, "tenant.create", None, &tenant).await?;
        self.tenant(actor, tenant.id).await
    }

    /// Changes a tenant's terms.
    ///
    /// # Errors
    /// Those of [`people::update_tenant`]; `Changed` where it is not the `expected` version; `Store(NotFound)` for one that
    /// the actor does not see.
    pub async fn update_tenant(
        &self,
        actor: &Actor,
        id: TenantId,
        edit: TenantEdit,
        expected: Option<&str>,
    ) -> UseCaseResult<TenantView> {
        let TenantEdit { unlimited, group, plan, time_zone, limits } = edit;
        let change = TenantChange { status: None, unlimited, group, plan, time_zone, limits };
        self.change_tenant(actor, id, expected, "tenant.update", change).await
    }

    /// Switches a tenant off, or on again: nobody in it or below it may call while it is off.
    ///
    /// # Errors
    /// As [`Desk::update_tenant`].
    pub async fn switch_tenant(
        &self,
        actor: &Actor,
        id: TenantId,
        on: bool,
        expected: Option<&str>,
    ) -> UseCaseResult<TenantView> {
        let (status, action) =
            if on { (Status::Active, "tenant.on") } else { (Status::Disabled, "tenant.off") };
        let change = TenantChange { status: Some(status), ..TenantChange::default() };
        self.change_tenant(actor, id, expected, action, change).await
    }

    /// The groups that customers are in, with how many: by tenant and name, of the tenants that the actor sees.
    ///
    /// # Errors
    /// The store's.
    pub async fn groups(&self, actor: &Actor) -> UseCaseResult<Vec<GroupView>> {
        let tree = self.tree().await?;
        let tenants = match Sight::of(actor, &tree) {
            Sight::All => None,
            Sight::Tenants(tenants) => Some(tenants),
            Sight::Own(_) => return Ok(Vec::new()),
        };
        let mut counts: BTreeMap<(TenantId, String), (u64, u64)> = BTreeMap::new();
        for (_, tenant) in tree.in_order() {
            let seller = tenant.parent.filter(|parent| actor.may(&tree, Action::See, *parent));
            if let Some(key) = seller.zip(tenant.group.clone()) {
                counts.entry(key).or_default().1 += 1;
            }
        }
        let mut query = UserQuery { tenants, limit: 1_000, ..UserQuery::default() };
        loop {
            let found = self.store.find_users(&query).await?;
            query.after = found.last().map(|user| user.id);
            let last = found.len() < query.page() as usize;
            for user in found {
                if let Some(group) = user.group {
                    counts.entry((user.tenant, group)).or_default().0 += 1;
                }
            }
            if last {
                break;
            }
        }
        let group = |((tenant, group), (users, tenants))| GroupView {
            tenant,
            tenant_name: tenant_name(&tree, tenant),
            group,
            users,
            tenants,
        };
        Ok(counts.into_iter().map(group).collect())
    }

    async fn change_tenant(
        &self,
        actor: &Actor,
        id: TenantId,
        expected: Option<&str>,
        action: &'static str,
        change: TenantChange,
    ) -> UseCaseResult<TenantView> {
        let _one_at_a_time = self.writing.lock().await;
        let tree = self.tree().await?;
        let old = seen_tenant(actor, &tree, id)?;
        actor.check(&tree, Action::ChangeTenant, id)?;
        check_version("tenant", &old.name, expected, &version(old))?;
        let tenant = people::update_tenant(&*self.store, actor, &old.name, change).await?;
        if tenant != *old {
            self.note_tenant(actor, action, Some(old), &tenant).await?;
        }
        self.tenant_view(actor, &tree, tree.path(id).count().saturating_sub(1), tenant).await
    }

    async fn tenant_view(
        &self,
        actor: &Actor,
        tree: &Tree,
        level: usize,
        tenant: Tenant,
    ) -> UseCaseResult<TenantView> {
        let query = UserQuery { tenants: Some(vec![tenant.id]), ..UserQuery::default() };
        let users = self.store.count_users(&query).await?;
        let parent = tenant.parent.filter(|parent| actor.may(tree, Action::See, *parent));
        let parent_name = parent.map(|parent| tenant_name(tree, parent));
        Ok(TenantView { version: version(&tenant), level, parent_name, users, tenant })
    }

    async fn note_tenant(
        &self,
        actor: &Actor,
        action: &'static str,
        before: Option<&Tenant>,
        after: &Tenant,
    ) -> UseCaseResult<()> {
        let what = ("tenant", after.id, &*after.name, after.id);
        self.note(actor, Change::of(action, what, before, Some(after))).await
    }
}

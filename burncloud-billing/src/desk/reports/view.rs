//! Whose eyes: what an actor may see, decided once for every report.

use crate::budgets::zone;
use crate::people::{Action, Actor, Place, Tree};
use burncloud_core::store::{
    BudgetStore, CatalogueStore, ChannelStore, KeyStore, PeopleStore, PriceStore, ReceiptStore, ReportStore,
    SpendingStore, UserStore, Who,
};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Receipt, TenantId, User, UserId};
use jiff::tz::TimeZone;
use serde::Serialize;

/// What reports are drawn from.
pub(super) trait Source:
    UserStore
    + KeyStore
    + ChannelStore
    + ReceiptStore
    + ReportStore
    + PriceStore
    + BudgetStore
    + SpendingStore
    + CatalogueStore
    + PeopleStore
{
}

impl<T> Source for T where
    T: UserStore
        + KeyStore
        + ChannelStore
        + ReceiptStore
        + ReportStore
        + PriceStore
        + BudgetStore
        + SpendingStore
        + CatalogueStore
        + PeopleStore
        + ?Sized
{
}

/// Whose eyes see a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The house's: channels, what they cost, and what is left of what comes in.
    House,
    /// A tenant's that buys from another: its users and those below it, what they paid it and what it paid.
    Reseller(TenantId),
    /// One user's: its own keys, requests and charges.
    EndUser(UserId),
}

/// Who pays whoever looks: a user of their own, or a tenant right below with everybody in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Customer {
    /// A user.
    User(UserId),
    /// A tenant right below.
    Tenant(TenantId),
}

/// A view with what it needs to keep to it.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    pub(super) view: View,
    pub(super) tree: Tree,
    pub(super) zone: TimeZone,
    pub(super) zone_name: String,
    /// The tenants that are seen; `None` is all.
    tenants: Option<Vec<TenantId>>,
}

impl Sight {
    /// What the table of [`people`](crate::people) lets the actor see.
    pub(super) async fn of<S: Source + ?Sized>(store: &S, actor: &Actor) -> UseCaseResult<Sight> {
        let tree = Tree::load(store).await?;
        let own = actor.tenant;
        let branch = |tree: &Tree| {
            let tenants = tree.in_order().into_iter().map(|(_, tenant)| tenant.id);
            tenants.filter(|id| matches!(tree.place(own, *id), Place::Own | Place::Below)).collect()
        };
        let (view, tenants) = if actor.may_in_house(Action::SeeMoney) {
            (View::House, None)
        } else if actor.may(&tree, Action::SeeMoney, own) {
            let below = tree.get(own).is_none_or(|tenant| tenant.parent.is_some());
            // An accountant of a part of the house sees that part as the house does.
            let reseller = below || actor.role == burncloud_core::Role::Reseller;
            (if reseller { View::Reseller(own) } else { View::House }, Some(branch(&tree)))
        } else {
            let user = actor.user.ok_or_else(|| {
                UseCaseError::forbidden((
                    format!("`{}` has nothing of its own to see", actor.name),
                    format!("`{}` 没有自己的数据可看", actor.name),
                ))
            })?;
            (View::EndUser(user), Some(Vec::new()))
        };
        let zone_name = tree.get(own).map(|tenant| tenant.time_zone.clone()).filter(|name| !name.is_empty());
        let zone_name = zone_name.unwrap_or_else(|| "UTC".to_owned());
        let zone = zone(&zone_name).unwrap_or(TimeZone::UTC);
        Ok(Sight { view, tree, zone, zone_name, tenants })
    }

    /// As the store is asked.
    pub(super) fn who(&self) -> Who {
        match (&self.view, &self.tenants) {
            (View::EndUser(user), _) => Who::User(*user),
            (_, Some(tenants)) => Who::Tenants(tenants.clone()),
            (_, None) => Who::All,
        }
    }

    pub(super) fn is_house(&self) -> bool {
        self.view == View::House
    }

    /// Whether that receipt is for these eyes. What the store was asked for is checked again by this.
    pub(super) fn sees(&self, receipt: &Receipt) -> bool {
        self.sees_of(receipt.user, receipt.tenant)
    }

    /// Whether what that user of that tenant does is for these eyes.
    pub(super) fn sees_of(&self, user: UserId, tenant: TenantId) -> bool {
        match self.view {
            View::EndUser(own) => own == user,
            _ => self.sees_tenant(tenant),
        }
    }

    pub(super) fn sees_user(&self, user: &User) -> bool {
        self.sees_of(user.id, user.tenant)
    }

    pub(super) fn sees_tenant(&self, tenant: TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(&tenant))
    }

    /// The tenants below a reseller, and of them those right below it.
    pub(super) fn below(&self, own: TenantId) -> (Vec<TenantId>, Vec<TenantId>) {
        let all: Vec<TenantId> = self.tenants.iter().flatten().copied().filter(|id| *id != own).collect();
        let right = |id: &TenantId| self.tree.get(*id).is_some_and(|tenant| tenant.parent == Some(own));
        let right = all.iter().copied().filter(right).collect();
        (all, right)
    }

    /// Whose customer a user of that tenant is, as these eyes see it: a user of one's own, or the tenant right below that
    /// it belongs to.
    pub(super) fn customer(&self, user: UserId, tenant: TenantId) -> Customer {
        let mut path = self.tree.path(tenant);
        let right_below = match self.view {
            View::EndUser(_) => None,
            View::House => path.filter(|tenant| tenant.parent.is_some()).last(),
            View::Reseller(own) => path.find(|tenant| tenant.parent == Some(own)),
        };
        right_below.map_or(Customer::User(user), |tenant| Customer::Tenant(tenant.id))
    }

    /// Refuses what only the house sees.
    pub(super) fn house_only(&self, what: &str) -> UseCaseResult<()> {
        if self.is_house() {
            return Ok(());
        }
        Err(UseCaseError::forbidden((
            format!("only the house sees {what}"),
            format!("只有自营方能看：{what}"),
        )))
    }
}

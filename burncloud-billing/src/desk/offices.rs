//! What somebody may do with whom: for whoever draws buttons. Each answer is that of the rule that decides when the button is
//! pressed, which asks again.

use super::common::seen_tenant;
use super::login::may_act_as;
use super::{Actor, Desk};
use crate::people::{Action, Tree, check_change_of_role, check_office, check_role, check_user};
use burncloud_core::store::UserQuery;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Role, Tenant, TenantId, User, UserId};

/// How many members of a group are named.
const MEMBERS: usize = 100;

/// What somebody may do at a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// How far below the house it is; 0 is of the house.
    pub level: usize,
    /// Make and change its users, and invite them.
    pub manage: bool,
    /// The roles that they may have there.
    pub roles: Vec<Role>,
    /// Move its users' money.
    pub fund: bool,
    /// Grant its users credit.
    pub credit: bool,
    /// Make tenants right below it.
    pub found: bool,
    /// Change its own terms: whether it is on, its group.
    pub change: bool,
    /// Move the money in its wallet.
    pub fund_it: bool,
    /// Grant it credit.
    pub credit_it: bool,
}

/// What somebody may do with a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPowers {
    /// Ban them, and change their terms.
    pub change: bool,
    /// The roles that they may be given beside their own; none for oneself.
    pub roles: Vec<Role>,
    /// Move their money.
    pub fund: bool,
    /// Grant them credit.
    pub credit: bool,
    /// Give them a password, and end their sessions.
    pub login: bool,
    /// Act in their name.
    pub act_as: bool,
    /// Whether it is oneself.
    pub oneself: bool,
}

/// Who is in a group of customers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The first hundred of its users, by their ids.
    pub users: Vec<User>,
    /// The tenants in it.
    pub tenants: Vec<Tenant>,
}

impl Desk {
    /// What the actor may do at each tenant that it sees, each right after its parent.
    ///
    /// # Errors
    /// The store's.
    pub async fn powers(&self, actor: &Actor) -> UseCaseResult<Vec<Powers>> {
        let tree = self.tree().await?;
        let seen = tree.in_order().into_iter().filter(|(_, tenant)| actor.may(&tree, Action::See, tenant.id));
        Ok(seen.map(|(level, tenant)| powers(actor, &tree, level, tenant)).collect())
    }

    /// What the actor may do with a user.
    ///
    /// # Errors
    /// `Store(NotFound)` for one whom the actor does not see; the store's.
    pub async fn powers_over(&self, actor: &Actor, id: UserId) -> UseCaseResult<UserPowers> {
        let tree = self.tree().await?;
        let user = self.seen_user(actor, &tree, id).await?;
        let may = |action| actor.may(&tree, action, user.tenant);
        let oneself = actor.user == Some(id) || actor.acting == Some(id);
        let change = check_user(&tree, actor, &user).is_ok() && !oneself;
        let fits = |role: &Role| {
            *role != user.role && check_change_of_role(&tree, actor, &user, *role).is_ok() && !oneself
        };
        Ok(UserPowers {
            change,
            roles: Role::ALL.into_iter().filter(fits).collect(),
            fund: may(Action::FundUser),
            credit: may(Action::CreditUser),
            login: change && actor.acting.is_none() && check_office(actor, user.role).is_ok(),
            act_as: may_act_as(&tree, actor, &user),
            oneself,
        })
    }

    /// Who is in a group of a tenant's customers.
    ///
    /// # Errors
    /// `Store(NotFound)` for a tenant that the actor does not see; the store's.
    pub async fn group_members(
        &self,
        actor: &Actor,
        seller: TenantId,
        group: &str,
    ) -> UseCaseResult<Members> {
        let tree = self.tree().await?;
        seen_tenant(actor, &tree, seller)?;
        let is = |of: &Option<String>| of.as_deref() == Some(group);
        let below = tree.in_order().into_iter().map(|(_, tenant)| tenant);
        let tenants = below.filter(|tenant| tenant.parent == Some(seller) && is(&tenant.group)).cloned();
        let mut members = Members { users: Vec::new(), tenants: tenants.collect() };
        let mut query = UserQuery { tenants: Some(vec![seller]), limit: 1_000, ..UserQuery::default() };
        while members.users.len() < MEMBERS {
            let found = self.store.find_users(&query).await?;
            query.after = found.last().map(|user| user.id);
            let last = found.len() < query.page() as usize;
            members.users.extend(found.into_iter().filter(|user| is(&user.group)));
            if last {
                break;
            }
        }
        members.users.truncate(MEMBERS);
        Ok(members)
    }
}

fn powers(actor: &Actor, tree: &Tree, level: usize, tenant: &Tenant) -> Powers {
    let may = |action| actor.may(tree, action, tenant.id);
    let manage = may(Action::ManageUsers);
    let fits = |role: &Role| *role == Role::EndUser || check_role(tree, actor, tenant.id, *role).is_ok();
    // A tenant of the house has no wallet.
    let bought = tenant.parent.is_some();
    Powers {
        tenant: tenant.id,
        name: tenant.name.clone(),
        level,
        manage,
        roles: Role::ALL.into_iter().filter(|role| manage && fits(role)).collect(),
        fund: may(Action::FundUser),
        credit: may(Action::CreditUser),
        found: may(Action::CreateTenant),
        change: may(Action::ChangeTenant),
        fund_it: bought && may(Action::FundTenant),
        credit_it: bought && may(Action::CreditTenant),
    }
}

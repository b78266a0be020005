//! Whoever does something.

use super::roles::{Action, Place, may};
use super::tree::Tree;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Role, TenantId, User, UserId};

/// Whoever does something: a user who signed in, or whoever has the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What the ledger writes down as the author.
    pub name: String,
    /// The user behind it, where there is one.
    pub user: Option<UserId>,
    /// What it may do.
    pub role: Role,
    /// Where it belongs; says nothing of an owner or an administrator, who may act everywhere.
    pub tenant: TenantId,
    /// Who really sits there, where that is somebody else who acts as them.
    pub acting: Option<UserId>,
    /// From where, as far as that is known.
    pub ip: String,
}

impl Actor {
    /// Whoever has the command line and the configuration file has the database too: the owner of the house.
    #[must_use]
    pub fn operator(name: impl Into<String>) -> Actor {
        Actor { name: name.into(), user: None, role: Role::Owner, ..Actor::nobody() }
    }

    /// A user.
    #[must_use]
    pub fn of(user: &User) -> Actor {
        Actor {
            name: user.name.clone(),
            user: Some(user.id),
            role: user.role,
            tenant: user.tenant,
            ..Actor::nobody()
        }
    }

    fn nobody() -> Actor {
        Actor {
            name: String::new(),
            user: None,
            role: Role::EndUser,
            tenant: TenantId::default(),
            acting: None,
            ip: String::new(),
        }
    }

    /// Calls from there: the audit log says so.
    #[must_use]
    pub fn from(mut self, ip: impl Into<String>) -> Actor {
        self.ip = ip.into();
        self
    }

    /// Is really that user, who acts in this one's name: the audit log says so.
    #[must_use]
    pub fn acted_by(mut self, user: UserId) -> Actor {
        self.acting = Some(user);
        self
    }

    /// Where `tenant` is, as this actor sees it.
    #[must_use]
    pub fn place(&self, tree: &Tree, tenant: TenantId) -> Place {
        tree.place(self.tenant, tenant)
    }

    /// Whether it may do that at `tenant`.
    #[must_use]
    pub fn may(&self, tree: &Tree, action: Action, tenant: TenantId) -> bool {
        may(self.role, action, self.place(tree, tenant))
    }

    /// Whether it may do what only the house does.
    #[must_use]
    pub fn may_in_house(&self, action: Action) -> bool {
        may(self.role, action, Place::Elsewhere)
    }

    /// Refuses what it may not do at `tenant`. Whoever may not even see the tenant is not told whether it is there.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn check(&self, tree: &Tree, action: Action, tenant: TenantId) -> UseCaseResult<()> {
        if self.may(tree, action, tenant) {
            return Ok(());
        }
        let seen = self.may(tree, Action::See, tenant);
        let name =
            tree.get(tenant).filter(|_| seen).map(|tenant| format!(" at the tenant `{}`", tenant.name));
        Err(self
            .refused(action, &name.unwrap_or_else(|| " outside its own tenant and those below".to_owned())))
    }

    /// Refuses what only the house does.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn check_in_house(&self, action: Action) -> UseCaseResult<()> {
        if self.may_in_house(action) { Ok(()) } else { Err(self.refused(action, " for the house")) }
    }

    /// Refuses what it may do neither at the tenant of `user` nor, as `own`, for itself.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn check_user(&self, tree: &Tree, action: Action, own: Action, user: &User) -> UseCaseResult<()> {
        if self.user == Some(user.id) && may(self.role, own, Place::Own) {
            return Ok(());
        }
        self.check(tree, action, user.tenant)
    }

    fn refused(&self, action: Action, place: &str) -> UseCaseError {
        let Actor { name, role, .. } = self;
        let role = role.as_str().replace('_', " ");
        let en = format!("`{name}` ({role}) may not {}{place}", action.words());
        UseCaseError::forbidden((en, format!("`{name}` 无权{}", action.words_zh())))
    }
}

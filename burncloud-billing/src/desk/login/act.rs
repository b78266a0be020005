//! Acting in another's name: what they see, their helper sees.

use super::session::{Guest, Opened, Seat};
use crate::desk::audit::Change;
use crate::desk::{Actor, Desk};
use crate::people::{Place, Tree};
use burncloud_core::store::StoreError;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Role, User, UserId};
use serde_json::{Value, json};

/// Whether somebody may act as that user: owners as anybody but owners, administrators as anybody but those two, resellers
/// as end users of their tenant and those below. Nobody as themselves.
#[must_use]
pub(in crate::desk) fn may_act_as(tree: &Tree, actor: &Actor, user: &User) -> bool {
    if actor.user.is_none_or(|id| id == user.id) || actor.acting.is_some() {
        return false;
    }
    match actor.role {
        Role::Owner => user.role != Role::Owner,
        Role::Administrator => !matches!(user.role, Role::Owner | Role::Administrator),
        Role::Reseller => {
            user.role == Role::EndUser && matches!(actor.place(tree, user.tenant), Place::Own | Place::Below)
        }
        Role::EndUser | Role::Accountant => false,
    }
}

fn change(action: &'static str, user: &User, real: &User) -> Change {
    Change {
        action,
        subject: format!("user:{}", user.id),
        name: user.name.clone(),
        tenant: user.tenant,
        before: Value::Null,
        after: json!({ "by": real.name }),
    }
}

impl Desk {
    /// Whether whoever sits there may act as that user: whether to show the button.
    ///
    /// # Errors
    /// The store's.
    pub async fn may_act_as(&self, actor: &Actor, user: &User) -> UseCaseResult<bool> {
        Ok(may_act_as(&Tree::load(&*self.store).await?, actor, user))
    }

    /// Acts as another user: a new session in the place of the one that asks, which ends when that would have ended.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` for a user who may not come in; the store's.
    pub async fn act_as(&self, seat: &Seat, user: UserId, guest: &Guest) -> UseCaseResult<Opened> {
        let actor = seat.actor_at(guest.ip);
        let none = || StoreError::NotFound { what: "user", name: user.to_string() };
        let tree = Tree::load(&*self.store).await?;
        let target = self.store.user(user).await?.ok_or_else(none)?;
        if !may_act_as(&tree, &actor, &target) {
            return Err(UseCaseError::forbidden(("you may not act as this user", "你不能以该用户身份操作")));
        }
        if !self.may_enter(&target).await? {
            return Err(UseCaseError::invalid(
                "user",
                ("this user or their tenant is switched off", "该用户或其租户已停用"),
            ));
        }
        self.note(&actor, change("user.act_as", &target, &seat.user)).await?;
        self.instead_of(seat, target.id, Some(seat.user.id), guest).await
    }

    /// The way back: the session in another's name ends, and there is a new one in one's own.
    ///
    /// # Errors
    /// `Invalid` where nobody acts as anybody; the store's.
    pub async fn act_no_more(&self, seat: &Seat, guest: &Guest) -> UseCaseResult<Opened> {
        let none = || UseCaseError::invalid("user", ("you are yourself already", "你已经是自己的身份"));
        let real = seat.acting.as_ref().ok_or_else(none)?;
        let actor = seat.actor_at(guest.ip);
        self.note(&actor, change("user.act_no_more", &seat.user, real)).await?;
        self.instead_of(seat, real.id, None, guest).await
    }
}

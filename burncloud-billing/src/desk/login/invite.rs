//! Invitations: a code with which somebody becomes a user.

use super::first::made;
use super::session::Guest;
use super::{Entry, NewLogin, Refused, secrets};
use crate::desk::audit::Change;
use crate::desk::{Actor, Desk};
use crate::people::{self, Action, Tree, Wallet};
use burncloud_core::store::{Invitation, StoreError};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Nano, Role, TenantId, UnixMicros, User};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::fmt;

const LONGEST_NOTE: usize = 200;
const DAY: i64 = 86_400_000_000;
const MOST_DAYS: i64 = 90;

/// What an invitation gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationSpec {
    /// Where they will belong.
    pub tenant: TenantId,
    /// What they may do.
    pub role: Role,
    /// For whom; at most 200 bytes.
    pub note: String,
    /// Credit at the start: a promotion of that tenant's.
    pub gift: Nano,
    /// When it stops working: at most 90 days from now.
    pub expires_at: UnixMicros,
}

/// An invitation that was just made: the code is shown once.
pub struct Invited {
    /// What they bring along: `?code=` of the page `join`.
    pub code: SecretString,
    /// What the store keeps.
    pub invitation: Invitation,
}

impl fmt::Debug for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invited")
    }
}

fn gone() -> UseCaseError {
    UseCaseError::invalid(
        "code",
        (
            "this invitation was used, withdrawn, or is too old: ask for another",
            "邀请已被使用、撤回或过期，请重新索取",
        ),
    )
}

fn is_open(invitation: &Invitation, now: UnixMicros) -> bool {
    invitation.used.is_none() && invitation.revoked_at.is_none() && invitation.expires_at > now
}

fn change(action: &'static str, invitation: &Invitation, before: Value, after: Value) -> Change {
    let id = hex(&invitation.hash);
    let name = invitation.note.clone();
    Change { action, subject: format!("invitation:{id}"), name, tenant: invitation.tenant, before, after }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Desk {
    /// Whether somebody may make such a user: who may give which role where.
    async fn check_invite(
        &self,
        actor: &Actor,
        tenant: TenantId,
        role: Role,
        gift: Nano,
    ) -> UseCaseResult<()> {
        let tree = Tree::load(&*self.store).await?;
        actor.check(&tree, Action::ManageUsers, tenant)?;
        if tree.get(tenant).is_none() {
            return Err(StoreError::NotFound { what: "tenant", name: tenant.to_string() }.into());
        }
        if role != Role::EndUser {
            people::check_role(&tree, actor, tenant, role)?;
        }
        if gift != Nano::ZERO {
            actor.check(&tree, Action::FundUser, tenant)?;
        }
        Ok(())
    }

    /// Makes an invitation.
    ///
    /// # Errors
    /// `Invalid` with the field, `Forbidden`, the store's.
    pub async fn invite(&self, actor: &Actor, spec: InvitationSpec) -> UseCaseResult<Invited> {
        let InvitationSpec { tenant, role, note, gift, expires_at } = spec;
        let now = UnixMicros::now();
        if note.len() > LONGEST_NOTE || note.chars().any(char::is_control) {
            return Err(UseCaseError::invalid(
                "note",
                ("a note is one line of at most 200 bytes", "备注只能一行，最多 200 字节"),
            ));
        }
        if gift < Nano::ZERO {
            return Err(UseCaseError::invalid("gift", ("a gift is not negative", "赠送额不能为负")));
        }
        if expires_at <= now || expires_at.0 > now.0 + MOST_DAYS * DAY {
            return Err(UseCaseError::invalid(
                "expires_at",
                ("an invitation stands for at most 90 days", "邀请最长有效 90 天"),
            ));
        }
        self.check_invite(actor, tenant, role, gift).await?;
        let code = SecretString::from(secrets::random_text()?);
        let hash = secrets::hash_of(code.expose_secret());
        let author = actor.name.clone();
        let (used, revoked_at) = (None, None);
        let invitation = Invitation {
            hash,
            tenant,
            role,
            note,
            gift,
            author,
            created_at: now,
            expires_at,
            used,
            revoked_at,
        };
        self.store.create_invitation(&invitation).await?;
        let after = json!({ "role": role.as_str(), "gift": gift, "expires_at": expires_at });
        self.note(actor, change("invitation.create", &invitation, Value::Null, after)).await?;
        Ok(Invited { code, invitation })
    }

    /// The invitations to tenants whose users one may change, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn invitations(&self, actor: &Actor) -> UseCaseResult<Vec<Invitation>> {
        let tree = Tree::load(&*self.store).await?;
        let all = self.store.invitations().await?.into_iter();
        Ok(all.filter(|invitation| actor.may(&tree, Action::ManageUsers, invitation.tenant)).collect())
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for one that was used; `Forbidden`; the store's.
    pub async fn revoke_invitation(&self, actor: &Actor, hash: &[u8; 32]) -> UseCaseResult<()> {
        let none = || StoreError::NotFound { what: "invitation", name: hex(hash) };
        let invitation = self.store.invitation(hash).await?.ok_or_else(none)?;
        actor.check(&Tree::load(&*self.store).await?, Action::ManageUsers, invitation.tenant)?;
        self.store.revoke_invitation(hash, UnixMicros::now()).await?;
        self.note(actor, change("invitation.revoke", &invitation, json!(true), Value::Null)).await
    }

    /// What an invitation gives, if it stands.
    ///
    /// # Errors
    /// `Locked` for an address that tries many; `Fault(Invalid)` with the field `code`.
    pub async fn invited(&self, code: &SecretString, guest: &Guest) -> Result<Invitation, Refused> {
        let (turn, now) = (self.turn_of(guest)?, UnixMicros::now());
        let found = self.store.invitation(&secrets::hash_of(code.expose_secret())).await?;
        match found {
            Some(invitation) if is_open(&invitation, now) => Ok(invitation),
            Some(_) => Err(gone().into()),
            None => {
                if let Some(turn) = turn {
                    turn.failed(now);
                }
                Err(gone().into())
            }
        }
    }

    /// Becomes a user by an invitation, and signs in. Of any number who bring the same code one does. Whoever made it must
    /// still be allowed to.
    ///
    /// # Errors
    /// [`Refused`]; `Fault(Invalid)` with the field.
    pub async fn join(&self, code: &SecretString, new: NewLogin, guest: &Guest) -> Result<Entry, Refused> {
        let invitation = self.invited(code, guest).await?;
        self.check_author(&invitation).await?;
        let login = new.check().await?;
        let claimed = self.store.claim_invitation(&invitation.hash, UnixMicros::now()).await;
        let invitation = claimed.map_err(|error| match error {
            StoreError::Conflict { .. } | StoreError::NotFound { .. } => gone(),
            other => other.into(),
        })?;
        let made = self.make(login, invitation.tenant, invitation.role).await;
        let (user, login) = match made {
            Ok(made) => made,
            Err(error) => {
                self.store.release_invitation(&invitation.hash).await?;
                return Err(error.into());
            }
        };
        self.welcome(&invitation, &user, guest).await?;
        self.after_code(&user, &login, guest).await
    }

    async fn check_author(&self, invitation: &Invitation) -> Result<(), Refused> {
        // The command line's are nobody's.
        let Some(author) = self.store.user_by_name(&invitation.author).await? else { return Ok(()) };
        let Invitation { tenant, role, gift, .. } = *invitation;
        if !self.may_enter(&author).await?
            || self.check_invite(&Actor::of(&author), tenant, role, gift).await.is_err()
        {
            return Err(gone().into());
        }
        Ok(())
    }

    async fn welcome(&self, invitation: &Invitation, user: &User, guest: &Guest) -> UseCaseResult<()> {
        self.store.invitation_used_by(&invitation.hash, user.id).await?;
        if invitation.gift > Nano::ZERO {
            let author = Actor::operator(invitation.author.clone());
            let reference = Some(format!("invitation:{}", hex(&invitation.hash)));
            let wallet = Wallet::User(user.clone());
            people::promote(
                &*self.store,
                &author,
                &wallet,
                invitation.gift,
                reference,
                "a gift to begin with",
            )
            .await?;
        }
        self.note(&Actor::of(user).from(guest.ip()), made(user, "invitation.use")).await
    }
}

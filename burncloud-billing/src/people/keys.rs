//! Keys, as far as it matters who makes them.

use super::actor::Actor;
use super::roles::Action;
use super::tree::Tree;
use super::users::check_office;
use burncloud_core::User;
use burncloud_core::store::{KeyStore, StoreError, UserStore};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::usecase::keys::{self, CreatedKey, KeySpec};
use secrecy::SecretString;

/// Makes a key, as [`keys::create_key`]. Users make keys of their own, but whose group a key calls as is a matter of price:
/// that is for those who manage the tenant's keys. Owners' and administrators' are made by themselves, and by whoever
/// could make an owner or an administrator.
///
/// # Errors
/// `Forbidden`, and those of [`keys::create_key`].
pub async fn create_key<S: KeyStore + UserStore + ?Sized>(
    store: &S,
    actor: &Actor,
    spec: KeySpec,
    secret: Option<SecretString>,
) -> UseCaseResult<CreatedKey> {
    let user = store.user(spec.user).await?;
    let user = user.ok_or_else(|| StoreError::NotFound { what: "user", name: spec.user.to_string() })?;
    let tree = Tree::load(store).await?;
    check_key(&tree, actor, &user, spec.group.is_some(), spec.group.as_ref())?;
    keys::create_key(store, spec, secret).await
}

/// Whether the actor may make or change a key of `user`; where `regroup`, one that calls as another `group` than before.
pub(crate) fn check_key(
    tree: &Tree,
    actor: &Actor,
    user: &User,
    regroup: bool,
    group: Option<&String>,
) -> UseCaseResult<()> {
    super::check_word("group", group)?;
    let own = if regroup { Action::ManageKeys } else { Action::ManageOwnKeys };
    actor.check_user(tree, Action::ManageKeys, own, user)?;
    // With a key of theirs one calls in their name.
    if actor.user != Some(user.id) {
        check_office(actor, user.role)?;
    }
    Ok(())
}

//! Users, as the console handles them.

use super::audit::Change;
use super::common::{
    Page, Sight, branch, check_version, not_for_oneself, present, seen_tenant, tenant_name, version_of,
};
use super::{Actor, Desk};
use crate::people::{self, Tree, UserChange};
use burncloud_core::store::{Login, NewUser, UserQuery};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Limits, Nano, Role, Status, TenantId, UnixMicros, User, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Whoever was seen within this time is online.
const ONLINE_US: i64 = 300_000_000;

/// A user as they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserView {
    /// As they are stored; amounts in nano-dollars.
    #[serde(flatten)]
    pub user: User,
    /// The name of their tenant.
    pub tenant_name: String,
    /// What they type to sign in; `None` where they cannot.
    pub login: Option<String>,
    /// What they are called on screens.
    pub display: Option<String>,
    /// When they signed in last.
    pub signed_in_at: Option<UnixMicros>,
    /// When they were seen last, where that was in the last five minutes: they are online.
    pub online_at: Option<UnixMicros>,
    /// Which form of them this is; spending and balances do not count.
    pub version: String,
}

/// Which users are wanted, among those that one sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserFilter {
    /// This tenant's.
    pub tenant: Option<TenantId>,
    /// And those of the tenants below it.
    pub below: bool,
    /// Whose name, or whose login's name, holds this.
    pub text: Option<String>,
    /// Of this status.
    pub status: Option<Status>,
    /// Only those with nothing left to spend.
    pub broke: bool,
    /// Only those who are online.
    pub online: bool,
    /// Later than this one: the `next` of the page before.
    pub after: Option<UserId>,
    /// At most so many; 0 means 50, and 1,000 is the most.
    pub limit: u32,
}

/// A user to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserDraft {
    /// Their name; unique.
    pub name: String,
    /// Where they belong; whoever makes them's own where it is left out.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// What they may do beside calling.
    #[serde(default)]
    pub role: Role,
    /// Whether the wallet has no bound.
    #[serde(default)]
    pub unlimited: bool,
    /// Their group in their tenant's price book.
    #[serde(default)]
    pub group: Option<String>,
    /// Their plan.
    #[serde(default)]
    pub plan: Option<String>,
    /// Limits over all their keys.
    #[serde(default)]
    pub limits: Limits,
}

/// What is to change of a user: what is left out stays, and `null` is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserEdit {
    /// Whether the wallet has no bound.
    pub unlimited: Option<bool>,
    /// Their group in their tenant's price book.
    #[serde(deserialize_with = "present")]
    pub group: Option<Option<String>>,
    /// Their plan; `null` is their tenant's.
    #[serde(deserialize_with = "present")]
    pub plan: Option<Option<String>>,
    /// All limits over their keys.
    pub limits: Option<Limits>,
}

fn version(user: &User) -> String {
    let none = Nano::ZERO;
    version_of(&User { balance: none, credit: none, used: none, ..user.clone() })
}

fn view(user: User, tree: &Tree, login: Option<&Login>, online_at: Option<UnixMicros>) -> UserView {
    UserView {
        version: version(&user),
        tenant_name: tenant_name(tree, user.tenant),
        login: login.map(|login| login.name.clone()),
        display: login.map(|login| login.display.clone()).filter(|name| !name.is_empty()),
        signed_in_at: login.and_then(|login| login.last_at),
        online_at,
        user,
    }
}

impl Desk {
    /// The users that the actor sees, in the order of their ids: those of its branch, or itself.
    ///
    /// # Errors
    /// `Store(NotFound)` for a tenant that it does not see; the store's.
    pub async fn users(&self, actor: &Actor, filter: &UserFilter) -> UseCaseResult<Page<UserView>> {
        let tree = self.tree().await?;
        let online = self.online().await?;
        let (mut tenants, mut ids) = match Sight::of(actor, &tree) {
            Sight::All => (None, None),
            Sight::Tenants(tenants) => (Some(tenants), None),
            Sight::Own(user) => (None, Some(vec![user])),
        };
        if let Some(tenant) = filter.tenant {
            seen_tenant(actor, &tree, tenant)?;
            tenants = Some(if filter.below { branch(&tree, tenant) } else { vec![tenant] });
        }
        if filter.online {
            let seen = |id: &UserId| ids.as_ref().is_none_or(|own: &Vec<UserId>| own.contains(id));
            ids = Some(online.keys().copied().filter(seen).collect());
        }
        let UserFilter { text, status, broke, after, limit, .. } = filter.clone();
        let query = UserQuery { tenants, text, status, broke, ids, after, limit };
        let found = self.store.find_users(&query).await?;
        let next = found.last().filter(|_| found.len() >= query.page() as usize).map(|user| user.id.0);
        let total = Some(self.store.count_users(&query).await?);
        let ids: Vec<UserId> = found.iter().map(|user| user.id).collect();
        let logins = self.store.logins(&ids).await?;
        let login = |id| logins.iter().find(|login| login.user == id);
        let item = |user: User| {
            let (login, online_at) = (login(user.id), online.get(&user.id).copied());
            view(user, &tree, login, online_at)
        };
        Ok(Page { items: found.into_iter().map(item).collect(), next, total })
    }

    /// One user.
    ///
    /// # Errors
    /// `Store(NotFound)` for one who is not there or whom the actor does not see.
    pub async fn user(&self, actor: &Actor, id: UserId) -> UseCaseResult<UserView> {
        let tree = self.tree().await?;
        let user = self.seen_user(actor, &tree, id).await?;
        self.user_view(&tree, user).await
    }

    /// Makes a user. How they sign in is made beside this.
    ///
    /// # Errors
    /// Those of [`people::create_user`]; `Store(NotFound)` for a tenant that the actor does not see.
    pub async fn create_user(&self, actor: &Actor, draft: UserDraft) -> UseCaseResult<UserView> {
        let tree = self.tree().await?;
        let UserDraft { name, tenant, role, unlimited, group, plan, limits } = draft;
        let tenant = seen_tenant(actor, &tree, tenant.unwrap_or(actor.tenant))?.id;
        let new = NewUser { name, tenant, role, unlimited, group, plan, limits };
        let user = people::create_user(&*self.store, actor, new).await?;
        self.note_user(actor, "user.create", None, &user).await?;
        self.user_view(&tree, user).await
    }

    /// Changes a user's terms.
    ///
    /// # Errors
    /// Those of [`people::update_user`]; `Changed` where it is not the `expected` version; `Store(NotFound)` for one whom the
    /// actor does not see.
    pub async fn update_user(
        &self,
        actor: &Actor,
        id: UserId,
        edit: UserEdit,
        expected: Option<&str>,
    ) -> UseCaseResult<UserView> {
        let UserEdit { unlimited, group, plan, limits } = edit;
        let change = UserChange { status: None, unlimited, group, plan, limits };
        self.change_user(actor, id, expected, "user.update", Doing::Change(change)).await
    }

    /// Gives a user another role. They have to sign in again.
    ///
    /// # Errors
    /// As [`Desk::update_user`]; `Invalid` for one's own.
    pub async fn set_role(
        &self,
        actor: &Actor,
        id: UserId,
        role: Role,
        expected: Option<&str>,
    ) -> UseCaseResult<UserView> {
        self.change_user(actor, id, expected, "user.role", Doing::Role(role)).await
    }

    /// Switches a user off: their keys are refused, and they are signed out.
    ///
    /// # Errors
    /// As [`Desk::set_role`].
    pub async fn ban_user(
        &self,
        actor: &Actor,
        id: UserId,
        expected: Option<&str>,
    ) -> UseCaseResult<UserView> {
        self.change_user(actor, id, expected, "user.ban", Doing::status(Status::Disabled)).await
    }

    /// Switches a user on again.
    ///
    /// # Errors
    /// As [`Desk::set_role`].
    pub async fn unban_user(
        &self,
        actor: &Actor,
        id: UserId,
        expected: Option<&str>,
    ) -> UseCaseResult<UserView> {
        self.change_user(actor, id, expected, "user.unban", Doing::status(Status::Active)).await
    }

    /// Withdraws a user for good: as banned, and never to come back. What they did and paid stays on record.
    ///
    /// # Errors
    /// As [`Desk::set_role`].
    pub async fn withdraw_user(
        &self,
        actor: &Actor,
        id: UserId,
        expected: Option<&str>,
    ) -> UseCaseResult<UserView> {
        self.change_user(actor, id, expected, "user.withdraw", Doing::status(Status::Revoked)).await
    }

    /// Ends all of a user's sessions but, if it is given, one, and says so to whoever listens.
    pub(super) async fn end_sessions(&self, user: UserId, except: Option<&[u8; 32]>) -> UseCaseResult<u64> {
        let ended = self.store.end_sessions_of(user, except).await?;
        (self.sessions_ended)(user);
        self.doors.look_again();
        Ok(ended)
    }

    async fn change_user(
        &self,
        actor: &Actor,
        id: UserId,
        expected: Option<&str>,
        action: &'static str,
        doing: Doing,
    ) -> UseCaseResult<UserView> {
        let _one_at_a_time = self.writing.lock().await;
        let tree = self.tree().await?;
        let old = self.seen_user(actor, &tree, id).await?;
        let user = match doing {
            Doing::Role(role) => {
                people::check_change_of_role(&tree, actor, &old, role)?;
                check_version("user", &old.name, expected, &version(&old))?;
                not_for_oneself(actor, &old, "role")?;
                people::set_role(&*self.store, actor, &old.name, role).await?
            }
            Doing::Change(change) => {
                people::check_user(&tree, actor, &old)?;
                check_version("user", &old.name, expected, &version(&old))?;
                if change.status.is_some() {
                    not_for_oneself(actor, &old, "status")?;
                }
                people::update_user(&*self.store, actor, &old.name, change).await?
            }
        };
        if user != old {
            self.note_user(actor, action, Some(&old), &user).await?;
        }
        if user.status != Status::Active || user.role != old.role {
            self.end_sessions(id, None).await?;
        }
        self.user_view(&tree, user).await
    }

    async fn online(&self) -> UseCaseResult<HashMap<UserId, UnixMicros>> {
        let since = UnixMicros(UnixMicros::now().0.saturating_sub(ONLINE_US));
        Ok(self.store.seen_since(since).await?.into_iter().collect())
    }

    async fn user_view(&self, tree: &Tree, user: User) -> UseCaseResult<UserView> {
        let login = self.store.login(user.id).await?;
        let online_at = self.online().await?.get(&user.id).copied();
        Ok(view(user, tree, login.as_ref(), online_at))
    }

    async fn note_user(
        &self,
        actor: &Actor,
        action: &'static str,
        before: Option<&User>,
        after: &User,
    ) -> UseCaseResult<()> {
        let what = ("user", after.id, &*after.name, after.tenant);
        self.note(actor, Change::of(action, what, before, Some(after))).await
    }
}

enum Doing {
    Change(UserChange),
    Role(Role),
}

impl Doing {
    fn status(status: Status) -> Doing {
        Doing::Change(UserChange { status: Some(status), ..UserChange::default() })
    }
}

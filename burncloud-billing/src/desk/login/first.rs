//! New logins: the first owner's, and those of whoever may make a user of their own.

use super::session::Guest;
use super::throttle::{OF_REGISTRATION, OF_SETUP, address};
use super::{Entry, Refused, password, secrets, sign_in};
use crate::desk::audit::Change;
use crate::desk::{Actor, Desk};
use crate::people;
use burncloud_core::store::{Login, NewUser, StoreError};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, check_name};
use burncloud_core::{Role, TenantId, UnixMicros, User};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const SETUP: &str = "setup";

/// What somebody says of themselves at the beginning.
#[derive(Clone, Debug)]
pub struct NewLogin {
    /// What they will type: an e-mail address or a name. The user is called so, too.
    pub name: String,
    /// What they are called on screens; may be empty.
    pub display: String,
    /// Their password.
    pub password: SecretString,
}

/// The name as it is stored.
pub(super) fn check_login_name(name: &str) -> UseCaseResult<String> {
    let name = sign_in::plain_name(name);
    check_name(&name).map_err(|error| match error {
        UseCaseError::Invalid { message, .. } => UseCaseError::invalid("login", message),
        other => other,
    })?;
    if name.contains(char::is_whitespace) {
        return Err(UseCaseError::invalid(
            "login",
            ("what you sign in by has no white space", "登录名不能有空白"),
        ));
    }
    Ok(name)
}

impl NewLogin {
    /// Checks everything, and hashes the password. Nothing is stored.
    pub(super) async fn check(self) -> UseCaseResult<Login> {
        self.looked_at()?.hashed().await
    }

    /// Checks everything, which costs nothing.
    fn looked_at(self) -> UseCaseResult<NewLogin> {
        let name = check_login_name(&self.name)?;
        let display = self.display.trim().to_owned();
        if !display.is_empty() {
            check_name(&display)?;
        }
        password::check_password(&self.password, &[&name, &display])?;
        Ok(NewLogin { name, display, password: self.password })
    }

    async fn hashed(self) -> UseCaseResult<Login> {
        let NewLogin { name, display, password } = self;
        let password = Some(password::hash_password(password).await?);
        Ok(Login { name, display, password, created_at: UnixMicros::now(), ..Login::default() })
    }
}

impl Desk {
    /// Whether the first owner is still to be made.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_new(&self) -> UseCaseResult<bool> {
        Ok(!self.store.has_logins().await?)
    }

    /// Whether that is the one-time password of the first run. Six wrong ones in a row make everybody wait a minute.
    ///
    /// # Errors
    /// [`Refused`]; `Over` where there is an owner.
    pub async fn check_setup(&self, code: &SecretString) -> Result<(), Refused> {
        if !self.is_new().await? {
            return Err(Refused::Over);
        }
        let now = UnixMicros::now();
        let throttle = &self.doors.throttle;
        if let Some(seconds) = throttle.wait(SETUP, now) {
            return Err(Refused::Locked { seconds });
        }
        let given = secrets::hash_of(code.expose_secret().trim());
        if *self.doors.setup.lock() == Some(given) {
            return Ok(());
        }
        let failures = throttle.failed(SETUP, OF_SETUP, now);
        match throttle.wait(SETUP, now) {
            Some(seconds) => Err(Refused::Locked { seconds }),
            None => Err(Refused::Wrong { left: OF_SETUP.free.saturating_sub(failures) }),
        }
    }

    /// Makes the first owner, in the tenant `default`, and signs them in. Of two at once one is.
    ///
    /// # Errors
    /// [`Refused`]: as [`Desk::check_setup`], and `Fault(Invalid)` with the field.
    pub async fn first_owner(
        &self,
        code: &SecretString,
        new: NewLogin,
        guest: &Guest,
    ) -> Result<Entry, Refused> {
        self.check_setup(code).await?;
        let login = new.check().await?;
        let _first = self.doors.first.lock().await;
        self.check_setup(code).await?;
        let user = self.owner_of(&login.name).await?;
        let login = Login { user: user.id, ..login };
        self.store.set_login(&login).await?;
        *self.doors.setup.lock() = None;
        self.doors.throttle.succeeded(SETUP);
        let actor = Actor::of(&user).from(guest.ip());
        self.note(&actor, made(&user, "owner.first")).await?;
        self.after_code(&user, &login, guest).await
    }

    /// A new user, or the owner of that name, whom the command line made.
    async fn owner_of(&self, name: &str) -> UseCaseResult<User> {
        match self.store.user_by_name(name).await? {
            Some(user) if user.role == Role::Owner => Ok(user),
            Some(_) => Err(StoreError::Conflict { what: "user", name: name.to_owned() }.into()),
            None => {
                let tenant = people::find_tenant(&*self.store, "default").await?.id;
                let new = NewUser { name: name.to_owned(), tenant, role: Role::Owner, ..NewUser::default() };
                people::create_user(&*self.store, &Actor::operator(SETUP), new).await
            }
        }
    }

    /// Makes a user of whoever comes, where the house lets them, and signs them in.
    ///
    /// # Errors
    /// [`Refused`]: `Fault(Forbidden)` where it does not, `Locked` for an address that made too many.
    pub async fn register(&self, new: NewLogin, guest: &Guest) -> Result<Entry, Refused> {
        let none = || {
            UseCaseError::forbidden((
                "nobody can sign up here: ask for an invitation",
                "这里不开放注册，请向管理者索取邀请",
            ))
        };
        let tenant = self.access().await?.registration.ok_or_else(none)?;
        let tenant = people::find_tenant(&*self.store, &tenant).await?;
        let new = new.looked_at()?;
        let (who, now) = (guest.ip.map_or_else(|| "?".into(), address), UnixMicros::now());
        // Counted before the work: of many at once three are made.
        let turn = self.doors.throttle.take(format!("new:{who}"), OF_REGISTRATION, now);
        turn.map_err(|seconds| Refused::Locked { seconds })?.failed(now);
        let login = new.hashed().await?;
        let (user, login) = self.make(login, tenant.id, Role::EndUser).await?;
        self.note(&Actor::of(&user).from(guest.ip()), made(&user, "user.register")).await?;
        self.after_code(&user, &login, guest).await
    }

    /// Makes a user with a login; a name that anybody signs in by or is called by is taken.
    pub(super) async fn make(
        &self,
        login: Login,
        tenant: TenantId,
        role: Role,
    ) -> UseCaseResult<(User, Login)> {
        let _alone = self.doors.alone(&login.name).await?;
        let taken = || {
            UseCaseError::invalid(
                "login",
                ("somebody has that name: take another", "这个名字已被使用，请换一个"),
            )
        };
        if self.store.login_by_name(&login.name).await?.is_some() {
            return Err(taken());
        }
        let new = NewUser { name: login.name.clone(), tenant, role, ..NewUser::default() };
        let made = people::create_user(&*self.store, &Actor::operator("invitation"), new).await;
        let user = made.map_err(|error| match error {
            UseCaseError::Store(StoreError::Conflict { .. }) => taken(),
            other => other,
        })?;
        let login = Login { user: user.id, ..login };
        self.store.set_login(&login).await?;
        Ok((user, login))
    }
}

/// What the audit log says of a new user.
pub(super) fn made(user: &User, action: &'static str) -> Change {
    Change {
        action,
        subject: format!("user:{}", user.id),
        name: user.name.clone(),
        tenant: user.tenant,
        before: Value::Null,
        after: json!({ "role": user.role.as_str(), "tenant": user.tenant }),
    }
}

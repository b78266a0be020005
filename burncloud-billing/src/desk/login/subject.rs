//! Whoever a provider of identities vouches for.

use super::session::Guest;
use super::{Entry, Refused, sign_in};
use crate::desk::{Actor, Desk};
use crate::people;
use burncloud_core::store::Login;
use burncloud_core::usecase::UseCaseError;
use burncloud_core::{Role, UnixMicros, UserId};

/// What a provider of identities said of somebody; its signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who said so.
    pub issuer: String,
    /// Whom it means: for ever the same there.
    pub subject: String,
    /// Their address, if it says so and says that it checked it.
    pub email: Option<String>,
    /// Their name.
    pub name: String,
}

impl Desk {
    /// Signs in whoever a provider of identities vouches for: by its subject; the first time by a checked address of a domain
    /// that is let in, which is the name of a login; else as a new user, where the house makes them.
    ///
    /// # Errors
    /// [`Refused`]: `Fault(Forbidden)` for whoever is not let in.
    pub async fn enter_known(&self, known: &Known, guest: &Guest) -> Result<Entry, Refused> {
        let refused = || UseCaseError::forbidden(("this account is not let in here", "这个账号不能进入这里"));
        let oidc =
            self.access().await?.oidc.filter(|oidc| oidc.issuer == known.issuer).ok_or_else(refused)?;
        let email = known.email.as_deref().map(sign_in::plain_name);
        let domain = email.as_deref().and_then(|email| Some(email.rsplit_once('@')?.1));
        let listed =
            domain.is_some_and(|domain| oidc.domains.iter().any(|one| one.eq_ignore_ascii_case(domain)));
        if !oidc.domains.is_empty() && !listed {
            return Err(refused().into());
        }
        let subject = format!("{} {}", known.issuer, known.subject);
        let login = match self.store.login_by_subject(&subject).await? {
            Some(login) => login,
            None => {
                // Without a list of domains anybody could bring any address.
                let email = email.filter(|_| listed).ok_or_else(refused)?;
                self.introduce(&subject, &email, known, oidc.create_in.as_deref(), guest).await?
            }
        };
        let user = self.store.user(login.user).await?.ok_or_else(refused)?;
        if !self.may_enter(&user).await? {
            return Err(refused().into());
        }
        if login.totp.is_some() {
            return Ok(self.step(&login, super::Need::Code));
        }
        self.after_code(&user, &login, guest).await
    }

    async fn introduce(
        &self,
        subject: &str,
        email: &str,
        known: &Known,
        create_in: Option<&str>,
        guest: &Guest,
    ) -> Result<Login, Refused> {
        let refused = || UseCaseError::forbidden(("this account is not let in here", "这个账号不能进入这里"));
        if let Some(mut login) = self.store.login_by_name(email).await? {
            if login.subject.is_some() {
                return Err(refused().into());
            }
            login.subject = Some(subject.to_owned());
            self.store.set_login(&login).await?;
            let user = self.store.user(login.user).await?.ok_or_else(refused)?;
            let change = super::first::made(&user, "account.provider");
            self.note(&Actor::of(&user).from(guest.ip()), change).await?;
            return Ok(login);
        }
        let tenant = people::find_tenant(&*self.store, create_in.ok_or_else(refused)?).await?;
        let display: String = known.name.chars().filter(|letter| !letter.is_control()).take(60).collect();
        let login = Login {
            user: UserId::default(),
            name: super::first::check_login_name(email)?,
            display: display.trim().to_owned(),
            subject: Some(subject.to_owned()),
            created_at: UnixMicros::now(),
            ..Login::default()
        };
        let (user, login) = self.make(login, tenant.id, Role::EndUser).await?;
        self.note(&Actor::of(&user).from(guest.ip()), super::first::made(&user, "user.register")).await?;
        Ok(login)
    }
}

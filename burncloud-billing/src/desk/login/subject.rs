//! Whoever a provider of identities vouches for.

use super::session::Guest;
use super::throttle::{OF_PROVIDER, address};
use super::{Entry, Refused, sign_in};
use crate::desk::audit::Change;
use crate::desk::{Actor, Desk};
use crate::people::{self, Action};
use burncloud_core::store::{AuditFilter, KeyQuery, Login, Who};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{ApiKey, Role, Status, UnixMicros, User, UserId};
use serde_json::json;
use std::net::IpAddr;

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

/// Who gave a login its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    House,
    Anybody,
}

fn asking(ip: IpAddr) -> String {
    format!("provider:{}", address(ip))
}

impl Desk {
    /// Counts that somebody is sent to the provider of identities.
    ///
    /// # Errors
    /// [`Refused::Locked`] for an address from which that was asked for again and again, and nobody came back.
    pub fn ask_provider(&self, guest: &Guest) -> Result<(), Refused> {
        let Some(ip) = guest.ip else { return Ok(()) };
        let now = UnixMicros::now();
        let turn = self.doors.throttle.take(asking(ip), OF_PROVIDER, now);
        turn.map_err(|seconds| Refused::Locked { seconds })?.failed(now);
        Ok(())
    }

    /// Signs in whoever a provider of identities vouches for: by its subject; the first time by a checked address of a domain
    /// that is let in, which is the name of a login that the house gave or that is where it makes users; else as a new user,
    /// where the house makes them. A login that is found by its name loses its password, its second factor, its sessions
    /// and its tokens: the subject is the way in from then on. Where the house did not give the name, its keys are switched off.
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
        if let Some(ip) = guest.ip {
            self.doors.throttle.succeeded(&asking(ip));
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
        if let Some(login) = self.store.login_by_name(email).await? {
            return self.link(subject, &login, create_in, guest).await;
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

    /// Gives a login to the subject whose checked address is its name. Whoever named the login need not be whom the address
    /// is of: what they know of it opens nothing from then on.
    async fn link(
        &self,
        subject: &str,
        found: &Login,
        create_in: Option<&str>,
        guest: &Guest,
    ) -> Result<Login, Refused> {
        let in_the_way = || {
            UseCaseError::forbidden((
                "another account has your address here: ask whoever runs this console",
                "你的邮箱地址在这里已属于另一个账户，请联系管理员",
            ))
        };
        let _alone = self.doors.alone(&found.name).await?;
        let mut login = self.store.login(found.user).await?.ok_or_else(in_the_way)?;
        let user = self.store.user(found.user).await?.ok_or_else(in_the_way)?;
        let free = login.name == found.name && login.subject.is_none();
        let named = if free { self.named_by(&user, &login, create_in).await? } else { None };
        let Some(named) = named else {
            tracing::warn!(
                user = %user.id,
                login = %login.name,
                "somebody came from the provider of identities with the address of a login that is not theirs by the house"
            );
            return Err(in_the_way().into());
        };
        let author = Actor::of(&user).from(guest.ip());
        // Whoever signed up with somebody's address would go on calling models, and spend what its owner tops up. First, for
        // after a crash behind the link nobody comes here again; and once more when no session is left that makes new ones.
        let mut off = 0;
        if named == NamedBy::Anybody {
            off += self.switch_keys_off(&author, &user).await?;
        }
        let before = json!({ "password": login.password.is_some(), "factor": login.totp.is_some() });
        login.subject = Some(subject.to_owned());
        login.password = None;
        login.totp = None;
        login.must_change = false;
        self.store.set_login(&login).await?;
        let ended = self.end_sessions(user.id, None).await?;
        if named == NamedBy::Anybody {
            off += self.switch_keys_off(&author, &user).await?;
        }
        let change = Change {
            action: "account.provider",
            subject: format!("user:{}", user.id),
            name: user.name.clone(),
            tenant: user.tenant,
            before,
            after: json!({
                "subject": subject, "password": false, "factor": false, "sessions_ended": ended, "keys_off": off,
            }),
        };
        self.note(&author, change).await?;
        Ok(login)
    }

    /// Who gave a login the name that says whose it is: the house, or anybody in a tenant where whoever comes is made anyway.
    /// `None` where it says nothing.
    async fn named_by(
        &self,
        user: &User,
        login: &Login,
        create_in: Option<&str>,
    ) -> UseCaseResult<Option<NamedBy>> {
        let subject = Some(format!("user:{}", user.id));
        let filter = AuditFilter { subject, limit: 1_000, ..AuditFilter::default() };
        for entry in self.store.audits(&filter).await? {
            let named = match entry.action.as_str() {
                "user.password" => entry.after["login"] == login.name.as_str(),
                "owner.first" => entry.name == login.name,
                _ => false,
            };
            if named && self.is_of_house(entry.user).await? {
                return Ok(Some(NamedBy::House));
            }
        }
        let Some(name) = create_in else { return Ok(None) };
        let open = self.store.tenant_by_name(name).await?.is_some_and(|tenant| tenant.id == user.tenant);
        Ok(open.then_some(NamedBy::Anybody))
    }

    /// Switches a user's keys off, and answers how many were on. Their user switches them on again.
    async fn switch_keys_off(&self, author: &Actor, user: &User) -> UseCaseResult<usize> {
        let _one_at_a_time = self.writing.lock().await;
        let mut off = 0;
        let mut query = KeyQuery {
            who: Who::User(user.id),
            status: Some(Status::Active),
            limit: 1_000,
            ..KeyQuery::default()
        };
        loop {
            let keys = self.store.find_keys(&query).await?;
            for old in &keys {
                let key = ApiKey { status: Status::Disabled, ..old.clone() };
                self.store.update_key(&key, None).await?;
                self.note_key(author, "key.update", user, Some(old), Some(&key)).await?;
            }
            off += keys.len();
            query.after = keys.last().map(|key| key.id);
            if keys.len() < query.limit as usize {
                return Ok(off);
            }
        }
    }

    /// Whether an author in the audit log keeps the house; without a user it was the command line.
    async fn is_of_house(&self, author: Option<UserId>) -> UseCaseResult<bool> {
        let Some(author) = author else { return Ok(true) };
        let author = self.store.user(author).await?;
        Ok(author.is_some_and(|user| Actor::of(&user).may_in_house(Action::ManageUsers)))
    }
}

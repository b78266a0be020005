//! Signing in: a name and a password, then whatever else is needed.

use super::session::{Guest, Opened, keeps_house};
use super::throttle::{OF_ADDRESS, OF_NAME, Turn, address, seconds_left};
use super::{account, password, secrets, totp};
use crate::desk::Desk;
use burncloud_core::store::{Began, Login};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{UnixMicros, User, UserId};
use secrecy::{ExposeSecret, SecretString};

/// How long somebody has for the next step.
const STEP_WITHIN: i64 = 10 * 60_000_000;
/// The longest name that is looked for, in bytes.
const LONGEST_NAME: usize = 254;

/// What somebody typed to sign in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Their e-mail address or name; in any case.
    pub name: String,
    /// Their password.
    pub password: SecretString,
    /// What this browser was given when somebody signed in there before.
    pub device: Option<String>,
}

/// What is needed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A code of the second factor, or a recovery code.
    Code,
    /// Another password: somebody else knows this one.
    Password,
    /// A second factor: the house asks it of whoever keeps it.
    Factor,
}

impl Need {
    fn as_str(self) -> &'static str {
        match self {
            Need::Code => "code",
            Need::Password => "password",
            Need::Factor => "factor",
        }
    }
}

/// What came of a step.
#[derive(Debug)]
pub enum Entry {
    /// They are in.
    Open {
        /// Their session.
        opened: Opened,
        /// What the browser keeps so that strangers who try the name do not keep it out; opens nothing by itself.
        device: String,
    },
    /// There is more to do.
    More {
        /// What.
        need: Need,
        /// What the browser brings along: who it is, sealed, for ten minutes.
        step: String,
    },
}

/// Why somebody did not get in.
#[derive(Debug)]
pub enum Refused {
    /// Name and password (or the code) do not match; so many tries are left before they wait.
    Wrong {
        /// How many.
        left: u32,
    },
    /// They have to wait.
    Locked {
        /// For so many seconds.
        seconds: u64,
    },
    /// The step is over, or never was: they begin again.
    Over,
    /// Something else.
    Fault(UseCaseError),
}

impl<E: Into<UseCaseError>> From<E> for Refused {
    fn from(error: E) -> Refused {
        Refused::Fault(error.into())
    }
}

/// As names are stored.
pub(super) fn plain_name(name: &str) -> String {
    name.trim().to_lowercase()
}

fn left(failures: u32) -> Refused {
    match OF_NAME.lock(failures, UnixMicros(0)) {
        Some(until) => Refused::Locked { seconds: u64::try_from(until.0 / 1_000_000).unwrap_or(0) },
        None => Refused::Wrong { left: OF_NAME.free - failures },
    }
}

fn tag(login: &Login) -> [u8; 32] {
    secrets::hash_of(login.password.as_deref().unwrap_or_default())
}

fn device_of(login: &Login) -> String {
    secrets::mac(&tag(login), format!("device {}", login.user).as_bytes())
}

fn is_device(login: &Login, given: &str) -> bool {
    login.password.is_some()
        && secrets::is_mac(&tag(login), format!("device {}", login.user).as_bytes(), given)
}

/// Whose count it is.
enum Counted {
    Known(UserId),
    Device(String),
    Nobody(String),
}

impl Desk {
    /// Signs in by name and password. Of any number of concurrent tries of one name one is looked at at a time.
    ///
    /// # Errors
    /// [`Refused`]; the same for a name that nobody has as for a wrong password.
    pub async fn sign_in(&self, typed: SignIn, guest: &Guest) -> Result<Entry, Refused> {
        let SignIn { name, password, device } = typed;
        let name = plain_name(&name);
        let turn = self.turn_of(guest)?;
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(Refused::Wrong { left: OF_NAME.free });
        }
        let _alone = self.doors.alone(&name).await?;
        let login = self.store.login_by_name(&name).await?;
        let counted = match &login {
            Some(login) if device.is_some_and(|device| is_device(login, &device)) => {
                Counted::Device(format!("device:{}", login.user))
            }
            Some(login) => Counted::Known(login.user),
            None => Counted::Nobody(format!("name:{name}")),
        };
        self.check_count(&counted, login.as_ref())?;
        let hash = login.as_ref().and_then(|login| login.password.clone());
        let verdict = password::verify(hash, password.clone()).await?;
        let user = match &login {
            Some(login) if verdict.right => self.store.user(login.user).await?,
            _ => None,
        };
        let (Some(mut login), Some(user)) = (login, user) else {
            return Err(self.count(&counted, turn).await);
        };
        if !self.may_enter(&user).await? {
            return Err(self.count(&counted, turn).await);
        }
        if let Counted::Device(who) = &counted {
            self.doors.throttle.succeeded(who);
        }
        if verdict.old {
            login.password = Some(password::hash_password(password).await?);
            self.store.set_login(&login).await?;
        }
        if login.totp.is_some() {
            return Ok(self.step(&login, Need::Code));
        }
        self.after_code(&user, &login, guest).await
    }

    /// A try of an address; nobody counts those whose address is not known.
    pub(super) fn turn_of(&self, guest: &Guest) -> Result<Option<Turn<'_>>, Refused> {
        let take = |ip| self.doors.throttle.take(address(ip), OF_ADDRESS, UnixMicros::now());
        guest.ip.map(take).transpose().map_err(|seconds| Refused::Locked { seconds })
    }

    fn check_count(&self, counted: &Counted, login: Option<&Login>) -> Result<(), Refused> {
        let now = UnixMicros::now();
        let wait = match counted {
            Counted::Known(_) => {
                login.and_then(|login| login.locked_until).and_then(|at| seconds_left(at, now))
            }
            Counted::Device(who) | Counted::Nobody(who) => self.doors.throttle.wait(who, now),
        };
        wait.map_or(Ok(()), |seconds| Err(Refused::Locked { seconds }))
    }

    async fn count(&self, counted: &Counted, turn: Option<Turn<'_>>) -> Refused {
        let now = UnixMicros::now();
        if let Some(turn) = turn {
            turn.failed(now);
        }
        let failures = match counted {
            Counted::Known(user) => {
                let lock = move |failures| OF_NAME.lock(failures, now);
                match self.store.login_failed(*user, &lock).await {
                    Ok(failures) => failures,
                    Err(error) => return Refused::Fault(error.into()),
                }
            }
            Counted::Device(who) | Counted::Nobody(who) => self.doors.throttle.failed(who, OF_NAME, now),
        };
        left(failures)
    }

    pub(super) fn step(&self, login: &Login, need: Need) -> Entry {
        let until = UnixMicros::now().0 + STEP_WITHIN;
        let bound = secrets::mac(&tag(login), b"step");
        let text = format!("{} {} {until} {bound}", login.user, need.as_str());
        Entry::More { need, step: secrets::seal(&self.doors.key, text.as_bytes()) }
    }

    /// Whose step that is, if it is of that kind and not over. Another password meanwhile ends it.
    async fn at_step(&self, step: &str, need: Need) -> Result<(User, Login), Refused> {
        let text = secrets::unseal(&self.doors.key, step).and_then(|text| String::from_utf8(text).ok());
        let text = text.ok_or(Refused::Over)?;
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(Refused::Over);
        let user = UserId(word()?.parse().map_err(|_| Refused::Over)?);
        let kind = word()?;
        let until: i64 = word()?.parse().map_err(|_| Refused::Over)?;
        let bound = word()?;
        if kind != need.as_str() || until <= UnixMicros::now().0 {
            return Err(Refused::Over);
        }
        let login = self.store.login(user).await?.ok_or(Refused::Over)?;
        let user = self.store.user(user).await?.ok_or(Refused::Over)?;
        if !secrets::is_mac(&tag(&login), b"step", bound) || !self.may_enter(&user).await? {
            return Err(Refused::Over);
        }
        Ok((user, login))
    }

    /// Which kind of step that is, if it can be read and is not over.
    #[must_use]
    pub fn need_of(&self, step: &str) -> Option<Need> {
        let text = String::from_utf8(secrets::unseal(&self.doors.key, step)?).ok()?;
        let mut words = text.split(' ').skip(1);
        let (kind, until) = (words.next()?, words.next()?.parse::<i64>().ok()?);
        let all = [Need::Code, Need::Password, Need::Factor];
        all.into_iter().find(|need| need.as_str() == kind && until > UnixMicros::now().0)
    }

    /// Gives the code of the second factor, or a recovery code.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn give_code(&self, step: &str, code: &str, guest: &Guest) -> Result<Entry, Refused> {
        let turn = self.turn_of(guest)?;
        let (_, login) = self.at_step(step, Need::Code).await?;
        let _alone = self.doors.alone(&login.name).await?;
        let (user, login) = self.at_step(step, Need::Code).await?;
        let who = format!("code:{}", user.id);
        let now = UnixMicros::now();
        if let Some(seconds) = self.doors.throttle.wait(&who, now) {
            return Err(Refused::Locked { seconds });
        }
        if !self.is_code(user.id, code, now).await? {
            // Counted for the name too, so that it outlasts this process; the step itself waits by its own count, which
            // strangers without the password cannot raise.
            let refused = self.count(&Counted::Known(user.id), turn).await;
            if matches!(refused, Refused::Fault(_)) {
                return Err(refused);
            }
            return Err(left(self.doors.throttle.failed(&who, OF_NAME, now)));
        }
        self.doors.throttle.succeeded(&who);
        self.after_code(&user, &login, guest).await
    }

    /// Whether that is a code nobody used yet; it is used then. The caller sees to it that one is looked at at a time.
    pub(super) async fn is_code(&self, user: UserId, code: &str, now: UnixMicros) -> UseCaseResult<bool> {
        let Some(mut login) = self.store.login(user).await? else { return Ok(false) };
        let Some(factor) = login.totp.as_ref().and_then(account::Factor::read) else { return Ok(false) };
        if let Some(step) = totp::step_of(factor.secret.expose_secret(), code, now) {
            return Ok(self.store.use_totp_step(user, step).await?);
        }
        let Some((hash, rest)) = factor.without(user, code) else { return Ok(false) };
        // Another process may be given the same one at the same time.
        let (who, key) = (format!("recovery:{user}"), secrets::mac(&hash, b"once"));
        if self.store.begin_once(&who, &key, &hash, now).await? != Began::New {
            return Ok(false);
        }
        login.totp = Some(rest.write());
        self.store.set_login(&login).await?;
        self.store.finish_once(&who, &key, 200, "").await?;
        Ok(true)
    }

    /// Gives another password, where that is needed.
    ///
    /// # Errors
    /// [`Refused`]; `Fault(Invalid)` for one that is not taken.
    pub async fn give_password(
        &self,
        step: &str,
        next: SecretString,
        guest: &Guest,
    ) -> Result<Entry, Refused> {
        let (_, login) = self.at_step(step, Need::Password).await?;
        let _alone = self.doors.alone(&login.name).await?;
        // Whoever waited here while the login became somebody else's is not let on.
        let (user, mut login) = self.at_step(step, Need::Password).await?;
        password::check_password(&next, &[&login.name, &user.name])?;
        if password::verify(login.password.clone(), next.clone()).await?.right {
            return Err(UseCaseError::invalid(
                "password",
                ("that is the one that somebody else knows", "这是别人知道的那个密码，请换一个"),
            )
            .into());
        }
        login.password = Some(password::hash_password(next).await?);
        login.must_change = false;
        self.store.set_login(&login).await?;
        self.end_sessions(user.id, None).await?;
        self.after_code(&user, &login, guest).await
    }

    /// Who is to enrol a second factor before they come in: their name for the authenticator.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn enrolling(&self, step: &str) -> Result<(UserId, String), Refused> {
        let (user, login) = self.at_step(step, Need::Factor).await?;
        Ok((user.id, login.name))
    }

    /// Enrols a second factor on the way in, and answers the recovery codes along with the session.
    ///
    /// # Errors
    /// [`Refused`]; `Fault(Invalid)` for a code that does not match.
    pub async fn give_factor(
        &self,
        step: &str,
        offer: &str,
        code: &str,
        guest: &Guest,
    ) -> Result<(Entry, Vec<String>), Refused> {
        let (_, login) = self.at_step(step, Need::Factor).await?;
        let _alone = self.doors.alone(&login.name).await?;
        let (user, login) = self.at_step(step, Need::Factor).await?;
        let codes = self.enrol(user.id, offer, code).await?;
        Ok((self.after_code(&user, &login, guest).await?, codes))
    }

    pub(super) async fn after_code(
        &self,
        user: &User,
        login: &Login,
        guest: &Guest,
    ) -> Result<Entry, Refused> {
        let login = self.store.login(login.user).await?.ok_or(Refused::Over)?;
        if login.must_change {
            return Ok(self.step(&login, Need::Password));
        }
        let asked = keeps_house(user.role) && self.access().await?.require_totp_for_administrators;
        if asked && login.totp.is_none() {
            return Ok(self.step(&login, Need::Factor));
        }
        self.store.login_succeeded(user.id, UnixMicros::now()).await?;
        let opened = self.open(user.id, None, guest, None).await?;
        Ok(Entry::Open { opened, device: device_of(&login) })
    }
}

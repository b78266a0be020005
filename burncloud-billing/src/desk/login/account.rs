//! One's own account, and what managers do with another's.

use super::session::{Guest, Opened, Seat, check_himself, own_change};
use super::throttle::OF_NAME;
use super::{Entry, Refused, password, secrets, sign_in, totp};
use crate::desk::audit::Change;
use crate::desk::{Actor, Desk};
use crate::people::{Action, Tree, check_office};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use burncloud_core::store::{Login, StoreError};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, check_name};
use burncloud_core::{UnixMicros, User, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::fmt;

const RECOVERY_CODES: usize = 10;
const OFFER_WITHIN: i64 = 30 * 60_000_000;
/// Crockford's base 32, small.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A second factor as it is stored: its secret, then the hashes of the recovery codes that are left, a space before each.
pub(super) struct Factor {
    pub(super) secret: SecretString,
    recovery: Vec<String>,
}

fn recovery_hash(user: UserId, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    secrets::hash_of(&format!("recovery {user} {}", plain.to_ascii_lowercase()))
}

impl Factor {
    pub(super) fn read(stored: &SecretString) -> Option<Factor> {
        let mut words = stored.expose_secret().split(' ');
        let secret = words.next().filter(|secret| !secret.is_empty())?.to_owned().into();
        Some(Factor { secret, recovery: words.map(str::to_owned).collect() })
    }

    pub(super) fn write(&self) -> SecretString {
        let mut text = self.secret.expose_secret().to_owned();
        for hash in &self.recovery {
            text.push(' ');
            text.push_str(hash);
        }
        text.into()
    }

    /// The hash of that recovery code and what is left after it, if it is one.
    pub(super) fn without(&self, user: UserId, code: &str) -> Option<([u8; 32], Factor)> {
        let hash = recovery_hash(user, code);
        let text = URL_SAFE_NO_PAD.encode(hash);
        let recovery: Vec<String> = self.recovery.iter().filter(|known| **known != text).cloned().collect();
        (recovery.len() < self.recovery.len())
            .then(|| (hash, Factor { secret: self.secret.clone(), recovery }))
    }

    /// New recovery codes, which are shown once.
    fn renew(&mut self, user: UserId) -> UseCaseResult<Vec<String>> {
        let codes: Vec<String> =
            (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<UseCaseResult<_>>()?;
        self.recovery = codes.iter().map(|code| URL_SAFE_NO_PAD.encode(recovery_hash(user, code))).collect();
        Ok(codes)
    }
}

/// Eighty random bits in four groups of four.
fn recovery_code() -> UseCaseResult<String> {
    let bytes = secrets::random::<16>()?;
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// A second factor that somebody may take.
pub struct Offer {
    /// What the form brings back; sealed.
    pub sealed: String,
    /// The secret, in base 32: for whoever cannot read the picture.
    pub secret: SecretString,
    /// What the picture says: an `otpauth:` URI.
    pub uri: SecretString,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Offer")
    }
}

/// What somebody sees of how they sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// What they type.
    pub name: String,
    /// What they are called; empty is the user's name.
    pub display: String,
    /// Whether they have a password.
    pub password: bool,
    /// Whether a provider of identities knows them.
    pub subject: bool,
    /// Recovery codes that are left, where they have a second factor.
    pub recovery: Option<usize>,
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(part).collect()
}

impl Desk {
    async fn own_login(&self, actor: &Actor) -> UseCaseResult<Login> {
        let user = check_himself(actor)?;
        let none =
            || UseCaseError::forbidden(("you have no way to sign in of your own", "你没有自己的登录方式"));
        self.store.login(user).await?.ok_or_else(none)
    }

    /// How somebody signs in, as they see it.
    ///
    /// # Errors
    /// `Forbidden` in another's name and without a login; the store's.
    pub async fn own(&self, actor: &Actor) -> UseCaseResult<Own> {
        let login = self.own_login(actor).await?;
        let factor = login.totp.as_ref().and_then(Factor::read);
        Ok(Own {
            name: login.name,
            display: login.display,
            password: login.password.is_some(),
            subject: login.subject.is_some(),
            recovery: factor.map(|factor| factor.recovery.len()),
        })
    }

    /// Changes what one is called.
    ///
    /// # Errors
    /// `Invalid` with the field `display`; as [`Desk::own`].
    pub async fn set_display(&self, actor: &Actor, display: &str) -> UseCaseResult<()> {
        let login = self.own_login(actor).await?;
        if !display.is_empty() {
            check_name(display).map_err(|error| match error {
                UseCaseError::Invalid { message, .. } => UseCaseError::invalid("display", message),
                other => other,
            })?;
        }
        let _alone = self.doors.alone(&login.name).await?;
        let mut login = self.own_login(actor).await?;
        let before = std::mem::replace(&mut login.display, display.to_owned());
        self.store.set_login(&login).await?;
        self.note(actor, own_change(actor, "account.display", &login.name, json!(before), json!(display)))
            .await
    }

    /// Whether that is one's own password; wrong ones make one wait.
    async fn check_own_password(&self, login: &Login, given: SecretString) -> UseCaseResult<()> {
        let (who, now) = (format!("own:{}", login.user), UnixMicros::now());
        if let Some(seconds) = self.doors.throttle.wait(&who, now) {
            return Err(UseCaseError::invalid(
                "current",
                (format!("try again in {seconds} seconds"), format!("请在 {seconds} 秒后重试")),
            ));
        }
        if !password::verify(login.password.clone(), given).await?.right {
            self.doors.throttle.failed(&who, OF_NAME, now);
            return Err(UseCaseError::invalid("current", ("this is not your password", "密码不对")));
        }
        self.doors.throttle.succeeded(&who);
        Ok(())
    }

    /// Changes one's own password. Every session and token ends; the answer is a new session for this browser.
    ///
    /// # Errors
    /// `Fault(Invalid)` with the field `current` or `password`; `Fault(Forbidden)` in another's name; the store's.
    pub async fn change_password(
        &self,
        actor: &Actor,
        current: SecretString,
        next: SecretString,
        guest: &Guest,
    ) -> Result<Entry, Refused> {
        let had = self.own_login(actor).await?;
        let _alone = self.doors.alone(&had.name).await?;
        let mut login = self.own_login(actor).await?;
        // One that was taken away meanwhile is asked for too: whoever had it may not be whose login this is now.
        if had.password.is_some() || login.password.is_some() {
            self.check_own_password(&login, current).await?;
        }
        password::check_password(&next, &[&login.name, &actor.name])?;
        login.password = Some(password::hash_password(next).await?);
        login.must_change = false;
        self.store.set_login(&login).await?;
        self.end_sessions(login.user, None).await?;
        self.note(actor, own_change(actor, "account.password", &login.name, Value::Null, Value::Null))
            .await?;
        let user = self.store.user(login.user).await?.ok_or(Refused::Over)?;
        self.after_code(&user, &login, guest).await
    }

    fn offer(&self, user: UserId, name: &str) -> UseCaseResult<Offer> {
        let secret = totp::new_secret()?;
        let until = UnixMicros::now().0 + OFFER_WITHIN;
        let sealed = secrets::seal(&self.doors.key, format!("offer {user} {until} {secret}").as_bytes());
        let uri = format!("otpauth://totp/BurnCloud:{}?secret={secret}&issuer=BurnCloud", encode(name));
        Ok(Offer { sealed, secret: secret.into(), uri: uri.into() })
    }

    /// A second factor that one may take.
    ///
    /// # Errors
    /// As [`Desk::own`].
    pub async fn offer_factor(&self, actor: &Actor) -> UseCaseResult<Offer> {
        let login = self.own_login(actor).await?;
        self.offer(login.user, &login.name)
    }

    /// A second factor for somebody who has to take one before they come in.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn offer_at_step(&self, step: &str) -> Result<Offer, Refused> {
        let (user, name) = self.enrolling(step).await?;
        Ok(self.offer(user, &name)?)
    }

    /// Takes a second factor that was offered; answers the recovery codes, which are shown once. The caller sees to it that
    /// nobody else changes the login meanwhile.
    pub(super) async fn enrol(&self, user: UserId, offer: &str, code: &str) -> UseCaseResult<Vec<String>> {
        let over =
            || UseCaseError::invalid("code", ("that took too long: begin again", "用时太久，请重新开始"));
        let text = secrets::unseal(&self.doors.key, offer).and_then(|text| String::from_utf8(text).ok());
        let text = text.ok_or_else(over)?;
        let ["offer", whose, until, secret] = text.split(' ').collect::<Vec<_>>()[..] else {
            return Err(over());
        };
        let now = UnixMicros::now();
        if whose != user.to_string() || until.parse::<i64>().is_ok_and(|until| until <= now.0) {
            return Err(over());
        }
        let none = || StoreError::NotFound { what: "login", name: user.to_string() };
        let mut login = self.store.login(user).await?.ok_or_else(none)?;
        if login.totp.is_some() {
            return Err(UseCaseError::invalid(
                "code",
                ("there is a second factor: take it away first", "已有双重验证，请先移除"),
            ));
        }
        let step = totp::step_of(secret, code, now).ok_or_else(|| {
            UseCaseError::invalid("code", ("this is not the code that it shows now", "与当前显示的数字不符"))
        })?;
        if !self.store.use_totp_step(user, step).await? {
            return Err(UseCaseError::invalid(
                "code",
                ("that code was used: wait for the next one", "这个数字已用过，请等下一个"),
            ));
        }
        let mut factor = Factor { secret: secret.to_owned().into(), recovery: Vec::new() };
        let codes = factor.renew(user)?;
        login.totp = Some(factor.write());
        self.store.set_login(&login).await?;
        let user = self.store.user(user).await?.ok_or_else(none)?;
        let actor = Actor::of(&user);
        self.note(&actor, own_change(&actor, "account.factor", &login.name, json!(false), json!(true)))
            .await?;
        Ok(codes)
    }

    /// Takes the second factor that was offered, shown by a code of it; answers ten recovery codes, which are shown once.
    ///
    /// # Errors
    /// `Invalid` with the field `code`; as [`Desk::own`].
    pub async fn take_factor(&self, actor: &Actor, offer: &str, code: &str) -> UseCaseResult<Vec<String>> {
        let login = self.own_login(actor).await?;
        let _alone = self.doors.alone(&login.name).await?;
        self.enrol(login.user, offer, code).await
    }

    /// Takes one's second factor away. Asks for the password again.
    ///
    /// # Errors
    /// `Invalid` with the field `current`; as [`Desk::own`].
    pub async fn drop_factor(&self, actor: &Actor, current: SecretString) -> UseCaseResult<()> {
        let login = self.own_login(actor).await?;
        let _alone = self.doors.alone(&login.name).await?;
        let mut login = self.own_login(actor).await?;
        self.check_own_password(&login, current).await?;
        login.totp = None;
        self.store.set_login(&login).await?;
        self.note(actor, own_change(actor, "account.factor", &login.name, json!(true), json!(false))).await
    }

    /// New recovery codes; the old ones are worth nothing then. Asks for the password again.
    ///
    /// # Errors
    /// `Invalid` with the field `current`; as [`Desk::own`].
    pub async fn renew_recovery(&self, actor: &Actor, current: SecretString) -> UseCaseResult<Vec<String>> {
        let login = self.own_login(actor).await?;
        let _alone = self.doors.alone(&login.name).await?;
        let mut login = self.own_login(actor).await?;
        self.check_own_password(&login, current).await?;
        let none = || UseCaseError::invalid("current", ("there is no second factor", "没有开启双重验证"));
        let mut factor = login.totp.as_ref().and_then(Factor::read).ok_or_else(none)?;
        let codes = factor.renew(login.user)?;
        login.totp = Some(factor.write());
        self.store.set_login(&login).await?;
        self.note(actor, own_change(actor, "account.recovery", &login.name, Value::Null, Value::Null))
            .await?;
        Ok(codes)
    }

    /// Whether somebody may decide how another signs in.
    pub(super) async fn check_login_of(&self, actor: &Actor, user: UserId) -> UseCaseResult<User> {
        if actor.acting.is_some() {
            let message = (
                "go back to your own account before you change how others sign in",
                "请先回到自己的账户，再修改他人的登录方式",
            );
            return Err(UseCaseError::forbidden(message));
        }
        let none = || StoreError::NotFound { what: "user", name: user.to_string() };
        let user = self.store.user(user).await?.ok_or_else(none)?;
        actor.check(&Tree::load(&*self.store).await?, Action::ManageUsers, user.tenant)?;
        check_office(actor, user.role)?;
        Ok(user)
    }

    /// Gives somebody else a name to sign in by and a password, which they change at the next sign-in. Their sessions end.
    /// `name` may be left out where they have one.
    ///
    /// # Errors
    /// `Invalid` with the field `login` or `password`, `Forbidden`, `Conflict` for a name of somebody else's; the store's.
    pub async fn set_password_of(
        &self,
        actor: &Actor,
        user: UserId,
        name: Option<&str>,
        next: SecretString,
    ) -> UseCaseResult<()> {
        let user = self.check_login_of(actor, user).await?;
        if actor.user == Some(user.id) {
            return Err(UseCaseError::invalid(
                "password",
                ("change your own on your account's page", "自己的密码请在账户页修改"),
            ));
        }
        let stored = self.store.login(user.id).await?;
        let plain = sign_in::plain_name(&user.name);
        let _alone = self.doors.alone(stored.as_ref().map_or(&plain, |login| &login.name)).await?;
        let stored = self.store.login(user.id).await?;
        let had = stored.is_some();
        let mut login = stored.unwrap_or_else(|| Login {
            user: user.id,
            name: plain,
            created_at: UnixMicros::now(),
            ..Login::default()
        });
        if let Some(name) = name {
            login.name = super::first::check_login_name(name)?;
        }
        password::check_password(&next, &[&login.name, &user.name])?;
        login.password = Some(password::hash_password(next).await?);
        login.must_change = true;
        self.store.set_login(&login).await?;
        self.end_sessions(user.id, None).await?;
        let change = Change {
            action: "user.password",
            subject: format!("user:{}", user.id),
            name: user.name,
            tenant: user.tenant,
            before: json!({ "login": had }),
            after: json!({ "login": login.name, "must_change": true }),
        };
        self.note(actor, change).await
    }

    /// Takes away somebody else's second factor, who lost it. Their sessions end.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, the store's.
    pub async fn drop_factor_of(&self, actor: &Actor, user: UserId) -> UseCaseResult<()> {
        let user = self.check_login_of(actor, user).await?;
        let none = || StoreError::NotFound { what: "login", name: user.name.clone() };
        let login = self.store.login(user.id).await?.ok_or_else(none)?;
        let _alone = self.doors.alone(&login.name).await?;
        let mut login = self.store.login(user.id).await?.ok_or_else(none)?;
        let before = login.totp.take().is_some();
        self.store.set_login(&login).await?;
        self.end_sessions(user.id, None).await?;
        let change = Change {
            action: "user.factor",
            subject: format!("user:{}", user.id),
            name: user.name,
            tenant: user.tenant,
            before: json!(before),
            after: json!(false),
        };
        self.note(actor, change).await
    }

    /// A new session for whoever sits there, in the place of the one that ends.
    pub(super) async fn instead_of(
        &self,
        seat: &Seat,
        user: UserId,
        acting: Option<UserId>,
        guest: &Guest,
    ) -> UseCaseResult<Opened> {
        let opened = self.open(user, acting, guest, Some(seat.session.expires_at)).await?;
        self.store.end_session(&seat.session.hash).await?;
        self.doors.look_again();
        Ok(opened)
    }
}

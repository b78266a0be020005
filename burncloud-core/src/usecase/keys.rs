//! Keys: made, changed, rotated, switched off, withdrawn.

use super::{UseCaseError, UseCaseResult, check_limits, check_name};
use crate::store::{CallerStore, KeyStore, NewKey, StoreError};
use crate::{ApiKey, KeyHash, Limits, Nano, Status, UnixMicros, UserId};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::time::Duration;

/// What every generated key starts with, so that scanners of leaked secrets can tell what it is.
pub const PREFIX: &str = "sk-burn-";
/// Random base-62 characters after the prefix: 285 bits.
pub const RANDOM_CHARACTERS: usize = 48;
/// The shortest secret an operator may choose, in bytes.
pub const MIN_SECRET: usize = 8;

/// Everything an operator decides about a key.
#[derive(Clone, Debug)]
pub struct KeySpec {
    /// The operator's name for it; unique.
    pub name: String,
    /// Whose it is.
    pub user: UserId,
    /// What it may spend in its life; `None` is unlimited.
    pub quota: Option<Nano>,
    /// Its limits.
    pub limits: Limits,
    /// The models it may ask for; `None` is all.
    pub models: Option<Vec<String>>,
    /// The addresses it may come from; `None` is all.
    pub ips: Option<Vec<IpAddr>>,
    /// When it stops working.
    pub expires_at: Option<UnixMicros>,
    /// The group it calls as; see [`ApiKey::group`].
    pub group: Option<String>,
    /// The applications it may be used by; `None` is all. See [`ApiKey::apps`].
    pub apps: Option<Vec<String>>,
}

/// A key that was just made, with the secret that nobody can ask for again.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key as stored.
    pub key: ApiKey,
    /// Its secret; stored nowhere.
    pub secret: SecretString,
}

/// What AWS's SDKs sign with, instead of sending a key.
#[derive(Debug)]
pub struct AwsPair {
    /// `AWS_ACCESS_KEY_ID`; no secret.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: SecretString,
}

/// A new secret: [`PREFIX`] and [`RANDOM_CHARACTERS`] from the operating system's random source.
///
/// # Errors
/// `Store(Unavailable)` when the operating system gives no random bytes.
pub fn generate_secret() -> UseCaseResult<SecretString> {
    const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // 248 is the largest multiple of 62 in a byte: higher ones are thrown away, so no letter is likelier.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(PREFIX.len() + RANDOM_CHARACTERS);
    text.push_str(PREFIX);
    let mut pool = [0_u8; 64];
    while text.len() < PREFIX.len() + RANDOM_CHARACTERS {
        getrandom::fill(&mut pool).map_err(|e| {
            StoreError::Unavailable(format!("no random bytes from the operating system: {e}"))
        })?;
        let missing = PREFIX.len() + RANDOM_CHARACTERS - text.len();
        let letters = pool.iter().filter(|b| **b < FAIR).take(missing);
        text.extend(letters.map(|b| char::from(BASE62[usize::from(b % 62)])));
    }
    pool.fill(0);
    Ok(SecretString::from(text))
}

/// What may be shown of a secret, after what every generated one begins with: its last four characters, of a chosen one a
/// quarter at most.
#[must_use]
pub fn hint(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    let made = text.strip_prefix(PREFIX).filter(|rest| rest.len() >= RANDOM_CHARACTERS);
    let shown = if made.is_some() { 4 } else { (text.chars().count() / 4).min(4) };
    let end = text.char_indices().rev().take(shown).last().map_or(text.len(), |(at, _)| at);
    format!("{}…{}", made.map_or("", |_| PREFIX), &text[end..])
}

/// Checks a secret that the operator chose: at least [`MIN_SECRET`] bytes, all of them visible ASCII (a key
/// travels in a header).
///
/// # Errors
/// `Invalid` with the field `secret`; the text does not repeat it.
pub fn check_secret(secret: &SecretString) -> UseCaseResult<()> {
    let text = secret.expose_secret();
    if text.len() < MIN_SECRET {
        let message = (
            "a key has at least 8 characters; leave it out to have one made",
            "密钥至少 8 个字符，留空则自动生成",
        );
        return Err(UseCaseError::invalid("secret", message));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        let message = (
            "a key consists of visible ASCII characters without spaces",
            "密钥只能用可见的 ASCII 字符，不含空格",
        );
        return Err(UseCaseError::invalid("secret", message));
    }
    Ok(())
}

/// Checks what an operator decided about a key.
///
/// # Errors
/// `Invalid` with the first field at fault.
pub fn check_spec(spec: &KeySpec) -> UseCaseResult<()> {
    check_name(&spec.name)?;
    check_limits(&spec.limits)?;
    if spec.quota.is_some_and(|quota| quota < Nano::ZERO) {
        return Err(UseCaseError::invalid(
            "quota",
            ("a quota is not negative; leave it out for no limit", "额度不能为负，不限请留空"),
        ));
    }
    if let Some(models) = &spec.models {
        check_models(models)?;
    }
    if spec.ips.as_ref().is_some_and(Vec::is_empty) {
        return Err(UseCaseError::invalid(
            "ips",
            (
                "no address could use this key; leave it out for all",
                "这样任何地址都用不了这把密钥，不限请留空",
            ),
        ));
    }
    spec.apps.as_deref().map_or(Ok(()), check_apps)
}

/// The most applications that a key names.
pub const MAX_APPS: usize = 64;

fn check_apps(apps: &[String]) -> UseCaseResult<()> {
    let fail = |message: (&'static str, &'static str)| Err(UseCaseError::invalid("apps", message));
    if apps.is_empty() {
        return fail((
            "no application could use this key; leave it out for all",
            "这样任何应用都用不了这把密钥，不限请留空",
        ));
    }
    if apps.len() > MAX_APPS {
        return fail(("a key names at most 64 applications", "一把密钥最多限定 64 个应用"));
    }
    if apps.iter().any(|app| check_name(app).is_err()) {
        return fail((
            "write a host such as chat.example.com, or the name that an application sends as X-Title",
            "填写域名，例如 chat.example.com，或应用在 X-Title 中发送的名字",
        ));
    }
    Ok(())
}

fn check_models(models: &[String]) -> UseCaseResult<()> {
    if models.is_empty() {
        return Err(UseCaseError::invalid(
            "models",
            ("no model could be asked for; leave it out for all", "这样什么模型都用不了，不限请留空"),
        ));
    }
    if models.iter().any(|m| m.trim().is_empty()) {
        return Err(UseCaseError::invalid("models", ("a model's name is empty", "模型名不能为空")));
    }
    Ok(())
}

/// Makes a key, with a secret of the operator's or a generated one.
///
/// # Errors
/// `Invalid` for a field that breaks a rule, `Store(Conflict)` for a name or secret that is taken.
pub async fn create_key<S: KeyStore + ?Sized>(
    store: &S,
    spec: KeySpec,
    secret: Option<SecretString>,
) -> UseCaseResult<CreatedKey> {
    check_spec(&spec)?;
    let secret = match secret {
        Some(given) => check_secret(&given).map(|()| given)?,
        None => generate_secret()?,
    };
    let KeySpec { name, user, quota, limits, models, ips, expires_at, group, apps } = spec;
    let hash = KeyHash::of(secret.expose_secret().as_bytes());
    let hint = hint(&secret);
    let new = NewKey { name, hint, hash, user, quota, limits, models, ips, expires_at, group, apps };
    Ok(CreatedKey { key: store.create_key(new).await?, secret })
}

/// The key of that name.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn find_key<S: KeyStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<ApiKey> {
    let found = store.key_by_name(name).await?;
    Ok(found.ok_or_else(|| StoreError::NotFound { what: "key", name: name.to_owned() })?)
}

/// What AWS's SDKs sign with for the key of that name. It can be asked for again; it ends with the key, and another
/// follows when the key is rotated.
///
/// # Errors
/// `Store(NotFound)`; `Invalid` for a revoked key, and where the store offers no signatures.
pub async fn aws_pair<S: KeyStore + CallerStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<AwsPair> {
    let key = find_key(store, name).await?;
    if key.status == Status::Revoked {
        return Err(UseCaseError::invalid(
            "name",
            ("this key is revoked: nothing that it signs is taken", "这把密钥已作废，它的签名不再有效"),
        ));
    }
    let hash = store.key_hash(key.id).await?;
    let hash = hash.ok_or_else(|| StoreError::NotFound { what: "key", name: name.to_owned() })?;
    let secret_access_key = store.signing_secret(&hash).ok_or_else(|| {
        UseCaseError::invalid(
            "name",
            (
                "this store keeps no secret from which AWS's signatures could be checked",
                "这个存储不保留用于校验 AWS 签名的密文",
            ),
        )
    })?;
    Ok(AwsPair { access_key_id: hash.access_key_id(), secret_access_key })
}

/// Replaces what an operator decides about the key of that name (and its secret, if one is given). A revoked
/// key stays as it is.
///
/// # Errors
/// `Invalid`, `Store(NotFound)`, `Store(Conflict)` for a secret that is taken.
pub async fn update_key<S: KeyStore + ?Sized>(
    store: &S,
    spec: KeySpec,
    status: Status,
    secret: Option<&SecretString>,
) -> UseCaseResult<ApiKey> {
    check_spec(&spec)?;
    if let Some(secret) = secret {
        check_secret(secret)?;
    }
    let mut key = find_key(store, &spec.name).await?;
    refuse_revoked(&key)?;
    key.user = spec.user;
    key.quota = spec.quota;
    key.limits = spec.limits;
    key.models = spec.models;
    key.ips = spec.ips;
    key.expires_at = spec.expires_at;
    key.group = spec.group;
    key.apps = spec.apps;
    key.status = status;
    if let Some(secret) = secret {
        key.previous_until = None;
        key.hint = hint(secret);
    }
    let hash = secret.map(|s| KeyHash::of(s.expose_secret().as_bytes()));
    store.update_key(&key, hash).await?;
    Ok(key)
}

/// The longest that a secret goes on working beside the one that follows it.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 86_400);

/// Gives a key a new secret; the old one goes on working for `overlap`, and one that was still working beside it
/// stops at once.
///
/// # Errors
/// `Store(NotFound)`; `Invalid` for a revoked key, and for an overlap that is longer than [`MAX_OVERLAP`].
pub async fn rotate_key<S: KeyStore + ?Sized>(
    store: &S,
    name: &str,
    overlap: Duration,
) -> UseCaseResult<CreatedKey> {
    if overlap > MAX_OVERLAP {
        return Err(UseCaseError::invalid(
            "overlap",
            ("an old secret works for seven more days at most", "旧密钥最多再用七天"),
        ));
    }
    let mut key = find_key(store, name).await?;
    refuse_revoked(&key)?;
    let secret = generate_secret()?;
    let ends = |overlap: i64| UnixMicros(UnixMicros::now().0.saturating_add(overlap));
    key.previous_until = i64::try_from(overlap.as_micros()).ok().filter(|overlap| *overlap > 0).map(ends);
    key.hint = hint(&secret);
    store.update_key(&key, Some(KeyHash::of(secret.expose_secret().as_bytes()))).await?;
    Ok(CreatedKey { key, secret })
}

/// Withdraws a key for good. Withdrawing it again changes nothing.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn revoke_key<S: KeyStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<ApiKey> {
    set_status(store, find_key(store, name).await?, Status::Revoked).await
}

/// Switches a key off until it is switched on again. A revoked key stays revoked.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn disable_key<S: KeyStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<ApiKey> {
    let key = find_key(store, name).await?;
    let status = if key.status == Status::Revoked { Status::Revoked } else { Status::Disabled };
    set_status(store, key, status).await
}

async fn set_status<S: KeyStore + ?Sized>(
    store: &S,
    mut key: ApiKey,
    status: Status,
) -> UseCaseResult<ApiKey> {
    if key.status != status {
        key.status = status;
        store.update_key(&key, None).await?;
    }
    Ok(key)
}

fn refuse_revoked(key: &ApiKey) -> UseCaseResult<()> {
    if key.status == Status::Revoked {
        let message = (
            format!("the key `{}` was revoked for good; make one of another name", key.name),
            format!("密钥「{}」已作废，请用别的名字新建", key.name),
        );
        return Err(UseCaseError::invalid("name", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_secrets_have_their_shape_and_differ() {
        let a = generate_secret().unwrap();
        let b = generate_secret().unwrap();
        let text = a.expose_secret();
        assert_eq!(text.len(), PREFIX.len() + RANDOM_CHARACTERS);
        assert!(text.strip_prefix(PREFIX).unwrap().bytes().all(|c| c.is_ascii_alphanumeric()));
        assert_ne!(text, b.expose_secret());
        check_secret(&a).unwrap();
    }

    #[test]
    fn a_hint_shows_little() {
        let made = SecretString::from(format!("{PREFIX}{}wxyz", "x".repeat(RANDOM_CHARACTERS - 4)));
        assert_eq!(hint(&made), "sk-burn-…wxyz");
        for (chosen, shown) in
            [("12345678", "…78"), ("sk-burn-short", "…ort"), ("chosen-by-the-operator", "…ator")]
        {
            assert_eq!(hint(&SecretString::from(chosen)), shown);
        }
    }

    #[test]
    fn chosen_secrets_must_fit_a_header() {
        for text in ["short", "with space inside", "umläute-gehen-nicht", "line\nbreak-in-it"] {
            let error = check_secret(&SecretString::from(text)).unwrap_err().to_string();
            assert!(error.starts_with("secret: ") && !error.contains(text), "{error}");
        }
    }

    fn spec(change: impl FnOnce(&mut KeySpec)) -> KeySpec {
        let mut spec = KeySpec {
            name: "k".into(),
            user: UserId(1),
            quota: None,
            limits: Limits::default(),
            models: None,
            ips: None,
            expires_at: None,
            group: None,
            apps: None,
        };
        change(&mut spec);
        spec
    }

    #[test]
    fn specs_that_would_lock_everyone_out_name_their_field() {
        let bad: [(KeySpec, &str); 6] = [
            (spec(|s| s.quota = Some(Nano(-1))), "quota: "),
            (spec(|s| s.models = Some(vec![])), "models: "),
            (spec(|s| s.models = Some(vec![" ".into()])), "models: "),
            (spec(|s| s.ips = Some(vec![])), "ips: "),
            (spec(|s| s.apps = Some(vec![])), "apps: "),
            (spec(|s| s.apps = Some(vec!["a\nb".into()])), "apps: "),
        ];
        for (spec, field) in bad {
            let error = check_spec(&spec).unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
        }
    }
}

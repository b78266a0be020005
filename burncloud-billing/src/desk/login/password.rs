//! Passwords: which are taken, and their hashes.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use burncloud_core::store::StoreError;
use burncloud_core::usecase::{Said, UseCaseError, UseCaseResult};
use secrecy::{ExposeSecret, SecretString};
use std::sync::OnceLock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The fewest characters of a password.
pub const SHORTEST: usize = 10;
/// The most characters of a password.
pub const LONGEST: usize = 256;

/// Memory of one hash in KiB, passes, lanes: what OWASP advises.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// At most two at a time: a flood of sign-ins takes neither the memory nor the cores of the gateway beside it.
static ROOM: Semaphore = Semaphore::const_new(2);
/// How many may wait for that; more are turned away.
static DOOR: Semaphore = Semaphore::const_new(64);

/// The commonest passwords that are long enough to be taken, one a line, in lower case.
const COMMON: &str = include_str!("common.txt");

/// Checks a password that somebody wants to have; `names` are what it must not be.
///
/// # Errors
/// `Invalid` with the field `password`.
pub fn check_password(password: &SecretString, names: &[&str]) -> UseCaseResult<()> {
    fn fail(message: impl Into<Said>) -> UseCaseResult<()> {
        Err(UseCaseError::invalid("password", message))
    }
    let text = password.expose_secret();
    let length = text.chars().count();
    if length < SHORTEST {
        return fail((
            format!("a password has at least {SHORTEST} characters; a few words will do"),
            format!("密码至少 {SHORTEST} 个字符，几个词语就可以"),
        ));
    }
    if length > LONGEST {
        return fail((
            format!("a password has at most {LONGEST} characters"),
            format!("密码最多 {LONGEST} 个字符"),
        ));
    }
    let plain = text.trim().to_lowercase();
    let local = |name: &str| name.split('@').next().unwrap_or_default().to_lowercase();
    if names.iter().any(|name| !name.is_empty() && (plain == name.to_lowercase() || plain == local(name))) {
        return fail(("a password is not the name", "密码不能与名字相同"));
    }
    let first = plain.chars().next();
    if COMMON.lines().any(|common| common == plain) || plain.chars().all(|letter| Some(letter) == first) {
        return fail(("this one is among the first that anybody would try", "这个密码太容易被猜到"));
    }
    Ok(())
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).expect("constants within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

async fn room() -> UseCaseResult<(SemaphorePermit<'static>, SemaphorePermit<'static>)> {
    let busy = || StoreError::Unavailable("too many sign in at once; try again in a moment".into());
    let door = DOOR.try_acquire().map_err(|_| busy())?;
    let room = ROOM.acquire().await.map_err(|_| busy())?;
    Ok((door, room))
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> UseCaseResult<T> {
    let permits = room().await?;
    // The permits go along: what was begun is done to its end, also when nobody waits for it any more.
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permits);
        done
    });
    let failed = |_| StoreError::Unavailable("a password could not be hashed".into());
    Ok(done.await.map_err(failed)?)
}

fn hash_now(password: &SecretString) -> UseCaseResult<String> {
    let failed = |_| StoreError::Unavailable("a password could not be hashed".into());
    let salt = SaltString::encode_b64(&super::secrets::random::<16>()?).map_err(failed)?;
    let hash = hasher().hash_password(password.expose_secret().as_bytes(), &salt).map_err(failed)?;
    Ok(hash.to_string())
}

/// The hash of a password, as a PHC string. Waits for its turn.
///
/// # Errors
/// `Unavailable` where too many wait.
pub(crate) async fn hash_password(password: SecretString) -> UseCaseResult<String> {
    apart(move || hash_now(&password)).await?
}

/// What there is to say of a password that somebody typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether it is the one.
    pub(super) right: bool,
    /// Whether it was hashed by other rules than today's.
    pub(super) old: bool,
}

/// Compares. Without a hash (nobody of that name, or one without a password) the same work is done, and the answer is no.
pub(super) async fn verify(hash: Option<String>, password: SecretString) -> UseCaseResult<Verdict> {
    apart(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| dummy().to_owned());
        let Ok(parsed) = PasswordHash::new(&hash) else { return Verdict { right: false, old: false } };
        let text = password.expose_secret();
        // Nobody has a longer one: what is compared has a bound.
        let text = if text.len() > LONGEST * 4 { "" } else { text };
        let right = hasher().verify_password(text.as_bytes(), &parsed).is_ok();
        let old = Params::try_from(&parsed)
            .map_or(true, |params| (params.m_cost(), params.t_cost(), params.p_cost()) != COST);
        Verdict { right: right && known, old }
    })
    .await
}

/// A hash that nobody's password has.
fn dummy() -> &'static str {
    static DUMMY: OnceLock<String> = OnceLock::new();
    DUMMY.get_or_init(|| {
        let none = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        none.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        check_password(&password.into(), &["ada@harbour.example", "longest-name"]).is_err()
    }

    #[test]
    fn what_anybody_would_try_is_refused() {
        for password in ["", "short", "123456789", "1234567890", "Password123", "ADA@harbour.example"] {
            assert!(refused(password), "{password:?}");
        }
        assert!(refused("Longest-Name") && refused("aaaaaaaaaaaa") && refused(&"é".repeat(LONGEST + 1)));
        assert!(!refused("correct horse battery") && !refused(&"ab".repeat(LONGEST / 2)));
    }

    #[tokio::test]
    async fn a_hash_says_how_it_was_made_and_holds_its_password_alone() {
        let hash = hash_password("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let right = verify(Some(hash.clone()), "correct horse".into()).await.unwrap();
        assert_eq!(right, Verdict { right: true, old: false });
        assert!(!verify(Some(hash), "correct horsE".into()).await.unwrap().right);
    }

    #[tokio::test]
    async fn nobody_has_the_password_that_stands_in_for_none() {
        for password in ["", "correct horse"] {
            assert!(!verify(None, password.into()).await.unwrap().right);
        }
        assert!(PasswordHash::new(dummy()).is_ok(), "or no work would be done");
    }

    #[tokio::test]
    async fn a_hash_of_other_rules_is_told() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let salt = SaltString::encode_b64(&[7; 16]).unwrap();
        let hash = weak.hash_password(b"correct horse", &salt).unwrap().to_string();
        let verdict = verify(Some(hash), "correct horse".into()).await.unwrap();
        assert_eq!(verdict, Verdict { right: true, old: true });
    }
}

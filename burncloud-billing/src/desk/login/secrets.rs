//! Random secrets, and what is derived from them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use burncloud_core::KeyHash;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::UseCaseResult;
use ring::hmac;

/// Random bytes from the system.
///
/// # Errors
/// `Unavailable` where the system gives none.
pub fn random<const N: usize>() -> UseCaseResult<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| StoreError::Unavailable("the system gives no random bytes".into()))?;
    Ok(bytes)
}

/// 256 random bits as 43 characters that may stand in a cookie or a URL.
///
/// # Errors
/// As [`random`].
pub fn random_text() -> UseCaseResult<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// What is stored of a secret that is random enough not to be guessed.
#[must_use]
pub(super) fn hash_of(secret: &str) -> [u8; 32] {
    KeyHash::of(secret.as_bytes()).0
}

/// A text that only whoever has `key` can make of `what`: HMAC-SHA-256.
#[must_use]
pub fn mac(key: &[u8], what: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, what))
}

/// Whether `given` is [`mac`] of that; takes as long for a wrong one as for a right one.
#[must_use]
pub fn is_mac(key: &[u8], what: &[u8], given: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    URL_SAFE_NO_PAD.decode(given).is_ok_and(|given| hmac::verify(&key, what, &given).is_ok())
}

/// `what`, readable, with a [`mac`] behind it.
#[must_use]
pub fn seal(key: &[u8], what: &[u8]) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(what), mac(key, what))
}

/// What was [`seal`]ed with that key.
#[must_use]
pub fn unseal(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let (what, given) = text.split_once('.')?;
    let what = URL_SAFE_NO_PAD.decode(what).ok()?;
    is_mac(key, &what, given).then_some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_that_key_alone_and_as_it_was() {
        let sealed = seal(b"key", b"17 code");
        assert_eq!(unseal(b"key", &sealed).as_deref(), Some(&b"17 code"[..]));
        assert_eq!(unseal(b"other", &sealed), None);
        let forged = sealed.replacen(&URL_SAFE_NO_PAD.encode("17"), &URL_SAFE_NO_PAD.encode("18"), 1);
        let (_, tag) = sealed.split_once('.').unwrap();
        let forged =
            if forged == sealed { format!("{}.{tag}", URL_SAFE_NO_PAD.encode("18 code")) } else { forged };
        assert_eq!(unseal(b"key", &forged), None);
        assert_eq!(unseal(b"key", "no dot"), None);
    }

    #[test]
    fn no_two_random_texts_are_alike_and_each_has_its_length() {
        let (a, b) = (random_text().unwrap(), random_text().unwrap());
        assert_ne!(a, b);
        assert_eq!((a.len(), b.len()), (43, 43));
    }
}

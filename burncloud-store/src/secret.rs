//! What encrypts provider credentials at rest, and what callers' signing secrets are derived from.
//!
//! AES-256-GCM. A sealed text is a version byte, a random nonce of 12 bytes, then ciphertext and tag; the
//! version and the text's purpose are authenticated with it, so a sealed text opens for nothing else.

use aes_gcm::aead::{Aead, Generate, KeyInit, Nonce, Payload};
use aes_gcm::{Aes256Gcm, Key};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const KEY: usize = 32;

/// Why there is no key to encrypt with. Never holds a part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The text is not a key.
    #[error("a secret key is 32 bytes, written as 64 hexadecimal digits or in base64")]
    Shape,
    /// The file is not a key.
    #[error("`{}` holds no secret key: 32 bytes, written as 64 hexadecimal digits or in base64", .0.display())]
    FileShape(PathBuf),
    /// Others than its owner may read the file.
    #[error("`{}` can be read or written by others (mode {mode:04o}); run: chmod 600 {}", .path.display(), .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file cannot be read or made.
    #[error("the secret key `{}` cannot be read or made: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    Random,
}

/// Encrypts and decrypts credentials with one key. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SecretBox {
    cipher: Aes256Gcm,
    signing: Arc<Zeroizing<[u8; KEY]>>,
}

impl fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBox(…)")
    }
}

impl SecretBox {
    /// With a new random key that nobody will ever know: for stores that end with the process.
    ///
    /// # Errors
    /// [`SecretError::Random`].
    pub fn generate() -> Result<SecretBox, SecretError> {
        Ok(SecretBox::with(&*random()?))
    }

    /// With a key of 32 bytes, written as 64 hexadecimal digits or in base64 (either alphabet, padded or
    /// not): what the environment variable `BURNCLOUD_SECRET_KEY` holds.
    ///
    /// # Errors
    /// [`SecretError::Shape`].
    pub fn from_text(text: &SecretString) -> Result<SecretBox, SecretError> {
        parse(text.expose_secret()).map(|key| SecretBox::with(&key)).ok_or(SecretError::Shape)
    }

    /// With the key in the file at `path`; if there is no such file it is made, readable for its owner
    /// alone, with a new random key. Of several processes that do so at once one wins, and all use its key.
    ///
    /// # Errors
    /// Every [`SecretError`] but `Shape`; a file that others can read is refused.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<SecretBox, SecretError> {
        let path = path.as_ref();
        let file = |error| SecretError::File { path: path.to_owned(), error };
        match File::open(path) {
            Ok(found) => return load(found, path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(file(error)),
        }
        create(path, &*random()?).map_err(file)?;
        // Read back: another process may have been first.
        load(File::open(path).map_err(file)?, path)
    }

    fn with(key: &[u8; KEY]) -> SecretBox {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
        Mac::update(&mut mac, b"burncloud: callers' signatures");
        let signing = Arc::new(Zeroizing::new(mac.finalize().into_bytes().into()));
        SecretBox { cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)), signing }
    }

    /// What callers' signing secrets are derived from: a key of its own, from which the other cannot be found.
    pub(crate) fn signing_key(&self) -> &[u8; KEY] {
        &self.signing
    }

    /// Encrypts `text` for `purpose`.
    pub(crate) fn seal(&self, purpose: &str, text: &SecretString) -> Result<Vec<u8>, SecretError> {
        let nonce = Nonce::<Aes256Gcm>::try_generate().map_err(|_| SecretError::Random)?;
        let payload = Payload { msg: text.expose_secret().as_bytes(), aad: &authenticated(purpose) };
        let sealed = self.cipher.encrypt(&nonce, payload).expect("a credential is shorter than 64 GiB");
        Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`seal`](SecretBox::seal) made; `None` if it was made with another key, for another
    /// purpose, or has changed.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Option<SecretString> {
        let (nonce, sealed) = sealed.strip_prefix(&[VERSION])?.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: &authenticated(purpose) };
        let text = self.cipher.decrypt(&Nonce::<Aes256Gcm>::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok().map(SecretString::from)
    }
}

fn authenticated(purpose: &str) -> Vec<u8> {
    [&[VERSION], purpose.as_bytes()].concat()
}

fn random() -> Result<Zeroizing<[u8; KEY]>, SecretError> {
    <[u8; KEY]>::try_generate().map(Zeroizing::new).map_err(|_| SecretError::Random)
}

fn parse(text: &str) -> Option<Zeroizing<[u8; KEY]>> {
    let text = text.trim();
    let mut key = Zeroizing::new([0; KEY]);
    if text.len() == 2 * KEY {
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?;
        }
        return Some(key);
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = [base64::alphabet::STANDARD, base64::alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
        .map(Zeroizing::new)?;
    (bytes.len() == KEY).then(|| key.copy_from_slice(&bytes))?;
    Some(key)
}

fn load(file: File, path: &Path) -> Result<SecretBox, SecretError> {
    let failed = |error| SecretError::File { path: path.to_owned(), error };
    check_mode(&file, path)?;
    // No key is longer than a kibibyte; whatever else the path names is not read to its end.
    let mut text = Zeroizing::new(Vec::new());
    file.take(1024).read_to_end(&mut text).map_err(failed)?;
    let key = std::str::from_utf8(&text).ok().and_then(parse);
    key.map(|key| SecretBox::with(&key)).ok_or_else(|| SecretError::FileShape(path.to_owned()))
}

#[cfg(unix)]
fn check_mode(file: &File, path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::MetadataExt;
    let meta = file.metadata().map_err(|error| SecretError::File { path: path.to_owned(), error })?;
    let mode = meta.mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(SecretError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &File, _: &Path) -> Result<(), SecretError> {
    Ok(())
}

/// Makes the file with all of its content at once: written and synced beside, then linked into place, which
/// fails if there is one by now (and that is no error).
fn create(path: &Path, key: &[u8; KEY]) -> io::Result<()> {
    let unique = <[u8; 8]>::try_generate().map(u64::from_le_bytes).map_err(io::Error::other)?;
    let draft = path.with_added_extension(format!("{unique:016x}"));
    let linked = write(&draft, key).and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    // What matters is whether the key is in place; a draft that stays behind is a key of nothing.
    let _ = std::fs::remove_file(&draft);
    linked.and_then(|()| sync_folder(path))
}

fn write(path: &Path, key: &[u8; KEY]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY + 1));
    for byte in key {
        fmt::Write::write_fmt(&mut *text, format_args!("{byte:02x}")).map_err(io::Error::other)?;
    }
    text.push('\n');
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str) -> Result<SecretBox, SecretError> {
        SecretBox::from_text(&key.to_owned().into())
    }

    #[test]
    fn seals_and_opens() {
        let secrets = SecretBox::generate().unwrap();
        for credential in ["", "sk-1", "schlüssel\n🔑"] {
            let sealed = secrets.seal("a", &credential.to_owned().into()).unwrap();
            assert_eq!(secrets.open("a", &sealed).unwrap().expose_secret(), credential);
            assert!(
                credential.is_empty()
                    || !sealed.windows(credential.len()).any(|w| w == credential.as_bytes())
            );
            let again = secrets.seal("a", &credential.to_owned().into()).unwrap();
            assert_ne!(sealed, again, "each sealing has a nonce of its own");
        }
    }

    #[test]
    fn nothing_else_opens() {
        let secrets = SecretBox::generate().unwrap();
        let sealed = secrets.seal("a", &"sk-1".to_owned().into()).unwrap();
        assert!(secrets.open("b", &sealed).is_none(), "for another purpose");
        assert!(SecretBox::generate().unwrap().open("a", &sealed).is_none(), "with another key");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(secrets.open("a", &changed).is_none(), "byte {at} changed");
            assert!(secrets.open("a", &sealed[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn reads_keys_in_each_form() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1B1C1D1E1F";
        let forms = [
            hex,
            &format!(" {hex}\n"),
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        ];
        let sealed = text(hex).unwrap().seal("a", &"x".to_owned().into()).unwrap();
        for form in forms {
            assert!(text(form).unwrap().open("a", &sealed).is_some(), "{form}");
        }
        for (either, other) in [("/", "_"), ("+", "-")] {
            let key = |letter: &str| text(&format!("{letter}{}", "8".repeat(42)));
            let sealed = key(either).unwrap().seal("a", &"x".to_owned().into()).unwrap();
            assert!(key(other).unwrap().open("a", &sealed).is_some(), "both alphabets");
        }
        for wrong in ["", "00", &hex[2..], &hex.replace("00", "0g"), "AAECAwQ=", "schlüssel"] {
            let error = text(wrong).unwrap_err().to_string();
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn the_signing_key_follows_the_key_and_is_another() {
        let key = [7; 32];
        let (one, same, other) = (SecretBox::with(&key), SecretBox::with(&key), SecretBox::with(&[8; 32]));
        assert_eq!(one.signing_key(), same.signing_key());
        assert!(one.signing_key() != &key && one.signing_key() != other.signing_key());
    }

    #[test]
    fn shows_nothing() {
        let secrets = text(&"ab".repeat(32)).unwrap();
        assert_eq!(format!("{secrets:?}"), "SecretBox(…)");
    }

    #[test]
    fn makes_a_key_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || SecretBox::load_or_create(path))
            })
            .collect();
        let boxes: Vec<_> = threads.into_iter().map(|t| t.join().unwrap().unwrap()).collect();
        let sealed = boxes[0].seal("a", &"x".to_owned().into()).unwrap();
        assert!(boxes.iter().all(|b| b.open("a", &sealed).is_some()), "all have the same key");
        let again = SecretBox::load_or_create(&path).unwrap();
        assert!(again.open("a", &sealed).is_some(), "and so has the next start");
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["secret.key"], "nothing else is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn refuses_a_key_file_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        SecretBox::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = SecretBox::load_or_create(&path).unwrap_err();
            assert!(matches!(&error, SecretError::Exposed { mode: m, .. } if *m == mode), "{error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn refuses_a_file_that_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        SecretBox::load_or_create(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        assert!(matches!(SecretBox::load_or_create(&path), Err(SecretError::FileShape(_))));
        let nowhere = folder.path().join("none/secret.key");
        assert!(matches!(SecretBox::load_or_create(nowhere), Err(SecretError::File { .. })));
    }
}

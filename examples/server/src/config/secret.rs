//! Secrets by reference: `{ env = "NAME" }`, `{ file = "path" }`; inline text only where that is allowed.

use super::problem::{is_variable_name, looks_like_a_key};
use secrecy::SecretString;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::path::PathBuf;

/// Where a secret is.
#[derive(Clone, Debug)]
pub(crate) enum SecretRef {
    /// In the file itself.
    Inline(SecretString),
    /// In an environment variable.
    Env(String),
    /// In a file; one line break at its end is no part of it.
    File(PathBuf),
}

impl SecretRef {
    /// The secret.
    ///
    /// # Errors
    /// What is wrong and how to mend it, without the secret.
    pub(crate) fn resolve(&self, allow_inline: bool) -> Result<SecretString, String> {
        match self {
            SecretRef::Inline(secret) if allow_inline => Ok(secret.clone()),
            SecretRef::Inline(_) => Err("a secret stands in the file; write { env = \"NAME\" } or \
                 { file = \"path\" }, or set allow_inline_secrets = true at the top of the file"
                .to_owned()),
            SecretRef::Env(name) => from_env(name),
            SecretRef::File(path) => from_file(path),
        }
    }
}

fn from_env(name: &str) -> Result<SecretString, String> {
    if !is_variable_name(name) {
        return Err("env wants the name of a variable, such as \"OPENAI_API_KEY\", not its value".to_owned());
    }
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Err(format!("the environment variable {name} is empty")),
        Ok(value) => Ok(SecretString::from(value)),
        Err(std::env::VarError::NotPresent) => {
            Err(format!("the environment variable {name} is not set; export it before the start"))
        }
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("the environment variable {name} is no text")),
    }
}

fn from_file(path: &PathBuf) -> Result<SecretString, String> {
    let shown = path.display();
    if looks_like_a_key(&shown.to_string()) && !path.exists() {
        return Err("file wants the path of a file such as \"/run/secrets/key\", not its content".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("the file {shown} cannot be read: {e}"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(format!("the file {shown} is empty"));
    }
    Ok(SecretString::from(line))
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<SecretRef, D::Error> {
        from.deserialize_any(RefVisitor)
    }
}

struct RefVisitor;

const SHAPE: &str = "{ env = \"NAME\" } or { file = \"path\" }";

impl<'de> Visitor<'de> for RefVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHAPE)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretRef, E> {
        Ok(SecretRef::Inline(SecretString::from(text)))
    }

    // The default messages of these would repeat the value.
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretRef, E> {
        Err(E::custom(format!("expected {SHAPE}")))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretRef, E> {
        Err(E::custom(format!("expected {SHAPE}")))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let entry: Option<(String, String)> = map.next_entry()?;
        let more: Option<String> = map.next_key()?;
        match entry {
            Some((key, name)) if key == "env" && more.is_none() => Ok(SecretRef::Env(name)),
            Some((key, path)) if key == "file" && more.is_none() => Ok(SecretRef::File(path.into())),
            _ => Err(de::Error::custom(format!("expected {SHAPE}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[derive(serde::Deserialize, Debug)]
    struct Doc {
        s: SecretRef,
    }

    fn parse(text: &str) -> Result<SecretRef, String> {
        toml::from_str::<Doc>(text).map(|d| d.s).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn reads_each_form() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-file\r\n").unwrap();
        let by_file = parse(&format!("s = {{ file = '{}' }}", file.path().display())).unwrap();
        assert_eq!(by_file.resolve(false).unwrap().expose_secret(), "from-file");
        let by_env = parse("s = { env = 'PATH' }").unwrap();
        assert_eq!(by_env.resolve(false).unwrap().expose_secret(), std::env::var("PATH").unwrap());
        let inline = parse("s = 'in-line'").unwrap();
        assert!(inline.resolve(false).unwrap_err().contains("allow_inline_secrets"));
        assert_eq!(inline.resolve(true).unwrap().expose_secret(), "in-line");
    }

    #[test]
    fn what_is_wrong_never_repeats_a_secret() {
        let misplaced = parse("s = { env = 'sk-misplaced' }").unwrap().resolve(true).unwrap_err();
        assert!(misplaced.contains("name of a variable") && !misplaced.contains("sk-"), "{misplaced}");
        let content = parse("s = { file = 'sk-misplaced' }").unwrap().resolve(true).unwrap_err();
        assert!(content.contains("path of a file") && !content.contains("sk-"), "{content}");
        for text in
            ["s = 123456", "s = 1.5", "s = { vault = 'sk-x' }", "s = {}", "s = { env = 'A', file = 'b' }"]
        {
            let error = parse(text).unwrap_err();
            assert!(error.contains(SHAPE) && !error.contains("123456") && !error.contains("sk-x"), "{error}");
        }
        assert!(!format!("{:?}", parse("s = 'in-line'").unwrap()).contains("in-line"));
    }
}

//! What a channel of Bedrock's can be told, and the forms of its credential.

use aws_credential_types::Credentials;
use burncloud_core::adapter::ConfigureError;
use burncloud_core::{Error, ErrorKind};
use http::Uri;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;

const REGION: &str = "us-east-1";

/// How Anthropic's callers are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Anthropic {
    /// By InvokeModel where the model's id says that it is Anthropic's.
    #[default]
    ByModel,
    /// By InvokeModel.
    Invoke,
    /// By Converse, as callers of every other dialect.
    Converse,
}

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: String,
    pub(super) external_id: Option<String>,
}

/// A channel's options, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) region: String,
    pub(super) role: Option<Role>,
    sts_url: Option<String>,
    pub(super) anthropic: Anthropic,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { region: REGION.to_owned(), role: None, sts_url: None, anthropic: Anthropic::default() }
    }
}

fn wrong(option: &str, message: impl Into<String>) -> ConfigureError {
    ConfigureError { field: format!("options.{option}"), message: message.into() }
}

impl Settings {
    pub(super) fn read(
        options: &BTreeMap<String, String>,
        secret: &SecretString,
    ) -> Result<Settings, ConfigureError> {
        let mut settings = Settings::default();
        let keys = credential(secret).map_err(|error| ConfigureError {
            field: "credential".to_owned(),
            message: error.message().to_owned(),
        })?;
        if let Some(region) = written(secret).and_then(|written| written.region) {
            settings.region = region;
        }
        let (mut session_name, mut external_id, mut arn) = (None, None, None);
        for (name, value) in options {
            match name.as_str() {
                "region" => settings.region = value.clone(),
                "role_arn" => arn = Some(role_arn(value)?),
                "role_session_name" => session_name = Some(word(name, value, "+=,.@_-", 64)?),
                "external_id" => external_id = Some(word(name, value, "+=,.@:/_-", 1224)?),
                "sts_url" => settings.sts_url = Some(address(name, value)?),
                "anthropic" => {
                    settings.anthropic = match value.as_str() {
                        "invoke" => Anthropic::Invoke,
                        "converse" => Anthropic::Converse,
                        _ => return Err(wrong(name, "write `invoke` or `converse`")),
                    }
                }
                _ => return Err(wrong(name, UNKNOWN)),
            }
        }
        if !is_region(&settings.region) {
            return Err(wrong("region", "not an AWS region; write one such as `us-east-1`"));
        }
        let unused = [("role_session_name", session_name.is_some()), ("external_id", external_id.is_some())]
            .into_iter()
            .chain([("sts_url", settings.sts_url.is_some())])
            .find(|(_, set)| *set && arn.is_none());
        if let Some((name, _)) = unused {
            return Err(wrong(
                name,
                "it only says how a role is assumed; set `role_arn` too, or take it out",
            ));
        }
        if arn.is_some() && matches!(keys, Credential::ApiKey) {
            return Err(wrong("role_arn", "a Bedrock API key cannot assume a role; use an access key"));
        }
        settings.role = arn.map(|arn| Role {
            arn,
            session_name: session_name.unwrap_or_else(|| "burncloud".to_owned()),
            external_id,
        });
        Ok(settings)
    }

    /// Where a service of AWS's is in this region.
    pub(super) fn address(&self, service: &str) -> String {
        let domain = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{service}.{}.{domain}", self.region)
    }

    pub(super) fn sts_url(&self) -> String {
        self.sts_url.clone().unwrap_or_else(|| self.address("sts"))
    }
}

const UNKNOWN: &str = "`bedrock` has no such option; it knows anthropic, external_id, region, role_arn, \
                       role_session_name, sts_url";

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let [names @ .., number] = parts.as_slice() else { return false };
    names.len() >= 2
        && text.len() <= 32
        && names.iter().all(letters)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn role_arn(value: &str) -> Result<String, ConfigureError> {
    let fits = value.starts_with("arn:") && value.contains(":iam::") && value.contains(":role/");
    if !fits || !value.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(wrong("role_arn", "not a role; write `arn:aws:iam::<account>:role/<name>`"));
    }
    Ok(value.to_owned())
}

fn word(name: &str, value: &str, marks: &str, most: usize) -> Result<String, ConfigureError> {
    let fits = value.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c));
    if !fits || !(2..=most).contains(&value.len()) {
        let text = format!("write 2 to {most} letters, digits or `{marks}`");
        return Err(wrong(name, text));
    }
    Ok(value.to_owned())
}

fn address(name: &str, value: &str) -> Result<String, ConfigureError> {
    let uri: Option<Uri> = value.parse().ok();
    let fits = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some()
            && uri.query().is_none()
    });
    if !fits {
        return Err(wrong(name, "not an address; write one such as `https://sts.us-east-1.amazonaws.com`"));
    }
    Ok(value.to_owned())
}

/// What a credential is.
pub(super) enum Credential {
    Keys(Credentials),
    /// A Bedrock API key: the text itself.
    ApiKey,
}

/// A credential written as JSON.
#[derive(Deserialize)]
struct Written {
    #[serde(alias = "AccessKeyId", alias = "aws_access_key_id")]
    access_key_id: String,
    #[serde(alias = "SecretAccessKey", alias = "aws_secret_access_key")]
    secret_access_key: String,
    #[serde(alias = "SessionToken", alias = "aws_session_token", default)]
    session_token: Option<String>,
    #[serde(alias = "Region", default)]
    region: Option<String>,
}

fn written(secret: &SecretString) -> Option<Written> {
    serde_json::from_str(secret.expose_secret()).ok()
}

/// Understands a credential.
///
/// # Errors
/// For JSON that is no access key, and for half of one. The text is in no error.
pub(super) fn credential(secret: &SecretString) -> Result<Credential, Error> {
    let text = secret.expose_secret().trim();
    let refuse = |why| Err(Error::new(ErrorKind::Internal, why));
    if text.starts_with('{') {
        let Some(Written { access_key_id, secret_access_key, session_token, .. }) = written(secret) else {
            return refuse(
                "the credential is JSON, but no access key; write {\"access_key_id\": …, \"secret_access_key\": …}",
            );
        };
        return keys(&access_key_id, &secret_access_key, session_token.as_deref());
    }
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(id), Some(key), token) if is_key_id(id) => keys(id, key, token),
        (Some(id), _, _) if ["AKIA", "ASIA"].iter().any(|begin| id.starts_with(begin)) => {
            refuse("it begins like an access key's id; write the whole key as ID:SECRET, or as JSON")
        }
        _ => Ok(Credential::ApiKey),
    }
}

fn is_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn keys(id: &str, key: &str, token: Option<&str>) -> Result<Credential, Error> {
    let token = token.map(str::trim).filter(|token| !token.is_empty());
    let (id, key) = (id.trim(), key.trim());
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if !plain(id) || !plain(key) || !token.is_none_or(plain) {
        let text = "a part of the access key is empty or holds characters that no access key has";
        return Err(Error::new(ErrorKind::Internal, text));
    }
    Ok(Credential::Keys(Credentials::new(id, key, token.map(str::to_owned), None, "channel")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG";

    fn read(options: &[(&str, &str)], credential: &str) -> Result<Settings, ConfigureError> {
        let options = options.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Settings::read(&options, &credential.into())
    }

    fn parts(text: &str) -> Option<(String, String, Option<String>)> {
        match credential(&text.into()).unwrap() {
            Credential::Keys(keys) => Some((
                keys.access_key_id().to_owned(),
                keys.secret_access_key().to_owned(),
                keys.session_token().map(str::to_owned),
            )),
            Credential::ApiKey => None,
        }
    }

    #[test]
    fn credentials_in_every_form() {
        let id = "AKIAIOSFODNN7EXAMPLE";
        let both = |token: Option<&str>| Some((id.into(), "s/e+c".into(), token.map(str::to_owned)));
        assert_eq!(parts(&format!(" {id}:s/e+c\n")), both(None));
        assert_eq!(parts(&format!("{id}:s/e+c:to:ken==")), both(Some("to:ken==")));
        assert_eq!(parts(&format!(r#"{{"access_key_id":"{id}","secret_access_key":"s/e+c"}}"#)), both(None));
        let aws = format!(
            r#"{{"AccessKeyId":"{id}","SecretAccessKey":"s/e+c","SessionToken":"t","Expiration":"x"}}"#
        );
        assert_eq!(parts(&aws), both(Some("t")));
        assert_eq!(parts("ABSKQmVkcm9jaw=="), None);
        assert_eq!(parts("bedrock-api-key-YmVk"), None);
        for bad in [
            "{\"key\":\"hidden\"}",
            "{hidden",
            "AKIAIOSFODNN7EXAMPLE:",
            "AKIAIOSFODNN7EXAMPLE:hid den",
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAhid:den",
        ] {
            let error = credential(&bad.into()).err().unwrap();
            assert!(!format!("{error:?}").contains("hid"), "{bad}");
        }
    }

    #[test]
    fn the_region_stands_in_the_option_or_the_credential() {
        assert_eq!(read(&[], KEY).unwrap().region, "us-east-1");
        let json = r#"{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"s","region":"eu-west-3"}"#;
        assert_eq!(read(&[], json).unwrap().region, "eu-west-3");
        let both = read(&[("region", "us-gov-west-1")], json).unwrap();
        assert_eq!(both.address("bedrock-runtime"), "https://bedrock-runtime.us-gov-west-1.amazonaws.com");
        let china = read(&[("region", "cn-north-1")], KEY).unwrap();
        assert_eq!(china.sts_url(), "https://sts.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn a_wrong_option_is_named() {
        let role = ("role_arn", "arn:aws:iam::123456789012:role/x");
        for (options, credential, field) in [
            (&[("regoin", "us-east-1")][..], KEY, "options.regoin"),
            (&[("region", "us east 1")], KEY, "options.region"),
            (&[("region", "evil.example/us-east-1")], KEY, "options.region"),
            (&[("region", "useast1")], KEY, "options.region"),
            (&[("role_arn", "x")], KEY, "options.role_arn"),
            (&[role], "ABSKkey", "options.role_arn"),
            (&[("external_id", "xx")], KEY, "options.external_id"),
            (&[("sts_url", "https://sts.example")], KEY, "options.sts_url"),
            (&[role, ("sts_url", "sts")], KEY, "options.sts_url"),
            (&[role, ("role_session_name", "a b")], KEY, "options.role_session_name"),
            (&[("anthropic", "yes")], KEY, "options.anthropic"),
            (&[], "{", "credential"),
        ] {
            assert_eq!(read(options, credential).unwrap_err().field, field, "{options:?}");
        }
        let settings = read(&[role, ("external_id", "e-1")], KEY).unwrap();
        assert_eq!(settings.role.unwrap().session_name, "burncloud");
    }
}

//! `[[keys]]`.

use super::Checker;
use crate::config::DeclaredKey;
use crate::config::DeclaredUser;
use crate::config::declared::{DEFAULT, status};
use crate::config::raw::RawKey;
use burncloud_core::usecase::UseCaseError;
use burncloud_core::usecase::keys::{KeySpec, check_secret, check_spec};
use burncloud_core::{KeyHash, UserId};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::ops::Range;
use toml::Spanned;

impl Checker {
    pub(super) fn keys(&mut self, raw: Vec<Spanned<RawKey>>, users: &[DeclaredUser]) -> Vec<DeclaredKey> {
        let mut taken = HashSet::new();
        let mut hashes: HashMap<KeyHash, String> = HashMap::new();
        let mut keys = Vec::new();
        for entry in raw {
            let whole = entry.span();
            let raw = entry.into_inner();
            self.name("keys", &raw.name, &mut taken);
            if let Some(user) = &raw.user {
                let known = users.iter().map(|u| u.name.as_str());
                self.reference("keys.user", user, "user", "[[users]]", known);
            }
            let secret = self.key_secret(&raw, &whole, &mut hashes);
            let spec = self.key_spec(&raw);
            match check_spec(&spec) {
                Ok(()) => (),
                Err(UseCaseError::Invalid { field, .. }) if field == "name" => (),
                Err(error) => self.report_use_case(key_span(&raw, &error, whole), "keys", &error),
            }
            keys.push(DeclaredKey {
                spec,
                user: raw.user.map_or_else(|| DEFAULT.to_owned(), Spanned::into_inner),
                secret: secret.unwrap_or_default(),
                status: status(raw.enabled),
            });
        }
        keys
    }

    fn key_secret(
        &mut self,
        raw: &RawKey,
        whole: &Range<usize>,
        hashes: &mut HashMap<KeyHash, String>,
    ) -> Option<SecretString> {
        let Some(reference) = &raw.secret else {
            let message = "name the key's secret: { env = \"NAME\" } or { file = \"path\" }; \
                           `burncloud keys create` makes keys that need not stand in a file";
            self.report(whole.clone(), "keys.secret", message);
            return None;
        };
        let secret = self.secret("keys.secret", reference)?;
        if let Err(error) = check_secret(&secret) {
            self.report_use_case(reference.span(), "keys", &error);
        }
        let name = raw.name.get_ref().clone();
        if let Some(other) = hashes.insert(KeyHash::of(secret.expose_secret().as_bytes()), name) {
            let message = format!("it is the secret of the key `{other}` too; each key has its own");
            self.report(reference.span(), "keys.secret", message);
        }
        Some(secret)
    }

    fn key_spec(&mut self, raw: &RawKey) -> KeySpec {
        let ips = raw.ips.as_ref().map(|list| {
            let mut parsed: Vec<IpAddr> = Vec::new();
            for ip in list.get_ref() {
                match ip.get_ref().parse() {
                    Ok(ip) => parsed.push(ip),
                    Err(_) => self.report(ip.span(), "keys.ips", "not an IP address"),
                }
            }
            // An address that cannot be read is reported once, not as an empty list again.
            (parsed, list.get_ref().is_empty())
        });
        KeySpec {
            name: raw.name.get_ref().clone(),
            user: UserId(0),
            quota: self.money("keys.quota_usd", raw.quota_usd.as_ref()),
            limits: self.limits("keys.rate_limit", raw.rate_limit.clone()),
            models: raw.models.as_ref().map(|m| m.get_ref().clone()),
            ips: ips.and_then(|(parsed, empty)| (empty || !parsed.is_empty()).then_some(parsed)),
            expires_at: self.moment("keys.expires", raw.expires.as_ref()),
            group: self.word("keys.group", raw.group.as_ref()),
            apps: raw.apps.as_ref().map(|apps| apps.get_ref().clone()),
        }
    }
}

fn key_span(raw: &RawKey, error: &UseCaseError, whole: Range<usize>) -> Range<usize> {
    let UseCaseError::Invalid { field, .. } = error else { return whole };
    let span = match &**field {
        "quota" => raw.quota_usd.as_ref().map(Spanned::span),
        "models" => raw.models.as_ref().map(Spanned::span),
        "apps" => raw.apps.as_ref().map(Spanned::span),
        "ips" => raw.ips.as_ref().map(Spanned::span),
        _ => None,
    };
    span.unwrap_or(whole)
}

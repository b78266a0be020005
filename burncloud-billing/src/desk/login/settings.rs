//! What the house decides of how people get in: one setting, `access`, as JSON.

use crate::desk::audit::Change;
use crate::desk::{Actor, Desk};
use crate::people::{Action, find_tenant};
use burncloud_core::store::StoreError;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{TenantId, UnixMicros};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The name of the setting.
const NAME: &str = "access";

/// What the house decides of how people get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessSettings {
    /// Minutes after which a session ends that nobody uses.
    pub idle_minutes: u32,
    /// Days after which a session ends whatever happens.
    pub absolute_days: u32,
    /// Whether owners and administrators need a second factor.
    pub require_totp_for_administrators: bool,
    /// The tenant in which whoever comes may make a user of their own, by name; `None` is nobody may.
    pub registration: Option<String>,
    /// A provider of identities.
    pub oidc: Option<OidcSettings>,
}

impl Default for AccessSettings {
    fn default() -> AccessSettings {
        AccessSettings {
            idle_minutes: 12 * 60,
            absolute_days: 30,
            require_totp_for_administrators: false,
            registration: None,
            oidc: None,
        }
    }
}

/// A provider of identities (OpenID Connect).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// Its issuer: `https://` and where its `/.well-known/openid-configuration` is.
    pub issuer: String,
    /// What it calls this console.
    pub client_id: String,
    /// Where this process finds the client's secret; `None` for a public client.
    #[serde(default)]
    pub client_secret: Option<SecretPlace>,
    /// The domains of e-mail addresses that may get in; none is all.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The tenant in which whoever comes for the first time becomes a user, by name; `None` is only those who are known.
    #[serde(default)]
    pub create_in: Option<String>,
    /// What the button says; empty is what the console says.
    #[serde(default)]
    pub button: String,
}

/// Where a secret is that the store does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// In this variable of the environment, whose name begins with `BURNCLOUD_OIDC_`.
    Env(String),
    /// In this file, whose name begins with `burncloud-oidc`; white space at its ends does not count.
    File(String),
}

impl AccessSettings {
    pub(super) fn idle(&self) -> i64 {
        i64::from(self.idle_minutes) * 60_000_000
    }

    pub(super) fn ends(&self, now: UnixMicros) -> UnixMicros {
        UnixMicros(now.0 + i64::from(self.absolute_days) * 86_400_000_000)
    }

    fn check(&self) -> UseCaseResult<()> {
        let fail =
            |field: &'static str, why: (&'static str, &'static str)| Err(UseCaseError::invalid(field, why));
        if !(5..=30 * 24 * 60).contains(&self.idle_minutes) {
            return fail(
                "idle_minutes",
                ("a session nobody uses ends after 5 minutes to 30 days", "闲置会话在 5 分钟到 30 天后结束"),
            );
        }
        if !(1..=365).contains(&self.absolute_days) {
            return fail("absolute_days", ("a session ends after 1 to 365 days", "会话在 1 到 365 天后结束"));
        }
        let Some(oidc) = &self.oidc else { return Ok(()) };
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let own = |rest: &str| rest.is_empty() || rest.starts_with([':', '/']);
        let loopback = local.iter().any(|host| oidc.issuer.strip_prefix(host).is_some_and(own));
        if !oidc.issuer.starts_with("https://") && !loopback {
            return fail("issuer", ("an issuer begins with https://", "发行方地址须以 https:// 开头"));
        }
        if oidc.client_id.trim().is_empty() {
            return fail(
                "client_id",
                ("say what the provider calls this console", "请填写平台给本控制台的客户端标识"),
            );
        }
        // Whoever sets it could have any other secret of the process sent to an issuer of their choice.
        let named = match &oidc.client_secret {
            Some(SecretPlace::Env(name)) => name.starts_with("BURNCLOUD_OIDC_"),
            Some(SecretPlace::File(path)) => std::path::Path::new(path)
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("burncloud-oidc")),
            None => true,
        };
        if !named {
            return fail(
                "client_secret",
                (
                    "the variable's name begins with BURNCLOUD_OIDC_, the file's with burncloud-oidc",
                    "变量名须以 BURNCLOUD_OIDC_ 开头，文件名须以 burncloud-oidc 开头",
                ),
            );
        }
        if oidc.domains.iter().any(|domain| domain.is_empty() || domain.contains(['@', ' '])) {
            return fail(
                "domains",
                (
                    "a domain is what follows the @, such as harbour.example",
                    "域名是 @ 之后的部分，例如 harbour.example",
                ),
            );
        }
        if oidc.create_in.is_some() && oidc.domains.is_empty() {
            return fail(
                "domains",
                ("name the domains whose people become users by themselves", "请填写可自动成为用户的域名"),
            );
        }
        Ok(())
    }
}

impl Desk {
    /// How people get in, as it is set.
    ///
    /// # Errors
    /// The store's; `Store(Invalid)` for a setting that cannot be read: nothing falls back to something weaker.
    pub async fn access(&self) -> UseCaseResult<AccessSettings> {
        let all = self.store.settings().await?;
        let Some((_, value)) = all.into_iter().find(|(name, _)| name == NAME) else {
            return Ok(AccessSettings::default());
        };
        serde_json::from_value(value)
            .map_err(|e| StoreError::Invalid(format!("the setting `{NAME}` cannot be read: {e}")).into())
    }

    /// Sets how people get in. The provider of identities is for owners: its secret is read from wherever it says.
    ///
    /// # Errors
    /// `Invalid` with the field, `Forbidden`, the store's.
    pub async fn set_access(&self, actor: &Actor, next: &AccessSettings) -> UseCaseResult<()> {
        actor.check_in_house(Action::ManageHouse)?;
        let before = self.access().await?;
        if before.oidc != next.oidc {
            actor.check_in_house(Action::ManageOwners)?;
        }
        next.check()?;
        for name in
            next.registration.iter().chain(next.oidc.iter().filter_map(|oidc| oidc.create_in.as_ref()))
        {
            find_tenant(&*self.store, name).await?;
        }
        let value = serde_json::to_value(next).unwrap_or(Value::Null);
        self.store.set_setting(NAME, &value).await?;
        self.doors.look_again();
        self.note(
            actor,
            Change {
                action: "access.set",
                subject: "setting:access".into(),
                name: NAME.into(),
                tenant: TenantId::default(),
                before: json!(before),
                after: value,
            },
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_over_tls_or_on_this_machine() {
        let with = |issuer: &str| AccessSettings {
            oidc: Some(OidcSettings {
                issuer: issuer.into(),
                client_id: "console".into(),
                client_secret: None,
                domains: Vec::new(),
                create_in: None,
                button: String::new(),
            }),
            ..AccessSettings::default()
        };
        assert!(with("https://id.example").check().is_ok());
        assert!(with("http://127.0.0.1:9000/realm").check().is_ok());
        for issuer in ["http://id.example", "http://127.0.0.1.evil.example", "http://localhost.example", ""] {
            assert!(with(issuer).check().is_err(), "{issuer}");
        }
    }

    #[test]
    fn what_stands_for_ever_and_what_ends_at_once_is_refused() {
        assert!(AccessSettings::default().check().is_ok());
        assert!(AccessSettings { idle_minutes: 1, ..AccessSettings::default() }.check().is_err());
        assert!(AccessSettings { absolute_days: 0, ..AccessSettings::default() }.check().is_err());
    }
}

//! Channels, as the console handles them: what is shown never holds a credential.

mod batch;
mod probe;

pub use batch::{ImportReport, RowError};
pub use probe::{Found, Known, Timed};

use super::audit::Change;
use super::common::{check_version, version_of};
use super::{Actor, Desk};
use crate::people::Action;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::channels as rules;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, KeyHash, Status, TenantId};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The shortest credential of which the last four characters are shown: a sixth of it at most.
const SHOWN_FROM: usize = 24;

/// A channel as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelView {
    /// Identity.
    pub id: ChannelId,
    /// The operator's name for it; unique.
    pub name: String,
    /// The provider's name in the registry.
    pub provider: String,
    /// Where the provider is, if not at its own address.
    pub base_url: Option<String>,
    /// That there is a credential, by its last four characters where it is long enough: `…wxyz`, or `set`.
    pub credential: Option<String>,
    /// The models it serves, by the names callers use.
    pub models: Vec<String>,
    /// Asked = sent.
    pub model_mapping: BTreeMap<String, String>,
    /// Higher first.
    pub priority: i32,
    /// Share within one priority.
    pub weight: u32,
    /// On, off, or withdrawn.
    pub status: Status,
    /// The rest.
    pub settings: ChannelSettings,
    /// Which form of it this is; the credential counts.
    pub version: String,
}

impl From<&ChannelConfig> for ChannelView {
    fn from(channel: &ChannelConfig) -> ChannelView {
        let mut view = ChannelView {
            id: channel.id,
            name: channel.name.clone(),
            provider: channel.provider.clone(),
            base_url: channel.base_url.clone(),
            credential: credential_hint(&channel.credential),
            models: channel.models.clone(),
            model_mapping: channel.model_mapping.clone(),
            priority: channel.priority,
            weight: channel.weight,
            status: channel.status,
            settings: channel.settings.clone(),
            version: String::new(),
        };
        let credential = KeyHash::of(channel.credential.expose_secret().as_bytes()).0;
        view.version = version_of(&(&view, credential));
        view
    }
}

/// What may be shown of a credential. `None` where there is none.
#[must_use]
pub fn credential_hint(credential: &SecretString) -> Option<String> {
    let text = credential.expose_secret();
    // A document (a service account's JSON) ends in what says nothing.
    let plain =
        text.len() >= SHOWN_FROM && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match text {
        "" => None,
        _ if plain => Some(format!("…{}", &text[text.len() - 4..])),
        _ => Some("set".to_owned()),
    }
}

/// A channel to be made.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// The operator's name for it; unique.
    pub name: String,
    /// The provider's name in the registry.
    pub provider: String,
    /// Where the provider is, if not at its own address.
    pub base_url: Option<String>,
    /// The credential; may be empty for a provider that wants none.
    pub credential: SecretString,
    /// The models it serves, by the names callers use.
    pub models: Vec<String>,
    /// Asked = sent.
    pub model_mapping: BTreeMap<String, String>,
    /// Higher first.
    pub priority: i32,
    /// Share within one priority; 0 takes it out of the draw.
    pub weight: u32,
    /// On, or off.
    pub status: Status,
    /// The rest.
    pub settings: ChannelSettings,
}

impl NewChannel {
    /// As a store takes it, without an id.
    #[must_use]
    pub fn into_config(self) -> ChannelConfig {
        let NewChannel { name, provider, base_url, credential, models, model_mapping, .. } = self;
        ChannelConfig {
            id: ChannelId(0),
            name,
            provider,
            base_url,
            credential,
            models,
            model_mapping,
            priority: self.priority,
            weight: self.weight,
            status: self.status,
            settings: self.settings,
        }
    }
}

/// What is to change of a channel; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ChannelChange {
    /// Another name.
    pub name: Option<String>,
    /// Another address; `Some(None)` is the provider's own.
    pub base_url: Option<Option<String>>,
    /// Another credential.
    pub credential: Option<SecretString>,
    /// Other models, all of them.
    pub models: Option<Vec<String>>,
    /// Another mapping, all of it.
    pub model_mapping: Option<BTreeMap<String, String>>,
    /// Another place in the order.
    pub priority: Option<i32>,
    /// Another share.
    pub weight: Option<u32>,
    /// On, off, or withdrawn for good.
    pub status: Option<Status>,
    /// Other settings, all of them.
    pub settings: Option<ChannelSettings>,
}

impl ChannelChange {
    fn apply(self, stored: &ChannelConfig) -> ChannelConfig {
        ChannelConfig {
            id: stored.id,
            name: self.name.unwrap_or_else(|| stored.name.clone()),
            provider: stored.provider.clone(),
            base_url: self.base_url.unwrap_or_else(|| stored.base_url.clone()),
            credential: self.credential.unwrap_or_else(|| stored.credential.clone()),
            models: self.models.unwrap_or_else(|| stored.models.clone()),
            model_mapping: self.model_mapping.unwrap_or_else(|| stored.model_mapping.clone()),
            priority: self.priority.unwrap_or(stored.priority),
            weight: self.weight.unwrap_or(stored.weight),
            status: self.status.unwrap_or(stored.status),
            settings: self.settings.unwrap_or_else(|| stored.settings.clone()),
        }
    }
}

/// Everything that decides where a channel's credential is sent. Of the provider's options some are addresses, and others have
/// one of them used.
fn addresses(channel: &ChannelConfig) -> (Option<&str>, Option<&str>, &BTreeMap<String, String>) {
    (channel.base_url.as_deref(), channel.settings.proxy.as_deref(), &channel.settings.options)
}

impl Desk {
    /// Every channel, in the order of their ids.
    ///
    /// # Errors
    /// `Forbidden` for whoever may not decide for the house; the store's.
    pub async fn list_channels(&self, actor: &Actor) -> UseCaseResult<Vec<ChannelView>> {
        actor.check_in_house(Action::ManageHouse)?;
        let mut all: Vec<ChannelView> = self.store.channels().await?.iter().map(ChannelView::from).collect();
        all.sort_by_key(|channel| channel.id);
        Ok(all)
    }

    /// One channel.
    ///
    /// # Errors
    /// As [`list_channels`](Desk::list_channels); `Store(NotFound)`.
    pub async fn channel(&self, actor: &Actor, id: ChannelId) -> UseCaseResult<ChannelView> {
        Ok(ChannelView::from(&self.channel_config(actor, id).await?))
    }

    /// One channel with its credential: for whoever is about to use it, not for a screen.
    ///
    /// # Errors
    /// As [`channel`](Desk::channel).
    pub async fn channel_config(&self, actor: &Actor, id: ChannelId) -> UseCaseResult<ChannelConfig> {
        actor.check_in_house(Action::ManageHouse)?;
        let found = self.store.channels().await?.into_iter().find(|channel| channel.id == id);
        Ok(found.ok_or_else(|| StoreError::NotFound { what: "channel", name: id.to_string() })?)
    }

    /// A channel that is not kept, checked: for whoever wants to try it first.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` with the field at fault.
    pub fn check_new_channel(&self, actor: &Actor, new: NewChannel) -> UseCaseResult<ChannelConfig> {
        actor.check_in_house(Action::ManageHouse)?;
        let channel = new.into_config();
        rules::check_channel(&channel, &self.registry)?;
        Ok(channel)
    }

    /// Makes a channel.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` with the field at fault; `Store(Conflict)` for a taken name.
    pub async fn create_channel(&self, actor: &Actor, new: NewChannel) -> UseCaseResult<ChannelView> {
        let channel = self.check_new_channel(actor, new)?;
        refuse_revoked(channel.status)?;
        let made = self.store.create_channel(channel).await?;
        self.note_channel(actor, "channel.create", None, Some(&made)).await?;
        Ok(ChannelView::from(&made))
    }

    /// Changes a channel. One that was withdrawn stays so. A credential does not follow a channel to another address, be it of
    /// a token's issuer or of a proxy: who changes the one gives the other, so that nobody learns a credential by having it sent to themselves.
    ///
    /// # Errors
    /// As [`create_channel`](Desk::create_channel); `Changed` where it is not the `expected` version; `Store(NotFound)`.
    pub async fn update_channel(
        &self,
        actor: &Actor,
        id: ChannelId,
        change: ChannelChange,
        expected: Option<&str>,
    ) -> UseCaseResult<ChannelView> {
        let _one_at_a_time = self.writing.lock().await;
        let stored = self.expected_channel(actor, id, expected).await?;
        let given = change.credential.is_some();
        let next = change.apply(&stored);
        if same(&stored, &next) {
            return Ok(ChannelView::from(&stored));
        }
        if addresses(&next) != addresses(&stored) && !given && !stored.credential.expose_secret().is_empty() {
            let message = (
                "it would be sent to another address: give the credential again",
                "地址变了，请重新填写凭证",
            );
            return Err(UseCaseError::invalid("credential", message));
        }
        rules::update_channel(&*self.store, &self.registry, &next).await?;
        self.note_channel(actor, "channel.update", Some(&stored), Some(&next)).await?;
        Ok(ChannelView::from(&next))
    }

    /// Switches a channel on or off, or withdraws it for good.
    ///
    /// # Errors
    /// As [`update_channel`](Desk::update_channel).
    pub async fn set_channel_status(
        &self,
        actor: &Actor,
        id: ChannelId,
        status: Status,
        expected: Option<&str>,
    ) -> UseCaseResult<ChannelView> {
        let _one_at_a_time = self.writing.lock().await;
        let stored = self.expected_channel(actor, id, expected).await?;
        if stored.status == status {
            return Ok(ChannelView::from(&stored));
        }
        let next = ChannelConfig { status, ..stored.clone() };
        match status {
            // What is broken can be switched off, and nothing but the status changes.
            Status::Disabled | Status::Revoked => self.store.update_channel(&next).await?,
            Status::Active => rules::update_channel(&*self.store, &self.registry, &next).await?,
        }
        self.note_channel(actor, "channel.status", Some(&stored), Some(&next)).await?;
        Ok(ChannelView::from(&next))
    }

    /// Removes a channel. Receipts keep its id, and nothing shows its name any more: withdraw one that ever served.
    ///
    /// # Errors
    /// `Forbidden`, `Changed` where it is not the `expected` version, `Store(NotFound)`.
    pub async fn delete_channel(
        &self,
        actor: &Actor,
        id: ChannelId,
        expected: Option<&str>,
    ) -> UseCaseResult<()> {
        let _one_at_a_time = self.writing.lock().await;
        let stored = self.expected_channel(actor, id, expected).await?;
        self.store.delete_channel(id).await?;
        self.note_channel(actor, "channel.delete", Some(&stored), None).await
    }

    async fn expected_channel(
        &self,
        actor: &Actor,
        id: ChannelId,
        expected: Option<&str>,
    ) -> UseCaseResult<ChannelConfig> {
        let stored = self.channel_config(actor, id).await?;
        check_version("channel", &stored.name, expected, &ChannelView::from(&stored).version)?;
        Ok(stored)
    }

    async fn note_channel(
        &self,
        actor: &Actor,
        action: &'static str,
        before: Option<&ChannelConfig>,
        after: Option<&ChannelConfig>,
    ) -> UseCaseResult<()> {
        let Some(channel) = after.or(before) else { return Ok(()) };
        let mut shown = [before, after].map(|channel| channel.map_or(Value::Null, written));
        let credentials = [before, after].map(|c| c.map(|c| c.credential.expose_secret()));
        if let ([Some(old), Some(new)], [_, Value::Object(after)]) = (credentials, &mut shown)
            && old != new
        {
            after.insert("credential".to_owned(), json!("changed"));
        }
        let [before, after] = shown;
        let change = Change {
            action,
            subject: format!("channel:{}", channel.id),
            name: channel.name.clone(),
            tenant: TenantId::default(),
            before,
            after,
        };
        self.note(actor, change).await
    }
}

/// What the audit log says of a channel: whether there is a credential, and nothing of it.
fn written(channel: &ChannelConfig) -> Value {
    let mut view = ChannelView::from(channel);
    view.credential = view.credential.map(|_| "set".to_owned());
    // It is made with the credential; the log needs neither.
    view.version.clear();
    serde_json::to_value(view).unwrap_or_default()
}

fn same(a: &ChannelConfig, b: &ChannelConfig) -> bool {
    ChannelView::from(a).version == ChannelView::from(b).version
}

fn refuse_revoked(status: Status) -> UseCaseResult<()> {
    match status {
        Status::Revoked => {
            Err(UseCaseError::invalid("status", ("a channel is not made withdrawn", "不能新建已撤下的账号")))
        }
        Status::Active | Status::Disabled => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_shown_of_a_credential() {
        let hint = |text: &str| credential_hint(&SecretString::from(text));
        assert_eq!(hint(""), None);
        assert_eq!(hint("short-one").as_deref(), Some("set"));
        assert_eq!(hint("sk-0123456789012345678901wxyz").as_deref(), Some("…wxyz"));
        assert_eq!(hint("{\"type\":\"service_account\",\"private_key\":\"x\"}").as_deref(), Some("set"));
    }

    #[test]
    fn another_credential_is_another_version_and_the_log_holds_none() {
        let channel = |credential: &str| {
            NewChannel {
                name: "c".into(),
                provider: "openai".into(),
                base_url: None,
                credential: SecretString::from(credential),
                models: vec!["m".into()],
                model_mapping: BTreeMap::new(),
                priority: 0,
                weight: 1,
                status: Status::Active,
                settings: ChannelSettings::default(),
            }
            .into_config()
        };
        let (a, b) = (channel("sk-0123456789012345678901aaaa"), channel("sk-9876543210987654321098aaaa"));
        assert_ne!(ChannelView::from(&a).version, ChannelView::from(&b).version);
        let text = written(&a).to_string();
        assert!(text.contains("\"set\"") && !text.contains("aaaa"), "{text}");
        assert!(!format!("{a:?}").contains("0123456789"));
    }
}

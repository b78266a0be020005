//! Channels: looked at, made, changed, switched off, withdrawn.

pub use super::probing::{
    PROBE_BYTES, PROBE_PAGES, PROBE_WITHIN, Probe, ProbeOutcome, Speed, SpeedOf, probe, speed,
};

use super::{MAX_NAME, Said, UseCaseError, UseCaseResult, check_name};
use crate::adapter::Registry;
use crate::routing::Timeouts;
use crate::store::{ChannelStore, StoreError};
use crate::{ChannelConfig, RouteTable, Status, TimeoutSettings};
use std::collections::HashSet;

/// The provider that stands for anyone who speaks OpenAI's dialect, wherever that is.
const NO_ADDRESS: &str = "openai-compatible";

/// Checks a channel without touching the network: its provider is known, its address, credential and proxy
/// can be used, it serves a model, its mapping leads somewhere.
///
/// # Errors
/// `Invalid` with the field at fault.
pub fn check_channel(channel: &ChannelConfig, registry: &Registry) -> UseCaseResult<()> {
    check_name(&channel.name)?;
    check_models(channel)?;
    check_settings(channel)?;
    if channel.provider == NO_ADDRESS && channel.base_url.is_none() {
        let message =
            ("this provider has no address of its own: set base_url", "这个平台没有默认地址，请填写接口地址");
        return Err(UseCaseError::invalid("base_url", message));
    }
    // Whatever else can be wrong is what preparing it for use would stumble over.
    let probe = ChannelConfig { status: Status::Active, ..channel.clone() };
    RouteTable::build(&[probe], registry, &Timeouts::default(), None)?;
    Ok(())
}

fn check_models(channel: &ChannelConfig) -> UseCaseResult<()> {
    fn fail(field: &'static str, message: impl Into<Said>) -> UseCaseResult<()> {
        Err(UseCaseError::invalid(field, message))
    }
    if channel.models.is_empty() && channel.model_mapping.is_empty() {
        return fail("models", ("it serves no model; name at least one", "没有模型，至少填写一个"));
    }
    let mut seen = HashSet::new();
    for model in &channel.models {
        if model.trim().is_empty() {
            return fail("models", ("a model's name is empty", "模型名不能为空"));
        }
        if !seen.insert(model) {
            return fail("models", (format!("`{model}` is named twice"), format!("`{model}` 重复了")));
        }
    }
    for (asked, sent) in &channel.model_mapping {
        if asked.trim().is_empty() || sent.trim().is_empty() {
            return fail("model_mapping", ("a model's name is empty", "模型名不能为空"));
        }
        if asked == sent {
            let message = (
                format!("`{asked}` is mapped to itself; name it in `models` instead"),
                format!("`{asked}` 映射到自己，直接列为模型即可"),
            );
            return fail("model_mapping", message);
        }
    }
    Ok(())
}

fn check_settings(channel: &ChannelConfig) -> UseCaseResult<()> {
    let TimeoutSettings { connect_ms, first_byte_ms, idle_ms, total_ms } = channel.settings.timeouts;
    if [connect_ms, first_byte_ms, idle_ms, total_ms].contains(&Some(0)) {
        return Err(UseCaseError::invalid(
            "timeouts",
            ("a time limit is at least 1 ms; leave it out for none", "时限至少 1 毫秒，不限请留空"),
        ));
    }
    check_groups(&channel.settings.groups)?;
    if channel.settings.concurrency == Some(0) {
        let message = (
            "nothing could use this channel; leave it out for no limit",
            "这样谁也用不了这个账号，不限请留空",
        );
        return Err(UseCaseError::invalid("concurrency", message));
    }
    Ok(())
}

fn check_groups(groups: &[String]) -> UseCaseResult<()> {
    fn fail(message: impl Into<Said>) -> UseCaseResult<()> {
        Err(UseCaseError::invalid("groups", message))
    }
    let mut seen = HashSet::new();
    for group in groups {
        if group.is_empty() {
            return fail((
                "a group's name is empty; leave `groups` out to serve everybody",
                "分组名不能为空，供所有人使用请留空",
            ));
        }
        if group.len() > MAX_NAME || group.chars().any(char::is_control) || group.trim() != group {
            return fail((
                format!(
                    "{group:?} names no group: at most {MAX_NAME} bytes, no control characters, no white space at its ends"
                ),
                format!("{group:?} 不是有效的分组名：最多 {MAX_NAME} 字节，不含控制字符，首尾无空白"),
            ));
        }
        if !seen.insert(group) {
            return fail((format!("`{group}` is named twice"), format!("`{group}` 重复了")));
        }
    }
    Ok(())
}

/// Makes a channel.
///
/// # Errors
/// `Invalid`, or `Store(Conflict)` for a taken name.
pub async fn create_channel<S: ChannelStore + ?Sized>(
    store: &S,
    registry: &Registry,
    channel: ChannelConfig,
) -> UseCaseResult<ChannelConfig> {
    check_channel(&channel, registry)?;
    Ok(store.create_channel(channel).await?)
}

/// The channel of that name.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn find_channel<S: ChannelStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<ChannelConfig> {
    let found = store.channel_by_name(name).await?;
    Ok(found.ok_or_else(|| StoreError::NotFound { what: "channel", name: name.to_owned() })?)
}

/// Replaces everything about the channel of that id but the id. A revoked channel stays as it is.
///
/// # Errors
/// `Invalid`, `Store(NotFound)`, `Store(Conflict)`.
pub async fn update_channel<S: ChannelStore + ?Sized>(
    store: &S,
    registry: &Registry,
    channel: &ChannelConfig,
) -> UseCaseResult<()> {
    check_channel(channel, registry)?;
    let stored = store.channels().await?.into_iter().find(|c| c.id == channel.id);
    if stored.is_some_and(|c| c.status == Status::Revoked) {
        let message = (
            format!("the channel `{}` was revoked for good; make one of another name", channel.name),
            format!("账号「{}」已撤下，请用别的名字新建", channel.name),
        );
        return Err(UseCaseError::invalid("name", message));
    }
    Ok(store.update_channel(channel).await?)
}

/// Withdraws a channel for good. Withdrawing it again changes nothing.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn revoke_channel<S: ChannelStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<ChannelConfig> {
    set_status(store, find_channel(store, name).await?, Status::Revoked).await
}

/// Switches a channel off until it is switched on again. A revoked channel stays revoked.
///
/// # Errors
/// `Store(NotFound)`.
pub async fn disable_channel<S: ChannelStore + ?Sized>(
    store: &S,
    name: &str,
) -> UseCaseResult<ChannelConfig> {
    let channel = find_channel(store, name).await?;
    let status = if channel.status == Status::Revoked { Status::Revoked } else { Status::Disabled };
    set_status(store, channel, status).await
}

async fn set_status<S: ChannelStore + ?Sized>(
    store: &S,
    mut channel: ChannelConfig,
    status: Status,
) -> UseCaseResult<ChannelConfig> {
    if channel.status != status {
        channel.status = status;
        store.update_channel(&channel).await?;
    }
    Ok(channel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelId, ChannelSettings};
    use secrecy::SecretString;

    fn channel(change: impl FnOnce(&mut ChannelConfig)) -> ChannelConfig {
        let mut channel = ChannelConfig {
            id: ChannelId(0),
            name: "c".into(),
            provider: "openai".into(),
            base_url: None,
            credential: SecretString::from("x"),
            models: vec!["m".into()],
            model_mapping: [].into(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        change(&mut channel);
        channel
    }

    #[test]
    fn each_fault_names_its_field() {
        let bad: [(ChannelConfig, &str); 12] = [
            (channel(|c| c.name.clear()), "name: "),
            (channel(|c| c.models.clear()), "models: "),
            (channel(|c| c.models.push("m".into())), "models: "),
            (channel(|c| c.models.push(" ".into())), "models: "),
            (channel(|c| drop(c.model_mapping.insert("a".into(), "a".into()))), "model_mapping: "),
            (channel(|c| c.settings.timeouts.idle_ms = Some(0)), "timeouts: "),
            (channel(|c| c.settings.concurrency = Some(0)), "concurrency: "),
            (channel(|c| c.settings.groups = vec!["".into()]), "groups: "),
            (channel(|c| c.settings.groups = vec![" vip".into()]), "groups: "),
            (channel(|c| c.settings.groups = vec!["vip".into(), "vip".into()]), "groups: "),
            (channel(|c| c.provider = "openai-compatible".into()), "base_url: "),
            (channel(|_| ()), "provider: "),
        ];
        for (channel, field) in bad {
            let error = check_channel(&channel, &Registry::new()).unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}, not {field}");
        }
    }
}

//! `[[channels]]`.

use super::Checker;
use crate::config::declared::status;
use crate::config::raw::RawChannel;
use burncloud_core::adapter::Registry;
use burncloud_core::usecase::UseCaseError;
use burncloud_core::usecase::channels::check_channel;
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings};
use secrecy::SecretString;
use std::collections::HashSet;
use std::ops::Range;
use toml::Spanned;

impl Checker {
    pub(super) fn channels(
        &mut self,
        raw: Vec<Spanned<RawChannel>>,
        registry: &Registry,
    ) -> Vec<ChannelConfig> {
        let mut taken = HashSet::new();
        let mut channels = Vec::new();
        for entry in raw {
            let whole = entry.span();
            let raw = entry.into_inner();
            self.name("channels", &raw.name, &mut taken);
            let credential = raw.credential.as_ref().map(|c| self.secret("channels.credential", c));
            // A credential that is not at hand is reported already; what else is wrong is still of interest.
            let missing = matches!(credential, Some(None));
            let mut channel = channel(&raw, credential.flatten());
            self.texts(&raw, &mut channel.settings);
            match check_channel(&channel, registry) {
                Err(UseCaseError::Invalid { field, .. }) if field == "name" => (),
                Err(UseCaseError::Invalid { field, .. }) if field == "credential" && missing => (),
                Err(UseCaseError::Invalid { field, message }) if in_a_file(&raw, &field).is_some() => {
                    let (place, span) = in_a_file(&raw, &field).unwrap_or_default();
                    self.report(span, format!("channels.{field}"), format!("{place}{message}"));
                }
                Err(error) => self.report_use_case(channel_span(&raw, &error, whole), "channels", &error),
                Ok(()) => (),
            }
            channels.push(channel);
        }
        channels
    }

    /// What may stand in other files.
    fn texts(&mut self, raw: &RawChannel, settings: &mut ChannelSettings) {
        if let Some(text) = &raw.transforms {
            match text.get_ref().document() {
                Ok(document) => settings.transforms = Some(document),
                Err(why) => self.report(text.span(), "channels.transforms", why),
            }
        }
        if let Some(script) = &raw.script {
            match script.get_ref().read() {
                Ok(script) => settings.script = Some(script),
                Err(why) => self.report(script.span(), "channels.script", why),
            }
        }
    }
}

/// What a fault in a text that stands in another file begins with, and the place of the reference to it.
fn in_a_file(raw: &RawChannel, field: &str) -> Option<(String, Range<usize>)> {
    let (text, span) = match field {
        "transforms" => raw.transforms.as_ref().map(|t| (t.get_ref(), t.span()))?,
        "script" => raw.script.as_ref().map(|s| (&s.get_ref().text, s.span()))?,
        _ => return None,
    };
    Some((text.place(), span)).filter(|(place, _)| !place.is_empty())
}

fn channel(raw: &RawChannel, credential: Option<SecretString>) -> ChannelConfig {
    ChannelConfig {
        id: ChannelId(0),
        name: raw.name.get_ref().clone(),
        provider: raw.provider.get_ref().clone(),
        base_url: raw.base_url.as_ref().map(|u| u.get_ref().clone()),
        credential: credential.unwrap_or_default(),
        models: raw.models.as_ref().map(|m| m.get_ref().clone()).unwrap_or_default(),
        model_mapping: raw.model_mapping.as_ref().map(|m| m.get_ref().clone()).unwrap_or_default(),
        priority: raw.priority,
        weight: raw.weight.unwrap_or(1),
        status: status(raw.enabled),
        settings: ChannelSettings {
            timeouts: raw.timeouts.as_ref().map(|t| *t.get_ref()).unwrap_or_default(),
            groups: raw.groups.as_ref().map(|g| g.get_ref().clone()).unwrap_or_default(),
            include_usage: raw.include_usage,
            concurrency: raw.concurrency.as_ref().map(|c| *c.get_ref()),
            proxy: raw.proxy.as_ref().map(|p| p.get_ref().clone()),
            options: raw
                .options
                .iter()
                .map(|(name, value)| (name.clone(), value.get_ref().clone()))
                .collect(),
            strict: raw.strict,
            body_override: raw.body_override.as_ref().map(|b| b.get_ref().0.clone()).unwrap_or_default(),
            header_override: raw
                .header_override
                .iter()
                .map(|(name, value)| (name.clone(), value.get_ref().clone()))
                .collect(),
            status_mapping: raw.status_mapping.as_ref().map(|s| s.get_ref().0.clone()).unwrap_or_default(),
            system_prompt: raw.system_prompt.as_ref().map(|p| p.get_ref().0.clone()),
            // What may stand in other files is read by `Checker::texts`.
            transforms: None,
            script: None,
        },
    }
}

/// The place of the field that a use case found at fault.
fn channel_span(raw: &RawChannel, error: &UseCaseError, whole: Range<usize>) -> Range<usize> {
    let UseCaseError::Invalid { field, .. } = error else { return whole };
    let span = match &**field {
        "provider" => Some(raw.provider.span()),
        "base_url" => raw.base_url.as_ref().map(Spanned::span),
        "credential" => raw.credential.as_ref().map(Spanned::span),
        "models" => raw.models.as_ref().map(Spanned::span),
        "model_mapping" => raw.model_mapping.as_ref().map(Spanned::span),
        "groups" => raw.groups.as_ref().map(Spanned::span),
        "timeouts" => raw.timeouts.as_ref().map(Spanned::span),
        "concurrency" => raw.concurrency.as_ref().map(Spanned::span),
        "proxy" => raw.proxy.as_ref().map(Spanned::span),
        "status_mapping" => raw.status_mapping.as_ref().map(Spanned::span),
        "system_prompt" => raw.system_prompt.as_ref().map(Spanned::span),
        "transforms" => raw.transforms.as_ref().map(Spanned::span),
        "script" => raw.script.as_ref().map(Spanned::span),
        field if field.starts_with("body_override.") => raw.body_override.as_ref().map(Spanned::span),
        field if field.starts_with("header_override.") => {
            let name = field.strip_prefix("header_override.");
            name.and_then(|name| raw.header_override.get(name)).map(Spanned::span)
        }
        field => field.strip_prefix("options.").and_then(|name| raw.options.get(name)).map(Spanned::span),
    };
    span.unwrap_or(whole)
}

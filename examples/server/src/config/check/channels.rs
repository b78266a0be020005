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
            let channel = channel(&raw, credential.flatten());
            match check_channel(&channel, registry) {
                Err(UseCaseError::Invalid { field, .. }) if field == "name" => (),
                Err(UseCaseError::Invalid { field, .. }) if field == "credential" && missing => (),
                Err(error) => self.report_use_case(channel_span(&raw, &error, whole), "channels", &error),
                Ok(()) => (),
            }
            channels.push(channel);
        }
        channels
    }
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
            include_usage: raw.include_usage,
            concurrency: raw.concurrency.as_ref().map(|c| *c.get_ref()),
            proxy: raw.proxy.as_ref().map(|p| p.get_ref().clone()),
            options: raw
                .options
                .iter()
                .map(|(name, value)| (name.clone(), value.get_ref().clone()))
                .collect(),
            ..ChannelSettings::default()
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
        "timeouts" => raw.timeouts.as_ref().map(Spanned::span),
        "concurrency" => raw.concurrency.as_ref().map(Spanned::span),
        "proxy" => raw.proxy.as_ref().map(Spanned::span),
        field => field.strip_prefix("options.").and_then(|name| raw.options.get(name)).map(Spanned::span),
    };
    span.unwrap_or(whole)
}

//! `burncloud channels …`

use super::args::{ChannelsCommand, CreateChannelArgs};
use super::{CliResult, Desk, word};
use crate::config::SecretRef;
use burncloud_core::store::ChannelStore;
use burncloud_core::usecase::{Said, UseCaseError, channels};
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, Status};
use serde_json::{Value, json};

pub(super) async fn run(command: ChannelsCommand, desk: &Desk) -> CliResult {
    let store = &*desk.store;
    match command {
        ChannelsCommand::List => list(desk).await,
        ChannelsCommand::Create(args) => {
            let given = args.credential_env.is_some() || args.credential_file.is_some();
            let made = channels::create_channel(store, &desk.registry, config(args)?).await;
            let made = made.map_err(|error| if given { error } else { without_credential(error) })?;
            desk.out.show(&as_json(&made), &[format!("made the channel `{}`", made.name)])
        }
        ChannelsCommand::Show { name } => show(desk, &channels::find_channel(store, &name).await?),
        ChannelsCommand::Revoke { name } => {
            let channel = channels::revoke_channel(store, &name).await?;
            desk.out.show(&as_json(&channel), &[format!("revoked the channel `{}`", channel.name)])
        }
    }
}

/// Says how a credential is given, where that is what is missing.
fn without_credential(error: UseCaseError) -> UseCaseError {
    match error {
        UseCaseError::Invalid { field, .. } if field == "credential" => UseCaseError::invalid(
            field,
            Said::plain("this provider needs one: give --credential-env NAME or --credential-file FILE"),
        ),
        other => other,
    }
}

fn config(args: CreateChannelArgs) -> CliResult<ChannelConfig> {
    let reference =
        args.credential_env.map(SecretRef::Env).or_else(|| args.credential_file.map(SecretRef::File));
    let credential = reference.map(|r| r.resolve(false)).transpose()?.unwrap_or_default();
    let (mut models, mut model_mapping) = (Vec::new(), std::collections::BTreeMap::new());
    for model in args.models {
        match model.split_once('=') {
            Some((asked, sent)) => drop(model_mapping.insert(asked.to_owned(), sent.to_owned())),
            None => models.push(model),
        }
    }
    Ok(ChannelConfig {
        id: ChannelId(0),
        name: args.name,
        provider: args.provider,
        base_url: args.base_url,
        credential,
        models,
        model_mapping,
        priority: args.priority,
        weight: args.weight,
        status: Status::Active,
        settings: ChannelSettings {
            groups: args.groups,
            concurrency: args.concurrency,
            proxy: args.proxy,
            options: args.options.into_iter().collect(),
            ..ChannelSettings::default()
        },
    })
}

async fn list(desk: &Desk) -> CliResult {
    let all = desk.store.channels().await?;
    let rows: Vec<_> = all
        .iter()
        .map(|c| {
            [
                c.name.clone(),
                c.provider.clone(),
                word(&c.status),
                c.priority.to_string(),
                c.weight.to_string(),
                served(c),
            ]
        })
        .collect();
    let head = ["name", "provider", "status", "priority", "weight", "models"];
    desk.out.list(all.iter().map(as_json).collect(), head, &rows)
}

fn served(channel: &ChannelConfig) -> String {
    let mapped = channel.model_mapping.iter().map(|(asked, sent)| format!("{asked}={sent}"));
    channel.models.iter().cloned().chain(mapped).collect::<Vec<_>>().join(", ")
}

fn show(desk: &Desk, channel: &ChannelConfig) -> CliResult {
    let mut lines = vec![
        format!("name      {}", channel.name),
        format!("provider  {}", channel.provider),
        format!("address   {}", channel.base_url.as_deref().unwrap_or("the provider's own")),
        format!("status    {}", word(&channel.status)),
        format!("models    {}", served(channel)),
        format!("priority  {}", channel.priority),
        format!("weight    {}", channel.weight),
    ];
    lines.extend(settings(&channel.settings));
    desk.out.show(&as_json(channel), &lines)
}

/// The settings that are set, one a line.
fn settings(settings: &ChannelSettings) -> Vec<String> {
    let Value::Object(mut all) = json!(settings) else { return Vec::new() };
    all.values_mut()
        .filter_map(Value::as_object_mut)
        .for_each(|table| table.retain(|_, value| !value.is_null()));
    let unset = |value: &Value| {
        value.is_null()
            || value.as_object().is_some_and(serde_json::Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty)
    };
    let set = all.iter().filter(|(_, value)| !unset(value));
    set.map(|(name, value)| {
        format!("{name:<9} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    })
    .collect()
}

/// Everything but the credential.
fn as_json(channel: &ChannelConfig) -> Value {
    json!({
        "id": channel.id,
        "name": channel.name,
        "provider": channel.provider,
        "base_url": channel.base_url,
        "models": channel.models,
        "model_mapping": channel.model_mapping,
        "priority": channel.priority,
        "weight": channel.weight,
        "status": channel.status,
        "settings": channel.settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_are_set_are_shown() {
        assert!(settings(&ChannelSettings::default()).is_empty());
        let options = [("region".to_owned(), "eu-west-1".to_owned())].into();
        let groups = vec!["vip".to_owned()];
        let some = ChannelSettings { strict: Some(true), options, groups, ..ChannelSettings::default() };
        let lines = [r#"groups    ["vip"]"#, r#"options   {"region":"eu-west-1"}"#, "strict    true"];
        assert_eq!(settings(&some), lines);
    }
}

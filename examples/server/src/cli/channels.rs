//! `burncloud channels …`

use super::args::{ChannelsCommand, CreateChannelArgs};
use super::{CliResult, Desk, word};
use crate::config::SecretRef;
use burncloud_core::usecase::channels;
use burncloud_core::{ChannelConfig, ChannelId, ChannelSettings, Status};
use serde_json::{Value, json};

pub(super) async fn run(command: ChannelsCommand, desk: &Desk) -> CliResult {
    let store = &*desk.store;
    match command {
        ChannelsCommand::List => list(desk).await,
        ChannelsCommand::Create(args) => {
            let made = channels::create_channel(store, &desk.registry, config(args)?).await?;
            desk.out.show(&as_json(&made), &[format!("made the channel `{}`", made.name)])
        }
        ChannelsCommand::Show { name } => show(desk, &channels::find_channel(store, &name).await?),
        ChannelsCommand::Revoke { name } => {
            let channel = channels::revoke_channel(store, &name).await?;
            desk.out.show(&as_json(&channel), &[format!("revoked the channel `{}`", channel.name)])
        }
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
    let lines = [
        format!("name      {}", channel.name),
        format!("provider  {}", channel.provider),
        format!("address   {}", channel.base_url.as_deref().unwrap_or("the provider's own")),
        format!("status    {}", word(&channel.status)),
        format!("models    {}", served(channel)),
        format!("priority  {}", channel.priority),
        format!("weight    {}", channel.weight),
        format!("settings  {}", word(&channel.settings)),
    ];
    desk.out.show(&as_json(channel), &lines)
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

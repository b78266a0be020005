//! `burncloud keys …`

use super::args::{CreateKeyArgs, KeysCommand};
use super::{CliResult, Desk, joined, word};
use crate::moment;
use burncloud_billing::people;
use burncloud_core::store::KeyStore;
use burncloud_core::usecase::keys::{self, CreatedKey, KeySpec};
use burncloud_core::{ApiKey, Nano, UserId};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::Duration;

const PAGE: u32 = 500;

pub(super) async fn run(command: KeysCommand, desk: &Desk) -> CliResult {
    let store = &*desk.store;
    match command {
        KeysCommand::List => list(desk).await,
        KeysCommand::Create(args) => created(desk, &create(desk, args).await?),
        KeysCommand::Rotate { name, overlap } => {
            if desk.managed()?.has_key(&name) {
                return Err(format!(
                    "the configuration file declares the key `{name}` and would bring its old secret back; \
                     change the secret where the file points to (`secret`), then reload (SIGHUP)"
                )
                .into());
            }
            created(
                desk,
                &keys::rotate_key(store, &name, Duration::from_secs(60 * u64::from(overlap))).await?,
            )
        }
        KeysCommand::Show { name } => show(desk, &keys::find_key(store, &name).await?),
        KeysCommand::Aws { name } => aws(desk, &name).await,
        KeysCommand::Revoke { name } => {
            let key = keys::revoke_key(store, &name).await?;
            desk.out.show(&as_json(&key), &[format!("revoked the key `{}` ({})", key.name, key.hint)])
        }
    }
}

async fn create(desk: &Desk, args: CreateKeyArgs) -> CliResult<CreatedKey> {
    let spec = KeySpec {
        user: user_id(desk, &args.user).await?,
        name: args.name,
        quota: args.quota_usd,
        limits: args.limits.into(),
        models: args.models,
        ips: args.ips,
        apps: args.apps,
        expires_at: args.expires,
        group: args.group,
    };
    Ok(people::create_key(&*desk.store, &desk.actor, spec, None).await?)
}

/// The user of that name.
pub(super) async fn user_id(desk: &Desk, name: &str) -> CliResult<UserId> {
    Ok(people::find_user(&*desk.store, name).await?.id)
}

async fn list(desk: &Desk) -> CliResult {
    let mut all: Vec<ApiKey> = Vec::new();
    loop {
        let page = desk.store.keys(all.last().map(|k| k.id), PAGE).await?;
        let more = page.len() == PAGE as usize;
        all.extend(page);
        if !more {
            break;
        }
    }
    let rows: Vec<_> = all
        .iter()
        .map(|k| {
            [
                k.name.clone(),
                k.hint.clone(),
                word(&k.status),
                quota(k.quota),
                format!("${}", k.used),
                joined(k.models.as_deref()),
            ]
        })
        .collect();
    let head = ["name", "key", "status", "quota", "used", "models"];
    desk.out.list(all.iter().map(as_json).collect(), head, &rows)
}

fn created(desk: &Desk, made: &CreatedKey) -> CliResult {
    let secret = made.secret.expose_secret();
    let mut json = as_json(&made.key);
    json["secret"] = json!(secret);
    let lines = [
        format!("key `{}`: {secret}", made.key.name),
        "Keep it now: it is stored nowhere and shown only this once.".to_owned(),
    ];
    desk.out.show(&json, &lines)
}

async fn aws(desk: &Desk, name: &str) -> CliResult {
    let pair = keys::aws_pair(&*desk.store, name).await?;
    let secret = pair.secret_access_key.expose_secret();
    let json = json!({"access_key_id": pair.access_key_id, "secret_access_key": secret});
    let lines =
        [format!("AWS_ACCESS_KEY_ID={}", pair.access_key_id), format!("AWS_SECRET_ACCESS_KEY={secret}")];
    desk.out.show(&json, &lines)
}

fn show(desk: &Desk, key: &ApiKey) -> CliResult {
    let ips = key.ips.as_ref().map(|l| l.iter().map(ToString::to_string).collect::<Vec<_>>());
    let lines = [
        format!("name      {}", key.name),
        format!("key       {}", key.hint),
        format!("status    {}", word(&key.status)),
        format!("user      {}", key.user),
        format!("group     {}", super::or_dash(key.group.as_deref())),
        format!("quota     {}", quota(key.quota)),
        format!("used      ${}", key.used),
        format!("models    {}", joined(key.models.as_deref())),
        format!("addresses {}", joined(ips.as_deref())),
        format!("used by   {}", joined(key.apps.as_deref())),
        format!("limits    {}", word(&key.limits)),
        format!("created   {}", moment::show(key.created_at)),
        format!("expires   {}", key.expires_at.map_or_else(|| "never".to_owned(), moment::show)),
        format!("old one   {}", key.previous_until.map_or_else(|| "-".to_owned(), moment::show)),
    ];
    desk.out.show(&as_json(key), &lines)
}

/// A key as stored (amounts in nano-dollars), with its amounts in dollars beside them.
fn as_json(key: &ApiKey) -> Value {
    let mut json = serde_json::to_value(key).unwrap_or_default();
    json["quota_usd"] = json!(key.quota.map(|q| q.to_string()));
    json["used_usd"] = json!(key.used.to_string());
    json
}

/// An amount that may be unlimited.
pub(super) fn quota(amount: Option<Nano>) -> String {
    amount.map_or_else(|| "unlimited".to_owned(), |a| format!("${a}"))
}

//! Channels; their credentials are sealed on the way in and opened on the way out.

use crate::entity::channel;
use crate::error::{Failure, conflict, database, missing};
use crate::sql::{Touched, check_name, from_json, to_json};
use crate::{SecretBox, SqlStore};
use async_trait::async_trait;
use burncloud_core::store::{ChannelStore, StoreError, StoreResult};
use burncloud_core::{ChannelConfig, ChannelId};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// What a credential is sealed for: a row's ciphertext opens in no other row.
fn purpose(name: &str) -> String {
    format!("channel credential: {name}")
}

fn config(row: channel::Model, secrets: &SecretBox) -> StoreResult<ChannelConfig> {
    let credential = secrets
        .open(&purpose(&row.name), &row.credential)
        .ok_or_else(|| Failure::Sealed { channel: row.name.clone() })?;
    let weight = u32::try_from(row.weight).map_err(|error| Failure::Damaged {
        what: "weight",
        name: row.name.clone(),
        why: error.to_string(),
    })?;
    Ok(ChannelConfig {
        id: ChannelId(row.id),
        provider: row.provider,
        base_url: row.base_url,
        credential,
        models: from_json("list of models", &row.name, &row.models)?,
        model_mapping: from_json("model mapping", &row.name, &row.model_mapping)?,
        priority: row.priority,
        weight,
        status: row.status.into(),
        settings: from_json("settings", &row.name, &row.settings)?,
        name: row.name,
    })
}

/// All columns but the id.
fn columns(channel: &ChannelConfig, secrets: &SecretBox) -> StoreResult<channel::ActiveModel> {
    check_name("channel", &channel.name)?;
    let sealed = secrets.seal(&purpose(&channel.name), &channel.credential);
    Ok(channel::ActiveModel {
        id: NotSet,
        name: Set(channel.name.clone()),
        provider: Set(channel.provider.clone()),
        base_url: Set(channel.base_url.clone()),
        credential: Set(sealed.map_err(|error| StoreError::Unavailable(error.to_string()))?),
        models: Set(to_json(&channel.models)),
        model_mapping: Set(to_json(&channel.model_mapping)),
        priority: Set(channel.priority),
        weight: Set(i64::from(channel.weight)),
        status: Set(channel.status.into()),
        settings: Set(to_json(&channel.settings)),
    })
}

#[async_trait]
impl ChannelStore for SqlStore {
    async fn create_channel(&self, channel: ChannelConfig) -> StoreResult<ChannelConfig> {
        let row = columns(&channel, &self.secrets)?;
        let tx = self.begin().await?;
        let made =
            channel::Entity::insert(row).exec(&tx).await.map_err(conflict("channel", &channel.name))?;
        self.commit(tx, Touched::Nobody).await?;
        Ok(ChannelConfig { id: ChannelId(made.last_insert_id), ..channel })
    }

    async fn channels(&self) -> StoreResult<Vec<ChannelConfig>> {
        let all = channel::Entity::find().order_by_asc(channel::Column::Id).all(&self.read).await;
        all.map_err(database)?.into_iter().map(|row| config(row, &self.secrets)).collect()
    }

    async fn channel_by_name(&self, name: &str) -> StoreResult<Option<ChannelConfig>> {
        let found = channel::Entity::find().filter(channel::Column::Name.eq(name)).one(&self.read).await;
        found.map_err(database)?.map(|row| config(row, &self.secrets)).transpose()
    }

    async fn update_channel(&self, changed: &ChannelConfig) -> StoreResult<()> {
        let row = columns(changed, &self.secrets)?;
        let tx = self.begin().await?;
        let old = channel::Entity::find_by_id(changed.id.0).lock_exclusive().one(&tx).await;
        old.map_err(database)?.ok_or_else(|| missing("channel", &changed.name))?;
        let change = channel::ActiveModel { id: Unchanged(changed.id.0), ..row };
        let change = channel::Entity::update(change).validate().map_err(database)?;
        change.exec(&tx).await.map_err(conflict("channel", &changed.name))?;
        self.commit(tx, Touched::Nobody).await
    }

    async fn delete_channel(&self, id: ChannelId) -> StoreResult<()> {
        let tx = self.begin().await?;
        let gone = channel::Entity::delete_by_id(id.0).exec(&tx).await.map_err(database)?;
        if gone.rows_affected == 0 {
            return Err(missing("channel", id));
        }
        self.commit(tx, Touched::Nobody).await
    }
}

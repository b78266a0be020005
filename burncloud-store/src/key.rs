//! API keys.

use crate::SqlStore;
use crate::entity::{api_key, user};
use crate::error::{database, is_duplicate, missing};
use crate::sql::{Touched, check_name, from_json, key_hash, to_json};
use async_trait::async_trait;
use burncloud_core::store::{KeyStore, NewKey, StoreError, StoreResult};
use burncloud_core::{ApiKey, KeyHash, KeyId, Nano, Status, UnixMicros, UserId};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr,
};

/// A key as its row has it.
pub(crate) fn api_key(row: api_key::Model) -> StoreResult<ApiKey> {
    let json =
        |text: Option<String>| text.map(|text| from_json("list of models", &row.name, &text)).transpose();
    let ips = row.ips.map(|text| from_json("list of addresses", &row.name, &text)).transpose()?;
    let apps = row.apps.map(|text| from_json("list of applications", &row.name, &text)).transpose()?;
    Ok(ApiKey {
        id: KeyId(row.id),
        models: json(row.models)?,
        ips,
        limits: from_json("limits", &row.name, &row.limits)?,
        hint: row.hint,
        user: UserId(row.user_id),
        status: row.status.into(),
        quota: row.quota.map(Nano),
        used: Nano(row.used),
        expires_at: row.expires_at.map(UnixMicros),
        group: row.customer_group,
        apps,
        previous_until: row.previous_until.map(UnixMicros),
        created_at: UnixMicros(row.created_at),
        name: row.name,
    })
}

/// Everything of a key that may change but for the secret before, `hash` if it is given.
fn columns(key: &ApiKey, hash: Option<KeyHash>) -> api_key::ActiveModel {
    api_key::ActiveModel {
        id: Unchanged(key.id.0),
        name: Set(key.name.clone()),
        hint: Set(key.hint.clone()),
        hash: hash.map_or(NotSet, |hash| Set(hash.0.to_vec())),
        user_id: Set(key.user.0),
        status: Set(key.status.into()),
        quota: Set(key.quota.map(|amount| amount.0)),
        used: NotSet,
        limits: Set(to_json(&key.limits)),
        models: Set(key.models.as_ref().map(to_json)),
        ips: Set(key.ips.as_ref().map(to_json)),
        expires_at: Set(key.expires_at.map(|at| at.0)),
        customer_group: Set(key.group.clone()),
        apps: Set(key.apps.as_ref().map(to_json)),
        previous_hash: NotSet,
        previous_until: NotSet,
        created_at: NotSet,
    }
}

/// The secret before this one, whether its term is over or not.
pub(crate) fn previous(row: &api_key::Model) -> StoreResult<Option<KeyHash>> {
    row.previous_hash.as_deref().map(key_hash).transpose()
}

/// Says which of the two unique columns is taken.
fn conflict(error: DbErr, name: &str) -> StoreError {
    let what = match error.sql_err() {
        // `api_keys.hash` or `api_keys_hash`, as each database names the column or its index.
        Some(SqlErr::UniqueConstraintViolation(text)) if text.contains("_keys.hash") => Some("secret"),
        Some(SqlErr::UniqueConstraintViolation(text)) if text.contains("_keys_hash") => Some("secret"),
        _ => is_duplicate(&error).then_some("name"),
    };
    match what {
        Some("secret") => StoreError::Conflict { what: "key with the same secret as", name: name.to_owned() },
        Some(_) => StoreError::Conflict { what: "key", name: name.to_owned() },
        None => database(error),
    }
}

/// The owner must be there; a foreign key would not say who is missing.
async fn check_owner(tx: &DatabaseTransaction, id: UserId) -> StoreResult<()> {
    let owner = user::Entity::find_by_id(id.0).one(tx).await.map_err(database)?;
    owner.map(drop).ok_or_else(|| missing("user", id))
}

#[async_trait]
impl KeyStore for SqlStore {
    async fn create_key(&self, new: NewKey) -> StoreResult<ApiKey> {
        check_name("key", &new.name)?;
        let mut key = ApiKey {
            id: KeyId(0),
            name: new.name,
            hint: new.hint,
            user: new.user,
            status: Status::Active,
            quota: new.quota,
            used: Nano::ZERO,
            limits: new.limits,
            models: new.models,
            ips: new.ips,
            expires_at: new.expires_at,
            group: new.group,
            apps: new.apps,
            previous_until: None,
            created_at: UnixMicros::now(),
        };
        let tx = self.begin().await?;
        check_owner(&tx, key.user).await?;
        let row = api_key::ActiveModel {
            id: NotSet,
            used: Set(key.used.0),
            created_at: Set(key.created_at.0),
            ..columns(&key, Some(new.hash))
        };
        let made = api_key::Entity::insert(row).exec(&tx).await.map_err(|e| conflict(e, &key.name))?;
        key.id = KeyId(made.last_insert_id);
        self.commit(tx, Touched::Hashes(vec![new.hash])).await?;
        Ok(key)
    }

    async fn key_by_name(&self, name: &str) -> StoreResult<Option<ApiKey>> {
        let found = api_key::Entity::find().filter(api_key::Column::Name.eq(name));
        found.one(&self.read).await.map_err(database)?.map(api_key).transpose()
    }

    async fn key(&self, id: KeyId) -> StoreResult<Option<ApiKey>> {
        let found = api_key::Entity::find_by_id(id.0).one(&self.read).await.map_err(database)?;
        found.map(api_key).transpose()
    }

    async fn keys(&self, after: Option<KeyId>, limit: u32) -> StoreResult<Vec<ApiKey>> {
        let mut page = api_key::Entity::find().order_by_asc(api_key::Column::Id).limit(u64::from(limit));
        if let Some(after) = after {
            page = page.filter(api_key::Column::Id.gt(after.0));
        }
        page.all(&self.read).await.map_err(database)?.into_iter().map(api_key).collect()
    }

    async fn update_key(&self, key: &ApiKey, hash: Option<KeyHash>) -> StoreResult<()> {
        check_name("key", &key.name)?;
        let tx = self.begin().await?;
        let old = api_key::Entity::find_by_id(key.id.0).lock_exclusive().one(&tx).await.map_err(database)?;
        let old = old.ok_or_else(|| missing("key", &key.name))?;
        check_owner(&tx, key.user).await?;
        let (current, before) = (key_hash(&old.hash)?, previous(&old)?);
        let replaced = hash.filter(|hash| *hash != current).map(|_| current);
        let kept = replaced.or(if replaced.is_none() { before } else { None });
        let kept = kept.zip(key.previous_until);
        let row = api_key::ActiveModel {
            previous_hash: Set(kept.map(|(hash, _)| hash.0.to_vec())),
            previous_until: Set(kept.map(|(_, until)| until.0)),
            ..columns(key, hash)
        };
        let change = api_key::Entity::update(row).validate();
        change.map_err(database)?.exec(&tx).await.map_err(|e| conflict(e, &key.name))?;
        let touched = [Some(current), before, hash].into_iter().flatten().collect();
        self.commit(tx, Touched::Hashes(touched)).await
    }

    async fn key_hash(&self, id: KeyId) -> StoreResult<Option<KeyHash>> {
        let found = api_key::Entity::find_by_id(id.0).one(&self.read).await.map_err(database)?;
        found.map(|row| key_hash(&row.hash)).transpose()
    }
}

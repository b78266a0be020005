//! Callers: a key, its user and their tenant, in one look-up.

use crate::entity::{api_key, tenant, user};
use crate::error::{Failure, database, missing};
use crate::{SqlStore, key, user as users};
use async_trait::async_trait;
use burncloud_core::store::{CallerStore, StoreResult};
use burncloud_core::{Caller, KeyHash, Tenant, TenantId, UnixMicros};
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;
use std::sync::Arc;

#[async_trait]
impl CallerStore for SqlStore {
    fn peek(&self, hash: &KeyHash) -> Option<Option<Arc<Caller>>> {
        self.callers.peek(hash)
    }

    async fn caller(&self, hash: &KeyHash) -> StoreResult<Option<Arc<Caller>>> {
        self.callers.get(hash, self.look_up(hash)).await
    }

    fn signing_secret(&self, hash: &KeyHash) -> Option<SecretString> {
        Some(hash.signing_secret(self.secrets.signing_key()))
    }
}

impl SqlStore {
    async fn look_up(&self, hash: &KeyHash) -> StoreResult<Option<Caller>> {
        let present = api_key::Column::Hash.eq(hash.0.to_vec());
        if let Some(caller) = self.look_up_by(present).await? {
            return Ok(Some(caller));
        }
        let before = api_key::Column::PreviousHash.eq(hash.0.to_vec());
        let in_term = api_key::Column::PreviousUntil.gt(UnixMicros::now().0);
        Ok(self.look_up_by(before.and(in_term)).await?.map(Caller::by_previous))
    }

    async fn look_up_by(&self, condition: SimpleExpr) -> StoreResult<Option<Caller>> {
        let row = api_key::Entity::find()
            .filter(condition)
            .find_also_related(user::Entity)
            .and_also_related(tenant::Entity)
            .one(&self.read)
            .await
            .map_err(database)?;
        match row {
            None => Ok(None),
            Some((key, Some(user), Some(tenant))) => {
                let (user, tenant) = (users::user(user)?, users::tenant(tenant)?);
                let above = self.ancestors(&tenant).await?;
                Ok(Some(Caller::new(key::api_key(key)?, user, tenant).under(above)))
            }
            Some((key, ..)) => {
                let why = "its user or tenant is missing".into();
                Err(Failure::Damaged { what: "owner", name: key.name, why }.into())
            }
        }
    }

    /// The tenants above this one, the nearest first. A parent never changes, so there is no circle.
    async fn ancestors(&self, of: &Tenant) -> StoreResult<Vec<Tenant>> {
        let (mut above, mut next) = (Vec::new(), of.parent);
        while let Some(id) = next {
            let row = tenant::Entity::find_by_id(id.0).one(&self.read).await.map_err(database)?;
            let row = row.ok_or_else(|| missing("tenant", id))?;
            next = row.parent_id.map(TenantId);
            above.push(users::tenant(row)?);
        }
        Ok(above)
    }
}

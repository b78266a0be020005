//! The audit log, answers given once, and settings.

use crate::SqlStore;
use crate::entity::{audit, once, setting};
use crate::error::{Failure, database, is_duplicate};
use crate::lists::one_of;
use crate::sql::{Touched, check_name, from_json, to_json};
use async_trait::async_trait;
use burncloud_core::store::{
    AuditEntry, AuditFilter, AuditStore, Began, OnceStore, SettingStore, StoreError, StoreResult,
};
use burncloud_core::{TenantId, UnixMicros, UserId};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

fn read_audit(row: audit::Model) -> StoreResult<AuditEntry> {
    let json = |text: &str| from_json("state of", &row.subject, text);
    Ok(AuditEntry {
        id: row.id,
        at: UnixMicros(row.at),
        user: row.user_id.map(UserId),
        acting: row.acting_id.map(UserId),
        tenant: TenantId(row.tenant_id),
        before: json(&row.was)?,
        after: json(&row.became)?,
        author: row.author,
        action: row.action,
        subject: row.subject,
        name: row.name,
        ip: row.ip,
    })
}

#[async_trait]
impl AuditStore for SqlStore {
    async fn add_audit(&self, entry: &AuditEntry) -> StoreResult<i64> {
        let row = audit::ActiveModel {
            id: NotSet,
            at: Set(entry.at.0),
            author: Set(entry.author.clone()),
            user_id: Set(entry.user.map(|user| user.0)),
            acting_id: Set(entry.acting.map(|user| user.0)),
            tenant_id: Set(entry.tenant.0),
            action: Set(entry.action.clone()),
            subject: Set(entry.subject.clone()),
            name: Set(entry.name.clone()),
            was: Set(to_json(&entry.before)),
            became: Set(to_json(&entry.after)),
            ip: Set(entry.ip.clone()),
        };
        let added = audit::Entity::insert(row).exec(&self.write).await.map_err(database)?;
        Ok(added.last_insert_id)
    }

    async fn audits(&self, filter: &AuditFilter) -> StoreResult<Vec<AuditEntry>> {
        use audit::Column as C;
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let mut newest = audit::Entity::find().order_by_desc(C::Id).limit(u64::from(limit));
        if let Some(tenants) = &filter.tenants {
            let tenants: Vec<i64> = tenants.iter().map(|tenant| tenant.0).collect();
            newest = newest.filter(one_of("tenant_id", &tenants, self.read.get_database_backend()));
        }
        if let Some(user) = filter.user {
            newest = newest.filter(Condition::any().add(C::UserId.eq(user.0)).add(C::ActingId.eq(user.0)));
        }
        if let Some(subject) = &filter.subject {
            newest = newest.filter(C::Subject.eq(subject));
        }
        if let Some(before) = filter.before {
            newest = newest.filter(C::Id.lt(before));
        }
        newest.all(&self.read).await.map_err(database)?.into_iter().map(read_audit).collect()
    }
}

/// How often a request is begun anew because another with its key begins at the same time.
const ROUNDS: usize = 5;

/// What became of a request before: `None` if it may begin.
fn known(row: once::Model, fingerprint: &[u8; 32], now: UnixMicros) -> StoreResult<Option<Began>> {
    if row.fingerprint != fingerprint {
        return Ok(Some(Began::Other));
    }
    let Some(status) = row.status else {
        return Ok((row.began_at >= now.0 - Began::PATIENCE_US).then_some(Began::UnderWay));
    };
    let status = u16::try_from(status).map_err(|error| Failure::Damaged {
        what: "status of the request",
        name: row.name,
        why: error.to_string(),
    })?;
    Ok(Some(Began::Done { status, body: row.body.unwrap_or_default() }))
}

impl SqlStore {
    /// `None` where another began at the same time.
    async fn try_once(
        &self,
        who: &str,
        key: &str,
        fingerprint: &[u8; 32],
        now: UnixMicros,
    ) -> StoreResult<Option<Began>> {
        use once::Column as C;
        let tx = self.begin().await?;
        once::Entity::delete_many()
            .filter(C::BeganAt.lt(now.0 - Began::KEPT_US))
            .exec(&tx)
            .await
            .map_err(database)?;
        let place = (who.to_owned(), key.to_owned());
        let row = once::Entity::find_by_id(place).lock_exclusive().one(&tx).await.map_err(database)?;
        let again = row.is_some();
        if let Some(known) = row.map(|row| known(row, fingerprint, now)).transpose()?.flatten() {
            tx.commit().await.map_err(database)?;
            return Ok(Some(known));
        }
        if again {
            once::Entity::update_many()
                .col_expr(C::BeganAt, Expr::value(now.0))
                .filter(C::Who.eq(who))
                .filter(C::Name.eq(key))
                .exec(&tx)
                .await
                .map_err(database)?;
        } else {
            let row = once::ActiveModel {
                who: Set(who.to_owned()),
                name: Set(key.to_owned()),
                fingerprint: Set(fingerprint.to_vec()),
                began_at: Set(now.0),
                status: Set(None),
                body: Set(None),
            };
            match once::Entity::insert(row).exec_without_returning(&tx).await {
                Err(error) if is_duplicate(&error) => return Ok(None),
                made => made.map(drop).map_err(database)?,
            }
        }
        tx.commit().await.map_err(database)?;
        Ok(Some(Began::New))
    }
}

#[async_trait]
impl OnceStore for SqlStore {
    async fn begin_once(
        &self,
        who: &str,
        key: &str,
        fingerprint: &[u8; 32],
        now: UnixMicros,
    ) -> StoreResult<Began> {
        Began::check(who, key)?;
        for _ in 0..ROUNDS {
            if let Some(began) = self.try_once(who, key, fingerprint, now).await? {
                return Ok(began);
            }
        }
        Err(StoreError::Unavailable("others begin the same request at the same time".into()))
    }

    async fn finish_once(&self, who: &str, key: &str, status: u16, body: &str) -> StoreResult<()> {
        use once::Column as C;
        let kept = once::Entity::update_many()
            .col_expr(C::Status, Expr::value(i32::from(status)))
            .col_expr(C::Body, Expr::value(body))
            .filter(C::Who.eq(who))
            .filter(C::Name.eq(key))
            .exec(&self.write)
            .await;
        kept.map(drop).map_err(database)
    }

    async fn abandon_once(&self, who: &str, key: &str) -> StoreResult<()> {
        use once::Column as C;
        let forgotten = once::Entity::delete_many()
            .filter(C::Who.eq(who))
            .filter(C::Name.eq(key))
            .filter(C::Status.is_null())
            .exec(&self.write)
            .await;
        forgotten.map(drop).map_err(database)
    }
}

#[async_trait]
impl SettingStore for SqlStore {
    async fn settings(&self) -> StoreResult<Vec<(String, Value)>> {
        let all = setting::Entity::find().order_by_asc(setting::Column::Name).all(&self.read).await;
        let read = |row: setting::Model| Ok((from_json("setting", &row.name, &row.value)?, row.name));
        let swap = |(value, name)| (name, value);
        all.map_err(database)?.into_iter().map(|row| read(row).map(swap)).collect()
    }

    async fn set_setting(&self, name: &str, value: &Value) -> StoreResult<()> {
        check_name("setting", name)?;
        use setting::Column as C;
        let tx = self.begin().await?;
        if value.is_null() {
            setting::Entity::delete_by_id(name).exec(&tx).await.map_err(database)?;
        } else {
            let row = setting::ActiveModel { name: Set(name.to_owned()), value: Set(to_json(value)) };
            setting::Entity::insert(row)
                .on_conflict(OnConflict::column(C::Name).update_column(C::Value).to_owned())
                .exec_without_returning(&tx)
                .await
                .map_err(database)?;
        }
        // Counted as a change, so that running servers take it.
        self.commit(tx, Touched::Nobody).await
    }
}
